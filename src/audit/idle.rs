//! Rules that match nothing in the inventory: each is reported for a custom policy, since a name in
//! it may be misspelt; of a pack that comes with the program they are listed together.

use std::cell::Cell;
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::evaluate::Judgement;
use super::notices::Notices;
use super::{all_rules, rule_facts};
use crate::audit::analysis::RuleRef;
use crate::audit::rules::Idle;
use crate::base::diagnostic::nearest;
use crate::base::glob::Glob;
use crate::base::sets::GlobSet;
use crate::base::source::Sources;
use crate::declare::packs::pack;
use crate::declare::policy::{Body, Matcher, PlaceKeys, Policy};
use crate::model::load::World;

/// So many rules with a name that nobody declares get a suggestion; each compares the name with all
/// that are declared.
const SUGGESTIONS: usize = 20;

/// The notices on rules that match nothing.
pub fn rules(all: &mut Notices, world: &World, sources: &Sources, judgement: &Judgement) {
    let mut parts: BTreeMap<RuleRef, Vec<&str>> = BTreeMap::new();
    for (rule, part) in &judgement.idle {
        parts.entry(*rule).or_default().push(match part {
            Idle::Data => "data",
            Idle::Source => "source",
            Idle::Sink => "sink",
            Idle::Subject => "subject",
        });
    }
    let bodies: FxHashMap<RuleRef, &Body> = all_rules(world).into_iter().collect();
    let names = Names::new(world);
    let built_in: Vec<bool> = world.policies.iter().map(|policy| is_built_in(policy, sources)).collect();
    let mut of_packs: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (rule, parts) in parts {
        let facts = rule_facts(world, rule);
        if let RuleRef::Rule(policy, _) = rule
            && built_in.get(policy) == Some(&true)
        {
            of_packs.entry(policy).or_default().push(facts.id);
            continue;
        }
        let parts_match = if parts.len() == 1 { "matches" } else { "match" };
        let unknown = bodies.get(&rule).and_then(|body| names.unknown(body));
        let message = format!(
            "the {} of `{}` {parts_match} nothing in the inventory{}",
            parts.join(" and the "),
            facts.id,
            unknown.unwrap_or_default()
        );
        all.add("rule-matches-nothing", message, facts.span);
    }
    for (policy, rules) in of_packs {
        if let Some(policy) = world.policies.get(policy) {
            let message = format!(
                "rules of the built-in pack `{}` look at data or places that this inventory does not have",
                policy.id.value
            );
            all.several("rule-matches-nothing", message, rules, Some(policy.id.span));
        }
    }
}

/// Whether a policy is a pack that comes with the program, by its bytes: wherever they were read from, in a
/// bundle say, the same is reported.
pub(super) fn is_built_in(policy: &Policy, sources: &Sources) -> bool {
    let file = sources.get(policy.id.span.file);
    file.zip(pack(&policy.id.value))
        .is_some_and(|(file, pack)| file.digest() == blake3::hash(pack.policy.as_bytes()))
}

/// What is declared, by name.
struct Names<'w> {
    world: &'w World,
    parties: FxHashSet<&'w str>,
    systems: FxHashSet<&'w str>,
    suggestions: Cell<usize>,
}

impl<'w> Names<'w> {
    fn new(world: &'w World) -> Self {
        let parties = world.model.parties.values().map(|party| party.id()).collect();
        let systems = world.model.systems.values().map(|system| system.name.as_str()).collect();
        Names { world, parties, systems, suggestions: Cell::new(SUGGESTIONS) }
    }

    /// The first party or system that a rule names and nobody declares, with the nearest that is.
    fn unknown(&self, body: &Body) -> Option<String> {
        let mut open: Vec<&Matcher<PlaceKeys>> = match body {
            Body::Forbid(forbid) => forbid.from.0.iter().chain(&forbid.to.0).collect(),
            Body::Limit(limit) => limit.at.0.iter().collect(),
            Body::Require(_) => Vec::new(),
        };
        while let Some(matcher) = open.pop() {
            let PlaceKeys { party, system, .. } = &matcher.keys;
            for (what, globs, declared) in
                [("party", party, &self.parties), ("system", system, &self.systems)]
            {
                if let Some(glob) = first_unknown(globs, declared) {
                    let near = self.near(what, glob.as_str());
                    return Some(format!(": no {what} is called `{glob}`{near}"));
                }
            }
            open.extend(matcher.any.iter().chain(&matcher.not));
        }
        None
    }

    fn near(&self, what: &str, name: &str) -> String {
        let Some(left) = self.suggestions.get().checked_sub(1) else {
            return String::new();
        };
        self.suggestions.set(left);
        let model = &self.world.model;
        let near = match what {
            "party" => nearest(name, model.parties.values().map(|party| party.id())),
            _ => nearest(name, model.systems.values().map(|system| system.name.as_str())),
        };
        near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
    }
}

/// The first of some globs that matches nothing declared.
fn first_unknown<'g>(globs: &'g GlobSet, declared: &FxHashSet<&str>) -> Option<&'g Glob> {
    globs.iter().find(|glob| match glob.literal() {
        Some(name) => !declared.contains(name),
        None => !declared.iter().any(|name| glob.matches(name)),
    })
}
