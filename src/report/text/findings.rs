//! The findings: by severity, then by rule, each rule's words once.

use std::collections::BTreeMap;

use super::{chain, count, severity_style, speaker};
use crate::finding::{Broken, BrokenWhat, Finding, FindingKind, FindingStatus, Hop, Place, Promise};
use crate::report::Look;
use crate::report::page::{Page, Style};
use crate::vocabulary::Severity;

/// So many walks of one finding are written out.
const WALKS: usize = 5;
/// Where the lines of a finding start.
const INDENT: usize = 7;

/// Findings of one rule, in the same words.
struct Group<'a> {
    heads: Vec<Head<'a>>,
    /// How many findings, the folded ones included.
    size: usize,
}

/// A finding and those that only follow from it.
struct Head<'a> {
    finding: &'a Finding,
    folded: Vec<&'a Finding>,
}

type Words<'a> = (Severity, &'a str, &'a str, Option<&'a str>, Option<&'a str>);

/// Writes all findings, up to the limit; what is left out is counted.
pub fn write(page: &mut Page, findings: &[Finding], promises: &[Promise], look: &Look) {
    let groups = groups(findings);
    let promises: BTreeMap<String, &Promise> =
        promises.iter().map(|p| (format!("statement/{}", p.id), p)).collect();
    let shares = shares(&groups.iter().map(|(_, g)| g.size).collect::<Vec<_>>(), look.limit);
    let mut severity = None;
    for ((words, group), share) in groups.iter().zip(shares) {
        if severity != Some(words.0) {
            severity = Some(words.0);
            page.gap();
            page.para(0, &words.0.word_upper(), severity_style(words.0));
        }
        group.write(page, words, promises.get(words.1).copied(), share);
    }
    let shown: usize = findings.len().min(look.limit.unwrap_or(usize::MAX));
    let hidden = findings.len() - shown;
    if hidden > 0 {
        page.gap();
        page.para(
            0,
            &format!(
                "{} of {} not shown; --limit 0 shows all, --format json has all.",
                count(hidden, "finding"),
                findings.len()
            ),
            Style::Bold,
        );
    }
}

trait Upper {
    fn word_upper(&self) -> String;
}

impl Upper for Severity {
    fn word_upper(&self) -> String {
        self.to_string().to_uppercase()
    }
}

fn groups(findings: &[Finding]) -> Vec<(Words<'_>, Group<'_>)> {
    let mut order: Vec<Words> = Vec::new();
    let mut by_words: BTreeMap<Words, Vec<&Finding>> = BTreeMap::new();
    for f in findings {
        let words: Words = (f.severity, &f.rule, &f.title, f.why.as_deref(), f.remedy.as_deref());
        by_words
            .entry(words)
            .or_insert_with(|| {
                order.push(words);
                Vec::new()
            })
            .push(f);
    }
    order.sort_by_key(|words| words.0);
    order
        .into_iter()
        .filter_map(|words| {
            let findings = by_words.remove(&words)?;
            Some((words, Group { size: findings.len(), heads: fold(findings) }))
        })
        .collect()
}

/// How many findings of each group are written out: one of each as far as the limit
/// goes, then from the first group on.
fn shares(sizes: &[usize], limit: Option<usize>) -> Vec<usize> {
    let Some(limit) = limit else {
        return sizes.to_vec();
    };
    let mut left = limit;
    let mut shares: Vec<usize> = sizes
        .iter()
        .map(|&size| {
            let share = size.min(1).min(left);
            left -= share;
            share
        })
        .collect();
    for (share, size) in shares.iter_mut().zip(sizes) {
        let more = (size - *share).min(left);
        *share += more;
        left -= more;
    }
    shares
}

/// What a consequent finding can be folded under: the same source for data that
/// arrives, the same offending flow for terms.
fn folds_at(finding: &Finding) -> (Option<&str>, Option<&str>) {
    match finding.kind {
        FindingKind::Terms | FindingKind::Flow => (None, finding.flow.as_deref()),
        _ => (system(&finding.source), system(&finding.sink)),
    }
}

fn system(place: &Option<Place>) -> Option<&str> {
    place.as_ref().and_then(|p| p.system.as_deref())
}

