//! `ringfence import`: declarations of others, taken over as an inventory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::base::diagnostic::Diagnostic;
use crate::base::source::Sources;
use crate::base::visible::{inert, visible};
use crate::exchange::aka::Vague;
use crate::exchange::header::{Digested, is_made, with_header};
use crate::exchange::loss::Form;
use crate::exchange::mapping::{self, Mapping};
use crate::exchange::{self, Asked, Format, Imported, table};
use crate::read::files::DISK;

use super::input;
use super::judging::today;
use super::limits;
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::Color;
use super::values;

/// Make an inventory of spreadsheets or manifests, and report what was lost
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to import: `table` (CSV, TSV, XLSX, ODS) or `fides` [default: all of `imports` in
    /// ringfence.yaml]
    #[arg(value_name = "FORMAT", value_parser = values::word::<Format>(), hide_possible_values = true)]
    format: Option<Format>,
    /// The sources: files and folders [default: the mapping's `sources`]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What terms of the sources stand for [default: the file of --write-map, if it is there]
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Write the inventory to FILE, with policies beside it [default: the mapping's `output`, else
    /// standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write every term that the mapping lacks to FILE, or add it there
    #[arg(long, value_name = "FILE")]
    write_map: Option<PathBuf>,
    /// Also write the loss report in FORMAT (text, json, markdown or csv) to FILE
    #[arg(long = "loss", value_name = "FORMAT=FILE", value_parser = values::written::<Form>)]
    losses: Vec<(Form, PathBuf)>,
    /// Write nothing; fail if a run would change a file
    #[arg(long)]
    check: bool,
    /// Write no header: the result is not imported again
    #[arg(long, conflicts_with = "check")]
    once: bool,
    /// How much a vague term stands for: what means the same, or all that it may mean
    #[arg(long, value_name = "HOW", value_enum)]
    vague: Option<Vague>,
    /// The layout of a table [default: recognised by its headings]
    #[arg(long, value_name = "LAYOUT", value_parser = layout())]
    layout: Option<String>,
    /// The sheet of a workbook [default: all with headings that are known]
    #[arg(long, value_name = "SHEET")]
    sheet: Option<String>,
    /// The organisation whose sources these are [default: the mapping's `self`, else what the
    /// sources say]
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// Print at most N entries of the loss report as text; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Refuse tables of more than N rows in all
    #[arg(long, value_name = "N", default_value_t = table::Options::default().max_rows, help_heading = "Limits", hide_short_help = true)]
    max_rows: usize,
    /// Refuse tables of more than N cells in all
    #[arg(long, value_name = "N", default_value_t = table::Options::default().max_cells, help_heading = "Limits", hide_short_help = true)]
    max_cells: usize,
    /// Refuse workbooks that hold more than SIZE once they are unpacked [default: 1G]
    #[arg(long, value_name = "SIZE", help_heading = "Limits", hide_short_help = true, value_parser = limits::size)]
    max_unpacked: Option<u64>,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence import table ropa.xlsx --write-map ropa.import.yaml --output declared/ropa.yaml
  ringfence import fides .fides --output declared/fides.yaml
  ringfence import --check             Fail if what is imported is not what is written

Exit codes: 0 made, and nothing that concerns a path is open; 1 made, but entries are open, or with
--check a file would change; 2 nothing was made.";

fn layout() -> impl clap::builder::TypedValueParser<Value = String> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(table::layout_names()).map(|name| name)
}

/// One import.
struct Job {
    format: Format,
    paths: Vec<PathBuf>,
    mapping: Mapping,
    output: Option<PathBuf>,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let mut sources = Sources::new();
    let jobs = match args.format {
        Some(format) => vec![named(args, session, format, &mut sources)?],
        None => configured(args, session, &mut sources)?,
    };
    let mut open = false;
    for job in &jobs {
        open |= one(args, session, job, &mut sources)?;
    }
    Ok(ExitCode::from(u8::from(open)))
}

/// The import that the call names.
fn named(args: &Args, session: &Session, format: Format, sources: &mut Sources) -> Result<Job, Stop> {
    let there = args.write_map.as_ref().filter(|path| path.exists());
    let mapping = match args.map.as_ref().or(there) {
        Some(path) => read_mapping(session, path, sources)?,
        None => Mapping::default(),
    };
    if let Some(other) = mapping.format.filter(|other| *other != format) {
        stop!("the mapping is for `{other}`, and the call says `{format}`");
    }
    let paths = if args.paths.is_empty() { mapping.sources.clone() } else { args.paths.clone() };
    if paths.is_empty() {
        stop!("nothing to import: name the sources, or `sources:` in the mapping");
    }
    let output = args.output.clone().or_else(|| mapping.output.clone());
    Ok(Job { format, paths, mapping, output })
}

/// All imports of the settings.
fn configured(args: &Args, session: &Session, sources: &mut Sources) -> Result<Vec<Job>, Stop> {
    if args.map.is_some() || args.output.is_some() || args.write_map.is_some() || args.layout.is_some() {
        stop!(
            "say what to import: `ringfence import FORMAT PATH…`; without a format, all `imports` of ringfence.yaml are run"
        );
    }
    let found = input::configuration(session, &[], sources)?;
    if found.config.imports.is_empty() {
        stop!(
            "there is nothing to import: no `imports` in ringfence.yaml here or above\n  help: \
             `ringfence import table FILE --write-map ropa.import.yaml --output declared/ropa.yaml` makes a mapping; \
             name it under `imports`"
        );
    }
    let mut jobs = Vec::new();
    for path in &found.config.imports {
        let mapping = read_mapping(session, path, sources)?;
        let shown = visible(&path.display().to_string());
        let Some(format) = mapping.format else {
            stop!("`{shown}` does not say what it imports: add `import: table`")
        };
        if mapping.sources.is_empty() {
            stop!("`{shown}` names no `sources`");
        }
        let Some(output) = mapping.output.clone() else {
            stop!("`{shown}` does not say where the result goes: add `output: …`")
        };
        jobs.push(Job { format, paths: mapping.sources.clone(), output: Some(output), mapping });
    }
    Ok(jobs)
}

fn read_mapping(session: &Session, path: &Path, sources: &mut Sources) -> Result<Mapping, Stop> {
    let shown = || format!("cannot read the mapping `{}`", visible(&path.display().to_string()));
    let text = fs::read_to_string(path).with_context(shown)?;
    let trees = exchange::trees().map_err(|mistakes| session.mistaken(&mistakes, sources, NOTHING))?;
    let read = mapping::read(path, text, &session.limits, (&trees.0, &trees.1), sources);
    read.map_err(|mistakes| session.mistaken(&mistakes, sources, NOTHING))
}

const NOTHING: &str = "nothing was written";

/// Runs one import; whether something is open.
fn one(args: &Args, session: &Session, job: &Job, sources: &mut Sources) -> Result<bool, Stop> {
    let usual = table::Options::default();
    let mut mapping_own;
    let mapping = match &args.org {
        Some(name) if job.mapping.own.is_none() => {
            mapping_own = read_again(&job.mapping, session, sources)?;
            mapping_own.own = Some(exchange::organisation(name));
            &mapping_own
        }
        _ => &job.mapping,
    };
    let asked = Asked {
        format: job.format,
        paths: &job.paths,
        files: DISK,
        mapping,
        vague: args.vague.or(mapping.vague).unwrap_or_default(),
        table: table::Options {
            layout: args.layout.clone(),
            sheet: args.sheet.clone(),
            max_rows: args.max_rows,
            max_cells: args.max_cells,
            max_unpacked: args.max_unpacked.unwrap_or(usual.max_unpacked),
        },
        limits: session.limits,
        without: None,
    };
    let mut imported = exchange::import(&asked, sources)
        .map_err(|mistakes: Vec<Diagnostic>| session.mistaken(&mistakes, sources, NOTHING))?;
    exchange::rank(&asked, &mut imported, today());
    if let Some(path) = &args.write_map {
        write_map(args, session, job, &asked, &imported, path)?;
    }
    let changes = write(args, session, job, &imported)?;
    for (form, file) in &args.losses {
        let text = imported.loss.render(*form, usize::MAX)?;
        session.output.write_file(file, &text)?;
    }
    report(args, session, job, &imported, &changes)?;
    Ok(if args.check { !changes.is_empty() } else { imported.loss.open > 0 })
}

/// The same mapping once more, to be changed.
fn read_again(mapping: &Mapping, session: &Session, sources: &mut Sources) -> Result<Mapping, Stop> {
    match &mapping.path {
        Some(path) => read_mapping(session, path, sources),
        None => Ok(Mapping::default()),
    }
}

/// Writes what was made; the files that were, or would be, changed.
fn write(args: &Args, session: &Session, job: &Job, imported: &Imported) -> Result<Vec<PathBuf>, Stop> {
    let Some(output) = job.output.as_ref().filter(|output| output.as_os_str() != "-") else {
        if !args.check {
            let mut text = imported.inventory.clone();
            imported.policies.iter().for_each(|(_, policy)| text += &format!("---\n{policy}"));
            session.output.print(&text)?;
        }
        return Ok(Vec::new());
    };
    let folder = output.parent().unwrap_or(Path::new(""));
    let mapped = job.mapping.path.as_ref().zip(job.mapping.digest.as_ref());
    // The mapping as it is once --write-map has written it.
    let mapping = mapped.map(|(path, digest)| {
        let now = fs::read(path).map(|bytes| blake3::hash(&bytes).to_hex().to_string());
        Digested { path: path.clone(), blake3: now.unwrap_or_else(|_| digest.clone()) }
    });
    let stem = output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut files = vec![(output.clone(), &imported.inventory)];
    for (id, policy) in &imported.policies {
        files.push((output.with_file_name(format!("{stem}.{id}.policy.yaml")), policy));
    }
    let mut changed = Vec::new();
    let mut texts = Vec::new();
    for (path, text) in files {
        let whole = match args.once {
            true => text.clone(),
            false => with_header(&job.format.to_string(), &imported.sources, mapping.as_ref(), folder, text),
        };
        let old = fs::read_to_string(&path).ok();
        if old.as_deref() == Some(whole.as_str()) {
            continue;
        }
        if let Some(old) = &old
            && !is_made(old)
        {
            stop!(
                "`{}` was not made by an import and is not overwritten; name another file",
                visible(&path.display().to_string())
            );
        }
        changed.push(path.clone());
        texts.push((path, whole));
    }
    if !args.check {
        for (path, text) in texts {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make `{}`", visible(&folder.display().to_string())))?;
            }
            session.output.replace(&path, &text)?;
        }
    }
    Ok(changed)
}

