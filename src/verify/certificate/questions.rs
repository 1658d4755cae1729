//! What is asked of walks: whether they break a `forbid`, bring data to a limited place, or cross a
//! flow that offends. (Whether they break terms: `sticky`.)

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use smallvec::smallvec;

use super::sets::State;
use super::walks::{Planes, Question, Shown};
use super::world::{Edge, Ground};
use crate::base::bits::LeafSet;
use crate::base::vocabulary::{Relation, Word};
use crate::declare::policy::{AnyOf, FlowKeys, Forbid, Limit, Matcher, PlaceKeys, Reading};
use crate::model::matching::{self, Arrival, Matching};
use crate::model::{FlowId, Id, PartyId, SystemId, Table};

/// Which counting flows are exempt, by their places.
fn exempt(ground: &Ground, list: &AnyOf<FlowKeys>) -> Vec<bool> {
    let matches = |flow| ground.matching.flow(list, flow, Reading::Unlikely);
    if list.is_empty() {
        return Vec::new();
    }
    if list.0.iter().all(asks_manner) {
        let manners: Vec<bool> = ground.manners.iter().map(|&flow| matches(flow)).collect();
        let of_manner = |edge: &Edge| manners.get(edge.manner as usize).copied().unwrap_or_default();
        return ground.edges().iter().map(of_manner).collect();
    }
    ground.edges().iter().map(|edge| matches(edge.flow)).collect()
}

/// Whether a matcher asks nothing but how data is dealt with, so that it holds for all flows of a
/// manner or for none.
fn asks_manner(matcher: &Matcher<FlowKeys>) -> bool {
    matcher.asks_only(&["transform", "consent", "safeguards", "purpose"])
}

/// For each system that makes something the leaves that it makes into some others.
struct Making {
    wanted: LeafSet,
    at: FxHashMap<SystemId, LeafSet>,
}

impl Making {
    fn new(ground: &Ground, wanted: &LeafSet) -> Self {
        let making = ground.model.systems.iter().filter(|(_, system)| !system.derives.is_empty());
        let at = making.map(|(id, _)| (id, ground.made_into(id, wanted))).collect();
        Making { wanted: wanted.clone(), at }
    }

    fn at(&self, system: SystemId) -> &LeafSet {
        if self.at.is_empty() { &self.wanted } else { self.at.get(&system).unwrap_or(&self.wanted) }
    }
}

/// The leaves that items can be, with a mark for some data and without.
struct Marking {
    data: LeafSet,
    /// None of the data.
    plain: LeafSet,
    /// The data, and what is made of it anywhere.
    marked: LeafSet,
}

impl Marking {
    fn new(ground: &Ground, data: LeafSet) -> Self {
        let model = ground.model;
        let made: Vec<_> = model.systems.values().flat_map(|system| &system.derives).collect();
        let mut marked = data.clone();
        loop {
            let before = marked.clone();
            for (from, into) in &made {
                if from.intersects(&marked) {
                    marked.extend(into.row());
                }
            }
            if marked == before {
                break;
            }
        }
        Marking { plain: LeafSet::full(model.data.leaf_count()).minus(&data), marked, data }
    }

    fn can_be(&self, marked: bool) -> &LeafSet {
        if marked { &self.marked } else { &self.plain }
    }
}

/// Whether data gets where a `forbid` says it must not.
pub struct Forbidden<'g> {
    ground: &'g Ground<'g>,
    rule: &'g Forbid,
    data: Marking,
    making: Making,
    /// For each counting flow a bit for each relation with which its arrival matches `to`, and those
    /// of exemptions.
    facts: Vec<u8>,
    relation: bool,
}

/// `through` matches a flow: a walk ends before it.
const THROUGH: u8 = 1 << 6;

/// `arriving` matches a flow: its arrival is exempt.
const ARRIVING: u8 = 1 << 7;

/// The bits of relations.
const RELATIONS: u8 = THROUGH - 1;

