//! Everything with a date, and what each day does to the verdict.

use std::io;

use super::{scope, table};
use crate::base::vocabulary::{Word, words};
use crate::query::{Calendar, Entry, Event, Interval, Window};
use crate::report::page::{Page, Style};
use crate::report::say::count;
use crate::report::text::heading;

words! {
    /// A form of a calendar.
    Format: "a format" {
        /// For people.
        Text = "text",
        /// For programs: one object, whose shape `schemas/calendar.schema.json` states.
        Json = "json",
        /// For spreadsheets: a row for each date.
        Csv = "csv",
        /// For calendars (iCalendar, RFC 5545): an event of a whole day for each date.
        Ics = "ics",
    }
}

impl Calendar {
    /// Writes it; of each list of the text at most `limit` entries.
    ///
    /// # Errors
    /// When it cannot be put into the format.
    pub fn render(&self, format: Format, width: usize, color: bool, limit: usize) -> io::Result<String> {
        match format {
            Format::Text => Ok(self.text(Page::new(width, color), limit)),
            Format::Json => crate::report::json::render(self),
            Format::Csv => Ok(self.csv()),
            Format::Ics => Ok(self.ics()),
        }
    }

    fn text(&self, mut page: Page, limit: usize) -> String {
        let (over, ahead): (Vec<&Entry>, Vec<&Entry>) = self.entries.iter().partition(|entry| entry.days < 0);
        let begin = self.windows.iter().filter(|window| window.begins()).count();
        page.para(
            0,
            &format!(
                "From {} to {}: {} ahead, {} past; {} will make an audit fail that {} not today.",
                self.judged.day,
                self.until,
                count(ahead.len(), "date"),
                over.len(),
                count(begin, "finding"),
                if begin == 1 { "does" } else { "do" },
            ),
            Style::Bold,
        );
        scope(&mut page, &self.judged);
        let mut list = |title: &str, entries: &[&Entry]| {
            if entries.is_empty() {
                return;
            }
            heading(&mut page, title, Style::Bold);
            for entry in entries.iter().take(limit) {
                let owner = entry.owner.as_ref().map_or(String::new(), |owner| format!(" · owner: {owner}"));
                let place = format!("{}:{}", entry.location.file, entry.location.line);
                let style = if entry.not_disposed { Style::Yellow } else { Style::Plain };
                page.item(&format!("  {} ", entry.day), &format!("{}{owner} · {place}", entry.said()), style);
            }
            if let Some(more @ 1..) = entries.len().checked_sub(limit) {
                page.para(2, &format!("… and {more} more; --limit 0 shows all"), Style::Dim);
            }
        };
        // What is over and still has to be done comes first, then the latest.
        let mut over: Vec<&Entry> = over.into_iter().rev().collect();
        over.sort_by_key(|entry| !entry.not_disposed);
        list("Past", &over);
        list("Ahead", &ahead);
        heading(
            &mut page,
            &format!("What that does to the verdict: {}", count(self.windows.len(), "finding")),
            Style::Bold,
        );
        for window in self.windows.iter().take(limit) {
            let style = if window.fails.is_empty() { Style::Plain } else { Style::Red };
            page.item("  - ", &format!("[{}] {}: {}", window.severity, window.rule, window.message), style);
            page.item("    there ", &said(&window.there), Style::Plain);
            if window.fails != window.there {
                let fails =
                    if window.fails.is_empty() { "on no day".to_owned() } else { said(&window.fails) };
                page.item("    fails ", &fails, Style::Plain);
            }
            page.para(4, &window.fingerprint, Style::Dim);
        }
        if let Some(more @ 1..) = self.windows.len().checked_sub(limit) {
            page.para(2, &format!("… and {more} more; --limit 0 shows all"), Style::Dim);
        }
        page.para(2, &format!("{} on all of these days.", count(self.throughout, "finding")), Style::Dim);
        page.finish()
    }

    fn csv(&self) -> String {
        let columns = ["day", "days", "event", "of", "not_disposed", "owner", "file", "line"];
        let row = |entry: &Entry| {
            [
                entry.day.clone(),
                entry.days.to_string(),
                entry.event.word().to_owned(),
                entry.of.clone(),
                entry.not_disposed.to_string(),
                entry.owner.clone().unwrap_or_default(),
                entry.location.file.clone(),
                entry.location.line.to_string(),
            ]
        };
        table(columns, self.entries.iter().map(row))
    }

    fn ics(&self) -> String {
        let mut lines = vec![
            "BEGIN:VCALENDAR".to_owned(),
            "VERSION:2.0".to_owned(),
            format!("PRODID:-//Ringfence//Ringfence {}//EN", self.ringfence.version),
        ];
        let stamp = self.judged.day.replace('-', "");
        let mut event = |uid: String, day: &str, summary: &str, about: &str| {
            lines.extend([
                "BEGIN:VEVENT".to_owned(),
                format!("UID:{uid}@ringfence"),
                format!("DTSTAMP:{stamp}T000000Z"),
                format!("DTSTART;VALUE=DATE:{}", day.replace('-', "")),
                format!("SUMMARY:{}", escaped(summary)),
                format!("DESCRIPTION:{}", escaped(about)),
                "END:VEVENT".to_owned(),
            ]);
        };
        for entry in &self.entries {
            let about = format!("{}:{}", entry.location.file, entry.location.line);
            event(uid(&[&entry.day, entry.event.word(), &entry.of]), &entry.day, &entry.said(), &about);
        }
        for window in &self.windows {
            for from in window.fails.iter().filter_map(|days| days.from.as_ref()) {
                let summary = format!("{} will be broken: {}", window.rule, window.message);
                event(uid(&[from, &window.fingerprint]), from, &summary, &window.fingerprint);
            }
        }
        lines.push("END:VCALENDAR".to_owned());
        lines.iter().map(|line| folded(line)).collect()
    }
}

impl Entry {
    fn said(&self) -> String {
        let of = &self.of;
        match self.event {
            Event::Begins => format!("{of} begins"),
            Event::Ends if self.not_disposed => {
                format!("{of} ended, and nothing says that what it moved has been deleted")
            }
            Event::Ends => format!("the last day of {of}"),
            Event::Disposed => format!("what {of} moved is disposed of"),
            Event::Retention => format!("the last day on which what {of} moved is kept"),
            Event::Given => format!("{of} is given"),
            Event::Lapses => format!("the last day of {of}"),
            Event::Waived => format!("{of} is in force from this day"),
            Event::WaiverEnds => format!("the last day of {of}"),
        }
    }
}

impl Window {
    /// Whether it begins to fail on one of the days looked at.
    pub fn begins(&self) -> bool {
        self.fails.iter().any(|days| days.from.is_some())
    }
}

/// Days in words.
pub fn said(days: &[Interval]) -> String {
    let one = |interval: &Interval| match (&interval.from, &interval.until) {
        (None, None) => "on all days".to_owned(),
        (None, Some(until)) => format!("until {until}"),
        (Some(from), None) => format!("from {from}"),
        (Some(from), Some(until)) => format!("from {from} to {until}"),
    };
    days.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A name that is the same each time.
fn uid(parts: &[&str]) -> String {
    let mut hash = blake3::Hasher::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    hash.finalize().to_hex().chars().take(32).collect()
}

/// A text of RFC 5545.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::report::say::line(text).chars() {
        if matches!(c, '\\' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A line, folded after 75 bytes at most.
fn folded(line: &str) -> String {
    const LONGEST: usize = 74;
    let mut out = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > LONGEST {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
    out
}
