//! `ringfence graph`, from the outside.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

/// Runs it on a sample: exit code, standard output, standard error.
fn graph(sample: &str, args: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = Path::new(SAMPLES).join(sample);
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(folder.path()).arg("graph").arg(path).args(["--day", "2026-11-23"]).args(args);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The flows that are drawn with some filter.
fn flows(sample: &str, args: &[&str]) -> Vec<String> {
    let (code, out, err) = graph(sample, &[args, &["--format", "json"]].concat());
    // What `--status` leaves out is told beside the picture.
    let told = err.lines().all(|line| line.starts_with("note: left out: "));
    assert!(code == 0 && told && err.is_empty() != args.contains(&"--status"), "{args:?}: {err}");
    let picture: serde_json::Value = serde_json::from_str(&out).unwrap();
    let edges = picture["edges"].as_array().unwrap();
    let flows = edges.iter().flat_map(|e| e["flows"].as_array().unwrap());
    flows.map(|f| f["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_filter_leaves_what_it_names() {
    let all = flows("messenger-banking", &[]);
    assert_eq!(all.len(), 42);
    let some = |args: &[&str]| {
        let some = flows("messenger-banking", args);
        assert!(!some.is_empty() && some.len() < all.len(), "{args:?}: {}", some.len());
        some
    };
    assert!(
        some(&["--data", "financial.bill"]).iter().all(|f| f.ends_with("request") || f.ends_with("bills"))
    );
    assert!(some(&["--purpose", "advertising"]).contains(&"profiles-to-ranking".to_owned()));
    assert!(some(&["--party", "jpmorgan-*"]).iter().all(|f| f.starts_with("chase-messenger/")));
    assert!(some(&["--agreement", "*-linking"]).iter().all(|f| f.contains("-linking/")));
    let both = some(&["--agreement", "*-linking", "--data", "financial.bill"]);
    assert!(both.len() < some(&["--agreement", "*-linking"]).len(), "all filters must hold");
    assert!(!some(&["--status", "active"]).iter().any(|f| f.starts_with("chase-")));
    assert!(some(&["--status", "suspended"]).iter().all(|f| !f.contains('/')), "those under no agreement");
    let grave = some(&["--severity", "critical"]);
    assert!(some(&["--violations"]).len() >= grave.len());
    assert!(grave.contains(&"messenger-export".to_owned()));
}

#[test]
fn a_finding_is_drawn_by_its_fingerprint_or_the_start_of_it() {
    let (_, out, _) = graph("open-banking", &["--format", "json"]);
    let picture: serde_json::Value = serde_json::from_str(&out).unwrap();
    let fingerprint = picture["edges"][0]["findings"][0].as_str().unwrap().to_owned();
    let whole = flows("open-banking", &["--finding", &fingerprint]);
    assert_eq!(flows("open-banking", &["--finding", &fingerprint[..10]]), whole);
    assert_eq!(flows("open-banking", &["--finding", &fingerprint[4..12]]), whole);
    let (code, out, err) = graph("open-banking", &["--finding", "rf1:0000000000000000"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: there is no finding `rf1:0000000000000000`"), "{err}");
    assert_eq!(graph("open-banking", &["--finding", "rf1:"]).0, 2);
}

#[test]
fn what_matches_nothing_says_so() {
    for (args, words) in [
        (["--data", "finacial"], "there is no data category `finacial`; did you mean `financial`?"),
        (["--purpose", "advertizing"], "there is no purpose `advertizing`; did you mean `advertising`?"),
        (["--party", "facebok"], "there is no party `facebok`; did you mean `facebook`?"),
        (["--agreement", "none-*"], "there is no agreement `none-*`"),
        (["--data", "derived.model"], "no flow in scope matches --data derived.model"),
    ] {
        let (code, out, err) = graph("messenger-banking", &args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.starts_with("error: ") && err.contains(words), "{err}");
    }
    let (code, _, err) = graph("messenger-banking-fenced", &["--violations"]);
    assert_eq!(code, 2);
    assert_eq!(err, "error: there is nothing to draw: no flow in scope matches --violations\n");
}

#[test]
fn a_file_has_the_bytes_that_would_be_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.svg");
    let (code, out, err) = graph("open-banking", &["--output", file.to_str().unwrap()]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    assert_eq!(fs::read_to_string(file).unwrap(), graph("open-banking", &[]).1);
}

#[test]
fn parties_alone_or_all_systems() {
    let (_, overview, _) = graph("messenger-banking", &["--overview"]);
    assert!(overview.contains("class=\"rf-diagram overview\"") && !overview.contains("data-system"));
    let (_, systems, _) = graph("messenger-banking", &["--systems"]);
    assert_eq!(systems, graph("messenger-banking", &[]).1);
    assert_eq!(graph("messenger-banking", &["--systems", "--overview"]).0, 2);
}
