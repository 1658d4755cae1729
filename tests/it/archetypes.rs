//! Partnerships that lawyers know: what the packs must find in each, and where they must be silent.
//!
//! What is expected was written from the law before the packs were run. Each line of an `expected.txt` names
//! its source after the bar: a section and row of the legal notes, a row of the review of the rules, or the
//! provision itself. `find` must be there at high or above; `may` is a further word on the same cause; nothing
//! else may be there. `silent` names packs, for a pair or for the whole, and why. A `lawful.yaml` is a partnership
//! done as the law asks: nothing at high or above may be found in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence::testing::packs::names;
use serde_json::Value;

/// A rule and what it is about: a subject, or a source and a sink.
type Found = BTreeSet<(String, String)>;

/// Packs that are not in force fail no audit and are left out.
const NOT_IN_FORCE: [&str; 2] = ["cfpb-1033", "fida-psr"];

fn found(inventory: &Path) -> Found {
    let mut call = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    call.arg("audit").arg(inventory);
    call.args(["--day", "2026-11-30", "--format", "json", "--fail-on", "never"]);
    names().filter(|name| !NOT_IN_FORCE.contains(name)).for_each(|name| {
        call.args(["--policy", name]);
    });
    let run = call.output().unwrap();
    let json: Value = serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|_| panic!("{}: {}", inventory.display(), String::from_utf8_lossy(&run.stderr)));
    let grave = |finding: &&Value| matches!(finding["severity"].as_str(), Some("high" | "critical"));
    let pair = |finding: &Value| {
        let about = match finding["subject"].as_str() {
            Some(subject) => subject.to_owned(),
            None => {
                let place = |key: &str| finding[key]["system"].as_str().unwrap_or_default().to_owned();
                format!("{} -> {}", place("source"), place("sink"))
            }
        };
        (finding["rule"].as_str().unwrap().to_owned(), about)
    };
    json["findings"].as_array().unwrap().iter().filter(grave).map(pair).collect()
}

/// What is wrong with what was found, by the lines of `expected.txt`.
fn wrong(folder: &Path) -> Vec<String> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let found = found(&folder.join("inventory.yaml"));
    let text = fs::read_to_string(folder.join("expected.txt")).unwrap();
    let mut allowed = Found::new();
    let mut rules_allowed = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (claim, source) = line.split_once(" | ").unwrap_or_else(|| panic!("{name}: no source: {line}"));
        assert!(source.len() > 5, "{name}: {line}");
        let (word, rest) = claim.split_once(' ').unwrap();
        let (rule, about) = rest.split_once(' ').unwrap_or((rest, ""));
        let one = (rule.to_owned(), about.to_owned());
        match word {
            "find" if !found.contains(&one) => wrong.push(format!("{name}: missing {line}")),
            "find" => _ = allowed.insert(one),
            "may" if about.is_empty() => _ = rules_allowed.insert(one.0),
            "may" => _ = allowed.insert(one),
            "silent" => {
                wrong.extend(spoken(rest, &found).map(|more| format!("{name}: {more} despite {line}")))
            }
            _ => panic!("{name}: {line}"),
        }
    }
    let more = found.iter().filter(|one| !allowed.contains(one) && !rules_allowed.contains(&one.0));
    wrong.extend(more.map(|(rule, about)| format!("{name}: unexpected {rule} {about}")));
    wrong
}

/// What packs that must be silent say nevertheless: `pack…`, `pack… from -> to` or `pack… subject`.
fn spoken<'a>(rest: &'a str, found: &'a Found) -> impl Iterator<Item = String> + 'a {
    let packs: Vec<&str> = rest.split(' ').take_while(|word| names().any(|name| name == *word)).collect();
    let about = rest[packs.join(" ").len()..].trim();
    assert!(!packs.is_empty(), "a pack: {rest}");
    found.iter().filter_map(move |(rule, of)| {
        let pack = rule.split('/').next().unwrap();
        (packs.contains(&pack) && (about.is_empty() || about == of)).then(|| format!("{rule} {of}"))
    })
}

/// The folders that have a file of that name.
fn with(file: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archetypes");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|folder| folder.join(file).exists()).collect()
}

#[test]
fn packs_say_what_the_law_says_of_partnerships() {
    let folders = with("expected.txt");
    assert_eq!(folders.len(), 27);
    let wrong: Vec<String> = folders.iter().flat_map(|folder| wrong(folder)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn partnerships_done_as_the_law_asks_raise_nothing_at_high_or_above() {
    let folders = with("lawful.yaml");
    assert_eq!(folders.len(), 20);
    for folder in folders {
        assert_eq!(found(&folder.join("lawful.yaml")), Found::new(), "{}", folder.display());
    }
}
