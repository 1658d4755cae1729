//! Terms are sticky: what is under an agreement, and which of its terms break.
//!
//! ```text
//! e₀ of A leaves party P, carries i, does not bring it home   ⟹  i is under (A, terms of e₀, P) as e₀ carries it
//! i is under t, e carries i and does not bring it home,
//! e's transform is not in t.released_by                       ⟹  e is checked against t
//! e brings i home, or e's transform is in t.released_by       ⟹  i is no longer under t after e
//! ```
//!
//! Home is a system in the group of P, of the origin's party or, if A is of processing, of a
//! provider; where all parties of A are of one group, what these parties themselves run.

mod candidates;
mod flow_signatures;
mod search;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use self::candidates::{Asked, Goals, Relying};
use self::flow_signatures::FlowSignatures;
use self::search::{Noted, Region, Search};
use super::check;
use crate::audit::analysis::{
    Analysis, Claimant, On, Relied, ReliedRule, RuleRef, Shortest, Starts, Violation, Witness, keep_shortest,
};
use crate::base::bits::{self, LeafSet};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{BuiltIn, Kind, Onward, Transform, Word};
use crate::declare::inventory::Terms;
use crate::flow::graph::{Graph, Origin};
use crate::flow::propagate::{BackwardSlice, Course, OriginClass, OriginFilter, Seed, flood, forward};
use crate::model::{AgreementId, FlowId, Model, OnwardTo, PartyId, SystemId};

/// How many agreements a finding shows a walk for.
const WITNESSES: usize = 20;
/// Above so many different terms and senders in one agreement, its findings are not
/// folded: a walk may be under any number of them at once.
const FOLDED: usize = 6;

/// The terms that some flows of an agreement put data under.
#[derive(Debug)]
pub struct Under<'m> {
    /// The agreement.
    pub agreement: AgreementId,
    /// The terms.
    pub terms: &'m Terms,
    /// To whom data may be passed on.
    pub onward: Onward,
    /// To whom besides.
    pub onward_to: &'m [OnwardTo],
    /// The purposes permitted, stated or implied.
    pub permitted: Option<Vec<Key>>,
    /// Whether all parties are of one group, so that home is what parties run, not their groups.
    pub within: bool,
    /// Where the terms end, whosever the data: at who shares, and at providers.
    homes: Vec<Home>,
    /// The flows.
    flows: FxHashSet<FlowId>,
    /// The transforms that end the terms, a bit each.
    releasing: u8,
}

impl Under<'_> {
    /// Whether a flow brings data home to who shared it, or to a provider.
    fn home(&self, analysis: &Analysis, flow: FlowId) -> bool {
        Home::entered(analysis, flow).iter().any(|home| self.homes.contains(home))
    }

    /// Whether a flow brings data home that originates at a party.
    fn is_origin(&self, analysis: &Analysis, flow: FlowId, origin: PartyId) -> bool {
        Home::entered(analysis, flow).contains(&Home::new(analysis.model, origin, self.within))
    }

    /// Whether a flow's transform ends the terms.
    pub fn releases(&self, analysis: &Analysis, flow: FlowId) -> bool {
        self.releasing & bit(analysis.graph.transform(flow)) != 0
    }

    /// Whether a flow's transform ends the terms for good: nothing that it carries is re-identified any more.
    pub fn ends(&self, analysis: &Analysis, flow: FlowId) -> bool {
        self.releases(analysis, flow) && !analysis.restorable.after(analysis.graph, flow)
    }

    /// Whether a flow puts data under them.
    fn owns(&self, flow: FlowId) -> bool {
        self.flows.contains(&flow)
    }
}

fn bit(transform: Transform) -> u8 {
    1 << transform as u8
}

/// Where terms end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Home {
    /// At a group of parties.
    Group(PartyId),
    /// At a party.
    Party(PartyId),
}

impl Home {
    /// At a party's group, or if all are of one group, at the party.
    fn new(model: &Model, party: PartyId, within: bool) -> Self {
        if within { Home::Party(party) } else { Home::Group(model.parties[party].group) }
    }

