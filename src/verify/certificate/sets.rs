//! Sets of leaves by system and state, in memory and in a certificate.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::base::bits::LeafSet;
use crate::model::{Id, Model, SystemId};

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

    /// The state of a number, if it has one.
    fn of(number: u8) -> Option<Self> {
        (number < STATES).then_some(State { plane: number / 2, marked: number % 2 == 1 })
    }
}

/// How many states there are: three distances, exempt or not, each marked or not.
const STATES: u8 = 12;

/// From how many rows on these are found by place instead of by hash.
const MANY: usize = 2048;

/// The current leaves in each state at each system.
#[derive(Debug, Clone, Default)]
pub struct Sets {
    rows: Vec<(SystemId, State, LeafSet)>,
    /// The place after each row's, while there are few.
    few: FxHashMap<u64, u32>,
    /// The same by state and system, once there are many; 0: no row.
    many: Vec<Vec<u32>>,
}

/// A system and a state as one number.
fn key(system: SystemId, state: State) -> u64 {
    u64::from(system.0) << 8 | u64::from(state.number())
}

impl Sets {
    fn place(&self, system: SystemId, state: State) -> Option<usize> {
        let after = if self.many.is_empty() {
            self.few.get(&key(system, state))
        } else {
            self.many.get(usize::from(state.number())).and_then(|of_state| of_state.get(system.index()))
        };
        (*after? as usize).checked_sub(1)
    }

    /// The leaves at a system in a state, if there are any.
    pub fn get(&self, system: SystemId, state: State) -> Option<&LeafSet> {
        self.rows.get(self.place(system, state)?).map(|(.., leaves)| leaves)
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
        if let Some(place) = self.place(system, state) {
            let (.., here) = self.rows.get_mut(place)?;
            let new = leaves.minus(here);
            here.extend(leaves.row());
            return (!new.is_empty()).then_some(new);
        }
        self.rows.push((system, state, leaves.clone()));
        self.find(self.rows.len(), system, state);
        Some(leaves.clone())
    }

    /// Makes the last row one that is found.
    fn find(&mut self, after: usize, system: SystemId, state: State) {
        if self.many.is_empty() && after < MANY {
            // There are no more systems than numbers of 32 bits, and few states.
            self.few.insert(key(system, state), after as u32);
            return;
        }
        let rows = if self.many.is_empty() { 0 } else { after - 1 };
        for (place, (system, state, _)) in self.rows.iter().enumerate().skip(rows) {
            let number = usize::from(state.number());
            if self.many.len() <= number {
                self.many.resize(number + 1, Vec::new());
            }
            let Some(of_state) = self.many.get_mut(number) else { continue };
            if of_state.len() <= system.index() {
                of_state.resize(system.index() + 1, 0);
            }
            if let Some(known) = of_state.get_mut(system.index()) {
                *known = place as u32 + 1;
            }
        }
        self.few = FxHashMap::default();
    }

    /// All, as they came.
    pub fn each(&self) -> impl Iterator<Item = (SystemId, State, &LeafSet)> {
        self.rows.iter().map(|(system, state, leaves)| (*system, *state, leaves))
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SystemId, State, &LeafSet)> {
        let mut all: Vec<_> = self.each().collect();
        all.sort_unstable_by_key(|(system, state, _)| (*system, *state));
        all.into_iter()
    }

    /// The systems at which there are leaves, in order.
    pub fn systems(&self) -> Vec<SystemId> {
        let mut all: Vec<SystemId> = self.each().map(|(system, ..)| system).collect();
        all.sort_unstable();
        all.dedup();
        all
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
        let (state, leaves) = (State::of(*state)?, leaves.get(*set)?);
        for &system in systems {
            sets.add(system_at(model, system)?, state, leaves);
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
