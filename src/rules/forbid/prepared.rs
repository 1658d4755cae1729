//! A `forbid` decided once for each flow, and the walks that it looks at.

use crate::bits::LeafSet;
use crate::graph::Graph;
use crate::judge::Judge;
use crate::matching::{Arrival, Matching, RELATIONS, Reading};
use crate::model::{FlowId, Table};
use crate::policy::Forbid;
use crate::propagate::{Alike, Course, Deriving, Slot, Whose};
use crate::vocabulary::Relation;

/// A rule, judged once on each flow and system.
pub(super) struct Prepared<'j> {
    pub judge: &'j Judge<'j>,
    /// The leaves of `data`; all, if it is left out.
    pub data: LeafSet,
    pub through: Table<FlowId, bool>,
    pub arriving: Table<FlowId, bool>,
    /// For each flow the relations with which its arrival matches `to`, a bit each.
    pub to: Table<FlowId, u8>,
    /// Whether the relation matters.
    pub relation: bool,
    /// The leaves that are of `data` on arrival at a system: by what it derives.
    pub touching: Deriving,
}

const EVERY: u8 = (1 << RELATIONS.len()) - 1;

fn bit(relation: Relation) -> u8 {
    1 << RELATIONS.iter().position(|&r| r == relation).unwrap_or(0)
}

impl<'j> Prepared<'j> {
    pub fn new(judge: &'j Judge<'j>, rule: &Forbid) -> Self {
        let (model, matching) = (judge.model, judge.matching);
        let relation = Matching::asks_relation(&rule.to);
        let exempt = |list| {
            move |flow: FlowId| -> bool {
                let list: &crate::policy::AnyOf<_> = list;
                !list.is_empty() && judge.counting.has(flow) && matching.flow(list, flow, Reading::Unlikely)
            }
        };
        let arrival = |flow: FlowId, relation| {
            matching.arrival(&rule.to, Arrival { at: model.flows[flow].to, by: Some(flow), relation })
        };
        let to = |flow: FlowId| -> u8 {
            if !judge.counting.has(flow) {
                0
            } else if relation {
                RELATIONS.iter().filter(|&&r| arrival(flow, Some(r))).map(|&r| bit(r)).sum()
            } else {
                u8::from(arrival(flow, None)) * EVERY
            }
        };
        let data = match rule.data.as_slice() {
            [] => LeafSet::full(model.data.leaf_count()),
            keys => model.data.leaves(keys.iter().map(|k| &k.value)),
        };
        Prepared {
            judge,
            through: model.flows.ids().map(exempt(&rule.through)).collect(),
            arriving: model.flows.ids().map(exempt(&rule.arriving)).collect(),
            to: model.flows.ids().map(to).collect(),
            relation,
            touching: Deriving::new(model, &data),
            data,
        }
    }

    /// The leaves with which items in a slot are of `data` when they arrive by a flow.
    pub fn of_data(&self, flow: FlowId, marked: bool, leaves: &[u64]) -> LeafSet {
        let leaves = LeafSet::from(leaves);
        if marked { leaves } else { leaves.and(self.touching.at(self.judge.model.flows[flow].to)) }
    }
}

/// Walks of items of one origin, or of many alike; planes are distances if the
/// relation matters.
pub(super) struct Reach<'p> {
    pub rule: &'p Prepared<'p>,
    /// Whose items; `None`: anybody's, distances left open.
    pub whose: Option<(Whose, &'p Alike)>,
}

impl Reach<'_> {
    fn graph(&self) -> &Graph<'_> {
        self.rule.judge.graph
    }

    /// Whether arriving by a flow in a plane matches `to`.
    pub fn arrives(&self, flow: FlowId, plane: usize) -> bool {
        let matching = self.rule.to[flow];
        match self.whose {
            Some((whose, alike)) if self.rule.relation && matching != 0 => {
                let k = alike.distance(self.graph(), flow, whose, plane);
                matching & bit(alike.relation(self.graph(), flow, whose, k)) != 0
            }
            _ => matching != 0,
        }
    }

    /// The leaves in a slot with which items break the rule, or would but for an
    /// exempt arrival, as they arrive by a flow.
    pub fn hits(&self, flow: FlowId, slot: Slot, leaves: &[u64]) -> Option<LeafSet> {
        if !self.arrives(flow, slot.plane) {
            return None;
        }
        let hit = self.rule.of_data(flow, slot.marked, leaves);
        (!hit.is_empty()).then_some(hit)
    }
}

impl Course for Reach<'_> {
    fn planes(&self) -> usize {
        if self.rule.relation && self.whose.is_some() { 3 } else { 1 }
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.rule.data)
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        if self.rule.through[flow] {
            return None;
        }
        Some(match self.whose {
            Some((whose, alike)) if self.rule.relation => alike.distance(self.graph(), flow, whose, plane),
            _ => plane,
        })
    }
}
