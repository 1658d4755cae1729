//! The flow graph: which counting flows leave and enter each system, as
//! compressed rows.

mod order;
mod touched;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::bits::{self, LeafSet};
use crate::model::{AgreementId, Counting, FlowId, Id, Model, PartyId, SystemId, Table};
use crate::taxonomy::Key;
use crate::vocabulary::{Consent, Relation, Transform, Word};

pub use self::order::Order;
pub use self::touched::Touched;

/// The counting flows by their ends. What is asked of each as it is crossed lies side by side.
#[derive(Debug)]
pub struct Graph<'m> {
    /// The world.
    pub model: &'m Model,
    out: Edges,
    into: Edges,
    order: Arc<Order>,
    facts: Arc<Facts>,
    carried: Option<&'m Table<FlowId, LeafSet>>,
}

/// A flow at one of its ends.
#[derive(Debug, Clone, Copy)]
pub struct Edge<'g> {
    /// The flow.
    pub flow: FlowId,
    /// Its other end.
    pub end: SystemId,
    /// What crosses it at most.
    pub leaves: &'g [u64],
}

impl Edge<'_> {
    /// Whether some of a row crosses it.
    pub fn carries(&self, row: &[u64]) -> bool {
        bits::intersects(self.leaves, row)
    }
}

#[derive(Debug)]
struct Edges {
    starts: Starts,
    flows: Vec<FlowId>,
    ends: Vec<SystemId>,
    rows: Vec<u64>,
    words: usize,
}

/// Where the flows of each system stand: where its first does, and the next system's.
#[derive(Debug)]
enum Starts {
    /// Of all systems.
    All(Vec<usize>),
    /// Of the systems that have any, by their numbers: fewer by far than there are.
    Some(Touched, Vec<usize>),
}

impl Edges {
    /// Flows, in order, by one of their ends, with the other.
    fn new<'m>(
        model: &'m Model,
        flows: &[FlowId],
        ends: impl Fn(FlowId) -> (SystemId, SystemId),
        leaves: impl Fn(FlowId) -> &'m LeafSet,
    ) -> Self {
        let by = |flow| ends(flow).0;
        let (starts, order) = if Edges::few(model, flows) {
            let mut touched = Touched::new(model);
            flows.iter().for_each(|&flow| _ = touched.add(by(flow)));
            let count = touched.systems().len();
            let (starts, order) = placed(count, flows, |flow| touched.number(by(flow)).unwrap_or(count));
            (Starts::Some(touched, starts), order)
        } else {
            let (starts, order) = placed(model.systems.len(), flows, |flow| by(flow).index());
            (Starts::All(starts), order)
        };
        let words = bits::words(model.data.leaf_count());
        let mut rows = Vec::with_capacity(flows.len() * words);
        order.iter().for_each(|&flow| rows.extend_from_slice(leaves(flow).row()));
        let ends = order.iter().map(|&flow| ends(flow).1).collect();
        Edges { starts, flows: order, ends, rows, words }
    }

    /// Whether most systems have none of some flows.
    fn few(model: &Model, flows: &[FlowId]) -> bool {
        2 * flows.len() < model.systems.len()
    }

    fn range(&self, system: SystemId) -> (usize, usize) {
        let (starts, at) = match &self.starts {
            Starts::All(starts) => (starts, Some(system.index())),
            Starts::Some(touched, starts) => (starts, touched.number(system)),
        };
        let range = |at: usize| starts.get(at).copied().zip(starts.get(at + 1).copied());
        at.and_then(range).unwrap_or_default()
    }

    /// The other ends of a system's flows.
    fn ends(&self, system: SystemId) -> std::slice::Iter<'_, SystemId> {
        let (start, end) = self.range(system);
        self.ends.get(start..end).unwrap_or_default().iter()
    }

    fn at(&self, system: SystemId) -> impl Iterator<Item = Edge<'_>> + Clone {
        let (start, end) = self.range(system);
        let flows = self.flows.get(start..end).unwrap_or_default().iter();
        let ends = self.ends.get(start..end).unwrap_or_default();
        let rows = self.rows.get(start * self.words..end * self.words).unwrap_or_default();
        let all = flows.zip(ends).zip(rows.chunks_exact(self.words));
        all.map(|((&flow, &end), leaves)| Edge { flow, end, leaves })
    }
}

