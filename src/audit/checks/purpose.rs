//! `terms/purpose`: data is used for what the agreement permits.

use super::{Check, How, Under};
use crate::audit::analysis::Analysis;
use crate::base::bits::LeafSet;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::declare::inventory::Terms;
use crate::model::{FlowId, Model};
use crate::read::decode::Spanned;

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Purpose,
    severity: Severity::High,
    title: "Data is used for a purpose that its agreement does not permit",
    violated: "A flow that carries data under an agreement has a purpose that is not at or below one of the terms' \
               `purposes` (where stated; of an agreement of processing else those of its own flows that leave a \
               provider); or the receiving system is run for purposes none of which is at, below or above one of \
               them; or a purpose of the flow or of the receiving system and one of the terms' \
               `prohibited_purposes` are equal or one is below the other.",
    why: "Terms follow the data: what was received for one purpose may not be turned to another further on.",
    remedy: "Stop the flow, narrow its purposes or those of the receiving system, or agree on the purpose.",
    term: Some("purposes"),
    how: How::Under(broken),
};

// ∃ p ∈ e.purposes: p not below any of T.purposes, or
// v.purposes ≠ ∅, ∀ p ∈ v.purposes, q ∈ T.purposes: neither p ≤ q nor q ≤ p, or
// ∃ p ∈ e.purposes ∪ v.purposes, q ∈ T.prohibited: p ≤ q or q ≤ p
fn broken(analysis: &Analysis, under: &Under, id: FlowId) -> Option<LeafSet> {
    let model = analysis.model;
    let flow = &model.flows[id];
    let run_for = &model.systems[flow.to].purposes;
    let outside = under.permitted.as_ref().is_some_and(|named| {
        let related = |&used: &Key| named.iter().any(|&one| model.related(used, one));
        flow.purposes.iter().any(|&p| !model.under(p, named))
            || !run_for.is_empty() && !run_for.iter().any(related)
    });
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
