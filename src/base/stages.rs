//! Progress, for those who wait: the library says which stage begins and how far it is.
//!
//! Whoever wants to know hands [`Stages::timed`] to the library with the request and the options. The
//! default handle records nothing and costs nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The stages of one run. Clones share one record, so that a request and the options of an audit can
/// report to the same place.
#[derive(Debug, Clone, Default)]
pub struct Stages(Option<Arc<Record>>);

/// What is known of the stages of a run.
#[derive(Debug, Default)]
struct Record {
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
    /// All its parts; 0: unknown.
    pub of: usize,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stages {
    /// Stages whose progress and costs are recorded.
    pub fn timed() -> Self {
        Stages(Some(Arc::default()))
    }

    /// Begins a stage of so many parts; 0: unknown.
    pub fn begin(&self, name: &'static str, of: usize) -> Stage {
        if let Some(record) = &self.0 {
            record.steps.store(0, Ordering::Relaxed);
            *held(&record.now) = Some((name, of, Instant::now()));
        }
        Stage { record: self.0.clone(), amount: None }
    }

    /// How far the stage is that runs.
    pub fn progress(&self) -> Option<Progress> {
        let record = self.0.as_ref()?;
        let (stage, of, _) = (*held(&record.now))?;
        Some(Progress { stage, done: record.steps.load(Ordering::Relaxed), of })
    }

    /// What the stages cost that have ended, in the order in which they first ended. A stage that ran
    /// several times is listed once, with the sum.
    pub fn costs(&self) -> Vec<Cost> {
        self.0.as_ref().map(|record| held(&record.costs).clone()).unwrap_or_default()
    }
}

impl Record {
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
    record: Option<Arc<Record>>,
    amount: Option<(usize, Unit)>,
}

impl Stage {
    /// One more part is done, and came to this.
    pub fn after<T>(&self, result: T) -> T {
        if let Some(record) = &self.record {
            record.steps.fetch_add(1, Ordering::Relaxed);
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
        if let Some(record) = &self.record {
            record.end(self.amount);
        }
    }
}
