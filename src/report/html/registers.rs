//! The registers: parties, processors, what is over and what ends soon, the record of processing activities.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::names::{Names, plain};
use crate::base::vocabulary::{Basis, Kind, Severity, Word};
use crate::declare::inventory::{Effective, Meta};
use crate::flow::holdings::{Holding, Holdings};
use crate::model::{Counting, Model, PartyId};
use crate::query::{AHEAD as DAYS_AHEAD, Window};
use crate::report::Report;
use crate::report::answer;
use crate::report::record::{self, ACTIVITY, Field, Register};
use crate::report::say::{count, listing};

/// How far the calendar looks ahead, in days.
pub const AHEAD: i32 = DAYS_AHEAD as i32;
/// What the page leaves out of the record where there is none.
const WHERE_ANY: [&str; 3] = ["joint controllers", "on behalf of", "safeguards of transfers"];
/// What takes two columns.
const LONG: [&str; 2] = ["categories of data", "purposes"];
/// So many entries the calendar has.
const ENTRIES: usize = 200;

/// One party.
#[derive(Debug, Serialize)]
pub struct PartyRow {
    id: String,
    name: String,
    role: String,
    facts: Vec<(&'static str, String)>,
    holdings: Vec<HoldingRow>,
    more_holdings: usize,
}

#[derive(Debug, Serialize)]
struct HoldingRow {
    from: Vec<String>,
    more: usize,
    relation: String,
    data: String,
    purposes: String,
    systems: String,
}

/// One who processes for another.
#[derive(Debug, Serialize)]
pub struct ProcessorRow {
    name: String,
    provider: String,
    agreement: String,
    title: String,
    status: String,
    data: String,
}

/// What is over and what ends soon.
#[derive(Debug, Default, Serialize)]
pub struct Calendar {
    over: Vec<Ending>,
    soon: Vec<Ending>,
    more: usize,
    ahead: i32,
    /// How many of what are over: `1 agreement and 2 waivers`.
    passed: String,
    /// Findings that begin or end on the days ahead; `None`: nobody looked.
    windows: Option<Vec<WindowRow>>,
    more_windows: usize,
}

/// A finding that is not there on every day.
#[derive(Debug, Serialize)]
pub struct WindowRow {
    severity: Severity,
    title: String,
    message: String,
    there: String,
    fails: bool,
}

/// Something that ends.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Ending {
    day: String,
    when: String,
    what: String,
    of: String,
    place: Option<String>,
}

/// One party in one of the registers of the record of processing activities.
#[derive(Debug, Serialize)]
pub struct RecordRow {
    name: String,
    /// The paragraph that asks for the register.
    register: &'static str,
    /// What the register is of, at its first entry.
    opens: Option<&'static str>,
    party: Vec<Cell>,
    systems: Vec<Vec<Cell>>,
    /// The same for paper, a text for the party and each system: a printed page's structure has an entry for each
    /// element.
    paper: Vec<String>,
}

/// A field of the record.
#[derive(Debug, Serialize)]
pub struct Cell {
    name: &'static str,
    text: String,
    gap: bool,
    /// It is in the table alone: the page says it otherwise, or there is nothing to say.
    table_only: bool,
    /// It is long.
    wide: bool,
}

/// What the registers are made of.
pub struct Registers<'r> {
    /// The report.
    pub report: &'r Report<'r>,
    /// The world.
    pub model: &'r Model,
    /// What counts.
    pub counting: &'r Counting,
    /// Who holds what.
    pub holdings: &'r Holdings,
    /// What things are called.
    pub names: &'r Names<'r>,
    /// How many entries a list within a register has at most.
    pub most: usize,
}

