//! The naive evaluator: what the specification says, computed one item at a
//! time over a world held in memory, as an oracle for the engine.
//!
//! `world` is the declared world, `resolve` what each declaration comes to,
//! `walk` how items move, `matching` the matchers, `terms`, `rules` and
//! `require` the checks, `evaluate` the whole audit. `generate` makes random worlds, `write`
//! puts them on disk, `harness` runs the binary and compares.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod evaluate;
pub mod generate;
pub mod generate_rules;
pub mod harness;
pub mod matching;
pub mod never;
pub mod require;
pub mod resolve;
pub mod rules;
pub mod taxonomy;
pub mod terms;
pub mod walk;
pub mod world;
pub mod write;
