//! Which files of the two states are judged, and by whose settings. All of it follows from the
//! call and from the settings of the state that judges: BASE, unless HEAD is trusted. Nothing
//! that lies in the other state has a say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::spec::Mistakes;
use super::state::{State, States, Which};
use crate::base::limits::Limits;
use crate::base::source::{Location, Sources};
use crate::declare::baseline::Baseline;
use crate::declare::config::{self, Config, Setting};
use crate::read::files::{Files, Kind, lexically, slashed};

/// The settings of a state.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What they say.
    pub config: Config,
    /// The file that they stand in.
    pub(super) file: Option<PathBuf>,
    /// Where each one is written there: line and column.
    pub(super) lines: BTreeMap<Setting, (u32, u32)>,
}

impl Settings {
    /// The settings beside or above a path.
    ///
    /// # Errors
    /// All their mistakes.
    pub fn above(
        files: &Files,
        path: &Path,
        limits: &Limits,
        sources: &mut Sources,
    ) -> Result<Self, Mistakes> {
        match config::find(files, path) {
            Some(file) => {
                let (config, written) =
                    config::read_with_places(files, &file, limits, sources).map_err(Mistakes::Files)?;
                let line = |span| {
                    let Location { line, column, .. } = sources.location(span);
                    (line, column)
                };
                let lines = written.into_iter().map(|(setting, span)| (setting, line(span))).collect();
                Ok(Settings { config, file: Some(file), lines })
            }
            None => Ok(Settings::default()),
        }
    }

    /// The folder that they stand in.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.file.as_deref().and_then(Path::parent)
    }
}

/// What is judged of two states.
#[derive(Debug)]
pub struct Layout<'s> {
    states: &'s States,
    /// Whose settings, policies and baseline judge.
    pub judging: Which,
    /// The settings of BASE.
    pub base: Settings,
    /// The settings of HEAD.
    pub head: Settings,
    limits: Limits,
}

/// Whether two paths name one place, links aside: a link in a state is its own to make.
fn same(one: &Path, other: &Path) -> bool {
    let here = std::env::current_dir().unwrap_or_default();
    let whole = |path: &Path| lexically(&here.join(path));
    whole(one) == whole(other)
}

/// What is read where a folder is named and settings say what they say. A folder that the call
/// names comes before the settings, unless it is the very one that they stand in.
fn read(named: Option<&Path>, anchor: &Path, home: Option<&Path>, configured: Vec<PathBuf>) -> Vec<PathBuf> {
    let at_home = named.is_none_or(|named| home.is_some_and(|home| same(home, named)));
    if at_home && !configured.is_empty() {
        configured
    } else if anchor.as_os_str().is_empty() {
        vec![PathBuf::from(".")]
    } else {
        vec![anchor.to_owned()]
    }
}

impl State {
    /// What the call names, whole.
    pub fn whole(&self) -> Vec<PathBuf> {
        vec![self.named.clone().unwrap_or_else(|| PathBuf::from("."))]
    }

    /// The settings of a state that nothing is compared with file by file, and what is read of it.
    ///
    /// # Errors
    /// All mistakes in the settings.
    pub fn on_its_own(
        &self,
        limits: &Limits,
        sources: &mut Sources,
    ) -> Result<(Config, Vec<PathBuf>), Mistakes> {
        let anchor = self.named.as_deref().unwrap_or(Path::new(""));
        let settings = Settings::above(&self.files, anchor, limits, sources)?;
        let configured = settings.config.inventory.clone();
        let paths = read(self.named.as_deref(), anchor, settings.folder(), configured);
        Ok((settings.config, paths))
    }
}

