//! What the fields of a declaration come to, as the checker reads them.

use jiff::civil::Date;

use super::About;
use super::ground::Ground;
use crate::base::duration::Duration;
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::{Consent, Onward, Word};
use crate::declare::inventory::{Disposed, Effective, Meta, Terms};
use crate::declare::policy::{Bound, Ranked};
use crate::model::{AgreementId, FlowId, PartyId, SystemId};

/// One value.
#[derive(Debug, Clone, Default)]
pub struct One {
    /// As text.
    pub text: String,
    /// Its key, of a category or purpose.
    pub key: Option<Key>,
    /// Its place in an order.
    pub bound: Option<Bound>,
}

/// What a declaration says of a field.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Whether it is written.
    pub written: bool,
    /// The values, defaults included.
    pub values: Vec<One>,
}

impl Said {
    fn present(written: bool) -> Self {
        Said { written, values: Vec::new() }
    }

    fn all(values: impl IntoIterator<Item = One>) -> Self {
        let values: Vec<One> = values.into_iter().collect();
        Said { written: !values.is_empty(), values }
    }

    fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Said::all(texts.into_iter().map(|text| One { text: text.to_owned(), ..One::default() }))
    }

    fn bound(bound: Option<Bound>, text: impl ToString) -> Self {
        Said::all(bound.map(|bound| One { text: text.to_string(), key: None, bound: Some(bound) }))
    }

    fn date(date: Option<Date>) -> Self {
        Said::bound(date.map(Bound::Date), date.map(|date| date.to_string()).unwrap_or_default())
    }

    fn duration(time: Option<Duration>) -> Self {
        Said::bound(time.map(Bound::Duration), time.map(|time| time.to_string()).unwrap_or_default())
    }

    /// A word: as written, else what it is without.
    fn word<W: Word>(written: Option<W>, default: Option<W>) -> Self {
        let rank = |word: W| W::ALL.iter().position(|&other| other == word);
        let one = |word: W| One {
            text: word.word().to_owned(),
            key: None,
            bound: rank(word).map(|rank| Bound::Rank(Ranked { rank, word: word.word() })),
        };
        Said { written: written.is_some(), values: written.or(default).map(one).into_iter().collect() }
    }

    fn keys(tree: &Tree, keys: impl IntoIterator<Item = Key>) -> Self {
        let one = |key| One { text: tree.name(key).to_owned(), key: Some(key), bound: None };
        Said::all(keys.into_iter().map(one))
    }
}

/// What a declaration says of a field.
pub fn said(ground: &Ground, about: About, field: &str) -> Said {
    match about {
        About::Agreement(id) => of_agreement(ground, id, field),
        About::Flow(id) => of_flow(ground, id, field),
        About::System(id) => of_system(ground, id, field),
        About::Party(id) => of_party(ground, id, field),
        About::Pair(..) | About::Unsourced(..) => Said::default(),
    }
}

fn of_any(meta: &Meta, field: &str) -> Said {
    let source = meta.source.as_ref();
    match field {
        "title" => Said::texts(meta.title.as_deref()),
        "basis" => Said::word(meta.basis, None),
        "source" => Said::present(source.is_some()),
        "source.title" => Said::texts(source.and_then(|source| source.title.as_deref())),
        "source.url" => Said::texts(source.and_then(|source| source.url.as_deref())),
        "source.date" => Said::date(source.and_then(|source| source.date)),
        other => {
            let wanted = other.strip_prefix("labels.");
            let labels = meta.labels.iter().filter(|(name, _)| Some(name.as_str()) == wanted);
            Said::texts(labels.map(|(_, text)| text.as_str()))
        }
    }
}

fn of_times(times: &[&Effective], disposed: Option<&Disposed>, field: &str) -> Option<Said> {
    let from = times.iter().filter_map(|time| Some(time.from.as_ref()?.value)).max();
    let until = times.iter().filter_map(|time| Some(time.until.as_ref()?.value)).min();
    Some(match field {
        "effective" => Said::present(from.or(until).is_some()),
        "effective.from" => Said::date(from),
        "effective.until" => Said::date(until),
        "disposed" => Said::present(disposed.is_some()),
        "disposed.date" => Said::date(disposed.map(|gone| gone.date)),
        "disposed.evidence" => Said::texts(disposed.map(|gone| gone.evidence.as_str())),
        _ => return None,
    })
}

fn of_terms(purposes: &Tree, terms: &Terms, field: &str) -> Option<Said> {
    Some(match field.strip_prefix("terms.")? {
        "purposes" => {
            let named = terms.purposes.iter().flatten().map(|key| key.value);
            Said { written: terms.purposes.is_some(), ..Said::keys(purposes, named) }
        }
        "prohibited_purposes" => Said::keys(purposes, terms.prohibited_purposes.iter().map(|key| key.value)),
        "onward_transfer" => Said::word(terms.onward_transfer, Some(Onward::Prohibited)),
        "onward_to" => Said::texts(terms.onward_to.iter().map(|to| to.party.value.as_str())),
        "retention" => Said::duration(terms.retention),
        "consent" => Said::word(terms.consent, Some(Consent::None)),
        "safeguards" => Said::texts(terms.safeguards.iter().map(|name| name.value.as_str())),
        "released_by" => Said {
            written: terms.released_by.is_some(),
            ..Said::texts(terms.releasing().iter().map(|transform| transform.word()))
        },
        _ => return None,
    })
}

