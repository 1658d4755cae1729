//! What somebody reads in the terminal: how long it is, what it says of causes, and that its numbers are those of
//! every other format. The inventories are the sample that is set in 2018 and two of other trades, `tests/trades`.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

use crate::causes::misattributed;

/// The day judged.
const DAY: &str = "2026-11-23";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Standard output and standard error.
fn run(folder: &Path, args: &[&str]) -> (String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let output = command.current_dir(folder).env_remove("COLUMNS").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// The inventories, each with the arguments that judge it.
fn inventories() -> Vec<(PathBuf, Vec<&'static str>)> {
    let of = |folder: &str, args: &[&'static str]| (root().join(folder), args.to_vec());
    vec![
        of("samples", &["messenger-banking"]),
        of("samples", &["messenger-banking-fenced"]),
        of("tests/trades", &["neobank.yaml", "--policy", "core", "--policy", "glba", "--policy", "ccpa"]),
        of(
            "tests/trades",
            &["account-information.yaml", "--policy", "core", "--policy", "gdpr", "--policy", "psd2"],
        ),
    ]
}

fn audit(folder: &Path, args: &[&str], more: &[&str]) -> String {
    run(folder, &[&["audit", "--day", DAY], args, more].concat()).0
}

fn json(folder: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&audit(folder, args, &["--format", "json"])).unwrap()
}

/// The text on one line.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The blocks of the causes that fail: each from its number on.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let (_, causes) = text.split_once("\nCAUSES\n").unwrap();
    let causes = causes
        .lines()
        .take_while(|line| !line.starts_with("FOR INFORMATION") && !line.starts_with("RESTS ON"));
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in causes.filter(|line| !line.is_empty()) {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            blocks.push(Vec::new());
        }
        if let Some(block) = blocks.last_mut() {
            block.push(line);
        }
    }
    blocks
}

#[test]
fn the_text_of_the_sample_fits_on_two_screens() {
    let text = audit(&root().join("samples"), &["messenger-banking"], &[]);
    let lines = text.lines().count();
    assert!(lines <= 120, "{lines} lines:\n{text}");
    let promises: Vec<&str> = text.lines().filter(|line| line.starts_with("  broken  ")).collect();
    assert_eq!(promises.len(), 4, "{text}");
    assert!(promises.iter().all(|line| line.contains("  cause")), "{text}");
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}:\n{text}"));
    assert!(at("FAIL: ") < at("PROMISES: ") && at("PROMISES: ") < at("\nCAUSES\n"));
    assert!(at("\nNEXT\n") < at("ringfence fix --day"));
}

#[test]
fn each_cause_takes_twelve_lines_at_most_and_says_how_to_go_on() {
    for (folder, args) in inventories() {
        let found = json(&folder, &args);
        let failing = found["summary"]["failing_causes"].as_u64().unwrap() as usize;
        if failing == 0 {
            continue;
        }
        let text = audit(&folder, &args, &["--limit", "0"]);
        let blocks = blocks(&text);
        assert_eq!(blocks.len(), failing, "{args:?}");
        for block in blocks {
            assert!(block.len() <= 12, "{args:?}: {}", block.join("\n"));
            for word in ["breaks", "do ", "next     ringfence explain "] {
                assert!(
                    block.iter().any(|line| line.trim_start().starts_with(word)),
                    "{word}: {}",
                    block.join("\n")
                );
            }
        }
        let text = audit(&folder, &args, &["--limit", "1"]);
        assert_eq!(text.matches("next     ringfence explain ").count(), 1, "{args:?}");
        assert!(
            failing == 1 || text.contains(&format!("and {} more cause", failing - 1)),
            "{args:?}: {text}"
        );
    }
}

