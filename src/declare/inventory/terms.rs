//! The terms of an agreement, or of one flow.

use super::meta::text;

use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Onward, Transform};
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::Node;

/// What the receivers may do. An absent term limits nothing, but for
/// `onward_transfer`, which is prohibited unless stated.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Permitted purposes; an empty list permits none.
    pub purposes: Option<Vec<Spanned<Key>>>,
    /// Purposes that are ruled out.
    pub prohibited_purposes: Vec<Spanned<Key>>,
    /// To whom data may be passed on.
    pub onward_transfer: Option<Onward>,
    /// To whom it may be passed on besides.
    pub onward_to: Vec<OnwardTo>,
    /// How long receivers may keep it.
    pub retention: Option<Duration>,
    /// The least consent that the agreement's own flows must state.
    pub consent: Option<Consent>,
    /// What protects each flow.
    pub safeguards: Vec<Spanned<String>>,
    /// Transforms that end the terms; an empty list names none.
    pub released_by: Option<Vec<Transform>>,
    /// The contract's words.
    pub clauses: Vec<Clause>,
    /// Where each term is written.
    spans: Vec<(&'static str, Span)>,
}

/// A receiver that is allowed besides `onward_transfer`.
#[derive(Debug, Clone)]
pub struct OnwardTo {
    /// The receiver.
    pub party: Spanned<String>,
    /// Which data; empty: all.
    pub data: Vec<Spanned<Key>>,
    /// For which purposes; empty: all.
    pub purposes: Vec<Spanned<Key>>,
}

/// The contract's words for one term.
#[derive(Debug, Clone)]
pub struct Clause {
    /// The term.
    pub term: Spanned<String>,
    /// Where in the contract.
    pub reference: Option<String>,
    /// What it says.
    pub quote: Option<String>,
}

/// The terms there are; also what `clauses` may quote.
pub const TERMS: [&str; 8] = [
    "purposes",
    "prohibited_purposes",
    "onward_transfer",
    "onward_to",
    "retention",
    "consent",
    "safeguards",
    "released_by",
];

impl Terms {
    /// Where a term is written, if it is.
    pub fn span(&self, term: &str) -> Option<Span> {
        self.spans.iter().find(|(name, _)| *name == term).map(|&(_, span)| span)
    }

    /// The contract's words for a term.
    pub fn clause(&self, term: &str) -> Option<&Clause> {
        self.clauses.iter().find(|c| c.term.value == term)
    }

    /// These terms with those of `over` in their place, key by key.
    #[must_use]
    pub fn overridden_by(&self, over: &Terms) -> Terms {
        let list = |own: &Vec<_>, other: &Vec<_>| if other.is_empty() { own.clone() } else { other.clone() };
        let mut clauses = over.clauses.clone();
        let kept = |c: &&Clause| over.span(&c.term.value).is_none() && over.clause(&c.term.value).is_none();
        clauses.extend(self.clauses.iter().filter(kept).cloned());
        let mut spans = over.spans.clone();
        spans.extend(self.spans.iter().filter(|(term, _)| over.span(term).is_none()));
        Terms {
            purposes: over.purposes.clone().or_else(|| self.purposes.clone()),
            prohibited_purposes: list(&self.prohibited_purposes, &over.prohibited_purposes),
            onward_transfer: over.onward_transfer.or(self.onward_transfer),
            onward_to: if over.onward_to.is_empty() {
                self.onward_to.clone()
            } else {
                over.onward_to.clone()
            },
            retention: over.retention.or(self.retention),
            consent: over.consent.or(self.consent),
            safeguards: if over.safeguards.is_empty() {
                self.safeguards.clone()
            } else {
                over.safeguards.clone()
            },
            released_by: over.released_by.clone().or_else(|| self.released_by.clone()),
            clauses,
            spans,
        }
    }

    /// Whether both demand the same, wherever they are written (`onward_to` aside,
    /// which is compared resolved).
    pub fn same(&self, other: &Terms) -> bool {
        fn values<T: Clone + Ord>(list: &[Spanned<T>]) -> Vec<T> {
            let mut values: Vec<T> = list.iter().map(|s| s.value.clone()).collect();
            values.sort();
            values
        }
        self.purposes.as_deref().map(values) == other.purposes.as_deref().map(values)
            && values(&self.prohibited_purposes) == values(&other.prohibited_purposes)
            && self.onward_transfer == other.onward_transfer
            && self.retention == other.retention
            && values(&self.safeguards) == values(&other.safeguards)
            && self.releasing() == other.releasing()
    }

    /// The transforms that end the terms: anonymisation unless stated.
    pub fn releasing(&self) -> &[Transform] {
        self.released_by.as_deref().unwrap_or(&[Transform::Anonymised])
    }
}

/// Reads terms.
pub fn terms(d: &mut Decoder, node: &Node) -> Option<Terms> {
    let mut f = Fields::new(d, node, "terms")?;
    let purposes = f.get_even_empty("purposes").map(|n| d.list(n, |d, n| d.purpose(n)));
    let prohibited_purposes = f.list(d, "prohibited_purposes", |d, n| d.purpose(n));
    let onward_transfer = f.with(d, "onward_transfer", |d, n| d.word::<Onward>(n)).map(|w| w.value);
    let onward_to = f.list(d, "onward_to", onward_to);
    let retention = f.with(d, "retention", |d, n| d.duration(n)).map(|w| w.value);
    let consent = f.with(d, "consent", |d, n| d.word::<Consent>(n)).map(|w| w.value);
    let safeguards = f.list(d, "safeguards", |d, n| d.text(n));
    let released_by = f
        .get_even_empty("released_by")
        .map(|n| d.list(n, |d, n| d.word::<Transform>(n)).into_iter().map(|w| w.value).collect());
    let clauses = f
        .with(d, "clauses", |d, n| Some(d.map(n, "clauses (a map from term to its words)", clause)))
        .unwrap_or_default();
    let mut spans = Vec::new();
    for term in TERMS {
        let even_empty = matches!(term, "purposes" | "released_by") && f.get_even_empty(term).is_some();
        if f.get(term).is_some() || even_empty {
            spans.extend(f.entries().iter().find(|e| e.key == term).map(|e| (term, e.key_span)));
        }
    }
    f.finish(d);
    Some(Terms {
        purposes,
        prohibited_purposes,
        onward_transfer,
        onward_to,
        retention,
        consent,
        safeguards,
        released_by,
        clauses,
        spans,
    })
}

fn onward_to(d: &mut Decoder, node: &Node) -> Option<OnwardTo> {
    let mut f = Fields::new(d, node, "an allowed receiver")?;
    let party = f.required(d, "party", |d, n| d.text(n));
    let data = f.list(d, "data", |d, n| d.category(n));
    let purposes = f.list(d, "purposes", |d, n| d.purpose(n));
    f.finish(d);
    Some(OnwardTo { party: party?, data, purposes })
}

fn clause(d: &mut Decoder, term: Spanned<String>, node: &Node) -> Option<Clause> {
    if !TERMS.contains(&term.value.as_str()) {
        let help = match d.near(&term.value, TERMS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("terms: {}", TERMS.join(", ")),
        };
        d.report(
            Diagnostic::new("unknown-key", format!("unknown key `{}` in clauses", term.value), term.span)
                .label("expected the name of a term")
                .help(help),
        );
        return None;
    }
    let mut f = Fields::new(d, node, "a clause")?;
    let reference = text(d, &mut f, "ref");
    let quote = text(d, &mut f, "quote");
    f.finish(d);
    Some(Clause { term, reference, quote })
}
