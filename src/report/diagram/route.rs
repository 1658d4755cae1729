//! How far from the left everything stands, and the lines between: straight through
//! columns, bent between them.

use super::grid::{BoxId, Frame, Grid, Item, Kind, LinkId, NodeId, SegmentId};
use crate::model::Table;

/// A rectangle, in pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rect {
    /// The left edge.
    pub x: i32,
    /// The upper edge.
    pub y: i32,
    /// How wide.
    pub width: i32,
    /// How high.
    pub height: i32,
}

impl Rect {
    /// The right edge.
    pub fn right(&self) -> i32 {
        self.x + self.width
    }

    /// The lower edge.
    pub fn bottom(&self) -> i32 {
        self.y + self.height
    }
}

/// A line from the start of a link to its end: points that are joined by straight
/// lines where they are level or upright, with round corners, and else by bends that
/// start and end level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// From start to end.
    pub points: Vec<(i32, i32)>,
    /// Whether it leads from right to left.
    pub back: bool,
}

/// Where everything is.
#[derive(Debug, Clone, Default)]
pub struct Routed {
    /// How wide.
    pub width: i32,
    /// How high.
    pub height: i32,
    /// The boxes, as given.
    pub boxes: Vec<Rect>,
    /// The nodes, as given.
    pub nodes: Vec<Rect>,
    /// The links, as given.
    pub lines: Vec<Line>,
}

/// A span from left to right.
type Span = (i32, i32);

/// Draws what has been placed.
pub fn route(grid: &Grid, widths: &Table<NodeId, i32>) -> Routed {
    let inner: Table<BoxId, Vec<Span>> =
        grid.boxes.values().map(|frame| inner_spans(grid, frame, widths)).collect();
    let needed: Table<BoxId, i32> = grid
        .boxes
        .iter()
        .map(|(id, frame)| {
            let end = inner[id].last().map_or(0, |span| span.1);
            (end + 2 * grid.metrics.side).max(frame.min_width)
        })
        .collect();
    let columns = column_spans(grid, &needed);
    let mut across = Across { grid, boxes: Vec::new(), spans: Vec::new() };
    for (id, frame) in grid.boxes.iter() {
        let column = columns.get(frame.column).copied().unwrap_or_default();
        let (x, width) = across.stretch(id, needed[id], column);
        across.boxes.push(Rect { x, y: frame.top, width, height: grid.box_height(id) });
        let end = inner[id].last().map_or(0, |span| span.1);
        // What is left over goes to the nodes of a single column, else around them.
        let spare = width - 2 * grid.metrics.side - end;
        let left = x + grid.metrics.side;
        across.spans.push(match inner[id].as_slice() {
            [(from, to)] => vec![(left + from, left + to + spare)],
            spans => {
                spans.iter().map(|(from, to)| (left + from + spare / 2, left + to + spare / 2)).collect()
            }
        });
    }
    let boxes: Table<BoxId, Rect> = across.boxes.into_iter().collect();
    let spans: Table<BoxId, Vec<Span>> = across.spans.into_iter().collect();
    let mut cell_spans: Table<super::grid::CellId, Span> = grid.cells.map(|_| (0, 0));
    for (id, frame) in grid.boxes.iter() {
        for (cells, &span) in frame.inner.iter().zip(&spans[id]) {
            cells.iter().for_each(|&c| cell_spans[c] = span);
        }
    }
    for (column, &span) in grid.columns.iter().zip(&columns) {
        for item in column {
            if let Item::Lane(cell) = item {
                cell_spans[*cell] = span;
            }
        }
    }
    let nodes = grid.nodes.values().map(|&cell| {
        let (left, right) = cell_spans[cell];
        Rect { x: left, y: grid.top(cell), width: right - left, height: grid.cells[cell].height }
    });
    let draw = Draw { grid, columns: &columns, cells: &cell_spans };
    let bottom = boxes.values().map(Rect::bottom).max().unwrap_or(0);
    let lanes = grid.cells.iter().filter(|(_, c)| c.within.is_none()).map(|(id, c)| grid.top(id) + c.height);
    Routed {
        width: columns.last().map_or(0, |span| span.1) + grid.metrics.margin,
        height: bottom.max(lanes.max().unwrap_or(0)) + grid.metrics.margin,
        nodes: nodes.collect(),
        lines: grid.chains.ids().map(|id| draw.line(id)).collect(),
        boxes: boxes.values().copied().collect(),
    }
}

