//! How matchers hold, read at worst.
//!
//! Where a match makes a finding more likely ([`Reading::Likely`]), one purpose
//! (one leaf) of several suffices. Where it makes a finding less likely
//! ([`Reading::Unlikely`]: within `unless`), all must be at or below those named,
//! and there must be one. A `not` turns the reading.

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::duration::Duration;
use crate::inventory::Assurance;
use crate::model::{AgreementId, FlowId, Model, PartyId, SystemId};
use crate::policy::{AgreementKeys, AgreementRef, AnyOf, Attested, FlowKeys, Labels, Matcher, PlaceKeys};
use crate::sets::{CodeSet, GlobSet};
use crate::taxonomy::Key;
use crate::vocabulary::{Relation, Word};

/// Which way a match pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A match makes a finding more likely.
    Likely,
    /// A match makes a finding less likely.
    Unlikely,
}

impl Reading {
    fn turned(self) -> Self {
        match self {
            Reading::Likely => Reading::Unlikely,
            Reading::Unlikely => Reading::Likely,
        }
    }
}

/// Judges matchers on a model for one day.
#[derive(Debug, Clone, Copy)]
pub struct Matching<'m> {
    /// The world.
    pub model: &'m Model,
    /// The day on which assurances have expired or not.
    pub day: Date,
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
pub fn attests(own: &[Assurance], wanted: &Attested, day: Date) -> bool {
    let in_time = |assurance: &Assurance| match wanted.at_most {
        None => true,
        Some(Duration::Unlimited) => assurance.date.is_some(),
        Some(Duration::Hours(most)) => {
            assurance.age(day).and_then(|days| u64::try_from(days).ok()).is_some_and(|days| days * 24 <= most)
        }
    };
    own.iter().any(|assurance| assurance.id.value == wanted.id && assurance.holds(day) && in_time(assurance))
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

    fn party_keys(&self, keys: &PlaceKeys, party: PartyId) -> bool {
        let party = &self.model.parties[party];
        named(&keys.party, party.id())
            && one_of(&keys.role, |&r| r == party.role())
            && coded(&keys.jurisdiction, party.declared.jurisdiction.as_deref())
    }

    /// All keys of a place but `purpose` and `relation`.
    fn system_keys(&self, keys: &PlaceKeys, id: SystemId) -> bool {
        let system = &self.model.systems[id];
        self.party_keys(keys, system.party)
            && named(&keys.system, &system.name)
            && (keys.tag.is_empty() || keys.tag.any_of(&system.declared.tags))
            && coded(&keys.region, system.region.as_deref())
            && labelled(
                &keys.label,
                &[&system.declared.meta.labels, &self.model.parties[system.party].declared.meta.labels],
            )
    }

    /// Whether a system matches; its purposes are its own.
    pub fn place(&self, list: &AnyOf<PlaceKeys>, id: SystemId, reading: Reading) -> bool {
        any(list, reading, &|keys: &PlaceKeys, reading| {
            self.system_keys(keys, id)
                && self.purposes(&keys.purpose, [&self.model.systems[id].purposes, &[]], reading)
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
            self.system_keys(keys, arrival.at)
                && (broader || self.purposes(&keys.purpose, [system, flow], reading))
                && (keys.relation.is_empty() || arrival.relation.is_some_and(|r| keys.relation.contains(&r)))
        })
    }

    /// Whether a party matches: by one of its systems, or by its own keys where it
    /// has none.
    pub fn party(&self, list: &AnyOf<PlaceKeys>, id: PartyId) -> bool {
        let systems = &self.model.parties[id].systems;
        if !systems.is_empty() {
            return systems.iter().any(|&s| self.place(list, s, Reading::Likely));
        }
        any(list, Reading::Likely, &|keys: &PlaceKeys, _| {
            let of_systems = [keys.system.len(), keys.purpose.len(), keys.tag.len(), keys.region.len()];
            self.party_keys(keys, id)
                && labelled(&keys.label, &[&self.model.parties[id].declared.meta.labels])
                && of_systems.iter().all(|&n| n == 0)
        })
    }

    /// Whether a flow matches.
    pub fn flow(&self, list: &AnyOf<FlowKeys>, id: FlowId, reading: Reading) -> bool {
        any(list, reading, &|keys: &FlowKeys, reading| self.flow_keys(keys, id, reading))
    }

    fn flow_keys(&self, keys: &FlowKeys, id: FlowId, reading: Reading) -> bool {
        let flow = &self.model.flows[id];
        let data = keys.data.as_ref().is_none_or(|named| match reading {
            Reading::Likely => flow.leaves.intersects(named),
            Reading::Unlikely => !flow.leaves.is_empty() && flow.leaves.is_subset(named),
        });
        data && one_of(&keys.transform, |&t| t == flow.transform)
            && one_of(&keys.consent, |&c| flow.consent >= c)
            && keys.safeguards.all_of(&flow.declared.safeguards)
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
                        self.agreement_keys(keys, agreement, flow.legal_basis.as_deref(), reading)
                    })
                }
            })
    }

    /// Whether an agreement matches a `where`.
    pub fn agreement(&self, list: &AnyOf<AgreementKeys>, id: AgreementId) -> bool {
        let basis = self.model.agreements[id].declared.legal_basis.as_deref();
        any(list, Reading::Likely, &|keys: &AgreementKeys, reading| {
            self.agreement_keys(keys, id, basis, reading)
        })
    }

    fn agreement_keys(
        &self,
        keys: &AgreementKeys,
        id: AgreementId,
        basis: Option<&str>,
        reading: Reading,
    ) -> bool {
        let agreement = &self.model.agreements[id];
        let party = |p: &PartyId| &self.model.parties[*p];
        let mut flows = agreement.flows.iter().map(|&f| &self.model.flows[f].leaves);
        let data = keys.data.as_ref().is_none_or(|named| match reading {
            Reading::Likely => flows.any(|leaves| leaves.intersects(named)),
            Reading::Unlikely => flows.any(|leaves| leaves.is_subset(named)),
        });
        data && named(&keys.id, agreement.id())
            && one_of(&keys.kind, |&k| k == agreement.kind)
            && one_of(&keys.status, |&s| s == agreement.status)
            && (keys.legal_basis.is_empty() || basis.is_some_and(|basis| keys.legal_basis.matches(basis)))
            && one_of(&keys.assurance, |a| attests(&agreement.declared.assurances, a, self.day))
            && labelled(&keys.label, &[&agreement.declared.meta.labels])
            && (keys.party.is_empty() || agreement.parties.iter().any(|p| keys.party.matches(party(p).id())))
            && one_of(&keys.role, |&r| agreement.parties.iter().any(|p| party(p).role() == r))
    }

    /// Whether matchers of flows ask for nothing but what is done to the data and the consent.
    pub fn asks_manner(list: &AnyOf<FlowKeys>) -> bool {
        fn asks(matcher: &Matcher<FlowKeys>) -> bool {
            let FlowKeys {
                transform: _,
                consent: _,
                safeguards,
                purpose,
                tag,
                label,
                data,
                from,
                to,
                crosses_parties,
                agreement,
            } = &matcher.keys;
            let nothing_else = safeguards.is_empty()
                && purpose.is_empty()
                && tag.is_empty()
                && label.is_empty()
                && data.is_none()
                && from.is_empty()
                && to.is_empty()
                && crosses_parties.is_none()
                && agreement.is_empty();
            nothing_else && matcher.any.iter().chain(&matcher.not).all(asks)
        }
        list.0.iter().all(asks)
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
