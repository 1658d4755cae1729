//! Matchers, as written: one entry for each key says what it asks for and how it reads in a sentence.
//! How a key holds of a place, flow or agreement is for `crate::model::matching`.
//!
//! A key is a field of one of the tables at the end of this file. What follows from its sort of
//! values comes with that sort: how it is read (`asked`), how it is worded
//! (`crate::declare::words`), what can be proved of it (`never`).

use std::ops::Deref;

use super::asked::Asked;
use super::joined::joined;
use super::never::{Proof, Prover};
use crate::base::bits::LeafSet;
use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::sets::{CodeSet, GlobSet, WordSet};
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Consent, Kind, Relation, Role, Status, Transform};
use crate::declare::words::{InWords, Names};
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

/// Where a matcher stands, which decides what its keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// In `to` of a `forbid`: data arrives there.
    Arrival,
    /// In a flow's `agreement`.
    OfFlow,
    /// Anywhere else.
    Elsewhere,
}

/// What is known of the values that a key looks at, beside their sort.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// What is matched always has a value.
    pub always: bool,
    /// What is matched can have several.
    pub several: bool,
    /// Where alone the key is known; `None`: everywhere.
    pub within: Option<Stands>,
    /// Where the key is not known.
    pub without: Option<Stands>,
}

/// One value, which need not be there.
const ONE: Looks = Looks { always: false, several: false, within: None, without: None };
/// One value, which is always there.
const THE: Looks = Looks { always: true, ..ONE };
/// Perhaps several values.
const SOME: Looks = Looks { several: true, ..ONE };

/// The keys of one sort of matcher.
pub trait Keys: Clone + Default {
    /// What it is, for errors.
    fn what(stands: Stands) -> &'static str;
    /// Reads them.
    fn read(d: &mut Decoder, f: &mut Fields, stands: Stands) -> Self;
    /// The names of those that are written.
    fn stated(&self) -> Vec<&'static str>;
    /// Takes one away.
    fn leave_out(&mut self, key: &str);
    /// One of them alone.
    fn alone(&self, key: &str) -> Self;
    /// What asks for any of what some ask for that have this key alone, if there is such a thing.
    fn join(key: &str, all: &[Self]) -> Option<Self>;
    /// A part of a sentence for each.
    fn parts(&self, names: Names) -> Vec<String>;
    /// Whether whatever has the keys `given`, so read, has these, so read.
    fn follow(&self, given: &Self, read: (Reading, Reading), p: &Prover) -> bool;
    /// Whether nothing has both.
    fn exclude(&self, other: &Self) -> bool;
    /// Whether everything has these.
    fn hold_for_all(&self, p: &Prover) -> bool;
}

