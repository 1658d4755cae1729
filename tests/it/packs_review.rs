//! The review of the packs names every finding that they have in the samples, and no other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use ringfence::testing::packs::names;
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SAMPLES: [&str; 4] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];

/// The findings of each rule, by what names them.
type Findings = BTreeMap<String, Vec<String>>;

/// What one audit of a sample finds with all packs.
fn found(sample: &str) -> Findings {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(Path::new(ROOT).join("samples")).args(["audit", sample, "--format", "json"]);
    for name in names() {
        command.args(["--policy", name]);
    }
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{sample}");
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let place = |place: &Value| {
        let place = if place["system"].is_null() { &place["party"] } else { &place["system"] };
        place.as_str().map(str::to_owned)
    };
    let mut all = Findings::new();
    for finding in audit["findings"].as_array().unwrap() {
        let name = match (place(&finding["source"]), place(&finding["sink"])) {
            (Some(source), Some(sink)) => format!("{source} -> {sink}"),
            _ => finding["subject"].as_str().unwrap().to_owned(),
        };
        all.entry(finding["rule"].as_str().unwrap().to_owned()).or_default().push(name);
    }
    all
}

/// `{a,b}/c` is `a/c` and `b/c`.
fn expanded(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else { return vec![text.to_owned()] };
    let (choices, after) = rest.split_once('}').unwrap_or_else(|| panic!("no `}}` in {text}"));
    let each = choices.split(',').map(|choice| format!("{before}{choice}{after}"));
    each.flat_map(|one| expanded(&one)).collect()
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What the review says is found, from the table below the sample's heading.
fn reviewed(sample: &str, review: &str) -> Findings {
    let (_, section) = review.split_once(&format!("\n## {sample}\n")).expect("a section for each sample");
    let section = section.split("\n## ").next().unwrap();
    let mut all = Findings::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [rule, findings, verdict, why] = cells[..] else { panic!("four columns: {row}") };
        let (count, named) = findings.split_once(':').unwrap_or_else(|| panic!("a count: {row}"));
        let named: Vec<String> = in_backticks(named).flat_map(expanded).collect();
        assert_eq!(count.parse(), Ok(named.len()), "{sample}: {row}");
        assert!(["yes", "worst reading", "not reviewed yet"].contains(&verdict), "{sample}: {row}");
        assert!(why.len() > 4, "{sample}: {row}");
        all.entry(in_backticks(rule).next().unwrap().to_owned()).or_default().extend(named);
    }
    all
}

#[test]
fn every_finding_stands_in_one_row() {
    let review = fs::read_to_string(Path::new(ROOT).join("docs/dev/packs-review.md")).unwrap();
    for sample in SAMPLES {
        let (mut found, mut reviewed) = (found(sample), reviewed(sample, &review));
        let counts = |all: &Findings| -> Vec<(String, usize)> {
            all.iter().map(|(rule, findings)| (rule.clone(), findings.len())).collect()
        };
        assert_eq!(counts(&reviewed), counts(&found), "{sample}");
        for findings in found.values_mut().chain(reviewed.values_mut()) {
            findings.sort();
        }
        assert_eq!(reviewed, found, "{sample}");
    }
}

#[test]
fn the_totals_are_those_of_the_tables() {
    let review = fs::read_to_string(Path::new(ROOT).join("docs/dev/packs-review.md")).unwrap();
    for sample in SAMPLES {
        let all: usize = reviewed(sample, &review).values().map(Vec::len).sum();
        assert!(review.contains(&format!("\n## {sample}\n\n{all} findings.")), "{sample}: {all}");
    }
}
