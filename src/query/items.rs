//! The items of the specification, as they get from where they start to places that are asked for.
//!
//! One search for each origin system, in layers, so that chains are shortest. A plane is a distance and which of the
//! flows asked for the walk has crossed; items are marked once they are of the data asked for. What is found at a place
//! is what the search left there, so nothing that the audit follows is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::chains::{self, Chains};
use crate::audit::analysis::{Analysis, Witness};
use crate::audit::checks::held_under;
use crate::base::bits::{self, LeafSet};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Relation;
use crate::flow::graph::{Graph, Origin};
use crate::flow::propagate::{
    BackwardSlice, Course, Deriving, OriginFilter, Rows, Seed, Slot, State, forward, reaching,
};
use crate::model::{AgreementId, FlowId, Model, PartyId, SystemId};

/// How many distances there are.
const DISTANCES: usize = 3;

/// Which items are asked for.
#[derive(Debug, Default)]
pub struct Asked {
    /// The systems where they may start; none: anywhere.
    pub from: Option<FxHashSet<SystemId>>,
    /// The places that they may be at; none: anywhere that a flow takes them.
    pub to: Option<FxHashSet<SystemId>>,
    /// The categories of which they must be, on their walk.
    pub data: Option<LeafSet>,
    /// Of each of these, a flow that their walk must cross.
    pub via: Vec<FxHashSet<FlowId>>,
    /// How many further chains are looked for.
    pub further: usize,
}

/// An item at a place, but for where it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// The leaf that started.
    pub data: usize,
    /// What it is now.
    pub held_as: usize,
    /// Its distance.
    pub distance: usize,
}

/// Data of one origin system at one place.
#[derive(Debug)]
pub struct Arrived {
    /// Where it starts.
    pub source: SystemId,
    /// Whether that is assumed.
    pub assumed: bool,
    /// Where it is.
    pub place: SystemId,
    /// All that of it is there.
    pub items: Vec<Item>,
    /// The leaves that started.
    pub data: LeafSet,
    /// What they are there.
    pub held_as: LeafSet,
    /// What the place is to them.
    pub relations: BTreeSet<Relation>,
    /// The flows that bring it, as they are declared.
    pub brought_by: BTreeSet<FlowId>,
    /// The agreements that some of it is under there.
    pub agreements: Vec<AgreementId>,
    /// A shortest chain; of what starts there, none.
    pub chain: Witness,
    /// Further ones.
    pub further: Chains,
}

impl Arrived {
    /// What the flows that bring it are for.
    pub fn purposes(&self, model: &Model) -> BTreeSet<Key> {
        self.brought_by.iter().flat_map(|&flow| model.flows[flow].purposes.iter().copied()).collect()
    }
}

/// More pairs of origin and place than the call allows.
#[derive(Debug, thiserror::Error)]
#[error(
    "data of more than {most} pairs of source and place; ask for fewer, or raise the limit with `--max-findings N`"
)]
pub struct TooMany {
    most: usize,
}

/// Walks of items that start at one party's systems.
struct Walks<'a> {
    graph: &'a Graph<'a>,
    party: PartyId,
    asked: &'a Asked,
}

impl Course for Walks<'_> {
    fn planes(&self) -> usize {
        DISTANCES << self.asked.via.len()
    }

    fn marks(&self) -> Option<&LeafSet> {
        self.asked.data.as_ref()
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        let (k, crossed) = (plane % DISTANCES, plane / DISTANCES);
        let k = self.graph.distance(flow, self.party, k);
        let via = self.asked.via.iter().enumerate();
        let crossed =
            via.fold(crossed, |crossed, (at, flows)| crossed | usize::from(flows.contains(&flow)) << at);
        Some(k + DISTANCES * crossed)
    }
}

/// Walks backward from the places that are asked for, by whatever they may carry.
struct Toward<'a>(Option<&'a LeafSet>);

impl Course for Toward<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        self.0
    }

    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// What can get to the places asked for: of the course that marks, and of one that does not.
struct Slices {
    marked: Rows,
    plain: Rows,
}

