//! Causes as results list them: what has to change for findings to go.

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Audit, FindingStatus};
use super::source::Location;
use super::vocabulary::{Basis, Severity, Status, Transform};

/// What findings hang on: one declaration, or several that differ only in the partner. Each finding has one cause,
/// by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// `flow:`, `system:`, `party:`, `group:` or `agreement:` and the full id; of several declarations the first.
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
    /// All of its declarations say themselves that they are assumed.
    pub assumed: bool,
    /// Who the label `owner` names: of the declarations, else of the agreements, systems or parties that they
    /// belong to.
    #[serde(default)]
    pub owners: Vec<String>,
    /// The declarations, by id: one, or several that differ only in the partner.
    #[serde(default)]
    pub declarations: Vec<CauseDeclaration>,
    /// Where the first of them is declared.
    pub location: Location,
}

/// A declaration that findings hang on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CauseDeclaration {
    /// Its kind and full id, as in the id of the cause.
    pub id: String,
    /// What it is called.
    pub title: Option<String>,
    /// `party/system` that a flow leaves.
    pub from: Option<String>,
    /// `party/system` that a flow enters.
    pub to: Option<String>,
    /// What a flow is declared to carry.
    pub data: Vec<String>,
    /// What a flow moves it for; what a system is run for.
    pub purposes: Vec<String>,
    /// What a flow does to the data before it leaves.
    pub transform: Option<Transform>,
    /// The agreement that a flow is under.
    pub agreement: Option<String>,
    /// Where that agreement stands, or the agreement itself.
    pub agreement_status: Option<Status>,
    /// The flow or the agreement is over on the day judged.
    #[serde(default)]
    pub ended: bool,
    /// The parties concerned: of a flow who sends and who receives.
    pub parties: Vec<String>,
    /// Whether it is public or assumed, where it says.
    pub basis: Option<Basis>,
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