/// Flows by places, of so many, and in their order at each: where those of each place start, and
/// they themselves.
fn placed(places: usize, flows: &[FlowId], place: impl Fn(FlowId) -> usize) -> (Vec<usize>, Vec<FlowId>) {
    let mut starts = vec![0; places + 1];
    for &flow in flows {
        if let Some(count) = starts.get_mut(place(flow) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut free = starts.clone();
    let mut order = vec![FlowId(0); flows.len()];
    for &flow in flows {
        if let Some(at) = free.get_mut(place(flow))
            && let Some(to) = order.get_mut(*at)
        {
            *to = flow;
            *at += 1;
        }
    }
    (starts, order)
}

/// What is asked of a flow as it is crossed: two of them to a line of the processor's cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Fact {
    /// Its ends.
    ends: (SystemId, SystemId),
    /// Who runs them.
    parties: (PartyId, PartyId),
    /// What it runs under, if it runs under any.
    agreement: AgreementId,
    documented: bool,
    consent: Consent,
    step: Step,
    /// The number of its purposes: of those of all flows that have the same.
    purposes: u32,
}

/// What most searches ask of each flow, in a byte: of all flows that is little enough to stay in a
/// processor's cache.
#[derive(Debug, Clone, Copy)]
struct Traits(u8);

impl Traits {
    const LIMITED: u8 = 1;
    const CROSSES: u8 = 1 << 1;
    const BY_PROCESSOR: u8 = 1 << 2;
    /// From here on the transform's place among all.
    const TRANSFORM: u32 = 3;

    fn new(fact: &Fact, limited: bool, by_processor: bool, transform: Transform) -> Self {
        let crosses = fact.parties.0 != fact.parties.1;
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(limited, Traits::LIMITED)
            | flag(crosses, Traits::CROSSES)
            | flag(by_processor, Traits::BY_PROCESSOR);
        Traits(flags | (transform as u8) << Traits::TRANSFORM)
    }

    fn is(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    fn transform(self) -> Transform {
        Transform::ALL.get(usize::from(self.0 >> Traits::TRANSFORM)).copied().unwrap_or(Transform::None)
    }
}

/// What is asked of each flow as it is crossed, and of parties, whichever flows count.
#[derive(Debug)]
pub struct Facts {
    flows: Table<FlowId, Fact>,
    traits: Table<FlowId, Traits>,
    /// Who runs each system.
    runs: Table<SystemId, PartyId>,
    /// The group of each party.
    groups: Table<PartyId, PartyId>,
    /// The parties that are the only one of their group.
    single: Table<PartyId, bool>,
    /// The number of what each flow may carry.
    leaves: Table<FlowId, u32>,
    /// By those numbers.
    sets: Vec<Arc<LeafSet>>,
    none: LeafSet,
}

impl Facts {
    /// Of all flows.
    pub fn new(model: &Model) -> Self {
        let mut purposes: FxHashMap<&[Key], u32> = FxHashMap::default();
        // Flows that name the same have their leaves at the same place.
        let mut places: FxHashMap<*const LeafSet, u32> = FxHashMap::default();
        let mut sets: Vec<Arc<LeafSet>> = Vec::new();
        let number = |id: FlowId| {
            let flow = &model.flows[id];
            let next = purposes.len() as u32;
            let purposes = *purposes.entry(flow.purposes.as_slice()).or_insert(next);
            let leaves = places.entry(Arc::as_ptr(&flow.leaves)).or_insert_with(|| {
                sets.push(Arc::clone(&flow.leaves));
                sets.len() as u32 - 1
            });
            (purposes, *leaves)
        };
        let numbers: Table<FlowId, (u32, u32)> = model.flows.ids().map(number).collect();
        let flows = Table::of(model.flows.len(), |id| Fact::new(model, id, numbers[id].0));
        let traits = Table::of(model.flows.len(), |id: FlowId| {
            let (flow, fact): (_, &Fact) = (&model.flows[id], &flows[id]);
            let by_processor = model.processing_provider(id) == Some(fact.parties.0);
            Traits::new(fact, flow.only_from.is_some(), by_processor, flow.transform)
        });
        let leaves = numbers.map(|&(_, leaves)| leaves);
        let mut members = model.parties.map(|_| 0_usize);
        model.parties.values().for_each(|party| members[party.group] += 1);
        let groups = model.parties.map(|party| party.group);
        let runs = model.systems.map(|system| system.party);
        let single = model.parties.map(|party| members[party.group] == 1);
        Facts {
            flows,
            traits,
            runs,
            groups,
            single,
            leaves,
            sets,
            none: LeafSet::empty(model.data.leaf_count()),
        }
    }

    /// What a flow may carry.
    fn leaves(&self, flow: FlowId) -> &LeafSet {
        // Each number is that of a set.
        self.sets.get(self.leaves[flow] as usize).map_or(&self.none, |leaves| &**leaves)
    }

    fn of(&self, flow: FlowId) -> &Fact {
        &self.flows[flow]
    }

    /// The receiving system of a flow.
    pub fn receiving(&self, flow: FlowId) -> SystemId {
        self.of(flow).ends.1
    }

    /// The number of a flow's purposes: of those of all flows that have the same.
    pub fn purposes(&self, flow: FlowId) -> u32 {
        self.of(flow).purposes
    }

    /// What is done to the data on a flow, and the consent in place.
    pub fn manner(&self, flow: FlowId) -> (Transform, Consent) {
        (self.traits[flow].transform(), self.of(flow).consent)
    }
}

/// What a flow does to distances outside of the origin's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing: it stays in a group, or goes from the provider under a processing agreement.
    Stays,
    /// Back to the provider: nothing, unless from the origin's party.
    Back,
    /// One further.
    Further,
}

impl Fact {
    fn new(model: &Model, id: FlowId, purposes: u32) -> Self {
        let flow = &model.flows[id];
        let (from, to) = (&model.systems[flow.from], &model.systems[flow.to]);
        let step = match model.processing_provider(id) {
            _ if from.group == to.group => Step::Stays,
            Some(provider) if provider == from.party => Step::Stays,
            Some(provider) if provider == to.party => Step::Back,
            _ => Step::Further,
        };
        Fact {
            ends: (flow.from, flow.to),
            parties: (from.party, to.party),
            agreement: flow.agreement.unwrap_or(AgreementId::from_index(0)),
            documented: flow.agreement.is_some(),
            consent: flow.consent,
            step,
            purposes,
        }
    }
}

fn further(k: usize) -> usize {
    (k + 1).min(2)
}

/// Whose items a walk follows: that decides which `only_from` lets them pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Items that originate at a party.
    Declared(PartyId),
    /// Items of an assumed origin at a party: unknown data passes everywhere.
    Assumed(PartyId),
}

