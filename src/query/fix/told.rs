//! The answer: what is to go, and the sets of edits after which it is gone.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::edits::{Kind, Made, On};
use super::{Fixing, Found, failing};
use crate::audit::judged_scope;
use crate::base::finding::{Audit, Finding, Judged, Program, SCHEMA};
use crate::base::source::Location;
use crate::base::vocabulary::{Severity, Word, words};
use crate::declare::inventory::Meta;
use crate::model::{FlowId, Model, SystemId};

/// The sets.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Fix {
    /// What wrote this.
    pub ringfence: Program,
    /// The days that count, and what is left out.
    pub judged: Judged,
    /// What was asked for: fingerprints, rules and causes; empty: all findings that make an audit fail.
    pub only: Vec<String>,
    /// What each kind of edit costs; kinds that are not listed are not made.
    pub costs: Vec<Cost>,
    /// The findings that are to go, and can.
    pub targets: Vec<Target>,
    /// Those that no such edits make go.
    pub unfixable: Vec<Target>,
    /// The sets, the cheapest first.
    pub sets: Vec<Proposal>,
    /// No set costs less than this.
    pub at_least: u64,
    /// No smaller set than the first exists; without a set: none exists.
    pub proven: bool,
    /// What ended the search early, if anything did.
    pub cut: Option<Cut>,
}

/// What a kind of edit costs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Cost {
    /// The kind.
    pub kind: Kind,
    /// What one costs.
    pub cost: u64,
}

words! {
    /// What ended a search.
    Cut: "what ended a search" {
        /// The number of steps, the same each time.
        Steps = "steps",
        /// The time given: another run may find more.
        Seconds = "seconds",
    }
}

words! {
    /// Why a finding cannot go.
    Unfixable: "why a finding cannot go" {
        /// No edit of these kinds breaks one of its chains.
        Alone = "no_edit",
        /// Whatever breaks all chains of these findings brings about something else.
        Together = "opens_others",
    }
}

/// A finding that is to go.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Target {
    /// Its fingerprint.
    pub fingerprint: String,
    /// What is broken.
    pub rule: String,
    /// How severe it is.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What it hangs on.
    pub cause: String,
    /// Why it cannot go, if it cannot.
    pub why: Option<Unfixable>,
    /// What the rule says is to be done.
    pub remedy: Option<String>,
}

/// A set of edits.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Proposal {
    /// What its edits cost together.
    pub cost: u64,
    /// The edits.
    pub edits: Vec<Edited>,
    /// What an audit found with them.
    pub proof: Proved,
    /// The edits as they are made.
    #[serde(skip)]
    pub made: Vec<(On, Made)>,
}

/// An edit of a flow, or of a system.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Edited {
    /// Its kind.
    pub kind: Kind,
    /// The full id of the flow, or `party/system`.
    pub of: String,
    /// `party/system` that the flow leaves.
    pub from: Option<String>,
    /// `party/system` that the flow enters.
    pub to: Option<String>,
    /// What it states so far; empty: nothing, or it is cut.
    pub before: Vec<String>,
    /// What it states then.
    pub after: Vec<String>,
    /// The edit alone does not do: what it states has to be so.
    pub needs_fact: bool,
    /// Who answers for it, by the label `owner`.
    pub owner: Option<String>,
    /// Where it is declared.
    pub location: Location,
}

/// What an audit finds once the edits are made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Proved {
    /// How many findings made it fail before.
    pub failing_before: usize,
    /// How many do then.
    pub failing_after: usize,
    /// How many findings are gone in all.
    pub gone: usize,
    /// The findings that come and do not make it fail.
    pub come: Vec<String>,
}

impl Fix {
    /// Whether some set is known to be the smallest.
    pub fn is_smallest(&self, set: &Proposal) -> bool {
        self.proven && set.cost == self.at_least
    }
}

pub(super) fn told(fixing: &Fixing, (audit, targets): (&Audit, &[&Finding]), found: Vec<Found>) -> Fix {
    let asked = fixing.asked;
    let of = |finding: &&Finding| Target {
        fingerprint: finding.fingerprint.clone(),
        rule: finding.rule.clone(),
        severity: finding.severity,
        message: finding.message.clone(),
        cause: finding.cause.clone(),
        why: fixing.unfixable.get(&finding.fingerprint).copied(),
        remedy: finding.remedy.clone(),
    };
    let (unfixable, targets): (Vec<Target>, Vec<Target>) =
        targets.iter().map(of).partition(|target| target.why.is_some());
    let sets: Vec<Proposal> = found.into_iter().map(|found| proposal(fixing, audit, found)).collect();
    let nothing = targets.is_empty();
    Fix {
        ringfence: Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA },
        judged: judged_scope(fixing.judging.world, fixing.judging.options, &fixing.judgement.counting),
        only: asked.only.clone(),
        costs: asked.costs.iter().map(|(&kind, &cost)| Cost { kind, cost }).collect(),
        proven: match sets.first() {
            Some(first) => first.cost <= fixing.bound,
            None => nothing || fixing.exact && fixing.cut.is_none(),
        },
        at_least: if nothing { 0 } else { fixing.bound },
        targets,
        unfixable,
        sets,
        cut: fixing.cut,
    }
}

