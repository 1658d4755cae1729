//! Matchers, as written. How they hold is for `crate::model::matching`.

use super::joined::{all_globs, all_matchers, all_words, joined, sole};
use crate::base::bits::LeafSet;
use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::glob::Glob;
use crate::base::sets::{CodeSet, GlobSet, WordSet};
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Kind, Relation, Role, Status, Transform};
use crate::read::decode::{Decoder, Fields};
use crate::read::yaml::{Node, Value};

/// Which way a match pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A match makes a finding more likely.
    Likely,
    /// A match makes a finding less likely.
    Unlikely,
}

impl Reading {
    /// Within a `not`.
    pub fn turned(self) -> Self {
        match self {
            Reading::Likely => Reading::Unlikely,
            Reading::Unlikely => Reading::Likely,
        }
    }
}

/// Any one of these; none at all: the matcher is absent.
#[derive(Debug, Clone)]
pub struct AnyOf<K>(pub Vec<Matcher<K>>);

impl<K> Default for AnyOf<K> {
    fn default() -> Self {
        AnyOf(Vec::new())
    }
}

impl<K> AnyOf<K> {
    /// Whether it is absent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where it is written.
    pub fn span(&self) -> Option<Span> {
        self.0.first().map(|m| m.span)
    }
}

/// All its keys hold, one of `any` (if stated), and none of `not`.
#[derive(Debug, Clone)]
pub struct Matcher<K> {
    /// The keys.
    pub keys: K,
    /// One of these, unless empty.
    pub any: Vec<Matcher<K>>,
    /// None of these.
    pub not: Vec<Matcher<K>>,
    /// Where it is written.
    pub span: Span,
}

/// The keys of one sort of matcher.
pub trait Keys: Sized {
    /// What it is, for errors.
    const WHAT: &'static str;
    /// Reads them; `arrival` where `relation` is known.
    fn read(d: &mut Decoder, f: &mut Fields, arrival: bool) -> Self;
    /// The one key that is there, if matchers of it alone can be joined: of such keys, what one or the other
    /// matches is what both their values together match.
    fn only(&self) -> Option<&'static str>;
    /// One for all of some that have this key alone.
    fn join(key: &'static str, all: Vec<Self>) -> Self;
}

/// An assurance asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attested {
    /// What.
    pub id: String,
    /// Given at most so long before the day judged, if that matters.
    pub at_most: Option<Duration>,
}

/// Labels asked for: all of these keys, each with a value like one of these.
pub type Labels = Vec<(String, GlobSet)>;

/// Keys of a place. An empty list: the key is absent.
#[derive(Debug, Clone, Default)]
pub struct PlaceKeys {
    /// The party's id.
    pub party: GlobSet,
    /// `party/system`.
    pub system: GlobSet,
    /// The party's role.
    pub role: Vec<Role>,
    /// What the system is run for.
    pub purpose: Vec<Key>,
    /// One of its tags.
    pub tag: WordSet,
    /// Where the system stands.
    pub region: CodeSet,
    /// Where the party is established.
    pub jurisdiction: CodeSet,
    /// The system's labels, or else its party's.
    pub label: Labels,
    /// What the place is to the data (in `forbid.to`).
    pub relation: Vec<Relation>,
}

/// Keys of a flow.
#[derive(Debug, Clone, Default)]
pub struct FlowKeys {
    /// What is done to the data.
    pub transform: Vec<Transform>,
    /// At least this consent.
    pub consent: Vec<Consent>,
    /// All of these.
    pub safeguards: WordSet,
    /// What for.
    pub purpose: Vec<Key>,
    /// One of its tags.
    pub tag: WordSet,
    /// Its labels.
    pub label: Labels,
    /// What it carries; `None`: absent.
    pub data: Option<LeafSet>,
    /// Where it starts.
    pub from: AnyOf<PlaceKeys>,
    /// Where it ends.
    pub to: AnyOf<PlaceKeys>,
    /// Whether its ends belong to two parties.
    pub crosses_parties: Option<bool>,
    /// What it runs under; one of these, unless empty.
    pub agreement: Vec<AgreementRef>,
}

