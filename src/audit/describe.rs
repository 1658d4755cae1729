//! From violations in terms of the model to findings in words, with places.

use std::borrow::Cow;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::Options;
use super::claims;
use super::fingerprint::fingerprint;
use super::hops::{Told, When, hops};
use super::lapsed::lapsed;
use super::{RuleFacts, rule_facts};
use crate::audit::analysis::{Claimant, On, Relied, ReliedRule, RuleRef, Violation};
use crate::audit::checks;
use crate::audit::promises::Open;
use crate::base::bits::LeafSet;
use crate::base::finding::{
    Broken, BrokenWhat, Chain, Finding, FindingStatus, Gap, Place, Reidentified, Reliance, Walk,
};
use crate::base::source::{Location, Sources};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{BuiltIn, Onward, PolicyStatus, Status, Word};
use crate::declare::inventory::Terms;
use crate::declare::policy::Body;
use crate::flow::propagate;
use crate::model::load::World;
use crate::model::{FlowId, Model, SystemId};
use crate::read::decode::Spanned;

/// What describing needs.
pub struct Describe<'a> {
    /// The world.
    pub world: &'a World,
    /// Its texts.
    pub sources: &'a Sources,
    /// The day on which assurances hold or not.
    day: Date,
    /// The standings of policies whose findings bind.
    pub binding: &'a [PolicyStatus],
    /// What there is to say of the rules that were broken or kept.
    facts: FxHashMap<RuleRef, RuleFacts>,
    /// What the violations show.
    told: Told<'a>,
}

