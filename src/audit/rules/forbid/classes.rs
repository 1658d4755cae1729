//! The sources of a rule, class by class of those that are alike.
//!
//! What can matter at all is found first, as if every `only_from` let all pass, at whatever
//! distance: by that, which parties are alike. Then where the items of each class get to.

use std::collections::BTreeMap;

use super::Source;
use super::prepared::{Items, Prepared, Reach, Sought};
use crate::base::bits::LeafSet;
use crate::flow::graph::{Edge, Graph, Origin};
use crate::flow::propagate::{BackwardSlice, Course, Flooded, ItemsOf, OriginClass, Slot, flood};
use crate::model::FlowId;

/// The ways on which items of any source can get to what is sought.
pub(super) struct Ways<'w> {
    rule: &'w Prepared<'w>,
    /// The flows that can matter.
    graph: Graph<'w>,
    alike: OriginClass,
    /// Those of them where something may be found.
    pub ends: Vec<FlowId>,
}

impl<'w> Ways<'w> {
    /// From some sources, on a course for all of them; `slice` is what can get to what is sought.
    pub fn new(any: Reach<'w>, sources: &[Source], sought: Sought, slice: BackwardSlice) -> Self {
        let rule = any.rule;
        let analysis = rule.analysis;
        let open = flood(analysis.graph, &any, |_| true, seeds(sources), Some(slice));
        let mut carrying: Vec<FlowId> = Vec::new();
        let mut ends: Vec<FlowId> = Vec::new();
        open.crossings(
            analysis.graph,
            &any,
            |_| true,
            |Edge { flow, end, leaves }, slot, here| {
                if ends.last() == Some(&flow) {
                    return;
                }
                let leaves = LeafSet::from(leaves).with(here);
                let found = any.finds(sought, flow, slot, leaves.row()).is_some();
                if found {
                    ends.push(flow);
                }
                let on = || any.after(flow, slot).any(|slot| slice.meet(end, slot, leaves.row()));
                if carrying.last() != Some(&flow) && (found || on()) {
                    carrying.push(flow);
                }
            },
        );
        let graph = analysis.graph.only(&carrying);
        let alike = OriginClass::new(&graph, &carrying);
        Ways { rule, graph, alike, ends }
    }

    /// Sources by whose items are followed together; `None`: those of many.
    pub fn classes<'s>(&self, sources: &[Source<'s>]) -> BTreeMap<Option<Origin>, Vec<Source<'s>>> {
        let mut classes: BTreeMap<Option<Origin>, Vec<Source>> = BTreeMap::new();
        for &source in sources {
            let many = matches!(source.0, Origin::Declared(party) if self.alike.has(&self.graph, party, self.rule.relation()));
            classes.entry((!many).then_some(source.0)).or_default().push(source);
        }
        classes
    }

    /// Follows a class; `None` if none of it can get to what is sought.
    pub fn class<'c>(
        &'c self,
        origin: Option<Origin>,
        sources: Vec<Source<'c>>,
        candidates: BackwardSlice<'c>,
    ) -> Option<Class<'c>> {
        let rule = self.rule;
        let leads = |&(_, system, leaves): &Source| {
            starts(rule, leaves).iter().any(|(slot, start)| candidates.meet(system, *slot, start.row()))
        };
        if !sources.iter().any(leads) {
            return None;
        }
        let whose = origin.map_or(ItemsOf::Many, ItemsOf::One);
        let (graph, alike) = (&self.graph, &self.alike);
        let course = Reach { rule, items: Items::Of(whose, alike) };
        let passes = |flow| alike.passes(graph, flow, whose);
        let held = flood(graph, &course, passes, seeds(&sources), Some(candidates));
        Some(Class { graph, course, whose, alike, held, ends: &self.ends })
    }
}

fn seeds<'s>(sources: &[Source<'s>]) -> impl Iterator<Item = (crate::model::SystemId, &'s LeafSet)> {
    sources.iter().map(|&(_, system, leaves)| (system, leaves))
}

/// The slots in which leaves start.
pub(super) fn starts(rule: &Prepared, leaves: &LeafSet) -> [(Slot, LeafSet); 2] {
    [
        (Slot { plane: 0, marked: false }, leaves.minus(rule.data())),
        (Slot { plane: 0, marked: true }, leaves.and(rule.data())),
    ]
}

/// A class of sources, and where their items get to.
pub(super) struct Class<'c> {
    /// The flows that can matter.
    pub graph: &'c Graph<'c>,
    pub course: Reach<'c>,
    whose: ItemsOf,
    pub alike: &'c OriginClass,
    /// What its items are, at each system.
    pub held: Flooded,
    /// The flows at which something may be found.
    ends: &'c [FlowId],
}

impl Class<'_> {
    /// Whether `only_from` lets its items pass.
    pub fn passes(&self, flow: FlowId) -> bool {
        self.alike.passes(self.graph, flow, self.whose)
    }

    /// Shows what is found where its items get to.
    pub fn found(&self, sought: Sought, mut each: impl FnMut(FlowId, Slot, LeafSet)) {
        let held = &self.held;
        let mut show = |edge: Edge, slot, here: &[u64]| {
            let crossing = LeafSet::from(edge.leaves).with(here);
            if let Some(hit) = self.course.finds(sought, edge.flow, slot, crossing.row()) {
                each(edge.flow, slot, hit);
            }
        };
        if held.systems.len() < self.ends.len() {
            held.crossings(self.graph, &self.course, |flow| self.passes(flow), show);
            return;
        }
        let slots: Vec<Slot> = Slot::all(&self.course).collect();
        for (from, edge) in self.graph.some(self.ends.iter().copied()).filter(|(_, e)| self.passes(e.flow)) {
            for &slot in &slots {
                let here = held.rows.at(from, slot, self.course.planes());
                if edge.carries(here) {
                    show(edge, slot, here);
                }
            }
        }
    }
}
