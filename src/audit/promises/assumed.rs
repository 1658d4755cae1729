//! What an answer owes to origins that nobody declares.

use super::carried::leaves;
use super::{LISTED, Open, places};
use crate::audit::analysis::{Analysis, On, Violation, Witness};
use crate::audit::checks::needing;
use crate::audit::rules::{Exempt, Exemption};
use crate::base::bits::{self, LeafSet};
use crate::base::finding::GapKind;
use crate::base::taxonomy::Key;
use crate::declare::policy::{AnyOf, Body, FlowKeys, Most};
use crate::flow::graph::Origin;
use crate::flow::propagate::{
    Course, Deriving, OriginFilter, Restoring, Seed, Slot, State, forward, reaching,
};
use crate::model::matching::{Arrival, Matching, RELATIONS};
use crate::model::{FlowId, Model, SystemId, Table};

/// A system, and a category that is assumed to start there.
type Pair = (SystemId, Key);

/// The assumed origins that alone break a promise.
pub fn breaking(analysis: &Analysis, found: &[Violation]) -> Vec<Open> {
    let model = analysis.model;
    let mut open = Vec::new();
    for &pair in &analysis.assumed.pairs {
        let (system, key) = pair;
        let of_data = |v: &&Violation| v.data.intersects(&model.data.leaves([&key]));
        for violation in found.iter().filter(of_data) {
            let from_here =
                |w: &&Witness| w.walk.first().is_some_and(|&first| model.flows[first].from == system);
            let walk = violation.witnesses.iter().find(from_here);
            let (here, whither) = match violation.on {
                On::Pair(source, sink) if source == sink => (source == system, "is there".to_owned()),
                On::Pair(source, sink) => (source == system, format!("gets to {}", model.systems[sink].name)),
                On::System(at) => (at == system || walk.is_some(), "is counted".to_owned()),
                On::Party(at) => {
                    (model.systems[system].party == at || walk.is_some(), "is counted".to_owned())
                }
                _ => continue,
            };
            if here {
                open.push(origin(analysis, pair, &whither, walk.cloned()));
                break;
            }
        }
    }
    open
}

fn origin(analysis: &Analysis, (system, key): Pair, whither: &str, walk: Option<Witness>) -> Open {
    let model = analysis.model;
    let (name, data) = (&model.systems[system].name, model.data.name(key));
    Open {
        kind: GapKind::AssumedOrigin,
        message: format!(
            "no declaration says where {data} at {name} comes from: it is assumed to start there, and {whither}"
        ),
        missing: format!(
            "`originates` of the system where {data} starts, or the flow that brings it to {name}"
        ),
        span: Some(needing(model, system, key)),
        witness: walk,
    }
}

/// Walks over flows that are not exempt, marked once they are of the data; those that are exempt until they are
/// re-identified are in the second plane.
struct Unblocked<'c> {
    target: &'c Target,
    data: &'c LeafSet,
    touching: Deriving,
    restoring: Restoring,
}

impl<'c> Unblocked<'c> {
    fn new(model: &Model, target: &'c Target, data: &'c LeafSet) -> Self {
        Unblocked {
            target,
            data,
            touching: Deriving::new(model, data),
            restoring: Restoring::new(model, data),
        }
    }

    /// The leaves of a row with which items in a slot arrive by a flow where they must not.
    fn hit(&self, flow: FlowId, end: SystemId, slot: Slot, row: &[u64]) -> Option<LeafSet> {
        if !self.target.by[flow] {
            return None;
        }
        let exempt = self.target.through[flow] == Exemption::Transformed || self.target.spared[flow];
        Some(match (exempt || slot.plane == 1, slot.marked) {
            (true, marked) => self.restoring.with(end, marked, row),
            (false, true) => LeafSet::from(row),
            (false, false) => self.touching.at(end).with(row),
        })
    }
}

impl Course for Unblocked<'_> {
    fn planes(&self) -> usize {
        2
    }

    fn restored(&self, _: usize) -> usize {
        0
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(self.data)
    }

    // What is worked out from other data may come of the data of a promise.
    fn supposes(&self) -> bool {
        true
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        match self.target.through[flow] {
            Exemption::None => Some(plane),
            Exemption::Transformed => Some(1),
            Exemption::Lasting => None,
        }
    }
}

/// What a promise forbids to arrive, whoever it comes from.
struct Target {
    data: LeafSet,
    through: Table<FlowId, Exemption>,
    /// By this flow it arrives where it must not.
    by: Table<FlowId, bool>,
    /// As it does by these, only if it is re-identified there.
    spared: Table<FlowId, bool>,
    /// It must not be here.
    at: Table<SystemId, bool>,
    /// Only what may be of other categories than its own makes a difference: what it is
    /// has been counted.
    any_only: bool,
}

