//! Items of one origin, followed flow by flow in layers.

use rustc_hash::FxHashMap;

use super::{Course, OriginFilter, Rows, Slot, derive_all};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::{Edge, Graph, Touched};
use crate::model::{FlowId, Model, SystemId};

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
    /// Where it ends.
    pub end: SystemId,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    passing: OriginFilter<'g>,
    shape: Shape,
    places: Places,
    log: Vec<Layer>,
    /// What has been seen, and what was new, where places and `log` say.
    rows: Vec<u64>,
    /// The last flow of walks that were read, and where it starts: walks share their beginnings.
    steps: FxHashMap<(State, usize), (FlowId, State)>,
}

/// How wide rows are: a row of words for each slot.
#[derive(Debug, Clone, Copy)]
struct Shape {
    words: usize,
    planes: usize,
    slots: usize,
}

impl Shape {
    fn width(self) -> usize {
        self.slots * self.words
    }

    fn range(self, slot: Slot) -> std::ops::Range<usize> {
        let start = slot.index(self.planes) * self.words;
        start..start + self.words
    }
}

/// What is known of a place: each is where something stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// What has been here.
    seen: usize,
    /// What was new in the last layer that had something.
    last: u32,
    /// What arrives in the next layer.
    arriving: usize,
}

const NOWHERE: usize = usize::MAX;
const NONE: u32 = u32::MAX;

impl Place {
    const EMPTY: Place = Place { seen: NOWHERE, last: NONE, arriving: NOWHERE };
}

/// Which systems and stacks something has come to. Most have no stack but the first.
#[derive(Debug)]
struct Places {
    touched: Touched,
    others: FxHashMap<(SystemId, usize), usize>,
    /// Of the first stack, by the numbers of the systems touched.
    first: Vec<Place>,
    /// Of other stacks.
    further: Vec<Place>,
}

impl Places {
    fn new(model: &Model) -> Self {
        let (first, further) = (Vec::new(), Vec::new());
        Places { touched: Touched::new(model), others: FxHashMap::default(), first, further }
    }

    fn get(&self, system: SystemId, stack: usize) -> Option<&Place> {
        match stack {
            0 => self.first.get(self.touched.number(system)?),
            _ => self.further.get(*self.others.get(&(system, stack))?),
        }
    }

    /// A place, which from now on is one; there is always one.
    fn add(&mut self, system: SystemId, stack: usize) -> Option<&mut Place> {
        let (places, at) = match stack {
            0 => (&mut self.first, self.touched.add(system)),
            _ => {
                let next = self.further.len();
                (&mut self.further, *self.others.entry((system, stack)).or_insert(next))
            }
        };
        if places.len() == at {
            places.push(Place::EMPTY);
        }
        places.get_mut(at)
    }
}

/// What was new at a place in a layer, and where the place's layer before stands.
#[derive(Debug, Clone, Copy)]
struct Layer {
    length: usize,
    new: usize,
    before: u32,
}

/// What arrives in a layer.
#[derive(Default)]
struct Arriving {
    at: Vec<(SystemId, usize)>,
    rows: Vec<u64>,
}

/// What can reach a target, by a course that has as many planes or only one.
#[derive(Debug, Clone, Copy)]
pub struct BackwardSlice<'r> {
    /// From [`super::reaching`].
    pub rows: &'r Rows,
    /// The planes of the course that they were found by.
    pub planes: usize,
    /// How many planes of the course that is sliced each of those stands for.
    pub each: usize,
    /// What can besides, in all planes but the first; by a course with one plane.
    pub later: Option<&'r Rows>,
}

impl<'r> BackwardSlice<'r> {
    /// By a course with so many planes.
    pub fn of(rows: &'r Rows, planes: usize) -> Self {
        BackwardSlice { rows, planes, each: 1, later: None }
    }

    /// The systems from which something can reach a target, some maybe twice.
    pub fn systems(&self) -> impl Iterator<Item = SystemId> + Clone + use<'r> {
        let later = self.later.map(Rows::systems).unwrap_or_default();
        self.rows.systems().iter().chain(later).copied()
    }

    /// What can reach a target from a system in any slot.
    pub fn any(&self, system: SystemId) -> LeafSet {
        let mut any = self.rows.any(system);
        self.later.iter().for_each(|later| any.extend(later.row(system, 0)));
        any
    }

    fn rows(&self, system: SystemId, slot: Slot) -> (&'r [u64], &'r [u64]) {
        let plane = (slot.plane / self.each).min(self.planes - 1);
        let row = self.rows.row(system, Slot { plane, ..slot }.index(self.planes));
        let later = self.later.filter(|_| slot.plane > 0);
        (row, later.map(|later| later.row(system, 0)).unwrap_or_default())
    }

    /// Leaves in a row what can reach a target from a system in a slot.
    pub fn keep(&self, system: SystemId, slot: Slot, row: &mut [u64]) {
        let (slice, later) = self.rows(system, slot);
        if later.is_empty() {
            bits::and_assign(row, slice);
        } else {
            row.iter_mut().zip(slice.iter().zip(later)).for_each(|(r, (u, l))| *r &= u | l);
        }
    }

    /// Whether a leaf can reach a target from a system in a slot.
    pub fn has(&self, system: SystemId, slot: Slot, leaf: usize) -> bool {
        let (slice, later) = self.rows(system, slot);
        bits::contains(slice, leaf) || bits::contains(later, leaf)
    }

    /// Whether some of a row can reach a target from a system in a slot.
    pub fn meet(&self, system: SystemId, slot: Slot, row: &[u64]) -> bool {
        let (slice, later) = self.rows(system, slot);
        bits::intersects(slice, row) || bits::intersects(later, row)
    }
}

