//! `forbid`: data that must not get somewhere.
//!
//! ```text
//! an item of s walks over flows, none matched by `through`, and arrives at v (s itself,
//! too) by a flow not matched by `arriving`; s matches `from`, the arrival `to`; on
//! that walk the item is of `data`                                ⟹  (rule, s, v)
//! s is an origin, declared or assumed, that matches `from` and by itself `to`, an item
//! that starts there is of `data` there                           ⟹  (rule, s, s)
//! ```

mod classes;
mod exemptions;
mod prepared;
mod walks;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use self::exemptions::{Asked, Use, Used};
pub use self::prepared::Decided;
use self::prepared::{Items, Prepared, Reach, Sought};
use super::Idle;
use crate::audit::analysis::{Analysis, Claimant, On, Relied, ReliedRule, RuleRef, Violation};
use crate::base::bits::{self, LeafSet};
use crate::base::vocabulary::{Kind, Word};
use crate::declare::policy::{AgreementRef, AnyOf, Attested, FlowKeys, Forbid, Matcher, Reading};
use crate::flow::graph::{Edge, Footing, Graph, Origin};
use crate::flow::propagate::{
    BackwardSlice, ItemsOf, OriginClass, OriginFilter, Rows, Seed, Slot, forward, reaching, reaching_besides,
};
use crate::model::matching::{Arrival, RELATIONS};
use crate::model::{FlowId, SystemId};

/// What a `forbid` came to.
#[derive(Debug, Default)]
pub struct Forbidden {
    /// The findings.
    pub violations: Vec<Violation>,
    /// What of it matches nothing.
    pub idle: Vec<Idle>,
    /// What was worked out for it.
    pub worked_out: Option<WorkedOut>,
}

/// What was worked out for a rule, to judge it again where fewer flows count.
#[derive(Debug, Clone)]
pub struct WorkedOut {
    decided: Arc<Decided>,
    /// What can get to a forbidden arrival, whosever of the rule's sources it is, of what
    /// flows carry.
    slice: Arc<Rows>,
}

impl WorkedOut {
    fn new(prepared: &Prepared) -> Self {
        let course = Reach { rule: prepared, items: Items::Sources };
        let slice = Arc::new(backward_slice(&course, Sought::Breaches));
        WorkedOut { decided: Arc::clone(prepared.decided()), slice }
    }

    /// What the rule says of each flow.
    pub fn decided(&self) -> &Arc<Decided> {
        &self.decided
    }

    /// The same where some flows carry more, and no other does.
    pub fn besides(&self, analysis: &Analysis, more: &[FlowId]) -> Self {
        if more.is_empty() {
            return self.clone();
        }
        let prepared = Prepared::new(analysis, &self.decided);
        let course = Reach { rule: &prepared, items: Items::Sources };
        let slice =
            reaching_besides(analysis.graph, &course, &self.slice, more, finding(&course, Sought::Breaches));
        WorkedOut { slice: Arc::new(slice), decided: Arc::clone(&self.decided) }
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

    /// How many flows its walk has.
    fn length(&self) -> usize {
        self.witness.as_ref().map_or(usize::MAX, Vec::len)
    }

    /// Adds what else was found for the same source and sink.
    fn merge(&mut self, other: Found) {
        self.data.extend(other.data.row());
        self.arrives_as.extend(other.arrives_as.row());
        let before = |a: &[FlowId], b: &[FlowId]| {
            a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
        };
        if let Some(walk) = other.witness
            && self.witness.as_ref().is_none_or(|known| before(&walk, known).is_lt())
        {
            self.witness = Some(walk);
        }
        self.consequent &= other.consequent;
    }
}

/// Adds what else was found.
fn merge(mut found: Finds, others: Finds) -> Finds {
    for (key, other) in others {
        match found.entry(key) {
            Entry::Vacant(entry) => _ = entry.insert(other),
            Entry::Occupied(entry) => entry.into_mut().merge(other),
        }
    }
    found
}

/// What was found, by source and sink.
type Finds = BTreeMap<(SystemId, SystemId), Found>;

/// Where the data of a rule may start: whose it is, where, what.
type Source<'j> = (Origin, SystemId, &'j LeafSet);

