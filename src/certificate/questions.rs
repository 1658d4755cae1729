//! What is asked of walks: whether they break a `forbid`, bring data to a limited place,
//! cross a flow that offends, or break terms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use super::ground::{Edge, Ground};
use super::sets::{Sets, State};
use super::walks::{Planes, Question, Shown};
use crate::bits::LeafSet;
use crate::decode::Spanned;
use crate::duration::Duration;
use crate::inventory::Terms;
use crate::matching::{Arrival, Matching, Reading};
use crate::model::{AgreementId, FlowId, Id, OnwardTo, PartyId, SystemId, Table};
use crate::policy::{AnyOf, FlowKeys, Forbid, Limit, PlaceKeys};
use crate::taxonomy::Key;
use crate::vocabulary::{Onward, Relation, Word};

/// Whether each flow is exempt.
fn exempt(ground: &Ground, list: &AnyOf<FlowKeys>) -> Table<FlowId, bool> {
    let matches = |flow| {
        !list.is_empty() && ground.counting.has(flow) && ground.matching.flow(list, flow, Reading::Unlikely)
    };
    ground.model.flows.ids().map(matches).collect()
}

/// For each system that makes something the leaves that it makes into some others.
struct Making {
    wanted: LeafSet,
    at: BTreeMap<SystemId, LeafSet>,
}

impl Making {
    fn new(ground: &Ground, wanted: &LeafSet) -> Self {
        let making = ground.model.systems.iter().filter(|(_, system)| !system.derives.is_empty());
        let at = making.map(|(id, _)| (id, ground.made_into(id, wanted))).collect();
        Making { wanted: wanted.clone(), at }
    }

    fn at(&self, system: SystemId) -> &LeafSet {
        self.at.get(&system).unwrap_or(&self.wanted)
    }
}

/// Whether data gets where a `forbid` says it must not.
pub struct Forbidden<'g> {
    ground: &'g Ground<'g>,
    rule: &'g Forbid,
    data: LeafSet,
    making: Making,
    through: Table<FlowId, bool>,
    arriving: Table<FlowId, bool>,
    /// For each flow a bit for each relation with which its arrival matches `to`.
    to: Table<FlowId, u8>,
    relation: bool,
}

impl<'g> Forbidden<'g> {
    /// The question that a `forbid` asks.
    pub fn new(ground: &'g Ground<'g>, rule: &'g Forbid) -> Self {
        let model = ground.model;
        let data = match rule.data.as_slice() {
            [] => LeafSet::full(model.data.leaf_count()),
            keys => model.data.leaves(keys.iter().map(|key| &key.value)),
        };
        let relation = Matching::asks_relation(&rule.to);
        let matches = |flow: FlowId, relation| {
            ground.counting.has(flow) && arrival(ground, &rule.to, model.flows[flow].to, Some(flow), relation)
        };
        let relations = |flow| match relation {
            true => Relation::ALL.iter().filter(|&&r| matches(flow, Some(r))).map(|&r| bit(r)).sum(),
            false if matches(flow, None) => Relation::ALL.iter().map(|&r| bit(r)).sum(),
            false => 0,
        };
        Forbidden {
            ground,
            rule,
            making: Making::new(ground, &data),
            data,
            through: exempt(ground, &rule.through),
            arriving: exempt(ground, &rule.arriving),
            to: model.flows.ids().map(relations).collect(),
            relation,
        }
    }

    /// Whether data of a system is what the rule is about.
    pub fn is_source(&self, system: SystemId) -> bool {
        self.ground.matching.place(&self.rule.from, system, Reading::Likely)
    }

    /// What of some leaves assumed to start at a system breaks the rule right there.
    pub fn at_itself(&self, system: SystemId, leaves: &LeafSet) -> Option<LeafSet> {
        let of = leaves.and(self.making.at(system));
        let here = arrival(self.ground, &self.rule.to, system, None, Some(Relation::FirstParty));
        (here && !of.is_empty()).then_some(of)
    }

    /// Whether arrivals over a flow may break the rule.
    fn may(&self, edge: &Edge) -> bool {
        self.to[edge.flow] != 0 && !self.through[edge.flow] && !self.arriving[edge.flow]
    }

