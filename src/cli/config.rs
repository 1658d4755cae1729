//! `ringfence config`: what is in force, and where each value comes from.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::duration::Duration;
use crate::base::source::Sources;
use crate::base::visible::{in_json, inert, visible};
use crate::base::vocabulary::Word;
use crate::declare::config::{self, Setting};
use serde_json::json;

use super::input;
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::Color;
use super::values::Form;

/// Print the settings in force and where each comes from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory whose settings are printed [default: the working folder]
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
  ringfence config
  ringfence config inventory --format json

Command-line arguments override the configuration, which overrides the defaults.

Exit codes: 0 printed, 2 the configuration is invalid.";

/// What each setting is.
const MEANINGS: [(Setting, &str); 10] = [
    (Setting::Inventory, "the folders and files to read"),
    (Setting::Exclude, "the files to leave out"),
    (Setting::Policies, "the policies to check against, besides the inventory's own terms and promises"),
    (Setting::FailOn, "the lowest severity at which new findings fail"),
    (Setting::Baseline, "the file with the findings that do not fail"),
    (Setting::AsOf, "the date on which flows must be in effect"),
    (Setting::Status, "the statuses of the agreements to include"),
    (Setting::Reports, "the additional reports to write"),
    (Setting::WaiverMax, "how long a waiver may run from the day it was approved"),
    (Setting::Imports, "the mappings that `ringfence import` runs"),
];

/// Prints the settings.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    if let Some(missing) = args.paths.iter().find(|path| path.as_os_str() != "-" && !path.exists()) {
        stop!("there is no `{}`", visible(&missing.display().to_string()));
    }
    let mut sources = Sources::new();
    let found = input::configuration(session, &args.paths, &mut sources)?;
    let folder = found.file.as_deref().and_then(std::path::Path::parent).unwrap_or(std::path::Path::new(""));
    let entries = found.config.entries(folder);
    let file = found.file.as_ref().map(|file| visible(&file.display().to_string()));
    let text = match args.format {
        Form::Text => text(&entries, file.as_deref()),
        Form::Json => {
            let setting = |(key, values): &(Setting, Vec<String>)| {
                let from = if values.is_empty() { "default" } else { file.as_deref().unwrap_or_default() };
                let value = match (*key, values.as_slice()) {
                    (Setting::FailOn, []) => json!("high"),
                    (Setting::Policies, []) => json!(["core"]),
                    (Setting::WaiverMax, []) => json!(Duration::LONGEST_WAIVER.to_string()),
                    (Setting::FailOn | Setting::Baseline | Setting::AsOf | Setting::WaiverMax, values) => {
                        json!(values.first())
                    }
                    (_, values) => json!(values),
                };
                json!({"key": key, "value": value, "from": from})
            };
            let settings: Vec<_> = entries.iter().map(setting).collect();
            in_json(&format!("{}\n", json!({"file": file, "settings": settings})))
        }
    };
    session.output.print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(entries: &[(Setting, Vec<String>)], file: Option<&str>) -> String {
    let mut text = match file {
        Some(file) => format!("Settings from {file}\n\n"),
        None => format!("No {} here or in a folder above: the defaults apply\n\n", config::FILE),
    };
    for (key, value) in entries {
        let what = MEANINGS.iter().find(|(name, _)| name == key).map_or("", |(_, what)| what);
        let (value, from) = match value.is_empty() {
            true => (key.unset().to_owned(), "default"),
            false => (visible(&value.join(", ")), "set"),
        };
        text += &format!("{:<10} {value}\n{:<10}   {from}; {what}\n", key.word(), "");
    }
    inert(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_meaning() {
        let entries = config::Config::default().entries(std::path::Path::new(""));
        let keys: Vec<_> = entries.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, MEANINGS.map(|(key, _)| key));
    }
}
