//! Propagation: where items get to, by which walks.
//!
//! ```text
//! start:   ⟨s, o, o⟩ is at s                  for each leaf o below s.originates
//! flow:    ⟨s, o, f⟩ at u, e: u → v counts,
//!          f below e.data, e lets s pass   ⟹  ⟨s, o, f⟩ at v
//! derive:  ⟨s, o, f⟩ at v, v derives F → T,
//!          f ∈ F                           ⟹  ⟨s, o, t⟩ at v   for each t ∈ T
//! ```
//!
//! Neither s nor o decides what a flow carries (but for `only_from`): all current
//! leaves of an item's kind move at once, 64 to a word. What else must be known of
//! an item is its *slot*: a [`Course`] gives it a plane (the distance, or whether
//! it is under an agreement's terms), and a mark once its history is below the
//! course's categories. Items of different origin leaves are kept apart in
//! *stacks* where it matters.
//!
//! [`reaching`] goes backward once and finds what can reach a target at all, for
//! every origin; [`fn@forward`] follows what is left from one origin, in layers, so
//! that walks are shortest; [`Layers::walk`] reads a walk back.

mod assumed;
mod backward;
mod derived;
mod flood;
mod forward;
mod held;
mod inward;
mod only_from_summary;
mod origin_class;
mod queue;
mod restoring;

pub use assumed::{Assumed, assume};
pub use backward::{close, reaching, reaching_besides, reaching_within};
pub use flood::{Flooded, flood};
pub use forward::{BackwardSlice, Crossing, Layers, Seed, State, forward};
pub use held::{Held, held};
pub use inward::{Target, inward};
pub use origin_class::{ItemsOf, OriginClass, OriginFilter};
pub use restoring::{Restorable, Restoring};

use crate::base::bits::{self, LeafSet};
use crate::flow::graph::Touched;
use crate::model::{Derives, FlowId, Model, SystemId};

/// What a walk needs to know of an item besides its current leaf.
pub trait Course {
    /// How many planes there are.
    fn planes(&self) -> usize {
        1
    }

    /// An item is marked once a leaf of its history is one of these.
    fn marks(&self) -> Option<&LeafSet> {
        None
    }

    /// Whether items are supposed to bear a mark that their leaves do not give them.
    fn supposes(&self) -> bool {
        false
    }

    /// The plane of an item once it is re-identified: as if no flow before had transformed it.
    fn restored(&self, plane: usize) -> usize {
        plane
    }

    /// The plane after a flow; `None`: this course does not go on over it.
    fn next(&self, flow: FlowId, plane: usize) -> Option<usize>;

    /// All planes after a flow: of a course that leaves open whose items walk, there may be several.
    fn nexts(&self, flow: FlowId, plane: usize) -> impl Iterator<Item = usize> {
        self.next(flow, plane).into_iter()
    }
}

/// An item's plane and whether it is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The plane.
    pub plane: usize,
    /// A leaf of its history is below the course's categories.
    pub marked: bool,
}

impl Slot {
    /// All slots of a course, in order.
    pub fn all<C: Course>(course: &C) -> impl Iterator<Item = Slot> + use<C> {
        let planes = course.planes();
        let marks = if course.marks().is_some() { 2 } else { 1 };
        (0..planes * marks).map(move |at| Slot { plane: at % planes, marked: at >= planes })
    }

    /// Its place among all slots of a course with so many planes.
    pub fn index(self, planes: usize) -> usize {
        self.plane + if self.marked { planes } else { 0 }
    }

    /// Its row of a block.
    fn of(self, block: &[u64], planes: usize, words: usize) -> &[u64] {
        let start = self.index(planes) * words;
        block.get(start..start + words).unwrap_or_default()
    }
}

