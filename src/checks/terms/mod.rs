//! Terms are sticky: what is under an agreement, and which of its terms break.
//!
//! ```text
//! e₀ of A leaves party P, carries i, does not bring it home   ⟹  i is under (A, terms of e₀, group of P)
//! i is under t, e carries i and does not bring it home        ⟹  e is checked against t
//! e brings i home (to the group of P or of i's origin),
//! or e's transform is in t.released_by                        ⟹  i is no longer under t after e
//! ```

mod sift;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use self::sift::{Sifted, sift};
use super::{ALL, How, onward};
use crate::bits::{self, LeafSet};
use crate::graph::Origin;
use crate::inventory::Terms;
use crate::judge::{Judge, On, Relied, ReliedRule, RuleRef, Shortest, Starts, Violation, keep_shortest};
use crate::model::{AgreementId, FlowId, OnwardTo, PartyId, SystemId};
use crate::propagate::{Candidates, Course, Rows, Seed, forward, reaching};
use crate::vocabulary::{Onward, Transform, Word};

/// How many agreements a finding shows a walk for.
const WITNESSES: usize = 20;
/// Above so many different terms and senders in one agreement, its findings are not
/// folded: a walk may be under any number of them at once.
const FOLDED: usize = 6;

/// The terms that some flows of an agreement put data under.
#[derive(Debug)]
pub struct Under<'m> {
    /// The agreement.
    pub agreement: AgreementId,
    /// The terms.
    pub terms: &'m Terms,
    /// To whom data may be passed on.
    pub onward: Onward,
    /// To whom besides.
    pub onward_to: &'m [OnwardTo],
    /// The group of the party that shares.
    home: PartyId,
    /// The flows.
    flows: FxHashSet<FlowId>,
}

impl Under<'_> {
    /// Whether a flow brings data home to who shared it.
    fn home(&self, judge: &Judge, flow: FlowId) -> bool {
        group_entered(judge, flow) == self.home
    }

    /// Whether a flow's transform ends the terms.
    fn releases(&self, judge: &Judge, flow: FlowId) -> bool {
        self.terms.releasing().contains(&judge.model.flows[flow].transform)
    }
}

fn group_entered(judge: &Judge, flow: FlowId) -> PartyId {
    judge.model.systems[judge.model.flows[flow].to].group
}

/// Walks of items that may come under terms; a plane's bits say under which.
struct Sticky<'j> {
    judge: &'j Judge<'j>,
    under: &'j [Under<'j>],
    /// The group of the items' origin; `None`: not one, for all origins at once.
    origin: Option<PartyId>,
}

impl Sticky<'_> {
    /// Under which terms a flow carries items that were in a plane before.
    fn while_crossing(&self, flow: FlowId, plane: usize) -> usize {
        if self.origin == Some(group_entered(self.judge, flow)) {
            return 0;
        }
        let bit = |(at, under): (usize, &Under)| {
            let is_under = plane >> at & 1 == 1 || under.flows.contains(&flow);
            usize::from(is_under && !under.home(self.judge, flow)) << at
        };
        self.under.iter().enumerate().map(bit).sum()
    }
}

impl Course for Sticky<'_> {
    fn planes(&self) -> usize {
        1 << self.under.len()
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        let crossing = self.while_crossing(flow, plane);
        let released = |(at, under): (usize, &Under)| usize::from(under.releases(self.judge, flow)) << at;
        let released: usize = self.under.iter().enumerate().map(released).sum();
        Some(crossing & !released)
    }
}

/// What is noted where a flow carries data under terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Noted {
    Breaks(usize),
    Released,
    OnwardTo,
}

#[derive(Debug)]
struct Broken {
    data: LeafSet,
    arrives_as: LeafSet,
    agreements: BTreeMap<AgreementId, Vec<FlowId>>,
    /// For every agreement so far, all its walks break the term earlier.
    consequent: bool,
}

/// For a check: the flows that break it, and the places of the origins whose items do.
type Breaking = FxHashMap<usize, (FxHashSet<FlowId>, Vec<usize>)>;

type Findings = BTreeMap<(usize, FlowId), Broken>;

