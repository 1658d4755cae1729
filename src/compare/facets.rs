//! A declaration key by key: what is written, and what that comes to, so that two
//! states of it can be compared. `null`, an empty list and a default that is written
//! out are what they stand for.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Side;
use crate::base::duration::Duration;
use crate::base::taxonomy::{Declared, Equivalent, Key, Match, Tree};
use crate::base::vocabulary::{Consent, Kind, Onward, Severity, Status, Transform, Word};
use crate::declare::inventory::{
    Assurance, Derive, Disposed, Effective, Meta, OnwardTo, Statement, Terms, Waiver,
};
use crate::declare::words::{Names, violated};
use crate::model::{AgreementId, FlowId, PartyId, SystemId};
use crate::read::decode::Spanned;

/// What a key comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// No limit at all.
    All,
    /// These.
    Set(BTreeSet<String>),
    /// Somewhere in an order.
    Rank(i128),
    /// Nothing that has a more or a less.
    Other,
}

/// A key of a declaration.
#[derive(Debug, Clone)]
pub struct Facet {
    /// The key.
    pub key: &'static str,
    /// What is written, in words that do not depend on the layout; empty: nothing.
    pub shown: Vec<String>,
    /// The same without a doubt: words can be said of different things, and long lists are cut.
    pub exact: Vec<String>,
    /// What rules, terms and checks see of it: two that read alike are the same to them.
    pub read: Vec<String>,
    /// What it comes to.
    pub value: Value,
}

/// The keys of one declaration.
#[derive(Debug, Default)]
pub struct Facets(pub Vec<Facet>);

impl Facets {
    fn add(&mut self, key: &'static str, shown: Vec<String>, value: Value) {
        self.add_read(key, shown.clone(), shown, value);
    }

    /// As [`Self::add`], of a key that is read otherwise than it is written.
    fn add_read(&mut self, key: &'static str, mut shown: Vec<String>, mut read: Vec<String>, value: Value) {
        for list in [&mut shown, &mut read] {
            list.sort();
            list.dedup();
        }
        self.0.push(Facet { key, exact: shown.clone(), shown, read, value });
    }

    /// As [`Self::add`], of a key whose words can be those of something else, too.
    fn add_exact(&mut self, key: &'static str, shown: Vec<String>, exact: Vec<String>, value: Value) {
        self.add_read(key, shown, exact.clone(), value);
        self.exactly(exact);
    }

    /// What the key added last says without a doubt.
    fn exactly(&mut self, mut exact: Vec<String>) {
        exact.sort();
        if let Some(facet) = self.0.last_mut() {
            facet.exact = exact;
        }
    }

    /// A set that is read as such, whichever words name it.
    fn add_set(&mut self, key: &'static str, shown: Vec<String>, value: Value) {
        let read = match &value {
            Value::Set(set) => set.iter().cloned().collect(),
            Value::All | Value::Rank(_) | Value::Other => Vec::new(),
        };
        self.add_read(key, shown, read, value);
    }

    /// A key that takes another's place where it is not stated.
    fn add_rank(&mut self, key: &'static str, shown: Vec<String>, effective: String, rank: i128) {
        self.add_read(key, shown, vec![effective], Value::Rank(rank));
    }

    fn text(&mut self, key: &'static str, text: Option<&str>) {
        self.add(key, text.into_iter().map(str::to_owned).collect(), Value::Other);
    }

