//! A `forbid` decided once for each flow, and the walks that it looks at.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::audit::analysis::{Analysis, Witness};
use crate::audit::rules::exempt::{Exempt, Exemption};
use crate::base::bits::LeafSet;
use crate::base::vocabulary::Relation;
use crate::declare::policy::Forbid;
use crate::flow::graph::{Facts, Footing, Graph};
use crate::flow::propagate::{BackwardSlice, Course, Deriving, ItemsOf, OriginClass, Restoring, Rows, Slot};
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
    flows: Table<FlowId, u16>,
    /// Whether the relation matters.
    relation: bool,
    /// The leaves that are of `data` on arrival at a system: by what it derives.
    touching: Deriving,
    /// Whether some flow exempts for what it does to the data, and some system re-identifies.
    restores: bool,
    /// The leaves that are of `data` and re-identified at a system.
    restoring: Restoring,
    /// The groups that have a system which matches `from`.
    from: Table<PartyId, bool>,
}

const EVERY: u16 = (1 << RELATIONS.len()) - 1;
const THROUGH: u16 = 1 << RELATIONS.len();
const ARRIVING: u16 = THROUGH << 1;
/// Besides one of those: only for what the flow does to the data.
const THROUGH_TRANSFORMED: u16 = ARRIVING << 1;
const ARRIVING_TRANSFORMED: u16 = ARRIVING << 2;

fn bit(relation: Relation) -> u16 {
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
        let reidentifies = model.deriving.iter().any(|&system| model.systems[system].reidentifies());
        let (mut through, mut arriving) =
            (Exempt::new(matching, facts, &rule.through), Exempt::new(matching, facts, &rule.arriving));
        // Whether an arrival matches is up to the system and the flow's purposes; most flows to a
        // system have the same as the one before.
        let mut known: FxHashMap<(SystemId, u32), u16> = FxHashMap::default();
        let mut last: Table<SystemId, Option<(u32, u16)>> = model.systems.map(|_| None);
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
            let bits = |exemption, matched, transformed| match exemption {
                Exemption::None => 0,
                // Where nothing is ever re-identified it lasts.
                Exemption::Transformed if reidentifies => matched | transformed,
                Exemption::Transformed | Exemption::Lasting => matched,
            };
            to | bits(through.holds(flow), THROUGH, THROUGH_TRANSFORMED)
                | bits(arriving.holds(flow), ARRIVING, ARRIVING_TRANSFORMED)
        };
        let flows: Table<FlowId, u16> = model.flows.ids().map(said).collect();
        let restores = flows.values().any(|said| said & (THROUGH_TRANSFORMED | ARRIVING_TRANSFORMED) != 0);
        let restoring = if restores { Restoring::new(model, &data) } else { Restoring::default() };
        Decided { flows, relation, touching: Deriving::new(model, &data), data, restores, restoring, from }
    }
}

/// The relations with which an arrival by a flow, whatever it carries, matches `to`.
fn arrivals(matching: Matching, rule: &Forbid, relation: bool, (flow, at): (FlowId, SystemId)) -> u16 {
    let matches = |relation| matching.arrival(&rule.to, Arrival { at, by: Some(flow), relation });
    if relation {
        RELATIONS.iter().filter(|&&r| matches(Some(r))).map(|&r| bit(r)).sum()
    } else {
        u16::from(matches(None)) * EVERY
    }
}

impl Decided {
    /// The leaves of `data`; all, if it is left out.
    pub fn data(&self) -> &LeafSet {
        &self.data
    }

    /// Whether the relation matters.
    pub fn relation(&self) -> bool {
        self.relation
    }

    /// The flows that match `through`, and whether only by their transform.
    pub fn through(&self) -> Vec<(FlowId, bool)> {
        let through = self.flows.iter().filter(|(_, said)| *said & THROUGH != 0);
        through.map(|(flow, said)| (flow, said & THROUGH_TRANSFORMED != 0)).collect()
    }

