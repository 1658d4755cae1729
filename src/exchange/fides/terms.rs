//! Terms of Fideslang: its keys, what earlier versions called them, and what they stand for here.

use std::collections::BTreeMap;

use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::source::Sources;
use crate::base::taxonomy::Tree;
use crate::exchange::aka::{DERIVED, Image, Inverse, Vague};
use crate::exchange::fate::Code;
use crate::exchange::ledger::Leaf;
use crate::exchange::maker::{Maker, Section};
use crate::exchange::mapping::term_key;
use crate::read::decode::{Decoder, Fields};
use crate::read::yaml;

const KEYS: &str = include_str!("../../../taxonomy/fideslang.yaml");
/// The name of the vocabulary in `aka`.
pub const VOCABULARY: &str = "fideslang";

/// The keys of Fideslang.
#[derive(Debug, Default)]
pub struct Keys {
    /// Data categories.
    pub categories: Vec<String>,
    /// Data uses.
    pub uses: Vec<String>,
    /// Kinds of people.
    pub subjects: Vec<String>,
    not_personal: Vec<String>,
    renamed: BTreeMap<String, String>,
}

/// Reads them, with the mistakes of the file, in which a test looks for some.
pub fn keys() -> (Keys, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let file = Sources::new().add("taxonomy/fideslang.yaml", KEYS.to_owned());
    let documents = yaml::parse(file, KEYS, &yaml::Limits::default(), &mut diagnostics);
    let tree = Tree::default();
    let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
    let mut keys = Keys::default();
    if let Some(document) = documents.first()
        && let Some(mut f) = Fields::new(&mut d, document, "keys of Fideslang")
    {
        let list = |d: &mut Decoder, f: &mut Fields, key| -> Vec<String> {
            f.list(d, key, |d, n| d.text(n)).into_iter().map(|text| text.value).collect()
        };
        keys.categories = list(&mut d, &mut f, "categories");
        keys.uses = list(&mut d, &mut f, "uses");
        keys.subjects = list(&mut d, &mut f, "subjects");
        keys.not_personal = list(&mut d, &mut f, "not_personal");
        for key in ["renamed_categories", "renamed_uses"] {
            let pairs = f.with(&mut d, key, |d, n| {
                Some(d.map(n, "a map from old to new", |d, old, new| {
                    d.text(new).map(|new| (old.value, new.value))
                }))
            });
            keys.renamed.extend(pairs.unwrap_or_default());
        }
        f.finish(&mut d);
    }
    (keys, diagnostics)
}

/// A key that a manifest declares.
#[derive(Debug, Clone)]
pub struct Own {
    /// The key above it.
    pub parent: Option<String>,
}

/// All that a manifest's terms are looked up in.
pub struct Terms<'t> {
    /// The keys of Fideslang.
    pub keys: Keys,
    data: Inverse<'t>,
    purposes: Inverse<'t>,
    /// The categories that the manifest declares.
    pub own_data: BTreeMap<String, Own>,
    /// The uses that it declares.
    pub own_uses: BTreeMap<String, Own>,
}

/// What a term stands for, and how that is known.
struct Meaning {
    keys: Vec<String>,
    left_out: Vec<String>,
    code: Code,
    note: Option<String>,
}

impl<'t> Terms<'t> {
    /// With no keys of a manifest.
    pub fn new(data: &'t Tree, purposes: &'t Tree) -> Self {
        Terms {
            keys: keys().0,
            data: Inverse::new(data, VOCABULARY),
            purposes: Inverse::new(purposes, VOCABULARY),
            own_data: BTreeMap::new(),
            own_uses: BTreeMap::new(),
        }
    }

    /// Whether a category is no data about people.
    pub fn is_not_personal(&self, key: &str) -> bool {
        self.keys.not_personal.iter().any(|one| one == key)
    }

    fn image(&self, section: Section, key: &str, vague: Vague) -> Option<Image> {
        if section == Section::Data { self.data.image(key, vague) } else { self.purposes.image(key, vague) }
    }

