//! Laws that hold for every audit, whatever it finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::naive::evaluate::Key;
use crate::naive::harness::{self, Output};
use crate::naive::world::{Body, Flow, FlowBody, World};
use crate::naive::{generate, write};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

const BINARY: &str = env!("CARGO_BIN_EXE_ringfence");

fn fingerprint(finding: &Value) -> String {
    finding["fingerprint"].as_str().unwrap_or("").to_owned()
}

/// The leaves below the keys of a printed list.
fn leaves(world: &World, keys: &Value) -> BTreeSet<String> {
    let tree = crate::naive::taxonomy::Tree::new(world.taxonomy.data.keys());
    let keys = keys.as_array().into_iter().flatten();
    keys.filter_map(Value::as_str).flat_map(|key| tree.leaves_of(key)).collect()
}

fn without(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|v| without(v, keys)),
        Value::Object(map) => {
            map.retain(|key, _| !keys.contains(&&**key));
            map.values_mut().for_each(|v| without(v, keys));
        }
        _ => {}
    }
}

fn same(what: &str, one: &Value, other: &Value) -> Result<(), String> {
    if one == other {
        return Ok(());
    }
    let pretty = |v: &Value| serde_json::to_string_pretty(v).expect("JSON");
    let (one, other) = (pretty(one), pretty(other));
    let mut lines = one.lines().zip(other.lines());
    let first = lines.position(|(a, b)| a != b).unwrap_or(0);
    let near = |text: &str| {
        let lines = text.lines().skip(first.saturating_sub(8)).take(16);
        lines.collect::<Vec<_>>().join("\n")
    };
    Err(format!("{what}\n--- before\n{}\n--- after\n{}", near(&one), near(&other)))
}

#[test]
fn another_flow_only_adds_to_forbidden_arrivals() {
    let more = (any::<u8>(), any::<u8>(), 0..14_usize, 0..8_usize);
    harness::try_all(
        harness::cases(150),
        (generate::world(), more),
        |(world, more)| format!("{}# one more flow: {more:?}", harness::show(world)),
        |(world, more)| {
            let before = harness::run(BINARY, world, 0)?;
            let after = harness::run(BINARY, &with_flow(world, *more), 0)?;
            only_added(world, &before, &after)
        },
    );
}

fn with_flow(world: &World, (from, to, data, purpose): (u8, u8, usize, usize)) -> World {
    let names: Vec<String> =
        world.parties.iter().flat_map(|p| p.systems.iter().map(|s| format!("{}/{}", p.id, s.id))).collect();
    let from = usize::from(from) % names.len();
    let to = usize::from(to) % names.len();
    let to = if from == to { (to + 1) % names.len() } else { to };
    let mut world = world.clone();
    world.flows.push(Flow {
        id: "another".to_owned(),
        body: FlowBody {
            from: Some(names[from].clone()),
            to: Some(names[to].clone()),
            data: vec![generate::DATA[data].to_owned()],
            purposes: vec![generate::PURPOSES[purpose].to_owned()],
            ..FlowBody::default()
        },
        ..Flow::default()
    });
    world
}

fn only_added(world: &World, before: &Output, after: &Output) -> Result<(), String> {
    let forbids = |rule: &str| {
        let rules = crate::naive::evaluate::judged(world);
        rules.iter().any(|r| r.id == rule && matches!(r.body, Body::Forbid(_)))
    };
    let assumed: BTreeSet<Option<String>> = harness::findings(&before.json)
        .iter()
        .map(harness::key_of)
        .filter(|key| key.rule == "flow/unsourced")
        .map(|key| key.source)
        .collect();
    let later: BTreeMap<Key, Value> =
        harness::findings(&after.json).into_iter().map(|f| (harness::key_of(&f), f)).collect();
    for finding in harness::findings(&before.json) {
        let key = harness::key_of(&finding);
        if !forbids(&key.rule) || assumed.contains(&key.source) {
            continue;
        }
        let Some(still) = later.get(&key) else {
            return Err(format!("gone: {key:?}"));
        };
        let lost = &leaves(world, &finding["data"]) - &leaves(world, &still["data"]);
        if !lost.is_empty() {
            return Err(format!("{key:?} lost {lost:?}"));
        }
    }
    Ok(())
}

