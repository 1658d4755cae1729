//! The findings: by severity, then by rule, each rule's words once.

use std::collections::BTreeMap;

use super::{chain, place, severity_style};
use crate::base::finding::{Broken, BrokenWhat, Finding, FindingKind, FindingStatus, Promise};
use crate::base::vocabulary::Severity;
use crate::read::places::Places;
use crate::report::group::{Group, Head, Words, groups, shares};
use crate::report::page::{Page, Style};
use crate::report::say::{
    about, count, listed_walks, marks, shown, some, speaker, standing, system, walk_label, walks,
};
use crate::report::{Look, Report};

/// So many walks of one finding are written out.
const WALKS: usize = 5;
/// Where the lines of a finding start.
const INDENT: usize = 7;

/// Writes all findings, up to the limit; what is left out is counted.
pub fn write(page: &mut Page, findings: &[Finding], report: &Report) {
    let Report { audit, look, places, .. } = report;
    let groups = groups(findings.iter());
    let promises: BTreeMap<String, &Promise> = audit.promises.iter().map(|p| (p.rule(), p)).collect();
    let shares = shares(&groups.iter().map(|(_, g)| g.size).collect::<Vec<_>>(), look.limit);
    let mut above = None;
    for ((words, group), share) in groups.iter().zip(shares) {
        let loose = !group.binds();
        if above != Some((loose, words.0)) {
            above = Some((loose, words.0));
            page.gap();
            let loose = if loose { ", not binding" } else { "" };
            page.para(0, &format!("{}{loose}", words.0.word_upper()), severity_style(words.0));
        }
        group.write(page, words, promises.get(words.1).copied(), (share, places));
    }
    left_out(page, findings.len(), look);
}

/// How many findings are not shown, if any are not.
fn left_out(page: &mut Page, all: usize, look: &Look) {
    let hidden = all - all.min(look.limit.unwrap_or(usize::MAX));
    if hidden > 0 {
        page.gap();
        page.para(
            0,
            &format!(
                "{} of {all} not shown; --limit 0 shows all, --format json has all.",
                count(hidden, "finding"),
            ),
            Style::Bold,
        );
    }
}

/// Writes a line for each finding, those that fail first: place, severity, rule, what it is about and how it stands.
pub fn briefly(page: &mut Page, report: &Report) {
    let Report { audit, gate, look, places, .. } = report;
    let mut findings: Vec<&Finding> = audit.findings.iter().collect();
    findings
        .sort_by_key(|finding| (!gate.stops(finding), finding.status, !finding.binding, finding.severity));
    for finding in findings.iter().take(look.limit.unwrap_or(usize::MAX)) {
        let last = finding.path.last().map(|hop| &hop.location);
        let at = finding.location.as_ref().or(last).or(finding.broken.location.as_ref());
        let at =
            at.map_or(String::new(), |at| format!("{}:{}:{}: ", places.here(&at.file), at.line, at.column));
        let status = match finding.status {
            FindingStatus::New if finding.grown => Some("grown"),
            FindingStatus::New => None,
            FindingStatus::Baseline => Some("in the baseline"),
            FindingStatus::Waived => Some("waived"),
        };
        let marks = [
            status,
            finding.prospective.then_some("proposed"),
            finding.retained.then_some("retained"),
            (!finding.binding).then_some("not binding"),
        ];
        let marks: Vec<&str> = marks.into_iter().flatten().collect();
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        let words = format!(
            "{} {}: {}{marks} {}",
            finding.severity,
            finding.rule,
            about(finding),
            finding.fingerprint
        );
        page.line("", &format!("{at}{words}"), severity_style(finding.severity));
    }
    left_out(page, findings.len(), look);
}

trait Upper {
    fn word_upper(&self) -> String;
}

impl Upper for Severity {
    fn word_upper(&self) -> String {
        self.to_string().to_uppercase()
    }
}

