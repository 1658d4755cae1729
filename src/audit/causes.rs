//! Causes: the one declaration that each finding hangs on.
//!
//! ```text
//! a check of a flow                          ⟹  that flow
//! an assumed origin                          ⟹  the system that needs the data
//! data that arrives (`forbid`)               ⟹  the last flow of the shortest walk; without one: the system
//! a place that holds too much (`limit`)      ⟹  the system, party or group
//! a declaration (`require`, ended)           ⟹  that declaration
//! consequent                                 ⟹  as the first finding on its shortest walk that is not, of the
//!                                               same rule and source (terms: rule and agreement)
//! ```
//!
//! A promise has the cause that a rule of the same body would have. Nothing is followed again: a judgement's
//! walks say all of this.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::analysis::{On, RuleRef, Violation, Witness};
use crate::base::cause::{Cause, CauseTerm};
use crate::base::finding::{Finding, FindingKind, FindingStatus, promise_of_rule};
use crate::base::source::{Sources, Span};
use crate::base::vocabulary::{Basis, Severity};
use crate::declare::policy::{Body, LimitScope};
use crate::model::load::World;
use crate::model::{AgreementId, FlowId, Model, PartyId, SystemId};

/// A declaration that findings hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Declaration {
    Flow(FlowId),
    System(SystemId),
    Party(PartyId),
    /// By the topmost parent.
    Group(PartyId),
    Agreement(AgreementId),
}

impl Declaration {
    fn id(self, model: &Model) -> String {
        match self {
            Declaration::Flow(flow) => format!("flow:{}", model.flows[flow].name),
            Declaration::System(system) => format!("system:{}", model.systems[system].name),
            Declaration::Party(party) => format!("party:{}", model.parties[party].id()),
            Declaration::Group(party) => format!("group:{}", model.parties[party].id()),
            Declaration::Agreement(agreement) => format!("agreement:{}", model.agreements[agreement].id()),
        }
    }

    fn span(self, model: &Model) -> Span {
        match self {
            Declaration::Flow(flow) => model.flows[flow].span,
            Declaration::System(system) => model.systems[system].declared.id.span,
            Declaration::Party(party) | Declaration::Group(party) => model.parties[party].declared.id.span,
            Declaration::Agreement(agreement) => model.agreements[agreement].declared.id.span,
        }
    }

    fn assumed(self, model: &Model) -> bool {
        let meta = match self {
            Declaration::Flow(flow) => &model.flows[flow].declared.meta,
            Declaration::System(system) => &model.systems[system].declared.meta,
            Declaration::Party(party) | Declaration::Group(party) => &model.parties[party].declared.meta,
            Declaration::Agreement(agreement) => &model.agreements[agreement].declared.meta,
        };
        meta.basis == Some(Basis::Assumed)
    }
}

/// Gives each finding its cause, and lists the causes: the most severe first, then those by which the most rules
/// are broken, then those with the most findings.
pub fn causes(world: &World, sources: &Sources, findings: &mut [(Finding, &Violation)]) -> Vec<Cause> {
    let model = &world.model;
    let standing: FxHashMap<(RuleRef, On), &Violation> = findings
        .iter()
        .filter(|(_, violation)| !violation.consequent)
        .map(|(_, violation)| ((violation.rule, violation.on), *violation))
        .collect();
    let declarations: Vec<Declaration> =
        findings.par_iter().map(|(_, violation)| declaration(world, violation, &standing)).collect();
    let mut found: FxHashMap<Declaration, Collected> = FxHashMap::default();
    for ((finding, violation), at) in findings.iter().zip(&declarations) {
        found.entry(*at).or_default().add(finding, violation, model);
    }
    findings.par_iter_mut().zip(&declarations).for_each(|((finding, _), at)| finding.cause = at.id(model));
    let mut causes: Vec<Cause> =
        found.into_iter().filter_map(|(at, collected)| collected.cause(at, model, sources)).collect();
    let key = |cause: &Cause| {
        (cause.binding == 0, cause.severity, Reverse(cause.rules.len()), Reverse(cause.findings))
    };
    causes.par_sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id)));
    causes
}

/// What a violation hangs on. `standing` are those that do not follow from others.
fn declaration(
    world: &World,
    violation: &Violation,
    standing: &FxHashMap<(RuleRef, On), &Violation>,
) -> Declaration {
    let first = violation.consequent.then(|| first_on_walk(&world.model, violation, standing)).flatten();
    own(world, first.unwrap_or(violation))
}

