//! `flow/foreign-party`: an agreement's flows touch only those who signed it.

use super::{Check, How};
use crate::audit::analysis::Analysis;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::model::FlowId;

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::ForeignParty,
    severity: Severity::High,
    title: "A flow touches a party that has not signed its agreement",
    violated: "A flow under an agreement starts or ends at a party that is not among the agreement's `parties`.",
    why: "Terms bind those who signed them, and nobody else.",
    remedy: "Add the party to the agreement, or put the flow under one that it has signed.",
    term: None,
    how: How::Alone(offends),
};

fn offends(analysis: &Analysis, id: FlowId) -> bool {
    let model = analysis.model;
    model.flows[id].agreement.is_some_and(|agreement| {
        let parties = &model.agreements[agreement].parties;
        !parties.contains(&model.sender(id)) || !parties.contains(&model.receiver(id))
    })
}
