//! `ringfence upgrade`: what an inventory of an earlier version needs to be read by this one.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use jiff::civil::Date;
use rustc_hash::FxHashSet;

use crate::base::diagnostic::Diagnostic;
use crate::base::source::{FileId, Sources};
use crate::base::visible::{inert, visible};
use crate::declare::baseline::Baseline;
use crate::declare::packs;
use crate::declare::upgrade::{Rewrite, Rewriter, rewritten};
use crate::model::load::{self, World};
use crate::read::files::{Changed, DISK, Files};
use crate::read::input as reading;
use crate::read::yaml;
use crate::report::count;

use super::input::{self, Input};
use super::judging::today;
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::Color;
use super::values;

/// Rewrite what earlier versions read otherwise, and list what needs a person
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files [default: the configuration's `inventory`, else the
    /// working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy to upgrade, too: a file or a folder [default: the configuration's `policies`]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// Write the files; without it, print what would be rewritten
    #[arg(long)]
    write: bool,
    /// Check waivers as of this date [default: today in UTC]
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    day: Option<Date>,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence upgrade                    Print what would be rewritten, and what needs a person
  ringfence upgrade inventory --write  Rewrite it

Comments, order and everything else in the files stay as they are. UPGRADING.md lists what has changed.

Exit codes: 0 nothing to do, or all of it was written; 1 something would be rewritten or needs a person;
2 a file cannot be read or is no YAML, and nothing was written.";

/// A file and what is to be written in it.
struct Upgraded {
    path: PathBuf,
    name: String,
    file: FileId,
    rewrites: Vec<Rewrite>,
    text: String,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        stop!("files are rewritten: name the inventory's folder or file, not `-`");
    }
    let day = args.day.unwrap_or_else(today);
    let mut sources = Sources::new();
    let input = input::unread(session, &args.paths, &args.policies, day, &mut sources)?;
    let files = files(session, &input, &mut sources)?;
    let read = files.len();
    let upgraded = upgraded(session, files, &mut sources)?;
    let (people, derived) = people(session, &input, &upgraded)?;
    if args.write {
        for file in &upgraded {
            session.output.replace(&file.path, &file.text)?;
        }
    }
    if !session.quiet {
        session.output.print(&inert(&said(args.write, read, &upgraded, &people, &sources)))?;
        if !derived.is_empty() {
            session.output.print(&inert(&identifying(&derived)))?;
        }
    }
    let open = !people.is_empty() || (!args.write && !upgraded.is_empty());
    Ok(ExitCode::from(u8::from(open)))
}

/// The files of the inventory and the policies, each once.
fn files(session: &Session, input: &Input, sources: &mut Sources) -> Result<Vec<(FileId, String)>, Stop> {
    let request = input.request(session, DISK);
    let options = request.input_options();
    let mut diagnostics = Vec::new();
    let mut set = reading::read(DISK, &request.paths, &options, sources, &mut diagnostics);
    let any = reading::InputOptions { settings: reading::Settings::Any, ..options };
    for name in request.policies.iter().filter(|name| !packs::is_pack(name)) {
        let paths = [PathBuf::from(packs::path_and_digest(name).0)];
        set.files.extend(reading::read(DISK, &paths, &any, sources, &mut diagnostics).files);
    }
    // Where settings lie is for reading it all to judge.
    diagnostics.retain(|mistake| mistake.code == "unreadable-file" || mistake.code == "too-large");
    if !diagnostics.is_empty() {
        return Err(session.invalid(&diagnostics, sources));
    }
    let place = |file: FileId| sources.get(file).and_then(|file| file.path()).map(Path::to_owned);
    let mut seen = FxHashSet::default();
    let mut files = Vec::new();
    for file in set.files.into_iter().filter(|file| !file.is_config) {
        if seen.insert(place(file.file).and_then(|path| DISK.canonical(&path).ok())) {
            files.push((file.file, file.name));
        }
    }
    Ok(files)
}

/// The files in which something is to be written.
fn upgraded(
    session: &Session,
    files: Vec<(FileId, String)>,
    sources: &mut Sources,
) -> Result<Vec<Upgraded>, Stop> {
    let mut rewriter = Rewriter::new();
    let mut mistakes = Vec::new();
    let mut all = Vec::new();
    for (file, name) in files {
        let Some(source) = sources.get(file) else { continue };
        let (Some(old), Some(path)) = (source.text(), source.path()) else { continue };
        let before = yaml::parse(file, old, &session.limits, &mut mistakes);
        let rewrites = rewriter.rewrites(old, &before);
        if rewrites.is_empty() {
            continue;
        }
        let text = rewritten(old, &rewrites);
        let after = yaml::parse(file, &text, &session.limits, &mut Vec::new());
        // What would change something else is listed with what needs a person.
        if rewriter.is_same(&before, &after) {
            all.push(Upgraded { path: path.to_owned(), name, file, rewrites, text: text.clone() });
        }
    }
    if mistakes.is_empty() { Ok(all) } else { Err(session.invalid(&mistakes, sources)) }
}

