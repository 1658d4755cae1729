//! `ringfence files`: what is read, what is left out, and why.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::glob::Glob;
use crate::base::source::Sources;
use crate::base::visible::{in_json, inert, visible};
use crate::declare::packs;
use crate::model::load::{is_mapping_text, is_policy_text, is_tests_text};
use crate::read::files::DISK;
use crate::read::input::Settings;
use crate::read::input::{self as reading, InputOptions, LeftOut};
use serde_json::json;

use super::input::{self, Found};
use super::session::Session;
use super::stop::{INVALID, Stop};
use super::terminal::Color;
use super::values::Form;

/// List which files are read, which are left out, and why
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files [default: the configuration's `inventory`, else the
    /// working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The output format
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Text)]
    format: Form,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence files
  ringfence files inventory --format json

Exit codes: 0 listed, 2 a file cannot be read, or there is no inventory file.";

/// A file and what it is read as, or why not.
struct Listed {
    name: String,
    read: bool,
    why: &'static str,
}

/// Lists the files.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let mut sources = Sources::new();
    let Found { config, file } = input::configuration(session, &args.paths, &mut sources)?;
    let paths = input::paths(&args.paths, &config, file.as_deref());
    let mut diagnostics = Vec::new();
    let options = InputOptions {
        exclude: config.exclude.iter().map(Glob::new).collect(),
        baselines: config.baseline.iter().cloned().collect(),
        limits: session.limits,
        settings: Settings::InForce(file),
        stdin_name: session.stdin_name.clone(),
    };
    let set = reading::read(DISK, &paths, &options, &mut sources, &mut diagnostics);
    if !diagnostics.is_empty() {
        return Err(session.invalid(&diagnostics, &sources));
    }
    let mut files: Vec<Listed> = set
        .files
        .iter()
        .map(|file| {
            let text = sources.get(file.file).and_then(|f| f.text()).unwrap_or_default();
            let (read, why) = match (file.is_config, is_policy_text(text, &session.limits)) {
                (true, _) => (false, "configuration"),
                (false, true) if is_tests_text(text, &session.limits) => {
                    (false, "tests of policies: run by `ringfence test`")
                }
                (false, true) => (false, "a policy: applies if `policies` or --policy names it"),
                (false, false) if is_mapping_text(text, &session.limits) => {
                    (false, "a mapping: run by `ringfence import`")
                }
                (false, false) => (true, "inventory"),
            };
            Listed { name: file.name.clone(), read, why }
        })
        .collect();
    files.extend(set.left_out.iter().map(|(name, why)| Listed {
        name: name.clone(),
        read: false,
        why: match why {
            LeftOut::HiddenFolder => "left out: a hidden folder",
            LeftOut::Excluded(_) => "left out: named by `exclude`",
            LeftOut::NotYaml => "left out: neither .yaml nor .yml",
            LeftOut::Baseline => "left out: the baseline",
        },
    }));
    files.sort_by(|a, b| (!a.read, &a.name).cmp(&(!b.read, &b.name)));
    let policies = input::policies(&[], &config);
    let text = match args.format {
        Form::Text => text(&files, &policies),
        Form::Json => {
            let list: Vec<_> =
                files.iter().map(|f| json!({"file": f.name, "inventory": f.read, "why": f.why})).collect();
            in_json(&format!("{}\n", json!({"files": list, "policies": policies})))
        }
    };
    session.output.print(&text)?;
    let any = files.iter().any(|f| f.read);
    Ok(if any { ExitCode::SUCCESS } else { ExitCode::from(INVALID) })
}

fn text(files: &[Listed], policies: &[String]) -> String {
    let read = files.iter().filter(|f| f.read).count();
    let mut text = format!("{read} of {} files belong to the inventory\n\n", files.len());
    let width = files.iter().map(|f| f.name.chars().count()).max().unwrap_or_default().min(60);
    for file in files {
        text += &format!("{:<width$}  {}\n", visible(&file.name), file.why);
    }
    text += "\nPolicies in force\n\n";
    for policy in policies {
        let kind = if packs::is_pack(policy) { "built in" } else { "file or folder" };
        text += &format!("{}  {kind}\n", visible(policy));
    }
    inert(&text).into_owned()
}
