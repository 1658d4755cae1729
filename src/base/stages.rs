//! What the program is at, for those who wait: the library says which stage begins and how
//! far it is; a [`Watch`], if somebody set one, takes the time.
//!
//! There is one watch a process, as there is one logger: so no function has to carry it.
//! Without one a stage costs nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

static WATCH: OnceLock<Watch> = OnceLock::new();

/// Takes the time of stages.
#[derive(Debug, Default)]
pub struct Watch {
    /// The stage that runs, with its parts and when it began.
    now: Mutex<Option<(&'static str, usize, Instant)>>,
    /// The parts of it that are done.
    steps: AtomicUsize,
    costs: Mutex<Vec<Cost>>,
}

/// What a stage cost.
#[derive(Debug, Clone)]
pub struct Cost {
    /// Its name.
    pub stage: &'static str,
    /// How long it took.
    pub took: Duration,
    /// What it dealt with: how much of what.
    pub amount: Option<(usize, Unit)>,
}

/// What a stage deals with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of text.
    Bytes,
    /// Flows.
    Flows,
    /// Findings.
    Findings,
}

/// How far the stage is that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Its name.
    pub stage: &'static str,
    /// The parts that are done.
    pub done: usize,
    /// All its parts; 0: nobody knows.
    pub of: usize,
}

/// The watch of this process; the first call sets it.
pub fn watch() -> &'static Watch {
    WATCH.get_or_init(Watch::default)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// How far the stage is that runs.
    pub fn progress(&self) -> Option<Progress> {
        let (stage, of, _) = (*held(&self.now))?;
        Some(Progress { stage, done: self.steps.load(Ordering::Relaxed), of })
    }

    /// What the stages cost that have ended, in the order of their first beginning. What
    /// ran several times is summed.
    pub fn costs(&self) -> Vec<Cost> {
        held(&self.costs).clone()
    }

    fn end(&self, amount: Option<(usize, Unit)>) {
        let Some((stage, _, since)) = held(&self.now).take() else { return };
        let took = since.elapsed();
        let mut costs = held(&self.costs);
        match costs.iter_mut().find(|cost| cost.stage == stage) {
            Some(cost) => {
                cost.took += took;
                cost.amount = match (cost.amount, amount) {
                    (Some((a, unit)), Some((b, _))) => Some((a.saturating_add(b), unit)),
                    (one, other) => one.or(other),
                };
            }
            None => costs.push(Cost { stage, took, amount }),
        }
    }
}

/// A stage that runs until this is dropped or another begins.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Stage {
    watch: Option<&'static Watch>,
    amount: Option<(usize, Unit)>,
}

/// Begins a stage of so many parts; 0: nobody knows.
pub fn begin(name: &'static str, of: usize) -> Stage {
    let watch = WATCH.get();
    if let Some(watch) = watch {
        watch.steps.store(0, Ordering::Relaxed);
        *held(&watch.now) = Some((name, of, Instant::now()));
    }
    Stage { watch, amount: None }
}

impl Stage {
    /// One more part is done, and came to this.
    pub fn after<T>(&self, result: T) -> T {
        if let Some(watch) = self.watch {
            watch.steps.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// It ends, having dealt with so much.
    pub fn end(mut self, amount: usize, unit: Unit) {
        self.amount = Some((amount, unit));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(watch) = self.watch {
            watch.end(self.amount);
        }
    }
}
