//! `forbid`: data that must not get somewhere.
//!
//! ```text
//! an item of s walks over flows, none matched by `through`, and arrives at v ≠ s
//! by a flow not matched by `arriving`; s matches `from`, the arrival `to`; on
//! that walk the item is of `data`                                ⟹  (rule, s, v)
//! u is an assumed origin that matches `from` and `to`, an item
//! that starts there is of `data` there                           ⟹  (rule, u, u)
//! ```

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Idle;
use crate::bits::{self, LeafSet};
use crate::graph::{Graph, Origin};
use crate::judge::{Judge, On, Relied, ReliedRule, RuleRef, Shortest, Violation, Witness, keep_shortest};
use crate::matching::{Arrival, Matching, RELATIONS, Reading};
use crate::model::{FlowId, PartyId, SystemId, Table};
use crate::policy::Forbid;
use crate::propagate::{Candidates, Course, Deriving, Rows, Seed, forward, reaching};
use crate::vocabulary::{Relation, Word};

/// What a `forbid` came to.
#[derive(Debug, Default)]
pub struct Forbidden {
    /// The findings.
    pub violations: Vec<Violation>,
    /// The exemptions that were used.
    pub relied: Vec<Relied>,
    /// What of it matches nothing.
    pub idle: Vec<Idle>,
}

/// A rule, judged once on each flow and system.
struct Prepared<'j> {
    judge: &'j Judge<'j>,
    /// The leaves of `data`; all, if it is left out.
    data: LeafSet,
    through: Table<FlowId, bool>,
    arriving: Table<FlowId, bool>,
    /// For each flow the relations with which its arrival matches `to`, a bit each.
    to: Table<FlowId, u8>,
    /// Whether the relation matters.
    relation: bool,
    /// The leaves that are of `data` on arrival at a system: by what it derives.
    touching: Deriving,
}

const EVERY: u8 = (1 << RELATIONS.len()) - 1;

fn bit(relation: Relation) -> u8 {
    1 << RELATIONS.iter().position(|&r| r == relation).unwrap_or(0)
}

impl<'j> Prepared<'j> {
    fn new(judge: &'j Judge<'j>, rule: &Forbid) -> Self {
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
    fn of_data(&self, flow: FlowId, marked: bool, leaves: &[u64]) -> LeafSet {
        let leaves = LeafSet::from(leaves);
        if marked { leaves } else { leaves.and(self.touching.at(self.judge.model.flows[flow].to)) }
    }
}

/// Walks of items of one party's; planes are distances if the relation matters.
struct Reach<'p> {
    rule: &'p Prepared<'p>,
    /// The party that the items come from; `None`: any, distances left open.
    from: Option<PartyId>,
}

impl Reach<'_> {
    fn graph(&self) -> &Graph<'_> {
        self.rule.judge.graph
    }

    /// Whether arriving by a flow in a plane matches `to`.
    fn arrives(&self, flow: FlowId, plane: usize) -> bool {
        let matching = self.rule.to[flow];
        let Some(from) = self.from.filter(|_| self.rule.relation) else {
            return matching != 0;
        };
        let to = self.rule.judge.model.flows[flow].to;
        let relation = self.graph().relation(to, from, self.graph().distance(flow, from, plane));
        matching & bit(relation) != 0
    }
}

impl Course for Reach<'_> {
    fn planes(&self) -> usize {
        if self.rule.relation && self.from.is_some() { 3 } else { 1 }
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.rule.data)
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        if self.rule.through[flow] {
            return None;
        }
        Some(match self.from {
            Some(from) if self.rule.relation => self.graph().distance(flow, from, plane),
            _ => plane,
        })
    }
}

/// What has been found for one source and sink.
#[derive(Debug)]
struct Found {
    data: LeafSet,
    arrives_as: LeafSet,
    witness: Option<Vec<FlowId>>,
    consequent: bool,
}

impl Found {
    fn new(leaves: usize) -> Self {
        Found {
            data: LeafSet::empty(leaves),
            arrives_as: LeafSet::empty(leaves),
            witness: None,
            consequent: true,
        }
    }
}

