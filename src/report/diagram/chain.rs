//! The walks of a finding, hop by hop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::picture::{Edge, Flow, Origin, Party, Picture, System, View, Walk};
use super::text::counted;
use crate::base::finding::{Finding, FindingKind, FindingStatus, Hop};

/// How many walks are drawn.
const MOST_WALKS: usize = 6;

/// The walks of a finding alone; empty for one that is about no flow.
pub fn chain(finding: &Finding) -> Picture {
    let mut walks: Vec<&[Arc<Hop>]> = Vec::new();
    for walk in std::iter::once(&finding.path).chain(&finding.witnesses) {
        if !walk.is_empty() && !walks.contains(&walk.as_slice()) {
            walks.push(walk);
        }
    }
    let left_out = walks.len().saturating_sub(MOST_WALKS);
    let mut drawing =
        Drawing { finding, picture: Picture::default(), systems: BTreeMap::new(), parties: BTreeMap::new() };
    for walk in walks.iter().take(MOST_WALKS) {
        drawing.walk(walk);
    }
    let mut picture = drawing.picture;
    picture.view = View::Chain;
    picture.title.clone_from(&finding.title);
    picture.description = picture
        .walks
        .iter()
        .map(|walk| {
            let names: Vec<&str> =
                walk.systems.iter().filter_map(|&s| picture.systems.get(s)).map(|s| s.id.as_str()).collect();
            names.join(" → ")
        })
        .collect::<Vec<_>>()
        .join("; ");
    if left_out > 0 {
        picture.description.push_str(&format!("; and {} more", counted(left_out, "walk")));
    }
    picture
}

struct Drawing<'f> {
    finding: &'f Finding,
    picture: Picture,
    systems: BTreeMap<String, usize>,
    parties: BTreeMap<String, usize>,
}

impl Drawing<'_> {
    fn walk(&mut self, hops: &[Arc<Hop>]) {
        let mut walk = Walk::default();
        walk.systems.extend(hops.first().map(|hop| self.system(&hop.from)));
        for hop in hops {
            let (from, to) = (self.system(&hop.from), self.system(&hop.to));
            walk.systems.push(to);
            walk.edges.push(self.edge(hop, from, to));
        }
        if let (Some(&first), Some(&last)) = (walk.systems.first(), walk.systems.last()) {
            if let Some(system) = self.picture.systems.get_mut(first) {
                system.origin = Origin::Declared;
            }
            if let Some(system) = self.picture.systems.get_mut(last) {
                let arrives = !matches!(self.finding.kind, FindingKind::Terms | FindingKind::Flow);
                let new = self.finding.status == FindingStatus::New;
                system.reached = (arrives && new).then_some(self.finding.severity);
            }
        }
        self.picture.walks.push(walk);
    }

    fn system(&mut self, id: &str) -> usize {
        if let Some(&at) = self.systems.get(id) {
            return at;
        }
        let (party, label) = id.split_once('/').unwrap_or((id, id));
        let parties = &mut self.picture.parties;
        let at = *self.parties.entry(party.to_owned()).or_insert(parties.len());
        if at == parties.len() {
            parties.push(Party {
                id: party.to_owned(),
                name: party.to_owned(),
                role: None,
                jurisdiction: None,
                systems: 0,
                origin: Origin::No,
                reached: None,
            });
        }
        if let Some(party) = parties.get_mut(at) {
            party.systems += 1;
        }
        let number = self.picture.systems.len();
        self.picture.systems.push(System {
            id: id.to_owned(),
            label: label.to_owned(),
            party: at,
            title: None,
            purposes: Vec::new(),
            origin: Origin::No,
            reached: None,
        });
        self.systems.insert(id.to_owned(), number);
        number
    }

    fn edge(&mut self, hop: &Hop, from: usize, to: usize) -> usize {
        let party = |id: &str| id.split_once('/').map_or(id, |(party, _)| party).to_owned();
        let parties: BTreeSet<String> = [party(&hop.from), party(&hop.to)].into();
        self.picture.edges.push(Edge {
            id: format!("{}:{}", hop.from, hop.to),
            from,
            to,
            from_id: hop.from.clone(),
            to_id: hop.to.clone(),
            flows: vec![Flow {
                id: hop.flow.clone(),
                title: hop.title.clone(),
                data: hop.data.clone(),
                purposes: hop.purposes.clone(),
                agreement: hop.agreement.clone(),
                status: hop.agreement_status,
            }],
            data: hop.data.clone(),
            purposes: hop.purposes.clone(),
            agreements: hop.agreement.iter().cloned().collect(),
            parties: parties.into_iter().collect(),
            statuses: hop.agreement_status.into_iter().collect(),
            findings: vec![self.finding.fingerprint.clone()],
            severity: (self.finding.status == FindingStatus::New).then_some(self.finding.severity),
        });
        self.picture.edges.len() - 1
    }
}