impl Matcher<FlowKeys> {
    /// What it asks, as one matcher for each condition: all of them together ask the same.
    pub fn conditions(&self) -> Vec<Self> {
        let empty =
            || Matcher { keys: FlowKeys::default(), any: Vec::new(), not: Vec::new(), span: self.span };
        let mut all = Vec::new();
        let mut one = |set: &dyn Fn(&mut FlowKeys)| {
            let mut condition = empty();
            set(&mut condition.keys);
            all.push(condition);
        };
        let keys = &self.keys;
        macro_rules! conditions {
            ($($key:ident),*) => {$(
                if !keys.$key.is_empty() {
                    one(&|condition| condition.$key.clone_from(&keys.$key));
                }
            )*};
        }
        conditions!(transform, consent, safeguards, purpose, tag, label, from, to, agreement);
        if keys.data.is_some() {
            one(&|condition| condition.data.clone_from(&keys.data));
        }
        if keys.crosses_parties.is_some() {
            one(&|condition| condition.crosses_parties = keys.crosses_parties);
        }
        if !self.any.is_empty() {
            all.push(Matcher { any: self.any.clone(), ..empty() });
        }
        all.extend(self.not.iter().map(|not| Matcher { not: vec![not.clone()], ..empty() }));
        all
    }
}

/// What a flow runs under.
#[derive(Debug, Clone)]
pub enum AgreementRef {
    /// No agreement.
    None,
    /// An agreement like this.
    Like(Box<Matcher<AgreementKeys>>),
}

/// Keys of an agreement.
#[derive(Debug, Clone, Default)]
pub struct AgreementKeys {
    /// Its id.
    pub id: GlobSet,
    /// Sharing or processing.
    pub kind: Vec<Kind>,
    /// Where it stands.
    pub status: Vec<Status>,
    /// Why it is lawful (of a flow: the flow's own before the agreement's).
    pub legal_basis: GlobSet,
    /// One of its assurances that holds on the day judged.
    pub assurance: Vec<Attested>,
    /// Its labels.
    pub label: Labels,
    /// One of its parties (in `where`).
    pub party: GlobSet,
    /// The role of one of its parties (in `where`).
    pub role: Vec<Role>,
    /// What one of its flows carries (in `where`); `None`: absent.
    pub data: Option<LeafSet>,
}

/// Reads the matcher at a key: one, or a list of which any may hold.
pub fn any_of<K: Keys>(d: &mut Decoder, f: &mut Fields, key: &'static str, arrival: bool) -> AnyOf<K> {
    AnyOf(joined(f.list(d, key, |d, n| matcher(d, n, arrival))))
}

fn matcher<K: Keys>(d: &mut Decoder, node: &Node, arrival: bool) -> Option<Matcher<K>> {
    let mut f = Fields::new(d, node, K::WHAT)?;
    let keys = K::read(d, &mut f, arrival);
    let any = joined(f.list(d, "any", |d, n| matcher(d, n, arrival)));
    let not = joined(f.list(d, "not", |d, n| matcher(d, n, arrival)));
    let says_nothing = match &node.value {
        Value::Map(entries) => entries.iter().all(|e| match &e.value.value {
            Value::Null => true,
            Value::Seq(items) => items.is_empty(),
            _ => false,
        }),
        _ => false,
    };
    f.finish(d);
    if says_nothing {
        d.report(
            Diagnostic::new("empty-matcher", format!("{} that says nothing", K::WHAT), node.span)
                .label("expected at least one key")
                .help("leave the matcher out to mean any"),
        );
    }
    Some(Matcher { keys, any, not, span: node.span })
}

fn globs(d: &mut Decoder, f: &mut Fields, key: &'static str) -> GlobSet {
    GlobSet::new(f.list(d, key, |d, n| d.text(n)).into_iter().map(|t| Glob::new(t.value)))
}

