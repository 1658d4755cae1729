//! What is said of a result, in words that every format shares. Nothing here is
//! escaped: each format makes the words safe in its own way.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tally::Tally;
use crate::base::finding::{
    self, Audit, Broken, BrokenWhat, Extent, Finding, FindingKind, FindingStatus, GrownFrom, Hop, Judged,
    Notice,
};
use crate::base::finding::{Place, PolicyFacts, Promise, PromiseState};
use crate::base::source::Location;
use crate::base::visible::is_hidden;
use crate::base::vocabulary::{PolicyStatus, Severity, Word};
use crate::compare::Diff;
use crate::declare::gate::{Gate, Threshold};
use crate::read::places::Places;

/// So many categories are named where there is little room.
pub const CATEGORIES: usize = 6;

/// `1 finding`, `2 findings`.
pub fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// How many findings there are, and of which severities, most severe first: `2 critical, 1 high`.
pub fn by_severity(findings: impl Iterator<Item = Severity>) -> (usize, String) {
    let mut numbers: BTreeMap<Severity, usize> = BTreeMap::new();
    findings.for_each(|s| *numbers.entry(s).or_default() += 1);
    let parts: Vec<String> = numbers.iter().map(|(s, n)| format!("{n} {s}")).collect();
    (numbers.values().sum(), parts.join(", "))
}

/// `a`, `a and b`, `a, b and c`.
pub fn listing(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Up to a few of some names; the others are counted.
pub fn some(names: &[String], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A text on one line, every hidden character and everything that XML does not know
/// written out.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for c in word.chars() {
            if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
        }
    }
    out
}

/// Up to so many characters; what is cut off is marked.
pub fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Whether the audit fails, and why, in sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it fails.
    pub fails: bool,
    /// Why; when and by what it was judged.
    pub sentence: String,
    /// Why alone.
    pub reasons: String,
    /// Which promises are broken, if any are.
    pub broken: Option<String>,
    /// How many findings are for information, if any.
    pub loose: Option<String>,
}

/// What every report says so that nobody takes it for more than it is.
pub const CAUTION: &str =
    "Ringfence reports where declared flows lead. It does not decide whether that is lawful.";

/// The verdict.
pub fn verdict(audit: &Audit, gate: &Gate) -> Verdict {
    let tally = Tally::new(audit, gate);
    let denied = audit.notices.iter().filter(|n| gate.denies(n)).count();
    let mut why: Vec<String> = tally.fails().into_iter().collect();
    if denied > 0 {
        why.push(format!("{} denied by --deny-notices", count(denied, "notice")));
    }
    if why.is_empty() {
        why.push(match gate.fail_on {
            Threshold::Never => "findings never fail this audit (--fail-on never)".to_owned(),
            Threshold::At(_) if audit.findings.is_empty() => {
                "the declared flows break no rule, term or promise".to_owned()
            }
            Threshold::At(severity) => format!("no new finding at or above `{severity}`"),
        });
    }
    let broken = audit.promises.iter().filter(|p| p.standing() == PromiseState::Broken);
    let broken: Vec<&str> = broken.map(|p| p.id.as_str()).collect();
    Verdict {
        fails: gate.fails(audit),
        sentence: format!("{}. {}.", listing(&why), judged(audit)),
        reasons: listing(&why),
        broken: (!broken.is_empty()).then(|| {
            let promises = count(audit.promises.len(), "promise");
            format!("{} of {promises} broken: {}.", broken.len(), broken.join(", "))
        }),
        loose: tally.informs().map(|besides| format!("For information: {besides}.")),
    }
}