    /// The leaves with which items in a state are of the data once they have arrived.
    fn of_data(&self, edge: &Edge, marked: bool) -> LeafSet {
        if marked { LeafSet::clone(&edge.leaves) } else { edge.leaves.and(self.making.at(edge.to)) }
    }
}

fn bit(relation: Relation) -> u8 {
    1 << relation as u8
}

fn arrival(
    ground: &Ground,
    to: &AnyOf<PlaceKeys>,
    at: SystemId,
    by: Option<FlowId>,
    relation: Option<Relation>,
) -> bool {
    ground.matching.arrival(to, Arrival { at, by, relation })
}

impl Question for Forbidden<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.data)
    }

    fn planes(&self) -> u8 {
        if self.relation { 3 } else { 1 }
    }

    fn personal(&self) -> bool {
        self.relation
    }

    fn next(&self, edge: &Edge, plane: u8, whose: PartyId) -> Option<u8> {
        let next = || if self.relation { self.ground.distance(edge, whose, plane) } else { 0 };
        (!self.through[edge.flow]).then(next)
    }

    fn anybodys(&self, edge: &Edge, _: u8) -> Planes {
        if self.through[edge.flow] { Planes::new() } else { smallvec![0] }
    }

    fn shows(
        &self,
        edge: &Edge,
        state: State,
        whose: PartyId,
        leaves: &LeafSet,
        shown: &mut BTreeSet<Shown>,
    ) {
        if !self.may(edge) {
            return;
        }
        let relations = self.to[edge.flow];
        let k = || self.ground.distance(edge, whose, state.plane);
        let there = !self.relation || relations & bit(self.ground.relation(edge.to, whose, k())) != 0;
        if there && leaves.intersects(&self.of_data(edge, state.marked)) {
            shown.insert(Shown::Sink(edge.to));
        }
    }

    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        self.may(edge).then(|| self.of_data(edge, state.marked))
    }

    fn targets<'w>(&self, ground: &'w Ground, _: u8) -> Vec<&'w Edge> {
        ground.edges().iter().filter(|edge| self.may(edge)).collect()
    }
}

/// Whether data of a category gets to a place that is limited.
pub struct Limited<'g> {
    data: LeafSet,
    making: Making,
    through: Table<FlowId, bool>,
    place_of: &'g Table<SystemId, Option<usize>>,
}

impl<'g> Limited<'g> {
    /// The question that a `limit` asks of one of its categories.
    pub fn new(
        ground: &'g Ground<'g>,
        rule: &Limit,
        data: LeafSet,
        place_of: &'g Table<SystemId, Option<usize>>,
    ) -> Self {
        let making = Making::new(ground, &data);
        Limited { making, data, through: exempt(ground, &rule.through), place_of }
    }

    /// What of some leaves that start at a system is of the category there, and the place.
    pub fn at_itself(&self, system: SystemId, leaves: &LeafSet) -> Option<(usize, LeafSet)> {
        let of = leaves.and(self.making.at(system));
        self.place_of[system].filter(|_| !of.is_empty()).map(|place| (place, of))
    }

    /// Whether a flow leads to a place.
    fn may(&self, edge: &Edge) -> bool {
        self.place_of[edge.to].is_some() && !self.through[edge.flow]
    }

    fn of_data(&self, edge: &Edge, marked: bool) -> LeafSet {
        if marked { LeafSet::clone(&edge.leaves) } else { edge.leaves.and(self.making.at(edge.to)) }
    }
}

impl Question for Limited<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.data)
    }

    fn next(&self, edge: &Edge, _: u8, _: PartyId) -> Option<u8> {
        (!self.through[edge.flow]).then_some(0)
    }

    fn anybodys(&self, edge: &Edge, _: u8) -> Planes {
        if self.through[edge.flow] { Planes::new() } else { smallvec![0] }
    }

    fn shows(&self, edge: &Edge, state: State, _: PartyId, leaves: &LeafSet, shown: &mut BTreeSet<Shown>) {
        if let Some(place) = self.place_of[edge.to]
            && self.may_show(edge, state).is_some_and(|of| of.intersects(leaves))
        {
            shown.insert(Shown::Place(place));
        }
    }

    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        self.may(edge).then(|| self.of_data(edge, state.marked))
    }

    fn targets<'w>(&self, ground: &'w Ground, _: u8) -> Vec<&'w Edge> {
        ground.edges().iter().filter(|edge| self.may(edge)).collect()
    }
}

