//! YAML as a small tree in which every node knows its bytes.
//!
//! Alone in knowing the YAML parser (`parse.rs`), and a quick reader of what people write
//! (`fast`), which gives the same tree or none; everything behind it works on [`Node`]. Scalars stay text: what `NO` or `1e3` means is for the field that
//! reads them.

pub mod change;
mod explain;
mod fast;
mod parse;
mod plain;

use std::borrow::Cow;

pub use crate::base::limits::Limits;
pub use fast::read as fast;
pub use parse::parse as general;
pub use plain::Plain;

use crate::base::diagnostic::Diagnostic;
use crate::base::limits::{Allowance, Taken};
use crate::base::source::{FileId, Span};

/// Reads all documents of a text. Of a text that is not YAML the documents before
/// the mistake are kept.
pub fn parse<'t>(
    file: FileId,
    text: &'t str,
    limits: &Limits,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Node<'t>> {
    read(file, text, &mut Allowance::new(*limits), diagnostics)
}

/// As [`parse()`], one text of several that share what limits allow. Once they have taken it
/// all, and that has been said, no more is read.
pub fn read<'t>(
    file: FileId,
    text: &'t str,
    allowance: &mut Allowance,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Node<'t>> {
    if allowance.spent {
        return Vec::new();
    }
    let most = Limits { documents: allowance.documents(), ..allowance.limits };
    match fast::measured(file, text, &most) {
        Some((documents, depth)) => {
            allowance.take(Taken { depth, documents: documents.len(), aliases: 0 });
            documents
        }
        None => parse::read(file, text, allowance, diagnostics),
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A value and where it stands; its texts are parts of the source where they stand there as
/// they are. An alias stands where its anchor's value is
/// written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'t> {
    /// The bytes of the value itself.
    pub span: Span,
    /// The value.
    pub value: Value<'t>,
}

impl Node<'_> {
    /// How many values it holds, itself included.
    pub fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::Seq(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|e| e.value.count()).sum(),
        }
    }

    /// The same with texts of its own.
    pub fn into_owned(self) -> Node<'static> {
        let value = match self.value {
            Value::Null => Value::Null,
            Value::Scalar(Scalar { text, plain }) => {
                Value::Scalar(Scalar { text: Cow::Owned(text.into_owned()), plain })
            }
            Value::Seq(items) => Value::Seq(items.into_iter().map(Node::into_owned).collect()),
            Value::Map(entries) => Value::Map(entries.into_iter().map(Entry::into_owned).collect()),
        };
        Node { span: self.span, value }
    }
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'t> {
    /// A plain `null`, `Null`, `NULL`, `~` or nothing at all.
    Null,
    /// Any other scalar.
    Scalar(Scalar<'t>),
    /// A list.
    Seq(Vec<Node<'t>>),
    /// A map, in the order written, keys unique, `<<` already merged in.
    Map(Vec<Entry<'t>>),
}

/// A scalar's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar<'t> {
    /// The text, quotes and folding undone.
    pub text: Cow<'t, str>,
    /// Written without quotes and not as a block.
    pub plain: bool,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The key's text.
    pub key: Cow<'t, str>,
    /// The key's bytes.
    pub key_span: Span,
    /// The value.
    pub value: Node<'t>,
}

impl Entry<'_> {
    /// The same with texts of its own.
    pub fn into_owned(self) -> Entry<'static> {
        let Entry { key, key_span, value } = self;
        Entry { key: Cow::Owned(key.into_owned()), key_span, value: value.into_owned() }
    }
}
