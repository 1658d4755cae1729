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

/// How a flow exempts what it carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exempts {
    No,
    /// For what it does to the data, which may be re-identified.
    Transformed,
    /// Whatever becomes of the data.
    Lastingly,
}

/// How the flows that move data are exempt, by their places.
fn exempt(ground: &Ground, list: &AnyOf<FlowKeys>) -> Vec<Exempts> {
    let matches = |flow| match ground.matching.flow(list, flow, Reading::Unlikely) {
        false => Exempts::No,
        true if ground.matching.untransformed(list, flow, Reading::Unlikely) => Exempts::Lastingly,
        true => Exempts::Transformed,
    };
    let of = |edge: &Edge, exempts| match exempts {
        Exempts::Transformed if !edge.restorable => Exempts::Lastingly,
        exempts => exempts,
    };
    if list.is_empty() {
        return Vec::new();
    }
    if list.0.iter().all(asks_manner) {
        let manners: Vec<Exempts> = ground.manners.iter().map(|&flow| matches(flow)).collect();
        let of_manner =
            |edge: &Edge| of(edge, manners.get(edge.manner as usize).copied().unwrap_or(Exempts::No));
        return ground.edges().iter().map(of_manner).collect();
    }
    ground.edges().iter().map(|edge| of(edge, matches(edge.flow))).collect()
}

/// For each system that re-identifies the leaves of exempt items, of some data or not, from which it makes such data.
struct Restoring(FxHashMap<SystemId, [LeafSet; 2]>);

impl Restoring {
    fn new(ground: &Ground, data: &LeafSet) -> Self {
        let systems = ground.model.systems.iter().filter(|(_, system)| system.reidentifies());
        let restoring = |id: SystemId| {
            let (keeping, restoring) = ground.model.systems[id].derivations();
            let kept = |leaves: &LeafSet| ground.made_into_by(keeping, leaves);
            // Of the data already: whatever it is, it only has to be re-identified.
            let mut from = ground.nothing();
            restoring.iter().for_each(|(leaves, _)| from.extend(leaves.row()));
            let of_data = kept(&from);
            // Not of the data yet: it is re-identified as something of which such data is made, or such data is
            // made of it, which is re-identified then.
            let wanted = ground.made_into(id, data);
            let first = data.and(&of_data);
            let mut others = ground.nothing();
            for (derives, wanted) in [(restoring, &wanted), (keeping, &first)] {
                let leading = derives.iter().filter(|(_, into)| into.intersects(wanted));
                leading.for_each(|(leaves, _)| others.extend(leaves.row()));
            }
            [kept(&others), of_data]
        };
        Restoring(systems.map(|(id, _)| (id, restoring(id))).collect())
    }

    /// Those leaves of exempt items in a state at a system, if there are any.
    fn at(&self, system: SystemId, marked: bool) -> Option<&LeafSet> {
        self.0.get(&system).map(|[others, of_data]| if marked { of_data } else { others })
    }
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
    facts: Vec<u16>,
    relation: bool,
    restoring: Restoring,
}

/// `through` matches a flow: a walk ends before it.
const THROUGH: u16 = 1 << 6;

/// `arriving` matches a flow: its arrival is exempt.
const ARRIVING: u16 = 1 << 7;

/// The same, until what it brings is re-identified.
const THROUGH_TRANSFORMED: u16 = 1 << 8;

/// The same, until what it brings is re-identified.
const ARRIVING_TRANSFORMED: u16 = 1 << 9;

/// The bits of relations.
const RELATIONS: u16 = THROUGH - 1;

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
        let arrivals: Vec<u16> = ground.arrivals.iter().map(relations).collect();
        // Nobody holds what is in a ghost.
        let to = |edge: &Edge| match model.is_ghost(edge.to) {
            true => 0,
            false => arrivals.get(edge.arrival as usize).copied().unwrap_or_default(),
        };
        let mut facts: Vec<u16> = ground.edges().iter().map(to).collect();
        let lists =
            [(&rule.through, THROUGH, THROUGH_TRANSFORMED), (&rule.arriving, ARRIVING, ARRIVING_TRANSFORMED)];
        for (list, lastingly, transformed) in lists {
            for (facts, exempts) in facts.iter_mut().zip(exempt(ground, list)) {
                *facts |= match exempts {
                    Exempts::No => 0,
                    Exempts::Transformed => transformed,
                    Exempts::Lastingly => lastingly,
                };
            }
        }
        let restoring = Restoring::new(ground, &data);
        let making = Making::new(ground, &data);
        Forbidden { ground, rule, making, data: Marking::new(ground, data), facts, relation, restoring }
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

    fn facts(&self, edge: &Edge) -> u16 {
        self.facts.get(edge.place as usize).copied().unwrap_or_default()
    }

    fn passes(&self, edge: &Edge) -> bool {
        self.facts(edge) & THROUGH == 0
    }

    /// Whether arrivals over a flow may break the rule: with any relation, and not exempt.
    fn may(&self, edge: &Edge) -> bool {
        let facts = self.facts(edge);
        facts & RELATIONS != 0 && facts & (THROUGH | ARRIVING) == 0
    }

    /// How many planes tell distances apart; as many come after them, of exempt items.
    fn apart(&self) -> u8 {
        if self.relation { 3 } else { 1 }
    }

    /// Whether only what is re-identified where a flow arrives may break the rule there.
    fn only_restored(&self, edge: &Edge, plane: u8) -> bool {
        plane >= self.apart() || self.facts(edge) & (THROUGH_TRANSFORMED | ARRIVING_TRANSFORMED) != 0
    }

    /// The leaves with which items in a state are of the data once they have arrived, if not exempt.
    fn of_data(&self, edge: &Edge, state: State) -> LeafSet {
        if self.only_restored(edge, state.plane) {
            let restored = self.restoring.at(edge.to, state.marked);
            return restored.map_or_else(|| self.ground.nothing(), |leaves| edge.leaves.and(leaves));
        }
        if state.marked { LeafSet::clone(&edge.leaves) } else { edge.leaves.and(self.making.at(edge.to)) }
    }
}

