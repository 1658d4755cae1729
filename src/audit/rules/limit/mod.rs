//! `limit`: what one place may hold at once.
//!
//! ```text
//! held at p: items that start there or walk there over flows not matched by `through`
//! together [c₁ … cₙ]: each cᵢ, or as many as `at_least`, has an item held
//! at p that is of it                                                     ⟹  (rule, p)
//! origins_at_most n: items of `data` at p come from more than n parties  ⟹  (rule, p)
//! ```

mod holding;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use self::holding::{Holding, Holdings, Search, covers};
use super::Idle;
use super::exempt::{Exempt, Exemption};
use crate::audit::analysis::{Analysis, Claimant, On, Relied, RuleRef, Starts, Violation, Witness};
use crate::base::bits::{self, LeafSet};
use crate::declare::policy::{Limit, Most};
use crate::flow::graph::{Edge, Origin};
use crate::flow::propagate::{
    BackwardSlice, Course, Deriving, Flooded, OriginClass, OriginFilter, Restoring, Rows, Slot, flood,
    reaching,
};
use crate::model::matching::Limited;
use crate::model::{FlowId, PartyId, SystemId, Table};

/// Walks over flows that are not exempt, marked once they are of the categories. Where an exemption may end, those of
/// exempt items have a plane of their own.
struct Counted<'c> {
    through: &'c Through,
    data: &'c LeafSet,
    /// The leaves that are of the category on arrival at a system.
    touching: Deriving,
    /// The same of what is exempt, where it is re-identified.
    restoring: Restoring,
}

/// How a rule exempts each flow.
struct Through {
    flows: Table<FlowId, Exemption>,
    /// Whether some flow exempts for what it does to the data, and some system re-identifies.
    restores: bool,
}

impl Through {
    fn new(analysis: &Analysis, rule: &Limit) -> Self {
        let model = analysis.model;
        let reidentifies = model.deriving.iter().any(|&system| model.systems[system].reidentifies());
        let mut exempt = Exempt::new(analysis.matching, analysis.graph.facts(), &rule.through);
        let each = model.flows.ids().map(|flow| match exempt.holds(flow) {
            Exemption::Transformed if !reidentifies => Exemption::Lasting,
            exemption => exemption,
        });
        let flows: Table<FlowId, Exemption> = each.collect();
        let restores = flows.values().any(|&exemption| exemption == Exemption::Transformed);
        Through { flows, restores }
    }

    /// A walk that brings something of some categories, with what is on it.
    fn witness(&self, analysis: &Analysis, walk: Vec<FlowId>, data: &LeafSet, marks: &LeafSet) -> Witness {
        let exempts: Vec<bool> =
            walk.iter().map(|&flow| self.flows[flow] == Exemption::Transformed).collect();
        analysis.witness_exempt(walk, data, Some(marks), |at, exempt| {
            exempt || exempts.get(at).copied().unwrap_or_default()
        })
    }
}

impl Counted<'_> {
    /// The leaves of a row with which items in a slot are of the category, and not exempt, as they arrive by a flow.
    fn hit(&self, flow: FlowId, end: SystemId, slot: Slot, row: &[u64]) -> LeafSet {
        match self.through.flows[flow] {
            Exemption::Lasting => LeafSet::from(vec![0; row.len()].as_slice()),
            Exemption::None if slot.plane == 0 => hit(&self.touching, end, slot, row),
            Exemption::None | Exemption::Transformed => self.restoring.with(end, slot.marked, row),
        }
    }

    /// The leaves of a row with which a flow exempts items in a slot, of the category as they arrive.
    fn exempts(&self, flow: FlowId, end: SystemId, slot: Slot, row: &[u64]) -> LeafSet {
        let exempts = match self.through.flows[flow] {
            Exemption::None => false,
            // Of what is exempt already nobody asks again, unless the exemption lasts longer.
            Exemption::Transformed => slot.plane == 0,
            Exemption::Lasting => true,
        };
        if exempts {
            hit(&self.touching, end, slot, row)
        } else {
            LeafSet::from(vec![0; row.len()].as_slice())
        }
    }
}

impl Course for Counted<'_> {
    fn planes(&self) -> usize {
        if self.through.restores { 2 } else { 1 }
    }

    fn restored(&self, _: usize) -> usize {
        0
    }

    fn marks(&self) -> Option<&LeafSet> {
        Some(self.data)
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        match self.through.flows[flow] {
            Exemption::None => Some(plane),
            Exemption::Transformed => Some(1),
            Exemption::Lasting => None,
        }
    }
}

