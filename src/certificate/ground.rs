//! The declared world as the checker reads it: which flows leave where, how far an item
//! gets from its origin, and what systems make of data. Nothing here is shared with what
//! finds findings.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;

use super::sets::{Sets, State};
use crate::bits::LeafSet;
use crate::load::World;
use crate::matching::Matching;
use crate::model::{Counting, FlowId, Model, PartyId, Scope, SystemId, Table};
use crate::vocabulary::{Relation, Transform};

/// A counting flow, with what is asked of it most.
pub struct Edge {
    /// The flow.
    pub flow: FlowId,
    /// Where it starts.
    pub from: SystemId,
    /// Where it ends.
    pub to: SystemId,
    /// The party that runs the sending system.
    pub sender: PartyId,
    /// The party that runs the receiving system.
    pub receiver: PartyId,
    /// The sender's group.
    pub left: PartyId,
    /// The receiver's group.
    pub entered: PartyId,
    /// Whether it carries some parties' data alone.
    pub only: bool,
    /// Who of both is the provider for whom the other processes.
    provider: Provider,
    /// What is done to the data.
    pub transform: Transform,
    /// The leaves that it may carry.
    pub leaves: Arc<LeafSet>,
}

/// Who of a flow's ends is the provider of the processing agreement that it runs under.
#[derive(PartialEq, Eq)]
enum Provider {
    Sender,
    Receiver,
    Neither,
}

impl Edge {
    fn new(model: &Model, flow: FlowId) -> Self {
        let declared = &model.flows[flow];
        let (from, to) = (&model.systems[declared.from], &model.systems[declared.to]);
        let provider = match model.processing_provider(flow) {
            Some(party) if party == from.party => Provider::Sender,
            Some(party) if party == to.party => Provider::Receiver,
            _ => Provider::Neither,
        };
        Edge {
            flow,
            from: declared.from,
            to: declared.to,
            sender: from.party,
            receiver: to.party,
            left: model.parties[from.party].group,
            entered: model.parties[to.party].group,
            only: declared.only_from.is_some(),
            provider,
            transform: declared.transform,
            leaves: Arc::clone(&declared.leaves),
        }
    }

    /// Whether it goes to somebody who processes for the sender.
    pub fn to_processor(&self) -> bool {
        self.provider == Provider::Sender
    }
}

/// The declared world, and where data starts in it.
pub struct Ground<'w> {
    /// The declared world.
    pub model: &'w Model,
    /// How matchers hold.
    pub matching: Matching<'w>,
    /// Which flows count.
    pub counting: Counting,
    /// The counting flows, those that leave one system side by side.
    edges: Vec<Edge>,
    /// Those that leave each system.
    out: Table<SystemId, Range<usize>>,
    /// Those that enter each system.
    into: Table<SystemId, Vec<u32>>,
    /// The place of each flow among those that count.
    places: Table<FlowId, Option<u32>>,
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
        let mut edges: Vec<Edge> = counting.iter().map(|flow| Edge::new(model, flow)).collect();
        edges.sort_by_key(|edge| edge.from);
        let mut out = model.systems.map(|_| 0..0);
        let mut into = model.systems.map(|_| Vec::new());
        let mut places = model.flows.map(|_| None);
        for (at, edge) in edges.iter().enumerate() {
            let leaving = &mut out[edge.from];
            *leaving = if leaving.end == 0 { at..at + 1 } else { leaving.start..at + 1 };
            // Ids have 32 bits, so there are no more flows.
            into[edge.to].push(at as u32);
            places[edge.flow] = Some(at as u32);
        }
        let matching = Matching { model, day };
        let only = counting.iter().filter_map(|flow| model.flows[flow].only_from.as_ref());
        let named = only.flatten().copied().collect();
        Ground { model, matching, counting, edges, out, into, places, assumed: BTreeMap::new(), named }
    }

    /// The counting flows.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The counting flows that leave a system.
    pub fn out(&self, system: SystemId) -> &[Edge] {
        self.edges.get(self.out[system].clone()).unwrap_or_default()
    }

    /// The counting flows that enter a system.
    pub fn into(&self, system: SystemId) -> impl Iterator<Item = &Edge> {
        self.into[system].iter().filter_map(|&at| self.edges.get(at as usize))
    }

    /// A flow, if it counts.
    pub fn edge(&self, flow: FlowId) -> Option<&Edge> {
        self.edges.get(self.places[flow]? as usize)
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
    pub fn distance(&self, edge: &Edge, origin: PartyId, k: u8) -> u8 {
        if edge.entered == self.group(origin) {
            return 0;
        }
        let processing = match edge.provider {
            Provider::Sender => true,
            Provider::Receiver => edge.sender != origin,
            Provider::Neither => false,
        };
        if edge.left == edge.entered || processing { k } else { (k + 1).min(2) }
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
        while !derives.is_empty() {
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
