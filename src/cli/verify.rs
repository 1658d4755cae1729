//! `ringfence verify`: whether a certificate holds, without a second audit.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ringfence::certificate::{Certificate, NOT_COVERED, VERSION, Verified, digests, verify};
use ringfence::files::DISK;
use ringfence::stages;
use ringfence::visible::{inert, visible};
use serde_json::Value;

use super::input::{self, WRONG};
use super::output::{self, Color};

/// A larger certificate is none.
const MOST_BYTES: u64 = 8 << 30;

/// Checks a certificate that `audit --certificate` wrote, against the inventory and the policies
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The certificate
    #[arg(value_name = "FILE")]
    certificate: PathBuf,
    /// Folders and files of the inventory [default: the configuration's `inventory`, else
    /// the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy: the name of a built-in pack, a file or a folder [default: the
    /// configuration's `policies`, else `core`]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// What is wrong, and nothing else
    #[arg(long, short)]
    pub quiet: bool,
    /// When to colour the errors
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence audit --certificate audit.cert.json inventory
  ringfence verify audit.cert.json inventory
  ringfence verify --policy core --policy house.yaml audit.cert.json inventory

Exit codes: 0 it holds, 1 it does not, 2 the input or the call was wrong.";

/// Runs the check.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let certificate = match read(&args.certificate) {
        Ok(certificate) => certificate,
        Err(why) => {
            let shown = visible(&args.certificate.display().to_string());
            output::say(&format!(
                "error: `{shown}` is no certificate of this version: {}\n  help: `ringfence audit --certificate {shown}` writes one",
                visible(&why)
            ));
            return Ok(ExitCode::from(WRONG));
        }
    };
    let input = match input::read(&args.paths, &args.policies, None, args.color) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    let checking = stages::begin("checking", 0);
    let verified = verify(&certificate, &input.world, &digests(&input.sources));
    drop(checking);
    output::print(&inert(&text(&certificate, &verified, args.quiet)))?;
    Ok(ExitCode::from(u8::from(!verified.failures.is_empty())))
}

/// Reads a certificate; its version first, so that one of another is told apart.
fn read(path: &Path) -> Result<Certificate, String> {
    let bytes = DISK.read(path, MOST_BYTES).map_err(|error| error.to_string())?;
    let version = |value: &Value| value.get("certificate").and_then(Value::as_u64);
    match serde_json::from_slice::<Certificate>(&bytes) {
        Ok(certificate) if certificate.certificate == VERSION => Ok(certificate),
        Ok(other) => Err(format!("it has version {}", other.certificate)),
        Err(error) => match serde_json::from_slice::<Value>(&bytes).as_ref().map(version) {
            Ok(Some(version)) if version != u64::from(VERSION) => Err(format!("it has version {version}")),
            _ => Err(error.to_string()),
        },
    }
}

fn text(certificate: &Certificate, verified: &Verified, quiet: bool) -> String {
    let mut text = String::new();
    for failure in &verified.failures {
        text += &format!("not verified: {}\n", visible(failure));
    }
    if quiet {
        return text;
    }
    let judged = &certificate.judged;
    let waived = certificate.findings.iter().filter(|finding| finding.waived).count();
    text += &format!(
        "{}: {} findings, {waived} of them waived, judged on {}{}{}, written by ringfence {}\n",
        if verified.failures.is_empty() { "Verified" } else { "Not verified" },
        certificate.findings.len(),
        visible(&judged.day),
        judged.as_of.as_ref().map_or(String::new(), |day| format!(" as of {}", visible(day))),
        judged.status.as_ref().map_or(String::new(), |list| {
            let words: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!(" for {} agreements", words.join(", "))
        }),
        visible(&certificate.ringfence),
    );
    text += &format!("{} sets in {} parts were checked\n", verified.sets, certificate.parts.len());
    for what in NOT_COVERED {
        text += &format!("not covered: {what}\n");
    }
    text
}
