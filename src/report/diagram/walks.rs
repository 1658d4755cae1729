//! The places of a chain: its systems from left to right, in as many rows as a phone's
//! width needs.

use super::layout::{Layout, SYSTEM_HEIGHT, header, party_width, system_width};
use super::picture::{Picture, Walk};
use super::route::{Line, Rect};

/// How wide it becomes at most, unless a single system is wider.
const WIDTH: i32 = 360;
/// What is free on the left and right, for lines from one row to the next.
const MARGIN: i32 = 24;
/// Between the systems of one party.
const GAP: i32 = 34;
/// Between parties.
const BOX_GAP: i32 = 34;
/// Left and right of a party's systems.
const SIDE: i32 = 8;
/// Below a party's systems.
const FOOTER: i32 = 8;
/// Between two rows.
const ROW_GAP: i32 = 30;
/// Between two walks.
const WALK_GAP: i32 = 34;

/// Gives the systems and lines of all walks their places.
pub fn layout(picture: &Picture) -> Layout {
    let mut all = Layout { width: 0, height: 10, ..Layout::default() };
    for walk in &picture.walks {
        if !all.systems.is_empty() {
            all.height += WALK_GAP;
        }
        add(picture, walk, &mut all);
    }
    all.width += MARGIN;
    all.height += 10;
    all
}

/// A place in a row.
struct Place {
    rect: Rect,
    row: usize,
}

fn add(picture: &Picture, walk: &Walk, all: &mut Layout) {
    let row_height = header(picture) + SYSTEM_HEIGHT + FOOTER;
    let top = |row: usize, start: i32| start + row as i32 * (row_height + ROW_GAP);
    let start = all.height;
    let mut places: Vec<Place> = Vec::new();
    let mut boxes: Vec<(usize, Rect)> = Vec::new();
    let (mut row, mut x) = (0, MARGIN);
    for &at in &walk.systems {
        let Some(system) = picture.systems.get(at) else { continue };
        let width = system_width(system);
        let named = picture.parties.get(system.party).map_or(0, |p| party_width(p, picture.view));
        let joins = boxes.last().filter(|(p, _)| *p == system.party && x > MARGIN).is_some();
        let wide = if joins { GAP + width } else { (width + 2 * SIDE).max(named) };
        let left = if joins || x == MARGIN { x } else { x + BOX_GAP };
        let (left, joins) = if left + wide > WIDTH - MARGIN && x > MARGIN {
            row += 1;
            (MARGIN, false)
        } else {
            (left, joins)
        };
        let y = top(row, start);
        let system_left = if joins {
            // The last box grows to the right.
            left - SIDE + GAP
        } else {
            let wide = (width + 2 * SIDE).max(named);
            boxes.push((system.party, Rect { x: left, y, width: wide, height: row_height }));
            left + SIDE
        };
        if let Some((_, rect)) = boxes.last_mut() {
            rect.width = rect.width.max(system_left + width + SIDE - rect.x);
            x = rect.right();
        }
        let rect = Rect { x: system_left, y: y + header(picture), width, height: SYSTEM_HEIGHT };
        places.push(Place { rect, row });
        all.systems.push((at, rect));
    }
    let rows_right = boxes.iter().map(|(_, r)| r.right()).max().unwrap_or(0);
    for (pair, &edge) in places.windows(2).zip(&walk.edges) {
        if let [from, to] = pair {
            let below = top(from.row, start) + row_height + ROW_GAP / 2;
            all.edges.push((edge, line(from, to, below, rows_right + MARGIN / 2)));
        }
    }
    all.width = all.width.max(rows_right);
    all.height = boxes.iter().map(|(_, r)| r.bottom()).max().unwrap_or(start);
    all.parties.extend(boxes);
}

/// Straight to the right, or around to the start of the next row.
fn line(from: &Place, to: &Place, below: i32, right: i32) -> Line {
    let (a, b) = (from.rect, to.rect);
    let (ay, by) = (a.y + a.height / 2, b.y + b.height / 2);
    let points = if from.row == to.row {
        vec![(a.right(), ay), (b.x, by)]
    } else {
        let left = MARGIN / 2;
        vec![(a.right(), ay), (right, ay), (right, below), (left, below), (left, by), (b.x, by)]
    };
    Line { points, back: false }
}