impl Group<'_> {
    /// How many of its findings do not count, and why.
    fn accepted(&self) -> String {
        let all = || self.heads.iter().flat_map(|head| head.folded.iter().chain([&head.finding]));
        let of = |(status, what): (FindingStatus, &str)| match all().filter(|f| f.status == status).count() {
            0 => String::new(),
            number => format!(", {number} {what}"),
        };
        [(FindingStatus::Waived, "waived"), (FindingStatus::Baseline, "in the baseline")].map(of).concat()
    }

    fn write(
        &self,
        page: &mut Page,
        words: &Words,
        promise: Option<&Promise>,
        (share, places): (usize, &Places),
    ) {
        let (severity, rule, title, why, remedy) = *words;
        let Some(first) = self.heads.first().map(|h| h.finding) else {
            return;
        };
        page.gap();
        page.para(2, title, Style::Bold);
        let standing = match first.policy_status {
            Some(status) => format!(", {}", standing(status)),
            None => String::new(),
        };
        page.para(
            2,
            &format!(
                "{rule} ({}{}{standing})",
                count(self.size, &format!("{severity} finding")),
                self.accepted()
            ),
            Style::Dim,
        );
        if let Some(promise) = promise {
            page.item("  promise  ", &format!("“{}” ({})", promise.quote, speaker(promise)), Style::Plain);
        }
        let same = self.heads.iter().all(|h| same_words(&h.finding.broken, &first.broken));
        if same && first.broken.what != BrokenWhat::Promise {
            broken(page, "  breaks   ", &first.broken, title, places);
        } else if let (true, Some(at)) = (same, &first.broken.location) {
            page.item("  stated   ", &place(places, at), Style::Dim);
        }
        for (lead, words) in [("  why      ", why), ("  do       ", remedy)] {
            if let Some(words) = words {
                page.item(lead, words, Style::Plain);
            }
        }
        if !first.cite.is_empty() {
            page.item("  see      ", &first.cite.join("; "), Style::Dim);
        }
        let mut left = share;
        for (index, head) in self.heads.iter().enumerate() {
            if left == 0 {
                break;
            }
            left -= 1;
            head.write(page, index + 1, same, places);
            let known = marks(head.finding);
            for finding in head.folded.iter().take(left) {
                follows(page, finding, head.finding, &known);
            }
            left = left.saturating_sub(head.folded.len());
        }
        let hidden = self.size - share.min(self.size);
        if hidden > 0 {
            page.para(4, &format!("… and {hidden} more of this rule (--limit 0 shows all)"), Style::Dim);
        }
    }
}

fn same_words(one: &Broken, other: &Broken) -> bool {
    one.text == other.text && one.location == other.location
}

fn broken(page: &mut Page, lead: &str, broken: &Broken, title: &str, places: &Places) {
    let place = broken.location.as_ref().map(|at| place(places, at));
    let what = match broken.what {
        BrokenWhat::Rule if broken.text == title => String::new(),
        BrokenWhat::Rule => broken.text.clone(),
        BrokenWhat::Term => format!("the term {}", broken.text),
        BrokenWhat::Promise => format!("“{}”", broken.text),
    };
    let text = [Some(what).filter(|t| !t.is_empty()), place];
    let text = text.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if !text.is_empty() {
        page.item(lead, &text, Style::Plain);
    }
}

fn declared(finding: &Finding, places: &Places) -> String {
    finding.location.as_ref().map_or(String::new(), |at| place(places, at))
}

fn lead(number: usize) -> String {
    format!("{number:>5}. ")
}

/// A finding that only follows from an earlier one, whose marks need not be said again.
fn follows(page: &mut Page, finding: &Finding, first: &Finding, head: &[String]) {
    let whither = match (finding.kind, &finding.flow, &finding.sink) {
        (FindingKind::Terms, Some(flow), _) => flow.clone(),
        (_, _, Some(sink)) => shown(sink).to_owned(),
        _ => about(finding),
    };
    let mut text = format!("and then {whither} · {}", finding.fingerprint);
    // Under another term it may be more severe than what it follows from.
    if finding.broken.what == BrokenWhat::Term && !same_words(&finding.broken, &first.broken) {
        text.push_str(&format!(" · breaks the term {}", finding.broken.text));
    }
    // Whether it is accepted is said of each: a new one must not pass under a known one.
    let accepted = |mark: &String| mark.starts_with("waived") || mark == "in the baseline";
    for mark in marks(finding).iter().filter(|mark| accepted(mark) || !head.contains(mark)) {
        text.push_str(&format!(" ({mark})"));
    }
    if finding.status == FindingStatus::New && head.iter().any(accepted) {
        text.push_str(" (new)");
    }
    page.hanging(&" ".repeat(INDENT), INDENT + 2, &text, Style::Plain);
}

