//! What each system holds and each flow carries, whatever its origin.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::only_from_summary::{self, Limited};
use super::queue::{Queue, Way};
use super::{Course, Rows, derive, reaching};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::{Edge, Graph, Origin};
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

/// Follows everything that is declared to start somewhere.
pub fn held(graph: &Graph) -> Held {
    let model = graph.model;
    let mut naming: BTreeMap<PartyId, Vec<FlowId>> = BTreeMap::new();
    let mut longest = 0;
    for &flow in graph.flows() {
        let Some(parties) = graph.only_from(flow) else { continue };
        longest = longest.max(parties.len());
        parties.iter().for_each(|&party| naming.entry(party).or_default().push(flow));
    }
    let mut held =
        Held { leaves: Rows::new(model, 1), carried: Table::default(), left_out: FxHashSet::default() };
    match only_from_summary::limited(graph, &naming) {
        Some(limited) => held.by_gates(graph, limited),
        None => held.by_parties(graph, &naming, longest),
    }
    held
}

/// Everything moves everywhere.
pub(super) struct Anywhere;

impl Course for Anywhere {
    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

fn unlimited(graph: &Graph) -> impl Fn(FlowId) -> bool + Copy {
    |flow| graph.only_from(flow).is_none()
}

impl Held {
    /// Where it is known what flows with an `only_from` carry, all move together.
    fn by_gates(&mut self, graph: &Graph, limited: Limited) {
        let mut spread = Spread::new(graph);
        spread.start(graph.model.systems.iter().map(|(id, s)| (id, &s.originates)));
        spread.start(limited.carried.iter().map(|(&flow, leaves)| (graph.receiving(flow), leaves)));
        spread.go(unlimited(graph), |_, _| {});
        let members = graph.members();
        self.carried = Table::of(members.len(), |flow| {
            let (from, edge) = graph.edge(flow);
            match limited.carried.get(&flow) {
                Some(carried) => carried.clone(),
                None if members[flow] && graph.only_from(flow).is_none() => {
                    LeafSet::from(edge.leaves).with(spread.rows.row(from, 0))
                }
                None => LeafSet::empty(graph.model.data.leaf_count()),
            }
        });
        self.left_out = limited.left_out;
        self.leaves = spread.rows;
    }

    /// Parties that no `only_from` names go together: no such flow carries their items. Of one
    /// that is named, an item goes on only where its way may still lead over a flow that names
    /// it, or where items of too few others have been: one more than the longest `only_from` has
    /// names have seen all that can be left out, and carried all that others carry.
    fn by_parties(&mut self, graph: &Graph, naming: &BTreeMap<PartyId, Vec<FlowId>>, longest: usize) {
        let model = graph.model;
        let nothing = LeafSet::empty(model.data.leaf_count());
        self.carried = model.flows.map(|_| nothing.clone());
        let mut spread = Spread::new(graph);
        // Whose items have been where: at least one party's, at least two parties', …
        let mut been: Vec<Rows> = Vec::new();
        let others = model.systems.iter().filter(|(_, s)| !naming.contains_key(&s.origin));
        spread.start(others.map(|(id, s)| (id, &s.originates)));
        spread.go(unlimited(graph), |_, _| {});
        self.take(&spread, unlimited(graph));
        been.resize(if naming.is_empty() { 0 } else { longest + 1 }, spread.rows.clone());
        spread.clear();
        for (&party, flows) in naming {
            let naming = graph.some(flows.iter().copied());
            let backward_slice =
                reaching(graph, &Anywhere, naming, |edge, _, row| row.copy_from_slice(edge.leaves));
            let passes = |flow| graph.passes(flow, Origin::Declared(party));
            let systems = model.parties[party].origins.iter();
            spread.start(systems.map(|&system| (system, &model.systems[system].originates)));
            let keep = |system: SystemId, row: &mut [u64]| {
                let many = been.last().map(|rows| rows.row(system, 0)).unwrap_or_default();
                let here = row.iter_mut().zip(many).zip(backward_slice.row(system, 0));
                here.for_each(|((r, many), backward_slice)| *r &= !many | backward_slice);
            };
            spread.go(passes, keep);
            self.take(&spread, passes);
            for &system in spread.rows.systems() {
                let mut new = spread.rows.row(system, 0).to_vec();
                for rows in &mut been {
                    let before = rows.row(system, 0).to_vec();
                    rows.add(system, 0, &new);
                    bits::and_assign(&mut new, &before);
                }
            }
            spread.clear();
        }
    }

