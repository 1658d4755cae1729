//! Certificates and bundles: what a result rests on, written and checked.

pub mod bundle;
pub mod certificate;
pub mod outcome;