impl Head<'_> {
    fn write(&self, page: &mut Page, number: usize, same_broken: bool, places: &Places) {
        let f = self.finding;
        if f.witnesses.iter().all(|walk| walk.flows().next().is_none())
            && f.path.is_empty()
            && f.sink.is_none()
        {
            // Nothing moved: what a declaration does not say, or where a chain starts.
            let mut text = match (about(f), &f.message) {
                (about, message) if message.starts_with(&about) => message.clone(),
                (about, _) if self.says_nothing_more() => about,
                (about, message) => format!("{about} – {message}"),
            };
            for mark in marks(f) {
                text.push_str(&format!(" ({mark})"));
            }
            page.item(
                &lead(number),
                &format!("{text} · {} · {}", declared(f, places), f.fingerprint),
                Style::Plain,
            );
            if !same_broken {
                broken(page, "       breaks ", &f.broken, &f.title, places);
            }
            return;
        }
        page.item(&lead(number), &about(f), severity_style(f.severity));
        for mark in marks(f) {
            page.para(INDENT, &mark, Style::Yellow);
        }
        if self.is_pair() || self.says_nothing_more() {
            self.data(page);
        } else {
            // What moves or is held is in the message.
            page.para(INDENT, &f.message, Style::Plain);
        }
        self.walks(page, places);
        if !same_broken {
            broken(page, "       breaks ", &f.broken, &f.title, places);
        }
        let place = declared(f, places);
        let place = if place.is_empty() { place } else { format!("declared at {place} · ") };
        page.para(INDENT, &format!("{place}{}", f.fingerprint), Style::Dim);
    }

    /// Data from here to there: the head, the data and the chain say it all.
    fn is_pair(&self) -> bool {
        let f = self.finding;
        matches!(f.kind, FindingKind::Forbid | FindingKind::Statement)
            && f.source.is_some()
            && f.sink.is_some()
    }

    fn says_nothing_more(&self) -> bool {
        self.finding.message.is_empty() || self.finding.message == self.finding.title
    }

    fn data(&self, page: &mut Page) {
        let f = self.finding;
        if f.data.is_empty() {
            return;
        }
        let mut text = some(&f.data, 12);
        if !f.arrives_as.is_empty() && f.arrives_as != f.data {
            text.push_str(&format!(", arriving as {}", some(&f.arrives_as, 12)));
        }
        if !f.becomes.is_empty() {
            text.push_str(&format!(", and worked out from it there: {}", some(&f.becomes, 12)));
        }
        page.item("       data: ", &text, Style::Plain);
    }

    fn walks(&self, page: &mut Page, places: &Places) {
        let f = self.finding;
        let start = system(&f.sink).or(f.subject.as_deref());
        let walks = walks(f);
        if f.witnesses.len() < 2 || walks.len() < 2 && f.witnesses.iter().all(|walk| walk.hops().is_empty()) {
            chain::write(page, INDENT, &f.path, start, places);
            for walk in listed_walks(f).iter().take(WALKS) {
                page.para(INDENT, &format!("also over {walk}"), Style::Dim);
            }
            return;
        }
        for (index, (walk, agreements)) in walks.iter().take(WALKS).enumerate() {
            let label = walk_label(index + 1, walks.len(), agreements);
            page.para(INDENT, &label, Style::Dim);
            chain::write(page, INDENT, walk, start, places);
        }
        if let Some(more @ 1..) = walks.len().checked_sub(WALKS) {
            page.para(INDENT, &format!("… and {} in the JSON", count(more, "more walk")), Style::Dim);
        }
        if f.agreements.len() > f.witnesses.len() {
            page.para(
                INDENT,
                &format!("all agreements concerned: {}", f.agreements.join(", ")),
                Style::Plain,
            );
        }
    }
}
