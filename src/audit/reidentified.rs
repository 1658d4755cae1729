//! What systems make of data that came to them transformed: what they re-identify, and where a declaration alone says
//! that they don't.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::analysis::{Analysis, Claimant, Relied, ReliedRule};
use crate::base::bits::{self, LeafSet};
use crate::base::vocabulary::Transform;
use crate::flow::propagate::{
    BackwardSlice, Course, OriginClass, OriginFilter, Slot, close, flood, reaching,
};
use crate::model::{FlowId, Model, SystemId};

/// In the second plane an item has been transformed, and not been re-identified since.
struct Transformed<'m>(&'m Model);

impl Course for Transformed<'_> {
    fn planes(&self) -> usize {
        2
    }

    fn restored(&self, _: usize) -> usize {
        0
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        Some(if self.0.flows[flow].transform == Transform::None { plane } else { 1 })
    }
}

/// Which of a system's declared derivations transformed data comes to.
pub type Derivations = BTreeMap<SystemId, BTreeSet<usize>>;

/// Which derivations re-identify transformed data, and which don't by their own word alone.
#[derive(Debug, Clone, Default)]
pub struct Reidentifying {
    /// Those that do.
    pub done: Derivations,
    /// Those that would, by what comes out, if they did not say otherwise.
    denied: Derivations,
}

impl Reidentifying {
    /// Of all that moves.
    pub fn new(analysis: &Analysis) -> Self {
        let model = analysis.model;
        let identifying = model.data.identifying();
        let denies = |system: SystemId, at: usize| {
            let declared = model.systems[system].declared.derives.get(at);
            declared.is_some_and(|derive| {
                derive.reidentifies.as_ref().is_some_and(|stated| !stated.value)
                    && derive.into.iter().any(|key| identifying.get(key.value.0 as usize) == Some(&true))
            })
        };
        // By systems the derivations that matter, with what goes in.
        let mut asked: FxHashMap<SystemId, Vec<(usize, &LeafSet)>> = FxHashMap::default();
        for &id in &model.deriving {
            let system = &model.systems[id];
            for (number, ((from, _), &at)) in system.derives.iter().zip(&system.derived_by).enumerate() {
                if number >= system.keeping || denies(id, at) {
                    asked.entry(id).or_default().push((at, from));
                }
            }
        }
        let reached = reached(analysis, &asked);
        let mut all = Reidentifying::default();
        for (system, numbers) in reached {
            let declared = model.declared_system(system);
            for at in numbers {
                let list = if denies(system, at) { &mut all.denied } else { &mut all.done };
                list.entry(declared).or_default().insert(at);
            }
        }
        all
    }

    /// The claims that nothing is re-identified.
    pub fn relied(&self) -> impl Iterator<Item = Relied> {
        self.denied.keys().map(|&system| Relied {
            rule: ReliedRule::BuiltIn("derives/reidentifies"),
            by: Claimant::System(system),
            claim: "reidentifies: false".to_owned(),
        })
    }
}

/// Those of some derivations that something transformed comes to.
fn reached(
    analysis: &Analysis,
    asked: &FxHashMap<SystemId, Vec<(usize, &LeafSet)>>,
) -> BTreeMap<SystemId, BTreeSet<usize>> {
    let (model, graph) = (analysis.model, analysis.graph);
    let mut found: BTreeMap<SystemId, BTreeSet<usize>> = BTreeMap::new();
    if asked.is_empty() {
        return found;
    }
    let course = Transformed(model);
    let words = bits::words(model.data.leaf_count());
    // For each derivation the leaves of transformed items from which its system makes what goes in.
    let leading = |system: SystemId, from: &LeafSet| {
        let mut block = vec![0; 2 * words];
        if let Some(row) = block.get_mut(words..) {
            row.copy_from_slice(from.row());
        }
        close(model, &course, system, &mut block);
        LeafSet::from(block.get(words..).unwrap_or_default())
    };
    let ends: FxHashMap<SystemId, Vec<(usize, LeafSet)>> = asked
        .iter()
        .map(|(&system, all)| (system, all.iter().map(|&(at, from)| (at, leading(system, from))).collect()))
        .collect();
    let into = graph.all().filter(|(_, edge)| ends.contains_key(&edge.end));
    let slice = reaching(graph, &course, into, |edge, slot, row| {
        if course.next(edge.flow, slot.plane) == Some(1) {
            ends.get(&edge.end).into_iter().flatten().for_each(|(_, leaves)| _ = bits::or(row, leaves.row()));
        }
    });
    let alike = OriginClass::new(graph, graph.flows());
    for (origin, starts) in analysis.classes(&alike, false) {
        let passing = origin.map_or(OriginFilter::Many(&alike), OriginFilter::One);
        let passes = |flow| passing.passes(graph, flow);
        let held = flood(graph, &course, passes, starts, Some(BackwardSlice::of(&slice, course.planes())));
        held.crossings(graph, &course, passes, |edge, slot: Slot, here| {
            if course.next(edge.flow, slot.plane) != Some(1) {
                return;
            }
            let crossing = LeafSet::from(edge.leaves).with(here);
            for (at, leaves) in ends.get(&edge.end).into_iter().flatten() {
                if leaves.intersects(&crossing) {
                    found.entry(edge.end).or_default().insert(*at);
                }
            }
        });
    }
    found
}
