//! The declared world as the checker reads it: which flows leave where, how far an item
//! gets from its origin, and what systems make of data. Nothing here is shared with what
//! finds findings.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::sets::{Sets, State};
use super::walks::Question;
use crate::base::bits::{self, LeafSet};
use crate::base::duration::Duration;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Kind, Relation, Transform};
use crate::model::matching::Matching;
use crate::model::{Counting, Derives, FlowId, Id, Model, PartyId, Scope, SystemId, Table};

/// A flow that moves data, with what is asked of it most.
pub struct Edge {
    /// Its place among those that count, by where they start.
    pub place: u32,
    /// The number of where it arrives and with which purposes.
    pub arrival: u32,
    /// The number of how it says that data is dealt with.
    pub manner: u32,
    /// The flow.
    pub flow: FlowId,
    /// The flow as it is declared, wherever it starts.
    pub declared: FlowId,
    /// Whether it counts; else it is disposed, and leads into a ghost.
    pub counts: bool,
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
    /// Whether some of them may be re-identified once they have arrived, there or further on.
    pub restorable: bool,
}

/// Who of a flow's ends is the provider of the processing agreement that it runs under.
#[derive(PartialEq, Eq)]
enum Provider {
    Sender,
    Receiver,
    Neither,
}

impl Edge {
    fn new(model: &Model, counting: &Counting, flow: FlowId) -> Self {
        let declared = &model.flows[flow];
        let (from, to) = (&model.systems[declared.from], &model.systems[declared.to]);
        let providers = model.processing_providers(flow);
        let provider = match (providers.contains(&from.party), providers.contains(&to.party)) {
            (true, false) => Provider::Sender,
            (false, true) => Provider::Receiver,
            _ => Provider::Neither,
        };
        Edge {
            place: 0,
            arrival: 0,
            manner: 0,
            flow,
            declared: model.declared_flow(flow),
            counts: counting.has(flow),
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
            restorable: false,
        }
    }

    /// Whether it goes back to whom the sender processes for.
    pub fn comes_from_processor(&self) -> bool {
        self.provider == Provider::Receiver
    }

    /// Whether it goes to somebody who processes for the sender.
    pub fn to_processor(&self) -> bool {
        self.provider == Provider::Sender
    }
}

/// How data is dealt with over a flow and where it arrives: purposes, the receiver's, retention,
/// safeguards, transform, consent.
type Manner<'w> = (&'w [Key], &'w [Key], Option<Duration>, &'w [String], Transform, Consent);

fn manner(model: &Model, flow: FlowId) -> Manner<'_> {
    let f = &model.flows[flow];
    let receiver = &model.systems[f.to].purposes;
    (&f.purposes, receiver, f.retention, &f.declared.safeguards, f.transform, f.consent)
}

/// Numbers what is alike, with a flow that stands for each.
struct Numbered<K> {
    numbers: FxHashMap<K, u32>,
    flows: Vec<FlowId>,
}

impl<K: Hash + Eq> Numbered<K> {
    fn new() -> Self {
        Numbered { numbers: FxHashMap::default(), flows: Vec::new() }
    }

    fn number(&mut self, what: K, flow: FlowId) -> u32 {
        // Ids have 32 bits, so there are no more flows.
        let next = self.flows.len() as u32;
        let number = *self.numbers.entry(what).or_insert(next);
        if number == next {
            self.flows.push(flow);
        }
        number
    }
}

/// Some of the flows that move data, by their places.
#[derive(Debug, Clone, Default)]
pub struct Among {
    words: Vec<u64>,
}

impl Among {
    /// None of them yet.
    pub fn none(ground: &Ground) -> Self {
        Among { words: vec![0; ground.edges.len().div_ceil(64)] }
    }

    /// Adds a flow.
    pub fn add(&mut self, edge: &Edge) {
        if let Some(word) = self.words.get_mut(edge.place as usize / 64) {
            *word |= 1 << (edge.place % 64);
        }
    }

    /// Those of a range of places.
    fn within(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let words = self.words.get(range.start / 64..range.end.div_ceil(64)).unwrap_or_default();
        let first = range.start / 64 * 64;
        let all = bits::ones(words).map(move |at| first + at);
        all.skip_while(move |at| *at < range.start).take_while(move |at| *at < range.end)
    }
}

