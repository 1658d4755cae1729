//! What each system holds and each flow carries, whatever its origin.

use rustc_hash::FxHashSet;

use super::{Assumed, Rows, derive};
use crate::bits::{self, LeafSet};
use crate::graph::{Graph, Origin};
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

/// Leaves that start at systems.
pub type Seeds = Vec<(SystemId, LeafSet)>;

/// Follows everything. Parties that no `only_from` names go together: no such flow
/// carries their items.
pub fn held(graph: &Graph, assumed: &Assumed) -> Held {
    let model = graph.model;
    let mut named: Vec<PartyId> =
        graph.flows().iter().filter_map(|&f| model.flows[f].only_from.as_ref()).flatten().copied().collect();
    named.sort_unstable();
    named.dedup();
    let mut result = Held {
        leaves: Rows::new(model, 1),
        carried: model.flows.map(|flow| LeafSet::empty(model.data.leaf_count()).and(&flow.leaves)),
        left_out: FxHashSet::default(),
    };
    let declared = |of: &dyn Fn(PartyId) -> bool| -> Seeds {
        let originates = model.systems.iter().filter(|(_, s)| of(s.party) && !s.originates.is_empty());
        originates.map(|(id, s)| (id, s.originates.clone())).collect()
    };
    result.follow(graph, &declared(&|party| named.binary_search(&party).is_err()), |flow| {
        model.flows[flow].only_from.is_none()
    });
    for &party in &named {
        let seeds = declared(&|p| p == party);
        result.follow(graph, &seeds, |flow| graph.passes(flow, Origin::Declared(party)));
    }
    let seeds: Seeds = assumed.origins().map(|(system, leaves)| (system, leaves.clone())).collect();
    result.follow(graph, &seeds, |_| true);
    result
}

impl Held {
    fn follow(&mut self, graph: &Graph, seeds: &Seeds, passes: impl Fn(FlowId) -> bool) {
        if seeds.is_empty() {
            return;
        }
        let rows = spread(graph, seeds, &passes);
        for system in graph.model.systems.ids() {
            let row = rows.row(system, 0);
            if bits::is_empty(row) {
                continue;
            }
            self.leaves.add(system, 0, row);
            for &flow in graph.out(system) {
                let carried = graph.model.flows[flow].leaves.and(&LeafSet::from(row));
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

/// The leaves at each system that seeds get to, over flows that let them pass.
fn spread(graph: &Graph, seeds: &Seeds, passes: impl Fn(FlowId) -> bool) -> Rows {
    let mut spread = Spread::new(graph);
    for (system, leaves) in seeds {
        spread.arrive(*system, leaves.row().to_vec());
    }
    while spread.step(&passes).is_some() {}
    spread.rows
}

/// A flood that goes on from what is new.
pub struct Spread<'g> {
    graph: &'g Graph<'g>,
    /// Where what has got to.
    pub rows: Rows,
    fresh: Table<SystemId, Option<Vec<u64>>>,
    queue: Vec<SystemId>,
}

impl<'g> Spread<'g> {
    /// Nothing anywhere yet.
    pub fn new(graph: &'g Graph<'g>) -> Self {
        let model = graph.model;
        Spread { graph, rows: Rows::new(model, 1), fresh: model.systems.map(|_| None), queue: Vec::new() }
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
                    self.queue.push(system);
                }
            }
        }
    }

    /// Sends what is new at one system over its flows; which system and what, or
    /// `None` when nothing is new any more.
    pub fn step(&mut self, passes: impl Fn(FlowId) -> bool) -> Option<(SystemId, Vec<u64>)> {
        let system = self.queue.pop()?;
        let new = self.fresh[system].take().unwrap_or_default();
        for &flow in self.graph.out(system) {
            let ends = &self.graph.model.flows[flow];
            if bits::intersects(&new, ends.leaves.row()) && passes(flow) {
                self.arrive(ends.to, new.iter().zip(ends.leaves.row()).map(|(n, l)| n & l).collect());
            }
        }
        Some((system, new))
    }
}