    /// All that a system is in.
    fn of(analysis: &Analysis, system: SystemId) -> [Home; 2] {
        [Home::Group(analysis.graph.group(system)), Home::Party(analysis.graph.party(system))]
    }

    /// All that a flow leads to.
    fn entered(analysis: &Analysis, flow: FlowId) -> [Home; 2] {
        [Home::Group(analysis.graph.entered(flow)), Home::Party(analysis.graph.receiver(flow))]
    }
}

/// Walks of items that may come under terms; a plane's bits say under which. If what a transform released may be
/// re-identified, further bits say under which it then is again.
struct Sticky<'j> {
    analysis: &'j Analysis<'j>,
    under: &'j [Under<'j>],
    /// Whose items walk, if that matters.
    origin: Option<PartyId>,
    /// Whether what was released may be re-identified.
    restores: bool,
}

impl<'j> Sticky<'j> {
    /// Walks over some flows.
    fn new(graph: &Graph, analysis: &'j Analysis, under: &'j [Under<'j>], origin: Option<PartyId>) -> Self {
        let lasts = |flow: &FlowId| {
            under.iter().all(|one| one.releases(analysis, *flow) == one.ends(analysis, *flow))
        };
        let restores = !analysis.restorable.is_empty() && !graph.flows().iter().all(lasts);
        Sticky { analysis, under, origin, restores }
    }

    /// For which terms a flow brings items home, a bit each.
    fn homeward(&self, flow: FlowId) -> usize {
        let entered = Home::entered(self.analysis, flow);
        let home = |one: &Under| {
            let of_origin = |origin| entered.contains(&Home::new(self.analysis.model, origin, one.within));
            one.homes.iter().any(|home| entered.contains(home)) || self.origin.is_some_and(of_origin)
        };
        self.under.iter().enumerate().map(|(at, one)| usize::from(home(one)) << at).sum()
    }

    /// Under which terms a flow carries items that were in a plane before.
    fn while_crossing(&self, flow: FlowId, plane: usize) -> usize {
        let owns = |(at, under): (usize, &Under)| usize::from(under.owns(flow)) << at;
        let owned: usize = self.under.iter().enumerate().map(owns).sum();
        let plane = plane & self.all();
        match plane | owned {
            0 => 0,
            under => under & !self.homeward(flow),
        }
    }
}

impl Sticky<'_> {
    /// The bits of all terms.
    fn all(&self) -> usize {
        (1 << self.under.len()) - 1
    }
}

impl Course for Sticky<'_> {
    fn planes(&self) -> usize {
        1 << (self.under.len() * if self.restores { 2 } else { 1 })
    }

    fn restored(&self, plane: usize) -> usize {
        (plane | plane >> self.under.len()) & self.all()
    }

    fn next(&self, flow: FlowId, plane: usize) -> Option<usize> {
        let crossing = self.while_crossing(flow, plane);
        let releases = |(at, under): (usize, &Under)| usize::from(under.releases(self.analysis, flow)) << at;
        let releases: usize = self.under.iter().enumerate().map(releases).sum();
        let under = crossing & !releases;
        if !self.restores {
            return Some(under);
        }
        let before = match plane >> self.under.len() {
            0 => 0,
            before => before & !self.homeward(flow),
        };
        let released = (before | crossing & releases) & !under;
        Some(under | released << self.under.len())
    }
}

#[derive(Debug)]
struct Broken {
    data: LeafSet,
    arrives_as: LeafSet,
    /// Whose data, where that of each party is followed by itself.
    origins: BTreeSet<PartyId>,
    agreements: BTreeMap<AgreementId, Vec<FlowId>>,
    /// For every agreement so far, all its walks break the term earlier.
    consequent: bool,
}

type Findings = BTreeMap<(BuiltIn, FlowId), Broken>;
type Reliances = BTreeSet<(Noted, FlowId)>;