/// What flows that offend by themselves carry.
pub struct Carried {
    /// The flows.
    pub flows: BTreeSet<FlowId>,
}

impl Question for Carried {
    fn next(&self, _: &Edge, _: u8, _: PartyId) -> Option<u8> {
        Some(0)
    }

    fn anybodys(&self, _: &Edge, _: u8) -> Planes {
        smallvec![0]
    }

    fn shows(&self, edge: &Edge, _: State, _: PartyId, _: &LeafSet, shown: &mut BTreeSet<Shown>) {
        if self.flows.contains(&edge.flow) {
            shown.insert(Shown::Flow(edge.flow));
        }
    }

    fn may_show(&self, edge: &Edge, _: State) -> Option<LeafSet> {
        self.flows.contains(&edge.flow).then(|| LeafSet::clone(&edge.leaves))
    }

    fn targets<'w>(&self, ground: &'w Ground, _: u8) -> Vec<&'w Edge> {
        self.flows.iter().filter_map(|&flow| ground.edge(flow)).collect()
    }
}

/// The four checks of terms that follow data.
pub const TERMS: [&str; 4] = ["terms/purpose", "terms/onward", "terms/retention", "terms/safeguards"];

/// The terms that some flows of an agreement put data under.
#[derive(Debug, Clone)]
pub struct Under<'m> {
    /// The agreement.
    pub agreement: AgreementId,
    /// The flows.
    pub flows: BTreeSet<FlowId>,
    terms: &'m Terms,
    onward: Onward,
    onward_to: &'m [OnwardTo],
    said: Arc<Said>,
    /// The group of the party that shares.
    home: PartyId,
}

/// What terms say.
#[derive(Debug)]
struct Said {
    permitted: Option<Vec<Key>>,
    prohibited: Vec<Key>,
    /// All of it: equal where they say the same.
    text: String,
}

impl Said {
    fn new(terms: &Terms, passing: (Onward, &[OnwardTo])) -> Self {
        let keys = |list: &[Spanned<Key>]| {
            let mut keys: Vec<Key> = list.iter().map(|key| key.value).collect();
            keys.sort_unstable();
            keys
        };
        let mut safeguards: Vec<&str> = terms.safeguards.iter().map(|name| name.value.as_str()).collect();
        safeguards.sort_unstable();
        let (permitted, prohibited) = (terms.purposes.as_deref().map(keys), keys(&terms.prohibited_purposes));
        let purposes = (&permitted, &prohibited);
        let releasing = terms.releasing();
        let text = format!("{purposes:?} {passing:?} {:?} {safeguards:?} {releasing:?}", terms.retention);
        Said { permitted, prohibited, text }
    }
}

