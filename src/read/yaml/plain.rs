//! What a node says, places, order of keys and comments aside: so that what is written in two
//! texts can be compared.

use std::collections::{BTreeMap, BTreeSet};

use super::{Node, Value};

/// What is written, places and order of keys aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plain {
    /// A scalar.
    Text(String),
    /// A list.
    List(Vec<Plain>),
    /// A map.
    Map(BTreeMap<String, Plain>),
}

impl Plain {
    /// What a node says; `None` if it is absent.
    pub fn of(node: &Node) -> Option<Plain> {
        match &node.value {
            Value::Null => None,
            Value::Scalar(scalar) => Some(Plain::Text(scalar.text.to_string())),
            Value::Seq(items) => Some(Plain::List(items.iter().filter_map(Plain::of).collect())),
            Value::Map(entries) => {
                let said = entries.iter().filter_map(|e| Some((e.key.to_string(), Plain::of(&e.value)?)));
                Some(Plain::Map(said.collect()))
            }
        }
    }

    /// What a map says at a key.
    pub fn get(&self, key: &str) -> Option<&Plain> {
        match self {
            Plain::Map(entries) => entries.get(key),
            Plain::Text(_) | Plain::List(_) => None,
        }
    }

    /// A scalar's text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Plain::Text(text) => Some(text),
            Plain::List(_) | Plain::Map(_) => None,
        }
    }

    /// What it lists: one thing is a list of one, and a map lists its entries.
    pub fn items(&self) -> BTreeSet<&Plain> {
        match self {
            Plain::List(items) => items.iter().collect(),
            one => BTreeSet::from([one]),
        }
    }

    /// A text that is the same for two nodes only if they say the same. The order of a list means
    /// nothing in a matcher, and one thing is a list of one; an empty list is absent.
    pub fn canonical(&self) -> String {
        match self {
            Plain::Text(text) => format!("{text:?}"),
            Plain::List(items) => {
                let mut items: Vec<String> = items.iter().map(Plain::canonical).collect();
                items.sort();
                items.dedup();
                match items.as_slice() {
                    [one] => one.clone(),
                    all => format!("[{}]", all.join(",")),
                }
            }
            Plain::Map(entries) => {
                let entries = entries.iter().filter(|(_, value)| **value != Plain::List(Vec::new()));
                let entries = entries.map(|(key, value)| format!("{key:?}:{}", value.canonical()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }
}
