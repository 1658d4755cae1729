//! The trees of data categories and of purposes.
//!
//! Keys stand in tree order, so that what is below a key is a range, of keys
//! and of leaves. A category stands for the set of its leaves.

use std::cmp::Ordering;
use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::base::bits::LeafSet;
use crate::base::source::Span;

/// A key of a [`Tree`], by its place in tree order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u32);

/// A term of another vocabulary for a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Equivalent {
    /// The term.
    pub term: String,
    /// How near it is.
    pub nearness: Match,
}

crate::base::vocabulary::words! {
    /// How near a term of another vocabulary is to a key.
    Match: "a match" {
        /// They mean the same.
        Exact = "exact",
        /// The term means more (default).
        Broad = "broad",
    }
}

/// A key as declared, before the tree is built.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// The dotted key.
    pub key: String,
    /// What it is called.
    pub title: Option<String>,
    /// What it is called in other vocabularies: name of the vocabulary, its terms.
    pub aka: Vec<(String, Vec<Equivalent>)>,
    /// Whether data of this category singles people out.
    pub identifying: bool,
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

/// By segments: what is below a key follows it at once.
fn in_tree_order(a: &str, b: &str) -> Ordering {
    // A dot comes before everything that a segment may have in it.
    let rank = |byte: u8| if byte == b'.' { 0 } else { byte };
    let (a, b) = (a.as_bytes(), b.as_bytes());
    match a.iter().zip(b).position(|(a, b)| a != b) {
        Some(at) => a.get(at).copied().map(rank).cmp(&b.get(at).copied().map(rank)),
        None => a.len().cmp(&b.len()),
    }
}

/// For each key, in tree order, the first one behind it that is not below it.
fn ends(sorted: &[Declared]) -> Vec<usize> {
    let mut ends = vec![sorted.len(); sorted.len()];
    // The keys that the one looked at may be below, the deepest last.
    let mut above: Vec<(usize, &str)> = Vec::new();
    for (at, declared) in sorted.iter().enumerate() {
        while let Some((open, name)) = above.pop() {
            if is_below(&declared.key, name) {
                above.push((open, name));
                break;
            }
            if let Some(end) = ends.get_mut(open) {
                *end = at;
            }
        }
        above.push((at, &declared.key));
    }
    ends
}

impl Tree {
    /// Builds the tree; branches that are only implied are added. Of a key that
    /// is declared twice, the later title counts and the other names add up.
    pub fn new(declared: impl IntoIterator<Item = Declared>) -> Self {
        let mut all: FxHashMap<String, Declared> = FxHashMap::default();
        for new in declared {
            let mut above = new.key.as_str();
            // Where a key is there, so are all above it.
            while let Some((parent, _)) = above.rsplit_once('.')
                && !all.contains_key(parent)
            {
                let implied = Declared { key: parent.to_owned(), ..Declared::default() };
                all.insert(parent.to_owned(), implied);
                above = parent;
            }
            let old = all.entry(new.key.clone()).or_default();
            old.key = new.key;
            old.title = new.title.or(old.title.take());
            old.aka.extend(new.aka);
            old.identifying |= new.identifying;
            old.span = old.span.or(new.span);
        }
        let mut sorted: Vec<Declared> = all.into_values().collect();
        sorted.sort_unstable_by(|a, b| in_tree_order(&a.key, &b.key));
        let ends = ends(&sorted);
        // How many leaves stand before each key, and in all.
        let mut leaves_before = Vec::with_capacity(ends.len() + 1);
        let mut leaf_keys = Vec::new();
        for (at, end) in ends.iter().enumerate() {
            leaves_before.push(leaf_keys.len());
            if at + 1 == *end {
                leaf_keys.push(Key(at as u32));
            }
        }
        leaves_before.push(leaf_keys.len());
        let before = |at: usize| leaves_before.get(at).copied().unwrap_or_default();
        let by_name = sorted.iter().zip(0..).map(|(d, at)| (d.key.clone(), Key(at))).collect();
        let entries = sorted.into_iter().zip(ends).enumerate().map(|(at, (declared, end))| Entry {
            declared,
            keys: at..end,
            leaves: before(at)..before(end),
        });
        Tree { entries: entries.collect(), by_name, leaf_keys }
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

    /// For each key, in tree order, whether some keys are at it, above it or below it.
    pub fn touched<'k>(&self, keys: impl IntoIterator<Item = &'k Key>) -> Vec<bool> {
        let mut named = vec![0_usize; self.entries.len() + 1];
        let mut ends = named.clone();
        let mut starts = named.clone();
        for key in keys {
            let at = key.0 as usize;
            if let Some(entry) = self.entries.get(at) {
                for (counts, at) in [(&mut named, at), (&mut starts, at), (&mut ends, entry.keys.end)] {
                    if let Some(count) = counts.get_mut(at) {
                        *count += 1;
                    }
                }
            }
        }
        // How many stand before each key.
        let mut before = Vec::with_capacity(named.len());
        let mut sum = 0;
        for count in named {
            before.push(sum);
            sum += count;
        }
        let within = |keys: &Range<usize>| before.get(keys.end) > before.get(keys.start);
        let mut open = 0;
        let all = self.entries.iter().zip(starts.iter().zip(&ends));
        all.map(|(entry, (starts, ends))| {
            open = open + starts - ends;
            open > 0 || within(&entry.keys)
        })
        .collect()
    }

