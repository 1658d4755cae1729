//! Versions of policies: pinned packs, files pinned by their digest, and rules that came later.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use ringfence::testing::packs::PACKS;
use serde_json::Value;

/// A bank's balances at an advertising system.
const INVENTORY: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, jurisdiction: US, systems: [{id: core, purposes: [service.account], originates: [financial.account.balance]}]}
  - {id: ads, name: Ads, role: platform, jurisdiction: US, systems: [{id: aud, purposes: [advertising.audiences], retention: 90d}]}
agreements:
  - {id: a, parties: [bank, ads], flows: [{id: f, from: bank/core, to: ads/aud, data: [financial.account.balance]}]}
";

const HOUSE: &str = "\
policy: house
version: 2.1.0
rules:
  - {id: old, severity: low, forbid: {data: [financial], to: {purpose: advertising}}}
  - {id: fresh, severity: critical, since: 2.1, forbid: {data: [financial], to: {purpose: advertising}}}
";

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let output = command.current_dir(folder).args(args).env_remove("COLUMNS").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), INVENTORY).unwrap();
    fs::write(folder.path().join("house.yaml"), HOUSE).unwrap();
    folder
}

/// The versions of the policies that an audit names, as its JSON has them.
fn judged_by(folder: &Path, policy: &str) -> String {
    let call = ["audit", "inventory.yaml", "--policy", policy, "--format", "json", "--fail-on", "never"];
    let (code, out, err) = run(folder, &call);
    assert_eq!((code, err.as_str()), (0, ""), "{policy}");
    let json: Value = serde_json::from_str(&out).unwrap();
    let id = policy.split('@').next().unwrap();
    let of_pack = json["policies"].as_array().unwrap().iter().find(|p| p["id"] == id).unwrap();
    of_pack["version"].as_str().unwrap().to_owned()
}

#[test]
fn a_pack_is_pinned_by_its_major_version() {
    let folder = place();
    for pack in PACKS {
        let carried = pack.carried();
        let newest = judged_by(folder.path(), pack.id);
        let (major, _) = newest.split_once('.').unwrap();
        assert_eq!(judged_by(folder.path(), &format!("{}@{major}", pack.id)), newest);
        assert_eq!(carried.len(), if major == "1" { 1 } else { 2 }, "{}", pack.id);
        if major == "2" {
            let earlier = judged_by(folder.path(), &format!("{}@1", pack.id));
            assert!(earlier.starts_with("1."), "{}: {earlier}", pack.id);
        }
    }
    fs::write(folder.path().join("ringfence.yaml"), "policies: [core@1]\n").unwrap();
    let (code, out, _) = run(folder.path(), &["audit", "inventory.yaml", "--format", "json"]);
    assert_eq!(code, 1);
    assert!(out.contains("policies-earlier/core-1.yaml"), "{out}");
}

#[test]
fn a_version_that_is_not_carried_is_an_error_that_names_those_that_are() {
    let folder = place();
    let (code, _, err) = run(folder.path(), &["audit", "inventory.yaml", "--policy", "core@7"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("`core@7` is no version of a pack")
            && err.contains("`core@2` (2.0.0) and `core@1` (1.0.0)"),
        "{err}"
    );
    let (code, _, err) = run(folder.path(), &["audit", "inventory.yaml", "--policy", "cores@1"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean the pack `core`?"), "{err}");
}

#[test]
fn a_file_is_pinned_by_its_digest() {
    let folder = place();
    let digest = blake3::hash(HOUSE.as_bytes()).to_string();
    let audit = |policy: &str| {
        run(folder.path(), &["audit", "inventory.yaml", "--policy", policy, "--fail-on", "never"])
    };
    assert_eq!(audit(&format!("house.yaml@blake3:{digest}")).0, 0);
    let (code, _, err) = audit("house.yaml@blake3:beef");
    assert_eq!(code, 2);
    assert!(
        err.contains("expected 64 hexadecimal digits") && err.contains(&format!("blake3:{digest}")),
        "{err}"
    );
    let (code, _, err) = audit(&format!("house.yaml@sha256:{digest}"));
    assert_eq!(code, 2);
    assert!(err.contains("BLAKE3"), "{err}");
    let (code, _, err) = audit(&format!(".@blake3:{digest}"));
    assert_eq!(code, 2);
    assert!(err.contains("cannot be pinned"), "{err}");
    fs::write(folder.path().join("ringfence.yaml"), format!("policies: ['house.yaml@blake3:{digest}']\n"))
        .unwrap();
    assert_eq!(run(folder.path(), &["audit", "inventory.yaml", "--fail-on", "never"]).0, 0);
    fs::write(folder.path().join("house.yaml"), HOUSE.replace("critical", "info")).unwrap();
    let (code, _, err) = run(folder.path(), &["audit", "inventory.yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("`house.yaml` is not the file that is pinned"), "{err}");
}

#[test]
fn a_rule_that_came_later_fails_only_where_that_is_asked_for() {
    let folder = place();
    let call = ["audit", "inventory.yaml", "--policy", "house.yaml", "--fail-on", "critical"];
    let (code, out, _) = run(folder.path(), &call);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("house/fresh") && out.contains("new rule"), "{out}");
    let asked = [&call[..], &["--fail-on-new-rules"]].concat();
    assert_eq!(run(folder.path(), &asked).0, 1);
    // With the next major version it is a rule like others.
    fs::write(folder.path().join("house.yaml"), HOUSE.replace("version: 2.1.0", "version: 3.0.0")).unwrap();
    assert_eq!(run(folder.path(), &call).0, 1);
}

#[test]
fn a_version_that_makes_no_sense_is_a_mistake() {
    let folder = place();
    let with = |from: &str, to: &str| {
        fs::write(folder.path().join("house.yaml"), HOUSE.replace(from, to)).unwrap();
        let (code, _, err) = run(folder.path(), &["audit", "inventory.yaml", "--policy", "house.yaml"]);
        assert_eq!(code, 2, "{err}");
        err
    };
    assert!(with("since: 2.1", "since: soon").contains("`soon` is not a version"));
    assert!(with("since: 2.1", "since: 2.2").contains("after the version of the policy"));
    assert!(with("version: 2.1.0", "version: spring").contains("state the policy's `version`"));
    assert!(with("version: 2.1.0", "version: 2.1.0\nstatus: new_rule").contains("not a status to be stated"));
}
