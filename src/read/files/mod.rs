//! Where texts are read from: the disk, a revision of a Git repository as if it were
//! checked out, or the disk as if a file were written already. Paths mean the same in all.

mod changed;
mod git;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use changed::Changed;
pub use git::{GitError, Repository, Revision};

/// A place that holds files.
#[derive(Debug, Default)]
pub enum Files {
    /// What is there now.
    #[default]
    Disk,
    /// What was there in a revision, and nothing besides: what lies outside of its repository
    /// is not there.
    Revision(Arc<Revision>),
    /// The same for paths that the call names: those that lie outside of the repository are on
    /// disk.
    Named(Arc<Revision>),
    /// What would be there if a file were written.
    Changed(Box<Changed>),
}

/// The disk.
pub const DISK: &Files = &Files::Disk;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, and its length where that is known beforehand.
    File(Option<u64>),
    /// A folder.
    Folder,
    /// A symbolic link; only [`Files::list`] says so, all else follows it.
    Link,
    /// Anything else: a pipe, a device, another repository.
    Other,
}

/// Something in a folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// The folder's path with the name.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
}

impl Files {
    /// What a path leads to, links followed.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be looked at.
    pub fn kind(&self, path: &Path) -> io::Result<Kind> {
        match self.of(path) {
            None if self.text_of(path).is_some() => Ok(Kind::File(None)),
            None => fs::metadata(path).map(|m| kind(m.file_type(), Some(m.len()))),
            Some(revision) => revision.kind(path),
        }
    }

    /// What a folder holds, by name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        match self.of(folder) {
            None => {
                let mut entries = Vec::new();
                for entry in fs::read_dir(folder)? {
                    let entry = entry?;
                    entries.push(Entry {
                        name: entry.file_name().to_string_lossy().into_owned(),
                        path: folder.join(entry.file_name()),
                        kind: kind(entry.file_type()?, None),
                    });
                }
                if let Files::Changed(changed) = self {
                    changed.add_to(folder, &mut entries);
                }
                entries.sort_by(|a, b| a.path.cmp(&b.path));
                Ok(entries)
            }
            Some(revision) => revision.list(folder),
        }
    }

    /// The path without links, `.` and `..`.
    ///
    /// # Errors
    /// When there is nothing.
    pub fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        match self.of(path) {
            None => match self {
                Files::Changed(changed) => changed.canonical(path),
                _ => fs::canonicalize(path),
            },
            Some(revision) => revision.canonical(path),
        }
    }

    /// The first bytes of a file, at most so many.
    ///
    /// # Errors
    /// When it is no regular file or cannot be read.
    pub fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        match self.of(path) {
            None => {
                let mut bytes = Vec::new();
                if let Some(text) = self.text_of(path) {
                    text.as_bytes().take(most).read_to_end(&mut bytes)?;
                    return Ok(bytes);
                }
                let file = fs::File::open(path)?;
                // Texts stay: they take no more room than they need.
                let length = file.metadata()?.len().min(most);
                bytes.try_reserve_exact(usize::try_from(length).unwrap_or_default())?;
                file.take(most).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Some(revision) => revision.read(path, most),
        }
    }

    /// The revision that answers for a path.
    fn of(&self, path: &Path) -> Option<&Revision> {
        match self {
            Files::Disk | Files::Changed(_) => None,
            Files::Revision(revision) => Some(revision),
            Files::Named(revision) => revision.holds(path).then_some(revision),
        }
    }

    /// Whether a path is looked for in a revision.
    pub fn is_of_revision(&self, path: &Path) -> bool {
        self.of(path).is_some()
    }

    /// Whether settings that are read from here may name a path. Those of a revision come from
    /// whoever wrote it, so that they lead to nothing outside of its repository.
    pub fn may_name(&self, path: &Path) -> bool {
        match self {
            Files::Disk | Files::Changed(_) => true,
            Files::Revision(revision) | Files::Named(revision) => revision.holds(path),
        }
    }

    /// The same files for paths that the call names.
    pub fn named(&self) -> Files {
        match self {
            Files::Revision(revision) | Files::Named(revision) => Files::Named(Arc::clone(revision)),
            Files::Disk | Files::Changed(_) => Files::Disk,
        }
    }

    /// The text that a path would have, if it is the one that would be written.
    fn text_of(&self, path: &Path) -> Option<&str> {
        match self {
            Files::Changed(changed) => changed.text_of(path),
            Files::Disk | Files::Revision(_) | Files::Named(_) => None,
        }
    }

    /// Whether there is a regular file.
    pub fn is_file(&self, path: &Path) -> bool {
        matches!(self.kind(path), Ok(Kind::File(_)))
    }
}

fn kind(kind: fs::FileType, length: Option<u64>) -> Kind {
    if kind.is_symlink() {
        Kind::Link
    } else if kind.is_dir() {
        Kind::Folder
    } else if kind.is_file() {
        Kind::File(length)
    } else {
        Kind::Other
    }
}

/// A path without `.` and `..`, whatever is there.
pub fn lexically(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// A path with `/` between its parts.
pub fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/").replacen("//", "/", 1)
}