/// Judges one `forbid`. What was worked out for it must be of a scope in which as many flows
/// count, or more, and carry as much, or more.
pub fn forbidden(
    analysis: &Analysis,
    rule_ref: RuleRef,
    rule: &Forbid,
    decided: &Arc<Decided>,
    known: Option<&WorkedOut>,
) -> Forbidden {
    let model = analysis.model;
    let prepared = Prepared::new(analysis, decided);
    let worked_out = known.map_or_else(|| WorkedOut::new(&prepared), Clone::clone);
    let sources = sources(analysis, rule);
    let mut found = Finds::new();
    for &(_, source, leaves) in &sources {
        if let Some(data) = at_itself(&prepared, rule, source, leaves) {
            let found = found.entry((source, source)).or_insert_with(|| Found::new(model.data.leaf_count()));
            found.data.extend(data.row());
            found.arrives_as.extend(data.row());
            found.witness = Some(Vec::new());
            found.consequent = false;
        }
    }
    let walks = walks::follow(&prepared, rule, &worked_out.slice, &sources);
    let violations = merge(found, walks)
        .into_iter()
        .map(|((source, sink), found)| {
            let walk = found.witness.unwrap_or_default();
            let mut agreements: Vec<_> =
                walk.iter().filter_map(|&flow| model.flows[flow].agreement).collect();
            agreements.sort_unstable();
            agreements.dedup();
            let witness = prepared.witness(walk, &found.data);
            Violation {
                rule: rule_ref,
                on: On::Pair(source, sink),
                severity: None,
                agreements,
                data: found.data,
                arrives_as: found.arrives_as,
                origins: None,
                witnesses: vec![witness],
                consequent: found.consequent,
                details: Vec::new(),
            }
        })
        .collect();
    Forbidden { violations, idle: idle(&prepared, rule), worked_out: Some(worked_out) }
}

/// Where the data of a rule may start.
fn sources<'j>(analysis: &Analysis<'j>, rule: &Forbid) -> Vec<Source<'j>> {
    let all = analysis.origins.iter();
    all.flat_map(|(origin, starts)| starts.iter().map(|&(system, leaves)| (*origin, system, leaves)))
        .filter(|&(_, system, _)| analysis.matching.source(&rule.from, system))
        .collect()
}

/// A rule with what it says of each flow.
type Ruling<'r> = (RuleRef, &'r Forbid, &'r Arc<Decided>);

/// The exemptions that are used, and of rules that ask for the relation the claims that decide on it.
pub fn relied(analysis: &Analysis, rules: &[Ruling]) -> Vec<Relied> {
    let asking: Vec<Ruling> = rules.iter().copied().filter(|(.., decided)| decided.relation()).collect();
    let (mut exempted, claimed) = rayon::join(
        || relied_on(analysis, rules, Sought::Exemptions),
        || relied_on(analysis, &asking, Sought::Claims),
    );
    exempted.extend(claimed);
    exempted
}

/// What is used. Rules that exempt the same flows for the same data of the same sources are looked at together.
fn relied_on(analysis: &Analysis, rules: &[Ruling], sought: Sought) -> Vec<Relied> {
    let mut alike: Vec<(Option<Asked>, Vec<Source>, Vec<usize>)> = Vec::new();
    for (at, (_, rule, decided)) in rules.iter().enumerate() {
        let sources = sources(analysis, rule);
        let asked = Asked::of(&sources, decided, sought);
        match alike.iter_mut().find(|(other, ..)| asked.is_some() && *other == asked) {
            Some((.., members)) => members.push(at),
            None => alike.push((asked, sources, vec![at])),
        }
    }
    let of_each = alike.par_iter().flat_map_iter(|(_, sources, members)| {
        let members: Vec<_> = members.iter().filter_map(|&at| rules.get(at)).collect();
        let used = members.first().map(|(_, _, decided)| {
            let prepared = Prepared::new(analysis, decided);
            exemptions::used(&prepared, sources, sought)
        });
        let used = used.unwrap_or_default();
        members.into_iter().flat_map(move |&(rule_ref, rule, _)| {
            let claim = |&(flow, by): &Used| Relied {
                rule: ReliedRule::Rule(rule_ref),
                by: Claimant::Flow(flow),
                claim: match by {
                    Use::Through => claim(analysis, &rule.through, flow),
                    Use::Arriving => claim(analysis, &rule.arriving, flow),
                    Use::Claim(Footing::Processing) => format!("kind: {}", Kind::Processing.word()),
                    Use::Claim(Footing::Affiliate) => affiliate(analysis, flow),
                },
            };
            used.iter().map(claim).collect::<Vec<_>>()
        })
    });
    of_each.collect()
}

/// The claim by which a flow's receiver is of the group that its data comes from.
fn affiliate(analysis: &Analysis, flow: FlowId) -> String {
    let model = analysis.model;
    let receiver = &model.parties[model.receiver(flow)];
    let parent = receiver.declared.affiliate_of.as_ref().map(|parent| parent.value.as_str());
    format!("affiliate_of: {}", parent.unwrap_or_else(|| receiver.id()))
}

