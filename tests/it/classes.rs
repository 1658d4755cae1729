//! Classes of edits: no key without one, none neutral that a rule can look at, and what is
//! renamed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use ringfence::source::Sources;
use ringfence::testing::fields::{Class, Declaration, FIELDS, Reader, asked_of, find};
use ringfence::{Request, load};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with the two states `base` and `head`, and perhaps a policy.
struct States(TempDir);

impl States {
    fn new(base: &str, head: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (side, text) in [("base", base), ("head", head)] {
            fs::create_dir(folder.path().join(side)).unwrap();
            fs::write(folder.path().join(side).join("all.yaml"), text).unwrap();
        }
        States(folder)
    }

    fn policy(self, rules: &str) -> Self {
        fs::write(self.0.path().join("policy.yaml"), format!("policy: house\nrules:\n{rules}")).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The exit code and what is printed.
    fn diff(&self, format: &str, args: &[&str]) -> (i32, String) {
        let mut all = vec!["diff", "base", "head", "--day", "2026-06-01", "--format", format];
        if self.path().join("policy.yaml").exists() {
            all.extend(["--policy", "policy.yaml"]);
        }
        all.extend(args);
        let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .args(&all)
            .current_dir(self.path())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() != Some(2), "{err}");
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn json(&self, args: &[&str]) -> (i32, Value) {
        let (code, out) = self.diff("json", args);
        (code, serde_json::from_str(&out).unwrap())
    }

    /// `class of id key` of each edit.
    fn edits(&self, args: &[&str]) -> Vec<String> {
        edits(&self.json(args).1)
    }
}

fn edits(json: &Value) -> Vec<String> {
    let line = |e: &Value| ["class", "of", "id", "key"].map(|key| e[key].as_str().unwrap()).join(" ");
    json["edits"].as_array().unwrap().iter().map(line).collect()
}

/// No key is called this, nor nearly this.
const UNKNOWN: &str = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

/// For each sort of map the keys that its reader knows, as it says where it meets another one.
fn known(document: &str, policy: Option<&str>) -> BTreeMap<String, BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.yaml");
    fs::write(&file, document.replace('Q', &format!("{UNKNOWN}: 1"))).unwrap();
    let rules = folder.path().join("policy.yml");
    let mut request = Request { paths: vec![file], ..Request::default() };
    if let Some(policy) = policy {
        fs::write(&rules, policy.replace('Q', &format!("{UNKNOWN}: 1"))).unwrap();
        request.policies = vec![rules.display().to_string()];
    }
    let mistakes = load(&request, &mut Sources::new()).unwrap_err();
    let mut all = BTreeMap::new();
    for mistake in mistakes.iter().filter(|m| m.code == "unknown-key" && m.message.contains(UNKNOWN)) {
        let what = mistake.message.rsplit_once("` in ").map_or("a field", |(_, what)| what).to_owned();
        let help = mistake.help.as_deref().unwrap();
        let names = help.trim_start_matches("known keys: ").trim_start_matches("known: ");
        let names: BTreeSet<String> = names.split(", ").map(str::to_owned).collect();
        all.entry(what).or_insert_with(BTreeSet::new).extend(names);
    }
    all
}

const EVERY_MAP: &str = "\
taxonomy: {data: {own.key: {Q}}}
parties:
  - {id: a, name: A, Q, source: {Q}, systems: [{id: s, Q, derives: [{from: [device], into: [social], Q}]}]}
  - {id: b, name: B}
agreements:
  - id: c
    parties: [a, b]
    Q
    effective: {Q}
    disposed: {Q}
    assurances: [{id: x, Q}]
    terms: {Q, onward_to: [{party: a, Q}], clauses: {purposes: {Q}}}
    flow_defaults: {Q}
    flows: [{id: f, from: a/s, to: b/t, data: [device], Q}]
statements:
  - {id: p, by: a, Q, said: {quote: x, Q}, promise: {forbid: {data: [device]}}}
waivers:
  - {rule: x, reason: r, approved_by: a, expires: 2026-01-01, Q}
";

/// The keys of maps that one row stands for as a whole. A key that is added there needs its place
/// here, and the row's facet has to tell it.
const PARTS: &[(&str, &str, &[&str])] = &[
    ("a derivation", "derives", &["from", "into", "reidentifies"]),
    ("a disposal", "disposed", &["date", "evidence"]),
    ("an assurance", "assurances", &["date", "evidence", "id", "valid_until"]),
    ("an allowed receiver", "terms.onward_to", &["data", "party", "purposes"]),
    ("a clause", "terms.clauses", &["quote", "ref"]),
    ("a source", "source", &["date", "title", "url"]),
    ("what was said", "said", &["date", "quote", "where", "who"]),
];

/// What declares other things, which have rows of their own, or is the id.
const NO_ROWS: &[(&str, &str)] = &[
    ("a party", "systems"),
    ("an agreement", "flows"),
    // Flows are compared with what they take from it.
    ("an agreement", "flow_defaults"),
    // What a waiver is of is its id.
    ("a waiver", "finding"),
    ("a waiver", "rule"),
    ("a waiver", "source"),
    ("a waiver", "sink"),
    ("a waiver", "flow"),
    ("a waiver", "subject"),
];

fn sort(what: &str) -> &'static [Declaration] {
    use Declaration::{Agreement, Flow, Party, Statement, System, Taxonomy, Waiver};
    match what {
        "a party" => &[Party],
        "a system" => &[System],
        "an agreement" => &[Agreement],
        "a flow" | "flow defaults" => &[Flow],
        "a statement" => &[Statement],
        "a waiver" => &[Waiver],
        "effective dates" | "terms" => &[Agreement, Flow],
        "a key of a taxonomy" => &[Taxonomy],
        _ => &[],
    }
}