/// The columns of a box, from the first node's left edge on.
fn inner_spans(grid: &Grid, frame: &Frame, widths: &Table<NodeId, i32>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for cells in &frame.inner {
        let width = cells.iter().filter_map(|&c| match grid.cells[c].kind {
            Kind::Node(node) => Some(widths[node]),
            Kind::Lane => None,
        });
        let before = cells.iter().flat_map(|&c| &grid.cells[c].left);
        let left =
            spans.last().map_or(0, |span| span.1 + gutter(grid, before.copied(), grid.metrics.inner_stub));
        spans.push((left, left + width.max().unwrap_or(0)));
    }
    spans
}

/// The columns of the picture.
fn column_spans(grid: &Grid, needed: &Table<BoxId, i32>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for column in &grid.columns {
        let width = column.iter().filter_map(|item| match item {
            Item::Box(id) => Some(needed[*id]),
            Item::Lane(_) => None,
        });
        let before = column.iter().flat_map(|item| match item {
            Item::Box(id) => grid.crossing(*id, false).collect::<Vec<_>>(),
            Item::Lane(cell) => grid.cells[*cell].left.clone(),
        });
        let left =
            spans.last().map_or(grid.metrics.margin, |span| span.1 + gutter(grid, before, grid.metrics.stub));
        spans.push((left, left + width.max().unwrap_or(0)));
    }
    spans
}

/// How wide the space between two columns is: the farther links go up or down in it,
/// and the more of them, the wider.
fn gutter(grid: &Grid, segments: impl Iterator<Item = SegmentId>, stub: i32) -> i32 {
    let rise = |s: SegmentId| (grid.segments[s].left_y - grid.segments[s].right_y).abs();
    let (most, count) = segments.map(rise).fold((0, 0), |(most, count), r| (r.max(most), count + 1));
    2 * stub + (24 + most / 6 + count).clamp(36, 240)
}

struct Across<'g> {
    grid: &'g Grid,
    boxes: Vec<Rect>,
    spans: Vec<Vec<Span>>,
}

impl Across<'_> {
    /// Where a box stands in its column, and how wide: as wide as the column, if it is
    /// not much narrower; else on the side that its links lead to.
    fn stretch(&self, id: BoxId, needed: i32, column: Span) -> (i32, i32) {
        let width = column.1 - column.0;
        if needed * 2 >= width || self.grid.boxes[id].inner.len() < 2 && needed * 5 >= width * 2 {
            return (column.0, width);
        }
        let left = self.grid.crossing(id, false).next().is_some();
        let right = self.grid.crossing(id, true).next().is_some();
        match (left, right) {
            (true, false) => (column.0, needed),
            (false, true) => (column.1 - needed, needed),
            _ => (column.0 + (width - needed) / 2, needed),
        }
    }
}

struct Draw<'g> {
    grid: &'g Grid,
    columns: &'g [Span],
    cells: &'g Table<super::grid::CellId, Span>,
}

impl Draw<'_> {
    /// The points of a link's line.
    fn line(&self, id: LinkId) -> Line {
        let chain = &self.grid.chains[id];
        let mut points: Vec<(i32, i32)> = Vec::new();
        for &id in &chain.segments {
            let segment = &self.grid.segments[id];
            let (left, right) = (&self.grid.cells[segment.left], &self.grid.cells[segment.right]);
            let inside = left.within.is_some() && left.within == right.within;
            let (from, to) = if inside {
                (self.cells[segment.left].1, self.cells[segment.right].0)
            } else {
                (self.column(segment.left).1, self.column(segment.right).0)
            };
            let metrics = &self.grid.metrics;
            let stub = if inside { metrics.inner_stub } else { metrics.stub };
            points.push((self.cells[segment.left].1, segment.left_y));
            points.push((from + stub, segment.left_y));
            points.push((to - stub, segment.right_y));
            points.push((self.cells[segment.right].0, segment.right_y));
        }
        let mut line = simplified(&points);
        if chain.back {
            line.reverse();
        }
        Line { points: line, back: chain.back }
    }

    /// The column of the picture that a cell is in.
    fn column(&self, cell: super::grid::CellId) -> Span {
        match self.grid.cells[cell].within {
            Some(id) => self.columns.get(self.grid.boxes[id].column).copied().unwrap_or_default(),
            None => self.cells[cell],
        }
    }
}

/// Without points in the midst of a straight line.
fn simplified(points: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let mut out: Vec<(i32, i32)> = Vec::new();
    for &point in points {
        if out.last() == Some(&point) {
            continue;
        }
        if let [.., before, last] = out.as_slice()
            && before.1 == last.1
            && last.1 == point.1
        {
            out.pop();
        }
        out.push(point);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_lines_need_two_points() {
        let points = [(0, 5), (3, 5), (3, 5), (9, 5), (12, 8), (20, 8), (25, 8)];
        assert_eq!(simplified(&points), [(0, 5), (9, 5), (12, 8), (25, 8)]);
    }
}
