//! Accepted findings: what waivers and the baseline cover, and what goes beyond.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::Options;
use crate::baseline::{Baseline, Entry};
use crate::bits::LeafSet;
use crate::finding::{AppliedWaiver, Finding, FindingStatus, Notice, Place};
use crate::glob::Glob;
use crate::inventory::Waiver;
use crate::judge::Violation;
use crate::load::World;
use crate::source::Sources;

/// Marks what waivers accept, and what has grown beyond; what is to be noticed of
/// the waivers themselves.
pub fn apply(
    world: &World,
    sources: &Sources,
    options: &Options,
    findings: &mut [(Finding, &Violation)],
) -> Vec<Notice> {
    let (waivers, day) = (&world.model.waivers, options.day);
    let used: Vec<AtomicBool> = waivers.iter().map(|_| AtomicBool::new(false)).collect();
    findings.par_iter_mut().for_each(|(finding, violation)| {
        let matching: Vec<(usize, &Waiver)> =
            waivers.iter().enumerate().filter(|(_, w)| matches(w, finding)).collect();
        for (at, _) in &matching {
            if let Some(used) = used.get(*at) {
                used.store(true, Ordering::Relaxed);
            }
        }
        let valid: Vec<&Waiver> = matching.into_iter().map(|(_, w)| w).filter(|w| day <= w.expires).collect();
        let known = options.baseline.as_ref().and_then(|b| b.get(&finding.fingerprint));
        if !valid.is_empty() && beyond(world, &valid, None, finding, violation).is_none() {
            finding.status = FindingStatus::Waived;
            finding.waiver = valid.iter().min_by_key(|w| w.expires).map(|w| AppliedWaiver {
                reason: w.reason.clone(),
                approved_by: w.approved_by.clone(),
                expires: w.expires.to_string(),
                ticket: w.ticket.clone(),
                location: sources.location(w.span),
            });
        } else if known.is_some() || !valid.is_empty() {
            match beyond(world, &valid, known, finding, violation) {
                None => finding.status = FindingStatus::Baseline,
                Some(beyond) => (finding.grown, finding.beyond) = (true, beyond),
            }
        }
    });
    let mut notices = Vec::new();
    for (waiver, used) in waivers.iter().zip(used) {
        let mut notice = |code: &str, message: String| {
            notices.push(Notice {
                code: code.to_owned(),
                message,
                subjects: Vec::new(),
                location: Some(sources.location(waiver.span)),
            });
        };
        let name = describe(waiver);
        if waiver.expires < day {
            notice("waiver-expired", format!("the waiver of {name} expired on {}", waiver.expires));
        } else if !used.into_inner() {
            notice("waiver-unused", format!("the waiver of {name} matches no finding"));
        }
        if waiver.data.is_empty() && waiver.agreements.is_empty() {
            notice(
                "waiver-unlimited",
                format!("the waiver of {name} accepts any data: it states neither `data` nor `agreements`"),
            );
        }
    }
    notices.extend(options.baseline.as_ref().and_then(|baseline| fixed(baseline, findings)));
    notices
}

/// What of the baseline is no longer there.
fn fixed(baseline: &Baseline, findings: &[(Finding, &Violation)]) -> Option<Notice> {
    let there: BTreeSet<&str> = findings.iter().map(|(f, _)| f.fingerprint.as_str()).collect();
    let gone = baseline.entries().map(|e| e.finding.clone()).filter(|f| !there.contains(f.as_str()));
    let subjects: Vec<String> = gone.collect();
    (!subjects.is_empty()).then(|| Notice {
        code: "baseline-fixed".to_owned(),
        message:
            "the baseline holds findings that are no longer there; `ringfence baseline write` writes it anew"
                .to_owned(),
        subjects,
        location: None,
    })
}

fn describe(waiver: &Waiver) -> String {
    if let Some(finding) = &waiver.finding {
        return finding.value.clone();
    }
    let parts = [
        ("rule", &waiver.rule),
        ("source", &waiver.source),
        ("sink", &waiver.sink),
        ("flow", &waiver.flow),
        ("subject", &waiver.subject),
    ];
    let stated = parts.into_iter().filter_map(|(key, glob)| glob.as_ref().map(|g| format!("{key} {g}")));
    stated.collect::<Vec<_>>().join(", ")
}

/// By fingerprint or by globs; an absent value never matches.
fn matches(waiver: &Waiver, finding: &Finding) -> bool {
    fn place(place: &Option<Place>) -> Option<&str> {
        place.as_ref().map(|p| p.system.as_deref().unwrap_or(&p.party))
    }
    let holds = |glob: &Option<Glob>, value: Option<&str>| {
        glob.as_ref().is_none_or(|glob| value.is_some_and(|value| glob.matches(value)))
    };
    waiver.finding.as_ref().is_none_or(|f| f.value == finding.fingerprint)
        && holds(&waiver.rule, Some(&finding.rule))
        && holds(&waiver.source, place(&finding.source))
        && holds(&waiver.sink, place(&finding.sink))
        && holds(&waiver.flow, finding.flow.as_deref())
        && holds(&waiver.subject, finding.subject.as_deref())
}

/// What of a finding is accepted neither by the waivers nor by the baseline's entry:
/// origin leaves, for `terms/*` agreements. `None`: all is accepted.
fn beyond(
    world: &World,
    waivers: &[&Waiver],
    known: Option<&Entry>,
    finding: &Finding,
    violation: &Violation,
) -> Option<Vec<String>> {
    let model = &world.model;
    let leaves = |w: &Waiver| -> Option<LeafSet> {
        (!w.data.is_empty()).then(|| model.data.leaves(w.data.iter().map(|k| &k.value)))
    };
    let names = |w: &Waiver, agreement: &String| {
        w.agreements.is_empty() || w.agreements.iter().any(|a| a.value == *agreement)
    };
    if finding.rule.starts_with("terms/") {
        let accepts_data = |w: &Waiver| leaves(w).is_none_or(|accepted| violation.data.is_subset(&accepted));
        let accepted = |agreement: &String| {
            known.is_some_and(|k| k.agreements.contains(agreement))
                || waivers.iter().any(|w| names(w, agreement) && accepts_data(w))
        };
        let left: Vec<String> = finding.agreements.iter().filter(|a| !accepted(a)).cloned().collect();
        return (!left.is_empty()).then_some(left);
    }
    let mut left = violation.data.clone();
    let mut any = known.is_some();
    if let Some(known) = known {
        // A category that is no longer there accepts nothing.
        let keys: Vec<_> = known.data.iter().filter_map(|name| model.data.find(name)).collect();
        left = left.minus(&model.data.leaves(&keys));
    }
    for waiver in waivers.iter().filter(|w| finding.agreements.iter().all(|a| names(w, a))) {
        any = true;
        match leaves(waiver) {
            Some(accepted) => left = left.minus(&accepted),
            None => return None,
        }
    }
    (!any || !left.is_empty()).then(|| model.data.cover(&left))
}