fn of_agreement(ground: &Ground, id: AgreementId, field: &str) -> Said {
    let agreement = &ground.model.agreements[id];
    let declared = &agreement.declared;
    let name = |&party: &PartyId| ground.model.parties[party].id();
    match field {
        "id" => Said::texts([agreement.id()]),
        "kind" => Said::word(declared.kind, Some(agreement.kind)),
        "status" => Said::word(declared.status, Some(agreement.status)),
        "parties" => Said::texts(agreement.parties.iter().map(name)),
        "provider" => Said {
            written: !declared.provider.is_empty(),
            ..Said::texts(agreement.providers.iter().map(name))
        },
        "legal_basis" => Said::texts(declared.legal_basis.as_deref()),
        "assurances" => {
            let held = ground.matching.assurances(id, None);
            Said::texts(held.map(|one| one.id.value.as_str()))
        }
        _ => of_times(&[&declared.effective], declared.disposed.as_deref(), field)
            .or_else(|| of_terms(&ground.model.purposes, &declared.terms, field))
            .unwrap_or_else(|| of_any(&declared.meta, field)),
    }
}

fn of_flow(ground: &Ground, id: FlowId, field: &str) -> Said {
    let model = ground.model;
    let (flow, declared) = (&model.flows[id], &model.flows[id].declared);
    match field {
        "id" => Said::texts([flow.name.as_str()]),
        "from" => Said::texts([model.systems[flow.from].name.as_str()]),
        "to" => Said::texts([model.systems[flow.to].name.as_str()]),
        "agreement" => Said::texts(flow.agreement.map(|agreement| model.agreements[agreement].id())),
        "data" if declared.held => {
            Said::keys(&model.data, flow.leaves.iter().map(|leaf| model.data.leaf_key(leaf)))
        }
        "data" => Said::keys(&model.data, declared.data.iter().map(|key| key.value)),
        "purposes" => Said::keys(&model.purposes, flow.purposes.iter().copied()),
        "consent" => Said::word(declared.consent, Some(flow.consent)),
        "transform" => Said::word(declared.transform, Some(flow.transform)),
        "only_from" => Said::texts(flow.only_from.iter().flatten().map(|&party| model.parties[party].id())),
        "safeguards" => Said::texts(declared.safeguards.iter().map(String::as_str)),
        "tags" => Said::texts(declared.tags().iter().map(String::as_str)),
        "retention" => Said::duration(flow.retention),
        "legal_basis" => Said::texts(flow.legal_basis.as_deref()),
        _ => {
            let agreement = flow.agreement.map(|agreement| &model.agreements[agreement].declared);
            let mut times = vec![declared.effective()];
            times.extend(agreement.map(|agreement| &agreement.effective));
            let disposed = declared.disposed().or_else(|| agreement?.disposed.as_deref());
            of_times(&times, disposed, field)
                .or_else(|| flow.agreement.and_then(|_| of_terms(&model.purposes, &flow.terms, field)))
                .unwrap_or_else(|| of_any(&declared.meta, field))
        }
    }
}

fn of_system(ground: &Ground, id: SystemId, field: &str) -> Said {
    let model = ground.model;
    let (system, declared) = (&model.systems[id], &model.systems[id].declared);
    match field {
        "id" => Said::texts([declared.id.value.as_str()]),
        "party" => Said::texts([model.parties[system.party].id()]),
        "purposes" => Said::keys(&model.purposes, system.purposes.iter().copied()),
        "originates" => Said::keys(&model.data, declared.originates.iter().map(|key| key.value)),
        "derives" => Said::present(!declared.derives.is_empty()),
        "retention" => Said::duration(declared.retention.as_ref().map(|time| time.value)),
        "region" => Said::texts(system.regions.iter().map(String::as_str)),
        "subjects" => Said::bound(declared.subjects.map(Bound::Count), declared.subjects.unwrap_or_default()),
        "tags" => Said::texts(declared.tags.iter().map(String::as_str)),
        _ => of_any(&declared.meta, field),
    }
}

fn of_party(ground: &Ground, id: PartyId, field: &str) -> Said {
    let (party, declared) = (&ground.model.parties[id], &ground.model.parties[id].declared);
    match field {
        "id" => Said::texts([party.id()]),
        "name" => Said::texts([declared.name.as_str()]),
        "role" => Said::word(declared.role, Some(party.role())),
        "jurisdiction" => Said::texts(declared.jurisdiction.as_deref()),
        "affiliate_of" => Said::texts(declared.affiliate_of.as_ref().map(|parent| parent.value.as_str())),
        "contact" => Said::texts(declared.contact.as_deref()),
        "dpo" => Said::texts(declared.dpo.as_deref()),
        "representative" => Said::texts(declared.representative.as_deref()),
        "systems" => {
            let systems = party.systems.iter().map(|&system| &ground.model.systems[system].declared);
            Said::texts(systems.map(|system| system.id.value.as_str()))
        }
        _ => of_any(&declared.meta, field),
    }
}
