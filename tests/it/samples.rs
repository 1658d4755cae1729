//! The samples: what their READMEs say of them, and what small changes do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const SAMPLES: [&str; 4] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];
const COMPANIES: [&str; 7] = [
    "american-express",
    "citibank-singapore",
    "citigroup",
    "jpmorgan-chase",
    "paypal",
    "us-bancorp",
    "wells-fargo",
];
const TALKING: [&str; 4] = ["citigroup", "jpmorgan-chase", "us-bancorp", "wells-fargo"];
const ADS: [&str; 2] = ["facebook/ads-audiences", "facebook/ads-ranking"];

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// Exit code and standard output. Nothing is said on standard error.
fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(folder).args(["audit", "--day", "2026-11-23"]).args(args);
    let output = command.env_remove("COLUMNS").output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{args:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

struct Judged {
    code: i32,
    json: Value,
}

fn judge_in(folder: &Path, sample: &str, args: &[&str]) -> Judged {
    let (code, out) = run(folder, &[&[sample, "--format", "json"], args].concat());
    Judged { code, json: serde_json::from_str(&out).unwrap() }
}

fn judge(sample: &str, args: &[&str]) -> Judged {
    judge_in(&samples(), sample, args)
}

/// The sample with some words in one of its files replaced.
fn judge_with(sample: &str, file: &str, words: &str, by: &str, args: &[&str]) -> Judged {
    let folder = copy();
    let path = folder.path().join(sample).join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(words).count(), 1, "{words:?} in {file}");
    fs::write(&path, text.replace(words, by)).unwrap();
    judge_in(folder.path(), sample, args)
}

/// A copy of the samples, since one refers to a policy of another.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut left: Vec<PathBuf> = SAMPLES.iter().map(PathBuf::from).collect();
    while let Some(path) = left.pop() {
        let (from, to) = (samples().join(&path), folder.path().join(&path));
        if from.is_dir() {
            fs::create_dir(to).unwrap();
            left.extend(fs::read_dir(from).unwrap().map(|entry| path.join(entry.unwrap().file_name())));
        } else {
            fs::copy(from, to).unwrap();
        }
    }
    folder
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

/// The flows of a finding's chain.
fn chain(finding: &Value) -> Vec<&str> {
    finding["path"].as_array().unwrap().iter().map(|hop| text(hop, "/flow")).collect()
}

impl Judged {
    fn all(&self) -> &[Value] {
        self.json["findings"].as_array().unwrap()
    }

    fn of(&self, rule: &str) -> Vec<&Value> {
        self.all().iter().filter(|f| f["rule"] == rule).collect()
    }

    /// From where to where a rule is broken.
    fn ends(&self, rule: &str) -> Vec<(&str, &str)> {
        self.of(rule).into_iter().map(|f| (text(f, "/source/system"), text(f, "/sink/system"))).collect()
    }

    fn between(&self, rule: &str, source: &str, sink: &str) -> &Value {
        let is = |f: &&Value| text(f, "/source/system") == source && text(f, "/sink/system") == sink;
        self.of(rule).into_iter().find(is).unwrap()
    }

    /// The built-in checks that fail, and at which flow.
    fn at_flows(&self) -> Vec<(&str, &str)> {
        let found = self.all().iter().filter(|f| !f["flow"].is_null());
        let mut found: Vec<_> = found.map(|f| (text(f, "/rule"), text(f, "/flow"))).collect();
        found.sort_unstable();
        found
    }

    /// How many findings each rule has.
    fn rules(&self) -> BTreeMap<&str, usize> {
        let mut rules = BTreeMap::new();
        self.all().iter().for_each(|f| *rules.entry(text(f, "/rule")).or_default() += 1);
        rules
    }

    fn promises(&self, kept: bool) -> Vec<&str> {
        let all = self.json["promises"].as_array().unwrap();
        all.iter().filter(|p| p["kept"] == kept).map(|p| text(p, "/id")).collect()
    }

