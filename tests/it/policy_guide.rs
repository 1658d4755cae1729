//! What the guide to writing policies says can be done, in its order and with its exit codes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::pipeline::{ROOT, Shell};
use serde_yaml::Value;

fn guide() -> String {
    fs::read_to_string(Path::new(ROOT).join("docs/use/writing-policies.md")).unwrap()
}

/// The fenced blocks in a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split_once("\n```").unwrap().0.to_owned()).collect()
}

/// The files that the guide has written, by name.
fn files(text: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for block in blocks(text, "yaml") {
        let first = block.lines().next().unwrap();
        let name = first.strip_prefix("# ").unwrap_or_else(|| panic!("no name: {first}"));
        assert!(Path::new(name).extension().is_some_and(|e| e == "yaml"), "{name}");
        assert!(files.insert(name.to_owned(), block.clone()).is_none(), "{name} is shown twice");
    }
    files
}

/// The exit code that a block says it has, and what it says is printed.
fn stated(block: &str) -> (i32, Vec<String>) {
    let Some(said) = block.lines().next().unwrap().strip_prefix("# exits with ") else {
        return (0, Vec::new());
    };
    let (code, because) = said.split_once(": ").expect("a reason");
    (code.parse().expect("a number"), because.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

#[test]
fn every_command_does_what_the_guide_says() {
    let text = guide();
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files(&text) {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    let shell = Shell::new(folder.path());
    let blocks = blocks(&text, "sh");
    assert!(blocks.len() >= 20, "{} blocks", blocks.len());
    let mut wrong = Vec::new();
    for block in &blocks {
        let (code, named) = stated(block);
        let said = shell.run(block);
        let printed = format!("{}{}", said.out, said.err);
        if said.code != code {
            wrong.push(format!("{block}\nended with {} instead of {code}:\n{printed}", said.code));
        }
        assert!(code == 0 || !named.is_empty(), "{block}\nsays not by what");
        for name in named.iter().filter(|name| !printed.contains(name.as_str())) {
            wrong.push(format!("{block}\nprints no {name}:\n{printed}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The entries of a top-level list, each with its id and how many lines it takes.
fn entries(content: &str, key: &str) -> Vec<(String, usize)> {
    let start = format!("{key}:");
    let mut all: Vec<(String, usize)> = Vec::new();
    for line in content.lines().skip_while(|line| *line != start).skip(1).take_while(|l| l.starts_with(' ')) {
        if let Some(id) = line.strip_prefix("  - id: ") {
            all.push((id.to_owned(), 0));
        }
        all.last_mut().expect("an id first").1 += 1;
    }
    all
}

#[test]
fn nine_clauses_in_fifteen_lines_each_of_which_three_requirements_follow_flows() {
    let files = files(&guide());
    let below = |folder: &str, key: &str| -> Vec<(String, usize)> {
        let here = files.iter().filter(|(name, _)| name.starts_with(folder));
        here.flat_map(|(_, content)| entries(content, key)).collect()
    };
    let statements = below("august/", "statements");
    let rules = below("clauses/", "rules");
    assert_eq!((statements.len(), rules.len()), (3, 6));
    for (id, lines) in statements.iter().chain(&rules).chain(&below("house/", "rules")) {
        assert!((5..=15).contains(lines), "{id} takes {lines} lines");
    }
    let mut following = 0;
    let policies = files.iter().filter(|(name, _)| name.starts_with("clauses/"));
    for (name, content) in policies.filter(|(name, _)| name.ends_with("/policy.yaml")) {
        let policy: Value = serde_yaml::from_str(content).unwrap();
        let rule = &policy["rules"][0];
        following += usize::from(rule.get("require").is_none());
        for key in ["why", "remedy", "cite", "law", "confidence"] {
            assert!(rule.get(key).is_some(), "{name} lacks {key}");
        }
        let folder = name.strip_suffix("/policy.yaml").unwrap();
        let tests: Value = serde_yaml::from_str(&files[&format!("{folder}/tests.yaml")]).unwrap();
        let silent = |test: &Value| test["finds"].as_sequence().unwrap().is_empty();
        let all = tests["tests"].as_sequence().unwrap();
        assert!(all.iter().any(silent) && !all.iter().all(silent), "{folder}");
        assert!(blocks(&guide(), "sh").contains(&format!("ringfence test {folder} --fail-under 100")));
    }
    assert_eq!(following, 3);
    // Each promise is audited once where it is kept and once where it is not.
    for (id, _) in statements {
        let said = blocks(&guide(), "sh");
        let audits = said.iter().filter(|b| b.contains(&format!("august/{id}.yaml"))).map(|b| stated(b));
        let mut codes: Vec<_> = audits.collect();
        codes.sort();
        assert_eq!(codes, [(0, Vec::new()), (1, vec![format!("statement/{id}")])]);
    }
}
