//! Words of the inventory that nothing reads: spelt wrong, of an earlier version, or the inventory's own.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::all_rules;
use super::notices::{Notices, each};
use crate::base::bits::LeafSet;
use crate::base::diagnostic::nearest;
use crate::base::duration::Duration;
use crate::base::lexicon::{Lexicon, Sort};
use crate::base::sets::GlobSet;
use crate::base::source::Span;
use crate::declare::inventory::{Assurance, Meta};
use crate::declare::lexicon::lexicon;
use crate::declare::policy::{
    AgreementKeys, AgreementRef, AnyOf, Attested, Body, FlowKeys, Labels, Most, Must, Operator, PlaceKeys,
    Subjects,
};
use crate::model::load::World;

/// The words that matchers and requirements of some rules name.
#[derive(Default)]
pub struct NamedWords {
    words: FxHashSet<(Sort, String)>,
    bases: Vec<GlobSet>,
    labels: BTreeMap<String, Vec<GlobSet>>,
    /// How old an assurance may be.
    ages: Vec<Duration>,
}

/// How old assurances may be by any rule in force.
pub fn ages(world: &World) -> Vec<Duration> {
    let mut named = NamedWords::default();
    all_rules(world).into_iter().for_each(|(_, body)| named.rule(body));
    named.ages
}

impl NamedWords {
    /// Adds those of a rule.
    pub fn rule(&mut self, body: &Body) {
        match body {
            Body::Forbid(rule) => {
                self.places(&rule.from);
                self.places(&rule.to);
                self.flows(&rule.through);
                self.flows(&rule.arriving);
            }
            Body::Limit(rule) => {
                self.places(&rule.at);
                self.flows(&rule.through);
            }
            Body::Require(rule) => {
                match &rule.on {
                    Subjects::Agreements(like) => each(like, &mut |keys| self.agreement(keys)),
                    Subjects::Flows(like) => self.flows(like),
                    Subjects::Systems(like) | Subjects::Parties(like) => self.places(like),
                }
                rule.must.iter().for_each(|must| self.must(must));
            }
        }
    }

    fn add(&mut self, sort: Sort, words: &[String]) {
        self.words.extend(words.iter().map(|word| (sort, word.clone())));
    }

    fn labels(&mut self, labels: &Labels) {
        for (name, values) in labels {
            self.labels.entry(name.clone()).or_default().push(values.clone());
        }
    }

    fn places(&mut self, list: &AnyOf<PlaceKeys>) {
        each(list, &mut |keys: &PlaceKeys| {
            self.add(Sort::Tag, &keys.tag);
            self.labels(&keys.label);
        });
    }

    fn flows(&mut self, list: &AnyOf<FlowKeys>) {
        each(list, &mut |keys: &FlowKeys| {
            self.add(Sort::Tag, &keys.tag);
            self.add(Sort::Safeguard, &keys.safeguards);
            self.labels(&keys.label);
            self.places(&keys.from);
            self.places(&keys.to);
            for agreement in &keys.agreement {
                if let AgreementRef::Like(like) = agreement {
                    each(&AnyOf(vec![(**like).clone()]), &mut |keys| self.agreement(keys));
                }
            }
        });
    }

    fn assurances(&mut self, wanted: &[Attested]) {
        self.words.extend(wanted.iter().map(|one| (Sort::Assurance, one.id.clone())));
        self.ages.extend(wanted.iter().filter_map(|one| one.at_most));
    }

    fn agreement(&mut self, keys: &AgreementKeys) {
        self.assurances(&keys.assurance);
        if !keys.legal_basis.is_empty() {
            self.bases.push(keys.legal_basis.0.clone());
        }
        self.labels(&keys.label);
    }

    fn must(&mut self, must: &Must) {
        let path = must.field.path.value.as_str();
        if let Some(name) = path.strip_prefix("labels.") {
            self.labels.entry(name.to_owned()).or_default();
        }
        let sort = match path {
            "safeguards" | "terms.safeguards" => Some(Sort::Safeguard),
            "tags" => Some(Sort::Tag),
            "assurances" => Some(Sort::Assurance),
            "legal_basis" => Some(Sort::LegalBasis),
            _ => None,
        };
        for operator in &must.operators {
            match operator {
                Operator::Attests(wanted) => {
                    self.assurances(wanted);
                }
                Operator::In(named) | Operator::Includes(named) => {
                    sort.into_iter().for_each(|sort| self.add(sort, named));
                }
                _ => {}
            }
        }
    }

    /// All words with their sorts, of legal bases the globs.
    #[cfg(test)]
    fn all(&self) -> impl Iterator<Item = (Sort, &str)> {
        let bases =
            self.bases.iter().flat_map(|globs| globs.iter().map(|glob| (Sort::LegalBasis, glob.as_str())));
        let labels = self.labels.keys().map(|name| (Sort::Label, name.as_str()));
        self.words.iter().map(|(sort, word)| (*sort, word.as_str())).chain(bases).chain(labels)
    }

