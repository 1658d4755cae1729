//! What must be deleted when an agreement ends or a party leaves: a checklist.

use std::io;

use super::{route, scope, scope_said, table};
use crate::base::vocabulary::words;
use crate::query::{Deletion, Disposal, Kept, Recall};
use crate::read::places::Places;
use crate::report::html::sheet::{self, Sheet, Table};
use crate::report::markdown;
use crate::report::page::{Page, Style};
use crate::report::say::{CATEGORIES, count, some};
use crate::report::text::{chain, heading};

words! {
    /// A form of a recall.
    Format: "a format" {
        /// For people.
        Text = "text",
        /// For programs: one object, whose shape `schemas/recall.schema.json` states.
        Json = "json",
        /// For spreadsheets: a row for each place that must delete.
        Csv = "csv",
        /// For tickets and wikis: a checklist.
        Markdown = "markdown",
        /// For people: a page to read, print and hand over.
        Html = "html",
    }
}

/// So many characters of a line of a checklist are written.
const LONGEST: usize = 2_000;

impl Recall {
    /// Writes it; of each list of the text at most `limit` entries.
    ///
    /// # Errors
    /// When it cannot be put into the format.
    pub fn render(&self, format: Format, width: usize, color: bool, limit: usize) -> io::Result<String> {
        match format {
            Format::Text => Ok(self.text(Page::new(width, color), limit)),
            Format::Json => crate::report::json::render(self),
            Format::Csv => Ok(self.csv()),
            Format::Markdown => Ok(self.markdown()),
            Format::Html => sheet::render(&self.sheet()),
        }
    }

    fn said(&self) -> String {
        let of = &self.recalled.of;
        let moved =
            if self.agreements.contains(of) { "under" } else { "to or from, or under agreements of," };
        match self.delete.len() {
            0 => format!("Nothing that moved {moved} {of} has to be deleted anywhere."),
            1 => format!("1 place has to delete what moved {moved} {of}."),
            many => format!("{many} places have to delete what moved {moved} {of}."),
        }
    }

    fn sheet(&self) -> Sheet {
        let deletion = |one: &Deletion| {
            vec![
                format!("{}. {}", one.step, one.place),
                one.held_as.join(", "),
                one.sources.join(", "),
                one.also_under.join(", "),
                one.kept_until.clone().unwrap_or_default(),
                one.contact.clone().unwrap_or_default(),
                route(&one.path),
            ]
        };
        let kept = |one: &Kept| {
            vec![one.place.clone(), one.held_as.join(", "), one.source.clone(), one.transforms.join(", ")]
        };
        let place = |of: &Disposal| format!("{}:{}", of.location.file, of.location.line);
        let kept_columns = ["Place", "Held as", "From", "Transforms, as claimed"];
        let tables = [
            Table::of("Stop first", &["Flow"], self.stop.iter().map(|flow| vec![flow.clone()]).collect()),
            Table::of(
                "Delete, in this order",
                &["Place", "Held as", "From", "Also under", "Kept until", "Contact", "Shortest chain"],
                self.delete.iter().map(deletion).collect(),
            ),
            Table::of("Released by a transform", &kept_columns, self.released.iter().map(kept).collect()),
            Table::of("Back where it came from", &kept_columns, self.home.iter().map(kept).collect()),
            Table::of(
                "Then without a source",
                &["System", "Data", "Flows"],
                self.breaks
                    .iter()
                    .map(|one| vec![one.system.clone(), one.data.clone(), one.flows.join(", ")])
                    .collect(),
            ),
            Table::of(
                "Then disposed",
                &["Declaration", "Declared at"],
                self.dispose.iter().map(|one| vec![one.of.clone(), place(one)]).collect(),
            ),
            Table::of(
                "Bring other data, too",
                &["Flow"],
                self.shared.iter().map(|flow| vec![flow.clone()]).collect(),
            ),
        ];
        Sheet {
            title: format!("Recall of {}, {}", self.recalled.of, self.judged.day),
            answer: self.said(),
            scope: scope_said(&self.judged),
            facts: Vec::new(),
            tables: tables.into_iter().flatten().collect(),
        }
    }

