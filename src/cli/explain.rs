//! `ringfence explain`: what a rule, a promise or a built-in check means.

use std::path::PathBuf;
use std::process::ExitCode;

use ringfence::checks::{ALL, Check};
use ringfence::diagnostic::nearest;
use ringfence::finding::NOTICES;
use ringfence::load::World;
use ringfence::report::page::{Page, Style};
use ringfence::visible::visible;
use ringfence::words::{Names, violated};

use super::input;
use super::output::{self, Color};

/// Says what a rule, a promise or a built-in check means; without one, lists all
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The full name of a rule (`core/no-collapse`), of a built-in check
    /// (`terms/onward`), or of a promise (`statement/…`, with the inventory's PATH)
    rule: Option<String>,
    /// Folders and files of an inventory whose promises can be explained
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy besides `core`: a file or a folder [default: the configuration's]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// When to colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence explain
  ringfence explain core/no-financial-advertising
  ringfence explain house/no-sale --policy house.yaml
  ringfence explain statement/not-to-third-parties samples/messenger-banking";

/// All that there is to say about one rule.
#[derive(Default)]
struct Entry {
    name: String,
    title: String,
    severity: String,
    standing: String,
    quote: Option<String>,
    violated: String,
    why: Option<String>,
    remedy: Option<String>,
    cite: Vec<String>,
}

/// Explains a rule, or lists all.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let world = match input::explainable(&args.paths, &args.policies, args.color) {
        Ok(world) => world,
        Err(code) => return Ok(code),
    };
    let entries = entries(&world);
    let color = args.color.on(&std::io::stdout());
    let mut page = Page::new(output::width(), color);
    let Some(wanted) = &args.rule else {
        list(&mut page, &entries);
        output::print(&page.finish())?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(entry) = entries.iter().find(|e| e.name == *wanted) else {
        output::say(&unknown(wanted, &entries));
        return Ok(ExitCode::from(input::WRONG));
    };
    describe(&mut page, entry);
    output::print(&page.finish())?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(wanted: &str, entries: &[Entry]) -> String {
    let help = match nearest(wanted, entries.iter().map(|e| e.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if wanted.starts_with("statement/") => {
            "name the inventory that holds the promise: ringfence explain statement/… PATH".to_owned()
        }
        None => "`ringfence explain` lists all; --policy adds those of a file".to_owned(),
    };
    visible(&format!("error: there is no rule `{wanted}`")) + "\n" + &visible(&format!("help: {help}"))
}

fn entries(world: &World) -> Vec<Entry> {
    let names = Names { data: &world.model.data, purposes: &world.model.purposes };
    let mut all: Vec<Entry> = ALL.iter().map(builtin).collect();
    for policy in &world.policies {
        let version = policy.version.as_ref().map_or(String::new(), |v| format!(" {v}"));
        let standing = policy.status.to_string().replace('_', " ");
        all.extend(policy.rules.iter().map(|rule| Entry {
            name: format!("{}/{}", policy.id.value, rule.id.value),
            title: rule.title.clone().unwrap_or_default(),
            severity: rule.severity.to_string(),
            standing: format!("policy {}{version} ({standing})", policy.id.value),
            quote: None,
            violated: violated(&rule.body, names),
            why: rule.why.clone(),
            remedy: rule.remedy.clone(),
            cite: rule.cite.clone(),
        }));
    }
    let notice = |(code, what): &(&str, &str)| Entry {
        name: (*code).to_owned(),
        title: (*what).to_owned(),
        severity: "no finding".to_owned(),
        standing: "notice; --deny-notices makes it fail".to_owned(),
        violated: format!("Shown when {what}."),
        ..Entry::default()
    };
    all.extend(world.model.statements.iter().map(|statement| {
        let said = &statement.said;
        let date = said.date.map(|d| d.to_string());
        let by = [said.who.as_ref(), Some(&statement.by.value), said.place.as_ref(), date.as_ref()];
        let by: Vec<&str> = by.into_iter().flatten().map(String::as_str).collect();
        Entry {
            name: format!("statement/{}", statement.id.value),
            title: statement.meta.title.as_ref().map(ToString::to_string).unwrap_or_default(),
            severity: statement.severity.to_string(),
            standing: "public promise".to_owned(),
            quote: Some(format!("“{}” ({})", said.quote, by.join(", "))),
            violated: violated(&statement.promise, names),
            ..Entry::default()
        }
    }));
    all.extend(NOTICES.iter().map(notice));
    all
}

fn builtin(check: &Check) -> Entry {
    Entry {
        name: check.id.to_owned(),
        title: check.title.to_owned(),
        severity: check.severity.to_string(),
        standing: "built-in check".to_owned(),
        violated: check.violated.to_owned(),
        why: Some(check.why.to_owned()),
        remedy: Some(check.remedy.to_owned()),
        ..Entry::default()
    }
}

fn list(page: &mut Page, entries: &[Entry]) {
    let mut standing = "";
    for entry in entries {
        if entry.standing != standing {
            standing = &entry.standing;
            page.gap();
            page.para(0, standing, Style::Bold);
        }
        page.para(2, &entry.name, Style::Plain);
        page.para(6, &format!("{}: {}", entry.severity, entry.title), Style::Dim);
    }
}

fn describe(page: &mut Page, entry: &Entry) {
    page.para(0, &entry.name, Style::Bold);
    if !entry.title.is_empty() {
        page.para(0, &entry.title, Style::Plain);
    }
    page.gap();
    page.item("severity  ", &entry.severity, Style::Plain);
    page.item("from      ", &entry.standing, Style::Plain);
    if let Some(quote) = &entry.quote {
        page.item("promise   ", quote, Style::Plain);
    }
    page.gap();
    page.item("violated  ", &entry.violated, Style::Plain);
    for (lead, text) in [("why       ", &entry.why), ("do        ", &entry.remedy)] {
        if let Some(text) = text {
            page.gap();
            page.item(lead, text, Style::Plain);
        }
    }
    if !entry.cite.is_empty() {
        page.gap();
        page.item("see       ", &entry.cite.join("; "), Style::Plain);
    }
}
