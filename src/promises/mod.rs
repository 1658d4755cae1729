//! Promises as a view of their own: kept, broken, or not decidable from what is declared.
//!
//! ```text
//! some walk of declared origins breaks it, or a declaration does    ⟹  broken
//! only a walk from an assumed origin breaks it, or one would if the
//! data assumed there were the promised                              ⟹  undecided: assumed origin
//! no declared place is where it comes from, arrives or is held      ⟹  undecided: place
//! no counting flow carries its data                                 ⟹  undecided: data
//! else                                                              ⟹  kept
//! ```

mod assumed;
mod carried;
mod places;
mod view;

pub use carried::{Carried, carried};
pub use view::{Chain, KeptBy, Promises, PromisesSummary, Viewed, view};

use crate::audit::hops;
use crate::finding::{Gap, GapKind, PromiseState};
use crate::graph::Origin;
use crate::judge::{Judge, RuleRef, Starts, Violation, Witness};
use crate::model::Model;
use crate::policy::{Body, Most};
use crate::propagate::Assumed;
use crate::rules;
use crate::source::{Sources, Span};

/// How a promise stands.
#[derive(Debug)]
pub struct Standing {
    /// Kept, broken or neither.
    pub state: PromiseState,
    /// What breaks it by declared origins alone.
    pub proofs: Vec<Violation>,
    /// Why it cannot be decided.
    pub open: Vec<Open>,
}

/// Why a promise cannot be decided, in terms of the model.
#[derive(Debug)]
pub struct Open {
    /// On what the answer depends.
    pub kind: GapKind,
    /// Why, in a sentence.
    pub message: String,
    /// Which declaration is missing, and where it belongs.
    pub missing: String,
    /// The place that this is about.
    pub span: Option<Span>,
    /// The walk that would break it.
    pub witness: Option<Witness>,
}

impl Open {
    /// In words and places.
    pub fn gap(&self, model: &Model, sources: &Sources) -> Gap {
        Gap {
            depends_on: self.kind,
            message: self.message.clone(),
            missing: self.missing.clone(),
            path: self.witness.as_ref().map(|w| hops(model, sources, w)).unwrap_or_default(),
            location: self.span.map(|span| sources.location(span)),
        }
    }
}

/// How each promise stands, in their order; `violations` is what was found of all rules.
pub fn standings(judge: &Judge, violations: &[Violation]) -> Vec<Standing> {
    let statements = judge.model.statements.iter().enumerate();
    let one = |(at, statement): (usize, &crate::inventory::Statement)| {
        let rule = RuleRef::Statement(at);
        let found: Vec<&Violation> = violations.iter().filter(|v| v.rule == rule).collect();
        standing(judge, rule, &statement.promise, &found)
    };
    statements.map(one).collect()
}

fn standing(judge: &Judge, rule: RuleRef, body: &Body, found: &[&Violation]) -> Standing {
    let broken = |proofs: Vec<Violation>| Standing {
        state: PromiseState::Broken,
        proofs,
        open: Vec::new(),
    };
    let undecided = |open: Vec<Open>| Standing {
        state: PromiseState::Undecided,
        proofs: Vec::new(),
        open,
    };
    if !found.is_empty() {
        let proofs = by_declared(judge, rule, body, found);
        return match proofs.is_empty() {
            false => broken(proofs),
            true => undecided(assumed::breaking(judge, found)),
        };
    }
    let mut open = places::unmatched(judge, body);
    if open.is_empty() {
        open.extend(uncarried(judge, body));
    }
    open.extend(assumed::would_break(judge, rule, body));
    match open.is_empty() {
        true => Standing { state: PromiseState::Kept, proofs: Vec::new(), open },
        false => undecided(open),
    }
}

/// What is found where nothing is assumed to start anywhere.
fn by_declared(judge: &Judge, rule: RuleRef, body: &Body, found: &[&Violation]) -> Vec<Violation> {
    if judge.assumed.pairs.is_empty() || matches!(body, Body::Require(_)) {
        return found.iter().map(|&v| v.clone()).collect();
    }
    let origins: Vec<(Origin, Starts)> = judge
        .origins
        .iter()
        .filter(|(origin, _)| matches!(origin, Origin::Declared(_)))
        .cloned()
        .collect();
    let none = Assumed::default();
    let declared = Judge { origins: &origins, assumed: &none, ..*judge };
    match body {
        Body::Forbid(forbid) => rules::forbidden(&declared, rule, forbid).violations,
        Body::Limit(limit) => rules::limited(&declared, rule, limit).0,
        Body::Require(_) => Vec::new(),
    }
}

/// The data of a promise that no counting flow carries and no place that it is about
/// holds.
fn uncarried(judge: &Judge, body: &Body) -> Vec<Open> {
    let model = judge.model;
    let open = |names: String, whence: String, span: Option<Span>, starts: bool| Open {
        kind: GapKind::Data,
        message: format!("no declared flow that counts carries {names}{whence}"),
        missing: match starts {
            true => format!("the flows by which {names} moves"),
            false => format!("where {names} starts (`originates` of a system), and the flows by which it moves"),
        },
        span,
        witness: None,
    };
    match body {
        Body::Require(_) => Vec::new(),
        Body::Forbid(forbid) => {
            let found = carried(judge, &forbid.data, &forbid.from, false);
            if found.any {
                return Vec::new();
            }
            let names: Vec<&str> = forbid.data.iter().map(|key| model.data.name(key.value)).collect();
            let names = if names.is_empty() { "any data".to_owned() } else { names.join(", ") };
            let whence = places::in_words(judge, &forbid.from).map(|from| format!(" from {from}"));
            let span = forbid.data.first().map_or(forbid.span, |key| key.span);
            vec![open(names, whence.unwrap_or_default(), Some(span), found.starts)]
        }
        Body::Limit(limit) => {
            let groups: Vec<&[_]> = match &limit.most {
                Most::Together(keys) => keys.chunks(1).collect(),
                Most::Origins { data, .. } => vec![data.as_slice()],
            };
            let mut all = Vec::new();
            for keys in groups {
                let found = carried(judge, keys, &Default::default(), false);
                if found.any || !places::holding(judge, limit, keys).is_empty() {
                    continue;
                }
                let names: Vec<&str> = keys.iter().map(|key| model.data.name(key.value)).collect();
                let names = if names.is_empty() { "any data".to_owned() } else { names.join(", ") };
                let span = keys.first().map_or(limit.span, |key| key.span);
                all.push(open(names, String::new(), Some(span), found.starts));
            }
            all
        }
    }
}
