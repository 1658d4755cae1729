//! Which files an inventory has, and their texts.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};
use walkdir::WalkDir;

use crate::diagnostic::{Diagnostic, nearest};
use crate::glob::Glob;
use crate::source::{FileId, Sources, Span};

/// What to read and what not.
#[derive(Debug, Clone)]
pub struct InputOptions {
    /// Globs on paths relative to the path given: a file, or a folder with all below.
    pub exclude: Vec<Glob>,
    /// The largest file, in bytes.
    pub max_file_bytes: u64,
}

impl Default for InputOptions {
    fn default() -> Self {
        InputOptions { exclude: Vec::new(), max_file_bytes: 128 << 20 }
    }
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
}

struct Found {
    path: PathBuf,
    given: String,
    name: String,
}

/// Finds and reads all files below some paths, each once.
pub fn read(
    paths: &[PathBuf],
    options: &InputOptions,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> InputSet {
    let mut set = InputSet::default();
    let mut found: Vec<Found> = Vec::new();
    let mut seen: FxHashSet<PathBuf> = FxHashSet::default();
    let mut stdin = false;
    for path in paths {
        if path.as_os_str() == "-" {
            if !std::mem::replace(&mut stdin, true) {
                found.push(Found { path: path.clone(), given: String::new(), name: "<stdin>".to_owned() });
            }
            continue;
        }
        match fs::metadata(path) {
            Err(error) => diagnostics.push(missing(path, &error)),
            Ok(meta) if meta.is_dir() => {
                let mut walk = Walk {
                    options,
                    given: path,
                    root: canonical(path),
                    set: &mut set,
                    found: &mut found,
                    seen: &mut seen,
                    diagnostics,
                };
                walk.folder(path, "");
            }
            Ok(_) => {
                if seen.insert(canonical(path)) {
                    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                    let given = path.parent().map(slashed).unwrap_or_default();
                    found.push(Found { path: path.clone(), given, name });
                }
            }
        }
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
    for file in found {
        if let Some(text) = text(&file, options, sources, diagnostics) {
            let is_config = file.path.file_name().is_some_and(|n| n == "ringfence.yaml");
            let id = match file.path.as_os_str() == "-" {
                true => sources.add(file.name.clone(), text),
                false => sources.add_at(file.name.clone(), file.path, text),
            };
            set.files.push(InputFile { file: id, name: file.name, is_config });
        }
    }
    set.left_out.sort();
    set
}

fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/").replacen("//", "/", 1)
}

struct Walk<'w> {
    options: &'w InputOptions,
    given: &'w Path,
    root: PathBuf,
    set: &'w mut InputSet,
    found: &'w mut Vec<Found>,
    seen: &'w mut FxHashSet<PathBuf>,
    diagnostics: &'w mut Vec<Diagnostic>,
}

impl Walk<'_> {
    /// Everything below a folder; `above` is its name relative to the path given.
    fn folder(&mut self, folder: &Path, above: &str) {
        if !self.seen.insert(canonical(folder)) {
            return;
        }
        let mut links = Vec::new();
        let mut walk = WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(folder).display().to_string();
                    let cause = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    self.diagnostics.push(unreadable(&path, &cause));
                    continue;
                }
            };
            let below = slashed(entry.path().strip_prefix(folder).unwrap_or(entry.path()));
            let name = if above.is_empty() { below } else { format!("{above}/{below}") };
            let kind = entry.file_type();
            let reason = self.reason(&entry.file_name().to_string_lossy(), &name, kind.is_dir());
            if let Some(reason) = reason {
                self.set.left_out.push((name, reason));
                if kind.is_dir() {
                    walk.skip_current_dir();
                }
            } else if kind.is_symlink() {
                links.push((entry.into_path(), name));
            } else if kind.is_dir() {
                if !self.seen.insert(canonical(entry.path())) {
                    walk.skip_current_dir();
                }
            } else {
                self.file(entry.into_path(), name);
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

    fn file(&mut self, path: PathBuf, name: String) {
        let lower = name.to_lowercase();
        if !lower.ends_with(".yaml") && !lower.ends_with(".yml") {
            self.set.left_out.push((name, LeftOut::NotYaml));
        } else if self.seen.insert(canonical(&path)) {
            self.found.push(Found { path, given: slashed(self.given), name });
        }
    }

    fn link(&mut self, path: &Path, name: String) {
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
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
        } else if target.is_dir() {
            self.folder(&target, &name);
        } else {
            self.file(path.to_path_buf(), name);
        }
    }
}

