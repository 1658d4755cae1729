//! The findings as cards in groups, one group for each rule.

use std::ops::RangeFrom;
use std::sync::Arc;

pub use super::cards::{Card, Group, Mark, Quote, Step, Walk};
use super::names::{Names, System, at, plain};
use crate::base::finding::{
    Audit, Broken, BrokenWhat, Finding, FindingKind, FindingStatus, Hop, RuleEntry, promise_of_rule,
};
use crate::model::Id;
use crate::report::group::{self, Words, groups};
use crate::report::say::{self, about, count, speaker, walks as different_walks};

/// So many chains of one finding are written out; of terms, which are broken the same way
/// for one agreement after the other, so many. The others are a line each.
const WALKS: usize = 5;
const WALKS_OF_TERMS: usize = 1;
/// So many chains have a line.
const LINES: usize = 20;

/// Turns findings into cards.
pub struct Cards<'r> {
    /// The result.
    pub audit: &'r Audit,
    /// What things are called.
    pub names: &'r Names<'r>,
}

impl Cards<'_> {
    /// Some findings in groups by rule; each group takes the next number.
    pub fn groups<'f>(
        &self,
        findings: impl Iterator<Item = &'f Finding>,
        numbers: &mut RangeFrom<usize>,
    ) -> Vec<Group> {
        let groups = groups(findings);
        groups.iter().zip(numbers).map(|((words, group), number)| self.group(number, words, group)).collect()
    }

    /// A flow's number, by which the script knows it.
    fn number(&self, flow: &str) -> Option<usize> {
        self.names.flow(flow).map(Id::index)
    }

    fn group(&self, number: usize, words: &Words, group: &group::Group) -> Group {
        let &(severity, rule, title, why, remedy) = words;
        let entry = self.audit.rules.iter().find(|r| r.id == rule);
        let first = group.heads.first().map(|head| head.finding);
        let violated = entry.map(|e| e.violated.as_str());
        let quoted = |f: &Finding| self.quote(&f.broken, f, title, violated);
        let quote = first.map(quoted);
        let mut all = group.heads.iter().flat_map(|head| head.folded.iter().chain([&head.finding]));
        let same = all.all(|finding| Some(quoted(finding)) == quote);
        let follow = group.size - group.heads.len();
        let head = |head: &group::Head| {
            let mut card = self.card(head.finding, title, same);
            let of_head = quoted(head.finding);
            let folded = head.folded.iter();
            card.folded = folded.map(|f| self.card(f, title, quoted(f) == of_head)).collect();
            card.shorten_folded();
            card
        };
        let cards: Vec<Card> = group.heads.iter().map(head).collect();
        Group {
            paper: on_paper(title, group.size, &cards),
            anchor: format!("g{number}"),
            rule: rule.to_owned(),
            title: title.to_owned(),
            severity,
            standing: self.standing(entry, first),
            size: group.size,
            number: match follow {
                0 => count(group.size, "finding"),
                more => {
                    format!("{}, and {more} more that follow", count(group.heads.len(), "finding"))
                }
            },
            violated: entry
                .map(|e| e.violated.clone())
                .filter(|_| first.is_some_and(|f| f.broken.what != BrokenWhat::Rule)),
            quote: quote.filter(|_| same).filter(|q| !q.text.is_empty() || q.place.is_some()),
            why: why.map(str::to_owned),
            remedy: remedy.map(str::to_owned),
            cite: first.map(|f| f.cite.clone()).unwrap_or_default(),
            left_out: 0,
            explains: true,
            cards,
        }
    }

    /// Where a rule comes from and how it stands in law.
    fn standing(&self, entry: Option<&RuleEntry>, first: Option<&Finding>) -> String {
        let status = entry.and_then(|e| e.policy_status).or_else(|| first.and_then(|f| f.policy_status));
        let kind = entry.map(|e| e.kind).or_else(|| first.map(|f| f.kind));
        match (status, kind) {
            (Some(status), _) => standing(status).to_owned(),
            (None, Some(FindingKind::Statement)) => "public promise".to_owned(),
            (None, Some(FindingKind::Terms)) => "agreements' own terms".to_owned(),
            (None, _) => "built-in check".to_owned(),
        }
    }

    /// The words that a finding breaks.
    fn quote(&self, broken: &Broken, finding: &Finding, title: &str, violated: Option<&str>) -> Quote {
        let promise = self.audit.promises.iter().find(|p| promise_of_rule(&finding.rule) == Some(&p.id));
        let place = broken.location.as_ref().map(at);
        match broken.what {
            BrokenWhat::Promise => Quote {
                what: "Promise",
                text: broken.text.clone(),
                verbatim: true,
                by: promise.map(|p| speaker(p).replacen(&p.by, &self.names.party(&p.by), 1)),
                place,
            },
            BrokenWhat::Term => {
                Quote { what: "Term", text: plain_term(&broken.text), verbatim: false, by: None, place }
            }
            BrokenWhat::Rule => Quote {
                what: "Rule",
                text: match violated.filter(|_| broken.text == title) {
                    Some(violated) => format!("broken when: {violated}"),
                    None if broken.text == title => String::new(),
                    None => broken.text.clone(),
                },
                verbatim: false,
                by: None,
                place,
            },
        }
    }

    fn card(&self, f: &Finding, title: &str, same: bool) -> Card {
        let pair = matches!(f.kind, FindingKind::Forbid | FindingKind::Statement)
            && f.source.is_some()
            && f.sink.is_some();
        // What is held where is said by the place and the data.
        let held = f.kind == FindingKind::Limit && f.sink.is_some() && !f.data.is_empty();
        let silent = f.message.is_empty() || f.message == f.title;
        let mut walks = different_walks(f);
        if walks.iter().all(|(walk, _)| walk.is_empty()) {
            walks = if f.path.is_empty() { Vec::new() } else { vec![(f.path.as_slice(), Vec::new())] };
        }
        let all = walks.len();
        let here = |at: usize| format!("{}: it starts there", label(at, all, &[]).unwrap_or_default());
        let at_home: Vec<usize> =
            (0..).zip(&walks).filter(|(_, (w, _))| w.is_empty()).map(|(at, _)| at).collect();
        let mut lines: Vec<String> = at_home.into_iter().map(here).collect();
        let walks: Vec<_> = (0..).zip(walks).filter(|(_, (walk, _))| !walk.is_empty()).collect();
        let mut flows: Vec<usize> =
            walks.iter().flat_map(|(_, (walk, _))| *walk).filter_map(|hop| self.number(&hop.flow)).collect();
        flows.extend(f.flow.as_ref().and_then(|flow| self.number(flow)));
        flows.sort_unstable();
        flows.dedup();
        let ends = || [&f.source, &f.sink].into_iter().flatten();
        let systems = ends().filter_map(|place| self.names.system_number(place.system.as_deref()?)).collect();
        let mut parties: Vec<usize> = ends().filter_map(|place| self.names.number(&place.party)).collect();
        parties.dedup();
        let number = walks.len();
        let place = f
            .location
            .as_ref()
            .map(at)
            .filter(|place| !ends_at(walks.iter().map(|(_, (walk, _))| *walk), place));
        let written = if f.kind == FindingKind::Terms { WALKS_OF_TERMS } else { WALKS };
        let more = walks.iter().skip(written).take(LINES);
        lines.extend(more.map(|(at, (walk, under))| self.short(walk, label(*at, all, under))));
        Card {
            anchor: anchor(&f.fingerprint),
            fingerprint: f.fingerprint.clone(),
            from: f.source.as_ref().map(|p| self.names.place(p)),
            to: f.sink.as_ref().map(|p| self.names.place(p)),
            about: match (&f.flow, &f.subject) {
                (Some(flow), _) => flow.clone(),
                (_, Some(subject)) => match f.kind {
                    FindingKind::Flow => self.names.data(subject),
                    _ if f.sink.is_some() => String::new(),
                    _ => subject.clone(),
                },
                _ if f.source.is_none() && f.sink.is_none() => about(f),
                _ => String::new(),
            },
            status: status(f),
            marks: marks(f),
            message: (!pair && !silent && !held).then(|| message(f)),
            data: self.names.all_data(&f.data),
            arrives: (!f.arrives_as.is_empty() && f.arrives_as != f.data)
                .then(|| self.names.all_data(&f.arrives_as)),
            becomes: (!f.becomes.is_empty()).then(|| self.names.all_data(&f.becomes)),
            walks: walks
                .into_iter()
                .take(written)
                .map(|(at, (walk, under))| self.walk(walk, &f.data, label(at, all, &under)))
                .collect(),
            more_walks: number.saturating_sub(written + LINES),
            lines,
            quote: (!same).then(|| self.quote(&f.broken, f, title, None)).filter(|q| !q.text.is_empty()),
            place,
            flows,
            keys: f.data.iter().chain(&f.arrives_as).map(|key| self.names.key(key)).collect(),
            systems,
            parties,
            agreements: f.agreements.iter().filter_map(|a| self.names.agreement(a)).map(Id::index).collect(),
            prospective: f.prospective,
            around: None,
            folded: Vec::new(),
        }
    }

    /// `under amex-linking: American Express, accounts → Facebook, messenger`.
    fn short(&self, walk: &[Arc<Hop>], label: Option<String>) -> String {
        let start = walk.first().map(|hop| self.names.line(&hop.from));
        let stops: Vec<String> =
            start.into_iter().chain(walk.iter().map(|hop| self.names.line(&hop.to))).collect();
        format!("{}: {}", label.unwrap_or_default(), stops.join(" → "))
    }

    /// A chain of a finding's data.
    pub fn walk(&self, walk: &[Arc<Hop>], data: &[String], label: Option<String>) -> Walk {
        let mut hops: Vec<Step> = walk.iter().map(|hop| self.step(hop)).collect();
        let mut before = data;
        for (hop, step) in walk.iter().zip(&mut hops) {
            if before == hop.data {
                step.data = None;
            }
            before = &hop.data;
        }
        Walk {
            label,
            goes_on: false,
            start: walk.first().map_or_else(|| self.names.system(""), |hop| self.names.system(&hop.from)),
            hops,
        }
    }

    fn step(&self, hop: &Hop) -> Step {
        let within = hop.from.split('/').next() == hop.to.split('/').next();
        Step {
            flow: self.number(&hop.flow),
            id: hop.flow.clone(),
            title: hop.title.clone(),
            agreement: hop.agreement.clone(),
            standing: match (&hop.agreement, within) {
                (None, true) => Some(format!("within one party{}", say::in_brackets(hop))),
                (None, false) => Some(format!("no agreement{}", say::in_brackets(hop))),
                (Some(_), _) => Some(hop.marks().join(", ")).filter(|marks| !marks.is_empty()),
            },
            marks: hop.marks(),
            data: Some(self.names.all_data(&hop.data)),
            purposes: self.names.all_purposes(&hop.purposes),
            place: at(&hop.location),
            to: self.names.system(&hop.to),
        }
    }
}

