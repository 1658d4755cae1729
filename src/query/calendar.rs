//! `calendar`: everything with a date, and what each day does to the verdict.
//!
//! What an audit of a day finds changes only on days on which something begins or ends: those of the declarations, and
//! those on which an assurance becomes too old for a rule. So it is enough to judge each of these days by itself, and a
//! finding is there from one of them until the day before another.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Span;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::audit::{Options, ages, audit};
use crate::base::finding::{Finding, Judged, Program, SCHEMA};
use crate::base::source::{self, Location, Sources};
use crate::base::vocabulary::{Severity, words};
use crate::declare::gate::Gate;
use crate::declare::inventory::{Assurance, Effective, Meta, Waiver};
use crate::model::load::World;
use crate::model::{Model, Scope, disposal, kept_until};

words! {
    /// What happens on a day.
    Event: "an event" {
        /// An agreement or a flow begins.
        Begins = "begins",
        /// An agreement or a flow has its last day.
        Ends = "ends",
        /// What was moved has been deleted at the receivers.
        Disposed = "disposed",
        /// What flows brought is kept for the last day.
        Retention = "retention",
        /// An assurance is given.
        Given = "given",
        /// An assurance holds for the last day.
        Lapses = "lapses",
        /// A waiver is in force for the first day.
        Waived = "waived",
        /// A waiver is in force for the last day.
        WaiverEnds = "waiver_ends",
    }
}

/// Everything with a date.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Calendar {
    /// What wrote this.
    pub ringfence: Program,
    /// The first day, and what is left out.
    pub judged: Judged,
    /// The last day looked at.
    pub until: String,
    /// By day; those before the first day are over.
    pub entries: Vec<Entry>,
    /// Findings that begin or end on one of the days looked at, by the day on which that first happens.
    pub windows: Vec<Window>,
    /// How many findings are there on all of these days.
    pub throughout: usize,
}

/// Something that happens on a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Entry {
    /// The day.
    pub day: String,
    /// How many days after the first one; below 0: before it.
    pub days: i32,
    /// What happens.
    pub event: Event,
    /// To what: an agreement, flow, assurance or waiver, with what it belongs to.
    pub of: String,
    /// An agreement that is over, and of which nothing says that what it moved has been deleted.
    pub not_disposed: bool,
    /// Who owns it, by its label `owner` or that of its agreement.
    pub owner: Option<String>,
    /// Where the date is declared.
    pub location: Location,
}

/// A finding that is not there on every day.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Window {
    /// Its fingerprint.
    pub fingerprint: String,
    /// What is broken.
    pub rule: String,
    /// How severe it is, on the day on which it is most severe.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// When it is there.
    pub there: Vec<Interval>,
    /// When it makes an audit fail; waivers are those of the day.
    pub fails: Vec<Interval>,
}

/// Days, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Interval {
    /// The first; none: the first day looked at, or earlier.
    pub from: Option<String>,
    /// The last; none: the last day looked at, or later.
    pub until: Option<String>,
}

/// So many flows has an inventory at most of which a report looks ahead by itself: each day on which something begins or
/// ends is judged.
const SMALL: usize = 2_000;
/// How far a report looks ahead, in days.
pub const AHEAD: u32 = 90;

/// What a report says of the days ahead; of a large inventory the command `calendar` says it alone.
pub fn ahead(world: &World, sources: &Sources, options: &Options, gate: &Gate) -> Option<Calendar> {
    let scope = Scope { as_of: Some(options.day), ..options.scope.clone() };
    let options = Options { scope, ..options.clone() };
    (world.model.flows.len() <= SMALL).then(|| calendar(world, sources, &options, gate, AHEAD))
}

