//! `ringfence exposure`: what a breach at a place would expose.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::query::exposure;
use crate::report::answer::Format;
use jiff::civil::Date;

use super::asking::Asking;
use super::session::Session;
use super::stop::Stop;
use super::values;

/// Show what a breach at a place would expose, and who must hear of it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The places: parties, systems (`party/system`), or globs, separated by commas
    #[arg(value_name = "PLACE")]
    places: String,
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print at most N entries of each list as text; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// The output format
    #[arg(long, default_value = "text", value_parser = values::word::<Format>())]
    format: Format,
    /// The day of the breach: include only flows in effect on it, as with --as-of
    #[arg(long, value_name = "DATE", value_parser = values::date, conflicts_with = "as_of")]
    on: Option<Date>,
    #[command(flatten)]
    pub asking: Asking,
}

const EXAMPLES: &str = "\
Examples:
  ringfence exposure facebook/messenger samples/messenger-banking
  ringfence exposure facebook --on 2019-06-30 samples/messenger-banking
  ringfence exposure 'bank-*' --format csv --output exposure.csv inventory

How many people are concerned follows from `subjects` of the systems where the data starts: at
least as many as the largest of them has, at most as many as all have together.

Exit codes:
  0  answered, also if no data is there
  2  invalid input or invalid arguments";

/// Answers.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let (input, options) = args.asking.read_on(session, &args.paths, args.format == Format::Text, args.on)?;
    let places: Vec<String> = args.places.split(',').map(str::to_owned).collect();
    let most = session.limits.findings_of(input.sources.bytes());
    let answer = exposure(&input.world, &input.sources, &options, &places, most)?;
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    args.asking.write(session, |width, color| answer.render(args.format, width, color, limit))
}
