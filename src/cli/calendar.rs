//! `ringfence calendar`: everything with a date, and what that does to the verdict.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::query::calendar;
use crate::read::files::DISK;
use crate::report::answer::CalendarFormat;
use crate::report::count;
use jiff::civil::Date;

use super::input;
use super::judging::{Judging, ensure_in_scope};
use super::session::Session;
use super::stop::Stop;
use super::terminal::{self, Color};
use super::values;

/// List what has a date, and which findings begin or end on the days ahead
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Look this many days ahead
    #[arg(long, value_name = "N", default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
    /// Begin on this date [default: the day judged]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    from: Option<Date>,
    /// Fail if within this time a finding begins that makes an audit fail: days (`30d`) or weeks (`4w`)
    #[arg(long, value_name = "DURATION", value_parser = values::days)]
    fail_within: Option<u32>,
    /// Print at most N entries of each list as text; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 40)]
    limit: usize,
    /// The output format
    #[arg(long, default_value = "text", value_parser = values::word::<CalendarFormat>())]
    format: CalendarFormat,
    /// Write the calendar to FILE (atomically) instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence calendar samples/messenger-banking
  ringfence calendar --days 365 --format ics --output dates.ics inventory
  ringfence calendar --fail-within 30d inventory

Each day on which something begins or ends is judged by itself, as `ringfence audit --as-of DAY --day
DAY` would judge it, with the waivers that hold on that day.

Exit codes:
  0  listed
  1  with --fail-within: a finding begins in that time that makes an audit fail
  2  invalid input or invalid arguments";

/// Lists the dates.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let day = args.from.unwrap_or_else(|| args.judging.scoping.day());
    let mut input = input::read(session, &args.paths, &args.judging.scoping.policies, None, day)?;
    let mut options = args.judging.options(session, &input.config);
    options.day = day;
    options.scope.as_of = Some(day);
    options.baseline = input::baseline(session, &input.config, DISK, &mut input.sources)?;
    if !args.judging.allow_empty {
        let whenever = crate::audit::Options {
            scope: crate::model::Scope { as_of: None, ..options.scope.clone() },
            ..options.clone()
        };
        ensure_in_scope(&input, &whenever)?;
    }
    let days = args.days.max(args.fail_within.unwrap_or_default());
    let gate = args.judging.gate(&input.config);
    if args.format == CalendarFormat::Text {
        input.sources.locate_from_here();
    }
    let answer = calendar(&input.world, &input.sources, &options, &gate, days);
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    match &args.output {
        Some(file) => {
            let text = answer.render(args.format, 80, session.color == Color::Always, limit)?;
            session.output.write_file(file, &text)?;
        }
        None => {
            let color = session.color.on(&io::stdout());
            session.output.print(&answer.render(args.format, terminal::width(), color, limit)?)?;
        }
    }
    let Some(within) = args.fail_within else { return Ok(ExitCode::SUCCESS) };
    let failing = answer.failing_within(within).count();
    if failing > 0 {
        session.output.say(&format!(
            "{} within {} will make an audit fail that {} not fail it now",
            count(failing, "finding"),
            count(within as usize, "day"),
            if failing == 1 { "does" } else { "do" },
        ));
    }
    Ok(ExitCode::from(u8::from(failing > 0)))
}
