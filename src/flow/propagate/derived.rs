//! What systems derive, where passing over all derivations until nothing changes would take many passes: each is
//! looked at once a leaf that it is made of is there, however they are ordered.

use rustc_hash::FxHashMap;

use crate::base::bits::{self, LeafSet};
use crate::model::Derives;

/// So many times all derivations are passed over first: hardly any system needs more.
pub const FEW: usize = 8;

/// Which derivations have a leaf on one of their sides.
struct Index(FxHashMap<usize, Vec<usize>>);

impl Index {
    fn new<'d>(sides: impl Iterator<Item = &'d LeafSet>) -> Self {
        let mut all: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for (at, side) in sides.enumerate() {
            side.iter().for_each(|leaf| all.entry(leaf).or_default().push(at));
        }
        Index(all)
    }

    /// Takes out those that have a leaf: nobody needs them a second time.
    fn take(&mut self, leaf: usize) -> Vec<usize> {
        self.0.remove(&leaf).unwrap_or_default()
    }
}

/// Which derivations were made use of.
struct Used(Vec<bool>);

impl Used {
    /// Whether this is the first time.
    fn first(&mut self, at: usize) -> bool {
        self.0.get_mut(at).is_some_and(|used| !std::mem::replace(used, true))
    }
}

/// As [`super::derive`].
pub fn derive(derives: &Derives, plain: &mut [u64], marked: &mut [u64], marks: Option<&LeafSet>) {
    derive_counting(derives, plain, marked, marks, &mut 0);
}

/// As [`derive()`]; adds to `steps` how many derivations were looked at.
fn derive_counting(
    derives: &Derives,
    plain: &mut [u64],
    marked: &mut [u64],
    marks: Option<&LeafSet>,
    steps: &mut usize,
) {
    // What is made of marked leaves is marked, so these come first.
    let mut index = Index::new(derives.iter().map(|(from, _)| from));
    let mut unmarked = Index(index.0.clone());
    let mut used = Used(vec![false; derives.len()]);
    let mut waiting: Vec<usize> = bits::ones(marked).collect();
    let mut plain_waiting: Vec<usize> = bits::ones(plain).collect();
    let mut plain_used = Used(vec![false; derives.len()]);
    loop {
        while let Some(leaf) = waiting.pop() {
            for at in index.take(leaf) {
                *steps += 1;
                if let Some((_, into)) = derives.get(at).filter(|_| used.first(at)) {
                    add(marked, into.row(), &mut waiting);
                }
            }
        }
        let Some(leaf) = plain_waiting.pop() else { return };
        for at in unmarked.take(leaf) {
            *steps += 1;
            let Some((_, into)) = derives.get(at).filter(|_| plain_used.first(at)) else { continue };
            match marks {
                None => add(plain, into.row(), &mut plain_waiting),
                Some(marks) => {
                    add(plain, into.minus(marks).row(), &mut plain_waiting);
                    add(marked, into.and(marks).row(), &mut waiting);
                }
            }
        }
    }
}

/// As [`super::deriving`].
pub fn deriving(derives: &Derives, wanted: &LeafSet) -> LeafSet {
    let mut set = wanted.clone();
    close(derives.iter().map(|(from, into)| (into, from)), set.row_mut(), &[]);
    set
}

/// Adds, from pairs of sets, the second of each of which the first has a leaf that is there or in `besides`, until
/// there is none left.
pub fn close<'d>(
    pairs: impl Iterator<Item = (&'d LeafSet, &'d LeafSet)> + Clone,
    row: &mut [u64],
    besides: &[u64],
) {
    let mut index = Index::new(pairs.clone().map(|(has, _)| has));
    let added: Vec<&LeafSet> = pairs.map(|(_, adds)| adds).collect();
    let mut used = Used(vec![false; added.len()]);
    let mut waiting: Vec<usize> = bits::ones(row).chain(bits::ones(besides)).collect();
    while let Some(leaf) = waiting.pop() {
        for at in index.take(leaf) {
            if let Some(adds) = added.get(at).filter(|_| used.first(at)) {
                add(row, adds.row(), &mut waiting);
            }
        }
    }
}

/// Adds leaves; those that are new wait.
fn add(into: &mut [u64], row: &[u64], waiting: &mut Vec<usize>) {
    for (at, (into, row)) in into.iter_mut().zip(row).enumerate() {
        let new = row & !*into;
        *into |= new;
        waiting.extend(bits::ones(&[new]).map(|bit| at * 64 + bit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES: usize = 130;

    fn set(leaves: impl IntoIterator<Item = usize>) -> LeafSet {
        let mut set = LeafSet::empty(LEAVES);
        leaves.into_iter().for_each(|leaf| set.insert(leaf));
        set
    }

    /// By passing over all, until nothing changes.
    fn plainly(derives: &Derives, plain: &mut LeafSet, marked: &mut LeafSet, marks: Option<&LeafSet>) {
        for _ in 0..=2 * LEAVES {
            for (from, into) in derives {
                if marked.intersects(from) {
                    marked.extend(into.row());
                }
                if plain.intersects(from) {
                    let none = set([]);
                    let marks = marks.unwrap_or(&none);
                    plain.extend(into.minus(marks).row());
                    marked.extend(into.and(marks).row());
                }
            }
        }
    }

    #[test]
    fn the_order_of_derivations_does_not_matter() {
        let mut number = 1_u64;
        let mut next = |below: usize| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 33) as usize % below
        };
        for _ in 0..200 {
            let derives: Vec<_> = (0..40)
                .map(|_| (set([next(LEAVES), next(LEAVES)]), set([next(LEAVES), next(LEAVES)])))
                .collect();
            let marks = [None, Some(set((0..5).map(|_| next(LEAVES))))][next(2)].clone();
            let (plain, marked) =
                (set([next(LEAVES), next(LEAVES)]), set((0..next(3)).map(|_| next(LEAVES))));
            let (mut a, mut b) = (plain.clone(), marked.clone());
            plainly(&derives, &mut a, &mut b, marks.as_ref());
            let (mut c, mut d) = (plain.clone(), marked.clone());
            derive(&derives, c.row_mut(), d.row_mut(), marks.as_ref());
            assert_eq!((a, b), (c, d));
            let turned: Vec<_> = derives.iter().map(|(from, into)| (into.clone(), from.clone())).collect();
            let (mut back, mut none) = (plain.clone(), set([]));
            plainly(&turned, &mut back, &mut none, None);
            assert_eq!(deriving(&derives, &plain), back);
        }
    }

    #[test]
    fn a_chain_written_from_its_end_takes_a_step_for_each_link() {
        let derives: Vec<_> = (0..LEAVES - 1).rev().map(|at| (set([at]), set([at + 1]))).collect();
        let (mut plain, mut marked, mut steps) = (set([0]), set([]), 0);
        derive_counting(&derives, plain.row_mut(), marked.row_mut(), None, &mut steps);
        assert_eq!((plain.iter().count(), steps), (LEAVES, LEAVES - 1));
    }
}
