//! How it was judged, of what and by what.

use serde::Serialize;

use super::findings::standing;
use crate::base::finding::{Audit, FindingStatus};
use crate::report::say::left_out;

/// What was judged, and by which policies.
#[derive(Debug, Serialize)]
pub struct Method {
    facts: Vec<(&'static str, String)>,
    packs: Vec<Pack>,
}

#[derive(Debug, Serialize)]
struct Pack {
    id: String,
    title: Option<String>,
    version: Option<String>,
    standing: &'static str,
    as_of: Option<String>,
    rules: usize,
    new: usize,
    about: Option<String>,
    cannot_see: Option<String>,
}

/// Says how it was judged.
pub fn method(audit: &Audit) -> Method {
    Method { facts: facts(audit), packs: packs(audit) }
}

fn facts(audit: &Audit) -> Vec<(&'static str, String)> {
    let i = &audit.inventory;
    let mut facts = vec![
        ("Day judged", audit.judged.day.clone()),
        (
            "Flows of",
            match &audit.judged.as_of {
                Some(day) => day.clone(),
                None => "any day; dates do not matter".to_owned(),
            },
        ),
    ];
    if let Some(statuses) = &audit.judged.status {
        let words: Vec<String> = statuses.iter().map(ToString::to_string).collect();
        facts.push(("Agreements judged", format!("only those that are {}", words.join(" or "))));
    }
    if let Some(left_out) = left_out(&audit.judged) {
        facts.push(("Left out", left_out.trim_start_matches("left out: ").to_owned()));
    }
    facts.extend([
        ("Parties", i.parties.to_string()),
        ("Systems", i.systems.to_string()),
        ("Agreements", i.agreements.to_string()),
        ("Flows", format!("{}, of which {} count", i.flows, i.counting_flows)),
        ("Proposed", format!("{} of the flows that count", i.proposed_flows)),
        ("Assumed", format!("{} of the flows that count", i.assumed_flows)),
        ("Program", format!("Ringfence {}", audit.ringfence.version)),
        ("Digest of the inventory", i.digest.clone()),
    ]);
    facts
}

fn packs(audit: &Audit) -> Vec<Pack> {
    let new = |id: &str| {
        let of = format!("{id}/");
        audit.findings.iter().filter(|f| f.status == FindingStatus::New && f.rule.starts_with(&of)).count()
    };
    let pack = |p: &crate::base::finding::PolicyFacts| Pack {
        id: p.id.clone(),
        title: p.title.clone(),
        version: p.version.clone(),
        standing: standing(p.status),
        as_of: p.as_of.clone(),
        rules: p.rules,
        new: new(&p.id),
        about: p.about.clone(),
        cannot_see: p.cannot_see.clone(),
    };
    audit.policies.iter().map(pack).collect()
}
