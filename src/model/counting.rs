//! Which flows count.

use jiff::civil::Date;

use super::{FlowId, Model, Table};
use crate::duration::Duration;
use crate::vocabulary::Status;

/// The part of the declared world that is judged.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The day that dates are compared with; none: dates do not matter.
    pub as_of: Option<Date>,
    /// Only agreements with these statuses; none: all.
    pub statuses: Option<Vec<Status>>,
}

/// For each flow whether it counts.
#[derive(Debug, Clone)]
pub struct Counting {
    flows: Table<FlowId, bool>,
    /// Flows that would count but for being disposed.
    pub disposed: Vec<FlowId>,
}

impl Scope {
    /// Whether agreements with a status are judged.
    pub fn admits(&self, status: Status) -> bool {
        self.statuses.as_ref().is_none_or(|list| list.contains(&status))
    }
}

impl Counting {
    /// Finds the counting flows.
    ///
    /// With a day D a flow counts iff the later of its and its agreement's
    /// `effective.from` ≤ D, neither is disposed on or before D, and not
    /// (earlier `until` + retention < D, both stated). Without, iff neither is
    /// disposed.
    pub fn new(model: &Model, scope: &Scope) -> Self {
        let counts = |id: FlowId| {
            if !admitted(model, id, scope) {
                return Counts::No;
            }
            if is_disposed(model, id, scope.as_of) { Counts::Disposed } else { Counts::Yes }
        };
        let counts: Table<FlowId, Counts> = Table::of(model.flows.len(), counts);
        let disposed = counts.iter().filter(|(_, counts)| **counts == Counts::Disposed);
        let disposed = disposed.map(|(id, _)| id).collect();
        Counting { flows: counts.map(|counts| *counts == Counts::Yes), disposed }
    }

    /// Whether any flow counts.
    pub fn any(model: &Model, scope: &Scope) -> bool {
        let counts = |id: FlowId| admitted(model, id, scope) && !is_disposed(model, id, scope.as_of);
        model.flows.ids().any(counts)
    }

    /// Whether a flow counts.
    pub fn has(&self, flow: FlowId) -> bool {
        self.flows[flow]
    }

    /// The counting flows, in order.
    pub fn iter(&self) -> impl Iterator<Item = FlowId> + '_ {
        self.flows.ids().filter(|&id| self.flows[id])
    }
}

/// Whether a flow counts, and if not, whether it would but for being disposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    Yes,
    Disposed,
    No,
}

/// Whether a flow counts unless it is disposed.
fn admitted(model: &Model, id: FlowId, scope: &Scope) -> bool {
    let agreement = model.flows[id].agreement;
    agreement.is_none_or(|a| scope.admits(model.agreements[a].status)) && in_time(model, id, scope.as_of)
}

fn in_time(model: &Model, id: FlowId, as_of: Option<Date>) -> bool {
    let Some(day) = as_of else {
        return true;
    };
    let flow = &model.flows[id];
    let dates = || {
        let agreement = flow.agreement.map(|a| &model.agreements[a].declared.effective);
        agreement.into_iter().chain([flow.declared.effective()])
    };
    let from = dates().filter_map(|e| e.from.as_ref()).map(|d| d.value).max();
    let until = dates().filter_map(|e| e.until.as_ref()).map(|d| d.value).min();
    if from.is_some_and(|from| from > day) {
        return false;
    }
    match (until, flow.retention) {
        (Some(until), Some(Duration::Hours(hours))) => {
            // until + hours / 24 < day, in whole numbers
            let days = i64::from((day - until).get_days());
            days < 0 || i128::from(hours) >= i128::from(days) * 24
        }
        _ => true,
    }
}

fn is_disposed(model: &Model, id: FlowId, as_of: Option<Date>) -> bool {
    let flow = &model.flows[id];
    let agreement = flow.agreement.and_then(|a| model.agreements[a].declared.disposed.as_deref());
    let mut disposals = flow.declared.disposed().into_iter().chain(agreement);
    disposals.any(|gone| match (as_of, gone.date) {
        (None, _) => true,
        (Some(day), Some(date)) => date <= day,
        // Said to be deleted, not when: not yet.
        (Some(_), None) => false,
    })
}
