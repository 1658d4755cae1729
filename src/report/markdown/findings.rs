//! Findings in Markdown: in full by rule, or one line each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::escape::{code, prose, text};
use super::part::Part;
use crate::base::finding::{Audit, BrokenWhat, Finding, FindingKind, Hop, Promise, RuleEntry};
use crate::base::source::Location;
use crate::read::places::Places;
use crate::report::group::{Group, Head, Words, groups};
use crate::report::say;

/// So many characters of a text and of a name.
const TEXT: usize = 600;
const NAME: usize = 160;
/// So many names of a list, flows of a walk and walks of a finding are written out.
const NAMES: usize = 8;
const HOPS: usize = 12;
const WALKS: usize = 3;
/// So many findings of a rule are shown before the others are folded.
const OPEN: usize = 3;
/// At most so many findings of a rule are written out: the first that leaves room for
/// every rule.
const SHARES: [usize; 6] = [20, 10, 5, 3, 2, 1];

/// A file and a line.
pub(crate) fn at(location: &Location, places: &Places) -> String {
    code(&say::at(location, places), NAME)
}

/// Names as code, up to a few.
pub(crate) fn names(names: &[String], most: usize) -> String {
    let shown: Vec<String> = names.iter().take(most).map(|name| code(name, NAME)).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The findings in full, by rule; what there is no room for is counted.
pub(crate) fn in_full<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    audit: &'a Audit,
    places: &Places,
    room: usize,
) -> String {
    const REST: usize = 200;
    let rules: BTreeMap<&str, &RuleEntry> = audit.rules.iter().map(|r| (r.id.as_str(), r)).collect();
    let promises: BTreeMap<String, &Promise> = audit.promises.iter().map(|p| (p.rule(), p)).collect();
    let written: Vec<Written> = groups(findings)
        .into_iter()
        .map(|(words, group)| {
            let (rule, promise) = (rules.get(words.1).copied(), promises.get(words.1).copied());
            Written::new(&words, &group, rule, promise, places)
        })
        .collect();
    let all: usize = written.iter().map(|w| w.size).sum();
    let size = |most| written.iter().map(|w| w.render(most).chars().count()).sum::<usize>();
    let most = SHARES.into_iter().find(|&most| size(most) + REST <= room).unwrap_or(1);
    let mut part = Part::new(room);
    // A rule that is written out counts what it leaves out.
    let mut counted = 0;
    for rule in &written {
        if part.push(&rule.render(most), REST) {
            counted += rule.size;
        } else if part.push(&rule.short, REST) {
            counted += 1;
        }
    }
    if counted < all {
        part.push(&format!("\n… and {}\n\n", say::count(all - counted, "more finding")), 0);
    }
    part.finish()
}

/// A rule and its findings as Markdown.
struct Written {
    head: String,
    /// Each finding with those that follow from it, and how many these are.
    items: Vec<(String, usize)>,
    /// The rule and its first finding where there is hardly room.
    short: String,
    size: usize,
}

impl Written {
    fn new(
        words: &Words,
        group: &Group,
        rule: Option<&RuleEntry>,
        promise: Option<&Promise>,
        places: &Places,
    ) -> Self {
        let most = SHARES.into_iter().max().unwrap_or(1);
        let item = |head: &Head| (item(head, places), 1 + head.folded.len());
        Written {
            head: heading(words, group, rule, promise, places),
            items: group.heads.iter().take(most).map(item).collect(),
            short: group.heads.first().map_or(String::new(), |h| one_line(h.finding, places) + "\n"),
            size: group.size,
        }
    }

    fn shown(&self, most: usize) -> usize {
        self.items.iter().take(most).map(|(_, size)| size).sum()
    }