/// Judges one `limit`, at some places only if they are named: the findings, the exemptions
/// used, and what matches nothing.
pub fn limited(
    analysis: &Analysis,
    rule_ref: RuleRef,
    rule: &Limit,
    only: Option<&FxHashSet<On>>,
) -> (Vec<Violation>, Vec<Relied>, Vec<Idle>) {
    let model = analysis.model;
    let mut places = places(analysis, rule);
    places.retain(|(on, _)| only.is_none_or(|only| only.contains(on)));
    let mut idle = Vec::new();
    if places.is_empty() {
        idle.push(Idle::Sink);
    }
    let (categories, at_most) = match &rule.most {
        Most::Together { of, .. } => {
            (of.iter().map(|k| model.data.leaves([&k.value])).collect::<Vec<_>>(), None)
        }
        Most::Origins { data, at_most } if data.is_empty() => {
            (vec![LeafSet::full(model.data.leaf_count())], Some(*at_most))
        }
        Most::Origins { data, at_most } => {
            (vec![model.data.leaves(data.iter().map(|k| &k.value))], Some(*at_most))
        }
    };
    // How many of the categories a place must hold.
    let least = match &rule.most {
        Most::Together { at_least, .. } => *at_least,
        Most::Origins { .. } => categories.len(),
    };
    let bare = |&(on, _): &(On, Vec<SystemId>)| Violation::bare(rule_ref, on, model.data.leaf_count());
    let mut place_of: Table<SystemId, Option<usize>> = model.systems.map(|_| None);
    for (at, (_, systems)) in places.iter().enumerate() {
        systems.iter().for_each(|&s| place_of[s] = Some(at));
    }
    let through = Through::new(analysis, rule);
    // Judged again, nobody asks by which walks.
    let whether = only.is_some() && at_most.is_none() && !analysis.by_party;
    if whether
        && least == categories.len()
        && at_once(analysis, &through, &categories, &place_of, places.len())
    {
        return (places.iter().map(bare).collect(), Vec::new(), Vec::new());
    }
    let mut relied: Vec<FlowId> = Vec::new();
    let asked: Vec<Asked> = categories
        .par_iter()
        .map(|data| Asked::new(analysis, &through, data, &place_of, only.is_none()))
        .collect();
    if only.is_none() {
        relied.par_extend(asked.par_iter().flat_map_iter(Asked::rely));
    }
    if whether {
        let surely: Vec<Vec<bool>> =
            asked.par_iter().map(|asked| asked.surely_holds(&place_of, places.len())).collect();
        let enough =
            |at: usize| surely.iter().filter(|surely| surely.get(at) == Some(&true)).count() >= least;
        if (0..places.len()).all(enough) {
            return (places.iter().map(bare).collect(), Vec::new(), Vec::new());
        }
    }
    // Only where something of enough categories can be at all, it is looked for. What need not be
    // asked of a place once one is missing is not.
    let mut lacking = vec![0; places.len()];
    for asked in &asked {
        let may = asked.may_hold(&place_of, places.len());
        for (lacking, may) in lacking.iter_mut().zip(&may) {
            *lacking += usize::from(!may);
        }
        let open = |at: usize| lacking.get(at).is_some_and(|lacking| categories.len() - lacking >= least);
        model.systems.ids().for_each(|system| place_of[system] = place_of[system].filter(|&at| open(at)));
    }
    let by_party = at_most.is_some() || analysis.by_party;
    let holdings: Vec<Vec<Option<Holding>>> =
        asked.par_iter().map(|asked| asked.holdings(&place_of, places.len(), by_party)).collect();
    for data in &categories {
        let held = model
            .systems
            .ids()
            .any(|s| crate::base::bits::intersects(analysis.held.leaves.row(s, 0), data.row()));
        if !held {
            idle.push(Idle::Data);
        }
    }
    idle.dedup();
    let mut violations = Vec::new();
    for (at, (on, _)) in places.iter().enumerate() {
        let held = holdings.iter().zip(&categories);
        let (here, held): (Vec<&Holding>, Vec<&LeafSet>) =
            held.filter_map(|(holdings, category)| Some((holdings.get(at)?.as_ref()?, category))).unzip();
        let broken = here.len() >= least
            && match at_most {
                None => true,
                Some(most) => here.iter().any(|h| h.walks.len() as u64 > most),
            };
        if !broken {
            continue;
        }
        let mut data = LeafSet::empty(model.data.leaf_count());
        let mut arrives_as = data.clone();
        let whose: BTreeSet<PartyId> =
            here.iter().flat_map(|holding| holding.walks.keys().copied()).collect();
        let mut walks: Vec<(Vec<FlowId>, &Holding)> = Vec::new();
        for holding in here {
            data.extend(holding.data.row());
            arrives_as.extend(holding.arrives_as.row());
            match at_most {
                None => {
                    walks.extend(holding.walks.values().min_by_key(|w| w.len()).map(|w| (w.clone(), holding)))
                }
                Some(_) => walks.extend(holding.walks.values().map(|w| (w.clone(), holding))),
            }
        }
        let witnesses: Vec<_> = walks
            .into_iter()
            .zip(held.into_iter().cycle())
            .map(|((walk, holding), marks)| through.witness(analysis, walk, &holding.data, marks))
            .collect();
        let mut agreements: Vec<_> =
            witnesses.iter().flat_map(|w| &w.walk).filter_map(|&f| model.flows[f].agreement).collect();
        agreements.sort_unstable();
        agreements.dedup();
        violations.push(Violation {
            rule: rule_ref,
            on: *on,
            severity: None,
            agreements,
            data,
            arrives_as,
            origins: by_party.then(|| whose.into_iter().collect()),
            witnesses,
            consequent: false,
            details: Vec::new(),
        });
    }
    relied.sort_unstable();
    relied.dedup();
    let relied = relied.into_iter().map(|flow| Relied {
        rule: crate::audit::analysis::ReliedRule::Rule(rule_ref),
        by: Claimant::Flow(flow),
        claim: super::forbid::claim(analysis, &rule.through, flow),
    });
    (violations, relied.collect(), idle)
}

