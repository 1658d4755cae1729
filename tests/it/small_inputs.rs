//! No small input is slow or makes much of little: what grew faster than what was declared is refused, or told
//! with the right answer. Counted are steps and bytes, never seconds; docs/use/limits.md has what was measured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const POLICY: &str = "\
policy: house
title: House
rules:
  - {id: no-ads, title: No ads, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}
";

struct Place(TempDir);

impl Place {
    fn new(inventory: &str, policy: &str) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        fs::create_dir(place.0.path().join("i")).unwrap();
        fs::write(place.0.path().join("i/x.yaml"), inventory).unwrap();
        fs::write(place.0.path().join("p.yaml"), policy).unwrap();
        place
    }

    /// The exit code and what is said.
    fn run(&self, args: &[&str]) -> (i32, Vec<u8>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .current_dir(self.0.path())
            .env("CI", "1")
            .args(args)
            .output()
            .unwrap();
        (output.status.code().unwrap(), output.stdout, String::from_utf8(output.stderr).unwrap())
    }

    fn audit(&self, format: &str) -> (i32, Vec<u8>, String) {
        self.run(&["audit", "i", "--policy", "p.yaml", "--day", "2026-06-01", "--format", format])
    }

    fn json(&self) -> Value {
        let (code, report, said) = self.audit("json");
        assert!(code < 2, "{said}");
        serde_json::from_slice(&report).unwrap()
    }
}

/// One flow of financial data into advertising.
fn two(name: &str, flow: &str, taxonomy: &str) -> String {
    format!(
        "parties:\n  - {{id: b, name: {name}, role: bank, systems: [{{id: s, originates: [financial.account.balance]}}]}}\n  \
         - {{id: p, name: P, role: platform, systems: [{{id: ads, purposes: [advertising]}}]}}\n\
         agreements:\n  - {{id: a, parties: [b, p], flows: [{{id: f, from: b/s, to: p/ads, data: [financial]{flow}}}]}}\n{taxonomy}"
    )
}

/// Senders and receivers around a hub: each sender's data gets to each receiver.
fn hub(senders: usize, more: &str) -> String {
    let mut text =
        "parties:\n  - {id: hub, name: H, role: processor, systems: [{id: h, purposes: [service]}]}\n"
            .to_owned();
    for n in 0..senders {
        text += &format!(
            "  - {{id: s{n}, name: S, role: bank, systems: [{{id: a, originates: [financial.account.balance]}}]}}\n  \
             - {{id: t{n}, name: T, role: platform, systems: [{{id: a, purposes: [advertising]}}]}}\n"
        );
    }
    text += "flows:\n";
    for n in 0..senders {
        text += &format!(
            "  - {{id: i{n}, from: s{n}/a, to: hub/h, data: [financial], purposes: [service]}}\n  \
             - {{id: o{n}, from: hub/h, to: t{n}/a, data: [financial], purposes: [service]}}\n"
        );
    }
    text + more
}

#[test]
fn keys_of_very_many_levels_are_refused() {
    for (levels, why) in [
        (200, "a key of 200 levels, more than the limit of 64"),
        (8_000, "a name of 15999 characters, more than the limit of 1000"),
        (400_000, "a name of 799999 characters, more than the limit of 1000"),
    ] {
        let key = vec!["a"; levels].join(".");
        let place =
            Place::new(&two("B", "", &format!("taxonomy:\n  data:\n    ? {key}\n    : {{}}\n")), POLICY);
        for command in [&["check", "i"][..], &["audit", "i"], &["taxonomy", "i"], &["graph", "i"]] {
            let (code, _, said) = place.run(command);
            assert_eq!(code, 2, "{said}");
            assert!(said.contains(why) && said.len() < 5_000, "{levels}: {said}");
        }
    }
}