/// A row of leaves for each system and slot; only systems that hold something take room.
#[derive(Debug, Clone)]
pub struct Rows {
    words: usize,
    slots: usize,
    /// The systems that have a block, in the order of their blocks.
    touched: Touched,
    blocks: Vec<u64>,
    /// The block of a system that has none.
    nothing: Vec<u64>,
}

impl Rows {
    /// Nothing anywhere.
    pub fn new(model: &Model, slots: usize) -> Self {
        let words = bits::words(model.data.leaf_count());
        let nothing = vec![0; slots * words];
        Rows { words, slots, touched: Touched::new(model), blocks: Vec::new(), nothing }
    }

    /// The systems that hold something, or did, in no order.
    pub fn systems(&self) -> &[SystemId] {
        self.touched.systems()
    }

    /// The leaves at a system in a slot.
    pub fn row(&self, system: SystemId, slot: usize) -> &[u64] {
        self.block(system).get(slot * self.words..(slot + 1) * self.words).unwrap_or_default()
    }

    /// The leaves at a system in a slot of a course with so many planes.
    pub fn at(&self, system: SystemId, slot: Slot, planes: usize) -> &[u64] {
        self.row(system, slot.index(planes))
    }

    /// Adds leaves; whether any was new.
    pub fn add(&mut self, system: SystemId, slot: usize, row: &[u64]) -> bool {
        if bits::is_empty(row) {
            return false;
        }
        let range = slot * self.words..(slot + 1) * self.words;
        self.block_mut(system).get_mut(range).is_some_and(|into| bits::or(into, row))
    }

    /// Adds all that others have, of as many slots.
    pub fn extend(&mut self, other: &Rows) {
        other.systems().iter().for_each(|&system| self.add_block(system, other.block(system)));
    }

    /// All rows of a system, slot after slot.
    pub fn block(&self, system: SystemId) -> &[u64] {
        let width = self.nothing.len();
        match self.touched.number(system) {
            Some(at) => self.blocks.get(at * width..(at + 1) * width).unwrap_or_default(),
            None => &self.nothing,
        }
    }

    fn block_mut(&mut self, system: SystemId) -> &mut [u64] {
        let width = self.nothing.len();
        let at = self.touched.add(system);
        if self.blocks.len() < (at + 1) * width {
            self.blocks.resize((at + 1) * width, 0);
        }
        self.blocks.get_mut(at * width..(at + 1) * width).unwrap_or_default()
    }

    fn add_block(&mut self, system: SystemId, block: &[u64]) {
        bits::or(self.block_mut(system), block);
    }

    fn clear(&mut self, system: SystemId) {
        if self.touched.number(system).is_some() {
            self.block_mut(system).fill(0);
        }
    }

    /// Takes everything away, at a cost of what there is.
    fn clear_all(&mut self) {
        self.touched.clear();
        self.blocks.clear();
    }

    /// The leaves at a system in any slot.
    pub fn any(&self, system: SystemId) -> LeafSet {
        let mut all = LeafSet::from(self.row(system, 0));
        (1..self.slots).for_each(|slot| all.extend(self.row(system, slot)));
        all
    }
}

/// Adds what a system derives from leaves that it holds, in all steps; a derived
/// leaf is marked if it is one of `marks` or what it is made of is marked.
///
/// `plain` and `marked` are the leaves held without and with a mark.
pub fn derive(
    model: &Model,
    system: SystemId,
    plain: &mut [u64],
    marked: &mut [u64],
    marks: Option<&LeafSet>,
) {
    derive_by(&model.systems[system].derives, plain, marked, marks);
}

