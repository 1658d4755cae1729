//! A comparison for people, in a terminal: the verdict, what is not trusted, findings,
//! reach, edits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DiffReport;
use crate::base::finding::{Finding, FindingStatus, Hop, Reliance};
use crate::base::source::Location;
use crate::compare::{Class, Diff, Edit, Reach, StateFacts};
use crate::declare::gate::{Gate, Threshold};
use crate::read::places::Places;
use crate::report::Report;
use crate::report::page::{Page, Style};
use crate::report::say::{CAUTION, by_severity, count, left_out, listing, not_judged, some, unjudged};
use crate::report::text::{chain, findings, heading, rest};

/// How many places newly reached, and how many edits, are written out.
const LISTED: usize = 50;
/// How many origins are named where several reach a place in the same way.
const ORIGINS: usize = 5;

/// Writes the comparison.
pub fn render(report: &DiffReport) -> String {
    let DiffReport { diff, look, .. } = report;
    let mut page = Page::new(look.width, look.color);
    if !look.quiet {
        verdict(&mut page, report);
        untrusted(&mut page, report);
    } else {
        quiet(&mut page, report);
    }
    for (title, list) in [
        ("ADDED: findings that were not there before", &diff.findings.added),
        ("GROWN: findings with more than before, or than is accepted", &diff.findings.grown),
    ] {
        if !list.is_empty() {
            heading(&mut page, title, Style::Red);
            findings::write(&mut page, list, &of_head(report));
        }
    }
    pardoned(&mut page, report);
    if look.quiet {
        return page.finish();
    }
    let most = look.limit.map_or(usize::MAX, |_| LISTED);
    fixed(&mut page, diff, most);
    if let Some(changes) = &diff.reach {
        reach(
            &mut page,
            "NEWLY REACHED, whether or not a rule forbids it",
            &changes.added,
            (most, report.places),
        );
        reach(&mut page, "NO LONGER REACHED", &changes.removed, (most, report.places));
    }
    relied_on(&mut page, diff, (most, report.places));
    edits(&mut page, report, most);
    notices(&mut page, report);
    page.gap();
    page.para(0, &summary(diff), Style::Plain);
    page.finish()
}

/// What the head says by itself, for the lists of findings.
fn of_head<'r>(report: &DiffReport<'r>) -> Report<'r> {
    Report { look: report.look, places: report.places.clone(), ..Report::new(report.head) }
}

/// What is said even where only findings are asked for: what is left out, and what fails besides.
fn quiet(page: &mut Page, report: &DiffReport) {
    let DiffReport { diff, .. } = report;
    let mut lines: Vec<String> = left_out(&diff.judged).into_iter().chain(unjudged(diff)).collect();
    if report.widening {
        let changes = diff.untrusted.iter().filter(|change| change.gates());
        lines.extend(
            changes.map(|c| {
                format!("{}: {} [{}]{}", c.what, c.message, c.class, at(&c.location, report.places))
            }),
        );
        let edits = diff.edits.iter().flatten().filter(|edit| edit.class.gates());
        lines.extend(edits.map(|e| {
            format!("{} {} {} [{}]{}", e.of, e.id, said(e), e.class, at(&e.location, report.places))
        }));
    }
    if !lines.is_empty() {
        lines.iter().for_each(|line| page.para(0, line, Style::Plain));
        page.gap();
    }
}

/// A place, to put behind what stands there.
fn at(location: &Option<Location>, places: &Places) -> String {
    location.as_ref().map_or(String::new(), |l| format!(" · {}:{}", places.here(&l.file), l.line))
}

/// A state and its commit.
pub fn state(state: &StateFacts) -> String {
    match &state.commit {
        Some(commit) => format!("{} ({})", state.name, commit.get(..10).unwrap_or(commit)),
        None => state.name.clone(),
    }
}

/// The verdict in a sentence.
pub fn sentence(report: &DiffReport) -> String {
    let fails = report.diff.fails(report.gate, report.widening);
    let word = if fails { "FAIL" } else { "PASS" };
    format!("{word}: {}", outcome(report.diff, report.gate, report.widening))
}

