//! What can reach a target, whatever its origin: one pass for all origins.

use std::collections::VecDeque;

use super::{Course, Rows, Slot};
use crate::bits;
use crate::graph::Graph;
use crate::model::{FlowId, SystemId};

/// For each system and slot the leaves that can reach a target, by flows that let
/// anything pass. For each of `flows`, `targets` adds to a row the leaves that hit a
/// target as they cross it in a slot.
pub fn reaching<C: Course>(
    graph: &Graph,
    course: &C,
    flows: impl IntoIterator<Item = FlowId>,
    mut targets: impl FnMut(FlowId, Slot, &mut [u64]),
) -> Rows {
    let model = graph.model;
    let planes = course.planes();
    let slots: Vec<Slot> = Slot::all(course).collect();
    let mut rows = Rows::new(model, slots.len());
    let words = bits::words(model.data.leaf_count());
    let mut work = Work { queue: VecDeque::new(), queued: model.systems.map(|_| false) };
    let mut row = vec![0; words];
    for flow in flows {
        let ends = &model.flows[flow];
        for &slot in &slots {
            row.fill(0);
            targets(flow, slot, &mut row);
            row.iter_mut().zip(ends.leaves.row()).for_each(|(r, l)| *r &= l);
            if rows.add(ends.from, slot.index(planes), &row) {
                work.add(ends.from);
            }
        }
    }
    while let Some(system) = work.next() {
        close(graph, course, &mut rows, system);
        for &flow in graph.into(system) {
            let ends = &model.flows[flow];
            for &slot in &slots {
                let Some(plane) = course.next(flow, slot.plane) else {
                    continue;
                };
                let there = rows.row(system, Slot { plane, ..slot }.index(planes));
                row.clear();
                row.extend(there.iter().zip(ends.leaves.row()).map(|(t, l)| t & l));
                if rows.add(ends.from, slot.index(planes), &row) {
                    work.add(ends.from);
                }
            }
        }
    }
    rows
}

/// What derives something that reaches, reaches.
fn close<C: Course>(graph: &Graph, course: &C, rows: &mut Rows, system: SystemId) {
    let planes = course.planes();
    let derives = &graph.model.systems[system].derives;
    let mut changed = !derives.is_empty();
    while changed {
        changed = false;
        for (from, into) in derives {
            for slot in Slot::all(course) {
                let index = slot.index(planes);
                let mut reaches = bits::intersects(rows.row(system, index), into.row());
                if let (false, Some(marks)) = (slot.marked, course.marks()) {
                    // Derived into one of the marks, an item goes on marked.
                    let marked = Slot { marked: true, ..slot }.index(planes);
                    reaches |= bits::intersects(rows.row(system, marked), into.and(marks).row());
                }
                changed |= reaches && rows.add(system, index, from.row());
            }
        }
    }
}

struct Work {
    queue: VecDeque<SystemId>,
    queued: crate::model::Table<SystemId, bool>,
}

impl Work {
    fn add(&mut self, system: SystemId) {
        if !std::mem::replace(&mut self.queued[system], true) {
            self.queue.push_back(system);
        }
    }

    fn next(&mut self) -> Option<SystemId> {
        let system = self.queue.pop_front()?;
        self.queued[system] = false;
        Some(system)
    }
}
