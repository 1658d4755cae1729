//! Policies: each rule becomes one that forbids.

use std::collections::BTreeSet;

use serde_yaml::{Mapping, Value};

use crate::base::taxonomy::{Declared, Tree};
use crate::exchange::aka::Vague;
use crate::exchange::draft::slug;
use crate::exchange::fate::Code;
use crate::exchange::maker::Section;
use crate::exchange::tree::Branch;

use super::Manifests;

/// How the values of a rule are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matches {
    /// One of them.
    Any,
    /// Something else.
    Other,
}

impl Manifests<'_, '_> {
    pub(super) fn policy(&mut self, branch: &Branch) {
        let Some(name) = self.name_of(branch, "policies") else {
            self.needs_key(branch, "a policy");
            return;
        };
        let id = format!("fides-{}", slug(&name));
        let title = self.key_text(branch, "name").unwrap_or(name);
        let mut rules = Vec::new();
        for rule in branch.list("rules") {
            rules.extend(self.rule(rule, &id, rules.len()));
        }
        self.minor_keys(branch, &["description", "organization_fides_key", "tags", "fidesctl_meta"]);
        if rules.is_empty() {
            return;
        }
        let mut policy = Mapping::new();
        policy.insert("policy".into(), id.clone().into());
        policy.insert("title".into(), title.into());
        policy.insert("rules".into(), Value::Sequence(rules));
        self.maker.draft.policies.insert(id, Value::Mapping(policy));
    }

    fn rule(&mut self, branch: &Branch, policy: &str, count: usize) -> Option<Value> {
        let made = format!("policies/{policy}");
        let name = self.name_of(branch, &made).unwrap_or_else(|| format!("rule-{}", count + 1));
        let title = self.key_text(branch, "description").unwrap_or_else(|| name.clone());
        self.minor_keys(branch, &["description"]);
        let mut forbid = Mapping::new();
        if let Some((data, matches)) = self.values(branch, "data_categories", &made) {
            let keys = match matches {
                Matches::Any => data,
                Matches::Other => self.others(&data),
            };
            if keys.is_empty() {
                let note = "there is no other data: the rule forbids nothing";
                self.maker.ledger.remark(
                    Code::Merged,
                    "rule",
                    &format!("{policy}/{name}"),
                    note,
                    &made,
                    None,
                );
                return None;
            }
            forbid.insert("data".into(), keys.into_iter().collect::<Vec<_>>().into());
        }
        if let Some((subjects, matches)) = self.values(branch, "data_subjects", &made) {
            let systems: Vec<String> = subjects.iter().map(|one| format!("*/people-{}", slug(one))).collect();
            let named = matcher("system", systems.into());
            // Data of which nobody says whose it is may be theirs.
            let unstated = matcher("not", matcher("system", "*/people-*".into()));
            let from = match matches {
                Matches::Any => {
                    let none = matcher("system", "*/people-unstated".into());
                    Value::Sequence(vec![named, none, unstated])
                }
                Matches::Other => matcher("not", named),
            };
            forbid.insert("from".into(), from);
        }
        if let Some((uses, matches)) = self.values(branch, "data_uses", &made) {
            let named = matcher("purpose", uses.into_iter().collect::<Vec<_>>().into());
            let to = if matches == Matches::Any { named } else { matcher("not", named) };
            forbid.insert("to".into(), to);
        }
        if forbid.is_empty() {
            return None;
        }
        let mut rule = Mapping::new();
        rule.insert("id".into(), slug(&name).into());
        rule.insert("title".into(), title.chars().take(900).collect::<String>().into());
        rule.insert("severity".into(), "high".into());
        rule.insert("forbid".into(), Value::Mapping(forbid));
        Some(Value::Mapping(rule))
    }

    /// The values of a part of a rule, as ours, and how they are meant.
    fn values(&mut self, rule: &Branch, key: &str, made: &str) -> Option<(BTreeSet<String>, Matches)> {
        let part = rule.get(key)?;
        let word = part.leaf("matches");
        let text = word.map(|leaf| self.text(leaf)).unwrap_or_default();
        let (matches, code) = match text.as_str() {
            "ANY" => (Matches::Any, Code::Carried),
            "OTHER" => (Matches::Other, Code::Carried),
            "NONE" => (Matches::Other, Code::Widened),
            // All of them, and whatever else there may be: a rule on any is broken at least as often.
            _ => (Matches::Any, Code::Widened),
        };
        if let Some(leaf) = word {
            let note = (code == Code::Widened)
                .then_some("the rule here is broken whenever that one is, and more often");
            self.maker.ledger.mark(leaf, code, Some(made), note);
        }
        if word.is_none() {
            let note = "how the values of a rule are meant is not said: any of them";
            self.maker.ledger.remark(Code::Assumed, key, made, note, made, None);
        }
        // A rule is to be broken rather too often: so what it names is read at its widest, and what it
        // spares at its narrowest.
        let vague = if matches == Matches::Any { Vague::Widest } else { Vague::Primary };
        let mut values = BTreeSet::new();
        for leaf in part.leaves("values") {
            match key {
                "data_categories" => {
                    values.extend(self.terms.of_policy(self.maker, Section::Data, leaf, vague))
                }
                "data_uses" => {
                    values.extend(self.terms.of_policy(self.maker, Section::Purposes, leaf, vague))
                }
                _ => {
                    self.maker.ledger.mark(leaf, Code::Carried, Some(made), None);
                    values.insert(self.text(leaf));
                }
            }
        }
        (!values.is_empty()).then_some((values, matches))
    }

    /// All categories, the manifest's own included, that are not below these.
    fn others(&self, keys: &BTreeSet<String>) -> BTreeSet<String> {
        let built_in = self.maker.data.entries().map(|(_, entry)| entry.declared.clone());
        let own =
            self.maker.draft.data.keys().map(|key| Declared { key: key.clone(), ..Declared::default() });
        let tree = Tree::new(built_in.chain(own));
        let named: Vec<_> = keys.iter().filter_map(|key| tree.find(key)).collect();
        let mut all = crate::base::bits::LeafSet::empty(tree.leaf_count());
        all.insert_range(0..tree.leaf_count());
        tree.cover(&all.minus(&tree.leaves(named.iter()))).into_iter().collect()
    }
}

fn matcher(key: &str, value: Value) -> Value {
    let mut map = Mapping::new();
    map.insert(key.into(), value);
    Value::Mapping(map)
}
