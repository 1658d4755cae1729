//! The inventory that an import makes, written in one order whatever order its sources have.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};

/// What a key of a declaration is set to.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Text(String),
    Words(BTreeSet<String>),
    Raw(Value),
}

/// A declaration that is being made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thing {
    fields: BTreeMap<String, Field>,
    labels: BTreeMap<String, String>,
}

/// The order of keys in what is written; others follow by name.
const ORDER: [&str; 33] = [
    "id",
    "name",
    "title",
    "role",
    "jurisdiction",
    "affiliate_of",
    "contact",
    "dpo",
    "representative",
    "kind",
    "provider",
    "status",
    "parties",
    "effective",
    "legal_basis",
    "from",
    "to",
    "data",
    "purposes",
    "consent",
    "transform",
    "only_from",
    "originates",
    "controller",
    "derives",
    "safeguards",
    "retention",
    "region",
    "disposed",
    "assurances",
    "terms",
    "tags",
    "basis",
];
/// What follows the others.
const LAST: [&str; 4] = ["source", "labels", "systems", "flows"];

impl Thing {
    /// Sets a key.
    pub fn set(&mut self, key: &str, text: impl Into<String>) -> &mut Self {
        self.fields.insert(key.to_owned(), Field::Text(short(text.into())));
        self
    }

    /// Sets a key, unless it is set.
    pub fn set_first(&mut self, key: &str, text: impl Into<String>) -> &mut Self {
        self.fields.entry(key.to_owned()).or_insert_with(|| Field::Text(short(text.into())));
        self
    }

