//! What newly gets where, whether or not a rule forbids it, and what no longer does.
//!
//! Compared is the relation
//!
//! ```text
//! ⟨s, o, v, p⟩  iff  some walk of counting flows takes an item of s that started as
//!                    leaf o to v ≠ s, by a last flow with p among its own purposes
//!                    or those of v
//! ```
//!
//! A walk of one state that is no walk of the other goes through a *step* that the
//! other does not have: a flow that is new or other than it was, a derivation that is
//! new, an origin that is new. So only origins that reach such a step (one backward
//! pass) can differ; these are followed in both states, all at once, as bits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::civil::Date;
use rustc_hash::{FxHashMap, FxHashSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::audit::analysis::Witness;
use crate::audit::hops;
use crate::base::bits::{self, LeafSet};
use crate::base::finding::{Chain, Place};
use crate::flow::graph::{Graph, Origin};
use crate::flow::propagate::{Assumed, Course, assume, reaching};
use crate::model::{Counting, FlowId, Model, Scope, SystemId, begins, gone};

/// Data that gets somewhere in one state and not in the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reach {
    /// Where the data starts.
    pub origin: Place,
    /// Nobody declares that it starts there; something needs it.
    pub assumed: bool,
    /// Where it gets to.
    pub target: Place,
    /// The origin leaves concerned, as the fewest categories.
    pub data: Vec<String>,
    /// The purposes for which it did not get there before (does no longer): those of the
    /// last flow and of the target.
    pub purposes: Vec<String>,
    /// None of the origin's data gets to the target in the other state.
    pub new_system: bool,
    /// None of it gets to the target's party in the other state.
    pub new_party: bool,
    /// A shortest walk. It goes through something that was edited. Empty only where
    /// there are so many that not all are looked for.
    pub path: Chain,
}

/// A state of the inventory with what follows from it.
pub struct Followed<'w> {
    side: &'w Side<'w>,
    /// What it declares, with its ghosts.
    model: &'w Model,
    counting: &'w Counting,
    judged: (Date, &'w Scope),
    graph: Graph<'w>,
    assumed: Assumed,
}

/// An origin as both states call it: system, leaf.
type Start = (String, String);

/// What one state knows of its origins.
type Origins = BTreeMap<Start, (SystemId, usize, Origin)>;

/// A place that data gets to: system, current leaf.
type At = (SystemId, usize);

/// How many origins are followed at once: bounds the memory, 8 bytes for each 64 at
/// every place that data gets to.
const AT_ONCE: usize = 4096;

/// How many steps back are taken in all to find walks: beyond, walks are left out.
const MOST_STEPS: usize = 20_000_000;

struct Plain;

impl Course for Plain {
    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

impl<'w> Followed<'w> {
    /// Follows the flows of a state that move data.
    pub fn new(
        side: &'w Side<'w>,
        model: &'w Model,
        counting: &'w Counting,
        judged: (Date, &'w Scope),
    ) -> Self {
        let graph = Graph::new(model, counting);
        let (assumed, _) = assume(&graph, counting);
        Followed { side, model, counting, judged, graph, assumed }
    }

    fn model(&self) -> &'w Model {
        self.model
    }

    /// What both states call a system, or the one that a ghost is of.
    fn system_name(&self, system: SystemId) -> Cow<'w, str> {
        self.side.system_name(self.model.declared_system(system))
    }

