//! What a result rests on: the claims without which there could be more findings, in words.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::say::{count, listing};
use crate::base::finding::{Audit, Reliance};
use crate::base::source::Location;

/// A claim, and what it kept from being a finding.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// The flow or system that makes it.
    pub by: &'a str,
    /// The party that makes it.
    pub party: Option<&'a str>,
    /// Its words, as they are declared.
    pub claim: &'a str,
    /// What is declared to show it.
    pub evidence: Option<&'a str>,
    /// The last day on which it holds, if one is declared.
    pub until: Option<&'a str>,
    /// Where it is made.
    pub location: &'a Location,
    /// The ids of the rules and checks that it kept from being broken.
    pub rules: Vec<&'a str>,
    /// The same in words, each once.
    pub affects: Vec<&'a str>,
    /// How many rules rest on it.
    pub rests: usize,
}

/// Claims of one kind, whoever makes them.
#[derive(Debug, Clone)]
pub struct ClaimGroup<'a> {
    /// What is claimed, as it is declared: the key alone where each names something of its own.
    pub claim: &'a str,
    /// The same in words.
    pub words: String,
    /// The claims, those on which most rests first.
    pub claims: Vec<Claim<'a>>,
    /// What they keep from being a finding, in words, each once.
    pub affects: Vec<&'a str>,
}

/// What was relied on, each claim once, those on which most rests first.
pub fn claims(audit: &Audit) -> Vec<Claim<'_>> {
    let titles: FxHashMap<&str, &str> =
        audit.rules.iter().map(|rule| (rule.id.as_str(), rule.title.as_str())).collect();
    let mut claims: BTreeMap<_, Claim> = BTreeMap::new();
    for r in &audit.relied_on {
        let claim =
            claims.entry((r.by(), &r.claim, &r.location.file, r.location.line)).or_insert_with(|| claim(r));
        claim.rules.push(&r.rule);
        let affects = affects(&r.rule).unwrap_or(&r.rule);
        if !claim.affects.contains(&affects) {
            claim.affects.push(affects);
        }
        // What bears on every rule counts as all of them.
        claim.rests += if bears_on_all(&r.rule) { titles.len().max(1) } else { 1 };
    }
    let mut claims: Vec<Claim> = claims.into_values().collect();
    claims.sort_by_key(|claim| Reverse(claim.rests));
    claims
}

fn claim(reliance: &Reliance) -> Claim<'_> {
    Claim {
        by: reliance.by(),
        party: reliance.party.as_deref(),
        claim: &reliance.claim,
        evidence: reliance.evidence.as_deref(),
        until: reliance.until.as_deref(),
        location: &reliance.location,
        rules: Vec::new(),
        affects: Vec::new(),
        rests: 0,
    }
}

/// What was relied on, claims of one kind together; the kinds on which most rests first.
pub fn groups(audit: &Audit) -> Vec<ClaimGroup<'_>> {
    let mut groups: Vec<ClaimGroup> = Vec::new();
    let mut at: FxHashMap<&str, usize> = FxHashMap::default();
    for claim in claims(audit) {
        let kind = kind(claim.claim);
        let index = *at.entry(kind).or_insert(groups.len());
        if index == groups.len() {
            groups.push(ClaimGroup {
                claim: kind,
                words: words(claim.claim),
                claims: Vec::new(),
                affects: Vec::new(),
            });
        }
        let Some(group) = groups.get_mut(index) else { continue };
        for affected in &claim.affects {
            if !group.affects.contains(affected) {
                group.affects.push(affected);
            }
        }
        group.claims.push(claim);
    }
    groups.sort_by_key(|group| Reverse(group.claims.iter().map(|claim| claim.rests).sum::<usize>()));
    groups
}

/// Claims that name something of their own each: they are grouped by the key.
const NAMING: [&str; 8] =
    ["only_from", "onward_to", "affiliate_of", "disposed", "retention", "agreement", "from", "to"];

/// By what a claim is grouped.
fn kind(claim: &str) -> &str {
    let key = claim.split_once(": ").map_or(claim, |(key, _)| key);
    if NAMING.contains(&key) && !claim.contains("; ") { key } else { claim }
}

/// What the claims of a group say, in words and as it is declared.
pub fn claimed(group: &ClaimGroup) -> String {
    match group.claim.contains(':') || NAMING.contains(&group.claim) {
        true => format!("{} (`{}`)", group.words, group.claim),
        false => format!("the flow {}", group.words),
    }
}

/// What a claim says, in words.
pub fn words(claim: &str) -> String {
    let disposal = claim.starts_with("disposed: ");
    let parts: Vec<String> = match disposal {
        true => vec![one("disposed", "")],
        false => claim
            .split("; ")
            .map(|part| part.split_once(": ").map_or_else(|| part.to_owned(), |(key, value)| one(key, value)))
            .collect(),
    };
    listing(&parts)
}

