//! What flows with an `only_from` carry, from the systems at which they start: their *gates*.
//!
//! Over other flows everything moves, whosever it is. So the way of a party's item is made of
//! stretches over such flows, from where it originates, or from where a flow that names the
//! party ended, to the next gate. What gets from where to a gate on such a stretch is found
//! backward from it, once for all parties.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Course, Rows, reaching};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::{Edge, Graph};
use crate::model::{FlowId, PartyId, SystemId};

/// What becomes of what is at gates.
#[derive(Debug, Default)]
pub struct Limited {
    /// What flows with an `only_from` carry.
    pub carried: FxHashMap<FlowId, LeafSet>,
    /// Which of them leave something out.
    pub left_out: FxHashSet<FlowId>,
}

/// Looks at all flows with an `only_from`, for each party those that name it. `None` if that would
/// cost more than to follow these parties one by one.
pub fn limited(graph: &Graph, naming: &BTreeMap<PartyId, Vec<FlowId>>) -> Option<Limited> {
    let mut at: BTreeMap<SystemId, Vec<FlowId>> = BTreeMap::new();
    let mut ends: FxHashSet<SystemId> = FxHashSet::default();
    for &flow in graph.flows().iter().filter(|&&flow| graph.only_from(flow).is_some()) {
        at.entry(graph.sending(flow)).or_default().push(flow);
        ends.insert(graph.receiving(flow));
    }
    if at.len() > naming.len() {
        return None;
    }
    let mut derived = LeafSet::empty(graph.model.data.leaf_count());
    let model = graph.model;
    let into = model.deriving.iter().flat_map(|&system| &model.systems[system].derives);
    into.for_each(|(_, into)| derived.extend(into.row()));
    // What all gates keep may be no more than there are flows.
    let kept = AtomicUsize::new(0);
    let gate = |(system, flows): (SystemId, Vec<FlowId>)| {
        if kept.load(Ordering::Relaxed) > graph.flows().len() {
            return None;
        }
        let gate = Gate::new(graph, flows, &ends, &derived);
        kept.fetch_add(gate.here.len() + gate.ways.len(), Ordering::Relaxed);
        Some((system, gate))
    };
    let mut gates: FxHashMap<SystemId, Gate> = at.into_par_iter().map(gate).collect::<Option<_>>()?;
    let mut ways: FxHashMap<SystemId, Vec<SystemId>> = FxHashMap::default();
    for (&gate, Gate { ways: from, .. }) in &gates {
        from.keys().for_each(|&end| ways.entry(end).or_default().push(gate));
    }
    let mut limited = Limited::default();
    for (&party, flows) in naming {
        cross(graph, (party, flows), &mut gates, &ways, &mut limited.carried);
    }
    for gate in gates.values() {
        let left_out = |flow: &FlowId| {
            let named = graph.only_from(*flow).unwrap_or_default();
            let mut others = gate.here.iter().filter(|(party, _)| !named.contains(party));
            graph.some([*flow]).any(|(_, edge)| others.any(|(_, here)| edge.carries(here.row())))
        };
        limited.left_out.extend(gate.flows.iter().copied().filter(left_out));
    }
    Some(limited)
}

/// Takes a party's items over the flows that name it, and on to where that brings them.
fn cross(
    graph: &Graph,
    (party, naming): (PartyId, &[FlowId]),
    gates: &mut FxHashMap<SystemId, Gate>,
    ways: &FxHashMap<SystemId, Vec<SystemId>>,
    carried: &mut FxHashMap<FlowId, LeafSet>,
) {
    let nothing = || LeafSet::empty(graph.model.data.leaf_count());
    let mut crossed: FxHashMap<FlowId, LeafSet> = FxHashMap::default();
    let mut open = naming.to_vec();
    while let Some(flow) = open.pop() {
        let here = gates.get(&graph.sending(flow)).and_then(|gate| gate.here.get(&party));
        let Some((crossing, (_, edge))) = here.zip(graph.some([flow]).next()) else { continue };
        let crossing = crossing.with(edge.leaves);
        if !bits::or(crossed.entry(flow).or_insert_with(nothing).row_mut(), crossing.row()) {
            continue;
        }
        for &on in ways.get(&edge.end).into_iter().flatten() {
            let Some(gate) = gates.get_mut(&on) else { continue };
            let arriving = gate.ways.get(&edge.end).map(|ways| arriving(ways, &crossing));
            let here = gate.here.entry(party).or_insert_with(nothing);
            if arriving.is_some_and(|arriving| bits::or(here.row_mut(), arriving.row())) {
                open.extend(naming.iter().copied().filter(|&flow| graph.sending(flow) == on));
            }
        }
    }
    for (flow, leaves) in crossed {
        carried.entry(flow).or_insert_with(nothing).extend(leaves.row());
    }
}