/// Why it fails, or what there is if it does not.
pub fn outcome(diff: &Diff, gate: &Gate, widening: bool) -> String {
    let mut reasons = Vec::new();
    for (what, list) in [("added", &diff.findings.added), ("grown", &diff.findings.grown)] {
        let stopping = list.iter().filter(|f| gate.stops(f)).map(|f| f.severity);
        let (number, words) = by_severity(stopping);
        if number > 0 {
            reasons.push(format!("{} {what} ({words})", count(number, "finding")));
        }
    }
    let pardoned = diff.pardoned.iter().map(|p| &p.finding).filter(|f| gate.stops(f));
    let (number, words) = by_severity(pardoned.map(|f| f.severity));
    if number > 0 {
        reasons.push(format!("{} pardoned in the same change ({words})", count(number, "finding")));
    }
    let edits = diff.edits.iter().flatten().filter(|e| e.class.gates()).count();
    if widening && edits > 0 {
        reasons.push(format!(
            "{} that {}",
            count(edits, "edit"),
            if edits == 1 { "widens or claims" } else { "widen or claim" }
        ));
    }
    let reached = diff.newly_reached();
    if widening && reached > 0 && edits == 0 {
        reasons.push(format!("{} newly reached", count(reached, "place")));
    }
    let settings = diff.untrusted.iter().filter(|change| change.gates()).count();
    if widening && settings > 0 {
        let (noun, verb) =
            if settings == 1 { ("change", "widens or claims") } else { ("changes", "widen or claim") };
        reasons.push(format!("{settings} {noun} of settings or policies {verb}"));
    }
    if widening && !diff.unjudged.is_empty() {
        reasons.push(format!("{} of HEAD not judged", count(diff.unjudged.len(), "file")));
    }
    let denied = diff.notices.iter().filter(|n| gate.denies(n)).count();
    if denied > 0 {
        reasons.push(format!("{} denied by --deny-notices", count(denied, "new notice")));
    }
    if reasons.is_empty() {
        return passes(diff, gate);
    }
    listing(&reasons)
}

/// What there is where nothing fails.
fn passes(diff: &Diff, gate: &Gate) -> String {
    if diff.is_empty() {
        return "the two states do not differ".to_owned();
    }
    let new = diff.new_findings().filter(|f| f.status == FindingStatus::New && f.binding);
    let (number, words) = by_severity(new.map(|f| f.severity));
    let new = format!("{} ({words})", count(number, "new finding"));
    match gate.fail_on {
        _ if number == 0 => "nothing was added or grew that fails".to_owned(),
        Threshold::Never => format!("{new}; findings never fail (`--fail-on never`)"),
        Threshold::At(severity) => format!("{new} below `--fail-on {severity}`"),
    }
}

fn verdict(page: &mut Page, report: &DiffReport) {
    let diff = report.diff;
    let as_of = diff.judged.as_of.as_ref().map_or(String::new(), |day| format!(", with the flows of {day}"));
    let left_out = not_judged(&diff.judged).chain(unjudged(diff));
    let left_out: String = left_out.map(|text| format!("; {text}")).collect();
    let text = format!(
        "{}; {} against {}, judged on {}{as_of}{left_out}.",
        sentence(report),
        state(&diff.head),
        state(&diff.base),
        diff.judged.day
    );
    let fails = diff.fails(report.gate, report.widening);
    page.para(0, &text, if fails { Style::Red } else { Style::Green });
    page.para(0, CAUTION, Style::Dim);
}

fn untrusted(page: &mut Page, report: &DiffReport) {
    let DiffReport { diff, places, widening: gated, .. } = *report;
    if diff.untrusted.is_empty() {
        return;
    }
    let title = if diff.trust_head {
        "APPLIED FROM HEAD (--trust-head)"
    } else {
        "CHANGED AND NOT APPLIED: BASE judges (--trust-head applies what HEAD says)"
    };
    heading(page, title, Style::Yellow);
    for change in &diff.untrusted {
        let place = at(&change.location, places);
        let style = if gated && change.gates() { Style::Red } else { Style::Plain };
        page.item("  - ", &format!("{}: {} [{}]{place}", change.what, change.message, change.class), style);
    }
}

