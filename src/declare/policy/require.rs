//! `require`: which fields of a declaration there are, and what may be asked of
//! them.

use jiff::civil::Date;

use super::Require;
use super::asked::attested;
use super::matcher::{AgreementKeys, AnyOf, Attested, FlowKeys, PlaceKeys, Stands, any_of};
use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::sets::CodeSet;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::declare::fields::{self, Declaration, FieldKind};
use crate::declare::places;
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{Node, Value};

/// Which declarations a rule looks at.
#[derive(Debug, Clone)]
pub enum Subjects {
    /// Agreements like these.
    Agreements(AnyOf<AgreementKeys>),
    /// Counting flows like these.
    Flows(AnyOf<FlowKeys>),
    /// Systems like these.
    Systems(AnyOf<PlaceKeys>),
    /// Parties like these.
    Parties(AnyOf<PlaceKeys>),
}

impl Subjects {
    /// Their sort.
    pub fn on(&self) -> Declaration {
        match self {
            Subjects::Agreements(_) => Declaration::Agreement,
            Subjects::Flows(_) => Declaration::Flow,
            Subjects::Systems(_) => Declaration::System,
            Subjects::Parties(_) => Declaration::Party,
        }
    }
}

/// A field that a rule asks about.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its dotted path.
    pub path: Spanned<String>,
    /// What its values are.
    pub kind: FieldKind,
}

/// What one field must be.
#[derive(Debug, Clone)]
pub struct Must {
    /// The field.
    pub field: Asked,
    /// All of these must hold.
    pub operators: Vec<Operator>,
}

/// What must hold of a field.
#[derive(Debug, Clone)]
pub enum Operator {
    /// Whether it is written.
    Present(bool),
    /// Each value is one of these.
    In(Vec<String>),
    /// Each value is one of these places, or a part of one.
    Within(CodeSet),
    /// Each value is at or below one of these.
    Under(Vec<Key>),
    /// Each value is at most this.
    AtMost(Bound),
    /// Each value is at least this.
    AtLeast(Bound),
    /// The whole of each value matches.
    Matches(String, Box<regex_lite::Regex>),
    /// All of these are among the values.
    Includes(Vec<String>),
    /// All of these are among the assurances.
    Attests(Vec<Attested>),
}

/// A word of an ordered set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ranked {
    /// Its place.
    pub rank: usize,
    /// The word.
    pub word: &'static str,
}

/// Something with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// Hours, or without end.
    Duration(Duration),
    /// A day.
    Date(Date),
    /// A number.
    Count(u64),
    /// A word and its place in its order.
    Rank(Ranked),
}

/// Reads a `require`.
pub fn require(d: &mut Decoder, node: &Node, span: Span) -> Option<Require> {
    let mut f = Fields::new(d, node, "a `require`")?;
    let on = f.required(d, "on", |d, n| d.text(n));
    let subjects = on.as_ref().and_then(|on| match on.value.as_str() {
        "agreement" => Some(Subjects::Agreements(any_of(d, &mut f, "where", Stands::Elsewhere))),
        "flow" => Some(Subjects::Flows(any_of(d, &mut f, "where", Stands::Elsewhere))),
        "system" => Some(Subjects::Systems(any_of(d, &mut f, "where", Stands::Elsewhere))),
        "party" => Some(Subjects::Parties(any_of(d, &mut f, "where", Stands::Elsewhere))),
        other => {
            d.report(
                Diagnostic::new("unknown-word", format!("`{other}` is no sort of declaration"), on.span)
                    .label("expected agreement, flow, system or party")
                    .help(match d.near(other, ["agreement", "flow", "system", "party"]) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "known: agreement, flow, system, party".to_owned(),
                    }),
            );
            None
        }
    });
    let _ = f.get("where");
    let must = match (f.get("must"), &subjects) {
        (None, _) => {
            f.missing(d, "must");
            Vec::new()
        }
        (Some(node), Some(subjects)) => {
            let on = subjects.on();
            let must =
                d.map(node, "a map from field to what it must be", |d, path, value| must(d, on, path, value));
            if matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
                d.wrong_type(node, "at least one field");
            }
            must
        }
        _ => Vec::new(),
    };
    f.finish(d);
    Some(Require { on: subjects?, must, span })
}

