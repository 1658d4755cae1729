//! Why findings are findings: `ringfence explain FINGERPRINT`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

const DAY: &str = "2026-11-22";

fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args).env_remove("NO_COLOR");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn findings(sample: &str) -> Vec<Value> {
    let (_, out, _) = run(&["audit", sample, "--day", DAY, "--format", "json", "--quiet"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    json["findings"].as_array().unwrap().clone()
}

#[test]
fn one_finding_of_each_sort_step_by_step() {
    let sample = "samples/messenger-banking";
    let all = findings(sample);
    for rule in [
        "core/no-financial-advertising",
        "core/financial-other-use-needs-opt-in",
        "core/no-collapse",
        "core/retention-stated",
        "terms/onward",
        "terms/purpose",
    ] {
        let Some(finding) = all.iter().find(|f| f["rule"] == rule) else { continue };
        let fingerprint = finding["fingerprint"].as_str().unwrap();
        let (code, out, err) = run(&["explain", fingerprint, sample, "--day", DAY]);
        assert_eq!((code, err.as_str()), (0, ""), "{rule}");
        insta::assert_snapshot!(rule.replace('/', "-"), out);
    }
}

#[test]
fn every_finding_of_every_sample_names_each_flow_of_its_chain() {
    for sample in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")).unwrap() {
        let sample = sample.unwrap().path();
        if !sample.is_dir() || sample.ends_with("bad-input") {
            continue;
        }
        let sample = sample.to_str().unwrap();
        let all = findings(sample);
        // Each tenth: every explanation is an audit.
        for finding in all.iter().step_by(10) {
            let fingerprint = finding["fingerprint"].as_str().unwrap();
            let (code, out, err) = run(&["explain", fingerprint, sample, "--day", DAY]);
            assert_eq!((code, err.as_str()), (0, ""), "{fingerprint}");
            let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
            for hop in finding["path"].as_array().unwrap() {
                let step = format!("{} → {} by {}", text(&hop["from"]), text(&hop["to"]), text(&hop["flow"]));
                assert!(flat.contains(&step), "{step}\n{out}");
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn what_names_no_finding_is_an_error() {
    let (code, out, err) = run(&["explain", "rf1:0000000000000000", "samples/messenger-banking"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: there is no finding `rf1:0000000000000000`"), "{err}");
}
