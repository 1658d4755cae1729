//! Who comes to hold what: for each party the data of every origin that its systems
//! get to hold, at which relation and for which purposes.
//!
//! ```text
//! start:   ⟨s, o, o, 0⟩ is at s                      for each leaf o that starts at s
//! flow:    ⟨s, o, f, k⟩ at u, e: u → v carries it  ⟹  ⟨s, o, f, k′⟩ at v, k′ its distance on arrival
//! derive:  as in [`propagate`](crate::flow::propagate)
//! holds:   ⟨s, o, f, k⟩ at v                       ⟹  v's party holds f of s's party,
//!                                                     at the relation of v to the item
//! ```
//!
//! Nobody holds what is in a ghost. Neither the origin leaf nor the origin system decides where an item of a party's goes:
//! one pass for each party, and one for what is assumed to start there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::base::bits::{self, LeafSet};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Relation;
use crate::flow::graph::{Edge, Graph, Origin};
use crate::flow::propagate::{Held, Rows, assume, derive};
use crate::model::{Counting, FlowId, Id, Model, PartyId, Scope, SystemId, Table};

/// How many distances there are.
const DISTANCES: usize = 3;

/// What one party holds of one origin at one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Who holds it.
    pub holder: PartyId,
    /// Whose it was.
    pub origin: PartyId,
    /// That it starts there is assumed, not declared.
    pub assumed: bool,
    /// What the holder is to it.
    pub relation: Relation,
    /// What it is there, what is worked out from it included.
    pub leaves: LeafSet,
    /// What for: what the systems are run for and the flows that bring it.
    pub purposes: Vec<Key>,
    /// In which systems.
    pub systems: Vec<SystemId>,
}

/// Who holds what, as far as the counting flows take it.
#[derive(Debug)]
pub struct Holdings {
    /// By holder, then by origin, declared before assumed, then by relation.
    pub all: Vec<Holding>,
    /// What each system holds and each flow carries, of all origins.
    pub held: Held,
    /// What is assumed to start at which systems.
    pub assumed: Vec<(SystemId, LeafSet)>,
}

/// In the order of [`Holdings::all`].
type HoldingKey = (PartyId, PartyId, bool, Relation);

#[derive(Default)]
struct Found {
    leaves: Option<LeafSet>,
    purposes: BTreeSet<Key>,
    systems: BTreeSet<SystemId>,
}

impl Holdings {
    /// Follows everything from every party, in a scope.
    pub fn new(model: &Model, day: Date, scope: &Scope) -> Self {
        let declared = model.systems.len();
        let model = &*model.with_ghosts(day, scope);
        let counting = &Counting::new(model, day, scope);
        let graph = Graph::new(model, counting);
        let (assumed, mut held) = assume(&graph, counting);
        for flow in model.flows.ids().filter(|&flow| !model.leaves_ghost(flow)) {
            let mut carried = held.carried[flow].clone();
            model.everywhere(flow).for_each(|from| carried.extend(held.carried[from].row()));
            held.carried[flow] = carried;
        }
        let mut found: BTreeMap<HoldingKey, Found> = BTreeMap::new();
        for (id, party) in model.parties.iter() {
            let declared = party.origins.iter().map(|&s| (s, &model.systems[s].originates));
            follow(&graph, Origin::Declared(id), declared, &mut found);
            let unsourced = party.origins.iter().filter_map(|&s| Some((s, assumed.at(s)?)));
            follow(&graph, Origin::Assumed(id), unsourced, &mut found);
        }
        let all = found
            .into_iter()
            .map(|((holder, origin, assumed, relation), found)| Holding {
                holder,
                origin,
                assumed,
                relation,
                leaves: found.leaves.unwrap_or_else(|| LeafSet::empty(model.data.leaf_count())),
                purposes: found.purposes.into_iter().collect(),
                systems: found.systems.into_iter().collect(),
            })
            .collect();
        let origins = assumed.origins().filter(|(system, _)| system.index() < declared);
        let assumed = origins.map(|(system, leaves)| (system, leaves.clone())).collect();
        Holdings { all, held, assumed }
    }

