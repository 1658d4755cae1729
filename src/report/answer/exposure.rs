//! What a breach at a place would expose: a page to work from.

use std::io;

use super::{Format, route, scope, scope_said, table};
use crate::base::vocabulary::Word;
use crate::query::{Bound, Clause, Downstream, Exposure, Held, Upstream};
use crate::read::places::Places;
use crate::report::html::sheet::{self, Sheet, Table};
use crate::report::page::{Page, Style};
use crate::report::say::{CATEGORIES, count, some};
use crate::report::text::{chain, heading};

impl Exposure {
    /// Writes the answer; of each list of the text at most `limit` entries.
    ///
    /// # Errors
    /// When it cannot be put into the format.
    pub fn render(&self, format: Format, width: usize, color: bool, limit: usize) -> io::Result<String> {
        match format {
            Format::Text => Ok(self.text(Page::new(width, color), limit)),
            Format::Json => crate::report::json::render(self),
            Format::Csv => Ok(self.csv()),
            Format::Html => sheet::render(&self.sheet()),
        }
    }

    /// The answer in a sentence.
    fn found(&self) -> String {
        let mut sources: Vec<&str> = self.holds.iter().map(|held| held.source.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        let at = some(&self.places, CATEGORIES);
        match sources.len() {
            0 => format!("{at}: no data is declared to be there."),
            many => format!("{at}: data of {} is there.", count(many, "source")),
        }
    }

    fn sheet(&self) -> Sheet {
        let or_none = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        let held = |held: &Held| {
            let since = held.since.as_ref().map(|day| format!("since {day}"));
            let kept = match (&held.kept_until, &held.retention) {
                (Some(day), _) => Some(format!("until {day}")),
                (None, Some(length)) => Some(format!("for {length}")),
                (None, None) => None,
            };
            let kept: Vec<String> = since.into_iter().chain(kept).collect();
            vec![
                held.source.clone(),
                held.place.clone(),
                held.held_as.join(", "),
                held.subjects.map(|many| many.to_string()).unwrap_or_default(),
                held.agreements.join(", "),
                kept.join(", "),
                route(&held.path),
            ]
        };
        let bound = |bound: &Bound| {
            let clause = |clause: &Clause| {
                let quote = clause.quote.as_ref().map_or(String::new(), |quote| format!(" “{quote}”"));
                format!("{} {}{quote}", clause.term, clause.reference.as_deref().unwrap_or_default())
            };
            let clauses: Vec<String> = bound.clauses.iter().map(clause).collect();
            let until = bound.until.clone().unwrap_or_default();
            vec![
                bound.id.clone(),
                bound.status.to_string(),
                until,
                bound.parties.join(", "),
                clauses.join("; "),
            ]
        };
        let upstream = |party: &Upstream| {
            let why = if party.origin { "its data" } else { "hands it on" };
            let (contact, dpo) = (party.contact.clone(), party.dpo.clone());
            vec![party.name.clone(), why.to_owned(), contact.unwrap_or_default(), dpo.unwrap_or_default()]
        };
        let downstream = |place: &Downstream| {
            let contact = place.contact.clone().unwrap_or_default();
            let (held_as, sources) = (place.held_as.join(", "), place.sources.join(", "));
            vec![place.place.clone(), held_as, sources, contact, route(&place.path)]
        };
        let tables = [
            Table::of(
                "What is there",
                &["From", "At", "Held as", "People", "Under the terms of", "Kept", "Shortest chain"],
                self.holds.iter().map(held).collect(),
            ),
            Table::of(
                "Who must hear of it",
                &["Party", "Why", "Contact", "Data protection officer"],
                self.upstream.iter().map(upstream).collect(),
            ),
            Table::of(
                "Where it has gone from there",
                &["Place", "Held as", "From", "Contact", "Shortest chain"],
                self.downstream.iter().map(downstream).collect(),
            ),
            Table::of(
                "Agreements that bind it",
                &["Agreement", "Status", "Until", "Parties", "Clauses"],
                self.agreements.iter().map(bound).collect(),
            ),
            Table::of(
                "Promises about such data",
                &["Promise", "By", "Words"],
                self.promises.iter().map(|p| vec![p.id.clone(), p.by.clone(), p.quote.clone()]).collect(),
            ),
        ];
        Sheet {
            title: format!("What a breach would expose, {}", self.judged.day),
            answer: self.found(),
            scope: scope_said(&self.judged),
            facts: vec![
                ("People", self.people()),
                ("Special categories", or_none(self.all(|held| &held.special))),
                ("Singles people out", or_none(self.all(|held| &held.identifying))),
            ],
            tables: tables.into_iter().flatten().collect(),
        }
    }

    fn text(&self, mut page: Page, limit: usize) -> String {
        page.para(0, &self.found(), Style::Bold);
        scope(&mut page, &self.judged);
        if self.holds.is_empty() {
            return page.finish();
        }
        page.gap();
        page.item("people      ", &self.people(), Style::Plain);
        for (lead, list) in [
            ("special    ", self.all(|held| &held.special)),
            ("identifying", self.all(|held| &held.identifying)),
        ] {
            let said = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
            page.item(&format!("{lead} "), &said, Style::Plain);
        }
        let mut list = |title: &str, many: usize, each: &mut dyn FnMut(&mut Page, usize)| {
            heading(&mut page, &format!("{title}: {many}"), Style::Bold);
            (0..many.min(limit)).for_each(|at| each(&mut page, at));
            if let Some(more @ 1..) = many.checked_sub(limit) {
                page.para(2, &format!("… and {more} more; --limit 0 shows all"), Style::Dim);
            }
        };
        list("What is there", self.holds.len(), &mut |page, at| {
            self.holds.get(at).into_iter().for_each(|held| holds(page, held));
        });
        list("Agreements that bind it", self.agreements.len(), &mut |page, at| {
            if let Some(bound) = self.agreements.get(at) {
                let until = bound.until.as_ref().map_or(String::new(), |day| format!(", until {day}"));
                let place = format!("{}:{}", bound.location.file, bound.location.line);
                let parties = bound.parties.join(", ");
                page.item(
                    "  - ",
                    &format!("{} ({}{until}) of {parties} · {place}", bound.id, bound.status),
                    Style::Plain,
                );
                for clause in &bound.clauses {
                    let quote = clause.quote.as_ref().map_or(String::new(), |quote| format!(": “{quote}”"));
                    let reference = clause.reference.as_deref().unwrap_or_default();
                    page.item("    ", &format!("{} {reference}{quote}", clause.term), Style::Dim);
                }
            }
        });
        list("Who must hear of it", self.upstream.len(), &mut |page, at| {
            self.upstream.get(at).into_iter().for_each(|party| upstream(page, party));
        });
        list("Where it has gone from there", self.downstream.len(), &mut |page, at| {
            self.downstream.get(at).into_iter().for_each(|place| downstream(page, place));
        });
        list("Promises about such data", self.promises.len(), &mut |page, at| {
            if let Some(spoken) = self.promises.get(at) {
                let place = format!("{}:{}", spoken.location.file, spoken.location.line);
                page.item(
                    "  - ",
                    &format!("{}, by {}: “{}” · {place}", spoken.id, spoken.by, spoken.quote),
                    Style::Plain,
                );
            }
        });
        page.finish()
    }

    fn people(&self) -> String {
        let unstated = match self.people.unstated {
            0 => String::new(),
            many => {
                format!("; {} where it starts states no number, so there may be more", count(many, "system"))
            }
        };
        match (self.people.at_least, self.people.at_most) {
            (0, _) => "no system where the data starts states how many people's it holds".to_owned(),
            (least, most) if least == most => format!("{least}{unstated}"),
            (least, most) => format!("at least {least}, at most {most}{unstated}"),
        }
    }

    /// The categories of all that is there, each once.
    fn all(&self, of: impl Fn(&Held) -> &Vec<String>) -> Vec<String> {
        let mut all: Vec<String> = self.holds.iter().flat_map(|held| of(held).clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn csv(&self) -> String {
        let columns = [
            "place",
            "source",
            "assumed",
            "relations",
            "data",
            "held_as",
            "special",
            "identifying",
            "subjects",
            "agreements",
            "since",
            "retention",
            "kept_until",
            "path",
            "file",
            "line",
        ];
        let row = |held: &Held| {
            let relations: Vec<&str> = held.relations.iter().map(|relation| relation.word()).collect();
            let path: Vec<&str> = held.path.iter().map(|hop| hop.flow.as_str()).collect();
            [
                held.place.clone(),
                held.source.clone(),
                held.assumed.to_string(),
                relations.join(" "),
                held.data.join(" "),
                held.held_as.join(" "),
                held.special.join(" "),
                held.identifying.join(" "),
                held.subjects.map(|many| many.to_string()).unwrap_or_default(),
                held.agreements.join(" "),
                held.since.clone().unwrap_or_default(),
                held.retention.clone().unwrap_or_default(),
                held.kept_until.clone().unwrap_or_default(),
                path.join(" -> "),
                held.location.file.clone(),
                held.location.line.to_string(),
            ]
        };
        table(columns, self.holds.iter().map(row))
    }
}

fn holds(page: &mut Page, held: &Held) {
    let assumed = if held.assumed { " (assumed to start there)" } else { "" };
    page.item("  - ", &format!("of {}{assumed}, at {}", held.source, held.place), Style::Bold);
    let (data, held_as) = (some(&held.data, CATEGORIES), some(&held.held_as, CATEGORIES));
    let becomes = if data == held_as { String::new() } else { format!(", held as {held_as}") };
    page.item("    data       ", &format!("{data}{becomes}"), Style::Plain);
    if let Some(people) = held.subjects {
        page.item("    people     ", &people.to_string(), Style::Plain);
    }
    if held.path.is_empty() {
        page.item("    under      ", "it starts here", Style::Plain);
        return;
    }
    let under = match held.agreements.as_slice() {
        [] => "no agreement's terms".to_owned(),
        all => format!("the terms of {}", some(all, CATEGORIES)),
    };
    page.item("    under      ", &under, Style::Plain);
    let since = held.since.as_ref().map_or("a day that is not stated", |day| day.as_str());
    let kept = match (&held.kept_until, &held.retention) {
        (Some(day), _) => format!("kept until {day}"),
        (None, Some(length)) => format!("kept for {length}"),
        (None, None) => "no end of its retention is stated".to_owned(),
    };
    page.item("    since      ", &format!("{since}; {kept}"), Style::Plain);
    chain::write(page, 4, &held.path, None, &Places::default());
}

fn upstream(page: &mut Page, party: &Upstream) {
    let what = if party.origin { "its data" } else { "hands it on" };
    let contact = party.contact.as_deref().unwrap_or("no contact is declared");
    let dpo = party.dpo.as_ref().map_or(String::new(), |dpo| format!("; data protection officer: {dpo}"));
    page.item("  - ", &format!("{} ({}): {what}; {contact}{dpo}", party.name, party.party), Style::Plain);
}

fn downstream(page: &mut Page, place: &Downstream) {
    let contact = place.contact.as_ref().map_or(String::new(), |contact| format!(" · {contact}"));
    let held_as = some(&place.held_as, CATEGORIES);
    let sources = some(&place.sources, CATEGORIES);
    page.item("  - ", &format!("{}: {held_as}, of {sources}{contact}", place.place), Style::Plain);
}
