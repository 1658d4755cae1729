//! From boxes, nodes and links to a grid: columns for boxes, columns for the nodes of
//! each box, and a chain of cells for each link.

use std::collections::BTreeMap;

use super::grid::{
    BoxId, Cell, CellId, Chain, Frame, Grid, Item, Kind, LinkId, LinkSpec, NodeId, NodeSpec, Segment,
    SegmentId, Spec,
};
use super::layers::{Lean, Link, Vertex, layers};
use crate::model::{Id, Table};

/// How high a column of boxes that only give, or only take, gets before it is split.
const TALL: i32 = 1500;
/// Into so many columns it is split at most: a line passes through all columns between its ends, so that
/// thousands of boxes in hundreds of columns would be millions of pieces of line.
const WIDE: i32 = 12;

/// Puts everything into columns, in no particular order from top to bottom.
pub fn build(spec: &Spec) -> Grid {
    let nodes: Table<NodeId, NodeSpec> = spec.nodes.iter().copied().collect();
    let links: Table<LinkId, LinkSpec> = spec.links.iter().copied().collect();
    // Which links lead back depends on the columns, and these a little on the sizes.
    let guess = sizes(spec, &nodes, &ends(&nodes, &links, |_| false));
    let columns = box_columns(spec, &nodes, &links, &guess);
    let inner = node_columns(spec, &nodes, &links, &columns);
    let at = |n: NodeId| (columns[nodes[n].within], inner[n]);
    let is_back = |link: &LinkSpec| at(link.from) > at(link.to);
    let sizes = sizes(spec, &nodes, &ends(&nodes, &links, is_back));
    let boxes = spec.boxes.iter().zip(columns.values());
    let mut builder = Builder {
        boxes: boxes
            .map(|(spec, &column)| Frame {
                column,
                inner: Vec::new(),
                rows: 0,
                top: 0,
                min_width: spec.width,
            })
            .collect(),
        cells: Vec::new(),
        segments: Vec::new(),
        columns: Vec::new(),
        gutters: BTreeMap::new(),
        lane: spec.metrics.lane,
    };
    for (id, frame) in builder.boxes.iter() {
        add(&mut builder.columns, frame.column, Item::Box(id));
    }
    let cells: Table<NodeId, CellId> = nodes
        .iter()
        .map(|(id, node)| builder.cell(Kind::Node(id), node.within, inner[id], sizes[id]))
        .collect();
    let chains = links
        .values()
        .map(|link| {
            let back = is_back(link);
            let (left, right) = if back { (link.to, link.from) } else { (link.from, link.to) };
            let end = |n: NodeId| End { cell: cells[n], within: nodes[n].within, inner: inner[n] };
            Chain { segments: builder.chain(end(left), end(right), link.weight), back }
        })
        .collect();
    let mut grid = Grid {
        metrics: spec.metrics,
        boxes: builder.boxes,
        cells: builder.cells.into_iter().collect(),
        segments: builder.segments.into_iter().collect(),
        columns: builder.columns,
        chains,
        nodes: cells,
        gutters: builder.gutters.into_values().collect(),
    };
    for id in grid.segments.ids() {
        let Segment { left, right, .. } = grid.segments[id];
        grid.cells[left].right.push(id);
        grid.cells[right].left.push(id);
    }
    grid
}

/// How high each node is, with room for so many links at its fuller side.
fn sizes(spec: &Spec, nodes: &Table<NodeId, NodeSpec>, ends: &Table<NodeId, [i32; 2]>) -> Table<NodeId, i32> {
    let most = |[left, right]: [i32; 2]| left.max(right);
    nodes.iter().map(|(id, node)| node.height.max((most(ends[id]) + 1) * spec.metrics.port)).collect()
}

/// How many links each node has at its left side, and at its right one, if `back` says
/// which lead from right to left.
fn ends(
    nodes: &Table<NodeId, NodeSpec>,
    links: &Table<LinkId, LinkSpec>,
    back: impl Fn(&LinkSpec) -> bool,
) -> Table<NodeId, [i32; 2]> {
    let mut ends = nodes.map(|_| [0, 0]);
    for link in links.values() {
        let (left, right) = if back(link) { (link.to, link.from) } else { (link.from, link.to) };
        ends[left][1] += 1;
        ends[right][0] += 1;
    }
    ends
}

