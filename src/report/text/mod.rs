//! The report for people: the verdict first, then what it rests on.

pub(super) mod chain;
pub(super) mod findings;

use std::collections::BTreeMap;

use super::page::{Page, Style};
use super::say::{self, count, speaker};
use super::tally::Tally;
use super::{Look, cause, relied};
use crate::base::finding::{Audit, Notice, PolicyFacts, Promise, PromiseState};
use crate::base::vocabulary::Severity;
use crate::declare::gate::Gate;

/// How many notices of one code, and how many claims, are written out.
const LISTED: usize = 20;

/// Writes the report.
pub fn render(audit: &Audit, gate: &Gate, look: &Look) -> String {
    let mut page = Page::new(look.width, look.color);
    if look.quiet {
        if let Some(left_out) = say::left_out(&audit.judged) {
            page.para(0, &left_out, Style::Plain);
            page.gap();
        }
        findings::write(&mut page, &audit.findings, &audit.promises, look);
        return page.finish();
    }
    verdict(&mut page, audit, gate);
    causes(&mut page, audit, look);
    findings::write(&mut page, &audit.findings, &audit.promises, look);
    let listed = look.limit.map_or(usize::MAX, |_| LISTED);
    promises(&mut page, audit);
    unbroken(&mut page, audit);
    notices(&mut page, audit, gate, listed);
    reliances(&mut page, audit, listed);
    page.gap();
    page.para(0, &Tally::new(audit, gate).sentences(), Style::Bold);
    page.finish()
}

fn verdict(page: &mut Page, audit: &Audit, gate: &Gate) {
    let verdict = say::verdict(audit, gate);
    let (lead, style) = if verdict.fails { ("FAIL: ", Style::Red) } else { ("PASS: ", Style::Green) };
    page.hanging("", 0, &format!("{lead}{}", verdict.sentence), style);
    if let Some(broken) = verdict.broken {
        page.para(0, &broken, Style::Red);
    }
    if let Some(loose) = verdict.loose {
        page.para(0, &loose, Style::Plain);
    }
    page.para(0, say::CAUTION, Style::Dim);
}

/// The causes of new findings: the first of them, or all.
fn causes(page: &mut Page, audit: &Audit, look: &Look) {
    let (causes, left) = cause::first(audit, look.limit);
    if causes.is_empty() {
        return;
    }
    heading(page, &format!("CAUSES: {}", cause::TITLE), Style::Bold);
    for cause in causes {
        let lead = format!("  {:<8}  ", cause.severity.to_string());
        let place = &cause.location;
        let text = format!("{}: {} · {}:{}", cause.id, cause::size(cause), place.file, place.line);
        page.hanging(&lead, 12, &text, severity_style(cause.severity));
        page.para(12, &format!("breaks {}", cause::rules(cause)), Style::Dim);
    }
    rest(page, 2, left, "cause");
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

fn promises(page: &mut Page, audit: &Audit) {
    if audit.promises.is_empty() {
        return;
    }
    heading(page, "PROMISES, checked against the declared flows", Style::Bold);
    // Broken ones first: they are what a reader looks for.
    let mut promises: Vec<&Promise> = audit.promises.iter().collect();
    promises.sort_by_key(|p| p.standing());
    for promise in promises {
        let (lead, style) = match promise.standing() {
            PromiseState::Broken => ("  broken  ", Style::Red),
            PromiseState::Undecided => ("  open    ", Style::Yellow),
            PromiseState::Kept => ("  kept    ", Style::Green),
        };
        let how = match promise.broken_by.len() {
            0 => String::new(),
            n => format!(": {}", count(n, "finding")),
        };
        page.hanging(lead, 10, &format!("{}{how}", promise.id), style);
        page.para(10, &format!("“{}”", promise.quote), Style::Plain);
        let place = &promise.location;
        page.para(10, &format!("{} · {}:{}", speaker(promise), place.file, place.line), Style::Dim);
        if let Some(gap) = promise.gaps.first() {
            let more = match promise.gaps.len() - 1 + promise.further_gaps {
                0 => String::new(),
                n => format!(" (and {n} more; `ringfence promises` says which)"),
            };
            page.para(
                10,
                &format!("not decidable from what is declared: {}{more}", gap.message),
                Style::Plain,
            );
        }
    }
}

/// What the policies without findings looked at: nothing found says no more than that.
fn unbroken(page: &mut Page, audit: &Audit) {
    let broken = |id: &str| audit.findings.iter().any(|f| f.rule.split('/').next() == Some(id));
    let told = |p: &&PolicyFacts| (p.about.is_some() || p.cannot_see.is_some()) && !broken(&p.id);
    let policies: Vec<&PolicyFacts> = audit.policies.iter().filter(told).collect();
    if policies.is_empty() {
        return;
    }
    heading(
        page,
        "POLICIES WITHOUT FINDINGS: what they check, and what no declaration can show",
        Style::Bold,
    );
    for policy in policies {
        let title = policy.title.as_ref().map_or(String::new(), |title| format!(" · {title}"));
        page.para(
            2,
            &format!("{}{title}: {}", policy.id, say::rules(policy.rules, policy.following)),
            Style::Plain,
        );
        if let Some(about) = &policy.about {
            page.item("    looks at    ", about, Style::Plain);
        }
        if let Some(cannot_see) = &policy.cannot_see {
            page.item("    cannot see  ", cannot_see, Style::Plain);
        }
    }
}

fn notices(page: &mut Page, audit: &Audit, gate: &Gate, listed: usize) {
    let mut codes: BTreeMap<&str, Vec<&Notice>> = BTreeMap::new();
    for notice in &audit.notices {
        codes.entry(&notice.code).or_default().push(notice);
    }
    if codes.is_empty() {
        return;
    }
    heading(page, "NOTICES (these are not findings)", Style::Bold);
    for (code, notices) in codes {
        let denied = if notices.iter().any(|n| gate.denies(n)) { ", denied" } else { "" };
        page.para(2, &format!("{code} ({}{denied})", notices.len()), Style::Yellow);
        for notice in notices.iter().take(listed) {
            let mut text = say::notice(notice, listed);
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
    let groups = relied::groups(audit);
    if groups.is_empty() {
        return;
    }
    let number: usize = groups.iter().map(|group| group.claims.len()).sum();
    let claims = count(number, "claim");
    heading(page, &format!("RELIED ON: {claims} without which there could be more findings"), Style::Bold);
    for group in groups {
        let makers = relied::makers(&group);
        page.item("  - ", &format!("{makers}: {} (`{}`)", group.words, group.claim), Style::Plain);
        page.para(4, &format!("affects {}", group.affects.join(", ")), Style::Dim);
        for claim in group.claims.iter().take(listed) {
            let place = claim.location;
            let party = claim.party.map_or(String::new(), |party| format!(" says {party}"));
            let own = if claim.claim == group.claim { String::new() } else { format!(" · {}", claim.claim) };
            let text = format!("{}{party} · {}:{}{own}", claim.by, place.file, place.line);
            page.item("      ", &text, Style::Plain);
            page.para(8, &relied::footing(claim), Style::Dim);
        }
        rest(page, 6, group.claims.len().saturating_sub(listed), "claim");
    }
}
