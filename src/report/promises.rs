//! The promises as a view of their own: how each stands, and the chain that says so.

use std::io;
use std::sync::Arc;

use super::page::{Page, Style};
use super::say::{self, count};
use super::text::{chain, heading};
use crate::base::finding::{Gap, GapKind, Hop, PromiseState, PromiseView, Promises};
use crate::base::vocabulary::words;
use crate::read::places::Places;

words! {
    /// A form of the view.
    Format: "a format" {
        /// For people.
        Text = "text",
        /// For programs: one object, whose shape `schemas/promises.schema.json` states.
        Json = "json",
    }
}

/// So many findings of one promise, and systems that its data gets to, are written out.
const SHOWN: usize = 5;

impl Promises {
    /// Writes them.
    ///
    /// # Errors
    /// When they cannot be put into the format.
    pub fn render(&self, format: Format, width: usize, color: bool) -> io::Result<String> {
        match format {
            Format::Text => Ok(text(self, width, color)),
            Format::Json => super::json::render(self),
        }
    }
}

fn text(promises: &Promises, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    let s = promises.summary;
    let scope =
        promises.judged.as_of.as_ref().map_or(String::new(), |day| format!(" with the flows of {day}"));
    let left_out = say::left_out(&promises.judged).map_or_else(String::new, |text| format!("; {text}"));
    page.para(
        0,
        &format!(
            "{}: {} broken, {} not decidable from what is declared, {} kept; judged on {}{scope}{left_out}.",
            count(promises.promises.len(), "public promise"),
            s.broken,
            s.undecided,
            s.kept,
            promises.judged.day,
        ),
        Style::Bold,
    );
    page.para(0, say::CAUTION, Style::Dim);
    for view in &promises.promises {
        let (what, style) = match view.promise.standing() {
            PromiseState::Broken => ("BROKEN", Style::Red),
            PromiseState::Undecided => ("NOT DECIDABLE FROM WHAT IS DECLARED", Style::Yellow),
            PromiseState::Kept => ("KEPT by what is declared", Style::Green),
        };
        heading(&mut page, &format!("{}: {what}", view.promise.id), style);
        let place = &view.promise.location;
        page.para(2, &format!("“{}”", view.promise.quote), Style::Plain);
        page.para(2, &format!("{} · {}:{}", say::speaker(&view.promise), place.file, place.line), Style::Dim);
        page.item("  broken if  ", &view.violated, Style::Plain);
        for gap in &view.promise.gaps {
            write_gap(&mut page, gap);
        }
        if view.promise.further_gaps > 0 {
            page.para(2, &format!("… and {}", count(view.promise.further_gaps, "more reason")), Style::Dim);
        }
        match view.promise.standing() {
            PromiseState::Kept => kept(&mut page, view),
            PromiseState::Broken | PromiseState::Undecided => broken(&mut page, view),
        }
    }
    page.finish()
}

fn write_gap(page: &mut Page, gap: &Gap) {
    page.gap();
    let on = match gap.depends_on {
        GapKind::AssumedOrigin => "an assumed origin",
        GapKind::Place => "a place that is not declared",
        GapKind::Data => "data that no declared flow carries",
    };
    let at = gap.location.as_ref().map_or(String::new(), |l| format!(" · {}:{}", l.file, l.line));
    page.item("  depends on ", on, Style::Yellow);
    page.item("  because    ", &format!("{}{at}", gap.message), Style::Plain);
    chain::write(page, 13, &gap.path, None, &Places::default());
    page.item("  missing    ", &gap.missing, Style::Plain);
}

fn broken(page: &mut Page, view: &PromiseView) {
    for finding in view.findings.iter().take(SHOWN) {
        page.gap();
        let marks = say::marks(finding);
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join("; ")) };
        page.item("  - ", &format!("{}{marks}", say::happened(finding)), Style::Plain);
        for (walk, _) in say::walks(finding).into_iter().take(SHOWN) {
            chain::write(page, 4, walk, Some(say::start(finding)), &Places::default());
        }
        page.para(4, &finding.fingerprint, Style::Dim);
    }
    if let Some(more @ 1..) = view.findings.len().checked_sub(SHOWN) {
        page.para(2, &format!("… and {}; --format json has all", count(more, "more finding")), Style::Dim);
    }
}

fn kept(page: &mut Page, view: &PromiseView) {
    for claim in &view.relied_on {
        let text = format!(
            "the claim `{}` of {} · {}:{}",
            claim.claim,
            claim.by(),
            claim.location.file,
            claim.location.line
        );
        page.item("  rests on   ", &text, Style::Plain);
    }
    if view.reaches.is_empty() {
        return;
    }
    page.item("  its data   ", &format!("gets to {}", say::some(&view.reaches, SHOWN)), Style::Plain);
    page.para(2, &furthest(&view.furthest), Style::Plain);
    chain::write(page, 4, &view.furthest, None, &Places::default());
}

fn furthest(walk: &[Arc<Hop>]) -> String {
    format!("the furthest it gets ({}):", count(walk.len(), "flow"))
}
