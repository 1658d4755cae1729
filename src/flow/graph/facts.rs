//! What is asked of flows as they are crossed, whichever count, laid side by side.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::bits::LeafSet;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Transform, Word};
use crate::model::{AgreementId, FlowId, Id, Model, PartyId, SystemId, Table};

/// What is asked of a flow as it is crossed: two of them to a line of the processor's cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(super) struct Fact {
    /// Its ends.
    pub(super) ends: (SystemId, SystemId),
    /// Who runs them.
    pub(super) parties: (PartyId, PartyId),
    /// What it runs under, if it runs under any.
    pub(super) agreement: AgreementId,
    pub(super) documented: bool,
    consent: Consent,
    pub(super) step: Step,
    /// The number of its purposes: of those of all flows that have the same.
    purposes: u32,
}

/// What most searches ask of each flow, in a byte: of all flows that is little enough to stay in a
/// processor's cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits(u8);

impl Traits {
    pub(super) const LIMITED: u8 = 1;
    pub(super) const CROSSES: u8 = 1 << 1;
    pub(super) const BY_PROCESSOR: u8 = 1 << 2;
    /// From here on the transform's place among all.
    const TRANSFORM: u32 = 3;

    fn new(fact: &Fact, limited: bool, by_processor: bool, transform: Transform) -> Self {
        let crosses = fact.parties.0 != fact.parties.1;
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = flag(limited, Traits::LIMITED)
            | flag(crosses, Traits::CROSSES)
            | flag(by_processor, Traits::BY_PROCESSOR);
        Traits(flags | (transform as u8) << Traits::TRANSFORM)
    }

    pub(super) fn is(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    pub(super) fn transform(self) -> Transform {
        Transform::ALL.get(usize::from(self.0 >> Traits::TRANSFORM)).copied().unwrap_or(Transform::None)
    }
}

/// A set of leaves that flows may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SetId(u32);

impl Id for SetId {
    fn from_index(index: usize) -> Self {
        SetId(index as u32)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is asked of each flow as it is crossed, and of parties, whichever flows count.
#[derive(Debug)]
pub struct Facts {
    flows: Table<FlowId, Fact>,
    pub(super) traits: Table<FlowId, Traits>,
    /// Who runs each system.
    pub(super) runs: Table<SystemId, PartyId>,
    /// The group of each party.
    pub(super) groups: Table<PartyId, PartyId>,
    /// The parties that are the only one of their group.
    pub(super) single: Table<PartyId, bool>,
    /// The parties that run a system at which another's data starts, with that.
    pub(super) controlled: Vec<(PartyId, PartyId)>,
    /// What each flow may carry: one of few sets.
    leaves: Table<FlowId, SetId>,
    sets: Table<SetId, Arc<LeafSet>>,
}

impl Facts {
    /// Of all flows.
    pub fn new(model: &Model) -> Self {
        let mut purposes: FxHashMap<&[Key], u32> = FxHashMap::default();
        // Flows that name the same have their leaves at the same place.
        let mut places: FxHashMap<*const LeafSet, SetId> = FxHashMap::default();
        let mut sets: Vec<Arc<LeafSet>> = Vec::new();
        let number = |id: FlowId| {
            let flow = &model.flows[id];
            let next = purposes.len() as u32;
            let purposes = *purposes.entry(flow.purposes.as_slice()).or_insert(next);
            let leaves = places.entry(Arc::as_ptr(&flow.leaves)).or_insert_with(|| {
                sets.push(Arc::clone(&flow.leaves));
                SetId::from_index(sets.len() - 1)
            });
            (purposes, *leaves)
        };
        let numbers: Table<FlowId, (u32, SetId)> = model.flows.ids().map(number).collect();
        let flows = Table::of(model.flows.len(), |id| Fact::new(model, id, numbers[id].0));
        let traits = Table::of(model.flows.len(), |id: FlowId| {
            let (flow, fact): (_, &Fact) = (&model.flows[id], &flows[id]);
            let by_processor = model.to_processor(id);
            Traits::new(fact, flow.only_from.is_some(), by_processor, flow.transform)
        });
        let leaves = numbers.map(|&(_, leaves)| leaves);
        let mut members = model.parties.map(|_| 0_usize);
        model.parties.values().for_each(|party| members[party.group] += 1);
        let groups = model.parties.map(|party| party.group);
        let runs = model.systems.map(|system| system.party);
        let single = model.parties.map(|party| members[party.group] == 1);
        let kept = model.systems.values().filter(|system| system.origin != system.party);
        let controlled = kept.map(|system| (system.party, system.origin)).collect();
        Facts { flows, traits, runs, groups, single, controlled, leaves, sets: sets.into_iter().collect() }
    }

    /// What a flow may carry.
    pub(super) fn leaves(&self, flow: FlowId) -> &LeafSet {
        &self.sets[self.leaves[flow]]
    }

    pub(super) fn of(&self, flow: FlowId) -> &Fact {
        &self.flows[flow]
    }

    /// The receiving system of a flow.
    pub fn receiving(&self, flow: FlowId) -> SystemId {
        self.of(flow).ends.1
    }

    /// The number of a flow's purposes: of those of all flows that have the same.
    pub fn purposes(&self, flow: FlowId) -> u32 {
        self.of(flow).purposes
    }

    /// What is done to the data on a flow, and the consent in place.
    pub fn manner(&self, flow: FlowId) -> (Transform, Consent) {
        (self.traits[flow].transform(), self.of(flow).consent)
    }
}

/// What a flow does to distances outside of the origin's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: it stays in a group, or goes from the provider under a processing agreement.
    Stays,
    /// Back to a provider: nothing if it acts for the origin's group, else at least one.
    Back,
    /// One further.
    Further,
}

impl Fact {
    fn new(model: &Model, id: FlowId, purposes: u32) -> Self {
        let flow = &model.flows[id];
        let (from, to) = (&model.systems[flow.from], &model.systems[flow.to]);
        let step = match () {
            _ if from.group == to.group || model.to_processor(id) => Step::Stays,
            _ if model.comes_from_processor(id) => Step::Back,
            _ => Step::Further,
        };
        Fact {
            ends: (flow.from, flow.to),
            parties: (from.party, to.party),
            agreement: flow.agreement.unwrap_or(AgreementId::from_index(0)),
            documented: flow.agreement.is_some(),
            consent: flow.consent,
            step,
            purposes,
        }
    }
}

/// The distance of what comes back to a provider that does not act for its origin.
pub(super) fn back(k: usize) -> usize {
    k.max(1)
}

pub(super) fn further(k: usize) -> usize {
    (k + 1).min(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_flow_takes_half_a_line() {
        assert_eq!(size_of::<Fact>(), 32);
    }

    #[test]
    fn traits_are_told_apart() {
        let fact = |parties| Fact {
            ends: (SystemId(0), SystemId(1)),
            parties,
            agreement: AgreementId(0),
            documented: false,
            consent: Consent::None,
            step: Step::Stays,
            purposes: 0,
        };
        for &transform in Transform::ALL {
            for bits in 0..8_u32 {
                let [limited, crosses, by_processor] = [0, 1, 2].map(|bit| bits >> bit & 1 == 1);
                let fact = fact((PartyId(0), PartyId(u32::from(crosses))));
                let traits = Traits::new(&fact, limited, by_processor, transform);
                assert_eq!(traits.transform(), transform);
                assert_eq!(traits.is(Traits::LIMITED), limited);
                assert_eq!(traits.is(Traits::CROSSES), crosses);
                assert_eq!(traits.is(Traits::BY_PROCESSOR), by_processor);
            }
        }
    }
}
