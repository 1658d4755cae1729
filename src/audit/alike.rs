//! Which declarations are one cause: those that differ only in the partner.
//!
//! ```text
//! flows          one end the same system, partners of their own at the other end, the same kinds of data for
//!                the same kinds of purpose, the same rules broken (a promise that the partner itself made left out)
//! flows          one end the same system, the other ends of one party, under one agreement or none, the same kinds
//!                of data for the same kinds of purpose, the same rules broken
//! agreements     a party in common, the same kind, the same rules broken
//! declarations   that lack what rules require: a party in common (flows), or of one sort (systems, parties), the
//!                same rules broken
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::causes::Declaration;
use crate::base::finding::rule_of_promise;
use crate::base::taxonomy::Tree;
use crate::base::vocabulary::Kind;
use crate::model::load::World;
use crate::model::{AgreementId, FlowId, Model, PartyId, SystemId};

/// A declaration that findings hang on, and what of it decides on what it is like.
pub struct Broken<'f> {
    /// The declaration.
    pub at: Declaration,
    /// The rules that it breaks.
    pub rules: &'f BTreeSet<String>,
    /// All of its findings miss something in declarations: no data is where it must not be.
    pub lacking: bool,
}

/// What declarations that are alike have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shared {
    by: By,
    /// The rules, by number.
    rules: usize,
    /// The kinds of data and of purposes, by number.
    kinds: usize,
}

/// What stays the same where the partner is another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum By {
    Sender(SystemId),
    Receiver(SystemId),
    /// A system, and at the other end one party under one agreement.
    SenderTo(SystemId, PartyId, Option<AgreementId>),
    ReceiverOf(SystemId, PartyId, Option<AgreementId>),
    FlowOf(PartyId),
    AgreementOf(PartyId, Kind),
    System,
    Party,
    Group,
}

