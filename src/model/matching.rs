//! How matchers hold, read at worst.
//!
//! Where a match makes a finding more likely ([`Reading::Likely`]), one purpose
//! (one leaf) of several suffices. Where it makes a finding less likely
//! ([`Reading::Unlikely`]: within `unless`), all must be at or below those named,
//! and there must be one. A `not` turns the reading.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::base::sets::{CodeSet, GlobSet};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Relation, Role, Transform, Word};
use crate::declare::inventory::Assurance;
use crate::declare::policy::{
    AgreementKeys, AgreementRef, AnyOf, Attested, FlowKeys, Labels, Limit, LimitScope, Matcher, PlaceKeys,
    Reading,
};
use crate::model::{AgreementId, FlowId, Model, PartyId, SystemId};

/// Judges matchers on a model for one day.
#[derive(Debug, Clone, Copy)]
pub struct Matching<'m> {
    /// The world.
    pub model: &'m Model,
    /// The day on which assurances hold or not: that of `--as-of`, else the one judged.
    pub day: Date,
    /// Whether a role, region or jurisdiction that nobody states is taken for any, where a match makes
    /// a finding more likely.
    open: bool,
}

/// A place of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// A system.
    System(SystemId),
    /// A party, or the topmost parent of a group.
    Party(PartyId),
}

/// An arrival, as `forbid.to` sees it: the last flow (none at an assumed origin
/// itself) and what the place is to the data.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The place.
    pub at: SystemId,
    /// The last flow.
    pub by: Option<FlowId>,
    /// The relation; `None` where no matcher asks for it.
    pub relation: Option<Relation>,
}

fn holds<K>(matcher: &Matcher<K>, reading: Reading, keys: &impl Fn(&K, Reading) -> bool) -> bool {
    keys(&matcher.keys, reading)
        && (matcher.any.is_empty() || matcher.any.iter().any(|m| holds(m, reading, keys)))
        && !matcher.not.iter().any(|m| holds(m, reading.turned(), keys))
}

/// Absent, or one of the list's matchers holds.
fn any<K>(list: &AnyOf<K>, reading: Reading, keys: &impl Fn(&K, Reading) -> bool) -> bool {
    list.is_empty() || list.0.iter().any(|m| holds(m, reading, keys))
}

/// An absent key holds; else the value must be there and one of those named.
fn one_of<T>(named: &[T], is: impl Fn(&T) -> bool) -> bool {
    named.is_empty() || named.iter().any(is)
}

/// An absent key holds; else the code must be there and one of those named.
fn coded(codes: &CodeSet, code: Option<&str>) -> bool {
    codes.is_empty() || code.is_some_and(|code| codes.has(code))
}

/// An absent key holds; else the name must match one of those named.
fn named(globs: &GlobSet, name: &str) -> bool {
    globs.is_empty() || globs.matches(name)
}

/// Whether all labels asked for are there, each in the first of some declarations that
/// has it at all.
fn labelled(wanted: &Labels, declared: &[&[(String, String)]]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let mut own: FxHashMap<&str, &str> = FxHashMap::default();
    for (name, text) in declared.iter().flat_map(|own| own.iter()) {
        own.entry(name).or_insert(text);
    }
    wanted.iter().all(|(key, globs)| own.get(key.as_str()).is_some_and(|text| globs.matches(text)))
}

/// Whether one of some assurances is the one asked for. One without a date may be of
/// any age.
pub fn attests<'a>(own: impl IntoIterator<Item = &'a Assurance>, wanted: &Attested, day: Date) -> bool {
    let in_time = |assurance: &Assurance| {
        let recent =
            |given: Date| wanted.at_most.is_none_or(|most| most.after(given).is_none_or(|end| day <= end));
        wanted.at_most.is_none() || assurance.date.is_some_and(recent)
    };
    own.into_iter()
        .any(|assurance| wanted.is(&assurance.id.value) && assurance.holds(day) && in_time(assurance))
}

impl<'m> Matching<'m> {
    /// Judges matchers on a day.
    pub fn new(model: &'m Model, day: Date) -> Self {
        Matching { model, day, open: false }
    }

    /// As this, with what no place states taken for anything: to tell which places were not looked at.
    pub fn opened(self) -> Self {
        Matching { open: true, ..self }
    }
}

