//! What was edited, declaration by declaration, and what class of edit it is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facets::{Facet, Facets, Value};
use super::readers::Readers;
use super::{Side, Untrusted};
use crate::base::glob::Glob;
use crate::base::source::{Location, Span};
use crate::declare::fields::{Class, Classes, Declaration, Reader, Unstated, find};
use crate::declare::inventory::Waiver;

/// One edited key of one declaration, or a whole one that was added or removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// The agreement that it belongs to, if it does.
    pub agreement: Option<String>,
    /// What is edited.
    pub of: Declaration,
    /// Its full id.
    pub id: String,
    /// The key; `added`, `removed` and `renamed` stand for the whole declaration.
    pub key: String,
    /// What the edit does.
    pub class: Class,
    /// What was written before; empty: nothing.
    pub before: Vec<String>,
    /// What is written now; empty: nothing.
    pub after: Vec<String>,
    /// The rules, promises and waivers that make an assertion of what would be neutral: they ask
    /// for the key, or can tell the old id from the new one.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Where it is written now, or was if it is gone.
    pub location: Option<Location>,
}

impl Edit {
    /// What it says: `consent: none → opt_in`.
    pub fn said(&self) -> String {
        let list = |values: &[String]| match values {
            [] => "nothing".to_owned(),
            values => values.join(", "),
        };
        match self.key.as_str() {
            "added" | "removed" => match self.after.first().or(self.before.first()) {
                Some(what) => format!("{} ({what})", self.key),
                None => self.key.clone(),
            },
            key => format!("{key}: {} → {}", list(&self.before), list(&self.after)),
        }
    }
}

/// A declaration to be compared.
struct Item {
    agreement: Option<String>,
    facets: Facets,
    span: Option<Span>,
}

type Items = BTreeMap<(Declaration, String), Item>;

/// All edits, agreement by agreement.
pub fn edits(base: &Side, head: &Side) -> Vec<Edit> {
    let (before, after) = (items(base), items(head));
    let readers = Readers::of(head.world, base);
    let mut edits = Vec::new();
    for (key, old) in &before {
        match after.get(key) {
            Some(new) => edits.extend(changed(key, old, new, head, &readers)),
            None => edits.push(whole(key, old, "removed", base)),
        }
    }
    for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(key)) {
        edits.push(whole(key, new, "added", head));
        edits.extend(brought(key, new, head, &readers));
    }
    let renamed = base.renames.list().filter_map(|(of, old, new)| {
        let item = after.get(&(of, new.clone()))?;
        let rules = readers.telling(of, old, new);
        let row = find(of, "renamed")?.classes?;
        Some(Edit {
            agreement: item.agreement.clone(),
            of,
            id: new.clone(),
            key: "renamed".to_owned(),
            class: if rules.is_empty() { row.more } else { row.other },
            before: vec![old.clone()],
            after: vec![new.clone()],
            rules,
            location: item.span.map(|span| head.sources.location(span)),
        })
    });
    edits.extend(renamed);
    edits.sort();
    edits
}

/// What a new declaration brings besides itself: data that starts or comes about at a new
/// system, whose it is said to be, the group of a new party, and whatever a new flow or agreement claims or allows beyond what holds where
/// nothing is said.
fn brought(key: &(Declaration, String), new: &Item, head: &Side, readers: &Readers) -> Vec<Edit> {
    let stated = new.facets.0.iter().filter(|facet| !facet.shown.is_empty());
    let stated = stated.filter_map(|facet| {
        let value = match find(key.0, facet.key)?.unstated? {
            Unstated::Nothing => Value::Set([].into()),
            Unstated::Anything => Value::All,
            Unstated::Lowest => Value::Rank(0),
            Unstated::Only(word) => Value::Set([word.to_owned()].into()),
        };
        Some((facet, value))
    });
    stated
        .filter(|(facet, unstated)| facet.value != *unstated)
        .filter_map(|(facet, value)| {
            let unsaid =
                Facet { key: facet.key, shown: Vec::new(), exact: Vec::new(), read: Vec::new(), value };
            compare(key, &unsaid, facet, new, head, readers)
        })
        .collect()
}

/// The edits of what judges: waivers and promises.
pub fn held(edits: &[Edit]) -> Vec<Untrusted> {
    let judges = |edit: &&Edit| matches!(edit.of, Declaration::Waiver | Declaration::Statement);
    let said = |edit: &Edit| {
        let what = if edit.of == Declaration::Waiver { "waiver" } else { "promise" };
        let message = match edit.key.as_str() {
            "added" | "removed" => format!("`{}` is {}", edit.id, edit.key),
            key => format!("`{}`: `{key}` is changed", edit.id),
        };
        Untrusted { what: what.to_owned(), message, class: edit.class, location: edit.location.clone() }
    };
    edits.iter().filter(judges).map(said).collect()
}

