//! The disk as it would be if some files were written.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, Kind};

/// Files that are not written yet.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// Where each would lie, links followed, and its text.
    texts: BTreeMap<PathBuf, String>,
}

impl Changed {
    /// The disk with this text in a file, which need not be there yet; its folder must.
    ///
    /// # Errors
    /// When the path has no name or no folder.
    pub fn new(path: &Path, text: String) -> io::Result<Self> {
        Changed::default().and(path, text)
    }

    /// The same with this text in another file.
    ///
    /// # Errors
    /// As there.
    pub fn and(mut self, path: &Path, text: String) -> io::Result<Self> {
        self.texts.insert(whole(path)?, text);
        Ok(self)
    }

    pub(super) fn text_of(&self, path: &Path) -> Option<&str> {
        whole(path).ok().and_then(|path| self.texts.get(&path)).map(String::as_str)
    }

    pub(super) fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let found = fs::canonicalize(path);
        found.or_else(|error| whole(path).ok().filter(|path| self.texts.contains_key(path)).ok_or(error))
    }

    /// Adds the files to what their folder holds, unless they are there.
    pub(super) fn add_to(&self, folder: &Path, entries: &mut Vec<Entry>) {
        let Ok(whole) = fs::canonicalize(folder) else { return };
        let own = self.texts.keys().filter(|target| target.parent() == Some(&whole));
        for name in own.filter_map(|target| target.file_name()) {
            if !entries.iter().any(|entry| entry.path.file_name() == Some(name)) {
                entries.push(Entry {
                    name: name.to_string_lossy().into_owned(),
                    path: folder.join(name),
                    kind: Kind::File(None),
                });
            }
        }
    }
}

/// A path without links, whether or not the file is there.
fn whole(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path).or_else(|error| {
        let name = path.file_name().ok_or(error)?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(fs::canonicalize(folder)?.join(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::files::Files;

    #[test]
    fn a_file_that_is_not_written_yet_is_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old.yaml"), "old").unwrap();
        for name in ["old.yaml", "new.yaml"] {
            let path = folder.path().join(name);
            let files = Files::Changed(Box::new(Changed::new(&path, "changed".to_owned()).unwrap()));
            assert_eq!(files.read(&path, 100).unwrap(), b"changed");
            assert_eq!(files.read(&path, 3).unwrap(), b"cha");
            assert!(files.is_file(&path) && !files.is_file(&folder.path().join("other.yaml")));
            assert!(files.canonical(&path).is_ok() && files.canonical(Path::new("no/such")).is_err());
            let names: Vec<_> = files.list(folder.path()).unwrap().into_iter().map(|e| e.name).collect();
            assert!(names.contains(&name.to_owned()) && names.iter().filter(|n| *n == name).count() == 1);
            assert!(fs::read_to_string(folder.path().join("old.yaml")).unwrap() == "old");
        }
        assert!(Changed::new(&folder.path().join("no/such/file.yaml"), String::new()).is_err());
    }
}
