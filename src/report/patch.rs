//! The edits of a fix as changes of files: comments, order and everything else in them stay.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::source::{FileId, Sources, Span};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Word;
use crate::model::{FlowId, Model, SystemId};
use crate::query::{EditOn, Made};
use crate::read::yaml::change::{Set, Splice, changed, with, without, without_values};
use crate::read::yaml::{self, Limits};

/// A file, and what is to be written in it.
#[derive(Debug)]
pub struct Patched {
    /// Where it lies.
    pub path: PathBuf,
    /// What is there.
    pub old: String,
    /// What is to be there.
    pub new: String,
}

/// Why a file cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum NotPatched {
    /// It cannot be read.
    #[error("cannot read `{0}`: {1}")]
    Unreadable(String, std::io::Error),
    /// It is not what was read before.
    #[error("`{0}` has changed since it was read")]
    Changed(String),
    /// The change would touch something else.
    #[error(
        "`{of}` in `{file}` cannot be edited without touching the rest of it (an alias stands for it, say); edit it by hand"
    )]
    Entangled {
        /// What is edited.
        of: String,
        /// Its file.
        file: String,
    },
}

/// Makes edits in the texts of the files that declare what is edited.
///
/// # Errors
/// A file cannot be read, or an edit would touch something else.
pub fn patched(
    model: &Model,
    sources: &Sources,
    made: &[(EditOn, Made)],
    limits: &Limits,
) -> Result<Vec<Patched>, NotPatched> {
    let mut by_file: BTreeMap<FileId, Edits> = BTreeMap::new();
    for (on, made) in made {
        match (*on, made) {
            (EditOn::Flow(flow), Made::Cut) => {
                by_file.entry(model.flows[flow].span.file).or_default().cut.push(flow)
            }
            (EditOn::Flow(flow), made) => {
                let edits = by_file.entry(model.flows[flow].span.file).or_default();
                edits.set.entry(flow).or_default().push(made);
            }
            (EditOn::System(system), Made::Derives(key)) => {
                let file = model.systems[system].declared.id.span.file;
                by_file.entry(file).or_default().derives.entry(system).or_default().push(*key);
            }
            (EditOn::System(_), _) => {}
        }
    }
    let mut all = Vec::new();
    for (file, edits) in by_file {
        let Some(source) = sources.get(file) else { continue };
        let name = source.name().to_owned();
        let of = |of: String| NotPatched::Entangled { of, file: name.clone() };
        let Some(path) = source.path() else { return Err(of("an edit".to_owned())) };
        let old =
            std::fs::read_to_string(path).map_err(|error| NotPatched::Unreadable(name.clone(), error))?;
        if blake3::hash(old.as_bytes()) != source.digest() {
            return Err(NotPatched::Changed(name));
        }
        let new = edits.text(model, file, &old, limits).map_err(of)?;
        all.push(Patched { path: path.to_owned(), old, new });
    }
    Ok(all)
}

/// What is edited in one file.
#[derive(Default)]
struct Edits<'e> {
    cut: Vec<FlowId>,
    set: BTreeMap<FlowId, Vec<&'e Made>>,
    derives: BTreeMap<SystemId, Vec<Key>>,
}

impl Edits<'_> {
    /// The text of the file with its edits; where that cannot be made, what could not be edited.
    fn text(&self, model: &Model, file: FileId, old: &str, limits: &Limits) -> Result<String, String> {
        let documents = yaml::parse(file, old, limits, &mut Vec::new());
        let name = |flow: FlowId| model.flows[flow].name.clone();
        let mut splices: Vec<Splice> = Vec::new();
        for &flow in &self.cut {
            // One by one, to name the one that cannot be; together, since they may stand side by side.
            without(old, &documents, &[model.flows[flow].span]).ok_or_else(|| name(flow))?;
        }
        let cut: Vec<Span> = self.cut.iter().map(|&flow| model.flows[flow].span).collect();
        splices.extend(without(old, &documents, &cut).unwrap_or_default());
        for (&flow, all) in &self.set {
            let lists: Vec<(&str, Vec<String>)> = all.iter().map(|made| written(model, flow, made)).collect();
            let keys: Vec<(&str, Set)> = lists
                .iter()
                .map(|(key, names)| match (*key, names.as_slice()) {
                    ("transform" | "consent", [word]) => (*key, Set::Word(word)),
                    _ => (*key, Set::List(names)),
                })
                .collect();
            splices.extend(with(old, &documents, model.flows[flow].span, &keys).ok_or_else(|| name(flow))?);
        }
        for (&system, keys) in &self.derives {
            let system = &model.systems[system];
            let derived = system.declared.derives.iter().flat_map(|derive| &derive.from);
            let gone: Vec<Span> =
                derived.filter(|key| keys.contains(&key.value)).map(|key| key.span).collect();
            splices.extend(without_values(old, &documents, &gone).ok_or_else(|| system.name.clone())?);
        }
        changed(old, splices).ok_or_else(|| "an edit".to_owned())
    }
}

/// The key that an edit sets, and its values.
fn written(model: &Model, flow: FlowId, made: &Made) -> (&'static str, Vec<String>) {
    match made {
        Made::Cut | Made::Derives(_) => ("", Vec::new()),
        Made::Data(keys) => ("data", keys.iter().map(|&key| model.data.name(key).to_owned()).collect()),
        Made::OnlyFrom(parties) => {
            ("only_from", parties.iter().map(|&party| model.parties[party].id().to_owned()).collect())
        }
        Made::Purposes(keys) => {
            ("purposes", keys.iter().map(|&key| model.purposes.name(key).to_owned()).collect())
        }
        Made::Transform(transform) => ("transform", vec![transform.word().to_owned()]),
        Made::Consent(consent) => ("consent", vec![consent.word().to_owned()]),
        Made::Assurance(word) => {
            let stated = model.flows[flow].declared.assurances().iter().map(|one| one.id.value.clone());
            ("assurances", stated.chain([word.to_string()]).collect())
        }
    }
}

/// The changes as a patch, which `patch -p0` and `git apply -p0` take.
pub fn diff(files: &[Patched]) -> String {
    let mut text = String::new();
    for file in files {
        let lines = similar::TextDiff::from_lines(&file.old, &file.new);
        let name = file.path.display().to_string();
        text.push_str(&lines.unified_diff().context_radius(3).header(&name, &name).to_string());
    }
    text
}
