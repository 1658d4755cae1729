//! Where results go: standard output, or a file that is written completely or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::finding::Judged;
use crate::base::visible::{inert, visible};
use crate::report::left_out;
use anyhow::Context;

use super::progress::Bar;
use super::target;

/// Where everything goes that the program prints or writes. Clones share the progress bar and the list
/// of unfinished files, so that the thread that ends a run can clean up.
#[derive(Clone, Default)]
pub struct Output {
    bar: Bar,
    /// The files that are not complete yet, each beside the one that it will replace.
    unfinished: Arc<Mutex<Vec<PathBuf>>>,
}

/// Whether a file must survive a crash of the machine once it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// A report: it can be made again, and waiting for the disk would take longer than most audits.
    Written,
    /// What is kept as evidence, or replaces what somebody wrote.
    Synchronised,
}

impl Output {
    /// The progress bar.
    pub fn bar(&self) -> &Bar {
        &self.bar
    }

    /// Prints a text to standard output. A reader that has gone is no error.
    pub fn print(&self, text: &str) -> anyhow::Result<()> {
        self.stream(|out| out.write_all(text.as_bytes()))
    }

    /// Prints to standard output what `make` writes. A reader that has gone is no error.
    pub fn stream(&self, make: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let out = io::stdout();
        if out.is_terminal() {
            self.bar.clear_progress();
        }
        match buffered(out.lock(), make) {
            Err(error) if !is_gone(&error) => Err(error).context("cannot write the output"),
            _ => Ok(()),
        }
    }

    /// Prints a text to standard error, none of whose lines a build server takes for a command. Nothing
    /// can be done if nobody reads it.
    pub fn say(&self, text: &str) {
        self.bar.clear_progress();
        let _ = writeln!(io::stderr().lock(), "{}", inert(text));
    }

    /// Prints what the audit left out to standard error, for outputs that have no place for it.
    pub fn say_left_out(&self, judged: &Judged) {
        left_out(judged).into_iter().for_each(|text| self.say(&visible(&format!("note: {text}"))));
    }

    /// Writes a file completely or not at all: beside its place first, then renamed. Something that is no
    /// regular file, such as a pipe, is written to as it is.
    ///
    /// # Errors
    /// When it cannot be written, a link of the checkout stands in its path, or it would replace a
    /// YAML file: declarations, policies and settings are YAML, and no report is.
    pub fn write_file(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        self.stream_file(path, Kept::Written, |out| out.write_all(text.as_bytes()))
    }

    /// As [`Output::write_file`], with what `make` writes.
    ///
    /// # Errors
    /// As there.
    pub fn stream_file(
        &self,
        path: &Path,
        kept: Kept,
        make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let target = target::of(path)?;
        let is_yaml = |path: &Path| {
            path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"))
        };
        if (is_yaml(path) || is_yaml(&target)) && target.exists() {
            let shown = visible(&path.display().to_string());
            anyhow::bail!(
                "`{shown}` is a YAML file and is not overwritten; choose another name for the report"
            );
        }
        self.replace_by(path, &target, kept, make)
    }

    /// Writes a file completely or not at all, whatever is there.
    ///
    /// # Errors
    /// When it cannot be written, or a link of the checkout stands in its path.
    pub fn replace(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        self.replace_by(path, &target::of(path)?, Kept::Synchronised, |out| out.write_all(text.as_bytes()))
    }

    fn replace_by(
        &self,
        path: &Path,
        target: &Path,
        kept: Kept,
        make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        if path == Path::new("/dev/stdout") {
            // Where standard output is a file, this continues it where the shell opened it.
            return self.stream(make);
        }
        let shown = || format!("cannot write `{}`", visible(&path.display().to_string()));
        let is_special = fs::metadata(path).is_ok_and(|m| !m.is_file());
        if is_special {
            let file = OpenOptions::new().write(true).open(path).with_context(shown)?;
            return match buffered(file, make) {
                Err(error) if !is_gone(&error) => Err(error).with_context(shown),
                _ => Ok(()),
            };
        }
        let (temporary, file) = self.beside(target).with_context(shown)?;
        let written = buffered(file, make).and_then(|file| {
            if let Ok(old) = fs::metadata(target) {
                file.set_permissions(old.permissions())?;
            }
            if kept == Kept::Written {
                return fs::rename(&temporary, target);
            }
            file.sync_all()?;
            fs::rename(&temporary, target)?;
            // The folder is synchronised so that the new name survives a crash; not every system can.
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
            let _ = fs::File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
            Ok(())
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        self.unfinished().retain(|file| *file != temporary);
        written.with_context(shown)
    }

    /// Ends the process at once, from any thread, and removes the files that are not complete.
    pub fn exit_cleaning_up(&self, code: u8) -> ! {
        // The lock is held to the end, so that no other thread begins a file.
        let mut unfinished = self.unfinished();
        for file in unfinished.drain(..) {
            let _ = fs::remove_file(file);
        }
        process::exit(i32::from(code))
    }

    /// A new file in the same folder.
    fn beside(&self, target: &Path) -> io::Result<(PathBuf, fs::File)> {
        let name =
            target.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "it names no file"))?;
        let mut last = io::Error::from(ErrorKind::AlreadyExists);
        for attempt in 0..100 {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{attempt}.tmp", process::id()));
            let temporary = target.with_file_name(hidden);
            let mut unfinished = self.unfinished();
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

    fn unfinished(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
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
fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// How a new file is opened. One that will take over the mode of another is its owner's alone until
/// then.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_completely_or_not_at_all() {
        let output = Output::default();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.json");
        output.write_file(&file, "one").unwrap();
        output.write_file(&file, "two").unwrap();
        let declared = folder.path().join("parties.yaml");
        fs::write(&declared, "parties: []").unwrap();
        assert!(output.write_file(&declared, "a report").is_err());
        assert_eq!(fs::read_to_string(&declared).unwrap(), "parties: []");
        fs::remove_file(&declared).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert!(output.write_file(&folder.path().join("no/such/folder.json"), "x").is_err());
        assert!(output.write_file(folder.path(), "x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn devices_stay_what_they_are() {
        Output::default().write_file(Path::new("/dev/null"), "x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
