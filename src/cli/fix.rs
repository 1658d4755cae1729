//! `ringfence fix`: the smallest sets of edits after which findings are gone.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::audit::{Options, audit};
use crate::base::source::Sources;
use crate::base::visible::visible;
use crate::base::vocabulary::Word;
use crate::declare::gate::Gate;
use crate::model::load;
use crate::query::{EditKind, Fix, FixAsked, Proposal, fix};
use crate::read::files::{Changed, DISK, Files};
use crate::report::answer::FixFormat;
use crate::report::count;
use crate::report::patch::{Patched, diff, patched};

use super::input::{self, Input};
use super::judging::{self, Judging, ensure_in_scope};
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::{self, Color};
use super::values;

/// Find the smallest sets of edits that fix findings, each proven by judging again
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Fix only these findings: a fingerprint, a rule (a glob like `statement/*`) or a cause like
    /// `flow:ID` [default: all findings that make an audit fail]
    #[arg(long, value_name = "FINGERPRINT|RULE|CAUSE", value_delimiter = ',')]
    only: Vec<String>,
    /// Make only edits of these kinds
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = values::word::<EditKind>())]
    kinds: Vec<EditKind>,
    /// Set what one edit of a kind costs
    /// [default: data=2,only_from=2,purposes=2,cut=3,transform=4,consent=6,assurance=6]
    #[arg(long, value_name = "KIND=N", value_delimiter = ',', value_parser = cost)]
    cost: Vec<(EditKind, u64)>,
    /// List at most N sets, the cheapest first
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    max: u16,
    /// Stop searching after this time; the answer then depends on the machine
    #[arg(long, value_name = "SECONDS")]
    max_seconds: Option<u64>,
    /// Print or write set N instead of the first, with --diff or --write
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    set: u16,
    /// Print the edits of the files as a patch
    #[arg(long, conflicts_with = "write")]
    diff: bool,
    /// Write the edits into the files
    #[arg(long)]
    write: bool,
    /// Write transforms, consents and assurances, too: you state that they are in place
    #[arg(long, requires = "write")]
    assert: bool,
    /// Print at most N entries of each list as text; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// The output format
    #[arg(long, default_value = "text", value_parser = values::word::<FixFormat>())]
    format: FixFormat,
    /// Write the answer to FILE (atomically) instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence fix samples/messenger-banking
  ringfence fix --only 'statement/*' --kinds cut samples/messenger-banking
  ringfence fix --diff inventory > fix.patch
  ringfence fix --write --set 2 inventory

Kinds of edits: cut a flow; `data`, `only_from` and `purposes` narrow it; `transform`, `consent` and
`assurance` state a fact, which has to be so first. A flow with `essential: true` is never cut. With
each set the inventory was judged again: the findings are gone, and no other makes the audit fail.

Exit codes:
  0  answered, also if there is nothing to fix or no set fixes it
  2  invalid input or invalid arguments; nothing was written";

fn cost(text: &str) -> Result<(EditKind, u64), String> {
    let known = || EditKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
    let expected = || format!("expected a kind and what one costs, like cut=3; kinds: {}", known());
    let (kind, cost) = text.split_once('=').ok_or_else(expected)?;
    let kind = EditKind::parse(kind).ok_or_else(expected)?;
    let cost = cost.parse().ok().filter(|cost| (1..=1_000_000).contains(cost));
    cost.map(|cost| (kind, cost)).ok_or_else(|| "expected a cost from 1 to 1000000".to_owned())
}