impl<'m> Under<'m> {
    /// The terms of all counting flows of agreements: equal ones of the same agreement and
    /// the same sending group together.
    pub fn all(ground: &Ground<'m>) -> Vec<Under<'m>> {
        let mut all: Vec<Under> = Vec::new();
        for agreement in ground.model.agreements.ids() {
            let before = all.len();
            let flows = ground.model.agreements[agreement].flows.iter();
            for &flow in flows.filter(|&&flow| ground.counting.has(flow)) {
                let known = all.get_mut(before..).unwrap_or_default();
                if let Some(known) = known.iter_mut().find(|known| known.is_of(ground, flow)) {
                    known.flows.insert(flow);
                    continue;
                }
                let one = Under::of(ground, agreement, flow);
                let same = |known: &&mut Under| known.home == one.home && known.says() == one.says();
                match known.iter_mut().find(same) {
                    Some(known) => known.flows.extend([flow]),
                    None => all.push(one),
                }
            }
        }
        all
    }

    /// Whether they are a flow's, seen by where they are kept. If not, they may still be.
    fn is_of(&self, ground: &Ground, flow: FlowId) -> bool {
        let declared = &ground.model.flows[flow];
        let kept =
            std::ptr::eq(self.terms, &*declared.terms) && std::ptr::eq(self.onward_to, &*declared.onward_to);
        kept && self.home == ground.model.systems[declared.from].group
    }

    fn of(ground: &Ground<'m>, agreement: AgreementId, flow: FlowId) -> Self {
        let declared = &ground.model.flows[flow];
        let (onward, onward_to) = (declared.onward(), &*declared.onward_to);
        Under {
            agreement,
            flows: [flow].into(),
            terms: &declared.terms,
            onward,
            onward_to,
            said: Arc::new(Said::new(&declared.terms, (onward, onward_to))),
            home: ground.model.systems[declared.from].group,
        }
    }

    /// What the terms say, whosesoever: equal where they say the same.
    pub fn says(&self) -> &str {
        &self.said.text
    }

    /// The leaves with which a flow breaks each of the four terms.
    fn broken(&self, ground: &Ground, edge: &Edge) -> Vec<(usize, LeafSet)> {
        let wholly = self.wholly_broken(ground, edge).into_iter();
        let mut all: Vec<_> = wholly.map(|check| (check, LeafSet::clone(&edge.leaves))).collect();
        if self.passes_on(ground, edge) {
            all.push((1, edge.leaves.minus(&self.allowed(ground, edge))));
        }
        all
    }

    /// The terms that a flow breaks whatever it carries: all but where it passes data on.
    fn wholly_broken(&self, ground: &Ground, edge: &Edge) -> SmallVec<[usize; 3]> {
        let f = &ground.model.flows[edge.flow];
        let kept = f.retention.unwrap_or(Duration::Unlimited);
        let lacking = |s: &Spanned<String>| !f.declared.safeguards.contains(&s.value);
        let wholly = [
            (0, self.wrong_purpose(ground, edge)),
            (2, self.terms.retention.is_some_and(|most| kept > most)),
            (3, self.terms.safeguards.iter().any(lacking)),
        ];
        wholly.into_iter().filter(|(_, broken)| *broken).map(|(check, _)| check).collect()
    }

    fn wrong_purpose(&self, ground: &Ground, edge: &Edge) -> bool {
        let (model, purposes) = (ground.model, &ground.model.flows[edge.flow].purposes);
        let permitted = self.said.permitted.as_ref();
        let outside = permitted.is_some_and(|named| purposes.iter().any(|&p| !model.under(p, named)));
        let mut used = purposes.iter().chain(&model.systems[edge.to].purposes);
        let related = |p: Key, q: Key| model.under(p, &[q]) || model.under(q, &[p]);
        outside || used.any(|&p| self.said.prohibited.iter().any(|&q| related(p, q)))
    }

    /// Whether a flow passes data on to somebody whom the terms do not allow, `onward_to` aside.
    fn passes_on(&self, ground: &Ground, edge: &Edge) -> bool {
        if edge.sender == edge.receiver || self.onward == Onward::Permitted {
            return false;
        }
        let parties = &ground.model.agreements[self.agreement].parties;
        if parties.contains(&edge.receiver) || ground.model.flows[edge.flow].agreement == Some(self.agreement)
        {
            return false;
        }
        let related = || parties.iter().any(|&p| ground.group(p) == edge.entered);
        match self.onward {
            Onward::Prohibited => true,
            Onward::Processors => !edge.to_processor(),
            Onward::Affiliates => !edge.to_processor() && !related(),
            Onward::Permitted => false,
        }
    }

    fn allowed(&self, ground: &Ground, edge: &Edge) -> LeafSet {
        let (model, f) = (ground.model, &ground.model.flows[edge.flow]);
        let mut all = ground.nothing();
        for to in self.onward_to.iter().filter(|to| to.party == edge.receiver) {
            if to.purposes.is_empty() || f.purposes.iter().all(|&p| model.under(p, &to.purposes)) {
                all.extend(to.leaves.as_ref().unwrap_or(&f.leaves).row());
            }
        }
        all
    }

    fn releases(&self, edge: &Edge) -> bool {
        self.terms.releasing().contains(&edge.transform)
    }
}

/// Under the terms.
const UNDER: State = State { plane: 1, marked: false };

/// Leaves with all that a system makes of them.
fn turned(ground: &Ground, system: SystemId, leaves: LeafSet) -> LeafSet {
    if ground.model.systems[system].derives.is_empty() {
        return leaves;
    }
    let mut held = [leaves, ground.nothing()];
    ground.derive(system, &mut held, None);
    let [leaves, _] = held;
    leaves
}

/// Whether what is under some terms breaks them. In plane 1 an item is under one of them.
pub struct Sticky<'g> {
    ground: &'g Ground<'g>,
    members: &'g [Under<'g>],
    own: FxHashMap<FlowId, SmallVec<[usize; 1]>>,
    /// What may be under the terms at all.
    confines: Option<Sets>,
}

