//! `ringfence promises`: kept, broken, and the three reasons why one cannot be decided.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// A bank's balances go to a platform's chat; the platform has an advertising system.
const WORLD: &str = r#"parties:
  - id: bank
    name: Bank
    role: bank
    systems:
      - {id: core, originates: [financial.account], purposes: [service]}
  - id: platform
    name: Platform
    role: platform
    systems:
      - {id: chat, purposes: [service]}
      - {id: store, purposes: [analytics]}
      - {id: ads, purposes: [advertising], tags: [shows-ads]}
agreements:
  - id: chat
    parties: [bank, platform]
    flows:
      - {id: balance, from: bank/core, to: platform/chat, data: [financial.account.balance], purposes: [service]}
"#;

/// A promise of the platform's.
fn promise(body: &str) -> String {
    format!(
        "statements:\n  - id: said\n    by: platform\n    said: {{quote: We will not., date: 2018-08-06}}\n    promise: {body}\n"
    )
}

fn run(world: &str, promise: &str, args: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), world).unwrap();
    fs::write(folder.path().join("promise.yaml"), promise).unwrap();
    at(folder.path(), args)
}

fn at(path: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let command = command.current_dir(path).args(["promises", ".", "--day", "2026-11-22"]);
    let run = command.args(args).output().unwrap();
    assert_eq!(String::from_utf8(run.stderr).unwrap(), "");
    (run.status.code().unwrap(), String::from_utf8(run.stdout).unwrap())
}

/// The exit code and the one promise.
fn judged(world: &str, body: &str) -> (i32, Value) {
    let (code, text) = run(world, &promise(body), &["--format", "json"]);
    let all: Value = serde_json::from_str(&text).unwrap();
    let schema: Value =
        serde_json::from_str(&ringfence::testing::report::promises_schema().unwrap()).unwrap();
    let mistakes: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&all).map(|e| e.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new());
    (code, all["promises"][0].clone())
}

/// On what the answer depends, and the line that is named.
fn gaps(promise: &Value) -> Vec<(String, String, u64)> {
    let gap = |g: &Value| {
        let place = &g["location"];
        (
            g["depends_on"].as_str().unwrap().to_owned(),
            place["file"].as_str().unwrap().to_owned(),
            place["line"].as_u64().unwrap(),
        )
    };
    promise["gaps"].as_array().unwrap().iter().map(gap).collect()
}

const ADS: &str =
    "{forbid: {data: [financial], from: {role: bank}, to: {party: platform, purpose: advertising}}}";

#[test]
fn a_promise_is_kept_where_its_data_moves_and_stays_away() {
    let (code, said) = judged(WORLD, ADS);
    assert_eq!((code, said["state"].as_str()), (0, Some("kept")));
    assert_eq!(said["reaches"], serde_json::json!(["platform/chat"]));
    assert_eq!(said["furthest"][0]["flow"], "chat/balance");
    assert_eq!(gaps(&said), []);
}

fn with_ads(flow: &str) -> String {
    format!(
        "{WORLD}flows:\n  - {{id: on, from: platform/chat, to: platform/ads, purposes: [analytics], {flow}}}\n"
    )
}

#[test]
fn a_promise_is_broken_by_a_chain() {
    let (code, said) = judged(&with_ads("data: [financial]"), ADS);
    assert_eq!((code, said["state"].as_str()), (1, Some("broken")));
    let walk: Vec<&str> =
        said["findings"][0]["path"].as_array().unwrap().iter().map(|h| h["flow"].as_str().unwrap()).collect();
    assert_eq!(walk, ["chat/balance", "on"]);
    assert_eq!(gaps(&said), []);
}

#[test]
fn a_kept_promise_says_which_claim_it_rests_on() {
    let body = ADS.replace("}}}", "}, unless: {through: {transform: aggregated}}}}");
    let (code, said) = judged(&with_ads("data: [financial], transform: aggregated"), &body);
    assert_eq!((code, said["state"].as_str()), (0, Some("kept")));
    assert_eq!(said["relied_on"][0]["claim"], "transform: aggregated");
}

#[test]
fn what_breaks_only_from_an_assumed_origin_is_not_decided() {
    // Card numbers come from the bank, it seems; the bank does not say so.
    let world = format!(
        "{WORLD}flows:\n  - {{id: cards, from: bank/core, to: platform/ads, data: [financial.card.number], purposes: [service]}}\n"
    );
    let (code, said) = judged(&world, ADS);
    assert_eq!((code, said["state"].as_str()), (0, Some("undecided")));
    assert_eq!(gaps(&said), [("assumed_origin".to_owned(), "world.yaml".to_owned(), 20)]);
    assert!(said["gaps"][0]["missing"].as_str().unwrap().contains("bank/core"), "{said}");
    assert_eq!(said["gaps"][0]["path"][0]["flow"], "cards");
    // The finding stays a finding.
    assert_eq!(said["findings"].as_array().unwrap().len(), 1);
    let declared = world.replace("originates: [financial.account]", "originates: [financial]");
    assert_eq!(judged(&declared, ADS).1["state"], "broken");
}

