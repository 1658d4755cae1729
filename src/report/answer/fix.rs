//! The smallest sets of edits after which findings are gone.

use std::collections::BTreeMap;
use std::io;

use super::scope;
use crate::base::vocabulary::words;
use crate::query::{Cut, EditKind, Edited, Fix, Proposal, Target, Unfixable};
use crate::report::page::{Page, Style};
use crate::report::say::{count, some};
use crate::report::text::heading;

words! {
    /// A form of a fix.
    Format: "a format" {
        /// For people.
        Text = "text",
        /// For programs: one object, whose shape `schemas/fix.schema.json` states.
        Json = "json",
    }
}

/// So many names are listed.
const NAMES: usize = 6;

impl Fix {
    /// Writes it; of each list of the text at most `limit` entries.
    ///
    /// # Errors
    /// When it cannot be put into the format.
    pub fn render(&self, format: Format, width: usize, color: bool, limit: usize) -> io::Result<String> {
        match format {
            Format::Text => Ok(self.text(Page::new(width, color), limit)),
            Format::Json => crate::report::json::render(self),
        }
    }

    fn said(&self) -> String {
        let findings = count(self.targets.len(), "finding");
        let goes = if self.targets.len() == 1 { "goes" } else { "go" };
        match self.sets.first() {
            _ if self.targets.is_empty() && self.unfixable.is_empty() => {
                "Nothing has to be fixed.".to_owned()
            }
            _ if self.targets.is_empty() => "No edit of a flow makes these findings go.".to_owned(),
            Some(set) => format!("{findings} {goes} with {}.", count(set.edits.len(), "edit")),
            None if self.proven => {
                format!("No set of such edits makes {findings} go without opening another.")
            }
            None => format!("No set of edits was found that makes {findings} go."),
        }
    }

    fn text(&self, mut page: Page, limit: usize) -> String {
        page.para(0, &self.said(), Style::Bold);
        scope(&mut page, &self.judged);
        for (at, set) in self.sets.iter().enumerate() {
            let title = format!(
                "{}: {}, cost {}{}",
                if at == 0 { "Set 1".to_owned() } else { format!("Set {} instead", at + 1) },
                count(set.edits.len(), "edit"),
                set.cost,
                if at == 0 { format!(" ({})", self.how_small(set)) } else { String::new() },
            );
            heading(&mut page, &title, Style::Bold);
            for (number, edit) in set.edits.iter().enumerate().take(limit) {
                edited(&mut page, number + 1, edit);
            }
            rest(&mut page, set.edits.len(), limit);
            self.proved(&mut page, set);
        }
        self.ended(&mut page);
        self.list(&mut page, "What goes", &self.targets, limit);
        self.list(&mut page, "What no such edit makes go", &self.unfixable, limit);
        page.finish()
    }

    /// Whether a smaller set may exist.
    fn how_small(&self, set: &Proposal) -> String {
        match self.is_smallest(set) {
            true => "no smaller set exists".to_owned(),
            false => format!("the smallest found; none costs less than {}", self.at_least),
        }
    }

    fn proved(&self, page: &mut Page, set: &Proposal) {
        let proof = &set.proof;
        let text = format!(
            "Judged again with them: {} of {} failing, {} gone in all{}",
            proof.failing_after,
            proof.failing_before,
            count(proof.gone, "finding"),
            match proof.come.len() {
                0 => ", none new".to_owned(),
                1 => ", 1 new that does not fail:".to_owned(),
                many => format!(", {many} new that do not fail:"),
            }
        );
        page.para(2, &text, Style::Dim);
        proof.come.iter().take(NAMES).for_each(|one| page.item("    - ", one, Style::Dim));
        if let Some(more @ 1..) = proof.come.len().checked_sub(NAMES) {
            page.para(4, &format!("… and {more} more"), Style::Dim);
        }
        if set.edits.iter().any(|edit| edit.needs_fact) {
            let text = "An edit marked `fact` does not make it so: state it once it is, then write it with --assert.";
            page.para(2, text, Style::Yellow);
        }
    }

