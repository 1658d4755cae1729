//! What comes from an input is data in every output: every payload, in every text that an
//! inventory, a policy, a test or a file name may hold, through every output there is. Each
//! output has its law, which its own readers hold it to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

use crate::common::payloads::PAYLOADS;
use rayon::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

const PLAIN: &str = "plain words";
const DAY: &str = "2026-11-23";
const REPORTS: [(&str, Law); 10] = [
    ("text", Law::Terminal),
    ("json", Law::Json),
    ("sarif", Law::Sarif),
    ("junit", Law::Xml),
    ("github", Law::Github),
    ("gitlab", Law::Json),
    ("markdown", Law::Markdown),
    ("csv", Law::Csv),
    ("html", Law::Html),
    ("ropa-csv", Law::Csv),
];
const PICTURES: [(&str, Law); 5] = [
    ("svg", Law::Xml),
    ("dot", Law::Dot),
    ("mermaid", Law::Mermaid),
    ("graphml", Law::Xml),
    ("json", Law::Json),
];

/// What has to hold of an output, whatever the input says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    /// No character acts on a terminal, no line on a build server that reads the log.
    Terminal,
    /// As [`Law::Terminal`], once our own colours are taken off; and then as without them.
    Colour,
    Json,
    Sarif,
    Xml,
    Github,
    Markdown,
    Csv,
    Html,
    Dot,
    Mermaid,
    /// What `waive` writes: read back it says what was said.
    Waiver,
}

/// One output of one input.
struct Output {
    name: String,
    law: Law,
    text: String,
}

/// All payloads, the long ones, too.
fn all() -> Vec<String> {
    let mut all: Vec<String> =
        PAYLOADS.iter().filter(|p| !p.trim().is_empty()).map(|p| (*p).to_owned()).collect();
    for long in ["W", "| ", "::error::owned ", "<img src=x onerror=alert(1)>", "銀", "\u{202e}x"] {
        all.push(long.repeat(940_usize.div_ceil(long.chars().count())));
    }
    all
}

/// A text in YAML, written so that any character may be in it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// The payload as a file is called that has it in its name.
fn file_name(payload: &str) -> String {
    let mut name = String::new();
    for c in payload.chars().filter(|c| *c != '\0').map(|c| if c == '/' { '_' } else { c }) {
        if name.len() + c.len_utf8() > 200 {
            break;
        }
        name.push(c);
    }
    // Hidden folders and names of no meaning are not looked into.
    if name.starts_with('.') { format!("_{name}") } else { name }
}

const INVENTORY: &str = r#"
taxonomy:
  data: {financial.account.nickname: {title: PAYLOAD, aka: {PAYLOAD: [PAYLOAD]}}}
  purposes: {service.budgeting: {title: PAYLOAD}}
parties:
  - id: bank
    name: PAYLOAD
    role: bank
    jurisdiction: GB
    contact: PAYLOAD
    dpo: PAYLOAD
    representative: PAYLOAD
    title: PAYLOAD
    labels: {PAYLOAD: PAYLOAD, kind: PAYLOAD}
    source: {title: PAYLOAD, url: PAYLOAD}
    systems:
      - {id: core, title: PAYLOAD, region: GB, tags: [PAYLOAD], labels: {a: PAYLOAD}, purposes: [service.account],
         originates: [financial.account, financial.account.nickname, financial.transaction]}
  - id: app
    name: PAYLOAD
    role: platform
    systems:
      - {id: budget, title: PAYLOAD, purposes: [service.budgeting], tags: [PAYLOAD], retention: 30d}
      - {id: ads, title: PAYLOAD, purposes: [advertising.ranking], retention: unlimited, region: GB}
      - {id: store, title: PAYLOAD, purposes: [service]}
  - {id: third, name: PAYLOAD, jurisdiction: GB, systems: [{id: sink, title: PAYLOAD, purposes: [sale]}]}