#[test]
fn files_and_order_change_nothing_but_locations() {
    harness::try_all(
        harness::cases(150),
        (generate::world(), 1..1000_u64),
        |(world, layout)| format!("{}# layout {layout}", harness::show(world)),
        |(world, layout)| {
            let strip = |output: Output| {
                let mut json = output.json;
                without(&mut json, &["location", "digest"]);
                let notices = json["notices"].as_array().cloned().unwrap_or_default();
                let mut notices: Vec<String> = notices.iter().map(Value::to_string).collect();
                notices.sort();
                json["notices"] = json!(notices);
                (output.exit, json)
            };
            let (exit, plain) = strip(harness::run(BINARY, world, 0)?);
            let (other_exit, other) = strip(harness::run(BINARY, world, *layout)?);
            if exit != other_exit {
                return Err(format!("exit {exit}, then {other_exit}"));
            }
            same("another layout, another report", &plain, &other)
        },
    );
}

#[test]
fn a_waiver_changes_only_the_status() {
    harness::try_all(
        harness::cases(150),
        (generate::world(), generate::waiver()),
        |(world, waiver)| format!("{}# one more waiver: {waiver:?}", harness::show(world)),
        |(world, waiver)| {
            let mut bare = world.clone();
            bare.waivers.clear();
            let mut waived = world.clone();
            let mut waiver = waiver.clone();
            waiver.agreements.clear();
            waiver.origins.clear();
            waived.waivers.push(waiver);
            let strip = |output: Output| {
                let mut json = output.json;
                without(&mut json, &["location", "digest", "status", "new", "grown", "beyond", "waiver"]);
                for key in ["notices", "summary"] {
                    json[key] = Value::Null;
                }
                json
            };
            same(
                "a waiver changes more than the status",
                &strip(harness::run(BINARY, &bare, 0)?),
                &strip(harness::run(BINARY, &waived, 0)?),
            )
        },
    );
}

#[test]
fn a_waiver_by_fingerprint_waives_that_finding_alone() {
    harness::try_all(
        harness::cases(100),
        (generate::world(), any::<u8>()),
        |(world, _)| harness::show(world),
        |(world, which)| {
            let mut world = world.clone();
            world.waivers.clear();
            let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
            write::write(&world, dir.path(), 0);
            let before = harness::findings(&harness::audit(BINARY, &world, dir.path())?.json);
            if before.is_empty() {
                return Ok(());
            }
            let chosen = fingerprint(&before[usize::from(*which) % before.len()]);
            let waiver = json!({"waivers": [{
                "finding": chosen,
                "reason": "accepted",
                "approved_by": "board",
                "expires": crate::naive::evaluate::DAY,
            }]});
            let file = dir.path().join("inventory/waivers.yaml");
            std::fs::write(file, write::yaml(&waiver)).map_err(|e| e.to_string())?;
            let after = harness::findings(&harness::audit(BINARY, &world, dir.path())?.json);
            for finding in &after {
                let wanted = if fingerprint(finding) == chosen { "waived" } else { "new" };
                if finding["status"] != wanted {
                    return Err(format!("{chosen} waived; not {wanted}: {finding}"));
                }
            }
            Ok(())
        },
    );
}

#[test]
fn a_fingerprint_is_a_function_of_rule_and_key() {
    let known: RefCell<BTreeMap<Key, String>> = RefCell::default();
    let owners: RefCell<BTreeMap<String, Key>> = RefCell::default();
    harness::try_all(harness::cases(150), generate::world(), harness::show, |world| {
        for finding in harness::findings(&harness::run(BINARY, world, 0)?.json) {
            let (mut key, print) = (harness::key_of(&finding), fingerprint(&finding));
            // Of a limit and of a requirement the key is the rule and the subject.
            if key.subject.is_some() {
                key.sink = None;
            }
            // Of a check on a flow it is the check and the flow.
            if key.flow.is_some() {
                (key.source, key.sink) = (None, None);
            }
            let digits = print.strip_prefix("rf1:").unwrap_or("");
            let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            if digits.len() != 16 || !digits.chars().all(hex) {
                return Err(format!("no fingerprint: {print:?}"));
            }
            let before = known.borrow_mut().insert(key.clone(), print.clone());
            if before.as_ref().is_some_and(|b| *b != print) {
                return Err(format!("{key:?} has {before:?} and {print}"));
            }
            let owner = owners.borrow_mut().insert(print.clone(), key.clone());
            if owner.as_ref().is_some_and(|o| *o != key) {
                return Err(format!("{print} is of {owner:?} and of {key:?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    harness::try_all(harness::cases(100), generate::world(), harness::show, |world| {
        let first = harness::run(BINARY, world, 0)?.bytes;
        let second = harness::run(BINARY, world, 0)?.bytes;
        if first == second { Ok(()) } else { Err("two runs, two outputs".to_owned()) }
    });
}
