//! What must not pass in silence, though it is no finding.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::analysis::RuleRef;
use super::evaluate::Judgement;
use super::words::words;
use super::{all_rules, idle, rule_facts};
use crate::base::finding::Notice;
use crate::base::source::{FileId, Sources, Span};
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::Kind;
use crate::declare::policy::{
    AgreementKeys, AnyOf, Body, FlowKeys, Matcher, Most, PlaceKeys, Subjects, covering, kept_by_all,
};
use crate::model::load::World;
use crate::model::{self, Agreement, Flow, FlowId, SystemId};
use crate::read::decode::Spanned;

/// All notices of a judgement.
pub fn notices(
    world: &World,
    sources: &Sources,
    judgement: &Judgement,
    overlooked: Vec<(RuleRef, BTreeSet<String>)>,
) -> Vec<Notice> {
    let packs = world.policies.iter().filter(|policy| idle::is_built_in(policy, sources));
    let built_in = packs.map(|policy| policy.id.span.file).collect();
    let mut all = Notices { sources, built_in, list: Vec::new() };
    idle::rules(&mut all, world, sources, judgement);
    for policy in world.policies.iter().filter(|p| p.rules.is_empty()) {
        all.add(
            "policy-without-rules",
            format!("the policy `{}` has no rules", policy.id.value),
            Some(policy.id.span),
        );
    }
    for (rule, body) in all_rules(world) {
        let facts = rule_facts(world, rule);
        let (id, span) = (&facts.id, facts.span);
        match body {
            Body::Forbid(forbid) => {
                let covering = covering(forbid, &world.model.data, &world.model.purposes);
                if let Some((exception, because)) = covering {
                    let message = format!(
                        "every chain of flows matches an exception of `{id}` ({because}): the rule can \
                         only find data at the system where it starts"
                    );
                    all.add("exception-covers-rule", message, Some(exception));
                }
            }
            Body::Require(require) if kept_by_all(require) => {
                let message = format!("`{id}` asks what every declaration says: it never finds anything");
                all.add("rule-never-fails", message, span);
            }
            Body::Require(_) | Body::Limit(_) => {}
        }
    }
    for (&system, numbers) in &judgement.reidentifying.done {
        let system = &world.model.systems[system];
        for derive in numbers.iter().filter_map(|&at| system.declared.derives.get(at)) {
            let names = |keys: &[Spanned<Key>]| {
                let names = keys.iter().map(|key| format!("`{}`", world.model.data.name(key.value)));
                names.collect::<Vec<_>>().join(", ")
            };
            let message = format!(
                "{} makes {} of data that came to it transformed ({}): what it makes is read as if nothing had \
                 been transformed; if it singles nobody out, say `reidentifies: false`",
                system.name,
                names(&derive.into),
                names(&derive.from)
            );
            all.add("data-reidentified", message, Some(derive.span));
        }
    }
    for (rule, places) in overlooked {
        let facts = rule_facts(world, rule);
        let message = format!(
            "`{}` asks for a role, region or jurisdiction that {} not state, so it did not look at {}",
            facts.id,
            if places.len() == 1 { "1 place does".to_owned() } else { format!("{} places do", places.len()) },
            if places.len() == 1 { "it" } else { "them" },
        );
        all.several("places-not-looked-at", message, places.into_iter().collect(), facts.span);
    }
    if world.policies.is_empty() {
        all.add(
            "no-policy",
            "no policy is applied: only the agreements' own terms and the promises are checked".to_owned(),
            None,
        );
    }
    let counting: Vec<FlowId> = judgement.counting.iter().collect();
    if counting.is_empty() {
        all.add("empty-inventory", "no flow is in scope: nothing was audited".to_owned(), None);
    }
    unused_keys(&mut all, world);
    words(&mut all, world);
    assumptions(&mut all, world, &counting);
    all.list
}

pub(super) struct Notices<'s> {
    sources: &'s Sources,
    built_in: FxHashSet<FileId>,
    list: Vec<Notice>,
}

