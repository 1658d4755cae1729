//! `ringfence test`: what passes, what fails and how that is shown, what is wrong, and what
//! no test exercises.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

const POLICY: &str = r#"policy: house
as_of: 2026-11-22
rules:
  - id: no-ads
    forbid:
      data: [financial]
      from: {role: bank}
      to: {purpose: advertising}
      unless:
        through: {transform: [aggregated, anonymised]}
        arriving: {agreement: {assurance: {id: authorisation, at_most: 1y}}}
  - id: not-together
    limit:
      at: {role: platform}
      together: [financial.account.balance, social.graph]
  - id: retention
    require:
      on: agreement
      where: {kind: sharing}
      must:
        terms.retention: {at_most: 1y}
"#;

const INVENTORY: &str = r#"parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service.account], originates: [financial.account.balance, identity.name]}]}
  - id: ads
    name: Ads
    role: ad_network
    systems:
      - {id: audiences, purposes: [advertising], originates: [financial.account.number]}
      - {id: books, purposes: [service.account]}
agreements:
  - id: deal
    parties: [bank, ads]
    flows:
      - {id: balance, from: bank/core, to: ads/audiences, data: [financial.account.balance, identity.name]}
flows:
  - {id: books, from: ads/audiences, to: ads/books, data: [financial.account]}
  - {id: back, from: ads/books, to: ads/audiences, data: [financial.account.number]}
"#;

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

/// The first test of a file, and others.
fn tests(others: &str) -> String {
    format!(
        "tests:\n  - name: Balances reach an ad network\n    rule: no-ads\n    inventory:\n{}    finds:\n      - {{source: bank/core, sink: ads/audiences, data: [financial.account.balance]}}\n{others}",
        indented(INVENTORY, 6)
    )
}

const GOOD: &str = r#"  - name: With a fresh authorisation it may
    rule: no-ads
    based_on: Balances reach an ad network
    change: {agreements/deal/assurances: [{id: authorisation, date: 2026-01-01}]}
    finds: []
  - name: An old one does not do
    rule: house/no-ads
    based_on: Balances reach an ad network
    change: {agreements/deal/assurances: [{id: authorisation, date: 2025-11-21}]}
    finds: [{sink: ads/audiences}]
    not: [{sink: ads/books}, {data: identity}]
  - name: Aggregated it may
    rule: no-ads
    based_on: Balances reach an ad network
    change: {agreements/deal/flows/balance/transform: aggregated}
    finds: []
