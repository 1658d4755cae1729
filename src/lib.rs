//! Ringfence audits *declared* data sharing between parties: it follows every
//! piece of data along every chain of declared flows and reports where it ends
//! up against a rule, a contract's own terms or a public promise.
//!
//! The path of the data is the path of the modules, one direction, no circles:
//!
//! source text → spanned YAML → inventory → resolved model → flow graph →
//! propagation → checks and rules → findings → reports.

pub mod diagnostic;
pub mod source;
pub mod yaml;
