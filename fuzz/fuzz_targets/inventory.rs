//! Any text as an inventory: it is refused with its mistakes, or judged, reported and certified;
//! nothing panics, and the certificate holds.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use ringfence::audit::{Options, audit};
use ringfence::certificate::{self, Certificate, digests};
use ringfence::load::{Request, load};
use ringfence::source::Sources;

fuzz_target!(|text: &str| {
    let folder = std::env::temp_dir().join(format!("ringfence-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("inventory.yaml");
    fs::write(&file, text).expect("a file");
    let request = Request { paths: vec![file], policies: vec!["core".to_owned()], ..Request::default() };
    let mut sources = Sources::new();
    let Ok(world) = load(&request, &mut sources) else {
        return;
    };
    let options = Options::new(jiff::civil::date(2026, 11, 23));
    let result = audit(&world, &sources, &options);
    let files = digests(&sources);
    let mut written = Vec::new();
    certificate::write(&world, &files, &options, &result, &mut written).expect("it is written");
    let read: Certificate = serde_json::from_slice(&written).expect("it is read");
    let verified = certificate::verify(&read, &world, &files);
    assert!(verified.failures.is_empty(), "{:#?}", verified.failures);
});
