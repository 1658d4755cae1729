//! The keys of one map.

use super::{Decoder, NO_SPACE, Spanned, looks_like_key};
use crate::base::diagnostic::Diagnostic;
use crate::base::source::Span;
use crate::read::documents;
use crate::read::yaml::{Entry, Node, Value};

/// A map that is being decoded. Every key asked for is known; [`Fields::finish`]
/// reports the others.
#[derive(Debug, Clone)]
pub struct Fields<'n> {
    what: &'static str,
    span: Span,
    entries: &'n [Entry<'n>],
    defaults: &'n [Entry<'n>],
    /// The [`mark`]s of all keys of both.
    marks: u64,
    /// Which of the first 64 entries were asked for.
    asked: u64,
    known: Vec<&'static str>,
    elsewhere: Vec<&'static str>,
}

/// A bit for a key. Most keys that may stand in a map do not, and most of these have a bit that
/// no key there has.
fn mark(key: &str) -> u64 {
    let first = key.bytes().next().unwrap_or_default();
    1 << ((key.len() * 7 + usize::from(first)) % 64)
}

fn marks(entries: &[Entry]) -> u64 {
    entries.iter().fold(0, |all, entry| all | mark(&entry.key))
}

fn absent(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Seq(items) => items.is_empty(),
        _ => false,
    }
}

