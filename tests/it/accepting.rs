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
        "waivers:\n  - {rule: own/a, reason: Known., approved_by: us@example.org, expires: 2027-11-23}\n";
    let shown = || {
        let args = ["audit", ".", "--policy", "own.yaml", "--day", "2026-11-23", "--by", "rule"];
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
    assert!(err.starts_with(&format!("Recorded {number} findings in ringfence-baseline.json: ")), "{err}");
    insta::assert_snapshot!(fs::read_to_string(folder.join("ringfence-baseline.json")).unwrap());
    let known = ["--baseline", "ringfence-baseline.json"];
    let (code, after) = audit(folder, &known);
    assert_eq!(code, 0);
    assert!(statuses(&after).iter().all(|s| *s == "baseline"));
    assert!(after["findings"].as_array().unwrap().iter().all(|f| f["grown"] == false));
    assert_eq!(after["summary"]["baseline"], number);
    // An audit's result serves as well. It does not say whose data each finding is about, so that nothing
    // is compared with that.
    fs::write(folder.join("audit.json"), before.to_string()).unwrap();
    let (code, by_result) = audit(folder, &["--baseline", "audit.json"]);
    assert_eq!((code, statuses(&by_result)), (0, statuses(&after)));

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
        } else if concerned || finding["rule"].as_str().unwrap().starts_with("terms/") {
            assert_eq!((&finding["status"], &finding["grown"]), (&"new".into(), &true.into()), "{finding}");
            let beyond = finding["beyond"].as_array().unwrap();
            assert!(beyond.iter().all(|growth| growth["than"] == "baseline"), "{finding}");
            let data = beyond.iter().find(|growth| growth["of"] == "data").unwrap();
            assert!(data["more"].as_array().unwrap().iter().all(|d| d != "financial.account.balance"));
        }
    }
    let (_, text, _) =
        ringfence(folder, &["audit", ".", "--baseline", "ringfence-baseline.json", "--day", "2026-11-23"]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("grown: more than the baseline accepts: data financial.account"), "{text}");

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
        ("baseline: 3\nfindings: []\n", "this version of baselines is not known"),
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
        assert!(after["notices"].as_array().unwrap().iter().all(|n| n["code"] != "waiver-unlimited"));
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
    let day = ["--day", "2026-11-23"];
    let (_, out, err) = ringfence(folder, &[&["audit", inventory, "--format", "json"][..], &day].concat());
    let json: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}"));
    let finding = json["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    let mut args = vec!["waive", &finding, inventory, "--reason", "r", "--approved-by", "b"];
    args.extend(["--expires", "2027-11-23"]);
    args.extend(day);
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
        ["waive", "rf1:01234567", "in", "--reason", "r", "--approved-by", "b", "--expires", "2027-11-23"];
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
    assert!(fs::read_to_string(folder.join("in/w.yaml")).unwrap().contains("2027-11-23"));
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
        for cause in json["causes"].as_array_mut().unwrap() {
            cause["new"] = Value::Null;
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
        approved_on: "2026-01-01".parse().unwrap(),
        expires: "2027-01-01".parse().unwrap(),
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

/// What an audit says of the findings of a rule: status, grown, and of what each goes beyond.
fn standing(json: &Value, rule: &str) -> Vec<(String, bool, Vec<String>)> {
    let of = json["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == rule);
    let beyond = |f: &Value| -> Vec<String> {
        let more = |growth: &Value| {
            let names = growth["more"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let names: Vec<&str> = names.collect();
            format!(
                "{} {} {}",
                growth["than"].as_str().unwrap(),
                growth["of"].as_str().unwrap(),
                names.join(",")
            )
        };
        f["beyond"].as_array().unwrap().iter().map(more).collect()
    };
    of.map(|f| (f["status"].as_str().unwrap().to_owned(), f["grown"] == true, beyond(f))).collect()
}

/// A folder with `before`, recorded as a baseline, and `after`, audited with it.
fn recorded(before: &str, after: &str, policy: &str) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("policy.yaml"), policy).unwrap();
    for (name, text) in [("before", before), ("after", after)] {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("all.yaml"), text).unwrap();
    }
    let day = ["--policy", "policy.yaml", "--day", "2026-06-01"];
    let write = [&["baseline", "write", "before", "--output", "known.json"][..], &day].concat();
    assert_eq!(ringfence(folder, &write).0, 0);
    let audit = [&["audit", "after", "--baseline", "known.json", "--format", "json"][..], &day].concat();
    let (code, out, err) = ringfence(folder, &audit);
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}")))
}

