//! `ringfence upgrade` rewrites what needs no decision and nothing else, and lists the rest;
//! `ringfence baseline prune` drops what no longer exists.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

fn ringfence(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let run = command.current_dir(folder).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

const PARTIES: &str = "\
# Who takes part. Germany comes first.
parties:
  - id: bank            # the bank
    name: Germany Bank
    role: bank
    jurisdiction: Germany   # not the Republic
    labels: {region: Germany}
    systems:
      - {id: core, originates: [financial.account.balance], region: ['UK', eu-central-1, Norway], purposes: [service]}
  - {id: app, name: App, role: platform, jurisdiction: US, systems: [{id: ads, purposes: [advertising]}]}\r
agreements:
  - {id: deal, parties: [bank, app], flows: [{id: f, from: bank/core, to: app/ads, data: [financial.account.balance], retention: 1d}]}
";

const POLICY: &str = "\
policy: house
title: House
version: 1
rules:
  - {id: r, title: t, severity: high, forbid: {data: [financial], from: {jurisdiction: [EEA, Switzerland]}, to: {purpose: advertising}}}
";

const SETTINGS: &str = "inventory: declared\npolicies: [house.yaml]\nbaseline: known.json\n";

/// An inventory of 0.1.
fn before() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("declared")).unwrap();
    fs::write(at("declared/parties.yaml"), PARTIES).unwrap();
    fs::write(at("house.yaml"), POLICY).unwrap();
    fs::write(at("ringfence.yaml"), SETTINGS).unwrap();
    fs::write(at("known.json"), "{\"baseline\": 2, \"findings\": []}\n").unwrap();
    folder
}

const DAY: [&str; 2] = ["--day", "2026-11-30"];

