//! The head without its own pardons: what it asserts of declarations that the base has, too, is
//! taken back, so that the same engine can judge what the change opens by itself.
//!
//! Taken back is each edit that the table calls an assertion, each term that is loosened, and a new
//! status or last day where both are judged: rules can name them. Lists of what starts, comes about
//! or is done somewhere come to what either state says, lists of what is attested or allowed to what
//! both say. What a new flow, agreement, system or party says of itself stays as it is.
//!
//! A role, a tag or an id can bring a rule to bear as well as keep it off. Taken back together, two
//! of them may hide what one of them alone would show, so they are also taken back one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::edits::Edit;
use super::{Renames, Side};
use crate::base::diagnostic::Diagnostic;
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::{Kind, Status, Transform};
use crate::declare::fields::{Class, Declaration};
use crate::declare::inventory::{Agreement, Derive, Flow, Inventory, OnwardTo, Party, System, Terms};
use crate::model::build;
use crate::model::load::World;
use crate::read::decode::Spanned;

/// The head with some of its claims taken back.
pub struct TakenBack {
    /// It.
    pub world: World,
    /// These claims.
    pub edits: Vec<Edit>,
    /// From ids of the base to the ids that are used in this world.
    pub renames: Renames,
    /// From ids of this world to ids of the head.
    pub renamed: Renames,
}

/// What the head claims of what the base declares.
pub fn claims(base: &Side, edits: &[Edit]) -> Vec<Edit> {
    let before = Declared::of(&base.world.declared, &base.renames);
    edits.iter().filter(|edit| before.has(edit) && is_claim(edit)).cloned().collect()
}

/// So many declarations with claims that may work either way are distinguished.
const APART: usize = 8;

