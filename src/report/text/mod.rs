//! The report for people: the verdict, the promises, then the causes of what fails, each once; the rest in a line.

mod besides;
mod causes;
pub(super) mod chain;
pub(super) mod findings;

use std::collections::BTreeMap;

use super::page::{Page, Style};
use super::say::{self, count};
use super::tally::Tally;
use super::{By, Report, cause};
use crate::base::cause::Cause;
use crate::base::finding::{Audit, Finding, Promise, PromiseState};
use crate::base::source::Location;
use crate::base::vocabulary::Severity;
use crate::read::places::Places;

/// How many notices of one code, and how many claims, are written out.
const LISTED: usize = 20;

/// Writes the report.
pub fn render(report: &Report) -> String {
    let Report { audit, gate, look, .. } = report;
    let mut page = Page::new(look.width, look.color);
    let views = cause::views(audit, gate);
    if look.quiet {
        if let Some(left_out) = say::left_out(&audit.judged) {
            page.para(0, &left_out, Style::Plain);
        }
        match look.by {
            By::Cause | By::Rule => findings::briefly(&mut page, report),
            By::Agreement | By::Owner | By::Party => found(&mut page, report, &views),
        }
        return page.finish();
    }
    verdict(&mut page, report);
    promises(&mut page, audit, &views);
    found(&mut page, report, &views);
    let listed = look.limit.map_or(usize::MAX, |_| LISTED);
    besides::unbroken(&mut page, audit, views.iter().any(cause::View::fails));
    besides::reliances(&mut page, report, (look.relied_on, listed));
    besides::notices(&mut page, report, (look.notices, listed));
    next(&mut page, report, &views);
    page.gap();
    page.para(0, &Tally::new(audit, gate).sentences(), Style::Bold);
    page.para(0, say::CAUTION, Style::Dim);
    page.finish()
}

/// All that there is to say of a cause, by its id or that of one of its declarations, if there is such a cause.
pub fn cause(report: &Report, id: &str) -> Option<String> {
    let Report { audit, gate, look, .. } = report;
    let is = |cause: &&Cause| cause.id == id || cause.declarations.iter().any(|one| one.id == id);
    let cause = audit.causes.iter().find(is)?;
    let mut page = Page::new(look.width, look.color);
    match cause::views(audit, gate).iter().find(|view| view.cause.id == cause.id) {
        Some(view) => causes::one(&mut page, view, around(report)),
        None => page.para(0, &format!("{}: all of its findings are accepted", cause.id), Style::Bold),
    }
    if cause.declarations.len() > 1 {
        heading(&mut page, "DECLARATIONS", Style::Bold);
    }
    for one in cause.declarations.iter().filter(|_| cause.declarations.len() > 1) {
        let title = one.title.as_ref().map_or(String::new(), |title| format!(" · {title}"));
        page.item(
            "  - ",
            &format!("{} · {}{title}", one.id, place(&report.places, &one.location)),
            Style::Plain,
        );
    }
    let findings: Vec<Finding> = audit.findings.iter().filter(|f| f.cause == cause.id).cloned().collect();
    findings::write(&mut page, &findings, report);
    Some(page.finish())
}

fn around<'r>(report: &'r Report) -> causes::Around<'r> {
    causes::Around { again: &report.again, places: &report.places }
}

/// `file:line`, the file as it is reached from the working folder.
pub(super) fn place(places: &Places, location: &Location) -> String {
    format!("{}:{}", places.here(&location.file), location.line)
}

/// What was found, as the reader wants it put together.
fn found(page: &mut Page, report: &Report, views: &[cause::View]) {
    let Report { audit, look, .. } = report;
    match look.by {
        By::Cause => {
            causes::failing(page, views, look.causes, around(report));
            information(page, report, views);
        }
        By::Rule => findings::write(page, &audit.findings, report),
        by @ (By::Agreement | By::Owner | By::Party) => causes::grouped(page, views, by, look.causes),
    }
}

