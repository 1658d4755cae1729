//! Boxes with nodes inside, in columns, and the chains of cells that their links run
//! through.
//!
//! A box stands in one column; the boxes of a column stand above each other. Within a
//! box its nodes stand in columns of its own. A link runs from left to right (or, if it
//! leads back, is drawn from right to left) from cell to cell: through the columns
//! between its ends it has a *lane*, a cell without a node, in the end boxes within
//! them, in other columns between the boxes. Between two columns it bends. So no link
//! can touch a box that is not its own.

use crate::model::{Id, Table};

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl Id for $name {
            fn from_index(index: usize) -> Self { $name(index as u32) }
            fn index(self) -> usize { self.0 as usize }
        }
    )+};
}

numbers! {
    /// A box.
    BoxId,
    /// A node.
    NodeId,
    /// A link.
    LinkId,
    /// A cell: a node, or a link's lane through a column.
    CellId,
    /// A link's way from one cell to the next.
    SegmentId,
}

/// What is to be laid out.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// The boxes.
    pub boxes: Vec<BoxSpec>,
    /// The nodes.
    pub nodes: Vec<NodeSpec>,
    /// The links.
    pub links: Vec<LinkSpec>,
    /// Sizes and distances.
    pub metrics: Metrics,
}

/// A box to lay out.
#[derive(Debug, Clone, Copy)]
pub struct BoxSpec {
    /// How wide at least.
    pub width: i32,
    /// How far left it belongs where links run in circles, in hundredths.
    pub first: i64,
}

/// A node to lay out.
#[derive(Debug, Clone, Copy)]
pub struct NodeSpec {
    /// In which box.
    pub within: BoxId,
    /// How wide at least.
    pub width: i32,
    /// How high at least.
    pub height: i32,
    /// How far left it belongs where links run in circles, in hundredths.
    pub first: i64,
}

/// A link to lay out.
#[derive(Debug, Clone, Copy)]
pub struct LinkSpec {
    /// Where it starts.
    pub from: NodeId,
    /// Where it ends; another node.
    pub to: NodeId,
    /// How many flows it stands for.
    pub weight: i64,
}

/// Sizes and distances, in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metrics {
    /// Above the nodes of a box.
    pub header: i32,
    /// Below them.
    pub footer: i32,
    /// Left and right of them.
    pub side: i32,
    /// Straight pieces at both ends of the bends between columns.
    pub stub: i32,
    /// The same within a box.
    pub inner_stub: i32,
    /// Between the ends of links at one side of a node.
    pub port: i32,
    /// Between lanes.
    pub lane: i32,
    /// Between nodes.
    pub node_gap: i32,
    /// Between boxes.
    pub box_gap: i32,
    /// Around the whole.
    pub margin: i32,
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A node.
    Node(NodeId),
    /// A way through.
    Lane,
}

/// A cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What it is.
    pub kind: Kind,
    /// The box it is in; none for a lane between boxes.
    pub within: Option<BoxId>,
    /// How high it is.
    pub height: i32,
    /// Its upper edge; within a box counted from the first node's row.
    pub top: i32,
    /// The segments that end at its left side.
    pub left: Vec<SegmentId>,
    /// The segments that start at its right side.
    pub right: Vec<SegmentId>,
}

/// A way from a cell to one of the next column.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// The cell on the left.
    pub left: CellId,
    /// The cell on the right.
    pub right: CellId,
    /// At which height it leaves the left one.
    pub left_y: i32,
    /// At which height it enters the right one.
    pub right_y: i32,
    /// How much it matters that the two are the same.
    pub weight: i64,
}

/// A link's cells and ways, from left to right.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The ways.
    pub segments: Vec<SegmentId>,
    /// Whether the link leads from right to left.
    pub back: bool,
}

/// A box.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The column it stands in.
    pub column: usize,
    /// Its own columns, each from top to bottom.
    pub inner: Vec<Vec<CellId>>,
    /// How high its rows are together.
    pub rows: i32,
    /// Its upper edge.
    pub top: i32,
    /// How wide it is at least.
    pub min_width: i32,
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A box.
    Box(BoxId),
    /// A lane between boxes.
    Lane(CellId),
}

/// Everything that is placed.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Sizes and distances.
    pub metrics: Metrics,
    /// The boxes.
    pub boxes: Table<BoxId, Frame>,
    /// The cells.
    pub cells: Table<CellId, Cell>,
    /// All ways between cells.
    pub segments: Table<SegmentId, Segment>,
    /// The columns, each from top to bottom.
    pub columns: Vec<Vec<Item>>,
    /// The way of each link.
    pub chains: Table<LinkId, Chain>,
    /// The cell of each node.
    pub nodes: Table<NodeId, CellId>,
    /// The segments between two columns, or between two of a box's own.
    pub gutters: Vec<Vec<SegmentId>>,
}

impl Grid {
    /// The upper edge of a cell in the picture.
    pub fn top(&self, cell: CellId) -> i32 {
        let cell = &self.cells[cell];
        cell.top + cell.within.map_or(0, |b| self.boxes[b].top + self.metrics.header)
    }

    /// The middle of a cell in the picture.
    pub fn middle(&self, cell: CellId) -> i32 {
        self.top(cell) + self.cells[cell].height / 2
    }

    /// How high a box is.
    pub fn box_height(&self, id: BoxId) -> i32 {
        self.boxes[id].rows + self.metrics.header + self.metrics.footer
    }

    /// How high an item is.
    pub fn height(&self, item: Item) -> i32 {
        match item {
            Item::Box(id) => self.box_height(id),
            Item::Lane(cell) => self.cells[cell].height,
        }
    }

    /// What is left free between an item and the next one.
    pub fn gap(&self, above: Item, below: Item) -> i32 {
        match (above, below) {
            (Item::Box(_), Item::Box(_)) => self.metrics.box_gap,
            (Item::Lane(_), Item::Lane(_)) => 0,
            _ => self.metrics.box_gap / 2,
        }
    }

    /// What is left free between a cell of a box and the next one.
    pub fn inner_gap(&self, above: CellId, below: CellId) -> i32 {
        match (self.cells[above].kind, self.cells[below].kind) {
            (Kind::Node(_), Kind::Node(_)) => self.metrics.node_gap,
            (Kind::Lane, Kind::Lane) => 0,
            _ => self.metrics.node_gap / 2,
        }
    }

    /// How high the cells of a box's column are together.
    pub fn packed(&self, cells: &[CellId]) -> i32 {
        let heights: i32 = cells.iter().map(|&c| self.cells[c].height).sum();
        let gaps: i32 = cells.windows(2).filter_map(|p| Some(self.inner_gap(*p.first()?, *p.last()?))).sum();
        heights + gaps
    }

    /// The segments of a box that leave it to the left, and to the right.
    pub fn crossing(&self, id: BoxId, right: bool) -> impl Iterator<Item = SegmentId> + '_ {
        let inner = &self.boxes[id].inner;
        let cells = if right { inner.last() } else { inner.first() };
        cells.into_iter().flatten().flat_map(move |&c| {
            let cell = &self.cells[c];
            if right { cell.right.iter().copied() } else { cell.left.iter().copied() }
        })
    }
}
