//! The command line: one file per subcommand, each with its arguments and what it
//! does with them.

mod asking;
mod audit;
mod baseline;
mod calendar;
mod check;
mod completions;
mod config;
mod diff;
mod explain;
mod exposure;
mod files;
mod fix;
mod graph;
#[cfg(feature = "exchange")]
mod import;
mod init;
mod input;
mod judging;
mod limits;
mod man;
mod memory;
mod output;
mod policies;
mod progress;
mod promises;
mod recall;
mod results;
mod session;
mod stop;
mod target;
mod taxonomy;
mod terminal;
mod test;
mod trace;
mod upgrade;
mod values;
mod verify;
mod waive;
mod writing;

use std::process::ExitCode;

use crate::base::visible::{inert, visible};
use clap::error::ContextValue;
use clap::{Parser, Subcommand};
use output::Output;
use session::Session;
use stop::{INVALID, Stop};
use terminal::Color;

/// Audit declared data sharing: can this data, by any chain of declared flows, end
/// up where a rule, a contract or a public promise says it must not?
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
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
    Trace(trace::Args),
    Exposure(exposure::Args),
    Recall(recall::Args),
    Fix(fix::Args),
    Calendar(calendar::Args),
    Graph(graph::Args),
    Init(init::Args),
    #[cfg(feature = "exchange")]
    Import(import::Args),
    Upgrade(upgrade::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// When to colour, and whether to print the result alone.
    fn look(&self) -> (Color, bool) {
        match self {
            Command::Audit(args) => (args.writing.color, args.writing.quiet),
            Command::Diff(args) => (args.writing.color, args.writing.quiet),
            Command::Verify(args) => (args.color, args.quiet),
            Command::Baseline(args) => args.look(),
            Command::Waive(args) => (args.color, args.quiet),
            Command::Check(args) => (args.color, args.quiet),
            Command::Upgrade(args) => (args.color, args.quiet),
            #[cfg(feature = "exchange")]
            Command::Import(args) => (args.color, args.quiet),
            Command::Test(args) => (args.color, args.quiet),
            Command::Promises(args) => (args.color, false),
            Command::Config(args) => (args.color, false),
            Command::Files(args) => (args.color, false),
            Command::Policies(args) => (args.color, false),
            Command::Taxonomy(args) => (args.color, false),
            Command::Explain(args) => (args.color, false),
            Command::Trace(args) => (args.asking.color, false),
            Command::Exposure(args) => (args.asking.color, false),
            Command::Recall(args) => (args.asking.color, false),
            Command::Fix(args) => (args.color, false),
            Command::Calendar(args) => (args.color, false),
            Command::Graph(args) => (args.color, false),
            Command::Init(_) | Command::Completions(_) | Command::Man(_) => (Color::Auto, false),
        }
    }

    fn run(self, session: &Session) -> Result<ExitCode, Stop> {
        match self {
            Command::Audit(args) => audit::run(args, session),
            Command::Verify(args) => verify::run(&args, session),
            Command::Promises(args) => promises::run(&args, session),
            Command::Diff(args) => diff::run(&args, session),
            Command::Baseline(args) => baseline::run(&args, session),
            Command::Waive(args) => waive::run(&args, session),
            Command::Check(args) => check::run(&args, session),
            Command::Config(args) => config::run(&args, session),
            Command::Files(args) => files::run(&args, session),
            Command::Policies(args) => policies::run(&args, session),
            Command::Test(args) => test::run(&args, session),
            Command::Taxonomy(args) => taxonomy::run(&args, session),
            Command::Explain(args) => explain::run(&args, session),
            Command::Trace(args) => trace::run(&args, session),
            Command::Exposure(args) => exposure::run(&args, session),
            Command::Recall(args) => recall::run(&args, session),
            Command::Fix(args) => fix::run(&args, session),
            Command::Calendar(args) => calendar::run(&args, session),
            Command::Graph(args) => graph::run(&args, session),
            Command::Init(args) => init::run(&args, session),
            #[cfg(feature = "exchange")]
            Command::Import(args) => import::run(&args, session),
            Command::Upgrade(args) => upgrade::run(&args, session),
            Command::Completions(args) => completions::run(&args, session),
            Command::Man(args) => man::run(&args, session),
        }
    }
}

/// Parses the arguments of the process and runs the command that they name. Exit codes: 0 success, 1
/// findings, 2 invalid input or arguments.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version arrive as errors, too. Nothing can be done if nobody reads them.
            let code = u8::try_from(error.exit_code()).unwrap_or(INVALID);
            let _ = sanitize(error).print();
            return ExitCode::from(code);
        }
    };
    let (color, quiet) = cli.command.look();
    let (session, done) = match Session::begin(&cli.limits, color, quiet, cli.timings) {
        Ok(session) => {
            let done = cli.command.run(&session);
            (Some(session), done)
        }
        Err(stop) => (None, Err(stop)),
    };
    let code = done.unwrap_or_else(|stop| {
        let (code, text) = stop.into_parts();
        session.as_ref().map_or_else(Output::default, |session| session.output.clone()).say(&text);
        ExitCode::from(code)
    });
    session.iter().for_each(Session::end);
    code
}

/// An error of the arguments, in words that show what was written and do nothing else: arguments
/// contain file names, and whoever names files need not be who calls.
fn sanitize(mut error: clap::Error) -> clap::Error {
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
