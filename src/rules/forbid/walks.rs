//! The walks from all sources of a rule, class by class of those that are alike.
//!
//! What can matter at all is found first, whatever the origin. Then for each class:
//! where its items get to, all together; by that, which exemptions are relied on and
//! where the rule is broken. Which source breaks it where, with what and by which
//! walk, is then found from the fewer ends: forward from each source, or backward
//! from each sink for all sources at once.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::prepared::{Prepared, Reach};
use super::{Finds, Found, Source, at_itself, first_arrivals};
use crate::bits::{self, LeafSet};
use crate::graph::{Graph, Origin};
use crate::judge::{Began, Shortest, keep_shortest};
use crate::model::{FlowId, SystemId};
use crate::policy::Forbid;
use crate::propagate::{
    Alike, Candidates, Course, Flooded, Passing, Rows, Slot, Target, Whose, flood, inward, reaching,
};

/// A flow with an exemption that was used: whether by `through` or by `arriving`.
pub type Used = (FlowId, bool);

/// A class of sources, and where their items get to.
struct Class<'c> {
    rule: &'c Prepared<'c>,
    forbid: &'c Forbid,
    /// The flows that can matter.
    graph: &'c Graph<'c>,
    course: Reach<'c>,
    whose: Whose,
    alike: &'c Alike,
    sources: Vec<Source<'c>>,
    /// What its items are, at each system.
    held: Flooded,
    candidates: Candidates<'c>,
}

/// Finds what sources break, and the exemptions that keep them from more; `useful` is
/// what can get to one or the other.
pub fn follow(
    rule: &Prepared,
    forbid: &Forbid,
    useful: &Rows,
    sources: &[Source],
    found: &mut Finds,
) -> FxHashSet<Used> {
    let judge = rule.judge;
    let candidates = Candidates::of(useful, 1);
    let any = Reach { rule, whose: None };
    let seeds = sources.iter().map(|&(_, system, leaves)| (system, leaves));
    let open = flood(judge.graph, &any, |_| true, seeds, Some(candidates));
    let mut carrying: Vec<FlowId> = Vec::new();
    open.crossings(
        judge.graph,
        &any,
        |_| true,
        |flow, slot, here| {
            let leaves = judge.model.flows[flow].leaves.with(here);
            if carrying.last() != Some(&flow) && matters(&any, candidates, flow, slot, &leaves) {
                carrying.push(flow);
            }
        },
    );
    let graph = Graph::of(judge.model, &carrying);
    let alike = Alike::new(&graph, &carrying);
    let mut classes: BTreeMap<Option<Origin>, Vec<Source>> = BTreeMap::new();
    for &source in sources {
        let many = matches!(source.0, Origin::Declared(party) if alike.has(party, rule.relation()));
        classes.entry((!many).then_some(source.0)).or_default().push(source);
    }
    let mut used = FxHashSet::default();
    for (origin, sources) in classes {
        let whose = origin.map_or(Whose::Many, Whose::One);
        let course = Reach { rule, whose: Some((whose, &alike)) };
        let seeds = sources.iter().map(|&(_, system, leaves)| (system, leaves));
        let passes = |flow| alike.passes(&graph, flow, whose);
        let held = flood(&graph, &course, passes, seeds, Some(candidates));
        let class =
            Class { rule, forbid, graph: &graph, course, whose, alike: &alike, sources, held, candidates };
        class.judge(found, &mut used);
    }
    used
}

/// Whether what crosses a flow can get to where it matters.
fn matters(any: &Reach, candidates: Candidates, flow: FlowId, slot: Slot, leaves: &LeafSet) -> bool {
    let through = any.rule.through(flow);
    let on = !through && candidates.meet(any.rule.judge.model.flows[flow].to, slot, leaves.row());
    on || if through {
        !any.rule.of_data(flow, slot.marked, leaves.row()).is_empty()
    } else {
        any.hits(flow, slot, leaves.row()).is_some()
    }
}