agreements:
  - id: deal
    title: PAYLOAD
    kind: sharing
    status: active
    parties: [bank, app]
    legal_basis: PAYLOAD
    labels: {PAYLOAD: PAYLOAD}
    source: {title: PAYLOAD, url: PAYLOAD, date: 2026-01-01}
    assurances: [PAYLOAD, {id: PAYLOAD, evidence: PAYLOAD, date: 2026-01-01, valid_until: 2026-02-01}]
    terms:
      purposes: [service]
      prohibited_purposes: [advertising]
      onward_transfer: prohibited
      retention: 90d
      consent: opt_in
      safeguards: [PAYLOAD]
      clauses: {purposes: {ref: PAYLOAD, quote: PAYLOAD}, onward_transfer: {ref: PAYLOAD, quote: PAYLOAD},
                safeguards: {ref: PAYLOAD, quote: PAYLOAD}, retention: {quote: PAYLOAD}, consent: {quote: PAYLOAD}}
    flows:
      - {id: balance, title: PAYLOAD, from: bank/core, to: app/budget, legal_basis: PAYLOAD, tags: [PAYLOAD],
         labels: {PAYLOAD: PAYLOAD}, data: [financial.account, financial.transaction], purposes: [service.budgeting],
         source: {title: PAYLOAD, url: PAYLOAD}, basis: public}
      - {id: old, title: PAYLOAD, from: bank/core, to: app/store, data: [financial.account],
         disposed: {date: 2026-03-31, evidence: PAYLOAD}}
      - {id: claimed, title: PAYLOAD, from: bank/core, to: app/store, data: [financial.account], only_from: [bank],
         transform: anonymised, safeguards: [PAYLOAD]}
flows:
  - {id: figures, title: PAYLOAD, from: app/budget, to: app/ads, data: [financial.account, financial.transaction],
     basis: assumed, labels: {PAYLOAD: PAYLOAD}}
  - {id: sold, title: PAYLOAD, from: app/ads, to: third/sink, data: [financial.account], tags: [PAYLOAD]}
  - {id: unknown, title: PAYLOAD, from: app/store, to: third/sink, data: [social.graph], basis: assumed}
statements:
  - id: not-for-ads
    title: PAYLOAD
    by: app
    said: {quote: PAYLOAD, who: PAYLOAD, where: PAYLOAD, date: 2026-01-01}
    source: {title: PAYLOAD, url: PAYLOAD}
    promise: {forbid: {data: [financial], to: {party: app, purpose: advertising}}}
  - id: kept
    by: app
    said: {quote: PAYLOAD, who: PAYLOAD, where: PAYLOAD}
    promise: {forbid: {data: [financial.card], to: {region: CN}}}
  - id: open
    by: app
    said: {quote: PAYLOAD}
    promise: {forbid: {data: [special.health], to: {tag: PAYLOAD}}}
waivers:
  - {rule: house/limited, sink: app/ads, reason: PAYLOAD, approved_by: PAYLOAD, expires: 2027-01-01, ticket: PAYLOAD}
  - {rule: PAYLOAD, flow: PAYLOAD, reason: PAYLOAD, approved_by: PAYLOAD, expires: 2026-01-01, ticket: PAYLOAD}
  - {rule: PAYLOAD, subject: PAYLOAD, source: PAYLOAD, reason: PAYLOAD, approved_by: PAYLOAD, expires: 2027-01-01}
"#;

const POLICY: &str = r#"
policy: house
title: PAYLOAD
version: PAYLOAD
status: house
about: PAYLOAD
cannot_see: PAYLOAD
rules:
  - id: no-ads
    severity: critical
    title: PAYLOAD
    why: PAYLOAD
    remedy: PAYLOAD
    cite: [PAYLOAD]
    law: [PAYLOAD]
    sees: PAYLOAD
    cannot_see: PAYLOAD
    forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising},
             unless: {through: {tag: [PAYLOAD x], transform: [aggregated]}}}
  - id: limited
    title: PAYLOAD
    limit: {at: {role: platform}, together: [financial.account, financial.transaction]}
  - id: stated
    severity: low
    title: PAYLOAD
    require: {on: system, where: {label: {kind: PAYLOAD}}, must: {retention: {present: true}}}
  - id: regional
    severity: medium
    title: PAYLOAD
    why: PAYLOAD
    require: {on: system, must: {title: {in: [PAYLOAD y]}}}
  - id: idle
    title: PAYLOAD
    forbid: {data: [special.health], from: {tag: PAYLOAD x}, to: {region: CN}}
"#;

const TESTS: &str = r#"
tests:
  - name: PAYLOAD
    rule: no-ads
    day: 2026-01-01
    inventory:
      parties:
        - {id: bank, name: PAYLOAD, role: bank, systems: [{id: core, title: PAYLOAD, purposes: [service], originates: [financial]}]}
        - {id: app, name: PAYLOAD, systems: [{id: ads, title: PAYLOAD, purposes: [advertising]}]}
      flows: [{id: f, title: PAYLOAD, from: bank/core, to: app/ads, data: [financial]}]
    finds: []
  - name: PAYLOAD twice
    rule: limited
    day: 2026-01-01
    inventory: {parties: [{id: bank, name: PAYLOAD}]}
    finds: []
"#;

