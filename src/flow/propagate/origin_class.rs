//! Parties whose items behave alike, and are followed together.
//!
//! Whose item it is decides two things: which `only_from` let it pass, and at which
//! distance it arrives. Neither differs between parties that nothing of other
//! parties' gets into (*enclosed* ones) and that no `only_from` names elsewhere:
//!
//! - a flow of an enclosed party's carries nothing but its own items, so that its
//!   `only_from` lets either all pass that is there, or nothing;
//! - outside of it, its items are never in their origin's party or group again. Nobody to whom
//!   something comes back by an agreement of processing acts for it: those for whom somebody does
//!   are followed by themselves.
//!
//! What is enclosed is found for each use, by what could get anywhere at all: the
//! fewer flows can matter, the more parties are.

use rustc_hash::FxHashSet;

use crate::base::vocabulary::Relation;
use crate::flow::graph::{Graph, Origin};
use crate::model::{FlowId, PartyId};

/// Whose items are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemsOf {
    /// Those of one origin.
    One(Origin),
    /// The declared ones of all parties that are alike.
    Many,
}

/// Which `only_from` let items pass that are followed together.
#[derive(Debug, Clone, Copy)]
pub enum OriginFilter<'a> {
    /// Those of one origin.
    One(Origin),
    /// The declared ones of all parties that are alike.
    Many(&'a OriginClass),
    /// Anybody's, as if no `only_from` left anything out: more than gets anywhere.
    Anybody,
}

impl OriginFilter<'_> {
    /// Whether a flow lets them pass.
    pub fn passes(self, graph: &Graph, flow: FlowId) -> bool {
        match self {
            OriginFilter::One(origin) => graph.passes(flow, origin),
            OriginFilter::Many(alike) => alike.passes(graph, flow, ItemsOf::Many),
            OriginFilter::Anybody => true,
        }
    }
}

/// Which parties are alike.
#[derive(Debug)]
pub struct OriginClass {
    /// Those that something of others' may get into; others are enclosed.
    entered: FxHashSet<PartyId>,
    /// Named by an `only_from` of a flow that does not start at an enclosed party, or the controller
    /// of another party's system.
    named: FxHashSet<PartyId>,
}

impl OriginClass {
    /// By the flows that could carry something that matters, whatever their `only_from`.
    pub fn new(graph: &Graph, carrying: &[FlowId]) -> Self {
        let crossing = carrying.iter().filter(|&&flow| graph.crosses(flow));
        let mut entered: FxHashSet<PartyId> = crossing.map(|&flow| graph.receiver(flow)).collect();
        let mut named = FxHashSet::default();
        // Where somebody else's data starts, something of another's is; and it is not where it starts.
        for (keeper, controller) in graph.controlled() {
            entered.insert(keeper);
            named.insert(controller);
        }
        for &flow in carrying {
            if let Some(parties) = graph.only_from(flow)
                && entered.contains(&graph.sender(flow))
            {
                named.extend(parties);
            }
        }
        OriginClass { entered, named }
    }

    /// Whether nothing of other parties' gets into one.
    fn encloses(&self, party: PartyId) -> bool {
        !self.entered.contains(&party)
    }

    /// Whether a party's declared items are followed with those of many others; where
    /// distances matter, fewer are.
    pub fn has(&self, graph: &Graph, party: PartyId, distances: bool) -> bool {
        !self.named.contains(&party)
            && (!distances || self.encloses(party) && graph.single(party) && !graph.is_client(party))
    }

    /// Whether `only_from` lets items pass.
    pub fn passes(&self, graph: &Graph, flow: FlowId, whose: ItemsOf) -> bool {
        match (whose, graph.only_from(flow)) {
            (ItemsOf::One(origin), _) => graph.passes(flow, origin),
            (ItemsOf::Many, None) => true,
            (ItemsOf::Many, Some(parties)) => {
                let sender = graph.sender(flow);
                self.encloses(sender) && parties.contains(&sender)
            }
        }
    }

    /// The distance on arrival of an item that was at distance `k`, as
    /// [`Graph::distance`]. Those of many are at an enclosed party only if it is theirs.
    pub fn distance(&self, graph: &Graph, flow: FlowId, whose: ItemsOf, k: usize) -> usize {
        match whose {
            ItemsOf::One(origin) => graph.distance(flow, origin.party(), k),
            ItemsOf::Many => graph.distance_away(flow, k),
        }
    }

    /// What a flow's receiver is to an item that arrives by it at distance `k`.
    pub fn relation(&self, graph: &Graph, flow: FlowId, whose: ItemsOf, k: usize) -> Relation {
        let to = graph.receiving(flow);
        match whose {
            ItemsOf::One(origin) => graph.relation(to, origin.party(), k),
            ItemsOf::Many if self.encloses(graph.party(to)) => Relation::FirstParty,
            ItemsOf::Many => Graph::elsewhere(k),
        }
    }
}
