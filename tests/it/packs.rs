//! The packs: every rule says what it rests on, has tests that show what it does and does not
//! do, and no part of it goes untested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ringfence::source::Sources;
use ringfence::testing::packs::{PACKS, Pack};
use ringfence::testing::policy::Policy;
use ringfence::testing::policy_test;
use ringfence::testing::policy_test::Suite;
use ringfence::vocabulary::{Confidence, Severity};
use ringfence::{Request, load};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn policy(pack: &Pack) -> Policy {
    let request = Request { policies: vec![pack.id.to_owned()], ..Request::default() };
    load(&request, &mut Sources::new()).unwrap().policies.remove(0)
}

fn suite(pack: &Pack, sources: &mut Sources) -> Suite {
    policy_test::read(&[PathBuf::from(pack.id)], |_, _, _| true, ringfence::Limits::USUAL, sources)
        .unwrap_or_else(|mistakes| panic!("{}: {mistakes:#?}", pack.id))
}

/// All packs: one without tests is no pack.
fn tested() -> impl Iterator<Item = &'static Pack> {
    PACKS.iter()
}

/// Does something for each pack that has tests, all at once; tells all that is wrong.
fn each_tested(wrong: impl Fn(&'static Pack) -> Vec<String> + Sync) {
    let all: Vec<String> = std::thread::scope(|scope| {
        let wrong = &wrong;
        let threads: Vec<_> = tested().map(|pack| scope.spawn(move || wrong(pack))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn everything_below_policies_is_embedded() {
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let ids: BTreeSet<String> = PACKS.iter().map(|p| p.id.to_owned()).collect();
    assert_eq!(names(&folder()), ids);
    for pack in PACKS {
        let there = names(&folder().join(pack.id).join("tests"));
        let known: BTreeSet<String> = pack.tests.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, known, "{}", pack.id);
        assert_eq!(policy(pack).id.value, pack.id);
        assert!(pack.readme.starts_with("# "), "{}", pack.id);
    }
}

#[test]
fn all_tests_of_all_packs_pass() {
    each_tested(|pack| {
        let mut sources = Sources::new();
        let suite = suite(pack, &mut sources);
        let outcomes = policy_test::run(&suite, &sources);
        let failed = suite.cases.iter().zip(&outcomes).filter(|(_, outcome)| !outcome.passed());
        failed.map(|(case, o)| format!("{}: {}: {:#?}", case.file, case.name, o.differences)).collect()
    });
}

#[test]
fn every_rule_has_two_tests_that_differ_in_one_value_and_in_what_is_found() {
    each_tested(|pack| {
        let mut sources = Sources::new();
        let suite = suite(pack, &mut sources);
        // By what a test expects: that it is found is another test.
        let triggers = |at: usize| suite.cases[at].finds.as_ref().is_some_and(|finds| !finds.is_empty());
        let silent = |at: usize| suite.cases[at].finds.as_ref().is_some_and(Vec::is_empty);
        let mut paired: BTreeSet<&str> = BTreeSet::new();
        for (at, case) in suite.cases.iter().enumerate() {
            let (Some(base), [rule], 1) = (case.based_on, case.judged.as_slice(), case.changes) else {
                continue;
            };
            let before = &suite.cases[base];
            let same = before.judged == case.judged
                && before.options.day == case.options.day
                && before.options.scope.as_of == case.options.scope.as_of
                && before.options.scope.statuses == case.options.scope.statuses;
            if same && (triggers(base) && silent(at) || silent(base) && triggers(at)) {
                paired.insert(&rule.id);
            }
        }
        let rules = policy(pack).rules;
        let ids = rules.iter().map(|rule| format!("{}/{}", pack.id, rule.id.value));
        ids.filter(|id| !paired.contains(id.as_str())).map(|id| format!("{id} has no such pair")).collect()
    });
}

#[test]
fn no_part_of_a_rule_goes_untested() {
    each_tested(|pack| {
        let mut sources = Sources::new();
        let suite = suite(pack, &mut sources);
        let coverage = policy_test::coverage(&suite, &sources);
        assert_eq!(coverage.rules.len(), policy(pack).rules.len(), "{}", pack.id);
        let rules = coverage.rules.iter();
        rules.flat_map(|r| r.unexercised.iter().map(move |part| format!("{}: {part}", r.id))).collect()
    });
}

/// The rows of the legal notes, and the least that each was read in.
fn law() -> BTreeMap<&'static str, Confidence> {
    let lines = include_str!("law_rows.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (row, read) = line.split_once(": ").unwrap();
            let letters: BTreeSet<&str> = read
                .split(|c: char| !c.is_alphanumeric())
                .filter(|w| matches!(*w, "V" | "S" | "G"))
                .collect();
            let best = match (letters.contains("V"), letters.contains("S")) {
                (true, _) => Confidence::Verified,
                (false, true) => Confidence::Secondary,
                (false, false) => Confidence::Memory,
            };
            (row, best)
        })
        .collect()
}

#[test]
fn every_rule_says_what_it_rests_on_and_what_it_cannot_see() {
    let law = law();
    assert!(law.len() > 60);
    let mut wrong = Vec::new();
    for pack in PACKS.iter().filter(|pack| pack.id != "core") {
        let policy = policy(pack);
        let said = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.trim().is_empty());
        for (key, there) in [
            ("title", said(&policy.title)),
            ("version", said(&policy.version)),
            ("as_of", policy.as_of.is_some()),
            ("about", said(&policy.about)),
            ("cannot_see", said(&policy.cannot_see)),
        ] {
            if !there {
                wrong.push(format!("{} lacks `{key}`", pack.id));
            }
        }
        for rule in &policy.rules {
            let id = format!("{}/{}", pack.id, rule.id.value);
            let verified = rule.confidence == Some(Confidence::Verified);
            if rule.severity == Severity::Critical && !verified {
                wrong.push(format!("{id} is critical, and its law was not read in the text"));
            }
            if rule.as_of.is_none() {
                wrong.push(format!("{id} lacks `as_of`"));
            }
            for (key, there) in [
                ("title", said(&rule.title)),
                ("law", !rule.law.is_empty()),
                ("confidence", rule.confidence.is_some()),
                ("sees", said(&rule.sees)),
                ("cannot_see", said(&rule.cannot_see)),
                ("cite", !rule.cite.is_empty()),
                ("why", said(&rule.why)),
                ("remedy", said(&rule.remedy)),
            ] {
                if !there {
                    wrong.push(format!("{id} lacks `{key}`"));
                }
            }
            for row in &rule.law {
                match law.get(row.as_str()) {
                    None => wrong.push(format!("{id}: there is no row {row}")),
                    // Better read than any part of its row was.
                    Some(best) if rule.confidence.is_some_and(|c| c < *best) => {
                        wrong.push(format!("{id}: {row} was read in no better than {best} text"));
                    }
                    Some(_) => {}
                }
            }
            for part in [&rule.why, &rule.remedy, &rule.title, &rule.sees].into_iter().flatten() {
                let claims = ["compliant", "compliance"].into_iter().find(|word| part.contains(word));
                if let Some(word) = claims {
                    wrong.push(format!("{id} says `{word}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the page of the packs says of each: a section with its rules from memory and the words that it reads.
#[test]
fn the_page_has_the_words_and_the_doubts_of_each_pack() {
    let root = folder().parent().unwrap().to_owned();
    let page = fs::read_to_string(root.join("docs/use/packs.md")).unwrap();
    let words = fs::read_to_string(root.join("taxonomy/vocabulary.yaml")).unwrap();
    let words: serde_yaml::Value = serde_yaml::from_str(&words).unwrap();
    for pack in PACKS {
        let (_, section) = page.split_once(&format!("\n## {}\n", pack.id)).expect(pack.id);
        let section = section.split("\n## ").next().unwrap();
        for key in ["**For**", "**Sees**", "**Cannot see**", "**Its words**", "**Its doubts**"] {
            assert!(section.contains(key), "{}: {key}", pack.id);
        }
        let reads = |about: &serde_yaml::Value| {
            about["laws"].as_sequence().is_some_and(|laws| laws.iter().any(|law| law == pack.id))
        };
        for sort in ["assurances", "safeguards", "labels", "tags"] {
            for (word, _) in words[sort].as_mapping().unwrap().iter().filter(|(_, about)| reads(about)) {
                assert!(section.contains(&format!("`{}`", word.as_str().unwrap())), "{}: {word:?}", pack.id);
            }
        }
        let policy = policy(pack);
        let of_memory = policy.rules.iter().filter(|rule| rule.confidence == Some(Confidence::Memory));
        for rule in of_memory {
            assert!(section.contains(&format!("`{}`", rule.id.value)), "{}: {}", pack.id, rule.id.value);
        }
        assert!(section.contains(&format!("{} rules", policy.rules.len())), "{}", pack.id);
    }
}
