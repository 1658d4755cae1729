//! Whether a system's party is a controller, joint controller or processor of what the system holds.
//!
//! Agreements decide, not where data started:
//!
//! ```text
//! data starts at s                                          ⟹  its party is a controller; where `controller`
//!                                                               names another, it acts for that one
//! u → v within one party                                    ⟹  at v what it is at u
//! u → v under a processing agreement, from a provider q to
//!   a party that is none                                    ⟹  v acts for q, and for whom u acts
//! … from a party that is no provider to one                 ⟹  v is a controller, unless what comes back is of
//!                                                               somebody for whom its party acts
//! … between two that are no providers                       ⟹  v acts for whom u acts, else for the providers
//! u → v, crossing parties otherwise                         ⟹  v is a controller; jointly with the other parties
//!                                                               where the agreement says `controllers: joint`
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::base::bits::{self, LeafSet};
use crate::base::vocabulary::{Kind, Status};
use crate::flow::graph::Graph;
use crate::flow::holdings::Holdings;
use crate::model::{AgreementId, FlowId, Id, Model, PartyId, SystemId, Table};

/// The label by which an agreement says how its parties determine purposes and means, and the value for
/// doing so together.
const CONTROLLERS: (&str, &str) = ("controllers", "joint");

/// A set of parties, a bit for each: a host can act for thousands at each of its systems.
#[derive(Debug, Clone, Default)]
struct Parties(Vec<u64>);

impl Parties {
    fn put(&mut self, party: PartyId) {
        let words = bits::words(party.index() + 1);
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
        bits::set(&mut self.0, party.index());
    }

    fn join(&mut self, other: &Parties) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        bits::or(&mut self.0, &other.0);
    }

    fn has(&self, party: PartyId) -> bool {
        bits::contains(&self.0, party.index())
    }

    fn all(&self) -> impl Iterator<Item = PartyId> + '_ {
        bits::ones(&self.0).map(PartyId::from_index)
    }

    fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// In which capacities a system's party acts there.
#[derive(Debug, Clone)]
pub struct Capacity {
    /// What it holds as a controller, alone or jointly.
    pub own: LeafSet,
    /// Whether it holds some of that alone.
    pub alone: bool,
    /// The agreements under which it is a joint controller.
    pub joint: BTreeSet<AgreementId>,
    /// What it holds as a processor.
    pub entrusted: LeafSet,
    /// The parties on whose behalf, by index.
    clients: Parties,
    /// Those of them that some agreement in force makes clients.
    firm: Parties,
    /// The processors that engaged it on behalf of others.
    engaged: Parties,
}

impl Capacity {
    fn none(model: &Model) -> Self {
        let empty = || LeafSet::empty(model.data.leaf_count());
        Capacity {
            own: empty(),
            alone: false,
            joint: BTreeSet::new(),
            entrusted: empty(),
            clients: Parties::default(),
            firm: Parties::default(),
            engaged: Parties::default(),
        }
    }

    /// Whether it is a controller of something.
    pub fn controls(&self) -> bool {
        self.alone || !self.joint.is_empty()
    }

    /// Whether it processes something on behalf of others.
    pub fn processes(&self) -> bool {
        self.clients.len() > 0
    }

    /// On whose behalf it processes, each with whether only proposed agreements say so.
    pub fn clients(&self) -> impl Iterator<Item = (PartyId, bool)> + '_ {
        self.clients.all().map(|party| (party, !self.firm.has(party)))
    }

    /// The processors that engaged it.
    pub fn engaged_by(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.engaged.all()
    }

    fn is_none(&self) -> bool {
        !self.controls() && !self.processes()
    }

    /// How much there is of it, which only grows.
    fn size(&self) -> (usize, usize, usize, usize, bool) {
        let bits = self.clients.len() + self.firm.len() + self.engaged.len();
        let (own, entrusted) = (self.own.iter().count(), self.entrusted.iter().count());
        (bits, self.joint.len(), own, entrusted, self.alone)
    }

    fn serve(&mut self, client: PartyId, firm: bool) {
        self.clients.put(client);
        if firm {
            self.firm.put(client);
        }
    }

    fn serve_those_of(&mut self, other: &Capacity, firm: bool) {
        self.clients.join(&other.clients);
        if firm {
            self.firm.join(&other.firm);
        }
    }
}

