//! What an audit found, in the forms that people and programs read: one file
//! per format, registered in [`Format`].

pub mod again;
pub mod answer;
pub mod audience;
mod cause;
pub mod csv;
pub mod diagram;
pub mod difference;
pub mod dispose;
pub mod edit;
pub mod explain;
mod gated;
mod github;
mod gitlab;
mod group;
mod html;
mod json;
mod junit;
mod kind;
pub mod markdown;
pub mod page;
pub mod patch;
pub mod policies;
pub mod promises;
pub mod record;
mod relied;
mod ropa;
mod sarif;
mod say;
pub mod since;
mod tally;
pub mod terminal;
pub mod tested;
mod text;

pub(crate) use say::about;
pub use say::{count, left_out};

pub use json::{answer_schemas, difference_schema, promises_schema, schema};

use std::io;

use jiff::civil::Date;

use self::audience::Audience;
use self::since::Since;
use crate::base::finding::{Audit, Notice};
use crate::base::source::Sources;
pub use crate::base::vocabulary::{By, Format};
use crate::compare::Diff;
use crate::declare::gate::Gate;
use crate::flow::holdings::Holdings;
use crate::model::load::World;
use crate::model::{Counting, Model, Scope};
use crate::query::Calendar;
use crate::read::places::Places;

/// Writes an audit in a format, as the command does without options.
///
/// # Errors
/// The result cannot be put into the format.
pub fn render(audit: &Audit, format: Format) -> io::Result<String> {
    Report::new(audit).render(format)
}

/// How a report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// With colours.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
    /// How many findings are written out, where they are; `None`: all. The others are counted.
    pub limit: Option<usize>,
    /// How many causes are; `None`: all.
    pub causes: Option<usize>,
    /// By what the text puts together what was found.
    pub by: By,
    /// Whether the text has every notice, and not a line for each code.
    pub notices: bool,
    /// Whether the text has every claim that was relied on, and not a line for each kind.
    pub relied_on: bool,
    /// Findings only.
    pub quiet: bool,
    /// For whom a page is written; `None`: for everybody.
    pub audience: Option<Audience>,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            color: false,
            width: 80,
            limit: Some(100),
            causes: Some(20),
            by: By::Cause,
            notices: false,
            relied_on: false,
            quiet: false,
            audience: None,
        }
    }
}

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct Report<'r> {
    /// What was found.
    pub audit: &'r Audit,
    /// When that is a failure.
    pub gate: Gate,
    /// How it looks.
    pub look: Look,
    /// Where the files lie in their repository.
    pub places: Places,
    /// The declared world, for formats that show more of it than the findings do.
    pub world: Option<&'r World>,
    /// Which part of the world was judged.
    pub scope: Scope,
    /// The texts, for places of what no finding names.
    pub sources: Option<&'r Sources>,
    /// What a command that goes on from here is given besides, each argument behind a space: where the inventory is.
    pub again: String,
    /// Where it is one side of a comparison, that, and whether edits that widen make it fail.
    pub compared: Option<(&'r Diff, bool)>,
    /// What begins and ends on the days ahead, where the page says that.
    pub ahead: Option<&'r Calendar>,
    /// An earlier result to say what has changed since.
    pub since: Option<&'r Since>,
}

impl<'r> Report<'r> {
    /// A report as it is where nothing else is said.
    pub fn new(audit: &'r Audit) -> Self {
        Report {
            audit,
            gate: Gate::default(),
            look: Look::default(),
            places: Places::default(),
            world: None,
            scope: Scope::default(),
            sources: None,
            again: String::new(),
            compared: None,
            ahead: None,
            since: None,
        }
    }

    /// Which flows count.
    pub fn counting(&self, model: &Model) -> Counting {
        Counting::new(model, self.audit.judged.date(), &self.scope)
    }

    /// Who comes to hold what.
    pub fn holdings(&self, model: &Model) -> Holdings {
        Holdings::new(model, self.audit.judged.date(), &self.scope)
    }

    /// The day on which assurances hold or not.
    fn assurance_day(&self) -> Date {
        self.scope.as_of.unwrap_or_else(|| self.audit.judged.date())
    }

    /// With another gate.
    pub fn gate(self, gate: Gate) -> Self {
        Report { gate, ..self }
    }

    /// With another look.
    pub fn look(self, look: Look) -> Self {
        Report { look, ..self }
    }

    /// All that there is to say of one of its causes, as text: by its id, or that of one of its declarations.
    pub fn cause(&self, id: &str) -> Option<String> {
        text::cause(self, id)
    }

    /// The id of the cause with that number in the text, and how many have one.
    pub fn numbered(&self, number: usize) -> (Option<String>, usize) {
        let views = cause::views(self.audit, &self.gate);
        let found = views.iter().find(|view| view.number == number);
        (found.map(|view| view.cause.id.clone()), views.len())
    }

    /// Writes it. What has an entry for each finding is written as it is made.
    ///
    /// # Errors
    /// When the result cannot be put into the format, or not be written.
    pub fn write(&self, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
        let text = match format {
            Format::Json => return json::audit(self.audit, &self.gate, out),
            Format::Sarif => return sarif::write(self, out),
            Format::Gitlab => return gitlab::write(self, out),
            Format::Csv => return csv::write(self, out),
            Format::Text => text::render(self),
            Format::Junit => junit::render(self),
            Format::Github => github::render(self),
            Format::Markdown => markdown::render(self),
            Format::Html => html::render(self)?,
            Format::Ropa => ropa::render(self),
        };
        out.write_all(text.as_bytes())
    }

    /// Whether a notice is not accepted; of a comparison only a new one.
    fn denies(&self, notice: &Notice) -> bool {
        match self.compared {
            Some((diff, _)) => diff.denies(&self.gate, notice),
            None => self.gate.denies(notice),
        }
    }

    /// The verdict: of a comparison its own.
    fn verdict(&self) -> say::Verdict {
        let verdict = say::verdict(self.audit, &self.gate);
        match self.compared {
            Some((diff, widening)) => say::Verdict {
                fails: diff.fails(&self.gate, widening),
                sentence: {
                    let unjudged = say::unjudged(diff).map_or_else(String::new, |text| format!("; {text}"));
                    let outcome = difference::outcome(diff, &self.gate, widening);
                    format!("{outcome}. {}{unjudged}.", say::judged(self.audit))
                },
                reasons: difference::outcome(diff, &self.gate, widening),
                ..verdict
            },
            None => verdict,
        }
    }

    /// What there is to know of it and the format has no place for, or a service would not say.
    pub fn remarks(&self, format: Format) -> Vec<String> {
        let left_out = left_out(&self.audit.judged).filter(|_| !format.has_verdict());
        let placeless = match format {
            Format::Sarif | Format::Gitlab => sarif::placeless(self.audit, &self.places),
            _ => None,
        };
        let unjudged = self.compared.and_then(|(diff, _)| say::unjudged(diff));
        let unjudged = unjudged.filter(|_| !format.has_verdict());
        left_out.into_iter().chain(placeless).chain(unjudged).collect()
    }

    /// As [`Report::write`], as a text.
    ///
    /// # Errors
    /// When the result cannot be put into the format.
    pub fn render(&self, format: Format) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.write(format, &mut bytes)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}