    /// What both states call a flow, wherever it starts.
    fn flow_name(&self, flow: FlowId) -> Cow<'w, str> {
        self.side.flow_name(self.model.declared_flow(flow))
    }

    /// The declared systems by what both states call them.
    fn systems(&self) -> FxHashMap<Cow<'w, str>, SystemId> {
        let declared = self.model.systems.ids().filter(|&id| !self.model.is_ghost(id));
        declared.map(|id| (self.side.system_name(id), id)).collect()
    }

    /// Every origin, and whether it is assumed.
    fn origins(&self) -> Origins {
        let model = self.model();
        let mut all = BTreeMap::new();
        let mut add = |system: SystemId, leaves: &LeafSet, origin: Origin| {
            for leaf in leaves.iter() {
                let name = (self.side.system_name(system).into_owned(), self.side.leaf(leaf).to_owned());
                all.entry(name).or_insert((system, leaf, origin));
            }
        };
        for (system, leaves) in self.assumed.origins() {
            add(system, leaves, Origin::Assumed(model.systems[system].origin));
        }
        for (id, system) in model.systems.iter() {
            add(id, &system.originates, Origin::Declared(system.origin));
        }
        all
    }

    /// A flow as both states can compare it.
    fn signature(&self, flow: FlowId) -> Signature<'_> {
        let model = self.model();
        let f = &model.flows[flow];
        let mut purposes = self.purposes(flow);
        purposes.sort_unstable();
        purposes.dedup();
        let only = f.only_from.as_ref().map(|list| list.iter().map(|&p| self.side.party_id(p)).collect());
        Signature {
            ends: (self.system_name(f.from), self.system_name(f.to)),
            days: (begins(model, flow), self.gone(flow)),
            leaves: f.leaves.iter().map(|leaf| self.side.leaf(leaf)).collect(),
            purposes,
            only,
        }
    }

    /// When what a flow brought was disposed of, if it was.
    fn gone(&self, flow: FlowId) -> Option<Date> {
        let (day, scope) = self.judged;
        if self.counting.has(flow) { None } else { gone(self.model, flow, day, scope) }
    }

    /// The purposes of a flow and of where it ends.
    fn purposes(&self, flow: FlowId) -> Vec<&str> {
        let model = self.model();
        let f = &model.flows[flow];
        let keys = f.purposes.iter().chain(&model.systems[f.to].purposes);
        keys.map(|&key| model.purposes.name(key)).collect()
    }

    fn derives(&self, system: SystemId) -> BTreeSet<(&str, &str)> {
        let name = |leaf| self.side.leaf(leaf);
        let derives = self.model().systems[system].derives.iter();
        derives
            .flat_map(|(from, into)| {
                from.iter().flat_map(move |f| into.iter().map(move |t| (name(f), name(t))))
            })
            .collect()
    }

    /// The flows that the other state does not have like this, those included that lead
    /// to a system that derives otherwise there; and these systems.
    fn steps(&self, other: &Followed) -> (Vec<FlowId>, FxHashSet<SystemId>) {
        let model = self.model();
        let theirs: FxHashMap<Cow<str>, FlowId> =
            other.graph.flows().iter().map(|&f| (other.flow_name(f), f)).collect();
        let systems = other.systems();
        let differs = |system: SystemId| {
            let there = systems.get(&self.system_name(system));
            match there {
                Some(&there) => self.derives(system) != other.derives(there),
                None => !model.systems[system].derives.is_empty(),
            }
        };
        let deriving: FxHashSet<SystemId> = model.systems.ids().filter(|&s| differs(s)).collect();
        let flows = self.graph.flows().iter().copied().filter(|&flow| {
            let f = &model.flows[flow];
            let there = theirs.get(&self.flow_name(flow));
            deriving.contains(&f.to)
                || there.is_none_or(|&there| self.signature(flow) != other.signature(there))
        });
        (flows.collect(), deriving)
    }

    /// The origins that can reach a step, and those that are others or none there.
    fn concerned(&self, other: &Followed, own: &Origins, theirs: &Origins) -> BTreeSet<Start> {
        let (steps, deriving) = self.steps(other);
        let steps = self.graph.some(steps);
        let rows = reaching(&self.graph, &Plain, steps, |edge, _, row| row.copy_from_slice(edge.leaves));
        let assumed = |origin: &Origin| matches!(origin, Origin::Assumed(_));
        let concerned = own.iter().filter(|(name, (system, leaf, origin))| {
            bits::contains(rows.row(*system, 0), *leaf)
                || deriving.contains(system)
                || theirs.get(*name).is_none_or(|(_, _, there)| assumed(origin) != assumed(there))
        });
        concerned.map(|(name, _)| name.clone()).collect()
    }
}

#[derive(PartialEq, Eq)]
struct Signature<'w> {
    ends: (Cow<'w, str>, Cow<'w, str>),
    /// When it began, and when what it brought was disposed of.
    days: (Option<Date>, Option<Date>),
    leaves: BTreeSet<&'w str>,
    purposes: Vec<&'w str>,
    only: Option<BTreeSet<&'w str>>,
}

/// What gets somewhere in the second state and not in the first, and the reverse.
pub fn compare(base: &Followed, head: &Followed) -> (Vec<Reach>, Vec<Reach>) {
    let (before, after) = (base.origins(), head.origins());
    let mut concerned = head.concerned(base, &after, &before);
    concerned.extend(base.concerned(head, &before, &after));
    let all: Vec<Start> = concerned.into_iter().collect();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let (mut forth, mut back) = (MOST_STEPS, MOST_STEPS);
    for chunk in chunks(&all) {
        let old = Bits::new(base, chunk, &before);
        let new = Bits::new(head, chunk, &after);
        added.extend(new.without(&old, &mut forth));
        removed.extend(old.without(&new, &mut back));
    }
    for list in [&mut added, &mut removed] {
        list.sort_by(|a, b| (&a.origin, &a.target, a.assumed).cmp(&(&b.origin, &b.target, b.assumed)));
    }
    (added, removed)
}

