//! A `forbid` decided once for each flow, and the walks that it looks at.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::audit::analysis::Analysis;
use crate::audit::rules::exempt::Exempt;
use crate::base::bits::LeafSet;
use crate::base::vocabulary::Relation;
use crate::declare::policy::Forbid;
use crate::flow::graph::{Facts, Graph};
use crate::flow::propagate::{Course, Deriving, ItemsOf, OriginClass, Slot};
use crate::model::matching::{Arrival, Matching, RELATIONS};
use crate::model::{FlowId, PartyId, SystemId, Table};

/// A rule on each flow and system.
pub(super) struct Prepared<'j> {
    pub analysis: &'j Analysis<'j>,
    decided: Arc<Decided>,
}

/// What a rule says of each flow and system, whichever flows count and whoever's items come there.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The leaves of `data`; all, if it is left out.
    data: LeafSet,
    /// For each flow, counting or not, the relations with which its arrival matches `to`, a
    /// bit each, and whether it is exempt.
    flows: Table<FlowId, u8>,
    /// Whether the relation matters.
    relation: bool,
    /// The leaves that are of `data` on arrival at a system: by what it derives.
    touching: Deriving,
    /// The groups that have a system which matches `from`.
    from: Table<PartyId, bool>,
}

const EVERY: u8 = (1 << RELATIONS.len()) - 1;
const THROUGH: u8 = 1 << RELATIONS.len();
const ARRIVING: u8 = THROUGH << 1;

fn bit(relation: Relation) -> u8 {
    1 << RELATIONS.iter().position(|&r| r == relation).unwrap_or(0)
}

impl Decided {
    /// By the rule's matchers, of what is known of all flows.
    pub fn new(matching: Matching, facts: &Facts, rule: &Forbid) -> Self {
        let model = matching.model;
        let data = match rule.data.as_slice() {
            [] => LeafSet::full(model.data.leaf_count()),
            keys => model.data.leaves(keys.iter().map(|k| &k.value)),
        };
        let mut from = model.parties.map(|_| false);
        for (id, system) in model.systems.iter() {
            from[model.parties[system.origin].group] |= matching.source(&rule.from, id);
        }
        let relation = Matching::asks_relation(&rule.to);
        let (mut through, mut arriving) =
            (Exempt::new(matching, facts, &rule.through), Exempt::new(matching, facts, &rule.arriving));
        // Whether an arrival matches is up to the system and the flow's purposes; most flows to a
        // system have the same as the one before.
        let mut known: FxHashMap<(SystemId, u32), u8> = FxHashMap::default();
        let mut last: Table<SystemId, Option<(u32, u8)>> = model.systems.map(|_| None);
        let said = |flow: FlowId| {
            let (system, purposes) = (facts.receiving(flow), facts.purposes(flow));
            let to = match last[system] {
                // Nobody holds what is in a ghost.
                _ if model.is_ghost(system) => 0,
                Some((same, to)) if same == purposes => to,
                _ => {
                    let to = known.entry((system, purposes));
                    *to.or_insert_with(|| arrivals(matching, rule, relation, (flow, system)))
                }
            };
            last[system] = Some((purposes, to));
            let exempt = u8::from(through.holds(flow)) * THROUGH + u8::from(arriving.holds(flow)) * ARRIVING;
            to + exempt
        };
        let flows = model.flows.ids().map(said).collect();
        Decided { flows, relation, touching: Deriving::new(model, &data), data, from }
    }
}

/// The relations with which an arrival by a flow, whatever it carries, matches `to`.
fn arrivals(matching: Matching, rule: &Forbid, relation: bool, (flow, at): (FlowId, SystemId)) -> u8 {
    let matches = |relation| matching.arrival(&rule.to, Arrival { at, by: Some(flow), relation });
    if relation {
        RELATIONS.iter().filter(|&&r| matches(Some(r))).map(|&r| bit(r)).sum()
    } else {
        u8::from(matches(None)) * EVERY
    }
}

impl Decided {
    /// The leaves of `data`; all, if it is left out.
    pub fn data(&self) -> &LeafSet {
        &self.data
    }

    /// The flows that match `through`, if none matches `arriving`.
    pub fn through_alone(&self) -> Option<Vec<FlowId>> {
        if self.flows.values().any(|said| said & ARRIVING != 0) {
            return None;
        }
        Some(self.flows.iter().filter(|(_, said)| *said & THROUGH != 0).map(|(flow, _)| flow).collect())
    }
}

impl<'j> Prepared<'j> {
    /// As it was decided.
    pub fn new(analysis: &'j Analysis<'j>, decided: &Arc<Decided>) -> Self {
        Prepared { analysis, decided: Arc::clone(decided) }
    }

    pub fn decided(&self) -> &Arc<Decided> {
        &self.decided
    }

    /// The leaves of `data`.
    pub fn data(&self) -> &LeafSet {
        &self.decided.data
    }

    /// Whether the relation matters.
    pub fn relation(&self) -> bool {
        self.decided.relation
    }

    /// The leaves that are of `data` at a system.
    pub fn touching(&self, system: SystemId) -> &LeafSet {
        self.decided.touching.at(system)
    }

