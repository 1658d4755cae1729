//! Whether what is under terms breaks them: what is asked of walks, and what may be under them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use super::sets::{Sets, State};
use super::terms::{Home, TERMS, Under};
use super::walks::{Planes, Question, Shown};
use super::world::{Edge, Ground};
use crate::base::bits::LeafSet;
use crate::model::{AgreementId, FlowId, PartyId, SystemId};

/// Under the terms.
const UNDER: State = State { plane: 1, marked: false };

/// Leaves with all that a system makes of them.
fn turned(ground: &Ground, system: SystemId, leaves: LeafSet) -> LeafSet {
    if ground.model.systems[system].derives.is_empty() {
        return leaves;
    }
    let mut held = [leaves, ground.nothing()];
    ground.derive(system, &mut held, None);
    let [leaves, _] = held;
    leaves
}

/// Whether what is under some terms breaks them. In plane 1 an item is under one of them, in plane 2 it would be if no
/// flow had transformed it.
pub struct Sticky<'g> {
    ground: &'g Ground<'g>,
    members: &'g [Under<'g>],
    own: FxHashMap<FlowId, SmallVec<[usize; 1]>>,
    /// Where the terms of all members end.
    homes: BTreeSet<Home>,
    /// For each manner the terms that it breaks whatever is carried, if that was looked for.
    broken: Cow<'g, [u8]>,
    /// What may be under the terms at all.
    confines: Option<Sets>,
}

impl<'g> Sticky<'g> {
    /// The question, with what may be under the terms found.
    pub fn found(ground: &'g Ground<'g>, members: &'g [Under<'g>]) -> Self {
        let mut question = Sticky::new(ground, members);
        let mut sets = Sets::default();
        let mut arriving: Vec<(SystemId, LeafSet)> = question.entering().collect();
        while let Some((system, leaves)) = arriving.pop() {
            if let Some(new) = sets.add(system, UNDER, &turned(ground, system, leaves)) {
                arriving.extend(question.goes_on(system, &new));
            }
        }
        question.confines = Some(sets);
        question
    }

    /// The question, with what may be under the terms given.
    pub fn confined_to(ground: &'g Ground<'g>, members: &'g [Under<'g>], under: Sets) -> Self {
        Sticky { confines: Some(under), ..Sticky::new(ground, members) }
    }

    /// Where what may be under the terms is not closed.
    pub fn leaking(&self) -> Vec<String> {
        let Some(sets) = &self.confines else {
            return Vec::new();
        };
        let mut missing: BTreeSet<SystemId> = BTreeSet::new();
        let mut look = |(system, leaves): (SystemId, LeafSet)| {
            if !sets.has(system, UNDER, &turned(self.ground, system, leaves)) {
                missing.insert(system);
            }
        };
        self.entering().for_each(&mut look);
        for (system, _, leaves) in sets.iter().filter(|(_, state, _)| *state == UNDER) {
            look((system, leaves.clone()));
            self.goes_on(system, leaves).for_each(&mut look);
        }
        let name = |system: SystemId| &self.ground.model.systems[system].name;
        missing
            .into_iter()
            .map(|system| format!("terms: what is under them at {} is left out", name(system)))
            .collect()
    }

    /// Its members' own flows.
    fn own(&self) -> impl Iterator<Item = &'g Edge> {
        self.own.keys().filter_map(|&flow| self.ground.edge(flow))
    }

    /// What comes under the terms, and where.
    fn entering(&self) -> impl Iterator<Item = (SystemId, LeafSet)> {
        let entering = self.own().filter(|edge| self.plane_after(edge, 0) != 0);
        entering.map(|edge| (edge.to, LeafSet::clone(&edge.leaves)))
    }

    /// What stays under the terms over the flows of a system, and where.
    fn goes_on(&self, system: SystemId, held: &LeafSet) -> impl Iterator<Item = (SystemId, LeafSet)> {
        let crossed = self.ground.out(system).iter().filter(|edge| held.intersects(&edge.leaves));
        let stays = crossed.filter(|edge| self.plane_after(edge, 1) != 0);
        stays.map(|edge| (edge.to, held.and(&edge.leaves)))
    }

    /// The question that some terms ask.
    pub fn new(ground: &'g Ground<'g>, members: &'g [Under<'g>]) -> Self {
        let broken = match members.first() {
            Some(one) => ground.manners.iter().map(|&flow| one.wholly_broken(ground, flow)).collect(),
            None => Vec::new(),
        };
        Sticky::breaking(ground, members, Cow::Owned(broken))
    }

    /// The same, to be asked of few flows.
    pub fn of_few(ground: &'g Ground<'g>, members: &'g [Under<'g>]) -> Self {
        Sticky::breaking(ground, members, Cow::Owned(Vec::new()))
    }

    fn breaking(ground: &'g Ground<'g>, members: &'g [Under<'g>], broken: Cow<'g, [u8]>) -> Self {
        let mut own: FxHashMap<FlowId, SmallVec<[usize; 1]>> = FxHashMap::default();
        for (at, member) in members.iter().enumerate() {
            member.flows.iter().for_each(|&flow| own.entry(flow).or_default().push(at));
        }
        let shared = |home: &Home| members.iter().all(|member| member.homes.contains(home));
        let first = members.first().into_iter().flat_map(|member| member.homes.iter().copied());
        let homes = first.filter(shared).collect();
        Sticky { ground, members, own, homes, broken, confines: None }
    }

    /// The question that some of the members ask.
    pub fn alone<'s>(&'s self, members: &'s [Under<'s>]) -> Sticky<'s> {
        Sticky::breaking(self.ground, members, Cow::Borrowed(&self.broken))
    }

    /// The agreements whose terms they are.
    pub fn agreements(&self) -> BTreeSet<AgreementId> {
        self.members.iter().map(|member| member.agreement).collect()
    }

    /// Those under whose terms a flow carries items, if it does not bring them home.
    fn under(&self, edge: &Edge, plane: u8) -> impl Iterator<Item = &Under<'g>> {
        let all = if plane == 1 { self.members } else { &[] };
        let own = if plane == 1 { None } else { self.own.get(&edge.flow) };
        let own = own.into_iter().flatten().filter_map(|&at| self.members.get(at));
        all.iter().chain(own).filter(move |member| !member.brings_home(edge))
    }

    /// Whether a flow brings data of a party's home: the members say the same of that.
    fn is_origin(&self, edge: &Edge, whose: PartyId) -> bool {
        self.members.first().is_some_and(|member| member.is_origin(self.ground, edge, whose))
    }

    fn plane_after(&self, edge: &Edge, plane: u8) -> u8 {
        if plane != 0 && self.homes.iter().any(|home| home.is_entered(edge)) {
            return 0;
        }
        // The members say the same, so that one will do.
        match self.under(edge, plane).next() {
            Some(member) if !member.releases(edge) => 1,
            Some(_) if edge.restorable => 2,
            // What was released stays so until it comes home to all.
            _ if plane == 2 && self.members.iter().any(|member| !member.brings_home(edge)) => 2,
            _ => 0,
        }
    }

    /// The terms that a flow breaks whatever it carries. What is disposed is checked for nothing.
    fn broken(&self, edge: &Edge) -> u8 {
        if !edge.counts {
            return 0;
        }
        let known = self.broken.get(edge.manner as usize).copied();
        let found = || Some(self.members.first()?.wholly_broken(self.ground, edge.flow));
        known.or_else(found).unwrap_or_default()
    }
}

