//! Listed findings in terms of the model: what they are on, of which data, by which walks.

use std::collections::BTreeMap;

use super::flow_checks::{ALONE, ENDED};
use super::sets::leaves_named;
use super::terms::TERMS;
use super::{About, Listed};
use crate::base::bits::LeafSet;
use crate::base::vocabulary::Severity;
use crate::declare::policy::{Body, LimitScope, Subjects};
use crate::model::load::World;
use crate::model::{AgreementId, FlowId, Id, Model, PartyId, SystemId};

/// A listed finding, resolved.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its place in the list.
    pub at: usize,
    /// The origin leaves.
    pub data: LeafSet,
    /// The agreements concerned.
    pub agreements: Vec<AgreementId>,
    /// The same in order.
    concerned: Vec<AgreementId>,
    /// The walks.
    pub walks: Vec<Vec<FlowId>>,
}

impl Found {
    /// Whether it concerns an agreement.
    pub fn concerns(&self, agreement: AgreementId) -> bool {
        self.concerned.binary_search(&agreement).is_ok()
    }
}

/// All rules and promises with their full ids.
pub fn rules(world: &World) -> Vec<(String, &Body)> {
    world.rules().map(|rule| (rule.id(), rule.body())).collect()
}

/// The names of everything.
pub struct Names<'w> {
    model: &'w Model,
    rules: BTreeMap<String, &'w Body>,
    severities: BTreeMap<String, Severity>,
    systems: BTreeMap<&'w str, SystemId>,
    parties: BTreeMap<&'w str, PartyId>,
    agreements: BTreeMap<&'w str, AgreementId>,
}

fn index<'n, I: Id + 'n, T: 'n>(
    all: impl Iterator<Item = (I, &'n T)>,
    name: impl Fn(&'n T) -> &'n str,
) -> BTreeMap<&'n str, I> {
    all.map(|(id, one)| (name(one), id)).collect()
}

impl<'w> Names<'w> {
    /// Those of a world.
    pub fn new(world: &'w World) -> Self {
        let model = &world.model;
        Names {
            model,
            rules: rules(world).into_iter().collect(),
            severities: world.rules().map(|rule| (rule.id(), rule.severity())).collect(),
            systems: index(model.systems.iter(), |s| s.name.as_str()),
            parties: index(model.parties.iter(), |p| p.id()),
            agreements: index(model.agreements.iter(), |a| a.id()),
        }
    }

    /// The flow of that name.
    pub fn flow(&self, name: &str) -> Option<FlowId> {
        // They are in the order of their names: a map of them all would take room for nothing.
        let flows = self.model.flows.values().as_slice();
        flows.binary_search_by(|flow| flow.name.as_str().cmp(name)).ok().map(FlowId::from_index)
    }

    fn system(&self, name: Option<&String>) -> Option<SystemId> {
        self.systems.get(name?.as_str()).copied()
    }

    /// Whether a rule asks what declarations say.
    pub fn requires(&self, rule: &str) -> bool {
        self.rules.get(rule).is_some_and(|body| matches!(body, Body::Require(_)))
    }

    /// How grave findings of a rule are; of built-in checks that is not said.
    pub fn severity(&self, rule: &str) -> Option<Severity> {
        self.severities.get(rule).copied()
    }

    /// What a listed finding is on.
    pub fn about(&self, listed: &Listed) -> Option<About> {
        let subject = listed.subject.as_deref();
        if listed.rule == "flow/unsourced" {
            let system = self.system(listed.source.as_ref())?;
            return Some(About::Unsourced(system, self.model.data.find(subject?)?));
        }
        if listed.rule == ENDED {
            return self.agreements.get(subject?).copied().map(About::Agreement);
        }
        if ALONE.contains(&listed.rule.as_str()) || TERMS.contains(&listed.rule.as_str()) {
            return self.flow(listed.flow.as_deref()?).map(About::Flow);
        }
        let system = || self.systems.get(subject?).copied().map(About::System);
        let party = || self.parties.get(subject?).copied().map(About::Party);
        match self.rules.get(&listed.rule)? {
            Body::Forbid(_) => {
                Some(About::Pair(self.system(listed.source.as_ref())?, self.system(listed.sink.as_ref())?))
            }
            Body::Limit(limit) if limit.scope == LimitScope::System => system(),
            Body::Limit(_) => party(),
            Body::Require(require) => match require.on {
                Subjects::Agreements(_) => self.agreements.get(subject?).copied().map(About::Agreement),
                Subjects::Flows(_) => self.flow(subject?).map(About::Flow),
                Subjects::Systems(_) => system(),
                Subjects::Parties(_) => party(),
            },
        }
    }

