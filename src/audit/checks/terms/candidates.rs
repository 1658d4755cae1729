//! Which agreements' data can break their terms at all: agreements with equal terms are
//! looked at together, whoever shares and whatever its origin.
//!
//! What is found is never too little: data that gets somewhere only by the origin of
//! something else's, or that came home on the way, is left to the search that follows
//! one agreement. Which flows end terms is found exactly, for all agreements that the
//! same transforms release at once, but for those to whose home data can come.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::flow_signatures::FlowSignatures;
use super::{Home, Under};
use crate::audit::analysis::Analysis;
use crate::audit::checks::{How, all, onward};
use crate::base::bits::{self, LeafSet};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Onward, Transform};
use crate::flow::graph::{Edge, Origin};
use crate::flow::propagate::{
    BackwardSlice, Course, ItemsOf, OriginClass, Rows, Slot, flood, reaching, reaching_within,
};
use crate::model::{FlowId, OnwardTo, PartyId};

/// What sifting for claims leaves.
pub struct Relying {
    /// For each of the terms where what is under them may rely on what is not known to
    /// be relied on, if anywhere.
    pub alone: Vec<Option<Arc<Goals>>>,
    /// Flows that carry something under terms and end them.
    pub released: FxHashSet<FlowId>,
    /// Flows that carry something to whom only `onward_to` allows.
    pub allowed: FxHashSet<FlowId>,
    /// Flows that pass something on since terms permit that to anybody.
    pub permitted: FxHashSet<FlowId>,
}

/// Where something may be noted of what is under equal terms, but for the own flows
/// of their agreements.
#[derive(Debug)]
pub struct Goals {
    /// At which flows.
    pub flows: FxHashSet<FlowId>,
    /// For each system the leaves that, under the terms, can get to one of them.
    pub slice: Rows,
}

/// What two sets of terms have in common if the same flows break them.
#[derive(PartialEq, Eq, Hash)]
struct Same<'u> {
    purposes: Option<Vec<Key>>,
    within: bool,
    prohibited: Vec<Key>,
    onward: Onward,
    onward_to: &'u [OnwardTo],
    retention: Option<crate::base::duration::Duration>,
    safeguards: Vec<&'u str>,
    releasing: Vec<Transform>,
}

impl<'u> Same<'u> {
    fn of(under: &'u Under) -> Self {
        let sorted = |list: &[crate::read::decode::Spanned<Key>]| {
            let mut keys: Vec<Key> = list.iter().map(|k| k.value).collect();
            keys.sort_unstable();
            keys
        };
        let terms = under.terms;
        let mut safeguards: Vec<&str> = terms.safeguards.iter().map(|s| s.value.as_str()).collect();
        safeguards.sort_unstable();
        Same {
            purposes: under.permitted.clone().map(|mut keys| {
                keys.sort_unstable();
                keys
            }),
            within: under.within,
            prohibited: sorted(&terms.prohibited_purposes),
            onward: under.onward,
            onward_to: under.onward_to,
            retention: terms.retention,
            safeguards,
            releasing: releasing(under),
        }
    }
}

fn releasing(under: &Under) -> Vec<Transform> {
    let mut releasing = under.terms.releasing().to_vec();
    releasing.sort_unstable();
    releasing
}

/// Members by what they have in common.
fn alike<'u, K: std::hash::Hash + Eq>(
    members: &'u [&'u Under],
    common: impl Fn(&'u Under<'u>) -> K,
) -> FxHashMap<K, Vec<usize>> {
    let mut groups: FxHashMap<K, Vec<usize>> = FxHashMap::default();
    for (at, under) in members.iter().enumerate() {
        groups.entry(common(under)).or_default().push(at);
    }
    groups
}

/// At which flows it is asked whether they break terms.
pub enum Asked<'a> {
    /// At all.
    All(FlowSignatures),
    /// At some.
    Some(&'a FxHashSet<FlowId>),
}

impl Asked<'_> {
    fn has(&self, flow: FlowId) -> bool {
        match self {
            Asked::All(_) => true,
            Asked::Some(flows) => flows.contains(&flow),
        }
    }
}

/// For each of the terms where what is under them may break them, if anywhere.
pub fn breaking(analysis: &Analysis, members: &[&Under], asked: &Asked) -> Vec<Option<Arc<Goals>>> {
    let mut breaking = vec![None; members.len()];
    let groups: Vec<Vec<usize>> = alike(members, Same::of).into_values().collect();
    let found = groups.par_iter().map(|group| breaking_alike(analysis, members, group, asked));
    for (found, goals) in found.collect::<Vec<_>>() {
        note(&mut breaking, found, goals);
    }
    breaking
}