    /// What a rule relies on: flows and their claims.
    fn relies(&self, rule: &str) -> Vec<(&str, &str)> {
        let all = self.json["relied_on"].as_array().unwrap().iter().filter(|r| r["rule"] == rule);
        all.map(|r| (text(r, "/flow"), text(r, "/claim"))).collect()
    }

    fn marked(&self, mark: &str) -> usize {
        self.all().iter().filter(|f| f[mark] == true).count()
    }

    fn counting(&self) -> u64 {
        self.json["inventory"]["counting_flows"].as_u64().unwrap()
    }
}

#[test]
fn the_reports_are_as_they_were() {
    for sample in SAMPLES {
        let (code, out) = run(&samples(), &[sample]);
        insta::assert_snapshot!(sample, format!("{out}\nexit code {code}\n"));
    }
}

#[test]
fn every_promise_but_one_about_the_bank_talks_is_broken() {
    let judged = judge("messenger-banking", &[]);
    assert_eq!(judged.code, 1);
    assert_eq!(judged.promises(true), ["not-to-third-parties"]);
    assert_eq!(
        judged.promises(false),
        [
            "chase-shares-no-transactions",
            "not-asking-for-transactions",
            "not-for-advertising-or-anything-else",
            "us-bancorp-shared-nothing"
        ]
    );
}

#[test]
fn bank_data_goes_from_messenger_through_the_warehouse_to_advertising() {
    let judged = judge("messenger-banking", &[]);
    let promise = "statement/not-for-advertising-or-anything-else";
    let sources: Vec<String> = COMPANIES.iter().map(|company| format!("{company}/accounts")).collect();
    let to = |sinks: &[&'static str]| -> Vec<(String, &'static str)> {
        sources.iter().flat_map(|from| sinks.iter().map(move |&sink| (from.clone(), sink))).collect()
    };
    let found = |rule| -> Vec<(String, &str)> {
        let mut ends: Vec<_> = judged.ends(rule).into_iter().map(|(a, b)| (a.to_owned(), b)).collect();
        ends.sort();
        ends
    };
    assert_eq!(found("core/no-financial-advertising"), to(&ADS));
    assert_eq!(found(promise), to(&[ADS[0], ADS[1], "facebook/data-warehouse"]));
    assert_eq!(found("core/financial-other-use-needs-opt-in"), to(&["facebook/data-warehouse"]));

    let last = judged.between(promise, "jpmorgan-chase/accounts", "facebook/ads-ranking");
    let flows = ["chase-messenger/card-transactions", "messenger-export", "profiles-to-ranking"];
    assert_eq!(chain(last), flows);
    assert_eq!(last["path"][2]["data"], serde_json::json!(["derived.spending_profile"]));
    assert_eq!(last["broken"]["what"], "promise");
    assert_eq!(last["consequent"], true);
    let first = judged.between(promise, "jpmorgan-chase/accounts", "facebook/data-warehouse");
    assert_eq!(chain(first), ["chase-messenger/balance", "messenger-export"]);
    assert_eq!(first["consequent"], false);
    let rule = "core/no-financial-advertising";
    assert_eq!(chain(judged.between(rule, "jpmorgan-chase/accounts", "facebook/ads-ranking")), flows);
}

#[test]
fn terms_are_broken_at_the_export_and_behind_it_and_wells_fargo_has_none() {
    let judged = judge("messenger-banking", &[]);
    let mut expected = Vec::new();
    for check in ["terms/purpose", "terms/retention"] {
        for flow in
            ["audiences-to-ranking", "messenger-export", "profiles-to-audiences", "profiles-to-ranking"]
        {
            expected.push((check, flow));
        }
    }
    assert_eq!(judged.at_flows(), expected);
    for finding in judged.all().iter().filter(|f| f["kind"] == "terms") {
        let agreements = texts(&finding["agreements"]);
        assert_eq!(agreements.len(), if finding["rule"] == "terms/purpose" { 6 } else { 5 });
        assert!(!agreements.contains(&"wells-fargo-messenger"));
        assert_eq!(finding["consequent"], finding["flow"] != "messenger-export");
    }
    let unstated = |rule| judged.of(rule).iter().map(|f| text(f, "/subject")).collect::<Vec<_>>();
    assert_eq!(unstated("core/purposes-stated"), ["wells-fargo-messenger"]);
    assert_eq!(unstated("core/retention-stated"), ["us-bancorp-messenger", "wells-fargo-messenger"]);
    assert_eq!(unstated("core/safeguards-stated"), ["wells-fargo-messenger"]);
}

