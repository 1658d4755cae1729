//! Every field that a requirement may ask for, on a declaration that writes it and on one that does
//! not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use assert_cmd::Command;
use ringfence::testing::fields::{Declaration, asked_of};
use serde_json::Value;

const INVENTORY: &str = r#"
parties:
  - {id: group, name: Group}
  - id: full
    name: Full
    title: T
    role: bank
    jurisdiction: GB
    affiliate_of: group
    contact: c@x
    dpo: d@x
    representative: r@x
    labels: {k: v}
    basis: public
    source: {title: S, url: "https://x.example", date: 2020-01-02}
    systems:
      - id: full
        title: T
        purposes: [service.account]
        originates: [contact]
        derives: [{from: [contact], into: derived.model}]
        controller: group
        retention: 30d
        region: GB
        subjects: 10
        tags: [t]
        labels: {k: v}
        basis: public
        source: {title: S, url: "https://x.example", date: 2020-01-02}
  - {id: bare, name: Bare, systems: [{id: bare}]}
agreements:
  - id: full
    title: T
    kind: processing
    provider: full
    status: active
    parties: [full, bare]
    legal_basis: contract
    assurances: [dpia]
    labels: {k: v}
    basis: public
    source: {title: S, url: "https://x.example", date: 2020-01-02}
    effective: {from: 2020-02-03, until: 2030-04-05}
    disposed: {date: 2099-01-02, evidence: letter}
    terms: &terms
      purposes: [service.account]
      prohibited_purposes: [advertising]
      onward_transfer: processors
      onward_to: [{party: group}]
      retention: 30d
      consent: opt_out
      safeguards: [encryption_in_transit]
      released_by: [aggregated]
  - id: bare
    parties: [full, bare]
    flows:
      - id: full
        title: T
        from: full/full
        to: bare/bare
        data: [contact]
        purposes: [service.account]
        consent: opt_out
        transform: tokenised
        only_from: [full]
        safeguards: [encryption_in_transit]
        retention: 30d
        legal_basis: contract
        tags: [t]
        essential: true
        labels: {k: v}
        basis: public
        source: {title: S, url: "https://x.example", date: 2020-01-02}
        effective: {from: 2020-02-03, until: 2030-04-05}
        disposed: {date: 2099-01-02, evidence: letter}
        terms: *terms
flows:
  - {id: bare, from: full/full, to: bare/bare, data: [contact], purposes: [service.account]}
"#;

/// Of a field what holds of the full declaration and what does not; without any, of a map.
fn operators(on: &str, field: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    let of = |holds: &[&'static str], fails: &[&'static str]| (holds.to_vec(), fails.to_vec());
    let matches = |text: &'static str| (vec![text], vec!["matches: zzz"]);
    match field {
        "source" | "effective" | "disposed" | "derives" => of(&[], &[]),
        "title" => matches("matches: T"),
        "source.title" => matches("matches: S"),
        "source.url" => matches("matches: 'https://x[.]example'"),
        "source.date" => of(
            &["at_most: 2020-01-02", "at_least: 2020-01-02"],
            &["at_most: 2020-01-01", "at_least: 2020-01-03"],
        ),
        "basis" => of(&["in: [public]"], &["in: [assumed]"]),
        "labels.k" => matches("matches: v"),
        "effective.from" => of(
            &["at_most: 2020-02-03", "at_least: 2020-02-03"],
            &["at_most: 2020-02-02", "at_least: 2020-02-04"],
        ),
        "effective.until" => of(
            &["at_most: 2030-04-05", "at_least: 2030-04-05"],
            &["at_most: 2030-04-04", "at_least: 2030-04-06"],
        ),
        "disposed.date" => of(
            &["at_most: 2099-01-02", "at_least: 2099-01-02"],
            &["at_most: 2099-01-01", "at_least: 2099-01-03"],
        ),
        "disposed.evidence" => matches("matches: letter"),
        "purposes" | "terms.purposes" => of(
            &["under: [service]", "in: [service.account]", "includes: [service.account]"],
            &["under: [advertising]", "in: [service]", "includes: [service]"],
        ),
        "terms.prohibited_purposes" => of(&["in: [advertising]"], &["in: [service]"]),
        "terms.onward_transfer" => of(
            &["in: [processors]", "at_most: processors", "at_least: processors"],
            &["in: [permitted]", "at_most: prohibited", "at_least: affiliates"],
        ),
        "terms.onward_to" => matches("matches: group"),
        "terms.consent" | "consent" => of(
            &["in: [opt_out]", "at_most: opt_out", "at_least: opt_out"],
            &["in: [none]", "at_most: none", "at_least: opt_in"],
        ),
        "terms.safeguards" | "safeguards" => of(&["includes: [encryption_in_transit]"], &["includes: [mfa]"]),
        "terms.released_by" => of(&["in: [aggregated]"], &["in: [anonymised]"]),
        "terms.retention" | "retention" => {
            of(&["at_most: 30d", "at_least: 30d"], &["at_most: 29d", "at_least: 31d"])
        }
        "kind" => of(&["in: [processing]"], &["in: [sharing]"]),
        "provider" | "only_from" => matches("matches: full"),
        "id" if on == "flow" => matches("matches: bare/full"),
        "id" => matches("matches: full"),
        "status" => of(&["in: [active]"], &["in: [proposed]"]),
        "parties" => {
            of(&["includes: [full, bare]", "in: [full, bare]"], &["includes: [group]", "in: [full]"])
        }
        "legal_basis" => matches("matches: contract"),
        "assurances" => of(&["includes: [dpia]", "in: [dpia]"], &["includes: [x]", "in: [x]"]),
        "from" => matches("matches: full/full"),
        "to" => matches("matches: bare/bare"),
        "data" | "originates" => {
            of(&["in: [contact]", "under: [contact]"], &["in: [social]", "under: [social]"])
        }
        "transform" => of(&["in: [tokenised]"], &["in: [none]"]),
        "tags" => matches("matches: t"),
        "essential" => of(&["in: ['true']"], &["in: ['false']"]),
        "agreement" => matches("matches: bare"),
        "party" => matches("matches: full"),
        "region" | "jurisdiction" => matches("matches: GB"),
        "subjects" => of(&["at_most: 10", "at_least: 10"], &["at_most: 9", "at_least: 11"]),
        "name" => matches("matches: Full"),
        "role" => of(&["in: [bank]"], &["in: [other]"]),
        "affiliate_of" | "controller" => matches("matches: group"),
        "contact" => matches("matches: c@x"),
        "dpo" => matches("matches: d@x"),
        "representative" => matches("matches: r@x"),
        "systems" => matches("matches: full"),
        other => panic!("{on} {other}"),
    }
}