/// The parties for which each acts by processing agreements with a flow that counts, directly or for one
/// that acts for another.
fn acting(model: &Model, graph: &Graph) -> BTreeMap<PartyId, BTreeSet<PartyId>> {
    let counting: BTreeSet<AgreementId> =
        graph.all().filter_map(|(_, edge)| model.flows[edge.flow].agreement).collect();
    let mut direct: BTreeMap<PartyId, BTreeSet<PartyId>> = BTreeMap::new();
    let processing =
        counting.into_iter().map(|id| &model.agreements[id]).filter(|a| a.kind == Kind::Processing);
    for agreement in processing {
        for &party in agreement.parties.iter().filter(|party| !agreement.providers.contains(party)) {
            direct.entry(party).or_default().extend(&agreement.providers);
        }
    }
    let reached = |start: PartyId| {
        let mut known: BTreeSet<PartyId> = BTreeSet::new();
        let mut open = vec![start];
        while let Some(party) = open.pop() {
            open.extend(direct.get(&party).into_iter().flatten().filter(|&&client| known.insert(client)));
        }
        known
    };
    direct.keys().map(|&party| (party, reached(party))).collect()
}

/// In which capacities each system's party acts there.
pub fn capacities(model: &Model, graph: &Graph, holdings: &Holdings) -> Table<SystemId, Capacity> {
    let all = model.systems.ids().map(|_| Capacity::none(model)).collect();
    let mut found = Search { model, graph, holdings, all, acting: BTreeMap::new(), open: Vec::new() };
    // Only what comes back to a provider asks for whom it acts.
    if graph.all().any(|(_, edge)| model.comes_from_processor(edge.flow)) {
        found.acting = acting(model, graph);
    }
    for (id, system) in model.systems.iter() {
        found.starts(id, &system.originates);
    }
    for (id, leaves) in &holdings.assumed {
        found.starts(*id, leaves);
    }
    found.follow();
    // What is carried on from data that its receiver has disposed of comes from a system that holds it no
    // longer: there its party counts as a controller.
    for id in model.systems.ids() {
        if found.all[id].is_none() && !holdings.at(id).is_empty() {
            found.starts(id, &holdings.at(id));
            found.follow();
        }
    }
    found.all
}

struct Search<'s> {
    model: &'s Model,
    graph: &'s Graph<'s>,
    holdings: &'s Holdings,
    all: Table<SystemId, Capacity>,
    acting: BTreeMap<PartyId, BTreeSet<PartyId>>,
    open: Vec<SystemId>,
}

