//! `ringfence explain`: what a rule, a promise or a built-in check means, and why a
//! finding is one.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::audit::{Reason, derivation, fingerprints, judged_facts};
use crate::base::diagnostic::nearest;
use crate::base::finding::promise_of_rule;
use crate::base::visible::visible;
use crate::declare::gate::Gate;
use crate::read::files::DISK;
use crate::read::places::Places;
use crate::report::again::quoted;
use crate::report::explain::{Entry, entries};
use crate::report::page::{Page, Style};
use crate::report::{Look, Report, count};

use super::input;
use super::judging::{self, Scoping, fingerprint};
use super::session::Session;
use super::stop::{Stop, stop};
use super::terminal::{self, Color};

/// Explain a rule, a promise, a check, a cause or a finding
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The full name of a rule (`core/no-collapse`), of a built-in check
    /// (`terms/onward`) or of a promise (`statement/…`), the id of a cause (`flow:…`) or its number
    /// as `audit` lists them for the same PATH and options, or the beginning of a finding's
    /// fingerprint [default: list all names]
    #[arg(value_name = "RULE | CAUSE | FINGERPRINT")]
    wanted: Option<String>,
    /// The inventory: folders and files [default, for a promise, a cause or a finding: the
    /// configuration's `inventory`, else the working folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    scoping: Scoping,
    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

const EXAMPLES: &str = "\
Examples:
  ringfence explain
  ringfence explain core/no-financial-advertising
  ringfence explain glba/opt-out-before-sharing
  ringfence explain house/no-sale --policy house.yaml
  ringfence explain flow:messenger-export samples/messenger-banking
  ringfence explain 1 samples/messenger-banking
  ringfence explain rf1:f970ee06bcddd2ea samples/messenger-banking
  ringfence explain statement/not-to-third-parties samples/messenger-banking";

/// Explains a rule, or lists all.
pub fn run(args: &Args, session: &Session) -> Result<ExitCode, Stop> {
    if let Some(wanted) = args.wanted.as_deref().filter(|wanted| is_fingerprint(wanted)) {
        return finding(args, session, wanted);
    }
    if let Some(wanted) = args.wanted.as_deref().filter(|wanted| is_cause(wanted) || number(wanted).is_some())
    {
        return cause(args, session, wanted);
    }
    let policies = &args.scoping.policies;
    let world = input::explainable(session, &args.paths, policies, args.wanted.as_deref())?;
    let entries = entries(&world);
    let color = session.color.on(&std::io::stdout());
    let mut page = Page::new(terminal::width(), color);
    let Some(wanted) = &args.wanted else {
        list(&mut page, &entries);
        session.output.print(&page.finish())?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(entry) = entries.iter().find(|e| e.name == *wanted) else {
        return Err(Stop::error(unknown(wanted, &entries)));
    };
    describe(&mut page, entry);
    session.output.print(&page.finish())?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(wanted: &str, entries: &[Entry]) -> String {
    let help = match nearest(wanted, entries.iter().map(|e| e.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if promise_of_rule(wanted).is_some() => {
            "name the inventory that holds the promise: `ringfence explain statement/… PATH`".to_owned()
        }
        None => "`ringfence explain` lists all; --policy adds those of a file".to_owned(),
    };
    format!("there is no rule `{}`\nhelp: {}", visible(wanted), visible(&help))
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

/// The id of a cause: a kind of declaration, a colon and a name.
fn is_cause(text: &str) -> bool {
    let kind = text.split_once(':').map(|(kind, _)| kind);
    matches!(kind, Some("flow" | "system" | "party" | "group" | "agreement"))
}

/// The number of a cause: up to three digits, or behind `cause:`.
fn number(text: &str) -> Option<usize> {
    let (digits, most) = text.strip_prefix("cause:").map_or((text, 3), |digits| (digits, 9));
    let is_number = (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// What a cause is, and every finding that hangs on it.
fn cause(args: &Args, session: &Session, wanted: &str) -> Result<ExitCode, Stop> {
    let mut input = input::read(session, &args.paths, &args.scoping.policies, None, args.scoping.day())?;
    let mut options = args.scoping.options(session, &input.config);
    options.baseline = input::baseline(session, &input.config, DISK, &mut input.sources)?;
    let audit = judging::audit(session, &input.world, &input.sources, &options)?;
    let color = session.color.on(&std::io::stdout());
    let report = Report {
        gate: Gate { fail_on: input.config.fail_on.unwrap_or(Gate::default().fail_on), ..Gate::default() },
        look: Look { color, width: terminal::width(), limit: None, ..Look::default() },
        again: args.scoping.again(&args.paths),
        places: Places::new(&input.sources),
        ..Report::new(&audit)
    };
    let numbered = number(wanted).map(|number| (number, report.numbered(number)));
    let wanted = match numbered {
        Some((_, (Some(ref id), _))) => {
            session.output.say(&visible(&format!("note: cause {wanted} of this audit is {id}")));
            id.as_str()
        }
        Some((number, (None, all))) => {
            let audit = format!("ringfence audit{}", args.scoping.again(&args.paths));
            return Err(Stop::error(format_args!(
                "there is no cause {number}: the audit has {}\n  help: `{}` lists them; numbers are those of the same \
                 inventory and options",
                count(all, "cause"),
                visible(&audit)
            )));
        }
        None => wanted,
    };
    let Some(text) = report.cause(wanted) else {
        let ids = || audit.causes.iter().flat_map(|cause| &cause.declarations).map(|one| one.id.as_str());
        let near = nearest(wanted, ids()).map(|near| format!("; did you mean `{}`?", visible(near)));
        let near = near.unwrap_or_default();
        return Err(Stop::error(format_args!(
            "no finding hangs on `{}`{near}\n  help: `ringfence audit` lists the causes",
            visible(wanted)
        )));
    };
    session.output.say_left_out(&audit.judged);
    session.output.print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Why a finding is one.
fn finding(args: &Args, session: &Session, wanted: &str) -> Result<ExitCode, Stop> {
    let mut input = input::read(session, &args.paths, &args.scoping.policies, None, args.scoping.day())?;
    let options = args.scoping.options(session, &input.config);
    let judgement = judging::judge(session, &input.world, &input.sources, &options)?;
    input.sources.locate_from_here();
    let known = fingerprints(&input.world, &judgement);
    let full = fingerprint(wanted, known.iter().map(String::as_str)).map_err(|message| {
        Stop::error(format_args!("{message}\n  help: `ringfence audit` shows the fingerprints"))
    })?;
    let Some(derivation) = derivation(&input.world, &input.sources, &options, &judgement, &full) else {
        stop!("{full} is in the audit and cannot be derived again");
    };
    session.output.say_left_out(&judged_facts(&input.world, &options, &judgement));
    let mut page = Page::new(terminal::width(), session.color.on(&std::io::stdout()));
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
    page.para(0, "What the rule means:", Style::Dim);
    let command = format!("ringfence explain {}{}", quoted(&finding.rule), args.scoping.again(&args.paths));
    page.line("  ", &command, Style::Dim);
    session.output.print(&page.finish())?;
    Ok(ExitCode::SUCCESS)
}
