//! How the states of a comparison are named.

use std::path::{Path, PathBuf};

use crate::base::diagnostic::Diagnostic;
use crate::read::files::{GitError, Repository};

/// How a state is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spec {
    /// A folder or a file of an inventory.
    Path(PathBuf),
    /// An audit's JSON.
    Result(PathBuf),
    /// A revision, and which of its folders, if that is said.
    Revision(String, Option<String>),
}

/// What is wrong with the call.
#[derive(Debug)]
pub enum Mistakes {
    /// One thing, in words.
    Call(String),
    /// In files.
    Files(Vec<Diagnostic>),
}

impl From<GitError> for Mistakes {
    fn from(error: GitError) -> Self {
        Mistakes::Call(error.to_string())
    }
}

impl Spec {
    /// Reads a name: `git:REVISION`, `git:REVISION:FOLDER`, a path, or a revision if
    /// nothing of that name lies in the working folder.
    ///
    /// # Errors
    /// When it is both or neither.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        if let Some(rest) = text.strip_prefix("git:") {
            let (revision, folder) = match rest.split_once(':') {
                Some((revision, folder)) => (revision, Some(folder.to_owned())),
                None => (rest, None),
            };
            if revision.is_empty() {
                return Err(Mistakes::Call("`git:` needs a revision, like git:main".to_owned()));
            }
            return Ok(Spec::Revision(revision.to_owned(), folder));
        }
        let path = Path::new(text);
        let there = path.exists();
        // `./main` and `/main` can be no revision.
        let bare = path.is_relative() && !text.starts_with('.');
        let revision = bare
            && Repository::of(Path::new(""))
                .and_then(|repository| repository.commit(text))
                .is_ok_and(|commit| commit.is_some());
        match (there, revision) {
            (true, true) => Err(Mistakes::Call(format!(
                "`{text}` is both a path and a revision\n  help: write `./{text}` for the path, `git:{text}` for the revision"
            ))),
            (true, false)
                if path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) =>
            {
                Ok(Spec::Result(path.to_owned()))
            }
            (true, false) => Ok(Spec::Path(path.to_owned())),
            (false, true) => Ok(Spec::Revision(text.to_owned(), None)),
            (false, false) => Err(Mistakes::Call(format!(
                "there is no `{text}`: neither a folder, nor an audit's JSON, nor a revision of this repository\n  \
                 help: name a folder, a file written by `ringfence audit --format json`, or git:REVISION"
            ))),
        }
    }

    /// As it was written.
    pub fn name(&self) -> String {
        match self {
            Spec::Path(path) | Spec::Result(path) => path.display().to_string(),
            Spec::Revision(revision, None) => format!("git:{revision}"),
            Spec::Revision(revision, Some(folder)) => format!("git:{revision}:{folder}"),
        }
    }
}
