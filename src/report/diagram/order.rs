//! Which of two boxes, nodes or lanes stands above the other: everything moves towards
//! the middle of what it is linked to, to and fro, and the arrangement with the fewest
//! crossings stays; then neighbours change places as long as that saves some.

use super::grid::{BoxId, CellId, Grid, Item, SegmentId};

/// How often everything is put in order again.
const ROUNDS: usize = 24;

/// Orders all columns, and the columns of all boxes.
pub fn order(grid: &mut Grid) {
    stack(grid);
    let mut best = (crossings(grid), grid.columns.clone(), grid.boxes.clone());
    for round in 0..ROUNDS {
        sweep(grid, round % 2 == 0);
        if round % 4 == 3 {
            swap_all(grid);
        }
        let crossings = crossings(grid);
        if crossings < best.0 {
            best = (crossings, grid.columns.clone(), grid.boxes.clone());
        }
        if best.0 == 0 && round > 3 {
            break;
        }
    }
    (_, grid.columns, grid.boxes) = best;
    stack(grid);
    for _ in 0..4 {
        if !swap_all(grid) {
            break;
        }
    }
}

/// Puts what a column holds directly below each other, around the same middle.
fn stack(grid: &mut Grid) {
    let columns = std::mem::take(&mut grid.columns);
    for column in &columns {
        for item in column {
            if let Item::Box(id) = item {
                stack_box(grid, *id);
            }
        }
        stack_column(grid, column);
    }
    grid.columns = columns;
}

fn stack_column(grid: &mut Grid, column: &[Item]) {
    let mut tops = Vec::with_capacity(column.len());
    let (mut at, mut above) = (0, None);
    for &item in column {
        at += above.map_or(0, |above| grid.gap(above, item));
        tops.push(at);
        at += grid.height(item);
        above = Some(item);
    }
    for (&item, top) in column.iter().zip(tops) {
        match item {
            Item::Box(id) => grid.boxes[id].top = top - at / 2,
            Item::Lane(cell) => grid.cells[cell].top = top - at / 2,
        }
    }
}

fn stack_box(grid: &mut Grid, id: BoxId) {
    let inner = std::mem::take(&mut grid.boxes[id].inner);
    let rows = inner.iter().map(|cells| grid.packed(cells)).max().unwrap_or(0);
    for cells in &inner {
        let mut at = (rows - grid.packed(cells)) / 2;
        let mut above = None;
        for &cell in cells {
            at += above.map_or(0, |above| grid.inner_gap(above, cell));
            grid.cells[cell].top = at;
            at += grid.cells[cell].height;
            above = Some(cell);
        }
    }
    let frame = &mut grid.boxes[id];
    (frame.inner, frame.rows) = (inner, rows);
}

/// How many pairs of ways cross.
pub fn crossings(grid: &Grid) -> u64 {
    let mut sum = 0;
    for gutter in &grid.gutters {
        let mut ends: Vec<(i32, i32)> = gutter
            .iter()
            .map(|&s| &grid.segments[s])
            .map(|s| (grid.middle(s.left), grid.middle(s.right)))
            .collect();
        ends.sort_unstable();
        let mut rights: Vec<i32> = ends.into_iter().map(|(_, right)| right).collect();
        sum += inversions(&mut rights);
    }
    sum
}

/// How many pairs are the wrong way round; sorts.
fn inversions(values: &mut [i32]) -> u64 {
    let middle = values.len() / 2;
    let Some((low, high)) = values.split_at_mut_checked(middle).filter(|_| middle > 0) else {
        return 0;
    };
    let mut sum = inversions(low) + inversions(high);
    let mut merged = Vec::with_capacity(low.len() + high.len());
    let (mut a, mut b) = (low.iter().peekable(), high.iter().peekable());
    loop {
        match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x > y => {
                sum += a.len() as u64;
                merged.extend(b.next());
            }
            (Some(_), _) => merged.extend(a.next()),
            (None, Some(_)) => merged.extend(b.next()),
            (None, None) => break,
        }
    }
    values.copy_from_slice(&merged);
    sum
}

/// One pass through all columns: each is put in the order of what it is linked to on
/// the side that the pass comes from.
fn sweep(grid: &mut Grid, rightwards: bool) {
    let count = grid.columns.len();
    for at in 0..count {
        let at = if rightwards { at } else { count - 1 - at };
        let Some(mut column) = grid.columns.get_mut(at).map(std::mem::take) else { continue };
        for item in &column {
            if let Item::Box(id) = item {
                sweep_box(grid, *id, rightwards);
            }
        }
        sort_by_mean(grid, &mut column, |grid, item| match item {
            Item::Box(id) => (
                ends(grid, grid.crossing(*id, !rightwards), rightwards),
                grid.boxes[*id].top + grid.box_height(*id) / 2,
            ),
            Item::Lane(cell) => (linked(grid, *cell, rightwards), grid.middle(*cell)),
        });
        stack_column(grid, &column);
        if let Some(place) = grid.columns.get_mut(at) {
            *place = column;
        }
    }
}

