//! Every finding has one cause, causes part the findings, and each kind of finding has the cause that is
//! documented. What a cause must be is worked out here from the findings alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

use crate::naive::{generate, harness};

const BINARY: &str = env!("CARGO_BIN_EXE_ringfence");
/// From the gravest.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The first finding on the path of one that follows from others.
fn first<'a>(finding: &Value, findings: &'a [Value]) -> Option<&'a Value> {
    let same = |other: &&Value| other["rule"] == finding["rule"] && other["consequent"] == false;
    let flows = || list(finding, "path").iter().map(|hop| text(hop, "/flow"));
    if text(finding, "/kind") == "terms" {
        let length = flows().count();
        let at = list(finding, "witnesses").iter().position(|walk| walk.as_array().unwrap().len() == length);
        let agreement = &list(finding, "agreements")[at?];
        let of = |flow: &str| {
            let mut all = findings.iter().filter(same);
            all.find(|f| text(f, "/flow") == flow && list(f, "agreements").contains(agreement))
        };
        return flows().find_map(of);
    }
    let source = text(finding, "/source/system");
    let at = |sink: &str| {
        let mut all = findings.iter().filter(same);
        all.find(|f| text(f, "/source/system") == source && text(f, "/sink/system") == sink)
    };
    let start = at(source).filter(|f| list(f, "path").is_empty());
    let assumed = |f: &&Value| text(f, "/message").ends_with("without a declared origin");
    let hops = || list(finding, "path").iter().find_map(|hop| at(text(hop, "/to")));
    start.filter(assumed).or_else(hops).or(start)
}

/// The id of what a finding hangs on, if it follows from no other; of a subject, how it ends.
fn own(finding: &Value) -> String {
    let subject = text(finding, "/subject");
    match (text(finding, "/kind"), text(finding, "/rule")) {
        (_, "flow/unsourced") => format!("system:{}", text(finding, "/source/system")),
        _ if !text(finding, "/flow").is_empty() => format!("flow:{}", text(finding, "/flow")),
        _ if !subject.is_empty() => format!(":{subject}"),
        _ => match list(finding, "path").last() {
            Some(hop) => format!("flow:{}", text(hop, "/flow")),
            None => format!("system:{}", text(finding, "/source/system")),
        },
    }
}

/// The ids of the declarations that a cause is.
fn declarations(cause: &Value) -> Vec<&str> {
    list(cause, "declarations").iter().map(|declaration| text(declaration, "/id")).collect()
}

/// How each finding's cause differs from what it must be.
pub fn misattributed(audit: &Value) -> Vec<String> {
    let findings = list(audit, "findings");
    let mut wrong = Vec::new();
    for finding in findings {
        let cause = text(finding, "/cause");
        let hangs_on = match finding["consequent"] == true {
            false => own(finding),
            true => match first(finding, findings) {
                Some(first) => own(first),
                None => {
                    wrong.push(format!("follows from nothing: {finding}"));
                    continue;
                }
            },
        };
        let causes = list(audit, "causes").iter().filter(|known| text(known, "/id") == cause);
        if !causes.flat_map(declarations).any(|declared| declared.ends_with(&hangs_on)) {
            wrong.push(format!("{cause} in the place of {hangs_on}: {finding}"));
        }
    }
    wrong.extend(unparted(audit));
    wrong
}

