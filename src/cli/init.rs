//! `ringfence init`: a small inventory to start from.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::base::visible::{inert, visible};
use anyhow::Context;

use super::session::Session;
use super::stop::{Stop, stop};

/// Write a small inventory, a policy and a configuration to start from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder to write to; it must be empty or new
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  ringfence init my-inventory
  ringfence audit my-inventory";

const FILES: [(&str, &str); 5] = [
    ("ringfence.yaml", include_str!("templates/ringfence.yaml")),
    ("declared/parties.yaml", include_str!("templates/declared/parties.yaml")),
    ("declared/agreements.yaml", include_str!("templates/declared/agreements.yaml")),
    ("declared/statements.yaml", include_str!("templates/declared/statements.yaml")),
    ("policies/house.yaml", include_str!("templates/policies/house.yaml")),
];

/// Writes the files; nothing that is there is overwritten.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let dir = &args.dir;
    if let Some(found) = first_entry(dir)? {
        stop!(
            "`{}` is not empty (it holds `{}`); name an empty or new folder. Nothing was written",
            shown(dir),
            visible(&found)
        );
    }
    for (name, text) in FILES {
        let path = dir.join(name);
        let folder = path.parent().unwrap_or(dir);
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", shown(folder)))?;
        session.output.replace(&path, text)?;
    }
    let mut text = format!("Wrote into {}:\n", shown(dir));
    FILES.iter().for_each(|(name, _)| text.push_str(&format!("  {name}\n")));
    text.push_str(&format!("Next: ringfence audit {}\n", shown(dir)));
    session.output.print(&inert(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// A path that acts on nothing.
fn shown(path: &Path) -> String {
    visible(&path.display().to_string())
}

/// Something that the folder holds; hidden entries, a repository's say, don't matter.
fn first_entry(dir: &Path) -> anyhow::Result<Option<String>> {
    let context = || format!("cannot read `{}`", shown(dir));
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(context)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.with_context(context)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    Ok(names.into_iter().min())
}