fn texts(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Vec<String> {
    f.list(d, key, |d, n| d.text(n)).into_iter().map(|t| t.value).collect()
}

/// An assurance asked for: its name, or `{id, at_most}`.
pub fn attested(d: &mut Decoder, node: &Node) -> Option<Attested> {
    if !matches!(node.value, Value::Map(_)) {
        return d.text(node).map(|id| Attested { id: id.value, at_most: None });
    }
    let mut f = Fields::new(d, node, "an assurance asked for")?;
    let id = f.required(d, "id", |d, n| d.text(n));
    let at_most = f.with(d, "at_most", |d, n| d.duration(n)).map(|t| t.value);
    f.finish(d);
    Some(Attested { id: id?.value, at_most })
}

/// Labels asked for: a map from label to globs.
fn labels(d: &mut Decoder, f: &mut Fields) -> Labels {
    let Some(node) = f.get("label") else {
        return Vec::new();
    };
    let before = d.diagnostics.len();
    let mut wanted: Labels = d.map(node, "labels (a map from label to glob)", |d, key, value| {
        let globs = GlobSet::new(d.list(value, |d, n| d.text(n)).into_iter().map(|t| Glob::new(t.value)));
        (!globs.is_empty()).then_some((key.value, globs))
    });
    if wanted.is_empty() && d.diagnostics.len() == before {
        d.report(
            Diagnostic::new("empty-matcher", "a `label` that asks for none", node.span)
                .label("expected a label and a glob")
                .help("write `label: {name: \"*\"}` to ask for any value"),
        );
    }
    wanted.sort_by(|a, b| a.0.cmp(&b.0));
    wanted
}

fn words<W: crate::base::vocabulary::Word>(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Vec<W> {
    f.list(d, key, |d, n| d.word::<W>(n)).into_iter().map(|w| w.value).collect()
}

fn purposes(d: &mut Decoder, f: &mut Fields) -> Vec<Key> {
    f.list(d, "purpose", |d, n| d.purpose(n)).into_iter().map(|k| k.value).collect()
}

fn leaves(d: &mut Decoder, f: &mut Fields) -> Option<LeafSet> {
    f.get("data")?;
    let keys: Vec<Key> = f.list(d, "data", |d, n| d.category(n)).into_iter().map(|k| k.value).collect();
    Some(d.data.leaves(&keys))
}

impl Keys for PlaceKeys {
    const WHAT: &'static str = "a matcher of places";

    fn read(d: &mut Decoder, f: &mut Fields, arrival: bool) -> Self {
        PlaceKeys {
            party: globs(d, f, "party"),
            system: globs(d, f, "system"),
            role: words(d, f, "role"),
            purpose: purposes(d, f),
            tag: WordSet::new(texts(d, f, "tag")),
            region: CodeSet::new(texts(d, f, "region")),
            jurisdiction: CodeSet::new(texts(d, f, "jurisdiction")),
            label: labels(d, f),
            relation: if arrival { words(d, f, "relation") } else { no_relation(d, f) },
        }
    }

    fn only(&self) -> Option<&'static str> {
        let PlaceKeys { party, system, role, purpose, tag, region, jurisdiction, label, relation } = self;
        sole(&[
            ("party", !party.is_empty()),
            ("system", !system.is_empty()),
            ("tag", !tag.is_empty()),
            ("", !role.is_empty()),
            ("", !purpose.is_empty()),
            ("", !region.is_empty()),
            ("", !jurisdiction.is_empty()),
            ("", !label.is_empty()),
            ("", !relation.is_empty()),
        ])
        .filter(|key| !key.is_empty())
    }

    fn join(key: &'static str, all: Vec<Self>) -> Self {
        let none = PlaceKeys::default();
        match key {
            "party" => PlaceKeys { party: all_globs(all.iter().map(|k| &k.party)), ..none },
            "system" => PlaceKeys { system: all_globs(all.iter().map(|k| &k.system)), ..none },
            _ => PlaceKeys { tag: all_words(all.iter().map(|k| &k.tag)), ..none },
        }
    }
}

/// Only an arrival has a relation to the data.
fn no_relation(d: &mut Decoder, f: &mut Fields) -> Vec<Relation> {
    if let Some(span) = f.key_span("relation") {
        f.known_elsewhere("relation");
        d.report(
            Diagnostic::new("unknown-key", "`relation` is known in `to` of a `forbid` alone", span)
                .label("not known here")
                .help("it is what the place where data arrives is to that data"),
        );
    } else {
        f.known_elsewhere("relation");
    }
    Vec::new()
}

impl Keys for FlowKeys {
    const WHAT: &'static str = "a matcher of flows";

    fn read(d: &mut Decoder, f: &mut Fields, _: bool) -> Self {
        FlowKeys {
            transform: words(d, f, "transform"),
            consent: words(d, f, "consent"),
            safeguards: WordSet::new(texts(d, f, "safeguards")),
            purpose: purposes(d, f),
            tag: WordSet::new(texts(d, f, "tag")),
            label: labels(d, f),
            data: leaves(d, f),
            from: any_of(d, f, "from", false),
            to: any_of(d, f, "to", false),
            crosses_parties: f.with(d, "crosses_parties", |d, n| d.flag(n)).map(|b| b.value),
            agreement: f.list(d, "agreement", agreement_ref),
        }
    }

    fn only(&self) -> Option<&'static str> {
        let FlowKeys {
            transform,
            consent,
            safeguards,
            purpose,
            tag,
            label,
            data,
            from,
            to,
            crosses_parties,
            agreement,
        } = self;
        sole(&[
            ("tag", !tag.is_empty()),
            ("from", !from.is_empty()),
            ("to", !to.is_empty()),
            ("", !transform.is_empty()),
            ("", !consent.is_empty()),
            ("", !safeguards.is_empty()),
            ("", !purpose.is_empty()),
            ("", !label.is_empty()),
            ("", data.is_some()),
            ("", crosses_parties.is_some()),
            ("", !agreement.is_empty()),
        ])
        .filter(|key| !key.is_empty())
    }

    fn join(key: &'static str, all: Vec<Self>) -> Self {
        let none = FlowKeys::default();
        match key {
            "from" => FlowKeys { from: all_matchers(all.into_iter().map(|k| k.from)), ..none },
            "to" => FlowKeys { to: all_matchers(all.into_iter().map(|k| k.to)), ..none },
            _ => FlowKeys { tag: all_words(all.iter().map(|k| &k.tag)), ..none },
        }
    }
}

