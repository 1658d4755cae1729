//! The first page, for a board: the verdict, the most severe causes, the promises, what is law and what is the house's
//! own rule, and what has changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::causes::{Causes, heading};
use super::names::Names;
use super::promises::{PromiseRow, promises};
use crate::base::finding::{Audit, FindingStatus, PolicyFacts};
use crate::base::vocabulary::PolicyStatus;
use crate::compare::{Diff, StateFacts};
use crate::report::Report;
use crate::report::difference::brief;
use crate::report::gated::entries;
use crate::report::html::names::at;
use crate::report::kind::Kind;
use crate::report::say::{CAUTION, count, listing, not_judged, unjudged};
use crate::report::tally::Tally;

/// All of the first page but the causes.
#[derive(Debug, Serialize)]
pub struct Board {
    compared: Option<Compared>,
    fails: bool,
    word: &'static str,
    sentence: String,
    reasons: String,
    informs: Option<String>,
    judged: String,
    /// What was left out, and what rules could not look at.
    gaps: Vec<String>,
    claims: Option<String>,
    caution: &'static str,
    people: String,
    changed: Vec<String>,
    promises: Vec<PromiseRow>,
    kept: usize,
    broken: usize,
    undecided: usize,
    sources: Vec<Source>,
    accepted: Vec<String>,
}

