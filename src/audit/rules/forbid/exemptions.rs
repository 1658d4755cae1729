//! The exemptions that keep data from going on, or from breaking the rule as it arrives, and the claims by which it
//! is no further from its origin.
//!
//! Asked is only whether somebody's data uses one. So what is left to be found is at most
//! what would be if every `only_from` let all pass; each class of sources is followed
//! towards what the others have left, and none once nothing is.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::classes::Ways;
use super::prepared::{Decided, Items, Prepared, Reach, Sought};
use super::{Source, backward_slice, backward_slice_of};
use crate::audit::rules::exempt::Exemption;
use crate::base::bits::LeafSet;
use crate::flow::graph::Footing;
use crate::flow::propagate::{BackwardSlice, Course};
use crate::model::{FlowId, SystemId};

/// A flow with what of it was used.
pub(super) type Used = (FlowId, Use);

/// What of a flow was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Use {
    /// That `through` matches it.
    Through,
    /// That `arriving` matches it.
    Arriving,
    /// A claim of who is whose affiliate or processor.
    Claim(Footing),
}

/// What the uses depend on.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Asked {
    sources: Vec<SystemId>,
    data: LeafSet,
    through: Vec<(FlowId, bool)>,
}

impl Asked {
    /// Of a rule; `None` if it is like no other's.
    pub fn of(sources: &[Source], decided: &Decided, sought: Sought) -> Option<Self> {
        Some(Asked {
            sources: sources.iter().map(|&(_, system, _)| system).collect(),
            data: decided.data().clone(),
            through: match sought {
                Sought::Claims => decided.through(),
                Sought::Breaches | Sought::Exemptions => decided.through_alone()?,
            },
        })
    }
}

/// What of exemptions or claims data of some sources uses.
pub(super) fn used(rule: &Prepared, sources: &[Source], sought: Sought) -> FxHashSet<Used> {
    let any = Reach { rule, items: Items::Anybody };
    let mut slice = backward_slice(&any, sought);
    if slice.systems().is_empty() {
        return FxHashSet::default();
    }
    let ways = Ways::new(any, sources, sought, BackwardSlice::of(&slice, any.planes()));
    let mut left: BTreeSet<FlowId> = ways.ends.iter().copied().collect();
    let mut sliced = left.len();
    let mut used = FxHashSet::default();
    for (origin, sources) in ways.classes(sources) {
        if left.is_empty() {
            break;
        }
        if 2 * left.len() <= sliced {
            slice = backward_slice_of(&any, sought, left.iter().copied());
            sliced = left.len();
        }
        let Some(class) = ways.class(origin, sources, any.slice(&slice)) else { continue };
        class.found(sought, |flow, _, _| {
            if left.remove(&flow) {
                let by = match (sought, class.course.footing(flow)) {
                    (Sought::Claims, Some(footing)) => Use::Claim(footing),
                    _ if rule.through(flow) != Exemption::None => Use::Through,
                    _ => Use::Arriving,
                };
                used.insert((flow, by));
            }
        });
    }
    used
}
