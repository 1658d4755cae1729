//! `terms/safeguards`: each flow has the safeguards that the agreement demands.

use super::{Check, How, Under};
use crate::audit::analysis::Analysis;
use crate::base::bits::LeafSet;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::model::FlowId;

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Safeguards,
    severity: Severity::Medium,
    title: "Data moves without a safeguard that its agreement demands",
    violated: "A flow that carries data under an agreement lacks one of the terms' `safeguards`.",
    why: "A safeguard that ends at the first hop protects nothing behind it.",
    remedy: "Put the safeguard in place and state it on the flow.",
    term: Some("safeguards"),
    how: How::Under(broken),
};

// T.safeguards ⊄ e.safeguards
fn broken(analysis: &Analysis, under: &Under, id: FlowId) -> Option<LeafSet> {
    let flow = &analysis.model.flows[id];
    let lacks = under.terms.safeguards.iter().any(|s| !flow.declared.safeguards.contains(&s.value));
    lacks.then(|| LeafSet::clone(&flow.leaves))
}
