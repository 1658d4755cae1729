//! The record of processing activities, as far as it is declared: for each system what
//! Article 30 of the General Data Protection Regulation asks for, in the register of controllers, in that of
//! processors, or in both. What nobody declares is a gap and is shown as one.

mod capacity;
mod transfers;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use self::capacity::{Capacity, capacities};
use self::transfers::Transfers;
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::Status;
use crate::flow::graph::Graph;
use crate::flow::holdings::Holdings;
use crate::model::matching::Matching;
use crate::model::{Counting, FlowId, Model, PartyId, SystemId, Table};

/// The label by which a system, or its party, says whose data it holds: `customers`.
pub const SUBJECTS_LABEL: &str = "data_subjects";

/// What nobody declares.
const GAP: &str = "not declared";
/// So many clients, or joint controllers, of one system are named.
const NAMED: usize = 100;

/// What a field of the record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// This.
    Says(Vec<String>),
    /// That there is none.
    None,
    /// Nothing: nobody declares it.
    Gap,
}

impl Field {
    fn one(text: Option<String>) -> Self {
        Self::list(text)
    }

    fn list(texts: impl IntoIterator<Item = String>) -> Self {
        let texts: Vec<String> = texts.into_iter().collect();
        if texts.is_empty() { Field::Gap } else { Field::Says(texts) }
    }

    /// What a list says that is known to be complete.
    fn some_or_none(texts: Vec<String>) -> Self {
        if texts.is_empty() { Field::None } else { Field::Says(texts) }
    }

    /// The field on one line.
    pub fn text(&self) -> String {
        match self {
            Field::Says(texts) => texts.join("; "),
            Field::None => "none".to_owned(),
            Field::Gap => GAP.to_owned(),
        }
    }
}

/// What is said of a party, in the order of the columns.
pub const PARTY: [&str; 6] =
    ["party", "name", "jurisdiction", "contact", "data protection officer", "representative"];

/// What is said of each system, in the order of the columns.
pub const ACTIVITY: [&str; 15] = [
    "register",
    "system",
    "acts as",
    "joint controllers",
    "on behalf of",
    "purposes",
    "people concerned",
    "number of people",
    "categories of data",
    "recipients",
    "recipients in other regions",
    "safeguards of transfers",
    "kept for",
    "safeguards",
    "legal basis",
];

/// The two records that Article 30 asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    /// Of a controller.
    Controller,
    /// Of a processor.
    Processor,
}

impl Register {
    /// Both, in their order.
    pub const ALL: [Register; 2] = [Register::Controller, Register::Processor];

    /// Whose it is.
    pub fn of(self) -> &'static str {
        match self {
            Register::Controller => "Controllers",
            Register::Processor => "Processors",
        }
    }

    /// The paragraph that asks for it.
    pub fn paragraph(self) -> &'static str {
        match self {
            Register::Controller => "Art. 30(1)",
            Register::Processor => "Art. 30(2)",
        }
    }
}

/// What one party does with data.
#[derive(Debug, Clone)]
pub struct PartyRecord {
    /// Who.
    pub party: PartyId,
    /// Its fields, as [`PARTY`] names them.
    pub fields: Vec<Field>,
    /// Its systems, in the registers that they belong in, each with its fields as [`ACTIVITY`] names them.
    pub activities: Vec<(Register, Vec<Field>)>,
}

/// The record of every party, in the order of ids.
pub fn record(model: &Model, counting: &Counting, holdings: &Holdings, day: Date) -> Vec<PartyRecord> {
    let graph = Graph::new(model, counting);
    let capacities = capacities(model, &graph, holdings);
    let transfers = Transfers::new(model, Matching::new(model, day));
    let writer = Writer { model, graph: &graph, holdings, capacities, transfers };
    let records = model.parties.ids().map(|party| PartyRecord {
        party,
        fields: writer.party(party),
        activities: model.parties[party].systems.iter().flat_map(|&s| writer.activities(s)).collect(),
    });
    records.collect()
}

struct Writer<'w> {
    model: &'w Model,
    graph: &'w Graph<'w>,
    holdings: &'w Holdings,
    capacities: Table<SystemId, Capacity>,
    transfers: Transfers<'w>,
}

