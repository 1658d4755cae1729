//! Whether declared flows carry the data that a promise is about, and how far.

use std::collections::BTreeSet;

use crate::bits::LeafSet;
use crate::decode::Spanned;
use crate::judge::Judge;
use crate::matching::Reading;
use crate::model::{FlowId, SystemId};
use crate::policy::{AnyOf, PlaceKeys};
use crate::propagate::{Candidates, Course, Deriving, reaching};
use crate::taxonomy::Key;

/// Where data of some categories gets to.
#[derive(Debug, Default)]
pub struct Carried {
    /// Some of it starts at a source.
    pub starts: bool,
    /// A flow carries some.
    pub any: bool,
    /// The flows that do (with `all`).
    pub flows: BTreeSet<FlowId>,
    /// The systems that they bring it to (with `all`).
    pub reached: BTreeSet<SystemId>,
}

/// Walks over all flows, marked once they are of the data.
struct Anywhere<'d>(&'d LeafSet);

impl Course for Anywhere<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(self.0)
    }

    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// Whether flows carry data of some categories (none: any) from some places (none: any);
/// with `all`, which flows, and where to.
pub fn carried(judge: &Judge, data: &[Spanned<Key>], from: &AnyOf<PlaceKeys>, all: bool) -> Carried {
    let model = judge.model;
    let data = leaves(judge, data);
    let touching = Deriving::new(model, &data);
    let course = Anywhere(&data);
    let rows = reaching(judge.graph, &course, judge.counting.iter(), |flow, slot, row| {
        let leaves = &model.flows[flow].leaves;
        let of_data = if slot.marked { leaves.clone() } else { leaves.and(touching.at(model.flows[flow].to)) };
        row.copy_from_slice(of_data.row());
    });
    let candidates = Candidates { rows: &rows, planes: 1 };
    let mut found = Carried::default();
    for &(origin, ref starts) in judge.origins {
        for &(source, leaves) in starts {
            if !judge.matching.place(from, source, Reading::Likely) {
                continue;
            }
            found.starts |= leaves.intersects(touching.at(source));
            judge.follow(&course, origin, &[(source, leaves)], candidates, |_, crossing| {
                let here = touching.at(model.flows[crossing.flow].to);
                if crossing.slot.marked || LeafSet::from(&*crossing.leaves).intersects(here) {
                    found.any = true;
                    found.flows.insert(crossing.flow);
                    found.reached.insert(model.flows[crossing.flow].to);
                }
            });
            if found.any && !all {
                return found;
            }
        }
    }
    found
}

/// The leaves of some categories; all, if there are none.
pub fn leaves(judge: &Judge, keys: &[Spanned<Key>]) -> LeafSet {
    let tree = &judge.model.data;
    match keys {
        [] => LeafSet::full(tree.leaf_count()),
        keys => tree.leaves(keys.iter().map(|key| &key.value)),
    }
}
