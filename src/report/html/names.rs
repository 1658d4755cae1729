//! What things are called: titles in place of keys, names in place of ids. What was
//! called by its title is remembered for the list of terms at the end.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::base::finding::Place;
use crate::base::source::{Location, Sources, Span};
use crate::base::taxonomy::Tree;
use crate::declare::words;
use crate::model::load::World;
use crate::model::{AgreementId, FlowId, Id, Model, SystemId};
use crate::report::say::count;

/// What is said of people where no system states how many.
const UNKNOWN: &str = "number of people not declared";

/// A system as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct System {
    /// The party's name.
    pub party: String,
    /// The system's own id; `None`: a whole party.
    pub system: Option<String>,
}

/// Names and titles of one world.
#[derive(Debug)]
pub struct Names<'r> {
    model: Option<&'r Model>,
    sources: Option<&'r Sources>,
    parties: FxHashMap<&'r str, (&'r str, usize)>,
    systems: FxHashMap<&'r str, usize>,
    flows: FxHashMap<&'r str, FlowId>,
    agreements: FxHashMap<&'r str, AgreementId>,
    used: RefCell<[BTreeMap<String, String>; 2]>,
    keys: RefCell<(Vec<String>, FxHashMap<String, usize>)>,
}

impl<'r> Names<'r> {
    /// The names of a world, if there is one.
    pub fn new(world: Option<&'r World>, sources: Option<&'r Sources>) -> Self {
        let model = world.map(|w| &w.model);
        let parties = model.into_iter().flat_map(|m| m.parties.values());
        let systems = model.into_iter().flat_map(|m| m.systems.values());
        let flows = model.into_iter().flat_map(|m| m.flows.iter());
        let agreements = model.into_iter().flat_map(|m| m.agreements.iter());
        Names {
            model,
            sources,
            parties: parties.zip(0..).map(|(p, at)| (p.id(), (p.declared.name.as_str(), at))).collect(),
            systems: systems.zip(0..).map(|(s, at)| (s.name.as_str(), at)).collect(),
            flows: flows.map(|(id, f)| (f.name.as_str(), id)).collect(),
            agreements: agreements.map(|(id, a)| (a.id(), id)).collect(),
            used: RefCell::default(),
            keys: RefCell::default(),
        }
    }

    /// A party's name.
    pub fn party(&self, id: &str) -> String {
        let name = self.parties.get(id).map(|(name, _)| *name);
        name.filter(|name| !name.is_empty()).unwrap_or(id).to_owned()
    }

    /// A party's number, by which the script knows it.
    pub fn number(&self, id: &str) -> Option<usize> {
        self.parties.get(id).map(|(_, at)| *at)
    }

    /// The number of the system `party/system`, by which the script knows it.
    pub fn system_number(&self, name: &str) -> Option<usize> {
        self.systems.get(name).copied()
    }

    /// `party/system` with the party's name.
    pub fn system(&self, name: &str) -> System {
        match name.split_once('/') {
            Some((party, system)) => System { party: self.party(party), system: Some(system.to_owned()) },
            None => System { party: self.party(name), system: None },
        }
    }

    /// A place of a finding.
    pub fn place(&self, place: &Place) -> System {
        self.system(place.system.as_deref().unwrap_or(&place.party))
    }

    /// A system on one line.
    pub fn line(&self, name: &str) -> String {
        let System { party, system } = self.system(name);
        system.map_or(party.clone(), |system| format!("{party}, {system}"))
    }

    /// What the system `party/system` is called.
    pub fn system_title(&self, name: &str) -> Option<String> {
        let (_, own) = name.split_once('/')?;
        let system =
            self.model.zip(self.systems.get(name)).map(|(m, &at)| &m.systems[SystemId::from_index(at)]);
        let title = system.and_then(|system| system.declared.meta.title.as_deref());
        Some(title.unwrap_or(own).to_owned())
    }

    /// What the flow of that name is called.
    pub fn flow_title(&self, name: &str) -> Option<String> {
        let flow = &self.model?.flows[self.flow(name)?];
        flow.declared.meta.title.as_deref().map(str::to_owned)
    }