fn proposal(fixing: &Fixing, before: &Audit, found: Found) -> Proposal {
    let model = &fixing.judging.world.model;
    let cost = |made: &Made| fixing.asked.costs.get(&made.kind()).copied().unwrap_or_default();
    let gate = fixing.judging.gate;
    let prints = |audit: &Audit| -> BTreeSet<String> {
        audit.findings.iter().map(|finding| finding.fingerprint.clone()).collect()
    };
    let (was, is) = (prints(before), prints(&found.audit));
    let come = found.audit.findings.iter().filter(|finding| !was.contains(&finding.fingerprint));
    Proposal {
        cost: found.made.iter().map(|(_, made)| cost(made)).sum(),
        edits: found.made.iter().map(|(on, made)| edited(fixing, model, *on, made)).collect(),
        proof: Proved {
            failing_before: fixing.failing.len(),
            failing_after: failing(&found.audit, gate).len(),
            gone: was.difference(&is).count(),
            come: come.map(|finding| format!("{}: {}", finding.rule, finding.message)).collect(),
        },
        made: found.made,
    }
}

fn edited(fixing: &Fixing, model: &Model, on: On, made: &Made) -> Edited {
    match on {
        On::Flow(flow) => of_flow(fixing, model, flow, made),
        On::System(system) => of_system(fixing, model, system, made),
    }
}

fn of_system(fixing: &Fixing, model: &Model, id: SystemId, made: &Made) -> Edited {
    let system = &model.systems[id];
    let derived = system.declared.derives.iter().flat_map(|derive| &derive.from);
    let mut before: Vec<String> = derived.map(|key| model.data.name(key.value).to_owned()).collect();
    before.sort_unstable();
    before.dedup();
    let gone = match made {
        Made::Derives(key) => model.data.name(*key),
        _ => "",
    };
    let metas = [&system.declared.meta, &model.parties[system.party].declared.meta];
    Edited {
        kind: made.kind(),
        of: system.name.clone(),
        from: None,
        to: None,
        after: before.iter().filter(|name| *name != gone).cloned().collect(),
        before,
        needs_fact: false,
        owner: owner(metas),
        location: fixing.judging.sources.location(system.declared.id.span),
    }
}

/// Who answers for something, by the first label `owner`.
fn owner<'m>(metas: impl IntoIterator<Item = &'m Meta>) -> Option<String> {
    let mut labels = metas.into_iter().flat_map(|meta| meta.labels.iter());
    labels.find(|(name, _)| name == "owner").map(|(_, owner)| owner.clone())
}

fn of_flow(fixing: &Fixing, model: &Model, id: FlowId, made: &Made) -> Edited {
    let flow = &model.flows[id];
    let data =
        |keys: &[crate::base::taxonomy::Key]| keys.iter().map(|&k| model.data.name(k).to_owned()).collect();
    let parties =
        |all: &[crate::model::PartyId]| all.iter().map(|&p| model.parties[p].id().to_owned()).collect();
    let purposes = |keys: &[crate::base::taxonomy::Key]| {
        keys.iter().map(|&k| model.purposes.name(k).to_owned()).collect::<Vec<String>>()
    };
    let named: Vec<_> = flow.declared.data.iter().map(|key| key.value).collect();
    let (before, after): (Vec<String>, Vec<String>) = match made {
        Made::Cut | Made::Derives(_) => (Vec::new(), Vec::new()),
        Made::Data(keys) if flow.declared.held => (vec!["held".to_owned()], data(keys)),
        Made::Data(keys) => (data(&named), data(keys)),
        Made::OnlyFrom(all) => (parties(flow.only_from.as_deref().unwrap_or_default()), parties(all)),
        Made::Purposes(keys) => (purposes(&flow.purposes), purposes(keys)),
        Made::Transform(transform) => {
            (vec![flow.transform.word().to_owned()], vec![transform.word().to_owned()])
        }
        Made::Consent(consent) => (vec![flow.consent.word().to_owned()], vec![consent.word().to_owned()]),
        Made::Assurance(word) => {
            let stated: Vec<String> =
                flow.declared.assurances().iter().map(|one| one.id.value.clone()).collect();
            let after = stated.iter().cloned().chain([word.to_string()]).collect();
            (stated, after)
        }
    };
    let agreement = flow.agreement.map(|of| &model.agreements[of].declared.meta);
    Edited {
        kind: made.kind(),
        of: flow.name.clone(),
        from: Some(model.systems[flow.from].name.clone()),
        to: Some(model.systems[flow.to].name.clone()),
        before,
        after,
        needs_fact: made.kind().is_fact(),
        owner: owner(std::iter::once(&flow.declared.meta).chain(agreement)),
        location: fixing.judging.sources.location(flow.span),
    }
}
