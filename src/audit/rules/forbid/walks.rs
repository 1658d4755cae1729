//! The walks from all sources of a rule to what breaks it.
//!
//! A lane stands for the items of a source: those of each origin leaf from which something is derived
//! on the way have one of their own, so that findings can name it, and all others share one. Sources that
//! stand near each other are followed together.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::prepared::{Items, Prepared, Reach};
use super::{Finds, Found, Source, arrived_at_itself, merge};
use crate::audit::analysis::Began;
use crate::base::bits::LeafSet;
use crate::base::vocabulary::Relation;
use crate::declare::policy::Forbid;
use crate::flow::graph::Graph;
use crate::flow::lanes::{Crossing, Lanes, Question, RowId, Seed, Whose, search};
use crate::flow::propagate::{BackwardSlice, Course, Rows, Slot};
use crate::model::{FlowId, SystemId};

/// What sources break; `slice` is what can get to a forbidden arrival.
pub(super) fn follow(rule: &Prepared, forbid: &Forbid, slice: &Rows, sources: &[Source]) -> Finds {
    let analysis = rule.analysis;
    let reach = Reach { rule, items: Items::Sources };
    let slice = BackwardSlice::of(slice, reach.planes());
    let turning = analysis.turning(slice);
    let mut leading: Vec<(Source, LeafSet)> = Vec::new();
    for &(origin, system, leaves) in sources {
        let leads = |&leaf: &usize| slice.has(system, start(rule, leaf), leaf);
        let mut leaving = LeafSet::empty(analysis.model.data.leaf_count());
        leaves.iter().filter(leads).for_each(|leaf| leaving.insert(leaf));
        if !leaving.is_empty() {
            leading.push(((origin, system, leaves), leaving));
        }
    }
    leading.sort_by_key(|((_, system, _), _)| analysis.graph.order().place(*system));
    let batches = batches(&leading, &turning);
    let each = |batch: &Batch| Walks { reach, forbid, slice, batch }.judge();
    batches.par_iter().map(each).reduce(Finds::new, merge)
}

/// The slot in which a leaf starts.
fn start(rule: &Prepared, leaf: usize) -> Slot {
    Slot { plane: 0, marked: rule.data().contains(leaf) }
}

/// What a lane stands for.
struct Lane {
    /// The place of the source.
    source: usize,
    /// As which leaf its items began.
    began: Began,
    /// The leaves that start in it.
    leaves: LeafSet,
}

/// Sources that are followed together.
#[derive(Default)]
struct Batch<'s> {
    sources: Vec<Source<'s>>,
    lanes: Vec<Lane>,
}

/// The lanes of some sources, of what of each leads to what is sought.
fn batches<'s>(leading: &[(Source<'s>, LeafSet)], turning: &LeafSet) -> Vec<Batch<'s>> {
    let mut batches: Vec<Batch> = Vec::new();
    for (source, leaving) in leading {
        let turned = leaving.and(turning);
        let alone = turned.iter().map(|leaf| {
            let mut one = LeafSet::empty(leaving.row().len() * 64);
            one.insert(leaf);
            (Began::As(leaf), one)
        });
        let together = (Began::Unturned, leaving.minus(turning));
        let lanes = std::iter::once(together).chain(alone);
        let lanes = lanes.filter(|(_, leaves)| !leaves.is_empty());
        let mut listed = false;
        for (began, leaves) in lanes {
            if batches.last().is_none_or(|batch| batch.lanes.len() == Lanes::ROOM) {
                batches.push(Batch::default());
                listed = false;
            }
            let Some(batch) = batches.last_mut() else { continue };
            if !std::mem::replace(&mut listed, true) {
                batch.sources.push(*source);
            }
            batch.lanes.push(Lane { source: batch.sources.len() - 1, began, leaves });
        }
    }
    batches
}

/// Walks of lanes, whose items they are.
struct Asked<'p> {
    reach: Reach<'p>,
    whose: Whose,
}