/// Judges one `forbid`.
pub fn forbidden(judge: &Judge, rule_ref: RuleRef, rule: &Forbid) -> Forbidden {
    let model = judge.model;
    let prepared = Prepared::new(judge, rule);
    let candidates = candidates(&prepared);
    let mut result = Forbidden::default();
    let mut found: BTreeMap<(SystemId, SystemId), Found> = BTreeMap::new();
    let mut relied: FxHashSet<(FlowId, bool)> = FxHashSet::default();
    let candidates = Candidates { rows: &candidates, planes: 1 };
    for &(origin, ref starts) in judge.origins {
        let course = Reach { rule: &prepared, from: Some(origin.party()) };
        for &(source, leaves) in starts {
            if !judge.matching.place(&rule.from, source, Reading::Likely) {
                continue;
            }
            let at_itself = at_itself(&prepared, rule, origin, source, leaves);
            if let Some(data) = &at_itself {
                let found =
                    found.entry((source, source)).or_insert_with(|| Found::new(model.data.leaf_count()));
                found.data.extend(data.row());
                found.arrives_as.extend(data.row());
                found.witness = Some(Vec::new());
                found.consequent = false;
            }
            let mut shortest: FxHashMap<SystemId, Shortest> = FxHashMap::default();
            let mut hits: Vec<(SystemId, usize, LeafSet)> = Vec::new();
            let followed =
                judge.follow(&course, origin, &[(source, leaves)], candidates, |leaf, crossing| {
                    let (flow, slot) = (crossing.flow, crossing.slot);
                    if prepared.through[flow] {
                        if !prepared.of_data(flow, slot.marked, crossing.leaves).is_empty() {
                            relied.insert((flow, true));
                        }
                        return;
                    }
                    let sink = model.flows[flow].to;
                    if sink == source || !course.arrives(flow, slot.plane) {
                        return;
                    }
                    let hit = prepared.of_data(flow, slot.marked, crossing.leaves);
                    if hit.is_empty() {
                        return;
                    }
                    if prepared.arriving[flow] {
                        relied.insert((flow, false));
                    } else {
                        keep_shortest(&mut shortest, sink, Shortest::new(model, &crossing, hit.row()));
                        hits.push((sink, leaf, hit));
                    }
                });
            let Some(followed) = followed else {
                continue;
            };
            if hits.is_empty() {
                continue;
            }
            for (sink, leaf, hit) in hits {
                let found =
                    found.entry((source, sink)).or_insert_with(|| Found::new(model.data.leaf_count()));
                found.data.insert(leaf);
                found.arrives_as.extend(hit.row());
            }
            for (sink, shortest) in &shortest {
                if let Some(found) = found.get_mut(&(source, *sink))
                    && found.witness.as_ref().is_none_or(|walk| shortest.length < walk.len())
                {
                    found.witness = Some(followed.walk(shortest));
                }
            }
            for sink in first_arrivals(
                &prepared,
                &course,
                origin,
                source,
                leaves,
                at_itself.as_ref(),
                Some(candidates),
            ) {
                if let Some(found) = found.get_mut(&(source, sink)) {
                    found.consequent = false;
                }
            }
        }
    }
    result.violations = found
        .into_iter()
        .map(|((source, sink), found)| {
            let walk = found.witness.unwrap_or_default();
            let mut agreements: Vec<_> =
                walk.iter().filter_map(|&flow| model.flows[flow].agreement).collect();
            agreements.sort_unstable();
            agreements.dedup();
            let witness: Witness = judge.witness(walk, &found.data, Some(&prepared.data));
            Violation {
                rule: rule_ref,
                on: On::Pair(source, sink),
                severity: None,
                agreements,
                data: found.data,
                arrives_as: found.arrives_as,
                witnesses: vec![witness],
                consequent: found.consequent,
                details: Vec::new(),
            }
        })
        .collect();
    let claim = |(flow, through): (FlowId, bool)| Relied {
        rule: ReliedRule::Rule(rule_ref),
        flow,
        claim: claim(judge, if through { &rule.through } else { &rule.arriving }, flow),
        agreement: None,
    };
    result.relied = relied.into_iter().map(claim).collect();
    result.idle = idle(&prepared, rule);
    result
}

/// The leaves of an assumed origin that are of `data` there, if it matches.
fn at_itself(
    rule: &Prepared,
    forbid: &Forbid,
    origin: Origin,
    system: SystemId,
    leaves: &LeafSet,
) -> Option<LeafSet> {
    let Origin::Assumed(_) = origin else {
        return None;
    };
    let here = Arrival { at: system, by: None, relation: Some(Relation::FirstParty) };
    let data = leaves.and(rule.touching.at(system));
    (rule.judge.matching.arrival(&forbid.to, here) && !data.is_empty()).then_some(data)
}

/// What can get to a forbidden arrival or to an exemption, whatever its origin.
fn candidates(rule: &Prepared) -> Rows {
    let model = rule.judge.model;
    let any = Reach { rule, from: None };
    reaching(rule.judge.graph, &any, rule.judge.counting.iter(), |flow, slot, row| {
        if rule.through[flow] || any.arrives(flow, slot.plane) {
            row.copy_from_slice(rule.of_data(flow, slot.marked, model.flows[flow].leaves.row()).row());
        }
    })
}