    fn meaning(&self, section: Section, key: &str, vague: Vague, depth: usize) -> Option<Meaning> {
        let own = if section == Section::Data { &self.own_data } else { &self.own_uses };
        let known = if section == Section::Data { &self.keys.categories } else { &self.keys.uses };
        let carried = |image: Image, note: Option<String>| {
            let wider =
                image.of_above.as_ref().map(|above| format!("read as `{above}`, of which it is a part"));
            Meaning {
                keys: image.keys,
                left_out: image.left_out,
                code: if wider.is_some() { Code::Widened } else { Code::Carried },
                note: wider.or(note),
            }
        };
        if let Some(declared) = own.get(key).filter(|_| !known.iter().any(|one| one == key)) {
            let parent =
                declared.parent.as_deref().or_else(|| key.rsplit_once('.').map(|(above, _)| above))?;
            // Each step up is one of the keys that the manifest declares.
            let above =
                (depth < own.len() + 1).then(|| self.meaning(section, parent, vague, depth + 1)).flatten()?;
            let note = Some(format!("a key of the manifest's own, read as `{parent}`"));
            return Some(Meaning { code: Code::Widened.max(above.code), note, ..above });
        }
        if let Some(now) = self.keys.renamed.get(key) {
            let image = self.image(section, now, vague)?;
            return Some(carried(image, Some(format!("called `{now}` in Fideslang 3"))));
        }
        let image = self.image(section, key, vague)?;
        if known.iter().any(|one| one == key) {
            return Some(carried(image, None));
        }
        let near = nearest(key, known.iter().map(String::as_str))
            .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let note = Some(format!("no key of Fideslang 3, read as the key above it{near}"));
        Some(Meaning { code: Code::Widened, note, ..carried(image, None) })
    }

    /// What a category or use stands for. The leaf is marked.
    pub fn read(&self, maker: &mut Maker, section: Section, leaf: Leaf, made: &str) -> Vec<String> {
        let text = maker.ledger.value(leaf);
        let key = text.trim();
        let mapped = match section {
            Section::Data => maker.mapping.data.contains_key(&term_key(key)),
            _ => maker.mapping.purposes.contains_key(&term_key(key)),
        };
        if mapped {
            return match section {
                Section::Data => maker.data(leaf, key, made).keys,
                _ => maker.purpose(leaf, key, made),
            };
        }
        if section == Section::Data && self.is_not_personal(key) {
            maker.ledger.mark(leaf, Code::Label, None, Some("no data about people, by Fideslang"));
            return Vec::new();
        }
        match self.meaning(section, key, maker.vague, 0) {
            Some(meaning) => {
                maker.used(section, key, true, &meaning.keys, "fideslang");
                maker.ledger.mark(leaf, meaning.code, Some(made), meaning.note.as_deref());
                let is_derived = |key: &&String| **key == DERIVED || key.starts_with("derived.");
                let left_out: Vec<&str> =
                    meaning.left_out.iter().filter(|key| !is_derived(key)).map(String::as_str).collect();
                if meaning.left_out.len() > left_out.len() {
                    let note = "Fideslang does not tell derived data from other data: none was read as derived; \
                                `--vague widest` reads it as both";
                    maker.ledger.remark(Code::Narrowed, "term", DERIVED, note, made, None);
                }
                if !left_out.is_empty() {
                    let note = format!(
                        "taken as {}; {} left out, whose nearest term it is, too: `--vague widest` takes all",
                        meaning.keys.join(", "),
                        left_out.join(", "),
                    );
                    maker.ledger.remark(Code::Narrowed, "term", key, &note, made, Some(leaf));
                }
                meaning.keys
            }
            None => {
                let near = nearest(key, self.known(section));
                maker.used(
                    section,
                    key,
                    false,
                    &[],
                    &near.map_or("unknown".to_owned(), |near| format!("near `{near}`")),
                );
                vec![maker.extended(section, leaf, key, made)]
            }
        }
    }

    fn known(&self, section: Section) -> impl Iterator<Item = &str> {
        let keys = if section == Section::Data { &self.keys.categories } else { &self.keys.uses };
        keys.iter().map(String::as_str)
    }

    /// What a policy's term stands for, at its widest or not.
    pub fn of_policy(&self, maker: &mut Maker, section: Section, leaf: Leaf, vague: Vague) -> Vec<String> {
        let before = std::mem::replace(&mut maker.vague, vague);
        let keys = self.read(maker, section, leaf, "policies");
        maker.vague = before;
        keys
    }
}
