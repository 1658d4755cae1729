//! The result as GitLab's Code Quality report: a JSON array with an entry for each
//! finding.
//!
//! GitLab keeps no record of what was accepted: such findings are there as `info` and
//! say so, as are those of non-binding policies.

use std::collections::BTreeSet;
use std::io;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::gated::{self, entries};
use super::json::{self, Hidden};
use super::{Report, say};
use crate::base::finding::{Finding, FindingStatus};
use crate::base::vocabulary::Severity;
use crate::read::places::Places;

/// So many characters of a description: it is shown on one line.
const MOST: usize = 1000;
/// What stands for a file where a finding lies in none.
const NO_FILE: &str = "ringfence.yaml";

#[derive(Debug, Serialize)]
struct Entry<'a> {
    r#type: &'static str,
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    categories: [&'static str; 1],
    location: Location<'a>,
    content: Content,
}

#[derive(Debug, Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: u32,
}

/// All that there is to say, for readers that show it.
#[derive(Debug, Serialize)]
struct Content {
    body: String,
}

/// All entries, each made when it is written.
struct Entries<'r>(&'r Report<'r>);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Entries(report) = self;
        let mut taken = BTreeSet::new();
        let findings = report.audit.findings.iter();
        let changes = entries(report);
        let mut all = serializer.serialize_seq(None)?;
        for finding in findings {
            all.serialize_element(&entry(finding, &report.places, &mut taken))?;
        }
        for change in &changes {
            all.serialize_element(&changed(change, &report.places))?;
        }
        all.end()
    }
}

/// Writes the array.
///
/// # Errors
/// When it cannot be put into JSON, or not be written.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    json::write(&Entries(report), Hidden::Spelled, out)
}

fn entry<'a>(f: &'a Finding, places: &'a Places, taken: &mut BTreeSet<String>) -> Entry<'a> {
    let mut marks = say::marks(f);
    if f.consequent {
        marks.push("consequent".to_owned());
    }
    let marks = if marks.is_empty() { String::new() } else { format!("[{}] ", marks.join("; ")) };
    let description = format!("{marks}{}: {}", f.title, say::happened(f));
    let mut fingerprint = f.fingerprint.clone();
    while !taken.insert(fingerprint.clone()) {
        fingerprint.push('+');
    }
    let place = say::place(f, places);
    let file = place.and_then(|location| places.in_repository(&location.file));
    let named = f.location.as_ref().map(|location| location.file.as_str());
    let line = place.or(f.location.as_ref()).map_or(1, |location| location.line.max(1));
    Entry {
        r#type: "issue",
        description: say::clipped(&say::line(&description), MOST),
        check_name: say::line(&f.rule),
        fingerprint,
        severity: severity(f),
        categories: ["Security"],
        location: Location { path: file.or(named).unwrap_or(NO_FILE), lines: Lines { begin: line } },
        content: Content { body: say::lines(f, places).join("\n") },
    }
}

/// What a comparison stops besides findings.
fn changed<'a>(change: &'a gated::Entry, places: &'a Places) -> Entry<'a> {
    let written = change.location.as_ref();
    let file = written.and_then(|location| places.in_repository(&location.file));
    let named = written.map(|location| location.file.as_str());
    Entry {
        r#type: "issue",
        description: say::clipped(&say::line(&change.message), MOST),
        check_name: change.check.to_owned(),
        fingerprint: change.fingerprint(),
        severity: if change.fails { "critical" } else { "info" },
        categories: ["Security"],
        location: Location {
            path: file.or(named).unwrap_or(NO_FILE),
            lines: Lines { begin: written.map_or(1, |location| location.line.max(1)) },
        },
        content: Content { body: say::line(&change.message) },
    }
}

fn severity(f: &Finding) -> &'static str {
    match f.severity {
        _ if f.status != FindingStatus::New || !f.binding => "info",
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
        Severity::Info => "info",
    }
}