/// Adds what a system derives from what it holds in all slots of a course. What it re-identifies of a plane goes to
/// the plane that the course restores it to.
pub fn derive_all<C: Course>(model: &Model, course: &C, system: SystemId, block: &mut [u64]) {
    let system = &model.systems[system];
    if system.derives.is_empty() {
        return;
    }
    let planes = course.planes();
    let words = block.len() / (planes * if course.marks().is_some() { 2 } else { 1 });
    let range = |slot: Slot| slot.index(planes) * words..(slot.index(planes) + 1) * words;
    let (keeping, restoring) = system.derivations();
    let is_restored = |&plane: &usize| course.restored(plane) == plane;
    // Nothing gets out of a restored plane, so these come last.
    let order = (0..planes).filter(|plane| !is_restored(plane)).chain((0..planes).filter(is_restored));
    for plane in order {
        let slots = [false, true].map(|marked| Slot { plane, marked });
        let [plain, marked] = slots.map(|slot| block.get(range(slot)).unwrap_or_default());
        if bits::is_empty(plain) && bits::is_empty(marked) {
            continue;
        }
        let (mut plain, mut marked) = (plain.to_vec(), marked.to_vec());
        let restored = course.restored(plane);
        let derives = if restored == plane { &system.derives } else { keeping };
        derive_by(derives, &mut plain, &mut marked, course.marks());
        let mut add = |slot: Slot, row: &[u64]| {
            if let Some(into) = block.get_mut(range(slot)) {
                bits::or(into, row);
            }
        };
        for (slot, row) in slots.into_iter().zip([&plain, &marked]) {
            add(slot, row);
        }
        if restored == plane {
            continue;
        }
        let [not_marked, with_mark] = [false, true].map(|marked| Slot { plane: restored, marked });
        for (from, into) in restoring {
            if bits::intersects(&marked, from.row()) {
                add(with_mark, into.row());
            }
            if bits::intersects(&plain, from.row()) {
                match course.marks() {
                    None => add(not_marked, into.row()),
                    Some(marks) => {
                        add(not_marked, into.minus(marks).row());
                        add(with_mark, into.and(marks).row());
                    }
                }
            }
        }
    }
}

fn derive_by(derives: &Derives, plain: &mut [u64], marked: &mut [u64], marks: Option<&LeafSet>) {
    let mut changed = !derives.is_empty();
    let mut passes = 0..derived::FEW;
    while changed {
        if passes.next().is_none() {
            return derived::derive(derives, plain, marked, marks);
        }
        changed = false;
        for (from, into) in derives {
            if bits::intersects(marked, from.row()) {
                changed |= bits::or(marked, into.row());
            }
            if bits::intersects(plain, from.row()) {
                match marks {
                    None => changed |= bits::or(plain, into.row()),
                    Some(marks) => {
                        changed |= bits::or(plain, into.minus(marks).row());
                        changed |= bits::or(marked, into.and(marks).row());
                    }
                }
            }
        }
    }
}

/// The leaves from which a system derives one of `wanted`, in all steps, those
/// wanted included.
pub fn deriving(model: &Model, system: SystemId, wanted: &LeafSet) -> LeafSet {
    let derives = &model.systems[system].derives;
    let mut set = wanted.clone();
    let mut passes = 0..derived::FEW;
    let mut changed = !derives.is_empty();
    while changed {
        if passes.next().is_none() {
            return derived::deriving(derives, &set);
        }
        changed = false;
        for (from, into) in derives {
            if into.intersects(&set) && !from.is_subset(&set) {
                set.extend(from.row());
                changed = true;
            }
        }
    }
    set
}

/// [`deriving`] for every system; most derive nothing.
#[derive(Debug, Clone)]
pub struct Deriving {
    wanted: LeafSet,
    by_system: rustc_hash::FxHashMap<SystemId, LeafSet>,
}

impl Deriving {
    /// For some leaves.
    pub fn new(model: &Model, wanted: &LeafSet) -> Self {
        let by_system = model.deriving.iter().map(|&id| (id, deriving(model, id, wanted))).collect();
        Deriving { wanted: wanted.clone(), by_system }
    }

    /// The leaves from which a system derives one of those wanted, those included.
    pub fn at(&self, system: SystemId) -> &LeafSet {
        self.by_system.get(&system).unwrap_or(&self.wanted)
    }
}
