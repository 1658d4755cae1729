//! What can reach a target, whatever its origin: one pass for all origins.

use super::queue::Queue;
use super::{Course, Rows, Slot};
use crate::bits;
use crate::graph::{Edge, Graph};
use crate::model::{FlowId, SystemId};

/// For each system and slot the leaves that can reach a target, by flows that let
/// anything pass. For each of `flows`, `targets` adds to a row the leaves that hit a
/// target as they cross it in a slot.
pub fn reaching<C: Course>(
    graph: &Graph,
    course: &C,
    flows: impl IntoIterator<Item = FlowId>,
    targets: impl FnMut(FlowId, Slot, &mut [u64]),
) -> Rows {
    let rows = Rows::new(graph.model, Slot::all(course).count());
    go_back(graph, course, flows, targets, rows, Queue::new(graph.model))
}

/// As [`reaching`], from what is known where some flows carried less, and no other did.
pub fn reaching_besides<C: Course>(
    graph: &Graph,
    course: &C,
    known: &Rows,
    more: &[FlowId],
    targets: impl FnMut(FlowId, Slot, &mut [u64]),
) -> Rows {
    let mut work = Queue::new(graph.model);
    more.iter().for_each(|&flow| work.add(graph.model.flows[flow].to));
    go_back(graph, course, more.iter().copied(), targets, known.clone(), work)
}

fn go_back<C: Course>(
    graph: &Graph,
    course: &C,
    flows: impl IntoIterator<Item = FlowId>,
    mut targets: impl FnMut(FlowId, Slot, &mut [u64]),
    mut rows: Rows,
    mut work: Queue,
) -> Rows {
    let model = graph.model;
    let planes = course.planes();
    let slots: Vec<Slot> = Slot::all(course).collect();
    let words = bits::words(model.data.leaf_count());
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
        for Edge { flow, end, leaves } in graph.into(system) {
            for &slot in &slots {
                row.fill(0);
                for plane in course.nexts(flow, slot.plane) {
                    bits::or(&mut row, rows.row(system, Slot { plane, ..slot }.index(planes)));
                }
                row.iter_mut().zip(leaves).for_each(|(r, l)| *r &= l);
                if rows.add(end, slot.index(planes), &row) {
                    work.add(end);
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
