//! What `docs/use/policy-language.md` says of the language is what the program knows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use ringfence::testing::fields::{Declaration, asked_of};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("ringfence").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The keys or fields that the program says it knows, for each key `zzzzzzzzzz` of a rule.
fn known(rule: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let policy = format!("policy: p\nrules:\n  - {{id: r, {rule}}}\n");
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    fs::create_dir(folder.path().join("i")).unwrap();
    fs::write(folder.path().join("i/empty.yaml"), "parties: []\n").unwrap();
    let (code, _, err) = run(folder.path(), &["check", "i", "--policy", "policy.yaml"]);
    assert_eq!(code, 2, "{rule}");
    let lists = err.split("= help: known").skip(1);
    let words: Vec<String> = lists
        .flat_map(|list| list.lines().next().unwrap().split_once(':').unwrap().1.split(','))
        .map(|word| word.trim().to_owned())
        .collect();
    assert!(words.len() > 1, "{rule}: {err}");
    words
}

#[test]
fn the_page_has_every_key() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/use/policy-language.md")).unwrap();
    let unknown = "zzzzzzzzzzzzzzzz: 1";
    let rules = [
        format!("forbid: {{data: [financial]}}, {unknown}"),
        format!("forbid: {{data: [financial], {unknown}}}"),
        format!("forbid: {{data: [financial], unless: {{through: {{tag: a}}, {unknown}}}}}"),
        format!("forbid: {{from: {{{unknown}}}}}"),
        format!("forbid: {{to: {{{unknown}}}}}"),
        format!("forbid: {{data: [financial], unless: {{through: {{{unknown}}}}}}}"),
        format!("forbid: {{data: [financial], unless: {{through: {{agreement: {{{unknown}}}}}}}}}"),
        format!("limit: {{together: [financial], {unknown}}}"),
        format!("require: {{on: flow, must: {{id: {{present: true}}}}, {unknown}}}"),
        format!("require: {{on: agreement, where: {{{unknown}}}, must: {{id: {{present: true}}}}}}"),
        format!("require: {{on: agreement, must: {{id: {{present: true, {unknown}}}}}}}"),
    ];
    for rule in rules {
        for key in known(&rule).iter().filter(|key| !key.starts_with("labels.")) {
            let there = [format!("`{key}`"), format!("`{key}:"), format!(".{key}`")];
            assert!(there.iter().any(|word| page.contains(word)), "{key} of {rule}");
        }
    }
    for of in [Declaration::Agreement, Declaration::Flow, Declaration::System, Declaration::Party] {
        for field in asked_of(of).map(|field| field.key) {
            assert!(page.contains(&format!("`{field}`")), "{field}");
        }
    }
}

#[test]
fn assurances_of_an_age_and_labels_are_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "policy: p\nrules:\n  - id: flows\n    forbid:\n      data: [financial]\n      \
                  to: {label: {gatekeeper: '*', fi: ['no', 'n*']}}\n      unless:\n        \
                  through: {agreement: {assurance: [notice, {id: authorisation, at_most: 1y}]}}\n  \
                  - id: said\n    require:\n      on: agreement\n      where: {label: {order: C-1}}\n      \
                  must: {assurances: {includes: [notice, {id: dpia, at_most: unlimited}]}}\n";
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let said = |rule: &str| {
        let (code, out, err) = run(folder.path(), &["explain", rule, "--policy", "policy.yaml"]);
        assert_eq!((code, err.as_str()), (0, ""));
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let flows = said("p/flows");
    for words in [
        "a system where its label `fi` is `n*` or `no` and it has the label `gatekeeper`",
        "its agreement is one where it has the assurance `authorisation` given at most 1 year before the day judged or `notice`",
    ] {
        assert!(flows.contains(words), "{flows}");
    }
    let said = said("p/said");
    for words in ["where its label `order` is `C-1`", "includes `dpia` with a date and `notice`"] {
        assert!(said.contains(words), "{said}");
    }
}
