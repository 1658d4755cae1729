//! What other readers of YAML make of a word is not what its author meant. Here it is
//! what the field asks for.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use ringfence::source::Sources;
use ringfence::vocabulary::Transform;
use ringfence::{Request, World, load};

fn world(text: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inventory.yaml");
    fs::write(&file, text).unwrap();
    let request = Request { paths: vec![file], ..Request::default() };
    let mut sources = Sources::new();
    load(&request, &mut sources).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

#[test]
fn norway_is_norway_and_numbers_are_what_the_field_asks_for() {
    let world = world(
        "\
parties:
  - id: 0o17
    name: 1e3
    title: 1e3
    jurisdiction: NO
    contact: ~
    dpo: null
    representative:
    labels: {number: 007, signed: 2018-10-01, open: yes, ratio: 1.50, time: 22:22}
    systems:
      - {id: '1e3', region: NO, subjects: 1e3, originates: financial, purposes: service}
      - {id: 1_000, region: no, subjects: 0o17}
      - {id: 2018-10-01, region: \"no\", subjects: 1_000, title: yes}
      - {id: 1.0, region: ~, subjects: 0x1F, title: 'null'}
      - {id: no, region: !!str no, subjects: 62000000, title: .inf}
  - {id: off, name: y, jurisdiction: no, contact: on}
agreements:
  - id: 12
    parties: [0o17, off]
    effective: {from: 2018-10-01, until: '2020-09-30'}
    disposed: null
",
    );
    let parties: Vec<_> = world.model.parties.values().map(|p| &p.declared).collect();
    let norway = parties[0];
    assert_eq!(norway.id.value, "0o17");
    assert_eq!((norway.name.as_str(), norway.meta.title.as_deref()), ("1e3", Some("1e3")));
    assert_eq!(norway.jurisdiction.as_deref(), Some("NO"));
    assert_eq!((&norway.contact, &norway.dpo, &norway.representative), (&None, &None, &None));
    let labels: Vec<&str> = norway.meta.labels.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(labels, ["007", "2018-10-01", "yes", "1.50", "22:22"]);
    assert_eq!((parties[1].id.value.as_str(), parties[1].name.as_str()), ("off", "y"));
    assert_eq!(parties[1].jurisdiction.as_deref(), Some("NO"));
    assert_eq!(parties[1].contact.as_deref(), Some("on"));

    let systems: Vec<_> = world
        .model
        .systems
        .values()
        .map(|s| {
            (
                s.name.as_str(),
                s.regions.first().map(String::as_str),
                s.declared.subjects,
                s.declared.meta.title.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        systems,
        [
            ("0o17/1.0", Some("NO"), Some(31), Some("null")),
            ("0o17/1_000", Some("NO"), Some(15), None),
            ("0o17/1e3", Some("NO"), Some(1000), None),
            ("0o17/2018-10-01", Some("NO"), Some(1000), Some("yes")),
            ("0o17/no", Some("NO"), Some(62_000_000), Some(".inf")),
        ]
    );

    let agreement = &world.model.agreements.values().next().unwrap().declared;
    assert_eq!(agreement.id.value, "12");
    let day =
        |day: &Option<ringfence::testing::decode::Spanned<jiff::civil::Date>>| day.as_ref().unwrap().value;
    assert_eq!(day(&agreement.effective.from), jiff::civil::date(2018, 10, 1));
    assert_eq!(day(&agreement.effective.until), jiff::civil::date(2020, 9, 30));
    assert!(agreement.disposed.is_none());
}

#[test]
fn null_takes_no_default_away() {
    let world = world(
        "\
parties:
  - {id: a, name: A, systems: [{id: s, originates: financial, purposes: service}]}
  - {id: b, name: B, systems: [{id: t, purposes: service, retention: 1d}]}
agreements:
  - id: x
    parties: [a, b]
    flow_defaults: {from: a/s, to: b/t, data: financial, transform: tokenised, tags: [one]}
    flows:
      - {id: taken}
      - {id: told, transform: none, tags: two}
      - {id: left, transform: ~, tags: null}
",
    );
    let flows: Vec<(&str, Transform, Vec<&str>)> = world
        .model
        .flows
        .values()
        .map(|f| (f.name.as_str(), f.transform, f.declared.tags().iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        flows,
        [
            ("x/left", Transform::Tokenised, vec!["one"]),
            ("x/taken", Transform::Tokenised, vec!["one"]),
            ("x/told", Transform::None, vec!["two"]),
        ]
    );
}

#[test]
fn every_spelling_of_a_flag() {
    for (word, good) in [
        ("yes", true),
        ("No", true),
        ("on", true),
        ("OFF", true),
        ("true", true),
        ("False", true),
        ("'true'", true),
        ("y", false),
        ("1", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.yaml");
        let text = format!(
            "policy: house\nrules:\n  - {{id: a, forbid: {{data: financial, unless: {{through: {{crosses_parties: {word}}}}}}}}}\n"
        );
        fs::write(&policy, text).unwrap();
        let request = Request { policies: vec![policy.to_str().unwrap().to_owned()], ..Request::default() };
        let read = load(&request, &mut Sources::new());
        assert_eq!(read.is_ok(), good, "{word}: {read:?}");
    }
}
