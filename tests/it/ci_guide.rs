//! What the guide to pipelines says can be done, in its order and with its exit codes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::pipeline::{ROOT, Shell, repository};
use serde_yaml::Value;

fn guide() -> String {
    fs::read_to_string(Path::new(ROOT).join("docs/use/ci.md")).unwrap()
}

/// The fenced blocks in a language.
fn blocks(language: &str) -> Vec<String> {
    let guide = guide();
    let fence = format!("\n```{language}\n");
    guide.split(&fence).skip(1).map(|rest| rest.split_once("\n```").unwrap().0.to_owned()).collect()
}

/// The exit code that a block says it has.
fn stated(block: &str) -> i32 {
    let said = block.lines().find_map(|line| line.strip_prefix("# exits with "));
    said.map_or(0, |said| said.split(':').next().unwrap().trim().parse().expect("a number"))
}

#[test]
fn every_command_does_what_the_guide_says() {
    let folder = repository();
    let shell = Shell::new(&folder.path().join("clone"));
    let base = shell.run("git rev-parse origin/main").out;
    let shell = shell.env("BASE", base.trim());
    let blocks = blocks("sh");
    assert!(blocks.len() >= 13, "{} blocks", blocks.len());
    let mut wrong = Vec::new();
    for block in &blocks {
        let said = shell.run(block);
        if said.code != stated(block) {
            wrong.push(format!(
                "{block}\nended with {} instead of {}:\n{}{}",
                said.code,
                stated(block),
                said.out,
                said.err
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_shallow_clone_fetches_its_base_as_the_guide_says() {
    let folder = repository();
    let origin = Shell::new(&folder.path().join("clone"));
    let base = origin.run("git push --quiet origin change; git rev-parse origin/main").out;
    origin.run("git clone --quiet --depth 1 --branch change \"file://$PWD/../origin.git\" ../shallow");
    let shallow = Shell::new(&folder.path().join("shallow")).env("BASE", base.trim());
    let compare = "ringfence diff \"git:$BASE\" git:HEAD";
    assert_eq!(shallow.run(compare).code, 2);
    let fetch = blocks("sh").into_iter().find(|block| block.contains("git fetch")).unwrap();
    let said = shallow.run(&fetch);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(shallow.run(compare).code, 1);
}

#[test]
fn what_jenkins_runs_finds_the_flow() {
    let folder = repository();
    let shell = Shell::new(&folder.path().join("clone")).env("CHANGE_TARGET", "main");
    let mut runs = 0;
    for block in blocks("groovy") {
        // What the change committed under that name is gone before anything is judged.
        std::os::unix::fs::symlink("..", folder.path().join("clone/ringfence-reports")).unwrap();
        for line in block.lines().filter_map(|line| line.trim().strip_prefix("sh '")) {
            let said = shell.run(line.strip_suffix('\'').unwrap());
            let wanted = if line.starts_with("rm ") { (0, false) } else { (1, true) };
            assert_eq!((said.code, said.out.contains("messenger-to-audiences")), wanted, "{}", said.err);
            runs += 1;
        }
        let report = folder.path().join("clone/ringfence-reports/junit.xml");
        assert!(block.contains("testResults: 'ringfence-reports/junit.xml'") && report.is_file());
        assert!(!folder.path().join("junit.xml").exists());
    }
    assert_eq!(runs, 2);
}

#[test]
fn settings_shown_for_services_are_such() {
    let read = |file: &str| -> Value {
        serde_yaml::from_str(&fs::read_to_string(Path::new(ROOT).join(file)).unwrap()).unwrap()
    };
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_mapping().unwrap().keys().map(|key| key.as_str().unwrap().to_owned()).collect()
    };
    let inputs = names(&read("action.yml")["inputs"]);
    let hooks: Vec<String> = read(".pre-commit-hooks.yaml")
        .as_sequence()
        .unwrap()
        .iter()
        .map(|hook| hook["id"].as_str().unwrap().to_owned())
        .collect();
    let gitlab = fs::read_to_string(Path::new(ROOT).join("ci/gitlab.yml")).unwrap();
    let mut seen = 0;
    for block in blocks("yaml") {
        let shown: Value = serde_yaml::from_str(&block).unwrap();
        if let Some(steps) = shown["jobs"]["ringfence"]["steps"].as_sequence() {
            let ours = steps.iter().find(|s| s["uses"].as_str().unwrap().starts_with("OWNER/")).unwrap();
            assert!(names(&ours["with"]).is_subset(&inputs));
            seen += 1;
        } else if let Some(repos) = shown["repos"].as_sequence() {
            let ids =
                repos[0]["hooks"].as_sequence().unwrap().iter().map(|h| h["id"].as_str().unwrap().to_owned());
            assert_eq!(ids.collect::<Vec<_>>(), hooks);
            seen += 1;
        } else {
            let file = shown["include"][0]["file"].as_str().unwrap();
            assert!(Path::new(ROOT).join(file.trim_start_matches('/')).is_file());
            assert!(names(&shown["variables"]).iter().all(|name| gitlab.contains(&format!("${name}"))));
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}
