//! What is declared, as it is written: inventories, policies, settings, baselines, built-in packs.

pub mod baseline;
pub mod config;
pub mod fields;
pub mod gate;
pub mod inventory;
pub mod lexicon;
pub mod packs;
pub mod places;
pub mod policy;
pub mod upgrade;
pub mod words;