/// Mistakes whose messages, lines and suggestions show what was written.
const MISTAKES: &str = r#"
parties:
  - id: PAYLOAD
    name: [PAYLOAD]
    rôle: PAYLOAD
    PAYLOAD: PAYLOAD
    role: PAYLOAD
    affiliate_of: PAYLOAD
    systems: [{id: a, retention: PAYLOAD, purposes: [PAYLOAD], subjects: PAYLOAD, originates: [PAYLOAD]}]
  - {id: b, name: x, systems: [{id: a, title: PAYLOAD}, {id: a, title: PAYLOAD}]}
flows:
  - {id: f, from: PAYLOAD, to: b/PAYLOAD, data: [PAYLOAD], transform: PAYLOAD, effective: {from: PAYLOAD}}
  - {id: g, from: b/a, to: b/c, data: [financial], title: PAYLOAD, PAYLOAD: 1, PAYLOAD: 2}
agreements:
  - {id: x, parties: [PAYLOAD, b], provider: PAYLOAD, terms: {onward_to: [{party: PAYLOAD}], clauses: {PAYLOAD: {}}}}
statements: [{id: s, by: PAYLOAD, said: {quote: PAYLOAD}, promise: {forbid: {data: [PAYLOAD], to: {party: PAYLOAD}}}}]
waivers: [{finding: PAYLOAD, reason: PAYLOAD, approved_by: " ", expires: PAYLOAD}]
PAYLOAD: []
"#;

/// An input that has the payload wherever text may be.
struct Input {
    folder: TempDir,
    payload: String,
    name: String,
}

