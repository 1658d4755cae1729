//! Layer by layer: where lanes get to, and by which flows first.

use rustc_hash::FxHashMap;

use super::{Lanes, Question};
use crate::base::bits;
use crate::flow::graph::{Edge, Graph};
use crate::flow::propagate::{BackwardSlice, Slot};
use crate::model::{FlowId, Id, SystemId, Table};

/// A leaf with which lanes start at a system, in the first plane.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    /// Where.
    pub system: SystemId,
    /// The leaf.
    pub leaf: usize,
    /// The lanes.
    pub lanes: Lanes,
}

/// Lanes that cross a flow, new in the row they come from.
#[derive(Debug)]
pub struct Crossing<'c> {
    /// The flow.
    pub flow: FlowId,
    /// Where it ends.
    pub end: SystemId,
    /// The slot before the flow.
    pub slot: Slot,
    /// The leaf.
    pub leaf: usize,
    /// How many flows the walk has, this one included.
    pub length: usize,
    /// The row they come from.
    pub from: RowId,
    /// The lanes; those that the observer takes out do not go on.
    pub lanes: &'c mut Lanes,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl Id for $name {
            fn from_index(index: usize) -> Self {
                $name(index as u32)
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

numbers! {
    /// A row of lanes: of one system, leaf and slot.
    RowId,
    /// What was new in a row in a layer.
    NewId,
    /// By what lanes came into a row.
    CameId
}

#[derive(Debug)]
struct Row {
    slot: Slot,
    leaf: usize,
    seen: Lanes,
    last: Option<NewId>,
}

/// What was new in a row in a layer, how it came, and what was new there before.
#[derive(Debug)]
struct New {
    length: usize,
    lanes: Lanes,
    came: Option<CameId>,
    before: Option<NewId>,
}

/// By which flow lanes came from a row, or without one: derived from it.
#[derive(Debug)]
struct Came {
    flow: Option<FlowId>,
    from: RowId,
    lanes: Lanes,
    next: Option<CameId>,
}

/// What arrives at a row in a layer; what starts there comes by no flow.
struct Arrival {
    system: SystemId,
    row: RowId,
    by: Option<(FlowId, RowId)>,
    lanes: Lanes,
}

/// Where lanes got to, layer by layer.
#[derive(Debug, Default)]
pub struct Layers {
    rows: Table<RowId, Row>,
    number: FxHashMap<(SystemId, u32), RowId>,
    new: Table<NewId, New>,
    came: Table<CameId, Came>,
}

/// Moves lanes from their seeds over all flows that carry them, and shows each crossing to `observe`.
/// With a slice, only what can reach a target goes on. With `walks`, walks can be read back.
pub fn search<Q: Question>(
    graph: &Graph,
    question: &Q,
    seeds: &[Seed],
    (slice, walks): (Option<BackwardSlice>, bool),
    mut observe: impl FnMut(Crossing),
) -> Layers {
    let mut search = Search {
        graph,
        question,
        slice,
        walks,
        leaves: graph.model.data.leaf_count(),
        layers: Layers::default(),
    };
    let mut arrivals: Vec<Arrival> = Vec::new();
    for &Seed { system, leaf, lanes } in seeds {
        let marked = question.marks().is_some_and(|marks| marks.contains(leaf));
        arrivals.extend(search.arrival(system, Slot { plane: 0, marked }, leaf, None, lanes));
    }
    let mut length = 0;
    let mut any: Vec<u64> = vec![0; bits::words(search.leaves)];
    let mut here: Vec<(RowId, Slot, usize, Lanes)> = Vec::new();
    while !arrivals.is_empty() {
        let settled = search.settle(&mut arrivals, length);
        arrivals.clear();
        length += 1;
        for group in settled.chunk_by(|(a, ..), (b, ..)| a == b) {
            let Some(&(system, ..)) = group.first() else { continue };
            here.clear();
            any.fill(0);
            for &(_, row, lanes) in group {
                let Row { slot, leaf, .. } = search.layers.rows[row];
                bits::set(&mut any, leaf);
                here.push((row, slot, leaf, lanes));
            }
            for Edge { flow, end, leaves } in graph.out(system) {
                if !bits::intersects(&any, leaves) {
                    continue;
                }
                let passes = question.passes(flow);
                for &(from, slot, leaf, lanes) in &here {
                    let mut lanes = lanes & passes;
                    if lanes.is_empty() || !bits::contains(leaves, leaf) {
                        continue;
                    }
                    observe(Crossing { flow, end, slot, leaf, length, from, lanes: &mut lanes });
                    question.cross(flow, slot.plane, lanes, |plane, lanes| {
                        let slot = Slot { plane, ..slot };
                        arrivals.extend(search.arrival(end, slot, leaf, Some((flow, from)), lanes));
                    });
                }
            }
        }
    }
    search.layers
}

struct Search<'q, Q> {
    graph: &'q Graph<'q>,
    question: &'q Q,
    slice: Option<BackwardSlice<'q>>,
    walks: bool,
    leaves: usize,
    layers: Layers,
}

