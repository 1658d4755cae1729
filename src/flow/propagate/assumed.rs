//! Assumed origins: where data must come from that nobody declares.
//!
//! (u, d) is *unsourced* if a counting flow from u names d and would carry nothing
//! below it from u or a ghost of u, or u derives from d and neither holds anything below it.
//! (u, d) *feeds* (u′, d′) if all leaves of d, put at u, would get to u′ or a ghost of it with a
//! leaf below d′, or if it feeds a pair that does. The unsourced pairs that are fed only by pairs
//! which they feed themselves become assumed origins; then everything is followed
//! again, until nothing is unsourced.
//!
//! Pairs and what they feed are a directed graph; wanted are its components that
//! nothing enters. Three floods find them without looking at each pair: one in
//! any order, which starts again only at pairs not yet reached (every such component
//! has one of these *roots*); one from the roots in reverse, in which a root is
//! of such a component iff no later root reaches it; and one backward from those.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::held::Spread;
use super::queue::{Queue, Way};
use super::{Held, Rows, deriving, held};
use crate::base::bits::LeafSet;
use crate::base::taxonomy::Key;
use crate::flow::graph::{Edge, Graph};
use crate::model::{Counting, FlowId, Id, SystemId};

/// The assumed origins.
#[derive(Debug, Clone, Default)]
pub struct Assumed {
    /// System and category, in order.
    pub pairs: Vec<(SystemId, Key)>,
    leaves: BTreeMap<SystemId, LeafSet>,
}

impl Assumed {
    /// The leaves assumed at each system.
    pub fn origins(&self) -> impl Iterator<Item = (SystemId, &LeafSet)> {
        self.leaves.iter().map(|(&system, leaves)| (system, leaves))
    }

    /// The leaves assumed at a system.
    pub fn at(&self, system: SystemId) -> Option<&LeafSet> {
        self.leaves.get(&system)
    }

    fn add(&mut self, pair: (SystemId, Key), leaves: &LeafSet) {
        self.leaves.entry(pair.0).and_modify(|at| at.extend(leaves.row())).or_insert_with(|| leaves.clone());
        self.pairs.push(pair);
    }
}

/// Finds the assumed origins, and what everything holds with them.
pub fn assume(graph: &Graph, counting: &Counting) -> (Assumed, Held) {
    let mut assumed = Assumed::default();
    let mut held = held(graph);
    let mut spread = Spread::new(graph);
    // The counting flows that carry less than they may: what carries all that it names carries
    // something of each.
    let members = graph.members();
    let counts = |flow| members[flow] && counting.has(flow) && !graph.model.leaves_ghost(flow);
    let less = |&flow: &FlowId| counts(flow) && held.carried[flow].row() != graph.edge(flow).1.leaves;
    let flows = (0..members.len()).into_par_iter().map(FlowId::from_index);
    let mut lacking: Vec<FlowId> = flows.filter(less).collect();
    loop {
        let pairs = Pairs::new(graph, unsourced(graph, &held, &lacking));
        let mut sources = sources(graph, &pairs);
        // A pair that is assumed is sourced: that it comes again cannot happen, and must not hang.
        sources
            .retain(|(system, _, leaves)| assumed.at(*system).is_none_or(|known| !leaves.is_subset(known)));
        // Of pairs some are fed by no others: a round without new ones is the last.
        if sources.is_empty() {
            assumed.pairs.sort_unstable();
            return (assumed, held);
        }
        held.assume(&mut spread, sources.iter().map(|(system, _, leaves)| (*system, leaves)));
        sources.iter().for_each(|(system, key, leaves)| assumed.add((*system, *key), leaves));
        lacking.retain(|&flow| held.carried[flow] != *graph.model.flows[flow].leaves);
    }
}

