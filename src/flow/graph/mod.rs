//! The flow graph: which counting flows leave and enter each system, as
//! compressed rows.

mod acting;
mod facts;
mod order;
mod touched;

use std::sync::Arc;

use crate::base::bits::{self, LeafSet};
use crate::base::vocabulary::{Relation, Transform};
use crate::model::{AgreementId, Counting, FlowId, Id, Model, PartyId, SystemId, Table};

pub use self::acting::Acting;
pub use self::facts::Facts;
use self::facts::{Step, Traits, back, further};
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
    acting: Arc<Acting>,
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

/// The claim by which an item is no further from its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Footing {
    /// Of parties that they are of one group.
    Affiliate,
    /// Of an agreement that it is of processing.
    Processing,
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
    /// The party whose data it is: that runs the origin system, or its controller.
    pub fn party(self) -> PartyId {
        match self {
            Origin::Declared(party) | Origin::Assumed(party) => party,
        }
    }
}

impl<'m> Graph<'m> {
    /// The graph of the flows that move data.
    pub fn new(model: &'m Model, counting: &Counting) -> Self {
        Graph::of(model, counting, Arc::new(Facts::new(model)))
    }

    /// The same, of what is known of all flows.
    pub fn of(model: &'m Model, counting: &Counting, facts: Arc<Facts>) -> Self {
        let flows: Vec<FlowId> = counting.moving().collect();
        let (out, into) = Graph::ends(model, &facts, &flows, None);
        let order = Arc::new(Order::new(&model.systems, &out));
        let acting = Acting::of(model, &facts, counting);
        Graph { model, out, into, order, facts, acting, carried: None }
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
        let acting = Arc::clone(&self.acting);
        Graph { model: self.model, out, into, order, facts, acting, carried }
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

    /// The group of a party.
    pub fn group_of(&self, party: PartyId) -> PartyId {
        self.facts.groups[party]
    }

    /// The party that runs a system.
    pub fn party(&self, system: SystemId) -> PartyId {
        self.facts.runs[system]
    }

    /// The parties at which the data of another starts, with that.
    pub fn controlled(&self) -> impl Iterator<Item = (PartyId, PartyId)> + '_ {
        self.facts.controlled.iter().copied()
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
    /// In the origin's group: 0. Within one group: k. Under a processing agreement, from a
    /// provider: k; back to a provider: k if that acts for the origin's group, else max(k, 1).
    /// Else min(k + 1, 2).
    pub fn distance(&self, flow: FlowId, origin: PartyId, k: usize) -> usize {
        let facts = self.facts.of(flow);
        if self.entered(flow) == self.facts.groups[origin] {
            return 0;
        }
        match facts.step {
            Step::Stays => k,
            Step::Back if self.acting.acts_for(facts.parties.1, self.facts.groups[origin]) => k,
            Step::Back => back(k),
            Step::Further => further(k),
        }
    }

    /// The same of items that do not come home, and for whose origin's group no provider that
    /// anything comes back to acts.
    pub fn distance_away(&self, flow: FlowId, k: usize) -> usize {
        match self.facts.of(flow).step {
            Step::Stays => k,
            Step::Back => back(k),
            Step::Further => further(k),
        }
    }

    /// Whether a flow brings something back to a provider: at no distance, if that acts for the origin's group.
    pub fn comes_back(&self, flow: FlowId) -> bool {
        self.facts.of(flow).step == Step::Back
    }

    /// By which claim an item of a party's keeps its distance over a flow, or comes home by it; without a party, of
    /// items that do not come home.
    pub fn footing(&self, flow: FlowId, origin: Option<PartyId>) -> Option<Footing> {
        let facts = self.facts.of(flow);
        let (sender, receiver) = facts.parties;
        let entered = self.facts.groups[receiver];
        match origin.filter(|&origin| self.facts.groups[origin] == entered) {
            Some(origin) => (receiver != origin).then_some(Footing::Affiliate),
            None if self.facts.groups[sender] == entered => {
                (sender != receiver).then_some(Footing::Affiliate)
            }
            None => (facts.step != Step::Further).then_some(Footing::Processing),
        }
    }

    /// Whether there may be such a claim, whosever the items are.
    pub fn may_have_footing(&self, flow: FlowId) -> bool {
        let (_, receiver) = self.facts.of(flow).parties;
        self.footing(flow, None).is_some() || !self.facts.single[receiver]
    }

    /// Whether anybody that something comes back to may act for a party's group.
    pub fn is_client(&self, party: PartyId) -> bool {
        self.acting.is_client(self.facts.groups[party])
    }

    /// Who acts for whom.
    pub fn acting(&self) -> &Arc<Acting> {
        &self.acting
    }

    /// The distances on arrival of items that were at distance `k`, whosever they are of any of
    /// the groups that may be their origin's: a bit each.
    pub fn distances(&self, flow: FlowId, k: usize, origins: &Table<PartyId, bool>) -> u8 {
        let facts = self.facts.of(flow);
        let away = match facts.step {
            Step::Stays => 1 << k,
            Step::Back => 1 << k | 1 << back(k),
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