/// Where rules come from, and how much of what is wrong is theirs.
#[derive(Debug, Serialize)]
struct Source {
    name: String,
    /// The policies, or what stands for them.
    of: String,
    causes: usize,
    findings: usize,
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

/// Makes the first page.
pub fn board(report: &Report, names: &Names, causes: &Causes) -> Board {
    let audit = report.audit;
    let tally = Tally::new(audit, &report.gate);
    let verdict = report.verdict();
    let open = audit.causes.iter().filter(|cause| cause.new > 0);
    let concerned: BTreeSet<&str> = open.flat_map(|cause| &cause.sources).map(String::as_str).collect();
    let s = &tally.summary;
    let accepted = [(s.waived, "waived"), (s.baseline, "in the baseline")];
    Board {
        compared: report.compared.map(|(diff, _)| compared(diff, report)),
        fails: verdict.fails,
        word: if verdict.fails { "Fail" } else { "Pass" },
        sentence: sentence(&tally, verdict.fails),
        reasons: format!("{}.", capital(&verdict.reasons.replace('`', ""))),
        informs: tally.informs().map(|text| format!("Besides, {text}.")),
        judged: judged(audit),
        gaps: gaps(audit),
        claims: (tally.claims > 0).then(|| count(tally.claims, "claim")),
        caution: CAUTION,
        people: names.people(concerned.into_iter()),
        changed: changed(report),
        kept: tally.promises - tally.broken - tally.undecided,
        broken: tally.broken,
        undecided: tally.undecided,
        promises: promises(report, names, causes),
        sources: sources(audit),
        accepted: accepted
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{} {what}", count(number, "finding")))
            .collect(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The headline.
fn sentence(tally: &Tally, fails: bool) -> String {
    let promises = match (tally.promises, tally.broken) {
        (0, _) => None,
        (1, 1) => Some("the one public promise is broken".to_owned()),
        (1, 0) if tally.undecided == 0 => Some("the one public promise is kept".to_owned()),
        (n, 0) if tally.undecided == 0 => Some(format!("all {n} public promises are kept")),
        (n, 0) => Some(format!("{} of {} cannot be decided", tally.undecided, count(n, "public promise"))),
        (n, 1) => Some(format!("1 of {n} public promises is broken")),
        (n, broken) => Some(format!("{broken} of {n} public promises are broken")),
    };
    let s = &tally.summary;
    let causes = match (s.failing_causes, fails) {
        (0, _) if s.for_information == 0 => "no rule or term is broken".to_owned(),
        (0, false) => "nothing fails this audit".to_owned(),
        (0, true) => "this audit fails".to_owned(),
        (1, _) => "1 cause makes this audit fail".to_owned(),
        (n, _) => format!("{n} causes make this audit fail"),
    };
    let parts: Vec<String> = promises.into_iter().chain([causes]).collect();
    format!("{}.", capital(&listing(&parts)))
}

/// How much was judged, and when.
fn judged(audit: &Audit) -> String {
    let i = &audit.inventory;
    let flows = audit.judged.as_of.as_ref().map(|day| format!(" with the flows of {day}"));
    let parties = if i.parties == 1 { "1 party".to_owned() } else { format!("{} parties", i.parties) };
    format!(
        "Judged on {}{}: {parties}, {}, {}; {} of {} in scope, {} of them proposed and {} assumed.",
        audit.judged.day,
        flows.unwrap_or_default(),
        count(i.systems, "system"),
        count(i.agreements, "agreement"),
        i.counting_flows,
        count(i.flows, "flow"),
        i.proposed_flows,
        i.assumed_flows,
    )
}

fn gaps(audit: &Audit) -> Vec<String> {
    not_judged(&audit.judged).map(|text| format!("{text}.")).collect()
}

/// What has changed since the baseline, or since an earlier result.
fn changed(report: &Report) -> Vec<String> {
    let audit = report.audit;
    let mut lines = report.since.map(|since| since.lines(audit)).unwrap_or_default();
    let known = audit.summary.baseline;
    let grown = audit.findings.iter().filter(|f| f.status == FindingStatus::New && f.grown).count();
    if report.compared.is_none() && (known > 0 || grown > 0) {
        let new = audit.findings.iter().filter(|f| f.status == FindingStatus::New).count();
        lines.push(format!(
            "Since the baseline: {} in it, {} beyond it{}.",
            count(known, "finding"),
            new,
            if grown > 0 { format!(" ({grown} grown)") } else { String::new() },
        ));
    }
    lines
}

/// What is law here, and what is the house's own rule.
fn sources(audit: &Audit) -> Vec<Source> {
    let mut found: BTreeMap<(bool, Kind), (BTreeSet<&str>, usize)> = BTreeMap::new();
    let new = audit.findings.iter().filter(|finding| finding.status == FindingStatus::New);
    let broken: BTreeSet<&str> =
        new.filter_map(|finding| finding.rule.split_once('/')).map(|(id, _)| id).collect();
    for finding in audit.findings.iter().filter(|finding| finding.status == FindingStatus::New) {
        let (causes, findings) = found.entry((!finding.binding, Kind::of(finding))).or_default();
        causes.insert(&finding.cause);
        *findings += 1;
    }
    let policies = |is: &dyn Fn(PolicyStatus) -> bool| -> Vec<String> {
        let named = audit.policies.iter().filter(|policy| is(policy.status));
        named.map(|policy| policy.title.clone().unwrap_or_else(|| policy.id.clone())).collect()
    };
    let row = |(loose, kind): (bool, Kind)| {
        let (causes, findings) =
            found.get(&(loose, kind)).map_or((0, 0), |(causes, findings)| (causes.len(), *findings));
        let (of, shown) = match kind {
            _ if loose => named(policies(&|status| Kind::of_status(status) == kind), ""),
            Kind::Law => {
                let applied = audit.policies.iter().filter(|policy| policy.status == PolicyStatus::InForce);
                let (found, clean): (Vec<&PolicyFacts>, Vec<&PolicyFacts>) =
                    applied.partition(|policy| broken.contains(policy.id.as_str()));
                let titles = |list: Vec<&PolicyFacts>| -> Vec<String> {
                    list.into_iter().map(|one| one.title.clone().unwrap_or_else(|| one.id.clone())).collect()
                };
                let clean = match clean.len() {
                    0 => String::new(),
                    _ => format!("; nothing found by {}", listing(&titles(clean))),
                };
                match found.is_empty() {
                    true => named(policies(&|s| s == PolicyStatus::InForce), "no law was applied"),
                    false => (format!("{}{clean}", listing(&titles(found))), true),
                }
            }
            Kind::Contract => {
                let (more, _) = named(policies(&|s| s == PolicyStatus::Contractual), "");
                let more = if more.is_empty() { more } else { format!("; {more}") };
                let agreements = count(audit.inventory.agreements, "agreement");
                (format!("the terms of {agreements}, and whether each transfer is under one{more}"), true)
            }
            Kind::Promise => (count(audit.promises.len(), "public promise"), !audit.promises.is_empty()),
            Kind::House => named(policies(&|s| s == PolicyStatus::House), ""),
            Kind::Inventory => ("whether every piece of data has a source".to_owned(), findings > 0),
            Kind::Enjoined | Kind::Proposed | Kind::NewRule | Kind::Benchmark => {
                named(policies(&|status| Kind::of_status(status) == kind), "")
            }
        };
        (shown || findings > 0 || kind == Kind::Law && !loose).then_some(Source {
            name: heading((loose, kind)),
            of,
            causes,
            findings,
        })
    };
    // A kind that can bind has a row for what does not, too, where there is any of it.
    let may_bind = |kind: Kind| kind <= Kind::Inventory;
    let binding = Kind::ALL.into_iter().map(|kind| (false, kind));
    let binding = binding.filter(|key| may_bind(key.1) || found.contains_key(key));
    let loose = Kind::ALL.into_iter().map(|kind| (true, kind));
    let loose = loose
        .filter(|key| found.contains_key(key) || !may_bind(key.1) && !found.contains_key(&(false, key.1)));
    binding.chain(loose).filter_map(row).collect()
}

fn named(names: Vec<String>, none: &str) -> (String, bool) {
    let shown = !names.is_empty();
    (if shown { listing(&names) } else { none.to_owned() }, shown)
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
