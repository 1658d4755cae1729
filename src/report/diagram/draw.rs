//! From the declared world and its findings to a picture.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::{Filter, MOST_SYSTEMS, flows_of};
use super::picture::{Edge, Flow, Origin, Party, Picture, System, View};
use super::text::counted;
use jiff::civil::Date;

use crate::base::finding::{Audit, Finding, FindingKind, FindingStatus};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{BuiltIn, Severity, Status};
use crate::declare::inventory;
use crate::model::load::World;
use crate::model::{Counting, FlowId, Model, PartyId, Scope, SystemId, Table};

/// How many neighbours a neighbourhood shows besides the chain.
const NEIGHBOURS: usize = 12;

/// What is drawn of the declared world: its systems, or, where they are too many, its
/// parties. Without a filter all of them, else those at the ends of a chosen flow.
pub fn picture(world: &World, audit: &Audit, filter: &Filter) -> Picture {
    let model = &world.model;
    let counting = Counting::new(model, audit.judged.date(), &filter.scope);
    // A chain may lead over flows that are disposed.
    let shown = model.flows.ids().filter(|&id| filter.finding.is_some() || counting.has(id));
    let all = counting.iter().count();
    let flows = filter.choose(world, audit, shown.collect());
    let systems = match filter.is_all() {
        true => model.systems.ids().collect(),
        false => ends(model, &flows),
    };
    let view = filter.view.unwrap_or(match systems.len() {
        0..=MOST_SYSTEMS => View::Systems,
        _ => View::Overview,
    });
    let parties: BTreeSet<PartyId> = match filter.is_all() {
        true => model.parties.ids().collect(),
        false => systems.iter().map(|&s| model.systems[s].party).collect(),
    };
    let draw = Draw { model, marks: Marks::new(model, audit) };
    let mut picture = match view {
        View::Overview => draw.overview(&parties, &flows),
        View::Systems => draw.systems(&parties, &systems, &flows),
    };
    picture.title = match filter.finding {
        Some(_) => "Declared data flows of a finding",
        None if view == View::Overview => "Declared data flows between parties",
        None => "Declared data flows",
    }
    .to_owned();
    picture.description = description(&picture, flows.len(), all);
    picture
}

/// A finding's systems with a bounded number of those next to them; day and scope are those of
/// the audit.
pub fn neighbourhood(world: &World, finding: &Finding, (day, scope): (Date, &Scope)) -> Picture {
    let model = &world.model;
    let names: BTreeSet<&str> = flows_of(finding).collect();
    let of_chain = |flow: FlowId| names.contains(model.flows[flow].name.as_str());
    let own: Vec<FlowId> = model.flows.ids().filter(|&flow| of_chain(flow)).collect();
    // A chain may lead over flows that are disposed.
    let counts = Counting::new(model, day, scope);
    let counting: Vec<FlowId> =
        model.flows.ids().filter(|&flow| counts.has(flow) || of_chain(flow)).collect();
    let mut systems = ends(model, &own);
    let places = [&finding.source, &finding.sink].into_iter().flatten().filter_map(|p| p.system.as_deref());
    let named: BTreeSet<&str> = places.collect();
    systems.extend(model.systems.iter().filter(|(_, s)| named.contains(s.name.as_str())).map(|(id, _)| id));

    // Nearest are those with most flows to and from the chain.
    let mut near: BTreeMap<SystemId, usize> = BTreeMap::new();
    for &id in &counting {
        let flow = &model.flows[id];
        for (one, other) in [(flow.from, flow.to), (flow.to, flow.from)] {
            if systems.contains(&one) && !systems.contains(&other) {
                *near.entry(other).or_default() += 1;
            }
        }
    }
    let found = near.len();
    let mut near: Vec<(SystemId, usize)> = near.into_iter().collect();
    near.sort_by_key(|&(id, count)| (std::cmp::Reverse(count), id));
    let chain = systems.clone();
    systems.extend(near.into_iter().take(NEIGHBOURS).map(|(id, _)| id));
    let flows: Vec<FlowId> = counting
        .into_iter()
        .filter(|&id| {
            let flow = &model.flows[id];
            systems.contains(&flow.from)
                && systems.contains(&flow.to)
                && (chain.contains(&flow.from) || chain.contains(&flow.to))
        })
        .collect();
    let parties = systems.iter().map(|&s| model.systems[s].party).collect();
    // What breaks other rules is not the matter here.
    let mut marks = Marks::of(model, std::iter::once(finding));
    marks.reached.retain(|_, _| finding.status == FindingStatus::New);
    let mut picture = Draw { model, marks }.systems(&parties, &systems, &flows);
    let left_out = found.saturating_sub(NEIGHBOURS);
    picture.title = format!("{} and what is next to it", finding.title);
    picture.description = match left_out {
        0 => description(&picture, flows.len(), flows.len()),
        n => format!(
            "{} {} next to the chain left out.",
            description(&picture, flows.len(), flows.len()),
            if n == 1 { "1 system is".to_owned() } else { format!("{n} systems are") }
        ),
    };
    picture
}

