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
//! Causes that differ only in the partner are one (`alike`). A promise has the cause that a rule of the same body would have. Nothing is followed again: a judgement's
//! walks say all of this.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::alike;
use super::analysis::{On, RuleRef, Violation, Witness};
use crate::base::cause::{Cause, CauseDeclaration, CauseTerm};
use crate::base::finding::{Finding, FindingKind, FindingStatus, promise_of_rule};
use crate::base::source::{Sources, Span};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Basis, Severity, Transform};
use crate::declare::inventory::Meta;
use crate::declare::policy::{Body, LimitScope};
use crate::model::load::World;
use crate::model::{AgreementId, FlowId, Model, PartyId, SystemId, ends};

/// What a flow declares that carries whatever the sender holds.
const HELD: &str = "held";

/// A declaration that findings hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Declaration {
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

    fn meta(self, model: &Model) -> &Meta {
        match self {
            Declaration::Flow(flow) => &model.flows[flow].declared.meta,
            Declaration::System(system) => &model.systems[system].declared.meta,
            Declaration::Party(party) | Declaration::Group(party) => &model.parties[party].declared.meta,
            Declaration::Agreement(agreement) => &model.agreements[agreement].declared.meta,
        }
    }

    fn assumed(self, model: &Model) -> bool {
        self.meta(model).basis == Some(Basis::Assumed)
    }

    /// What there is to say of it where it is listed.
    fn listed(self, model: &Model, sources: &Sources, day: Date) -> CauseDeclaration {
        let party = |id: PartyId| model.parties[id].id().to_owned();
        let purposes = |keys: &[Key]| keys.iter().map(|&key| model.purposes.name(key).to_owned()).collect();
        let meta = self.meta(model);
        let mut listed = CauseDeclaration {
            id: self.id(model),
            title: meta.title.as_deref().map(str::to_owned),
            from: None,
            to: None,
            data: Vec::new(),
            purposes: Vec::new(),
            transform: None,
            agreement: None,
            agreement_status: None,
            ended: false,
            parties: Vec::new(),
            basis: meta.basis,
            location: sources.location(self.span(model)),
        };
        match self {
            Declaration::Flow(id) => {
                let flow = &model.flows[id];
                // In the order of names: that of the file does not matter.
                let data = flow.declared.data.iter().map(|key| model.data.name(key.value).to_owned());
                listed.data = if flow.declared.held { vec![HELD.to_owned()] } else { data.collect() };
                listed.data.sort_unstable();
                listed.purposes = purposes(&flow.purposes);
                listed.from = Some(model.systems[flow.from].name.clone());
                listed.to = Some(model.systems[flow.to].name.clone());
                listed.transform = Some(flow.transform).filter(|&transform| transform != Transform::None);
                listed.agreement = flow.agreement.map(|of| model.agreements[of].id().to_owned());
                listed.agreement_status = flow.agreement.map(|of| model.agreements[of].status);
                listed.ended = flow.agreement.is_some_and(|of| model.agreements[of].ended(day))
                    || ends(model, id).is_some_and(|last| last < day);
                let ends = BTreeSet::from([party(model.sender(id)), party(model.receiver(id))]);
                listed.parties = ends.into_iter().collect();
            }
            Declaration::System(id) => {
                listed.purposes = purposes(&model.systems[id].purposes);
                listed.parties = vec![party(model.systems[id].party)];
            }
            Declaration::Party(id) | Declaration::Group(id) => listed.parties = vec![party(id)],
            Declaration::Agreement(id) => {
                listed.agreement_status = Some(model.agreements[id].status);
                listed.ended = model.agreements[id].ended(day);
                listed.parties = model.agreements[id].parties.iter().map(|&id| party(id)).collect();
            }
        }
        listed
    }
}

