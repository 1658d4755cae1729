//! How items move as far as a question cares, what can get to a target, and what a class of
//! items comes to. The writer spreads sets by these steps; the checker looks whether sets
//! that it is given are closed under them.

use std::collections::{BTreeMap, BTreeSet};

use super::ground::Ground;
use super::sets::{Sets, State};
use crate::bits::LeafSet;
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

/// What is asked of walks.
pub trait Question {
    /// An item is marked once it has been one of these.
    fn marks(&self) -> Option<&LeafSet> {
        None
    }

    /// How many planes there are.
    fn planes(&self) -> u8 {
        1
    }

    /// Whether it matters whose items they are, `only_from` aside.
    fn personal(&self) -> bool {
        false
    }

    /// The plane after a flow, of an item of a party's; `None`: the walk ends before it.
    fn next(&self, flow: FlowId, plane: u8, whose: PartyId) -> Option<u8>;

    /// The planes after a flow of anybody's items.
    fn anybodys(&self, flow: FlowId, plane: u8) -> Vec<u8>;

    /// What items of a party's show as they cross a flow with these leaves.
    fn shows(
        &self,
        flow: FlowId,
        state: State,
        whose: PartyId,
        leaves: &LeafSet,
        shown: &mut BTreeSet<Shown>,
    );

    /// The leaves with which anybody's items may show something as they cross a flow.
    fn may_show(&self, flow: FlowId, state: State) -> Option<LeafSet>;

    /// Where items can be at all in plane 1, if that is known beforehand.
    fn confines(&self) -> Option<&Sets> {
        None
    }

    /// Flows among which are all that may show something.
    fn targets(&self, ground: &Ground) -> Vec<FlowId> {
        ground.counting.iter().collect()
    }

