//! The audit: everything that the declared flows break, as one result.

mod accepted;
mod alike;
pub mod analysis;
mod carrying;
mod causes;
pub mod checks;
mod claims;
mod derivation;
mod describe;
mod evaluate;
mod facts;
mod fingerprint;
mod hops;
mod idle;
mod lapsed;
mod notices;
mod overlooked;
mod promise_view;
pub mod promises;
mod reidentified;
pub mod rules;
mod size;
mod waivers;
mod witness;
mod words;

use std::collections::BTreeSet;

use jiff::civil::Date;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::audit::analysis::{RuleRef, Violation};
use crate::audit::promises::Standing;
use crate::base::finding::{
    Audit, Finding, FindingKind, InventoryFacts, Judged, PolicyFacts, Program, Promise, Reliance, RuleEntry,
    SCHEMA, rule_of_promise,
};
use crate::base::source::Sources;
use crate::base::stages::{Stages, Unit};
use crate::base::vocabulary::{Basis, PolicyStatus, Status, Word};
use crate::declare::baseline::Baseline;
use crate::declare::gate::Gate;
use crate::declare::words::{Names, violated};
use crate::model::load::World;
use crate::model::matching::Matching;
use crate::model::{Agreement, Counting, FlowId, Scope};

pub use derivation::{Reason, derivation};
pub use evaluate::{Judgement, analysed, evaluate};
pub use facts::{RuleFacts, rule_facts};
pub(crate) use fingerprint::of_key as fingerprint_of;
pub(crate) use hops::{When, hops};
pub use promise_view::promises;
use size::report_size;
pub use waivers::unknown_rules;
pub use words::ages;

/// How to judge.
#[derive(Debug, Clone)]
pub struct Options {
    /// The day on which the expiry of waivers and assurances is evaluated.
    pub day: Date,
    /// Which flows count.
    pub scope: Scope,
    /// The standings of policies whose findings bind (can make the audit fail).
    pub binding: Vec<PolicyStatus>,
    /// Findings that are known.
    pub baseline: Option<Baseline>,
    /// Whether findings say all that a waiver or a baseline records: whose data they are about, too.
    pub record: bool,
    /// Where progress is reported.
    pub stages: Stages,
}

impl Options {
    /// Judges all flows on a day; what is enjoined, proposed, a benchmark or a new rule does not bind.
    pub fn new(day: Date) -> Self {
        use PolicyStatus::{Contractual, House, InForce};
        Options {
            day,
            scope: Scope::default(),
            binding: vec![InForce, Contractual, House],
            baseline: None,
            record: false,
            stages: Stages::default(),
        }
    }
}

/// More findings than there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are more findings than the limit of {most}")]
pub struct TooMany {
    /// How many there may be.
    pub most: usize,
}

/// Judges a world.
pub fn audit(world: &World, sources: &Sources, options: &Options) -> Audit {
    describe_all(world, sources, options, &evaluate(world, options))
}

/// As [`evaluate()`], unless there are more findings than `most`, one with very long names or texts counting
/// as many.
///
/// # Errors
/// How many there may be.
pub fn judge_within(world: &World, options: &Options, most: usize) -> Result<Judgement, TooMany> {
    let judgement = evaluate::evaluate_within(world, options, most);
    if report_size(world, &judgement) > most {
        return Err(TooMany { most });
    }
    Ok(judgement)
}

/// The fingerprints of all findings, in no particular order.
pub fn fingerprints(world: &World, judgement: &Judgement) -> Vec<String> {
    let of = |v: &Violation| fingerprint::fingerprint(&world.model, &rule_facts(world, v.rule).id, v.on);
    judgement.violations.iter().map(of).collect()
}

/// Which day and which part of the declared world a question is asked of, and how much that leaves out.
pub fn judged_scope(world: &World, options: &Options, counting: &Counting) -> Judged {
    judged(world, options, counting)
}

/// What was judged, and what was left out of it.
pub fn judged_facts(world: &World, options: &Options, judgement: &Judgement) -> Judged {
    judged(world, options, &judgement.counting)
}

