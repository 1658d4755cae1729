//! What importers make of terms: parties, categories, purposes, durations, places; each with its fate.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::taxonomy::Tree;
use crate::base::vocabulary::Kind;

use super::aka::Vague;
use super::draft::{Draft, System, slug};
use super::fate::Code;
use super::ledger::{Leaf, Ledger};
use super::mapping::{Mapping, Named, PartyEntry, term_key};
use super::words::{Found, Words};

/// A section of the mapping to which a term belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Names of parties.
    Parties,
    /// Terms for data.
    Data,
    /// Terms for purposes.
    Purposes,
    /// Texts on durations.
    Durations,
}

/// How a term was used.
#[derive(Debug, Clone)]
pub struct Use {
    /// The term as it stands in the source.
    pub term: Arc<str>,
    /// What it would be mapped to.
    pub proposal: Vec<String>,
    /// How that was found.
    pub how: String,
    /// Whether it holds already: the mapping says it, or the term is a name of it.
    pub settled: bool,
    /// How often it is used.
    pub count: usize,
}

/// What a term for data stands for.
#[derive(Debug, Clone, Default)]
pub struct Data {
    /// The categories.
    pub keys: Vec<String>,
    /// Whatever the sender holds.
    pub held: bool,
    /// What was done to it.
    pub transform: Option<String>,
}

impl Data {
    /// Both.
    pub fn and(&mut self, other: Data) {
        self.keys.extend(other.keys);
        self.held |= other.held;
        // What was done to a part of it was not done to all.
        self.transform = match (self.transform.take(), other.transform) {
            (Some(one), Some(two)) if one == two => Some(one),
            _ => None,
        };
    }

    /// Whether it stands for nothing.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.held
    }
}

/// Whom a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Nobody.
    Nobody,
    /// Somebody who is not named.
    Unknown,
    /// A party.
    Party(String),
}

/// What an importer works with.
pub struct Maker<'m> {
    /// The leaves.
    pub ledger: Ledger,
    /// What is made.
    pub draft: Draft,
    /// What people have decided.
    pub mapping: &'m Mapping,
    /// The words of registers.
    pub words: &'m Words,
    /// The categories.
    pub data: &'m Tree,
    /// The purposes.
    pub purposes: &'m Tree,
    /// How much vague terms take.
    pub vague: Vague,
    /// The prefix of own keys.
    pub prefix: &'static str,
    /// The organisation.
    pub own: String,
    found: FxHashMap<(Section, String), Arc<Found>>,
    codes: FxHashMap<String, Option<String>>,
    /// All terms used.
    pub uses: BTreeMap<(Section, String), Use>,
}

/// The organisation, where nobody names it.
const OWN: &str = "self";

impl<'m> Maker<'m> {
    /// With nothing made but the organisation.
    pub fn new(
        mapping: &'m Mapping,
        words: &'m Words,
        trees: (&'m Tree, &'m Tree),
        vague: Vague,
        prefix: &'static str,
    ) -> Self {
        let mut maker = Maker {
            ledger: Ledger::default(),
            draft: Draft::default(),
            mapping,
            words,
            data: trees.0,
            purposes: trees.1,
            vague,
            prefix,
            own: OWN.to_owned(),
            found: FxHashMap::default(),
            codes: FxHashMap::default(),
            uses: BTreeMap::new(),
        };
        if let Some(own) = &mapping.own {
            maker.own = maker.made(own, &own.id);
        }
        maker
    }

    /// The organisation; made if nobody named it.
    pub fn own(&mut self) -> String {
        if !self.draft.has_party(&self.own) {
            let own = self.own.clone();
            self.draft.party(&own).set("name", "The organisation").assumed();
            let note = "the source does not name its organisation: state `self:` in the mapping";
            self.ledger.remark(Code::Assumed, "self", "", note, &format!("parties/{own}"), None);
        }
        self.own.clone()
    }

    fn made(&mut self, entry: &PartyEntry, name: &str) -> String {
        let party = self.draft.party(&entry.id);
        party.set_first("name", entry.name.as_deref().unwrap_or(name));
        let set = [
            ("role", &entry.role),
            ("jurisdiction", &entry.jurisdiction),
            ("affiliate_of", &entry.affiliate_of),
            ("contact", &entry.contact),
            ("dpo", &entry.dpo),
            ("representative", &entry.representative),
        ];
        for (key, value) in set {
            if let Some(value) = value {
                party.set(key, value.as_str());
            }
        }
        entry.id.clone()
    }