impl Search<'_> {
    fn starts(&mut self, id: SystemId, leaves: &LeafSet) {
        if leaves.is_empty() {
            return;
        }
        let model = self.model;
        let system = &model.systems[id];
        let own = system.origin == system.party;
        // Data that is shared jointly and in no other way is not controlled alone.
        let mut jointly = LeafSet::empty(model.data.leaf_count());
        for edge in self.graph.out(id) {
            if let Some(agreement) = self.joint(edge.flow) {
                jointly.extend(model.flows[edge.flow].leaves.row());
                if own {
                    self.all[id].joint.insert(agreement);
                }
            }
        }
        let capacity = &mut self.all[id];
        if own {
            capacity.alone |= !leaves.is_subset(&jointly);
            capacity.own.extend(leaves.row());
        } else {
            capacity.serve(system.origin, true);
            capacity.entrusted.extend(leaves.row());
        }
        self.open.push(id);
    }

    fn follow(&mut self) {
        while let Some(id) = self.open.pop() {
            self.derive(id);
            let out: Vec<(FlowId, SystemId)> = self.graph.out(id).map(|edge| (edge.flow, edge.end)).collect();
            for (flow, to) in out {
                if self.holdings.carried(flow).is_empty() {
                    continue;
                }
                let before = self.all[to].size();
                self.carry(flow, id, to);
                if self.all[to].size() != before {
                    self.open.push(to);
                }
            }
        }
    }

    /// What a system works out of data is held in the capacity of that.
    fn derive(&mut self, id: SystemId) {
        let capacity = &mut self.all[id];
        for held in [&mut capacity.own, &mut capacity.entrusted] {
            loop {
                let before = held.iter().count();
                for (from, into) in &self.model.systems[id].derives {
                    if held.intersects(from) {
                        held.extend(into.row());
                    }
                }
                if held.iter().count() == before {
                    break;
                }
            }
        }
    }

    /// The agreement of a flow between parties, if its parties are joint controllers by it.
    fn joint(&self, flow: FlowId) -> Option<AgreementId> {
        let id = self.model.flows[flow].agreement.filter(|_| self.model.crosses(flow))?;
        let agreement = &self.model.agreements[id];
        let mut labels = agreement.declared.meta.labels.iter();
        let says = labels.any(|(key, text)| (key.as_str(), text.trim()) == CONTROLLERS);
        (says && agreement.kind != Kind::Processing).then_some(id)
    }

    fn carry(&mut self, flow: FlowId, from: SystemId, to: SystemId) {
        let model = self.model;
        let sent = self.all[from].clone();
        let (sender, receiver) = (model.sender(flow), model.receiver(flow));
        let carried = self.holdings.carried(flow);
        let proposed =
            model.flows[flow].agreement.is_some_and(|id| model.agreements[id].status == Status::Proposed);
        let providers = model.processing_providers(flow);
        let provides = |party| providers.contains(&party);
        let joint = self.joint(flow);
        let acts_for = self.acting.get(&receiver);
        let known = &mut self.all[to];
        let (own, entrusted) = (sent.own.and(carried), sent.entrusted.and(carried));
        if sender == receiver {
            if !own.is_empty() {
                known.alone |= sent.alone;
                known.joint.extend(&sent.joint);
                known.own.extend(own.row());
            }
            if !entrusted.is_empty() {
                known.serve_those_of(&sent, !proposed);
                known.entrusted.extend(entrusted.row());
                known.engaged.join(&sent.engaged);
            }
            return;
        }
        let mut all = own.clone();
        all.extend(entrusted.row());
        match (providers.is_empty(), provides(sender), provides(receiver)) {
            (true, ..) => {
                known.own.extend(all.row());
                match joint {
                    Some(agreement) => {
                        known.joint.insert(agreement);
                    }
                    None => known.alone = true,
                }
            }
            (false, true, false) => {
                if !own.is_empty() {
                    known.serve(sender, !proposed);
                }
                if !entrusted.is_empty() {
                    known.engaged.put(sender);
                    known.serve_those_of(&sent, !proposed);
                }
                known.entrusted.extend(all.row());
            }
            (false, false, false) => {
                if !entrusted.is_empty() {
                    known.serve_those_of(&sent, !proposed);
                } else {
                    providers.iter().for_each(|&provider| known.serve(provider, !proposed));
                }
                known.entrusted.extend(all.row());
            }
            (false, _, true) => {
                let for_others = |client: &PartyId| acts_for.is_some_and(|clients| clients.contains(client));
                let (others, home): (Vec<PartyId>, Vec<PartyId>) =
                    sent.clients().map(|(client, _)| client).partition(for_others);
                for &client in &others {
                    known.serve(client, !proposed && sent.firm.has(client));
                    known.entrusted.extend(entrusted.row());
                }
                if !own.is_empty() || !home.is_empty() {
                    known.alone = true;
                    known.own.extend(all.row());
                }
            }
        }
    }
}