    /// What of some leaves can be in a state at a system.
    fn confined(&self, system: SystemId, state: State, leaves: &LeafSet) -> Option<LeafSet> {
        match self.confines() {
            Some(sets) if state.plane == 1 => sets.within(system, state, leaves),
            _ => Some(leaves.clone()).filter(|leaves| !leaves.is_empty()),
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
    by_group: BTreeMap<PartyId, Vec<PartyId>>,
}

impl Class {
    /// The items that start somewhere.
    pub fn new(ground: &Ground, assumed: bool, starts: BTreeMap<SystemId, LeafSet>) -> Self {
        let parties: BTreeSet<PartyId> = starts.keys().map(|&s| ground.model.systems[s].party).collect();
        let mut by_group: BTreeMap<PartyId, Vec<PartyId>> = BTreeMap::new();
        for &party in &parties {
            by_group.entry(ground.group(party)).or_default().push(party);
        }
        Class { assumed, starts, parties, by_group }
    }

    /// Whose items they are.
    pub fn parties(&self) -> &BTreeSet<PartyId> {
        &self.parties
    }

    /// For all that a flow lets pass some whose items move as theirs do, and whether that
    /// leaves out or joins what moves in other ways.
    fn movers(&self, ground: &Ground, question: &dyn Question, flow: FlowId) -> Vec<PartyId> {
        let named = ground.model.flows[flow].only_from.as_ref().filter(|_| !self.assumed);
        if let Some(named) = named {
            return named.iter().copied().filter(|party| self.parties.contains(party)).collect();
        }
        if !question.personal() {
            return self.parties.first().copied().into_iter().collect();
        }
        self.different(ground, flow)
    }

    /// Of those to whom a flow is different, one each: its sender, its receiver, another of
    /// the receiver's group, and anybody else.
    fn different(&self, ground: &Ground, flow: FlowId) -> Vec<PartyId> {
        let (sender, receiver) = (ground.model.sender(flow), ground.model.receiver(flow));
        let group = ground.group(receiver);
        let mut all: Vec<PartyId> =
            [sender, receiver].into_iter().filter(|party| self.parties.contains(party)).collect();
        let affiliates = self.by_group.get(&group).into_iter().flatten();
        all.extend(affiliates.copied().find(|&party| party != sender && party != receiver));
        let mut others = self.parties.iter().copied();
        all.extend(others.find(|&party| party != sender && ground.group(party) != group));
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

/// Takes what is in a state at a system over its flows, or one of them.
pub fn steps(
    ground: &Ground,
    question: &dyn Question,
    class: &Class,
    (system, state, held): (SystemId, State, &LeafSet),
    only: Option<FlowId>,
    shown: &mut BTreeSet<Shown>,
    mut arrive: impl FnMut(Step),
) {
    for &flow in ground.out[system].iter().filter(|&&flow| only.is_none_or(|only| only == flow)) {
        let ends = &ground.model.flows[flow];
        if !held.intersects(&ends.leaves) {
            continue;
        }
        let leaves = held.and(&ends.leaves);
        let mut planes: Vec<u8> = Vec::new();
        for whose in class.movers(ground, question, flow) {
            question.shows(flow, state, whose, &leaves, shown);
            planes.extend(question.next(flow, state.plane, whose));
        }
        planes.sort_unstable();
        planes.dedup();
        for plane in planes {
            arrive(Step { to: ends.to, state: State { plane, ..state }, leaves: leaves.clone() });
        }
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
    let useful = |state, leaves: &LeafSet| toward.within(step.to, state, leaves).map(|all| (state, all));
    if ground.model.systems[step.to].derives.is_empty() {
        return useful(step.state, &step.leaves).into_iter().collect();
    }
    let mut held = [ground.nothing(), ground.nothing()];
    if let Some(here) = held.get_mut(usize::from(step.state.marked)) {
        here.extend(step.leaves.row());
    }
    ground.derive(step.to, &mut held, question.marks());
    let states = [false, true].map(|marked| State { marked, ..step.state });
    states.into_iter().zip(&held).filter_map(|(state, leaves)| useful(state, leaves)).collect()
}

/// What can get to a target at all, whoever's it is. Distances are left open.
#[derive(Debug, Clone, Default)]
pub struct Toward {
    /// The sets.
    pub sets: Sets,
    /// Whether planes are told apart.
    pub planes: bool,
}

impl Toward {
    fn state(&self, state: State) -> State {
        if self.planes { state } else { State { plane: 0, ..state } }
    }

    /// What of some leaves can get to a target.
    pub fn within(&self, system: SystemId, state: State, leaves: &LeafSet) -> Option<LeafSet> {
        self.sets.within(system, self.state(state), leaves)
    }

    /// The states that are told apart.
    pub fn states(&self, question: &dyn Question) -> Vec<State> {
        let planes = if self.planes { question.planes() } else { 1 };
        let marks: &[bool] = if question.marks().is_some() { &[false, true] } else { &[false] };
        let each = (0..planes).flat_map(|plane| marks.iter().map(move |&marked| State { plane, marked }));
        each.collect()
    }

    /// The leaves that must be in the sets at the sender since they cross a flow to a target.
    pub fn needed(
        &self,
        ground: &Ground,
        question: &dyn Question,
        flow: FlowId,
        state: State,
    ) -> Option<LeafSet> {
        let ends = &ground.model.flows[flow];
        let can_be = question.confined(ends.from, state, &ends.leaves)?;
        let mut all = question.may_show(flow, state).map(|leaves| leaves.and(&can_be));
        for plane in question.anybodys(flow, state.plane) {
            let on = self.within(ends.to, State { plane, ..state }, &can_be);
            match (&mut all, on) {
                (Some(all), Some(on)) => all.extend(on.row()),
                (None, on) => all = on,
                (Some(_), None) => {}
            }
        }
        all.filter(|leaves| !leaves.is_empty())
    }

    /// What can get to a target, found by going back from all of them.
    pub fn find(ground: &Ground, question: &dyn Question, planes: bool) -> Self {
        let mut toward = Toward { sets: Sets::default(), planes };
        let states = toward.states(question);
        let mut queue: BTreeSet<SystemId> = BTreeSet::new();
        for flow in question.targets(ground) {
            for &state in &states {
                let from = ground.model.flows[flow].from;
                if let Some(needed) = toward.needed(ground, question, flow, state)
                    && toward.sets.add(from, state, &needed).is_some()
                {
                    queue.insert(from);
                }
            }
        }
        while let Some(system) = queue.pop_last() {
            toward.turn_back(ground, question, system, &states);
            for &flow in &ground.into[system] {
                for &state in &states {
                    let from = ground.model.flows[flow].from;
                    if let Some(needed) = toward.needed(ground, question, flow, state)
                        && toward.sets.add(from, state, &needed).is_some()
                    {
                        queue.insert(from);
                    }
                }
            }
        }
        toward
    }

    /// Adds what a system makes something of that gets to a target.
    fn turn_back(&mut self, ground: &Ground, question: &dyn Question, system: SystemId, states: &[State]) {
        let planes: BTreeSet<u8> = states.iter().map(|state| state.plane).collect();
        for plane in planes {
            loop {
                let missing = ground.leading_in(system, plane, &self.sets, question.marks());
                let mut new = false;
                for (state, leaves) in missing.iter().filter(|(state, _)| states.contains(state)) {
                    let leaves = question.confined(system, *state, leaves);
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
        steps(ground, question, class, here, None, &mut shown, |step| arriving.push(step));
        for one in shown {
            if all.insert(one) && stop(one) {
                return None;
            }
        }
    }
}
