//! The result as a table: a row for each finding, as in RFC 4180, behind the mark by which
//! spreadsheets know UTF-8.
//!
//! Spreadsheets take a cell that starts with certain signs for a formula. Such a cell
//! gets an apostrophe before it, which spreadsheets do not show.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use super::gated::{Entry, entries};
use super::{Report, say};
use crate::base::finding::{BrokenWhat, Finding, FindingKind, FindingStatus, Hop, Place};
use crate::base::source::Location;
use crate::base::visible::inert;
use crate::declare::gate::Gate;

/// What a table begins with, so that a spreadsheet takes it for UTF-8.
pub const MARK: char = '\u{feff}';
/// A spreadsheet cuts longer cells, or spreads them over the rows below. Counted are units of UTF-16.
const LONGEST: usize = 32_767;

/// The columns, in an order that does not change; new ones come last.
const COLUMNS: [&str; 43] = [
    "fingerprint",
    "rule",
    "kind",
    "severity",
    "status",
    "fails",
    "binding",
    "policy_status",
    "grown",
    "consequent",
    "prospective",
    "retained",
    "title",
    "message",
    "source_party",
    "source_system",
    "sink_party",
    "sink_system",
    "flow",
    "subject",
    "agreements",
    "data",
    "arrives_as",
    "becomes",
    "hops",
    "path",
    "walks",
    "file",
    "line",
    "column",
    "broken",
    "broken_text",
    "broken_file",
    "broken_line",
    "cite",
    "why",
    "remedy",
    "waiver_reason",
    "waiver_approved_by",
    "waiver_expires",
    "waiver_ticket",
    "day",
    "cause",
];

/// Writes the table.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write!(out, "{MARK}{}\r\n", COLUMNS.map(cell).join(","))?;
    for f in &report.audit.findings {
        let cells = row(f, &report.gate, &report.audit.judged.day).map(|text| cell(&text));
        write!(out, "{}\r\n", cells.join(","))?;
    }
    for entry in entries(report) {
        let cells = COLUMNS.map(|column| cell(&changed(&entry, column, &report.audit.judged.day)));
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

/// What a comparison stops besides findings, column by column.
fn changed(entry: &Entry, column: &str, day: &str) -> String {
    let place = entry.location.as_ref();
    match column {
        "fingerprint" => entry.fingerprint(),
        "rule" => entry.check.to_owned(),
        "kind" => "change".to_owned(),
        "status" => "new".to_owned(),
        "fails" => entry.fails.to_string(),
        "title" => entry.title.clone(),
        "message" => entry.message.clone(),
        "file" => place.map(|l| l.file.clone()).unwrap_or_default(),
        "line" => place.map(|l| l.line.to_string()).unwrap_or_default(),
        "column" => place.map(|l| l.column.to_string()).unwrap_or_default(),
        "day" => day.to_owned(),
        _ => String::new(),
    }
}

fn row(f: &Finding, gate: &Gate, day: &str) -> [String; COLUMNS.len()] {
    let yes = |is: bool| is.to_string();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let party = |place: &Option<Place>| place.as_ref().map(|p| p.party.clone()).unwrap_or_default();
    let system = |place: &Option<Place>| say::system(place).unwrap_or_default().to_owned();
    let file = |place: Option<&Location>| place.map(|l| l.file.clone()).unwrap_or_default();
    let line = |place: Option<&Location>| place.map(|l| l.line.to_string()).unwrap_or_default();
    let (at, broken, waiver) = (f.location.as_ref(), f.broken.location.as_ref(), f.waiver.as_ref());
    [
        f.fingerprint.clone(),
        f.rule.clone(),
        kind(f.kind).to_owned(),
        f.severity.to_string(),
        status(f.status).to_owned(),
        yes(gate.stops(f)),
        yes(f.binding),
        f.policy_status.map(|s| s.to_string()).unwrap_or_default(),
        yes(f.grown),
        yes(f.consequent),
        yes(f.prospective),
        yes(f.retained),
        f.title.clone(),
        f.message.clone(),
        party(&f.source),
        system(&f.source),
        party(&f.sink),
        system(&f.sink),
        text(f.flow.as_ref()),
        text(f.subject.as_ref()),
        f.agreements.join("; "),
        f.data.join("; "),
        f.arrives_as.join("; "),
        f.becomes.join("; "),
        f.path.len().to_string(),
        path(&f.path),
        f.witnesses.len().to_string(),
        file(at),
        line(at),
        at.map(|l| l.column.to_string()).unwrap_or_default(),
        match f.broken.what {
            BrokenWhat::Rule => "rule",
            BrokenWhat::Term => "term",
            BrokenWhat::Promise => "promise",
        }
        .to_owned(),
        f.broken.text.clone(),
        file(broken),
        line(broken),
        f.cite.join("; "),
        text(f.why.as_ref()),
        text(f.remedy.as_ref()),
        waiver.map(|w| w.reason.clone()).unwrap_or_default(),
        waiver.map(|w| w.approved_by.clone()).unwrap_or_default(),
        waiver.map(|w| w.expires.clone()).unwrap_or_default(),
        text(waiver.and_then(|w| w.ticket.as_ref())),
        day.to_owned(),
        f.cause.clone(),
    ]
}

fn kind(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Terms => "terms",
        FindingKind::Flow => "flow",
        FindingKind::Forbid => "forbid",
        FindingKind::Limit => "limit",
        FindingKind::Require => "require",
        FindingKind::Statement => "statement",
    }
}

