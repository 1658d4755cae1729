//! What must be edited for a finding to go: of each chain that shows it one flow.
//!
//! A chain goes on showing its finding while none of its flows is edited, whatever else is: fewer flows take nothing
//! from it. Three things besides a chain can matter, and are among what may be edited then:
//!
//! - Where a chain starts at an assumed origin, whether that is assumed is decided by what leads to it: every flow
//!   from which one gets there.
//! - Distances depend on who acts for whom, and what processors may do on the purposes of the flows to them: every flow
//!   of a processing agreement.
//! - What was cut before may have brought it about. So far as that is so, the chain counts only together with it
//!   (`given`).
//!
//! So a choice of edits that leaves a chain as it is does not make its finding go, and what no choice can meet cannot be
//! met by such edits.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::edits::{self, Change, Edit, Part, before, same_flows};
use crate::audit::Judgement;
use crate::audit::analysis::{On, RuleRef, Violation, Witness};
use crate::base::bits::LeafSet;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{BuiltIn, Consent, Kind as AgreementKind, Transform};
use crate::declare::policy::{
    AgreementKeys, AgreementRef, AnyOf, Body, FlowKeys, Forbid, Matcher, Most, PlaceKeys, Subjects,
};
use crate::flow::graph::{Facts, Graph};
use crate::flow::propagate::held;
use crate::model::load::World;
use crate::model::matching::Matching;
use crate::model::{Counting, FlowId, Id, Model, PartyId, SystemId, Table};

/// What one of must be edited, with what of it the chain needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Broken {
    /// The chain counts only once these flows are edited.
    pub given: BTreeSet<FlowId>,
    /// The edits that may break it.
    pub by: BTreeMap<Edit, Part>,
}

/// Which flows lead to which systems, in a declared world.
#[derive(Debug)]
pub struct Ways {
    into: Vec<Vec<FlowId>>,
    out: Vec<Vec<FlowId>>,
    /// The flows of processing agreements.
    processing: BTreeSet<FlowId>,
}

impl Ways {
    /// Of all flows, whether or not they count.
    pub fn new(model: &Model) -> Self {
        let (mut into, mut out) =
            (vec![Vec::new(); model.systems.len()], vec![Vec::new(); model.systems.len()]);
        let mut processing = BTreeSet::new();
        for (id, flow) in model.flows.iter() {
            into.get_mut(flow.to.index()).into_iter().for_each(|list| list.push(id));
            out.get_mut(flow.from.index()).into_iter().for_each(|list| list.push(id));
            if flow.agreement.is_some_and(|of| model.agreements[of].kind == AgreementKind::Processing) {
                processing.insert(id);
            }
        }
        Ways { into, out, processing }
    }

    /// The flows over which one gets to a system.
    pub fn up(&self, model: &Model, to: SystemId) -> BTreeSet<FlowId> {
        reached(&self.into, to, |flow| model.flows[flow].from)
    }

    /// What can bring some leaves to a system, by what flows may carry.
    fn bringing(&self, model: &Model, to: SystemId, leaves: &LeafSet) -> Bringing {
        let mut wanted: FxHashMap<SystemId, LeafSet> = FxHashMap::default();
        let mut bringing = Bringing::default();
        wanted.insert(to, made_of(model, to, leaves.clone()));
        let mut waiting = vec![to];
        while let Some(system) = waiting.pop() {
            let Some(here) = wanted.get(&system).cloned() else { continue };
            for &flow in self.into.get(system.index()).into_iter().flatten() {
                let (from, crossing) = (model.flows[flow].from, model.flows[flow].leaves.and(&here));
                if crossing.is_empty() {
                    continue;
                }
                bringing.flows.insert(flow);
                bringing.from.insert(from);
                let more = made_of(model, from, crossing);
                let there = wanted.entry(from).or_insert_with(|| LeafSet::empty(model.data.leaf_count()));
                if !more.is_subset(there) {
                    there.extend(more.row());
                    waiting.push(from);
                }
            }
        }
        bringing
    }