/// The findings of the checks that follow data under terms, and the claims that
/// kept something from being one.
pub fn broken_terms(analysis: &Analysis) -> (Vec<Violation>, Vec<Relied>) {
    let all: Vec<Vec<Under>> = analysis.model.agreements.ids().map(|a| under(analysis, a)).collect();
    let members: Vec<&Under> = all.iter().flatten().collect();
    let (findings, relied) = rayon::join(
        || {
            broken(
                analysis,
                &all,
                &candidates::breaking(analysis, &members, &Asked::All(FlowSignatures::new(analysis))),
                |_, _| true,
            )
        },
        || relied(analysis, &all, &candidates::relying(analysis, &members)),
    );
    let relied = relied.into_iter().map(|(what, flow)| relied_on(analysis, what, flow)).collect();
    (violations(analysis, findings), relied)
}

/// The terms of one agreement, and where each may be broken.
type One<'a> = (&'a [Under<'a>], &'a [Option<Arc<Goals>>]);

/// What is broken under the terms of all agreements, of what is wanted.
fn broken(
    analysis: &Analysis,
    all: &[Vec<Under>],
    goals: &[Option<Arc<Goals>>],
    wanted: impl Fn(BuiltIn, FlowId) -> bool + Sync,
) -> Findings {
    let mut left = goals;
    let mut agreements: Vec<One> = Vec::with_capacity(all.len());
    for under in all {
        let (own, others) = left.split_at_checked(under.len()).unwrap_or((left, &[]));
        agreements.push((under, own));
        left = others;
    }
    let each = |mut findings: Findings, (under, goals): &One| {
        break_terms(analysis, under, goals, &wanted, &mut findings);
        findings
    };
    let both = |mut one: Findings, other: Findings| {
        for (key, broken) in other {
            match one.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(broken);
                }
                Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    known.data.extend(broken.data.row());
                    known.arrives_as.extend(broken.arrives_as.row());
                    known.origins.extend(broken.origins);
                    known.agreements.extend(broken.agreements);
                    known.consequent &= broken.consequent;
                }
            }
        }
        one
    };
    agreements.par_iter().fold(Findings::new, each).reduce(Findings::new, both)
}

/// What keeps terms from being broken.
fn relied(analysis: &Analysis, all: &[Vec<Under>], relying: &Relying) -> Reliances {
    let released = relying.released.iter().map(|&flow| (Noted::Released, flow));
    let allowed = relying.allowed.iter().map(|&flow| (Noted::OnwardTo, flow));
    let permitted = relying.permitted.iter().map(|&flow| (Noted::Permitted, flow));
    let mut relied: Reliances = released.chain(allowed).chain(permitted).collect();
    for (one, goals) in all.iter().flatten().zip(&relying.alone) {
        if let Some(goals) = goals {
            rely_on_terms(analysis, one, goals, &mut relied);
        }
    }
    relied
}

/// Of some findings of those checks which there are.
///
/// With `among`, only under the terms of those agreements.
pub fn breaking_terms(
    analysis: &Analysis,
    wanted: &FxHashSet<(BuiltIn, FlowId)>,
    among: Option<&FxHashSet<AgreementId>>,
) -> Vec<Violation> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let agreements = analysis.model.agreements.ids();
    let agreements = agreements.filter(|agreement| among.is_none_or(|among| among.contains(agreement)));
    let all: Vec<Vec<Under>> = agreements.map(|agreement| under(analysis, agreement)).collect();
    let members: Vec<&Under> = all.iter().flatten().collect();
    let flows = wanted.iter().flat_map(|&(_, flow)| analysis.model.everywhere(flow));
    let flows: FxHashSet<FlowId> = flows.collect();
    let goals = candidates::breaking(analysis, &members, &Asked::Some(&flows));
    let wanted = |check, flow| wanted.contains(&(check, flow));
    violations(analysis, broken(analysis, &all, &goals, wanted))
}