/// Follows items of one origin, or of many alike, from their seeds over all flows
/// that the course and `only_from` allow, and shows each crossing to `observe`. With
/// `candidates`, only what can reach a target goes on.
pub fn forward<'g, C: Course>(
    graph: &'g Graph<'g>,
    course: &'g C,
    passing: OriginFilter<'g>,
    seeds: &[Seed],
    candidates: Option<BackwardSlice>,
    mut observe: impl FnMut(Crossing),
) -> Layers<'g, C> {
    let model = graph.model;
    let slots: Vec<Slot> = Slot::all(course).collect();
    let words = bits::words(model.data.leaf_count());
    let shape = Shape { words, planes: course.planes(), slots: slots.len() };
    let width = shape.width();
    let mut layers = Layers {
        graph,
        course,
        passing,
        shape,
        places: Places::new(model),
        log: Vec::new(),
        rows: Vec::new(),
        steps: FxHashMap::default(),
    };
    let mut arriving = Arriving::default();
    for seed in seeds {
        let marked = course.marks().is_some_and(|marks| marks.contains(seed.leaf));
        let row = layers.arriving(&mut arriving, seed.system, seed.stack);
        let range = shape.range(Slot { plane: 0, marked });
        if let Some(word) = row.get_mut(range).and_then(|row| row.get_mut(seed.leaf / 64)) {
            *word |= 1 << (seed.leaf % 64);
        }
    }
    let mut leaves: Vec<u64> = Vec::with_capacity(words);
    let mut length = 0;
    let mut here = Arriving::default();
    // System, stack, and where what is new stands.
    let mut settled: Vec<(SystemId, usize, usize)> = Vec::new();
    // What is new at one system, and all of its leaves.
    let mut active: Vec<(usize, Slot, usize)> = Vec::new();
    let mut any: Vec<u64> = vec![0; words];
    while !arriving.at.is_empty() {
        std::mem::swap(&mut here, &mut arriving);
        settled.clear();
        for ((system, stack), row) in here.at.drain(..).zip(here.rows.chunks_exact_mut(width)) {
            settled.extend(layers.settle(system, stack, row, length).map(|new| (system, stack, new)));
        }
        here.rows.clear();
        // In the order of systems, so that what is seen does not depend on what came first.
        settled.sort_unstable();
        length += 1;
        for group in settled.chunk_by(|(a, ..), (b, ..)| a == b) {
            let Some(&(system, ..)) = group.first() else {
                continue;
            };
            active.clear();
            any.fill(0);
            for &(_, stack, new) in group {
                for &slot in &slots {
                    if bits::or_any(&mut any, layers.row(new, slot)) {
                        active.push((stack, slot, new));
                    }
                }
            }
            for Edge { flow, end, leaves: data } in graph.out(system) {
                if !bits::intersects(&any, data) || !passing.passes(graph, flow) {
                    continue;
                }
                for &(stack, slot, new) in &active {
                    let held = layers.row(new, slot);
                    if !bits::intersects(held, data) {
                        continue;
                    }
                    leaves.clear();
                    leaves.extend(held.iter().zip(data).map(|(h, l)| h & l));
                    observe(Crossing { flow, end, stack, slot, length, leaves: &mut leaves });
                    let Some(plane) = course.next(flow, slot.plane) else {
                        continue;
                    };
                    let next = Slot { plane, ..slot };
                    if let Some(candidates) = candidates {
                        candidates.keep(end, next, &mut leaves);
                    }
                    if layers.new_at((end, stack), next, &leaves)
                        && let Some(row) =
                            layers.arriving(&mut arriving, end, stack).get_mut(shape.range(next))
                    {
                        bits::or(row, &leaves);
                    }
                }
            }
        }
    }
    layers
}

