//! Where data goes: a block for each source and place.

use std::collections::BTreeSet;
use std::io;

use super::{Format, route, scope, scope_said, table};
use crate::audit::{Options, audit};
use crate::base::source::Sources;
use crate::base::vocabulary::{Word, words};
use crate::model::load::World;
use crate::query::{Reached, Trace};
use crate::read::places::Places;
use crate::report::diagram::{self, Filter};
use crate::report::html::sheet::{self, Sheet, Table};
use crate::report::page::{Page, Style};
use crate::report::say::{CATEGORIES, count, some};
use crate::report::text::{chain, heading};

words! {
    /// A form of a trace.
    Form: "a format" {
        /// For people.
        Text = "text",
        /// For programs: one object, whose shape `schemas/trace.schema.json` states.
        Json = "json",
        /// For spreadsheets: a row for each source and place.
        Csv = "csv",
        /// For people: a page to read, print and hand over.
        Html = "html",
        /// For Graphviz: the chains as a picture.
        Dot = "dot",
        /// For Markdown pages: the chains as a picture.
        Mermaid = "mermaid",
        /// The chains as a picture, laid out.
        Svg = "svg",
    }
}

impl Form {
    /// The form of the answer, or of the picture.
    pub fn of(self) -> Result<Format, diagram::Format> {
        match self {
            Form::Text => Ok(Format::Text),
            Form::Json => Ok(Format::Json),
            Form::Csv => Ok(Format::Csv),
            Form::Html => Ok(Format::Html),
            Form::Dot => Err(diagram::Format::Dot),
            Form::Mermaid => Err(diagram::Format::Mermaid),
            Form::Svg => Err(diagram::Format::Svg),
        }
    }
}

impl Trace {
    /// The flows of its chains as a picture.
    ///
    /// # Errors
    /// When it cannot be put into the format.
    pub fn picture(
        &self,
        world: &World,
        sources: &Sources,
        options: &Options,
        format: diagram::Format,
    ) -> io::Result<String> {
        let chains = self.reached.iter().flat_map(|one| std::iter::once(&one.path).chain(&one.further));
        let named: BTreeSet<&str> = chains.flatten().map(|hop| hop.flow.as_str()).collect();
        let flows = world
            .model
            .flows
            .iter()
            .filter(|(id, flow)| named.contains(flow.name.as_str()) && !world.model.leaves_ghost(*id));
        let flows = flows.map(|(id, _)| id).collect();
        let filter = Filter { scope: options.scope.clone(), flows: Some(flows), ..Filter::default() };
        // Where the data goes is shown, not what is wrong with it.
        let mut audit = audit(world, sources, options);
        audit.findings.clear();
        let mut picture = diagram::picture(world, &audit, &filter);
        picture.title = format!("Data {}", self.question.words());
        picture.description = format!(
            "The shortest chains of {}, in {}.",
            match self.reached.len() {
                1 => "1 source and place".to_owned(),
                many => format!("{many} pairs of source and place"),
            },
            count(picture.edges.len(), "line"),
        );
        Ok(diagram::render(&picture, format)?)
    }

