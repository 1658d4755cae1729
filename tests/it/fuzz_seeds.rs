//! What the fuzz targets hold, held on stable: over the committed seeds, and over the samples,
//! the policies and what the program writes of them. `scripts/fuzz` starts from the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code)]
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
}

fn below(folder: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&Path::new(ROOT).join(folder), &mut all);
    all
}

fn target(name: &str) -> fn(&[u8]) {
    fuzz::TARGETS.iter().find(|(target, _)| *target == name).unwrap().1
}

fn seeds_of(name: &str) {
    let seeds = below(&format!("fuzz/seeds/{name}"));
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let yaml = below("samples")
        .into_iter()
        .chain(below("policies"))
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"));
    let more: Vec<PathBuf> = match name {
        "readers" => yaml.collect(),
        "inventory" => yaml.filter(|p| p.to_string_lossy().contains("samples")).collect(),
        "policies" => yaml.filter(|p| p.ends_with("policy.yaml")).collect(),
        _ => Vec::new(),
    };
    for path in seeds.iter().chain(&more) {
        eprintln!("{name}: {}", path.display());
        target(name)(&fs::read(path).unwrap());
    }
}

macro_rules! seeds {
    ($($name:ident),*) => {
        $(#[test] fn $name() { seeds_of(stringify!($name)); })*

        #[test]
        fn every_target_is_here_and_can_be_built() {
            let here = BTreeSet::from([$(stringify!($name).to_owned()),*]);
            let known: BTreeSet<String> = fuzz::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
            let built = below("fuzz/fuzz_targets");
            let built = built.iter().map(|p| p.file_stem().unwrap().to_string_lossy().into_owned()).collect();
            assert_eq!(here, known);
            assert_eq!(here, built);
            let manifest = fs::read_to_string(Path::new(ROOT).join("fuzz/Cargo.toml")).unwrap();
            for name in here {
                assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
            }
        }
    };
}

seeds!(readers, inventory, decoder, policies, waivers, certificate, agreement);

#[test]
fn what_the_program_writes_is_taken() {
    let written = [
        ("certificate", fuzz::true_certificate()),
        ("waivers", fuzz::true_baseline()),
        ("waivers", fuzz::true_audit()),
    ];
    // `scripts/fuzz` starts from these, too.
    let corpus = std::env::var_os("FUZZ_CORPUS").map(PathBuf::from);
    for (number, (name, bytes)) in written.iter().enumerate() {
        target(name)(bytes);
        if let Some(corpus) = &corpus {
            fs::create_dir_all(corpus.join(name)).unwrap();
            fs::write(corpus.join(name).join(format!("written-{number}")), bytes).unwrap();
        }
    }
}

#[test]
fn seeds_that_should_be_judged_are_judged() {
    let seed = |name: &str| Path::new(ROOT).join("fuzz/seeds").join(name);
    let check = |paths: &[PathBuf], policy: &Path| {
        let mut command = Command::cargo_bin("ringfence").unwrap();
        command.arg("check").args(paths).arg("--policy").arg(policy).assert().success();
    };
    let all = seed("policies/all.yaml");
    check(&[seed("inventory/small.yaml")], &all);
    check(&[seed("inventory/rich.yaml")], &all);
    let sample = Path::new(ROOT).join("samples/cambridge-analytica");
    check(&[sample, seed("waivers/waivers.yaml")], &all);
}

#[test]
fn bytes_come_to_worlds_and_declarations_of_all_sorts() {
    let of = |make: fn(&[u8]) -> String| -> BTreeSet<String> {
        (0..50_u8).map(|n| make(blake3::hash(&[n]).as_bytes())).collect()
    };
    assert!(of(fuzz::random::show).len() > 45);
    assert!(of(fuzz::trees::changed).len() > 45);
}