impl Input {
    fn new(payload: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = file_name(payload);
        let at = folder.path();
        let put = |path: &str, text: &str| {
            let path = at.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let with = |text: &str, payload: &str| {
            // `PAYLOAD x` is another text than `PAYLOAD` is.
            let text = ["x", "y", "z", "twice"].iter().fold(text.to_owned(), |text, more| {
                text.replace(&format!("PAYLOAD {more}"), &quoted(&format!("{payload} {more}")))
            });
            // A key has its greatest length.
            let key: String = payload.chars().take(90).collect();
            let text = text.replace("PAYLOAD:", &format!("{}:", quoted(&key)));
            if payload.len() < 1_000 {
                return text.replace("PAYLOAD", &quoted(payload));
            }
            // What is long is a name, a title or a quote.
            let long = ["name", "title", "quote"].iter().fold(text, |text, key| {
                text.replace(&format!("{key}: PAYLOAD"), &format!("{key}: {}", quoted(payload)))
            });
            long.replace("PAYLOAD", &quoted(&key))
        };
        put(&format!("head/{name}.d/{name}.yaml"), &with(INVENTORY, payload));
        let sold = INVENTORY.lines().filter(|line| !line.contains("id: sold")).collect::<Vec<_>>().join("\n");
        put(&format!("base/{name}.d/{name}.yaml"), &with(&sold, &format!("{PLAIN} {payload} {PLAIN}")));
        put("rules/policy.yaml", &with(POLICY, payload));
        put(&format!("rules/{name}.yaml"), &with(TESTS, payload));
        let regional = POLICY.find("  - id: regional").unwrap();
        let more = POLICY[..POLICY.find("rules:").unwrap() + 7].replace("policy: house", "policy: more")
            + &POLICY[regional..];
        put(&format!("more/{name}.yaml"), &with(&more, payload));
        let settings = format!(
            "policies: [rules, {}]\nexclude: ['*.link', {}]\n",
            quoted(&format!("more/{name}.yaml")),
            quoted(&format!("{payload}*x"))
        );
        put("ringfence.yaml", &settings);
        put(&format!("bad/{name}.yaml"), &with(MISTAKES, payload));
        // As it is, whether YAML allows it or not; and among bytes that are no text.
        put(
            &format!("raw/{name}.yaml"),
            &format!("parties:\n  - id: \"{payload}\"\n    name: '{payload}'\n{payload}\n"),
        );
        fs::write(at.join(format!("raw/{name}2.yaml")), [payload.as_bytes(), b"\xff\n"].concat()).unwrap();
        put(&format!("bad-rules/{name}/policy.yaml"), &with(&POLICY.replace("house", "PAYLOAD"), payload));
        put(&format!("known/{name}.json"), &format!("{{\"{payload}\": {}}}", quoted(payload)));
        put(
            "bad-settings/ringfence.yaml",
            &with("policies: [PAYLOAD]\nPAYLOAD: 1\nreports: {PAYLOAD: x}\n", payload),
        );
        put("bad-settings/a.yaml", "parties: []\n");
        std::os::unix::fs::symlink("/etc", at.join(format!("bad/{name}.link"))).unwrap();
        Input { folder, payload: payload.to_owned(), name }
    }

    /// Runs the program; standard output and standard error.
    fn run(&self, wanted: &[i32], args: &[&str]) -> (String, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env("CI", "1")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(done.stdout), text(done.stderr));
        let code = done.status.code();
        assert!(code.is_some_and(|code| wanted.contains(&code)), "{args:?} ends with {code:?}: {err:.2000}");
        (out, err)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    /// Everything there is to write of this input.
    fn outputs(&self) -> Vec<Output> {
        let mut all = Vec::new();
        let mut put = |name: String, law, text| all.push(Output { name, law, text });
        self.audits(&mut put);
        self.lists(&mut put);
        self.errors(&mut put);
        all
    }

    /// Results, comparisons, pictures and explanations.
    fn audits(&self, put: &mut impl FnMut(String, Law, String)) {
        for (what, call) in [("audit", vec!["audit", "head"]), ("diff", vec!["diff", "base", "head"])] {
            let mut args = call.clone();
            args.extend(["--day", DAY, "--timings", "--limit", "0"]);
            let reports = REPORTS.map(|(format, _)| format!("{format}=out/{what}.{format}"));
            fs::create_dir_all(self.folder.path().join("out")).unwrap();
            for report in &reports {
                args.extend(["--report", report]);
            }
            let (out, err) = self.run(&[1], &args);
            put(format!("{what} on standard output"), Law::Terminal, out);
            put(format!("{what} --timings"), Law::Terminal, err);
            for (format, law) in REPORTS {
                put(format!("{what} as {format}"), law, self.read(&format!("out/{what}.{format}")));
            }
            args.truncate(call.len());
            args.extend(["--day", DAY, "--limit", "0", "--color", "always"]);
            put(format!("{what} in colour"), Law::Colour, self.run(&[1], &args).0);
            args.extend(["--deny-notices", "--fail-on", "info", "--format", "github"]);
            put(format!("{what} with notices denied"), Law::Github, self.run(&[1], &args).0);
        }
        let certified = ["audit", "head", "--quiet", "--certificate", "out/cert.json", "--day", DAY];
        let (out, err) = self.run(&[1], &certified);
        put("audit with a certificate".to_owned(), Law::Terminal, out + &err);
        put("a certificate".to_owned(), Law::Json, self.read("out/cert.json"));
        let more = format!("more/{}.yaml", self.name);
        let policies = ["--day", DAY, "--policy", "rules", "--policy", &more];
        let (out, err) = self.run(&[0], &[&["verify", "out/cert.json", "head"][..], &policies].concat());
        put("verify".to_owned(), Law::Terminal, out + &err);
        let (out, err) = self.run(&[1], &["verify", "out/cert.json", "base"]);
        put("verify of something else".to_owned(), Law::Terminal, out + &err);
        let result: Value = serde_json::from_str(&self.read("out/audit.json")).unwrap();
        let mut kinds = BTreeSet::new();
        for finding in result["findings"].as_array().unwrap() {
            let kind = finding["rule"].as_str().unwrap();
            if kinds.len() < 6 && kinds.insert(kind.to_owned()) {
                let print = finding["fingerprint"].as_str().unwrap();
                let (out, err) = self.run(&[0], &["explain", print, "head", "--day", DAY]);
                assert_eq!(err, "");
                put(format!("explain a finding of {kind}"), Law::Terminal, out);
            }
        }
        let first = result["findings"][0]["fingerprint"].as_str().unwrap();
        for (format, law) in PICTURES {
            let (out, _) = self.run(&[0], &["graph", "head", "--format", format, "--day", DAY]);
            put(format!("graph as {format}"), law, out);
        }
        for view in [vec!["--overview"], vec!["--finding", first]] {
            let args: Vec<&str> =
                ["graph", "head", "--day", DAY].into_iter().chain(view.iter().copied()).collect();
            put(format!("graph {}", view[0]), Law::Xml, self.run(&[0], &args).0);
        }
        for (format, law) in [("text", Law::Terminal), ("json", Law::Json)] {
            let (out, _) = self.run(&[1], &["promises", "head", "--format", format, "--day", DAY]);
            put(format!("promises as {format}"), law, out);
        }
        let (out, _) = self.run(&[1], &["promises", "head", "--color", "always", "--day", DAY]);
        put("promises in colour".to_owned(), Law::Colour, out);
    }

    /// What is read and what is in force; what is written beside reports.
    fn lists(&self, put: &mut impl FnMut(String, Law, String)) {
        let (out, err) = self.run(&[0], &["check", "head"]);
        put("check".to_owned(), Law::Terminal, out + &err);
        let more = format!("more/{}.yaml", self.name);
        let call = |args: &[&str]| self.run(&[0, 1], args).0;
        for (format, law) in [("text", Law::Terminal), ("json", Law::Json)] {
            let form = ["--format", format];
            for list in [
                vec!["files", "head"],
                vec!["config"],
                vec!["policies", "rules", &more],
                vec!["taxonomy", "head"],
                vec!["test", "rules", "--coverage"],
            ] {
                let args: Vec<&str> = list.iter().copied().chain(form).collect();
                put(format!("{} as {format}", list[0]), law, call(&args));
            }
        }
        put("policies in a list".to_owned(), Law::Terminal, call(&["explain", "--policy", "rules"]));
        put("test as junit".to_owned(), Law::Xml, call(&["test", "rules", "--format", "junit"]));
        for name in ["house/no-ads", "house/limited", "house/regional", "house/idle"] {
            put(format!("explain {name}"), Law::Terminal, call(&["explain", name, "--policy", "rules"]));
        }
        put(
            "explain a promise".to_owned(),
            Law::Terminal,
            call(&["explain", "statement/not-for-ads", "head"]),
        );
        let (out, err) =
            self.run(&[0], &["baseline", "write", "head", "--output", "base.json", "--day", DAY]);
        put("baseline write".to_owned(), Law::Terminal, out + &err);
        put("a baseline".to_owned(), Law::Json, self.read("base.json"));
        let prune = [
            "baseline",
            "prune",
            "head",
            "--status",
            "suspended",
            "--allow-empty",
            "--baseline",
            "base.json",
        ];
        let (out, err) = self.run(&[0], &[&prune[..], &["--day", DAY]].concat());
        put("baseline prune".to_owned(), Law::Terminal, out + &err);
        let (out, err) = self.run(&[0, 1], &["upgrade", "head", "--day", DAY]);
        put("upgrade".to_owned(), Law::Terminal, out + &err);
        let result: Value = serde_json::from_str(&self.read("out/audit.json")).unwrap();
        let print = result["findings"][0]["fingerprint"].as_str().unwrap();
        let said = self.payload.replace('\0', "");
        let file = format!("head/{}w.yaml", self.name);
        let texts = ["reason", "approved-by", "ticket"].map(|flag| format!("--{flag}={said}"));
        let mut args = vec!["waive", print, "head", "--file", &file, "--expires", "2027-01-01", "--day", DAY];
        args.extend(texts.iter().map(String::as_str));
        let (out, err) = self.run(&[0], &args);
        put("waive".to_owned(), Law::Terminal, out + &err);
        put("a waiver".to_owned(), Law::Waiver, self.read(&file));
    }

    /// Mistakes in files and calls.
    fn errors(&self, put: &mut impl FnMut(String, Law, String)) {
        let (name, wrong) = (&self.name, |args: &[&str]| self.run(&[2], args).1);
        for (what, folder) in [("mistakes", "bad"), ("text that is no YAML", "raw")] {
            put(format!("{what} in an inventory"), Law::Terminal, wrong(&["audit", folder]));
            put(format!("{what}, in colour"), Law::Colour, wrong(&["check", folder, "--color", "always"]));
            let (out, err) = self.run(&[1, 2], &["upgrade", folder, "--day", DAY]);
            put(format!("{what}, to be upgraded"), Law::Terminal, out + &err);
        }
        let rules = format!("bad-rules/{name}");
        put("mistakes in a policy".to_owned(), Law::Terminal, wrong(&["check", "--policy", &rules]));
        let known = format!("known/{name}.json");
        put(
            "a baseline that is none".to_owned(),
            Law::Terminal,
            wrong(&["audit", "head", "--baseline", &known]),
        );
        put("a certificate that is none".to_owned(), Law::Terminal, wrong(&["verify", &known, "head"]));
        put("settings".to_owned(), Law::Terminal, wrong(&["audit", "bad-settings"]));
        let nowhere = format!("nowhere/{name}");
        put("a folder that is not there".to_owned(), Law::Terminal, wrong(&["audit", &nowhere]));
        let here = format!("head/{name}.d/{name}");
        put("a name that is nearly there".to_owned(), Law::Terminal, wrong(&["audit", &here]));
        put(
            "a policy that is not there".to_owned(),
            Law::Terminal,
            wrong(&["audit", "head", "--policy", &nowhere]),
        );
        put("a report's folder".to_owned(), Law::Terminal, wrong(&["audit", "head", "--output", &nowhere]));
        put("tests that are not there".to_owned(), Law::Terminal, wrong(&["test", &nowhere]));
        put("an empty folder".to_owned(), Law::Terminal, {
            let empty = format!("empty/{name}");
            fs::create_dir_all(self.folder.path().join(&empty)).unwrap();
            wrong(&["audit", &empty])
        });
        put("a revision".to_owned(), Law::Terminal, wrong(&["diff", &format!("git:{name}"), "head"]));
        put("states".to_owned(), Law::Terminal, wrong(&["diff", &nowhere, &format!("{name}.json")]));
        let full = format!("bad/{name}.yaml");
        put("a folder that is full".to_owned(), Law::Terminal, {
            let folder = format!("full/{name}");
            fs::create_dir_all(self.folder.path().join(&folder)).unwrap();
            fs::write(self.folder.path().join(&folder).join(name), "x").unwrap();
            wrong(&["init", &folder])
        });
        put("a folder that is a file".to_owned(), Law::Terminal, wrong(&["init", &full]));
        put("a new folder".to_owned(), Law::Terminal, {
            let (out, err) = self.run(&[0], &["init", &format!("new/{name}")]);
            out + &err
        });
        // Arguments that are wrong, the parser's own messages among them.
        let word = self.payload.replace('\0', "");
        for args in [
            vec!["explain", "--", &word],
            vec![
                "waive",
                "head",
                "--reason",
                "x",
                "--approved-by",
                "y",
                "--expires",
                "2027-01-01",
                "--",
                &word,
            ],
            vec!["graph", "head", &format!("--finding={word}")],
            vec!["graph", "head", &format!("--party={word}")],
            vec!["graph", "head", &format!("--data={word}")],
            vec!["audit", "head", &format!("--format={word}")],
            vec!["audit", "head", &format!("--day={word}")],
            vec!["audit", "head", &format!("--report={word}=x")],
            vec!["audit", "head", &format!("--deny-notices={word}")],
            vec!["audit", &format!("--{word}")],
            vec!["completions", "--", &word],
        ] {
            let shown = args.iter().map(|arg| arg.replace(&word, "…")).collect::<Vec<_>>().join(" ");
            let (out, err) = self.run(&[0, 2], &args);
            put(shown, Law::Terminal, out + &err);
        }
        if !word.starts_with('-') {
            put("an unknown command".to_owned(), Law::Terminal, wrong(&[&word]));
        } else {
            put("an unknown command".to_owned(), Law::Terminal, wrong(&[&format!("x{word}")]));
        }
    }
}

/// Our own colours.
fn without_colour(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        rest = &rest[at + 2..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';').expect("a sequence ends");
        assert_eq!(&rest[end..=end], "m", "a sequence that is no colour");
        rest = &rest[end + 1..];
    }
    out + rest
}

