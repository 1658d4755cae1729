//! `ringfence taxonomy`: the categories of data and the purposes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::taxonomy::Tree;
use crate::base::visible::{in_json, inert, visible};
use crate::report::page::columns;
use serde::Serialize;

use super::input;
use super::session::Session;
use super::stop::Stop;
use super::terminal::Color;
use super::values::Form;

/// List the data categories and purposes, with their names in other vocabularies
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// An inventory whose own keys are listed, too: folders and files
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
  ringfence taxonomy
  ringfence taxonomy --format json
  ringfence taxonomy inventory         With the inventory's own keys";

#[derive(Serialize)]
struct Both<'t> {
    data: Vec<Entry<'t>>,
    purposes: Vec<Entry<'t>>,
}

#[derive(Serialize)]
struct Entry<'t> {
    key: &'t str,
    title: Option<&'t str>,
    leaf: bool,
    aka: BTreeMap<&'t str, Vec<&'t str>>,
}

/// Lists the taxonomies.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let world = match args.paths.as_slice() {
        [] => input::builtin_world(session)?,
        paths => input::read(session, paths, &[], None)?.world,
    };
    let both = Both { data: entries(&world.model.data), purposes: entries(&world.model.purposes) };
    let text = match args.format {
        Form::Json => in_json(&serde_json::to_string_pretty(&both)?) + "\n",
        Form::Text => {
            let text = format!("DATA\n{}\nPURPOSES\n{}", listed(&both.data), listed(&both.purposes));
            inert(&text).into_owned()
        }
    };
    session.output.print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// All keys of a tree, sorted.
fn entries(tree: &Tree) -> Vec<Entry<'_>> {
    let mut all: Vec<Entry> = tree
        .entries()
        .map(|(key, entry)| {
            let mut aka: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (vocabulary, terms) in &entry.declared.aka {
                aka.entry(vocabulary).or_default().extend(terms.iter().map(String::as_str));
            }
            Entry {
                key: tree.name(key),
                title: entry.declared.title.as_deref(),
                leaf: tree.is_leaf(key),
                aka,
            }
        })
        .collect();
    all.sort_by_key(|entry| entry.key);
    all
}

fn listed(entries: &[Entry]) -> String {
    let widest = entries.iter().map(|e| columns(e.key)).max().unwrap_or(0);
    let line = |e: &Entry| {
        let gap = " ".repeat(widest - columns(e.key) + 2);
        format!("  {}{gap}{}", e.key, visible(e.title.unwrap_or_default())).trim_end().to_owned() + "\n"
    };
    entries.iter().map(line).collect()
}
