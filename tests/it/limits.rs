//! Limits: just under passes, just over is refused with exit code 2, in words that name the
//! limit, what was met and the flag; and nothing is written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use ringfence::Limits;
use ringfence::source::FileId;
use ringfence::testing::diagnostic::TOLD;
use ringfence::testing::limits::Allowance;
use ringfence::testing::yaml;
use tempfile::TempDir;

/// Two flows that break the policy, and one with an alias.
const INVENTORY: &str = "\
parties:
  - {id: bank, name: Bank, systems: [{id: core, originates: &money [financial]}]}
  - {id: shop, name: Shop, systems: [{id: ads}, {id: web}]}
flows:
  - {id: one, from: bank/core, to: shop/ads, data: *money, purposes: service}
  - {id: two, from: bank/core, to: shop/web, data: financial, purposes: service}
---
parties:
  - {id: other, name: Other}
";

const POLICY: &str = "\
policy: house
title: House
rules:
  - {id: stays, title: Stays, forbid: {data: financial, from: {party: bank}, to: {party: shop}}}
";

/// The first number for which something holds that holds for all above as well.
fn first(most: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut below, mut at) = (1, most);
    assert!(holds(at));
    while below < at {
        let middle = (below + at) / 2;
        if holds(middle) {
            at = middle;
        } else {
            below = middle + 1;
        }
    }
    at
}

struct Place(TempDir);

impl Place {
    fn new(inventory: &str) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        fs::create_dir(place.at("i")).unwrap();
        fs::write(place.at("i/x.yaml"), inventory).unwrap();
        fs::write(place.at("p.yaml"), POLICY).unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The exit code and what is said on standard error.
    fn run(&self, args: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .current_dir(self.0.path())
            .env("CI", "1")
            .args(args)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Audits with these arguments: a report is replaced if the audit is done, and is what it
    /// was if not.
    fn audit(&self, more: &[&str]) -> (i32, String) {
        fs::write(self.at("out.json"), "what was there").unwrap();
        let usual = ["audit", "i", "--policy", "p.yaml", "--fail-on", "low", "--day", "2026-11-23"];
        let done = self.run(&[&usual, &["--format", "json", "--output", "out.json"][..], more].concat());
        let report = fs::read_to_string(self.at("out.json")).unwrap();
        assert_eq!(report == "what was there", done.0 == 2, "{more:?}: {}", done.1);
        let names: Vec<_> = fs::read_dir(self.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{names:?}");
        done
    }

    /// The smallest number, from there on, with which a flag lets the audit through; below it the audit is
    /// refused, every time. What is said just below it.
    fn least(&self, flag: &str) -> (usize, String) {
        let tried = |n: usize| self.audit(&[flag, &n.to_string()]);
        let least = first(if flag == "--max-depth" { Limits::DEEPEST } else { 1 << 14 }, |n| tried(n).0 != 2);
        assert_eq!(tried(least), (1, String::new()), "{flag} {least}");
        let (code, said) = tried(least - 1);
        assert_eq!(code, 2, "{flag} {least}: {said}");
        assert!(said.contains(flag) && said.contains(&format!("limit of {}", least - 1)), "{said}");
        (least, said)
    }
}

#[test]
fn the_size_of_a_file() {
    let place = Place::new(INVENTORY);
    let size = INVENTORY.len();
    assert_eq!(place.audit(&["--max-file-size", &size.to_string()]).0, 1);
    let over = place.audit(&["--max-file-size", &(size - 1).to_string()]);
    insta::assert_snapshot!(over.1);
    assert_eq!(over.0, 2);
    // Also from standard input, of a policy, of a baseline, of settings and of a result.
    let (_, said) = place.run(&["check", "i", "--policy", "p.yaml", "--max-file-size", "100"]);
    assert!(said.contains("`x.yaml` has") && said.contains("`p.yaml` has 131 bytes"), "{said}");
    let stdin = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(["check", "-", "--max-file-size", "100"])
        .write_stdin(INVENTORY)
        .output()
        .unwrap();
    let said = String::from_utf8(stdin.stderr).unwrap();
    assert_eq!(stdin.status.code(), Some(2));
    assert!(said.contains("`<stdin>` has more bytes than the limit of 100"), "{said}");
    assert_eq!(place.audit(&[]).0, 1);
    fs::rename(place.at("out.json"), place.at("before.json")).unwrap();
    let (code, said) = place.audit(&["--baseline", "before.json", "--max-file-size", "2K"]);
    assert_eq!(code, 2);
    assert!(said.contains("`before.json` has more bytes than the limit of 2048"), "{said}");
    let (code, said) = place.run(&["diff", "before.json", "before.json", "--max-file-size", "2K"]);
    assert_eq!(code, 2);
    assert!(said.contains("limit of 2048") && said.contains("--max-file-size"), "{said}");
    fs::write(place.at("ringfence.yaml"), format!("# {}\n", "x".repeat(2048))).unwrap();
    let (code, said) = place.audit(&["--max-file-size", "2K"]);
    assert_eq!(code, 2);
    assert!(said.contains("`ringfence.yaml` has 2051 bytes"), "{said}");
}

#[test]
fn depth() {
    let (least, said) = Place::new(INVENTORY).least("--max-depth");
    assert_eq!(least, 6);
    insta::assert_snapshot!(said);
}

#[test]
fn the_deepest_that_may_be_allowed_is_followed() {
    let most = Limits::DEEPEST;
    let flow = format!("x: {}{}\n", "[".repeat(most - 1), "]".repeat(most - 1));
    let block: String = (0..most).map(|n| format!("{}x:\n", " ".repeat(n))).collect();
    let aliases: String = (1..most - 1).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)).collect();
    for text in [flow, block, format!("a0: &a0 []\n{aliases}")] {
        let place = Place::new(&text);
        for (depth, words) in [(most, "unknown key"), (most - 1, "levels deep, more than the limit of 499")] {
            let (code, said) = place.run(&["check", "i", "--max-depth", &depth.to_string()]);
            assert_eq!(code, 2);
            assert!(said.contains(words), "{depth}: {said:.300}");
        }
    }
    let (code, said) = Place::new("").run(&["check", "i", "--max-depth", "501"]);
    assert_eq!(code, 2);
    assert!(said.contains("501 is not in 1..=500"), "{said}");
}