macro_rules! keys {
    (
        $(#[$doc:meta])*
        $name:ident: $what:expr;
        $($(#[$kdoc:meta])* $key:ident: $sort:ty, $looks:expr, $lead:literal;)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name { $($(#[$kdoc])* pub $key: $sort),+ }

        impl Keys for $name {
            fn what(stands: Stands) -> &'static str {
                let what: fn(Stands) -> &'static str = $what;
                what(stands)
            }

            fn read(d: &mut Decoder, f: &mut Fields, stands: Stands) -> Self {
                $name { $($key: read_at(d, f, stringify!($key), $looks, stands)),+ }
            }

            fn stated(&self) -> Vec<&'static str> {
                let all = [$((stringify!($key), self.$key.is_absent())),+];
                all.into_iter().filter(|(_, absent)| !absent).map(|(key, _)| key).collect()
            }

            fn leave_out(&mut self, key: &str) {
                $(if key == stringify!($key) { self.$key = Default::default(); })+
            }

            fn alone(&self, key: &str) -> Self {
                let mut alone = Self::default();
                $(if key == stringify!($key) { alone.$key.clone_from(&self.$key); })+
                alone
            }

            fn join(key: &str, all: &[Self]) -> Option<Self> {
                $(if key == stringify!($key) {
                    let joined = Asked::join(all.iter().map(|keys| keys.$key.clone()).collect())?;
                    return Some($name { $key: joined, ..Self::default() });
                })+
                None
            }

            fn parts(&self, names: Names) -> Vec<String> {
                let mut parts = Vec::new();
                $(if !self.$key.is_absent() { parts.extend(self.$key.parts($lead, names)); })+
                parts
            }

            fn follow(&self, given: &Self, read: (Reading, Reading), p: &Prover) -> bool {
                true $(&& (self.$key.is_absent() || self.$key.follows(&given.$key, $looks, read, p)))+
            }

            fn exclude(&self, other: &Self) -> bool {
                false $(|| !self.$key.is_absent()
                    && !other.$key.is_absent()
                    && self.$key.excludes(&other.$key, $looks))+
            }

            fn hold_for_all(&self, p: &Prover) -> bool {
                true $(&& (self.$key.is_absent() || self.$key.always($looks, p)))+
            }
        }
    };
}

/// Reads a key where it is known.
fn read_at<A: Asked>(d: &mut Decoder, f: &mut Fields, key: &'static str, looks: Looks, stands: Stands) -> A {
    if looks.without == Some(stands) {
        return A::default();
    }
    if looks.within.is_none_or(|within| within == stands) {
        return A::read(d, f, key);
    }
    // Known elsewhere alone.
    if let Some(span) = f.key_span(key) {
        d.report(
            Diagnostic::new("unknown-key", format!("`{key}` is known in `to` of a `forbid` alone"), span)
                .label("not known here")
                .help("it is what the place where data arrives is to that data"),
        );
    }
    f.known_elsewhere(key);
    A::default()
}

keys! {
    /// Keys of a place.
    PlaceKeys: |_| "a matcher of places";
    /// The party's id.
    party: GlobSet, THE, "the party is";
    /// `party/system`; a party need not have one.
    system: GlobSet, ONE, "the system is";
    /// The party's role.
    role: Vec<Role>, THE, "the party's role is";
    /// What the system is run for.
    purpose: Purposes, SOME, "the purpose is";
    /// One of its tags.
    tag: WordSet, SOME, "a tag is";
    /// Where the system stands.
    region: CodeSet, SOME, "the region is";
    /// Where the party is established.
    jurisdiction: CodeSet, ONE, "the jurisdiction is";
    /// What the place is to the data.
    relation: Vec<Relation>, Looks { within: Some(Stands::Arrival), ..THE }, "its relation to the data is";
    /// Whether the data came by a flow, rather than starts there.
    by_flow: ByFlow, Looks { within: Some(Stands::Arrival), ..THE }, "the data";
    /// The system's labels, or else its party's.
    label: Labels, ONE, "label";
}

keys! {
    /// Keys of a flow.
    FlowKeys: |_| "a matcher of flows";
    /// What is done to the data.
    transform: Vec<Transform>, THE, "its transform is";
    /// At least this consent.
    consent: AtLeast, THE, "its consent is at least";
    /// All of these.
    safeguards: AllOf, SOME, "its safeguards include";
    /// The receiver keeps what comes by it at most so long.
    retention: AtMost, ONE, "its retention is at most";
    /// What for.
    purpose: Purposes, SOME, "its purpose is";
    /// One of its tags.
    tag: WordSet, SOME, "a tag is";
    /// What it carries; `None`: absent.
    data: Option<LeafSet>, THE, "it carries";
    /// Where it starts.
    from: AnyOf<PlaceKeys>, THE, "it comes from";
    /// Where it ends.
    to: AnyOf<PlaceKeys>, THE, "it goes to";
    /// Whether its ends belong to two parties.
    crosses_parties: Option<bool>, THE, "it";
    /// What it runs under; one of these, unless empty.
    agreement: Vec<AgreementRef>, THE, "its agreement is";
    /// Its labels.
    label: Labels, ONE, "label";
}

/// Known in `where` alone: a flow has these of its own.
const IN_WHERE: Looks = Looks { without: Some(Stands::OfFlow), ..SOME };

keys! {
    /// Keys of an agreement.
    AgreementKeys: |stands| match stands {
        Stands::OfFlow => "a matcher of a flow's agreement",
        Stands::Arrival | Stands::Elsewhere => "a matcher of agreements",
    };
    /// Its id.
    id: GlobSet, THE, "its id is";
    /// Sharing or processing.
    kind: Vec<Kind>, THE, "its kind is";
    /// Where it stands.
    status: Vec<Status>, THE, "its status is";
    /// Why it is lawful (of a flow: the flow's own before the agreement's).
    legal_basis: Bases, SOME, "a legal basis is";
    /// One of its assurances that holds on the day judged.
    assurance: Vec<Attested>, SOME, "it has the assurance";
    /// One of its parties.
    party: GlobSet, Looks { always: true, ..IN_WHERE }, "a party is";
    /// The role of one of its parties.
    role: Vec<Role>, Looks { always: true, ..IN_WHERE }, "a party's role is";
    /// What one of its flows carries; `None`: absent.
    data: Option<LeafSet>, IN_WHERE, "a flow carries";
    /// Its labels.
    label: Labels, ONE, "label";
}

impl<K: Keys> Matcher<K> {
    /// What it asks, as one matcher for each condition: all of them together ask the same.
    pub fn conditions(&self) -> Vec<Self> {
        let empty = || Matcher { keys: K::default(), any: Vec::new(), not: Vec::new(), span: self.span };
        let keys = self.keys.stated().into_iter();
        let mut all: Vec<Self> = keys.map(|key| Matcher { keys: self.keys.alone(key), ..empty() }).collect();
        if !self.any.is_empty() {
            all.push(Matcher { any: self.any.clone(), ..empty() });
        }
        all.extend(self.not.iter().map(|not| Matcher { not: vec![not.clone()], ..empty() }));
        all
    }

    /// Whether it asks for nothing but some keys.
    pub fn asks_only(&self, keys: &[&str]) -> bool {
        self.keys.stated().iter().all(|key| keys.contains(key))
            && self.any.iter().chain(&self.not).all(|inner| inner.asks_only(keys))
    }
}

/// An assurance asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attested {
    /// What.
    pub id: String,
    /// Older words for it.
    pub also: Vec<String>,
    /// Given at most so long before the day judged, if that matters.
    pub at_most: Option<Duration>,
}