    /// What was decided on a party.
    pub fn entry(&self, name: &str) -> Option<&'m PartyEntry> {
        match self.mapping.parties.get(&term_key(name)) {
            Some(Named::Party(entry)) => Some(entry),
            _ => None,
        }
    }

    /// The kind of agreement under which a party gets data, if that was decided.
    pub fn agreement_kind(&self, name: &str) -> Option<Kind> {
        self.entry(name).and_then(|entry| entry.agreement)
    }

    /// Notes that a term was used.
    pub fn used(&mut self, section: Section, term: &str, settled: bool, proposal: &[String], how: &str) {
        let used = self.uses.entry((section, term_key(term))).or_insert_with(|| Use {
            term: term.into(),
            proposal: proposal.to_vec(),
            how: how.to_owned(),
            settled,
            count: 0,
        });
        used.count += 1;
    }

    /// Whom a name stands for. The leaf is marked.
    pub fn party(&mut self, leaf: Leaf, name: &str) -> Whom {
        let name = name.trim();
        let marked = |maker: &mut Self, id: &str, code, note: Option<&str>| {
            let made = format!("parties/{id}");
            maker.ledger.mark(leaf, code, Some(&made), note);
        };
        match self.mapping.parties.get(&term_key(name)) {
            Some(Named::Nobody) => {
                self.used(Section::Parties, name, true, &[], "mapping");
                self.ledger.mark(leaf, Code::Claimed, None, Some("the mapping says that this is nobody"));
                return Whom::Nobody;
            }
            Some(Named::Unknown) => {
                self.used(Section::Parties, name, true, &[], "mapping");
                return Whom::Unknown;
            }
            Some(Named::Party(entry)) => {
                self.used(Section::Parties, name, true, &[], "mapping");
                let id = self.made(entry, name);
                marked(self, &id, Code::Carried, None);
                return Whom::Party(id);
            }
            None => {}
        }
        if self.words.is_nothing(name) {
            self.ledger.mark(leaf, Code::Carried, None, Some("it says that there is nobody"));
            return Whom::Nobody;
        }
        if self.words.is_unknown(name) {
            return Whom::Unknown;
        }
        let own = self.mapping.own.as_ref();
        let is_own = own.is_some_and(|own| {
            term_key(&own.id) == term_key(name)
                || own.name.as_deref().is_some_and(|n| term_key(n) == term_key(name))
        });
        if is_own || self.words.is_ourselves(name) {
            let id = self.own();
            marked(self, &id, Code::Carried, None);
            return Whom::Party(id);
        }
        let id = slug(name);
        let known = self.draft.has_party(&id);
        self.draft.party(&id).set_first("name", name);
        let same = self.draft.party(&id).text("name").is_none_or(|old| term_key(old) == term_key(name));
        self.used(Section::Parties, name, true, std::slice::from_ref(&id), "its name");
        let (code, note) = match known && !same {
            true => (Code::Merged, Some("its name and another are taken for the same party")),
            false => (Code::Carried, None),
        };
        marked(self, &id, code, note);
        Whom::Party(id)
    }

    /// A party that is not named, of which somebody says what it is to whom.
    pub fn placeholder(&mut self, leaf: Option<Leaf>, id: &str, name: &str, note: &str) -> String {
        self.draft.party(id).set_first("name", name).assumed();
        let made = format!("parties/{id}");
        match leaf {
            Some(leaf) => self.ledger.mark(leaf, Code::Placeholder, Some(&made), Some(note)),
            None => self.ledger.remark(Code::Placeholder, id, name, note, &made, None),
        }
        id.to_owned()
    }

    fn find(&mut self, section: Section, text: &str) -> Arc<Found> {
        let key = (section, text.trim().to_owned());
        if let Some(known) = self.found.get(&key) {
            return Arc::clone(known);
        }
        let found = Arc::new(match section {
            Section::Data => self.words.data(self.data, text),
            _ => self.words.purposes(self.purposes, text),
        });
        self.found.insert(key, Arc::clone(&found));
        found
    }

    /// Whether a term for data is known for sure.
    pub fn knows_data(&mut self, text: &str) -> bool {
        self.mapping.data.contains_key(&term_key(text))
            || self.words.is_everything(text)
            || self.words.is_nothing(text)
            || matches!(*self.find(Section::Data, text), Found::Known(..))
    }

    /// Whether a term for a purpose is known for sure.
    pub fn knows_purpose(&mut self, text: &str) -> bool {
        self.mapping.purposes.contains_key(&term_key(text))
            || matches!(*self.find(Section::Purposes, text), Found::Known(..))
    }

    /// What a term for data stands for. The leaf is marked.
    pub fn data(&mut self, leaf: Leaf, text: &str, made: &str) -> Data {
        if let Some(entry) = self.mapping.data.get(&term_key(text)) {
            self.used(Section::Data, text, true, &entry.keys, "mapping");
            let (code, note) = match (entry.keys.is_empty(), &entry.transform) {
                (true, _) => (Code::Claimed, Some("the mapping says that this is no personal data")),
                (_, Some(_)) => (Code::Claimed, Some("the mapping says what was done to it")),
                _ => (Code::Carried, None),
            };
            self.ledger.mark(leaf, code, Some(made), note);
            return Data { keys: entry.keys.clone(), held: false, transform: entry.transform.clone() };
        }
        if self.words.is_nothing(text) {
            self.ledger.mark(leaf, Code::Carried, None, Some("it says that there is none"));
            return Data::default();
        }
        if self.words.is_everything(text) || self.words.is_unknown(text) {
            let note = "taken as whatever the sender holds";
            self.ledger.mark(leaf, Code::Widened, Some(made), Some(note));
            return Data { held: true, ..Data::default() };
        }
        let found = self.find(Section::Data, text);
        Data { keys: self.keys(Section::Data, leaf, text, &found, made), ..Data::default() }
    }

    /// What a term for a purpose stands for. The leaf is marked.
    pub fn purpose(&mut self, leaf: Leaf, text: &str, made: &str) -> Vec<String> {
        if let Some(keys) = self.mapping.purposes.get(&term_key(text)) {
            self.used(Section::Purposes, text, true, keys, "mapping");
            self.ledger.mark(leaf, Code::Carried, Some(made), None);
            return keys.clone();
        }
        let found = self.find(Section::Purposes, text);
        self.keys(Section::Purposes, leaf, text, &found, made)
    }

    fn keys(&mut self, section: Section, leaf: Leaf, text: &str, found: &Found, made: &str) -> Vec<String> {
        match found {
            Found::Known(keys, how) => {
                self.used(section, text, true, keys, how);
                self.ledger.mark(leaf, Code::Carried, Some(made), None);
                keys.clone()
            }
            Found::Like(keys, name) => {
                let how = format!("like `{name}`");
                self.used(section, text, false, keys, &how);
                let note = format!(
                    "`{text}` is taken for {}, since it is {how}: confirm it in the mapping",
                    keys.join(", ")
                );
                self.ledger.mark(leaf, Code::Proposed, Some(made), Some(&note));
                keys.clone()
            }
            Found::Unknown => {
                self.used(section, text, false, &[], "unknown");
                vec![self.extended(section, leaf, text, made)]
            }
        }
    }

    /// An own key for a term that nothing stands for.
    pub fn extended(&mut self, section: Section, leaf: Leaf, text: &str, made: &str) -> String {
        let key = format!("{}.{}", self.prefix, own_key(text));
        let keys = if section == Section::Data { &mut self.draft.data } else { &mut self.draft.purposes };
        keys.insert(key.clone(), text.chars().take(200).collect());
        let note = format!("`{text}` became `{key}`, which no rule knows: say in the mapping what it is");
        self.ledger.mark(leaf, Code::Extended, Some(made), Some(&note));
        key
    }

    /// The duration that a text states; what states none is unlimited, with the text as a label.
    pub fn duration(&mut self, leaf: Leaf, text: &str, made: &str) -> Option<String> {
        if let Some(long) = self.mapping.durations.get(&term_key(text)) {
            self.used(Section::Durations, text, true, std::slice::from_ref(long), "mapping");
            self.ledger.mark(leaf, Code::Claimed, Some(made), Some("the mapping says how long"));
            return Some(long.clone());
        }
        if let Some(long) = self.words.duration(text) {
            let code = if long == "unlimited" { Code::Carried } else { Code::Claimed };
            self.ledger.mark(leaf, code, Some(made), Some("taken over as it is stated"));
            return Some(long);
        }
        self.used(Section::Durations, text, false, &["unlimited".to_owned()], "no length of time");
        self.ledger.mark(leaf, Code::Widened, Some(made), Some("no length of time alone: read as unlimited"));
        None
    }

    /// A word of ours for a word of the source; none is the strict default, and proposed.
    pub fn word(&mut self, leaf: Leaf, key: &str, text: &str, made: &str) -> Option<String> {
        let mapped = self.mapping.words.get(key).and_then(|words| words.get(&super::fold::fold(text)));
        let word = mapped.cloned().or_else(|| self.words.word(key, text).map(str::to_owned));
        match &word {
            Some(word) => {
                let loosens = matches!(key, "consent" | "transform" | "safeguards" | "kind" | "onward");
                let strict = matches!(word.as_str(), "none" | "sharing" | "prohibited");
                let code = if loosens && !strict { Code::Claimed } else { Code::Carried };
                self.ledger.mark(leaf, code, Some(made), None);
            }
            None => {
                let note = format!("an unknown word for `{key}`: the strictest reading was taken");
                self.ledger.mark(leaf, Code::Widened, Some(made), Some(&note));
            }
        }
        word
    }

    /// The code of a place that a text names.
    pub fn place(&mut self, text: &str) -> Option<String> {
        let words = self.words;
        self.codes.entry(text.trim().to_owned()).or_insert_with(|| words.place(text)).clone()
    }

    /// The codes of the places that a text names.
    pub fn places(&mut self, leaf: Leaf, text: &str, made: &str) -> Vec<String> {
        let parts: Vec<&str> = text.split([';', '\n', '|', ',', '(', ')', '/']).map(str::trim).collect();
        let codes: Vec<String> = parts.iter().filter_map(|part| self.place(part)).collect();
        let known = parts.iter().filter(|part| !part.is_empty()).count() == codes.len();
        match (codes.is_empty(), known) {
            (true, _) => self.ledger.mark(leaf, Code::Label, Some(made), Some("no place that is known")),
            (_, true) => self.ledger.mark(leaf, Code::Carried, Some(made), None),
            (_, false) => self.ledger.mark(leaf, Code::Label, Some(made), Some("read in part")),
        }
        codes
    }

    /// The system of a party that a name stands for.
    pub fn system(&mut self, party: &str, name: &str) -> System {
        let name = name.trim();
        let entry = self.mapping.systems.get(&term_key(name));
        let id = entry.map_or_else(|| slug(name), |entry| entry.id.clone());
        let party = entry.and_then(|entry| entry.party.clone()).unwrap_or_else(|| party.to_owned());
        if !self.draft.has_party(&party) {
            self.draft.party(&party).set_first("name", party.clone());
        }
        let system = (party, id);
        let regions = entry.map(|entry| entry.region.clone()).unwrap_or_default();
        self.draft.system(&system).set_first("title", name).add("region", regions);
        system
    }
}

fn own_key(text: &str) -> String {
    slug(text).chars().map(|c| if c == '.' { '_' } else { c }).collect()
}

/// The items of a cell. They are separated by `;`, `|` and line breaks; by commas only where every part is
/// known, or the cell is no term itself and a list was announced.
pub fn items(text: &str, mut knows: impl FnMut(&str) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    for part in text.split([';', '|', '\n', '\r']).map(str::trim).filter(|part| !part.is_empty()) {
        let commas: Vec<&str> = part.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if commas.len() > 1 && commas.iter().all(|part| knows(part)) {
            all.extend(commas.into_iter().map(str::to_owned));
        } else {
            all.push(part.trim_start_matches(['•', '*', '·']).trim().to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_parts_known_items_alone() {
        let knows = |text: &str| ["email", "name"].contains(&text);
        assert_eq!(items("email, name", knows), ["email", "name"]);
        assert_eq!(items("Smith, Jones & Co.", knows), ["Smith, Jones & Co."]);
        assert_eq!(items("email; Smith, Jones\nname | x", knows), ["email", "Smith, Jones", "name", "x"]);
        assert_eq!(items(" ; ", knows), Vec::<String>::new());
    }
}
