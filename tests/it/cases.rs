//! What declarations mean, by hand-computed cases: `tests/cases/*`.
//!
//! A case is a folder with an inventory (`inv`), a policy unless the arguments name one, the arguments
//! of `ringfence audit` (`args`) and what must come of it (`expected.json`): `about` says of which rule of reading it
//! is; `only` are globs of rules, whose findings must be those listed; of a finding each key given
//! must agree, `data` and `arrives_as` as sets of leaves; `length` is that of its path. `notices` are
//! globs of a code and of a message with its subjects, which a notice must match; `error` are words of the mistakes
//! that it ends with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn glob(pattern: &str, text: &str) -> bool {
    ringfence::testing::glob::Glob::new(pattern).matches(text)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The leaves below some categories, by the built-in taxonomy.
fn leaves(keys: &Value, tree: &Value) -> BTreeSet<String> {
    let keys = texts(keys);
    let below = |leaf: &str| keys.iter().any(|key| leaf == key || leaf.starts_with(&format!("{key}.")));
    let all = tree["data"].as_array().unwrap().iter().filter(|entry| entry["leaf"] == true);
    let all = all.map(|entry| entry["key"].as_str().unwrap());
    all.filter(|leaf| below(leaf)).map(str::to_owned).collect()
}

fn taxonomy() -> Value {
    let run = Command::new(env!("CARGO_BIN_EXE_ringfence")).args(["taxonomy", "--format", "json"]).output();
    serde_json::from_slice(&run.unwrap().stdout).unwrap()
}

fn place(value: &Value) -> Value {
    if value["system"].is_null() { value["party"].clone() } else { value["system"].clone() }
}

/// In which keys a finding is another than expected; `None` if it is another one altogether.
fn differences(expected: &Value, found: &Value, tree: &Value) -> Option<Vec<String>> {
    let mut wrong = Vec::new();
    for (key, wanted) in expected.as_object().unwrap() {
        let flows = || found["path"].as_array().unwrap().iter().map(|hop| hop["flow"].clone());
        let (is_key, same) = match key.as_str() {
            "source" | "sink" => (true, place(&found[key]) == *wanted),
            "rule" | "flow" | "subject" => (true, found[key] == *wanted),
            "agreements" if expected["flow"].is_null() => (true, found[key] == *wanted),
            "data" | "arrives_as" => (false, leaves(&found[key], tree) == leaves(wanted, tree)),
            "length" => (false, Some(flows().count() as u64) == wanted.as_u64()),
            "path" => (false, flows().collect::<Vec<_>>() == *wanted.as_array().unwrap()),
            _ => (false, found[key] == *wanted),
        };
        match (is_key, same) {
            (_, true) => {}
            (true, false) => return None,
            (false, false) => wrong.push(format!("{key}: expected {wanted}, found {}", found[key])),
        }
    }
    Some(wrong)
}

fn check(case: &Path, tree: &Value) -> Vec<String> {
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(case.join("expected.json")).unwrap()).unwrap();
    let args = fs::read_to_string(case.join("args")).unwrap();
    let mut call = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    call.current_dir(case).args(["audit", "inv"]).args(args.split_whitespace());
    if case.join("policy.yaml").exists() {
        call.args(["--policy", "policy.yaml"]);
    }
    let run = call.args(["--format", "json"]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let mut wrong = Vec::new();
    if let Some(words) = expected["error"].as_array() {
        if run.status.code() != Some(2) {
            wrong.push(format!("exit {:?}, not 2", run.status.code()));
        }
        let missing = words.iter().filter_map(Value::as_str).filter(|word| !said.contains(word));
        wrong.extend(missing.map(|word| format!("the mistake does not name {word}: {said}")));
        return wrong;
    }
    let Ok(json) = serde_json::from_slice::<Value>(&run.stdout) else {
        return vec![format!("exit {:?}: {said}", run.status.code())];
    };
    if let Some(exit) = expected["exit"].as_i64()
        && run.status.code().map(i64::from) != Some(exit)
    {
        wrong.push(format!("exit {:?}, not {exit}", run.status.code()));
    }
    wrong.extend(crate::causes::misattributed(&json));
    let only = texts(&expected["only"]);
    let concerned = |rule: &str| only.is_empty() || only.iter().any(|pattern| glob(pattern, rule));
    let mut found: Vec<&Value> = json["findings"].as_array().unwrap().iter().collect();
    found.retain(|finding| concerned(finding["rule"].as_str().unwrap()));
    for wanted in expected["findings"].as_array().into_iter().flatten() {
        let at = found.iter().position(|finding| differences(wanted, finding, tree).is_some());
        match at.map(|at| found.remove(at)) {
            None => wrong.push(format!("missing: {wanted}")),
            Some(finding) => wrong.extend(differences(wanted, finding, tree).unwrap()),
        }
    }
    wrong.extend(found.iter().map(|finding| format!("unexpected: {finding}")));
    if let Some(counting) = expected["counting_flows"].as_u64()
        && json["inventory"]["counting_flows"] != counting
    {
        wrong.push(format!("{} flows count, not {counting}", json["inventory"]["counting_flows"]));
    }
    let relied = json["relied_on"].as_array().unwrap();
    let is_relied = |wanted: &Value| {
        let wanted = texts(wanted);
        relied.iter().any(|one| {
            let keys = ["rule", "flow", "claim"].map(|key| one[key].as_str().unwrap_or_default().to_owned());
            wanted.iter().zip(&keys).all(|(pattern, text)| glob(pattern, text))
        })
    };
    for wanted in expected["relied"].as_array().into_iter().flatten().filter(|one| !is_relied(one)) {
        wrong.push(format!("not relied on: {wanted}, but {}", json["relied_on"]));
    }
    for refused in expected["not_relied"].as_array().into_iter().flatten().filter(|one| is_relied(one)) {
        wrong.push(format!("relied on: {refused}"));
    }
    let said = |wanted: &Value| {
        let wanted = texts(wanted);
        json["notices"].as_array().unwrap().iter().any(|notice| {
            let said = notice["message"].as_str().unwrap_or_default();
            let subjects = texts(&notice["subjects"]).join(", ");
            let keys =
                [notice["code"].as_str().unwrap_or_default().to_owned(), format!("{said}: {subjects}")];
            wanted.iter().zip(&keys).all(|(pattern, text)| glob(pattern, text))
        })
    };
    for wanted in expected["notices"].as_array().into_iter().flatten().filter(|one| !said(one)) {
        wrong.push(format!("no such notice: {wanted}, but {}", json["notices"]));
    }
    wrong
}

#[test]
fn declarations_mean_what_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let tree = taxonomy();
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        wrong.extend(check(case, &tree).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(!cases.is_empty());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
