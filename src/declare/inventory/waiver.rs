//! Accepted findings.

use jiff::civil::Date;

use super::meta::text;
use crate::base::diagnostic::Diagnostic;
use crate::base::glob::Glob;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::Node;

/// An accepted finding: which, what of it, why, by whom and until when.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// One finding, by its fingerprint.
    pub finding: Option<Spanned<String>>,
    /// Globs on a finding's key, one of which at least is stated otherwise.
    pub rule: Option<Glob>,
    /// On the source system.
    pub source: Option<Glob>,
    /// On the sink system.
    pub sink: Option<Glob>,
    /// On the flow.
    pub flow: Option<Glob>,
    /// On the subject.
    pub subject: Option<Glob>,
    /// The data accepted; empty: not limited.
    pub data: Vec<Spanned<Key>>,
    /// The agreements accepted; empty: not limited.
    pub agreements: Vec<Spanned<String>>,
    /// Why.
    pub reason: String,
    /// By whom.
    pub approved_by: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Where it was decided.
    pub ticket: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

/// Reads a waiver.
pub fn waiver(d: &mut Decoder, node: &Node) -> Option<Waiver> {
    let mut f = Fields::new(d, node, "a waiver")?;
    let finding = f.with(d, "finding", |d, n| d.fingerprint(n));
    let mut glob = |d: &mut Decoder, key| f.with(d, key, |d, n| d.text(n)).map(|t| Glob::new(t.value));
    let rule = glob(d, "rule");
    let source = glob(d, "source");
    let sink = glob(d, "sink");
    let flow = glob(d, "flow");
    let subject = glob(d, "subject");
    if f.get("finding").is_none() && [&rule, &source, &sink, &flow, &subject].iter().all(|g| g.is_none()) {
        d.report(
            Diagnostic::new("waiver-of-nothing", "a waiver says which finding it accepts", f.head())
                .label("expected `finding`, or one of `rule`, `source`, `sink`, `flow`, `subject`")
                .help("copy the finding's fingerprint, `rf1:…`, from the report"),
        );
    }
    let data = f.list(d, "data", |d, n| d.category(n));
    let agreements = f.list(d, "agreements", |d, n| d.text(n));
    let reason = f.required(d, "reason", said);
    let approved_by = f.required(d, "approved_by", said);
    let expires = f.required(d, "expires", |d, n| d.date(n));
    let ticket = text(d, &mut f, "ticket");
    let span = f.head();
    f.finish(d);
    Some(Waiver {
        finding,
        rule,
        source,
        sink,
        flow,
        subject,
        data,
        agreements,
        reason: reason?.value,
        approved_by: approved_by?.value,
        expires: expires?.value,
        ticket,
        span,
    })
}

/// A text that says something.
fn said(d: &mut Decoder, node: &Node) -> Option<Spanned<String>> {
    let text = d.text(node)?;
    if text.value.trim().is_empty() {
        d.report(
            Diagnostic::new("empty-text", "a waiver says why and by whom", node.span)
                .label("expected a text"),
        );
        return None;
    }
    Some(text)
}
