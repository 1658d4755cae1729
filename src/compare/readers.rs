//! Which rules, promises and waivers look at a key, or can tell two ids apart.

use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use crate::base::sets::GlobSet;
use crate::declare::fields::Declaration;
use crate::declare::policy::{
    AgreementKeys, AgreementRef, AnyOf, Body, FlowKeys, Matcher, Must, Operator, PlaceKeys, Subjects,
};
use crate::model::load::World;

/// What judges both states, as far as it reads ids or asks for fields.
#[derive(Default)]
pub struct Readers {
    /// Each question of an id, with who asks it.
    questions: Vec<(Named, Question, String)>,
    /// By declaration and field: the rules that ask for it.
    asked: BTreeMap<(Declaration, String), BTreeSet<String>>,
    /// By what is renamed in the base: the names of what is declared within it.
    within: BTreeMap<(Declaration, String), Vec<String>>,
}

/// Whose id a question is about. Systems and flows go by their full ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Party,
    System,
    /// A system by its id within the party.
    Local,
    Agreement,
    Flow,
    /// Whatever a finding may be about.
    Any,
}

/// What is asked of an id.
enum Question {
    Globs(GlobSet),
    OneOf(BTreeSet<String>),
    Regex(regex_lite::Regex),
}

impl Question {
    fn holds(&self, id: &str) -> bool {
        match self {
            Question::Globs(globs) => globs.matches(id),
            Question::OneOf(names) => names.contains(id),
            Question::Regex(regex) => regex.is_match(id),
        }
    }
}

impl Readers {
    /// Those of the world that is judged.
    pub fn of(world: &World, base: &Side) -> Self {
        let mut all = Readers::default();
        if !base.renames.is_empty() {
            let model = &base.world.model;
            let parties = model.parties.values().map(|party| {
                let systems = party.systems.iter().map(|&system| model.systems[system].name.clone());
                ((Declaration::Party, party.id().to_owned()), systems.collect())
            });
            let agreements = model.agreements.values().map(|agreement| {
                let flows = agreement.flows.iter().map(|&flow| model.flows[flow].name.clone());
                ((Declaration::Agreement, agreement.id().to_owned()), flows.collect())
            });
            all.within = parties.chain(agreements).collect();
        }
        for rule in world.rules() {
            all.body(rule.body(), &rule.id());
        }
        for waiver in &world.model.waivers {
            let who = format!("the waiver of {}", super::edits::waives(waiver));
            for (of, glob) in [
                (Named::Any, &waiver.source),
                (Named::Any, &waiver.sink),
                (Named::Flow, &waiver.flow),
                (Named::Any, &waiver.subject),
            ] {
                let question =
                    glob.iter().map(|glob| (of, Question::Globs(GlobSet::new([glob.clone()])), who.clone()));
                all.questions.extend(question);
            }
            if !waiver.agreements.is_empty() {
                let names = waiver.agreements.iter().map(|a| a.value.clone()).collect();
                all.questions.push((Named::Agreement, Question::OneOf(names), who.clone()));
            }
            if !waiver.origins.is_empty() {
                let names = waiver.origins.iter().map(|party| party.value.clone()).collect();
                all.questions.push((Named::Party, Question::OneOf(names), who));
            }
        }
        all
    }