/// The day, the policies and how much of the inventory was judged.
pub fn judged(audit: &Audit) -> String {
    let by = match audit.policies.as_slice() {
        [] => "without a policy: only the agreements' own terms and the promises".to_owned(),
        policies => format!("against {}", listing(&policies.iter().map(policy).collect::<Vec<_>>())),
    };
    let mut days = format!("Judged on {}", audit.judged.day);
    if let Some(day) = &audit.judged.as_of {
        days.push_str(&format!(" with the flows of {day}"));
    }
    let facts = &audit.inventory;
    let left_out: String = not_judged(&audit.judged).map(|text| format!("; {text}")).collect();
    let flows = format!(
        "{} of {} declared {} in scope ({} proposed, {} assumed)",
        facts.counting_flows,
        facts.flows,
        if facts.flows == 1 { "flow is" } else { "flows are" },
        facts.proposed_flows,
        facts.assumed_flows,
    );
    format!("{days} {by}. {flows}{left_out}")
}

/// The same in two sentences, without what policies say of themselves.
pub fn judged_briefly(audit: &Audit) -> String {
    let mut by = vec!["the contracts".to_owned()];
    match audit.promises.len() {
        0 => {}
        n => by.push(count(n, "promise")),
    }
    by.extend(audit.policies.iter().map(|policy| {
        let version = policy.version.as_ref().map_or(String::new(), |version| format!(" {version}"));
        match policy.status {
            PolicyStatus::InForce | PolicyStatus::House => format!("{}{version}", policy.id),
            status => format!("{}{version} ({})", policy.id, standing(status)),
        }
    }));
    let none = if audit.policies.is_empty() { ", no policy" } else { "" };
    let as_of = audit.judged.as_of.as_ref().map_or(String::new(), |day| format!(" with the flows of {day}"));
    let facts = &audit.inventory;
    format!(
        "Judged on {}{as_of} against {}{none}. {} of {} declared {} in scope ({} proposed, {} assumed).",
        audit.judged.day,
        listing(&by),
        facts.counting_flows,
        facts.flows,
        if facts.flows == 1 { "flow is" } else { "flows are" },
        facts.proposed_flows,
        facts.assumed_flows,
    )
}

/// What `exclude`, `--status` and `--as-of` leave out of what is judged, if they are used.
pub fn left_out(judged: &Judged) -> Option<String> {
    let mut parts = Vec::new();
    if judged.excluded_files > 0 {
        parts.push(format!("{} by exclude", count(judged.excluded_files, "file")));
    }
    if let Some(statuses) = &judged.status {
        let only: Vec<String> = statuses.iter().map(ToString::to_string).collect();
        parts.push(format!(
            "{} by status (only {})",
            count(judged.left_out_by_status, "flow"),
            only.join(", ")
        ));
    }
    if let Some(day) = judged.as_of.as_ref().filter(|_| judged.left_out_by_as_of > 0) {
        parts.push(format!("{} by as-of {day}", count(judged.left_out_by_as_of, "flow")));
    }
    (!parts.is_empty()).then(|| format!("left out: {}", listing(&parts)))
}

/// So many files are named beside a verdict.
const NAMED_FILES: usize = 20;

/// Which files HEAD's settings would judge and BASE's do not, if there are any.
pub fn unjudged(diff: &Diff) -> Option<String> {
    let files = &diff.unjudged;
    (!files.is_empty()).then(|| {
        format!(
            "not judged: {} that HEAD's settings would judge and BASE's do not ({})",
            count(files.len(), "file"),
            some(files, NAMED_FILES)
        )
    })
}

/// What was left out, and how many places rules could not look at: what a verdict says besides.
pub fn not_judged(judged: &Judged) -> impl Iterator<Item = String> {
    let places = Some(judged.overlooked_places).filter(|&places| places > 0);
    let overlooked = places.map(|places| format!("rules could not look at {}", count(places, "place")));
    left_out(judged).into_iter().chain(overlooked)
}

fn policy(policy: &PolicyFacts) -> String {
    let version = policy.version.as_ref().map_or(String::new(), |v| format!(" {v}"));
    let as_of = policy.as_of.as_ref().map_or(String::new(), |d| format!(", as of {d}"));
    format!("{}{version} ({}{as_of})", policy.id, standing(policy.status))
}

