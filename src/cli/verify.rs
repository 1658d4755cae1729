//! `ringfence verify`: whether a certificate or a bundle holds, without a second audit.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ringfence::bundle::{Bundle, MOST_BYTES as MOST_BUNDLE};
use ringfence::certificate::{
    Certificate, NOT_COVERED, VERSION, Verified, changes, digests, digests_of, verify,
};
use ringfence::files::DISK;
use ringfence::load::{self, Read, Request};
use ringfence::source::{FileId, Sources};
use ringfence::stages;
use ringfence::visible::{inert, visible};
use serde::Deserialize;

use super::input::{self, WRONG};
use super::limits::limits;
use super::output::{self, Color};

/// A larger certificate is none.
const MOST_BYTES: u64 = 8 << 30;

/// Checks a certificate or a bundle that `audit` wrote, without a second audit
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The certificate or the bundle
    #[arg(value_name = "FILE")]
    certificate: PathBuf,
    /// Folders and files of the inventory [default: the configuration's `inventory`, else
    /// the working folder; of a bundle: nothing but what is in it]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy: the name of a built-in pack, a file or a folder [default: the
    /// configuration's `policies`, else `core`; of a bundle: those in it]
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
  ringfence verify audit.zip                 Inventory and policies are in the bundle
  ringfence verify audit.zip inventory       And whether these files are those in it

Exit codes: 0 it holds, 1 it does not, 2 the input or the call was wrong.";

/// Runs the check.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if is_archive(&args.certificate) {
        return bundle(args);
    }
    let none = |why: &str| {
        let shown = visible(&args.certificate.display().to_string());
        output::say(&format!(
            "error: `{shown}` is no certificate of this version: {}\n  help: `ringfence audit --certificate FILE` writes one",
            visible(why)
        ));
        Ok(ExitCode::from(WRONG))
    };
    // What it says is held in memory only once the texts of the inventory no longer are.
    if let Err(why) = bytes(&args.certificate).and_then(|bytes| of_this_version(&bytes)) {
        return none(&why);
    }
    let mut input = match input::read(&args.paths, &args.policies, None, args.color) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    let digests = digests(&input.sources);
    input.sources = Sources::new();
    let certificate = match bytes(&args.certificate).and_then(|bytes| read(&bytes)) {
        Ok(certificate) => certificate,
        Err(why) => return none(&why),
    };
    let checking = stages::begin("checking", 0);
    let verified = verify(&certificate, &input.world, &digests);
    drop(checking);
    output::print(&inert(&text(&certificate, &verified, args.quiet)))?;
    // The process ends here: taking apart what it holds would only take time.
    std::mem::forget((certificate, input));
    Ok(ExitCode::from(u8::from(!verified.failures.is_empty())))
}

/// Whether a file is an archive, or is called one.
fn is_archive(path: &Path) -> bool {
    let begins = DISK.read(path, 4);
    begins.is_ok_and(|bytes| bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06"))
        || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

/// Checks a bundle.
fn bundle(args: &Args) -> anyhow::Result<ExitCode> {
    let wrong = |why: &str| {
        let shown = visible(&args.certificate.display().to_string());
        output::say(&format!(
            "error: `{shown}` is no bundle that can be checked: {}\n  help: `ringfence audit --bundle FILE.zip` writes one",
            visible(why)
        ));
        Ok(ExitCode::from(WRONG))
    };
    let archive = match DISK.read(&args.certificate, MOST_BUNDLE + 1) {
        Ok(archive) if archive.len() as u64 > MOST_BUNDLE => return wrong("it is larger than 4 GiB"),
        Ok(archive) => archive,
        Err(error) => return wrong(&error.to_string()),
    };
    let unpacking = stages::begin("unpacking", 0);
    let mut sources = Sources::new();
    let unpacked = Bundle::read(&archive).and_then(|bundle| {
        let failures = bundle.failures()?;
        let texts = if failures.is_empty() { Some(bundle.texts(limits(), &mut sources)?) } else { None };
        Ok((bundle, failures, texts))
    });
    let (bundle, failures, texts) = match unpacked {
        Ok(unpacked) => unpacked,
        Err(error) => return wrong(&error.to_string()),
    };
    drop(unpacking);
    let Some(read) = texts else {
        let mut said = failed(&failures);
        if !args.quiet {
            said += &format!("Not verified: the bundle is not what it lists; {} entries\n", bundle.len());
        }
        output::print(&inert(&said))?;
        return Ok(ExitCode::from(1));
    };
    let request =
        Request { read: Some(&read), cache: input::cache(), limits: limits(), ..Request::default() };
    let world = match load::load(&request, &mut sources) {
        Ok(world) => world,
        Err(mistakes) => return Ok(input::show(&mistakes, &sources, args.color)),
    };
    let checking = stages::begin("checking", 0);
    let mut checked = match bundle.check(&world, &sources) {
        Ok(checked) => checked,
        Err(error) => return wrong(&error.to_string()),
    };
    drop(checking);
    match beside(args, &read, &sources) {
        Ok(others) => checked.verified.failures.extend(others),
        Err(code) => return Ok(code),
    }
    let mut said = text(&checked.certificate, &checked.verified, args.quiet);
    if !args.quiet {
        said += "not covered: of the reports what is not a finding in reports/report.json\n";
        said += &format!("{} entries are as listed\n", bundle.len());
        checked.notes.iter().for_each(|note| said += &format!("{}\n", visible(note)));
    }
    output::print(&inert(&said))?;
    Ok(ExitCode::from(u8::from(!checked.verified.failures.is_empty())))
}

/// How the inventory and the policies that the call names differ from those in a bundle.
fn beside(args: &Args, read: &Read, sources: &Sources) -> Result<Vec<String>, ExitCode> {
    let digests =
        |sources: &Sources, files: &[FileId]| digests_of(files.iter().filter_map(|&file| sources.get(file)));
    let mut failures = Vec::new();
    if !args.paths.is_empty() {
        let now = input::without_policies(&args.paths, None, args.color)?;
        let named = digests(&now.sources, &now.world.read.inventory);
        failures.extend(changes(&digests(sources, &read.inventory), &named));
    }
    if !args.policies.is_empty() {
        let mut texts = Sources::new();
        let request = Request { policies: args.policies.clone(), ..Request::default() };
        let now = load::load(&request, &mut texts).map_err(|m| input::show(&m, &texts, args.color))?;
        failures.extend(changes(&digests(sources, &read.policies), &digests(&texts, &now.read.policies)));
    }
    Ok(failures)
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    DISK.read(path, MOST_BYTES).map_err(|error| error.to_string())
}

/// The version of a certificate, whatever else it says.
#[derive(Deserialize)]
struct Version {
    certificate: u64,
}

/// Whether a text is one that names this version.
fn of_this_version(bytes: &[u8]) -> Result<(), String> {
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { certificate }) if certificate == u64::from(VERSION) => Ok(()),
        Ok(Version { certificate }) => Err(format!("it has version {certificate}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads a certificate; its version first, so that one of another is told apart.
fn read(bytes: &[u8]) -> Result<Certificate, String> {
    of_this_version(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn failed(failures: &[String]) -> String {
    failures.iter().map(|failure| format!("not verified: {}\n", visible(failure))).collect()
}

fn text(certificate: &Certificate, verified: &Verified, quiet: bool) -> String {
    let mut text = failed(&verified.failures);
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
