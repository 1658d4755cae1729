//! `require`: what a declaration must say.

use super::{Idle, Item, Value, value};
use crate::audit::judge::{Judge, On, RuleRef, Violation};
use crate::base::bits::LeafSet;
use crate::base::taxonomy::Tree;
use crate::declare::policy::{Attested, FieldKind, Must, Operator, Reading, Require, Subjects};
use crate::declare::words::some_of;

/// Judges one `require`: a finding for each subject that does not say what it must.
pub fn required(judge: &Judge, rule_ref: RuleRef, rule: &Require) -> (Vec<Violation>, Vec<Idle>) {
    let subjects = subjects(judge, &rule.on);
    let mut idle = Vec::new();
    if subjects.is_empty() {
        idle.push(Idle::Subject);
    }
    let none = LeafSet::empty(judge.model.data.leaf_count());
    // What regular expressions take to be matched goes with the copy.
    let all = rule.must.clone();
    let violation = |on: On| {
        let mut failed: Vec<String> = all.iter().filter_map(|must| failure(judge, on, must)).collect();
        failed.sort_unstable();
        (!failed.is_empty()).then(|| Violation {
            rule: rule_ref,
            on,
            severity: None,
            agreements: match on {
                On::Agreement(id) => vec![id],
                On::Flow(id) => judge.model.flows[id].agreement.into_iter().collect(),
                _ => Vec::new(),
            },
            data: none.clone(),
            arrives_as: none.clone(),
            witnesses: Vec::new(),
            consequent: false,
            details: failed,
        })
    };
    (subjects.into_iter().filter_map(violation).collect(), idle)
}

fn subjects(judge: &Judge, on: &Subjects) -> Vec<On> {
    let (model, matching) = (judge.model, judge.matching);
    match on {
        Subjects::Agreements(like) => model
            .agreements
            .ids()
            .filter(|&a| judge.scope.has(&model.agreements[a]) && matching.agreement(like, a))
            .map(On::Agreement)
            .collect(),
        Subjects::Flows(like) => {
            judge.counting.iter().filter(|&f| matching.flow(like, f, Reading::Likely)).map(On::Flow).collect()
        }
        Subjects::Systems(like) => model
            .systems
            .ids()
            .filter(|&s| matching.place(like, s, Reading::Likely))
            .map(On::System)
            .collect(),
        Subjects::Parties(like) => {
            model.parties.ids().filter(|&p| matching.party(like, p)).map(On::Party).collect()
        }
    }
}

/// What is wrong with a field, if something is.
fn failure(judge: &Judge, on: On, must: &Must) -> Option<String> {
    let path = &must.field.path.value;
    let value = value(judge, on, path);
    let tree = match must.field.kind {
        FieldKind::Purpose => &judge.model.purposes,
        _ => &judge.model.data,
    };
    let failed = must.operators.iter().find(|operator| match operator {
        Operator::Attests(wanted) => !attest(judge, on, wanted),
        other => !holds(other, &value, tree),
    })?;
    let mut shown: Vec<&str> = value.items.iter().map(|i| i.text.as_str()).collect();
    shown.sort_unstable();
    let is = match (shown.as_slice(), value.written) {
        ([], false) => "not stated".to_owned(),
        ([], true) => "stated".to_owned(),
        (shown, _) => some_of(shown),
    };
    Some(match failed {
        Operator::Present(true) => format!("`{path}` is {is}"),
        _ => format!("`{path}` is {is}; expected {}", expected(failed, tree)),
    })
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

fn expected(operator: &Operator, tree: &Tree) -> String {
    match operator {
        Operator::Present(true) => "it stated".to_owned(),
        Operator::Present(false) => "it not stated".to_owned(),
        Operator::In(named) => format!("one of {}", some_of(named)),
        Operator::Under(named) => {
            let names: Vec<&str> = named.iter().map(|&n| tree.name(n)).collect();
            format!("at or below {}", some_of(&names))
        }
        Operator::AtMost(bound) => format!("at most {}", shown(bound)),
        Operator::AtLeast(bound) => format!("at least {}", shown(bound)),
        Operator::Matches(pattern, _) => format!("a match of `{pattern}`"),
        Operator::Includes(named) => format!("it to include {}", some_of(named)),
        Operator::Attests(wanted) => {
            let names: Vec<String> = wanted.iter().map(asked).collect();
            format!("it to include {}", some_of(&names))
        }
    }
}

/// Whether all assurances asked for are there.
fn attest(judge: &Judge, on: On, wanted: &[Attested]) -> bool {
    let On::Agreement(id) = on else {
        return false;
    };
    wanted.iter().all(|wanted| judge.matching.attested(id, None, wanted))
}

fn asked(wanted: &Attested) -> String {
    match wanted.at_most {
        Some(age) => format!("{} (given at most {} ago)", wanted.id, age.in_words()),
        None => wanted.id.clone(),
    }
}

fn shown(bound: &crate::declare::policy::Bound) -> String {
    use crate::declare::policy::Bound;
    match bound {
        Bound::Duration(d) => d.to_string(),
        Bound::Date(d) => d.to_string(),
        Bound::Count(n) => n.to_string(),
        Bound::Rank(ranked) => ranked.word.to_owned(),
    }
}
