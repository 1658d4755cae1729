//! Which files an inventory has, and their texts.

use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::glob::Glob;
use crate::base::limits::Limits;
use crate::base::source::{FileId, Sources, Span};
use crate::read::documents::SETTINGS;
use crate::read::files::{Entry, Files, Kind, slashed};

/// What to read and what not.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// Globs on paths relative to the path given: a file, or a folder with all below.
    pub exclude: Vec<Glob>,
    /// Baselines, which are no part of the inventory wherever they lie.
    pub baselines: Vec<PathBuf>,
    /// The largest file, how many there may be, and whether links may lead out.
    pub limits: Limits,
    /// Which files named `ringfence.yaml` are in force, where an inventory is read.
    pub settings: Settings,
    /// What standard input is called.
    pub stdin_name: Option<PathBuf>,
}

/// Which settings may lie among the files that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Settings {
    /// Any: it is no inventory that is read.
    #[default]
    Any,
    /// Those beside an inventory; which of them are in force is decided elsewhere.
    Beside,
    /// Those in force alone.
    InForce(Option<PathBuf>),
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// Its text.
    pub file: FileId,
    /// Its path relative to the path given, with `/`.
    pub name: String,
    /// It is a `ringfence.yaml`: configuration, no inventory.
    pub is_config: bool,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct InputSet {
    /// The files read, by name.
    pub files: Vec<InputFile>,
    /// What was left out, and why.
    pub left_out: Vec<(String, LeftOut)>,
    /// The baselines among it, and where they lie.
    pub baselines: Vec<(String, PathBuf)>,
}

impl InputSet {
    /// The files and folders that `exclude` names, and how many files they hold that would have
    /// been read.
    pub fn excluded(&self) -> impl Iterator<Item = Excluded> {
        self.left_out.iter().filter_map(|(name, why)| match why {
            LeftOut::Excluded(files @ 1..) => Some(Excluded { name: name.clone(), files: *files }),
            _ => None,
        })
    }
}

/// A file or a folder that `exclude` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Its path relative to the path given.
    pub name: String,
    /// How many files it holds that would have been read.
    pub files: usize,
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// A folder whose name begins with a dot.
    HiddenFolder,
    /// Named by `exclude`; how many files that would have been read.
    Excluded(usize),
    /// Neither `.yaml` nor `.yml`.
    NotYaml,
    /// The baseline.
    Baseline,
}

/// What standard input is called where nobody names it.
pub const STDIN: &str = "<stdin>";
/// So many files in what `exclude` names are counted: it may be large, and nobody reads it.
const MOST_COUNTED: usize = 1_000_000;

struct Found {
    path: PathBuf,
    given: String,
    name: String,
    /// It lies in a folder below the path given.
    below: bool,
}

