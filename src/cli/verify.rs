//! `ringfence verify`: whether a certificate or a bundle holds, without a second audit.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::audit::Options;
use crate::base::source::{FileId, Sources};
use crate::base::visible::{inert, visible};
use crate::base::vocabulary::Status;
use crate::model::Scope;
use crate::model::load::{self, Request, World};
use crate::query::ahead;
use crate::read::files::DISK;
use crate::read::places::Places;
use crate::report::{Report, count};
use crate::verify::bundle::{Bundle, Checked, MOST_BYTES as MOST_BUNDLE, NotAgain, other_extension};
use crate::verify::certificate::{
    Certificate, Expected, NOT_COVERED, VERSION, Verified, changes, digests, digests_of, unnamed_policies,
    verify,
};
use crate::verify::outcome::Outcome;
use jiff::civil::Date;
use serde::Deserialize;

use super::input;
use super::judging;
use super::session::Session;
use super::stop::Stop;
use super::terminal::Color;
use super::values;

/// A larger certificate is none.
const MOST_BYTES: u64 = 8 << 30;

/// Check a certificate or a bundle that `audit` wrote
///
/// Verification fails if the audit covered less than `ringfence audit` does without options, unless
/// the options below allow it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The certificate or the bundle
    #[arg(value_name = "FILE")]
    certificate: PathBuf,
    /// The inventory: folders and files [default: the configuration's `inventory`, else the working
    /// folder; for a bundle, the inventory in it]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy that must have been applied: a built-in pack, a file or a folder; for a bundle, also
    /// the name of an entry [default: the configuration's `policies`, else `core`; for a bundle,
    /// those in it, which must include `core`]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// Require that the result holds on this date, whenever the audit was made [default: today]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    day: Option<Date>,
    /// Allow a result that covers only flows in effect on this date
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    as_of: Option<Date>,
    /// Allow a result that covers only agreements with these statuses
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<Status>())]
    status: Vec<Status>,
    /// Allow these files to be left out of the inventory [default: none, whatever the configuration
    /// excludes]
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Allow a result that covers no flow
    #[arg(long)]
    allow_empty: bool,
    /// Do not regenerate and compare the reports of a bundle
    #[arg(long)]
    quick: bool,
    /// Print failures and errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence audit --certificate audit.cert.json inventory
  ringfence verify audit.cert.json inventory
  ringfence verify --policy core --policy house.yaml audit.cert.json inventory
  ringfence verify --day 2026-11-23 --status active audit.cert.json inventory
  ringfence verify audit.zip                 Use the inventory and policies in the bundle
  ringfence verify audit.zip inventory       Also compare them with these files

Exit codes: 0 verified, 1 not verified, 2 invalid input or arguments.";

impl Args {
    /// What the certificate has to be of.
    fn expected(&self) -> Expected {
        Expected {
            scope: Scope {
                as_of: self.as_of,
                statuses: (!self.status.is_empty()).then(|| self.status.clone()),
                running_on: None,
            },
            allow_empty: self.allow_empty,
            ..Expected::on(self.day())
        }
    }

    /// The day on which it has to hold.
    fn day(&self) -> Date {
        self.day.unwrap_or_else(judging::today)
    }
}

/// Runs the check.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    if is_archive(&args.certificate) {
        return bundle(args, session);
    }
    let no_certificate = |why: String| {
        let shown = args.certificate.display();
        Stop::error(format_args!(
            "`{shown}` cannot be read as a certificate of this version: {why}\n  help: `ringfence audit --certificate FILE` writes one"
        ))
    };
    // Its version is checked now and the rest is read later, so that it is never in memory beside the
    // texts of the inventory.
    bytes(&args.certificate).and_then(|bytes| of_this_version(&bytes)).map_err(no_certificate)?;
    let mut input = input::read_excluding(session, &args.paths, &args.policies, &args.exclude, args.day())?;
    let unnamed =
        if args.policies.is_empty() { unnamed_policies(&input.world, &input.sources) } else { Vec::new() };
    let digests = digests(&input.sources);
    input.sources = Sources::new();
    let certificate = bytes(&args.certificate).and_then(|bytes| read(&bytes)).map_err(no_certificate)?;
    let checking = session.stages.begin("checking", 0);
    let expected = args.expected();
    let mut verified = verify(&certificate, &input.world, &digests, &expected);
    drop(checking);
    verified.failures.splice(0..0, unnamed);
    let cause =
        other_inventory(args, &certificate.files, &digests, certificate.inventory == input.world.digest);
    let outcome = Outcome::of_certificate(&certificate, &input.world, &Options::new(expected.day).binding);
    let said = Said {
        certificate: &certificate,
        verified: &verified,
        expected: &expected,
        outcome: &outcome,
        cause,
    };
    let mut said = said.text(session.quiet);
    if let Some(most) = input.config.waiver_max.filter(|_| !session.quiet) {
        said += &format!("waivers may run for {most} by `waiver_max` of the settings here\n");
    }
    session.output.print(&inert(&said))?;
    // The process ends here: taking apart what it holds would only take time.
    std::mem::forget((certificate, input));
    Ok(ExitCode::from(u8::from(!verified.failures.is_empty())))
}

