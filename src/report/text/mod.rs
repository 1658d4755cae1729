//! The report for people: the verdict first, then what it rests on.

pub(super) mod chain;
pub(super) mod findings;

use std::collections::BTreeMap;

use super::Look;
use super::page::{Page, Style};
use crate::finding::{Audit, FindingStatus, Notice, PolicyFacts, Promise};
use crate::gate::{Gate, Threshold};
use crate::vocabulary::{Severity, Word};

/// How many notices of one code, and how many claims, are written out.
const LISTED: usize = 20;

/// Writes the report.
pub fn render(audit: &Audit, gate: &Gate, look: &Look) -> String {
    let mut page = Page::new(look.width, look.color);
    if look.quiet {
        findings::write(&mut page, &audit.findings, &audit.promises, look);
        return page.finish();
    }
    verdict(&mut page, audit, gate);
    findings::write(&mut page, &audit.findings, &audit.promises, look);
    let listed = look.limit.map_or(usize::MAX, |_| LISTED);
    promises(&mut page, audit);
    notices(&mut page, audit, gate, listed);
    reliances(&mut page, audit, listed);
    summary(&mut page, audit);
    page.finish()
}

/// `1 finding`, `2 findings`.
pub(super) fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

pub(super) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => Style::Red,
        Severity::Medium => Style::Yellow,
        Severity::Low | Severity::Info => Style::Blue,
    }
}

