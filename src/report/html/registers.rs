//! The registers: agreements, parties, processors, what ends soon, the record of
//! processing activities.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::names::{Names, plain};
use crate::base::finding::{Finding, FindingKind, FindingStatus};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Basis, Consent, Kind, Onward, Word};
use crate::declare::inventory::{Effective, Meta, TERMS, Terms};
use crate::flow::holdings::{Holding, Holdings};
use crate::model::{Agreement, AgreementId, Counting, Model, PartyId};
use crate::report::Report;
use crate::report::record::{self, ACTIVITY, Field};

/// How far the calendar looks ahead, in days.
pub const AHEAD: i32 = 90;

/// A term in words, with the contract's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Term {
    /// Which.
    pub name: &'static str,
    /// What it says.
    pub words: String,
    /// Where in the contract.
    pub reference: Option<String>,
    /// The contract's words.
    pub quote: Option<String>,
}

/// One agreement.
#[derive(Debug, Serialize)]
pub struct AgreementRow {
    id: String,
    title: String,
    kind: String,
    status: String,
    parties: Vec<String>,
    facts: Vec<(&'static str, String)>,
    terms: Vec<Term>,
    kept: String,
    broken: Vec<BrokenTerm>,
    more_broken: usize,
    flows: Vec<FlowRow>,
    more_flows: usize,
}

/// Where a term of an agreement is broken: anchors and flows.
#[derive(Debug, Serialize)]
struct BrokenTerm {
    what: String,
    at: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct FlowRow {
    id: String,
    title: Option<String>,
    from: String,
    to: String,
    data: String,
    purposes: String,
    besides: String,
}

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

/// Something that ends.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ending {
    day: String,
    days: i32,
    what: String,
    of: String,
    place: Option<String>,
}

/// One party of the record of processing activities.
#[derive(Debug, Serialize)]
pub struct RecordRow {
    name: String,
    party: Vec<Cell>,
    systems: Vec<Vec<Cell>>,
}

/// A field of the record.
#[derive(Debug, Serialize)]
pub struct Cell {
    name: &'static str,
    text: String,
    gap: bool,
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

/// A term in words, if it is stated. `onward_transfer` always says something.
pub fn term(names: &Names, model: &Model, terms: &Terms, which: &'static str) -> Option<Term> {
    let keys = |keys: &[crate::read::decode::Spanned<Key>]| {
        let keys: Vec<&str> = keys.iter().map(|k| model.purposes.name(k.value)).collect();
        names.all_purposes(&keys)
    };
    let (name, words) = match which {
        "purposes" => match terms.purposes.as_deref()? {
            [] => ("Purposes", "none is permitted".to_owned()),
            list => ("Purposes", format!("only {}", keys(list))),
        },
        "prohibited_purposes" if !terms.prohibited_purposes.is_empty() => {
            ("Purposes ruled out", keys(&terms.prohibited_purposes))
        }
        "onward_transfer" => (
            "Passing on",
            match terms.onward_transfer.unwrap_or(Onward::Prohibited) {
                Onward::Prohibited if terms.onward_transfer.is_none() => {
                    "prohibited, since nothing is stated"
                }
                Onward::Prohibited => "prohibited",
                Onward::Processors => "to processors only",
                Onward::Affiliates => "to processors and affiliates only",
                Onward::Permitted => "permitted",
            }
            .to_owned(),
        ),
        "onward_to" if !terms.onward_to.is_empty() => {
            let receivers = terms.onward_to.iter().map(|o| names.party(&o.party.value));
            ("Passing on besides", receivers.collect::<Vec<_>>().join(", "))
        }
        "retention" => ("Kept for at most", terms.retention?.in_words()),
        "consent" => match terms.consent? {
            Consent::None => return None,
            consent => ("Consent", format!("at least {}", plain(consent.word()))),
        },
        "safeguards" if !terms.safeguards.is_empty() => {
            let list: Vec<String> = terms.safeguards.iter().map(|s| plain(&s.value)).collect();
            ("Safeguards", list.join(", "))
        }
        "released_by" if terms.released_by.is_some() => match terms.releasing() {
            [] => ("End of the terms", "never: they follow the data however it is changed".to_owned()),
            list => {
                let list: Vec<&str> = list.iter().map(|t| t.word()).collect();
                ("End of the terms", format!("once the data is {}", list.join(" or ")))
            }
        },
        _ => return None,
    };
    let clause = terms.clause(which);
    Some(Term {
        name,
        words,
        reference: clause.and_then(|c| c.reference.clone()),
        quote: clause.and_then(|c| c.quote.clone()),
    })
}

fn broken_terms<'f>(findings: impl Iterator<Item = &'f &'f Finding>) -> Vec<BrokenTerm> {
    let mut terms: Vec<BrokenTerm> = Vec::new();
    for f in findings {
        let at = (super::findings::anchor(&f.fingerprint), f.flow.clone().unwrap_or_default());
        match terms.iter_mut().find(|t| t.what == f.title) {
            Some(term) => term.at.push(at),
            None => terms.push(BrokenTerm { what: f.title.clone(), at: vec![at] }),
        }
    }
    terms
}

fn besides(meta: &Meta, facts: &mut Vec<(&'static str, String)>) {
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

fn dates(effective: &Effective) -> Option<String> {
    match (effective.from.as_ref().map(|d| d.value), effective.until.as_ref().map(|d| d.value)) {
        (None, None) => None,
        (Some(from), None) => Some(format!("from {from}")),
        (None, Some(until)) => Some(format!("until {until}")),
        (Some(from), Some(until)) => Some(format!("{from} to {until}")),
    }
}

impl Registers<'_> {
    fn named(&self, ids: &[PartyId]) -> String {
        ids.iter().map(|&id| self.party(id)).collect::<Vec<_>>().join(", ")
    }

    fn party(&self, id: PartyId) -> String {
        self.names.party(self.model.parties[id].id())
    }

    /// Every agreement.
    pub fn agreements(&self) -> Vec<AgreementRow> {
        let mut broken: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for f in &self.report.audit.findings {
            if f.kind == FindingKind::Terms {
                f.agreements.iter().for_each(|a| broken.entry(a.as_str()).or_default().push(f));
            }
        }
        let rows = self.model.agreements.iter();
        rows.map(|(id, a)| self.agreement(id, a, broken.get(a.id()).map(Vec::as_slice).unwrap_or_default()))
            .collect()
    }

    fn agreement(&self, id: AgreementId, a: &Agreement, broken: &[&Finding]) -> AgreementRow {
        let declared = &a.declared;
        let mut facts = Vec::new();
        facts.extend(dates(&declared.effective).map(|d| ("In effect", d)));
        if let Some(gone) = &declared.disposed {
            facts.push(("Deleted at the receivers", format!("{}; evidence: {}", gone.date, gone.evidence)));
        }
        if !declared.legal_basis.is_empty() {
            facts.push(("Legal basis stated", plain(&declared.legal_basis.join(", "))));
        }
        if a.kind == Kind::Processing {
            facts.push(("Processing for", self.named(&a.providers)));
        }
        let assurances: Vec<String> = declared
            .assurances
            .iter()
            .map(|x| {
                let given = x.date.map(|d| format!("given {d}"));
                let until = x.valid_until.map(|d| format!("valid until {d}"));
                let evidence = x.evidence.as_ref().map(|e| format!("evidence: {e}"));
                let parts: Vec<String> = given.into_iter().chain(until).chain(evidence).collect();
                let words = plain(&x.id.value);
                if parts.is_empty() { words } else { format!("{words} ({})", parts.join("; ")) }
            })
            .collect();
        if !assurances.is_empty() {
            facts.push(("Assurances", assurances.join(", ")));
        }
        besides(&declared.meta, &mut facts);
        facts.extend(self.names.span(declared.id.span).map(|at| ("Declared at", at)));
        let open = broken.iter().filter(|f| f.status == FindingStatus::New).count();
        let terms = TERMS;
        let stated = terms.iter().any(|which| declared.terms.span(which).is_some());
        let counting = a.flows.iter().filter(|&&f| self.counting.has(f)).count();
        AgreementRow {
            id: a.id().to_owned(),
            title: declared.meta.title.as_deref().unwrap_or(a.id()).to_owned(),
            kind: a.kind.to_string(),
            status: a.status.to_string(),
            parties: a.parties.iter().map(|&p| self.party(p)).collect(),
            facts,
            terms: terms
                .into_iter()
                .filter_map(|which| term(self.names, self.model, &declared.terms, which))
                .collect(),
            kept: match (counting, broken.len(), open) {
                (0, 0, _) => "no flow of it counts".to_owned(),
                (_, 0, _) if !stated => "states no terms to keep".to_owned(),
                (_, 0, _) => "kept by all declared flows".to_owned(),
                (_, n, 0) => format!("broken in {n} places, all accepted"),
                (_, 1, _) => "broken in 1 place".to_owned(),
                (_, n, _) => format!("broken in {n} places"),
            },
            broken: broken_terms(broken.iter().take(self.most)),
            more_broken: broken.len().saturating_sub(self.most),
            flows: self.flows(id),
            more_flows: a.flows.len().saturating_sub(self.most),
        }
    }

    fn flows(&self, agreement: AgreementId) -> Vec<FlowRow> {
        let model = self.model;
        let flows = model.agreements[agreement].flows.iter().take(self.most);
        flows
            .map(|&id| {
                let flow = &model.flows[id];
                let declared = &flow.declared;
                let data: Vec<&str> = declared.data.iter().map(|k| model.data.name(k.value)).collect();
                let purposes: Vec<&str> = flow.purposes.iter().map(|&k| model.purposes.name(k)).collect();
                let mut besides = Vec::new();
                if !self.counting.has(id) {
                    besides.push("does not count".to_owned());
                }
                besides.extend(declared.consent.map(|c| format!("consent {}", plain(c.word()))));
                besides.extend(declared.transform.map(|t| format!("transform {t}")));
                besides.extend(flow.retention.map(|r| format!("kept for {}", r.in_words())));
                besides.extend(flow.only_from.as_ref().map(|parties| {
                    let names: Vec<String> = parties.iter().map(|&p| self.party(p)).collect();
                    format!("only data from {}", names.join(", "))
                }));
                besides.extend(declared.safeguards.iter().map(|s| plain(s)));
                if flow.own_terms.is_some() {
                    besides.push("under terms of its own".to_owned());
                }
                if declared.meta.basis == Some(Basis::Assumed) {
                    besides.push("assumed".to_owned());
                }
                FlowRow {
                    id: flow.id(model).to_owned(),
                    title: declared.meta.title.as_deref().map(str::to_owned),
                    from: self.names.line(&model.systems[flow.from].name),
                    to: self.names.line(&model.systems[flow.to].name),
                    data: match declared.held {
                        true => "whatever the sender holds".to_owned(),
                        false => self.names.all_data(&data),
                    },
                    purposes: self.names.all_purposes(&purposes),
                    besides: besides.join("; "),
                }
            })
            .collect()
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

    /// What ends on the day judged or in the days after it.
    pub fn calendar(&self) -> Vec<Ending> {
        let Ok(today) = self.report.audit.judged.day.parse::<Date>() else {
            return Vec::new();
        };
        let mut endings = BTreeSet::new();
        let mut ends =
            |day: Option<Date>, what: &str, of: String, span: Option<crate::base::source::Span>| {
                let Some(day) = day else { return };
                let days = (day - today).get_days();
                if (0..=AHEAD).contains(&days) {
                    let place = span.and_then(|span| self.names.span(span));
                    endings.insert(Ending { day: day.to_string(), days, what: what.to_owned(), of, place });
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
        endings.into_iter().collect()
    }

    /// The record of processing activities.
    pub fn record(&self) -> Vec<RecordRow> {
        let cells = |names: &[&'static str], fields: &[Field]| -> Vec<Cell> {
            let cell = |(name, field): (&&'static str, &Field)| Cell {
                name,
                text: field.text(),
                gap: *field == Field::Gap,
            };
            names.iter().zip(fields).map(cell).collect()
        };
        record::record(self.model, self.counting, self.holdings, self.report.assurance_day())
            .into_iter()
            .map(|row| RecordRow {
                name: self.party(row.party),
                party: cells(&record::PARTY, &row.fields),
                systems: row.activities.iter().map(|(_, fields)| cells(&ACTIVITY, fields)).collect(),
            })
            .collect()
    }
}

impl RecordRow {
    /// The lines of the table, as `--report ropa-csv=…` has them.
    pub fn lines(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let text = |cell: &Cell| cell.text.clone();
        self.systems.iter().map(move |system| self.party.iter().chain(system).map(text).collect())
    }
}
