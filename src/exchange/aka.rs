//! The taxonomies read backwards: what a term of another vocabulary stands for.
//!
//! `aka` says which term is nearest to each key of ours, and many keys share one. Read backwards, a term K
//! stands for the leaves whose own `aka`, or that of the nearest key above that has one, names K or a term
//! below K. So no leaf is lost: whatever is called K or something below it is among them. Where a key of
//! ours means exactly K, its leaves are taken for K itself in place of those that are merely nearest to it;
//! these are listed.

use std::collections::BTreeMap;

use crate::base::bits::LeafSet;
use crate::base::taxonomy::{Key, Match, Tree};

/// How much a vague term takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Vague {
    /// What means the same, and all below it.
    #[default]
    Primary,
    /// That, and everything whose nearest term it is.
    Widest,
}

/// What a term stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// The fewest keys of ours.
    pub keys: Vec<String>,
    /// Keys that the term may stand for, too, and that were left out.
    pub left_out: Vec<String>,
    /// It is the image of a term above, for want of one of its own.
    pub of_above: Option<String>,
}

/// The terms of one vocabulary, each with what names it.
#[derive(Debug)]
pub struct Inverse<'t> {
    tree: &'t Tree,
    /// By term: the leaves of keys that mean exactly it, and the leaves to which it is nearest.
    terms: BTreeMap<String, (Option<LeafSet>, LeafSet)>,
}

/// Terms that would stand for everything: nothing is read as one of them for want of a better one.
const EVERYTHING: [&str; 2] = ["user", "system"];

/// Derived data: of nothing that another vocabulary names is it certain that it was derived.
pub const DERIVED: &str = "derived";

impl<'t> Inverse<'t> {
    /// Reads a tree backwards.
    pub fn new(tree: &'t Tree, vocabulary: &str) -> Self {
        let mut terms: BTreeMap<String, (Option<LeafSet>, LeafSet)> = BTreeMap::new();
        let empty = || LeafSet::empty(tree.leaf_count());
        // The terms of each open key above the one looked at.
        let mut above: Vec<(Key, Vec<&str>)> = Vec::new();
        for (key, entry) in tree.entries() {
            while above.last().is_some_and(|(open, _)| !tree.at_or_below(key, *open)) {
                above.pop();
            }
            let named = entry.declared.aka.iter().filter(|(name, _)| name == vocabulary);
            let named: Vec<_> = named.flat_map(|(_, terms)| terms).collect();
            for exact in named.iter().filter(|one| one.nearness == Match::Exact) {
                let own = &mut terms.entry(exact.term.clone()).or_insert_with(|| (None, empty())).0;
                own.get_or_insert_with(empty).extend(tree.leaves([&key]).row());
            }
            let own: Vec<&str> = match (named.is_empty(), above.last()) {
                (true, Some((_, inherited))) => inherited.clone(),
                _ => named.iter().map(|one| one.term.as_str()).collect(),
            };
            if tree.is_leaf(key) {
                for term in &own {
                    let near = &mut terms.entry((*term).to_owned()).or_insert_with(|| (None, empty())).1;
                    near.extend(tree.leaves([&key]).row());
                }
            }
            above.push((key, own));
        }
        Inverse { tree, terms }
    }

    /// What a term stands for; nothing, if neither it nor one above it that has another above it is known.
    pub fn image(&self, term: &str, vague: Vague) -> Option<Image> {
        let mut asked = term;
        loop {
            if let Some((taken, left_out)) = self.at_or_below(asked, vague) {
                return Some(Image {
                    keys: self.tree.cover(&taken),
                    left_out: self.tree.cover(&left_out),
                    of_above: (asked != term).then(|| asked.to_owned()),
                });
            }
            asked =
                asked.rsplit_once('.').map(|(above, _)| above).filter(|above| !EVERYTHING.contains(above))?;
        }
    }

    /// The leaves of a term, and those left out.
    fn at_or_below(&self, term: &str, vague: Vague) -> Option<(LeafSet, LeafSet)> {
        let is_below = |other: &str| {
            other.strip_prefix(term).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let (mut taken, mut near) =
            (LeafSet::empty(self.tree.leaf_count()), LeafSet::empty(self.tree.leaf_count()));
        let mut known = false;
        for (_, (exact, nearest)) in self.terms.iter().filter(|(other, _)| is_below(other)) {
            known = true;
            near.extend(nearest.row());
            match (exact, vague) {
                (Some(exact), Vague::Primary) => taken.extend(exact.row()),
                (Some(exact), Vague::Widest) => {
                    taken.extend(exact.row());
                    taken.extend(nearest.row());
                }
                (None, _) => taken.extend(nearest.row()),
            };
        }
        if !known {
            return None;
        }
        let derived = self.tree.find(DERIVED).map(|key| self.tree.leaves([&key]));
        if let (Some(derived), Vague::Primary) = (derived, vague) {
            let others = taken.minus(&derived);
            if !others.is_empty() {
                taken = others;
            }
        }
        let left_out = near.minus(&taken);
        Some((taken, left_out))
    }
}
