//! The two states of a comparison: where their files are, and which folders the call names.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::spec::{Mistakes, Spec};
use crate::read::files::{Files, Repository, lexically};

/// A state that lies in files.
#[derive(Debug)]
pub struct State {
    /// As it was named.
    pub name: String,
    /// Where its files are.
    pub files: Files,
    /// The commit, if it is a revision.
    pub commit: Option<String>,
    /// The folder or file that the call names.
    pub(super) named: Option<PathBuf>,
    /// The topmost folder of what it belongs to: of its repository, or what the call names.
    pub(super) root: PathBuf,
}

/// Which of the two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one compared with.
    Base,
    /// The one in question.
    Head,
}

/// Both states.
#[derive(Debug)]
pub struct States {
    /// The one compared with.
    pub base: State,
    /// The one in question.
    pub head: State,
    /// A path means the same in both: they are of one repository.
    pub(super) same_tree: bool,
}

/// The path of a state that lies on disk.
fn on_disk(spec: &Spec) -> Option<&Path> {
    match spec {
        Spec::Path(path) | Spec::Result(path) => Some(path),
        Spec::Revision(..) => None,
    }
}

impl State {
    /// Opens a state beside nothing: its folder is the one named, else the working folder.
    ///
    /// # Errors
    /// When there is no such repository, revision or folder.
    pub fn alone(spec: &Spec) -> Result<Self, Mistakes> {
        match spec {
            Spec::Revision(..) => State::of_revision(spec, &repository(None)?),
            Spec::Path(path) | Spec::Result(path) => Ok(State::of_disk(spec, path.clone(), path.clone())),
        }
    }

    fn of_disk(spec: &Spec, named: PathBuf, root: PathBuf) -> Self {
        State { name: spec.name(), files: Files::Disk, commit: None, named: Some(named), root }
    }

    fn of_revision(spec: &Spec, repository: &Repository) -> Result<Self, Mistakes> {
        let Spec::Revision(revision, folder) = spec else {
            return Err(Mistakes::Call(format!("`{}` is no revision", spec.name())));
        };
        let revision = repository.revision(revision)?;
        let named = folder.as_deref().map(|folder| repository.root.join(folder));
        if let Some(named) = named.as_deref().filter(|path| !revision.holds(path)) {
            return Err(outside(&spec.name(), named));
        }
        let commit = Some(revision.commit.clone());
        let files = Files::Revision(Arc::new(revision));
        Ok(State { name: spec.name(), files, commit, named, root: repository.root.clone() })
    }

    /// Its name with a folder of its repository.
    pub(super) fn with_folder(&self, folder: &str) -> String {
        let revision: Vec<&str> = self.name.split(':').take(2).collect();
        format!("{}:{folder}", revision.join(":"))
    }

    /// A path as it is called from the topmost folder, also where it lies elsewhere.
    pub(super) fn called(&self, path: &Path) -> PathBuf {
        if let Some(below) = self.below_root(path) {
            return below;
        }
        let here = std::env::current_dir().unwrap_or_default();
        let (path, root) = (lexically(&here.join(path)), lexically(&here.join(&self.root)));
        let common = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
        let up = root.components().skip(common).map(|_| Component::ParentDir);
        up.chain(path.components().skip(common)).collect()
    }

    /// A path below the topmost folder, as it is called from there.
    pub(super) fn below_root(&self, path: &Path) -> Option<PathBuf> {
        let here = std::env::current_dir().unwrap_or_default();
        let whole = |path: &Path| lexically(&here.join(path));
        let (path, root) = (whole(path), whole(&self.root));
        let real = || std::fs::canonicalize(&root).ok();
        let below = path.strip_prefix(&root).map(Path::to_owned);
        below.ok().or_else(|| path.strip_prefix(real()?).ok().map(Path::to_owned))
    }
}

impl States {
    /// Opens both.
    ///
    /// # Errors
    /// When there is no such repository, revision or folder, with the state in question.
    pub fn open(base: &Spec, head: &Spec) -> Result<Self, (Which, Mistakes)> {
        let in_base = |mistakes| (Which::Base, mistakes);
        let in_head = |mistakes| (Which::Head, mistakes);
        let (disk_base, disk_head) = (on_disk(base), on_disk(head));
        if let (Some(old), Some(new)) = (disk_base, disk_head) {
            let state = |spec: &Spec, path: &Path| State::of_disk(spec, path.to_owned(), anchor(path));
            return Ok(States { base: state(base, old), head: state(head, new), same_tree: false });
        }
        let beside = disk_base.or(disk_head);
        let which = if disk_base.is_some() { in_head } else { in_base };
        let repository = repository(beside).map_err(which)?;
        let open = |spec: &Spec| match on_disk(spec) {
            None => State::of_revision(spec, &repository),
            Some(path) => Ok(State::of_disk(spec, within(path, &repository), repository.root.clone())),
        };
        let states = States {
            base: open(base).map_err(in_base)?,
            head: open(head).map_err(in_head)?,
            same_tree: true,
        };
        for (state, which) in [(&states.base, Which::Base), (&states.head, Which::Head)] {
            states.within(state, state.named.as_deref()).map_err(|mistakes| (which, mistakes))?;
        }
        Ok(states)
    }

    /// One of them.
    pub fn get(&self, which: Which) -> &State {
        match which {
            Which::Base => &self.base,
            Which::Head => &self.head,
        }
    }

    /// Says so if a path on disk beside a revision leads out of the repository: by its name, or
    /// by a link, which the change could have brought.
    ///
    /// # Errors
    /// When it does.
    pub(super) fn within<'p>(
        &self,
        state: &State,
        paths: impl IntoIterator<Item = &'p Path>,
    ) -> Result<(), Mistakes> {
        if !self.same_tree || !matches!(state.files, Files::Disk) {
            return Ok(());
        }
        let root = std::fs::canonicalize(&state.root).unwrap_or_else(|_| state.root.clone());
        for path in paths {
            let inside = match std::fs::canonicalize(path) {
                Ok(real) => real.starts_with(&root) && state.below_root(path).is_some(),
                // That it is not there is said where it is looked for.
                Err(_) => state.below_root(path).is_some(),
            };
            if !inside {
                return Err(outside(&state.name, path));
            }
        }
        Ok(())
    }
}

/// A path on disk as it lies in a repository, which the call may reach by another way.
fn within(path: &Path, repository: &Repository) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    if lexically(&here.join(path)).starts_with(&repository.root) {
        return path.to_owned();
    }
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The folder of a path.
fn anchor(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_owned() } else { path.parent().unwrap_or(path).to_owned() }
}

fn outside(state: &str, path: &Path) -> Mistakes {
    Mistakes::Call(format!(
        "{state}: `{}` leads out of the repository\n  help: name a folder within it, by its own name and not by a link",
        path.display()
    ))
}

/// The repository that the call is about: that of the working folder, unless a path of the call
/// lies elsewhere. A folder of it that has become a repository of its own, or a link to one,
/// does not change that.
fn repository(beside: Option<&Path>) -> Result<Repository, Mistakes> {
    let Some(path) = beside else {
        return Ok(Repository::of(Path::new(""))?);
    };
    let here = std::env::current_dir().unwrap_or_default();
    let whole = lexically(&here.join(path));
    if let Ok(repository) = Repository::of(Path::new(""))
        && (whole.starts_with(&repository.root)
            || std::fs::canonicalize(&repository.root).is_ok_and(|real| whole.starts_with(real)))
    {
        return Ok(repository);
    }
    Ok(Repository::of(&anchor(path))?)
}
