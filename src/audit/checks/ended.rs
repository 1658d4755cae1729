//! `agreement/ended`: what has ended is disposed.

use std::collections::{BTreeMap, BTreeSet};

use super::flows::Carried;
use super::{Check, How};
use crate::audit::analysis::{Analysis, On, RuleRef, Violation};
use crate::base::bits::LeafSet;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::model::{AgreementId, FlowId};

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Ended,
    severity: Severity::Medium,
    title: "An agreement has ended, and what it moved is not disposed",
    violated: "On the day judged an agreement is terminated, or past its `effective.until`, and has flows in scope to \
               receivers outside of the sender's group: what they brought is still there, and no agreement in force \
               covers it.",
    why: "Ending an agreement does not take the data back.",
    remedy: "State the disposal (`disposed`, with date and evidence), or extend the agreement.",
    term: None,
    how: How::Agreements,
};

/// The flows by which ended agreements still move data.
// A ended on the day judged, e of A counts: group(e.from) ≠ group(e.to)
pub(super) fn moving(analysis: &Analysis) -> BTreeMap<AgreementId, Vec<FlowId>> {
    let model = analysis.model;
    let outside = |&&flow: &&FlowId| {
        let (from, to) = (model.flows[flow].from, model.flows[flow].to);
        let counts = analysis.counting.has(flow) && !model.leaves_ghost(flow);
        counts && model.systems[from].group != model.systems[to].group
    };
    let ended = model.agreements.iter().filter(|(_, agreement)| agreement.ended(analysis.day));
    let flows = ended.map(|(id, agreement)| (id, agreement.flows.iter().filter(outside).copied().collect()));
    flows.filter(|(_, flows): &(AgreementId, Vec<FlowId>)| !flows.is_empty()).collect()
}

/// A finding for each ended agreement, by what its flows carry.
pub(super) fn found(
    analysis: &Analysis,
    ended: BTreeMap<AgreementId, Vec<FlowId>>,
    carried: &BTreeMap<FlowId, Carried>,
) -> Vec<Violation> {
    let none = LeafSet::empty(analysis.model.data.leaf_count());
    let violation = |(agreement, flows): (AgreementId, Vec<FlowId>)| {
        let (mut data, mut arrives_as) = (none.clone(), none.clone());
        let mut origins = BTreeSet::new();
        for &flow in &flows {
            if let Some(carried) = carried.get(&flow) {
                data.extend(carried.data.row());
                origins.extend(&carried.origins);
            }
            arrives_as.extend(analysis.carried(flow).row());
        }
        let walks = flows.iter().filter_map(|flow| carried.get(flow)).map(|carried| &carried.walk);
        let shortest = walks.filter(|walk| !walk.is_empty()).min_by_key(|walk| walk.len());
        let witnesses =
            shortest.map(|walk| analysis.witness(walk.clone(), &data, None)).into_iter().collect();
        Violation {
            agreements: vec![agreement],
            witnesses,
            data,
            arrives_as,
            origins: analysis.by_party.then(|| origins.into_iter().collect()),
            ..Violation::bare(ended_check(), On::Agreement(agreement), analysis.model.data.leaf_count())
        }
    };
    ended.into_iter().map(violation).collect()
}

fn ended_check() -> RuleRef {
    RuleRef::Check(CHECK.id)
}

/// That agreements have ended, and nothing more.
pub fn ended(analysis: &Analysis) -> Vec<Violation> {
    let leaves = analysis.model.data.leaf_count();
    moving(analysis).into_keys().map(|id| Violation::bare(ended_check(), On::Agreement(id), leaves)).collect()
}