/// Whether a flow may rely on a claim.
type May = fn(&Analysis, &Under, FlowId) -> bool;
/// The leaves for which a flow relies on a claim.
type Relies = fn(&Analysis, &Under, FlowId) -> Option<LeafSet>;

/// Where something under the terms may rely on a claim.
pub fn relying(analysis: &Analysis, members: &[&Under]) -> Relying {
    let none = FxHashSet::default();
    let mut found = Relying {
        alone: vec![None; members.len()],
        released: none.clone(),
        allowed: none.clone(),
        permitted: none,
    };
    let mut alone = vec![false; members.len()];
    let mut leave = |left: Vec<usize>| {
        for at in left {
            if let Some(alone) = alone.get_mut(at) {
                *alone = true;
            }
        }
    };
    let flows = || analysis.graph.flows().iter().copied();
    let turned: Vec<FlowId> =
        flows().filter(|&flow| analysis.graph.transform(flow) != Transform::None).collect();
    for group in alike(members, |under| (releasing(under), under.within)).into_values() {
        let Some(&one) = group.first().and_then(|&at| members.get(at)) else { continue };
        let open = turned.iter().copied().filter(|&flow| ends(analysis, one, flow));
        let open: Vec<FlowId> = open.filter(|flow| !found.released.contains(flow)).collect();
        leave(together(analysis, members, &group, &open, &mut found.released, |one, flow| {
            ends(analysis, one, flow).then(|| LeafSet::clone(&analysis.model.flows[flow].leaves))
        }));
    }
    let named: FxHashSet<PartyId> = members.iter().flat_map(|one| one.onward_to).map(|to| to.party).collect();
    let to_named: Vec<FlowId> =
        flows().filter(|&flow| named.contains(&analysis.graph.receiver(flow))).collect();
    let crossing: Vec<FlowId> = match members.iter().any(|one| one.onward == Onward::Permitted) {
        true => flows().filter(|&flow| analysis.graph.crosses(flow)).collect(),
        false => Vec::new(),
    };
    for group in alike(members, Same::of).into_values() {
        let Some(&one) = group.first().and_then(|&at| members.get(at)) else { continue };
        let (flows, may, relies_on, known): (_, May, Relies, _) = match one.onward {
            Onward::Permitted => (&crossing, onward::may_permit, onward::permits, &mut found.permitted),
            _ => (&to_named, onward::may_rely, onward::relies, &mut found.allowed),
        };
        let open = flows.iter().copied().filter(|&flow| may(analysis, one, flow));
        let open: Vec<FlowId> = open.filter(|flow| !known.contains(flow)).collect();
        // Whose data a flow carries on must not matter: else each is looked at alone.
        let mut differ = false;
        let left = together(analysis, members, &group, &open, known, |one, flow| {
            let mut each = group.iter().filter_map(|&at| members.get(at));
            let relies = relies_on(analysis, one, flow);
            differ |= each.any(|other| relies_on(analysis, other, flow) != relies);
            relies.filter(|_| !differ)
        });
        leave(if differ { group } else { left });
    }
    for mut group in alike(members, Same::of).into_values() {
        group.retain(|&at| alone.get(at).is_some_and(|alone| *alone));
        if !group.is_empty() {
            let goals = relying_alike(analysis, members, &group, &found);
            note(&mut found.alone, group, goals);
        }
    }
    found
}

fn note(all: &mut [Option<Arc<Goals>>], members: Vec<usize>, goals: Goals) {
    let goals = Arc::new(goals);
    for at in members {
        if let Some(one) = all.get_mut(at) {
            *one = Some(Arc::clone(&goals));
        }
    }
}

/// Walks that go on under terms, wherever home is.
pub struct Onwards<'u> {
    /// Of what is judged.
    pub analysis: &'u Analysis<'u>,
    /// The terms.
    pub one: &'u Under<'u>,
}

impl Course for Onwards<'_> {
    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        (!self.one.ends(self.analysis, flow)).then_some(plane)
    }
}

/// The own flows of some members by which data comes under their terms.
fn entering<'g>(
    analysis: &'g Analysis,
    members: &'g [&Under],
    group: &'g [usize],
) -> impl Iterator<Item = (usize, FlowId)> + 'g {
    let own = group.iter().filter_map(|&at| Some((at, members.get(at)?)));
    own.flat_map(move |(at, under)| {
        let away = under.flows.iter().filter(|&&flow| !under.home(analysis, flow));
        away.map(move |&flow| (at, flow))
    })
}