    fn words<'a>(&mut self, key: &'static str, words: impl Iterator<Item = &'a str>) {
        let words: Vec<String> = words.map(str::to_owned).collect();
        self.add(key, words.clone(), Value::Set(words.into_iter().collect()));
    }

    fn word<W: Word>(&mut self, key: &'static str, word: W) {
        let rank = W::ALL.iter().position(|&w| w == word).unwrap_or_default();
        self.add(key, vec![word.word().to_owned()], Value::Rank(rank as i128));
    }

    fn retention(&mut self, key: &'static str, stated: Option<Duration>, effective: Option<Duration>) {
        let hours = effective.and_then(Duration::hours).map_or(i128::MAX, i128::from);
        let read = effective.map_or_else(String::new, |duration| duration.to_string());
        self.add_rank(key, stated.iter().map(ToString::to_string).collect(), read, hours);
    }

    fn assurances(&mut self, assurances: &[Assurance]) {
        let shown = assurances.iter().map(|a| {
            let mut text = a.id.value.clone();
            a.evidence.iter().for_each(|evidence| text += &format!(", evidence: {evidence}"));
            a.date.iter().for_each(|date| text += &format!(", given {date}"));
            a.valid_until.iter().for_each(|until| text += &format!(", valid until {until}"));
            text
        });
        let ids = assurances.iter().map(|a| a.id.value.clone()).collect();
        let day = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        let read = assurances
            .iter()
            .map(|a| format!("{} from {} until {}", a.id.value, day(a.date), day(a.valid_until)));
        self.add_read("assurances", shown.collect(), read.collect(), Value::Set(ids));
        let exact = assurances.iter();
        self.exactly(
            exact.map(|a| format!("{:?}", (&a.id.value, &a.evidence, a.date, a.valid_until))).collect(),
        );
    }

    fn effective(&mut self, effective: &Effective) {
        let day = |date: &Option<Spanned<Date>>| date.as_ref().map(|d| d.value);
        let shown = |date: Option<Date>| date.iter().map(ToString::to_string).collect();
        let rank = |date: Date| {
            i128::from(date.year()) * 10_000 + i128::from(date.month()) * 100 + i128::from(date.day())
        };
        let (from, until) = (day(&effective.from), day(&effective.until));
        self.add("effective.from", shown(from), Value::Rank(from.map_or(i128::MIN, rank)));
        self.add("effective.until", shown(until), Value::Rank(until.map_or(i128::MAX, rank)));
    }

    fn disposed(&mut self, disposed: Option<&Disposed>) {
        let shown = disposed.map(|d| format!("{}, evidence: {}", d.date, d.evidence));
        self.add("disposed", shown.into_iter().collect(), Value::Rank(disposed.is_some().into()));
    }

    fn meta(&mut self, meta: &Meta) {
        self.text("title", meta.title.as_deref());
        let labels = meta.labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let exact = meta.labels.iter().map(|label| format!("{label:?}")).collect();
        self.add_exact("labels", labels, exact, Value::Other);
        let source = meta.source.as_ref().map(|s| {
            let date = s.date.map(|d| d.to_string());
            [s.title.clone(), s.url.clone(), date]
        });
        let exact = source.iter().map(|parts| format!("{parts:?}")).collect();
        let shown =
            source.into_iter().map(|parts| parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
        self.add_exact("source", shown.collect(), exact, Value::Other);
        self.text("basis", meta.basis.map(Word::word));
    }
}

fn values(keys: &[Spanned<Key>]) -> Vec<Key> {
    keys.iter().map(|k| k.value).collect()
}

