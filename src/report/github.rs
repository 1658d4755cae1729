//! The result as workflow commands, which GitHub shows as annotations of files.
//!
//! Every line that holds text from an input is a command of which that text is a
//! value: nothing from an input can start a command of its own.

use super::gated::{Entry, entries};
use super::tally::Tally;
use super::{Report, cause, relied, say};
use crate::base::finding::{Finding, FindingStatus, Notice};
use crate::base::source::Location;
use crate::base::visible::visible;
use crate::read::places::Places;

/// So many characters of a title are shown.
const TITLE: usize = 200;
/// So many characters of a message.
const MESSAGE: usize = 8000;
/// So many subjects of a notice and so many claims are written out.
const LISTED: usize = 50;
/// How many causes the verdict names.
const CAUSES: usize = 5;

/// How loud an annotation is; GitHub shows the first ten of each in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Notice,
}

/// Writes the commands: errors first, each sort by gravity, and last a line that counts
/// everything.
pub fn render(report: &Report) -> String {
    let Report { audit, gate, places, .. } = report;
    let level = |f: &Finding| match f.status {
        _ if gate.stops(f) => Level::Error,
        FindingStatus::New => Level::Warning,
        FindingStatus::Baseline | FindingStatus::Waived => Level::Notice,
    };
    let mut findings: Vec<(Level, &Finding)> = audit.findings.iter().map(|f| (level(f), f)).collect();
    findings.sort_by_key(|(level, f)| (*level, f.severity));
    let mut out = String::new();
    let (loud, quiet): (Vec<_>, Vec<_>) = findings.into_iter().partition(|(l, _)| *l != Level::Notice);
    let (denied, others): (Vec<_>, Vec<_>) = audit.notices.iter().partition(|n| report.denies(n));
    let notice = |out: &mut String, level, notice: &Notice| {
        let title = format!("{} (notice)", notice.code);
        command(out, level, notice.location.as_ref(), places, &title, &[say::notice(notice, LISTED)]);
    };
    for n in denied {
        notice(&mut out, Level::Error, n);
    }
    let (failing, changes): (Vec<Entry>, Vec<Entry>) = entries(report).into_iter().partition(|e| e.fails);
    let entry = |out: &mut String, level, entry: &Entry| {
        let title = format!("{} [{}, {}]", entry.title, entry.check, entry.class);
        command(out, level, entry.location.as_ref(), places, &title, std::slice::from_ref(&entry.message));
    };
    failing.iter().for_each(|one| entry(&mut out, Level::Error, one));
    for (level, f) in loud {
        finding(&mut out, level, f, places);
    }
    changes.iter().for_each(|one| entry(&mut out, Level::Warning, one));
    let verdict = report.verdict();
    let title = if verdict.fails { "Ringfence: FAIL" } else { "Ringfence: PASS" };
    let mut lines = vec![verdict.sentence];
    lines.extend(verdict.broken);
    lines.extend(verdict.loose);
    let views = cause::views(audit, &report.gate);
    lines.extend(views.iter().filter(|view| view.fails()).take(CAUSES).map(|view| {
        format!("cause {}: {} · {} · {}", view.number, view.standing(), view.subject(), view.size())
    }));
    lines.push(Tally::new(audit, &report.gate).sentences());
    lines.push(say::CAUTION.to_owned());
    command(&mut out, Level::Notice, None, places, title, &lines);
    for (level, f) in quiet {
        finding(&mut out, level, f, places);
    }
    for n in others {
        notice(&mut out, Level::Notice, n);
    }
    if !audit.relied_on.is_empty() {
        let claims = relied::claims(audit);
        let claim = |c: &relied::Claim| {
            let at = say::at(c.location, places);
            format!("{} claims {} ({at}), which affects {}", c.by, c.claim, c.affects.join(", "))
        };
        let mut lines: Vec<String> = claims.iter().take(LISTED).map(claim).collect();
        if let Some(more @ 1..) = claims.len().checked_sub(LISTED) {
            lines.push(format!("… and {}", say::count(more, "more claim")));
        }
        let title = "Relied on: claims without which there could be more findings";
        command(&mut out, Level::Notice, None, places, title, &lines);
    }
    out.push_str(&format!("{title}. {}\n", Tally::new(audit, &report.gate).sentences()));
    out
}

fn finding(out: &mut String, level: Level, f: &Finding, places: &Places) {
    let title = format!("{} [{}, {}]", f.title, f.rule, f.severity);
    command(out, level, say::place(f, places), places, &title, &say::lines(f, places));
}

fn command(
    out: &mut String,
    level: Level,
    location: Option<&Location>,
    places: &Places,
    title: &str,
    lines: &[String],
) {
    let word = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    out.push_str(&format!("::{word} "));
    // What lies outside of the repository cannot be annotated.
    let inside = location.and_then(|l| Some((places.in_repository(&l.file)?, l)));
    if let Some((file, location)) = inside.filter(|(file, _)| !file.starts_with('/')) {
        let file = property(&visible(file));
        out.push_str(&format!("file={file},line={},col={},", location.line, location.column));
    }
    let message = lines.iter().map(|line| say::line(line)).collect::<Vec<_>>().join("\n");
    let title = say::clipped(&say::line(title), TITLE);
    out.push_str(&format!("title={}::{}\n", property(&title), value(&say::clipped(&message, MESSAGE))));
}

/// A command's value.
fn value(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// One of its properties.
fn property(text: &str) -> String {
    value(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{property, value};

    #[test]
    fn values_and_properties_are_escaped() {
        assert_eq!(value("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
