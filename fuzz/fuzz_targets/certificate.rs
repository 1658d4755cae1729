//! Any text as a certificate of one small inventory: it is no certificate, it does not hold, or it
//! holds; nothing panics.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ringfence::certificate::{Certificate, digests, verify};
use ringfence::load::{Request, World, load};
use ringfence::source::Sources;

static JUDGED: LazyLock<(World, Vec<(String, String)>)> = LazyLock::new(|| {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/open-banking");
    let request =
        Request { paths: vec![sample.into()], policies: vec!["core".to_owned()], ..Request::default() };
    let mut sources = Sources::new();
    let world = load(&request, &mut sources).expect("a sample can be read");
    let files = digests(&sources);
    (world, files)
});

fuzz_target!(|text: &[u8]| {
    if let Ok(certificate) = serde_json::from_slice::<Certificate>(text) {
        let (world, files) = &*JUDGED;
        verify(&certificate, world, files);
    }
});
