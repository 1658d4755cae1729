//! `require`: what a declaration must say.

use super::evaluate::Finding;
use super::matching::{Place, Reading, within};
use super::resolve::{Model, consent_rank};
use super::rules::{Judged, finding};
use super::taxonomy::at_or_below;
use super::world::{Duration, Filter, Operators, Require, Terms, Wanted};

/// What a declaration comes to in one key.
#[derive(Default)]
struct Stated {
    /// Written somewhere; a default that nobody wrote is not.
    written: bool,
    /// None is absent.
    values: Option<Vec<String>>,
    /// Whose assurances they are.
    of_agreement: Option<usize>,
    /// Whether they are places.
    places: bool,
}

impl Stated {
    fn list(values: &[String]) -> Stated {
        Stated {
            written: !values.is_empty(),
            values: (!values.is_empty()).then(|| values.to_vec()),
            of_agreement: None,
            places: false,
        }
    }

    /// An empty list says something.
    fn telling(values: Option<&Vec<String>>) -> Stated {
        Stated { written: values.is_some(), values: values.cloned(), of_agreement: None, places: false }
    }

    fn one(value: Option<&str>) -> Stated {
        Stated {
            written: value.is_some(),
            values: value.map(|v| vec![v.to_owned()]),
            of_agreement: None,
            places: false,
        }
    }

    fn or(self, default: &str) -> Stated {
        Stated { values: self.values.or_else(|| Some(vec![default.to_owned()])), ..self }
    }
}

/// Below, equal or above, on the scale that both are on.
fn compare(value: &str, bound: &str) -> std::cmp::Ordering {
    if ["none", "opt_out", "opt_in"].contains(&bound) {
        return consent_rank(value).cmp(&consent_rank(bound));
    }
    let hours = |text: &str| Duration(text.to_owned()).hours().unwrap_or(i64::MAX);
    hours(value).cmp(&hours(bound))
}

fn holds(model: &Model<'_>, operators: &Operators, stated: &Stated) -> bool {
    if let Some(wanted) = operators.present
        && wanted != stated.written
    {
        return false;
    }
    let others = !operators.one_of.is_empty()
        || !operators.under.is_empty()
        || operators.at_most.is_some()
        || operators.at_least.is_some()
        || operators.matches.is_some()
        || !operators.includes.is_empty();
    let Some(values) = &stated.values else {
        return !others;
    };
    let all = |holds: &dyn Fn(&String) -> bool| values.iter().all(holds);
    (operators.one_of.is_empty()
        || all(&|v| match stated.places {
            true => operators.one_of.iter().any(|named| within(v, named)),
            false => operators.one_of.contains(v),
        }))
        && (operators.under.is_empty()
            || all(&|v| operators.under.iter().any(|branch| at_or_below(v, branch))))
        && operators.at_most.as_ref().is_none_or(|bound| all(&|v| compare(v, bound).is_le()))
        && operators.at_least.as_ref().is_none_or(|bound| all(&|v| compare(v, bound).is_ge()))
        && operators.matches.as_ref().is_none_or(|pattern| {
            let anchored = format!("^(?:{pattern})$");
            let regex = regex_lite::Regex::new(&anchored).expect("a pattern");
            all(&|v| regex.is_match(v))
        })
        && operators.includes.iter().all(|wanted| match (stated.of_agreement, wanted) {
            (Some(a), wanted) => model.attested(a, None, wanted),
            (None, Wanted::Named(value)) => values.contains(value),
            (None, Wanted::Dated { .. }) => panic!("not an assurance"),
        })
}

