//! What is re-identified is judged as if nothing had transformed it, and a declaration that denies it is a claim.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A shop whose health data is anonymised on its way to a laboratory that matches identities.
fn world(derive: &str, taxonomy: &str) -> String {
    format!(
        "{taxonomy}
parties:
  - {{id: shop, name: Shop, role: merchant, jurisdiction: DE, systems: [{{id: crm, purposes: [service], originates: [special.health]}}]}}
  - id: lab
    name: Lab
    role: platform
    jurisdiction: US
    systems:
      - {{id: lake, purposes: [analytics.usage]}}
      - {{id: linkage, purposes: [advertising.audiences], derives: [{derive}]}}
agreements:
  - id: share
    parties: [shop, lab]
    terms: {{purposes: [analytics]}}
    flows: [{{id: f, from: shop/crm, to: lab/lake, data: [special.health], purposes: [analytics.usage], transform: anonymised, retention: 1d}}]
flows:
  - {{id: link, from: lab/lake, to: lab/linkage, data: [special.health], purposes: [advertising.audiences], retention: 1d}}
  - {{id: back, from: lab/linkage, to: lab/lake, data: [held], purposes: [advertising.audiences], retention: 1d}}
"
    )
}

const POLICY: &str = "
policy: house
rules:
  - id: no-health-in-ads
    severity: high
    forbid: {data: [special.health], to: {party: lab, purpose: advertising}, unless: {through: {transform: anonymised}}}
  - id: apart
    severity: high
    limit: {at: {party: lab}, together: [special.health], unless: {through: {transform: anonymised}}}
";

const MATCHES: &str = "{from: [special.health], into: derived.identity_match}";
const DENIES: &str = "{from: [special.health], into: derived.identity_match, reidentifies: false}";

fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    fs::write(folder.join("policy.yaml"), POLICY).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(args)
        .args(["--policy", "policy.yaml", "--day", "2026-06-01"])
        .current_dir(folder)
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn audit(inventory: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inv")).unwrap();
    fs::write(folder.path().join("inv/all.yaml"), inventory).unwrap();
    serde_json::from_str(&run(folder.path(), &["audit", "inv", "--format", "json"]).1).unwrap()
}

fn diff(base: &str, head: &str) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    for (side, text) in [("base", base), ("head", head)] {
        fs::create_dir(folder.path().join(side)).unwrap();
        fs::write(folder.path().join(side).join("all.yaml"), text).unwrap();
    }
    let (code, out) = run(folder.path(), &["diff", "base", "head", "--format", "json"]);
    (code, serde_json::from_str(&out).unwrap())
}

/// Rule, sink or flow, and where something is re-identified.
fn found(audit: &Value) -> Vec<String> {
    let line = |f: &Value| {
        let at = f["flow"].as_str().or(f["subject"].as_str()).or(f["sink"]["system"].as_str());
        let again = f["reidentified"].as_array().unwrap().iter();
        let again = again.map(|at| format!(" [{}: {} from {}]", at["system"], at["into"], at["from"]));
        format!(
            "{} {}{}",
            f["rule"].as_str().unwrap(),
            at.unwrap(),
            again.collect::<String>().replace('"', "")
        )
    };
    audit["findings"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn exemptions_and_releases_end_where_identities_are_matched() {
    let here = "[lab/linkage: derived.identity_match from special.health]";
    let audit = audit(&world(MATCHES, ""));
    assert_eq!(
        found(&audit),
        [
            format!("house/apart lab/lake {here}"),
            format!("house/apart lab/linkage {here}"),
            // It comes back to a system that is no advertising system by a flow for advertising.
            format!("house/no-health-in-ads lab/lake {here}"),
            format!("house/no-health-in-ads lab/linkage {here}"),
            format!("terms/purpose back {here}"),
        ]
    );
    let notices = audit["notices"].as_array().unwrap();
    assert_eq!(notices.iter().filter(|notice| notice["code"] == "data-reidentified").count(), 1);
}

#[test]
fn a_derivation_that_denies_it_is_relied_on() {
    let audit = audit(&world(DENIES, ""));
    assert_eq!(found(&audit), Vec::<String>::new());
    let relied = audit["relied_on"].as_array().unwrap();
    let denied: Vec<&Value> = relied.iter().filter(|r| r["rule"] == "derives/reidentifies").collect();
    assert_eq!(denied.len(), 1);
    assert_eq!((&denied[0]["system"], &denied[0]["flow"]), (&"lab/linkage".into(), &Value::Null));
    assert_eq!(denied[0]["claim"], "reidentifies: false");
    assert!(!audit["notices"].as_array().unwrap().iter().any(|notice| notice["code"] == "data-reidentified"));
}

#[test]
fn what_would_not_be_by_default_can_be_declared() {
    let segment = "{from: [special.health], into: derived.interest_segment";
    assert_eq!(found(&audit(&world(&format!("{segment}}}"), ""))), Vec::<String>::new());
    assert!(found(&audit(&world(&format!("{segment}, reidentifies: true}}"), ""))).len() > 2);
    let own = "taxonomy: {data: {derived.interest_segment: {identifying: true}}}";
    assert!(found(&audit(&world(&format!("{segment}}}"), own))).len() > 2);
}

#[test]
fn denying_it_is_gated_and_pardons() {
    let segment = "{from: [special.health], into: derived.own_segment}";
    let own = |more: &str| format!("taxonomy: {{data: {{derived.own_segment: {{title: Own{more}}}}}}}");
    let profile = "{from: [special.health], into: derived.spending_profile}";
    // What is derived otherwise, and said to be harmless in the same line.
    let (code, otherwise) = diff(&world(profile, ""), &world(DENIES, ""));
    assert!(code == 1 && !otherwise["pardoned"].as_array().unwrap().is_empty(), "{otherwise}");
    for (base, head) in [
        (world(MATCHES, ""), world(DENIES, "")),
        (world(segment, &own(", identifying: true")), world(segment, &own(""))),
    ] {
        let fixed = diff(&base, &head).1;
        assert!(!fixed["fixed_by_claim"].as_array().unwrap().is_empty(), "{fixed}");
        let claims = fixed["edits"].as_array().unwrap().iter().filter(|edit| edit["class"] == "assertion");
        assert!(claims.into_iter().any(|edit| edit["key"] == "derives"), "{fixed}");
        // The flow that brings the data to be matched comes with the claim.
        let without: String =
            base.lines().filter(|line| !line.contains("id: link,")).map(|line| format!("{line}\n")).collect();
        let (code, diff) = diff(&without, &head);
        assert!(code == 1 && !diff["pardoned"].as_array().unwrap().is_empty(), "{diff}");
    }
}

#[test]
fn a_promise_is_not_kept_by_a_transform_that_is_undone() {
    // Nobody declares where the laboratory's data starts.
    let promise = "statements:
  - {id: never, by: lab, said: {quote: never}, promise: {forbid: {data: [special.health], from: {party: shop}, to: {party: lab, purpose: advertising}, unless: {through: {transform: anonymised}}}}}
";
    let unsourced = |derive: &str| world(derive, promise).replace(", originates: [special.health]", "");
    let state = |inventory: &str| audit(inventory)["promises"][0]["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&unsourced(DENIES)), "kept");
    assert_eq!(state(&unsourced(MATCHES)), "undecided");
}
