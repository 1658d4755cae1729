//! What checks and rules judge: the counting flows, where everything gets to, and
//! what they find there, still in terms of the model.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

pub use super::witness::Witness;
use crate::base::bits::{self, LeafSet};
use crate::base::vocabulary::Severity;
use crate::flow::graph::{Graph, Origin};
use crate::flow::propagate::{
    Assumed, BackwardSlice, Course, Crossing, Held, Layers, OriginClass, OriginFilter, Restorable, Seed,
    Slot, State, forward,
};
use crate::model::matching::Matching;
use crate::model::{AgreementId, Counting, FlowId, Model, PartyId, Scope, SystemId};
pub use crate::model::{RuleRef, Subject as On};

/// Everything that checks and rules look at.
#[derive(Debug)]
pub struct Analysis<'m> {
    /// The world.
    pub model: &'m Model,
    /// The day judged.
    pub day: Date,
    /// How matchers hold.
    pub matching: Matching<'m>,
    /// What is judged.
    pub scope: &'m Scope,
    /// Which flows count.
    pub counting: &'m Counting,
    /// The flows that move data by their ends: all that carry something, as wide as that or wider.
    pub graph: &'m Graph<'m>,
    /// Where data must come from that nobody declares.
    pub assumed: &'m Assumed,
    /// What each system holds and each flow carries.
    pub held: &'m Held,
    /// What may be re-identified.
    pub restorable: &'m Restorable,
    /// Every origin with what starts there.
    pub origins: &'m [(Origin, Starts<'m>)],
    /// Whether the data of each party is followed by itself, so that findings say whose it is.
    pub by_party: bool,
}

/// A finding in terms of the model.
#[derive(Debug, Clone)]
pub struct Violation {
    /// What was broken.
    pub rule: RuleRef,
    /// What it is found on; with the rule, the finding's key.
    pub on: On,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// The agreements concerned.
    pub agreements: Vec<AgreementId>,
    /// The origin leaves concerned.
    pub data: LeafSet,
    /// The categories that they arrive as.
    pub arrives_as: LeafSet,
    /// The parties whose data it is, in their order, where each one's was followed by itself.
    pub origins: Option<Vec<PartyId>>,
    /// Shortest walks that prove it.
    pub witnesses: Vec<Witness>,
    /// Every walk to it breaks the same rule earlier.
    pub consequent: bool,
    /// What a requirement found missing; the rules that an assumed origin would break.
    pub details: Vec<String>,
}

impl Violation {
    /// Only that something is broken, not by what.
    pub fn bare(rule: RuleRef, on: On, leaves: usize) -> Self {
        let none = LeafSet::empty(leaves);
        Violation {
            rule,
            on,
            severity: None,
            agreements: Vec::new(),
            data: none.clone(),
            arrives_as: none,
            origins: None,
            witnesses: Vec::new(),
            consequent: false,
            details: Vec::new(),
        }
    }
}

/// A claim that kept something from being a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relied {
    /// The rule, or the built-in check by name.
    pub rule: ReliedRule,
    /// What makes the claim.
    pub by: Claimant,
    /// The claim.
    pub claim: String,
}

/// What makes a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claimant {
    /// A flow.
    Flow(FlowId),
    /// A system.
    System(SystemId),
}

impl Claimant {
    /// The same as it is declared, wherever it starts.
    pub fn declared(self, model: &Model) -> Self {
        match self {
            Claimant::Flow(flow) => Claimant::Flow(model.declared_flow(flow)),
            Claimant::System(system) => Claimant::System(model.declared_system(system)),
        }
    }
}

/// What would have found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReliedRule {
    /// A rule or promise.
    Rule(RuleRef),
    /// Something built in.
    BuiltIn(&'static str),
}

/// What starts at the systems of one origin.
pub type Starts<'j> = Vec<(SystemId, &'j LeafSet)>;