/// The declared world, and where data starts in it.
pub struct Ground<'w> {
    /// The declared world.
    pub model: &'w Model,
    /// The day judged.
    pub day: Date,
    /// How matchers hold.
    pub matching: Matching<'w>,
    /// Which flows count.
    pub counting: Counting,
    /// The flows that move data, those that leave one system side by side.
    edges: Vec<Edge>,
    /// Those that leave each system.
    out: Table<SystemId, Range<usize>>,
    /// Those that enter each system.
    into: Table<SystemId, Vec<u32>>,
    /// The place of each flow among those that count.
    places: Table<FlowId, Option<u32>>,
    /// Of each place with purposes to arrive at with a flow.
    pub arrivals: Vec<FlowId>,
    /// Of each manner to deal with data a flow.
    pub manners: Vec<FlowId>,
    /// The leaves assumed to start at each system.
    pub assumed: BTreeMap<SystemId, LeafSet>,
    /// The parties that some such flow's `only_from` names.
    pub named: BTreeSet<PartyId>,
    /// For each party the groups of those for whom it acts.
    acting: BTreeMap<PartyId, BTreeSet<PartyId>>,
}

impl<'w> Ground<'w> {
    /// The world with its ghosts, in their scope, without assumed origins.
    pub fn new(model: &'w Model, day: Date, scope: &Scope) -> Self {
        let counting = Counting::new(model, day, scope);
        let mut edges: Vec<Edge> = counting.moving().map(|flow| Edge::new(model, &counting, flow)).collect();
        edges.sort_by_key(|edge| edge.from);
        let mut out = model.systems.map(|_| 0..0);
        let mut into = model.systems.map(|_| Vec::new());
        let mut places = model.flows.map(|_| None);
        let (mut arrivals, mut manners) = (Numbered::new(), Numbered::new());
        for (at, edge) in edges.iter_mut().enumerate() {
            let leaving = &mut out[edge.from];
            *leaving = if leaving.end == 0 { at..at + 1 } else { leaving.start..at + 1 };
            // Ids have 32 bits, so there are no more flows.
            edge.place = at as u32;
            into[edge.to].push(edge.place);
            places[edge.flow] = Some(edge.place);
            let purposes = &*model.flows[edge.flow].purposes;
            edge.arrival = arrivals.number((edge.to, purposes), edge.flow);
            edge.manner = manners.number(manner(model, edge.flow), edge.flow);
        }
        let (arrivals, manners) = (arrivals.flows, manners.flows);
        let matching = Matching::new(model, scope.as_of.unwrap_or(day));
        let only = counting.moving().filter_map(|flow| model.flows[flow].only_from.as_ref());
        let named = only.flatten().copied().collect();
        let assumed = BTreeMap::new();
        let acting = BTreeMap::new();
        let mut ground = Ground {
            model,
            day,
            matching,
            counting,
            edges,
            out,
            into,
            places,
            arrivals,
            manners,
            assumed,
            named,
            acting,
        };
        ground.find_acting();
        ground.find_restorable();
        ground
    }

    /// The flows that move data.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The flows that leave a system.
    pub fn out(&self, system: SystemId) -> &[Edge] {
        self.edges.get(self.out[system].clone()).unwrap_or_default()
    }

    /// The flows that leave a system, or those among some.
    pub fn each_out<'g>(&'g self, system: SystemId, among: Option<&Among>, mut each: impl FnMut(&'g Edge)) {
        match among {
            None => self.out(system).iter().for_each(each),
            Some(among) => {
                let places = among.within(self.out[system].clone());
                places.filter_map(|at| self.edges.get(at)).for_each(&mut each);
            }
        }
    }

    /// The flows that enter a system.
    pub fn into(&self, system: SystemId) -> impl Iterator<Item = &Edge> {
        self.into[system].iter().filter_map(|&at| self.edges.get(at as usize))
    }

    /// A declared flow from its sender and the ghosts of that, as far as it moves data.
    pub fn everywhere(&self, flow: FlowId) -> impl Iterator<Item = &Edge> {
        self.model.everywhere(flow).filter_map(|flow| self.edge(flow))
    }

    /// A flow, if it moves data.
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

    /// Whether a party acts for one of another's group: is in, and no provider of, an agreement of
    /// processing with a flow that counts, of which that one, or one that acts for it, is a provider.
    pub fn acts_for(&self, party: PartyId, client: PartyId) -> bool {
        let Some(acting) = self.acting.get(&party) else { return false };
        acting.contains(&self.group(client))
    }

