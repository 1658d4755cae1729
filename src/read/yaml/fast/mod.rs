//! A quick reader of the YAML that people and tools write: block maps and lists, quoted
//! and plain texts of one line, block texts, flow lists and maps, comments, documents.
//!
//! It gives the tree and the spans of the general parser, or nothing: whatever it does not
//! fully understand, mistakes above all, is left to that one, for the whole text. What it
//! leaves to it, by intent: what passes a limit, control characters, tabs and carriage returns anywhere, anchors,
//! aliases, tags, `<<`, `?`, directives, plain and quoted texts of several lines, escaped halves of
//! characters, documents behind a `...` without `---`, indentation indicators, scalars as documents, keys that are absent, null, double
//! or very long. `tests/it/yaml_fast.rs` and the fuzz target `readers` hold both readers together.

mod block;
mod flow;
mod scalar;

use super::{Entry, Limits, Node, Scalar, Value};
use crate::base::source::{FileId, Span};
use rustc_hash::FxHashSet;
use std::borrow::Cow;

/// Deeper than people write. The reader calls itself once a level.
const DEPTH: usize = 32;
/// The general parser gives up on a key whose `:` is further away than about twice this.
const KEY_LENGTH: usize = 512;
/// Seldom more values stand in the lists, or entries in the maps, that are open at once.
const OPEN: usize = 64;
/// Up to so many keys are compared with each other.
const FEW_KEYS: usize = 24;

/// All documents of a text, if it holds nothing but what this reader understands.
pub fn read<'t>(file: FileId, text: &'t str, limits: &Limits) -> Option<Vec<Node<'t>>> {
    measured(file, text, limits).map(|(documents, _)| documents)
}

/// As [`read`], and how deep they nest.
pub(super) fn measured<'t>(file: FileId, text: &'t str, limits: &Limits) -> Option<(Vec<Node<'t>>, usize)> {
    if !ordinary(text.as_bytes()) {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        file,
        at: 0,
        line: Line::End,
        depth: 0,
        deepest: 0,
        limits: Limits { depth: limits.depth.min(DEPTH), ..*limits },
        items: Vec::with_capacity(OPEN),
        entries: Vec::with_capacity(OPEN),
    };
    reader.documents().map(|documents| (documents, reader.deepest))
}

/// Whether a text is of printable characters and line feeds alone, without a mark of byte
/// order.
fn ordinary(bytes: &[u8]) -> bool {
    let mut plain = true;
    let mut ascii = true;
    for &byte in bytes {
        plain &= (byte >= b' ') | (byte == b'\n');
        plain &= byte != 0x7F;
        ascii &= byte < 0x80;
    }
    plain && (ascii || printable(bytes))
}

/// The same of characters that are longer than a byte. Nothing ends early: so the processor looks
/// at many bytes at once.
fn printable(bytes: &[u8]) -> bool {
    let (second, third) = (bytes.get(1..).unwrap_or_default(), bytes.get(2..).unwrap_or_default());
    let control = |a: u8, b: u8| (a == 0xC2) & (b < 0xA0);
    // U+FEFF, U+FFFE and U+FFFF.
    let mark =
        |a: u8, b: u8, c: u8| (a == 0xEF) & (((b == 0xBB) & (c == 0xBF)) | ((b == 0xBF) & (c >= 0xBE)));
    let mut plain = true;
    for (&a, &b) in bytes.iter().zip(second) {
        plain &= !control(a, b);
    }
    for ((&a, &b), &c) in bytes.iter().zip(second).zip(third) {
        plain &= !mark(a, b, c);
    }
    plain
}

/// What comes next, blank lines and comments passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Something in this column.
    Column(usize),
    /// `---`, in the first column.
    Marker,
    /// `...`, in the first column.
    Stop,
    /// Nothing.
    End,
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    file: FileId,
    /// The byte that is looked at.
    at: usize,
    /// What that is.
    line: Line,
    depth: usize,
    /// The most it was.
    deepest: usize,
    limits: Limits,
    /// The values of all lists that are open.
    items: Vec<Node<'t>>,
    /// The entries of all maps that are open.
    entries: Vec<Entry<'t>>,
}

