//! Terms that are broken, each once, with the agreements that state it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{NAMES, Place};
use crate::audit::checks;
use crate::base::finding::{FindingKind, Walk};
use crate::base::vocabulary::BuiltIn;
use crate::model::{FlowId, Model};
use crate::report::Report;
use crate::report::html::findings::Group;
use crate::report::html::names::{Names, at};
use crate::report::html::registers::{Term, term};

#[derive(Debug, Serialize)]
pub(super) struct TermRow {
    what: String,
    words: Term,
    agreements: Vec<Stating>,
    more_agreements: usize,
    flows: Vec<Place>,
    more_flows: usize,
    anchor: Option<String>,
}

/// An agreement that states a term, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Stating {
    id: String,
    title: String,
    at: Option<String>,
}

/// The agreements that state a term, and the flows that break it.
#[derive(Debug, Default)]
struct Stated {
    agreements: BTreeSet<Stating>,
    flows: BTreeSet<Place>,
}

/// The terms broken, each once with the agreements that state it.
pub(super) fn terms(report: &Report, names: &Names, groups: &[Group]) -> Vec<TermRow> {
    let Some(world) = report.world else {
        return Vec::new();
    };
    let model = &world.model;
    let mut rows: BTreeMap<(String, Term), Stated> = BTreeMap::new();
    for f in report.audit.findings.iter().filter(|f| f.kind == FindingKind::Terms) {
        let offending = f.flow.as_deref().and_then(|name| names.flow(name));
        for (index, id) in f.agreements.iter().enumerate() {
            let walk = f.witnesses.get(index).map(Walk::hops).unwrap_or_default();
            let own = walk.iter().rev().find(|hop| hop.agreement.as_ref() == Some(id));
            let own = own.and_then(|hop| names.flow(&hop.flow));
            let agreement = names.agreement(id).map(|a| &model.agreements[a]);
            let terms = own.map(|f| &*model.flows[f].terms).or(agreement.map(|a| &*a.declared.terms));
            let which = which(model, &f.rule, terms, offending);
            let Some(words) = terms.and_then(|terms| term(names, model, terms, which)) else {
                continue;
            };
            let row = rows.entry((f.rule.clone(), words)).or_default();
            let title = agreement
                .and_then(|a| a.declared.meta.title.as_deref().map(str::to_owned))
                .unwrap_or_else(|| id.clone());
            let written = terms.and_then(|terms| {
                terms.clause(which).map(|clause| clause.term.span).or_else(|| terms.span(which))
            });
            let clause = written.and_then(|span| names.span(span));
            row.agreements.insert(Stating { id: id.clone(), title, at: clause });
            row.flows
                .insert(Place { what: f.flow.clone().unwrap_or_default(), at: f.location.as_ref().map(at) });
        }
    }
    rows.into_iter()
        .map(|((rule, words), Stated { agreements, flows })| {
            let group = groups.iter().find(|g| g.rule == rule);
            TermRow {
                what: group.map_or_else(|| rule.clone(), |g| g.title.clone()),
                words,
                more_agreements: agreements.len().saturating_sub(NAMES),
                agreements: agreements.into_iter().take(NAMES).collect(),
                more_flows: flows.len().saturating_sub(NAMES),
                flows: flows.into_iter().take(NAMES).collect(),
                anchor: group.map(|g| g.anchor.clone()),
            }
        })
        .collect()
}

/// Which term a check of terms is about.
fn which(
    model: &Model,
    rule: &str,
    terms: Option<&crate::declare::inventory::Terms>,
    offending: Option<FlowId>,
) -> &'static str {
    match BuiltIn::of(rule) {
        Some(BuiltIn::Purpose) => {
            let ruled_out =
                terms.zip(offending).is_some_and(|(terms, flow)| checks::ruled_out(model, terms, flow));
            if ruled_out { "prohibited_purposes" } else { "purposes" }
        }
        rule => rule.and_then(|check| checks::check(check).term).unwrap_or("consent"),
    }
}