/// Every origin with what starts there, by party, declared before assumed.
pub fn origins<'m>(model: &'m Model, assumed: &'m Assumed) -> Vec<(Origin, Starts<'m>)> {
    let mut all: Vec<(Origin, Starts)> = Vec::new();
    for id in model.parties.ids() {
        let systems = model.parties[id].origins.iter();
        let originates = systems.clone().map(|&s| (s, &model.systems[s].originates));
        all.push((Origin::Declared(id), originates.filter(|(_, leaves)| !leaves.is_empty()).collect()));
        all.push((Origin::Assumed(id), systems.filter_map(|&s| Some((s, assumed.at(s)?))).collect()));
    }
    all.retain(|(_, starts)| !starts.is_empty());
    all
}

impl Analysis<'_> {
    /// The day judged and what is left out, by which flows are over or disposed of.
    pub fn when(&self) -> super::When<'_> {
        (self.day, self.scope)
    }

    /// All leaves that start at a system, declared or assumed.
    pub fn starting(&self, system: SystemId) -> LeafSet {
        let mut leaves = self.model.systems[system].originates.clone();
        if let Some(assumed) = self.assumed.at(system) {
            leaves.extend(assumed.row());
        }
        leaves
    }

    /// What a declared flow carries, wherever it starts.
    pub fn carried(&self, flow: FlowId) -> LeafSet {
        let mut carried = LeafSet::empty(self.model.data.leaf_count());
        self.model.everywhere(flow).for_each(|from| carried.extend(self.held.carried[from].row()));
        carried
    }

    /// What starts at each origin, and together what starts at those that are alike; see
    /// `OriginClass::has` for distances.
    pub fn classes(&self, alike: &OriginClass, distances: bool) -> BTreeMap<Option<Origin>, Starts<'_>> {
        let mut classes: BTreeMap<Option<Origin>, Starts> = BTreeMap::new();
        for (origin, starts) in self.origins {
            let many = !self.by_party
                && matches!(origin, Origin::Declared(party) if alike.has(self.graph, *party, distances));
            classes.entry((!many).then_some(*origin)).or_default().extend(starts.iter().copied());
        }
        classes
    }

    /// [`Analysis::classes`] of what starts at some systems, where distances matter.
    pub fn classes_at(
        &self,
        alike: &OriginClass,
        systems: &[SystemId],
    ) -> BTreeMap<Option<Origin>, Starts<'_>> {
        let mut starts: Vec<(Origin, SystemId, &LeafSet)> = Vec::new();
        for &id in systems {
            let system = &self.model.systems[id];
            if !system.originates.is_empty() {
                starts.push((Origin::Declared(system.origin), id, &system.originates));
            }
            if let Some(leaves) = self.assumed.at(id) {
                starts.push((Origin::Assumed(system.origin), id, leaves));
            }
        }
        starts.sort_unstable_by_key(|&(origin, system, _)| (origin.party(), origin, system));
        let mut classes: BTreeMap<Option<Origin>, Starts> = BTreeMap::new();
        for (origin, system, leaves) in starts {
            let many = !self.by_party
                && matches!(origin, Origin::Declared(party) if alike.has(self.graph, party, true));
            classes.entry((!many).then_some(origin)).or_default().push((system, leaves));
        }
        classes
    }

    /// The leaves from which something is derived on the way to a target that can reach it.
    pub fn turning(&self, candidates: BackwardSlice) -> LeafSet {
        let mut turning = LeafSet::empty(self.model.data.leaf_count());
        let reaching = candidates.systems();
        let derives = |system: &SystemId| !self.model.systems[*system].derives.is_empty();
        let systems: Vec<SystemId> = if reaching.clone().count() < self.model.deriving.len() {
            reaching.filter(derives).collect()
        } else {
            self.model.deriving.clone()
        };
        for system in systems {
            let slice = candidates.any(system);
            let derives = self.model.systems[system].derives.iter();
            derives
                .filter(|(_, into)| into.intersects(&slice))
                .for_each(|(from, _)| turning.extend(from.row()));
        }
        turning
    }

    /// Follows the leaves of one origin, or of many alike, that can reach a target; origin
    /// leaves that turn into others on the way ([`Analysis::turning`]) in stacks of their own.
    /// `None` if none can.
    pub fn follow<'g, C: Course>(
        &self,
        graph: &'g Graph<'g>,
        course: &'g C,
        passing: OriginFilter<'g>,
        starts: &[(SystemId, &LeafSet)],
        (candidates, turning): (BackwardSlice, &LeafSet),
        mut observe: impl FnMut(Began, Crossing),
    ) -> Option<Followed<'g, C>> {
        let mut seeds = Vec::new();
        // For each stack the leaf it began as, and where each leaf's is.
        let mut stacks = vec![Began::Unturned];
        let mut stack_of: Vec<usize> = vec![0; self.model.data.leaf_count()];
        for &(system, leaves) in starts {
            let slice = |marked, mut leaves: LeafSet| {
                candidates.keep(system, Slot { plane: 0, marked }, leaves.row_mut());
                leaves
            };
            let slice = match course.marks() {
                None => slice(false, leaves.clone()),
                Some(marks) => {
                    let mut both = slice(false, leaves.minus(marks));
                    both.extend(slice(true, leaves.and(marks)).row());
                    both
                }
            };
            for leaf in slice.iter() {
                let mut stack = 0;
                if let (true, Some(of)) = (turning.contains(leaf), stack_of.get_mut(leaf)) {
                    if *of == 0 {
                        *of = stacks.len();
                        stacks.push(Began::As(leaf));
                    }
                    stack = *of;
                }
                seeds.push(Seed { system, stack, leaf });
            }
        }
        if seeds.is_empty() {
            return None;
        }
        let layers = forward(graph, course, passing, &seeds, Some(candidates), |crossing| {
            if let Some(&began) = stacks.get(crossing.stack) {
                observe(began, crossing);
            }
        });
        Some(Followed { layers })
    }
}