    fn text(&self, mut page: Page, limit: usize) -> String {
        page.para(0, &self.said(), Style::Bold);
        scope(&mut page, &self.judged);
        if !self.stop.is_empty() {
            heading(&mut page, &format!("Stop first: {}", count(self.stop.len(), "flow")), Style::Bold);
            page.para(2, &some(&self.stop, limit), Style::Plain);
        }
        let mut list = |title: &str, many: usize, each: &mut dyn FnMut(&mut Page, usize)| {
            if many == 0 {
                return;
            }
            heading(&mut page, &format!("{title}: {many}"), Style::Bold);
            (0..many.min(limit)).for_each(|at| each(&mut page, at));
            if let Some(more @ 1..) = many.checked_sub(limit) {
                page.para(2, &format!("… and {more} more; --limit 0 shows all"), Style::Dim);
            }
        };
        list("Delete, in this order", self.delete.len(), &mut |page, at| {
            if let Some(one) = self.delete.get(at) {
                deletion(page, one);
            }
        });
        list("Released by a transform, by what is claimed", self.released.len(), &mut |page, at| {
            if let Some(one) = self.released.get(at) {
                kept(page, one);
            }
        });
        list("Back where it came from", self.home.len(), &mut |page, at| {
            if let Some(one) = self.home.get(at) {
                kept(page, one);
            }
        });
        list("Then without a source", self.breaks.len(), &mut |page, at| {
            if let Some(one) = self.breaks.get(at) {
                let flows =
                    if one.flows.is_empty() { String::new() } else { format!(" ({})", one.flows.join(", ")) };
                page.item("  - ", &format!("{} at {}{flows}", one.data, one.system), Style::Plain);
            }
        });
        list("Then disposed, which --write declares", self.dispose.len(), &mut |page, at| {
            if let Some(one) = self.dispose.get(at) {
                let place = format!("{}:{}", one.location.file, one.location.line);
                page.item("  - ", &format!("{} · {place}", one.of), Style::Plain);
            }
        });
        list(
            "Bring other data, too, so that nothing declares it disposed",
            self.shared.len(),
            &mut |page, at| {
                if let Some(one) = self.shared.get(at) {
                    page.item("  - ", &format!("flow:{one}"), Style::Yellow);
                }
            },
        );
        page.finish()
    }

    fn csv(&self) -> String {
        let columns =
            ["step", "place", "contact", "sources", "held_as", "also_under", "kept_until", "path", "done"];
        let row = |one: &Deletion| {
            let path: Vec<&str> = one.path.iter().map(|hop| hop.flow.as_str()).collect();
            [
                one.step.to_string(),
                one.place.clone(),
                one.contact.clone().unwrap_or_default(),
                one.sources.join(" "),
                one.held_as.join(" "),
                one.also_under.join(" "),
                one.kept_until.clone().unwrap_or_default(),
                path.join(" -> "),
                String::new(),
            ]
        };
        table(columns, self.delete.iter().map(row))
    }

    fn markdown(&self) -> String {
        let safe = |text: &str| markdown::text(text, LONGEST);
        let mut lines =
            vec![format!("# Recall of {}", safe(&self.recalled.of)), String::new(), safe(&self.said())];
        if !self.stop.is_empty() {
            lines.extend([String::new(), "## Stop first".to_owned(), String::new()]);
            lines.extend(self.stop.iter().map(|flow| format!("- [ ] {}", safe(flow))));
        }
        if !self.delete.is_empty() {
            lines.extend([String::new(), "## Delete, in this order".to_owned(), String::new()]);
        }
        for one in &self.delete {
            let also = match one.also_under.as_slice() {
                [] => String::new(),
                others => format!("; also under {}", others.join(", ")),
            };
            let contact = one.contact.as_ref().map_or(String::new(), |contact| format!("; {contact}"));
            let what = format!(
                "step {}: {}: {}, of {}{also}{contact}",
                one.step,
                one.place,
                one.held_as.join(", "),
                one.sources.join(", ")
            );
            lines.push(format!("- [ ] {}", safe(&what)));
        }
        for (title, all) in
            [("Released by a transform", &self.released), ("Back where it came from", &self.home)]
        {
            if all.is_empty() {
                continue;
            }
            lines.extend([String::new(), format!("## {title}"), String::new()]);
            for one in all {
                let what =
                    format!("{}: {}, of {}{}", one.place, one.held_as.join(", "), one.source, claims(one));
                lines.push(format!("- {}", safe(&what)));
            }
        }
        lines.join("\n") + "\n"
    }
}

fn claims(one: &Kept) -> String {
    match one.transforms.as_slice() {
        [] => String::new(),
        all => format!("; {}", all.join(", ")),
    }
}

fn deletion(page: &mut Page, one: &Deletion) {
    page.item(&format!("  {}. ", one.step), &one.place, Style::Bold);
    let sources = some(&one.sources, CATEGORIES);
    page.item("     data       ", &format!("{}, of {sources}", some(&one.held_as, CATEGORIES)), Style::Plain);
    for part in one.parts.iter().filter(|part| !part.also_under.is_empty()) {
        let data = some(&part.held_as, CATEGORIES);
        let others = part.also_under.join(", ");
        let text = format!("{others}: {data}, of {}: check what has to stay", part.source);
        page.item("     also under ", &text, Style::Yellow);
    }
    if let Some(day) = &one.kept_until {
        page.item("     kept until ", day, Style::Plain);
    }
    if let Some(contact) = &one.contact {
        page.item("     contact    ", contact, Style::Plain);
    }
    chain::write(page, 5, &one.path, None, &Places::default());
}

fn kept(page: &mut Page, one: &Kept) {
    let what = format!("{}: {}, of {}{}", one.place, some(&one.held_as, CATEGORIES), one.source, claims(one));
    page.item("  - ", &what, Style::Plain);
}
