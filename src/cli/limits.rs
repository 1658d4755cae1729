//! How much an input may ask for: the arguments.

use std::path::PathBuf;

use crate::base::limits::Limits;
use clap::builder::{RangedU64ValueParser, TypedValueParser};

/// How many mistakes are printed by default: the first ones usually explain the others.
const SHOWN: usize = 20;

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
    pub max_memory: Option<u64>,
    /// Follow links that lead out of the inventory; without this, such a link is an error
    #[arg(long, global = true, help_heading = "Reading")]
    follow_links: bool,
    /// The path to report for an inventory read from standard input
    #[arg(long, global = true, value_name = "PATH", help_heading = "Reading")]
    pub stdin_name: Option<PathBuf>,
    /// Print the first N mistakes and count the others; 0 prints all
    #[arg(long, global = true, value_name = "N", help_heading = "Reading", default_value_t = SHOWN)]
    max_errors: usize,
}

fn up_to(most: usize) -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(1..=most as u64)
}

/// `1048576`, `1024K`, `1M` or `1MiB`.
pub fn size(text: &str) -> Result<u64, String> {
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

impl Args {
    /// The limits that the call states, else the usual ones.
    pub fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            file_size: self.max_file_size.unwrap_or(usual.file_size),
            depth: self.max_depth.unwrap_or(usual.depth),
            aliases: self.max_aliases.unwrap_or(usual.aliases),
            documents: self.max_documents.unwrap_or(usual.documents),
            name: self.max_name.unwrap_or(usual.name),
            text: self.max_text.unwrap_or(usual.text),
            findings: self.max_findings,
            memory: self.max_memory.unwrap_or(usual.memory),
            follow_links: self.follow_links,
        }
    }

    /// How many mistakes are printed.
    pub fn max_errors(&self) -> usize {
        if self.max_errors == 0 { usize::MAX } else { self.max_errors }
    }
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
}
