//! Accepted findings: what a waiver covers, and what goes beyond it.

use jiff::civil::Date;

use crate::bits::LeafSet;
use crate::finding::{AppliedWaiver, Finding, FindingStatus, Notice};
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
    day: Date,
    findings: &mut [(Finding, &Violation)],
) -> Vec<Notice> {
    let waivers = &world.model.waivers;
    let mut used = vec![false; waivers.len()];
    for (finding, violation) in findings.iter_mut() {
        let matching: Vec<(usize, &Waiver)> =
            waivers.iter().enumerate().filter(|(_, w)| matches(w, finding)).collect();
        for (at, _) in &matching {
            if let Some(used) = used.get_mut(*at) {
                *used = true;
            }
        }
        let valid: Vec<&Waiver> = matching.into_iter().map(|(_, w)| w).filter(|w| day <= w.expires).collect();
        if valid.is_empty() {
            continue;
        }
        if covered(world, &valid, finding, violation) {
            finding.status = FindingStatus::Waived;
            finding.waiver = valid.iter().min_by_key(|w| w.expires).map(|w| AppliedWaiver {
                reason: w.reason.clone(),
                approved_by: w.approved_by.clone(),
                expires: w.expires.to_string(),
                ticket: w.ticket.clone(),
                location: sources.location(w.span),
            });
        } else {
            finding.grown = true;
        }
    }
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
        } else if !used {
            notice("waiver-unused", format!("the waiver of {name} matches no finding"));
        }
        if waiver.data.is_empty() && waiver.agreements.is_empty() {
            notice(
                "waiver-unlimited",
                format!("the waiver of {name} accepts any data: it states neither `data` nor `agreements`"),
            );
        }
    }
    notices
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
    let place = |place: &Option<crate::finding::Place>| {
        place.as_ref().map(|p| p.system.clone().unwrap_or_else(|| p.party.clone()))
    };
    let holds = |glob: &Option<Glob>, value: Option<String>| {
        glob.as_ref().is_none_or(|glob| value.is_some_and(|value| glob.matches(&value)))
    };
    waiver.finding.as_ref().is_none_or(|f| f.value == finding.fingerprint)
        && holds(&waiver.rule, Some(finding.rule.clone()))
        && holds(&waiver.source, place(&finding.source))
        && holds(&waiver.sink, place(&finding.sink))
        && holds(&waiver.flow, finding.flow.clone())
        && holds(&waiver.subject, finding.subject.clone())
}

/// Whether everything of a finding is accepted by one of the waivers: each of its
/// origin leaves, and for `terms/*` each of its agreements.
fn covered(world: &World, waivers: &[&Waiver], finding: &Finding, violation: &Violation) -> bool {
    let model = &world.model;
    let leaves = |w: &Waiver| -> Option<LeafSet> {
        (!w.data.is_empty()).then(|| model.data.leaves(w.data.iter().map(|k| &k.value)))
    };
    let names = |w: &Waiver, agreement: &String| {
        w.agreements.is_empty() || w.agreements.iter().any(|a| a.value == *agreement)
    };
    let accepts_data = |w: &Waiver| leaves(w).is_none_or(|accepted| violation.data.is_subset(&accepted));
    if finding.rule.starts_with("terms/") {
        return finding.agreements.iter().all(|a| waivers.iter().any(|w| names(w, a) && accepts_data(w)));
    }
    let mut left = violation.data.clone();
    let mut any = false;
    for waiver in waivers.iter().filter(|w| finding.agreements.iter().all(|a| names(w, a))) {
        any = true;
        match leaves(waiver) {
            Some(accepted) => left = left.minus(&accepted),
            None => return true,
        }
    }
    any && left.is_empty()
}