#[test]
fn the_concern_is_a_policy_of_its_own() {
    let judged = judge("messenger-banking", &[]);
    assert_eq!(judged.of("concern/one-service-too-many")[0]["subject"], "facebook");
    let args = ["--policy", "messenger-banking/concern.yaml", "--status", "active"];
    let alone = judge("messenger-banking", &args);
    assert_eq!((alone.of("concern/one-service-too-many").len(), alone.of("core/no-collapse").len()), (1, 0));
    let fenced = judge("messenger-banking-fenced", &["--policy", "messenger-banking/concern.yaml"]);
    assert_eq!((fenced.code, fenced.all().len()), (0, 0));
}

#[test]
fn proposed_agreements_are_marked_and_can_be_left_out() {
    let whole = judge("messenger-banking", &[]);
    assert_eq!((whole.counting(), whole.all().len(), whole.marked("prospective")), (42, 84, 56));
    let from = |f: &Value| text(f, "/source/party").to_owned();
    for finding in whole.of("core/no-financial-advertising") {
        assert_eq!(finding["prospective"], TALKING.contains(&from(finding).as_str()));
    }
    let active = judge("messenger-banking", &["--status", "active"]);
    assert_eq!((active.code, active.counting(), active.all().len()), (1, 18, 84 - 56));
    assert_eq!(active.promises(false), ["not-for-advertising-or-anything-else"]);
    assert_eq!(active.marked("prospective"), 0);
    let live = ["amex-linking", "citi-singapore-linking", "paypal-linking"];
    for finding in active.all() {
        assert!(!TALKING.contains(&from(finding).as_str()), "{finding}");
        assert!(texts(&finding["agreements"]).iter().all(|a| live.contains(a)), "{finding}");
    }
    assert_eq!(active.ends("core/no-financial-advertising").len(), 3 * ADS.len());
}

#[test]
fn what_is_kept_from_third_parties_rests_on_only_from() {
    let whole = judge("messenger-banking", &[]);
    let relied = whole.relies("flow/only_from");
    assert_eq!(relied.len(), COMPANIES.len());
    assert!(relied.contains(&("chase-messenger/request", "only_from: facebook, jpmorgan-chase")));

    let line = "        only_from: [facebook, jpmorgan-chase]";
    let file = "agreements/chase-messenger.yaml";
    let judged = judge_with("messenger-banking", file, line, "       ", &[]);
    assert_eq!(judged.code, 1);
    assert_eq!(judged.promises(true), [""; 0]);
    let mut ends = judged.ends("statement/not-to-third-parties");
    ends.sort_unstable();
    let sources: Vec<String> = COMPANIES.iter().map(|c| format!("{c}/accounts")).collect();
    let others = sources.iter().filter(|s| *s != "jpmorgan-chase/accounts");
    let expected: Vec<_> = others.map(|s| (s.as_str(), "jpmorgan-chase/messenger-bot")).collect();
    assert_eq!(ends, expected);
    // The last flow states an opt-in, which the house rule takes for an answer.
    assert!(judged.ends("core/no-financial-third-parties").is_empty());
    let paypal = "paypal/accounts";
    let found = judged.between("statement/not-to-third-parties", paypal, "jpmorgan-chase/messenger-bot");
    assert_eq!(chain(found), ["paypal-linking/balance", "chase-messenger/request"]);
    assert!(judged.at_flows().contains(&("terms/onward", "chase-messenger/request")));
}