impl<'g> Sticky<'g> {
    /// The question, with what may be under the terms found.
    pub fn found(ground: &'g Ground<'g>, members: &'g [Under<'g>]) -> Self {
        let mut question = Sticky::new(ground, members);
        let mut sets = Sets::default();
        let mut arriving: Vec<(SystemId, LeafSet)> = question.entering().collect();
        while let Some((system, leaves)) = arriving.pop() {
            if let Some(new) = sets.add(system, UNDER, &turned(ground, system, leaves)) {
                arriving.extend(question.goes_on(system, &new));
            }
        }
        question.confines = Some(sets);
        question
    }

    /// The question, with what may be under the terms given.
    pub fn confined_to(ground: &'g Ground<'g>, members: &'g [Under<'g>], under: Sets) -> Self {
        Sticky { confines: Some(under), ..Sticky::new(ground, members) }
    }

    /// Where what may be under the terms is not closed.
    pub fn leaking(&self) -> Vec<String> {
        let Some(sets) = &self.confines else {
            return Vec::new();
        };
        let mut missing: BTreeSet<SystemId> = BTreeSet::new();
        let mut look = |(system, leaves): (SystemId, LeafSet)| {
            if !sets.has(system, UNDER, &turned(self.ground, system, leaves)) {
                missing.insert(system);
            }
        };
        self.entering().for_each(&mut look);
        for (system, _, leaves) in sets.iter().filter(|(_, state, _)| *state == UNDER) {
            look((system, leaves.clone()));
            self.goes_on(system, leaves).for_each(&mut look);
        }
        let name = |system: SystemId| &self.ground.model.systems[system].name;
        missing
            .into_iter()
            .map(|system| format!("terms: what is under them at {} is left out", name(system)))
            .collect()
    }

    /// Its members' own flows.
    fn own(&self) -> impl Iterator<Item = &'g Edge> {
        self.own.keys().filter_map(|&flow| self.ground.edge(flow))
    }

    /// What comes under the terms, and where.
    fn entering(&self) -> impl Iterator<Item = (SystemId, LeafSet)> {
        let entering = self.own().filter(|edge| self.plane_after(edge, 0) == 1);
        entering.map(|edge| (edge.to, LeafSet::clone(&edge.leaves)))
    }

    /// What stays under the terms over the flows of a system, and where.
    fn goes_on(&self, system: SystemId, held: &LeafSet) -> impl Iterator<Item = (SystemId, LeafSet)> {
        let crossed = self.ground.out(system).iter().filter(|edge| held.intersects(&edge.leaves));
        let stays = crossed.filter(|edge| self.plane_after(edge, 1) == 1);
        stays.map(|edge| (edge.to, held.and(&edge.leaves)))
    }

    /// The question that some terms ask.
    pub fn new(ground: &'g Ground<'g>, members: &'g [Under<'g>]) -> Self {
        let mut own: FxHashMap<FlowId, SmallVec<[usize; 1]>> = FxHashMap::default();
        for (at, member) in members.iter().enumerate() {
            member.flows.iter().for_each(|&flow| own.entry(flow).or_default().push(at));
        }
        Sticky { ground, members, own, confines: None }
    }

    /// The agreements whose terms they are.
    pub fn agreements(&self) -> BTreeSet<AgreementId> {
        self.members.iter().map(|member| member.agreement).collect()
    }

    /// Those under whose terms a flow carries items, if it does not bring them home.
    fn under(&self, edge: &Edge, plane: u8) -> impl Iterator<Item = &Under<'g>> {
        let all = if plane == 1 { self.members } else { &[] };
        let own = if plane == 1 { None } else { self.own.get(&edge.flow) };
        let own = own.into_iter().flatten().filter_map(|&at| self.members.get(at));
        all.iter().chain(own).filter(move |member| member.home != edge.entered)
    }

    fn plane_after(&self, edge: &Edge, plane: u8) -> u8 {
        u8::from(self.under(edge, plane).any(|member| !member.releases(edge)))
    }
}