    /// For each key, in tree order, whether it, one above it or one below it is of data that singles people out.
    pub fn identifying(&self) -> Vec<bool> {
        let marked = self.entries().filter(|(_, entry)| entry.declared.identifying).map(|(key, _)| key);
        self.touched(&marked.collect::<Vec<_>>())
    }

    /// The leaves of data that singles people out.
    pub fn identifying_leaves(&self) -> LeafSet {
        let marked: Vec<Key> =
            self.entries().filter(|(_, entry)| entry.declared.identifying).map(|(key, _)| key).collect();
        self.leaves(&marked)
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
                set.insert_range(entry.leaves.clone());
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
            let there = set.count_within(entry.leaves.clone());
            if there == 0 {
                index = entry.keys.end;
                continue;
            }
            let all = there == entry.leaves.len();
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
        assert_eq!(t.leaves([&name("a")]).iter().count(), 3);
        assert!(t.at_or_below(name("a.x.p"), name("a")) && !t.at_or_below(name("a-b"), name("a")));
        assert_eq!(t.cover(&t.leaves([&name("a.x"), &name("a.y")])), ["a"]);
        assert_eq!(t.cover(&t.leaves([&name("a.x.p"), &name("a.y")])), ["a.x.p", "a.y"]);
        assert_eq!(t.cover(&t.leaves([&name("b")])), ["b.only.child"]);
        assert_eq!(t.cover(&LeafSet::empty(5)), Vec::<String>::new());
    }

    #[test]
    fn keys_are_touched_by_what_is_at_them_above_and_below() {
        let t = tree(&["a.b.c", "a.b.d", "a.e", "f.g", "h"]);
        let all: Vec<Key> = t.entries().map(|(key, _)| key).collect();
        for some in [&[][..], &["a.b"], &["a.b.c", "h"], &["a", "a.e"], &["f.g", "a.b.d", "f"]] {
            let some: Vec<Key> = some.iter().map(|name| t.find(name).unwrap()).collect();
            let related = |key: Key| some.iter().any(|&u| t.at_or_below(u, key) || t.at_or_below(key, u));
            assert_eq!(t.touched(&some), all.iter().map(|&key| related(key)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_deep_key_costs_what_its_names_are_long() {
        let deep = vec!["a"; 500].join(".");
        let t = tree(&[&deep]);
        assert_eq!((t.entries.len(), t.leaf_count()), (500, 1));
        assert_eq!(t.cover(&t.leaves([&Key(0)])), [deep.as_str()]);
    }

    #[test]
    fn what_is_below_follows_at_once_whatever_stands_beside_it() {
        let t = tree(&["a.b", "a-b.c", "a", "a.b-c", "a.b.c", "a0", "ab", "A"]);
        let names: Vec<&str> = t.names().collect();
        assert_eq!(names, ["A", "a", "a.b", "a.b.c", "a.b-c", "a-b", "a-b.c", "a0", "ab"]);
        let ends: Vec<usize> = t.entries.iter().map(|entry| entry.keys.end).collect();
        assert_eq!(ends, [1, 5, 4, 4, 5, 7, 7, 8, 9]);
        let leaves: Vec<_> = t.entries.iter().map(|entry| entry.leaves.clone()).collect();
        assert_eq!(leaves, [0..1, 1..3, 1..2, 1..2, 2..3, 3..4, 3..4, 4..5, 5..6]);
    }
}