fn sweep_box(grid: &mut Grid, id: BoxId, rightwards: bool) {
    let mut inner = std::mem::take(&mut grid.boxes[id].inner);
    let count = inner.len();
    for at in 0..count {
        let at = if rightwards { at } else { count - 1 - at };
        let Some(cells) = inner.get_mut(at) else { continue };
        sort_by_mean(grid, cells, |grid, cell| (linked(grid, *cell, rightwards), grid.middle(*cell)));
        let mut top = 0;
        let mut above = None;
        for &cell in cells.iter() {
            top += above.map_or(0, |above| grid.inner_gap(above, cell));
            grid.cells[cell].top = top;
            top += grid.cells[cell].height;
            above = Some(cell);
        }
    }
    grid.boxes[id].inner = inner;
    stack_box(grid, id);
}

/// Sorts by the mean of what each is linked to, or where it is if there is nothing.
fn sort_by_mean<T: Copy>(grid: &Grid, items: &mut Vec<T>, of: impl Fn(&Grid, &T) -> (Vec<i32>, i32)) {
    let mut keyed: Vec<(i64, T)> = items
        .iter()
        .map(|item| {
            let (ends, own) = of(grid, item);
            let sum: i64 = ends.iter().map(|&y| i64::from(y)).sum();
            let key = if ends.is_empty() { i64::from(own) * 16 } else { sum * 16 / ends.len() as i64 };
            (key, *item)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    *items = keyed.into_iter().map(|(_, item)| item).collect();
}

/// Where the other ends of some ways are: those on the left, or those on the right.
fn ends(grid: &Grid, segments: impl Iterator<Item = SegmentId>, left: bool) -> Vec<i32> {
    segments.map(|s| &grid.segments[s]).map(|s| grid.middle(if left { s.left } else { s.right })).collect()
}

fn linked(grid: &Grid, cell: CellId, left: bool) -> Vec<i32> {
    let cell = &grid.cells[cell];
    ends(grid, if left { cell.left.iter() } else { cell.right.iter() }.copied(), left)
}

/// Lets neighbours change places where that saves crossings; whether any did.
fn swap_all(grid: &mut Grid) -> bool {
    let mut any = false;
    for at in 0..grid.columns.len() {
        let Some(mut column) = grid.columns.get_mut(at).map(std::mem::take) else { continue };
        for item in &column {
            if let Item::Box(id) = item {
                let mut inner = std::mem::take(&mut grid.boxes[*id].inner);
                for cells in &mut inner {
                    any |= swaps(cells, |cell, left| sorted(linked(grid, *cell, left)));
                }
                grid.boxes[*id].inner = inner;
                stack_box(grid, *id);
            }
        }
        any |= swaps(&mut column, |item, left| {
            sorted(match item {
                Item::Box(id) => ends(grid, grid.crossing(*id, !left), left),
                Item::Lane(cell) => linked(grid, *cell, left),
            })
        });
        stack_column(grid, &column);
        if let Some(place) = grid.columns.get_mut(at) {
            *place = column;
        }
    }
    any
}

fn sorted(mut values: Vec<i32>) -> Vec<i32> {
    values.sort_unstable();
    values
}

fn swaps<T: Copy>(items: &mut [T], ends: impl Fn(&T, bool) -> Vec<i32>) -> bool {
    let mut all: Vec<(T, Vec<i32>, Vec<i32>)> =
        items.iter().map(|i| (*i, ends(i, true), ends(i, false))).collect();
    let mut any = false;
    for _ in 0..12 {
        let mut moved = false;
        for at in 1..all.len() {
            let Some([above, below]) = all.get_mut(at - 1..=at).and_then(|s| <&mut [_; 2]>::try_from(s).ok())
            else {
                continue;
            };
            let now = above_of(&above.1, &below.1) + above_of(&above.2, &below.2);
            let then = above_of(&below.1, &above.1) + above_of(&below.2, &above.2);
            if then < now {
                std::mem::swap(above, below);
                moved = true;
            }
        }
        any |= moved;
        if !moved {
            break;
        }
    }
    for (item, (new, ..)) in items.iter_mut().zip(all) {
        *item = new;
    }
    any
}

/// How many pairs cross if the first's ends belong to what stands above.
fn above_of(first: &[i32], second: &[i32]) -> usize {
    let mut below = 0;
    let mut second = second.iter().peekable();
    let mut sum = 0;
    for y in first {
        while second.next_if(|s| *s < y).is_some() {
            below += 1;
        }
        sum += below;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_pairs_that_cross() {
        assert_eq!(inversions(&mut [3, 1, 2, 2]), 3);
        assert_eq!(inversions(&mut []), 0);
        assert_eq!(above_of(&[1, 5], &[2, 5, 6]), 1);
    }
}