/// The column of each box.
fn box_columns(
    spec: &Spec,
    nodes: &Table<NodeId, NodeSpec>,
    links: &Table<LinkId, LinkSpec>,
    sizes: &Table<NodeId, i32>,
) -> Table<BoxId, usize> {
    let mut between: BTreeMap<(BoxId, BoxId), i64> = BTreeMap::new();
    for link in links.values() {
        let (from, to) = (nodes[link.from].within, nodes[link.to].within);
        if from != to {
            *between.entry((from, to)).or_default() += link.weight;
        }
    }
    let vertex = |b: BoxId| Vertex::from_index(b.index());
    let all: Vec<Link> = between
        .iter()
        .map(|(&(from, to), &weight)| Link { from: vertex(from), to: vertex(to), weight })
        .collect();
    let layer = layers(&all, &spec.boxes.iter().map(|b| Lean { pull: 0, first: b.first }).collect());
    let mut columns: Table<BoxId, i64> = layer.values().map(|&l| l as i64).collect();

    let mut heights: Table<BoxId, i32> =
        columns.map(|_| spec.metrics.header + spec.metrics.footer + spec.metrics.box_gap);
    for (id, node) in nodes.iter() {
        heights[node.within] += sizes[id] + spec.metrics.node_gap;
    }
    let mut neighbours: Table<BoxId, Vec<BoxId>> = columns.map(|_| Vec::new());
    for &(a, b) in between.keys() {
        neighbours[a].push(b);
        neighbours[b].push(a);
    }
    split(&mut columns, &heights, &neighbours);
    lonely(&mut columns, &heights, &neighbours);
    let mut used: Vec<i64> = columns.values().copied().collect();
    used.sort_unstable();
    used.dedup();
    columns.map(|c| used.binary_search(c).unwrap_or(0))
}

/// Divides a first column, and a last one, that is too high; what stands in them has
/// neighbours on one side only, so that it can go farther from them.
fn split(
    columns: &mut Table<BoxId, i64>,
    heights: &Table<BoxId, i32>,
    neighbours: &Table<BoxId, Vec<BoxId>>,
) {
    let Some((first, last)) = columns.values().min().copied().zip(columns.values().max().copied()) else {
        return;
    };
    // What is between the two sets the measure.
    let of = |columns: &Table<BoxId, i64>, column: i64| -> i32 {
        columns.iter().filter(|(_, c)| **c == column).map(|(id, _)| heights[id]).sum()
    };
    let between = (first + 1..last).map(|c| of(columns, c)).max().unwrap_or(0);
    for (column, step) in [(first, -1_i64), (last, 1)] {
        if first == last {
            return;
        }
        let total = of(columns, column);
        let parts = (total.div_euclid(TALL.max(between)) + 1).min(WIDE);
        if parts < 2 {
            continue;
        }
        let mut members: Vec<BoxId> = columns.ids().filter(|&b| columns[b] == column).collect();
        // Those with many neighbours stay near.
        members.sort_by_key(|&b| std::cmp::Reverse(neighbours[b].len()));
        let (mut filled, parts) = (0, i64::from(parts));
        for id in members {
            let part = (filled * parts).div_euclid(i64::from(total.max(1))).min(parts - 1);
            columns[id] = column + step * part;
            filled += i64::from(heights[id]);
        }
    }
}

/// Puts boxes without a link to another box where most room is.
fn lonely(
    columns: &mut Table<BoxId, i64>,
    heights: &Table<BoxId, i32>,
    neighbours: &Table<BoxId, Vec<BoxId>>,
) {
    let mut filled: BTreeMap<i64, i32> = BTreeMap::new();
    let alone = |id: &BoxId| neighbours[*id].is_empty();
    for id in columns.ids().filter(|id| !alone(id)) {
        *filled.entry(columns[id]).or_default() += heights[id];
    }
    if filled.is_empty() {
        // Nothing is linked: as many columns as make it about as wide as high.
        let count = columns.len() as f64;
        let wide = count.sqrt().ceil() as i64;
        filled = (0..wide.max(1)).map(|c| (c, 0)).collect();
    }
    for id in columns.ids().filter(alone).collect::<Vec<_>>() {
        let Some((&column, _)) = filled.iter().min_by_key(|(c, h)| (**h, **c)) else { continue };
        columns[id] = column;
        *filled.entry(column).or_default() += heights[id];
    }
}

