//! From YAML nodes to typed values, every mistake noted and none fatal.
//!
//! A key that is `null` or an empty list is absent. The keys that a decoder asks
//! for are the keys that are known: there is no second list.

mod fields;
mod values;

pub use fields::Fields;
pub use values::is_fingerprint;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::diagnostic::{Diagnostic, GUESSED, nearest, note};
use crate::base::lexicon::Lexicon;
use crate::base::limits::Limits;
use crate::base::places::Groups;
use crate::base::source::Span;
use crate::base::taxonomy::Tree;
use crate::read::yaml::{Node, Value};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its bytes.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Spanned { value, span }
    }
}

/// A name that many declarations repeat: one copy for all of a file.
pub type Name = Arc<str>;

/// A list of texts that many declarations repeat: one copy for all of a file.
pub type Words = Arc<[String]>;

/// What decoding needs to know and where it notes mistakes.
#[derive(Debug)]
pub struct Decoder<'d> {
    /// The mistakes so far.
    pub diagnostics: &'d mut Vec<Diagnostic>,
    /// The data categories.
    pub data: &'d Tree,
    /// The purposes.
    pub purposes: &'d Tree,
    names: FxHashSet<Name>,
    /// Lists of texts, by their texts with a line feed behind each.
    lists: FxHashMap<String, Words>,
    /// The groups of places, once a matcher named a place.
    pub(crate) groups: Option<Arc<Groups>>,
    /// The vocabulary, once a matcher named a word of it.
    pub(crate) lexicon: Option<Arc<Lexicon>>,
    /// Room for the keys that are known in a map, used again.
    lists_of_keys: Vec<Vec<&'static str>>,
    /// How long names and texts may be, and how deep keys.
    pub(crate) limits: Limits,
    /// What is decoded is a text that says more than a name.
    prose: bool,
    /// How many values may be repeated for declarations that don't write them.
    most: usize,
    /// How many are.
    repeated: usize,
}

/// The keys whose texts say more than a name does, and may be longer.
const PROSE: [&str; 15] = [
    "about",
    "assumes",
    "cannot_see",
    "cite",
    "description",
    "evidence",
    "law",
    "quote",
    "reason",
    "ref",
    "remedy",
    "sees",
    "source",
    "url",
    "why",
];

/// How many values defaults and terms may add to the flows that they hold for: as many as
/// aliases may, and one for each 32 bytes of the inventory.
pub fn repeatable(limits: &Limits, bytes: usize) -> usize {
    limits.aliases.saturating_add(bytes / 32)
}

impl<'d> Decoder<'d> {
    /// A decoder that notes mistakes there.
    pub fn new(diagnostics: &'d mut Vec<Diagnostic>, data: &'d Tree, purposes: &'d Tree) -> Self {
        Decoder {
            diagnostics,
            data,
            purposes,
            names: FxHashSet::default(),
            lists: FxHashMap::default(),
            groups: None,
            lexicon: None,
            lists_of_keys: Vec::new(),
            limits: Limits::USUAL,
            prose: false,
            most: Limits::USUAL.aliases,
            repeated: 0,
        }
    }

    /// As it is, within other limits.
    #[must_use]
    pub fn within(self, limits: &Limits) -> Self {
        Decoder { limits: *limits, ..self }
    }

    /// As it is, but so many values may be repeated.
    #[must_use]
    pub fn repeating(self, most: usize) -> Self {
        Decoder { most, ..self }
    }

    /// How many values have been repeated.
    pub fn repeated(&self) -> usize {
        self.repeated
    }

    /// Takes it that so many more values are repeated.
    ///
    /// # Errors
    /// When they are too many: how many they are then, and how many they may be.
    pub fn repeat(&mut self, values: usize) -> Result<(), (usize, usize)> {
        self.repeated = self.repeated.saturating_add(values);
        if self.repeated > self.most { Err((self.repeated, self.most)) } else { Ok(()) }
    }
}

impl Decoder<'_> {
    /// Notes a mistake.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        note(self.diagnostics, diagnostic);
    }

    /// The nearest of some known words. Among thousands of mistakes a near word for
    /// each helps nobody, and takes long.
    pub fn near<'k>(&self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
        (self.diagnostics.len() < GUESSED).then(|| nearest(word, known)).flatten()
    }

    /// Decodes each element of a list, or the one value that stands for a list.
    pub fn list<'n, T>(
        &mut self,
        node: &'n Node<'n>,
        mut each: impl FnMut(&mut Self, &'n Node<'n>) -> Option<T>,
    ) -> Vec<T> {
        match &node.value {
            Value::Seq(items) => {
                let mut list = Vec::with_capacity(items.len());
                let items = items.iter().filter(|item| item.value != Value::Null);
                list.extend(items.filter_map(|item| each(self, item)));
                list
            }
            Value::Null => Vec::new(),
            _ => each(self, node).into_iter().collect(),
        }
    }

    /// Decodes the value of a key, which says how long its texts may be.
    fn of_key<T>(&mut self, key: &str, decode: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.prose, PROSE.contains(&key));
        let value = decode(self);
        self.prose = before;
        value
    }

    /// Whether a text is no longer than it may be; if it is, that is noted.
    pub(crate) fn fits(&mut self, text: &str, span: Span) -> bool {
        let (most, what, flag) = match self.prose {
            true => (self.limits.text, "text", "--max-text N"),
            false => (self.limits.name, "name", "--max-name N"),
        };
        // A character has a byte or more.
        let met = if text.len() > most { text.chars().count() } else { 0 };
        if met > most {
            let message = format!("a {what} of {met} characters, more than the limit of {most}");
            self.report(
                Diagnostic::new("too-long", message, span)
                    .label("expected a shorter one")
                    .help(format!("shorten it; `{flag}` raises the limit")),
            );
        }
        met <= most
    }

    /// Notes a value of the wrong shape.
    pub fn wrong_type(&mut self, node: &Node, expected: &str) {
        let found = match &node.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        };
        let mut diagnostic =
            Diagnostic::new("wrong-type", format!("expected {expected}, found {found}"), node.span)
                .label(format!("expected {expected}"));
        diagnostic.help = match &node.value {
            // `id:a`, read as one text.
            Value::Scalar(scalar) if scalar.plain && looks_like_key(&scalar.text) => {
                Some(NO_SPACE.to_owned())
            }
            Value::Scalar(scalar) if scalar.plain && scalar.text.starts_with('-') => {
                Some("write a space behind the `-` of a list's entry".to_owned())
            }
            _ => None,
        };
        self.report(diagnostic);
    }
}

/// What to do about `key:value`.
const NO_SPACE: &str = "`: `, with a space, separates a key from its value";

/// `key:value`, but for addresses like `https://…`.
fn looks_like_key(text: &str) -> bool {
    text.split_once(':').is_some_and(|(key, value)| {
        !key.is_empty()
            && !value.starts_with('/')
            && key.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-'))
    })
}