    /// A listed finding, if everything that it names is there.
    fn found(&self, at: usize, listed: &Listed) -> Option<(About, Found)> {
        let walk = |walk: &Vec<String>| walk.iter().map(|name| self.flow(name)).collect();
        let agreements = listed.agreements.iter().map(|name| self.agreements.get(name.as_str()).copied());
        let agreements: Vec<AgreementId> = agreements.collect::<Option<_>>()?;
        let mut concerned = agreements.clone();
        concerned.sort_unstable();
        let found = Found {
            at,
            data: leaves_named(self.model, &listed.data)?,
            agreements,
            concerned,
            walks: listed.walks.iter().map(walk).collect::<Option<_>>()?,
        };
        Some((self.about(listed)?, found))
    }
}

/// The listed findings of each rule, by what they are on.
#[derive(Debug, Default)]
pub struct Findings {
    by_rule: BTreeMap<String, BTreeMap<About, Found>>,
}

impl Findings {
    /// All that are listed; what is wrong with the list goes to `failures`.
    pub fn new(names: &Names, listed: &[Listed], failures: &mut Vec<String>) -> Self {
        let mut by_rule: BTreeMap<String, BTreeMap<About, Found>> = BTreeMap::new();
        for (at, one) in listed.iter().enumerate() {
            let Some((about, found)) = names.found(at, one) else {
                failures.push(format!(
                    "finding {} ({}) names something that is not declared",
                    one.fingerprint, one.rule
                ));
                continue;
            };
            if by_rule.entry(one.rule.clone()).or_default().insert(about, found).is_some() {
                failures.push(format!("finding {} ({}) is listed twice", one.fingerprint, one.rule));
            }
        }
        Findings { by_rule }
    }

    /// Those of a rule.
    pub fn of(&self, rule: &str) -> impl Iterator<Item = (About, &Found)> {
        self.by_rule.get(rule).into_iter().flatten().map(|(about, found)| (*about, found))
    }

    /// Those of a `forbid` that are about data of a system, by where it gets.
    pub fn from(&self, rule: &str, source: SystemId) -> impl Iterator<Item = (SystemId, &Found)> {
        let own = About::Pair(source, SystemId(0))..=About::Pair(source, SystemId(u32::MAX));
        let all = self.by_rule.get(rule).into_iter().flat_map(move |all| all.range(own.clone()));
        all.filter_map(|(about, found)| match about {
            About::Pair(_, sink) => Some((*sink, found)),
            _ => None,
        })
    }

    /// The one of a rule on something.
    pub fn get(&self, rule: &str, about: About) -> Option<&Found> {
        self.by_rule.get(rule)?.get(&about)
    }
}

/// `rf1:` and the first 16 hexadecimal digits of BLAKE3 over a rule's full id and the parts
/// of what a finding is on, each preceded by its length.
pub fn fingerprint(model: &Model, rule: &str, about: About) -> String {
    let system = |s: SystemId| model.systems[s].name.as_str();
    let key: Vec<&str> = match about {
        About::Pair(source, sink) => vec!["pair", system(source), system(sink)],
        About::Flow(flow) => vec!["flow", &model.flows[flow].name],
        About::Unsourced(at, key) => vec!["unsourced", system(at), model.data.name(key)],
        About::System(at) => vec!["system", system(at)],
        About::Party(party) => vec!["party", model.parties[party].id()],
        About::Agreement(agreement) => vec!["agreement", model.agreements[agreement].id()],
    };
    let mut hasher = blake3::Hasher::new();
    for part in [rule].into_iter().chain(key) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    format!("rf1:{}", hasher.finalize().to_hex().chars().take(16).collect::<String>())
}
