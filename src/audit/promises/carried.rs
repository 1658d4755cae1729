//! Whether declared flows carry the data that a promise is about, and how far.

use std::collections::BTreeMap;

use crate::audit::analysis::{Analysis, Shortest, Witness};
use crate::base::bits::{self, LeafSet};
use crate::base::taxonomy::Key;
use crate::declare::policy::{AnyOf, Body, Most, PlaceKeys};
use crate::flow::graph::Origin;
use crate::flow::propagate::{BackwardSlice, Course, Deriving, OriginFilter, derive, reaching};
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
pub fn carried(analysis: &Analysis, data: &[Spanned<Key>], from: &AnyOf<PlaceKeys>) -> Moves {
    let data = leaves(analysis, data);
    let touching = Deriving::new(analysis.model, &data);
    let mut moves = Moves { starts: false, any: false };
    for &(origin, ref starts) in analysis.origins {
        for &(source, leaves) in starts {
            if !leaves.intersects(touching.at(source)) || !analysis.matching.source(from, source) {
                continue;
            }
            moves.starts = true;
            // Most often it leaves its source at once.
            if leaves_at_once(analysis, origin, source, leaves, &data) {
                return Moves { any: true, ..moves };
            }
        }
    }
    moves.any = !follow(analysis, &data, &touching, from, true).is_empty();
    moves
}

fn leaves_at_once(
    analysis: &Analysis,
    origin: Origin,
    source: SystemId,
    start: &LeafSet,
    data: &LeafSet,
) -> bool {
    let (mut plain, mut marked) = (start.minus(data).row().to_vec(), start.and(data).row().to_vec());
    derive(analysis.model, source, &mut plain, &mut marked, Some(data));
    let carries = |flow: &FlowId| bits::intersects(&marked, analysis.model.flows[*flow].leaves.row());
    let counts = |flow| analysis.counting.has(flow) && analysis.graph.passes(flow, origin);
    analysis.graph.out(source).any(|edge| counts(edge.flow) && carries(&edge.flow))
}

/// Where the data of a promise gets to by declared flows; nothing for one that looks at a
/// declaration alone.
pub fn reach(analysis: &Analysis, body: &Body) -> Carried {
    let anywhere = AnyOf::default();
    let (keys, from) = match body {
        Body::Require(_) => return Carried::default(),
        Body::Forbid(forbid) => (&forbid.data, &forbid.from),
        Body::Limit(limit) => match &limit.most {
            Most::Together { of: keys, .. } | Most::Origins { data: keys, .. } => (keys, &anywhere),
        },
    };
    let data = leaves(analysis, keys);
    let found = follow(analysis, &data, &Deriving::new(analysis.model, &data), from, false);
    let furthest = found.values().reduce(|far, walk| if walk.0.len() > far.0.len() { walk } else { far });
    let furthest = furthest.map(|(walk, start)| analysis.witness(walk.clone(), start, Some(&data)));
    Carried { systems: found.into_keys().collect(), furthest }
}

/// The systems that data gets to, each with a shortest walk and what starts it; with
/// `one`, the first that is found.
fn follow(
    analysis: &Analysis,
    data: &LeafSet,
    touching: &Deriving,
    from: &AnyOf<PlaceKeys>,
    one: bool,
) -> BTreeMap<SystemId, (Vec<FlowId>, LeafSet)> {
    let model = analysis.model;
    let course = Anywhere(data);
    let rows = reaching(analysis.graph, &course, analysis.graph.all(), |edge, slot, row| {
        row.copy_from_slice(if slot.marked { edge.leaves } else { touching.at(edge.end).row() });
    });
    let candidates = BackwardSlice::of(&rows, 1);
    let turning = analysis.turning(candidates);
    let slice = (candidates, &turning);
    let mut found: BTreeMap<SystemId, (Vec<FlowId>, LeafSet)> = BTreeMap::new();
    for &(origin, ref starts) in analysis.origins {
        for &(source, leaves) in starts {
            if one && !found.is_empty() || !analysis.matching.source(from, source) {
                continue;
            }
            let mut first: BTreeMap<SystemId, Shortest> = BTreeMap::new();
            let seeds = [(source, leaves)];
            let passing = OriginFilter::One(origin);
            let followed = analysis.follow(analysis.graph, &course, passing, &seeds, slice, |_, crossing| {
                let to = model.flows[crossing.flow].to;
                let arriving = LeafSet::from(&*crossing.leaves);
                let hit = if crossing.slot.marked { arriving } else { arriving.and(touching.at(to)) };
                if !hit.is_empty() && to != source && !model.is_ghost(to) {
                    first.entry(to).or_insert_with(|| Shortest::new(model, &crossing, hit.row()));
                }
            });
            let Some(mut followed) = followed else {
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
pub fn leaves(analysis: &Analysis, keys: &[Spanned<Key>]) -> LeafSet {
    let tree = &analysis.model.data;
    match keys {
        [] => LeafSet::full(tree.leaf_count()),
        keys => tree.leaves(keys.iter().map(|key| &key.value)),
    }
}
