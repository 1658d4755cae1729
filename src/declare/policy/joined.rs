//! Long lists of matchers, made short: many that name one thing each are one that names many.

use std::collections::BTreeMap;

use super::matcher::{Keys, Matcher};

/// From so many matchers in a list on, those that name one thing each are joined.
const MANY: usize = 64;

/// A list of matchers, of which any may hold. Thousands that name a party each say what one says that names
/// thousands, which looks them up.
pub(super) fn joined<K: Keys>(list: Vec<Matcher<K>>) -> Vec<Matcher<K>> {
    if list.len() < MANY {
        return list;
    }
    let mut out = Vec::new();
    let mut alike: BTreeMap<&'static str, Vec<Matcher<K>>> = BTreeMap::new();
    for matcher in list {
        let bare = matcher.any.is_empty() && matcher.not.is_empty();
        match matcher.keys.stated().as_slice() {
            [key] if bare => alike.entry(key).or_default().push(matcher),
            _ => out.push(matcher),
        }
    }
    for (key, all) in alike {
        let keys: Vec<K> = all.iter().map(|matcher| matcher.keys.clone()).collect();
        match (K::join(key, &keys), all.first()) {
            (Some(keys), Some(first)) => {
                out.push(Matcher { keys, any: Vec::new(), not: Vec::new(), span: first.span });
            }
            _ => out.extend(all),
        }
    }
    out.sort_by_key(|matcher| matcher.span);
    out
}
