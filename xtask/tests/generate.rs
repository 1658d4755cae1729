//! A generated inventory is valid, has findings, and is the same each time.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;

use ringfence::source::Sources;
use ringfence::{Options as Judging, Request, audit, load};
use xtask::{FEWEST, Options, generate};

/// All files below a folder, by path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                all.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    all
}

fn written(options: Options) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    generate(options, folder.path()).unwrap();
    files(folder.path())
}

#[test]
fn the_same_options_give_the_same_bytes_and_another_seed_others() {
    let first = written(Options::new(2000, 7));
    assert!(first == written(Options::new(2000, 7)));
    assert!(first != written(Options::new(2000, 8)));
    let bytes: usize = first.values().map(Vec::len).sum();
    assert!(bytes / 2000 >= 250, "{bytes} bytes");
    assert!(first.values().all(|text| !text.contains(&b'\r')));
}

fn judged(options: Options) -> ringfence::finding::Audit {
    let folder = tempfile::tempdir().unwrap();
    let flows = options.flows;
    generate(options, folder.path()).unwrap();
    let mut sources = Sources::default();
    let request = Request {
        paths: vec![folder.path().to_owned()],
        policies: vec!["core".to_owned()],
        ..Request::default()
    };
    let world = load(&request, &mut sources).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    assert_eq!(world.model.flows.len(), flows);
    audit(&world, &sources, &Judging::new(jiff::civil::date(2026, 11, 23)))
}

#[test]
fn a_generated_inventory_is_valid_and_has_findings_of_several_kinds() {
    for seed in 0..4 {
        let audit = judged(Options::new(2000, seed));
        let mut rules: Vec<&str> = audit.findings.iter().map(|f| f.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        assert!(audit.summary.critical + audit.summary.high > 0);
        assert!(audit.findings.len() < 1000, "{}", audit.findings.len());
        for prefix in ["core/no-financial", "terms/", "statement/", "core/no-special-advertising"] {
            assert!(
                rules.iter().any(|rule| rule.starts_with(prefix)),
                "seed {seed}: no {prefix} in {rules:?}"
            );
        }
        assert!(audit.promises.iter().any(|p| p.kept), "seed {seed}");
        assert!(audit.relied_on.iter().any(|r| r.claim.contains("aggregated")), "seed {seed}");
    }
}

#[test]
fn without_leaks_no_bank_data_reaches_advertising() {
    let audit = judged(Options { leaks: 0.0, ..Options::new(2000, 3) });
    assert!(audit.findings.iter().all(|f| f.rule != "core/no-financial-advertising"));
}

#[test]
fn every_small_size_gives_exactly_so_many_flows() {
    for flows in [FEWEST, FEWEST + 1, 777, 1000] {
        judged(Options::new(flows, flows as u64));
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(generate(Options::new(FEWEST - 1, 1), folder.path()).is_err());
}
