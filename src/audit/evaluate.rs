//! One judgement of one scope: everything that is broken and relied on.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::civil::Date;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::reidentified::Reidentifying;
use super::{Options, all_rules};
use crate::audit::analysis::{
    Analysis, Claimant, On, Relied, ReliedRule, RuleRef, Starts, Violation, Witness, origins,
};
use crate::audit::checks;
use crate::audit::promises::{self, Carried, Standing};
use crate::audit::rules::{self, Decided, Forbidden, Idle, WorkedOut};
use crate::base::bits::LeafSet;
use crate::base::stages::{Stage, Unit};
use crate::base::vocabulary::{BuiltIn, PolicyStatus};
use crate::declare::inventory::Statement;
use crate::declare::policy::Body;
use crate::flow::graph::{Acting, Facts, Graph, Origin};
use crate::flow::propagate::{Assumed, Held, Restorable, assume};
use crate::model::load::World;
use crate::model::matching::Matching;
use crate::model::{self, AgreementId, Counting, FlowId, Model, PartyId, Scope, SystemId, Table};

/// What is broken by the flows in scope, and what kept something from being broken: not yet in words.
#[derive(Debug)]
pub struct Judgement {
    /// Which flows counted.
    pub(crate) counting: Counting,
    /// What is broken.
    pub(crate) violations: Vec<Violation>,
    /// What kept something from being broken.
    pub(crate) relied: Vec<Relied>,
    /// What re-identifies transformed data.
    pub(crate) reidentifying: Reidentifying,
    /// Which parts of which rules match nothing.
    pub(crate) idle: Vec<(RuleRef, Idle)>,
    /// How each promise stands, in their order.
    pub(crate) standings: Vec<Standing>,
    /// Where data must come from that nobody declares.
    assumed: Assumed,
    /// What is known of all flows, counting or not.
    facts: Arc<Facts>,
    /// Who acts for whom.
    acting: Arc<Acting>,
    /// What each flow carries.
    carried: Table<FlowId, LeafSet>,
    /// What was worked out for rules, to judge them again.
    worked_out: FxHashMap<RuleRef, WorkedOut>,
    /// The world with its ghosts, if it has any.
    haunted: Option<Model>,
}

impl Judgement {
    /// Whether what is disposed has left ghosts.
    pub fn is_haunted(&self) -> bool {
        self.haunted.is_some()
    }

    /// What it comes to in terms of what is declared.
    fn declared(mut self, haunted: Option<Model>) -> Self {
        if let Some(model) = &haunted {
            let witnesses = self.violations.iter_mut().flat_map(|violation| &mut violation.witnesses);
            let open = self.standings.iter_mut().flat_map(|standing| &mut standing.open);
            let witnesses = witnesses.chain(open.filter_map(|open| open.witness.as_mut()));
            witnesses.for_each(|witness| witness.declare(model));
            self.relied.iter_mut().for_each(|relied| relied.by = relied.by.declared(model));
            self.relied.sort_unstable();
            self.relied.dedup();
        }
        Judgement { haunted, ..self }
    }

    /// The world with its ghosts, if it has any.
    pub(crate) fn haunted(&self) -> Option<&Model> {
        self.haunted.as_ref()
    }

    /// What each flow carries.
    pub(crate) fn carried(&self) -> &Table<FlowId, LeafSet> {
        &self.carried
    }

    /// Where data must come from that nobody declares.
    pub(crate) fn assumed(&self) -> &Assumed {
        &self.assumed
    }
}