/// Looks at the days from that of `options` on.
pub fn calendar(world: &World, sources: &Sources, options: &Options, gate: &Gate, days: u32) -> Calendar {
    let first = options.day;
    let last = first.saturating_add(Span::new().try_days(days).unwrap_or_default());
    let entries = entries(&world.model, sources, first, last);
    let changes = changes(world, first, last);
    let judge = |day: Date| {
        let scope = Scope { as_of: Some(day), ..options.scope.clone() };
        audit(world, sources, &Options { day, scope, ..options.clone() })
    };
    let starts: Vec<Date> = std::iter::once(first).chain(changes).collect();
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let mut judged = Judged::default();
    for (at, &day) in starts.iter().enumerate() {
        let audit = judge(day);
        if at == 0 {
            judged = audit.judged.clone();
        }
        for finding in audit.findings {
            let fails = gate.stops(&finding);
            let known = known.entry(finding.fingerprint.clone()).or_insert_with(|| Known::new(&finding));
            known.severity = known.severity.min(finding.severity);
            known.there.push(at);
            if fails {
                known.fails.push(at);
            }
        }
    }
    let all = starts.len();
    let changes =
        |known: &Known| known.there.len() < all || !known.fails.is_empty() && known.fails.len() < all;
    let throughout = known.values().filter(|known| !changes(known)).count();
    let mut windows: Vec<(usize, Window)> = known
        .into_iter()
        .filter(|(_, known)| changes(known))
        .map(|(fingerprint, known)| {
            let there = intervals(&known.there, &starts);
            let fails = intervals(&known.fails, &starts);
            (
                turn(&known.there, all).min(turn(&known.fails, all)),
                Window {
                    fingerprint,
                    rule: known.rule,
                    severity: known.severity,
                    message: known.message,
                    there,
                    fails,
                },
            )
        })
        .collect();
    windows.sort_by(|(a, one), (b, other)| {
        (a, one.severity, &one.rule, &one.fingerprint).cmp(&(
            b,
            other.severity,
            &other.rule,
            &other.fingerprint,
        ))
    });
    Calendar {
        ringfence: Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA },
        judged,
        until: last.to_string(),
        entries,
        windows: windows.into_iter().map(|(_, window)| window).collect(),
        throughout,
    }
}

impl Calendar {
    /// The findings that do not make an audit of the first day fail, but one of some day up to so many days later.
    pub fn failing_within(&self, days: u32) -> impl Iterator<Item = &Window> {
        let first: Option<Date> = self.judged.day.parse().ok();
        let last =
            first.map(|day| day.saturating_add(Span::new().try_days(days).unwrap_or_default()).to_string());
        self.windows.iter().filter(move |window| {
            let now = window.fails.iter().any(|interval| interval.from.is_none());
            let soon =
                |interval: &Interval| interval.from.as_ref().is_some_and(|day| Some(day) <= last.as_ref());
            !now && window.fails.iter().any(soon)
        })
    }
}

/// A finding, and the days that were judged on which it is there: their places.
struct Known {
    rule: String,
    severity: Severity,
    message: String,
    there: Vec<usize>,
    fails: Vec<usize>,
}

impl Known {
    fn new(finding: &Finding) -> Self {
        Known {
            rule: finding.rule.clone(),
            severity: finding.severity,
            message: finding.message.clone(),
            there: Vec::new(),
            fails: Vec::new(),
        }
    }
}

/// The first place at which something begins to be there, or no longer is.
fn turn(there: &[usize], all: usize) -> usize {
    let is = |at| there.binary_search(&at).is_ok();
    (1..all).find(|&at| is(at) != is(at - 1)).unwrap_or(all)
}

/// Days by the places of the days that begin them.
fn intervals(there: &[usize], starts: &[Date]) -> Vec<Interval> {
    let mut all: Vec<Interval> = Vec::new();
    for group in there.chunk_by(|one, next| one + 1 == *next) {
        let (Some(&begin), Some(&end)) = (group.first(), group.last()) else { continue };
        let from = starts.get(begin).filter(|_| begin > 0).map(ToString::to_string);
        let until = starts.get(end + 1).and_then(|next| next.yesterday().ok()).map(|day| day.to_string());
        all.push(Interval { from, until });
    }
    all
}

/// The days after the first one, up to the last, from which on an audit may find something else.
fn changes(world: &World, first: Date, last: Date) -> BTreeSet<Date> {
    let model = &world.model;
    let mut days = BTreeSet::new();
    let mut begins = |day: Option<Date>| days.extend(day);
    let after = |day: Option<Date>| day.and_then(|day| day.tomorrow().ok());
    let dates = |effective: &Effective| {
        let value = |day: &Option<crate::read::decode::Spanned<Date>>| day.as_ref().map(|day| day.value);
        (value(&effective.from), value(&effective.until))
    };
    let ages = ages(world);
    let assurances = |all: &[Assurance], begins: &mut dyn FnMut(Option<Date>)| {
        for assurance in all {
            begins(assurance.date);
            begins(after(assurance.valid_until));
            for age in &ages {
                begins(after(assurance.date.and_then(|given| age.after(given))));
            }
        }
    };
    for agreement in model.agreements.values() {
        let (from, until) = dates(&agreement.declared.effective);
        begins(from);
        begins(after(until));
        begins(agreement.declared.disposed.as_ref().map(|gone| gone.date));
        assurances(&agreement.declared.assurances, &mut begins);
    }
    for (id, flow) in model.flows.iter() {
        let (from, until) = dates(flow.declared.effective());
        begins(from);
        begins(after(until));
        begins(disposal(model, id).map(|gone| gone.date));
        begins(after(kept_until(model, id)));
        assurances(flow.declared.assurances(), &mut begins);
    }
    for waiver in &model.waivers {
        begins(waiver.approved_on);
        begins(after(Some(waiver.expires.value)));
    }
    days.retain(|&day| first < day && day <= last);
    days
}

