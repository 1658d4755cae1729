//! Answers to questions about the declared flows: one file each.

mod calendar;
mod exposure;
mod fix;
mod recall;
mod trace;

pub use calendar::Format as CalendarFormat;
pub(super) use calendar::said;
pub use fix::Format as FixFormat;
pub use recall::Format as RecallFormat;
pub use trace::Form as TraceFormat;

use super::csv::{MARK, cell};
use super::page::{Page, Style};
use super::say;
use crate::base::finding::{Chain, Judged};
use crate::base::vocabulary::words;

words! {
    /// A form of an answer.
    Format: "a format" {
        /// For people.
        Text = "text",
        /// For programs: one object, whose shape a file in `schemas/` states.
        Json = "json",
        /// For spreadsheets: a table.
        Csv = "csv",
        /// For people: a page to read, print and hand over.
        Html = "html",
    }
}

/// The line that says by which flows a question is answered.
fn scope(page: &mut Page, judged: &Judged) {
    page.para(0, &scope_said(judged), Style::Dim);
}

fn scope_said(judged: &Judged) -> String {
    let flows = match &judged.as_of {
        Some(day) => format!(", with the flows in effect on {day}"),
        None => ", whenever it is in effect (`--as-of DATE` looks at one day)".to_owned(),
    };
    let left_out = say::left_out(judged).map_or_else(String::new, |text| format!("; {text}"));
    format!("By what is declared on {}{flows}{left_out}.", judged.day)
}

/// A chain in a cell: each place, and under what the data goes there.
fn route(chain: &Chain) -> String {
    let start = chain.first().map_or("it starts here", |hop| hop.from.as_str()).to_owned();
    chain.iter().fold(start, |text, hop| format!("{text} → {} ({})", hop.to, say::under(hop)))
}

/// A table as in RFC 4180, with harmless cells.
fn table<const N: usize>(columns: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut text = format!("{MARK}{}\r\n", columns.map(cell).join(","));
    for row in rows {
        text.push_str(&row.map(|text| cell(&text)).join(","));
        text.push_str("\r\n");
    }
    text
}