fn missing(path: &Path, error: &std::io::Error) -> Diagnostic {
    let shown = path.display();
    if error.kind() != std::io::ErrorKind::NotFound {
        return unreadable(&shown.to_string(), &error.to_string());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    let wanted = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let near = nearest(&wanted, names.iter().map(String::as_str));
    let help = near.map_or_else(
        || "name a folder or a file that exists".to_owned(),
        |near| format!("did you mean `{}`?", parent.join(near).display()),
    );
    Diagnostic::without_place("missing-path", format!("there is no `{shown}`")).help(help)
}

fn unreadable(name: &str, cause: &str) -> Diagnostic {
    Diagnostic::without_place("unreadable", format!("`{name}` cannot be read: {cause}"))
        .help("an inventory is judged whole or not at all: make it readable, or name it in `exclude`")
}

/// The text of a file, if it is one.
fn text(
    file: &Found,
    options: &InputOptions,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<String> {
    let too_large = |diagnostics: &mut Vec<Diagnostic>| {
        let most = options.max_file_bytes;
        diagnostics.push(
            Diagnostic::without_place("too-large", format!("`{}` is larger than {most} bytes", file.name))
                .help("split it: an inventory may have any number of files"),
        );
    };
    let limited = options.max_file_bytes.saturating_add(1);
    let mut bytes = Vec::new();
    let read = if file.path.as_os_str() == "-" {
        std::io::stdin().lock().take(limited).read_to_end(&mut bytes)
    } else {
        match fs::metadata(&file.path) {
            Ok(meta) if !meta.is_file() => {
                diagnostics.push(unreadable(&file.name, "it is no ordinary file"));
                return None;
            }
            Ok(meta) if meta.len() > options.max_file_bytes => {
                too_large(diagnostics);
                return None;
            }
            _ => fs::File::open(&file.path).and_then(|f| f.take(limited).read_to_end(&mut bytes)),
        }
    };
    if let Err(error) = read {
        diagnostics.push(unreadable(&file.name, &error.to_string()));
        return None;
    }
    if bytes.len() as u64 > options.max_file_bytes {
        too_large(diagnostics);
        return None;
    }
    let nul = bytes.iter().position(|&b| b == 0);
    let (bad, what) = match (std::str::from_utf8(&bytes), nul) {
        (Ok(_), None) => return String::from_utf8(bytes).ok(),
        (Err(error), Some(nul)) if error.valid_up_to() < nul => {
            (error.valid_up_to(), "a byte that is not UTF-8")
        }
        (_, Some(nul)) => (nul, "a NUL byte"),
        (Err(error), None) => (error.valid_up_to(), "a byte that is not UTF-8"),
    };
    let help = match bytes.as_slice() {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "this is UTF-16: save the file as UTF-8",
        _ => "save the file as UTF-8",
    };
    // Shown as text up to there, the rest as far as it can be read.
    let shown = String::from_utf8_lossy(&bytes).replace('\0', "\u{FFFD}");
    let id = sources.add(file.name.clone(), shown);
    diagnostics.push(
        Diagnostic::new(
            "not-text",
            format!("{what} at byte {bad}"),
            Span::new(id, bad as u32, bad as u32 + 1),
        )
        .label("expected text in UTF-8")
        .help(help),
    );
    None
}
