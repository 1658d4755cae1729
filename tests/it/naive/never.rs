//! Which rules of a random policy the program refuses since they can find nothing.

use super::world::{Policy, Rule, World};
use super::write;
use ringfence::Limits;
use ringfence::source::FileId;
use ringfence::testing::decode::Decoder;
use ringfence::testing::inventory::declared_taxonomy;
use ringfence::testing::policy::Body;
use ringfence::testing::taxonomy::Tree;
use ringfence::testing::yaml::parse;

/// What is said of a rule, by its codes.
pub fn refused(world: &World, rule: &Rule) -> Vec<&'static str> {
    read(world, rule).0
}

/// Whether an exception of a rule holds for every chain of flows.
pub fn covered(world: &World, rule: &Rule) -> bool {
    read(world, rule).1
}

fn read(world: &World, rule: &Rule) -> (Vec<&'static str>, bool) {
    let mut mistakes = Vec::new();
    let taxonomy = World { taxonomy: world.taxonomy.clone(), ..World::default() };
    let text = write::yaml(&write::inventory(&taxonomy));
    let documents = parse(FileId(0), &text, &Limits::default(), &mut mistakes);
    let own = declared_taxonomy(&documents, &Limits::USUAL, &mut mistakes);
    let (data, purposes) = (Tree::new(own.data), Tree::new(own.purposes));
    let rule = Rule { id: "r".to_owned(), ..rule.clone() };
    let alone = World { policy: Policy { rules: vec![rule], ..world.policy.clone() }, ..World::default() };
    let text = write::yaml(&write::policy(&alone));
    let documents = parse(FileId(0), &text, &Limits::default(), &mut mistakes);
    let mut decoder = Decoder::new(&mut mistakes, &data, &purposes);
    let policies: Vec<_> =
        documents.iter().filter_map(|node| ringfence::testing::policy::policy(&mut decoder, node)).collect();
    let rules = policies.iter().flat_map(|policy| &policy.rules);
    let covered = rules.filter_map(|rule| match &rule.body {
        Body::Forbid(forbid) => ringfence::testing::policy::covering(forbid, &data, &purposes),
        _ => None,
    });
    let covered = covered.count() > 0;
    (mistakes.iter().map(|m| m.code).collect(), covered)
}

/// The world without the rules that the program refuses.
pub fn without_refused(world: World) -> World {
    let rules = world.policy.rules.iter().filter(|rule| refused(&world, rule).is_empty()).cloned().collect();
    World { policy: Policy { rules, ..world.policy.clone() }, ..world }
}