    /// What a key is set to, if that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.fields.get(key) {
            Some(Field::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether a key is stated.
    pub fn states(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// Adds words to the list of a key.
    pub fn add<T: Into<String>>(&mut self, key: &str, words: impl IntoIterator<Item = T>) -> &mut Self {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        if words.is_empty() {
            return self;
        }
        match self.fields.entry(key.to_owned()).or_insert_with(|| Field::Words(BTreeSet::new())) {
            Field::Words(all) => all.extend(words),
            other => *other = Field::Words(words.into_iter().collect()),
        }
        self
    }

    /// Adds an element to a list of values.
    pub fn push(&mut self, key: &str, value: Value) -> &mut Self {
        match self.fields.entry(key.to_owned()).or_insert_with(|| Field::Raw(Value::Sequence(Vec::new()))) {
            Field::Raw(Value::Sequence(all)) if !all.contains(&value) => all.push(value),
            _ => {}
        }
        self
    }

    /// Sets a key of a map.
    pub fn within(&mut self, key: &str, inner: &str, value: Value) -> &mut Self {
        let field =
            self.fields.entry(key.to_owned()).or_insert_with(|| Field::Raw(Value::Mapping(Mapping::new())));
        if let Field::Raw(Value::Mapping(map)) = field {
            map.insert(Value::String(inner.to_owned()), value);
        }
        self
    }

    /// Puts a label on it; a second value is put behind the first.
    pub fn label(&mut self, name: &str, text: &str) -> &mut Self {
        let text: String = text.chars().take(900).collect();
        let old = self.labels.entry(name.to_owned()).or_default();
        let known = old.split("; ").any(|one| one == text);
        if old.is_empty() {
            *old = text;
        } else if !known && old.len() < 800 {
            *old = format!("{old}; {text}");
        }
        self
    }

    /// Says that something of it was assumed.
    pub fn assumed(&mut self) -> &mut Self {
        self.set("basis", "assumed")
    }

    /// Puts what a mapping states over it, key by key.
    fn overlay(&mut self, over: &Mapping) {
        for (key, value) in over {
            let Some(key) = key.as_str() else { continue };
            if key == "labels"
                && let Value::Mapping(labels) = value
            {
                for (name, text) in labels {
                    if let (Some(name), Some(text)) = (name.as_str(), scalar(text)) {
                        self.labels.insert(name.to_owned(), text);
                    }
                }
                continue;
            }
            match (self.fields.get_mut(key), value) {
                (Some(Field::Raw(Value::Mapping(own))), Value::Mapping(new)) => {
                    own.extend(new.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                _ => {
                    self.fields.insert(key.to_owned(), Field::Raw(value.clone()));
                }
            }
        }
    }

    fn value(&self, id: Option<&str>) -> Mapping {
        let mut map = Mapping::new();
        let mut put = |key: &str, value: Value| map.insert(Value::String(key.to_owned()), value);
        if let Some(id) = id {
            put("id", Value::String(id.to_owned()));
        }
        let known = ORDER.iter().copied().filter(|key| *key != "id");
        let others =
            self.fields.keys().map(String::as_str).filter(|key| !ORDER.contains(key) && !LAST.contains(key));
        for key in known.chain(others).chain(["source"]) {
            let value = match self.fields.get(key) {
                Some(Field::Text(text)) => Value::String(text.clone()),
                Some(Field::Words(words)) => list(words),
                Some(Field::Raw(value)) => value.clone(),
                None => continue,
            };
            put(key, value);
        }
        if !self.labels.is_empty() {
            let labels = self.labels.iter();
            let labels =
                labels.map(|(name, text)| (Value::String(name.clone()), Value::String(text.clone())));
            put("labels", Value::Mapping(labels.collect()));
        }
        map
    }
}

/// A text no longer than a name may be.
fn short(text: String) -> String {
    if text.len() <= 900 { text } else { text.chars().take(900).collect() }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn list(words: &BTreeSet<String>) -> Value {
    Value::Sequence(words.iter().cloned().map(Value::String).collect())
}

/// What is made.
#[derive(Debug, Default)]
pub struct Draft {
    /// Own categories: key, title.
    pub data: BTreeMap<String, String>,
    /// Own purposes: key, title.
    pub purposes: BTreeMap<String, String>,
    parties: BTreeMap<String, Thing>,
    systems: BTreeMap<(String, String), Thing>,
    agreements: BTreeMap<String, Thing>,
    flows: BTreeMap<(String, String), Thing>,
    /// Policies: id, document.
    pub policies: BTreeMap<String, Value>,
}

/// A system, by the ids of its party and its own.
pub type System = (String, String);

impl Draft {
    /// The party of an id, made if need be.
    pub fn party(&mut self, id: &str) -> &mut Thing {
        self.parties.entry(id.to_owned()).or_default()
    }

    /// The ids of all parties.
    pub fn party_ids(&self) -> impl Iterator<Item = &str> {
        self.parties.keys().map(String::as_str)
    }

    /// Whether a party of this id was made.
    pub fn has_party(&self, id: &str) -> bool {
        self.parties.contains_key(id)
    }

    /// The system of an id within a party, made if need be.
    pub fn system(&mut self, system: &System) -> &mut Thing {
        self.parties.entry(system.0.clone()).or_default();
        self.systems.entry(system.clone()).or_default()
    }

    /// The agreement of an id, made if need be.
    pub fn agreement(&mut self, id: &str) -> &mut Thing {
        self.agreements.entry(id.to_owned()).or_default()
    }

    /// The flow of an id within an agreement; under none, its agreement is empty.
    pub fn flow(&mut self, agreement: &str, id: &str) -> &mut Thing {
        self.flows.entry((agreement.to_owned(), id.to_owned())).or_default()
    }

    /// All flows, by the ids of their agreement and their own.
    pub fn flows(&self) -> impl Iterator<Item = (&(String, String), &Thing)> {
        self.flows.iter()
    }

    /// How many flows there are.
    pub fn flow_count(&self) -> usize {
        self.flows.len()
    }

    /// Puts what a mapping states over what was made.
    ///
    /// # Errors
    /// Nothing of that id was made: the ids of its kind.
    pub fn overlay(&mut self, full: &str, over: &Mapping) -> Result<(), Vec<String>> {
        let parts: Vec<&str> = full.split('/').collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let found = match parts.as_slice() {
            ["parties", party] => self.parties.get_mut(*party),
            ["parties", party, "systems", system] | ["systems", party, system] => {
                self.systems.get_mut(&pair(party, system))
            }
            ["agreements", agreement] => self.agreements.get_mut(*agreement),
            ["agreements", agreement, "flows", flow] => self.flows.get_mut(&pair(agreement, flow)),
            ["flows", flow] => self.flows.get_mut(&pair("", flow)),
            _ => None,
        };
        match found {
            Some(thing) => {
                thing.overlay(over);
                Ok(())
            }
            None => Err(self.ids()),
        }
    }

    fn ids(&self) -> Vec<String> {
        let systems = self.systems.keys().map(|(party, system)| format!("parties/{party}/systems/{system}"));
        self.parties
            .keys()
            .map(|id| format!("parties/{id}"))
            .chain(systems)
            .chain(self.agreements.keys().map(|id| format!("agreements/{id}")))
            .chain(self.flows.keys().map(|(agreement, flow)| flow_id(agreement, flow)))
            .collect()
    }

    /// The inventory, as YAML.
    ///
    /// # Errors
    /// A value cannot be written, which is a mistake of the program.
    pub fn yaml(&self) -> Result<String, serde_yaml::Error> {
        let mut top = Mapping::new();
        let mut taxonomy = Mapping::new();
        for (name, keys) in [("data", &self.data), ("purposes", &self.purposes)] {
            if !keys.is_empty() {
                let keys = keys.iter().map(|(key, title)| {
                    let title = [(Value::from("title"), Value::from(title.as_str()))];
                    (Value::from(key.as_str()), Value::Mapping(title.into_iter().collect()))
                });
                taxonomy.insert(Value::from(name), Value::Mapping(keys.collect()));
            }
        }
        if !taxonomy.is_empty() {
            top.insert(Value::from("taxonomy"), Value::Mapping(taxonomy));
        }
        let parties = self.parties.iter().map(|(id, party)| {
            let mut map = party.value(Some(id));
            let systems =
                self.systems.range((id.clone(), String::new())..).take_while(|((of, _), _)| of == id);
            let systems: Vec<Value> =
                systems.map(|((_, own), system)| Value::Mapping(system.value(Some(own)))).collect();
            if !systems.is_empty() {
                map.insert(Value::from("systems"), Value::Sequence(systems));
            }
            Value::Mapping(map)
        });
        put(&mut top, "parties", parties.collect());
        let flows_of = |agreement: &str| -> Vec<Value> {
            let flows = self.flows.range((agreement.to_owned(), String::new())..);
            let flows = flows.take_while(|((of, _), _)| of == agreement);
            flows.map(|((_, own), flow)| Value::Mapping(flow.value(Some(own)))).collect()
        };
        let agreements = self.agreements.iter().map(|(id, agreement)| {
            let mut map = agreement.value(Some(id));
            put(&mut map, "flows", flows_of(id));
            Value::Mapping(map)
        });
        put(&mut top, "agreements", agreements.collect());
        put(&mut top, "flows", flows_of(""));
        serde_yaml::to_string(&Value::Mapping(top))
    }
}

fn put(map: &mut Mapping, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        map.insert(Value::from(key), Value::Sequence(values));
    }
}

/// The full id of a flow, as reports and `set:` name it.
pub fn flow_id(agreement: &str, flow: &str) -> String {
    if agreement.is_empty() {
        format!("flows/{flow}")
    } else {
        format!("agreements/{agreement}/flows/{flow}")
    }
}

/// An id of a text: lower case, other runs of characters a hyphen.
pub fn slug(text: &str) -> String {
    let mut id = String::new();
    for c in text.chars().flat_map(super::fold::plain) {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            id.push(c.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_matches(['-', '.', '_']);
    let short: String = id.chars().take(80).collect();
    let short = short.trim_end_matches(['-', '.', '_']);
    let hidden = text.chars().any(|c| c.is_alphanumeric() && super::fold::plain(c).all(|p| !p.is_ascii()));
    // What has no plain letters, or is cut short, gets its digest.
    if short.is_empty() || short.len() < id.len() || hidden {
        let digest: String = blake3::hash(text.as_bytes()).to_hex().chars().take(8).collect();
        return [short, &digest]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("-");
    }
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_texts() {
        assert_eq!(slug("MailBlaster Inc."), "mailblaster-inc");
        assert_eq!(slug("CRM (Amsterdam)"), "crm-amsterdam");
        assert_eq!(slug("Société Générale"), "societe-generale");
        assert_ne!(slug("株式会社"), slug("有限会社"));
        assert!(slug("").chars().all(|c| c.is_ascii_alphanumeric()) && !slug("").is_empty());
        assert_ne!(slug(&"a".repeat(200)), slug(&"a".repeat(201)));
    }

    #[test]
    fn the_order_of_making_makes_no_difference() {
        let make = |order: [usize; 3]| {
            let mut draft = Draft::default();
            for at in order {
                let party = ["c", "a", "b"][at];
                draft.party(party).set("name", party);
                draft.system(&(party.to_owned(), "s".to_owned())).add("originates", ["x", "y"]);
                draft.flow("", party).set("from", "a/s").set("to", "b/s").add("data", ["x"]);
            }
            draft.yaml().unwrap()
        };
        assert_eq!(make([0, 1, 2]), make([2, 0, 1]));
    }
}
