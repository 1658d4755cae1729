//! `flow/unsourced`: data that moves starts somewhere.

use super::{Check, How};
use crate::audit::analysis::{Analysis, On, RuleRef, Violation};
use crate::base::bits::LeafSet;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::model::{Model, SystemId};

/// The check.
pub const CHECK: Check = Check {
    id: BuiltIn::Unsourced,
    severity: Severity::Medium,
    title: "Data moves that no declared system originates",
    violated: "A flow in scope (or a derivation) needs data at a system that holds none, and nothing that is declared \
               could bring it there: the chain is assumed to start at that system. High where the data would break a \
               `forbid` rule whose `from` alone leaves the system out.",
    why: "A chain whose start nobody declares may start anywhere; the audit follows it from where it is first seen.",
    remedy: "Declare `originates` where the data starts, or the flow that brings it here.",
    term: None,
    how: How::Assumed,
};

/// The first declaration that needs a category at a system.
pub fn needing(model: &Model, system: SystemId, key: Key) -> Span {
    let flows = model.flows.values().filter(|f| f.from == system);
    let named = flows.flat_map(|f| &f.declared.data).find(|k| k.value == key);
    let derives = model.systems[system].declared.derives.iter().flat_map(|d| &d.from);
    let span = named.or_else(|| derives.into_iter().find(|k| k.value == key)).map(|k| k.span);
    span.unwrap_or(model.systems[system].declared.id.span)
}

/// A finding for each assumed origin. For leaves put at systems `would_break` says which rules, by their
/// full ids, they would break but for the rule's `from`.
pub fn unsourced(
    analysis: &Analysis,
    would_break: impl Fn(&[(SystemId, LeafSet)]) -> Vec<Vec<String>>,
) -> Vec<Violation> {
    let pairs = &analysis.assumed.pairs;
    let put: Vec<_> =
        pairs.iter().map(|(system, key)| (*system, analysis.model.data.leaves([key]))).collect();
    let broken = would_break(&put);
    let mut violations = Vec::new();
    for ((&(system, key), (_, leaves)), rules) in pairs.iter().zip(&put).zip(broken) {
        violations.push(Violation {
            rule: RuleRef::Check(CHECK.id),
            on: On::Unsourced(system, key),
            severity: (!rules.is_empty()).then_some(Severity::High),
            agreements: Vec::new(),
            arrives_as: leaves.clone(),
            data: leaves.clone(),
            origins: None,
            witnesses: Vec::new(),
            consequent: false,
            details: rules,
        });
    }
    violations
}