/// At most so many at once; the origins of one system stay together.
fn chunks(all: &[Start]) -> Vec<&[Start]> {
    let mut chunks = Vec::new();
    let mut rest = all;
    while !rest.is_empty() {
        let mut end = rest.len().min(AT_ONCE);
        while rest.get(end).is_some_and(|next| rest.get(end - 1).is_some_and(|last| last.0 == next.0)) {
            end += 1;
        }
        let (chunk, after) = rest.split_at(end);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// Where some origins get to, as bits: one for each origin.
struct Bits<'f, 'w> {
    followed: &'f Followed<'w>,
    starts: &'f [Start],
    origins: Vec<Option<(SystemId, usize, Origin)>>,
    width: usize,
    at: FxHashMap<(SystemId, usize), usize>,
    rows: Vec<u64>,
    /// The origins that a flow with `only_from` lets pass.
    masks: FxHashMap<FlowId, Vec<u64>>,
}

impl<'f, 'w> Bits<'f, 'w> {
    fn new(followed: &'f Followed<'w>, starts: &'f [Start], known: &Origins) -> Self {
        let origins: Vec<_> = starts.iter().map(|start| known.get(start).copied()).collect();
        let width = bits::words(starts.len());
        let mut all = Bits {
            followed,
            starts,
            origins,
            width,
            at: FxHashMap::default(),
            rows: Vec::new(),
            masks: FxHashMap::default(),
        };
        let graph = &followed.graph;
        for &flow in graph.flows().iter().filter(|&&f| graph.model.flows[f].only_from.is_some()) {
            let mut mask = vec![0; width];
            for (bit, origin) in all.origins.iter().enumerate() {
                if origin.is_some_and(|(_, _, origin)| graph.passes(flow, origin))
                    && let Some(word) = mask.get_mut(bit / 64)
                {
                    *word |= 1 << (bit % 64);
                }
            }
            all.masks.insert(flow, mask);
        }
        all.follow();
        all
    }

    fn row(&self, system: SystemId, leaf: usize) -> &[u64] {
        let at = self.at.get(&(system, leaf));
        at.and_then(|at| self.rows.get(at * self.width..(at + 1) * self.width)).unwrap_or_default()
    }

    fn follow(&mut self) {
        let graph = &self.followed.graph;
        let model = graph.model;
        let mut waiting = Waiting { queue: VecDeque::new(), fresh: FxHashMap::default() };
        for (bit, origin) in self.origins.clone().into_iter().enumerate() {
            if let Some((system, leaf, _)) = origin {
                let mut row = vec![0; self.width];
                if let Some(word) = row.get_mut(bit / 64) {
                    *word |= 1 << (bit % 64);
                }
                self.arrive(&mut waiting, system, leaf, row);
            }
        }
        while let Some(((system, leaf), new)) = waiting.next() {
            for (from, into) in &model.systems[system].derives {
                if from.contains(leaf) {
                    for derived in into.iter() {
                        self.arrive(&mut waiting, system, derived, new.clone());
                    }
                }
            }
            for edge in graph.out(system).filter(|edge| bits::contains(edge.leaves, leaf)) {
                self.arrive(&mut waiting, edge.end, leaf, self.passing(edge.flow, &new));
            }
        }
    }

    fn passing(&self, flow: FlowId, row: &[u64]) -> Vec<u64> {
        match self.masks.get(&flow) {
            Some(mask) => row.iter().zip(mask).map(|(r, m)| r & m).collect(),
            None => row.to_vec(),
        }
    }

    fn arrive(&mut self, waiting: &mut Waiting, system: SystemId, leaf: usize, mut row: Vec<u64>) {
        let next = self.at.len();
        let at = *self.at.entry((system, leaf)).or_insert(next);
        if at == next {
            self.rows.resize((next + 1) * self.width, 0);
        }
        let Some(held) = self.rows.get_mut(at * self.width..(at + 1) * self.width) else {
            return;
        };
        row.iter_mut().zip(held.iter()).for_each(|(new, old)| *new &= !old);
        if bits::or(held, &row) {
            waiting.add((system, leaf), row);
        }
    }

    /// For each system that something arrives at, by the name of the system: which
    /// origins for which purposes.
    fn arrivals(&self) -> BTreeMap<Cow<'w, str>, BTreeMap<String, Vec<u64>>> {
        let graph = &self.followed.graph;
        let model = self.followed.model();
        let mut all: BTreeMap<Cow<'w, str>, BTreeMap<String, Vec<u64>>> = BTreeMap::new();
        for &flow in graph.flows() {
            let f = &model.flows[flow];
            // Nobody holds what is in a ghost.
            if model.is_ghost(f.to) {
                continue;
            }
            let mut arriving = vec![0; self.width];
            for leaf in f.leaves.iter() {
                bits::or(&mut arriving, self.row(f.from, leaf));
            }
            let arriving = self.passing(flow, &arriving);
            if bits::is_empty(&arriving) {
                continue;
            }
            let at = all.entry(self.followed.side.system_name(f.to)).or_default();
            for purpose in self.followed.purposes(flow) {
                match at.get_mut(purpose) {
                    Some(row) => {
                        bits::or(row, &arriving);
                    }
                    None => {
                        at.insert(purpose.to_owned(), arriving.clone());
                    }
                }
            }
        }
        all
    }

    /// What arrives here and not there.
    fn without(&self, other: &Bits, steps: &mut usize) -> Vec<Reach> {
        let (here, there) = (self.arrivals(), other.arrivals());
        let model = self.followed.model();
        let systems = self.followed.systems();
        // Which origins get to each party there.
        let mut parties: FxHashMap<&str, Vec<u64>> = FxHashMap::default();
        for (system, purposes) in &there {
            let party = system.split_once('/').map_or(system.as_ref(), |(party, _)| party);
            let row = parties.entry(party).or_insert_with(|| vec![0; self.width]);
            purposes.values().for_each(|p| {
                bits::or(row, p);
            });
        }
        let none: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut found = Vec::new();
        for (name, purposes) in &here {
            let Some(&target) = systems.get(name) else {
                continue;
            };
            let known = there.get(name).unwrap_or(&none);
            // By origin system, declared and assumed apart: which leaves, each with a purpose.
            let mut new: BTreeMap<(&str, bool), Vec<(usize, &str)>> = BTreeMap::new();
            for (purpose, row) in purposes {
                let old = known.get(purpose).map(Vec::as_slice).unwrap_or_default();
                let words = row.iter().enumerate();
                let fresh: Vec<u64> =
                    words.map(|(at, word)| word & !old.get(at).copied().unwrap_or_default()).collect();
                for bit in bits::ones(&fresh) {
                    if let Some(start) = self.starts.get(bit).filter(|start| start.0 != *name) {
                        let key = (start.0.as_str(), self.is_assumed(bit));
                        new.entry(key).or_default().push((bit, purpose));
                    }
                }
            }
            let mut ever = vec![0; self.width];
            known.values().for_each(|row| {
                bits::or(&mut ever, row);
            });
            let party = model.systems[target].party;
            let at_party =
                parties.get(self.followed.side.party_id(party)).map(Vec::as_slice).unwrap_or_default();
            for ((start, assumed), items) in new {
                let first = self.starts.partition_point(|s| s.0.as_str() < start);
                let last = self.starts.partition_point(|s| s.0.as_str() <= start);
                let none_in = |row: &[u64]| (first..last).all(|bit| !bits::contains(row, bit));
                found.extend(self.reach(target, &items, steps).map(|reach| Reach {
                    assumed,
                    new_system: none_in(&ever),
                    new_party: none_in(at_party),
                    ..reach
                }));
            }
        }
        found
    }

    fn is_assumed(&self, bit: usize) -> bool {
        let origin = self.origins.get(bit).copied().flatten();
        matches!(origin, Some((_, _, Origin::Assumed(_))))
    }

    fn reach(&self, target: SystemId, items: &[(usize, &str)], steps: &mut usize) -> Option<Reach> {
        let model = self.followed.model();
        let side = self.followed.side;
        let of = |bit: usize| self.origins.get(bit).copied().flatten();
        let &(first, _) = items.iter().min()?;
        let (system, _, _) = of(first)?;
        let mut data = LeafSet::empty(model.data.leaf_count());
        items.iter().filter_map(|&(bit, _)| of(bit)).for_each(|(_, leaf, _)| data.insert(leaf));
        let purposes: BTreeSet<&str> = items.iter().map(|(_, purpose)| *purpose).collect();
        // For these the leaf is new: each walk goes through something that was edited.
        let of_first = items.iter().filter(|(bit, _)| *bit == first).map(|(_, purpose)| *purpose).collect();
        let witness = self.walk(target, first, &of_first, steps);
        Some(Reach {
            origin: side.place(system),
            assumed: false,
            target: side.place(target),
            data: model.data.cover(&data),
            purposes: purposes.into_iter().map(str::to_owned).collect(),
            new_system: false,
            new_party: false,
            path: witness.map(|w| hops(model, side.sources, self.followed.judged, &w)).unwrap_or_default(),
        })
    }

    /// A shortest walk from an origin to a target, by a last flow for one of some
    /// purposes. Backward, over places that hold the origin's data only.
    fn walk(
        &self,
        target: SystemId,
        bit: usize,
        purposes: &BTreeSet<&str>,
        steps: &mut usize,
    ) -> Option<Witness> {
        let graph = &self.followed.graph;
        let model = graph.model;
        let (system, leaf, origin) = self.origins.get(bit).copied().flatten()?;
        let back = |flow: FlowId, leaf: usize| {
            let f = &model.flows[flow];
            let holds = bits::contains(self.row(f.from, leaf), bit);
            (holds && f.leaves.contains(leaf) && graph.passes(flow, origin)).then_some((f.from, leaf))
        };
        let mut search = Search { bits: self, bit, onward: FxHashMap::default(), queue: VecDeque::new() };
        for flow in graph.into(target).map(|edge| edge.flow) {
            if self.followed.purposes(flow).iter().any(|p| purposes.contains(p)) {
                for at in model.flows[flow].leaves.iter().filter_map(|leaf| back(flow, leaf)) {
                    search.find(at, Onward::Last(flow));
                }
            }
        }
        while let Some(at) = search.queue.pop_front() {
            if at == (system, leaf) {
                return Some(search.read(at));
            }
            *steps = steps.checked_sub(1)?;
            for flow in graph.into(at.0).map(|edge| edge.flow) {
                if let Some(before) = back(flow, at.1) {
                    search.find(before, Onward::Flow(flow, at));
                }
            }
        }
        None
    }
}

/// How a walk goes on from a place.
#[derive(Debug, Clone, Copy)]
enum Onward {
    /// Over a flow that ends at the target.
    Last(FlowId),
    /// Over a flow to another place.
    Flow(FlowId, At),
    /// As what the leaf is turned into.
    Becomes(At),
}

/// A search backward.
struct Search<'b, 'f, 'w> {
    bits: &'b Bits<'f, 'w>,
    bit: usize,
    onward: FxHashMap<At, Onward>,
    queue: VecDeque<At>,
}

