//! `ringfence audit`: loads, propagates, checks, prints.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::civil::Date;
use ringfence::audit::{Options, audit};
use ringfence::finding::Audit;
use ringfence::gate::{Denied, Gate, Threshold};
use ringfence::model::{Counting, Scope};
use ringfence::places::Places;
use ringfence::report::page::visible;
use ringfence::report::{Format, Look, Report};
use ringfence::vocabulary::{PolicyStatus, Status};

use super::input::{self, Input, WRONG};
use super::output::{self, Color};
use super::values;

/// Follows all data along all declared flows and reports what that breaks
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folders and files of the inventory, `-` for standard input [default: the
    /// configuration's `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy: the name of a built-in pack, a file or a folder [default: the
    /// configuration's `policies`, else `core`]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// The form of the report
    #[arg(long, default_value = "text", value_parser = values::word::<Format>())]
    format: Format,
    /// Where the report goes, instead of standard output; written whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// One more report, `json=audit.json` say
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = values::report)]
    reports: Vec<(Format, PathBuf)>,
    /// Judge the flows of this day; without it dates do not matter
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    as_of: Option<Date>,
    /// The day on which waivers and assurances have expired or not [default: today]
    #[arg(long, alias = "today", value_name = "DATE", value_parser = values::date)]
    day: Option<Date>,
    /// Judge agreements with these statuses only
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<Status>())]
    status: Vec<Status>,
    /// Fail if there is a new finding of this severity or a graver one [default: high]
    #[arg(long, value_name = "SEVERITY", value_parser = values::word::<Threshold>())]
    fail_on: Option<Threshold>,
    /// The standings of policies whose findings can fail the audit
    /// [default: in_force,contractual,house]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = values::word::<PolicyStatus>())]
    fail_on_status: Vec<PolicyStatus>,
    /// Fail if there are notices, or notices with these codes
    #[arg(long, value_name = "CODE", num_args = 0.., require_equals = true, value_delimiter = ',')]
    deny_notices: Option<Vec<String>>,
    /// An inventory without a flow that counts is fine
    #[arg(long)]
    allow_empty: bool,
    /// How many findings the text report writes out, the others being counted; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Findings and errors only
    #[arg(long, short)]
    quiet: bool,
    /// When to colour the text report
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence audit samples/messenger-banking
  ringfence audit --policy core --policy house.yaml --fail-on medium
  ringfence audit --status active --as-of 2019-06-30 inventory
  ringfence audit --format json --output audit.json inventory

Exit codes:
  0  nothing new at or above --fail-on
  1  findings, or notices that --deny-notices names
  2  the input or the call was wrong; nothing was judged";

/// Runs the audit.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let input = match input::read(&args.paths, &args.policies, args.color, args.quiet) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    let gate = gate(&args, &input);
    let mut options = Options::new(args.day.unwrap_or_else(|| jiff::Zoned::now().date()));
    options.scope = scope(&args, &input);
    if !args.fail_on_status.is_empty() {
        options.binding.clone_from(&args.fail_on_status);
    }
    if !args.allow_empty && Counting::new(&input.world.model, &options.scope).iter().next().is_none() {
        output::say(&nothing_to_judge(&input, &options.scope));
        return Ok(ExitCode::from(WRONG));
    }
    let audit = audit(&input.world, &input.sources, &options);
    write(&args, &input, &audit, &gate)?;
    Ok(ExitCode::from(u8::from(gate.fails(&audit))))
}

fn gate(args: &Args, input: &Input) -> Gate {
    let mut gate = Gate::default();
    if let Some(threshold) = args.fail_on.or(input.config.fail_on) {
        gate.fail_on = threshold;
    }
    gate.denied = match &args.deny_notices {
        None => Denied::None,
        Some(codes) if codes.is_empty() => Denied::All,
        Some(codes) => Denied::Codes(codes.clone()),
    };
    gate
}

fn scope(args: &Args, input: &Input) -> Scope {
    let statuses = if args.status.is_empty() { &input.config.status } else { &args.status };
    Scope {
        as_of: args.as_of.or(input.config.as_of),
        statuses: (!statuses.is_empty()).then(|| statuses.clone()),
    }
}

fn write(args: &Args, input: &Input, audit: &Audit, gate: &Gate) -> anyhow::Result<()> {
    let limit = (args.limit > 0).then_some(args.limit);
    let on_paper = Look { color: args.color == Color::Always, width: 80, limit, quiet: args.quiet };
    let reports = if args.reports.is_empty() { &input.config.reports } else { &args.reports };
    let report = Report {
        gate: gate.clone(),
        look: on_paper,
        places: Places::new(&input.sources),
        world: Some(&input.world),
        ..Report::new(audit)
    };
    for (format, file) in reports {
        output::write_file(file, &report.render(*format)?)?;
    }
    match &args.output {
        Some(file) => output::write_file(file, &report.render(args.format)?),
        None => {
            let look = Look { color: args.color.on(&io::stdout()), width: output::width(), ..on_paper };
            output::print(&report.look(look).render(args.format)?)
        }
    }
}

/// What was looked for, where, and what there was.
fn nothing_to_judge(input: &Input, scope: &Scope) -> String {
    let model = &input.world.model;
    let places: Vec<String> =
        input.paths.iter().map(|p| format!("`{}`", visible(&p.display().to_string()))).collect();
    let mut text = format!(
        "error: there is nothing to judge: no flow that counts\n  \
         looked in: {} (every *.yaml and *.yml below it, hidden folders left out)\n  \
         found: {} files, {} parties, {} systems, {} agreements, {} flows",
        places.join(", "),
        input.world.files,
        model.parties.len(),
        model.systems.len(),
        model.agreements.len(),
        model.flows.len(),
    );
    let mut left_out = Vec::new();
    left_out.extend(scope.statuses.as_ref().map(|list| {
        let words: Vec<String> = list.iter().map(ToString::to_string).collect();
        format!("agreements that are not {}", words.join(" or "))
    }));
    left_out.extend(scope.as_of.map(|day| format!("flows that do not count on {day}")));
    left_out.extend(
        (!input.config.exclude.is_empty()).then(|| format!("files: {}", input.config.exclude.join(", "))),
    );
    if !left_out.is_empty() {
        text.push_str(&format!("\n  left out: {}", left_out.join("; ")));
    }
    text + "\n  help: name the folder that holds the inventory, or say --allow-empty if this is as it should be"
}
