//! Source texts and places in them.
//!
//! A [`Span`] is a byte range of one file; it becomes a [`Location`] (file,
//! line, column) only where something is shown to a person. That needs no text: once a text is
//! read and understood, it can go.

mod lines;

use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use blake3::Hash;
use serde::{Deserialize, Serialize};

use lines::Lines;

/// One of the texts in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A byte range of one file, `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// A text and its name. Once it is let go, its digest, its length and where its lines begin are
/// still known.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: String,
    path: Option<PathBuf>,
    /// Which file it stands for, where it came from none.
    stands_for: Option<PathBuf>,
    /// `None`: let go.
    text: Option<String>,
    length: usize,
    digest: OnceLock<Hash>,
    /// Of most files, nobody asks.
    lines: OnceLock<Lines>,
}

impl SourceFile {
    fn new(name: String, path: Option<PathBuf>, text: String) -> Self {
        let (digest, lines) = (OnceLock::new(), OnceLock::new());
        SourceFile { name, path, stands_for: None, length: text.len(), text: Some(text), digest, lines }
    }

    /// The name shown to the user.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lies on disk, or would if its revision were checked out; `None`: it
    /// came with the program or by standard input.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Where it is to be shown: where it lies, or the file that it stands for.
    pub fn place(&self) -> Option<&Path> {
        self.path().or(self.stands_for.as_deref())
    }

    /// What it is called from the working folder, so that a terminal or an editor opens it: its path as the call leads to
    /// it; the name shown, if it lies nowhere.
    pub fn here(&self) -> String {
        self.path.as_deref().map_or_else(|| self.name.clone(), from_here)
    }

    /// The whole text; `None`: it has been let go.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The bytes of its text.
    pub fn length(&self) -> usize {
        self.length
    }

    /// BLAKE3 of its text.
    pub fn digest(&self) -> Hash {
        self.digest_of(self.text().unwrap_or_default())
    }

    fn digest_of(&self, text: &str) -> Hash {
        *self.digest.get_or_init(|| blake3::hash(text.as_bytes()))
    }

    /// Line and column (both from 1, the column in characters) of a byte.
    pub fn line_column(&self, byte: u32) -> (u32, u32) {
        self.lines_of(self.text().unwrap_or_default()).line_column(byte)
    }

    fn lines_of(&self, text: &str) -> &Lines {
        self.lines.get_or_init(|| Lines::new(text))
    }

    /// Works out what is known of it without its text, which is this one.
    pub fn prepare(&self, text: &str) {
        self.digest_of(text);
        self.lines_of(text);
    }
}

/// All texts of one run.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    from_here: bool,
}

/// A path as the call leads to it, with `/` between its parts and without steps that lead nowhere.
pub fn from_here(path: &Path) -> String {
    let parts: Vec<_> = path.components().filter(|part| *part != Component::CurDir).collect();
    let parts: Vec<_> = parts.iter().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").replacen("//", "/", 1)
}

impl Sources {
    /// No texts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names files in locations from the working folder on, for what is read in a terminal.
    pub fn locate_from_here(&mut self) {
        self.from_here = true;
    }

    /// Adds a text under the name shown to the user. The text must be shorter
    /// than 4 GiB (the reader's limits see to that).
    pub fn add(&mut self, name: impl Into<String>, text: String) -> FileId {
        self.push(SourceFile::new(name.into(), None, text))
    }

    /// As [`Sources::add`], for a text that lies somewhere.
    pub fn add_at(&mut self, name: impl Into<String>, path: PathBuf, text: String) -> FileId {
        self.push(SourceFile::new(name.into(), Some(path), text))
    }

    /// As [`Sources::add`], for a text that stands for a file which it was not read from.
    pub fn add_for(&mut self, name: impl Into<String>, place: PathBuf, text: String) -> FileId {
        self.push(SourceFile { stands_for: Some(place), ..SourceFile::new(name.into(), None, text) })
    }

    fn push(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(self.files.len() as u32 - 1)
    }

    /// Takes the texts of some files that lie somewhere, to let each go once it is understood; of
    /// others none. Before it is, the file must have been [prepared](SourceFile::prepare). Whoever
    /// needs a text later can read it again, and tell by the digest whether it is the same.
    pub fn take(&mut self, files: &[FileId]) -> Vec<Option<String>> {
        let take = |&id: &FileId| {
            let file = self.files.get_mut(id.0 as usize);
            file.filter(|file| file.path.is_some()).and_then(|file| file.text.take())
        };
        files.iter().map(take).collect()
    }

    /// Puts back a text that was taken.
    pub fn put_back(&mut self, id: FileId, text: String) {
        if let Some(file) = self.files.get_mut(id.0 as usize) {
            file.text = Some(text);
        }
    }

    /// Gives a file its text back; whether it is the one that was let go.
    pub fn give_back(&mut self, id: FileId, text: String) -> bool {
        let file = self.files.get_mut(id.0 as usize);
        file.filter(|file| file.digest() == blake3::hash(text.as_bytes()))
            .map(|file| file.text = Some(text))
            .is_some()
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
        self.files.iter().map(SourceFile::length).sum()
    }

    /// Where a span begins.
    pub fn location(&self, span: Span) -> Location {
        match self.get(span.file) {
            Some(file) => {
                let (line, column) = file.line_column(span.start);
                let name = if self.from_here { file.here() } else { file.name.clone() };
                Location { file: name, line, column }
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

    #[test]
    fn places_in_a_long_text_are_the_same_once_it_is_let_go() {
        let text: String = (0..30_000).map(|n| "aé".repeat(n % 7) + "\n").collect();
        assert!(text.len() > 1 << 17);
        let mut sources = Sources::new();
        let file = sources.add_at("f", PathBuf::from("f"), text.clone());
        let other = sources.add("by standard input", text.clone());
        let taken = sources.take(&[file, other]);
        assert_eq!(taken, [Some(text.clone()), None]);
        sources.get(file).unwrap().prepare(&text);
        let (gone, held) = (sources.get(file).unwrap(), sources.get(other).unwrap());
        assert!(gone.text().is_none() && held.text() == Some(&text));
        assert_eq!((gone.length(), gone.digest()), (held.length(), held.digest()));
        let (mut line, mut column) = (1, 1);
        for (at, c) in text.char_indices() {
            assert_eq!(gone.line_column(at as u32), (line, column));
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        assert!(!sources.give_back(file, "another".to_owned()));
        assert!(sources.give_back(file, text.clone()) && sources.get(file).unwrap().text() == Some(&text));
    }
}
