//! The naive evaluator itself, on small worlds reckoned by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::naive::evaluate::{Finding, Verdict, evaluate, judged, options};
use crate::naive::harness::Output;
use crate::naive::matching::glob;
use crate::naive::resolve::Model;
use crate::naive::rules::Chase;
use crate::naive::taxonomy::Tree;
use crate::naive::terms::{STICKY, Term};
use crate::naive::world::*;
use crate::naive::{generate, harness, write};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|s| (*s).to_owned()).collect()
}

fn set(items: &[&str]) -> BTreeSet<String> {
    list(items).into_iter().collect()
}

/// A party with one system of the same letter: `a/a`.
fn party(id: &str, originates: &[&str]) -> Party {
    Party {
        id: id.to_owned(),
        name: id.to_owned(),
        systems: vec![System { id: id.to_owned(), originates: list(originates), ..System::default() }],
        ..Party::default()
    }
}

/// A flow `ab` from a/a to b/b.
fn flow(id: &str, data: &[&str], purpose: &str) -> Flow {
    let ends: Vec<String> = id.chars().take(2).map(|c| format!("{c}/{c}")).collect();
    Flow {
        id: id.to_owned(),
        body: FlowBody {
            from: Some(ends[0].clone()),
            to: Some(ends[1].clone()),
            data: list(data),
            purposes: list(&[purpose]),
            ..FlowBody::default()
        },
        ..Flow::default()
    }
}

fn agreement(id: &str, parties: &[&str], flows: Vec<Flow>) -> Agreement {
    Agreement { id: id.to_owned(), parties: list(parties), flows, ..Agreement::default() }
}

fn world(parties: Vec<Party>, agreements: Vec<Agreement>, flows: Vec<Flow>) -> World {
    World {
        taxonomy: generate::taxonomy(),
        parties,
        agreements,
        flows,
        policy: Policy { policy: "house".to_owned(), status: "house".to_owned(), ..Policy::default() },
        ..World::default()
    }
}

fn ruled(mut world: World, body: Body) -> World {
    world.policy.rules.push(Rule {
        id: format!("r{}", world.policy.rules.len()),
        severity: "high".to_owned(),
        body,
        ..Rule::default()
    });
    world
}

fn forbid(data: &[&str], from: Option<&str>, to: PlaceMatcher) -> Forbid {
    Forbid {
        data: list(data),
        from: from
            .map(|party| PlaceMatcher { party: list(&[party]), ..PlaceMatcher::default() })
            .into_iter()
            .collect(),
        to: vec![to],
        ..Forbid::default()
    }
}

fn at_party(party: &str) -> PlaceMatcher {
    PlaceMatcher { party: list(&[party]), ..PlaceMatcher::default() }
}

fn for_purpose(purpose: &str) -> PlaceMatcher {
    PlaceMatcher { purpose: list(&[purpose]), ..PlaceMatcher::default() }
}

fn of<'v>(verdict: &'v Verdict, rule: &str) -> Vec<&'v Finding> {
    let all = verdict.findings.iter();
    all.filter(|f| f.rule == rule).collect()
}

/// Source, sink, leaves, length, consequent.
fn short(verdict: &Verdict, rule: &str) -> Vec<(String, String, String, usize, bool)> {
    of(verdict, rule)
        .into_iter()
        .map(|f| {
            (
                f.source.clone().unwrap_or_default(),
                f.sink.clone().unwrap_or_default(),
                f.data.iter().cloned().collect::<Vec<_>>().join(" "),
                f.witnesses[0],
                f.consequent,
            )
        })
        .collect()
}

fn row(
    source: &str,
    sink: &str,
    data: &str,
    length: usize,
    consequent: bool,
) -> (String, String, String, usize, bool) {
    (source.into(), sink.into(), data.into(), length, consequent)
}

fn rely(verdict: &Verdict) -> Vec<String> {
    let each = verdict.relied_on.iter();
    each.map(|r| format!("{} {}", r.rule, r.flow)).collect()
}

#[test]
fn globs_match_whole_strings_with_case() {
    assert!(glob("p?/*", "pa/core"));
    assert!(glob("*", ""));
    assert!(!glob("pa", "pab"));
    assert!(!glob("PA", "pa"));
    assert!(!glob("?", ""));
}

#[test]
fn a_cover_names_whole_branches_and_of_single_children_the_deepest() {
    let tree = Tree::new(generate::taxonomy().data.keys());
    assert_eq!(tree.leaves_of("t.b"), set(&["t.b.x"]));
    assert_eq!(tree.cover(&tree.leaves_of("t.b")), set(&["t.b.x"]));
    assert_eq!(tree.cover(&tree.leaves_of("t.a")), set(&["t.a"]));
    assert_eq!(tree.cover(&set(&["t.d.x.u", "t.d.x.w", "t.c"])), set(&["t.d.x", "t.c"]));
    let all: BTreeSet<String> = tree.leaves().into_iter().collect();
    assert_eq!(tree.cover(&all), set(&["t", "z.m"]));
}