#[test]
fn every_key_of_the_format_has_a_class() {
    let known = known(EVERY_MAP, None);
    let mut missing = Vec::new();
    let mut met = BTreeSet::new();
    for (what, keys) in &known {
        if let Some((_, row, parts)) = PARTS.iter().find(|(map, ..)| map == what) {
            let parts: BTreeSet<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            assert_eq!(*keys, parts, "`{row}` stands for all keys of {what}");
            assert!(FIELDS.iter().any(|field| field.key == *row && field.classes.is_some()), "{row}");
            continue;
        }
        let sorts = sort(what);
        assert!(!sorts.is_empty(), "{what} has keys {keys:?} and no rows");
        for key in keys.iter().filter(|key| !NO_ROWS.contains(&(what.as_str(), key.as_str()))) {
            for &of in sorts {
                let row = match (what.as_str(), key.as_str()) {
                    ("effective dates", key) => format!("effective.{key}"),
                    ("terms", key) => format!("terms.{key}"),
                    (_, "id") if of == Declaration::Statement => "added".to_owned(),
                    (_, "id") => "renamed".to_owned(),
                    (_, "effective") => "effective.from".to_owned(),
                    (_, "terms") => "terms.purposes".to_owned(),
                    (_, key) => key.to_owned(),
                };
                met.insert((of, row.clone()));
                if find(of, &row).and_then(|field| field.classes).is_none() {
                    missing.push(format!("{of} {row}"));
                }
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "keys without classes in src/declare/fields.rs");
    // And the reverse: no row of a key that is none.
    for field in FIELDS.iter().filter(|field| field.classes.is_some()) {
        for &of in field.of.iter().filter(|_| !matches!(field.key, "added" | "removed")) {
            assert!(met.contains(&(of, field.key.to_owned())), "{of} has no key `{}`", field.key);
        }
    }
}

const EVERY_MATCHER: &str = "\
policy: p
rules:
  - {id: a, forbid: {data: [device], to: {Q}, unless: {through: {Q}, arriving: {agreement: {Q}}}}}
  - {id: b, limit: {at: {Q}, together: [device, social]}}
  - {id: c, require: {on: agreement, where: {Q}, must: {kind: {present: true}}}}
";

/// What each key of a matcher looks at.
fn looked_at(matcher: &str, key: &str) -> Option<Vec<(Declaration, &'static str)>> {
    use Declaration::{Agreement, Flow, Party, System};
    Some(match (matcher, key) {
        (_, "any" | "not") => vec![],
        ("a matcher of places", "party") => vec![(Party, "renamed")],
        ("a matcher of places", "system") => vec![(System, "renamed")],
        ("a matcher of places", "role") => vec![(Party, "role")],
        ("a matcher of places", "purpose") => vec![(System, "purposes"), (Flow, "purposes")],
        ("a matcher of places", "tag") => vec![(System, "tags")],
        ("a matcher of places", "region") => vec![(System, "region"), (Party, "jurisdiction")],
        ("a matcher of places", "jurisdiction") => vec![(Party, "jurisdiction")],
        ("a matcher of places", "label") => vec![(System, "labels"), (Party, "labels")],
        ("a matcher of places", "relation") => {
            vec![(Party, "affiliate_of"), (Agreement, "kind"), (Agreement, "provider")]
        }
        ("a matcher of places", "by_flow") => vec![(System, "originates")],
        ("a matcher of flows", "retention") => vec![(Flow, "retention"), (System, "retention")],
        ("a matcher of flows", "transform") => vec![(Flow, "transform")],
        ("a matcher of flows", "consent") => vec![(Flow, "consent")],
        ("a matcher of flows", "safeguards") => vec![(Flow, "safeguards")],
        ("a matcher of flows", "purpose") => vec![(Flow, "purposes"), (System, "purposes")],
        ("a matcher of flows", "tag") => vec![(Flow, "tags")],
        ("a matcher of flows", "label") => vec![(Flow, "labels")],
        ("a matcher of flows", "data") => vec![(Flow, "data")],
        ("a matcher of flows", "from" | "crosses_parties") => vec![(Flow, "from")],
        ("a matcher of flows", "to") => vec![(Flow, "to")],
        ("a matcher of flows", "agreement") => vec![],
        (_, "id") => vec![(Agreement, "renamed")],
        (_, "kind") => vec![(Agreement, "kind")],
        (_, "status") => vec![(Agreement, "status")],
        (_, "legal_basis") => vec![(Agreement, "legal_basis"), (Flow, "legal_basis")],
        (_, "assurance") => vec![(Agreement, "assurances")],
        (_, "label") => vec![(Agreement, "labels")],
        ("a matcher of agreements", "party") => vec![(Agreement, "parties")],
        ("a matcher of agreements", "role") => vec![(Party, "role"), (Agreement, "parties")],
        ("a matcher of agreements", "data") => vec![(Flow, "data")],
        _ => return None,
    })
}

#[test]
fn no_key_that_a_matcher_looks_at_is_neutral() {
    let known = known("parties: []\n", Some(EVERY_MATCHER));
    assert_eq!(known.len(), 4, "{:?}", known.keys());
    for (matcher, keys) in &known {
        for key in keys {
            let Some(looked_at) = looked_at(matcher, key) else {
                panic!("what does `{key}` of {matcher} look at?");
            };
            for (of, key) in looked_at {
                let row = find(of, key).unwrap_or_else(|| panic!("{of} {key} has no row"));
                assert_eq!(row.reader(), Reader::Rules, "{of} {key}");
            }
        }
    }
    for field in FIELDS.iter().filter(|field| field.reader() == Reader::Rules && field.key != "renamed") {
        let classes = field.classes.map(|row| [row.more, row.less, row.other]);
        assert!(!classes.unwrap().contains(&Class::Neutral), "{:?} {}", field.of, field.key);
    }
}

#[test]
fn every_key_that_a_require_asks_for_is_compared() {
    for of in [Declaration::Agreement, Declaration::Flow, Declaration::System, Declaration::Party] {
        for field in asked_of(of).filter(|field| field.classes.is_none()) {
            // Compared as part of what it stands in, or of what it holds.
            let row = match (of, field.key) {
                (_, "id") => "renamed",
                // Where it stands says whose it is.
                (Declaration::Flow, "agreement") | (Declaration::System, "party") => continue,
                (Declaration::Party, "systems") => "removed",
                (_, "effective") => "effective.from",
                (_, "disposed.date" | "disposed.evidence") => "disposed",
                (_, "source.title" | "source.url" | "source.date") => "source",
                (_, other) => panic!("how is `{other}` of {of} compared?"),
            };
            assert!(find(of, row).unwrap().classes.is_some(), "{of} {row}");
        }
    }
}

const PARTS_OF_ALL: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service], originates: [financial.account.balance]}]}
  - {id: app, name: App, title: The app, labels: {gatekeeper: 'yes'}, systems: [{id: chat, purposes: [service], retention: 30d, subjects: 7}]}
agreements:
  - id: deal
    parties: [bank, app]
    assurances: [{id: scc, valid_until: 2027-01-01}]
    labels: {tier: one}
    source: {title: Contract}
    terms: {purposes: [service], retention: 90d}
    flows: [{id: balance, from: bank/core, to: app/chat, data: [financial.account.balance], retention: 30d, safeguards: [hsm], tags: [x]}]