#[test]
fn very_many_deep_keys_are_each_refused_and_can_be_allowed() {
    let keys: String = (0..200).map(|n| format!("    k{n}.{}: {{}}\n", vec!["a"; 199].join("."))).collect();
    let place = Place::new(&two("B", "", &format!("taxonomy:\n  data:\n{keys}")), POLICY);
    let (code, _, said) = place.run(&["check", "i"]);
    assert_eq!(code, 2);
    assert!(said.contains("200 mistakes"), "{said}");
    let (code, _, said) = place.run(&["check", "i", "--max-depth", "200"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_name_of_900_kilobytes_is_refused() {
    let long = "N".repeat(900_000);
    for text in [
        two(&long, "", ""),
        two("B", &format!(", title: {long}"), ""),
        two("B", &format!(", labels: {{k: {long}}}"), ""),
        two("B", &format!(", tags: [{long}]"), ""),
        two("B", "", &format!("taxonomy: {{data: {{own: {{title: {long}}}}}}}\n")),
        two("B", "", "").replace("id: p,", &format!("id: {long},")),
    ] {
        let place = Place::new(&text, POLICY);
        let (code, report, said) = place.audit("html");
        assert_eq!((code, report.len()), (2, 0));
        assert!(said.contains("of 900000 characters, more than the limit of 1000"), "{said}");
        assert!(said.contains("--max-name N") && said.len() < 5_000, "{said}");
    }
}

/// A page says a name some times, however long it is: the longest that is allowed makes it no more longer than
/// that many times.
#[test]
fn the_longest_names_make_no_page_of_megabytes() {
    let size = |name: usize, format: &str| {
        let name = "N".repeat(name);
        let text = two(&name, &format!(", title: {name}, labels: {{owner: {name}}}"), "");
        let (code, report, said) = Place::new(&text, POLICY).audit(format);
        assert_eq!(code, 1, "{said}");
        report.len()
    };
    for format in
        ["html", "json", "text", "markdown", "sarif", "csv", "ropa-csv", "junit", "github", "gitlab"]
    {
        let (short, half, whole) = (size(1, format), size(500, format), size(1000, format));
        assert!(whole - short <= 1000 * 100, "{format}: {short} {whole}");
        // And it grows no faster than the name.
        assert!(whole - half <= (half - short) * 5 / 4 + 100, "{format}: {short} {half} {whole}");
    }
}

#[test]
fn labels_and_globs_of_the_greatest_length_match_as_they_should() {
    let label = "a".repeat(999);
    let long = two("B", &format!(", labels: {{owner: {label}b}}"), "");
    for (glob, findings) in
        [("*a*a*a*a*a*b".to_owned(), 0), ("*a*a*a*a*a*c".to_owned(), 1), ("*a".repeat(499) + "b", 0)]
    {
        let through =
            format!("to: {{purpose: advertising}}, unless: {{through: {{label: {{owner: \"{glob}\"}}}}}}");
        let policy = POLICY.replace("to: {purpose: advertising}", &through);
        let found = Place::new(&long, &policy).json()["findings"].as_array().unwrap().clone();
        let found = found.iter().filter(|finding| finding["rule"] == "house/no-ads").count();
        assert_eq!(found, findings, "{glob}");
    }
}

#[test]
fn very_many_waivers_by_globs_accept_just_what_they_match() {
    let ends = "reason: r, approved_by: me, expires: 2027-01-01";
    let waivers: String = (0..30)
        .flat_map(|n| {
            [
                format!("  - {{rule: house/*, source: s{n}/*, sink: '*t1?/a', data: [financial], {ends}}}\n"),
                format!("  - {{rule: '*x{n}*', source: '*a*', {ends}}}\n"),
                format!("  - {{rule: house/no-ads, source: 's{n}/a', sink: t{n}/a, {ends}}}\n"),
            ]
        })
        .collect();
    let place = Place::new(&hub(40, &format!("waivers:\n{waivers}")), POLICY);
    let report = place.json();
    let mut waived = 0;
    for finding in report["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == "house/no-ads") {
        let number = |key: &str| -> usize {
            let system = finding[key]["system"].as_str().unwrap();
            system[1..].split('/').next().unwrap().parse().unwrap()
        };
        let (source, sink) = (number("source"), number("sink"));
        let expected = source < 30 && ((10..20).contains(&sink) || source == sink);
        assert_eq!(finding["status"] == "waived", expected, "{source} {sink}");
        waived += usize::from(expected);
    }
    assert_eq!(waived, 30 * 10 + 20);
    let unused = report["notices"].as_array().unwrap().iter().filter(|n| n["code"] == "waiver-unused");
    assert_eq!(unused.count(), 30);
    // The check of a certificate reads them in its own way.
    let certify =
        ["audit", "i", "--policy", "p.yaml", "--day", "2026-06-01", "--quiet", "--certificate", "c.json"];
    assert_eq!(place.run(&certify).0, 1);
    let (code, _, said) =
        place.run(&["verify", "-q", "--policy", "p.yaml", "--day", "2026-06-01", "c.json", "i"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn rules_that_find_more_than_a_report_holds_are_refused() {
    let rules: String = (0..60)
        .map(|n| format!("  - {{id: r{n}, title: t, severity: high, forbid: {{data: [financial], to: {{party: 't*'}}}}}}\n"))
        .collect();
    let place = Place::new(&hub(45, ""), &format!("policy: house\ntitle: House\nrules:\n{rules}"));
    let (code, report, said) = place.audit("json");
    assert_eq!((code, report.len()), (2, 0), "{said}");
    assert!(said.contains("there are more findings than the limit of 100"), "{said}");
    let (code, ..) = place.run(&[
        "audit",
        "i",
        "--policy",
        "p.yaml",
        "--max-findings",
        "2000000",
        "--quiet",
        "--limit",
        "1",
    ]);
    assert_eq!(code, 1);
}

#[test]
fn texts_that_very_many_findings_would_repeat_are_refused() {
    let why = "w".repeat(60_000);
    for (long, refused) in [(format!("why: {why}"), true), ("why: Because".to_owned(), false)] {
        let policy = POLICY.replace("title: No ads", &format!("title: No ads, {long}"));
        let (code, _, said) = Place::new(&hub(20, ""), &policy).audit("json");
        assert_eq!(code, if refused { 2 } else { 1 }, "{said}");
    }
}

#[test]
fn lists_of_thousands_are_told_in_part() {
    let names: Vec<String> = (0..20_000).map(|n| format!("z{n}")).collect();
    let rule = format!("require: {{on: flow, must: {{id: {{in: [{}]}}}}}}", names.join(","));
    let policy =
        format!("policy: house\ntitle: House\nrules:\n  - {{id: r, title: t, severity: high, {rule}}}\n");
    let report = Place::new(&hub(10, ""), &policy).json();
    let found = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "house/r").unwrap();
    let message = found["message"].as_str().unwrap();
    assert!(message.contains("expected one of z0, z1, ") && message.contains("and 19950 more"), "{message}");
}

/// A hub whose data gets to each of some parties.
fn star(receivers: usize) -> String {
    let mut text = "parties:\n  - {id: hub, name: H, role: bank, systems: [{id: h, purposes: [service], originates: [financial.account.balance]}]}\n".to_owned();
    for n in 0..receivers {
        text += &format!(
            "  - {{id: t{n}, name: T, role: platform, systems: [{{id: a, purposes: [advertising], tags: [g{n}], region: FR}}]}}\n"
        );
    }
    text += "flows:\n";
    for n in 0..receivers {
        text += &format!("  - {{id: o{n}, from: hub/h, to: t{n}/a, data: [financial]}}\n");
    }
    text
}

/// Which of the receivers a rule finds.
fn found(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == "house/r");
    let mut parties: Vec<String> =
        all.map(|f| f["sink"]["party"].as_str().unwrap_or_default().to_owned()).collect();
    parties.sort();
    parties
}

#[test]
fn thousands_of_names_match_as_one_name_does_however_they_are_written() {
    let text = star(100);
    let list =
        |each: &dyn Fn(usize) -> String| (0..20_000).map(|n| each(n * 7 + 3)).collect::<Vec<_>>().join(", ");
    let named: Vec<String> = (0..100)
        .filter(|n| n % 7 == 3)
        .map(|n| format!("t{n}"))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    for to in [
        format!("{{party: [{}]}}", list(&|n| format!("t{n}"))),
        format!("{{system: [{}]}}", list(&|n| format!("t{n}/a"))),
        format!("{{system: [{}]}}", list(&|n| format!("'?{n}/*'"))),
        format!("{{tag: [{}]}}", list(&|n| format!("g{n}"))),
        format!("[{}]", list(&|n| format!("{{party: t{n}}}"))),
        format!("[{}]", list(&|n| format!("{{tag: g{n}}}"))),
        format!("{{party: 't*', any: [{}]}}", list(&|n| format!("{{system: t{n}/a}}"))),
        format!("{{party: 't*', not: {{not: [{}]}}}}", list(&|n| format!("{{party: t{n}}}"))),
    ] {
        let rule = format!("forbid: {{data: [financial], to: {to}}}");
        let policy =
            format!("policy: house\ntitle: House\nrules:\n  - {{id: r, title: t, severity: high, {rule}}}\n");
        assert_eq!(found(&Place::new(&text, &policy).json()), named, "{}", &to[..60]);
    }
    let exempt = list(&|n| format!("{{to: {{party: t{n}}}}}"));
    let rule =
        format!("forbid: {{data: [financial], to: {{party: 't*'}}, unless: {{arriving: [{exempt}]}}}}");
    let policy =
        format!("policy: house\ntitle: House\nrules:\n  - {{id: r, title: t, severity: high, {rule}}}\n");
    let left = found(&Place::new(&text, &policy).json());
    assert_eq!(left.len(), 100 - named.len());
    assert!(left.iter().all(|party| !named.contains(party)));
}

#[test]
fn a_code_that_is_written_again_and_again_is_one() {
    let codes = vec!["fr"; 60_000].join(", ");
    for (region, all) in [(codes.as_str(), 3), ("US", 0)] {
        let rule = format!("forbid: {{data: [financial], to: {{region: [{region}]}}}}");
        let policy =
            format!("policy: house\ntitle: House\nrules:\n  - {{id: r, title: t, severity: high, {rule}}}\n");
        assert_eq!(found(&Place::new(&star(3), &policy).json()).len(), all);
    }
}

/// Each line of a picture passes through the columns between its ends: their number is bounded.
#[test]
fn the_picture_of_a_star_grows_no_faster_than_its_parties() {
    let size = |receivers: usize| {
        let place = Place::new(&star(receivers), POLICY);
        let (code, picture, said) = place.run(&["graph", "i", "--policy", "p.yaml", "--day", "2026-06-01"]);
        assert_eq!(code, 0, "{said}");
        picture.len()
    };
    let (some, many) = (size(600), size(2_400));
    assert!(many <= some * 5, "{some} {many}");
}