fn one(key: &str, value: &str) -> String {
    match key {
        "transform" => format!("the data is {value} before it leaves"),
        "consent" => match value {
            "opt_in" => "the people concerned have agreed".to_owned(),
            "opt_out" => "the people concerned may object".to_owned(),
            _ => format!("consent is {value}"),
        },
        "only_from" => "the flow carries only what originates at the parties that it names".to_owned(),
        "assurance" => format!("the parties attest {value}"),
        "kind" => format!("the agreement is for {value}: the receiver acts on the provider's behalf"),
        "affiliate_of" => "the receiver belongs to the group that the data comes from".to_owned(),
        "onward_to" | "onward_transfer" => "the contract allows the receiver to have it".to_owned(),
        "disposed" => "the receiver has deleted the data".to_owned(),
        "retention" => "the receiver deleted the data when its retention ended".to_owned(),
        "reidentifies" => "nobody can be told from what is derived".to_owned(),
        "legal_basis" => format!("the legal basis is {value}"),
        "safeguards" => format!("the flow is protected by {value}"),
        "purposes" => format!("the flow serves {value} alone"),
        "data" => format!("the flow carries {value} alone"),
        "tag" => format!("the flow is tagged {value}"),
        "status" => format!("the agreement is {value}"),
        "agreement" => "the flow is under the agreement".to_owned(),
        "from" | "to" => "the flow has the end that the exception names".to_owned(),
        _ => format!("{key} is {value}"),
    }
}

/// Whether a claim bears on all rules at once.
fn bears_on_all(rule: &str) -> bool {
    matches!(rule, "flow/only_from" | "flow/disposed" | "flow/retention")
}

/// A claim that is built in: not of a rule's exception.
pub struct BuiltInClaim {
    /// Under which name it is listed.
    pub name: &'static str,
    /// What declares it.
    pub title: &'static str,
    /// What it keeps from being judged.
    pub affects: &'static str,
    /// When it is listed.
    pub when: &'static str,
    /// What to do with it.
    pub remedy: &'static str,
}

/// All built-in claims.
pub const BUILT_IN: [BuiltInClaim; 5] = [
    BuiltInClaim {
        name: "flow/only_from",
        title: "A flow carries only what originates at the parties that `only_from` names",
        affects: "every rule: data that originates elsewhere is excluded",
        when: "a flow's `only_from` keeps data out that the sender holds and the flow's `data` names",
        remedy: "Show how the sender keeps the data of its partners apart. Without the claim, the flow carries all \
                 that its sender holds of its `data`.",
    },
    BuiltInClaim {
        name: "flow/disposed",
        title: "The receiver has deleted what a flow or its agreement moved",
        affects: "every rule: the data that it moved counts as deleted at the receiver",
        when: "`disposed` has a date on or before the day judged",
        remedy: "Keep the evidence that `disposed` names. What the receiver passed on before that day still counts.",
    },
    BuiltInClaim {
        name: "flow/retention",
        title: "The receiver deleted the data when its retention ended",
        affects: "every rule: the data that it moved counts as deleted since",
        when: "with `--as-of`, a flow has ended and its retention after that, too",
        remedy: "Ask the receiver for evidence and declare it as `disposed`.",
    },
    BuiltInClaim {
        name: "terms/released_by",
        title: "A transform releases data from an agreement's terms",
        affects: "agreement terms: they stop following the data here",
        when: "data under terms crosses a flow whose `transform` is in their `released_by` (by default anonymised)",
        remedy: "Show that nobody can be told from what the flow carries. Where a system later re-identifies it, \
                 state `derives` there.",
    },
    BuiltInClaim {
        name: "derives/reidentifies",
        title: "A derivation singles nobody out, by `reidentifies: false`",
        affects: "every exception and release for a transform: none ends here",
        when: "a derivation states `reidentifies: false` and data comes to it that was transformed before",
        remedy: "Show why what is derived cannot be traced to a person. Without the claim, what comes out of an \
                 identifying derivation is judged as if no flow had transformed it.",
    },
];

/// What a built-in claim kept from being judged, if it is one.
fn affects(rule: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|claim| claim.name == rule).map(|claim| claim.affects)
}

/// What shows a claim and until when it holds, in a few words.
pub fn footing(claim: &Claim) -> String {
    let evidence =
        claim.evidence.map_or_else(|| "no evidence declared".to_owned(), |text| format!("evidence: {text}"));
    let until = claim.until.map_or_else(|| "no last day declared".to_owned(), |day| format!("until {day}"));
    format!("{evidence}; {until}")
}

/// Who makes the claims of a group: `7 flows`, `2 systems`.
pub fn makers(group: &ClaimGroup) -> String {
    let (systems, flows): (Vec<_>, Vec<_>) =
        group.claims.iter().partition(|claim| claim.claim.starts_with("reidentifies"));
    let parts = [(flows.len(), "flow"), (systems.len(), "system")];
    let parts: Vec<String> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, one)| count(number, one)).collect();
    listing(&parts)
}
