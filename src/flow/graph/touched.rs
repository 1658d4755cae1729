//! The systems that a search touches: most touch few of all.

use std::cell::RefCell;

use crate::model::{Id, Model, SystemId};

thread_local! {
    static SPARE: RefCell<Vec<Vec<u32>>> = const { RefCell::new(Vec::new()) };
}

/// How much is kept.
const KEPT: usize = 16;

/// A zero for each system.
fn zeros(systems: usize) -> Vec<u32> {
    let spare = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        let at = spare.iter().position(|zeros| zeros.len() == systems)?;
        Some(spare.swap_remove(at))
    });
    spare.ok().flatten().unwrap_or_else(|| vec![0; systems])
}

/// Keeps zeros to be used again; all of them must be zero.
fn spare(zeros: &mut Vec<u32>) {
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

/// Numbers for the systems that are touched, in the order in which they are.
#[derive(Debug, Clone)]
pub struct Touched {
    /// For each system its number, from 1; 0: it has none.
    numbers: Vec<u32>,
    systems: Vec<SystemId>,
}

impl Touched {
    /// None yet.
    pub fn new(model: &Model) -> Self {
        Touched { numbers: zeros(model.systems.len()), systems: Vec::new() }
    }

    /// All of them, in the order of their numbers.
    pub fn systems(&self) -> &[SystemId] {
        &self.systems
    }

    /// The number of a system, from 0, if it has one.
    pub fn number(&self, system: SystemId) -> Option<usize> {
        (*self.numbers.get(system.index())? as usize).checked_sub(1)
    }

    /// The number of a system; it gets one if it has none.
    pub fn add(&mut self, system: SystemId) -> usize {
        let next = self.systems.len();
        match self.numbers.get_mut(system.index()) {
            Some(number) if *number == 0 => {
                self.systems.push(system);
                *number = next as u32 + 1;
                next
            }
            Some(number) => *number as usize - 1,
            // No system is beyond them.
            None => next,
        }
    }

    /// Takes all numbers away, at a cost of how many there are.
    pub fn clear(&mut self) {
        for system in self.systems.drain(..) {
            if let Some(number) = self.numbers.get_mut(system.index()) {
                *number = 0;
            }
        }
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        self.clear();
        spare(&mut self.numbers);
    }
}
