//! The result as a table: a row for each finding, as in RFC 4180.
//!
//! Spreadsheets take a cell that starts with certain signs for a formula. Such a cell
//! gets an apostrophe before it, which spreadsheets do not show.

use std::io;
use std::sync::Arc;

use super::{Report, say};
use crate::finding::{BrokenWhat, Finding, FindingKind, FindingStatus, Hop, Place};
use crate::gate::Gate;
use crate::source::Location;

/// The columns, in an order that does not change; new ones come last.
const COLUMNS: [&str; 42] = [
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
];

/// Writes the table.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))?;
    for f in &report.audit.findings {
        let cells = row(f, &report.gate, &report.audit.judged.day).map(|text| cell(&text));
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
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

/// A cell, always in quotes. A program that splits at other signs than commas can
/// start a cell in the midst of this one, so formulas are stopped there, too.
pub fn cell(text: &str) -> String {
    let mut out = String::from("\"");
    let mut starts = true;
    for c in say::line(text).chars() {
        if starts && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            out.push('\'');
        }
        starts = matches!(c, ',' | ';' | '|' | '"' | '\t') || (starts && c == ' ');
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::cell;

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
}
