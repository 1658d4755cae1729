//! Declarations of others, taken over: one file or folder a format.
//!
//! An importer reads its sources through the [`ledger`], in which every leaf has exactly one fate, and makes
//! a [`draft`], which is written as an inventory. What terms stand for is in the taxonomies read backwards
//! ([`aka`]), in the words of registers ([`mod@words`]) and, before all else, in the [`mapping`] that people own.

pub mod aka;
mod draft;
pub mod fate;
pub mod fides;
mod fold;
mod gather;
pub mod header;
mod ledger;
pub mod loss;
mod maker;
pub mod mapping;
mod rank;
mod sketch;
pub mod table;
mod tree;
mod words;

use std::path::PathBuf;

use crate::base::diagnostic::Diagnostic;
use crate::base::limits::{Allowance, Limits};
use crate::base::source::Sources;
use crate::base::taxonomy::Tree;
use crate::base::vocabulary::words;
use crate::declare::inventory::builtin;
use crate::model::load::{Read, Request, World, load};
use crate::read::files::Files;
use crate::read::yaml;

use aka::Vague;
use gather::Source;
use loss::{Loss, Made, Mapped};
use maker::Maker;
use mapping::{Mapping, PartyEntry};
use tree::Planter;

pub use rank::rank;
pub use sketch::{extended, whole};

words! {
    /// A format that is imported.
    Format: "a format that is imported" {
        /// Spreadsheets and lists: CSV, TSV, XLSX, ODS.
        Table = "table",
        /// Fides manifests.
        Fides = "fides",
    }
}

/// What to import.
pub struct Asked<'a> {
    /// The format.
    pub format: Format,
    /// The files and folders.
    pub paths: &'a [PathBuf],
    /// Where they lie.
    pub files: &'a Files,
    /// What people have decided.
    pub mapping: &'a Mapping,
    /// How much vague terms take.
    pub vague: Vague,
    /// What holds of tables.
    pub table: table::Options,
    /// How much sources may ask for.
    pub limits: Limits,
    /// What an entry is of that is to be left out, to see what it causes: its pointer and value.
    pub without: Option<(&'a str, &'a str)>,
}

/// What was made.
pub struct Imported {
    /// The inventory, without a header.
    pub inventory: String,
    /// The policies: id, text.
    pub policies: Vec<(String, String)>,
    /// The sources: name, place, digest.
    pub sources: Vec<header::Digested>,
    /// What became of every leaf.
    pub loss: Loss,
    /// The mapping with all terms that have no entry.
    pub sketch: String,
    /// What was made, as an audit reads it.
    pub world: World,
    /// The texts of that.
    pub texts: Sources,
}

/// Both taxonomies that come with the program.
///
/// # Errors
/// The mistakes in them, of which there are none.
pub fn trees() -> Result<(Tree, Tree), Vec<Diagnostic>> {
    let all = builtin().map_err(|(_, mistakes)| mistakes)?;
    Ok((Tree::new(all.data), Tree::new(all.purposes)))
}