#[test]
fn what_an_unknown_origin_would_break_is_not_decided() {
    // Nobody says how balances got to the platform's store.
    let world = format!(
        "{WORLD}flows:\n  - {{id: on, from: platform/store, to: platform/ads, data: [financial.account.balance], purposes: [service]}}\n"
    );
    let (code, said) = judged(&world, ADS);
    assert_eq!((code, said["state"].as_str()), (0, Some("undecided")));
    assert_eq!(gaps(&said), [("assumed_origin".to_owned(), "world.yaml".to_owned(), 20)]);
    assert_eq!(said["gaps"][0]["path"][0]["flow"], "on");
    // Data of another category is not the promise's.
    let other = world
        .replace("platform/ads, data: [financial.account.balance]", "platform/ads, data: [social.graph]");
    assert_eq!(judged(&other, ADS).1["state"], "kept");
    // What is worked out from other data may come of any.
    let derived =
        world.replace("platform/ads, data: [financial.account.balance]", "platform/ads, data: [derived]");
    assert_eq!(judged(&derived, ADS).1["state"], "undecided");
}

#[test]
fn a_place_that_nobody_declares_leaves_it_open() {
    for to in [
        "{party: broker}",
        "{system: platform/auction}",
        "{role: data_broker}",
        "{tag: sells}",
        "{party: [broker, platform], purpose: advertising}",
    ] {
        let (code, said) = judged(WORLD, &format!("{{forbid: {{data: [financial], to: {to}}}}}"));
        assert_eq!((code, said["state"].as_str()), (0, Some("undecided")), "{to}");
        assert_eq!(gaps(&said), [("place".to_owned(), "promise.yaml".to_owned(), 5)], "{to}");
    }
    let (_, said) = judged(WORLD, "{forbid: {data: [financial], to: {tag: shows-ads}}}");
    assert_eq!(said["state"], "kept");
    let (_, said) =
        judged(WORLD, "{forbid: {data: [financial], from: {party: insurer}, to: {party: platform}}}");
    assert_eq!(gaps(&said), [("place".to_owned(), "promise.yaml".to_owned(), 5)]);
    let (_, said) = judged(WORLD, "{limit: {at: {tag: sells}, together: [financial, social]}}");
    assert_eq!(gaps(&said), [("place".to_owned(), "promise.yaml".to_owned(), 5)]);
    let (_, said) =
        judged(WORLD, "{require: {on: system, where: {tag: sells}, must: {retention: {present: true}}}}");
    assert_eq!(gaps(&said), [("place".to_owned(), "promise.yaml".to_owned(), 5)]);
}

#[test]
fn a_mistyped_name_in_a_promise_is_told_with_the_nearest() {
    let notices = |to: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("world.yaml"), WORLD).unwrap();
        let body = format!("{{forbid: {{data: [financial], from: {{party: bank}}, to: {to}}}}}");
        fs::write(folder.path().join("promise.yaml"), promise(&body)).unwrap();
        let mut command = Command::cargo_bin("ringfence").unwrap();
        let run = command.arg("audit").arg(folder.path()).args(["--format", "json"]).output().unwrap();
        let audit: Value = serde_json::from_slice(&run.stdout).unwrap();
        let all = audit["notices"].as_array().unwrap().iter();
        let messages = all.map(|n| n["message"].as_str().unwrap().to_owned());
        messages.filter(|message| message.contains("`statement/said`")).collect::<Vec<_>>()
    };
    let nothing = "the sink of `statement/said` matches nothing in the inventory";
    assert_eq!(
        notices("{party: platfrom}"),
        [format!("{nothing}: no party is called `platfrom`; did you mean `platform`?")]
    );
    assert_eq!(
        notices("{any: [{system: platform/add}]}"),
        [format!("{nothing}: no system is called `platform/add`; did you mean `platform/ads`?")]
    );
    assert_eq!(notices("{party: 'z*'}"), [format!("{nothing}: no party is called `z*`")]);
    assert_eq!(notices("{tag: sells}"), [nothing]);
    assert_eq!(notices("{party: platform}"), [""; 0]);
}

