//! What is asked of walks: whether they break a `forbid`, bring data to a limited place,
//! cross a flow that offends, or break terms.

use std::collections::{BTreeMap, BTreeSet};

use super::ground::Ground;
use super::sets::{Sets, State};
use super::walks::{Question, Shown};
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
    /// For each flow the relations with which its arrival matches `to`.
    to: Table<FlowId, Vec<Relation>>,
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
            true => Relation::ALL.iter().copied().filter(|&r| matches(flow, Some(r))).collect(),
            false if matches(flow, None) => Relation::ALL.to_vec(),
            false => Vec::new(),
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

    /// The leaves with which items in a state are of the data once they have arrived.
    fn of_data(&self, flow: FlowId, marked: bool) -> LeafSet {
        let ends = &self.ground.model.flows[flow];
        if marked { ends.leaves.clone() } else { ends.leaves.and(self.making.at(ends.to)) }
    }
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

    fn next(&self, flow: FlowId, plane: u8, whose: PartyId) -> Option<u8> {
        let next = || if self.relation { self.ground.distance(flow, whose, plane) } else { 0 };
        (!self.through[flow]).then(next)
    }

    fn anybodys(&self, flow: FlowId, _: u8) -> Vec<u8> {
        if self.through[flow] { Vec::new() } else { vec![0] }
    }

    fn shows(
        &self,
        flow: FlowId,
        state: State,
        whose: PartyId,
        leaves: &LeafSet,
        shown: &mut BTreeSet<Shown>,
    ) {
        if self.through[flow] || self.arriving[flow] || self.to[flow].is_empty() {
            return;
        }
        let to = self.ground.model.flows[flow].to;
        let k = self.ground.distance(flow, whose, state.plane);
        let there = !self.relation || self.to[flow].contains(&self.ground.relation(to, whose, k));
        if there && leaves.intersects(&self.of_data(flow, state.marked)) {
            shown.insert(Shown::Sink(to));
        }
    }

    fn may_show(&self, flow: FlowId, state: State) -> Option<LeafSet> {
        let may = !self.through[flow] && !self.arriving[flow] && !self.to[flow].is_empty();
        may.then(|| self.of_data(flow, state.marked))
    }
}

/// Whether data of a category gets to a place that is limited.
pub struct Limited<'g> {
    ground: &'g Ground<'g>,
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
        Limited { ground, making, data, through: exempt(ground, &rule.through), place_of }
    }

    /// What of some leaves that start at a system is of the category there, and the place.
    pub fn at_itself(&self, system: SystemId, leaves: &LeafSet) -> Option<(usize, LeafSet)> {
        let of = leaves.and(self.making.at(system));
        self.place_of[system].filter(|_| !of.is_empty()).map(|place| (place, of))
    }

    fn of_data(&self, flow: FlowId, marked: bool) -> LeafSet {
        let ends = &self.ground.model.flows[flow];
        if marked { ends.leaves.clone() } else { ends.leaves.and(self.making.at(ends.to)) }
    }
}

impl Question for Limited<'_> {
    fn marks(&self) -> Option<&LeafSet> {
        Some(&self.data)
    }

    fn next(&self, flow: FlowId, _: u8, _: PartyId) -> Option<u8> {
        (!self.through[flow]).then_some(0)
    }

    fn anybodys(&self, flow: FlowId, _: u8) -> Vec<u8> {
        if self.through[flow] { Vec::new() } else { vec![0] }
    }

    fn shows(&self, flow: FlowId, state: State, _: PartyId, leaves: &LeafSet, shown: &mut BTreeSet<Shown>) {
        if let Some(place) = self.place_of[self.ground.model.flows[flow].to]
            && self.may_show(flow, state).is_some_and(|of| of.intersects(leaves))
        {
            shown.insert(Shown::Place(place));
        }
    }

    fn may_show(&self, flow: FlowId, state: State) -> Option<LeafSet> {
        let there = self.place_of[self.ground.model.flows[flow].to].is_some();
        (there && !self.through[flow]).then(|| self.of_data(flow, state.marked))
    }
}