/// For leaves put at systems, the full ids of the binding rules that they would break but for `from`.
fn break_without_from(
    (world, binding): (&World, &[PolicyStatus]),
    analysis: &Analysis,
    worked_out: &FxHashMap<RuleRef, WorkedOut>,
    put: &[(SystemId, LeafSet)],
) -> Vec<Vec<String>> {
    let mut rules = all_rules(world);
    rules.retain(|&(rule, _)| {
        let status = super::rule_facts(world, rule).status;
        status.is_none_or(|status| binding.contains(&status))
    });
    let breaking = rules.par_iter().filter_map(|&(rule, body)| match (body, worked_out.get(&rule)) {
        (Body::Forbid(forbid), Some(known)) => {
            Some((rule, rules::break_without_from(analysis, forbid, known, put)))
        }
        _ => None,
    });
    let mut broken = vec![Vec::new(); put.len()];
    for (rule, breaks) in breaking.collect::<Vec<_>>() {
        for (ids, _) in broken.iter_mut().zip(breaks).filter(|(_, breaks)| *breaks) {
            ids.push(super::rule_facts(world, rule).id);
        }
    }
    broken
}

/// Follows all data along the flows in scope and holds it against all checks, rules and promises.
pub fn evaluate(world: &World, options: &Options) -> Judgement {
    evaluate_within(world, options, usize::MAX)
}

/// As [`evaluate`]; once rules have found more than `most`, those that are left find nothing.
pub fn evaluate_within(world: &World, options: &Options, most: usize) -> Judgement {
    let (day, scope) = (options.day, &options.scope);
    let rules = all_rules(world);
    let following = options.stages.begin("following", rules.len() + 3);
    let haunted = haunted(&world.model, day, scope);
    let model = haunted.as_ref().unwrap_or(&world.model);
    let counting = Counting::new(model, day, scope);
    let facts = Arc::new(Facts::new(model));
    // What rules say of each flow is found beside what the flows carry.
    let ((declared, assumed, held), decided) = rayon::join(
        || followed(model, &counting, &facts),
        || decide(Matching::new(model, scope.as_of.unwrap_or(day)), &facts, &rules),
    );
    let graph = declared.carrying(&held.carried);
    drop(declared);
    let judgement = judged((model, day), (scope, &counting), (&graph, &assumed, &held), |analysis| {
        judge_all((world, &options.binding), (&rules, decided), analysis, &facts, (&following, most))
    });
    following.end(counting.iter().count(), Unit::Flows);
    judgement.declared(haunted)
}

/// A model with the ghosts of a scope, if there are any.
fn haunted(model: &Model, day: Date, scope: &Scope) -> Option<Model> {
    match model.with_ghosts(day, scope) {
        Cow::Owned(haunted) => Some(haunted),
        Cow::Borrowed(_) => None,
    }
}

/// What a rule says of each flow, if it does.
type Said = Option<Arc<Decided>>;