impl<'n> Fields<'n> {
    /// The keys of `node`, which is `what` ("a flow"); an error if it is no map.
    pub fn new(d: &mut Decoder, node: &'n Node<'n>, what: &'static str) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => Some(Fields {
                what,
                span: node.span,
                entries,
                defaults: &[],
                marks: marks(entries),
                asked: 0,
                known: d.lists_of_keys.pop().unwrap_or_default(),
                elsewhere: Vec::new(),
            }),
            _ => {
                d.wrong_type(node, &format!("{what} (a map of keys)"));
                None
            }
        }
    }

    /// Takes keys that are absent here from `defaults`.
    #[must_use]
    pub fn or_from(mut self, defaults: &'n [Entry<'n>]) -> Self {
        self.defaults = defaults;
        self.marks |= marks(defaults);
        self
    }

    fn entry(&mut self, key: &'static str, there: impl Fn(&Node) -> bool) -> Option<&'n Entry<'n>> {
        self.known.push(key);
        if self.marks & mark(key) == 0 {
            return None;
        }
        if let Some(at) = self.entries.iter().position(|e| e.key == key) {
            self.asked |= u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or_default();
            let own = self.entries.get(at).filter(|e| there(&e.value));
            if own.is_some() {
                return own;
            }
        }
        self.defaults.iter().find(|e| e.key == key && there(&e.value))
    }

    /// The value of a key, unless it is absent.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node<'n>> {
        self.entry(key, |node| !absent(node)).map(|e| &e.value)
    }

    /// The value of a key of which an empty list says something.
    pub fn get_even_empty(&mut self, key: &'static str) -> Option<&'n Node<'n>> {
        self.entry(key, |node| node.value != Value::Null).map(|e| &e.value)
    }

    /// Where a key is written, absent values aside.
    pub fn key_span(&mut self, key: &'static str) -> Option<Span> {
        self.entry(key, |node| !absent(node)).map(|e| e.key_span)
    }

    /// Decodes a key's value, unless it is absent.
    pub fn with<T>(
        &mut self,
        d: &mut Decoder,
        key: &'static str,
        decode: impl FnOnce(&mut Decoder, &'n Node<'n>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).and_then(|node| d.of_key(key, |d| decode(d, node)))
    }

    /// Decodes a list, or the one value that stands for it.
    pub fn list<T>(
        &mut self,
        d: &mut Decoder,
        key: &'static str,
        each: impl FnMut(&mut Decoder, &Node) -> Option<T>,
    ) -> Vec<T> {
        self.get(key).map(|node| d.of_key(key, |d| d.list(node, each))).unwrap_or_default()
    }

    /// Decodes a list of which an empty one is a mistake.
    pub fn full_list<T>(
        &mut self,
        d: &mut Decoder,
        key: &'static str,
        required: bool,
        each: impl FnMut(&mut Decoder, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let node = self.get_even_empty(key)?;
        if matches!(&node.value, Value::Seq(items) if items.iter().all(|i| i.value == Value::Null)) {
            d.report(
                Diagnostic::new("empty-list", format!("`{key}` of {} is empty", self.what), node.span)
                    .label("expected at least one value")
                    .help(if required {
                        "name at least one".to_owned()
                    } else {
                        format!("name at least one, or leave `{key}` out")
                    }),
            );
            return Some(Vec::new());
        }
        Some(d.list(node, each))
    }

    /// Decodes a required key.
    pub fn required<T>(
        &mut self,
        d: &mut Decoder,
        key: &'static str,
        decode: impl FnOnce(&mut Decoder, &'n Node<'n>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(node) => d.of_key(key, |d| decode(d, node)),
            None => {
                self.missing(d, key);
                None
            }
        }
    }

    /// Reports that a required key is absent.
    pub fn missing(&self, d: &mut Decoder, key: &str) {
        let written = self.entries.iter().find(|e| e.key == key);
        let span = written.map_or_else(|| self.head(), |e| e.key_span);
        d.report(
            Diagnostic::new("missing-key", format!("{} needs the key `{key}`", self.what), span)
                .label(format!("expected `{key}`"))
                .help(format!("add `{key}: …`")),
        );
    }

    /// The first key, or the map where it has none: a short place to point at.
    pub fn head(&self) -> Span {
        self.entries.first().map_or(self.span, |e| e.key_span)
    }

    /// The entries of the map as they are.
    pub fn entries(&self) -> &'n [Entry<'n>] {
        self.entries
    }

    /// A key that is known in other places: it is not reported again, nor proposed.
    pub fn known_elsewhere(&mut self, key: &'static str) {
        self.elsewhere.push(key);
        self.known.retain(|k| *k != key);
    }

    /// Reports every key that nobody asked for.
    pub fn finish(mut self, d: &mut Decoder) {
        if self.asked.count_ones() as usize != self.entries.len() {
            self.report_unknown(d);
        }
        self.known.clear();
        d.lists_of_keys.push(self.known);
    }

    fn report_unknown(&self, d: &mut Decoder) {
        for entry in self.entries {
            if self.known.iter().chain(&self.elsewhere).any(|k| *k == entry.key) {
                continue;
            }
            // Those that it begins, in the order in which they are asked for: `onward` for `onward_transfer`.
            let stem = entry.key.trim_end_matches(['s', '_']);
            let begins = |key: &str| {
                stem.len() > 2 && key.strip_prefix(stem).is_some_and(|rest| rest.starts_with('_'))
            };
            let mut begun: Vec<String> = Vec::new();
            for key in self.known.iter().filter(|key| begins(key)).map(|key| format!("`{key}`")) {
                if !begun.contains(&key) {
                    begun.push(key);
                }
            }
            let mut known = self.known.clone();
            known.sort_unstable();
            known.dedup();
            let hyphen = entry.key.strip_prefix('-').is_some_and(|key| known.contains(&key));
            // `{title: one, two}` reads as a title and a key `two` without a value.
            let bare = entry.value.value == Value::Null && entry.value.span.start <= entry.key_span.end;
            let help = if hyphen {
                "write a space behind the `-` of a list's entry".to_owned()
            } else if bare && looks_like_key(&entry.key) {
                NO_SPACE.to_owned()
            } else if bare {
                "a comma within `{…}` begins a new key: put a text that has one in quotes".to_owned()
            } else if let Some(home) = documents::belongs_elsewhere(self.what, &entry.key) {
                home
            } else if !begun.is_empty() {
                format!("did you mean {}?", begun.join(" or "))
            } else {
                match d.near(&entry.key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known keys: {}", known.join(", ")),
                }
            };
            d.report(
                Diagnostic::new(
                    "unknown-key",
                    format!("unknown key `{}` in {}", entry.key, self.what),
                    entry.key_span,
                )
                .label("not known here")
                .help(help),
            );
        }
    }
}

impl Decoder<'_> {
    /// A map whose keys are the user's: each key with its value.
    pub fn map<T>(
        &mut self,
        node: &Node,
        what: &str,
        mut each: impl FnMut(&mut Self, Spanned<String>, &Node) -> Option<T>,
    ) -> Vec<T> {
        match &node.value {
            Value::Map(entries) => {
                let mut all = Vec::with_capacity(entries.len());
                all.extend(entries.iter().filter_map(|e| {
                    if !self.fits(&e.key, e.key_span) {
                        return None;
                    }
                    each(self, Spanned::new(e.key.clone().into_owned(), e.key_span), &e.value)
                }));
                all
            }
            _ => {
                self.wrong_type(node, what);
                Vec::new()
            }
        }
    }
}
