//! `terms/purpose`: data is used for what the agreement permits.

use super::{Check, How, Under};
use crate::bits::LeafSet;
use crate::decode::Spanned;
use crate::inventory::Terms;
use crate::judge::Judge;
use crate::model::{FlowId, Model};
use crate::taxonomy::Key;
use crate::vocabulary::Severity;

/// The check.
pub const CHECK: Check = Check {
    id: "terms/purpose",
    severity: Severity::High,
    title: "Data is used for a purpose that its agreement does not permit",
    violated: "A flow that carries data under an agreement has a purpose that is not at or below one of the terms' \
               `purposes` (where stated); or a purpose of the flow or of the receiving system and one of the terms' \
               `prohibited_purposes` are equal or one is below the other.",
    why: "Terms follow the data: what was received for one purpose may not be turned to another further on.",
    remedy: "Stop the flow, narrow its purposes or those of the receiving system, or agree on the purpose.",
    term: Some("purposes"),
    how: How::Under(broken),
};

// ∃ p ∈ e.purposes: p not below any of T.purposes, or
// ∃ p ∈ e.purposes ∪ v.purposes, q ∈ T.prohibited: p ≤ q or q ≤ p
fn broken(judge: &Judge, under: &Under, id: FlowId) -> Option<LeafSet> {
    let model = judge.model;
    let flow = &model.flows[id];
    let permitted = under.terms.purposes.as_ref().map(|list| keys(list));
    let outside = permitted.is_some_and(|named| flow.purposes.iter().any(|&p| !model.under(p, &named)));
    (outside || ruled_out(model, under.terms, id)).then(|| LeafSet::clone(&flow.leaves))
}

/// Whether terms rule out a purpose of a flow or of where it ends: that says more than
/// that they do not permit it.
pub fn ruled_out(model: &Model, terms: &Terms, id: FlowId) -> bool {
    let flow = &model.flows[id];
    let prohibited = keys(&terms.prohibited_purposes);
    let mut used = flow.purposes.iter().chain(&model.systems[flow.to].purposes);
    used.any(|&p| model.under(p, &prohibited) || prohibited.iter().any(|&q| model.under(q, &[p])))
}

fn keys(list: &[Spanned<Key>]) -> Vec<Key> {
    list.iter().map(|k| k.value).collect()
}
