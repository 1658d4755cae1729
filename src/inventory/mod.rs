//! The declared world, as it stands in the files: parties with their systems,
//! agreements with their flows, promises, waivers. References are still names.

mod agreement;
mod flow;
mod meta;
mod party;
mod statement;
mod taxonomy;
mod terms;
mod waiver;

pub use agreement::{Agreement, Assurance};
pub use flow::{Disposed, Effective, Flow};
pub use meta::{Meta, SourceRef};
pub use party::{Derive, Party, System};
pub use statement::{Said, Statement};
pub use taxonomy::{TaxonomyDeclared, builtin, declared as declared_taxonomy};
pub use terms::{Clause, OnwardTo, Terms};
pub use waiver::Waiver;

use crate::decode::{Decoder, Fields};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Value};

/// Everything that the files declare, in the order of files and documents.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Legal entities.
    pub parties: Vec<Party>,
    /// Agreements, their flows within.
    pub agreements: Vec<Agreement>,
    /// Flows under no agreement.
    pub flows: Vec<Flow>,
    /// Public promises.
    pub statements: Vec<Statement>,
    /// Accepted findings.
    pub waivers: Vec<Waiver>,
}

/// Whether a document is a policy and so no part of an inventory.
pub fn is_policy(document: &Node) -> bool {
    matches!(&document.value, Value::Map(entries) if entries.iter().any(|e| e.key == "policy"))
}

impl Inventory {
    /// Adds what one document declares.
    pub fn read(&mut self, d: &mut Decoder, document: &Node) {
        let Some(mut top) = Fields::new(d, document, "an inventory") else {
            return;
        };
        // Read beforehand: categories and purposes mean nothing without it.
        let _ = top.get("taxonomy");
        self.parties.extend(list(d, &mut top, "parties", party::party));
        self.agreements.extend(list(d, &mut top, "agreements", agreement::agreement));
        self.flows.extend(list(d, &mut top, "flows", |d, node| flow::flow(d, node, &[])));
        self.statements.extend(list(d, &mut top, "statements", statement::statement));
        self.waivers.extend(list(d, &mut top, "waivers", waiver::waiver));
        top.finish(d);
    }
}

/// Reads a list of declarations. `parties: {acme: {name: …}}` is a natural guess,
/// and no list.
fn list<T>(
    d: &mut Decoder,
    top: &mut Fields,
    key: &'static str,
    each: impl FnMut(&mut Decoder, &Node) -> Option<T>,
) -> Vec<T> {
    if let (Some(node), Some(span)) = (top.get(key), top.key_span(key))
        && let Value::Map(entries) = &node.value
        && entries.iter().all(|e| e.key != "id" && matches!(e.value.value, Value::Map(_)))
    {
        d.report(
            Diagnostic::new("wrong-type", format!("`{key}` is a list, and this is a map"), span)
                .label("expected a list")
                .help("begin each with `- id: …`"),
        );
        return Vec::new();
    }
    top.list(d, key, each)
}
