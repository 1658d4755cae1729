//! The places that rules could not look at, since they ask for a role, region or jurisdiction that
//! nobody states.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::all_rules;
use super::analysis::RuleRef;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Role;
use crate::declare::policy::{Body, Forbid, Reading, Require, Subjects};
use crate::flow::propagate::Assumed;
use crate::model::load::World;
use crate::model::matching::Matching;
use crate::model::{Counting, FlowId, Model, PartyId, SystemId};

/// For each rule that overlooks any the names of the places, parties and systems.
pub fn overlooked(
    world: &World,
    matching: Matching,
    (counting, assumed): (&Counting, &Assumed),
) -> Vec<(RuleRef, BTreeSet<String>)> {
    let model = &world.model;
    let unknown = Unknown::of(model, counting, assumed);
    if unknown.systems.is_empty() && unknown.parties.is_empty() {
        return Vec::new();
    }
    let look = Look { model, unknown, known: matching, open: matching.opened() };
    let rules = all_rules(world);
    let all = rules.par_iter().map(|&(rule, body)| {
        let places = match body {
            Body::Forbid(forbid) => look.forbid(forbid),
            Body::Limit(limit) => {
                look.systems(|matching, system, place| place.holds() && matching.limited(&limit.at, system))
            }
            Body::Require(require) => look.require(require),
        };
        (rule, places)
    });
    all.filter(|(_, places)| !places.is_empty()).collect()
}

/// Places of which something is not stated.
struct Unknown {
    parties: Vec<PartyId>,
    systems: BTreeMap<SystemId, Place>,
    /// The counting flows from or to them.
    flows: Vec<FlowId>,
}

/// What is known of such a system.
#[derive(Default)]
struct Place {
    /// Whether data starts there, declared or assumed.
    starts: bool,
    /// Whether a flow brings it something.
    reached: bool,
    /// The purposes of the flows that do.
    purposes: Vec<Key>,
}

impl Place {
    /// Whether there may be data.
    fn holds(&self) -> bool {
        self.starts || self.reached
    }
}

impl Unknown {
    fn of(model: &Model, counting: &Counting, assumed: &Assumed) -> Self {
        let unstated = |party: PartyId| {
            let party = &model.parties[party];
            party.role() == Role::Other || party.declared.jurisdiction.is_none()
        };
        let parties: Vec<PartyId> = model.parties.ids().filter(|&party| unstated(party)).collect();
        let mut systems: BTreeMap<SystemId, Place> = BTreeMap::new();
        for (id, system) in model.systems.iter() {
            if unstated(system.party) || unstated(system.origin) || system.regions.is_empty() {
                let starts = !system.originates.is_empty() || assumed.at(id).is_some();
                systems.insert(id, Place { starts, ..Place::default() });
            }
        }
        let mut flows = Vec::new();
        for id in counting.iter() {
            let flow = &model.flows[id];
            if let Some(place) = systems.get_mut(&flow.to) {
                place.reached = true;
                place.purposes.extend(&flow.purposes);
            }
            if systems.contains_key(&flow.from) || systems.contains_key(&flow.to) {
                flows.push(id);
            }
        }
        for place in systems.values_mut() {
            place.purposes.sort_unstable();
            place.purposes.dedup();
        }
        Unknown { parties, systems, flows }
    }
}

struct Look<'m> {
    model: &'m Model,
    unknown: Unknown,
    known: Matching<'m>,
    open: Matching<'m>,
}

impl Look<'_> {
    /// The systems that match only where what is not stated is taken for anything.
    fn systems(&self, matches: impl Fn(&Matching, SystemId, &Place) -> bool) -> BTreeSet<String> {
        let overlooked = |(&system, place): (&SystemId, &Place)| {
            let only_open = matches(&self.open, system, place) && !matches(&self.known, system, place);
            only_open.then(|| self.model.systems[system].name.clone())
        };
        self.unknown.systems.iter().filter_map(overlooked).collect()
    }

    fn forbid(&self, forbid: &Forbid) -> BTreeSet<String> {
        let mut places =
            self.systems(|matching, system, place| place.starts && matching.source(&forbid.from, system));
        places.extend(self.systems(|matching, system, place| {
            place.holds() && matching.could_arrive(&forbid.to, system, &place.purposes)
        }));
        places
    }

    fn require(&self, require: &Require) -> BTreeSet<String> {
        let party = |id: &PartyId| self.model.parties[*id].id().to_owned();
        let other = |id: &&PartyId| self.model.parties[**id].role() == Role::Other;
        match &require.on {
            Subjects::Systems(list) => {
                self.systems(|matching, system, _| matching.place(list, system, Reading::Likely))
            }
            Subjects::Parties(list) => {
                let only_open = |id: &&PartyId| self.open.party(list, **id) && !self.known.party(list, **id);
                self.unknown.parties.iter().filter(only_open).map(party).collect()
            }
            Subjects::Flows(list) => {
                let matches = |matching: &Matching, flow| matching.flow(list, flow, Reading::Likely);
                let flows = self.unknown.flows.iter().copied();
                let flows = flows.filter(|&flow| matches(&self.open, flow) && !matches(&self.known, flow));
                let ends = flows.flat_map(|flow| [self.model.flows[flow].from, self.model.flows[flow].to]);
                let ends = ends.filter(|end| self.unknown.systems.contains_key(end));
                ends.map(|end| self.model.systems[end].name.clone()).collect()
            }
            Subjects::Agreements(list) => {
                let only_open = |id| self.open.agreement(list, id) && !self.known.agreement(list, id);
                let agreements = self.model.agreements.ids().filter(|&id| only_open(id));
                agreements
                    .flat_map(|id| self.model.agreements[id].parties.iter().filter(other))
                    .map(party)
                    .collect()
            }
        }
    }
}