/// The origin leaf of items.
#[derive(Debug, Clone, Copy)]
pub enum Began {
    /// What they are.
    Unturned,
    /// This one.
    As(usize),
}

impl Began {
    /// Adds the origin leaves of items that now are some leaves.
    pub fn note(self, now: &LeafSet, origins: &mut LeafSet) {
        match self {
            Began::Unturned => origins.extend(now.row()),
            Began::As(leaf) => origins.insert(leaf),
        }
    }
}

/// Items of one origin, followed.
#[derive(Debug)]
pub struct Followed<'g, C> {
    layers: Layers<'g, C>,
}

/// The first crossing of its kind that was seen.
#[derive(Debug, Clone, Copy)]
pub struct Shortest {
    /// The flow crossed.
    pub flow: FlowId,
    /// The item before it.
    pub state: State,
    /// How many flows the walk has.
    pub length: usize,
}

impl Shortest {
    /// From a crossing by one of some leaves.
    pub fn new(model: &Model, crossing: &Crossing, leaves: &[u64]) -> Self {
        Shortest {
            flow: crossing.flow,
            state: State {
                system: model.flows[crossing.flow].from,
                stack: crossing.stack,
                slot: crossing.slot,
                leaf: bits::ones(leaves).next().unwrap_or(0),
            },
            length: crossing.length,
        }
    }
}

impl<C: Course> Followed<'_, C> {
    /// The walk up to and with a crossing.
    pub fn walk(&mut self, shortest: &Shortest) -> Vec<FlowId> {
        let mut walk = self.layers.walk(shortest.state, shortest.length - 1);
        walk.push(shortest.flow);
        walk
    }
}

/// Keeps the shortest of what is seen for each key.
pub fn keep_shortest<K: std::hash::Hash + Eq>(map: &mut FxHashMap<K, Shortest>, key: K, new: Shortest) {
    map.entry(key)
        .and_modify(|old| {
            if new.length < old.length {
                *old = new
            }
        })
        .or_insert(new);
}
