//! What the keys of a declaration come to, defaults included: the values of
//! [`crate::declare::fields`].

use jiff::civil::Date;

use super::matching::Matching;
use super::{AgreementId, FlowId, Model, PartyId, Subject, SystemId};
use crate::base::duration::Duration;
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::{Consent, Onward, Word};
use crate::declare::inventory::{Disposed, Effective, Meta, Terms};
use crate::declare::policy::{Bound, Ranked};

/// One value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// As written.
    pub text: String,
    /// Its place in an order, if it has one.
    pub bound: Option<Bound>,
    /// The key, of a data category or purpose.
    pub key: Option<Key>,
}

/// What a field comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Value {
    /// Whether somebody wrote it.
    pub written: bool,
    /// Its values; none: absent.
    pub items: Vec<Item>,
}

impl Value {
    fn of(items: Vec<Item>) -> Self {
        Value { written: !items.is_empty(), items }
    }

    /// A map, or a list of maps.
    fn map(written: bool) -> Self {
        Value { written, items: Vec::new() }
    }

    fn text(text: Option<&str>) -> Self {
        Self::texts(text)
    }

    fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let item = |text: &str| Item { text: text.to_owned(), bound: None, key: None };
        Self::of(texts.into_iter().map(item).collect())
    }

    fn word<W: Word>(written: Option<W>, default: Option<W>) -> Self {
        let value = written.or(default);
        let rank = |word: W| {
            let rank = W::ALL.iter().position(|&w| w == word)?;
            Some(Bound::Rank(Ranked { rank, word: word.word() }))
        };
        let items = value.map(|w| Item { text: w.word().to_owned(), bound: rank(w), key: None });
        Value { written: written.is_some(), items: items.into_iter().collect() }
    }

    /// `false` where nothing is stated.
    fn flag(stated: Option<bool>) -> Self {
        let text = if stated == Some(true) { "true" } else { "false" };
        Value { written: stated.is_some(), ..Self::texts([text]) }
    }

    fn duration(duration: Option<Duration>) -> Self {
        let item = |d: Duration| Item { text: d.to_string(), bound: Some(Bound::Duration(d)), key: None };
        Self::of(duration.map(item).into_iter().collect())
    }

    fn date(date: Option<Date>) -> Self {
        let item = |d: Date| Item { text: d.to_string(), bound: Some(Bound::Date(d)), key: None };
        Self::of(date.map(item).into_iter().collect())
    }

    fn count(count: Option<u64>) -> Self {
        let item = |n: u64| Item { text: n.to_string(), bound: Some(Bound::Count(n)), key: None };
        Self::of(count.map(item).into_iter().collect())
    }

    fn keys(tree: &Tree, keys: impl IntoIterator<Item = Key>) -> Self {
        let item = |key: Key| Item { text: tree.name(key).to_owned(), bound: None, key: Some(key) };
        Self::of(keys.into_iter().map(item).collect())
    }
}

/// What a field of a subject comes to.
pub fn value(matching: &Matching, subject: Subject, path: &str) -> Value {
    let model = matching.model;
    match subject {
        Subject::Agreement(id) => agreement(matching, id, path),
        Subject::Flow(id) => flow(model, id, path),
        Subject::System(id) => system(model, id, path),
        Subject::Party(id) => party(model, id, path),
        Subject::Pair(..) | Subject::Unsourced(..) => Value::default(),
    }
}

fn meta(meta: &Meta, path: &str) -> Value {
    let source = meta.source.as_ref();
    match path {
        "title" => Value::text(meta.title.as_deref()),
        "source" => Value::map(source.is_some()),
        "source.title" => Value::text(source.and_then(|s| s.title.as_deref())),
        "source.url" => Value::text(source.and_then(|s| s.url.as_deref())),
        "source.date" => Value::date(source.and_then(|s| s.date)),
        "basis" => Value::word(meta.basis, None),
        _ => {
            let name = path.strip_prefix("labels.").unwrap_or_default();
            Value::texts(meta.labels.iter().filter(|(key, _)| key == name).map(|(_, text)| text.as_str()))
        }
    }
}

fn dates(all: &[&Effective], disposed: Option<&Disposed>, path: &str) -> Option<Value> {
    let from = all.iter().filter_map(|e| e.from.as_ref()).map(|d| d.value).max();
    let until = all.iter().filter_map(|e| e.until.as_ref()).map(|d| d.value).min();
    Some(match path {
        "effective" => Value::map(from.is_some() || until.is_some()),
        "effective.from" => Value::date(from),
        "effective.until" => Value::date(until),
        "disposed" => Value::map(disposed.is_some()),
        "disposed.date" => Value::date(disposed.map(|d| d.date)),
        "disposed.evidence" => Value::text(disposed.map(|d| d.evidence.as_str())),
        _ => return None,
    })
}

