//! The memory of the process: how much it uses, and the end of a run that uses too much.

use std::fs;
use std::thread;
use std::time::Duration;

use super::output::Output;
use super::stop::{INVALID, Stop};

/// How often the memory is measured.
const INTERVAL: Duration = Duration::from_millis(20);
/// How long printing the reason may take before the process ends anyway: standard error may be a pipe
/// that is full.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts to watch the memory. The process ends once it uses more than `most` bytes; `is_asked` says
/// that the call states this limit, so that a system that cannot keep it is an error.
pub fn guard(most: u64, is_asked: bool, output: &Output) -> Result<(), Stop> {
    match resident() {
        Some(used) if used > most => Err(Stop::printing(too_much(used, most))),
        Some(_) => {
            let output = output.clone();
            // Without the thread the limit is not kept, and the audit is as good as before.
            drop(thread::Builder::new().name("memory".to_owned()).spawn(move || watch(most, &output)));
            Ok(())
        }
        None if is_asked => Err(Stop::error(
            "this system does not say how much memory is used, so `--max-memory` cannot be kept\n  \
             help: leave it out, and limit the memory from outside",
        )),
        None => Ok(()),
    }
}

/// Ends the process once it uses more memory than `most`. A file is written beside its place until it
/// is complete, so that none is left half-written.
fn watch(most: u64, output: &Output) {
    loop {
        thread::sleep(INTERVAL);
        let Some(used) = resident().filter(|&used| used > most) else { continue };
        let printing = output.clone();
        let printer = thread::Builder::new().spawn(move || printing.say(&too_much(used, most)));
        let mut waited = Duration::ZERO;
        while printer.as_ref().is_ok_and(|printer| !printer.is_finished()) && waited < PATIENCE {
            thread::sleep(INTERVAL);
            waited += INTERVAL;
        }
        output.exit_cleaning_up(INVALID);
    }
}

fn too_much(used: u64, most: u64) -> String {
    format!(
        "error: the run uses {used} bytes of memory, more than the limit of {most}, and was stopped\n  \
         help: audit less at a time, or raise the limit with `--max-memory SIZE`"
    )
}

/// The bytes of memory that this process uses, where the system says so.
fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// The most bytes of memory that this process has used, where the system says so.
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

fn status(entry: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(entry))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_is_known() {
        assert!(super::resident().unwrap() > 100_000);
        assert!(super::peak().unwrap() > 100_000);
    }
}
