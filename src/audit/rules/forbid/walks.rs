//! The walks from all sources of a rule to what breaks it.
//!
//! Where the items of each class get to says where the rule is broken. Which source breaks
//! it where, with what and by which walk, is then found from the fewer ends: forward from
//! each source, or backward from each sink for all sources at once.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::classes::{Class, Ways, starts};
use super::prepared::{Items, Prepared, Reach, Sought};
use super::{Finds, Found, Source, arrived_at_itself, first_arrivals, merge};
use crate::audit::analysis::{Began, Shortest, keep_shortest};
use crate::base::bits::{self, LeafSet};
use crate::declare::policy::Forbid;
use crate::flow::propagate::{
    BackwardSlice, Course, ItemsOf, OriginFilter, Rows, Slot, Target, inward, reaching_within,
};
use crate::model::{FlowId, SystemId};

/// What sources break; `slice` is what can get to a forbidden arrival.
pub(super) fn follow(rule: &Prepared, forbid: &Forbid, slice: &Rows, sources: &[Source]) -> Finds {
    let any = Reach { rule, items: Items::Sources };
    let candidates = BackwardSlice::of(slice, any.planes());
    let ways = Ways::new(any, sources, Sought::Breaches, candidates);
    let each = |mut found: Finds, (origin, sources)| {
        if let Some(class) = ways.class(origin, sources, candidates) {
            Walks { class: &class, forbid }.judge(&mut found);
        }
        found
    };
    let classes: Vec<_> = ways.classes(sources).into_iter().collect();
    classes.into_par_iter().fold(Finds::new, each).reduce(Finds::new, merge)
}

/// The walks of a class.
struct Walks<'c> {
    class: &'c Class<'c>,
    forbid: &'c Forbid,
}