impl Matching<'_> {
    /// Purposes at or below those named: one of them, or all and at least one.
    fn purposes(&self, named: &[Key], stated: [&[Key]; 2], reading: Reading) -> bool {
        let under = |&p: &Key| self.model.under(p, named);
        let mut all = stated.into_iter().flatten();
        named.is_empty()
            || match reading {
                Reading::Likely => all.any(under),
                Reading::Unlikely => stated.iter().any(|list| !list.is_empty()) && all.all(under),
            }
    }

    /// Regions within those named: one of them, or all and at least one.
    fn regions(&self, named: &CodeSet, stated: &[String], reading: Reading) -> bool {
        let is_named = |region: &String| named.has(region);
        named.is_empty()
            || match reading {
                Reading::Likely => stated.iter().any(is_named) || self.open && stated.is_empty(),
                Reading::Unlikely => !stated.is_empty() && stated.iter().all(is_named),
            }
    }

    fn party_keys(&self, keys: &PlaceKeys, party: PartyId, reading: Reading) -> bool {
        let party = &self.model.parties[party];
        let open = self.open && reading == Reading::Likely;
        let jurisdiction = party.declared.jurisdiction.as_deref();
        named(&keys.party, party.id())
            && one_of(&keys.role, |&r| r == party.role() || open && party.role() == Role::Other)
            && (coded(&keys.jurisdiction, jurisdiction) || open && jurisdiction.is_none())
    }

    /// All keys of a place but `purpose` and `relation`.
    fn system_keys(&self, keys: &PlaceKeys, id: SystemId, reading: Reading) -> bool {
        let party = self.model.systems[id].party;
        self.party_keys(keys, party, reading) && self.own_keys(keys, id, party, reading)
    }

    /// The keys of a place that are not its party's. Labels that it has not are those of `party`.
    fn own_keys(&self, keys: &PlaceKeys, id: SystemId, party: PartyId, reading: Reading) -> bool {
        let system = &self.model.systems[id];
        named(&keys.system, &system.name)
            && (keys.tag.is_empty() || keys.tag.any_of(&system.declared.tags))
            && self.regions(&keys.region, &system.regions, reading)
            && labelled(
                &keys.label,
                &[&system.declared.meta.labels, &self.model.parties[party].declared.meta.labels],
            )
    }

    /// Whether a system matches; its purposes are its own.
    pub fn place(&self, list: &AnyOf<PlaceKeys>, id: SystemId, reading: Reading) -> bool {
        any(list, reading, &|keys: &PlaceKeys, reading| {
            self.system_keys(keys, id, reading)
                && self.purposes(&keys.purpose, [&self.model.systems[id].purposes, &[]], reading)
                && keys.relation.is_empty()
        })
    }

    /// Whether a system matches `forbid.from`: its controller's `party`, `role`, `jurisdiction` and
    /// labels, where it has none of that name itself; all else its own.
    pub fn source(&self, from: &AnyOf<PlaceKeys>, id: SystemId) -> bool {
        let system = &self.model.systems[id];
        any(from, Reading::Likely, &|keys: &PlaceKeys, reading| {
            self.party_keys(keys, system.origin, reading)
                && self.own_keys(keys, id, system.origin, reading)
                && self.purposes(&keys.purpose, [&system.purposes, &[]], reading)
                && keys.relation.is_empty()
        })
    }

    /// Whether an arrival matches `forbid.to`. Purposes are the system's and the
    /// last flow's; for a finding to be more likely it suffices that one named is
    /// below one of them.
    pub fn arrival(&self, to: &AnyOf<PlaceKeys>, arrival: Arrival) -> bool {
        let system = &self.model.systems[arrival.at].purposes;
        let flow = arrival.by.map_or(&[][..], |f| &self.model.flows[f].purposes);
        any(to, Reading::Likely, &|keys: &PlaceKeys, reading| {
            let broader = reading == Reading::Likely
                && keys
                    .purpose
                    .iter()
                    .any(|&named| self.model.under(named, system) || self.model.under(named, flow));
            self.system_keys(keys, arrival.at, reading)
                && (broader || self.purposes(&keys.purpose, [system, flow], reading))
                && (keys.relation.is_empty() || arrival.relation.is_some_and(|r| keys.relation.contains(&r)))
                && keys.by_flow.is_none_or(|wanted| wanted == arrival.by.is_some())
        })
    }

    /// Whether data could arrive at a system so as to match `forbid.to`, whatever the relation, by a
    /// flow for some of these purposes.
    pub fn could_arrive(&self, to: &AnyOf<PlaceKeys>, at: SystemId, purposes: &[Key]) -> bool {
        let system = &self.model.systems[at].purposes;
        any(to, Reading::Likely, &|keys: &PlaceKeys, reading| {
            let under = |&named: &Key| self.model.under(named, system) || self.model.under(named, purposes);
            let broader = reading == Reading::Likely && keys.purpose.iter().any(under);
            // Within a `not`, a relation may be another one.
            self.system_keys(keys, at, reading)
                && (broader || self.purposes(&keys.purpose, [system, purposes], reading))
                && (keys.relation.is_empty() || reading == Reading::Likely)
                && keys.by_flow.is_none_or(|wanted| wanted)
        })
    }

    /// Whether a system matches `limit.at`: as [`Matching::place`], but that it also suffices that
    /// a purpose named is below one of the system's.
    pub fn limited(&self, at: &AnyOf<PlaceKeys>, id: SystemId) -> bool {
        self.arrival(at, Arrival { at: id, by: None, relation: None })
    }

    /// Whether a party matches `limit.at`: by one of its systems, or by its own keys where it has
    /// none.
    pub fn limited_party(&self, at: &AnyOf<PlaceKeys>, id: PartyId) -> bool {
        match self.model.parties[id].systems.as_slice() {
            [] => self.party(at, id),
            systems => systems.iter().any(|&system| self.limited(at, system)),
        }
    }

    /// The places of a limit: a system, or a party or the topmost parent of a group, with the
    /// systems whose data counts together.
    pub fn limited_places(&self, limit: &Limit) -> Vec<(Limited, Vec<SystemId>)> {
        let model = self.model;
        let parties = model.parties.ids().filter(|&party| self.limited_party(&limit.at, party));
        match limit.scope {
            LimitScope::System => {
                let here = |system: &SystemId| !model.is_ghost(*system) && self.limited(&limit.at, *system);
                let systems = model.systems.ids().filter(here);
                systems.map(|system| (Limited::System(system), vec![system])).collect()
            }
            LimitScope::Party => {
                parties.map(|p| (Limited::Party(p), model.parties[p].systems.clone())).collect()
            }
            LimitScope::Group => {
                let groups: BTreeSet<PartyId> = parties.map(|party| model.parties[party].group).collect();
                let mut all: BTreeMap<PartyId, Vec<SystemId>> =
                    groups.into_iter().map(|group| (group, Vec::new())).collect();
                for (id, system) in model.systems.iter().filter(|(id, _)| !model.is_ghost(*id)) {
                    if let Some(systems) = all.get_mut(&system.group) {
                        systems.push(id);
                    }
                }
                all.into_iter().map(|(group, systems)| (Limited::Party(group), systems)).collect()
            }
        }
    }

    /// Whether a party matches: by one of its systems, or by its own keys where it
    /// has none.
    pub fn party(&self, list: &AnyOf<PlaceKeys>, id: PartyId) -> bool {
        let systems = &self.model.parties[id].systems;
        if !systems.is_empty() {
            return systems.iter().any(|&s| self.place(list, s, Reading::Likely));
        }
        any(list, Reading::Likely, &|keys: &PlaceKeys, reading| {
            let of_systems = [keys.system.len(), keys.purpose.len(), keys.tag.len(), keys.region.len()];
            self.party_keys(keys, id, reading)
                && labelled(&keys.label, &[&self.model.parties[id].declared.meta.labels])
                && of_systems.iter().all(|&n| n == 0)
        })
    }

    /// Whether a flow matches.
    pub fn flow(&self, list: &AnyOf<FlowKeys>, id: FlowId, reading: Reading) -> bool {
        let flow = (id, self.model.flows[id].transform);
        any(list, reading, &|keys: &FlowKeys, reading| self.flow_keys(keys, flow, reading))
    }

    /// Whether a flow would match if it did not transform what it carries.
    pub fn untransformed(&self, list: &AnyOf<FlowKeys>, id: FlowId, reading: Reading) -> bool {
        let flow = (id, Transform::None);
        any(list, reading, &|keys: &FlowKeys, reading| self.flow_keys(keys, flow, reading))
    }

    fn flow_keys(&self, keys: &FlowKeys, (id, transform): (FlowId, Transform), reading: Reading) -> bool {
        let flow = &self.model.flows[id];
        let data = keys.data.as_ref().is_none_or(|named| match reading {
            Reading::Likely => flow.leaves.intersects(named),
            Reading::Unlikely => !flow.leaves.is_empty() && flow.leaves.is_subset(named),
        });
        data && one_of(&keys.transform, |&t| t == transform)
            && one_of(&keys.consent, |&c| flow.consent >= c)
            && keys.safeguards.all_of(&flow.declared.safeguards)
            && keys.retention.is_none_or(|most| flow.retention.is_some_and(|kept| kept <= most))
            && self.purposes(&keys.purpose, [&flow.purposes, &[]], reading)
            && (keys.tag.is_empty() || keys.tag.any_of(flow.declared.tags()))
            && labelled(&keys.label, &[&flow.declared.meta.labels])
            && self.place(&keys.from, flow.from, reading)
            && self.place(&keys.to, flow.to, reading)
            && keys.crosses_parties.is_none_or(|c| c == self.model.crosses(id))
            && one_of(&keys.agreement, |a| match (a, flow.agreement) {
                (AgreementRef::None, none) => none.is_none(),
                (AgreementRef::Like(_), None) => false,
                (AgreementRef::Like(matcher), Some(agreement)) => {
                    holds(matcher, reading, &|keys, reading| {
                        self.agreement_keys(keys, agreement, Some(id), reading)
                    })
                }
            })
    }

    /// Whether an agreement matches a `where`.
    pub fn agreement(&self, list: &AnyOf<AgreementKeys>, id: AgreementId) -> bool {
        any(list, Reading::Likely, &|keys: &AgreementKeys, reading| {
            self.agreement_keys(keys, id, None, reading)
        })
    }

    /// Whether an agreement still runs on the day that assurances are asked for.
    pub fn runs(&self, id: AgreementId) -> bool {
        !self.model.agreements[id].ended(self.day)
    }

    /// The assurances of an agreement that hold, or of one of its flows: its own, too.
    pub fn assurances(&self, id: AgreementId, flow: Option<FlowId>) -> impl Iterator<Item = &Assurance> {
        let own = flow.map_or(&[][..], |flow| self.model.flows[flow].declared.assurances());
        let runs = self.runs(id);
        let all = self.model.agreements[id].declared.assurances.iter().chain(own);
        all.filter(move |assurance| runs && assurance.holds(self.day))
    }

    /// Whether one of the assurances that hold is one asked for.
    pub fn attested(&self, id: AgreementId, flow: Option<FlowId>, wanted: &Attested) -> bool {
        attests(self.assurances(id, flow), wanted, self.day)
    }

    fn agreement_keys(
        &self,
        keys: &AgreementKeys,
        id: AgreementId,
        flow: Option<FlowId>,
        reading: Reading,
    ) -> bool {
        let agreement = &self.model.agreements[id];
        let bases = match flow {
            Some(flow) => &self.model.flows[flow].legal_basis,
            None => &agreement.declared.legal_basis,
        };
        let party = |p: &PartyId| &self.model.parties[*p];
        let mut flows = agreement.flows.iter().map(|&f| &self.model.flows[f].leaves);
        let data = keys.data.as_ref().is_none_or(|named| match reading {
            Reading::Likely => flows.any(|leaves| leaves.intersects(named)),
            Reading::Unlikely => flows.any(|leaves| leaves.is_subset(named)),
        });
        data && named(&keys.id, agreement.id())
            && one_of(&keys.kind, |&k| k == agreement.kind)
            && one_of(&keys.status, |&s| s == agreement.status)
            && (keys.legal_basis.is_empty() || bases.iter().any(|basis| keys.legal_basis.matches(basis)))
            && one_of(&keys.assurance, |wanted| self.attested(id, flow, wanted))
            && labelled(&keys.label, &[&agreement.declared.meta.labels])
            && (keys.party.is_empty() || agreement.parties.iter().any(|p| keys.party.matches(party(p).id())))
            && one_of(&keys.role, |&r| {
                let open = self.open && reading == Reading::Likely;
                let roles = || agreement.parties.iter().map(|p| party(p).role());
                roles().any(|role| role == r || open && role == Role::Other)
            })
    }

    /// Whether matchers of flows ask for nothing but what is done to the data and the consent.
    pub fn asks_manner(list: &AnyOf<FlowKeys>) -> bool {
        list.0.iter().all(|matcher| matcher.asks_only(&["transform", "consent"]))
    }

    /// Whether a matcher of arrivals asks for the relation anywhere.
    pub fn asks_relation(list: &AnyOf<PlaceKeys>) -> bool {
        fn asks(m: &Matcher<PlaceKeys>) -> bool {
            !m.keys.relation.is_empty() || m.any.iter().chain(&m.not).any(asks)
        }
        list.0.iter().any(asks)
    }
}

/// The relations, for deciding a matcher once for each.
pub const RELATIONS: &[Relation] = Relation::ALL;