#[test]
fn a_narrow_flow_carries_its_part_and_later_arrivals_are_consequent() {
    let base = world(
        vec![party("a", &["t.a"]), party("b", &[]), party("c", &[])],
        vec![],
        vec![flow("ab", &["t"], "p.a"), flow("bc", &["t.a.x"], "p.a.x"), flow("ca", &["t"], "p.b")],
    );
    // Asked for p.a.x: `ab` has p.a, above it, and counts at worst.
    let chain = ruled(base.clone(), Body::Forbid(forbid(&["t.a"], Some("a"), for_purpose("p.a.x"))));
    let found = evaluate(&chain);
    assert_eq!(
        short(&found, "house/r0"),
        [row("a/a", "b/b", "t.a.x t.a.y", 1, false), row("a/a", "c/c", "t.a.x", 2, true),]
    );
    assert!(of(&found, "flow/unsourced").is_empty());
    // A direct walk to c, though only for t.a.y: one first break suffices.
    let mut direct = chain;
    direct.flows.push(flow("ac", &["t.a.y"], "p.a"));
    assert_eq!(
        short(&evaluate(&direct), "house/r0"),
        [row("a/a", "b/b", "t.a.x t.a.y", 1, false), row("a/a", "c/c", "t.a.x t.a.y", 1, false),]
    );
}

#[test]
fn distance_grows_but_not_into_processors_and_shrinks_at_home() {
    let mut sister = party("d", &[]);
    sister.affiliate_of = Some("a".to_owned());
    let mut processing = agreement("dpa", &["a", "b"], vec![flow("ab", &["t"], "p")]);
    processing.kind = Some("processing".to_owned());
    let base = world(
        vec![party("a", &["t.c"]), party("b", &[]), party("c", &[]), sister, party("e", &[])],
        vec![processing],
        vec![flow("bc", &["t"], "p"), flow("ce", &["t"], "p"), flow("ed", &["t"], "p")],
    );
    for (relation, sink, length) in [
        ("processor", "b/b", 1),
        ("second_party", "c/c", 2),
        ("third_party", "e/e", 3),
        ("affiliate", "d/d", 4),
    ] {
        let to = PlaceMatcher { relation: list(&[relation]), ..PlaceMatcher::default() };
        let rule = Body::Forbid(forbid(&["t.c"], Some("a"), to));
        assert_eq!(
            short(&evaluate(&ruled(base.clone(), rule)), "house/r0"),
            [row("a/a", sink, "t.c", length, false)]
        );
    }
}

#[test]
fn exemptions_need_all_purposes_and_are_relied_on() {
    let mut both = flow("ab", &["t"], "p.a");
    both.body.purposes = list(&["p.a", "p.b"]);
    let mut aggregated = flow("ac", &["t"], "p.a");
    aggregated.body.transform = Some("aggregated".to_owned());
    let base =
        world(vec![party("a", &["t.c"]), party("b", &[]), party("c", &[])], vec![], vec![both, aggregated]);
    let mut rule = forbid(&["t"], Some("a"), at_party("?"));
    rule.unless.through = vec![FlowMatcher { transform: list(&["aggregated"]), ..FlowMatcher::default() }];
    rule.unless.arriving = vec![FlowMatcher { purpose: list(&["p.a"]), ..FlowMatcher::default() }];
    let found = evaluate(&ruled(base.clone(), Body::Forbid(rule.clone())));
    let found_there = [row("a/a", "a/a", "t.c", 0, false), row("a/a", "b/b", "t.c", 1, false)];
    assert_eq!(short(&found, "house/r0"), found_there);
    assert_eq!(rely(&found), ["house/r0 ac"]);
    // `not` within `unless` turns back: one purpose outside is not enough.
    rule.unless.through.clear();
    rule.unless.arriving = vec![FlowMatcher {
        not: vec![FlowMatcher { purpose: list(&["p.a"]), ..FlowMatcher::default() }],
        ..FlowMatcher::default()
    }];
    let found = evaluate(&ruled(base, Body::Forbid(rule)));
    assert_eq!(short(&found, "house/r0").len(), 3);
    assert!(rely(&found).is_empty());
}