#[test]
fn the_fenced_partnerships_are_clean_and_say_what_they_rely_on() {
    let judged = judge("messenger-banking-fenced", &["--fail-on", "info"]);
    assert_eq!((judged.code, judged.all().len(), judged.counting()), (0, 0, 39));
    assert_eq!(judged.promises(true).len(), 5);
    let notices = judged.json["notices"].as_array().unwrap();
    assert!(notices.iter().all(|n| n["code"] == "rule-matches-nothing"));
    let claims: std::collections::BTreeSet<_> = judged.json["relied_on"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (text(r, "/claim").split_once(": ").unwrap().0, text(r, "/flow")))
        .collect();
    let expected = [
        ("consent", "citi-messenger/users-in-exchange"),
        ("consent", "wells-fargo-messenger/users-in-exchange"),
        ("kind", "amex-linking-view/show"),
        ("kind", "chase-messenger-view/show"),
        ("kind", "citi-messenger-view/show"),
        ("kind", "citi-singapore-linking-view/show"),
        ("kind", "paypal-linking-view/show"),
        ("kind", "us-bancorp-messenger-view/show"),
        ("kind", "wells-fargo-messenger-view/show"),
        ("only_from", "amex-linking-view/shown"),
        ("only_from", "chase-messenger-view/shown"),
        ("only_from", "citi-messenger-view/shown"),
        ("only_from", "citi-singapore-linking-view/shown"),
        ("only_from", "messenger-export"),
        ("only_from", "paypal-linking-view/shown"),
        ("only_from", "us-bancorp-messenger-view/shown"),
        ("only_from", "wells-fargo-messenger-view/shown"),
        ("transform", "citi-messenger/where-people-shop"),
        ("transform", "wells-fargo-messenger/where-people-shop"),
    ];
    assert_eq!(claims.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(judged.relies("terms/released_by").len(), 2);
    assert_eq!(judged.relies("statement/not-for-advertising-or-anything-else").len(), 2);
    assert_eq!(judged.relies("statement/chase-shares-no-transactions").len(), 0);
}

#[test]
fn each_claim_carries_its_part_of_the_fenced_verdict() {
    let fenced = "messenger-banking-fenced";
    let figures = [
        ("concern/one-service-too-many", 1),
        ("core/no-collapse", 1),
        ("statement/not-asking-for-transactions", 1),
        ("statement/not-for-advertising-or-anything-else", 1),
    ];
    for bank in ["citigroup", "wells-fargo"] {
        let file = format!("partners/{bank}.yaml");
        let judged = judge_with(fenced, &file, "        transform: aggregated\n", "", &[]);
        assert_eq!((judged.code, judged.rules()), (1, figures.into()));
        let promise = "statement/not-for-advertising-or-anything-else";
        let accounts = format!("{bank}/accounts");
        assert_eq!(judged.ends(promise), [(accounts.as_str(), "facebook/business-insights")]);
    }
    let asked = "        terms: {purposes: [analytics.insight], retention: 1y}";
    let unasked =
        "        consent: none\n        terms: {consent: none, purposes: [analytics.insight], retention: 1y}";
    let judged = judge_with(fenced, "partners/citigroup.yaml", asked, unasked, &[]);
    assert_eq!((judged.code, judged.rules()), (1, [("core/platform-other-use-needs-opt-in", 1)].into()));

    let judged = judge_with(fenced, "partners/paypal.yaml", "        only_from: [paypal]", "       ", &[]);
    assert_eq!((judged.code, judged.at_flows()), (1, vec![("terms/onward", "paypal-linking-view/shown")]));
    assert_eq!(judged.all().len(), 1);

    let judged = judge_with(fenced, "platform.yaml", "    only_from: [facebook]\n", "", &[]);
    let terms = [("terms/purpose", 4), ("terms/retention", 4), ("terms/safeguards", 4)];
    assert_eq!((judged.code, judged.rules()), (1, terms.into()));
}

#[test]
fn the_promises_have_room_for_figures_by_an_exception_only() {
    let folder = copy();
    let path = folder.path().join("messenger-banking-fenced/promises.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let exception = "        unless: {through: {transform: [aggregated, anonymised]}}\n";
    assert_eq!(text.matches(exception).count(), 3);
    fs::write(&path, text.replace(exception, "")).unwrap();
    let judged = judge_in(folder.path(), "messenger-banking-fenced", &[]);
    let broken =
        [("statement/not-asking-for-transactions", 2), ("statement/not-for-advertising-or-anything-else", 2)];
    assert_eq!((judged.code, judged.rules()), (1, broken.into()));
    for finding in judged.all() {
        assert!(chain(finding)[0].ends_with("/where-people-shop"), "{finding}");
    }
}

#[test]
fn scores_went_on_under_no_agreement_and_the_platforms_terms_with_them() {
    let judged = judge("cambridge-analytica", &[]);
    assert_eq!(judged.code, 1);
    assert_eq!(
        judged.at_flows(),
        [
            ("flow/undocumented", "scores-to-analytics"),
            ("terms/consent", "platform-terms/friends"),
            ("terms/onward", "campaign-services/audiences"),
            ("terms/onward", "scores-to-analytics"),
            ("terms/purpose", "campaign-services/audiences"),
            ("terms/purpose", "scores-to-analytics"),
        ]
    );
    let undocumented = judged.of("flow/undocumented")[0];
    assert_eq!(text(undocumented, "/sink/system"), "cambridge-analytica/voter-models");
    let onward = judged.of("terms/onward");
    let passed_on = onward.iter().find(|f| f["flow"] == "scores-to-analytics").unwrap();
    assert!(texts(&passed_on["data"]).contains(&"social.likes"), "the scores answer to the likes");

    let special = "core/no-special-advertising";
    let last = judged.between(special, "facebook/friends", "campaigns/outreach");
    assert_eq!(chain(last), ["platform-terms/friends", "scores-to-analytics", "campaign-services/audiences"]);
    assert_eq!((&last["retained"], &last["consequent"]), (&Value::Bool(true), &Value::Bool(true)));
    for finding in judged.all().iter().filter(|f| !f["source"].is_null()) {
        let from_platform = chain(finding).first().is_some_and(|flow| flow.starts_with("platform-terms/"));
        assert_eq!(finding["retained"], from_platform, "{finding}");
    }
    let other_use = "core/platform-other-use-needs-opt-in";
    assert!(judged.ends(other_use).contains(&("facebook/friends", "gsr/quiz-app")));
    assert!(!judged.ends(other_use).contains(&("facebook/app-users", "gsr/quiz-app")));
    assert_eq!(judged.relies(other_use), [("platform-terms/app-users", "consent: opt_in")]);
}

#[test]
fn the_announcement_holds_by_the_time_given_to_existing_apps() {
    let judged = judge("cambridge-analytica", &[]);
    assert_eq!(judged.promises(true), ["friends-data-ends"]);
    assert_eq!(judged.promises(false), ["no-names"]);
    let relied = [("platform-terms/friends", "tag: existing-app")];
    assert_eq!(judged.relies("statement/friends-data-ends"), relied);
    let tag = "        tags: [existing-app] ";
    let judged = judge_with("cambridge-analytica", "flows.yaml", tag, "        ", &[]);
    assert_eq!(judged.promises(true), [""; 0]);
}

#[test]
fn a_deletion_at_the_quiz_does_not_take_back_what_it_passed_on() {
    let status = "    status: terminated\n";
    let disposed = format!("{status}    disposed: {{date: 2016-01-31, evidence: certificate.pdf}}\n");
    let judged = judge_with("cambridge-analytica", "flows.yaml", status, &disposed, &[]);
    assert_eq!((judged.code, judged.counting()), (1, 2));
    assert_eq!((judged.rules().get("flow/unsourced"), judged.rules()["terms/onward"]), (None, 2));
    let advertising = judged.ends("core/no-special-advertising");
    for origin in ["facebook/app-users", "facebook/friends"] {
        assert!(advertising.contains(&(origin, "campaigns/outreach")));
        assert!(
            !judged
                .all()
                .iter()
                .any(|f| text(f, "/source/system") == origin && text(f, "/sink/system") == "gsr/quiz-app")
        );
    }
    let gone = "disposed: 2016-01-31, evidence: certificate.pdf";
    let flows = [("platform-terms/app-users", gone), ("platform-terms/friends", gone)];
    assert_eq!(judged.relies("flow/disposed"), flows);
    // What was passed on only later never was at the quiz.
    let since = "  - id: scores-to-analytics\n";
    let later = format!("{since}    effective: {{from: 2016-02-01}}\n");
    let folder = copy();
    let path = folder.path().join("cambridge-analytica/flows.yaml");
    let text_of = fs::read_to_string(&path).unwrap().replace(status, &disposed).replace(since, &later);
    fs::write(&path, text_of).unwrap();
    let judged = judge_in(folder.path(), "cambridge-analytica", &[]);
    assert_eq!(judged.rules()["flow/unsourced"], 4);
    assert!(judged.all().iter().all(|f| text(f, "/source/party") != "facebook"));
}

#[test]
fn a_consent_is_stretched_in_open_banking() {
    let judged = judge("open-banking", &[]);
    assert_eq!(judged.code, 1);
    let rules = [
        ("agreement/ended", 1),
        ("core/financial-other-use-needs-opt-in", 1),
        ("statement/only-your-budget", 1),
        ("terms/purpose", 1),
        ("terms/retention", 1),
    ];
    assert_eq!(judged.rules(), rules.into());
    assert_eq!(judged.promises(true), ["numbers-stay-with-us"]);
    for rule in &rules[1..4] {
        let flows = ["millbrook-conduit/accounts", "pennywise-consent/transactions", "pennywise-offers"];
        assert_eq!(chain(judged.of(rule.0)[0]), flows);
    }
    let purpose = judged.of("terms/purpose")[0];
    assert_eq!(texts(&purpose["agreements"]), ["millbrook-conduit", "pennywise-consent"]);
    assert!(
        text(purpose, "/broken/text").ends_with("§6.1 “Account data is not used to market any product.”")
    );
    let onward = [
        ("pennywise-consent/transactions", "onward_to: pennywise"),
        ("rentwell-consent/account", "onward_to: rentwell"),
    ];
    assert_eq!(judged.relies("terms/onward"), onward);

    let offers = "    purposes: [marketing.cross_sell]\n";
    let asked = format!("{offers}    consent: opt_in\n");
    let judged = judge_with("open-banking", "consents.yaml", offers, &asked, &[]);
    let rules = [
        ("agreement/ended", 1),
        ("statement/only-your-budget", 1),
        ("terms/purpose", 1),
        ("terms/retention", 1),
    ];
    assert_eq!(judged.rules(), rules.into());
}

#[test]
fn an_ended_consent_counts_until_its_data_is_gone() {
    let judged = judge("open-banking", &[]);
    assert_eq!(judged.at_flows()[1], ("terms/retention", "rentwell-consent/account"));
    assert_eq!((judged.marked("retained"), &judged.of("terms/retention")[0]["retained"]), (2, &true.into()));

    let ended = "    status: terminated ";
    let disposed = format!("    disposed: {{date: 2025-07-31, evidence: certificate.pdf}}\n{ended}");
    let after = judge_with("open-banking", "consents.yaml", ended, &disposed, &[]);
    assert_eq!((after.of("terms/retention").len(), after.all().len()), (0, judged.all().len() - 2));
    let gone = "disposed: 2025-07-31, evidence: certificate.pdf";
    assert_eq!(after.relies("flow/disposed"), [("rentwell-consent/account", gone)]);

    // The last day of the agreement and a year's retention end on 30 June 2026.
    for (day, counting, retained) in [("2026-06-30", 4, 2), ("2026-07-01", 3, 0), ("2027-01-01", 3, 0)] {
        let judged = judge("open-banking", &["--as-of", day]);
        assert_eq!((judged.counting(), judged.marked("retained")), (counting, retained), "{day}");
        assert_eq!(judged.json["judged"]["as_of"], day);
    }
}

#[test]
fn both_flagships_are_held_to_the_same_concern() {
    let read = |sample: &str| std::fs::read_to_string(format!("samples/{sample}/concern.yaml")).unwrap();
    assert_eq!(read("messenger-banking"), read("messenger-banking-fenced"));
}