    /// The flows that match `through`, and whether only by their transform, if none matches `arriving`.
    pub fn through_alone(&self) -> Option<Vec<(FlowId, bool)>> {
        if self.flows.values().any(|said| said & ARRIVING != 0) {
            return None;
        }
        Some(self.through())
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

    /// How a flow that matches `through` exempts.
    pub fn through(&self, flow: FlowId) -> Exemption {
        self.exemption(flow, THROUGH, THROUGH_TRANSFORMED)
    }

    /// How a flow that matches `arriving` exempts.
    pub fn arriving(&self, flow: FlowId) -> Exemption {
        self.exemption(flow, ARRIVING, ARRIVING_TRANSFORMED)
    }

    fn exemption(&self, flow: FlowId, matched: u16, transformed: u16) -> Exemption {
        match self.decided.flows[flow] {
            said if said & matched == 0 => Exemption::None,
            said if said & transformed != 0 => Exemption::Transformed,
            _ => Exemption::Lasting,
        }
    }

    /// Whether what is exempt may be re-identified.
    pub fn restores(&self) -> bool {
        self.decided.restores
    }

    /// The relations with which an arrival by a flow matches `to`, a bit each.
    pub fn to(&self, flow: FlowId) -> u16 {
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

    /// The leaves with which exempt items in a slot are re-identified, as `data`, where a flow brings them.
    pub fn restored(&self, flow: FlowId, marked: bool, leaves: &[u64]) -> LeafSet {
        self.decided.restoring.with(self.analysis.graph.receiving(flow), marked, leaves)
    }

    /// Whether items with a leaf break the rule as they arrive by a flow, whatever the relation: items that are
    /// exempt, and that are marked.
    pub fn breaks(&self, flow: FlowId, (exempt, marked): (bool, bool), leaf: usize) -> bool {
        let exemptions = [self.through(flow), self.arriving(flow)];
        if self.to(flow) == 0 || exemptions.contains(&Exemption::Lasting) {
            return false;
        }
        if exempt || exemptions.contains(&Exemption::Transformed) {
            let mut one = LeafSet::empty(self.analysis.model.data.leaf_count());
            one.insert(leaf);
            return !self.restored(flow, marked, one.row()).is_empty();
        }
        marked || self.touching(self.analysis.graph.receiving(flow)).contains(leaf)
    }

    /// Whether an arrival by a flow matches `to` with a relation.
    pub fn reaches(&self, flow: FlowId, relation: Relation) -> bool {
        self.to(flow) & bit(relation) != 0
    }

    /// A walk that breaks the rule, with what is on it.
    pub fn witness(&self, walk: Vec<FlowId>, data: &LeafSet) -> Witness {
        let transformed = |exemption| exemption == Exemption::Transformed;
        let last = walk.len();
        let exempts = walk.iter().enumerate().map(|(at, &flow)| {
            transformed(self.through(flow)) || at + 1 == last && transformed(self.arriving(flow))
        });
        let exempts: Vec<bool> = exempts.collect();
        self.analysis.witness_exempt(walk, data, Some(self.data()), |at, exempt| {
            exempt || exempts.get(at).copied().unwrap_or_default()
        })
    }

    /// The flows at which something may be found, by what they are.
    pub fn ends(&self, sought: Sought) -> impl Iterator<Item = FlowId> {
        let lasts = |said: u16, matched, transformed| said & matched != 0 && said & transformed == 0;
        let matters = move |said: u16| match sought {
            Sought::Breaches => {
                let exempt =
                    lasts(said, THROUGH, THROUGH_TRANSFORMED) || lasts(said, ARRIVING, ARRIVING_TRANSFORMED);
                !exempt && said & EVERY != 0
            }
            Sought::Exemptions => said & THROUGH != 0 || said & ARRIVING != 0 && said & EVERY != 0,
            Sought::Claims => said & THROUGH == 0,
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
    /// Flows over which it is a claim that decides on how far data gets, or whose affiliate has it.
    Claims,
}

/// The places of the bits that are set.
fn ones(bits: u16) -> impl Iterator<Item = usize> {
    (0..RELATIONS.len()).filter(move |place| bits >> place & 1 == 1)
}

/// Walks of items; planes are distances if the relation matters, and twice as many if an exemption may end: those of
/// exempt items then come last.
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

    /// How many planes tell distances apart.
    fn apart(&self) -> usize {
        if self.distances_matter() { 3 } else { 1 }
    }

    /// The distance of items in a plane, and whether they are exempt.
    pub fn split(&self, plane: usize) -> (usize, bool) {
        (plane % self.apart(), plane >= self.apart())
    }

    /// A slice that was found on this course, for a course of the same rule that tells distances apart if they matter.
    pub fn slice<'r>(&self, rows: &'r Rows) -> BackwardSlice<'r> {
        let each = if self.rule.relation() && !self.distances_matter() { 3 } else { 1 };
        BackwardSlice { each, ..BackwardSlice::of(rows, self.planes()) }
    }

    /// The distances on arrival, a bit each.
    fn distances(&self, flow: FlowId, k: usize) -> u16 {
        match self.items {
            Items::Of(whose, alike) => 1 << alike.distance(self.graph(), flow, whose, k),
            Items::Sources => self.graph().distances(flow, k, &self.rule.decided.from).into(),
            Items::Anybody => 1 << k,
        }
    }

    /// Whether items with a distance match `to`, or may, as they arrive by a flow.
    fn arrives(&self, flow: FlowId, k: usize) -> bool {
        let matching = self.rule.to(flow);
        if !self.distances_matter() || matching == 0 {
            return matching != 0;
        }
        let relations: u16 = match self.items {
            Items::Of(whose, alike) => {
                let k = alike.distance(self.graph(), flow, whose, k);
                bit(alike.relation(self.graph(), flow, whose, k))
            }
            _ => {
                let home = self.rule.decided.from[self.graph().entered(flow)];
                let own = if home { bit(Relation::FirstParty) | bit(Relation::Affiliate) } else { 0 };
                ones(self.distances(flow, k)).fold(own, |all, k| all | bit(Graph::elsewhere(k)))
            }
        };
        matching & relations != 0
    }

    /// By which claim the items are no further from their origin over a flow, if their party is known.
    pub fn footing(&self, flow: FlowId) -> Option<Footing> {
        match self.items {
            Items::Of(ItemsOf::One(origin), _) => self.graph().footing(flow, Some(origin.party())),
            Items::Of(ItemsOf::Many, _) | Items::Sources | Items::Anybody => self.graph().footing(flow, None),
        }
    }

    fn may_have_footing(&self, flow: FlowId) -> bool {
        match self.items {
            Items::Of(..) => self.footing(flow).is_some(),
            Items::Sources | Items::Anybody => self.graph().may_have_footing(flow),
        }
    }

    /// The leaves in a slot with which items break the rule as they arrive by a flow, or
    /// for which an exemption keeps them from going on or from breaking it.
    pub fn finds(&self, sought: Sought, flow: FlowId, slot: Slot, leaves: &[u64]) -> Option<LeafSet> {
        let (through, arriving) = (self.rule.through(flow), self.rule.arriving(flow));
        let (k, exempt) = self.split(slot.plane);
        let arrives = || self.rule.to(flow) != 0 && self.arrives(flow, k);
        match sought {
            Sought::Breaches => {
                let transformed = [through, arriving].contains(&Exemption::Transformed);
                if [through, arriving].contains(&Exemption::Lasting) || self.rule.to(flow) == 0 {
                    return None;
                }
                let hit = if exempt || transformed {
                    self.rule.restored(flow, slot.marked, leaves)
                } else {
                    self.rule.of_data(flow, slot.marked, leaves)
                };
                (!hit.is_empty() && arrives()).then_some(hit)
            }
            Sought::Exemptions => {
                // Of what is exempt already nobody asks again, unless the exemption lasts longer.
                let by_through = match exempt {
                    true => through == Exemption::Lasting,
                    false => through != Exemption::None,
                };
                if !by_through && (exempt || arriving == Exemption::None || self.rule.to(flow) == 0) {
                    return None;
                }
                let hit = self.rule.of_data(flow, slot.marked, leaves);
                (!hit.is_empty() && (by_through || arrives())).then_some(hit)
            }
            Sought::Claims => {
                if exempt || through != Exemption::None || !self.may_have_footing(flow) {
                    return None;
                }
                let hit = self.rule.of_data(flow, slot.marked, leaves);
                (!hit.is_empty()).then_some(hit)
            }
        }
    }

    /// The distance of items in a plane before a flow, and the first plane of those that are exempt or not as they are
    /// after it; `None`: they do not go on.
    pub fn on(&self, flow: FlowId, plane: usize) -> Option<(usize, usize)> {
        let (k, exempt) = self.split(plane);
        match self.rule.through(flow) {
            Exemption::Lasting => None,
            Exemption::Transformed => Some((k, self.apart())),
            Exemption::None => Some((k, if exempt { self.apart() } else { 0 })),
        }
    }

    /// Where items in a slot are in after a flow.
    pub fn after(&self, flow: FlowId, slot: Slot) -> impl Iterator<Item = Slot> {
        self.nexts(flow, slot.plane).map(move |plane| Slot { plane, ..slot })
    }
}

impl Course for Reach<'_> {
    fn planes(&self) -> usize {
        self.apart() * if self.rule.restores() { 2 } else { 1 }
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(self.rule.data())
    }

    fn restored(&self, plane: usize) -> usize {
        self.split(plane).0
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        self.nexts(flow, plane).next()
    }

    fn nexts(&self, flow: FlowId, plane: usize) -> impl Iterator<Item = usize> {
        let (k, exempt) = self.split(plane);
        let through = self.rule.through(flow);
        let then = if exempt || through == Exemption::Transformed { self.apart() } else { 0 };
        let distances = match (through, self.distances_matter()) {
            (Exemption::Lasting, _) => 0,
            (_, false) => 1 << k,
            (_, true) => self.distances(flow, k),
        };
        ones(distances).map(move |k| k + then)
    }
}