#[test]
fn derived_data_answers_to_its_origin() {
    let mut middle = party("b", &[]);
    middle.systems[0].derives = vec![
        Derive { from: list(&["t.a"]), into: "t.c".to_owned(), ..Derive::default() },
        Derive { from: list(&["t.c"]), into: "z".to_owned(), ..Derive::default() },
    ];
    let base = world(
        vec![party("a", &["t.a.x"]), middle, party("c", &[])],
        vec![],
        vec![flow("ab", &["t.a"], "p"), flow("bc", &["z"], "p")],
    );
    // By its origin, by a leaf on the way, by the leaf it arrives as.
    for data in ["t.a", "t.c", "z.m"] {
        let rule = Body::Forbid(forbid(&[data], None, at_party("c")));
        let found = evaluate(&ruled(base.clone(), rule));
        assert_eq!(short(&found, "house/r0"), [row("a/a", "c/c", "t.a.x", 2, false)]);
        assert_eq!(of(&found, "house/r0")[0].arrives_as, Some(set(&["z.m"])), "{data}");
    }
    // Derivations at the sink belong to the arrival, but not to how it arrives.
    let rule = Body::Forbid(forbid(&["z"], None, at_party("b")));
    let found = evaluate(&ruled(base, rule));
    assert_eq!(short(&found, "house/r0"), [row("a/a", "b/b", "t.a.x", 1, false)]);
    assert_eq!(of(&found, "house/r0")[0].arrives_as, Some(set(&["t.a.x"])));
}

#[test]
fn a_forgotten_origin_starts_where_the_chain_does() {
    let base = world(
        vec![party("a", &[]), party("b", &[]), party("c", &[])],
        vec![],
        vec![flow("ab", &["t.a"], "p"), flow("bc", &["t.a.x"], "p")],
    );
    let rule = Body::Forbid(forbid(&["t.a.x"], None, at_party("?")));
    let found = evaluate(&ruled(base.clone(), rule));
    let unsourced = of(&found, "flow/unsourced");
    assert_eq!(unsourced.len(), 1);
    assert_eq!(unsourced[0].source.as_deref(), Some("a/a"));
    assert_eq!(unsourced[0].subject.as_deref(), Some("t.a"));
    assert_eq!(unsourced[0].data, set(&["t.a.x", "t.a.y"]));
    assert_eq!(unsourced[0].severity, "medium");
    assert_eq!(
        short(&found, "house/r0"),
        [
            row("a/a", "a/a", "t.a.x", 0, false),
            row("a/a", "b/b", "t.a.x", 1, true),
            row("a/a", "c/c", "t.a.x", 2, true),
        ]
    );
    // Only its `from` keeps the rule from being broken.
    let rule = Body::Forbid(forbid(&["t.a.x"], Some("b"), at_party("c")));
    let found = evaluate(&ruled(base.clone(), rule));
    assert!(of(&found, "house/r0").is_empty());
    assert_eq!(of(&found, "flow/unsourced")[0].severity, "high");
    // A circle that nothing feeds: each pair of it, at once; c only receives.
    let mut circle = base;
    circle.flows.push(flow("ba", &["t.a"], "p"));
    let found = evaluate(&circle);
    let pairs: Vec<_> = of(&found, "flow/unsourced")
        .into_iter()
        .map(|f| (f.source.clone().unwrap(), f.subject.clone().unwrap()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("a/a".to_owned(), "t.a".to_owned()),
            ("b/b".to_owned(), "t.a".to_owned()),
            ("b/b".to_owned(), "t.a.x".to_owned()),
        ]
    );
}

#[test]
fn terms_stick_until_home_or_released() {
    let mut sharing = agreement("deal", &["a", "b"], vec![flow("ab", &["t"], "p.a")]);
    sharing.terms = Terms {
        purposes: Some(list(&["p.a"])),
        retention: Some(Duration("30d".to_owned())),
        onward_to: vec![OnwardTo { party: "d".to_owned(), data: list(&["t.c"]), purposes: vec![] }],
        ..Terms::default()
    };
    sharing.flows[0].body.retention = Some(Duration("1m".to_owned()));
    let onward = |id: &str, purpose: &str| {
        let mut flow = flow(id, &["t"], purpose);
        flow.body.retention = Some(Duration("24h".to_owned()));
        flow
    };
    let mut anonymised = onward("ce", "p.b");
    anonymised.body.transform = Some("anonymised".to_owned());
    let base = world(
        vec![party("a", &["t.c"]), party("b", &[]), party("c", &[]), party("d", &[]), party("e", &[])],
        vec![
            sharing,
            agreement(
                "rest",
                &["a", "b", "c", "d", "e"],
                vec![
                    onward("bc", "p.a.x"),
                    onward("bd", "p.a"),
                    onward("ca", "q"),
                    anonymised,
                    onward("ed", "q"),
                ],
            ),
        ],
        vec![],
    );
    let found = evaluate(&base);
    let flows = |rule: &str| -> Vec<(String, usize, bool)> {
        of(&found, rule)
            .into_iter()
            .map(|f| {
                assert_eq!(f.agreements, ["deal"]);
                (f.flow.clone().unwrap(), f.witnesses[0], f.consequent)
            })
            .collect()
    };
    // A month of 730 hours is longer than 30 days.
    assert_eq!(flows("terms/retention"), [("deal/ab".to_owned(), 1, false)]);
    // p.a.x is below p.a; neither the releasing flow is checked nor the one home,
    // and nothing after the release.
    assert_eq!(flows("terms/purpose"), []);
    // c may not have it at all; e gets it released.
    assert_eq!(flows("terms/onward"), [("rest/bc".to_owned(), 2, false)]);
    // Under both, and listed once: what crosses rest/bc is under `rest` as well.
    assert_eq!(rely(&found), ["terms/onward rest/bd", "terms/released_by rest/ce"]);
}

