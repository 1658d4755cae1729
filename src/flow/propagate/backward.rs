//! What can reach a target, whatever its origin: one pass for all origins.

use super::queue::{Queue, Way};
use super::{Course, Rows, Slot, derived};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::{Edge, Graph};
use crate::model::{FlowId, Model, System, SystemId};

/// For each system and slot the leaves that can reach a target, by flows that let
/// anything pass. For each of some flows `targets` adds to a row the leaves that hit a
/// target as they cross it in a slot.
pub fn reaching<'e, C: Course>(
    graph: &Graph,
    course: &C,
    flows: impl IntoIterator<Item = (SystemId, Edge<'e>)>,
    targets: impl FnMut(Edge, Slot, &mut [u64]),
) -> Rows {
    let mut back = Back::new(graph, course, Rows::new(graph.model, Slot::all(course).count()));
    back.start(flows, targets);
    back.go()
}

/// As [`reaching`], of what is somewhere.
pub fn reaching_within<'e, C: Course>(
    graph: &Graph,
    course: &C,
    within: &Rows,
    flows: impl IntoIterator<Item = (SystemId, Edge<'e>)>,
    targets: impl FnMut(Edge, Slot, &mut [u64]),
) -> Rows {
    let mut back = Back::new(graph, course, Rows::new(graph.model, Slot::all(course).count()));
    back.within = Some(within);
    back.start(flows, targets);
    back.go()
}

/// As [`reaching`], from what is known where some flows carried less, and no other did.
pub fn reaching_besides<C: Course>(
    graph: &Graph,
    course: &C,
    known: &Rows,
    more: &[FlowId],
    targets: impl FnMut(Edge, Slot, &mut [u64]),
) -> Rows {
    let mut back = Back::new(graph, course, known.clone());
    back.start(graph.some(more.iter().copied()), targets);
    for (from, edge) in graph.some(more.iter().copied()) {
        back.cross(Edge { end: from, ..edge }, known.block(edge.end));
    }
    back.go()
}

/// A search against the flows.
struct Back<'g, C> {
    graph: &'g Graph<'g>,
    course: &'g C,
    planes: usize,
    words: usize,
    slots: Vec<Slot>,
    /// What reaches.
    rows: Rows,
    /// What has come to reach and was not looked at.
    fresh: Rows,
    queue: Queue<'g>,
    /// Where what is looked for is at all.
    within: Option<&'g Rows>,
    /// The leaves that items can have in each slot, if not all.
    possible: Vec<u64>,
    row: Vec<u64>,
}

impl<'g, C: Course> Back<'g, C> {
    fn new(graph: &'g Graph<'g>, course: &'g C, rows: Rows) -> Self {
        let slots: Vec<Slot> = Slot::all(course).collect();
        let words = bits::words(graph.model.data.leaf_count());
        Back {
            graph,
            course,
            planes: course.planes(),
            words,
            fresh: Rows::new(graph.model, slots.len()),
            slots,
            rows,
            queue: Queue::new(graph, Way::Against),
            within: None,
            possible: possible(graph.model, course, words),
            row: vec![0; words],
        }
    }

    /// The leaves that items can have in a slot, if not all.
    fn possible(&self, slot: Slot) -> Option<&[u64]> {
        Some(slot.of(&self.possible, self.planes, self.words)).filter(|row| !row.is_empty())
    }

    fn start<'e>(
        &mut self,
        flows: impl IntoIterator<Item = (SystemId, Edge<'e>)>,
        mut targets: impl FnMut(Edge, Slot, &mut [u64]),
    ) {
        for (from, edge) in flows {
            for &slot in &self.slots {
                if self.possible(slot).is_some_and(|possible| !edge.carries(possible)) {
                    continue;
                }
                self.row.fill(0);
                targets(edge, slot, &mut self.row);
                bits::and_assign(&mut self.row, edge.leaves);
                if self.fresh.add(from, slot.index(self.planes), &self.row) {
                    self.queue.add(from);
                }
            }
        }
    }

    fn go(mut self) -> Rows {
        let mut new: Vec<u64> = Vec::new();
        let mut any: Vec<u64> = vec![0; self.words];
        while let Some(system) = self.queue.next() {
            new.clear();
            new.extend_from_slice(self.fresh.block(system));
            self.fresh.clear(system);
            close(self.graph.model, self.course, system, &mut new);
            if !self.possible.is_empty() {
                bits::and_assign(&mut new, &self.possible);
            }
            bits::and_not_assign(&mut new, self.rows.block(system));
            if bits::is_empty(&new) {
                continue;
            }
            self.rows.add_block(system, &new);
            any.fill(0);
            new.chunks_exact(self.words).for_each(|row| {
                bits::or(&mut any, row);
            });
            let graph = self.graph;
            for edge in graph.into(system).filter(|edge| edge.carries(&any)) {
                self.cross(edge, &new);
            }
        }
        self.rows
    }

