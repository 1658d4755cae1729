//! The command, from the outside.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

/// Runs the command in a folder: exit code, standard output, standard error.
fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(folder).args(args).env_remove("NO_COLOR");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn here(args: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), args)
}

#[test]
fn what_init_writes_passes_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = run(folder.path(), &["init", "new/inventory"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let new = folder.path().join("new/inventory");
    for (from, args) in [
        (folder.path(), vec!["audit", "new/inventory", "--fail-on", "info"]),
        (new.as_path(), vec!["audit", "--fail-on", "info"]),
        (new.join("declared").as_path(), vec!["audit", "--fail-on", "info"]),
    ] {
        let (code, out, err) = run(from, &args);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.starts_with("PASS: the declared flows break no rule, term or promise"), "{out}");
        assert!(out.contains("  kept    no-advertising"), "{out}");
        let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains("core 2.0.0"), "{out}");
        assert!(out.contains("house 1.0.0"), "{out}");
    }
    // A fresh inventory has one notice: not every rule of `core` has something to look at.
    let (_, out, _) = run(&new, &["audit", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let notices = json["notices"].as_array().unwrap();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0]["subjects"].as_array().unwrap().len() > 5, "{notices:?}");
    let before = fs::read_to_string(new.join("ringfence.yaml")).unwrap();
    let (code, _, err) = run(folder.path(), &["init", "new/inventory"]);
    assert_eq!(code, 2);
    assert!(err.contains("is not empty"), "{err}");
    assert_eq!(fs::read_to_string(new.join("ringfence.yaml")).unwrap(), before);
}

#[test]
fn findings_are_exit_1_and_the_gate_decides() {
    let sample = format!("{SAMPLES}/messenger-banking");
    let (code, out, err) = here(&["audit", &sample, "--day", "2026-11-23"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.starts_with("FAIL: "), "{out}");
    assert_eq!(here(&["audit", &sample, "--fail-on", "never"]).0, 0);
    assert_eq!(here(&["audit", &sample, "--fail-on", "never", "--deny-notices"]).0, 1);
    assert_eq!(here(&["audit", &sample, "--fail-on", "never", "--deny-notices=waiver-expired"]).0, 0);
    let fenced = format!("{SAMPLES}/messenger-banking-fenced");
    assert_eq!(here(&["audit", &fenced]).0, 0);
}

#[test]
fn the_json_goes_into_a_file_whole() {
    let folder = tempfile::tempdir().unwrap();
    let sample = format!("{SAMPLES}/messenger-banking");
    let args = ["audit", &sample, "--format", "json", "--day", "2026-11-23", "--today", "2026-11-23"];
    assert_eq!(run(folder.path(), &args).0, 2, "the day twice is a wrong call");
    let args = ["audit", &sample, "--format", "json", "--today", "2026-11-23"];
    let (code, printed, _) = run(folder.path(), &args);
    assert_eq!(code, 1);
    let to_file = [&args[..], &["--output", "a.json", "--report", "text=a.txt"]].concat();
    let (code, out, err) = run(folder.path(), &to_file);
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", ""));
    assert_eq!(fs::read_to_string(folder.path().join("a.json")).unwrap(), printed);
    assert!(fs::read_to_string(folder.path().join("a.txt")).unwrap().starts_with("FAIL: "));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    let (code, _, err) = run(folder.path(), &["audit", &sample, "--output", "no/such/a.json"]);
    assert_eq!(code, 2);
    assert!(err.contains("cannot write `no/such/a.json`"), "{err}");
}

#[test]
fn wrong_input_is_exit_2_and_counted() {
    let sample = format!("{SAMPLES}/bad-input/many-errors");
    for command in ["audit", "check"] {
        let (code, out, err) = here(&[command, &sample]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.trim_end().ends_with("nothing was judged"), "{err}");
    }
    let (code, _, err) = here(&["audit", "no-such-folder"]);
    assert_eq!(code, 2);
    assert!(err.ends_with("error: 1 mistake; nothing was judged\n"), "{err}");
    for args in [&["audit", "--as-of", "yesterday"][..], &["audit", "--fail-on", "hgih"], &["nothing"]] {
        assert_eq!(here(args).0, 2, "{args:?}");
    }
}

#[test]
fn an_empty_inventory_is_exit_2_unless_allowed() {
    let (code, out, err) = here(&["audit", "--status", "active"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("looked in: `.`") && err.contains("agreements that are not active"), "{err}");
    assert_eq!(here(&["audit", "--allow-empty"]).0, 0);
    assert_eq!(here(&["check"]).0, 2);
    assert_eq!(here(&["check", "--allow-empty"]).0, 0);
}

#[test]
fn the_configuration_holds_unless_the_call_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["init"]).0, 0);
    let config = folder.path().join("ringfence.yaml");
    fs::write(&config, "inventory: declared\npolicies: policies\nreports: {json: out.json}\nstatus: proposed\nas_of: 2020-01-01\n").unwrap();
    let (code, _, err) = run(folder.path(), &["audit"]);
    assert_eq!(code, 0, "{err}");
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(json["judged"]["as_of"], "2020-01-01");
    assert_eq!(json["policies"].as_array().unwrap().len(), 1);
    assert_eq!(json["inventory"]["counting_flows"], 1);
    let (_, out, _) =
        run(folder.path(), &["audit", "--as-of", "2026-02-01", "--status", "active", "--policy", "core"]);
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("2 of 2 declared flows are in scope") && out.contains("core 2.0.0"), "{out}");
    fs::write(&config, "inventry: declared\nfail_on: hi\n").unwrap();
    let (code, _, err) = run(folder.path(), &["audit"]);
    assert_eq!(code, 2);
    assert!(err.contains("inventry") && err.contains("2 mistakes in 1 file"), "{err}");
}