/// What is left for a person once the files are written, a line each; and the derivations that are read as
/// singling people out since they do not say.
fn people(
    session: &Session,
    input: &Input,
    upgraded: &[Upgraded],
) -> Result<(Vec<String>, Vec<String>), Stop> {
    let mut changed = Changed::default();
    for file in upgraded {
        let shown = || format!("cannot write `{}`", visible(&file.path.display().to_string()));
        changed = changed.and(&file.path, file.text.clone()).with_context(shown)?;
    }
    let mut sources = Sources::new();
    let files = Files::Changed(Box::new(changed));
    let (mut people, derived): (Vec<String>, Vec<String>) =
        match load::load(&input.request(session, &files), &mut sources) {
            Ok(world) => (Vec::new(), unstated(&world, &sources)),
            Err(mistakes) => (mistakes.iter().map(|mistake| line(mistake, &sources)).collect(), Vec::new()),
        };
    people.extend(baseline(session, input));
    Ok((people, derived))
}

/// The derivations that yield identifying categories and do not say whether they re-identify.
fn unstated(world: &World, sources: &Sources) -> Vec<String> {
    let mut all = Vec::new();
    for system in world.model.systems.values() {
        let derives = system.reidentifying().iter().filter_map(|&at| system.declared.derives.get(at));
        for derive in derives.filter(|derive| derive.reidentifies.is_none()) {
            let into: Vec<&str> = derive.into.iter().map(|key| world.model.data.name(key.value)).collect();
            let at = sources.location(derive.span);
            all.push(format!("{}:{}: {} derives {}", at.file, at.line, system.name, into.join(", ")));
        }
    }
    all
}

/// What there is to say of derivations that now re-identify.
fn identifying(derived: &[String]) -> String {
    let mut text = format!(
        "{} identifying data and {} now judged as if nothing had been transformed before (`reidentifies: true`); \
         where they do not single people out, state `reidentifies: false`:\n",
        count(derived.len(), "derivation") + if derived.len() == 1 { " yields" } else { " yield" },
        if derived.len() == 1 { "is" } else { "are" },
    );
    derived.iter().for_each(|one| {
        let _ = writeln!(text, "  {}", visible(one));
    });
    text
}

/// What there is to do about the baseline, if there is one.
fn baseline(session: &Session, input: &Input) -> Vec<String> {
    let Some(path) = &input.config.baseline else { return Vec::new() };
    let bytes = DISK.read(path, session.limits.file_size).unwrap_or_default();
    let Ok(text) = String::from_utf8(bytes) else { return Vec::new() };
    let shown = visible(&path.display().to_string());
    let mut sources = Sources::new();
    match Baseline::read(path.clone(), text, &session.limits, &mut sources) {
        Err(mistakes) => mistakes.iter().map(|mistake| line(mistake, &sources)).collect(),
        Ok(baseline) if baseline.entries().any(|entry| entry.severity.is_none()) => vec![format!(
            "{shown}: the baseline does not say how grave its findings were, what they arrived as or whose data \
             they were about\n    look at what `ringfence audit` reports, then write it again with `ringfence \
             baseline write`"
        )],
        Ok(_) => Vec::new(),
    }
}

fn line(mistake: &Diagnostic, sources: &Sources) -> String {
    let place = mistake.primary.as_ref().map(|label| sources.location(label.span));
    let place = place.map_or(String::new(), |at| format!("{}:{}:{}: ", at.file, at.line, at.column));
    let mut text = format!("{place}{}", mistake.message);
    if let Some(help) = &mistake.help {
        let _ = write!(text, "\n    {help}");
    }
    text
}

fn said(written: bool, read: usize, upgraded: &[Upgraded], people: &[String], sources: &Sources) -> String {
    let files = count(read, "file");
    let mut text = String::new();
    if upgraded.is_empty() && people.is_empty() {
        return format!("Nothing to upgrade in {files}\n");
    }
    if !upgraded.is_empty() {
        let values: usize = upgraded.iter().map(|file| file.rewrites.len()).sum();
        let verb = if written { "Rewrote" } else { "Would rewrite" };
        let _ = writeln!(text, "{verb} {} in {}:", count(values, "value"), count(upgraded.len(), "file"));
        for Upgraded { name, file, rewrites, .. } in upgraded {
            for Rewrite { span, old, new } in rewrites {
                let line = sources.get(*file).map_or(0, |source| source.line_column(span.start).0);
                let code = new.trim_matches(['"', '\'']);
                let _ = writeln!(text, "  {}:{line}: {} → {code}", visible(name), visible(old));
            }
        }
    }
    if !people.is_empty() {
        let need = if people.len() == 1 { "needs" } else { "need" };
        let _ = writeln!(text, "{} {need} a person:", count(people.len(), "place"));
        people.iter().for_each(|one| {
            let _ = writeln!(text, "  {}", one.lines().map(visible).collect::<Vec<_>>().join("\n"));
        });
    }
    if !written && !upgraded.is_empty() {
        text += "`ringfence upgrade --write` writes it\n";
    }
    text
}
