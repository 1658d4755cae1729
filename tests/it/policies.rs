//! `ringfence policies`, and what an audit without findings says of its policies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use ringfence::testing::packs::PACKS;

const POLICY: &str = r#"policy: house
title: House rules
version: 1.2.0
status: enjoined
as_of: 2026-11-22
about: Balances on their way to advertising, and whether retention is stated.
cannot_see: Whether anybody was asked. Whether a deletion happened.
rules:
  - id: no-ads
    title: Balances do not reach advertising
    severity: critical
    law: [GLBA-06]
    confidence: secondary
    cite: [12 CFR 1016.11(a)]
    sees: Every chain of declared flows from a bank to an advertising system.
    cannot_see: A use that nobody declared.
    forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}
  - id: retention
    require: {on: agreement, must: {terms.retention: {present: true}}}
"#;

const INVENTORY: &str = "parties:\n  - {id: a, name: A, systems: [{id: s, purposes: [service], originates: [device]}, {id: t, purposes: [service]}]}\nflows:\n  - {id: f, from: a/s, to: a/t, data: [device]}\n";

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let output = command.current_dir(folder).args(args).env_remove("COLUMNS").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn all_packs_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = run(folder.path(), &["policies"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for pack in PACKS {
        assert!(out.lines().any(|line| line.split(" · ").next() == Some(pack.id)), "{}: {out}", pack.id);
    }
    let (_, out, _) = run(folder.path(), &["policies", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let listed = json["policies"].as_array().unwrap();
    let ids: Vec<&str> = listed.iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert_eq!(ids, PACKS.iter().map(|p| p.id).collect::<Vec<_>>());
    assert_eq!(listed[0]["rules"][0]["kind"], "forbid");
}

#[test]
fn one_says_what_it_looks_at_and_cannot_see() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("house.yaml"), POLICY).unwrap();
    let (code, out, err) = run(folder.path(), &["policies", "house.yaml"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r##"
    house · House rules
      enjoined · version 1.2.0 · as of 2026-11-22 · 2 rules, one of which follows
      flows · findings are shown and do not fail an audit

      Looks at    Balances on their way to advertising, and whether retention is
                  stated.
      Cannot see  Whether anybody was asked. Whether a deletion happened.

      no-ads · Balances do not reach advertising
        critical · forbids, follows flows · GLBA-06 · read in secondary text
        cites       12 CFR 1016.11(a)
        looks at    Every chain of declared flows from a bank to an advertising
                    system.
        cannot see  A use that nobody declared.

      retention
        high · requires

    `ringfence explain POLICY/RULE` says what a rule means.
    Ringfence reports where declared flows lead. It does not decide whether that is
    lawful.
    "##);
    let (code, _, err) = run(folder.path(), &["policies", "coree"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean the pack `core`?"), "{err}");
}

#[test]
fn a_policy_without_findings_says_what_that_means() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("house.yaml"), POLICY).unwrap();
    fs::create_dir(folder.path().join("i")).unwrap();
    fs::write(folder.path().join("i/all.yaml"), INVENTORY).unwrap();
    let args = ["audit", "i", "--policy", "house.yaml", "--day", "2026-11-23"];
    let (code, out, err) = run(folder.path(), &[&args[..], &["--report", "html=a.html"]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    let (_, told) = out.split_once("\nPOLICIES WITHOUT").unwrap();
    insta::assert_snapshot!(told.split("\n\n").next().unwrap(), @r##"
    FINDINGS: what they check, and what no declaration can show
     house · House rules: 2 rules, one of which follows flows
       looks at    Balances on their way to advertising, and whether retention is
                   stated.
       cannot see  Whether anybody was asked. Whether a deletion happened.
    "##);
    let html = fs::read_to_string(folder.path().join("a.html")).unwrap();
    for words in ["Balances on their way to advertising", "Whether a deletion happened."] {
        assert!(html.contains(words), "{words}");
    }
    for report in [&out, &html] {
        assert!(!report.to_lowercase().contains("compliant"));
    }
    // What is broken is not without findings.
    let broken = POLICY.replace("on: agreement, must: {terms.retention", "on: system, must: {retention");
    fs::write(folder.path().join("house.yaml"), broken).unwrap();
    let (_, out, _) = run(folder.path(), &args);
    assert!(!out.contains("WITHOUT FINDINGS"), "{out}");
}