    /// The values that are asked of a label, as globs.
    #[cfg(test)]
    fn values(&self, label: &str) -> impl Iterator<Item = &str> {
        let globs = self.labels.get(label).into_iter().flatten();
        globs.flat_map(|globs| globs.iter().map(crate::base::glob::Glob::as_str))
    }

    fn has(&self, sort: Sort, word: &str) -> bool {
        match sort {
            Sort::Label => self.labels.contains_key(word),
            Sort::LegalBasis if self.bases.iter().any(|globs| globs.matches(word)) => true,
            _ => self.words.contains(&(sort, word.to_owned())),
        }
    }
}

/// Where a word stands.
#[derive(Default)]
struct Uses {
    span: Option<Span>,
    by: Vec<String>,
}

/// The words that an inventory uses, by sort.
#[derive(Default)]
struct Used<'w> {
    words: BTreeMap<(Sort, &'w str), Uses>,
    values: BTreeMap<(&'w str, &'w str), Uses>,
    /// Lists that many flows share and of which every word is known.
    fine: FxHashMap<(Sort, *const String), bool>,
}

impl<'w> Used<'w> {
    fn add(&mut self, sort: Sort, word: &'w str, by: &str, span: Span) {
        let uses = self.words.entry((sort, word)).or_default();
        uses.span.get_or_insert(span);
        uses.by.push(by.to_owned());
    }

    fn labels(&mut self, meta: &'w Meta, by: &str, span: Span) {
        for (name, value) in &meta.labels {
            self.add(Sort::Label, name, by, span);
            let uses = self.values.entry((name, value)).or_default();
            uses.span.get_or_insert(span);
            uses.by.push(by.to_owned());
        }
    }

    fn assurances(&mut self, list: &'w [Assurance], by: &str) {
        for assurance in list {
            self.add(Sort::Assurance, &assurance.id.value, by, assurance.id.span);
        }
    }
}

/// Notices of words that neither a policy in force nor the vocabulary knows, of older words, and of
/// categories of the inventory's own at which no rule looks.
pub fn words(all: &mut Notices, world: &World) {
    let known = lexicon();
    let mut named = NamedWords::default();
    all_rules(world).into_iter().for_each(|(_, body)| named.rule(body));
    let used = used(world, &known, &named);
    for ((sort, word), uses) in used.words {
        if known.find(sort, word).is_some() {
            continue;
        }
        let what = sort.what();
        let older = known.for_older(sort, word);
        if !older.is_empty() {
            let right = older.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let which = if older.len() == 1 { "write that" } else { "write those that are meant" };
            let message = format!("the {what} `{word}` is read as {right}: {which}");
            all.several("older-word", message, uses.by, uses.span);
        } else if !named.has(sort, word) {
            let near = nearest(word, known.of(sort).map(|term| term.word.as_str()));
            let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
            let message = format!("no policy in force, and no built-in one, knows the {what} `{word}`{near}");
            all.several("unknown-vocabulary", message, uses.by, uses.span);
        }
    }
    for ((name, value), uses) in used.values {
        let Some(term) = known.find(Sort::Label, name).filter(|term| !term.values.is_empty()) else {
            continue;
        };
        let is_value = |one: &String| {
            value.strip_prefix(one.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        let asked = named
            .labels
            .get(name)
            .into_iter()
            .flatten()
            .any(|globs| globs.matches(value) && globs.iter().any(|glob| glob.as_str() != "*"));
        if !term.values.iter().any(is_value) && !asked {
            let values = term.values.join(", ");
            let message = format!("`{value}` is no value of the label `{name}` (known: {values})");
            all.several("unknown-vocabulary", message, uses.by, uses.span);
        }
    }
    own_categories(all, world);
}

fn used<'w>(world: &'w World, known: &Lexicon, named: &NamedWords) -> Used<'w> {
    let model = &world.model;
    let mut used = Used::default();
    for party in model.parties.values() {
        used.labels(&party.declared.meta, party.id(), party.declared.id.span);
    }
    for system in model.systems.ids().filter(|&id| !model.is_ghost(id)).map(|id| &model.systems[id]) {
        used.labels(&system.declared.meta, &system.name, system.declared.id.span);
    }
    for agreement in model.agreements.values() {
        let (declared, span) = (&agreement.declared, agreement.declared.id.span);
        let id = agreement.id();
        used.labels(&declared.meta, id, span);
        used.assurances(&declared.assurances, id);
        declared.legal_basis.iter().for_each(|basis| used.add(Sort::LegalBasis, basis, id, span));
        let safeguards = declared.terms.safeguards.iter();
        safeguards.for_each(|word| used.add(Sort::Safeguard, &word.value, id, word.span));
    }
    for flow in model.flows.values() {
        let (declared, name) = (&flow.declared, flow.name.as_str());
        used.labels(&declared.meta, name, flow.span);
        used.assurances(declared.assurances(), name);
        let own = if flow.states.legal_basis { &flow.legal_basis[..] } else { &[] };
        for (sort, list) in [(Sort::Safeguard, &declared.safeguards[..]), (Sort::LegalBasis, own)] {
            // Flows by the thousand share one list, mostly of words that are known.
            let fine = |list: &[String]| {
                list.iter().all(|word| known.find(sort, word).is_some() || named.has(sort, word))
            };
            if *used.fine.entry((sort, list.as_ptr())).or_insert_with(|| fine(list)) {
                continue;
            }
            list.iter().for_each(|word| used.add(sort, word, name, flow.span));
        }
        if let Some(terms) = flow.own_terms.as_ref() {
            let safeguards = terms.safeguards.iter();
            safeguards.for_each(|word| used.add(Sort::Safeguard, &word.value, name, word.span));
        }
    }
    used
}

