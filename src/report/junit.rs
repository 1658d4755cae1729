//! The result as JUnit XML: a suite for each set of rules, a passed test for a rule
//! that holds, and a test for each finding.
//!
//! What makes the audit fail is a failure. What does not is skipped, with the reason,
//! since it must neither fail a build nor look as if all were well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::gated::{Entry, entries};
use super::tally::Tally;
use super::{Report, cause, relied, say};
use crate::base::finding::{Finding, FindingStatus};

/// One test.
struct Test {
    class: String,
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed { kind: String, message: String, body: String },
    Skipped { message: String },
}

/// Tests and what else there is to say.
struct Suite {
    name: String,
    tests: Vec<Test>,
    out: Vec<String>,
}

/// Writes the document.
pub fn render(report: &Report) -> String {
    let mut suites = rules(report);
    suites.extend(compared(report));
    suites.push(notices(report));
    let count = |what: fn(&Outcome) -> bool| {
        suites.iter().flat_map(|s| &s.tests).filter(|test| what(&test.outcome)).count()
    };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<testsuites name=\"ringfence\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        count(|_| true),
        count(failed)
    );
    for suite in &suites {
        suite.write(&mut out);
    }
    out + "</testsuites>\n"
}

fn failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { .. })
}

/// The set that a rule belongs to: its policy, or what it is built in for.
fn set(rule: &str) -> &str {
    rule.split_once('/').map_or(rule, |(set, _)| set)
}

/// What sorts tests into a tree: the rule with dots.
pub(super) fn class(rule: &str) -> String {
    say::line(rule).replace('.', "_").replace('/', ".")
}

fn rules(report: &Report) -> Vec<Suite> {
    let audit = report.audit;
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for f in &audit.findings {
        by_rule.entry(&f.rule).or_default().push(f);
    }
    let mut order: Vec<&str> = Vec::new();
    let mut tests: BTreeMap<&str, Vec<Test>> = BTreeMap::new();
    let listed = audit.rules.iter().map(|rule| (rule.id.as_str(), rule.title.as_str()));
    // A result made by hand can name rules that it does not list.
    let unlisted = audit.findings.iter().map(|f| (f.rule.as_str(), f.title.as_str()));
    let mut seen = BTreeSet::new();
    for (id, title) in listed.chain(unlisted).filter(|(id, _)| seen.insert(*id)) {
        let suite = tests.entry(set(id)).or_insert_with(|| {
            order.push(set(id));
            Vec::new()
        });
        match by_rule.get(id) {
            None => suite.push(Test { class: class(id), name: say::line(title), outcome: Outcome::Passed }),
            Some(findings) => suite.extend(findings.iter().map(|f| test(f, report))),
        }
    }
    let suite = |set: &str| Suite {
        name: say::line(set),
        tests: tests.remove(set).unwrap_or_default(),
        out: Vec::new(),
    };
    order.into_iter().map(suite).collect()
}

fn test(f: &Finding, report: &Report) -> Test {
    let happened = say::line(&say::happened(f));
    let title = say::line(&f.title);
    let outcome = if report.gate.stops(f) {
        Outcome::Failed {
            kind: f.severity.to_string(),
            message: format!("{title}: {happened}"),
            body: say::lines(f, &report.places).join("\n"),
        }
    } else {
        let why = match (f.status, f.binding) {
            (FindingStatus::New, true) => format!("new, but {} findings do not fail the audit", f.severity),
            (FindingStatus::New, false) => format!("new and {}, but from a non-binding policy", f.severity),
            _ => format!("{}, {}", f.severity, say::accepted(f).unwrap_or_default()),
        };
        Outcome::Skipped { message: format!("{}: {title}: {happened}", say::line(&why)) }
    };
    let name = format!("{} ({})", say::line(&say::about(f)), say::line(&f.fingerprint));
    Test { class: class(&f.rule), name, outcome }
}