/// Gives each finding its cause, and lists the causes: the most severe first, of equally severe ones what is in force
/// before what is proposed, then those by which the most rules are broken, then those with the most findings.
pub fn causes(
    world: &World,
    sources: &Sources,
    day: Date,
    findings: &mut [(Finding, &Violation)],
) -> Vec<Cause> {
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
        found.entry(*at).or_default().add(finding, violation, world);
    }
    let mut found: Vec<(Declaration, Collected)> = found.into_iter().collect();
    found.par_sort_by_cached_key(|(at, _)| at.id(model));
    let broken: Vec<alike::Broken> = found
        .iter()
        .map(|(at, of)| alike::Broken { at: *at, rules: &of.rules, lacking: of.lacking == of.findings })
        .collect();
    let groups = alike::groups(world, &broken);
    let mut causes: Vec<Cause> = Vec::with_capacity(groups.len());
    let mut name: FxHashMap<Declaration, Arc<str>> = FxHashMap::default();
    for group in groups {
        let members: Vec<&(Declaration, Collected)> = group.iter().filter_map(|&at| found.get(at)).collect();
        let Some(cause) = joined(&members, model, sources, day) else { continue };
        let id: Arc<str> = Arc::from(cause.id.as_str());
        name.extend(members.iter().map(|(at, _)| (*at, Arc::clone(&id))));
        causes.push(cause);
    }
    findings.par_iter_mut().zip(&declarations).for_each(|((finding, _), at)| {
        finding.cause = name.get(at).map(ToString::to_string).unwrap_or_default();
    });
    let key = |cause: &Cause| {
        let firm = (cause.binding == 0, cause.severity, cause.prospective);
        (firm, Reverse(cause.rules.len()), Reverse(cause.findings))
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
    /// How many of them miss something in a declaration.
    lacking: usize,
    rules: BTreeSet<String>,
    terms: BTreeMap<String, BTreeSet<String>>,
    sources: BTreeSet<SystemId>,
}

impl Collected {
    fn add(&mut self, finding: &Finding, violation: &Violation, world: &World) {
        let model = &world.model;
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
        let body = world.rule(violation.rule).map(|rule| rule.body());
        self.lacking += usize::from(matches!(body, Some(Body::Require(_))));
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

    /// Adds what hangs on a declaration that is alike.
    fn join(&mut self, other: &Collected) {
        self.worst = self.worst.into_iter().chain(other.worst).min();
        self.worst_binding = self.worst_binding.into_iter().chain(other.worst_binding).min();
        self.findings += other.findings;
        self.binding += other.binding;
        self.new += other.new;
        self.in_force += other.in_force;
        self.lacking += other.lacking;
        self.rules.extend(other.rules.iter().cloned());
        for (rule, agreements) in &other.terms {
            self.terms.entry(rule.clone()).or_default().extend(agreements.iter().cloned());
        }
        self.sources.extend(&other.sources);
    }
}

/// The cause that declarations are together.
fn joined(
    members: &[&(Declaration, Collected)],
    model: &Model,
    sources: &Sources,
    day: Date,
) -> Option<Cause> {
    let mut all = Collected::default();
    members.iter().for_each(|(_, collected)| all.join(collected));
    let at: Vec<Declaration> = members.iter().map(|(at, _)| *at).collect();
    let first = at.first()?;
    let promises = all.rules.iter().filter_map(|rule| promise_of_rule(rule)).map(str::to_owned);
    let mut starts: Vec<String> =
        all.sources.iter().map(|&system| model.systems[system].name.clone()).collect();
    starts.sort_unstable();
    Some(Cause {
        id: first.id(model),
        severity: all.worst_binding.or(all.worst)?,
        findings: all.findings,
        binding: all.binding,
        new: all.new,
        promises: promises.collect(),
        terms: all
            .terms
            .into_iter()
            .map(|(rule, agreements)| CauseTerm { rule, agreements: agreements.into_iter().collect() })
            .collect(),
        rules: all.rules.into_iter().collect(),
        sources: starts,
        prospective: all.in_force == 0,
        assumed: at.iter().all(|at| at.assumed(model)),
        owners: alike::owners(model, &at).into_iter().map(str::to_owned).collect(),
        declarations: at.iter().map(|at| at.listed(model, sources, day)).collect(),
        location: sources.location(first.span(model)),
    })
}
