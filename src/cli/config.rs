//! `ringfence config`: what is in force, and where each value comes from.

use std::path::PathBuf;
use std::process::ExitCode;

use ringfence::config::{self, Setting};
use ringfence::source::Sources;
use ringfence::visible::{in_json, inert, visible};
use ringfence::vocabulary::Word;
use serde_json::json;

use super::input;
use super::output::{self, Color};
use super::values::Form;

/// Prints the settings in force and where each comes from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory whose settings are meant [default: the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The form of the list
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Text)]
    format: Form,
    /// When to colour the errors
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence config
  ringfence config inventory --format json

Arguments of a call come before the configuration, and that before the defaults.

Exit codes: 0 fine, 2 the configuration is wrong.";

/// What each setting is.
const MEANINGS: [(Setting, &str); 8] = [
    (Setting::Inventory, "what is read"),
    (Setting::Exclude, "what is left out of it"),
    (Setting::Policies, "what it is held against, besides its own terms and promises"),
    (Setting::FailOn, "the severity from which on new findings fail"),
    (Setting::Baseline, "findings known before"),
    (Setting::AsOf, "the day whose flows count"),
    (Setting::Status, "the agreements that count"),
    (Setting::Reports, "files written besides"),
];

/// Prints the settings.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(missing) = args.paths.iter().find(|path| path.as_os_str() != "-" && !path.exists()) {
        anyhow::bail!("there is no `{}`", visible(&missing.display().to_string()));
    }
    let mut sources = Sources::new();
    let found = match input::configuration(&args.paths, &mut sources) {
        Ok(found) => found,
        Err(mistakes) => return Ok(input::show(&mistakes, &sources, args.color)),
    };
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
                    (Setting::FailOn | Setting::Baseline | Setting::AsOf, values) => json!(values.first()),
                    (_, values) => json!(values),
                };
                json!({"key": key, "value": value, "from": from})
            };
            let settings: Vec<_> = entries.iter().map(setting).collect();
            in_json(&format!("{}\n", json!({"file": file, "settings": settings})))
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(entries: &[(Setting, Vec<String>)], file: Option<&str>) -> String {
    let mut text = match file {
        Some(file) => format!("Settings from {file}\n\n"),
        None => format!("No {} here or above: the defaults hold\n\n", config::FILE),
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
