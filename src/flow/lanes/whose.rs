//! Whose items the lanes of a search are.

use rustc_hash::FxHashMap;

use super::Lanes;
use crate::flow::graph::{Graph, Origin};
use crate::model::{FlowId, PartyId};

/// The lanes by whose items they are.
#[derive(Debug, Default)]
pub struct Whose {
    by_party: FxHashMap<PartyId, Lanes>,
    by_group: FxHashMap<PartyId, Lanes>,
    assumed: Lanes,
    declared: FxHashMap<PartyId, Lanes>,
}

impl Whose {
    /// Notes whose items a lane is of.
    pub fn add(&mut self, graph: &Graph, lanes: Lanes, origin: Origin) {
        let party = origin.party();
        *self.by_party.entry(party).or_default() |= lanes;
        *self.by_group.entry(graph.group_of(party)).or_default() |= lanes;
        match origin {
            Origin::Declared(party) => *self.declared.entry(party).or_default() |= lanes,
            Origin::Assumed(_) => self.assumed |= lanes,
        }
    }

    /// Those of a party's items.
    pub fn party(&self, party: PartyId) -> Lanes {
        self.by_party.get(&party).copied().unwrap_or_default()
    }

    /// Those of a group's items.
    pub fn group(&self, group: PartyId) -> Lanes {
        self.by_group.get(&group).copied().unwrap_or_default()
    }

    /// Those that a flow's `only_from` lets pass.
    pub fn passes(&self, graph: &Graph, flow: FlowId) -> Lanes {
        let Some(parties) = graph.only_from(flow) else { return Lanes::ALL };
        let named = parties.iter().map(|party| self.declared.get(party).copied().unwrap_or_default());
        self.assumed | named.collect()
    }

    /// Those for whose group's items a party that something comes back to acts.
    pub fn served_by(&self, graph: &Graph, party: PartyId) -> Lanes {
        let served = self.by_group.iter().filter(|&(&group, _)| graph.acting().acts_for(party, group));
        served.map(|(_, &lanes)| lanes).collect()
    }

    /// Lanes at distance `k` by their distance after a flow, as [`Graph::distance`].
    pub fn distances(&self, graph: &Graph, flow: FlowId, k: usize, lanes: Lanes) -> [(usize, Lanes); 3] {
        let home = lanes & self.group(graph.entered(flow));
        let away = lanes & !home;
        let served = match graph.comes_back(flow) && k == 0 && !away.is_empty() {
            true => away & self.served_by(graph, graph.receiver(flow)),
            false => Lanes::NONE,
        };
        [(0, home), (k, served), (graph.distance_away(flow, k), away & !served)]
    }
}
