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
pub use flow::{Disposed, Effective, Flow, Stated};
pub use meta::Meta;
pub use party::{Derive, Party, System};
pub use statement::Statement;
pub use taxonomy::{TaxonomyDeclared, builtin, declared as declared_taxonomy};
pub use terms::{Clause, OnwardTo, TERMS, Terms};
pub use waiver::Waiver;

use crate::base::diagnostic::Diagnostic;
use crate::read::decode::{Decoder, Fields};
use crate::read::yaml::{Node, Value};

/// Everything that the files declare, in the order of files and documents.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Legal entities.
    pub parties: Vec<Party>,
    /// Agreements, their flows within.
    pub agreements: Vec<Agreement>,
    /// Flows under no agreement, those of each document together.
    pub flows: Vec<Vec<Flow>>,
    /// Public promises.
    pub statements: Vec<Statement>,
    /// Promises of another state of the inventory, to which this one is held; who made
    /// them may be gone.
    pub promised: Vec<Statement>,
    /// Waivers of another state of the inventory; what they name may be gone.
    pub accepted: Vec<Waiver>,
    /// Accepted findings.
    pub waivers: Vec<Waiver>,
}

/// What of an inventory judges it: promises and accepted findings, as nodes, so that
/// another state of the same inventory can be held to them.
#[derive(Debug, Clone, Default)]
pub struct Judges {
    documents: Vec<Node<'static>>,
}

impl Judges {
    /// Keeps the promises and waivers of some documents.
    pub fn of(documents: &[Node]) -> Self {
        let judging = |document: &Node| match &document.value {
            Value::Map(entries) => {
                let kept = entries.iter().filter(|e| e.key == "statements" || e.key == "waivers");
                let kept: Vec<_> = kept.map(|entry| entry.clone().into_owned()).collect();
                (!kept.is_empty()).then_some(Node { span: document.span, value: Value::Map(kept) })
            }
            _ => None,
        };
        Judges { documents: documents.iter().filter_map(judging).collect() }
    }

    /// Adds those of further documents.
    pub fn append(&mut self, other: Judges) {
        self.documents.extend(other.documents);
    }

    /// Puts these promises and waivers in the place of an inventory's own. Promises
    /// that only the inventory makes stay; a waiver that means nothing there accepts
    /// nothing.
    pub fn judge(&self, d: &mut Decoder, inventory: &mut Inventory) {
        inventory.waivers.clear();
        let mut promised = Vec::new();
        for document in &self.documents {
            let Some(mut top) = Fields::new(d, document, "an inventory") else {
                continue;
            };
            promised.extend(list(d, &mut top, "statements", statement::statement));
            let waivers = list(d, &mut top, "waivers", |d, node| {
                let mut mistakes = Vec::new();
                let waiver = waiver::waiver(
                    &mut Decoder::new(&mut mistakes, d.data, d.purposes).within(&d.limits),
                    node,
                );
                waiver.filter(|_| mistakes.is_empty())
            });
            inventory.accepted.extend(waivers);
            top.finish(d);
        }
        inventory.statements.retain(|own| promised.iter().all(|other| other.id.value != own.id.value));
        inventory.promised = promised;
    }
}

impl Inventory {
    /// Adds what further files declare.
    pub fn append(&mut self, other: Inventory) {
        let Inventory { parties, agreements, flows, statements, promised, accepted, waivers } = other;
        self.parties.extend(parties);
        self.agreements.extend(agreements);
        self.flows.extend(flows);
        self.statements.extend(statements);
        self.promised.extend(promised);
        self.accepted.extend(accepted);
        self.waivers.extend(waivers);
    }

    /// Adds what one document declares.
    pub fn read(&mut self, d: &mut Decoder, document: &Node) {
        let Some(mut top) = Fields::new(d, document, "an inventory") else {
            return;
        };
        // Read beforehand: categories and purposes mean nothing without it.
        let _ = top.get("taxonomy");
        self.parties.extend(list(d, &mut top, "parties", party::party));
        self.agreements.extend(list(d, &mut top, "agreements", agreement::agreement));
        let flows = list(d, &mut top, "flows", |d, node| flow::flow(d, node, &[]));
        if !flows.is_empty() {
            self.flows.push(flows);
        }
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