/// Puts each consequent finding under one that its own walk passes; new findings
/// come before accepted ones.
fn fold(findings: Vec<&Finding>) -> Vec<Head<'_>> {
    let mut heads: Vec<Head> = Vec::new();
    let mut at: BTreeMap<(Option<&str>, Option<&str>), usize> = BTreeMap::new();
    let (folded, standing): (Vec<_>, Vec<_>) = findings.into_iter().partition(|f| f.consequent);
    for finding in standing {
        at.entry(folds_at(finding)).or_insert(heads.len());
        heads.push(Head { finding, folded: Vec::new() });
    }
    for finding in folded {
        let (source, _) = folds_at(finding);
        let terms = finding.kind == FindingKind::Terms;
        let earlier = finding.path.iter().find_map(|hop| {
            let passed = if terms { &hop.flow } else { &hop.to };
            at.get(&(source, Some(passed.as_str()))).copied()
        });
        match earlier.and_then(|index| heads.get_mut(index)) {
            Some(head) => head.folded.push(finding),
            None => heads.push(Head { finding, folded: Vec::new() }),
        }
    }
    heads.sort_by_key(|head| head.finding.status);
    heads
}

impl Group<'_> {
    fn write(&self, page: &mut Page, words: &Words, promise: Option<&Promise>, share: usize) {
        let (severity, rule, title, why, remedy) = *words;
        let Some(first) = self.heads.first().map(|h| h.finding) else {
            return;
        };
        page.gap();
        page.para(2, title, Style::Bold);
        let standing = match first.policy_status {
            Some(status) => format!(", {}", status.to_string().replace('_', " ")),
            None => String::new(),
        };
        page.para(
            2,
            &format!("{rule} ({}{standing})", count(self.size, &format!("{severity} finding"))),
            Style::Dim,
        );
        if let Some(promise) = promise {
            page.item("  promise  ", &format!("“{}” ({})", promise.quote, speaker(promise)), Style::Plain);
        }
        let same = self.heads.iter().all(|h| same_words(&h.finding.broken, &first.broken));
        if same && first.broken.what != BrokenWhat::Promise {
            broken(page, "  breaks   ", &first.broken, title);
        } else if let (true, Some(place)) = (same, &first.broken.location) {
            page.item("  stated   ", &format!("{}:{}", place.file, place.line), Style::Dim);
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
            head.write(page, index + 1, same);
            let known = marks(head.finding);
            for finding in head.folded.iter().take(left) {
                follows(page, finding, &known);
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

fn broken(page: &mut Page, lead: &str, broken: &Broken, title: &str) {
    let place = broken.location.as_ref().map(|l| format!("{}:{}", l.file, l.line));
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

/// What there is to know of a finding's standing, in words.
fn marks(finding: &Finding) -> Vec<String> {
    let mut marks = Vec::new();
    match (&finding.status, &finding.waiver) {
        (FindingStatus::New, _) => {}
        (FindingStatus::Baseline, _) => marks.push("in the baseline".to_owned()),
        (FindingStatus::Waived, None) => marks.push("waived".to_owned()),
        (FindingStatus::Waived, Some(w)) => {
            let ticket = w.ticket.as_ref().map_or(String::new(), |t| format!(", {t}"));
            marks.push(format!("waived by {} until {}{ticket}: {}", w.approved_by, w.expires, w.reason));
        }
    }
    if finding.grown {
        marks.push("grown: goes beyond what was accepted".to_owned());
    }
    if finding.prospective {
        marks.push("prospective: only through proposed agreements".to_owned());
    }
    if finding.retained {
        marks.push("retained: only through ended agreements".to_owned());
    }
    if !finding.binding {
        marks.push("not binding".to_owned());
    }
    marks
}

fn shown(place: &Place) -> &str {
    place.system.as_deref().unwrap_or(&place.party)
}

/// What a finding is about: from where to where, or its subject.
fn about(finding: &Finding) -> String {
    match (&finding.source, &finding.sink, &finding.subject) {
        (Some(source), None, Some(subject)) => format!("{subject} at {}", shown(source)),
        (_, _, Some(subject)) => subject.clone(),
        (Some(source), Some(sink), None) => {
            let flow = match (finding.kind, &finding.flow) {
                (FindingKind::Terms | FindingKind::Flow, Some(flow)) => format!("{flow}: "),
                _ => String::new(),
            };
            format!("{flow}{} → {}", shown(source), shown(sink))
        }
        (Some(place), None, None) | (None, Some(place), None) => shown(place).to_owned(),
        (None, None, None) => finding.flow.clone().unwrap_or_else(|| finding.title.clone()),
    }
}

fn declared(finding: &Finding) -> String {
    finding.location.as_ref().map_or(String::new(), |l| format!("{}:{}", l.file, l.line))
}

fn lead(number: usize) -> String {
    format!("{number:>5}. ")
}

/// A finding that only follows from an earlier one, whose marks need not be said again.
fn follows(page: &mut Page, finding: &Finding, head: &[String]) {
    let whither = match (finding.kind, &finding.flow, &finding.sink) {
        (FindingKind::Terms, Some(flow), _) => flow.clone(),
        (_, _, Some(sink)) => shown(sink).to_owned(),
        _ => about(finding),
    };
    let mut text = format!("and then {whither} · {}", finding.fingerprint);
    // Whether it is accepted is said of each: a new one must not pass under a waived one.
    let accepted = |mark: &String| mark.starts_with("waived");
    for mark in marks(finding).iter().filter(|mark| accepted(mark) || !head.contains(mark)) {
        text.push_str(&format!(" ({mark})"));
    }
    if finding.status == FindingStatus::New && head.iter().any(accepted) {
        text.push_str(" (new)");
    }
    page.hanging(&" ".repeat(INDENT), INDENT + 2, &text, Style::Plain);
}

impl Head<'_> {
    fn write(&self, page: &mut Page, number: usize, same_broken: bool) {
        let f = self.finding;
        if f.witnesses.iter().all(Vec::is_empty) && f.path.is_empty() && f.sink.is_none() {
            // Nothing moved: what a declaration does not say, or where a chain starts.
            let mut text = match (about(f), &f.message) {
                (about, message) if message.starts_with(&about) => message.clone(),
                (about, _) if self.says_nothing_more() => about,
                (about, message) => format!("{about} – {message}"),
            };
            for mark in marks(f) {
                text.push_str(&format!(" ({mark})"));
            }
            page.item(&lead(number), &format!("{text} · {} · {}", declared(f), f.fingerprint), Style::Plain);
            if !same_broken {
                broken(page, "       breaks ", &f.broken, &f.title);
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
        self.walks(page);
        if !same_broken {
            broken(page, "       breaks ", &f.broken, &f.title);
        }
        let place = declared(f);
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

    /// The walks, and under which agreements; one that shows the same for several
    /// agreements is there once.
    fn different_walks(&self) -> Vec<(&[Hop], Vec<&str>)> {
        let f = self.finding;
        let mut walks: Vec<(&[Hop], Vec<&str>)> = Vec::new();
        for (index, walk) in f.witnesses.iter().enumerate() {
            let under = f.agreements.get(index).filter(|_| f.kind == FindingKind::Terms);
            let under = under.filter(|id| walk.iter().any(|hop| hop.agreement.as_ref() == Some(id)));
            match (under, walks.iter_mut().find(|(other, _)| other == walk)) {
                (Some(under), Some((_, agreements))) => agreements.push(under),
                _ => walks.push((walk, under.map(String::as_str).into_iter().collect())),
            }
        }
        walks
    }

    fn says_nothing_more(&self) -> bool {
        self.finding.message.is_empty() || self.finding.message == self.finding.title
    }

    fn data(&self, page: &mut Page) {
        let f = self.finding;
        if f.data.is_empty() {
            return;
        }
        let mut text = chain::some(&f.data, 12);
        if !f.arrives_as.is_empty() && f.arrives_as != f.data {
            text.push_str(&format!(", arriving as {}", chain::some(&f.arrives_as, 12)));
        }
        if !f.becomes.is_empty() {
            text.push_str(&format!(", and worked out from it there: {}", chain::some(&f.becomes, 12)));
        }
        page.item("       data: ", &text, Style::Plain);
    }

    fn walks(&self, page: &mut Page) {
        let f = self.finding;
        let start = system(&f.sink).or(f.subject.as_deref());
        if f.witnesses.len() < 2 {
            let walk = f.witnesses.first().filter(|_| f.path.is_empty()).unwrap_or(&f.path);
            chain::write(page, INDENT, walk, start);
            return;
        }
        let walks = self.different_walks();
        for (index, (walk, agreements)) in walks.iter().take(WALKS).enumerate() {
            let under = match agreements.as_slice() {
                [] => String::new(),
                some => format!("under {}", some.join(", ")),
            };
            let label = match (walks.len(), under.as_str()) {
                (1, under) => under.to_owned(),
                (all, "") => format!("walk {} of {all}", index + 1),
                (all, under) => format!("walk {} of {all}, {under}", index + 1),
            };
            page.para(INDENT, &label, Style::Dim);
            chain::write(page, INDENT, walk, start);
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

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn every_rule_gets_its_share_of_the_limit() {
        assert_eq!(shares(&[9000, 3, 1], Some(10)), [8, 1, 1]);
        assert_eq!(shares(&[2, 3], Some(100)), [2, 3]);
        assert_eq!(shares(&[2, 3], Some(1)), [1, 0]);
        assert_eq!(shares(&[2, 3], None), [2, 3]);
    }
}
