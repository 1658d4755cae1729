//! The data that the script works with: what to filter by, and on a large page the
//! findings themselves, every string once.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::findings::{Card, Group, Quote, Walk};
use super::names::{Names, System};
use crate::base::vocabulary::Severity;
use crate::model::{Counting, Id, Model};
use crate::report::Report;
use crate::report::diagram::MOST_SYSTEMS;
use crate::report::record::{ACTIVITY, PARTY};

/// What stands in the page for the script.
#[derive(Debug, Serialize)]
pub struct Embedded {
    day: String,
    /// Ids and names, in the order of ids.
    parties: Vec<(String, String)>,
    /// Ids and titles, in the order of ids.
    agreements: Vec<(String, String)>,
    /// Keys and titles.
    data: Vec<(String, String)>,
    purposes: Vec<(String, String)>,
    flows: Vec<Flow>,
    /// Where the diagram shows parties alone: party, id, whether data starts there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    systems: Vec<(usize, String, u8)>,
    /// The systems at the ends of each flow; nothing for one that does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ends: Vec<Option<(usize, usize)>>,
    /// The categories that findings refer to by number.
    keys: Vec<String>,
    /// The head of the record's table.
    columns: Vec<&'static str>,
    /// The record's lines, where the page does not show all of them.
    record: Vec<Vec<usize>>,
    strings: Vec<String>,
    findings: Option<Findings>,
}

/// Id, parties at its ends, agreement, purposes, data, status.
#[derive(Debug, Serialize)]
struct Flow(String, usize, usize, Option<usize>, Vec<usize>, Vec<usize>, &'static str);

/// All findings, what is text as places in `strings`.
#[derive(Debug, Serialize)]
struct Findings {
    groups: Vec<(String, Severity)>,
    steps: Vec<CompactStep>,
    all: Vec<Compact>,
}

/// Id, title, agreement, standing, purposes, place, party and system that it leads
/// to, the flow's number.
#[derive(Debug, Serialize)]
struct CompactStep(
    usize,
    Option<usize>,
    Option<usize>,
    Option<usize>,
    usize,
    usize,
    usize,
    Option<usize>,
    Option<usize>,
);

/// What, text, verbatim, by, place.
type CompactQuote = (usize, usize, bool, Option<usize>, Option<usize>);

#[derive(Debug, Default, Serialize)]
struct Compact {
    /// Fingerprint without `rf1:`.
    f: String,
    /// Group.
    g: usize,
    /// Status.
    s: usize,
    /// From and to: party and system.
    #[serde(skip_serializing_if = "Option::is_none")]
    u: Option<(usize, Option<usize>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<(usize, Option<usize>)>,
    /// What it is about.
    a: usize,
    /// Marks: word and meaning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    m: Vec<(usize, usize)>,
    /// Message.
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<usize>,
    /// Data, arriving as, becoming.
    d: (usize, Option<usize>, Option<usize>),
    /// Walks: label, start, steps with their data, whether it goes on from the one above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    w: Vec<CompactWalk>,
    /// Walks of a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    x: Vec<usize>,
    /// Walks not shown.
    #[serde(skip_serializing_if = "is_zero")]
    n: usize,
    /// Quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<CompactQuote>,
    /// Place.
    #[serde(skip_serializing_if = "Option::is_none")]
    l: Option<usize>,
    /// Systems at its ends, where it has no flows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    h: Vec<usize>,
    /// Flows.
    e: Vec<usize>,
    /// Keys of its data.
    k: Vec<usize>,
    /// Parties and agreements.
    p: Vec<usize>,
    r: Vec<usize>,
    /// Only through proposed agreements.
    #[serde(skip_serializing_if = "is_zero")]
    o: usize,
    /// It follows from the finding before it that does not follow.
    #[serde(skip_serializing_if = "is_zero")]
    c: usize,
}

type CompactWalk = (Option<usize>, (usize, Option<usize>), Vec<(usize, Option<usize>)>, u8);

fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Default)]
struct Strings {
    all: Vec<String>,
    at: FxHashMap<String, usize>,
}

impl Strings {
    fn put(&mut self, text: &str) -> usize {
        if let Some(&at) = self.at.get(text) {
            return at;
        }
        self.all.push(text.to_owned());
        self.at.insert(text.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }

    fn maybe(&mut self, text: &Option<String>) -> Option<usize> {
        text.as_deref().map(|text| self.put(text))
    }

    fn list(&mut self, texts: &[String]) -> Vec<usize> {
        texts.iter().map(|text| self.put(text)).collect()
    }

    fn system(&mut self, system: &System) -> (usize, Option<usize>) {
        (self.put(&system.party), self.maybe(&system.system))
    }
}

impl Embedded {
    /// The data of a page; `groups` and `record` where the page itself does not show them all.
    pub fn new(
        names: &Names,
        report: &Report,
        groups: Option<Vec<&Group>>,
        record: Vec<Vec<String>>,
    ) -> Self {
        let mut strings = Strings::default();
        let record = record.iter().map(|line| strings.list(line)).collect();
        let findings = groups.map(|groups| Findings::new(&groups, &mut strings));
        let mut embedded = Embedded {
            day: report.audit.judged.day.clone(),
            parties: Vec::new(),
            agreements: Vec::new(),
            data: Vec::new(),
            purposes: Vec::new(),
            flows: Vec::new(),
            systems: Vec::new(),
            ends: Vec::new(),
            keys: names.keys(),
            columns: PARTY.iter().chain(&ACTIVITY).copied().collect(),
            record,
            findings,
            strings: strings.all,
        };
        if let Some(world) = report.world {
            embedded.world(names, &world.model);
            if world.model.systems.len() > MOST_SYSTEMS {
                embedded.neighbours(&world.model, &report.counting(&world.model));
            }
        }
        embedded
    }