#[test]
fn all_formats_have_the_same_numbers_and_causes() {
    for (folder, args) in inventories() {
        let found = json(&folder, &args);
        assert_eq!(misattributed(&found), Vec::<String>::new(), "{args:?}");
        let number = |key: &str| found["summary"][key].as_u64().unwrap();
        let (failing, causes, information) =
            (number("failing"), number("failing_causes"), number("for_information"));
        let findings = found["findings"].as_array().unwrap();
        let new = findings.iter().filter(|finding| finding["status"] == "new").count() as u64;
        assert_eq!(failing + information, new, "{args:?}");

        let text = joined(&audit(&folder, &args, &[]));
        let head = match failing {
            0 => "PASS: ".to_owned(),
            n => format!("FAIL: {n} new findings at or above `high` ("),
        };
        assert!(text.starts_with(&head), "{args:?}: {text}");
        let from = format!("from {causes} cause");
        assert_eq!(text.matches(&from).count(), if failing > 0 { 2 } else { 0 }, "{args:?}: {text}");
        for format in ["markdown", "github", "junit", "text"] {
            let text = joined(&audit(&folder, &args, &["--format", format]));
            for words in [format!("Failing: {failing}"), format!("For information: {information}")] {
                assert!(text.contains(&words), "{args:?} {format}: {words}");
            }
        }
        // Where nothing was found there is no table.
        let cell = |row: &str| {
            let comment = audit(&folder, &args, &["--format", "markdown"]);
            let row =
                comment.lines().find(|line| line.starts_with(&format!("| {row} |"))).unwrap().to_owned();
            row.trim_end_matches(" |").rsplit(' ').next().unwrap().parse::<u64>().unwrap()
        };
        if !findings.is_empty() {
            assert_eq!((cell("failing"), cell("for information")), (failing, information), "{args:?}");
        }

        // The page: its headline, the causes and the cards of findings.
        let page = audit(&folder, &args, &["--format", "html"]);
        if failing > 0 {
            assert!(page.contains(&format!("{failing} new findings at or above high (")), "{args:?}");
            assert!(page.contains(&format!(", from {causes} cause")), "{args:?}");
        }
        let sections = page.matches("<section class=\"cause ").count() as u64;
        let loose = page.matches(" loose\" id=\"c").count() as u64;
        assert_eq!((sections - loose, sections), (causes, found["causes"].as_array().unwrap().len() as u64));
        assert_eq!(page.matches("<article class=\"card\" id=\"rf1-").count(), findings.len(), "{args:?}");

        // What is recorded, and what a certificate shows.
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
        let (_, said) = run(
            &folder,
            &[&["baseline", "write", "--day", DAY, "--output", &file("b.json")], &args[..]].concat(),
        );
        assert!(said.contains(&format!(": {failing} failing, {information} for information")), "{said}");
        audit(&folder, &args, &["--certificate", &file("c.json")]);
        let (said, err) = run(&folder, &[&["verify", "--day", DAY, &file("c.json")], &args[..]].concat());
        let shown = match failing {
            0 => "no new finding at or above `high`".to_owned(),
            1 => "1 new finding at or above `high` (".to_owned(),
            n => format!("{n} new findings at or above `high` ("),
        };
        // A certificate does not hold how severe data without a source is, and says so.
        if !said.contains("perhaps high") {
            assert!(said.contains(&shown), "{args:?}: {said}{err}");
            assert!(said.contains(&format!("; {information} for information")), "{args:?}: {said}");
        }

        // The cause of each finding, as services are told.
        let cause = |finding: &Value| finding["cause"].as_str().unwrap().to_owned();
        let mut expected: Vec<String> = findings.iter().map(cause).collect();
        expected.sort();
        let sarif: Value = serde_json::from_str(&audit(&folder, &args, &["--format", "sarif"])).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let mut named: Vec<String> = results
            .iter()
            .filter_map(|result| result["properties"]["cause"].as_str())
            .map(str::to_owned)
            .collect();
        named.sort();
        assert_eq!(named, expected, "{args:?}");
        for format in ["gitlab", "junit"] {
            let text = audit(&folder, &args, &["--format", format]);
            // JUnit says more of what fails alone.
            let fails = |finding: &&Value| {
                finding["binding"] == true
                    && ["critical", "high"].contains(&finding["severity"].as_str().unwrap())
            };
            let new = findings.iter().filter(|finding| finding["status"] == "new");
            for finding in new.filter(|finding| format == "gitlab" || fails(finding)) {
                assert!(text.contains(&format!("cause: {}", cause(finding))), "{args:?} {format}: {finding}");
            }
        }
    }
}

