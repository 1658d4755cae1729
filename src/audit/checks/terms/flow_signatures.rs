//! What the checks of terms look at of a flow, but for whom just it leads to: flows that are alike
//! in that break the same terms, and are looked at once.

use rustc_hash::FxHashMap;

use crate::audit::analysis::Analysis;
use crate::base::duration::Duration;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Transform;
use crate::model::{FlowId, SystemId, Table};

/// The number of its purposes, and of the receiver's; retention; the number of its safeguards;
/// whether another party receives it, whether it is the processor's, and what is done to the data.
type Look = (u32, u32, Option<Duration>, u32, (bool, bool, Transform));

/// For each flow a number that all have which are alike.
pub struct FlowSignatures {
    kinds: Table<FlowId, u32>,
}

impl FlowSignatures {
    /// By purposes, the receiving system's too, retention and safeguards, and whether another party
    /// receives it.
    pub fn new(analysis: &Analysis) -> Self {
        let model = analysis.model;
        let mut lists: FxHashMap<&[Key], u32> = FxHashMap::default();
        let of_receiver = model.systems.values().map(|system| {
            let next = lists.len() as u32;
            *lists.entry(&system.purposes).or_insert(next)
        });
        let of_receiver: Table<SystemId, u32> = of_receiver.collect();
        let mut safeguards: FxHashMap<&[String], u32> = FxHashMap::default();
        let mut kinds: FxHashMap<Look, u32> = FxHashMap::default();
        let kind = |id: FlowId| {
            let flow = &model.flows[id];
            let next = safeguards.len() as u32;
            let safeguards = *safeguards.entry(&flow.declared.safeguards).or_insert(next);
            let onward =
                (analysis.graph.crosses(id), analysis.graph.by_processor(id), analysis.graph.transform(id));
            let looks =
                (analysis.graph.purposes(id), of_receiver[flow.to], flow.retention, safeguards, onward);
            let next = kinds.len() as u32;
            *kinds.entry(looks).or_insert(next)
        };
        FlowSignatures { kinds: model.flows.ids().map(kind).collect() }
    }

    /// The number of a flow's kind.
    pub fn kind(&self, flow: FlowId) -> u32 {
        self.kinds[flow]
    }
}