impl Attested {
    /// Whether an assurance of this name is the one asked for.
    pub fn is(&self, id: &str) -> bool {
        self.id == id || self.also.iter().any(|older| older == id)
    }
}

/// Labels asked for: all of these keys, each with a value like one of these.
pub type Labels = Vec<(String, GlobSet)>;

/// What a flow runs under.
#[derive(Debug, Clone)]
pub enum AgreementRef {
    /// No agreement.
    None,
    /// An agreement like this.
    Like(Box<Matcher<AgreementKeys>>),
}

macro_rules! sorts {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name(pub $inner);

        impl Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.0
            }
        }
    )+};
}

sorts! {
    /// Purposes, each standing for all below it.
    Purposes(Vec<Key>);
    /// The least of these, or more.
    AtLeast(Vec<Consent>);
    /// All of these.
    AllOf(WordSet);
    /// Legal bases, and the older words for them.
    Bases(GlobSet);
    /// At most so long.
    AtMost(Option<Duration>);
    /// By a flow, or not.
    ByFlow(Option<bool>);
}

/// Reads the matcher at a key: one, or a list of which any may hold.
pub fn any_of<K: Keys>(d: &mut Decoder, f: &mut Fields, key: &'static str, stands: Stands) -> AnyOf<K> {
    AnyOf(joined(f.list(d, key, |d, n| matcher(d, n, stands))))
}

pub(super) fn matcher<K: Keys>(d: &mut Decoder, node: &Node, stands: Stands) -> Option<Matcher<K>> {
    let what = K::what(stands);
    let mut f = Fields::new(d, node, what)?;
    let keys = K::read(d, &mut f, stands);
    let any = joined(f.list(d, "any", |d, n| matcher(d, n, stands)));
    let not = joined(f.list(d, "not", |d, n| matcher(d, n, stands)));
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
            Diagnostic::new("empty-matcher", format!("{what} that says nothing"), node.span)
                .label("expected at least one key")
                .help("leave the matcher out to mean any"),
        );
    }
    Some(Matcher { keys, any, not, span: node.span })
}
