//! What systems re-identify of what an exemption for a transform keeps away.

use rustc_hash::FxHashMap;

use super::backward::{close, reaching};
use super::held::Anywhere;
use super::{Course, Rows, Slot, deriving};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::Graph;
use crate::model::{FlowId, Model, SystemId};

/// For some categories the leaves from which a system derives something of them that it re-identifies.
#[derive(Debug, Clone, Default)]
pub struct Restoring {
    /// Of items that are of the categories already, and of others.
    by_system: FxHashMap<SystemId, [LeafSet; 2]>,
}

impl Restoring {
    /// For some categories.
    pub fn new(model: &Model, data: &LeafSet) -> Self {
        let systems = model.deriving.iter().filter(|&&id| model.systems[id].reidentifies());
        Restoring { by_system: systems.map(|&id| (id, restoring(model, id, data))).collect() }
    }

    /// Those of a row from which a system derives such data, of items that are of the categories or not.
    pub fn with(&self, system: SystemId, marked: bool, row: &[u64]) -> LeafSet {
        let [of_data, others] = match self.by_system.get(&system) {
            Some(leaves) => leaves,
            None => return LeafSet::from(vec![0; row.len()].as_slice()),
        };
        if marked { of_data.with(row) } else { others.with(row) }
    }
}

/// What can get to where it is re-identified, by whatever walk.
#[derive(Debug, Default)]
pub struct Restorable(Option<(Rows, FxHashMap<SystemId, LeafSet>)>);

impl Restorable {
    /// Of all items.
    pub fn new(graph: &Graph) -> Self {
        let model = graph.model;
        let systems = model.deriving.iter().filter(|&&id| model.systems[id].reidentifies());
        let ends: FxHashMap<SystemId, LeafSet> = systems.map(|&id| (id, restorable_at(model, id))).collect();
        if ends.is_empty() {
            return Restorable(None);
        }
        let into = graph.all().filter(|(_, edge)| ends.contains_key(&edge.end));
        let rows = reaching(graph, &Anywhere, into, |edge, _, row| {
            if let Some(leaves) = ends.get(&edge.end) {
                row.copy_from_slice(leaves.row());
            }
        });
        Restorable(Some((rows, ends)))
    }

    /// Whether nothing can.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether some of what a flow may carry can, once it has arrived.
    pub fn after(&self, graph: &Graph, flow: FlowId) -> bool {
        self.0.as_ref().is_some_and(|(rows, ends)| {
            let (_, edge) = graph.edge(flow);
            edge.carries(rows.row(edge.end, 0))
                || ends.get(&edge.end).is_some_and(|here| edge.carries(here.row()))
        })
    }
}

/// An item in the second plane is exempt until it is re-identified.
struct Exempt<'d>(&'d LeafSet);

impl Course for Exempt<'_> {
    fn planes(&self) -> usize {
        2
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(self.0)
    }

    fn restored(&self, _: usize) -> usize {
        0
    }

    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// The leaves from which a system derives something that it re-identifies.
fn restorable_at(model: &Model, system: SystemId) -> LeafSet {
    let mut from = LeafSet::empty(model.data.leaf_count());
    model.systems[system].derivations().1.iter().for_each(|(leaves, _)| from.extend(leaves.row()));
    deriving(model, system, &from)
}

fn restoring(model: &Model, system: SystemId, data: &LeafSet) -> [LeafSet; 2] {
    let (course, words) = (Exempt(data), bits::words(model.data.leaf_count()));
    let mut block = vec![0; 4 * words];
    let index = |slot: Slot| slot.index(2) * words..(slot.index(2) + 1) * words;
    if let Some(row) = block.get_mut(index(Slot { plane: 0, marked: true })) {
        row.copy_from_slice(LeafSet::full(model.data.leaf_count()).row());
    }
    close(model, &course, system, &mut block);
    [true, false].map(|marked| LeafSet::from(Slot { plane: 1, marked }.of(&block, 2, words)))
}
