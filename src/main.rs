//! The `ringfence` command: parses, runs, and maps what comes of it to an exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// What is read is millions of small values that stay: so they take less time and room.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way, too. Nothing is to be done if nobody reads it.
            let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
            let _ = cli::harmless(error).print();
            return code;
        }
    };
    cli::run(cli).unwrap_or_else(|error| {
        cli::complain(&error);
        ExitCode::from(2)
    })
}
