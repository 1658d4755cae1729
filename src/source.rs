//! Source texts and places in them.
//!
//! A [`Span`] is a byte range of one file; it becomes a [`Location`] (file,
//! line, column) only where something is shown to a person.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// One of the texts in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl Serialize for FileId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_unit()
    }
}

impl<'d> Deserialize<'d> for FileId {
    fn deserialize<D: serde::Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        <()>::deserialize(from)?;
        Ok(STORED.get())
    }
}

thread_local! {
    static STORED: Cell<FileId> = const { Cell::new(FileId(0)) };
}

/// Reads what was stored of a file: all its spans are in that file. Which number a file has
/// is another thing in each run, and is not stored.
pub fn stored_of<T>(file: FileId, read: impl FnOnce() -> T) -> T {
    STORED.set(file);
    read()
}

/// A byte range of one file, `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The file it lies in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file` from byte `start` up to, not including, byte `end`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Span { file, start, end }
    }
}

/// A place as a person reads it; line and column count from 1, columns in
/// characters.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Location {
    /// The file, as named to the user, with `/` between folders.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A text and its name.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: String,
    path: Option<PathBuf>,
    text: String,
    lines: OnceLock<Lines>,
}

/// What stands before each [`STEP`]th byte: of most files, nobody asks.
#[derive(Debug, Clone)]
struct Lines {
    steps: Vec<Step>,
    /// Characters before it; empty where all are single bytes.
    characters: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// The lines that have ended.
    ended: u32,
    /// Where the line begins that it lies in.
    start: u32,
}

impl Lines {
    fn new(text: &str) -> Self {
        let mut steps = Vec::with_capacity(text.len() / STEP + 1);
        let mut step = Step::default();
        for (at, bytes) in text.as_bytes().chunks(STEP).enumerate() {
            steps.push(step);
            step = step.after(at * STEP, bytes);
        }
        steps.push(step);
        let mut characters = Vec::new();
        if !text.is_ascii() {
            let mut before = 0;
            for step in text.as_bytes().chunks(STEP) {
                characters.push(before);
                before += count_characters(step);
            }
            characters.push(before);
        }
        Lines { steps, characters }
    }
}

impl Step {
    /// The same behind some bytes more, which begin there.
    fn after(self, at: usize, bytes: &[u8]) -> Step {
        let ended = self.ended + bytes.iter().filter(|&&b| b == b'\n').count() as u32;
        let last = bytes.iter().rposition(|&b| b == b'\n');
        Step { ended, start: last.map_or(self.start, |last| (at + last) as u32 + 1) }
    }
}

const STEP: usize = 1024;

fn count_characters(bytes: &[u8]) -> u32 {
    // By their first bytes, so that an offset inside a character cannot fail.
    bytes.iter().filter(|&&b| b & 0xC0 != 0x80).count() as u32
}

impl SourceFile {
    /// The name shown to the user.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lies on disk, or would if its revision were checked out; `None`: it
    /// came with the program or by standard input.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column (both from 1, the column in characters) of a byte.
    pub fn line_column(&self, byte: u32) -> (u32, u32) {
        let end = (byte as usize).min(self.text.len());
        let from = end / STEP * STEP;
        let step = self.lines().steps.get(end / STEP).copied().unwrap_or_default();
        let line = step.after(from, self.text.as_bytes().get(from..end).unwrap_or_default());
        let column = self.characters_before(byte) - self.characters_before(line.start);
        (line.ended + 1, column + 1)
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(&self.text))
    }

    fn characters_before(&self, byte: u32) -> u32 {
        let byte = (byte as usize).min(self.text.len());
        let Some(&known) = self.lines().characters.get(byte / STEP) else {
            return byte as u32;
        };
        known + count_characters(self.text.as_bytes().get(byte / STEP * STEP..byte).unwrap_or_default())
    }
}

/// All texts of one run.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// No texts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name shown to the user. The text must be shorter
    /// than 4 GiB (the reader's limits see to that).
    pub fn add(&mut self, name: impl Into<String>, text: String) -> FileId {
        self.files.push(SourceFile { name: name.into(), path: None, text, lines: OnceLock::new() });
        FileId(self.files.len() as u32 - 1)
    }

    /// As [`Sources::add`], for a text that lies somewhere.
    pub fn add_at(&mut self, name: impl Into<String>, path: PathBuf, text: String) -> FileId {
        let id = self.add(name, text);
        if let Some(file) = self.files.get_mut(id.0 as usize) {
            file.path = Some(path);
        }
        id
    }

    /// The file behind an id.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.files)
    }

    /// The bytes of all texts.
    pub fn bytes(&self) -> usize {
        self.files.iter().map(|file| file.text.len()).sum()
    }

    /// Where a span begins.
    pub fn location(&self, span: Span) -> Location {
        match self.get(span.file) {
            Some(file) => {
                let (line, column) = file.line_column(span.start);
                Location { file: file.name.clone(), line, column }
            }
            None => Location { file: String::new(), line: 1, column: 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_also_far_into_a_long_line() {
        let text = format!("a\n{}x\n", "äö€".repeat(2000));
        let mut sources = Sources::new();
        let file = sources.add("f", text.clone());
        let at = text.find('x').unwrap() as u32;
        assert_eq!(sources.get(file).unwrap().line_column(at), (2, 6001));
        assert_eq!(sources.get(file).unwrap().line_column(0), (1, 1));
        assert_eq!(sources.get(file).unwrap().line_column(text.len() as u32), (3, 1));
    }

    #[test]
    fn lines_are_counted_over_any_distance() {
        let text: String = (0..700).map(|n| "é".repeat(n % 9) + "\n").collect::<String>() + "end";
        let mut sources = Sources::new();
        let file = sources.add("f", text.clone());
        let (mut line, mut column) = (1, 1);
        for (at, c) in text.char_indices() {
            assert_eq!(sources.get(file).unwrap().line_column(at as u32), (line, column));
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        assert_eq!(sources.get(file).unwrap().line_column(u32::MAX), (line, column));
    }
}