";

#[test]
fn what_a_rule_reads_is_no_neutral_edit() {
    let asks = "  - {id: named, require: {on: party, must: {title: {present: true}, name: {matches: '.+'}}}}\n  \
                - {id: sourced, require: {on: agreement, must: {source.title: {present: true}}}}\n  \
                - {id: counted, require: {on: system, must: {subjects: {at_most: 1000}}}}\n";
    let asks_nothing = "  - {id: r, forbid: {data: [financial], to: {party: nobody}}}\n";
    for (from, to, edit, otherwise) in [
        ("labels: {gatekeeper: 'yes'}, ", "", "assertion party app labels", "assertion"),
        ("gatekeeper: 'yes'", "gatekeeper: 'no'", "assertion party app labels", "assertion"),
        ("    labels: {tier: one}\n", "", "assertion agreement deal labels", "assertion"),
        ("tags: [x]}", "tags: [x], labels: {dpia: ok}}", "assertion flow deal/balance labels", "assertion"),
        ("tags: [x]}", "tags: [y]}", "assertion flow deal/balance tags", "assertion"),
        (
            "safeguards: [hsm]",
            "safeguards: [hsm, tee]",
            "assertion flow deal/balance safeguards",
            "assertion",
        ),
        (", safeguards: [hsm]", "", "widening flow deal/balance safeguards", "widening"),
        (
            "valid_until: 2027-01-01",
            "valid_until: 2028-01-01",
            "assertion agreement deal assurances",
            "assertion",
        ),
        (
            "valid_until: 2027-01-01",
            "valid_until: 2027-01-01, evidence: x",
            "neutral agreement deal assurances",
            "neutral",
        ),
        ("retention: 30d, safe", "retention: 7d, safe", "assertion flow deal/balance retention", "assertion"),
        (
            "    parties: [bank, app]\n",
            "    parties: [bank, app]\n    status: proposed\n",
            "assertion agreement deal status",
            "assertion",
        ),
        (
            "    parties: [bank, app]\n",
            "    parties: [bank, app]\n    status: terminated\n",
            "assertion agreement deal status",
            "assertion",
        ),
        (
            "    parties: [bank, app]\n",
            "    parties: [bank, app]\n    effective: {from: 2026-01-01}\n",
            "assertion agreement deal effective.from",
            "assertion",
        ),
        (
            "    parties: [bank, app]\n",
            "    parties: [bank, app]\n    effective: {until: 2027-01-01}\n",
            "assertion agreement deal effective.until",
            "assertion",
        ),
        // Only a `require` can ask for these.
        ("title: The app", "title: An app", "assertion party app title", "neutral"),
        ("name: App,", "name: Apps,", "assertion party app name", "neutral"),
        ("subjects: 7", "subjects: 8", "assertion system app/chat subjects", "neutral"),
        (
            "source: {title: Contract}",
            "source: {title: Another}",
            "assertion agreement deal source",
            "neutral",
        ),
    ] {
        assert!(PARTS_OF_ALL.contains(from), "{from}");
        let head = PARTS_OF_ALL.replacen(from, to, 1);
        let asked = States::new(PARTS_OF_ALL, &head).policy(asks);
        let args = ["--fail-on", "never", "--trust-claims", "--fail-on-widening"];
        let args = &args[..];
        let (code, json) = asked.json(args);
        assert_eq!(edits(&json), [edit], "{from} → {to}");
        assert_eq!(code, i32::from(!edit.starts_with("neutral")), "{from} → {to}");
        let (code, json) = States::new(PARTS_OF_ALL, &head).policy(asks_nothing).json(args);
        let words: Vec<String> = edits(&json);
        assert!(words[0].starts_with(otherwise) && words.len() == 1, "{from} → {to}: {words:?}");
        assert_eq!(code, i32::from(otherwise != "neutral"), "{from} → {to}");
    }
    // The rule that asks is named.
    let head = PARTS_OF_ALL.replacen("title: The app", "title: An app", 1);
    let json = States::new(PARTS_OF_ALL, &head).policy(asks).json(&[]).1;
    assert_eq!(json["edits"][0]["rules"], serde_json::json!(["house/named"]));
}

/// A promise and an approval in all that they say, and a contract's words.
const SAID: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service], originates: [financial.account.balance]}]}
  - {id: app, name: App, labels: {tier: 'one: two'}, systems: [{id: chat, purposes: [service], retention: 30d}]}
agreements:
  - id: deal
    parties: [bank, app]
    terms: {purposes: [service], clauses: {purposes: {ref: '2', quote: For service.}}}
    flows: [{id: balance, from: bank/core, to: app/chat, data: [financial.account.balance]}]
statements:
  - id: no-ads
    by: app
    title: No ads
    said: {quote: Never for ads., who: CEO, where: Senate, date: 2018-04-10}
    labels: {owner: legal}
    source: {title: Hearing, url: 'https://example.org/', date: 2018-04-10}
    basis: public
    severity: high
    promise: {forbid: {data: [financial], to: {party: app, purpose: advertising}}}
waivers:
  - {rule: terms/retention, source: 'bank/*', reason: It ends, approved_by: DPO, ticket: A-1, expires: 2026-12-31}
";

#[test]
fn what_a_promise_or_an_approval_says_is_no_neutral_edit() {
    for (from, to, edit) in [
        ("by: app", "by: bank", "assertion statement no-ads by"),
        ("Never for ads.", "Seldom for ads.", "assertion statement no-ads said"),
        ("who: CEO", "who: Intern", "assertion statement no-ads said"),
        ("who: CEO, where: Senate", "where: CEO, who: Senate", "assertion statement no-ads said"),
        ("date: 2018-04-10}\n    labels", "date: 2008-04-10}\n    labels", "assertion statement no-ads said"),
        ("title: No ads", "title: Some ads", "assertion statement no-ads title"),
        ("    labels: {owner: legal}\n", "", "assertion statement no-ads labels"),
        ("title: Hearing", "title: Rumour", "assertion statement no-ads source"),
        ("basis: public", "basis: assumed", "assertion statement no-ads basis"),
        ("severity: high", "severity: low", "assertion statement no-ads severity"),
        ("severity: high", "severity: critical", "narrowing statement no-ads severity"),
        ("{party: app, purpose: adv", "{party: bank, purpose: adv", "both statement no-ads promise"),
        (
            "approved_by: DPO",
            "approved_by: me",
            "assertion waiver rule terms/retention, source bank/* approved_by",
        ),
        ("reason: It ends", "reason: Fine", "assertion waiver rule terms/retention, source bank/* reason"),
        ("ticket: A-1, ", "", "assertion waiver rule terms/retention, source bank/* ticket"),
        ("quote: For service.", "quote: For all.", "assertion agreement deal terms.clauses"),
        (
            "{ref: '2', quote: For service.}",
            "{ref: '3', quote: For service.}",
            "assertion agreement deal terms.clauses",
        ),
        (
            ", clauses: {purposes: {ref: '2', quote: For service.}}",
            "",
            "assertion agreement deal terms.clauses",
        ),
        ("clauses: {", "clauses: {retention: {ref: '9'}, ", "neutral agreement deal terms.clauses"),
        // The same words of something else.
        ("{tier: 'one: two'}", "{'tier: one': two}", "assertion party app labels"),
    ] {
        assert!(SAID.contains(from), "{from}");
        let head = SAID.replacen(from, to, 1);
        let states = States::new(SAID, &head);
        let (code, json) = states.json(&["--fail-on", "never", "--trust-claims", "--fail-on-widening"]);
        assert_eq!(edits(&json), [edit], "{from} → {to}");
        let gates = !edit.starts_with("neutral") && !edit.starts_with("narrowing");
        assert_eq!(code, i32::from(gates), "{from} → {to}");
    }
}