impl<'a> Describe<'a> {
    /// Looks up what an outcome names again and again.
    pub fn new(
        (world, sources, options): (&'a World, &'a Sources, &'a Options),
        binding: &'a [PolicyStatus],
        violations: &'a [Violation],
        relied: &[Relied],
    ) -> Self {
        let relied = relied.iter().filter_map(|relied| match relied.rule {
            ReliedRule::Rule(rule) => Some(rule),
            ReliedRule::BuiltIn(_) => None,
        });
        let mut facts: FxHashMap<RuleRef, RuleFacts> = FxHashMap::default();
        for rule in violations.iter().map(|violation| violation.rule).chain(relied) {
            facts.entry(rule).or_insert_with(|| rule_facts(world, rule));
        }
        let day = options.scope.as_of.unwrap_or(options.day);
        let told = Told::new(&world.model, sources, (options.day, &options.scope), violations);
        Describe { world, sources, day, binding, facts, told }
    }

    fn rule(&self, rule: RuleRef) -> Cow<'_, RuleFacts> {
        match self.facts.get(&rule) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(rule_facts(self.world, rule)),
        }
    }

    /// A violation as a finding; its status is for waivers to settle, its cause for what is found besides.
    pub fn finding(&self, violation: &Violation) -> Finding {
        let rule = self.rule(violation.rule);
        let model = &self.world.model;
        let cover = |leaves: &LeafSet| self.told.cover(leaves);
        let is_require = violation.details.iter().any(|_| !matches!(violation.rule, RuleRef::Check(_)));
        let (source, sink) = if is_require { (None, None) } else { self.ends(violation.on) };
        let witnesses: Vec<Chain> = violation.witnesses.iter().map(|w| self.told.chain(w)).collect();
        let shortest = witnesses.iter().filter(|w| !w.is_empty()).min_by_key(|w| w.len()).cloned();
        Finding {
            fingerprint: fingerprint(model, &rule.id, violation.on),
            kind: rule.kind,
            severity: violation.severity.unwrap_or(rule.severity),
            message: self.message(violation),
            status: FindingStatus::New,
            grown: false,
            beyond: Vec::new(),
            consequent: violation.consequent,
            prospective: false,
            retained: false,
            reidentified: self.reidentified(violation),
            lapsed: lapsed(
                model,
                self.day,
                self.world.rule(violation.rule).map(|rule| rule.body()),
                violation,
            ),
            source,
            sink,
            agreements: violation.agreements.iter().map(|&a| model.agreements[a].id().to_owned()).collect(),
            flow: match (violation.rule, violation.on) {
                (RuleRef::Check(_), On::Flow(flow)) => Some(model.flows[flow].name.clone()),
                _ => None,
            },
            subject: match (violation.rule, violation.on) {
                (RuleRef::Check(_), On::Flow(_)) | (_, On::Pair(..)) => None,
                (_, on) => Some(self.subject(on)),
            },
            data: cover(&violation.data),
            arrives_as: cover(&violation.arrives_as),
            origins: self.origins(violation),
            followed_origins: None,
            becomes: cover(&self.becomes(violation)),
            path: shortest.unwrap_or_default(),
            witnesses: witnesses.into_iter().map(Walk::Known).collect(),
            cause: String::new(),
            location: Some(self.location(violation)),
            broken: self.broken(violation, &rule),
            title: rule.title.clone(),
            cite: rule.cite.clone(),
            why: rule.why.clone(),
            remedy: rule.remedy.clone(),
            policy_status: rule.status,
            waiver: None,
            binding: rule.status.is_none_or(|status| self.binding.contains(&status)),
            rule: rule.id.clone(),
        }
    }

    /// A claim that was relied on.
    pub fn reliance(&self, relied: &Relied) -> Reliance {
        let model = &self.world.model;
        let (flow, system, span) = match relied.by {
            Claimant::Flow(flow) => (Some(model.flows[flow].name.clone()), None, model.flows[flow].span),
            Claimant::System(system) => {
                let system = &model.systems[system];
                (None, Some(system.name.clone()), system.declared.id.span)
            }
        };
        let footing = claims::footing(model, relied);
        Reliance {
            rule: match relied.rule {
                ReliedRule::Rule(rule) => self.rule(rule).id.clone(),
                ReliedRule::BuiltIn(name) => name.to_owned(),
            },
            flow,
            system,
            claim: relied.claim.clone(),
            party: Some(model.parties[footing.party].id().to_owned()),
            evidence: footing.evidence,
            until: footing.until.map(|day| day.to_string()),
            location: self.sources.location(span),
        }
    }

    fn place(&self, system: SystemId) -> Place {
        let model = &self.world.model;
        let system = &model.systems[system];
        Place { system: Some(system.name.clone()), party: model.parties[system.party].id().to_owned() }
    }

    fn ends(&self, on: On) -> (Option<Place>, Option<Place>) {
        let model = &self.world.model;
        match on {
            On::Pair(source, sink) => (Some(self.place(source)), Some(self.place(sink))),
            On::Flow(flow) => {
                (Some(self.place(model.flows[flow].from)), Some(self.place(model.flows[flow].to)))
            }
            On::Unsourced(system, _) => (Some(self.place(system)), None),
            On::System(system) => (None, Some(self.place(system))),
            On::Party(party) => {
                (None, Some(Place { system: None, party: model.parties[party].id().to_owned() }))
            }
            On::Agreement(_) => (None, None),
        }
    }

    /// What the sink derives of a rule's data, if neither what the data was nor what it
    /// arrives as is of that data.
    fn becomes(&self, violation: &Violation) -> LeafSet {
        let model = &self.world.model;
        let none = LeafSet::empty(model.data.leaf_count());
        let body = self.world.rule(violation.rule).map(|rule| rule.body());
        let (Some(Body::Forbid(rule)), On::Pair(_, sink)) = (body, violation.on) else {
            return none;
        };
        let wanted = model.data.leaves(rule.data.iter().map(|key| &key.value));
        if violation.data.intersects(&wanted) || violation.arrives_as.intersects(&wanted) {
            return none;
        }
        let (mut held, mut marked) = (violation.arrives_as.row().to_vec(), none.row().to_vec());
        propagate::derive(model, sink, &mut held, &mut marked, None);
        let mut all = none;
        all.extend(&held);
        all.and(&wanted)
    }

    /// The parties whose data a finding is about, as far as that is known without following the data of
    /// each by itself.
    fn origins(&self, violation: &Violation) -> Option<Vec<String>> {
        let model = &self.world.model;
        let body = self.world.rule(violation.rule).map(|rule| rule.body());
        let parties = match (violation.on, body) {
            (_, Some(Body::Require(_))) => Vec::new(),
            (On::Pair(system, _) | On::Unsourced(system, _), _) => vec![model.systems[system].origin],
            _ => violation.origins.clone()?,
        };
        Some(parties.into_iter().map(|party| model.parties[party].id().to_owned()).collect())
    }

    /// Where on its walks something is re-identified.
    fn reidentified(&self, violation: &Violation) -> Vec<Reidentified> {
        let model = &self.world.model;
        let at = violation.witnesses.iter().flat_map(|witness| &witness.reidentified);
        let mut all: Vec<Reidentified> = Vec::new();
        for &(system, number) in at {
            let system = &model.systems[system];
            let Some(derive) = system.declared.derives.get(number) else { continue };
            let name = |key: &Spanned<Key>| model.data.name(key.value).to_owned();
            let pairs = derive.from.iter().flat_map(|from| derive.into.iter().map(move |into| (from, into)));
            all.extend(pairs.map(|(from, into)| Reidentified {
                system: system.name.clone(),
                from: name(from),
                into: name(into),
            }));
        }
        all.sort();
        all.dedup();
        all
    }

    fn subject(&self, on: On) -> String {
        let model = &self.world.model;
        match on {
            On::System(system) => model.systems[system].name.clone(),
            On::Party(party) => model.parties[party].id().to_owned(),
            On::Agreement(agreement) => model.agreements[agreement].id().to_owned(),
            On::Flow(flow) => model.flows[flow].name.clone(),
            On::Unsourced(_, key) => model.data.name(key).to_owned(),
            On::Pair(..) => String::new(),
        }
    }

    fn purposes(&self, keys: &[Key]) -> Vec<String> {
        keys.iter().map(|&key| self.world.model.purposes.name(key).to_owned()).collect()
    }

    /// Where a finding is declared: the last flow of its walk, the flow it is on,
    /// or its subject.
    fn location(&self, violation: &Violation) -> Location {
        let model = &self.world.model;
        let span = match violation.on {
            On::Pair(source, _) => match violation.witnesses.first().and_then(|w| w.walk.last()) {
                Some(&last) => model.flows[last].span,
                None => model.systems[source].declared.id.span,
            },
            On::Flow(flow) => model.flows[flow].span,
            On::Unsourced(system, key) => checks::needing(model, system, key),
            On::System(system) => model.systems[system].declared.id.span,
            On::Party(party) => model.parties[party].declared.id.span,
            On::Agreement(agreement) => model.agreements[agreement].declared.id.span,
        };
        self.sources.location(span)
    }

    fn message(&self, violation: &Violation) -> String {
        let model = &self.world.model;
        let data = self.told.cover(&violation.data).join(", ");
        let details = violation.details.join("; ");
        match violation.on {
            On::Pair(source, sink) => {
                let hops = violation.witnesses.first().map_or(0, |w| w.walk.len());
                let flows = if hops == 1 { "1 flow".to_owned() } else { format!("{hops} flows") };
                let name = &model.systems[source].name;
                if hops == 0 && violation.data.is_subset(&model.systems[source].originates) {
                    return format!("{data} starts at {name}");
                }
                if hops == 0 {
                    return format!("{data} is at {name} without a declared origin");
                }
                if source == sink {
                    return format!("{data} of {name} comes back to it over {flows}");
                }
                format!(
                    "{data} of {} reaches {} over {flows}",
                    model.systems[source].name, model.systems[sink].name
                )
            }
            On::Flow(flow) => match violation.rule {
                RuleRef::Check(check) => self.flow_message(violation, check, flow, &data),
                RuleRef::Rule(..) | RuleRef::Statement(_) => {
                    format!("flow {}: {details}", model.flows[flow].name)
                }
            },
            On::Unsourced(system, _) => {
                let name = &model.systems[system].name;
                let mut text =
                    format!("no declared system originates {data} for {name}; it is assumed to start there");
                if !details.is_empty() {
                    text.push_str(&format!("; it would break {}", violation.details.join(", ")));
                }
                text
            }
            On::Agreement(id) if matches!(violation.rule, RuleRef::Check(_)) => {
                let agreement = &model.agreements[id];
                let until = agreement.declared.effective.until.as_ref();
                let ended = match (agreement.status, until) {
                    (Status::Terminated, _) | (_, None) => "is terminated".to_owned(),
                    (_, Some(until)) => format!("ended on {}", until.value),
                };
                format!("{} {ended}; what its flows carried is not disposed: {data}", agreement.id())
            }
            On::System(_) | On::Party(_) | On::Agreement(_) if details.is_empty() => {
                format!("{} holds {data}", self.subject(violation.on))
            }
            On::System(_) | On::Party(_) | On::Agreement(_) => {
                format!("{}: {details}", self.subject(violation.on))
            }
        }
    }

    fn flow_message(&self, violation: &Violation, check: BuiltIn, id: FlowId, data: &str) -> String {
        let model = &self.world.model;
        let flow = &model.flows[id];
        let (from, to) = (&model.systems[flow.from].name, &model.systems[flow.to].name);
        let base = format!("{} carries {data} from {from} to {to}", flow.name);
        let agreements: Vec<&str> = violation.agreements.iter().map(|&a| model.agreements[a].id()).collect();
        let agreements = agreements.join(", ");
        match check {
            BuiltIn::Purpose => {
                let purposes = self.purposes(&flow.purposes).join(", ");
                format!("{base} for {purposes}, outside the terms of {agreements}")
            }
            BuiltIn::Onward => format!("{base}, to whom {agreements} does not let it be passed on"),
            BuiltIn::Retention => {
                let kept = flow.retention.map_or_else(|| "without limit".to_owned(), |r| format!("for {r}"));
                format!("{base}, where it is kept {kept}, longer than {agreements} allows")
            }
            BuiltIn::Safeguards => {
                let has = match sorted(flow.declared.safeguards.iter().map(String::as_str)) {
                    none if none.is_empty() => "no safeguard".to_owned(),
                    some => some,
                };
                format!("{base} with {has}, less than {agreements} demands")
            }
            BuiltIn::Consent => {
                format!("{base} on consent {}, less than {agreements} demands", flow.consent.word())
            }
            BuiltIn::Undocumented => format!("{base} under no agreement"),
            BuiltIn::ForeignParty => {
                let missing: Vec<&str> = [model.sender(id), model.receiver(id)]
                    .into_iter()
                    .filter(|p| flow.agreement.is_some_and(|a| !model.agreements[a].parties.contains(p)))
                    .map(|p| model.parties[p].id())
                    .collect();
                format!("{base}; {} has not signed {agreements}", missing.join(" and "))
            }
            BuiltIn::Unsourced | BuiltIn::Ended => base,
        }
    }

    fn broken(&self, violation: &Violation, rule: &RuleFacts) -> Broken {
        match (violation.rule, violation.on) {
            (RuleRef::Check(check), On::Flow(flow)) => {
                let term = checks::check(check).term;
                term.map_or_else(|| self.built_in(rule), |term| self.broken_term(violation, term, flow))
            }
            (RuleRef::Check(_), _) => self.built_in(rule),
            (RuleRef::Rule(..), _) => Broken {
                what: BrokenWhat::Rule,
                text: rule.title.clone(),
                location: rule.span.map(|span| self.sources.location(span)),
            },
            (RuleRef::Statement(at), _) => {
                let statement = self.world.model.statements.get(at);
                Broken {
                    what: BrokenWhat::Promise,
                    text: statement.map(|s| s.said.quote.clone()).unwrap_or_default(),
                    location: rule.span.map(|span| self.sources.location(span)),
                }
            }
        }
    }

    fn built_in(&self, rule: &RuleFacts) -> Broken {
        Broken { what: BrokenWhat::Rule, text: rule.title.clone(), location: None }
    }

    /// The term of the first agreement concerned, as the flow by which the data came
    /// under it has it.
    fn broken_term(&self, violation: &Violation, term: &'static str, offending: FlowId) -> Broken {
        let model = &self.world.model;
        // By agreement: the terms of its last flow before the offending one.
        let of = |at: usize| {
            let agreement = violation.agreements.get(at).copied();
            let walk = violation.witnesses.get(at).map(|w| w.walk.as_slice()).unwrap_or_default();
            let own = walk.iter().rev().copied().find(|&f| model.flows[f].agreement == agreement);
            (agreement, &*model.flows[own.unwrap_or(offending)].terms)
        };
        // A purpose that one agreement rules out says more than that others do not permit it.
        let ruled_out = (0..violation.agreements.len())
            .map(of)
            .find(|(_, terms)| term == "purposes" && checks::ruled_out(model, terms, offending));
        let term = if ruled_out.is_some() { "prohibited_purposes" } else { term };
        let (agreement, terms) = ruled_out.unwrap_or_else(|| of(0));
        let implied = agreement.and_then(|a| model.agreements[a].implied.as_deref());
        let mut text = format!("{term}: {}", self.term_value(terms, implied, term));
        if let Some(clause) = terms.clause(term) {
            let quote = clause.quote.as_ref().map(|q| format!("“{q}”"));
            let words: Vec<String> = clause.reference.iter().cloned().chain(quote).collect();
            text.push_str(&format!(" — {}", words.join(" ")));
        }
        let place = terms.span(term).or_else(|| agreement.map(|a| model.agreements[a].declared.id.span));
        Broken { what: BrokenWhat::Term, text, location: place.map(|span| self.sources.location(span)) }
    }

    fn term_value(&self, terms: &Terms, implied: Option<&[Key]>, term: &str) -> String {
        let keys = |list: &[crate::read::decode::Spanned<Key>]| {
            sorted(list.iter().map(|k| self.world.model.purposes.name(k.value)))
        };
        match term {
            "purposes" => match terms.purposes.as_deref() {
                Some([]) => "none".to_owned(),
                Some(list) => keys(list),
                None => match implied {
                    None => "any".to_owned(),
                    Some([]) => "none (not stated; no flow of the agreement leaves a provider)".to_owned(),
                    Some(list) => {
                        let names = sorted(list.iter().map(|&key| self.world.model.purposes.name(key)));
                        format!("{names} (not stated; those of the agreement's own flows)")
                    }
                },
            },
            "prohibited_purposes" => keys(&terms.prohibited_purposes),
            "onward_transfer" => terms.onward_transfer.unwrap_or(Onward::Prohibited).word().to_owned(),
            "retention" => terms.retention.map(|r| r.to_string()).unwrap_or_default(),
            "consent" => terms.consent.map(|c| c.word().to_owned()).unwrap_or_default(),
            "safeguards" => sorted(terms.safeguards.iter().map(|s| s.value.as_str())),
            _ => String::new(),
        }
    }
}

/// Names in their own order, so that words do not depend on the file's.
fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.join(", ")
}

/// Why a promise cannot be decided, in words and places.
pub fn gap(model: &Model, sources: &Sources, when: When, open: &Open) -> Gap {
    Gap {
        depends_on: open.kind,
        message: open.message.clone(),
        missing: open.missing.clone(),
        path: open.witness.as_ref().map(|w| hops(model, sources, when, w)).unwrap_or_default(),
        location: open.span.map(|span| sources.location(span)),
    }
}