pub(super) fn besides(meta: &Meta, facts: &mut Vec<(&'static str, String)>) {
    if meta.basis == Some(Basis::Assumed) {
        facts.push(("Basis", "assumed".to_owned()));
    }
    if let Some(source) = &meta.source {
        let date = source.date.map(|d| d.to_string());
        let parts: Vec<String> =
            [source.title.clone(), date, source.url.clone()].into_iter().flatten().collect();
        facts.push(("Source", parts.join(", ")));
    }
    let labels: Vec<String> = meta.labels.iter().map(|(key, text)| format!("{key}: {text}")).collect();
    if !labels.is_empty() {
        facts.push(("Labels", labels.join("; ")));
    }
}

pub(super) fn dates(effective: &Effective) -> Option<String> {
    match (effective.from.as_ref().map(|d| d.value), effective.until.as_ref().map(|d| d.value)) {
        (None, None) => None,
        (Some(from), None) => Some(format!("from {from}")),
        (None, Some(until)) => Some(format!("until {until}")),
        (Some(from), Some(until)) => Some(format!("{from} to {until}")),
    }
}

impl Registers<'_> {
    pub(super) fn named(&self, ids: &[PartyId]) -> String {
        ids.iter().map(|&id| self.party(id)).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn party(&self, id: PartyId) -> String {
        self.names.party(self.model.parties[id].id())
    }

    /// Every party with what it comes to hold.
    pub fn parties(&self) -> Vec<PartyRow> {
        let rows = self.model.parties.iter();
        rows.map(|(id, party)| {
            let declared = &party.declared;
            let mut facts = Vec::new();
            facts.extend(declared.jurisdiction.clone().map(|j| ("Jurisdiction", j)));
            facts.extend(declared.affiliate_of.as_ref().map(|p| ("Belongs to", self.names.party(&p.value))));
            facts.push(("Systems", party.systems.len().to_string()));
            besides(&declared.meta, &mut facts);
            facts.extend(self.names.span(declared.id.span).map(|at| ("Declared at", at)));
            let mut holdings = self.held_by(id);
            let more_holdings = holdings.len().saturating_sub(self.most);
            holdings.truncate(self.most);
            PartyRow {
                id: party.id().to_owned(),
                name: self.party(id),
                role: plain(party.role().word()),
                facts,
                holdings,
                more_holdings,
            }
        })
        .collect()
    }

    /// Holdings that differ in nothing but their origin share a line.
    fn held_by(&self, party: PartyId) -> Vec<HoldingRow> {
        let model = self.model;
        let mut lines: Vec<(&Holding, Vec<String>)> = Vec::new();
        for holding in self.holdings.of(party) {
            let from = match holding.assumed {
                true => format!("{} (assumed)", self.party(holding.origin)),
                false => self.party(holding.origin),
            };
            let same = |h: &Holding| {
                h.relation == holding.relation
                    && h.leaves == holding.leaves
                    && h.purposes == holding.purposes
                    && h.systems == holding.systems
            };
            match lines.iter_mut().find(|(h, _)| same(h)) {
                Some((_, origins)) => origins.push(from),
                None => lines.push((holding, vec![from])),
            }
        }
        lines
            .into_iter()
            .map(|(h, mut from)| {
                let purposes: Vec<&str> = h.purposes.iter().map(|&k| model.purposes.name(k)).collect();
                let systems: Vec<&str> =
                    h.systems.iter().map(|&s| model.systems[s].declared.id.value.as_str()).collect();
                let more = from.len().saturating_sub(self.most);
                from.truncate(self.most);
                HoldingRow {
                    from,
                    more,
                    relation: plain(h.relation.word()),
                    data: self.names.all_data(&model.data.cover(&h.leaves)),
                    purposes: self.names.all_purposes(&purposes),
                    systems: systems.join(", "),
                }
            })
            .collect()
    }

    /// Everybody who processes for somebody else by an agreement.
    pub fn processors(&self) -> Vec<ProcessorRow> {
        let model = self.model;
        let mut rows = Vec::new();
        for a in model.agreements.values().filter(|a| a.kind == Kind::Processing) {
            for &party in a.parties.iter().filter(|party| !a.providers.contains(party)) {
                let received = a.flows.iter().filter(|&&f| model.receiver(f) == party);
                let mut leaves = crate::base::bits::LeafSet::empty(model.data.leaf_count());
                received.for_each(|&f| leaves.extend(self.holdings.carried(f).row()));
                rows.push(ProcessorRow {
                    name: self.party(party),
                    provider: self.named(&a.providers),
                    agreement: a.id().to_owned(),
                    title: a.declared.meta.title.as_deref().unwrap_or(a.id()).to_owned(),
                    status: a.status.to_string(),
                    data: self.names.all_data(&model.data.cover(&leaves)),
                });
            }
        }
        rows
    }

    /// What is over on the day judged, and what ends on it or in the days after it.
    pub fn calendar(&self) -> Calendar {
        let Ok(today) = self.report.audit.judged.day.parse::<Date>() else {
            return Calendar::default();
        };
        let (mut over, mut soon) = (BTreeSet::new(), BTreeSet::new());
        let mut ends =
            |day: Option<Date>, what: &str, of: String, span: Option<crate::base::source::Span>| {
                let Some(day) = day else { return };
                let days = (day - today).get_days();
                let when = match days {
                    0 => "today".to_owned(),
                    1.. => format!("in {}", count(days.unsigned_abs() as usize, "day")),
                    _ => format!("{} ago", count(days.unsigned_abs() as usize, "day")),
                };
                if days <= AHEAD {
                    let place = span.and_then(|span| self.names.span(span));
                    let ending = Ending { day: day.to_string(), when, what: what.to_owned(), of, place };
                    if days < 0 {
                        over.insert(ending)
                    } else {
                        soon.insert(ending)
                    };
                }
            };
        let until = |e: &Effective| e.until.as_ref().map(|d| (d.value, d.span));
        for a in self.model.agreements.values() {
            let title = a.declared.meta.title.as_deref().unwrap_or(a.id()).to_owned();
            if let Some((day, span)) = until(&a.declared.effective) {
                ends(Some(day), "Agreement", title.clone(), Some(span));
            }
            for assurance in &a.declared.assurances {
                let of = format!("{} of {title}", plain(&assurance.id.value));
                ends(assurance.valid_until, "Assurance", of, Some(assurance.id.span));
            }
        }
        for flow in self.model.flows.values() {
            if let Some((day, span)) = until(flow.declared.effective()) {
                ends(Some(day), "Flow", flow.name.clone(), Some(span));
            }
        }
        for waiver in &self.model.waivers {
            let globs = [&waiver.rule, &waiver.source, &waiver.sink, &waiver.flow, &waiver.subject];
            let of: Vec<String> = match &waiver.finding {
                Some(finding) => vec![finding.value.clone()],
                None => globs.into_iter().flatten().map(ToString::to_string).collect(),
            };
            let of = format!("{}, approved by {}: {}", of.join(" "), waiver.approved_by, waiver.reason);
            ends(Some(waiver.expires.value), "Waiver", of, Some(waiver.span));
        }
        let windows = self.report.ahead.map(|calendar| {
            let row = |window: &Window| WindowRow {
                severity: window.severity,
                title: self.rule(&window.rule),
                message: window.message.clone(),
                there: answer::said(&window.there),
                fails: !window.fails.is_empty(),
            };
            calendar.windows.iter().take(ENTRIES).map(row).collect::<Vec<_>>()
        });
        let number = self.report.ahead.map_or(0, |calendar| calendar.windows.len());
        let more_windows = number - windows.as_ref().map_or(0, Vec::len);
        let all = over.len() + soon.len();
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        over.iter().for_each(|ending: &Ending| *kinds.entry(&ending.what).or_default() += 1);
        let passed: Vec<String> =
            kinds.into_iter().map(|(what, number)| count(number, &what.to_lowercase())).collect();
        let passed = listing(&passed);
        // What has ended last comes first.
        let over: Vec<Ending> = over.into_iter().rev().take(ENTRIES).collect();
        let soon: Vec<Ending> = soon.into_iter().take(ENTRIES).collect();
        Calendar {
            more: all - over.len() - soon.len(),
            over,
            soon,
            ahead: AHEAD,
            passed,
            windows,
            more_windows,
        }
    }

    /// What a rule demands, in a few words.
    fn rule(&self, id: &str) -> String {
        let entry = self.report.audit.rules.iter().find(|rule| rule.id == id);
        entry.map_or_else(|| id.to_owned(), |rule| rule.title.clone())
    }

    /// The record of processing activities.
    pub fn record(&self) -> Vec<RecordRow> {
        let cells = |names: &[&'static str], fields: &[Field]| -> Vec<Cell> {
            let cell = |(name, field): (&&'static str, &Field)| Cell {
                name,
                text: field.text(),
                gap: *field == Field::Gap,
                table_only: *name == "register" || *field == Field::None && WHERE_ANY.contains(name),
                wide: LONG.contains(name),
            };
            names.iter().zip(fields).map(cell).collect()
        };
        let mut rows: Vec<RecordRow> =
            record::record(self.model, self.counting, self.holdings, self.report.assurance_day())
                .iter()
                .flat_map(|row| Register::ALL.map(|register| (register, row)))
                .filter(|(register, row)| row.activities.iter().any(|(of, _)| of == register))
                .map(|(register, row)| RecordRow {
                    name: self.party(row.party),
                    register: register.paragraph(),
                    opens: None,
                    paper: Vec::new(),
                    party: cells(&record::PARTY, &row.fields),
                    systems: row
                        .activities
                        .iter()
                        .filter(|(of, _)| *of == register)
                        .map(|(_, fields)| cells(&ACTIVITY, fields))
                        .collect(),
                })
                .collect();
        for row in &mut rows {
            let all = std::iter::once(&row.party).chain(&row.systems);
            row.paper = all.map(|cells| run_on(cells)).collect();
        }
        // Both registers after one another, as in the table.
        rows.sort_by_key(|row| row.register);
        for register in Register::ALL {
            if let Some(first) = rows.iter_mut().find(|row| row.register == register.paragraph()) {
                first.opens = Some(register.of());
            }
        }
        rows
    }
}

/// Fields one after another.
fn run_on(cells: &[Cell]) -> String {
    let shown = cells.iter().filter(|cell| !cell.table_only);
    let texts: Vec<String> = shown.map(|cell| format!("{}: {}", cell.name, cell.text)).collect();
    texts.join(" · ")
}

impl RecordRow {
    /// The lines of the table, as `--report ropa-csv=…` has them.
    pub fn lines(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let text = |cell: &Cell| cell.text.clone();
        self.systems.iter().map(move |system| self.party.iter().chain(system).map(text).collect())
    }
}