/// Holds everything against all checks and rules.
fn judge_all(
    (world, binding): (&World, &[PolicyStatus]),
    (rules, decided): (&[(RuleRef, &Body)], Vec<Said>),
    analysis: &Analysis,
    facts: &Arc<Facts>,
    (stage, most): (&Stage, usize),
) -> Judgement {
    let exempting = rules.iter().zip(&decided).filter_map(|((rule, body), decided)| match body {
        Body::Forbid(forbid) => Some((*rule, forbid, decided.as_ref()?)),
        Body::Limit(_) | Body::Require(_) => None,
    });
    let exempting: Vec<_> = exempting.collect();
    let found = AtomicUsize::new(0);
    let each = |(&(rule, body), decided): (&(RuleRef, &Body), &Said)| {
        if found.load(Ordering::Relaxed) > most {
            return Ruled::default();
        }
        let ruled = ruled(analysis, rule, body, Known { decided: decided.clone(), ..Known::default() });
        found.fetch_add(ruled.violations.len(), Ordering::Relaxed);
        ruled
    };
    let ((terms, offending), (exempted, ruled)): (_, (_, Vec<Ruled>)) = rayon::join(
        || (stage.after(checks::broken_terms(analysis)), checks::offending_flows(analysis)),
        || {
            // What takes longest undivided comes first.
            let exempted = || stage.after(rules::relied(analysis, &exempting));
            let ruled = || rules.par_iter().zip(&decided).map(|rule| stage.after(each(rule))).collect();
            rayon::join(exempted, ruled)
        },
    );
    let (mut violations, mut relied) = terms;
    violations.extend(offending);
    relied.extend(exempted);
    let mut idle = Vec::new();
    let mut standings = Vec::new();
    let mut worked_out = FxHashMap::default();
    for (&(rule, body), ruled) in rules.iter().zip(ruled) {
        if let RuleRef::Statement(_) = rule {
            standings.push(promises::standing(analysis, rule, body, &ruled.violations, &ruled.idle));
        }
        violations.extend(ruled.violations);
        relied.extend(ruled.relied);
        idle.extend(ruled.idle.into_iter().map(|part| (rule, part)));
        worked_out.extend(ruled.worked_out.map(|known| (rule, known)));
    }
    let would_break =
        |put: &[(SystemId, LeafSet)]| break_without_from((world, binding), analysis, &worked_out, put);
    violations.extend(stage.after(checks::unsourced(analysis, would_break)));
    relied.extend(built_in(analysis));
    let reidentifying = Reidentifying::new(analysis);
    relied.extend(reidentifying.relied());
    Judgement {
        violations,
        relied,
        idle,
        standings,
        counting: analysis.counting.clone(),
        assumed: analysis.assumed.clone(),
        facts: Arc::clone(facts),
        acting: Arc::clone(analysis.graph.acting()),
        carried: analysis.held.carried.clone(),
        worked_out,
        reidentifying,
        haunted: None,
    }
}

/// What rules say of each flow, of those that say something of each.
fn decide(matching: Matching, facts: &Facts, rules: &[(RuleRef, &Body)]) -> Vec<Said> {
    let decided = |(_, body): &(RuleRef, &Body)| match body {
        Body::Forbid(forbid) => Some(Arc::new(Decided::new(matching, facts, forbid))),
        Body::Limit(_) | Body::Require(_) => None,
    };
    rules.par_iter().map(decided).collect()
}

/// Where the data of each promise gets to, in their order.
pub fn reaches(world: &World, day: Date, scope: &Scope) -> Vec<Carried> {
    analysed(world, day, scope, |analysis| {
        let model = analysis.model;
        let reach = |statement: &Statement| {
            let mut carried = promises::reach(analysis, &statement.promise);
            carried.furthest.iter_mut().for_each(|witness| witness.declare(model));
            carried
        };
        model.statements.iter().map(reach).collect()
    })
}

/// Does something with all that is to be judged of a scope, of the world with its ghosts.
pub fn analysed<R>(world: &World, day: Date, scope: &Scope, work: impl FnOnce(&Analysis) -> R) -> R {
    let model = &*world.model.with_ghosts(day, scope);
    let counting = Counting::new(model, day, scope);
    let (declared, assumed, held) = followed(model, &counting, &Arc::new(Facts::new(model)));
    let graph = declared.carrying(&held.carried);
    judged((model, day), (scope, &counting), (&graph, &assumed, &held), work)
}

/// The graph of the flows that count, what must be assumed, and what everything holds.
fn followed<'m>(model: &'m Model, counting: &Counting, facts: &Arc<Facts>) -> (Graph<'m>, Assumed, Held) {
    let graph = Graph::of(model, counting, Arc::clone(facts));
    let (assumed, held) = assume(&graph, counting);
    (graph, assumed, held)
}

/// Does something with all that is to be judged of a scope.
fn judged<R>(
    (model, day): (&Model, Date),
    (scope, counting): (&Scope, &Counting),
    (graph, assumed, held): (&Graph, &Assumed, &Held),
    work: impl FnOnce(&Analysis) -> R,
) -> R {
    work(&Analysis {
        model,
        day,
        matching: Matching::new(model, scope.as_of.unwrap_or(day)),
        scope,
        counting,
        graph,
        assumed,
        held,
        restorable: &Restorable::new(graph),
        origins: &origins(model, assumed),
        by_party: false,
    })
}

