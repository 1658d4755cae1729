//! For build servers: a suite for each file, a test for each test; with coverage a suite
//! more, with a test for each rule.

use std::fmt::Write;

use super::Tested;
use super::text::{because_said, said};
use crate::report::junit::{class, escaped};
use crate::report::say::line;

/// Writes the document.
pub fn render(tested: &Tested) -> String {
    let rules = tested.coverage.map_or(0, |c| c.rules.len());
    let short = if tested.falls_short() { incomplete(tested) } else { 0 };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<testsuites name=\"ringfence test\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        tested.suite.cases.len() + rules,
        tested.failed() + short
    );
    for (file, tests) in tested.files() {
        let failed = tests.iter().filter(|(_, o)| !o.passed()).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\">",
            escaped(&line(file)),
            tests.len()
        );
        for (case, outcome) in tests {
            let rule = match case.judged.as_slice() {
                [only] => class(&only.id),
                _ => "all".to_owned(),
            };
            let head = format!(
                "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                escaped(&rule),
                escaped(&line(&case.name)),
                escaped(&line(&case.location.file)),
                case.location.line
            );
            let lines: Vec<String> = outcome
                .differences
                .iter()
                .flat_map(|d| {
                    let because = d.because.iter().map(|why| format!("  {}", because_said(d, why)));
                    [format!("{}: {}", word(d.what), said(d, case))]
                        .into_iter()
                        .chain(because)
                        .collect::<Vec<_>>()
                })
                .map(|text| line(&text))
                .collect();
            let _ = match lines.first() {
                None => writeln!(out, "{head}/>"),
                Some(first) => writeln!(
                    out,
                    "{head}>\n      <failure type=\"difference\" message=\"{}\">{}</failure>\n    </testcase>",
                    escaped(first),
                    escaped(&lines.join("\n"))
                ),
            };
        }
        out.push_str("  </testsuite>\n");
    }
    coverage(tested, &mut out);
    out + "</testsuites>\n"
}

/// How many rules have parts that no test exercises.
fn incomplete(tested: &Tested) -> usize {
    tested.coverage.iter().flat_map(|c| &c.rules).filter(|r| !r.unexercised.is_empty()).count()
}

fn coverage(tested: &Tested, out: &mut String) {
    let Some(coverage) = tested.coverage else {
        return;
    };
    let short = tested.falls_short();
    let (failures, skipped) = if short { (incomplete(tested), 0) } else { (0, incomplete(tested)) };
    let _ = writeln!(
        out,
        "  <testsuite name=\"coverage\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
        coverage.rules.len()
    );
    for rule in &coverage.rules {
        let head = format!("    <testcase classname=\"coverage\" name=\"{}\"", escaped(&line(&rule.id)));
        let exercised = rule.parts - rule.unexercised.len();
        let message = format!("{exercised} of {} parts are exercised", rule.parts);
        let left: Vec<String> =
            rule.unexercised.iter().map(|part| line(&format!("no test fails without {part}"))).collect();
        let _ = match (left.is_empty(), short) {
            (true, _) => writeln!(out, "{head}/>"),
            (false, true) => writeln!(
                out,
                "{head}>\n      <failure type=\"coverage\" message=\"{message}\">{}</failure>\n    </testcase>",
                escaped(&left.join("\n"))
            ),
            (false, false) => writeln!(
                out,
                "{head}>\n      <skipped message=\"{message}: {}\"/>\n    </testcase>",
                escaped(&left.join("; "))
            ),
        };
    }
    out.push_str("  </testsuite>\n");
}

fn word(what: crate::policy_test::What) -> &'static str {
    super::json::word(what)
}
