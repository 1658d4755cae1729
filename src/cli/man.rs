//! `ringfence man`: manual pages.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::visible::visible;
use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::Cli;
use super::session::Session;
use super::stop::Stop;

/// Print the manual page, or write one page per command with --dir
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write all pages to DIR, which is created if it does not exist
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  ringfence man | man -l -
  ringfence man --dir ~/.local/share/man/man1";

/// Writes the pages.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let mut command = Cli::command();
    command.build();
    let Some(dir) = &args.dir else {
        session.output.print(&page(command)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    fs::create_dir_all(dir)
        .with_context(|| format!("cannot make `{}`", visible(&dir.display().to_string())))?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = format!("ringfence-{}", sub.get_name());
        session.output.write_file(&dir.join(format!("{name}.1")), &page(sub.clone())?)?;
    }
    session.output.write_file(&dir.join("ringfence.1"), &page(command)?)?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: Command) -> anyhow::Result<String> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text)?;
    Ok(String::from_utf8(text)?)
}
