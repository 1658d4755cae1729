//! The trees of data categories and of purposes.
//!
//! Keys stand in tree order, so that what is below a key is a range, of keys
//! and of leaves. A category stands for the set of its leaves.

use std::ops::Range;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::bits::LeafSet;
use crate::source::Span;

/// A key of a [`Tree`], by its place in tree order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub u32);

/// A key as declared, before the tree is built.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// The dotted key.
    pub key: String,
    /// What it is called.
    pub title: Option<String>,
    /// What it is called in other vocabularies: name of the vocabulary, its terms.
    pub aka: Vec<(String, Vec<String>)>,
    /// Where it is declared; `None` for a built-in key.
    pub span: Option<Span>,
}

/// One key of a tree.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was declared (for a key that is only implied by one below it: its name alone).
    pub declared: Declared,
    /// The keys at or below this one.
    keys: Range<usize>,
    /// The leaves at or below this one.
    leaves: Range<usize>,
}

/// A tree of dotted keys.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    entries: Vec<Entry>,
    by_name: FxHashMap<String, Key>,
    leaf_keys: Vec<Key>,
}

fn is_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

impl Tree {
    /// Builds the tree; branches that are only implied are added. Of a key that
    /// is declared twice, the later title counts and the other names add up.
    pub fn new(declared: impl IntoIterator<Item = Declared>) -> Self {
        let mut all: FxHashMap<String, Declared> = FxHashMap::default();
        for new in declared {
            let mut above = new.key.as_str();
            while let Some((parent, _)) = above.rsplit_once('.') {
                all.entry(parent.to_owned())
                    .or_insert_with(|| Declared { key: parent.to_owned(), ..Declared::default() });
                above = parent;
            }
            let old = all.entry(new.key.clone()).or_default();
            old.key = new.key;
            old.title = new.title.or(old.title.take());
            old.aka.extend(new.aka);
            old.span = old.span.or(new.span);
        }
        let mut sorted: Vec<Declared> = all.into_values().collect();
        sorted.sort_by(|a, b| a.key.split('.').cmp(b.key.split('.')));
        let mut tree = Tree::default();
        let names: Vec<String> = sorted.iter().map(|d| d.key.clone()).collect();
        for (index, declared) in sorted.into_iter().enumerate() {
            let below = names.iter().skip(index + 1).take_while(|n| is_below(n, &declared.key)).count();
            tree.by_name.insert(declared.key.clone(), Key(index as u32));
            let first = tree.leaf_keys.len();
            if below == 0 {
                tree.leaf_keys.push(Key(index as u32));
            }
            tree.entries.push(Entry { declared, keys: index..index + below + 1, leaves: first..first });
        }
        for entry in &mut tree.entries {
            let within = |k: &&Key| entry.keys.contains(&(k.0 as usize));
            let count = tree.leaf_keys.iter().skip(entry.leaves.start).take_while(within).count();
            entry.leaves.end = entry.leaves.start + count;
        }
        tree
    }

    /// The key of that name.
    pub fn find(&self, name: &str) -> Option<Key> {
        self.by_name.get(name).copied()
    }

    /// All keys, in tree order.
    pub fn entries(&self) -> impl Iterator<Item = (Key, &Entry)> {
        (0..).map(Key).zip(&self.entries)
    }

    /// The names of all keys.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| e.declared.key.as_str())
    }

    /// The dotted name of a key.
    pub fn name(&self, key: Key) -> &str {
        self.entries.get(key.0 as usize).map_or("", |e| &e.declared.key)
    }

    /// What a key is called, if it has a title.
    pub fn title(&self, key: Key) -> Option<&str> {
        self.entries.get(key.0 as usize).and_then(|e| e.declared.title.as_deref())
    }

    /// Whether nothing is below it.
    pub fn is_leaf(&self, key: Key) -> bool {
        self.entries.get(key.0 as usize).is_some_and(|e| e.keys.len() == 1)
    }

    /// Whether `key` is `above` or below it.
    pub fn at_or_below(&self, key: Key, above: Key) -> bool {
        self.entries.get(above.0 as usize).is_some_and(|e| e.keys.contains(&(key.0 as usize)))
    }

    /// How many leaves the tree has.
    pub fn leaf_count(&self) -> usize {
        self.leaf_keys.len()
    }

    /// The key that a leaf is.
    pub fn leaf_key(&self, leaf: usize) -> Key {
        self.leaf_keys.get(leaf).copied().unwrap_or(Key(0))
    }

    /// The leaves of some keys.
    pub fn leaves<'k>(&self, keys: impl IntoIterator<Item = &'k Key>) -> LeafSet {
        let mut set = LeafSet::empty(self.leaf_count());
        for key in keys {
            if let Some(entry) = self.entries.get(key.0 as usize) {
                entry.leaves.clone().for_each(|leaf| set.insert(leaf));
            }
        }
        set
    }

    /// The fewest keys that stand for exactly these leaves: a branch where all its
    /// leaves are there; of a chain of single children the deepest.
    pub fn cover(&self, set: &LeafSet) -> Vec<String> {
        let mut names = Vec::new();
        let mut index = 0;
        while let Some(entry) = self.entries.get(index) {
            let all = !entry.leaves.is_empty() && entry.leaves.clone().all(|leaf| set.contains(leaf));
            let only_child = self
                .entries
                .get(index + 1)
                .is_some_and(|child| entry.keys.contains(&(index + 1)) && child.keys.end == entry.keys.end);
            if all && !only_child {
                names.push(entry.declared.key.clone());
                index = entry.keys.end;
            } else {
                index += 1;
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(keys: &[&str]) -> Tree {
        Tree::new(keys.iter().map(|k| Declared { key: (*k).to_owned(), ..Declared::default() }))
    }

    #[test]
    fn a_category_is_its_leaves() {
        let t = tree(&["a", "a.x", "a.x.p", "a.x.q", "a-b", "a.y", "b.only.child"]);
        let name = |n: &str| t.find(n).unwrap();
        assert_eq!(t.leaf_count(), 5);
        assert_eq!(t.leaves([&name("a")]).len(), 3);
        assert!(t.at_or_below(name("a.x.p"), name("a")) && !t.at_or_below(name("a-b"), name("a")));
        assert_eq!(t.cover(&t.leaves([&name("a.x"), &name("a.y")])), ["a"]);
        assert_eq!(t.cover(&t.leaves([&name("a.x.p"), &name("a.y")])), ["a.x.p", "a.y"]);
        assert_eq!(t.cover(&t.leaves([&name("b")])), ["b.only.child"]);
        assert_eq!(t.cover(&LeafSet::empty(5)), Vec::<String>::new());
    }
}
