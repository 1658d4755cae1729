//! Fides manifests: organisations, systems, datasets, policies and own keys of the taxonomies.
//!
//! A privacy declaration says that a system has data of some people for a use. Where it comes from is not
//! said, so it starts at a system `people-…` of the organisation, one for each kind of people, and flows
//! from there to the system for that use.

mod datasets;
mod policies;
mod systems;
mod terms;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::diagnostic::Diagnostic;

use super::draft::{System, slug};
use super::fate::Code;
use super::ledger::Leaf;
use super::maker::{Maker, Section, Whom};
use super::tree::{Branch, Kind};
use terms::{Own, Terms};

pub use terms::keys;

/// What is known while manifests are read.
struct Manifests<'m, 't> {
    maker: &'m mut Maker<'t>,
    terms: Terms<'t>,
    /// The systems by their keys.
    systems: BTreeMap<String, System>,
    /// The uses that each system declares.
    uses: BTreeMap<System, BTreeSet<String>>,
    /// What each declares to have.
    holds: BTreeMap<System, BTreeSet<String>>,
    /// The datasets by their keys.
    datasets: BTreeMap<String, System>,
    /// What the datasets hold.
    stored: BTreeMap<System, BTreeSet<String>>,
    diagnostics: Vec<Diagnostic>,
}

/// The keys at the top of a manifest that are read.
const TOP: [&str; 7] =
    ["organization", "system", "dataset", "policy", "data_category", "data_use", "data_subject"];

/// Makes an inventory of manifests.
///
/// # Errors
/// What can neither be carried nor widened.
pub fn import<'t>(maker: &mut Maker<'t>, documents: &[Branch]) -> Result<(), Vec<Diagnostic>> {
    let terms = Terms::new(maker.data, maker.purposes);
    let mut all = Manifests {
        maker,
        terms,
        systems: BTreeMap::new(),
        uses: BTreeMap::new(),
        holds: BTreeMap::new(),
        datasets: BTreeMap::new(),
        stored: BTreeMap::new(),
        diagnostics: Vec::new(),
    };
    if !documents.iter().any(|document| TOP.iter().any(|key| document.get(key).is_some())) {
        let known = TOP.join(", ");
        let message = "this is no Fides manifest: none of its documents has a key that is read";
        let mistake = match documents.first() {
            Some(document) => Diagnostic::new("not-this-format", message, document.span),
            None => Diagnostic::without_place("not-this-format", message),
        };
        return Err(vec![mistake.label("expected the keys of a manifest").help(format!("one of {known}"))]);
    }
    let of = |key: &'static str| documents.iter().flat_map(move |document| document.list(key));
    for organisation in of("organization") {
        all.organisation(organisation);
    }
    for (key, section) in [("data_category", Section::Data), ("data_use", Section::Purposes)] {
        for declared in of(key) {
            all.own_key(declared, section);
        }
    }
    for subject in of("data_subject") {
        all.minor(subject, "a kind of people: systems are made of those that declarations name");
    }
    for dataset in of("dataset") {
        all.dataset(dataset);
    }
    for system in of("system") {
        all.name_system(system);
    }
    for system in of("system") {
        all.system(system);
    }
    for dataset in of("dataset") {
        all.references(dataset);
    }
    for policy in of("policy") {
        all.policy(policy);
    }
    if all.diagnostics.is_empty() { Ok(()) } else { Err(all.diagnostics) }
}

impl Manifests<'_, '_> {
    fn text(&self, leaf: Leaf) -> String {
        self.maker.ledger.value(leaf).trim().to_owned()
    }

    fn key_text(&self, branch: &Branch, key: &str) -> Option<String> {
        branch.leaf(key).map(|leaf| self.text(leaf)).filter(|text| !text.is_empty())
    }

    /// What nothing is judged by.
    fn minor(&mut self, branch: &Branch, note: &str) {
        for leaf in branch.all() {
            self.maker.ledger.drop_minor(leaf, note);
        }
    }

    /// Drops the keys of a map that nothing is judged by.
    fn minor_keys(&mut self, branch: &Branch, keys: &[&str]) {
        for key in keys {
            if let Some(value) = branch.get(key) {
                self.minor(value, "says nothing on where data goes");
            }
        }
    }

    /// Whether a key is set to true.
    fn flag(&mut self, branch: &Branch, key: &str, made: &str) -> bool {
        let Some(leaf) = branch.leaf(key) else { return false };
        let text = self.text(leaf).to_lowercase();
        // What is no clear no is taken for a yes.
        let is_no = matches!(text.as_str(), "false" | "no" | "off" | "0" | "n/a" | "none");
        self.maker.ledger.mark(leaf, Code::Carried, Some(made), None);
        !is_no
    }

    /// The name of an element of a list: its key, else its name.
    fn name_of(&mut self, branch: &Branch, made: &str) -> Option<String> {
        let leaves: Vec<Leaf> =
            ["fides_key", "key", "name"].iter().filter_map(|key| branch.leaf(key)).collect();
        for leaf in &leaves {
            self.maker.ledger.mark(*leaf, Code::Carried, Some(made), None);
        }
        leaves.first().map(|leaf| self.text(*leaf)).filter(|text| !text.is_empty())
    }

