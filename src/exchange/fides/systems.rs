//! Systems, their privacy declarations, and what they send to and receive from others.

use std::collections::BTreeSet;

use crate::exchange::draft::{System, slug};
use crate::exchange::fate::Code;
use crate::exchange::ledger::Leaf;
use crate::exchange::maker::Section;
use crate::exchange::tree::Branch;

use super::{Manifests, says};

/// Types of systems that somebody else runs.
const OTHERS: [&str; 4] = ["third party", "third-party", "vendor", "processor"];

/// Keys of a system that say nothing on where data goes.
const MINOR: [&str; 24] = [
    "description",
    "meta",
    "fidesctl_meta",
    "fides_meta",
    "registry_id",
    "data_stewards",
    "cookies",
    "cookie_max_age_seconds",
    "cookie_refresh",
    "uses_cookies",
    "uses_non_cookie_access",
    "legitimate_interest_disclosure_url",
    "vendor_deleted_date",
    "previous_vendor_id",
    "exempt_from_privacy_regulations",
    "reason_for_exemption",
    "dpa_progress",
    "does_international_transfers",
    "requires_data_protection_assessments",
    "third_country_transfers",
    "processes_personal_data",
    "administrating_department",
    "data_security_practices",
    "legal_address",
];

/// One declaration of a system.
struct Declaration {
    name: String,
    purposes: BTreeSet<String>,
    data: BTreeSet<String>,
    subjects: Vec<String>,
}

impl Manifests<'_, '_> {
    /// Makes the system, so that others can name it.
    pub(super) fn name_system(&mut self, branch: &Branch) {
        let Some(key) = self.key_text(branch, "fides_key") else {
            self.needs_key(branch, "a system");
            return;
        };
        let mut party = self.party_of(branch);
        let vendor = branch.leaf("legal_name").or_else(|| branch.leaf("vendor_id"));
        let kind = self.key_text(branch, "system_type").unwrap_or_default().to_lowercase();
        if let Some(leaf) = vendor {
            party = self.other_party(leaf).unwrap_or(party);
        } else if OTHERS.contains(&kind.as_str()) {
            let id = slug(&key);
            let name = self.key_text(branch, "name").unwrap_or_else(|| key.clone());
            self.maker.draft.party(&id).set_first("name", name);
            let note = "somebody else runs it and is not named: it is a party of its own";
            self.maker.ledger.remark(
                Code::Assumed,
                "vendor",
                &key,
                note,
                &format!("parties/{id}"),
                branch.leaf("fides_key"),
            );
            party = id;
        }
        let system = (party, slug(&key));
        let made = format!("parties/{}/systems/{}", system.0, system.1);
        self.name_of(branch, &made);
        let name = self.key_text(branch, "name").unwrap_or_else(|| key.clone());
        let source = branch.leaf("fides_key").map(|leaf| self.maker.ledger.source(leaf)).unwrap_or_default();
        self.maker.draft.system(&system).set_first("title", name).within("source", "title", source.into());
        if let Some(leaf) = branch.leaf("system_type") {
            let text = self.text(leaf);
            self.maker.draft.system(&system).label("system_type", &text);
            self.maker.ledger.mark(leaf, Code::Label, Some(&made), None);
        }
        for leaf in branch.leaves("tags") {
            let text = slug(&self.text(leaf));
            self.maker.draft.system(&system).add("tags", [text]);
            self.maker.ledger.mark(leaf, Code::Carried, Some(&made), None);
        }
        self.systems.insert(key, system.clone());
        // What it is for, and what it has: others that send to it need to know.
        for declaration in branch.list("privacy_declarations") {
            let uses = declaration.leaf("data_use");
            let keys = uses.map(|leaf| self.terms.read(self.maker, Section::Purposes, leaf, &made));
            self.uses.entry(system.clone()).or_default().extend(keys.unwrap_or_default());
            let data = self.categories(&declaration.leaves("data_categories"), &made);
            self.holds.entry(system.clone()).or_default().extend(data);
        }
    }

