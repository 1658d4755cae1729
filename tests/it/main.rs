//! The integration tests, in one binary: each module is one subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// The seeds of the fuzz targets are tried with what the targets are made of.
#![allow(clippy::duplicate_mod)]

mod accepting;
mod agreement;
mod around;
mod bad_input;
mod bundle;
mod cases;
mod causes;
mod certificate;
mod ci_guide;
mod classes;
mod cli;
mod common;
mod corners;
mod dependencies;
mod derivations;
mod diagram;
mod difference;
mod fields;
mod foreign_repository;
mod formats;
mod fuzz_seeds;
mod gate;
mod gate_changes;
mod gate_routes;
mod holdings;
mod hostile;
mod hostile_formats;
mod html;
mod injection;
mod law;
mod laws;
mod left_out;
mod limits;
mod matchers;
mod naive;
mod naive_selftest;
mod packs;
mod packs_review;
mod pardon_laws;
mod pipeline;
mod pipelines;
mod policies;
mod policy_guide;
mod policy_language;
mod policy_test;
mod promises;
mod readme;
mod reidentified;
mod report;
mod rooms;
mod rules;
mod samples;
mod schema;
mod small_inputs;
mod upgrade;
mod verify_scope;
mod whole_files;
mod words;
mod written;
mod yaml_fast;
mod yaml_reader;
mod yaml_traps;