const NO_ADS: &str = "policy: pol\ntitle: P\nversion: 1\nrules:\n  - {id: noads, title: t, severity: critical, \
                      forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}\n";

#[test]
fn what_arrived_as_a_profile_and_now_as_itself_is_grown() {
    let world = |carried: &str| {
        format!(
            "parties:\n  - {{id: b, name: B, role: bank, systems: [{{id: s, originates: [financial.account.balance], purposes: [service]}}]}}\n  \
             - {{id: p, name: P, role: platform, systems: [{{id: s, purposes: [service], derives: [{{from: [financial], into: derived.spending_profile}}]}}, {{id: ads, purposes: [advertising]}}]}}\n\
             agreements:\n  - {{id: a, parties: [b, p], terms: {{purposes: [service]}}, flows: [{{id: f, from: b/s, to: p/s, data: [financial.account.balance], retention: 1d}}]}}\n\
             flows:\n  - {{id: x, from: p/s, to: p/ads, data: [{carried}], retention: 1d}}\n"
        )
    };
    let (code, json) = recorded(&world("derived.spending_profile"), &world("financial"), NO_ADS);
    let arrives = vec!["baseline arrives_as financial.account.balance".to_owned()];
    assert_eq!((code, standing(&json, "pol/noads")), (1, vec![("new".to_owned(), true, arrives.clone())]));
    // So it is under terms.
    assert_eq!(standing(&json, "terms/purpose"), [("new".to_owned(), true, arrives)]);
    let (code, json) = recorded(&world("financial"), &world("derived.spending_profile"), NO_ADS);
    assert_eq!((code, json["summary"]["baseline"].as_u64()), (1, Some(0)), "{json}");
}

#[test]
fn an_assumed_origin_that_was_medium_and_is_high_is_grown() {
    let world = |more: &str| {
        format!(
            "parties:\n  - {{id: p, name: P, role: platform, systems: [{{id: s, purposes: [service]}}, {{id: t, purposes: [service]}}, {{id: ads, purposes: [advertising]}}]}}\n\
             flows:\n  - {{id: x, from: p/s, to: p/t, data: [financial.account.balance], retention: 1d}}\n{more}"
        )
    };
    let leak = "  - {id: y, from: p/t, to: p/ads, data: [financial.account.balance], retention: 1d}\n";
    let (code, json) = recorded(&world(""), &world(leak), NO_ADS);
    let more = vec!["baseline severity high".to_owned()];
    assert_eq!((code, standing(&json, "flow/unsourced")), (1, vec![("new".to_owned(), true, more)]));
    let (code, json) = recorded(&world(leak), &world(""), NO_ADS);
    assert_eq!((code, standing(&json, "flow/unsourced")), (0, vec![("baseline".to_owned(), false, vec![])]));
}

#[test]
fn the_data_of_another_party_is_more_wherever_it_is_found() {
    // b's data comes under the same terms, over the same flows, and into the same place.
    let world = |more: &str| {
        format!(
            "parties:\n  - {{id: a, name: A, role: bank, systems: [{{id: s, originates: [device], purposes: [service]}}]}}\n  \
             - {{id: b, name: B, role: bank, systems: [{{id: s, originates: [device, social.graph], purposes: [service]}}]}}\n  \
             - {{id: p, name: P, role: platform, systems: [{{id: s, purposes: [service]}}, {{id: ads, originates: [social.graph], purposes: [advertising]}}]}}\n  \
             - {{id: q, name: Q, role: other, systems: [{{id: s, purposes: [service]}}]}}\n\
             agreements:\n  - {{id: a, parties: [a, p], flows: [{{id: f, from: a/s, to: p/s, data: [device], retention: 1d}}]}}\n\
             flows:\n  {more}- {{id: x, from: p/s, to: q/s, data: [device], retention: 1d}}\n  \
             - {{id: y, from: p/s, to: p/ads, data: [device], retention: 1d}}\n"
        )
    };
    let policy = "policy: pol\ntitle: P\nversion: 1\nrules:\n  - {id: one, title: t, limit: {at: {system: p/ads}, together: [device, social]}}\n";
    let more = "- {id: g, from: b/s, to: a/s, data: [device], retention: 1d}\n  ";
    let (_, json) = recorded(&world(""), &world(more), policy);
    // The flow to a's system is found as well.
    let whose = |rule: &str| standing(&json, rule).pop().unwrap();
    for rule in ["terms/onward", "flow/undocumented", "pol/one"] {
        assert_eq!(whose(rule), ("new".to_owned(), true, vec!["baseline origins b".to_owned()]), "{rule}");
    }
    let (_, json) = recorded(&world(more), &world(""), policy);
    for rule in ["terms/onward", "flow/undocumented", "pol/one"] {
        assert_eq!(standing(&json, rule)[0].0, "baseline", "{rule}");
    }
}