    /// What the system does.
    pub(super) fn system(&mut self, branch: &Branch) {
        let Some(system) = self.key_text(branch, "fides_key").and_then(|key| self.systems.get(&key).cloned())
        else {
            return;
        };
        let made = format!("parties/{}/systems/{}", system.0, system.1);
        let mut declarations = Vec::new();
        for one in branch.list("privacy_declarations") {
            declarations.push(self.declaration(&system, one));
        }
        let all = Declaration {
            name: String::new(),
            purposes: self.purposes(&system),
            data: self.holds.get(&system).cloned().unwrap_or_default(),
            subjects: declarations.iter().flat_map(|one| one.subjects.clone()).collect(),
        };
        self.datasets_of(&system, branch, &all);
        self.sides(&system, branch, &all);
        if self.flag(branch, "uses_profiling", &made) {
            self.profiles(&system, branch);
        }
        for key in [
            "legal_basis_for_profiling",
            "legal_basis_for_transfers",
            "responsibility",
            "privacy_policy",
            "dpo",
        ] {
            let leaves: Vec<Leaf> = branch.get(key).map(Branch::all).unwrap_or_default();
            for leaf in leaves {
                let text = self.text(leaf);
                self.maker.draft.system(&system).label(key, &text);
                let note = (key == "responsibility")
                    .then_some("for whom it acts is not said: state agreements in the mapping");
                self.maker.ledger.mark(leaf, Code::Label, Some(&made), note);
            }
        }
        if let Some(joint) = branch.get("joint_controller_info") {
            for leaf in joint.all() {
                self.maker.ledger.mark(
                    leaf,
                    Code::Dropped,
                    Some(&made),
                    Some("a joint controller: state it, and what flows, in another file"),
                );
            }
        }
        self.minor_keys(branch, &MINOR);
    }

    fn purposes(&mut self, system: &System) -> BTreeSet<String> {
        let own = self.uses.get(system).cloned().unwrap_or_default();
        if !own.is_empty() {
            return own;
        }
        // A system that declares nothing: what for is not known, and no rule can name it.
        let key = format!("{}.undeclared", self.maker.prefix);
        self.maker.draft.purposes.insert(key.clone(), "No use declared".to_owned());
        let made = format!("parties/{}/systems/{}", system.0, system.1);
        let note = "it declares no use: what data is for that gets there is not known";
        self.maker.ledger.remark(Code::Extended, "use", &made, note, &made, None);
        BTreeSet::from([key])
    }