    /// What an agreement is called.
    pub fn agreement_title(&self, id: &str) -> String {
        let declared =
            self.model.zip(self.agreement(id)).map(|(m, agreement)| &m.agreements[agreement].declared);
        declared.and_then(|declared| declared.meta.title.as_deref()).unwrap_or(id).to_owned()
    }

    /// How many people's data some systems hold, and for how many nobody says.
    pub fn people<'s>(&self, systems: impl Iterator<Item = &'s str>) -> String {
        let Some(model) = self.model else { return UNKNOWN.to_owned() };
        let known = systems.filter_map(|name| self.systems.get(name));
        let stated: Vec<Option<u64>> =
            known.map(|&at| model.systems[SystemId::from_index(at)].declared.subjects).collect();
        let people = stated.iter().flatten().fold(0_u64, |all, &one| all.saturating_add(one));
        let silent = stated.iter().filter(|subjects| subjects.is_none()).count();
        match (stated.len() - silent, silent) {
            (0, _) => UNKNOWN.to_owned(),
            (_, 0) => format!("up to {} people", thousands(people)),
            (_, n) => format!(
                "up to {} people, and those of {} that do{} not state a number",
                thousands(people),
                count(n, "system"),
                if n == 1 { "es" } else { "" }
            ),
        }
    }

    /// The flow of that name.
    pub fn flow(&self, name: &str) -> Option<FlowId> {
        self.flows.get(name).copied()
    }

    /// When a promise would be broken, in words.
    pub fn violated(&self, statement: &str) -> Option<String> {
        let model = self.model?;
        let statement = model.statements.iter().find(|s| s.id.value == statement)?;
        let names = words::Names { data: &model.data, purposes: &model.purposes };
        Some(words::violated(&statement.promise, names))
    }

    /// The agreement with that id.
    pub fn agreement(&self, id: &str) -> Option<AgreementId> {
        self.agreements.get(id).copied()
    }

    /// A data category's title.
    pub fn data(&self, key: &str) -> String {
        self.title(key, self.model.map(|m| &m.data), 0)
    }

    /// A purpose's title.
    pub fn purpose(&self, key: &str) -> String {
        self.title(key, self.model.map(|m| &m.purposes), 1)
    }

    /// Data categories' titles on one line.
    pub fn all_data<S: AsRef<str>>(&self, keys: &[S]) -> String {
        keys.iter().map(|key| self.data(key.as_ref())).collect::<Vec<_>>().join(", ")
    }

    /// Purposes' titles on one line.
    pub fn all_purposes<S: AsRef<str>>(&self, keys: &[S]) -> String {
        keys.iter().map(|key| self.purpose(key.as_ref())).collect::<Vec<_>>().join(", ")
    }

    fn title(&self, key: &str, tree: Option<&Tree>, which: usize) -> String {
        let title = tree.and_then(|tree| tree.title(tree.find(key)?));
        if let (Some(title), Some(used)) = (title, self.used.borrow_mut().get_mut(which)) {
            used.entry(key.to_owned()).or_insert_with(|| title.to_owned());
        }
        title.unwrap_or(key).to_owned()
    }

    /// The data categories and the purposes called by title so far, by key.
    pub fn used(&self) -> [Vec<(String, String)>; 2] {
        self.used.borrow().clone().map(|used| used.into_iter().collect())
    }

    /// A data category's number, by which the script knows it.
    pub fn key(&self, key: &str) -> usize {
        let mut keys = self.keys.borrow_mut();
        let (list, at) = &mut *keys;
        *at.entry(key.to_owned()).or_insert_with(|| {
            list.push(key.to_owned());
            list.len() - 1
        })
    }

    /// The data categories that have numbers.
    pub fn keys(&self) -> Vec<String> {
        self.keys.borrow().0.clone()
    }

    /// Where something is declared, `file:line`.
    pub fn span(&self, span: Span) -> Option<String> {
        self.sources.map(|sources| at(&sources.location(span)))
    }
}

/// `62,000,000`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `file:line`.
pub fn at(location: &Location) -> String {
    format!("{}:{}", location.file, location.line)
}

/// Words with underscores as they are read.
pub fn plain(word: &str) -> String {
    word.replace('_', " ")
}
