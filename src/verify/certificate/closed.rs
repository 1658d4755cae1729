//! Whether sets are closed: what can get to a target backward, a class's items forward.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::Followed;
use super::parts::Ask;
use super::sets::{Sets, State, read, read_starts};
use super::walks::{Class, Question, Shown, Step, Toward, settled, starting, steps};
use super::world::{Among, Edge, Ground};
use crate::base::bits::LeafSet;
use crate::model::SystemId;

/// If more than one in so many systems are in the sets, all flows are looked at in their order.
const FEW: usize = 8;

/// So many flows are looked at together.
const CHUNK: usize = 1 << 15;

/// What crosses a flow to a target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Led {
    /// Nothing.
    Nowhere,
    /// What is in the sets.
    Rightly,
    /// What is not in the sets.
    Wrongly,
}

impl Led {
    fn over(question: &dyn Question, toward: &Toward, edge: &Edge, states: &[State]) -> Self {
        let mut led = Led::Nowhere;
        for &state in states {
            if let Some(needed) = toward.needed(question, edge, state) {
                if !toward.sets.has(edge.from, state, &needed) {
                    return Led::Wrongly;
                }
                led = Led::Rightly;
            }
        }
        led
    }
}

fn planes(states: &[State]) -> BTreeSet<u8> {
    states.iter().map(|state| state.plane).collect()
}

/// A class and its sets; `None` if they name something that is not declared.
pub fn resolve(ground: &Ground, leaves: &[LeafSet], followed: &Followed) -> Option<(Class, Sets)> {
    let starts = read_starts(ground.model, leaves, &followed.starts)?;
    let class = Class::new(ground, followed.assumed, starts);
    Some((class, read(ground.model, leaves, &followed.sets)?))
}

/// Where what can get to a target is not in its sets. Notes over which flows it gets there.
pub fn check_backward(ask: &Ask, toward: &mut Toward) -> Vec<String> {
    let (ground, question) = (ask.ground, ask.question());
    let states = toward.states(question);
    let held = toward.sets.systems();
    let mut failures = BTreeSet::new();
    let mut crossed = toward.shared.is_none().then(|| Among::none(ground));
    let mut note = |edge: &Edge, led: Led| {
        if let (Some(crossed), true) = (&mut crossed, led != Led::Nowhere) {
            crossed.add(edge);
        }
        if led == Led::Wrongly {
            failures.insert(edge.flow);
        }
    };
    if !ask.planes() && held.len() > ground.model.systems.len() / FEW {
        let look = |edge| Led::over(question, toward, edge, &states);
        let chunks = ground.edges().par_chunks(CHUNK).map(|edges| edges.iter().map(look).collect::<Vec<_>>());
        let led = chunks.collect::<Vec<_>>();
        ground.edges().iter().zip(led.into_iter().flatten()).for_each(|(edge, led)| note(edge, led));
    } else {
        for plane in planes(&states) {
            let states: Vec<State> = states.iter().copied().filter(|state| state.plane == plane).collect();
            let mut look = |edge| note(edge, Led::over(question, toward, edge, &states));
            question.targets(ground, plane).into_iter().for_each(&mut look);
            // Where items can be in a plane at all is known: all flows from there are targets.
            if plane == 0 || question.confines().is_none() {
                held.iter().for_each(|&system| ground.into(system).for_each(&mut look));
            }
        }
    }
    let failures = failures.into_iter().map(|flow| {
        let name = &ground.model.flows[flow].name;
        format!("{}: what leads to a target over {name} is left out", ask.rule)
    });
    let mut failures: Vec<String> = failures.collect();
    for system in held {
        for plane in planes(&states) {
            let missing = ground.leading_in(system, plane, &toward.sets, question.marks());
            let missed = |(state, leaves): &(State, LeafSet)| {
                let leaves = question.confined(system, *state, leaves.clone());
                states.contains(state) && leaves.is_some_and(|all| !toward.sets.has(system, *state, &all))
            };
            if missing.iter().any(missed) {
                let name = &ground.model.systems[system].name;
                failures.push(format!("{}: what {name} makes of data is left out", ask.rule));
            }
        }
    }
    toward.crossed = crossed;
    failures
}

/// Where an origin that matters is in no class.
pub fn followed(ask: &Ask, toward: &Toward, classes: &[(Class, BTreeSet<Shown>)]) -> Vec<String> {
    let mut failures = Vec::new();
    for assumed in [false, true] {
        let mut all: BTreeMap<SystemId, LeafSet> = BTreeMap::new();
        for (class, _) in classes.iter().filter(|(class, _)| class.assumed == assumed) {
            for (&system, leaves) in &class.starts {
                all.entry(system).or_insert_with(|| ask.ground.nothing()).extend(leaves.row());
            }
        }
        for (system, leaves) in ask.useful(toward, assumed) {
            if all.get(&system).is_none_or(|known| !leaves.is_subset(known)) {
                let name = &ask.ground.model.systems[system].name;
                failures.push(format!("{}: data that starts at {name} is not followed", ask.rule));
            }
        }
    }
    failures
}

/// Where a class's sets are not closed; adds what they show.
pub fn check_forward(
    ask: &Ask,
    toward: &Toward,
    class: &Class,
    sets: &Sets,
    shown: &mut BTreeSet<Shown>,
) -> Vec<String> {
    let (ground, question) = (ask.ground, ask.question());
    let name = |system: SystemId| &ground.model.systems[system].name;
    let mut failures = Vec::new();
    // What systems make of what arrives is looked for where it has arrived: what can get to a target
    // once it is turned is among what can get to one.
    let within = |system: SystemId, state: State, leaves: &LeafSet| {
        let told = State { plane: question.standing_for(state.plane), ..state };
        let useful = || toward.within(system, told, leaves);
        sets.has(system, state, leaves) || useful().is_none_or(|leaves| sets.has(system, state, &leaves))
    };
    for (&system, leaves) in &class.starts {
        for (state, leaves) in starting(question, leaves) {
            if !within(system, state, &leaves) {
                failures.push(format!("{}: data that starts at {} is left out", ask.rule, name(system)));
            }
        }
    }
    let turns = |system: SystemId| !ground.model.systems[system].derives.is_empty();
    for (system, state, held) in sets.each() {
        if turns(system) {
            let step = Step { to: system, state, leaves: held.clone() };
            let settled = settled(ground, question, toward, &step);
            if !settled.iter().all(|(state, leaves)| sets.has(system, *state, leaves)) {
                failures.push(format!("{}: what {} makes of data is left out", ask.rule, name(system)));
            }
        }
        let among = toward.among(State { plane: question.standing_for(state.plane), ..state });
        steps(ground, question, class, (system, state, held), among, shown, |step| {
            if !within(step.to, step.state, &step.leaves) {
                let (from, to) = (name(system), name(step.to));
                failures.push(format!("{}: data that moves from {from} to {to} is left out", ask.rule));
            }
        });
    }
    failures
}
