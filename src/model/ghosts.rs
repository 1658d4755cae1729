//! Ghosts: what a receiver had until it disposed of it.
//!
//! ```text
//! e: u → v is disposed on d and began before d        ⟹  e leads into the ghost ⟨v, d⟩
//! e: v → w, counting or disposed, began before d      ⟹  e leaves ⟨v, d⟩, too
//! ```
//!
//! A model with ghosts has one more system for each ghost, and one more flow for each that leaves
//! one, so that whatever follows data over the flows of a model follows it through ghosts. A ghost
//! derives what its receiver derives, and nothing starts there. Ghosts of one receiver that the same
//! flows leave are one: nothing else distinguishes them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::counting::{began_before, begins, gone};
use super::{Counting, FlowId, Id, Model, Scope, SystemId};
use crate::base::bits::LeafSet;

/// Which systems of a model are ghosts, and which flows are those that leave them.
#[derive(Debug, Clone, Default)]
pub struct Ghosts {
    /// The receiver of each ghost and a day of its disposals, and of which place the first is.
    receivers: Vec<(SystemId, Date)>,
    first_system: usize,
    /// The declared flow that each flow from a ghost is, and of which place the first is.
    originals: Vec<FlowId>,
    first_flow: usize,
    /// The ghosts of each receiver.
    of: FxHashMap<SystemId, Vec<SystemId>>,
    /// The flows from ghosts that a declared flow is.
    copies: FxHashMap<FlowId, Vec<FlowId>>,
}

impl Ghosts {
    fn at(&self, system: SystemId) -> Option<(SystemId, Date)> {
        self.receivers.get(system.index().checked_sub(self.first_system)?).copied()
    }

    /// The declared system that a ghost is of.
    fn receiver(&self, system: SystemId) -> Option<SystemId> {
        Some(self.at(system)?.0)
    }

    /// The declared flow that a flow from a ghost is.
    fn declared(&self, flow: FlowId) -> Option<FlowId> {
        self.originals.get(flow.index().checked_sub(self.first_flow)?).copied()
    }
}

impl Model {
    /// Whether some systems are ghosts.
    pub fn has_ghosts(&self) -> bool {
        !self.ghosts.receivers.is_empty()
    }

    /// Whether a system is a ghost.
    pub fn is_ghost(&self, system: SystemId) -> bool {
        self.ghosts.receiver(system).is_some()
    }

    /// The declared system that a system is, or is a ghost of.
    pub fn declared_system(&self, system: SystemId) -> SystemId {
        self.ghosts.receiver(system).unwrap_or(system)
    }

    /// The ghosts of a declared system.
    pub fn ghosts_of(&self, system: SystemId) -> &[SystemId] {
        self.ghosts.of.get(&system).map_or(&[], Vec::as_slice)
    }

    /// What each system is called; a ghost by its receiver and the first day of its disposals.
    pub fn system_labels(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.systems.iter().map(|(id, system)| match self.ghosts.at(id) {
            Some((_, day)) => Cow::Owned(format!("{} until {day}", system.name)),
            None => Cow::Borrowed(system.name.as_str()),
        })
    }

    /// Whether a flow leaves a ghost.
    pub fn leaves_ghost(&self, flow: FlowId) -> bool {
        self.ghosts.declared(flow).is_some()
    }

    /// The flow as declared, wherever it starts.
    pub fn declared_flow(&self, flow: FlowId) -> FlowId {
        self.ghosts.declared(flow).unwrap_or(flow)
    }

    /// A declared flow, from its sender and from the ghosts of that.
    pub fn everywhere(&self, flow: FlowId) -> impl Iterator<Item = FlowId> + Clone + '_ {
        let copies = self.ghosts.copies.get(&flow).map_or(&[][..], Vec::as_slice);
        std::iter::once(flow).chain(copies.iter().copied())
    }

    /// The model with the ghosts of a scope; itself, if there are none.
    pub fn with_ghosts(&self, day: Date, scope: &Scope) -> Cow<'_, Model> {
        let counting = Counting::new(self, day, scope);
        let gone = |&flow: &FlowId| Some((flow, gone(self, flow, day, scope)?));
        let disposed = counting.disposed.iter().chain(&counting.expired).filter_map(gone);
        let disposed: BTreeMap<FlowId, Date> =
            disposed.filter(|&(flow, day)| began_before(self, flow, day)).collect();
        if disposed.is_empty() || scope.running_on.is_some() {
            return Cow::Borrowed(self);
        }
        let mut haunted = Haunted::new(self, &disposed);
        haunted.leave(counting.iter().chain(disposed.keys().copied()).collect());
        for (&flow, &day) in &disposed {
            if let Some(ghost) = haunted.ghost(self.flows[flow].to, day) {
                haunted.model.flows[flow].to = ghost;
                for copy in haunted.model.ghosts.copies.get(&flow).cloned().unwrap_or_default() {
                    haunted.model.flows[copy].to = ghost;
                }
            }
        }
        Cow::Owned(haunted.model)
    }
}