/// Puts a judgement into words and places. `options` are those that it was judged with.
pub fn describe_all(world: &World, sources: &Sources, options: &Options, judgement: &Judgement) -> Audit {
    let model = &world.model;
    // For each violation whether it is none without the agreements of some statuses, and those that
    // are over on a day.
    let without = |statuses: &[Status], running_on: Option<Date>| -> Vec<bool> {
        let concerned = |a: &Agreement| {
            options.scope.admits(a.status)
                && (statuses.contains(&a.status) || running_on.is_some_and(|day| a.ended(day)))
        };
        // Where only agreements in force are judged, there are no ghosts.
        let haunted = running_on.is_some() && judgement.is_haunted();
        if !haunted && !model.agreements.values().any(concerned) {
            return Vec::new();
        }
        let left = Status::ALL.iter().copied().filter(|&s| options.scope.admits(s) && !statuses.contains(&s));
        let scope = Scope { statuses: Some(left.collect()), running_on, ..options.scope.clone() };
        evaluate::absent_in(world, options.day, &scope, judgement)
    };
    let again = options.stages.begin("judging again", 0);
    let ended = [Status::Suspended, Status::Terminated];
    let (prospective, retained) =
        rayon::join(|| without(&[Status::Proposed], None), || without(&ended, Some(options.day)));
    drop(again);
    let describing = options.stages.begin("describing", 0);

    let describe = describe::Describe::new(
        (world, sources, options),
        &options.binding,
        &judgement.violations,
        &judgement.relied,
    );
    let mut findings: Vec<_> = judgement
        .violations
        .par_iter()
        .enumerate()
        .map(|(at, violation)| {
            let mut finding = describe.finding(violation);
            let is = |list: &[bool]| list.get(at).is_some_and(|is| *is);
            (finding.prospective, finding.retained) = (is(&prospective), is(&retained));
            (finding, violation)
        })
        .collect();
    let mut notices = world.notices.clone();
    notices.extend(waivers::apply(world, sources, (options, judgement), &mut findings));
    let matching = Matching::new(model, options.scope.as_of.unwrap_or(options.day));
    let overlooked = overlooked::overlooked(world, matching, (&judgement.counting, judgement.assumed()));
    let places: BTreeSet<&String> = overlooked.iter().flat_map(|(_, places)| places).collect();
    let overlooked_places = places.len();
    notices.extend(notices::notices(world, sources, judgement, overlooked));
    notices.sort();
    notices.dedup();
    let causes = causes::causes(world, sources, options.day, &mut findings);
    let findings = in_order(findings.into_iter().map(|(finding, _)| finding).collect());
    let standings = model.statements.iter().zip(&judgement.standings);
    let mut broken_by: FxHashMap<&str, Vec<String>> = FxHashMap::default();
    for finding in findings.iter().filter(|finding| finding.kind == FindingKind::Statement) {
        broken_by.entry(&finding.rule).or_default().push(finding.fingerprint.clone());
    }
    let promises = standings
        .map(|(s, standing)| promise((world, sources, options), s, standing, &mut broken_by))
        .collect();
    let mut relied_on: Vec<Reliance> = judgement.relied.par_iter().map(|r| describe.reliance(r)).collect();
    relied_on.par_sort();
    relied_on.dedup();
    // Each rule and declaration once, with all claims that it takes.
    relied_on.dedup_by(|next, one| {
        let same = (&next.rule, &next.flow, &next.system) == (&one.rule, &one.flow, &one.system);
        if same {
            one.claim = format!("{}; {}", one.claim, next.claim);
        }
        same
    });
    describing.end(findings.len(), Unit::Findings);
    Audit {
        ringfence: Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA },
        judged: Judged { overlooked_places, ..judged(world, options, &judgement.counting) },
        inventory: inventory_facts(world, &judgement.counting),
        policies: world
            .policies
            .iter()
            .map(|p| PolicyFacts {
                id: p.id.value.clone(),
                title: p.title.clone(),
                version: p.version.clone(),
                status: p.status,
                as_of: p.as_of.map(|d| d.to_string()),
                rules: p.rules.len(),
                following: p.following(),
                about: p.about.clone(),
                cannot_see: p.cannot_see.clone(),
            })
            .collect(),
        rules: rules(world, sources),
        summary: Gate::default().summary(&findings),
        findings,
        causes,
        promises,
        notices,
        relied_on,
    }
}

