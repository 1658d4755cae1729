//! Routes by which a change could bring a leak past `diff`: each was tried with the program, and none
//! passes. What a plain `diff` takes at its word is stopped by `--fail-on-widening`.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use crate::gate::{Tree, diff, git, repository};

/// A bank's account data reaches an app for service; nothing of it is used for advertising.
const BASE: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, jurisdiction: US, systems: [{id: core, purposes: [service.account], originates: [financial.account]}]}
  - {id: app, name: App, role: platform, jurisdiction: US, systems: [{id: chat, purposes: [service.account]}, {id: ads, purposes: [advertising.ranking]}]}
agreements:
  - id: deal
    provider: bank
    parties: [bank, app]
    flows:
      - {id: f, from: bank/core, to: app/chat, data: [financial.account], purposes: [service.account], retention: 30d, consent: opt_in}
";

const LEAK: &str = "flows:\n  - {id: leak, from: app/chat, to: app/ads, data: [financial], purposes: [advertising.ranking]}\n";

const HOUSE: &str = "policy: house\nrules: [{id: r, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}]\n";

const SETTINGS: &str = "inventory: inventory\npolicies: [house.yaml]\n";

fn base() -> Vec<(&'static str, &'static str)> {
    vec![("inventory/i.yaml", BASE), ("house.yaml", HOUSE), ("ringfence.yaml", SETTINGS)]
}

/// What of BASE is replaced, and what is added, give HEAD.
fn head<'t>(files: &[(&'t str, &'t str)]) -> Vec<(&'t str, &'t str)> {
    let mut all = base();
    all.retain(|(name, _)| files.iter().all(|(own, _)| own != name));
    // An empty text: the file is gone.
    all.into_iter().chain(files.iter().copied().filter(|(_, text)| !text.is_empty())).collect()
}

/// The codes of a plain `diff` and of one with the gate.
fn codes(base: Tree, head: Tree) -> [i32; 2] {
    let folder = repository(base, head);
    ["", " --fail-on-widening"].map(|gate| diff(folder.path(), &format!("git:main git:HEAD{gate}")).code)
}

/// Ways to write and to place a file with the leak: judged, or refused as a whole.
#[test]
fn no_form_of_a_file_hides_what_it_declares() {
    let with = |text: &str| format!("{text}{LEAK}");
    let inline = LEAK.split("- ").nth(1).unwrap().trim();
    for (name, text) in [
        ("l.yml", LEAK.to_owned()),
        ("l.YAML", LEAK.to_owned()),
        ("l.Yml", LEAK.to_owned()),
        (".l.yaml", LEAK.to_owned()),
        ("-l.yaml", LEAK.to_owned()),
        (" .yaml", LEAK.to_owned()),
        ("a b\"*?[].yaml", LEAK.to_owned()),
        ("ä.yaml", LEAK.to_owned()),
        ("x.yaml/l.yaml", LEAK.to_owned()),
        ("l.yaml", with("\u{feff}")),
        ("l.yaml", LEAK.replace('\n', "\r\n")),
        ("l.yaml", LEAK.replace('\n', "\r")),
        ("l.yaml", with("# a comment \r")),
        ("l.yaml", with("# a comment \u{85}")),
        ("l.yaml", with("# a comment \u{2028}\n")),
        ("l.yaml", with("parties: []\n---\n")),
        ("l.yaml", with("parties: []\n...\n")),
        ("l.yaml", with("parties: []\n...\n---\n")),
        ("l.yaml", with("policy: x\nrules: []\n---\n")),
        ("l.yaml", with("tests: []\n")),
        ("l.yaml", with("tests: []\n---\n")),
        ("l.yaml", with("baseline: 1\nfindings: []\n")),
        ("l.yaml", with("baseline: 1\nfindings: []\n---\n")),
        ("l.yaml", LEAK.replace("flows:", "\"\\u0066lows\":")),
        ("l.yaml", format!("? flows\n: [{inline}]\n")),
        ("l.yaml", format!("<<: {{flows: [{inline}]}}\n")),
        ("l.yaml", format!("flows: !!seq [{inline}]\n")),
        ("l.yaml", format!("flows: !hide [{inline}]\n")),
        ("l.yaml", format!("flows: !!null [{inline}]\n")),
        ("l.yaml", format!("flows: [&x {inline}]\n")),
        ("l.yaml", with("flows: []\n")),
        ("l.yaml", LEAK.to_owned() + "flows: []\n"),
        ("l.yaml", LEAK.to_owned() + "\0"),
        ("i2.yaml", BASE.to_owned() + LEAK),
        ("ringfence.yml", format!("exclude: ['*']\n{LEAK}")),
        ("sub/ringfence.yaml", format!("exclude: ['*']\n{LEAK}")),
    ] {
        let path = format!("inventory/{name}");
        let head = head(&[(&path, &text)]);
        for code in codes(&base(), &head) {
            assert!(code == 1 || code == 2, "{name} {text:?}: {code}");
        }
    }
}

