//! The loss report: what became of every leaf, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::visible::{in_json, visible};
use crate::base::vocabulary::{Word, words};
use crate::report::csv::cell;
use crate::report::markdown::escape::text;

use super::Format;
use super::fate::{Code, Effect, Entry};

words! {
    /// A form of the loss report.
    Form: "a format of the loss report" {
        /// For people, in a terminal.
        Text = "text",
        /// For programs.
        Json = "json",
        /// For a comment on a change.
        Markdown = "markdown",
        /// For spreadsheets.
        Csv = "csv",
    }
}

/// The program that made it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The version of this report's shape.
    pub schema: u32,
}

impl Default for Program {
    fn default() -> Self {
        Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: 1 }
    }
}

/// A file and its digest.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Mapped {
    /// The file.
    pub file: String,
    /// BLAKE3 of its bytes.
    pub blake3: String,
}

/// How much was made.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Made {
    /// Parties.
    pub parties: usize,
    /// Systems.
    pub systems: usize,
    /// Agreements.
    pub agreements: usize,
    /// Flows.
    pub flows: usize,
    /// Categories of one's own.
    pub categories: usize,
    /// Purposes of one's own.
    pub purposes: usize,
    /// Policies.
    pub policies: usize,
}

/// What became of every leaf of the sources.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "Loss report")]
pub struct Loss {
    /// The program that made it.
    pub ringfence: Program,
    /// The format read.
    pub format: Format,
    /// The files read.
    pub sources: Vec<Mapped>,
    /// The mapping, if there is one.
    pub mapping: Option<Mapped>,
    /// How much was made.
    pub made: Made,
    /// How many leaves the sources have.
    pub read: usize,
    /// How many of them have each fate; they add up to `read`.
    pub fates: BTreeMap<Code, usize>,
    /// How many entries concern a path and nobody has accepted.
    pub open: usize,
    /// Accepted ids that no entry has.
    pub unused_acceptances: Vec<String>,
    /// All but what was carried or kept as a label, what causes most first.
    pub entries: Vec<Entry>,
}

