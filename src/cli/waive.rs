//! `ringfence waive`: accepts a finding until a day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::audit::{Options, audit};
use crate::base::diagnostic::nearest;
use crate::base::duration::Duration;
use crate::base::finding::{Audit, Finding, FindingStatus};
use crate::base::source::Sources;
use crate::base::visible::visible;
use crate::model::load;
use crate::read::files::{Changed, Files};
use crate::report::edit::{NewWaiver, with_waiver};
use anyhow::Context;
use jiff::civil::Date;

use super::input::{self, Input};
use super::judging::{self, Binding, Scoping};
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::Color;
use super::values;

/// The file where nothing else holds waivers.
const FILE: &str = "waivers.yaml";
/// So many digits of a fingerprint name it.
const LEAST_DIGITS: usize = 8;

/// Accept a finding in its present extent until a date
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The finding's fingerprint, or at least its first eight digits
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
    /// The inventory: folders and files [default: the configuration's `inventory`, else the
    /// working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Why the finding is accepted
    #[arg(long, value_name = "TEXT", value_parser = said)]
    reason: String,
    /// Who accepts it
    #[arg(long, value_name = "NAME", value_parser = said)]
    approved_by: String,
    /// The last date on which it is accepted
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    expires: Date,
    /// A reference to the decision, such as a ticket
    #[arg(long, value_name = "TEXT", value_parser = said)]
    ticket: Option<String>,
    /// The file to add the waiver to [default: the one that holds most waivers, else
    /// waivers.yaml in the inventory's folder]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    scoping: Scoping,
    #[command(flatten)]
    binding: Binding,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence waive rf1:0123456789abcdef --reason 'Ends with the contract.' \\
      --approved-by 'J. Doe, DPO' --expires 2027-03-31
  ringfence waive 01234567 inventory --reason … --approved-by … --expires 2027-03-31

