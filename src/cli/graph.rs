//! `ringfence graph`: the declared flows as a picture, for pages and tools.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::audit::describe_all;
use crate::base::diagnostic::nearest;
use crate::base::finding::Audit;
use crate::base::glob::Glob;
use crate::base::taxonomy::{Key, Tree};
use crate::base::visible::visible;
use crate::base::vocabulary::Severity;
use crate::model::{Model, Scope};
use crate::report::diagram::{self, Filter, Format, MOST_SYSTEMS, View};

use super::input;
use super::judging::{self, Scoping, fingerprint};
use super::session::Session;
use super::stop::Stop;
use super::terminal::Color;
use super::values;

/// Draw the declared flows between parties and systems, with findings highlighted
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The inventory: folders and files, or `-` for standard input [default: the configuration's
    /// `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The output format: an SVG image, or input for Graphviz, Mermaid, yEd, NetworkX and other
    /// programs
    #[arg(long, default_value = "svg", value_parser = values::word::<Format>())]
    format: Format,
    /// Write to FILE (atomically) instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw only flows that may carry one of these categories
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    data: Vec<String>,
    /// Draw only flows with one of these purposes, or one above or below it
    #[arg(long, value_name = "PURPOSE", value_delimiter = ',')]
    purpose: Vec<String>,
    /// Draw only flows from or to these parties
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    party: Vec<String>,
    /// Draw only flows under these agreements
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    agreement: Vec<String>,
    /// Draw only flows that are part of a new finding at or above this severity
    #[arg(long, value_name = "SEVERITY", value_parser = values::word::<Severity>())]
    severity: Option<Severity>,
    /// Draw only flows that are part of a new finding
    #[arg(long)]
    violations: bool,
    /// Draw only the flows of one finding, whether new or not
    #[arg(long, value_name = "FINGERPRINT")]
    finding: Option<String>,
    /// Draw parties only, with one line for all flows between two of them
    #[arg(long, conflicts_with = "systems")]
    overview: bool,
    /// Draw systems, even if there are more than 150
    #[arg(long)]
    systems: bool,
    #[command(flatten)]
    scoping: Scoping,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence graph samples/messenger-banking --output flows.svg
  ringfence graph --violations --severity critical inventory > grave.svg
  ringfence graph --data financial --party 'bank-*' inventory > bank.svg
  ringfence graph --format mermaid --overview inventory >> wiki.md
  ringfence graph --format dot inventory | dot -Tpdf -o flows.pdf

Without a filter, all flows in scope are drawn; a flow must match all filters given.
An inventory of more than 150 systems is drawn as its parties, unless --systems is
given.

Exit codes:
  0  drawn
  2  invalid input or arguments, or nothing matched; nothing was drawn";

/// Draws.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    let input = input::read(session, &args.paths, &args.scoping.policies, None, args.scoping.day())?;
    let options = args.scoping.options(session, &input.config);
    let judgement = judging::judge(session, &input.world, &input.sources, &options)?;
    let audit = describe_all(&input.world, &input.sources, &options, &judgement);
    let mut filter = filter(args, &input.world.model, &audit, &options.scope).map_err(Stop::error)?;
    if !filter.data.is_empty() {
        filter.carrying = judgement.carrying(&input.world.model, &filter.data);
    }
    let picture = diagram::picture(&input.world, &audit, &filter);
    if picture.edges.is_empty() && (!filter.is_all() || picture.is_empty()) {
        return Err(Stop::error(nothing_to_draw(args, &filter)));
    }
    if picture.view == View::Overview && !args.overview {
        let systems: usize = picture.parties.iter().map(|p| p.systems).sum();
        session.output.say(&format!(
            "note: {systems} systems are more than {MOST_SYSTEMS}, so the parties are drawn; \
             --systems draws all, a filter fewer"
        ));
    }
    session.output.say_left_out(&audit.judged);
    let text = diagram::render(&picture, args.format)?;
    if args.format == Format::Mermaid && (picture.edges.len() >= 500 || text.chars().count() > 50_000) {
        session.output.say(
            "note: Mermaid refuses 500 lines, or 50,000 characters, unless its settings allow more; \
             --overview or a filter draws fewer",
        );
    }
    match &args.output {
        Some(file) => session.output.write_file(file, &text)?,
        None => session.output.print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(args: &Args, model: &Model, audit: &Audit, scope: &Scope) -> Result<Filter, String> {
    let parties = || model.parties.values().map(|p| p.id());
    let agreements = || model.agreements.values().map(|a| a.id());
    Ok(Filter {
        scope: scope.clone(),
        flows: None,
        carrying: BTreeSet::new(),
        data: keys(&args.data, &model.data, "data category")?,
        purposes: keys(&args.purpose, &model.purposes, "purpose")?,
        parties: globs(&args.party, "party", parties)?,
        agreements: globs(&args.agreement, "agreement", agreements)?,
        severity: args.severity,
        violations: args.violations,
        finding: args
            .finding
            .as_ref()
            .map(|text| fingerprint(text, audit.findings.iter().map(|f| f.fingerprint.as_str())))
            .transpose()?,
        view: match (args.overview, args.systems) {
            (true, _) => Some(View::Overview),
            (_, true) => Some(View::Systems),
            _ => None,
        },
    })
}

fn unknown<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let help = nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("there is no {what} `{}`{help}", visible(word))
}

fn keys(words: &[String], tree: &Tree, what: &str) -> Result<Vec<Key>, String> {
    let find = |word: &String| tree.find(word).ok_or_else(|| unknown(what, word, tree.names()));
    words.iter().map(find).collect()
}

fn globs<'a, I>(words: &[String], what: &str, known: impl Fn() -> I) -> Result<Vec<Glob>, String>
where
    I: Iterator<Item = &'a str>,
{
    let glob = |word: &String| {
        let glob = Glob::new(word);
        let matches = known().any(|id| glob.matches(id));
        matches.then_some(glob).ok_or_else(|| unknown(what, word, known()))
    };
    words.iter().map(glob).collect()
}

/// The filters, none of which matched.
fn nothing_to_draw(args: &Args, filter: &Filter) -> String {
    let mut stated = Vec::new();
    let mut list = |flag: &str, words: &[String]| {
        if !words.is_empty() {
            stated.push(format!("--{flag} {}", visible(&words.join(","))));
        }
    };
    list("data", &args.data);
    list("purpose", &args.purpose);
    list("party", &args.party);
    list("agreement", &args.agreement);
    list("severity", &args.severity.iter().map(ToString::to_string).collect::<Vec<_>>());
    list("finding", &filter.finding.iter().cloned().collect::<Vec<_>>());
    list("status", &args.scoping.status.iter().map(ToString::to_string).collect::<Vec<_>>());
    if args.violations {
        stated.push("--violations".to_owned());
    }
    match stated.as_slice() {
        [] => "there is nothing to draw: no party and no flow in scope".to_owned(),
        all => format!("there is nothing to draw: no flow in scope matches {}", all.join(" ")),
    }
}