impl Search<'_, '_, '_> {
    /// Notes a place, and those that become it, which are as near.
    fn find(&mut self, at: At, onward: Onward) {
        let derives = &self.bits.followed.model().systems[at.0].derives;
        let mut found = vec![(at, onward)];
        while let Some((at, onward)) = found.pop() {
            if self.onward.contains_key(&at) {
                continue;
            }
            self.onward.insert(at, onward);
            self.queue.push_back(at);
            for (from, _) in derives.iter().filter(|(_, into)| into.contains(at.1)) {
                let held = from.iter().filter(|&leaf| bits::contains(self.bits.row(at.0, leaf), self.bit));
                found.extend(held.map(|leaf| ((at.0, leaf), Onward::Becomes(at))));
            }
        }
    }

    /// The walk from a place that was found.
    fn read(&self, start: At) -> Witness {
        let leaves = self.bits.followed.model().data.leaf_count();
        let mut witness = Witness::default();
        let mut next = Some(start);
        while let Some(at) = next {
            let mut carried = LeafSet::empty(leaves);
            carried.insert(at.1);
            let (flow, after) = match self.onward.get(&at) {
                Some(Onward::Last(flow)) => (Some(*flow), None),
                Some(Onward::Flow(flow, after)) => (Some(*flow), Some(*after)),
                Some(Onward::Becomes(after)) => (None, Some(*after)),
                None => (None, None),
            };
            witness.leaves.extend(flow.map(|_| carried));
            witness.walk.extend(flow);
            next = after;
        }
        witness
    }
}

struct Waiting {
    queue: VecDeque<(SystemId, usize)>,
    fresh: FxHashMap<(SystemId, usize), Vec<u64>>,
}

impl Waiting {
    fn add(&mut self, at: (SystemId, usize), row: Vec<u64>) {
        match self.fresh.get_mut(&at) {
            Some(waiting) => {
                bits::or(waiting, &row);
            }
            None => {
                self.fresh.insert(at, row);
                self.queue.push_back(at);
            }
        }
    }

    fn next(&mut self) -> Option<((SystemId, usize), Vec<u64>)> {
        let at = self.queue.pop_front()?;
        let row = self.fresh.remove(&at)?;
        Some((at, row))
    }
}
