//! Datasets: what each holds, and which refer to one another.

use std::collections::BTreeSet;

use crate::base::diagnostic::Diagnostic;
use crate::exchange::draft::slug;
use crate::exchange::fate::Code;
use crate::exchange::ledger::Leaf;
use crate::exchange::maker::Section;
use crate::exchange::tree::Branch;

use super::{Manifests, says};

/// Keys of datasets, collections and fields that say nothing on what is held.
const MINOR: [&str; 8] = [
    "description",
    "meta",
    "fidesctl_meta",
    "third_country_transfers",
    "joint_controller",
    "data_qualifier",
    "skip_processing",
    "after",
];

impl Manifests<'_, '_> {
    /// A dataset, with all that its collections and fields hold.
    pub(super) fn dataset(&mut self, branch: &Branch) {
        let Some(key) = self.key_text(branch, "fides_key") else {
            self.needs_key(branch, "a dataset");
            return;
        };
        let party = self.party_of(branch);
        let system = (party, format!("dataset-{}", slug(&key)));
        let made = format!("parties/{}/systems/{}", system.0, system.1);
        self.name_of(branch, &made);
        let name = self.key_text(branch, "name").unwrap_or_else(|| key.clone());
        let source = branch.leaf("fides_key").map(|leaf| self.maker.ledger.source(leaf)).unwrap_or_default();
        let draft = self.maker.draft.system(&system);
        draft.set_first("title", name).add("tags", ["dataset"]).within("source", "title", source.into());
        let mut keys = self.categories(&branch.leaves("data_categories"), &made);
        if let Some(leaf) = branch.leaf("retention") {
            let text = self.text(leaf);
            match self.maker.duration(leaf, &text, &made) {
                Some(long) => self.maker.draft.system(&system).set("retention", long),
                None => self.maker.draft.system(&system).label("retention", &text),
            };
        }
        self.minor_keys(branch, &MINOR);
        if let Some(meta) = branch.get("fides_meta") {
            self.minor(meta, "says how requests are run");
        }
        for collection in branch.list("collections") {
            keys.extend(self.part(collection, &key, &made));
        }
        self.stored.insert(system.clone(), keys);
        self.datasets.insert(key, system);
    }

    /// A collection or field, with those below it.
    fn part(&mut self, branch: &Branch, dataset: &str, made: &str) -> BTreeSet<String> {
        let mut keys = self.categories(&branch.leaves("data_categories"), made);
        let mut open: Vec<&Branch> = Vec::new();
        let mut all: Vec<&Branch> = vec![branch];
        while let Some(part) = all.pop() {
            open.push(part);
            all.extend(part.list("fields").iter().chain(part.list("collections")));
        }
        for part in open {
            if !std::ptr::eq(part, branch) {
                keys.extend(self.categories(&part.leaves("data_categories"), made));
            }
            let is_field = !says(part, "fields") && !says(part, "collections");
            if let Some(name) = part.leaf("name") {
                let stated = says(part, "data_categories");
                self.maker.ledger.mark(name, Code::Merged, Some(made), None);
                if is_field && !stated && !std::ptr::eq(part, branch) {
                    let note =
                        "a field without categories: what it holds is missing, unless another field says it";
                    let value = format!("{dataset}.{}", self.text(name));
                    self.maker.ledger.remark(Code::Narrowed, "field", &value, note, made, Some(name));
                }
            } else if is_field && !std::ptr::eq(part, branch) {
                let note = "a field without a name";
                self.maker.ledger.remark(Code::Merged, "field", dataset, note, made, None);
            }
            self.minor_keys(part, &MINOR);
            if let Some(leaf) = part.leaf("retention") {
                self.maker.ledger.mark(
                    leaf,
                    Code::Widened,
                    Some(made),
                    Some("of a part of a dataset: the whole is kept without end"),
                );
            }
            if let Some(meta) = part.get("fides_meta") {
                for (key, value) in meta.entries() {
                    if key != "references" {
                        self.minor(value, "says how requests are run");
                    }
                }
            }
            if let Some(meta) = part.get("fidesops_meta") {
                self.minor(meta, "says how requests are run");
            }
        }
        keys
    }

    /// The flows between datasets whose fields refer to one another.
    pub(super) fn references(&mut self, branch: &Branch) {
        let Some(own) = self.key_text(branch, "fides_key") else { return };
        let mut open: Vec<&Branch> = branch.list("collections").iter().collect();
        while let Some(part) = open.pop() {
            open.extend(part.list("fields").iter().chain(part.list("collections")));
            let Some(meta) = part.get("fides_meta") else { continue };
            for reference in meta.list("references") {
                self.reference(&own, part, reference);
            }
        }
    }

    fn reference(&mut self, own: &str, field: &Branch, reference: &Branch) {
        let Some(of) = reference.leaf("dataset") else { return };
        let other = self.text(of);
        let direction = reference.leaf("direction");
        let word = direction.map(|leaf| self.text(leaf)).unwrap_or_default();
        if !matches!(word.as_str(), "" | "from" | "to") {
            let span = reference.get("direction").map_or(reference.span, |branch| branch.span);
            self.diagnostics.push(
                Diagnostic::new("unknown-word", format!("`{word}` is not a direction of a reference"), span)
                    .label("expected `from` or `to`"),
            );
            return;
        }
        if let Some(leaf) = reference.leaf("field") {
            self.maker.ledger.mark(leaf, Code::Merged, None, Some("fields of a dataset are one system"));
        }
        if other == own {
            for leaf in [Some(of), direction].into_iter().flatten() {
                self.maker.ledger.mark(leaf, Code::Merged, None, Some("within one dataset"));
            }
            return;
        }
        let Some(from) = self.datasets.get(own).cloned() else { return };
        let Some(to) = self.datasets.get(&other).cloned() else {
            let note =
                format!("no dataset `{other}` is in these files: what flows between the two is missing");
            for leaf in [Some(of), direction].into_iter().flatten() {
                self.maker.ledger.mark(leaf, Code::Dropped, None, Some(&note));
            }
            return;
        };
        let leaves: Vec<Leaf> = field.leaves("data_categories");
        let (fro, back) = ((from.clone(), to.clone()), (to, from));
        let ways = match word.as_str() {
            "from" => vec![back],
            "to" => vec![fro],
            _ => vec![fro, back],
        };
        for (from, to) in ways {
            let id = slug(&format!("{}-to-{}", from.1, to.1));
            let made = format!("flows/{id}");
            let mut data = BTreeSet::new();
            for leaf in &leaves {
                data.extend(self.terms.read(self.maker, Section::Data, *leaf, &made));
            }
            let key = format!("{}.stored", self.maker.prefix);
            self.maker.draft.purposes.insert(key.clone(), "Kept for what refers to it".to_owned());
            let flow = self.flow(&id, &from, &to);
            flow.add("purposes", [key]).assumed();
            if data.is_empty() || flow.text("data").is_some() {
                flow.set("data", "held");
            } else {
                flow.add("data", data);
            }
            let note = word.is_empty().then_some("in which direction is not said: both");
            for leaf in [Some(of), direction].into_iter().flatten() {
                self.maker.ledger.mark(
                    leaf,
                    if word.is_empty() { Code::Widened } else { Code::Carried },
                    Some(&made),
                    note,
                );
            }
        }
    }
}