#[test]
fn words_become_codes_and_every_other_byte_stays() {
    let folder = before();
    let folder = folder.path();
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(ringfence(folder, &["check"]).0, 2);
    let (code, out, err) = ringfence(folder, &["upgrade"]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out, @r"
    Would rewrite 5 values in 2 files:
      parties.yaml:6: Germany → DE
      parties.yaml:9: UK → GB
      parties.yaml:9: eu-central-1 → DE
      parties.yaml:9: Norway → NO
      house.yaml:5: Switzerland → CH
    `ringfence upgrade --write` writes it
    ");
    assert_eq!((read("declared/parties.yaml"), read("house.yaml")), (PARTIES.to_owned(), POLICY.to_owned()));
    let (code, out, _) = ringfence(folder, &["upgrade", "--write"]);
    assert!(code == 0 && out.starts_with("Rewrote 5 values in 2 files:\n"), "{out}");
    let wanted = PARTIES
        .replace("jurisdiction: Germany ", "jurisdiction: DE ")
        .replace("['UK', eu-central-1, Norway]", "['GB', DE, \"NO\"]");
    assert_eq!(read("declared/parties.yaml"), wanted);
    assert_eq!(read("house.yaml"), POLICY.replace("Switzerland", "CH"));
    assert_eq!(ringfence(folder, &["check"]).0, 0);
    let nothing = (0, "Nothing to upgrade in 2 files\n".to_owned(), String::new());
    assert_eq!(ringfence(folder, &["upgrade"]), nothing);
}

#[test]
fn what_needs_a_person_is_listed_with_its_place() {
    let folder = before();
    let folder = folder.path();
    let more = "\
parties: [{id: eu, name: EU, role: other, jurisdiction: EU, systems: [{id: s}]}]
agreements: [{id: gone, parties: [bank, eu], disposed: {date: 2020-01-01}, flows: []}]
waivers:
  - {rule: '*', reason: r, approved_by: a, expires: 2027-01-01}
  - {rule: 'house/*', reason: r, approved_by: a, expires: 9999-12-31}
";
    fs::write(folder.join("declared/more.yaml"), more).unwrap();
    fs::create_dir(folder.join("declared/deep")).unwrap();
    fs::write(folder.join("declared/deep/ringfence.yaml"), "fail_on: low\n").unwrap();
    let known =
        "{\"baseline\": 1, \"findings\": [{\"finding\": \"rf1:aaaaaaaaaaaaaaaa\", \"rule\": \"house/r\"}]}\n";
    fs::write(folder.join("known.json"), known).unwrap();
    let (code, out, err) = ringfence(folder, &[&["upgrade", "--write"][..], &DAY].concat());
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out, @r"
    Rewrote 5 values in 2 files:
      parties.yaml:6: Germany → DE
      parties.yaml:9: UK → GB
      parties.yaml:9: eu-central-1 → DE
      parties.yaml:9: Norway → NO
      house.yaml:5: Switzerland → CH
    6 places need a person:
      deep/ringfence.yaml:1:1: `deep/ringfence.yaml` lies below the inventory's folder, where no settings are looked for
        settings stand beside the inventory or above it, never further below: move them there, or name this file in `exclude`
      more.yaml:1:57: `EU` is not a place
        it stands for several countries: list those that are meant, like `DE` (Germany), `FR` (France), `IE` (Ireland), `NL` (Netherlands (Kingdom of the))
      more.yaml:2:57: a disposal needs the key `evidence`
        add `evidence: …`
      more.yaml:4:12: a waiver names the finding or the rule that it accepts findings of
        copy the finding's fingerprint, `rf1:…`, or its rule from the report
      more.yaml:5:59: a waiver runs for 1 year at most
        approve it again when it ends, or raise `waiver_max` in ringfence.yaml
      known.json: the baseline does not say how grave its findings were, what they arrived as or whose data they were about
        look at what `ringfence audit` reports, then write it again with `ringfence baseline write`
    ");
    assert_eq!(fs::read_to_string(folder.join("declared/more.yaml")).unwrap(), more);
}

#[test]
fn what_cannot_be_read_is_not_rewritten() {
    let folder = before();
    let folder = folder.path();
    fs::write(folder.join("declared/broken.yaml"), "parties: [\n").unwrap();
    let (code, out, err) = ringfence(folder, &["upgrade", "--write"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("broken.yaml"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("declared/parties.yaml")).unwrap(), PARTIES);
    assert_eq!(ringfence(folder, &["upgrade", "-"]).0, 2);
    assert_eq!(ringfence(folder, &["upgrade", "nowhere"]).0, 1);
}

#[test]
fn a_word_that_stands_for_something_else_too_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let shared = "parties:\n  - {id: a, name: &x Germany, role: bank, jurisdiction: *x}\n";
    fs::write(folder.join("a.yaml"), shared).unwrap();
    let (code, out, _) = ringfence(folder, &["upgrade", ".", "--write"]);
    assert_eq!((code, fs::read_to_string(folder.join("a.yaml")).unwrap().as_str()), (1, shared));
    assert!(out.starts_with("1 place needs a person:\n  a.yaml:2:"), "{out}");
}

#[test]
fn what_is_gone_is_taken_out_of_the_baseline() {
    let folder = before();
    let folder = folder.path();
    assert_eq!(ringfence(folder, &["upgrade", "--write"]).0, 0);
    let (code, _, err) = ringfence(folder, &[&["baseline", "write"][..], &DAY].concat());
    assert_eq!(code, 0, "{err}");
    let written = fs::read_to_string(folder.join("known.json")).unwrap();
    let prune = [&["baseline", "prune"][..], &DAY].concat();
    let (code, out, err) = ringfence(folder, &prune);
    assert_eq!((code, out.as_str()), (0, ""));
    assert!(err.starts_with("Dropped 0 of "), "{err}");
    assert_eq!(fs::read_to_string(folder.join("known.json")).unwrap(), written);
    // Where it gets is run for something else.
    let parties = fs::read_to_string(folder.join("declared/parties.yaml")).unwrap();
    let others = parties.replace("purposes: [advertising]", "purposes: [service]");
    fs::write(folder.join("declared/parties.yaml"), others).unwrap();
    let (code, _, err) = ringfence(folder, &prune);
    assert_eq!(code, 0, "{err}");
    let dropped = err.lines().filter(|line| line.contains(" house/r: bank/core, app/ads")).count();
    assert_eq!(dropped, 1, "{err}");
    let left = fs::read_to_string(folder.join("known.json")).unwrap();
    assert!(left.len() < written.len() && !left.contains("house/r"), "{left}");
    // What is no baseline is not touched.
    let (_, json, _) = ringfence(folder, &[&["audit", "--format", "json"][..], &DAY].concat());
    fs::write(folder.join("audit.json"), &json).unwrap();
    let (code, _, err) = ringfence(folder, &[&prune[..], &["--baseline", "audit.json"]].concat());
    assert!(code == 2 && err.contains("no baseline"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("audit.json")).unwrap(), json);
    let (code, _, err) = ringfence(folder, &[&prune[..], &["--baseline", "none.json"]].concat());
    assert!(code == 2 && err.contains("none.json"), "{err}");
}
