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
    /// New findings of rules that bind, at or above the severity from which findings fail, by severity.
    pub failing: Vec<(Severity, usize)>,
    /// The other new findings, by severity.
    pub information: Vec<(Severity, usize)>,
    /// How many of these are from non-binding policies.
    pub loose: usize,
    /// Of all new ones, how many are perhaps more severe.
    pub perhaps_more_severe: usize,
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
        for listed in &certificate.findings {
            match rules.get(&listed.rule) {
                _ if listed.waived => outcome.accepted += 1,
                Some((severity, binds)) => outcome.add(*severity, *binds),
                // What is not of these rules does not hold, and that is said elsewhere.
                None => {}
            }
            outcome.perhaps_more_severe +=
                usize::from(!listed.waived && BuiltIn::of(&listed.rule) == Some(UNSOURCED));
        }
        outcome.fails = match outcome.fail_on {
            Threshold::Never => Some(false),
            Threshold::At(_) if !outcome.failing.is_empty() => Some(true),
            Threshold::At(_) if outcome.perhaps_more_severe > 0 => None,
            Threshold::At(_) => Some(false),
        };
        outcome
    }

    /// Of a report, by the gate that it was made with.
    pub fn of_report(report: &Audit, gate: &Gate) -> Self {
        let mut outcome = Outcome::none(gate.fail_on);
        for Finding { status, severity, binding, .. } in &report.findings {
            match status {
                FindingStatus::New => outcome.add(*severity, *binding),
                FindingStatus::Waived | FindingStatus::Baseline => outcome.accepted += 1,
            }
        }
        outcome.fails = Some(gate.fails(report));
        outcome
    }

    fn none(fail_on: Threshold) -> Self {
        Outcome {
            fails: None,
            failing: Vec::new(),
            information: Vec::new(),
            loose: 0,
            perhaps_more_severe: 0,
            accepted: 0,
            fail_on,
        }
    }

    /// Counts a new finding, as the audit does.
    fn add(&mut self, severity: Severity, binds: bool) {
        let fails = matches!(self.fail_on, Threshold::At(from) if binds && severity <= from);
        self.loose += usize::from(!binds);
        let list = if fails { &mut self.failing } else { &mut self.information };
        match list.binary_search_by_key(&severity, |(known, _)| *known) {
            Ok(at) => list.get_mut(at).into_iter().for_each(|(_, number)| *number += 1),
            Err(at) => list.insert(at, (severity, 1)),
        }
    }

    /// In a sentence.
    pub fn said(&self) -> String {
        let word = match self.fails {
            Some(true) => "FAIL",
            Some(false) => "PASS",
            None => "whether the audit fails cannot be told",
        };
        let counted = |list: &[(Severity, usize)]| -> (usize, Vec<String>) {
            let words = list.iter().map(|(severity, number)| format!("{number} {severity}")).collect();
            (list.iter().map(|(_, number)| number).sum(), words)
        };
        let in_brackets =
            |words: String| if words.is_empty() { String::new() } else { format!(" ({words})") };
        let (number, words) = counted(&self.failing);
        let words = in_brackets(words.join(", "));
        let (information, besides) = counted(&self.information);
        let loose = match self.loose {
            0 => String::new(),
            1 => "; 1 from a non-binding policy".to_owned(),
            n => format!("; {n} from non-binding policies"),
        };
        let besides = in_brackets(format!("{}{loose}", besides.join(", ")));
        let findings = match number {
            0 => "no new finding".to_owned(),
            1 => "1 new finding".to_owned(),
            number => format!("{number} new findings"),
        };
        let failing = match self.fail_on {
            Threshold::Never => "findings never fail (`--fail-on never`)".to_owned(),
            Threshold::At(severity) => format!("{findings} at or above `{}`{words}", severity.word()),
        };
        let mut text = format!("{word}: {failing}; {information} for information{besides}");
        if self.perhaps_more_severe > 0 {
            let are = if self.perhaps_more_severe == 1 { "is" } else { "are" };
            text += &format!("; {} of `{UNSOURCED}` {are} perhaps high", self.perhaps_more_severe);
        }
        if self.accepted > 0 {
            text += &format!("; {} accepted", self.accepted);
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
