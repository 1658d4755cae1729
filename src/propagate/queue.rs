//! Memory that is as long as there are systems, and most searches touch little of: cleared
//! where it was touched, and used again.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::model::{Id, Model, SystemId};

thread_local! {
    static SPARE: RefCell<Vec<Vec<u32>>> = const { RefCell::new(Vec::new()) };
}

/// How much is kept.
const KEPT: usize = 12;

/// A zero for each system.
pub(super) fn zeros(systems: usize) -> Vec<u32> {
    let spare = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        let at = spare.iter().position(|zeros| zeros.len() == systems)?;
        Some(spare.swap_remove(at))
    });
    spare.ok().flatten().unwrap_or_else(|| vec![0; systems])
}

/// Keeps zeros to be used again; all of them must be zero.
pub(super) fn spare(zeros: &mut Vec<u32>) {
    let zeros = std::mem::take(zeros);
    // At the end of a thread there is nowhere to keep them, and no need.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() == KEPT {
            spare.remove(0);
        }
        spare.push(zeros);
    });
}

/// The systems that are to be looked at, in the order in which something came to them.
#[derive(Debug)]
pub(super) struct Queue {
    order: VecDeque<SystemId>,
    waiting: Vec<u32>,
}

impl Queue {
    /// None of a model's.
    pub fn new(model: &Model) -> Self {
        Queue { order: VecDeque::new(), waiting: zeros(model.systems.len()) }
    }

    /// Adds a system, unless it waits already.
    pub fn add(&mut self, system: SystemId) {
        if let Some(waiting) = self.waiting.get_mut(system.index())
            && std::mem::replace(waiting, 1) == 0
        {
            self.order.push_back(system);
        }
    }

    /// Takes the next.
    pub fn next(&mut self) -> Option<SystemId> {
        let system = self.order.pop_front()?;
        if let Some(waiting) = self.waiting.get_mut(system.index()) {
            *waiting = 0;
        }
        Some(system)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        while self.next().is_some() {}
        spare(&mut self.waiting);
    }
}