#[test]
fn consent_and_ends_look_at_the_flow_alone() {
    let mut strict = agreement("deal", &["a", "b"], vec![flow("ac", &["t"], "p")]);
    strict.terms.consent = Some("opt_in".to_owned());
    strict.flow_defaults.consent = Some("opt_out".to_owned());
    let base = world(
        vec![party("a", &["t.c"]), party("b", &["t.c"]), party("c", &[])],
        vec![strict],
        vec![flow("bc", &["t"], "p")],
    );
    let found = evaluate(&base);
    let rules: Vec<_> = found.findings.iter().map(|f| (&*f.rule, &*f.agreements)).collect();
    assert_eq!(
        rules,
        [
            ("terms/consent", &list(&["deal"])[..]),
            ("flow/foreign-party", &list(&["deal"])[..]),
            ("flow/undocumented", &[][..]),
        ]
    );
    assert_eq!(found.exit, 1);
}

#[test]
fn limits_count_what_one_place_holds() {
    let mut wide = party("c", &["t.c"]);
    wide.systems.push(System { id: "other".to_owned(), ..System::default() });
    let mut into_other = flow("bc", &["t.b"], "p");
    into_other.body.to = Some("c/other".to_owned());
    let base = world(
        vec![party("a", &["t.a"]), party("b", &["t.b"]), wide],
        vec![],
        vec![flow("ab", &["t.a"], "p"), into_other],
    );
    let limit = |scope: &str| Limit {
        at: vec![at_party("c")],
        scope: Some(scope.to_owned()),
        together: Together::All(list(&["t.c", "t.b"])),
        ..Limit::default()
    };
    assert!(of(&evaluate(&ruled(base.clone(), Body::Limit(limit("system")))), "house/r0").is_empty());
    let found = evaluate(&ruled(base.clone(), Body::Limit(limit("party"))));
    let one = of(&found, "house/r0")[0];
    assert_eq!(one.sink.as_deref(), Some("c"));
    assert_eq!(one.witnesses, [0, 1]);
    assert_eq!(one.data, set(&["t.c", "t.b.x"]));
    // Of t: b has its own and a's.
    let origins =
        Limit { at: vec![at_party("*")], data: list(&["t"]), origins_at_most: Some(1), ..Limit::default() };
    let found = evaluate(&ruled(base, Body::Limit(origins)));
    let rows = of(&found, "house/r0");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].subject.as_deref(), Some("b/b"));
    assert_eq!(rows[0].witnesses, [1, 0]);
    assert_eq!(rows[0].data, set(&["t.a.x", "t.a.y", "t.b.x"]));
}

#[test]
fn dates_matter_only_as_of_a_day() {
    let mut deal = agreement("deal", &["a", "b"], vec![flow("ab", &["t.c"], "p")]);
    deal.effective =
        Some(Effective { from: Some(Day::of("2018-10-01")), until: Some(Day::of("2019-12-31")) });
    deal.flows[0].body.effective = Some(Effective { from: Some(Day::of("2019-04-01")), until: None });
    deal.flows[0].body.retention = Some(Duration("30d".to_owned()));
    let base = world(vec![party("a", &["t.c"]), party("b", &[])], vec![deal], vec![]);
    let counts = |world: &World, day: Option<&str>| {
        let mut world = world.clone();
        world.call.as_of = day.map(Day::of);
        evaluate(&world).counting_flows == 1
    };
    assert!(counts(&base, None));
    assert!(!counts(&base, Some("2019-03-31")));
    assert!(counts(&base, Some("2019-04-01")));
    assert!(counts(&base, Some("2020-01-30")));
    assert!(!counts(&base, Some("2020-01-31")));
    let mut kept = base.clone();
    kept.agreements[0].flows[0].body.retention = None;
    assert!(counts(&kept, Some("2030-01-01")));
    kept.agreements[0].disposed =
        Some(Disposed { date: Some(Day::of("2021-01-31")), evidence: String::new() });
    assert!(!counts(&kept, None));
    assert!(counts(&kept, Some("2021-01-30")));
    assert!(!counts(&kept, Some("2021-01-31")));
    assert_eq!(rely(&evaluate(&kept)), ["flow/disposed deal/ab"]);
    // Ended is not disposed; `--status` leaves out, and so do comparisons.
    let mut ended = base;
    ended.agreements[0].status = Some("terminated".to_owned());
    let rule = Body::Forbid(forbid(&["t"], None, at_party("b")));
    let mut ended = ruled(ended, rule);
    let found = evaluate(&ended);
    assert!(of(&found, "house/r0")[0].retained);
    assert!(!of(&found, "house/r0")[0].prospective);
    ended.call.status = Some(list(&["active"]));
    assert_eq!(evaluate(&ended).counting_flows, 0);
}

