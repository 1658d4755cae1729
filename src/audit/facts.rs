//! What there is to say of a rule, wherever it comes from.

use crate::audit::analysis::RuleRef;
use crate::audit::checks;
use crate::base::finding::FindingKind;
use crate::base::source::Span;
use crate::base::vocabulary::{PolicyStatus, Severity, Word};
use crate::declare::policy::Body;
use crate::model::load::World;
use crate::model::{RuleInForce, Written};

/// A rule's words and standing.
#[derive(Debug, Clone)]
pub struct RuleFacts {
    /// Its full id.
    pub id: String,
    /// Its sort.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it demands.
    pub title: String,
    /// What it rests on.
    pub cite: Vec<String>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// Its policy's standing.
    pub status: Option<PolicyStatus>,
    /// Where it is written.
    pub span: Option<Span>,
}

/// What there is to say of a rule.
pub fn rule_facts(world: &World, rule: RuleRef) -> RuleFacts {
    match rule {
        RuleRef::Check(id) => {
            let check = checks::check(id);
            RuleFacts {
                kind: if id.is_of_terms() { FindingKind::Terms } else { FindingKind::Flow },
                severity: check.severity,
                title: check.title.to_owned(),
                why: Some(check.why.to_owned()),
                remedy: Some(check.remedy.to_owned()),
                ..nothing(id.word())
            }
        }
        RuleRef::Rule(..) | RuleRef::Statement(_) => world.rule(rule).map_or_else(|| nothing(""), written),
    }
}

/// What there is to say of a rule that somebody wrote.
fn written(entry: RuleInForce) -> RuleFacts {
    match entry.written {
        Written::Policy(_, rule) => RuleFacts {
            kind: match rule.body {
                Body::Forbid(_) => FindingKind::Forbid,
                Body::Limit(_) => FindingKind::Limit,
                Body::Require(_) => FindingKind::Require,
            },
            severity: rule.severity,
            title: rule.title.clone().unwrap_or_else(|| rule.id.value.clone()),
            cite: rule.cite.clone(),
            why: rule.why.clone(),
            remedy: rule.remedy.clone(),
            status: Some(rule.status),
            span: Some(rule.id.span),
            ..nothing(&entry.id())
        },
        Written::Promise(statement) => {
            let title = statement.meta.title.as_deref().map(str::to_owned);
            RuleFacts {
                kind: FindingKind::Statement,
                severity: statement.severity,
                title: title.unwrap_or_else(|| format!("{} promised: “{}”", statement.by.value, statement.said.quote)),
                why: Some("The declared flows do what was publicly said not to happen.".to_owned()),
                remedy: Some("Stop a flow of the chain, put it under the conditions promised, or take the promise back in public.".to_owned()),
                span: statement.said.span.or(Some(statement.id.span)),
                ..nothing(&entry.id())
            }
        }
    }
}

/// Of which nothing is known but its id.
fn nothing(id: &str) -> RuleFacts {
    RuleFacts {
        id: id.to_owned(),
        kind: FindingKind::Flow,
        severity: Severity::High,
        title: id.to_owned(),
        cite: Vec::new(),
        why: None,
        remedy: None,
        status: None,
        span: None,
    }
}
