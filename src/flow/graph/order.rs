//! An order of systems along the flows: whoever looks at systems in this order has, but for
//! circles, seen all that can come to a system before he looks at it.

use super::Edges;
use crate::model::{SystemId, Table};

/// Systems along the flows: reverse postorder of a depth-first search.
#[derive(Debug)]
pub struct Order {
    place: Table<SystemId, u32>,
    systems: Vec<SystemId>,
}

impl Order {
    /// Of all systems, by the flows that leave them.
    pub(super) fn new(systems: &Table<SystemId, crate::model::System>, out: &Edges) -> Self {
        let mut seen = systems.map(|_| false);
        let mut done: Vec<SystemId> = Vec::with_capacity(systems.len());
        let mut open = Vec::new();
        for root in systems.ids() {
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            open.push((root, out.ends(root)));
            while let Some((system, ends)) = open.last_mut() {
                match ends.next() {
                    Some(&end) if std::mem::replace(&mut seen[end], true) => {}
                    Some(&end) => open.push((end, out.ends(end))),
                    None => {
                        done.push(*system);
                        open.pop();
                    }
                }
            }
        }
        done.reverse();
        let mut place = systems.map(|_| 0);
        (0..).zip(&done).for_each(|(at, &system)| place[system] = at);
        Order { place, systems: done }
    }

    /// How many systems there are.
    pub fn count(&self) -> usize {
        self.systems.len()
    }

    /// All of them, in order.
    pub fn systems(&self) -> &[SystemId] {
        &self.systems
    }

    /// Where a system stands.
    pub fn place(&self, system: SystemId) -> usize {
        self.place[system] as usize
    }

    /// The system at a place.
    pub fn at(&self, place: usize) -> Option<SystemId> {
        self.systems.get(place).copied()
    }
}