/// Whether a character is for more than to be seen, the end of a line left aside: control
/// characters, those that turn the writing, those without width but the joiners of scripts
/// that need them, ends of lines, annotations and tags.
fn acts(c: char) -> bool {
    c != '\n'
        && (c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
            || matches!(
                c,
                '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{180e}' | '\u{3164}'
            )
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'))
}

/// Whether the runner of GitHub's workflows takes a line for a command: spaces before it
/// are no matter, and `::: file` before a snippet is none.
fn is_command(line: &str) -> bool {
    line.trim_start().strip_prefix("::").is_some_and(|rest| !rest.starts_with(':'))
}

fn terminal(text: &str) {
    assert_eq!(text.chars().find(|&c| acts(c)), None, "a character that acts");
    for line in text.lines() {
        // The older form and that of other servers are looked for anywhere.
        assert!(!is_command(line), "a workflow command: {line}");
        for sign in ["##[", "##vso[", "##teamcity["] {
            assert!(!line.contains(sign), "a command: {line}");
        }
    }
}

/// The keys and kinds of a value with their numbers.
fn shape(value: &Value, path: &str, seen: &mut BTreeMap<String, usize>) {
    let kind = match value {
        Value::Array(list) => {
            list.iter().for_each(|v| shape(v, &format!("{path}[]"), seen));
            "list"
        }
        Value::Object(map) => {
            // What an input says of its own, a vocabulary's name say, is a key, too.
            for (key, v) in map {
                let own = path.ends_with(".aka");
                shape(v, &format!("{path}.{}", if own { "*" } else { key }), seen);
            }
            "map"
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "flag",
        Value::Null => "nothing",
    };
    *seen.entry(format!("{path}: {kind}")).or_default() += 1;
}

/// What an output consists of, the texts left out; fails where the law is broken.
fn structure(output: &Output, payload: &str) -> BTreeMap<String, usize> {
    let text = &output.text;
    let mut seen = BTreeMap::new();
    let mut count = |what: String| *seen.entry(what).or_default() += 1;
    let visible = |text: &str| assert_eq!(text.chars().find(|&c| acts(c)), None, "a hidden character");
    let no_command = || {
        let command = text.lines().find(|line| is_command(line));
        assert_eq!(command, None, "a workflow command");
    };
    match output.law {
        Law::Terminal => terminal(text),
        Law::Colour => terminal(&without_colour(text)),
        Law::Json | Law::Sarif => {
            visible(text);
            no_command();
            let value: Value = serde_json::from_str(text).unwrap();
            shape(&value, "", &mut seen);
            if output.law == Law::Sarif {
                sarif(&value);
            }
        }
        Law::Xml => {
            visible(text);
            no_command();
            let document = roxmltree::Document::parse(text).unwrap();
            for node in document.descendants() {
                assert!(node.is_element() || node.is_text() || node.is_root(), "{node:?}");
                if node.is_element() {
                    let name = node.tag_name().name();
                    assert!(
                        !["script", "a", "foreignObject", "image", "use", "img"].contains(&name),
                        "{name}"
                    );
                    let keys: Vec<&str> = node.attributes().map(|a| a.name()).collect();
                    assert!(!keys.iter().any(|key| key.starts_with("on") || *key == "href"), "{keys:?}");
                    count(format!("{name} {keys:?}"));
                }
            }
        }
        Law::Github => {
            visible(text);
            let (commands, lines) = crate::common::read::commands(text);
            assert_eq!(lines.len(), 1);
            for command in commands {
                let keys: Vec<String> = command.properties.into_keys().collect();
                count(format!("{} {keys:?}", command.name));
            }
        }
        Law::Markdown => {
            visible(text);
            no_command();
            assert!(text.chars().count() <= 60_000);
            seen = crate::common::read::parts(text);
        }
        Law::Csv => {
            let text = text.strip_prefix('\u{feff}').unwrap();
            visible(&text.replace("\r\n", "\n"));
            no_command();
            let rows =
                csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).into_records();
            for row in rows {
                let row = row.unwrap();
                for cell in &row {
                    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "a formula: {cell:?}");
                    assert!(!cell.contains(['\n', '\r', '\t']), "more than a line: {cell:?}");
                }
                count(format!("{} cells", row.len()));
            }
        }
        Law::Html => {
            visible(text);
            no_command();
            for (name, attributes, closes) in crate::common::tags::tags(text) {
                for (key, value) in &attributes {
                    assert!(!key.starts_with("on") && !["style", "src", "action"].contains(&key.as_str()));
                    assert!(key != "href" || value.starts_with('#'), "a link leads out: {value}");
                }
                let keys: Vec<&String> = attributes.iter().map(|(key, _)| key).collect();
                // Words between backticks are code, and a line may break behind a slash.
                if matches!(name.as_str(), "code" | "wbr") && keys.is_empty() {
                    continue;
                }
                count(format!("{name} {keys:?} {closes}"));
            }
        }
        Law::Dot => {
            visible(text);
            no_command();
            let blank = without_strings(text, true);
            assert!(!text.contains('<') && !blank.contains("URL") && !blank.contains("href"), "{blank}");
            blank.lines().filter(|line| !line.starts_with("//")).for_each(|line| count(line.to_owned()));
        }
        Law::Mermaid => {
            // A look-alike of nothing keeps Mermaid from reading a list.
            visible(&text.replace("\"\u{2060}", "\""));
            no_command();
            assert!(!text.contains(['<', '`', '%', '\\']), "{text}");
            without_strings(text, false).lines().for_each(|line| count(line.to_owned()));
        }
        Law::Waiver => {
            visible(&text.replace('\t', ""));
            let value: Value = serde_yaml::from_str(text).unwrap();
            let said = payload.replace('\0', "");
            for key in ["reason", "approved_by", "ticket"] {
                assert_eq!(value["waivers"][0][key], *said, "{key}");
            }
            assert_eq!(value["waivers"].as_array().unwrap().len(), 1);
        }
    }
    seen
}