impl<C: Course> Layers<'_, C> {
    /// Whether some of a row has not been at a place in a slot.
    fn new_at(&self, (system, stack): (SystemId, usize), slot: Slot, row: &[u64]) -> bool {
        match self.leaves(system, stack, slot) {
            [] => !bits::is_empty(row),
            seen => bits::has_new(row, seen),
        }
    }

    /// What arrives at a system in a stack in the next layer.
    fn arriving<'a>(&mut self, arriving: &'a mut Arriving, system: SystemId, stack: usize) -> &'a mut [u64] {
        let Arriving { at, rows } = arriving;
        let Some(place) = self.places.add(system, stack) else { return &mut [] };
        let width = self.shape.width();
        if place.arriving == NOWHERE {
            place.arriving = rows.len();
            at.push((system, stack));
            rows.resize(rows.len() + width, 0);
        }
        rows.get_mut(place.arriving..place.arriving + width).unwrap_or_default()
    }

    /// Notes what arrives at a system in a stack, with all that is derived there; where what of it
    /// is new stands, if anything is.
    fn settle(&mut self, system: SystemId, stack: usize, row: &mut [u64], length: usize) -> Option<usize> {
        let width = self.shape.width();
        let rows = &mut self.rows;
        let place = self.places.add(system, stack)?;
        place.arriving = NOWHERE;
        if place.seen == NOWHERE {
            place.seen = rows.len();
            rows.resize(rows.len() + width, 0);
        }
        let seen = rows.get_mut(place.seen..place.seen + width).unwrap_or_default();
        row.iter_mut().zip(&*seen).for_each(|(r, s)| *r &= !s);
        if bits::is_empty(row) {
            return None;
        }
        if !self.graph.model.systems[system].derives.is_empty() {
            derive_all(self.graph.model, self.course, system, row);
            row.iter_mut().zip(&*seen).for_each(|(r, s)| *r &= !s);
        }
        bits::or(seen, row);
        let new = rows.len();
        rows.extend_from_slice(row);
        let before = std::mem::replace(&mut place.last, self.log.len() as u32);
        self.log.push(Layer { length, new, before });
        Some(new)
    }

    /// The leaves at a system in a stack and slot.
    pub fn leaves(&self, system: SystemId, stack: usize, slot: Slot) -> &[u64] {
        self.places.get(system, stack).map(|place| self.row(place.seen, slot)).unwrap_or_default()
    }

    /// In how few flows something got to a system in a stack and slot, and the first leaf that did.
    pub fn first(&self, system: SystemId, stack: usize, slot: Slot) -> Option<(usize, usize)> {
        let mut first = None;
        let mut at = self.places.get(system, stack)?.last;
        while let Some(layer) = self.log.get(at as usize) {
            first = bits::ones(self.row(layer.new, slot)).next().map(|leaf| (layer.length, leaf)).or(first);
            at = layer.before;
        }
        first
    }

    fn row(&self, start: usize, slot: Slot) -> &[u64] {
        let row = self.rows.get(start..start.saturating_add(self.shape.width()));
        row.and_then(|row| row.get(self.shape.range(slot))).unwrap_or_default()
    }

    /// Where what was new at a system in a layer stands.
    fn layer(&self, system: SystemId, stack: usize, length: usize) -> Option<usize> {
        let mut at = self.places.get(system, stack)?.last;
        while let Some(layer) = self.log.get(at as usize) {
            if layer.length == length {
                return Some(layer.new);
            }
            at = layer.before;
        }
        None
    }

    /// A walk of `length` flows that brings an item into `state`, which it was
    /// first in after just so many. Of several the one whose flows, read from the
    /// end, come first.
    pub fn walk(&mut self, state: State, length: usize) -> Vec<FlowId> {
        let mut walk = Vec::with_capacity(length);
        let (mut state, mut length) = (state, length);
        while length > 0 {
            let known = self.steps.get(&(state, length)).copied();
            let Some((flow, before)) = known.or_else(|| self.step_back(state, length)) else {
                break;
            };
            self.steps.insert((state, length), (flow, before));
            walk.push(flow);
            state = before;
            length -= 1;
        }
        walk.reverse();
        walk
    }

    fn step_back(&self, state: State, length: usize) -> Option<(FlowId, State)> {
        let graph = self.graph;
        graph.into(state.system).filter(|edge| self.passing.passes(graph, edge.flow)).find_map(|edge| {
            let Edge { flow, end, leaves } = edge;
            let layer = self.layer(end, state.stack, length - 1)?;
            Slot::all(self.course).find_map(|slot| {
                let plane = self.course.next(flow, slot.plane)?;
                let leads = plane == state.slot.plane || self.course.restored(plane) == state.slot.plane;
                if !leads || (slot.marked && !state.slot.marked) {
                    return None;
                }
                let arrival = Slot { plane, ..slot };
                let held = self.row(layer, slot);
                let leaf = bits::ones(held)
                    .filter(|&leaf| bits::contains(leaves, leaf))
                    .find(|&leaf| self.becomes(leaf, arrival, state))?;
                Some((flow, State { system: end, stack: state.stack, slot, leaf }))
            })
        })
    }

    /// Whether a leaf that arrives in a slot at the state's system is, or is derived there into, the state's.
    fn becomes(&self, leaf: usize, slot: Slot, state: State) -> bool {
        if leaf == state.leaf && slot == state.slot {
            return true;
        }
        if self.graph.model.systems[state.system].derives.is_empty() {
            return false;
        }
        let mut block = vec![0; self.shape.width()];
        if let Some(word) = block.get_mut(self.shape.range(slot)).and_then(|row| row.get_mut(leaf / 64)) {
            *word |= 1 << (leaf % 64);
        }
        derive_all(self.graph.model, self.course, state.system, &mut block);
        block.get(self.shape.range(state.slot)).is_some_and(|row| bits::contains(row, state.leaf))
    }
}
