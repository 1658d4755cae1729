//! Sources in YAML or JSON as trees whose leaves are in the ledger.

use std::sync::Arc;

use crate::base::source::{FileId, Sources, Span};
use crate::read::yaml::{Node, Value};

use super::ledger::{Leaf, Ledger, Place};

/// A value of a source.
#[derive(Debug)]
pub struct Branch {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub enum Kind {
    /// Nothing.
    Nothing,
    /// A scalar.
    Leaf(Leaf),
    /// A list.
    List(Vec<Branch>),
    /// A map.
    Map(Vec<(String, Branch)>),
}

/// The keys that tell one element of a list from the others, so that its pointer is not its place.
const NAMING: [&str; 4] = ["fides_key", "id", "key", "name"];

/// Builds trees of one file.
pub struct Planter<'p> {
    /// Where leaves go.
    pub ledger: &'p mut Ledger,
    /// The texts.
    pub sources: &'p Sources,
    /// The file in the ledger.
    pub number: u32,
    /// The file in the sources.
    pub file: FileId,
}

impl Planter<'_> {
    /// The tree of a document.
    pub fn plant(&mut self, node: &Node, pointer: &str) -> Branch {
        let kind = match &node.value {
            Value::Null => Kind::Nothing,
            Value::Scalar(scalar) if scalar.text.trim().is_empty() => Kind::Nothing,
            Value::Scalar(scalar) if self.ledger.is_left_out(pointer, &scalar.text) => Kind::Nothing,
            Value::Scalar(scalar) => {
                let file = self.sources.get(self.file);
                let (line, column) = file.map_or((1, 1), |file| file.line_column(node.span.start));
                let pointer = Arc::from(if pointer.is_empty() { "/" } else { pointer });
                Kind::Leaf(self.ledger.leaf(
                    self.number,
                    Place::Text { line, column },
                    pointer,
                    &*scalar.text,
                ))
            }
            Value::Seq(items) => Kind::List(
                items.iter().map(|item| self.plant(item, &format!("{pointer}{}", named(item)))).collect(),
            ),
            Value::Map(entries) => Kind::Map(
                entries
                    .iter()
                    .map(|entry| {
                        (entry.key.to_string(), self.plant(&entry.value, &format!("{pointer}/{}", entry.key)))
                    })
                    .collect(),
            ),
        };
        Branch { span: node.span, kind }
    }
}

fn named(item: &Node) -> String {
    let Value::Map(entries) = &item.value else { return String::new() };
    let name = NAMING.iter().find_map(|key| {
        let entry = entries.iter().find(|entry| entry.key == *key)?;
        match &entry.value.value {
            Value::Scalar(scalar) => Some(scalar.text.to_string()),
            _ => None,
        }
    });
    format!("[{}]", name.unwrap_or_default())
}

impl Branch {
    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Branch> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The leaf of a key of a map.
    pub fn leaf(&self, key: &str) -> Option<Leaf> {
        self.get(key).and_then(Branch::own)
    }

    /// The leaf that it is.
    pub fn own(&self) -> Option<Leaf> {
        match self.kind {
            Kind::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    /// The elements of a list; what is no list is one element, nothing is none.
    pub fn items(&self) -> &[Branch] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Nothing => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The elements of the list of a key.
    pub fn list(&self, key: &str) -> &[Branch] {
        self.get(key).map_or(&[], Branch::items)
    }

    /// The leaves of the list of a key.
    pub fn leaves(&self, key: &str) -> Vec<Leaf> {
        self.list(key).iter().filter_map(Branch::own).collect()
    }

    /// All leaves below it.
    pub fn all(&self) -> Vec<Leaf> {
        let mut all = Vec::new();
        let mut open = vec![self];
        while let Some(branch) = open.pop() {
            match &branch.kind {
                Kind::Nothing => {}
                Kind::Leaf(leaf) => all.push(*leaf),
                Kind::List(items) => open.extend(items),
                Kind::Map(entries) => open.extend(entries.iter().map(|(_, value)| value)),
            }
        }
        all
    }

    /// The keys of a map.
    pub fn entries(&self) -> &[(String, Branch)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }
}
