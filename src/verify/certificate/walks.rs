//! How items move as far as a question cares, what can get to a target, and what a class of
//! items comes to. The writer spreads sets by these steps; the checker looks whether sets
//! that it is given are closed under them.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::sets::{Sets, State};
use super::world::{Among, Edge, Ground};
use crate::base::bits::LeafSet;
use crate::model::{AgreementId, FlowId, PartyId, SystemId};

/// What a crossing may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Data that is forbidden where it arrives.
    Sink(SystemId),
    /// Data of a category at a place that is limited.
    Place(usize),
    /// A flow that carries something.
    Flow(FlowId),
    /// A term, by its place among the four that follow data, that a flow breaks.
    Term(usize, FlowId, AgreementId),
}

/// Some planes, each once at least.
pub type Planes = SmallVec<[u8; 4]>;

/// What is asked of walks.
pub trait Question: Sync {
    /// An item is marked once it has been one of these.
    fn marks(&self) -> Option<&LeafSet> {
        None
    }

    /// How many planes there are.
    fn planes(&self) -> u8 {
        1
    }

    /// The plane of an item once it is re-identified: as if no flow before had transformed it.
    fn restored(&self, plane: u8) -> u8 {
        plane
    }

    /// The plane that stands for another where it is asked what can get to a target.
    fn standing_for(&self, plane: u8) -> u8 {
        plane
    }

    /// Whether it matters whose items they are, `only_from` aside.
    fn personal(&self) -> bool {
        false
    }

    /// The plane after a flow, of an item of a party's; `None`: the walk ends before it.
    fn next(&self, edge: &Edge, plane: u8, whose: PartyId) -> Option<u8>;

    /// The planes after a flow of anybody's items.
    fn anybodys(&self, edge: &Edge, plane: u8) -> Planes;

    /// What items of a party's show as they cross a flow with these leaves.
    fn shows(&self, edge: &Edge, state: State, whose: PartyId, leaves: &LeafSet, shown: &mut BTreeSet<Shown>);

    /// The leaves with which anybody's items may show something as they cross a flow.
    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet>;

    /// Where items can be at all in plane 1, if that is known beforehand.
    fn confines(&self) -> Option<&Sets> {
        None
    }

    /// Flows among which are all over which items in a plane may show something, or may come to
    /// another plane.
    fn targets<'g>(&self, ground: &'g Ground, plane: u8) -> Vec<&'g Edge>;

    /// The leaves that items can be with or without a mark, if not all.
    fn can_be(&self, marked: bool) -> Option<&LeafSet> {
        let _ = marked;
        None
    }

    /// What of some leaves can be in a state at a system.
    fn confined(&self, system: SystemId, state: State, mut leaves: LeafSet) -> Option<LeafSet> {
        if let Some(can_be) = self.can_be(state.marked) {
            leaves = leaves.and(can_be);
        }
        match self.confines() {
            Some(sets) if state.plane == 1 => sets.within(system, state, &leaves),
            _ => Some(leaves).filter(|leaves| !leaves.is_empty()),
        }
    }
}

/// Items that are followed together: whose, declared or assumed, where they start.
#[derive(Debug, Clone, Default)]
pub struct Class {
    /// Of assumed origins, which pass every `only_from`.
    pub assumed: bool,
    /// What starts where.
    pub starts: BTreeMap<SystemId, LeafSet>,
    parties: BTreeSet<PartyId>,
    first: Option<PartyId>,
    by_group: BTreeMap<PartyId, Vec<PartyId>>,
}

impl Class {
    /// The items that start somewhere.
    pub fn new(ground: &Ground, assumed: bool, starts: BTreeMap<SystemId, LeafSet>) -> Self {
        let parties: BTreeSet<PartyId> = starts.keys().map(|&s| ground.model.systems[s].origin).collect();
        let mut by_group: BTreeMap<PartyId, Vec<PartyId>> = BTreeMap::new();
        for &party in &parties {
            by_group.entry(ground.group(party)).or_default().push(party);
        }
        Class { assumed, starts, first: parties.first().copied(), parties, by_group }
    }

    /// Whose items they are.
    pub fn parties(&self) -> &BTreeSet<PartyId> {
        &self.parties
    }

    /// For all that a flow lets pass some whose items move as theirs do, and whether that
    /// leaves out or joins what moves in other ways.
    fn movers(&self, ground: &Ground, question: &dyn Question, edge: &Edge) -> SmallVec<[PartyId; 4]> {
        if edge.only && !self.assumed {
            let named = ground.model.flows[edge.flow].only_from.iter().flatten();
            return named.copied().filter(|party| self.parties.contains(party)).collect();
        }
        if !question.personal() || self.parties.len() == 1 {
            return self.first.into_iter().collect();
        }
        self.different(ground, edge)
    }