/// A model while ghosts are added to it.
struct Haunted {
    model: Model,
    /// When the flows began that leave a receiver, in order; where none is stated, before all.
    begun: BTreeMap<SystemId, Vec<Option<Date>>>,
    /// Of each receiver the ghosts, by how many of those days are before the disposal, with the
    /// day of one.
    ghosts: BTreeMap<(SystemId, usize), (SystemId, Date)>,
}

impl Haunted {
    /// Adds a system for each ghost.
    fn new(declared: &Model, disposed: &BTreeMap<FlowId, Date>) -> Self {
        let mut model = declared.clone();
        model.ghosts.first_system = declared.systems.len();
        model.ghosts.first_flow = declared.flows.len();
        let receivers: BTreeSet<SystemId> = disposed.keys().map(|&flow| declared.flows[flow].to).collect();
        let mut begun: BTreeMap<SystemId, Vec<Option<Date>>> =
            receivers.into_iter().map(|system| (system, Vec::new())).collect();
        for (flow, at) in declared.flows.iter() {
            if let Some(begun) = begun.get_mut(&at.from) {
                begun.push(begins(declared, flow));
            }
        }
        begun.values_mut().for_each(|days| days.sort_unstable());
        let mut haunted = Haunted { model, begun, ghosts: BTreeMap::new() };
        let at: BTreeSet<(SystemId, Date)> =
            disposed.iter().map(|(&flow, &day)| (declared.flows[flow].to, day)).collect();
        for (receiver, day) in at {
            let key = (receiver, haunted.leaving(receiver, day));
            if haunted.ghosts.contains_key(&key) {
                continue;
            }
            let mut ghost = declared.systems[receiver].clone();
            ghost.originates = LeafSet::empty(declared.data.leaf_count());
            let derives = !ghost.derives.is_empty();
            let id = haunted.model.systems.push(ghost);
            if derives {
                haunted.model.deriving.push(id);
            }
            haunted.model.ghosts.receivers.push((receiver, day));
            haunted.model.ghosts.of.entry(receiver).or_default().push(id);
            haunted.ghosts.insert(key, (id, day));
        }
        haunted
    }

    /// How many flows that leave a receiver began before a day.
    fn leaving(&self, receiver: SystemId, day: Date) -> usize {
        let begun = self.begun.get(&receiver).map_or(&[][..], Vec::as_slice);
        begun.partition_point(|begun| *begun < Some(day))
    }

    fn ghost(&self, receiver: SystemId, day: Date) -> Option<SystemId> {
        self.ghosts.get(&(receiver, self.leaving(receiver, day))).map(|(ghost, _)| *ghost)
    }

    /// Adds the flows that leave ghosts.
    fn leave(&mut self, moving: BTreeSet<FlowId>) {
        let mut out: BTreeMap<SystemId, Vec<FlowId>> = BTreeMap::new();
        for flow in moving {
            let from = self.model.flows[flow].from;
            if self.begun.contains_key(&from) {
                out.entry(from).or_default().push(flow);
            }
        }
        for (&(receiver, _), &(ghost, day)) in &self.ghosts {
            for &flow in out.get(&receiver).into_iter().flatten() {
                if !began_before(&self.model, flow, day) {
                    continue;
                }
                let mut copy = self.model.flows[flow].clone();
                copy.from = ghost;
                if let Some(agreement) = copy.agreement {
                    let next = FlowId::from_index(self.model.flows.len());
                    self.model.agreements[agreement].flows.push(next);
                }
                let id = self.model.flows.push(copy);
                self.model.ghosts.originals.push(flow);
                self.model.ghosts.copies.entry(flow).or_default().push(id);
            }
        }
    }
}