fn status(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::New => "new",
        FindingStatus::Baseline => "baseline",
        FindingStatus::Waived => "waived",
    }
}

/// The flows of a chain, one after the other.
fn path(path: &[Arc<Hop>]) -> String {
    let step = |(index, hop): (usize, &Arc<Hop>)| {
        format!(
            "{}. {}: {} -> {} [{} | {} | {}] {}:{}",
            index + 1,
            hop.flow,
            hop.from,
            hop.to,
            hop.data.join(" "),
            hop.purposes.join(" "),
            say::under(hop),
            hop.location.file,
            hop.location.line,
        )
    };
    path.iter().enumerate().map(step).collect::<Vec<_>>().join("; ")
}

/// A cell, always in quotes, and no longer than a spreadsheet can hold.
pub fn cell(text: &str) -> String {
    format!("\"{}\"", short(&harmless(&say::line(text))).replace('"', "\"\""))
}

/// A text that no program takes for a formula. One that splits at other signs than commas can
/// start a cell in the midst of this one, so formulas are stopped there, too.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.chars() {
        if starts && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            out.push('\'');
        }
        starts = matches!(c, ',' | ';' | '|' | '"' | '\t') || (starts && c == ' ');
        out.push(c);
    }
    out
}

/// A text that fits into a cell: of a list whole entries, of any other text its beginning; how
/// much is left out stands at the end.
fn short(text: &str) -> Cow<'_, str> {
    // For what is said at the end.
    const ROOM: usize = 1_024;
    let whole = inert(text);
    if whole.encode_utf16().count() <= LONGEST {
        return whole;
    }
    // An order that is written out takes more signs.
    let size = |c: char| if c == '#' { 8 } else { c.len_utf16() };
    let kept = text.chars().scan(0, |used, c| {
        *used += size(c);
        (*used <= LONGEST - ROOM).then_some(c.len_utf8())
    });
    let (head, rest) = text.split_at(kept.sum());
    let (head, left) = match head.rfind("; ").filter(|&at| at > head.len() / 2) {
        Some(at) => {
            let (head, rest) = text.split_at(at);
            (head, format!("; … and {} more", rest.matches("; ").count()))
        }
        None => (head, format!("… and {} more characters", rest.chars().count())),
    };
    Cow::Owned(inert(head).into_owned() + &left)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, cell};

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@x"), "\"'@x\"");
        assert_eq!(cell("\t-x"), "\"'-x\"");
        assert_eq!(cell("a;=b"), "\"a;'=b\"");
        assert_eq!(cell("a\",\"=b"), "\"a\"\",\"\"'=b\"");
        assert_eq!(cell("a-b = c"), "\"a-b = c\"");
        assert_eq!(cell("a\r\n=b"), "\"a =b\"");
    }

    #[test]
    fn no_cell_is_longer_than_a_spreadsheet_holds() {
        let longest = |text: &str| {
            let cell = cell(text);
            assert!(cell.encode_utf16().count() - 2 <= LONGEST, "{}", cell.len());
            cell.trim_matches('"').to_owned()
        };
        assert_eq!(longest(&"a".repeat(LONGEST)), "a".repeat(LONGEST));
        assert!(longest(&"a".repeat(LONGEST + 1)).ends_with("a… and 1025 more characters"));
        assert!(longest(&"😀".repeat(20_000)).ends_with("😀… and 4129 more characters"));
        let list: Vec<String> = (0..9_000).map(|n| format!("-{n:04}")).collect();
        let shown = longest(&list.join("; "));
        let kept = shown.matches("; ").count();
        assert!(kept > 3_000 && shown.ends_with(&format!("; … and {} more", 9_000 - kept)), "{shown}");
        assert!(!longest(&"##[error]".repeat(5_000)).contains("##["));
    }
}