impl Asked<'_> {
    fn graph(&self) -> &Graph<'_> {
        self.reach.rule.analysis.graph
    }

    /// The lanes whose items break the rule as they cross a flow.
    fn breaking(&self, flow: FlowId, slot: Slot, leaf: usize, lanes: Lanes) -> Lanes {
        let rule = self.reach.rule;
        let (k, exempt) = self.reach.split(slot.plane);
        if !rule.breaks(flow, (exempt, slot.marked), leaf) {
            return Lanes::NONE;
        }
        if !rule.relation() {
            return lanes;
        }
        let own = lanes & self.whose.party(self.graph().receiver(flow));
        let home = lanes & self.whose.group(self.graph().entered(flow));
        let away = self.whose.distances(self.graph(), flow, k, lanes & !home);
        let away = away.map(|(k, lanes)| (Graph::elsewhere(k), lanes));
        let all = [(Relation::FirstParty, own), (Relation::Affiliate, home & !own)].into_iter().chain(away);
        all.filter(|&(relation, _)| rule.reaches(flow, relation)).map(|(_, lanes)| lanes).collect()
    }
}

impl Question for Asked<'_> {
    fn planes(&self) -> usize {
        self.reach.planes()
    }

    fn marks(&self) -> Option<&LeafSet> {
        self.reach.marks()
    }

    fn restored(&self, plane: usize) -> usize {
        self.reach.restored(plane)
    }

    fn passes(&self, flow: FlowId) -> Lanes {
        self.whose.passes(self.graph(), flow)
    }

    fn cross(&self, flow: FlowId, plane: usize, lanes: Lanes, mut go: impl FnMut(usize, Lanes)) {
        let Some((k, then)) = self.reach.on(flow, plane) else { return };
        if self.reach.rule.relation() {
            self.whose
                .distances(self.graph(), flow, k, lanes)
                .into_iter()
                .for_each(|(k, lanes)| go(k + then, lanes));
        } else {
            go(k + then, lanes);
        }
    }
}

/// What breaks the rule where a walk ends: in how many flows, by the last of which, from which row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    sink: SystemId,
    length: usize,
    flow: FlowId,
    from: RowId,
    leaf: usize,
}

/// The shortest walks from a source to a sink that end with the first of their flows in order: how they begin.
struct Best {
    length: usize,
    flow: FlowId,
    states: Vec<(RowId, Lanes)>,
}

/// The walks of a batch.
struct Walks<'w> {
    reach: Reach<'w>,
    forbid: &'w Forbid,
    slice: BackwardSlice<'w>,
    batch: &'w Batch<'w>,
}