fn agreement_ref(d: &mut Decoder, node: &Node) -> Option<AgreementRef> {
    match &node.value {
        Value::Scalar(scalar) if scalar.text == "none" => Some(AgreementRef::None),
        Value::Scalar(_) => {
            d.report(
                Diagnostic::new("wrong-type", "expected `none` or a matcher of agreements", node.span)
                    .label("expected `none` or a map")
                    .help("to name an agreement, write `agreement: {id: …}`"),
            );
            None
        }
        _ => matcher::<OfFlow>(d, node, false).map(|m| AgreementRef::Like(Box::new(unwrap(m)))),
    }
}

/// The keys of an agreement that a flow matcher may ask for: not those of `where`.
struct OfFlow(AgreementKeys);

fn unwrap(m: Matcher<OfFlow>) -> Matcher<AgreementKeys> {
    Matcher {
        keys: m.keys.0,
        any: m.any.into_iter().map(unwrap).collect(),
        not: m.not.into_iter().map(unwrap).collect(),
        span: m.span,
    }
}

impl Keys for OfFlow {
    const WHAT: &'static str = "a matcher of a flow's agreement";

    fn read(d: &mut Decoder, f: &mut Fields, _: bool) -> Self {
        OfFlow(AgreementKeys {
            id: globs(d, f, "id"),
            kind: words(d, f, "kind"),
            status: words(d, f, "status"),
            legal_basis: globs(d, f, "legal_basis"),
            assurance: f.list(d, "assurance", attested),
            label: labels(d, f),
            ..AgreementKeys::default()
        })
    }

    fn only(&self) -> Option<&'static str> {
        self.0.only()
    }

    fn join(key: &'static str, all: Vec<Self>) -> Self {
        OfFlow(AgreementKeys::join(key, all.into_iter().map(|keys| keys.0).collect()))
    }
}

impl Keys for AgreementKeys {
    const WHAT: &'static str = "a matcher of agreements";

    fn read(d: &mut Decoder, f: &mut Fields, arrival: bool) -> Self {
        AgreementKeys {
            party: globs(d, f, "party"),
            role: words(d, f, "role"),
            data: leaves(d, f),
            ..OfFlow::read(d, f, arrival).0
        }
    }

    fn only(&self) -> Option<&'static str> {
        let AgreementKeys { id, kind, status, legal_basis, assurance, label, party, role, data } = self;
        sole(&[
            ("id", !id.is_empty()),
            ("party", !party.is_empty()),
            ("", !kind.is_empty()),
            ("", !status.is_empty()),
            ("", !legal_basis.is_empty()),
            ("", !assurance.is_empty()),
            ("", !label.is_empty()),
            ("", !role.is_empty()),
            ("", data.is_some()),
        ])
        .filter(|key| !key.is_empty())
    }

    fn join(key: &'static str, all: Vec<Self>) -> Self {
        let none = AgreementKeys::default();
        match key {
            "id" => AgreementKeys { id: all_globs(all.iter().map(|k| &k.id)), ..none },
            _ => AgreementKeys { party: all_globs(all.iter().map(|k| &k.party)), ..none },
        }
    }
}
