//! What the standard streams can show.

use std::io::{self, IsTerminal};

use clap::ValueEnum;

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
            Color::Auto => stream.is_terminal() && !is_set("NO_COLOR") && !is_dumb(),
        }
    }
}

/// The columns that text has on standard output: those of `COLUMNS`, else those of the terminal, else 80; no more than
/// can be read with ease. In a pipeline always 80, so that its logs can be compared.
pub fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    columns(is_set("CI"), stated(), terminal.map(|(width, _)| width.0)).clamp(40, WIDEST)
}

/// The columns of standard error, by the same measure.
pub fn error_width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stderr());
    columns(is_set("CI"), stated(), terminal.map(|(width, _)| width.0))
}

/// So many columns a line has at most.
const WIDEST: usize = 120;

/// What the variable `COLUMNS` says, if that is a number of columns.
fn stated() -> Option<u16> {
    std::env::var("COLUMNS").ok()?.trim().parse().ok().filter(|&columns| columns > 0)
}

fn columns(pipeline: bool, stated: Option<u16>, terminal: Option<u16>) -> usize {
    stated.or(terminal).filter(|_| !pipeline).map_or(80, usize::from)
}

/// Whether somebody watches this stream: it is a terminal that can be redrawn, and not in a pipeline.
pub fn is_watched(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !is_set("CI") && !is_dumb()
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|t| t == "dumb")
}

/// Whether a variable of the environment is set to something.
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_has_eighty_columns_whatever_its_terminal() {
        assert_eq!(columns(true, Some(100), Some(200)), 80);
        assert_eq!(columns(false, Some(100), Some(200)), 100);
        assert_eq!(columns(false, None, Some(200)), 200);
        assert_eq!(columns(false, None, None), 80);
    }
}