#[test]
fn what_was_passed_on_before_a_disposal_is_followed_on() {
    let gone = |day: &str| Some(Disposed { date: Some(Day::of(day)), evidence: "certificate".to_owned() });
    let mut given = agreement("ta", &["a", "b"], vec![flow("ab", &["t.c"], "p")]);
    given.disposed = gone("2020-01-01");
    let passed = agreement("tb", &["b", "c"], vec![flow("bc", &["t.c"], "p")]);
    let parties = vec![party("a", &["t.c"]), party("b", &[]), party("c", &[]), party("d", &[])];
    let elsewhere = PlaceMatcher { party: list(&["b", "c", "d"]), ..PlaceMatcher::default() };
    let rule = Body::Forbid(forbid(&["t"], Some("a"), elsewhere));
    let base = ruled(world(parties, vec![given, passed], vec![]), rule);
    let found = evaluate(&base);
    assert_eq!(short(&found, "house/r0"), [row("a/a", "c/c", "t.c", 2, false)]);
    assert!(of(&found, "house/r0")[0].retained);
    let onward = of(&found, "terms/onward");
    assert_eq!((onward.len(), onward[0].flow.as_deref()), (1, Some("tb/bc")));
    assert!(of(&found, "flow/unsourced").is_empty());
    assert_eq!(found.counting_flows, 1);
    // What began on the day of the disposal, or later, carries nothing of it.
    let from = |day: &str| {
        let mut late = base.clone();
        late.agreements[1].effective = Some(Effective { from: Some(Day::of(day)), until: None });
        evaluate(&late)
    };
    assert_eq!(short(&from("2019-12-31"), "house/r0").len(), 1);
    for day in ["2020-01-01", "2020-02-01"] {
        assert!(short(&from(day), "house/r0").is_empty());
        assert_eq!(of(&from(day), "flow/unsourced").len(), 1);
    }
    // Disposed twice in a row; the receiver's derivations apply, a release works.
    let mut row_of_two = base.clone();
    row_of_two.agreements[1].disposed = gone("2020-02-01");
    row_of_two.agreements.push(agreement("tc", &["c", "d"], vec![flow("cd", &["z.m"], "p")]));
    row_of_two.parties[2].systems[0].derives =
        vec![Derive { from: list(&["t.c"]), into: "z.m".to_owned(), ..Derive::default() }];
    let found = evaluate(&row_of_two);
    assert_eq!(short(&found, "house/r0"), [row("a/a", "d/d", "t.c", 3, false)]);
    assert_eq!(of(&found, "terms/onward").len(), 1);
    row_of_two.agreements[1].flows[0].body.transform = Some("anonymised".to_owned());
    let found = evaluate(&row_of_two);
    assert!(of(&found, "terms/onward").is_empty());
    assert!(rely(&found).contains(&"terms/released_by tb/bc".to_owned()));
    // Nobody holds what is in a ghost; `--status` leaves out without one.
    let alone = World { agreements: base.agreements[..1].to_vec(), ..base.clone() };
    assert!(short(&evaluate(&alone), "house/r0").is_empty());
    let mut asked = base;
    asked.agreements[0].status = Some("terminated".to_owned());
    asked.call.status = Some(list(&["active"]));
    assert!(short(&evaluate(&asked), "house/r0").is_empty());
    // The end of a retention is a disposal, with `--as-of`.
    asked.call.status = None;
    asked.agreements[0].disposed = None;
    asked.agreements[0].effective = Some(Effective { from: None, until: Some(Day::of("2019-12-31")) });
    asked.agreements[0].flows[0].body.retention = Some(Duration("24h".to_owned()));
    asked.call.as_of = Some(Day::of("2020-01-02"));
    let found = evaluate(&asked);
    assert_eq!(short(&found, "house/r0"), [row("a/a", "c/c", "t.c", 2, false)]);
    assert!(rely(&found).contains(&"flow/retention ta/ab".to_owned()));
}