    fn declaration(&mut self, system: &System, branch: &Branch) -> Declaration {
        let name = self.key_text(branch, "name").unwrap_or_default();
        let made_system = format!("parties/{}/systems/{}", system.0, system.1);
        let uses = branch.leaf("data_use");
        let use_text = uses.map(|leaf| self.text(leaf)).unwrap_or_default();
        let id_of = |subject: &str| {
            let parts = ["people", subject, &system.1, &use_text, &name];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            slug(&parts.join("-"))
        };
        let subject_leaves = branch.leaves("data_subjects");
        let mut subjects: Vec<String> = subject_leaves.iter().map(|leaf| self.text(*leaf)).collect();
        if subjects.is_empty() {
            subjects.push("unstated".to_owned());
            let note = "whose data it is is not said";
            self.maker.ledger.remark(
                Code::Assumed,
                "data_subjects",
                &id_of("unstated"),
                note,
                &made_system,
                uses,
            );
        }
        let mut declaration = Declaration {
            name: name.clone(),
            purposes: BTreeSet::new(),
            data: BTreeSet::new(),
            subjects: subjects.clone(),
        };
        for subject in &subjects {
            let id = id_of(subject);
            let made = format!("flows/{id}");
            let purposes: BTreeSet<String> = match uses {
                Some(leaf) => {
                    self.terms.read(self.maker, Section::Purposes, leaf, &made).into_iter().collect()
                }
                None => self.purposes(system),
            };
            let data = self.categories(&branch.leaves("data_categories"), &made);
            declaration.purposes.extend(purposes.iter().cloned());
            declaration.data.extend(data.iter().cloned());
            let from = self.people(&system.0, subject);
            if data.is_empty() {
                continue;
            }
            self.maker.draft.system(&from).add("originates", data.iter().cloned());
            let title = self.key_text(branch, "name");
            let source = uses.map(|leaf| self.maker.ledger.source(leaf)).unwrap_or_default();
            let flow = self.flow(&id, &from, system);
            flow.add("data", data).add("purposes", purposes).within("source", "title", source.into());
            flow.assumed();
            if let Some(title) = title {
                flow.set_first("title", title);
            }
            self.conditions(branch, &id);
        }
        for leaf in subject_leaves {
            self.maker.ledger.mark(leaf, Code::Carried, Some(&made_system), None);
        }
        if let Some(leaf) = branch.leaf("name") {
            self.maker.ledger.mark(leaf, Code::Label, Some(&made_system), None);
        }
        if !says(branch, "data_categories") && !says(branch, "dataset_references") && !says(branch, "ingress")
        {
            let note = "it declares a use of no data: nothing is made of it";
            self.maker.ledger.remark(Code::Dropped, "declaration", &id_of(""), note, &made_system, uses);
        }
        self.datasets_of(system, branch, &declaration);
        self.third_parties(system, branch, &declaration);
        self.sides(system, branch, &declaration);
        if let Some(features) = branch.get("features") {
            for leaf in features.all() {
                let text = self.text(leaf);
                self.maker.draft.system(system).label("features", &text);
                self.maker.ledger.mark(leaf, Code::Label, Some(&made_system), None);
            }
        }
        let minor = [
            "cookies",
            "flexible_legal_basis_for_processing",
            "impact_assessment_location",
            "legitimate_interest_impact_assessment",
            "special_category_legal_basis",
            "processes_special_category_data",
            "data_qualifier",
            "id",
        ];
        self.minor_keys(branch, &minor);
        declaration
    }

    /// What loosens or tells of a flow: its basis, and how long data is kept.
    fn conditions(&mut self, branch: &Branch, id: &str) {
        let made = format!("flows/{id}");
        if let Some(leaf) = branch.leaf("retention_period") {
            let text = self.text(leaf);
            let days = text.parse::<u32>().ok().filter(|days| *days > 0).map(|days| format!("{days}d"));
            let long = match days {
                Some(days) => {
                    self.maker.ledger.mark(leaf, Code::Claimed, Some(&made), Some("a number of days"));
                    Some(days)
                }
                None => self.maker.duration(leaf, &text, &made),
            };
            match long {
                Some(long) => self.maker.draft.flow("", id).set("retention", long),
                None => self.maker.draft.flow("", id).label("retention", &text),
            };
        }
        if let Some(leaf) = branch.leaf("legal_basis_for_processing") {
            let text = self.text(leaf);
            match self.maker.words.word("basis", &text).map(|word| format!("gdpr:{word}")) {
                Some(basis) => {
                    self.maker.draft.flow("", id).add("legal_basis", [basis]);
                    self.maker.ledger.mark(leaf, Code::Claimed, Some(&made), None);
                }
                None => {
                    self.maker.draft.flow("", id).label("legal_basis", &text);
                    self.maker.ledger.mark(leaf, Code::Label, Some(&made), Some("no basis that is known"));
                }
            }
        }
    }