/// What one rule or promise came to.
#[derive(Default)]
struct Ruled {
    /// What breaks it.
    violations: Vec<Violation>,
    /// What kept something from that.
    relied: Vec<Relied>,
    /// What of it matches nothing.
    idle: Vec<Idle>,
    worked_out: Option<WorkedOut>,
}

/// What is known of a rule or promise before it is judged.
#[derive(Default)]
struct Known<'k> {
    /// What is wanted, if not all.
    only: Option<&'k FxHashSet<On>>,
    /// What it says of each flow.
    decided: Said,
    /// What was worked out for it where more flows count.
    worked_out: Option<WorkedOut>,
}

/// Judges one rule or promise.
fn ruled(analysis: &Analysis, rule: RuleRef, body: &Body, known: Known) -> Ruled {
    let Known { only, decided, worked_out } = known;
    match body {
        Body::Forbid(forbid) => {
            let decide = || Arc::new(Decided::new(analysis.matching, analysis.graph.facts(), forbid));
            let (decided, known) = (&decided.unwrap_or_else(decide), worked_out.as_ref());
            let found = match only {
                Some(only) => {
                    let origins = &starting(analysis, only);
                    rules::forbidden(&Analysis { origins, ..*analysis }, rule, forbid, decided, known)
                }
                None => rules::forbidden(analysis, rule, forbid, decided, known),
            };
            let Forbidden { violations, idle, worked_out } = found;
            Ruled { violations, idle, worked_out, ..Ruled::default() }
        }
        Body::Limit(limit) => {
            let (violations, relied, idle) = rules::limited(analysis, rule, limit, only);
            Ruled { violations, relied, idle, worked_out: None }
        }
        Body::Require(require) => {
            let (violations, idle) = rules::required(analysis, rule, require);
            Ruled { violations, idle, ..Ruled::default() }
        }
    }
}

/// The origins whose data is found somewhere, as far as it starts at the systems concerned.
fn starting<'j>(analysis: &Analysis<'j>, only: &FxHashSet<On>) -> Vec<(Origin, Starts<'j>)> {
    let wanted: FxHashSet<SystemId> = only
        .iter()
        .filter_map(|on| match on {
            On::Pair(source, _) => Some(*source),
            _ => None,
        })
        .collect();
    let narrowed = analysis.origins.iter().map(|(origin, starts)| {
        let starts: Starts = starts.iter().copied().filter(|(system, _)| wanted.contains(system)).collect();
        (*origin, starts)
    });
    narrowed.filter(|(_, starts)| !starts.is_empty()).collect()
}

