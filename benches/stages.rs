//! What each stage of an audit costs, on generated inventories:
//!
//!     cargo bench --bench stages                    # 1,000 and 10,000 flows
//!     RINGFENCE_FLOWS=100000 cargo bench --bench stages -- read
//!
//! `read`: files to texts. `parse`: texts to trees. `load`: files to a checked world, which
//! holds both. `judge`: a loaded world to its verdict, for the pack `core` with all built-in
//! checks, and for one `forbid` rule of it. `report`: a verdict to JSON and to text.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput};
use ringfence::source::Sources;
use ringfence::testing::files::DISK;
use ringfence::testing::input::InputOptions;
use ringfence::testing::{input, yaml};
use ringfence::{Format, Limits, Options, Report, Request, World, audit, load};

fn read(folder: &Path) -> Sources {
    let mut sources = Sources::default();
    let paths = [folder.to_owned()];
    let mut mistakes = Vec::new();
    input::read(DISK, &paths, &InputOptions::default(), &mut sources, &mut mistakes);
    assert!(mistakes.is_empty());
    sources
}

fn world(folder: &Path, policy: &str) -> (World, Sources) {
    let mut sources = Sources::default();
    let request =
        Request { paths: vec![folder.to_owned()], policies: vec![policy.to_owned()], ..Request::default() };
    let world = load(&request, &mut sources).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    (world, sources)
}

fn stages(criterion: &mut Criterion, flows: usize) {
    let folder = tempfile::tempdir().unwrap();
    let inventory = folder.path().join("inventory");
    xtask::generate(xtask::Options::new(flows, 1), &inventory).unwrap();
    let rule = folder.path().join("rule.yaml");
    fs::write(&rule, include_str!("rule.yaml")).unwrap();
    let texts = read(&inventory);
    let bytes: usize = texts.iter().map(|(_, file)| file.length()).sum();
    let (core, sources) = world(&inventory, "core");
    let (one, _) = world(&inventory, rule.to_str().unwrap());
    let options = Options::new(jiff::civil::date(2026, 11, 23));
    let verdict = audit(&core, &sources, &options);

    let mut group = criterion.benchmark_group(format!("{flows}"));
    group.sample_size(10);
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("read", |b| b.iter(|| black_box(read(&inventory))));
    group.bench_function("parse", |b| {
        b.iter(|| {
            let mut mistakes = Vec::new();
            for (file, text) in texts.iter() {
                black_box(yaml::parse(
                    file,
                    text.text().unwrap_or_default(),
                    &Limits::default(),
                    &mut mistakes,
                ));
            }
            assert!(mistakes.is_empty());
        });
    });
    group.bench_function("load", |b| b.iter(|| black_box(world(&inventory, "core"))));
    group.throughput(Throughput::Elements(flows as u64));
    for (name, world) in [("core", &core), ("one rule", &one)] {
        group.bench_function(BenchmarkId::new("judge", name), |b| {
            b.iter(|| black_box(audit(world, &sources, &options)));
        });
    }
    group.throughput(Throughput::Elements(verdict.findings.len() as u64));
    for format in [Format::Json, Format::Text] {
        group.bench_function(BenchmarkId::new("report", format!("{format:?}")), |b| {
            b.iter(|| black_box(Report::new(&verdict).render(format).unwrap()));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let sizes = std::env::var("RINGFENCE_FLOWS").unwrap_or_else(|_| "1000,10000".to_owned());
    for flows in sizes.split(',').map(|size| size.trim().parse().unwrap()) {
        stages(&mut criterion, flows);
    }
    criterion.final_summary();
}