/// How many rules there are, and how many of them follow data along flows.
pub fn rules(all: usize, following: usize) -> String {
    match following {
        0 => format!("{}, none of which follows flows", count(all, "rule")),
        _ if all == following && all == 1 => "1 rule, which follows flows".to_owned(),
        _ if all == following => format!("{all} rules, all of which follow flows"),
        1 => format!("{all} rules, one of which follows flows"),
        _ => format!("{all} rules, {following} of which follow flows"),
    }
}

/// A policy's legal standing in words.
pub fn standing(status: PolicyStatus) -> String {
    status.word().replace('_', " ")
}

/// Who made a promise, for whom, where and when.
pub fn speaker(promise: &Promise) -> String {
    let parts = [promise.who.as_ref(), Some(&promise.by), promise.place.as_ref(), promise.date.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What there is to know of a finding's standing, in words.
pub fn marks(finding: &Finding) -> Vec<String> {
    let mut marks: Vec<String> = accepted(finding).into_iter().collect();
    marks.extend(grown(finding));
    for at in &finding.reidentified {
        marks.push(format!(
            "re-identified at {}: {} from {}, so no transform before it exempts the data",
            at.system, at.into, at.from
        ));
    }
    marks.extend(finding.lapsed.iter().map(ToString::to_string));
    if finding.prospective {
        marks.push("prospective: only through proposed agreements".to_owned());
    }
    if finding.retained {
        marks.push("retained: only through ended agreements or disposed data".to_owned());
    }
    if !finding.binding {
        marks.push("not binding".to_owned());
    }
    marks
}

/// Beyond what a finding has grown and by what, if it has.
pub fn grown(finding: &Finding) -> Option<String> {
    if !finding.grown {
        return None;
    }
    let than = match finding.beyond.first().map(|growth| growth.than) {
        Some(GrownFrom::Waiver) => "its waiver accepts",
        Some(GrownFrom::Baseline) => "the baseline accepts",
        Some(GrownFrom::Base) => "in BASE",
        None => "was known",
    };
    let more = finding.beyond.iter().map(|growth| {
        let names = some(&growth.more, CATEGORIES);
        match growth.of {
            Extent::Data => format!("data {names}"),
            Extent::ArrivesAs => format!("arrives as {names}"),
            Extent::Agreements => format!("under {names}"),
            Extent::Origins => format!("data of {names}"),
            Extent::Severity => format!("severity {names}"),
            Extent::Prospective => "in force, not only proposed".to_owned(),
        }
    });
    let more: Vec<String> = more.collect();
    let colon = if more.is_empty() { "" } else { ": " };
    Some(format!("grown: more than {than}{colon}{}", more.join("; ")))
}

/// By whom and why a finding is accepted, if it is.
pub fn accepted(finding: &Finding) -> Option<String> {
    match (&finding.status, &finding.waiver) {
        (FindingStatus::New, _) => None,
        (FindingStatus::Baseline, _) => Some("in the baseline".to_owned()),
        (FindingStatus::Waived, None) => Some("waived".to_owned()),
        (FindingStatus::Waived, Some(w)) => {
            let ticket = w.ticket.as_ref().map_or(String::new(), |t| format!(", {t}"));
            Some(format!("waived by {} until {}{ticket}: {}", w.approved_by, w.expires, w.reason))
        }
    }
}

/// The system that is meant, if one is.
pub fn system(place: &Option<Place>) -> Option<&str> {
    place.as_ref().and_then(|p| p.system.as_deref())
}

/// A system, or the whole party.
pub fn shown(place: &Place) -> &str {
    place.system.as_deref().unwrap_or(&place.party)
}

/// What a finding is about: from where to where, or its subject.
pub fn about(finding: &Finding) -> String {
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

/// What happened, in a sentence.
pub fn happened(finding: &Finding) -> String {
    match finding.message.as_str() {
        "" => about(finding),
        message => message.to_owned(),
    }
}

/// What a finding breaks, unless its title says it already.
pub fn breaks(finding: &Finding) -> Option<String> {
    let Broken { what, text, .. } = &finding.broken;
    match what {
        BrokenWhat::Rule if text == &finding.title => None,
        BrokenWhat::Rule => Some(format!("the rule {text}")),
        BrokenWhat::Term => Some(format!("the term {text}")),
        BrokenWhat::Promise => Some(format!("the promise “{text}”")),
    }
}

/// One walk and the agreements that it is shown for.
pub type Walk<'a> = (&'a [Arc<Hop>], Vec<&'a str>);

/// The walks, and under which agreements; one that shows the same for several
/// agreements is there once.
pub fn walks(finding: &Finding) -> Vec<Walk<'_>> {
    let known = finding.witnesses.iter().any(|walk| !walk.hops().is_empty());
    if !known && !finding.path.is_empty() {
        return vec![(&finding.path, Vec::new())];
    }
    let mut walks: Vec<Walk> = Vec::new();
    for (index, walk) in finding.witnesses.iter().map(finding::Walk::hops).enumerate() {
        let under = finding.agreements.get(index).filter(|_| finding.kind == FindingKind::Terms);
        let under = under.filter(|id| walk.iter().any(|hop| hop.agreement.as_ref() == Some(id)));
        match (under, walks.iter_mut().find(|(other, _)| *other == walk)) {
            (Some(under), Some((_, agreements))) => agreements.push(under),
            _ => walks.push((walk, under.map(String::as_str).into_iter().collect())),
        }
    }
    walks
}

/// The walks of a finding that was read from a result, which lists them by their flows, but for the one that
/// is shown: in a few words.
pub fn listed_walks(finding: &Finding) -> Vec<String> {
    let listed = finding.witnesses.iter().filter(|walk| matches!(walk, finding::Walk::Listed(_)));
    let others = listed.filter(|walk| !walk.flows().eq(finding.path.iter().map(|hop| hop.flow.as_str())));
    let words = |walk: &finding::Walk| walk.flows().collect::<Vec<_>>().join(" → ");
    others.filter(|walk| walk.flows().next().is_some()).map(words).collect()
}

/// What a walk of several is shown for, if there is anything to say.
pub fn walk_label(number: usize, all: usize, agreements: &[&str]) -> String {
    let under = match agreements {
        [] => String::new(),
        some => format!("under {}", some.join(", ")),
    };
    match (all, under.as_str()) {
        (1, under) => under.to_owned(),
        (all, "") => format!("walk {number} of {all}"),
        (all, under) => format!("walk {number} of {all}, {under}"),
    }
}

/// Where a walk of no flows stays.
pub fn start(finding: &Finding) -> &str {
    let named = system(&finding.sink).or(finding.subject.as_deref()).or(system(&finding.source));
    named.unwrap_or(&finding.title)
}

/// What a flow runs under, in a few words, and how firm that is.
pub fn under(hop: &Hop) -> String {
    let under = match (&hop.agreement, party(&hop.from), party(&hop.to)) {
        (Some(id), ..) => id.clone(),
        (None, from, to) if from == to => format!("within {from}"),
        (None, ..) => "no agreement".to_owned(),
    };
    format!("{under}{}", in_brackets(hop))
}

/// The marks of a flow as they stand behind what it is under: ` (proposed, assumed)`.
pub fn in_brackets(hop: &Hop) -> String {
    let marks = hop.marks();
    if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) }
}