impl Walks<'_> {
    fn judge(&self, found: &mut Finds) {
        let class = self.class;
        let model = class.rule.analysis.model;
        let mut sinks: BTreeMap<SystemId, Vec<Target>> = BTreeMap::new();
        class.found(Sought::Breaches, |flow, slot, hit| {
            sinks.entry(model.flows[flow].to).or_default().push((flow, slot, hit));
        });
        if sinks.is_empty() {
            return;
        }
        let hitting: FxHashMap<FlowId, Vec<&Target>> =
            sinks.values().flatten().fold(FxHashMap::default(), |mut all: FxHashMap<_, Vec<_>>, target| {
                all.entry(target.0).or_default().push(target);
                all
            });
        let flows: BTreeSet<FlowId> = hitting.keys().copied().collect();
        let flows = class.graph.some(flows);
        let slice =
            reaching_within(class.graph, &class.course, &class.held.rows, flows, |edge, slot, row| {
                for (_, _, leaves) in
                    hitting.get(&edge.flow).into_iter().flatten().filter(|(_, s, _)| *s == slot)
                {
                    bits::or(row, leaves.row());
                }
            });
        let candidates = BackwardSlice::of(&slice, class.course.planes());
        let leading: Vec<Source> = class
            .sources
            .iter()
            .copied()
            .filter(|&(_, system, leaves)| {
                starts(class.rule, leaves)
                    .into_iter()
                    .any(|(slot, start)| candidates.meet(system, slot, start.row()))
            })
            .collect();
        if leading.len() <= sinks.len() {
            let turning = class.rule.analysis.turning(candidates);
            leading.iter().for_each(|&source| self.outward(source, (candidates, &turning), found));
        } else {
            self.inward_from(&leading, sinks, found);
        }
    }

    /// Follows one source to all sinks.
    fn outward(&self, (origin, source, leaves): Source, slice: (BackwardSlice, &LeafSet), found: &mut Finds) {
        let (class, rule) = (self.class, self.class.rule);
        let analysis = rule.analysis;
        let model = analysis.model;
        let course = Reach { rule, items: Items::Of(ItemsOf::One(origin), class.alike) };
        let mut shortest: FxHashMap<SystemId, Shortest> = FxHashMap::default();
        let mut hits: Vec<(SystemId, Began, LeafSet)> = Vec::new();
        let starts = [(source, leaves)];
        let followed = analysis.follow(
            class.graph,
            &course,
            OriginFilter::One(origin),
            &starts,
            slice,
            |began, crossing| {
                let (flow, slot, sink) = (crossing.flow, crossing.slot, crossing.end);
                if let Some(hit) = course.finds(Sought::Breaches, flow, slot, crossing.leaves) {
                    keep_shortest(&mut shortest, sink, Shortest::new(model, &crossing, hit.row()));
                    hits.push((sink, began, hit));
                }
            },
        );
        let Some(mut followed) = followed else {
            return;
        };
        for (sink, began, hit) in hits {
            let found = found.entry((source, sink)).or_insert_with(|| Found::new(model.data.leaf_count()));
            began.note(&hit, &mut found.data);
            found.arrives_as.extend(hit.row());
        }
        for (sink, shortest) in &shortest {
            if let Some(found) = found.get_mut(&(source, *sink)) {
                found.offer(shortest.length, || followed.walk(shortest));
            }
        }
        let lengths: FxHashMap<SystemId, usize> =
            shortest.iter().map(|(sink, s)| (*sink, s.length)).collect();
        self.settle(&course, (origin, source, leaves), &lengths, found);
    }

    /// Which of a source's findings follow from others: not those of its shortest
    /// walks, since what came before would be shorter.
    fn settle(
        &self,
        course: &Reach,
        (origin, source, leaves): Source,
        lengths: &FxHashMap<SystemId, usize>,
        found: &mut Finds,
    ) {
        let class = self.class;
        let at_itself = arrived_at_itself(class.rule, self.forbid, (origin, source, leaves));
        let least = lengths.values().copied().min().filter(|_| at_itself.is_none());
        let mut first: FxHashSet<SystemId> =
            lengths.iter().filter(|&(_, &length)| Some(length) == least).map(|(&sink, _)| sink).collect();
        if first.len() < lengths.len() {
            let broken = at_itself.as_ref();
            let candidates = Some(class.candidates);
            first =
                first_arrivals(class.graph, course, (origin, source, leaves), broken, candidates, usize::MAX);
        }
        for sink in first {
            if let Some(found) = found.get_mut(&(source, sink)) {
                found.consequent = false;
            }
        }
    }

    /// Follows all sources to each sink, backward from it.
    fn inward_from(&self, sources: &[Source], sinks: BTreeMap<SystemId, Vec<Target>>, found: &mut Finds) {
        let (class, rule) = (self.class, self.class.rule);
        let derived = self.derived();
        let mut lengths: FxHashMap<SystemId, FxHashMap<SystemId, usize>> = FxHashMap::default();
        let arriving =
            sinks.par_iter().map(|(&sink, targets)| self.to_sink(sources, sink, targets, &derived));
        for (source, sink, length, new) in arriving.collect::<Vec<_>>().into_iter().flatten() {
            let none = || Found::new(rule.analysis.model.data.leaf_count());
            found.entry((source, sink)).or_insert_with(none).merge(new);
            lengths.entry(source).or_default().insert(sink, length);
        }
        // Which of them follow from others.
        let mut open: BTreeMap<SystemId, Vec<Source>> = BTreeMap::new();
        for &source in sources {
            let Some(lengths) = lengths.get(&source.1) else {
                continue;
            };
            if arrived_at_itself(rule, self.forbid, source).is_some() {
                let course = Reach { rule, items: Items::Of(ItemsOf::One(source.0), class.alike) };
                self.settle(&course, source, lengths, found);
                continue;
            }
            let least = lengths.values().copied().min();
            for (&sink, &length) in lengths {
                if Some(length) != least {
                    open.entry(sink).or_default().push(source);
                } else if let Some(found) = found.get_mut(&(source.1, sink)) {
                    found.consequent = false;
                }
            }
        }
        let clean = open.par_iter().flat_map_iter(|(&sink, sources)| {
            let targets = sinks.get(&sink).cloned().unwrap_or_default();
            let clean = inward(
                class.graph,
                &class.course,
                |f| class.passes(f),
                targets,
                |flow, slot, row| {
                    self.keep(flow, slot, row);
                    if let Some(hit) = class.course.finds(Sought::Breaches, flow, slot, row) {
                        row.iter_mut().zip(hit.row()).for_each(|(r, h)| *r &= !h);
                    }
                },
            );
            let free = move |&&(_, source, leaves): &&Source| {
                let mut starts = starts(rule, leaves).into_iter();
                starts.any(|(slot, start)| bits::intersects(clean.leaves(source, slot), start.row()))
            };
            sources.iter().filter(free).map(move |&(_, source, _)| (source, sink)).collect::<Vec<_>>()
        });
        for key in clean.collect::<Vec<_>>() {
            if let Some(found) = found.get_mut(&key) {
                found.consequent = false;
            }
        }
    }

    /// What gets to one sink of each source, and how long a shortest walk is.
    fn to_sink(
        &self,
        sources: &[Source],
        sink: SystemId,
        targets: &[Target],
        derived: &LeafSet,
    ) -> Vec<(SystemId, SystemId, usize, Found)> {
        let (class, rule) = (self.class, self.class.rule);
        let leaf_count = rule.analysis.model.data.leaf_count();
        let backward = |targets: Vec<Target>| {
            let passes = |flow| class.passes(flow);
            inward(class.graph, &class.course, passes, targets, |f, s, row| self.keep(f, s, row))
        };
        let mut back = backward(targets.to_vec());
        let narrowed = |to: &LeafSet| -> Vec<Target> {
            let narrow = targets.iter().map(|(flow, slot, leaves)| (*flow, *slot, leaves.and(to)));
            narrow.filter(|(_, _, leaves)| !leaves.is_empty()).collect()
        };
        let mut all = LeafSet::empty(leaf_count);
        targets.iter().for_each(|(_, _, leaves)| all.extend(leaves.row()));
        // What arrives as what something is derived into is distinguished.
        let mut arrivals: Vec<(Option<usize>, Vec<Target>)> = Vec::new();
        let split = all.intersects(derived);
        if split {
            arrivals.push((None, narrowed(&all.minus(derived))));
            for leaf in all.and(derived).iter() {
                let mut one = LeafSet::empty(leaf_count);
                one.insert(leaf);
                arrivals.push((Some(leaf), narrowed(&one)));
            }
        }
        arrivals.retain(|(_, targets)| !targets.is_empty());
        let arrivals: Vec<_> =
            arrivals.into_iter().map(|(leaf, targets)| (leaf, backward(targets))).collect();
        let mut arriving = Vec::new();
        for &(_, source, leaves) in sources {
            let mut best: Option<(usize, usize, Slot)> = None;
            let mut found = Found::new(leaf_count);
            for (slot, start) in starts(rule, leaves) {
                let here = start.with(back.leaves(source, slot));
                if here.is_empty() {
                    continue;
                }
                found.data.extend(here.row());
                if let Some((length, leaf)) = back.shortest(source, slot, here.row())
                    && best.is_none_or(|(l, o, _)| (length, leaf) < (l, o))
                {
                    best = Some((length, leaf, slot));
                }
                for (arrival, back) in &arrivals {
                    let as_this = start.with(back.leaves(source, slot));
                    match arrival {
                        None => found.arrives_as.extend(as_this.row()),
                        Some(leaf) if !as_this.is_empty() => found.arrives_as.insert(*leaf),
                        Some(_) => {}
                    }
                }
            }
            let Some((length, leaf, slot)) = best else {
                continue;
            };
            if !split {
                found.arrives_as = found.data.clone();
            }
            found.offer(length, || back.walk(source, slot, leaf, length));
            arriving.push((source, sink, length, found));
        }
        arriving
    }

    /// Only what items of the class are.
    fn keep(&self, flow: FlowId, slot: Slot, row: &mut [u64]) {
        let from = self.class.rule.analysis.model.flows[flow].from;
        row.iter_mut().zip(self.class.held(from, slot)).for_each(|(r, h)| *r &= h);
    }

    /// The leaves that something is derived into on the way. What arrives as another
    /// has been that from its start.
    fn derived(&self) -> LeafSet {
        let model = self.class.rule.analysis.model;
        let mut derived = LeafSet::empty(model.data.leaf_count());
        for &id in &self.class.held.systems {
            let system = &model.systems[id];
            let here = self.class.held.rows.any(id);
            for (_, into) in system.derives.iter().filter(|(from, _)| from.intersects(&here)) {
                derived.extend(into.row());
            }
        }
        derived
    }
}
