//! The mapping file: what people decide about terms of a source. It is theirs; what is made is not edited.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_yaml::{Mapping as YamlMap, Value as Yaml};

use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::duration::Duration;
use crate::base::limits::Limits;
use crate::base::source::{Sources, Span};
use crate::base::taxonomy::Tree;
use crate::base::vocabulary::{Kind, Role, Word};
use crate::declare::inventory::{TaxonomyDeclared, declared_taxonomy};
use crate::declare::places;
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{self, Node, Value};

use super::Format;
use super::aka::Vague;
use super::fate::Accepted;
use super::fold::fold;

/// A party that a name stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartyEntry {
    /// Its id.
    pub id: String,
    /// Its name; else the name as it stands in the source.
    pub name: Option<String>,
    /// What it is.
    pub role: Option<String>,
    /// Where it is established.
    pub jurisdiction: Option<String>,
    /// The party that it belongs to.
    pub affiliate_of: Option<String>,
    /// Under which kind of agreement it gets data.
    pub agreement: Option<Kind>,
    /// How to reach it.
    pub contact: Option<String>,
    /// Its data protection officer.
    pub dpo: Option<String>,
    /// Its representative.
    pub representative: Option<String>,
}

/// What a name of a party stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Nobody.
    Nobody,
    /// Somebody who is not named.
    Unknown,
    /// A party.
    Party(PartyEntry),
}

/// What a name of a system stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemEntry {
    /// Its id within its party.
    pub id: String,
    /// Its party, if it is another than the source says.
    pub party: Option<String>,
    /// Where it stands.
    pub region: Vec<String>,
}

/// What a term for data stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataEntry {
    /// The categories; none: nothing personal.
    pub keys: Vec<String>,
    /// What was done to it.
    pub transform: Option<String>,
}

/// A value of a mapping and where it stands.
type Map<T> = BTreeMap<String, T>;

/// What a mapping states. Terms are folded: case, accents and punctuation make no difference.
#[derive(Debug, Default)]
pub struct Mapping {
    /// The file, if there is one.
    pub path: Option<PathBuf>,
    /// The format.
    pub format: Option<Format>,
    /// The sources.
    pub sources: Vec<PathBuf>,
    /// Where the result goes.
    pub output: Option<PathBuf>,
    /// The organisation whose source it is.
    pub own: Option<PartyEntry>,
    /// What parties' names stand for.
    pub parties: Map<Named>,
    /// What systems' names stand for.
    pub systems: Map<SystemEntry>,
    /// What terms for data stand for.
    pub data: Map<DataEntry>,
    /// What terms for purposes stand for.
    pub purposes: Map<Vec<String>>,
    /// What texts on durations mean.
    pub durations: Map<String>,
    /// What words for a key mean.
    pub words: Map<Map<String>>,
    /// Which columns of a table hold what.
    pub columns: Map<String>,
    /// The layout of a table.
    pub layout: Option<String>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The row of the headings, from 1.
    pub header_row: Option<u64>,
    /// How much vague terms take.
    pub vague: Option<Vague>,
    /// What is put over what is made.
    pub set: Vec<(String, YamlMap, Span)>,
    /// What somebody has looked at, by the ids of entries.
    pub accept: BTreeMap<String, Accepted>,
    /// Own keys of the taxonomies.
    pub taxonomy: TaxonomyDeclared,
    /// Its digest, if it is a file.
    pub digest: Option<String>,
}

/// A mapping is small.
const MOST_BYTES: usize = 64 << 20;

/// Reads a mapping.
///
/// # Errors
/// All its mistakes.
pub fn read(
    path: &Path,
    text: String,
    limits: &Limits,
    trees: (&Tree, &Tree),
    sources: &mut Sources,
) -> Result<Mapping, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    if text.len() > MOST_BYTES {
        let message = format!("`{}` is too large for a mapping", path.display());
        return Err(vec![Diagnostic::without_place("too-large", message)]);
    }
    let file = sources.add_at(path.display().to_string(), path.to_owned(), text.clone());
    let documents = yaml::parse(file, &text, limits, &mut diagnostics);
    let digest = Some(blake3::hash(text.as_bytes()).to_hex().to_string());
    let mut mapping = Mapping { path: Some(path.to_owned()), digest, ..Mapping::default() };
    let taxonomy = declared_taxonomy(&documents, limits, &mut diagnostics);
    let merged = |built_in: &Tree, own: &[crate::base::taxonomy::Declared]| {
        let old = built_in.entries().map(|(_, entry)| entry.declared.clone());
        Tree::new(old.chain(own.iter().cloned()))
    };
    let (data, purposes) = (merged(trees.0, &taxonomy.data), merged(trees.1, &taxonomy.purposes));
    mapping.taxonomy = taxonomy;
    let mut d = Decoder::new(&mut diagnostics, &data, &purposes).within(limits);
    match documents.as_slice() {
        [] => {}
        [document] => decode(&mut d, document, path.parent().unwrap_or(Path::new("")), &mut mapping),
        [_, second, ..] => d.report(
            Diagnostic::new("two-documents", "a mapping is one document", second.span)
                .label("expected nothing after the first document"),
        ),
    }
    if diagnostics.is_empty() { Ok(mapping) } else { Err(diagnostics) }
}

