//! Why a finding is one: at each step of its walk the declarations by which the data is
//! there and goes on, and the exceptions that do not hold.

use jiff::civil::Date;

use super::describe::Describe;
use super::hops::hop;
use super::{Judgement, Options, fingerprints, rule_facts};
use crate::audit::analysis::{On, RuleRef, Violation, Witness};
use crate::audit::checks::needing;
use crate::base::bits::LeafSet;
use crate::base::finding::Finding;
use crate::base::source::{Location, Sources, Span};
use crate::base::vocabulary::{Transform, Word};
use crate::declare::policy::{AnyOf, Body, FlowKeys, Reading};
use crate::declare::words::{self, Names};
use crate::model::load::World;
use crate::model::matching::Matching;
use crate::model::{self, FlowId, SystemId};

/// A finding with everything that it follows from.
#[derive(Debug)]
pub struct Derivation {
    /// The finding.
    pub finding: Finding,
    /// Step by step.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// What happens.
    pub what: String,
    /// Why.
    pub because: Vec<Reason>,
}

/// A reason, and the declaration that gives it.
#[derive(Debug)]
pub struct Reason {
    /// The reason.
    pub text: String,
    /// Where it is declared.
    pub location: Option<Location>,
}

/// The derivation of the finding with a fingerprint, of a judgement with these options.
pub fn derivation(
    world: &World,
    sources: &Sources,
    options: &Options,
    judgement: &Judgement,
    fingerprint: &str,
) -> Option<Derivation> {
    let at = fingerprints(world, judgement).iter().position(|known| known == fingerprint)?;
    let violation = judgement.violations.get(at)?;
    let day = options.scope.as_of.unwrap_or(options.day);
    let finding = Describe::new((world, sources, options), &options.binding, &[], &[]).finding(violation);
    let derive = Derive { world, sources, day, options, judgement };
    let steps = derive.steps(violation, &finding);
    Some(Derivation { finding, steps })
}

struct Derive<'w> {
    world: &'w World,
    sources: &'w Sources,
    day: Date,
    options: &'w Options,
    judgement: &'w Judgement,
}

