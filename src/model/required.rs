//! `require`: which declarations a rule is about, and whether they say what it asks. Of this there is
//! one reading, which the judge and the checker of certificates share.

use super::fields::{Item, Value, value};
use super::matching::Matching;
use super::{Counting, Scope, Subject};
use crate::base::taxonomy::Tree;
use crate::declare::fields::FieldKind;
use crate::declare::policy::{Must, Operator, Reading, Require, Subjects};

/// The declarations that a `require` is about.
pub fn subjects(matching: &Matching, scope: &Scope, counting: &Counting, rule: &Require) -> Vec<Subject> {
    let model = matching.model;
    match &rule.on {
        Subjects::Agreements(like) => {
            let judged = model.agreements.ids().filter(|&id| scope.has(&model.agreements[id]));
            judged.filter(|&id| matching.agreement(like, id)).map(Subject::Agreement).collect()
        }
        Subjects::Flows(like) => {
            let flows = counting.iter().filter(|&id| matching.flow(like, id, Reading::Likely));
            flows.map(Subject::Flow).collect()
        }
        Subjects::Systems(like) => {
            let systems = model.systems.ids().filter(|&id| !model.is_ghost(id));
            let systems = systems.filter(|&id| matching.place(like, id, Reading::Likely));
            systems.map(Subject::System).collect()
        }
        Subjects::Parties(like) => {
            model.parties.ids().filter(|&id| matching.party(like, id)).map(Subject::Party).collect()
        }
    }
}

/// The first operator that does not hold of a declaration, with what its field comes to.
pub fn failing<'r>(matching: &Matching, subject: Subject, must: &'r Must) -> Option<(&'r Operator, Value)> {
    let value = value(matching, subject, &must.field.path.value);
    let tree = tree(matching, must);
    let fails = |operator: &&Operator| match operator {
        Operator::Attests(wanted) => match subject {
            Subject::Agreement(id) => wanted.iter().any(|wanted| !matching.attested(id, None, wanted)),
            _ => true,
        },
        other => !holds(other, &value, tree),
    };
    let operator = must.operators.iter().find(fails)?;
    Some((operator, value))
}

/// The tree in which the values of a field are.
pub fn tree<'m>(matching: &Matching<'m>, must: &Must) -> &'m Tree {
    match must.field.kind {
        FieldKind::Purpose => &matching.model.purposes,
        _ => &matching.model.data,
    }
}

/// An absent value fails every operator but `present: false`.
fn holds(operator: &Operator, value: &Value, tree: &Tree) -> bool {
    let items = &value.items;
    // `terms.purposes: []` is not absent: what must hold of all its elements holds.
    let absent = !value.written && items.is_empty();
    let all = |test: &dyn Fn(&Item) -> bool| !absent && items.iter().all(test);
    match operator {
        Operator::Present(present) => value.written == *present,
        Operator::In(named) => all(&|item| named.contains(&item.text)),
        Operator::Within(places) => all(&|item| places.has(&item.text)),
        Operator::Under(named) => {
            all(&|item| item.key.is_some_and(|key| named.iter().any(|&n| tree.at_or_below(key, n))))
        }
        Operator::AtMost(most) => all(&|item| item.bound.is_some_and(|b| b <= *most)),
        Operator::AtLeast(least) => all(&|item| item.bound.is_some_and(|b| b >= *least)),
        Operator::Matches(_, regex) => all(&|item| regex.is_match(&item.text)),
        // Asked of the declaration itself: an id does not say when it was given.
        Operator::Attests(_) => false,
        Operator::Includes(named) => {
            !absent && named.iter().all(|name| items.iter().any(|item| item.text == *name))
        }
    }
}
