//! Which flows a rule exempts.

use rustc_hash::FxHashMap;

use crate::judge::Judge;
use crate::matching::{Matching, Reading};
use crate::model::FlowId;
use crate::policy::{AnyOf, FlowKeys};
use crate::vocabulary::{Consent, Transform};

/// Decides for flow after flow whether a list exempts it.
pub(super) struct Exempt<'r> {
    judge: &'r Judge<'r>,
    list: &'r AnyOf<FlowKeys>,
    /// By what is done to the data and the consent, if nothing else is asked.
    known: Option<FxHashMap<(Transform, Consent), bool>>,
}

impl<'r> Exempt<'r> {
    /// By a list; one that is empty exempts nothing.
    pub fn new(judge: &'r Judge<'r>, list: &'r AnyOf<FlowKeys>) -> Self {
        Exempt { judge, list, known: Matching::asks_manner(list).then(FxHashMap::default) }
    }

    /// Whether it exempts a flow, counting or not.
    pub fn holds(&mut self, flow: FlowId) -> bool {
        if self.list.is_empty() {
            return false;
        }
        let holds = || self.judge.matching.flow(self.list, flow, Reading::Unlikely);
        match &mut self.known {
            Some(known) => *known.entry(self.judge.graph.manner(flow)).or_insert_with(holds),
            None => holds(),
        }
    }
}
