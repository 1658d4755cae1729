//! Which flows carry data that is, or once was, of some categories.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::Judgement;
use crate::base::bits::LeafSet;
use crate::base::taxonomy::Key;
use crate::model::{FlowId, Model, SystemId, Table};

impl Judgement {
    /// The declared flows that carry an item which is of one of some categories: that started as such, or was
    /// such on the way.
    ///
    /// ```text
    /// holds(s, l), below(l, categories)           ⟹  of(s, l)
    /// of(s, l), derives(s, l, l')                 ⟹  of(s, l')
    /// carries(e: u→v, l), of(u, l)                ⟹  of(v, l), found(e)
    /// ```
    ///
    /// Whose items a flow carries is not distinguished here, so that of an `only_from` too much may follow, never too
    /// little.
    pub fn carrying(&self, model: &Model, categories: &[Key]) -> BTreeSet<FlowId> {
        let model = self.haunted().unwrap_or(model);
        let below = model.data.leaves(categories);
        let mut held: Table<SystemId, LeafSet> = model.systems.map(|system| system.originates.clone());
        let mut leaving: FxHashMap<SystemId, Vec<FlowId>> = FxHashMap::default();
        for id in model.systems.ids() {
            if let Some(assumed) = self.assumed().at(id) {
                held[id].extend(assumed.row());
            }
        }
        for (flow, carried) in self.carried().iter().filter(|(_, carried)| !carried.is_empty()) {
            held[model.flows[flow].to].extend(carried.row());
            leaving.entry(model.flows[flow].from).or_default().push(flow);
        }
        let mut of = held;
        let mut open: Vec<SystemId> = Vec::new();
        for id in model.systems.ids() {
            derive(model, id, &mut of[id]);
            of[id] = of[id].and(&below);
            if !of[id].is_empty() {
                open.push(id);
            }
        }
        let mut found = BTreeSet::new();
        while let Some(id) = open.pop() {
            derive(model, id, &mut of[id]);
            for &flow in leaving.get(&id).into_iter().flatten() {
                let crossing = self.carried()[flow].and(&of[id]);
                if crossing.is_empty() {
                    continue;
                }
                found.insert(model.declared_flow(flow));
                let to = model.flows[flow].to;
                if !crossing.is_subset(&of[to]) {
                    of[to].extend(crossing.row());
                    open.push(to);
                }
            }
        }
        found
    }
}

/// Adds what a system derives of leaves, and of that.
fn derive(model: &Model, system: SystemId, leaves: &mut LeafSet) {
    let derives = &model.systems[system].derives;
    while let Some((_, into)) =
        derives.iter().find(|(from, into)| from.intersects(leaves) && !into.is_subset(leaves))
    {
        leaves.extend(into.row());
    }
}
