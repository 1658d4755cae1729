//! `forbid`: data that must not get somewhere.
//!
//! ```text
//! an item of s walks over flows, none matched by `through`, and arrives at v ≠ s
//! by a flow not matched by `arriving`; s matches `from`, the arrival `to`; on
//! that walk the item is of `data`                                ⟹  (rule, s, v)
//! u is an assumed origin that matches `from` and `to`, an item
//! that starts there is of `data` there                           ⟹  (rule, u, u)
//! ```

mod prepared;
mod walks;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use self::prepared::{Decided, Prepared, Reach};
use super::Idle;
use crate::bits::{self, LeafSet};
use crate::graph::{Graph, Origin};
use crate::judge::{Judge, On, Relied, ReliedRule, RuleRef, Violation, Witness};
use crate::matching::{Arrival, RELATIONS, Reading};
use crate::model::{FlowId, SystemId};
use crate::policy::Forbid;
use crate::propagate::{Alike, Candidates, Passing, Rows, Seed, Whose, forward, reaching};
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
    /// What was worked out for it.
    pub worked_out: Option<WorkedOut>,
}

/// What was worked out for a rule, to judge it again where fewer flows count.
#[derive(Debug, Clone)]
pub struct WorkedOut {
    decided: Arc<Decided>,
    /// What can get to a forbidden arrival or to an exemption, whatever its origin.
    useful: Arc<Rows>,
}

impl WorkedOut {
    fn new(prepared: &Prepared) -> Self {
        let useful = Arc::new(candidates(prepared));
        WorkedOut { decided: Arc::clone(prepared.decided()), useful }
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

    /// Takes a walk of so many flows, if it has none as short.
    fn offer(&mut self, length: usize, walk: impl FnOnce() -> Vec<FlowId>) {
        if self.witness.as_ref().is_none_or(|known| length < known.len()) {
            self.witness = Some(walk());
        }
    }
}

/// What was found, by source and sink.
type Finds = BTreeMap<(SystemId, SystemId), Found>;

/// Where the data of a rule may start: whose it is, where, what.
type Source<'j> = (Origin, SystemId, &'j LeafSet);

/// Judges one `forbid`; what is known of it must be of a scope in which as many flows
/// count, or more.
pub fn forbidden(judge: &Judge, rule_ref: RuleRef, rule: &Forbid, known: Option<&WorkedOut>) -> Forbidden {
    let model = judge.model;
    let prepared = Prepared::new(judge, rule, known.map(|known| &known.decided));
    let worked_out = known.map_or_else(|| WorkedOut::new(&prepared), Clone::clone);
    let sources: Vec<Source> = judge
        .origins
        .iter()
        .flat_map(|(origin, starts)| starts.iter().map(|&(system, leaves)| (*origin, system, leaves)))
        .filter(|&(_, system, _)| judge.matching.place(&rule.from, system, Reading::Likely))
        .collect();
    let mut found = Finds::new();
    for &(origin, source, leaves) in &sources {
        if let Some(data) = at_itself(&prepared, rule, origin, source, leaves) {
            let found = found.entry((source, source)).or_insert_with(|| Found::new(model.data.leaf_count()));
            found.data.extend(data.row());
            found.arrives_as.extend(data.row());
            found.witness = Some(Vec::new());
            found.consequent = false;
        }
    }
    let relied = walks::follow(&prepared, rule, &worked_out.useful, &sources, &mut found);
    let violations = found
        .into_iter()
        .map(|((source, sink), found)| {
            let walk = found.witness.unwrap_or_default();
            let mut agreements: Vec<_> =
                walk.iter().filter_map(|&flow| model.flows[flow].agreement).collect();
            agreements.sort_unstable();
            agreements.dedup();
            let witness: Witness = judge.witness(walk, &found.data, Some(prepared.data()));
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
    };
    let relied = relied.into_iter().map(claim).collect();
    Forbidden { violations, relied, idle: idle(&prepared, rule), worked_out: Some(worked_out) }
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
    let data = leaves.and(rule.touching(system));
    (rule.judge.matching.arrival(&forbid.to, here) && !data.is_empty()).then_some(data)
}

/// What can get to a forbidden arrival or to an exemption, whatever its origin.
fn candidates(rule: &Prepared) -> Rows {
    let model = rule.judge.model;
    let any = Reach { rule, whose: None };
    let matters = |flow: &FlowId| rule.through(*flow) || rule.to(*flow) != 0;
    reaching(rule.judge.graph, &any, rule.judge.counting.iter().filter(matters), |flow, slot, row| {
        if rule.through(flow) || any.arrives(flow, slot.plane) {
            row.copy_from_slice(rule.of_data(flow, slot.marked, model.flows[flow].leaves.row()).row());
        }
    })
}

/// The sinks at which some walk from a source breaks the rule for the first time.
fn first_arrivals(
    graph: &Graph,
    course: &Reach,
    (origin, source, leaves): Source,
    at_itself: Option<&LeafSet>,
    candidates: Option<Candidates>,
) -> FxHashSet<SystemId> {
    let rule = course.rule;
    let model = rule.judge.model;
    let mut first = FxHashSet::default();
    let start = at_itself.map_or_else(|| leaves.clone(), |broken| leaves.minus(broken));
    let seeds: Vec<Seed> = start.iter().map(|leaf| Seed { system: source, stack: 0, leaf }).collect();
    forward(graph, course, Passing::One(origin), &seeds, candidates, |crossing| {
        let (flow, slot) = (crossing.flow, crossing.slot);
        let sink = model.flows[flow].to;
        if rule.through(flow) || rule.arriving(flow) || sink == source {
            return;
        }
        if let Some(hit) = course.hits(flow, slot, crossing.leaves) {
            first.insert(sink);
            crossing.leaves.iter_mut().zip(hit.row()).for_each(|(c, h)| *c &= !h);
        }
    });
    first
}

/// For leaves put at systems as assumed, whether they would break a rule if its
/// `from` did not leave the system out.
pub fn break_without_from(
    judge: &Judge,
    rule: &Forbid,
    known: &WorkedOut,
    put: &[(SystemId, LeafSet)],
) -> Vec<bool> {
    let excluded =
        |system| !rule.from.is_empty() && !judge.matching.place(&rule.from, system, Reading::Likely);
    if !put.iter().any(|(system, _)| excluded(*system)) {
        return vec![false; put.len()];
    }
    let prepared = Prepared::new(judge, rule, Some(&known.decided));
    let candidates = Candidates::of(&known.useful, 1);
    let alike = Alike::new(judge.graph, &[]);
    let breaks = |(system, leaves): &(SystemId, LeafSet)| {
        let origin = Origin::Assumed(judge.model.systems[*system].party);
        let course = Reach { rule: &prepared, whose: Some((Whose::One(origin), &alike)) };
        excluded(*system)
            && (at_itself(&prepared, rule, origin, *system, leaves).is_some()
                || !first_arrivals(judge.graph, &course, (origin, *system, leaves), None, Some(candidates))
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
    let held = model.systems.ids().any(|s| bits::intersects(judge.held.leaves.row(s, 0), rule.data().row()));
    if !held {
        idle.push(Idle::Data);
    }
    if !model.systems.ids().any(|s| judge.matching.place(&forbid.from, s, Reading::Likely)) {
        idle.push(Idle::Source);
    }
    let arrives = judge.counting.iter().any(|flow| rule.to(flow) != 0);
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
