//! The built-in checks: do the flows keep their own agreements?
//!
//! One file each, with its words; `terms.rs` follows what is under an agreement.

mod consent;
mod ended;
mod flows;
mod foreign_party;
mod onward;
mod purpose;
mod retention;
mod safeguards;
mod terms;
mod undocumented;
mod unsourced;

pub use purpose::ruled_out;

pub use ended::ended;
pub use flows::{offending_flows, offends};
pub use terms::{Under, breaking_terms, broken_terms, held_under};
pub use unsourced::{needing, unsourced};

use crate::audit::analysis::Analysis;
use crate::base::bits::LeafSet;
use crate::base::vocabulary::{BuiltIn, Severity, Word};
use crate::model::FlowId;

/// A built-in check and its words.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name, as findings show it.
    pub id: BuiltIn,
    /// How much breaking it matters.
    pub severity: Severity,
    /// What it demands, in a few words.
    pub title: &'static str,
    /// When it is violated.
    pub violated: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The term of an agreement that it checks, if it does.
    pub term: Option<&'static str>,
    /// How it looks at flows.
    pub how: How,
}

impl Check {
    /// The leaves with which a flow breaks terms that it carries data under, if any. A flow whose
    /// transform releases data from them is not checked: the data is transformed before it leaves.
    /// What is disposed is checked for nothing.
    pub fn breaks(&self, analysis: &Analysis, under: &Under, flow: FlowId) -> Option<LeafSet> {
        match self.how {
            How::Under(broken) if analysis.counting.has(flow) && !under.releases(analysis, flow) => {
                broken(analysis, under, flow)
            }
            _ => None,
        }
    }
}

/// How a check looks at flows.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// At each flow that carries items under terms: the leaves for which the terms
    /// are broken, `None` if for none.
    Under(fn(&Analysis, &Under, FlowId) -> Option<LeafSet>),
    /// At each counting flow alone.
    Alone(fn(&Analysis, FlowId) -> bool),
    /// At assumed origins.
    Assumed,
    /// At agreements.
    Agreements,
}

/// A check by its name.
pub fn check(id: BuiltIn) -> &'static Check {
    match id {
        BuiltIn::Purpose => &purpose::CHECK,
        BuiltIn::Onward => &onward::CHECK,
        BuiltIn::Retention => &retention::CHECK,
        BuiltIn::Safeguards => &safeguards::CHECK,
        BuiltIn::Consent => &consent::CHECK,
        BuiltIn::Undocumented => &undocumented::CHECK,
        BuiltIn::ForeignParty => &foreign_party::CHECK,
        BuiltIn::Unsourced => &unsourced::CHECK,
        BuiltIn::Ended => &ended::CHECK,
    }
}

/// All checks, in the order shown.
pub fn all() -> impl Iterator<Item = &'static Check> {
    BuiltIn::ALL.iter().map(|&id| check(id))
}
