//! Worlds of a kind that random ones hardly ever are: large, with many different terms, with more
//! `only_from` than parties or fewer. What no random world noticed when the engine was changed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use assert_cmd::Command;
use serde_json::Value;

/// The audit of an inventory; a flow that states no purpose is given one.
fn audit(inventory: &str, rules: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let lines = inventory.lines().map(|line| match line.contains("purposes:") {
        true => line.to_owned(),
        false => line.replace(", data: [", ", purposes: [service], data: ["),
    });
    fs::write(folder.path().join("inventory.yaml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    fs::write(folder.path().join("policy.yaml"), format!("policy: p\nrules: {rules}\n")).unwrap();
    let call =
        ["audit", "inventory.yaml", "--policy", "policy.yaml", "--day", "2026-01-01", "--format", "json"];
    let output = Command::cargo_bin("ringfence").unwrap().current_dir(folder.path()).args(call).output();
    let output = output.unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn list<'a>(audit: &'a Value, key: &str, rule: &str) -> Vec<&'a Value> {
    audit[key].as_array().unwrap().iter().filter(|entry| entry["rule"] == rule).collect()
}

/// Systems from which something flows that nobody declares.
fn unsourced(audit: &Value) -> BTreeSet<&str> {
    list(audit, "findings", "flow/unsourced")
        .iter()
        .map(|f| f["source"]["system"].as_str().unwrap())
        .collect()
}

/// The flows whose `only_from` left something out.
fn left_out(audit: &Value) -> BTreeSet<&str> {
    list(audit, "relied_on", "flow/only_from").iter().map(|r| r["flow"].as_str().unwrap()).collect()
}

#[test]
fn a_chain_of_any_length_is_followed_to_its_end() {
    for systems in [2, 3, 62, 63, 64, 65, 127, 128, 129, 4096, 4097] {
        let mut inventory = "parties:\n  - id: a\n    name: A\n    systems:\n".to_owned();
        for at in 0..systems {
            let says = match at {
                0 => ", originates: [contact]",
                _ if at + 1 == systems => ", tags: [end]",
                _ => "",
            };
            writeln!(inventory, "      - {{id: s{at}{says}}}").unwrap();
        }
        inventory.push_str("flows:\n");
        for at in 1..systems {
            writeln!(inventory, "  - {{id: f{at}, from: a/s{}, to: a/s{at}, data: [contact]}}", at - 1)
                .unwrap();
        }
        let rules = "[{id: r, forbid: {data: [contact], to: {tag: end}}}, {id: l, limit: {at: {tag: end}, together: [contact, contact.email]}}]";
        let audit = audit(&inventory, rules);
        for rule in ["p/r", "p/l"] {
            let found = list(&audit, "findings", rule);
            assert_eq!(found.len(), 1, "{systems}: {rule}");
        }
        let found = list(&audit, "findings", "p/r");
        assert_eq!(found[0]["path"].as_array().unwrap().len(), systems - 1);
        assert_eq!(unsourced(&audit), BTreeSet::new(), "{systems}");
    }
}

#[test]
fn what_breaks_a_term_later_is_folded_under_up_to_six_different_terms() {
    for terms in [1, 2, 5, 6, 7, 8] {
        let mut inventory = "\
parties:
  - {id: a, name: A, systems: [{id: s, originates: [contact]}]}
  - {id: b, name: B, systems: [{id: s}]}
  - {id: c, name: C, systems: [{id: s}]}
  - {id: d, name: D, systems: [{id: s}]}
flows:
  - {id: first, from: b/s, to: c/s, data: [contact], purposes: [advertising]}
  - {id: then, from: c/s, to: d/s, data: [contact], purposes: [advertising]}
agreements:
  - id: deal
    parties: [a, b]
    flows:
"
        .to_owned();
        for at in 1..=terms {
            writeln!(
                inventory,
                "      - {{id: f{at}, from: a/s, to: b/s, data: [contact], purposes: [service], terms: {{purposes: [service], retention: {at}y}}}}"
            )
            .unwrap();
        }
        let audit = audit(&inventory, "[]");
        let found: Vec<(&str, bool)> = list(&audit, "findings", "terms/purpose")
            .iter()
            .map(|f| (f["flow"].as_str().unwrap(), f["consequent"].as_bool().unwrap()))
            .collect();
        assert_eq!(found, [("first", false), ("then", terms <= 6)], "{terms}");
    }
}

/// Two parties' items at one gate; behind its flow, another gate; and more that they cannot carry.
const FEW_GATES: &str = "\
parties:
  - {id: p, name: P, systems: [{id: s, originates: [contact]}]}
  - {id: q, name: Q, systems: [{id: s, originates: [contact, social]}]}
  - {id: r, name: R, systems: [{id: s, originates: [contact.phone]}]}
  - {id: t, name: T}
  - {id: u, name: U, systems: [{id: s}]}
  - id: hub
    name: Hub
    systems:
      - {id: one}
      - {id: way}
      - {id: two}
      - {id: end}
      - {id: model, derives: [{from: [contact.email], into: derived.model}]}
      - {id: three}
      - {id: last}
      - {id: beyond}
flows:
  - {id: in-p, from: p/s, to: hub/one, data: [contact]}
  - {id: in-q, from: q/s, to: hub/one, data: [contact, social]}
  - {id: over-one, from: hub/one, to: hub/way, data: [contact, social], only_from: [p]}
  - {id: between, from: hub/way, to: hub/two, data: [contact]}
  - {id: over-two, from: hub/two, to: hub/end, data: [contact], only_from: [p]}
  - {id: after, from: hub/end, to: hub/model, data: [contact]}
  - {id: in-r, from: r/s, to: hub/model, data: [contact]}
  - {id: modelled, from: hub/model, to: hub/three, data: [derived.model]}
  - {id: over-three, from: hub/three, to: hub/last, data: [derived.model], only_from: [p]}
  - {id: named, from: hub/last, to: hub/beyond, data: [derived.model], only_from: [p, q, r, t, u]}
";

#[test]
fn data_goes_over_one_only_from_after_another_and_only_whose_it_names() {
    // With many flows more is looked up beforehand.
    let besides = |at| format!("  - {{id: besides-{at}, from: p/s, to: u/s, data: [contact]}}\n");
    let audit = audit(&(FEW_GATES.to_owned() + &(0..50).map(besides).collect::<String>()), "[]");
    // Social data of q's does not get over, of p's there is none.
    assert_eq!(unsourced(&audit), BTreeSet::from(["hub/one"]));
    // Behind the first there is nothing of q's that another could leave out, and of r's phone
    // numbers no model is made.
    assert_eq!(left_out(&audit), BTreeSet::from(["over-one"]));
}

/// More systems at which an `only_from` stands than parties that any names.
const MANY_GATES: &str = "\
parties:
  - {id: p, name: P, systems: [{id: s, originates: [contact]}]}
  - {id: q, name: Q, systems: [{id: s, originates: [contact]}]}
  - {id: r, name: R, systems: [{id: s, originates: [contact]}]}
  - {id: other, name: Other, systems: [{id: s, originates: [contact]}]}
  - {id: hub, name: Hub, systems: [{id: near}, {id: far}, {id: gate}, {id: apart}, {id: one}, {id: two}, {id: end}]}
flows:
  - {id: p-near, from: p/s, to: hub/near, data: [contact]}
  - {id: q-near, from: q/s, to: hub/near, data: [contact]}
  - {id: r-near, from: r/s, to: hub/near, data: [contact]}
  - {id: other-near, from: other/s, to: hub/near, data: [contact]}
  - {id: near-far, from: hub/near, to: hub/far, data: [contact]}
  - {id: far-gate, from: hub/far, to: hub/gate, data: [contact]}
  - {id: for-r, from: hub/gate, to: hub/end, data: [contact], only_from: [r]}
  - {id: p-apart, from: p/s, to: hub/apart, data: [contact]}
  - {id: q-apart, from: q/s, to: hub/apart, data: [contact]}
  - {id: r-apart, from: r/s, to: hub/apart, data: [contact]}
  - {id: for-two, from: hub/apart, to: hub/end, data: [contact], only_from: [p, q]}
  - {id: p-one, from: p/s, to: hub/one, data: [contact]}
  - {id: for-p, from: hub/one, to: hub/end, data: [contact], only_from: [p]}
  - {id: p-two, from: p/s, to: hub/two, data: [contact]}
  - {id: for-p-too, from: hub/two, to: hub/end, data: [contact], only_from: [p]}
";

#[test]
fn where_only_from_stands_at_more_systems_than_it_names_parties_the_same_holds() {
    let audit = audit(MANY_GATES, "[]");
    assert_eq!(unsourced(&audit), BTreeSet::new());
    assert_eq!(left_out(&audit), BTreeSet::from(["for-r", "for-two"]));
}

/// A party's own data, and another's on a way that a rule exempts.
const OWN_AND_EXEMPT: &str = "\
parties:
  - {id: p, name: P, systems: [{id: s, originates: [contact]}]}
  - {id: q, name: Q, systems: [{id: s, originates: [contact]}]}
  - {id: r, name: R, systems: [{id: s, tags: [end]}]}
flows:
  - {id: exempt, from: q/s, to: p/s, data: [contact], tags: [fine]}
  - {id: on, from: p/s, to: r/s, data: [contact], only_from: [WHOM]}
";

#[test]
fn an_only_from_lets_a_partys_own_data_pass_if_it_names_it_and_only_then() {
    let at = "{tag: end}";
    let fine = "unless: {through: {tag: fine}}";
    let rules = format!(
        "[{{id: f, forbid: {{data: [contact], to: {at}, {fine}}}}}, {{id: l, limit: {{at: {at}, together: [contact, contact.email], {fine}}}}}, {{id: o, limit: {{at: {at}, origins_at_most: 0, {fine}}}}}]"
    );
    for (whom, breaks) in [("p", true), ("q", false)] {
        let audit = audit(&OWN_AND_EXEMPT.replace("WHOM", whom), &rules);
        for rule in ["p/f", "p/l", "p/o"] {
            assert_eq!(!list(&audit, "findings", rule).is_empty(), breaks, "{rule}: {whom}");
        }
    }
}

#[test]
fn rules_that_exempt_different_flows_rely_on_different_flows() {
    let inventory = "\
parties:
  - {id: p, name: P, systems: [{id: s, originates: [contact]}]}
  - {id: q, name: Q, systems: [{id: s}]}
flows:
  - {id: red, from: p/s, to: q/s, data: [contact], tags: [red]}
  - {id: blue, from: p/s, to: q/s, data: [contact], tags: [blue]}
";
    let rule = |id: &str, unless: &str| {
        format!("{{id: {id}, forbid: {{data: [contact], to: {{party: q}}, unless: {{{unless}}}}}}}")
    };
    let rules = [
        rule("a", "through: {tag: red}"),
        rule("b", "through: {tag: blue}"),
        rule("c", "through: {tag: green}"),
        rule("d", "arriving: {tag: red}"),
        rule("e", "arriving: {tag: [red, blue]}"),
    ];
    let audit = audit(inventory, &format!("[{}]", rules.join(", ")));
    for (rule, relied, broken) in [
        ("p/a", vec!["red"], true),
        ("p/b", vec!["blue"], true),
        ("p/c", vec![], true),
        ("p/d", vec!["red"], true),
        ("p/e", vec!["blue", "red"], false),
    ] {
        let mut flows: Vec<&str> =
            list(&audit, "relied_on", rule).iter().map(|r| r["flow"].as_str().unwrap()).collect();
        flows.sort_unstable();
        assert_eq!(flows, relied, "{rule}");
        assert_eq!(!list(&audit, "findings", rule).is_empty(), broken, "{rule}");
    }
}

#[test]
fn of_all_manners_those_are_exempt_that_an_exemption_asks_for() {
    let transforms = ["none", "tokenised", "pseudonymised", "aggregated", "anonymised"];
    let consents = ["none", "opt_out", "opt_in"];
    let mut inventory =
        "parties:\n  - {id: p, name: P, systems: [{id: s, originates: [contact]}]}\n".to_owned();
    let mut flows = "flows:\n".to_owned();
    for (at, transform) in transforms.iter().enumerate() {
        for (level, consent) in consents.iter().enumerate() {
            writeln!(
                inventory,
                "  - {{id: q{at}{level}, name: Q{at}{level}, systems: [{{id: s, tags: [end]}}]}}"
            )
            .unwrap();
            writeln!(flows, "  - {{id: f{at}{level}, from: p/s, to: q{at}{level}/s, data: [contact], transform: {transform}, consent: {consent}}}").unwrap();
        }
    }
    inventory.push_str(&flows);
    for (at, transform) in transforms.iter().enumerate() {
        for (level, consent) in consents.iter().enumerate() {
            let rules = format!(
                "[{{id: r, forbid: {{data: [contact], to: {{tag: end}}, unless: {{through: {{transform: {transform}, consent: {consent}}}}}}}}}]"
            );
            let audit = audit(&inventory, &rules);
            let exempt: BTreeSet<String> = (level..3).map(|level| format!("q{at}{level}/s")).collect();
            let found: BTreeSet<&str> = list(&audit, "findings", "p/r")
                .iter()
                .map(|f| f["sink"]["system"].as_str().unwrap())
                .collect();
            assert_eq!(found.len(), 15 - exempt.len());
            assert!(found.iter().all(|sink| !exempt.contains(*sink)), "{transform}, {consent}: {found:?}");
        }
    }
}

#[test]
fn a_limit_says_that_nobody_holds_its_data_where_nobody_does() {
    let inventory = "\
parties:
  - {id: p, name: P, systems: [{id: s, originates: [contact]}]}
  - {id: q, name: Q, systems: [{id: s, originates: [device]}]}
flows:
  - {id: f, from: p/s, to: q/s, data: [contact]}
";
    let idle = |rule: &str| {
        let audit = audit(inventory, &format!("[{{id: l, limit: {{at: {{party: q}}, {rule}}}}}]"));
        let notices = audit["notices"].as_array().unwrap();
        (
            !list(&audit, "findings", "p/l").is_empty(),
            notices.iter().any(|n| n["code"] == "rule-matches-nothing"),
        )
    };
    assert_eq!(idle("together: [contact, social]"), (false, true));
    assert_eq!(idle("together: [contact, device]"), (true, false));
    assert_eq!(idle("origins_at_most: 1"), (true, false));
    assert_eq!(idle("origins_at_most: 2"), (false, false));
    assert_eq!(idle("origins_at_most: 0, data: [social]"), (false, true));
}

#[test]
fn a_transform_that_is_named_twice_ends_terms_as_well() {
    for named in ["", "aggregated", "aggregated, aggregated", "aggregated, anonymised, aggregated"] {
        let inventory = format!(
            "\
parties:
  - {{id: a, name: A, systems: [{{id: s, originates: [contact]}}]}}
  - {{id: b, name: B, systems: [{{id: s}}]}}
  - {{id: c, name: C, systems: [{{id: s}}]}}
  - {{id: d, name: D, systems: [{{id: s}}]}}
flows:
  - {{id: turned, from: b/s, to: c/s, data: [contact], transform: aggregated}}
  - {{id: then, from: c/s, to: d/s, data: [contact], purposes: [advertising]}}
agreements:
  - id: deal
    parties: [a, b]
    flows:
      - {{id: f, from: a/s, to: b/s, data: [contact], purposes: [service], terms: {{purposes: [service], released_by: [{named}]}}}}
"
        );
        let audit = audit(&inventory, "[]");
        assert_eq!(list(&audit, "findings", "terms/purpose").is_empty(), !named.is_empty(), "{named}");
    }
}

#[test]
fn a_walk_proves_that_what_arrives_is_of_the_data() {
    // At `both` the same leaf has arrived after as many flows, once made of balances and once not.
    let inventory = "\
parties:
  - id: a
    name: A
    systems:
      - {id: start, originates: [contact.email]}
      - {id: by}
      - {id: plain, derives: [{from: [contact.email], into: [social.graph]}]}
      - id: marking
        derives:
          - {from: [contact.email], into: [financial.account.balance]}
          - {from: [financial.account.balance], into: [social.graph]}
      - {id: on}
      - {id: both}
      - {id: end, tags: [end]}
      - {id: other, tags: [end], derives: [{from: [social.graph], into: [financial.account.balance]}]}
flows:
  - {id: b1, from: a/start, to: a/by, data: [contact.email]}
  - {id: b2, from: a/by, to: a/plain, data: [contact.email]}
  - {id: b3, from: a/plain, to: a/both, data: [social.graph]}
  - {id: m1, from: a/start, to: a/marking, data: [contact.email]}
  - {id: m2, from: a/marking, to: a/on, data: [social.graph]}
  - {id: m3, from: a/on, to: a/both, data: [social.graph]}
  - {id: n, from: a/both, to: a/end, data: [social.graph]}
  - {id: o, from: a/both, to: a/other, data: [social.graph]}
";
    let rules = "[{id: r, forbid: {data: [financial.account.balance], to: {tag: end}}}]";
    let audit = audit(inventory, rules);
    let mut found = list(&audit, "findings", "p/r");
    assert_eq!(found.len(), 2);
    found.retain(|f| f["sink"]["system"] == "a/end");
    let path: Vec<&str> =
        found[0]["path"].as_array().unwrap().iter().map(|hop| hop["flow"].as_str().unwrap()).collect();
    assert_eq!(path, ["m1", "m2", "m3", "n"]);
}

#[test]
fn every_source_of_a_rule_is_followed_however_many_there_are() {
    for sources in [1, 255, 256, 257, 700] {
        let mut inventory = "parties:\n  - id: a\n    name: A\n    systems:\n".to_owned();
        for at in 0..sources {
            writeln!(inventory, "      - {{id: s{at}, originates: [contact.email]}}").unwrap();
        }
        inventory.push_str(
            "      - {id: hub, derives: [{from: [contact.email], into: derived.spending_profile}]}\n      - {id: end, tags: [end]}\nflows:\n",
        );
        for at in 0..sources {
            writeln!(inventory, "  - {{id: f{at}, from: a/s{at}, to: a/hub, data: [contact]}}").unwrap();
        }
        inventory.push_str("  - {id: on, from: a/hub, to: a/end, data: [contact, derived]}\n");
        let audit = audit(&inventory, "[{id: r, severity: high, forbid: {to: {tag: end}}}]");
        let found: BTreeSet<&str> = list(&audit, "findings", "p/r")
            .iter()
            .map(|finding| {
                assert_eq!(finding["path"].as_array().unwrap().len(), 2);
                assert_eq!(finding["consequent"], false);
                finding["source"]["system"].as_str().unwrap()
            })
            .collect();
        assert_eq!(found.len(), sources);
    }
}

#[test]
fn of_equally_short_walks_the_one_is_shown_whose_flows_come_first_from_the_end() {
    let ways = |first: [&str; 2], last: [&str; 2]| {
        format!(
            "parties:\n  - {{id: a, name: A, systems: [{{id: s, originates: [contact]}}, {{id: x}}, {{id: y}}, {{id: end, tags: [end]}}]}}\nflows:\n  - {{id: {}, from: a/s, to: a/x, data: [contact]}}\n  - {{id: {}, from: a/s, to: a/y, data: [contact]}}\n  - {{id: {}, from: a/x, to: a/end, data: [contact]}}\n  - {{id: {}, from: a/y, to: a/end, data: [contact]}}\n",
            first[0], first[1], last[0], last[1]
        )
    };
    let shown = |inventory: &str| -> Vec<String> {
        let audit = audit(inventory, "[{id: r, severity: high, forbid: {to: {tag: end}}}]");
        let path = list(&audit, "findings", "p/r")[0]["path"].as_array().unwrap().clone();
        path.iter().map(|hop| hop["flow"].as_str().unwrap().trim_start_matches("flows/").to_owned()).collect()
    };
    assert_eq!(shown(&ways(["b", "a"], ["c", "d"])), ["b", "c"]);
    assert_eq!(shown(&ways(["a", "b"], ["d", "c"])), ["b", "c"]);
}
