//! The places that a promise is about, and whether anything declared is one.

use super::Open;
use crate::decode::Spanned;
use crate::finding::GapKind;
use crate::glob::Glob;
use crate::judge::{Judge, On, RuleRef};
use crate::matching::{Arrival, RELATIONS, Reading};
use crate::model::SystemId;
use crate::policy::{AnyOf, Body, Limit, Most, PlaceKeys, Subjects};
use crate::rules::{self, Idle};
use crate::source::Span;
use crate::taxonomy::Key;
use crate::words::{Names, place};

/// Places that the promise is about and nobody declares.
pub fn unmatched(judge: &Judge, body: &Body) -> Vec<Open> {
    let mut open = Vec::new();
    match body {
        Body::Forbid(forbid) => {
            let source = |s| judge.matching.place(&forbid.from, s, Reading::Likely);
            part(judge, &mut open, "from", &forbid.from, forbid.span, &source);
            let counting: Vec<_> = judge.counting.iter().collect();
            let sink = |s: SystemId| {
                let by = counting.iter().filter(|&&f| judge.model.flows[f].to == s).map(|&f| Some(f));
                let arrivals: Vec<_> = by.chain([None]).collect();
                arrivals.into_iter().any(|by| {
                    RELATIONS.iter().any(|&relation| {
                        let arrival = Arrival { at: s, by, relation: Some(relation) };
                        judge.matching.arrival(&forbid.to, arrival)
                    })
                })
            };
            part(judge, &mut open, "to", &forbid.to, forbid.span, &sink);
        }
        Body::Limit(limit) => {
            let at = |s| judge.matching.place(&limit.at, s, Reading::Likely);
            part(judge, &mut open, "at", &limit.at, limit.span, &at);
        }
        Body::Require(require) => {
            let (_, idle) = rules::required(judge, RuleRef::Statement(0), require);
            if idle.contains(&Idle::Subject) {
                let (what, words) = match &require.on {
                    Subjects::Agreements(_) => ("agreement", None),
                    Subjects::Flows(_) => ("flow that counts", None),
                    Subjects::Systems(like) => ("system", in_words(judge, like)),
                    Subjects::Parties(like) => ("party", in_words(judge, like)),
                };
                let like = words.map_or_else(|| "as the promise has it".to_owned(), |w| format!("like {w}"));
                open.push(Open {
                    kind: GapKind::Place,
                    message: format!("no declared {what} is one that the promise is about"),
                    missing: format!("a {what} {like}"),
                    span: Some(require.span),
                    witness: None,
                });
            } else if let Subjects::Systems(like) | Subjects::Parties(like) = &require.on {
                named(judge, &mut open, "where", like);
            }
        }
    }
    open
}

/// One part of a promise: that some system is such a place, and that there is one by
/// each name that it gives.
fn part(
    judge: &Judge,
    open: &mut Vec<Open>,
    key: &str,
    like: &AnyOf<PlaceKeys>,
    body: Span,
    is: &dyn Fn(SystemId) -> bool,
) {
    if !judge.model.systems.ids().any(is) {
        let words = in_words(judge, like).unwrap_or_else(|| "a system".to_owned());
        open.push(Open {
            kind: GapKind::Place,
            message: format!("no declared system is what the promise means by `{key}`: {words}"),
            missing: format!("{words}, under its party's `systems`"),
            span: Some(like.span().unwrap_or(body)),
            witness: None,
        });
        return;
    }
    named(judge, open, key, like);
}

/// Names without a wildcard that no system has.
fn named(judge: &Judge, open: &mut Vec<Open>, key: &str, like: &AnyOf<PlaceKeys>) {
    let model = judge.model;
    for matcher in &like.0 {
        let whole = |glob: &&Glob| !glob.to_string().contains(['*', '?']);
        let mut add = |what: &str, name: &Glob, missing: String| {
            open.push(Open {
                kind: GapKind::Place,
                message: format!("`{key}` of the promise names the {what} `{name}`, and none is declared"),
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
pub fn in_words(judge: &Judge, like: &AnyOf<PlaceKeys>) -> Option<String> {
    let names = Names { data: &judge.model.data, purposes: &judge.model.purposes };
    (!like.is_empty()).then(|| place(like, names))
}

/// Where a limit's places hold data of some categories, whatever else they hold.
pub fn holding(judge: &Judge, limit: &Limit, keys: &[Spanned<Key>]) -> Vec<On> {
    let one = Limit { most: Most::Origins { data: keys.to_vec(), at_most: 0 }, ..limit.clone() };
    rules::limited(judge, RuleRef::Statement(0), &one).0.into_iter().map(|v| v.on).collect()
}