    /// What reaches from behind a flow, reaches from before it as far as it crosses.
    fn cross(&mut self, edge: Edge, behind: &[u64]) {
        let (plain, marked) = behind.split_at_checked(self.planes * self.words).unwrap_or((behind, &[]));
        let (plain, marked) = (!bits::is_empty(plain), !bits::is_empty(marked));
        for &slot in self.slots.iter().filter(|slot| if slot.marked { marked } else { plain }) {
            // With one plane it is known what would be there before: most is known to reach.
            let known = self.rows.row(edge.end, slot.index(self.planes));
            if self.planes == 1 && !bits::both_new(slot.of(behind, 1, self.words), edge.leaves, known) {
                continue;
            }
            let mut some = false;
            for plane in self.course.nexts(edge.flow, slot.plane) {
                let there = Slot { plane, ..slot }.of(behind, self.planes, self.words);
                if some {
                    bits::or(&mut self.row, there);
                } else {
                    self.row.copy_from_slice(there);
                    some = true;
                }
            }
            if !some || !edge.carries(&self.row) {
                continue;
            }
            bits::and_assign(&mut self.row, edge.leaves);
            let index = slot.index(self.planes);
            if let Some(within) = self.within {
                bits::and_assign(&mut self.row, within.row(edge.end, index));
            }
            if bits::has_new(&self.row, self.rows.row(edge.end, index))
                && self.fresh.add(edge.end, index, &self.row)
            {
                self.queue.add(edge.end);
            }
        }
    }
}

/// The leaves that items can have in each slot, whichever walks they go, if not all: one with
/// a mark those that its categories are or that something is derived from them, one without a
/// mark those of no such category.
fn possible<C: Course>(model: &Model, course: &C, words: usize) -> Vec<u64> {
    let Some(marks) = course.marks().filter(|_| !course.supposes()) else {
        return Vec::new();
    };
    let derives: Vec<_> = model.deriving.iter().flat_map(|&system| &model.systems[system].derives).collect();
    let mut marked = marks.clone();
    let mut changed = true;
    let mut passes = 0..derived::FEW;
    while changed && passes.next().is_some() {
        changed = false;
        for (from, into) in &derives {
            changed |= from.intersects(&marked) && bits::or(marked.row_mut(), into.row());
        }
    }
    if changed {
        derived::close(derives.iter().map(|(from, into)| (from, into)), marked.row_mut(), &[]);
    }
    let plain = LeafSet::full(model.data.leaf_count()).minus(marks);
    let of = |slot: Slot| if slot.marked { marked.row() } else { plain.row() };
    Slot::all(course).flat_map(|slot| of(slot).iter().take(words).copied()).collect()
}

/// What derives something that reaches, reaches: adds it to what does, of all slots.
pub fn close<C: Course>(model: &Model, course: &C, system: SystemId, block: &mut [u64]) {
    let planes = course.planes();
    let system = &model.systems[system];
    let mut changed = !system.derives.is_empty();
    let mut passes = 0..derived::FEW;
    while changed {
        if passes.next().is_none() {
            return close_many(course, system, block);
        }
        changed = false;
        for (at, (from, into)) in system.derives.iter().enumerate() {
            let words = into.row().len();
            for slot in Slot::all(course) {
                let made = if at < system.keeping { slot } else { restored(course, slot) };
                let start = slot.index(planes) * words;
                if made_reaches(course, made, into, block)
                    && let Some(own) = block.get_mut(start..start + words)
                {
                    changed |= bits::or(own, from.row());
                }
            }
        }
    }
}

fn restored<C: Course>(course: &C, slot: Slot) -> Slot {
    Slot { plane: course.restored(slot.plane), ..slot }
}

/// Whether some of what is made reaches, of what is in a slot but for marks that it gets as it is made.
fn made_reaches<C: Course>(course: &C, slot: Slot, made: &LeafSet, block: &[u64]) -> bool {
    let (planes, words) = (course.planes(), made.row().len());
    let marked = || Slot { marked: true, ..slot }.of(block, planes, words);
    bits::intersects(slot.of(block, planes, words), made.row())
        || course
            .marks()
            .is_some_and(|marks| !slot.marked && bits::intersects(marked(), made.and(marks).row()))
}

/// As [`close`]. What reaches in a slot of marked items depends on marked ones alone, and what is restored on what is
/// restored: these come first.
fn close_many<C: Course>(course: &C, system: &System, block: &mut [u64]) {
    let (planes, words) = (course.planes(), block.len() / Slot::all(course).count());
    let mut slots: Vec<Slot> = Slot::all(course).collect();
    slots.sort_by_key(|&slot| (restored(course, slot) != slot, !slot.marked));
    for slot in slots {
        let then = restored(course, slot);
        let (keeping, restoring) = system.derivations();
        let (derives, restoring) =
            if then == slot { (&*system.derives, &[][..]) } else { (keeping, restoring) };
        let restoring = restoring.iter().filter(|(_, into)| made_reaches(course, then, into, block));
        let restoring: Vec<&LeafSet> = restoring.map(|(from, _)| from).collect();
        let besides = match course.marks().filter(|_| !slot.marked) {
            // Derived into one of the marks, an item goes on marked.
            Some(marks) => marks.with(Slot { marked: true, ..slot }.of(block, planes, words)).row().to_vec(),
            None => Vec::new(),
        };
        let start = slot.index(planes) * words;
        if let Some(own) = block.get_mut(start..start + words) {
            restoring.iter().for_each(|from| _ = bits::or(own, from.row()));
            derived::close(derives.iter().map(|(from, into)| (into, from)), own, &besides);
        }
    }
}