/// Imports.
///
/// # Errors
/// What cannot be read, or can neither be carried nor widened; the places are in `sources`.
pub fn import(asked: &Asked, sources: &mut Sources) -> Result<Imported, Vec<Diagnostic>> {
    let (data, purposes) = trees()?;
    let own = &asked.mapping.taxonomy;
    let add = |tree: &Tree, own: &[crate::base::taxonomy::Declared]| {
        Tree::new(tree.entries().map(|(_, entry)| entry.declared.clone()).chain(own.iter().cloned()))
    };
    let (data, purposes) = (add(&data, &own.data), add(&purposes, &own.purposes));
    let words = words::Words::new(&data, &purposes);
    let prefix = if asked.format == Format::Fides { "fides" } else { "register" };
    let mut maker = Maker::new(asked.mapping, &words, (&data, &purposes), asked.vague, prefix);
    maker.ledger.leave_out(asked.without);
    let found = gather::gather(asked)?;
    match asked.format {
        Format::Fides => {
            let documents = plant(asked, &found, &mut maker, sources)?;
            fides::import(&mut maker, &documents)?;
        }
        Format::Table => table::import(&mut maker, asked, &found)?,
    }
    for (keys, into) in [(&own.data, &mut maker.draft.data), (&own.purposes, &mut maker.draft.purposes)] {
        for declared in keys {
            let title = declared.title.clone().unwrap_or_else(|| declared.key.clone());
            into.insert(declared.key.clone(), title);
        }
    }
    if maker.draft.flow_count() == 0 && asked.without.is_none() {
        let note = "no flow was found in the sources";
        maker.ledger.remark(fate::Code::Dropped, "flows", "", note, "", None);
    }
    let mut mistakes = Vec::new();
    for (full, over, span) in &asked.mapping.set {
        if let Err(ids) = maker.draft.overlay(full, over) {
            let near = crate::base::diagnostic::nearest(full, ids.iter().map(String::as_str));
            let help =
                near.map_or("name what the result has".to_owned(), |near| format!("did you mean `{near}`?"));
            mistakes.push(
                Diagnostic::new("unknown-id", format!("nothing was made that is called `{full}`"), *span)
                    .label("expected the full id of something that is made")
                    .help(help),
            );
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    finish(asked, maker, &found, sources)
}

/// The trees of the documents of all files.
fn plant(
    asked: &Asked,
    found: &[Source],
    maker: &mut Maker,
    sources: &mut Sources,
) -> Result<Vec<tree::Branch>, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut all = Vec::new();
    let mut allowance = Allowance::new(asked.limits);
    for source in found {
        let Ok(text) = String::from_utf8(source.bytes.clone()) else {
            let message = format!("`{}` is no text in UTF-8", source.name);
            diagnostics.push(Diagnostic::without_place("not-text", message).help("save the file as UTF-8"));
            continue;
        };
        let file = sources.add_at(source.name.clone(), source.path.clone(), text.clone());
        let documents = yaml::read(file, &text, &mut allowance, &mut diagnostics);
        let number = maker.ledger.file(&source.name);
        for document in &documents {
            let mut planter = Planter { ledger: &mut maker.ledger, sources, number, file };
            all.push(planter.plant(document, ""));
        }
    }
    if diagnostics.is_empty() { Ok(all) } else { Err(diagnostics) }
}

fn finish(
    asked: &Asked,
    maker: Maker,
    found: &[Source],
    sources: &mut Sources,
) -> Result<Imported, Vec<Diagnostic>> {
    let unwritten = |error: serde_yaml::Error| {
        vec![Diagnostic::without_place("unwritten", format!("the result cannot be written: {error}"))]
    };
    let inventory = maker.draft.yaml().map_err(unwritten)?;
    let mut policies = Vec::new();
    for (id, policy) in &maker.draft.policies {
        policies.push((id.clone(), serde_yaml::to_string(policy).map_err(unwritten)?));
    }
    let (world, texts) = read_back(asked, &inventory, &policies, sources)?;
    let accepted = &asked.mapping.accept;
    let entries = maker.ledger.entries(accepted);
    let made = Made {
        parties: world.model.parties.len(),
        systems: world.model.systems.len(),
        agreements: world.model.agreements.len(),
        flows: world.model.flows.len(),
        categories: maker.draft.data.len(),
        purposes: maker.draft.purposes.len(),
        policies: policies.len(),
    };
    let mapped = asked.mapping.path.as_ref().zip(asked.mapping.digest.as_ref());
    let loss = Loss {
        ringfence: loss::Program::default(),
        format: asked.format,
        sources: found
            .iter()
            .map(|source| Mapped { file: source.name.clone(), blake3: source.digest() })
            .collect(),
        mapping: mapped
            .map(|(path, digest)| Mapped { file: crate::read::files::slashed(path), blake3: digest.clone() }),
        made,
        read: maker.ledger.len(),
        fates: maker.ledger.counts(),
        open: entries.iter().filter(|entry| entry.is_open()).count(),
        unused_acceptances: accepted
            .keys()
            .filter(|id| !entries.iter().any(|entry| entry.id == **id))
            .cloned()
            .collect(),
        entries,
    };
    let sources = found
        .iter()
        .map(|source| header::Digested { path: source.path.clone(), blake3: source.digest() })
        .collect();
    Ok(Imported { sketch: sketch::sketch(&maker, asked), inventory, policies, sources, loss, world, texts })
}

/// Reads what was made as an audit reads it, so that nothing is written which cannot be read.
fn read_back(
    asked: &Asked,
    inventory: &str,
    policies: &[(String, String)],
    sources: &mut Sources,
) -> Result<(World, Sources), Vec<Diagnostic>> {
    let mut texts = Sources::new();
    let file = texts.add("the imported inventory", inventory.to_owned());
    let of_policies =
        policies.iter().map(|(id, text)| texts.add(format!("the policy {id}"), text.clone())).collect();
    let read = Read { inventory: vec![file], policies: of_policies, excluded: Vec::new() };
    // The result may be longer than a source: it says in words what a cell says in a letter.
    let limits = Limits { file_size: Limits::LARGEST_FILE, ..asked.limits };
    let request = Request { read: Some(&read), limits, ..Request::default() };
    match load(&request, &mut texts) {
        Ok(world) => Ok((world, texts)),
        Err(mistakes) => {
            // Their places are in what was made.
            *sources = texts;
            Err(mistakes)
        }
    }
}

/// The organisation, named in the call.
pub fn organisation(name: &str) -> PartyEntry {
    PartyEntry { id: draft::slug(name), name: Some(name.to_owned()), ..PartyEntry::default() }
}
