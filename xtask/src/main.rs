//! `cargo xtask …`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

/// Chores of the repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write an inventory of a platform and its banks, to measure with
    Generate {
        /// How many flows
        #[arg(long, value_name = "N")]
        flows: usize,
        /// What the random numbers start from: the same seed gives the same bytes
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Leaks for each cell of about 25 banks
        #[arg(long, value_name = "RATE", default_value_t = 0.5)]
        leaks: f64,
        /// Where to: a folder that is empty or is not there yet
        dir: PathBuf,
    },
}

fn main() -> Result<()> {
    let Command::Generate { flows, seed, leaks, dir } = Cli::parse().command;
    if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty", dir.display());
    }
    if !(0.0..=1000.0).contains(&leaks) {
        bail!("{leaks} is no rate of leaks: between 0 and 1000");
    }
    xtask::generate(xtask::Options { leaks, ..xtask::Options::new(flows, seed) }, &dir)
}
