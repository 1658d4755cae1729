//! What rules, promises, built-in checks and notices mean: for a reader, and for
//! `docs/use/rules/`.

mod example;
mod pages;

use std::collections::BTreeMap;

pub use example::{Example, examples};
pub use pages::{index, page};

use crate::audit::checks::{Check, all};
use crate::base::finding::{NOTICES, rule_of_promise};
use crate::base::vocabulary::{Confidence, Word};
use crate::declare::packs;
use crate::declare::policy::{Policy, Rule};
use crate::declare::words::{Names, violated};
use crate::model::load::World;
use crate::report::relied::{BUILT_IN, BuiltInClaim};

/// All that there is to say about one rule.
#[derive(Debug, Default)]
pub struct Entry {
    /// Its full name.
    pub name: String,
    /// What it demands, in a few words.
    pub title: String,
    /// How much breaking it matters.
    pub severity: String,
    /// What it is part of, and the legal standing of that.
    pub standing: String,
    /// The words promised.
    pub quote: Option<String>,
    /// When it is broken.
    pub violated: String,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// What it rests on.
    pub cite: Vec<String>,
    /// The rows of the legal notes that it rests on.
    pub law: Vec<String>,
    /// What these were read in.
    pub confidence: Option<Confidence>,
    /// What it looks at in declared flows.
    pub sees: Option<String>,
    /// What it cannot see in them.
    pub cannot_see: Option<String>,
    /// What breaks it, and what keeps it.
    pub example: Option<Example>,
}

impl Entry {
    /// A rule of a policy.
    pub fn of_rule(policy: &Policy, rule: &Rule, names: Names) -> Self {
        let version = policy.version.as_ref().map_or(String::new(), |v| format!(" {v}"));
        let as_of = rule.as_of.map_or(String::new(), |day| format!(", as of {day}"));
        let standing = format!("{}{as_of}", rule.status.to_string().replace('_', " "));
        Entry {
            name: policy.full_id(rule),
            title: rule.title.clone().unwrap_or_default(),
            severity: rule.severity.to_string(),
            standing: format!("policy {}{version} ({standing})", policy.id.value),
            quote: None,
            violated: violated(&rule.body, names),
            why: rule.why.clone(),
            remedy: rule.remedy.clone(),
            cite: rule.cite.clone(),
            law: rule.law.clone(),
            confidence: rule.confidence,
            sees: rule.sees.clone(),
            cannot_see: rule.cannot_see.clone(),
            example: None,
        }
    }

    /// What a confidence means, in words.
    pub fn read_in(&self) -> Option<&'static str> {
        self.confidence.map(|confidence| match confidence {
            Confidence::Verified => "the text itself",
            Confidence::Secondary => "what others write about it",
            Confidence::Memory => "memory alone, not looked up",
        })
    }
}

/// Everything that can be explained.
pub fn entries(world: &World) -> Vec<Entry> {
    let names = Names { data: &world.model.data, purposes: &world.model.purposes };
    let mut all: Vec<Entry> = all().map(builtin).collect();
    for policy in &world.policies {
        let mut known: BTreeMap<String, Example> =
            packs::pack(&policy.id.value).map(examples).unwrap_or_default();
        all.extend(policy.rules.iter().map(|rule| Entry {
            example: known.remove(&rule.id.value),
            ..Entry::of_rule(policy, rule, names)
        }));
    }
    all.extend(world.model.statements.iter().map(|statement| {
        let said = &statement.said;
        let date = said.date.map(|d| d.to_string());
        let by = [said.who.as_ref(), Some(&statement.by.value), said.place.as_ref(), date.as_ref()];
        let by: Vec<&str> = by.into_iter().flatten().map(String::as_str).collect();
        Entry {
            name: rule_of_promise(&statement.id.value),
            title: statement.meta.title.as_ref().map(ToString::to_string).unwrap_or_default(),
            severity: statement.severity.to_string(),
            standing: "public promise".to_owned(),
            quote: Some(format!("“{}” ({})", said.quote, by.join(", "))),
            violated: violated(&statement.promise, names),
            ..Entry::default()
        }
    }));
    all.extend(BUILT_IN.iter().map(claim));
    all.extend(NOTICES.iter().map(|(code, what)| {
        let (why, remedy) = advice(code).unzip();
        Entry {
            name: (*code).to_owned(),
            title: (*what).to_owned(),
            severity: "no finding".to_owned(),
            standing: "notice; --deny-notices makes it fail".to_owned(),
            violated: format!("Shown when {what}."),
            why: why.map(str::to_owned),
            remedy: remedy.map(str::to_owned),
            ..Entry::default()
        }
    }));
    all
}

/// A claim that results list under *relied on*.
fn claim(claim: &BuiltInClaim) -> Entry {
    Entry {
        name: claim.name.to_owned(),
        title: claim.title.to_owned(),
        severity: "no finding".to_owned(),
        standing: "claim that results rest on".to_owned(),
        violated: format!("Listed when {}.", claim.when),
        why: Some(format!("It affects {}.", claim.affects)),
        remedy: Some(claim.remedy.to_owned()),
        ..Entry::default()
    }
}

/// Why a notice matters and what to do, where its own sentence does not say so.
fn advice(code: &str) -> Option<(&'static str, &'static str)> {
    match code {
        "data-reidentified" => Some((
            "Data was aggregated, anonymised or otherwise transformed on its way to the system, and a derivation \
             there yields a category that singles people out (marked identifying; `ringfence taxonomy` lists \
             them) or states `reidentifies: true`. What it yields is judged as if no flow had transformed it: \
             exceptions for a transform end there, and terms that a transform released bind again.",
            "Check whether the system can really tell people apart. If it cannot, state `reidentifies: false` on \
             the derivation: the claim is then listed under relied on. If it can, the findings behind it stand.",
        )),
        "rule-matches-nothing" => Some((
            "A rule that matches nothing finds nothing: it may be misspelt, or the inventory may lack what it asks \
             for.",
            "Check the names in the rule, or leave the policy out if nothing that it looks at is declared.",
        )),
        "places-not-looked-at" => Some((
            "A rule on regions, jurisdictions or roles cannot look at a place that states none: data may be there.",
            "State `region`, `jurisdiction` or `role` of the places that the notice lists.",
        )),
        _ => None,
    }
}

fn builtin(check: &Check) -> Entry {
    Entry {
        name: check.id.to_string(),
        title: check.title.to_owned(),
        severity: check.severity.word().to_owned(),
        standing: "built-in check".to_owned(),
        violated: check.violated.to_owned(),
        why: Some(check.why.to_owned()),
        remedy: Some(check.remedy.to_owned()),
        ..Entry::default()
    }
}
