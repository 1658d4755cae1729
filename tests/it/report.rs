//! The reports, from results made by hand.

#![allow(clippy::unwrap_used)]

use crate::common::{at, audit, finding, full, hop, place, strings};
use ringfence::finding::{Audit, FindingKind};
use ringfence::gate::{Denied, Gate, Threshold};
use ringfence::vocabulary::{By, Severity, Word};
use ringfence::{Format, Look, Report};

fn text(audit: &Audit) -> String {
    Report::new(audit).render(Format::Text).unwrap()
}

#[test]
fn everything_at_80_columns() {
    let report = text(&full());
    let wide = report.lines().filter(|line| line.chars().count() > 80);
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new());
    insta::assert_snapshot!(report);
}

#[test]
fn a_wide_terminal_and_findings_only() {
    let look = Look { width: 160, quiet: true, ..Look::default() };
    insta::assert_snapshot!(Report::new(&full()).look(look).render(Format::Text).unwrap());
}

#[test]
fn a_clean_result() {
    let mut audit = audit(Vec::new());
    audit.policies.clear();
    audit.judged.as_of = Some("2018-08-06".to_owned());
    insta::assert_snapshot!(text(&audit));
    let quiet = Look { quiet: true, ..Look::default() };
    assert_eq!(Report::new(&audit).look(quiet).render(Format::Text).unwrap(), "");
}

#[test]
fn the_verdict_says_what_counts() {
    let first = |gate: &Gate, audit: &Audit| {
        let text = Report::new(audit)
            .gate(gate.clone())
            .look(Look { width: 500, ..Look::default() })
            .render(Format::Text)
            .unwrap();
        text.lines().next().unwrap().trim_end_matches('.').to_owned()
    };
    let gate = |fail_on, denied| Gate { fail_on, denied };
    let codes = |code: &str| Denied::Codes(vec![code.to_owned()]);
    let high = Threshold::At(Severity::High);
    let audit = full();
    assert_eq!(
        first(&gate(high, Denied::None), &audit),
        "FAIL: 4 new findings at or above `high` (2 critical, 2 high), from 1 cause"
    );
    assert_eq!(
        first(&gate(Threshold::Never, Denied::None), &audit),
        "PASS: findings never fail this audit (--fail-on never)"
    );
    assert_eq!(
        first(&gate(Threshold::Never, codes("retention-assumed")), &audit),
        "FAIL: 1 notice denied by --deny-notices"
    );
    assert!(!gate(Threshold::Never, codes("other")).fails(&audit));
    assert!(gate(Threshold::Never, Denied::All).fails(&audit));
}

#[test]
fn what_follows_from_another_names_its_own_term() {
    let world = r#"
parties:
  - id: bank
    name: Bank
    systems: [{id: core, purposes: [service], originates: [financial.account.balance]}]
  - id: chat
    name: Chat
    systems:
      - {id: app, purposes: [service]}
      - {id: store, purposes: [analytics]}
      - {id: ads, purposes: [advertising]}
agreements:
  - id: sharing
    parties: [bank, chat]
    terms: {purposes: [service], prohibited_purposes: [advertising]}
    flows: [{id: balance, from: bank/core, to: chat/app, data: financial}]
flows:
  - {id: on, from: chat/app, to: chat/store, data: financial}
  - {id: out, from: chat/store, to: chat/ads, data: financial}
"#;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("world.yaml"), world).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("ringfence").unwrap();
    let output = command.args(["audit", "--by", "rule"]).arg(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("breaks the term purposes: service"), "{text}");
    let follows = text.split_once("and then out").map(|(_, rest)| rest).unwrap();
    let before = follows.find("breaks the term prohibited_purposes: advertising");
    assert!(before.is_some_and(|at| at < 60), "{text}");
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let mut f = finding("core/x", FindingKind::Forbid, Severity::High, 1);
    f.title = "a\u{1b}[2Jb\u{202e}c\nd".to_owned();
    f.source = place("bank/a\u{7}");
    f.sink = place("b\u{200b}/c");
    f.path = vec![hop("x\u{9b}", "bank/a", "b/c", &["d\u{2066}"], "service", 1)];
    f.location = Some(at("a\rb.yaml", 1));
    let audit = audit(vec![f]);
    for format in Format::ALL.iter().copied() {
        let out = Report::new(&audit).render(format).unwrap().replace("\r\n", "\n");
        // A table begins with the mark by which spreadsheets know UTF-8.
        let out = out.strip_prefix('\u{feff}').unwrap_or(&out);
        assert!(!out.contains(|c| c != '\n' && ringfence::testing::visible::is_hidden(c)), "{out}");
    }
}

#[test]
fn many_findings_are_counted_and_every_rule_is_shown() {
    let mut findings: Vec<_> = (0..10_000)
        .map(|n| {
            let mut f = finding("core/many", FindingKind::Forbid, Severity::High, n);
            let sink = format!("platform/s{n}");
            f.source = place("bank/accounts");
            f.sink = place(&sink);
            f.data = strings(&["financial"]);
            f.path = vec![hop("x/y", "bank/accounts", &sink, &["financial"], "service", 1)];
            f
        })
        .collect();
    findings.push(finding("core/few", FindingKind::Require, Severity::Low, 99_999));
    let audit = audit(findings);
    let by_rule = Look { by: By::Rule, ..Look::default() };
    let report = Report::new(&audit).look(by_rule).render(Format::Text).unwrap();
    assert!(report.contains("… and 9901 more of this rule (--limit 0 shows all)"), "{report}");
    assert!(report.contains("rf1:000000000001869f"));
    assert!(report.contains("9901 findings of 10001 not shown"));
    let all = Look { limit: None, ..by_rule };
    let report = Report::new(&audit).look(all).render(Format::Text).unwrap();
    assert_eq!(report.matches("rf1:").count(), 10_001);
    assert!(!report.contains("not shown"));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let look = Look { color: true, ..Look::default() };
    let mut colored = Report::new(&full()).look(look).render(Format::Text).unwrap();
    assert!(colored.contains("\u{1b}[1;31m"));
    for code in
        ["\u{1b}[1;31m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[33m", "\u{1b}[32m", "\u{1b}[34m", "\u{1b}[0m"]
    {
        colored = colored.replace(code, "");
    }
    assert_eq!(colored, text(&full()));
}
