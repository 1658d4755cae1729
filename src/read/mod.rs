//! Bytes to a spanned tree, and that tree to typed values: files, revisions, YAML, decoding.

pub mod decode;
pub mod documents;
pub mod files;
pub mod input;
pub mod places;
pub mod yaml;