impl Slices {
    fn new(graph: &Graph, asked: &Asked) -> Option<Self> {
        let to = asked.to.as_ref()?;
        let slice = |course: &Toward| {
            let into = graph.all().filter(|(_, edge)| to.contains(&graph.model.declared_system(edge.end)));
            let mut rows = reaching(graph, course, into, |edge, _, row| row.copy_from_slice(edge.leaves));
            // What is there is what is asked for.
            let all = LeafSet::full(graph.model.data.leaf_count());
            for &system in to {
                Slot::all(course).enumerate().for_each(|(slot, _)| _ = rows.add(system, slot, all.row()));
            }
            rows
        };
        let plain = slice(&Toward(None));
        let marked = if asked.data.is_some() { slice(&Toward(asked.data.as_ref())) } else { plain.clone() };
        Some(Slices { marked, plain })
    }
}

/// What is asked for, by origin system, then by place.
///
/// # Errors
/// There are more pairs of origin and place than `most`.
pub fn arrived(analysis: &Analysis, asked: &Asked, most: usize) -> Result<Vec<Arrived>, TooMany> {
    let slices = Slices::new(analysis.graph, asked);
    // A leaf from which something is derived anywhere is followed by itself, so that what it becomes is known.
    let mut turning = LeafSet::empty(analysis.model.data.leaf_count());
    for &system in &analysis.model.deriving {
        analysis.model.systems[system].derives.iter().for_each(|(from, _)| turning.extend(from.row()));
    }
    let sources: Vec<(Origin, SystemId, &LeafSet)> = analysis
        .origins
        .iter()
        .flat_map(|(origin, starts)| starts.iter().map(|&(system, leaves)| (*origin, system, leaves)))
        .filter(|(_, system, _)| asked.from.as_ref().is_none_or(|from| from.contains(system)))
        .collect();
    let found = AtomicUsize::new(0);
    let each = |&(origin, source, leaves): &(Origin, SystemId, &LeafSet)| {
        if found.load(Ordering::Relaxed) > most {
            return Vec::new();
        }
        let slices = slices.as_ref();
        let arrived = Search { analysis, asked, slices, turning: &turning, origin, source, leaves }.run();
        found.fetch_add(arrived.len(), Ordering::Relaxed);
        arrived
    };
    let mut all: Vec<Arrived> = sources.par_iter().flat_map_iter(each).collect();
    if all.len() > most {
        return Err(TooMany { most });
    }
    all.par_sort_by_key(|one| (one.source, one.assumed, one.place));
    Ok(all)
}

/// The search for what starts at one system.
struct Search<'a> {
    analysis: &'a Analysis<'a>,
    asked: &'a Asked,
    slices: Option<&'a Slices>,
    turning: &'a LeafSet,
    origin: Origin,
    source: SystemId,
    leaves: &'a LeafSet,
}

/// What is known of a place while it is searched for.
#[derive(Default)]
struct Place {
    items: Vec<Item>,
    brought_by: BTreeSet<FlowId>,
    nearest: Option<(usize, State)>,
}