impl<'s> Layout<'s> {
    /// Reads the settings of both states.
    ///
    /// # Errors
    /// All mistakes in them, with the state in question.
    pub fn new(
        states: &'s States,
        trust_head: bool,
        limits: Limits,
        sources: (&mut Sources, &mut Sources),
    ) -> Result<Self, (Which, Mistakes)> {
        let judging = if trust_head { Which::Head } else { Which::Base };
        let mut layout =
            Layout { states, judging, base: Settings::default(), head: Settings::default(), limits };
        let read = |which, sources| {
            let (state, path) = (states.get(which), layout.anchor(which));
            let found = Settings::above(&state.files, path, &limits, sources);
            found.map(|settings| layout.within_tree(state, settings)).map_err(|mistakes| (which, mistakes))
        };
        let base = read(Which::Base, sources.0)?;
        let head = read(Which::Head, sources.1)?;
        (layout.base, layout.head) = (base, head);
        Ok(layout)
    }

    /// Settings, unless they lie above a repository: a revision has none there.
    pub(super) fn within_tree(&self, state: &State, settings: Settings) -> Settings {
        let above = settings.file.as_deref().is_some_and(|file| state.below_root(file).is_none());
        if self.states.same_tree && above { Settings::default() } else { settings }
    }

    /// The settings of the state that judges.
    pub fn config(&self) -> &Config {
        &self.settings(self.judging).config
    }

    pub(super) fn settings(&self, which: Which) -> &Settings {
        match which {
            Which::Base => &self.base,
            Which::Head => &self.head,
        }
    }

