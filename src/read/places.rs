//! Where files lie in their repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::source::{Sources, from_here};
use crate::read::files::{lexically, slashed};

/// The files of one run as seen from the root of the repository that they lie in:
/// what services that show findings beside the code want.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    names: BTreeMap<String, String>,
    /// The same as the call names them.
    here: BTreeMap<String, String>,
}

impl Places {
    /// Looks for the repository of each file: the nearest folder above it that holds
    /// `.git`. Outside of any, a file is named as seen from the working folder.
    pub fn new(sources: &Sources) -> Self {
        Places::of_second(sources, 0, &BTreeMap::new())
    }

    /// As [`Places::new`], of the second of two states whose files can have the same names: those of the
    /// first state are so many. With other files that locations name and nothing was read from.
    pub fn of_second(sources: &Sources, first: usize, others: &BTreeMap<String, PathBuf>) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let mut roots: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
        let (mut names, mut called) = (BTreeMap::new(), BTreeMap::new());
        let read = sources.iter().skip(first).chain(sources.iter().take(first));
        let read = read.filter_map(|(_, file)| Some((file.name(), file.place()?)));
        for (name, path) in read.chain(others.iter().map(|(name, path)| (name.as_str(), path.as_path()))) {
            let whole = lexically(&here.join(path));
            let folder = whole.parent().unwrap_or(Path::new("")).to_owned();
            let root = roots.entry(folder.clone()).or_insert_with(|| repository(&folder));
            let below = whole.strip_prefix(root.as_deref().unwrap_or(&here)).unwrap_or(&whole);
            names.entry(name.to_owned()).or_insert_with(|| slashed(below));
            called.entry(name.to_owned()).or_insert_with(|| from_here(path));
        }
        Places { names, here: called }
    }

    /// A file as its repository knows it, with `/`; `None` for what came with the
    /// program, or by standard input without a name.
    pub fn in_repository(&self, file: &str) -> Option<&str> {
        self.names.get(file).map(String::as_str)
    }

    /// The same, whatever path the call leads by.
    pub fn wherever(self) -> Self {
        Places { here: BTreeMap::new(), ..self }
    }

    /// A file as it is reached from the working folder, so that a terminal or an editor opens it: below the path that
    /// the call names.
    pub fn here<'n>(&'n self, file: &'n str) -> &'n str {
        self.here.get(file).map_or(file, String::as_str)
    }

    /// The nearest folder that holds all the files, as their repository knows it;
    /// `None` without a file.
    pub fn folder(&self) -> Option<String> {
        let folder = |name: &'_ String| -> Vec<String> {
            let mut parts: Vec<String> = name.split('/').map(str::to_owned).collect();
            parts.pop();
            parts
        };
        let mut names = self.names.values();
        let mut common = folder(names.next()?);
        for name in names {
            let same = common.iter().zip(&folder(name)).take_while(|(a, b)| a == b).count();
            common.truncate(same);
        }
        Some(common.join("/"))
    }
}

/// The nearest folder at or above that holds `.git`.
pub fn repository(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|above| above.join(".git").exists()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_root_of_their_repository() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let mut sources = Sources::new();
        sources.add_at("x.yaml", deep.join("../b/x.yaml"), String::new());
        sources.add("policies/core/policy.yaml", String::new());
        let places = Places::new(&sources);
        assert_eq!(places.in_repository("x.yaml"), Some("a/b/x.yaml"));
        assert_eq!(places.in_repository("policies/core/policy.yaml"), None);
        assert_eq!(places.folder().as_deref(), Some("a/b"));
        sources.add_at("y.yaml", deep.join("../y.yaml"), String::new());
        assert_eq!(Places::new(&sources).folder().as_deref(), Some("a"));
        assert_eq!(Places::default().folder(), None);
    }
}