#[test]
fn what_is_relied_on_is_counted_as_it_is_listed() {
    for (folder, args) in inventories() {
        let text = audit(&folder, &args, &["--relied-on", "--limit", "0"]);
        let (_, list) = text.split_once("RESTS ON: ").unwrap();
        let (number, list) = list.split_once(" claim").unwrap();
        let (list, _) = list.split_once("\nNOTICES").unwrap_or((list, ""));
        let listed = list.lines().filter(|line| line.starts_with("    - ")).count();
        assert_eq!(listed.to_string(), number, "{args:?}: {text}");
        assert!(joined(&text).contains(&format!("Relied on: {number} claim")), "{args:?}");
    }
}

#[test]
fn explaining_a_cause_lists_all_its_findings() {
    let (folder, found) = (root().join("samples"), json(&root().join("samples"), &["messenger-banking"]));
    for cause in found["causes"].as_array().unwrap() {
        for declaration in cause["declarations"].as_array().unwrap() {
            let id = declaration["id"].as_str().unwrap();
            let (text, err) = run(&folder, &["explain", id, "messenger-banking", "--day", "2026-11-23"]);
            assert_eq!(err, "", "{id}");
            assert_eq!(
                text.matches("rf1:").count() as u64,
                cause["findings"].as_u64().unwrap(),
                "{id}: {text}"
            );
        }
    }
    let (_, err) = run(&folder, &["explain", "flow:messenger-exports", "messenger-banking"]);
    assert!(err.contains("did you mean `flow:messenger-export`?"), "{err}");
}

#[test]
fn findings_are_put_together_otherwise_where_that_is_asked_for() {
    let neobank = &["neobank.yaml", "--policy", "core"];
    let folder = root().join("tests/trades");
    let by = |by: &str| audit(&folder, neobank, &["--by", by]);
    for owner in ["owner Growth:", "owner Data:", "owner Banking:"] {
        assert!(by("owner").contains(owner), "{}", by("owner"));
    }
    assert!(
        by("agreement").contains("agreement sponsor:") && by("agreement").contains("under no agreement:")
    );
    assert!(by("party").contains("party adreach:"));
    let all = json(&folder, neobank);
    let rule = audit(&folder, neobank, &["--by", "rule", "--limit", "0"]);
    for finding in all["findings"].as_array().unwrap() {
        assert!(rule.contains(finding["fingerprint"].as_str().unwrap()), "{finding}");
    }
}

#[test]
fn notices_are_a_line_for_each_code_and_name_no_file_of_the_program() {
    let folder = root().join("samples");
    let short = audit(&folder, &["messenger-banking"], &[]);
    assert!(joined(&short).contains("rule-matches-nothing (11): a rule's data"), "{short}");
    let long = audit(&folder, &["messenger-banking"], &["--notices"]);
    assert!(long.contains("core/credentials-stay") && !long.contains("policies/core/policy.yaml"), "{long}");
    let found = json(&folder, &["messenger-banking"]);
    let notices = found["notices"].as_array().unwrap();
    assert!(
        notices.iter().any(|notice| notice["code"] == "rule-matches-nothing" && notice["location"].is_null())
    );
}

#[test]
fn chains_show_what_is_done_to_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = "
parties:
  - {id: bank, name: Bank, role: bank, jurisdiction: US, systems: [{id: core, region: US, purposes: [service], originates: [financial.transaction]}]}
  - id: app
    name: App
    role: platform
    jurisdiction: US
    systems:
      - {id: in, region: US, purposes: [service], derives: [{from: [financial.transaction], into: derived.spending_profile}]}
      - {id: ads, region: US, purposes: [advertising]}
agreements:
  - {id: a, parties: [bank, app], flows: [{id: f, from: bank/core, to: app/in, data: [financial.transaction], purposes: [service], transform: pseudonymised}]}
flows:
  - {id: g, from: app/in, to: app/ads, data: [derived], purposes: [advertising]}