    fn third_parties(&mut self, system: &System, branch: &Branch, declaration: &Declaration) {
        let made_system = format!("parties/{}/systems/{}", system.0, system.1);
        let shares = self.flag(branch, "data_shared_with_third_parties", &made_system);
        let named = branch.leaf("third_parties");
        if !shares && named.is_none() && !says(branch, "shared_categories") {
            return;
        }
        if let (Some(leaf), true) = (branch.leaf("data_shared_with_third_parties"), named.is_some()) {
            let note = "the third parties are named, too";
            self.maker.ledger.mark(leaf, Code::Merged, Some(&made_system), Some(note));
        }
        let name = named.map(|leaf| self.text(leaf)).unwrap_or_default();
        let id = slug(&format!("third-parties-of-{}", system.1));
        let title = if name.is_empty() { format!("Third parties of {}", system.1) } else { name };
        let note = "third parties get data and are not named one by one: name them in another file";
        let party = self.maker.placeholder(
            named.or_else(|| branch.leaf("data_shared_with_third_parties")),
            &id,
            &title,
            note,
        );
        let to = (party, "unstated".to_owned());
        self.maker.draft.system(&to).assumed();
        let flow_id = slug(&format!("{}-{}-{}", system.1, declaration.name, to.0));
        let made = format!("flows/{flow_id}");
        let shared = self.categories(&branch.leaves("shared_categories"), &made);
        let purposes = declaration.purposes.clone();
        let flow = self.flow(&flow_id, system, &to);
        flow.add("purposes", purposes).assumed();
        match shared.is_empty() && declaration.data.is_empty() {
            true => flow.set("data", "held"),
            false if shared.is_empty() => flow.add("data", declaration.data.clone()),
            false => flow.add("data", shared),
        };
    }

    fn profiles(&mut self, system: &System, branch: &Branch) {
        let wanted = format!("{}/{}", system.0, system.1);
        let flows: Vec<String> = self
            .maker
            .draft
            .flows()
            .filter(|((_, _), flow)| flow.text("to") == Some(&wanted))
            .map(|((_, id), _)| id.clone())
            .collect();
        for id in flows {
            self.maker.draft.flow("", &id).add("purposes", ["profiling"]);
        }
        if let Some(leaf) = branch.leaf("uses_profiling") {
            let note = "every flow to it may be for profiling";
            self.maker.ledger.mark(leaf, Code::Widened, Some(&format!("parties/{wanted}")), Some(note));
        }
    }

    /// Flows between a system and the datasets that it names, in both directions: which is not said.
    fn datasets_of(&mut self, system: &System, branch: &Branch, declaration: &Declaration) {
        for leaf in branch.leaves("dataset_references") {
            let key = self.text(leaf);
            let dataset = match self.datasets.get(&key) {
                Some(dataset) => dataset.clone(),
                None => {
                    let dataset = (system.0.clone(), format!("dataset-{}", slug(&key)));
                    self.maker
                        .draft
                        .system(&dataset)
                        .set_first("title", key.clone())
                        .add("tags", ["dataset"])
                        .assumed();
                    let made = format!("parties/{}/systems/{}", dataset.0, dataset.1);
                    let note = format!("no dataset `{key}` is in these files: what it holds is missing");
                    self.maker.ledger.mark(leaf, Code::Dropped, Some(&made), Some(&note));
                    dataset
                }
            };
            let use_part = declaration.purposes.iter().cloned().collect::<Vec<_>>().join("-");
            let (out, back) = (
                slug(&format!("{}-to-{}-{use_part}", dataset.1, system.1)),
                slug(&format!("{}-to-{}-{use_part}", system.1, dataset.1)),
            );
            let stored = self.stored.get(&dataset).cloned().unwrap_or_default();
            for (id, from, to) in [(&out, &dataset, system), (&back, system, &dataset)] {
                let flow = self.flow(id, from, to);
                flow.set("data", "held").add("purposes", declaration.purposes.clone()).assumed();
            }
            for subject in declaration.subjects.iter().filter(|_| !stored.is_empty()) {
                let people = self.people(&dataset.0, subject);
                self.maker.draft.system(&people).add("originates", stored.iter().cloned());
                let id = slug(&format!("people-{subject}-{}", dataset.1));
                let flow = self.flow(&id, &people, &dataset);
                flow.add("data", stored.clone()).add("purposes", declaration.purposes.clone()).assumed();
            }
            if self.maker.ledger.code(leaf) != Code::Dropped {
                let note = "whether it reads or writes is not said: data flows both ways";
                self.maker.ledger.mark(leaf, Code::Widened, Some(&format!("flows/{out}")), Some(note));
            }
        }
    }

