//! Flows that offend by themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::world::Ground;
use crate::base::vocabulary::Status;
use crate::model::{AgreementId, FlowId};

/// The checks that look at flows alone.
pub const ALONE: [&str; 3] = ["terms/consent", "flow/undocumented", "flow/foreign-party"];

/// The check of agreements that have ended.
pub const ENDED: &str = "agreement/ended";

/// The flows by which agreements that have ended still move data to other groups.
pub fn ended(ground: &Ground) -> BTreeMap<AgreementId, BTreeSet<FlowId>> {
    let mut all: BTreeMap<AgreementId, BTreeSet<FlowId>> = BTreeMap::new();
    for edge in ground.edges().iter().filter(|edge| edge.counts && edge.left != edge.entered) {
        let Some(id) = ground.model.flows[edge.flow].agreement else { continue };
        let agreement = &ground.model.agreements[id];
        let until = agreement.declared.effective.until.as_ref().map(|until| until.value);
        if agreement.status == Status::Terminated || until.is_some_and(|until| until < ground.day) {
            all.entry(id).or_default().insert(edge.declared);
        }
    }
    all
}

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
