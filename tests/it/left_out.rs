//! What an inventory leaves out: nothing beside a policy, nothing behind a link, and nothing by
//! `exclude`, `--status` or `--as-of` without a word.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PARTIES: &str = "\
parties:
  - {id: b, name: B, role: bank, jurisdiction: US, systems: [{id: s, originates: [financial.account.balance], purposes: [service]}]}
  - {id: p, name: P, role: platform, systems: [{id: s, purposes: [service]}, {id: ads, purposes: [advertising]}]}
agreements:
  - {id: a, parties: [b, p], flows: [{id: f, from: b/s, to: p/s, data: [financial], purposes: [service], retention: 1d}]}
";
/// The flow that a rule forbids.
const LEAK: &str =
    "flows:\n  - {id: x, from: p/s, to: p/ads, data: [financial.account.balance], retention: 1d}\n";
const POLICY: &str = "\
policy: pol
title: P
version: 1
rules:
  - {id: noads, title: t, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}
";

/// A folder with the parties in `inv/a.yaml`, a policy beside `inv`, and these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("inv/a.yaml", PARTIES), ("policy.yaml", POLICY)].iter().chain(files) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command.current_dir(folder).env_remove("CI").args(args).output().unwrap()
}

fn audit(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut args = vec!["audit", "inv", "--policy", "policy.yaml", "--day", "2026-06-01"];
    args.extend(more);
    let output = run(folder, &args);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The audit ends with 2 and says all of this.
fn refused(folder: &Path, says: &[&str]) {
    let (code, _, said) = audit(folder, &[]);
    assert_eq!(code, Some(2), "{said}");
    for words in says {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// The audit finds the leak.
fn found(folder: &Path, more: &[&str]) {
    let (code, out, said) = audit(folder, &[&["--format", "json"], more].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(out.contains("\"pol/noads\""), "{out}");
}

#[test]
fn no_flow_is_hidden_by_the_company_it_keeps() {
    for (text, says) in [
        (format!("policy: q\n{LEAK}"), "unknown key `flows` in a policy"),
        (format!("policy: q\ntitle: t\nrules: []\n{LEAK}"), "unknown key `flows` in a policy"),
        (format!("policy: null\n{LEAK}"), "unknown key `flows` in a policy"),
        (format!("policy: pol\n{LEAK}"), "unknown key `flows` in a policy"),
        (format!("{LEAK}policy: q\n"), "unknown key `flows` in a policy"),
        (format!("tests: []\n{LEAK}"), "unknown key `tests` in an inventory"),
        ("tests: []\nflow:\n  - {id: z}\n".to_owned(), "unknown key `flow` in a file of tests"),
        ("policy: q\nflow: []\n".to_owned(), "unknown key `flow` in a policy"),
        ("policy: q\ntests: []\n".to_owned(), "unknown key `tests` in a policy"),
        (format!("rules: []\n{LEAK}"), "unknown key `rules` in an inventory"),
        (format!("exclude: [a.yaml]\n{LEAK}"), "unknown key `exclude` in an inventory"),
        (format!("<<: {{policy: q}}\n{LEAK}"), "unknown key `flows` in a policy"),
        ("policy: q\nparties: []\n".to_owned(), "unknown key `parties` in a policy"),
        // Each document of a file is judged by itself.
        (format!("policy: q\ntitle: t\n---\npolicy: r\n{LEAK}"), "x.yaml:5:1"),
    ] {
        let folder = folder(&[("inv/x.yaml", &text)]);
        refused(folder.path(), &[says, "error[unknown-key]"]);
    }
    let folder = folder(&[("inv/x.yaml", &format!("policy: q\ntitle: t\n---\n{LEAK}"))]);
    found(folder.path(), &[]);
    let (_, out, _) = audit(folder.path(), &["--format", "json"]);
    assert!(out.contains("policy-not-in-force"), "{out}");
}

#[test]
fn an_unknown_key_of_another_kind_says_where_it_belongs() {
    let folder = folder(&[("inv/x.yaml", &format!("policy: q\n{LEAK}"))]);
    refused(folder.path(), &["`flows` is a key of an inventory: keep it in a document of its own"]);
    fs::write(folder.path().join("inv/x.yaml"), "exclude: [a.yaml]\n").unwrap();
    refused(folder.path(), &["`exclude` is a key of `ringfence.yaml`"]);
    fs::write(folder.path().join("inv/x.yaml"), "").unwrap();
    fs::write(folder.path().join("inv/ringfence.yaml"), LEAK).unwrap();
    refused(folder.path(), &["unknown key `flows` in a configuration", "a key of an inventory"]);
}

#[test]
fn a_mistake_at_the_top_of_an_applied_policy_among_the_files_is_told_once() {
    let folder = folder(&[("inv/p.yaml", "policy: q\ntitel: t\n")]);
    let (code, _, said) = audit(folder.path(), &["--policy", "inv/p.yaml"]);
    assert_eq!(code, Some(2));
    assert!(said.ends_with("error: 1 mistake in 1 file; nothing was judged\n"), "{said}");
}

#[test]
fn settings_further_inside_are_an_error() {
    let nested = folder(&[("inv/sub/ringfence.yaml", "exclude: [x.yaml]\n"), ("inv/x.yaml", LEAK)]);
    refused(nested.path(), &["misplaced-settings", "`sub/ringfence.yaml` lies below the inventory's folder"]);
    // Even if nothing can be read in it.
    fs::write(nested.path().join("inv/sub/ringfence.yaml"), LEAK).unwrap();
    refused(nested.path(), &["misplaced-settings"]);
    fs::write(nested.path().join("ringfence.yaml"), "exclude: ['sub/*']\n").unwrap();
    found(nested.path(), &[]);

    // Those of the inventory that is named hold; of two only one can.
    let two = folder(&[
        ("ringfence.yaml", "inventory: inv\npolicies: policy.yaml\n"),
        ("inv/ringfence.yaml", "exclude: [x.yaml]\n"),
        ("inv/x.yaml", LEAK),
    ]);
    let output = run(two.path(), &["audit"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is not in force: the settings are those of `ringfence.yaml`"), "{said}");
}

#[test]
fn a_file_that_is_named_as_a_baseline_declares_nothing() {
    let folder = folder(&[
        ("ringfence.yaml", "baseline: inv/x.yaml\n"),
        ("inv/x.yaml", LEAK),
        ("known.json", "{\"baseline\": 1, \"findings\": []}"),
    ]);
    refused(folder.path(), &["`flows`"]);
    let (code, _, said) = audit(folder.path(), &["--baseline", "known.json"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("named as a baseline would not be read"), "{said}");
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_that_leads_out_is_an_error_unless_it_is_asked_for() {
        let folder = folder(&[("other/x.yaml", LEAK)]);
        let link = folder.path().join("inv/x.yaml");
        for target in ["../other/x.yaml", folder.path().join("other/x.yaml").to_str().unwrap()] {
            symlink(target, &link).unwrap();
            refused(folder.path(), &["`x.yaml` is a link that leads out of the inventory", "--follow-links"]);
            found(folder.path(), &["--follow-links"]);
            fs::remove_file(&link).unwrap();
        }
        symlink("../other/x.yaml", &link).unwrap();
        fs::write(folder.path().join("ringfence.yaml"), "exclude: [x.yaml]\n").unwrap();
        let (code, out, said) = audit(folder.path(), &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(out.replace('\n', " ").contains("left out: 1 file by exclude"), "{out}");
    }

    #[test]
    fn a_folder_behind_a_link_is_one_that_leads_out() {
        let folder = folder(&[("other/deep/x.yaml", LEAK), ("other/more/again", "")]);
        symlink("../other", folder.path().join("inv/sub")).unwrap();
        refused(folder.path(), &["`sub` is a link that leads out of the inventory"]);
        // Links behind it are followed as well, in circles once.
        symlink("../..", folder.path().join("other/deep/round")).unwrap();
        found(folder.path(), &["--follow-links", "--policy", "core"]);
        fs::write(folder.path().join("ringfence.yaml"), "exclude: [sub]\n").unwrap();
        assert_eq!(audit(folder.path(), &[]).0, Some(0));
    }

    #[test]
    fn links_within_are_read_once_and_dangling_ones_refused() {
        let folder = folder(&[("inv/sub/x.yaml", LEAK)]);
        symlink("sub/x.yaml", folder.path().join("inv/again.yaml")).unwrap();
        symlink(".", folder.path().join("inv/round")).unwrap();
        symlink("sub", folder.path().join("inv/twice")).unwrap();
        found(folder.path(), &[]);
        // No name of a file that is read: nothing is left out.
        fs::write(folder.path().join("README.md"), "").unwrap();
        symlink("../README.md", folder.path().join("inv/README.md")).unwrap();
        found(folder.path(), &[]);
        symlink("nowhere", folder.path().join("inv/dangling")).unwrap();
        refused(folder.path(), &["`dangling` cannot be read"]);
    }

    #[test]
    fn a_link_into_another_path_of_the_inventory_stays_within() {
        let folder = folder(&[("more/x.yaml", LEAK)]);
        symlink("../more/x.yaml", folder.path().join("inv/x.yaml")).unwrap();
        let (code, _, said) = audit(folder.path(), &["more"]);
        assert_eq!(code, Some(1), "{said}");
    }

    #[test]
    fn a_link_out_of_a_folder_of_policies_is_an_error_too() {
        let folder = folder(&[("rules/a.yaml", "policy: q\nrules: []\n"), ("inv/x.yaml", LEAK)]);
        symlink("../policy.yaml", folder.path().join("rules/b.yaml")).unwrap();
        let output = run(folder.path(), &["audit", "inv", "--policy", "rules"]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("`b.yaml` is a link that leads out"), "{said}");
    }

    #[test]
    fn a_revision_is_held_to_the_same() {
        let folder = folder(&[("other/x.yaml", LEAK)]);
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            command.current_dir(folder.path()).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
            let output = command.args(args).output().unwrap();
            assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        fs::write(folder.path().join("ringfence.yaml"), "inventory: inv\npolicies: policy.yaml\n").unwrap();
        git(&["init", "--quiet", "--initial-branch", "main"]);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message", "base"]);
        let link = folder.path().join("inv/x.yaml");
        let diff = |more: &[&str]| {
            git(&["add", "--all"]);
            git(&["commit", "--quiet", "--message", "head"]);
            let output = run(
                folder.path(),
                &[&["diff", "git:main", "git:HEAD", "--day", "2026-06-01"], more].concat(),
            );
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        git(&["checkout", "--quiet", "-b", "change"]);
        symlink("../other/x.yaml", &link).unwrap();
        let (code, said) = diff(&[]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("`x.yaml` is a link that leads out of the inventory"), "{said}");
        // Within the repository a revision knows what it leads to; outside of it never.
        fs::remove_file(&link).unwrap();
        symlink("../other/../other/x.yaml", &link).unwrap();
        let (code, said) = diff(&["--follow-links"]);
        assert_eq!(code, Some(1), "{said}");
        for target in ["/etc/hosts.yaml", "../../x.yaml", "x.yaml"] {
            fs::remove_file(&link).unwrap();
            symlink(target, &link).unwrap();
            let (code, said) = diff(&["--follow-links"]);
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains("`x.yaml` is a link to what this revision does not hold"), "{said}");
        }
    }
}

#[test]
fn what_exclude_leaves_out_is_counted_in_every_verdict() {
    let folder = folder(&[
        ("ringfence.yaml", "exclude: [x.yaml, drafts, 'notes/*', ringfence.yaml]\n"),
        ("inv/x.yaml", LEAK),
        ("inv/drafts/one.yaml", ""),
        ("inv/drafts/deep/two.yml", ""),
        ("inv/drafts/README.md", ""),
        ("inv/drafts/.hidden/three.yaml", ""),
        ("inv/notes/four.yaml", ""),
        ("inv/notes/five.txt", ""),
    ]);
    counted(folder.path(), &[], "left out: 4 files by exclude");
    let (_, out, _) = audit(folder.path(), &["--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["judged"]["excluded_files"], 4);
    assert_eq!(json["judged"]["status"], Value::Null);
    let notices = json["notices"].as_array().unwrap();
    let notice = notices.iter().find(|n| n["code"] == "files-excluded").unwrap();
    assert_eq!(notice["subjects"], serde_json::json!(["drafts", "notes/four.yaml", "x.yaml"]));
    let output = run(folder.path(), &["check", "inv", "--policy", "policy.yaml"]);
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("Read 1 file, 4 files left out by exclude:"), "{out}");
}

const OLD: &str = "agreements:\n  - {id: old, status: terminated, parties: [b, p], effective: {until: 2020-01-01}, \
                   flows: [{id: f, from: b/s, to: p/ads, data: [financial], purposes: [service], retention: 1d}]}\n";

#[test]
fn what_a_status_leaves_out_is_counted_in_every_verdict() {
    let folder = folder(&[("ringfence.yaml", "status: [active]\n"), ("inv/old.yaml", OLD)]);
    counted(folder.path(), &[], "left out: 1 flow by status (only active)");
    let (_, out, _) = audit(folder.path(), &["--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["judged"]["status"], serde_json::json!(["active"]));
    assert_eq!(json["judged"]["left_out_by_status"], 1);
    assert_eq!((&json["inventory"]["flows"], &json["inventory"]["counting_flows"]), (&2.into(), &1.into()));
    // A call says it as well as settings do, and in its stead.
    counted(
        folder.path(),
        &["--status", "proposed,active"],
        "left out: 1 flow by status (only proposed, active)",
    );
}

#[test]
fn what_a_day_leaves_out_is_counted_in_every_verdict() {
    let folder = folder(&[("inv/old.yaml", &OLD.replace("status: terminated, ", ""))]);
    counted(folder.path(), &["--as-of", "2026-01-01"], "left out: 1 flow by as-of 2026-01-01");
    let (_, out, _) = audit(folder.path(), &["--format", "json", "--as-of", "2026-01-01"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["judged"]["left_out_by_as_of"], 1);
    assert_eq!(json["judged"]["as_of"], "2026-01-01");
}

/// The words stand in every format's verdict; where it has none, on standard error.
fn counted(folder: &Path, scope: &[&str], words: &str) {
    let plain = |text: &str| {
        let text: String = text.replace("\\u{60}", "`").replace("%0A", " ").replace("&#96;", "`");
        text.replace(['\\', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for format in ["text", "sarif", "junit", "github", "markdown", "html"] {
        let (code, out, said) = audit(folder, &[&["--format", format], scope].concat());
        assert_eq!(code, Some(0), "{said}");
        assert!(plain(&out).contains(words), "{format}: {}", plain(&out));
        assert_eq!(said, "", "{format}");
    }
    for format in ["gitlab", "csv", "ropa-csv"] {
        for more in [&[][..], &["--quiet"]] {
            let (_, _, said) = audit(folder, &[&["--format", format], more, scope].concat());
            assert_eq!(said, format!("note: {words}\n"), "{format}");
        }
        let report = format!("{format}=report.out");
        let (_, _, said) = audit(folder, &[&["--report", &report], scope].concat());
        assert_eq!(said, format!("note: {words}\n"), "{format}");
    }
    let (_, out, _) = audit(folder, &[&["--quiet"], scope].concat());
    assert!(plain(&out).contains(words), "{out}");

    let (promises, graph) = ([&["promises", "inv"], scope].concat(), [&["graph", "inv"], scope].concat());
    let output = run(folder, &promises);
    assert!(plain(&String::from_utf8(output.stdout).unwrap()).contains(words));
    let output = run(folder, &graph);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("note: {words}\n"));
    for format in ["text", "markdown", "sarif", "html"] {
        let args = [&["diff", "inv", "inv", "--policy", "policy.yaml", "--format", format], scope].concat();
        let output = run(folder, &args);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(plain(&out).contains(words), "{format}: {out}");
    }
    let args = [&["diff", "inv", "inv", "--policy", "policy.yaml", "--format", "csv"], scope].concat();
    assert_eq!(String::from_utf8(run(folder, &args).stderr).unwrap(), format!("note: {words}\n"));
}

/// The subjects of the notices of a code, by what the message begins with.
fn noticed(json: &str, code: &str) -> Vec<(String, Vec<String>)> {
    let audit: Value = serde_json::from_str(json).unwrap();
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let notices = audit["notices"].as_array().unwrap().iter().filter(|notice| notice["code"] == code);
    let first = |notice: &Value| notice["message"].as_str().unwrap().split(' ').next().unwrap().to_owned();
    notices.map(|notice| (first(notice), texts(&notice["subjects"]))).collect()
}

#[test]
fn places_that_rules_could_not_look_at_are_told_and_counted() {
    // Nobody says what `x` is, nor where `p` is.
    let more = "parties:
  - {id: x, name: X, systems: [{id: s, purposes: [service]}, {id: empty, purposes: [service]}]}
  - {id: y, name: Y, role: data_broker, jurisdiction: US, systems: [{id: s, purposes: [service]}]}
agreements:
  - {id: c, parties: [b, x, y], flows: [{id: f, from: b/s, to: x/s, data: [financial], retention: 1d}, {id: g, from: b/s, to: y/s, data: [financial], retention: 1d}]}
";
    let rules = "policy: pol
title: P
rules:
  - {id: role, title: t, severity: low, forbid: {data: [financial], to: {role: [data_broker, ad_network]}}}
  - {id: within-not, title: t, severity: low, forbid: {data: [financial], to: {not: {role: data_broker}}}}
  - {id: in-exception, title: t, severity: low, forbid: {data: [financial], unless: {through: {to: {role: data_broker}}}}}
  - {id: region, title: t, severity: low, forbid: {data: [financial], to: {region: CN, purpose: service.account}}}
  - {id: elsewhere, title: t, severity: low, forbid: {data: [financial], to: {region: CN, purpose: advertising}}}
  - {id: limit, title: t, severity: low, limit: {at: {jurisdiction: CN}, data: [financial], origins_at_most: 7}}
  - {id: party, title: t, severity: low, require: {on: party, where: {role: ad_network}, must: {contact: {present: true}}}}
";
    let place = folder(&[("inv/more.yaml", more), ("policy.yaml", rules)]);
    let (code, json, _) = audit(place.path(), &["--format", "json"]);
    assert_eq!(code, Some(0));
    let of = |rule: &str, places: &[&str]| {
        (format!("`pol/{rule}`"), places.iter().map(|&place| place.to_owned()).collect::<Vec<_>>())
    };
    let both = ["p/s", "x/s"];
    let all = vec![of("limit", &both), of("party", &["x"]), of("region", &both), of("role", &["x/s"])];
    assert_eq!(noticed(&json, "places-not-looked-at"), all);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["judged"]["overlooked_places"], 3);
    // Data that nobody declares is assumed to start at `x`, of which no rule on sources knows the role; a
    // `require` looks at systems without data, too.
    let sends = "flows:\n  - {id: h, from: x/empty, to: b/s, data: [contact], retention: 1d}\n";
    let unsure = "policy: pol\nrules:\n  - {id: from, title: t, severity: low, forbid: {data: [contact], from: {role: merchant}}}\n  - {id: must, title: t, severity: low, require: {on: system, where: {role: merchant, system: x/empty}, must: {retention: {present: true}}}}\n";
    let place = folder(&[("inv/more.yaml", &format!("{more}{sends}")), ("policy.yaml", unsure)]);
    let (_, json, _) = audit(place.path(), &["--format", "json"]);
    let all = vec![of("from", &["x/empty"]), of("must", &["x/empty"])];
    assert_eq!(noticed(&json, "places-not-looked-at"), all);
    // Once it says what and where it is, every rule looks at it.
    let stated = more.replace("id: x, name: X,", "id: x, name: X, role: merchant, jurisdiction: DE,");
    let place = folder(&[("inv/more.yaml", &stated), ("policy.yaml", rules)]);
    let (_, json, _) = audit(place.path(), &["--format", "json"]);
    let all = vec![of("limit", &["p/s"]), of("region", &["p/s"])];
    assert_eq!(noticed(&json, "places-not-looked-at"), all);
}

#[test]
fn a_flow_that_counts_on_no_day_is_told() {
    let flow = |id: &str, when: &str| format!("{{id: {id}, from: b/s, to: p/s, data: [financial], {when}}}");
    let flows = [
        flow("late", "effective: {from: 2021-01-03}, retention: 1d"),
        flow("kept", "effective: {from: 2021-01-03}"),
        flow("on-the-last-day", "effective: {from: 2021-01-02}, retention: 1d"),
        flow("gone", "effective: {from: 2020-06-02}, disposed: {date: 2020-06-02, evidence: e}"),
    ];
    let text = format!(
        "agreements:\n  - {{id: c, parties: [b, p], effective: {{until: 2021-01-01}}, flows: [{}]}}\n",
        flows.join(", ")
    );
    let place = folder(&[("inv/more.yaml", &text)]);
    let (_, json, _) = audit(place.path(), &["--format", "json"]);
    let never = vec![("with".to_owned(), vec!["c/gone".to_owned(), "c/late".to_owned()])];
    assert_eq!(noticed(&json, "flow-never-counts"), never);
}
