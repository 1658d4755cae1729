//! `ringfence baseline`: records what is known.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use ringfence::base::visible::visible;
use ringfence::declare::baseline::Baseline;
use ringfence::read::files::DISK;

use super::audit::is_empty;
use super::input::{self, WRONG};
use super::judging::{Binding, Scoping};
use super::limits;
use super::output::{self, Color};

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

Exit codes: 0 written, 2 invalid input or arguments, or FILE is not a baseline.";

#[derive(Debug, Subcommand)]
enum Command {
    Write(Write),
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

/// Runs it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::Write(args) = &args.command;
    if let Some(file) = &args.output {
        replaceable(file)?;
    }
    let input = match input::read(&args.paths, &args.scoping.policies, args.output.as_deref(), args.color) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    let beside = input.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let file = input.config.baseline.clone().unwrap_or_else(|| beside.join(FILE));
    replaceable(&file)?;
    let shown = visible(&file.display().to_string());
    let options = args.binding.options(&args.scoping, &input.config);
    if !args.allow_empty && is_empty(&input, &options) {
        return Ok(ExitCode::from(WRONG));
    }
    let found = match limits::audit(&input.world, &input.sources, &options) {
        Ok(found) => found,
        Err(code) => return Ok(code),
    };
    output::say_left_out(&found.judged);
    let baseline = Baseline::of(&found);
    output::replace(&file, &baseline.to_json()?)?;
    if !args.quiet {
        let findings = if baseline.len() == 1 { "finding" } else { "findings" };
        output::say(&format!("Recorded {} {findings} in {shown}", baseline.len()));
    }
    Ok(ExitCode::SUCCESS)
}

/// An older baseline may be replaced, and nothing else.
fn replaceable(file: &Path) -> anyhow::Result<()> {
    if !file.exists() {
        return Ok(());
    }
    let limits = limits::limits();
    let bytes = DISK.read(file, limits.file_size.saturating_add(1)).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    let older = Baseline::is_one(file.to_owned(), text, &limits);
    let shown = visible(&file.display().to_string());
    anyhow::ensure!(older, "`{shown}` is there and is no baseline; name another file with --output");
    Ok(())
}