#[test]
fn an_older_baseline_accepts_what_it_does_not_say_and_that_is_noticed() {
    let folder = inventory();
    let folder = folder.path();
    let (_, before) = audit(folder, &[]);
    let terms = before["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "terms/purpose").unwrap();
    let known = format!(
        "{{\"baseline\": 1, \"findings\": [{{\"finding\": {}, \"rule\": \"terms/purpose\", \"agreements\": [\"deal\"]}}]}}",
        terms["fingerprint"]
    );
    fs::write(folder.join("known.json"), known).unwrap();
    let (_, json) = audit(folder, &["--baseline", "known.json"]);
    assert_eq!(standing(&json, "terms/purpose"), [("baseline".to_owned(), false, vec![])]);
    let notice =
        |json: &Value| json["notices"].as_array().unwrap().iter().any(|n| n["code"] == "baseline-unlimited");
    assert!(notice(&json));
    assert_eq!(write(folder, &["--output", "known.json"]).0, 0);
    let (code, json) = audit(folder, &["--baseline", "known.json"]);
    assert!(code == 0 && !notice(&json), "{json}");
}

/// What an audit on a day says of waivers of `core/no-financial-advertising`, with settings.
fn waived(settings: &str, waivers: &[&str], day: &str) -> (i32, String, String) {
    let folder = inventory();
    let folder = folder.path();
    let lines = waivers.iter().map(|one| format!("  - {{rule: core/*, reason: r, approved_by: a, {one}}}\n"));
    fs::write(folder.join("waivers.yaml"), format!("waivers:\n{}", lines.collect::<String>())).unwrap();
    if !settings.is_empty() {
        fs::write(folder.join("ringfence.yaml"), settings).unwrap();
    }
    ringfence(folder, &["audit", ".", "--day", day])
}

#[test]
fn a_waiver_that_runs_longer_than_settings_allow_is_a_mistake() {
    let runs = |settings: &str, waiver: &str, day: &str| waived(settings, &[waiver], day).0 != 2;
    // A year by the calendar, from the approval or the day judged.
    assert!(runs("", "expires: 2028-02-29", "2027-03-01"));
    assert!(runs("", "expires: 2028-03-01", "2027-03-01"));
    assert!(!runs("", "expires: 2028-03-02", "2027-03-01"));
    assert!(!runs("", "approved_on: 2027-02-28, expires: 2028-03-01", "2027-03-01"));
    assert!(runs("", "approved_on: 2028-02-29, expires: 2029-02-28", "2028-03-01"));
    assert!(runs("waiver_max: 30d\n", "expires: 2027-03-31", "2027-03-01"));
    assert!(!runs("waiver_max: 30d\n", "expires: 2027-04-01", "2027-03-01"));
    assert!(runs("waiver_max: 2y\n", "expires: 2029-03-01", "2027-03-01"));
    assert!(runs("waiver_max: unlimited\n", "expires: 9999-12-31", "2027-03-01"));
    // All of them are reported, with what else is wrong.
    let mistakes =
        ["expires: 9999-12-31", "approved_on: 2027-02-01, expires: 2027-01-01", "expires: 2029-01-01, x: 1"];
    insta::assert_snapshot!(waived("waiver_max: 6m\n", &mistakes, "2027-03-01").2, @r##"
    error[waiver-too-long]: a waiver runs for 6 months at most by `waiver_max`
     --> waivers.yaml:2:56
      |
    2 |   - {rule: core/*, reason: r, approved_by: a, expires: 9999-12-31}
      |                                                        ^^^^^^^^^^ expected 2027-09-01 or earlier: it does not say `approved_on`, so it runs from 2027-03-01, the day judged
      |
      = help: approve it again when it ends, or raise `waiver_max` in ringfence.yaml

    error[waiver-never-holds]: a waiver ends before it is approved
     --> waivers.yaml:3:81
      |
    3 | ...2-01, expires: 2027-01-01}
      |                   ^^^^^^^^^^ expected 2027-02-01 or later
      |
     ::: waivers.yaml:3:60
      |
    3 | ...ed_by: a, approved_on: 2027-02-01, expires: 2027-01-01}
      |                           ---------- approved here

    error[waiver-too-long]: a waiver runs for 6 months at most by `waiver_max`
     --> waivers.yaml:4:56
      |
    4 |   - {rule: core/*, reason: r, approved_by: a, expires: 2029-01-01, x: 1}
      |                                                        ^^^^^^^^^^ expected 2027-09-01 or earlier: it does not say `approved_on`, so it runs from 2027-03-01, the day judged
      |
      = help: approve it again when it ends, or raise `waiver_max` in ringfence.yaml

    error[unknown-key]: unknown key `x` in a waiver
     --> waivers.yaml:4:68
      |
    4 |   - {rule: core/*, reason: r, approved_by: a, expires: 2029-01-01, x: 1}
      |                                                                    ^ not known here
      |
      = help: known keys: agreements, approved_by, approved_on, arrives_as, data, expires, finding, flow, origins, prospective, reason, rule, severity, sink, source, subject, ticket
    error: 4 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn a_waiver_accepts_nothing_before_its_approval() {
    let (code, out, _) = waived("", &["approved_on: 2027-03-02, expires: 2027-12-31"], "2027-03-01");
    assert_eq!(code, 1);
    assert!(out.contains("waiver-not-yet") && out.contains("Waived: 0."), "{out}");
    let (_, out, _) = waived("", &["approved_on: 2027-03-02, expires: 2027-12-31"], "2027-03-02");
    assert!(!out.contains("waiver-not-yet") && !out.contains("Waived: 0."), "{out}");
}

#[test]
fn two_waivers_of_a_part_each_accept_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let both = PARTS.replace("data: [financial.account.balance]", "data: [financial.account]");
    fs::write(folder.join("all.yaml"), both).unwrap();
    let waiver = |data: &str| {
        format!(
            "  - {{rule: core/no-financial-advertising, data: [{data}], reason: r, approved_by: a, expires: 2026-12-31}}\n"
        )
    };
    let waivers = |list: &[&str]| {
        let list: String = list.iter().map(|data| waiver(data)).collect();
        fs::write(folder.join("waivers.yaml"), format!("waivers:\n{list}")).unwrap();
        standing(&audit(folder, &[]).1, "core/no-financial-advertising").remove(0)
    };
    let leaves = "financial.account.holder, financial.account.masked_number, financial.account.number, \
                  financial.account.rewards, financial.account.statement, financial.account.status, \
                  financial.account.terms, financial.account.type";
    assert!(waivers(&["financial.account.balance", leaves]).1);
    assert_eq!(waivers(&["financial.account.balance", "financial.account"]).0, "waived");
}

#[test]
fn a_waiver_of_every_rule_is_a_mistake() {
    let folder = inventory();
    let folder = folder.path();
    for stated in [
        "rule: '*'",
        "rule: '**'",
        "rule: '*/*'",
        "rule: '?*'",
        "source: '*'",
        "finding: '*'",
        "flow: x, rule: '*'",
    ] {
        let waivers = format!("waivers: [{{{stated}, reason: r, approved_by: a, expires: 2026-12-31}}]\n");
        fs::write(folder.join("waivers.yaml"), waivers).unwrap();
        let (code, out, err) = ringfence(folder, &["audit", ".", "--day", "2026-11-23"]);
        assert_eq!((code, out.as_str()), (2, ""), "{stated}");
        assert!(err.contains("waivers.yaml:1:"), "{stated}: {err}");
    }
}