    /// Ingress and egress.
    fn sides(&mut self, system: &System, branch: &Branch, declaration: &Declaration) {
        for (side, sends) in [("egress", true), ("ingress", false)] {
            for end in branch.list(side) {
                self.side(system, end, sends, declaration);
            }
        }
    }

    fn side(&mut self, system: &System, end: &Branch, sends: bool, declaration: &Declaration) {
        let leaf = end.leaf("fides_key").or_else(|| end.own());
        let Some(leaf) = leaf else {
            self.needs_key(end, "an end of a flow");
            return;
        };
        let key = self.text(leaf);
        let kind = self.key_text(end, "type").unwrap_or_default().to_lowercase();
        let known = self.systems.get(&key).or_else(|| self.datasets.get(&key)).cloned();
        let is_people = kind == "user" || (known.is_none() && key.eq_ignore_ascii_case("user"));
        let others: Vec<System> = if is_people && sends {
            let back = (system.0.clone(), "returned-to-people".to_owned());
            self.maker
                .draft
                .system(&back)
                .set_first("title", "Data handed back to people")
                .add("tags", ["people"]);
            vec![back]
        } else if is_people {
            let subjects = match declaration.subjects.is_empty() {
                true => vec!["unstated".to_owned()],
                false => declaration.subjects.clone(),
            };
            subjects.iter().map(|subject| self.people(&system.0, subject)).collect()
        } else {
            vec![known.unwrap_or_else(|| self.missing_system(system, leaf, &key))]
        };
        for other in others {
            let (from, to) = if sends { (system, &other) } else { (&other, system) };
            let id = slug(&format!("{}-to-{}", from.1, to.1));
            let made = format!("flows/{id}");
            let stated = self.categories(&end.leaves("data_categories"), &made);
            let mut purposes = declaration.purposes.clone();
            if sends {
                purposes.extend(self.uses.get(&other).cloned().unwrap_or_default());
            }
            let sender_has = match (sends, is_people) {
                (true, _) | (_, true) => declaration.data.clone(),
                _ => self.holds.get(&other).cloned().unwrap_or_default(),
            };
            let (from, to) = (from.clone(), to.clone());
            if is_people && !sends {
                let data = if stated.is_empty() { sender_has.clone() } else { stated.clone() };
                if data.is_empty() {
                    continue;
                }
                self.maker.draft.system(&from).add("originates", data);
            }
            let flow = self.flow(&id, &from, &to);
            flow.add("purposes", purposes).assumed();
            match (stated.is_empty(), sender_has.is_empty()) {
                (false, _) => flow.add("data", stated),
                (true, false) => flow.add("data", sender_has),
                (true, true) => flow.set("data", "held"),
            };
            self.maker.ledger.mark(leaf, Code::Carried, Some(&made), None);
            if !says(end, "data_categories") {
                let note = "which data it is of is not said: all that the sender declares";
                self.maker.ledger.remark(Code::Assumed, "data", &id, note, &made, Some(leaf));
            }
            if let Some(kind) = end.leaf("type") {
                self.maker.ledger.mark(kind, Code::Merged, Some(&made), Some("its key says so, too"));
            }
        }
        self.minor_keys(end, &["meta", "description"]);
    }

    fn missing_system(&mut self, system: &System, leaf: Leaf, key: &str) -> System {
        let other = (system.0.clone(), slug(key));
        self.maker.draft.system(&other).set_first("title", key).assumed();
        let made = format!("parties/{}/systems/{}", other.0, other.1);
        let note = format!(
            "no system `{key}` is in these files: it is a system of the same organisation until somebody says more"
        );
        self.maker.ledger.mark(leaf, Code::Placeholder, Some(&made), Some(&note));
        other
    }
}