/// Groups declarations, which are in the order of their ids; the groups are in that order, too.
pub fn groups(world: &World, broken: &[Broken]) -> Vec<Vec<usize>> {
    let mut numbers = Numbers { world, rules: FxHashMap::default(), kinds: FxHashMap::default() };
    let partners: Vec<_> = broken.iter().map(|one| numbers.with_partner(one)).collect();
    let first = chosen(&partners);
    // What differs in no partner may still differ only in the system of one.
    let rest: Vec<_> = broken
        .iter()
        .zip(&first)
        .map(|(one, chosen)| if chosen.is_some() { Vec::new() } else { numbers.with_sibling(one) })
        .collect();
    let second = chosen(&rest);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut at: FxHashMap<&Shared, usize> = FxHashMap::default();
    for (index, shared) in first.into_iter().zip(second).map(|(one, other)| one.or(other)).enumerate() {
        let group = shared.map(|shared| *at.entry(shared).or_insert(groups.len()));
        match group.and_then(|group| groups.get_mut(group)) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// For each what it shares with the most others that differ in the partner, if with any.
fn chosen<P: Eq + std::hash::Hash>(all: &[Vec<(Shared, P)>]) -> Vec<Option<&Shared>> {
    let mut partners: FxHashMap<&Shared, FxHashSet<&P>> = FxHashMap::default();
    let mut order: FxHashMap<&Shared, usize> = FxHashMap::default();
    for (shared, partner) in all.iter().flatten() {
        partners.entry(shared).or_default().insert(partner);
        let next = order.len();
        order.entry(shared).or_insert(next);
    }
    let many = |shared: &Shared| partners.get(shared).map_or(0, FxHashSet::len);
    let best = |list: &Vec<(Shared, P)>| {
        let several = list.iter().map(|(shared, _)| shared).filter(|shared| many(shared) > 1);
        let best = several.min_by_key(|shared| (Reverse(many(shared)), order.get(shared).copied()));
        best.and_then(|best| order.get_key_value(best).map(|(known, _)| *known))
    };
    all.iter().map(best).collect()
}

/// Sets by number, so that they are compared once.
struct Numbers<'w> {
    world: &'w World,
    rules: FxHashMap<BTreeSet<String>, usize>,
    kinds: FxHashMap<BTreeSet<(bool, String)>, usize>,
}

impl Numbers<'_> {
    fn rules(&mut self, rules: BTreeSet<String>) -> usize {
        let next = self.rules.len();
        *self.rules.entry(rules).or_insert(next)
    }

    /// The kinds of data and of purposes of a flow: the topmost categories.
    fn kinds(&mut self, flow: FlowId) -> usize {
        let model = &self.world.model;
        let flow = &model.flows[flow];
        let top = |tree: &Tree, key| {
            let name = tree.name(key);
            name.split_once('.').map_or(name, |(top, _)| top).to_owned()
        };
        let data = flow.declared.data.iter().map(|key| (true, top(&model.data, key.value)));
        let purposes = flow.purposes.iter().map(|&key| (false, top(&model.purposes, key)));
        let next = self.kinds.len();
        *self.kinds.entry(data.chain(purposes).collect()).or_insert(next)
    }

    /// The rules without the promises that a partner made itself, unless nothing else is broken.
    fn without_promises_of(&mut self, rules: &BTreeSet<String>, partner: PartyId) -> usize {
        let model = &self.world.model;
        let partner = model.parties[partner].id();
        let own: BTreeSet<String> = model
            .statements
            .iter()
            .filter(|statement| statement.by.value == partner)
            .map(|statement| rule_of_promise(&statement.id.value))
            .filter(|rule| rules.contains(rule))
            .collect();
        let others: BTreeSet<String> = rules.difference(&own).cloned().collect();
        self.rules(if others.is_empty() { rules.clone() } else { others })
    }

    /// What a declaration could have in common with others of other partners, and its own partner.
    fn with_partner(&mut self, broken: &Broken) -> Vec<(Shared, Partner)> {
        let model = &self.world.model;
        let shared = |by, rules, kinds| Shared { by, rules, kinds };
        match broken.at {
            Declaration::Flow(flow) if broken.lacking => {
                let rules = self.rules(broken.rules.clone());
                let ends = BTreeSet::from([model.sender(flow), model.receiver(flow)]);
                let by = |party| (shared(By::FlowOf(party), rules, 0), Partner::Flow(flow));
                ends.into_iter().map(by).collect()
            }
            Declaration::Flow(flow) => {
                let (from, to) = (model.flows[flow].from, model.flows[flow].to);
                let (sender, receiver) = (model.sender(flow), model.receiver(flow));
                if sender == receiver {
                    return Vec::new();
                }
                let kinds = self.kinds(flow);
                let sent = self.without_promises_of(broken.rules, receiver);
                let received = self.without_promises_of(broken.rules, sender);
                vec![
                    (shared(By::Sender(from), sent, kinds), Partner::Party(receiver)),
                    (shared(By::Receiver(to), received, kinds), Partner::Party(sender)),
                ]
            }
            Declaration::Agreement(agreement) => {
                let rules = self.rules(broken.rules.clone());
                let agreement_of = &model.agreements[agreement];
                let by = |&party| {
                    let by = By::AgreementOf(party, agreement_of.kind);
                    (shared(by, rules, 0), Partner::Agreement(agreement))
                };
                agreement_of.parties.iter().map(by).collect()
            }
            Declaration::System(system) if broken.lacking => {
                let rules = self.rules(broken.rules.clone());
                vec![(shared(By::System, rules, 0), Partner::System(system))]
            }
            Declaration::Party(party) if broken.lacking => {
                let rules = self.rules(broken.rules.clone());
                vec![(shared(By::Party, rules, 0), Partner::Party(party))]
            }
            Declaration::Group(party) if broken.lacking => {
                let rules = self.rules(broken.rules.clone());
                vec![(shared(By::Group, rules, 0), Partner::Party(party))]
            }
            Declaration::System(_) | Declaration::Party(_) | Declaration::Group(_) => Vec::new(),
        }
    }

    /// What a flow could have in common with others of the same partner, and its own end there.
    fn with_sibling(&mut self, broken: &Broken) -> Vec<(Shared, Partner)> {
        let Declaration::Flow(flow) = broken.at else {
            return Vec::new();
        };
        let model = &self.world.model;
        let (rules, kinds) = (self.rules(broken.rules.clone()), self.kinds(flow));
        let of = &model.flows[flow];
        let shared = |by| Shared { by, rules, kinds };
        vec![
            (shared(By::SenderTo(of.from, model.receiver(flow), of.agreement)), Partner::System(of.to)),
            (shared(By::ReceiverOf(of.to, model.sender(flow), of.agreement)), Partner::System(of.from)),
        ]
    }
}

/// In what declarations that are alike differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Partner {
    Party(PartyId),
    System(SystemId),
    Agreement(AgreementId),
    Flow(FlowId),
}

/// Who the label `owner` names: of declarations, else of what they belong to.
pub fn owners<'m>(model: &'m Model, all: &[Declaration]) -> BTreeSet<&'m str> {
    let mut owners = BTreeSet::new();
    for &at in all {
        owners.extend(owner(model, at));
    }
    owners
}

fn owner(model: &Model, at: Declaration) -> Option<&str> {
    match at {
        Declaration::Flow(flow) => {
            let declared = &model.flows[flow];
            let agreement = declared.agreement.map(|id| &model.agreements[id].declared.meta.labels);
            label(&declared.declared.meta.labels)
                .or_else(|| agreement.and_then(|labels| label(labels)))
                .or_else(|| owner(model, Declaration::System(declared.from)))
        }
        Declaration::System(system) => label(&model.systems[system].declared.meta.labels)
            .or_else(|| owner(model, Declaration::Party(model.systems[system].party))),
        Declaration::Party(party) | Declaration::Group(party) => {
            label(&model.parties[party].declared.meta.labels)
        }
        Declaration::Agreement(agreement) => label(&model.agreements[agreement].declared.meta.labels),
    }
}

fn label(labels: &[(String, String)]) -> Option<&str> {
    labels.iter().find(|(key, _)| key == "owner").map(|(_, value)| value.as_str())
}