/// What gets to a gate from somewhere: the leaves that arrive as themselves, and for each leaf
/// that may be derived on the way those that arrive as that.
type Ways = Vec<(Option<usize>, LeafSet)>;

/// What some leaves arrive as.
fn arriving(ways: &Ways, leaves: &LeafSet) -> LeafSet {
    let mut all = LeafSet::empty(leaves.row().len() * 64);
    for (derived, from) in ways {
        match derived {
            None => all.extend(leaves.and(from).row()),
            Some(leaf) if leaves.intersects(from) => all.insert(*leaf),
            Some(_) => {}
        }
    }
    all
}

/// A system at which flows with an `only_from` start.
#[derive(Debug)]
struct Gate {
    flows: Vec<FlowId>,
    /// What gets here of each party's, of the leaves that these flows may carry.
    here: FxHashMap<PartyId, LeafSet>,
    /// What gets here from where flows with an `only_from` end.
    ways: FxHashMap<SystemId, Ways>,
}

impl Gate {
    fn new(graph: &Graph, flows: Vec<FlowId>, ends: &FxHashSet<SystemId>, derived: &LeafSet) -> Self {
        let model = graph.model;
        let mut leaves = LeafSet::empty(model.data.leaf_count());
        graph.some(flows.iter().copied()).for_each(|(_, edge)| leaves.extend(edge.leaves));
        let backward_slice = |leaves: &LeafSet| {
            let target = |edge: Edge, _, row: &mut [u64]| {
                bits::or(row, edge.leaves);
                bits::and_assign(row, leaves.row());
            };
            reaching(graph, &Unlimited { graph }, graph.some(flows.iter().copied()), target)
        };
        let from = backward_slice(&leaves);
        let systems = from.systems().to_vec();
        let turned = |&system: &SystemId| {
            let derives = &model.systems[system].derives;
            derives.iter().any(|(_, into)| bits::intersects(into.row(), from.row(system, 0)))
        };
        let stretches: Vec<(Option<usize>, Rows)> = if systems.iter().any(turned) {
            let one = |leaf| {
                let mut one = LeafSet::empty(model.data.leaf_count());
                one.insert(leaf);
                (Some(leaf), backward_slice(&one))
            };
            let others = (None, backward_slice(&leaves.minus(derived)));
            std::iter::once(others).chain(leaves.and(derived).iter().map(one)).collect()
        } else {
            vec![(None, from)]
        };
        let ways = |system: SystemId| -> Ways {
            let from = stretches.iter().map(|(derived, rows)| (*derived, LeafSet::from(rows.row(system, 0))));
            from.filter(|(_, leaves)| !leaves.is_empty()).collect()
        };
        let mut here: FxHashMap<PartyId, LeafSet> = FxHashMap::default();
        for &id in &systems {
            let system = &model.systems[id];
            if !system.originates.is_empty() {
                let arriving = arriving(&ways(id), &system.originates);
                here.entry(system.origin)
                    .and_modify(|here| here.extend(arriving.row()))
                    .or_insert_with(|| arriving.clone());
            }
        }
        let ways =
            systems.into_iter().filter(|system| ends.contains(system)).map(|system| (system, ways(system)));
        Gate { here, ways: ways.collect(), flows }
    }
}

/// Everything moves over flows without `only_from`.
struct Unlimited<'g> {
    graph: &'g Graph<'g>,
}

impl Course for Unlimited<'_> {
    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        self.graph.only_from(flow).is_none().then_some(plane)
    }
}
