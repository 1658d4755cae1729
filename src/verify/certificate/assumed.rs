//! Where data must start that nobody declares, found again and in another way than the audit
//! does: not by sets to be checked, since what a flow carries *at least* is asked, too.
//!
//! Leaves at systems and pairs of a system and a category are nodes, what carries or makes a
//! leaf is an edge, as is a leaf below a pair's category, and a pair and its leaves. A pair
//! starts something iff no pair of another strongly connected component leads to its own.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::world::{Edge, Ground};
use crate::base::bits::LeafSet;
use crate::base::taxonomy::Key;
use crate::model::{FlowId, PartyId, SystemId, Table};

/// A system and a category.
pub type Pair = (SystemId, Key);

/// Finds the assumed origins, and adds them to the ground.
pub fn assume(ground: &mut Ground) -> BTreeSet<Pair> {
    let mut all = BTreeSet::new();
    let mut held = held(ground);
    loop {
        let new = first(ground, &unsourced(ground, &held));
        let before = all.len();
        for (system, key) in new {
            add(ground, (system, key));
            all.insert((system, key));
        }
        if all.len() == before {
            return all;
        }
        let starts = ground.starts(true).into_iter().map(owned).collect();
        held.follow(ground, starts, |_| true);
    }
}

/// Adds one assumed origin.
pub fn add(ground: &mut Ground, (system, key): Pair) {
    let leaves = ground.model.data.leaves([&key]);
    ground.assumed.entry(system).or_insert_with(|| leaves.clone()).extend(leaves.row());
}

/// What is held at systems, and what flows carry.
struct Held {
    at: Table<SystemId, LeafSet>,
    carried: Table<FlowId, LeafSet>,
}

impl Held {
    /// Adds where leaves get to over flows that let them pass.
    fn follow(&mut self, ground: &Ground, starts: Vec<(SystemId, LeafSet)>, passes: impl Fn(&Edge) -> bool) {
        let here = follow(ground, starts, passes, None, |edge, crossing| {
            self.carried[edge.flow].extend(crossing.row());
        });
        for (system, leaves) in here {
            self.at[system].extend(leaves.row());
        }
    }
}

/// Follows all that is declared to start somewhere. What gets to the far end of a flow with an
/// `only_from` goes on from there like what starts there, but for other such flows: so each party that
/// they name is followed alone only where its way leads to one that names it, and the rest at once.
fn held(ground: &Ground) -> Held {
    let model = ground.model;
    let none = ground.nothing();
    let mut held =
        Held { at: model.systems.map(|_| none.clone()), carried: model.flows.map(|_| none.clone()) };
    let mut naming: BTreeMap<PartyId, Vec<FlowId>> = BTreeMap::new();
    for flow in ground.counting.moving() {
        let named = model.flows[flow].only_from.iter().flatten();
        named.for_each(|&party| naming.entry(party).or_default().push(flow));
    }
    let mut starts: Vec<(SystemId, LeafSet)> = ground.starts(false).into_iter().map(owned).collect();
    let naming: Vec<(PartyId, Vec<FlowId>)> = naming.into_iter().collect();
    let crossed = naming.par_iter().flat_map_iter(|(party, flows)| named(ground, *party, flows));
    for (edge, crossing) in crossed.collect::<Vec<_>>() {
        held.carried[edge.flow].extend(crossing.row());
        starts.push((edge.to, crossing));
    }
    held.follow(ground, starts, |edge| passes(ground, edge, None));
    held
}

fn owned((system, leaves): (SystemId, &LeafSet)) -> (SystemId, LeafSet) {
    (system, leaves.clone())
}

/// What a party's items cross of the flows with an `only_from`.
fn named<'g>(ground: &'g Ground, party: PartyId, flows: &[FlowId]) -> Vec<(&'g Edge, LeafSet)> {
    let toward = toward(ground, party, flows);
    let own = ground.model.parties[party].origins.iter();
    let own = own.filter_map(|&system| Some((system, ground.start(system, false)?.clone())));
    let keep = |system| toward.get(&system).cloned().unwrap_or_else(|| ground.nothing());
    let passes = |edge: &Edge| passes(ground, edge, Some(party));
    let mut crossed = Vec::new();
    follow(ground, own.collect(), passes, Some(&keep), |edge, crossing| {
        if edge.only {
            crossed.push((edge, crossing.clone()));
        }
    });
    crossed
}

