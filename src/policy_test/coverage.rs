//! Which rules, matchers and exceptions no test exercises: something is exercised if some
//! test of its rule fails without it.

use std::collections::BTreeMap;

use super::mutate::{Mutant, mutants};
use super::run::{compare, judge};
use super::{Case, Suite};
use crate::audit::audit;
use crate::base::finding::Audit;
use crate::base::source::{Location, Sources};
use crate::declare::policy::{Body, Policy, Rule};
use crate::model::load::World;

/// What of all rules is exercised.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// The rules of all policies that are tested, in their order.
    pub rules: Vec<RuleCoverage>,
}

/// What of a rule is exercised.
#[derive(Debug, Clone)]
pub struct RuleCoverage {
    /// Its full id.
    pub id: String,
    /// Where it stands.
    pub location: Location,
    /// How many tests are about it, those about all rules included.
    pub tests: usize,
    /// How many of them expect it to find something.
    pub triggering: usize,
    /// How many parts it has, itself included.
    pub parts: usize,
    /// The parts without which all tests pass as well.
    pub unexercised: Vec<String>,
}

impl Coverage {
    /// How many parts all rules have.
    pub fn parts(&self) -> usize {
        self.rules.iter().map(|r| r.parts).sum()
    }

    /// How many of them are exercised.
    pub fn exercised(&self) -> usize {
        self.rules.iter().map(|r| r.parts - r.unexercised.len()).sum()
    }

    /// How many of a hundred, rounded down: all only if it is all.
    pub fn percent(&self) -> usize {
        match self.parts() {
            0 => 100,
            parts => self.exercised() * 100 / parts,
        }
    }
}

/// Takes each part of each rule away and judges the tests of the rule again. Tests that
/// fail anyhow show nothing and are left out.
pub fn coverage(suite: &Suite, sources: &Sources) -> Coverage {
    let baseline: Vec<Audit> = suite.cases.iter().map(|case| judge(case, sources)).collect();
    let mut rules: BTreeMap<(String, u32, u32), RuleCoverage> = BTreeMap::new();
    let mut tested: BTreeMap<(String, u32, u32), Vec<Tested>> = BTreeMap::new();
    for (case, audit) in suite.cases.iter().zip(&baseline) {
        let passes = compare(case, audit).is_empty();
        for (p, policy) in case.world.policies.iter().enumerate() {
            for (r, rule) in policy.rules.iter().enumerate() {
                let location = sources.location(rule.id.span);
                let key = (location.file.clone(), location.line, location.column);
                let id = policy.full_id(rule);
                let all = mutants(&rule.body);
                rules.entry(key.clone()).or_insert_with(|| RuleCoverage {
                    id,
                    location,
                    tests: 0,
                    triggering: 0,
                    parts: all.len(),
                    unexercised: Vec::new(),
                });
                let judges = case.judged.iter().any(|j| (j.policy, j.rule) == (p, r));
                if judges && passes {
                    tested.entry(key).or_default().push(Tested { case, audit, policy, rule });
                }
            }
        }
    }
    for (key, coverage) in &mut rules {
        let tests = tested.get(key).map(Vec::as_slice).unwrap_or_default();
        let triggers = |t: &&Tested| t.audit.findings.iter().any(|f| f.rule == coverage.id);
        coverage.tests = tests.len();
        coverage.triggering = tests.iter().filter(triggers).count();
        coverage.unexercised = unexercised(&coverage.id, tests, sources);
        if let (true, Some(rule)) = (tests.is_empty(), bodies(suite, sources, key)) {
            coverage.unexercised = mutants(rule).into_iter().map(|m| m.what).collect();
        }
    }
    Coverage { rules: rules.into_values().collect() }
}

/// The rule that stands there.
fn bodies<'s>(suite: &'s Suite, sources: &Sources, key: &(String, u32, u32)) -> Option<&'s Body> {
    let rules = suite.cases.iter().flat_map(|c| &c.world.policies).flat_map(|p| &p.rules);
    let mut here = rules.filter(|rule| {
        let at = sources.location(rule.id.span);
        (&at.file, at.line, at.column) == (&key.0, key.1, key.2)
    });
    here.next().map(|rule| &rule.body)
}

/// A test that passes, with what it judges.
struct Tested<'c> {
    case: &'c Case,
    audit: &'c Audit,
    policy: &'c Policy,
    rule: &'c Rule,
}

fn unexercised(id: &str, tests: &[Tested], sources: &Sources) -> Vec<String> {
    // Worlds with this rule alone: the others find the same with and without it.
    let mut worlds: Vec<(World, &Tested)> = tests
        .iter()
        .map(|test| {
            let policy = Policy { rules: vec![test.rule.clone()], ..test.policy.clone() };
            let mut model = test.case.world.model.clone();
            model.statements.clear();
            (World { model, policies: vec![policy], ..World::default() }, test)
        })
        .collect();
    // All tests decode one text, but each with the categories of its own inventory.
    let all: Vec<Vec<Mutant>> = tests.iter().map(|test| mutants(&test.rule.body)).collect();
    let whats: Vec<String> = all.first().into_iter().flatten().map(|m| m.what.clone()).collect();
    let mut left = Vec::new();
    for (at, what) in whats.into_iter().enumerate() {
        let mut noticed = false;
        for ((world, test), mutants) in worlds.iter_mut().zip(&all) {
            let Some(mutant) = mutants.get(at) else {
                continue;
            };
            if notices(id, world, test, mutant, sources) {
                noticed = true;
                break;
            }
        }
        if !noticed {
            left.push(what);
        }
    }
    left
}

/// Whether a test fails with a mutant in the place of the rule.
fn notices(id: &str, world: &mut World, test: &Tested, mutant: &Mutant, sources: &Sources) -> bool {
    let mut findings: Vec<_> = test.audit.findings.iter().filter(|f| f.rule != id).cloned().collect();
    if let Some(body) = &mutant.body {
        if let Some(rule) = world.policies.first_mut().and_then(|p| p.rules.first_mut()) {
            rule.body = body.clone();
        }
        let found = audit(world, sources, &test.case.options).findings;
        findings.extend(found.into_iter().filter(|f| f.rule == id));
    }
    !compare(test.case, &Audit { findings, ..test.audit.clone() }).is_empty()
}
