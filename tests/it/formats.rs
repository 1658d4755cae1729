//! The formats for other programs, read back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use crate::common::read::Seen;
use crate::common::{at, finding, full, hop, place};
use assert_cmd::Command;
use ringfence::finding::{Audit, Finding, FindingKind, FindingStatus, Summary};
use ringfence::gate::{Denied, Gate, Threshold};
use ringfence::source::Sources;
use ringfence::vocabulary::{Severity, Word};
use ringfence::{Format, Places, Report};
use serde_json::Value;

/// One of everything, with something in the baseline.
fn every() -> Audit {
    let mut audit = full();
    let last = audit.findings.last_mut().unwrap();
    last.status = FindingStatus::Baseline;
    audit.summary = Summary::of(&audit.findings);
    audit
}

/// The files of [`full`] in the folder `inventory` of a repository.
fn places() -> Places {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let mut sources = Sources::new();
    for name in
        ["flows.yaml", "agreements.yaml", "agreements/bank-chat.yaml", "promises.yaml", "waivers.yaml"]
    {
        sources.add_at(name, folder.path().join("inventory").join(name), String::new());
    }
    Places::new(&sources)
}

fn report(audit: &Audit) -> Report<'_> {
    Report { places: places(), ..Report::new(audit) }
}

fn render(audit: &Audit, format: Format) -> String {
    report(audit).render(format).unwrap()
}

fn expected(findings: &[Finding], gate: &Gate) -> Vec<Seen> {
    let seen = |f: &Finding| Seen {
        fingerprint: f.fingerprint.clone(),
        rule: f.rule.clone(),
        status: serde_json::to_value(f.status).unwrap().as_str().unwrap().to_owned(),
        fails: gate.stops(f),
    };
    let mut all: Vec<Seen> = findings.iter().map(seen).collect();
    all.sort();
    all
}

/// Holds what every format says against the result.
fn agree(audit: &Audit, gate: &Gate, text: &dyn Fn(Format) -> String) {
    let all = expected(&audit.findings, gate);
    for (format, read) in [
        (Format::Sarif, crate::common::read::sarif as fn(&str) -> Vec<Seen>),
        (Format::Junit, crate::common::read::junit),
        (Format::Github, crate::common::read::github),
        (Format::Csv, crate::common::read::csv),
    ] {
        assert_eq!(read(&text(format)), all, "{}", format.word());
    }
    // GitLab has a severity alone: what is accepted or does not bind is `info`.
    let grave = |f: &&Finding| f.status == FindingStatus::New && f.binding && f.severity != Severity::Info;
    let mut grave: Vec<String> = audit.findings.iter().filter(grave).map(|f| f.fingerprint.clone()).collect();
    grave.sort();
    let entries = crate::common::read::gitlab(&text(Format::Gitlab));
    let without = |all: &[Seen]| all.iter().map(|s| Seen { fails: false, ..s.clone() }).collect::<Vec<_>>();
    assert_eq!(without(&entries), without(&all));
    let more: Vec<String> = entries.into_iter().filter(|e| e.fails).map(|e| e.fingerprint).collect();
    assert_eq!(more, grave);

    let of = |status: &str| all.iter().filter(|s| s.status == status).count();
    let counts = [of("new"), all.iter().filter(|s| s.fails).count(), of("baseline"), of("waived")];
    let comment = text(Format::Markdown);
    assert_eq!(crate::common::read::markdown(&comment), counts);
    let summary = format!("Waived: {}. In the baseline: {}.", counts[3], counts[2]);
    for format in [Format::Markdown, Format::Github, Format::Junit] {
        assert!(text(format).contains(&summary), "{}", format.word());
    }
}

#[test]
fn every_format_has_the_same_findings() {
    for audit in [every(), full(), crate::common::audit(Vec::new())] {
        for fail_on in Threshold::ALL {
            let gate = Gate { fail_on: *fail_on, denied: Denied::None };
            let report = report(&audit).gate(gate.clone());
            agree(&audit, &gate, &|format| report.render(format).unwrap());
        }
    }
}

#[test]
fn every_format_has_the_same_findings_of_the_samples() {
    for sample in ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::cargo_bin("ringfence").unwrap();
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"));
        command.args(["audit", sample, "--day", "2026-11-23"]);
        for format in Format::ALL {
            command.arg("--report").arg(format!("{0}={1}/{0}", format.word(), folder.path().display()));
        }
        command.output().unwrap();
        let text = |format: Format| std::fs::read_to_string(folder.path().join(format.word())).unwrap();
        let audit: Audit = serde_json::from_str(&text(Format::Json)).unwrap();
        agree(&audit, &Gate::default(), &text);

        // Small results are written out whole.
        let comment = text(Format::Markdown);
        crate::common::read::parts(&comment);
        if audit.findings.len() < 20 {
            for f in &audit.findings {
                assert!(comment.contains(&f.fingerprint), "{sample}: {}", f.fingerprint);
            }
        }
        // Every service finds the files: they are named from the repository's root.
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in serde_json::from_str::<Vec<Value>>(&text(Format::Gitlab)).unwrap() {
            let path = entry["location"]["path"].as_str().unwrap();
            assert!(root.join(path).is_file(), "{sample}: {path}");
        }
    }
}

