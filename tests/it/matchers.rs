//! What matchers may say, and what of an exception that does not hold is told: what no other test
//! noticed when it was changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("ringfence").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What `check` says of a policy with one rule.
fn said(rule: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let policy = format!("policy: p\nrules:\n  - {{id: r, {rule}}}\n");
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    run(folder.path(), &["check", "--policy", "policy.yaml"]).2
}

#[test]
fn a_matcher_whose_keys_are_all_empty_says_nothing() {
    for matcher in ["{}", "{party: null}", "{party: []}", "{party: [], tag: null, not: []}"] {
        let said = said(&format!("forbid: {{data: [contact], to: {matcher}}}"));
        assert!(
            said.contains("error[empty-matcher]: a matcher of places that says nothing"),
            "{matcher}: {said}"
        );
    }
    for matcher in ["{party: a}", "{party: [a], tag: null}", "{not: {party: a}}"] {
        let said = said(&format!("forbid: {{data: [contact], to: {matcher}}}"));
        assert!(!said.contains("error"), "{matcher}: {said}");
    }
}

#[test]
fn a_flow_runs_under_none_or_under_an_agreement_like_this() {
    let rule = |agreement: &str| {
        said(&format!("forbid: {{data: [contact], unless: {{through: {{agreement: {agreement}}}}}}}"))
    };
    let wrong = rule("some");
    assert!(wrong.contains("error[wrong-type]: expected `none` or a matcher of agreements"), "{wrong}");
    for right in ["none", "{id: some}", "[none, {id: some}]"] {
        let said = rule(right);
        assert!(!said.contains("error"), "{right}: {said}");
    }
}

#[test]
fn the_relation_is_asked_for_where_data_arrives_and_nowhere_else() {
    let wrong = said("forbid: {data: [contact], from: {relation: affiliate}}");
    assert!(wrong.contains("`relation` is known in `to` of a `forbid` alone"), "{wrong}");
    let right = said("forbid: {data: [contact], to: {relation: affiliate}}");
    assert!(!right.contains("error"), "{right}");
}

const INVENTORY: &str = "\
parties:
  - {id: a, name: A, systems: [{id: s, purposes: [service], originates: [contact]}]}
  - {id: b, name: B, systems: [{id: t, purposes: [advertising]}]}
flows:
  - {id: f, from: a/s, to: b/t, data: [contact], safeguards: [encryption_in_transit]}
";

#[test]
fn of_an_exception_every_condition_that_fails_is_told_and_none_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), INVENTORY).unwrap();
    let told = |exception: &str| {
        let policy = format!(
            "policy: p\nrules:\n  - {{id: r, forbid: {{data: [contact], to: {{party: b}}, unless: {{through: {exception}}}}}}}\n"
        );
        fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        let named = ["inventory.yaml", "--policy", "policy.yaml", "--day", "2026-01-01"];
        let (_, out, _) = run(folder.path(), &[["audit", "--format", "json"].as_slice(), &named].concat());
        let audit: Value = serde_json::from_str(&out).unwrap();
        let finding = audit["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "p/r").unwrap();
        let fingerprint = finding["fingerprint"].as_str().unwrap();
        let (code, out, _) = run(folder.path(), &[["explain", fingerprint].as_slice(), &named].concat());
        assert_eq!(code, 0);
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let holds = "safeguards: [encryption_in_transit], crosses_parties: true, agreement: none";
    let none = told(&format!("{{{holds}, tag: x}}"));
    let fails = |said: &str| {
        let (_, fails) =
            said.split_once("does not hold: it would require that ").unwrap_or_else(|| panic!("{said}"));
        fails.matches("; and that ").count() + 1
    };
    assert_eq!(fails(&none), 1, "{none}");
    let both = told("{any: [{tag: first}, {transform: anonymised}]}");
    assert!(both.contains("first") && both.contains("anonymised"), "{both}");
    assert_eq!(fails(&told(&format!("{{{holds}, tag: x, any: [{{tag: y}}, {{consent: opt_in}}]}}"))), 2);
    let many = told(
        "{tag: x, consent: opt_in, purpose: service, data: [social], crosses_parties: false, any: {tag: y}, not: {crosses_parties: true}, to: {party: a}}",
    );
    assert_eq!(fails(&many), 8, "{many}");
}

/// The findings of an audit.
fn findings(inventory: &str, policy: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), inventory).unwrap();
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let call =
        ["audit", "inventory.yaml", "--policy", "policy.yaml", "--day", "2026-01-01", "--format", "json"];
    let (_, out, err) = run(folder.path(), &call);
    let audit: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    audit["findings"].as_array().unwrap().clone()
}

