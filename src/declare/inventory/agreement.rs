//! Agreements.

use std::sync::Arc;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::flow::{Disposed, Effective, Flow, check_defaults, disposed, effective, flow};
use super::meta::{Meta, meta, text};
use super::party::texts;
use super::terms::{Terms, terms};
use crate::base::diagnostic::Diagnostic;
use crate::base::source::Span;
use crate::base::vocabulary::{Kind, Status};
use crate::read::decode::{Decoder, Fields, Spanned, Words};
use crate::read::yaml::{Node, Value};

/// A data-sharing agreement.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// Its id.
    pub id: Spanned<String>,
    /// Sharing or processing, if stated.
    pub kind: Option<Kind>,
    /// For whom the others process, as far as stated.
    pub provider: Vec<Spanned<String>>,
    /// Where it stands, if stated.
    pub status: Option<Status>,
    /// Who has signed.
    pub parties: Vec<Spanned<String>>,
    /// When it runs.
    pub effective: Effective,
    /// What it moved has been deleted.
    pub disposed: Option<Box<Disposed>>,
    /// Why it is lawful, under each law that asks.
    pub legal_basis: Words,
    /// What the parties attest.
    pub assurances: Vec<Assurance>,
    /// What receivers may do.
    pub terms: Arc<Terms>,
    /// What moves under it.
    pub flows: Vec<Flow>,
    /// Title, labels, source, basis.
    pub meta: Meta,
}

/// Something the parties attest.
#[derive(Debug, Clone)]
pub struct Assurance {
    /// What.
    pub id: Spanned<String>,
    /// What shows it.
    pub evidence: Option<String>,
    /// The day on which it was given.
    pub date: Option<Date>,
    /// The last day on which it holds.
    pub valid_until: Option<Date>,
}

impl Assurance {
    /// Whether it holds on a day on which its agreement runs: given by then, and not past its end.
    pub fn holds(&self, day: Date) -> bool {
        self.date.is_none_or(|given| given <= day) && self.valid_until.is_none_or(|until| day <= until)
    }
}

/// Reads an agreement.
pub fn agreement(d: &mut Decoder, node: &Node) -> Option<Agreement> {
    let mut f = Fields::new(d, node, "an agreement")?;
    let id = f.required(d, "id", |d, n| d.id(n));
    let kind = f.with(d, "kind", |d, n| d.word::<Kind>(n)).map(|w| w.value);
    let provider = f.list(d, "provider", |d, n| d.text(n));
    let status = f.with(d, "status", |d, n| d.word::<Status>(n)).map(|w| w.value);
    let parties = f.list(d, "parties", |d, n| d.text(n));
    check_parties(d, &mut f, &parties, &provider);
    let dates = f.with(d, "effective", effective).unwrap_or_default();
    let gone = f.with(d, "disposed", disposed);
    let legal_basis = texts(d, &mut f, "legal_basis");
    let assurances = f.list(d, "assurances", assurance);
    let terms = f.with(d, "terms", terms).unwrap_or_default();
    let defaults = match f.get("flow_defaults") {
        Some(node) => {
            check_defaults(d, node);
            match &node.value {
                Value::Map(entries) => entries.as_slice(),
                _ => &[],
            }
        }
        None => &[],
    };
    let flows =
        if few_repeated(d, &mut f) { f.list(d, "flows", |d, n| flow(d, n, defaults)) } else { Vec::new() };
    let meta = meta(d, &mut f);
    f.finish(d);
    Some(Agreement {
        id: id?,
        kind,
        provider,
        status,
        parties,
        effective: dates,
        disposed: gone.map(Box::new),
        legal_basis,
        assurances,
        terms: terms.into(),
        flows,
        meta,
    })
}

/// Whether defaults and terms are not too long for the number of flows, each of
/// which takes them over.
fn few_repeated(d: &mut Decoder, f: &mut Fields) -> bool {
    /// What may be repeated any number of times: a flow of its own is as large.
    const FREE: usize = 64;
    let each = ["flow_defaults", "terms"].map(|key| f.get(key).map_or(0, Node::count));
    let each = each.iter().sum::<usize>().saturating_sub(FREE);
    let flows = match f.get("flows").map(|n| &n.value) {
        Some(Value::Seq(items)) => items.len(),
        _ => 1,
    };
    let Err((met, most)) = d.repeat(each.saturating_mul(flows)) else {
        return true;
    };
    let span = f.key_span("flow_defaults").or_else(|| f.key_span("terms")).unwrap_or_else(|| f.head());
    d.report(
        Diagnostic::new(
            "too-much-repeated",
            format!("terms and defaults repeat {met} values, more than the limit of {most}"),
            span,
        )
        .label(format!("repeated for each of {flows} flows"))
        .help(
            "name a branch of the taxonomy in place of its leaves, or split the agreement; \
             `--max-aliases N` raises the limit",
        ),
    );
    false
}

fn check_parties(
    d: &mut Decoder,
    f: &mut Fields,
    parties: &[Spanned<String>],
    providers: &[Spanned<String>],
) {
    let Some(node) = f.get("parties") else {
        f.missing(d, "parties");
        return;
    };
    let written = match &node.value {
        Value::Seq(items) => items.len(),
        Value::Scalar(_) => 1,
        // Of the wrong shape, which has been said.
        _ => 2,
    };
    let mut named: FxHashMap<&str, Span> = FxHashMap::default();
    for party in parties {
        let first = *named.entry(&party.value).or_insert(party.span);
        if first != party.span {
            d.report(
                Diagnostic::new("duplicate-party", format!("`{}` is named twice", party.value), party.span)
                    .label("named again")
                    .also(first, "first named here"),
            );
        }
    }
    if written < 2 {
        d.report(
            Diagnostic::new("too-few-parties", "an agreement has two parties or more", node.span)
                .label("expected at least two parties")
                .help("name all that have signed; flows inside one party need no agreement"),
        );
    }
    for provider in providers.iter().filter(|one| !parties.iter().any(|p| p.value == one.value)) {
        let help = d.near(&provider.value, parties.iter().map(|p| p.value.as_str()));
        let help =
            help.map_or_else(|| "name one of `parties`".to_owned(), |near| format!("did you mean `{near}`?"));
        d.report(
            Diagnostic::new(
                "provider-not-a-party",
                format!("the provider `{}` is not among the agreement's parties", provider.value),
                provider.span,
            )
            .label("expected one of `parties`")
            .help(help),
        );
    }
}

/// Reads what the parties attest.
pub fn assurance(d: &mut Decoder, node: &Node) -> Option<Assurance> {
    if let Value::Scalar(_) = node.value {
        return d.text(node).map(|id| Assurance { id, evidence: None, date: None, valid_until: None });
    }
    let mut f = Fields::new(d, node, "an assurance")?;
    let id = f.required(d, "id", |d, n| d.text(n));
    let evidence = text(d, &mut f, "evidence");
    let date = f.with(d, "date", |d, n| d.date(n)).map(|t| t.value);
    let valid_until = f.with(d, "valid_until", |d, n| d.date(n));
    f.finish(d);
    if let (Some(date), Some(until)) = (date, &valid_until)
        && until.value < date
    {
        d.report(
            Diagnostic::new("until-before-from", "this assurance ends before it was given", until.span)
                .label(format!("expected {date} or later")),
        );
    }
    Some(Assurance { id: id?, evidence, date, valid_until: valid_until.map(|t| t.value) })
}
