//! The engine and the naive evaluator agree on random worlds.

use crate::naive::evaluate::{Finding, evaluate};
use crate::naive::world::{Body, FlowMatcher, Forbid, PlaceMatcher, Policy, Rule, Unless, World};
use crate::naive::{generate, harness, never};
use proptest::prelude::*;

#[test]
fn the_engine_agrees_with_the_naive_evaluator() {
    let binary = env!("CARGO_BIN_EXE_ringfence");
    // Mostly one plain file, sometimes several in another dress.
    let layout = prop_oneof![3 => Just(0_u64), 1 => 1..1000_u64];
    harness::try_all(
        harness::cases(300),
        (generate::world(), layout),
        |(world, layout)| format!("{}# layout {layout}", harness::show(world)),
        |(world, layout)| harness::agree(binary, world, *layout),
    );
}

/// What a rule alone finds.
fn found(world: &World, rule: &Rule) -> Vec<Finding> {
    let policy = Policy { rules: vec![rule.clone()], ..world.policy.clone() };
    let alone = World { policy, statements: Vec::new(), ..world.clone() };
    let id = format!("{}/{}", world.policy.policy, rule.id);
    evaluate(&alone).findings.into_iter().filter(|f| f.rule == id).collect()
}

fn with_unless(rule: &Rule, change: impl Fn(&mut Unless)) -> Rule {
    let mut rule = rule.clone();
    match &mut rule.body {
        Body::Forbid(forbid) => change(&mut forbid.unless),
        Body::Limit(limit) => change(&mut limit.unless),
        Body::Require(_) => {}
    }
    rule
}

/// A rule, and what it becomes when it is turned against itself.
fn twisted(rule: &Rule) -> Vec<Rule> {
    let mut all = vec![rule.clone()];
    let Body::Forbid(forbid) = &rule.body else {
        return all;
    };
    let mut twist = |change: &dyn Fn(&mut Forbid)| {
        let mut forbid = forbid.clone();
        change(&mut forbid);
        all.push(Rule { body: Body::Forbid(forbid), ..rule.clone() });
    };
    let flow = FlowMatcher::default;
    twist(&|f| {
        for place in f.to.iter_mut().chain(&mut f.from) {
            let own = PlaceMatcher { not: Vec::new(), any: Vec::new(), ..place.clone() };
            place.not.push(own);
        }
    });
    twist(&|f| {
        for exception in f.unless.through.iter_mut().chain(&mut f.unless.arriving) {
            let own = FlowMatcher { not: Vec::new(), any: Vec::new(), ..exception.clone() };
            exception.not.push(own);
        }
    });
    twist(&|f| f.unless.through.push(FlowMatcher { from: f.from.clone(), ..flow() }));
    twist(&|f| f.unless.arriving.push(FlowMatcher { to: without_relation(&f.to), ..flow() }));
    twist(&|f| {
        f.unless.through.push(FlowMatcher { crosses_parties: Some(true), ..flow() });
        f.unless.arriving.push(FlowMatcher { crosses_parties: Some(false), ..flow() });
    });
    twist(&|f| {
        let swapped = (without_relation(&f.to), f.from.clone());
        let ends = FlowMatcher { from: swapped.0, to: swapped.1, crosses_parties: Some(false), ..flow() };
        f.unless.through.push(ends);
    });
    twist(&|f| {
        for place in &mut f.to {
            place.relation = vec!["first_party".to_owned()];
        }
    });
    twist(&|f| {
        for place in &mut f.to {
            place.relation = vec!["third_party".to_owned(), "processor".to_owned()];
        }
        f.from = without_relation(&f.to);
    });
    all
}

fn without_relation(places: &[PlaceMatcher]) -> Vec<PlaceMatcher> {
    let bare = |list: &[PlaceMatcher]| {
        list.iter()
            .map(|m| PlaceMatcher { relation: Vec::new(), by_flow: None, ..m.clone() })
            .collect::<Vec<_>>()
    };
    let mut places = bare(places);
    for place in &mut places {
        (place.not, place.any) = (Vec::new(), Vec::new());
    }
    places
}

/// Mistakes that twisting makes besides.
const BESIDES: [&str; 3] = ["empty-matcher", "missing-key", "unknown-key"];

#[test]
fn a_rule_that_is_refused_since_it_finds_nothing_finds_nothing() {
    let seen = std::cell::RefCell::new(std::collections::BTreeMap::new());
    harness::try_all(harness::cases(300), generate::any_world(), harness::show, |world| {
        for rule in world.policy.rules.iter().flat_map(twisted) {
            let codes = never::refused(world, &rule);
            if never::covered(world, &rule) {
                *seen.borrow_mut().entry("covered").or_insert(0) += 1;
                let found = found(world, &rule).into_iter();
                let chains: Vec<_> = found.filter(|f| f.witnesses.iter().any(|length| *length > 0)).collect();
                if !chains.is_empty() {
                    return Err(format!("{rule:#?}: an exception covers it, but {chains:?}"));
                }
            }
            if codes.is_empty() || codes.iter().any(|code| BESIDES.contains(code)) {
                continue;
            }
            for code in &codes {
                *seen.borrow_mut().entry(*code).or_insert(0) += 1;
            }
            let findings = found(world, &rule);
            let keys =
                |rule: &Rule| -> Vec<_> { found(world, rule).iter().map(|f| format!("{f:?}")).collect() };
            let wrong = codes.iter().any(|code| match *code {
                "never-matches" => !findings.is_empty(),
                "excepts-nothing" => {
                    let same = |change: fn(&mut Unless)| keys(&with_unless(&rule, change)) == keys(&rule);
                    !same(|u| u.through.clear()) && !same(|u| u.arriving.clear())
                }
                other => panic!("{other}"),
            });
            if wrong {
                return Err(format!("{rule:#?}: {codes:?}, but {findings:?}"));
            }
        }
        Ok(())
    });
    let seen = seen.into_inner();
    for code in ["never-matches", "covered", "excepts-nothing"] {
        assert!(seen.get(code).is_some_and(|n| *n >= 20), "{seen:?}");
    }
}