#[test]
fn requirements_ask_what_a_declaration_comes_to() {
    let mut base = world(
        vec![party("a", &["t.c"]), party("b", &[])],
        vec![agreement("deal", &["a", "b"], vec![flow("ab", &["t.c"], "p")])],
        vec![],
    );
    base.parties[1].systems[0].retention = Some(Duration("2y".to_owned()));
    base.agreements[0].terms.purposes = Some(vec![]);
    let fails = |on: &str, key: &str, operators: Operators| {
        let rule = Body::Require(Require {
            on: on.to_owned(),
            must: [(key.to_owned(), operators)].into(),
            ..Require::default()
        });
        !of(&evaluate(&ruled(base.clone(), rule)), "house/r0").is_empty()
    };
    let present = |wanted| Operators { present: Some(wanted), ..Operators::default() };
    let at_most = |bound: &str| Operators { at_most: Some(bound.to_owned()), ..Operators::default() };
    assert!(!fails("flow", "retention", present(true)));
    assert!(fails("flow", "retention", at_most("1y")));
    assert!(!fails("flow", "retention", at_most("24m")));
    assert!(fails("agreement", "terms.retention", at_most("1y")));
    assert!(fails("agreement", "status", present(true)));
    let one_of = Operators { one_of: list(&["active"]), ..Operators::default() };
    assert!(!fails("agreement", "status", one_of));
    assert!(!fails("agreement", "terms.purposes", present(true)));
}

#[test]
fn a_waiver_that_is_outgrown_says_so() {
    let base = world(vec![party("a", &["t.a"]), party("b", &[])], vec![], vec![flow("ab", &["t.a"], "p")]);
    let base = ruled(base, Body::Forbid(forbid(&["t.a"], None, at_party("b"))));
    let waived = |data: &[&str], expires: &str| {
        let mut world = base.clone();
        world.waivers.push(Waiver {
            rule: Some("house/*".to_owned()),
            sink: Some("b/?".to_owned()),
            data: list(data),
            expires: Some(Day::of(expires)),
            ..Waiver::default()
        });
        let found = evaluate(&world);
        let one = of(&found, "house/r0")[0];
        (one.status.clone(), one.grown)
    };
    assert_eq!(waived(&["t"], "2026-01-01"), ("waived".to_owned(), false));
    assert_eq!(waived(&[], "2026-01-01"), ("waived".to_owned(), false));
    assert_eq!(waived(&["t.a.x"], "2026-01-01"), ("new".to_owned(), true));
    assert_eq!(waived(&["t"], "2025-12-31"), ("new".to_owned(), false));
}

/// What is written can be read, and says the same in any layout.
#[test]
fn worlds_are_written_as_yaml() {
    fn rows(dir: &std::path::Path, into: &mut BTreeMap<String, BTreeSet<String>>) {
        for entry in std::fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                rows(&path, into);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("read");
            for document in text.split("---\n") {
                let value: BTreeMap<String, serde_json::Value> =
                    serde_yaml::from_str(document).unwrap_or_default();
                for (key, value) in value {
                    let entries = match value {
                        serde_json::Value::Array(list) => list,
                        one => vec![one],
                    };
                    let ids = entries.iter().map(|v| v["id"].to_string());
                    into.entry(key).or_default().extend(ids);
                }
            }
        }
    }
    harness::try_all(
        50,
        (generate::world(), proptest::arbitrary::any::<u64>()),
        |(world, layout)| format!("{}# {layout}", harness::show(world)),
        |(world, layout)| {
            let [mut plain, mut dressed] = [BTreeMap::new(), BTreeMap::new()];
            for (layout, into) in [(0, &mut plain), (*layout, &mut dressed)] {
                let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
                write::write(world, dir.path(), layout);
                rows(&dir.path().join("inventory"), into);
            }
            if plain == dressed { Ok(()) } else { Err(format!("{plain:?}\n{dressed:?}")) }
        },
    );
}

/// A shortest walk with a property, of a given length, found by trying all.
fn try_walks(
    model: &Model<'_>,
    length: usize,
    path: &mut Vec<usize>,
    holds: &dyn Fn(&[usize]) -> bool,
) -> bool {
    if path.len() == length {
        return holds(path);
    }
    for e in model.moving() {
        let goes_on = |last: &usize| model.flows[*last].to == model.flows[e].from;
        if path.last().is_none_or(goes_on) {
            path.push(e);
            if try_walks(model, length, path, holds) {
                return true;
            }
            path.pop();
        }
    }
    false
}

fn shortest_walk(
    model: &Model<'_>,
    expected: usize,
    holds: &dyn Fn(&[usize]) -> bool,
) -> Result<Value, String> {
    for length in 0..=expected {
        let mut path = Vec::new();
        if try_walks(model, length, &mut path, holds) {
            if length < expected {
                return Err(format!("{length} flows suffice, not {expected}: {path:?}"));
            }
            let steps = path.iter().map(|e| {
                let flow = &model.flows[*e];
                json!({
                    "flow": flow.id,
                    "from": model.systems[flow.from].name,
                    "to": model.systems[flow.to].name,
                    "agreement": flow.agreement.map(|a| &model.world.agreements[a].id),
                    "purposes": flow.purposes,
                    "data": model.data.cover(&model.leaf_names(flow.data.iter().copied())),
                })
            });
            return Ok(steps.collect());
        }
    }
    Err(format!("no walk of {expected} flows proves it"))
}