/// The most mistakes that are printed; the others are counted.
const MOST_TOLD: usize = 20;

/// Why the inventory is not the one that was judged: all else that is wrong then follows from that.
fn other_inventory(
    args: &Args,
    then: &[(String, String)],
    now: &[(String, String)],
    is_same: bool,
) -> Option<String> {
    if is_same {
        return None;
    }
    let all = then.len();
    let same = then.iter().filter(|file| now.contains(file)).count();
    let there = then.iter().filter(|(name, _)| now.iter().any(|(own, _)| own == name)).count();
    if 2 * there > all {
        return Some(format!(
            "the inventory has probably changed since it was judged: {same} of {all} files are what they were"
        ));
    }
    let shown = |path: &PathBuf| format!("`{}`", path.display());
    let place = match args.paths.as_slice() {
        [] => "what is read where no PATH is named".to_owned(),
        paths => paths.iter().map(shown).collect::<Vec<_>>().join(", "),
    };
    Some(format!(
        "{place} is probably another inventory than the one that was judged: {same} of {all} files are there; \
         `ringfence verify FILE PATH` names it"
    ))
}

/// Whether a file is an archive, or is called one.
fn is_archive(path: &Path) -> bool {
    let begins = DISK.read(path, 4);
    begins.is_ok_and(|bytes| bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06"))
        || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

/// Checks a bundle.
fn bundle(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let no_bundle = |why: &dyn Display| {
        let shown = args.certificate.display();
        Stop::error(format_args!(
            "`{shown}` is no bundle that can be checked: {why}\n  help: `ringfence audit --bundle FILE.zip` writes one"
        ))
    };
    if let Some(why) = other_extension(&args.certificate) {
        return Err(no_bundle(&why));
    }
    let archive = DISK.read(&args.certificate, MOST_BUNDLE + 1).map_err(|error| no_bundle(&error))?;
    if archive.len() as u64 > MOST_BUNDLE {
        return Err(no_bundle(&"it is larger than 4 GiB"));
    }
    let unpacking = session.stages.begin("unpacking", 0);
    let mut sources = Sources::new();
    let unpacked = Bundle::read(&archive).and_then(|bundle| {
        let failures = bundle.failures()?;
        if !failures.is_empty() {
            return Ok((bundle, failures, None));
        }
        let foreign = bundle.foreign()?;
        let texts = bundle.texts(session.limits, &mut sources)?;
        Ok((bundle, foreign, Some(texts)))
    });
    let (bundle, failures, texts) = unpacked.map_err(|error| no_bundle(&error))?;
    drop(unpacking);
    let Some(read) = texts else {
        let mut said = failed(&failures);
        if !session.quiet {
            said += &format!("Not verified: the bundle is not what it lists; {} entries\n", bundle.len());
        }
        session.output.print(&inert(&said))?;
        return Ok(ExitCode::from(1));
    };
    let request = Request {
        read: Some(&read),
        limits: session.limits,
        waiver_max: bundle.waiver_max(),
        ..Request::default()
    };
    let world = load::load(&request, &mut sources).map_err(|wrong| session.invalid(&wrong, &sources))?;
    let checking = session.stages.begin("checking", 0);
    let expected = args.expected();
    let mut checked = bundle.check(&world, &sources, &expected).map_err(|error| no_bundle(&error))?;
    drop(checking);
    let all = &mut checked.verified.failures;
    all.splice(0..0, failures);
    all.extend(bundle.unnamed_exclusions(&args.exclude));
    let (others, cause) = beside(args, session, &bundle, &world, &sources)?;
    all.extend(others);
    let quick = args.quick;
    if !quick {
        all.extend(again(session, &bundle, &world, &mut sources)?);
    }
    let Checked { certificate, verified, outcome, .. } = &checked;
    let said = Said { certificate, verified, expected: &expected, outcome, cause };
    let mut said = said.text(session.quiet);
    if !session.quiet {
        if quick {
            said += "not covered: of the reports what is not a finding in reports/report.json\n";
        }
        said += &format!("{} entries are as listed\n", bundle.len());
        checked.notes.iter().for_each(|note| said += &format!("{}\n", visible(note)));
    }
    session.output.print(&inert(&said))?;
    Ok(ExitCode::from(u8::from(!checked.verified.failures.is_empty())))
}

/// What of a bundle is not as this version makes it of the texts in it.
fn again(
    session: &Session,
    bundle: &Bundle,
    world: &World,
    sources: &mut Sources,
) -> Result<Vec<String>, Stop> {
    let version = &bundle.manifest.ringfence;
    if version != env!("CARGO_PKG_VERSION") {
        return Ok(vec![format!(
            "ringfence {version} wrote it, so that this version cannot make its reports again: check it with that \
             version, or leave the reports out with `--quick`"
        )]);
    }
    let (mut options, gate) = bundle.options(&session.limits, sources).map_err(|error| match error {
        NotAgain::Baseline(diagnostics) => session.invalid(&diagnostics, sources),
        NotAgain::Unreadable(error) => Stop::error(format_args!("the bundle cannot be made again: {error}")),
    })?;
    options.stages = session.stages.clone();
    let audit = judging::audit(session, world, sources, &options)?;
    let ahead = ahead(world, sources, &options, &gate);
    let report = Report {
        ahead: ahead.as_ref(),
        gate,
        places: Places::new(sources),
        world: Some(world),
        scope: options.scope.clone(),
        sources: Some(sources),
        ..Report::new(&audit)
    };
    Ok(bundle.made_again(world, sources, &options, &report)?)
}

/// How the inventory and the policies that the call names differ from those in a bundle, and why
/// they probably do.
fn beside(
    args: &Args,
    session: &Session,
    bundle: &Bundle,
    world: &World,
    sources: &Sources,
) -> Result<(Vec<String>, Option<String>), Stop> {
    let read = &world.read;
    let digests =
        |sources: &Sources, files: &[FileId]| digests_of(files.iter().filter_map(|&file| sources.get(file)));
    let mut failures = Vec::new();
    let mut cause = None;
    if !args.paths.is_empty() {
        let now = input::inventory_excluding(session, &args.paths, &args.exclude, args.day())?;
        let named = digests(&now.sources, &now.world.read.inventory);
        let then = digests(sources, &read.inventory);
        failures.extend(changes(&then, &named));
        cause = other_inventory(args, &then, &named, failures.is_empty());
    }
    if args.policies.is_empty() {
        failures.extend(unnamed_policies(world, sources));
        return Ok((failures, cause));
    }
    let (within, elsewhere): (Vec<&String>, Vec<&String>) =
        args.policies.iter().partition(|name| !Path::new(name).exists() && bundle.policy(name).is_some());
    let mut texts = Sources::new();
    let request = Request { policies: elsewhere.into_iter().cloned().collect(), ..Request::default() };
    let now = load::load(&request, &mut texts).map_err(|wrong| session.invalid(&wrong, &texts))?;
    let mut named: BTreeSet<String> =
        digests(&texts, &now.read.policies).into_iter().map(|(_, digest)| digest).collect();
    named.extend(within.into_iter().filter_map(|name| bundle.policy(name)).map(str::to_owned));
    failures.extend(bundle.other_policies(&named));
    Ok((failures, cause))
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

/// Reads a certificate; its version first, so that another version is recognised.
fn read(bytes: &[u8]) -> Result<Certificate, String> {
    of_this_version(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn failed(failures: &[String]) -> String {
    let told = failures.iter().take(MOST_TOLD).map(|failure| format!("not verified: {}\n", visible(failure)));
    let more = failures.len().saturating_sub(MOST_TOLD);
    let rest = (more > 0).then(|| format!("not verified: and {more} more\n"));
    told.chain(rest).collect()
}

/// What a check came to, to be told.
struct Said<'s> {
    certificate: &'s Certificate,
    verified: &'s Verified,
    expected: &'s Expected,
    outcome: &'s Outcome,
    /// What is probably the cause of all that is wrong.
    cause: Option<String>,
}

impl Said<'_> {
    fn text(&self, quiet: bool) -> String {
        let Said { certificate, verified, expected, outcome, cause } = self;
        let mut text =
            cause.as_ref().map_or(String::new(), |cause| format!("not verified: {}\n", visible(cause)));
        text += &failed(&verified.failures);
        if quiet {
            return text;
        }
        let judged = &certificate.judged;
        let waived = certificate.findings.iter().filter(|finding| finding.waived).count();
        let holds = verified.failures.is_empty();
        text += &format!(
            "{}: {}, {waived} of them waived, judged on {}{}{}, written by ringfence {}\n",
            if holds { "Verified" } else { "Not verified" },
            count(certificate.findings.len(), "finding"),
            visible(&judged.day),
            judged.as_of.as_ref().map_or(String::new(), |day| format!(" as of {}", visible(day))),
            judged.status.as_ref().map_or(String::new(), |list| {
                let words: Vec<String> = list.iter().map(ToString::to_string).collect();
                format!(" for {} agreements", words.join(", "))
            }),
            visible(&certificate.ringfence),
        );
        let shows = if holds { "It shows" } else { "It would show" };
        text += &format!("{shows}: {}\n", outcome.said());
        let day = expected.day.to_string();
        if holds && judged.day != day {
            text += &format!("It holds for {day} as well\n");
        }
        text += &format!("{} sets in {} parts were checked\n", verified.sets, certificate.parts.len());
        for what in NOT_COVERED {
            text += &format!("not covered: {what}\n");
        }
        text
    }
}