/// Findings in the order in which they are shown: most severe first, then by rule and key.
fn in_order(findings: Vec<Finding>) -> Vec<Finding> {
    let key = |at: &usize| {
        let finding = findings.get(*at);
        finding.map(|f| (f.severity, &f.rule, &f.source, &f.sink, &f.flow, &f.subject))
    };
    // Places are sorted, and then each finding, which is large, is moved once.
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.par_sort_by(|a, b| key(a).cmp(&key(b)));
    let mut left: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| left.get_mut(at)?.take()).collect()
}

/// All rules: built-in checks, the policies' rules in their order, promises.
fn rules(world: &World, sources: &Sources) -> Vec<RuleEntry> {
    let names = Names { data: &world.model.data, purposes: &world.model.purposes };
    let built_in = checks::all().map(|check| (RuleRef::Check(check.id), check.violated.to_owned()));
    let others = all_rules(world).into_iter().map(|(rule, body)| (rule, violated(body, names)));
    built_in
        .chain(others)
        .map(|(rule, violated)| {
            let facts = rule_facts(world, rule);
            RuleEntry {
                id: facts.id,
                kind: facts.kind,
                severity: facts.severity,
                title: facts.title,
                violated,
                why: facts.why,
                remedy: facts.remedy,
                cite: facts.cite,
                policy_status: facts.status,
                location: facts.span.map(|span| sources.location(span)),
            }
        })
        .collect()
}

/// Which day and which part of the declared world is judged, and how much that leaves out.
fn judged(world: &World, options: &Options, counting: &Counting) -> Judged {
    let (model, scope) = (&world.model, &options.scope);
    let admitted = |flow: FlowId| {
        model.flows[flow].agreement.is_none_or(|agreement| scope.admits(model.agreements[agreement].status))
    };
    let left_out_by_as_of = scope.as_of.map(|_| {
        let whenever = Counting::new(model, options.day, &Scope { as_of: None, ..scope.clone() });
        whenever.iter().filter(|&flow| !counting.has(flow)).count()
    });
    Judged {
        day: options.day.to_string(),
        as_of: scope.as_of.map(|d| d.to_string()),
        status: scope.statuses.clone(),
        excluded_files: world.excluded,
        left_out_by_status: model.flows.ids().filter(|&flow| !admitted(flow)).count(),
        left_out_by_as_of: left_out_by_as_of.unwrap_or_default(),
        overlooked_places: 0,
    }
}

fn inventory_facts(world: &World, counting: &Counting) -> InventoryFacts {
    let model = &world.model;
    let status = |flow| model.flows[flow].agreement.map(|a| model.agreements[a].status);
    InventoryFacts {
        parties: model.parties.len(),
        systems: model.systems.len(),
        agreements: model.agreements.len(),
        flows: model.flows.len(),
        counting_flows: counting.iter().count(),
        proposed_flows: counting.iter().filter(|&f| status(f) == Some(Status::Proposed)).count(),
        assumed_flows: counting
            .iter()
            .filter(|&f| model.flows[f].declared.meta.basis == Some(Basis::Assumed))
            .count(),
        digest: world.digest.clone(),
    }
}

fn promise(
    (world, sources, options): (&World, &Sources, &Options),
    statement: &crate::declare::inventory::Statement,
    standing: &Standing,
    broken_by: &mut FxHashMap<&str, Vec<String>>,
) -> Promise {
    let rule = rule_of_promise(&statement.id.value);
    let when = (options.day, &options.scope);
    let broken_by = broken_by.remove(rule.as_str()).unwrap_or_default();
    Promise {
        id: statement.id.value.clone(),
        title: statement.meta.title.as_deref().map(str::to_owned),
        by: statement.by.value.clone(),
        quote: statement.said.quote.clone(),
        who: statement.said.who.clone(),
        place: statement.said.place.clone(),
        date: statement.said.date.map(|d| d.to_string()),
        kept: broken_by.is_empty(),
        state: Some(standing.state),
        gaps: standing.open.iter().map(|open| describe::gap(&world.model, sources, when, open)).collect(),
        further_gaps: standing.further,
        broken_by,
        location: sources.location(statement.id.span),
    }
}

/// Where a rule stands among all.
pub(crate) fn all_rules(world: &World) -> Vec<(RuleRef, &crate::declare::policy::Body)> {
    world.rules().map(|rule| (rule.at, rule.body())).collect()
}
