//! `ringfence trace`: where data goes, and where what a place holds comes from.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::query::{Question, trace};
use crate::report::answer::TraceFormat;

use super::asking::Asking;
use super::session::Session;
use super::stop::{Stop, stop};
use super::values;

/// Follow data from where it starts to where it is held, flow by flow
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Follow only data that starts at these places: parties, systems (`party/system`), or globs
    #[arg(long, value_name = "PLACE", value_delimiter = ',')]
    from: Vec<String>,
    /// List only these places: parties, systems, or globs
    #[arg(long, value_name = "PLACE", value_delimiter = ',')]
    to: Vec<String>,
    /// Follow only data that is of one of these categories, or was on its way
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    data: Vec<String>,
    /// Follow only data that crosses a flow of one of these agreements
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    agreement: Vec<String>,
    /// Follow only data that crosses one of these flows, by their full ids
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    through: Vec<String>,
    /// List up to N further chains for each source and place, shortest first
    #[arg(long, value_name = "N", default_value_t = 0)]
    all: usize,
    /// Print at most N pairs of source and place as text; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// The output format
    #[arg(long, default_value = "text", value_parser = values::word::<TraceFormat>())]
    format: TraceFormat,
    #[command(flatten)]
    pub asking: Asking,
}

const EXAMPLES: &str = "\
Examples:
  ringfence trace --from jpmorgan-chase samples/messenger-banking
  ringfence trace --to facebook/messenger --all 3 samples/messenger-banking
  ringfence trace --data financial.account --to 'facebook/*' inventory
  ringfence trace --agreement chase-messenger --format csv --output places.csv inventory
  ringfence trace --to facebook/ads-ranking --format svg --output chains.svg inventory

With --to alone, everything that the places hold is listed, and from whom. What comes back to
where it starts is listed only for places that --to names.

Exit codes:
  0  answered, also if nothing gets there
  2  invalid input or invalid arguments";

/// Answers.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let question = Question {
        from: args.from.clone(),
        to: args.to.clone(),
        data: args.data.clone(),
        agreement: args.agreement.clone(),
        through: args.through.clone(),
        further: args.all,
    };
    if question.words().is_empty() {
        stop!("there is no question: name --from, --to, --data, --agreement or --through");
    }
    let (input, options) = args.asking.read(session, &args.paths, args.format == TraceFormat::Text)?;
    let most = session.limits.findings_of(input.sources.bytes());
    let answer = trace(&input.world, &input.sources, &options, &question, most)?;
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    args.asking.write(session, |width, color| match args.format.of() {
        Ok(format) => answer.render(format, width, color, limit),
        Err(picture) => answer.picture(&input.world, &input.sources, &options, picture),
    })
}
