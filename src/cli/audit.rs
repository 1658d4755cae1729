//! `ringfence audit`: loads, propagates, checks, prints.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::civil::Date;

use crate::base::source::{FileId, SourceFile, Sources};
use crate::base::visible::visible;
use crate::query::ahead;
use crate::read::files::DISK;
use crate::read::places::Places;
use crate::report::since::Since;
use crate::report::{By, Format, Look, Report};
use crate::verify::bundle::{self, Content};
use crate::verify::certificate::{self, digests};

use super::input;
use super::judging::{self, Judging, ensure_in_scope};
use super::output::Kept;
use super::results;
use super::session::Session;
use super::stop::{Stop, stop};
use super::values;
use super::writing::Writing;

/// Follow all data along all declared flows and report what that breaks
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    /// Do not fail on the findings recorded in FILE, which `ringfence baseline write` or `audit
    /// --format json` wrote [default: the configuration's `baseline`]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Say in the HTML report what has changed since the earlier result in FILE, which `audit
    /// --format json` wrote
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Write a certificate of the result to FILE, for `ringfence verify`
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Write the inventory, policies, reports and certificate to one archive, for `ringfence
    /// verify`
    #[arg(long, value_name = "FILE.zip")]
    bundle: Option<PathBuf>,
    /// Group the text report: by cause (what has to change), by rule (every finding in full), or list
    /// the causes by agreement, by owner (the label `owner`) or by party
    #[arg(long, value_name = "BY", default_value = "cause", value_parser = values::word::<By>())]
    by: By,
    /// Print every notice in the text report, not one line for each code
    #[arg(long)]
    notices: bool,
    /// Print every claim that the result rests on in the text report, not one line for each kind
    #[arg(long)]
    relied_on: bool,
    #[command(flatten)]
    pub writing: Writing,
}

const EXAMPLES: &str = "\
Examples:
  ringfence audit samples/messenger-banking
  ringfence audit --policy core --policy house.yaml --fail-on medium
  ringfence audit --by owner inventory
  ringfence audit --status active --as-of 2019-06-30 inventory
  ringfence audit --format json --output audit.json inventory
  ringfence audit --report sarif=audit.sarif --report markdown=comment.md
  ringfence audit --certificate audit.cert.json inventory
  ringfence audit --day 2026-11-23 --bundle audit.zip inventory

Exit codes:
  0  no new finding at or above --fail-on
  1  new findings at or above --fail-on, or notices denied by --deny-notices
  2  invalid input or invalid arguments; nothing was audited";

/// Runs the audit.
pub fn run(args: Args, session: &Session) -> Result<ExitCode, Stop> {
    let Args { paths, judging, baseline, since, certificate, bundle, by, notices, relied_on, writing } = args;
    if let Some(file) = &bundle
        && (certificate.as_ref() == Some(file) || writing.output.as_ref() == Some(file))
    {
        let shown = visible(&file.display().to_string());
        stop!("the bundle and something else would go to `{shown}`; name a file for each");
    }
    // A pipe or a device stays what it is called.
    let special = |file: &PathBuf| file.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    if let Some(why) =
        bundle.as_ref().filter(|file| !special(file)).and_then(|file| bundle::other_extension(file))
    {
        stop!("{}", visible(&why));
    }
    let scoping = &judging.scoping;
    let mut input = input::read(session, &paths, &scoping.policies, baseline.as_deref(), scoping.day())?;
    let files = certificate.as_ref().map(|_| digests(&input.sources)).unwrap_or_default();
    let gate = judging.gate(&input.config);
    let mut options = judging.options(session, &input.config);
    options.baseline = input::baseline(session, &input.config, DISK, &mut input.sources)?;
    if !judging.allow_empty {
        ensure_in_scope(&input, &options)?;
    }
    let since = since.map(|file| earlier(session, &file, options.day)).transpose()?;
    let audit = judging::audit(session, &input.world, &input.sources, &options)?;
    let ahead = (bundle.is_some() || writing.makes(Format::Html, &input.config))
        .then(|| ahead(&input.world, &input.sources, &options, &gate))
        .flatten();
    let mut report = Report {
        ahead: ahead.as_ref(),
        gate: gate.clone(),
        places: Places::new(&input.sources),
        world: Some(&input.world),
        scope: options.scope.clone(),
        sources: Some(&input.sources),
        again: judging.scoping.again(&paths),
        since: since.as_ref(),
        ..Report::new(&audit)
    };
    let plain = report.clone();
    writing.write(
        session,
        &input.config,
        |format| plain.remarks(format),
        |format, look, out| {
            report.look = Look { by, notices, relied_on, ..look };
            report.write(format, out)
        },
    )?;
    if let Some(file) = &certificate {
        let _certifying = session.stages.begin("certifying", 0);
        session.output.stream_file(file, Kept::Synchronised, |out| {
            certificate::write(&input.world, &files, &options, &audit, out)
        })?;
    }
    if let Some(file) = &bundle {
        let content = Content {
            world: &input.world,
            sources: &input.sources,
            // Settings are read before the inventory, which may hold them, too; the baseline is
            // read after it.
            settings: lying_at(&input.sources, input.file.as_ref()).first().copied(),
            baseline: lying_at(&input.sources, input.config.baseline.as_ref()).last().copied(),
            options: &options,
            report: &report,
        };
        let packed = bundle::pack(&content, DISK)?;
        session.output.stream_file(file, Kept::Synchronised, |out| packed.write(out))?;
    }
    let code = ExitCode::from(u8::from(gate.fails(&audit)));
    // The process ends here: taking apart what it holds would only take time.
    std::mem::forget((audit, input));
    Ok(code)
}

/// Reads an earlier result.
fn earlier(session: &Session, file: &Path, day: Date) -> Result<Since, Stop> {
    let audit = results::read(file, session.limits.file_size)?;
    if audit.judged.date() > day {
        let shown = visible(&file.display().to_string());
        stop!(
            "`{shown}` is of {}, after the day judged, {day}\n  help: name an earlier result with `--since`",
            visible(&audit.judged.day)
        );
    }
    Ok(Since::new(&audit))
}

/// The texts that were read at a path, in the order read.
fn lying_at(sources: &Sources, path: Option<&PathBuf>) -> Vec<FileId> {
    let own = |file: &SourceFile| path.is_some() && file.path() == path.map(PathBuf::as_path);
    sources.iter().filter(|(_, file)| own(file)).map(|(id, _)| id).collect()
}
