//! What an answer owes to origins that nobody declares.

use super::carried::leaves;
use super::places::holding;
use super::Open;
use crate::audit::needing;
use crate::bits::{self, LeafSet};
use crate::decode::Spanned;
use crate::finding::GapKind;
use crate::graph::Origin;
use crate::judge::{Judge, On, RuleRef, Starts, Violation, Witness};
use crate::matching::{Arrival, RELATIONS, Reading};
use crate::model::{FlowId, SystemId};
use crate::policy::{Body, Forbid, Limit, Most};
use crate::propagate::{Course, Deriving, Seed, State, forward};
use crate::rules;
use crate::source::Span;
use crate::taxonomy::Key;

/// The assumed origins that alone break a promise.
pub fn breaking(judge: &Judge, found: &[&Violation]) -> Vec<Open> {
    let model = judge.model;
    let mut open: Vec<Open> = Vec::new();
    for violation in found {
        for &(system, key) in &judge.assumed.pairs {
            let starts = match violation.on {
                On::Pair(source, _) => source == system,
                _ => violation.witnesses.iter().any(|w| match w.walk.first() {
                    Some(&first) => model.flows[first].from == system,
                    None => at(judge, violation.on).contains(&system),
                }),
            };
            if !starts || !violation.data.intersects(&model.data.leaves([&key])) {
                continue;
            }
            let whither = match violation.on {
                On::Pair(source, sink) if source == sink => "is there".to_owned(),
                On::Pair(_, sink) => format!("gets to {}", model.systems[sink].name),
                _ => "is counted".to_owned(),
            };
            let walk = violation.witnesses.iter().find(|w| match w.walk.first() {
                Some(&first) => model.flows[first].from == system,
                None => true,
            });
            let one = origin(judge, (system, key), &whither, walk.cloned());
            if !open.iter().any(|o| o.span == one.span && o.missing == one.missing) {
                open.push(one);
            }
        }
    }
    open
}

fn at(judge: &Judge, on: On) -> Vec<SystemId> {
    match on {
        On::System(system) => vec![system],
        On::Party(party) => judge.model.parties[party].systems.clone(),
        _ => Vec::new(),
    }
}

fn origin(judge: &Judge, (system, key): (SystemId, Key), whither: &str, walk: Option<Witness>) -> Open {
    let model = judge.model;
    let (name, data) = (&model.systems[system].name, model.data.name(key));
    Open {
        kind: GapKind::AssumedOrigin,
        message: format!(
            "no declaration says where {data} at {name} comes from: it is assumed to start there, and {whither}"
        ),
        missing: format!("`originates` of the system where {data} starts, or the flow that brings it to {name}"),
        span: Some(needing(model, system, key)),
        witness: walk.filter(|w| !w.walk.is_empty()),
    }
}

/// The assumed origins whose data would break a promise if it were what the promise is
/// about: of its data (or worked out from it), and from where it says.
pub fn would_break(judge: &Judge, rule: RuleRef, body: &Body) -> Vec<Open> {
    let derived = judge.model.data.find("derived");
    // What is worked out from other data may come of any.
    let may_be_any = |key: Key| derived.is_some_and(|d| judge.model.data.at_or_below(key, d));
    let pairs = judge.assumed.pairs.iter().copied();
    match body {
        Body::Require(_) => Vec::new(),
        Body::Forbid(forbid) => pairs
            .filter_map(|pair| {
                let (sink, walk) = arrives(judge, forbid, pair, may_be_any(pair.1))?;
                let whither = match walk.walk.is_empty() {
                    true => "the promise is about that place".to_owned(),
                    false => format!("gets to {}", judge.model.systems[sink].name),
                };
                Some(origin(judge, pair, &whither, Some(walk)))
            })
            .collect(),
        Body::Limit(limit) => pairs
            .filter(|pair| counts(judge, rule, limit, *pair, &may_be_any))
            .map(|pair| origin(judge, pair, "gets to a place that the promise is about", None))
            .collect(),
    }
}

/// Walks over flows that are not exempt, marked once they are of the data.
struct Unblocked<'c> {
    through: &'c dyn Fn(FlowId) -> bool,
    data: &'c LeafSet,
}

