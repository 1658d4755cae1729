//! Examples of rules, out of the tests of their packs.

use std::collections::BTreeMap;

use crate::base::source::FileId;
use crate::declare::packs::Pack;
use crate::read::yaml::{self, Limits, Node, Value};

/// What breaks a rule, and the one change that keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Example {
    /// What happens in the first.
    pub breaks: String,
    /// Its inventory.
    pub inventory: String,
    /// What is found in it.
    pub finds: String,
    /// What is different in the second.
    pub keeps: String,
    /// The values set for that, by path.
    pub change: String,
}

/// For each rule of a pack the first of its tests that finds something, with the first
/// test based on that one that finds nothing.
pub fn examples(pack: &Pack) -> BTreeMap<String, Example> {
    let mut examples = BTreeMap::new();
    for (_, text) in pack.tests {
        let documents = yaml::parse(FileId(0), text, &Limits::default(), &mut Vec::new());
        let tests: Vec<Test> = documents
            .iter()
            .filter_map(|document| value(document, "tests"))
            .flat_map(|tests| match &tests.value {
                Value::Seq(tests) => tests.as_slice(),
                _ => &[],
            })
            .map(|node| Test { node, text })
            .collect();
        for test in &tests {
            let (Some(rule), Some(name)) = (test.scalar("rule"), test.scalar("name")) else {
                continue;
            };
            let Some(inventory) = test.block("inventory").filter(|_| test.finds_something()) else {
                continue;
            };
            let kept = tests.iter().find(|other| {
                other.scalar("based_on") == Some(name)
                    && other.scalar("rule").is_none_or(|other| other == rule)
                    && !other.finds_something()
            });
            let Some((keeps, change)) = kept.and_then(|kept| kept.scalar("name").zip(kept.block("change")))
            else {
                continue;
            };
            examples.entry(rule.to_owned()).or_insert_with(|| Example {
                breaks: name.to_owned(),
                inventory,
                finds: test.block("finds").unwrap_or_default(),
                keeps: keeps.to_owned(),
                change,
            });
        }
    }
    examples
}

struct Test<'t> {
    node: &'t Node<'t>,
    text: &'t str,
}

fn value<'n, 't>(node: &'n Node<'t>, key: &str) -> Option<&'n Node<'t>> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|e| e.key == key).map(|e| &e.value),
        _ => None,
    }
}

impl<'t> Test<'t> {
    fn scalar(&self, key: &str) -> Option<&'t str> {
        match &value(self.node, key)?.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    fn finds_something(&self) -> bool {
        value(self.node, "finds")
            .is_some_and(|finds| matches!(&finds.value, Value::Seq(list) if !list.is_empty()))
    }

    /// The text of a key's value: what follows on its line, or the lines that are
    /// indented further, moved to the left.
    fn block(&self, key: &str) -> Option<String> {
        let Value::Map(entries) = &self.node.value else {
            return None;
        };
        let at = entries.iter().find(|e| e.key == key)?.key_span.start as usize;
        let line = self.text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
        let indent = at - line;
        let mut lines = self.text.get(line..)?.lines();
        let first = lines.next()?;
        let rest = first.get(indent..)?.split_once(':')?.1.trim();
        if !rest.is_empty() {
            return Some(rest.to_owned());
        }
        let blank = |line: &&str| line.trim().is_empty();
        let deeper = |line: &&str| line.len() - line.trim_start().len() > indent;
        let block: Vec<&str> = lines.take_while(|line| blank(line) || deeper(line)).collect();
        let own = block.iter().filter(|l| !blank(l)).map(|l| l.len() - l.trim_start().len()).min()?;
        let moved: Vec<&str> = block.iter().map(|line| line.get(own..).unwrap_or_default()).collect();
        Some(moved.join("\n").trim_end().to_owned())
    }
}