/// What a comparison stops besides findings, or would with `--fail-on-widening`.
fn compared(report: &Report) -> Option<Suite> {
    report.compared?;
    let test = |entry: Entry| {
        let message = say::line(&entry.message);
        let place = entry.location.as_ref().map(|l| say::line(&format!("at {}", say::at(l, &report.places))));
        let outcome = match entry.fails {
            true => {
                Outcome::Failed { kind: entry.class.to_string(), message, body: place.unwrap_or_default() }
            }
            false => {
                Outcome::Skipped { message: [Some(message), place].map(Option::unwrap_or_default).join(" ") }
            }
        };
        Test { class: class(entry.check), name: say::clipped(&say::line(&entry.message), 200), outcome }
    };
    let mut tests: Vec<Test> = entries(report).into_iter().map(test).collect();
    if tests.is_empty() {
        let name = "no change of settings or policies, and no edit that fails".to_owned();
        tests.push(Test { class: "diff".to_owned(), name, outcome: Outcome::Passed });
    }
    Some(Suite { name: "diff".to_owned(), tests, out: Vec::new() })
}

/// The notices: those that are not accepted as failures, all of them and what was
/// relied on as output.
fn notices(report: &Report) -> Suite {
    let Report { audit, places, .. } = report;
    let mut tests = Vec::new();
    let mut out = Vec::new();
    let verdict = report.verdict();
    out.push(format!("{}: {}", if verdict.fails { "FAIL" } else { "PASS" }, verdict.sentence));
    out.extend(verdict.broken);
    out.extend(verdict.loose);
    out.extend(cause::views(audit, &report.gate).iter().map(|view| {
        format!(
            "cause {}: {} · {} · {} · {}",
            view.number,
            view.standing(),
            view.subject(),
            view.size(),
            view.cause.id
        )
    }));
    for (index, notice) in audit.notices.iter().enumerate() {
        let words = say::notice(notice, usize::MAX);
        let place = notice.location.as_ref().map(|l| format!(" ({})", say::at(l, places)));
        let text = format!("notice {}: {words}{}", notice.code, place.unwrap_or_default());
        if report.denies(notice) {
            tests.push(Test {
                class: format!("notices.{}", class(&notice.code)),
                name: format!("{} {}", index + 1, say::clipped(&say::line(&words), 200)),
                outcome: Outcome::Failed {
                    kind: "notice".to_owned(),
                    message: say::line(&words),
                    body: say::line(&text),
                },
            });
        }
        out.push(text);
    }
    if tests.is_empty() {
        let name = "no denied notice".to_owned();
        tests.push(Test { class: "notices".to_owned(), name, outcome: Outcome::Passed });
    }
    for claim in relied::claims(audit) {
        let at = say::at(claim.location, places);
        out.push(format!(
            "relied on: {} claims {} ({at}), which affects {}",
            claim.by,
            claim.claim,
            claim.affects.join(", ")
        ));
    }
    out.push(Tally::new(audit, &report.gate).sentences());
    out.push(format!("inventory {}", audit.inventory.digest));
    Suite { name: "notices".to_owned(), tests, out: out.iter().map(|text| say::line(text)).collect() }
}

impl Suite {
    fn write(&self, out: &mut String) {
        let count = |what: fn(&Outcome) -> bool| self.tests.iter().filter(|test| what(&test.outcome)).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
            escaped(&self.name),
            self.tests.len(),
            count(failed),
            count(|outcome| matches!(outcome, Outcome::Skipped { .. })),
        );
        for test in &self.tests {
            test.write(out);
        }
        if !self.out.is_empty() {
            let _ = writeln!(out, "    <system-out>{}</system-out>", escaped(&self.out.join("\n")));
        }
        out.push_str("  </testsuite>\n");
    }
}

impl Test {
    fn write(&self, out: &mut String) {
        let _ = write!(
            out,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(&self.class),
            escaped(&self.name)
        );
        let _ = match &self.outcome {
            Outcome::Passed => writeln!(out, "/>"),
            Outcome::Failed { kind, message, body } => writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
                escaped(kind),
                escaped(message),
                escaped(body)
            ),
            Outcome::Skipped { message } => {
                writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escaped(message))
            }
        };
    }
}

/// Text in an element or an attribute. Characters that XML does not know are written
/// out before: every text here has gone through [`say::line`].
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // `##[error]` is an order to a build server that reads its log.
            '#' if out.ends_with('#') => out.push_str("&#35;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