impl Course for Unblocked<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(self.data)
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        (!(self.through)(flow)).then_some(plane)
    }
}

/// Where data that is put at a system arrives as the promise forbids, whatever the
/// system is and whatever the place is to data that came from elsewhere.
fn arrives(
    judge: &Judge,
    forbid: &Forbid,
    (system, key): (SystemId, Key),
    of_any: bool,
) -> Option<(SystemId, Witness)> {
    let model = judge.model;
    let start = model.data.leaves([&key]);
    let mut data = leaves(judge, &forbid.data);
    if of_any {
        data.extend(start.row());
    }
    let touching = Deriving::new(model, &data);
    let matches = |at: SystemId, by: Option<FlowId>| {
        RELATIONS.iter().any(|&relation| {
            judge.matching.arrival(&forbid.to, Arrival { at, by, relation: Some(relation) })
        })
    };
    if start.intersects(touching.at(system)) && matches(system, None) {
        return Some((system, Witness::default()));
    }
    let exempt = |list: &crate::policy::AnyOf<_>, flow| {
        !list.is_empty() && judge.matching.flow(list, flow, Reading::Unlikely)
    };
    let through = |flow| exempt(&forbid.through, flow);
    let course = Unblocked { through: &through, data: &data };
    let seeds: Vec<Seed> = start.iter().map(|leaf| Seed { system, stack: 0, leaf }).collect();
    let mut first: Option<(FlowId, State, usize)> = None;
    let party = model.systems[system].party;
    let layers = forward(judge.graph, &course, Origin::Assumed(party), 1, &seeds, None, |crossing| {
        let (flow, slot) = (crossing.flow, crossing.slot);
        let to = model.flows[flow].to;
        if first.is_some() || through(flow) || exempt(&forbid.arriving, flow) || !matches(to, Some(flow)) {
            return;
        }
        let arriving = LeafSet::from(&*crossing.leaves);
        let hit = if slot.marked { arriving } else { arriving.and(touching.at(to)) };
        if let Some(leaf) = bits::ones(hit.row()).next() {
            let state = State { system: model.flows[flow].from, stack: crossing.stack, slot, leaf };
            first = Some((flow, state, crossing.length));
        }
    });
    let (flow, state, length) = first?;
    let mut walk = layers.walk(state, length - 1);
    walk.push(flow);
    Some((model.flows[flow].to, judge.witness(walk, &start, Some(&data))))
}

/// Whether a limit would be broken if the data put at a system were of what it counts,
/// or came from so many parties.
fn counts(
    judge: &Judge,
    rule: RuleRef,
    limit: &Limit,
    (system, key): (SystemId, Key),
    may_be_any: &dyn Fn(Key) -> bool,
) -> bool {
    let model = judge.model;
    let spanned = |key: Key| Spanned { value: key, span: limit.span };
    // The places that the items of one assumed origin get to.
    let reached = |(system, key): (SystemId, Key), data: Vec<Spanned<Key>>| -> Vec<On> {
        let start = model.data.leaves([&key]);
        let origins: Vec<(Origin, Starts)> =
            vec![(Origin::Assumed(model.systems[system].party), vec![(system, &start)])];
        let alone = Judge { origins: &origins, ..*judge };
        let any = Limit { most: Most::Origins { data, at_most: 0 }, ..limit.clone() };
        rules::limited(&alone, rule, &any).0.into_iter().map(|v| v.on).collect()
    };
    match &limit.most {
        Most::Origins { data, .. } => {
            let mut data = data.clone();
            if may_be_any(key) && !data.is_empty() {
                data.push(spanned(key));
            }
            !reached((system, key), data).is_empty()
        }
        Most::Together(keys) => {
            // Only what may be of a category other than its own makes a difference:
            // what it is has been counted.
            if !may_be_any(key) {
                return false;
            }
            let wild: Vec<On> = judge
                .assumed
                .pairs
                .iter()
                .filter(|pair| may_be_any(pair.1))
                .flat_map(|&pair| reached(pair, Vec::new()))
                .collect();
            let mine = reached((system, key), Vec::new());
            mine.into_iter().any(|place| {
                keys.chunks(1).all(|one| wild.contains(&place) || holding(judge, limit, one).contains(&place))
            })
        }
    }
}
