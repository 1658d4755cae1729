//! What the files of an inventory declare.
//!
//! Nearly every inventory is free of mistakes. So its files are read side by side first, each
//! tree dropped as soon as it is decoded, and the first mistake ends that; then they are read
//! one after the other, whole, so that every mistake is told in its order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::decode::{Decoder, REPEATED};
use crate::diagnostic::Diagnostic;
use crate::inventory::{
    Agreement, Flow, Inventory, Judges, Party, builtin, declared_taxonomy, declares_taxonomy, is_policy,
    is_tests,
};
use crate::source::{FileId, Sources, stored_of};
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
    cache: Option<&Cache>,
    stage: &Stage,
    diagnostics: &mut Vec<Diagnostic>,
) -> Declared {
    side_by_side(files, sources, cache, stage).unwrap_or_else(|| in_order(files, sources, diagnostics))
}

/// What is found in every file that declares categories or purposes.
const TAXONOMY: &str = "taxonomy";

/// Reads and decodes files that hold no mistake; nothing if one does.
fn side_by_side(
    files: &[FileId],
    sources: &Sources,
    cache: Option<&Cache>,
    stage: &Stage,
) -> Option<Declared> {
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
    let names = Names::new(&data, &purposes);
    let wrong = AtomicBool::new(false);
    let repeated = AtomicUsize::new(0);
    let parts = files.par_iter().map(|&file| {
        if wrong.load(Ordering::Relaxed) {
            return None;
        }
        let part = stored(file, text(file, sources), cache, &names).filter(|(part, used)| {
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

/// All categories and purposes, by their numbers.
struct Names<'t> {
    data: &'t Tree,
    purposes: &'t Tree,
    listed: String,
}

impl<'t> Names<'t> {
    fn new(data: &'t Tree, purposes: &'t Tree) -> Self {
        let names = data.names().chain([""]).chain(purposes.names());
        Names { data, purposes, listed: names.collect::<Vec<_>>().join("\n") }
    }
}

/// What is stored of a file that holds declarations alone: what judges or names them is in few
/// files, and small.
#[derive(Serialize, Deserialize)]
struct Stored {
    parties: Vec<Party>,
    agreements: Vec<Agreement>,
    flows: Vec<Flow>,
    repeated: usize,
}

/// As [`one`], from the cache if it is there.
fn stored(file: FileId, text: &str, cache: Option<&Cache>, names: &Names) -> Option<(Part, usize)> {
    let Some(cache) = cache else {
        return one(file, text, names.data, names.purposes);
    };
    let key = Cache::key([names.listed.as_str(), text]);
    if let Some(Stored { parties, agreements, flows, repeated }) = stored_of(file, || cache.get(&key)) {
        let inventory = Inventory { parties, agreements, flows, ..Inventory::default() };
        return Some((Part { inventory, ..Part::default() }, repeated));
    }
    let (mut part, repeated) = one(file, text, names.data, names.purposes)?;
    if part.declares_alone() {
        let Inventory { parties, agreements, flows, .. } = std::mem::take(&mut part.inventory);
        let stored = Stored { parties, agreements, flows, repeated };
        cache.put(&key, &stored);
        let Stored { parties, agreements, flows, .. } = stored;
        part.inventory = Inventory { parties, agreements, flows, ..Inventory::default() };
    }
    Some((part, repeated))
}

/// What one file declares.
#[derive(Default)]
struct Part {
    inventory: Inventory,
    judges: Judges,
    policies: Vec<Node<'static>>,
    /// It declares categories or purposes.
    tells_taxonomy: bool,
}

impl Part {
    /// Whether there is nothing but parties, agreements and flows.
    fn declares_alone(&self) -> bool {
        self.inventory.statements.is_empty()
            && self.inventory.waivers.is_empty()
            && self.judges.is_empty()
            && self.policies.is_empty()
            && !self.tells_taxonomy
    }
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