/// Categories that the inventory adds and that no rule names, neither them nor what is above or below.
fn own_categories(all: &mut Notices, world: &World) {
    let tree = &world.model.data;
    let mut looked_at = LeafSet::empty(tree.leaf_count());
    let mut any = false;
    for (_, body) in all_rules(world) {
        let keys: Vec<_> = match body {
            Body::Forbid(rule) => rule.data.iter().map(|key| key.value).collect(),
            Body::Limit(rule) => {
                let (Most::Together { of: keys, .. } | Most::Origins { data: keys, .. }) = &rule.most;
                keys.iter().map(|key| key.value).collect()
            }
            Body::Require(_) => continue,
        };
        any |= keys.is_empty();
        looked_at.extend(tree.leaves(&keys).row());
    }
    let mut told: Vec<crate::base::taxonomy::Key> = Vec::new();
    for (key, entry) in tree.entries() {
        let Some(span) = entry.declared.span else {
            continue;
        };
        if told.iter().any(|&above| tree.at_or_below(key, above))
            || tree.leaves(&[key]).intersects(&looked_at)
        {
            continue;
        }
        told.push(key);
        let only = if any { "only rules on any data look at it" } else { "no rule looks at it" };
        let message = format!("no rule's `data` names `{}` or anything above it: {only}", tree.name(key));
        all.add("category-not-looked-at", message, Some(span));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::base::glob::Glob;
    use crate::declare::packs;
    use crate::model::load::{Request, load};

    #[test]
    fn packs_use_words_of_the_vocabulary_and_each_word_has_a_reader() {
        let known = lexicon();
        let mut read: FxHashSet<(Sort, String)> = FxHashSet::default();
        let mut wrong = Vec::new();
        for pack in packs::names() {
            let request = Request { policies: vec![pack.to_owned()], ..Request::default() };
            let world = load(&request, &mut crate::base::source::Sources::new()).unwrap();
            let mut named = NamedWords::default();
            all_rules(&world).into_iter().for_each(|(_, body)| named.rule(body));
            for (sort, word) in named.all() {
                let glob = Glob::new(word);
                let terms: Vec<_> = known
                    .of(sort)
                    .filter(|term| {
                        term.is(word)
                            || glob.matches(&term.word)
                            || glob.matches(term.word.trim_end_matches('*'))
                    })
                    .collect();
                if terms.is_empty() {
                    wrong.push(format!("{pack}: the {} `{word}` is not in the vocabulary", sort.what()));
                }
                for term in terms {
                    read.insert((sort, term.word.clone()));
                    // A basis names its law, whoever accepts it; house rules read what laws do.
                    let other = sort != Sort::LegalBasis && pack != "core";
                    if other && !term.laws.iter().any(|law| law == pack) {
                        wrong.push(format!(
                            "{pack} reads {} `{}`, whose `laws` do not say so",
                            sort.what(),
                            term.word
                        ));
                    }
                    for value in named.values(word).filter(|_| sort == Sort::Label && !term.values.is_empty())
                    {
                        let glob = Glob::new(value);
                        if !term.values.iter().any(|known| glob.matches(known)) {
                            wrong.push(format!("{pack}: `{value}` is no value of the label `{word}`"));
                        }
                    }
                }
            }
        }
        for (sort, term) in &known.0 {
            if !term.laws.is_empty() && !read.contains(&(*sort, term.word.clone())) {
                wrong.push(format!("no pack reads the {} `{}`", sort.what(), term.word));
            }
        }
        wrong.sort();
        wrong.dedup();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