/// What is told in part, or in words that something else has, too, is compared in full.
#[test]
fn no_part_of_a_promise_changes_unseen() {
    let tags: Vec<String> = (0..60).map(|n| format!("t{n:02}")).collect();
    let promise =
        |tags: &str, more: &str| SAID.replacen("purpose: advertising}", &format!("tag: [{tags}]}}{more}"), 1);
    let all = tags.join(", ");
    let base = promise(&all, "");
    let changed = |head: &str| States::new(&base, head).edits(&["--fail-on", "never"]);
    for head in [
        promise(&all.replace("t59", "u59"), ""),
        promise(&all, ", unless: {arriving: {consent: opt_in}}"),
        promise(&all.replace("t58, t59", "'t58, t59'"), ""),
    ] {
        assert_eq!(changed(&head), ["both statement no-ads promise"]);
    }
    let mut turned = tags.clone();
    turned.reverse();
    let same = [promise(&turned.join(", "), ""), promise(&all, ", from: null")];
    for head in same {
        assert_eq!(changed(&head), Vec::<String>::new(), "{head}");
    }
    // Two waivers that would be told in the same words.
    let waiver = |which: &str| SAID.replacen("rule: terms/retention, source: 'bank/*'", which, 1);
    let [one, two] = [waiver("rule: 'a/b, source x'"), waiver("rule: a/b, source: x")];
    let edits = States::new(&one, &two).edits(&[]);
    assert_eq!(edits.len(), 2, "{edits:?}");
    assert!(
        edits.iter().any(|edit| edit.starts_with("assertion waiver") && edit.ends_with("added")),
        "{edits:?}"
    );
}

#[test]
fn a_status_is_classed_by_what_comes_to_count() {
    let with = |status: &str| {
        let text = PARTS_OF_ALL.replacen(
            "    parties: [bank, app]\n",
            &format!("    parties: [bank, app]\n    status: {status}\n"),
            1,
        );
        // Something that always counts.
        text + "flows: [{id: own, from: app/chat, to: app/store, data: [device]}]\n"
    };
    let with = |status: &str| {
        with(status).replacen("subjects: 7}", "subjects: 7}, {id: store, purposes: [service]}", 1)
    };
    for (scope, before, after, class) in [
        ("active,terminated", "proposed", "terminated", "widening"),
        ("active,terminated", "proposed", "active", "widening"),
        ("active", "terminated", "active", "widening"),
        ("active", "active", "proposed", "assertion"),
        ("active", "active", "terminated", "assertion"),
        ("active", "proposed", "terminated", "assertion"),
        ("proposed,active,terminated", "proposed", "terminated", "assertion"),
        ("proposed,active,terminated", "proposed", "active", "widening"),
        ("proposed,active,terminated", "active", "proposed", "assertion"),
    ] {
        let states = States::new(&with(before), &with(after));
        let edits = states.edits(&["--status", scope]);
        assert_eq!(edits, [format!("{class} agreement deal status")], "{before} → {after} of {scope}");
    }
}

const LABELLED: &str = "\
parties:
  - {id: b, name: B, role: bank, systems: [{id: s, originates: [financial.account.balance], purposes: [service]}]}
  - {id: p, name: P, role: platform, labels: {gatekeeper: 'yes'}, systems: [{id: s, purposes: [service]}]}
agreements:
  - {id: a, parties: [b, p], flows: [{id: f, from: b/s, to: p/s, data: [financial], retention: 1d}]}
";

#[test]
fn labels_that_rules_read_are_claims() {
    let head = LABELLED.replacen("labels: {gatekeeper: 'yes'}, ", "", 1).replacen(
        "retention: 1d}",
        "retention: 1d, labels: {dpia: ok}}",
        1,
    );
    let states = States::new(LABELLED, &head).policy(
        "  - {id: gate, title: t, severity: critical, forbid: {data: [financial], to: {label: {gatekeeper: '*'}}}}\n  \
         - {id: dpia, title: t, severity: high, forbid: {data: [financial], to: {role: platform}, unless: {arriving: {label: {dpia: '*'}}}}}\n",
    );
    let (code, json) = states.json(&["--fail-on-widening"]);
    assert_eq!(edits(&json), ["assertion party p labels", "assertion flow a/f labels"]);
    assert_eq!(code, 1);
}

const NAMES: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service], originates: [financial.account]}]}
  - {id: app, name: App, role: platform, systems: [{id: chat, purposes: [service]}, {id: ads, purposes: [advertising]}]}
agreements:
  - id: deal
    parties: [bank, app]
    kind: processing
    provider: bank
    terms: {retention: 1d, onward_to: [{party: app}]}
    flows:
      - {id: balance, from: bank/core, to: app/chat, data: [financial], only_from: [bank]}
flows:
  - {id: leak, from: app/chat, to: app/ads, data: [financial]}
";

const ADS: &str = "  - {id: ads, title: t, severity: high, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}\n";

