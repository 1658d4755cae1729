//! Random worlds, made of bytes.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use ringfence::vocabulary::{Status, Word};
use ringfence::{Report, Request, Scope};

use super::judged::{Judged, options};
use super::naive::world::World;
use super::naive::{evaluate, generate, harness, never, write};

/// The first bytes choose a random world, the others what of it is left out or taken from another
/// one. The engine and the naive evaluator say the same of it, and its certificate holds.
pub fn agreement(bytes: &[u8]) {
    let Some((world, layout)) = world(bytes) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    write::write(&world, folder.path(), layout);
    let policy = folder.path().join("policy.yaml");
    let request = Request {
        paths: vec![folder.path().join("inventory")],
        policies: vec![policy.to_str().expect("a name").to_owned()],
        ..Request::default()
    };
    let mut options = options();
    options.day = evaluate::DAY.parse().expect("a day");
    let status = |word: &String| Status::parse(word).expect("a status");
    options.scope = Scope {
        as_of: world.call.as_of.map(|day| day.to_string().parse().expect("a day")),
        statuses: world.call.status.as_ref().map(|list| list.iter().map(status).collect()),
        ..Scope::default()
    };
    let judged = Judged::new(&request, options);
    let judged = judged.unwrap_or_else(|| panic!("{}is refused", harness::show(&world)));
    let said = judged.said();
    let output = harness::Output {
        exit: i32::from(Report::new(&judged.audit).gate.fails(&judged.audit)),
        json: serde_json::from_str(&said).expect("it is JSON"),
        bytes: said.into_bytes(),
    };
    if let Err(wrong) = harness::compare(&world, &evaluate::evaluate(&world), &output) {
        panic!("{}# layout {layout}\n{wrong}", harness::show(&world));
    }
    judged.all_holds(bytes.len());
}

/// One of all random worlds.
fn chosen(seed: &[u8]) -> Option<(World, u64)> {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, blake3::hash(seed).as_bytes());
    let mut runner = TestRunner::new_with_rng(config, rng);
    let layout = prop_oneof![3 => Just(0_u64), 1 => 1..1000_u64];
    let tree = (generate::world(), layout).new_tree(&mut runner).ok()?;
    Some(tree.current())
}

fn world(bytes: &[u8]) -> Option<(World, u64)> {
    let (seed, rest) = bytes.split_at(bytes.len().min(4));
    let (mut world, layout) = chosen(seed)?;
    for change in rest.chunks(4).take(12) {
        let (how, other) = change.split_first()?;
        let at = other.iter().fold(0, |at, byte| at * 256 + usize::from(*byte));
        match how % 7 {
            0 => world.policy.rules = chosen(other)?.0.policy.rules,
            1 => world.call = chosen(other)?.0.call,
            2 => remove(&mut world.policy.rules, at),
            3 => remove(&mut world.flows, at),
            4 => world.agreements.iter_mut().for_each(|agreement| remove(&mut agreement.flows, at)),
            5 => remove(&mut world.waivers, at),
            _ => remove(&mut world.statements, at),
        }
    }
    Some((never::without_refused(world), layout))
}

fn remove<T>(list: &mut Vec<T>, at: usize) {
    if !list.is_empty() {
        list.remove(at % list.len());
    }
}

/// The files of a world, for who wants to see what some bytes come to.
pub fn show(bytes: &[u8]) -> String {
    world(bytes).map(|(world, _)| harness::show(&world)).unwrap_or_default()
}
