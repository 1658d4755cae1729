//! Engines that are broken on purpose: what each would say is certified, and held against what is
//! really declared. Wherever the fault changes what is found, that is told.

use std::cell::Cell;
use std::sync::Arc;

use proptest::prelude::*;
use ringfence::testing::bits::LeafSet;
use ringfence::testing::inventory::Terms;
use ringfence::testing::model::{FlowId, Model};
use ringfence::testing::taxonomy::Key;
use ringfence::vocabulary::Onward;
use ringfence::{World, audit};

use super::judged::Judged;
use crate::naive::{generate, harness};

/// A way in which an engine may be wrong, at one place of a world.
type Fault = (String, Box<dyn Fn(&mut Model)>);

/// Takes one term away.
type Unchecked = fn(&mut Terms);

/// What may be left out of terms.
const UNCHECKED: [(&str, Unchecked); 6] = [
    ("purposes", |terms| terms.purposes = None),
    ("prohibited_purposes", |terms| terms.prohibited_purposes.clear()),
    ("onward_transfer", |terms| terms.onward_transfer = Some(Onward::Permitted)),
    ("retention", |terms| terms.retention = None),
    ("consent", |terms| terms.consent = None),
    ("safeguards", |terms| terms.safeguards.clear()),
];

/// Makes a flow carry some leaves, and no other, as if it named nothing else.
fn carry(model: &mut Model, id: FlowId, leaves: LeafSet) {
    let data = model.flows[id].declared.data.iter();
    let named = |key: &Key| model.data.leaves([key]).intersects(&leaves);
    let data = data.filter(|key| named(&key.value)).cloned().collect();
    model.flows[id].declared.data = data;
    model.flows[id].leaves = Arc::new(leaves);
}

/// Every place at which each kind of fault may be.
fn faults(model: &Model) -> Vec<Fault> {
    let mut all: Vec<Fault> = Vec::new();
    for (id, flow) in model.flows.iter() {
        all.push((
            format!("{} is dropped", flow.name),
            Box::new(move |model| {
                let none = LeafSet::empty(model.data.leaf_count());
                carry(model, id, none);
            }),
        ));
        for leaf in flow.leaves.iter() {
            all.push((
                format!("{} does not carry leaf {leaf}", flow.name),
                Box::new(move |model| {
                    let mut one = LeafSet::empty(model.data.leaf_count());
                    one.insert(leaf);
                    let others = model.flows[id].leaves.minus(&one);
                    carry(model, id, others);
                }),
            ));
        }
        for (term, leave_out) in UNCHECKED {
            all.push((
                format!("{term} is not checked for {}", flow.name),
                Box::new(move |model| {
                    let mut terms = Terms::clone(&model.flows[id].terms);
                    leave_out(&mut terms);
                    Arc::make_mut(&mut model.flows[id].shared).terms = Arc::new(terms);
                }),
            ));
        }
    }
    for (id, system) in model.systems.iter().filter(|(_, system)| !system.originates.is_empty()) {
        all.push((
            format!("what starts at {} is lost", system.name),
            Box::new(move |model| {
                model.systems[id].originates = LeafSet::empty(model.data.leaf_count());
            }),
        ));
    }
    all
}

/// What is found of a world: rules, and on what.
fn found(judged: &Judged, world: &World) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let audit = audit(world, &judged.sources, &judged.options);
    let found = audit.findings.iter().map(|f| (f.fingerprint.clone(), f.data.clone())).collect();
    let certificate = judged.certificate_from(world, &audit);
    (found, judged.failures(&certificate))
}

/// Injects faults; how many, and how many of them changed what is found.
fn inject<'f>(judged: &Judged, faults: impl Iterator<Item = &'f Fault>) -> Result<(usize, usize), String> {
    let (right, failures) = found(judged, &judged.world);
    assert!(failures.is_empty(), "{failures:?}");
    let (mut injected, mut mattered) = (0, 0);
    for (what, damage) in faults {
        let mut world = judged.world.clone();
        damage(&mut world.model);
        let (wrong, failures) = found(judged, &world);
        injected += 1;
        if wrong != right {
            mattered += 1;
            if failures.is_empty() {
                return Err(format!("nobody is told that {what}"));
            }
        }
    }
    Ok((injected, mattered))
}

#[test]
fn every_fault_that_changes_the_verdict_on_a_sample_is_told() {
    for sample in ["messenger-banking", "cambridge-analytica"] {
        let judged = Judged::sample(sample, &["core"]);
        let faults = faults(&judged.world.model);
        // Every fifth, unless more is asked for.
        let step = if harness::cases(0) == 0 { 5 } else { 1 };
        let (injected, mattered) =
            inject(&judged, faults.iter().step_by(step)).unwrap_or_else(|why| panic!("{sample}: {why}"));
        println!("{sample}: {injected} faults, {mattered} of them change what is found, all told");
        assert!(mattered > 3, "{sample}: {mattered} of {injected}");
    }
}

#[test]
fn every_fault_that_changes_the_verdict_on_a_random_world_is_told() {
    let counted = Cell::new((0, 0));
    harness::try_all(
        harness::cases(40),
        (generate::world(), any::<prop::sample::Index>()),
        |(world, at)| format!("{}# fault {at:?}", harness::show(world)),
        |(world, at)| {
            let dir = tempfile::tempdir().unwrap();
            let judged = Judged::declared(world, dir.path(), 0);
            let faults = faults(&judged.world.model);
            if faults.is_empty() {
                return Ok(());
            }
            let first = at.index(faults.len());
            let (injected, mattered) = inject(&judged, faults.iter().cycle().skip(first).step_by(7).take(4))?;
            let (before, mattered_before) = counted.get();
            counted.set((before + injected, mattered_before + mattered));
            Ok(())
        },
    );
    let (injected, mattered) = counted.get();
    println!("random worlds: {injected} faults, {mattered} of them change what is found, all told");
    assert!(mattered * 20 > injected, "{mattered} of {injected}");
}