    /// What decides whether leaves that nothing brings are assumed at a system, besides what brings them: whether others
    /// are assumed at places from which they would come.
    fn deciding(&self, model: &Model, bringing: &Bringing) -> BTreeSet<FlowId> {
        bringing.from.iter().flat_map(|&from| self.up(model, from)).collect()
    }

    /// The flows over which some leaves of a system may go on, and what is made of them.
    fn down(&self, model: &Model, from: SystemId, leaves: &LeafSet) -> BTreeSet<FlowId> {
        let mut held: FxHashMap<SystemId, LeafSet> = FxHashMap::default();
        let mut flows = BTreeSet::new();
        held.insert(from, makes(model, from, leaves.clone()));
        let mut waiting = vec![from];
        while let Some(system) = waiting.pop() {
            let Some(here) = held.get(&system).cloned() else { continue };
            for &flow in self.out.get(system.index()).into_iter().flatten() {
                let (to, crossing) = (model.flows[flow].to, model.flows[flow].leaves.and(&here));
                if crossing.is_empty() {
                    continue;
                }
                flows.insert(flow);
                let more = makes(model, to, crossing);
                let there = held.entry(to).or_insert_with(|| LeafSet::empty(model.data.leaf_count()));
                if !more.is_subset(there) {
                    there.extend(more.row());
                    waiting.push(to);
                }
            }
        }
        flows
    }
}

/// What can bring leaves somewhere: flows, and the systems that they leave.
#[derive(Default)]
struct Bringing {
    flows: BTreeSet<FlowId>,
    from: BTreeSet<SystemId>,
}

/// Leaves, and those that a system makes them of.
fn made_of(model: &Model, system: SystemId, mut leaves: LeafSet) -> LeafSet {
    loop {
        let before = leaves.clone();
        let derives = model.systems[system].derives.iter().filter(|(_, into)| into.intersects(&before));
        derives.for_each(|(from, _)| leaves.extend(from.row()));
        if leaves == before {
            return leaves;
        }
    }
}

/// Leaves, and those that a system makes of them.
fn makes(model: &Model, system: SystemId, mut leaves: LeafSet) -> LeafSet {
    loop {
        let before = leaves.clone();
        let derives = model.systems[system].derives.iter().filter(|(from, _)| from.intersects(&before));
        derives.for_each(|(_, into)| leaves.extend(into.row()));
        if leaves == before {
            return leaves;
        }
    }
}

fn reached(ways: &[Vec<FlowId>], start: SystemId, end: impl Fn(FlowId) -> SystemId) -> BTreeSet<FlowId> {
    let (mut seen, mut flows) = (FxHashSet::from_iter([start]), BTreeSet::new());
    let mut waiting = vec![start];
    while let Some(system) = waiting.pop() {
        for &flow in ways.get(system.index()).into_iter().flatten() {
            flows.insert(flow);
            let next = end(flow);
            if seen.insert(next) {
                waiting.push(next);
            }
        }
    }
    flows
}

/// The world as it is declared, to which all edits are made.
pub struct Declared<'w> {
    /// It.
    pub world: &'w World,
    /// Which flows count there.
    pub counting: &'w Counting,
    /// Which flows lead where.
    pub ways: Ways,
}

impl<'w> Declared<'w> {
    /// A world, and what an audit found of it.
    pub fn new(world: &'w World, judgement: &'w Judgement) -> Self {
        let model = &world.model;
        Declared { world, counting: &judgement.counting, ways: Ways::new(model) }
    }

    /// Whether a flow can be edited: it counts. What is disposed is over, and no edit undoes it.
    pub fn is_editable(&self, flow: FlowId) -> bool {
        self.counting.has(flow)
    }

    /// Whether a flow can be cut.
    pub fn can_be_cut(&self, flow: FlowId) -> bool {
        self.is_editable(flow) && self.world.model.flows[flow].declared.essential() != Some(true)
    }
}

/// A world with some edits made, as it was judged.
pub struct Tried<'t> {
    /// It.
    pub world: &'t World,
    /// What was found.
    pub judgement: &'t Judgement,
    /// The flows that were edited, as they are declared.
    pub edited: &'t BTreeSet<FlowId>,
}

