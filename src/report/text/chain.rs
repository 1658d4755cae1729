//! A walk as a chain: `bank/core ─[data · purpose · agreement]→ platform/chat`.

use crate::finding::Hop;
use crate::report::page::{Page, Style};
use crate::vocabulary::{Basis, Status};

/// So many categories are written on an arrow.
const CATEGORIES: usize = 6;

/// Up to a few of some names; the others are counted.
pub fn some(names: &[String], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn arrow(hop: &Hop) -> String {
    let agreement = match (&hop.agreement, hop.agreement_status) {
        (None, _) => match (party(&hop.from), party(&hop.to)) {
            (from, to) if from == to => format!("within {from}"),
            _ => "no agreement".to_owned(),
        },
        (Some(id), None | Some(Status::Active)) => id.clone(),
        (Some(id), Some(status)) => format!("{id} ({status})"),
    };
    let data = some(&hop.data, CATEGORIES);
    format!("─[{data} · {} · {agreement}]→ {}", hop.purposes.join(", "), hop.to)
}

fn party(system: &str) -> &str {
    system.split_once('/').map_or(system, |(party, _)| party)
}

fn place(hop: &Hop) -> String {
    let basis = if hop.basis == Some(Basis::Assumed) { " (assumed)" } else { "" };
    let title = hop.title.as_ref().map_or(String::new(), |title| format!(" · {title}"));
    format!("{}:{}{basis}{title}", hop.location.file, hop.location.line)
}

/// Writes a walk: on one line where it fits, else one hop after the other, each
/// with where it is declared. A walk of no flows stays at `start`.
pub fn write(page: &mut Page, indent: usize, walk: &[Hop], start: Option<&str>) {
    let Some(first) = walk.first() else {
        if let Some(start) = start {
            page.para(indent, &format!("{start}: it starts here"), Style::Plain);
        }
        return;
    };
    if let [hop] = walk {
        let line = format!("{} {} · {}", hop.from, arrow(hop), place(hop));
        if page.fits(indent, &line) {
            page.para(indent, &line, Style::Plain);
            return;
        }
    }
    page.para(indent, &first.from, Style::Plain);
    let lead = " ".repeat(indent + 2);
    for hop in walk {
        let line = format!("{} · {}", arrow(hop), place(hop));
        if page.fits(indent + 2, &line) {
            page.hanging(&lead, indent + 4, &line, Style::Plain);
        } else {
            page.hanging(&lead, indent + 4, &arrow(hop), Style::Plain);
            page.hanging(&" ".repeat(indent + 4), indent + 6, &place(hop), Style::Dim);
        }
    }
}