/// Answers, and writes if that is asked for.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    if (args.write || args.diff) && args.paths.iter().any(|path| path.as_os_str() == "-") {
        stop!("files are edited: name the inventory's folder or file, not `-`");
    }
    let day = args.judging.scoping.day();
    let mut input = input::read_keeping(session, &args.paths, &args.judging.scoping.policies, day)?;
    let mut options = args.judging.options(session, &input.config);
    options.baseline = input::baseline(session, &input.config, DISK, &mut input.sources)?;
    if !args.judging.allow_empty {
        ensure_in_scope(&input, &options)?;
    }
    let gate = args.judging.gate(&input.config);
    let judgement = judging::judge(session, &input.world, &input.sources, &options)?;
    let until = args.max_seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds.min(1 << 30)));
    let asked = FixAsked {
        only: args.only.clone(),
        costs: costs(args),
        max: usize::from(args.max.max(args.set)),
        allow_empty: args.judging.allow_empty,
    };
    let in_time = || until.is_none_or(|until| Instant::now() < until);
    let found = fix((&input.world, &input.sources), (&options, &gate), &judgement, &asked, &in_time)
        .map_err(Stop::error)?;
    if !args.write && !args.diff {
        return write_answer(args, session, &found);
    }
    let Some(set) = chosen(args, session, &found)? else { return Ok(ExitCode::SUCCESS) };
    let files =
        patched(&input.world.model, &input.sources, &set.made, &session.limits).map_err(Stop::error)?;
    let left = prove(session, &input, (&options, &gate), &found, &files)?;
    if args.diff {
        write_text(args, session, &|_, _| Ok(diff(&files)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for file in &files {
        session.output.replace(&file.path, &file.new)?;
    }
    session.output.print(&format!(
        "Wrote {} in {}; an audit now has {} that make it fail, instead of {}\n",
        count(set.edits.len(), "edit"),
        count(files.len(), "file"),
        count(left, "finding"),
        set.proof.failing_before,
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What each kind of edit costs that may be made.
fn costs(args: &Args) -> BTreeMap<EditKind, u64> {
    let kinds = if args.kinds.is_empty() { EditKind::ALL } else { args.kinds.as_slice() };
    let named = |kind| args.cost.iter().rev().find(|(of, _)| *of == kind).map(|(_, cost)| *cost);
    kinds.iter().map(|&kind| (kind, named(kind).unwrap_or(kind.usual_cost()))).collect()
}

fn write_answer(args: &Args, session: &Session, found: &Fix) -> Result<ExitCode, Stop> {
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    write_text(args, session, &|width, color| found.render(args.format, width, color, limit))?;
    Ok(ExitCode::SUCCESS)
}

fn write_text(
    args: &Args,
    session: &Session,
    render: &dyn Fn(usize, bool) -> io::Result<String>,
) -> Result<(), Stop> {
    match &args.output {
        Some(file) => session.output.write_file(file, &render(80, session.color == Color::Always)?)?,
        None => session.output.print(&render(terminal::width(), session.color.on(&io::stdout()))?)?,
    }
    Ok(())
}

/// The set that is to be written; `None`: there is nothing to fix.
fn chosen<'f>(args: &Args, session: &Session, found: &'f Fix) -> Result<Option<&'f Proposal>, Stop> {
    if found.targets.is_empty() && found.unfixable.is_empty() {
        session.output.say("Nothing has to be fixed; nothing was written");
        return Ok(None);
    }
    let Some(set) = found.sets.get(usize::from(args.set) - 1) else {
        let sets = match found.sets.len() {
            0 => "no set of edits was found".to_owned(),
            1 => "1 set was found".to_owned(),
            many => format!("{many} sets were found"),
        };
        stop!("there is no set {}: {sets}; nothing was written", args.set);
    };
    let fact = set.edits.iter().find(|edit| edit.needs_fact);
    if let Some(edit) = fact.filter(|_| args.write && !args.assert) {
        stop!(
            "set {} needs a fact, not only an edit: {}; nothing was written\n  help: pass --assert once it is so, or \
             `--kinds cut,data,only_from,purposes` for a set without",
            args.set,
            visible(&edit.said())
        );
    }
    Ok(Some(set))
}

/// Reads and judges all again as if the files were written: what is to go is gone, nothing else has come. How many
/// findings then fail.
fn prove(
    session: &Session,
    input: &Input,
    (options, gate): (&Options, &Gate),
    found: &Fix,
    files: &[Patched],
) -> Result<usize, Stop> {
    let mut changed = Changed::default();
    for file in files {
        let shown = || format!("cannot write `{}`", visible(&file.path.display().to_string()));
        changed = changed.and(&file.path, file.new.clone()).with_context(shown)?;
    }
    let mut sources = Sources::new();
    let world = match load::load(&input.request(session, &Files::Changed(Box::new(changed))), &mut sources) {
        Ok(world) => world,
        Err(diagnostics) => {
            let first = diagnostics.first().map(|m| visible(&m.message)).unwrap_or_default();
            stop!("the edits would be a mistake in a file ({first}); nothing was written");
        }
    };
    let audit = |world, sources| audit(world, sources, options);
    let (before, after) = (audit(&input.world, &input.sources), audit(&world, &sources));
    let failed = |print: &str| before.findings.iter().any(|one| one.fingerprint == print && gate.stops(one));
    let left = after.findings.iter().find(|one| {
        found.targets.iter().any(|target| target.fingerprint == one.fingerprint)
            || gate.stops(one) && !failed(&one.fingerprint)
    });
    if let Some(left) = left {
        stop!(
            "with these edits in the files {} would be there ({}); nothing was written",
            left.fingerprint,
            visible(&left.message)
        );
    }
    Ok(after.findings.iter().filter(|one| gate.stops(one)).count())
}
