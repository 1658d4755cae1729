//! What the files of an inventory declare.
//!
//! Nearly every inventory is free of mistakes. So its files are read side by side first, each
//! tree dropped as soon as it is decoded, and the first mistake ends that; then they are read
//! one after the other, whole, so that every mistake is told in its order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::decode::{Decoder, REPEATED};
use crate::diagnostic::Diagnostic;
use crate::inventory::{
    Inventory, Judges, builtin, declared_taxonomy, declares_taxonomy, is_policy, is_tests,
};
use crate::source::{FileId, Sources};
use crate::stages::Stage;
use crate::taxonomy::Tree;
use crate::yaml::{self, Limits, Node};

/// What all files declare together.
#[derive(Debug, Default)]
pub struct Declared {
    /// Parties, agreements, flows, promises, waivers.
    pub inventory: Inventory,
    /// The promises and waivers once more, for another state of the inventory.
    pub judges: Judges,
    /// The policies and tests of policies among the files.
    pub policies: Vec<Node<'static>>,
    /// The data categories, built in and declared.
    pub data: Tree,
    /// The purposes.
    pub purposes: Tree,
    /// Something is no YAML: what it declares is missing.
    pub broken: bool,
}

/// Reads and decodes files.
pub fn declared(
    files: &[FileId],
    sources: &Sources,
    stage: &Stage,
    diagnostics: &mut Vec<Diagnostic>,
) -> Declared {
    side_by_side(files, sources, stage).unwrap_or_else(|| in_order(files, sources, diagnostics))
}

/// What is found in every file that declares categories or purposes.
const TAXONOMY: &str = "taxonomy";

/// Reads and decodes files that hold no mistake; nothing if one does.
fn side_by_side(files: &[FileId], sources: &Sources, stage: &Stage) -> Option<Declared> {
    // Categories and purposes first: without them nothing can be decoded.
    let tells: Vec<FileId> =
        files.par_iter().copied().filter(|&file| text(file, sources).contains(TAXONOMY)).collect();
    let mut mistakes = Vec::new();
    let mut documents: Vec<Node> = tells
        .iter()
        .flat_map(|&file| yaml::parse(file, text(file, sources), &LIMITS, &mut mistakes))
        .collect();
    documents.retain(|document| !no_inventory(document));
    let (data, purposes) = taxonomy(&documents, &mut mistakes);
    drop(documents);
    if !mistakes.is_empty() {
        return None;
    }
    let wrong = AtomicBool::new(false);
    let repeated = AtomicUsize::new(0);
    let parts = files.par_iter().map(|&file| {
        if wrong.load(Ordering::Relaxed) {
            return None;
        }
        let part = one(file, text(file, sources), &data, &purposes).filter(|(part, used)| {
            let told = !part.tells_taxonomy || text(file, sources).contains(TAXONOMY);
            told && repeated.fetch_add(*used, Ordering::Relaxed).saturating_add(*used) <= REPEATED
        });
        if part.is_none() {
            wrong.store(true, Ordering::Relaxed);
        }
        stage.after(part.map(|(part, _)| part))
    });
    let parts: Vec<Option<Part>> = parts.collect();
    let mut all = Declared { data, purposes, ..Declared::default() };
    for part in parts {
        let part = part?;
        all.inventory.append(part.inventory);
        all.judges.append(part.judges);
        all.policies.extend(part.policies);
    }
    Some(all)
}

/// What one file declares.
struct Part {
    inventory: Inventory,
    judges: Judges,
    policies: Vec<Node<'static>>,
    /// It declares categories or purposes.
    tells_taxonomy: bool,
}

/// Reads and decodes one file, unless it holds a mistake; and how many values it repeats.
fn one(file: FileId, text: &str, data: &Tree, purposes: &Tree) -> Option<(Part, usize)> {
    let mut mistakes = Vec::new();
    let documents = yaml::parse(file, text, &LIMITS, &mut mistakes);
    if !mistakes.is_empty() {
        return None;
    }
    let (policies, documents): (Vec<Node>, Vec<Node>) = documents.into_iter().partition(no_inventory);
    let mut decoder = Decoder::new(&mut mistakes, data, purposes);
    let mut inventory = Inventory::default();
    for document in &documents {
        inventory.read(&mut decoder, document);
    }
    let used = decoder.repeated();
    let part = Part {
        inventory,
        judges: Judges::of(&documents),
        policies: policies.into_iter().map(Node::into_owned).collect(),
        tells_taxonomy: documents.iter().any(declares_taxonomy),
    };
    mistakes.is_empty().then_some((part, used))
}

/// Reads all files, then decodes them, with every mistake.
fn in_order(files: &[FileId], sources: &Sources, diagnostics: &mut Vec<Diagnostic>) -> Declared {
    let before = diagnostics.len();
    let documents: Vec<Node> =
        files.iter().flat_map(|&file| yaml::parse(file, text(file, sources), &LIMITS, diagnostics)).collect();
    let broken = diagnostics.len() > before;
    let (policies, documents): (Vec<Node>, Vec<Node>) = documents.into_iter().partition(no_inventory);
    let (data, purposes) = taxonomy(&documents, diagnostics);
    let mut decoder = Decoder::new(diagnostics, &data, &purposes);
    let mut inventory = Inventory::default();
    for document in &documents {
        inventory.read(&mut decoder, document);
    }
    let judges = Judges::of(&documents);
    let policies = policies.into_iter().map(Node::into_owned).collect();
    Declared { inventory, judges, policies, data, purposes, broken }
}

const LIMITS: Limits = Limits::USUAL;

fn text(file: FileId, sources: &Sources) -> &str {
    sources.get(file).map(|f| f.text()).unwrap_or_default()
}

fn no_inventory(document: &Node) -> bool {
    is_policy(document) || is_tests(document)
}

/// Both trees: built in, and what the documents add.
fn taxonomy(documents: &[Node], diagnostics: &mut Vec<Diagnostic>) -> (Tree, Tree) {
    let own = declared_taxonomy(documents, diagnostics);
    // The built-in files are checked by a test; without them nothing could be read.
    let built_in = builtin().unwrap_or_default();
    (
        Tree::new(built_in.data.into_iter().chain(own.data)),
        Tree::new(built_in.purposes.into_iter().chain(own.purposes)),
    )
}