/// The schema of the JSON.
///
/// # Errors
/// It cannot be written, which is a mistake of the program.
pub fn schema() -> serde_json::Result<String> {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Loss>();
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

impl Loss {
    /// The entries that concern a path and nobody has accepted first, then by what they cause.
    pub fn sort(&mut self) {
        self.entries.sort_by(|a, b| {
            let key = |entry: &Entry| {
                let reach = entry.reach.unwrap_or_default();
                let weight = (reach.alone.unwrap_or_default(), reach.critical, reach.findings, entry.leaves);
                (std::cmp::Reverse(entry.is_open()), std::cmp::Reverse(weight), std::cmp::Reverse(entry.code))
            };
            key(a).cmp(&key(b)).then_with(|| (&a.at, &a.value, &a.id).cmp(&(&b.at, &b.value, &b.id)))
        });
    }

    /// The report in one of its forms; the text has at most so many entries.
    ///
    /// # Errors
    /// It cannot be written, which is a mistake of the program.
    pub fn render(&self, form: Form, limit: usize) -> serde_json::Result<String> {
        Ok(match form {
            Form::Json => in_json(&serde_json::to_string_pretty(self)?) + "\n",
            Form::Csv => self.csv(),
            Form::Markdown => self.markdown(),
            Form::Text => self.text(limit),
        })
    }

    fn head(&self) -> String {
        let some = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let Made { parties, systems, agreements, flows, categories, purposes, policies } = &self.made;
        let mut text = format!(
            "Made {}, {}, {}, {}",
            some(*parties, "party", "parties"),
            some(*systems, "system", "systems"),
            some(*agreements, "agreement", "agreements"),
            some(*flows, "flow", "flows"),
        );
        if *policies > 0 {
            text += &format!(", {}", some(*policies, "policy", "policies"));
        }
        if categories + purposes > 0 {
            text += &format!(
                ", {} of its own",
                some(categories + purposes, "category or purpose", "categories and purposes")
            );
        }
        text += &format!(
            " from {} of {}.",
            some(self.read, "value", "values"),
            some(self.sources.len(), "file", "files")
        );
        text
    }

    fn balance(&self) -> String {
        let fates: Vec<String> = self.fates.iter().map(|(code, n)| format!("{n} {code}")).collect();
        format!("{} read = {}", self.read, if fates.is_empty() { "0".to_owned() } else { fates.join(" + ") })
    }

    fn verdict(&self) -> String {
        match self.open {
            0 => "Nothing that concerns a path is open.".to_owned(),
            1 => "1 entry concerns a path and is open: settle it in the mapping, or accept it there."
                .to_owned(),
            n => format!(
                "{n} entries concern a path and are open: settle them in the mapping, or accept them there."
            ),
        }
    }

    fn text(&self, limit: usize) -> String {
        let mut out = format!("{}\n{}\n{}\n", self.head(), self.balance(), self.verdict());
        // What concerns no verdict is in the other forms.
        let all: Vec<&Entry> = self.entries.iter().filter(|entry| entry.effect != Effect::None).collect();
        for entry in all.iter().take(limit) {
            let place = match &entry.at {
                Some(at) => match &at.cell {
                    Some(cell) => format!("{}:{cell}", at.file),
                    None => format!("{}:{}:{}", at.file, at.line, at.column),
                },
                None => String::new(),
            };
            let mark = if entry.is_open() {
                "open"
            } else if entry.accepted.is_some() {
                "accepted"
            } else {
                "note"
            };
            let value: String = entry.value.chars().take(100).collect();
            let _ = writeln!(out, "\n{mark} {}[{}] {}", entry.code, entry.id, visible(&value));
            let many = if entry.leaves > 1 {
                format!(" and {} more places", entry.leaves - 1)
            } else {
                String::new()
            };
            if !place.is_empty() {
                let _ = writeln!(out, "  at {}{many}", visible(&place));
            }
            let note = entry.note.as_deref().unwrap_or_else(|| entry.code.meaning());
            let _ = writeln!(out, "  {}", visible(note));
            if let Some(causes) = caused(entry) {
                let _ = writeln!(out, "  {causes}");
            }
        }
        if all.len() > limit {
            let _ = writeln!(out, "\n… and {} more entries; --limit 0 shows all", all.len() - limit);
        }
        if !self.unused_acceptances.is_empty() {
            let _ = writeln!(
                out,
                "\nAccepted in the mapping and no longer there: {}",
                self.unused_acceptances.join(", ")
            );
        }
        out
    }

    fn markdown(&self) -> String {
        let safe = |value: &str| text(value, 500);
        let mut out = format!(
            "## Import\n\n{}\n\n{}\n\n{}\n\n",
            safe(&self.head()),
            safe(&self.balance()),
            safe(&self.verdict())
        );
        out += "| open | fate | where | value | what became of it |\n| --- | --- | --- | --- | --- |\n";
        for entry in &self.entries {
            let place = entry.at.as_ref().map(|at| match &at.cell {
                Some(cell) => format!("{}:{cell}", at.file),
                None => format!("{}:{}", at.file, at.line),
            });
            let value: String = entry.value.chars().take(200).collect();
            let note = entry.note.as_deref().unwrap_or_else(|| entry.code.meaning());
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                if entry.is_open() { "yes" } else { "" },
                entry.code,
                safe(&place.unwrap_or_default()),
                safe(&value),
                safe(note)
            );
        }
        out
    }

    fn csv(&self) -> String {
        let heads = [
            "id",
            "code",
            "effect",
            "path_relevant",
            "open",
            "file",
            "line",
            "cell",
            "pointer",
            "leaves",
            "value",
            "became",
            "note",
            "findings",
            "alone",
            "accepted_by",
            "reason",
        ];
        let mut out = heads.join(",") + "\r\n";
        for entry in &self.entries {
            let at = entry.at.clone();
            let number = |n: Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
            let row = [
                entry.id.clone(),
                entry.code.word().to_owned(),
                entry.effect.word().to_owned(),
                entry.path_relevant.to_string(),
                entry.is_open().to_string(),
                at.as_ref().map(|at| at.file.clone()).unwrap_or_default(),
                at.as_ref().map(|at| at.line.to_string()).unwrap_or_default(),
                at.as_ref().and_then(|at| at.cell.clone()).unwrap_or_default(),
                at.map(|at| at.pointer).unwrap_or_default(),
                entry.leaves.to_string(),
                entry.value.clone(),
                entry.became.join(" "),
                entry.note.clone().unwrap_or_default(),
                number(entry.reach.map(|reach| reach.findings)),
                number(entry.reach.and_then(|reach| reach.alone)),
                entry.accepted.as_ref().map(|accepted| accepted.by.clone()).unwrap_or_default(),
                entry.accepted.as_ref().map(|accepted| accepted.reason.clone()).unwrap_or_default(),
            ];
            out += &(row.map(|text| cell(&text)).join(",") + "\r\n");
        }
        out
    }
}

/// What an entry causes, in a sentence.
fn caused(entry: &Entry) -> Option<String> {
    let reach = entry.reach.filter(|reach| reach.findings > 0)?;
    let findings = |n: usize| if n == 1 { "1 finding".to_owned() } else { format!("{n} findings") };
    let critical =
        if reach.critical > 0 { format!(", {} of them critical", reach.critical) } else { String::new() };
    let alone = match reach.alone {
        Some(alone) if alone > 0 => format!("; it alone causes {}", findings(alone)),
        _ => String::new(),
    };
    Some(format!(
        "{} of an audit with the pack `core` pass what it became{critical}{alone}",
        findings(reach.findings)
    ))
}