impl<Q: Question> Search<'_, Q> {
    /// Lanes that arrive at a row where they have not been, if any.
    fn arrival(
        &mut self,
        system: SystemId,
        slot: Slot,
        leaf: usize,
        by: Option<(FlowId, RowId)>,
        lanes: Lanes,
    ) -> Option<Arrival> {
        if lanes.is_empty() || self.slice.is_some_and(|slice| !slice.has(system, slot, leaf)) {
            return None;
        }
        let row = self.row(system, slot, leaf);
        let lanes = lanes & !self.layers.rows[row].seen;
        (!lanes.is_empty()).then_some(Arrival { system, row, by, lanes })
    }

    fn row(&mut self, system: SystemId, slot: Slot, leaf: usize) -> RowId {
        let kind = slot.index(self.question.planes()) * self.leaves + leaf;
        let rows = &mut self.layers.rows;
        let row = || rows.push(Row { slot, leaf, seen: Lanes::NONE, last: None });
        *self.layers.number.entry((system, kind as u32)).or_insert_with(row)
    }

    /// Takes in what arrives in a layer and what systems derive from it; gives back what is new, by systems.
    fn settle(&mut self, arrivals: &mut [Arrival], length: usize) -> Vec<(SystemId, RowId, Lanes)> {
        arrivals.sort_unstable_by_key(|arrival| (arrival.system, arrival.row, arrival.by));
        let mut settled: Vec<(SystemId, RowId, Lanes)> = Vec::new();
        for at_system in arrivals.chunk_by(|a, b| a.system == b.system) {
            let start = settled.len();
            for at_row in at_system.chunk_by(|a, b| a.row == b.row) {
                let Some(&Arrival { system, row, .. }) = at_row.first() else { continue };
                let fresh = at_row.iter().map(|arrival| arrival.lanes).collect();
                self.add(row, length, fresh);
                settled.push((system, row, fresh));
                if self.walks {
                    self.came_by(row, at_row);
                }
            }
            if let Some(&Arrival { system, .. }) = at_system.first()
                && !self.graph.model.systems[system].derives.is_empty()
            {
                self.derive(system, length, start, &mut settled);
            }
        }
        settled
    }

    /// Adds lanes to a row in a layer.
    fn add(&mut self, row: RowId, length: usize, fresh: Lanes) {
        let Layers { rows, new, .. } = &mut self.layers;
        let row = &mut rows[row];
        row.seen |= fresh;
        match row.last {
            Some(last) if new[last].length == length => new[last].lanes |= fresh,
            before => row.last = Some(new.push(New { length, lanes: fresh, came: None, before })),
        }
    }

    /// Notes by which flow each lane came into a row: of several that which is first in order.
    fn came_by(&mut self, row: RowId, arrivals: &[Arrival]) {
        let mut known = Lanes::NONE;
        for by_flow in arrivals.chunk_by(|a, b| a.by.map(|by| by.0) == b.by.map(|by| by.0)) {
            let mut now = Lanes::NONE;
            for arrival in by_flow {
                now |= arrival.lanes;
                if let Some((flow, from)) = arrival.by {
                    self.came(row, Some(flow), from, arrival.lanes & !known);
                }
            }
            known |= now;
        }
    }

    fn came(&mut self, row: RowId, flow: Option<FlowId>, from: RowId, lanes: Lanes) {
        let Layers { rows, new, came, .. } = &mut self.layers;
        if let (Some(last), false) = (rows[row].last, lanes.is_empty()) {
            let next = new[last].came;
            new[last].came = Some(came.push(Came { flow, from, lanes, next }));
        }
    }

    /// Adds what a system derives from what is new there, in all steps.
    fn derive(
        &mut self,
        system: SystemId,
        length: usize,
        start: usize,
        settled: &mut Vec<(SystemId, RowId, Lanes)>,
    ) {
        let model = self.graph.model;
        let mut at = start;
        while let Some(&(_, from, lanes)) = settled.get(at) {
            at += 1;
            let Row { slot, leaf, .. } = self.layers.rows[from];
            let system_of = &model.systems[system];
            for (place, (_, into)) in
                system_of.derives.iter().enumerate().filter(|(_, (of, _))| of.contains(leaf))
            {
                let restores = place >= system_of.keeping;
                let plane = if restores { self.question.restored(slot.plane) } else { slot.plane };
                for leaf in into.iter() {
                    let marked =
                        slot.marked || self.question.marks().is_some_and(|marks| marks.contains(leaf));
                    let slot = Slot { plane, marked };
                    if self.slice.is_some_and(|slice| !slice.has(system, slot, leaf)) {
                        continue;
                    }
                    let row = self.row(system, slot, leaf);
                    let fresh = lanes & !self.layers.rows[row].seen;
                    if !fresh.is_empty() {
                        self.add(row, length, fresh);
                        settled.push((system, row, fresh));
                    }
                    // What came in the same layer by another way may have come this way, too.
                    if self.walks && row != from {
                        let now = self.layers.in_layer(row, length);
                        let lanes = lanes & now.map_or(Lanes::NONE, |new| new.lanes);
                        self.came(row, None, from, lanes);
                    }
                }
            }
        }
    }
}