/// How the causes differ from the findings that they must be made of.
fn unparted(audit: &Value) -> Vec<String> {
    let mut parts: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for finding in list(audit, "findings") {
        parts.entry(text(finding, "/cause")).or_default().push(finding);
    }
    let causes = list(audit, "causes");
    let mut wrong = Vec::new();
    let grave = |severity: &Value| SEVERITIES.iter().position(|s| *severity == **s).unwrap();
    let mut keys = Vec::new();
    for cause in causes {
        let Some(findings) = parts.remove(text(cause, "/id")) else {
            wrong.push(format!("no finding, or listed twice: {cause}"));
            continue;
        };
        let number = |key: &str, is: &dyn Fn(&Value) -> bool| {
            (key.to_owned(), Value::from(findings.iter().filter(|f| is(f)).count()))
        };
        let binds = |f: &Value| f["binding"] == true;
        let bound = findings.iter().any(|f| binds(f));
        let severity = findings.iter().filter(|f| !bound || binds(f)).map(|f| grave(&f["severity"])).min();
        let rules: BTreeSet<&str> = findings.iter().map(|f| text(f, "/rule")).collect();
        let promises: Vec<&str> = rules.iter().filter_map(|rule| rule.strip_prefix("statement/")).collect();
        let mut terms: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for finding in findings.iter().filter(|f| f["kind"] == "terms") {
            terms.entry(text(finding, "/rule")).or_default().extend(texts(finding, "agreements"));
        }
        let terms: Vec<Value> = terms
            .into_iter()
            .map(|(rule, agreements)| serde_json::json!({"rule": rule, "agreements": agreements}))
            .collect();
        let expected = [
            number("findings", &|_| true),
            number("binding", &binds),
            number("new", &|f| f["status"] == "new"),
            ("severity".to_owned(), SEVERITIES[severity.unwrap()].into()),
            ("rules".to_owned(), rules.iter().copied().collect::<Vec<_>>().into()),
            ("promises".to_owned(), promises.into()),
            ("terms".to_owned(), terms.into()),
            ("prospective".to_owned(), findings.iter().all(|f| f["prospective"] == true).into()),
        ];
        for (key, value) in expected {
            if cause[&key] != value {
                wrong.push(format!("{key} is not {value}: {cause}"));
            }
        }
        let sources = texts(cause, "sources");
        for finding in findings.iter().filter(|f| f["source"].is_object()) {
            let path = list(finding, "path").first();
            let start = path.map_or(text(finding, "/source/system"), |hop| text(hop, "/from"));
            let moves_nothing = path.is_none() && finding["kind"] == "flow";
            if !moves_nothing && !sources.iter().any(|s| s == start) {
                wrong.push(format!("{start} is not among the sources: {cause}"));
            }
        }
        let counts = (rules.len(), findings.len());
        let firm = (!bound, severity, cause["prospective"].as_bool());
        keys.push((firm, Reverse(counts.0), Reverse(counts.1), text(cause, "/id")));
    }
    let mut declared: Vec<&str> = causes.iter().flat_map(declarations).collect();
    let number = declared.len();
    declared.sort_unstable();
    declared.dedup();
    if declared.len() < number
        || causes.iter().any(|cause| declarations(cause).first() != Some(&text(cause, "/id")))
    {
        wrong.push(format!(
            "a declaration is two causes, or a cause is not named after its first: {causes:?}"
        ));
    }
    if !parts.is_empty() {
        wrong.push(format!("causes are missing: {:?}", parts.keys()));
    }
    if !keys.is_sorted() {
        wrong.push(format!("another order: {keys:?}"));
    }
    wrong
}

fn attributed(audit: &Value) -> Result<(), String> {
    match misattributed(audit) {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(wrong.join("\n")),
    }
}

#[test]
fn causes_part_the_findings_of_any_world() {
    harness::try_all(harness::cases(200), generate::world(), harness::show, |world| {
        attributed(&harness::run(BINARY, world, 0)?.json)
    });
}

fn audit(folder: &Path, args: &[&str]) -> Value {
    let call = [&["audit", "--day", "2026-11-23", "--format", "json"], args].concat();
    let output = Command::new(BINARY).current_dir(folder).args(call).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{args:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn causes_part_the_findings_of_the_samples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for sample in ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"] {
        for policies in [vec![], vec!["--policy", "core", "--policy", "gdpr", "--policy", "glba"]] {
            let path = format!("samples/{sample}");
            let found = audit(root, &[&[path.as_str()], policies.as_slice()].concat());
            assert_eq!(misattributed(&found), Vec::<String>::new(), "{sample} {policies:?}");
        }
    }
}

/// The ids of the causes of the findings of a rule.
fn of_rule(audit: &Value, rule: &str) -> Vec<String> {
    let mut causes: Vec<String> = list(audit, "findings")
        .iter()
        .filter(|finding| finding["rule"] == rule)
        .map(|finding| text(finding, "/cause").to_owned())
        .collect();
    causes.sort();
    causes
}

const SHARING: &str = "
parties:
  - id: holding
    name: Holding
    systems: [{id: books, purposes: [service]}]
  - id: bank
    name: Bank
    affiliate_of: holding
    basis: assumed
    systems: [{id: core, originates: [financial, contact], purposes: [service]}]
  - id: app
    name: App
    systems:
      - {id: chat, purposes: [service]}
      - {id: lake, purposes: [analytics]}
      - {id: ads, purposes: [advertising], originates: [device]}
agreements:
  - id: deal
    parties: [bank, app]
    status: proposed
    terms: {purposes: [service]}
    flows:
      - {id: in, from: bank/core, to: app/chat, data: [financial], purposes: [service]}
  - id: over
    parties: [bank, holding]
    status: terminated
    flows:
      - {id: up, from: bank/core, to: holding/books, data: [contact], purposes: [service]}
  - id: gone
    parties: [bank, app]
    status: terminated
    flows:
      - {id: out, from: bank/core, to: app/chat, data: [contact], purposes: [service]}