/// What is unsourced, of a derivation or of some flows.
fn unsourced(graph: &Graph, held: &Held, lacking: &[FlowId]) -> Vec<(SystemId, Key)> {
    let model = graph.model;
    let below = |key: Key, leaves: &LeafSet| model.data.leaves([&key]).intersects(leaves);
    let mut pairs = Vec::new();
    for &flow in lacking {
        let f = &model.flows[flow];
        let mut carried = held.carried[flow].clone();
        model.everywhere(flow).for_each(|from| carried.extend(held.carried[from].row()));
        // It carries something of all that it names.
        if f.declared.data.len() == 1 && !carried.is_empty() {
            continue;
        }
        let named = f.declared.data.iter().map(|key| key.value);
        pairs.extend(named.filter(|&key| !below(key, &carried)).map(|key| (f.from, key)));
    }
    for &id in model.deriving.iter().filter(|&&id| !model.is_ghost(id)) {
        let system = &model.systems[id];
        let mut leaves = LeafSet::from(held.leaves.row(id, 0));
        model.ghosts_of(id).iter().for_each(|&ghost| leaves.extend(held.leaves.row(ghost, 0)));
        let named = system.declared.derives.iter().flat_map(|d| &d.from).map(|key| key.value);
        pairs.extend(named.filter(|&key| !below(key, &leaves)).map(|key| (id, key)));
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

struct Pairs {
    list: Vec<(SystemId, Key, LeafSet)>,
    at: FxHashMap<SystemId, Here>,
}

/// The pairs at a system.
enum Here {
    /// So few that each can be looked at.
    Few(Vec<usize>),
    /// By the leaves below them.
    Many(FxHashMap<usize, Vec<usize>>),
}

impl Pairs {
    /// So many at one system are few.
    const FEW: usize = 32;

    fn new(graph: &Graph, pairs: Vec<(SystemId, Key)>) -> Self {
        let mut at: FxHashMap<SystemId, Vec<usize>> = FxHashMap::default();
        for (index, (system, _)) in pairs.iter().enumerate() {
            at.entry(*system).or_default().push(index);
        }
        let list: Vec<_> =
            pairs.into_iter().map(|(s, key)| (s, key, graph.model.data.leaves([&key]))).collect();
        let here = |pairs: Vec<usize>| {
            if pairs.len() <= Self::FEW {
                return Here::Few(pairs);
            }
            let mut by_leaf: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
            for (index, (_, _, below)) in pairs.iter().filter_map(|&index| Some((index, list.get(index)?))) {
                below.iter().for_each(|leaf| by_leaf.entry(leaf).or_default().push(index));
            }
            Here::Many(by_leaf)
        };
        let at = at.into_iter().map(|(system, pairs)| (system, here(pairs))).collect();
        Pairs { list, at }
    }

    /// The pairs at a system that have one of some leaves below them; one may come several times.
    fn touched<'p>(
        &'p self,
        system: SystemId,
        leaves: &'p LeafSet,
    ) -> impl Iterator<Item = (usize, &'p LeafSet)> {
        let (few, many) = match self.at.get(&system) {
            Some(Here::Few(few)) => (few.as_slice(), None),
            Some(Here::Many(by_leaf)) => (&[][..], Some(by_leaf)),
            None => (&[][..], None),
        };
        let below = |index: usize| self.list.get(index).map(|(_, _, below)| (index, below));
        let few = few.iter().filter_map(move |&index| below(index).filter(|(_, b)| b.intersects(leaves)));
        let many = many.into_iter().flat_map(|by_leaf| leaves.iter().filter_map(|leaf| by_leaf.get(&leaf)));
        few.chain(many.flatten().filter_map(move |&index| below(index)))
    }
}

fn sources(graph: &Graph, pairs: &Pairs) -> Vec<(SystemId, Key, LeafSet)> {
    if pairs.list.is_empty() {
        return Vec::new();
    }
    let roots = roots(graph, pairs, 0..pairs.list.len());
    let tops = self::roots(graph, pairs, roots.into_iter().rev());
    let members = feeding(graph, pairs, &tops);
    let fed = pairs.list.iter().zip(members);
    fed.filter(|(_, member)| *member).map(|(pair, _)| pair.clone()).collect()
}

/// Of pairs in some order those that no earlier one has reached.
fn roots(graph: &Graph, pairs: &Pairs, order: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut spread = Spread::new(graph);
    let mut reached = vec![false; pairs.list.len()];
    let mut roots = Vec::new();
    let mark = |index: usize, reached: &mut Vec<bool>| {
        reached.get_mut(index).is_some_and(|r| !std::mem::replace(r, true))
    };
    for index in order {
        if !mark(index, &mut reached) {
            continue;
        }
        roots.push(index);
        if let Some((system, _, leaves)) = pairs.list.get(index) {
            spread.arrive(*system, leaves.row());
        }
        while spread.step(
            |_| true,
            |_, _| {},
            |spread, system, new| {
                // What gets to a ghost of it feeds a pair, too.
                let system = graph.model.declared_system(system);
                for (fed, leaves) in pairs.touched(system, &LeafSet::from(new)) {
                    if mark(fed, &mut reached) {
                        spread.arrive(system, leaves.row());
                    }
                }
            },
        ) {}
    }
    roots
}

/// For each pair whether it feeds one of some, or is one.
fn feeding(graph: &Graph, pairs: &Pairs, goals: &[usize]) -> Vec<bool> {
    let model = graph.model;
    let mut rows = Rows::new(model, 1);
    let mut feeds = vec![false; pairs.list.len()];
    let mut queue = Queue::new(graph, Way::Against);
    for (system, _, leaves) in goals.iter().filter_map(|&goal| pairs.list.get(goal)) {
        rows.add(*system, 0, leaves.row());
        queue.add(*system);
    }
    while let Some(system) = queue.next() {
        let mut here = deriving(model, system, &LeafSet::from(rows.row(system, 0)));
        loop {
            let before = here.clone();
            // A ghost is no pair's system.
            for (index, below) in pairs.touched(system, &before) {
                if let Some(feeds) = feeds.get_mut(index) {
                    *feeds = true;
                }
                here.extend(below.row());
                // What gets to a ghost of it feeds a pair, too.
                for &ghost in model.ghosts_of(system) {
                    if rows.add(ghost, 0, below.row()) {
                        queue.add(ghost);
                    }
                }
            }
            here = deriving(model, system, &here);
            if here == before {
                break;
            }
        }
        rows.add(system, 0, here.row());
        for Edge { end, leaves, .. } in graph.into(system) {
            if rows.add(end, 0, here.with(leaves).row()) {
                queue.add(end);
            }
        }
    }
    feeds
}