/// The findings of the checks that follow data under terms, and the claims that
/// kept something from being one.
pub fn broken_terms(judge: &Judge) -> (Vec<Violation>, Vec<Relied>) {
    let all: Vec<Vec<Under>> = judge.model.agreements.ids().map(|a| under(judge, a)).collect();
    let members: Vec<&Under> = all.iter().flatten().collect();
    let Sifted { breaking, alone, released } = sift(judge, &members);
    let mut findings = Findings::new();
    let mut relied: BTreeSet<(Noted, FlowId)> = released.into_iter().map(|f| (Noted::Released, f)).collect();
    let mut at = 0;
    for under in &all {
        // For each check the flows that break it, and the origins whose items do.
        let mut breaking_here: Breaking = FxHashMap::default();
        for one in under {
            let (breaks, relies) = (breaking.get(at) == Some(&true), alone.get(at) == Some(&true));
            at += 1;
            if breaks || relies {
                let wanted = |what: &Noted| matches!(what, Noted::Breaks(_)) && breaks || relies;
                follow(
                    judge,
                    std::slice::from_ref(one),
                    wanted,
                    &mut findings,
                    &mut breaking_here,
                    &mut relied,
                );
            }
        }
        for (check, (flows, from)) in breaking_here {
            let first = if flows.len() > 1 && under.len() <= FOLDED {
                first_breaking(judge, under, check, from.iter().filter_map(|&at| judge.origins.get(at)))
            } else {
                flows.clone()
            };
            for flow in flows {
                if let Some(found) = findings.get_mut(&(check, flow)) {
                    found.consequent &= !first.contains(&flow);
                }
            }
        }
    }
    let relied = relied.into_iter().map(|(what, flow)| relied_on(judge, what, flow)).collect();
    let violation = |((check, flow), found): ((usize, FlowId), Broken)| Violation {
        rule: RuleRef::Check(check),
        on: On::Flow(flow),
        severity: None,
        agreements: found.agreements.keys().copied().collect(),
        witnesses: found
            .agreements
            .into_values()
            .take(WITNESSES)
            .map(|walk| judge.witness(walk, &found.data, None))
            .collect(),
        data: found.data,
        arrives_as: found.arrives_as,
        consequent: found.consequent,
        details: Vec::new(),
    };
    (findings.into_iter().map(violation).collect(), relied)
}

/// An agreement's counting flows, by the terms that they put data under.
fn under<'m>(judge: &'m Judge, agreement: AgreementId) -> Vec<Under<'m>> {
    let model = judge.model;
    let mut all: Vec<Under> = Vec::new();
    for &id in model.agreements[agreement].flows.iter().filter(|&&f| judge.counting.has(f)) {
        let flow = &model.flows[id];
        let home = model.systems[flow.from].group;
        let same = |u: &&mut Under| {
            u.home == home
                && u.onward == flow.onward()
                && u.onward_to == flow.onward_to
                && u.terms.same(&flow.terms)
        };
        if let Some(known) = all.iter_mut().find(same) {
            known.flows.insert(id);
            continue;
        }
        all.push(Under {
            agreement,
            terms: &flow.terms,
            onward: flow.onward(),
            onward_to: &flow.onward_to,
            home,
            flows: [id].into_iter().collect(),
        });
    }
    all
}

/// The flows over which items can go while under terms: all that is noted there,
/// with the leaves concerned.
fn noted(judge: &Judge, under: &Under) -> FxHashMap<FlowId, Vec<(Noted, LeafSet)>> {
    let model = judge.model;
    let mut rows = Rows::new(model, 1);
    let mut noted: FxHashMap<FlowId, Vec<(Noted, LeafSet)>> = FxHashMap::default();
    let mut queue: Vec<SystemId> = Vec::new();
    let mut cross = |flow: FlowId, leaves: &LeafSet, rows: &mut Rows, queue: &mut Vec<SystemId>| {
        if leaves.is_empty() || under.home(judge, flow) {
            return;
        }
        noted.entry(flow).or_insert_with(|| all_noted(judge, under, flow));
        if !under.releases(judge, flow) {
            let to = model.flows[flow].to;
            let mut arriving = leaves.row().to_vec();
            crate::propagate::derive(model, to, &mut arriving, &mut [], None);
            if rows.add(to, 0, &arriving) {
                queue.push(to);
            }
        }
    };
    for &flow in &under.flows {
        cross(flow, &judge.held.carried[flow], &mut rows, &mut queue);
    }
    while let Some(system) = queue.pop() {
        let here = LeafSet::from(rows.row(system, 0));
        for &flow in judge.graph.out(system) {
            cross(flow, &here.and(&judge.held.carried[flow]), &mut rows, &mut queue);
        }
    }
    noted
}

fn all_noted(judge: &Judge, under: &Under, flow: FlowId) -> Vec<(Noted, LeafSet)> {
    let mut all = Vec::new();
    for (at, check) in ALL.iter().enumerate() {
        if let How::Under(breaks) = check.how {
            all.extend(breaks(judge, under, flow).map(|leaves| (Noted::Breaks(at), leaves)));
        }
    }
    if under.releases(judge, flow) && judge.model.flows[flow].transform != Transform::None {
        all.push((Noted::Released, judge.model.flows[flow].leaves.clone()));
    }
    all.extend(onward::relies(judge, under, flow).map(|leaves| (Noted::OnwardTo, leaves)));
    all
}