#[test]
fn rules_are_explained() {
    let (code, out, _) = here(&["explain"]);
    assert_eq!(code, 0);
    assert!(out.contains("terms/purpose") && out.contains("core/no-collapse"), "{out}");
    let sample = format!("{SAMPLES}/messenger-banking");
    for args in [
        &["explain", "flow/unsourced"][..],
        &["explain", "core/retention-stated"],
        &["explain", "statement/not-to-third-parties", &sample],
    ] {
        let (code, out, err) = here(args);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("violated") && out.contains("severity"), "{out}");
    }
    let (code, _, err) = here(&["explain", "core/no-colapse"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `core/no-collapse`?"), "{err}");
}

#[test]
fn a_rule_in_words() {
    insta::assert_snapshot!(here(&["explain", "core/no-financial-advertising"]).1);
    insta::assert_snapshot!(here(&["explain", "core/financial-other-use-needs-opt-in"]).1);
}

#[test]
fn the_taxonomy_is_sorted_by_key() {
    let (code, out, _) = here(&["taxonomy", "--format", "json"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    for tree in ["data", "purposes"] {
        let keys: Vec<&str> =
            json[tree].as_array().unwrap().iter().map(|e| e["key"].as_str().unwrap()).collect();
        assert!(keys.is_sorted() && keys.len() > 20, "{keys:?}");
    }
    let balance = json["data"].as_array().unwrap().iter().find(|e| e["key"] == "financial.account.balance");
    insta::assert_json_snapshot!(balance.unwrap());
    assert!(here(&["taxonomy"]).1.contains("Account balance"));
}

#[test]
fn pages_and_completions() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["man", "--dir", "man"]).0, 0);
    let mut pages: Vec<String> = fs::read_dir(folder.path().join("man"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    // One page for each subcommand that the help lists, and one for all.
    let help = here(&["--help"]).1;
    let commands = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    let names = commands
        .filter_map(|l| l.strip_prefix("  ")?.split_whitespace().next().filter(|_| !l.starts_with("   ")));
    let mut expected: Vec<String> =
        names.filter(|n| *n != "help").map(|name| format!("ringfence-{name}.1")).collect();
    expected.push("ringfence.1".to_owned());
    expected.sort();
    assert!(expected.contains(&"ringfence-audit.1".to_owned()), "{expected:?}");
    assert_eq!(pages, expected);
    let page = fs::read_to_string(folder.path().join("man/ringfence-audit.1")).unwrap();
    assert!(page.contains("ringfence\\-audit") && page.contains("fail\\-on"), "{page}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(here(&["completions", shell]).1.contains("fail-on"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_quiet() {
    use std::process::{Command, Stdio};
    let program = assert_cmd::cargo::cargo_bin("ringfence");
    for args in [&["taxonomy"][..], &["--help"], &["explain"], &["completions", "bash"]] {
        let mut child =
            Command::new(&program).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{args:?}");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn a_folder_with_settings_is_read_as_they_say_from_wherever_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert_eq!(run(at, &["init", "project"]).0, 0);
    // What lies beside the inventory is no part of it.
    fs::write(at.join("project/draft.yaml"), "parties: [{id: our-bank, name: Twice}]\n").unwrap();
    let leak = "flows: [{id: leak, from: chat-platform/chat, to: chat-platform/ads, data: [financial]}]\n";
    fs::write(at.join("project/declared/leak.yaml"), leak).unwrap();
    let project = at.join("project");
    let inside = |args: &[&str]| run(&project, args);
    let outside = |args: &[&str]| run(at, args);
    for command in [
        &["audit", "--format", "json", "--day", "2026-06-01"][..],
        &["audit", "--format", "csv", "--day", "2026-06-01"],
        &["promises", "--day", "2026-06-01"],
        &["check"],
        &["graph", "--format", "json"],
        &["files", "--format", "json"],
        &["taxonomy", "--format", "json"],
    ] {
        // The taxonomy is that of an inventory only where one is named.
        let here = if command[0] == "taxonomy" { vec!["declared"] } else { Vec::new() };
        let expected = inside(&[command, &here].concat());
        assert!(expected.0 < 2, "{command:?} {}", expected.2);
        for (named, said) in [
            (".", inside(&[command, &["."]].concat())),
            ("project", outside(&[command, &["project"]].concat())),
            ("./project/", outside(&[command, &["./project/"]].concat())),
            ("project/../project", outside(&[command, &["project/../project"]].concat())),
            ("whole", outside(&[command, &[project.to_str().unwrap()]].concat())),
        ] {
            assert_eq!(said.0, expected.0, "{named} {command:?} {}", said.2);
            // Text names files from the working folder on, so that a terminal opens them.
            let text = matches!(command[0], "promises" | "check");
            if command[0] != "files" && !text {
                assert_eq!(said.1, expected.1, "{named} {command:?}");
            }
            if command[0] == "promises" && named.starts_with("project") {
                assert!(said.1.contains("project/declared/statements.yaml:4"), "{named}: {}", said.1);
            }
        }
    }
    // Another folder is itself.
    assert_eq!(outside(&["audit", "project/declared", "--format", "json"]).0, 1);
    let (_, out, _) = inside(&["audit", "--format", "json", "--day", "2026-06-01"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let finding = &json["findings"][0];
    let ends = ["--reason", "R", "--approved-by", "A", "--expires", "2027-01-01", "--day", "2026-06-01"];
    let waive = [&["waive", finding["fingerprint"].as_str().unwrap(), "project"], &ends[..]].concat();
    let (code, _, err) = outside(&waive);
    assert_eq!(code, 0, "{err}");
    assert!(at.join("project/declared/waivers.yaml").is_file(), "{err}");
    let (_, out, _) = inside(&["audit", "--format", "json", "--day", "2026-06-01"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["summary"]["waived"], 1);
}

#[test]
fn commands_offer_no_option_that_does_nothing_there() {
    for command in [&["waive"][..], &["baseline", "write"]] {
        let (_, help, _) = here(&[command, &["--help"]].concat());
        assert!(help.contains("--fail-on-status") && !help.contains("--fail-on <"), "{help}");
        assert!(!help.contains("--deny-notices"), "{help}");
    }
}

#[test]
fn settings_say_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("declared/eu");
    fs::create_dir_all(&deep).unwrap();
    let (code, out, _) = run(&deep, &["config"]);
    assert!(code == 0 && out.contains("the defaults apply"), "{out}");
    fs::write(folder.path().join("ringfence.yaml"), "inventory: declared\nfail_on: low\nexclude: [drafts]\n")
        .unwrap();
    fs::write(deep.join("a.yaml"), "parties: []").unwrap();
    for from in [folder.path(), &deep] {
        let (code, out, _) = run(from, &["config", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(code, 0);
        let setting = |key: &str| {
            let all = json["settings"].as_array().unwrap();
            let found = all.iter().find(|s| s["key"] == key).unwrap();
            (found["value"].clone(), found["from"].as_str().unwrap().ends_with("ringfence.yaml"))
        };
        assert_eq!(setting("fail_on"), ("low".into(), true));
        assert_eq!(setting("exclude"), (serde_json::json!(["drafts"]), true));
        assert_eq!(setting("policies"), (serde_json::json!(["core"]), false));
        assert_eq!(setting("baseline"), (serde_json::Value::Null, false));
    }
    fs::write(folder.path().join("ringfence.yaml"), "inventry: declared\n").unwrap();
    let (code, out, err) = run(&deep, &["config"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("did you mean `inventory`?"), "{err}");
}

#[test]
fn files_say_what_is_read_and_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, text) in [
        ("ringfence.yaml", "exclude: ['drafts/*']\n"),
        ("a.yaml", "parties: []\n"),
        ("b.yml", "agreements: []\n"),
        ("notes.md", "x"),
        ("house.yaml", "policy: house\nrules: []\n"),
        ("house-test.yaml", "policies: [house.yaml]\ntests: []\n"),
        ("drafts/c.yaml", "parties: []\n"),
        (".hidden/d.yaml", "parties: []\n"),
    ] {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), text).unwrap();
    }
    let (code, out, err) = run(folder.path(), &["files"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
    let (_, out, _) = run(folder.path(), &["files", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["files"].as_array().unwrap().iter().filter(|f| f["inventory"] == true).count(), 2);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(run(empty.path(), &["files"]).0, 2);
}

#[test]
fn every_notice_has_its_line_and_unknown_ones_are_refused() {
    let mut texts = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("finding.rs") {
                texts += &fs::read_to_string(&path).unwrap();
            }
        }
    }
    for (code, _) in ringfence::finding::NOTICES {
        assert!(texts.contains(&format!("\"{code}\"")), "{code} is said nowhere");
        assert!(here(&["explain", code]).1.contains("Shown when"), "{code}");
    }
    // And no other is made: wherever a notice is, its code is in the table.
    let made = regex_lite::Regex::new(
        r#"\b(?:code|UNJUDGED): (?:&str = )?"([a-z-]+)"|\b(?:notice|add|several|flows)\(\s*(?:&mut all,\s*)?"([a-z]+(?:-[a-z]+)+)""#,
    )
    .unwrap();
    let made: std::collections::BTreeSet<&str> =
        made.captures_iter(&texts).map(|found| found.get(1).or(found.get(2)).unwrap().as_str()).collect();
    let table: std::collections::BTreeSet<&str> =
        ringfence::finding::NOTICES.iter().map(|(code, _)| *code).collect();
    assert_eq!(made, table);
    assert!(ringfence::finding::NOTICES.is_sorted());
    let (code, out, err) = run(Path::new(SAMPLES), &["audit", "open-banking", "--deny-notices=waiver-unusd"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("did you mean `waiver-unused`?"), "{err}");
}

#[test]
fn the_gate_is_where_it_is_said_to_be() {
    let audit = |args: &[&str]| {
        let mut all = vec!["audit", "open-banking", "--day", "2026-11-23"];
        all.extend(args);
        run(Path::new(SAMPLES), &all)
    };
    let json: serde_json::Value = serde_json::from_str(&audit(&["--format", "json"]).1).unwrap();
    let worst = json["findings"][0]["severity"].as_str().unwrap();
    assert_eq!(audit(&["--fail-on", worst]).0, 1);
    assert_eq!(audit(&["--fail-on", "never"]).0, 0);
    assert_eq!(audit(&["--fail-on", "never", "--deny-notices"]).0, 1);
    assert_eq!(audit(&["--fail-on", "never", "--deny-notices=waiver-unused"]).0, 0);
    // Every notice that is made has a line that says what it means.
    for notice in json["notices"].as_array().unwrap() {
        let code = notice["code"].as_str().unwrap();
        assert!(ringfence::finding::NOTICES.iter().any(|(known, _)| *known == code), "{code}");
    }
    let quiet = audit(&["--quiet"]).1;
    assert!(!quiet.contains("PROMISES") && quiet.contains("rf1:"), "{quiet}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_changes_no_exit_code_and_no_pipeline_is_coloured() {
    use std::process::{Command, Stdio};
    let program = assert_cmd::cargo::cargo_bin("ringfence");
    let mut command = Command::new(&program);
    command.args(["audit", "messenger-banking"]).current_dir(SAMPLES);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status.code()), ("", Some(1)));
    for (name, value) in [("NO_COLOR", "1"), ("CI", "true"), ("TERM", "dumb")] {
        let output = Command::new(&program)
            .args(["audit", "messenger-banking"])
            .current_dir(SAMPLES)
            .env(name, value)
            .output()
            .unwrap();
        assert!(!output.stdout.contains(&0x1B), "{name}");
    }
}

#[test]
fn two_reports_do_not_go_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out").display().to_string();
    let sample = format!("{SAMPLES}/open-banking");
    for args in [
        vec![
            "audit".to_owned(),
            sample.clone(),
            "--report".into(),
            format!("json={file}"),
            "--report".into(),
            format!("csv={file}"),
        ],
        vec![
            "audit".to_owned(),
            sample,
            "--output".into(),
            file.clone(),
            "--report".into(),
            format!("csv={file}"),
        ],
    ] {
        let (code, _, err) = here(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(code, 2);
        assert!(err.contains("two reports would go to"), "{err}");
    }
    assert!(!folder.path().join("out").exists());
    assert_eq!(here(&["config", "nosuch"]).0, 2);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for sample in ["messenger-banking", "open-banking", "cambridge-analytica"] {
        let of = |threads: &str| {
            let mut command = Command::cargo_bin("ringfence").unwrap();
            command.current_dir(SAMPLES).args(["audit", sample, "--day", "2026-11-22", "--format", "json"]);
            command.env("RAYON_NUM_THREADS", threads).output().unwrap().stdout
        };
        let one = of("1");
        assert!(!one.is_empty());
        assert!(one == of("2") && one == of("8"), "{sample}");
    }
}

#[test]
fn timings_go_beside_the_result_and_change_nothing_of_it() {
    let sample = format!("{SAMPLES}/messenger-banking");
    let call = ["audit", &sample, "--day", "2026-11-23", "--format", "json"];
    let (code, plain, _) = here(&call);
    let (timed, out, err) = here(&[call.as_slice(), &["--timings"]].concat());
    assert_eq!((timed, &out), (code, &plain));
    let stages: Vec<&str> = err.lines().filter_map(|line| line.split("  ").next()).collect();
    let expected =
        ["stage", "reading", "resolving", "following", "judging again", "describing", "writing", "other"];
    assert_eq!(stages.get(..expected.len()), Some(expected.as_slice()), "{err}");
    assert!(err.lines().last().unwrap().starts_with("total"), "{err}");
}