impl Question for Sticky<'_> {
    fn planes(&self) -> u8 {
        2
    }

    fn restored(&self, plane: u8) -> u8 {
        plane.min(1)
    }

    fn standing_for(&self, plane: u8) -> u8 {
        plane.min(1)
    }

    fn personal(&self) -> bool {
        true
    }

    fn next(&self, edge: &Edge, plane: u8, whose: PartyId) -> Option<u8> {
        Some(if self.is_origin(edge, whose) { 0 } else { self.plane_after(edge, plane) })
    }

    fn anybodys(&self, edge: &Edge, plane: u8) -> Planes {
        match self.plane_after(edge, plane) {
            0 => smallvec![0],
            after => smallvec![0, after],
        }
    }

    fn shows(
        &self,
        edge: &Edge,
        state: State,
        whose: PartyId,
        leaves: &LeafSet,
        shown: &mut BTreeSet<Shown>,
    ) {
        if self.is_origin(edge, whose) {
            return;
        }
        let broken = self.broken(edge);
        let passing = self.members.first().is_some_and(|member| member.may_pass_on(edge));
        if broken == 0 && !passing {
            return;
        }
        for member in self.under(edge, state.plane) {
            let term = |check| Shown::Term(check, edge.declared, member.agreement);
            shown.extend((0..TERMS.len()).filter(|check| broken & 1 << check != 0).map(term));
            if passing
                && member.passes_on(self.ground, edge)
                && !leaves.is_subset(&member.allowed(self.ground, edge))
            {
                shown.insert(term(1));
            }
        }
    }

    /// The members say the same, so that of each term one that is broken will do.
    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        let broken = self.broken(edge) != 0;
        if !broken && !self.members.first()?.may_pass_on(edge) {
            return None;
        }
        self.under(edge, state.plane).next()?;
        if broken {
            return Some(LeafSet::clone(&edge.leaves));
        }
        let passes = self.under(edge, state.plane).find(|one| one.passes_on(self.ground, edge))?;
        Some(edge.leaves.minus(&passes.allowed(self.ground, edge)))
    }

    fn confines(&self) -> Option<&Sets> {
        self.confines.as_ref()
    }

    fn targets<'w>(&self, ground: &'w Ground, plane: u8) -> Vec<&'w Edge> {
        if plane == 0 {
            let mut own: Vec<&Edge> = self.own.keys().filter_map(|&flow| ground.edge(flow)).collect();
            own.sort_unstable_by_key(|edge| edge.flow);
            return own;
        }
        let under = self.confines.iter().flat_map(Sets::iter);
        let each = under.map(|(system, ..)| ground.out(system)).filter(|edges| !edges.is_empty());
        each.flatten().collect()
    }
}
