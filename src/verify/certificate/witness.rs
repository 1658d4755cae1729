//! Whether a walk proves what it is listed for: replayed flow by flow.

use std::collections::BTreeSet;

use super::sets::State;
use super::walks::{Class, Question, Shown, starting, step};
use super::world::Ground;
use crate::base::bits::LeafSet;
use crate::model::{FlowId, SystemId};

/// What items that start at a system show as they cross the last flow of a walk; nothing if
/// it is no walk, or they do not get there.
pub fn shown(
    ground: &Ground,
    question: &dyn Question,
    source: SystemId,
    data: &LeafSet,
    walk: &[FlowId],
) -> BTreeSet<Shown> {
    let mut all = BTreeSet::new();
    for assumed in [false, true] {
        let Some(leaves) = ground.start(source, assumed) else { continue };
        let class = Class::new(ground, assumed, [(source, leaves.and(data))].into());
        all.extend(replay(ground, question, &class, source, walk));
    }
    all
}

fn replay(
    ground: &Ground,
    question: &dyn Question,
    class: &Class,
    source: SystemId,
    walk: &[FlowId],
) -> BTreeSet<Shown> {
    let leaves = class.starts.get(&source).cloned().unwrap_or_else(|| ground.nothing());
    let mut at = source;
    let mut held: Vec<(State, LeafSet)> = starting(question, &leaves);
    let mut shown = BTreeSet::new();
    for &flow in walk {
        let Some(edge) = ground.everywhere(flow).find(|edge| edge.from == at) else {
            return BTreeSet::new();
        };
        shown.clear();
        let mut next: Vec<(State, LeafSet)> = Vec::new();
        for (state, leaves) in turned(ground, question, at, &held) {
            step(ground, question, class, (edge, state, &leaves), &mut shown, |step| {
                next.push((step.state, step.leaves));
            });
        }
        held = next;
        at = edge.to;
    }
    shown
}

/// What a system makes of what it holds.
fn turned(
    ground: &Ground,
    question: &dyn Question,
    at: SystemId,
    held: &[(State, LeafSet)],
) -> Vec<(State, LeafSet)> {
    held.iter().flat_map(|(state, leaves)| ground.turned(question, at, *state, leaves)).collect()
}
