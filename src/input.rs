//! Which files an inventory has, and their texts.

use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::{Diagnostic, nearest};
use crate::files::{Files, Kind, slashed};
use crate::glob::Glob;
use crate::limits::Limits;
use crate::source::{FileId, Sources, Span};

/// What to read and what not.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// Globs on paths relative to the path given: a file, or a folder with all below.
    pub exclude: Vec<Glob>,
    /// Baselines, which are no part of the inventory wherever they lie.
    pub baselines: Vec<PathBuf>,
    /// The largest file, and how many there may be.
    pub limits: Limits,
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
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// A folder whose name begins with a dot.
    HiddenFolder,
    /// Named by `exclude`.
    Excluded,
    /// Neither `.yaml` nor `.yml`.
    NotYaml,
    /// A link that leads out of the path given.
    LinkOutside,
    /// The baseline.
    Baseline,
}

struct Found {
    path: PathBuf,
    given: String,
    name: String,
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
    let mut stdin = false;
    for path in paths {
        if path.as_os_str() == "-" {
            if !std::mem::replace(&mut stdin, true) {
                found.push(Found { path: path.clone(), given: String::new(), name: "<stdin>".to_owned() });
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
                    root: canonical(files, path),
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
                    set.left_out.push((name, LeftOut::Baseline));
                } else if seen.insert(target) {
                    let given = path.parent().map(slashed).unwrap_or_default();
                    found.push(Found { path: path.clone(), given, name });
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
                let is_config = file.path.file_name().is_some_and(|n| n == "ringfence.yaml");
                let id = match file.path.as_os_str() == "-" {
                    true => sources.add(file.name.clone(), text),
                    false => sources.add_at(file.name.clone(), file.path, text),
                };
                set.files.push(InputFile { file: id, name: file.name, is_config });
            }
            Err(why) => diagnostics.push(why.say(file.name, sources)),
        }
    }
    set.left_out.sort();
    set
}

/// What was found, of texts that were read already.
pub fn held(files: &[FileId], sources: &Sources) -> InputSet {
    let name = |file: FileId| sources.get(file).map(|f| f.name().to_owned()).unwrap_or_default();
    let files = files.iter().map(|&file| InputFile { file, name: name(file), is_config: false });
    InputSet { files: files.collect(), left_out: Vec::new() }
}

fn canonical(files: &Files, path: &Path) -> PathBuf {
    files.canonical(path).unwrap_or_else(|_| path.to_path_buf())
}

struct Walk<'w> {
    files: &'w Files,
    options: &'w InputOptions,
    baselines: &'w [PathBuf],
    given: String,
    root: PathBuf,
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
                if let Some(reason) = self.reason(&entry.name, &name, is_dir) {
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

    fn reason(&self, file_name: &str, name: &str, is_dir: bool) -> Option<LeftOut> {
        if is_dir && file_name.starts_with('.') {
            return Some(LeftOut::HiddenFolder);
        }
        self.options.exclude.iter().any(|glob| glob.matches(name)).then_some(LeftOut::Excluded)
    }

    /// A file, and its place without links.
    fn file(&mut self, path: PathBuf, name: String, target: PathBuf) {
        let lower = name.to_lowercase();
        if !lower.ends_with(".yaml") && !lower.ends_with(".yml") {
            self.set.left_out.push((name, LeftOut::NotYaml));
        } else if self.baselines.contains(&target) {
            self.set.left_out.push((name, LeftOut::Baseline));
        } else if self.seen.insert(target) {
            self.found.push(Found { path, given: self.given.clone(), name });
        }
    }

    fn link(&mut self, path: &Path, name: String) {
        let target = match self.files.canonical(path) {
            Ok(target) => target,
            // In a revision nothing is known of what lies outside.
            Err(_) if self.files.is_of_revision(path) => {
                self.set.left_out.push((name, LeftOut::LinkOutside));
                return;
            }
            Err(error) => {
                self.diagnostics.push(unreadable(&name, &error.to_string()));
                return;
            }
        };
        let own = target.strip_prefix(&self.root).map(slashed).unwrap_or_default();
        let above: Vec<String> =
            own.match_indices('/').filter_map(|(at, _)| own.get(..at)).map(str::to_owned).collect();
        let excluded = |path: &String| self.options.exclude.iter().any(|glob| glob.matches(path));
        if !target.starts_with(&self.root) {
            self.set.left_out.push((name, LeftOut::LinkOutside));
        } else if above.iter().chain([&own]).any(excluded) {
            self.set.left_out.push((name, LeftOut::Excluded));
        } else if self.files.kind(&target).is_ok_and(|kind| kind == Kind::Folder) {
            self.folder(&target, &name);
        } else {
            self.file(path.to_path_buf(), name, target);
        }
    }
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