/// Whether a flow lets a party's items pass; those of one that no `only_from` names.
fn passes(ground: &Ground, edge: &Edge, party: Option<PartyId>) -> bool {
    let only = || ground.model.flows[edge.flow].only_from.as_ref();
    !edge.only || party.is_some_and(|party| only().is_some_and(|only| only.contains(&party)))
}

/// The leaves at each system that can get over one of some flows as a party's.
fn toward(ground: &Ground, party: PartyId, flows: &[FlowId]) -> FxHashMap<SystemId, LeafSet> {
    let model = ground.model;
    let mut toward: FxHashMap<SystemId, LeafSet> = FxHashMap::default();
    let mut before: VecDeque<(SystemId, LeafSet)> = VecDeque::new();
    before.extend(
        flows.iter().map(|&flow| (model.flows[flow].from, LeafSet::clone(&model.flows[flow].leaves))),
    );
    while let Some((system, leaves)) = before.pop_front() {
        let known = toward.entry(system).or_insert_with(|| ground.nothing());
        let new = ground.made_into(system, &leaves).minus(known);
        known.extend(new.row());
        if new.is_empty() {
            continue;
        }
        for edge in ground.into(system).filter(|edge| passes(ground, edge, Some(party))) {
            let leaves = new.and(&edge.leaves);
            if !leaves.is_empty() {
                before.push_back((edge.from, leaves));
            }
        }
    }
    toward
}

/// Follows leaves over flows that let them pass, as far as they are kept where they arrive, and
/// shows what crosses each; what is then where.
fn follow<'g>(
    ground: &'g Ground,
    starts: Vec<(SystemId, LeafSet)>,
    passes: impl Fn(&Edge) -> bool,
    keep: Option<&dyn Fn(SystemId) -> LeafSet>,
    mut show: impl FnMut(&'g Edge, &LeafSet),
) -> FxHashMap<SystemId, LeafSet> {
    let mut here: FxHashMap<SystemId, LeafSet> = FxHashMap::default();
    // What has arrived at the systems that wait, all at once.
    let mut arrived: FxHashMap<SystemId, LeafSet> = FxHashMap::default();
    let mut waiting: VecDeque<SystemId> = VecDeque::new();
    let mut crossed = starts;
    loop {
        for (system, leaves) in crossed.drain(..) {
            match arrived.entry(system) {
                Entry::Occupied(mut there) => there.get_mut().extend(leaves.row()),
                Entry::Vacant(there) => {
                    there.insert(leaves);
                    waiting.push_back(system);
                }
            }
        }
        let Some(system) = waiting.pop_front() else { break };
        let Some(leaves) = arrived.remove(&system) else { continue };
        let kept = keep.map_or_else(|| leaves.clone(), |keep| leaves.and(&keep(system)));
        let mut turned = [kept, ground.nothing()];
        ground.derive(system, &mut turned, None);
        let [leaves, _] = turned;
        let known = here.entry(system).or_insert_with(|| ground.nothing());
        let new = leaves.minus(known);
        if new.is_empty() {
            continue;
        }
        known.extend(new.row());
        for edge in ground.out(system).iter().filter(|edge| passes(edge)) {
            let crossing = new.and(&edge.leaves);
            if !crossing.is_empty() {
                show(edge, &crossing);
                if here.get(&edge.to).is_none_or(|known| !crossing.is_subset(known)) {
                    crossed.push((edge.to, crossing));
                }
            }
        }
    }
    here
}

/// Categories of counting flows of which they carry nothing, and of derivations of which
/// there is nothing.
fn unsourced(ground: &Ground, held: &Held) -> Vec<Pair> {
    let model = ground.model;
    let mut pairs = BTreeSet::new();
    let missing = |key: Key, there: &LeafSet| !model.data.leaves([&key]).intersects(there);
    for flow in ground.counting.iter() {
        let f = &model.flows[flow];
        let mut carried = ground.nothing();
        model.everywhere(flow).for_each(|from| carried.extend(held.carried[from].row()));
        // It carries something of the only category that it names.
        if f.declared.data.len() == 1 && !carried.is_empty() {
            continue;
        }
        let keys = f.declared.data.iter().map(|key| key.value);
        pairs.extend(keys.filter(|&key| missing(key, &carried)).map(|key| (f.from, key)));
    }
    for (id, system) in model.systems.iter().filter(|(id, _)| !model.is_ghost(*id)) {
        let keys = system.declared.derives.iter().flat_map(|d| &d.from).map(|key| key.value);
        let mut there = held.at[id].clone();
        model.ghosts_of(id).iter().for_each(|&ghost| there.extend(held.at[ghost].row()));
        pairs.extend(keys.filter(|&key| missing(key, &there)).map(|key| (id, key)));
    }
    pairs.into_iter().collect()
}

