//! Whether declared flows carry the data that a promise is about, and how far.

use std::collections::BTreeMap;

use crate::audit::judge::{Judge, Shortest, Witness};
use crate::base::bits::{self, LeafSet};
use crate::base::taxonomy::Key;
use crate::declare::policy::{AnyOf, Body, Most, PlaceKeys};
use crate::flow::graph::Origin;
use crate::flow::propagate::{Candidates, Course, Deriving, Passing, derive, reaching};
use crate::model::{FlowId, SystemId};
use crate::read::decode::Spanned;

/// Whether data of some categories moves.
#[derive(Debug, Clone, Copy)]
pub struct Moves {
    /// Some of it starts at a source.
    pub starts: bool,
    /// A flow carries some.
    pub any: bool,
}

/// Where the data of a promise gets to.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// The systems, in order.
    pub systems: Vec<SystemId>,
    /// A shortest walk to one of those that are furthest away.
    pub furthest: Option<Witness>,
}

/// Walks over all flows, marked once they are of the data.
struct Anywhere<'d>(&'d LeafSet);

impl Course for Anywhere<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(self.0)
    }

    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// Whether flows carry data of some categories (none: any) from some places (none: any).
pub fn carried(judge: &Judge, data: &[Spanned<Key>], from: &AnyOf<PlaceKeys>) -> Moves {
    let data = leaves(judge, data);
    let touching = Deriving::new(judge.model, &data);
    let mut moves = Moves { starts: false, any: false };
    for &(origin, ref starts) in judge.origins {
        for &(source, leaves) in starts {
            if !leaves.intersects(touching.at(source)) || !judge.matching.source(from, source) {
                continue;
            }
            moves.starts = true;
            // Most often it leaves its source at once.
            if leaves_at_once(judge, origin, source, leaves, &data) {
                return Moves { any: true, ..moves };
            }
        }
    }
    moves.any = !follow(judge, &data, &touching, from, true).is_empty();
    moves
}

fn leaves_at_once(judge: &Judge, origin: Origin, source: SystemId, start: &LeafSet, data: &LeafSet) -> bool {
    let (mut plain, mut marked) = (start.minus(data).row().to_vec(), start.and(data).row().to_vec());
    derive(judge.model, source, &mut plain, &mut marked, Some(data));
    let carries = |flow: &FlowId| bits::intersects(&marked, judge.model.flows[*flow].leaves.row());
    let counts = |flow| judge.counting.has(flow) && judge.graph.passes(flow, origin);
    judge.graph.out(source).any(|edge| counts(edge.flow) && carries(&edge.flow))
}

/// Where the data of a promise gets to by declared flows; nothing for one that looks at a
/// declaration alone.
pub fn reach(judge: &Judge, body: &Body) -> Carried {
    let anywhere = AnyOf::default();
    let (keys, from) = match body {
        Body::Require(_) => return Carried::default(),
        Body::Forbid(forbid) => (&forbid.data, &forbid.from),
        Body::Limit(limit) => match &limit.most {
            Most::Together { of: keys, .. } | Most::Origins { data: keys, .. } => (keys, &anywhere),
        },
    };
    let data = leaves(judge, keys);
    let found = follow(judge, &data, &Deriving::new(judge.model, &data), from, false);
    let furthest = found.values().reduce(|far, walk| if walk.0.len() > far.0.len() { walk } else { far });
    let furthest = furthest.map(|(walk, start)| judge.witness(walk.clone(), start, Some(&data)));
    Carried { systems: found.into_keys().collect(), furthest }
}

/// The systems that data gets to, each with a shortest walk and what starts it; with
/// `one`, the first that is found.
fn follow(
    judge: &Judge,
    data: &LeafSet,
    touching: &Deriving,
    from: &AnyOf<PlaceKeys>,
    one: bool,
) -> BTreeMap<SystemId, (Vec<FlowId>, LeafSet)> {
    let model = judge.model;
    let course = Anywhere(data);
    let rows = reaching(judge.graph, &course, judge.graph.all(), |edge, slot, row| {
        row.copy_from_slice(if slot.marked { edge.leaves } else { touching.at(edge.end).row() });
    });
    let candidates = Candidates::of(&rows, 1);
    let turning = judge.turning(candidates);
    let useful = (candidates, &turning);
    let mut found: BTreeMap<SystemId, (Vec<FlowId>, LeafSet)> = BTreeMap::new();
    for &(origin, ref starts) in judge.origins {
        for &(source, leaves) in starts {
            if one && !found.is_empty() || !judge.matching.source(from, source) {
                continue;
            }
            let mut first: BTreeMap<SystemId, Shortest> = BTreeMap::new();
            let seeds = [(source, leaves)];
            let passing = Passing::One(origin);
            let followed = judge.follow(judge.graph, &course, passing, &seeds, useful, |_, crossing| {
                let to = model.flows[crossing.flow].to;
                let arriving = LeafSet::from(&*crossing.leaves);
                let hit = if crossing.slot.marked { arriving } else { arriving.and(touching.at(to)) };
                if !hit.is_empty() && to != source && !model.is_ghost(to) {
                    first.entry(to).or_insert_with(|| Shortest::new(model, &crossing, hit.row()));
                }
            });
            let Some(followed) = followed else {
                continue;
            };
            for (to, shortest) in first {
                if found.get(&to).is_none_or(|(known, _)| shortest.length < known.len()) {
                    found.insert(to, (followed.walk(&shortest), leaves.clone()));
                }
            }
        }
    }
    found
}

/// The leaves of some categories; all, if there are none.
pub fn leaves(judge: &Judge, keys: &[Spanned<Key>]) -> LeafSet {
    let tree = &judge.model.data;
    match keys {
        [] => LeafSet::full(tree.leaf_count()),
        keys => tree.leaves(keys.iter().map(|key| &key.value)),
    }
}
