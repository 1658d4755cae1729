//! How a promise stands: kept, broken, or not decidable from what is declared.
//!
//! ```text
//! some walk of declared origins breaks it, or a declaration does    ⟹  broken
//! only a walk from an assumed origin breaks it, or one would if the
//! data assumed there were what the promise is about                 ⟹  undecided: assumed origin
//! no declared place is where it comes from, arrives or is held      ⟹  undecided: place
//! no counting flow carries its data                                 ⟹  undecided: data
//! else                                                              ⟹  kept
//! ```

mod assumed;
mod carried;
mod places;

pub use carried::{Carried, reach};

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::audit::analysis::{Analysis, On, RuleRef, Starts, Violation, Witness};
use crate::audit::rules::{self, Decided, Idle};
use crate::base::finding::{GapKind, PromiseState};
use crate::base::source::Span;
use crate::declare::policy::{Body, Most};
use crate::flow::graph::Origin;
use crate::flow::propagate::Assumed;

/// So many reasons why a promise cannot be decided are written out.
const LISTED: usize = 20;

/// How a promise stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Kept, broken or neither.
    pub state: PromiseState,
    /// Why it cannot be decided.
    pub open: Vec<Open>,
    /// How many more reasons there are.
    pub further: usize,
}

/// Why a promise cannot be decided, in terms of the model.
#[derive(Debug, Clone)]
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

/// How one promise stands, by what was found to break it and what of it matches nothing.
pub fn standing(
    analysis: &Analysis,
    rule: RuleRef,
    body: &Body,
    found: &[Violation],
    idle: &[Idle],
) -> Standing {
    let mut open = Vec::new();
    if !found.is_empty() {
        if !by_declared(analysis, rule, body, found) {
            open = assumed::breaking(analysis, found);
        }
        let state = if open.is_empty() { PromiseState::Broken } else { PromiseState::Undecided };
        return limited(state, open);
    }
    open.extend(places::unmatched(analysis, body, idle));
    if open.is_empty() {
        open.extend(uncarried(analysis, body));
    }
    open.extend(assumed::would_break(analysis, body));
    let state = if open.is_empty() { PromiseState::Kept } else { PromiseState::Undecided };
    limited(state, open)
}

fn limited(state: PromiseState, mut open: Vec<Open>) -> Standing {
    let further = open.len().saturating_sub(LISTED);
    open.truncate(LISTED);
    Standing { state, open, further }
}

/// Whether something breaks it where nothing is assumed to start anywhere.
fn by_declared(analysis: &Analysis, rule: RuleRef, body: &Body, found: &[Violation]) -> bool {
    let assumed = |violation: &Violation| match violation.on {
        On::Pair(source, _) => analysis.assumed.at(source).is_some(),
        _ => true,
    };
    if analysis.assumed.pairs.is_empty() || matches!(body, Body::Require(_)) || !found.iter().all(assumed) {
        return true;
    }
    let sources: FxHashSet<_> = found.iter().map(|v| v.on).collect();
    let concerned = |system| sources.iter().any(|on| !matches!(on, On::Pair(source, _) if *source != system));
    let declared = analysis.origins.iter().filter(|(origin, _)| matches!(origin, Origin::Declared(_)));
    let origins: Vec<(Origin, Starts)> = declared
        .map(|(origin, starts)| {
            (*origin, starts.iter().filter(|(s, _)| concerned(*s)).copied().collect::<Starts>())
        })
        .filter(|(_, starts)| !starts.is_empty())
        .collect();
    let none = Assumed::default();
    let declared = Analysis { origins: &origins, assumed: &none, ..*analysis };
    match body {
        Body::Forbid(forbid) => {
            let decided = Arc::new(Decided::new(declared.matching, declared.graph.facts(), forbid));
            !rules::forbidden(&declared, rule, forbid, &decided, None).violations.is_empty()
        }
        Body::Limit(limit) => !rules::limited(&declared, rule, limit, None).0.is_empty(),
        Body::Require(_) => true,
    }
}

/// The data of a promise that no counting flow carries and no place that it is about
/// holds.
fn uncarried(analysis: &Analysis, body: &Body) -> Option<Open> {
    let model = analysis.model;
    let (groups, from, span): (Vec<&[_]>, _, _) = match body {
        Body::Require(_) => return None,
        Body::Forbid(forbid) => (vec![&forbid.data], Some(&forbid.from), forbid.span),
        Body::Limit(limit) => match &limit.most {
            Most::Together { of, .. } => (of.chunks(1).collect(), None, limit.span),
            Most::Origins { data, .. } => (vec![data], None, limit.span),
        },
    };
    let anywhere = Default::default();
    groups.into_iter().find_map(|keys| {
        let found = carried::carried(analysis, keys, from.unwrap_or(&anywhere));
        if found.any || matches!(body, Body::Limit(limit) if places::hold(analysis, limit, keys)) {
            return None;
        }
        let mut names: Vec<&str> = keys.iter().map(|key| model.data.name(key.value)).collect();
        names.sort_unstable();
        let names = if names.is_empty() { "any data".to_owned() } else { names.join(", ") };
        let origin = from.and_then(|from| places::in_words(analysis, from));
        let origin = origin.map_or_else(String::new, |from| format!(" from {from}"));
        Some(Open {
            kind: GapKind::Data,
            message: format!("no declared flow in scope carries {names}{origin}"),
            missing: match found.starts {
                true => format!("the flows by which {names} moves{origin}"),
                false => format!(
                    "where {names} starts (`originates` of a system{origin}), and the flows by which it moves"
                ),
            },
            span: Some(keys.first().map_or(span, |key| key.span)),
            witness: None,
        })
    })
}