/// For each violation of a judgement whether it is not one in a narrower scope.
///
/// What a walk over flows that count there proves, from where data is declared to start,
/// holds there as well: fewer flows take nothing from it. Only for the others everything
/// that could break their rules is looked for again.
pub fn absent_in(world: &World, day: Date, scope: &Scope, judgement: &Judgement) -> Vec<bool> {
    let model = judgement.haunted.as_ref().unwrap_or(&world.model);
    let counting = Counting::new(model, day, scope);
    let declared = |system: SystemId| judgement.assumed.at(system).is_none();
    let assuming = model.systems.ids().filter(|&system| !declared(system));
    let assuming: FxHashSet<PartyId> = assuming.map(|system| model.systems[system].group).collect();
    let proves = |on: On, witness: &Witness| match (witness.walk.first(), on) {
        (Some(&first), _) => {
            declared(model.flows[first].from) && witness.walk.iter().all(|&flow| counting.moves(flow))
        }
        // It starts where it is found.
        (None, On::System(system) | On::Pair(system, _)) => declared(system),
        // In one of its systems, or in one of its group.
        (None, On::Party(party)) => !assuming.contains(&model.parties[party].group),
        (None, _) => false,
    };
    // A walk shows the same distances only where the same act for the same.
    let acting = judgement.acting.as_ref() == Acting::of(model, &judgement.facts, &counting).as_ref();
    let apart: FxHashSet<RuleRef> = match acting {
        true => FxHashSet::default(),
        false => all_rules(world)
            .into_iter()
            .filter(|(_, body)| asks_relation(body))
            .map(|(rule, _)| rule)
            .collect(),
    };
    let proven = |violation: &&Violation| match violation.rule {
        rule if apart.contains(&rule) => false,
        // One walk to the flow is enough.
        RuleRef::Check(_) => violation.witnesses.iter().any(|w| proves(violation.on, w)),
        _ => !violation.witnesses.is_empty() && violation.witnesses.iter().all(|w| proves(violation.on, w)),
    };
    let key = |violation: &Violation| (violation.rule, violation.on);
    let open: FxHashSet<(RuleRef, On)> =
        judgement.violations.iter().filter(|v| !proven(v)).map(key).collect();
    if open.is_empty() {
        return vec![false; judgement.violations.len()];
    }
    // A graph of what each flow carries would take longer to make than it saves.
    let (graph, assumed, held) = followed(model, &counting, &judgement.facts);
    let found: FxHashSet<(RuleRef, On)> =
        judged((model, day), (scope, &counting), (&graph, &assumed, &held), |analysis| {
            let of_checks = open.iter().filter_map(|&(rule, on)| match (rule, on) {
                (RuleRef::Check(check), On::Flow(flow)) => Some((check, flow)),
                _ => None,
            });
            let flows: FxHashSet<(BuiltIn, FlowId)> = of_checks.collect();
            // Without other assumed origins every walk was one where more flows count, too: under
            // no other agreements.
            let others = analysis
                .assumed
                .pairs
                .iter()
                .any(|pair| judgement.assumed.pairs.binary_search(pair).is_err());
            let mut among: FxHashSet<AgreementId> = FxHashSet::default();
            let checked = judgement.violations.iter().filter(|v| matches!(v.rule, RuleRef::Check(_)));
            checked.filter(|v| open.contains(&key(v))).for_each(|v| among.extend(&v.agreements));
            let mut found = checks::breaking_terms(analysis, &flows, Some(&among).filter(|_| !others));
            // Only whether there is a finding matters, not how severe it is.
            found.extend(checks::unsourced(analysis, |put| vec![Vec::new(); put.len()]));
            found.extend(checks::ended(analysis));
            found.extend(flows.iter().filter(|&&(check, flow)| checks::offends(analysis, check, flow)).map(
                |&(check, flow)| {
                    Violation::bare(RuleRef::Check(check), On::Flow(flow), analysis.model.data.leaf_count())
                },
            ));
            let mut wanted: FxHashMap<RuleRef, FxHashSet<On>> = FxHashMap::default();
            for &(rule, on) in &open {
                wanted.entry(rule).or_default().insert(on);
            }
            let rules = all_rules(world);
            // Where fewer flows count, data may have to be assumed where it came from others.
            let carries_more =
                |flow: &FlowId| !analysis.held.carried[*flow].is_subset(&judgement.carried[*flow]);
            let more: Vec<FlowId> = analysis.graph.flows().iter().copied().filter(carries_more).collect();
            let again = rules.par_iter().filter_map(|&(rule, body)| Some((rule, body, wanted.get(&rule)?)));
            found.par_extend(again.flat_map(|(rule, body, only)| {
                let worked_out = judgement.worked_out.get(&rule).map(|known| known.besides(analysis, &more));
                let decided = worked_out.as_ref().map(|known| Arc::clone(known.decided()));
                ruled(analysis, rule, body, Known { only: Some(only), decided, worked_out }).violations
            }));
            found.iter().map(key).collect()
        });
    let gone = |violation| open.contains(&key(violation)) && !found.contains(&key(violation));
    judgement.violations.iter().map(gone).collect()
}