/// The sinks at which some walk from a source breaks the rule for the first time.
fn first_arrivals(
    rule: &Prepared,
    course: &Reach,
    origin: Origin,
    source: SystemId,
    leaves: &LeafSet,
    at_itself: Option<&LeafSet>,
    candidates: Option<Candidates>,
) -> FxHashSet<SystemId> {
    let model = rule.judge.model;
    let mut first = FxHashSet::default();
    let start = at_itself.map_or_else(|| leaves.clone(), |broken| leaves.minus(broken));
    let seeds: Vec<Seed> = start.iter().map(|leaf| Seed { system: source, stack: 0, leaf }).collect();
    forward(rule.judge.graph, course, origin, 1, &seeds, candidates, |crossing| {
        let (flow, slot) = (crossing.flow, crossing.slot);
        let sink = model.flows[flow].to;
        if rule.through[flow] || rule.arriving[flow] || sink == source || !course.arrives(flow, slot.plane) {
            return;
        }
        let hit = rule.of_data(flow, slot.marked, crossing.leaves);
        if !hit.is_empty() {
            first.insert(sink);
            crossing.leaves.iter_mut().zip(hit.row()).for_each(|(c, h)| *c &= !h);
        }
    });
    first
}

/// For leaves put at systems as assumed, whether they would break a rule if its
/// `from` did not leave the system out.
pub fn break_without_from(judge: &Judge, rule: &Forbid, put: &[(SystemId, LeafSet)]) -> Vec<bool> {
    let excluded =
        |system| !rule.from.is_empty() && !judge.matching.place(&rule.from, system, Reading::Likely);
    if !put.iter().any(|(system, _)| excluded(*system)) {
        return vec![false; put.len()];
    }
    let prepared = Prepared::new(judge, rule);
    let candidates = candidates(&prepared);
    let candidates = Candidates { rows: &candidates, planes: 1 };
    let breaks = |(system, leaves): &(SystemId, LeafSet)| {
        let origin = Origin::Assumed(judge.model.systems[*system].party);
        let course = Reach { rule: &prepared, from: Some(origin.party()) };
        excluded(*system)
            && (at_itself(&prepared, rule, origin, *system, leaves).is_some()
                || !first_arrivals(&prepared, &course, origin, *system, leaves, None, Some(candidates))
                    .is_empty())
    };
    put.iter().map(breaks).collect()
}

/// The claim by which a flow matches an exemption, in the declarer's words.
pub fn claim(judge: &Judge, list: &crate::policy::AnyOf<crate::policy::FlowKeys>, id: FlowId) -> String {
    let flow = &judge.model.flows[id];
    let mut claims = Vec::new();
    let mut matchers: Vec<_> = list.0.iter().collect();
    while let Some(matcher) = matchers.pop() {
        matchers.extend(&matcher.any);
        let keys = &matcher.keys;
        if keys.transform.contains(&flow.transform) {
            claims.push(format!("transform: {}", flow.transform.word()));
        }
        if keys.consent.iter().any(|&c| flow.consent >= c) {
            claims.push(format!("consent: {}", flow.consent.word()));
        }
        if !keys.safeguards.is_empty() && keys.safeguards.iter().all(|s| flow.declared.safeguards.contains(s))
        {
            let mut names = keys.safeguards.clone();
            names.sort_unstable();
            claims.push(format!("safeguards: {}", names.join(", ")));
        }
        if !keys.purpose.is_empty() {
            let mut names: Vec<&str> = flow.purposes.iter().map(|&p| judge.model.purposes.name(p)).collect();
            names.sort_unstable();
            claims.push(format!("purposes: {}", names.join(", ")));
        }
        claims
            .extend(keys.tag.iter().filter(|t| flow.declared.tags.contains(t)).map(|t| format!("tag: {t}")));
        if keys.data.is_some() {
            claims.push(format!("data: {}", judge.model.data.cover(&flow.leaves).join(", ")));
        }
        if let (false, Some(agreement)) = (keys.agreement.is_empty(), flow.agreement) {
            claims.push(format!("agreement: {}", judge.model.agreements[agreement].id()));
        }
        if !keys.from.is_empty() {
            claims.push(format!("from: {}", judge.model.systems[flow.from].name));
        }
        if !keys.to.is_empty() {
            claims.push(format!("to: {}", judge.model.systems[flow.to].name));
        }
    }
    claims.sort();
    claims.dedup();
    if claims.is_empty() { "matches the exception".to_owned() } else { claims.join("; ") }
}

fn idle(rule: &Prepared, forbid: &Forbid) -> Vec<Idle> {
    let judge = rule.judge;
    let model = judge.model;
    let mut idle = Vec::new();
    let held = model.systems.ids().any(|s| bits::intersects(judge.held.leaves.row(s, 0), rule.data.row()));
    if !held {
        idle.push(Idle::Data);
    }
    if !model.systems.ids().any(|s| judge.matching.place(&forbid.from, s, Reading::Likely)) {
        idle.push(Idle::Source);
    }
    let arrives = judge.counting.iter().any(|flow| rule.to[flow] != 0);
    let place = |s: SystemId| {
        RELATIONS
            .iter()
            .any(|&r| judge.matching.arrival(&forbid.to, Arrival { at: s, by: None, relation: Some(r) }))
    };
    if !arrives && !model.systems.ids().any(place) {
        idle.push(Idle::Sink);
    }
    idle
}
