//! One set of terms at a time: where what is under it must be to get to something that is
//! noted, and following it there.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::candidates::{Goals, Onwards};
use super::{Sticky, Under};
use crate::audit::analysis::{Analysis, Began, Followed, Starts};
use crate::audit::checks::{self, How, onward};
use crate::base::bits::{self, LeafSet};
use crate::base::vocabulary::{BuiltIn, Transform};
use crate::flow::graph::{Edge, Graph};
use crate::flow::propagate::{BackwardSlice, Course, Crossing, OriginFilter, Rows, flood, reaching};
use crate::model::{FlowId, Model, SystemId};

/// What is noted where a flow carries data under terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Noted {
    Breaks(BuiltIn),
    Released,
    OnwardTo,
    Permitted,
}

/// What is noted where a flow carries what is under terms, of what is wanted, with the leaves
/// concerned.
fn noted(
    analysis: &Analysis,
    under: &Under,
    flow: FlowId,
    wanted: impl Fn(Noted) -> bool,
) -> Vec<(Noted, LeafSet)> {
    let mut all = Vec::new();
    let mut note = |what: Noted, leaves: &dyn Fn() -> Option<LeafSet>| {
        if wanted(what) {
            all.extend(leaves().map(|leaves| (what, leaves)));
        }
    };
    for check in checks::all() {
        if let How::Under(_) = check.how {
            note(Noted::Breaks(check.id), &|| check.breaks(analysis, under, flow));
        }
    }
    let ends = || under.releases(analysis, flow) && analysis.graph.transform(flow) != Transform::None;
    note(Noted::Released, &|| ends().then(|| LeafSet::clone(&analysis.model.flows[flow].leaves)));
    note(Noted::OnwardTo, &|| onward::relies(analysis, under, flow));
    note(Noted::Permitted, &|| onward::permits(analysis, under, flow));
    all
}

/// What is noted of flows that have been looked at.
type Looked = RefCell<FxHashMap<FlowId, Rc<[(Noted, LeafSet)]>>>;

/// What is looked for of what is under one set of terms.
pub(super) struct Search<'u, F> {
    analysis: &'u Analysis<'u>,
    pub one: &'u Under<'u>,
    goals: &'u Goals,
    /// What of it.
    wanted: F,
    /// What has been looked up.
    noted: Looked,
}

impl<'u, F: Fn(Noted, FlowId) -> bool> Search<'u, F> {
    pub fn new(analysis: &'u Analysis, one: &'u Under, goals: &'u Goals, wanted: F) -> Self {
        Search { analysis, one, goals, wanted, noted: RefCell::default() }
    }

    /// Whether something may be noted of a flow.
    fn may(&self, flow: FlowId) -> bool {
        self.goals.flows.contains(&flow) || self.one.owns(flow)
    }

    /// What is noted of a flow.
    pub fn at(&self, flow: FlowId) -> Rc<[(Noted, LeafSet)]> {
        if !self.may(flow) {
            return Rc::new([]);
        }
        let look = || noted(self.analysis, self.one, flow, |what| (self.wanted)(what, flow)).into();
        Rc::clone(self.noted.borrow_mut().entry(flow).or_insert_with(look))
    }

