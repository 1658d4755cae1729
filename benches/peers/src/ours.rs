//! Ringfence's own engine. Alone in calling it: a change of its interface ends here.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use ringfence::{Scope, World};
use ringfence::testing::graph::Graph;
use ringfence::testing::analysis::{Analysis, On, RuleRef, origins};
use ringfence::testing::matching::Matching;
use ringfence::testing::model::{Counting, Id};
use ringfence::testing::policy::Body;
use ringfence::testing::propagate::{Restorable, assume};
use ringfence::testing::rules::{Decided, forbidden, relied};

use crate::task::Finding;

/// The findings of the world's one rule; the time for the graph and what every system
/// holds, which all rules share; the time for the rule with all its witnesses.
pub fn run(world: &World) -> Result<(Vec<Finding>, Duration, Duration)> {
    let Some(Body::Forbid(forbid)) = world.policies.first().and_then(|p| p.rules.first()).map(|r| &r.body)
    else {
        bail!("the policy's first rule is no `forbid`");
    };
    let start = Instant::now();
    let scope = Scope::default();
    let day = jiff::civil::date(2026, 11, 23);
    let model = &*world.model.with_ghosts(day, &scope);
    let counting = Counting::new(model, day, &scope);
    let declared = Graph::new(model, &counting);
    let (assumed, held) = assume(&declared, &counting);
    let graph = declared.carrying(&held.carried);
    let origins = origins(model, &assumed);
    let analysis = Analysis {
        model,
        day,
        matching: Matching::new(model, day),
        scope: &scope,
        counting: &counting,
        graph: &graph,
        assumed: &assumed,
        held: &held,
        restorable: &Restorable::new(&graph),
        origins: &origins,
        by_party: false,
    };
    let shared = start.elapsed();
    let start = Instant::now();
    let rule_ref = RuleRef::Rule(0, 0);
    let decided = Arc::new(Decided::new(analysis.matching, graph.facts(), forbid));
    let found = forbidden(&analysis, rule_ref, forbid, &decided, None);
    black_box(relied(&analysis, &[(rule_ref, forbid, &decided)]));
    let rule = start.elapsed();
    let mut all = Vec::new();
    for violation in &found.violations {
        let On::Pair(source, sink) = violation.on else {
            bail!("a finding that is on no pair");
        };
        let Some(witness) = violation.witnesses.first() else {
            bail!("a finding without a witness");
        };
        // The others look for data that gets somewhere, not for where it starts.
        if witness.walk.is_empty() {
            continue;
        }
        let data = violation.data.iter().collect();
        all.push((source.index() as u32, sink.index() as u32, data, witness.walk.len()));
    }
    all.sort_unstable();
    Ok((all, shared, rule))
}