fn violations(analysis: &Analysis, findings: Findings) -> Vec<Violation> {
    let violation = |((check, flow), found): ((BuiltIn, FlowId), Broken)| Violation {
        rule: RuleRef::Check(check),
        on: On::Flow(flow),
        severity: None,
        agreements: found.agreements.keys().copied().collect(),
        witnesses: found
            .agreements
            .into_iter()
            .take(WITNESSES)
            .map(|(agreement, walk)| witness(analysis, agreement, walk, &found.data))
            .collect(),
        data: found.data,
        arrives_as: found.arrives_as,
        origins: analysis.by_party.then(|| found.origins.into_iter().collect()),
        consequent: found.consequent,
        details: Vec::new(),
    };
    findings.into_iter().map(violation).collect()
}

/// A walk on which terms of an agreement are broken, with what is on it.
fn witness(analysis: &Analysis, agreement: AgreementId, walk: Vec<FlowId>, data: &LeafSet) -> Witness {
    let model = analysis.model;
    // By which flow the data came under the terms.
    let entered = walk.iter().rposition(|&flow| model.flows[flow].agreement == Some(agreement));
    let entered = entered.filter(|_| !analysis.restorable.is_empty());
    let Some((entered, &by)) = entered.and_then(|at| Some((at, walk.get(at)?))) else {
        return analysis.witness(walk, data, None);
    };
    let releasing = model.flows[by].terms.releasing();
    let released = walk.iter().map(|&flow| releasing.contains(&model.flows[flow].transform));
    let released: Vec<bool> = released.collect();
    let restored = analysis.witness_exempt(walk, data, None, |at, exempt| {
        at >= entered && (released.get(at).copied().unwrap_or_default() || at > entered && exempt)
    });
    if restored.leaves.iter().any(LeafSet::is_empty) {
        return analysis.witness(restored.walk, data, None);
    }
    restored
}

/// An agreement's flows that move data, by the terms that they put data under.
fn under<'m>(analysis: &'m Analysis, agreement: AgreementId) -> Vec<Under<'m>> {
    let model = analysis.model;
    let mut all: Vec<Under> = Vec::new();
    for &id in model.agreements[agreement].flows.iter().filter(|&&f| analysis.counting.moves(f)) {
        let flow = &model.flows[id];
        let (terms_of, within) = (&model.agreements[agreement], model.agreements[agreement].within_group);
        let mut homes = vec![Home::new(model, model.sender(id), within)];
        if terms_of.kind == Kind::Processing {
            homes.extend(terms_of.providers.iter().map(|&provider| Home::new(model, provider, within)));
        }
        homes.sort_unstable();
        homes.dedup();
        let same = |u: &&mut Under| {
            u.homes == homes
                && u.onward == flow.onward()
                && *u.onward_to == *flow.onward_to
                && u.terms.same(&flow.terms)
        };
        if let Some(known) = all.iter_mut().find(same) {
            known.flows.insert(id);
            continue;
        }
        all.push(Under {
            agreement,
            terms: &flow.terms,
            onward: flow.onward(),
            onward_to: &flow.onward_to,
            permitted: model.permitted(id),
            within,
            homes,
            flows: [id].into_iter().collect(),
            releasing: flow.terms.releasing().iter().fold(0, |all, &transform| all | bit(transform)),
        });
    }
    all
}

/// Where what starts at a system is under an agreement's terms, and as which leaves. With `candidates`, only as far as it
/// can get to some places.
pub fn held_under(
    analysis: &Analysis,
    agreement: AgreementId,
    origin: Origin,
    start: (SystemId, &LeafSet),
    candidates: Option<BackwardSlice>,
) -> BTreeMap<SystemId, LeafSet> {
    let (graph, model) = (analysis.graph, analysis.model);
    let mut held: BTreeMap<SystemId, LeafSet> = BTreeMap::new();
    for one in &under(analysis, agreement) {
        let course = Sticky::new(graph, analysis, std::slice::from_ref(one), Some(origin.party()));
        let flooded = flood(graph, &course, |flow| graph.passes(flow, origin), [start], candidates);
        for &system in flooded.systems.iter().filter(|&&system| !model.is_ghost(system)) {
            for plane in (0..course.planes()).filter(|plane| plane & course.all() != 0) {
                let row = flooded.rows.row(system, plane);
                if !bits::is_empty(row) {
                    held.entry(system).or_insert_with(|| LeafSet::empty(model.data.leaf_count())).extend(row);
                }
            }
        }
    }
    held
}

