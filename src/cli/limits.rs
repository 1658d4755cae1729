//! How much an input may ask for: the flags, and the memory that is watched.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use ringfence::audit::{Options, audit_within};
use ringfence::base::finding::Audit;
use ringfence::base::limits::Limits;
use ringfence::base::source::Sources;
use ringfence::model::load::World;

use super::input::WRONG;
use super::output;

/// How the files of this call are read: its limits, what standard input is called, and how many
/// mistakes are shown.
static READING: OnceLock<(Limits, Option<PathBuf>, usize)> = OnceLock::new();

/// So many mistakes are shown unless more are asked for: the first ones explain the others.
const SHOWN: usize = 20;

/// So often the memory is looked at.
const BEAT: Duration = Duration::from_millis(20);
/// So long the words on what was met may take; standard error may be a pipe that is full.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much an input may ask for. No file sets this: files come from whoever sends the
/// inventory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Refuse files larger than SIZE: bytes, or a number with K, M or G [default: 128M]
    #[arg(long, global = true, value_name = "SIZE", help_heading = "Limits", hide_short_help = true,
          value_parser = file_size)]
    max_file_size: Option<u64>,
    /// Refuse values nested deeper than N levels, aliases included [default: 64]
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true,
          value_parser = up_to(Limits::DEEPEST))]
    max_depth: Option<usize>,
    /// Refuse YAML aliases that repeat more than N values in all files together; one value per
    /// 8 bytes of a file is free [default: 1000000]
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true)]
    max_aliases: Option<usize>,
    /// Refuse more than N files, or more than N YAML documents in all files together
    /// [default: 1000000]
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true)]
    max_documents: Option<usize>,
    /// Refuse names, titles, keys and words longer than N characters [default: 1000]
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true)]
    max_name: Option<usize>,
    /// Refuse quotes, reasons and other texts longer than N characters [default: 65536]
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true)]
    max_text: Option<usize>,
    /// Report nothing and exit with 2 if there are more than N findings [default: 100000, plus one
    /// per 64 bytes of input]
    #[arg(long, global = true, value_name = "N", help_heading = "Limits", hide_short_help = true)]
    max_findings: Option<usize>,
    /// Stop and exit with 2 if the program uses more than SIZE of memory; Linux only [default: 8G]
    #[arg(long, global = true, value_name = "SIZE", help_heading = "Limits", hide_short_help = true,
          value_parser = size)]
    max_memory: Option<u64>,
    /// Follow links that lead out of the inventory; without this, such a link is an error
    #[arg(long, global = true, help_heading = "Reading")]
    follow_links: bool,
    /// The path to report for an inventory read from standard input
    #[arg(long, global = true, value_name = "PATH", help_heading = "Reading")]
    stdin_name: Option<PathBuf>,
    /// Print the first N mistakes and count the others; 0 prints all
    #[arg(long, global = true, value_name = "N", help_heading = "Reading", default_value_t = SHOWN)]
    max_errors: usize,
}

fn up_to(most: usize) -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(1..=most as u64)
}

/// `1048576`, `1024K`, `1M` or `1MiB`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let suffix = text.strip_prefix(digits).unwrap_or_default();
    let shift = match suffix {
        "" => Some(0),
        "K" | "KiB" => Some(10),
        "M" | "MiB" => Some(20),
        "G" | "GiB" => Some(30),
        _ => None,
    };
    let number = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    number
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1 << shift))
        .ok_or_else(|| "expected a number of bytes, like 1000000, 512K, 64MiB or 2G".to_owned())
}

fn file_size(text: &str) -> Result<u64, String> {
    let size = size(text)?;
    let most = Limits::LARGEST_FILE;
    if size > most { Err(format!("places in files are known up to {most} bytes")) } else { Ok(size) }
}

/// The limits of this call.
pub fn limits() -> Limits {
    READING.get().map(|(limits, ..)| *limits).unwrap_or_default()
}

/// The file that standard input stands for in this call.
pub fn stdin_name() -> Option<PathBuf> {
    READING.get().and_then(|(_, name, _)| name.clone())
}

/// How many mistakes are shown in this call.
pub fn mistakes_shown() -> usize {
    match READING.get().map_or(SHOWN, |(_, _, shown)| *shown) {
        0 => usize::MAX,
        shown => shown,
    }
}

/// Sets the limits of this call, and begins to watch the memory; what is wrong with them, in
/// words.
pub fn hold(args: &Args) -> Result<(), String> {
    let usual = Limits::default();
    let limits = Limits {
        file_size: args.max_file_size.unwrap_or(usual.file_size),
        depth: args.max_depth.unwrap_or(usual.depth),
        aliases: args.max_aliases.unwrap_or(usual.aliases),
        documents: args.max_documents.unwrap_or(usual.documents),
        name: args.max_name.unwrap_or(usual.name),
        text: args.max_text.unwrap_or(usual.text),
        findings: args.max_findings,
        memory: args.max_memory.unwrap_or(usual.memory),
        follow_links: args.follow_links,
    };
    // They are set once a call.
    let _ = READING.set((limits, args.stdin_name.clone(), args.max_errors));
    match resident() {
        Some(met) if met > limits.memory => return Err(too_much(met, limits.memory)),
        Some(_) => drop(thread::Builder::new().name("memory".to_owned()).spawn(move || watch(limits.memory))),
        None if args.max_memory.is_some() => {
            return Err("error: this system does not say how much memory is used, so `--max-memory` cannot \
                        be held\n  help: leave it out, and limit the memory from outside"
                .to_owned());
        }
        None => {}
    }
    Ok(())
}

/// Ends the process once it has more memory than this. What it writes is beside its file
/// until it is whole, so that no file is left half-written.
fn watch(most: u64) {
    loop {
        thread::sleep(BEAT);
        let Some(met) = resident().filter(|&met| met > most) else { continue };
        let speaker = thread::Builder::new().spawn(move || output::say(&too_much(met, most)));
        let mut waited = Duration::ZERO;
        while speaker.as_ref().is_ok_and(|speaker| !speaker.is_finished()) && waited < PATIENCE {
            thread::sleep(BEAT);
            waited += BEAT;
        }
        output::abandon(WRONG);
    }
}

fn too_much(met: u64, most: u64) -> String {
    format!(
        "error: the run has {met} bytes of memory, more than the limit of {most}, and was ended\n  \
         help: split what is judged, or raise the limit with `--max-memory SIZE`"
    )
}

/// How many bytes of memory this process has, where the system says so.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Judges a world. If there are too many findings, that has been said and the exit code is
/// the error.
pub fn audit(world: &World, sources: &Sources, options: &Options) -> Result<Audit, ExitCode> {
    audit_within(world, sources, options, limits().findings_of(sources.bytes())).map_err(|many| {
        output::say(&format!(
            "error: {many}; nothing was reported\n  help: judge less at a time, or raise the limit with \
             `--max-findings N`"
        ));
        ExitCode::from(WRONG)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes_or_binary_multiples() {
        for (text, bytes) in
            [("0", 0), ("12", 12), ("2K", 2048), ("2KiB", 2048), ("3M", 3 << 20), ("8GiB", 8 << 30)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "K", "-1", "+1", "1.5G", "1KB", "1 K", "1k", "99999999999G", "1T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(file_size("4095M"), Ok(4095 << 20));
        assert!(file_size("4G").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_is_known() {
        assert!(resident().unwrap() > 100_000);
    }
}