flows:
  - {id: store, from: app/chat, to: app/lake, data: [financial], purposes: [analytics]}
  - {id: aim, from: app/lake, to: app/ads, data: [financial], purposes: [advertising], basis: assumed}
  - {id: social, from: app/lake, to: app/chat, data: [social], purposes: [service]}
statements:
  - id: not-for-ads
    by: app
    said: {quote: Your account is never used for advertising.}
    promise: {forbid: {data: [financial], to: {purpose: advertising}}}
";

const RULES: &str = "
policy: p
rules:
  - {id: to-ads, severity: critical, forbid: {data: [financial], to: {purpose: [analytics, advertising]}}}
  - {id: no-device, severity: low, forbid: {data: [device], to: {party: app}}}
  - {id: one-system, severity: low, limit: {at: {system: app/ads}, together: [financial, device]}}
  - {id: one-party, severity: low, limit: {at: {party: app}, scope: party, together: [financial, device]}}
  - {id: one-group, severity: low, limit: {at: {party: bank}, scope: group, together: [financial, contact]}}
  - {id: say-who, severity: low, require: {on: agreement, must: {legal_basis: {present: true}}}}
";

fn sharing() -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), SHARING).unwrap();
    fs::write(folder.path().join("policy.yaml"), RULES).unwrap();
    audit(folder.path(), &["inventory.yaml", "--policy", "policy.yaml"])
}

#[test]
fn each_kind_of_finding_hangs_on_what_has_to_change() {
    let found = sharing();
    assert_eq!(misattributed(&found), Vec::<String>::new());
    for (rule, causes) in [
        // What comes to the ads has come to the lake by then.
        ("p/to-ads", vec!["flow:store", "flow:store"]),
        ("statement/not-for-ads", vec!["flow:aim"]),
        ("p/no-device", vec!["system:app/ads"]),
        ("p/one-system", vec!["system:app/ads"]),
        ("p/one-party", vec!["party:app"]),
        ("p/one-group", vec!["group:holding"]),
        // What only lacks a word is one with what lacks the same; `gone` breaks more.
        ("p/say-who", vec!["agreement:deal", "agreement:deal", "agreement:gone"]),
        ("agreement/ended", vec!["agreement:gone"]),
        ("flow/unsourced", vec!["system:app/lake"]),
        ("terms/purpose", vec!["flow:store", "flow:store"]),
    ] {
        assert_eq!(of_rule(&found, rule), causes, "{rule}");
    }
}

#[test]
fn a_cause_lists_what_hangs_on_it() {
    let found = sharing();
    let cause = |id: &str| list(&found, "causes").iter().find(|cause| cause["id"] == id).unwrap();
    let store = cause("flow:store");
    assert_eq!(list(&found, "causes").first(), Some(store));
    assert_eq!(store["severity"], "critical");
    assert_eq!(store["sources"], serde_json::json!(["bank/core"]));
    assert_eq!(
        store["terms"].as_array().unwrap().iter().find(|term| term["rule"] == "terms/purpose"),
        Some(&serde_json::json!({"rule": "terms/purpose", "agreements": ["deal"]}))
    );
    assert_eq!((&store["prospective"], &store["assumed"]), (&true.into(), &false.into()));
    assert_eq!(text(store, "/location/file"), "inventory.yaml");
    let aim = cause("flow:aim");
    assert_eq!(aim["promises"], serde_json::json!(["not-for-ads"]));
    assert_eq!(aim["assumed"], true);
    assert_eq!(cause("system:app/ads")["prospective"], false);
}

#[test]
fn what_follows_the_start_of_an_assumed_origin_hangs_on_that_system() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = "
parties:
  - id: app
    name: App
    systems: [{id: a, purposes: [advertising]}, {id: b, purposes: [advertising]}]
flows: [{id: f, from: app/a, to: app/b, data: [contact], purposes: [advertising]}]
";
    fs::write(folder.path().join("inventory.yaml"), inventory).unwrap();
    let rule = "{id: r, severity: high, forbid: {data: [contact], to: {purpose: advertising}}}";
    fs::write(folder.path().join("policy.yaml"), format!("policy: p\nrules: [{rule}]\n")).unwrap();
    let found = audit(folder.path(), &["inventory.yaml", "--policy", "policy.yaml"]);
    assert_eq!(misattributed(&found), Vec::<String>::new());
    assert_eq!(of_rule(&found, "p/r"), ["system:app/a", "system:app/a"]);
    assert_eq!(list(&found, "causes").len(), 1);
}

