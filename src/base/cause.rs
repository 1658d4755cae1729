//! Causes as results list them: what has to change for findings to go.

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Audit, FindingStatus};
use super::source::Location;
use super::vocabulary::Severity;

/// One declaration that findings hang on. Each finding has one cause, by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// `flow:`, `system:`, `party:`, `group:` or `agreement:` and the full id.
    pub id: String,
    /// The highest severity among its findings that bind; where none binds, among all of them.
    pub severity: Severity,
    /// How many findings have this cause.
    pub findings: usize,
    /// How many of them bind.
    pub binding: usize,
    /// How many of them are new.
    pub new: usize,
    /// The rules that they break, as findings name them: built-in checks and promises included.
    pub rules: Vec<String>,
    /// The ids of the promises among them.
    pub promises: Vec<String>,
    /// The terms among them, with the agreements whose terms they are.
    pub terms: Vec<CauseTerm>,
    /// The systems (`party/system`) at which the chains that the findings show start.
    pub sources: Vec<String>,
    /// All of its findings are there only because of proposed agreements.
    pub prospective: bool,
    /// The declaration says itself that it is assumed.
    pub assumed: bool,
    /// Where it is declared.
    pub location: Location,
}

/// A term that a cause breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CauseTerm {
    /// The built-in check, `terms/purpose` say.
    pub rule: String,
    /// The agreements that state the term.
    pub agreements: Vec<String>,
}

impl Audit {
    /// Counts the new findings of each cause again, after findings have become known.
    pub fn count_new(&mut self) {
        let mut new: FxHashMap<&str, usize> = FxHashMap::default();
        for finding in self.findings.iter().filter(|finding| finding.status == FindingStatus::New) {
            *new.entry(&finding.cause).or_default() += 1;
        }
        for cause in &mut self.causes {
            cause.new = new.get(cause.id.as_str()).copied().unwrap_or_default();
        }
    }
}
