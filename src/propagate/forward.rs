//! Items of one origin, followed flow by flow in layers.

use rustc_hash::FxHashMap;

use super::{Course, Passing, Rows, Slot, derive};
use crate::bits;
use crate::graph::Graph;
use crate::model::{FlowId, SystemId};

/// Leaves that start at a system, in the first plane.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    /// Where.
    pub system: SystemId,
    /// In which stack.
    pub stack: usize,
    /// The leaf.
    pub leaf: usize,
}

/// Items of one stack and slot, new where they are, that cross a flow.
#[derive(Debug)]
pub struct Crossing<'r> {
    /// The flow.
    pub flow: FlowId,
    /// The stack.
    pub stack: usize,
    /// The slot before the flow.
    pub slot: Slot,
    /// How many flows the walk has, this one included.
    pub length: usize,
    /// Their current leaves; what the observer takes out does not go on.
    pub leaves: &'r mut [u64],
}

/// An item's state at a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Where.
    pub system: SystemId,
    /// In which stack.
    pub stack: usize,
    /// In which slot.
    pub slot: Slot,
    /// Its current leaf.
    pub leaf: usize,
}

/// Where items got to, layer by layer.
#[derive(Debug)]
pub struct Layers<'g, C> {
    graph: &'g Graph<'g>,
    course: &'g C,
    passing: Passing<'g>,
    shape: Shape,
    visited: FxHashMap<SystemId, Visited>,
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    words: usize,
    planes: usize,
    slots: usize,
    stacks: usize,
}

impl Shape {
    fn width(self) -> usize {
        self.stacks * self.slots * self.words
    }

    fn range(self, stack: usize, slot: Slot) -> std::ops::Range<usize> {
        let start = (stack * self.slots + slot.index(self.planes)) * self.words;
        start..start + self.words
    }
}

#[derive(Debug, Default)]
struct Visited {
    seen: Vec<u64>,
    /// What was new in a layer.
    layers: Vec<(usize, Vec<u64>)>,
}

/// What can reach a target, by a course that has as many planes or only one.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'r> {
    /// From [`super::reaching`].
    pub rows: &'r Rows,
    /// The planes of the course that they were found by.
    pub planes: usize,
}

impl<'r> Candidates<'r> {
    /// The leaves at a system in a slot that can reach a target.
    pub fn row(&self, system: SystemId, slot: Slot) -> &'r [u64] {
        let plane = slot.plane.min(self.planes - 1);
        self.rows.row(system, Slot { plane, ..slot }.index(self.planes))
    }
}

/// Follows items of one origin, or of many alike, from their seeds over all flows
/// that the course and `only_from` allow, and shows each crossing to `observe`. With
/// `candidates`, only what can reach a target goes on.
pub fn forward<'g, C: Course>(
    graph: &'g Graph<'g>,
    course: &'g C,
    passing: Passing<'g>,
    stacks: usize,
    seeds: &[Seed],
    candidates: Option<Candidates>,
    mut observe: impl FnMut(Crossing),
) -> Layers<'g, C> {
    let model = graph.model;
    let slots: Vec<Slot> = Slot::all(course).collect();
    let words = bits::words(model.data.leaf_count());
    let shape = Shape { words, planes: course.planes(), slots: slots.len(), stacks };
    let mut layers = Layers { graph, course, passing, shape, visited: FxHashMap::default() };
    let mut arriving: FxHashMap<SystemId, Vec<u64>> = FxHashMap::default();
    for seed in seeds {
        let marked = course.marks().is_some_and(|marks| marks.contains(seed.leaf));
        let row = arriving.entry(seed.system).or_insert_with(|| vec![0; shape.width()]);
        let range = shape.range(seed.stack, Slot { plane: 0, marked });
        if let Some(word) = row.get_mut(range).and_then(|row| row.get_mut(seed.leaf / 64)) {
            *word |= 1 << (seed.leaf % 64);
        }
    }
    let mut leaves: Vec<u64> = Vec::with_capacity(words);
    let mut length = 0;
    while !arriving.is_empty() {
        let mut settled: Vec<(SystemId, Vec<u64>)> = Vec::with_capacity(arriving.len());
        for (system, row) in arriving.drain() {
            settled.extend(layers.settle(system, row, length).map(|new| (system, new)));
        }
        // In the order of systems, so that what is seen does not depend on hashing.
        settled.sort_unstable_by_key(|(system, _)| *system);
        length += 1;
        for (system, new) in settled {
            for &flow in graph.out(system) {
                if !passing.passes(graph, flow) {
                    continue;
                }
                let ends = &model.flows[flow];
                for (stack, slot) in
                    (0..stacks).flat_map(|stack| slots.iter().map(move |slot| (stack, *slot)))
                {
                    let held = new.get(shape.range(stack, slot)).unwrap_or_default();
                    if !bits::intersects(held, ends.leaves.row()) {
                        continue;
                    }
                    leaves.clear();
                    leaves.extend(held.iter().zip(ends.leaves.row()).map(|(h, l)| h & l));
                    observe(Crossing { flow, stack, slot, length, leaves: &mut leaves });
                    let Some(plane) = course.next(flow, slot.plane) else {
                        continue;
                    };
                    let next = Slot { plane, ..slot };
                    if let Some(candidates) = candidates {
                        let useful = candidates.row(ends.to, next);
                        leaves.iter_mut().zip(useful).for_each(|(l, u)| *l &= u);
                    }
                    if !bits::is_empty(&leaves) {
                        let row = arriving.entry(ends.to).or_insert_with(|| vec![0; shape.width()]);
                        if let Some(row) = row.get_mut(shape.range(stack, next)) {
                            bits::or(row, &leaves);
                        }
                    }
                }
            }
        }
    }
    layers
}

