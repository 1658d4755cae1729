//! What must change: the flows on which most findings hang, and what to do about each rule.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::{NAMES, Place};
use crate::base::finding::{Audit, Finding, FindingKind, FindingStatus, Walk};
use crate::base::vocabulary::{Severity, Status};
use crate::report::group::{self, Words};
use crate::report::html::findings::Group;
use crate::report::html::names::{Names, at};
use crate::report::say::walks;

/// So many flows are named that end most chains.
const CUTS: usize = 5;

/// A flow that findings' chains run over.
#[derive(Debug, Serialize)]
pub(super) struct Cut {
    flow: String,
    title: Option<String>,
    under: Option<String>,
    at: String,
    /// How many findings have it in every chain that is shown.
    ends: usize,
    /// How many it and those before it end.
    together: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Change {
    severity: Severity,
    title: String,
    anchor: String,
    remedy: Option<String>,
    places: Vec<Place>,
    more: usize,
}

/// How many findings are not yet accepted, and the flows that most of them hang on: a
/// finding hangs on a flow that every chain shown of it crosses. Each after those before it; of those
/// on which the same hang the one that is furthest along the chains: it takes least besides.
pub(super) fn cuts(audit: &Audit) -> (usize, Vec<Cut>) {
    let open: Vec<&Finding> = audit.findings.iter().filter(|f| f.status == FindingStatus::New).collect();
    let mut hanging: Vec<Vec<&str>> = open.iter().map(|f| crossed(f)).collect();
    let mut number: FxHashMap<&str, usize> = FxHashMap::default();
    for flow in hanging.iter().flatten() {
        *number.entry(flow).or_default() += 1;
    }
    let mut along: FxHashMap<&str, usize> = FxHashMap::default();
    for (at, hop) in open.iter().flat_map(|f| f.path.iter().enumerate()) {
        *along.entry(&hop.flow).or_default() += at;
    }
    let mut cuts = Vec::new();
    let mut together = 0;
    while cuts.len() < CUTS {
        let mut left: FxHashMap<&str, usize> = FxHashMap::default();
        for flow in hanging.iter().flatten() {
            *left.entry(flow).or_default() += 1;
        }
        let rank = |flow| (number.get(flow), along.get(flow), Reverse(flow));
        let most = left.into_iter().max_by_key(|&(flow, n)| (n, rank(flow)));
        let Some((flow, more)) = most else { break };
        hanging.retain(|flows| !flows.contains(&flow));
        together += more;
        let hop = open.iter().flat_map(|f| f.path.iter().chain(f.witnesses.iter().flat_map(Walk::hops)));
        if let Some(hop) = hop.into_iter().find(|hop| hop.flow == flow) {
            cuts.push(Cut {
                flow: flow.to_owned(),
                title: hop.title.clone(),
                under: hop.agreement.as_ref().map(|_| match hop.agreement_status {
                    Some(Status::Active) | None => "active".to_owned(),
                    Some(status) => status.to_string(),
                }),
                at: at(&hop.location),
                ends: number.get(flow).copied().unwrap_or_default(),
                together,
            });
        }
    }
    (open.len(), cuts)
}

/// The flows that every chain shown of a finding crosses, each once.
fn crossed(finding: &Finding) -> Vec<&str> {
    let chains = walks(finding);
    let mut chains = chains.iter().map(|(chain, _)| *chain);
    let Some(first) = chains.next() else {
        return Vec::new();
    };
    let mut flows: Vec<&str> = first.iter().map(|hop| hop.flow.as_str()).collect();
    flows.sort_unstable();
    flows.dedup();
    for chain in chains {
        let crossed: FxHashSet<&str> = chain.iter().map(|hop| hop.flow.as_str()).collect();
        flows.retain(|flow| crossed.contains(flow));
    }
    flows
}

/// For each rule broken by something not yet accepted: what to do, and where it breaks first; where
/// that is accepted, where it does next.
pub(super) fn changes(audit: &Audit, names: &Names, groups: &[Group]) -> Vec<Change> {
    let mut by_words: BTreeMap<Words, BTreeSet<Place>> = BTreeMap::new();
    let is_open = |f: &&Finding| f.status == FindingStatus::New;
    let heads = group::groups(audit.findings.iter()).into_iter().flat_map(|(_, group)| group.heads);
    let open = heads.flat_map(|head| match head.finding.status {
        FindingStatus::New => vec![head.finding],
        _ => head.folded.into_iter().filter(is_open).collect(),
    });
    for f in open {
        let places = by_words
            .entry((f.severity, &f.rule, &f.title, f.why.as_deref(), f.remedy.as_deref()))
            .or_default();
        let last = f.path.last().map(|hop| hop.flow.clone());
        let what = match f.kind {
            FindingKind::Limit => f.subject.as_deref().map(|s| names.line(s)),
            FindingKind::Require => f.subject.clone(),
            _ => f.flow.clone().or(last).or_else(|| f.subject.clone()),
        };
        places.insert(Place { what: what.unwrap_or_default(), at: f.location.as_ref().map(at) });
    }
    let mut changes: Vec<Change> = Vec::new();
    for g in groups {
        let words = (g.severity, g.rule.as_str(), g.title.as_str(), g.why.as_deref(), g.remedy.as_deref());
        if let Some(places) = by_words.remove(&words) {
            changes.push(Change {
                severity: g.severity,
                title: g.title.clone(),
                anchor: g.anchor.clone(),
                remedy: g.remedy.clone(),
                more: places.len().saturating_sub(NAMES),
                places: places.into_iter().take(NAMES).collect(),
            });
        }
    }
    changes
}