impl<'g> Forbidden<'g> {
    /// The question that a `forbid` asks.
    pub fn new(ground: &'g Ground<'g>, rule: &'g Forbid) -> Self {
        let model = ground.model;
        let data = match rule.data.as_slice() {
            [] => LeafSet::full(model.data.leaf_count()),
            keys => model.data.leaves(keys.iter().map(|key| &key.value)),
        };
        let relation = Matching::asks_relation(&rule.to);
        let matches =
            |flow: FlowId, relation| arrival(ground, &rule.to, model.flows[flow].to, Some(flow), relation);
        let relations = |&flow: &FlowId| match relation {
            true => Relation::ALL.iter().filter(|&&r| matches(flow, Some(r))).map(|&r| bit(r)).sum(),
            false if matches(flow, None) => RELATIONS,
            false => 0,
        };
        let arrivals: Vec<u8> = ground.arrivals.iter().map(relations).collect();
        // Nobody holds what is in a ghost.
        let to = |edge: &Edge| match model.is_ghost(edge.to) {
            true => 0,
            false => arrivals.get(edge.arrival as usize).copied().unwrap_or_default(),
        };
        let mut facts: Vec<u8> = ground.edges().iter().map(to).collect();
        for (list, exempt_by) in [(&rule.through, THROUGH), (&rule.arriving, ARRIVING)] {
            for (facts, exempt) in facts.iter_mut().zip(exempt(ground, list)) {
                *facts |= if exempt { exempt_by } else { 0 };
            }
        }
        let making = Making::new(ground, &data);
        Forbidden { ground, rule, making, data: Marking::new(ground, data), facts, relation }
    }

    /// Whether data of a system is what the rule is about.
    pub fn is_source(&self, system: SystemId) -> bool {
        self.ground.matching.source(&self.rule.from, system)
    }

    /// What of some leaves that start at a system breaks the rule right there.
    pub fn at_itself(&self, system: SystemId, leaves: &LeafSet) -> Option<LeafSet> {
        let of = leaves.and(self.making.at(system));
        let here = arrival(
            self.ground,
            &self.rule.to,
            system,
            None,
            Some(self.ground.relation(system, self.ground.model.systems[system].origin, 0)),
        );
        (here && !of.is_empty()).then_some(of)
    }

    fn facts(&self, edge: &Edge) -> u8 {
        self.facts.get(edge.place as usize).copied().unwrap_or_default()
    }

    fn passes(&self, edge: &Edge) -> bool {
        self.facts(edge) & THROUGH == 0
    }

    /// Whether arrivals over a flow may break the rule: with any relation, and not exempt.
    fn may(&self, edge: &Edge) -> bool {
        (1..=RELATIONS).contains(&self.facts(edge))
    }

    /// The leaves with which items in a state are of the data once they have arrived.
    fn of_data(&self, edge: &Edge, marked: bool) -> LeafSet {
        if marked { LeafSet::clone(&edge.leaves) } else { edge.leaves.and(self.making.at(edge.to)) }
    }
}

fn bit(relation: Relation) -> u8 {
    1 << relation as u8
}

fn arrival(
    ground: &Ground,
    to: &AnyOf<PlaceKeys>,
    at: SystemId,
    by: Option<FlowId>,
    relation: Option<Relation>,
) -> bool {
    ground.matching.arrival(to, Arrival { at, by, relation })
}

impl Question for Forbidden<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.data.data)
    }

    fn can_be(&self, marked: bool) -> Option<&LeafSet> {
        Some(self.data.can_be(marked))
    }

    fn planes(&self) -> u8 {
        if self.relation { 3 } else { 1 }
    }

    fn personal(&self) -> bool {
        self.relation
    }

    fn next(&self, edge: &Edge, plane: u8, whose: PartyId) -> Option<u8> {
        let next = || if self.relation { self.ground.distance(edge, whose, plane) } else { 0 };
        self.passes(edge).then(next)
    }

    fn anybodys(&self, edge: &Edge, _: u8) -> Planes {
        if self.passes(edge) { smallvec![0] } else { Planes::new() }
    }

    fn shows(
        &self,
        edge: &Edge,
        state: State,
        whose: PartyId,
        leaves: &LeafSet,
        shown: &mut BTreeSet<Shown>,
    ) {
        if !self.may(edge) {
            return;
        }
        let relations = self.facts(edge);
        let k = || self.ground.distance(edge, whose, state.plane);
        let there = !self.relation || relations & bit(self.ground.relation(edge.to, whose, k())) != 0;
        if there && (state.marked || leaves.intersects(self.making.at(edge.to))) {
            shown.insert(Shown::Sink(edge.to));
        }
    }

    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        self.may(edge).then(|| self.of_data(edge, state.marked))
    }

    fn targets<'w>(&self, ground: &'w Ground, _: u8) -> Vec<&'w Edge> {
        ground.edges().iter().filter(|edge| self.may(edge)).collect()
    }
}

/// Whether data of a category gets to a place that is limited.
pub struct Limited<'g> {
    data: Marking,
    making: Making,
    through: Vec<bool>,
    place_of: &'g Table<SystemId, Option<usize>>,
}

