//! The kernel: items of many origins, moved together.
//!
//! A search asks many questions that differ only in whose items move, or under which terms. Each
//! is a *lane*: a bit in the row of an item's kind, ⟨system, leaf, plane, mark⟩.
//!
//! ```text
//! start:   lane l starts with o at s              ⟹  l ∈ row(s, o, plane 0, o ∈ marks)
//! flow:    l ∈ row(u, f, p, m), e: u → v counts,
//!          f below e.data, l ∈ passes(e),
//!          (p, l) goes to p′ over e               ⟹  l ∈ row(v, f, p′, m)
//! derive:  l ∈ row(v, f, p, m), v derives F → T,
//!          f ∈ F, t ∈ T                           ⟹  l ∈ row(v, t, p″, m ∨ t ∈ marks)
//!          p″ = restored(p) where v re-identifies, else p
//! ```
//!
//! This is the propagation of one item, written for all lanes at once: no rule looks at two lanes,
//! and what a rule asks of whose item it is stands in a mask ([`Question::passes`], the masks with
//! which [`Question::cross`] splits a row over planes). So a lane's bits are just the items that a
//! search of that lane alone would find. A layer holds what arrives after so many flows and had not
//! been there: a lane's first layer at a row is the length of its shortest walk to there.
//!
//! [`search()`] goes layer by layer and shows each crossing; `Layers::walk` reads walks back.

mod search;
mod whose;

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

pub use self::search::{Crossing, RowId, Seed, search};
pub use self::whose::Whose;
use crate::base::bits::{self, LeafSet};
use crate::model::FlowId;

/// The words of a row of lanes.
const WORDS: usize = 4;

/// A set of lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lanes([u64; WORDS]);

impl Lanes {
    /// How many lanes there are room for.
    pub const ROOM: usize = WORDS * 64;
    /// None.
    pub const NONE: Lanes = Lanes([0; WORDS]);
    /// All.
    pub const ALL: Lanes = Lanes([u64::MAX; WORDS]);

    /// A lane; none for one that there is no room for.
    pub fn one(lane: usize) -> Self {
        let mut one = Lanes::NONE;
        bits::set(&mut one.0, lane);
        one
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// The lanes, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        bits::ones(&self.0)
    }
}

impl BitAnd for Lanes {
    type Output = Lanes;
    fn bitand(mut self, other: Lanes) -> Lanes {
        self &= other;
        self
    }
}

impl BitAndAssign for Lanes {
    fn bitand_assign(&mut self, other: Lanes) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= b);
    }
}

impl BitOr for Lanes {
    type Output = Lanes;
    fn bitor(mut self, other: Lanes) -> Lanes {
        self |= other;
        self
    }
}

impl BitOrAssign for Lanes {
    fn bitor_assign(&mut self, other: Lanes) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
    }
}

impl Not for Lanes {
    type Output = Lanes;
    fn not(mut self) -> Lanes {
        self.0.iter_mut().for_each(|word| *word = !*word);
        self
    }
}

impl FromIterator<Lanes> for Lanes {
    fn from_iter<I: IntoIterator<Item = Lanes>>(all: I) -> Self {
        all.into_iter().fold(Lanes::NONE, BitOr::bitor)
    }
}

/// How lanes move.
pub trait Question {
    /// How many planes there are.
    fn planes(&self) -> usize {
        1
    }

    /// An item is marked once a leaf of its history is one of these.
    fn marks(&self) -> Option<&LeafSet> {
        None
    }

    /// The plane of an item once it is re-identified: as if no flow before had transformed it.
    fn restored(&self, plane: usize) -> usize {
        plane
    }

    /// The lanes that a flow's `only_from` lets pass.
    fn passes(&self, flow: FlowId) -> Lanes;

    /// In which planes lanes of a plane are after a flow; those that are not given do not go on.
    fn cross(&self, flow: FlowId, plane: usize, lanes: Lanes, go: impl FnMut(usize, Lanes));
}