fn purposes(model: &Model, keys: &[Key]) -> Vec<String> {
    keys.iter().map(|&p| model.purposes.name(p).to_owned()).collect()
}

/// What a party is called.
fn name(party: &inventory::Party) -> String {
    match party.name.trim() {
        "" => party.id.value.clone(),
        name => name.to_owned(),
    }
}

fn ends(model: &Model, flows: &[FlowId]) -> BTreeSet<SystemId> {
    flows.iter().flat_map(|&f| [model.flows[f].from, model.flows[f].to]).collect()
}

fn description(picture: &Picture, drawn: usize, all: usize) -> String {
    let parties = match picture.parties.len() {
        1 => "1 party".to_owned(),
        n => format!("{n} parties"),
    };
    let systems = match picture.view {
        View::Overview => picture.parties.iter().map(|p| p.systems).sum(),
        View::Systems => picture.systems.len(),
    };
    let flows = match drawn == all {
        true => counted(all, "flow"),
        false => format!("{drawn} of {}", counted(all, "flow")),
    };
    let violations = match picture.edges.iter().filter(|e| e.severity.is_some()).count() {
        0 => "no line is part of a new finding".to_owned(),
        1 => "1 line is part of a new finding".to_owned(),
        n => format!("{n} lines are part of new findings"),
    };
    format!(
        "{parties}, {}, {flows} in {}; {violations}.",
        counted(systems, "system"),
        counted(picture.edges.len(), "line")
    )
}

/// What findings say about flows and systems.
struct Marks {
    findings: Table<FlowId, Vec<String>>,
    severity: Table<FlowId, Option<Severity>>,
    reached: BTreeMap<String, Severity>,
    assumed: BTreeSet<String>,
}

impl Marks {
    fn new(model: &Model, audit: &Audit) -> Self {
        Self::of(model, audit.findings.iter())
    }

    fn of<'f>(model: &Model, findings: impl Iterator<Item = &'f Finding>) -> Self {
        let mut marks = Marks {
            findings: model.flows.map(|_| Vec::new()),
            severity: model.flows.map(|_| None),
            reached: BTreeMap::new(),
            assumed: BTreeSet::new(),
        };
        let flows: BTreeMap<&str, FlowId> = model.flows.iter().map(|(id, f)| (f.name.as_str(), id)).collect();
        for finding in findings {
            let new = finding.status == FindingStatus::New;
            let names: BTreeSet<&str> = flows_of(finding).collect();
            for flow in names.into_iter().filter_map(|name| flows.get(name).copied()) {
                marks.findings[flow].push(finding.fingerprint.clone());
                if new {
                    most_severe(&mut marks.severity[flow], finding.severity);
                }
            }
            if BuiltIn::of(&finding.rule) == Some(BuiltIn::Unsourced) {
                marks.assumed.extend(finding.source.iter().filter_map(|p| p.system.clone()));
            }
            let arrives = !matches!(finding.kind, FindingKind::Terms | FindingKind::Flow);
            if let Some(system) = finding.sink.as_ref().and_then(|p| p.system.as_ref())
                && arrives
                && new
            {
                let known = marks.reached.entry(system.clone()).or_insert(finding.severity);
                *known = finding.severity.min(*known);
            }
        }
        marks
    }
}

fn most_severe(known: &mut Option<Severity>, new: Severity) {
    *known = Some(known.map_or(new, |old| old.min(new)));
}

struct Draw<'m> {
    model: &'m Model,
    marks: Marks,
}

