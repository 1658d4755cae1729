//! Diagnostics as words for the terminal.

use crate::diagnostic::Diagnostic;
use crate::source::Sources;

/// Every diagnostic with its place and what to do.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, _color: bool, _width: usize) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&format!("error[{}]: {}\n", diagnostic.code, diagnostic.message));
        if let Some(label) = &diagnostic.primary {
            let place = sources.location(label.span);
            out.push_str(&format!("  --> {}:{}:{}\n", place.file, place.line, place.column));
        }
        if let Some(help) = &diagnostic.help {
            out.push_str(&format!("  help: {help}\n"));
        }
    }
    out
}