impl Card {
    /// Of those that follow only what goes beyond this one.
    fn shorten_folded(&mut self) {
        for card in &mut self.folded {
            // Whether it is accepted is said of each: a new one must not pass under a waived one.
            card.marks.retain(|mark| mark.word == "waived" || !self.marks.contains(mark));
            if card.data == self.data {
                card.data = "the same".to_owned();
            }
        }
        let Some(own) = self.walks.first() else {
            return;
        };
        for walk in self.folded.iter_mut().flat_map(|card| &mut card.walks) {
            let above = own.hops.len();
            if walk.start == own.start && walk.hops.len() > above && walk.hops.starts_with(&own.hops) {
                let rest = walk.hops.split_off(above);
                if let Some(last) = std::mem::replace(&mut walk.hops, rest).pop() {
                    walk.start = last.to;
                }
                walk.goes_on = true;
            }
        }
    }
}

/// So many findings of a rule are named on paper.
const ON_PAPER: usize = 60;

/// A rule and its findings in a line or two.
fn on_paper(title: &str, size: usize, cards: &[Card]) -> String {
    let system = |system: &System| match &system.system {
        Some(own) => format!("{} {own}", system.party),
        None => system.party.clone(),
    };
    let words = |card: &Card| {
        let mut words: Vec<String> =
            (!card.about.is_empty()).then(|| card.about.clone()).into_iter().collect();
        let ends: Vec<String> = card.from.iter().chain(&card.to).map(system).collect();
        words.extend((!ends.is_empty()).then(|| ends.join(" to ")));
        words.extend((card.status != "new").then(|| format!("({})", card.status)));
        words.join(" ")
    };
    let all = cards.iter().flat_map(|card| std::iter::once(card).chain(&card.folded));
    let named: Vec<String> = all.take(ON_PAPER).map(words).collect();
    let more = if size > named.len() { format!("; and {} more", size - named.len()) } else { String::new() };
    format!("{title}, {}: {}{more}", count(size, "finding"), named.join("; "))
}