fn pardoned(page: &mut Page, report: &DiffReport) {
    let list: Vec<Finding> = report.diff.pardoned.iter().map(|p| p.finding.clone()).collect();
    if list.is_empty() {
        return;
    }
    let title = "PARDONED IN THE SAME CHANGE: what it claims of declarations that were there keeps these from \
                 being findings (--trust-claims accepts the claims)";
    heading(page, title, Style::Red);
    for claim in pardoning(report.diff) {
        page.item("  - ", &claim, Style::Plain);
    }
    findings::write(page, &list, &of_head(report));
}

/// The claims that keep something from being a finding, each with how much.
pub fn pardoning(diff: &Diff) -> Vec<String> {
    let mut all: BTreeMap<&Edit, usize> = BTreeMap::new();
    for edit in diff.pardoned.iter().flat_map(|pardoned| &pardoned.edits) {
        *all.entry(edit).or_default() += 1;
    }
    let said = |(edit, number): (&Edit, usize)| {
        let place = edit.location.as_ref().map_or(String::new(), |at| format!(" · {}:{}", at.file, at.line));
        format!("{} {}, {}: {}{place}", edit.of, edit.id, edit.said(), count(number, "finding"))
    };
    all.into_iter().map(said).collect()
}

fn fixed(page: &mut Page, diff: &Diff, most: usize) {
    let list = &diff.findings.fixed;
    if list.is_empty() {
        return;
    }
    heading(page, "FIXED: findings that are no longer there", Style::Green);
    for finding in list.iter().take(most) {
        page.item("  - ", &format!("{}{}", brief(finding), by_claim(diff, finding)), Style::Plain);
    }
    rest(page, 2, list.len().saturating_sub(most), "finding");
}

/// Whether a finding is gone by claim alone, in words to put behind it.
pub fn by_claim(diff: &Diff, finding: &Finding) -> &'static str {
    if diff.fixed_by_claim.contains(&finding.fingerprint) { " (by claim alone)" } else { "" }
}

/// A finding in a line.
pub fn brief(finding: &Finding) -> String {
    let place = |p: &Option<crate::base::finding::Place>| {
        p.as_ref().map(|p| p.system.clone().unwrap_or_else(|| p.party.clone()))
    };
    let about = match (place(&finding.source), place(&finding.sink)) {
        (Some(source), Some(sink)) => format!("{source} → {sink}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => finding.subject.clone().or_else(|| finding.flow.clone()).unwrap_or_default(),
    };
    format!("{} {} · {about} · {}", finding.severity, finding.rule, finding.fingerprint)
}

/// Places that several origins reach alike are said once.
#[derive(Debug)]
pub struct Reached<'d> {
    /// The first of them, whose walk is shown.
    pub first: &'d Reach,
    /// All systems that the data starts at.
    pub origins: Vec<&'d str>,
}

/// Groups by target, data, purposes, and the last flow.
pub fn alike(list: &[Reach]) -> Vec<Reached<'_>> {
    let mut groups: BTreeMap<_, Reached> = BTreeMap::new();
    for reach in list {
        let last = reach.path.last().map(|hop| hop.flow.as_str());
        let new = (!reach.new_party, !reach.new_system, reach.assumed);
        let key = (&reach.target, new, &reach.data, &reach.purposes, last);
        let origin = reach.origin.system.as_deref().unwrap_or(&reach.origin.party);
        groups
            .entry(key)
            .or_insert_with(|| Reached { first: reach, origins: Vec::new() })
            .origins
            .push(origin);
    }
    groups.into_values().collect()
}

/// Some names; the others are counted.
pub fn named(origins: &[&str]) -> String {
    let names: Vec<String> = origins.iter().map(|o| (*o).to_owned()).collect();
    some(&names, ORIGINS)
}

/// What is new about a place that is reached.
pub fn newness(reach: &Reach) -> &'static str {
    match (reach.new_party, reach.new_system) {
        (true, _) => "none of it got to this party before",
        (false, true) => "none of it got to this system before",
        (false, false) => "more data or further purposes",
    }
}

