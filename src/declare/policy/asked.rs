//! How the keys of matchers are read, by the sort of their values.

use super::joined::joined;
use super::matcher::{
    AgreementRef, AllOf, AnyOf, AtLeast, AtMost, Attested, Bases, ByFlow, Labels, PlaceKeys, Purposes,
    Stands, any_of, matcher,
};
use crate::base::bits::LeafSet;
use crate::base::diagnostic::Diagnostic;
use crate::base::glob::Glob;
use crate::base::lexicon::Sort;
use crate::base::sets::{CodeSet, GlobSet, WordSet};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Word;
use crate::declare::{lexicon, places};
use crate::read::decode::{Decoder, Fields};
use crate::read::yaml::{Node, Value};

/// What a key asks for.
pub trait Asked: Clone + Default {
    /// Whether the key is not written.
    fn is_absent(&self) -> bool;

    /// Reads the key.
    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self;

    /// What asks for any of what some ask for, if there is such a thing.
    fn join(_all: Vec<Self>) -> Option<Self> {
        None
    }
}

fn texts(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Vec<String> {
    f.list(d, key, |d, n| d.text(n)).into_iter().map(|t| t.value).collect()
}

/// An assurance asked for: its name, or `{id, at_most}`.
pub fn attested(d: &mut Decoder, node: &Node) -> Option<Attested> {
    let also = |d: &mut Decoder, id: &str| lexicon::of(d).also(Sort::Assurance, id);
    if !matches!(node.value, Value::Map(_)) {
        let id = d.text(node)?.value;
        return Some(Attested { also: also(d, &id), id, at_most: None });
    }
    let mut f = Fields::new(d, node, "an assurance asked for")?;
    let id = f.required(d, "id", |d, n| d.text(n));
    let at_most = f.with(d, "at_most", |d, n| d.duration(n)).map(|t| t.value);
    f.finish(d);
    let id = id?.value;
    Some(Attested { also: also(d, &id), id, at_most })
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
        _ => matcher(d, node, Stands::OfFlow).map(|m| AgreementRef::Like(Box::new(m))),
    }
}
impl Asked for GlobSet {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        GlobSet::new(texts(d, f, key).into_iter().map(Glob::new))
    }

    fn join(all: Vec<Self>) -> Option<Self> {
        let also = all.iter().flat_map(|globs| globs.also().iter().cloned());
        Some(GlobSet::with(all.iter().flat_map(|globs| globs.iter().cloned()), also))
    }
}

impl Asked for Bases {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        let written = texts(d, f, key);
        if written.is_empty() {
            return Bases::default();
        }
        let words = lexicon::of(d);
        let also: Vec<String> = written.iter().flat_map(|glob| words.also(Sort::LegalBasis, glob)).collect();
        Bases(GlobSet::with(written.into_iter().map(Glob::new), also.into_iter().map(Glob::new)))
    }

    fn join(all: Vec<Self>) -> Option<Self> {
        Asked::join(all.into_iter().map(|bases| bases.0).collect()).map(Bases)
    }
}

impl Asked for WordSet {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        WordSet::new(texts(d, f, key))
    }

    fn join(all: Vec<Self>) -> Option<Self> {
        Some(WordSet::new(all.iter().flat_map(|words| words.iter().cloned()).collect()))
    }
}

impl Asked for AllOf {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        AllOf(WordSet::new(texts(d, f, key)))
    }
}

impl Asked for CodeSet {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        CodeSet::new(f.list(d, key, places::named))
    }
}

impl<W: Word> Asked for Vec<W> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        f.list(d, key, |d, n| d.word::<W>(n)).into_iter().map(|w| w.value).collect()
    }
}

impl Asked for AtLeast {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        AtLeast(Asked::read(d, f, key))
    }
}

impl Asked for Purposes {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        Purposes(f.list(d, key, |d, n| d.purpose(n)).into_iter().map(|k| k.value).collect())
    }
}

impl Asked for Option<LeafSet> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        f.get(key)?;
        let keys: Vec<Key> = f.list(d, key, |d, n| d.category(n)).into_iter().map(|k| k.value).collect();
        Some(d.data.leaves(&keys))
    }
}

impl Asked for Option<bool> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        f.with(d, key, |d, n| d.flag(n)).map(|b| b.value)
    }
}

impl Asked for ByFlow {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        ByFlow(Asked::read(d, f, key))
    }
}

/// `{at_most: 24h}`.
impl Asked for AtMost {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        AtMost(f.with(d, key, |d, node| {
            let mut f = Fields::new(d, node, "a retention asked for")?;
            let most = f.required(d, "at_most", |d, n| d.duration(n));
            f.finish(d);
            Some(most?.value)
        }))
    }
}

impl Asked for AnyOf<PlaceKeys> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        any_of(d, f, key, Stands::Elsewhere)
    }

    fn join(all: Vec<Self>) -> Option<Self> {
        Some(AnyOf(joined(all.into_iter().flat_map(|list| list.0).collect())))
    }
}

impl Asked for Vec<AgreementRef> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        f.list(d, key, agreement_ref)
    }
}

impl Asked for Vec<Attested> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        f.list(d, key, attested)
    }
}

impl Asked for Labels {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn read(d: &mut Decoder, f: &mut Fields, key: &'static str) -> Self {
        let Some(node) = f.get(key) else {
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
}
