//! What an audit found, in the forms that people and programs read: one file
//! per format, registered in [`Format`].

mod json;
pub mod page;
mod text;

pub use json::schema;

use crate::finding::Audit;
use crate::gate::Gate;
use crate::vocabulary::Word;

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people, in a terminal or a mail.
    Text,
    /// For programs: one object, whose shape `schemas/audit.schema.json` states.
    Json,
}

impl Word for Format {
    const WHAT: &'static str = "a format";
    const ALL: &'static [Self] = &[Format::Text, Format::Json];

    fn word(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
        }
    }
}

/// How a report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// With colours.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
    /// How many findings are written out; `None`: all. The others are counted.
    pub limit: Option<usize>,
    /// Findings only.
    pub quiet: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look { color: false, width: 80, limit: Some(100), quiet: false }
    }
}

/// Writes a report. Only text depends on the gate and the look.
///
/// # Errors
/// When the result cannot be put into the format.
pub fn render(audit: &Audit, format: Format, gate: &Gate, look: &Look) -> Result<String, serde_json::Error> {
    match format {
        Format::Text => Ok(text::render(audit, gate, look)),
        Format::Json => json::render(audit),
    }
}
