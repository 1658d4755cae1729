//! The command line: one file per subcommand, each with its arguments and what it
//! does with them.

mod audit;
mod baseline;
mod check;
mod completions;
mod config;
mod diff;
mod explain;
mod files;
mod graph;
mod init;
mod input;
mod judging;
mod limits;
mod man;
mod output;
mod policies;
mod promises;
mod target;
mod taxonomy;
mod test;
mod values;
mod verify;
mod waive;
mod watching;
mod writing;

use std::process::ExitCode;

use clap::error::ContextValue;
use clap::{Parser, Subcommand};
use ringfence::base::visible::{inert, visible};
use watching::Watching;

/// Audit declared data sharing: can this data, by any chain of declared flows, end
/// up where a rule, a contract or a public promise says it must not?
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print the time, throughput and peak memory of each stage to standard error
    #[arg(long, global = true, help_heading = "Watching")]
    timings: bool,
    #[command(flatten)]
    limits: limits::Args,
}

const EXAMPLES: &str = "\
Examples:
  ringfence init my-inventory          Write a small inventory to start from
  ringfence audit my-inventory         Audit it
  ringfence explain terms/onward       Explain a rule

Exit codes: 0 success, 1 findings, 2 invalid input or invalid arguments.";

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::Args),
    Verify(verify::Args),
    Promises(promises::Args),
    Diff(diff::Args),
    Baseline(baseline::Args),
    Waive(waive::Args),
    Check(check::Args),
    Config(config::Args),
    Files(files::Args),
    Policies(policies::Args),
    Test(test::Args),
    Taxonomy(taxonomy::Args),
    Explain(explain::Args),
    Graph(graph::Args),
    Init(init::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// Whether nothing but the result is to be said.
    fn is_quiet(&self) -> bool {
        match self {
            Command::Audit(args) => args.writing.quiet,
            Command::Diff(args) => args.writing.quiet,
            Command::Check(args) => args.quiet,
            Command::Waive(args) => args.quiet,
            Command::Test(args) => args.quiet,
            Command::Verify(args) => args.quiet,
            _ => false,
        }
    }
}

/// Runs a command.
///
/// # Errors
/// What stopped it; the exit code is 2 then.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Err(said) = limits::hold(&cli.limits) {
        output::say(&said);
        return Ok(ExitCode::from(input::WRONG));
    }
    let watching = Watching::begin(cli.timings, cli.command.is_quiet());
    let done = dispatch(cli.command);
    watching.end();
    done
}

/// A wrong call, in words that show what was written and do nothing else: file names stand in
/// calls, and whoever names files need not be who calls.
pub fn harmless(mut error: clap::Error) -> clap::Error {
    let safe = |text: &str| inert(&visible(text)).into_owned();
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        match value {
            ContextValue::String(text) => drop(error.insert(kind, ContextValue::String(safe(&text)))),
            ContextValue::Strings(list) => {
                let list = list.iter().map(|text| safe(text)).collect();
                drop(error.insert(kind, ContextValue::Strings(list)));
            }
            // Tips that repeat what was written, in the parser's own colours.
            ContextValue::StyledStrs(tips) => {
                let fine = |tip: &clap::builder::StyledStr| tip.to_string() == safe(&tip.to_string());
                let tips = tips.into_iter().filter(fine).collect();
                drop(error.insert(kind, ContextValue::StyledStrs(tips)));
            }
            _ => {}
        }
    }
    error
}

/// Says what stopped a command.
pub fn complain(error: &anyhow::Error) {
    let text = format!("error: {error:#}");
    output::say(&text.lines().map(visible).collect::<Vec<_>>().join("\n"));
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Audit(args) => audit::run(args),
        Command::Verify(args) => verify::run(&args),
        Command::Promises(args) => promises::run(&args),
        Command::Diff(args) => diff::run(args),
        Command::Baseline(args) => baseline::run(&args),
        Command::Waive(args) => waive::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Files(args) => files::run(&args),
        Command::Policies(args) => policies::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Taxonomy(args) => taxonomy::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_is_sound_and_has_examples() {
        let command = super::Cli::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{}", sub.get_name());
            for arg in sub.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {}", sub.get_name(), arg.get_id());
            }
        }
    }
}