/// Finds what must be edited.
pub struct Chains<'t> {
    declared: &'t Declared<'t>,
    tried: &'t Tried<'t>,
    ways: Ways,
    same: Vec<Option<FlowId>>,
    /// What each flow carries of what is declared to start somewhere, once that is asked.
    carried: OnceCell<Table<FlowId, LeafSet>>,
}

impl<'t> Chains<'t> {
    /// For what was found in a world with some edits.
    pub fn new(declared: &'t Declared<'t>, tried: &'t Tried<'t>) -> Self {
        let same = same_flows(&tried.world.model, &declared.world.model);
        Chains { declared, tried, ways: Ways::new(&tried.world.model), same, carried: OnceCell::new() }
    }

    fn model(&self) -> &'t Model {
        &self.tried.world.model
    }

    /// What must be edited for a finding to go: one edit of each of these.
    pub fn of(&self, violation: &Violation) -> Vec<Broken> {
        let model = self.model();
        match (violation.rule, violation.on) {
            (
                RuleRef::Check(BuiltIn::Undocumented | BuiltIn::ForeignParty | BuiltIn::Consent),
                On::Flow(flow),
            ) => {
                let mut broken = self.any([flow]);
                if violation.rule == RuleRef::Check(BuiltIn::Consent) {
                    let consent = model.flows[flow].terms.consent;
                    self.fact(&mut broken, flow, consent.map(Change::Consent));
                }
                vec![broken]
            }
            (RuleRef::Check(_), On::Agreement(agreement)) => {
                let leaves = |flow: &&FlowId| {
                    let (from, to) = (model.sender(**flow), model.receiver(**flow));
                    self.tried.judgement.counting.has(**flow)
                        && model.parties[from].group != model.parties[to].group
                };
                model.agreements[agreement]
                    .flows
                    .iter()
                    .filter(leaves)
                    .map(|&flow| self.any([flow]))
                    .collect()
            }
            (RuleRef::Check(_), On::Unsourced(system, key)) => self.unsourced(system, key),
            (RuleRef::Check(_), _) => {
                let witnesses = violation.witnesses.iter();
                witnesses.map(|witness| self.shown(violation, &[witness])).collect()
            }
            _ => self.of_rule(violation),
        }
    }

    /// As [`Self::of`], of a finding that edits brought about. Of data without a source, whether that fails depends on
    /// where it could go, too.
    pub fn of_new(&self, violation: &Violation) -> Vec<Broken> {
        let mut all = self.of(violation);
        if let On::Unsourced(system, key) = violation.on {
            let leaves = self.model().data.leaves([&key]);
            let on = self.ways.down(self.model(), system, &leaves);
            all.iter_mut().for_each(|broken| self.add(broken, on.iter().copied()));
        }
        all
    }

    fn of_rule(&self, violation: &Violation) -> Vec<Broken> {
        let Some(rule) = self.tried.world.rule(violation.rule) else { return vec![self.any([])] };
        match rule.body() {
            Body::Forbid(_) => violation.witnesses.iter().map(|one| self.shown(violation, &[one])).collect(),
            Body::Limit(limit) => {
                // So many chains together show it, whichever they are.
                let enough = match &limit.most {
                    Most::Together { at_least, .. } => *at_least,
                    Most::Origins { at_most, .. } => {
                        usize::try_from(*at_most).unwrap_or(usize::MAX).saturating_add(1)
                    }
                };
                let witnesses: Vec<&Witness> = violation.witnesses.iter().collect();
                let windows = witnesses.windows(enough.clamp(1, witnesses.len().max(1)));
                windows.map(|window| self.shown(violation, window)).collect()
            }
            Body::Require(require) => vec![match violation.on {
                On::Flow(flow) => self.any([flow]),
                On::Agreement(agreement) if looks_at_flows(&require.on) => {
                    let declared = &self.declared.world.model;
                    let own = |flow: &&FlowId| declared.flows[**flow].agreement == Some(agreement);
                    let mut broken = self.any(self.model().agreements[agreement].flows.iter().copied());
                    broken.given.extend(self.tried.edited.iter().filter(own));
                    broken
                }
                _ => self.any([]),
            }],
        }
    }

    /// Data that nothing brings, and that a flow or a derivation names. At least one of those flows must go that carry
    /// none of it from where data is declared to start: among them are those that make it up.
    fn unsourced(&self, system: SystemId, key: Key) -> Vec<Broken> {
        let model = self.model();
        let leaves = model.data.leaves([&key]);
        let up = self.ways.deciding(model, &self.ways.bringing(model, system, &leaves));
        let lacks = |flow: &&FlowId| {
            let names = model.flows[**flow].declared.data.iter().any(|named| named.value == key);
            names && self.tried.judgement.counting.has(**flow) && !self.brought(**flow).intersects(&leaves)
        };
        let lacking: Vec<FlowId> =
            self.ways.out.get(system.index()).into_iter().flatten().filter(lacks).copied().collect();
        let mut broken = self.any(up.iter().chain(&lacking).copied());
        for flow in lacking.into_iter().filter_map(|flow| self.declared_flow(flow)) {
            let edit = Edit { on: edits::On::Flow(flow), change: Change::Data };
            broken.by.insert(edit, Part::Leaves(leaves.clone()));
        }
        self.by_derivation(&mut broken, system, key);
        broken.given.extend(self.given_start(system, &leaves));
        vec![broken]
    }

    /// A derivation that names what nothing brings need not name it.
    fn by_derivation(&self, broken: &mut Broken, system: SystemId, key: Key) {
        let mut derived =
            self.model().systems[system].declared.derives.iter().flat_map(|derive| &derive.from);
        if derived.any(|named| named.value == key) {
            let edit = Edit { on: edits::On::System(system), change: Change::Derives(key) };
            broken.by.insert(edit, Part::Whole);
        }
    }

    /// What a flow carries of what is declared to start somewhere.
    fn brought(&self, flow: FlowId) -> LeafSet {
        let model = self.tried.judgement.haunted().unwrap_or(self.model());
        let carried = self.carried.get_or_init(|| {
            let graph = Graph::of(model, &self.tried.judgement.counting, Arc::new(Facts::new(model)));
            held(&graph).carried
        });
        let mut brought = LeafSet::empty(model.data.leaf_count());
        model.everywhere(flow).for_each(|from| brought.extend(carried[from].row()));
        brought
    }

    /// The chains that together show a finding.
    fn shown(&self, violation: &Violation, witnesses: &[&Witness]) -> Broken {
        let model = self.model();
        let mut broken = self.any([]);
        let mut starts: BTreeSet<SystemId> = BTreeSet::new();
        for witness in witnesses {
            starts.extend(start(model, violation, witness));
            self.by_chain(&mut broken, violation, witness);
        }
        for start in starts {
            let Some(leaves) = self.tried.judgement.assumed().at(start) else { continue };
            let up = self.ways.deciding(model, &self.ways.bringing(model, start, leaves));
            self.add(&mut broken, up);
            broken.given.extend(self.given_start(start, leaves));
            // Where it starts only since flows name it, it no longer does without them.
            let names = |flow: &&FlowId| model.flows[**flow].leaves.intersects(leaves);
            self.add(
                &mut broken,
                self.ways.out.get(start.index()).into_iter().flatten().filter(names).copied(),
            );
            let pairs = self.tried.judgement.assumed().pairs.iter().filter(|(system, _)| *system == start);
            pairs.for_each(|&(_, key)| self.by_derivation(&mut broken, start, key));
        }
        if self.by_processing(violation) {
            self.add(&mut broken, self.ways.processing.iter().copied());
        }
        let processing = &self.declared.ways.processing;
        broken.given.extend(self.tried.edited.iter().filter(|flow| processing.contains(flow)));
        broken
    }

    /// Whether who acts for whom, or what processors may do, matters to a finding.
    fn by_processing(&self, violation: &Violation) -> bool {
        match self.tried.world.rule(violation.rule).map(|rule| rule.body()) {
            Some(Body::Forbid(forbid)) => Matching::asks_relation(&forbid.to),
            _ => false,
        }
    }

    /// The edits that may have brought about that leaves are assumed at a system: those of what could bring them, and of
    /// what decides on it. What was assumed before is so by the same flows only while none of them is edited.
    fn given_start(&self, start: SystemId, leaves: &LeafSet) -> BTreeSet<FlowId> {
        // Systems are the same in both: edits are of flows, and take derivations alone from systems.
        let (ways, model) = (&self.declared.ways, &self.declared.world.model);
        let bringing = ways.bringing(model, start, leaves);
        let deciding = ways.deciding(model, &bringing);
        let matters = |flow: &&FlowId| bringing.flows.contains(flow) || deciding.contains(flow);
        self.tried.edited.iter().filter(matters).copied().collect()
    }

    fn declared_flow(&self, flow: FlowId) -> Option<FlowId> {
        before(&self.same, flow).filter(|&flow| self.declared.is_editable(flow))
    }

    /// That one of some flows is cut.
    fn any(&self, flows: impl IntoIterator<Item = FlowId>) -> Broken {
        let mut broken = Broken { given: BTreeSet::new(), by: BTreeMap::new() };
        self.add(&mut broken, flows);
        broken
    }

    fn add(&self, broken: &mut Broken, flows: impl IntoIterator<Item = FlowId>) {
        for flow in flows.into_iter().filter_map(|flow| before(&self.same, flow)) {
            if self.declared.can_be_cut(flow) {
                broken.by.insert(Edit { on: edits::On::Flow(flow), change: Change::Cut }, Part::Whole);
            }
        }
    }

    fn fact(&self, broken: &mut Broken, flow: FlowId, change: Option<Change>) {
        if let (Some(flow), Some(change)) = (self.declared_flow(flow), change) {
            broken.by.insert(Edit { on: edits::On::Flow(flow), change }, Part::Whole);
        }
    }

    /// The edits that may break one chain.
    fn by_chain(&self, broken: &mut Broken, violation: &Violation, witness: &Witness) {
        let model = self.model();
        self.add(broken, witness.walk.iter().copied());
        for (&flow, leaves) in witness.walk.iter().zip(&witness.leaves) {
            if let Some(flow) = self.declared_flow(flow).filter(|_| !leaves.is_empty()) {
                broken.by.insert(
                    Edit { on: edits::On::Flow(flow), change: Change::Data },
                    Part::Leaves(leaves.clone()),
                );
            }
        }
        match (violation.rule, violation.on) {
            (RuleRef::Check(check), On::Flow(flow)) => {
                self.by_terms(broken, violation, (check, flow), witness)
            }
            (_, On::Pair(source, _)) => {
                if let Some(Body::Forbid(forbid)) =
                    self.tried.world.rule(violation.rule).map(|rule| rule.body())
                {
                    self.by_exception(broken, &forbid.through, &witness.walk);
                    let last = witness.walk.last().copied();
                    self.by_exception(broken, &forbid.arriving, last.as_slice());
                    self.by_purpose(broken, forbid, last);
                }
                if self.tried.judgement.assumed().at(source).is_none() {
                    let party: PartyId = model.systems[source].origin;
                    for flow in witness.walk.iter().filter_map(|&flow| self.declared_flow(flow)) {
                        let part = Part::Parties(BTreeSet::from([party]));
                        broken.by.insert(Edit { on: edits::On::Flow(flow), change: Change::OnlyFrom }, part);
                    }
                }
            }
            _ => {
                if let Some(Body::Limit(limit)) =
                    self.tried.world.rule(violation.rule).map(|rule| rule.body())
                {
                    self.by_exception(broken, &limit.through, &witness.walk);
                }
            }
        }
    }

    /// What may end terms, or keep to them.
    fn by_terms(
        &self,
        broken: &mut Broken,
        violation: &Violation,
        (check, flow): (BuiltIn, FlowId),
        witness: &Witness,
    ) {
        let model = self.model();
        for &agreement in &violation.agreements {
            let stated = model.agreements[agreement].declared.terms.released_by.as_deref();
            for transform in stated.unwrap_or(&[Transform::Anonymised]) {
                witness
                    .walk
                    .iter()
                    .for_each(|&on| self.fact(broken, on, Some(Change::Transform(*transform))));
            }
        }
        if check == BuiltIn::Purpose {
            let permitted = |key: &Key| {
                violation.agreements.iter().all(|&agreement| {
                    let of = &model.agreements[agreement];
                    let named = |list: &[crate::read::decode::Spanned<Key>]| -> Vec<Key> {
                        list.iter().map(|key| key.value).collect()
                    };
                    let allowed = of.declared.terms.purposes.as_deref().map(named);
                    let allowed = allowed.or_else(|| of.implied.as_deref().map(<[Key]>::to_vec));
                    let ruled_out = named(&of.declared.terms.prohibited_purposes);
                    allowed.is_none_or(|allowed| model.under(*key, &allowed))
                        && !ruled_out.iter().any(|&other| model.related(*key, other))
                })
            };
            let gone = model.flows[flow].purposes.iter().copied().filter(|key| !permitted(key)).collect();
            self.without_purposes(broken, flow, gone);
        }
    }

    /// The purposes of a last flow for which a rule forbids that data arrives.
    fn by_purpose(&self, broken: &mut Broken, forbid: &Forbid, last: Option<FlowId>) {
        let Some(flow) = last else { return };
        let mut named: Vec<Key> = Vec::new();
        each(&forbid.to.0, &mut |keys: &PlaceKeys| named.extend(keys.purpose.iter()));
        let model = self.model();
        let purposes = model.flows[flow].purposes.iter().copied();
        let gone = purposes.filter(|&key| named.iter().any(|&other| model.related(key, other))).collect();
        self.without_purposes(broken, flow, gone);
    }

    fn without_purposes(&self, broken: &mut Broken, flow: FlowId, gone: BTreeSet<Key>) {
        if let Some(flow) = self.declared_flow(flow).filter(|_| !gone.is_empty()) {
            broken
                .by
                .insert(Edit { on: edits::On::Flow(flow), change: Change::Purposes }, Part::Purposes(gone));
        }
    }

    /// What flows would have to have for an exception to hold.
    fn by_exception(&self, broken: &mut Broken, exception: &AnyOf<FlowKeys>, flows: &[FlowId]) {
        let mut asked: BTreeSet<Change> = BTreeSet::new();
        each(&exception.0, &mut |keys: &FlowKeys| {
            asked.extend(
                keys.transform.iter().filter(|t| **t != Transform::None).map(|&t| Change::Transform(t)),
            );
            asked.extend(keys.consent.iter().filter(|c| **c != Consent::None).map(|&c| Change::Consent(c)));
            for agreement in &keys.agreement {
                if let AgreementRef::Like(like) = agreement {
                    each(std::slice::from_ref(&**like), &mut |keys| {
                        asked.extend(
                            keys.assurance.iter().map(|one| Change::Assurance(one.id.as_str().into())),
                        );
                    });
                }
            }
        });
        for &flow in flows {
            asked.iter().for_each(|change| self.fact(broken, flow, Some(change.clone())));
        }
    }
}

/// Where a chain starts.
fn start(model: &Model, violation: &Violation, witness: &Witness) -> Vec<SystemId> {
    match (witness.walk.first(), violation.on) {
        (Some(&first), _) => vec![model.flows[first].from],
        (None, On::System(system) | On::Pair(system, _)) => vec![system],
        // In one of its systems, or in one of its group.
        (None, On::Party(party)) => {
            let group = model.parties[party].group;
            model.systems.ids().filter(|&system| model.systems[system].group == group).collect()
        }
        (None, _) => Vec::new(),
    }
}

/// Whether which agreements are meant depends on what their flows carry.
fn looks_at_flows(on: &Subjects) -> bool {
    fn looks(matcher: &Matcher<AgreementKeys>) -> bool {
        matcher.keys.data.is_some() || matcher.any.iter().chain(&matcher.not).any(looks)
    }
    matches!(on, Subjects::Agreements(list) if list.0.iter().any(looks))
}

/// Looks at the keys of all matchers, but for those within a `not`, by which nothing comes to hold.
fn each<K>(all: &[Matcher<K>], look: &mut dyn FnMut(&K)) {
    for matcher in all {
        look(&matcher.keys);
        each(&matcher.any, look);
    }
}
