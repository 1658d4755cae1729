//! Flows that offend by themselves, and what they carry.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{How, all, check, ended};
use crate::audit::analysis::{Analysis, On, RuleRef, Shortest, Violation, keep_shortest};
use crate::base::bits::LeafSet;
use crate::base::vocabulary::BuiltIn;
use crate::flow::propagate::{BackwardSlice, Course, OriginFilter, reaching};
use crate::model::{FlowId, PartyId};

/// Everything moves everywhere; nothing more needs to be known.
#[derive(Debug)]
pub struct Plain;

impl Course for Plain {
    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// Whether a check that looks at flows alone finds something at a flow.
pub fn offends(analysis: &Analysis, id: BuiltIn, flow: FlowId) -> bool {
    match check(id).how {
        How::Alone(offends) => analysis.counting.has(flow) && offends(analysis, flow),
        _ => false,
    }
}

/// The findings of the checks that look at flows alone, and on agreements that have ended.
pub fn offending_flows(analysis: &Analysis) -> Vec<Violation> {
    let mut offending: Vec<(BuiltIn, FlowId)> = Vec::new();
    for check in all() {
        if let How::Alone(offends) = check.how {
            let flows = analysis.counting.iter().filter(|&flow| offends(analysis, flow));
            offending.extend(flows.map(|flow| (check.id, flow)));
        }
    }
    let ended = ended::moving(analysis);
    let of_ended = ended.values().flatten().copied();
    let flows: FxHashSet<FlowId> = offending.iter().map(|&(_, flow)| flow).chain(of_ended).collect();
    let carried = carried(analysis, &flows);
    let nothing = Carried::nothing(analysis);
    let violation = |(check, flow): (BuiltIn, FlowId)| {
        let Carried { data, walk, origins } = carried.get(&flow).unwrap_or(&nothing);
        let f = &analysis.model.flows[flow];
        let documented = f.agreement.into_iter().collect();
        Violation {
            rule: RuleRef::Check(check),
            on: On::Flow(flow),
            severity: None,
            agreements: documented,
            data: data.clone(),
            arrives_as: analysis.carried(flow),
            origins: analysis.by_party.then(|| origins.iter().copied().collect()),
            witnesses: (!walk.is_empty())
                .then(|| analysis.witness(walk.clone(), data, None))
                .into_iter()
                .collect(),
            consequent: false,
            details: Vec::new(),
        }
    };
    let mut violations: Vec<Violation> = offending.into_iter().map(violation).collect();
    violations.extend(ended::found(analysis, ended, &carried));
    violations
}

/// What a flow carries.
pub(super) struct Carried {
    /// The origin leaves.
    pub data: LeafSet,
    /// A shortest walk that ends with it.
    pub walk: Vec<FlowId>,
    /// Whose data, if that is asked.
    pub origins: BTreeSet<PartyId>,
}

impl Carried {
    fn nothing(analysis: &Analysis) -> Self {
        let data = LeafSet::empty(analysis.model.data.leaf_count());
        Carried { data, walk: Vec::new(), origins: BTreeSet::new() }
    }
}

/// What each of some flows carries.
fn carried(analysis: &Analysis, flows: &FxHashSet<FlowId>) -> BTreeMap<FlowId, Carried> {
    let model = analysis.model;
    let mut carried: BTreeMap<FlowId, Carried> = BTreeMap::new();
    if flows.is_empty() {
        return carried;
    }
    let members = analysis.graph.members();
    let everywhere = flows.iter().flat_map(|&flow| model.everywhere(flow));
    let offending = analysis.graph.some(everywhere.filter(|&flow| members[flow]));
    let candidates =
        reaching(analysis.graph, &Plain, offending, |edge, _, row| row.copy_from_slice(edge.leaves));
    let candidates = BackwardSlice::of(&candidates, 1);
    let turning = analysis.turning(candidates);
    let slice = (candidates, &turning);
    // How long a shortest walk to each flow is, and from which origin; a walk is written out only where it is
    // the one that is shown.
    let mut nearest: FxHashMap<FlowId, (usize, usize)> = FxHashMap::default();
    for (at, &(origin, ref starts)) in analysis.origins.iter().enumerate() {
        let mut seen: Vec<(FlowId, LeafSet, usize)> = Vec::new();
        let passing = OriginFilter::One(origin);
        analysis.follow(analysis.graph, &Plain, passing, starts, slice, |began, crossing| {
            let flow = model.declared_flow(crossing.flow);
            if flows.contains(&flow) {
                let mut data = LeafSet::empty(model.data.leaf_count());
                began.note(&LeafSet::from(&*crossing.leaves), &mut data);
                let length = Shortest::new(model, &crossing, crossing.leaves).length;
                seen.push((flow, data, length));
            }
        });
        for (flow, data, length) in seen {
            let known = carried.entry(flow).or_insert_with(|| Carried::nothing(analysis));
            known.data.extend(data.row());
            known.origins.extend(analysis.by_party.then(|| origin.party()));
            let known = nearest.entry(flow).or_insert((length, at));
            if length < known.0 {
                *known = (length, at);
            }
        }
    }
    let mut shown: BTreeMap<usize, FxHashSet<FlowId>> = BTreeMap::new();
    for (&flow, &(length, at)) in &nearest {
        match carried.get_mut(&flow) {
            // Nothing comes before it.
            Some(known) if length == 1 => known.walk = vec![flow],
            _ => drop(shown.entry(at).or_default().insert(flow)),
        }
    }
    for (at, flows) in shown {
        let Some(&(origin, ref starts)) = analysis.origins.get(at) else { continue };
        let mut shortest: FxHashMap<FlowId, Shortest> = FxHashMap::default();
        let passing = OriginFilter::One(origin);
        let mut followed = analysis.follow(analysis.graph, &Plain, passing, starts, slice, |_, crossing| {
            let flow = model.declared_flow(crossing.flow);
            if flows.contains(&flow) {
                keep_shortest(&mut shortest, flow, Shortest::new(model, &crossing, crossing.leaves));
            }
        });
        let Some(followed) = &mut followed else { continue };
        for (flow, shortest) in &shortest {
            if let Some(known) = carried.get_mut(flow) {
                known.walk = followed.walk(shortest);
            }
        }
    }
    carried
}
