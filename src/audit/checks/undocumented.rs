//! `flow/undocumented`: what moves between two parties moves under an agreement.

use super::{Check, How};
use crate::audit::analysis::Analysis;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::model::FlowId;

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Undocumented,
    severity: Severity::High,
    title: "Data moves between two parties under no agreement",
    violated: "A flow between systems of two parties is under no agreement.",
    why: "Without an agreement nobody has said what the receiver may do with the data.",
    remedy: "Put the flow under an agreement, or stop it.",
    term: None,
    how: How::Alone(offends),
};

fn offends(analysis: &Analysis, id: FlowId) -> bool {
    analysis.model.flows[id].agreement.is_none() && analysis.model.crosses(id)
}