fn items(side: &Side) -> Items {
    let model = &side.world.model;
    let mut items = Items::new();
    let mut add = |of, id: &str, agreement: Option<&str>, facets, span| {
        let item = Item { agreement: agreement.map(str::to_owned), facets, span };
        items.insert((of, id.to_owned()), item);
    };
    for (lead, tree) in [("data", &model.data), ("purpose", &model.purposes)] {
        for (_, entry) in tree.entries().filter(|(_, entry)| entry.declared.span.is_some()) {
            let id = format!("{lead} {}", entry.declared.key);
            add(Declaration::Taxonomy, &id, None, side.key(&entry.declared), entry.declared.span);
        }
    }
    for (id, party) in model.parties.iter() {
        add(Declaration::Party, side.party_id(id), None, side.party(id), Some(party.declared.id.span));
    }
    for (id, system) in model.systems.iter() {
        add(Declaration::System, &side.system_name(id), None, side.system(id), Some(system.declared.id.span));
    }
    for (id, agreement) in model.agreements.iter() {
        let name = side.agreement_id(id);
        add(Declaration::Agreement, name, Some(name), side.agreement(id), Some(agreement.declared.id.span));
    }
    for (id, flow) in model.flows.iter() {
        let agreement = flow.agreement.map(|a| side.agreement_id(a));
        add(Declaration::Flow, &side.flow_name(id), agreement, side.flow(id), Some(flow.span));
    }
    for statement in &side.world.own_statements {
        let id = &statement.id;
        add(Declaration::Statement, &id.value, None, side.statement(statement), Some(id.span));
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    // Of those of the same findings the order of the files says nothing.
    let waivers = side.world.own_waivers.iter();
    let mut waivers: Vec<_> = waivers.map(|w| (waives(w), side.waiver(w), w.span)).collect();
    waivers.sort_by_cached_key(|(name, facets, _)| {
        let stated: Vec<Vec<String>> = facets.0.iter().map(|facet| facet.exact.clone()).collect();
        (name.clone(), stated)
    });
    for (name, facets, span) in waivers {
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let id = if *count == 1 { name } else { format!("{name} ({count})") };
        add(Declaration::Waiver, &id, None, facets, Some(span));
    }
    items
}

/// Which findings a waiver is of.
pub(super) fn waives(waiver: &Waiver) -> String {
    let globs = [
        ("rule", &waiver.rule),
        ("source", &waiver.source),
        ("sink", &waiver.sink),
        ("flow", &waiver.flow),
        ("subject", &waiver.subject),
    ];
    let finding = waiver.finding.iter().map(|f| f.value.clone());
    // Quoted where it could be taken for two.
    let shown = |glob: &Glob| {
        let text = glob.to_string();
        if text.contains([',', ' ', '"']) { format!("{text:?}") } else { text }
    };
    let stated = globs.iter().filter_map(|(key, glob)| glob.as_ref().map(|g| format!("{key} {}", shown(g))));
    finding.chain(stated).collect::<Vec<_>>().join(", ")
}

fn whole(key: &(Declaration, String), item: &Item, what: &'static str, side: &Side) -> Edit {
    let shown = |name: &str| {
        let facet = item.facets.0.iter().find(|facet| facet.key == name);
        facet.map(|facet| facet.shown.join(", ")).filter(|text| !text.is_empty())
    };
    // Of a flow what it is, so that nobody has to look it up.
    let moves = (key.0 == Declaration::Flow).then(|| {
        let purposes = shown("purposes").map(|list| format!(" for {list}")).unwrap_or_default();
        let [from, to, data] = ["from", "to", "data"].map(|name| shown(name).unwrap_or_default());
        format!("{from} → {to}: {data}{purposes}")
    });
    let (before, after) = match what {
        "removed" => (moves.into_iter().collect(), Vec::new()),
        _ => (Vec::new(), moves.into_iter().collect()),
    };
    Edit {
        agreement: item.agreement.clone(),
        of: key.0,
        id: key.1.clone(),
        key: what.to_owned(),
        class: find(key.0, what).and_then(|field| field.classes).map_or(Class::Both, |row| row.other),
        before,
        after,
        rules: Vec::new(),
        location: item.span.map(|span| side.sources.location(span)),
    }
}

fn changed(key: &(Declaration, String), old: &Item, new: &Item, head: &Side, readers: &Readers) -> Vec<Edit> {
    let pairs = old.facets.0.iter().zip(&new.facets.0);
    pairs.filter_map(|(before, after)| compare(key, before, after, new, head, readers)).collect()
}

fn compare(
    key: &(Declaration, String),
    before: &Facet,
    after: &Facet,
    item: &Item,
    head: &Side,
    readers: &Readers,
) -> Option<Edit> {
    if before.shown == after.shown && before.exact == after.exact {
        return None;
    }
    let field = find(key.0, after.key);
    let row = field.and_then(|field| field.classes);
    let mut class = row.map_or(Class::Both, |row| class(&row, before, after));
    let mut rules = Vec::new();
    // Nothing else looks at the difference; a `require` may.
    if class == Class::Neutral && field.is_none_or(|field| field.reader() != Reader::People) {
        rules = readers.asking(key.0, after.key);
        if !rules.is_empty() {
            class = Class::Assertion;
        }
    }
    let mut said = after.shown.clone();
    if before.shown == after.shown {
        said.push("(the difference is not in these words)".to_owned());
    }
    Some(Edit {
        agreement: item.agreement.clone(),
        of: key.0,
        id: key.1.clone(),
        key: after.key.to_owned(),
        class,
        before: before.shown.clone(),
        after: said,
        rules,
        location: item.span.map(|span| head.sources.location(span)),
    })
}

/// The class of an edit by its row. What reads as it did is neutral.
fn class(row: &Classes, before: &Facet, after: &Facet) -> Class {
    if before.read == after.read && before.value == after.value {
        return Class::Neutral;
    }
    let (more, less) = match (&before.value, &after.value) {
        (Value::All, Value::Set(_)) => (false, true),
        (Value::Set(_), Value::All) => (true, false),
        (Value::Set(old), Value::Set(new)) => (!new.is_subset(old), !old.is_subset(new)),
        (Value::Rank(old), Value::Rank(new)) => (new > old, new < old),
        _ => (false, false),
    };
    match (more, less) {
        (true, true) => row.more.with(row.less),
        (true, false) => row.more,
        (false, true) => row.less,
        (false, false) => row.other,
    }
}