impl Notices<'_> {
    pub(super) fn add(&mut self, code: &str, message: String, span: Option<Span>) {
        self.several(code, message, Vec::new(), span);
    }

    pub(super) fn several(&mut self, code: &str, message: String, subjects: Vec<String>, span: Option<Span>) {
        // What comes with the program lies at no path that the reader has.
        let own = span.filter(|span| !self.built_in.contains(&span.file));
        let location = own.map(|span| self.sources.location(span));
        self.list.push(Notice { code: code.to_owned(), message, subjects, location });
    }
}

/// What the program assumed where a declaration says nothing.
fn assumptions(all: &mut Notices, world: &World, counting: &[FlowId]) {
    let model = &world.model;
    let mut flows = |code: &str, what: &str, is: &(dyn Fn(FlowId) -> bool + Sync)| {
        let concerned: Vec<FlowId> = counting.par_iter().copied().filter(|&f| is(f)).collect();
        let Some(&first) = concerned.first() else {
            return;
        };
        let names = concerned.iter().map(|&f| model.flows[f].name.clone()).collect();
        let count = match concerned.len() {
            1 => "1 flow".to_owned(),
            n => format!("{n} flows"),
        };
        all.several(code, format!("{count}: {what}"), names, Some(model.flows[first].span));
    };
    flows(
        "assumed-retention",
        "neither the flow nor the receiving system states a retention; assumed to be unlimited",
        &|f| model.flows[f].retention.is_none(),
    );
    flows("assumed-purposes", "no purposes are stated; assumed to be those of the receiving system", &|f| {
        !model.flows[f].states.purposes
    });
    flows("terms-without-agreement", "terms are stated without an agreement; they are not checked", &|f| {
        model.flows[f].agreement.is_none() && model.flows[f].own_terms.is_some()
    });
    let never = |&id: &FlowId| {
        let gone = model::disposal(model, id).map(|gone| gone.date);
        model::begins(model, id).is_some_and(|from| {
            gone.is_some_and(|gone| gone <= from)
                || model::kept_until(model, id).is_some_and(|last| last < from)
        })
    };
    let never: Vec<FlowId> = model.flows.ids().filter(never).collect();
    if let Some(&first) = never.first() {
        all.several(
            "flow-never-counts",
            "with `--as-of` flows count on no day: what they bring is gone before they begin".to_owned(),
            never.iter().map(|&flow| model.flows[flow].name.clone()).collect(),
            Some(model.flows[first].span),
        );
    }
    let alone = |&id: &SystemId| {
        let system = &model.systems[id];
        let processes = |agreement: &Agreement| {
            let (providers, parties) = (&agreement.providers, &agreement.parties);
            agreement.kind == Kind::Processing
                && providers.contains(&system.origin)
                && parties.contains(&system.party)
        };
        system.origin != system.party && !model.agreements.values().any(processes)
    };
    let alone: Vec<SystemId> = model.systems.ids().filter(alone).collect();
    if let Some(&first) = alone.first() {
        all.several(
            "controller-without-agreement",
            "the controller of these systems has no processing agreement with the party that runs them; their \
             data still counts as the controller's"
                .to_owned(),
            alone.iter().map(|&id| model.systems[id].name.clone()).collect(),
            Some(model.systems[first].declared.id.span),
        );
    }
    let by_first: Vec<_> = model
        .agreements
        .values()
        .filter(|a| a.kind == Kind::Processing && a.declared.provider.is_empty())
        .collect();
    if let Some(first) = by_first.first() {
        all.several(
            "assumed-provider",
            "processing agreements without a `provider`; their first party is assumed to be the provider"
                .to_owned(),
            by_first.iter().map(|a| a.id().to_owned()).collect(),
            Some(first.declared.id.span),
        );
    }
}