    fn render(&self, most: usize) -> String {
        let mut out = self.head.clone();
        let items = self.items.get(..most.min(self.items.len())).unwrap_or_default();
        let (open, folded) = items.split_at(items.len().min(OPEN));
        open.iter().for_each(|(item, _)| out.push_str(item));
        let hidden = self.size - self.shown(most).min(self.size);
        if !folded.is_empty() {
            let number: usize = folded.iter().map(|(_, size)| size).sum();
            out.push_str(&format!("\n<details><summary>{number} more of this rule</summary>\n\n"));
            folded.iter().for_each(|(item, _)| out.push_str(item));
            out.push_str("\n</details>\n");
        }
        if hidden > 0 {
            out.push_str(&format!("\n… and {hidden} more of this rule\n"));
        }
        out + "\n"
    }
}

/// A rule: what it asks, why, and what to do.
fn heading(
    words: &Words,
    group: &Group,
    rule: Option<&RuleEntry>,
    promise: Option<&Promise>,
    places: &Places,
) -> String {
    let (severity, id, title, why, remedy) = *words;
    let mut out = format!("#### {}\n\n", text(title, TEXT));
    let first = group.heads.first().map(|h| h.finding);
    let standing = first.and_then(|f| f.policy_status).map(|s| format!(" · {}", say::standing(s)));
    let number = say::count(group.size, "finding");
    out.push_str(&format!(
        "{} · **{severity}**{} · {number}\n\n",
        code(id, NAME),
        standing.unwrap_or_default()
    ));
    if let Some(promise) = promise {
        out.push_str(&format!("> “{}”\n>\n", text(&promise.quote, TEXT)));
        out.push_str(&format!(
            "> – {} ({})\n\n",
            text(&say::speaker(promise), TEXT),
            at(&promise.location, places)
        ));
    }
    let cite = first.map(|f| f.cite.join("; ")).unwrap_or_default();
    let parts = [
        ("It is broken when", rule.map(|rule| rule.violated.as_str())),
        ("Why", why),
        ("What to do", remedy),
        ("See", Some(cite.as_str()).filter(|cite| !cite.is_empty())),
    ];
    for (lead, words) in parts {
        if let Some(words) = words {
            out.push_str(&format!("- {lead}: {}\n", prose(words, TEXT)));
        }
    }
    if let Some(written) = rule.filter(|_| promise.is_none()).and_then(|rule| rule.location.as_ref()) {
        out.push_str(&format!("- Written at {}\n", at(written, places)));
    }
    out + "\n"
}

/// A finding with its chains, and what follows from it.
fn item(head: &Head, places: &Places) -> String {
    let f = head.finding;
    let mut out = format!("- **{}**", about(f));
    for mark in say::marks(f) {
        out.push_str(&format!(" · {}", text(&mark, TEXT)));
    }
    out.push('\n');
    let mut line = |words: String| out.push_str(&format!("  - {words}\n"));
    let pair = matches!(f.kind, FindingKind::Forbid | FindingKind::Statement) && f.sink.is_some();
    if !pair && !f.message.is_empty() && f.message != f.title {
        line(prose(&f.message, TEXT));
    } else if !f.data.is_empty() {
        line(data(f));
    }
    let walks = say::walks(f);
    for (index, (walk, agreements)) in walks.iter().take(WALKS).enumerate() {
        let label = say::walk_label(index + 1, walks.len(), agreements);
        let label = if label.is_empty() { "how it gets there".to_owned() } else { text(&label, TEXT) };
        if walk.is_empty() {
            line(format!("{label}: it starts at {}", code(say::start(f), NAME)));
        } else {
            line(format!("{label}:\n{}", chain(walk, places).trim_end()));
        }
    }
    if let Some(more @ 1..) = walks.len().checked_sub(WALKS) {
        line(format!("… and {}", say::count(more, "more walk")));
    }
    if f.kind == FindingKind::Terms && f.agreements.len() > 1 {
        line(format!("agreements concerned: {}", names(&f.agreements, 2 * NAMES)));
    }
    // A promise stands above the findings that break it.
    if let Some(breaks) = say::breaks(f).filter(|_| f.broken.what != BrokenWhat::Promise) {
        let place = f.broken.location.as_ref().map(|l| format!(" ({})", at(l, places)));
        line(format!("breaks {}{}", text(&breaks, TEXT), place.unwrap_or_default()));
    }
    let place = f.location.as_ref().map(|l| format!("declared at {} · ", at(l, places)));
    line(format!("{}{}", place.unwrap_or_default(), code(&f.fingerprint, NAME)));
    for follows in head.folded.iter().take(NAMES) {
        let whither = match (follows.kind, &follows.flow, &follows.sink) {
            (FindingKind::Terms, Some(flow), _) => code(flow, NAME),
            (_, _, Some(sink)) => code(say::shown(sink), NAME),
            _ => about(follows),
        };
        line(format!("and from there on: {whither} · {}", code(&follows.fingerprint, NAME)));
    }
    if let Some(more @ 1..) = head.folded.len().checked_sub(NAMES) {
        line(format!("… and {more} more from there on"));
    }
    out
}