impl Draw<'_> {
    fn systems(
        &self,
        parties: &BTreeSet<PartyId>,
        systems: &BTreeSet<SystemId>,
        flows: &[FlowId],
    ) -> Picture {
        let place: BTreeMap<PartyId, usize> = parties.iter().copied().zip(0..).collect();
        let at: BTreeMap<SystemId, usize> = systems.iter().copied().zip(0..).collect();
        let mut grouped: BTreeMap<(SystemId, SystemId), Vec<FlowId>> = BTreeMap::new();
        for &id in flows {
            let flow = &self.model.flows[id];
            grouped.entry((flow.from, flow.to)).or_default().push(id);
        }
        let edges = grouped.into_iter().filter_map(|((from, to), flows)| {
            let name = |s: SystemId| self.model.systems[s].name.clone();
            Some(self.edge((*at.get(&from)?, name(from)), (*at.get(&to)?, name(to)), &flows))
        });
        let mut number: BTreeMap<PartyId, usize> = BTreeMap::new();
        for &system in systems {
            *number.entry(self.model.systems[system].party).or_default() += 1;
        }
        Picture {
            view: View::Systems,
            parties: parties
                .iter()
                .map(|&party| self.party(party, number.get(&party).copied().unwrap_or_default()))
                .collect(),
            systems: systems
                .iter()
                .filter_map(|&s| Some(self.system(s, *place.get(&self.model.systems[s].party)?)))
                .collect(),
            edges: edges.collect(),
            ..Picture::default()
        }
    }

    fn overview(&self, parties: &BTreeSet<PartyId>, flows: &[FlowId]) -> Picture {
        let at: BTreeMap<PartyId, usize> = parties.iter().copied().zip(0..).collect();
        let mut grouped: BTreeMap<(PartyId, PartyId), Vec<FlowId>> = BTreeMap::new();
        for &id in flows {
            grouped.entry((self.model.sender(id), self.model.receiver(id))).or_default().push(id);
        }
        let edges = grouped.into_iter().filter_map(|((from, to), flows)| {
            let name = |p: PartyId| self.model.parties[p].id().to_owned();
            Some(self.edge((*at.get(&from)?, name(from)), (*at.get(&to)?, name(to)), &flows))
        });
        Picture {
            view: View::Overview,
            parties: parties.iter().map(|&p| self.party(p, self.model.parties[p].systems.len())).collect(),
            edges: edges.collect(),
            ..Picture::default()
        }
    }

    fn party(&self, id: PartyId, systems: usize) -> Party {
        let party = &self.model.parties[id];
        let reached =
            party.systems.iter().filter_map(|&s| self.marks.reached.get(&self.model.systems[s].name));
        Party {
            id: party.id().to_owned(),
            name: name(&party.declared),
            role: party.declared.role,
            jurisdiction: party.declared.jurisdiction.clone(),
            systems,
            origin: party.systems.iter().map(|&s| self.origin(s)).max().unwrap_or_default(),
            reached: reached.min().copied(),
        }
    }

    fn system(&self, id: SystemId, party: usize) -> System {
        let system = &self.model.systems[id];
        System {
            id: system.name.clone(),
            label: system.declared.id.value.clone(),
            party,
            title: system.declared.meta.title.as_deref().map(str::to_owned),
            purposes: purposes(self.model, &system.purposes),
            origin: self.origin(id),
            reached: self.marks.reached.get(&system.name).copied(),
        }
    }

    fn origin(&self, id: SystemId) -> Origin {
        let system = &self.model.systems[id];
        if !system.originates.is_empty() {
            Origin::Declared
        } else if self.marks.assumed.contains(&system.name) {
            Origin::Assumed
        } else {
            Origin::No
        }
    }

    fn edge(&self, from: (usize, String), to: (usize, String), flows: &[FlowId]) -> Edge {
        let model = self.model;
        let mut leaves = crate::base::bits::LeafSet::empty(model.data.leaf_count());
        let (mut purposes, mut agreements) = (BTreeSet::new(), BTreeSet::new());
        let (mut statuses, mut findings) = (BTreeSet::<Status>::new(), BTreeSet::new());
        let (mut parties, mut severity) = (BTreeSet::new(), None);
        for &id in flows {
            let flow = &model.flows[id];
            leaves.extend(flow.leaves.row());
            purposes.extend(flow.purposes.iter().map(|&p| model.purposes.name(p).to_owned()));
            agreements.extend(flow.agreement.map(|a| model.agreements[a].id().to_owned()));
            statuses.extend(flow.agreement.map(|a| model.agreements[a].status));
            findings.extend(self.marks.findings[id].iter().cloned());
            parties.extend([model.sender(id), model.receiver(id)].map(|p| model.parties[p].id().to_owned()));
            if let Some(grave) = self.marks.severity[id] {
                most_severe(&mut severity, grave);
            }
        }
        Edge {
            id: format!("{}:{}", from.1, to.1),
            from: from.0,
            to: to.0,
            from_id: from.1,
            to_id: to.1,
            flows: flows.iter().map(|&f| self.flow(f)).collect(),
            data: model.data.cover(&leaves),
            purposes: purposes.into_iter().collect(),
            agreements: agreements.into_iter().collect(),
            parties: parties.into_iter().collect(),
            statuses: statuses.into_iter().collect(),
            findings: findings.into_iter().collect(),
            severity,
        }
    }

    fn flow(&self, id: FlowId) -> Flow {
        let flow = &self.model.flows[id];
        Flow {
            id: flow.name.clone(),
            title: flow.declared.meta.title.as_deref().map(str::to_owned),
            data: self.model.data.cover(&flow.leaves),
            purposes: purposes(self.model, &flow.purposes),
            agreement: flow.agreement.map(|a| self.model.agreements[a].id().to_owned()),
            status: flow.agreement.map(|a| self.model.agreements[a].status),
        }
    }
}