#[test]
fn the_formats_of_one_of_everything() {
    let audit = every();
    for format in [Format::Junit, Format::Github, Format::Markdown, Format::Csv] {
        insta::assert_snapshot!(format.word(), render(&audit, format));
    }
    for format in [Format::Sarif, Format::Gitlab] {
        let value: Value = serde_json::from_str(&render(&audit, format)).unwrap();
        insta::assert_snapshot!(format.word(), serde_json::to_string_pretty(&value).unwrap());
    }
}

#[test]
fn the_formats_of_a_clean_result() {
    let audit = crate::common::audit(Vec::new());
    for format in [Format::Junit, Format::Github, Format::Gitlab, Format::Markdown, Format::Csv] {
        insta::assert_snapshot!(format!("clean_{}", format.word()), render(&audit, format));
    }
    assert_eq!(crate::common::read::sarif(&render(&audit, Format::Sarif)), []);
}

/// The results of a log by fingerprint.
fn result<'a>(log: &'a Value, fingerprint: &str) -> &'a Value {
    let results = log["runs"][0]["results"].as_array().unwrap();
    results.iter().find(|r| r["properties"]["fingerprint"] == fingerprint).unwrap()
}

#[test]
fn sarif_says_what_services_act_on() {
    let log: Value = serde_json::from_str(&render(&every(), Format::Sarif)).unwrap();
    let run = &log["runs"][0];
    let field = |number: u64, key: &str| result(&log, &format!("rf1:{number:016x}"))[key].clone();
    let levels = [(1, "error"), (3, "error"), (4, "warning"), (5, "note"), (6, "warning")];
    for (number, level) in levels {
        assert_eq!(field(number, "level"), level);
    }
    let states = [(1, "new"), (3, "updated"), (0xA2, "unchanged"), (7, "unchanged")];
    for (number, state) in states {
        assert_eq!(field(number, "baselineState"), state);
    }
    // What a service scores counts against a build, so what does not bind has no score.
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        let binds = rule["id"] != "core/no-collapse";
        assert_eq!(rule["properties"]["security-severity"].is_string(), binds, "{rule}");
        let tags = rule["properties"]["tags"].as_array().unwrap();
        assert_eq!(tags.contains(&"security".into()), binds);
        assert!(tags.len() <= 10);
    }
    let hops = |flow: &Value| flow["threadFlows"][0]["locations"].as_array().unwrap().len();
    let walks = |number| field(number, "codeFlows").as_array().unwrap().iter().map(hops).collect::<Vec<_>>();
    assert_eq!((walks(1), walks(2), walks(5)), (vec![3], vec![2, 2], vec![1, 1]));
    let broken = &field(2, "relatedLocations")[0];
    assert_eq!(broken["physicalLocation"]["artifactLocation"]["uri"], "inventory/agreements/bank-chat.yaml");
    assert_eq!(broken["physicalLocation"]["region"]["startLine"], 9);
    assert!(field(2, "message")["text"].as_str().unwrap().contains("breaks [this term](1): purposes of"));
    // The built-in policy lies in no file.
    assert!(field(1, "relatedLocations").is_null());
    assert_eq!(run["automationDetails"]["id"], "ringfence/inventory/");
}

#[test]
fn a_finding_without_a_place_stands_where_its_chain_ends_or_at_what_it_breaks() {
    let mut f = finding("core/x", FindingKind::Forbid, Severity::High, 1);
    f.location = None;
    f.broken.location = Some(at("promises.yaml", 3));
    let mut audit = crate::common::audit(vec![f]);
    let line = |audit: &Audit| {
        let entries: Vec<Value> = serde_json::from_str(&render(audit, Format::Gitlab)).unwrap();
        let log: Value = serde_json::from_str(&render(audit, Format::Sarif)).unwrap();
        let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        let place = location["artifactLocation"]["uri"].as_str().unwrap_or_default().to_owned();
        let annotated = render(audit, Format::Github).contains("::error file=");
        (
            place,
            location["region"]["startLine"].as_u64(),
            entries[0]["location"]["lines"]["begin"].as_u64(),
            annotated,
        )
    };
    assert_eq!(line(&audit), ("inventory/promises.yaml".to_owned(), Some(3), Some(3), true));
    audit.findings[0].path = vec![hop("a/b", "bank/accounts", "platform/chat", &["financial"], "service", 5)];
    assert_eq!(line(&audit), ("inventory/flows.yaml".to_owned(), Some(5), Some(5), true));
    // What came by standard input lies in no file.
    audit.findings[0].path.clear();
    audit.findings[0].broken.location = None;
    assert_eq!(line(&audit), (String::new(), None, Some(1), false));
}

