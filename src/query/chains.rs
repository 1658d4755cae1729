//! Further chains from an origin to a place, shortest first: each enters no system twice.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::items::Asked;
use crate::audit::analysis::{Analysis, Witness};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::Origin;
use crate::flow::propagate::derive;
use crate::model::{FlowId, SystemId};

/// So many beginnings of chains are looked at for one place.
const STEPS: usize = 20_000;

/// Chains besides the shortest.
#[derive(Debug, Default)]
pub struct Chains {
    /// Shortest first, then by their flows.
    pub chains: Vec<Witness>,
    /// Whether there may be more.
    pub cut: bool,
}

/// The beginning of a chain: its flows from the last back, and what has come to its end.
struct Begun {
    before: Option<(FlowId, Rc<Begun>)>,
    length: usize,
    system: SystemId,
    plain: LeafSet,
    marked: LeafSet,
    crossed: usize,
}

impl Begun {
    fn flows(&self) -> Vec<FlowId> {
        let mut flows = Vec::with_capacity(self.length);
        let mut at = self.before.as_ref();
        while let Some((flow, before)) = at {
            flows.push(*flow);
            at = before.before.as_ref();
        }
        flows.reverse();
        flows
    }

    fn enters(&self, analysis: &Analysis, system: SystemId) -> bool {
        let mut at = Some(self);
        while let Some(begun) = at {
            if begun.system == system {
                return true;
            }
            at = begun.before.as_ref().map(|(_, before)| &**before);
        }
        // A ghost is where its system was.
        let declared = analysis.model.declared_system(system);
        declared != system && self.enters(analysis, declared)
    }
}

/// Chains by which data of an origin gets to a place, but for one that is known.
pub fn further(
    analysis: &Analysis,
    asked: &Asked,
    (origin, source, data): (Origin, SystemId, &LeafSet),
    place: SystemId,
    known: &[FlowId],
    most: usize,
) -> Chains {
    let (graph, model) = (analysis.graph, analysis.model);
    let left = distances(analysis, place);
    let none = LeafSet::empty(model.data.leaf_count());
    let (mut plain, mut marked) = match &asked.data {
        Some(marks) => (data.minus(marks), data.and(marks)),
        None => (data.clone(), none.clone()),
    };
    derive(model, source, plain.row_mut(), marked.row_mut(), asked.data.as_ref());
    let start = Rc::new(Begun { before: None, length: 0, system: source, plain, marked, crossed: 0 });
    // By how long it would be at least, then by its flows; the last number finds it.
    let mut open: BinaryHeap<Reverse<(usize, Vec<FlowId>, usize)>> = BinaryHeap::new();
    let mut begun = vec![start];
    open.push(Reverse((left.get(&source).copied().unwrap_or_default(), Vec::new(), 0)));
    let mut found = Chains::default();
    let all_crossed = (1 << asked.via.len()) - 1;
    while let Some(Reverse((_, flows, at))) = open.pop() {
        let Some(here) = begun.get(at).map(Rc::clone) else { continue };
        if here.system == place && here.length > 0 {
            let is_of = asked.data.is_none() || !here.marked.is_empty();
            if here.crossed == all_crossed && is_of && flows != known {
                if found.chains.len() == most {
                    found.cut = true;
                    return found;
                }
                found.chains.push(analysis.witness(flows, data, None));
            }
            continue;
        }
        for edge in graph.out(here.system) {
            let carries = edge.carries(here.plain.row()) || edge.carries(here.marked.row());
            let Some(&rest) = left.get(&edge.end).filter(|_| carries && graph.passes(edge.flow, origin))
            else {
                continue;
            };
            let home = edge.end == place && place == source;
            if !home && here.enters(analysis, edge.end) {
                continue;
            }
            if begun.len() >= STEPS {
                found.cut = true;
                return found;
            }
            let (mut plain, mut marked) = (here.plain.clone(), here.marked.clone());
            bits::and_assign(plain.row_mut(), edge.leaves);
            bits::and_assign(marked.row_mut(), edge.leaves);
            derive(model, edge.end, plain.row_mut(), marked.row_mut(), asked.data.as_ref());
            let via = asked.via.iter().enumerate();
            let crossed =
                via.fold(here.crossed, |all, (at, via)| all | usize::from(via.contains(&edge.flow)) << at);
            let before = Some((edge.flow, Rc::clone(&here)));
            let next = Begun { before, length: here.length + 1, system: edge.end, plain, marked, crossed };
            open.push(Reverse((next.length + rest, next.flows(), begun.len())));
            begun.push(Rc::new(next));
        }
    }
    found
}

/// How many flows each system is from a place at least.
fn distances(analysis: &Analysis, place: SystemId) -> FxHashMap<SystemId, usize> {
    let mut left: FxHashMap<SystemId, usize> = FxHashMap::default();
    left.insert(place, 0);
    let mut front = vec![place];
    let mut length = 0;
    while !front.is_empty() {
        length += 1;
        let mut next = Vec::new();
        for system in front {
            for edge in analysis.graph.into(system) {
                left.entry(edge.end).or_insert_with(|| {
                    next.push(edge.end);
                    length
                });
            }
        }
        front = next;
    }
    left
}
