//! Flows: what moves from one system to another.

use jiff::civil::Date;

use super::agreement::{Assurance, assurance};
use super::meta::{Meta, meta};
use super::party::texts;
use super::terms::{Terms, terms};
use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Transform};
use crate::read::decode::{Decoder, Fields, Name, Spanned, Words};
use crate::read::yaml::{Entry, Node, Value};

/// A flow; what it left out has been taken from the agreement's `flow_defaults`.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its id within the agreement, or of its own.
    pub id: Spanned<String>,
    /// The sending system.
    pub from: Spanned<Name>,
    /// The receiving system.
    pub to: Spanned<Name>,
    /// What for; `None`: what the receiving system is run for.
    pub purposes: Option<Box<[Key]>>,
    /// What few flows state; `None`: nothing of it.
    pub exceptions: Option<Box<Exceptions>>,
    /// What refers to nothing else. It stays where it is when the flow is resolved.
    pub stated: Box<Stated>,
}

/// What few flows state in the place of what holds for others.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// The parties whose data alone it carries.
    pub only_from: Option<Box<[Spanned<Name>]>>,
    /// How long the receiver keeps what comes this way.
    pub retention: Option<Duration>,
    /// Terms of its own.
    pub terms: Option<Box<Terms>>,
    /// Why it is lawful, under each law that asks.
    pub legal_basis: Words,
}

/// What a flow states that refers to nothing else.
#[derive(Debug, Clone)]
pub struct Stated {
    /// What it may carry; nothing if it carries whatever the sender holds.
    pub data: Box<[Spanned<Key>]>,
    /// It carries whatever the sender holds, and claims nothing about that.
    pub held: bool,
    /// The consent in place, if stated.
    pub consent: Option<Consent>,
    /// What is done to the data on the way, if stated.
    pub transform: Option<Transform>,
    /// What protects it.
    pub safeguards: Words,
    /// Title, labels, source, basis.
    pub meta: Meta,
    /// What few flows state; `None`: nothing of it.
    seldom: Option<Box<Seldom>>,
}

/// What few flows state that refers to nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Seldom {
    pub(crate) effective: Effective,
    pub(crate) disposed: Option<Disposed>,
    pub(crate) tags: Words,
    pub(crate) assurances: Vec<Assurance>,
    pub(crate) essential: Option<bool>,
}

impl Stated {
    /// Changes what few flows state.
    pub(crate) fn edit_seldom(&mut self, change: impl FnOnce(&mut Seldom)) {
        let none = || Seldom {
            effective: Effective::default(),
            disposed: None,
            tags: Words::default(),
            assurances: Vec::new(),
            essential: None,
        };
        change(self.seldom.get_or_insert_with(|| Box::new(none())));
    }

    /// When it runs.
    pub fn effective(&self) -> &Effective {
        const ALWAYS: &Effective = &Effective { from: None, until: None };
        self.seldom.as_deref().map_or(ALWAYS, |seldom| &seldom.effective)
    }

    /// What it moved has been deleted.
    pub fn disposed(&self) -> Option<&Disposed> {
        self.seldom.as_deref().and_then(|seldom| seldom.disposed.as_ref())
    }

    /// What the parties attest of it, besides what they attest of its agreement.
    pub fn assurances(&self) -> &[Assurance] {
        self.seldom.as_deref().map_or(&[], |seldom| &seldom.assurances)
    }

    /// Whether it must stay whatever has to be fixed, if stated.
    pub fn essential(&self) -> Option<bool> {
        self.seldom.as_deref().and_then(|seldom| seldom.essential)
    }

    /// Free marks.
    pub fn tags(&self) -> &[String] {
        self.seldom.as_deref().map_or(&[], |seldom| &seldom.tags)
    }
}

/// From when until when; each side optional, both days included.
#[derive(Debug, Clone, Default)]
pub struct Effective {
    /// First day.
    pub from: Option<Spanned<Date>>,
    /// Last day.
    pub until: Option<Spanned<Date>>,
}

/// That data has been deleted at the receivers.
#[derive(Debug, Clone)]
pub struct Disposed {
    /// When.
    pub date: Date,
    /// What shows it.
    pub evidence: String,
    /// Where it is declared.
    pub span: crate::base::source::Span,
}

/// Reads a flow, absent keys from `defaults`.
pub fn flow(d: &mut Decoder, node: &Node, defaults: &[Entry]) -> Option<Flow> {
    let mut f = Fields::new(d, node, "a flow")?.or_from(defaults);
    let id = f.required(d, "id", |d, n| d.id(n));
    for key in ["from", "to", "data"] {
        if f.get_even_empty(key).is_none() {
            f.missing(d, key);
        }
    }
    let flow = read(d, &mut f, id);
    f.finish(d);
    flow
}

