//! Assurances that would have excepted a finding, were they not over: in the JSON, in text and in `explain`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};

/// A German bank and three hosts abroad: one listed a year and two months ago, one whose clauses ended, one
/// whose agreement did, and one that never had any.
const INVENTORY: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, jurisdiction: DE, systems: [{id: core, purposes: [service.account], originates: [identity.name], retention: 7y}]}
  - {id: us, name: Listed, role: processor, jurisdiction: US, labels: {dpf: eu}, systems: [{id: in, purposes: [service.operation], retention: 7y}]}
  - {id: in, name: Clauses, role: processor, jurisdiction: IN, systems: [{id: in, purposes: [service.operation], retention: 7y}]}
  - {id: ma, name: Ended, role: processor, jurisdiction: MA, systems: [{id: in, purposes: [service.operation], retention: 7y}]}
  - {id: cn, name: None, role: processor, jurisdiction: CN, systems: [{id: in, purposes: [service.operation], retention: 7y}]}
agreements:
  - {id: listed, kind: processing, parties: [bank, us], assurances: [processor_contract, {id: dpf_listed, date: 2025-10-01}], flows: [{id: f, from: bank/core, to: us/in, data: held}]}
  - {id: clauses, kind: processing, parties: [bank, in], assurances: [processor_contract, {id: scc, valid_until: 2026-01-31}], flows: [{id: f, from: bank/core, to: in/in, data: held}]}
  - {id: over, kind: processing, effective: {until: 2026-06-30}, parties: [bank, ma], assurances: [scc], flows: [{id: f, from: bank/core, to: ma/in, data: held}]}
  - {id: bare, kind: processing, parties: [bank, cn], assurances: [processor_contract], flows: [{id: f, from: bank/core, to: cn/in, data: held}]}
";

fn run(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let output = command.current_dir(folder).args(args).env("COLUMNS", "200").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

const CALL: [&str; 6] = ["audit", "inventory.yaml", "--policy", "gdpr", "--day", "2026-11-30"];

#[test]
fn a_finding_says_what_was_attested_and_has_expired() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), INVENTORY).unwrap();
    let json: Value =
        serde_json::from_str(&run(folder.path(), &[&CALL[..], &["--format", "json"]].concat())).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let transfers = findings.iter().filter(|f| f["rule"] == "gdpr/transfers-have-a-footing");
    let said: Vec<(&str, &Value)> =
        transfers.map(|f| (f["sink"]["party"].as_str().unwrap(), &f["lapsed"])).collect();
    let of = |party: &str| said.iter().find(|(sink, _)| *sink == party).unwrap().1.clone();
    // A year after 2025-10-01 by the calendar is the last day on which the listing counts.
    assert_eq!(
        of("us"),
        json!([{"agreement": "listed", "assurance": "dpf_listed", "expired": "2026-10-01"}])
    );
    assert_eq!(of("in"), json!([{"agreement": "clauses", "assurance": "scc", "expired": "2026-01-31"}]));
    assert_eq!(of("ma"), json!([{"agreement": "over", "assurance": "scc", "expired": "2026-06-30"}]));
    assert_eq!(of("cn"), json!([]));
    let words = "of clauses was attested, but expired on 2026-01-31";
    assert!(run(folder.path(), &[&CALL[..], &["--format", "markdown"]].concat()).contains(words));
    let of_clauses = findings.iter().find(|f| f["lapsed"][0]["agreement"] == "clauses").unwrap();
    let explained = run(
        folder.path(),
        &[
            "explain",
            of_clauses["fingerprint"].as_str().unwrap(),
            "inventory.yaml",
            "--policy",
            "gdpr",
            "--day",
            "2026-11-30",
        ],
    );
    assert!(explained.contains(words), "{explained}");
}

#[test]
fn what_still_holds_has_not_expired() {
    let folder = tempfile::tempdir().unwrap();
    let inventory =
        INVENTORY.replace("{id: scc, valid_until: 2026-01-31}", "{id: scc, valid_until: 2027-01-31}");
    fs::write(folder.path().join("inventory.yaml"), inventory).unwrap();
    let page = run(folder.path(), &[&CALL[..], &["--format", "markdown"]].concat());
    assert!(page.contains("of over was attested") && !page.contains("of clauses was attested"), "{page}");
}