impl<'t> Reader<'t> {
    fn documents(&mut self) -> Option<Vec<Node<'t>>> {
        let mut documents = Vec::new();
        self.line_start()?;
        loop {
            match self.line {
                Line::End => return Some(documents),
                Line::Marker => {
                    self.at += 3;
                    self.line_end()?;
                }
                // One that ends nothing.
                Line::Stop => return None,
                Line::Column(column) => {
                    if documents.len() >= self.limits.documents {
                        return None;
                    }
                    documents.push(self.root(column)?);
                    if self.line == Line::Stop {
                        self.at += 3;
                        self.line_end()?;
                    }
                    if matches!(self.line, Line::Column(_) | Line::Stop) {
                        return None;
                    }
                }
            }
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    /// Passes over spaces; how many.
    fn spaces(&mut self) -> usize {
        let start = self.at;
        while self.byte(self.at) == Some(b' ') {
            self.at += 1;
        }
        self.at - start
    }

    fn up_to_line_feed(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    }

    /// Passes over the end of a line on which nothing but a comment may follow, and on to
    /// what comes next.
    fn line_end(&mut self) -> Option<()> {
        let spaces = self.spaces();
        match self.byte(self.at) {
            Some(b'#') if spaces > 0 => self.up_to_line_feed(),
            None | Some(b'\n') => {}
            _ => return None,
        }
        self.at += 1;
        self.line_start()
    }

    /// From the start of a line to what comes next.
    fn line_start(&mut self) -> Option<()> {
        loop {
            let column = self.spaces();
            match self.byte(self.at) {
                None => {
                    self.line = Line::End;
                    return Some(());
                }
                Some(b'\n') => self.at += 1,
                Some(b'#') => {
                    self.up_to_line_feed();
                    self.at += 1;
                }
                Some(first) => {
                    self.line = Line::Column(column);
                    if column == 0 && matches!(first, b'-' | b'.') {
                        let rest = self.bytes.get(self.at..).unwrap_or_default();
                        let alone = matches!(rest.get(3), None | Some(b' ' | b'\n'));
                        match rest.get(..3) {
                            Some(b"---") if alone => self.line = Line::Marker,
                            Some(b"...") if alone => self.line = Line::Stop,
                            Some(b"---" | b"...") => return None,
                            _ => {}
                        }
                    }
                    return Some(());
                }
            }
        }
    }

    /// Goes one level deeper.
    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        (self.depth <= self.limits.depth).then_some(())
    }

    /// A list of the values since there were so many.
    fn seq(&mut self, start: usize, end: usize, from: usize) -> Node<'t> {
        self.depth -= 1;
        let items = self.items.drain(from..).collect();
        Node { span: self.span(start, end), value: Value::Seq(items) }
    }

    /// A map of the entries since there were so many, if no key is there twice.
    fn map(&mut self, start: usize, end: usize, from: usize) -> Option<Node<'t>> {
        self.depth -= 1;
        let entries: Vec<Entry> = self.entries.drain(from..).collect();
        let mut known = FxHashSet::default();
        let unique = if entries.len() <= FEW_KEYS {
            let rest = (1..).map(|from| entries.get(from..).unwrap_or_default());
            entries.iter().zip(rest).all(|(entry, others)| others.iter().all(|o| o.key != entry.key))
        } else {
            entries.iter().all(|entry| known.insert(&entry.key))
        };
        unique.then(|| Node { span: self.span(start, end), value: Value::Map(entries) })
    }

    fn scalar(&self, text: Cow<'t, str>, plain: bool, start: usize, end: usize) -> Node<'t> {
        let value = match plain && super::is_null(&text) {
            true => Value::Null,
            false => Value::Scalar(Scalar { text, plain }),
        };
        Node { span: self.span(start, end), value }
    }
}