fn write_map(
    args: &Args,
    session: &Session,
    job: &Job,
    asked: &Asked,
    imported: &Imported,
    path: &Path,
) -> Result<(), Stop> {
    let text = match fs::read_to_string(path) {
        Ok(old) => exchange::extended(&old, &imported.sketch),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            exchange::whole(asked, job.output.as_deref(), args.layout.as_deref(), path, &imported.sketch)
        }
        Err(error) => stop!("cannot read `{}`: {error}", visible(&path.display().to_string())),
    };
    if !args.check {
        session.output.replace(path, &text)?;
    }
    Ok(())
}

/// Prints the loss report, where the inventory does not go.
fn report(
    args: &Args,
    session: &Session,
    job: &Job,
    imported: &Imported,
    changes: &[PathBuf],
) -> Result<(), Stop> {
    if args.quiet {
        return Ok(());
    }
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let mut text = imported.loss.render(Form::Text, limit)?;
    let shown = |path: &PathBuf| visible(&path.display().to_string()).to_string();
    match (args.check, changes) {
        (true, []) => text = "What is imported is what is written.\n".to_owned(),
        (true, changed) => {
            text = changed
                .iter()
                .map(|path| format!("`{}` would change: run `ringfence import`\n", shown(path)))
                .collect();
        }
        (false, changed) => {
            changed.iter().for_each(|path| text += &format!("\nWrote {}", shown(path)));
            text += if changed.is_empty() { "" } else { "\n" };
        }
    }
    let to_file = job.output.as_ref().is_some_and(|output| output.as_os_str() != "-");
    let text = inert(&text);
    if to_file || args.check {
        session.output.print(&text)?
    } else {
        session.output.say(text.trim_end())
    }
    Ok(())
}
