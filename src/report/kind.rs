//! Of what kind it is what a finding breaks: one grouping for every format.

use crate::base::finding::{Finding, FindingKind};
use crate::base::vocabulary::{BuiltIn, PolicyStatus, Word};

/// Where what is broken comes from, in the order in which it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A rule of a policy of law in force.
    Law,
    /// A term of an agreement, a check that there is one, or a policy that binds by contract.
    Contract,
    /// A public promise.
    Promise,
    /// A rule of the house.
    House,
    /// What the inventory itself leaves open.
    Inventory,
    /// A rule of law whose enforcement a court bars.
    Enjoined,
    /// A rule of law that is not in force yet.
    Proposed,
    /// A rule that a policy added after its major version.
    NewRule,
    /// A yardstick.
    Benchmark,
}

impl Kind {
    /// All, in their order.
    pub const ALL: [Kind; 9] = [
        Kind::Law,
        Kind::Contract,
        Kind::Promise,
        Kind::House,
        Kind::Inventory,
        Kind::Enjoined,
        Kind::Proposed,
        Kind::NewRule,
        Kind::Benchmark,
    ];

    /// Of what kind it is what a finding breaks.
    pub fn of(finding: &Finding) -> Self {
        match finding.policy_status {
            Some(status) => Kind::of_status(status),
            None if finding.kind == FindingKind::Statement => Kind::Promise,
            None if finding.rule == BuiltIn::Unsourced.word() => Kind::Inventory,
            None => Kind::Contract,
        }
    }

    /// The kind of a policy's rules.
    pub fn of_status(status: PolicyStatus) -> Self {
        match status {
            PolicyStatus::InForce => Kind::Law,
            PolicyStatus::Contractual => Kind::Contract,
            PolicyStatus::House => Kind::House,
            PolicyStatus::Enjoined => Kind::Enjoined,
            PolicyStatus::Proposed => Kind::Proposed,
            PolicyStatus::NewRule => Kind::NewRule,
            PolicyStatus::Benchmark => Kind::Benchmark,
        }
    }

    /// In a word or two, as text lists it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Law => "law",
            Kind::Contract => "contract",
            Kind::Promise => "promise",
            Kind::House => "house",
            Kind::Inventory => "inventory",
            Kind::Enjoined => "enjoined",
            Kind::Proposed => "proposed",
            Kind::NewRule => "new rule",
            Kind::Benchmark => "benchmark",
        }
    }

    /// In a word or two, as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Law => "Law",
            Kind::Contract => "Contract",
            Kind::Promise => "Promise",
            Kind::House => "House rule",
            Kind::Inventory => "Inventory",
            Kind::Enjoined => "Enjoined law",
            Kind::Proposed => "Proposed law",
            Kind::NewRule => "New rule",
            Kind::Benchmark => "Benchmark",
        }
    }
}