/// What is under terms at each system, of what can get to a goal if those are given, and the
/// flows that it crosses from there.
fn spread(
    analysis: &Analysis,
    members: &[&Under],
    group: &[usize],
    one: &Under,
    slice: Option<&Rows>,
) -> (Rows, Vec<FlowId>) {
    let model = analysis.model;
    let course = Onwards { analysis, one };
    let entering = entering(analysis, members, group).filter(|&(_, flow)| !one.ends(analysis, flow));
    let entering = entering.map(|(_, flow)| (model.flows[flow].to, &analysis.held.carried[flow]));
    let slice = slice.map(|rows| BackwardSlice::of(rows, 1));
    let under = flood(analysis.graph, &course, |_| true, entering, slice);
    let mut crossed: Vec<FlowId> = Vec::new();
    under.crossings(analysis.graph, &course, |_| true, |edge, _, _| crossed.push(edge.flow));
    (under.rows, crossed)
}

/// Whether a flow breaks a term with whatever it carries under it: any but the one about to
/// whom it leads.
fn breaks_alone(analysis: &Analysis, one: &Under, flow: FlowId) -> bool {
    all().filter(|check| check.id != onward::CHECK.id).any(|check| match check.how {
        How::Under(_) => check.breaks(analysis, one, flow).is_some(),
        _ => false,
    })
}

/// Which flows of some are noted with which leaves, and what gets to them under terms, of
/// what is, if that is known.
fn goals(
    analysis: &Analysis,
    one: &Under,
    rows: Option<&Rows>,
    flows: impl Iterator<Item = FlowId>,
    mut noted: impl FnMut(FlowId) -> Option<LeafSet>,
) -> Goals {
    let model = analysis.model;
    let here = |flow, mut leaves: LeafSet| {
        bits::and_assign(leaves.row_mut(), analysis.held.carried[flow].row());
        if let Some(rows) = rows {
            bits::and_assign(leaves.row_mut(), rows.row(analysis.graph.sending(flow), 0));
        }
        leaves
    };
    let noted = flows.filter_map(|flow| Some((flow, here(flow, noted(flow)?))));
    let leaves: FxHashMap<FlowId, LeafSet> = noted.filter(|(_, leaves)| !leaves.is_empty()).collect();
    let mut ends: Vec<FlowId> = leaves.keys().copied().collect();
    ends.sort_unstable();
    let ends = analysis.graph.some(ends);
    let target = |edge: Edge, _: Slot, row: &mut [u64]| {
        if let Some(hit) = leaves.get(&edge.flow) {
            row.copy_from_slice(hit.row());
        }
    };
    let course = Onwards { analysis, one };
    let slice = match rows {
        _ if leaves.is_empty() => Rows::new(model, 1),
        Some(rows) => reaching_within(analysis.graph, &course, rows, ends, target),
        None => reaching(analysis.graph, &course, ends, target),
    };
    Goals { flows: leaves.into_keys().collect(), slice }
}

/// Which of some members with equal terms may break them, and where.
fn breaking_alike(
    analysis: &Analysis,
    members: &[&Under],
    group: &[usize],
    asked: &Asked,
) -> (Vec<usize>, Goals) {
    let model = analysis.model;
    let Some(&one) = group.first().and_then(|&at| members.get(at)) else {
        return (Vec::new(), Goals { flows: FxHashSet::default(), slice: Rows::new(model, 1) });
    };
    let look = |flow| (breaks_alone(analysis, one, flow), onward::passes_on(analysis, one, flow));
    let breaks = |(alone, passed_on): (bool, bool), flow| match alone {
        _ if !analysis.counting.has(flow) => None,
        true => Some(analysis.held.carried[flow].clone()),
        false if passed_on => onward::disallowed_leaves(analysis, one, flow),
        false => None,
    };
    let goals = match asked {
        Asked::All(looks) => {
            let (rows, crossed) = spread(analysis, members, group, one, None);
            let mut known: FxHashMap<u32, (bool, bool)> = FxHashMap::default();
            let crossed = crossed.into_iter().filter(|&flow| analysis.counting.has(flow));
            goals(analysis, one, Some(&rows), crossed, |flow| {
                breaks(*known.entry(looks.kind(flow)).or_insert_with(|| look(flow)), flow)
            })
        }
        Asked::Some(flows) => {
            goals(analysis, one, None, flows.iter().copied(), |flow| breaks(look(flow), flow))
        }
    };
    let mut found: Vec<usize> = Vec::new();
    for (at, flow) in entering(analysis, members, group) {
        if found.last() == Some(&at) {
            continue;
        }
        let carried = &analysis.held.carried[flow];
        let goes_on = !one.ends(analysis, flow)
            && bits::intersects(goals.slice.row(model.flows[flow].to, 0), carried.row());
        let itself = || {
            members.get(at).is_some_and(|under| {
                all().any(|check| match check.how {
                    How::Under(_) => {
                        check.breaks(analysis, under, flow).is_some_and(|leaves| leaves.intersects(carried))
                    }
                    _ => false,
                })
            })
        };
        if goes_on || asked.has(flow) && itself() {
            found.push(at);
        }
    }
    (found, goals)
}