impl Question for Sticky<'_> {
    fn planes(&self) -> u8 {
        2
    }

    fn personal(&self) -> bool {
        true
    }

    fn next(&self, edge: &Edge, plane: u8, whose: PartyId) -> Option<u8> {
        let home = edge.entered == self.ground.group(whose);
        Some(if home { 0 } else { self.plane_after(edge, plane) })
    }

    fn anybodys(&self, edge: &Edge, plane: u8) -> Planes {
        match self.plane_after(edge, plane) {
            0 => smallvec![0],
            after => smallvec![0, after],
        }
    }

    fn shows(
        &self,
        edge: &Edge,
        state: State,
        whose: PartyId,
        leaves: &LeafSet,
        shown: &mut BTreeSet<Shown>,
    ) {
        if edge.entered == self.ground.group(whose) {
            return;
        }
        if self.may_show(edge, state).is_none_or(|with| !with.intersects(leaves)) {
            return;
        }
        for member in self.under(edge, state.plane) {
            for (check, with) in member.broken(self.ground, edge) {
                if with.intersects(leaves) {
                    shown.insert(Shown::Term(check, edge.flow, member.agreement));
                }
            }
        }
    }

    /// The members say the same, so that of each term one that is broken will do.
    fn may_show(&self, edge: &Edge, state: State) -> Option<LeafSet> {
        let first = self.under(edge, state.plane).next()?;
        if !first.wholly_broken(self.ground, edge).is_empty() {
            return Some(LeafSet::clone(&edge.leaves));
        }
        if edge.sender == edge.receiver {
            return None;
        }
        let passes = self.under(edge, state.plane).find(|one| one.passes_on(self.ground, edge))?;
        Some(edge.leaves.minus(&passes.allowed(self.ground, edge)))
    }

    fn confines(&self) -> Option<&Sets> {
        self.confines.as_ref()
    }

    fn targets<'w>(&self, ground: &'w Ground, plane: u8) -> Vec<&'w Edge> {
        if plane == 0 {
            let mut own: Vec<&Edge> = self.own.keys().filter_map(|&flow| ground.edge(flow)).collect();
            own.sort_unstable_by_key(|edge| edge.flow);
            return own;
        }
        let under = self.confines.iter().flat_map(Sets::iter);
        let each = under.map(|(system, ..)| ground.out(system)).filter(|edges| !edges.is_empty());
        each.flatten().collect()
    }
}

/// The places that a limit is about, by their systems.
pub fn places(ground: &Ground, rule: &Limit) -> Vec<(super::About, Vec<SystemId>)> {
    let model = ground.model;
    if rule.whole_party {
        let parties = model.parties.ids().filter(|&p| ground.matching.party(&rule.at, p));
        return parties.map(|p| (super::About::Party(p), model.parties[p].systems.clone())).collect();
    }
    let here = |&s: &SystemId| ground.matching.place(&rule.at, s, Reading::Likely);
    model.systems.ids().filter(here).map(|s| (super::About::System(s), vec![s])).collect()
}

/// The place that each system belongs to.
pub fn place_of(ground: &Ground, places: &[(super::About, Vec<SystemId>)]) -> Table<SystemId, Option<usize>> {
    let mut place_of = ground.model.systems.map(|_| None);
    for (at, (_, systems)) in places.iter().enumerate() {
        systems
            .iter()
            .filter(|s| s.index() < ground.model.systems.len())
            .for_each(|&s| place_of[s] = Some(at));
    }
    place_of
}