/// Checks defaults on their own: they may be wrong without any flow to use them.
pub fn check_defaults(d: &mut Decoder, node: &Node) {
    if let Some(mut f) = Fields::new(d, node, "flow defaults") {
        read(d, &mut f, None);
        f.finish(d);
    }
}

/// Every key is read, whatever is missing; without an id, ends or data it is no flow.
fn read(d: &mut Decoder, f: &mut Fields, id: Option<Spanned<String>>) -> Option<Flow> {
    let from = f.with(d, "from", |d, n| d.name(n));
    let to = f.with(d, "to", |d, n| d.name(n));
    let held = is_held(d, f);
    let data = match held {
        true => f.get("data").map(|_| Vec::new()),
        false => f.full_list(d, "data", id.is_some(), |d, n| d.category(n)),
    };
    let purposes = f.full_list(d, "purposes", false, |d, n| d.purpose(n).map(|key| key.value));
    let only_from = f.full_list(d, "only_from", false, |d, n| d.name(n));
    let retention = f.with(d, "retention", |d, n| d.duration(n)).map(|w| w.value);
    let terms = f.with(d, "terms", terms).map(Box::new);
    let legal_basis = texts(d, f, "legal_basis");
    let consent = f.with(d, "consent", |d, n| d.word::<Consent>(n)).map(|w| w.value);
    let transform = f.with(d, "transform", |d, n| d.word::<Transform>(n)).map(|w| w.value);
    let safeguards = texts(d, f, "safeguards");
    let effective = f.with(d, "effective", effective);
    let disposed = f.with(d, "disposed", disposed);
    let tags = texts(d, f, "tags");
    let assurances = f.list(d, "assurances", assurance);
    let essential = f.with(d, "essential", |d, n| d.flag(n)).map(|b| b.value);
    let meta = meta(d, f);
    let only_from = only_from.map(Vec::into_boxed_slice);
    let is_exception =
        only_from.is_some() || retention.is_some() || terms.is_some() || !legal_basis.is_empty();
    let exceptions = Exceptions { only_from, retention, terms, legal_basis };
    let is_seldom = effective.is_some()
        || disposed.is_some()
        || !tags.is_empty()
        || !assurances.is_empty()
        || essential.is_some();
    let seldom = Seldom { effective: effective.unwrap_or_default(), disposed, tags, assurances, essential };
    Some(Flow {
        id: id?,
        from: from?,
        to: to?,
        purposes: purposes.map(Vec::into_boxed_slice),
        exceptions: is_exception.then(|| exceptions.into()),
        stated: Box::new(Stated {
            data: data?.into(),
            held,
            consent,
            transform,
            safeguards,
            meta,
            seldom: is_seldom.then(|| seldom.into()),
        }),
    })
}

/// Whether `data` is the word `held`: beside others it is a mistake.
fn is_held(d: &mut Decoder, f: &mut Fields) -> bool {
    let is = |node: &Node| matches!(&node.value, Value::Scalar(scalar) if scalar.text == "held");
    let Some(node) = f.get("data") else { return false };
    match &node.value {
        Value::Seq(items) if items.len() > 1 && items.iter().any(is) => {
            let span = items.iter().find(|item| is(item)).map_or(node.span, |item| item.span);
            d.report(
                Diagnostic::new("held-and-more", "`held` stands for all data, beside others", span)
                    .label("expected `held` alone, or categories alone"),
            );
            true
        }
        Value::Seq(items) => items.len() == 1 && items.iter().all(is),
        _ => is(node),
    }
}

/// Reads from when until when.
pub fn effective(d: &mut Decoder, node: &Node) -> Option<Effective> {
    let mut f = Fields::new(d, node, "effective dates")?;
    let from = f.with(d, "from", |d, n| d.date(n));
    let until = f.with(d, "until", |d, n| d.date(n));
    f.finish(d);
    if let (Some(from), Some(until)) = (&from, &until)
        && until.value < from.value
    {
        d.report(
            Diagnostic::new("until-before-from", "`until` is before `from`", until.span)
                .label(format!("expected {} or later", from.value))
                .also(from.span, "it begins here"),
        );
    }
    Some(Effective { from, until })
}

/// Reads that data has been deleted.
pub fn disposed(d: &mut Decoder, node: &Node) -> Option<Disposed> {
    let mut f = Fields::new(d, node, "a disposal")?;
    let date = f.required(d, "date", |d, n| d.date(n)).map(|t| t.value);
    let evidence = f.required(d, "evidence", |d, n| d.text(n)).map(|t| t.value);
    let span = f.head();
    f.finish(d);
    Some(Disposed { date: date?, evidence: evidence?, span })
}
