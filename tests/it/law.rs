//! Set-ups that lawyers know: what the packs find in each at high or above, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PACKS: [&str; 11] = [
    "core",
    "gdpr",
    "glba",
    "ccpa",
    "psd2",
    "uk-gdpr",
    "uk-open-banking",
    "swiss-fadp",
    "fcra",
    "singapore",
    "dma-dsa",
];

fn found(file: &Path) -> BTreeSet<String> {
    let mut call = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    call.arg("audit").arg(file).args(["--day", "2026-11-30", "--format", "json", "--fail-on", "never"]);
    PACKS.iter().for_each(|pack| {
        call.args(["--policy", pack]);
    });
    let run = call.output().unwrap();
    let json: Value = serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|_| panic!("{}: {}", file.display(), String::from_utf8_lossy(&run.stderr)));
    let case = file.file_stem().unwrap().to_string_lossy().into_owned();
    let of_packs = |finding: &&Value| {
        let grave = matches!(finding["severity"].as_str(), Some("high" | "critical"));
        grave && PACKS.iter().any(|pack| finding["rule"].as_str().unwrap().starts_with(&format!("{pack}/")))
    };
    let line = |finding: &Value| {
        let place = |key: &str| finding[key]["system"].as_str().unwrap_or_default().to_owned();
        let about = match finding["subject"].as_str() {
            Some(subject) => subject.to_owned(),
            None => format!("{}→{}", place("source"), place("sink")),
        };
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        format!("{case} {} {} {about}", text("severity"), text("rule"))
    };
    json["findings"].as_array().unwrap().iter().filter(of_packs).map(line).collect()
}

#[test]
fn packs_find_what_counsel_would_and_no_more() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/law");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let found: BTreeSet<String> = files.flat_map(|file| found(&file)).collect();
    let text = fs::read_to_string(folder.join("expected.txt")).unwrap();
    let expected: BTreeSet<String> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    let missing: Vec<&String> = expected.difference(&found).collect();
    let wrong: Vec<&String> = found.difference(&expected).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "missing: {missing:#?}\nwrong: {wrong:#?}");
}