/// What flows that offend by themselves carry.
pub struct Carried<'g> {
    /// The declared world.
    pub ground: &'g Ground<'g>,
    /// The flows.
    pub flows: BTreeSet<FlowId>,
}

impl Question for Carried<'_> {
    fn next(&self, _: FlowId, _: u8, _: PartyId) -> Option<u8> {
        Some(0)
    }

    fn anybodys(&self, _: FlowId, _: u8) -> Vec<u8> {
        vec![0]
    }

    fn shows(&self, flow: FlowId, _: State, _: PartyId, _: &LeafSet, shown: &mut BTreeSet<Shown>) {
        if self.flows.contains(&flow) {
            shown.insert(Shown::Flow(flow));
        }
    }

    fn may_show(&self, flow: FlowId, _: State) -> Option<LeafSet> {
        self.flows.contains(&flow).then(|| self.ground.model.flows[flow].leaves.clone())
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
    /// The group of the party that shares.
    home: PartyId,
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
                let one = Under::of(ground, agreement, flow);
                match all.iter_mut().skip(before).find(|known| known.same(&one)) {
                    Some(known) => known.flows.extend([flow]),
                    None => all.push(one),
                }
            }
        }
        all
    }

    fn of(ground: &Ground<'m>, agreement: AgreementId, flow: FlowId) -> Self {
        let declared = &ground.model.flows[flow];
        Under {
            agreement,
            flows: [flow].into(),
            terms: &declared.terms,
            onward: declared.onward(),
            onward_to: &declared.onward_to,
            home: ground.model.systems[declared.from].group,
        }
    }

    fn same(&self, other: &Under) -> bool {
        self.home == other.home && self.says() == other.says()
    }

    /// What the terms say, whosesoever: equal where they say the same.
    pub fn says(&self) -> String {
        let keys = |list: &[Spanned<Key>]| {
            let mut keys: Vec<Key> = list.iter().map(|key| key.value).collect();
            keys.sort_unstable();
            keys
        };
        let terms = self.terms;
        let mut safeguards: Vec<&str> = terms.safeguards.iter().map(|name| name.value.as_str()).collect();
        safeguards.sort_unstable();
        let purposes = (terms.purposes.as_deref().map(keys), keys(&terms.prohibited_purposes));
        let passing = (self.onward, self.onward_to);
        format!("{purposes:?} {passing:?} {:?} {safeguards:?} {:?}", terms.retention, terms.releasing())
    }

    /// The leaves with which a flow breaks each of the four terms.
    fn broken(&self, ground: &Ground, flow: FlowId) -> Vec<(usize, LeafSet)> {
        let mut all = self.wholly_broken(ground, flow);
        if self.passes_on(ground, flow) {
            all.push((1, ground.model.flows[flow].leaves.minus(&self.allowed(ground, flow))));
        }
        all
    }

    /// The terms that a flow breaks whatever it carries: all but where it passes data on.
    fn wholly_broken(&self, ground: &Ground, flow: FlowId) -> Vec<(usize, LeafSet)> {
        let f = &ground.model.flows[flow];
        let kept = f.retention.unwrap_or(Duration::Unlimited);
        let lacking = self.terms.safeguards.iter().any(|s| !f.declared.safeguards.contains(&s.value));
        let wholly = [
            (0, self.wrong_purpose(ground, flow)),
            (2, self.terms.retention.is_some_and(|most| kept > most)),
            (3, lacking),
        ];
        let wholly = wholly.into_iter().filter(|(_, broken)| *broken);
        wholly.map(|(check, _)| (check, f.leaves.clone())).collect()
    }

    fn wrong_purpose(&self, ground: &Ground, flow: FlowId) -> bool {
        let (model, f) = (ground.model, &ground.model.flows[flow]);
        let keys = |list: &[Spanned<Key>]| list.iter().map(|k| k.value).collect::<Vec<_>>();
        let prohibited = keys(&self.terms.prohibited_purposes);
        let permitted = self.terms.purposes.as_deref().map(keys);
        let outside = permitted.is_some_and(|named| f.purposes.iter().any(|&p| !model.under(p, &named)));
        let mut used = f.purposes.iter().chain(&model.systems[f.to].purposes);
        let related = |p: Key, q: Key| model.under(p, &[q]) || model.under(q, &[p]);
        outside || used.any(|&p| prohibited.iter().any(|&q| related(p, q)))
    }

    /// Whether a flow passes data on to somebody whom the terms do not allow, `onward_to` aside.
    fn passes_on(&self, ground: &Ground, flow: FlowId) -> bool {
        let model = ground.model;
        let (sender, receiver) = (model.sender(flow), model.receiver(flow));
        let parties = &model.agreements[self.agreement].parties;
        let own = model.flows[flow].agreement == Some(self.agreement);
        if own || sender == receiver || parties.contains(&receiver) {
            return false;
        }
        let to_processor = model.processing_provider(flow) == Some(sender);
        let related = || parties.iter().any(|&p| ground.group(p) == ground.group(receiver));
        match self.onward {
            Onward::Prohibited => true,
            Onward::Processors => !to_processor,
            Onward::Affiliates => !to_processor && !related(),
            Onward::Permitted => false,
        }
    }

    fn allowed(&self, ground: &Ground, flow: FlowId) -> LeafSet {
        let (model, f) = (ground.model, &ground.model.flows[flow]);
        let mut all = ground.nothing();
        for to in self.onward_to.iter().filter(|to| to.party == model.receiver(flow)) {
            if to.purposes.is_empty() || f.purposes.iter().all(|&p| model.under(p, &to.purposes)) {
                all.extend(to.leaves.as_ref().unwrap_or(&f.leaves).row());
            }
        }
        all
    }

    fn releases(&self, ground: &Ground, flow: FlowId) -> bool {
        self.terms.releasing().contains(&ground.model.flows[flow].transform)
    }
}