impl Origin {
    /// The party that the origin system belongs to.
    pub fn party(self) -> PartyId {
        match self {
            Origin::Declared(party) | Origin::Assumed(party) => party,
        }
    }
}

impl<'m> Graph<'m> {
    /// The graph of the counting flows.
    pub fn new(model: &'m Model, counting: &Counting) -> Self {
        Graph::of(model, counting, Arc::new(Facts::new(model)))
    }

    /// The same, of what is known of all flows.
    pub fn of(model: &'m Model, counting: &Counting, facts: Arc<Facts>) -> Self {
        let flows: Vec<FlowId> = counting.iter().collect();
        let (out, into) = Graph::ends(model, &facts, &flows, None);
        let order = Arc::new(Order::new(&model.systems, &out));
        Graph { model, out, into, order, facts, carried: None }
    }

    /// The same, of what each flow carries: those that carry nothing are left out.
    pub fn carrying<'c>(&self, carried: &'c Table<FlowId, LeafSet>) -> Graph<'c>
    where
        'm: 'c,
    {
        let flows: Vec<FlowId> =
            carried.iter().filter(|(_, leaves)| !leaves.is_empty()).map(|(flow, _)| flow).collect();
        self.with(&flows, Some(carried))
    }

    /// The graph of some of its flows.
    pub fn only(&self, flows: &[FlowId]) -> Graph<'m> {
        let mut flows = flows.to_vec();
        flows.sort_unstable();
        flows.dedup();
        self.with(&flows, self.carried)
    }

    fn with<'c>(&self, flows: &[FlowId], carried: Option<&'c Table<FlowId, LeafSet>>) -> Graph<'c>
    where
        'm: 'c,
    {
        let (out, into) = Graph::ends(self.model, &self.facts, flows, carried);
        let (order, facts) = (Arc::clone(&self.order), Arc::clone(&self.facts));
        Graph { model: self.model, out, into, order, facts, carried }
    }

    fn ends(
        model: &Model,
        facts: &Facts,
        flows: &[FlowId],
        carried: Option<&Table<FlowId, LeafSet>>,
    ) -> (Edges, Edges) {
        let leaves = |flow| carried.map_or_else(|| facts.leaves(flow), |carried| &carried[flow]);
        let forward = |flow| facts.of(flow).ends;
        let backward = |flow| (facts.of(flow).ends.1, facts.of(flow).ends.0);
        let (out, into) =
            (|| Edges::new(model, flows, forward, leaves), || Edges::new(model, flows, backward, leaves));
        // What is small is not worth handing over.
        if flows.len() < 10_000 { (out(), into()) } else { rayon::join(out, into) }
    }

    /// The systems along the flows, and maybe others.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The counting flows that leave a system, in order.
    pub fn out(&self, system: SystemId) -> impl Iterator<Item = Edge<'_>> + Clone {
        self.out.at(system)
    }

    /// The counting flows that enter a system, in order.
    pub fn into(&self, system: SystemId) -> impl Iterator<Item = Edge<'_>> + Clone {
        self.into.at(system)
    }

    /// All counting flows with where they start, by that.
    pub fn all(&self) -> impl Iterator<Item = (SystemId, Edge<'_>)> {
        self.model.systems.ids().flat_map(|system| self.out(system).map(move |edge| (system, edge)))
    }

    /// Some flows that count with where they start.
    pub fn some(
        &self,
        flows: impl IntoIterator<Item = FlowId>,
    ) -> impl Iterator<Item = (SystemId, Edge<'_>)> {
        flows.into_iter().map(|flow| self.edge(flow))
    }

    /// A flow that counts with where it starts.
    pub fn edge(&self, flow: FlowId) -> (SystemId, Edge<'_>) {
        let (from, end) = self.facts.of(flow).ends;
        let leaves = self.carried.map_or_else(|| self.facts.leaves(flow), |carried| &carried[flow]);
        (from, Edge { flow, end, leaves: leaves.row() })
    }

    /// For each flow whether it is here.
    pub fn members(&self) -> Table<FlowId, bool> {
        let mut members = self.model.flows.map(|_| false);
        self.flows().iter().for_each(|&flow| members[flow] = true);
        members
    }

    /// All counting flows, by where they start.
    pub fn flows(&self) -> &[FlowId] {
        &self.out.flows
    }

    /// Whether `only_from` lets items of an origin pass.
    pub fn passes(&self, flow: FlowId, origin: Origin) -> bool {
        match (self.only_from(flow), origin) {
            (None, _) | (_, Origin::Assumed(_)) => true,
            (Some(parties), Origin::Declared(party)) => parties.contains(&party),
        }
    }

    /// Whose data alone a flow carries, if it says so.
    pub fn only_from(&self, flow: FlowId) -> Option<&[PartyId]> {
        if !self.facts.traits[flow].is(Traits::LIMITED) {
            return None;
        }
        self.model.flows[flow].only_from.as_deref()
    }

    /// The number of a flow's purposes: of those of all flows that have the same.
    pub fn purposes(&self, flow: FlowId) -> u32 {
        self.facts.purposes(flow)
    }

    /// The agreement that a flow runs under.
    pub fn agreement(&self, flow: FlowId) -> Option<AgreementId> {
        let facts = self.facts.of(flow);
        facts.documented.then_some(facts.agreement)
    }

    /// Whether a flow goes from one party to another.
    pub fn crosses(&self, flow: FlowId) -> bool {
        self.facts.traits[flow].is(Traits::CROSSES)
    }

    /// The sending system.
    pub fn sending(&self, flow: FlowId) -> SystemId {
        self.facts.of(flow).ends.0
    }

    /// The receiving system.
    pub fn receiving(&self, flow: FlowId) -> SystemId {
        self.facts.receiving(flow)
    }

    /// The party that runs the sending system.
    pub fn sender(&self, flow: FlowId) -> PartyId {
        self.facts.of(flow).parties.0
    }

    /// The party that runs the receiving system.
    pub fn receiver(&self, flow: FlowId) -> PartyId {
        self.facts.of(flow).parties.1
    }

    /// The systems that flows here lead to, and maybe others.
    pub fn receivers(&self) -> &[SystemId] {
        match &self.into.starts {
            Starts::Some(touched, _) => touched.systems(),
            Starts::All(_) => self.order.systems(),
        }
    }

    /// The group of the party that runs a system.
    pub fn group(&self, system: SystemId) -> PartyId {
        self.facts.groups[self.party(system)]
    }

    /// The party that runs a system.
    pub fn party(&self, system: SystemId) -> PartyId {
        self.facts.runs[system]
    }

    /// Whether a party is the only one of its group.
    pub fn single(&self, party: PartyId) -> bool {
        self.facts.single[party]
    }

    /// Whether a flow leaves the provider of the processing agreement that it runs under.
    pub fn by_processor(&self, flow: FlowId) -> bool {
        self.facts.traits[flow].is(Traits::BY_PROCESSOR)
    }

    /// The group whose party receives what crosses a flow.
    pub fn entered(&self, flow: FlowId) -> PartyId {
        self.facts.groups[self.facts.of(flow).parties.1]
    }

    /// What is done to the data on a flow.
    pub fn transform(&self, flow: FlowId) -> Transform {
        self.facts.traits[flow].transform()
    }

    /// What is known of all flows, counting or not.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The distance on arrival of an item of a party's that was at distance `k`.
    ///
    /// In the origin's group: 0. Within one group: k. Under a processing agreement,
    /// from its provider, or back to its provider unless from the origin's party: k.
    /// Else min(k + 1, 2).
    pub fn distance(&self, flow: FlowId, origin: PartyId, k: usize) -> usize {
        let facts = self.facts.of(flow);
        if self.entered(flow) == self.facts.groups[origin] {
            return 0;
        }
        match facts.step {
            Step::Stays => k,
            Step::Back if facts.parties.0 != origin => k,
            Step::Back | Step::Further => further(k),
        }
    }

    /// The same of items that are not of the sender's party and do not come home; `outside`
    /// says whether the sender's party may have other items than its own.
    pub fn distance_away(&self, flow: FlowId, outside: impl FnOnce(PartyId) -> bool, k: usize) -> usize {
        match self.facts.of(flow).step {
            Step::Stays => k,
            Step::Back if outside(self.facts.of(flow).parties.0) => k,
            Step::Back | Step::Further => further(k),
        }
    }

    /// The distances on arrival of items that were at distance `k`, whosever they are of any of
    /// the groups that may be their origin's: a bit each.
    pub fn distances(&self, flow: FlowId, k: usize, origins: &Table<PartyId, bool>) -> u8 {
        let facts = self.facts.of(flow);
        let away = match facts.step {
            Step::Stays => 1 << k,
            // Items that are at a party of their own are at distance 0.
            Step::Back if k == 0 && origins[self.facts.groups[facts.parties.0]] => 1 | 1 << further(k),
            Step::Back => 1 << k,
            Step::Further => 1 << further(k),
        };
        away | u8::from(origins[self.entered(flow)])
    }

    /// What a system is to an item of a party's that got there at distance `k`.
    pub fn relation(&self, system: SystemId, origin: PartyId, k: usize) -> Relation {
        let party = self.party(system);
        if party == origin {
            return Relation::FirstParty;
        }
        if self.facts.groups[party] == self.facts.groups[origin] {
            return Relation::Affiliate;
        }
        Graph::elsewhere(k)
    }

    /// What a system that is not of the origin's group is to an item that got there at distance `k`.
    pub fn elsewhere(k: usize) -> Relation {
        match k {
            0 => Relation::Processor,
            1 => Relation::SecondParty,
            _ => Relation::ThirdParty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_flow_takes_half_a_line() {
        assert_eq!(size_of::<Fact>(), 32);
    }

    #[test]
    fn traits_are_told_apart() {
        let fact = |parties| Fact {
            ends: (SystemId(0), SystemId(1)),
            parties,
            agreement: AgreementId(0),
            documented: false,
            consent: Consent::None,
            step: Step::Stays,
            purposes: 0,
        };
        for &transform in Transform::ALL {
            for bits in 0..8_u32 {
                let [limited, crosses, by_processor] = [0, 1, 2].map(|bit| bits >> bit & 1 == 1);
                let fact = fact((PartyId(0), PartyId(u32::from(crosses))));
                let traits = Traits::new(&fact, limited, by_processor, transform);
                assert_eq!(traits.transform(), transform);
                assert_eq!(traits.is(Traits::LIMITED), limited);
                assert_eq!(traits.is(Traits::CROSSES), crosses);
                assert_eq!(traits.is(Traits::BY_PROCESSOR), by_processor);
            }
        }
    }
}