/// The claims that are taken back together besides all of them: of those that may work either way
/// one declaration's alone, and all but one declaration's. `None`: there are too many.
pub fn apart(claims: &[Edit]) -> Option<Vec<Vec<Edit>>> {
    let either = |edit: &&Edit| !WORSE_WITHOUT.contains(&edit.key.as_str());
    let declarations: BTreeSet<(Declaration, &str)> =
        claims.iter().filter(either).map(|edit| (edit.of, edit.id.as_str())).collect();
    match declarations.len() {
        0 | 1 => return Some(Vec::new()),
        n if n > APART => return None,
        _ => {}
    }
    let mut sets = Vec::new();
    for &(of, id) in &declarations {
        for alone in [true, false] {
            let own = |edit: &&Edit| ((edit.of, edit.id.as_str()) == (of, id)) == alone;
            let set: Vec<Edit> = claims.iter().filter(|edit| !either(edit) || own(edit)).cloned().collect();
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    Some(sets)
}

/// The keys of claims that nothing is worse for: to take them back never keeps a rule off.
const WORSE_WITHOUT: &[&str] = &[
    "consent",
    "only_from",
    "safeguards",
    "retention",
    "disposed",
    "originates",
    "derives",
    "assurances",
    "effective.from",
    "effective.until",
    "terms.purposes",
    "terms.prohibited_purposes",
    "terms.onward_transfer",
    "terms.onward_to",
    "terms.retention",
    "terms.consent",
    "terms.safeguards",
    "terms.released_by",
];

/// Takes back some of what the head claims of what the base declares.
///
/// # Errors
/// When what is left cannot be resolved.
pub fn take_back(base: &Side, head: &Side, claims: Vec<Edit>) -> Result<TakenBack, Vec<Diagnostic>> {
    let before = Declared::of(&base.world.declared, &base.renames);
    let mut inventory = head.world.declared.clone();
    let taking = Taking { base, head };
    let mut of: BTreeMap<(Declaration, &str), Vec<&Edit>> = BTreeMap::new();
    for claim in &claims {
        of.entry((claim.of, &claim.id)).or_default().push(claim);
    }
    let claimed = |sort: Declaration, id: &str| of.get(&(sort, id)).cloned().unwrap_or_default();
    for party in &mut inventory.parties {
        let id = party.id.value.clone();
        if let Some(was) = before.parties.get(&id) {
            claimed(Declaration::Party, &id).iter().for_each(|claim| taking.party(party, was, claim));
        }
        for system in &mut party.systems {
            let name = format!("{id}/{}", system.id.value);
            if let Some(was) = before.systems.get(&name) {
                claimed(Declaration::System, &name)
                    .iter()
                    .for_each(|claim| taking.system(system, was, claim));
            }
        }
    }
    for agreement in &mut inventory.agreements {
        let id = agreement.id.value.clone();
        if let Some(was) = before.agreements.get(&id) {
            let claims = claimed(Declaration::Agreement, &id);
            claims.iter().for_each(|claim| taking.agreement(agreement, was, claim));
        }
        for flow in &mut agreement.flows {
            let name = format!("{id}/{}", flow.id.value);
            if let Some(was) = before.flows.get(&name) {
                claimed(Declaration::Flow, &name).iter().for_each(|claim| taking.flow(flow, was, claim));
            }
        }
    }
    for flow in inventory.flows.iter_mut().flatten() {
        if let Some(was) = before.flows.get(&flow.id.value) {
            claimed(Declaration::Flow, &flow.id.value).iter().for_each(|claim| taking.flow(flow, was, claim));
        }
    }
    let (telling, neutral) = base.renames.split(|of, new| {
        claims.iter().any(|claim| claim.key == "renamed" && (claim.of, claim.id.as_str()) == (of, new))
    });
    // A system keeps its party's name in this world, a flow its agreement's.
    let telling = telling.within(&neutral, &Renames::default());
    let back = telling.turned();
    let neutral = neutral.within(&Renames::default(), &back);
    rename(&mut inventory, &back);
    let model = &head.world.model;
    let mut mistakes = Vec::new();
    let model = build(inventory, model.data.clone(), model.purposes.clone(), &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let world = World { model, declared: Inventory::default(), ..head.world.clone() };
    Ok(TakenBack { world, edits: claims, renames: neutral, renamed: telling })
}

/// Whether an edit of a declaration that was there removes findings by what it says.
fn is_claim(edit: &Edit) -> bool {
    let sort = matches!(
        edit.of,
        Declaration::Party | Declaration::System | Declaration::Agreement | Declaration::Flow
    );
    let key = edit.key.as_str();
    let named = matches!(key, "status" | "effective.until" | "transform");
    let loosened = matches!(edit.class, Class::Widening | Class::Both);
    sort && (edit.class == Class::Assertion || (loosened && (named || key.starts_with("terms."))))
        && !matches!(edit.key.as_str(), "added" | "removed")
}

/// What a state declares, by the ids that both states use.
struct Declared<'d> {
    parties: BTreeMap<String, &'d Party>,
    systems: BTreeMap<String, &'d System>,
    agreements: BTreeMap<String, &'d Agreement>,
    flows: BTreeMap<String, &'d Flow>,
}

impl<'d> Declared<'d> {
    fn of(inventory: &'d Inventory, renames: &Renames) -> Self {
        let parties = inventory.parties.iter();
        let systems = inventory.parties.iter().flat_map(|party| {
            party.systems.iter().map(|system| (format!("{}/{}", party.id.value, system.id.value), system))
        });
        let agreements = inventory.agreements.iter();
        let within = inventory.agreements.iter().flat_map(|agreement| {
            agreement.flows.iter().map(|flow| (format!("{}/{}", agreement.id.value, flow.id.value), flow))
        });
        let loose = inventory.flows.iter().flatten().map(|flow| (flow.id.value.clone(), flow));
        Declared {
            parties: parties.map(|party| (renames.party(&party.id.value).to_owned(), party)).collect(),
            systems: systems.map(|(name, system)| (renames.system(&name).into_owned(), system)).collect(),
            agreements: agreements.map(|a| (renames.agreement(&a.id.value).to_owned(), a)).collect(),
            flows: within.chain(loose).map(|(name, flow)| (renames.flow(&name).into_owned(), flow)).collect(),
        }
    }

    fn has(&self, edit: &Edit) -> bool {
        match edit.of {
            Declaration::Party => self.parties.contains_key(&edit.id),
            Declaration::System => self.systems.contains_key(&edit.id),
            Declaration::Agreement => self.agreements.contains_key(&edit.id),
            Declaration::Flow => self.flows.contains_key(&edit.id),
            Declaration::Taxonomy | Declaration::Statement | Declaration::Waiver => false,
        }
    }
}

/// Puts back what the base says, in the words of the head.
struct Taking<'s, 'w> {
    base: &'s Side<'w>,
    head: &'s Side<'w>,
}

type Trees<'w> = (&'w Tree, &'w Tree);

/// What of a list another has, too.
fn common<T>(own: &[T], other: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<T>
where
    T: Clone,
{
    own.iter().filter(|one| other.iter().any(|two| same(one, two))).cloned().collect()
}

impl Taking<'_, '_> {
    fn data(&self) -> Trees<'_> {
        (&self.base.world.model.data, &self.head.world.model.data)
    }

    fn purposes(&self) -> Trees<'_> {
        (&self.base.world.model.purposes, &self.head.world.model.purposes)
    }

    /// A key of the base as the head numbers it; one that is gone is what was above it.
    fn key(trees: Trees, key: Key) -> Option<Key> {
        let name = trees.0.name(key);
        let above = name.rmatch_indices('.').filter_map(|(at, _)| name.get(..at));
        std::iter::once(name).chain(above).find_map(|name| trees.1.find(name))
    }

    fn keys(trees: Trees, keys: &[Spanned<Key>]) -> Vec<Spanned<Key>> {
        let known = keys.iter().filter_map(|key| Some(Spanned::new(Self::key(trees, key.value)?, key.span)));
        known.collect()
    }

    /// A list of the head with what the base has besides.
    fn also(trees: Trees, own: &mut Vec<Spanned<Key>>, was: &[Spanned<Key>]) {
        own.extend(Self::keys(trees, was));
        own.sort_by_key(|key| key.value);
        own.dedup_by_key(|key| key.value);
    }

    /// A party of the base as the head calls it, if it is there.
    fn party_named(&self, id: &str) -> Option<String> {
        let id = self.base.renames.party(id);
        let known = &self.head.world.model.parties;
        known.values().any(|party| party.id() == id).then(|| id.to_owned())
    }

    fn named(&self, name: &Spanned<String>) -> Option<Spanned<String>> {
        Some(Spanned::new(self.party_named(&name.value)?, name.span))
    }

    fn party(&self, own: &mut Party, was: &Party, claim: &Edit) {
        match claim.key.as_str() {
            "role" => own.role = was.role,
            "jurisdiction" => own.jurisdiction.clone_from(&was.jurisdiction),
            "affiliate_of" => own.affiliate_of = was.affiliate_of.as_ref().and_then(|p| self.named(p)),
            "name" => own.name.clone_from(&was.name),
            "contact" => own.contact.clone_from(&was.contact),
            "dpo" => own.dpo.clone_from(&was.dpo),
            "representative" => own.representative.clone_from(&was.representative),
            key => meta(&mut own.meta, &was.meta, key),
        }
    }

    fn system(&self, own: &mut System, was: &System, claim: &Edit) {
        match claim.key.as_str() {
            "purposes" => Self::also(self.purposes(), &mut own.purposes, &was.purposes),
            "originates" => Self::also(self.data(), &mut own.originates, &was.originates),
            "derives" => self.derives(own, was),
            "retention" => own.retention.clone_from(&was.retention),
            "region" => own.region.clone_from(&was.region),
            "tags" => own.tags = Arc::clone(&was.tags),
            "controller" => own.controller = was.controller.as_ref().and_then(|party| self.named(party)),
            "subjects" => own.subjects = was.subjects,
            key => meta(&mut own.meta, &was.meta, key),
        }
    }

    /// What the base derives is derived, and what it does not say to be harmless is not taken to be.
    fn derives(&self, own: &mut System, was: &System) {
        let before = was.derives.iter().map(|derive| Derive {
            from: Self::keys(self.data(), &derive.from),
            into: Self::keys(self.data(), &derive.into),
            reidentifies: Some(self.reidentifies(derive)),
            span: derive.span,
        });
        let before: Vec<Derive> = before.collect();
        let keys = |list: &[Spanned<Key>]| list.iter().map(|key| key.value).collect::<BTreeSet<Key>>();
        let denies = |derive: &Derive| derive.reidentifies.as_ref().is_some_and(|stated| !stated.value);
        for derive in own.derives.iter_mut().filter(|derive| denies(derive)) {
            let (from, into) = (keys(&derive.from), keys(&derive.into));
            let same = |one: &&Derive| keys(&one.from) == from && keys(&one.into) == into;
            if !before.iter().filter(same).any(denies) {
                derive.reidentifies = None;
            }
        }
        own.derives.extend(before);
    }

    /// Whether a derivation re-identifies, by what the base says of its categories.
    fn reidentifies(&self, derive: &Derive) -> Spanned<bool> {
        let tree = self.data().0;
        let identifying = tree.identifying();
        let singles_out = |key: &Spanned<Key>| identifying.get(key.value.0 as usize) == Some(&true);
        let by_default = || Spanned::new(derive.into.iter().any(singles_out), derive.span);
        derive.reidentifies.clone().unwrap_or_else(by_default)
    }

    fn agreement(&self, own: &mut Agreement, was: &Agreement, claim: &Edit) {
        match claim.key.as_str() {
            "kind" => own.kind = was.kind,
            "provider" => self.provider(own, was),
            "status" => {
                let status = was.status.unwrap_or(Status::Active);
                // What comes to count stays: else nothing of it would be judged.
                let counts = self.head.scope.admits(own.status.unwrap_or(Status::Active));
                if self.head.scope.admits(status) || !counts {
                    own.status = was.status;
                }
            }
            "parties" => {
                let named: Vec<String> =
                    was.parties.iter().map(|p| self.base.renames.party(&p.value).to_owned()).collect();
                own.parties.retain(|party| named.contains(&party.value));
            }
            "effective.from" => own.effective.from.clone_from(&was.effective.from),
            "effective.until" if self.takes_back_until(claim) => {
                own.effective.until.clone_from(&was.effective.until);
            }
            "disposed" => {
                let later = |d: &&crate::declare::inventory::Disposed| d.date;
                let both = own.disposed.as_deref().zip(was.disposed.as_deref());
                let both = both.map(|(own, was)| [own, was].into_iter().max_by_key(later).cloned());
                own.disposed = both.flatten().map(Box::new);
            }
            "legal_basis" => own.legal_basis.clone_from(&was.legal_basis),
            "assurances" => {
                let ids: Vec<&str> = own.assurances.iter().map(|a| a.id.value.as_str()).collect();
                own.assurances =
                    was.assurances.iter().filter(|a| ids.contains(&a.id.value.as_str())).cloned().collect();
            }
            key if key.starts_with("terms.") => {
                let mut terms = (*own.terms).clone();
                self.terms(&mut terms, &was.terms, key);
                own.terms = Arc::new(terms);
            }
            key => meta(&mut own.meta, &was.meta, key),
        }
    }

    /// For whom the others processed, also where it was the first of the parties.
    fn provider(&self, own: &mut Agreement, was: &Agreement) {
        if was.kind != Some(Kind::Processing) {
            return;
        }
        let named: Vec<&Spanned<String>> = match was.provider.as_slice() {
            [] => was.parties.first().into_iter().collect(),
            stated => stated.iter().collect(),
        };
        let mut named: Vec<_> = named.into_iter().filter_map(|party| self.named(party)).collect();
        named.retain(|named| own.parties.iter().any(|party| party.value == named.value));
        if !named.is_empty() {
            own.provider = named;
        }
    }

    /// A later last day is taken back where days do not decide what counts.
    fn takes_back_until(&self, claim: &Edit) -> bool {
        claim.class == Class::Assertion || self.head.scope.as_of.is_none()
    }

    fn flow(&self, own: &mut Flow, was: &Flow, claim: &Edit) {
        let stated = &mut own.stated;
        match claim.key.as_str() {
            "consent" => stated.consent = was.stated.consent,
            "transform" => stated.transform = was.stated.transform,
            "safeguards" => {
                stated.safeguards = common(&stated.safeguards, &was.stated.safeguards, |a, b| a == b).into();
            }
            "only_from" => {
                let only = was.exceptions.as_ref().and_then(|e| e.only_from.as_ref());
                let also: Option<Vec<_>> = only.map(|list| {
                    let known = list.iter().filter_map(|name| {
                        Some(Spanned::new(self.party_named(&name.value)?.into(), name.span))
                    });
                    known.collect()
                });
                let mut exceptions = own.exceptions.take().unwrap_or_default();
                let own_list = exceptions.only_from.take().map(Vec::from);
                exceptions.only_from = own_list.zip(also).map(|(mut own, also)| {
                    own.extend(also);
                    own.into()
                });
                own.exceptions = Some(exceptions);
            }
            "retention" => {
                own.exceptions.get_or_insert_default().retention =
                    was.exceptions.as_ref().and_then(|e| e.retention);
            }
            "legal_basis" => {
                own.exceptions.get_or_insert_default().legal_basis =
                    was.exceptions.as_ref().map(|e| e.legal_basis.clone()).unwrap_or_default();
            }
            "effective.from" => {
                stated.edit_seldom(|s| s.effective.from.clone_from(&was.stated.effective().from))
            }
            "effective.until" if self.takes_back_until(claim) => {
                stated.edit_seldom(|s| s.effective.until.clone_from(&was.stated.effective().until));
            }
            "disposed" => {
                let both = stated.disposed().zip(was.stated.disposed());
                let later =
                    both.and_then(|(own, was)| [own, was].into_iter().max_by_key(|d| d.date).cloned());
                stated.edit_seldom(|seldom| seldom.disposed = later);
            }
            "tags" => stated.edit_seldom(|seldom| seldom.tags = was.stated.tags().into()),
            "assurances" => {
                let ids: Vec<String> = stated.assurances().iter().map(|a| a.id.value.clone()).collect();
                let mut kept = was.stated.assurances().to_vec();
                kept.retain(|one| ids.contains(&one.id.value));
                stated.edit_seldom(|seldom| seldom.assurances = kept);
            }
            key if key.starts_with("terms.") => {
                let none = Terms::default();
                let before = was.exceptions.as_ref().and_then(|e| e.terms.as_deref()).unwrap_or(&none);
                let exceptions = own.exceptions.get_or_insert_default();
                self.terms(exceptions.terms.get_or_insert_default(), before, key);
            }
            key => meta(&mut stated.meta, &was.stated.meta, key),
        }
    }

    fn terms(&self, own: &mut Terms, was: &Terms, key: &str) {
        match key {
            "terms.purposes" => {
                own.purposes = was.purposes.as_ref().map(|list| Self::keys(self.purposes(), list));
            }
            "terms.prohibited_purposes" => {
                own.prohibited_purposes = Self::keys(self.purposes(), &was.prohibited_purposes);
            }
            "terms.retention" => own.retention = was.retention,
            "terms.consent" => own.consent = was.consent,
            "terms.safeguards" => own.safeguards.clone_from(&was.safeguards),
            "terms.onward_transfer" => own.onward_transfer = was.onward_transfer,
            "terms.onward_to" => {
                let before = was.onward_to.iter().filter_map(|to| {
                    Some(OnwardTo {
                        party: self.named(&to.party)?,
                        data: Self::keys(self.data(), &to.data),
                        purposes: Self::keys(self.purposes(), &to.purposes),
                    })
                });
                own.onward_to = before.collect();
            }
            "terms.released_by" => {
                let both: Option<Vec<Transform>> = own
                    .released_by
                    .as_ref()
                    .zip(was.released_by.as_ref())
                    .map(|(own, was)| common(own, was, |a, b| a == b));
                own.released_by = both.or_else(|| was.released_by.clone());
            }
            _ => {}
        }
    }
}

/// The keys that every declaration may have.
fn meta(own: &mut crate::declare::inventory::Meta, was: &crate::declare::inventory::Meta, key: &str) {
    match key {
        "title" => own.title.clone_from(&was.title),
        "labels" => own.labels.clone_from(&was.labels),
        "source" => own.source.clone_from(&was.source),
        "basis" => own.basis = was.basis,
        _ => {}
    }
}

/// Calls what is renamed by another id, wherever it is named.
fn rename(inventory: &mut Inventory, names: &Renames) {
    if names.is_empty() {
        return;
    }
    let party = |name: &mut Spanned<String>| name.value = names.party(&name.value).to_owned();
    let flow = |flow: &mut Flow, agreement: Option<&str>| {
        let full = agreement.map_or(flow.id.value.clone(), |a| format!("{a}/{}", flow.id.value));
        let full = names.flow(&full).into_owned();
        flow.id.value = full.rsplit_once('/').map_or(full.as_str(), |(_, id)| id).to_owned();
        for end in [&mut flow.from, &mut flow.to] {
            end.value = names.system(&end.value).as_ref().into();
        }
        let exceptions = flow.exceptions.as_deref_mut();
        let Some(exceptions) = exceptions else { return };
        for name in exceptions.only_from.iter_mut().flatten() {
            name.value = names.party(&name.value).into();
        }
        exceptions
            .terms
            .iter_mut()
            .flat_map(|terms| &mut terms.onward_to)
            .for_each(|to| party(&mut to.party));
    };
    for declared in &mut inventory.parties {
        for system in &mut declared.systems {
            let full = format!("{}/{}", declared.id.value, system.id.value);
            let full = names.system(&full).into_owned();
            system.id.value = full.rsplit_once('/').map_or(full.as_str(), |(_, id)| id).to_owned();
        }
        party(&mut declared.id);
        declared.affiliate_of.iter_mut().for_each(party);
    }
    for agreement in &mut inventory.agreements {
        agreement.parties.iter_mut().chain(&mut agreement.provider).for_each(party);
        let mut terms = (*agreement.terms).clone();
        terms.onward_to.iter_mut().for_each(|to| party(&mut to.party));
        agreement.terms = Arc::new(terms);
        let id = agreement.id.value.clone();
        agreement.flows.iter_mut().for_each(|f| flow(f, Some(&id)));
        agreement.id.value = names.agreement(&id).to_owned();
    }
    inventory.flows.iter_mut().flatten().for_each(|f| flow(f, None));
    inventory.statements.iter_mut().for_each(|statement| party(&mut statement.by));
}