/// What HEAD says of what judges, beside a leak.
#[test]
fn nothing_that_judges_is_taken_from_the_change() {
    let weaker = HOUSE.replace("severity: critical", "severity: info");
    for files in [
        vec![("ringfence.yaml", "inventory: inventory\nexclude: ['*']\npolicies: [house.yaml]\n")],
        vec![(
            "ringfence.yaml",
            "inventory: inventory\nbaseline: inventory/l.yaml\npolicies: [house.yaml]\n",
        )],
        vec![("Ringfence.yaml", "exclude: ['*']\n"), ("ringfence.yml", "exclude: ['*']\n")],
        vec![("ringfence.yaml", ""), ("ringfence.yaml/x.yaml", "parties: []\n")],
        vec![("house.yaml", weaker.as_str())],
        vec![
            ("house.yaml", ""),
            ("h.yaml", "policy: house\nrules: []\n"),
            ("ringfence.yaml", "inventory: inventory\npolicies: [h.yaml]\n"),
        ],
        vec![(
            "inventory/w.yaml",
            "waivers:\n  - {rule: 'house/*', source: '*', reason: r, approved_by: x, expires: 2027-01-01}\n",
        )],
        vec![("inventory/p.yaml", "policy: house\nrules: []\n")],
    ] {
        let mut files = files;
        files.push(("inventory/l.yaml", LEAK));
        assert_eq!(codes(&base(), &head(&files)), [1, 1], "{files:?}");
    }
}

/// Where no leak comes yet: what would let the next change bring one is stopped.
#[test]
fn what_would_let_the_next_change_pass_is_gated() {
    let twice = "policy: a\nrules: [{id: r, forbid: {data: [financial], to: {purpose: advertising}}}]\n---\npolicy: b\nrules: [{id: r, forbid: {data: [social], to: {purpose: advertising}}}]\n";
    let once = twice.split("---\n").next().unwrap();
    let waiver =
        "waivers:\n  - {rule: 'x/y', source: bank/core, reason: r, approved_by: dpo, expires: 2026-12-01}\n";
    let promise = "statements:\n  - {id: p, by: app, said: {quote: Never.}, promise: {forbid: {data: [financial], to: {party: app, purpose: advertising}}}}\n";
    let of = |name: &'static str, from: &str, to: &str, text: &str| {
        assert!(text.contains(from), "{from}");
        (name, text.to_owned(), text.replacen(from, to, 1))
    };
    for (name, before, after) in [
        ("house.yaml", twice.to_owned(), once.to_owned()),
        of("house.yaml", "[financial]", "[financial.account.balance]", HOUSE),
        of("house.yaml", "advertising}}", "advertising}, unless: {arriving: {consent: none}}}", HOUSE),
        of("house.yaml", "{role: bank}", "[{role: bank, party: bank}]", HOUSE),
        of("house.yaml", "{role: bank}", "{not: {role: platform}}", HOUSE),
        of("house.yaml", "severity: critical", "severity: critical, status: proposed", HOUSE),
        of("inventory/w.yaml", "bank/core", "bank/*", waiver),
        of("inventory/w.yaml", "'x/y'", "'x*/y'", waiver),
        of("inventory/w.yaml", "2026-12-01", "2026-12-02", waiver),
        of("inventory/w.yaml", "dpo", "me", waiver),
        of("inventory/p.yaml", "by: app", "by: bank", promise),
        of("inventory/p.yaml", "id: p", "id: q", promise),
        of("inventory/p.yaml", "Never.", "Seldom.", promise),
        of(
            "inventory/i.yaml",
            "jurisdiction: US, systems: [{id: core",
            "jurisdiction: DE, systems: [{id: core",
            BASE,
        ),
        of("inventory/i.yaml", "role: platform", "role: bank", BASE),
        of("inventory/i.yaml", "provider: bank", "kind: processing", BASE),
        of("inventory/i.yaml", ", originates: [financial.account]", "", BASE),
        of("inventory/i.yaml", "purposes: [advertising.ranking]", "purposes: [service]", BASE),
        of("inventory/i.yaml", "    flows:", "    flow_defaults: {transform: anonymised}\n    flows:", BASE),
        of("ringfence.yaml", "inventory: inventory\n", "inventory: [inventory, more]\n", SETTINGS),
        of("ringfence.yaml", "inventory: inventory\n", "inventory: inventory\nas_of: 2026-01-01\n", SETTINGS),
        of("ringfence.yaml", "inventory: inventory\n", "inventory: inventory\nfail_on: critical\n", SETTINGS),
    ] {
        let (mut base, mut head) = (base(), base());
        for (files, text) in [(&mut base, &before), (&mut head, &after)] {
            files.retain(|(own, _)| *own != name);
            files.push((name, text));
        }
        assert_eq!(codes(&base, &head), [0, 1], "{name}: {before} → {after}");
    }
}