/// Where some members with equal terms may rely on what is not known to be relied on.
fn relying_alike(analysis: &Analysis, members: &[&Under], group: &[usize], known: &Relying) -> Goals {
    let model = analysis.model;
    let Some(&one) = group.first().and_then(|&at| members.get(at)) else {
        return Goals { flows: FxHashSet::default(), slice: Rows::new(model, 1) };
    };
    let (rows, crossed) = spread(analysis, members, group, one, None);
    goals(analysis, one, Some(&rows), crossed.into_iter(), |flow| {
        let ends = ends(analysis, one, flow) && !known.released.contains(&flow);
        let to_named = !known.allowed.contains(&flow) && onward::may_rely(analysis, one, flow);
        let permitted = !known.permitted.contains(&flow) && onward::may_permit(analysis, one, flow);
        if !ends && !to_named && !permitted {
            return None;
        }
        Some(analysis.held.carried[flow].clone())
    })
}

/// Walks under any of some terms that the same transforms end, of items that come to none of
/// some homes: in the second plane they are under terms, in a third one, if what was released may be re-identified,
/// they would be if nothing had transformed them.
struct Released<'u> {
    analysis: &'u Analysis<'u>,
    one: &'u Under<'u>,
    entering: &'u FxHashSet<FlowId>,
    /// Where terms of any agreement end.
    homes: &'u FxHashSet<Home>,
    /// The party of the items' origin, where they may come to it.
    origin: Option<PartyId>,
}

impl Released<'_> {
    fn under(&self, flow: FlowId, plane: usize) -> bool {
        !self.comes_home(flow) && (plane == 1 || self.entering.contains(&flow))
    }

    fn comes_home(&self, flow: FlowId) -> bool {
        let [group, party] = Home::entered(self.analysis, flow);
        let at_origin = |origin| self.one.is_origin(self.analysis, flow, origin);
        self.origin.is_some_and(at_origin) || self.homes.contains(&group) || self.homes.contains(&party)
    }
}

impl Course for Released<'_> {
    fn planes(&self) -> usize {
        if self.analysis.restorable.is_empty() { 2 } else { 3 }
    }

    fn restored(&self, plane: usize) -> usize {
        usize::from(plane > 0)
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        let releases = self.one.releases(self.analysis, flow);
        let home = self.comes_home(flow);
        Some(if self.under(flow, plane) && !releases {
            1
        } else if !home && (plane == 2 || self.under(flow, plane) && !self.one.ends(self.analysis, flow)) {
            2
        } else {
            0
        })
    }
}