/// Finds and reads all files below some paths, each once.
pub fn read(
    files: &Files,
    paths: &[PathBuf],
    options: &InputOptions,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> InputSet {
    let mut set = InputSet::default();
    let mut found: Vec<Found> = Vec::new();
    let mut seen: FxHashSet<PathBuf> = FxHashSet::default();
    let baselines: Vec<PathBuf> = options.baselines.iter().map(|path| canonical(files, path)).collect();
    let roots: Vec<PathBuf> = paths.iter().map(|path| canonical(files, path)).collect();
    let mut stdin = false;
    for path in paths {
        if path.as_os_str() == "-" {
            if !std::mem::replace(&mut stdin, true) {
                let name = options.stdin_name.as_deref().map_or_else(|| STDIN.to_owned(), slashed);
                found.push(Found { path: path.clone(), given: String::new(), name, below: false });
            }
            continue;
        }
        match files.kind(path) {
            Err(error) => diagnostics.push(missing(files, path, &error)),
            Ok(Kind::Folder) => {
                let mut walk = Walk {
                    files,
                    options,
                    baselines: &baselines,
                    given: slashed(path),
                    roots: &roots,
                    set: &mut set,
                    found: &mut found,
                    seen: &mut seen,
                    diagnostics,
                };
                walk.folder(path, "");
            }
            Ok(_) => {
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let target = canonical(files, path);
                if baselines.contains(&target) {
                    set.baselines.push((name.clone(), path.clone()));
                    set.left_out.push((name, LeftOut::Baseline));
                } else if seen.insert(target) {
                    let given = path.parent().map(slashed).unwrap_or_default();
                    found.push(Found { path: path.clone(), given, name, below: false });
                }
            }
        }
    }
    if found.len() > options.limits.documents {
        diagnostics.push(too_many(found.len(), options.limits.documents));
        return set;
    }
    // Two paths with a file of the same name each: these names say which path.
    let mut count: FxHashMap<String, usize> = FxHashMap::default();
    for file in &found {
        *count.entry(file.name.clone()).or_default() += 1;
    }
    for file in &mut found {
        if count.get(&file.name).is_some_and(|&n| n > 1) && !file.given.is_empty() {
            file.name = format!("{}/{}", file.given.trim_end_matches('/'), file.name);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let most = options.limits.file_size;
    let texts: Vec<Result<String, Unread>> = found.par_iter().map(|file| text(files, file, most)).collect();
    for (file, text) in found.into_iter().zip(texts) {
        match text {
            Ok(text) => {
                let is_config = file.path.file_name().is_some_and(|n| n == SETTINGS);
                let misplaced = if is_config { misplaced(files, &file, &options.settings) } else { None };
                let id = match (file.path.as_os_str() == "-", &options.stdin_name) {
                    (true, None) => sources.add(file.name.clone(), text),
                    (true, Some(place)) => sources.add_for(file.name.clone(), place.clone(), text),
                    (false, _) => sources.add_at(file.name.clone(), file.path, text),
                };
                diagnostics.extend(misplaced.map(|mistake| mistake.say(&file.name, id)));
                set.files.push(InputFile { file: id, name: file.name, is_config });
            }
            Err(why) => diagnostics.push(why.say(file.name, sources)),
        }
    }
    set.left_out.sort();
    set
}

/// What was found and left out, of texts that were read already.
pub fn held(files: &[FileId], excluded: &[Excluded], sources: &Sources) -> InputSet {
    let name = |file: FileId| sources.get(file).map(|f| f.name().to_owned()).unwrap_or_default();
    let files = files.iter().map(|&file| InputFile { file, name: name(file), is_config: false });
    let left_out = excluded.iter().map(|e| (e.name.clone(), LeftOut::Excluded(e.files))).collect();
    InputSet { files: files.collect(), left_out, baselines: Vec::new() }
}

/// Why settings may not lie where they do.
enum Misplaced {
    /// Nobody looks for them there.
    Below,
    /// Others are in force.
    Besides(Option<PathBuf>),
}

impl Misplaced {
    fn say(self, name: &str, file: FileId) -> Diagnostic {
        let (message, help) = match self {
            Misplaced::Below => (
                format!("`{name}` lies below the inventory's folder, where no settings are looked for"),
                "settings stand beside the inventory or above it, never further below: move them there, or \
                 name this file in `exclude`"
                    .to_owned(),
            ),
            Misplaced::Besides(Some(other)) => (
                format!("`{name}` is not in force: the settings are those of `{}`", other.display()),
                "keep one file of settings, or name this one in `exclude`".to_owned(),
            ),
            Misplaced::Besides(None) => (
                format!("`{name}` is not in force: the settings are those of the first path, which has none"),
                "name the path with the settings first, or name this file in `exclude`".to_owned(),
            ),
        };
        Diagnostic::new("misplaced-settings", message, Span::new(file, 0, 0))
            .label("settings that do not apply")
            .help(help)
    }
}

fn misplaced(files: &Files, file: &Found, settings: &Settings) -> Option<Misplaced> {
    match settings {
        Settings::Any => None,
        Settings::Beside | Settings::InForce(_) if file.below => Some(Misplaced::Below),
        Settings::Beside => None,
        Settings::InForce(other) => {
            let own = canonical(files, &file.path);
            let same = other.as_ref().is_some_and(|other| canonical(files, other) == own);
            (!same).then(|| Misplaced::Besides(other.clone()))
        }
    }
}

fn canonical(files: &Files, path: &Path) -> PathBuf {
    files.canonical(path).unwrap_or_else(|_| path.to_path_buf())
}

struct Walk<'w> {
    files: &'w Files,
    options: &'w InputOptions,
    baselines: &'w [PathBuf],
    given: String,
    /// All paths given, without links.
    roots: &'w [PathBuf],
    set: &'w mut InputSet,
    found: &'w mut Vec<Found>,
    seen: &'w mut FxHashSet<PathBuf>,
    diagnostics: &'w mut Vec<Diagnostic>,
}

impl Walk<'_> {
    /// Everything below a folder; `above` is its name relative to the path given.
    fn folder(&mut self, folder: &Path, above: &str) {
        let real = canonical(self.files, folder);
        if !self.seen.insert(real.clone()) {
            return;
        }
        let mut links = Vec::new();
        let mut open = vec![(folder.to_owned(), above.to_owned(), real)];
        while let Some((folder, above, real)) = open.pop() {
            if self.found.len() > self.options.limits.documents {
                // That is said once all paths are looked at.
                return;
            }
            let entries = match self.files.list(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.diagnostics.push(unreadable(&folder.display().to_string(), &error.to_string()));
                    continue;
                }
            };
            for entry in entries {
                let name =
                    if above.is_empty() { entry.name.clone() } else { format!("{above}/{}", entry.name) };
                let is_dir = entry.kind == Kind::Folder;
                if let Some(reason) = self.reason(&entry, &name) {
                    self.set.left_out.push((name, reason));
                } else if entry.kind == Kind::Other && self.files.is_of_revision(&entry.path) {
                    let why = "it is a submodule, and a revision does not hold its files";
                    self.diagnostics.push(unreadable(&name, why));
                } else if entry.kind == Kind::Link {
                    links.push((entry.path, name));
                } else {
                    // No link: its place without links is known by that of its folder.
                    let target = real.join(entry.path.file_name().unwrap_or_default());
                    if !is_dir {
                        self.file(entry.path, name, target);
                    } else if self.seen.insert(target.clone()) {
                        open.push((entry.path, name, target));
                    }
                }
            }
        }
        // Links last: what they lead to counts under its own name.
        for (path, name) in links {
            self.link(&path, name);
        }
    }

    fn reason(&self, entry: &Entry, name: &str) -> Option<LeftOut> {
        if entry.kind == Kind::Folder && entry.name.starts_with('.') {
            return Some(LeftOut::HiddenFolder);
        }
        self.is_excluded(name)
            .then(|| LeftOut::Excluded(self.readable(&entry.path, entry.kind, MOST_COUNTED)))
    }

    fn is_excluded(&self, name: &str) -> bool {
        self.options.exclude.iter().any(|glob| glob.matches(name))
    }

    /// How many files would be read of what is there, up to `most`. A link that leads elsewhere
    /// counts as one file: nobody asked to look there.
    fn readable(&self, path: &Path, kind: Kind, most: usize) -> usize {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match kind {
            Kind::Link => match self.files.canonical(path) {
                // What it leads to counts under its own name, or is left out by it.
                Ok(target) if self.roots.iter().any(|root| target.starts_with(root)) => 0,
                Ok(target) if matches!(self.files.kind(&target), Ok(Kind::File(_))) => {
                    usize::from(is_yaml(&name))
                }
                _ => 1,
            },
            // Of a submodule a revision does not say what it holds.
            Kind::Other if self.files.is_of_revision(path) => 1,
            Kind::File(_) | Kind::Other => usize::from(is_yaml(&name) && name != SETTINGS),
            Kind::Folder => {
                let mut count = 0;
                let mut open = vec![path.to_owned()];
                while let Some(folder) = open.pop() {
                    for entry in self.files.list(&folder).unwrap_or_default() {
                        match entry.kind {
                            _ if count >= most => return count,
                            Kind::Folder if entry.name.starts_with('.') => {}
                            Kind::Folder => open.push(entry.path),
                            kind => count += self.readable(&entry.path, kind, most),
                        }
                    }
                }
                count
            }
        }
    }

    /// A file, and its place without links.
    fn file(&mut self, path: PathBuf, name: String, target: PathBuf) {
        if !is_yaml(&name) {
            self.set.left_out.push((name, LeftOut::NotYaml));
        } else if self.baselines.contains(&target) {
            self.set.baselines.push((name.clone(), path));
            self.set.left_out.push((name, LeftOut::Baseline));
        } else if self.seen.insert(target) {
            let below = name.contains('/');
            self.found.push(Found { path, given: self.given.clone(), name, below });
        }
    }

    fn link(&mut self, path: &Path, name: String) {
        let target = match self.files.canonical(path) {
            Ok(target) => target,
            Err(error) => {
                self.diagnostics.push(leads_nowhere(path, &name, self.files, &error));
                return;
            }
        };
        let is_folder = matches!(self.files.kind(&target), Ok(Kind::Folder));
        if !is_folder && !is_yaml(&name) {
            // No name of a file that is read: nothing is left out by it.
            self.set.left_out.push((name, LeftOut::NotYaml));
            return;
        }
        match self.roots.iter().find(|root| target.starts_with(root)) {
            Some(root) => {
                let own = target.strip_prefix(root).map(slashed).unwrap_or_default();
                let mut above =
                    own.match_indices('/').filter_map(|(at, _)| own.get(..at)).chain([own.as_str()]);
                if above.any(|path| self.is_excluded(path)) {
                    // It was counted under its own name.
                    self.set.left_out.push((name, LeftOut::Excluded(0)));
                    return;
                }
            }
            None if self.options.limits.follow_links => {}
            None => {
                self.diagnostics.push(leads_out(&name, &target));
                return;
            }
        }
        if is_folder {
            self.folder(&target, &name);
        } else {
            self.file(path.to_path_buf(), name, target);
        }
    }
}