    /// Whether a flow matches `through`.
    pub fn through(&self, flow: FlowId) -> bool {
        self.decided.flows[flow] & THROUGH != 0
    }

    /// Whether a flow matches `arriving`.
    pub fn arriving(&self, flow: FlowId) -> bool {
        self.decided.flows[flow] & ARRIVING != 0
    }

    /// The relations with which an arrival by a flow matches `to`, a bit each.
    pub fn to(&self, flow: FlowId) -> u8 {
        self.decided.flows[flow] & EVERY
    }

    /// The leaves with which items in a slot are of `data` when they arrive by a flow.
    pub fn of_data(&self, flow: FlowId, marked: bool, leaves: &[u64]) -> LeafSet {
        if marked {
            LeafSet::from(leaves)
        } else {
            self.touching(self.analysis.graph.receiving(flow)).with(leaves)
        }
    }

    /// The flows at which something may be found, by what they are.
    pub fn ends(&self, sought: Sought) -> impl Iterator<Item = FlowId> {
        let matters = move |said: u8| match sought {
            Sought::Breaches => said & (THROUGH | ARRIVING) == 0 && said & EVERY != 0,
            Sought::Exemptions => said & THROUGH != 0 || said & ARRIVING != 0 && said & EVERY != 0,
        };
        self.decided.flows.iter().filter(move |(_, said)| matters(**said)).map(|(flow, _)| flow)
    }
}

/// Whose items are followed.
#[derive(Clone, Copy)]
pub(super) enum Items<'p> {
    /// Those of one origin, or of many alike.
    Of(ItemsOf, &'p OriginClass),
    /// Those of any group from which the rule follows data.
    Sources,
    /// Anybody's, distances left open.
    Anybody,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sought {
    /// Arrivals that break the rule.
    Breaches,
    /// Exemptions but for which data would go on, or break it.
    Exemptions,
}

/// The places of the bits that are set.
fn ones(bits: u8) -> impl Iterator<Item = usize> {
    (0..RELATIONS.len()).filter(move |place| bits >> place & 1 == 1)
}

/// Walks of items; planes are distances if the relation matters.
#[derive(Clone, Copy)]
pub(super) struct Reach<'p> {
    pub rule: &'p Prepared<'p>,
    pub items: Items<'p>,
}

impl Reach<'_> {
    fn graph(&self) -> &Graph<'_> {
        self.rule.analysis.graph
    }

    /// Whether distances are distinguished.
    fn distances_matter(&self) -> bool {
        self.rule.relation() && !matches!(self.items, Items::Anybody)
    }

    /// The distances on arrival, a bit each.
    fn distances(&self, flow: FlowId, k: usize) -> u8 {
        match self.items {
            Items::Of(whose, alike) => 1 << alike.distance(self.graph(), flow, whose, k),
            Items::Sources => self.graph().distances(flow, k, &self.rule.decided.from),
            Items::Anybody => 1 << k,
        }
    }

    /// Whether arriving by a flow in a plane matches `to`, or may.
    fn arrives(&self, flow: FlowId, plane: usize) -> bool {
        let matching = self.rule.to(flow);
        if !self.distances_matter() || matching == 0 {
            return matching != 0;
        }
        let relations: u8 = match self.items {
            Items::Of(whose, alike) => {
                let k = alike.distance(self.graph(), flow, whose, plane);
                bit(alike.relation(self.graph(), flow, whose, k))
            }
            _ => {
                let home = self.rule.decided.from[self.graph().entered(flow)];
                let own = if home { bit(Relation::FirstParty) | bit(Relation::Affiliate) } else { 0 };
                ones(self.distances(flow, plane)).fold(own, |all, k| all | bit(Graph::elsewhere(k)))
            }
        };
        matching & relations != 0
    }

    /// The leaves in a slot with which items break the rule as they arrive by a flow, or
    /// for which an exemption keeps them from going on or from breaking it.
    pub fn finds(&self, sought: Sought, flow: FlowId, slot: Slot, leaves: &[u64]) -> Option<LeafSet> {
        let (through, arriving) = (self.rule.through(flow), self.rule.arriving(flow));
        let may = match sought {
            Sought::Breaches => !through && !arriving,
            Sought::Exemptions => through || arriving,
        };
        if !may {
            return None;
        }
        if !through && self.rule.to(flow) == 0 {
            return None;
        }
        let hit = self.rule.of_data(flow, slot.marked, leaves);
        let met = || through || self.arrives(flow, slot.plane);
        (!hit.is_empty() && met()).then_some(hit)
    }

    /// Where items in a slot are in after a flow.
    pub fn after(&self, flow: FlowId, slot: Slot) -> impl Iterator<Item = Slot> {
        self.nexts(flow, slot.plane).map(move |plane| Slot { plane, ..slot })
    }
}

impl Course for Reach<'_> {
    fn planes(&self) -> usize {
        if self.distances_matter() { 3 } else { 1 }
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(self.rule.data())
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        self.nexts(flow, plane).next()
    }

    fn nexts(&self, flow: FlowId, plane: usize) -> impl Iterator<Item = usize> {
        ones(match (self.rule.through(flow), self.distances_matter()) {
            (true, _) => 0,
            (false, false) => 1 << plane,
            (false, true) => self.distances(flow, plane),
        })
    }
}
