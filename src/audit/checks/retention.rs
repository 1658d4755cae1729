//! `terms/retention`: data is kept no longer than the agreement allows.

use super::{Check, How, Under};
use crate::audit::analysis::Analysis;
use crate::base::bits::LeafSet;
use crate::base::duration::Duration;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::model::FlowId;

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Retention,
    severity: Severity::Medium,
    title: "Data is kept longer than its agreement allows",
    violated: "A flow that carries data under an agreement is kept at the receiver longer than the terms' `retention`; \
               a flow and a receiving system that state none keep it without limit.",
    why: "Data that is kept on can still leak, be combined or be put to another use.",
    remedy: "State a shorter `retention` on the flow or the receiving system, and delete accordingly.",
    term: Some("retention"),
    how: How::Under(broken),
};

// retention(e) > T.retention
fn broken(analysis: &Analysis, under: &Under, id: FlowId) -> Option<LeafSet> {
    let flow = &analysis.model.flows[id];
    let kept = flow.retention.unwrap_or(Duration::Unlimited);
    under.terms.retention.is_some_and(|most| kept > most).then(|| LeafSet::clone(&flow.leaves))
}
