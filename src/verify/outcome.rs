//! What a result that is verified comes to: how many findings, how grave, and whether it fails.

use std::collections::BTreeMap;

use crate::audit::checks;
use crate::base::finding::{Audit, Finding, FindingStatus};
use crate::base::vocabulary::{BuiltIn, PolicyStatus, Severity, Word};
use crate::declare::gate::{Gate, Threshold};
use crate::model::Written;
use crate::model::load::World;
use crate::verify::certificate::Certificate;

/// The check of data that nothing originates: how grave it is depends on what it would break.
const UNSOURCED: BuiltIn = BuiltIn::Unsourced;

/// What a result comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it fails; `None`: what is known does not say.
    pub fails: Option<bool>,
    /// New findings of rules that bind, by severity.
    pub new: Vec<(Severity, usize)>,
    /// Of these, how many are perhaps more severe.
    pub perhaps_more_severe: usize,
    /// Findings of non-binding policies.
    pub not_binding: usize,
    /// Findings that are accepted.
    pub accepted: usize,
    /// From which severity on findings fail.
    pub fail_on: Threshold,
}

impl Outcome {
    /// Of a certificate, by the severities of the rules and the usual gate: it holds neither.
    pub fn of_certificate(certificate: &Certificate, world: &World, binding: &[PolicyStatus]) -> Self {
        let rules = severities(world, binding);
        let mut outcome = Outcome::none(Gate::default().fail_on);
        let mut count = BTreeMap::new();
        for listed in &certificate.findings {
            match rules.get(&listed.rule) {
                _ if listed.waived => outcome.accepted += 1,
                Some((_, false)) => outcome.not_binding += 1,
                Some((severity, true)) => *count.entry(*severity).or_default() += 1,
                // What is not of these rules does not hold, and that is said elsewhere.
                None => {}
            }
            outcome.perhaps_more_severe +=
                usize::from(!listed.waived && BuiltIn::of(&listed.rule) == Some(UNSOURCED));
        }
        outcome.new = count.into_iter().collect();
        outcome.fails = match outcome.fail_on {
            Threshold::Never => Some(false),
            Threshold::At(severity) => match outcome.new.iter().any(|(own, _)| *own <= severity) {
                true => Some(true),
                false if outcome.perhaps_more_severe > 0 => None,
                false => Some(false),
            },
        };
        outcome
    }

    /// Of a report, by the gate that it was made with.
    pub fn of_report(report: &Audit, gate: &Gate) -> Self {
        let mut outcome = Outcome::none(gate.fail_on);
        let mut count = BTreeMap::new();
        for Finding { status, severity, binding, .. } in &report.findings {
            match (status, binding) {
                (FindingStatus::New, true) => *count.entry(*severity).or_default() += 1,
                (FindingStatus::New, false) => outcome.not_binding += 1,
                (FindingStatus::Waived | FindingStatus::Baseline, _) => outcome.accepted += 1,
            }
        }
        outcome.new = count.into_iter().collect();
        outcome.fails = Some(gate.fails(report));
        outcome
    }

    fn none(fail_on: Threshold) -> Self {
        Outcome { fails: None, new: Vec::new(), perhaps_more_severe: 0, not_binding: 0, accepted: 0, fail_on }
    }

    /// In a sentence.
    pub fn said(&self) -> String {
        let word = match self.fails {
            Some(true) => "FAIL",
            Some(false) => "PASS",
            None => "whether the audit fails cannot be told",
        };
        let number: usize = self.new.iter().map(|(_, number)| number).sum();
        let words: Vec<String> = self.new.iter().map(|(severity, n)| format!("{n} {severity}")).collect();
        let findings = match number {
            0 => "no new finding".to_owned(),
            1 => format!("1 new finding ({})", words.join(", ")),
            number => format!("{number} new findings ({})", words.join(", ")),
        };
        let from = match self.fail_on {
            Threshold::Never => "no finding fails (`--fail-on never`)".to_owned(),
            Threshold::At(severity) => format!("findings fail at or above `{}`", severity.word()),
        };
        let mut text = format!("{word}: {findings}; {from}");
        if self.perhaps_more_severe > 0 {
            let are = if self.perhaps_more_severe == 1 { "is" } else { "are" };
            text += &format!("; {} of `{UNSOURCED}` {are} perhaps high", self.perhaps_more_severe);
        }
        if self.accepted > 0 {
            text += &format!("; {} accepted", self.accepted);
        }
        if self.not_binding > 0 {
            text += &format!("; {} by non-binding policies", self.not_binding);
        }
        text
    }
}

/// How grave the rules are, and whether they bind.
fn severities(world: &World, binding: &[PolicyStatus]) -> BTreeMap<String, (Severity, bool)> {
    let checks = checks::all().map(|check| (check.id.to_string(), (check.severity, true)));
    let rules = world.rules().map(|rule| {
        let binds = match rule.written {
            Written::Policy(_, rule) => binding.contains(&rule.status),
            Written::Promise(_) => true,
        };
        (rule.id(), (rule.severity(), binds))
    });
    checks.chain(rules).collect()
}
