//! Where results go: standard output, or a file that is written whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use clap::ValueEnum;
use ringfence::base::finding::Judged;
use ringfence::base::visible::{inert, visible};
use ringfence::report::left_out;

use super::{target, watching};

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether to colour what goes to this stream.
    pub fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => stream.is_terminal() && !set("NO_COLOR") && !dumb(),
        }
    }
}

/// How many columns standard output has: those of the terminal, else 80. In a pipeline 80,
/// so that its logs compare.
pub fn width() -> usize {
    columns(set("CI"), terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)).clamp(40, 140)
}

/// How many columns standard error has, by the same measure.
pub fn error_width() -> usize {
    columns(set("CI"), terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| width.0))
}

fn columns(pipeline: bool, terminal: Option<u16>) -> usize {
    terminal.filter(|_| !pipeline).map_or(80, usize::from)
}

/// Whether a person watches this stream: a terminal that can be drawn on, not in a pipeline.
pub fn watched(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !set("CI") && !dumb()
}

fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|t| t == "dumb")
}

/// Whether a variable of the environment is set, and not to nothing.
fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Writes a text to standard output. A reader that has gone is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    stream(|out| out.write_all(text.as_bytes()))
}

/// Writes to standard output what `make` writes. A reader that has gone is no error.
pub fn stream(make: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let out = io::stdout();
    if out.is_terminal() {
        watching::over();
    }
    match buffered(out.lock(), make) {
        Err(error) if !gone(&error) => Err(error).context("cannot write the output"),
        _ => Ok(()),
    }
}

/// Lets `make` write, in large pieces.
fn buffered<W: Write>(out: W, make: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<W> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    make(&mut out)?;
    let mut out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    out.flush()?;
    Ok(out)
}

/// Whether nobody reads any more.
fn gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// Says something on standard error, no line of which is a command to a build server;
/// nothing is to be done if nobody reads it.
pub fn say(text: &str) {
    watching::over();
    let _ = writeln!(io::stderr().lock(), "{}", inert(text));
}

/// Says what is left out of what is judged, for what has no verdict to say it in.
pub fn say_left_out(judged: &Judged) {
    left_out(judged).into_iter().for_each(|text| say(&visible(&format!("note: {text}"))));
}

/// Writes a file whole or not at all: beside it first, then renamed. What is no
/// regular file, a pipe say, is written to as it is.
///
/// # Errors
/// When it cannot be written, a link of the checkout stands in its path, or it would replace a
/// YAML file: declarations, policies and settings are YAML, and no report is.
pub fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    stream_file(path, |out| out.write_all(text.as_bytes()))
}

/// As [`write_file`], with what `make` writes.
///
/// # Errors
/// As there.
pub fn stream_file(path: &Path, make: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let target = target::of(path)?;
    let yaml = |path: &Path| {
        path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"))
    };
    if (yaml(path) || yaml(&target)) && target.exists() {
        let shown = visible(&path.display().to_string());
        anyhow::bail!("`{shown}` is a YAML file and is not written over; choose another name for the report");
    }
    replace_by(path, &target, make)
}

/// Writes a file whole or not at all, whatever is there.
///
/// # Errors
/// When it cannot be written, or a link of the checkout stands in its path.
pub fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    replace_by(path, &target::of(path)?, |out| out.write_all(text.as_bytes()))
}

fn replace_by(
    path: &Path,
    target: &Path,
    make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    if path == Path::new("/dev/stdout") {
        // Where it leads to a file, that is written on, as the shell opened it.
        return stream(make);
    }
    let shown = || format!("cannot write `{}`", visible(&path.display().to_string()));
    let special = fs::metadata(path).is_ok_and(|m| !m.is_file());
    if special {
        let file = OpenOptions::new().write(true).open(path).with_context(shown)?;
        return match buffered(file, make) {
            Err(error) if !gone(&error) => Err(error).with_context(shown),
            _ => Ok(()),
        };
    }
    let (temporary, file) = beside(target).with_context(shown)?;
    let written = buffered(file, make).and_then(|file| {
        if let Ok(old) = fs::metadata(target) {
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, target)?;
        // The new name lasts from here on; where a folder cannot be synchronised it has to do.
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let _ = fs::File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).retain(|file| *file != temporary);
    written.with_context(shown)
}

/// The files that are not whole yet, each beside the one that it is to be.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Ends the process at once, from whatever thread: what is not whole yet is removed.
pub fn abandon(code: u8) -> ! {
    // Held to the end, so that no more is begun.
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for file in unfinished.drain(..) {
        let _ = fs::remove_file(file);
    }
    process::exit(i32::from(code))
}

/// How a new file is opened: where another takes its mode over later, for its owner alone
/// until then.
fn new_file(takes_over: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if takes_over {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = takes_over;
    options
}

/// A new file in the same folder.
fn beside(target: &Path) -> io::Result<(PathBuf, fs::File)> {
    let name =
        target.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "it names no file"))?;
    let mut last = io::Error::from(ErrorKind::AlreadyExists);
    for attempt in 0..100 {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let temporary = target.with_file_name(hidden);
        let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        match new_file(target.exists()).open(&temporary) {
            Ok(file) => {
                unfinished.push(temporary.clone());
                return Ok((temporary, file));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_has_eighty_columns_whatever_its_terminal() {
        assert_eq!(columns(true, Some(200)), 80);
        assert_eq!(columns(false, Some(200)), 200);
        assert_eq!(columns(false, None), 80);
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.json");
        write_file(&file, "one").unwrap();
        write_file(&file, "two").unwrap();
        let declared = folder.path().join("parties.yaml");
        fs::write(&declared, "parties: []").unwrap();
        assert!(write_file(&declared, "a report").is_err());
        assert_eq!(fs::read_to_string(&declared).unwrap(), "parties: []");
        fs::remove_file(&declared).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert!(write_file(&folder.path().join("no/such/folder.json"), "x").is_err());
        assert!(write_file(folder.path(), "x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn devices_stay_what_they_are() {
        write_file(Path::new("/dev/null"), "x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
