//! What walks and sets of leaves are in words, each told once: many findings share them.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::audit::analysis::{Violation, Witness};
use crate::base::bits::LeafSet;
use crate::base::finding::{Chain, Hop};
use crate::base::source::Sources;
use crate::base::vocabulary::Transform;
use crate::model::{FlowId, Model, Scope, ends, gone};
use jiff::civil::Date;

/// The day judged and what is left out: by them a flow is over or disposed of.
pub type When<'a> = (Date, &'a Scope);

/// What the violations of one audit show.
pub struct Told<'a> {
    model: &'a Model,
    sources: &'a Sources,
    when: When<'a>,
    /// Sets of leaves as the fewest categories.
    covers: FxHashMap<&'a LeafSet, Vec<String>>,
    /// What crosses a flow.
    hops: FxHashMap<(FlowId, &'a LeafSet), Arc<Hop>>,
}

impl<'a> Told<'a> {
    /// Tells all that some violations show.
    pub fn new(model: &'a Model, sources: &'a Sources, when: When<'a>, violations: &'a [Violation]) -> Self {
        let witnesses = violations.par_iter().flat_map_iter(|violation| &violation.witnesses);
        let mut crossed: Vec<(FlowId, &LeafSet)> = witnesses.flat_map_iter(crossings).collect();
        crossed.par_sort_unstable();
        crossed.dedup();
        let mut covers: FxHashMap<&LeafSet, Vec<String>> = FxHashMap::default();
        let shown = violations.iter().flat_map(|violation| [&violation.data, &violation.arrives_as]);
        for leaves in shown.chain(crossed.iter().map(|&(_, leaves)| leaves)) {
            covers.entry(leaves).or_insert_with(|| model.data.cover(leaves));
        }
        let mut told = Told { model, sources, when, covers, hops: FxHashMap::default() };
        told.hops =
            crossed.into_par_iter().map(|(flow, leaves)| ((flow, leaves), told.hop(flow, leaves))).collect();
        told
    }

    /// The fewest categories that stand for a set of leaves.
    pub fn cover(&self, leaves: &LeafSet) -> Vec<String> {
        self.covers.get(leaves).cloned().unwrap_or_else(|| self.model.data.cover(leaves))
    }

    /// A walk, flow by flow.
    pub fn chain(&self, witness: &Witness) -> Chain {
        let hop = |(flow, leaves)| match self.hops.get(&(flow, leaves)) {
            Some(known) => Arc::clone(known),
            None => self.hop(flow, leaves),
        };
        crossings(witness).map(hop).collect()
    }

    fn hop(&self, id: FlowId, leaves: &LeafSet) -> Arc<Hop> {
        Arc::new(hop(self.model, self.sources, self.when, id, self.cover(leaves)))
    }
}

fn crossings(witness: &Witness) -> impl Iterator<Item = (FlowId, &LeafSet)> {
    witness.walk.iter().copied().zip(&witness.leaves)
}

/// A walk by itself, flow by flow.
pub(crate) fn hops(model: &Model, sources: &Sources, when: When, witness: &Witness) -> Chain {
    let hop = |(id, leaves)| Arc::new(hop(model, sources, when, id, model.data.cover(leaves)));
    crossings(witness).map(hop).collect()
}

/// A flow of a walk, which carries this.
pub(super) fn hop(
    model: &Model,
    sources: &Sources,
    (day, scope): When,
    id: FlowId,
    data: Vec<String>,
) -> Hop {
    let flow = &model.flows[id];
    let agreement = flow.agreement.map(|a| &model.agreements[a]);
    Hop {
        flow: flow.name.clone(),
        from: model.systems[flow.from].name.clone(),
        to: model.systems[flow.to].name.clone(),
        agreement: agreement.map(|a| a.id().to_owned()),
        purposes: flow.purposes.iter().map(|&key| model.purposes.name(key).to_owned()).collect(),
        data,
        transform: Some(flow.transform).filter(|&transform| transform != Transform::None),
        basis: flow.declared.meta.basis,
        agreement_status: agreement.map(|a| a.status),
        ended: agreement.is_some_and(|a| a.ended(day)) || ends(model, id).is_some_and(|last| last < day),
        disposed: gone(model, id, day, scope).is_some(),
        title: flow.declared.meta.title.as_deref().map(str::to_owned),
        location: sources.location(flow.span),
    }
}