";
    fs::write(folder.path().join("i.yaml"), inventory).unwrap();
    let text = audit(folder.path(), &["i.yaml"], &[]);
    assert!(text.contains("─financial.transaction, pseudonymised→ app/in"), "{text}");
    assert!(text.contains("─derived.spending_profile→ app/ads"), "{text}");
    let long = audit(folder.path(), &["i.yaml"], &["--by", "rule"]);
    assert!(joined(&long).contains("─[financial.transaction, pseudonymised · service"), "{long}");

    // What was a transaction is drawn where it has become a profile, and what never was one is not.
    let more = inventory.replace("data: [derived]", "data: [derived, device]");
    fs::write(folder.path().join("i.yaml"), more).unwrap();
    let (drawn, err) = run(folder.path(), &["graph", "--data", "financial", "--format", "json", "i.yaml"]);
    let drawn: Value = serde_json::from_str(&drawn).unwrap_or_else(|_| panic!("{err}"));
    let text = drawn.to_string();
    assert!(text.contains("app/ads") && text.contains("bank/core"), "{text}");
    let (_, err) = run(folder.path(), &["graph", "--data", "location", "i.yaml"]);
    assert!(err.contains("no flow in scope matches --data location"), "{err}");
}

#[test]
fn a_waiver_of_a_rule_that_nothing_knows_is_noticed_where_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = "
parties: [{id: a, name: A, systems: [{id: s, purposes: [service]}, {id: t, purposes: [service]}]}]
flows: [{id: f, from: a/s, to: a/t, data: [device], purposes: [service]}]
waivers: [{rule: core/no-collapsed, reason: r, approved_by: b, expires: 2027-01-01, severity: high}]
";
    fs::write(folder.path().join("i.yaml"), inventory).unwrap();
    let (_, err) = run(folder.path(), &["check", "i.yaml"]);
    assert!(
        err.contains("notice[waiver-unused]") && err.contains("did you mean `core/no-collapse`?"),
        "{err}"
    );
    fs::write(folder.path().join("i.yaml"), inventory.replace("no-collapsed", "no-coll*")).unwrap();
    assert!(!run(folder.path(), &["check", "i.yaml"]).1.contains("waiver"));
}

#[test]
fn a_written_baseline_says_how_it_is_put_in_force() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "."]);
    let (_, err) = run(folder.path(), &["baseline", "write"]);
    assert!(err.contains("--baseline") && err.contains("ringfence.yaml"), "{err}");
}

#[test]
fn claims_and_notices_on_identity_are_explained() {
    let here = root();
    for name in
        ["derives/reidentifies", "flow/disposed", "flow/only_from", "flow/retention", "terms/released_by"]
    {
        let (text, err) = run(here, &["explain", name]);
        assert!(text.contains("claim that results rest on"), "{name}: {err}");
    }
    let (text, _) = run(here, &["explain", "data-reidentified"]);
    assert!(joined(&text).contains("state `reidentifies: false`"), "{text}");
    let (text, _) = run(here, &["taxonomy"]);
    assert!(text.lines().any(|line| line.contains("identity.name ") && line.ends_with("(identifying)")));
}

const PROFILE: &str = "
parties:
  - id: app
    name: App
    systems:
      - {id: in, purposes: [service], originates: [financial.transaction]}
      - {id: model, purposes: [analytics], derives: [{from: [financial.transaction], into: derived.custom_audience, reidentifies: false}]}
      - {id: ads, purposes: [advertising]}
flows:
  - {id: f, from: app/in, to: app/model, data: [financial.transaction], purposes: [analytics], transform: anonymised}
  - {id: g, from: app/model, to: app/ads, data: [derived], purposes: [advertising]}
statements:
  - id: no-ads
    by: app
    said: {quote: Never.}
    promise: {forbid: {data: [financial], to: {purpose: advertising}, unless: {through: {transform: anonymised}}}}
";

#[test]
fn what_a_promise_rests_on_includes_that_nobody_is_identified_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("i.yaml"), PROFILE).unwrap();
    let (text, err) = run(folder.path(), &["promises", "i.yaml"]);
    assert!(text.contains("transform: anonymised") && text.contains("reidentifies: false"), "{text}{err}");

    // Of an inventory that says nothing, an upgrade lists what it is read as now.
    fs::write(folder.path().join("i.yaml"), PROFILE.replace(", reidentifies: false", "")).unwrap();
    let (text, _) = run(folder.path(), &["upgrade", "i.yaml"]);
    assert!(text.contains("app/model derives derived.custom_audience"), "{text}");
}