/// The leaves of an assumed origin that break the rule where they are assumed to start: that is an
/// arrival, after which others are consequent. The start of a declared origin is none.
fn arrived_at_itself(rule: &Prepared, forbid: &Forbid, (origin, system, leaves): Source) -> Option<LeafSet> {
    matches!(origin, Origin::Assumed(_)).then(|| at_itself(rule, forbid, system, leaves))?
}

/// The leaves of an origin that are of `data` there, if it matches by itself.
fn at_itself(rule: &Prepared, forbid: &Forbid, system: SystemId, leaves: &LeafSet) -> Option<LeafSet> {
    let here = Arrival {
        at: system,
        by: None,
        relation: Some(rule.analysis.graph.relation(system, rule.analysis.model.systems[system].origin, 0)),
    };
    let data = leaves.and(rule.touching(system));
    (rule.analysis.matching.arrival(&forbid.to, here) && !data.is_empty()).then_some(data)
}

/// What can get to what is sought.
fn backward_slice(course: &Reach, sought: Sought) -> Rows {
    backward_slice_of(course, sought, course.rule.ends(sought))
}

/// What can get to what is sought at some flows.
fn backward_slice_of(course: &Reach, sought: Sought, flows: impl IntoIterator<Item = FlowId>) -> Rows {
    let graph = course.rule.analysis.graph;
    reaching(graph, course, graph.some(flows), finding(course, sought))
}

/// Writes for each flow and slot what is sought there.
fn finding<'r>(course: &'r Reach, sought: Sought) -> impl FnMut(Edge, Slot, &mut [u64]) + use<'r> {
    move |edge, slot, row| {
        if let Some(hit) = course.finds(sought, edge.flow, slot, edge.leaves) {
            row.copy_from_slice(hit.row());
        }
    }
}

/// The sinks at which some walk from a source breaks the rule for the first time; nothing is
/// followed any further once there are `enough`.
fn first_arrivals(
    graph: &Graph,
    course: &Reach,
    (origin, source, leaves): Source,
    at_itself: Option<&LeafSet>,
    candidates: Option<BackwardSlice>,
    enough: usize,
) -> FxHashSet<SystemId> {
    let mut first = FxHashSet::default();
    let start = at_itself.map_or_else(|| leaves.clone(), |broken| leaves.minus(broken));
    let seeds: Vec<Seed> = start.iter().map(|leaf| Seed { system: source, stack: 0, leaf }).collect();
    forward(graph, course, OriginFilter::One(origin), &seeds, candidates, |crossing| {
        if first.len() >= enough {
            crossing.leaves.fill(0);
            return;
        }
        let (flow, slot, sink) = (crossing.flow, crossing.slot, crossing.end);
        if let Some(hit) = course.finds(Sought::Breaches, flow, slot, crossing.leaves) {
            first.insert(sink);
            crossing.leaves.iter_mut().zip(hit.row()).for_each(|(c, h)| *c &= !h);
        }
    });
    first
}

/// For leaves put at systems as assumed, whether they would break a rule if its
/// `from` did not leave the system out.
pub fn break_without_from(
    analysis: &Analysis,
    rule: &Forbid,
    known: &WorkedOut,
    put: &[(SystemId, LeafSet)],
) -> Vec<bool> {
    let excluded = |system| !rule.from.is_empty() && !analysis.matching.source(&rule.from, system);
    if !put.iter().any(|(system, _)| excluded(*system)) {
        return vec![false; put.len()];
    }
    let prepared = Prepared::new(analysis, &known.decided);
    let any = Reach { rule: &prepared, items: Items::Anybody };
    let own;
    let slice = if prepared.relation() {
        own = backward_slice(&any, Sought::Breaches);
        &own
    } else {
        &known.slice
    };
    let alike = OriginClass::new(analysis.graph, &[]);
    let breaks = |(system, leaves): &(SystemId, LeafSet)| {
        let origin = Origin::Assumed(analysis.model.systems[*system].origin);
        let course = Reach { rule: &prepared, items: Items::Of(ItemsOf::One(origin), &alike) };
        let candidates = any.slice(slice);
        excluded(*system)
            && (at_itself(&prepared, rule, *system, leaves).is_some()
                || !first_arrivals(
                    analysis.graph,
                    &course,
                    (origin, *system, leaves),
                    None,
                    Some(candidates),
                    1,
                )
                .is_empty())
    };
    put.iter().map(breaks).collect()
}