fn decode(d: &mut Decoder, document: &Node, folder: &Path, mapping: &mut Mapping) {
    if document.value == Value::Null {
        return;
    }
    let Some(mut f) = Fields::new(d, document, "a mapping") else { return };
    let path = |text: Spanned<String>| folder.join(text.value);
    mapping.format = f.with(d, "import", |d, n| d.word::<Format>(n)).map(|word| word.value);
    mapping.sources = f.list(d, "sources", |d, n| d.text(n)).into_iter().map(path).collect();
    mapping.output = f.with(d, "output", |d, n| d.text(n)).map(path);
    mapping.own = f.with(d, "self", party_entry);
    mapping.parties = terms(d, &mut f, "parties", named);
    mapping.systems = terms(d, &mut f, "systems", system);
    mapping.data = terms(d, &mut f, "data", data);
    mapping.purposes = terms(d, &mut f, "purposes", |d, n| match is_none(n) {
        true => Some(Vec::new()),
        false => {
            let names = d.list(n, |d, n| d.purpose(n));
            Some(names.into_iter().map(|key| d.purposes.name(key.value).to_owned()).collect())
        }
    });
    mapping.durations =
        terms(d, &mut f, "durations", |d, n| d.duration(n).map(|long| long.value.to_string()));
    mapping.words = f
        .with(d, "words", |d, n| {
            Some(d.map(n, "a map from key to words", |d, key, node| {
                let words = d.map(node, "a map from the source's word to one of these", |d, word, to| {
                    d.text(to).map(|text| (fold(&word.value), text.value))
                });
                Some((key.value, words.into_iter().collect()))
            }))
        })
        .unwrap_or_default()
        .into_iter()
        .collect();
    mapping.columns = f
        .with(d, "columns", |d, n| {
            Some(d.map(n, "a map from what a column holds to its heading", |d, key, node| {
                known_field(d, &key);
                d.text(node).map(|text| (key.value, text.value))
            }))
        })
        .unwrap_or_default()
        .into_iter()
        .collect();
    mapping.layout = f.with(d, "layout", layout).map(|text| text.value);
    mapping.sheet = f.with(d, "sheet", |d, n| d.text(n)).map(|text| text.value);
    mapping.header_row = f.with(d, "header_row", |d, n| d.count(n)).map(|row| row.value);
    mapping.vague = f.with(d, "vague", vague);
    let set = f.with(d, "set", |d, n| {
        Some(d.map(n, "a map from full id to keys", |d, id, node| match as_yaml(node) {
            Yaml::Mapping(map) => Some((id.value, map, id.span)),
            _ => {
                d.wrong_type(node, "the keys of a declaration");
                None
            }
        }))
    });
    mapping.set = set.unwrap_or_default();
    mapping.accept = f.list(d, "accept", accepted).into_iter().collect();
    let _ = f.get("taxonomy");
    f.finish(d);
}

fn vague(d: &mut Decoder, node: &Node) -> Option<Vague> {
    let text = d.text(node)?;
    match text.value.as_str() {
        "primary" => Some(Vague::Primary),
        "widest" => Some(Vague::Widest),
        _ => {
            d.report(
                Diagnostic::new("unknown-word", "this is not a reading of vague terms", text.span)
                    .label("expected `primary` or `widest`"),
            );
            None
        }
    }
}

fn layout(d: &mut Decoder, node: &Node) -> Option<Spanned<String>> {
    let text = d.text(node)?;
    let names = super::table::layout_names();
    if names.clone().any(|name| name == text.value) {
        return Some(text);
    }
    let help = match nearest(&text.value, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", names.collect::<Vec<_>>().join(", ")),
    };
    d.report(
        Diagnostic::new("unknown-word", format!("`{}` is not a layout", text.value), text.span)
            .label("expected a layout of tables")
            .help(help),
    );
    None
}

fn known_field(d: &mut Decoder, key: &Spanned<String>) {
    let names = super::table::field_names();
    if names.clone().any(|name| name == key.value) {
        return;
    }
    let help = match nearest(&key.value, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", names.collect::<Vec<_>>().join(", ")),
    };
    d.report(
        Diagnostic::new("unknown-word", format!("`{}` is not what a column can hold", key.value), key.span)
            .label("expected what the column holds")
            .help(help),
    );
}

/// A map from terms of the source, folded.
fn terms<T>(
    d: &mut Decoder,
    f: &mut Fields,
    key: &'static str,
    mut each: impl FnMut(&mut Decoder, &Node) -> Option<T>,
) -> Map<T> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let all = f.with(d, key, |d, n| {
        Some(d.map(n, "a map from terms of the source", |d, term, node| {
            let folded = term_key(&term.value);
            if let Some(first) = seen.insert(folded.clone(), term.span) {
                d.report(
                    Diagnostic::new("duplicate-id", format!("`{}` is mapped twice", term.value), term.span)
                        .label("mapped again: case, accents and punctuation make no difference")
                        .also(first, "first mapped here"),
                );
            }
            each(d, node).map(|value| (folded, value))
        }))
    });
    all.unwrap_or_default().into_iter().collect()
}