    /// What the script draws a neighbourhood from.
    fn neighbours(&mut self, model: &Model, counting: &Counting) {
        let system = |s: &crate::model::System| {
            let label = s.declared.id.value.clone();
            (s.party.index(), label, u8::from(!s.originates.is_empty()))
        };
        self.systems = model.systems.values().map(system).collect();
        self.ends = vec![None; model.flows.len()];
        for id in counting.iter() {
            let flow = &model.flows[id];
            if let Some(ends) = self.ends.get_mut(id.index()) {
                *ends = Some((flow.from.index(), flow.to.index()));
            }
        }
    }

    fn world(&mut self, names: &Names, model: &Model) {
        let party = |p: &crate::model::Party| (p.id().to_owned(), names.party(p.id()));
        self.parties = model.parties.values().map(party).collect();
        let agreement = |a: &crate::model::Agreement| {
            (a.id().to_owned(), a.declared.meta.title.as_deref().unwrap_or(a.id()).to_owned())
        };
        self.agreements = model.agreements.values().map(agreement).collect();
        let (mut data, mut purposes) = (Strings::default(), Strings::default());
        for (id, flow) in model.flows.iter() {
            self.flows.push(Flow(
                flow.name.clone(),
                model.sender(id).index(),
                model.receiver(id).index(),
                flow.agreement.map(Id::index),
                flow.purposes.iter().map(|&key| purposes.put(model.purposes.name(key))).collect(),
                match flow.declared.held {
                    true => vec![data.put("held")],
                    false => {
                        flow.declared.data.iter().map(|key| data.put(model.data.name(key.value))).collect()
                    }
                },
                flow.agreement.map_or("active", |a| {
                    use crate::base::vocabulary::Word;
                    model.agreements[a].status.word()
                }),
            ));
        }
        let titled = |keys: Vec<String>, title: &dyn Fn(&str) -> String| {
            keys.into_iter()
                .map(|key| {
                    let title = title(&key);
                    (key, title)
                })
                .collect()
        };
        self.data = titled(data.all, &|key| names.data(key));
        self.purposes = titled(purposes.all, &|key| names.purpose(key));
    }
}

impl Findings {
    fn new(groups: &[&Group], strings: &mut Strings) -> Self {
        let mut findings = Findings {
            groups: groups.iter().map(|g| (g.anchor.clone(), g.severity)).collect(),
            steps: Vec::new(),
            all: Vec::new(),
        };
        let mut known = FxHashMap::default();
        for (index, group) in groups.iter().enumerate() {
            for card in &group.cards {
                let head = findings.compact(card, index, strings, &mut known);
                findings.all.push(head);
                for folded in &card.folded {
                    let folded = findings.compact(folded, index, strings, &mut known);
                    findings.all.push(Compact { c: 1, ..folded });
                }
            }
        }
        findings
    }

    fn compact(
        &mut self,
        card: &Card,
        group: usize,
        strings: &mut Strings,
        known: &mut FxHashMap<String, usize>,
    ) -> Compact {
        Compact {
            f: card.fingerprint.strip_prefix("rf1:").unwrap_or(&card.fingerprint).to_owned(),
            g: group,
            s: strings.put(card.status),
            u: card.from.as_ref().map(|system| strings.system(system)),
            v: card.to.as_ref().map(|system| strings.system(system)),
            a: strings.put(&card.about),
            m: card.marks.iter().map(|m| (strings.put(m.word), strings.put(&m.text))).collect(),
            t: strings.maybe(&card.message),
            d: (strings.put(&card.data), strings.maybe(&card.arrives), strings.maybe(&card.becomes)),
            w: card.walks.iter().map(|walk| self.walk(walk, strings, known)).collect(),
            x: strings.list(&card.lines),
            n: card.more_walks,
            q: card.quote.as_ref().map(|q| quote(q, strings)),
            l: strings.maybe(&card.place),
            h: if card.flows.is_empty() { card.systems.clone() } else { Vec::new() },
            e: card.flows.clone(),
            k: card.keys.clone(),
            p: card.parties.clone(),
            r: card.agreements.clone(),
            o: usize::from(card.prospective),
            c: 0,
        }
    }

    fn walk(
        &mut self,
        walk: &Walk,
        strings: &mut Strings,
        known: &mut FxHashMap<String, usize>,
    ) -> CompactWalk {
        let hops = walk.hops.iter().map(|hop| {
            let at = *known.entry(hop.id.clone()).or_insert_with(|| {
                let (party, system) = strings.system(&hop.to);
                self.steps.push(CompactStep(
                    strings.put(&hop.id),
                    strings.maybe(&hop.title),
                    strings.maybe(&hop.agreement),
                    strings.maybe(&hop.standing),
                    strings.put(&hop.purposes),
                    strings.put(&hop.place),
                    party,
                    system,
                    hop.flow,
                ));
                self.steps.len() - 1
            });
            (at, strings.maybe(&hop.data))
        });
        let hops = hops.collect();
        (strings.maybe(&walk.label), strings.system(&walk.start), hops, u8::from(walk.goes_on))
    }
}

fn quote(quote: &Quote, strings: &mut Strings) -> CompactQuote {
    (
        strings.put(quote.what),
        strings.put(&quote.text),
        quote.verbatim,
        strings.maybe(&quote.by),
        strings.maybe(&quote.place),
    )
}