/// Follows what comes under the terms of one agreement, to where it breaks them.
fn break_terms(
    analysis: &Analysis,
    under: &[Under],
    goals: &[Option<Arc<Goals>>],
    wanted: impl Fn(BuiltIn, FlowId) -> bool,
    findings: &mut Findings,
) {
    let model = analysis.model;
    let mut searches = Vec::new();
    for (one, goals) in under.iter().zip(goals) {
        let Some(goals) = goals else { continue };
        let search = Search::new(
            analysis,
            one,
            goals,
            |what, flow| matches!(what, Noted::Breaks(check) if wanted(check, model.declared_flow(flow))),
        );
        let Some(region) = search.region() else { continue };
        searches.push((search, region));
    }
    let union;
    let whole = match searches.as_slice() {
        [] => return,
        [(_, one)] => one,
        several => {
            union = Region::union(model, several.iter().map(|(_, region)| region));
            &union
        }
    };
    let graph = &analysis.graph.only(&whole.carrying);
    let alike = OriginClass::new(graph, &whole.carrying);
    let classes = analysis.classes_at(&alike, whole.before.systems());
    let passing = |origin: Option<Origin>| origin.map_or(OriginFilter::Many(&alike), OriginFilter::One);
    let party = |origin: Option<Origin>| origin.map(Origin::party);
    // For each check the flows that break it, and the classes whose items do.
    let mut breaking: BTreeMap<BuiltIn, (FxHashSet<FlowId>, BTreeSet<Option<Origin>>)> = BTreeMap::new();
    let mut walks: Vec<((BuiltIn, FlowId), Vec<FlowId>)> = Vec::new();
    for (search, region) in &searches {
        for (&origin, starts) in &classes {
            let course = Sticky::new(graph, analysis, std::slice::from_ref(search.one), party(origin));
            let mut shortest: FxHashMap<(BuiltIn, FlowId), Shortest> = FxHashMap::default();
            let agreement = search.one.agreement;
            let followed = search.follow(
                graph,
                &course,
                region,
                (passing(origin), starts),
                |what, began, crossing, hit| {
                    let Noted::Breaks(check) = what else { return };
                    let key = (check, model.declared_flow(crossing.flow));
                    keep_shortest(&mut shortest, key, Shortest::new(model, crossing, hit.row()));
                    let none = || LeafSet::empty(model.data.leaf_count());
                    let found = findings.entry(key).or_insert_with(|| Broken {
                        data: none(),
                        arrives_as: none(),
                        origins: BTreeSet::new(),
                        agreements: BTreeMap::new(),
                        consequent: true,
                    });
                    began.note(&hit, &mut found.data);
                    found.arrives_as.extend(hit.row());
                    found.origins.extend(origin.map(Origin::party));
                    found.agreements.entry(agreement).or_default();
                    let (flows, from) = breaking.entry(check).or_default();
                    flows.insert(key.1);
                    from.insert(origin);
                },
            );
            let Some(mut followed) = followed else {
                continue;
            };
            for (key, shortest) in &shortest {
                if let Some(found) = findings.get_mut(key) {
                    let walk = followed.walk(shortest);
                    walks.push((*key, walk.clone()));
                    let shown = found.agreements.len() <= WITNESSES;
                    if let Some(known) = found.agreements.get_mut(&agreement)
                        && (known.is_empty() && shown || walk.len() < known.len())
                    {
                        *known = walk;
                    }
                }
            }
        }
    }
    for (check, (flows, from)) in breaking {
        // A walk on which nothing else breaks the check shows that it breaks there first.
        let clean = |(key, walk): &&((BuiltIn, FlowId), Vec<FlowId>)| {
            let mut before = walk.iter().rev().skip(1).map(|&flow| model.declared_flow(flow));
            key.0 == check && before.all(|flow| !flows.contains(&flow))
        };
        let mut first: FxHashSet<FlowId> = walks.iter().filter(clean).map(|((_, flow), _)| *flow).collect();
        let first = if under.len() > FOLDED {
            flows.clone()
        } else if first.len() == flows.len() {
            first
        } else {
            for (&origin, starts) in classes.iter().filter(|(origin, _)| from.contains(origin)) {
                let course = Sticky::new(graph, analysis, under, party(origin));
                first_breaking(graph, &course, check, whole, (passing(origin), starts), &mut first);
            }
            first
        };
        for flow in flows {
            if let Some(found) = findings.get_mut(&(check, flow)) {
                found.consequent &= !first.contains(&flow);
            }
        }
    }
}

