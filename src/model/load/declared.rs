//! What the files of an inventory declare.
//!
//! Nearly every inventory is free of mistakes. So its files are read side by side first, each
//! tree dropped as soon as it is decoded, and the first mistake ends that; then they are read
//! one after the other, whole, so that every mistake is reported in its order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::base::diagnostic::{Diagnostic, note};
use crate::base::limits::{Allowance, Limits, Taken};
use crate::base::source::{FileId, SourceFile, Sources};
use crate::base::stages::Stage;
use crate::base::taxonomy::Tree;
use crate::declare::inventory::{Inventory, Judges, builtin, declared_taxonomy};
use crate::declare::policy::policy;
use crate::read::decode::{Decoder, Fields, repeatable};
use crate::read::documents::{TESTS, declares_taxonomy, is_mapping, is_policy, is_tests};
use crate::read::files::Files;
use crate::read::yaml::{self, Node, Value};

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
    /// How many files hold nothing but policies and tests of them.
    pub aside: usize,
}

/// Where the texts of an inventory lie, and how to read them.
pub struct Reading<'r> {
    /// The files.
    pub files: &'r [FileId],
    /// Those that may declare categories or purposes.
    pub telling: Vec<FileId>,
    /// Where those lie that are in the sources.
    pub place: &'r Files,
}

/// Reads and decodes files, within what limits leave them. Without mistakes, each text that lies
/// somewhere is let go once it is decoded.
pub fn declared(
    reading: &Reading,
    sources: &mut Sources,
    allowance: Allowance,
    stage: &Stage,
    diagnostics: &mut Vec<Diagnostic>,
) -> Declared {
    side_by_side(reading, sources, &allowance, stage).unwrap_or_else(|| {
        again(reading, sources, diagnostics);
        in_order(reading.files, sources, allowance, diagnostics)
    })
}

/// What is found in every file that declares categories or purposes.
const TAXONOMY: &str = "taxonomy";

/// The files that may declare categories or purposes.
pub fn telling(files: &[FileId], sources: &Sources) -> Vec<FileId> {
    files.par_iter().copied().filter(|&file| text(file, sources).contains(TAXONOMY)).collect()
}

/// Reads again what was let go before a mistake was met.
fn again(reading: &Reading, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    for &id in reading.files {
        if !give_back(id, reading.place, sources)
            && let Some(file) = sources.get(id)
        {
            let message = format!("`{}` was changed while it was read", file.name());
            diagnostics.push(Diagnostic::without_place("unreadable", message).help("run the command again"));
        }
    }
}

/// Gives a file that was let go its text, if it still is what it was; whether it has one.
pub fn give_back(id: FileId, place: &Files, sources: &mut Sources) -> bool {
    let Some(file) = sources.get(id).filter(|file| file.text().is_none()) else {
        return true;
    };
    let bytes = file.path().and_then(|path| place.read(path, file.length() as u64 + 1).ok());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).is_some_and(|text| sources.give_back(id, text))
}