impl Derive<'_> {
    fn names(&self) -> Names<'_> {
        Names { data: &self.world.model.data, purposes: &self.world.model.purposes }
    }

    fn reason(&self, text: String, span: Option<Span>) -> Reason {
        Reason { text, location: span.map(|span| self.sources.location(span)) }
    }

    fn body(&self, rule: RuleRef) -> Option<&Body> {
        self.world.rule(rule).map(|rule| rule.body())
    }

    fn steps(&self, violation: &Violation, finding: &Finding) -> Vec<Step> {
        let model = &self.world.model;
        let walks: Vec<&Witness> = violation.witnesses.iter().filter(|w| !w.walk.is_empty()).collect();
        let of_terms = finding.broken.what == crate::base::finding::BrokenWhat::Term;
        // Of walks that each prove the whole, one is enough.
        let shown = if of_terms { 1 } else { walks.len() };
        let at: &[SystemId] = match violation.on {
            On::System(ref system) => std::slice::from_ref(system),
            On::Party(party) => &model.parties[party].systems,
            _ => &[],
        };
        let mut steps: Vec<Step> = at
            .iter()
            .map(|&system| (system, self.own(system).and(&violation.data)))
            .filter(|(_, data)| !data.is_empty())
            .map(|(system, data)| self.start(system, &data))
            .collect();
        steps.extend(walks.iter().take(shown).flat_map(|witness| self.walk(violation, witness)));
        if walks.len() > shown {
            let others: Vec<String> = finding.agreements.iter().skip(1).map(|a| format!("`{a}`")).collect();
            steps.push(Step { what: format!("Likewise under {}.", others.join(", ")), because: Vec::new() });
        }
        steps.push(self.end(violation, finding));
        steps
    }

    /// What starts at a system, declared or assumed.
    fn own(&self, system: SystemId) -> LeafSet {
        let mut own = self.world.model.systems[system].originates.clone();
        if let Some(assumed) = self.judgement.assumed().at(system) {
            own.extend(assumed.row());
        }
        own
    }

    /// What of a place's declarations puts data there.
    fn start(&self, system: SystemId, data: &LeafSet) -> Step {
        let model = &self.world.model;
        let name = &model.systems[system].name;
        let touches = |key| model.data.leaves([&key]).intersects(data);
        let mut because: Vec<Reason> = Vec::new();
        for key in &model.systems[system].declared.originates {
            if touches(key.value) {
                let text = format!("it originates `{}`", model.data.name(key.value));
                because.push(self.reason(text, Some(key.span)));
            }
        }
        let assumed = self.judgement.assumed();
        for &(_, key) in assumed.pairs.iter().filter(|&&(at, key)| at == system && touches(key)) {
            let text = format!(
                "this needs `{}`, and no declaration says where it comes from: it is assumed to start here",
                model.data.name(key)
            );
            because.push(self.reason(text, Some(needing(model, system, key))));
        }
        Step { what: format!("{name} has {}", model.data.cover(data).join(", ")), because }
    }

    fn walk(&self, violation: &Violation, witness: &Witness) -> Vec<Step> {
        let model = &self.world.model;
        let Some((&first, last)) = witness.walk.first().zip(witness.walk.last()) else {
            return Vec::new();
        };
        let source = model.flows[first].from;
        let mut here = violation.data.and(&self.own(source));
        let mut steps = vec![self.start(source, &here)];
        // By which flow the data came under the agreement whose term is broken.
        let entered = match violation.rule {
            RuleRef::Check(_) => {
                let under = |&flow: &FlowId| {
                    model.flows[flow].agreement.is_some_and(|a| violation.agreements.contains(&a))
                };
                witness.walk.iter().rposition(under)
            }
            _ => None,
        };
        for (at, (&flow, leaves)) in witness.walk.iter().zip(&witness.leaves).enumerate() {
            let mut step = self.hop(flow, &here, leaves);
            if entered == Some(at)
                && let Some(agreement) = model.flows[flow].agreement
            {
                let text =
                    format!("here the data comes under the terms of `{}`", model.agreements[agreement].id());
                step.because.push(self.reason(text, Some(model.agreements[agreement].declared.id.span)));
            }
            if entered.is_some_and(|entered| at > entered) && model.flows[flow].transform != Transform::None {
                let text = format!(
                    "its transform, `{}`, is none that ends the terms",
                    model.flows[flow].transform.word()
                );
                step.because.push(self.reason(text, Some(model.flows[flow].span)));
            }
            self.exceptions(violation, flow, flow == *last, &mut step.because);
            steps.push(step);
            here = leaves.clone();
        }
        steps
    }

    /// Why a flow carries what it carries.
    fn hop(&self, id: FlowId, before: &LeafSet, carried: &LeafSet) -> Step {
        let model = &self.world.model;
        let flow = &model.flows[id];
        let leaves = |key| model.data.leaves([key]);
        let (from, to) = (&model.systems[flow.from], &model.systems[flow.to]);
        let mut because = Vec::new();
        let turned = carried.minus(before);
        for (at, derive) in from.declared.derives.iter().enumerate() {
            let into: Vec<&str> = derive
                .into
                .iter()
                .filter(|key| leaves(&key.value).intersects(&turned))
                .map(|key| model.data.name(key.value))
                .collect();
            if !into.is_empty() {
                let out_of: Vec<&str> = derive.from.iter().map(|key| model.data.name(key.value)).collect();
                let again = match from.reidentifying().contains(&at) {
                    true => ", which re-identifies it: no transform before exempts it",
                    false => "",
                };
                let (into, out_of) = (into.join("`, `"), out_of.join("`, `"));
                let text = format!("{} derives `{into}` from `{out_of}`{again}", from.name);
                because.push(self.reason(text, Some(derive.span)));
            }
        }
        if flow.declared.held {
            let text = format!("it carries whatever {} holds", from.name);
            because.push(self.reason(text, Some(flow.span)));
        }
        for key in &flow.declared.data {
            if leaves(&key.value).intersects(carried) {
                let text = format!("it carries `{}`", model.data.name(key.value));
                because.push(self.reason(text, Some(key.span)));
            }
        }
        if let Some(parties) = &flow.only_from {
            let names: Vec<&str> = parties.iter().map(|&p| model.parties[p].id()).collect();
            let text =
                format!("its `only_from` lets data of {} pass, or of an assumed origin", names.join(", "));
            because.push(self.reason(text, Some(flow.span)));
        }
        because.extend(self.disposal(id));
        let under =
            flow.agreement.map_or("no agreement".to_owned(), |a| format!("`{}`", model.agreements[a].id()));
        let when = (self.options.day, &self.options.scope);
        let marks = hop(model, self.sources, when, id, Vec::new()).marks();
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        let purposes: Vec<&str> = flow.purposes.iter().map(|&key| model.purposes.name(key)).collect();
        let purposes = if purposes.is_empty() { "no stated purpose".to_owned() } else { purposes.join(", ") };
        Step {
            what: format!(
                "{} → {} by {}, under {under}{marks}, for {purposes}: {}",
                from.name,
                to.name,
                flow.name,
                model.data.cover(carried).join(", ")
            ),
            because,
        }
    }

    /// That what a flow moved has been disposed of since.
    fn disposal(&self, id: FlowId) -> Option<Reason> {
        let model = &self.world.model;
        if self.judgement.counting.has(id) {
            return None;
        }
        let gone = model::gone(model, id, self.options.day, &self.options.scope)?;
        let text = format!(
            "what it moved was disposed of on {gone}; what {} passed on before that day is followed on",
            model.systems[model.flows[id].to].name
        );
        let stated = model::disposal(model, id).filter(|stated| stated.date == gone);
        Some(self.reason(text, Some(stated.map_or(model.flows[id].span, |stated| stated.span))))
    }

    /// The exceptions that were tried on a flow, and what of them does not hold.
    fn exceptions(&self, violation: &Violation, flow: FlowId, last: bool, because: &mut Vec<Reason>) {
        let none = AnyOf::default();
        let (through, arriving) = match self.body(violation.rule) {
            Some(Body::Forbid(forbid)) => (&forbid.through, &forbid.arriving),
            Some(Body::Limit(limit)) => (&limit.through, &none),
            _ => return,
        };
        let mut tried = vec![("through", through)];
        if last {
            tried.push(("arriving", arriving));
        }
        for (name, list) in tried {
            for matcher in &list.0 {
                let fails: Vec<String> = matcher
                    .conditions()
                    .into_iter()
                    .map(|condition| AnyOf(vec![condition]))
                    .filter(|condition: &AnyOf<FlowKeys>| !self.holds(condition, flow))
                    .map(|condition| words::flows(&condition, self.names()))
                    .collect();
                if !fails.is_empty() {
                    let text = format!(
                        "the exception `unless.{name}` does not hold: it would require that {}",
                        fails.join("; and that ")
                    );
                    because.push(self.reason(text, Some(matcher.span)));
                }
            }
        }
    }

    fn holds(&self, condition: &AnyOf<FlowKeys>, flow: FlowId) -> bool {
        Matching::new(&self.world.model, self.day).flow(condition, flow, Reading::Unlikely)
    }

    /// What the data must not be where it is, or what a declaration fails to say.
    fn end(&self, violation: &Violation, finding: &Finding) -> Step {
        let model = &self.world.model;
        let facts = rule_facts(self.world, violation.rule);
        let what = format!("This breaks {}: {}", facts.id, finding.message);
        let mut because = Vec::new();
        match self.body(violation.rule) {
            Some(Body::Forbid(forbid)) => {
                let to = words::place(&forbid.to, self.names());
                let span = forbid.to.span().unwrap_or(forbid.span);
                because.push(self.reason(format!("the rule forbids arrival at {to}"), Some(span)));
                if !finding.becomes.is_empty() {
                    let text = format!("what arrives is turned there into {}", finding.becomes.join(", "));
                    because.push(self.reason(text, None));
                }
            }
            Some(body) => {
                because.push(self.reason(words::violated(body, self.names()), facts.span));
            }
            None => {
                let at = finding.broken.location.clone();
                because.push(Reason { text: finding.broken.text.clone(), location: at });
            }
        }
        if violation.witnesses.iter().all(|w| w.walk.is_empty()) {
            let span = match violation.on {
                On::Flow(flow) => Some(model.flows[flow].span),
                On::Pair(source, _) => Some(model.systems[source].declared.id.span),
                _ => None,
            };
            let at = span.map(|span| self.sources.location(span)).or_else(|| finding.location.clone());
            because.push(Reason { text: "it is found here".to_owned(), location: at });
        }
        let lapsed = finding.lapsed.iter().map(|lapsed| Reason { text: lapsed.to_string(), location: None });
        because.extend(lapsed);
        if violation.consequent {
            because.push(self.reason("every way to it breaks the same rule earlier".to_owned(), None));
        }
        Step { what, because }
    }
}
