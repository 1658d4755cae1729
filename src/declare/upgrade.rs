//! What of a declaration of an earlier version can be rewritten without a decision: words for places that
//! have one code each. Everything else that this version refuses wants a person, and reading it says so.

use std::collections::BTreeMap;

use crate::base::places;
use crate::base::source::Span;
use crate::declare::places::{Meant, groups, meant};
use crate::read::yaml::{Node, Value};

/// A value that is written in another way now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// Where it stands.
    pub span: Span,
    /// What is written there.
    pub old: String,
    /// What is to be written.
    pub new: String,
}

/// What a scalar is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Nothing that has changed.
    Other,
    /// A place that is declared: a code.
    Declared,
    /// A place in a matcher: a code or a group.
    Matched,
}

/// A scalar of a document.
struct Leaf<'n> {
    span: Span,
    text: &'n str,
    sort: Sort,
}

/// Rewrites documents, and remembers what words mean.
#[derive(Debug, Default)]
pub struct Rewriter {
    codes: BTreeMap<String, Option<String>>,
    groups: Vec<String>,
}

impl Rewriter {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Rewriter { codes: BTreeMap::new(), groups: groups().0.into_iter().map(|group| group.name).collect() }
    }

    /// The one code that a word means, if it is no code itself.
    fn code(&mut self, word: &str, sort: Sort) -> Option<String> {
        let is_group = sort == Sort::Matched && self.groups.iter().any(|group| group == word);
        if sort == Sort::Other || is_group || places::code(word).is_some() {
            return None;
        }
        let code = self.codes.entry(word.to_owned()).or_insert_with(|| match meant(word) {
            Meant::Codes(mut codes) if codes.len() == 1 => codes.pop(),
            _ => None,
        });
        code.clone()
    }

    /// What is to be written in the documents of a text, in its order; a text in which that would change
    /// anything else is left as it is.
    pub fn rewrites(&mut self, text: &str, documents: &[Node]) -> Vec<Rewrite> {
        let mut all = Vec::new();
        for Leaf { span, text: word, sort } in leaves(documents) {
            let Some(code) = self.code(word, sort) else { continue };
            let Some(written) = text.get(span.start as usize..span.end as usize) else { continue };
            // `NO` is a truth value to other readers of YAML.
            let new = match written.chars().next() {
                Some(quote @ ('"' | '\'')) => format!("{quote}{code}{quote}"),
                _ if code == "NO" => format!("\"{code}\""),
                _ => code,
            };
            let plain = written.trim_matches(['"', '\'']);
            if plain == word {
                all.push(Rewrite { span, old: word.to_owned(), new });
            }
        }
        all.sort_by_key(|rewrite| rewrite.span);
        all.dedup();
        all
    }

    /// Whether documents are those of before with the places alone written by their codes.
    pub fn is_same(&mut self, before: &[Node], after: &[Node]) -> bool {
        let (before, after) = (leaves(before), leaves(after));
        before.len() == after.len()
            && before.iter().zip(&after).all(|(old, new)| {
                old.sort == new.sort
                    && (old.text == new.text || self.code(old.text, old.sort).as_deref() == Some(new.text))
            })
    }
}

/// A text with what is to be written in the place of what is there.
pub fn rewritten(text: &str, rewrites: &[Rewrite]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Rewrite { span, new, .. } in rewrites {
        out.push_str(text.get(at..span.start as usize).unwrap_or_default());
        out.push_str(new);
        at = span.end as usize;
    }
    out + text.get(at..).unwrap_or_default()
}

fn leaves<'n>(documents: &'n [Node]) -> Vec<Leaf<'n>> {
    let mut all = Vec::new();
    documents.iter().for_each(|document| collect(document, Sort::Other, Sort::Declared, &mut all));
    all
}

/// `places` is what the places below a node are.
fn collect<'n>(node: &'n Node, sort: Sort, places: Sort, all: &mut Vec<Leaf<'n>>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(scalar) => all.push(Leaf { span: node.span, text: &scalar.text, sort }),
        Value::Seq(items) => items.iter().for_each(|item| collect(item, sort, places, all)),
        Value::Map(entries) => {
            for entry in entries {
                let key = entry.key.as_ref();
                // Keys of one's own.
                if matches!(key, "label" | "labels") {
                    collect(&entry.value, Sort::Other, Sort::Other, all);
                    continue;
                }
                let places = match key {
                    "rules" | "promise" => Sort::Matched,
                    _ => places,
                };
                let sort = match key {
                    "region" | "jurisdiction" => places,
                    // A `require` on places.
                    "in" | "includes" => sort,
                    _ => Sort::Other,
                };
                collect(&entry.value, sort, places, all);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::source::FileId;
    use crate::read::yaml;

    fn upgraded(text: &str) -> String {
        let parse = |text: &str| {
            let nodes = yaml::parse(FileId(0), text, &Limits::USUAL, &mut Vec::new());
            nodes.into_iter().map(Node::into_owned).collect::<Vec<_>>()
        };
        let mut rewriter = Rewriter::new();
        let before = parse(text);
        let rewrites = rewriter.rewrites(text, &before);
        let new = rewritten(text, &rewrites);
        if rewriter.is_same(&before, &parse(&new)) { new } else { "something else".to_owned() }
    }

    #[test]
    fn words_with_one_code_each_are_codes_and_nothing_else_changes() {
        for (old, new) in [
            (
                "parties: [{id: a, jurisdiction: Germany}] # Germany\n",
                "parties: [{id: a, jurisdiction: DE}] # Germany\n",
            ),
            (
                "parties:\n  - region: ['UK', \"Norway\", Norway, FR, EU, Korea]\n",
                "parties:\n  - region: ['GB', \"NO\", \"NO\", FR, EU, Korea]\n",
            ),
            (
                "parties: [{labels: {region: Germany}, name: Germany}]\n",
                "parties: [{labels: {region: Germany}, name: Germany}]\n",
            ),
            (
                "rules: [{forbid: {to: {not: {region: [EEA, uk]}}}}]\r\n",
                "rules: [{forbid: {to: {not: {region: [EEA, GB]}}}}]\r\n",
            ),
            (
                "rules: [{require: {must: {region: {in: [Germany]}}}}]",
                "rules: [{require: {must: {region: {in: [DE]}}}}]",
            ),
            ("a: &x Germany\nparties: [{jurisdiction: *x, name: *x}]\n", "something else"),
        ] {
            assert_eq!(upgraded(old), new);
        }
    }
}
