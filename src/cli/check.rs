//! `ringfence check`: loads and validates, judges nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use ringfence::load::{self, Request, World};
use ringfence::source::Sources;
use ringfence::visible::visible;

use super::input::{self, Input, WRONG};
use super::limits::limits;
use super::output::{self, Color};

/// Reads the inventory and the policies, or policies alone, and reports every mistake
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders and files of the inventory, `-` for standard input [default: the
    /// configuration's `inventory`, else the working folder; with --policy none]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy: the name of a built-in pack, a file or a folder [default: the
    /// configuration's `policies`, else `core`]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// Succeed even if there is no file of an inventory
    #[arg(long)]
    allow_empty: bool,
    /// Errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to colour the errors
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence check
  ringfence check inventory --policy policies/house.yaml
  ringfence check --policy policies/house.yaml     The policy alone

Exit codes: 0 no mistakes, 2 mistakes, or no file of an inventory.";

/// Runs the check.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.paths.is_empty() && !args.policies.is_empty() {
        return alone(args);
    }
    let input = match input::read(&args.paths, &args.policies, None, args.color) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    if !args.allow_empty && input.world.files == input.world.aside {
        output::say(&nothing_to_check(&input));
        return Ok(ExitCode::from(WRONG));
    }
    if !args.quiet {
        for notice in &input.world.notices {
            let place =
                notice.location.as_ref().map_or(String::new(), |l| format!("{}:{}: ", l.file, l.line));
            output::say(&visible(&format!("{place}notice[{}]: {}", notice.code, notice.message)));
        }
        output::print(&summary(&input.world))?;
    }
    if args.quiet && input.world.excluded > 0 {
        let excluded = some(input.world.excluded, "file", "files");
        output::say(&format!("note: left out: {excluded} by exclude"));
    }
    // The process ends here: taking apart what was read would only take time.
    std::mem::forget(input);
    Ok(ExitCode::SUCCESS)
}

/// Where a file was looked for.
fn nothing_to_check(input: &Input) -> String {
    let places: Vec<String> =
        input.paths.iter().map(|p| format!("`{}`", visible(&p.display().to_string()))).collect();
    let left_out = match input.world.excluded {
        0 => String::new(),
        n => format!("\n  left out: {} by exclude", some(n, "file", "files")),
    };
    format!(
        "error: there is nothing to check: no file of an inventory\n  looked in: {} (every *.yaml and *.yml below \
         it, hidden folders left out){left_out}\n  help: name the folder that holds the inventory, or say \
         --allow-empty if this is as it should be",
        places.join(", "),
    )
}

/// Checks policies without an inventory.
fn alone(args: &Args) -> anyhow::Result<ExitCode> {
    let mut sources = Sources::new();
    let request = Request { policies: args.policies.clone(), limits: limits(), ..Request::default() };
    let world = match load::load(&request, &mut sources) {
        Ok(world) => world,
        Err(mistakes) => return Ok(input::show(&mistakes, &sources, args.color)),
    };
    if !args.quiet {
        let rules: usize = world.policies.iter().map(|p| p.rules.len()).sum();
        output::print(&format!(
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
