//! What has changed since an earlier result.

use std::collections::BTreeSet;

use super::say::{count, listing};
use crate::base::finding::{Audit, FindingStatus, PromiseState};

/// An earlier result, as far as a report compares itself with it.
#[derive(Debug, Clone)]
pub struct Since {
    /// The day that it judged.
    pub day: String,
    findings: BTreeSet<String>,
    broken: BTreeSet<String>,
    promises: BTreeSet<String>,
}

impl Since {
    /// What counts of an earlier result: its findings that nobody had accepted.
    pub fn new(audit: &Audit) -> Self {
        let broken = audit.promises.iter().filter(|p| p.standing() == PromiseState::Broken);
        Since {
            day: audit.judged.day.clone(),
            findings: new(audit).map(str::to_owned).collect(),
            broken: broken.map(|promise| promise.id.clone()).collect(),
            promises: audit.promises.iter().map(|promise| promise.id.clone()).collect(),
        }
    }

    /// Better or worse, in sentences.
    pub fn lines(&self, audit: &Audit) -> Vec<String> {
        let now: BTreeSet<&str> = new(audit).collect();
        let added = now.iter().filter(|finding| !self.findings.contains(**finding)).count();
        let gone = self.findings.iter().filter(|finding| !now.contains(finding.as_str())).count();
        let (before, after) = (self.findings.len(), now.len());
        let verdict = match (added, gone) {
            (0, 0) => "Nothing has changed".to_owned(),
            (0, _) => "Better".to_owned(),
            (_, 0) => "Worse".to_owned(),
            _ => "Better in parts, worse in others".to_owned(),
        };
        let day = &self.day;
        let mut lines = vec![format!(
            "{verdict} since the audit of {day}: {} then, {after} now; {added} added, {gone} gone.",
            count(before, "new finding")
        )];
        let standing = |state: PromiseState| {
            let known = audit.promises.iter().filter(move |p| p.standing() == state);
            known.map(|promise| promise.id.as_str())
        };
        let kept_again: Vec<String> =
            standing(PromiseState::Kept).filter(|id| self.broken.contains(*id)).map(str::to_owned).collect();
        let fallen: Vec<String> = standing(PromiseState::Broken)
            .filter(|id| self.promises.contains(*id) && !self.broken.contains(*id))
            .map(str::to_owned)
            .collect();
        if !fallen.is_empty() {
            lines.push(format!("Promises broken since: {}.", listing(&fallen)));
        }
        if !kept_again.is_empty() {
            lines.push(format!("Promises kept again: {}.", listing(&kept_again)));
        }
        lines
    }
}

fn new(audit: &Audit) -> impl Iterator<Item = &str> {
    let open = audit.findings.iter().filter(|finding| finding.status == FindingStatus::New);
    open.map(|finding| finding.fingerprint.as_str())
}