/// Follows what comes under one set of terms, from each origin.
fn follow(
    judge: &Judge,
    under: &[Under],
    wanted: impl Fn(&Noted) -> bool,
    findings: &mut Findings,
    breaking: &mut Breaking,
    relied: &mut BTreeSet<(Noted, FlowId)>,
) {
    let model = judge.model;
    let Some(one) = under.first() else {
        return;
    };
    let mut noted = noted(judge, one);
    noted.retain(|_, list| {
        list.retain(|(what, _)| wanted(what));
        !list.is_empty()
    });
    if noted.is_empty() {
        return;
    }
    let any = Sticky { judge, under, origin: None };
    let candidates = reaching(judge.graph, &any, noted.keys().copied(), |flow, slot, row| {
        if let Some(list) = noted.get(&flow)
            && any.while_crossing(flow, slot.plane) != 0
        {
            list.iter().for_each(|(_, leaves)| {
                bits::or(row, leaves.row());
            });
        }
    });
    let candidates = Candidates { rows: &candidates, planes: any.planes() };
    for (at, (origin, starts)) in judge.origins.iter().enumerate() {
        let course = Sticky { origin: Some(model.parties[origin.party()].group), ..any };
        let mut shortest: FxHashMap<(usize, FlowId), Shortest> = FxHashMap::default();
        let mut seen: Vec<(usize, FlowId, usize, LeafSet)> = Vec::new();
        let followed = judge.follow(judge.graph, &course, *origin, starts, candidates, |leaf, crossing| {
            let Some(list) = noted.get(&crossing.flow) else {
                return;
            };
            if course.while_crossing(crossing.flow, crossing.slot.plane) == 0 {
                return;
            }
            for (what, leaves) in list {
                let hit = leaves.and(&LeafSet::from(&*crossing.leaves));
                if hit.is_empty() {
                    continue;
                }
                if let Noted::Breaks(check) = *what {
                    let key = (check, crossing.flow);
                    keep_shortest(&mut shortest, key, Shortest::new(model, &crossing, hit.row()));
                    seen.push((check, crossing.flow, leaf, hit));
                } else {
                    relied.insert((*what, crossing.flow));
                }
            }
        });
        let Some(followed) = followed else {
            continue;
        };
        for (check, flow, leaf, hit) in seen {
            let none = || LeafSet::empty(model.data.leaf_count());
            let found = findings.entry((check, flow)).or_insert_with(|| Broken {
                data: none(),
                arrives_as: none(),
                agreements: BTreeMap::new(),
                consequent: true,
            });
            found.data.insert(leaf);
            found.arrives_as.extend(hit.row());
            found.agreements.entry(one.agreement).or_default();
            let (flows, from) = breaking.entry(check).or_default();
            flows.insert(flow);
            if from.last() != Some(&at) {
                from.push(at);
            }
        }
        for (key, shortest) in &shortest {
            if let Some(found) = findings.get_mut(key) {
                let shown = found.agreements.len() <= WITNESSES;
                if let Some(walk) = found.agreements.get_mut(&one.agreement)
                    && (walk.is_empty() && shown || shortest.length < walk.len())
                {
                    *walk = followed.walk(shortest);
                }
            }
        }
    }
}

/// The claim by which a flow kept something from breaking terms.
fn relied_on(judge: &Judge, what: Noted, flow: FlowId) -> Relied {
    let model = judge.model;
    let released = what == Noted::Released;
    Relied {
        rule: ReliedRule::BuiltIn(if released { "terms/released_by" } else { "terms/onward" }),
        flow,
        claim: if released {
            format!("transform: {}", model.flows[flow].transform.word())
        } else {
            format!("onward_to: {}", model.parties[model.receiver(flow)].id())
        },
    }
}

/// The flows at which some walk breaks a check for the first time.
fn first_breaking<'o, 's: 'o>(
    judge: &Judge,
    under: &[Under],
    check: usize,
    origins: impl Iterator<Item = &'o (Origin, Starts<'s>)>,
) -> FxHashSet<FlowId> {
    let mut first = FxHashSet::default();
    let Some(How::Under(breaks)) = ALL.get(check).map(|c| c.how) else {
        return first;
    };
    let mut broken: FxHashMap<(usize, FlowId), Option<LeafSet>> = FxHashMap::default();
    for (origin, starts) in origins {
        let course = Sticky { judge, under, origin: Some(judge.model.parties[origin.party()].group) };
        let seeds: Vec<Seed> = starts
            .iter()
            .flat_map(|&(system, leaves)| leaves.iter().map(move |leaf| Seed { system, stack: 0, leaf }))
            .collect();
        forward(judge.graph, &course, *origin, 1, &seeds, None, |crossing| {
            let active = course.while_crossing(crossing.flow, crossing.slot.plane);
            for (at, one) in under.iter().enumerate().filter(|(at, _)| active >> at & 1 == 1) {
                let leaves =
                    broken.entry((at, crossing.flow)).or_insert_with(|| breaks(judge, one, crossing.flow));
                if let Some(leaves) = leaves
                    && bits::intersects(crossing.leaves, leaves.row())
                {
                    first.insert(crossing.flow);
                    crossing.leaves.iter_mut().zip(leaves.row()).for_each(|(c, l)| *c &= !l);
                }
            }
        });
    }
    first
}
