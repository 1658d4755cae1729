//! `limit`: what one place may hold at once.
//!
//! ```text
//! held at p: items that start there or walk there over flows not matched by `through`
//! together [c₁ … cₙ]: each cᵢ has an item held at p that is of it        ⟹  (rule, p)
//! origins_at_most n: items of `data` at p come from more than n parties  ⟹  (rule, p)
//! ```

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Idle;
use crate::bits::LeafSet;
use crate::graph::Origin;
use crate::judge::{Judge, On, Relied, RuleRef, Shortest, Starts, Violation, keep_shortest};
use crate::matching::Reading;
use crate::model::{FlowId, PartyId, SystemId, Table};
use crate::policy::{Limit, Most};
use crate::propagate::{Alike, Candidates, Course, Deriving, Passing, reaching};

/// Walks over flows that are not exempt, marked once they are of the categories.
struct Counted<'c> {
    through: &'c Table<FlowId, bool>,
    data: &'c LeafSet,
}

impl Course for Counted<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(self.data)
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        (!self.through[flow]).then_some(plane)
    }
}

/// The items of some categories held at one place.
#[derive(Debug, Clone)]
struct Holding {
    data: LeafSet,
    arrives_as: LeafSet,
    /// For each origin party a shortest walk that brings one.
    walks: BTreeMap<PartyId, Vec<FlowId>>,
}

/// Judges one `limit`, at some places only if they are named: the findings, the exemptions
/// used, and what matches nothing.
pub fn limited(
    judge: &Judge,
    rule_ref: RuleRef,
    rule: &Limit,
    only: Option<&FxHashSet<On>>,
) -> (Vec<Violation>, Vec<Relied>, Vec<Idle>) {
    let model = judge.model;
    let mut places = places(judge, rule);
    places.retain(|(on, _)| only.is_none_or(|only| only.contains(on)));
    let mut idle = Vec::new();
    if places.is_empty() {
        idle.push(Idle::Sink);
    }
    let (categories, at_most) = match &rule.most {
        Most::Together(keys) => {
            (keys.iter().map(|k| model.data.leaves([&k.value])).collect::<Vec<_>>(), None)
        }
        Most::Origins { data, at_most } if data.is_empty() => {
            (vec![LeafSet::full(model.data.leaf_count())], Some(*at_most))
        }
        Most::Origins { data, at_most } => {
            (vec![model.data.leaves(data.iter().map(|k| &k.value))], Some(*at_most))
        }
    };
    let mut place_of: Table<SystemId, Option<usize>> = model.systems.map(|_| None);
    for (at, (_, systems)) in places.iter().enumerate() {
        systems.iter().for_each(|&s| place_of[s] = Some(at));
    }
    let exempt = |flow| {
        !rule.through.is_empty()
            && judge.counting.has(flow)
            && judge.matching.flow(&rule.through, flow, Reading::Unlikely)
    };
    let through: Table<FlowId, bool> = model.flows.ids().map(exempt).collect();
    let mut relied: Vec<FlowId> = Vec::new();
    let holdings: Vec<Vec<Option<Holding>>> = categories
        .iter()
        .map(|data| {
            let course = Counted { through: &through, data };
            let relied = only.is_none().then_some(&mut relied);
            holdings(judge, &course, &place_of, places.len(), at_most.is_some(), relied)
        })
        .collect();
    for data in &categories {
        let held =
            model.systems.ids().any(|s| crate::bits::intersects(judge.held.leaves.row(s, 0), data.row()));
        if !held {
            idle.push(Idle::Data);
        }
    }
    idle.dedup();
    let mut violations = Vec::new();
    for (at, (on, _)) in places.iter().enumerate() {
        let here: Vec<&Holding> = holdings.iter().filter_map(|h| h.get(at)?.as_ref()).collect();
        let broken = here.len() == categories.len()
            && match at_most {
                None => true,
                Some(most) => here.iter().any(|h| h.walks.len() as u64 > most),
            };
        if !broken {
            continue;
        }
        let mut data = LeafSet::empty(model.data.leaf_count());
        let mut arrives_as = data.clone();
        let mut walks: Vec<(Vec<FlowId>, &Holding)> = Vec::new();
        for holding in here {
            data.extend(holding.data.row());
            arrives_as.extend(holding.arrives_as.row());
            match at_most {
                None => {
                    walks.extend(holding.walks.values().min_by_key(|w| w.len()).map(|w| (w.clone(), holding)))
                }
                Some(_) => walks.extend(holding.walks.values().map(|w| (w.clone(), holding))),
            }
        }
        let witnesses: Vec<_> = walks
            .into_iter()
            .zip(categories.iter().cycle())
            .map(|((walk, holding), marks)| judge.witness(walk, &holding.data, Some(marks)))
            .collect();
        let mut agreements: Vec<_> =
            witnesses.iter().flat_map(|w| &w.walk).filter_map(|&f| model.flows[f].agreement).collect();
        agreements.sort_unstable();
        agreements.dedup();
        violations.push(Violation {
            rule: rule_ref,
            on: *on,
            severity: None,
            agreements,
            data,
            arrives_as,
            witnesses,
            consequent: false,
            details: Vec::new(),
        });
    }
    relied.sort_unstable();
    relied.dedup();
    let relied = relied.into_iter().map(|flow| Relied {
        rule: crate::judge::ReliedRule::Rule(rule_ref),
        flow,
        claim: super::forbid::claim(judge, &rule.through, flow),
    });
    (violations, relied.collect(), idle)
}

