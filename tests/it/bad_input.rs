//! What a person reads who has made a mistake: every folder of `samples/bad-input`,
//! and mistakes that are not among them.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// Runs the command in a folder, expects exit code 2 and gives back standard error.
fn mistakes(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let output = command.current_dir(folder).args(args).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    stderr
}

#[test]
fn every_folder_of_bad_input() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/bad-input");
    let mut names: Vec<String> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 26, "{names:?}");
    for name in names {
        let mut args = vec!["audit".to_owned(), name.clone()];
        let policy = format!("{name}/policy.yaml");
        if root.join(&policy).exists() {
            args.extend(["--policy".to_owned(), policy]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        insta::assert_snapshot!(name.clone(), mistakes(&root, &args));
    }
}

/// The messages for an inventory and, where one is given, a policy.
fn said(inventory: &str, policy: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("i")).unwrap();
    fs::write(folder.path().join("i/inventory.yaml"), inventory).unwrap();
    let mut args = vec!["check", "i"];
    if let Some(policy) = policy {
        fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        args.extend(["--policy", "policy.yaml"]);
    }
    mistakes(folder.path(), &args)
}

/// Two parties with a system each.
const PARTIES: &str = r#"parties:
  - {id: hillside, name: Hillside Bank, systems: [{id: core, purposes: [service.account], originates: [financial.account.balance]}]}
  - {id: agora, name: Agora, systems: [{id: chat, purposes: [service.messaging]}]}
"#;

/// An agreement with a flow that ends the text: more keys of the flow can follow.
const FLOW: &str = r#"agreements:
  - id: one
    parties: [hillside, agora]
    flows:
      - id: balance
        from: hillside/core
        to: agora/chat
        data: [financial.account.balance]
"#;

/// A waiver that ends the text.
const WAIVER: &str = r#"waivers:
  - reason: known
    approved_by: counsel
    expires: 2027-01-01
"#;

