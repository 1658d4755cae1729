//! `ringfence recall`: what must be deleted when an agreement ends or a party leaves.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::source::{FileId, Span};
use crate::base::visible::visible;
use crate::query::{Recall, Recalled, recall};
use crate::report::answer::RecallFormat;
use crate::report::dispose::{Statement, disposed};
use anyhow::Context;
use jiff::civil::Date;

use super::asking::Asking;
use super::input::Input;
use super::session::Session;
use super::stop::{Stop, stop};
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
    /// Declare as disposed, in the files of the inventory, what brought nothing but the data recalled
    #[arg(long, requires = "evidence")]
    write: bool,
    /// With --write: what shows that all places have deleted, such as a ticket or a document
    #[arg(long, value_name = "TEXT", requires = "write")]
    evidence: Option<String>,
    /// With --write: the day on which they had [default: the day judged]
    #[arg(long, value_name = "DATE", requires = "write", value_parser = values::date)]
    date: Option<Date>,
    #[command(flatten)]
    pub asking: Asking,
}

const EXAMPLES: &str = "\
Examples:
  ringfence recall paypal-linking samples/messenger-banking
  ringfence recall jpmorgan-chase --data financial.transaction samples/messenger-banking
  ringfence recall vendor-dpa --format markdown --output checklist.md inventory
  ringfence recall vendor-dpa --write --evidence 'deletion report 7' inventory

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
    if let Some(evidence) = &args.evidence {
        write(args, session, &input, &answer, evidence, args.date.unwrap_or(options.day))?;
    }
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    args.asking.write(session, |width, color| answer.render(args.format, width, color, limit))
}

/// Adds `disposed` to the declarations that brought nothing else; every file is made before one is written.
fn write(
    args: &Args,
    session: &Session,
    input: &Input,
    answer: &Recall,
    evidence: &str,
    date: Date,
) -> Result<(), Stop> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        stop!("a disposal is written to a file: name the inventory's folder or file, not `-`");
    }
    if evidence.trim().is_empty() {
        stop!("a disposal needs evidence: say with --evidence what shows that all places have deleted");
    }
    let mut files: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
    answer.dispose.iter().for_each(|one| files.entry(one.id.file).or_default().push(one.id));
    let mut written = Vec::new();
    for (file, ids) in files {
        let Some(path) = input.sources.get(file).and_then(|file| file.path()) else {
            stop!("a declaration lies in no file; nothing was written");
        };
        let shown = visible(&path.display().to_string());
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
        let Some(text) = disposed(&text, &ids, Statement { date, evidence }, &session.limits) else {
            stop!(
                "`disposed` cannot be added in `{shown}` without touching the rest of it; nothing was written\n  help: \
                 state `disposed: {{date: {date}, evidence: …}}` of {} by hand",
                visible(&answer.dispose.iter().map(|one| one.of.as_str()).collect::<Vec<_>>().join(", "))
            );
        };
        written.push((path.to_owned(), text));
    }
    for (path, text) in &written {
        session.output.replace(path, text)?;
    }
    for one in &answer.dispose {
        let place = format!("{}:{}", one.location.file, one.location.line);
        session.output.say(&visible(&format!("Declared as disposed on {date}: {} ({place})", one.of)));
    }
    if answer.dispose.is_empty() {
        session.output.say("Nothing was written: no agreement or flow brought this data and no other");
    }
    for flow in &answer.shared {
        session
            .output
            .say(&visible(&format!("note: {flow} brings other data, too, and was not declared as disposed")));
    }
    Ok(())
}