    fn organisation(&mut self, branch: &Branch) {
        let Some(key) = self.key_text(branch, "fides_key") else {
            self.needs_key(branch, "an organization");
            return;
        };
        let own = self.maker.mapping.own.as_ref().map(|own| own.id.clone());
        let id = own.unwrap_or_else(|| slug(&key));
        let made = format!("parties/{id}");
        self.name_of(branch, &made);
        let name = self.key_text(branch, "name").unwrap_or(key);
        self.maker.draft.party(&id).set_first("name", name);
        self.maker.own.clone_from(&id);
        for (theirs, ours) in [
            ("controller", "contact"),
            ("data_protection_officer", "dpo"),
            ("representative", "representative"),
        ] {
            let Some(person) = branch.get(theirs) else { continue };
            let leaves = ["name", "email", "phone", "address"].map(|key| person.leaf(key));
            let texts: Vec<String> = leaves.iter().flatten().map(|leaf| self.text(*leaf)).collect();
            for leaf in leaves.into_iter().flatten() {
                self.maker.ledger.mark(leaf, Code::Carried, Some(&made), None);
            }
            if !texts.is_empty() {
                self.maker.draft.party(&id).set(ours, texts.join(", "));
            }
        }
        if let Some(parent) = branch.leaf("organization_parent_key") {
            let above = slug(&self.text(parent));
            if !above.is_empty() && above != id {
                self.maker.draft.party(&above).set_first("name", above.clone());
                self.maker.draft.party(&id).set("affiliate_of", above);
                self.maker.ledger.mark(parent, Code::Claimed, Some(&made), Some("the organisation above it"));
            }
        }
        if let Some(policy) = branch.leaf("security_policy") {
            let text = self.text(policy);
            self.maker.draft.party(&id).label("security_policy", &text);
            self.maker.ledger.mark(policy, Code::Label, Some(&made), None);
        }
        self.minor_keys(branch, &["description", "tags", "fidesctl_meta", "fides_meta"]);
    }

    fn needs_key(&mut self, branch: &Branch, what: &str) {
        self.diagnostics.push(
            Diagnostic::new("missing-key", format!("{what} needs the key `fides_key`"), branch.span)
                .label("expected `fides_key`")
                .help("what is made of it goes by its key"),
        );
    }

    fn own_key(&mut self, branch: &Branch, section: Section) {
        let Some(key) = self.key_text(branch, "fides_key") else {
            self.needs_key(branch, "a key of a taxonomy");
            return;
        };
        let parent = self.key_text(branch, "parent_key");
        let implied = key.rsplit_once('.').map(|(above, _)| above);
        for name in ["fides_key", "parent_key"] {
            if let Some(leaf) = branch.leaf(name) {
                let twice = name == "parent_key" && parent.as_deref() == implied;
                let (code, note) = match twice {
                    true => (Code::Merged, "the key itself says so"),
                    false => (Code::Carried, "what it stands for is reported where it is used"),
                };
                self.maker.ledger.mark(leaf, code, None, Some(note));
            }
        }
        let declared = Own { parent };
        let own = if section == Section::Data { &mut self.terms.own_data } else { &mut self.terms.own_uses };
        own.insert(key, declared);
        self.minor(branch, "describes a key");
    }

    /// The party of an element: the organisation that it names, else ours.
    fn party_of(&mut self, branch: &Branch) -> String {
        if let Some(leaf) = branch.leaf("organization_fides_key") {
            let id = match &self.maker.mapping.own {
                Some(own) => own.id.clone(),
                None => slug(&self.text(leaf)),
            };
            self.maker.draft.party(&id).set_first("name", id.clone());
            let made = format!("parties/{id}");
            match id == self.maker.own {
                true => {
                    self.maker.ledger.mark(leaf, Code::Merged, Some(&made), Some("the organisation of all"))
                }
                false => self.maker.ledger.mark(leaf, Code::Carried, Some(&made), None),
            }
            return id;
        }
        self.maker.own()
    }

    /// The system where data of a kind of people starts.
    fn people(&mut self, party: &str, subject: &str) -> System {
        let system = (party.to_owned(), format!("people-{}", slug(subject)));
        let title = format!("Where data of people starts: {subject}");
        self.maker
            .draft
            .system(&system)
            .set_first("title", title)
            .label("data_subjects", subject)
            .add("tags", ["people"]);
        system
    }

    /// A flow within one party or under no agreement; its data and purposes add up.
    fn flow(&mut self, id: &str, from: &System, to: &System) -> &mut super::draft::Thing {
        let flow = self.maker.draft.flow("", id);
        flow.set("from", format!("{}/{}", from.0, from.1)).set("to", format!("{}/{}", to.0, to.1));
        flow
    }

    /// A further party that a system belongs to.
    fn other_party(&mut self, leaf: Leaf) -> Option<String> {
        let name = self.text(leaf);
        match self.maker.party(leaf, &name) {
            Whom::Party(id) => Some(id),
            Whom::Nobody => None,
            Whom::Unknown => {
                let note = "the party that runs it is not known";
                Some(self.maker.placeholder(Some(leaf), "unknown-vendor", "Unknown vendor", note))
            }
        }
    }

    /// The categories of some leaves.
    fn categories(&mut self, leaves: &[Leaf], made: &str) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for leaf in leaves {
            keys.extend(self.terms.read(self.maker, Section::Data, *leaf, made));
        }
        keys
    }
}

/// Whether a list is there and says something.
fn says(branch: &Branch, key: &str) -> bool {
    branch.get(key).is_some_and(|value| !matches!(value.kind, Kind::Nothing) && !value.items().is_empty())
}
