//! Accepted findings: what waivers and the baseline cover, and what goes beyond.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::accepted::Accepted;
use super::evaluate::origins_of;
use super::{Judgement, Options};
use super::{all_rules, checks, rule_facts};
use crate::audit::analysis::{On, RuleRef, Violation};
use crate::base::bits::{LeafSet, and_assign, contains, ones, set, words};
use crate::base::diagnostic::nearest;
use crate::base::finding::{AppliedWaiver, Finding, FindingStatus, GrownFrom, Notice, Place};
use crate::base::glob::{Column, Glob};
use crate::base::source::{Sources, Span};
use crate::base::taxonomy::Key;
use crate::declare::baseline::Baseline;
use crate::declare::inventory::Waiver;
use crate::model::load::World;
use crate::read::decode::Spanned;

/// Marks what waivers accept, and what has grown beyond; what is to be noticed of
/// the waivers themselves.
pub fn apply(
    world: &World,
    sources: &Sources,
    (options, judgement): (&Options, &Judgement),
    findings: &mut [(Finding, &Violation)],
) -> Vec<Notice> {
    let (waivers, day) = (&world.model.waivers, options.day);
    let index = Index::new(world, findings);
    let used: Vec<AtomicU64> = (0..words(waivers.len())).map(|_| AtomicU64::new(0)).collect();
    let accepting = |(finding, _): &(Finding, &Violation)| {
        let matching = index.matching(finding);
        for (used, word) in used.iter().zip(&matching) {
            used.fetch_or(*word, Ordering::Relaxed);
        }
        let known = options.baseline.as_ref().and_then(|b| b.get(&finding.fingerprint));
        Accepting {
            waivers: index.last_of_each_kind(&matching, day),
            known: known.map(|entry| Accepted::of_entry(entry, &world.model)),
        }
    };
    let accepting: Vec<Accepting> = findings.par_iter().map(accepting).collect();
    origins(world, (options, judgement), findings, &accepting);
    findings.par_iter_mut().zip(&accepting).for_each(|((finding, violation), accepting)| {
        accepting.settle(world, sources, finding, violation);
    });
    let row: Vec<u64> = used.into_iter().map(AtomicU64::into_inner).collect();
    let used: FxHashSet<Span> =
        ones(&row).filter_map(|at| index.waivers.get(at)).map(|w| w.waiver.span).collect();
    let mut notices: Vec<Notice> =
        waivers.iter().flat_map(|waiver| of_waiver(waiver, day, &used, sources)).collect();
    if let Some(baseline) = &options.baseline {
        notices.extend(fixed(baseline, findings));
        notices.extend(unlimited(baseline));
    }
    notices
}

/// Works out whose data findings are about, where that is recorded, or limited by what they match.
fn origins(
    world: &World,
    (options, judgement): (&Options, &Judgement),
    findings: &mut [(Finding, &Violation)],
    accepting: &[Accepting],
) {
    let asked = |accepting: &Accepting| options.record || accepting.limits_origins();
    let open =
        findings.iter().zip(accepting).filter(|((f, _), accepting)| f.whose().is_none() && asked(accepting));
    let open: FxHashSet<(RuleRef, On)> =
        open.map(|((_, violation), _)| (violation.rule, violation.on)).collect();
    let found = origins_of(world, options, judgement, &open);
    let model = &world.model;
    for (finding, violation) in findings.iter_mut() {
        if let Some(parties) = found.get(&(violation.rule, violation.on)) {
            finding.followed_origins =
                Some(parties.iter().map(|&party| model.parties[party].id().to_owned()).collect());
        }
    }
}

/// What there is to notice of the waivers of an inventory without judging it: those of rules that nothing knows.
pub fn unknown_rules(world: &World, sources: &Sources) -> Vec<Notice> {
    let ids: Vec<String> =
        all_rules(world).into_iter().map(|(rule, _)| rule_facts(world, rule).id).chain(built_in()).collect();
    let unknown = |waiver: &Waiver| {
        let rule = waiver.rule.as_ref().filter(|rule| !ids.iter().any(|id| rule.matches(id)))?;
        let text = rule.to_string();
        let near = nearest(&text, ids.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Some(Notice {
            code: "waiver-unused".to_owned(),
            message: format!(
                "the waiver of {} names a rule that no policy in force has{near}",
                describe(waiver)
            ),
            subjects: Vec::new(),
            location: Some(sources.location(waiver.span)),
        })
    };
    world.model.waivers.iter().filter_map(unknown).collect()
}

/// The full ids of the built-in checks.
fn built_in() -> impl Iterator<Item = String> {
    checks::all().map(|check| check.id.to_string())
}

/// What there is to notice of a waiver.
fn of_waiver(waiver: &Waiver, day: Date, used: &FxHashSet<Span>, sources: &Sources) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut notice = |code: &str, message: String| {
        notices.push(Notice {
            code: code.to_owned(),
            message,
            subjects: Vec::new(),
            location: Some(sources.location(waiver.span)),
        });
    };
    let (name, expires) = (describe(waiver), waiver.expires.value);
    let early = waiver.approved_on.filter(|from| day < *from);
    if expires < day {
        notice("waiver-expired", format!("the waiver of {name} expired on {expires}"));
    } else if let Some(from) = early {
        notice(
            "waiver-not-yet",
            format!("the waiver of {name} holds from {from} on, the day of its approval"),
        );
    } else if !used.contains(&waiver.span) {
        notice("waiver-unused", format!("the waiver of {name} matches no finding"));
    }
    if waiver.is_unlimited() {
        notice(
            "waiver-unlimited",
            format!(
                "the waiver of {name} does not say how much it accepts (`data`, `arrives_as`, `agreements`, `origins`, \
                 `severity`, `prospective`): it accepts the finding however it grows"
            ),
        );
    }
    notices
}

