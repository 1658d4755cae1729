//! Flows that offend by themselves, and what they carry.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{ALL, How};
use crate::bits::LeafSet;
use crate::judge::{Judge, On, RuleRef, Shortest, Violation, keep_shortest};
use crate::model::FlowId;
use crate::propagate::{Candidates, Course, Passing, reaching};

/// Everything moves everywhere; nothing more needs to be known.
#[derive(Debug)]
pub struct Plain;

impl Course for Plain {
    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// Whether a check that looks at flows alone finds something at a flow.
pub fn offends(judge: &Judge, check: usize, flow: FlowId) -> bool {
    match ALL.get(check).map(|check| check.how) {
        Some(How::Alone(offends)) => judge.counting.has(flow) && offends(judge, flow),
        _ => false,
    }
}

/// The findings of the checks that look at flows alone.
pub fn offending_flows(judge: &Judge) -> Vec<Violation> {
    let mut offending: Vec<(usize, FlowId)> = Vec::new();
    for (check, how) in ALL.iter().map(|c| c.how).enumerate() {
        if let How::Alone(offends) = how {
            offending
                .extend(judge.counting.iter().filter(|&flow| offends(judge, flow)).map(|flow| (check, flow)));
        }
    }
    let flows: FxHashSet<FlowId> = offending.iter().map(|&(_, flow)| flow).collect();
    let carried = carried(judge, &flows);
    let nothing = (LeafSet::empty(judge.model.data.leaf_count()), Vec::new());
    let violation = |(check, flow): (usize, FlowId)| {
        let (data, walk) = carried.get(&flow).unwrap_or(&nothing);
        let f = &judge.model.flows[flow];
        let documented = f.agreement.into_iter().collect();
        Violation {
            rule: RuleRef::Check(check),
            on: On::Flow(flow),
            severity: None,
            agreements: documented,
            data: data.clone(),
            arrives_as: judge.held.carried[flow].clone(),
            witnesses: vec![judge.witness(walk.clone(), data, None)],
            consequent: false,
            details: Vec::new(),
        }
    };
    offending.into_iter().map(violation).collect()
}

/// The origin leaves that each of some flows carries, and a shortest walk that ends
/// with it.
fn carried(judge: &Judge, flows: &FxHashSet<FlowId>) -> BTreeMap<FlowId, (LeafSet, Vec<FlowId>)> {
    let model = judge.model;
    let mut carried: BTreeMap<FlowId, (LeafSet, Vec<FlowId>)> = BTreeMap::new();
    if flows.is_empty() {
        return carried;
    }
    let offending = judge.graph.some(flows.iter().copied());
    let candidates =
        reaching(judge.graph, &Plain, offending, |edge, _, row| row.copy_from_slice(edge.leaves));
    let candidates = Candidates::of(&candidates, 1);
    let turning = judge.turning(candidates);
    let useful = (candidates, &turning);
    for &(origin, ref starts) in judge.origins {
        let mut shortest: FxHashMap<FlowId, Shortest> = FxHashMap::default();
        let mut seen: Vec<(FlowId, LeafSet)> = Vec::new();
        let followed =
            judge.follow(judge.graph, &Plain, Passing::One(origin), starts, useful, |began, crossing| {
                if flows.contains(&crossing.flow) {
                    let mut data = LeafSet::empty(model.data.leaf_count());
                    began.note(&LeafSet::from(&*crossing.leaves), &mut data);
                    seen.push((crossing.flow, data));
                    keep_shortest(
                        &mut shortest,
                        crossing.flow,
                        Shortest::new(model, &crossing, crossing.leaves),
                    );
                }
            });
        let Some(followed) = followed else {
            continue;
        };
        for (flow, data) in seen {
            let empty = || (LeafSet::empty(model.data.leaf_count()), Vec::new());
            carried.entry(flow).or_insert_with(empty).0.extend(data.row());
        }
        for (flow, shortest) in &shortest {
            if let Some((_, walk)) = carried.get_mut(flow)
                && (walk.is_empty() || shortest.length < walk.len())
            {
                *walk = followed.walk(shortest);
            }
        }
    }
    carried
}
