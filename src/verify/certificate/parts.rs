//! Which questions a world asks, where their items start, and which findings what they show
//! calls for. Both sides go by this: the writer to tell items apart, the checker to ask.

use std::collections::{BTreeMap, BTreeSet};

use super::About;
use super::flow_checks::{ALONE, ENDED};
use super::found::Findings;
use super::questions::{Carried, Forbidden, Limited};
use super::sticky::Sticky;
use super::terms::TERMS;
use super::walks::{Class, Question, Shown, Toward, starting};
use super::world::Ground;
use crate::base::bits::LeafSet;
use crate::model::{PartyId, SystemId};

/// One question, of one rule.
pub enum Asked<'g> {
    /// Of a `forbid`.
    Forbid(Forbidden<'g>),
    /// Of a limit; whether the parties that data comes from are counted.
    Limit(Limited<'g>, bool),
    /// Of flows that offend.
    Flows(Carried),
    /// Of terms.
    Terms(Sticky<'g>),
}

/// A question, whose it is and what is listed.
pub struct Ask<'g> {
    /// The declared world.
    pub ground: &'g Ground<'g>,
    /// The rule.
    pub rule: &'g str,
    /// What is listed.
    pub findings: &'g Findings,
    /// The question.
    pub asked: Asked<'g>,
}

impl<'g> Ask<'g> {
    /// What is asked of walks.
    pub fn question(&self) -> &dyn Question {
        match &self.asked {
            Asked::Forbid(question) => question,
            Asked::Limit(question, ..) => question,
            Asked::Flows(question) => question,
            Asked::Terms(question) => question,
        }
    }

    /// Whether planes are distinguished in what can get to a target.
    pub fn planes(&self) -> bool {
        matches!(self.asked, Asked::Terms(_))
    }

    /// Whether the question is about items of a system.
    fn is_about(&self, system: SystemId) -> bool {
        match &self.asked {
            Asked::Forbid(question) => question.is_source(system),
            _ => true,
        }
    }

    /// Where the items start that the question is about.
    pub fn starts(&self, assumed: bool) -> Vec<(SystemId, &'g LeafSet)> {
        let mut all = self.ground.starts(assumed);
        all.retain(|(system, _)| self.is_about(*system));
        all
    }

    /// Of those the ones that can get to a target.
    pub fn useful(&self, toward: &Toward, assumed: bool) -> Vec<(SystemId, LeafSet)> {
        let mut all = Vec::new();
        for system in toward.sets.systems().into_iter().filter(|&system| self.is_about(system)) {
            let Some(leaves) = self.ground.start(system, assumed) else { continue };
            let mut useful = self.ground.nothing();
            for (state, leaves) in starting(self.question(), leaves) {
                if let Some(here) = toward.within(system, state, &leaves) {
                    useful.extend(here.row());
                }
            }
            if !useful.is_empty() {
                all.push((system, useful));
            }
        }
        all
    }

    /// What is missing from the list, if a class of items shows something.
    pub fn missing_findings(&self, class: &Class, shown: Shown) -> Vec<String> {
        match shown {
            Shown::Sink(sink) => {
                let each = class.starts.iter().filter_map(|(&source, leaves)| {
                    self.missing(self.rule, About::Pair(source, sink), leaves)
                });
                each.collect()
            }
            Shown::Place(_) => Vec::new(),
            Shown::Flow(flow) => {
                let listed = ALONE.iter().filter_map(|rule| {
                    self.findings.get(rule, About::Flow(flow))?;
                    self.missing(rule, About::Flow(flow), &self.all(class))
                });
                let agreement = self.ground.model.flows[flow].agreement.map(About::Agreement);
                let ended = agreement.filter(|&about| {
                    let crosses = self.ground.edge(flow).is_some_and(|edge| edge.left != edge.entered);
                    crosses && self.findings.get(ENDED, about).is_some()
                });
                let of_ended = ended.and_then(|about| self.missing(ENDED, about, &self.all(class)));
                listed.chain(of_ended).collect()
            }
            Shown::Term(check, flow, agreement) => {
                let rule = TERMS.get(check).copied().unwrap_or_default();
                let found = self.findings.get(rule, About::Flow(flow));
                if found.is_some_and(|found| !found.concerns(agreement)) {
                    let name = self.ground.model.agreements[agreement].id();
                    let flow = &self.ground.model.flows[flow].name;
                    return vec![format!("{rule}: the finding on {flow} does not name {name}")];
                }
                self.missing(rule, About::Flow(flow), &self.all(class)).into_iter().collect()
            }
        }
    }

    /// All leaves that start in a class.
    pub fn all(&self, class: &Class) -> LeafSet {
        let mut all = self.ground.nothing();
        class.starts.values().for_each(|leaves| all.extend(leaves.row()));
        all
    }

    /// What is wrong if a finding is to be listed with some data.
    pub fn missing(&self, rule: &str, about: About, leaves: &LeafSet) -> Option<String> {
        let what = || format!("{rule}: {}", name(self.ground, about));
        let Some(found) = self.findings.get(rule, about) else {
            return Some(format!("{} may break it and is not listed", what()));
        };
        let left = leaves.minus(&found.data);
        let names = self.ground.model.data.cover(&left).join(", ");
        (!left.is_empty()).then(|| format!("{} is listed without {names}", what()))
    }
}

/// What a finding is on, in words.
pub fn name(ground: &Ground, about: About) -> String {
    let model = ground.model;
    let system = |s: SystemId| model.systems[s].name.as_str();
    match about {
        About::Pair(source, sink) => format!("{} → {}", system(source), system(sink)),
        About::Flow(flow) => model.flows[flow].name.clone(),
        About::Unsourced(at, key) => format!("{} at {}", model.data.name(key), system(at)),
        About::System(at) => system(at).to_owned(),
        About::Party(party) => model.parties[party].id().to_owned(),
        About::Agreement(agreement) => model.agreements[agreement].id().to_owned(),
    }
}

/// What is found of a limit's category at each place: origin leaves, and whose if that counts.
pub type Present = BTreeMap<usize, (LeafSet, BTreeSet<PartyId>)>;

/// What of a limit's category is found where: what starts there, and what classes show.
pub fn present<'c>(ask: &Ask, classes: impl Iterator<Item = (&'c Class, &'c BTreeSet<Shown>)>) -> Present {
    let mut present = Present::new();
    let Asked::Limit(question, counted) = &ask.asked else {
        return present;
    };
    let mut note = |place: usize, leaves: &LeafSet, whose: &BTreeSet<PartyId>| {
        let here = present.entry(place).or_insert_with(|| (leaves.clone(), BTreeSet::new()));
        here.0.extend(leaves.row());
        if *counted {
            here.1.extend(whose);
        }
    };
    for assumed in [false, true] {
        for (system, leaves) in ask.starts(assumed) {
            if let Some((place, of)) = question.at_itself(system, leaves) {
                note(place, &of, &[ask.ground.model.systems[system].origin].into());
            }
        }
    }
    for (class, shown) in classes {
        let all = ask.all(class);
        for one in shown {
            if let Shown::Place(place) = one {
                note(*place, &all, class.parties());
            }
        }
    }
    present
}