/// The parties whose data some violations of a judgement are about, in their order, each followed by
/// itself. Of what is on a pair of systems or an assumed origin that is known without.
pub fn origins_of(
    world: &World,
    options: &Options,
    judgement: &Judgement,
    wanted: &FxHashSet<(RuleRef, On)>,
) -> FxHashMap<(RuleRef, On), Vec<PartyId>> {
    if wanted.is_empty() {
        return FxHashMap::default();
    }
    let (day, scope) = (options.day, &options.scope);
    let model = judgement.haunted.as_ref().unwrap_or(&world.model);
    let counting = &judgement.counting;
    let (declared, assumed, held) = followed(model, counting, &judgement.facts);
    let graph = declared.carrying(&held.carried);
    judged((model, day), (scope, counting), (&graph, &assumed, &held), |analysis| {
        let analysis = &Analysis { by_party: true, ..*analysis };
        let flows = wanted.iter().filter_map(|&(rule, on)| match (rule, on) {
            (RuleRef::Check(check), On::Flow(flow)) => Some((check, flow)),
            _ => None,
        });
        let flows: FxHashSet<(BuiltIn, FlowId)> = flows.collect();
        let mut found = checks::breaking_terms(analysis, &flows, None);
        if wanted.iter().any(|(rule, _)| matches!(rule, RuleRef::Check(_))) {
            found.extend(checks::offending_flows(analysis));
        }
        let mut places: FxHashMap<RuleRef, FxHashSet<On>> = FxHashMap::default();
        for &(rule, on) in wanted {
            places.entry(rule).or_default().insert(on);
        }
        let rules = all_rules(world);
        let limits = rules.par_iter().filter_map(|&(rule, body)| match body {
            Body::Limit(limit) => Some((rule, limit, places.get(&rule)?)),
            Body::Forbid(_) | Body::Require(_) => None,
        });
        found.par_extend(
            limits.flat_map(|(rule, limit, on)| rules::limited(analysis, rule, limit, Some(on)).0),
        );
        let known = found.into_iter().map(|violation| ((violation.rule, violation.on), violation.origins));
        known
            .filter_map(|(key, origins)| Some((key, origins?)))
            .filter(|(key, _)| wanted.contains(key))
            .collect()
    })
}

/// Whether a rule looks at relations.
fn asks_relation(body: &Body) -> bool {
    matches!(body, Body::Forbid(forbid) if Matching::asks_relation(&forbid.to))
}

/// `only_from` that left something out, `disposed` and ended retentions that kept a flow from
/// counting.
fn built_in(analysis: &Analysis) -> Vec<Relied> {
    let model = analysis.model;
    let only_from = analysis.held.left_out.iter().map(|&flow| {
        let names = model.flows[flow].only_from.iter().flatten().map(|&p| model.parties[p].id());
        Relied {
            rule: ReliedRule::BuiltIn("flow/only_from"),
            by: Claimant::Flow(flow),
            claim: format!("only_from: {}", names.collect::<Vec<_>>().join(", ")),
        }
    });
    let disposed = analysis.counting.disposed.iter().map(|&flow| {
        let gone = model::disposal(model, flow);
        let claim = gone.map(|gone| format!("disposed: {}, evidence: {}", gone.date, gone.evidence));
        Relied {
            rule: ReliedRule::BuiltIn("flow/disposed"),
            by: Claimant::Flow(flow),
            claim: claim.unwrap_or_default(),
        }
    });
    let expired = analysis.counting.expired.iter().map(|&flow| {
        let kept = model.flows[flow].retention.map(|kept| kept.to_string()).unwrap_or_default();
        let until = model::ends(model, flow).map(|day| day.to_string()).unwrap_or_default();
        let claim = format!("retention: {kept} after {until}");
        Relied { rule: ReliedRule::BuiltIn("flow/retention"), by: Claimant::Flow(flow), claim }
    });
    only_from.chain(disposed).chain(expired).collect()
}
