//! Items of many systems at once, wherever they get to; by which walks does not matter.

use super::queue::{Queue, Way};
use super::{BackwardSlice, Course, Rows, Slot, derive_all};
use crate::base::bits::{self, LeafSet};
use crate::flow::graph::{Edge, Graph};
use crate::model::{FlowId, SystemId};

/// Where items got to.
#[derive(Debug)]
pub struct Flooded {
    /// What is where.
    pub rows: Rows,
    /// The systems that hold something, in their order.
    pub systems: Vec<SystemId>,
}

impl Flooded {
    /// What crosses flows that let it pass: flow, slot before it, and what is there, of which the
    /// flow's leaves cross. All slots of a flow follow each other.
    pub fn crossings<C: Course>(
        &self,
        graph: &Graph,
        course: &C,
        passes: impl Fn(FlowId) -> bool,
        mut each: impl FnMut(Edge, Slot, &[u64]),
    ) {
        let planes = course.planes();
        let slots: Vec<Slot> = Slot::all(course).collect();
        for &system in &self.systems {
            let any = self.rows.any(system);
            for edge in graph.out(system).filter(|edge| edge.carries(any.row()) && passes(edge.flow)) {
                for &slot in &slots {
                    let here = self.rows.at(system, slot, planes);
                    if edge.carries(here) {
                        each(edge, slot, here);
                    }
                }
            }
        }
    }
}

/// The leaves at each system and slot that seeds get to over flows that let them
/// pass. With `candidates`, only what can reach a target goes on.
pub fn flood<'s, C: Course>(
    graph: &Graph,
    course: &C,
    passes: impl Fn(FlowId) -> bool,
    seeds: impl IntoIterator<Item = (SystemId, &'s LeafSet)>,
    candidates: Option<BackwardSlice>,
) -> Flooded {
    let model = graph.model;
    let slots: Vec<Slot> = Slot::all(course).collect();
    let planes = course.planes();
    let mut rows = Rows::new(model, slots.len());
    let mut fresh = Rows::new(model, slots.len());
    let mut queue = Queue::new(graph, Way::Along);
    for (system, leaves) in seeds {
        let mut any = false;
        for slot in Slot::all(course).filter(|slot| slot.plane == 0) {
            let mut row = match course.marks() {
                None => leaves.clone(),
                Some(marks) if slot.marked => leaves.and(marks),
                Some(marks) => leaves.minus(marks),
            };
            if let Some(candidates) = candidates {
                candidates.keep(system, slot, row.row_mut());
            }
            any |= fresh.add(system, slot.index(planes), row.row());
        }
        if any {
            queue.add(system);
        }
    }
    let mut new: Vec<u64> = Vec::new();
    let mut active: Vec<Slot> = Vec::with_capacity(slots.len());
    let words = bits::words(model.data.leaf_count());
    let mut any: Vec<u64> = vec![0; words];
    let mut crossing: Vec<u64> = vec![0; words];
    while let Some(system) = queue.next() {
        new.clear();
        new.extend_from_slice(fresh.block(system));
        fresh.clear(system);
        if !settle(graph, course, &mut rows, system, &mut new) {
            continue;
        }
        active.clear();
        active.extend(slots.iter().filter(|slot| !bits::is_empty(slot.of(&new, planes, words))));
        any.fill(0);
        active.iter().for_each(|slot| {
            bits::or(&mut any, slot.of(&new, planes, words));
        });
        for Edge { flow, end, leaves } in graph.out(system).filter(|edge| edge.carries(&any)) {
            for &slot in &active {
                let held = slot.of(&new, planes, words);
                // With one plane it is known where they would arrive: most is there already.
                let some = if planes == 1 {
                    bits::both_new(held, leaves, rows.row(end, slot.index(1)))
                } else {
                    bits::intersects(held, leaves)
                };
                if !some {
                    continue;
                }
                for plane in course.nexts(flow, slot.plane) {
                    if !passes(flow) {
                        break;
                    }
                    let next = Slot { plane, ..slot };
                    crossing.copy_from_slice(held);
                    bits::and_assign(&mut crossing, leaves);
                    if let Some(candidates) = candidates {
                        candidates.keep(end, next, &mut crossing);
                    }
                    if bits::has_new(&crossing, rows.row(end, next.index(planes)))
                        && fresh.add(end, next.index(planes), &crossing)
                    {
                        queue.add(end);
                    }
                }
            }
        }
    }
    let mut systems = rows.systems().to_vec();
    systems.sort_unstable();
    Flooded { rows, systems }
}

/// Leaves what is new at a system in `new`, all that it derives included, and adds it;
/// whether there is any.
fn settle<C: Course>(graph: &Graph, course: &C, rows: &mut Rows, system: SystemId, new: &mut [u64]) -> bool {
    let unseen = |new: &mut [u64], rows: &Rows| {
        bits::and_not_assign(new, rows.block(system));
    };
    unseen(new, rows);
    if bits::is_empty(new) {
        return false;
    }
    if !graph.model.systems[system].derives.is_empty() {
        derive_all(graph.model, course, system, new);
        unseen(new, rows);
    }
    rows.add_block(system, new);
    true
}