    /// Where items must be to get to a goal; `None` if none can.
    pub fn region(&self) -> Option<Region> {
        let (analysis, model) = (self.analysis, self.analysis.model);
        let own: Vec<FlowId> =
            self.one.flows.iter().copied().filter(|&flow| !self.one.home(analysis, flow)).collect();
        if own.iter().chain(&self.goals.flows).all(|&flow| self.at(flow).is_empty()) {
            return None;
        }
        let entering = own.iter().filter(|&&flow| !self.one.ends(analysis, flow));
        let entering = entering.map(|&flow| (model.flows[flow].to, &analysis.held.carried[flow]));
        let slice = BackwardSlice::of(&self.goals.slice, 1);
        let onwards = Onwards { analysis, one: self.one };
        let after = flood(analysis.graph, &onwards, |_| true, entering, Some(slice)).rows;
        let hit = |flow: FlowId| {
            let f = &model.flows[flow];
            let here = after.row(f.from, 0);
            bits::intersects(here, f.leaves.row())
                && self.at(flow).iter().any(|(_, leaves)| bits::intersects(here, leaves.row()))
        };
        if !self.goals.flows.iter().any(|&flow| hit(flow)) && own.iter().all(|&flow| self.at(flow).is_empty())
        {
            return None;
        }
        let before =
            reaching(analysis.graph, &Before, analysis.graph.some(own.iter().copied()), |edge, _, row| {
                let flow = edge.flow;
                self.at(flow).iter().for_each(|(_, leaves)| {
                    bits::or(row, leaves.row());
                });
                if !self.one.ends(analysis, flow) {
                    bits::or(row, after.row(edge.end, 0));
                }
            });
        if own.iter().all(|&flow| bits::is_empty(before.row(model.flows[flow].from, 0))) {
            return None;
        }
        let mut systems: Vec<SystemId> = before.systems().iter().chain(after.systems()).copied().collect();
        systems.sort_unstable();
        systems.dedup();
        let here =
            |rows: &Rows, system: SystemId, edge: &Edge| bits::intersects(rows.row(system, 0), edge.leaves);
        let mut carrying = Vec::new();
        for system in systems {
            let matters = |edge: &Edge| {
                (here(&before, system, edge) || here(&after, system, edge))
                    && (here(&before, edge.end, edge) || here(&after, edge.end, edge) || self.may(edge.flow))
            };
            carrying.extend(analysis.graph.out(system).filter(matters).map(|edge| edge.flow));
        }
        let mut region = Region { before, after, carrying, turning: LeafSet::empty(model.data.leaf_count()) };
        region.turning = analysis.turning(region.candidates());
        Some(region)
    }

    /// Follows what comes under the terms from origins that are alike, and shows what
    /// is noted of it: what, where, of which origin leaf, as which leaves.
    pub fn follow<'g>(
        &self,
        graph: &'g Graph<'g>,
        course: &'g Sticky<'g>,
        region: &Region,
        (passing, starts): (OriginFilter<'g>, &Starts),
        mut show: impl FnMut(Noted, Began, &Crossing, LeafSet),
    ) -> Option<Followed<'g, Sticky<'g>>>
    where
        'u: 'g,
    {
        let slice = (region.candidates(), &region.turning);
        self.analysis.follow(graph, course, passing, starts, slice, |began, crossing| {
            if !self.may(crossing.flow) {
                return;
            }
            let noted = self.at(crossing.flow);
            if noted.is_empty() {
                return;
            }
            if course.while_crossing(crossing.flow, crossing.slot.plane) == 0 {
                return;
            }
            for (what, leaves) in noted.iter() {
                let hit = leaves.and(&LeafSet::from(&*crossing.leaves));
                if !hit.is_empty() {
                    show(*what, began, &crossing, hit);
                }
            }
        })
    }
}

/// Walks before anything comes under terms.
struct Before;

impl Course for Before {
    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// Where items must be to get to a goal: before they come under terms, and then; and the
/// flows that they cross.
#[derive(Debug)]
pub(super) struct Region {
    pub before: Rows,
    pub after: Rows,
    pub carrying: Vec<FlowId>,
    /// The leaves from which something is derived on the way.
    turning: LeafSet,
}

impl Region {
    pub fn candidates(&self) -> BackwardSlice<'_> {
        BackwardSlice { rows: &self.before, planes: 1, each: 1, later: Some(&self.after) }
    }

    /// All of some.
    pub fn union<'r>(model: &Model, regions: impl Iterator<Item = &'r Region>) -> Region {
        let mut all = Region {
            before: Rows::new(model, 1),
            after: Rows::new(model, 1),
            carrying: Vec::new(),
            turning: LeafSet::empty(model.data.leaf_count()),
        };
        for region in regions {
            all.turning.extend(region.turning.row());
            all.before.extend(&region.before);
            all.after.extend(&region.after);
            all.carrying.extend_from_slice(&region.carrying);
        }
        all
    }
}