The waiver accepts what the finding is now: its data and what it arrives as, the parties whose data
it is, its severity, for terms/* its agreements. If the finding later becomes more, it is new again and
marked as grown.

Exit codes: 0 waiver written, 2 nothing was written.";

fn said(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("this must not be empty: a waiver says why it exists and who approved it".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        stop!("a waiver is written to a file: name the inventory's folder or file, not `-`");
    }
    let input = input::read(session, &args.paths, &args.scoping.policies, None, args.scoping.day())?;
    let options = args.binding.options(session, &args.scoping, &input.config);
    let options = Options { record: true, ..options };
    let most = input.config.waiver_max.unwrap_or(Duration::LONGEST_WAIVER);
    if let Some(last) = most.after(options.day).filter(|last| *last < args.expires) {
        stop!(
            "a waiver runs for {} at most, so this one can expire on {last} at the latest\n  help: pass an \
             earlier date and approve it again then, or raise `waiver_max` in ringfence.yaml",
            most.in_words()
        );
    }
    if args.expires < options.day {
        stop!(
            "a waiver that expires on {} has already expired on {}: pass a later date",
            args.expires,
            options.day
        );
    }
    let before = judging::audit(session, &input.world, &input.sources, &options)?;
    session.output.say_left_out(&before.judged);
    let finding = find(&before, &args.fingerprint)?;
    let file = file(args, &input);
    let shown = visible(&file.display().to_string());
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => stop!("cannot read `{shown}`: {error}"),
    };
    let waiver = NewWaiver {
        finding,
        reason: &args.reason,
        approved_by: &args.approved_by,
        approved_on: options.day,
        expires: args.expires,
        ticket: args.ticket.as_deref(),
    };
    let Some(text) = with_waiver(&text, &waiver, &session.limits) else {
        stop!("`{shown}` cannot be added to without touching the rest of it; name another file with --file");
    };
    accepts(session, &input, &options, &before, finding, &file, &text)?;
    session.output.replace(&file, &text)?;
    if !session.quiet {
        session.output.say(&format!(
            "Accepted {} until {} in {shown}\n  {}: {}",
            finding.fingerprint,
            args.expires,
            visible(&finding.rule),
            visible(&finding.message)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The finding that is meant and that nobody has accepted.
fn find<'a>(audit: &'a Audit, wanted: &str) -> Result<&'a Finding, Stop> {
    let digits = wanted.strip_prefix("rf1:").unwrap_or(wanted);
    let all = || audit.findings.iter().map(|f| f.fingerprint.as_str());
    let shown = visible(wanted);
    if digits.len() < LEAST_DIGITS || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        stop!(
            "`{shown}` is not a fingerprint\n  help: a fingerprint is `rf1:` and 16 hexadecimal digits, of which the first {LEAST_DIGITS} are enough"
        );
    }
    let start = format!("rf1:{}", digits.to_lowercase());
    let mut found = audit.findings.iter().filter(|f| f.fingerprint.starts_with(&start));
    let Some(finding) = found.next() else {
        let near = nearest(&start, all()).map(|near| format!("did you mean `{near}`? "));
        let near = near.unwrap_or_default();
        stop!("there is no finding `{shown}`\n  help: {near}`ringfence audit` lists all findings");
    };
    if found.next().is_some() {
        stop!("several findings begin with `{shown}`\n  help: give more digits");
    }
    match &finding.waiver {
        Some(waiver) if finding.status == FindingStatus::Waived => stop!(
            "{} is accepted already, until {} ({}:{})",
            finding.fingerprint,
            waiver.expires,
            visible(&waiver.location.file),
            waiver.location.line
        ),
        _ => Ok(finding),
    }
}

/// The file that holds most waivers, the first of several by name; else a new one.
fn file(args: &Args, input: &Input) -> PathBuf {
    if let Some(file) = &args.file {
        return file.clone();
    }
    let mut count: BTreeMap<&Path, usize> = BTreeMap::new();
    for waiver in &input.world.own_waivers {
        if let Some(path) = input.sources.get(waiver.span.file).and_then(|f| f.path()) {
            *count.entry(path).or_default() += 1;
        }
    }
    let most = count.values().max().copied();
    if let Some((path, _)) = count.iter().find(|(_, n)| Some(**n) == most) {
        return path.to_path_buf();
    }
    let first = input.paths.first().map_or(Path::new("."), PathBuf::as_path);
    // A file that is the whole inventory holds its waivers, too.
    if first.is_dir() { first.join(FILE) } else { first.to_owned() }
}

/// Reads and judges all again as if the file were written: the finding is accepted then,
/// and no other is touched.
fn accepts(
    session: &Session,
    input: &Input,
    options: &Options,
    before: &Audit,
    finding: &Finding,
    file: &Path,
    text: &str,
) -> Result<(), Stop> {
    let shown = visible(&file.display().to_string());
    let changed = Changed::new(file, text.to_owned()).with_context(|| format!("cannot write `{shown}`"))?;
    let mut sources = Sources::new();
    let world = match load::load(&input.request(session, &Files::Changed(Box::new(changed))), &mut sources) {
        Ok(world) => world,
        Err(diagnostics) => {
            let first = diagnostics.first().map(|m| visible(&m.message)).unwrap_or_default();
            stop!("a waiver in `{shown}` would be a mistake ({first}); nothing was written");
        }
    };
    if world.own_waivers.len() == input.world.own_waivers.len() {
        stop!(
            "a waiver in `{shown}` would not be read: it is no part of the inventory (`ringfence files` says what is); nothing was written"
        );
    }
    let after = audit(&world, &sources, options);
    let statuses = |audit: &Audit| -> BTreeMap<String, FindingStatus> {
        audit.findings.iter().map(|f| (f.fingerprint.clone(), f.status)).collect()
    };
    let mut expected = statuses(before);
    expected.insert(finding.fingerprint.clone(), FindingStatus::Waived);
    if statuses(&after) != expected {
        stop!(
            "a waiver in `{shown}` would not accept {} and nothing else; nothing was written",
            finding.fingerprint
        );
    }
    Ok(())
}