/// Follows what comes under one set of terms, to where that relies on a claim.
fn rely_on_terms(analysis: &Analysis, one: &Under, goals: &Goals, relied: &mut Reliances) {
    let new = {
        let search = Search::new(analysis, one, goals, |what, flow| {
            !matches!(what, Noted::Breaks(_)) && !relied.contains(&(what, flow))
        });
        let Some(region) = search.region() else {
            return;
        };
        let graph = &analysis.graph.only(&region.carrying);
        let alike = OriginClass::new(graph, &region.carrying);
        let mut new = Vec::new();
        for (origin, starts) in analysis.classes_at(&alike, region.before.systems()) {
            let party = origin.map(Origin::party);
            let course = Sticky::new(graph, analysis, std::slice::from_ref(one), party);
            let passing = origin.map_or(OriginFilter::Many(&alike), OriginFilter::One);
            search.follow(graph, &course, &region, (passing, &starts), |what, _, crossing, _| {
                new.push((what, crossing.flow));
            });
        }
        new
    };
    relied.extend(new);
}

/// The claim by which a flow kept something from breaking terms.
fn relied_on(analysis: &Analysis, what: Noted, flow: FlowId) -> Relied {
    let model = analysis.model;
    let (rule, claim) = match what {
        Noted::Released => {
            ("terms/released_by", format!("transform: {}", model.flows[flow].transform.word()))
        }
        Noted::Permitted => ("terms/onward", format!("onward_transfer: {}", Onward::Permitted.word())),
        Noted::OnwardTo | Noted::Breaks(_) => {
            ("terms/onward", format!("onward_to: {}", model.parties[model.receiver(flow)].id()))
        }
    };
    Relied { rule: ReliedRule::BuiltIn(rule), by: Claimant::Flow(flow), claim }
}

/// Adds the flows at which some walk from origins that are alike breaks a check for the
/// first time.
fn first_breaking(
    graph: &Graph,
    course: &Sticky,
    id: BuiltIn,
    region: &Region,
    (passing, starts): (OriginFilter, &Starts),
    first: &mut FxHashSet<FlowId>,
) {
    let check = check(id);
    let analysis = course.analysis;
    let mut broken: FxHashMap<(usize, FlowId), Option<LeafSet>> = FxHashMap::default();
    let seeds: Vec<Seed> = starts
        .iter()
        .flat_map(|&(system, leaves)| {
            let before = LeafSet::from(region.before.row(system, 0));
            let slice: Vec<usize> = leaves.and(&before).iter().collect();
            slice.into_iter().map(move |leaf| Seed { system, stack: 0, leaf })
        })
        .collect();
    forward(graph, course, passing, &seeds, Some(region.candidates()), |crossing| {
        let active = course.while_crossing(crossing.flow, crossing.slot.plane);
        for (at, one) in course.under.iter().enumerate().filter(|(at, _)| active >> at & 1 == 1) {
            let leaves = broken
                .entry((at, crossing.flow))
                .or_insert_with(|| check.breaks(analysis, one, crossing.flow));
            if let Some(leaves) = leaves
                && bits::intersects(crossing.leaves, leaves.row())
            {
                first.insert(analysis.model.declared_flow(crossing.flow));
                crossing.leaves.iter_mut().zip(leaves.row()).for_each(|(c, l)| *c &= !l);
            }
        }
    });
}