#[test]
fn an_empty_only_from() {
    let said = said(
        &format!(
            r#"{PARTIES}{FLOW}        only_from: []
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[empty-list]: `only_from` of a flow is empty
      --> i/inventory.yaml:12:20
       |
    12 |         only_from: []
       |                    ^^ expected at least one value
       |
       = help: name at least one, or leave `only_from` out
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn empty_purposes_of_a_flow() {
    let said = said(
        &format!(
            r#"{PARTIES}{FLOW}        purposes: []
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[empty-list]: `purposes` of a flow is empty
      --> i/inventory.yaml:12:19
       |
    12 |         purposes: []
       |                   ^^ expected at least one value
       |
       = help: name at least one, or leave `purposes` out
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_unknown_tag() {
    let said = said(
        r#"parties:
  - {id: hillside, name: Hillside Bank, systems: [{id: core, purposes: [service.account], originates: [financial.account.balance]}]}
  - {id: agora, name: !secret Agora, systems: [{id: chat, purposes: [service.messaging]}]}
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-tag]: unknown tag `!secret`
     --> i/inventory.yaml:3:23
      |
    3 |   - {id: agora, name: !secret Agora, systems: [{id: chat, purposes: [serv...
      |                       ^^^^^^^ not known here
      |
      = help: leave it out; a text that begins with `!` stands in quotes
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_key_that_is_a_list() {
    let said = said(
        r#"? [parties, agreements]
: []
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-key]: a key is a single word or text
     --> i/inventory.yaml:1:3
      |
    1 | ? [parties, agreements]
      |   ^^^^^^^^^^^^^^^^^^^^^ expected a text
      |
      = help: a text that begins with `{` or `[` stands in quotes
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_waiver_of_nothing() {
    let said = said(&format!(r#"{PARTIES}{FLOW}{WAIVER}"#), None);
    insta::assert_snapshot!(said, @r##"
    error[waiver-of-nothing]: a waiver names the finding or the rule that it accepts findings of
      --> i/inventory.yaml:13:5
       |
    13 |   - reason: known
       |     ^^^^^^ expected `finding` or `rule`
       |
       = help: copy the finding's fingerprint, `rf1:…`, or its rule from the report
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_waiver_without_a_reason() {
    let said = said(
        &format!(
            r#"{PARTIES}{FLOW}waivers:
  - {{rule: terms/onward, approved_by: counsel, expires: 2027-01-01}}
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[missing-key]: a waiver needs the key `reason`
      --> i/inventory.yaml:13:6
       |
    13 |   - {rule: terms/onward, approved_by: counsel, expires: 2027-01-01}
       |      ^^^^ expected `reason`
       |
       = help: add `reason: …`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_bad_fingerprint() {
    let said = said(
        &format!(
            r#"{PARTIES}{FLOW}{WAIVER}    finding: rf1:12ab
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-fingerprint]: this is not a fingerprint
      --> i/inventory.yaml:16:14
       |
    16 |     finding: rf1:12ab
       |              ^^^^^^^^ expected `rf1:` and 16 hexadecimal digits
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_unknown_agreement_in_a_waiver() {
    let said = said(
        &format!(
            r#"{PARTIES}{FLOW}{WAIVER}    rule: terms/*
    agreements: [onne]
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-agreement]: there is no agreement `onne`
      --> i/inventory.yaml:17:18
       |
    17 |     agreements: [onne]
       |                  ^^^^ expected the id of an agreement
       |
       = help: did you mean `one`?
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_reserved_policy_id() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: terms
rules: []
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[reserved-id]: a policy cannot be called `terms`
     --> policy.yaml:1:9
      |
    1 | policy: terms
      |         ^^^^^ taken by the built-in checks
      |
      = help: choose another id
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn two_rules_with_one_id() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - {id: a, forbid: {data: [financial]}}
  - {id: a, forbid: {data: [social]}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[duplicate-id]: two rules are called `a`
     --> policy.yaml:4:10
      |
    4 |   - {id: a, forbid: {data: [social]}}
      |          ^ declared again
      |
     ::: policy.yaml:3:10
      |
    3 |   - {id: a, forbid: {data: [financial]}}
      |          - first declared here
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_unknown_field_in_require() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    require: {on: agreement, must: {terms.retentoin: {present: true}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: there is no field `terms.retentoin`
     --> policy.yaml:4:37
      |
    4 |     require: {on: agreement, must: {terms.retentoin: {present: true}}}
      |                                     ^^^^^^^^^^^^^^^ not known here
      |
      = help: did you mean `terms.retention`?
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_unknown_operator_in_require() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    require: {on: agreement, must: {terms.retention: {at_mots: 1y}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: unknown key `at_mots` in what a field must be
     --> policy.yaml:4:55
      |
    4 |     require: {on: agreement, must: {terms.retention: {at_mots: 1y}}}
      |                                                       ^^^^^^^ not known here
      |
      = help: did you mean `at_most`?
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_operator_that_the_field_does_not_know() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    require: {on: party, must: {name: {at_most: 3}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: unknown key `at_most` in what a field must be
     --> policy.yaml:4:40
      |
    4 |     require: {on: party, must: {name: {at_most: 3}}}
      |                                        ^^^^^^^ not known here
      |
      = help: known keys: in, includes, matches, present
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_field_without_an_operator() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    require: {on: party, must: {name: {}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[wrong-type]: expected an operator, like `{present: true}`, found a map
     --> policy.yaml:4:39
      |
    4 |     require: {on: party, must: {name: {}}}
      |                                       ^^ expected an operator, like `{present: true}`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_bad_sort_of_declaration() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    require: {on: agreements, must: {title: {present: true}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-word]: `agreements` is no sort of declaration
     --> policy.yaml:4:19
      |
    4 |     require: {on: agreements, must: {title: {present: true}}}
      |                   ^^^^^^^^^^ expected agreement, flow, system or party
      |
      = help: did you mean `agreement`?
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_bad_regular_expression() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    require: {on: party, must: {name: {matches: "(Bank"}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-regex]: not a regular expression: found open group without closing ')'
     --> policy.yaml:4:49
      |
    4 |     require: {on: party, must: {name: {matches: "(Bank"}}}
      |                                                 ^^^^^^^ expected a regular expression
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_relation_that_there_is_not() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    forbid: {data: [financial], to: {relation: third-party}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-word]: `third-party` is not a relation
     --> policy.yaml:4:48
      |
    4 |     forbid: {data: [financial], to: {relation: third-party}}
      |                                                ^^^^^^^^^^^ expected a relation
      |
      = help: did you mean `third_party`? Known: first_party, affiliate, processor, second_party, third_party
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_relation_outside_forbid_to() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    forbid: {data: [financial], from: {relation: third_party}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: `relation` is known in `to` of a `forbid` alone
     --> policy.yaml:4:40
      |
    4 |     forbid: {data: [financial], from: {relation: third_party}}
      |                                        ^^^^^^^^ not known here
      |
      = help: it is what the place where data arrives is to that data
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_assurance_asked_for_with_a_wrong_key_and_a_bad_age() {
    let policy = "policy: p\nrules:\n  - id: r\n    forbid:\n      data: [financial]\n      unless:\n        \
                  through: {agreement: {assurance: {id: authorisation, atmost: 1y}}}\n  - id: s\n    require:\n      \
                  on: agreement\n      must: {assurances: {includes: [{id: dpia, at_most: 365}]}}\n  - id: t\n    \
                  require:\n      on: agreement\n      where: {assurance: {at_most: 1y}}\n      must: {kind: {present: true}}\n";
    insta::assert_snapshot!(said("", Some(policy)), @r##"
    error[unknown-key]: unknown key `atmost` in an assurance asked for
     --> policy.yaml:7:62
      |
    7 |         through: {agreement: {assurance: {id: authorisation, atmost: 1y}}}
      |                                                              ^^^^^^ not known here
      |
      = help: did you mean `at_most`?

    error[bad-duration]: `365` is not a duration (a whole number with h, d, w, m or y, like 90d; or unlimited)
      --> policy.yaml:11:58
       |
    11 |       must: {assurances: {includes: [{id: dpia, at_most: 365}]}}
       |                                                          ^^^ expected a duration (a whole number with h, d, w, m or y, like 90d; or unlimited)

    error[missing-key]: an assurance asked for needs the key `id`
      --> policy.yaml:15:27
       |
    15 |       where: {assurance: {at_most: 1y}}
       |                           ^^^^^^^ expected `id`
       |
       = help: add `id: …`
    error: 3 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn labels_that_ask_for_nothing() {
    let policy = "policy: p\nrules:\n  - id: r\n    forbid:\n      to: {label: gatekeeper}\n      from: {label: {fi: []}}\n  \
                  - id: s\n    forbid:\n      to: {label: {gatekeeper: {is: yes}}}\n      from: {labels: {fi: 'yes'}}\n";
    insta::assert_snapshot!(said("", Some(policy)), @r##"
    error[wrong-type]: expected labels (a map from label to glob), found a single value
     --> policy.yaml:5:19
      |
    5 |       to: {label: gatekeeper}
      |                   ^^^^^^^^^^ expected labels (a map from label to glob)

    error[empty-matcher]: a `label` that asks for none
     --> policy.yaml:6:21
      |
    6 |       from: {label: {fi: []}}
      |                     ^^^^^^^^ expected a label and a glob
      |
      = help: write `label: {name: "*"}` to ask for any value

    error[wrong-type]: expected a text, found a map
     --> policy.yaml:9:32
      |
    9 |       to: {label: {gatekeeper: {is: yes}}}
      |                                ^^^^^^^^^ expected a text

    error[unknown-key]: unknown key `labels` in a matcher of places
      --> policy.yaml:10:14
       |
    10 |       from: {labels: {fi: 'yes'}}
       |              ^^^^^^ not known here
       |
       = help: did you mean `label`?
    error: 4 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn an_assurance_that_ends_before_it_was_given() {
    let inventory = "parties: [{id: a, name: A}, {id: b, name: B}]\nagreements:\n  - id: ab\n    parties: [a, b]\n    \
                     assurances: [{id: dpia, date: 2026-02-01, valid_until: 2026-01-31}]\n";
    insta::assert_snapshot!(said(inventory, None), @r##"
    error[until-before-from]: this assurance ends before it was given
     --> i/inventory.yaml:5:60
      |
    5 |     assurances: [{id: dpia, date: 2026-02-01, valid_until: 2026-01-31}]
      |                                                            ^^^^^^^^^^ expected 2026-02-01 or later
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn arriving_in_a_limit() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    limit: {at: {role: platform}, together: [financial, social], unless: {arriving: {consent: opt_in}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: `arriving` is known in a `forbid` alone
     --> policy.yaml:4:75
      |
    4 | ...ial, social], unless: {arriving: {consent: opt_in}}}
      |                           ^^^^^^^^ not known here
      |
      = help: a `limit` looks at what is held, by whatever flow it came: use `through`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_scope_that_there_is_not() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    limit: {at: {role: platform}, scope: groups, together: [financial, social]}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-word]: `groups` is not a scope
     --> policy.yaml:4:42
      |
    4 | ...atform}, scope: groups, together: [financial, social]}
      |                    ^^^^^^ expected system, party or group
      |
      = help: did you mean `group`?
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_duplicate_key_of_a_taxonomy() {
    let said = said(
        r#"taxonomy:
  data:
    loyalty.points: {title: Points}
---
taxonomy:
  data:
    loyalty.points: {title: Points, again}
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[duplicate-id]: the key `loyalty.points` is declared twice
     --> i/inventory.yaml:7:5
      |
    7 |     loyalty.points: {title: Points, again}
      |     ^^^^^^^^^^^^^^ declared again
      |
     ::: i/inventory.yaml:3:5
      |
    3 |     loyalty.points: {title: Points}
      |     -------------- first declared here

    error[unknown-key]: unknown key `again` in a key of a taxonomy
     --> i/inventory.yaml:7:37
      |
    7 |     loyalty.points: {title: Points, again}
      |                                     ^^^^^ not known here
      |
      = help: a comma within `{…}` begins a new key: put a text that has one in quotes
    error: 2 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn a_bad_key_of_a_taxonomy() {
    let said = said(
        r#"taxonomy:
  data:
    loyalty..points: {title: Points}
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-id]: `loyalty..points` is not a key of a taxonomy
     --> i/inventory.yaml:3:5
      |
    3 |     loyalty..points: {title: Points}
      |     ^^^^^^^^^^^^^^^ expected words of letters, digits, `_` and `-`, with dots between
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn subjects_that_are_no_number() {
    let said = said(
        r#"parties:
  - {id: hillside, name: Hillside Bank, systems: [{id: core, purposes: [service.account], originates: [financial.account.balance]}]}
  - {id: agora, name: Agora, systems: [{id: chat, purposes: [service.messaging], subjects: about 3 million}]}
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-number]: `about 3 million` is not a whole number
     --> i/inventory.yaml:3:92
      |
    3 | ...ng], subjects: about 3 million}]}
      |                   ^^^^^^^^^^^^^^^ expected a whole number
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn null_for_an_id() {
    let said = said(
        &format!(
            r#"{PARTIES}  - {{id: null, name: Nobody}}
  - {{id: ~, name: Nobody}}
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[missing-key]: a party needs the key `id`
     --> i/inventory.yaml:4:6
      |
    4 |   - {id: null, name: Nobody}
      |      ^^ expected `id`
      |
      = help: add `id: …`

    error[missing-key]: a party needs the key `id`
     --> i/inventory.yaml:5:6
      |
    5 |   - {id: ~, name: Nobody}
      |      ^^ expected `id`
      |
      = help: add `id: …`
    error: 2 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn a_date_with_an_hour() {
    let said = said(
        &format!(
            r#"{PARTIES}{FLOW}        effective: {{from: 2018-10-01T00:00:00}}
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-date]: `2018-10-01T00:00:00` is not a date (year-month-day, like 2018-10-01)
      --> i/inventory.yaml:12:27
       |
    12 |         effective: {from: 2018-10-01T00:00:00}
       |                           ^^^^^^^^^^^^^^^^^^^ expected a date (year-month-day, like 2018-10-01)
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_date_the_american_way() {
    let said = said(
        &format!(
            r#"{PARTIES}{FLOW}        effective: {{from: 10/01/2018}}
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-date]: `10/01/2018` is not a date (year-month-day, like 2018-10-01)
      --> i/inventory.yaml:12:27
       |
    12 |         effective: {from: 10/01/2018}
       |                           ^^^^^^^^^^ expected a date (year-month-day, like 2018-10-01)
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_merge_of_a_text() {
    let said = said(
        &format!(
            r#"{PARTIES}  - {{<<: agora, id: x, name: X}}
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-merge]: `<<` merges maps, and this is none
     --> i/inventory.yaml:4:6
      |
    4 |   - {<<: agora, id: x, name: X}
      |      ^^ expected an alias of a map, or a list of them
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_agreement_of_one_with_itself() {
    let said = said(
        &format!(
            r#"{PARTIES}agreements:
  - {{id: one, parties: [agora, agora]}}
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[duplicate-party]: `agora` is named twice
     --> i/inventory.yaml:5:32
      |
    5 |   - {id: one, parties: [agora, agora]}
      |                                ^^^^^ named again
      |
     ::: i/inventory.yaml:5:25
      |
    5 |   - {id: one, parties: [agora, agora]}
      |                         ----- first named here
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_list_in_place_of_a_map() {
    let said = said(
        r#"- id: hillside
  name: Hillside Bank
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[wrong-type]: expected an inventory (a map of keys), found a list
     --> i/inventory.yaml:1:1
      |
    1 | - id: hillside
      | ^^^^^^^^^^^^^^ expected an inventory (a map of keys)
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_map_in_place_of_a_list() {
    let said = said(
        r#"parties:
  hillside:
    name: Hillside Bank
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[wrong-type]: `parties` is a list, and this is a map
     --> i/inventory.yaml:1:1
      |
    1 | parties:
      | ^^^^^^^ expected a list
      |
      = help: begin each with `- id: …`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_text_in_place_of_a_map() {
    let said = said(
        r#"parties: hillside
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[wrong-type]: expected a party (a map of keys), found a single value
     --> i/inventory.yaml:1:10
      |
    1 | parties: hillside
      |          ^^^^^^^^ expected a party (a map of keys)
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_missing_space_behind_a_colon() {
    let said = said(
        r#"parties:
  - id:hillside
    name:Hillside
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[wrong-type]: expected a party (a map of keys), found a single value
     --> i/inventory.yaml:2:5
      |
    2 |   - id:hillside
      |     ^^^^^^^^^^^ expected a party (a map of keys)
      |
      = help: `: `, with a space, separates a key from its value
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_missing_space_behind_a_hyphen() {
    let said = said(
        r#"parties:
  -id: hillside
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[missing-key]: a party needs the key `id`
     --> i/inventory.yaml:2:3
      |
    2 |   -id: hillside
      |   ^^^ expected `id`
      |
      = help: add `id: …`

    error[missing-key]: a party needs the key `name`
     --> i/inventory.yaml:2:3
      |
    2 |   -id: hillside
      |   ^^^ expected `name`
      |
      = help: add `name: …`

    error[unknown-key]: unknown key `-id` in a party
     --> i/inventory.yaml:2:3
      |
    2 |   -id: hillside
      |   ^^^ not known here
      |
      = help: write a space behind the `-` of a list's entry
    error: 3 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn a_comma_in_a_text_in_braces() {
    let said = said(
        r#"parties:
  - {id: hillside, name: Hillside, Inc}
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: unknown key `Inc` in a party
     --> i/inventory.yaml:2:36
      |
    2 |   - {id: hillside, name: Hillside, Inc}
      |                                    ^^^ not known here
      |
      = help: a comma within `{…}` begins a new key: put a text that has one in quotes
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_unclosed_quote() {
    let said = said(
        r#"parties:
  - id: hillside
    name: "Hillside Bank
    role: bank
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a quote that is never closed
     --> i/inventory.yaml:3:11
      |
    3 |     name: "Hillside Bank
      |           ^ opened here
      |
      = help: close it with the same sign at the text's end
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_unclosed_brace() {
    let said = said(
        r#"parties:
  - {id: hillside, name: Hillside
  - {id: agora, name: Agora}
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a `{` that is never closed
     --> i/inventory.yaml:2:5
      |
    2 |   - {id: hillside, name: Hillside
      |     ^ opened here
      |
      = help: close `[` with `]` and `{` with `}`; a text with a comma, a bracket, `: ` or `#` stands in quotes there
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_colon_in_a_text() {
    let said = said(
        r#"parties:
  - id: hillside
    name: Hillside: the bank
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a `:` where no key can stand
     --> i/inventory.yaml:3:19
      |
    3 |     name: Hillside: the bank
      |                   ^ not expected here
      |
      = help: put a text that has `: ` in quotes; or a key above or here is not indented like its neighbours
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_apostrophe_in_single_quotes() {
    let said = said(
        r#"parties:
  - id: wendy
    name: 'Wendy's'
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: something stands behind a quoted text
     --> i/inventory.yaml:3:18
      |
    3 |     name: 'Wendy's'
      |                  ^ not expected here
      |
      = help: within single quotes an apostrophe is written twice: `'Wendy''s'`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_text_behind_a_quote() {
    let said = said(
        r#"parties:
  - id: hillside
    name: "Hillside" Bank
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: something stands behind a quoted text
     --> i/inventory.yaml:3:22
      |
    3 |     name: "Hillside" Bank
      |                      ^ not expected here
      |
      = help: put the whole text in quotes, or a comma between two
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_star_for_any() {
    let said = said(
        r#"waivers:
  - rule: *
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: an alias or anchor without a name
     --> i/inventory.yaml:2:11
      |
    2 |   - rule: *
      |           ^ expected a name behind it
      |
      = help: a text that begins with `*` or `&` stands in quotes: `'*'`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_indented_key() {
    let said = said(
        r#"parties:
  - id: hillside
     name: Hillside
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a `:` where no key can stand
     --> i/inventory.yaml:3:10
      |
    3 |      name: Hillside
      |          ^ not expected here
      |
      = help: put a text that has `: ` in quotes; or a key above or here is not indented like its neighbours
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_key_indented_too_little() {
    let said = said(
        r#"parties:
  - id: hillside
   name: Hillside
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: expected the next `- ` of the list
     --> i/inventory.yaml:3:4
      |
    3 |    name: Hillside
      |    ^ not expected here
      |
      = help: indent a key of a list's entry like the entry's first key
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_party_in_the_place_of_a_system() {
    let inventory = r#"parties:
  - {id: hillside, name: Hillside, systems: [{id: core, originates: [financial]}]}
  - {id: bookly, name: Bookly, systems: [{id: crm, purposes: [advertising]}, {id: booking, purposes: [service]}]}
flows:
  - {id: f, from: hillside/core, to: bookly, data: [financial]}
"#;
    insta::assert_snapshot!(said(inventory, None), @r##"
    error[unknown-system]: there is no system `bookly`
     --> i/inventory.yaml:5:38
      |
    5 |   - {id: f, from: hillside/core, to: bookly, data: [financial]}
      |                                      ^^^^^^ expected the id of a system
      |
      = help: `bookly` is a party; its systems: `bookly/booking`, `bookly/crm`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_key_without_a_space_behind_its_colon() {
    let within = said("parties:\n  - id: hillside\n    name:Hillside\n    role: bank\n", None);
    insta::assert_snapshot!(within, @r##"
    error[yaml-syntax]: a key without a space behind its `:`
     --> i/inventory.yaml:3:10
      |
    3 |     name:Hillside
      |          ^ a space belongs before this
      |
      = help: write `key: value`
    error: 1 mistake in 1 file; nothing was judged
    "##);
    // What follows goes on with the text that it is.
    let above = said("parties:\n  # Ours.\n  - id:hillside\n    name: Hillside\n", None);
    insta::assert_snapshot!(above, @r##"
    error[yaml-syntax]: a key without a space behind its `:`
     --> i/inventory.yaml:3:8
      |
    3 |   - id:hillside
      |        ^ a space belongs before this
      |
      = help: write `key: value`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_colon_in_a_text_below_one_that_needs_no_space() {
    let said = said(
        "parties:\n  - id: hillside\n    systems: [{id: core, tags: [\n      env:prod\n      ]}]\n    name: Hillside: the bank\n",
        None,
    );
    assert!(said.contains("a `:` where no key can stand") && said.contains(":6:19"), "{said}");
    let list = self::said("a:\n  - env:prod\nname: Hillside: the bank\n", None);
    assert!(list.contains("a `:` where no key can stand") && list.contains(":3:15"), "{list}");
}

#[test]
fn a_key_without_a_colon() {
    let said = said(
        r#"parties:
  - id: hillside
    name Hillside
    role: bank
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a key without its `:`
     --> i/inventory.yaml:3:5
      |
    3 |     name Hillside
      |     ^ expected `key: value`
      |
      = help: write `key: value`; a text of several lines is indented deeper than its key
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_handle_without_quotes() {
    let said = said(
        r#"parties:
  - id: agora
    name: @agora
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: no text can begin with `@`
     --> i/inventory.yaml:3:11
      |
    3 |     name: @agora
      |           ^ not expected here
      |
      = help: put the text in quotes
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_backslash() {
    let said = said(
        r#"parties:
  - id: hillside
    name: "C:\path"
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a backslash with a letter that means nothing
     --> i/inventory.yaml:3:11
      |
    3 |     name: "C:\path"
      |           ^ within this text
      |
      = help: write `\\` for a backslash, or use single quotes
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_tab() {
    let said = said(
        r#"parties:
  - id: hillside
	name: Hillside
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a tab where YAML wants spaces
     --> i/inventory.yaml:3:1
      |
    3 |     name: Hillside
      | ^^^^ a tab
      |
      = help: indent with spaces; YAML does not allow tabs there
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_merge_conflict() {
    let said = said(
        r#"parties:
<<<<<<< HEAD
  - {id: a, name: A}
=======
  - {id: b, name: B}
>>>>>>> theirs
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[yaml-syntax]: a merge conflict that has not been resolved
     --> i/inventory.yaml:2:1
      |
    2 | <<<<<<< HEAD
      | ^ the conflict begins here
      |
      = help: keep one of the two versions, and take out the lines with `<<<<<<<`, `=======`, `>>>>>>>`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn an_alias_of_itself() {
    let said = said(
        r#"parties: &all
  - *all
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-alias]: an alias of the value that it stands in
     --> i/inventory.yaml:2:5
      |
    2 |   - *all
      |     ^^^^ expected the name of an anchor that comes before
      |
      = help: an anchor is set with `&name` and holds within its document
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn values_nested_too_deep() {
    let said = said(
        r#"parties: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[too-deep]: values nest 65 levels deep, more than the limit of 64
     --> i/inventory.yaml:1:74
      |
    1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]...
      |                            ^ the rest is not read
      |
      = help: declarations never nest that deep; `--max-depth N` raises the limit
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_policy_without_rules_at_all() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rule: []
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: unknown key `rule` in a policy
     --> policy.yaml:2:1
      |
    2 | rule: []
      | ^^^^ not known here
      |
      = help: did you mean `rules`?
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_policy_file_without_a_policy() {
    let said = said(
        PARTIES,
        Some(
            r#"# to be written
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[no-policy]: there is no policy in `policy.yaml`
     |
     = help: a policy is a document with the key `policy`
    error: 1 mistake; nothing was judged
    "##);
}

#[test]
fn an_inventory_in_place_of_a_policy() {
    let said = said(PARTIES, Some(PARTIES));
    insta::assert_snapshot!(said, @r##"
    error[missing-key]: a policy needs the key `policy`
     --> policy.yaml:1:1
      |
    1 | parties:
      | ^^^^^^^ expected `policy`
      |
      = help: add `policy: …`

    error[unknown-key]: unknown key `parties` in a policy
     --> policy.yaml:1:1
      |
    1 | parties:
      | ^^^^^^^ not known here
      |
      = help: `parties` is a key of an inventory: keep it in a document of its own
    error: 2 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn two_policies_with_one_id() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
---
policy: house
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[duplicate-id]: two policies are called `house`
     --> policy.yaml:3:9
      |
    3 | policy: house
      |         ^^^^^ declared again
      |
     ::: policy.yaml:1:9
      |
    1 | policy: house
      |         ----- first declared here
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn at_most_of_a_bad_duration() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    require: {on: agreement, must: {terms.retention: {at_most: 30}}}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[bad-duration]: `30` is not a duration (a whole number with h, d, w, m or y, like 90d; or unlimited)
     --> policy.yaml:4:64
      |
    4 |     require: {on: agreement, must: {terms.retention: {at_most: 30}}}
      |                                                                ^^ expected a duration (a whole number with h, d, w, m or y, like 90d; or unlimited)
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn two_rules_in_one_and_an_empty_matcher() {
    let said = said(
        PARTIES,
        Some(
            r#"policy: house
rules:
  - id: a
    forbid: {to: {}}
    limit: {together: [financial]}
"#,
        ),
    );
    insta::assert_snapshot!(said, @r##"
    error[empty-matcher]: a matcher of places that says nothing
     --> policy.yaml:4:18
      |
    4 |     forbid: {to: {}}
      |                  ^^ expected at least one key
      |
      = help: leave the matcher out to mean any

    error[two-rules-in-one]: a rule is one of `forbid`, `limit`, `require`
     --> policy.yaml:5:5
      |
    5 |     limit: {together: [financial]}
      |     ^^^^^ `limit` besides another
      |
      = help: make two rules of it
    error: 2 mistakes in 1 file; nothing was judged
    "##);
}

#[test]
fn an_unknown_top_level_key() {
    let said = said(
        r#"partys: []
"#,
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-key]: unknown key `partys` in an inventory
     --> i/inventory.yaml:1:1
      |
    1 | partys: []
      | ^^^^^^ not known here
      |
      = help: did you mean `parties`?
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn a_name_of_two_places() {
    let said = said(
        &format!(
            r#"{PARTIES}flows:
  - {{id: f, from: hillside, to: agora/chat, data: financial}}
"#
        ),
        None,
    );
    insta::assert_snapshot!(said, @r##"
    error[unknown-system]: there is no system `hillside`
     --> i/inventory.yaml:5:19
      |
    5 |   - {id: f, from: hillside, to: agora/chat, data: financial}
      |                   ^^^^^^^^ expected the id of a system
      |
      = help: `hillside` is a party; its systems: `hillside/core`
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

/// The messages for a policy by itself.
fn of_policy(rules: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), format!("policy: p\nrules:\n{rules}")).unwrap();
    mistakes(folder.path(), &["check", "--policy", "policy.yaml"])
}

#[test]
fn a_matcher_that_rules_itself_out() {
    insta::assert_snapshot!(of_policy(r#"  - id: a-bank-that-is-none
    forbid:
      data: [financial]
      to: {role: bank, not: {role: [bank, platform]}}
  - id: neither-nor
    limit:
      at: {party: acme, any: [{party: other}, {role: bank, not: {role: bank}}]}
      together: [financial, social]
  - id: no-agreement
    require:
      on: flow
      where: {agreement: {kind: sharing, not: {id: "*"}}}
      must: {retention: {present: true}}
"#), @r##"
error[never-matches]: this rule can never find anything: no arrival matches
 --> policy.yaml:6:11
  |
6 |       to: {role: bank, not: {role: [bank, platform]}}
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ whatever this asks for, its `not` rules out
  |
 ::: policy.yaml:6:29
  |
6 |       to: {role: bank, not: {role: [bank, platform]}}
  |                             ------------------------ this leaves nothing over

error[never-matches]: this rule can never find anything: no system matches
 --> policy.yaml:9:11
  |
9 | ...t: {party: acme, any: [{party: other}, {role: bank, not: {role: bank}}]}
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing is this and one of `any`
  |
 ::: policy.yaml:9:31
  |
9 |       at: {party: acme, any: [{party: other}, {role: bank, not: {role: ba...
  |                               -------------- this leaves nothing over

error[never-matches]: this rule can never find anything: no flow matches
  --> policy.yaml:14:14
   |
14 |       where: {agreement: {kind: sharing, not: {id: "*"}}}
   |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no agreement can match
   |
  ::: policy.yaml:14:26
   |
14 |       where: {agreement: {kind: sharing, not: {id: "*"}}}
   |                          ------------------------------- this leaves nothing over
error: 3 mistakes in 1 file; nothing was judged
"##);
}

#[test]
fn a_relation_that_is_impossible() {
    insta::assert_snapshot!(of_policy(r#"  - id: its-own
    forbid:
      from: {role: bank}
      to: {role: platform, relation: first_party}
  - id: not-its-own
    forbid:
      from: {party: acme}
      to: {party: acme, relation: [affiliate, third_party]}
  - id: of-itself
    forbid:
      data: [financial]
      to: {not: {relation: [first_party, affiliate, processor, second_party, third_party]}}
"#), @r##"
error[never-matches]: this rule can never find anything: no arrival matches
 --> policy.yaml:6:11
  |
6 |       to: {role: platform, relation: first_party}
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a first party is the party that the data comes from
  |
 ::: policy.yaml:5:13
  |
5 |       from: {role: bank}
  |             ------------ this leaves nothing over

error[never-matches]: this rule can never find anything: no arrival matches
  --> policy.yaml:10:11
   |
10 |       to: {party: acme, relation: [affiliate, third_party]}
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the party that the data comes from is always its first party
   |
  ::: policy.yaml:9:13
   |
 9 |       from: {party: acme}
   |             ------------- this leaves nothing over

error[never-matches]: this rule can never find anything: no arrival matches
  --> policy.yaml:14:11
   |
14 | ...o: {not: {relation: [first_party, affiliate, processor, second_party, third_party]}}
   |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ whatever this asks for, its `not` rules out
   |
  ::: policy.yaml:14:17
   |
14 | ...t: {relation: [first_party, affiliate, processor, second_party, third_party]}}
   |       -------------------------------------------------------------------------- this leaves nothing over
error: 3 mistakes in 1 file; nothing was judged
"##);
}

#[test]
fn an_exception_that_excepts_nothing() {
    insta::assert_snapshot!(of_policy(r#"  - id: within-two
    forbid:
      data: [financial]
      unless: {through: {crosses_parties: false, from: {role: bank}, to: {role: platform}}}
  - id: purposes
    forbid:
      data: [financial]
      unless: {arriving: {purpose: service.account, not: {purpose: service}}}
"#), @r##"
error[excepts-nothing]: no flow can match this exception
 --> policy.yaml:6:25
  |
6 | ...h: {crosses_parties: false, from: {role: bank}, to: {role: platform}}}
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its ends belong to two parties
  |
 ::: policy.yaml:6:56
  |
6 | ...s: false, from: {role: bank}, to: {role: platform}}}
  |                    ------------ this leaves nothing over

error[excepts-nothing]: no flow can match this exception
  --> policy.yaml:10:26
   |
10 | ...iving: {purpose: service.account, not: {purpose: service}}}
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ whatever this asks for, its `not` rules out
   |
  ::: policy.yaml:10:58
   |
10 | ...ccount, not: {purpose: service}}}
   |                 ------------------ this leaves nothing over
error: 2 mistakes in 1 file; nothing was judged
"##);
}

#[test]
fn what_only_looks_like_a_contradiction() {
    // A system may serve both purposes, and a flow carry both.
    let folder = tempfile::tempdir().unwrap();
    let rules = r#"policy: p
rules:
  - id: purposes
    forbid: {data: [financial], to: {purpose: service.account, not: {purpose: service}}}
  - id: tags
    forbid: {data: [financial], to: {tag: [a, b], not: {tag: a}}}
  - id: arriving
    forbid: {data: [financial], to: {purpose: advertising}, unless: {arriving: {to: {purpose: advertising}}}}
  - id: flows
    require: {on: flow, where: {data: financial.account, not: {data: financial}}, must: {retention: {present: true}}}
  - id: parties
    require: {on: agreement, where: {role: bank, not: {role: platform}, party: a, any: {party: b}}, must: {legal_basis: {present: true}}}
"#;
    fs::write(folder.path().join("policy.yaml"), rules).unwrap();
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let output =
        command.current_dir(folder.path()).args(["check", "--policy", "policy.yaml"]).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(text, "Read 1 policy with 5 rules: no mistakes\n");
}

#[test]
fn a_policy_named_twice() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.yaml"), "policy: p\nrules: []\n").unwrap();
    let args = ["check", "--policy", "policy.yaml", "--policy", "./policy.yaml"];
    insta::assert_snapshot!(mistakes(folder.path(), &args), @r##"
    error[duplicate-id]: the policy `p` is named twice
     --> policy.yaml:1:9
      |
    1 | policy: p
      |         ^ read twice
      |
      = help: name it once
    error: 1 mistake in 1 file; nothing was judged
    "##);
    insta::assert_snapshot!(mistakes(folder.path(), &["check", "--policy", "core", "--policy", "core"]), @r##"
    error[duplicate-id]: the policy `core` is named twice
     --> policies/core/policy.yaml:3:9
      |
    3 | policy: core
      |         ^^^^ read twice
      |
      = help: name it once
    error: 1 mistake in 1 file; nothing was judged
    "##);
}
