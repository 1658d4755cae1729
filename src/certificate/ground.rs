//! The declared world as the checker reads it: which flows leave where, how far an item
//! gets from its origin, and what systems make of data. Nothing here is shared with what
//! finds findings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::sets::{Sets, State};
use crate::bits::LeafSet;
use crate::load::World;
use crate::matching::Matching;
use crate::model::{Counting, FlowId, Model, PartyId, Scope, SystemId, Table};
use crate::vocabulary::Relation;

/// The declared world, and where data starts in it.
pub struct Ground<'w> {
    /// The declared world.
    pub model: &'w Model,
    /// How matchers hold.
    pub matching: Matching<'w>,
    /// Which flows count.
    pub counting: Counting,
    /// The counting flows that leave each system.
    pub out: Table<SystemId, Vec<FlowId>>,
    /// The counting flows that enter each system.
    pub into: Table<SystemId, Vec<FlowId>>,
    /// The leaves assumed to start at each system.
    pub assumed: BTreeMap<SystemId, LeafSet>,
    /// The parties that some counting flow's `only_from` names.
    pub named: BTreeSet<PartyId>,
}

impl<'w> Ground<'w> {
    /// The world in a scope, without assumed origins.
    pub fn new(world: &'w World, day: Date, scope: &Scope) -> Self {
        let model = &world.model;
        let counting = Counting::new(model, scope);
        let mut out = model.systems.map(|_| Vec::new());
        let mut into = model.systems.map(|_| Vec::new());
        for flow in counting.iter() {
            out[model.flows[flow].from].push(flow);
            into[model.flows[flow].to].push(flow);
        }
        let matching = Matching { model, day };
        let only = counting.iter().filter_map(|flow| model.flows[flow].only_from.as_ref());
        let named = only.flatten().copied().collect();
        Ground { model, matching, counting, out, into, assumed: BTreeMap::new(), named }
    }

    /// No leaves.
    pub fn nothing(&self) -> LeafSet {
        LeafSet::empty(self.model.data.leaf_count())
    }

    /// The group that a party belongs to.
    pub fn group(&self, party: PartyId) -> PartyId {
        self.model.parties[party].group
    }

    /// What starts at a system, declared or assumed.
    pub fn start(&self, system: SystemId, assumed: bool) -> Option<&LeafSet> {
        if assumed {
            return self.assumed.get(&system);
        }
        Some(&self.model.systems[system].originates).filter(|leaves| !leaves.is_empty())
    }

    /// Where data starts, declared or assumed.
    pub fn starts(&self, assumed: bool) -> Vec<(SystemId, &LeafSet)> {
        if assumed {
            return self.assumed.iter().map(|(&system, leaves)| (system, leaves)).collect();
        }
        let all = self.model.systems.iter().map(|(id, system)| (id, &system.originates));
        all.filter(|(_, leaves)| !leaves.is_empty()).collect()
    }

    /// The distance of an item of a party's after a flow, if it was at distance `k`.
    pub fn distance(&self, flow: FlowId, origin: PartyId, k: u8) -> u8 {
        let (sender, receiver) = (self.model.sender(flow), self.model.receiver(flow));
        if self.group(receiver) == self.group(origin) {
            return 0;
        }
        if self.group(sender) == self.group(receiver) {
            return k;
        }
        if let Some(provider) = self.model.processing_provider(flow)
            && (sender == provider || receiver == provider && sender != origin)
        {
            return k;
        }
        (k + 1).min(2)
    }

    /// What a system is to an item of a party's that got there at distance `k`.
    pub fn relation(&self, at: SystemId, origin: PartyId, k: u8) -> Relation {
        let party = self.model.systems[at].party;
        match k {
            _ if party == origin => Relation::FirstParty,
            _ if self.group(party) == self.group(origin) => Relation::Affiliate,
            0 => Relation::Processor,
            1 => Relation::SecondParty,
            _ => Relation::ThirdParty,
        }
    }

    /// Adds what a system makes of what it holds, in one plane, until nothing is new.
    pub fn derive(&self, at: SystemId, held: &mut [LeafSet; 2], marks: Option<&LeafSet>) {
        let derives = &self.model.systems[at].derives;
        loop {
            let before = held.clone();
            for (from, into) in derives {
                let [plain, marked] = held;
                if marked.intersects(from) {
                    marked.extend(into.row());
                }
                if plain.intersects(from) {
                    let of = marks.map_or_else(|| self.nothing(), |marks| into.and(marks));
                    plain.extend(into.minus(&of).row());
                    marked.extend(of.row());
                }
            }
            if *held == before {
                return;
            }
        }
    }

    /// The leaves that are, or are made at a system into, one of some others.
    pub fn made_into(&self, at: SystemId, wanted: &LeafSet) -> LeafSet {
        let mut all = wanted.clone();
        loop {
            let before = all.clone();
            for (from, into) in &self.model.systems[at].derives {
                if into.intersects(&all) {
                    all.extend(from.row());
                }
            }
            if all == before {
                return all;
            }
        }
    }

    /// Leaves from which a system makes something that is in some sets, in a plane, but that
    /// are not in them themselves.
    pub fn leading_in(
        &self,
        at: SystemId,
        plane: u8,
        sets: &Sets,
        marks: Option<&LeafSet>,
    ) -> Vec<(State, LeafSet)> {
        let mut missing = Vec::new();
        for (from, into) in &self.model.systems[at].derives {
            for marked in [false, true] {
                let state = State { plane, marked };
                let of = match marks {
                    Some(marks) if !marked => into.and(marks),
                    _ => self.nothing(),
                };
                let leads = sets.within(at, state, &into.minus(&of)).is_some()
                    || sets.within(at, State { plane, marked: true }, &of).is_some();
                if leads && !sets.has(at, state, from) {
                    missing.push((state, from.clone()));
                }
            }
        }
        missing
    }
}