    /// Of those to whom a flow is different, one each: its sender, its receiver, another of
    /// the receiver's group, one for whom the receiver acts if it comes back to that, and anybody
    /// else.
    fn different(&self, ground: &Ground, edge: &Edge) -> SmallVec<[PartyId; 4]> {
        let (sender, receiver) = (edge.sender, edge.receiver);
        let ends = [sender, receiver].into_iter();
        let mut all: SmallVec<[PartyId; 4]> = ends.filter(|party| self.parties.contains(party)).collect();
        let affiliates = self.by_group.get(&edge.entered).into_iter().flatten();
        all.extend(affiliates.copied().find(|&party| party != sender && party != receiver));
        let other = |&party: &PartyId| party != sender && ground.group(party) != edge.entered;
        let mut others = self.parties.iter().copied().filter(other);
        if edge.comes_from_processor() {
            let acted_for = |&party: &PartyId| ground.acts_for(edge.receiver, party);
            all.extend(others.clone().find(acted_for));
            all.extend(others.find(|party| !acted_for(party)));
        } else {
            all.extend(others.next());
        }
        all
    }
}

/// What arrives over a flow.
pub struct Step {
    /// Where.
    pub to: SystemId,
    /// In which state.
    pub state: State,
    /// As which leaves.
    pub leaves: LeafSet,
}

/// Takes what is in a state at a system over its flows, or those among some.
pub fn steps(
    ground: &Ground,
    question: &dyn Question,
    class: &Class,
    (system, state, held): (SystemId, State, &LeafSet),
    among: Option<&Among>,
    shown: &mut BTreeSet<Shown>,
    mut arrive: impl FnMut(Step),
) {
    ground.each_out(system, among, |edge| {
        step(ground, question, class, (edge, state, held), shown, &mut arrive);
    });
}

/// Takes what is in a state at a flow's system over it.
pub fn step(
    ground: &Ground,
    question: &dyn Question,
    class: &Class,
    (edge, state, held): (&Edge, State, &LeafSet),
    shown: &mut BTreeSet<Shown>,
    mut arrive: impl FnMut(Step),
) {
    if !held.intersects(&edge.leaves) {
        return;
    }
    let leaves = held.and(&edge.leaves);
    let mut planes = Planes::new();
    for whose in class.movers(ground, question, edge) {
        question.shows(edge, state, whose, &leaves, shown);
        if let Some(plane) = question.next(edge, state.plane, whose)
            && !planes.contains(&plane)
        {
            planes.push(plane);
        }
    }
    for plane in planes {
        arrive(Step { to: edge.to, state: State { plane, ..state }, leaves: leaves.clone() });
    }
}

/// The states in which leaves start.
pub fn starting(question: &dyn Question, leaves: &LeafSet) -> Vec<(State, LeafSet)> {
    let Some(marks) = question.marks() else {
        return vec![(State { plane: 0, marked: false }, leaves.clone())];
    };
    let both = [(false, leaves.minus(marks)), (true, leaves.and(marks))];
    let some = both.into_iter().filter(|(_, leaves)| !leaves.is_empty());
    some.map(|(marked, leaves)| (State { plane: 0, marked }, leaves)).collect()
}

/// What of leaves that arrive at a system, turned by it, is in the sets of what matters.
pub fn settled(
    ground: &Ground,
    question: &dyn Question,
    toward: &Toward,
    step: &Step,
) -> Vec<(State, LeafSet)> {
    let useful = |state: State, leaves: &LeafSet| {
        let told = State { plane: question.standing_for(state.plane), ..state };
        toward.within(step.to, told, leaves).map(|all| (state, all))
    };
    if ground.model.systems[step.to].derives.is_empty() {
        return useful(step.state, &step.leaves).into_iter().collect();
    }
    let turned = ground.turned(question, step.to, step.state, &step.leaves);
    turned.iter().filter_map(|(state, leaves)| useful(*state, leaves)).collect()
}

/// What can get to a target at all, whoever's it is. Distances are left open.
#[derive(Debug, Clone, Default)]
pub struct Toward<'s> {
    /// The sets.
    pub sets: Sets,
    /// Whether planes are distinguished.
    pub planes: bool,
    /// The flows that lead to a target, if they were looked for: with all that matters.
    pub crossed: Option<Among>,
    /// What has plane 1, if others are followed by it, too.
    pub shared: Option<&'s Toward<'s>>,
}

impl<'s> Toward<'s> {
    /// The sets, or none yet.
    pub fn new(sets: Sets, planes: bool, shared: Option<&'s Toward<'s>>) -> Self {
        Toward { sets, planes, crossed: None, shared }
    }