"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let output = command.current_dir(folder).arg("test").args(args).env_remove("COLUMNS").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The mistakes in a file of tests beside the policy.
fn wrong(file: &str) -> String {
    let folder = folder(&[("policy.yaml", POLICY), ("tests/no-ads.yaml", file)]);
    let (code, out, err) = run(folder.path(), &[]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    err
}

#[test]
fn tests_that_pass_are_a_line_for_each_file() {
    let folder = folder(&[("policy.yaml", POLICY), ("tests/no-ads.yaml", &tests(GOOD))]);
    let (code, out, err) = run(folder.path(), &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r##"
    ok tests/no-ads.yaml: 4 tests

    4 tests in 1 file pass
    "##);
    assert_eq!(run(folder.path(), &["--quiet"]), (0, String::new(), String::new()));
    // From elsewhere, by file, and some of them.
    let (code, out, _) = run(&folder.path().join("tests"), &["no-ads.yaml", "--filter", "AGGREGATED"]);
    assert_eq!(code, 0);
    assert!(out.contains("1 test in 1 file pass"), "{out}");
    let (code, _, err) = run(folder.path(), &["--filter", "nothing like it"]);
    assert_eq!(code, 2);
    assert!(err.contains("there is no test like that"), "{err}");
}

#[test]
fn a_failure_shows_what_differs_and_why() {
    let failing = r#"  - name: Aggregated it may not
    rule: no-ads
    based_on: Balances reach an ad network
    change: {agreements/deal/flows/balance/transform: aggregated}
    finds:
      - {source: bank/core, sink: ads/audiences, data: [financial.account.balance]}
  - name: The whole account
    rule: no-ads
    based_on: Balances reach an ad network
    finds:
      - {source: bank/core, sink: ads/audiences, data: [financial.account]}
      - {sink: ads/books}
  - name: Nothing at all
    based_on: Balances reach an ad network
    finds: []
  - name: Not the balance
    rule: no-ads
    based_on: Balances reach an ad network
    not: [{sink: "ads/*", data: financial.account}]
"#;
    let folder = folder(&[("policy.yaml", POLICY), ("tests/no-ads.yaml", &tests(failing))]);
    let (code, out, err) = run(folder.path(), &[]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out, @r##"
    FAILED tests/no-ads.yaml: 4 of 5 tests

      Aggregated it may not
      tests/no-ads.yaml:23 · rule house/no-ads · judged on 2026-11-22
        - missing     bank/core → ads/audiences: financial.account.balance
                      kept away: deal/balance claims transform: aggregated

      The whole account
      tests/no-ads.yaml:29 · rule house/no-ads · judged on 2026-11-22
        ~ other data  bank/core → ads/audiences: expected financial.account, found
                      financial.account.balance
                      bank/core ─[deal/balance]→ ads/audiences
        - missing     at ads/books

      Nothing at all
      tests/no-ads.yaml:35 · all 3 rules · judged on 2026-11-22
        + unexpected  house/no-ads: bank/core → ads/audiences:
                      financial.account.balance
                      bank/core ─[deal/balance]→ ads/audiences
        + unexpected  house/retention: deal
                      deal: `terms.retention` is not stated; expected at most 1y

      Not the balance
      tests/no-ads.yaml:38 · rule house/no-ads · judged on 2026-11-22
        + forbidden   bank/core → ads/audiences: financial.account.balance
                      bank/core ─[deal/balance]→ ads/audiences

    4 of 5 tests in 1 file fail
    "##);
    let (code, out, _) =
        run(folder.path(), &["--format", "junit", "--report", "json=t.json", "--output", "t.xml"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let xml = fs::read_to_string(folder.path().join("t.xml")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let failures = document.descendants().filter(|n| n.has_tag_name("failure")).count();
    assert_eq!((document.root_element().attribute("failures"), failures), (Some("4"), 4));
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("t.json")).unwrap()).unwrap();
    assert_eq!(json["summary"], serde_json::json!({"tests": 5, "passed": 1, "failed": 4}));
    let first = &json["files"][0]["tests"][1]["differences"][0];
    assert_eq!(first["what"], "missing");
    assert_eq!(first["because"], serde_json::json!(["deal/balance claims transform: aggregated"]));
    insta::assert_snapshot!(xml);
}

#[test]
fn what_no_test_exercises_is_told() {
    let folder = folder(&[("policy.yaml", POLICY), ("tests/no-ads.yaml", &tests(GOOD))]);
    let (code, out, err) = run(folder.path(), &["--coverage"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r##"
    ok tests/no-ads.yaml: 4 tests

    EXERCISED
        9 of 9  house/no-ads · 4 tests, 2 with findings
        0 of 4  house/not-together · no test
        0 of 3  house/retention · no test

    4 tests in 1 file pass; 9 of 16 parts of 3 rules are exercised (56 %)
    "##);
    let (code, out, _) = run(folder.path(), &["--fail-under", "100", "--quiet"]);
    assert_eq!(code, 1);
    assert!(out.contains("the 100 % asked for"), "{out}");
    assert_eq!(run(folder.path(), &["--fail-under", "10", "--quiet"]).0, 0);
    let (_, out, _) = run(folder.path(), &["--coverage", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rules = json["coverage"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 3);
    assert_eq!((&rules[0]["rule"], &rules[0]["triggering"]), (&"house/no-ads".into(), &2.into()));
    let (_, out, _) = run(folder.path(), &["--fail-under", "100", "--format", "junit"]);
    roxmltree::Document::parse(&out).unwrap();
    assert!(out.contains("failures=\"2\""), "{out}");
}

#[test]
fn limits_and_requirements_are_tested_alike() {
    let file = r#"tests:
  - name: Both in one place
    rule: not-together
    inventory:
      parties:
        - id: agora
          name: Agora
          role: platform
          systems:
            - {id: lake, purposes: [analytics], originates: [financial.account.balance, social.graph]}
            - {id: half, purposes: [analytics], originates: [financial.account.balance]}
            - {id: other-half, purposes: [analytics], originates: [social.graph]}
        - id: shop
          name: Shop
          role: merchant
          systems: [{id: lake, purposes: [analytics], originates: [financial.account.balance, social.graph]}]
    finds: [{sink: agora/lake, subject: agora/lake, data: [financial.account.balance, social.graph]}]
  - name: One of them only
    rule: not-together
    based_on: Both in one place
    change: {parties/agora/systems/lake/originates: [social.graph]}
    finds: []
  - name: Kept for long
    rule: retention
    inventory:
      parties: [{id: a, name: A}, {id: b, name: B}]
      agreements:
        - {id: ab, parties: [a, b], terms: {retention: 2y}}
        - {id: for-us, kind: processing, parties: [a, b]}
    finds: [{subject: ab}]
  - name: Kept for a year
    rule: retention
    based_on: Kept for long
    change: {agreements/ab/terms/retention: 1y}
    finds: []
  - name: Not stated
    rule: retention
    based_on: Kept for long
    change: {agreements/ab/terms: null}
    finds: [{subject: ab}]
"#;
    let folder = folder(&[("policy.yaml", POLICY), ("others-test.yaml", file)]);
    let (code, out, err) = run(folder.path(), &["--coverage"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    insta::assert_snapshot!(out, @r##"
    ok others-test.yaml: 5 tests

    EXERCISED
        0 of 9  house/no-ads · no test
        4 of 4  house/not-together · 2 tests, 1 with findings
        3 of 3  house/retention · 3 tests, 2 with findings

    5 tests in 1 file pass; 7 of 16 parts of 3 rules are exercised (43 %)
    "##);
}

#[test]
fn inventories_and_policies_may_lie_elsewhere() {
    let file = "policies: [../rules/ads.yaml, core]\ntests:\n  - name: From a folder\n    rule: house/no-ads\n    \
                inventory: ../declared\n    finds: [{sink: ads/audiences}]\n  - name: From files\n    rule: \
                no-ads\n    inventory: [../declared/all.yaml]\n    change: {agreements/deal: null}\n    finds: []\n";
    let folder = folder(&[
        ("rules/ads.yaml", POLICY),
        ("declared/all.yaml", INVENTORY),
        // Neither are the tests part of an inventory, nor the policy.
        ("declared/more-test.yaml", "tests: []\n"),
        ("declared/house.yaml", "policy: other\n"),
        ("checks/ads.yaml", file),
        ("broken/not-ours.yaml", "a: [b"),
    ]);
    let (code, out, err) = run(folder.path(), &["checks"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("2 tests in 1 file pass"), "{out}");
}

#[test]
fn nothing_to_run() {
    let folder = folder(&[("policy.yaml", POLICY)]);
    let (code, _, err) = run(folder.path(), &[]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @r##"
    error[no-tests]: there are no tests in `.`
     |
     = help: tests are YAML files with the key `tests`; or name a built-in pack
    error: 1 mistake; nothing was judged
    "##);
    let (code, _, err) = run(folder.path(), &["policy.yml"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @r##"
    error[missing-path]: there is no `policy.yml`
     |
     = help: did you mean `./policy.yaml`?
    error: 1 mistake; nothing was judged
    "##);
    let (code, _, err) = run(folder.path(), &["coree"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean the pack `core`?"), "{err}");
}

#[test]
fn names_that_there_are_not() {
    insta::assert_snapshot!(wrong(&tests(r#"  - name: A rule
    rule: no-add
    based_on: Balances reach an ad network
    finds: []
  - name: A test
    based_on: Balances reach ad networks
    finds: []
  - name: A later test
    based_on: A system
    finds: []
  - name: A system
    rule: no-ads
    based_on: Balances reach an ad network
    finds: [{source: bank/cor, sink: ads/audience, data: [financial.acount], flow: deal/balances, subject: dael}]
"#)), @r##"
error[unknown-rule]: there is no rule `no-add`
  --> tests/no-ads.yaml:24:11
   |
24 |     rule: no-add
   |           ^^^^^^ expected a rule that is judged
   |
   = help: did you mean `no-ads`?

error[unknown-test]: there is no test `Balances reach ad networks`
  --> tests/no-ads.yaml:28:15
   |
28 |     based_on: Balances reach ad networks
   |               ^^^^^^^^^^^^^^^^^^^^^^^^^^ expected the name of an earlier test
   |
   = help: did you mean `Balances reach an ad network`?

error[unknown-test]: a test cannot be based on a later one
  --> tests/no-ads.yaml:31:15
   |
31 |     based_on: A system
   |               ^^^^^^^^ expected the name of an earlier test
   |
  ::: tests/no-ads.yaml:33:11
   |
33 |   - name: A system
   |           -------- this test

error[unknown-system]: there is no system `bank/cor` in this inventory
  --> tests/no-ads.yaml:36:22
   |
36 |     finds: [{source: bank/cor, sink: ads/audience, data: [financial.acou...
   |                      ^^^^^^^^ expected a system
   |
   = help: did you mean `bank/core`?

error[unknown-system]: there is no system or party `ads/audience` in this inventory
  --> tests/no-ads.yaml:36:38
   |
36 | ...ank/cor, sink: ads/audience, data: [financial.acount], flow: deal/bal...
   |                   ^^^^^^^^^^^^ expected a system or party
   |
   = help: did you mean `ads/audiences`?

error[unknown-category]: `financial.acount` is not a data category
  --> tests/no-ads.yaml:36:59
   |
36 | ...ience, data: [financial.acount], flow: deal/balances, subject: dael}]
   |                  ^^^^^^^^^^^^^^^^ expected a data category
   |
   = help: did you mean `financial.account`? `ringfence taxonomy` lists all

error[unknown-flow]: there is no flow `deal/balances` in this inventory
  --> tests/no-ads.yaml:36:84
   |
36 | ...cial.acount], flow: deal/balances, subject: dael}]
   |                        ^^^^^^^^^^^^^ expected a flow
   |
   = help: did you mean `deal/balance`?

error[unknown-subject]: there is no subject `dael` in this inventory
  --> tests/no-ads.yaml:36:108
   |
36 | ...eal/balances, subject: dael}]
   |                           ^^^^ expected a subject
   |
   = help: did you mean `deal`?
error: 8 mistakes in 1 file; nothing was judged
"##);
}

#[test]
fn changes_that_lead_nowhere() {
    insta::assert_snapshot!(wrong(&tests(r#"  - name: An agreement
    based_on: Balances reach an ad network
    change: {agreements/dael/assurances: [x]}
    finds: []
  - name: A list
    based_on: Balances reach an ad network
    change: {agreement/deal/assurances: [x]}
    finds: []
  - name: A key that is not there
    based_on: Balances reach an ad network
    change: {agreements/deal/terms/retention: 1y, agreements/deal/flows/balance/transform: null}
    finds: []
  - name: A key that nobody knows
    based_on: Balances reach an ad network
    change: {agreements/deal/asurances: [x]}
    finds: []
  - name: A value
    based_on: Balances reach an ad network
    change: {agreements/deal/flows/balance/to: ads/audience}
    finds: []
"#)), @r##"
error[unknown-path]: `agreements/dael/assurances` leads nowhere: there is no `dael` in `agreements`
  --> tests/no-ads.yaml:25:14
   |
25 |     change: {agreements/dael/assurances: [x]}
   |              ^^^^^^^^^^^^^^^^^^^^^^^^^^ expected keys and ids, with `/` between
   |
   = help: did you mean `deal`?

error[unknown-path]: `agreement/deal/assurances` leads nowhere: there is no `agreement` in the inventory
  --> tests/no-ads.yaml:29:14
   |
29 |     change: {agreement/deal/assurances: [x]}
   |              ^^^^^^^^^^^^^^^^^^^^^^^^^ expected keys and ids, with `/` between
   |
   = help: did you mean `agreements`?

error[unknown-path]: `agreements/deal/terms/retention` leads nowhere: there is no `terms` in `agreements/deal`
  --> tests/no-ads.yaml:33:14
   |
33 |     change: {agreements/deal/terms/retention: 1y, agreements/deal/flows/...
   |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected keys and ids, with `/` between
   |
   = help: set it as a whole: `agreements/deal/terms: {retention: …}`

error[unknown-path]: `agreements/deal/flows/balance/transform` leads nowhere: there is no `transform` in `agreements/deal/flows/balance`
  --> tests/no-ads.yaml:33:51
   |
33 | ...ntion: 1y, agreements/deal/flows/balance/transform: null}
   |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected keys and ids, with `/` between
   |
   = help: there: data, from, id, to

error[unknown-key]: unknown key `asurances` in an agreement
  --> tests/no-ads.yaml:37:14
   |
37 |     change: {agreements/deal/asurances: [x]}
   |              ^^^^^^^^^^^^^^^^^^^^^^^^^ not known here
   |
   = help: did you mean `assurances`?

error[unknown-system]: there is no system `ads/audience`
  --> tests/no-ads.yaml:41:48
   |
41 |     change: {agreements/deal/flows/balance/to: ads/audience}
   |                                                ^^^^^^^^^^^^ expected the id of a system
   |
   = help: did you mean `ads/audiences`?
error: 6 mistakes in 1 file; nothing was judged
"##);
}

#[test]
fn tests_that_are_written_wrongly() {
    insta::assert_snapshot!(wrong(r#"policies: [hous.yaml]
test: []
tests:
  - name: No inventory
    finds: []
  - name: Two of them
    inventory: {partys: []}
    based_on: No inventory
    find: []
  - {inventory: {parties: []}, finds: [{}], day: today}
  - name: Two of them
    inventory: [{parties: []}]
    finds: [{sorce: a}]
    change: {}
"#), @r##"
error[unknown-policy]: there is no policy `hous.yaml`: neither a pack nor a file beside this one
 --> tests/no-ads.yaml:1:12
  |
1 | policies: [hous.yaml]
  |            ^^^^^^^^^ expected a pack or a file
  |
  = help: name a pack, or a file relative to this one

error[unknown-key]: unknown key `test` in a file of tests
 --> tests/no-ads.yaml:2:1
  |
2 | test: []
  | ^^^^ not known here
  |
  = help: did you mean `tests`?

error[missing-key]: this test has no inventory
 --> tests/no-ads.yaml:4:5
  |
4 |   - name: No inventory
  |     ^^^^ expected `inventory` or `based_on`
  |
  = help: write the inventory below `inventory`, or name an earlier test in `based_on`

error[missing-key]: this test expects nothing
 --> tests/no-ads.yaml:6:5
  |
6 |   - name: Two of them
  |     ^^^^ expected `finds`
  |
  = help: write `finds: []` if nothing must be found

error[two-inventories]: a test has an `inventory` or is `based_on` another
 --> tests/no-ads.yaml:8:5
  |
8 |     based_on: No inventory
  |     ^^^^^^^^ besides `inventory`
  |
  = help: leave one of them out

error[unknown-key]: unknown key `find` in a test
 --> tests/no-ads.yaml:9:5
  |
9 |     find: []
  |     ^^^^ not known here
  |
  = help: did you mean `finds`?

error[missing-key]: a test needs the key `name`
  --> tests/no-ads.yaml:10:6
   |
10 |   - {inventory: {parties: []}, finds: [{}], day: today}
   |      ^^^^^^^^^ expected `name`
   |
   = help: add `name: …`

error[empty-matcher]: a finding that says nothing
  --> tests/no-ads.yaml:10:40
   |
10 |   - {inventory: {parties: []}, finds: [{}], day: today}
   |                                        ^^ expected `source`, `sink`, `flow`, `subject` or `data`

error[bad-date]: `today` is not a date (year-month-day, like 2018-10-01)
  --> tests/no-ads.yaml:10:50
   |
10 |   - {inventory: {parties: []}, finds: [{}], day: today}
   |                                                  ^^^^^ expected a date (year-month-day, like 2018-10-01)

error[duplicate-id]: two tests of this file have one name
  --> tests/no-ads.yaml:11:11
   |
11 |   - name: Two of them
   |           ^^^^^^^^^^^ named again
   |
  ::: tests/no-ads.yaml:6:11
   |
 6 |   - name: Two of them
   |           ----------- first named here

error[wrong-type]: expected an inventory (a map), or paths, found a list
  --> tests/no-ads.yaml:12:16
   |
12 |     inventory: [{parties: []}]
   |                ^^^^^^^^^^^^^^^ expected an inventory (a map), or paths

error[unknown-key]: unknown key `sorce` in a finding
  --> tests/no-ads.yaml:13:14
   |
13 |     finds: [{sorce: a}]
   |              ^^^^^ not known here
   |
   = help: did you mean `source`?

error[empty-list]: this changes nothing
  --> tests/no-ads.yaml:14:13
   |
14 |     change: {}
   |             ^^ expected a path and a value
   |
   = help: leave `change` out to judge the same inventory
error: 13 mistakes in 1 file; nothing was judged
"##);
}

#[test]
fn a_mistake_in_an_inventory_points_into_the_test() {
    insta::assert_snapshot!(wrong(r#"tests:
  - name: A typing error
    rule: no-ads
    inventory:
      parties: [{id: a, name: A, systems: [{id: s, originates: [financial.acount]}]}]
      flows: [{id: f, from: a/s, to: a/t, data: [financial], purpose: [service]}]
    finds: []
"#), @r##"
error[unknown-category]: `financial.acount` is not a data category
 --> tests/no-ads.yaml:5:65
  |
5 | ... originates: [financial.acount]}]}]
  |                  ^^^^^^^^^^^^^^^^ expected a data category
  |
  = help: did you mean `financial.account`? `ringfence taxonomy` lists all

error[unknown-system]: there is no system `a/t`
 --> tests/no-ads.yaml:6:38
  |
6 |       flows: [{id: f, from: a/s, to: a/t, data: [financial], purpose: [se...
  |                                      ^^^ expected the id of a system
  |
  = help: did you mean `a/s`?

error[unknown-key]: unknown key `purpose` in a flow
 --> tests/no-ads.yaml:6:62
  |
6 | ...a/t, data: [financial], purpose: [service]}]
  |                            ^^^^^^^ not known here
  |
  = help: did you mean `purposes`?
error: 3 mistakes in 1 file; nothing was judged
"##);
}

#[test]
fn a_test_is_judged_on_a_day() {
    let file = tests("").replace("no-ads\n", "any\n");
    let policy = "policy: house\nrules: [{id: any, forbid: {data: [financial]}}]\n";
    let folder = folder(&[("policy.yaml", policy), ("tests.yaml", &file)]);
    let (code, _, err) = run(folder.path(), &[]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @r##"
    error[missing-key]: this test is judged on no day
     --> tests.yaml:2:11
      |
    2 |   - name: Balances reach an ad network
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a `day`
      |
      = help: add `day: 2026-01-01` to it, or `as_of` to the policy
    error: 1 mistake in 1 file; nothing was judged
    "##);
}

#[test]
fn the_test_that_the_page_shows_passes() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/use/policy-language.md"))
        .unwrap();
    let (_, rest) = page.split_once("```yaml\npolicies:").unwrap();
    let file = format!("policies:{}", rest.split_once("```").unwrap().0);
    let folder = folder(&[("house.yaml", POLICY), ("ads-test.yaml", &file)]);
    let (code, out, err) = run(folder.path(), &[]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("2 tests"), "{out}");
}