/// Fields that no declaration can be without: asking whether they are there is a mistake.
const ALWAYS: [&str; 7] = ["id", "parties", "from", "to", "data", "party", "name"];

#[test]
fn every_field_is_what_was_written() {
    let sorts = [
        ("agreement", Declaration::Agreement, "full", "bare"),
        ("flow", Declaration::Flow, "bare/full", "bare"),
        ("system", Declaration::System, "full/full", "bare/bare"),
        ("party", Declaration::Party, "full", "bare"),
    ];
    let mut rules = String::new();
    // What each rule is about and whether it must find the full declaration, the bare one.
    let mut wanted: BTreeMap<String, (String, &str, bool, &str, Option<bool>)> = BTreeMap::new();
    for (sort, on, full, bare) in sorts {
        for field in asked_of(on).map(|field| field.key).chain(["labels.k"]) {
            let mut rule = |operator: &str, finds_full: bool, finds_bare: Option<bool>| {
                let id = format!("r{}", wanted.len());
                rules += &format!(
                    "  - {{id: {id}, require: {{on: {sort}, must: {{{field}: {{{operator}}}}}}}}}\n"
                );
                let what = format!("{sort} {field} {operator}");
                wanted.insert(format!("p/{id}"), (what, full, finds_full, bare, finds_bare));
            };
            let always = ALWAYS.contains(&field);
            // The bare ones have these, too.
            let unwritten = !always && !matches!((sort, field), ("flow", "purposes") | ("party", "systems"));
            if !always {
                rule("present: true", false, unwritten.then_some(true));
            }
            rule("present: false", true, unwritten.then_some(false));
            let (holds, fails) = operators(sort, field);
            holds.iter().for_each(|operator| rule(operator, false, None));
            fails.iter().for_each(|operator| rule(operator, true, None));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), INVENTORY).unwrap();
    fs::write(folder.path().join("policy.yaml"), format!("policy: p\nrules:\n{rules}")).unwrap();
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let call = [
        "audit",
        "inventory.yaml",
        "--policy",
        "policy.yaml",
        "--day",
        "2026-01-01",
        "--as-of",
        "2026-01-01",
        "--format",
        "json",
    ];
    let output = command.current_dir(folder.path()).args(call).output().unwrap();
    assert!(output.status.code() != Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for finding in audit["findings"].as_array().unwrap() {
        let system = finding["sink"]["system"].as_str();
        let about = finding["subject"].as_str().or(finding["flow"].as_str()).or(system);
        let party = finding["sink"]["party"].as_str();
        let about = about.or(party).map(str::to_owned).unwrap_or_else(|| panic!("{finding}"));
        found.entry(finding["rule"].as_str().unwrap()).or_default().insert(about);
    }
    let nothing = BTreeSet::new();
    let mut wrong = Vec::new();
    for (id, (what, full, finds_full, bare, finds_bare)) in &wanted {
        let found = found.get(id.as_str()).unwrap_or(&nothing);
        if found.contains(*full) != *finds_full || finds_bare.is_some_and(|f| found.contains(*bare) != f) {
            wrong.push(format!("{what}: finds {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_end_of_a_time_is_enough() {
    let flow = |id: &str, effective: &str| {
        format!("  - {{id: {id}, from: a/s, to: a/t, data: [contact], effective: {effective}}}\n")
    };
    let inventory = "parties:\n  - {id: a, name: A, systems: [{id: s, originates: [contact]}, {id: t, purposes: [service]}]}\nflows:\n"
        .to_owned()
        + &flow("first", "{from: 2020-01-01}")
        + &flow("last", "{until: 2030-01-01}")
        + "  - {id: never, from: a/s, to: a/t, data: [contact]}\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), inventory).unwrap();
    let policy = "policy: p\nrules:\n  - {id: r, require: {on: flow, must: {effective: {present: true}}}}\n";
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let call =
        ["audit", "inventory.yaml", "--policy", "policy.yaml", "--day", "2026-01-01", "--format", "json"];
    let output = command.current_dir(folder.path()).args(call).output().unwrap();
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = audit["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == "p/r");
    let flows: Vec<&str> = findings.map(|f| f["subject"].as_str().unwrap()).collect();
    assert_eq!(flows, ["never"]);
}
