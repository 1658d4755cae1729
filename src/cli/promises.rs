//! `ringfence promises`: every public promise, kept, broken or not decidable.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::audit::{Options, promises};
use crate::base::finding::{FindingStatus, PromiseState, PromiseView};
use crate::base::vocabulary::Status;
use crate::model::Scope;
use crate::read::files::DISK;
use crate::report::promises::Format;
use jiff::civil::Date;

use super::input;
use super::judging::{ensure_in_scope, today};
use super::session::Session;
use super::stop::Stop;
use super::terminal::{self, Color};
use super::values;

/// List every public promise as kept, broken, or not decidable from what is declared
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Include only flows in effect on this date; without it, effective dates are ignored
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    as_of: Option<Date>,
    /// Evaluate waiver, assurance and agreement expiry as of this date [default: today in UTC]
    #[arg(long, alias = "today", value_name = "DATE", value_parser = values::date)]
    day: Option<Date>,
    /// Include only agreements with these statuses
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<Status>())]
    status: Vec<Status>,
    /// Do not fail on promises broken only by findings recorded in FILE [default: the
    /// configuration's `baseline`]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Fail on promises that are not decidable, too
    #[arg(long)]
    fail_on_undecided: bool,
    /// Succeed even if no flow is in scope
    #[arg(long)]
    allow_empty: bool,
    /// The output format
    #[arg(long, default_value = "text", value_parser = values::word::<Format>())]
    format: Format,
    /// Write the list to FILE (atomically) instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence promises samples/messenger-banking
  ringfence promises --status active --as-of 2019-06-30 inventory
  ringfence promises --fail-on-undecided --format json --output promises.json inventory

A promise is not decidable where the answer depends on an origin that had to be
assumed, on a place that no declared system is, or on data that no declared flow
carries. The list says which declaration is missing.

Exit codes:
  0  no promise is broken by anything new
  1  a promise is broken; with --fail-on-undecided: or not decidable
  2  invalid input or invalid arguments; nothing was evaluated";

/// Lists the promises.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let day = args.day.unwrap_or_else(today);
    let mut input = input::without_policies(session, &args.paths, args.baseline.as_deref(), day)?;
    let statuses = if args.status.is_empty() { &input.config.status } else { &args.status };
    let mut options = Options::new(day);
    options.stages = session.stages.clone();
    options.scope = Scope {
        as_of: args.as_of.or(input.config.as_of),
        statuses: (!statuses.is_empty()).then(|| statuses.clone()),
        running_on: None,
    };
    options.baseline = input::baseline(session, &input.config, DISK, &mut input.sources)?;
    if !args.allow_empty {
        ensure_in_scope(&input, &options)?;
    }
    if args.format == Format::Text {
        input.sources.locate_from_here();
    }
    let promises = promises(&input.world, &input.sources, &options);
    match &args.output {
        Some(file) => {
            session
                .output
                .write_file(file, &promises.render(args.format, 80, session.color == Color::Always)?)?;
        }
        None => {
            let color = session.color.on(&io::stdout());
            session.output.print(&promises.render(args.format, terminal::width(), color)?)?;
        }
    }
    let fails = |view: &PromiseView| match view.promise.standing() {
        PromiseState::Broken => view.findings.iter().any(|f| f.status == FindingStatus::New),
        PromiseState::Undecided => args.fail_on_undecided,
        PromiseState::Kept => false,
    };
    Ok(ExitCode::from(u8::from(promises.promises.iter().any(fails))))
}
