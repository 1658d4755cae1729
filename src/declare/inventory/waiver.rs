//! Accepted findings.

use jiff::civil::Date;

use super::meta::text;
use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::glob::Glob;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Severity;
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
    /// What it may arrive as; empty: not limited.
    pub arrives_as: Vec<Spanned<Key>>,
    /// The agreements accepted; empty: not limited.
    pub agreements: Vec<Spanned<String>>,
    /// The parties whose data it may be; empty: not limited.
    pub origins: Vec<Spanned<String>>,
    /// The highest severity accepted, if it is limited.
    pub severity: Option<Severity>,
    /// Whether it accepts only what proposed agreements alone bring, if it says.
    pub prospective: Option<bool>,
    /// Why.
    pub reason: String,
    /// By whom.
    pub approved_by: String,
    /// The first day on which it holds, if it says.
    pub approved_on: Option<Date>,
    /// The last day on which it holds.
    pub expires: Spanned<Date>,
    /// Where it was decided.
    pub ticket: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

impl Waiver {
    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.approved_on.is_none_or(|from| from <= day) && day <= self.expires.value
    }

    /// Whether it says nothing of how much it accepts.
    pub fn is_unlimited(&self) -> bool {
        self.data.is_empty()
            && self.arrives_as.is_empty()
            && self.agreements.is_empty()
            && self.origins.is_empty()
            && self.severity.is_none()
            && self.prospective.is_none()
    }

    /// What is wrong with how long it runs, by the longest that settings allow. One that does not say
    /// when it was approved runs from the day judged; without one it is not checked.
    pub fn runs_too_long(&self, set: Option<Duration>, day: Option<Date>) -> Option<Diagnostic> {
        let from = self.approved_on.or(day)?;
        let most = set.unwrap_or(Duration::LONGEST_WAIVER);
        let last = most.after(from)?;
        if self.expires.value <= last {
            return None;
        }
        let by = if set.is_some() { " by `waiver_max`" } else { "" };
        let run = format!("a waiver runs for {} at most{by}", most.in_words());
        let from = match self.approved_on {
            Some(day) => format!("it was approved on {day}"),
            None => format!("it does not say `approved_on`, so it runs from {from}, the day judged"),
        };
        Some(
            Diagnostic::new("waiver-too-long", run, self.expires.span)
                .label(format!("expected {last} or earlier: {from}"))
                .help("approve it again when it ends, or raise `waiver_max` in ringfence.yaml"),
        )
    }
}

/// Reads a waiver.
pub fn waiver(d: &mut Decoder, node: &Node) -> Option<Waiver> {
    let mut f = Fields::new(d, node, "a waiver")?;
    let finding = f.with(d, "finding", |d, n| d.fingerprint(n));
    let rule = f.with(d, "rule", |d, n| d.text(n));
    let mut glob = |d: &mut Decoder, key| f.with(d, key, |d, n| d.text(n)).map(|t| Glob::new(t.value));
    let source = glob(d, "source");
    let sink = glob(d, "sink");
    let flow = glob(d, "flow");
    let subject = glob(d, "subject");
    names_something(d, &mut f, rule.as_ref());
    let data = f.list(d, "data", |d, n| d.category(n));
    let arrives_as = f.list(d, "arrives_as", |d, n| d.category(n));
    let agreements = f.list(d, "agreements", |d, n| d.text(n));
    let origins = f.list(d, "origins", |d, n| d.text(n));
    let severity = f.with(d, "severity", |d, n| d.word::<Severity>(n)).map(|word| word.value);
    let prospective = f.with(d, "prospective", |d, n| d.flag(n)).map(|flag| flag.value);
    let reason = f.required(d, "reason", said);
    let approved_by = f.required(d, "approved_by", said);
    let approved_on = f.with(d, "approved_on", |d, n| d.date(n));
    let expires = f.required(d, "expires", |d, n| d.date(n));
    let ticket = text(d, &mut f, "ticket");
    let span = f.head();
    f.finish(d);
    if let (Some(from), Some(until)) = (&approved_on, &expires)
        && until.value < from.value
    {
        d.report(
            Diagnostic::new("waiver-never-holds", "a waiver ends before it is approved", until.span)
                .label(format!("expected {} or later", from.value))
                .also(from.span, "approved here"),
        );
    }
    Some(Waiver {
        finding,
        rule: rule.map(|rule| Glob::new(rule.value)),
        source,
        sink,
        flow,
        subject,
        data,
        arrives_as,
        agreements,
        origins,
        severity,
        prospective,
        reason: reason?.value,
        approved_by: approved_by?.value,
        approved_on: approved_on.map(|day| day.value),
        expires: expires?,
        ticket,
        span,
    })
}

/// A waiver is of a finding, or of the findings of some rules: whoever approves it knows which. Every
/// rule's id has a `/` with something on either side.
fn names_something(d: &mut Decoder, f: &mut Fields, rule: Option<&Spanned<String>>) {
    let is_of_all = |rule: &&Spanned<String>| rule.value.chars().all(|c| matches!(c, '*' | '?' | '/'));
    let all = rule.filter(is_of_all);
    if f.get("finding").is_some() || (f.get("rule").is_some() && all.is_none()) {
        return;
    }
    let expected = match all {
        Some(_) => "expected the rules that are meant",
        None => "expected `finding` or `rule`",
    };
    d.report(
        Diagnostic::new(
            "waiver-of-nothing",
            "a waiver names the finding or the rule that it accepts findings of",
            all.map_or(f.head(), |rule| rule.span),
        )
        .label(expected)
        .help("copy the finding's fingerprint, `rf1:…`, or its rule from the report"),
    );
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
