//! YAML as a small tree in which every node knows its bytes.
//!
//! Alone in knowing the YAML parser (`parse.rs`); everything behind it works on
//! [`Node`]. Scalars stay text: what `NO` or `1e3` means is for the field that
//! reads them.

mod explain;
mod parse;

pub use parse::{Limits, parse};

use crate::source::Span;

/// A value and where it stands. An alias stands where its anchor's value is
/// written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The bytes of the value itself.
    pub span: Span,
    /// The value.
    pub value: Value,
}

impl Node {
    /// How many values it holds, itself included.
    pub fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::Seq(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|e| e.value.count()).sum(),
        }
    }
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A plain `null`, `Null`, `NULL`, `~` or nothing at all.
    Null,
    /// Any other scalar.
    Scalar(Scalar),
    /// A list.
    Seq(Vec<Node>),
    /// A map, in the order written, keys unique, `<<` already merged in.
    Map(Vec<Entry>),
}

/// A scalar's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and folding undone.
    pub text: String,
    /// Written without quotes and not as a block.
    pub plain: bool,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// The key's bytes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}
