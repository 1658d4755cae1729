//! Ringfence audits *declared* data sharing between parties: it follows every
//! piece of data along every chain of declared flows and reports where it ends
//! up against a rule, a contract's own terms or a public promise.
//!
//! Data moves one way through the modules: text is read ([`read`]), taken as declarations
//! ([`declare`]), resolved ([`model`]), followed ([`flow`]), judged ([`audit`]), and what comes of it is
//! compared ([`compare`]), reported ([`report`]) and verified ([`verify`]). Each uses those before it and
//! none behind it.

pub mod audit;
pub mod base;
pub mod compare;
pub mod declare;
pub mod flow;
pub mod model;
pub mod policy_test;
pub mod read;
pub mod report;
pub mod verify;