impl Side<'_> {
    fn named(&self, tree: &Tree, keys: &[Spanned<Key>]) -> Vec<String> {
        self.names(tree, &values(keys))
    }

    fn names(&self, tree: &Tree, keys: &[Key]) -> Vec<String> {
        keys.iter().map(|&key| tree.name(key).to_owned()).collect()
    }

    /// The leaves of some categories, as both sides call them.
    fn leaves(&self, keys: &[Spanned<Key>]) -> BTreeSet<String> {
        let leaves = self.world.model.data.leaves(values(keys).iter());
        leaves.iter().map(|leaf| self.leaf(leaf).to_owned()).collect()
    }

    /// Some purposes and all below them.
    fn purposes(&self, keys: &[Key]) -> BTreeSet<String> {
        let tree = &self.world.model.purposes;
        let below = tree.entries().filter(|(key, _)| keys.iter().any(|&above| tree.at_or_below(*key, above)));
        below.map(|(key, _)| tree.name(key).to_owned()).collect()
    }

    /// A category or purpose.
    pub fn key(&self, declared: &Declared) -> Facets {
        let mut f = Facets::default();
        f.text("title", declared.title.as_deref());
        let term = |one: &Equivalent| match one.nearness {
            Match::Exact => format!("= {}", one.term),
            Match::Broad => one.term.clone(),
        };
        let terms = |all: &[Equivalent]| all.iter().map(term).collect::<Vec<_>>().join(", ");
        let aka = declared.aka.iter().map(|(name, all)| format!("{name}: {}", terms(all)));
        let exact = declared.aka.iter().map(|one| format!("{one:?}")).collect();
        f.add_exact("aka", aka.collect(), exact, Value::Other);
        f.words("identifying", declared.identifying.then_some("true").into_iter());
        f
    }

    /// A party.
    pub fn party(&self, id: PartyId) -> Facets {
        let party = &self.world.model.parties[id];
        let declared = &party.declared;
        let mut f = Facets::default();
        f.text("name", Some(&declared.name));
        f.text("role", Some(party.role().word()));
        f.text("jurisdiction", declared.jurisdiction.as_deref());
        f.text("affiliate_of", declared.affiliate_of.as_ref().map(|p| self.renames.party(&p.value)));
        f.text("contact", declared.contact.as_deref());
        f.text("dpo", declared.dpo.as_deref());
        f.text("representative", declared.representative.as_deref());
        f.meta(&declared.meta);
        f
    }

    /// A system.
    pub fn system(&self, id: SystemId) -> Facets {
        let model = &self.world.model;
        let declared = &model.systems[id].declared;
        let mut f = Facets::default();
        let purposes = self.purposes(&model.systems[id].purposes);
        f.add_set("purposes", self.named(&model.purposes, &declared.purposes), Value::Set(purposes));
        let originates = self.leaves(&declared.originates);
        f.add_set("originates", self.named(&model.data, &declared.originates), Value::Set(originates));
        let list = |keys| {
            let mut names = self.named(&model.data, keys);
            names.sort();
            names.join(", ")
        };
        let reidentifies = model.systems[id].reidentifying();
        let again = |at: usize| if reidentifies.contains(&at) { ", re-identified" } else { "" };
        let numbered = || declared.derives.iter().enumerate();
        let stated = |at: usize, derive: &Derive| match &derive.reidentifies {
            Some(stated) => format!(", reidentifies: {}", stated.value),
            None if reidentifies.contains(&at) => ", reidentifies: true (by default)".to_owned(),
            None => String::new(),
        };
        let shown =
            numbered().map(|(at, d)| format!("{} from {}{}", list(&d.into), list(&d.from), stated(at, d)));
        // What is re-identified is more than what is only derived.
        let each = |from: &String, into: &BTreeSet<String>, at: usize| {
            let ways = ["", again(at)].into_iter().take(if reidentifies.contains(&at) { 2 } else { 1 });
            ways.flat_map(|way| into.iter().map(move |to| format!("{from} → {to}{way}"))).collect::<Vec<_>>()
        };
        let derives = numbered().flat_map(|(at, d)| {
            let into = self.leaves(&d.into);
            self.leaves(&d.from).iter().flat_map(|from| each(from, &into, at)).collect::<Vec<_>>()
        });
        f.add_set("derives", shown.collect(), Value::Set(derives.collect()));
        let retention = declared.retention.as_ref().map(|r| r.value);
        f.retention("retention", retention, retention);
        f.text("controller", declared.controller.as_ref().map(|name| self.renames.party(&name.value)));
        f.words("region", declared.region.iter().map(String::as_str));
        f.text("subjects", declared.subjects.map(|n| n.to_string()).as_deref());
        f.words("tags", declared.tags.iter().map(String::as_str));
        f.meta(&declared.meta);
        f
    }

    /// An agreement, without its flows.
    pub fn agreement(&self, id: AgreementId) -> Facets {
        let agreement = &self.world.model.agreements[id];
        let declared = &agreement.declared;
        let mut f = Facets::default();
        f.word("kind", agreement.kind);
        let providers = agreement.providers.iter().filter(|_| agreement.kind == Kind::Processing);
        f.words("provider", providers.map(|&p| self.party_id(p)));
        // What comes to count is more, then what comes into force.
        let counts = i128::from(self.scope.admits(agreement.status));
        let rank = 2 * counts + i128::from(agreement.status == Status::Active);
        f.add("status", vec![agreement.status.word().to_owned()], Value::Rank(rank));
        f.words("parties", declared.parties.iter().map(|p| self.renames.party(&p.value)));
        f.effective(&declared.effective);
        f.disposed(declared.disposed.as_deref());
        f.words("legal_basis", declared.legal_basis.iter().map(String::as_str));
        f.assurances(&declared.assurances);
        self.terms(&mut f, &declared.terms, &declared.terms);
        f.meta(&declared.meta);
        f
    }

    /// A flow, with what it takes from its agreement's defaults.
    pub fn flow(&self, id: FlowId) -> Facets {
        let model = &self.world.model;
        let flow = &model.flows[id];
        let declared = &flow.declared;
        let mut f = Facets::default();
        f.text("from", Some(&self.system_name(flow.from)));
        f.text("to", Some(&self.system_name(flow.to)));
        match declared.held {
            true => f.add_set("data", vec!["held".to_owned()], Value::All),
            false => f.add_set(
                "data",
                self.named(&model.data, &declared.data),
                Value::Set(self.leaves(&declared.data)),
            ),
        }
        let stated: &[Key] = if flow.states.purposes { &flow.purposes } else { &[] };
        let purposes = Value::Set(self.purposes(&flow.purposes));
        f.add_set("purposes", self.names(&model.purposes, stated), purposes);
        f.word("consent", flow.consent);
        f.word("transform", flow.transform);
        let id = |&party: &PartyId| self.party_id(party).to_owned();
        let parties = flow.only_from.as_ref().map(|parties| parties.iter().map(id).collect());
        let only = parties.clone().map_or(Value::All, Value::Set);
        f.add("only_from", parties.unwrap_or_default().into_iter().collect(), only);
        f.words("safeguards", declared.safeguards.iter().map(String::as_str));
        f.retention("retention", flow.retention.filter(|_| flow.states.retention), flow.retention);
        f.effective(declared.effective());
        f.disposed(declared.disposed());
        let stated = if flow.states.legal_basis { flow.legal_basis.to_vec() } else { Vec::new() };
        f.add_read("legal_basis", stated, flow.legal_basis.to_vec(), Value::Other);
        f.words("tags", declared.tags().iter().map(String::as_str));
        f.assurances(declared.assurances());
        f.text("essential", declared.essential().filter(|&essential| essential).map(|_| "true"));
        self.terms(&mut f, flow.own_terms.as_deref().unwrap_or(&Terms::default()), &flow.terms);
        f.meta(&declared.meta);
        f
    }

    /// Terms as stated in one place, and what they come to there.
    fn terms(&self, f: &mut Facets, stated: &Terms, effective: &Terms) {
        let model = &self.world.model;
        let named = |keys: &[Spanned<Key>]| self.named(&model.purposes, keys);
        let shown = match stated.purposes.as_deref() {
            None => Vec::new(),
            Some([]) => vec!["none".to_owned()],
            Some(list) => named(list),
        };
        let purposes = effective.purposes.as_ref().map(|list| self.purposes(&values(list)));
        f.add_set("terms.purposes", shown, purposes.map_or(Value::All, Value::Set));
        let prohibited = self.purposes(&values(&effective.prohibited_purposes));
        f.add_set("terms.prohibited_purposes", named(&stated.prohibited_purposes), Value::Set(prohibited));
        let rank = |onward: Onward| Onward::ALL.iter().position(|&o| o == onward).unwrap_or_default() as i128;
        let onward = effective.onward_transfer.unwrap_or(Onward::Prohibited);
        f.add_rank(
            "terms.onward_transfer",
            stated.onward_transfer.iter().map(ToString::to_string).collect(),
            onward.to_string(),
            rank(onward),
        );
        let onward = |list: &[OnwardTo]| list.iter().map(|to| self.onward_to(to)).collect::<Vec<_>>();
        let all = onward(&effective.onward_to).into_iter().collect();
        f.add_set("terms.onward_to", onward(&stated.onward_to), Value::Set(all));
        f.retention("terms.retention", stated.retention, effective.retention);
        let rank = |consent: Consent| Consent::ALL.iter().position(|&c| c == consent).unwrap_or_default();
        let consent = effective.consent.unwrap_or(Consent::None);
        f.add_rank(
            "terms.consent",
            stated.consent.iter().map(ToString::to_string).collect(),
            consent.to_string(),
            rank(consent) as i128,
        );
        let texts = |list: &[Spanned<String>]| list.iter().map(|t| t.value.clone()).collect::<Vec<_>>();
        let safeguards = texts(&effective.safeguards).into_iter().collect();
        f.add_set("terms.safeguards", texts(&stated.safeguards), Value::Set(safeguards));
        let released = stated.released_by.as_ref().map(|list| match list.as_slice() {
            [] => vec!["none".to_owned()],
            list => list.iter().map(|t: &Transform| t.to_string()).collect(),
        });
        let releasing = effective.releasing().iter().map(ToString::to_string).collect();
        f.add_set("terms.released_by", released.unwrap_or_default(), Value::Set(releasing));
        let clauses = stated.clauses.iter().map(|c| {
            let parts = [c.reference.clone(), c.quote.as_ref().map(|q| format!("“{q}”"))];
            let words: Vec<String> = parts.into_iter().flatten().collect();
            format!("{}: {}", c.term.value, words.join(" "))
        });
        let exact = stated.clauses.iter().map(|c| format!("{:?}", (&c.term.value, &c.reference, &c.quote)));
        let exact: Vec<String> = exact.collect();
        let quoted = Value::Set(exact.iter().cloned().collect());
        f.add_exact("terms.clauses", clauses.collect(), exact, quoted);
    }

    fn onward_to(&self, to: &OnwardTo) -> String {
        let model = &self.world.model;
        let mut text = self.renames.party(&to.party.value).to_owned();
        for (lead, mut names) in [
            ("data", self.named(&model.data, &to.data)),
            ("purposes", self.named(&model.purposes, &to.purposes)),
        ] {
            names.sort();
            if !names.is_empty() {
                text += &format!(", {lead}: {}", names.join(" "));
            }
        }
        text
    }

    /// A promise.
    pub fn statement(&self, statement: &Statement) -> Facets {
        let model = &self.world.model;
        let said = &statement.said;
        let date = said.date.map(|d| d.to_string());
        let parts = [Some(format!("“{}”", said.quote)), said.who.clone(), said.place.clone(), date];
        let exact = format!("{parts:?}");
        let words = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let mut f = Facets::default();
        f.text("by", Some(self.renames.party(&statement.by.value)));
        f.add_exact("said", vec![words], vec![exact], Value::Other);
        // The most severe comes first in the order of severities.
        let rank = crate::base::vocabulary::Severity::ALL.iter().position(|&s| s == statement.severity);
        let rank = -(rank.unwrap_or_default() as i128);
        f.add("severity", vec![statement.severity.to_string()], Value::Rank(rank));
        let names = Names { data: &model.data, purposes: &model.purposes };
        let words = violated(&statement.promise, names);
        f.add_exact("promise", vec![words], vec![statement.written.clone()], Value::Other);
        f.meta(&statement.meta);
        f
    }

    /// A waiver.
    pub fn waiver(&self, waiver: &Waiver) -> Facets {
        let any = |list: Vec<String>, set: BTreeSet<String>| {
            let value = if list.is_empty() { Value::All } else { Value::Set(set) };
            (list, value)
        };
        let mut f = Facets::default();
        let data = self.named(&self.world.model.data, &waiver.data);
        let (shown, value) = any(data, self.leaves(&waiver.data));
        f.add("data", shown, value);
        let arrives_as = self.named(&self.world.model.data, &waiver.arrives_as);
        let (shown, value) = any(arrives_as, self.leaves(&waiver.arrives_as));
        f.add("arrives_as", shown, value);
        let agreements = waiver.agreements.iter().map(|a| self.renames.agreement(&a.value).to_owned());
        let agreements: Vec<String> = agreements.collect();
        let (shown, value) = any(agreements.clone(), agreements.into_iter().collect());
        f.add("agreements", shown, value);
        let origins = waiver.origins.iter().map(|party| self.renames.party(&party.value).to_owned());
        let origins: Vec<String> = origins.collect();
        let (shown, value) = any(origins.clone(), origins.into_iter().collect());
        f.add("origins", shown, value);
        // The more severe it accepts the higher; all are what is not limited.
        let all = Severity::ALL.len();
        let rank = |severity: Severity| all - Severity::ALL.iter().position(|s| *s == severity).unwrap_or(0);
        let accepted = waiver.severity.map_or(all, rank);
        f.add(
            "severity",
            waiver.severity.iter().map(ToString::to_string).collect(),
            Value::Rank(accepted as i128),
        );
        let in_force = i128::from(waiver.prospective != Some(true));
        f.add(
            "prospective",
            waiver.prospective.iter().map(ToString::to_string).collect(),
            Value::Rank(in_force),
        );
        let day = |date: Date| {
            i128::from(date.year()) * 10_000 + i128::from(date.month()) * 100 + i128::from(date.day())
        };
        let expires = waiver.expires.value;
        f.add("expires", vec![expires.to_string()], Value::Rank(day(expires)));
        f.text("approved_on", waiver.approved_on.map(|day| day.to_string()).as_deref());
        f.text("reason", Some(&waiver.reason));
        f.text("approved_by", Some(&waiver.approved_by));
        f.text("ticket", waiver.ticket.as_deref());
        f
    }
}
