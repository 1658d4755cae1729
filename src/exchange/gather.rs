//! The files of an import.

use std::path::{Path, PathBuf};

use crate::base::diagnostic::{Diagnostic, nearest};
use crate::read::files::{Files, Kind, slashed};

use super::{Asked, Format};

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    /// As it is shown.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Source {
    /// BLAKE3 of its bytes.
    pub fn digest(&self) -> String {
        blake3::hash(&self.bytes).to_hex().to_string()
    }
}

/// The endings of the names of files that a format has in a folder.
fn endings(format: Format) -> &'static [&'static str] {
    match format {
        Format::Table => &["csv", "tsv", "xlsx", "xlsm", "xls", "ods"],
        Format::Fides => &["yml", "yaml", "json"],
    }
}

/// Reads the files, by name.
///
/// # Errors
/// What cannot be read.
pub fn gather(asked: &Asked) -> Result<Vec<Source>, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let mut found: Vec<PathBuf> = Vec::new();
    for path in asked.paths {
        match asked.files.kind(path) {
            Ok(Kind::Folder) => folder(asked, path, &mut found, &mut mistakes),
            Ok(Kind::File(_)) => found.push(path.clone()),
            Ok(_) => mistakes.push(unreadable(path, "it is no ordinary file")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                mistakes.push(missing(asked.files, path))
            }
            Err(error) => mistakes.push(unreadable(path, &error.to_string())),
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() && mistakes.is_empty() {
        let paths: Vec<String> = asked.paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let message = format!("no file to import was found in {}", paths.join(", "));
        let known = endings(asked.format).join(", ");
        mistakes.push(
            Diagnostic::without_place("missing-path", message)
                .help(format!("files of the endings {known} are read")),
        );
    }
    let mut all = Vec::new();
    for path in found {
        let most = asked.limits.file_size;
        match asked.files.read(&path, most.saturating_add(1)) {
            Ok(bytes) if bytes.len() as u64 > most => {
                mistakes.push(crate::read::input::too_large(&path.display().to_string(), None, most));
            }
            Ok(bytes) => all.push(Source { name: slashed(&path), path, bytes }),
            Err(error) => mistakes.push(unreadable(&path, &error.to_string())),
        }
    }
    if mistakes.is_empty() { Ok(all) } else { Err(mistakes) }
}

fn folder(asked: &Asked, path: &Path, found: &mut Vec<PathBuf>, mistakes: &mut Vec<Diagnostic>) {
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = match asked.files.list(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                mistakes.push(unreadable(&folder, &error.to_string()));
                continue;
            }
        };
        for entry in entries {
            let ending =
                entry.path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
            match entry.kind {
                Kind::Folder if !entry.name.starts_with('.') => open.push(entry.path),
                // `~$…` and `.~lock…` are what office programs leave beside an open file.
                Kind::File(_) if entry.name.starts_with(['~', '.']) => {}
                Kind::File(_) if endings(asked.format).contains(&ending.as_str()) => found.push(entry.path),
                Kind::Link => mistakes.push(unreadable(&entry.path, "it is a link: name what it leads to")),
                _ => {}
            }
            if found.len() > asked.limits.documents {
                let message = format!("there are more files than the limit of {}", asked.limits.documents);
                mistakes.push(
                    Diagnostic::without_place("too-many-files", message)
                        .help("`--max-documents N` raises the limit"),
                );
                return;
            }
        }
    }
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::without_place("unreadable", format!("`{}` cannot be read: {why}", path.display()))
}

fn missing(files: &Files, path: &Path) -> Diagnostic {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = files.list(folder).into_iter().flatten().map(|entry| entry.name).collect();
    let wanted = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let help = match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", folder.join(near).display()),
        None => "name a folder or a file that exists".to_owned(),
    };
    Diagnostic::without_place("missing-path", format!("there is no `{}`", path.display())).help(help)
}
