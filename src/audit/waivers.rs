//! Accepted findings: what waivers and the baseline cover, and what goes beyond.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Options;
use crate::audit::analysis::Violation;
use crate::base::bits::{LeafSet, and_assign, contains, ones, set, words};
use crate::base::finding::{AppliedWaiver, Finding, FindingKind, FindingStatus, Notice, Place};
use crate::base::glob::{Column, Glob};
use crate::base::source::{Sources, Span};
use crate::base::taxonomy::Key;
use crate::declare::baseline::{Baseline, Entry};
use crate::declare::inventory::Waiver;
use crate::model::load::World;

/// Marks what waivers accept, and what has grown beyond; what is to be noticed of
/// the waivers themselves.
pub fn apply(
    world: &World,
    sources: &Sources,
    options: &Options,
    findings: &mut [(Finding, &Violation)],
) -> Vec<Notice> {
    let (waivers, day) = (&world.model.waivers, options.day);
    let index = Index::new(world, findings);
    let used: Vec<AtomicU64> = (0..words(waivers.len())).map(|_| AtomicU64::new(0)).collect();
    findings.par_iter_mut().for_each(|(finding, violation)| {
        let matching = index.matching(finding);
        for (used, word) in used.iter().zip(&matching) {
            used.fetch_or(*word, Ordering::Relaxed);
        }
        let valid = index.first_of_each_kind(&matching, day);
        let known = options.baseline.as_ref().and_then(|b| b.get(&finding.fingerprint));
        if !valid.is_empty() && beyond(world, &valid, None, finding, violation).is_none() {
            finding.status = FindingStatus::Waived;
            finding.waiver =
                valid.iter().map(|w| w.waiver).min_by_key(|w| w.expires).map(|w| AppliedWaiver {
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
    let row: Vec<u64> = used.into_iter().map(AtomicU64::into_inner).collect();
    let used: FxHashSet<Span> =
        ones(&row).filter_map(|at| index.waivers.get(at)).map(|w| w.waiver.span).collect();
    for waiver in waivers {
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
        } else if !used.contains(&waiver.span) {
            notice("waiver-unused", format!("the waiver of {name} matches no finding"));
        }
        if waiver.data.is_empty() && waiver.agreements.is_empty() {
            notice(
                "waiver-unlimited",
                format!(
                    "the waiver of {name} states neither `data` nor `agreements`: it accepts the finding however it grows"
                ),
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
            "the baseline holds findings that are no longer there; `ringfence baseline write` writes it again"
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

/// A waiver, and the leaves that it accepts; `None`: any.
struct Accepts<'w> {
    waiver: &'w Waiver,
    data: Option<Arc<LeafSet>>,
    /// The same number for all that accept the same.
    kind: usize,
}

/// The waivers by what they are of, so that none is checked against each finding. A waiver is of a finding by its
/// fingerprint and by globs; an absent value never matches.
struct Index<'w> {
    /// Those that end first come first.
    waivers: Vec<Accepts<'w>>,
    /// How many kinds of them there are.
    kinds: usize,
    /// Which waivers state no fingerprint, and those that state one.
    by_globs: Box<[u64]>,
    by_fingerprint: FxHashMap<&'w str, Vec<usize>>,
    /// For each key of a finding that globs may be on, which waivers hold for each of its values.
    keys: Vec<FxHashMap<Option<String>, Box<[u64]>>>,
}

impl<'w> Index<'w> {
    fn new(world: &'w World, findings: &[(Finding, &Violation)]) -> Self {
        let mut all: Vec<&Waiver> = world.model.waivers.iter().collect();
        all.sort_by_key(|waiver| waiver.expires);
        let mut leaves: FxHashMap<Vec<Key>, Arc<LeafSet>> = FxHashMap::default();
        let mut kinds: FxHashMap<(Vec<Key>, Vec<&str>), usize> = FxHashMap::default();
        let accepts = |&waiver: &&'w Waiver| {
            let keys: Vec<Key> = waiver.data.iter().map(|key| key.value).collect();
            let data = (!keys.is_empty()).then(|| {
                let set = || Arc::new(world.model.data.leaves(&keys));
                Arc::clone(leaves.entry(keys.clone()).or_insert_with(set))
            });
            let agreements: Vec<&str> = waiver.agreements.iter().map(|name| name.value.as_str()).collect();
            let next = kinds.len();
            let kind = *kinds.entry((keys, agreements)).or_insert(next);
            Accepts { waiver, data, kind }
        };
        let waivers = all.iter().map(accepts).collect();
        let mut by_fingerprint: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        let mut by_globs = vec![0; words(all.len())];
        for (at, &waiver) in all.iter().enumerate() {
            match &waiver.finding {
                Some(finding) => by_fingerprint.entry(&finding.value).or_default().push(at),
                None => set(&mut by_globs, at),
            }
        }
        let keys = GLOBS.iter().map(|&(glob, value)| {
            let column = Column::new(all.iter().map(|&waiver| glob(waiver)));
            let mut rows: FxHashMap<Option<String>, Box<[u64]>> = FxHashMap::default();
            for (finding, _) in findings {
                rows.entry(value(finding)).or_insert_with_key(|value| column.row(value.as_deref()));
            }
            rows
        });
        Index { waivers, kinds: kinds.len(), by_globs: by_globs.into(), by_fingerprint, keys: keys.collect() }
    }

    /// Of those that hold on a day, the first of each kind: others of the kind accept nothing more.
    fn first_of_each_kind(&self, row: &[u64], day: Date) -> Vec<&Accepts<'w>> {
        let mut seen = vec![0; words(self.kinds)];
        let mut new = |accepts: &&Accepts| {
            let new = !contains(&seen, accepts.kind);
            set(&mut seen, accepts.kind);
            new
        };
        let matching = ones(row).filter_map(|at| self.waivers.get(at));
        matching.filter(|accepts| day <= accepts.waiver.expires).filter(|accepts| new(accepts)).collect()
    }

    /// The waivers of a finding.
    fn matching(&self, finding: &Finding) -> Box<[u64]> {
        let mut row = self.by_globs.clone();
        let named = self.by_fingerprint.get(finding.fingerprint.as_str());
        named.into_iter().flatten().for_each(|&at| set(&mut row, at));
        for (rows, (_, value)) in self.keys.iter().zip(GLOBS) {
            match rows.get(&value(finding)) {
                Some(held) => and_assign(&mut row, held),
                None => row.fill(0),
            }
        }
        row
    }
}

/// The glob of a waiver on a key.
type GlobOf = fn(&Waiver) -> Option<&Glob>;

/// The value of a finding that it is checked against.
type ValueOf = fn(&Finding) -> Option<String>;

/// The keys of findings that waivers have globs on.
const GLOBS: [(GlobOf, ValueOf); 5] = [
    (|w| w.rule.as_ref(), |f| Some(f.rule.clone())),
    (|w| w.source.as_ref(), |f| place(&f.source)),
    (|w| w.sink.as_ref(), |f| place(&f.sink)),
    (|w| w.flow.as_ref(), |f| f.flow.clone()),
    (|w| w.subject.as_ref(), |f| f.subject.clone()),
];

fn place(place: &Option<Place>) -> Option<String> {
    place.as_ref().map(|p| p.system.clone().unwrap_or_else(|| p.party.clone()))
}

/// What of a finding is accepted neither by the waivers nor by the baseline's entry:
/// origin leaves, for `terms/*` agreements. `None`: all is accepted.
fn beyond(
    world: &World,
    waivers: &[&Accepts],
    known: Option<&Entry>,
    finding: &Finding,
    violation: &Violation,
) -> Option<Vec<String>> {
    let model = &world.model;
    let names = |w: &Accepts, agreement: &String| {
        w.waiver.agreements.is_empty() || w.waiver.agreements.iter().any(|a| a.value == *agreement)
    };
    if finding.kind == FindingKind::Terms {
        let accepts_data =
            |w: &Accepts| w.data.as_ref().is_none_or(|accepted| violation.data.is_subset(accepted));
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
        match &waiver.data {
            Some(accepted) => left = left.minus(accepted),
            None => return None,
        }
        if left.is_empty() {
            return None;
        }
    }
    (!any || !left.is_empty()).then(|| model.data.cover(&left))
}