impl<C: Course> Layers<'_, C> {
    /// Notes what arrives at a system, with all that is derived there; what of it
    /// is new, if anything is.
    fn settle(&mut self, system: SystemId, row: Vec<u64>, length: usize) -> Option<Vec<u64>> {
        let shape = self.shape;
        let visited = self.visited.entry(system).or_default();
        if visited.seen.is_empty() {
            visited.seen = vec![0; shape.width()];
        }
        let unseen = |mut row: Vec<u64>, seen: &[u64]| {
            row.iter_mut().zip(seen).for_each(|(r, s)| *r &= !s);
            row
        };
        let mut new = unseen(row, &visited.seen);
        if bits::is_empty(&new) {
            return None;
        }
        if !self.graph.model.systems[system].derives.is_empty() {
            derive_all(self.graph, self.course, shape, system, &mut new);
            new = unseen(new, &visited.seen);
        }
        bits::or(&mut visited.seen, &new);
        visited.layers.push((length, new.clone()));
        Some(new)
    }

    /// The leaves at a system in a stack and slot.
    pub fn leaves(&self, system: SystemId, stack: usize, slot: Slot) -> &[u64] {
        let seen = self.visited.get(&system).map(|v| v.seen.as_slice());
        seen.and_then(|seen| seen.get(self.shape.range(stack, slot))).unwrap_or_default()
    }

    fn layer(&self, system: SystemId, length: usize) -> Option<&[u64]> {
        let layers = &self.visited.get(&system)?.layers;
        layers.iter().find(|(l, _)| *l == length).map(|(_, row)| row.as_slice())
    }

    /// A walk of `length` flows that brings an item into `state`, which it was
    /// first in after just so many. Of several the one whose flows, read from the
    /// end, come first.
    pub fn walk(&self, state: State, length: usize) -> Vec<FlowId> {
        let mut walk = Vec::with_capacity(length);
        let (mut state, mut length) = (state, length);
        while length > 0 {
            let Some((flow, before)) = self.step_back(state, length) else {
                break;
            };
            walk.push(flow);
            state = before;
            length -= 1;
        }
        walk.reverse();
        walk
    }

    fn step_back(&self, state: State, length: usize) -> Option<(FlowId, State)> {
        let graph = self.graph;
        graph.into(state.system).iter().filter(|&&flow| self.passing.passes(graph, flow)).find_map(|&flow| {
            let ends = &graph.model.flows[flow];
            let layer = self.layer(ends.from, length - 1)?;
            Slot::all(self.course).find_map(|slot| {
                let plane = self.course.next(flow, slot.plane)?;
                if plane != state.slot.plane || (slot.marked && !state.slot.marked) {
                    return None;
                }
                let held = layer.get(self.shape.range(state.stack, slot))?;
                let leaf = bits::ones(held)
                    .filter(|&leaf| ends.leaves.contains(leaf))
                    .find(|&leaf| self.becomes(leaf, slot.marked, state))?;
                Some((flow, State { system: ends.from, stack: state.stack, slot, leaf }))
            })
        })
    }

    /// Whether a leaf that arrives at the state's system is, or is derived there
    /// into, the state's.
    fn becomes(&self, leaf: usize, marked: bool, state: State) -> bool {
        if leaf == state.leaf && marked == state.slot.marked {
            return true;
        }
        let mut rows = [vec![0; self.shape.words], vec![0; self.shape.words]];
        let [plain, with_mark] = &mut rows;
        let into = if marked { &mut *with_mark } else { &mut *plain };
        if let Some(word) = into.get_mut(leaf / 64) {
            *word |= 1 << (leaf % 64);
        }
        derive(self.graph.model, state.system, plain, with_mark, self.course.marks());
        bits::contains(if state.slot.marked { with_mark } else { plain }, state.leaf)
    }
}

fn derive_all<C: Course>(graph: &Graph, course: &C, shape: Shape, system: SystemId, row: &mut [u64]) {
    for stack in 0..shape.stacks {
        for plane in 0..shape.planes {
            let plain = shape.range(stack, Slot { plane, marked: false });
            let marked = course.marks().map(|_| shape.range(stack, Slot { plane, marked: true }));
            let copy =
                |range: std::ops::Range<usize>, row: &[u64]| row.get(range).unwrap_or_default().to_vec();
            let mut without = copy(plain.clone(), row);
            let mut with = marked.clone().map(|range| copy(range, row)).unwrap_or_default();
            derive(graph.model, system, &mut without, &mut with, course.marks());
            for (range, from) in [(Some(plain), without), (marked, with)] {
                if let Some(into) = range.and_then(|range| row.get_mut(range)) {
                    bits::or(into, &from);
                }
            }
        }
    }
}