/// Reads and decodes files that hold no mistake; nothing if one does.
fn side_by_side(
    reading: &Reading,
    sources: &mut Sources,
    allowance: &Allowance,
    stage: &Stage,
) -> Option<Declared> {
    // Categories and purposes first: without them nothing can be decoded.
    let mut mistakes = Vec::new();
    let mut within = allowance.clone();
    let mut documents: Vec<Node> = reading
        .telling
        .iter()
        .flat_map(|&file| yaml::read(file, text(file, sources), &mut within, &mut mistakes))
        .collect();
    documents.retain(|document| !no_inventory(document));
    let (data, purposes) = taxonomy(&documents, &allowance.limits, &mut mistakes);
    drop(documents);
    if !mistakes.is_empty() {
        return None;
    }
    let limits = &allowance.limits;
    let most = repeatable(limits, bytes(reading.files, sources));
    let names = Names { data: &data, purposes: &purposes, most };
    let wrong = AtomicBool::new(false);
    let repeated = AtomicUsize::new(0);
    let taken = sources.take(reading.files);
    let read = &*sources;
    let parts = reading.files.par_iter().zip(taken).map(|(&file, taken)| {
        if wrong.load(Ordering::Relaxed) {
            return Err(taken);
        }
        let text = taken.as_deref().unwrap_or_else(|| text(file, read));
        let part = one(file, text, &names, limits).filter(|part| {
            let told = !part.tells_taxonomy || text.contains(TAXONOMY);
            let before = repeated.fetch_add(part.repeated, Ordering::Relaxed);
            told && before.saturating_add(part.repeated) <= most
        });
        stage.after(match part {
            Some(part) => {
                read.get(file).into_iter().for_each(|file| file.prepare(text));
                Ok(part)
            }
            None => {
                wrong.store(true, Ordering::Relaxed);
                Err(taken)
            }
        })
    });
    let parts: Vec<Result<Part, Option<String>>> = parts.collect();
    let used = parts.iter().flatten().fold(allowance.taken, |all, part| all.and(part.taken));
    let mut all = Declared { data, purposes, ..Declared::default() };
    for (&file, part) in reading.files.iter().zip(parts) {
        match part {
            Ok(part) => {
                all.inventory.append(part.inventory);
                all.judges.append(part.judges);
                all.policies.extend(part.policies);
                all.aside += usize::from(part.aside);
            }
            Err(taken) => taken.into_iter().for_each(|text| sources.put_back(file, text)),
        }
    }
    (!wrong.load(Ordering::Relaxed) && used.fits(limits)).then_some(all)
}

/// All categories and purposes, by their numbers.
struct Names<'t> {
    data: &'t Tree,
    purposes: &'t Tree,
    /// How many values may be repeated.
    most: usize,
}

/// What one file declares.
#[derive(Default)]
struct Part {
    inventory: Inventory,
    judges: Judges,
    policies: Vec<Node<'static>>,
    /// It holds nothing but policies and tests of them.
    aside: bool,
    /// It declares categories or purposes.
    tells_taxonomy: bool,
    /// How many values it repeats for declarations that don't write them.
    repeated: usize,
    /// What it took of what limits allow.
    taken: Taken,
}

/// Reads and decodes one file, unless it holds a mistake.
fn one(file: FileId, text: &str, names: &Names, limits: &Limits) -> Option<Part> {
    let mut mistakes = Vec::new();
    let mut allowance = Allowance::new(*limits);
    let documents = yaml::read(file, text, &mut allowance, &mut mistakes);
    if !mistakes.is_empty() {
        return None;
    }
    let (policies, documents): (Vec<Node>, Vec<Node>) = documents.into_iter().partition(no_inventory);
    let mut decoder =
        Decoder::new(&mut mistakes, names.data, names.purposes).repeating(names.most).within(limits);
    let mut inventory = Inventory::default();
    for document in &documents {
        inventory.read(&mut decoder, document);
    }
    let repeated = decoder.repeated();
    keep_to_themselves(&policies, &mut mistakes);
    let part = Part {
        inventory,
        judges: Judges::of(&documents),
        aside: documents.is_empty() && !policies.is_empty(),
        policies: policies.into_iter().map(Node::into_owned).collect(),
        tells_taxonomy: documents.iter().any(declares_taxonomy),
        repeated,
        taken: allowance.taken,
    };
    mistakes.is_empty().then_some(part)
}

/// Reads all files, then decodes them, with every mistake.
fn in_order(
    files: &[FileId],
    sources: &Sources,
    mut allowance: Allowance,
    diagnostics: &mut Vec<Diagnostic>,
) -> Declared {
    let before = diagnostics.len();
    let documents: Vec<Node> = files
        .iter()
        .flat_map(|&file| yaml::read(file, text(file, sources), &mut allowance, diagnostics))
        .collect();
    let broken = diagnostics.len() > before;
    let (policies, documents): (Vec<Node>, Vec<Node>) = documents.into_iter().partition(no_inventory);
    let (data, purposes) = taxonomy(&documents, &allowance.limits, diagnostics);
    let most = repeatable(&allowance.limits, bytes(files, sources));
    let mut decoder = Decoder::new(diagnostics, &data, &purposes).repeating(most).within(&allowance.limits);
    let mut inventory = Inventory::default();
    for document in &documents {
        inventory.read(&mut decoder, document);
    }
    keep_to_themselves(&policies, diagnostics);
    let judges = Judges::of(&documents);
    let declaring: FxHashSet<FileId> = documents.iter().map(|document| document.span.file).collect();
    let mut others: Vec<FileId> = policies.iter().map(|document| document.span.file).collect();
    others.sort_unstable();
    others.dedup();
    let aside = others.iter().filter(|file| !declaring.contains(file)).count();
    let policies = policies.into_iter().map(Node::into_owned).collect();
    Declared { inventory, judges, policies, data, purposes, broken, aside }
}

