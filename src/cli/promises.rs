//! `ringfence promises`: every public promise, kept, broken or not decidable.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::civil::Date;
use ringfence::audit::{Options, promises};
use ringfence::files::DISK;
use ringfence::finding::{FindingStatus, PromiseState, PromiseView};
use ringfence::model::Scope;
use ringfence::report::promises::Format;
use ringfence::vocabulary::Status;

use super::audit::is_empty;
use super::input::{self, WRONG};
use super::judging::today;
use super::output::{self, Color};
use super::values;

/// Lists every public promise as kept, broken, or not decidable from what is declared
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders and files of the inventory, `-` for standard input [default: the
    /// configuration's `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Judge the flows of this day; without it dates do not matter
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    as_of: Option<Date>,
    /// Evaluate waivers, assurances and agreements as of this day [default: today in UTC]
    #[arg(long, alias = "today", value_name = "DATE", value_parser = values::date)]
    day: Option<Date>,
    /// Judge agreements with these statuses only
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<Status>())]
    status: Vec<Status>,
    /// Findings that are known; a promise that they alone break does not fail [default: the
    /// configuration's `baseline`]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Fail if a promise is not decidable as well
    #[arg(long)]
    fail_on_undecided: bool,
    /// An inventory without a flow that counts is fine
    #[arg(long)]
    allow_empty: bool,
    /// The form of the list
    #[arg(long, default_value = "text", value_parser = values::word::<Format>())]
    format: Format,
    /// Where the list goes, instead of standard output; written whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// When to colour the text
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
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
  2  the input or the call was wrong; nothing was judged";

/// Lists the promises.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut input = match input::without_policies(&args.paths, args.baseline.as_deref(), args.color) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    let statuses = if args.status.is_empty() { &input.config.status } else { &args.status };
    let mut options = Options::new(args.day.unwrap_or_else(today));
    options.scope = Scope {
        as_of: args.as_of.or(input.config.as_of),
        statuses: (!statuses.is_empty()).then(|| statuses.clone()),
    };
    options.baseline = match input::baseline(&input.config, &DISK, &mut input.sources, args.color) {
        Ok(baseline) => baseline,
        Err(code) => return Ok(code),
    };
    if !args.allow_empty && is_empty(&input, &options.scope) {
        return Ok(ExitCode::from(WRONG));
    }
    let promises = promises(&input.world, &input.sources, &options);
    match &args.output {
        Some(file) => {
            output::write_file(file, &promises.render(args.format, 80, args.color == Color::Always)?)?;
        }
        None => {
            let color = args.color.on(&io::stdout());
            output::print(&promises.render(args.format, output::width(), color)?)?;
        }
    }
    let fails = |view: &PromiseView| match view.promise.standing() {
        PromiseState::Broken => view.findings.iter().any(|f| f.status == FindingStatus::New),
        PromiseState::Undecided => args.fail_on_undecided,
        PromiseState::Kept => false,
    };
    Ok(ExitCode::from(u8::from(promises.promises.iter().any(fails))))
}
