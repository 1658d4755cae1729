//! `ringfence baseline`: records what is known.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::audit::{Options, fingerprints, judged_facts};
use crate::base::limits::Limits;
use crate::base::visible::visible;
use crate::declare::baseline::Baseline;
use crate::declare::gate::Gate;
use crate::read::files::DISK;
use clap::Subcommand;

use super::input;
use super::judging::{self, Binding, Scoping, ensure_in_scope};
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::Color;

/// The file where nothing else is said.
const FILE: &str = "ringfence-baseline.json";

/// Record the current findings, so that only new ones fail
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  ringfence baseline write
  ringfence baseline write inventory --output known.json
  ringfence audit inventory --baseline known.json
  ringfence baseline prune inventory --baseline known.json

Exit codes: 0 written, or nothing to drop; 2 invalid input or arguments, or FILE is not a baseline.";

#[derive(Debug, Subcommand)]
enum Command {
    Write(Write),
    Prune(Prune),
}

/// Audit the inventory and record every finding that is not waived
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Write {
    /// The inventory: folders and files [default: the configuration's `inventory`, else the
    /// working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    scoping: Scoping,
    #[command(flatten)]
    binding: Binding,
    /// Succeed even if no flow is in scope
    #[arg(long)]
    allow_empty: bool,
    /// The file to write [default: the configuration's `baseline`, else ringfence-baseline.json
    /// beside the configuration or in the working folder]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

/// Audit the inventory and drop the recorded findings that no longer exist
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Prune {
    /// The inventory: folders and files [default: the configuration's `inventory`, else the
    /// working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    scoping: Scoping,
    /// Succeed even if no flow is in scope
    #[arg(long)]
    allow_empty: bool,
    /// The file to prune [default: the configuration's `baseline`]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

impl Args {
    /// When to colour, and whether to print the result alone.
    pub fn look(&self) -> (Color, bool) {
        match &self.command {
            Command::Write(args) => (args.color, args.quiet),
            Command::Prune(args) => (args.color, args.quiet),
        }
    }
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    match &args.command {
        Command::Write(args) => write(args, session),
        Command::Prune(args) => prune(args, session),
    }
}

/// Drops what the audit does not find any more; what has grown stays as it was accepted.
fn prune(args: &Prune, session: &Session) -> Result<ExitCode, Stop> {
    let (policies, day) = (&args.scoping.policies, args.scoping.day());
    let mut input = input::read(session, &args.paths, policies, args.baseline.as_deref(), day)?;
    let Some(file) = input.config.baseline.clone() else {
        stop!("there is no baseline: name one with --baseline, or in ringfence.yaml");
    };
    let shown = visible(&file.display().to_string());
    if !file.exists() {
        stop!("there is no `{shown}`");
    }
    let known = input::baseline(session, &input.config, DISK, &mut input.sources)?;
    if !is_baseline(&file, session.limits) {
        stop!("`{shown}` is a result of an audit and no baseline: `ringfence baseline write` writes one");
    }
    let options = args.scoping.options(session, &input.config);
    if !args.allow_empty {
        ensure_in_scope(&input, &options)?;
    }
    let mut baseline = known.unwrap_or_default();
    let judgement = judging::judge(session, &input.world, &input.sources, &options)?;
    session.output.say_left_out(&judged_facts(&input.world, &options, &judgement));
    let found: BTreeSet<String> = fingerprints(&input.world, &judgement).into_iter().collect();
    let before = baseline.len();
    let dropped = baseline.take_out(|entry| !found.contains(&entry.finding));
    if !dropped.is_empty() {
        session.output.replace(&file, &baseline.to_json()?)?;
    }
    if !session.quiet {
        let findings = if before == 1 { "finding" } else { "findings" };
        session.output.say(&format!("Dropped {} of {before} {findings} from {shown}", dropped.len()));
        for entry in dropped {
            let on = [&entry.source, &entry.sink, &entry.flow, &entry.subject];
            let on: Vec<&str> = on.into_iter().flatten().map(String::as_str).collect();
            session.output.say(&visible(&format!("  {} {}: {}", entry.finding, entry.rule, on.join(", "))));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(args: &Write, session: &Session) -> Result<ExitCode, Stop> {
    if let Some(file) = &args.output {
        replaceable(file, session.limits)?;
    }
    let (policies, day) = (&args.scoping.policies, args.scoping.day());
    let input = input::read(session, &args.paths, policies, args.output.as_deref(), day)?;
    let beside = input.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let file = input.config.baseline.clone().unwrap_or_else(|| beside.join(FILE));
    replaceable(&file, session.limits)?;
    let shown = visible(&file.display().to_string());
    let options = args.binding.options(session, &args.scoping, &input.config);
    let options = Options { record: true, ..options };
    if !args.allow_empty {
        ensure_in_scope(&input, &options)?;
    }
    let found = judging::audit(session, &input.world, &input.sources, &options)?;
    session.output.say_left_out(&found.judged);
    let baseline = Baseline::of(&found);
    session.output.replace(&file, &baseline.to_json()?)?;
    if !session.quiet {
        let findings = if baseline.len() == 1 { "finding" } else { "findings" };
        // The numbers that `audit` gives: what would fail, and what is for information.
        let gate =
            Gate { fail_on: input.config.fail_on.unwrap_or(Gate::default().fail_on), ..Gate::default() };
        let summary = gate.summary(&found.findings);
        session.output.say(&format!(
            "Recorded {} {findings} in {shown}: {} failing, {} for information",
            baseline.len(),
            summary.failing,
            summary.for_information
        ));
        if input.config.baseline.is_none() {
            session.output.say(&format!(
                "To put it in force: `baseline: {shown}` in ringfence.yaml, or `ringfence audit --baseline {shown}`"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An older baseline may be replaced, and nothing else.
fn replaceable(file: &Path, limits: Limits) -> anyhow::Result<()> {
    if !file.exists() {
        return Ok(());
    }
    let shown = visible(&file.display().to_string());
    anyhow::ensure!(
        is_baseline(file, limits),
        "`{shown}` is there and is no baseline; name another file with --output"
    );
    Ok(())
}

/// Whether a file holds a baseline itself.
fn is_baseline(file: &Path, limits: Limits) -> bool {
    let bytes = DISK.read(file, limits.file_size.saturating_add(1)).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    Baseline::is_one(file.to_owned(), text, &limits)
}