    /// Where settings of a state are looked for: beside or above what the call names for it,
    /// else for the other one.
    pub(super) fn anchor(&self, which: Which) -> &'s Path {
        let (own, other) = match which {
            Which::Base => (&self.states.base, &self.states.head),
            Which::Head => (&self.states.head, &self.states.base),
        };
        own.named.as_deref().or(other.named.as_deref()).unwrap_or(Path::new(""))
    }

    /// What is read of a state. A folder that the call names comes before what settings say,
    /// unless it is the very folder that they stand in; a state for which the call names none
    /// is read where it names one for the other.
    pub fn inventory(&self, which: Which) -> Vec<PathBuf> {
        // Where the head is trusted, each state says by its own settings where it lies.
        let saying = if self.judging == Which::Head { which } else { Which::Base };
        let settings = self.settings(saying);
        let anchor = self.anchor(which);
        let named = match which {
            Which::Head => self.states.head.named.as_deref().or(self.states.base.named.as_deref()),
            // A folder that only the head has says nothing of where the base lies.
            Which::Base => self.states.base.named.as_deref().or_else(|| {
                let theirs = self.states.head.named.as_deref()?;
                let there = self.states.base.files.kind(theirs).is_ok();
                (there || settings.config.inventory.is_empty()).then_some(theirs)
            }),
        };
        let home = settings.folder().map(|folder| self.place(folder, saying, which));
        let configured = settings.config.inventory.iter().map(|path| self.place(path, saying, which));
        read(named, anchor, home.as_deref(), configured.collect())
    }

    /// Where in one state a path lies that another one's settings name. In one repository that
    /// is the same path; of two folders it is the same path from each.
    fn place(&self, path: &Path, from: Which, to: Which) -> PathBuf {
        if self.states.same_tree || from == to {
            return path.to_owned();
        }
        let (own, other) = (self.anchor(from), self.anchor(to));
        match path.strip_prefix(own) {
            Ok(below) => other.join(below),
            Err(_) => match self.states.get(from).below_root(path) {
                Some(below) => other.join(below),
                None => path.to_owned(),
            },
        }
    }

    /// What of HEAD is read by some settings of a state, where the call names no folder besides; those
    /// that hold for HEAD stand where its own do.
    pub(super) fn of_head(&self, settings: &Settings, from: Which, heads: &Settings) -> Vec<PathBuf> {
        let place = |path: &PathBuf| {
            let home = settings.folder().zip(heads.folder()).filter(|_| !self.states.same_tree);
            match home.and_then(|(own, theirs)| Some(theirs.join(path.strip_prefix(own).ok()?))) {
                Some(place) => place,
                None => self.place(path, from, Which::Head),
            }
        };
        let configured = settings.config.inventory.iter().map(place);
        read(None, self.anchor(Which::Head), None, configured.collect())
    }

    /// What is read of a state, if it is all there.
    ///
    /// # Errors
    /// When something is not there; or leads out of the repository.
    pub fn found(&self, which: Which, allow_empty: bool) -> Result<Vec<PathBuf>, Mistakes> {
        let state = self.states.get(which);
        let paths = self.inventory(which);
        self.states.within(state, paths.iter().map(PathBuf::as_path))?;
        let there = |state: &State, path: &PathBuf| state.files.kind(path).is_ok();
        // An inventory that begins with the change is one; that it is gone has to be said.
        let begins = allow_empty
            && match which {
                Which::Base => true,
                Which::Head => !self.inventory(Which::Base).iter().any(|path| there(&self.states.base, path)),
            };
        let missing = paths.iter().find(|path| !there(state, path));
        match missing {
            Some(path) if !begins => Err(self.missing(which, path)),
            _ => Ok(paths.into_iter().filter(|path| there(state, path)).collect()),
        }
    }

    /// That a path is not there, and what may be meant.
    fn missing(&self, which: Which, path: &Path) -> Mistakes {
        let (state, other) = match which {
            Which::Base => (&self.states.base, &self.states.head),
            Which::Head => (&self.states.head, &self.states.base),
        };
        let other_which = if which == Which::Base { Which::Head } else { Which::Base };
        let theirs = self.inventory(other_which);
        let several = self.inventory(which).len() > 1;
        let own = self.settings(which).config.inventory.as_slice();
        let own_there = !own.is_empty() && own.iter().all(|path| state.files.kind(path).is_ok());
        let near = theirs.iter().find_map(|path| renamed(state, path, other));
        let help = match near {
            // One folder stands for one: several need what the settings say.
            _ if several && own_there => "was it renamed? each state is read where its own settings say with \
                                          `--trust-head`, which applies all of HEAD's settings"
                .to_owned(),
            Some(near) if !several && !self.states.same_tree => {
                let [old, new] = [slashed(theirs.first().map_or(Path::new(""), PathBuf::as_path)), near];
                let (base, head) = if which == Which::Head { (old, new) } else { (new, old) };
                format!("was it renamed? name both: `ringfence diff {base} {head}`")
            }
            Some(near) if !several => match state.files {
                Files::Disk => format!("was it renamed? write `{near}`"),
                _ => format!("was it renamed? write `{}`", state.with_folder(&near)),
            },
            _ if matches!(state.files, Files::Disk) => "name a folder that exists".to_owned(),
            _ => "name its folder, git:REVISION:FOLDER, or say --allow-empty if the inventory begins with this change"
                .to_owned(),
        };
        Mistakes::Call(format!("{} has no `{}`\n  help: {help}", state.name, path.display()))
    }

    /// That no flow of a state is in scope, and what may be meant: a file that was left behind hides
    /// that all others were moved.
    pub fn nothing_in(&self, which: Which) -> String {
        let state = self.states.get(which);
        let other = self.states.get(if which == Which::Base { Which::Head } else { Which::Base });
        let paths = self.inventory(which);
        let own = self.settings(which).config.inventory.iter();
        let own =
            own.filter(|path| !paths.contains(path) && state.files.kind(path).is_ok()).map(|p| slashed(p));
        let moved = paths.iter().filter_map(|path| renamed(state, path, other));
        let moved = own.chain(moved).find(|near| !paths.iter().any(|path| slashed(path) == *near));
        let help = match (moved, &state.files) {
            (Some(near), Files::Disk) => {
                format!("if the inventory was moved, name its folder `{near}`")
            }
            (Some(near), _) => {
                format!("if the inventory was moved, name its folder: `{}`", state.with_folder(&near))
            }
            (None, _) => "pass --allow-empty if no flow is meant to be in scope".to_owned(),
        };
        let places: Vec<String> = paths.iter().map(|path| format!("`{}`", slashed(path))).collect();
        format!(
            "{} has nothing to audit: no flow is in scope in {}\n  help: {help}",
            state.name,
            places.join(", ")
        )
    }

    /// The baselines in a state, which are no part of its inventory: the one that the judging
    /// state's settings name, and in each the one that its own settings name, where it is a
    /// baseline and nothing else: so that nothing that is declared is left out by it.
    pub fn baselines(&self, which: Which) -> Vec<PathBuf> {
        let state = self.states.get(which);
        let named = self.config().baseline.iter().map(|path| self.place(path, self.judging, which));
        let own = self.settings(which).config.baseline.iter().cloned();
        let home = self.settings(which).folder();
        let is_one = |path: &PathBuf| self.is_baseline(state, home, path);
        named.filter(|path| which == self.judging || is_one(path)).chain(own.filter(is_one)).collect()
    }

    fn is_baseline(&self, state: &State, home: Option<&Path>, path: &Path) -> bool {
        let text = self.text(state, home, path).and_then(|bytes| String::from_utf8(bytes).ok());
        text.is_some_and(|text| Baseline::is_one(path.to_owned(), text, &self.limits))
    }

    /// What a file holds that settings of a state name, if it is an ordinary one that they may name.
    pub(super) fn text(&self, state: &State, home: Option<&Path>, path: &Path) -> Option<Vec<u8>> {
        if !self.may_read(state, home, path) || !state.files.is_file(path) {
            return None;
        }
        state.files.read(path, self.limits.file_size.saturating_add(1)).ok()
    }

    /// Whether a path that settings of a state name may be read: those of the state that judges
    /// name what they like on disk, the others what lies within the state or below their folder.
    pub(super) fn may_read(&self, state: &State, home: Option<&Path>, path: &Path) -> bool {
        if std::ptr::eq(state, self.states.get(self.judging)) || !matches!(state.files, Files::Disk) {
            return true;
        }
        // In a repository nothing besides it is the state's; of a folder its settings can lie above.
        let home = home.filter(|_| !self.states.same_tree);
        let whole = |path: &Path| {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            std::fs::canonicalize(path).ok()
        };
        let Some(path) = whole(path) else {
            return false;
        };
        [Some(state.root.as_path()), home]
            .into_iter()
            .flatten()
            .filter_map(whole)
            .any(|root| path.starts_with(root))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn states(&self) -> &'s States {
        self.states
    }
}

