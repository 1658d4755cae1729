//! The two states of a comparison: how they are named, where they lie, and what in
//! them judges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Untrusted;
use crate::baseline::Baseline;
use crate::config::{self, Config};
use crate::diagnostic::Diagnostic;
use crate::files::{Files, GitError, Kind, Repository, lexically};
use crate::input::{self, InputOptions};
use crate::limits::Limits;
use crate::packs;
use crate::source::Sources;

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

/// A state that lies in files.
#[derive(Debug)]
pub struct State {
    /// As it was named.
    pub name: String,
    /// Where its files are.
    pub files: Files,
    /// The commit, if it is a revision.
    pub commit: Option<String>,
    /// Its settings.
    pub config: Config,
    /// The inventory.
    pub paths: Vec<PathBuf>,
    /// The folder that the settings lie in.
    config_folder: Option<PathBuf>,
    /// What was named.
    anchor: PathBuf,
    limits: Limits,
}

impl State {
    /// Finds a state and reads its settings. A revision without a folder is read where
    /// the other state lies, else where its configuration or the working folder says.
    ///
    /// # Errors
    /// When there is no such repository, revision or folder, or the settings are wrong.
    pub fn open(spec: &Spec, other: &Spec, limits: Limits, sources: &mut Sources) -> Result<Self, Mistakes> {
        let beside = match other {
            Spec::Path(path) => Some(path.as_path()),
            _ => None,
        };
        let (files, anchor, named) = match spec {
            Spec::Path(path) | Spec::Result(path) => (Files::Disk, path.clone(), true),
            Spec::Revision(revision, folder) => {
                let around =
                    beside.map(|path| if path.is_dir() { path } else { path.parent().unwrap_or(path) });
                let repository = Repository::of(around.unwrap_or(Path::new("")))?;
                let files = Files::Revision(Box::new(repository.revision(revision)?));
                let elsewhere = match other {
                    Spec::Revision(_, folder) => folder.as_deref(),
                    _ => None,
                };
                match folder.as_deref().or(elsewhere) {
                    Some(folder) => (files, repository.root.join(folder), true),
                    None => match beside {
                        Some(path) => (files, path.to_owned(), true),
                        None => (files, PathBuf::from(""), false),
                    },
                }
            }
        };
        let commit = match &files {
            Files::Revision(revision) => Some(revision.commit.clone()),
            Files::Disk | Files::Changed(_) => None,
        };
        let file = config::find(&files, &anchor);
        let config = match &file {
            Some(file) => config::read(&files, file, &limits, sources).map_err(Mistakes::Files)?,
            None => Config::default(),
        };
        let config_folder = file.as_deref().and_then(Path::parent).map(Path::to_owned);
        let mut state = State {
            name: spec.name(),
            files,
            commit,
            config,
            paths: Vec::new(),
            config_folder,
            anchor,
            limits,
        };
        state.paths = state.inventory(named);
        Ok(state)
    }

    /// The configuration's `inventory`, unless a folder was named that the
    /// configuration does not lie in.
    fn inventory(&self, named: bool) -> Vec<PathBuf> {
        let same = self.config_folder.as_deref().is_some_and(|folder| {
            let here = std::env::current_dir().unwrap_or_default();
            lexically(&here.join(folder)) == lexically(&here.join(&self.anchor))
        });
        match self.config.inventory.as_slice() {
            configured @ [_, ..] if same || !named => configured.to_vec(),
            _ if self.anchor.as_os_str().is_empty() => vec![PathBuf::from(".")],
            _ => vec![self.anchor.clone()],
        }
    }

    /// The inventory that another state's settings name, in this one.
    pub fn inventory_of(&self, other: &State) -> Vec<PathBuf> {
        if other.paths != other.config.inventory || other.config.inventory.is_empty() {
            return self.paths.clone();
        }
        other.paths.iter().map(|path| self.at(path, other)).collect()
    }

    /// Where in this state a path lies that another state's settings name.
    fn at(&self, path: &Path, other: &State) -> PathBuf {
        let folder = other.config_folder.as_deref().unwrap_or(Path::new(""));
        let own = match (&self.files, &other.files) {
            (Files::Revision(_), Files::Revision(_)) => folder,
            _ => self.config_folder.as_deref().unwrap_or(&self.anchor),
        };
        path.strip_prefix(folder).map_or_else(|_| path.to_owned(), |below| own.join(below))
    }