impl Target {
    fn new(analysis: &Analysis, body: &Body) -> Option<Self> {
        let (model, matching) = (analysis.model, analysis.matching);
        let exempt = |list: &AnyOf<FlowKeys>| -> Table<FlowId, Exemption> {
            let mut exempt = Exempt::new(matching, analysis.graph.facts(), list);
            let holds = |flow| match exempt.holds(flow) {
                // Where nothing is re-identified any more it lasts.
                Exemption::Transformed if !analysis.restorable.after(analysis.graph, flow) => {
                    Exemption::Lasting
                }
                exemption => exemption,
            };
            model.flows.ids().map(holds).collect()
        };
        Some(match body {
            Body::Require(_) => return None,
            Body::Forbid(forbid) => {
                let relations =
                    if Matching::asks_relation(&forbid.to) { RELATIONS } else { RELATIONS.get(..1)? };
                let is = |at: SystemId, by: Option<FlowId>| {
                    let arrives = |&relation| {
                        matching.arrival(&forbid.to, Arrival { at, by, relation: Some(relation) })
                    };
                    relations.iter().any(arrives)
                };
                let (through, arriving) = (exempt(&forbid.through), exempt(&forbid.arriving));
                let by = |flow: FlowId| {
                    analysis.counting.has(flow)
                        && ![through[flow], arriving[flow]].contains(&Exemption::Lasting)
                        && is(model.flows[flow].to, Some(flow))
                };
                Target {
                    data: leaves(analysis, &forbid.data),
                    by: model.flows.ids().map(by).collect(),
                    spared: arriving.map(|&exemption| exemption == Exemption::Transformed),
                    through,
                    at: model.systems.ids().map(|s| !model.is_ghost(s) && is(s, None)).collect(),
                    any_only: false,
                }
            }
            Body::Limit(limit) => {
                let mut at: Table<SystemId, bool> = model.systems.map(|_| false);
                places::places(analysis, limit).into_iter().for_each(|s| at[s] = true);
                let through = exempt(&limit.through);
                let by = |flow: FlowId| {
                    let exempt = through[flow] == Exemption::Lasting;
                    analysis.counting.has(flow) && !exempt && at[model.flows[flow].to]
                };
                let (keys, any_only) = match &limit.most {
                    Most::Together { of, .. } => (of, true),
                    Most::Origins { data, .. } => (data, false),
                };
                let by = model.flows.ids().map(by).collect();
                let spared = through.map(|_| false);
                Target { data: leaves(analysis, keys), through, by, spared, at, any_only }
            }
        })
    }
}

/// The assumed origins whose data would break a promise if it were what the promise is
/// about: of its data (or worked out from it), and from where it says. One pass backward
/// for all: unknown data passes every `only_from`.
pub fn would_break(analysis: &Analysis, body: &Body) -> Vec<Open> {
    if analysis.assumed.pairs.is_empty() {
        return Vec::new();
    }
    let model = analysis.model;
    let Some(target) = Target::new(analysis, body) else {
        return Vec::new();
    };
    let derived = model.data.find("derived");
    let course = Unblocked::new(model, &target, &target.data);
    let rows = reaching(analysis.graph, &course, analysis.graph.all(), |edge, slot, row| {
        if let Some(hit) = course.hit(edge.flow, edge.end, slot, edge.leaves) {
            row.copy_from_slice(hit.row());
        }
    });
    let mut open: Vec<Open> = Vec::new();
    for &(system, key) in &analysis.assumed.pairs {
        let start = model.data.leaves([&key]);
        // What is worked out from other data may come of any.
        let any = derived.is_some_and(|derived| model.data.at_or_below(key, derived));
        if target.any_only && !any {
            continue;
        }
        let of_data = if any { start.clone() } else { start.and(&target.data) };
        let gets = |marked: bool, leaves: &LeafSet| {
            let slot = Slot { plane: 0, marked };
            bits::intersects(rows.at(system, slot, course.planes()), leaves.row())
        };
        let listed = open.len() < LISTED;
        if target.at[system] && (any || start.intersects(course.touching.at(system))) {
            open.push(origin(analysis, (system, key), "the promise is about that place", None));
        } else if gets(true, &of_data) || gets(false, &start.minus(&of_data)) {
            let mut data = target.data.clone();
            if any {
                data.extend(start.row());
            }
            let walk = listed.then(|| walk(analysis, &target, &data, (system, &start))).flatten();
            let whither = match walk.as_ref().and_then(|w| w.walk.last()) {
                Some(&last) => format!("gets to {}", model.systems[model.flows[last].to].name),
                None => "gets to a place that the promise is about".to_owned(),
            };
            open.push(origin(analysis, (system, key), &whither, walk));
        }
    }
    open
}

/// A shortest walk by which data put at a system arrives where it must not.
fn walk(
    analysis: &Analysis,
    target: &Target,
    data: &LeafSet,
    (system, start): (SystemId, &LeafSet),
) -> Option<Witness> {
    let model = analysis.model;
    let course = Unblocked::new(model, target, data);
    let seeds: Vec<Seed> = start.iter().map(|leaf| Seed { system, stack: 0, leaf }).collect();
    let passing = OriginFilter::One(Origin::Assumed(model.systems[system].origin));
    let mut first: Option<(FlowId, State, usize)> = None;
    let mut layers = forward(analysis.graph, &course, passing, &seeds, None, |crossing| {
        let (flow, slot) = (crossing.flow, crossing.slot);
        if first.is_some() {
            return;
        }
        let Some(hit) = course.hit(flow, crossing.end, slot, crossing.leaves) else { return };
        if let Some(leaf) = bits::ones(hit.row()).next() {
            let state = State { system: model.flows[flow].from, stack: crossing.stack, slot, leaf };
            first = Some((flow, state, crossing.length));
        }
    });
    let (flow, state, length) = first?;
    let mut walk = layers.walk(state, length - 1);
    walk.push(flow);
    Some(analysis.witness(walk, start, Some(data)))
}