    /// Adds what is assumed to start at systems; `spread` has what was assumed before.
    pub(super) fn assume<'s>(
        &mut self,
        spread: &mut Spread,
        seeds: impl Iterator<Item = (SystemId, &'s LeafSet)>,
    ) {
        spread.start(seeds);
        spread.go(|_| true, |_, _| {});
        self.take(spread, |_| true);
    }

    /// Takes what has got anywhere over flows that let it pass.
    fn take(&mut self, spread: &Spread, passes: impl Fn(FlowId) -> bool) {
        for &system in spread.rows.systems() {
            let row = spread.rows.row(system, 0);
            self.leaves.add(system, 0, row);
            for edge in spread.graph.out(system).filter(|edge| edge.carries(row)) {
                if passes(edge.flow) {
                    let carried = self.carried[edge.flow].row_mut();
                    let crossing = carried.iter_mut().zip(edge.leaves.iter().zip(row));
                    crossing.for_each(|(carried, (l, r))| *carried |= l & r);
                } else {
                    self.left_out.insert(edge.flow);
                }
            }
        }
    }
}

/// A flood that goes on from what is new.
#[derive(Debug)]
pub struct Spread<'g> {
    graph: &'g Graph<'g>,
    /// Where what has got to.
    pub rows: Rows,
    fresh: Rows,
    queue: Queue<'g>,
    row: Vec<u64>,
}

impl<'g> Spread<'g> {
    /// Nothing anywhere yet.
    pub fn new(graph: &'g Graph<'g>) -> Self {
        let model = graph.model;
        Spread {
            graph,
            rows: Rows::new(model, 1),
            fresh: Rows::new(model, 1),
            queue: Queue::new(graph, Way::Along),
            row: Vec::new(),
        }
    }

    /// Leaves start at systems.
    fn start<'s>(&mut self, seeds: impl Iterator<Item = (SystemId, &'s LeafSet)>) {
        seeds.for_each(|(system, leaves)| self.arrive(system, leaves.row()));
    }

    /// Takes everything away; nothing may be on its way.
    fn clear(&mut self) {
        self.rows.clear_all();
    }

    /// Leaves are put at a system, or arrive there.
    pub fn arrive(&mut self, system: SystemId, row: &[u64]) {
        if bits::has_new(row, self.rows.row(system, 0)) && self.fresh.add(system, 0, row) {
            self.queue.add(system);
        }
    }

    /// Sends what is new over flows that let it pass, as far as `keep` leaves it where it
    /// arrives, until nothing is new any more.
    fn go(&mut self, passes: impl Fn(FlowId) -> bool, keep: impl Fn(SystemId, &mut [u64])) {
        while self.step(&passes, &keep, |_, _, _| {}) {}
    }

    /// Sends what is new at one system over its flows, as far as `keep` leaves it where it
    /// arrives, and shows it; `false` when nothing is new any more.
    pub fn step(
        &mut self,
        passes: impl Fn(FlowId) -> bool,
        keep: impl Fn(SystemId, &mut [u64]),
        show: impl FnOnce(&mut Self, SystemId, &[u64]),
    ) -> bool {
        let Some(system) = self.queue.next() else {
            return false;
        };
        let mut new = LeafSet::from(self.fresh.row(system, 0));
        self.fresh.clear(system);
        derive(self.graph.model, system, new.row_mut(), &mut [], None);
        bits::and_not_assign(new.row_mut(), self.rows.row(system, 0));
        if new.is_empty() {
            return true;
        }
        self.rows.add(system, 0, new.row());
        let graph = self.graph;
        let mut row = std::mem::take(&mut self.row);
        for Edge { flow, end, leaves } in graph.out(system) {
            if bits::both_new(new.row(), leaves, self.rows.row(end, 0)) && passes(flow) {
                row.clear();
                row.extend_from_slice(new.row());
                bits::and_assign(&mut row, leaves);
                keep(end, &mut row);
                self.arrive(end, &row);
            }
        }
        self.row = row;
        show(self, system, new.row());
        true
    }
}
