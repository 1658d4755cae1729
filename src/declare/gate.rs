//! When an audit fails: which findings and which notices count against it.

use rustc_hash::FxHashSet;

use crate::base::finding::{Audit, Finding, FindingStatus, Notice, Summary};
use crate::base::vocabulary::{Severity, Word};

/// The severity from which on a new finding makes an audit fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// At this severity or a more severe one.
    At(Severity),
    /// No finding makes it fail.
    Never,
}

impl Word for Threshold {
    const WHAT: &'static str = "a severity or `never`";
    const ALL: &'static [Self] = &[
        Threshold::At(Severity::Critical),
        Threshold::At(Severity::High),
        Threshold::At(Severity::Medium),
        Threshold::At(Severity::Low),
        Threshold::At(Severity::Info),
        Threshold::Never,
    ];

    fn word(self) -> &'static str {
        match self {
            Threshold::At(severity) => severity.word(),
            Threshold::Never => "never",
        }
    }
}

/// Which notices make an audit fail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Denied {
    /// None (default).
    #[default]
    None,
    /// Every notice.
    All,
    /// Those with these codes.
    Codes(Vec<String>),
}

/// When an audit fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// From which severity on.
    pub fail_on: Threshold,
    /// On which notices.
    pub denied: Denied,
}

impl Default for Gate {
    fn default() -> Self {
        Gate { fail_on: Threshold::At(Severity::High), denied: Denied::None }
    }
}

impl Gate {
    /// Whether a finding makes the audit fail: it is new, binding and grave enough.
    pub fn stops(&self, finding: &Finding) -> bool {
        let grave = match self.fail_on {
            Threshold::At(severity) => finding.severity <= severity,
            Threshold::Never => false,
        };
        grave && finding.binding && finding.status == FindingStatus::New
    }

    /// How many findings there are, how many of them make the audit fail, and from how many causes.
    pub fn summary(&self, findings: &[Finding]) -> Summary {
        let failing = || findings.iter().filter(|f| self.stops(f));
        let causes: FxHashSet<&str> = failing().map(|finding| finding.cause.as_str()).collect();
        let new = findings.iter().filter(|f| f.status == FindingStatus::New).count();
        let number = failing().count();
        Summary {
            failing: number,
            for_information: new - number,
            failing_causes: causes.len(),
            ..Summary::of(findings)
        }
    }

    /// Whether a notice makes the audit fail.
    pub fn denies(&self, notice: &Notice) -> bool {
        match &self.denied {
            Denied::None => false,
            Denied::All => true,
            Denied::Codes(codes) => codes.contains(&notice.code),
        }
    }

    /// Whether the audit fails.
    pub fn fails(&self, audit: &Audit) -> bool {
        audit.findings.iter().any(|f| self.stops(f)) || audit.notices.iter().any(|n| self.denies(n))
    }
}