impl Layers {
    fn in_layer(&self, row: RowId, length: usize) -> Option<&New> {
        let mut at = self.rows[row].last;
        while let Some(new) = at.map(|at| &self.new[at]) {
            if new.length <= length {
                return Some(new).filter(|new| new.length == length);
            }
            at = new.before;
        }
        None
    }

    /// The walk of `length` flows by which lanes came into one of some rows, new there after so many: of several that
    /// whose last flow is first in order, of these that whose last but one is, and so on.
    pub fn walk(&self, mut states: Vec<(RowId, Lanes)>, length: usize) -> Vec<FlowId> {
        let mut walk = Vec::with_capacity(length);
        for length in (1..=length).rev() {
            let mut first: Option<FlowId> = None;
            let mut before: Vec<(RowId, Lanes)> = Vec::new();
            let mut at = 0;
            while let Some(&(row, lanes)) = states.get(at) {
                at += 1;
                let mut came = self.in_layer(row, length).and_then(|new| new.came);
                while let Some(by) = came.map(|came| &self.came[came]) {
                    came = by.next;
                    let lanes = by.lanes & lanes;
                    match by.flow {
                        _ if lanes.is_empty() => {}
                        None => extend(&mut states, by.from, lanes),
                        Some(flow) if first.is_none_or(|first| flow < first) => {
                            first = Some(flow);
                            before = vec![(by.from, lanes)];
                        }
                        Some(flow) if first == Some(flow) => extend(&mut before, by.from, lanes),
                        Some(_) => {}
                    }
                }
            }
            let Some(flow) = first else { break };
            walk.push(flow);
            states = before;
        }
        walk.reverse();
        walk
    }
}

/// Adds a state, unless it is known.
fn extend(states: &mut Vec<(RowId, Lanes)>, row: RowId, lanes: Lanes) {
    let known: Lanes = states.iter().filter(|(known, _)| *known == row).map(|(_, lanes)| *lanes).collect();
    let new = lanes & !known;
    if !new.is_empty() {
        states.push((row, new));
    }
}