impl Class<'_> {
    fn held(&self, system: SystemId, slot: Slot) -> &[u64] {
        self.held.rows.at(system, slot, self.course.planes())
    }

    fn passes(&self, flow: FlowId) -> bool {
        self.alike.passes(self.graph, flow, self.whose)
    }

    /// What items of some systems' are as they cross flows: flow, slot, leaves.
    fn crossings(&self, held: &Flooded, each: impl FnMut(FlowId, Slot, &[u64])) {
        held.crossings(self.graph, &self.course, |flow| self.passes(flow), each);
    }

    fn judge(&self, found: &mut Finds, used: &mut FxHashSet<Used>) {
        let (rule, model) = (self.rule, self.rule.judge.model);
        let own: FxHashSet<SystemId> = self.sources.iter().map(|&(_, system, _)| system).collect();
        let mut exempt_at_own: BTreeSet<FlowId> = BTreeSet::new();
        let mut sinks: BTreeMap<SystemId, Vec<Target>> = BTreeMap::new();
        self.crossings(&self.held, |flow, slot, here| {
            let f = &model.flows[flow];
            let to = f.to;
            if rule.through(flow) {
                if !rule.of_data(flow, slot.marked, f.leaves.with(here).row()).is_empty() {
                    used.insert((flow, true));
                }
            } else if self.course.arrives(flow, slot.plane)
                && let Some(hit) = self.course.hits(flow, slot, f.leaves.with(here).row())
            {
                if !rule.arriving(flow) {
                    sinks.entry(to).or_default().push((flow, slot, hit));
                } else if own.contains(&to) {
                    exempt_at_own.insert(flow);
                } else {
                    used.insert((flow, false));
                }
            }
        });
        self.exempt_at_own(exempt_at_own, used);
        if sinks.is_empty() {
            return;
        }
        let hitting: FxHashMap<FlowId, Vec<&Target>> =
            sinks.values().flatten().fold(FxHashMap::default(), |mut all: FxHashMap<_, Vec<_>>, target| {
                all.entry(target.0).or_default().push(target);
                all
            });
        let flows: BTreeSet<FlowId> = hitting.keys().copied().collect();
        let useful = reaching(self.graph, &self.course, flows, |flow, slot, row| {
            for (_, _, leaves) in hitting.get(&flow).into_iter().flatten().filter(|(_, s, _)| *s == slot) {
                bits::or(row, leaves.row());
            }
        });
        let candidates = Candidates::of(&useful, self.course.planes());
        let leading: Vec<Source> = self
            .sources
            .iter()
            .copied()
            .filter(|&(_, system, leaves)| {
                self.starts(leaves)
                    .into_iter()
                    .any(|(slot, start)| candidates.meet(system, slot, start.row()))
            })
            .collect();
        if leading.len() <= sinks.len() {
            leading.iter().for_each(|&source| self.outward(source, candidates, found));
        } else {
            self.inward_from(&leading, sinks, found);
        }
    }

    /// The slots in which leaves start.
    fn starts(&self, leaves: &LeafSet) -> [(Slot, LeafSet); 2] {
        [
            (Slot { plane: 0, marked: false }, leaves.minus(self.rule.data())),
            (Slot { plane: 0, marked: true }, leaves.and(self.rule.data())),
        ]
    }

    /// What arrives exempt at a source counts if it comes from another one. Sources are
    /// told apart by the bits of their numbers.
    fn exempt_at_own(&self, mut flows: BTreeSet<FlowId>, used: &mut FxHashSet<Used>) {
        let model = self.rule.judge.model;
        let number: FxHashMap<SystemId, usize> =
            self.sources.iter().enumerate().map(|(n, &(_, system, _))| (system, n)).collect();
        for bit in 0..usize::BITS - self.sources.len().leading_zeros() {
            for side in [0, 1] {
                if flows.is_empty() {
                    return;
                }
                let seeds = self
                    .sources
                    .iter()
                    .filter(|&&(_, system, _)| number.get(&system).is_some_and(|n| n >> bit & 1 == side));
                let seeds = seeds.map(|&(_, system, leaves)| (system, leaves));
                let passes = |flow| self.passes(flow);
                let held = flood(self.graph, &self.course, passes, seeds, Some(self.candidates));
                self.crossings(&held, |flow, slot, here| {
                    let f = &model.flows[flow];
                    let other = number.get(&f.to).is_some_and(|n| n >> bit & 1 != side);
                    if other
                        && flows.contains(&flow)
                        && self.course.hits(flow, slot, f.leaves.with(here).row()).is_some()
                    {
                        flows.remove(&flow);
                        used.insert((flow, false));
                    }
                });
            }
        }
    }

    /// Follows one source to all sinks.
    fn outward(&self, (origin, source, leaves): Source, candidates: Candidates, found: &mut Finds) {
        let (rule, judge) = (self.rule, self.rule.judge);
        let model = judge.model;
        let course = Reach { rule, whose: Some((Whose::One(origin), self.alike)) };
        let mut shortest: FxHashMap<SystemId, Shortest> = FxHashMap::default();
        let mut hits: Vec<(SystemId, Began, LeafSet)> = Vec::new();
        let starts = [(source, leaves)];
        let followed = judge.follow(
            self.graph,
            &course,
            Passing::One(origin),
            &starts,
            candidates,
            |began, crossing| {
                let (flow, slot) = (crossing.flow, crossing.slot);
                let sink = model.flows[flow].to;
                if rule.through(flow) || rule.arriving(flow) || sink == source {
                    return;
                }
                if let Some(hit) = course.hits(flow, slot, crossing.leaves) {
                    keep_shortest(&mut shortest, sink, Shortest::new(model, &crossing, hit.row()));
                    hits.push((sink, began, hit));
                }
            },
        );
        let Some(followed) = followed else {
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
        let at_itself = at_itself(self.rule, self.forbid, origin, source, leaves);
        let least = lengths.values().copied().min().filter(|_| at_itself.is_none());
        let mut first: FxHashSet<SystemId> =
            lengths.iter().filter(|&(_, &length)| Some(length) == least).map(|(&sink, _)| sink).collect();
        if first.len() < lengths.len() {
            let broken = at_itself.as_ref();
            let candidates = Some(self.candidates);
            first = first_arrivals(self.graph, course, (origin, source, leaves), broken, candidates);
        }
        for sink in first {
            if let Some(found) = found.get_mut(&(source, sink)) {
                found.consequent = false;
            }
        }
    }

    /// Follows all sources to each sink, backward from it.
    fn inward_from(&self, sources: &[Source], sinks: BTreeMap<SystemId, Vec<Target>>, found: &mut Finds) {
        let rule = self.rule;
        let model = rule.judge.model;
        let derived = self.derived();
        let hit_at: FxHashSet<SystemId> = sinks.keys().copied().collect();
        let mut lengths: FxHashMap<SystemId, FxHashMap<SystemId, usize>> = FxHashMap::default();
        for (&sink, targets) in &sinks {
            let mut back = inward(
                self.graph,
                &self.course,
                |f| self.passes(f),
                targets.clone(),
                |f, s, row| self.keep(f, s, row),
            );
            let mut arrivals: Vec<(Option<usize>, Vec<Target>)> = Vec::new();
            let narrowed = |to: &LeafSet| -> Vec<Target> {
                let narrow = targets.iter().map(|(flow, slot, leaves)| (*flow, *slot, leaves.and(to)));
                narrow.filter(|(_, _, leaves)| !leaves.is_empty()).collect()
            };
            let all: LeafSet = targets.iter().fold(LeafSet::empty(model.data.leaf_count()), |mut all, t| {
                all.extend(t.2.row());
                all
            });
            let split = all.intersects(&derived);
            if split {
                arrivals.push((None, narrowed(&all.minus(&derived))));
                for leaf in all.and(&derived).iter() {
                    let mut one = LeafSet::empty(model.data.leaf_count());
                    one.insert(leaf);
                    arrivals.push((Some(leaf), narrowed(&one)));
                }
            }
            let arrivals: Vec<_> = arrivals
                .into_iter()
                .filter(|(_, targets)| !targets.is_empty())
                .map(|(leaf, targets)| {
                    let passes = |f| self.passes(f);
                    (
                        leaf,
                        inward(self.graph, &self.course, passes, targets, |f, s, row| self.keep(f, s, row)),
                    )
                })
                .collect();
            for &(_, source, leaves) in sources.iter().filter(|&&(_, source, _)| source != sink) {
                let mut best: Option<(usize, usize, Slot)> = None;
                let mut data = LeafSet::empty(model.data.leaf_count());
                let mut arrives_as = data.clone();
                for (slot, start) in self.starts(leaves) {
                    let here = start.and(&LeafSet::from(back.leaves(source, slot)));
                    if here.is_empty() {
                        continue;
                    }
                    data.extend(here.row());
                    if let Some((length, leaf)) = back.shortest(source, slot, here.row())
                        && best.is_none_or(|(l, o, _)| (length, leaf) < (l, o))
                    {
                        best = Some((length, leaf, slot));
                    }
                    for (arrival, back) in &arrivals {
                        let as_this = start.and(&LeafSet::from(back.leaves(source, slot)));
                        match arrival {
                            None => arrives_as.extend(as_this.row()),
                            Some(leaf) if !as_this.is_empty() => arrives_as.insert(*leaf),
                            Some(_) => {}
                        }
                    }
                }
                let Some((length, leaf, slot)) = best else {
                    continue;
                };
                if !split {
                    arrives_as = data.clone();
                }
                let found =
                    found.entry((source, sink)).or_insert_with(|| Found::new(model.data.leaf_count()));
                found.data.extend(data.row());
                found.arrives_as.extend(arrives_as.row());
                found.offer(length, || back.walk(source, slot, leaf, length));
                lengths.entry(source).or_default().insert(sink, length);
            }
        }
        // Which of them follow from others.
        let mut open: BTreeMap<SystemId, Vec<Source>> = BTreeMap::new();
        for &source in sources {
            let Some(lengths) = lengths.get(&source.1) else {
                continue;
            };
            if hit_at.contains(&source.1)
                || at_itself(rule, self.forbid, source.0, source.1, source.2).is_some()
            {
                let course = Reach { rule, whose: Some((Whose::One(source.0), self.alike)) };
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
        for (sink, sources) in open {
            let targets = sinks.get(&sink).cloned().unwrap_or_default();
            let clean = inward(
                self.graph,
                &self.course,
                |f| self.passes(f),
                targets,
                |flow, slot, row| {
                    self.keep(flow, slot, row);
                    if !rule.arriving(flow)
                        && let Some(hit) = self.course.hits(flow, slot, row)
                    {
                        row.iter_mut().zip(hit.row()).for_each(|(r, h)| *r &= !h);
                    }
                },
            );
            for (_, source, leaves) in sources {
                let free = self
                    .starts(leaves)
                    .into_iter()
                    .any(|(slot, start)| bits::intersects(clean.leaves(source, slot), start.row()));
                if let (true, Some(found)) = (free, found.get_mut(&(source, sink))) {
                    found.consequent = false;
                }
            }
        }
    }

    /// Only what items of the class are.
    fn keep(&self, flow: FlowId, slot: Slot, row: &mut [u64]) {
        let from = self.rule.judge.model.flows[flow].from;
        row.iter_mut().zip(self.held(from, slot)).for_each(|(r, h)| *r &= h);
    }

    /// The leaves that something is derived into on the way. What arrives as another
    /// has been that from its start.
    fn derived(&self) -> LeafSet {
        let model = self.rule.judge.model;
        let mut derived = LeafSet::empty(model.data.leaf_count());
        for &id in &self.held.systems {
            let system = &model.systems[id];
            let here = self.held.rows.any(id);
            for (_, into) in system.derives.iter().filter(|(from, _)| from.intersects(&here)) {
                derived.extend(into.row());
            }
        }
        derived
    }
}