/// Pairs, leaves at systems, and what leads to what.
#[derive(Default)]
struct Feeding {
    graph: DiGraph<(), ()>,
    nodes: FxHashMap<(SystemId, usize), NodeIndex>,
    waiting: Vec<(SystemId, usize)>,
}

impl Feeding {
    fn node(&mut self, at: (SystemId, usize)) -> NodeIndex {
        if let Some(&known) = self.nodes.get(&at) {
            return known;
        }
        let new = self.graph.add_node(());
        self.nodes.insert(at, new);
        self.waiting.push(at);
        new
    }

    fn lead(&mut self, from: NodeIndex, to: (SystemId, usize)) {
        let to = self.node(to);
        self.graph.add_edge(from, to, ());
    }

    /// Where a leaf at a system gets to at once.
    fn expand(&mut self, ground: &Ground, (system, leaf): (SystemId, usize)) {
        let from = self.node((system, leaf));
        let model = ground.model;
        for edge in ground.out(system).iter().filter(|edge| edge.leaves.contains(leaf)) {
            self.lead(from, (edge.to, leaf));
        }
        for (_, into) in model.systems[system].derives.iter().filter(|(from, _)| from.contains(leaf)) {
            into.iter().for_each(|made| self.lead(from, (system, made)));
        }
    }
}

/// The pairs that no pair feeds which they do not feed themselves.
fn first(ground: &Ground, pairs: &[Pair]) -> Vec<Pair> {
    let mut feeding = Feeding::default();
    let mut at: BTreeMap<SystemId, Vec<(NodeIndex, LeafSet)>> = BTreeMap::new();
    let mut of_pair = Vec::new();
    for &(system, key) in pairs {
        let node = feeding.graph.add_node(());
        let leaves = ground.model.data.leaves([&key]);
        leaves.iter().for_each(|leaf| feeding.lead(node, (system, leaf)));
        at.entry(system).or_default().push((node, leaves));
        of_pair.push(node);
    }
    while let Some((system, leaf)) = feeding.waiting.pop() {
        feeding.expand(ground, (system, leaf));
        let from = feeding.node((system, leaf));
        // What gets to a ghost feeds the pairs of its receiver.
        let system = ground.model.declared_system(system);
        for (pair, _) in at.get(&system).into_iter().flatten().filter(|(_, leaves)| leaves.contains(leaf)) {
            feeding.graph.add_edge(from, *pair, ());
        }
    }
    let fed = fed(&feeding.graph, &of_pair.iter().copied().collect());
    let alone = pairs.iter().zip(of_pair).filter(|(_, node)| !fed.contains(node));
    alone.map(|(pair, _)| *pair).collect()
}

/// The nodes to which a pair of another component leads.
fn fed(graph: &DiGraph<(), ()>, pairs: &BTreeSet<NodeIndex>) -> BTreeSet<NodeIndex> {
    let components = kosaraju_scc(graph);
    let mut component_of: FxHashMap<NodeIndex, usize> = FxHashMap::default();
    for (number, members) in components.iter().enumerate() {
        component_of.extend(members.iter().map(|&node| (node, number)));
    }
    // Components come in reverse order: what leads to one comes after it.
    let mut led_to: BTreeSet<usize> = BTreeSet::new();
    for (number, members) in components.iter().enumerate().rev() {
        if !led_to.contains(&number) && !members.iter().any(|node| pairs.contains(node)) {
            continue;
        }
        let next = members.iter().flat_map(|&node| graph.neighbors(node));
        let next = next.filter_map(|node| component_of.get(&node).copied());
        led_to.extend(next.filter(|&other| other != number));
    }
    let members = led_to.iter().filter_map(|&number| components.get(number));
    members.flatten().copied().collect()
}