#[test]
fn errors_come_first_and_notices_that_are_not_accepted_are_errors() {
    let audit = every();
    let gate = Gate { fail_on: Threshold::At(Severity::Critical), denied: Denied::All };
    let report = report(&audit).gate(gate);
    let (commands, lines) = crate::common::read::commands(&report.render(Format::Github).unwrap());
    let names: Vec<&str> = commands.iter().map(|c| c.name.as_str()).collect();
    let mut ordered = names.clone();
    ordered.sort_by_key(|name| ["error", "warning", "notice"].iter().position(|n| n == name));
    assert_eq!(names, ordered);
    let errors = names.iter().filter(|n| **n == "error").count();
    assert_eq!(errors, audit.notices.len() + 2);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("Ringfence: FAIL. Failing: 2 (2 critical), from 1 cause"));
    let junit = report.render(Format::Junit).unwrap();
    assert!(junit.contains("<testsuite name=\"notices\" tests=\"3\" failures=\"3\""));
    let comment = report.render(Format::Markdown).unwrap();
    assert_eq!(comment.matches("**not accepted**").count(), 3);
}

/// So many findings with chains of so many flows.
fn many(findings: u64, hops: u32) -> Audit {
    let rules = findings.div_ceil(1000);
    let findings = (0..findings).map(|n| {
        let mut f = finding(&format!("core/r{}", n % rules), FindingKind::Forbid, Severity::High, n);
        f.source = place("bank/accounts");
        f.sink = place(&format!("platform/s{n}"));
        f.path = (0..hops).map(|h| hop("x/y", "bank/a", "b/c", &["financial"], "service", h + 1)).collect();
        f
    });
    let mut audit = crate::common::audit(findings.collect());
    audit.rules = crate::common::rules(&audit.findings);
    audit
}

#[test]
fn a_comment_is_never_too_long_and_counts_the_rest() {
    for (findings, hops) in [(10, 3), (300, 5), (10_000, 3), (3, 2000), (200, 100)] {
        let audit = many(findings, hops);
        let comment = render(&audit, Format::Markdown);
        assert!(comment.chars().count() <= 60_000, "{findings}: {}", comment.chars().count());
        let shown = comment.matches("`rf1:").count();
        let hidden: usize = comment
            .lines()
            .filter_map(|line| line.strip_prefix("… and ")?.split(' ').next()?.parse::<usize>().ok())
            .sum();
        assert_eq!(shown + hidden, audit.findings.len(), "{findings}, {hops}");
        assert_eq!(crate::common::read::markdown(&comment)[0], audit.findings.len());
        crate::common::read::parts(&comment);
    }
}

#[test]
fn long_lists_of_a_comment_are_counted() {
    let mut audit = every();
    let notice = audit.notices[0].clone();
    audit.notices = vec![notice; 5000];
    audit.promises = vec![audit.promises[0].clone(); 5000];
    let mut known = audit.findings[2].clone();
    known.title = "x".repeat(1000);
    audit.findings.extend(vec![known; 5000]);
    audit.relied_on = (0..5000)
        .map(|n| ringfence::finding::Reliance { flow: Some(format!("f{n}")), ..audit.relied_on[0].clone() })
        .collect();
    audit.summary = Summary::of(&audit.findings);
    let comment = render(&audit, Format::Markdown);
    assert!(comment.chars().count() <= 60_000);
    let hidden = comment.lines().filter(|line| line.starts_with("… and ")).count();
    assert_eq!(hidden, 4, "{comment}");
    crate::common::read::parts(&comment);
}

#[test]
fn more_results_than_a_service_shows_are_a_notification() {
    let notifications = |findings| {
        let log: Value = serde_json::from_str(&render(&many(findings, 1), Format::Sarif)).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["results"].as_array().unwrap().len(), findings as usize);
        run["invocations"][0]["toolExecutionNotifications"].clone()
    };
    assert_eq!(notifications(5000), serde_json::json!([]));
    let said = notifications(5001);
    assert_eq!(said[0]["descriptor"]["id"], "many-results");
    assert!(said[0]["message"]["text"].as_str().unwrap().starts_with("this file has 5001 results"));
}

#[test]
fn the_columns_are_those_that_the_documentation_names() {
    let docs = include_str!("../../docs/use/formats.md");
    let (_, list) = docs.split_once("which does not change (new ones come last):\n").unwrap();
    let (list, _) = list.split_once("\n\n`hops`").unwrap();
    let documented: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    let header = render(&crate::common::audit(Vec::new()), Format::Csv);
    let header = header.trim_end().trim_start_matches('\u{feff}');
    assert_eq!(documented.join(","), header.replace('"', ""));
    for format in Format::ALL {
        assert!(docs.contains(&format!("| `{}` |", format.word())), "{}", format.word());
    }
}
