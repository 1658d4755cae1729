//! `require`: which fields of a declaration there are, and what may be asked of
//! them.

use jiff::civil::Date;

use super::Require;
use super::matcher::{AgreementKeys, AnyOf, Attested, FlowKeys, PlaceKeys, any_of, attested};
use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Basis, Consent, Kind, Onward, Role, Status, Transform, Word};
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{Node, Value};

/// The sorts of declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Agreements.
    Agreement,
    /// Counting flows.
    Flow,
    /// Systems.
    System,
    /// Parties.
    Party,
}

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
    pub fn on(&self) -> On {
        match self {
            Subjects::Agreements(_) => On::Agreement,
            Subjects::Flows(_) => On::Flow,
            Subjects::Systems(_) => On::System,
            Subjects::Parties(_) => On::Party,
        }
    }
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// One of these words; whether their order counts.
    Word(fn() -> Vec<&'static str>, bool),
    /// A duration.
    Duration,
    /// A day.
    Date,
    /// A number.
    Count,
    /// Data categories.
    Data,
    /// Purposes.
    Purpose,
    /// What the parties attest, by id.
    Assurances,
    /// A map: only its presence can be asked.
    Map,
}

/// A field that a rule asks about.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its dotted path.
    pub path: Spanned<String>,
    /// What its values are.
    pub kind: FieldKind,
}

/// What one field must be.
#[derive(Debug, Clone)]
pub struct Must {
    /// The field.
    pub field: Field,
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

fn all<W: Word>() -> Vec<&'static str> {
    W::ALL.iter().map(|w| w.word()).collect()
}

const META: [(&str, FieldKind); 6] = [
    ("title", FieldKind::Text),
    ("source", FieldKind::Map),
    ("source.title", FieldKind::Text),
    ("source.url", FieldKind::Text),
    ("source.date", FieldKind::Date),
    ("basis", FieldKind::Word(all::<Basis>, false)),
];

const DATES: [(&str, FieldKind); 6] = [
    ("effective", FieldKind::Map),
    ("effective.from", FieldKind::Date),
    ("effective.until", FieldKind::Date),
    ("disposed", FieldKind::Map),
    ("disposed.date", FieldKind::Date),
    ("disposed.evidence", FieldKind::Text),
];

const TERMS: [(&str, FieldKind); 8] = [
    ("terms.purposes", FieldKind::Purpose),
    ("terms.prohibited_purposes", FieldKind::Purpose),
    ("terms.onward_transfer", FieldKind::Word(all::<Onward>, true)),
    ("terms.onward_to", FieldKind::Text),
    ("terms.retention", FieldKind::Duration),
    ("terms.consent", FieldKind::Word(all::<Consent>, true)),
    ("terms.safeguards", FieldKind::Text),
    ("terms.released_by", FieldKind::Word(all::<Transform>, false)),
];

const AGREEMENT: [(&str, FieldKind); 7] = [
    ("id", FieldKind::Text),
    ("kind", FieldKind::Word(all::<Kind>, false)),
    ("provider", FieldKind::Text),
    ("status", FieldKind::Word(all::<Status>, false)),
    ("parties", FieldKind::Text),
    ("legal_basis", FieldKind::Text),
    ("assurances", FieldKind::Assurances),
];

const FLOW: [(&str, FieldKind); 13] = [
    ("id", FieldKind::Text),
    ("from", FieldKind::Text),
    ("to", FieldKind::Text),
    ("data", FieldKind::Data),
    ("purposes", FieldKind::Purpose),
    ("consent", FieldKind::Word(all::<Consent>, true)),
    ("transform", FieldKind::Word(all::<Transform>, false)),
    ("only_from", FieldKind::Text),
    ("safeguards", FieldKind::Text),
    ("retention", FieldKind::Duration),
    ("legal_basis", FieldKind::Text),
    ("tags", FieldKind::Text),
    ("agreement", FieldKind::Text),
];

const SYSTEM: [(&str, FieldKind); 9] = [
    ("id", FieldKind::Text),
    ("party", FieldKind::Text),
    ("purposes", FieldKind::Purpose),
    ("originates", FieldKind::Data),
    ("derives", FieldKind::Map),
    ("retention", FieldKind::Duration),
    ("region", FieldKind::Text),
    ("subjects", FieldKind::Count),
    ("tags", FieldKind::Text),
];

const PARTY: [(&str, FieldKind); 9] = [
    ("id", FieldKind::Text),
    ("name", FieldKind::Text),
    ("role", FieldKind::Word(all::<Role>, false)),
    ("jurisdiction", FieldKind::Text),
    ("affiliate_of", FieldKind::Text),
    ("contact", FieldKind::Text),
    ("dpo", FieldKind::Text),
    ("representative", FieldKind::Text),
    ("systems", FieldKind::Text),
];

/// The fields of a sort of declaration; `labels.…` comes besides.
pub fn fields(on: On) -> Vec<(&'static str, FieldKind)> {
    let mut known = META.to_vec();
    match on {
        On::Agreement => {
            known.extend(AGREEMENT);
            known.extend(DATES);
            known.extend(TERMS);
        }
        On::Flow => {
            known.extend(FLOW);
            known.extend(DATES);
            known.extend(TERMS);
        }
        On::System => known.extend(SYSTEM),
        On::Party => known.extend(PARTY),
    }
    known
}

/// Reads a `require`.
pub fn require(d: &mut Decoder, node: &Node, span: Span) -> Option<Require> {
    let mut f = Fields::new(d, node, "a `require`")?;
    let on = f.required(d, "on", |d, n| d.text(n));
    let subjects = on.as_ref().and_then(|on| match on.value.as_str() {
        "agreement" => Some(Subjects::Agreements(any_of(d, &mut f, "where", false))),
        "flow" => Some(Subjects::Flows(any_of(d, &mut f, "where", false))),
        "system" => Some(Subjects::Systems(any_of(d, &mut f, "where", false))),
        "party" => Some(Subjects::Parties(any_of(d, &mut f, "where", false))),
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

fn must(d: &mut Decoder, on: On, path: Spanned<String>, node: &Node) -> Option<Must> {
    let known = fields(on);
    let kind = known.iter().find(|(name, _)| *name == path.value).map(|&(_, kind)| kind);
    let label =
        path.value.strip_prefix("labels.").is_some_and(|name| !name.is_empty() && !name.contains('.'));
    let Some(kind) = kind.or(label.then_some(FieldKind::Text)) else {
        let help = match d.near(&path.value, known.iter().map(|(name, _)| *name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                format!("known: {}, labels.…", names.join(", "))
            }
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
        return Some(Must { field: Field { path, kind }, operators });
    }
    if f.get("in").is_some() {
        operators.push(Operator::In(f.list(d, "in", |d, n| member(d, n, kind))));
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
    Some(Must { field: Field { path, kind }, operators })
}

/// A value to compare with, checked against the field's kind.
fn member(d: &mut Decoder, node: &Node, kind: FieldKind) -> Option<String> {
    match kind {
        FieldKind::Data => d.category(node).map(|k| d.data.name(k.value).to_owned()),
        FieldKind::Purpose => d.purpose(node).map(|k| d.purposes.name(k.value).to_owned()),
        FieldKind::Duration => d.duration(node).map(|t| t.value.to_string()),
        FieldKind::Date => d.date(node).map(|t| t.value.to_string()),
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
