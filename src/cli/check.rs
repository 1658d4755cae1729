//! `ringfence check`: loads and validates, judges nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::audit::unknown_rules;
use crate::base::source::Sources;
use crate::base::taxonomy::Tree;
use crate::base::visible::visible;
use crate::model::load::{self, Request, World};

use crate::read::places::Places;

use super::input::{self, Input};
use super::judging::today;
use super::session::Session;
use super::stop::Stop;
use super::terminal::Color;

/// Check the inventory and the policies, or policies alone, and report every mistake
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder; with --policy, no inventory]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy: the name of a built-in pack, a file or a folder [default: the
    /// configuration's `policies`, else `core`]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// Succeed even if the inventory declares nothing
    #[arg(long)]
    allow_empty: bool,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence check
  ringfence check inventory --policy policies/house.yaml
  ringfence check --policy policies/house.yaml     The policy alone

Exit codes: 0 no mistakes, 2 mistakes or an empty inventory.";

/// Runs the check.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    if args.paths.is_empty() && !args.policies.is_empty() {
        return alone(args, session);
    }
    let input = input::read(session, &args.paths, &args.policies, None, today())?;
    if !args.allow_empty && !declares(&input.world) {
        return Err(Stop::printing(nothing_to_check(&input)));
    }
    if !session.quiet {
        let unknown = unknown_rules(&input.world, &input.sources);
        let places = Places::new(&input.sources);
        for notice in input.world.notices.iter().chain(&unknown) {
            let place = notice
                .location
                .as_ref()
                .map_or(String::new(), |at| format!("{}:{}: ", places.here(&at.file), at.line));
            session.output.say(&visible(&format!("{place}notice[{}]: {}", notice.code, notice.message)));
        }
        stale(session, &input);
        session.output.print(&summary(&input.world))?;
    }
    if session.quiet && input.world.excluded > 0 {
        let excluded = some(input.world.excluded, "file", "files");
        session.output.say(&format!("note: left out: {excluded} by exclude"));
    }
    // The process ends here: taking apart what was read would only take time.
    std::mem::forget(input);
    Ok(ExitCode::SUCCESS)
}

/// Says which files were imported from sources that are no longer what they were.
#[cfg(feature = "exchange")]
fn stale(session: &Session, input: &Input) {
    use crate::exchange::header;
    use crate::read::files::DISK;
    for (_, file) in input.sources.iter() {
        let Some(path) = file.path() else { continue };
        let begin = DISK.read(path, 64).unwrap_or_default();
        if !header::is_made(&String::from_utf8_lossy(&begin)) {
            continue;
        }
        let bytes = DISK.read(path, session.limits.file_size).unwrap_or_default();
        for what in header::stale(DISK, path, &String::from_utf8_lossy(&bytes)) {
            let name = file.name();
            session
                .output
                .say(&visible(&format!("{name}:1: notice[import-stale]: {what}: run `ringfence import`")));
        }
    }
}

#[cfg(not(feature = "exchange"))]
fn stale(_: &Session, _: &Input) {}

/// Whether an inventory declares anything.
fn declares(world: &World) -> bool {
    let model = &world.model;
    let is_own = |tree: &Tree| tree.entries().any(|(_, entry)| entry.declared.span.is_some());
    !model.parties.is_empty()
        || !model.agreements.is_empty()
        || !model.flows.is_empty()
        || !world.own_statements.is_empty()
        || !world.own_waivers.is_empty()
        || is_own(&model.data)
        || is_own(&model.purposes)
}

/// Where declarations were looked for.
fn nothing_to_check(input: &Input) -> String {
    let places: Vec<String> =
        input.paths.iter().map(|p| format!("`{}`", visible(&p.display().to_string()))).collect();
    let found = match input.world.files - input.world.aside.min(input.world.files) {
        0 => "no inventory file was found".to_owned(),
        1 => "the one inventory file declares nothing".to_owned(),
        n => format!("none of the {n} inventory files declares anything"),
    };
    let left_out = match input.world.excluded {
        0 => String::new(),
        n => format!("\n  left out: {} by exclude", some(n, "file", "files")),
    };
    format!(
        "error: there is nothing to check: {found}\n  looked in: {} (every *.yaml and *.yml file in it, except in \
         hidden folders){left_out}\n  help: name the folder that holds the inventory, or pass --allow-empty if \
         it is meant to be empty",
        places.join(", "),
    )
}

/// Checks policies without an inventory.
fn alone(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let mut sources = Sources::new();
    let request =
        Request { policies: input::named(&args.policies), limits: session.limits, ..Request::default() };
    let world = load::load(&request, &mut sources).map_err(|wrong| session.invalid(&wrong, &sources))?;
    if !session.quiet {
        let rules: usize = world.policies.iter().map(|p| p.rules.len()).sum();
        session.output.print(&format!(
            "Read {} with {}: no mistakes\n",
            some(world.policies.len(), "policy", "policies"),
            some(rules, "rule", "rules")
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn some(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn summary(world: &World) -> String {
    let model = &world.model;
    let rules: usize = world.policies.iter().map(|p| p.rules.len()).sum();
    let excluded = match world.excluded {
        0 => String::new(),
        n => format!(", {} left out by exclude", some(n, "file", "files")),
    };
    format!(
        "Read {}{excluded}: {}, {}, {}, {}, {}, {}; {} with {}: no mistakes\n",
        some(world.files, "file", "files"),
        some(model.parties.len(), "party", "parties"),
        some(model.systems.len(), "system", "systems"),
        some(model.agreements.len(), "agreement", "agreements"),
        some(model.flows.len(), "flow", "flows"),
        some(model.statements.len(), "promise", "promises"),
        some(model.waivers.len(), "waiver", "waivers"),
        some(world.policies.len(), "policy", "policies"),
        some(rules, "rule", "rules"),
    )
}
