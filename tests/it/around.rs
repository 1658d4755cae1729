//! What surrounds the program: hooks, tables, standard input, the day, calls without a file, many
//! mistakes, and logs that are read by build servers.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const LEAK: &str = "\
parties:
  - {id: b, name: B, role: bank, systems: [{id: s, originates: [financial.account.balance], purposes: [service]}]}
  - {id: p, name: P, role: platform, systems: [{id: ads, purposes: [advertising]}]}
flows:
  - {id: x, from: b/s, to: p/ads, data: [financial.account.balance], retention: 1d}
";

fn run(folder: &Path, args: &[&str], input: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command.current_dir(folder).env_remove("CI").args(args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    drop(pipe.write_all(input.unwrap_or_default().as_bytes()));
    drop(pipe);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn hooks_run_on_a_commit_that_only_deletes() {
    let root = env!("CARGO_MANIFEST_DIR");
    let hooks = fs::read_to_string(Path::new(root).join(".pre-commit-hooks.yaml")).unwrap();
    let hooks: serde_yaml::Value = serde_yaml::from_str(&hooks).unwrap();
    let hooks = hooks.as_sequence().unwrap();
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        assert_eq!(hook["always_run"], true);
        assert_eq!(hook["pass_filenames"], false);
        assert!(hook.get("files").is_none());
    }
}

/// A chain of many flows, as in the case of a cell that no spreadsheet holds.
fn chain(length: usize) -> String {
    let party = |n: usize| {
        let role = if n == 0 { "bank" } else { "other" };
        let purposes = if n == length - 1 { "advertising.ranking" } else { "service" };
        let starts = if n == 0 { ", originates: [financial.account.balance]" } else { "" };
        format!(
            "  - {{id: organisation-{n}, name: \"Org {n}\", role: {role}, systems: [{{id: system, purposes: [{purposes}]{starts}}}]}}\n"
        )
    };
    let flow = |n: usize| {
        format!(
            "  - {{id: f{n}, from: organisation-{n}/system, to: organisation-{}/system, data: [financial]}}\n",
            n + 1
        )
    };
    let (parties, flows): (String, String) =
        ((0..length).map(party).collect(), (0..length - 1).map(flow).collect());
    format!("parties:\n{parties}flows:\n{flows}")
}

#[test]
fn no_cell_of_a_table_is_longer_than_a_spreadsheet_holds() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = chain(400);
    for format in ["csv", "ropa-csv"] {
        let output =
            run(folder.path(), &["audit", "-", "--format", format, "--fail-on", "never"], Some(&inventory));
        let out = text(&output.stdout);
        let table = out.strip_prefix("\u{feff}\"").unwrap();
        let header = table.lines().next().unwrap();
        assert!(
            header.split(',').skip(1).all(|name| name.starts_with('"') && name.ends_with('"')),
            "{header}"
        );
        let mut rows = csv::Reader::from_reader(out.as_bytes());
        assert!(["fingerprint", "party"].contains(&rows.headers().unwrap().get(0).unwrap()));
        let path = rows.headers().unwrap().iter().position(|name| name == "path");
        let mut shortened = 0;
        for row in rows.into_records().map(Result::unwrap) {
            assert!(row.iter().all(|cell| cell.encode_utf16().count() <= 32_767));
            let Some(cell) = path.map(|at| row.get(at).unwrap()).filter(|cell| cell.ends_with(" more"))
            else {
                continue;
            };
            // The entries that stand there and those that are counted are the whole chain.
            let (shown, left) = cell.rsplit_once("; … and ").unwrap();
            let left: usize = left.trim_end_matches(" more").parse().unwrap();
            assert_eq!(
                shown.matches("; ").count() + 1 + left,
                row.get(path.unwrap() - 1).unwrap().parse::<usize>().unwrap()
            );
            shortened += 1;
        }
        assert_eq!(shortened > 0, format == "csv");
    }
}

#[test]
fn standard_input_stands_for_a_file_or_is_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("repo/.git")).unwrap();
    fs::create_dir_all(folder.path().join("repo/inv")).unwrap();
    let repo = folder.path().join("repo");
    let audit = |format: &str, more: &[&str]| {
        let output = run(
            &repo.join("inv"),
            &[&["audit", "-", "--format", format, "--fail-on", "never"], more].concat(),
            Some(LEAK),
        );
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), text(&output.stderr))
    };
    let named = ["--stdin-name", "i.yaml"];
    let (sarif, said) = audit("sarif", &named);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(!results.is_empty() && said.is_empty(), "{said}");
    for result in results {
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri, "inv/i.yaml");
    }
    let (gitlab, said) = audit("gitlab", &named);
    assert!(
        gitlab.as_array().unwrap().iter().all(|entry| entry["location"]["path"] == "inv/i.yaml"),
        "{gitlab}"
    );
    assert_eq!(said, "");
    let (json, _) = audit("json", &named);
    assert_eq!(json["findings"][0]["location"]["file"], "i.yaml");

    let (sarif, said) = audit("sarif", &[]);
    assert!(
        said.contains("in no file: GitHub refuses the whole upload") && said.contains("--stdin-name"),
        "{said}"
    );
    let notifications = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    let ids: Vec<&Value> = notifications.as_array().unwrap().iter().map(|n| &n["descriptor"]["id"]).collect();
    assert!(ids.contains(&&Value::from("results-without-file")), "{ids:?}");
    let (_, said) = audit("gitlab", &[]);
    assert!(said.contains("GitLab shows"), "{said}");
    // Other formats show no finding beside a file.
    assert_eq!(audit("json", &[]).1, "");
}

