//! What all parts of one call share: its limits, its output and its progress.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use crate::base::diagnostic::Diagnostic;
use crate::base::limits::Limits;
use crate::base::source::Sources;
use crate::base::stages::Stages;
use crate::report::terminal;

use super::limits;
use super::memory;
use super::output::Output;
use super::progress;
use super::stop::Stop;
use super::terminal::{Color, error_width};

/// One call of the program. Commands are given it and keep nothing anywhere else.
pub struct Session {
    /// How much an input may ask for.
    pub limits: Limits,
    /// The path that standard input stands for.
    pub stdin_name: Option<PathBuf>,
    /// When to colour.
    pub color: Color,
    /// Whether to print the result alone.
    pub quiet: bool,
    /// Where results, messages and files go.
    pub output: Output,
    /// Where the library reports progress.
    pub stages: Stages,
    /// How many mistakes are printed.
    max_errors: usize,
    begun: Instant,
    timings: bool,
}

impl Session {
    /// Begins: watches the memory, and shows progress if somebody watches.
    ///
    /// # Errors
    /// The limits cannot be kept.
    pub fn begin(limits: &limits::Args, color: Color, quiet: bool, timings: bool) -> Result<Self, Stop> {
        let output = Output::default();
        let most = limits.limits();
        memory::guard(most.memory, limits.max_memory.is_some(), &output)?;
        let shows_progress = progress::is_shown(quiet);
        let stages = if shows_progress || timings { Stages::timed() } else { Stages::default() };
        if shows_progress {
            output.bar().start(stages.clone());
        }
        Ok(Session {
            limits: most,
            stdin_name: limits.stdin_name.clone(),
            color,
            quiet,
            output,
            stages,
            max_errors: limits.max_errors(),
            begun: Instant::now(),
            timings,
        })
    }

    /// Ends: removes the progress bar, and prints what each stage took, if that is asked for.
    pub fn end(&self) {
        self.output.bar().clear_progress();
        if self.timings {
            let table = progress::table(&self.stages.costs(), self.begun.elapsed(), memory::peak());
            self.output.say(&table);
        }
    }

    /// The mistakes of an input: the first ones, and how many there are.
    pub fn invalid(&self, diagnostics: &[Diagnostic], sources: &Sources) -> Stop {
        self.mistaken(diagnostics, sources, "nothing was judged")
    }

    /// As [`Session::invalid`], with what was not done because of them.
    pub fn mistaken(&self, diagnostics: &[Diagnostic], sources: &Sources, undone: &str) -> Stop {
        let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
        ordered.sort_by_key(|diagnostic| diagnostic.primary.as_ref().map(|label| label.span));
        let more = ordered.len().saturating_sub(self.max_errors);
        ordered.truncate(self.max_errors);
        let color = self.color.on(&io::stderr());
        let mut text = terminal::render(&ordered, sources, color, error_width()).trim_end().to_owned();
        if more > 0 {
            text += &format!("\n\n… and {more} more; --max-errors 0 shows all");
        }
        Stop::printing(format!("{text}\n{}", tally(diagnostics, undone)))
    }
}

/// `error: 3 mistakes in 2 files; nothing was judged`.
fn tally(diagnostics: &[Diagnostic], undone: &str) -> String {
    let files: BTreeSet<_> =
        diagnostics.iter().filter_map(|d| d.primary.as_ref()).map(|l| l.span.file).collect();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let within = match files.len() {
        0 => String::new(),
        n => format!(" in {n} file{}", plural(n)),
    };
    let count = diagnostics.len();
    format!("error: {count} mistake{}{within}; {undone}", plural(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::source::{FileId, Span};

    #[test]
    fn mistakes_are_counted_with_their_files() {
        let at = |file| Diagnostic::new("x", "x", Span::new(FileId(file), 0, 1));
        assert_eq!(
            tally(&[at(0), at(1), at(1)], "nothing was judged"),
            "error: 3 mistakes in 2 files; nothing was judged"
        );
        let none = Diagnostic::without_place("x", "x");
        assert_eq!(tally(&[none], "nothing was judged"), "error: 1 mistake; nothing was judged");
    }
}