/// Finds those of some flows that carry something under terms with leaves that `relies` gives;
/// gives back the members that must be looked at alone, because data may come to their home.
///
/// First as if what comes home to one were home to all: what relies on a claim then, does.
/// Only if that leaves a flow open, the others are looked at as they are.
fn together(
    analysis: &Analysis,
    members: &[&Under],
    group: &[usize],
    flows: &[FlowId],
    found: &mut FxHashSet<FlowId>,
    mut relies: impl FnMut(&Under, FlowId) -> Option<LeafSet>,
) -> Vec<usize> {
    let Some(&one) = group.first().and_then(|&at| members.get(at)) else {
        return Vec::new();
    };
    if flows.is_empty() {
        return Vec::new();
    }
    let ends = analysis.graph.some(flows.iter().copied());
    let slice = reaching(analysis.graph, &Onwards { analysis, one }, ends, |edge, _, row| {
        row.copy_from_slice(edge.leaves)
    });
    let (_, crossed) = spread(analysis, members, group, one, Some(&slice));
    let mut entered: FxHashSet<Home> = FxHashSet::default();
    for &flow in &crossed {
        let from = Home::of(analysis, analysis.graph.sending(flow));
        let to = Home::entered(analysis, flow);
        entered.extend(to.into_iter().filter(|home| !from.contains(home)));
    }
    let own = |members_of: &[usize]| -> FxHashSet<FlowId> {
        entering(analysis, members, members_of).map(|(_, flow)| flow).collect()
    };
    let all = own(group);
    let mut crossed: FxHashSet<FlowId> = crossed.into_iter().collect();
    crossed.extend(&all);
    let ends = flows.iter().filter(|flow| crossed.contains(flow));
    let goals: FxHashMap<FlowId, LeafSet> =
        ends.filter_map(|&flow| Some((flow, relies(one, flow)?))).collect();
    let (alone, together): (Vec<usize>, Vec<usize>) = group.iter().partition(|&&at| {
        members.get(at).is_some_and(|under| under.homes.iter().any(|home| entered.contains(home)))
    });
    let homes = |&at: &usize| members.get(at).into_iter().flat_map(|under| under.homes.iter().copied());
    let homes: FxHashSet<Home> = alone.iter().flat_map(homes).collect();
    let mut open = |entering: &FxHashSet<FlowId>, homes: &FxHashSet<Home>| {
        let mut left = goals.clone();
        left.retain(|flow, _| !found.contains(flow));
        if !left.is_empty() {
            carried_under(&Released { analysis, one, entering, homes, origin: None }, left, found);
        }
        !goals.keys().all(|flow| found.contains(flow))
    };
    if !open(&all, &homes) || alone.is_empty() {
        return Vec::new();
    }
    open(&own(&together), &FxHashSet::default());
    alone
}

/// Adds those of some flows that carry what is under terms on a course, with the leaves given.
fn carried_under(any: &Released, mut goals: FxHashMap<FlowId, LeafSet>, found: &mut FxHashSet<FlowId>) {
    let analysis = any.analysis;
    let model = analysis.model;
    let open = analysis.graph.some(goals.keys().copied());
    let slice = reaching(analysis.graph, any, open, |edge, slot, row| {
        if let Some(leaves) = goals.get(&edge.flow).filter(|_| any.under(edge.flow, slot.plane)) {
            row.copy_from_slice(leaves.row());
        }
    });
    let candidates = BackwardSlice::of(&slice, any.planes());
    let all =
        || analysis.origins.iter().flat_map(|(_, starts)| starts.iter().map(|&(s, leaves)| (s, leaves)));
    let open = flood(analysis.graph, any, |_| true, all(), Some(candidates));
    let leaving = open.systems.iter().flat_map(|&system| analysis.graph.out(system));
    let carrying: Vec<FlowId> = leaving
        .map(|edge| edge.flow)
        .filter(|&flow| {
            let f = &model.flows[flow];
            Slot::all(any).any(|slot| {
                let here = LeafSet::from(open.rows.at(f.from, slot, any.planes()));
                let crossing = here.and(&f.leaves);
                let Some(plane) = any.next(flow, slot.plane) else { return false };
                let hit = || goals.get(&flow).is_some_and(|leaves| leaves.intersects(&crossing));
                any.under(flow, slot.plane) && hit()
                    || candidates.meet(f.to, Slot { plane, ..slot }, crossing.row())
            })
        })
        .collect();
    let graph = analysis.graph.only(&carrying);
    let alike = OriginClass::new(&graph, &carrying);
    for (origin, starts) in analysis.classes_at(&alike, &open.systems) {
        let whose = origin.map_or(ItemsOf::Many, ItemsOf::One);
        let course = Released { origin: origin.map(Origin::party), ..*any };
        let passes = |flow| alike.passes(&graph, flow, whose);
        let held = flood(&graph, &course, passes, starts, Some(candidates));
        for flow in held.systems.iter().flat_map(|&system| graph.out(system)).map(|edge| edge.flow) {
            let Some(leaves) = goals.get(&flow).filter(|_| passes(flow)) else {
                continue;
            };
            let from = model.flows[flow].from;
            let crosses = Slot::all(&course).any(|slot| {
                course.under(flow, slot.plane)
                    && bits::intersects(held.rows.at(from, slot, course.planes()), leaves.row())
            });
            if crosses {
                found.insert(flow);
                goals.remove(&flow);
            }
        }
        if goals.is_empty() {
            return;
        }
    }
}

/// Whether a flow's transform ends terms, and not all terms end at once.
fn ends(analysis: &Analysis, one: &Under, flow: FlowId) -> bool {
    analysis.model.flows[flow].transform != Transform::None && one.releases(analysis, flow)
}
