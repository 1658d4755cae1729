//! `terms/onward`: data is passed on only to whom the agreement allows.

use super::{Check, How, Under};
use crate::audit::analysis::Analysis;
use crate::base::bits::LeafSet;
use crate::base::vocabulary::{BuiltIn, Onward, Severity};
use crate::model::FlowId;

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Onward,
    severity: Severity::High,
    title: "Data is passed on to a party that its agreement does not allow",
    violated: "A flow that carries data under an agreement, and is not the agreement's own, crosses into another party \
               that has not signed it, is not allowed by `onward_to`, and is not one that `onward_transfer` allows.",
    why: "Whoever shares data under terms relies on it staying with those who signed them.",
    remedy: "Stop the flow, name the receiver in `onward_to`, or make it a processor under an agreement of its own.",
    term: Some("onward_transfer"),
    how: How::Under(broken),
};

fn broken(analysis: &Analysis, under: &Under, id: FlowId) -> Option<LeafSet> {
    if !offends(analysis, under, id) {
        return None;
    }
    let left = analysis.model.flows[id].leaves.minus(&allowed(analysis, under, id));
    (!left.is_empty()).then_some(left)
}

/// Whether a flow that is not the agreement's own passes data on to somebody who has not signed it.
fn goes_outside(analysis: &Analysis, under: &Under, id: FlowId) -> bool {
    let graph = analysis.graph;
    let signed = || analysis.model.agreements[under.agreement].parties.contains(&graph.receiver(id));
    graph.agreement(id) != Some(under.agreement) && graph.crosses(id) && !signed()
}

/// Whether a flow passes data on to somebody to whom the terms do not allow it, `onward_to` aside.
fn offends(analysis: &Analysis, under: &Under, id: FlowId) -> bool {
    let (model, graph) = (analysis.model, analysis.graph);
    if !goes_outside(analysis, under, id) {
        return false;
    }
    let agreement = &model.agreements[under.agreement];
    let by_processor = graph.by_processor(id);
    let group = model.parties[graph.receiver(id)].group;
    let affiliated = agreement.parties.iter().any(|&p| model.parties[p].group == group);
    match under.onward {
        Onward::Prohibited => true,
        Onward::Processors => !by_processor,
        Onward::Affiliates => !by_processor && !affiliated,
        Onward::Permitted => false,
    }
}

/// Whether a flow passes data on, `onward_to` aside, to somebody who has not signed the terms: by
/// nothing but whether it crosses into another party, and whether as the processor's.
pub fn passes_on(analysis: &Analysis, under: &Under, id: FlowId) -> bool {
    let (graph, onward) = (analysis.graph, under.onward);
    graph.crosses(id)
        && match onward {
            Onward::Prohibited => true,
            Onward::Processors | Onward::Affiliates => !graph.by_processor(id),
            Onward::Permitted => false,
        }
}

/// The leaves for which a flow that passes data on would break terms of any agreement that is
/// not its own and whose parties the receiver is not among.
pub fn disallowed_leaves(analysis: &Analysis, under: &Under, id: FlowId) -> Option<LeafSet> {
    let left = analysis.model.flows[id].leaves.minus(&allowed(analysis, under, id));
    (!left.is_empty()).then_some(left)
}

/// The leaves that `onward_to` lets pass over a flow.
fn allowed(analysis: &Analysis, under: &Under, id: FlowId) -> LeafSet {
    let model = analysis.model;
    let flow = &model.flows[id];
    let mut leaves = LeafSet::empty(model.data.leaf_count());
    for allowed in under.onward_to.iter().filter(|a| a.party == analysis.graph.receiver(id)) {
        if allowed.purposes.is_empty() || flow.purposes.iter().all(|&p| model.under(p, &allowed.purposes)) {
            leaves.extend(allowed.leaves.as_ref().unwrap_or(&flow.leaves).row());
        }
    }
    leaves
}

/// Whether `onward_to` might keep a flow from breaking terms of any agreement like this.
pub fn may_rely(analysis: &Analysis, under: &Under, id: FlowId) -> bool {
    analysis.counting.has(id) && analysis.graph.crosses(id) && !allowed(analysis, under, id).is_empty()
}

/// Whether terms that permit it might keep a flow from breaking terms of any agreement like this.
pub fn may_permit(analysis: &Analysis, under: &Under, id: FlowId) -> bool {
    under.onward == Onward::Permitted && analysis.counting.has(id) && analysis.graph.crosses(id)
}

/// The leaves for which only that the terms permit it keeps a flow from breaking them.
pub fn permits(analysis: &Analysis, under: &Under, id: FlowId) -> Option<LeafSet> {
    let permits =
        may_permit(analysis, under, id) && !under.releases(analysis, id) && goes_outside(analysis, under, id);
    permits.then(|| LeafSet::clone(&analysis.model.flows[id].leaves))
}

/// The leaves for which only `onward_to` keeps a flow from breaking the terms.
pub fn relies(analysis: &Analysis, under: &Under, id: FlowId) -> Option<LeafSet> {
    if !analysis.counting.has(id) || under.releases(analysis, id) || !offends(analysis, under, id) {
        return None;
    }
    let leaves = allowed(analysis, under, id).and(&analysis.model.flows[id].leaves);
    (!leaves.is_empty()).then_some(leaves)
}