    /// For each party the groups of those for whom it acts.
    fn find_acting(&mut self) {
        let model = self.model;
        let mut pairs: BTreeSet<(PartyId, PartyId)> = BTreeSet::new();
        for agreement in model.agreements.values().filter(|one| one.kind == Kind::Processing) {
            if !agreement.flows.iter().any(|&flow| self.counting.has(flow)) {
                continue;
            }
            for &party in agreement.parties.iter().filter(|party| !agreement.providers.contains(party)) {
                pairs.extend(agreement.providers.iter().map(|&provider| (party, provider)));
            }
        }
        let firsts: BTreeSet<PartyId> = pairs.iter().map(|&(party, _)| party).collect();
        let of = |party: PartyId| {
            pairs.range((party, PartyId::from_index(0))..).take_while(move |pair| pair.0 == party)
        };
        for first in firsts {
            let mut reached: BTreeSet<PartyId> = BTreeSet::new();
            let mut open = vec![first];
            while let Some(party) = open.pop() {
                open.extend(of(party).map(|pair| pair.1).filter(|&next| reached.insert(next)));
            }
            let groups = reached.into_iter().map(|party| self.group(party)).collect();
            self.acting.insert(first, groups);
        }
    }

    /// Which flows carry what may be re-identified.
    fn find_restorable(&mut self) {
        let mut at: BTreeMap<SystemId, LeafSet> = BTreeMap::new();
        let mut open: Vec<SystemId> = Vec::new();
        for (id, system) in self.model.systems.iter().filter(|(_, system)| system.reidentifies()) {
            let mut from = self.nothing();
            system.derivations().1.iter().for_each(|(leaves, _)| from.extend(leaves.row()));
            at.insert(id, self.made_into(id, &from));
            open.push(id);
        }
        while let Some(system) = open.pop() {
            let Some(here) = at.get(&system).cloned() else { continue };
            for edge in Ground::into(self, system).filter(|edge| edge.leaves.intersects(&here)) {
                let leading = self.made_into(edge.from, &here.and(&edge.leaves));
                let known = at.entry(edge.from).or_insert_with(|| self.nothing());
                if !leading.is_subset(known) {
                    known.extend(leading.row());
                    open.push(edge.from);
                }
            }
        }
        for edge in &mut self.edges {
            edge.restorable = at.get(&edge.to).is_some_and(|here| edge.leaves.intersects(here));
        }
    }

    /// The distance of an item of a party's after a flow, if it was at distance `k`.
    pub fn distance(&self, edge: &Edge, origin: PartyId, k: u8) -> u8 {
        if edge.entered == self.group(origin) {
            return 0;
        }
        match edge.provider {
            _ if edge.left == edge.entered => k,
            Provider::Sender => k,
            Provider::Receiver if self.acts_for(edge.receiver, origin) => k,
            Provider::Receiver => k.max(1),
            Provider::Neither => (k + 1).min(2),
        }
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
        self.derive_by(&self.model.systems[at].derives, held, marks);
    }

    /// What a system makes of leaves in a state, those included, as far as a question cares.
    pub fn turned(
        &self,
        question: &dyn Question,
        at: SystemId,
        state: State,
        leaves: &LeafSet,
    ) -> Vec<(State, LeafSet)> {
        let system = &self.model.systems[at];
        let restored = question.restored(state.plane);
        let (keeping, restoring) = match restored == state.plane {
            true => (&*system.derives, &[][..]),
            false => system.derivations(),
        };
        let mut held = [self.nothing(), self.nothing()];
        if let Some(row) = held.get_mut(usize::from(state.marked)) {
            row.extend(leaves.row());
        }
        self.derive_by(keeping, &mut held, question.marks());
        let mut again = [self.nothing(), self.nothing()];
        if !restoring.is_empty() {
            // One step re-identifies; what is made of that is made of it as if it had always been so.
            for (from, into) in restoring {
                let [plain, marked] = &held;
                let of = question.marks().map_or_else(|| self.nothing(), |marks| into.and(marks));
                let [not_marked, with_mark] = &mut again;
                if marked.intersects(from) {
                    with_mark.extend(into.row());
                }
                if plain.intersects(from) {
                    not_marked.extend(into.minus(&of).row());
                    with_mark.extend(of.row());
                }
            }
            self.derive(at, &mut again, question.marks());
        }
        let planes = [(state.plane, held), (restored, again)];
        let each = planes.into_iter().flat_map(|(plane, [plain, marked])| {
            [(State { plane, marked: false }, plain), (State { plane, marked: true }, marked)]
        });
        each.filter(|(_, leaves)| !leaves.is_empty()).collect()
    }

    fn derive_by(&self, derives: &Derives, held: &mut [LeafSet; 2], marks: Option<&LeafSet>) {
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
        self.made_into_by(&self.model.systems[at].derives, wanted)
    }

    /// The same by some derivations.
    pub fn made_into_by(&self, derives: &Derives, wanted: &LeafSet) -> LeafSet {
        let mut all = wanted.clone();
        loop {
            let before = all.clone();
            for (from, into) in derives {
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
