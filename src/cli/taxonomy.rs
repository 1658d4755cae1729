//! `ringfence taxonomy`: the categories of data and the purposes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::base::lexicon::{Sort, Term};
use crate::base::places::Group;
use crate::base::taxonomy::{Match, Tree};
use crate::base::visible::{in_json, inert, visible};
use crate::declare::{lexicon, places};
use crate::report::page::columns;
use serde::Serialize;

use super::input;
use super::judging::today;
use super::session::Session;
use super::stop::Stop;
use super::terminal::Color;
use super::values::Form;

/// List data categories, purposes, groups of places and the vocabulary
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
struct All<'t> {
    data: Vec<Entry<'t>>,
    purposes: Vec<Entry<'t>>,
    places: Vec<Places<'t>>,
    vocabulary: BTreeMap<&'static str, Vec<Word<'t>>>,
}

/// A word that declarations use for a fact.
#[derive(Serialize)]
struct Word<'t> {
    word: &'t str,
    meaning: &'t str,
    laws: &'t [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    on: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifetime: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    values: &'t [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    was: &'t [String],
}

/// A group of places.
#[derive(Serialize)]
struct Places<'t> {
    key: &'t str,
    title: &'t str,
    as_of: &'t str,
    about: Option<&'t str>,
    places: Vec<Member<'t>>,
}

#[derive(Serialize)]
struct Member<'t> {
    code: &'t str,
    name: Option<&'static str>,
    because: Option<&'t str>,
}

#[derive(Serialize)]
struct Entry<'t> {
    key: &'t str,
    title: Option<&'t str>,
    leaf: bool,
    identifying: bool,
    aka: BTreeMap<&'t str, Vec<Equal<'t>>>,
}

/// A term of another vocabulary.
#[derive(Serialize)]
struct Equal<'t> {
    key: &'t str,
    #[serde(rename = "match")]
    nearness: Match,
}

/// Lists the taxonomies.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let world = match args.paths.as_slice() {
        [] => input::builtin_world(session)?,
        paths => input::read(session, paths, &[], None, today())?.world,
    };
    let groups = places::groups();
    let lexicon = lexicon::lexicon();
    let words = |sort| lexicon.of(sort).map(word).collect();
    let all = All {
        data: entries(&world.model.data),
        purposes: entries(&world.model.purposes),
        places: groups.0.iter().map(group).collect(),
        vocabulary: Sort::ALL.into_iter().map(|(sort, key)| (key, words(sort))).collect(),
    };
    let text = match args.format {
        Form::Json => in_json(&serde_json::to_string_pretty(&all)?) + "\n",
        Form::Text => {
            let titled = |entry: &Entry| match (entry.title.unwrap_or_default(), entry.identifying) {
                (title, false) => title.to_owned(),
                (title, true) => format!("{title} (identifying)").trim_start().to_owned(),
            };
            let data: Vec<(&str, String)> = all.data.iter().map(|entry| (entry.key, titled(entry))).collect();
            let mut text = format!(
                "DATA\n{}\nPURPOSES\n{}\nGROUPS OF PLACES\n{}",
                listed(data.iter().map(|(key, title)| (*key, title.as_str()))),
                listed(all.purposes.iter().map(|e| (e.key, e.title.unwrap_or_default()))),
                listed(all.places.iter().map(|g| (g.key, g.title))),
            );
            for (sort, key) in Sort::ALL {
                let heading = key.replace('_', " ").to_uppercase();
                let words = lexicon.of(sort).map(|term| (term.word.as_str(), term.meaning.as_str()));
                text += &format!("\n{heading}\n{}", listed(words));
            }
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
            let mut aka: BTreeMap<&str, Vec<Equal>> = BTreeMap::new();
            for (vocabulary, terms) in &entry.declared.aka {
                let terms = terms.iter().map(|one| Equal { key: &one.term, nearness: one.nearness });
                aka.entry(vocabulary).or_default().extend(terms);
            }
            Entry {
                key: tree.name(key),
                title: entry.declared.title.as_deref(),
                leaf: tree.is_leaf(key),
                identifying: entry.declared.identifying,
                aka,
            }
        })
        .collect();
    all.sort_by_key(|entry| entry.key);
    all
}

fn word(term: &Term) -> Word<'_> {
    Word {
        word: &term.word,
        meaning: &term.meaning,
        laws: &term.laws,
        on: &term.on,
        lifetime: term.lifetime.map(|age| age.to_string()),
        values: &term.values,
        was: &term.was,
    }
}

fn group(group: &Group) -> Places<'_> {
    Places {
        key: &group.name,
        title: &group.title,
        as_of: &group.as_of,
        about: Some(group.about.trim()).filter(|about| !about.is_empty()),
        places: group
            .places
            .iter()
            .map(|(code, because)| Member {
                code,
                name: crate::base::places::name(code),
                because: Some(because.as_str()).filter(|because| !because.is_empty()),
            })
            .collect(),
    }
}

fn listed<'t>(entries: impl Iterator<Item = (&'t str, &'t str)> + Clone) -> String {
    let widest = entries.clone().map(|(key, _)| columns(key)).max().unwrap_or(0);
    let line = |(key, title): (&str, &str)| {
        let gap = " ".repeat(widest - columns(key) + 2);
        format!("  {key}{gap}{}", visible(title)).trim_end().to_owned() + "\n"
    };
    entries.map(line).collect()
}