/// Under the terms.
const UNDER: State = State { plane: 1, marked: false };

/// Leaves with all that a system makes of them.
fn turned(ground: &Ground, system: SystemId, leaves: LeafSet) -> LeafSet {
    let mut held = [leaves, ground.nothing()];
    ground.derive(system, &mut held, None);
    let [leaves, _] = held;
    leaves
}

/// Whether what is under some terms breaks them. In plane 1 an item is under one of them.
pub struct Sticky<'g> {
    ground: &'g Ground<'g>,
    members: &'g [Under<'g>],
    own: BTreeMap<FlowId, Vec<usize>>,
    /// What may be under the terms at all.
    confines: Option<Sets>,
}

impl<'g> Sticky<'g> {
    /// The question, with what may be under the terms found.
    pub fn found(ground: &'g Ground<'g>, members: &'g [Under<'g>]) -> Self {
        let mut question = Sticky::new(ground, members);
        let mut sets = Sets::default();
        let mut arriving = question.entering();
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
        let mut arriving = self.entering();
        for (system, state, leaves) in sets.iter().filter(|(_, state, _)| *state == UNDER) {
            arriving.push((system, leaves.clone()));
            arriving.extend(self.goes_on(system, sets.get(system, state).unwrap_or(leaves)));
        }
        let missing = arriving.into_iter().filter(|(system, leaves)| {
            !sets.has(*system, UNDER, &turned(self.ground, *system, leaves.clone()))
        });
        let name = |system: SystemId| &self.ground.model.systems[system].name;
        missing
            .map(|(system, _)| format!("terms: what is under them at {} is left out", name(system)))
            .collect()
    }

    /// What comes under the terms, and where.
    fn entering(&self) -> Vec<(SystemId, LeafSet)> {
        let flows = self.own.keys().filter(|&&flow| self.plane_after(flow, 0) == 1);
        let ends = flows.map(|&flow| &self.ground.model.flows[flow]);
        ends.map(|ends| (ends.to, ends.leaves.clone())).collect()
    }

    /// What stays under the terms over the flows of a system, and where.
    fn goes_on(&self, system: SystemId, held: &LeafSet) -> Vec<(SystemId, LeafSet)> {
        let flows = self.ground.out[system].iter().filter(|&&flow| self.plane_after(flow, 1) == 1);
        let ends = flows.map(|&flow| &self.ground.model.flows[flow]);
        let some = ends.filter(|ends| held.intersects(&ends.leaves));
        some.map(|ends| (ends.to, held.and(&ends.leaves))).collect()
    }

    /// The question that some terms ask.
    pub fn new(ground: &'g Ground<'g>, members: &'g [Under<'g>]) -> Self {
        let mut own: BTreeMap<FlowId, Vec<usize>> = BTreeMap::new();
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
    fn under(&self, flow: FlowId, plane: u8) -> impl Iterator<Item = &Under<'g>> {
        let entered = self.ground.group(self.ground.model.receiver(flow));
        let all = if plane == 1 { self.members } else { &[] };
        let own = if plane == 1 { None } else { self.own.get(&flow) };
        let own = own.into_iter().flatten().filter_map(|&at| self.members.get(at));
        all.iter().chain(own).filter(move |member| member.home != entered)
    }

    fn plane_after(&self, flow: FlowId, plane: u8) -> u8 {
        u8::from(self.under(flow, plane).any(|member| !member.releases(self.ground, flow)))
    }
}

