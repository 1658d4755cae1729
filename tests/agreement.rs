//! The engine and the naive evaluator agree on random worlds.

mod naive;

use naive::{generate, harness};
use proptest::prelude::*;

#[test]
fn the_engine_agrees_with_the_naive_evaluator() {
    let binary = env!("CARGO_BIN_EXE_ringfence");
    // Mostly one plain file, sometimes several in another dress.
    let layout = prop_oneof![3 => Just(0_u64), 1 => 1..1000_u64];
    harness::try_all(
        harness::cases(300),
        (generate::world(), layout),
        |(world, layout)| format!("{}# layout {layout}", harness::show(world)),
        |(world, layout)| harness::agree(binary, world, *layout),
    );
}