/// What of a baseline accepts any extent of a finding, since it does not say.
fn unlimited(baseline: &Baseline) -> Option<Notice> {
    let open = baseline.entries().filter(|entry| entry.severity.is_none());
    let subjects: Vec<String> = open.map(|entry| entry.finding.clone()).collect();
    (!subjects.is_empty()).then(|| Notice {
        code: "baseline-unlimited".to_owned(),
        message: "the baseline does not say of some findings how grave they were, what they arrived as or whose data \
                  they were about, and accepts anything there; `ringfence baseline write` records it"
            .to_owned(),
        subjects,
        location: None,
    })
}

/// What may accept a finding.
struct Accepting<'w> {
    /// The waivers of it that hold on the day judged.
    waivers: Vec<&'w Waives<'w>>,
    /// What the baseline accepts of it.
    known: Option<Accepted>,
}

impl Accepting<'_> {
    fn limits_origins(&self) -> bool {
        let mut all = self.waivers.iter().map(|waives| &waives.accepted).chain(&self.known);
        all.any(Accepted::limits_origins)
    }

    /// Says whether a finding is accepted, by one waiver or by the baseline, or how it has grown beyond
    /// the nearest of these.
    fn settle(&self, world: &World, sources: &Sources, finding: &mut Finding, violation: &Violation) {
        // The one that lasts longest comes first.
        if let Some(Waives { waiver, .. }) =
            self.waivers.iter().find(|waives| waives.accepted.accepts(finding, violation))
        {
            finding.status = FindingStatus::Waived;
            finding.waiver = Some(AppliedWaiver {
                reason: waiver.reason.clone(),
                approved_by: waiver.approved_by.clone(),
                expires: waiver.expires.value.to_string(),
                ticket: waiver.ticket.clone(),
                location: sources.location(waiver.span),
            });
        } else if self.known.as_ref().is_some_and(|known| known.accepts(finding, violation)) {
            finding.status = FindingStatus::Baseline;
        } else {
            let waivers = self.waivers.iter().map(|waives| (GrownFrom::Waiver, &waives.accepted));
            let all = waivers.chain(self.known.iter().map(|known| (GrownFrom::Baseline, known)));
            let nearest = all.min_by_key(|(_, accepted)| accepted.distance(finding, violation));
            if let Some((than, accepted)) = nearest {
                finding.grown = true;
                finding.beyond = accepted.beyond(than, &world.model, (finding, violation));
            }
        }
    }
}

/// What of the baseline is no longer there.
fn fixed(baseline: &Baseline, findings: &[(Finding, &Violation)]) -> Option<Notice> {
    let there: BTreeSet<&str> = findings.iter().map(|(f, _)| f.fingerprint.as_str()).collect();
    let gone = baseline.entries().map(|e| e.finding.clone()).filter(|f| !there.contains(f.as_str()));
    let subjects: Vec<String> = gone.collect();
    (!subjects.is_empty()).then(|| Notice {
        code: "baseline-fixed".to_owned(),
        message:
            "the baseline holds findings that are no longer there; `ringfence baseline prune` drops them"
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

/// A waiver, and what it accepts.
struct Waives<'w> {
    waiver: &'w Waiver,
    accepted: Accepted,
    /// The same number for all that accept the same.
    kind: usize,
}

/// The waivers by what they are of, so that none is checked against each finding. A waiver is of a finding by its
/// fingerprint and by globs; an absent value never matches.
struct Index<'w> {
    /// Those that end last come first.
    waivers: Vec<Waives<'w>>,
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
        all.sort_by_key(|waiver| Reverse(waiver.expires.value));
        let mut leaves: FxHashMap<Vec<Key>, Arc<LeafSet>> = FxHashMap::default();
        let mut kinds: FxHashMap<Accepted, usize> = FxHashMap::default();
        let accepts = |&waiver: &&'w Waiver| {
            let accepted = accepted(waiver, &mut |keys: &[Spanned<Key>]| {
                let keys: Vec<Key> = keys.iter().map(|key| key.value).collect();
                let set = || Arc::new(world.model.data.leaves(&keys));
                (!keys.is_empty()).then(|| Arc::clone(leaves.entry(keys.clone()).or_insert_with(set)))
            });
            let next = kinds.len();
            let kind = *kinds.entry(accepted.clone()).or_insert(next);
            Waives { waiver, accepted, kind }
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

    /// Of those that hold on a day, of each kind the one that ends last: others of the kind accept
    /// nothing more.
    fn last_of_each_kind(&self, row: &[u64], day: Date) -> Vec<&Waives<'w>> {
        let mut seen = vec![0; words(self.kinds)];
        let mut new = |waives: &&Waives| {
            let new = !contains(&seen, waives.kind);
            set(&mut seen, waives.kind);
            new
        };
        let matching = ones(row).filter_map(|at| self.waivers.get(at));
        matching.filter(|waives| waives.waiver.holds_on(day)).filter(|waives| new(waives)).collect()
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

/// What a waiver accepts, its leaves looked up.
fn accepted(waiver: &Waiver, leaves: &mut impl FnMut(&[Spanned<Key>]) -> Option<Arc<LeafSet>>) -> Accepted {
    let set = |names: &[Spanned<String>]| {
        (!names.is_empty()).then(|| names.iter().map(|name| name.value.clone()).collect())
    };
    Accepted {
        data: leaves(&waiver.data),
        arrives_as: leaves(&waiver.arrives_as),
        agreements: set(&waiver.agreements),
        origins: set(&waiver.origins),
        severity: waiver.severity,
        prospective: waiver.prospective == Some(true),
    }
}
