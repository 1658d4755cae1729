//! What the fuzz targets try, each a function of any bytes that panics where something does not
//! hold. `tests/it/fuzz_seeds.rs` runs them on the seeds, with the compiler that all else is built
//! with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod judged;
pub mod random;
pub mod trees;

#[path = "../../tests/it/naive/mod.rs"]
mod naive;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ringfence::source::{FileId, Sources};
use ringfence::testing::yaml::{fast, general};
use ringfence::{Baseline, Certificate, Expected, Limits, Request, World, audit, verify};

use judged::{Judged, options};
pub use random::agreement;

/// A target: its name, what it tries.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
    ("readers", readers),
    ("inventory", inventory),
    ("decoder", decoder),
    ("policies", policies),
    ("waivers", waivers),
    ("certificate", certificate),
    ("agreement", agreement),
];

/// The repository, whether it is asked from there or from `fuzz`.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = manifest.join("samples").is_dir();
    if here { manifest.to_owned() } else { manifest.parent().expect("a folder above").to_owned() }
}

fn sample(name: &str) -> PathBuf {
    root().join("samples").join(name)
}

/// What of some bytes is text.
fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to there"),
    }
}

/// The quick reader of YAML and the general parser: what the quick one accepts has the same tree
/// with the same places, and no mistake.
pub fn readers(bytes: &[u8]) {
    let text = text(bytes);
    let limits = Limits::default();
    if let Some(quick) = fast(FileId(1), text, &limits) {
        let mut mistakes = Vec::new();
        let whole = general(FileId(1), text, &limits, &mut mistakes);
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        assert_eq!(quick, whole);
    }
}

/// Any text as an inventory: it is refused with its mistakes, or judged, reported and certified,
/// and the certificate holds.
pub fn inventory(bytes: &[u8]) {
    judge_alone(text(bytes));
}

/// As `inventory`, of texts that are declarations but for a few values, moved, lost or replaced.
pub fn decoder(bytes: &[u8]) {
    judge_alone(&trees::changed(bytes));
}

fn judge_alone(text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("inventory.yaml");
    fs::write(&file, text).expect("a file");
    let request = Request { paths: vec![file], policies: vec!["core".to_owned()], ..Request::default() };
    if let Some(judged) = Judged::new(&request, options()) {
        judged.all_holds(text.len());
    }
}

/// Any text as a policy for a sample: it is refused, or the sample is judged by it, reported and
/// certified.
pub fn policies(bytes: &[u8]) {
    let text = text(bytes);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.yaml");
    fs::write(&file, text).expect("a file");
    let request = Request {
        paths: vec![sample("cambridge-analytica")],
        policies: vec![file.to_str().expect("a name").to_owned()],
        ..Request::default()
    };
    if let Some(judged) = Judged::new(&request, options()) {
        judged.all_holds(text.len());
    }
}

/// A sample under `core`, without anything else.
static SAMPLE: LazyLock<Judged> = LazyLock::new(|| {
    let request = Request {
        paths: vec![sample("cambridge-analytica")],
        policies: vec!["core".to_owned()],
        ..Request::default()
    };
    Judged::new(&request, options()).expect("a sample can be read")
});

/// Any text as a baseline and as a file of waivers: whatever it accepts, it takes no finding away
/// and brings none.
pub fn waivers(bytes: &[u8]) {
    let text = text(bytes);
    if let Ok(baseline) =
        Baseline::read("known.json".into(), text.to_owned(), &Limits::default(), &mut Sources::new())
    {
        let written = baseline.to_json().expect("it is written");
        let again = Baseline::read("again.json".into(), written, &Limits::default(), &mut Sources::new());
        assert_eq!(again.as_ref(), Ok(&baseline));
        let options = ringfence::Options { baseline: Some(baseline), ..options() };
        let known = audit(&SAMPLE.world, &SAMPLE.sources, &options);
        assert_eq!(judged::fingerprints(&known), SAMPLE.fingerprints());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("waivers.yaml");
    fs::write(&file, text).expect("a file");
    let request = Request {
        paths: vec![sample("cambridge-analytica"), file],
        policies: vec!["core".to_owned()],
        ..Request::default()
    };
    if let Some(judged) = Judged::new(&request, options()) {
        if declared(&judged.world) == declared(&SAMPLE.world) {
            assert_eq!(judged.fingerprints(), SAMPLE.fingerprints());
        }
        judged.all_holds(text.len());
    }
}

/// The baseline of what `waivers` judges.
pub fn true_baseline() -> Vec<u8> {
    Baseline::of(&SAMPLE.audit).to_json().expect("it is written").into_bytes()
}

/// The result of what `waivers` judges: that is a baseline, too.
pub fn true_audit() -> Vec<u8> {
    SAMPLE.said().into_bytes()
}

/// How much is declared besides waivers.
fn declared(world: &World) -> [usize; 6] {
    let model = &world.model;
    [
        model.parties.len(),
        model.agreements.len(),
        model.flows.len(),
        model.statements.len(),
        model.data.names().count(),
        model.purposes.names().count(),
    ]
}

/// Any text as a certificate of a sample: it is none, it does not hold or it holds.
pub fn certificate(bytes: &[u8]) {
    static JUDGED: LazyLock<Judged> = LazyLock::new(|| {
        let request = Request {
            paths: vec![sample("open-banking")],
            policies: vec!["core".to_owned()],
            ..Request::default()
        };
        Judged::new(&request, options()).expect("a sample can be read")
    });
    if let Ok(certificate) = serde_json::from_slice::<Certificate>(bytes) {
        let expected = Expected::on(options().day);
        verify(&certificate, &JUDGED.world, &JUDGED.files, &expected);
    }
}

/// A certificate of what `certificate` is asked about.
pub fn true_certificate() -> Vec<u8> {
    let request = Request {
        paths: vec![sample("open-banking")],
        policies: vec!["core".to_owned()],
        ..Request::default()
    };
    Judged::new(&request, options()).expect("a sample can be read").certificate()
}
