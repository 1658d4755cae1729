//! Who holds what, against the naive evaluator's walk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use crate::naive::evaluate::options;
use crate::naive::resolve::Model;
use crate::naive::world::World;
use crate::naive::{generate, harness, write};
use ringfence::source::Sources;
use ringfence::testing::holdings::Holdings;
use ringfence::vocabulary::{Status, Word};
use ringfence::{Request, Scope, load};

/// Holder, origin, whether assumed, relation.
type Whose = (String, String, bool, String);
/// Leaves, systems, purposes.
type What = (BTreeSet<String>, BTreeSet<String>, BTreeSet<String>);

fn naively(world: &World) -> BTreeMap<Whose, What> {
    let model = Model::new(world, options(world));
    let origins = model.assume_origins();
    let mut all: BTreeMap<Whose, What> = BTreeMap::new();
    let held = model.held(&origins);
    for (at, item) in &held {
        let whose = |v: usize, k| {
            let relation = model.relation(v, item.s, k).to_owned();
            let origin = model.world.parties[model.origin(item.s)].id.clone();
            (model.owner_id(v).to_owned(), origin, item.assumed, relation)
        };
        if at.gone.is_none() {
            let what = all.entry(whose(at.system, item.k)).or_default();
            what.0.extend(model.leaf_names([item.f]));
            what.1.insert(model.systems[at.system].name.clone());
            what.2.extend(model.systems[at.system].declared.purposes.iter().cloned());
        }
        for e in model.counting() {
            if let Some((_, arriving)) = model.take(*at, *item, e) {
                let what = all.entry(whose(model.flows[e].to, arriving.k)).or_default();
                what.2.extend(model.flows[e].purposes.iter().cloned());
            }
        }
    }
    all
}

fn by_the_engine(world: &World) -> BTreeMap<Whose, What> {
    let dir = tempfile::tempdir().unwrap();
    write::write(world, dir.path(), 0);
    let request = Request { paths: vec![dir.path().join("inventory")], ..Request::default() };
    let loaded = load(&request, &mut Sources::new()).unwrap();
    let model = &loaded.model;
    let scope = Scope {
        as_of: world.call.as_of.map(|day| day.0),
        statuses: world.call.status.as_ref().map(|s| s.iter().map(|s| Status::parse(s).unwrap()).collect()),
        ..Scope::default()
    };
    let holdings = Holdings::new(model, options(world).day.0, &scope);
    let mut all = BTreeMap::new();
    for h in &holdings.all {
        let party = |id| model.parties[id].id().to_owned();
        let whose = (party(h.holder), party(h.origin), h.assumed, h.relation.to_string());
        let leaves = h.leaves.iter().map(|leaf| model.data.name(model.data.leaf_key(leaf)).to_owned());
        let systems = h.systems.iter().map(|&s| model.systems[s].name.clone());
        let purposes = h.purposes.iter().map(|&key| model.purposes.name(key).to_owned());
        let before = all.insert(whose, (leaves.collect(), systems.collect(), purposes.collect()));
        assert!(before.is_none(), "one row each");
    }
    all
}

#[test]
fn each_party_holds_what_the_naive_walk_brings_it() {
    harness::try_all(harness::cases(200), generate::world(), harness::show, |world| {
        let (naive, engine) = (naively(world), by_the_engine(world));
        if naive == engine { Ok(()) } else { Err(format!("naive {naive:#?}\nengine {engine:#?}")) }
    });
}
