//! What each system holds and each flow carries, whatever its origin.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashSet;

use super::{Assumed, Course, Rows, derive, reaching};
use crate::bits::{self, LeafSet};
use crate::graph::{Edge, Graph, Origin};
use crate::model::{FlowId, PartyId, SystemId, Table};

/// The result of following everything.
#[derive(Debug)]
pub struct Held {
    /// The current leaves held at each system, of all origins.
    pub leaves: Rows,
    /// The current leaves that each flow carries.
    pub carried: Table<FlowId, LeafSet>,
    /// Flows whose `only_from` leaves out something held at the sender below their data.
    pub left_out: FxHashSet<FlowId>,
}

/// Follows everything. Parties that no `only_from` names go together: no such flow
/// carries their items. Of one that is named, an item goes on only where its way may
/// still lead over a flow that names it, or where items of too few others have been:
/// one more than the longest `only_from` has names have seen all that can be left out,
/// and carried all that others carry.
pub fn held(graph: &Graph, assumed: &Assumed) -> Held {
    let model = graph.model;
    let mut naming: BTreeMap<PartyId, Vec<FlowId>> = BTreeMap::new();
    let mut longest = 0;
    for &flow in graph.flows() {
        let parties = model.flows[flow].only_from.iter().flatten();
        longest = longest.max(parties.clone().count());
        parties.for_each(|&party| naming.entry(party).or_default().push(flow));
    }
    let mut result = Held {
        leaves: Rows::new(model, 1),
        carried: model.flows.map(|flow| LeafSet::empty(model.data.leaf_count()).and(&flow.leaves)),
        left_out: FxHashSet::default(),
    };
    let mut spread = Spread::new(graph);
    // Whose items have been where: at least one party's, at least two parties', …
    let mut been: Vec<Rows> = Vec::new();
    let others = model.systems.iter().filter(|(_, s)| !naming.contains_key(&s.party));
    spread.start(others.map(|(id, s)| (id, &s.originates)));
    while spread.step(|flow| model.flows[flow].only_from.is_none(), |_, _| {}).is_some() {}
    result.take(&spread, |flow| model.flows[flow].only_from.is_none());
    been.resize(if naming.is_empty() { 0 } else { longest + 1 }, spread.rows.clone());
    spread.clear();
    for (&party, flows) in &naming {
        let toward = reaching(graph, &Anywhere, flows.iter().copied(), |flow, _, row| {
            row.copy_from_slice(model.flows[flow].leaves.row());
        });
        let passes = |flow| graph.passes(flow, Origin::Declared(party));
        let systems = model.parties[party].systems.iter();
        spread.start(systems.map(|&system| (system, &model.systems[system].originates)));
        let keep = |system: SystemId, row: &mut [u64]| {
            let many = been.last().map(|rows| rows.row(system, 0)).unwrap_or_default();
            let here = row.iter_mut().zip(many).zip(toward.row(system, 0));
            here.for_each(|((r, many), toward)| *r &= !many | toward);
        };
        while spread.step(passes, keep).is_some() {}
        result.take(&spread, passes);
        for &system in spread.rows.systems() {
            let mut new = spread.rows.row(system, 0).to_vec();
            for rows in &mut been {
                let before = rows.row(system, 0).to_vec();
                rows.add(system, 0, &new);
                new.iter_mut().zip(before).for_each(|(n, b)| *n &= b);
            }
        }
        spread.clear();
    }
    spread.start(assumed.origins());
    while spread.step(|_| true, |_, _| {}).is_some() {}
    result.take(&spread, |_| true);
    result
}

/// Everything moves everywhere.
struct Anywhere;

impl Course for Anywhere {
    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

impl Held {
    /// Takes what has got anywhere over flows that let it pass.
    fn take(&mut self, spread: &Spread, passes: impl Fn(FlowId) -> bool) {
        let graph = spread.graph;
        for &system in spread.rows.systems() {
            let row = spread.rows.row(system, 0);
            self.leaves.add(system, 0, row);
            for Edge { flow, leaves, .. } in graph.out(system) {
                let carried = LeafSet::from(leaves).with(row);
                if carried.is_empty() {
                    continue;
                }
                if passes(flow) {
                    self.carried[flow].extend(carried.row());
                } else {
                    self.left_out.insert(flow);
                }
            }
        }
    }
}

/// A flood that goes on from what is new.
pub struct Spread<'g> {
    graph: &'g Graph<'g>,
    /// Where what has got to.
    pub rows: Rows,
    fresh: Table<SystemId, Option<Vec<u64>>>,
    queue: VecDeque<SystemId>,
}

impl<'g> Spread<'g> {
    /// Nothing anywhere yet.
    pub fn new(graph: &'g Graph<'g>) -> Self {
        let model = graph.model;
        Spread {
            graph,
            rows: Rows::new(model, 1),
            fresh: model.systems.map(|_| None),
            queue: VecDeque::new(),
        }
    }

    /// Leaves start at systems.
    fn start<'s>(&mut self, seeds: impl Iterator<Item = (SystemId, &'s LeafSet)>) {
        seeds.for_each(|(system, leaves)| self.arrive(system, leaves.row().to_vec()));
    }

    /// Takes everything away; nothing may be on its way.
    fn clear(&mut self) {
        self.rows.clear_all();
    }

    /// Leaves are put at a system, or arrive there.
    pub fn arrive(&mut self, system: SystemId, mut row: Vec<u64>) {
        derive(self.graph.model, system, &mut row, &mut [], None);
        row.iter_mut().zip(self.rows.row(system, 0)).for_each(|(r, have)| *r &= !have);
        if self.rows.add(system, 0, &row) {
            match &mut self.fresh[system] {
                Some(waiting) => {
                    bits::or(waiting, &row);
                }
                empty => {
                    *empty = Some(row);
                    self.queue.push_back(system);
                }
            }
        }
    }

    /// Sends what is new at one system over its flows, as far as `keep` leaves it where it
    /// arrives; which system and what, or `None` when nothing is new any more.
    pub fn step(
        &mut self,
        passes: impl Fn(FlowId) -> bool,
        keep: impl Fn(SystemId, &mut [u64]),
    ) -> Option<(SystemId, Vec<u64>)> {
        let system = self.queue.pop_front()?;
        let new = self.fresh[system].take().unwrap_or_default();
        for Edge { flow, end, leaves } in self.graph.out(system) {
            if bits::intersects(&new, leaves) && passes(flow) {
                let mut row: Vec<u64> = new.iter().zip(leaves).map(|(n, l)| n & l).collect();
                keep(end, &mut row);
                self.arrive(end, row);
            }
        }
        Some((system, new))
    }
}