/// Whether each place holds something of each category that is declared to start there, or that
/// one flow brings from where it starts.
fn at_once(
    analysis: &Analysis,
    through: &Through,
    categories: &[LeafSet],
    place_of: &Table<SystemId, Option<usize>>,
    places: usize,
) -> bool {
    let originates = |system: SystemId| &analysis.model.systems[system].originates;
    categories.iter().all(|data| {
        let touching = Deriving::new(analysis.model, data);
        let mut holds = vec![false; places];
        let mut mark = |system: SystemId, leaves: &dyn Fn() -> LeafSet| {
            if let Some(holds) = place_of[system].and_then(|at| holds.get_mut(at)).filter(|holds| !**holds) {
                *holds = leaves().intersects(touching.at(system));
            }
        };
        analysis.model.systems.ids().for_each(|system| mark(system, &|| originates(system).clone()));
        for (from, edge) in analysis.graph.all() {
            let passes =
                || analysis.graph.passes(edge.flow, Origin::Declared(analysis.model.origin(edge.flow)));
            if through.flows[edge.flow] == Exemption::None && edge.carries(originates(from).row()) && passes()
            {
                mark(edge.end, &|| originates(from).with(edge.leaves));
            }
        }
        holds.into_iter().all(|holds| holds)
    })
}

/// The places that a rule looks at, with their systems.
fn places(analysis: &Analysis, rule: &Limit) -> Vec<(On, Vec<SystemId>)> {
    let on = |place: Limited| match place {
        Limited::System(system) => On::System(system),
        Limited::Party(party) => On::Party(party),
    };
    let places = analysis.matching.limited_places(rule).into_iter();
    places.map(|(place, systems)| (on(place), systems)).collect()
}

/// One category of a limit, and where its items can get to at all.
struct Asked<'c> {
    analysis: &'c Analysis<'c>,
    course: Counted<'c>,
    /// What can get to a place, or to an exemption.
    slice: Rows,
    /// Where items get to, as if every flow let all pass, once that is asked.
    open: OnceLock<Flooded>,
}

impl<'c> Asked<'c> {
    fn new(
        analysis: &'c Analysis,
        through: &'c Through,
        data: &'c LeafSet,
        place_of: &Table<SystemId, Option<usize>>,
        exempt: bool,
    ) -> Self {
        let model = analysis.model;
        let restoring = if through.restores { Restoring::new(model, data) } else { Restoring::default() };
        let course = Counted { through, data, touching: Deriving::new(model, data), restoring };
        let ends = |(_, edge): &(SystemId, Edge)| {
            exempt && through.flows[edge.flow] != Exemption::None || place_of[edge.end].is_some()
        };
        let slice =
            reaching(analysis.graph, &course, analysis.graph.all().filter(ends), |edge, slot, row| {
                if place_of[edge.end].is_some() {
                    bits::or(row, course.hit(edge.flow, edge.end, slot, edge.leaves).row());
                }
                if exempt {
                    bits::or(row, course.exempts(edge.flow, edge.end, slot, edge.leaves).row());
                }
            });
        Asked { analysis, course, slice, open: OnceLock::new() }
    }

