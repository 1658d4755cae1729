//! Flows that offend by themselves.

use super::ground::Ground;
use crate::model::FlowId;

/// The checks that look at flows alone.
pub const ALONE: [&str; 3] = ["terms/consent", "flow/undocumented", "flow/foreign-party"];

/// Which of them a flow breaks.
pub fn broken(ground: &Ground, flow: FlowId) -> Vec<&'static str> {
    let (model, f) = (ground.model, &ground.model.flows[flow]);
    let (sender, receiver) = (model.sender(flow), model.receiver(flow));
    let least = f.agreement.and(f.terms.consent);
    let foreign = f.agreement.is_some_and(|agreement| {
        let parties = &model.agreements[agreement].parties;
        !parties.contains(&sender) || !parties.contains(&receiver)
    });
    let all =
        [least.is_some_and(|least| f.consent < least), f.agreement.is_none() && sender != receiver, foreign];
    ALONE.into_iter().zip(all).filter(|(_, broken)| *broken).map(|(check, _)| check).collect()
}