#[test]
fn data_that_no_flow_carries_leaves_it_open() {
    let cards = ADS.replace("financial]", "financial.card]");
    let (code, said) = judged(WORLD, &cards);
    assert_eq!((code, said["state"].as_str()), (0, Some("undecided")));
    assert_eq!(gaps(&said), [("data".to_owned(), "promise.yaml".to_owned(), 5)]);
    assert!(
        said["gaps"][0]["missing"].as_str().unwrap().starts_with("where financial.card starts"),
        "{said}"
    );
    // It starts somewhere, and nothing moves it.
    let (_, said) =
        judged(&WORLD.replace("[financial.account]", "[financial.account, financial.card]"), &cards);
    assert!(said["gaps"][0]["missing"].as_str().unwrap().starts_with("the flows by which"), "{said}");
    // Of a limit, each category counts.
    let (_, said) = judged(WORLD, "{limit: {at: {party: platform}, together: [financial, social.graph]}}");
    assert_eq!(gaps(&said), [("data".to_owned(), "promise.yaml".to_owned(), 5)]);
    // What a system holds itself need not move.
    let own = WORLD.replace("{id: store, ", "{id: store, originates: [social.graph], ");
    let (_, said) = judged(&own, "{limit: {at: {party: platform}, together: [financial, social.graph]}}");
    assert_eq!(said["state"], "kept");
    // Only flows that count carry anything.
    let gone =
        WORLD.replace("parties: [bank, platform]\n", "parties: [bank, platform]\n    status: proposed\n");
    let (code, text) = run(&gone, &promise(ADS), &["--status", "active", "--allow-empty"]);
    assert_eq!(code, 0);
    assert!(text.contains("1 not decidable"), "{text}");
}

#[test]
fn data_that_is_turned_before_it_moves_is_carried() {
    let world = WORLD
        .replace("originates: [financial.account]", "originates: [financial.account, financial.card], derives: [{from: [financial.card], into: derived.spending_profile}]")
        .replace("data: [financial.account.balance]", "data: [derived.spending_profile]");
    let (_, said) = judged(&world, &ADS.replace("financial]", "financial.card]"));
    assert_eq!(
        (said["state"].as_str(), &said["reaches"]),
        (Some("kept"), &serde_json::json!(["platform/chat"]))
    );
}

#[test]
fn undecided_fails_only_where_that_is_asked_and_waived_does_not_fail() {
    let cards = promise(&ADS.replace("financial]", "financial.card]"));
    assert_eq!(run(WORLD, &cards, &[]).0, 0);
    assert_eq!(run(WORLD, &cards, &["--fail-on-undecided"]).0, 1);
    let waived = promise(ADS)
        + "waivers:\n  - {rule: statement/said, reason: known, approved_by: me, approved_on: 2026-11-22, expires: 2027-11-22, data: [financial]}\n";
    let (code, text) = run(&with_ads("data: [financial]"), &waived, &[]);
    assert_eq!(code, 0);
    assert!(text.contains("BROKEN") && text.contains("waived by me"), "{text}");
}

#[test]
fn the_audit_shows_the_third_state_in_its_reports() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), WORLD).unwrap();
    fs::write(folder.path().join("promise.yaml"), promise(&ADS.replace("financial]", "financial.card]")))
        .unwrap();
    let report = |format: &str| {
        let mut command = Command::cargo_bin("ringfence").unwrap();
        let run = command
            .args(["audit", "--day", "2026-11-22", "--format", format])
            .arg(folder.path())
            .output()
            .unwrap();
        String::from_utf8(run.stdout).unwrap()
    };
    let text = report("text");
    assert!(text.contains("  open    said"), "{text}");
    assert!(text.contains("Promises broken: 0 of 1, not decidable: 1."), "{text}");
    assert!(report("html").contains("0 of 1 kept, 1 not decidable"));
    assert!(report("markdown").contains("| **not decidable** |"));
    let json: Value = serde_json::from_str(&report("json")).unwrap();
    assert_eq!(
        (&json["promises"][0]["kept"], &json["promises"][0]["state"]),
        (&true.into(), &"undecided".into())
    );
}

#[test]
fn the_list_as_text() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/open-banking");
    let (code, text) = at(&sample, &[]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(text);
}

#[test]
fn the_list_of_what_is_open_as_text() {
    let world = format!(
        "{WORLD}flows:\n  - {{id: on, from: platform/store, to: platform/ads, data: [financial.account.balance], purposes: [service]}}\n"
    );
    let both = promise(ADS)
        + "  - {id: brokers, by: bank, said: {quote: Never sold.}, promise: {forbid: {to: {role: data_broker}}}}\n"
        + "  - {id: cards, by: bank, said: {quote: Cards stay.}, promise: {forbid: {data: [financial.card], to: {party: platform}}}}\n";
    let (code, text) = run(&world, &both, &[]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
}