/// A term as it is looked up: folded, but for one that is all punctuation.
pub fn term_key(term: &str) -> String {
    let folded = fold(term);
    if folded.is_empty() { term.trim().to_owned() } else { folded }
}

fn is_none(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if scalar.text == "none")
}

fn named(d: &mut Decoder, node: &Node) -> Option<Named> {
    match &node.value {
        Value::Scalar(scalar) if scalar.text == "none" => Some(Named::Nobody),
        Value::Scalar(scalar) if scalar.text == "unknown" => Some(Named::Unknown),
        Value::Scalar(_) => {
            d.id(node).map(|id| Named::Party(PartyEntry { id: id.value, ..PartyEntry::default() }))
        }
        _ => party_entry(d, node).map(Named::Party),
    }
}

fn party_entry(d: &mut Decoder, node: &Node) -> Option<PartyEntry> {
    let mut f = Fields::new(d, node, "a party of a mapping")?;
    let id = f.required(d, "id", |d, n| d.id(n));
    let text = |d: &mut Decoder, f: &mut Fields, key| f.with(d, key, |d, n| d.text(n)).map(|text| text.value);
    let entry = PartyEntry {
        id: id.map(|id| id.value).unwrap_or_default(),
        name: text(d, &mut f, "name"),
        role: f.with(d, "role", |d, n| d.word::<Role>(n)).map(|role| role.value.word().to_owned()),
        jurisdiction: f.with(d, "jurisdiction", places::place).map(|code| code.value),
        affiliate_of: f.with(d, "affiliate_of", |d, n| d.id(n)).map(|id| id.value),
        agreement: f.with(d, "agreement", |d, n| d.word::<Kind>(n)).map(|kind| kind.value),
        contact: text(d, &mut f, "contact"),
        dpo: text(d, &mut f, "dpo"),
        representative: text(d, &mut f, "representative"),
    };
    f.finish(d);
    Some(entry).filter(|entry| !entry.id.is_empty())
}

fn system(d: &mut Decoder, node: &Node) -> Option<SystemEntry> {
    if matches!(node.value, Value::Scalar(_)) {
        return d.id(node).map(|id| SystemEntry { id: id.value, ..SystemEntry::default() });
    }
    let mut f = Fields::new(d, node, "a system of a mapping")?;
    let id = f.required(d, "id", |d, n| d.id(n));
    let party = f.with(d, "party", |d, n| d.id(n)).map(|id| id.value);
    let region = f.list(d, "region", places::place).into_iter().map(|code| code.value).collect();
    f.finish(d);
    Some(SystemEntry { id: id?.value, party, region })
}

fn data(d: &mut Decoder, node: &Node) -> Option<DataEntry> {
    let keys = |d: &mut Decoder, node: &Node| -> Vec<String> {
        let all = d.list(node, |d, n| d.category(n));
        all.into_iter().map(|key| d.data.name(key.value).to_owned()).collect()
    };
    match &node.value {
        Value::Map(_) => {
            let mut f = Fields::new(d, node, "data of a mapping")?;
            let found = f.with(d, "data", |d, n| Some(keys(d, n))).unwrap_or_default();
            let transform = f.with(d, "transform", |d, n| d.word::<crate::base::vocabulary::Transform>(n));
            f.finish(d);
            Some(DataEntry { keys: found, transform: transform.map(|word| word.value.word().to_owned()) })
        }
        _ if is_none(node) => Some(DataEntry::default()),
        _ => Some(DataEntry { keys: keys(d, node), transform: None }),
    }
}

fn accepted(d: &mut Decoder, node: &Node) -> Option<(String, Accepted)> {
    let mut f = Fields::new(d, node, "an accepted entry")?;
    let entry = f.required(d, "entry", |d, n| d.text(n));
    let reason = f.required(d, "reason", |d, n| d.text(n));
    let by = f.required(d, "by", |d, n| d.text(n));
    f.finish(d);
    Some((entry?.value, Accepted { reason: reason?.value, by: by?.value }))
}

/// A value as it is to be written.
fn as_yaml(node: &Node) -> Yaml {
    match &node.value {
        Value::Null => Yaml::Null,
        Value::Scalar(scalar) if scalar.plain => match serde_yaml::from_str::<Yaml>(&scalar.text) {
            Ok(value @ (Yaml::Bool(_) | Yaml::Number(_))) => value,
            _ => Yaml::String(scalar.text.to_string()),
        },
        Value::Scalar(scalar) => Yaml::String(scalar.text.to_string()),
        Value::Seq(items) => Yaml::Sequence(items.iter().map(as_yaml).collect()),
        Value::Map(entries) => Yaml::Mapping(
            entries.iter().map(|e| (Yaml::String(e.key.to_string()), as_yaml(&e.value))).collect(),
        ),
    }
}

/// A duration of a text that is one of ours.
pub fn duration(text: &str) -> Option<String> {
    Duration::parse(text).map(|long| long.to_string())
}