#[test]
fn a_requirement_says_what_was_expected() {
    let inventory = format!(
        "{INVENTORY}agreements:\n  - {{id: deal, parties: [a, b], assurances: [{{id: dpia, date: 2020-01-01}}]}}\n"
    );
    for (asked, expected) in [
        ("{id: dpia, at_most: 30d}", "it to include dpia (given at most 30 days ago)"),
        ("audit", "it to include audit"),
    ] {
        let policy = format!(
            "policy: p\nrules:\n  - {{id: r, require: {{on: agreement, must: {{assurances: {{includes: [{asked}]}}}}}}}}\n"
        );
        let all = findings(&inventory, &policy);
        let finding = all.iter().find(|f| f["rule"] == "p/r").unwrap();
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn data_without_a_start_is_placed_where_it_is_first_needed() {
    let inventory = "\
parties:
  - id: a
    name: A
    systems:
      - id: s
        purposes: [service]
        derives:
          - {from: [contact], into: derived.model}
          - {from: [device], into: derived.model}
      - {id: t, purposes: [service]}
flows:
  - {id: f, from: a/s, to: a/t, data: [derived.model]}
";
    let all = findings(inventory, "policy: p\nrules: []\n");
    let lines: Vec<(&str, u64)> = all
        .iter()
        .filter(|f| f["rule"] == "flow/unsourced")
        .map(|f| (f["subject"].as_str().unwrap(), f["location"]["line"].as_u64().unwrap()))
        .collect();
    assert!(lines.contains(&("contact", 8)) && lines.contains(&("device", 9)), "{lines:?}");
}

/// One flow has all that is asked, the other nothing of it; neither is transformed, neither has consent.
const ONE_OF_TWO: &str = "\
parties:
  - {id: a, name: A, systems: [{id: s, originates: [contact]}, {id: r, originates: [contact, social]}, {id: u, tags: [sink]}]}
  - {id: b, name: B, systems: [{id: t, tags: [sink]}]}
agreements:
  - id: deal
    parties: [a, b]
    flows:
      - {id: has, from: a/s, to: b/t, data: [contact], purposes: [service], safeguards: [encryption_in_transit], tags: [x], labels: {k: v}}
flows:
  - {id: has-not, from: a/r, to: a/u, data: [contact, social], purposes: [advertising], tags: [y]}
";

#[test]
fn an_exemption_is_decided_for_each_flow_by_all_that_it_asks() {
    for asked in [
        "safeguards: [encryption_in_transit]",
        "purpose: service",
        "tag: x",
        "label: {k: v}",
        "data: [contact]",
        "from: {system: a/s}",
        "to: {party: b}",
        "crosses_parties: true",
        "agreement: {id: deal}",
        "any: [{transform: anonymised}, {tag: x}]",
        "not: {tag: y}",
        "not: {not: {tag: x}}",
    ] {
        for exempt in ["through", "arriving"] {
            let policy = format!(
                "policy: p\nrules:\n  - {{id: r, forbid: {{data: [contact], to: {{tag: sink}}, unless: {{{exempt}: {{transform: none, {asked}}}}}}}}}\n"
            );
            let all = findings(ONE_OF_TWO, &policy);
            let broken: Vec<&str> = all
                .iter()
                .filter(|f| f["rule"] == "p/r")
                .map(|f| f["sink"]["system"].as_str().unwrap())
                .collect();
            assert_eq!(broken, ["a/u"], "{exempt}: {asked}: {all:#?}");
        }
    }
}

/// The notices of an audit of one flow by a policy with one rule.
fn noticed(rule: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let policy = format!("policy: p\nrules:\n  - {{id: r, {rule}}}\n");
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let inventory = "parties:
  - {id: acme, name: Acme, role: bank, systems: [{id: s, originates: [financial], purposes: [service]}]}
  - {id: beta, name: Beta, role: platform, systems: [{id: t, purposes: [service]}]}
agreements:
  - {id: a, parties: [acme, beta], flows: [{id: f, from: acme/s, to: beta/t, data: [financial]}]}
";
    fs::write(folder.path().join("inventory.yaml"), inventory).unwrap();
    let args = ["audit", ".", "--policy", "policy.yaml", "--format", "json"];
    let audit: Value = serde_json::from_str(&run(folder.path(), &args).1).unwrap();
    let notices = audit["notices"].as_array().unwrap().iter();
    let notices = notices.filter(|notice| notice["code"] == "exception-covers-rule");
    notices.map(|notice| notice["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_exception_that_every_chain_meets_is_told() {
    let covered = [
        "forbid: {data: [financial], to: {role: ad_network, region: US}, unless: {arriving: {to: {role: [ad_network, platform]}}}}",
        "forbid: {from: {system: acme/s}, unless: {through: {from: {system: \"acme/*\"}}}}",
        "forbid: {data: [financial], unless: {through: {crosses_parties: true}, arriving: {crosses_parties: false}}}",
        "forbid: {data: [financial], unless: {arriving: {consent: none}}}",
    ];
    insta::assert_snapshot!(covered.map(|rule| noticed(rule).concat()).join("\n"), @"
every chain of flows matches an exception of `p/r` (the last flow of every chain ends there): the rule can only find data at the system where it starts
every chain of flows matches an exception of `p/r` (the first flow of every chain starts there): the rule can only find data at the system where it starts
every chain of flows matches an exception of `p/r` (every flow is like one of these): the rule can only find data at the system where it starts
every chain of flows matches an exception of `p/r` (every flow is like this): the rule can only find data at the system where it starts
");
    let open = [
        "forbid: {data: [financial], unless: {arriving: {consent: opt_in}}}",
        // Of data that starts at acme for another, `from` looks at the other.
        "forbid: {from: {party: acme}, unless: {through: {from: {party: acme}}}}",
        "forbid: {from: {label: {fi: bank}}, unless: {through: {from: {label: {fi: bank}}}}}",
    ];
    assert!(open.iter().all(|rule| noticed(rule).is_empty()));
}
