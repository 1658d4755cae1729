//! What a cause breaks: law, contracts, promises, house rules, in this order; what does not bind comes last.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::NAMED;
use crate::base::finding::{Audit, Finding, FindingKind, promise_of_rule};
use crate::base::vocabulary::PolicyStatus;
use crate::report::html::names::Names;
use crate::report::kind::Kind;
use crate::report::say::{count, listing, some};

/// What a cause breaks of one kind.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    #[serde(skip)]
    key: (bool, Kind),
    what: String,
    items: Vec<Item>,
    /// In a few words.
    #[serde(skip)]
    short: String,
}

/// A rule, term or promise.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Item {
    title: String,
    /// A promise, word for word.
    quote: Option<String>,
    /// Whose it is: the agreements, the speaker, the policy and what it cites.
    of: String,
}

/// What some findings break.
pub fn broken(audit: &Audit, names: &Names, findings: &[&Finding]) -> Vec<Broken> {
    let mut rules: BTreeMap<(bool, Kind), BTreeMap<&str, Vec<&Finding>>> = BTreeMap::new();
    for finding in findings {
        rules
            .entry((!finding.binding, Kind::of(finding)))
            .or_default()
            .entry(&finding.rule)
            .or_default()
            .push(finding);
    }
    let of_kind = |(key, rules): ((bool, Kind), BTreeMap<&str, Vec<&Finding>>)| Broken {
        key,
        what: heading(key),
        short: short(audit, names, key, &rules),
        items: rules.iter().filter_map(|(rule, found)| item(audit, names, rule, found)).collect(),
    };
    rules.into_iter().map(of_kind).collect()
}

fn agreements<'f>(names: &Names, findings: impl Iterator<Item = &'f &'f Finding>) -> Vec<String> {
    let ids: BTreeSet<&str> = findings.flat_map(|f| f.agreements.iter().map(String::as_str)).collect();
    ids.into_iter().map(|id| names.agreement_title(id)).collect()
}

fn policy(audit: &Audit, rule: &str) -> String {
    let id = rule.split_once('/').map_or(rule, |(policy, _)| policy);
    let known = audit.policies.iter().find(|policy| policy.id == id);
    known.and_then(|policy| policy.title.clone()).unwrap_or_else(|| id.to_owned())
}

fn item(audit: &Audit, names: &Names, rule: &str, findings: &[&Finding]) -> Option<Item> {
    let first = findings.first()?;
    let promise = promise_of_rule(rule).and_then(|id| audit.promises.iter().find(|p| p.id == id));
    let (quote, of) = match (promise, first.kind) {
        (Some(promise), _) => (Some(promise.quote.clone()), names.party(&promise.by)),
        (None, FindingKind::Terms) => {
            let named = agreements(names, findings.iter());
            (None, format!("of {}: {}", count(named.len(), "agreement"), some(&named, NAMED)))
        }
        _ if first.policy_status.is_none() => (None, String::new()),
        _ if first.policy_status == Some(PolicyStatus::House) => (None, policy(audit, rule)),
        _ => {
            let mut of = vec![policy(audit, rule)];
            of.extend(first.cite.iter().take(NAMED).cloned());
            (None, of.join(", "))
        }
    };
    Some(Item { title: first.title.clone(), quote, of })
}

/// `1 promise`, `terms of 6 agreements`.
fn short(
    audit: &Audit,
    names: &Names,
    (loose, kind): (bool, Kind),
    rules: &BTreeMap<&str, Vec<&Finding>>,
) -> String {
    let policies = || -> Vec<String> {
        rules.keys().map(|rule| policy(audit, rule)).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let number = rules.len();
    if loose {
        return count(number, "non-binding rule");
    }
    match kind {
        Kind::Law | Kind::Enjoined | Kind::Proposed | Kind::NewRule | Kind::Benchmark => {
            format!("{} drawn from law ({})", count(number, "rule"), listing(&policies()))
        }
        Kind::Contract => {
            let (terms, others): (Vec<_>, Vec<_>) =
                rules.values().flatten().partition(|finding| finding.kind == FindingKind::Terms);
            let named = agreements(names, terms.iter().copied());
            let others: BTreeSet<&str> = others.iter().map(|finding| finding.rule.as_str()).collect();
            let terms = match named.as_slice() {
                [] => None,
                [one] => Some(format!("the terms of “{one}”")),
                several => Some(format!("the terms of {}", count(several.len(), "agreement"))),
            };
            let others = (!others.is_empty()).then(|| count(others.len(), "contract rule"));
            listing(&terms.into_iter().chain(others).collect::<Vec<_>>())
        }
        Kind::Promise => {
            let by: BTreeSet<String> = rules
                .keys()
                .filter_map(|rule| promise_of_rule(rule))
                .filter_map(|id| audit.promises.iter().find(|promise| promise.id == id))
                .map(|promise| names.party(&promise.by))
                .collect();
            let by: Vec<String> = by.into_iter().collect();
            match by.len() {
                1 | 2 => format!("{} of {}", count(number, "public promise"), listing(&by)),
                n => format!("{} of {n} parties", count(number, "public promise")),
            }
        }
        Kind::House => count(number, "house rule"),
        Kind::Inventory => format!("{} of the inventory", count(number, "check")),
    }
}

/// Above what is broken of a kind.
pub fn heading((loose, kind): (bool, Kind)) -> String {
    if loose { format!("{} (not binding)", kind.title()) } else { kind.title().to_owned() }
}

/// Everything that is broken, in one sentence.
pub fn together(broken: &[Broken]) -> String {
    let parts: Vec<String> = broken.iter().map(|one| one.short.clone()).collect();
    listing(&parts).trim_end_matches('.').to_owned()
}

/// Which kinds of rules are broken.
pub fn kinds(broken: &[Broken]) -> Vec<String> {
    broken.iter().map(|one| one.what.clone()).collect()
}