fn data(f: &Finding) -> String {
    let mut out = format!("data: {}", names(&f.data, NAMES));
    if !f.arrives_as.is_empty() && f.arrives_as != f.data {
        out.push_str(&format!(", arriving as {}", names(&f.arrives_as, NAMES)));
    }
    if !f.becomes.is_empty() {
        out.push_str(&format!(", and worked out from it there: {}", names(&f.becomes, NAMES)));
    }
    out
}

/// What a finding is about, the names as code.
fn about(f: &Finding) -> String {
    let shown = |place| code(say::shown(place), NAME);
    match (&f.source, &f.sink, &f.subject) {
        (Some(source), None, Some(subject)) => format!("{} at {}", code(subject, NAME), shown(source)),
        (_, _, Some(subject)) => code(subject, NAME),
        (Some(source), Some(sink), None) => {
            let flow = match (f.kind, &f.flow) {
                (FindingKind::Terms | FindingKind::Flow, Some(flow)) => format!("{}: ", code(flow, NAME)),
                _ => String::new(),
            };
            format!("{flow}{} → {}", shown(source), shown(sink))
        }
        _ => code(&say::about(f), NAME),
    }
}

/// A walk as a numbered list; of a very long one the ends.
pub(crate) fn chain(walk: &[Arc<Hop>], places: &Places) -> String {
    let mut out = String::new();
    let hidden = walk.len().saturating_sub(HOPS);
    let step = |hop: &Hop, number: usize| {
        let under = match (&hop.agreement, say::under(hop)) {
            (Some(id), under) => {
                let status = under.strip_prefix(id.as_str()).unwrap_or_default();
                format!("under {}{status}", code(id, NAME))
            }
            (None, under) => text(&under, NAME),
        };
        let title = hop.title.as_ref().map_or(String::new(), |title| format!(" “{}”", text(title, NAME)));
        format!(
            "    {number}. {} → {}: {} for {}, {under} ({}{title})\n",
            code(&hop.from, NAME),
            code(&hop.to, NAME),
            names(&hop.data, say::CATEGORIES),
            names(&hop.purposes, say::CATEGORIES),
            at(&hop.location, places),
        )
    };
    for (index, hop) in walk.iter().enumerate() {
        let first_hidden = HOPS / 2;
        if hidden > 0 && index == first_hidden {
            out.push_str(&format!("    {}. … {}\n", index + 1, say::count(hidden, "more flow")));
        }
        if hidden == 0 || index < first_hidden || index >= first_hidden + hidden {
            out.push_str(&step(hop, index + 1));
        }
    }
    out
}

/// A finding on one line.
pub(crate) fn one_line(f: &Finding, places: &Places) -> String {
    let mut out =
        format!("- {} · {} · **{}** · {}", about(f), code(&f.rule, NAME), f.severity, text(&f.title, TEXT));
    if f.kind == FindingKind::Require && !f.message.is_empty() {
        out.push_str(&format!(" · {}", prose(&f.message, TEXT)));
    }
    for mark in say::marks(f) {
        out.push_str(&format!(" · {}", text(&mark, TEXT)));
    }
    if let Some(location) = &f.location {
        out.push_str(&format!(" · {}", at(location, places)));
    }
    format!("{out} · {}\n", code(&f.fingerprint, NAME))
}
