//! The disk as it would be if one file were written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, Kind};

/// A file that is not written yet.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Where it would lie, links followed.
    target: PathBuf,
    text: String,
}

impl Changed {
    /// The disk with this text in a file, which need not be there yet; its folder must.
    ///
    /// # Errors
    /// When the path has no name or no folder.
    pub fn new(path: &Path, text: String) -> io::Result<Self> {
        Ok(Changed { target: whole(path)?, text })
    }

    pub(super) fn text_of(&self, path: &Path) -> Option<&str> {
        whole(path).is_ok_and(|path| path == self.target).then_some(&self.text)
    }

    pub(super) fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let found = fs::canonicalize(path);
        found.or_else(|error| whole(path).ok().filter(|path| *path == self.target).ok_or(error))
    }

    /// Adds the file to what its folder holds, unless it is there.
    pub(super) fn add_to(&self, folder: &Path, entries: &mut Vec<Entry>) {
        let Some(name) = self.target.file_name() else {
            return;
        };
        let own = fs::canonicalize(folder).is_ok_and(|folder| Some(folder.as_path()) == self.target.parent());
        if own && !entries.iter().any(|entry| entry.path.file_name() == Some(name)) {
            entries.push(Entry {
                name: name.to_string_lossy().into_owned(),
                path: folder.join(name),
                kind: Kind::File(None),
            });
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