/// What happened. Of a flow the ends and the data are said already.
fn message(f: &Finding) -> String {
    let ends = f.source.iter().zip(&f.sink).find_map(|(from, to)| {
        let ends = format!(" from {} to {}", from.system.as_ref()?, to.system.as_ref()?);
        Some(f.message.split_once(&ends)?.1)
    });
    match ends.filter(|_| f.flow.is_some()) {
        Some(rest) => format!("The flow carries this{rest}."),
        None => f.message.clone(),
    }
}

/// Whether a chain's last flow is declared there.
fn ends_at<'h>(mut walks: impl Iterator<Item = &'h [Arc<Hop>]>, place: &str) -> bool {
    walks.any(|walk| walk.last().is_some_and(|hop| at(&hop.location) == place))
}

/// A policy's standing in law, in words that a reader knows.
pub fn standing(status: crate::base::vocabulary::PolicyStatus) -> &'static str {
    use crate::base::vocabulary::PolicyStatus as P;
    match status {
        P::InForce => "law in force",
        P::Enjoined => "enjoined: a court bars its enforcement",
        P::Proposed => "proposed, not law",
        P::Contractual => "binding by contract",
        P::Benchmark => "benchmark, a yardstick only",
        P::House => "house rule, not law",
        P::NewRule => "new rule, added after the policy's major version",
    }
}

