//! One row of a table, by what its columns hold.

use crate::exchange::ledger::Leaf;

/// A row.
#[derive(Debug, Default)]
pub struct Row {
    /// It stands above the headings.
    pub preamble: bool,
    cells: Vec<(&'static str, Leaf, String)>,
    /// Cells of columns that no layout knows, with their headings.
    pub others: Vec<(String, Leaf)>,
}

impl Row {
    /// Adds a cell.
    pub fn push(&mut self, field: &'static str, leaf: Leaf, text: &str) {
        self.cells.push((field, leaf, text.trim().to_owned()));
    }

    /// Whether no cell of it holds anything that is read.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.others.is_empty()
    }

    /// The cell of a field.
    pub fn get(&self, field: &str) -> Option<(Leaf, &str)> {
        self.all(field).next()
    }

    /// All cells of a field.
    pub fn all(&self, field: &str) -> impl Iterator<Item = (Leaf, &str)> {
        self.cells
            .iter()
            .filter(move |(own, _, _)| *own == field)
            .map(|(_, leaf, text)| (*leaf, text.as_str()))
    }

    /// The text of a field; empty if there is none.
    pub fn text(&self, field: &str) -> &str {
        self.get(field).map_or("", |(_, text)| text)
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = (&'static str, Leaf, &str)> {
        self.cells.iter().map(|(field, leaf, text)| (*field, *leaf, text.as_str()))
    }

    /// The leaf by which the row is found.
    pub fn first(&self) -> Option<Leaf> {
        self.cells.first().map(|(_, leaf, _)| *leaf).or_else(|| self.others.first().map(|(_, leaf)| *leaf))
    }
}