#[test]
fn the_day_is_that_of_utc_and_help_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["audit", "diff", "promises", "waive", "graph"] {
        let help = text(&run(folder.path(), &[command, "--help"], None).stdout);
        let day = help.split("--day <DATE>").nth(1).unwrap();
        let words: Vec<&str> = day.split_whitespace().take(20).collect();
        assert!(words.join(" ").contains("[default: today in UTC]"), "{command}: {words:?}");
    }
    let day = |zone: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        let file = folder.path().join("i.yaml");
        fs::write(&file, LEAK).unwrap();
        let output = command.env("TZ", zone).args(["audit", "--format", "json"]).arg(file).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        json["judged"]["day"].as_str().unwrap().to_owned()
    };
    let today = || jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    for zone in ["Pacific/Kiritimati", "UTC+12", "Etc/GMT-14", "UTC"] {
        let before = today();
        let judged = day(zone);
        assert!(judged == before || judged == today(), "{zone}: {judged}");
    }
}

#[test]
fn a_check_of_no_file_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let check = |more: &[&str]| run(folder.path(), &[&["check", "."], more].concat(), None);
    for files in [
        &[][..],
        &[("ringfence.yaml", "fail_on: high\n")],
        &[("p.yaml", "policy: p\nrules: []\n"), ("t.yaml", "tests: []\n")],
    ] {
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let output = check(&[]);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("there is nothing to check: no inventory file was found"), "{said}");
        assert_eq!(check(&["--allow-empty"]).status.code(), Some(0));
    }
    // Nor is one of files that declare nothing.
    for (text, code) in [
        ("", 2),
        ("# later\n", 2),
        ("---\n---\n", 2),
        ("parties: []\n", 2),
        ("parties: [{id: p, name: P}]\n", 0),
    ] {
        fs::write(folder.path().join("a.yaml"), text).unwrap();
        let output = check(&[]);
        assert_eq!(output.status.code(), Some(code), "{text}");
        let said = self::text(&output.stderr);
        assert!(code == 0 || said.contains("the one inventory file declares nothing"), "{said}");
        assert_eq!(check(&["--allow-empty"]).status.code(), Some(0));
    }
    for declared in
        ["taxonomy: {data: {own: {}}}\n", "statements: []\ntaxonomy: {purposes: {service.own: {}}}\n"]
    {
        fs::write(folder.path().join("a.yaml"), declared).unwrap();
        assert_eq!(check(&[]).status.code(), Some(0), "{declared}");
    }
    // Policies alone are checked alone.
    assert_eq!(run(folder.path(), &["check", "--policy", "p.yaml"], None).status.code(), Some(0));
}

#[test]
fn many_mistakes_are_counted_and_the_hint_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let wrong: String = (0..57).map(|n| format!("  - {{id: p{n}, name: N, rôle: bank}}\n")).collect();
    fs::write(folder.path().join("a.yaml"), format!("parties:\n{wrong}")).unwrap();
    let said = |args: &[&str]| text(&run(folder.path(), args, None).stderr);
    let all = said(&["check"]);
    assert!(all.starts_with("note: no path was given, so the working folder was read"), "{all:.200}");
    assert_eq!(all.matches("error[unknown-key]").count(), 20);
    assert!(all.contains("… and 37 more; --max-errors 0 shows all\n"), "{all}");
    assert!(all.ends_with("error: 57 mistakes in 1 file; nothing was judged\n"), "{all}");
    assert_eq!(said(&["check", ".", "--max-errors", "0"]).matches("error[unknown-key]").count(), 57);
    assert_eq!(said(&["check", ".", "--max-errors", "1"]).matches("error[unknown-key]").count(), 1);
}

#[test]
fn no_output_holds_a_command_to_a_build_server() {
    let folder = tempfile::tempdir().unwrap();
    let orders =
        "##[error]forged ##vso[task.setvariable variable=x]y ##teamcity[testFailed name='x'] ###[group]";
    let inventory =
        LEAK.replace("name: P,", &format!("name: \"{orders}\", title: \"::error::forged {orders}\","));
    fs::write(folder.path().join("i.yaml"), &inventory).unwrap();
    let policy = format!(
        "policy: q\ntitle: \"{orders}\"\nrules:\n  - {{id: r, title: \"::set-output name=x::{orders}\", severity: high, forbid: {{data: [financial], to: {{purpose: advertising}}}}}}\n"
    );
    fs::write(folder.path().join("q.yaml"), policy).unwrap();
    let mut outputs = Vec::new();
    for format in ["text", "json", "sarif", "junit", "gitlab", "markdown", "csv", "html", "ropa-csv"] {
        outputs.push(run(
            folder.path(),
            &["audit", "i.yaml", "--policy", "q.yaml", "--format", format],
            None,
        ));
        outputs.push(run(
            folder.path(),
            &["diff", "i.yaml", "i.yaml", "--policy", "q.yaml", "--format", format],
            None,
        ));
    }
    for args in [
        &["promises", "i.yaml", "--format", "json"][..],
        &["graph", "i.yaml", "--format", "json"],
        &["graph", "i.yaml", "--format", "svg"],
        &["graph", "i.yaml", "--format", "dot"],
        &["graph", "i.yaml", "--format", "mermaid"],
        &["graph", "i.yaml", "--format", "graphml"],
        &["explain", "q/r", "--policy", "q.yaml"],
    ] {
        outputs.push(run(folder.path(), args, None));
    }
    for output in outputs {
        for text in [text(&output.stdout), text(&output.stderr)] {
            for order in ["##[", "##vso[", "##teamcity["] {
                assert!(!text.contains(order), "{text}");
            }
            assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
        }
    }
    // Who reads the JSON gets the text as it was.
    let output = run(folder.path(), &["audit", "i.yaml", "--policy", "q.yaml", "--format", "json"], None);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["policies"][0]["title"].as_str().unwrap().contains(orders));
}
