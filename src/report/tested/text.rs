//! For people: a line for each file, failures with all that differs, what is not exercised.

use super::{Look, Tested};
use crate::policy_test::{Case, Coverage, Difference, Outcome, What};
use crate::report::page::{Page, Style, columns};
use crate::report::say::count;

/// Writes the result.
pub fn render(tested: &Tested, look: Look) -> String {
    let mut page = Page::new(look.width, look.color);
    for (file, tests) in tested.files() {
        let failed = tests.iter().filter(|(_, o)| !o.passed()).count();
        if failed == 0 && look.quiet {
            continue;
        }
        let (mark, style, words) = match failed {
            0 => ("ok    ", Style::Green, count(tests.len(), "test")),
            _ => ("FAILED", Style::Red, format!("{failed} of {}", count(tests.len(), "test"))),
        };
        page.para(0, &format!("{mark} {file}: {words}"), style);
        for (case, outcome) in tests.iter().filter(|(_, o)| !o.passed()) {
            failure(&mut page, case, outcome);
        }
    }
    if let Some(coverage) = tested.coverage {
        page.gap();
        covered(&mut page, coverage, look.quiet);
    }
    if !look.quiet || tested.fails() {
        page.gap();
        summary(&mut page, tested);
    }
    page.finish()
}

fn failure(page: &mut Page, case: &Case, outcome: &Outcome) {
    page.gap();
    page.item("  ", &case.name, Style::Bold);
    let at = &case.location;
    let rules: Vec<&str> = case.judged.iter().map(|j| j.id.as_str()).collect();
    let about = match rules.as_slice() {
        [rule] => format!("rule {rule}"),
        rules => format!("all {} rules", rules.len()),
    };
    page.para(2, &format!("{}:{} · {about} · judged on {}", at.file, at.line, case.options.day), Style::Dim);
    for difference in &outcome.differences {
        let (mark, style) = match difference.what {
            What::Missing => ("- missing     ", Style::Yellow),
            What::Unexpected => ("+ unexpected  ", Style::Red),
            What::Data => ("~ other data  ", Style::Yellow),
            What::Forbidden => ("+ forbidden   ", Style::Red),
        };
        let lead = format!("    {mark}");
        page.item(&lead, &said(difference, case), style);
        let hang = " ".repeat(columns(&lead));
        for because in &difference.because {
            page.item(&hang, &because_said(difference, because), Style::Dim);
        }
    }
    page.gap();
}

/// What differs, on a line.
pub fn said(difference: &Difference, case: &Case) -> String {
    let rule = match (&difference.rule, case.names_rule) {
        (Some(rule), false) => format!("{rule}: "),
        _ => String::new(),
    };
    let list = |data: &[String]| if data.is_empty() { "no data".to_owned() } else { data.join(", ") };
    let data = match difference.what {
        What::Data => format!(": expected {}, found {}", list(&difference.expected), list(&difference.found)),
        What::Missing if difference.expected.is_empty() => String::new(),
        What::Missing => format!(": {}", list(&difference.expected)),
        _ if difference.found.is_empty() => String::new(),
        _ => format!(": {}", list(&difference.found)),
    };
    format!("{rule}{}{data}", difference.about)
}

/// Why: a chain, or a claim that kept something away.
pub fn because_said(difference: &Difference, because: &str) -> String {
    match difference.what {
        What::Missing => format!("kept away: {because}"),
        _ => because.to_owned(),
    }
}

fn covered(page: &mut Page, coverage: &Coverage, quiet: bool) {
    if !quiet {
        page.para(0, "EXERCISED", Style::Bold);
    }
    for rule in &coverage.rules {
        let exercised = rule.parts - rule.unexercised.len();
        if quiet && exercised == rule.parts {
            continue;
        }
        let style = if exercised == rule.parts { Style::Plain } else { Style::Yellow };
        let tests = match (rule.tests, rule.triggering) {
            (0, _) => "no test".to_owned(),
            (tests, found) => format!("{}, {found} with findings", count(tests, "test")),
        };
        let share = format!("{exercised} of {}", rule.parts);
        page.item(&format!("  {share:>8}  "), &format!("{} · {tests}", rule.id), style);
        if rule.tests > 0 {
            for part in &rule.unexercised {
                page.item("            no test fails without ", part, Style::Plain);
            }
        }
    }
}

fn summary(page: &mut Page, tested: &Tested) {
    let files = tested.files().len();
    let failed = tested.failed();
    let all = format!("{} in {}", count(tested.suite.cases.len(), "test"), count(files, "file"));
    let mut parts = vec![match failed {
        0 => format!("{all} pass"),
        _ => format!("{failed} of {all} fail"),
    }];
    if let Some(coverage) = tested.coverage {
        parts.push(format!(
            "{} of {} parts of {} are exercised ({} %)",
            coverage.exercised(),
            coverage.parts(),
            count(coverage.rules.len(), "rule"),
            coverage.percent()
        ));
    }
    let short = match (tested.falls_short(), tested.fail_under) {
        (true, Some(least)) => format!(", less than the {least} % asked for"),
        _ => String::new(),
    };
    let style = if tested.fails() { Style::Red } else { Style::Green };
    page.para(0, &format!("{}{short}", parts.join("; ")), style);
}
