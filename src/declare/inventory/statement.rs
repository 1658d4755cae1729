//! Public promises.

use jiff::civil::Date;

use super::meta::{Meta, meta, text};
use crate::base::source::Span;
use crate::base::vocabulary::Severity;
use crate::declare::policy::{Body, body};
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{Node, Plain};

/// A promise, and what it comes to as a rule.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its id.
    pub id: Spanned<String>,
    /// The party that made it.
    pub by: Spanned<String>,
    /// What was said.
    pub said: Said,
    /// How much breaking it matters (high unless stated).
    pub severity: Severity,
    /// The rule.
    pub promise: Body,
    /// The rule as it is written, the same for all ways to write it.
    pub written: String,
    /// Title, labels, source, basis.
    pub meta: Meta,
}

/// The words of a promise.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The words.
    pub quote: String,
    /// Where the words are written.
    pub span: Option<Span>,
    /// Who said it.
    pub who: Option<String>,
    /// Where it was said.
    pub place: Option<String>,
    /// When.
    pub date: Option<Date>,
}

/// Reads a statement.
pub fn statement(d: &mut Decoder, node: &Node) -> Option<Statement> {
    let mut f = Fields::new(d, node, "a statement")?;
    let id = f.required(d, "id", |d, n| d.id(n));
    let by = f.required(d, "by", |d, n| d.text(n));
    let said = f.required(d, "said", said);
    let severity = f.with(d, "severity", |d, n| d.word::<Severity>(n));
    let mut written = String::new();
    let promise = f.required(d, "promise", |d, node| {
        written = Plain::of(node).map(|plain| plain.canonical()).unwrap_or_default();
        let mut f = Fields::new(d, node, "a promise")?;
        let body = body(d, &mut f);
        f.finish(d);
        body
    });
    let meta = meta(d, &mut f);
    f.finish(d);
    Some(Statement {
        id: id?,
        by: by?,
        said: said?,
        severity: severity.map_or(Severity::High, |w| w.value),
        promise: promise?,
        written,
        meta,
    })
}

fn said(d: &mut Decoder, node: &Node) -> Option<Said> {
    let mut f = Fields::new(d, node, "what was said")?;
    let quote = f.required(d, "quote", |d, n| d.text(n));
    let who = text(d, &mut f, "who");
    let place = text(d, &mut f, "where");
    let date = f.with(d, "date", |d, n| d.date(n)).map(|t| t.value);
    f.finish(d);
    quote.map(|q| Said { quote: q.value, span: Some(q.span), who, place, date })
}
