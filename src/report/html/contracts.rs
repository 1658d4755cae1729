//! The contracts: each with its terms, and for each term the flows that keep or break it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::causes::Causes;
use super::names::{Names, plain};
use super::registers::{Registers, besides, dates};
use crate::audit::checks;
use crate::base::finding::{Finding, FindingKind, FindingStatus, Walk};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Basis, BuiltIn, Consent, Kind, Onward, Word};
use crate::declare::inventory::{TERMS, Terms};
use crate::model::{Agreement, AgreementId, FlowId, Model};

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
    terms: Vec<TermRow>,
    kept: String,
    /// Something of it is broken.
    broken: bool,
    flows: Vec<FlowRow>,
    more_flows: usize,
}

/// A term, and whether it is kept.
#[derive(Debug, Serialize)]
struct TermRow {
    term: Term,
    /// Where it is written.
    place: Option<String>,
    /// `kept`, or nothing where no check asks for it.
    kept: Option<&'static str>,
    broken_by: Vec<Breaking>,
    more: usize,
}

/// A flow that breaks a term.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Breaking {
    flow: String,
    place: Option<String>,
    /// The anchor of the finding, and the number of its cause.
    finding: String,
    cause: Option<usize>,
    accepted: bool,
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

impl Registers<'_> {
    /// Every agreement.
    pub fn agreements(&self, causes: &Causes) -> Vec<AgreementRow> {
        let mut broken: BTreeMap<&str, Vec<(&Finding, usize)>> = BTreeMap::new();
        for f in self.report.audit.findings.iter().filter(|f| f.kind == FindingKind::Terms) {
            for (at, agreement) in f.agreements.iter().enumerate() {
                broken.entry(agreement).or_default().push((f, at));
            }
        }
        let numbers: BTreeMap<&str, usize> = causes.told().map(|c| (c.id.as_str(), c.number)).collect();
        let rows = self.model.agreements.iter();
        let broken = |a: &Agreement| broken.get(a.id()).map(Vec::as_slice).unwrap_or_default();
        rows.map(|(id, a)| self.agreement(id, a, broken(a), &numbers)).collect()
    }

    fn agreement(
        &self,
        id: AgreementId,
        a: &Agreement,
        broken: &[(&Finding, usize)],
        causes: &BTreeMap<&str, usize>,
    ) -> AgreementRow {
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
        let open = broken.iter().filter(|(f, _)| f.status == FindingStatus::New).count();
        let stated = TERMS.iter().any(|which| declared.terms.span(which).is_some());
        let counting = a.flows.iter().filter(|&&f| self.counting.has(f)).count();
        AgreementRow {
            id: a.id().to_owned(),
            title: declared.meta.title.as_deref().unwrap_or(a.id()).to_owned(),
            kind: a.kind.to_string(),
            status: a.status.to_string(),
            parties: a.parties.iter().map(|&p| self.party(p)).collect(),
            facts,
            terms: self.terms(a, broken, causes, counting > 0),
            kept: match (counting, broken.len(), open) {
                (0, 0, _) => "no flow of it counts".to_owned(),
                (_, 0, _) if !stated => "states no terms to keep".to_owned(),
                (_, 0, _) => "kept by all declared flows".to_owned(),
                (_, n, 0) => format!("broken in {n} places, all accepted"),
                (_, 1, _) => "broken in 1 place".to_owned(),
                (_, n, _) => format!("broken in {n} places"),
            },
            broken: open > 0,
            flows: self.flows(id),
            more_flows: a.flows.len().saturating_sub(self.most),
        }
    }

    /// The terms that it states, then those of its flows alone that are broken.
    fn terms(
        &self,
        a: &Agreement,
        broken: &[(&Finding, usize)],
        causes: &BTreeMap<&str, usize>,
        counting: bool,
    ) -> Vec<TermRow> {
        let mut by_term: BTreeMap<Term, (Option<String>, Vec<Breaking>)> = BTreeMap::new();
        for &(finding, at) in broken {
            let Some((term, place)) = self.broken_term(a, finding, at) else { continue };
            let (_, flows) = by_term.entry(term).or_insert_with(|| (place, Vec::new()));
            flows.push(Breaking {
                flow: finding.flow.clone().unwrap_or_default(),
                place: finding.location.as_ref().map(super::names::at),
                finding: super::findings::anchor(&finding.fingerprint),
                cause: causes.get(finding.cause.as_str()).copied(),
                accepted: finding.status != FindingStatus::New,
            });
        }
        let row = |term: Term, place: Option<String>, flows: Vec<Breaking>, kept| TermRow {
            term,
            place,
            kept,
            more: flows.len().saturating_sub(self.most),
            broken_by: flows.into_iter().take(self.most).collect(),
        };
        let declared = &a.declared.terms;
        let stated = TERMS.into_iter().filter_map(|which| {
            let term = term(self.names, self.model, declared, which)?;
            let (_, flows) = by_term.remove(&term).unwrap_or_default();
            let checked = !matches!(which, "onward_to" | "released_by") && counting;
            let place = declared.span(which).and_then(|span| self.names.span(span));
            let kept = (checked && flows.is_empty()).then_some("kept");
            Some(row(term, place, flows, kept))
        });
        let mut rows: Vec<TermRow> = stated.collect();
        rows.extend(by_term.into_iter().map(|(term, (place, flows))| row(term, place, flows, None)));
        rows
    }

    /// The term of an agreement that a finding is about, and where it is written: that of the flow by which the
    /// data came under it.
    fn broken_term(&self, a: &Agreement, finding: &Finding, at: usize) -> Option<(Term, Option<String>)> {
        let model = self.model;
        let walk = finding.witnesses.get(at).map(Walk::hops).unwrap_or_default();
        let own = walk.iter().rev().find(|hop| hop.agreement.as_deref() == Some(a.id()));
        let own = own.and_then(|hop| self.names.flow(&hop.flow));
        let terms = own.map_or(&a.declared.terms, |flow| &model.flows[flow].terms);
        let offending = finding.flow.as_deref().and_then(|name| self.names.flow(name));
        let which = which(model, &finding.rule, terms, offending);
        let written = terms.clause(which).map(|clause| clause.term.span).or_else(|| terms.span(which));
        Some((term(self.names, model, terms, which)?, written.and_then(|span| self.names.span(span))))
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
}

/// Which term a check of terms is about.
fn which(model: &Model, rule: &str, terms: &Terms, offending: Option<FlowId>) -> &'static str {
    match BuiltIn::of(rule) {
        Some(BuiltIn::Purpose) => {
            let ruled_out = offending.is_some_and(|flow| checks::ruled_out(model, terms, flow));
            if ruled_out { "prohibited_purposes" } else { "purposes" }
        }
        rule => rule.and_then(|check| checks::check(check).term).unwrap_or("consent"),
    }
}