/// What a violation that follows from no other hangs on.
fn own(world: &World, violation: &Violation) -> Declaration {
    match violation.on {
        On::Pair(source, _) => match shortest(violation).and_then(|(_, witness)| witness.walk.last()) {
            Some(&last) => Declaration::Flow(last),
            None => Declaration::System(source),
        },
        On::Flow(flow) => Declaration::Flow(flow),
        On::System(system) | On::Unsourced(system, _) => Declaration::System(system),
        On::Agreement(agreement) => Declaration::Agreement(agreement),
        On::Party(party) => match world.rule(violation.rule).map(|rule| rule.body()) {
            Some(Body::Limit(limit)) if limit.scope == LimitScope::Group => Declaration::Group(party),
            _ => Declaration::Party(party),
        },
    }
}

/// The shortest of its walks that have flows, and which of them that is.
fn shortest(violation: &Violation) -> Option<(usize, &Witness)> {
    let walks = violation.witnesses.iter().enumerate().filter(|(_, witness)| !witness.walk.is_empty());
    walks.min_by_key(|(_, witness)| witness.walk.len())
}

/// The first violation on the shortest walk of one that follows from others.
fn first_on_walk<'v>(
    model: &Model,
    violation: &Violation,
    standing: &FxHashMap<(RuleRef, On), &'v Violation>,
) -> Option<&'v Violation> {
    let (at, witness) = shortest(violation)?;
    let of_rule = |on: On| standing.get(&(violation.rule, on)).copied();
    match violation.on {
        On::Pair(source, _) => {
            // Only the start of an assumed origin is an arrival. Where a system declares the same data, too,
            // the walk may be that of either: then what it comes to later is taken first.
            let start = of_rule(On::Pair(source, source)).filter(|v| shortest(v).is_none());
            let assumed = |v: &&Violation| !v.data.is_subset(&model.systems[source].originates);
            let mut arrivals = witness.walk.iter().map(|&flow| On::Pair(source, model.flows[flow].to));
            start.filter(assumed).or_else(|| arrivals.find_map(of_rule)).or(start)
        }
        On::Flow(_) => {
            let agreement = violation.agreements.get(at);
            let mut flows = witness.walk.iter().filter_map(|&flow| of_rule(On::Flow(flow)));
            flows.find(|earlier| agreement.is_none_or(|wanted| earlier.agreements.contains(wanted)))
        }
        On::System(_) | On::Unsourced(..) | On::Party(_) | On::Agreement(_) => None,
    }
}

/// What hangs on one declaration.
#[derive(Default)]
struct Collected {
    worst: Option<Severity>,
    worst_binding: Option<Severity>,
    findings: usize,
    binding: usize,
    new: usize,
    in_force: usize,
    rules: BTreeSet<String>,
    terms: BTreeMap<String, BTreeSet<String>>,
    sources: BTreeSet<SystemId>,
}

impl Collected {
    fn add(&mut self, finding: &Finding, violation: &Violation, model: &Model) {
        // The more severe comes first.
        let worse = |known: Option<_>| Some(known.map_or(finding.severity, |k| finding.severity.min(k)));
        self.worst = worse(self.worst);
        self.findings += 1;
        if finding.binding {
            self.worst_binding = worse(self.worst_binding);
            self.binding += 1;
        }
        self.new += usize::from(finding.status == FindingStatus::New);
        self.in_force += usize::from(!finding.prospective);
        if !self.rules.contains(&finding.rule) {
            self.rules.insert(finding.rule.clone());
        }
        if finding.kind == FindingKind::Terms {
            let agreements = self.terms.entry(finding.rule.clone()).or_default();
            agreements.extend(finding.agreements.iter().cloned());
        }
        match violation.on {
            On::Pair(source, _) | On::Unsourced(source, _) => self.sources.extend([source]),
            On::System(_) | On::Party(_) | On::Agreement(_) | On::Flow(_) => {
                let starts = violation.witnesses.iter().filter_map(|witness| witness.walk.first());
                self.sources.extend(starts.map(|&first| model.flows[first].from));
            }
        }
    }

    fn cause(self, at: Declaration, model: &Model, sources: &Sources) -> Option<Cause> {
        let promises = self.rules.iter().filter_map(|rule| promise_of_rule(rule)).map(str::to_owned);
        let mut starts: Vec<String> =
            self.sources.iter().map(|&system| model.systems[system].name.clone()).collect();
        starts.sort_unstable();
        Some(Cause {
            id: at.id(model),
            severity: self.worst_binding.or(self.worst)?,
            findings: self.findings,
            binding: self.binding,
            new: self.new,
            promises: promises.collect(),
            terms: self
                .terms
                .into_iter()
                .map(|(rule, agreements)| CauseTerm { rule, agreements: agreements.into_iter().collect() })
                .collect(),
            rules: self.rules.into_iter().collect(),
            sources: starts,
            prospective: self.in_force == 0,
            assumed: at.assumed(model),
            location: sources.location(at.span(model)),
        })
    }
}