/// The party of a system.
fn party(system: &str) -> &str {
    system.split_once('/').map_or(system, |(party, _)| party)
}

/// What the data is on a flow, and what the flow does to it.
pub fn moved(hop: &Hop) -> String {
    let transform = hop.transform.map_or(String::new(), |transform| format!(", {}", transform.word()));
    format!("{}{transform}", some(&hop.data, CATEGORIES))
}

/// A flow of a walk on one line, without where it is declared.
pub fn hop(hop: &Hop) -> String {
    let data = moved(hop);
    let mut text =
        format!("{} → {}: {data} · {} · {}", hop.from, hop.to, hop.purposes.join(", "), under(hop));
    if let Some(title) = &hop.title {
        text.push_str(&format!(" · {title}"));
    }
    text
}

/// `file:line`, the file as its repository knows it, where it lies in one.
pub fn at(location: &Location, places: &Places) -> String {
    format!("{}:{}", places.in_repository(&location.file).unwrap_or(&location.file), location.line)
}

/// A notice and what it is about, up to so many.
pub fn notice(notice: &Notice, most: usize) -> String {
    match notice.subjects.as_slice() {
        [] => notice.message.clone(),
        subjects => format!("{}: {}", notice.message, some(subjects, most)),
    }
}

/// So many walks are written out where the format has no structure for them.
const WALKS: usize = 5;

