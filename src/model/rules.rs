//! The rules of a world: those of its policies in their order, then its promises, which are rules.

use super::load::World;
use crate::base::finding::rule_of_promise;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::declare::inventory::Statement;
use crate::declare::policy::{Body, Policy, Rule};

/// What can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleRef {
    /// A built-in check.
    Check(BuiltIn),
    /// A rule, by the places of its policy and of itself.
    Rule(usize, usize),
    /// A promise, by its place.
    Statement(usize),
}

/// Where a rule is written.
#[derive(Debug, Clone, Copy)]
pub enum Written<'w> {
    /// In a policy.
    Policy(&'w Policy, &'w Rule),
    /// In an inventory.
    Promise(&'w Statement),
}

/// A rule or promise.
#[derive(Debug, Clone, Copy)]
pub struct RuleInForce<'w> {
    /// Where it stands among all.
    pub at: RuleRef,
    /// Where it is written.
    pub written: Written<'w>,
}

impl<'w> RuleInForce<'w> {
    /// Its full id.
    pub fn id(&self) -> String {
        match self.written {
            Written::Policy(policy, rule) => policy.full_id(rule),
            Written::Promise(statement) => rule_of_promise(&statement.id.value),
        }
    }

    /// What it demands.
    pub fn body(&self) -> &'w Body {
        match self.written {
            Written::Policy(_, rule) => &rule.body,
            Written::Promise(statement) => &statement.promise,
        }
    }

    /// How grave it is to break it.
    pub fn severity(&self) -> Severity {
        match self.written {
            Written::Policy(_, rule) => rule.severity,
            Written::Promise(statement) => statement.severity,
        }
    }
}

impl World {
    /// All rules and promises.
    pub fn rules(&self) -> impl Iterator<Item = RuleInForce<'_>> {
        let rules = self.policies.iter().enumerate().flat_map(|(p, policy)| {
            policy.rules.iter().enumerate().map(move |(r, rule)| RuleInForce {
                at: RuleRef::Rule(p, r),
                written: Written::Policy(policy, rule),
            })
        });
        let promises = self.model.statements.iter().enumerate().map(|(at, statement)| RuleInForce {
            at: RuleRef::Statement(at),
            written: Written::Promise(statement),
        });
        rules.chain(promises)
    }

    /// A rule or promise; `None` of a built-in check, which nobody wrote.
    pub fn rule(&self, at: RuleRef) -> Option<RuleInForce<'_>> {
        let written = match at {
            RuleRef::Check(_) => return None,
            RuleRef::Rule(policy, rule) => {
                let policy = self.policies.get(policy)?;
                Written::Policy(policy, policy.rules.get(rule)?)
            }
            RuleRef::Statement(at) => Written::Promise(self.model.statements.get(at)?),
        };
        Some(RuleInForce { at, written })
    }
}
