//! `require`: what a declaration must say.

use super::Idle;
use crate::audit::analysis::{Analysis, On, RuleRef, Violation};
use crate::base::bits::LeafSet;
use crate::base::taxonomy::Tree;
use crate::declare::policy::{Attested, Must, Operator, Require};
use crate::declare::words::some_of;
use crate::model::required::{failing, subjects, tree};

/// Judges one `require`: a finding for each subject that does not say what it must.
pub fn required(analysis: &Analysis, rule_ref: RuleRef, rule: &Require) -> (Vec<Violation>, Vec<Idle>) {
    let subjects = subjects(&analysis.matching, analysis.scope, analysis.counting, rule);
    let mut idle = Vec::new();
    if subjects.is_empty() {
        idle.push(Idle::Subject);
    }
    let none = LeafSet::empty(analysis.model.data.leaf_count());
    // What regular expressions take to be matched goes with the copy.
    let all = rule.must.clone();
    let violation = |on: On| {
        let mut failed: Vec<String> = all.iter().filter_map(|must| failure(analysis, on, must)).collect();
        failed.sort_unstable();
        (!failed.is_empty()).then(|| Violation {
            rule: rule_ref,
            on,
            severity: None,
            agreements: match on {
                On::Agreement(id) => vec![id],
                On::Flow(id) => analysis.model.flows[id].agreement.into_iter().collect(),
                _ => Vec::new(),
            },
            data: none.clone(),
            arrives_as: none.clone(),
            origins: None,
            witnesses: Vec::new(),
            consequent: false,
            details: failed,
        })
    };
    (subjects.into_iter().filter_map(violation).collect(), idle)
}

/// What is wrong with a field, if something is.
fn failure(analysis: &Analysis, on: On, must: &Must) -> Option<String> {
    let path = &must.field.path.value;
    let (failed, value) = failing(&analysis.matching, on, must)?;
    let mut shown: Vec<&str> = value.items.iter().map(|i| i.text.as_str()).collect();
    shown.sort_unstable();
    let is = match (shown.as_slice(), value.written) {
        ([], false) => "not stated".to_owned(),
        ([], true) => "stated".to_owned(),
        (shown, _) => some_of(shown),
    };
    Some(match failed {
        Operator::Present(true) => format!("`{path}` is {is}"),
        _ => format!("`{path}` is {is}; expected {}", expected(failed, tree(&analysis.matching, must))),
    })
}

fn expected(operator: &Operator, tree: &Tree) -> String {
    match operator {
        Operator::Present(true) => "it stated".to_owned(),
        Operator::Present(false) => "it not stated".to_owned(),
        Operator::In(named) => format!("one of {}", some_of(named)),
        Operator::Within(places) => format!("within {}", some_of(places)),
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