/// Everything about a finding as lines of plain text: what services show that have
/// no place for the parts. Each is safe on one line.
pub fn lines(finding: &Finding, places: &Places) -> Vec<String> {
    let mut lines = vec![happened(finding)];
    lines.extend(marks(finding));
    if finding.consequent {
        lines.push("consequent: every way to it breaks the same rule earlier".to_owned());
    }
    if !finding.data.is_empty() {
        let mut text = format!("data: {}", some(&finding.data, 2 * CATEGORIES));
        if !finding.arrives_as.is_empty() && finding.arrives_as != finding.data {
            text.push_str(&format!(", arriving as {}", some(&finding.arrives_as, 2 * CATEGORIES)));
        }
        if !finding.becomes.is_empty() {
            text.push_str(&format!(", worked out there: {}", some(&finding.becomes, 2 * CATEGORIES)));
        }
        lines.push(text);
    }
    let walks = walks(finding);
    for (index, (walk, agreements)) in walks.iter().take(WALKS).enumerate() {
        let label = walk_label(index + 1, walks.len(), agreements);
        if !label.is_empty() {
            lines.push(format!("{label}:"));
        }
        if walk.is_empty() {
            lines.push(format!("{}: it starts here", start(finding)));
        }
        for (number, flow) in walk.iter().enumerate() {
            lines.push(format!("{}. {} ({})", number + 1, hop(flow), at(&flow.location, places)));
        }
    }
    if let Some(more @ 1..) = walks.len().checked_sub(WALKS) {
        lines.push(format!("… and {} in the JSON", count(more, "more walk")));
    }
    let written = finding.broken.location.as_ref().map(|location| at(location, places));
    match (breaks(finding), written) {
        (Some(breaks), Some(at)) => lines.push(format!("breaks {breaks} ({at})")),
        (Some(breaks), None) => lines.push(format!("breaks {breaks}")),
        (None, Some(at)) => lines.push(format!("the rule: {} ({at})", finding.title)),
        (None, None) => lines.push(format!("the rule: {}", finding.title)),
    }
    lines.extend(finding.why.as_ref().map(|why| format!("why: {why}")));
    lines.extend(finding.remedy.as_ref().map(|remedy| format!("what to do: {remedy}")));
    if !finding.cite.is_empty() {
        lines.push(format!("see: {}", finding.cite.join("; ")));
    }
    if !finding.cause.is_empty() {
        lines.push(format!("cause: {}", finding.cause));
    }
    lines.push(format!("{} {}", finding.rule, finding.fingerprint));
    lines.iter().map(|text| line(text)).collect()
}

/// Where services show a finding: where it is declared, else the last flow of its
/// chain, else what it breaks; the first of them that lies in a file.
pub fn place<'f>(finding: &'f Finding, places: &Places) -> Option<&'f Location> {
    let last = finding.path.last().map(|hop| &hop.location);
    let all = [finding.location.as_ref(), last, finding.broken.location.as_ref()];
    all.into_iter().flatten().find(|location| places.in_repository(&location.file).is_some())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_is_one_line_of_visible_characters() {
        assert_eq!(line(" a\r\n\tb\u{2028}c "), "a b c");
        assert_eq!(line("a\u{1b}[2J\u{202e}b\u{0}\u{ffff}"), "a\\u{1b}[2J\\u{202e}b\\u{0}\\u{ffff}");
    }
}