fn terms(model: &Model, terms: &Terms, path: &str) -> Option<Value> {
    Some(match path.strip_prefix("terms.")? {
        "purposes" => {
            let keys = terms.purposes.iter().flatten().map(|k| k.value);
            let value = Value::keys(&model.purposes, keys);
            // `[]` is written: it permits none.
            Value { written: terms.purposes.is_some(), ..value }
        }
        "prohibited_purposes" => {
            Value::keys(&model.purposes, terms.prohibited_purposes.iter().map(|k| k.value))
        }
        "onward_transfer" => Value::word(terms.onward_transfer, Some(Onward::Prohibited)),
        "onward_to" => Value::texts(terms.onward_to.iter().map(|o| o.party.value.as_str())),
        "retention" => Value::duration(terms.retention),
        "consent" => Value::word(terms.consent, Some(Consent::None)),
        "safeguards" => Value::texts(terms.safeguards.iter().map(|s| s.value.as_str())),
        "released_by" => {
            let items = terms.releasing().iter().map(|t| t.word());
            Value { written: terms.released_by.is_some(), ..Value::texts(items) }
        }
        _ => return None,
    })
}

fn agreement(matching: &Matching, id: AgreementId, path: &str) -> Value {
    let model = matching.model;
    let agreement = &model.agreements[id];
    let declared = &agreement.declared;
    let id_of = |&party: &PartyId| model.parties[party].id();
    match path {
        "id" => Value::text(Some(agreement.id())),
        "kind" => Value::word(declared.kind, Some(agreement.kind)),
        "provider" => Value {
            written: !declared.provider.is_empty(),
            ..Value::texts(agreement.providers.iter().map(id_of))
        },
        "status" => Value::word(declared.status, Some(agreement.status)),
        "parties" => Value::texts(agreement.parties.iter().map(id_of)),
        "legal_basis" => Value::texts(declared.legal_basis.iter().map(String::as_str)),
        "assurances" => {
            let holding = matching.assurances(id, None);
            Value::texts(holding.map(|a| a.id.value.as_str()))
        }
        _ => dates(&[&declared.effective], declared.disposed.as_deref(), path)
            .or_else(|| terms(model, &declared.terms, path))
            .unwrap_or_else(|| meta(&declared.meta, path)),
    }
}

fn flow(model: &Model, id: FlowId, path: &str) -> Value {
    let flow = &model.flows[id];
    let declared = &flow.declared;
    let agreement = flow.agreement.map(|a| &model.agreements[a].declared);
    match path {
        "id" => Value::text(Some(&flow.name)),
        "from" => Value::text(Some(&model.systems[flow.from].name)),
        "to" => Value::text(Some(&model.systems[flow.to].name)),
        "data" if declared.held => {
            Value::keys(&model.data, flow.leaves.iter().map(|leaf| model.data.leaf_key(leaf)))
        }
        "data" => Value::keys(&model.data, declared.data.iter().map(|k| k.value)),
        "purposes" => Value::keys(&model.purposes, flow.purposes.iter().copied()),
        "consent" => Value::word(declared.consent, Some(flow.consent)),
        "transform" => Value::word(declared.transform, Some(flow.transform)),
        "only_from" => Value::texts(flow.only_from.iter().flatten().map(|&p| model.parties[p].id())),
        "safeguards" => Value::texts(declared.safeguards.iter().map(String::as_str)),
        "retention" => Value::duration(flow.retention),
        "legal_basis" => Value::texts(flow.legal_basis.iter().map(String::as_str)),
        "tags" => Value::texts(declared.tags().iter().map(String::as_str)),
        "essential" => Value::flag(declared.essential()),
        "agreement" => Value::text(agreement.map(|a| a.id.value.as_str())),
        _ => {
            let mut all = vec![declared.effective()];
            all.extend(agreement.map(|a| &a.effective));
            let disposed = declared.disposed().or_else(|| agreement?.disposed.as_deref());
            dates(&all, disposed, path)
                .or_else(|| flow.agreement.and_then(|_| terms(model, &flow.terms, path)))
                .unwrap_or_else(|| meta(&declared.meta, path))
        }
    }
}

fn system(model: &Model, id: SystemId, path: &str) -> Value {
    let system = &model.systems[id];
    let declared = &system.declared;
    match path {
        "id" => Value::text(Some(&declared.id.value)),
        "party" => Value::text(Some(model.parties[system.party].id())),
        "purposes" => Value::keys(&model.purposes, system.purposes.iter().copied()),
        "originates" => Value::keys(&model.data, declared.originates.iter().map(|k| k.value)),
        "derives" => Value::map(!declared.derives.is_empty()),
        "retention" => Value::duration(declared.retention.as_ref().map(|d| d.value)),
        "controller" => Value::text(declared.controller.as_ref().map(|party| party.value.as_str())),
        "region" => Value::texts(system.regions.iter().map(String::as_str)),
        "subjects" => Value::count(declared.subjects),
        "tags" => Value::texts(declared.tags.iter().map(String::as_str)),
        _ => meta(&declared.meta, path),
    }
}

fn party(model: &Model, id: PartyId, path: &str) -> Value {
    let party = &model.parties[id];
    let declared = &party.declared;
    match path {
        "id" => Value::text(Some(party.id())),
        "name" => Value::text(Some(&declared.name)),
        "role" => Value::word(declared.role, Some(party.role())),
        "jurisdiction" => Value::text(declared.jurisdiction.as_deref()),
        "affiliate_of" => Value::text(declared.affiliate_of.as_ref().map(|t| t.value.as_str())),
        "contact" => Value::text(declared.contact.as_deref()),
        "dpo" => Value::text(declared.dpo.as_deref()),
        "representative" => Value::text(declared.representative.as_deref()),
        "systems" => Value::texts(party.systems.iter().map(|&s| model.systems[s].declared.id.value.as_str())),
        _ => meta(&declared.meta, path),
    }
}