    /// The baselines in this state, which are no part of its inventory: the one that the
    /// judging state's settings name, and its own, if that is a baseline and nothing else.
    pub fn baselines(&self, judging: &State) -> Vec<PathBuf> {
        let named = judging.config.baseline.iter().map(|path| self.at(path, judging));
        let own = self.config.baseline.iter().filter(|path| self.is_baseline(path)).cloned();
        named.filter(|path| std::ptr::eq(self, judging) || self.is_baseline(path)).chain(own).collect()
    }

    fn is_baseline(&self, path: &Path) -> bool {
        let text = self
            .files
            .read(path, self.limits.file_size.saturating_add(1))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        text.is_some_and(|text| Baseline::is_one(path.to_owned(), text, &self.limits))
    }

    /// Says so if a path is not there, and what may be meant.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find(&self, paths: &[PathBuf], other: &State) -> Result<(), Mistakes> {
        for path in paths {
            if self.files.kind(path).is_ok() {
                continue;
            }
            let shown = path.display();
            let help = match (&self.files, self.renamed(path, other)) {
                (Files::Revision(_), Some(near)) => {
                    let name = self.name.split(':').take(2).collect::<Vec<_>>().join(":");
                    format!("was it renamed? write `{name}:{near}`")
                }
                (Files::Revision(_), None) => {
                    "name its folder, git:REVISION:FOLDER, or say --allow-empty if the inventory begins with this change"
                        .to_owned()
                }
                (Files::Disk | Files::Changed(_), _) => "name a folder that exists".to_owned(),
            };
            return Err(Mistakes::Call(format!("{} has no `{shown}`\n  help: {help}", self.name)));
        }
        Ok(())
    }

    /// The folder of a revision that holds most files of the same names as a folder of
    /// the other state.
    fn renamed(&self, path: &Path, other: &State) -> Option<String> {
        let Files::Revision(revision) = &self.files else {
            return None;
        };
        let mut count: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for entry in other.files.list(path).ok()?.iter().filter(|e| matches!(e.kind, Kind::File(_))) {
            for found in revision.named(entry.name.as_ref()) {
                *count.entry(found.parent()?.to_owned()).or_default() += 1;
            }
        }
        let (best, _) = count.into_iter().rev().max_by_key(|(_, n)| *n)?;
        (!best.as_os_str().is_empty()).then(|| crate::files::slashed(&best))
    }

    /// The texts of the policies that the settings name, packs aside.
    fn policies(&self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        let folder = self.config_folder.as_deref().unwrap_or(Path::new(""));
        for name in self.config.policies.iter().filter(|n| packs::pack(n).is_none()) {
            let shown =
                crate::files::slashed(Path::new(name).strip_prefix(folder).unwrap_or(Path::new(name)));
            let mut sources = Sources::new();
            let options = InputOptions { limits: self.limits, ..InputOptions::default() };
            let set =
                input::read(&self.files, &[PathBuf::from(name)], &options, &mut sources, &mut Vec::new());
            for file in &set.files {
                let text = sources.get(file.file).and_then(|f| f.text()).unwrap_or_default().to_owned();
                let file =
                    if set.files.len() == 1 { shown.clone() } else { format!("{shown}/{}", file.name) };
                texts.insert(file, text);
            }
        }
        texts
    }

    fn baseline(&self) -> Option<Vec<u8>> {
        let path = self.config.baseline.as_ref()?;
        self.files.read(path, self.limits.file_size.saturating_add(1)).ok()
    }
}

/// What of the settings, policies and the baseline the head changes.
pub fn untrusted(base: &State, head: &State) -> Vec<Untrusted> {
    let mut all = Vec::new();
    let mut note = |what: &str, message: String| {
        all.push(Untrusted { what: what.to_owned(), message, location: None });
    };
    let folder = |state: &State| state.config_folder.clone().unwrap_or_default();
    let (old, new) = (base.config.entries(&folder(base)), head.config.entries(&folder(head)));
    for ((key, before), (_, after)) in old.iter().zip(&new) {
        if before != after {
            let shown = |values: &[String]| match values {
                [] => "nothing".to_owned(),
                values => format!("`{}`", values.join(", ")),
            };
            note("configuration", format!("`{key}` is {} and was {}", shown(after), shown(before)));
        }
    }
    let (old, new) = (base.policies(), head.policies());
    for (name, text) in &new {
        match old.get(name) {
            None => note("policy", format!("`{name}` is added")),
            Some(before) if before != text => note("policy", format!("`{name}` is changed")),
            Some(_) => {}
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        note("policy", format!("`{name}` is removed"));
    }
    if base.baseline() != head.baseline() {
        note("baseline", "the baseline is changed".to_owned());
    }
    all
}
