//! Backward from some arrivals, in layers: how many flows each item needs to one of them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::backward::close;
use super::{Course, Rows, Slot, derive_all};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::{Edge, Graph};
use crate::model::{FlowId, SystemId};

/// The leaves with which items in a slot hit a target as they cross a flow.
pub type Target = (FlowId, Slot, LeafSet);

/// What gets to a target, and how far it has to go.
#[derive(Debug)]
pub struct Inward<'g, C, P> {
    graph: &'g Graph<'g>,
    course: &'g C,
    passes: P,
    /// By flow and slot.
    targets: Vec<Target>,
    rows: Rows,
    /// What is new at a system in a layer, and where the system's entry before stands.
    log: Vec<Entry>,
    last: FxHashMap<SystemId, u32>,
    steps: FxHashMap<State, Step>,
}

/// System, slot, leaf, and how many flows are left.
type State = (SystemId, usize, usize, usize);
/// A flow, the slot behind it, and the leaf that crosses it.
type Step = (FlowId, usize, usize);

#[derive(Debug)]
struct Entry {
    length: usize,
    block: Box<[u64]>,
    before: u32,
}

const NONE: u32 = u32::MAX;

/// Goes backward from targets, one for each flow and slot, over flows that let items pass. What `keep` takes out of
/// the leaves that cross a flow in a slot does not go on behind it.
pub fn inward<'g, C: Course, P: Fn(FlowId) -> bool>(
    graph: &'g Graph<'g>,
    course: &'g C,
    passes: P,
    targets: Vec<Target>,
    keep: impl Fn(FlowId, Slot, &mut [u64]),
) -> Inward<'g, C, P> {
    let model = graph.model;
    let slots: Vec<Slot> = Slot::all(course).collect();
    let planes = course.planes();
    let mut found = Inward {
        graph,
        course,
        passes,
        targets,
        rows: Rows::new(model, slots.len()),
        log: Vec::new(),
        last: FxHashMap::default(),
        steps: FxHashMap::default(),
    };
    let mut fresh = Rows::new(model, slots.len());
    // In the order in which they were first added.
    let mut layer: Vec<SystemId> = Vec::new();
    let mut queued: FxHashSet<SystemId> = FxHashSet::default();
    found.targets.retain(|(flow, ..)| (found.passes)(*flow));
    found.targets.sort_unstable_by_key(|(flow, slot, _)| (*flow, slot.index(planes)));
    for (flow, slot, leaves) in &found.targets {
        let from = graph.sending(*flow);
        if fresh.add(from, slot.index(planes), leaves.row()) && queued.insert(from) {
            layer.push(from);
        }
    }
    let mut length = 0;
    let words = bits::words(model.data.leaf_count());
    let mut crossing: Vec<u64> = vec![0; words];
    let mut any: Vec<u64> = vec![0; words];
    while !layer.is_empty() {
        length += 1;
        let mut settled: Vec<(SystemId, usize)> = Vec::with_capacity(layer.len());
        queued.clear();
        for system in layer.drain(..) {
            let mut block: Vec<u64> = fresh.block(system).to_vec();
            fresh.clear(system);
            close(model, course, system, &mut block);
            block.iter_mut().zip(found.rows.block(system)).for_each(|(b, seen)| *b &= !seen);
            if bits::is_empty(&block) {
                continue;
            }
            found.rows.add_block(system, &block);
            let before = found.last.insert(system, found.log.len() as u32).unwrap_or(NONE);
            settled.push((system, found.log.len()));
            found.log.push(Entry { length, block: block.into(), before });
        }
        for (system, entry) in settled {
            let block = found.log.get(entry).map(|e| &*e.block).unwrap_or_default();
            any.fill(0);
            block.chunks_exact(words).for_each(|row| {
                bits::or(&mut any, row);
            });
            for Edge { flow, end, leaves } in graph.into(system).filter(|edge| edge.carries(&any)) {
                for &slot in &slots {
                    let Some(plane) = course.next(flow, slot.plane) else {
                        continue;
                    };
                    let there = row(block, leaves.len(), Slot { plane, ..slot }.index(planes));
                    if !bits::intersects(there, leaves) {
                        continue;
                    }
                    if !(found.passes)(flow) {
                        break;
                    }
                    crossing.copy_from_slice(there);
                    bits::and_assign(&mut crossing, leaves);
                    keep(flow, slot, &mut crossing);
                    if bits::has_new(&crossing, found.rows.row(end, slot.index(planes)))
                        && fresh.add(end, slot.index(planes), &crossing)
                        && queued.insert(end)
                    {
                        layer.push(end);
                    }
                }
            }
        }
    }
    found
}

