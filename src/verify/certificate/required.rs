//! Which declarations do not say what a `require` asks.

use std::collections::BTreeSet;

use super::About;
use super::world::Ground;
use crate::declare::policy::Require;
use crate::model::Scope;
use crate::model::required::{failing, subjects};

/// The declarations that break a `require`. What a declaration says is read as the judge reads it: a
/// second reading by the same hand would prove nothing.
pub fn broken(ground: &Ground, scope: &Scope, rule: &Require) -> BTreeSet<About> {
    let matching = &ground.matching;
    let fails = |about: &About| rule.must.iter().any(|must| failing(matching, *about, must).is_some());
    subjects(matching, scope, &ground.counting, rule).into_iter().filter(fails).collect()
}
