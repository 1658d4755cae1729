//! Long lists of matchers, made short: many that name one thing each are one that names many.

use std::collections::BTreeMap;

use super::matcher::{AnyOf, Keys, Matcher};
use crate::base::sets::{GlobSet, WordSet};
use crate::base::source::Span;

/// From so many matchers in a list on, those that name one thing each are joined.
const MANY: usize = 64;

/// A list of matchers, of which any may hold. Thousands that name a party each say what one says that names
/// thousands, which looks them up.
pub(super) fn joined<K: Keys>(list: Vec<Matcher<K>>) -> Vec<Matcher<K>> {
    if list.len() < MANY {
        return list;
    }
    let mut out = Vec::new();
    let mut alike: BTreeMap<&'static str, (Span, Vec<K>)> = BTreeMap::new();
    for matcher in list {
        match matcher.keys.only().filter(|_| matcher.any.is_empty() && matcher.not.is_empty()) {
            Some(key) => alike.entry(key).or_insert((matcher.span, Vec::new())).1.push(matcher.keys),
            None => out.push(matcher),
        }
    }
    out.extend(alike.into_iter().map(|(key, (span, all))| Matcher {
        keys: K::join(key, all),
        any: Vec::new(),
        not: Vec::new(),
        span,
    }));
    out.sort_by_key(|matcher| matcher.span);
    out
}

/// The only one of some keys that is there.
pub(super) fn sole(keys: &[(&'static str, bool)]) -> Option<&'static str> {
    let mut there = keys.iter().filter(|(_, there)| *there).map(|(key, _)| *key);
    let first = there.next()?;
    there.next().is_none().then_some(first)
}

pub(super) fn all_globs<'k>(lists: impl Iterator<Item = &'k GlobSet>) -> GlobSet {
    GlobSet::new(lists.flat_map(|globs| globs.iter().cloned()))
}

pub(super) fn all_words<'k>(lists: impl Iterator<Item = &'k WordSet>) -> WordSet {
    WordSet::new(lists.flat_map(|words| words.iter().cloned()).collect())
}

pub(super) fn all_matchers<K: Keys>(lists: impl Iterator<Item = AnyOf<K>>) -> AnyOf<K> {
    AnyOf(joined(lists.flat_map(|list| list.0).collect()))
}
