//! What is known and what is accepted: baselines and waivers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use ringfence::finding::{FindingKind, FindingStatus};
use ringfence::testing::edit::{NewWaiver, quoted, with_waiver};
use ringfence::vocabulary::Severity;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_ringfence");

const PARTS: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service], originates: [financial.account]}]}
  - {id: app, name: App, systems: [{id: chat, purposes: [service], retention: 30d}, {id: ads, purposes: [advertising]}]}
agreements:
  - id: deal
    parties: [bank, app]
    terms: {purposes: [service], onward_transfer: prohibited}
    flows:
      - {id: balance, from: bank/core, to: app/chat, data: [financial.account.balance]}
flows:
  - {id: leak, from: app/chat, to: app/ads, data: [financial]}
";

fn ringfence(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(BINARY).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn audit(folder: &Path, args: &[&str]) -> (i32, Value) {
    let mut all = vec!["audit", ".", "--format", "json", "--day", "2026-11-23"];
    all.extend(args);
    let (code, out, err) = ringfence(folder, &all);
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}")))
}

fn inventory() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("all.yaml"), PARTS).unwrap();
    folder
}

fn statuses(json: &Value) -> Vec<&str> {
    json["findings"].as_array().unwrap().iter().map(|f| f["status"].as_str().unwrap()).collect()
}

fn write(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut all = vec!["baseline", "write", "--day", "2026-11-23"];
    all.extend(args);
    ringfence(folder, &all)
}

#[test]
fn what_nobody_accepted_is_shown_before_what_is_as_grave() {
    let folder = inventory();
    let folder = folder.path();
    let rule = |id: &str| {
        format!(
            "  - {{id: {id}, title: Rule {id}, severity: high, why: So., remedy: Cut it.,\n     \
             forbid: {{data: financial, to: {{purpose: advertising}}}}}}\n"
        )
    };
    fs::write(
        folder.join("own.yaml"),
        format!("policy: own\ntitle: Own\nversion: 1.0.0\nrules:\n{}{}", rule("a"), rule("b")),
    )
    .unwrap();
    let waiver =
        "waivers:\n  - {rule: own/a, reason: Known., approved_by: us@example.org, expires: 2099-01-01}\n";
    let shown = || {
        let args = ["audit", ".", "--policy", "own.yaml", "--day", "2026-11-23"];
        let (_, out, err) = ringfence(folder, &args);
        let at = |rule: &str| out.find(&format!("Rule {rule}")).unwrap_or_else(|| panic!("{out}{err}"));
        at("a") < at("b")
    };
    assert!(shown());
    fs::write(folder.join("waivers.yaml"), waiver).unwrap();
    assert!(!shown());
}

