//! Which flows count.

use jiff::civil::Date;

use super::{Agreement, FlowId, Model, Table};
use crate::base::vocabulary::Status;
use crate::declare::inventory::{Disposed, Effective};

/// The part of the declared world that is judged.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Leaves out agreements that are over on a day.
    pub running_on: Option<Date>,
    /// The day that dates are compared with; none: dates do not matter.
    pub as_of: Option<Date>,
    /// Only agreements with these statuses; none: all.
    pub statuses: Option<Vec<Status>>,
}

/// For each flow whether it counts, and whether it moves data.
#[derive(Debug, Clone)]
pub struct Counting {
    flows: Table<FlowId, Counts>,
    /// How many flows are declared: others leave ghosts.
    declared: usize,
    /// Flows that would count but for being disposed.
    pub disposed: Vec<FlowId>,
    /// Flows that would count but for a retention that has ended.
    pub expired: Vec<FlowId>,
}

impl Scope {
    /// Whether an agreement is judged.
    pub fn has(&self, agreement: &Agreement) -> bool {
        self.admits(agreement.status) && self.running_on.is_none_or(|day| !agreement.ended(day))
    }

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
    /// disposed on or before the day judged.
    pub fn new(model: &Model, day: Date, scope: &Scope) -> Self {
        let counts = |id: FlowId| {
            if !admitted(model, id, scope) {
                return Counts::No;
            }
            // Where only agreements in force are judged, nothing comes from ghosts.
            let haunts = scope.running_on.is_none() && model.has_ghosts();
            if !haunts && model.leaves_ghost(id) {
                return Counts::No;
            }
            let moves = |day: Date| haunts && began_before(model, id, day);
            match (disposed(model, id, day, scope), expired(model, id, scope.as_of)) {
                (Some(gone), _) => Counts::Disposed { moves: moves(gone) },
                (None, Some(gone)) => Counts::Expired { moves: moves(gone) },
                (None, None) => Counts::Yes,
            }
        };
        let flows: Table<FlowId, Counts> = Table::of(model.flows.len(), counts);
        let all = |what: fn(&Counts) -> bool| {
            let those = flows.iter().filter(|&(id, counts)| what(counts) && !model.leaves_ghost(id));
            those.map(|(id, _)| id).collect::<Vec<_>>()
        };
        let disposed = all(|counts| matches!(counts, Counts::Disposed { .. }));
        let expired = all(|counts| matches!(counts, Counts::Expired { .. }));
        let declared = flows.ids().filter(|&id| !model.leaves_ghost(id)).count();
        Counting { flows, declared, disposed, expired }
    }

    /// Whether any flow counts.
    pub fn any(model: &Model, day: Date, scope: &Scope) -> bool {
        Counting::new(model, day, scope).iter().next().is_some()
    }

    /// Whether a flow counts.
    pub fn has(&self, flow: FlowId) -> bool {
        self.flows[flow] == Counts::Yes
    }

    /// The counting flows, in order, each once, wherever it starts.
    pub fn iter(&self) -> impl Iterator<Item = FlowId> + '_ {
        self.flows.ids().take(self.declared).filter(|&id| self.has(id))
    }

    /// Whether a flow moves data: it counts, or it is disposed, began before that, and leads into a
    /// ghost. A model without ghosts has none such.
    pub fn moves(&self, flow: FlowId) -> bool {
        match self.flows[flow] {
            Counts::Yes => true,
            Counts::Disposed { moves } | Counts::Expired { moves } => moves,
            Counts::No => false,
        }
    }

    /// The flows that move data, in order, those that leave ghosts among them.
    pub fn moving(&self) -> impl Iterator<Item = FlowId> + '_ {
        self.flows.ids().filter(|&id| self.moves(id))
    }
}

/// Whether a flow counts, and if not, whether it would but for being disposed; and whether it then
/// moves data into a ghost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    Yes,
    Disposed { moves: bool },
    Expired { moves: bool },
    No,
}

/// Whether a flow counts unless it is disposed.
fn admitted(model: &Model, id: FlowId, scope: &Scope) -> bool {
    let agreement = model.flows[id].agreement;
    agreement.is_none_or(|agreement| scope.has(&model.agreements[agreement]))
        && scope.as_of.is_none_or(|day| begins(model, id).is_none_or(|from| from <= day))
}

/// When a flow runs, by itself and by its agreement.
fn dates(model: &Model, id: FlowId) -> impl Iterator<Item = &Effective> {
    let flow = &model.flows[id];
    let agreement = flow.agreement.map(|a| &model.agreements[a].declared.effective);
    agreement.into_iter().chain([flow.declared.effective()])
}

/// The first day of a flow, if it or its agreement states one.
pub fn begins(model: &Model, id: FlowId) -> Option<Date> {
    dates(model, id).filter_map(|dates| dates.from.as_ref()).map(|day| day.value).max()
}

/// Whether a flow began before a day; one that does not say when it began did.
pub(super) fn began_before(model: &Model, id: FlowId, day: Date) -> bool {
    begins(model, id).is_none_or(|from| from < day)
}

/// The last day of a flow, if it or its agreement states one.
pub fn ends(model: &Model, id: FlowId) -> Option<Date> {
    dates(model, id).filter_map(|dates| dates.until.as_ref()).map(|day| day.value).min()
}

/// The last day on which a receiver keeps what a flow brought, by the calendar, if that is stated.
pub fn kept_until(model: &Model, id: FlowId) -> Option<Date> {
    model.flows[id].retention?.after(ends(model, id)?)
}

/// The day of a disposal that has happened.
fn disposed(model: &Model, id: FlowId, day: Date, scope: &Scope) -> Option<Date> {
    let date = disposal(model, id)?.date;
    (date <= scope.as_of.unwrap_or(day)).then_some(date)
}

/// The day after a retention that has ended, which only a day asked for shows.
fn expired(model: &Model, id: FlowId, as_of: Option<Date>) -> Option<Date> {
    let last = kept_until(model, id)?;
    if last < as_of? { last.tomorrow().ok() } else { None }
}

/// The day on which what a flow brought was disposed of, stated or by the end of its retention.
pub fn gone(model: &Model, id: FlowId, day: Date, scope: &Scope) -> Option<Date> {
    disposed(model, id, day, scope).or_else(|| expired(model, id, scope.as_of))
}

/// The disposal of what a flow brought: its own or its agreement's, the earlier of them.
pub fn disposal(model: &Model, id: FlowId) -> Option<&Disposed> {
    let flow = &model.flows[id];
    let agreement = flow.agreement.and_then(|a| model.agreements[a].declared.disposed.as_deref());
    flow.declared.disposed().into_iter().chain(agreement).min_by_key(|gone| gone.date)
}