/// How to go on.
fn next(page: &mut Page, report: &Report, views: &[cause::View]) {
    page.gap();
    if views.is_empty() {
        return;
    }
    let again = &report.again;
    page.para(0, "NEXT", Style::Bold);
    page.para(2, "A cause with all of its findings, by its number or id:", Style::Plain);
    page.line("    ", &format!("ringfence explain 1{again}"), Style::Dim);
    page.para(2, "Every finding by rule (or causes by agreement, owner, party):", Style::Plain);
    page.line("    ", &format!("ringfence audit --by rule{again}"), Style::Dim);
    if say::verdict(report.audit, &report.gate).fails {
        page.para(2, "The smallest sets of edits after which nothing fails:", Style::Plain);
        page.line("    ", &format!("ringfence fix{again}"), Style::Dim);
    }
}

/// Three lines: whether it fails and by how much, by what it was judged, of how much.
fn verdict(page: &mut Page, report: &Report) {
    let Report { audit, gate, .. } = report;
    let verdict = say::verdict(audit, gate);
    let (lead, style) = if verdict.fails { ("FAIL: ", Style::Red) } else { ("PASS: ", Style::Green) };
    page.hanging("", 0, &format!("{lead}{}.", verdict.reasons), style);
    page.para(0, &say::judged_briefly(audit), Style::Plain);
    for gap in say::not_judged(&audit.judged) {
        page.para(0, &format!("Not judged: {gap}."), Style::Yellow);
    }
}

pub(super) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => Style::Red,
        Severity::Medium => Style::Yellow,
        Severity::Low | Severity::Info => Style::Blue,
    }
}

pub(super) fn heading(page: &mut Page, text: &str, style: Style) {
    page.gap();
    page.para(0, text, style);
}

/// A line for each promise, the broken ones first, with the causes that break it.
fn promises(page: &mut Page, audit: &Audit, views: &[cause::View]) {
    if audit.promises.is_empty() {
        return;
    }
    let mut broken_by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for view in views {
        for id in &view.cause.promises {
            broken_by.entry(id).or_default().push(view.number.to_string());
        }
    }
    let broken = audit.promises.iter().filter(|p| p.standing() == PromiseState::Broken).count();
    heading(page, &format!("PROMISES: {broken} of {} broken", audit.promises.len()), Style::Bold);
    let mut promises: Vec<&Promise> = audit.promises.iter().collect();
    promises.sort_by_key(|p| p.standing());
    for promise in promises {
        let (lead, style) = match promise.standing() {
            PromiseState::Broken => ("  broken  ", Style::Red),
            PromiseState::Undecided => ("  open    ", Style::Yellow),
            PromiseState::Kept => ("  kept    ", Style::Green),
        };
        let causes = broken_by.get(promise.id.as_str());
        let end = match (causes.map(Vec::as_slice), promise.standing()) {
            (Some([one]), _) => format!("cause {one}"),
            (Some(several), _) => format!("causes {}", several.join(", ")),
            (None, PromiseState::Broken) => "accepted".to_owned(),
            (None, PromiseState::Undecided) => "not decidable".to_owned(),
            (None, PromiseState::Kept) => String::new(),
        };
        page.two_columns(lead, &cause::promise(promise), &end, style);
    }
}

/// What does not fail, in a few lines.
fn information(page: &mut Page, report: &Report, views: &[cause::View]) {
    let Report { audit, gate, look, .. } = report;
    let tally = Tally::new(audit, gate);
    if let Some(informs) = tally.informs() {
        let above: usize =
            views.iter().filter(|view| view.fails()).map(|view| view.findings.len() - view.failing).sum();
        let above = if above > 0 { format!("; {above} of them in the causes above") } else { String::new() };
        heading(page, &format!("FOR INFORMATION: {informs}{above}"), Style::Bold);
        causes::information(page, views, look.causes);
    }
    let accepted = tally.summary.waived + tally.summary.baseline;
    if accepted > 0 {
        let text = format!(
            "ACCEPTED: {} waived, {} in the baseline; --by rule lists them",
            tally.summary.waived, tally.summary.baseline
        );
        heading(page, &text, Style::Bold);
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