fn row(block: &[u64], words: usize, slot: usize) -> &[u64] {
    block.get(slot * words..(slot + 1) * words).unwrap_or_default()
}

impl<C: Course, P: Fn(FlowId) -> bool> Inward<'_, C, P> {
    /// The leaves that get to a target from a system and slot.
    pub fn leaves(&self, system: SystemId, slot: Slot) -> &[u64] {
        self.rows.row(system, slot.index(self.course.planes()))
    }

    /// Of some leaves at a system and slot that which has the shortest walk, and how
    /// many flows that has.
    pub fn shortest(&self, system: SystemId, slot: Slot, leaves: &[u64]) -> Option<(usize, usize)> {
        let mut best = None;
        let mut at = self.last.get(&system).copied().unwrap_or(NONE);
        // Entries before are of shorter walks.
        while let Some(entry) = self.log.get(at as usize) {
            let here = row(&entry.block, leaves.len(), slot.index(self.course.planes()));
            let first = here.iter().zip(leaves).enumerate().find(|(_, (h, l))| *h & *l != 0);
            if let Some((word, (h, l))) = first {
                best = Some((entry.length, word * 64 + (h & l).trailing_zeros() as usize));
            }
            at = entry.before;
        }
        best
    }

    fn target(&self, flow: FlowId, slot: usize) -> Option<&Target> {
        let planes = self.course.planes();
        let key = |(flow, slot, _): &Target| (*flow, slot.index(planes));
        self.targets.get(self.targets.binary_search_by_key(&(flow, slot), key).ok()?)
    }

    fn in_layer(&self, system: SystemId, slot: usize, length: usize, words: usize) -> &[u64] {
        let mut at = self.last.get(&system).copied().unwrap_or(NONE);
        while let Some(entry) = self.log.get(at as usize) {
            if entry.length == length {
                return row(&entry.block, words, slot);
            }
            at = entry.before;
        }
        &[]
    }

    /// The walk of `length` flows by which an item gets to a target, if that is its
    /// shortest: at each system the first flow, and the first leaf, that leads on.
    pub fn walk(&mut self, system: SystemId, slot: Slot, leaf: usize, length: usize) -> Vec<FlowId> {
        let mut walk = Vec::with_capacity(length);
        let (mut system, mut slot, mut leaf) = (system, slot.index(self.course.planes()), leaf);
        for left in (1..=length).rev() {
            let key = (system, slot, leaf, left);
            let step = self.steps.get(&key).copied().or_else(|| {
                let step = self.step(system, slot, leaf, left)?;
                self.steps.insert(key, step);
                Some(step)
            });
            let Some((flow, next, becomes)) = step else {
                break;
            };
            walk.push(flow);
            (system, slot, leaf) = (self.graph.model.flows[flow].to, next, becomes);
        }
        walk
    }

    fn step(
        &self,
        system: SystemId,
        slot: usize,
        leaf: usize,
        left: usize,
    ) -> Option<(FlowId, usize, usize)> {
        let model = self.graph.model;
        let planes = self.course.planes();
        let words = bits::words(model.data.leaf_count());
        let (marked, plane) = (slot >= planes, slot % planes);
        let mut block = vec![0; Slot::all(self.course).count() * words];
        if let Some(word) = block.get_mut(slot * words + leaf / 64) {
            *word |= 1 << (leaf % 64);
        }
        derive_all(model, self.course, system, &mut block);
        let mut held: Vec<(Slot, LeafSet)> = Vec::new();
        for plane in [plane, self.course.restored(plane)] {
            for marked in [false, true].into_iter().skip(usize::from(marked)) {
                let slot = Slot { plane, marked };
                let here = LeafSet::from(row(&block, words, slot.index(planes)));
                if !here.is_empty() && held.iter().all(|(known, _)| *known != slot) {
                    held.push((slot, here));
                }
            }
        }
        self.graph.out(system).filter(|edge| (self.passes)(edge.flow)).find_map(|edge| {
            let flow = edge.flow;
            held.iter().find_map(|(here, held)| {
                let crossing = held.with(edge.leaves);
                if left == 1 {
                    let (_, _, target) = self.target(flow, here.index(planes))?;
                    let hit = crossing.and(target).iter().next()?;
                    return Some((flow, here.index(planes), hit));
                }
                let next = Slot { plane: self.course.next(flow, here.plane)?, ..*here }.index(planes);
                let on = self.in_layer(edge.end, next, left - 1, crossing.row().len());
                let hit = crossing.iter().find(|&leaf| bits::contains(on, leaf))?;
                Some((flow, next, hit))
            })
        })
    }
}