/// `onward_transfer: prohibited` as it is read.
fn plain_term(text: &str) -> String {
    match text.split_once(": ") {
        Some((term, rest)) => format!("{}: {rest}", plain(term)),
        None => text.to_owned(),
    }
}

fn label(index: usize, of: usize, under: &[&str]) -> Option<String> {
    let under = if under.is_empty() { String::new() } else { format!("under {}", under.join(", ")) };
    match (of, under.is_empty()) {
        (0 | 1, true) => None,
        (0 | 1, false) => Some(under),
        (_, true) => Some(format!("Chain {} of {of}", index + 1)),
        (_, false) => Some(format!("Chain {} of {of}, {under}", index + 1)),
    }
}

/// Where a finding is on the page.
pub fn anchor(fingerprint: &str) -> String {
    fingerprint.replace(':', "-")
}

/// Whether a finding is new, in one word.
pub fn status(f: &Finding) -> &'static str {
    match f.status {
        FindingStatus::New if f.grown => "grown",
        FindingStatus::New => "new",
        FindingStatus::Baseline => "known",
        FindingStatus::Waived => "waived",
    }
}

fn marks(f: &Finding) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut mark = |word, text: &str| marks.push(Mark { word, text: text.to_owned() });
    match (f.status, &f.waiver) {
        (FindingStatus::Waived, Some(w)) => {
            let ticket = w.ticket.as_ref().map_or(String::new(), |t| format!(", {t}"));
            mark("waived", &format!("by {} until {}{ticket}: {}", w.approved_by, w.expires, w.reason));
        }
        (FindingStatus::Waived, None) => mark("waived", ""),
        (FindingStatus::Baseline, _) => mark("known", "in the baseline"),
        (FindingStatus::New, _) => {}
    }
    if let Some(grown) = say::grown(f) {
        mark("grown", grown.strip_prefix("grown: ").unwrap_or(&grown));
    }
    for at in &f.reidentified {
        mark("re-identified", &format!("at {}: {} from {}", at.system, at.into, at.from));
    }
    for lapsed in &f.lapsed {
        mark("expired", &lapsed.to_string());
    }
    if f.prospective {
        mark("prospective", "only through proposed agreements");
    }
    if f.retained {
        mark("retained", "only through ended agreements, or data that its receiver has disposed of since");
    }
    if !f.binding {
        mark("not binding", "does not make the audit fail");
    }
    marks
}
