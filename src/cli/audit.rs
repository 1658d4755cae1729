//! `ringfence audit`: loads, propagates, checks, prints.

use std::path::PathBuf;
use std::process::ExitCode;

use ringfence::audit::Options;
use ringfence::base::source::{FileId, SourceFile, Sources};
use ringfence::base::stages;
use ringfence::base::visible::visible;
use ringfence::model::{Counting, Scope};
use ringfence::read::files::DISK;
use ringfence::read::places::Places;
use ringfence::report::{Report, count};
use ringfence::verify::bundle::{self, Content};
use ringfence::verify::certificate::{self, digests};

use super::input::{self, Input, WRONG};
use super::judging::Judging;
use super::limits;
use super::output;
use super::writing::Writing;

/// Follow all data along all declared flows and report what that breaks
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    /// Do not fail on the findings recorded in FILE, which `ringfence baseline write` or `audit
    /// --format json` wrote [default: the configuration's `baseline`]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write a certificate of the result to FILE, for `ringfence verify`
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Write the inventory, policies, reports and certificate to one archive, for `ringfence
    /// verify`
    #[arg(long, value_name = "FILE.zip")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    pub writing: Writing,
}

const EXAMPLES: &str = "\
Examples:
  ringfence audit samples/messenger-banking
  ringfence audit --policy core --policy house.yaml --fail-on medium
  ringfence audit --status active --as-of 2019-06-30 inventory
  ringfence audit --format json --output audit.json inventory
  ringfence audit --report sarif=audit.sarif --report markdown=comment.md
  ringfence audit --certificate audit.cert.json inventory
  ringfence audit --day 2026-11-23 --bundle audit.zip inventory

Exit codes:
  0  no new finding at or above --fail-on
  1  new findings at or above --fail-on, or notices denied by --deny-notices
  2  invalid input or invalid arguments; nothing was audited";

/// Runs the audit.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { paths, judging, baseline, certificate, bundle, writing } = args;
    if let Some(file) = &bundle
        && (certificate.as_ref() == Some(file) || writing.output.as_ref() == Some(file))
    {
        let shown = visible(&file.display().to_string());
        anyhow::bail!("the bundle and something else would go to `{shown}`; name a file for each");
    }
    // A pipe or a device stays what it is called.
    let special = |file: &PathBuf| file.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    if let Some(why) =
        bundle.as_ref().filter(|file| !special(file)).and_then(|file| bundle::other_extension(file))
    {
        anyhow::bail!("{}", visible(&why));
    }
    let mut input = match input::read(&paths, &judging.scoping.policies, baseline.as_deref(), writing.color) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    let files = certificate.as_ref().map(|_| digests(&input.sources)).unwrap_or_default();
    let gate = judging.gate(&input.config);
    let mut options = judging.options(&input.config);
    options.baseline = match input::baseline(&input.config, &DISK, &mut input.sources, writing.color) {
        Ok(baseline) => baseline,
        Err(code) => return Ok(code),
    };
    if !judging.allow_empty && is_empty(&input, &options) {
        return Ok(ExitCode::from(WRONG));
    }
    let audit = match limits::audit(&input.world, &input.sources, &options) {
        Ok(audit) => audit,
        Err(code) => return Ok(code),
    };
    let mut report = Report {
        gate: gate.clone(),
        places: Places::new(&input.sources),
        world: Some(&input.world),
        scope: options.scope.clone(),
        sources: Some(&input.sources),
        ..Report::new(&audit)
    };
    let plain = report.clone();
    writing.write(
        &input.config,
        |format| plain.remarks(format),
        |format, look, out| {
            report.look = look;
            report.write(format, out)
        },
    )?;
    if let Some(file) = &certificate {
        let _certifying = stages::begin("certifying", 0);
        output::stream_file(file, |out| certificate::write(&input.world, &files, &options, &audit, out))?;
    }
    if let Some(file) = &bundle {
        let content = Content {
            world: &input.world,
            sources: &input.sources,
            // Settings are read before the inventory, which may hold them, too; the baseline is
            // read after it.
            settings: lying_at(&input.sources, input.file.as_ref()).first().copied(),
            baseline: lying_at(&input.sources, input.config.baseline.as_ref()).last().copied(),
            options: &options,
            report: &report,
        };
        let packed = bundle::pack(&content, &DISK)?;
        output::stream_file(file, |out| packed.write(out))?;
    }
    let code = ExitCode::from(u8::from(gate.fails(&audit)));
    // The process ends here: taking apart what it holds would only take time.
    std::mem::forget((audit, input));
    Ok(code)
}

/// The texts that were read at a path, in the order read.
fn lying_at(sources: &Sources, path: Option<&PathBuf>) -> Vec<FileId> {
    let own = |file: &SourceFile| path.is_some() && file.path() == path.map(PathBuf::as_path);
    sources.iter().filter(|(_, file)| own(file)).map(|(id, _)| id).collect()
}

/// Whether no flow counts; if so, that has been said.
pub fn is_empty(input: &Input, options: &Options) -> bool {
    let scope = &options.scope;
    let empty = !Counting::any(&input.world.model, options.day, scope);
    if empty {
        output::say(&nothing_to_judge(input, scope));
    }
    empty
}

/// What was looked for, where, and what there was.
fn nothing_to_judge(input: &Input, scope: &Scope) -> String {
    let model = &input.world.model;
    let places: Vec<String> =
        input.paths.iter().map(|p| format!("`{}`", visible(&p.display().to_string()))).collect();
    let mut text = format!(
        "error: there is nothing to audit: no flow is in scope\n  \
         looked in: {} (every *.yaml and *.yml file in it, except in hidden folders)\n  \
         found: {}, {}, {}, {}, {}",
        places.join(", "),
        count(input.world.files, "file"),
        if model.parties.len() == 1 {
            "1 party".to_owned()
        } else {
            format!("{} parties", model.parties.len())
        },
        count(model.systems.len(), "system"),
        count(model.agreements.len(), "agreement"),
        count(model.flows.len(), "flow"),
    );
    let mut left_out = Vec::new();
    left_out.extend(scope.statuses.as_ref().map(|list| {
        let words: Vec<String> = list.iter().map(ToString::to_string).collect();
        format!("agreements that are not {}", words.join(" or "))
    }));
    left_out.extend(scope.as_of.map(|day| format!("flows that are not in effect on {day}")));
    left_out.extend(
        (!input.config.exclude.is_empty())
            .then(|| format!("files: {}", visible(&input.config.exclude.join(", ")))),
    );
    if !left_out.is_empty() {
        text.push_str(&format!("\n  left out: {}", left_out.join("; ")));
    }
    text + "\n  help: name the folder that holds the inventory, or pass --allow-empty if no flow is meant to be in scope"
}