impl Walks<'_> {
    fn judge(&self) -> Finds {
        let graph = self.reach.rule.analysis.graph;
        let mut asked = Asked { reach: self.reach, whose: Whose::default() };
        let mut seeds = Vec::new();
        for (at, Lane { source, leaves, .. }) in self.batch.lanes.iter().enumerate() {
            let Some(&(origin, system, _)) = self.batch.sources.get(*source) else { continue };
            let lanes = Lanes::one(at);
            asked.whose.add(graph, lanes, origin);
            seeds.extend(leaves.iter().map(|leaf| Seed { system, leaf, lanes }));
        }
        let mut hits: Vec<(Hit, Lanes)> = Vec::new();
        let layers = search(graph, &asked, &seeds, (Some(self.slice), true), |crossing| {
            let Crossing { flow, end, slot, leaf, length, from, lanes } = crossing;
            let breaking = asked.breaking(flow, slot, leaf, *lanes);
            if !breaking.is_empty() {
                hits.push((Hit { sink: end, length, flow, from, leaf }, breaking));
            }
        });
        hits.sort_unstable_by_key(|(hit, _)| *hit);
        // What each source breaks, and in how many flows.
        let mut broken: Vec<BTreeMap<SystemId, Found>> = Vec::new();
        broken.resize_with(self.batch.sources.len(), BTreeMap::new);
        for at_sink in hits.chunk_by(|(a, _), (b, _)| a.sink == b.sink) {
            for (source, (mut found, best)) in self.at_sink(at_sink) {
                let mut walk = layers.walk(best.states, best.length - 1);
                walk.push(best.flow);
                found.witness = Some(walk);
                if let (Some(broken), Some((hit, _))) = (broken.get_mut(source), at_sink.first()) {
                    broken.insert(hit.sink, found);
                }
            }
        }
        drop(layers);
        self.settle(&mut broken);
        let by_source = self.batch.sources.iter().zip(broken);
        let finds = by_source.map(|(&(_, source, _), broken)| -> Finds {
            broken.into_iter().map(|(sink, found)| ((source, sink), found)).collect()
        });
        finds.fold(Finds::new(), merge)
    }

    /// What sources break at a sink.
    fn at_sink(&self, hits: &[(Hit, Lanes)]) -> FxHashMap<usize, (Found, Best)> {
        let leaves = self.reach.rule.analysis.model.data.leaf_count();
        let mut all: FxHashMap<usize, (Found, Best)> = FxHashMap::default();
        for (hit, lanes) in hits {
            for (at, lane) in lanes.iter().filter_map(|at| Some((at, self.batch.lanes.get(at)?))) {
                let none = || Best { length: hit.length, flow: hit.flow, states: Vec::new() };
                let (found, best) = all.entry(lane.source).or_insert_with(|| (Found::new(leaves), none()));
                found.arrives_as.insert(hit.leaf);
                found.data.insert(match lane.began {
                    Began::Unturned => hit.leaf,
                    Began::As(leaf) => leaf,
                });
                if (best.length, best.flow) == (hit.length, hit.flow) {
                    best.states.push((hit.from, Lanes::one(at)));
                }
            }
        }
        all
    }

    /// Which findings follow from others: not those of a source's shortest walks, since what came before would be
    /// shorter. For the rest it is looked again, and what breaks the rule does not go on.
    fn settle(&self, broken: &mut [BTreeMap<SystemId, Found>]) {
        let (rule, graph) = (self.reach.rule, self.reach.rule.analysis.graph);
        let mut asked = Asked { reach: self.reach, whose: Whose::default() };
        let mut seeds = Vec::new();
        for (at, (source, found)) in self.batch.sources.iter().zip(broken.iter_mut()).enumerate() {
            let (origin, system, leaves) = *source;
            let at_itself = arrived_at_itself(rule, self.forbid, *source);
            let least = found.values().map(Found::length).min().filter(|_| at_itself.is_none());
            let mut later = false;
            for found in found.values_mut() {
                found.consequent = Some(found.length()) != least;
                later |= found.consequent;
            }
            if later {
                let lanes = Lanes::one(at);
                asked.whose.add(graph, lanes, origin);
                let start = at_itself.map_or_else(|| leaves.clone(), |broken| leaves.minus(&broken));
                let leads =
                    start.iter().filter(|&leaf| self.slice.has(system, self::start(rule, leaf), leaf));
                seeds.extend(leads.map(|leaf| Seed { system, leaf, lanes }));
            }
        }
        let mut first: FxHashMap<SystemId, Lanes> = FxHashMap::default();
        search(graph, &asked, &seeds, (Some(self.slice), false), |crossing| {
            let breaking = asked.breaking(crossing.flow, crossing.slot, crossing.leaf, *crossing.lanes);
            if !breaking.is_empty() {
                *first.entry(crossing.end).or_default() |= breaking;
                *crossing.lanes &= !breaking;
            }
        });
        for (sink, lanes) in first {
            for source in lanes.iter() {
                if let Some(found) = broken.get_mut(source).and_then(|broken| broken.get_mut(&sink)) {
                    found.consequent = false;
                }
            }
        }
    }
}