#[test]
fn what_is_recorded_does_not_fail_and_what_goes_beyond_does() {
    let folder = inventory();
    let folder = folder.path();
    let (code, before) = audit(folder, &[]);
    assert_eq!(code, 1);
    let (code, out, err) = write(folder, &[]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let number = statuses(&before).len();
    assert_eq!(err, format!("Recorded {number} findings in ringfence-baseline.json\n"));
    insta::assert_snapshot!(fs::read_to_string(folder.join("ringfence-baseline.json")).unwrap());
    let known = ["--baseline", "ringfence-baseline.json"];
    let (code, after) = audit(folder, &known);
    assert_eq!(code, 0);
    assert!(statuses(&after).iter().all(|s| *s == "baseline"));
    assert!(after["findings"].as_array().unwrap().iter().all(|f| f["grown"] == false));
    assert_eq!(after["summary"]["baseline"], number);
    // An audit's result serves as well.
    fs::write(folder.join("audit.json"), before.to_string()).unwrap();
    assert_eq!(audit(folder, &["--baseline", "audit.json"]), (0, after));

    // More data over the same flows: just those that concern it are grown.
    fs::write(
        folder.join("all.yaml"),
        PARTS.replace("data: [financial.account.balance]", "data: [financial.account]"),
    )
    .unwrap();
    let (code, grown) = audit(folder, &known);
    assert_eq!(code, 1);
    for finding in grown["findings"].as_array().unwrap() {
        let concerned = finding["kind"] == "forbid"
            || finding["kind"] == "statement"
            || finding["rule"] == "flow/undocumented";
        let known =
            before["findings"].as_array().unwrap().iter().any(|f| f["fingerprint"] == finding["fingerprint"]);
        if !known {
            assert_eq!((&finding["status"], &finding["grown"]), (&"new".into(), &false.into()), "{finding}");
        } else if finding["rule"].as_str().unwrap().starts_with("terms/") {
            assert_eq!(
                (&finding["status"], &finding["grown"]),
                (&"baseline".into(), &false.into()),
                "{finding}"
            );
        } else if concerned {
            assert_eq!((&finding["status"], &finding["grown"]), (&"new".into(), &true.into()), "{finding}");
            assert!(finding["beyond"].as_array().unwrap().iter().all(|d| d != "financial.account.balance"));
        }
    }
    let (_, text, _) =
        ringfence(folder, &["audit", ".", "--baseline", "ringfence-baseline.json", "--day", "2026-11-23"]);
    assert!(text.contains("grown: goes beyond what was accepted by financial.account"), "{text}");

    // What is gone is said, and writing again forgets it.
    fs::write(
        folder.join("all.yaml"),
        PARTS
            .replace("  - {id: leak, from: app/chat, to: app/ads, data: [financial]}\n", "")
            .replace("flows:\n  -", "flows:\n      -")
            .replace("\nflows:\n", "\n"),
    )
    .unwrap();
    let (code, fixed) = audit(folder, &known);
    assert_eq!(code, 0);
    let notices = fixed["notices"].as_array().unwrap();
    assert!(notices.iter().any(|n| n["code"] == "baseline-fixed"));
    assert_eq!(write(folder, &["--quiet"]), (0, String::new(), String::new()));
    let (_, again) = audit(folder, &known);
    assert!(again["notices"].as_array().unwrap().iter().all(|n| n["code"] != "baseline-fixed"));
}

#[test]
fn the_configuration_names_the_baseline_and_it_is_no_inventory() {
    let folder = inventory();
    let folder = folder.path();
    fs::write(folder.join("ringfence.yaml"), "baseline: known.yaml\n").unwrap();
    let (code, _, err) = ringfence(folder, &["audit"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("cannot read the baseline `known.yaml`")
            && err.contains("baseline write --output known.yaml"),
        "{err}"
    );
    assert_eq!(write(folder, &[]).0, 0);
    assert!(folder.join("known.yaml").exists());
    assert_eq!(audit(folder, &[]).0, 0);
    let (_, files, _) = ringfence(folder, &["files"]);
    assert!(files.contains("known.yaml      left out: the baseline"), "{files}");
    // Nothing else is written over.
    let (code, _, err) = write(folder, &["--output", "all.yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("is there and is no baseline"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("all.yaml")).unwrap(), PARTS);
    for (text, said) in [
        ("baseline: 2\nfindings: []\n", "this version of baselines is not known"),
        ("baseline: 1\nfindngs: []\n", "did you mean `findings`?"),
        ("baseline: 1\nfindings: [{data: [x]}]\n", "finding"),
        ("baseline: 1\n", "needs the key `findings`"),
        ("baseline: 1\nfindings: [{finding: rf1:12, rule: x}]\n", "this is not a fingerprint"),
        (
            "baseline: 1\nfindings:\n- {finding: rf1:aaaaaaaaaaaaaaaa, rule: x}\n- {finding: rf1:aaaaaaaaaaaaaaaa, rule: x}\n",
            "rf1:aaaaaaaaaaaaaaaa stands twice",
        ),
        ("baseline: 1\nfindings: []\n---\nbaseline: 1\nfindings: []\n", "a baseline is one document"),
        ("{\"ringfence\": {}}", "this is no audit's result"),
        (include_str!("../../fuzz/seeds/waivers/no-fingerprint.json"), "`rf1:12` is not a fingerprint"),
        ("", "is empty"),
        ("[", "known.yaml"),
    ] {
        fs::write(folder.join("known.yaml"), text).unwrap();
        let (code, out, err) = ringfence(folder, &["audit"]);
        assert_eq!((code, out.as_str()), (2, ""), "{text}");
        assert!(err.contains(said), "{text}: {err}");
    }
}

#[test]
fn a_waiver_is_written_and_holds_for_what_it_accepts() {
    let folder = inventory();
    let folder = folder.path();
    let (_, before) = audit(folder, &[]);
    let fingerprint = |at: usize| before["findings"][at]["fingerprint"].as_str().unwrap().to_owned();
    let waive = |fingerprint: &str, more: &[&str]| {
        let mut args = vec![
            "waive",
            fingerprint,
            "--reason",
            "Ends: \"soon\" # really",
            "--approved-by",
            "J. Doe",
            "--expires",
            "2027-01-31",
            "--day",
            "2026-11-23",
        ];
        args.extend(more);
        ringfence(folder, &args)
    };
    for (at, finding) in before["findings"].as_array().unwrap().iter().enumerate() {
        let digits = &fingerprint(at)[..12];
        let (code, out, err) = waive(digits, &["--ticket", "X-1"]);
        assert_eq!((code, out.as_str()), (0, ""), "{err}");
        assert!(err.starts_with(&format!("Accepted {}", fingerprint(at))), "{err}");
        let (_, after) = audit(folder, &[]);
        assert_eq!(after["findings"][at]["status"], "waived", "{finding}");
        assert_eq!(after["findings"][at]["waiver"]["reason"], "Ends: \"soon\" # really");
        assert_eq!(statuses(&after).iter().filter(|s| **s == "waived").count(), at + 1);
        // What has no data, a requirement say, cannot be accepted in part.
        let unlimited =
            after["notices"].as_array().unwrap().iter().filter(|n| n["code"] == "waiver-unlimited");
        let whole =
            before["findings"].as_array().unwrap().iter().take(at + 1).filter(|f| f["kind"] == "require");
        assert_eq!(unlimited.count(), whole.count());
    }
    assert_eq!(audit(folder, &[]).0, 0);
    insta::assert_snapshot!(fs::read_to_string(folder.join("waivers.yaml")).unwrap());
    let before = fs::read_to_string(folder.join("waivers.yaml")).unwrap();
    let refused = |fingerprint: &str, more: &[&str], said: &str| {
        let (code, out, err) = waive(fingerprint, more);
        assert_eq!((code, out.as_str()), (2, ""), "{fingerprint} {more:?}");
        assert!(err.contains(said), "{err}");
        assert_eq!(fs::read_to_string(folder.join("waivers.yaml")).unwrap(), before);
    };
    refused(&fingerprint(0), &[], "is accepted already, until 2027-01-31 (waivers.yaml:");
    refused("rf1:0000000000000000", &[], "`ringfence audit` lists all findings");
    refused("rf1:12", &[], "is not a fingerprint");
    let lost = ["--file", "elsewhere/x.yaml"];
    fs::write(folder.join("all.yaml"), PARTS.replace("id: leak", "id: leak2")).unwrap();
    let (_, other) = audit(folder, &[]);
    let new = other["findings"].as_array().unwrap().iter().find(|f| f["status"] == "new").unwrap();
    let new = new["fingerprint"].as_str().unwrap().to_owned();
    refused(&new, &lost, "cannot write `elsewhere/x.yaml`");
    refused(&new, &["--expires", "2026-11-22"], "cannot be used multiple times");
    let args = ["waive", &new, "--reason", " ", "--approved-by", "x", "--expires", "2027-01-01"];
    assert!(ringfence(folder, &args).2.contains("a waiver says why it exists and who approved it"));
    let args = [
        "waive",
        &new,
        "--reason",
        "x",
        "--approved-by",
        "x",
        "--expires",
        "2026-11-22",
        "--day",
        "2026-11-23",
    ];
    assert!(ringfence(folder, &args).2.contains("has already expired on 2026-11-23"));
    let args = ["waive", &new, "-", "--reason", "x", "--approved-by", "x", "--expires", "2027-01-01"];
    assert!(ringfence(folder, &args).2.contains("not `-`"));
}

#[test]
fn nothing_but_a_baseline_is_replaced_and_none_by_nothing() {
    let folder = inventory();
    let folder = folder.path();
    assert_eq!(write(folder, &[]).0, 0);
    let known = fs::read_to_string(folder.join("ringfence-baseline.json")).unwrap();
    // From a folder that holds nothing, say.
    fs::create_dir(folder.join("empty")).unwrap();
    let (code, _, err) = write(folder, &["empty", "--output", "ringfence-baseline.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("there is nothing to audit"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("ringfence-baseline.json")).unwrap(), known);
    let allowed = ["empty", "--allow-empty", "--output", "empty.json"];
    assert_eq!(write(folder, &allowed).0, 0);
    // An audit's result can be read as a baseline, and is none.
    let (_, audit) = audit(folder, &[]);
    fs::write(folder.join("audit.json"), audit.to_string()).unwrap();
    let (code, _, err) = write(folder, &["--output", "audit.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("`audit.json` is there and is no baseline"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("audit.json")).unwrap(), audit.to_string());
    let mut later = audit;
    later["ringfence"]["schema"] = 9.into();
    fs::write(folder.join("later.json"), later.to_string()).unwrap();
    let (code, _, err) = ringfence(folder, &["audit", "--baseline", "later.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("results of version 9 are not known"), "{err}");
}

#[test]
fn no_command_reads_the_baseline_as_inventory() {
    let folder = inventory();
    let folder = folder.path();
    fs::write(folder.join("ringfence.yaml"), "baseline: known.yaml\n").unwrap();
    assert_eq!(write(folder, &[]).0, 0);
    for args in [
        &["audit", "all.yaml", "known.yaml"][..],
        &["check"],
        &["check", "all.yaml", "known.yaml"],
        &["explain", "terms/onward", "."],
        &["graph"],
        &["taxonomy", "."],
        &["diff", ".", "."],
    ] {
        let (code, _, err) = ringfence(folder, args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    }
    // A change cannot hide what it declares by calling it a baseline.
    let changed = inventory();
    let changed = changed.path();
    fs::write(changed.join("ringfence.yaml"), "baseline: more.yaml\n").unwrap();
    let more = "flows:\n  - {id: more, from: app/chat, to: app/ads, data: [financial]}\n";
    fs::write(changed.join("more.yaml"), more).unwrap();
    let head = changed.to_str().unwrap();
    let (code, out, err) = ringfence(folder, &["diff", ".", head, "--format", "json"]);
    assert!(out.contains("\"more\""), "{code}: {out}{err}");
    let hidden = format!("baseline: 1\nfindings: []\n---\n{more}");
    fs::write(changed.join("more.yaml"), hidden).unwrap();
    let (code, out, err) = ringfence(folder, &["diff", ".", head, "--format", "json"]);
    assert!(code == 2 && err.contains("unknown key `baseline`"), "{code}: {out}{err}");
}

/// `waive` on the first finding, with a file that the waiver is to go to.
fn waive_into(folder: &Path, inventory: &str, file: Option<&str>) -> (i32, String, String) {
    let (_, out, err) = ringfence(folder, &["audit", inventory, "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}"));
    let finding = json["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    let mut args = vec!["waive", &finding, inventory, "--reason", "r", "--approved-by", "b"];
    args.extend(["--expires", "2099-01-01"]);
    args.extend(file.iter().flat_map(|file| ["--file", file]));
    ringfence(folder, &args)
}

#[test]
fn a_waiver_that_would_not_be_read_is_not_written() {
    let unread = "is no part of the inventory (`ringfence files` says what is); nothing was written";
    for (settings, there, text, file, said) in [
        ("fail_on: high\n", "", "", Some("in/ringfence.yaml"), unread),
        (
            "",
            "in/house.yaml",
            "policy: house\nrules: []\n",
            Some("in/house.yaml"),
            "would be a mistake (unknown key `waivers` in a policy)",
        ),
        ("exclude: [waivers.yaml]\n", "", "", None, unread),
        ("exclude: ['old/*']\n", "in/old/w.yaml", "waivers: []\n", Some("in/old/w.yaml"), unread),
        ("", "in/.hidden/w.yaml", "waivers: []\n", Some("in/.hidden/w.yaml"), unread),
        ("", "out.yaml", "waivers: []\n", Some("out.yaml"), unread),
        ("", "in/notes.txt", "waivers: []\n", Some("in/notes.txt"), unread),
        ("policies: in/house.yaml\n", "in/house.yaml", "policy: house\nrules: []\n", None, ""),
        ("", "", "", Some("in/no/such/w.yaml"), "cannot write `in/no/such/w.yaml`"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("in/old")).unwrap();
        fs::create_dir_all(at("in/.hidden")).unwrap();
        fs::write(at("in/all.yaml"), PARTS).unwrap();
        if !settings.is_empty() {
            fs::write(at("in/ringfence.yaml"), settings.replace("in/", "")).unwrap();
        }
        if !there.is_empty() {
            fs::write(at(there), text).unwrap();
        }
        let (code, out, err) = waive_into(folder.path(), "in", file);
        if said.is_empty() {
            // A policy is judged by, and is not where waivers go.
            assert_eq!(code, 0, "{err}");
            assert_eq!(fs::read_to_string(at(there)).unwrap(), text);
            continue;
        }
        assert_eq!((code, out.as_str()), (2, ""), "{file:?}");
        assert!(err.contains(said), "{file:?}: {err}");
        let now = |name: &str| fs::read_to_string(at(name)).ok();
        assert_eq!(now("in/ringfence.yaml").unwrap_or_default(), settings.replace("in/", ""));
        assert_eq!(now("in/waivers.yaml"), None);
        if !there.is_empty() {
            assert_eq!(now(there).unwrap(), text);
        }
    }
}

#[cfg(unix)]
#[test]
fn no_waiver_is_written_through_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = inventory();
    let folder = folder.path();
    fs::create_dir(folder.join("in")).unwrap();
    fs::rename(folder.join("all.yaml"), folder.join("in/all.yaml")).unwrap();
    fs::write(folder.join("out.yaml"), "waivers: []\n").unwrap();
    symlink("../out.yaml", folder.join("in/out.yaml")).unwrap();
    let args =
        ["waive", "rf1:01234567", "in", "--reason", "r", "--approved-by", "b", "--expires", "2099-01-01"];
    let (code, _, err) = ringfence(folder, &args);
    assert!(code == 2 && err.contains("`out.yaml` is a link that leads out of the inventory"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("out.yaml")).unwrap(), "waivers: []\n");
    fs::remove_file(folder.join("in/out.yaml")).unwrap();
    fs::write(folder.join("in/w.yaml"), "waivers: []\n").unwrap();
    fs::set_permissions(folder.join("in/w.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("w.yaml", folder.join("in/link.yaml")).unwrap();
    let (code, _, err) = waive_into(folder, "in", Some("in/link.yaml"));
    assert!(code == 2 && err.contains("`in/link.yaml` is a link to"), "{err}");
    assert_eq!(fs::read_to_string(folder.join("in/w.yaml")).unwrap(), "waivers: []\n");
    let (code, _, err) = waive_into(folder, "in", Some("in/w.yaml"));
    assert_eq!(code, 0, "{err}");
    assert!(fs::symlink_metadata(folder.join("in/link.yaml")).unwrap().is_symlink());
    assert!(fs::read_to_string(folder.join("in/w.yaml")).unwrap().contains("2099-01-01"));
    let mode = fs::metadata(folder.join("in/w.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn one_file_holds_its_own_waivers_whatever_it_is_called() {
    for name in ["all.YAML", "all.yml", "all.txt"] {
        let folder = inventory();
        fs::rename(folder.path().join("all.yaml"), folder.path().join(name)).unwrap();
        let (code, _, err) = waive_into(folder.path(), name, None);
        assert_eq!(code, 0, "{name}: {err}");
        assert!(fs::read_to_string(folder.path().join(name)).unwrap().starts_with(PARTS), "{name}");
    }
}

#[test]
fn a_waiver_changes_nothing_but_its_finding() {
    let folder = inventory();
    let folder = folder.path();
    let (_, mut before) = audit(folder, &[]);
    let (code, _, err) = waive_into(folder, ".", None);
    assert_eq!(code, 0, "{err}");
    let (_, mut after) = audit(folder, &[]);
    assert_eq!(after["findings"][0]["status"], "waived");
    assert_eq!((&after["summary"]["waived"], &before["summary"]["waived"]), (&1.into(), &0.into()));
    for json in [&mut before, &mut after] {
        for key in ["status", "waiver"] {
            json["findings"][0][key] = Value::Null;
        }
        json["summary"] = Value::Null;
        json["inventory"]["digest"] = Value::Null;
    }
    assert_eq!(before.to_string(), after.to_string());
}

fn new_waiver(reason: &str, text: &str) -> Option<String> {
    let finding = crate::common::finding("core/x", FindingKind::Forbid, Severity::High, 1);
    assert_eq!(finding.status, FindingStatus::New);
    let waiver = NewWaiver {
        finding: &finding,
        reason,
        approved_by: "a",
        expires: "2027-01-01".to_owned(),
        ticket: None,
    };
    with_waiver(text, &waiver, &ringfence::Limits::USUAL)
}

#[test]
fn a_file_keeps_all_that_it_holds() {
    let one = "finding: 'rf1:aaaaaaaaaaaaaaaa', reason: r, approved_by: b, expires: 2027-01-01";
    let block =
        "finding: rf1:aaaaaaaaaaaaaaaa # this\n    reason: r\n    approved_by: b\n    expires: 2027-01-01\n";
    let files = [
        String::new(),
        "# nothing yet".to_owned(),
        "parties: []\n".to_owned(),
        "parties: []".to_owned(),
        "waivers:\n".to_owned(),
        "waivers:".to_owned(),
        "waivers: # none\nparties: []\n".to_owned(),
        "waivers: []\nparties: []\n".to_owned(),
        "waivers: [] # none\n".to_owned(),
        format!("waivers:\n  - {block}"),
        format!("waivers:\n  - {block}\n# after\nparties: []\n"),
        format!("waivers:\n  - {}", block.trim_end()),
        format!("waivers:\n- {}parties: []\n", block.replace("\n    ", "\n  ")),
        format!("waivers:\n  -\n    {block}  # the end\nflows: []\n"),
        format!("waivers: [{{{one}}}]\nparties: []\n"),
        format!("waivers: [\n  {{{one}}},\n]\n"),
        format!("waivers:\n  - {{{one}}}\n"),
        format!("---\nparties: []\n---\nwaivers:\n  - {block}---\nflows: []\n"),
        format!("waivers:\n  - {block}").replace('\n', "\r\n"),
        "waivers:\n  - finding: rf1:aaaaaaaaaaaaaaaa\n    approved_by: b\n    expires: 2027-01-01\n    reason: |\n      several\n      lines\nparties: []\n".to_owned(),
        "waivers:\n  - finding: rf1:aaaaaaaaaaaaaaaa\n    approved_by: b\n    expires: 2027-01-01\n    reason: |\n      several\n      lines\n".to_owned(),
    ];
    for text in &files {
        let Some(new) = new_waiver("why", text) else {
            panic!("cannot add to {text:?}");
        };
        // Every line that was there is there, in its order.
        let mut rest = new.lines();
        for line in text.lines() {
            let line = line.replace("[]", "");
            let words: Vec<&str> = line.split_whitespace().map(|w| w.trim_end_matches([']', ','])).collect();
            assert!(
                rest.any(|l| words.iter().all(|w| l.contains(w))),
                "{line:?} of {text:?} is not in {new:?}"
            );
        }
        if text.contains("\r\n") {
            assert!(new.lines().count() == new.matches("\r\n").count(), "{new:?}");
        }
        let again = new_waiver("again", &new);
        assert!(again.is_some_and(|t| t.contains("\"again\"")), "{new:?}");
    }
    insta::assert_snapshot!(new_waiver("why", &files[10]).unwrap());
    for text in ["waivers: {a: b}\n", "waivers: null\n", "waivers: &a [*a]\n", "[", "waivers: x\n"] {
        assert_eq!(new_waiver("why", text), None, "{text:?}");
    }
}

/// A file with waivers as somebody may have written it.
fn written(
    (indent, inner, crlf, bare): (usize, usize, bool, bool),
    items: &[u8],
    (before, after, flow): (bool, u8, bool),
) -> String {
    let lead = " ".repeat(indent);
    let deep = " ".repeat(indent + inner + 1);
    let mut text = String::new();
    if before {
        text += "# about this file - all of it\nparties: []\n\n";
    }
    let one =
        |n: usize| format!("finding: rf1:{n:016x}, reason: 'a, b', approved_by: c, expires: 2027-01-01");
    if flow {
        let all: Vec<String> = (0..items.len()).map(|n| format!("{{{}}}", one(n))).collect();
        text += &format!("waivers: [{}] # list\n", all.join(", "));
    } else {
        text += if items.is_empty() { "waivers: # none yet\n" } else { "waivers:\n" };
    }
    for (n, kind) in items.iter().enumerate().filter(|_| !flow) {
        let dash = format!("{lead}-{}", " ".repeat(inner));
        text += &match kind % 5 {
            0 => format!("{dash}{{{}}}\n", one(n)),
            1 => format!(
                "{lead}- # one - of them\n{deep}{}\n",
                one(n)
                    .replace(", a", &format!("\n{deep}a"))
                    .replace(", r", &format!("\n{deep}r"))
                    .replace(", e", &format!("\n{deep}e"))
            ),
            2 => format!(
                "{dash}finding: rf1:{n:016x}\n{deep}approved_by: c\n{deep}expires: 2027-01-01 # soon\n{deep}reason: >-\n{deep}  - folded\n\n{deep}  text\n"
            ),
            3 => format!(
                "{dash}finding: rf1:{n:016x}\n{deep}approved_by: \"c\n{deep}  d\"\n{deep}reason: e\n{deep}expires: 2027-01-01\n{deep}# below it\n"
            ),
            _ => format!(
                "{lead}# above it\n{dash}expires: 2027-01-01\n{deep}finding: rf1:{n:016x}\n{deep}approved_by: c\n{deep}reason: |\n{deep}  kept\n"
            ),
        };
    }
    text += match after % 5 {
        0 => "",
        1 => "# the end\n",
        2 => "\n\nflows: []\n",
        3 => "---\nflows: []\n",
        _ => "...\n",
    };
    if bare {
        text.truncate(text.trim_end().len());
    }
    if crlf { text.replace('\n', "\r\n") } else { text }
}

fn fingerprints(text: &str) -> Vec<String> {
    use serde::Deserialize;
    let documents = serde_yaml::Deserializer::from_str(text);
    let documents = documents.map(|d| serde_yaml::Value::deserialize(d).unwrap());
    let lists = documents.filter_map(|d| d.get("waivers").and_then(|w| w.as_sequence().cloned()));
    lists.flatten().map(|w| w["finding"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_quoted_text_reads_back_the_same(text in any::<String>()) {
        let yaml = format!("k: {}\n", quoted(&text));
        let mut mistakes = Vec::new();
        let nodes = ringfence::testing::yaml::parse(
            ringfence::source::FileId(0), &yaml, &ringfence::Limits::default(), &mut mistakes,
        );
        prop_assert!(mistakes.is_empty(), "{:?}", yaml);
        let ringfence::testing::yaml::Value::Map(entries) = &nodes[0].value else { panic!("no map") };
        let ringfence::testing::yaml::Value::Scalar(scalar) = &entries[0].value.value else { panic!("no text") };
        prop_assert_eq!(&scalar.text, &text);
    }

    #[test]
    fn every_byte_of_a_file_stays(
        shape in (0..4usize, 1..4usize, any::<bool>(), any::<bool>()),
        items in prop::collection::vec(any::<u8>(), 0..4),
        rest in (any::<bool>(), any::<u8>(), any::<bool>()),
        reason in any::<String>(),
    ) {
        let text = written(shape, &items, rest);
        let old = if items.is_empty() { Vec::new() } else { fingerprints(&text) };
        prop_assert_eq!(old.len(), items.len(), "{}", &text);
        let new = new_waiver(&reason, &text);
        prop_assert!(new.is_some(), "cannot add to {text:?}");
        let new = new.unwrap();
        let now = fingerprints(&new);
        prop_assert_eq!(&now[..old.len()], &old[..], "{}", &new);
        prop_assert_eq!(now.len(), old.len() + 1);
        // Of an empty list its brackets go.
        let kept = if rest.2 && items.is_empty() { text.replacen("waivers: []", "waivers:", 1) } else { text.clone() };
        let head = kept.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
        let tail = kept.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count();
        prop_assert!(head + tail >= kept.len(), "{text:?} became {new:?}");
    }
}