    fn ended(&self, page: &mut Page) {
        let text = match self.cut {
            Some(Cut::Steps) => "The search ended at its number of steps: a smaller set may exist.",
            Some(Cut::Seconds) => {
                "The search ended at --max-seconds: another run may find more, so this answer depends on the machine."
            }
            None => return,
        };
        page.gap();
        page.para(0, text, Style::Yellow);
    }

    /// Findings by rule.
    fn list(&self, page: &mut Page, title: &str, all: &[Target], limit: usize) {
        if all.is_empty() {
            return;
        }
        heading(page, &format!("{title}: {}", count(all.len(), "finding")), Style::Bold);
        let mut by_rule: BTreeMap<(&str, Option<Unfixable>), Vec<&Target>> = BTreeMap::new();
        all.iter().for_each(|one| by_rule.entry((&one.rule, one.why)).or_default().push(one));
        let many = by_rule.len();
        for ((rule, why), findings) in by_rule.into_iter().take(limit) {
            let prints: Vec<String> = findings.iter().map(|one| one.fingerprint.clone()).collect();
            let why = match why {
                None => "",
                Some(Unfixable::Alone) => "; no edit of a flow that may be edited breaks it",
                Some(Unfixable::Together) => "; every set of edits that breaks them opens another",
            };
            page.item("  - ", &format!("{rule}: {}{why}", some(&prints, NAMES)), Style::Plain);
            let remedy = findings.first().and_then(|one| one.remedy.as_ref()).filter(|_| !why.is_empty());
            remedy.into_iter().for_each(|remedy| page.para(4, remedy, Style::Dim));
        }
        rest(page, many, limit);
    }
}

fn rest(page: &mut Page, many: usize, limit: usize) {
    if let Some(more @ 1..) = many.checked_sub(limit) {
        page.para(2, &format!("… and {more} more; --limit 0 shows all"), Style::Dim);
    }
}

fn edited(page: &mut Page, number: usize, edit: &Edited) {
    let fact = if edit.needs_fact { " (fact)" } else { "" };
    page.item(&format!("  {number}. "), &format!("{}{fact}", edit.said()), Style::Plain);
    let owner = edit.owner.as_ref().map_or(String::new(), |owner| format!(" · owner: {owner}"));
    let ends =
        edit.from.iter().zip(&edit.to).map(|(from, to)| format!("{from} -> {to} · ")).collect::<String>();
    let place = format!("{ends}{}:{}{owner}", edit.location.file, edit.location.line);
    page.para(5, &place, Style::Dim);
}

impl Edited {
    /// What is done, in words.
    pub fn said(&self) -> String {
        let flow = &self.of;
        let after = some(&self.after, NAMES);
        let gone: Vec<String> =
            self.before.iter().filter(|name| !self.after.contains(name)).cloned().collect();
        let new: Vec<String> =
            self.after.iter().filter(|name| !self.before.contains(name)).cloned().collect();
        match self.kind {
            EditKind::Cut => format!("cut {flow}"),
            EditKind::Data if new.is_empty() => format!("drop {} from {flow}", some(&gone, NAMES)),
            EditKind::Data => {
                format!("let {flow} carry {} in the place of {}", some(&new, NAMES), some(&gone, NAMES))
            }
            EditKind::OnlyFrom => format!("let {flow} carry data of {after} alone"),
            EditKind::Purposes => format!("take {} from the purposes of {flow}", some(&gone, NAMES)),
            EditKind::Derives => {
                format!("derive nothing from {} at {flow}, where nothing brings it", some(&gone, NAMES))
            }
            EditKind::Transform => format!("transform what crosses {flow}: {after}"),
            EditKind::Consent => format!("have consent for {flow}: {after}"),
            EditKind::Assurance => format!("have attested for {flow}: {}", some(&new, NAMES)),
        }
    }
}
