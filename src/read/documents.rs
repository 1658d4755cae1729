//! What the documents of files are, told by their top-level keys.
//!
//! Each document is judged by itself, and none hides what belongs into another kind: a key of
//! another kind is a mistake that says where it belongs.

use crate::read::yaml::{Node, Value};

/// The name of the file that holds settings.
pub const SETTINGS: &str = "ringfence.yaml";

/// A kind of document.
struct Kind {
    /// As mistakes name it.
    what: &'static str,
    /// The keys that no other kind has.
    own: &'static [&'static str],
}

/// What may stand at the top of an inventory's document, and of no other.
pub const DECLARED: [&str; 6] = ["taxonomy", "parties", "agreements", "flows", "statements", "waivers"];
/// What may stand at the top of a file of tests.
pub const TESTS: [&str; 2] = ["policies", "tests"];

/// All kinds.
const KINDS: [Kind; 6] = [
    Kind { what: "an inventory", own: &DECLARED },
    Kind { what: "a policy", own: &["policy", "rules"] },
    Kind { what: "a file of tests", own: &["tests"] },
    Kind {
        what: "a configuration",
        own: &["inventory", "exclude", "fail_on", "reports", "waiver_max", "imports"],
    },
    Kind { what: "a baseline", own: &["findings"] },
    Kind { what: "a mapping", own: &["import", "sources", "set", "accept"] },
];

/// Where a key belongs that is unknown in a document of this kind, in words.
pub fn belongs_elsewhere(what: &str, key: &str) -> Option<String> {
    KINDS.iter().find(|kind| kind.what == what)?;
    let home = KINDS.iter().find(|kind| kind.what != what && kind.own.contains(&key))?;
    Some(match home.what {
        "a configuration" => format!("`{key}` is a key of `ringfence.yaml`"),
        home => format!("`{key}` is a key of {home}: keep it in a document of its own"),
    })
}

fn has(document: &Node, keys: &[&str]) -> bool {
    matches!(&document.value, Value::Map(entries) if entries.iter().any(|e| keys.contains(&e.key.as_ref())))
}

/// Whether a document is a policy and so no part of an inventory.
pub fn is_policy(document: &Node) -> bool {
    has(document, &["policy"])
}

/// Whether a document holds tests of policies and so is no part of an inventory: what
/// declares something besides is read, and `tests` in it is a mistake.
pub fn is_tests(document: &Node) -> bool {
    has(document, &["tests"]) && !has(document, &DECLARED)
}

/// Whether a document says how something is imported and so is no part of an inventory. What declares
/// flows besides, or parties as an inventory does, is read.
pub fn is_mapping(document: &Node) -> bool {
    let as_list = |key: &str| match &document.value {
        Value::Map(entries) => entries.iter().any(|e| e.key == key && matches!(e.value.value, Value::Seq(_))),
        _ => false,
    };
    let declares = has(document, &["agreements", "flows", "statements", "waivers"]) || as_list("parties");
    has(document, &["import"]) && !declares
}

/// Whether a document declares categories or purposes.
pub fn declares_taxonomy(document: &Node) -> bool {
    has(document, &["taxonomy"])
}
