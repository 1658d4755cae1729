//! A comparison of two states, in the forms that people and programs read. Formats
//! that services read show the head's findings, what the base knows marked as known.

mod markdown;
mod text;

pub use text::{brief, outcome};

use std::io;

use super::json::Hidden;
use super::{Format, Look, Report, json};
use crate::base::finding::Audit;
use crate::base::source::Sources;
use crate::compare::Diff;
use crate::declare::gate::Gate;
use crate::model::Scope;
use crate::model::load::World;
use crate::read::places::Places;

/// What a report of a comparison is made of.
#[derive(Debug, Clone, Copy)]
pub struct DiffReport<'r> {
    /// What is different.
    pub diff: &'r Diff,
    /// The head's result, what the base knows marked as known.
    pub head: &'r Audit,
    /// When that is a failure.
    pub gate: &'r Gate,
    /// How it looks.
    pub look: Look,
    /// Where the files lie in their repository.
    pub places: &'r Places,
    /// Whether edits that widen fail, too.
    pub widening: bool,
    /// What the head declares and its texts, unless it is a result alone.
    pub declared: Option<(&'r World, &'r Sources)>,
    /// Which part of it was judged.
    pub scope: &'r Scope,
}

impl DiffReport<'_> {
    /// As [`Report::remarks`].
    pub fn remarks(&self, format: Format) -> Vec<String> {
        let compared = Some((self.diff, self.widening));
        let report = Report { places: self.places.clone(), compared, ..Report::new(self.head) };
        report.remarks(format)
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the result cannot be put into the format, or not be written.
    pub fn write(&self, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
        match format {
            Format::Text => out.write_all(text::render(self).as_bytes()),
            Format::Markdown => out.write_all(markdown::render(self).as_bytes()),
            Format::Json => json::write(self.diff, Hidden::Escaped, out),
            others => {
                let report = Report {
                    places: self.places.clone(),
                    world: self.declared.map(|(world, _)| world),
                    sources: self.declared.map(|(_, sources)| sources),
                    scope: self.scope.clone(),
                    compared: Some((self.diff, self.widening)),
                    ..Report::new(self.head)
                };
                report.gate(self.gate.clone()).look(self.look).write(others, out)
            }
        }
    }
}
