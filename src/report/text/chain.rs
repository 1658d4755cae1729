//! A walk as a chain: `bank/core ─[data · purpose · agreement]→ platform/chat`.

use std::sync::Arc;

use crate::base::finding::Hop;
use crate::read::places::Places;
use crate::report::page::{Page, Style};
use crate::report::say::{moved, under};

fn arrow(hop: &Hop) -> String {
    let data = moved(hop);
    format!("─[{data} · {} · {}]→ {}", hop.purposes.join(", "), under(hop), hop.to)
}

fn place(hop: &Hop, places: &Places) -> String {
    let title = hop.title.as_ref().map_or(String::new(), |title| format!(" · {title}"));
    format!("{}{title}", super::place(places, &hop.location))
}

/// Writes a walk: on one line where it fits, else one hop after the other, each
/// with where it is declared. A walk of no flows stays at `start`.
pub fn write(page: &mut Page, indent: usize, walk: &[Arc<Hop>], start: Option<&str>, places: &Places) {
    let Some(first) = walk.first() else {
        if let Some(start) = start {
            page.para(indent, &format!("{start}: it starts here"), Style::Plain);
        }
        return;
    };
    if let [hop] = walk {
        let line = format!("{} {} · {}", hop.from, arrow(hop), place(hop, places));
        if page.fits(indent, &line) {
            page.para(indent, &line, Style::Plain);
            return;
        }
    }
    page.para(indent, &first.from, Style::Plain);
    let lead = " ".repeat(indent + 2);
    for hop in walk {
        let line = format!("{} · {}", arrow(hop), place(hop, places));
        if page.fits(indent + 2, &line) {
            page.hanging(&lead, indent + 4, &line, Style::Plain);
        } else {
            page.hanging(&lead, indent + 4, &arrow(hop), Style::Plain);
            page.hanging(&" ".repeat(indent + 4), indent + 6, &place(hop, places), Style::Dim);
        }
    }
}