fn text(file: FileId, sources: &Sources) -> &str {
    sources.get(file).and_then(SourceFile::text).unwrap_or_default()
}

/// How long all texts are.
fn bytes(files: &[FileId], sources: &Sources) -> usize {
    files.iter().filter_map(|&file| sources.get(file)).map(SourceFile::length).sum()
}

fn no_inventory(document: &Node) -> bool {
    is_policy(document) || is_tests(document) || is_mapping(document)
}

/// Reports what stands at the top of policies and tests and is no part of one: nobody would
/// read it, and a flow is hidden by no company that it keeps.
pub fn keep_to_themselves(documents: &[Node], diagnostics: &mut Vec<Diagnostic>) {
    // Which categories there are does not matter for which keys there are.
    let none = Tree::default();
    for document in documents {
        let Value::Map(entries) = &document.value else {
            continue;
        };
        let mut mistakes = Vec::new();
        let mut scratch = Decoder::new(&mut mistakes, &none, &none);
        if is_policy(document) {
            policy(&mut scratch, document);
        } else if is_mapping(document) {
            // Its keys are looked at when it is run.
        } else if let Some(mut top) = Fields::new(&mut scratch, document, "a file of tests") {
            for key in TESTS {
                let _ = top.get(key);
            }
            top.finish(&mut scratch);
        }
        // What else is wrong is said where the policy is applied or the tests are run.
        let at_the_top = |mistake: &Diagnostic| {
            let span = mistake.primary.as_ref().map(|label| label.span);
            mistake.code == "unknown-key" && entries.iter().any(|entry| Some(entry.key_span) == span)
        };
        mistakes.into_iter().filter(at_the_top).for_each(|mistake| note(diagnostics, mistake));
    }
}

/// Both trees: built in, and what the documents add.
fn taxonomy(documents: &[Node], limits: &Limits, diagnostics: &mut Vec<Diagnostic>) -> (Tree, Tree) {
    let own = declared_taxonomy(documents, limits, diagnostics);
    // The built-in files are checked by a test; without them nothing could be read.
    let built_in = builtin().unwrap_or_default();
    (
        Tree::new(built_in.data.into_iter().chain(own.data)),
        Tree::new(built_in.purposes.into_iter().chain(own.purposes)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_went_before_a_mistake_was_met_is_missed_where_it_lay() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.yaml");
        let text = "parties: [{id: a, name: A}]\n".to_owned();
        for (lying, missed) in [(text.as_str(), false), ("parties: []\n", true)] {
            std::fs::write(&place, lying).unwrap();
            let mut sources = Sources::new();
            let files = [
                sources.add_at("a.yaml", place.clone(), text.clone()),
                sources.add("b.yaml", "parties: [{id: b}, {name: [}]\n".to_owned()),
            ];
            let mut mistakes = Vec::new();
            let reading = Reading { files: &files, telling: Vec::new(), place: crate::read::files::DISK };
            // One after the other: so the first goes before the second is looked at.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            pool.install(|| {
                let stage = crate::base::stages::Stages::default().begin("reading", 0);
                declared(&reading, &mut sources, Allowance::new(Limits::USUAL), &stage, &mut mistakes)
            });
            let says = |what: &str| mistakes.iter().any(|mistake| mistake.message.contains(what));
            assert_eq!(says("`a.yaml` was changed while it was read"), missed);
            assert_eq!(sources.get(files[0]).unwrap().text().is_none(), missed);
            assert!(mistakes.iter().any(|mistake| mistake.primary.is_some()));
        }
    }
}