fn must(d: &mut Decoder, on: Declaration, path: Spanned<String>, node: &Node) -> Option<Must> {
    let names = || fields::asked_of(on).map(|field| field.key);
    let kind = fields::asked_of(on).find(|field| field.key == path.value).and_then(|field| field.kind);
    let label =
        path.value.strip_prefix("labels.").is_some_and(|name| !name.is_empty() && !name.contains('.'));
    let Some(kind) = kind.or(label.then_some(FieldKind::Text)) else {
        let help = match d.near(&path.value, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known: {}, labels.…", names().collect::<Vec<_>>().join(", ")),
        };
        d.report(
            Diagnostic::new("unknown-key", format!("there is no field `{}`", path.value), path.span)
                .label("not known here")
                .help(help),
        );
        return None;
    };
    let before = d.diagnostics.len();
    let mut f = Fields::new(d, node, "what a field must be")?;
    let mut operators = Vec::new();
    operators.extend(f.with(d, "present", |d, n| d.flag(n)).map(|b| Operator::Present(b.value)));
    if matches!(kind, FieldKind::Map) {
        if operators.is_empty() {
            f.missing(d, "present");
        }
        f.finish(d);
        return Some(Must { field: Asked { path, kind }, operators });
    }
    if f.get("in").is_some() {
        operators.push(match kind {
            FieldKind::Place => Operator::Within(CodeSet::new(f.list(d, "in", places::named))),
            _ => Operator::In(f.list(d, "in", |d, n| member(d, n, kind))),
        });
    }
    if f.get("includes").is_some() {
        operators.push(match kind {
            FieldKind::Assurances => Operator::Attests(f.list(d, "includes", attested)),
            _ => Operator::Includes(f.list(d, "includes", |d, n| member(d, n, kind))),
        });
    }
    let keys = match kind {
        FieldKind::Data => Some(f.list(d, "under", |d, n| d.category(n))),
        FieldKind::Purpose => Some(f.list(d, "under", |d, n| d.purpose(n))),
        _ => None,
    };
    if let Some(keys) = keys.filter(|_| f.get("under").is_some()) {
        operators.push(Operator::Under(keys.into_iter().map(|k| k.value).collect()));
    }
    let ordered =
        matches!(kind, FieldKind::Duration | FieldKind::Date | FieldKind::Count | FieldKind::Word(_, true));
    if ordered {
        operators.extend(f.with(d, "at_most", |d, n| bound(d, n, kind)).map(Operator::AtMost));
        operators.extend(f.with(d, "at_least", |d, n| bound(d, n, kind)).map(Operator::AtLeast));
    }
    operators.extend(f.with(d, "matches", regex));
    f.finish(d);
    if operators.is_empty() && d.diagnostics.len() == before {
        d.wrong_type(node, "an operator, like `{present: true}`");
    }
    Some(Must { field: Asked { path, kind }, operators })
}

/// A value to compare with, checked against the field's kind.
fn member(d: &mut Decoder, node: &Node, kind: FieldKind) -> Option<String> {
    match kind {
        FieldKind::Data => d.category(node).map(|k| d.data.name(k.value).to_owned()),
        FieldKind::Purpose => d.purpose(node).map(|k| d.purposes.name(k.value).to_owned()),
        FieldKind::Duration => d.duration(node).map(|t| t.value.to_string()),
        FieldKind::Date => d.date(node).map(|t| t.value.to_string()),
        FieldKind::Place => places::place(d, node).map(|code| code.value),
        FieldKind::Count => d.count(node).map(|t| t.value.to_string()),
        FieldKind::Word(words, _) => one_of(d, node, &words()).map(|(_, word)| word.to_owned()),
        FieldKind::Text | FieldKind::Assurances | FieldKind::Map => d.text(node).map(|t| t.value),
    }
}

fn bound(d: &mut Decoder, node: &Node, kind: FieldKind) -> Option<Bound> {
    match kind {
        FieldKind::Duration => d.duration(node).map(|t| Bound::Duration(t.value)),
        FieldKind::Date => d.date(node).map(|t| Bound::Date(t.value)),
        FieldKind::Count => d.count(node).map(|t| Bound::Count(t.value)),
        FieldKind::Word(words, _) => {
            one_of(d, node, &words()).map(|(rank, word)| Bound::Rank(Ranked { rank, word }))
        }
        _ => None,
    }
}

fn one_of(d: &mut Decoder, node: &Node, words: &[&'static str]) -> Option<(usize, &'static str)> {
    let text = d.text(node)?;
    if let Some((rank, word)) = words.iter().enumerate().find(|(_, w)| **w == text.value) {
        return Some((rank, word));
    }
    let help = d.near(&text.value, words.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    d.report(
        Diagnostic::new("unknown-word", format!("`{}` is not a value of this field", text.value), node.span)
            .label(format!("expected one of {}", words.join(", ")))
            .help(help.unwrap_or_else(|| format!("known: {}", words.join(", ")))),
    );
    None
}

fn regex(d: &mut Decoder, node: &Node) -> Option<Operator> {
    let text = d.text(node)?;
    // Anchored, whatever alternatives it has.
    match regex_lite::RegexBuilder::new(&format!("^(?:{})$", text.value)).size_limit(1 << 20).build() {
        Ok(regex) => Some(Operator::Matches(text.value, Box::new(regex))),
        Err(error) => {
            d.report(
                Diagnostic::new("bad-regex", format!("not a regular expression: {error}"), node.span)
                    .label("expected a regular expression"),
            );
            None
        }
    }
}
