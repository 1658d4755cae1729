//! Ringfence audits *declared* data sharing between parties: it follows every
//! piece of data along every chain of declared flows and reports where it ends
//! up against a rule, a contract's own terms or a public promise.
//!
//! The path of the data is the path of the modules, one direction, no circles:
//!
//! source text → spanned YAML → inventory → resolved model → flow graph →
//! propagation → checks and rules → findings → reports.

pub mod audit;
pub mod baseline;
pub mod bits;
pub mod bundle;
pub mod certificate;
pub mod checks;
pub mod config;
pub mod decode;
pub mod diagnostic;
pub mod diagram;
pub mod diff;
pub mod documents;
pub mod duration;
pub mod edit;
pub mod explain;
pub mod files;
pub mod finding;
pub mod gate;
pub mod glob;
pub mod graph;
pub mod holdings;
pub mod input;
pub mod inventory;
pub mod judge;
pub mod limits;
pub mod load;
pub mod matching;
pub mod model;
pub mod outcome;
pub mod packs;
pub mod places;
pub mod policy;
pub mod policy_test;
pub mod promises;
pub mod propagate;
pub mod record;
pub mod report;
pub mod rules;
pub mod sets;
pub mod source;
pub mod stages;
pub mod taxonomy;
pub mod terminal;
pub mod visible;
pub mod vocabulary;
pub mod words;
pub mod yaml;
