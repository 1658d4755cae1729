//! The numbers of a result: every format takes them from here, so that none says another.

use super::relied;
use super::say::{by_severity, count};
use crate::base::finding::{Audit, Finding, FindingStatus, PromiseState, Summary};
use crate::base::vocabulary::Severity;
use crate::declare::gate::{Gate, Threshold};

/// How many findings fail, and how many are there besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The numbers, as JSON has them.
    pub summary: Summary,
    /// The failing ones by severity: `14 critical, 61 high`.
    pub failing: String,
    /// Those for information by severity.
    pub information: String,
    /// How many of those for information are from non-binding policies.
    pub loose: usize,
    /// How many promises there are.
    pub promises: usize,
    /// How many are broken.
    pub broken: usize,
    /// How many are not decidable from what is declared.
    pub undecided: usize,
    /// How many notices there are.
    pub notices: usize,
    /// How many claims the result rests on.
    pub claims: usize,
    fail_on: Threshold,
}

impl Tally {
    /// Counts a result by when it fails.
    pub fn new(audit: &Audit, gate: &Gate) -> Self {
        let severities = |is: &dyn Fn(&&Finding) -> bool| {
            by_severity(audit.findings.iter().filter(|f| is(f)).map(|finding| finding.severity)).1
        };
        let standing = |state| audit.promises.iter().filter(|p| p.standing() == state).count();
        let new = |finding: &Finding| finding.status == FindingStatus::New;
        Tally {
            summary: gate.summary(&audit.findings),
            failing: severities(&|finding| gate.stops(finding)),
            information: severities(&|finding| new(finding) && !gate.stops(finding)),
            loose: audit.findings.iter().filter(|finding| new(finding) && !finding.binding).count(),
            promises: audit.promises.len(),
            broken: standing(PromiseState::Broken),
            undecided: standing(PromiseState::Undecided),
            notices: audit.notices.len(),
            claims: relied::claims(audit).len(),
            fail_on: gate.fail_on,
        }
    }

    /// `75 new findings at or above \`high\` (14 critical, 61 high), from 6 causes`, if any fails.
    pub fn fails(&self) -> Option<String> {
        let Threshold::At(from) = self.fail_on else { return None };
        let Summary { failing, failing_causes, .. } = self.summary;
        let causes = count(failing_causes, "cause");
        (failing > 0).then(|| {
            format!(
                "{} {} ({}), from {causes}",
                count(failing, "new finding"),
                at_or_above(from),
                self.failing
            )
        })
    }

    /// `9 findings (9 medium; 1 from a non-binding policy)`, those for information, if there are any.
    pub fn informs(&self) -> Option<String> {
        let number = self.summary.for_information;
        let loose = match self.loose {
            0 => String::new(),
            1 => "; 1 from a non-binding policy".to_owned(),
            n => format!("; {n} from non-binding policies"),
        };
        (number > 0).then(|| format!("{} ({}{loose})", count(number, "finding"), self.information))
    }

    /// Everything counted, as sentences.
    pub fn sentences(&self) -> String {
        let s = &self.summary;
        let failing = match s.failing {
            0 => "Failing: 0.".to_owned(),
            n => format!("Failing: {n} ({}), from {}.", self.failing, count(s.failing_causes, "cause")),
        };
        let information = match s.for_information {
            0 => "For information: 0.".to_owned(),
            n => format!("For information: {n} ({}).", self.information),
        };
        let undecided = match self.undecided {
            0 => String::new(),
            n => format!(", not decidable: {n}"),
        };
        format!(
            "{failing} {information} Waived: {}. In the baseline: {}. Promises broken: {} of {}{undecided}. \
             Notices: {}. Relied on: {}.",
            s.waived,
            s.baseline,
            self.broken,
            self.promises,
            self.notices,
            count(self.claims, "claim"),
        )
    }
}

fn at_or_above(severity: Severity) -> String {
    format!("at or above `{severity}`")
}