#[test]
fn aliases() {
    let many = INVENTORY.replace("[financial]", &format!("[{}]", "financial,".repeat(400)));
    let (_, said) = Place::new(&many).least("--max-aliases");
    insta::assert_snapshot!(said);
}

#[test]
fn aliases_of_all_files_count_together() {
    let file = format!("labels: &a [{}]\nb: [{}]\n", "x,".repeat(100), "*a,".repeat(20));
    let place = Place::new(&file);
    let used = |place: &Place| {
        let tried = |n: usize| place.run(&["check", "i", "--max-aliases", &n.to_string()]).1;
        first(1 << 14, |n| !tried(n).contains("too-many-aliases"))
    };
    let one = used(&place);
    for name in ["y", "z"] {
        fs::write(place.at(&format!("i/{name}.yaml")), &file).unwrap();
    }
    let three = used(&place);
    assert!(three > 2 * one + one / 2, "{one} {three}");
}

#[test]
fn documents() {
    let place = Place::new(INVENTORY);
    // One of the policy.
    let (least, said) = place.least("--max-documents");
    assert_eq!(least, 3);
    insta::assert_snapshot!(said);
    for n in 0..4 {
        fs::write(place.at(&format!("i/empty{n}.yaml")), "").unwrap();
    }
    let (least, said) = place.least("--max-documents");
    assert_eq!(least, 5);
    insta::assert_snapshot!(said);
}

