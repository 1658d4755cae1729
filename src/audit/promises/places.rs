//! The places that a promise is about, and whether anything declared is one.

use super::Open;
use crate::audit::analysis::Analysis;
use crate::audit::rules::Idle;
use crate::base::bits;
use crate::base::finding::GapKind;
use crate::base::glob::Glob;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::declare::policy::{AnyOf, Body, Limit, PlaceKeys, Subjects};
use crate::declare::words::{Names, place};
use crate::read::decode::Spanned;

/// Places that the promise is about and nobody declares.
pub fn unmatched(analysis: &Analysis, body: &Body, idle: &[Idle]) -> Vec<Open> {
    let mut open = Vec::new();
    match body {
        Body::Forbid(forbid) => {
            part(analysis, &mut open, "from", &forbid.from, forbid.span, idle.contains(&Idle::Source));
            part(analysis, &mut open, "to", &forbid.to, forbid.span, idle.contains(&Idle::Sink));
        }
        Body::Limit(limit) => {
            part(analysis, &mut open, "at", &limit.at, limit.span, idle.contains(&Idle::Sink));
        }
        Body::Require(require) => {
            let (what, like) = match &require.on {
                Subjects::Agreements(_) => ("agreement", None),
                Subjects::Flows(_) => ("flow that counts", None),
                Subjects::Systems(like) => ("system", Some(like)),
                Subjects::Parties(like) => ("party", Some(like)),
            };
            if idle.contains(&Idle::Subject) {
                let like = like.and_then(|like| in_words(analysis, like));
                let like = like.map_or_else(|| "as the promise has it".to_owned(), |w| format!("like {w}"));
                open.push(Open {
                    kind: GapKind::Place,
                    message: format!("no declared {what} is one that the promise is about"),
                    missing: format!("a {what} {like}"),
                    span: Some(require.span),
                    witness: None,
                });
            } else if let Some(like) = like {
                named(analysis, &mut open, "where", like);
            }
        }
    }
    open
}

/// One part of a promise: that some system is such a place, and that there is one by
/// each name that it gives.
fn part(
    analysis: &Analysis,
    open: &mut Vec<Open>,
    key: &str,
    like: &AnyOf<PlaceKeys>,
    body: Span,
    nothing: bool,
) {
    if !nothing {
        return named(analysis, open, key, like);
    }
    let words = in_words(analysis, like).unwrap_or_else(|| "a system".to_owned());
    open.push(Open {
        kind: GapKind::Place,
        message: format!("no declared system is what the promise means by `{key}`: {words}"),
        missing: format!("{words}, under its party's `systems`"),
        span: Some(like.span().unwrap_or(body)),
        witness: None,
    });
}

/// Names without a wildcard that no system has.
fn named(analysis: &Analysis, open: &mut Vec<Open>, key: &str, like: &AnyOf<PlaceKeys>) {
    let model = analysis.model;
    for matcher in &like.0 {
        let whole = |glob: &&Glob| !glob.to_string().contains(['*', '?']);
        let mut add = |what: &str, name: &Glob, missing: String| {
            open.push(Open {
                kind: GapKind::Place,
                message: format!(
                    "`{key}` of the promise names the {what} `{name}`, and no declared system is it or its"
                ),
                missing,
                span: Some(matcher.span),
                witness: None,
            });
        };
        for name in matcher.keys.party.iter().filter(whole) {
            if !model.systems.values().any(|s| name.matches(model.parties[s.party].id())) {
                add("party", name, format!("the party `{name}` with its `systems`"));
            }
        }
        for name in matcher.keys.system.iter().filter(whole) {
            if !model.systems.values().any(|s| name.matches(&s.name)) {
                add("system", name, format!("the system `{name}`, under its party's `systems`"));
            }
        }
    }
}

/// What a matcher of places says; `None` if it is absent.
pub fn in_words(analysis: &Analysis, like: &AnyOf<PlaceKeys>) -> Option<String> {
    let names = Names { data: &analysis.model.data, purposes: &analysis.model.purposes };
    (!like.is_empty()).then(|| place(like, names))
}

/// Whether a place that a limit is about holds data of some categories.
pub fn hold(analysis: &Analysis, limit: &Limit, keys: &[Spanned<Key>]) -> bool {
    let data = super::carried::leaves(analysis, keys);
    let holds = |system| bits::intersects(analysis.held.leaves.row(system, 0), data.row());
    places(analysis, limit).into_iter().any(holds)
}

/// The systems that a limit is about.
pub fn places(analysis: &Analysis, limit: &Limit) -> Vec<crate::model::SystemId> {
    analysis.matching.limited_places(limit).into_iter().flat_map(|(_, systems)| systems).collect()
}
