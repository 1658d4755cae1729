//! Engines that are broken on purpose: what each would say is certified, and held against what is
//! really declared. Wherever the fault changes what is found, that is told.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use ringfence::audit::audit;
use ringfence::bits::LeafSet;
use ringfence::inventory::Terms;
use ringfence::load::World;
use ringfence::model::{FlowId, Model};
use ringfence::taxonomy::Key;
use ringfence::vocabulary::Onward;

use super::judged::Judged;
use super::ringfence;
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

/// The entries of a cache, by name.
fn entries(cache: &Path) -> BTreeSet<PathBuf> {
    let folders = fs::read_dir(cache).unwrap().map(|folder| folder.unwrap().path());
    let entries = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    entries.map(|entry| entry.strip_prefix(cache).unwrap().to_owned()).collect()
}

const PARTIES: &str = "\
parties:
  - id: bank
    name: A bank
    role: bank
    systems:
      - {id: core, purposes: [service], originates: [financial.account.balance]}
  - id: ads
    name: Advertisements
    role: ad_network
    systems:
      - {id: targeting, purposes: [advertising]}
";

const FLOWS: &str = "\
flows:
  - {id: given, from: bank/core, to: ads/targeting, data: [financial.account.balance], purposes: [advertising]}
";

/// A cache that holds, under the name of a file as it is, what the file was before: the audit that
/// trusts it finds nothing, and what it certifies does not hold.
#[test]
fn a_stale_cache_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = dir.path().join("inventory");
    fs::create_dir(&inventory).unwrap();
    fs::write(inventory.join("parties.yaml"), PARTIES).unwrap();
    let flows = inventory.join("flows.yaml");
    let audit = |cache: &str| {
        let common = ["audit", "inventory", "--policy", "core", "--day", "2026-01-01", "--fail-on", "low"];
        ringfence(
            dir.path(),
            &[&common[..], &["--cache", cache, "--certificate", "certificate.json"]].concat(),
        )
    };
    let verified = || ringfence(dir.path(), &["verify", "certificate.json", "inventory", "--policy", "core"]);

    fs::write(&flows, FLOWS.replace("id: given,", "id: given, transform: anonymised,")).unwrap();
    assert_eq!((audit("before").2, verified().0), (String::new(), 0));
    fs::write(&flows, FLOWS).unwrap();
    let (code, right, _) = audit("now");
    assert_eq!((code, verified().0), (1, 0), "{right}");

    let (before, now) = (dir.path().join("before"), dir.path().join("now"));
    let only = |these: &BTreeSet<PathBuf>, others: &BTreeSet<PathBuf>| {
        let only: Vec<PathBuf> = these.difference(others).cloned().collect();
        assert_eq!(only.len(), 1, "one file has changed: {only:?}");
        only[0].clone()
    };
    let (stale, fresh) = (entries(&before), entries(&now));
    fs::copy(before.join(only(&stale, &fresh)), now.join(only(&fresh, &stale))).unwrap();
    let (_, wrong, _) = audit("now");
    assert_ne!(wrong, right);
    let (code, said, errors) = verified();
    assert_eq!(code, 1, "{said}{errors}");
    assert!(said.contains("not verified: core/no-financial-third-parties"), "{said}{errors}");
}