/// How many folders of a disk are looked into for one that was renamed.
const MOST_FOLDERS: usize = 2_000;

/// The folder of a state that holds most files of the same names as a folder of the other one, apart
/// from the folder that has its name.
fn renamed(state: &State, path: &Path, other: &State) -> Option<String> {
    let wanted: Vec<String> = other
        .files
        .list(path)
        .ok()?
        .into_iter()
        .filter(|entry| matches!(entry.kind, Kind::File(_)))
        .map(|entry| entry.name)
        .collect();
    let mut count: BTreeMap<PathBuf, usize> = BTreeMap::new();
    match &state.files {
        Files::Revision(revision) | Files::Named(revision) => {
            for found in wanted.iter().flat_map(|name| revision.named(name.as_ref())) {
                *count.entry(found.parent()?.to_owned()).or_default() += 1;
            }
        }
        files @ (Files::Disk | Files::Changed(_)) => {
            let mut open = vec![state.root.clone()];
            let mut seen = 0;
            while let Some(folder) = open.pop() {
                seen += 1;
                let entries = files.list(&folder).unwrap_or_default();
                let held = entries.iter().filter(|e| wanted.contains(&e.name)).count();
                if held > 0 {
                    count.insert(folder, held);
                }
                let folders =
                    entries.into_iter().filter(|e| e.kind == Kind::Folder && !e.name.starts_with('.'));
                open.extend(folders.map(|e| e.path).take(MOST_FOLDERS.saturating_sub(seen)));
            }
        }
    }
    // The folders of a disk are found from its topmost folder, whichever way the call names them.
    count.retain(|folder, _| folder != path && !same(folder, path));
    let (best, _) = count.into_iter().rev().max_by_key(|(_, n)| *n)?;
    (!best.as_os_str().is_empty()).then(|| slashed(&best))
}