#[test]
fn a_waiver_leaves_causes_and_counts_fewer_new() {
    let folder = tempfile::tempdir().unwrap();
    let waiver = "
waivers:
  - {rule: p/to-ads, reason: agreed, approved_by: board, expires: 2026-12-31}
";
    fs::write(folder.path().join("inventory.yaml"), format!("{SHARING}{waiver}")).unwrap();
    fs::write(folder.path().join("policy.yaml"), RULES).unwrap();
    let waived = audit(folder.path(), &["inventory.yaml", "--policy", "policy.yaml"]);
    assert_eq!(misattributed(&waived), Vec::<String>::new());
    let before = sharing();
    let new = |audit: &Value| list(audit, "causes").first().unwrap()["new"].as_u64().unwrap();
    assert_eq!(new(&before), new(&waived) + 2);
}

/// What differs only in the partner: three banks send to one platform, and it sends on to two systems of its own.
const ALIKE: &str = "
parties:
  - {id: north, name: North, role: bank, systems: [{id: core, originates: [financial], purposes: [service]}]}
  - {id: south, name: South, role: bank, systems: [{id: core, originates: [financial], purposes: [service]}]}
  - {id: west, name: West, role: bank, systems: [{id: core, originates: [financial], purposes: [service]}]}
  - id: app
    name: App
    systems:
      - {id: chat, purposes: [service]}
      - {id: rank, purposes: [advertising.ranking]}
      - {id: find, purposes: [advertising.audiences]}
      - {id: sell, purposes: [sale]}
agreements:
  - {id: a, parties: [north, app], flows: [{id: in, from: north/core, to: app/chat, data: [financial.account], purposes: [service.account]}]}
  - {id: b, parties: [south, app], flows: [{id: in, from: south/core, to: app/chat, data: [financial.bill], purposes: [service.support]}]}
  - {id: c, parties: [west, app], flows: [{id: in, from: west/core, to: app/chat, data: [financial.account], purposes: [analytics]}]}
flows:
  - {id: rank, from: app/chat, to: app/rank, data: [financial], purposes: [advertising.ranking], basis: assumed}
  - {id: find, from: app/chat, to: app/find, data: [financial], purposes: [advertising.audiences], basis: assumed}
  - {id: sell, from: app/chat, to: app/sell, data: [financial], purposes: [sale]}
statements:
  - id: south-says-nothing-leaves
    by: south
    said: {quote: Nothing leaves South.}
    promise: {forbid: {data: [financial], from: {party: south}, to: {party: app}}}
";

const ALIKE_RULES: &str = "
policy: p
rules:
  - {id: no-platform, severity: high, forbid: {data: [financial], from: {role: bank}, to: {system: app/chat}}}
  - {id: no-ads, severity: high, forbid: {data: [financial], to: {purpose: [advertising, sale]}}}
  - {id: say-what-for, severity: low, require: {on: agreement, must: {terms.purposes: {present: true}}}}
  - {id: say-where, severity: low, require: {on: system, must: {region: {present: true}}}}
";

#[test]
fn declarations_that_differ_only_in_the_partner_are_one_cause() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inventory.yaml"), ALIKE).unwrap();
    fs::write(folder.path().join("policy.yaml"), ALIKE_RULES).unwrap();
    let found = audit(folder.path(), &["inventory.yaml", "--policy", "policy.yaml"]);
    assert_eq!(misattributed(&found), Vec::<String>::new());
    let causes: Vec<Vec<&str>> = list(&found, "causes").iter().map(declarations).collect();
    for expected in [
        // A promise of South itself is no other problem; for analytics is another purpose.
        vec!["flow:a/in", "flow:b/in"],
        vec!["flow:c/in"],
        // Two systems of one party for the same kind of purpose; sale is another kind.
        vec!["flow:find", "flow:rank"],
        vec!["flow:sell"],
        vec!["agreement:a", "agreement:b", "agreement:c"],
    ] {
        assert!(causes.contains(&expected), "{expected:?} is not among {causes:?}");
    }
    let regions = causes.iter().filter(|cause| cause.iter().any(|id| id.starts_with("system:")));
    assert_eq!(regions.count(), 1, "{causes:?}");
    let merged = list(&found, "causes").iter().find(|cause| cause["id"] == "flow:find").unwrap();
    assert_eq!(merged["assumed"], true);
    let declaration = &list(merged, "declarations")[1];
    assert_eq!(text(declaration, "/from"), "app/chat");
    assert_eq!(text(declaration, "/to"), "app/rank");
    assert_eq!(texts(declaration, "data"), ["financial"]);
    assert_eq!(texts(declaration, "purposes"), ["advertising.ranking"]);
}