/// What a program that agrees would print.
fn printed(world: &World, verdict: &Verdict) -> Result<Value, String> {
    let model = Model::new(world, options(world));
    let origins = model.assume_origins();
    let party_or_system = |name: &Option<String>| match name {
        None => Value::Null,
        Some(name) => match name.split_once('/') {
            Some((party, _)) => json!({"system": name, "party": party}),
            None => json!({"system": null, "party": name}),
        },
    };
    let mut findings = Vec::new();
    for f in &verdict.findings {
        let rule = judged(world).into_iter().find(|r| r.id == f.rule);
        let why = |why: String| format!("{f:?}: {why}");
        let proofs: Vec<Value> = match rule.map(|r| r.body) {
            Some(Body::Forbid(rule)) => {
                let s = model.system(f.source.as_deref().unwrap());
                let v = model.system(f.sink.as_deref().unwrap());
                let chase = Chase::new(&model, rule, s);
                let starts = model.starts_at(s, &origins);
                let holds = |path: &[usize]| chase.proves(&starts, path, v);
                // A flow that carries `held` may carry nothing.
                let length = f.witnesses.first();
                let walk = length.map(|&length| shortest_walk(&model, length, &holds).map_err(why));
                walk.transpose()?.into_iter().collect()
            }
            Some(Body::Limit(rule)) => {
                let mut proofs = Vec::new();
                for (i, length) in f.witnesses.iter().enumerate() {
                    let holds =
                        |path: &[usize]| harness::proves_limit(&model, &origins, rule, &f.key(), i, path);
                    // Of several origins, which one a walk is from is not told.
                    let proof = if rule.together.of().is_empty() {
                        let any = |path: &[usize]| path.len() == *length && holds(path);
                        shortest_walk(&model, *length, &any)
                    } else {
                        shortest_walk(&model, *length, &holds)
                    };
                    proofs.push(proof.map_err(why)?);
                }
                proofs
            }
            None if f.rule.starts_with("terms/") && f.rule != "terms/consent" => {
                let check = f.rule.strip_prefix("terms/").unwrap();
                let check = STICKY.iter().find(|c| **c == check).unwrap();
                let mut proofs = Vec::new();
                for (id, length) in f.agreements.iter().zip(&f.witnesses) {
                    let a = world.agreements.iter().position(|a| a.id == *id);
                    let term = Term::new(&model, a.unwrap(), check);
                    let holds = |path: &[usize]| {
                        let last = path.last().map(|e| &model.flows[*e].id);
                        last == f.flow.as_ref() && term.proves(&origins, path)
                    };
                    proofs.push(shortest_walk(&model, *length, &holds).map_err(why)?);
                }
                proofs
            }
            None if f.rule != "flow/unsourced" => {
                let holds = |path: &[usize]| {
                    let last = path.last().map(|e| &model.flows[*e].id);
                    let of_agreement = |e: &usize| {
                        let agreement = model.flows[*e].agreement.map(|a| &model.world.agreements[a].id);
                        let leaves_group =
                            model.group_of(model.flows[*e].from) != model.group_of(model.flows[*e].to);
                        let counts = model.counting().any(|counting| counting == *e);
                        counts && leaves_group && agreement == f.subject.as_ref()
                    };
                    let wanted = match &*f.rule {
                        "agreement/ended" => path.last().is_some_and(of_agreement),
                        _ => last == f.flow.as_ref(),
                    };
                    wanted && harness::carries(&model, &origins, path)
                };
                // A flow that carries `held` may carry nothing.
                let length = f.witnesses.first();
                let walk = length.map(|&length| shortest_walk(&model, length, &holds).map_err(why));
                walk.transpose()?.into_iter().collect()
            }
            _ => Vec::new(),
        };
        let shortest = proofs.iter().min_by_key(|p| p.as_array().unwrap().len());
        let ids = |proof: &Value| -> Vec<Value> {
            proof.as_array().unwrap().iter().map(|hop| hop["flow"].clone()).collect()
        };
        findings.push(json!({
            "rule": f.rule,
            "kind": f.kind,
            "severity": f.severity,
            "status": f.status,
            "grown": f.grown,
            "consequent": f.consequent,
            "prospective": f.prospective,
            "retained": f.retained,
            "source": party_or_system(&f.source),
            "sink": party_or_system(&f.sink),
            "agreements": f.agreements,
            "flow": f.flow,
            "subject": f.subject,
            "data": model.data.cover(&f.data),
            "arrives_as": f.arrives_as.as_ref().map(|l| model.data.cover(l)),
            "path": shortest.cloned().unwrap_or(json!([])),
            "witnesses": proofs.iter().map(ids).collect::<Vec<_>>(),
        }));
    }
    let relied = verdict.relied_on.iter();
    let relied = relied.map(|r| json!({"rule": r.rule, "flow": r.flow}));
    Ok(json!({
        "inventory": {
            "parties": world.parties.len(),
            "systems": model.systems.len(),
            "agreements": world.agreements.len(),
            "flows": model.flows.len(),
            "counting_flows": verdict.counting_flows,
        },
        "findings": findings,
        "relied_on": relied.collect::<Vec<_>>(),
    }))
}