/// Numbers of findings by severity, gravest first: `2 critical and 1 high`.
pub(super) fn by_severity(findings: impl Iterator<Item = Severity>) -> (usize, String) {
    let mut numbers: BTreeMap<Severity, usize> = BTreeMap::new();
    findings.for_each(|s| *numbers.entry(s).or_default() += 1);
    let parts: Vec<String> = numbers.iter().map(|(s, n)| format!("{n} {s}")).collect();
    (numbers.values().sum(), listing(&parts))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listing(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn verdict(page: &mut Page, audit: &Audit, gate: &Gate) {
    let fails = gate.fails(audit);
    let (stopping, severities) =
        by_severity(audit.findings.iter().filter(|f| gate.stops(f)).map(|f| f.severity));
    let denied = audit.notices.iter().filter(|n| gate.denies(n)).count();
    let mut why = Vec::new();
    if stopping > 0 {
        let are = if stopping == 1 { "finding is" } else { "findings are" };
        let from = gate.fail_on.word();
        why.push(format!("{severities} {are} new (findings count from {from} on)"));
    }
    if denied > 0 {
        why.push(format!(
            "{} not accepted",
            count(denied, "notice") + if denied == 1 { " is" } else { " are" }
        ));
    }
    if why.is_empty() {
        why.push(match gate.fail_on {
            Threshold::Never => "findings do not count (--fail-on never)".to_owned(),
            Threshold::At(severity) if audit.findings.is_empty() => {
                format!("the declared flows break nothing (findings count from {severity} on)")
            }
            Threshold::At(severity) => format!("no new finding counts from {severity} on"),
        });
    }
    let by = match audit.policies.as_slice() {
        [] => "by the agreements' own terms, the promises and no policy".to_owned(),
        policies => format!("by {}", listing(&policies.iter().map(policy).collect::<Vec<_>>())),
    };
    let mut days = format!("judged on {}", audit.judged.day);
    if let Some(day) = &audit.judged.as_of {
        days.push_str(&format!(" with the flows of {day}"));
    }
    let facts = &audit.inventory;
    let flows = format!(
        "{} of {} declared {} count, {} of them proposed and {} assumed",
        facts.counting_flows,
        facts.flows,
        if facts.flows == 1 { "flow" } else { "flows" },
        facts.proposed_flows,
        facts.assumed_flows,
    );
    let sentence = format!("{}; {days}, {by}; {flows}.", listing(&why));
    let (lead, style) = if fails { ("FAILS: ", Style::Red) } else { ("PASSES: ", Style::Green) };
    page.hanging("", 0, &format!("{lead}{sentence}"), style);
    let broken: Vec<&str> = audit.promises.iter().filter(|p| !p.kept).map(|p| p.id.as_str()).collect();
    if !broken.is_empty() {
        let promises = count(audit.promises.len(), "promise");
        page.para(0, &format!("Broken: {} of {promises} ({}).", broken.len(), broken.join(", ")), Style::Red);
    }
    let loose = audit.findings.iter().filter(|f| f.status == FindingStatus::New && !f.binding).count();
    if loose > 0 {
        page.para(
            0,
            &format!(
                "{} of policies that do not bind {} shown and {} not count.",
                count(loose, "new finding"),
                if loose == 1 { "is" } else { "are" },
                if loose == 1 { "does" } else { "do" },
            ),
            Style::Plain,
        );
    }
    page.para(
        0,
        "This says where declared flows lead. Whether that is allowed is for people to judge.",
        Style::Dim,
    );
}

fn policy(policy: &PolicyFacts) -> String {
    let version = policy.version.as_ref().map_or(String::new(), |v| format!(" {v}"));
    let as_of = policy.as_of.as_ref().map_or(String::new(), |d| format!(", as of {d}"));
    format!("{}{version} ({}{as_of})", policy.id, policy.status.word().replace('_', " "))
}

pub(super) fn heading(page: &mut Page, text: &str, style: Style) {
    page.gap();
    page.para(0, text, style);
}

fn promises(page: &mut Page, audit: &Audit) {
    if audit.promises.is_empty() {
        return;
    }
    heading(page, "PROMISES, held against the declared flows", Style::Bold);
    // Broken ones first: they are what a reader looks for.
    let (kept, broken): (Vec<_>, Vec<_>) = audit.promises.iter().partition(|p| p.kept);
    for promise in broken.into_iter().chain(kept) {
        let (lead, style) =
            if promise.kept { ("  kept    ", Style::Green) } else { ("  broken  ", Style::Red) };
        let how = match promise.broken_by.len() {
            0 => String::new(),
            n => format!(": {}", count(n, "finding")),
        };
        page.hanging(lead, 10, &format!("{}{how}", promise.id), style);
        page.para(10, &format!("“{}”", promise.quote), Style::Plain);
        let place = &promise.location;
        page.para(10, &format!("{} · {}:{}", speaker(promise), place.file, place.line), Style::Dim);
    }
}

/// Who said it, for whom, where and when.
fn speaker(promise: &Promise) -> String {
    let parts = [promise.who.as_ref(), Some(&promise.by), promise.place.as_ref(), promise.date.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn notices(page: &mut Page, audit: &Audit, gate: &Gate, listed: usize) {
    let mut codes: BTreeMap<&str, Vec<&Notice>> = BTreeMap::new();
    for notice in &audit.notices {
        codes.entry(&notice.code).or_default().push(notice);
    }
    if codes.is_empty() {
        return;
    }
    heading(page, "NOTICES, which are no findings", Style::Bold);
    for (code, notices) in codes {
        let denied = if notices.iter().any(|n| gate.denies(n)) { ", not accepted" } else { "" };
        page.para(2, &format!("{code} ({}{denied})", notices.len()), Style::Yellow);
        for notice in notices.iter().take(listed) {
            let mut text = notice.message.clone();
            if !notice.subjects.is_empty() {
                let shown: Vec<String> = notice.subjects.iter().take(listed).cloned().collect();
                let rest = notice.subjects.len() - shown.len();
                let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                text.push_str(&format!(": {}{rest}", shown.join(", ")));
            }
            if let Some(place) = &notice.location {
                text.push_str(&format!(" · {}:{}", place.file, place.line));
            }
            page.item("    - ", &text, Style::Plain);
        }
        rest(page, 4, notices.len().saturating_sub(listed), "notice");
    }
}

pub(super) fn rest(page: &mut Page, indent: usize, number: usize, what: &str) {
    if number > 0 {
        page.para(
            indent,
            &format!("… and {} not shown (--limit 0 shows all)", count(number, &format!("more {what}"))),
            Style::Dim,
        );
    }
}

fn reliances(page: &mut Page, audit: &Audit, listed: usize) {
    if audit.relied_on.is_empty() {
        return;
    }
    heading(page, "RELIED ON: without these claims there could be more findings", Style::Bold);
    let mut claims: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for reliance in &audit.relied_on {
        let place = &reliance.location;
        claims
            .entry((&reliance.flow, &reliance.claim, &reliance.agreement, &place.file, place.line))
            .or_default()
            .push(&reliance.rule);
    }
    for ((flow, claim, agreement, file, line), rules) in claims.iter().take(listed) {
        let of = agreement.as_ref().map_or(String::new(), |a| format!(" (terms of {a})"));
        page.item("  - ", &format!("{flow} claims `{claim}`{of} · {file}:{line}"), Style::Plain);
        let rules: Vec<&str> = rules.iter().map(|rule| kept(rule)).collect();
        page.para(4, &format!("for {}", rules.join(", ")), Style::Dim);
    }
    rest(page, 2, claims.len().saturating_sub(listed), "claim");
}

/// What a claim kept from being judged: a rule, or what the built-in claims are for.
fn kept(rule: &str) -> &str {
    match rule {
        "flow/only_from" => "every rule: it leaves out what starts elsewhere",
        "flow/disposed" => "every rule: what it moved is gone",
        "terms/released_by" => "every term of the agreement: they end here",
        rule => rule,
    }
}

fn summary(page: &mut Page, audit: &Audit) {
    let s = &audit.summary;
    page.gap();
    page.para(
        0,
        &format!(
            "New: {} critical, {} high, {} medium, {} low, {} info. Waived: {}. In the baseline: {}. \
             Promises broken: {} of {}. Notices: {}. Relied on: {}.",
            s.critical,
            s.high,
            s.medium,
            s.low,
            s.info,
            s.waived,
            s.baseline,
            audit.promises.iter().filter(|p| !p.kept).count(),
            audit.promises.len(),
            audit.notices.len(),
            audit.relied_on.len(),
        ),
        Style::Bold,
    );
}
