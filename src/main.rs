//! The `ringfence` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Reading makes millions of small values that live to the end. This allocator makes them faster and
/// in less memory than the system's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ringfence::main()
}