/// Every length is that of a walk found by trying them all, none is shorter, and
/// the comparison takes what is right and nothing else.
#[test]
fn the_comparison_takes_the_truth_and_nothing_else() {
    harness::try_all(60, generate::world(), harness::show, |world| {
        let verdict = evaluate(world);
        let mut output = Output { exit: verdict.exit, bytes: Vec::new(), json: printed(world, &verdict)? };
        harness::compare(world, &verdict, &output)?;
        let Some(first) = output.json["findings"].get_mut(0) else {
            return Ok(());
        };
        first["consequent"] = json!(!first["consequent"].as_bool().unwrap());
        if harness::compare(world, &verdict, &output).is_ok() {
            return Err("a wrong finding passes".to_owned());
        }
        output.json["findings"].as_array_mut().unwrap().remove(0);
        if harness::compare(world, &verdict, &output).is_ok() {
            return Err("a missing finding passes".to_owned());
        }
        Ok(())
    });
}

/// Random worlds are of all sorts: nothing is looked for that never is found.
#[test]
fn random_worlds_are_mixed() {
    let found: RefCell<BTreeMap<String, usize>> = RefCell::default();
    harness::try_all(400, generate::world(), harness::show, |world| {
        let verdict = evaluate(world);
        let mut traits = BTreeSet::new();
        for f in &verdict.findings {
            traits.insert(match &*f.kind {
                "terms" | "flow" => format!("{} {}", f.rule, f.severity),
                kind => kind.to_owned(),
            });
            let at_its_origin = f.source.is_some() && f.source == f.sink;
            for (holds, name) in [
                (f.consequent, "consequent"),
                (f.prospective, "prospective"),
                (f.retained, "retained"),
                (f.grown, "grown"),
                (f.status == "waived", "waived"),
                (f.witnesses.iter().any(|l| *l > 2), "a long way"),
                (at_its_origin, "at the assumed origin"),
            ] {
                if holds {
                    traits.insert(name.to_owned());
                }
            }
        }
        let mut kept = world.clone();
        let systems = kept.parties.iter_mut().flat_map(|party| &mut party.systems);
        systems.flat_map(|system| &mut system.derives).for_each(|derive| derive.reidentifies = Some(false));
        let kept = evaluate(&kept).findings;
        for f in &verdict.findings {
            let before = kept.iter().find(|one| one.key() == f.key());
            if before.is_none_or(|one| one.data != f.data) {
                traits.insert(format!("re-identified: {}", f.kind));
            }
        }
        for r in &verdict.relied_on {
            let built_in = ["terms/", "flow/", "derives/"].iter().any(|of| r.rule.starts_with(of));
            let rule = if built_in { &r.rule } else { "a rule" };
            traits.insert(format!("relied on: {rule}"));
        }
        traits.insert(format!("exit {}", verdict.exit));
        let model = Model::new(world, options(world));
        let held = model.held(&model.assume_origins());
        let goes_on = |at: &_, item: &_| model.counting().any(|e| model.take(*at, *item, e).is_some());
        if held.iter().any(|(at, item)| at.gone.is_some() && goes_on(at, item)) {
            traits.insert("out of a ghost".to_owned());
        }
        for name in traits {
            *found.borrow_mut().entry(name).or_default() += 1;
        }
        Ok(())
    });
    let found = found.into_inner();
    for (name, least) in [
        ("terms/purpose high", 40),
        ("terms/onward high", 15),
        ("terms/retention medium", 40),
        ("terms/safeguards medium", 40),
        ("terms/consent high", 40),
        ("flow/undocumented high", 40),
        ("flow/foreign-party high", 40),
        ("flow/unsourced medium", 40),
        ("flow/unsourced high", 15),
        ("forbid", 100),
        ("limit", 40),
        ("require", 40),
        ("statement", 40),
        ("consequent", 40),
        ("prospective", 40),
        ("retained", 40),
        ("grown", 8),
        ("waived", 8),
        ("a long way", 40),
        ("re-identified: terms", 1),
        ("re-identified: forbid", 1),
        ("re-identified: limit", 1),
        ("relied on: derives/reidentifies", 1),
        ("out of a ghost", 40),
        ("at the assumed origin", 40),
        ("relied on: a rule", 40),
        ("relied on: flow/disposed", 40),
        ("relied on: flow/only_from", 40),
        ("relied on: terms/onward", 4),
        ("relied on: terms/released_by", 40),
        ("exit 0", 15),
        ("exit 1", 100),
    ] {
        let times = found.get(name).copied().unwrap_or(0);
        assert!(times >= least, "{name}: {times} of 400\n{found:#?}");
    }
}
