//! The exemptions that keep data from going on, or from breaking the rule as it arrives.
//!
//! Asked is only whether somebody's data uses one. So what is left to be found is at most
//! what would be if every `only_from` let all pass; each class of sources is followed
//! towards what the others have left, and none once nothing is.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::classes::{Class, Ways};
use super::prepared::{Decided, Items, Prepared, Reach, Sought};
use super::{Source, backward_slice, backward_slice_of};
use crate::audit::rules::exempt::Exemption;
use crate::base::bits::LeafSet;
use crate::flow::propagate::{BackwardSlice, Course};
use crate::model::{FlowId, SystemId};

/// A flow with an exemption that was used: whether by `through` or by `arriving`.
pub(super) type Used = (FlowId, bool);

/// What the exemptions used depend on, if nothing is exempt as it arrives.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Asked {
    sources: Vec<SystemId>,
    data: LeafSet,
    through: Vec<(FlowId, bool)>,
}

impl Asked {
    /// Of a rule; `None` if it is like no other's.
    pub fn of(sources: &[Source], decided: &Decided) -> Option<Self> {
        Some(Asked {
            sources: sources.iter().map(|&(_, system, _)| system).collect(),
            data: decided.data().clone(),
            through: decided.through_alone()?,
        })
    }
}

/// The exemptions that data of some sources uses.
pub(super) fn used(rule: &Prepared, sources: &[Source]) -> FxHashSet<Used> {
    let any = Reach { rule, items: Items::Anybody };
    let mut slice = backward_slice(&any, Sought::Exemptions);
    if slice.systems().is_empty() {
        return FxHashSet::default();
    }
    let ways = Ways::new(any, sources, Sought::Exemptions, BackwardSlice::of(&slice, any.planes()));
    let mut left: BTreeSet<FlowId> = ways.ends.iter().copied().collect();
    let mut sliced = left.len();
    let mut used = FxHashSet::default();
    for (origin, sources) in ways.classes(sources) {
        if left.is_empty() {
            break;
        }
        if 2 * left.len() <= sliced {
            slice = backward_slice_of(&any, Sought::Exemptions, left.iter().copied());
            sliced = left.len();
        }
        if let Some(class) = ways.class(origin, sources, any.slice(&slice)) {
            uses(&class, &mut left, |flow| {
                used.insert((flow, rule.through(flow) != Exemption::None));
            });
        }
    }
    used
}

/// Takes from what is left the exemptions that items of a class use.
fn uses(class: &Class, left: &mut BTreeSet<FlowId>, mut each: impl FnMut(FlowId)) {
    class.found(Sought::Exemptions, |flow, _, _| {
        if left.remove(&flow) {
            each(flow);
        }
    });
}
