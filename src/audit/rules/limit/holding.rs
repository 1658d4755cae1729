//! What is held at the places of a limit, of which origin leaves, and by which walks.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::Asked;
use crate::audit::analysis::{Shortest, Starts, keep_shortest};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::Edge;
use crate::flow::propagate::{BackwardSlice, Course, OriginFilter, Slot, Target, flood, inward};
use crate::model::{FlowId, PartyId, SystemId, Table};

/// The items of some categories held at one place.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    pub data: LeafSet,
    pub arrives_as: LeafSet,
    /// For each origin party a shortest walk that brings one.
    pub walks: BTreeMap<PartyId, Vec<FlowId>>,
}

impl Holding {
    fn nothing(leaves: usize) -> Self {
        let none = LeafSet::empty(leaves);
        Holding { data: none.clone(), arrives_as: none, walks: BTreeMap::new() }
    }

    /// Adds a walk that brings something of a party's.
    fn offer(&mut self, party: PartyId, walk: Vec<FlowId>) {
        let known = self.walks.entry(party).or_insert_with(|| walk.clone());
        if walk.len() < known.len() {
            *known = walk;
        }
    }
}

/// What is held at places; whose, if that is counted.
pub(super) type Holdings = Vec<Option<Holding>>;

/// Whether one holds all that another does, and by walks that are as short.
pub(super) fn covers(one: &Option<Holding>, other: &Option<Holding>) -> bool {
    let shortest = |holding: &Holding| holding.walks.values().map(Vec::len).min();
    match (one, other) {
        (_, None) => true,
        (Some(one), Some(other)) => {
            other.data.is_subset(&one.data)
                && other.arrives_as.is_subset(&one.arrives_as)
                && shortest(one).is_some_and(|length| shortest(other).is_none_or(|other| length <= other))
        }
        (None, Some(_)) => false,
    }
}

/// Up to so many places items are followed backward from each, if they start at more.
const FEW: usize = 4;

/// What is followed to some places.
pub(super) struct Search<'s> {
    pub asked: &'s Asked<'s>,
    pub place_of: &'s Table<SystemId, Option<usize>>,
    /// How many of the places something may be held at.
    pub open: usize,
    pub slice: BackwardSlice<'s>,
}

impl Search<'_> {
    /// Adds what is held of some origins that are followed together.
    pub fn hold(&self, passing: OriginFilter, starts: &Starts, holdings: &mut Holdings) {
        let (asked, model) = (self.asked, self.asked.analysis.model);
        for &(system, leaves) in starts {
            let Some(place) = self.place_of[system].and_then(|at| holdings.get_mut(at)) else { continue };
            let data = asked.starting(system, leaves);
            if !data.is_empty() {
                let holding = place.get_or_insert_with(|| Holding::nothing(model.data.leaf_count()));
                holding.data.extend(data.row());
                holding.arrives_as.extend(data.row());
                holding.offer(model.systems[system].origin, Vec::new());
            }
        }
        if self.open <= FEW && self.open < starts.len() {
            self.inward(passing, starts, holdings);
        } else {
            self.outward(passing, starts, holdings);
        }
    }

    /// Follows what starts somewhere to all places.
    fn outward(&self, passing: OriginFilter, starts: &Starts, holdings: &mut Holdings) {
        let (asked, analysis) = (self.asked, self.asked.analysis);
        let model = analysis.model;
        let none = || LeafSet::empty(model.data.leaf_count());
        let mut shortest: FxHashMap<usize, Shortest> = FxHashMap::default();
        let mut hits: FxHashMap<usize, (LeafSet, LeafSet)> = FxHashMap::default();
        let slice = (self.slice, &analysis.turning(self.slice));
        let followed =
            analysis.follow(analysis.graph, &asked.course, passing, starts, slice, |began, crossing| {
                let Some(place) = self.place_of[crossing.end] else {
                    return;
                };
                let hit = asked.course.hit(crossing.flow, crossing.end, crossing.slot, crossing.leaves);
                if hit.is_empty() {
                    return;
                }
                keep_shortest(&mut shortest, place, Shortest::new(model, &crossing, hit.row()));
                let (data, arrives_as) = hits.entry(place).or_insert_with(|| (none(), none()));
                began.note(&hit, data);
                arrives_as.extend(hit.row());
            });
        let Some(mut followed) = followed else {
            return;
        };
        for (place, (data, arrives_as)) in hits {
            if let Some(place) = holdings.get_mut(place) {
                let holding = place.get_or_insert_with(|| Holding::nothing(model.data.leaf_count()));
                holding.data.extend(data.row());
                holding.arrives_as.extend(arrives_as.row());
            }
        }
        for (place, shortest) in &shortest {
            let walk = followed.walk(shortest);
            if let (Some(&first), Some(Some(holding))) = (walk.first(), holdings.get_mut(*place)) {
                holding.offer(model.origin(first), walk);
            }
        }
    }

    /// The same backward from each place: what gets there, of which origin leaves, is known
    /// for all that starts anywhere at once.
    fn inward(&self, passing: OriginFilter, starts: &Starts, holdings: &mut Holdings) {
        let (asked, analysis) = (self.asked, self.asked.analysis);
        let (model, graph, course) = (analysis.model, analysis.graph, &asked.course);
        let passes = |flow| passing.passes(graph, flow);
        let seeds = starts.iter().map(|&(system, leaves)| (system, leaves));
        let held = flood(graph, course, passes, seeds, Some(self.slice));
        let mut targets: BTreeMap<usize, Vec<Target>> = BTreeMap::new();
        held.crossings(graph, course, passes, |edge: Edge, slot, here| {
            if let Some(place) = self.place_of[edge.end] {
                let hit = asked.hit(edge, slot, here);
                if !hit.is_empty() {
                    targets.entry(place).or_default().push((edge.flow, slot, hit));
                }
            }
        });
        for (place, targets) in targets {
            let Some(place) = holdings.get_mut(place) else { continue };
            let holding = place.get_or_insert_with(|| Holding::nothing(model.data.leaf_count()));
            targets.iter().for_each(|(_, _, hit)| holding.arrives_as.extend(hit.row()));
            let mut back = inward(graph, course, passes, targets, |flow, slot, row| {
                bits::and_assign(row, held.rows.at(graph.sending(flow), slot, course.planes()));
            });
            let mut best: Option<(usize, usize, SystemId, Slot)> = None;
            for &(system, leaves) in starts {
                for marked in [false, true] {
                    let slot = Slot { plane: 0, marked };
                    let start = if marked { leaves.and(course.data) } else { leaves.minus(course.data) };
                    let here = start.with(back.leaves(system, slot));
                    if here.is_empty() {
                        continue;
                    }
                    holding.data.extend(here.row());
                    if let Some((length, leaf)) = back.shortest(system, slot, here.row())
                        && best.is_none_or(|(shortest, ..)| length < shortest)
                    {
                        best = Some((length, leaf, system, slot));
                    }
                }
            }
            if let Some((length, leaf, system, slot)) = best {
                holding.offer(model.systems[system].origin, back.walk(system, slot, leaf, length));
            }
        }
    }
}