    /// Writes the answer; of the text at most `limit` blocks.
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
        let (mut sources, mut places): (Vec<&str>, Vec<&str>) =
            self.reached.iter().map(|one| (one.source.as_str(), one.place.as_str())).unzip();
        for names in [&mut sources, &mut places] {
            names.sort_unstable();
            names.dedup();
        }
        match self.reached.len() {
            0 if !self.question.from.is_empty() => format!(
                "No data {} gets anywhere: none starts there, or none moves. What a place holds is listed by `--to`.",
                self.question.words()
            ),
            0 => format!("No data {} is declared to be held.", self.question.words()),
            _ => format!(
                "{} hold data {} that starts at {}.",
                count(places.len(), "system"),
                self.question.words(),
                count(sources.len(), "system"),
            )
            .replacen("1 system hold ", "1 system holds ", 1),
        }
    }

    fn sheet(&self) -> Sheet {
        let row = |one: &Reached| {
            let relations: Vec<String> =
                one.relations.iter().map(|relation| relation.word().replace('_', " ")).collect();
            let assumed = if one.assumed { " (assumed)" } else { "" };
            vec![
                format!("{}{assumed}", one.source),
                one.place.clone(),
                match one.data == one.held_as {
                    true => one.data.join(", "),
                    false => format!("{}, held as {}", one.data.join(", "), one.held_as.join(", ")),
                },
                relations.join(", "),
                one.purposes.join(", "),
                one.agreements.join(", "),
                route(&one.path),
            ]
        };
        let columns = ["From", "To", "Data", "Relation", "For", "Under the terms of", "Shortest chain"];
        let rows = self.reached.iter().map(row).collect();
        Sheet {
            title: format!("Where data goes, {}", self.judged.day),
            answer: self.found(),
            scope: scope_said(&self.judged),
            facts: Vec::new(),
            tables: Table::of("Sources and places", &columns, rows).into_iter().collect(),
        }
    }

    fn text(&self, mut page: Page, limit: usize) -> String {
        let found = self.found();
        page.para(0, &found, Style::Bold);
        scope(&mut page, &self.judged);
        for one in self.reached.iter().take(limit) {
            write(&mut page, one);
        }
        if let Some(more @ 1..) = self.reached.len().checked_sub(limit) {
            page.gap();
            page.para(0, &format!("… and {}; --limit 0 shows all", count(more, "more pair")), Style::Dim);
        }
        page.finish()
    }

    fn csv(&self) -> String {
        let columns = [
            "source",
            "place",
            "assumed",
            "relations",
            "data",
            "held_as",
            "purposes",
            "agreements",
            "flows",
            "path",
            "file",
            "line",
        ];
        let row = |one: &Reached| {
            let relations: Vec<&str> = one.relations.iter().map(|relation| relation.word()).collect();
            let path: Vec<&str> = one.path.iter().map(|hop| hop.flow.as_str()).collect();
            [
                one.source.clone(),
                one.place.clone(),
                one.assumed.to_string(),
                relations.join(" "),
                one.data.join(" "),
                one.held_as.join(" "),
                one.purposes.join(" "),
                one.agreements.join(" "),
                one.length.to_string(),
                path.join(" -> "),
                one.location.file.clone(),
                one.location.line.to_string(),
            ]
        };
        table(columns, self.reached.iter().map(row))
    }
}

/// Data of one system at one place.
fn write(page: &mut Page, one: &Reached) {
    let assumed = if one.assumed { " (assumed to start there)" } else { "" };
    heading(page, &format!("{}{assumed} → {}", one.source, one.place), Style::Bold);
    let data = some(&one.data, CATEGORIES);
    let held_as = some(&one.held_as, CATEGORIES);
    let becomes = if data == held_as { String::new() } else { format!(", held as {held_as}") };
    page.item("  data       ", &format!("{data}{becomes}"), Style::Plain);
    let relations: Vec<String> =
        one.relations.iter().map(|relation| relation.word().replace('_', " ")).collect();
    page.item("  as a       ", &relations.join(", or a "), Style::Plain);
    if !one.purposes.is_empty() {
        page.item("  for        ", &some(&one.purposes, CATEGORIES), Style::Plain);
    }
    let under = match one.agreements.as_slice() {
        [] if one.path.is_empty() => "it starts here".to_owned(),
        [] => "no agreement's terms".to_owned(),
        all => format!("the terms of {}", some(all, CATEGORIES)),
    };
    page.item("  under      ", &under, Style::Plain);
    if one.path.is_empty() {
        return;
    }
    page.item("  chain      ", &count(one.length, "flow"), Style::Plain);
    chain::write(page, 4, &one.path, None, &Places::default());
    for further in &one.further {
        page.item("  or         ", &count(further.len(), "flow"), Style::Plain);
        chain::write(page, 4, further, None, &Places::default());
    }
    if one.further_cut {
        page.para(2, "… there may be more chains", Style::Dim);
    }
}