    /// The rules that ask for a key of a declaration by `require`.
    pub fn asking(&self, of: Declaration, key: &str) -> Vec<String> {
        let within = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.'));
        let asked = self
            .asked
            .iter()
            .filter(|((sort, field), _)| *sort == of && (within(field, key) || within(key, field)));
        asked.flat_map(|(_, rules)| rules).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What can tell a declaration under its new id from what it was called in the base.
    pub fn telling(&self, of: Declaration, old: &str, new: &str) -> Vec<String> {
        let mut names = vec![(of, old.to_owned(), new.to_owned())];
        // What is within it is called by its id, too.
        let inner = if of == Declaration::Party { Declaration::System } else { Declaration::Flow };
        let within = self.within.get(&(of, old.to_owned())).into_iter().flatten();
        names.extend(within.map(|name| {
            let follows = [new, name.strip_prefix(old).unwrap_or_default()].concat();
            (inner, name.clone(), follows)
        }));
        let tells = |(named, question, _): &&(Named, Question, String)| {
            names.iter().any(|(of, old, new)| match (named, of) {
                (Named::Any, _)
                | (Named::Party, Declaration::Party)
                | (Named::System, Declaration::System)
                | (Named::Agreement, Declaration::Agreement)
                | (Named::Flow, Declaration::Flow) => question.holds(old) != question.holds(new),
                (Named::Local, Declaration::System) => {
                    let local = |name: &str| name.split_once('/').map_or(name, |(_, id)| id).to_owned();
                    question.holds(&local(old)) != question.holds(&local(new))
                }
                _ => false,
            })
        };
        let rules = self.questions.iter().filter(tells).map(|(_, _, who)| who.clone());
        rules.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn body(&mut self, body: &Body, who: &str) {
        match body {
            Body::Forbid(forbid) => {
                self.places(&forbid.from, who);
                self.places(&forbid.to, who);
                self.flows(&forbid.through, who);
                self.flows(&forbid.arriving, who);
            }
            Body::Limit(limit) => {
                self.places(&limit.at, who);
                self.flows(&limit.through, who);
            }
            Body::Require(require) => {
                let of = match &require.on {
                    Subjects::Agreements(list) => {
                        self.agreements(list, who);
                        Declaration::Agreement
                    }
                    Subjects::Flows(list) => {
                        self.flows(list, who);
                        Declaration::Flow
                    }
                    Subjects::Systems(list) => {
                        self.places(list, who);
                        Declaration::System
                    }
                    Subjects::Parties(list) => {
                        self.places(list, who);
                        Declaration::Party
                    }
                };
                require.must.iter().for_each(|must| self.must(of, must, who));
            }
        }
    }

    fn must(&mut self, of: Declaration, must: &Must, who: &str) {
        let path = must.field.path.value.as_str();
        self.asked.entry((of, path.to_owned())).or_default().insert(who.to_owned());
        let Some(named) = named(of, path) else {
            return;
        };
        for operator in &must.operators {
            let question = match operator {
                Operator::In(list) | Operator::Includes(list) => {
                    Question::OneOf(list.iter().cloned().collect())
                }
                Operator::Matches(_, regex) => Question::Regex((**regex).clone()),
                Operator::Present(_)
                | Operator::Within(_)
                | Operator::Under(_)
                | Operator::AtMost(_)
                | Operator::AtLeast(_)
                | Operator::Attests(_) => continue,
            };
            self.questions.push((named, question, who.to_owned()));
        }
    }

    fn places(&mut self, list: &AnyOf<PlaceKeys>, who: &str) {
        all(&list.0, &mut |keys: &PlaceKeys| {
            self.globs(Named::Party, &keys.party, who);
            self.globs(Named::System, &keys.system, who);
        });
    }

    fn flows(&mut self, list: &AnyOf<FlowKeys>, who: &str) {
        all(&list.0, &mut |keys: &FlowKeys| {
            self.places(&keys.from, who);
            self.places(&keys.to, who);
            for agreement in &keys.agreement {
                if let AgreementRef::Like(matcher) = agreement {
                    self.agreement(matcher, who);
                }
            }
        });
    }

    fn agreements(&mut self, list: &AnyOf<AgreementKeys>, who: &str) {
        list.0.iter().for_each(|matcher| self.agreement(matcher, who));
    }

    fn agreement(&mut self, matcher: &Matcher<AgreementKeys>, who: &str) {
        all(std::slice::from_ref(matcher), &mut |keys: &AgreementKeys| {
            self.globs(Named::Agreement, &keys.id, who);
            self.globs(Named::Party, &keys.party, who);
        });
    }

    fn globs(&mut self, of: Named, globs: &GlobSet, who: &str) {
        if !globs.is_empty() {
            self.questions.push((of, Question::Globs(globs.clone()), who.to_owned()));
        }
    }
}

/// All keys of matchers, however deep they stand.
fn all<K>(list: &[Matcher<K>], each: &mut impl FnMut(&K)) {
    for matcher in list {
        each(&matcher.keys);
        all(&matcher.any, each);
        all(&matcher.not, each);
    }
}

/// Whose ids the values of a field are.
fn named(of: Declaration, path: &str) -> Option<Named> {
    Some(match (of, path) {
        (
            _,
            "provider" | "parties" | "only_from" | "affiliate_of" | "party" | "terms.onward_to"
            | "controller",
        )
        | (Declaration::Party, "id") => Named::Party,
        (Declaration::Flow, "from" | "to") => Named::System,
        (Declaration::System, "id") | (Declaration::Party, "systems") => Named::Local,
        (Declaration::Flow, "agreement") | (Declaration::Agreement, "id") => Named::Agreement,
        (Declaration::Flow, "id") => Named::Flow,
        _ => return None,
    })
}
