//! The arguments of all commands that answer a question about the declared flows.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::audit::Options;
use crate::base::vocabulary::Status;
use crate::model::Scope;
use jiff::civil::Date;

use super::input::{self, Input};
use super::judging::{ensure_in_scope, today};
use super::session::Session;
use super::stop::Stop;
use super::terminal::{self, Color};
use super::values;

/// Which flows count, and where the answer goes.
#[derive(Debug, clap::Args)]
pub struct Asking {
    /// Include only flows in effect on this date; without it, effective dates are ignored
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    as_of: Option<Date>,
    /// Evaluate disposal and agreement expiry as of this date [default: today in UTC]
    #[arg(long, alias = "today", value_name = "DATE", value_parser = values::date)]
    day: Option<Date>,
    /// Include only agreements with these statuses
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<Status>())]
    status: Vec<Status>,
    /// Succeed even if no flow is in scope
    #[arg(long)]
    allow_empty: bool,
    /// Write the answer to FILE (atomically) instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

impl Asking {
    /// Reads the inventory, without policies, and which flows of it count. An answer in text names files from the
    /// working folder on.
    pub fn read(
        &self,
        session: &Session,
        paths: &[PathBuf],
        is_text: bool,
    ) -> Result<(Input, Options), Stop> {
        self.read_on(session, paths, is_text, None)
    }

    /// As [`Asking::read`], with the flows in effect on a day, whatever `--as-of` and the settings say.
    pub fn read_on(
        &self,
        session: &Session,
        paths: &[PathBuf],
        is_text: bool,
        on: Option<Date>,
    ) -> Result<(Input, Options), Stop> {
        let day = self.day.unwrap_or_else(today);
        let mut input = input::without_policies(session, paths, None::<&Path>, day)?;
        if is_text {
            input.sources.locate_from_here();
        }
        let statuses = if self.status.is_empty() { &input.config.status } else { &self.status };
        let mut options = Options::new(day);
        options.stages = session.stages.clone();
        options.scope = Scope {
            as_of: on.or(self.as_of).or(input.config.as_of),
            statuses: (!statuses.is_empty()).then(|| statuses.clone()),
            running_on: None,
        };
        if !self.allow_empty {
            ensure_in_scope(&input, &options)?;
        }
        Ok((input, options))
    }

    /// Writes the answer, rendered by a width and whether there are colours.
    pub fn write(
        &self,
        session: &Session,
        render: impl FnOnce(usize, bool) -> io::Result<String>,
    ) -> Result<ExitCode, Stop> {
        match &self.output {
            Some(file) => {
                session.output.write_file(file, &render(80, session.color == Color::Always)?)?;
            }
            None => {
                let color = session.color.on(&io::stdout());
                session.output.print(&render(terminal::width(), color)?)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