impl Search<'_> {
    fn run(&self) -> Vec<Arrived> {
        let (graph, model) = (self.analysis.graph, self.analysis.model);
        let passing = OriginFilter::One(self.origin);
        let course = Walks { graph, party: self.origin.party(), asked: self.asked };
        let (seeds, began) = self.seeds();
        let marks = self.asked.data.as_ref().map_or(1, |_| 2);
        let candidates = self.slices.map(|slices| BackwardSlice::of(&slices.marked, 1));
        let mut places: BTreeMap<SystemId, Place> = BTreeMap::new();
        let mut crossed: BTreeSet<AgreementId> = BTreeSet::new();
        let touching = self.asked.data.as_ref().map(|data| Deriving::new(model, data));
        let all_crossed = (1 << self.asked.via.len()) - 1;
        let mut layers = forward(graph, &course, passing, &seeds, candidates, |crossing| {
            crossed.extend(graph.agreement(crossing.flow));
            let end = crossing.end;
            // What comes home is listed only for a place that was asked for.
            let home = end == self.source && self.asked.to.is_none();
            if home || model.is_ghost(end) || !self.wants(end) {
                return;
            }
            let after = course.next(crossing.flow, crossing.slot.plane).unwrap_or_default() / DISTANCES;
            let is_of = crossing.slot.marked
                || touching
                    .as_ref()
                    .is_none_or(|touching| bits::intersects(crossing.leaves, touching.at(end).row()));
            if after == all_crossed && is_of {
                places.entry(end).or_default().brought_by.insert(model.declared_flow(crossing.flow));
            }
        });
        if self.asked.to.is_some() && self.wants(self.source) {
            places.entry(self.source).or_default();
        }
        let slots: Vec<Slot> = Slot::all(&course)
            .filter(|slot| slot.plane / DISTANCES == all_crossed && usize::from(slot.marked) + 1 == marks)
            .collect();
        for (&at, place) in &mut places {
            for (stack, origin) in began.iter().enumerate() {
                for &slot in &slots {
                    for held_as in bits::ones(layers.leaves(at, stack, slot)) {
                        let data = origin.unwrap_or(held_as);
                        let item = Item { data, held_as, distance: slot.plane % DISTANCES };
                        place.items.push(item);
                    }
                    let Some((length, leaf)) = layers.first(at, stack, slot) else { continue };
                    if place.nearest.is_none_or(|(least, _)| length < least) {
                        place.nearest = Some((length, State { system: at, stack, slot, leaf }));
                    }
                }
            }
            place.items.sort_unstable();
            place.items.dedup();
        }
        places.retain(|_, place| !place.items.is_empty());
        let under = self.under(&places, &crossed);
        let mut all = Vec::with_capacity(places.len());
        for (at, place) in places {
            let Some((length, state)) = place.nearest else { continue };
            let walk = layers.walk(state, length);
            all.push(self.tell(at, place, walk, &under));
        }
        all
    }

    /// Whether a place is asked for.
    fn wants(&self, at: SystemId) -> bool {
        self.asked.to.as_ref().is_none_or(|to| to.contains(&at))
    }

    /// What starts, and for each stack the leaf that it began as; none: what it is.
    fn seeds(&self) -> (Vec<Seed>, Vec<Option<usize>>) {
        let (mut seeds, mut began) = (Vec::new(), vec![None]);
        for leaf in self.leaves.iter() {
            let stack = if self.turning.contains(leaf) {
                began.push(Some(leaf));
                began.len() - 1
            } else {
                0
            };
            seeds.push(Seed { system: self.source, stack, leaf });
        }
        (seeds, began)
    }

    /// For each agreement that is crossed what of it is under its terms where.
    fn under(
        &self,
        places: &BTreeMap<SystemId, Place>,
        crossed: &BTreeSet<AgreementId>,
    ) -> Vec<(AgreementId, BTreeMap<SystemId, LeafSet>)> {
        if places.is_empty() {
            return Vec::new();
        }
        let candidates = self.slices.map(|slices| BackwardSlice::of(&slices.plain, 1));
        let start = (self.source, self.leaves);
        let held = crossed.iter().map(|&agreement| {
            (agreement, held_under(self.analysis, agreement, self.origin, start, candidates))
        });
        held.filter(|(_, places)| !places.is_empty()).collect()
    }

    fn tell(
        &self,
        at: SystemId,
        place: Place,
        walk: Vec<FlowId>,
        under: &[(AgreementId, BTreeMap<SystemId, LeafSet>)],
    ) -> Arrived {
        let (analysis, model) = (self.analysis, self.analysis.model);
        let mut data = LeafSet::empty(model.data.leaf_count());
        let mut held_as = data.clone();
        let mut relations = BTreeSet::new();
        for item in &place.items {
            data.insert(item.data);
            held_as.insert(item.held_as);
            relations.insert(analysis.graph.relation(at, self.origin.party(), item.distance));
        }
        let is_under = |places: &BTreeMap<SystemId, LeafSet>| {
            places.get(&at).is_some_and(|leaves| leaves.intersects(&held_as))
        };
        let agreements = under.iter().filter(|(_, places)| is_under(places)).map(|(id, _)| *id).collect();
        let mut further = match self.asked.further {
            0 => Chains::default(),
            most => chains::further(analysis, self.asked, (self.origin, self.source, &data), at, &walk, most),
        };
        let told = |walk: Vec<FlowId>| {
            let mut witness = analysis.witness(walk, &data, None);
            witness.declare(model);
            witness
        };
        further.chains.iter_mut().for_each(|chain| chain.declare(model));
        Arrived {
            source: self.source,
            assumed: matches!(self.origin, Origin::Assumed(_)),
            place: at,
            items: place.items,
            chain: told(walk),
            data,
            held_as,
            relations,
            brought_by: place.brought_by,
            agreements,
            further,
        }
    }
}
