//! What tests of policies came to, in the forms that people and programs read.

mod json;
mod junit;
mod text;

use crate::base::vocabulary::words;
use crate::policy_test::{Case, Coverage, Outcome, Suite};

words! {
    /// A form of the result.
    Format: "a format" {
        /// For people.
        Text = "text",
        /// For build servers: JUnit XML.
        Junit = "junit",
        /// For programs.
        Json = "json",
    }
}

/// What is reported.
#[derive(Debug, Clone, Copy)]
pub struct Tested<'t> {
    /// The tests.
    pub suite: &'t Suite,
    /// What became of each.
    pub outcomes: &'t [Outcome],
    /// What of the rules they exercise, if that was asked.
    pub coverage: Option<&'t Coverage>,
    /// From how many of a hundred parts on that is enough.
    pub fail_under: Option<usize>,
}

/// How it looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// With colours.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
    /// Failures only.
    pub quiet: bool,
}

impl<'t> Tested<'t> {
    /// The tests of each file with what became of them, in the order read.
    fn files(&self) -> Vec<(&'t str, Vec<(&'t Case, &'t Outcome)>)> {
        let mut files: Vec<(&str, Vec<(&Case, &Outcome)>)> = Vec::new();
        for (case, outcome) in self.suite.cases.iter().zip(self.outcomes) {
            match files.last_mut().filter(|(file, _)| *file == case.file) {
                Some((_, tests)) => tests.push((case, outcome)),
                None => files.push((&case.file, vec![(case, outcome)])),
            }
        }
        files
    }

    /// How many tests failed.
    fn failed(&self) -> usize {
        self.outcomes.iter().filter(|o| !o.passed()).count()
    }

    /// Whether too little of the rules is exercised.
    fn falls_short(&self) -> bool {
        match (self.coverage, self.fail_under) {
            (Some(coverage), Some(least)) => coverage.percent() < least,
            _ => false,
        }
    }

    /// Whether that is a failure.
    pub fn fails(&self) -> bool {
        self.failed() > 0 || self.falls_short()
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be put into the format.
    pub fn render(&self, format: Format, look: Look) -> Result<String, serde_json::Error> {
        match format {
            Format::Text => Ok(text::render(self, look)),
            Format::Junit => Ok(junit::render(self)),
            Format::Json => json::render(self),
        }
    }
}
