//! Who acts for whom.
//!
//! ```text
//! X is in, and no provider of, a processing agreement with a counting
//! flow, Y is a provider of it                                         ⟹  X acts for Y
//! X acts for Y, Y acts for Z                                          ⟹  X acts for Z
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::facts::{Facts, Step};
use crate::base::vocabulary::Kind;
use crate::model::{AgreementId, Counting, Model, PartyId};

/// For each provider that something comes back to the groups of those for whom it acts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acting {
    clients: BTreeMap<PartyId, FxHashSet<PartyId>>,
}

impl Acting {
    /// By which flows count.
    pub fn of(model: &Model, facts: &Facts, counting: &Counting) -> Arc<Self> {
        Arc::new(Acting::new(model, facts, counting))
    }

    /// By the flows that count; something comes back by those that move data.
    fn new(model: &Model, facts: &Facts, counting: &Counting) -> Self {
        let back = counting.moving().filter(|&flow| facts.of(flow).step == Step::Back);
        let mut clients: BTreeMap<PartyId, FxHashSet<PartyId>> =
            back.map(|flow| (facts.of(flow).parties.1, FxHashSet::default())).collect();
        if clients.is_empty() {
            return Acting::default();
        }
        let agreements: FxHashSet<AgreementId> =
            counting.iter().filter_map(|flow| model.flows[flow].agreement).collect();
        let mut direct: BTreeMap<PartyId, Vec<PartyId>> = BTreeMap::new();
        for agreement in agreements.into_iter().map(|id| &model.agreements[id]) {
            if agreement.kind == Kind::Processing {
                let acting = agreement.parties.iter().filter(|party| !agreement.providers.contains(party));
                acting.for_each(|&party| direct.entry(party).or_default().extend(&agreement.providers));
            }
        }
        for (&party, groups) in &mut clients {
            let mut known: FxHashSet<PartyId> = FxHashSet::default();
            let mut open = direct.get(&party).cloned().unwrap_or_default();
            while let Some(client) = open.pop() {
                if known.insert(client) {
                    groups.insert(facts.groups[client]);
                    open.extend(direct.get(&client).into_iter().flatten());
                }
            }
        }
        clients.retain(|_, groups| !groups.is_empty());
        Acting { clients }
    }

    /// Whether a party that something comes back to acts for one of a group.
    pub fn acts_for(&self, party: PartyId, group: PartyId) -> bool {
        self.clients.get(&party).is_some_and(|groups| groups.contains(&group))
    }

    /// Whether any of them acts for one of a group.
    pub fn is_client(&self, group: PartyId) -> bool {
        self.clients.values().any(|groups| groups.contains(&group))
    }
}
