//! Certificates: what a verdict rests on, and a check of it that is no second audit.
//!
//! A certificate lists the findings and, for each rule, sets of leaves at systems. The check
//! does not recompute reachability: it checks that the sets hold every origin and are closed under every
//! counting flow. Such sets hold all that can be anywhere, so that what they do not show to
//! be forbidden is not; what is listed as a finding is shown by its walks.
//! `docs/use/certificates.md` has the logic in full.
//!
//! What is shared with the audit is what both read: the resolved model, which flows count, how
//! matchers hold, what the fields of a declaration come to and whether a `require` holds of them.
//! Nothing that follows data is.

mod assumed;
mod check;
mod classes;
mod closed;
mod flow_checks;
mod found;
mod packs;
mod parts;
mod proofs;
mod questions;
mod required;
mod scope;
mod sets;
mod sticky;
mod terms;
mod waived;
mod walks;
mod witness;
mod world;
mod write;

use serde::{Deserialize, Serialize};

pub use check::{Verified, changes, verify};
pub use packs::unnamed as unnamed_policies;
pub use scope::{Expected, Judged};
pub use write::{list, write};

use crate::base::source::{SourceFile, Sources};
use crate::base::vocabulary::Severity;
pub use crate::model::Subject as About;

/// The version of the form.
pub const VERSION: u32 = 1;

/// What no certificate shows.
pub const NOT_COVERED: [&str; 5] = [
    "how grave findings are, and which follow from others or from proposed or ended agreements",
    "what data arrives as, and whose data breaks terms and limits: where waivers limit these, what is listed counts",
    "which claims kept something from being a finding, and notices",
    "whether promises that are not broken can be decided",
    "baselines",
];

/// All that a verdict rests on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// The version of the form.
    pub certificate: u32,
    /// The version of the program that wrote it.
    pub ringfence: String,
    /// For which day and scope.
    pub judged: Judged,
    /// The digest of the inventory, as in the audit.
    pub inventory: String,
    /// The name of each file of the inventory and the policies, and BLAKE3 of its bytes.
    pub files: Vec<(String, String)>,
    /// All systems, then all ghosts, in the order that sets number them.
    pub systems: Vec<String>,
    /// What is not shown.
    pub not_covered: Vec<String>,
    /// The findings.
    pub findings: Vec<Listed>,
    /// The sets.
    pub parts: Vec<Part>,
}

/// A finding as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Names it.
    pub fingerprint: String,
    /// What it breaks.
    pub rule: String,
    /// Where the data comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where it ends up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// The offending flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// What a limit, a requirement or an assumed origin is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The agreements concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreements: Vec<String>,
    /// The origin leaves concerned, as the fewest categories.
    pub data: Vec<String>,
    /// A waiver accepts it.
    pub waived: bool,
    /// What else waivers can limit, where a waiver or the baseline is of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
    /// Walks that prove it, by the full ids of their flows.
    pub walks: Vec<Vec<String>>,
}

/// What waivers can limit of a finding besides its data and agreements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// How grave it is.
    pub severity: Severity,
    /// Whether proposed agreements alone bring it.
    pub prospective: bool,
    /// What its data arrives as, as the fewest categories.
    pub arrives_as: Vec<String>,
    /// The parties whose data it is, where that was worked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<String>>,
}

/// The sets of one question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// The rule; `flow` for what offending flows carry, `terms` for terms.
    pub rule: String,
    /// Of a limit, which of its categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<usize>,
    /// Of terms, flows that put data under them: one for each of those followed together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<String>,
    /// The sets of leaves, by categories.
    pub leaves: sets::Dictionary,
    /// Of terms, what may be under them at all, from any origin: state, set, systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub under: Vec<sets::Stated>,
    /// What can get to a target at all: state, set, systems.
    pub toward: Vec<sets::Stated>,
    /// Items that are followed together.
    pub classes: Vec<Followed>,
    /// Of terms that say the same and that something may break: those of some alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<Apart>,
}

/// Terms that are followed apart from others that say the same: what may be under them, and what can
/// get to a target from there, is known from all of these.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Apart {
    /// Flows that put data under them: one for each of those followed together.
    pub flows: Vec<String>,
    /// What can get to a target from plane 0: state, set, systems.
    pub toward: Vec<sets::Stated>,
    /// Items that are followed together.
    pub classes: Vec<Followed>,
}

/// Items that are followed together, and where they get to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Followed {
    /// Of assumed origins.
    pub assumed: bool,
    /// What starts where: set, systems.
    pub starts: Vec<sets::Placed>,
    /// What gets where: state, set, systems.
    pub sets: Vec<sets::Stated>,
}
/// The name and digest of every text but settings.
pub fn digests(sources: &Sources) -> Vec<(String, String)> {
    digests_of(sources.iter().map(|(_, file)| file))
}

/// As [`digests`], of some texts.
pub fn digests_of<'s>(files: impl Iterator<Item = &'s SourceFile>) -> Vec<(String, String)> {
    let judged = files.filter(|file| file.name().rsplit('/').next() != Some("ringfence.yaml"));
    let digest = |file: &SourceFile| (file.name().to_owned(), file.digest().to_hex().to_string());
    let mut all: Vec<_> = judged.map(digest).collect();
    all.sort();
    all
}