    /// Where items get to, as if every flow let all pass.
    fn open(&self) -> &Flooded {
        let candidates = Some(self.candidates(&self.slice));
        let everything = || everything(self.analysis);
        self.open.get_or_init(|| flood(self.analysis.graph, &self.course, |_| true, everything(), candidates))
    }

    fn candidates<'r>(&self, rows: &'r Rows) -> BackwardSlice<'r> {
        BackwardSlice::of(rows, self.course.planes())
    }

    /// The leaves, of those in a row, with which items in a slot are of the category, and not exempt, as they
    /// arrive by a flow.
    fn hit(&self, edge: Edge, slot: Slot, row: &[u64]) -> LeafSet {
        self.course.hit(edge.flow, edge.end, slot, edge.leaves).with(row)
    }

    /// The same of those that the flow exempts.
    fn exempts(&self, edge: Edge, slot: Slot, row: &[u64]) -> LeafSet {
        self.course.exempts(edge.flow, edge.end, slot, edge.leaves).with(row)
    }

    /// What is of the category where it starts.
    fn starting(&self, system: SystemId, leaves: &LeafSet) -> LeafSet {
        leaves.and(self.course.touching.at(system))
    }

    /// The places at which something of the category may be.
    fn may_hold(&self, place_of: &Table<SystemId, Option<usize>>, places: usize) -> Vec<bool> {
        let mut may = vec![false; places];
        self.mark(place_of, &mut may, OriginFilter::Anybody, self.open(), everything(self.analysis));
        may
    }

    /// Places at which something of the category is: of parties that are alike, or assumed.
    fn surely_holds(&self, place_of: &Table<SystemId, Option<usize>>, places: usize) -> Vec<bool> {
        let (analysis, graph) = (self.analysis, self.analysis.graph);
        let mut surely = vec![false; places];
        let candidates = Some(self.candidates(&self.slice));
        let alike = OriginClass::new(graph, graph.flows());
        let many = analysis.classes(&alike, false).remove(&None).unwrap_or_default();
        let assumed: Starts = analysis.assumed.origins().collect();
        for (passing, starts) in [(OriginFilter::Many(&alike), many), (OriginFilter::Anybody, assumed)] {
            let passes = |flow| passing.passes(graph, flow);
            let held = flood(graph, &self.course, passes, starts.iter().copied(), candidates);
            self.mark(place_of, &mut surely, passing, &held, starts.into_iter());
        }
        surely
    }

    /// Marks the places at which something of the category starts, or gets to.
    fn mark<'s>(
        &self,
        place_of: &Table<SystemId, Option<usize>>,
        places: &mut [bool],
        passing: OriginFilter,
        held: &Flooded,
        starts: impl Iterator<Item = (SystemId, &'s LeafSet)>,
    ) {
        let graph = self.analysis.graph;
        let mut mark = |system: SystemId, leaves: LeafSet| {
            if let Some(place) = place_of[system].and_then(|at| places.get_mut(at)) {
                *place |= !leaves.is_empty();
            }
        };
        starts.for_each(|(system, leaves)| mark(system, self.starting(system, leaves)));
        held.crossings(
            graph,
            &self.course,
            |flow| passing.passes(graph, flow),
            |edge, slot, here| {
                if place_of[edge.end].is_some() {
                    mark(edge.end, self.hit(edge, slot, here));
                }
            },
        );
    }

    /// The flows that can bring something to a place or an exemption.
    fn carrying(&self) -> Vec<FlowId> {
        let slice = self.candidates(&self.slice);
        let mut carrying = Vec::new();
        self.open().crossings(
            self.analysis.graph,
            &self.course,
            |_| true,
            |edge, slot, here| {
                if carrying.last() == Some(&edge.flow) {
                    return;
                }
                let crossing = LeafSet::from(edge.leaves).with(here);
                let next = self.course.next(edge.flow, slot.plane).map(|plane| Slot { plane, ..slot });
                let on = next.is_some_and(|next| slice.meet(edge.end, next, crossing.row()));
                if on || !self.hit(edge, slot, here).is_empty() || !self.exempts(edge, slot, here).is_empty()
                {
                    carrying.push(edge.flow);
                }
            },
        );
        carrying
    }

    /// The exempt flows that something of the category would go on by.
    fn rely(&self) -> Vec<FlowId> {
        let mut relied = Vec::new();
        let (analysis, graph) = (self.analysis, self.analysis.graph);
        let used = |held: &Flooded, passing: OriginFilter, each: &mut dyn FnMut(FlowId)| {
            held.crossings(
                graph,
                &self.course,
                |flow| passing.passes(graph, flow),
                |edge, slot, here| {
                    if !self.exempts(edge, slot, here).is_empty() {
                        each(edge.flow);
                    }
                },
            );
        };
        let mut left: FxHashSet<FlowId> = FxHashSet::default();
        used(self.open(), OriginFilter::Anybody, &mut |flow| {
            left.insert(flow);
        });
        let alike = OriginClass::new(graph, &self.carrying());
        let mut slice: Option<Rows> = None;
        for (origin, starts) in analysis.classes(&alike, false) {
            if left.is_empty() {
                break;
            }
            let passing = origin.map_or(OriginFilter::Many(&alike), OriginFilter::One);
            let candidates = self.candidates(slice.as_ref().unwrap_or(&self.slice));
            let held =
                flood(graph, &self.course, |flow| passing.passes(graph, flow), starts, Some(candidates));
            used(&held, passing, &mut |flow| {
                if left.remove(&flow) {
                    relied.push(flow);
                }
            });
            slice.get_or_insert_with(|| self.backward_slice(left.iter().copied(), Self::exempts));
        }
        relied
    }

    /// What can get to some flows with leaves that `wanted` tells.
    fn backward_slice(
        &self,
        flows: impl IntoIterator<Item = FlowId>,
        wanted: impl Fn(&Self, Edge, Slot, &[u64]) -> LeafSet,
    ) -> Rows {
        let graph = self.analysis.graph;
        reaching(graph, &self.course, graph.some(flows), |edge, slot, row| {
            row.copy_from_slice(wanted(self, edge, slot, edge.leaves).row());
        })
    }

    /// What of the category is held at each place.
    fn holdings(&self, place_of: &Table<SystemId, Option<usize>>, places: usize, by_party: bool) -> Holdings {
        let analysis = self.analysis;
        let mut holdings: Holdings = vec![None; places];
        if place_of.values().all(Option::is_none) {
            return holdings;
        }
        let carrying = self.carrying();
        let arriving =
            carrying.iter().copied().filter(|&flow| place_of[analysis.model.flows[flow].to].is_some());
        let slice = self.backward_slice(arriving, Self::hit);
        let mut open: Vec<usize> = place_of.values().copied().flatten().collect();
        open.sort_unstable();
        open.dedup();
        let search = Search { asked: self, place_of, open: open.len(), slice: self.candidates(&slice) };
        if by_party {
            for (origin, starts) in analysis.origins {
                search.hold(OriginFilter::One(*origin), starts, &mut holdings);
            }
            return holdings;
        }
        let alike = OriginClass::new(analysis.graph, &carrying);
        let mut classes = analysis.classes(&alike, false);
        if let Some(starts) = classes.remove(&None) {
            search.hold(OriginFilter::Many(&alike), &starts, &mut holdings);
        }
        // What is assumed to start somewhere passes everywhere.
        let assumed: Starts = analysis.assumed.origins().collect();
        search.hold(OriginFilter::Anybody, &assumed, &mut holdings);
        classes.retain(|origin, _| matches!(origin, Some(Origin::Declared(_))));
        if classes.is_empty() {
            return holdings;
        }
        // What the others could add at most: most often nothing.
        let mut most: Holdings = vec![None; places];
        search.hold(OriginFilter::Anybody, &classes.values().flatten().copied().collect(), &mut most);
        let settled = |holdings: &Holdings| holdings.iter().zip(&most).all(|(has, most)| covers(has, most));
        for (origin, starts) in classes {
            if settled(&holdings) {
                break;
            }
            if let Some(origin) = origin {
                search.hold(OriginFilter::One(origin), &starts, &mut holdings);
            }
        }
        holdings
    }
}

/// The leaves of a row with which items in a slot are of a category as they arrive at a system.
fn hit(touching: &Deriving, system: SystemId, slot: Slot, row: &[u64]) -> LeafSet {
    if slot.marked { LeafSet::from(row) } else { touching.at(system).with(row) }
}

/// Whatever starts anywhere.
fn everything<'j>(analysis: &'j Analysis) -> impl Iterator<Item = (SystemId, &'j LeafSet)> {
    analysis.origins.iter().flat_map(|(_, starts)| starts.iter().copied())
}