    /// What a party holds.
    pub fn of(&self, party: PartyId) -> &[Holding] {
        let start = self.all.partition_point(|h| h.holder < party);
        let end = self.all.partition_point(|h| h.holder <= party);
        self.all.get(start..end).unwrap_or_default()
    }

    /// The current leaves that a system holds.
    pub fn at(&self, system: SystemId) -> LeafSet {
        LeafSet::from(self.held.leaves.row(system, 0))
    }

    /// The leaves that a flow carries.
    pub fn carried(&self, flow: FlowId) -> &LeafSet {
        &self.held.carried[flow]
    }
}

/// Follows what starts at the systems of one party and notes who holds it.
fn follow<'m>(
    graph: &Graph,
    origin: Origin,
    starts: impl Iterator<Item = (SystemId, &'m LeafSet)>,
    found: &mut BTreeMap<HoldingKey, Found>,
) {
    let model = graph.model;
    let party = origin.party();
    let mut starts = starts.filter(|(_, leaves)| !leaves.is_empty()).peekable();
    if starts.peek().is_none() {
        return;
    }
    let mut rows = Rows::new(model, DISTANCES);
    let mut queued: Table<SystemId, bool> = model.systems.map(|_| false);
    let mut reached: BTreeSet<SystemId> = BTreeSet::new();
    let mut queue = Vec::new();
    for (system, leaves) in starts {
        let mut row = leaves.row().to_vec();
        derive(model, system, &mut row, &mut [], None);
        rows.add(system, 0, &row);
        queued[system] = true;
        reached.insert(system);
        queue.push(system);
    }
    while let Some(system) = queue.pop() {
        queued[system] = false;
        for Edge { flow, end, leaves } in graph.out(system) {
            for k in crossing(graph, &rows, flow, origin) {
                let mut row = LeafSet::from(leaves).with(rows.row(system, k)).row().to_vec();
                derive(model, end, &mut row, &mut [], None);
                if rows.add(end, graph.distance(flow, party, k), &row) {
                    reached.insert(end);
                    if !std::mem::replace(&mut queued[end], true) {
                        queue.push(end);
                    }
                }
            }
        }
    }
    let assumed = matches!(origin, Origin::Assumed(_));
    let whose =
        |system: SystemId, k| (model.systems[system].party, party, assumed, graph.relation(system, party, k));
    for &system in &reached {
        let here = !model.is_ghost(system);
        for k in (0..DISTANCES).filter(|&k| here && !bits::is_empty(rows.row(system, k))) {
            let found = found.entry(whose(system, k)).or_default();
            let empty = || LeafSet::empty(model.data.leaf_count());
            found.leaves.get_or_insert_with(empty).extend(rows.row(system, k));
            found.systems.insert(system);
            found.purposes.extend(&model.systems[system].purposes);
        }
        for Edge { flow, end, .. } in graph.out(system).filter(|edge| !model.is_ghost(edge.end)) {
            for k in crossing(graph, &rows, flow, origin) {
                let found = found.entry(whose(end, graph.distance(flow, party, k))).or_default();
                found.purposes.extend(&model.flows[flow].purposes);
            }
        }
    }
}

/// The distances at which a flow carries items of an origin.
fn crossing(graph: &Graph, rows: &Rows, flow: FlowId, origin: Origin) -> impl Iterator<Item = usize> + use<> {
    let ends = &graph.model.flows[flow];
    let mut carried = [false; DISTANCES];
    if graph.passes(flow, origin) {
        for (k, carried) in carried.iter_mut().enumerate() {
            *carried = bits::intersects(rows.row(ends.from, k), ends.leaves.row());
        }
    }
    (0..).zip(carried).filter_map(|(k, carried)| carried.then_some(k))
}
