//! Sets of leaves by system and state, in memory and in a certificate.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::bits::LeafSet;
use crate::model::{Model, SystemId};

/// What must be known of an item besides its current leaf: a plane (its distance, or
/// whether it is under terms) and whether it has been of the categories asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The plane.
    pub plane: u8,
    /// A leaf of its history is below the categories.
    pub marked: bool,
}

impl State {
    /// As one number: twice the plane, and one more if marked.
    fn number(self) -> u8 {
        self.plane * 2 + u8::from(self.marked)
    }

    fn of(number: u8) -> Self {
        State { plane: number / 2, marked: number % 2 == 1 }
    }
}

/// The current leaves in each state at each system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sets {
    rows: FxHashMap<u64, LeafSet>,
}

/// A system and a state as one number.
fn key(system: SystemId, state: State) -> u64 {
    u64::from(system.0) << 8 | u64::from(state.number())
}

impl Sets {
    /// The leaves at a system in a state, if there are any.
    pub fn get(&self, system: SystemId, state: State) -> Option<&LeafSet> {
        self.rows.get(&key(system, state))
    }

    /// Whether some leaves are all there.
    pub fn has(&self, system: SystemId, state: State, leaves: &LeafSet) -> bool {
        leaves.is_empty() || self.get(system, state).is_some_and(|here| leaves.is_subset(here))
    }

    /// What of some leaves is there.
    pub fn within(&self, system: SystemId, state: State, leaves: &LeafSet) -> Option<LeafSet> {
        self.get(system, state).map(|here| here.and(leaves)).filter(|both| !both.is_empty())
    }

    /// Adds leaves; those that are new.
    pub fn add(&mut self, system: SystemId, state: State, leaves: &LeafSet) -> Option<LeafSet> {
        if leaves.is_empty() {
            return None;
        }
        let here = self.rows.entry(key(system, state)).or_insert_with(|| leaves.minus(leaves));
        let new = leaves.minus(here);
        here.extend(leaves.row());
        (!new.is_empty()).then_some(new)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SystemId, State, &LeafSet)> {
        let mut all: Vec<(u64, &LeafSet)> = self.rows.iter().map(|(&key, leaves)| (key, leaves)).collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        // The lowest eight bits are the state's.
        all.into_iter().map(|(key, row)| (SystemId((key >> 8) as u32), State::of(key as u8), row))
    }
}

/// The sets of leaves of one part, each written once: the fewest categories that stand for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dictionary {
    sets: Vec<Vec<String>>,
    #[serde(skip)]
    known: BTreeMap<LeafSet, usize>,
}

/// Leaves that some systems hold: the number of a set, and the systems' places.
pub type Placed = (usize, Vec<u32>);

/// As [`Placed`], in a state (its number first).
pub type Stated = (u8, usize, Vec<u32>);

impl Dictionary {
    fn number(&mut self, model: &Model, leaves: &LeafSet) -> usize {
        if let Some(&known) = self.known.get(leaves) {
            return known;
        }
        self.sets.push(model.data.cover(leaves));
        self.known.insert(leaves.clone(), self.sets.len() - 1);
        self.sets.len() - 1
    }

    /// Sets as written.
    pub fn write(&mut self, model: &Model, sets: &Sets) -> Vec<Stated> {
        let mut by_set: BTreeMap<(u8, usize), Vec<u32>> = BTreeMap::new();
        for (system, state, leaves) in sets.iter().filter(|(_, _, leaves)| !leaves.is_empty()) {
            let key = (state.number(), self.number(model, leaves));
            by_set.entry(key).or_default().push(system.0);
        }
        by_set.into_iter().map(|((state, set), systems)| (state, set, systems)).collect()
    }

    /// Leaves by system as written.
    pub fn write_starts(&mut self, model: &Model, starts: &BTreeMap<SystemId, LeafSet>) -> Vec<Placed> {
        let mut by_set: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (system, leaves) in starts {
            by_set.entry(self.number(model, leaves)).or_default().push(system.0);
        }
        by_set.into_iter().collect()
    }

    /// The sets' leaves; `None` if a category is unknown.
    pub fn leaves(&self, model: &Model) -> Option<Vec<LeafSet>> {
        self.sets.iter().map(|names| leaves_named(model, names)).collect()
    }
}

/// The leaves of some categories; `None` if one is unknown.
pub fn leaves_named(model: &Model, names: &[String]) -> Option<LeafSet> {
    let keys: Option<Vec<_>> = names.iter().map(|name| model.data.find(name)).collect();
    Some(model.data.leaves(&keys?))
}

/// Sets as they were written; `None` if a number names nothing.
pub fn read(model: &Model, leaves: &[LeafSet], written: &[Stated]) -> Option<Sets> {
    let mut sets = Sets::default();
    for (state, set, systems) in written {
        for &system in systems {
            sets.add(system_at(model, system)?, State::of(*state), leaves.get(*set)?);
        }
    }
    Some(sets)
}

/// Leaves by system as they were written; `None` if a number names nothing.
pub fn read_starts(
    model: &Model,
    leaves: &[LeafSet],
    written: &[Placed],
) -> Option<BTreeMap<SystemId, LeafSet>> {
    let mut starts: BTreeMap<SystemId, LeafSet> = BTreeMap::new();
    for (set, systems) in written {
        let leaves = leaves.get(*set)?;
        for &system in systems {
            let here = starts.entry(system_at(model, system)?);
            here.or_insert_with(|| leaves.clone()).extend(leaves.row());
        }
    }
    Some(starts)
}

/// The system at a place in the order of names.
pub fn system_at(model: &Model, place: u32) -> Option<SystemId> {
    ((place as usize) < model.systems.len()).then_some(SystemId(place))
}
