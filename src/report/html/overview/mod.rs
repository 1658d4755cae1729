//! The first screen: the verdict, what it counts, the promises, the terms, what must
//! change, and what was judged.

mod changes;
mod promises;
mod terms;

use std::collections::BTreeSet;

use serde::Serialize;

use self::changes::{Change, Cut, changes, cuts};
use self::promises::{PromiseRow, only_proposed, promises};
use self::terms::{TermRow, terms};
use super::findings::{Group, standing};
use super::names::{Names, at};
use crate::base::finding::{Audit, FindingStatus, PromiseState};
use crate::base::vocabulary::Severity;
use crate::compare::{Diff, StateFacts};
use crate::declare::gate::Threshold;
use crate::report::Report;
use crate::report::difference::brief;
use crate::report::gated::entries;
use crate::report::say::{CAUTION, by_severity, count, left_out, listing, not_judged, unjudged};

/// So many names stand in one cell.
const NAMES: usize = 12;

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
        (n, _) => format!("produce {}", count(n, "new finding")),
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
    let claims = audit.relied_on.iter().map(|r| (r.by(), &r.claim));
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
