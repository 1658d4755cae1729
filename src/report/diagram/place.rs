//! How far from the top everything stands: as near to the height of what it is linked
//! to as its neighbours above and below allow, so that most links are straight.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::grid::{BoxId, CellId, Grid, Item, Kind, SegmentId};

/// How often everything moves.
const ROUNDS: usize = 10;

/// Where something would like to be, and how much.
type Wish = (i32, i64);

/// Sets the heights of all boxes, cells and ends of links.
pub fn place(grid: &mut Grid) {
    all_ports(grid);
    let count = grid.columns.len();
    for round in 0..ROUNDS {
        for at in 0..count {
            settle_column(grid, if round % 2 == 0 { at } else { count - 1 - at });
        }
    }
    straighten(grid);
    for _ in 0..6 {
        if !nudge(grid) {
            break;
        }
    }
    straighten(grid);
    to_top(grid);
}

/// Places things below each other, each with a height and a least distance to the one
/// above, such that the sum of distances to what they wish is least: neighbours that
/// would push each other move as one, to the median of their wishes.
fn settle(heights: &[(i32, i32)], wishes: Vec<Vec<Wish>>, bounds: Option<(i32, i32)>) -> Vec<i32> {
    struct Block {
        members: usize,
        wishes: Wishes,
        at: Option<i32>,
    }
    let mut offsets = Vec::with_capacity(heights.len());
    let mut end = 0;
    for &(height, gap) in heights {
        offsets.push(end + gap);
        end += gap + height;
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (wishes, offset) in wishes.into_iter().zip(&offsets) {
        let wishes: Wishes = wishes.into_iter().map(|(y, w)| (y - offset, w)).collect();
        let mut new = Block { members: 1, at: wishes.median(), wishes };
        while let Some(last) = blocks.pop_if(|last| match (last.at, new.at) {
            (Some(above), Some(own)) => above > own,
            _ => true,
        }) {
            new.members += last.members;
            new.wishes.join(last.wishes);
            new.at = new.wishes.median();
        }
        blocks.push(new);
    }
    let mut places = Vec::with_capacity(heights.len());
    for block in blocks {
        let mut at = block.at.unwrap_or(0);
        if let Some((low, high)) = bounds {
            at = at.clamp(low, (high - end).max(low));
        }
        places.extend(std::iter::repeat_n(at, block.members));
    }
    places.iter().zip(&offsets).map(|(at, offset)| at + offset).collect()
}

/// Wishes, of which the middle is known: where half of the weight is above and half below.
#[derive(Default)]
struct Wishes {
    /// The fewest of the upper ones that have half of the weight or more, the lowest first.
    upper: BinaryHeap<Wish>,
    /// The others, the highest first.
    lower: BinaryHeap<Reverse<Wish>>,
    /// The weight of the upper ones.
    above: i64,
    /// The weight of all.
    total: i64,
    /// How many wishes were moved between the two: what all of this costs.
    #[cfg(test)]
    moves: usize,
}

impl Wishes {
    fn add(&mut self, wish: Wish) {
        self.total += wish.1;
        match self.upper.peek() {
            Some(last) if wish > *last => self.lower.push(Reverse(wish)),
            _ => {
                self.above += wish.1;
                self.upper.push(wish);
            }
        }
        while self.above * 2 < self.total
            && let Some(Reverse(next)) = self.lower.pop()
        {
            self.above += next.1;
            self.upper.push(next);
            self.count();
        }
        while self.upper.peek().is_some_and(|last| (self.above - last.1) * 2 >= self.total)
            && let Some(last) = self.upper.pop()
        {
            self.above -= last.1;
            self.lower.push(Reverse(last));
            self.count();
        }
    }

    #[cfg(test)]
    fn count(&mut self) {
        self.moves += 1;
    }

    #[cfg(not(test))]
    fn count(&mut self) {}

    /// Adds the smaller ones to the larger ones, so that a wish is added again only where their number
    /// doubles.
    fn join(&mut self, mut other: Self) {
        let size = |wishes: &Self| wishes.upper.len() + wishes.lower.len();
        if size(self) < size(&other) {
            std::mem::swap(self, &mut other);
        }
        other
            .upper
            .into_iter()
            .chain(other.lower.into_iter().map(|Reverse(wish)| wish))
            .for_each(|w| self.add(w));
    }

    fn median(&self) -> Option<i32> {
        let &(low, _) = self.upper.peek()?;
        let high =
            self.lower.peek().filter(|_| self.above * 2 == self.total).map_or(low, |Reverse((y, _))| *y);
        Some(low + (high - low) / 2)
    }
}

impl FromIterator<Wish> for Wishes {
    fn from_iter<I: IntoIterator<Item = Wish>>(all: I) -> Self {
        let mut wishes = Wishes::default();
        all.into_iter().filter(|wish| wish.1 > 0).for_each(|wish| wishes.add(wish));
        wishes
    }
}

fn settle_column(grid: &mut Grid, at: usize) {
    let Some(column) = grid.columns.get_mut(at).map(std::mem::take) else { return };
    let mut heights = Vec::with_capacity(column.len());
    let mut above = None;
    for &item in &column {
        heights.push((grid.height(item), above.map_or(0, |above| grid.gap(above, item))));
        above = Some(item);
    }
    let wishes = column
        .iter()
        .map(|&item| {
            let mut wishes = Vec::new();
            let (left, right): (Vec<SegmentId>, Vec<SegmentId>) = match item {
                Item::Box(id) => (grid.crossing(id, false).collect(), grid.crossing(id, true).collect()),
                Item::Lane(cell) => (grid.cells[cell].left.clone(), grid.cells[cell].right.clone()),
            };
            let own = match item {
                Item::Box(id) => grid.boxes[id].top,
                Item::Lane(cell) => grid.cells[cell].top,
            };
            for segment in left.into_iter().map(|s| &grid.segments[s]) {
                wishes.push((segment.left_y - (segment.right_y - own), segment.weight));
            }
            for segment in right.into_iter().map(|s| &grid.segments[s]) {
                wishes.push((segment.right_y - (segment.left_y - own), segment.weight));
            }
            wishes
        })
        .collect();
    for (&item, top) in column.iter().zip(settle(&heights, wishes, None)) {
        match item {
            Item::Box(id) => grid.boxes[id].top = top,
            Item::Lane(cell) => grid.cells[cell].top = top,
        }
        ports_of(grid, item);
    }
    for item in &column {
        if let Item::Box(id) = item {
            settle_box(grid, *id);
        }
    }
    if let Some(place) = grid.columns.get_mut(at) {
        *place = column;
    }
}

fn settle_box(grid: &mut Grid, id: BoxId) {
    let inner = std::mem::take(&mut grid.boxes[id].inner);
    let rows = grid.boxes[id].rows;
    for cells in &inner {
        let mut heights = Vec::with_capacity(cells.len());
        let mut above = None;
        for &cell in cells {
            let gap = above.map_or(0, |above| grid.inner_gap(above, cell));
            heights.push((grid.cells[cell].height, gap));
            above = Some(cell);
        }
        let wishes = cells
            .iter()
            .map(|&id| {
                let cell = &grid.cells[id];
                let left = cell.left.iter().map(|&s| &grid.segments[s]);
                let right = cell.right.iter().map(|&s| &grid.segments[s]);
                left.map(|s| (cell.top + s.left_y - s.right_y, s.weight))
                    .chain(right.map(|s| (cell.top + s.right_y - s.left_y, s.weight)))
                    .collect()
            })
            .collect();
        for (&cell, top) in cells.iter().zip(settle(&heights, wishes, Some((0, rows)))) {
            grid.cells[cell].top = top;
            ports(grid, cell);
        }
    }
    grid.boxes[id].inner = inner;
}

/// Sets where links end at the cells of an item.
fn ports_of(grid: &mut Grid, item: Item) {
    match item {
        Item::Lane(cell) => ports(grid, cell),
        Item::Box(id) => {
            let inner = std::mem::take(&mut grid.boxes[id].inner);
            inner.iter().flatten().for_each(|&cell| ports(grid, cell));
            grid.boxes[id].inner = inner;
        }
    }
}

fn all_ports(grid: &mut Grid) {
    // Twice: their order at one end depends on where the other ends are.
    for _ in 0..2 {
        grid.cells.ids().collect::<Vec<_>>().into_iter().for_each(|cell| ports(grid, cell));
    }
}

/// The ends of links at one side of a cell, from top to bottom.
fn in_order(grid: &Grid, cell: CellId, right: bool) -> Vec<SegmentId> {
    let cell = &grid.cells[cell];
    let mut list = if right { cell.right.clone() } else { cell.left.clone() };
    let other = |s: &SegmentId| {
        let s = &grid.segments[*s];
        grid.middle(if right { s.right } else { s.left })
    };
    list.sort_by_key(|s| (other(s), *s));
    list
}

/// Spreads the ends of links evenly around the middle of their side.
fn ports(grid: &mut Grid, cell: CellId) {
    let middle = grid.middle(cell);
    for right in [false, true] {
        let list = in_order(grid, cell, right);
        let first = middle - (list.len() as i32 - 1) * grid.metrics.port / 2;
        for (at, id) in list.into_iter().enumerate() {
            let y = first + at as i32 * grid.metrics.port;
            let segment = &mut grid.segments[id];
            *(if right { &mut segment.left_y } else { &mut segment.right_y }) = y;
        }
    }
}

/// Moves the ends of links along the sides of their nodes towards their other ends.
fn straighten(grid: &mut Grid) {
    let nodes: Vec<CellId> =
        grid.cells.iter().filter(|(_, c)| matches!(c.kind, Kind::Node(_))).map(|(id, _)| id).collect();
    for round in 0..4 {
        for &cell in &nodes {
            let right = round % 2 == 0;
            let list = in_order(grid, cell, right);
            let heights: Vec<(i32, i32)> = list
                .iter()
                .enumerate()
                .map(|(i, _)| (0, if i == 0 { 0 } else { grid.metrics.port }))
                .collect();
            let wishes = list
                .iter()
                .map(|&s| &grid.segments[s])
                .map(|s| vec![(if right { s.right_y } else { s.left_y }, 1)])
                .collect();
            let top = grid.top(cell);
            let margin = (grid.metrics.port / 2 + 2).min(grid.cells[cell].height / 2);
            let bounds = (top + margin, top + grid.cells[cell].height - margin);
            for (id, y) in list.into_iter().zip(settle(&heights, wishes, Some(bounds))) {
                let segment = &mut grid.segments[id];
                *(if right { &mut segment.left_y } else { &mut segment.right_y }) = y;
            }
        }
    }
}

/// Moves lanes that have room to where more of their ways are straight; whether any did.
fn nudge(grid: &mut Grid) -> bool {
    let mut moved = false;
    let frames: Vec<Vec<CellId>> =
        grid.boxes.values().flat_map(|frame| frame.inner.iter().cloned()).collect();
    for cells in frames {
        let rows = cells.first().and_then(|&c| grid.cells[c].within).map_or(0, |b| grid.boxes[b].rows);
        for (at, &cell) in cells.iter().enumerate() {
            let above = at.checked_sub(1).and_then(|at| cells.get(at).copied());
            let below = cells.get(at + 1).copied();
            let height = grid.cells[cell].height;
            let low = above.map_or(0, |a| grid.cells[a].top + grid.cells[a].height + grid.inner_gap(a, cell));
            let high = below.map_or(rows, |b| grid.cells[b].top - grid.inner_gap(cell, b)) - height;
            moved |= nudge_cell(grid, cell, low, high);
        }
    }
    let columns = grid.columns.clone();
    for column in columns {
        for (at, &item) in column.iter().enumerate() {
            let Item::Lane(cell) = item else { continue };
            let top = |grid: &Grid, item: Item| match item {
                Item::Box(id) => grid.boxes[id].top,
                Item::Lane(cell) => grid.cells[cell].top,
            };
            let above = at.checked_sub(1).and_then(|at| column.get(at).copied());
            let below = column.get(at + 1).copied();
            let low = above.map_or(i32::MIN, |a| top(grid, a) + grid.height(a) + grid.gap(a, item));
            let high = below.map_or(i32::MAX, |b| top(grid, b) - grid.gap(item, b) - grid.height(item));
            moved |= nudge_cell(grid, cell, low, high);
        }
    }
    moved
}

/// Moves a lane within bounds to where it makes its ways straight, the left one, the right
/// one or, best, both; nodes stay, their ends move by themselves.
fn nudge_cell(grid: &mut Grid, cell: CellId, low: i32, high: i32) -> bool {
    if grid.cells[cell].kind != Kind::Lane {
        return false;
    }
    let rise = |shift: i32| -> (i64, i64) {
        let this = &grid.cells[cell];
        let lefts = this.left.iter().map(|&s| &grid.segments[s]).map(|s| (s.right_y + shift - s.left_y, s));
        let rights = this.right.iter().map(|&s| &grid.segments[s]).map(|s| (s.left_y + shift - s.right_y, s));
        lefts.chain(rights).fold((0, 0), |(bent, far), (rise, s)| {
            (bent + i64::from(rise != 0) * s.weight, far + i64::from(rise.abs()) * s.weight)
        })
    };
    let this = &grid.cells[cell];
    let lefts = this.left.iter().map(|&s| &grid.segments[s]).map(|s| s.left_y - s.right_y);
    let rights = this.right.iter().map(|&s| &grid.segments[s]).map(|s| s.right_y - s.left_y);
    let shift = std::iter::once(0)
        .chain(lefts)
        .chain(rights)
        .filter(|shift| (low..=high).contains(&(this.top + shift)) || *shift == 0)
        .min_by_key(|&shift| (rise(shift), shift));
    let shift = shift.filter(|&shift| rise(shift) < rise(0)).unwrap_or(0);
    if shift == 0 {
        return false;
    }
    grid.cells[cell].top += shift;
    let this = grid.cells[cell].clone();
    this.left.iter().for_each(|&s| grid.segments[s].right_y += shift);
    this.right.iter().for_each(|&s| grid.segments[s].left_y += shift);
    true
}

/// Moves everything so that it starts at the margin.
fn to_top(grid: &mut Grid) {
    let tops = grid.columns.iter().flatten().map(|item| match item {
        Item::Box(id) => grid.boxes[*id].top,
        Item::Lane(cell) => grid.cells[*cell].top,
    });
    let shift = grid.metrics.margin - tops.min().unwrap_or(0);
    for id in grid.boxes.ids().collect::<Vec<_>>() {
        grid.boxes[id].top += shift;
    }
    for id in grid.cells.ids().collect::<Vec<_>>() {
        if grid.cells[id].within.is_none() {
            grid.cells[id].top += shift;
        }
    }
    for id in grid.segments.ids().collect::<Vec<_>>() {
        grid.segments[id].left_y += shift;
        grid.segments[id].right_y += shift;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_where_it_wishes_unless_others_are_in_the_way() {
        let heights = [(10, 0), (10, 5), (10, 5)];
        let free = vec![vec![(0, 1)], vec![(100, 1)], vec![]];
        assert_eq!(settle(&heights, free.clone(), None), [0, 100, 115]);
        let pushed = vec![vec![(50, 1)], vec![(50, 3)], vec![(0, 1)]];
        assert_eq!(settle(&heights, pushed, None), [35, 50, 65]);
        assert_eq!(settle(&heights, free, Some((0, 60))), [0, 35, 50]);
    }

    #[test]
    fn the_median_is_between_the_middle_two() {
        let median = |wishes: &[Wish]| wishes.iter().copied().collect::<Wishes>().median();
        assert_eq!(median(&[(0, 1), (10, 1)]), Some(5));
        assert_eq!(median(&[(0, 1), (10, 2)]), Some(10));
        assert_eq!(median(&[(10, 2), (0, 1)]), Some(10));
        assert_eq!(median(&[(3, 1), (1, 1), (2, 1), (9, 3)]), Some(6));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_median_is_that_of_all_in_order_however_they_come() {
        let mut seed = 7_u64;
        let mut random = |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % most
        };
        for _ in 0..2_000 {
            let number = random(12);
            let wishes: Vec<Wish> =
                (0..number).map(|_| (random(9) as i32 - 4, 1 + random(4) as i64)).collect();
            let (first, second) = wishes.split_at(wishes.len() / 3);
            let mut joined: Wishes = first.iter().copied().collect();
            joined.join(second.iter().copied().collect());
            let mut each: Vec<i32> =
                wishes.iter().flat_map(|&(y, weight)| std::iter::repeat_n(y, weight as usize)).collect();
            each.sort_unstable();
            let middle = |at: usize| each.get(at).copied();
            let plain = middle(each.len().saturating_sub(1) / 2)
                .zip(middle(each.len() / 2))
                .map(|(low, high)| low + (high - low) / 2);
            assert_eq!(joined.median(), plain, "{wishes:?}");
        }
    }

    #[test]
    fn thousands_that_push_each_other_move_few_wishes() {
        let number = 5_000;
        let mut all = Wishes::default();
        for n in 0..number {
            let mut next: Wishes = [(-n, 1)].into_iter().collect();
            next.join(all);
            all = next;
        }
        assert!(all.moves <= 2 * number as usize, "{}", all.moves);
    }
}