impl Model<'_> {
    fn of_terms(&self, terms: &Terms, key: &str) -> Stated {
        match key {
            "purposes" => Stated::telling(terms.purposes.as_ref()),
            "prohibited_purposes" => Stated::list(&terms.prohibited_purposes),
            "onward_transfer" => Stated::one(terms.onward_transfer.as_deref()).or("prohibited"),
            "retention" => Stated::one(terms.retention.as_ref().map(|d| &*d.0)),
            "consent" => Stated::one(terms.consent.as_deref()).or("none"),
            "safeguards" => Stated::list(&terms.safeguards),
            "released_by" => {
                let stated = Stated::telling(terms.released_by.as_ref());
                stated.or("anonymised")
            }
            other => panic!("no term {other}"),
        }
    }

    fn of_agreement(&self, a: usize, key: &str) -> Stated {
        let agreement = &self.world.agreements[a];
        if let Some(term) = key.strip_prefix("terms.") {
            return self.of_terms(&agreement.terms, term);
        }
        let effective = agreement.effective.unwrap_or_default();
        match key {
            "kind" => Stated::one(agreement.kind.as_deref()).or("sharing"),
            "status" => Stated::one(agreement.status.as_deref()).or("active"),
            "provider" => Stated::list(&agreement.provider).or(&agreement.parties[0]),
            "parties" => Stated::list(&agreement.parties),
            "legal_basis" => Stated::list(&agreement.legal_basis),
            "assurances" => Stated { of_agreement: Some(a), ..Stated::list(&self.assurances(a)) },
            "effective.from" => Stated::one(effective.from.map(|d| d.to_string()).as_deref()),
            "effective.until" => Stated::one(effective.until.map(|d| d.to_string()).as_deref()),
            other => panic!("no key {other} of an agreement"),
        }
    }

    fn of_flow(&self, e: usize, key: &str) -> Stated {
        let flow = &self.flows[e];
        if let Some(term) = key.strip_prefix("terms.") {
            // Under no agreement there are no terms.
            return match flow.agreement {
                Some(_) => self.of_terms(&flow.terms, term),
                None => Stated::default(),
            };
        }
        match key {
            "purposes" => Stated::list(&flow.purposes),
            "retention" => Stated::one(flow.retention.as_ref().map(|d| &*d.0)),
            "consent" => Stated::one(flow.written.consent.as_deref()).or("none"),
            "transform" => Stated::one(flow.written.transform.as_deref()).or("none"),
            "safeguards" => Stated::list(&flow.written.safeguards),
            "tags" => Stated::list(&flow.written.tags),
            "data" if flow.written.data == ["held"] => Stated::list(&self.leaves),
            "data" => Stated::list(&flow.written.data),
            "only_from" => Stated::list(&flow.written.only_from),
            "legal_basis" => Stated::list(&flow.legal_basis),
            "effective.from" => Stated::one(flow.effective.from.map(|d| d.to_string()).as_deref()),
            "effective.until" => Stated::one(flow.effective.until.map(|d| d.to_string()).as_deref()),
            other => panic!("no key {other} of a flow"),
        }
    }

    fn of_system(&self, s: usize, key: &str) -> Stated {
        let system = self.systems[s].declared;
        match key {
            "purposes" => Stated::list(&system.purposes),
            "originates" => Stated::list(&system.originates),
            "retention" => Stated::one(system.retention.as_ref().map(|d| &*d.0)),
            "region" => Stated { places: true, ..Stated::list(&self.systems[s].regions) },
            "tags" => Stated::list(&system.tags),
            other => panic!("no key {other} of a system"),
        }
    }

    fn of_party(&self, p: usize, key: &str) -> Stated {
        let party = &self.world.parties[p];
        match key {
            "role" => Stated::one(party.role.as_deref()).or("other"),
            "jurisdiction" => Stated { places: true, ..Stated::one(party.jurisdiction.as_deref()) },
            "affiliate_of" => Stated::one(party.affiliate_of.as_deref()),
            "contact" => Stated::one(party.contact.as_deref()),
            other => panic!("no key {other} of a party"),
        }
    }
}

/// What a declaration states, by key.
type Declaration<'m> = Box<dyn Fn(&str) -> Stated + 'm>;

pub fn require(model: &Model<'_>, judged: &Judged<'_>, rule: &Require) -> Vec<Finding> {
    let at = |system: usize| Place { party: model.owner(system), system: Some(system), arrival: None };
    let mut subjects: Vec<(String, Declaration<'_>)> = Vec::new();
    let more = Reading::More;
    match (&*rule.on, &rule.filter) {
        ("agreement", filter) => {
            for (a, agreement) in model.world.agreements.iter().enumerate() {
                let wanted = match filter {
                    Filter::Agreements(m) => m.is_empty() || model.agreement(m, a, None, more),
                    _ => true,
                };
                if wanted && model.looked_at(a) {
                    let stated = move |key: &str| model.of_agreement(a, key);
                    subjects.push((agreement.id.clone(), Box::new(stated)));
                }
            }
        }
        ("flow", filter) => {
            for e in model.counting() {
                let wanted = match filter {
                    Filter::Flows(m) => m.is_empty() || model.flow_matches(m, e, more),
                    _ => true,
                };
                if wanted {
                    let stated = move |key: &str| model.of_flow(e, key);
                    subjects.push((model.flows[e].id.clone(), Box::new(stated)));
                }
            }
        }
        ("system", filter) => {
            for s in 0..model.systems.len() {
                let wanted = match filter {
                    Filter::Places(m) => m.is_empty() || model.place(m, at(s), more),
                    _ => true,
                };
                if wanted {
                    let stated = move |key: &str| model.of_system(s, key);
                    subjects.push((model.systems[s].name.clone(), Box::new(stated)));
                }
            }
        }
        ("party", filter) => {
            for (p, party) in model.world.parties.iter().enumerate() {
                let systems: Vec<usize> = (0..model.systems.len()).filter(|s| model.owner(*s) == p).collect();
                let alone = Place { party: p, system: None, arrival: None };
                let wanted = match filter {
                    Filter::Places(m) if m.is_empty() => true,
                    Filter::Places(m) if systems.is_empty() => model.place(m, alone, more),
                    Filter::Places(m) => systems.iter().any(|s| model.place(m, at(*s), more)),
                    _ => true,
                };
                if wanted {
                    let stated = move |key: &str| model.of_party(p, key);
                    subjects.push((party.id.clone(), Box::new(stated)));
                }
            }
        }
        (other, _) => panic!("no subject {other}"),
    }
    subjects
        .into_iter()
        .filter(|(_, stated)| {
            let mut must = rule.must.iter();
            !must.all(|(key, operators)| holds(model, operators, &stated(key)))
        })
        .map(|(subject, _)| Finding { subject: Some(subject), ..finding(judged) })
        .collect()
}