/// The places that may hold too much and are not listed, or not with all data, with what is missing.
pub fn too_much(
    ask: &Ask,
    places: &[(About, Vec<SystemId>)],
    present: &[Present],
    count: Count,
) -> Vec<(usize, String)> {
    let mut missing = Vec::new();
    for (place, (about, _)) in places.iter().enumerate() {
        let here: Vec<_> = present.iter().filter_map(|present| present.get(&place)).collect();
        let too_many = match count {
            Count::Categories(least) => here.len() >= least,
            Count::Parties(most) => here.iter().any(|(_, parties)| parties.len() as u64 > most),
        };
        if !too_many {
            continue;
        }
        let mut data = ask.ground.nothing();
        here.iter().for_each(|(leaves, _)| data.extend(leaves.row()));
        missing.extend(ask.missing(ask.rule, *about, &data).map(|missing| (place, missing)));
    }
    missing
}

/// How much a limit lets be at one place.
#[derive(Debug, Clone, Copy)]
pub enum Count {
    /// Fewer categories than this.
    Categories(usize),
    /// Data of this many parties at most.
    Parties(u64),
}

impl Count {
    /// Whether the parties that data comes from are counted.
    pub fn parties(self) -> bool {
        matches!(self, Count::Parties(_))
    }
}

/// The leaves of each category of a limit, and how much may be at one place.
pub fn categories(ground: &Ground, rule: &crate::declare::policy::Limit) -> (Vec<LeafSet>, Count) {
    use crate::declare::policy::Most;
    let data = &ground.model.data;
    match &rule.most {
        Most::Together { of, at_least } => {
            (of.iter().map(|key| data.leaves([&key.value])).collect(), Count::Categories(*at_least))
        }
        Most::Origins { data: keys, at_most } if keys.is_empty() => {
            (vec![LeafSet::full(data.leaf_count())], Count::Parties(*at_most))
        }
        Most::Origins { data: keys, at_most } => {
            (vec![data.leaves(keys.iter().map(|key| &key.value))], Count::Parties(*at_most))
        }
    }
}