#[test]
fn findings() {
    let place = Place::new(INVENTORY);
    let (_, said) = place.least("--max-findings");
    insta::assert_snapshot!(said);
    for command in [
        &["audit", "i", "--policy", "p.yaml", "--fail-on", "never"][..],
        &["baseline", "write", "i", "--policy", "p.yaml", "--output", "b.json"],
        &["diff", "i", "i", "--policy", "p.yaml"],
        &["graph", "i", "--policy", "p.yaml"],
        &["explain", "rf1:01234567", "i", "--policy", "p.yaml"],
    ] {
        let (code, said) = place.run(&[command, &["--max-findings", "1"]].concat());
        assert_eq!(code, 2, "{command:?}: {said}");
        assert!(said.contains("--max-findings"), "{command:?}: {said}");
    }
    assert!(!place.at("b.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn memory() {
    let place = Place::new(INVENTORY);
    assert_eq!(place.audit(&["--max-memory", "4GiB"]).0, 1);
    let (code, said) = place.audit(&["--max-memory", "1MiB"]);
    assert_eq!(code, 2);
    assert!(said.contains("more than the limit of 1048576") && said.contains("--max-memory"), "{said}");
    // Found while it runs.
    let tags = "some-tag,".repeat(2_000_000);
    let text = INVENTORY.replace("purposes: service}", &format!("purposes: service, tags: [{tags}]}}"));
    let (code, said) = Place::new(&text).audit(&["--max-memory", "120M"]);
    assert_eq!(code, 2);
    assert!(said.contains("bytes of memory, more than the limit of 125829120"), "{said:.300}");
    assert_eq!(said.lines().count(), 2, "{said:.300}");
}

#[test]
fn settings_do_not_raise_them() {
    for key in ["max_depth", "max-depth", "limits", "max_file_size", "max_findings"] {
        let place = Place::new(INVENTORY);
        fs::write(place.at("ringfence.yaml"), format!("{key}: 500\n")).unwrap();
        let (code, said) = place.audit(&[]);
        assert_eq!(code, 2, "{key}");
        assert!(said.contains("unknown-key"), "{said}");
    }
}

/// The quick reader gives nothing where the general one would say that a limit is passed.
#[test]
fn both_readers_have_the_same_limits() {
    let texts = [
        "a:\n  - b: [c, {d: e}]\n",
        "- - - a\n",
        "a: b\n---\nc: d\n---\n- e\n",
        "a: {b: {c: [d]}}\n",
        INVENTORY,
    ];
    for text in texts {
        for (depth, documents) in (1..7).flat_map(|depth| (0..4).map(move |n| (depth, n))) {
            let limits = Limits { depth, documents, ..Limits::USUAL };
            let mut mistakes = Vec::new();
            let general = yaml::general(FileId(0), text, &limits, &mut mistakes);
            match yaml::fast(FileId(0), text, &limits) {
                Some(fast) => assert_eq!((fast, mistakes.len()), (general, 0), "{text} {depth} {documents}"),
                None => assert!(!mistakes.is_empty() || text.contains('&'), "{text} {depth} {documents}"),
            }
        }
        let mut allowance = Allowance::new(Limits::USUAL);
        let mut again = Allowance::new(Limits::USUAL);
        let quick = yaml::read(FileId(0), text, &mut allowance, &mut Vec::new());
        let tabs = format!("{text}# \t\n");
        let slow = yaml::read(FileId(0), &tabs, &mut again, &mut Vec::new());
        assert_eq!((quick, allowance.taken), (slow, again.taken), "{text}");
    }
}

#[test]
fn very_many_mistakes_are_told_up_to_a_number() {
    for text in [
        format!("parties: [{}]\n", "x,".repeat(TOLD + 5)),
        format!("parties: [{}]\n", "*x,".repeat(TOLD + 5)),
    ] {
        let (code, said) = Place::new(&text).run(&["check", "i", "--max-errors", "0"]);
        assert_eq!(code, 2);
        assert!(said.contains("there are more than 100000 mistakes"), "{:.300}", said);
        assert!(
            said.ends_with("error: 100001 mistakes in 1 file; nothing was judged\n"),
            "{}",
            &said[said.len() - 100..]
        );
    }
}

/// What is said once and holds for many takes memory many times.
#[test]
fn what_is_repeated_is_limited_with_the_aliases() {
    let tags: String = (0..100).map(|n| format!("tag{n},")).collect();
    let flows: String = (0..50).map(|n| format!("      - {{id: f{n}}}\n")).collect();
    let text = format!(
        "parties: [{{id: a, name: A, systems: [{{id: s}}]}}, {{id: b, name: B, systems: [{{id: t}}]}}]\n\
         agreements:\n  - id: x\n    parties: [a, b]\n    flow_defaults: \
         {{from: a/s, to: b/t, data: financial, purposes: service, tags: [{tags}]}}\n    flows:\n{flows}"
    );
    let place = Place::new(&text);
    let tried = |n: usize| place.run(&["check", "i", "--quiet", "--max-aliases", &n.to_string()]);
    let least = first(1 << 14, |n| tried(n).0 == 0);
    let (code, said) = tried(least - 1);
    assert_eq!(code, 2);
    assert!(said.contains("too-much-repeated") && said.contains("--max-aliases"), "{said}");
}

/// Every finding tells its rule's texts and the names on its way.
#[test]
fn findings_with_very_long_names_count_as_several() {
    let least = |place: &Place| {
        first(1 << 14, |n| place.audit(&["--max-name", "50000", "--max-findings", &n.to_string()]).0 != 2)
    };
    let place = Place::new(INVENTORY);
    let findings = least(&place);
    for (text, long) in [
        ("title: Stays", "title: "),
        ("title: Stays", "title: Stays, why: "),
        ("title: Stays", "title: Stays, cite: "),
    ] {
        let long = format!("{long}{}", "s".repeat(41_000));
        fs::write(place.at("p.yaml"), POLICY.replace(text, &long)).unwrap();
        let more = least(&place);
        assert!(more >= findings + 1000, "{findings} {more}");
    }
    let place = Place::new(&INVENTORY.replace("shop", &"s".repeat(41_000)));
    fs::write(place.at("p.yaml"), POLICY.replace("party: shop", "party: s*")).unwrap();
    let long_name = least(&place);
    assert!(long_name >= findings + 1000, "{findings} {long_name}");
}

/// Of names and texts one character too many is refused, with its place; of keys one level.
#[test]
fn names_texts_and_keys_have_a_length() {
    let declared = |name: &str, title: &str, label: &str, quote: &str, key: &str| {
        INVENTORY.replace(
            "name: Other",
            &format!("name: {name}, title: {title}, labels: {{k: {label}, {label}: v}}"),
        ) + &format!("taxonomy: {{data: {{{key}: {{}}}}}}\n")
            + &format!(
                "statements: [{{id: x, by: other, said: {{quote: {quote}}}, promise: {{forbid: {{data: {key}}}}}}}]\n"
            )
    };
    let long = |n: usize| "n".repeat(n);
    let keys = |levels: usize| vec!["k"; levels].join(".");
    // Characters count, not bytes.
    let whole = declared(&"\u{9280}".repeat(1000), &long(1000), &long(1000), &long(65_536), &keys(64));
    assert_eq!(Place::new(&whole).run(&["check", "i", "--quiet"]), (0, String::new()));
    for (text, said) in [
        (declared(&long(1001), "t", "l", "q", "k"), "a name of 1001 characters, more than the limit of 1000"),
        (declared("n", &long(1001), "l", "q", "k"), "--max-name N"),
        (declared("n", "t", &long(1001), "q", "k"), "--max-name N"),
        (
            declared("n", "t", "l", &long(65_537), "k"),
            "a text of 65537 characters, more than the limit of 65536",
        ),
        (declared("n", "t", "l", &long(65_537), "k"), "--max-text N"),
        (declared("n", "t", "l", "q", &keys(65)), "a key of 65 levels, more than the limit of 64"),
        (declared("n", "t", "l", "q", &keys(65)), "--max-depth N"),
    ] {
        let place = Place::new(&text);
        let (code, told) = place.audit(&[]);
        assert!(code == 2 && told.contains(said) && told.contains("x.yaml:"), "{said}: {told}");
        let raised = ["--max-name", "1001", "--max-text", "65537", "--max-depth", "65"];
        let raised = place.run(&[&["check", "i", "--quiet"][..], &raised].concat());
        assert_eq!(raised.0, 0, "{said}");
    }
}

/// What is large may have more findings without a flag.
#[test]
fn findings_of_what_is_large() {
    let limits = Limits::USUAL;
    assert_eq!((limits.findings_of(0), limits.findings_of(64_000_000)), (100_000, 1_100_000));
    assert_eq!(Limits { findings: Some(7), ..limits }.findings_of(64_000_000), 7);
}