#[test]
fn what_differs_in_its_id_alone_is_renamed() {
    for (of, renames, edit) in [
        (
            "party",
            &[
                ("id: bank", "id: bank-plc"),
                ("[bank", "[bank-plc"),
                ("provider: bank", "provider: bank-plc"),
                (" bank/", " bank-plc/"),
            ][..],
            "neutral party bank-plc renamed",
        ),
        (
            "party",
            &[
                ("id: app", "id: app-inc"),
                ("bank, app]", "bank, app-inc]"),
                ("party: app", "party: app-inc"),
                (" app/", " app-inc/"),
            ],
            "neutral party app-inc renamed",
        ),
        (
            "system",
            &[("id: core", "id: ledger"), ("bank/core", "bank/ledger")],
            "neutral system bank/ledger renamed",
        ),
        (
            "system",
            &[("id: ads,", "id: auction,"), ("app/ads", "app/auction")],
            "neutral system app/auction renamed",
        ),
        ("agreement", &[("id: deal", "id: contract")], "neutral agreement contract renamed"),
        ("flow", &[("id: leak", "id: spill")], "neutral flow spill renamed"),
        ("flow", &[("id: balance", "id: amount")], "neutral flow deal/amount renamed"),
    ] {
        let head = renames.iter().fold(NAMES.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let states = States::new(NAMES, &head).policy(ADS);
        let (code, json) = states.json(&["--fail-on-widening"]);
        assert_eq!(edits(&json), [edit], "{of}");
        let summary = &json["summary"];
        let counts =
            ["added", "grown", "fixed", "reach_added", "reach_removed"].map(|key| summary[key].clone());
        assert_eq!(counts, [0, 0, 0, 0, 0].map(Value::from), "{of}: {json:#}");
        assert!(summary["unchanged"].as_u64().unwrap() >= 2);
        assert_eq!(code, 0, "{of}");
    }
    // All at once, and something new besides.
    let head = NAMES
        .replace("id: bank", "id: bank-plc")
        .replace("[bank", "[bank-plc")
        .replace("provider: bank", "provider: bank-plc")
        .replace(" bank/", " bank-plc/")
        .replace("id: core", "id: ledger")
        .replace("plc/core", "plc/ledger")
        .replace("id: deal", "id: contract")
        .replace("id: leak", "id: spill")
        + "  - {id: more, from: app/ads, to: app/chat, data: [device]}\n";
    let json = States::new(NAMES, &head).policy(ADS).json(&[]).1;
    let classes = edits(&json);
    assert!(classes.contains(&"widening flow more added".to_owned()), "{classes:?}");
    let others: Vec<&String> = classes.iter().filter(|edit| !edit.contains(" more ")).collect();
    assert!(others.iter().all(|edit| edit.ends_with(" renamed")), "{classes:?}");
}

#[test]
fn what_is_accepted_stays_accepted_under_another_id() {
    let waivers = |finding: &str| {
        format!(
            "waivers: [{{finding: '{finding}', data: [financial.account], reason: r, approved_by: a, expires: 2026-12-31}}]\n"
        )
    };
    let json = States::new(NAMES, NAMES).policy(ADS).json(&[]).1;
    let known: Vec<String> = json["findings"]["unchanged"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f.as_str().unwrap().to_owned())
        .collect();
    let head = NAMES.replace("id: chat", "id: messenger").replace("app/chat", "app/messenger");
    for finding in known {
        let base = NAMES.to_owned() + &waivers(&finding);
        let head = head.clone() + &waivers(&finding);
        let states = States::new(&base, &head).policy(ADS);
        let (code, json) = states.json(&["--fail-on", "info", "--deny-notices=waiver-unused"]);
        assert_eq!((code, &json["summary"]["added"]), (0, &0.into()), "{finding}: {json:#}");
    }
    // More than was accepted is more under any id.
    let grown = head.replace("originates: [financial.account]", "originates: [financial]");
    let (code, json) = States::new(NAMES, &grown).policy(ADS).json(&[]);
    assert_eq!((code, &json["summary"]["added"]), (1, &0.into()));
    assert!(json["summary"]["grown"].as_u64().unwrap() > 0, "{json:#}");
}

#[test]
fn a_rename_that_a_rule_can_tell_is_a_claim() {
    let renamed = |from: &str, to: &str| NAMES.replace(&format!("id: {from}"), &format!("id: {to}"));
    let systems = renamed("ads,", "auction,").replace("app/ads", "app/auction");
    let by_system =
        "  - {id: ads, title: t, severity: high, forbid: {data: [financial], to: {system: '*/ads'}}}\n";
    let json = States::new(NAMES, &systems).policy(by_system).json(&["--trust-claims"]).1;
    assert_eq!(edits(&json), ["assertion system app/auction renamed"]);
    assert_eq!(json["edits"][0]["rules"], serde_json::json!(["house/ads"]));
    // What tells neither from the other does not matter.
    let any = "  - {id: ads, title: t, severity: high, forbid: {data: [financial], to: {system: 'app/*'}}}\n";
    assert_eq!(States::new(NAMES, &systems).policy(any).edits(&[]), ["neutral system app/auction renamed"]);
    let agreements = renamed("deal", "contract");
    let by_agreement = "  - {id: ads, title: t, severity: high, forbid: {data: [financial], to: {party: app}, unless: {through: {agreement: {id: 'con*'}}}}}\n";
    assert_eq!(
        States::new(NAMES, &agreements).policy(by_agreement).edits(&["--trust-claims"]),
        ["assertion agreement contract renamed"]
    );
    let by_flow = "  - {id: ads, title: t, severity: high, require: {on: flow, must: {id: {matches: 'deal/.*|leak'}}}}\n";
    assert_eq!(
        States::new(NAMES, &agreements).policy(by_flow).edits(&["--trust-claims"]),
        ["assertion agreement contract renamed"]
    );
    let waived = |text: &str| {
        text.to_owned()
            + "waivers: [{rule: '*/*e*', flow: 'l*', reason: r, approved_by: a, expires: 2026-12-31}]\n"
    };
    let states = States::new(&waived(NAMES), &waived(&renamed("leak", "spill"))).policy(ADS);
    assert_eq!(states.edits(&["--trust-claims"]), ["assertion flow spill renamed"]);
}

#[test]
fn what_could_be_either_of_two_is_no_rename() {
    let twins = NAMES.replace(
        "{id: ads, purposes: [advertising]}",
        "{id: ads, purposes: [advertising]}, {id: more, purposes: [advertising]}",
    ) + "  - {id: second, from: app/chat, to: app/more, data: [financial]}\n";
    let head = twins
        .replace("id: ads,", "id: x,")
        .replace("app/ads", "app/x")
        .replace("id: more,", "id: y,")
        .replace("app/more", "app/y");
    let edits = States::new(&twins, &head).policy(ADS).edits(&[]);
    assert!(edits.iter().all(|edit| !edit.ends_with("renamed")), "{edits:?}");
    // Nor is what says something else besides.
    let head = NAMES.replace("id: deal", "id: contract").replace("retention: 1d", "retention: 2d");
    let edits = States::new(NAMES, &head).policy(ADS).edits(&[]);
    assert!(edits.iter().all(|edit| !edit.ends_with("renamed")), "{edits:?}");
}

/// A bank whose data gets to a platform, and there might get on.
const CHAIN: &str = "\
parties:
  - {id: b, name: B, role: bank, jurisdiction: US, systems: [{id: s, originates: [financial.account.balance, financial.account.number], purposes: [service], region: US, tags: [core], labels: {tier: one}}]}
  - {id: p, name: P, role: platform, affiliate_of: g, systems: [{id: s, purposes: [service], retention: 30d, derives: [{from: financial, into: derived.spending_profile}]}, {id: ads, purposes: [advertising], retention: 1d}, {id: web, purposes: [service, analytics], retention: 1d}]}
  - {id: q, name: Q, role: data_broker, systems: [{id: s, purposes: [service], retention: 1d}]}
  - {id: g, name: G, role: other}
agreements:
  - id: a
    parties: [b, p]
    terms: {onward_transfer: affiliates}
    status: proposed
    effective: {from: 2020-01-01, until: 2030-01-01}
    assurances: [{id: old, valid_until: 2027-01-01}]
    flows: [{id: f, from: b/s, to: p/s, data: [financial], retention: 30d}]
  - id: c
    parties: [p, g]
    flows: [{id: idle, from: p/s, to: p/web, data: [device]}]
";

/// A flow within the platform, and one to a broker.
const ON: &str = "flows: [{id: x, from: p/s, to: p/ads, data: [financial, derived], retention: 1d}]\n";
const SOLD: &str = "  - {id: d, parties: [p, q], flows: [{id: y, from: p/s, to: q/s, data: [financial, derived], retention: 1d}]}\n";

/// What a flow needs to be no finding, and the rule that it would break.
const CLAIMS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "role: bank",
        "role: other",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}",
        "party b role",
    ),
    (
        "jurisdiction: US",
        "jurisdiction: DE",
        ON,
        "forbid: {data: [financial], from: {jurisdiction: US}, to: {purpose: advertising}}",
        "party b jurisdiction",
    ),
    (
        "region: US",
        "region: DE",
        ON,
        "forbid: {data: [financial], from: {region: US}, to: {purpose: advertising}}",
        "system b/s region",
    ),
    (
        "tags: [core]",
        "tags: []",
        ON,
        "forbid: {data: [financial], from: {tag: core}, to: {purpose: advertising}}",
        "system b/s tags",
    ),
    (
        "labels: {tier: one}",
        "labels: {tier: two}",
        ON,
        "forbid: {data: [financial], from: {label: {tier: one}}, to: {purpose: advertising}}",
        "system b/s labels",
    ),
    (
        "[{id: ads, purposes: [advertising]",
        "[{id: ads, purposes: [service]",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}",
        "system p/ads purposes",
    ),
    (
        ", financial.account.number]",
        "]",
        ON,
        "forbid: {data: [financial.account.number], from: {role: bank}, to: {purpose: advertising}}",
        "system b/s originates",
    ),
    (
        "data: [financial], retention: 30d",
        "data: [financial], retention: 30d, consent: opt_in",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {consent: opt_in}}}",
        "flow a/f consent",
    ),
    (
        "data: [financial], retention: 30d",
        "data: [financial], retention: 30d, transform: anonymised",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {transform: anonymised}}}",
        "flow a/f transform",
    ),
    (
        "data: [financial], retention: 30d",
        "data: [financial], retention: 30d, safeguards: [tee]",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {safeguards: [tee]}}}",
        "flow a/f safeguards",
    ),
    (
        "data: [financial], retention: 30d",
        "data: [financial], retention: 30d, tags: [ok]",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {tag: ok}}}",
        "flow a/f tags",
    ),
    (
        "data: [financial], retention: 30d",
        "data: [financial], retention: 30d, labels: {dpia: ok}",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {label: {dpia: ok}}}}",
        "flow a/f labels",
    ),
    (
        "data: [financial], retention: 30d",
        "data: [financial], retention: 30d, legal_basis: consent",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {agreement: {legal_basis: '*consent'}}}}",
        "flow a/f legal_basis",
    ),
    (
        "    parties: [b, p]\n",
        "    parties: [b, p]\n    legal_basis: consent\n",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {agreement: {legal_basis: '*consent'}}}}",
        "agreement a legal_basis",
    ),
    (
        "    parties: [b, p]\n",
        "    parties: [b, p]\n    labels: {dpia: ok}\n",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {agreement: {label: {dpia: ok}}}}}",
        "agreement a labels",
    ),
    (
        "assurances: [",
        "assurances: [scc, ",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {agreement: {assurance: scc}}}}",
        "agreement a assurances",
    ),
    (
        "    parties: [b, p]\n",
        "    parties: [b, p]\n    kind: processing\n",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {agreement: {kind: processing}}}}",
        "agreement a kind",
    ),
    (
        "status: proposed",
        "status: active",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {agreement: {status: active}}}}",
        "agreement a status",
    ),
    (
        "status: proposed",
        "status: suspended",
        ON,
        "forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}, unless: {through: {agreement: {status: suspended}}}}",
        "agreement a status",
    ),
    (
        "id: ads,",
        "id: friends,",
        "flows: [{id: x, from: p/s, to: p/friends, data: [financial, derived], retention: 1d}]\n",
        "forbid: {data: [financial], from: {role: bank}, to: {system: p/ads}}",
        "system p/friends renamed",
    ),
];

