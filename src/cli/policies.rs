//! `ringfence policies`: what comes with the program, and what it looks at.

use std::io;
use std::process::ExitCode;

use crate::base::source::Sources;
use crate::declare::packs;
use crate::model::load::{self, Request};
use crate::report::policies;

use super::session::Session;
use super::stop::Stop;
use super::terminal::{self, Color};
use super::values::Form;

/// List the built-in policies, or describe some
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Policies to describe: built-in packs, files or folders [default: list all packs]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The output format
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Text)]
    format: Form,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence policies
  ringfence policies core              Its rules, what they look at and cannot see
  ringfence policies policies/house.yaml
  ringfence policies --format json

Exit codes: 0 printed, 2 a policy does not exist or is invalid.";

/// Lists the policies.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let names = match args.names.as_slice() {
        [] => packs::names().map(str::to_owned).collect(),
        names => names.to_vec(),
    };
    let mut sources = Sources::new();
    let request = Request { policies: names, limits: session.limits, ..Request::default() };
    let world = load::load(&request, &mut sources).map_err(|wrong| session.invalid(&wrong, &sources))?;
    let (width, color) = (terminal::width(), session.color.on(&io::stdout()));
    session.output.print(&match (args.format, args.names.is_empty()) {
        (Form::Json, _) => policies::json(&world.policies)?,
        (Form::Text, true) => policies::list(&world.policies, width, color),
        (Form::Text, false) => policies::detail(&world.policies, width, color),
    })?;
    Ok(ExitCode::SUCCESS)
}
