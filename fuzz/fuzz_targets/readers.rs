//! The quick reader of YAML and the general parser: what the quick one accepts has the same tree
//! with the same places, and no mistake.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence::source::FileId;
use ringfence::yaml::{Limits, fast, general};

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    if let Some(quick) = fast(FileId(1), text, &limits) {
        let mut mistakes = Vec::new();
        let whole = general(FileId(1), text, &limits, &mut mistakes);
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        assert_eq!(quick, whole);
    }
});