/// What leaves a new flow out of what is judged says so itself: that is a fact of the new flow, and
/// the gate stops the flow.
#[test]
fn a_new_flow_that_does_not_count_is_gated() {
    let own = |claim: &str| LEAK.replace("purposes:", &format!("{claim}, purposes:"));
    let later = own("effective: {from: 2026-12-31}");
    let gone = own("disposed: {date: 2020-01-01, evidence: x}");
    let proposed = format!(
        "agreements: [{{id: a, status: proposed, parties: [app, bank], flows: [{}]}}]\n",
        LEAK.split("- ").nth(1).unwrap().trim()
    );
    for (settings, text) in [("as_of: 2026-01-01\n", &later), ("", &gone), ("status: active\n", &proposed)] {
        let settings = format!("{SETTINGS}{settings}");
        let mut base = base();
        base.retain(|(name, _)| *name != "ringfence.yaml");
        base.push(("ringfence.yaml", &settings));
        let mut head = base.clone();
        head.push(("inventory/l.yaml", text));
        assert_eq!(codes(&base, &head)[1], 1, "{settings} {text}");
    }
}

fn leak_at(folder: &Path, name: &str) {
    fs::write(folder.join("inventory").join(name), LEAK).unwrap();
}

/// What Git and the disk can be told.
#[cfg(unix)]
#[test]
fn nothing_about_the_repository_hides_a_file() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    type Make = fn(&Path);
    let odd: Make = |at| fs::write(at.join("inventory").join(OsStr::from_bytes(b"\xff.yaml")), LEAK).unwrap();
    let line: Make = |at| leak_at(at, "a\nb\tc.yaml");
    let attributes: Make = |at| {
        leak_at(at, "l.yaml");
        fs::write(at.join(".gitattributes"), "inventory/l.yaml export-ignore -diff binary\n").unwrap();
    };
    let ignored: Make = |at| {
        leak_at(at, "l.yaml");
        fs::write(at.join("inventory/.gitignore"), "l.yaml\n").unwrap();
    };
    let link: Make = |at| {
        fs::create_dir(at.join("aside")).unwrap();
        fs::write(at.join("aside/l.yaml"), LEAK).unwrap();
        std::os::unix::fs::symlink("../aside/l.yaml", at.join("inventory/l.yaml")).unwrap();
    };
    let pipe: Make = |at| {
        assert!(
            std::process::Command::new("mkfifo").arg(at.join("inventory/l.yaml")).status().unwrap().success()
        );
    };
    for (what, make) in [
        ("odd", odd),
        ("line", line),
        ("attributes", attributes),
        ("ignored", ignored),
        ("link", link),
        ("pipe", pipe),
    ] {
        let folder = repository(&base(), &base());
        let at = folder.path();
        make(at);
        for gate in ["", " --fail-on-widening"] {
            let code = diff(at, &format!("git:main .{gate}")).code;
            assert!(code == 1 || code == 2, "{what} {code}");
        }
        if what != "pipe" && what != "ignored" {
            git(at, &["add", "-A"]);
            git(at, &["commit", "--quiet", "-m", "more"]);
            // A commit that another one stands for is read as it is.
            git(at, &["replace", "HEAD", "main"]);
            let code = diff(at, "git:main git:HEAD").code;
            assert!(code == 1 || code == 2, "{what} {code}");
        }
    }
}