/// Everything with a date up to the last day.
fn entries(model: &Model, sources: &Sources, first: Date, last: Date) -> Vec<Entry> {
    let mut listing = Listing { sources, first, last, entries: Vec::new() };
    for agreement in model.agreements.values() {
        let declared = &agreement.declared;
        let owner = owner(&declared.meta);
        let of = agreement.id();
        listing.effective(&declared.effective, of, owner, declared.disposed.is_none());
        if let Some(gone) = &declared.disposed {
            listing.add(Some(gone.date), Event::Disposed, of, owner, declared.id.span);
        }
        listing.assurances(&declared.assurances, of, owner);
        for &id in &agreement.flows {
            let flow = &model.flows[id];
            listing.effective(flow.declared.effective(), &flow.name, owner, false);
        }
        // What an agreement's flows brought is kept until the last of these days.
        let kept: BTreeSet<Date> =
            agreement.flows.iter().filter_map(|&flow| kept_until(model, flow)).collect();
        let alive = agreement.flows.iter().any(|&flow| disposal(model, flow).is_none());
        for day in kept.into_iter().filter(|_| alive) {
            listing.add(Some(day), Event::Retention, of, owner, declared.id.span);
        }
    }
    for (_, flow) in model.flows.iter() {
        let owner = owner(&flow.declared.meta);
        if flow.agreement.is_none() {
            listing.effective(flow.declared.effective(), &flow.name, owner, false);
        }
        if let Some(gone) = flow.declared.disposed() {
            listing.add(Some(gone.date), Event::Disposed, &flow.name, owner, flow.span);
        }
        listing.assurances(flow.declared.assurances(), &flow.name, owner);
    }
    for waiver in &model.waivers {
        let of = waived(waiver);
        listing.add(waiver.approved_on, Event::Waived, &of, None, waiver.span);
        listing.add(Some(waiver.expires.value), Event::WaiverEnds, &of, None, waiver.expires.span);
    }
    listing.entries.sort();
    listing.entries.dedup();
    listing.entries
}

/// What a waiver accepts, and who approved it.
fn waived(waiver: &Waiver) -> String {
    let globs = [&waiver.rule, &waiver.source, &waiver.sink, &waiver.flow, &waiver.subject];
    let of = match &waiver.finding {
        Some(finding) => finding.value.clone(),
        None => globs.into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    format!("the waiver of {of}, approved by {}", waiver.approved_by)
}

fn owner(meta: &Meta) -> Option<&str> {
    meta.labels.iter().find(|(name, _)| name == "owner").map(|(_, owner)| owner.as_str())
}

/// The entries so far.
struct Listing<'s> {
    sources: &'s Sources,
    first: Date,
    last: Date,
    entries: Vec<Entry>,
}

impl Listing<'_> {
    fn add(&mut self, day: Option<Date>, event: Event, of: &str, owner: Option<&str>, span: source::Span) {
        let Some(day) = day.filter(|&day| day <= self.last) else { return };
        self.entries.push(Entry {
            day: day.to_string(),
            days: (day - self.first).get_days(),
            event,
            of: of.to_owned(),
            not_disposed: false,
            owner: owner.map(str::to_owned),
            location: self.sources.location(span),
        });
    }

    fn effective(&mut self, dates: &Effective, of: &str, owner: Option<&str>, kept: bool) {
        if let Some(from) = &dates.from {
            self.add(Some(from.value), Event::Begins, of, owner, from.span);
        }
        if let Some(until) = &dates.until {
            self.add(Some(until.value), Event::Ends, of, owner, until.span);
            if let Some(entry) = self.entries.last_mut().filter(|entry| entry.event == Event::Ends) {
                entry.not_disposed = kept && until.value < self.first;
            }
        }
    }

    fn assurances(&mut self, all: &[Assurance], of: &str, owner: Option<&str>) {
        for assurance in all {
            let of = format!("{} of {of}", assurance.id.value);
            self.add(assurance.date, Event::Given, &of, owner, assurance.id.span);
            self.add(assurance.valid_until, Event::Lapses, &of, owner, assurance.id.span);
        }
    }
}