fn reach(page: &mut Page, title: &str, list: &[Reach], (most, places): (usize, &Places)) {
    if list.is_empty() {
        return;
    }
    heading(page, title, Style::Bold);
    let groups = alike(list);
    let added = title.starts_with("NEWLY");
    let mut target = None;
    for group in groups.iter().take(most) {
        let Reached { first, origins } = group;
        let system = first.target.system.as_deref().unwrap_or(&first.target.party);
        if target.replace(system) != Some(system) {
            page.gap();
            page.para(2, system, Style::Bold);
        }
        let assumed = if first.assumed { " (assumed to start there)" } else { "" };
        let text = format!(
            "{} from {}{assumed}, for {}",
            first.data.join(", "),
            named(origins),
            first.purposes.join(", ")
        );
        page.item("    - ", &text, Style::Plain);
        if added {
            page.para(6, newness(first), Style::Dim);
        }
        walk(page, &first.path, places);
    }
    rest(page, 2, groups.len().saturating_sub(most), "place");
}

fn walk(page: &mut Page, path: &[Arc<Hop>], places: &Places) {
    if path.is_empty() {
        page.para(6, "(too many to show a chain for each)", Style::Dim);
    } else {
        chain::write(page, 6, path, None, places);
    }
}

/// What an edit says, and the rules that make a claim of it.
pub fn said(edit: &Edit) -> String {
    let rules =
        if edit.rules.is_empty() { String::new() } else { format!(" [{}]", some(&edit.rules, ORIGINS)) };
    edit.said() + &rules
}

fn edits(page: &mut Page, report: &DiffReport, most: usize) {
    let DiffReport { diff, places, widening: gated, .. } = *report;
    let Some(edits) = diff.edits.as_ref().filter(|edits| !edits.is_empty()) else {
        return;
    };
    heading(page, "EDITS, agreement by agreement", Style::Bold);
    let mut agreement: Option<Option<&str>> = None;
    for edit in edits.iter().take(most) {
        let own = edit.agreement.as_deref();
        if agreement.replace(own) != Some(own) {
            page.gap();
            page.para(2, own.unwrap_or("under no agreement"), Style::Bold);
        }
        let style = match edit.class {
            Class::Widening | Class::Both if gated => Style::Red,
            Class::Assertion if gated => Style::Red,
            Class::Widening | Class::Both | Class::Assertion => Style::Yellow,
            Class::Narrowing | Class::Neutral => Style::Plain,
        };
        let place = at(&edit.location, places);
        let text = format!("{} {} {}{place}", edit.of, edit.id, said(edit));
        page.item(&format!("    {:<10}", edit.class.to_string()), &text, style);
    }
    rest(page, 2, edits.len().saturating_sub(most), "edit");
}

/// A claim that is new, in a line.
pub fn claimed(claim: &Reliance) -> String {
    format!("{} claims `{}`: relied on by {}", claim.by(), claim.claim, claim.rule)
}

fn relied_on(page: &mut Page, diff: &Diff, (most, places): (usize, &Places)) {
    if diff.relied_on.is_empty() {
        return;
    }
    heading(page, "NEWLY RELIED ON: without these claims there could be more findings", Style::Yellow);
    for claim in diff.relied_on.iter().take(most) {
        let text =
            format!("{} · {}:{}", claimed(claim), places.here(&claim.location.file), claim.location.line);
        page.item("  - ", &text, Style::Plain);
    }
    rest(page, 2, diff.relied_on.len().saturating_sub(most), "claim");
}

fn notices(page: &mut Page, report: &DiffReport) {
    let notices = &report.diff.notices;
    if notices.is_empty() {
        return;
    }
    heading(page, "NEW NOTICES", Style::Yellow);
    for notice in notices {
        let place = at(&notice.location, report.places);
        page.item("  - ", &format!("{} [{}]{place}", notice.message, notice.code), Style::Plain);
    }
}

/// All numbers in a line.
pub fn summary(diff: &Diff) -> String {
    let s = &diff.summary;
    let mut text = format!(
        "Findings: {} added, {} grown, {} fixed, {} unchanged.",
        s.added, s.grown, s.fixed, s.unchanged
    );
    if s.pardoned > 0 {
        text = text.replacen("Findings: ", &format!("Findings: {} pardoned, ", s.pardoned), 1);
    }
    if diff.reach.is_some() {
        text += &format!(" Reach: {} added, {} removed.", s.reach_added, s.reach_removed);
    }
    if diff.edits.is_some() {
        text += &format!(
            " Edits: {} widening, {} asserting, {} widening and asserting, {} narrowing, {} neutral.",
            s.widening, s.assertion, s.both, s.narrowing, s.neutral
        );
        text += &format!(" Changes of settings that widen or claim: {}.", s.settings);
    }
    text
}
