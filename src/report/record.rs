//! The record of processing activities, as far as it is declared: for each system what
//! Article 30 of the General Data Protection Regulation asks for. What nobody declares is
//! a gap and is shown as one.

use std::collections::BTreeSet;

use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::{Relation, Status};
use crate::flow::graph::Graph;
use crate::flow::holdings::Holdings;
use crate::model::{Counting, FlowId, Model, PartyId, SystemId};

/// The label by which a system, or its party, says whose data it holds: `customers`.
pub const SUBJECTS_LABEL: &str = "data_subjects";

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

    /// The field on one line.
    pub fn text(&self) -> String {
        match self {
            Field::Says(texts) => texts.join("; "),
            Field::None => "none".to_owned(),
            Field::Gap => "not declared".to_owned(),
        }
    }
}

/// What is said of a party, in the order of the columns.
pub const PARTY: [&str; 6] =
    ["party", "name", "jurisdiction", "contact", "data protection officer", "representative"];

/// What is said of each system, in the order of the columns.
pub const ACTIVITY: [&str; 11] = [
    "system",
    "acts as",
    "purposes",
    "people concerned",
    "number of people",
    "categories of data",
    "recipients",
    "recipients in other regions",
    "kept for",
    "safeguards",
    "legal basis",
];

/// What one party does with data.
#[derive(Debug, Clone)]
pub struct PartyRecord {
    /// Who.
    pub party: PartyId,
    /// Its fields, as [`PARTY`] names them.
    pub fields: Vec<Field>,
    /// Its systems, each with its fields as [`ACTIVITY`] names them.
    pub activities: Vec<(SystemId, Vec<Field>)>,
}

/// The record of every party, in the order of ids.
pub fn record(model: &Model, counting: &Counting, holdings: &Holdings) -> Vec<PartyRecord> {
    let graph = Graph::new(model, counting);
    let writer = Writer { model, graph: &graph, holdings };
    let records = model.parties.ids().map(|party| PartyRecord {
        party,
        fields: writer.party(party),
        activities: model.parties[party].systems.iter().map(|&s| (s, writer.activity(s))).collect(),
    });
    records.collect()
}

struct Writer<'w> {
    model: &'w Model,
    graph: &'w Graph<'w>,
    holdings: &'w Holdings,
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

    fn activity(&self, id: SystemId) -> Vec<Field> {
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
        let held = self.holdings.at(id);
        let data = model.data.cover(&held).into_iter().filter_map(|name| model.data.find(&name));
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
            Field::one(Some(system.name.clone())),
            self.acts_as(id),
            Field::list(purposes.into_iter().map(|key| title(&model.purposes, key))),
            Field::one(people),
            Field::one(declared.subjects.map(|n| n.to_string())),
            Field::list(data.map(|key| title(&model.data, key))),
            self.recipients(&out, |_| Some(None)),
            self.recipients(&out, |flow| self.other_region(flow)),
            Field::list(kept.into_iter().map(|r| r.in_words())),
            Field::list(safeguards.into_iter().map(|s| s.replace('_', " "))),
            Field::list(bases.into_iter().map(|s| s.replace('_', " "))),
        ]
    }

    /// Controller, or processor for whom: by the relations at which its party holds what
    /// this system holds.
    fn acts_as(&self, id: SystemId) -> Field {
        let holdings = self.holdings.of(self.model.systems[id].party);
        let here = holdings.iter().filter(|h| h.systems.contains(&id));
        let (for_others, own): (Vec<_>, Vec<_>) = here.partition(|h| h.relation == Relation::Processor);
        let mut texts = Vec::new();
        if !own.is_empty() {
            texts.push("controller".to_owned());
        }
        let origins: BTreeSet<PartyId> = for_others.iter().map(|h| h.origin).collect();
        texts.extend(
            origins.into_iter().map(|p| format!("processor of data that comes from {}", self.name(p))),
        );
        Field::list(texts)
    }

    /// Where a flow's receiver stands, if that is elsewhere, or if nobody says.
    fn other_region(&self, flow: FlowId) -> Option<Option<String>> {
        let ends = &self.model.flows[flow];
        let (from, to) = (&self.model.systems[ends.from].regions, &self.model.systems[ends.to].regions);
        let is_there = |to: &&String| from.iter().any(|from| from.eq_ignore_ascii_case(to));
        let elsewhere: Vec<&str> = to.iter().filter(|to| !is_there(to)).map(String::as_str).collect();
        match elsewhere.as_slice() {
            [] if to.is_empty() => Some(Some("region not declared".to_owned())),
            [] => None,
            elsewhere => Some(Some(elsewhere.join(", "))),
        }
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
        if texts.is_empty() { Field::None } else { Field::Says(texts) }
    }
}

/// A key's title, or its name.
pub fn title(tree: &Tree, key: Key) -> String {
    tree.title(key).unwrap_or_else(|| tree.name(key)).to_owned()
}