/// The claim by which a flow matches an exemption, in the declarer's words.
pub fn claim(
    analysis: &Analysis,
    list: &crate::declare::policy::AnyOf<crate::declare::policy::FlowKeys>,
    id: FlowId,
) -> String {
    let flow = &analysis.model.flows[id];
    let mut claims = Vec::new();
    // Of several alternatives those that match.
    let holds = |matcher: &&Matcher<FlowKeys>| {
        let alone = AnyOf(vec![Matcher::clone(matcher)]);
        analysis.matching.flow(&alone, id, Reading::Unlikely)
    };
    let mut matchers: Vec<_> = list.0.iter().filter(holds).collect();
    while let Some(matcher) = matchers.pop() {
        matchers.extend(&matcher.any);
        let keys = &matcher.keys;
        if keys.transform.contains(&flow.transform) {
            claims.push(format!("transform: {}", flow.transform.word()));
        }
        if keys.consent.iter().any(|&c| flow.consent >= c) {
            claims.push(format!("consent: {}", flow.consent.word()));
        }
        if !keys.safeguards.is_empty() && keys.safeguards.all_of(&flow.declared.safeguards) {
            let mut names = keys.safeguards.to_vec();
            names.sort_unstable();
            claims.push(format!("safeguards: {}", names.join(", ")));
        }
        if !keys.purpose.is_empty() {
            let mut names: Vec<&str> =
                flow.purposes.iter().map(|&p| analysis.model.purposes.name(p)).collect();
            names.sort_unstable();
            claims.push(format!("purposes: {}", names.join(", ")));
        }
        claims.extend(flow.declared.tags().iter().filter(|t| keys.tag.has(t)).map(|t| format!("tag: {t}")));
        if keys.data.is_some() {
            claims.push(format!("data: {}", analysis.model.data.cover(&flow.leaves).join(", ")));
        }
        claims.extend(keys.agreement.iter().flat_map(|asked| of_agreement(analysis, asked, id)));
        if !keys.from.is_empty() {
            claims.push(format!("from: {}", analysis.model.systems[flow.from].name));
        }
        if !keys.to.is_empty() {
            claims.push(format!("to: {}", analysis.model.systems[flow.to].name));
        }
    }
    claims.sort();
    claims.dedup();
    if claims.is_empty() { "matches the exception".to_owned() } else { claims.join("; ") }
}

/// The claims of its agreement by which a flow matches: what is asked of that.
fn of_agreement(analysis: &Analysis, asked: &AgreementRef, id: FlowId) -> Vec<String> {
    let flow = &analysis.model.flows[id];
    let (AgreementRef::Like(like), Some(of)) = (asked, flow.agreement) else {
        return Vec::new();
    };
    let agreement = &analysis.model.agreements[of];
    let attested = |one: &&Attested| analysis.matching.attested(of, Some(id), one);
    let mut claims: Vec<String> =
        like.keys.assurance.iter().filter(attested).map(|one| format!("assurance: {}", one.id)).collect();
    let bases = flow.legal_basis.iter().filter(|basis| like.keys.legal_basis.matches(basis));
    claims.extend(bases.map(|basis| format!("legal_basis: {basis}")));
    if !like.keys.kind.is_empty() {
        claims.push(format!("kind: {}", agreement.kind.word()));
    }
    if !like.keys.status.is_empty() {
        claims.push(format!("status: {}", agreement.status.word()));
    }
    if claims.is_empty() || !like.keys.id.is_empty() {
        claims.push(format!("agreement: {}", agreement.id()));
    }
    claims
}

fn idle(rule: &Prepared, forbid: &Forbid) -> Vec<Idle> {
    let analysis = rule.analysis;
    let model = analysis.model;
    let mut idle = Vec::new();
    let held =
        model.systems.ids().any(|s| bits::intersects(analysis.held.leaves.row(s, 0), rule.data().row()));
    if !held {
        idle.push(Idle::Data);
    }
    if !model.systems.ids().any(|s| analysis.matching.source(&forbid.from, s)) {
        idle.push(Idle::Source);
    }
    let arrives = || analysis.counting.iter().any(|flow| rule.to(flow) != 0);
    let place = |s: SystemId| {
        RELATIONS
            .iter()
            .any(|&r| analysis.matching.arrival(&forbid.to, Arrival { at: s, by: None, relation: Some(r) }))
    };
    if !arrives() && !model.systems.ids().any(place) {
        idle.push(Idle::Sink);
    }
    idle
}
