//! `ringfence completions`: for shells.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::session::Session;
use super::stop::Stop;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  ringfence completions bash > ~/.local/share/bash-completion/completions/ringfence
  ringfence completions fish > ~/.config/fish/completions/ringfence.fish";

/// Writes them.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ringfence", &mut text);
    session.output.print(&String::from_utf8(text)?)?;
    Ok(ExitCode::SUCCESS)
}
