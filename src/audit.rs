//! The audit: everything that the declared flows break, as one result.

use jiff::civil::Date;

use crate::finding::{Audit, InventoryFacts, Judged, Program, SCHEMA, Summary};
use crate::load::World;
use crate::model::Scope;
use crate::source::Sources;
use crate::vocabulary::PolicyStatus;

/// How to judge.
#[derive(Debug, Clone)]
pub struct Options {
    /// The day on which waivers and assurances have expired or not.
    pub day: Date,
    /// Which flows count.
    pub scope: Scope,
    /// The standings of policies whose findings bind (can make the audit fail).
    pub binding: Vec<PolicyStatus>,
}

impl Options {
    /// Judges all flows on a day; what is enjoined, proposed or a benchmark does not bind.
    pub fn new(day: Date) -> Self {
        use PolicyStatus::{Contractual, House, InForce};
        Options { day, scope: Scope::default(), binding: vec![InForce, Contractual, House] }
    }
}

/// Judges a world.
pub fn audit(_world: &World, _sources: &Sources, options: &Options) -> Audit {
    Audit {
        ringfence: Program { version: env!("CARGO_PKG_VERSION").to_owned(), schema: SCHEMA },
        judged: Judged { day: options.day.to_string(), as_of: options.scope.as_of.map(|d| d.to_string()) },
        inventory: InventoryFacts::default(),
        policies: Vec::new(),
        findings: Vec::new(),
        promises: Vec::new(),
        notices: Vec::new(),
        relied_on: Vec::new(),
        summary: Summary::default(),
    }
}
