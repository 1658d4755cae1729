//! Which declarations do not say what a `require` asks.

use std::collections::BTreeSet;

use super::About;
use super::declared::{One, Said, said};
use super::ground::Ground;
use crate::base::taxonomy::Tree;
use crate::declare::policy::{FieldKind, Must, Operator, Reading, Require, Subjects};
use crate::model::Scope;

/// The declarations that break a `require`.
pub fn broken(ground: &Ground, scope: &Scope, rule: &Require) -> BTreeSet<About> {
    let fails = |about: &About| rule.must.iter().any(|must| !keeps(ground, *about, must));
    subjects(ground, scope, &rule.on).into_iter().filter(fails).collect()
}

fn subjects(ground: &Ground, scope: &Scope, on: &Subjects) -> Vec<About> {
    let (model, matching) = (ground.model, ground.matching);
    match on {
        Subjects::Agreements(like) => {
            let judged = model.agreements.ids().filter(|&id| scope.has(&model.agreements[id]));
            judged.filter(|&id| matching.agreement(like, id)).map(About::Agreement).collect()
        }
        Subjects::Flows(like) => {
            let all = ground.counting.iter();
            all.filter(|&id| matching.flow(like, id, Reading::Likely)).map(About::Flow).collect()
        }
        Subjects::Systems(like) => {
            let all = model.systems.ids();
            all.filter(|&id| matching.place(like, id, Reading::Likely)).map(About::System).collect()
        }
        Subjects::Parties(like) => {
            model.parties.ids().filter(|&id| matching.party(like, id)).map(About::Party).collect()
        }
    }
}

fn keeps(ground: &Ground, about: About, must: &Must) -> bool {
    let said = said(ground, about, &must.field.path.value);
    let tree = match must.field.kind {
        FieldKind::Purpose => &ground.model.purposes,
        _ => &ground.model.data,
    };
    must.operators.iter().all(|operator| holds(ground, about, operator, &said, tree))
}

/// What is absent fails all but `present: false`.
fn holds(ground: &Ground, about: About, operator: &Operator, said: &Said, tree: &Tree) -> bool {
    let stated = said.written || !said.values.is_empty();
    let each = |test: &dyn Fn(&One) -> bool| stated && said.values.iter().all(test);
    match operator {
        Operator::Present(wanted) => *wanted == said.written,
        Operator::In(names) => each(&|one| names.contains(&one.text)),
        Operator::Under(keys) => {
            each(&|one| one.key.is_some_and(|key| keys.iter().any(|&above| tree.at_or_below(key, above))))
        }
        Operator::AtMost(most) => each(&|one| one.bound.is_some_and(|bound| bound <= *most)),
        Operator::AtLeast(least) => each(&|one| one.bound.is_some_and(|bound| bound >= *least)),
        Operator::Matches(_, pattern) => each(&|one| pattern.is_match(&one.text)),
        Operator::Includes(names) => {
            stated && names.iter().all(|name| said.values.iter().any(|one| one.text == *name))
        }
        Operator::Attests(wanted) => {
            let About::Agreement(id) = about else { return false };
            wanted.iter().all(|wanted| ground.matching.attested(id, None, wanted))
        }
    }
}