/// The column of each node within its box.
fn node_columns(
    spec: &Spec,
    nodes: &Table<NodeId, NodeSpec>,
    links: &Table<LinkId, LinkSpec>,
    columns: &Table<BoxId, usize>,
) -> Table<NodeId, usize> {
    let mut members: Table<BoxId, Vec<NodeId>> = spec.boxes.iter().map(|_| Vec::new()).collect();
    let mut place: Table<NodeId, usize> = nodes.map(|_| 0);
    for (id, node) in nodes.iter() {
        place[id] = members[node.within].len();
        members[node.within].push(id);
    }
    let mut within: Table<BoxId, Vec<Link>> = members.map(|_| Vec::new());
    let mut pulls: Table<NodeId, i64> = nodes.map(|_| 0);
    let mut linked: Table<NodeId, bool> = nodes.map(|_| false);
    for link in links.values() {
        let (a, b) = (nodes[link.from].within, nodes[link.to].within);
        linked[link.from] = true;
        linked[link.to] = true;
        if a == b {
            let vertex = |n: NodeId| Vertex::from_index(place[n]);
            within[a].push(Link { from: vertex(link.from), to: vertex(link.to), weight: link.weight * 2 });
        } else {
            let right = columns[a] < columns[b];
            pulls[link.from] += if right { link.weight } else { -link.weight };
            pulls[link.to] += if right { -link.weight } else { link.weight };
        }
    }
    let mut inner: Table<NodeId, usize> = nodes.map(|_| 0);
    for (id, list) in members.iter() {
        let found = layers(
            &within[id],
            &list.iter().map(|&n| Lean { pull: pulls[n], first: nodes[n].first }).collect(),
        );
        list.iter().zip(found.values()).for_each(|(&n, &layer)| inner[n] = layer);
        let mut filled = vec![0_usize; found.values().max().map_or(1, |m| m + 1)];
        for &node in list.iter().filter(|&&n| linked[n]) {
            if let Some(count) = filled.get_mut(inner[node]) {
                *count += 1;
            }
        }
        for &node in list.iter().filter(|&&n| !linked[n]) {
            let least = filled.iter().enumerate().min_by_key(|(at, count)| (**count, *at)).map(|(at, _)| at);
            inner[node] = least.unwrap_or(0);
            if let Some(count) = filled.get_mut(inner[node]) {
                *count += 1;
            }
        }
    }
    inner
}

/// The space right of a column, within a box if one is named.
type Gutter = (usize, Option<(BoxId, usize)>);

struct Builder {
    boxes: Table<BoxId, Frame>,
    cells: Vec<Cell>,
    segments: Vec<Segment>,
    columns: Vec<Vec<Item>>,
    gutters: BTreeMap<Gutter, Vec<SegmentId>>,
    lane: i32,
}

#[derive(Clone, Copy)]
struct End {
    cell: CellId,
    within: BoxId,
    inner: usize,
}

/// Adds to the list at a place.
fn add<T>(lists: &mut Vec<Vec<T>>, at: usize, item: T) {
    if lists.len() <= at {
        lists.resize_with(at + 1, Vec::new);
    }
    if let Some(list) = lists.get_mut(at) {
        list.push(item);
    }
}

impl Builder {
    fn cell(&mut self, kind: Kind, within: BoxId, inner: usize, height: i32) -> CellId {
        let id = self.lane(kind, Some(within), height);
        add(&mut self.boxes[within].inner, inner, id);
        id
    }

    fn lane(&mut self, kind: Kind, within: Option<BoxId>, height: i32) -> CellId {
        let id = CellId::from_index(self.cells.len());
        self.cells.push(Cell { kind, within, height, top: 0, left: Vec::new(), right: Vec::new() });
        id
    }

    fn inner_columns(&self, id: BoxId) -> usize {
        self.boxes[id].inner.len()
    }

    /// The ways of a link from its left end to its right one.
    fn chain(&mut self, left: End, right: End, weight: i64) -> Vec<SegmentId> {
        let mut cells = vec![(left.cell, (self.boxes[left.within].column, Some((left.within, left.inner))))];
        let lanes =
            |builder: &mut Self, within: BoxId, columns: std::ops::Range<usize>, cells: &mut Vec<_>| {
                for inner in columns {
                    let lane = builder.cell(Kind::Lane, within, inner, builder.lane);
                    cells.push((lane, (builder.boxes[within].column, Some((within, inner)))));
                }
            };
        if left.within == right.within {
            lanes(self, left.within, left.inner + 1..right.inner, &mut cells);
        } else {
            let (from, to) = (self.boxes[left.within].column, self.boxes[right.within].column);
            lanes(self, left.within, left.inner + 1..self.inner_columns(left.within), &mut cells);
            for column in from + 1..to {
                let lane = self.lane(Kind::Lane, None, self.lane);
                add(&mut self.columns, column, Item::Lane(lane));
                cells.push((lane, (column, None)));
            }
            lanes(self, right.within, 0..right.inner, &mut cells);
        }
        let ends =
            cells.iter().skip(1).copied().chain([(right.cell, (0, Some((right.within, right.inner))))]);
        let ends: Vec<_> = ends.collect();
        let mut segments = Vec::new();
        for (&(a, (column, at)), (b, (_, to))) in cells.iter().zip(ends) {
            let id = SegmentId::from_index(self.segments.len());
            // Long ways should be straight most of all.
            let straight = |c: CellId| self.cells.get(c.index()).is_some_and(|c| c.kind == Kind::Lane);
            let weight = weight.min(4) + 6 * i64::from(straight(a)) + 6 * i64::from(straight(b));
            self.segments.push(Segment { left: a, right: b, left_y: 0, right_y: 0, weight });
            let inside = at.zip(to).filter(|((a, _), (b, _))| a == b).map(|(a, _)| a);
            self.gutters.entry((column, inside)).or_default().push(id);
            segments.push(id);
        }
        segments
    }
}
