//! The first screen: the verdict, what it counts, the promises, the terms, what must
//! change, and what was judged.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::findings::{Group, standing};
use super::names::{Names, System, at};
use super::registers::{Term, term};
use crate::audit::checks;
use crate::base::finding::{Audit, Finding, FindingKind, FindingStatus, Hop, Promise, PromiseState};
use crate::base::vocabulary::{Basis, BuiltIn, Severity, Status};
use crate::compare::{Diff, StateFacts};
use crate::declare::gate::Threshold;
use crate::model::{FlowId, Model, SystemId};
use crate::report::Report;
use crate::report::difference::brief;
use crate::report::gated::entries;
use crate::report::group::{self, Words};
use crate::report::say::{
    CAUTION, by_severity, count, left_out, listing, not_judged, speaker, unjudged, walks,
};

/// So many names stand in one cell.
const NAMES: usize = 12;

/// So many flows are named that end most chains.
const CUTS: usize = 5;

/// All of the first screen.
#[derive(Debug, Serialize)]
pub struct Overview {
    compared: Option<Compared>,
    fails: bool,
    caution: &'static str,
    word: &'static str,
    sentence: String,
    reason: String,
    judged: String,
    claims: Option<String>,
    loose: Option<String>,
    counts: Vec<(Severity, usize)>,
    accepted: Vec<(&'static str, usize)>,
    /// How many promises are broken by proposed agreements alone.
    only_proposed: Option<String>,
    promises: Vec<PromiseRow>,
    kept: usize,
    broken: usize,
    undecided: usize,
    terms: Vec<TermRow>,
    cuts: Vec<Cut>,
    open: usize,
    changes: Vec<Change>,
    facts: Vec<(&'static str, String)>,
    packs: Vec<Pack>,
}

#[derive(Debug, Serialize)]
struct PromiseRow {
    id: String,
    quote: String,
    by: String,
    place: String,
    /// `broken`, `open` or `kept`.
    state: &'static str,
    /// Why it cannot be decided.
    gaps: Vec<GapRow>,
    findings: usize,
    anchor: Option<String>,
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

#[derive(Debug, Serialize)]
struct TermRow {
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

/// A flow that findings' chains run over.
#[derive(Debug, Serialize)]
struct Cut {
    flow: String,
    title: Option<String>,
    under: Option<String>,
    at: String,
    /// How many findings have it in every chain that is shown.
    ends: usize,
    /// How many it and those before it end.
    together: usize,
}

/// The two states of a comparison.
#[derive(Debug, Serialize)]
struct Compared {
    base: String,
    head: String,
    numbers: String,
    trust_head: bool,
    findings_only: bool,
    /// What claims of the second keep from being findings.
    pardoned: Vec<String>,
    /// What it changes of what judges, and what fails besides findings.
    changes: Vec<String>,
    /// Files that are not judged.
    unjudged: Option<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Place {
    what: String,
    at: Option<String>,
}

#[derive(Debug, Serialize)]
struct Change {
    severity: Severity,
    title: String,
    anchor: String,
    remedy: Option<String>,
    places: Vec<Place>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Pack {
    id: String,
    title: Option<String>,
    version: Option<String>,
    standing: &'static str,
    as_of: Option<String>,
    rules: usize,
    new: usize,
    about: Option<String>,
    cannot_see: Option<String>,
}

/// Makes the first screen.
#[derive(Debug, Serialize)]
struct GapRow {
    why: String,
    missing: String,
    place: Option<String>,
}

pub fn overview(report: &Report, names: &Names, groups: &[Group]) -> Overview {
    let audit = report.audit;
    let fails = match report.compared {
        Some((diff, widening)) => diff.fails(&report.gate, widening),
        None => report.gate.fails(audit),
    };
    let number = |state| audit.promises.iter().filter(|p| p.standing() == state).count();
    let (broken, undecided) = (number(PromiseState::Broken), number(PromiseState::Undecided));
    let s = &audit.summary;
    let loose = audit.findings.iter().filter(|f| f.status == FindingStatus::New && !f.binding).count();
    let (open, cuts) = cuts(audit);
    Overview {
        compared: report.compared.map(|(diff, _)| compared(diff, report)),
        fails,
        word: if fails { "Fail" } else { "Pass" },
        caution: CAUTION,
        sentence: sentence(audit, broken, undecided),
        reason: reason(report),
        judged: judged(report),
        claims: (!audit.relied_on.is_empty()).then(|| count(claims(audit), "claim")),
        loose: (loose > 0).then(|| {
            format!(
                "{} of non-binding policies: shown, without effect on the result.",
                count(loose, "new finding")
            )
        }),
        counts: vec![
            (Severity::Critical, s.critical),
            (Severity::High, s.high),
            (Severity::Medium, s.medium),
            (Severity::Low, s.low),
            (Severity::Info, s.info),
        ],
        accepted: vec![("waived", s.waived), ("in the baseline", s.baseline)],
        only_proposed: only_proposed(audit, broken),
        promises: promises(report, names, groups),
        kept: number(PromiseState::Kept),
        broken,
        undecided,
        terms: terms(report, names, groups),
        cuts,
        open,
        changes: changes(audit, names, groups),
        facts: facts(report),
        packs: packs(audit),
    }
}

/// Which states are compared, and what came of it.
fn compared(diff: &Diff, report: &Report) -> Compared {
    let name = |state: &StateFacts| match &state.commit {
        Some(commit) => format!("{} (commit {})", state.name, commit.get(..12).unwrap_or(commit)),
        None => state.name.clone(),
    };
    let s = &diff.summary;
    let mut numbers = vec![
        format!("{} added", count(s.added, "finding")),
        format!("{} grown", s.grown),
        format!("{} gone", s.fixed),
        format!("{} as before", s.unchanged),
    ];
    if diff.edits.is_some() {
        numbers.push(format!("{} that widen", count(s.widening + s.both, "edit")));
        numbers.push(format!("{} that only claim", s.assertion));
        numbers.push(format!(
            "{} of settings or policies that widen or only claim",
            count(s.settings, "change")
        ));
    }
    if !diff.pardoned.is_empty() {
        numbers.push(format!("{} pardoned in the same change", s.pardoned));
    }
    let pardoned = diff.pardoned.iter().map(|pardoned| {
        let claims: Vec<String> =
            pardoned.edits.iter().map(|edit| format!("{} {}, {}", edit.of, edit.id, edit.said())).collect();
        format!("{}: {}", brief(&pardoned.finding), claims.join("; "))
    });
    let changes = entries(report).into_iter().map(|entry| {
        let place = entry.location.as_ref().map(|l| format!(" ({})", at(l)));
        let fails = if entry.fails { "fails: " } else { "" };
        format!("{fails}{}{}", entry.message, place.unwrap_or_default())
    });
    Compared {
        pardoned: pardoned.collect(),
        changes: changes.collect(),
        unjudged: unjudged(diff),
        base: name(&diff.base),
        head: name(&diff.head),
        numbers: listing(&numbers),
        trust_head: diff.trust_head,
        findings_only: diff.edits.is_none(),
    }
}

fn sentence(audit: &Audit, broken: usize, undecided: usize) -> String {
    let promises = audit.promises.len();
    let s = &audit.summary;
    let new = s.critical + s.high + s.medium + s.low + s.info;
    let of_promises = match (promises, broken) {
        (0, _) => None,
        (n, 0) if undecided > 0 => {
            Some(format!("do not decide {undecided} of {}", count(n, "public promise")))
        }
        (1, 0) => Some("keep the one public promise".to_owned()),
        (n, 0) => Some(format!("keep all {n} public promises")),
        (1, _) => Some("break the one public promise".to_owned()),
        (n, b) => Some(format!("break {b} of {n} public promises")),
    };
    let accepted = s.waived + s.baseline;
    let of_rules = match (new, accepted) {
        (0, 0) => "break none of the rules and terms applied".to_owned(),
        (0, n) => format!("break nothing new ({} accepted before)", count(n, "finding")),
        (n, _) => format!("give {}", count(n, "new finding")),
    };
    let parts: Vec<String> = of_promises.into_iter().chain([of_rules]).collect();
    format!("The declared flows {}.", listing(&parts))
}

fn reason(report: &Report) -> String {
    let audit = report.audit;
    let gate = &report.gate;
    let (stopping, severities) =
        by_severity(audit.findings.iter().filter(|f| gate.stops(f)).map(|f| f.severity));
    let denied = audit.notices.iter().filter(|n| report.denies(n)).count();
    let mut why = Vec::new();
    if stopping > 0 {
        let fails = if stopping == 1 { "fails" } else { "fail" };
        why.push(format!("{} {fails} this audit ({severities})", count(stopping, "new finding")));
    }
    if denied > 0 {
        why.push(format!("{} denied", count(denied, "notice") + if denied == 1 { " is" } else { " are" }));
    }
    let from = match gate.fail_on {
        Threshold::Never => "findings never fail this audit".to_owned(),
        Threshold::At(severity) => {
            format!("a finding fails if it is new, from a binding policy and at or above {severity}")
        }
    };
    if let Some((diff, true)) = report.compared {
        let gated = diff.edits.iter().flatten().filter(|edit| edit.class.gates()).count();
        if gated > 0 {
            why.push(format!("{} that widen or only claim count", count(gated, "edit")));
        }
        let reached = diff.newly_reached();
        if reached > 0 && gated == 0 {
            why.push(format!("{} newly reached", count(reached, "place")));
        }
        let settings = diff.untrusted.iter().filter(|change| change.gates()).count();
        if settings > 0 {
            why.push(format!(
                "{} of settings or policies that widen or only claim count",
                count(settings, "change")
            ));
        }
    }
    if let Some((diff, true)) = report.compared
        && !diff.unjudged.is_empty()
    {
        why.push(format!("{} of the second state not judged", count(diff.unjudged.len(), "file")));
    }
    match why.is_empty() {
        true => format!("No finding fails this audit; {from}."),
        false => format!("{}; {from}.", listing(&why)),
    }
}

/// How many different claims the verdict relies on.
fn claims(audit: &Audit) -> usize {
    let claims = audit.relied_on.iter().map(|r| (&r.flow, &r.claim));
    claims.collect::<BTreeSet<_>>().len()
}

/// What was judged, in a sentence.
fn judged(report: &Report) -> String {
    let audit = report.audit;
    let i = &audit.inventory;
    let flows = match &audit.judged.as_of {
        Some(day) => format!(" with the flows of {day}"),
        None => String::new(),
    };
    let policy = |p: &crate::base::finding::PolicyFacts| {
        let version = p.version.as_ref().map_or(String::new(), |v| format!(" {v}"));
        format!("{}{version} ({})", p.title.as_ref().unwrap_or(&p.id), standing(p.status))
    };
    let policies: Vec<String> = audit.policies.iter().map(policy).collect();
    let by = match policies.is_empty() {
        true => "by the agreements' own terms and the promises alone".to_owned(),
        false => format!("by the agreements' own terms, the promises, and {}", listing(&policies)),
    };
    format!(
        "Judged on {}{flows}, {by}: {}, {}, {} and {} that count, {} of them proposed and {} assumed{}. \
         Inventory {}.",
        audit.judged.day,
        match i.parties {
            1 => "1 party".to_owned(),
            n => format!("{n} parties"),
        },
        count(i.systems, "system"),
        count(i.agreements, "agreement"),
        count(i.counting_flows, "flow"),
        i.proposed_flows,
        i.assumed_flows,
        not_judged(&audit.judged).map(|text| format!("; {text}")).collect::<String>(),
        i.digest.get(..16).unwrap_or(&i.digest),
    )
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

fn promises(report: &Report, names: &Names, groups: &[Group]) -> Vec<PromiseRow> {
    let audit = report.audit;
    let beside = Beside::new(report);
    let mut sorted: Vec<&Promise> = audit.promises.iter().collect();
    sorted.sort_by_key(|p| p.standing());
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &audit.findings {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }
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
            anchor: groups.iter().find(|g| g.rule == rule).map(|g| g.anchor.clone()),
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
                    .map(|r| format!("{} claims {}", r.flow, r.claim))
                    .collect(),
            ),
        }
    };
    sorted.into_iter().map(row).collect()
}

/// How many of the broken promises are broken by findings that stand on proposed agreements
/// alone.
fn only_proposed(audit: &Audit, broken: usize) -> Option<String> {
    let mut firm: BTreeSet<&str> = BTreeSet::new();
    firm.extend(audit.findings.iter().filter(|f| !f.prospective).map(|f| f.fingerprint.as_str()));
    let broken_by = |p: &&Promise| p.standing() == PromiseState::Broken;
    let proposed = |p: &&Promise| p.broken_by.iter().all(|f| !firm.contains(f.as_str()));
    match (audit.promises.iter().filter(broken_by).filter(proposed).count(), broken) {
        (0, _) => None,
        (1, 1) => Some("The broken promise is broken by proposed agreements alone.".to_owned()),
        (n, all) if n == all => {
            Some(format!("All {n} broken promises are broken by proposed agreements alone."))
        }
        (1, all) => Some(format!("1 of the {all} broken promises is broken by proposed agreements alone.")),
        (n, all) => {
            Some(format!("{n} of the {all} broken promises are broken by proposed agreements alone."))
        }
    }
}

/// How much of some findings is only proposed, and how much only assumed.
fn footing(findings: &[&Finding]) -> Vec<String> {
    let all = findings.len();
    let assumed = |hop: &Arc<Hop>| hop.basis == Some(Basis::Assumed);
    let proposed = findings.iter().filter(|f| f.prospective).count();
    let assuming = findings.iter().filter(|f| f.path.iter().any(assumed)).count();
    let part = |number: usize| match (number, all) {
        (1, 1) => "it stands".to_owned(),
        (n, all) if n == all => format!("all {all} stand"),
        (1, _) => "1 stands".to_owned(),
        (n, _) => format!("{n} stand"),
    };
    let mut out = Vec::new();
    if proposed > 0 {
        out.push(format!("{} on proposed agreements alone", part(proposed)));
    }
    if assuming > 0 {
        out.push(format!("{} on an assumed flow", part(assuming)));
    }
    if all > 0 && proposed + assuming == 0 {
        out.push("none is only proposed or assumed".to_owned());
    }
    out
}

/// The agreements that state a term, and the flows that break it.
#[derive(Debug, Default)]
struct Stated {
    agreements: BTreeSet<Stating>,
    flows: BTreeSet<Place>,
}

/// The terms broken, each once with the agreements that state it.
fn terms(report: &Report, names: &Names, groups: &[Group]) -> Vec<TermRow> {
    let Some(world) = report.world else {
        return Vec::new();
    };
    let model = &world.model;
    let mut rows: BTreeMap<(String, Term), Stated> = BTreeMap::new();
    for f in report.audit.findings.iter().filter(|f| f.kind == FindingKind::Terms) {
        let offending = f.flow.as_deref().and_then(|name| names.flow(name));
        for (index, id) in f.agreements.iter().enumerate() {
            let walk = f.witnesses.get(index).map(Vec::as_slice).unwrap_or_default();
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

/// How many findings are not yet accepted, and the flows that most of them hang on: a
/// finding hangs on a flow that every chain shown of it crosses. Each after those before it; of those
/// on which the same hang the one that is furthest along the chains: it takes least besides.
fn cuts(audit: &Audit) -> (usize, Vec<Cut>) {
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
        let hop = open.iter().flat_map(|f| f.path.iter().chain(f.witnesses.iter().flatten()));
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
fn changes(audit: &Audit, names: &Names, groups: &[Group]) -> Vec<Change> {
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

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let audit = report.audit;
    let i = &audit.inventory;
    let mut facts = vec![
        ("Day judged", audit.judged.day.clone()),
        (
            "Flows of",
            match &audit.judged.as_of {
                Some(day) => day.clone(),
                None => "any day; dates do not matter".to_owned(),
            },
        ),
    ];
    if let Some(statuses) = &audit.judged.status {
        let words: Vec<String> = statuses.iter().map(ToString::to_string).collect();
        facts.push(("Agreements judged", format!("only those that are {}", words.join(" or "))));
    }
    if let Some(left_out) = left_out(&audit.judged) {
        facts.push(("Left out", left_out.trim_start_matches("left out: ").to_owned()));
    }
    facts.extend([
        ("Parties", i.parties.to_string()),
        ("Systems", i.systems.to_string()),
        ("Agreements", i.agreements.to_string()),
        ("Flows", format!("{}, of which {} count", i.flows, i.counting_flows)),
        ("Proposed", format!("{} of the flows that count", i.proposed_flows)),
        ("Assumed", format!("{} of the flows that count", i.assumed_flows)),
        ("Program", format!("Ringfence {}", audit.ringfence.version)),
        ("Digest of the inventory", i.digest.clone()),
    ]);
    facts
}

fn packs(audit: &Audit) -> Vec<Pack> {
    let new = |id: &str| {
        let of = format!("{id}/");
        audit.findings.iter().filter(|f| f.status == FindingStatus::New && f.rule.starts_with(&of)).count()
    };
    let pack = |p: &crate::base::finding::PolicyFacts| Pack {
        id: p.id.clone(),
        title: p.title.clone(),
        version: p.version.clone(),
        standing: standing(p.status),
        as_of: p.as_of.clone(),
        rules: p.rules,
        new: new(&p.id),
        about: p.about.clone(),
        cannot_see: p.cannot_see.clone(),
    };
    audit.policies.iter().map(pack).collect()
}
