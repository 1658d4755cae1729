//! `terms/consent`: an agreement's own flows state the consent that it demands.

use super::{Check, How};
use crate::audit::analysis::Analysis;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::model::FlowId;

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Consent,
    severity: Severity::High,
    title: "A flow states less consent than its agreement demands",
    violated: "A flow of an agreement states a `consent` that is less than its terms' (none < opt_out < opt_in), \
               whatever it carries.",
    why: "The agreement lets data move only for people who have agreed to it.",
    remedy: "Obtain and state the consent, or stop the flow.",
    term: Some("consent"),
    how: How::Alone(offends),
};

// e of A: consent(e) < T(e).consent
fn offends(analysis: &Analysis, id: FlowId) -> bool {
    let flow = &analysis.model.flows[id];
    flow.agreement.is_some() && flow.terms.consent.is_some_and(|least| flow.consent < least)
}