impl Writer<'_> {
    fn name(&self, party: PartyId) -> String {
        self.model.parties[party].declared.name.clone()
    }

    fn party(&self, id: PartyId) -> Vec<Field> {
        let party = &self.model.parties[id].declared;
        vec![
            Field::one(Some(party.id.value.clone())),
            Field::one(Some(party.name.clone())),
            Field::one(party.jurisdiction.clone()),
            Field::one(party.contact.clone()),
            Field::one(party.dpo.clone()),
            Field::one(party.representative.clone()),
        ]
    }

    /// A system's entries: one in each register that it belongs in. Where nobody can tell in which capacity its
    /// party acts, it stands in the first.
    fn activities(&self, id: SystemId) -> Vec<(Register, Vec<Field>)> {
        let capacity = &self.capacities[id];
        let belongs = |register: &Register| match register {
            Register::Controller => capacity.controls() || !capacity.processes(),
            Register::Processor => capacity.processes(),
        };
        let registers = Register::ALL.into_iter().filter(belongs);
        registers.map(|register| (register, self.activity(id, register))).collect()
    }

    fn activity(&self, id: SystemId, register: Register) -> Vec<Field> {
        let model = self.model;
        let system = &model.systems[id];
        let declared = &system.declared;
        let carries = |flow: &FlowId| !self.holdings.carried(*flow).is_empty();
        let entering: Vec<FlowId> = self.graph.into(id).map(|edge| edge.flow).filter(carries).collect();
        let out: Vec<FlowId> = self.graph.out(id).map(|edge| edge.flow).filter(carries).collect();
        let out: Vec<FlowId> = out.into_iter().filter(|&flow| model.crosses(flow)).collect();
        let around: Vec<FlowId> = entering.iter().chain(&out).copied().collect();
        let mut purposes: BTreeSet<Key> = system.purposes.iter().copied().collect();
        for edge in self.graph.into(id) {
            purposes.extend(&model.flows[edge.flow].purposes);
        }
        let capacity = &self.capacities[id];
        let held = match register {
            Register::Controller => &capacity.own,
            Register::Processor => &capacity.entrusted,
        };
        let data = model.data.cover(held).into_iter().filter_map(|name| model.data.find(&name));
        let label = |labels: &[(String, String)]| {
            labels.iter().find(|(key, _)| key == SUBJECTS_LABEL).map(|(_, text)| text.clone())
        };
        let people =
            label(&declared.meta.labels).or_else(|| label(&model.parties[system.party].declared.meta.labels));
        let mut kept = BTreeSet::new();
        kept.extend(declared.retention.as_ref().map(|r| r.value));
        kept.extend(entering.iter().filter_map(|&f| model.flows[f].retention));
        let safeguards: BTreeSet<String> =
            around.iter().flat_map(|&f| model.flows[f].declared.safeguards.iter().cloned()).collect();
        let bases: BTreeSet<String> =
            around.iter().flat_map(|&f| model.flows[f].legal_basis.iter().cloned()).collect();
        vec![
            Field::one(Some(register.paragraph().to_owned())),
            Field::one(Some(system.name.clone())),
            self.acts_as(capacity, register),
            self.joint_controllers(id, register),
            self.on_behalf_of(capacity, register),
            Field::list(purposes.into_iter().map(|key| title(&model.purposes, key))),
            Field::one(people),
            Field::one(declared.subjects.map(|n| n.to_string())),
            Field::list(data.map(|key| title(&model.data, key))),
            self.recipients(&out, |_| Some(None)),
            self.recipients(&out, |flow| Some(Some(self.transfers.of(flow)?.places))),
            self.transfer_safeguards(&out),
            Field::list(kept.into_iter().map(|r| r.in_words())),
            Field::list(safeguards.into_iter().map(|s| s.replace('_', " "))),
            Field::list(bases.into_iter().map(|s| s.replace('_', " "))),
        ]
    }

    /// Controller, joint controller, or processor of whom.
    fn acts_as(&self, capacity: &Capacity, register: Register) -> Field {
        if register == Register::Processor {
            let clients = capacity.clients().map(|(client, proposed)| {
                format!("processor of {}{}", self.name(client), if proposed { " (proposed)" } else { "" })
            });
            let engaged = capacity.engaged_by().map(|by| format!("engaged by {}", self.name(by)));
            return Field::list(shortened(clients.chain(engaged).collect()));
        }
        let alone = capacity.alone.then(|| "controller".to_owned());
        let jointly = (!capacity.joint.is_empty()).then(|| "joint controller".to_owned());
        Field::list(alone.into_iter().chain(jointly))
    }

    /// The other parties of the agreements under which a system's party is a joint controller.
    fn joint_controllers(&self, id: SystemId, register: Register) -> Field {
        let (model, own) = (self.model, self.model.systems[id].party);
        let mut firm: BTreeMap<PartyId, bool> = BTreeMap::new();
        for &agreement in self.capacities[id].joint.iter().filter(|_| register == Register::Controller) {
            let agreement = &model.agreements[agreement];
            for &party in agreement.parties.iter().filter(|&&party| party != own) {
                *firm.entry(party).or_default() |= agreement.status != Status::Proposed;
            }
        }
        let texts = firm.into_iter().map(|(party, firm)| self.reachable(party, !firm));
        Field::some_or_none(shortened(texts.collect()))
    }

    fn on_behalf_of(&self, capacity: &Capacity, register: Register) -> Field {
        let clients = capacity.clients().filter(|_| register == Register::Processor);
        let texts = clients.map(|(client, proposed)| self.reachable(client, proposed));
        Field::some_or_none(shortened(texts.collect()))
    }

    /// A party with what it can be reached at, as far as it is declared.
    fn reachable(&self, id: PartyId, proposed: bool) -> String {
        let party = &self.model.parties[id].declared;
        let contact =
            party.contact.clone().or_else(|| party.dpo.clone()).or_else(|| party.representative.clone());
        let besides: Vec<String> =
            contact.into_iter().chain(proposed.then(|| "proposed".to_owned())).collect();
        match besides.is_empty() {
            true => self.name(id),
            false => format!("{} ({})", self.name(id), besides.join(", ")),
        }
    }

    /// What the transfers of some flows rest on, or that nothing is declared.
    fn transfer_safeguards(&self, out: &[FlowId]) -> Field {
        let mut texts: BTreeSet<(PartyId, String)> = BTreeSet::new();
        for &flow in out {
            let Some(transfer) = self.transfers.of(flow) else { continue };
            let receiver = self.model.receiver(flow);
            let rests_on = match transfer.safeguards.as_slice() {
                [] => GAP.to_owned(),
                some => some.join(", "),
            };
            texts.insert((receiver, format!("{} ({}): {rests_on}", self.name(receiver), transfer.places)));
        }
        Field::some_or_none(texts.into_iter().map(|(_, text)| text).collect())
    }

    /// The receivers of some flows, each with what is to be said of it besides.
    fn recipients(&self, out: &[FlowId], of: impl Fn(FlowId) -> Option<Option<String>>) -> Field {
        let model = self.model;
        let chosen: Vec<(PartyId, Option<String>, bool)> = out
            .iter()
            .filter_map(|&flow| {
                let agreement = model.flows[flow].agreement;
                let proposed = agreement.is_some_and(|a| model.agreements[a].status == Status::Proposed);
                Some((model.receiver(flow), of(flow)?, proposed))
            })
            .collect();
        let different: BTreeSet<(PartyId, Option<String>)> =
            chosen.iter().map(|(party, place, _)| (*party, place.clone())).collect();
        let texts: Vec<String> = different
            .into_iter()
            .map(|(party, place)| {
                let mut flows = chosen.iter().filter(|(p, at, _)| *p == party && *at == place);
                let proposed = flows.all(|(.., proposed)| *proposed).then(|| "proposed".to_owned());
                let besides: Vec<String> = [place, proposed].into_iter().flatten().collect();
                match besides.is_empty() {
                    true => self.name(party),
                    false => format!("{} ({})", self.name(party), besides.join(", ")),
                }
            })
            .collect();
        Field::some_or_none(texts)
    }
}

/// Up to some names, and how many more there are.
fn shortened(mut texts: Vec<String>) -> Vec<String> {
    let more = texts.len().saturating_sub(NAMED);
    texts.truncate(NAMED);
    texts.extend((more > 0).then(|| format!("{more} more")));
    texts
}

/// A key's title, or its name.
pub fn title(tree: &Tree, key: Key) -> String {
    tree.title(key).unwrap_or_else(|| tree.name(key)).to_owned()
}