fn sarif(log: &Value) {
    match log {
        Value::Array(list) => list.iter().for_each(sarif),
        Value::Object(map) => map.iter().for_each(|(key, value)| match (key.as_str(), value.as_str()) {
            ("uri", Some(uri)) => {
                let fine = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
                assert!(uri.chars().all(fine), "{uri}");
            }
            ("text", Some(text)) => {
                let ours = ["[this rule](1)", "[this term](1)", "[this promise](1)"];
                let rest = ours.iter().fold(text.to_owned(), |rest, link| rest.replacen(link, "", 1));
                assert!(!rest.contains("]("), "a link: {text}");
            }
            _ => sarif(value),
        }),
        _ => {}
    }
}

/// The text with nothing between quotes.
fn without_strings(text: &str, escapes: bool) -> String {
    let (mut out, mut within, mut chars) = (String::new(), false, text.chars());
    // In a comment quotes are none.
    let mut comment = false;
    while let Some(c) = chars.next() {
        comment = c != '\n' && (comment || out.ends_with("//"));
        match c {
            '"' if !comment => {
                within = !within;
                out.push(c);
            }
            '\\' if within && escapes => drop(chars.next()),
            _ if within => assert_ne!(c, '\n', "a string over several lines"),
            c => out.push(c),
        }
    }
    assert!(!within, "a string that does not end");
    out
}