/// Keys that the inventory adds and nothing uses: neither they, nor what is above
/// or below them, is named anywhere.
fn unused_keys(all: &mut Notices, world: &World) {
    let model = &world.model;
    let mut named = Named::default();
    for system in model.systems.values() {
        named.purposes.extend(&system.purposes);
        named.data.extend(system.declared.originates.iter().map(|k| k.value));
        let derives = system.declared.derives.iter();
        named.data.extend(derives.flat_map(|d| d.from.iter().chain(&d.into)).map(|k| k.value));
    }
    let flows = model.flows.values().as_slice().par_chunks(1 << 12).map(|flows| {
        let mut named = Named::default();
        flows.iter().for_each(|flow| {
            named.data.extend(flow.declared.data.iter().map(|k| k.value));
            named.purposes.extend(&flow.purposes);
        });
        // Most share the terms of their neighbours.
        flows
            .chunk_by(|a, b| Arc::ptr_eq(&a.terms, &b.terms))
            .filter_map(<[Flow]>::first)
            .for_each(|flow| named.terms(&flow.terms));
        named
    });
    let flows = flows.reduce(Named::default, Named::and);
    named = named.and(flows);
    model.agreements.values().for_each(|a| named.terms(&a.declared.terms));
    let accepted = model.waivers.iter().flat_map(|w| w.data.iter().chain(&w.arrives_as));
    named.data.extend(accepted.map(|key| key.value));
    super::all_rules(world).into_iter().for_each(|(_, body)| named.rule(&model.data, body));
    for (tree, used, what) in
        [(&model.data, named.data, "data category"), (&model.purposes, named.purposes, "purpose")]
    {
        let touched = tree.touched(&used);
        for ((_, entry), touched) in tree.entries().zip(touched) {
            let Some(span) = entry.declared.span else {
                continue;
            };
            if !touched {
                let message = format!("the {what} `{}` is declared but not used", entry.declared.key);
                all.add("unused-taxonomy-key", message, Some(span));
            }
        }
    }
}

#[derive(Default)]
struct Named {
    data: FxHashSet<Key>,
    purposes: FxHashSet<Key>,
}

impl Named {
    fn and(mut self, other: Named) -> Named {
        self.data.extend(other.data);
        self.purposes.extend(other.purposes);
        self
    }

    fn terms(&mut self, terms: &crate::declare::inventory::Terms) {
        self.purposes.extend(terms.purposes.iter().flatten().map(|k| k.value));
        self.purposes.extend(terms.prohibited_purposes.iter().map(|k| k.value));
        for allowed in &terms.onward_to {
            self.data.extend(allowed.data.iter().map(|k| k.value));
            self.purposes.extend(allowed.purposes.iter().map(|k| k.value));
        }
    }

    fn rule(&mut self, tree: &Tree, body: &Body) {
        match body {
            Body::Forbid(rule) => {
                self.data.extend(rule.data.iter().map(|k| k.value));
                self.places(&rule.from);
                self.places(&rule.to);
                self.flows(tree, &rule.through);
                self.flows(tree, &rule.arriving);
            }
            Body::Limit(rule) => {
                let (Most::Together { of: keys, .. } | Most::Origins { data: keys, .. }) = &rule.most;
                self.data.extend(keys.iter().map(|k| k.value));
                self.places(&rule.at);
                self.flows(tree, &rule.through);
            }
            Body::Require(rule) => match &rule.on {
                Subjects::Agreements(like) => {
                    each(like, &mut |keys: &AgreementKeys| self.leaves(tree, keys.data.as_ref()))
                }
                Subjects::Flows(like) => self.flows(tree, like),
                Subjects::Systems(like) | Subjects::Parties(like) => self.places(like),
            },
        }
    }

    fn leaves(&mut self, tree: &Tree, leaves: Option<&crate::base::bits::LeafSet>) {
        self.data.extend(leaves.into_iter().flat_map(|l| l.iter()).map(|leaf| tree.leaf_key(leaf)));
    }

    fn places(&mut self, list: &AnyOf<PlaceKeys>) {
        each(list, &mut |keys: &PlaceKeys| self.purposes.extend(keys.purpose.iter()));
    }

    fn flows(&mut self, tree: &Tree, list: &AnyOf<FlowKeys>) {
        each(list, &mut |keys: &FlowKeys| {
            self.purposes.extend(keys.purpose.iter());
            self.leaves(tree, keys.data.as_ref());
            self.places(&keys.from);
            self.places(&keys.to);
        });
    }
}

/// Visits the keys of all matchers, nested ones included.
pub(super) fn each<K>(list: &AnyOf<K>, visit: &mut impl FnMut(&K)) {
    let mut matchers: Vec<&Matcher<K>> = list.0.iter().collect();
    while let Some(matcher) = matchers.pop() {
        visit(&matcher.keys);
        matchers.extend(matcher.any.iter().chain(&matcher.not));
    }
}