impl Question for Sticky<'_> {
    fn planes(&self) -> u8 {
        2
    }

    fn personal(&self) -> bool {
        true
    }

    fn next(&self, flow: FlowId, plane: u8, whose: PartyId) -> Option<u8> {
        let home = self.ground.group(self.ground.model.receiver(flow)) == self.ground.group(whose);
        Some(if home { 0 } else { self.plane_after(flow, plane) })
    }

    fn anybodys(&self, flow: FlowId, plane: u8) -> Vec<u8> {
        vec![0, self.plane_after(flow, plane)]
    }

    fn shows(
        &self,
        flow: FlowId,
        state: State,
        whose: PartyId,
        leaves: &LeafSet,
        shown: &mut BTreeSet<Shown>,
    ) {
        if self.ground.group(self.ground.model.receiver(flow)) == self.ground.group(whose) {
            return;
        }
        if self.may_show(flow, state).is_none_or(|with| !with.intersects(leaves)) {
            return;
        }
        for member in self.under(flow, state.plane) {
            for (check, with) in member.broken(self.ground, flow) {
                if with.intersects(leaves) {
                    shown.insert(Shown::Term(check, flow, member.agreement));
                }
            }
        }
    }

    /// The members say the same, so that of each term one that is broken will do.
    fn may_show(&self, flow: FlowId, state: State) -> Option<LeafSet> {
        let first = self.under(flow, state.plane).next()?;
        let mut all = first.wholly_broken(self.ground, flow);
        if let Some(passes) = self.under(flow, state.plane).find(|one| one.passes_on(self.ground, flow)) {
            let leaves = &self.ground.model.flows[flow].leaves;
            all.push((1, leaves.minus(&passes.allowed(self.ground, flow))));
        }
        let all = all.into_iter().map(|(_, leaves)| leaves);
        all.reduce(|mut all, leaves| {
            all.extend(leaves.row());
            all
        })
    }

    fn confines(&self) -> Option<&Sets> {
        self.confines.as_ref()
    }

    fn targets(&self, ground: &Ground) -> Vec<FlowId> {
        let mut all: Vec<FlowId> = self.own.keys().copied().collect();
        let under = self.confines.iter().flat_map(Sets::iter);
        all.extend(under.flat_map(|(system, ..)| ground.out[system].iter().copied()));
        all.sort_unstable();
        all.dedup();
        all
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
