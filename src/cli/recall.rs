//! `ringfence recall`: what must be deleted when an agreement ends or a party leaves.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::query::{Recalled, recall};
use crate::report::answer::RecallFormat;

use super::asking::Asking;
use super::session::Session;
use super::stop::Stop;
use super::values;

/// List what to delete, and in which order, when an agreement or a partner ends
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The agreement that ends, or the party that leaves
    #[arg(value_name = "AGREEMENT|PARTY")]
    of: String,
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Recall only data that starts at these places: parties, systems (`party/system`), or globs
    #[arg(long, value_name = "PLACE", value_delimiter = ',')]
    from: Vec<String>,
    /// Recall only data that is of one of these categories, or was on its way
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    data: Vec<String>,
    /// Print at most N entries of each list as text; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// The output format
    #[arg(long, default_value = "text", value_parser = values::word::<RecallFormat>())]
    format: RecallFormat,
    #[command(flatten)]
    pub asking: Asking,
}

const EXAMPLES: &str = "\
Examples:
  ringfence recall paypal-linking samples/messenger-banking
  ringfence recall jpmorgan-chase --data financial.transaction samples/messenger-banking
  ringfence recall vendor-dpa --format markdown --output checklist.md inventory

A party stands for all agreements that it has, and for what comes to it or from it without one.
Places with the same step send data to each other: all of them must stop before any deletes.

Exit codes:
  0  answered, also if nothing has to be deleted
  2  invalid input or invalid arguments";

/// Answers.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let (input, options) = args.asking.read(session, &args.paths, args.format == RecallFormat::Text)?;
    let recalled = Recalled { of: args.of.clone(), from: args.from.clone(), data: args.data.clone() };
    let most = session.limits.findings_of(input.sources.bytes());
    let answer = recall(&input.world, &input.sources, &options, &recalled, most)?;
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    args.asking.write(session, |width, color| answer.render(args.format, width, color, limit))
}
