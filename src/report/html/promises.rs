//! Promises, and how each stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::causes::Causes;
use super::names::{Names, System, at};
use crate::base::finding::{Finding, Hop, Promise, PromiseState};
use crate::base::vocabulary::Basis;
use crate::model::{FlowId, Model, SystemId};
use crate::report::Report;

use crate::report::say::speaker;

/// So many names stand in one place.
const NAMES: usize = 6;

/// A promise, and how it stands.
#[derive(Debug, Serialize)]
pub struct PromiseRow {
    id: String,
    quote: String,
    by: String,
    place: String,
    /// `broken`, `open` or `kept`.
    state: &'static str,
    /// Why it cannot be decided.
    gaps: Vec<GapRow>,
    findings: usize,
    /// The causes that break it: number and anchor.
    causes: Vec<(usize, String)>,
    /// How much of it is proposed or assumed.
    standing: Vec<String>,
    of: Vec<String>,
    data: Vec<String>,
    /// What the first flows of its chains are called.
    leaves_by: Vec<String>,
    through: Vec<Systems>,
    reaches: Vec<Systems>,
    /// When it would be broken, in words.
    violated: Option<String>,
    /// The claims that keep it.
    rests_on: Vec<String>,
}

/// Systems of one party.
#[derive(Debug, Serialize)]
struct Systems {
    party: String,
    systems: String,
}

/// Why a promise cannot be decided.
#[derive(Debug, Serialize)]
struct GapRow {
    why: String,
    missing: String,
    place: Option<String>,
}

fn some(all: BTreeSet<String>) -> Vec<String> {
    let more = all.len().saturating_sub(NAMES);
    let mut names: Vec<String> = all.into_iter().take(NAMES).collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names
}

/// Systems by their parties; what comes first on the chains comes first here.
fn by_party(systems: BTreeSet<(usize, System)>) -> Vec<Systems> {
    let mut parties: Vec<(String, Vec<String>)> = Vec::new();
    for (_, System { party, system }) in systems {
        let at = parties.iter().position(|(name, _)| *name == party).unwrap_or_else(|| {
            parties.push((party, Vec::new()));
            parties.len() - 1
        });
        if let (Some((_, systems)), Some(system)) = (parties.get_mut(at), system)
            && !systems.contains(&system)
        {
            systems.push(system);
        }
    }
    let more = parties.len().saturating_sub(NAMES);
    parties.truncate(NAMES);
    if more > 0 {
        parties.push((format!("{more} more parties"), Vec::new()));
    }
    parties.into_iter().map(|(party, systems)| Systems { party, systems: shortened(&systems) }).collect()
}

fn shortened(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The flows that count, by where they lead.
struct Beside<'r> {
    model: &'r Model,
    flows: FxHashMap<(SystemId, SystemId), Vec<FlowId>>,
}

impl<'r> Beside<'r> {
    fn new(report: &Report<'r>) -> Option<Self> {
        let model = &report.world?.model;
        let mut flows: FxHashMap<_, Vec<FlowId>> = FxHashMap::default();
        for id in report.counting(model).iter() {
            let flow = &model.flows[id];
            flows.entry((flow.from, flow.to)).or_default().push(id);
        }
        Some(Beside { model, flows })
    }

    /// What the flows are called by which a finding's data leaves its source to where its
    /// chain leads first: the chain shows one of them, which may carry a part of it.
    fn leaving(&self, finding: &Finding, names: &Names) -> Option<Vec<String>> {
        let first = &self.model.flows[names.flow(&finding.path.first()?.flow)?];
        let under = |one: &str, other: &str| {
            one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let concerned = |key: &str| finding.data.iter().any(|data| under(key, data) || under(data, key));
        let beside =
            self.flows.get(&(first.from, first.to))?.iter().map(|&id| &self.model.flows[id].declared);
        let carrying =
            beside.filter(|flow| flow.data.iter().any(|k| concerned(self.model.data.name(k.value))));
        Some(carrying.filter_map(|flow| flow.meta.title.as_deref().map(str::to_owned)).collect())
    }
}

/// Every promise: broken ones first, then those not decidable.
pub fn promises(report: &Report, names: &Names, causes: &Causes) -> Vec<PromiseRow> {
    let audit = report.audit;
    let beside = Beside::new(report);
    let mut sorted: Vec<&Promise> = audit.promises.iter().collect();
    sorted.sort_by_key(|p| p.standing());
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &audit.findings {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }
    let told: BTreeMap<&str, (usize, &str)> =
        causes.told().map(|cause| (cause.id.as_str(), (cause.number, cause.anchor.as_str()))).collect();
    let row = |p: &Promise| {
        let rule = p.rule();
        let findings = by_rule.get(rule.as_str()).map(Vec::as_slice).unwrap_or_default();
        let (mut of, mut through, mut reaches) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut data = BTreeSet::new();
        let mut leaves_by = BTreeSet::new();
        for f in findings {
            data.extend(f.data.iter().map(|key| names.data(key)));
            let leaving = beside.as_ref().and_then(|beside| beside.leaving(f, names));
            leaves_by.extend(leaving.unwrap_or_default());
            of.extend(f.source.as_ref().map(|place| names.party(&place.party)));
            reaches.extend(f.sink.as_ref().map(|place| (f.path.len(), names.place(place))));
            let passed = f.path.len().saturating_sub(1);
            through
                .extend(f.path.iter().take(passed).enumerate().map(|(at, hop)| (at, names.system(&hop.to))));
        }
        PromiseRow {
            id: p.id.clone(),
            quote: p.quote.clone(),
            by: speaker(p).replacen(&p.by, &names.party(&p.by), 1),
            place: at(&p.location),
            state: match p.standing() {
                PromiseState::Broken => "broken",
                PromiseState::Undecided => "open",
                PromiseState::Kept => "kept",
            },
            gaps: p
                .gaps
                .iter()
                .take(NAMES)
                .map(|gap| GapRow {
                    why: gap.message.clone(),
                    missing: gap.missing.clone(),
                    place: gap.location.as_ref().map(at),
                })
                .collect(),
            findings: p.broken_by.len(),
            causes: {
                let mut numbers: BTreeSet<(usize, String)> = BTreeSet::new();
                let told = findings.iter().filter_map(|f| told.get(f.cause.as_str()));
                numbers.extend(told.map(|(number, anchor)| (*number, (*anchor).to_owned())));
                numbers.into_iter().collect()
            },
            standing: footing(findings),
            of: some(of),
            data: some(data),
            leaves_by: some(leaves_by),
            through: by_party(through),
            reaches: by_party(reaches),
            violated: names.violated(&p.id),
            rests_on: some(
                audit
                    .relied_on
                    .iter()
                    .filter(|r| r.rule == rule)
                    .map(|r| format!("{} claims {}", r.by(), r.claim))
                    .collect(),
            ),
        }
    };
    sorted.into_iter().map(row).collect()
}

/// How much of some findings is only proposed, and how much only assumed.
fn footing(findings: &[&Finding]) -> Vec<String> {
    let all = findings.len();
    let assumed = |hop: &Arc<Hop>| hop.basis == Some(Basis::Assumed);
    let proposed = findings.iter().filter(|f| f.prospective).count();
    let assuming = findings.iter().filter(|f| f.path.iter().any(assumed)).count();
    let part = |number: usize, what: &str| match number {
        0 => None,
        n if n == all => Some(format!("only by {what}")),
        n => Some(format!("{n} of {all} findings only by {what}")),
    };
    part(proposed, "proposed agreements").into_iter().chain(part(assuming, "an assumed flow")).collect()
}