impl<'g> Limited<'g> {
    /// The question that a `limit` asks of one of its categories.
    pub fn new(
        ground: &'g Ground<'g>,
        rule: &Limit,
        data: LeafSet,
        place_of: &'g Table<SystemId, Option<usize>>,
    ) -> Self {
        let making = Making::new(ground, &data);
        let data = Marking::new(ground, data);
        Limited { making, data, through: exempt(ground, &rule.through), place_of }
    }

    /// What of some leaves that start at a system is of the category there, and the place.
    pub fn at_itself(&self, system: SystemId, leaves: &LeafSet) -> Option<(usize, LeafSet)> {
        let of = leaves.and(self.making.at(system));
        self.place_of[system].filter(|_| !of.is_empty()).map(|place| (place, of))
    }

    fn passes(&self, edge: &Edge) -> bool {
        !self.through.get(edge.place as usize).copied().unwrap_or_default()
    }

    /// Whether a flow leads to a place.
    fn may(&self, edge: &Edge) -> bool {
        self.place_of[edge.to].is_some() && self.passes(edge)
    }

    fn of_data(&self, edge: &Edge, marked: bool) -> LeafSet {
        if marked { LeafSet::clone(&edge.leaves) } else { edge.leaves.and(self.making.at(edge.to)) }
    }
}

impl Question for Limited<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.data.data)
    }

    fn can_be(&self, marked: bool) -> Option<&LeafSet> {
        Some(self.data.can_be(marked))
    }

    fn next(&self, edge: &Edge, _: u8, _: PartyId) -> Option<u8> {
        self.passes(edge).then_some(0)
    }

    fn anybodys(&self, edge: &Edge, _: u8) -> Planes {
        if self.passes(edge) { smallvec![0] } else { Planes::new() }
    }

    fn shows(&self, edge: &Edge, state: State, _: PartyId, leaves: &LeafSet, shown: &mut BTreeSet<Shown>) {
        if let Some(place) = self.place_of[edge.to]
            && self.passes(edge)
            && (state.marked || leaves.intersects(self.making.at(edge.to)))
        {
            shown.insert(Shown::Place(place));
        }
    }

    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        self.may(edge).then(|| self.of_data(edge, state.marked))
    }

    fn targets<'w>(&self, ground: &'w Ground, _: u8) -> Vec<&'w Edge> {
        ground.edges().iter().filter(|edge| self.may(edge)).collect()
    }
}

/// What flows that offend by themselves carry.
pub struct Carried {
    /// The flows.
    pub flows: BTreeSet<FlowId>,
}

impl Question for Carried {
    fn next(&self, _: &Edge, _: u8, _: PartyId) -> Option<u8> {
        Some(0)
    }

    fn anybodys(&self, _: &Edge, _: u8) -> Planes {
        smallvec![0]
    }

    fn shows(&self, edge: &Edge, _: State, _: PartyId, _: &LeafSet, shown: &mut BTreeSet<Shown>) {
        if self.flows.contains(&edge.declared) {
            shown.insert(Shown::Flow(edge.declared));
        }
    }

    fn may_show(&self, edge: &Edge, _: State) -> Option<LeafSet> {
        self.flows.contains(&edge.declared).then(|| LeafSet::clone(&edge.leaves))
    }

    fn targets<'w>(&self, ground: &'w Ground, _: u8) -> Vec<&'w Edge> {
        self.flows.iter().flat_map(|&flow| ground.everywhere(flow)).collect()
    }
}

/// The places that a limit is about, by their systems.
pub fn places(ground: &Ground, rule: &Limit) -> Vec<(super::About, Vec<SystemId>)> {
    let about = |place: matching::Limited| match place {
        matching::Limited::System(system) => super::About::System(system),
        matching::Limited::Party(party) => super::About::Party(party),
    };
    let places = ground.matching.limited_places(rule).into_iter();
    places.map(|(place, systems)| (about(place), systems)).collect()
}

/// The place that each system belongs to.
pub fn place_of(ground: &Ground, places: &[(super::About, Vec<SystemId>)]) -> Table<SystemId, Option<usize>> {
    let mut place_of = ground.model.systems.map(|_| None);
    for (at, (_, systems)) in places.iter().enumerate() {
        systems
            .iter()
            .filter(|s| s.index() < ground.model.systems.len())
            .for_each(|&s| place_of[s] = Some(at));
    }
    place_of
}