    fn of(&self, state: State) -> &Toward<'s> {
        self.shared.filter(|_| state.plane == 1).unwrap_or(self)
    }

    /// What can get to a target in a state.
    fn get(&self, system: SystemId, state: State) -> Option<&LeafSet> {
        let told = if self.planes { state } else { State { plane: 0, ..state } };
        self.of(told).sets.get(system, told)
    }

    /// What of some leaves can get to a target.
    pub fn within(&self, system: SystemId, state: State, leaves: &LeafSet) -> Option<LeafSet> {
        self.get(system, state).map(|here| here.and(leaves)).filter(|both| !both.is_empty())
    }

    /// The flows over which something in a state can get to a target; `None`: any may be.
    pub fn among(&self, state: State) -> Option<&Among> {
        self.of(state).crossed.as_ref()
    }

    /// The states that its own sets tell apart.
    pub fn states(&self, question: &dyn Question) -> SmallVec<[State; 6]> {
        let planes = if self.planes && self.shared.is_none() { question.planes() } else { 1 };
        let marks: &[bool] = if question.marks().is_some() { &[false, true] } else { &[false] };
        let each = (0..planes).flat_map(|plane| marks.iter().map(move |&marked| State { plane, marked }));
        each.collect()
    }

    /// The leaves that must be in the sets at the sender since they cross a flow to a target.
    pub fn needed(&self, question: &dyn Question, edge: &Edge, state: State) -> Option<LeafSet> {
        if question.can_be(state.marked).is_some_and(|can_be| !can_be.intersects(&edge.leaves)) {
            return None;
        }
        let mut all = question.may_show(edge, state);
        for plane in
            question.anybodys(edge, state.plane).into_iter().map(|plane| question.standing_for(plane))
        {
            let Some(on) = self.get(edge.to, State { plane, ..state }) else { continue };
            match &mut all {
                Some(all) => all.extend(on.row()),
                None => all = Some(on.clone()),
            }
        }
        let all = all?.and(&edge.leaves);
        if all.is_empty() { None } else { question.confined(edge.from, state, all) }
    }

    /// What can get to a target, found by going back from all of them.
    pub fn find(mut self, ground: &Ground, question: &dyn Question) -> Self {
        let states = self.states(question);
        self.crossed = self.shared.is_none().then(|| Among::none(ground));
        let mut queue: BTreeSet<SystemId> = BTreeSet::new();
        for &state in &states {
            for edge in question.targets(ground, state.plane) {
                self.lead(question, edge, state, &mut queue);
            }
        }
        while let Some(system) = queue.pop_last() {
            self.turn_back(ground, question, system, &states);
            for edge in ground.into(system) {
                for &state in &states {
                    self.lead(question, edge, state, &mut queue);
                }
            }
        }
        self
    }

    /// Adds what crosses a flow to a target.
    fn lead(&mut self, question: &dyn Question, edge: &Edge, state: State, queue: &mut BTreeSet<SystemId>) {
        let Some(needed) = self.needed(question, edge, state) else {
            return;
        };
        if let Some(crossed) = &mut self.crossed {
            crossed.add(edge);
        }
        if self.sets.add(edge.from, state, &needed).is_some() {
            queue.insert(edge.from);
        }
    }

    /// Adds what a system makes something of that gets to a target.
    fn turn_back(&mut self, ground: &Ground, question: &dyn Question, system: SystemId, states: &[State]) {
        let planes: BTreeSet<u8> = states.iter().map(|state| state.plane).collect();
        for plane in planes {
            loop {
                let missing = ground.leading_in(system, plane, &self.sets, question.marks());
                let mut new = false;
                for (state, leaves) in missing.iter().filter(|(state, _)| states.contains(state)) {
                    let leaves = question.confined(system, *state, leaves.clone());
                    new |= leaves.is_some_and(|leaves| self.sets.add(system, *state, &leaves).is_some());
                }
                if !new {
                    break;
                }
            }
        }
    }
}

/// What a class comes to: its items wherever they can still get to a target, and what they
/// show. `stop` is asked of each thing shown, and ends the search.
pub fn spread(
    ground: &Ground,
    question: &dyn Question,
    toward: &Toward,
    class: &Class,
    mut stop: impl FnMut(Shown) -> bool,
) -> Option<(Sets, BTreeSet<Shown>)> {
    let mut sets = Sets::default();
    let mut all: BTreeSet<Shown> = BTreeSet::new();
    let mut queue: BTreeMap<(SystemId, State), LeafSet> = BTreeMap::new();
    let mut arriving: Vec<Step> = Vec::new();
    for (&system, leaves) in &class.starts {
        let each = starting(question, leaves).into_iter();
        arriving.extend(each.map(|(state, leaves)| Step { to: system, state, leaves }));
    }
    loop {
        for step in arriving.drain(..) {
            for (state, leaves) in settled(ground, question, toward, &step) {
                if let Some(new) = sets.add(step.to, state, &leaves) {
                    let waiting = queue.entry((step.to, state)).or_insert_with(|| ground.nothing());
                    waiting.extend(new.row());
                }
            }
        }
        let Some(((system, state), new)) = queue.pop_first() else {
            return Some((sets, all));
        };
        let mut shown = BTreeSet::new();
        let here = (system, state, &new);
        let among = toward.among(State { plane: question.standing_for(state.plane), ..state });
        steps(ground, question, class, here, among, &mut shown, |step| arriving.push(step));
        for one in shown {
            if all.insert(one) && stop(one) {
                return None;
            }
        }
    }
}