fn bit(relation: Relation) -> u16 {
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
        2 * self.apart()
    }

    fn restored(&self, plane: u8) -> u8 {
        plane % self.apart()
    }

    fn personal(&self) -> bool {
        self.relation
    }

    fn next(&self, edge: &Edge, plane: u8, whose: PartyId) -> Option<u8> {
        let exempt = plane >= self.apart() || self.facts(edge) & THROUGH_TRANSFORMED != 0;
        let distance = || if self.relation { self.ground.distance(edge, whose, plane % 3) } else { 0 };
        self.passes(edge).then(|| distance() + if exempt { self.apart() } else { 0 })
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
        let k = || self.ground.distance(edge, whose, state.plane % 3);
        let there = !self.relation || relations & bit(self.ground.relation(edge.to, whose, k())) != 0;
        if there && leaves.intersects(&self.of_data(edge, state)) {
            shown.insert(Shown::Sink(edge.to));
        }
    }

    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        self.may(edge).then(|| self.of_data(edge, state))
    }

    fn targets<'w>(&self, ground: &'w Ground, _: u8) -> Vec<&'w Edge> {
        ground.edges().iter().filter(|edge| self.may(edge)).collect()
    }
}

/// Whether data of a category gets to a place that is limited.
pub struct Limited<'g> {
    data: Marking,
    making: Making,
    through: Vec<Exempts>,
    restoring: Restoring,
    nothing: LeafSet,
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
        let (making, restoring) = (Making::new(ground, &data), Restoring::new(ground, &data));
        let (data, nothing) = (Marking::new(ground, data), ground.nothing());
        Limited { making, data, through: exempt(ground, &rule.through), restoring, nothing, place_of }
    }

    /// What of some leaves that start at a system is of the category there, and the place.
    pub fn at_itself(&self, system: SystemId, leaves: &LeafSet) -> Option<(usize, LeafSet)> {
        let of = leaves.and(self.making.at(system));
        self.place_of[system].filter(|_| !of.is_empty()).map(|place| (place, of))
    }

    fn passes(&self, edge: &Edge) -> bool {
        self.exempts(edge) != Exempts::Lastingly
    }

    fn exempts(&self, edge: &Edge) -> Exempts {
        self.through.get(edge.place as usize).copied().unwrap_or(Exempts::No)
    }

    /// Whether a flow leads to a place.
    fn may(&self, edge: &Edge) -> bool {
        self.place_of[edge.to].is_some() && self.passes(edge)
    }

    /// The leaves with which items in a state are of the category once they have arrived, if not exempt.
    fn of_data(&self, edge: &Edge, state: State) -> LeafSet {
        if state.plane == 1 || self.exempts(edge) == Exempts::Transformed {
            let restored = self.restoring.at(edge.to, state.marked);
            return restored.map_or_else(|| self.nothing.clone(), |leaves| edge.leaves.and(leaves));
        }
        if state.marked { LeafSet::clone(&edge.leaves) } else { edge.leaves.and(self.making.at(edge.to)) }
    }
}

impl Question for Limited<'_> {
    fn planes(&self) -> u8 {
        2
    }

    fn restored(&self, _: u8) -> u8 {
        0
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.data.data)
    }

    fn can_be(&self, marked: bool) -> Option<&LeafSet> {
        Some(self.data.can_be(marked))
    }

    fn next(&self, edge: &Edge, plane: u8, _: PartyId) -> Option<u8> {
        match self.exempts(edge) {
            Exempts::No => Some(plane),
            Exempts::Transformed => Some(1),
            Exempts::Lastingly => None,
        }
    }

    fn anybodys(&self, edge: &Edge, _: u8) -> Planes {
        if self.passes(edge) { smallvec![0] } else { Planes::new() }
    }

    fn shows(&self, edge: &Edge, state: State, _: PartyId, leaves: &LeafSet, shown: &mut BTreeSet<Shown>) {
        if let Some(place) = self.place_of[edge.to]
            && self.passes(edge)
            && leaves.intersects(&self.of_data(edge, state))
        {
            shown.insert(Shown::Place(place));
        }
    }

    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        self.may(edge).then(|| self.of_data(edge, state))
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
