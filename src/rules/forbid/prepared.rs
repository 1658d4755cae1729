//! A `forbid` decided once for each flow, and the walks that it looks at.

use std::sync::Arc;

use crate::bits::LeafSet;
use crate::graph::Graph;
use crate::judge::Judge;
use crate::matching::{Arrival, Matching, RELATIONS, Reading};
use crate::model::{FlowId, SystemId, Table};
use crate::policy::{AnyOf, FlowKeys, Forbid};
use crate::propagate::{Alike, Course, Deriving, Slot, Whose};
use crate::vocabulary::Relation;

/// A rule on each flow and system.
pub(super) struct Prepared<'j> {
    pub judge: &'j Judge<'j>,
    decided: Arc<Decided>,
}

/// What a rule says of each flow and system, whoever's items come there.
#[derive(Debug)]
pub(super) struct Decided {
    /// The leaves of `data`; all, if it is left out.
    data: LeafSet,
    /// For each counting flow the relations with which its arrival matches `to`, a bit
    /// each, and whether it is exempt.
    flows: Table<FlowId, u8>,
    /// Whether the relation matters.
    relation: bool,
    /// The leaves that are of `data` on arrival at a system: by what it derives.
    touching: Deriving,
}

const EVERY: u8 = (1 << RELATIONS.len()) - 1;
const THROUGH: u8 = 1 << RELATIONS.len();
const ARRIVING: u8 = THROUGH << 1;

fn bit(relation: Relation) -> u8 {
    1 << RELATIONS.iter().position(|&r| r == relation).unwrap_or(0)
}

impl Decided {
    fn new(judge: &Judge, rule: &Forbid) -> Self {
        let (model, matching) = (judge.model, judge.matching);
        let relation = Matching::asks_relation(&rule.to);
        let exempt =
            |list: &AnyOf<FlowKeys>, flow| !list.is_empty() && matching.flow(list, flow, Reading::Unlikely);
        let arrival = |flow: FlowId, relation| {
            matching.arrival(&rule.to, Arrival { at: model.flows[flow].to, by: Some(flow), relation })
        };
        let decide = |flow: FlowId| -> u8 {
            if !judge.counting.has(flow) {
                return 0;
            }
            let to = if relation {
                RELATIONS.iter().filter(|&&r| arrival(flow, Some(r))).map(|&r| bit(r)).sum()
            } else {
                u8::from(arrival(flow, None)) * EVERY
            };
            to + u8::from(exempt(&rule.through, flow)) * THROUGH
                + u8::from(exempt(&rule.arriving, flow)) * ARRIVING
        };
        let data = match rule.data.as_slice() {
            [] => LeafSet::full(model.data.leaf_count()),
            keys => model.data.leaves(keys.iter().map(|k| &k.value)),
        };
        Decided {
            flows: model.flows.ids().map(decide).collect(),
            relation,
            touching: Deriving::new(model, &data),
            data,
        }
    }
}

impl<'j> Prepared<'j> {
    /// As decided before, if it was.
    pub fn new(judge: &'j Judge<'j>, rule: &Forbid, decided: Option<&Arc<Decided>>) -> Self {
        let decided = decided.map_or_else(|| Arc::new(Decided::new(judge, rule)), Arc::clone);
        Prepared { judge, decided }
    }

    pub fn decided(&self) -> &Arc<Decided> {
        &self.decided
    }

    /// The leaves of `data`.
    pub fn data(&self) -> &LeafSet {
        &self.decided.data
    }

    /// Whether the relation matters.
    pub fn relation(&self) -> bool {
        self.decided.relation
    }

    /// The leaves that are of `data` at a system.
    pub fn touching(&self, system: SystemId) -> &LeafSet {
        self.decided.touching.at(system)
    }

    /// Whether a flow matches `through`.
    pub fn through(&self, flow: FlowId) -> bool {
        self.decided.flows[flow] & THROUGH != 0
    }

    /// Whether a flow matches `arriving`.
    pub fn arriving(&self, flow: FlowId) -> bool {
        self.decided.flows[flow] & ARRIVING != 0
    }

    /// The relations with which an arrival by a flow matches `to`, a bit each.
    pub fn to(&self, flow: FlowId) -> u8 {
        self.decided.flows[flow] & EVERY
    }

    /// The leaves with which items in a slot are of `data` when they arrive by a flow.
    pub fn of_data(&self, flow: FlowId, marked: bool, leaves: &[u64]) -> LeafSet {
        if marked {
            LeafSet::from(leaves)
        } else {
            self.touching(self.judge.model.flows[flow].to).with(leaves)
        }
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
        let matching = self.rule.to(flow);
        match self.whose {
            Some((whose, alike)) if self.rule.relation() && matching != 0 => {
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
        if self.rule.relation() && self.whose.is_some() { 3 } else { 1 }
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(self.rule.data())
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        if self.rule.through(flow) {
            return None;
        }
        Some(match self.whose {
            Some((whose, alike)) if self.rule.relation() => alike.distance(self.graph(), flow, whose, plane),
            _ => plane,
        })
    }
}
