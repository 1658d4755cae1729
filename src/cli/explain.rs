//! `ringfence explain`: what a rule, a promise or a built-in check means, and why a
//! finding is one.

use std::path::PathBuf;
use std::process::ExitCode;

use ringfence::audit::{Reason, derivation};
use ringfence::base::diagnostic::nearest;
use ringfence::base::visible::visible;
use ringfence::report::explain::{Entry, entries};
use ringfence::report::page::{Page, Style};

use super::input;
use super::judging::{Scoping, fingerprint};
use super::limits;
use super::output::{self, Color};

/// Explain what a rule, a promise or a check means, or how a finding comes about
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The full name of a rule (`core/no-collapse`), of a built-in check
    /// (`terms/onward`) or of a promise (`statement/…`, with the inventory's PATH), or the
    /// beginning of a finding's fingerprint [default: list all names]
    #[arg(value_name = "RULE | FINGERPRINT")]
    wanted: Option<String>,
    /// The inventory: folders and files [default, for a finding: the configuration's `inventory`,
    /// else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    scoping: Scoping,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence explain
  ringfence explain core/no-financial-advertising
  ringfence explain glba/opt-out-before-sharing
  ringfence explain house/no-sale --policy house.yaml
  ringfence explain rf1:8b8cf6efe9c5e84d samples/messenger-banking
  ringfence explain statement/not-to-third-parties samples/messenger-banking";

/// Explains a rule, or lists all.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(wanted) = args.wanted.as_deref().filter(|wanted| is_fingerprint(wanted)) {
        return finding(args, wanted);
    }
    let policies = &args.scoping.policies;
    let world = match input::explainable(&args.paths, policies, args.wanted.as_deref(), args.color) {
        Ok(world) => world,
        Err(code) => return Ok(code),
    };
    let entries = entries(&world);
    let color = args.color.on(&std::io::stdout());
    let mut page = Page::new(output::width(), color);
    let Some(wanted) = &args.wanted else {
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
    let optional = [("sees      ", &entry.sees), ("not seen  ", &entry.cannot_see)];
    for (lead, text) in optional {
        if let Some(text) = text {
            page.gap();
            page.item(lead, text, Style::Plain);
        }
    }
    if !entry.cite.is_empty() || !entry.law.is_empty() {
        page.gap();
    }
    if !entry.cite.is_empty() {
        page.item("see       ", &entry.cite.join("; "), Style::Plain);
    }
    if !entry.law.is_empty() {
        let read_in = entry.read_in().map_or(String::new(), |read| format!(" (read in {read})"));
        page.item("law       ", &format!("{}{read_in}", entry.law.join(", ")), Style::Plain);
    }
    if let Some(example) = &entry.example {
        page.gap();
        page.item("breaks it ", &example.breaks, Style::Plain);
        page.gap();
        verbatim(page, &example.inventory);
        page.gap();
        page.para(4, "found:", Style::Dim);
        verbatim(page, &example.finds);
        page.gap();
        page.item("keeps it  ", &format!("{}; what is changed:", example.keeps), Style::Plain);
        page.gap();
        verbatim(page, &example.change);
    }
}

/// Lines as they are, each as a paragraph of its own.
fn verbatim(page: &mut Page, text: &str) {
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let fits = page.fits(4, line);
        let mut write =
            |text: &str| page.hanging(&" ".repeat(4 + indent), 6 + indent, text.trim(), Style::Plain);
        // A comment that went on in the next line would be none there: it stands above.
        match line.split_once(" # ") {
            Some((code, comment)) if !fits => {
                write(&format!("# {comment}"));
                write(code);
            }
            _ => write(line),
        }
    }
}

/// `rf1:` and at least four of the hexadecimal digits, or those alone.
fn is_fingerprint(text: &str) -> bool {
    let digits = text.strip_prefix("rf1:").unwrap_or(text);
    (4..=16).contains(&digits.len())
        && digits.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
}

/// Why a finding is one.
fn finding(args: &Args, wanted: &str) -> anyhow::Result<ExitCode> {
    let input = match input::read(&args.paths, &args.scoping.policies, None, args.color) {
        Ok(input) => input,
        Err(code) => return Ok(code),
    };
    let options = args.scoping.options(&input.config);
    let audit = match limits::audit(&input.world, &input.sources, &options) {
        Ok(audit) => audit,
        Err(code) => return Ok(code),
    };
    let full = match fingerprint(wanted, &audit) {
        Ok(full) => full,
        Err(message) => {
            output::say(&format!("error: {message}\n  help: `ringfence audit` shows the fingerprints"));
            return Ok(ExitCode::from(input::WRONG));
        }
    };
    let Some(derivation) = derivation(&input.world, &input.sources, &options, &full) else {
        return Ok(ExitCode::from(input::WRONG));
    };
    output::say_left_out(&audit.judged);
    let mut page = Page::new(output::width(), args.color.on(&std::io::stdout()));
    let finding = &derivation.finding;
    page.para(0, &format!("{} {}", finding.fingerprint, finding.rule), Style::Bold);
    page.para(0, &format!("{}: {}", finding.severity, finding.title), Style::Plain);
    page.para(0, &finding.message, Style::Plain);
    for (number, step) in derivation.steps.iter().enumerate() {
        page.gap();
        page.item(&format!("{:>2}. ", number + 1), &step.what, Style::Bold);
        for Reason { text, location } in &step.because {
            let at =
                location.as_ref().map_or(String::new(), |l| format!(" · {}:{}:{}", l.file, l.line, l.column));
            page.item("    - ", &format!("{text}{at}"), Style::Plain);
        }
    }
    page.gap();
    page.para(0, &format!("`ringfence explain {}` says what the rule means.", finding.rule), Style::Dim);
    output::print(&page.finish())?;
    Ok(ExitCode::SUCCESS)
}
