//! The flow graph: which counting flows leave and enter each system, as
//! compressed rows.

use crate::model::{Counting, FlowId, Id, Model, PartyId, SystemId};
use crate::vocabulary::Relation;

/// The counting flows by their ends.
#[derive(Debug)]
pub struct Graph<'m> {
    /// The world.
    pub model: &'m Model,
    out: Rows,
    into: Rows,
}

#[derive(Debug, Default)]
struct Rows {
    starts: Vec<usize>,
    flows: Vec<FlowId>,
}

impl Rows {
    fn new(systems: usize, mut flows: Vec<(SystemId, FlowId)>) -> Self {
        flows.sort_unstable();
        let starts = (0..=systems).map(|at| flows.partition_point(|(s, _)| s.index() < at)).collect();
        Rows { starts, flows: flows.into_iter().map(|(_, flow)| flow).collect() }
    }

    fn row(&self, system: SystemId) -> &[FlowId] {
        let at = system.index();
        let range = self.starts.get(at).copied().zip(self.starts.get(at + 1).copied());
        range.and_then(|(start, end)| self.flows.get(start..end)).unwrap_or_default()
    }
}

/// Whose items a walk follows: that decides which `only_from` lets them pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Items that originate at a party.
    Declared(PartyId),
    /// Items of an assumed origin at a party: unknown data passes everywhere.
    Assumed(PartyId),
}

impl Origin {
    /// The party that the origin system belongs to.
    pub fn party(self) -> PartyId {
        match self {
            Origin::Declared(party) | Origin::Assumed(party) => party,
        }
    }
}

impl<'m> Graph<'m> {
    /// The graph of the counting flows.
    pub fn new(model: &'m Model, counting: &Counting) -> Self {
        Graph::of(model, &counting.iter().collect::<Vec<_>>())
    }

    /// The graph of some flows.
    pub fn of(model: &'m Model, flows: &[FlowId]) -> Self {
        let ends = |end: fn(&crate::model::Flow) -> SystemId| {
            flows.iter().map(|&flow| (end(&model.flows[flow]), flow)).collect()
        };
        Graph {
            model,
            out: Rows::new(model.systems.len(), ends(|flow| flow.from)),
            into: Rows::new(model.systems.len(), ends(|flow| flow.to)),
        }
    }

    /// The counting flows that leave a system, in order.
    pub fn out(&self, system: SystemId) -> &[FlowId] {
        self.out.row(system)
    }

    /// The counting flows that enter a system, in order.
    pub fn into(&self, system: SystemId) -> &[FlowId] {
        self.into.row(system)
    }

    /// All counting flows, by where they start.
    pub fn flows(&self) -> &[FlowId] {
        &self.out.flows
    }

    /// Whether `only_from` lets items of an origin pass.
    pub fn passes(&self, flow: FlowId, origin: Origin) -> bool {
        match (&self.model.flows[flow].only_from, origin) {
            (None, _) | (_, Origin::Assumed(_)) => true,
            (Some(parties), Origin::Declared(party)) => parties.contains(&party),
        }
    }

    /// The distance on arrival of an item of a party's that was at distance `k`.
    ///
    /// In the origin's group: 0. Within one group: k. Under a processing agreement,
    /// from its provider, or back to its provider unless from the origin's party: k.
    /// Else min(k + 1, 2).
    pub fn distance(&self, flow: FlowId, origin: PartyId, k: usize) -> usize {
        let model = self.model;
        let ends = &model.flows[flow];
        let (from, to) = (&model.systems[ends.from], &model.systems[ends.to]);
        if to.group == model.parties[origin].group {
            return 0;
        }
        let stays = from.group == to.group
            || model.processing_provider(flow).is_some_and(|provider| {
                from.party == provider || (to.party == provider && from.party != origin)
            });
        if stays { k } else { (k + 1).min(2) }
    }

    /// What a system is to an item of a party's that got there at distance `k`.
    pub fn relation(&self, system: SystemId, origin: PartyId, k: usize) -> Relation {
        let place = &self.model.systems[system];
        if place.party == origin {
            return Relation::FirstParty;
        }
        if place.group == self.model.parties[origin].group {
            return Relation::Affiliate;
        }
        match k {
            0 => Relation::Processor,
            1 => Relation::SecondParty,
            _ => Relation::ThirdParty,
        }
    }
}
