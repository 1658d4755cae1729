//! The taxonomies read backwards: no term of another vocabulary loses a leaf of ours.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use ringfence::testing::exchange::{Inverse, Vague, keys, trees};
use ringfence::testing::taxonomy::{Match, Tree};

/// The terms of each leaf: its own, else those of the nearest key above that has some.
fn terms(tree: &Tree, vocabulary: &str) -> Vec<(String, Vec<String>)> {
    let own = |name: &str| -> Vec<String> {
        let key = tree.find(name).unwrap();
        let entry = tree.entries().find(|(other, _)| *other == key).unwrap().1;
        let of = entry.declared.aka.iter().filter(|(name, _)| name == vocabulary);
        of.flat_map(|(_, terms)| terms).map(|term| term.term.clone()).collect()
    };
    let mut all = Vec::new();
    for (key, _) in tree.entries().filter(|(key, _)| tree.is_leaf(*key)) {
        let name = tree.name(key).to_owned();
        let mut above = name.as_str();
        let found = loop {
            let terms = own(above);
            match above.rsplit_once('.') {
                _ if !terms.is_empty() => break terms,
                Some((parent, _)) => above = parent,
                None => break Vec::new(),
            }
        };
        all.push((name, found));
    }
    all
}

fn leaves(tree: &Tree, keys: &[String]) -> BTreeSet<usize> {
    let keys: Vec<_> = keys.iter().map(|key| tree.find(key).unwrap()).collect();
    tree.leaves(keys.iter()).iter().collect()
}

fn above(term: &str) -> Vec<&str> {
    let mut all = vec![term];
    while let Some((parent, _)) = all.last().unwrap().rsplit_once('.') {
        all.push(parent);
    }
    all
}

#[test]
fn no_category_or_use_of_fideslang_loses_a_leaf() {
    let (data, purposes) = trees().unwrap();
    for tree in [&data, &purposes] {
        let inverse = Inverse::new(tree, "fideslang");
        let mut looked_at = 0;
        for (leaf, terms) in terms(tree, "fideslang") {
            let own = leaves(tree, std::slice::from_ref(&leaf));
            for term in terms.iter().flat_map(|term| above(term)) {
                looked_at += 1;
                let widest = inverse.image(term, Vague::Widest).unwrap();
                assert!(leaves(tree, &widest.keys).is_superset(&own), "{term} loses {leaf}");
                assert!(widest.left_out.is_empty(), "{term}");
                // What the narrower reading leaves out, it tells.
                let primary = inverse.image(term, Vague::Primary).unwrap();
                let told: Vec<String> = primary.keys.iter().chain(&primary.left_out).cloned().collect();
                assert!(leaves(tree, &told).is_superset(&own), "{term} loses {leaf} in silence");
            }
        }
        assert!(looked_at > 100, "{looked_at}");
    }
}

#[test]
fn a_term_stands_for_all_that_those_below_it_stand_for() {
    let (data, purposes) = trees().unwrap();
    let (fideslang, mistakes) = keys();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    for (tree, terms) in [(&data, &fideslang.categories), (&purposes, &fideslang.uses)] {
        let inverse = Inverse::new(tree, "fideslang");
        for term in terms {
            let Some((parent, _)) = term.rsplit_once('.') else { continue };
            for vague in [Vague::Primary, Vague::Widest] {
                let (Some(below), Some(above)) = (inverse.image(term, vague), inverse.image(parent, vague))
                else {
                    continue;
                };
                // Derived data is left out where there is other data.
                let not_derived = |keys: &[String]| -> Vec<String> {
                    keys.iter().filter(|key| !key.starts_with("derived")).cloned().collect()
                };
                let (below, above) =
                    (leaves(tree, &not_derived(&below.keys)), leaves(tree, &not_derived(&above.keys)));
                assert!(above.is_superset(&below), "{parent} is less than {term} ({vague:?})");
            }
        }
    }
}

/// Fideslang 3.0.0 has 85 categories and 54 uses; all but three that are not about people, and one use
/// that says that the use is not known yet, stand for something.
#[test]
fn fideslang_is_complete() {
    let (data, purposes) = trees().unwrap();
    let fideslang = keys().0;
    assert_eq!((fideslang.categories.len(), fideslang.uses.len(), fideslang.subjects.len()), (85, 54, 15));
    let unknown = |tree: &Tree, terms: &[String]| -> Vec<String> {
        let inverse = Inverse::new(tree, "fideslang");
        terms.iter().filter(|term| inverse.image(term, Vague::Primary).is_none()).cloned().collect()
    };
    assert_eq!(
        unknown(&data, &fideslang.categories),
        ["system", "system.authentication", "system.operations"]
    );
    assert_eq!(unknown(&purposes, &fideslang.uses), ["collect"]);
    // Every term that our keys name is one of Fideslang's.
    for (tree, terms) in [(&data, &fideslang.categories), (&purposes, &fideslang.uses)] {
        for (_, entry) in tree.entries() {
            let named = entry.declared.aka.iter().filter(|(name, _)| name == "fideslang");
            for term in named.flat_map(|(_, terms)| terms) {
                assert!(terms.contains(&term.term), "{} names {}", entry.declared.key, term.term);
            }
        }
    }
}

/// A term means exactly one key of ours: of two, neither would mean the same.
#[test]
fn what_means_the_same_is_named_once() {
    let (data, purposes) = trees().unwrap();
    for tree in [&data, &purposes] {
        let mut seen = std::collections::BTreeMap::new();
        for (_, entry) in tree.entries() {
            for (vocabulary, terms) in &entry.declared.aka {
                for term in terms.iter().filter(|term| term.nearness == Match::Exact) {
                    let other = seen.insert((vocabulary.clone(), term.term.clone()), &entry.declared.key);
                    assert_eq!(other, None, "{} of {vocabulary}", term.term);
                }
            }
        }
    }
}

/// The figures of the design: what reading `aka` the plain way lost.
#[test]
fn contact_data_does_not_trip_financial_rules_and_user_is_nearly_everything() {
    let (data, _) = trees().unwrap();
    let inverse = Inverse::new(&data, "fideslang");
    let contact = inverse.image("user.contact", Vague::Primary).unwrap();
    assert_eq!(contact.keys, ["contact"]);
    assert_eq!(contact.left_out, ["financial.receipt.shipping"]);
    assert_eq!(
        inverse.image("user.contact", Vague::Widest).unwrap().keys,
        ["contact", "financial.receipt.shipping"]
    );
    let user = leaves(&data, &inverse.image("user", Vague::Primary).unwrap().keys);
    for key in ["special.political", "children.profile", "financial.account.number", "contact.email"] {
        assert!(user.is_superset(&leaves(&data, &[key.to_owned()])), "{key}");
    }
}