#[test]
fn nothing_from_an_input_acts_in_any_output() {
    let plain = Input::new(PLAIN);
    let laws: BTreeMap<String, BTreeMap<String, usize>> =
        plain.outputs().iter().map(|o| (o.name.clone(), structure(o, PLAIN))).collect();
    let mut all = all();
    // A plain run tries some of them, `scripts/test --long` all.
    if std::env::var_os("RINGFENCE_PAYLOADS").is_none_or(|which| which.is_empty()) {
        all = all.into_iter().step_by(5).collect();
    }
    let broken: Vec<String> = all.par_iter().flat_map_iter(|payload| held(payload, &laws)).collect();
    println!("{} payloads in {} outputs: {}", all.len(), laws.len(), all.len() * laws.len());
    // What is told of it is how it is.
    let said = format!("{} payloads in {} outputs", self::all().len(), laws.len());
    let page = include_str!("../../SECURITY.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(&said), "SECURITY.md does not say {said}");
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
}

/// The outputs that break their law with a payload.
fn held(payload: &str, laws: &BTreeMap<String, BTreeMap<String, usize>>) -> Vec<String> {
    let shown: String = payload.escape_debug().take(60).collect();
    let outputs = match caught(|| Input::new(payload).outputs()) {
        Ok(outputs) => outputs,
        Err(why) => return vec![format!("\"{shown}\": {why}")],
    };
    let mut broken = Vec::new();
    let names: BTreeSet<&String> = outputs.iter().map(|o| &o.name).collect();
    if names != laws.keys().collect() {
        let other: Vec<_> = laws.keys().filter(|name| !names.contains(name)).collect();
        broken.push(format!("\"{shown}\": other outputs, without {other:?}"));
    }
    for output in &outputs {
        match caught(|| structure(output, payload)) {
            Err(why) => broken.push(format!("\"{shown}\", {}: {why:.400}", output.name)),
            // A comment has a greatest length, and where there is no room lines are left out: it
            // consists of the same sorts of parts.
            Ok(seen) if output.law == Law::Markdown => {
                let other: Vec<_> =
                    seen.keys().filter(|part| !laws[&output.name].contains_key(*part)).collect();
                if !other.is_empty() {
                    broken.push(format!("\"{shown}\", {}: {other:?}", output.name));
                }
            }
            Ok(seen) => {
                let wanted = &laws[&output.name];
                let differ = |a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>| {
                    a.iter()
                        .filter(|(k, v)| b.get(*k) != Some(v))
                        .map(|(k, v)| format!("{k}: {v}"))
                        .collect::<Vec<_>>()
                };
                if seen != *wanted {
                    let (is, was) = (differ(&seen, wanted), differ(wanted, &seen));
                    broken.push(format!("\"{shown}\", {}: {is:?}\n    instead of {was:?}", output.name));
                }
            }
        }
    }
    broken
}

/// What is broken, as a text.
fn caught<T>(what: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(what)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
    })
}

/// What the outputs were before must be there to be held: the payload itself, made harmless.
#[test]
fn what_is_said_is_still_said() {
    let input = Input::new("<b>Meyer & Söhne</b>");
    for output in input.outputs() {
        if matches!(output.law, Law::Html | Law::Xml) && output.name.starts_with("audit as html") {
            assert!(output.text.contains("&lt;b&gt;Meyer &amp; Söhne&lt;/b&gt;"), "{}", output.name);
        }
        if output.name == "audit on standard output" {
            assert!(output.text.contains("<b>Meyer & Söhne</b>"));
        }
    }
}