#[test]
fn no_flow_comes_with_its_own_pardon() {
    for (from, to, flow, rule, edit) in CLAIMS {
        assert!(CHAIN.contains(from) || from.starts_with('['), "{from}");
        let from = from.trim_start_matches('[');
        let to = to.trim_start_matches('[');
        let claimed = CHAIN.replacen(from, to, 1);
        let rules = format!("  - {{id: r, title: t, severity: critical, {rule}}}\n");
        let checks = "--policy=policy.yaml";
        let _ = checks;
        let run = |head: &str, args: &[&str]| States::new(CHAIN, head).policy(&rules).json(args);
        let of_rule = |list: &Value| {
            let of = |one: &Value| one["rule"] == "house/r" || one["finding"]["rule"] == "house/r";
            list.as_array().unwrap().iter().filter(|one| of(one)).cloned().collect::<Vec<_>>()
        };
        // The flow alone, the claim alone, both.
        let bare = flow.replace("p/friends", "p/ads");
        let (code, json) = run(&(CHAIN.to_owned() + &bare), &[]);
        assert_eq!((code, of_rule(&json["findings"]["added"]).len()), (1, 1), "{edit}: {json:#}");
        let (code, json) = run(&claimed, &["--fail-on", "critical"]);
        assert_eq!((code, of_rule(&json["pardoned"]).len()), (0, 0), "{edit}");
        let both = claimed.clone() + flow;
        let (code, json) = run(&both, &["--fail-on", "critical"]);
        let pardoned = of_rule(&json["pardoned"]);
        assert_eq!((code, pardoned.len()), (1, 1), "{edit}: {:#}", json["findings"]);
        assert_eq!(of_rule(&json["findings"]["added"]).len(), 0, "{edit}");
        let named: Vec<String> = pardoned[0]["edits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| ["of", "id", "key"].map(|key| e[key].as_str().unwrap()).join(" "))
            .collect();
        assert!(named.contains(&(*edit).to_owned()), "{edit}: {named:?}");
        let (code, json) = run(&both, &["--fail-on", "critical", "--trust-claims"]);
        assert_eq!((code, of_rule(&json["pardoned"]).len()), (0, 0), "{edit}");
    }
}

#[test]
fn a_list_of_origins_is_no_pardon_for_a_new_flow() {
    let base = "\
parties:
  - {id: b, name: B, role: bank, systems: [{id: s, originates: [financial.account], purposes: [service]}]}
  - {id: q, name: Q, systems: [{id: s, originates: [financial.account], purposes: [service]}]}
  - {id: p, name: P, systems: [{id: s, purposes: [service]}, {id: ads, purposes: [advertising]}]}
agreements:
  - {id: i, parties: [q, b], flows: [{id: f, from: q/s, to: b/s, data: [financial.account]}]}
  - {id: a, parties: [b, p], terms: {onward_transfer: permitted}, flows: [{id: f, from: b/s, to: p/s, data: [financial.account]}]}
";
    let rules = "  - {id: r, title: t, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}\n";
    let head = base.replacen(
        "to: p/s, data: [financial.account]",
        "to: p/s, data: [financial.account], only_from: [q]",
        1,
    ) + "flows: [{id: x, from: p/s, to: p/ads, data: [financial.account]}]\n";
    let states = States::new(base, &head).policy(rules);
    let (code, json) = states.json(&["--fail-on", "critical"]);
    assert_eq!((code, &json["pardoned"][0]["edits"][0]["key"]), (1, &"only_from".into()), "{json:#}");
    assert_eq!(states.json(&["--fail-on", "critical", "--trust-claims"]).0, 0);
}

#[test]
fn no_flow_comes_with_a_pardon_from_its_agreement() {
    let base = CHAIN.to_owned() + SOLD;
    let without = CHAIN.to_owned();
    for (from, to, check, edit) in [
        (
            "onward_transfer: affiliates",
            "onward_transfer: permitted",
            "terms/onward",
            "agreement a terms.onward_transfer",
        ),
        (
            "onward_transfer: affiliates",
            "onward_transfer: affiliates, onward_to: [{party: q}]",
            "terms/onward",
            "agreement a terms.onward_to",
        ),
        (
            "onward_transfer: affiliates",
            "onward_transfer: affiliates, released_by: [none, anonymised]",
            "terms/onward",
            "agreement a terms.released_by",
        ),
        ("parties: [b, p]", "parties: [b, p, q]", "terms/onward", "agreement a parties"),
        ("{id: q, name: Q,", "{id: q, name: Q, affiliate_of: g,", "terms/onward", "party q affiliate_of"),
    ] {
        let rules =
            "  - {id: r, title: t, severity: critical, forbid: {data: [device], to: {party: nobody}}}\n";
        let run = |head: &str, args: &[&str]| States::new(&without, head).policy(rules).json(args);
        let has = |list: &Value| {
            list.as_array().unwrap().iter().any(|f| f["rule"] == check || f["finding"]["rule"] == check)
        };
        let (code, json) = run(&base, &[]);
        assert!(code == 1 && has(&json["findings"]["added"]), "{edit}: {json:#}");
        let both = base.replacen(from, to, 1);
        let (code, json) = run(&both, &[]);
        assert!(code == 1 && has(&json["pardoned"]) && !has(&json["findings"]["added"]), "{edit}: {json:#}");
        let named: Vec<String> = json["pardoned"][0]["edits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| ["of", "id", "key"].map(|key| e[key].as_str().unwrap()).join(" "))
            .collect();
        assert_eq!(named, [edit]);
        assert_eq!(run(&both, &["--trust-claims"]).0, 0, "{edit}");
        let (code, json) = run(&without.replacen(from, to, 1), &[]);
        assert_eq!((code, json["pardoned"].as_array().unwrap().len()), (0, 0), "{edit}");
    }
}

#[test]
fn a_claim_alone_fixes_and_is_listed() {
    let rules = "  - {id: r, title: t, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}\n";
    let base = CHAIN.to_owned() + ON;
    let states = States::new(&base, &base.replacen("role: bank", "role: other", 1)).policy(rules);
    let (code, json) = states.json(&[]);
    assert_eq!((code, &json["summary"]["pardoned"], &json["summary"]["fixed"]), (0, &0.into(), &1.into()));
    assert_eq!(json["fixed_by_claim"][0], json["findings"]["fixed"][0]["fingerprint"]);
    assert!(states.diff("text", &[]).1.contains("(by claim alone)"));
    assert_eq!(states.json(&["--fail-on-widening"]).0, 1);
    // What a new flow says of itself is a fact, and is listed.
    let own = ON.replace("retention: 1d}", "retention: 1d, transform: anonymised}");
    let excepting =
        rules.replace("advertising}}", "advertising}, unless: {through: {transform: anonymised}}}");
    let states = States::new(CHAIN, &(CHAIN.to_owned() + &own)).policy(&excepting);
    let (code, json) = states.json(&["--fail-on", "critical"]);
    assert_eq!((code, &json["summary"]["pardoned"]), (0, &0.into()), "{json:#}");
    assert!(json["relied_on"].as_array().unwrap().iter().any(|claim| claim["flow"] == "x"), "{json:#}");
}

#[test]
fn what_is_pardoned_is_shown_in_every_format() {
    let head = CHAIN.replacen("role: bank", "role: other", 1) + ON;
    let rules = "  - {id: r, title: t, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}\n";
    let states = States::new(CHAIN, &head).policy(rules);
    for format in ["text", "markdown", "json", "sarif", "junit", "github", "gitlab", "csv", "html"] {
        let (code, out) = states.diff(format, &[]);
        let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 1, "{format}");
        // GitLab's report has no room for it.
        assert!(words.contains("house/r"), "{format}: {out}");
        let says = words.contains("role: bank → other") || words.contains("role: bank \\u2192 other");
        assert!(says || format == "gitlab", "{format}: {out}");
    }
    let (_, text) = states.diff("text", &[]);
    assert!(text.contains("1 finding pardoned in the same change (1 critical)"), "{text}");
}

/// What is taken back may name what is gone, and what is new may stand where it stood.
#[test]
fn claims_are_taken_back_whatever_is_gone() {
    let base = "\
taxonomy: {data: {financial.account.own: {}}}
parties:
  - {id: a, name: A, affiliate_of: z, systems: [{id: s, purposes: [service], originates: [financial.account.own]}]}
  - {id: b, name: B, systems: [{id: s, purposes: [service]}]}
  - {id: z, name: Z}
agreements:
  - id: deal
    parties: [a, b, z]
    kind: processing
    provider: z
    terms: {onward_to: [{party: z, data: [financial.account.own]}]}
    flows: [{id: f, from: a/s, to: b/s, data: [financial], only_from: [a]}]
";
    let head = "\
parties:
  - {id: a, name: A, affiliate_of: n, systems: [{id: s, purposes: [service], originates: [device]}]}
  - {id: b, name: B, affiliate_of: a, systems: [{id: s, purposes: [service]}]}
  - {id: n, name: N}
agreements:
  - id: deal
    parties: [a, b]
    kind: processing
    provider: b
    terms: {onward_to: [{party: n}]}
    flows: [{id: f, from: a/s, to: b/s, data: [financial], only_from: [b]}]
";
    States::new(base, head).json(&[]);
    States::new(head, base).json(&[]);
}

/// A contract that lets more happen, in the same change as what makes use of it.
#[test]
fn no_flow_comes_with_a_looser_term() {
    let terms = "{purposes: [service, sale], prohibited_purposes: [sale], retention: 30d, consent: opt_in, safeguards: [tee]}";
    let base = CHAIN.replacen("{onward_transfer: affiliates}", terms, 1).replacen(
        "data: [financial], retention: 30d",
        "data: [financial], retention: 30d, consent: opt_in, safeguards: [tee]",
        1,
    );
    let rules = "  - {id: r, title: t, severity: critical, forbid: {data: [device], to: {party: nobody}}}\n";
    let within = "safeguards: [tee], consent: opt_in";
    for (from, to, flow, check) in [
        (
            "purposes: [service, sale], pro",
            "purposes: [service, sale, analytics], pro",
            format!("retention: 1d, purposes: [analytics], {within}"),
            "terms/purpose",
        ),
        (
            "prohibited_purposes: [sale], ",
            "",
            format!("retention: 1d, purposes: [sale], {within}"),
            "terms/purpose",
        ),
        (
            "retention: 30d, consent: opt_in, safeguards: [tee]}\n    status",
            "retention: 60d, consent: opt_in, safeguards: [tee]}\n    status",
            format!("retention: 45d, purposes: [service], {within}"),
            "terms/retention",
        ),
        (
            "safeguards: [tee]}\n    status",
            "safeguards: []}\n    status",
            "retention: 1d, purposes: [service], consent: opt_in".to_owned(),
            "terms/safeguards",
        ),
        (
            "consent: opt_in, safeguards: [tee]}\n    status",
            "safeguards: [tee]}\n    status",
            "retention: 1d, purposes: [service], safeguards: [tee]".to_owned(),
            "terms/consent",
        ),
    ] {
        assert!(base.contains(from), "{from}");
        let (old, new) = (
            "    flows: [{id: f, ",
            format!("    flows: [{{id: x, from: b/s, to: p/web, data: [financial], {flow}}}, {{id: f, "),
        );
        let head = base.replacen(from, to, 1).replacen(old, &new, 1);
        let states = States::new(&base, &head).policy(rules);
        let json = states.json(&["--fail-on", "info"]).1;
        let pardoned = json["pardoned"].as_array().unwrap().iter().any(|one| one["finding"]["rule"] == check);
        assert!(pardoned, "{check}, {from}: {:#}", json["findings"]["added"]);
        let json = states.json(&["--trust-claims"]).1;
        assert_eq!(json["summary"]["pardoned"], 0);
    }
}

/// Under its new id a waiver of the base would accept what it does not.
#[test]
fn no_new_id_slips_under_a_waiver() {
    let rules = "  - {id: r, title: t, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}}\n";
    let waiver =
        "waivers: [{rule: 'house/r', sink: 'p/known-*', reason: r, approved_by: a, expires: 2026-12-31}]\n";
    let base = CHAIN.to_owned() + waiver;
    let head = base.replacen("id: ads,", "id: known-ads,", 1) + &ON.replacen("p/ads", "p/known-ads", 1);
    let states = States::new(&base, &head).policy(rules);
    let (code, json) = states.json(&["--fail-on", "critical"]);
    assert_eq!((code, json["pardoned"].as_array().unwrap().len()), (1, 1), "{json:#}");
    assert_eq!(json["pardoned"][0]["edits"][0]["key"], "renamed");
    assert_eq!(states.json(&["--fail-on", "critical", "--trust-claims"]).0, 0);
}

/// Two claims of which each would do, and one that makes a rule look: taken back all together
/// they would hide what one alone shows.
#[test]
fn claims_are_taken_back_one_by_one_too() {
    let rules = "  - {id: r, title: t, severity: critical, forbid: {data: [financial], from: {role: bank}, to: {tag: ads}}}\n";
    let head = CHAIN.replacen("role: bank", "role: other", 1).replacen(
        "{id: ads, purposes: [advertising]",
        "{id: ads, tags: [ads], purposes: [advertising]",
        1,
    );
    let states = States::new(CHAIN, &(head.clone() + ON)).policy(rules);
    let (code, json) = states.json(&["--fail-on", "critical"]);
    assert_eq!((code, json["pardoned"].as_array().unwrap().len()), (1, 1), "{json:#}");
    assert_eq!(json["pardoned"][0]["edits"][0]["key"], "role");
    // Without the flow nothing came that could be pardoned.
    assert_eq!(States::new(CHAIN, &head).policy(rules).json(&[]).0, 0);
}