/// Whether a file of this name is read.
fn is_yaml(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.ends_with(".yaml") || lower.ends_with(".yml")
}

fn leads_out(name: &str, target: &Path) -> Diagnostic {
    let message = format!("`{name}` is a link that leads out of the inventory, to `{}`", target.display());
    Diagnostic::without_place("link-outside", message).help(
        "an inventory is judged whole or not at all: name the link in `exclude`, move the file here, or say \
         --follow-links",
    )
}

fn leads_nowhere(path: &Path, name: &str, files: &Files, error: &std::io::Error) -> Diagnostic {
    if !files.is_of_revision(path) {
        return unreadable(name, &error.to_string());
    }
    let message = format!("`{name}` is a link to what this revision does not hold: {error}");
    Diagnostic::without_place("link-outside", message)
        .help("an inventory is judged whole or not at all: name the link in `exclude`, or move the file here")
}

fn missing(files: &Files, path: &Path, error: &std::io::Error) -> Diagnostic {
    let shown = path.display();
    if error.kind() != std::io::ErrorKind::NotFound {
        return unreadable(&shown.to_string(), &error.to_string());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = files.list(parent).into_iter().flatten().map(|entry| entry.name).collect();
    let wanted = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let near = nearest(&wanted, names.iter().map(String::as_str));
    let help = near.map_or_else(
        || "name a folder or a file that exists".to_owned(),
        |near| format!("did you mean `{}`?", parent.join(near).display()),
    );
    Diagnostic::without_place("missing-path", format!("there is no `{shown}`")).help(help)
}

fn too_many(met: usize, most: usize) -> Diagnostic {
    let message = format!("there are {met} files or more to read, more than the limit of {most}");
    Diagnostic::without_place("too-many-files", message)
        .help("name the folder that is meant, or leave others out with `exclude`; `--max-documents N` raises the limit")
}

fn unreadable(name: &str, cause: &str) -> Diagnostic {
    Diagnostic::without_place("unreadable", format!("`{name}` cannot be read: {cause}"))
        .help("an inventory is judged whole or not at all: make it readable, or name it in `exclude`")
}

/// What is said of a file that is too large; its size, where that is known.
pub fn too_large(name: &str, size: Option<u64>, most: u64) -> Diagnostic {
    let message = match size {
        Some(size) => format!("`{name}` has {size} bytes, more than the limit of {most}"),
        None => format!("`{name}` has more bytes than the limit of {most}"),
    };
    Diagnostic::without_place("too-large", message)
        .help("split it: an inventory may have many files; `--max-file-size SIZE` raises the limit")
}

/// Why there is no text of a file.
enum Unread {
    /// It cannot be read.
    Unreadable(String),
    /// It is too large; its size, where that is known, and the limit.
    TooLarge(Option<u64>, u64),
    /// It is no text.
    NotText(Vec<u8>),
}

impl Unread {
    /// The mistake, said of the file of that name.
    fn say(self, name: String, sources: &mut Sources) -> Diagnostic {
        match self {
            Unread::Unreadable(why) => unreadable(&name, &why),
            Unread::TooLarge(size, most) => too_large(&name, size, most),
            Unread::NotText(bytes) => not_text(name, &bytes, sources),
        }
    }
}

/// The text of a file, if it is one.
fn text(files: &Files, file: &Found, most: u64) -> Result<String, Unread> {
    let limited = most.saturating_add(1);
    let unreadable = |error: std::io::Error| Unread::Unreadable(error.to_string());
    let bytes = if file.path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(limited).read_to_end(&mut bytes).map_err(unreadable)?;
        bytes
    } else {
        match files.kind(&file.path).map_err(unreadable)? {
            Kind::File(Some(length)) if length > most => return Err(Unread::TooLarge(Some(length), most)),
            Kind::File(_) => files.read(&file.path, limited).map_err(unreadable)?,
            _ => return Err(Unread::Unreadable("it is no ordinary file".to_owned())),
        }
    };
    if bytes.len() as u64 > most {
        return Err(Unread::TooLarge(None, most));
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.as_bytes().contains(&0) => Ok(text),
        Ok(text) => Err(Unread::NotText(text.into_bytes())),
        Err(error) => Err(Unread::NotText(error.into_bytes())),
    }
}

/// What is said of bytes that are no text, which are shown as text as far as they can be.
fn not_text(name: String, bytes: &[u8], sources: &mut Sources) -> Diagnostic {
    let nul = bytes.iter().position(|&b| b == 0);
    let (bad, what) = match (std::str::from_utf8(bytes).map_err(|error| error.valid_up_to()), nul) {
        (Err(at), nul) if nul.is_none_or(|nul| at < nul) => (at, "a byte that is not UTF-8"),
        (_, nul) => (nul.unwrap_or_default(), "a NUL byte"),
    };
    let help = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "this is UTF-16: save the file as UTF-8",
        _ => "save the file as UTF-8",
    };
    let shown = String::from_utf8_lossy(bytes).replace('\0', "\u{FFFD}");
    let id = sources.add(name, shown);
    Diagnostic::new("not-text", format!("{what} at byte {bad}"), Span::new(id, bad as u32, bad as u32 + 1))
        .label("expected text in UTF-8")
        .help(help)
}
