//! Trees of dotted keys: a category stands for the set of its leaves.

use std::collections::BTreeSet;

/// Whether `key` is `branch` or below it.
pub fn at_or_below(key: &str, branch: &str) -> bool {
    key == branch || key.strip_prefix(branch).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether `key` is at or below one of `branches`.
pub fn below_any(key: &str, branches: &[String]) -> bool {
    branches.iter().any(|branch| at_or_below(key, branch))
}

/// A tree, by its keys.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    keys: BTreeSet<String>,
}

impl Tree {
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a String>) -> Tree {
        Tree { keys: keys.into_iter().cloned().collect() }
    }

    fn children(&self, key: &str) -> Vec<&String> {
        self.keys.iter().filter(|k| k.rsplit_once('.').is_some_and(|(parent, _)| parent == key)).collect()
    }

    fn roots(&self) -> Vec<&String> {
        self.keys.iter().filter(|k| !k.contains('.')).collect()
    }

    /// All keys without children, sorted.
    pub fn leaves(&self) -> Vec<String> {
        self.keys.iter().filter(|k| self.children(k).is_empty()).cloned().collect()
    }

    /// The leaves at or below a key.
    pub fn leaves_of(&self, key: &str) -> BTreeSet<String> {
        let all = self.leaves();
        all.into_iter().filter(|l| at_or_below(l, key)).collect()
    }

    /// The fewest keys that stand for exactly these leaves; of a chain of
    /// single children the deepest.
    pub fn cover(&self, leaves: &BTreeSet<String>) -> BTreeSet<String> {
        let mut cover = BTreeSet::new();
        for root in self.roots() {
            self.cover_below(root, leaves, &mut cover);
        }
        cover
    }

    fn cover_below(&self, key: &str, leaves: &BTreeSet<String>, cover: &mut BTreeSet<String>) {
        let children = self.children(key);
        if self.leaves_of(key).is_subset(leaves) && children.len() != 1 {
            cover.insert(key.to_owned());
            return;
        }
        for child in children {
            self.cover_below(child, leaves, cover);
        }
    }
}