/// The places that a rule looks at, with their systems.
fn places(judge: &Judge, rule: &Limit) -> Vec<(On, Vec<SystemId>)> {
    let model = judge.model;
    if rule.whole_party {
        let parties = model.parties.ids().filter(|&p| judge.matching.party(&rule.at, p));
        return parties.map(|p| (On::Party(p), model.parties[p].systems.clone())).collect();
    }
    let systems = model.systems.ids().filter(|&s| judge.matching.place(&rule.at, s, Reading::Likely));
    systems.map(|s| (On::System(s), vec![s])).collect()
}

/// For each place the items of the course's categories that are held there: whose, if
/// wanted by party. The exempt flows that such data would go on by are added to `relied`.
fn holdings(
    judge: &Judge,
    course: &Counted,
    place_of: &Table<SystemId, Option<usize>>,
    places: usize,
    by_party: bool,
    mut relied: Option<&mut Vec<FlowId>>,
) -> Vec<Option<Holding>> {
    let model = judge.model;
    let none = || LeafSet::empty(model.data.leaf_count());
    let touching = Deriving::new(model, course.data);
    let mut holdings: Vec<Option<Holding>> = vec![None; places];
    let mut hold = |place: usize, data: &LeafSet, arrives: &LeafSet, walk: Option<(PartyId, Vec<FlowId>)>| {
        if let Some(slot) = holdings.get_mut(place) {
            let holding = slot.get_or_insert_with(|| Holding {
                data: none(),
                arrives_as: none(),
                walks: BTreeMap::new(),
            });
            holding.data.extend(data.row());
            holding.arrives_as.extend(arrives.row());
            if let Some((party, walk)) = walk {
                let known = holding.walks.entry(party).or_insert_with(|| walk.clone());
                if walk.len() < known.len() {
                    *known = walk;
                }
            }
        }
    };
    let candidates = reaching(judge.graph, course, judge.counting.iter(), |flow, slot, row| {
        let to = model.flows[flow].to;
        if relied.is_some() && course.through[flow] || place_of[to].is_some() {
            let leaves = &model.flows[flow].leaves;
            row.copy_from_slice(if slot.marked { leaves.clone() } else { leaves.and(touching.at(to)) }.row());
        }
    });
    let candidates = Candidates { rows: &candidates, planes: 1 };
    let alike = (!by_party).then(|| Alike::new(judge.graph, judge.graph.flows()));
    let classes: Vec<(Passing, Starts)> = match &alike {
        Some(alike) => {
            let passing = |origin: Option<Origin>| origin.map_or(Passing::Many(alike), Passing::One);
            judge.classes(alike, false).into_iter().map(|(o, starts)| (passing(o), starts)).collect()
        }
        None => judge.origins.iter().map(|(o, starts)| (Passing::One(*o), starts.clone())).collect(),
    };
    for (passing, starts) in &classes {
        for &(system, leaves) in starts {
            if let Some(place) = place_of[system] {
                let data = leaves.and(touching.at(system));
                if !data.is_empty() {
                    hold(place, &data, &data, Some((model.systems[system].party, Vec::new())));
                }
            }
        }
        let mut shortest: FxHashMap<usize, Shortest> = FxHashMap::default();
        let mut hits: Vec<(usize, usize, LeafSet)> = Vec::new();
        let followed = judge.follow(judge.graph, course, *passing, starts, candidates, |leaf, crossing| {
            let flow = crossing.flow;
            let to = model.flows[flow].to;
            let arriving = LeafSet::from(&*crossing.leaves);
            let hit = if crossing.slot.marked { arriving } else { arriving.and(touching.at(to)) };
            if course.through[flow] {
                if !hit.is_empty() {
                    relied.iter_mut().for_each(|relied| relied.push(flow));
                }
                return;
            }
            let Some(place) = place_of[to] else {
                return;
            };
            if !hit.is_empty() {
                keep_shortest(&mut shortest, place, Shortest::new(model, &crossing, hit.row()));
                hits.push((place, leaf, hit));
            }
        });
        let Some(followed) = followed else {
            continue;
        };
        for (place, leaf, hit) in hits {
            let mut data = none();
            data.insert(leaf);
            hold(place, &data, &hit, None);
        }
        for (place, shortest) in &shortest {
            let walk = followed.walk(shortest);
            if let Some(&first) = walk.first() {
                hold(*place, &none(), &none(), Some((model.sender(first), walk)));
            }
        }
    }
    holdings
}
