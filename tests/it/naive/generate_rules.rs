//! Random rules and matchers.

use super::evaluate::STATUSES;
use super::generate::*;
use super::world::*;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

fn label() -> BoxedStrategy<LabelTests> {
    let one_of_them = (one(&LABELS), some(&LIKE));
    vec(one_of_them, 1..=2).prop_map(|tests| tests.into_iter().collect()).boxed()
}

/// An assurance by its name, or not older than so long.
fn wanted() -> BoxedStrategy<Wanted> {
    let dated = (one(&ASSURANCES), one(&AGES))
        .prop_map(|(id, at_most)| Wanted::Dated { id, at_most: Duration(at_most) });
    prop_oneof![2 => one(&ASSURANCES).prop_map(Wanted::Named), 3 => dated].boxed()
}

/// Matchers on places: mostly one key, rarely nested.
fn places(depth: usize, arrival: bool) -> BoxedStrategy<Vec<PlaceMatcher>> {
    vec(place(depth, arrival), 1..=2).boxed()
}

fn place(depth: usize, arrival: bool) -> BoxedStrategy<PlaceMatcher> {
    let nested = |chance: f64| {
        if depth == 0 { Just(Vec::new()).boxed() } else { rarely(chance, places(depth - 1, arrival)) }
    };
    let empty = PlaceMatcher::default;
    let single = prop_oneof![
        some(&PARTIES).prop_map(move |party| PlaceMatcher { party, ..empty() }),
        some(&ROLES).prop_map(move |role| PlaceMatcher { role, ..empty() }),
        some(&PURPOSES).prop_map(move |purpose| PlaceMatcher { purpose, ..empty() }),
        some(&PURPOSES).prop_map(move |purpose| PlaceMatcher { purpose, ..empty() }),
        some(&SYSTEMS).prop_map(move |system| PlaceMatcher { system, ..empty() }),
        some(&TAGS).prop_map(move |tag| PlaceMatcher { tag, ..empty() }),
        some(&REGIONS_AS_MATCHED).prop_map(move |region| PlaceMatcher { region, ..empty() }),
        some(&REGIONS_AS_MATCHED).prop_map(move |jurisdiction| PlaceMatcher { jurisdiction, ..empty() }),
        label().prop_map(move |label| PlaceMatcher { label, ..empty() }),
        some(&RELATIONS).prop_map(move |relation| if arrival {
            PlaceMatcher { relation, ..empty() }
        } else {
            PlaceMatcher { party: vec!["p*".to_owned()], ..empty() }
        }),
        any::<bool>().prop_map(move |by_flow| PlaceMatcher {
            by_flow: arrival.then_some(by_flow),
            party: if arrival { Vec::new() } else { vec!["p*".to_owned()] },
            ..empty()
        }),
    ];
    (single, nested(0.25), nested(0.2), maybe(0.1, &PURPOSES), any::<bool>())
        .prop_map(move |(single, not, any, purpose, alone)| {
            let base = if alone && !not.is_empty() { PlaceMatcher::default() } else { single };
            PlaceMatcher {
                purpose: if base.purpose.is_empty() && !alone { purpose } else { base.purpose.clone() },
                not,
                any,
                ..base
            }
        })
        .boxed()
}

fn flows(depth: usize) -> BoxedStrategy<Vec<FlowMatcher>> {
    vec(flow_matcher(depth), 1..=2).boxed()
}

fn flow_matcher(depth: usize) -> BoxedStrategy<FlowMatcher> {
    let nested = |chance: f64| {
        if depth == 0 { Just(Vec::new()).boxed() } else { rarely(chance, flows(depth - 1)) }
    };
    let empty = FlowMatcher::default;
    let single = prop_oneof![
        3 => some(&CHANGES).prop_map(move |transform| FlowMatcher { transform, ..empty() }),
        1 => one(&["opt_in", "opt_out"]).prop_map(move |c| FlowMatcher {
            consent: vec![c],
            ..empty()
        }),
        1 => some(&SAFEGUARDS).prop_map(move |safeguards| FlowMatcher { safeguards, ..empty() }),
        1 => one(&["8d", "30d", "1y"]).prop_map(move |most| FlowMatcher {
            retention: Some(AtMost { at_most: Duration(most) }),
            ..empty()
        }),
        2 => some(&PURPOSES).prop_map(move |purpose| FlowMatcher { purpose, ..empty() }),
        1 => some(&TAGS).prop_map(move |tag| FlowMatcher { tag, ..empty() }),
        1 => label().prop_map(move |label| FlowMatcher { label, ..empty() }),
        2 => some(&DATA).prop_map(move |data| FlowMatcher { data, ..empty() }),
        2 => places(depth.min(1), false).prop_map(move |from| FlowMatcher { from, ..empty() }),
        2 => places(depth.min(1), false).prop_map(move |to| FlowMatcher { to, ..empty() }),
        1 => any::<bool>().prop_map(move |crosses| FlowMatcher {
            crosses_parties: Some(crosses),
            ..empty()
        }),
        2 => agreements(true).prop_map(move |tests| FlowMatcher {
            agreement: Some(AgreementTest::Some(tests)),
            ..empty()
        }),
        1 => Just(()).prop_map(move |()| FlowMatcher {
            agreement: Some(AgreementTest::None("none".to_owned())),
            ..empty()
        }),
    ];
    (single, nested(0.3), nested(0.2), weighted(0.2, any::<bool>()), any::<bool>())
        .prop_map(move |(single, not, any, crosses, alone)| {
            let base = if alone && !not.is_empty() { FlowMatcher::default() } else { single };
            FlowMatcher { crosses_parties: base.crosses_parties.or(crosses), not, any, ..base }
        })
        .boxed()
}

/// Agreement matchers; of a flow's agreement, or of a `where`.
fn agreements(of_flow: bool) -> BoxedStrategy<Vec<AgreementMatcher>> {
    let empty = AgreementMatcher::default;
    let single = prop_oneof![
        some(&AGREEMENTS).prop_map(move |id| AgreementMatcher { id, ..empty() }),
        some(&["sharing", "processing"]).prop_map(move |kind| AgreementMatcher { kind, ..empty() }),
        some(&STATUSES).prop_map(move |status| AgreementMatcher { status, ..empty() }),
        some(&BASES_AS_MATCHED).prop_map(move |legal_basis| AgreementMatcher { legal_basis, ..empty() }),
        vec(wanted(), 1..=2).prop_map(move |assurance| AgreementMatcher { assurance, ..empty() }),
        vec(wanted(), 1..=2).prop_map(move |assurance| AgreementMatcher { assurance, ..empty() }),
        label().prop_map(move |label| AgreementMatcher { label, ..empty() }),
    ]
    .boxed();
    let only_where = prop_oneof![
        some(&PARTIES).prop_map(move |party| AgreementMatcher { party, ..empty() }),
        some(&ROLES).prop_map(move |role| AgreementMatcher { role, ..empty() }),
        some(&DATA).prop_map(move |data| AgreementMatcher { data, ..empty() }),
    ]
    .boxed();
    let single = if of_flow { single } else { prop_oneof![single, only_where].boxed() };
    let matcher = (single.clone(), rarely(0.25, vec(single, 1..=2).boxed()))
        .prop_map(|(base, not)| AgreementMatcher { not, ..base });
    vec(matcher, 1..=2).boxed()
}

fn forbid() -> BoxedStrategy<Body> {
    (
        maybe(0.8, &DATA),
        rarely(0.5, places(2, false)),
        rarely(0.8, places(2, true)),
        rarely(0.4, flows(2)),
        rarely(0.3, flows(2)),
    )
        .prop_map(|(mut data, from, to, through, arriving)| {
            if data.is_empty() && from.is_empty() && to.is_empty() {
                data = vec!["t".to_owned()];
            }
            Body::Forbid(Forbid { data, from, to, unless: Unless { through, arriving } })
        })
        .boxed()
}

fn limit() -> BoxedStrategy<Body> {
    let together = (vec(one(&DATA), 2..=3).prop_map(distinct), weighted(0.4, 1..=3_usize));
    let together = together.prop_map(|(of, at_least)| match at_least {
        Some(least) => Together::Some { at_least: least.min(of.len()), of },
        None => Together::All(of),
    });
    let kind = prop_oneof![
        together.prop_map(|together| (together, Vec::new(), None)),
        (some(&DATA), 0..3_usize).prop_map(|(data, most)| (Together::default(), data, Some(most))),
    ];
    (places(1, false), opt(0.6, &["party", "system", "group"]), kind, rarely(0.3, flows(1)))
        .prop_map(|(at, scope, (together, data, origins_at_most), through)| {
            Body::Limit(Limit {
                at,
                scope,
                together,
                data,
                origins_at_most,
                unless: Unless { through, arriving: Vec::new() },
            })
        })
        .boxed()
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}

/// Keys of a declaration with something to ask of them.
fn demands(on: &str) -> Vec<(&'static str, Operators)> {
    let base = Operators::default;
    let present = |wanted| Operators { present: Some(wanted), ..base() };
    let one_of = |list: &[&str]| Operators { one_of: strings(list), ..base() };
    let under = |list: &[&str]| Operators { under: strings(list), ..base() };
    let named = |list: &[&str]| strings(list).into_iter().map(Wanted::Named).collect();
    let includes = |list: &[&str]| Operators { includes: named(list), ..base() };
    let not_older = |id: &str, age: &str| {
        let wanted = Wanted::Dated { id: id.to_owned(), at_most: Duration(age.to_owned()) };
        Operators { includes: vec![wanted], ..base() }
    };
    let matches = |pattern: &str| Operators { matches: Some(pattern.to_owned()), ..base() };
    let at_most = |bound: &str| Operators { at_most: Some(bound.to_owned()), ..base() };
    let at_least = |bound: &str| Operators { at_least: Some(bound.to_owned()), ..base() };
    match on {
        "agreement" => vec![
            ("kind", one_of(&["sharing"])),
            ("kind", present(true)),
            ("status", one_of(&["active", "proposed"])),
            ("status", present(false)),
            ("provider", matches("pa|p.")),
            ("provider", matches("a")),
            ("provider", present(true)),
            ("parties", matches("p[abc]")),
            ("legal_basis", present(true)),
            ("legal_basis", matches("con.*")),
            ("assurances", includes(&["dpia"])),
            ("assurances", not_older("dpia", "1y")),
            ("assurances", not_older("opt_out_notice", "24h")),
            ("assurances", present(true)),
            ("effective.until", present(true)),
            ("effective.from", present(false)),
            ("terms.purposes", present(true)),
            ("terms.purposes", under(&["p.a", "q"])),
            ("terms.purposes", includes(&["p.a"])),
            ("terms.prohibited_purposes", present(false)),
            ("terms.onward_transfer", one_of(&["prohibited"])),
            ("terms.onward_transfer", present(true)),
            ("terms.retention", at_most("1y")),
            ("terms.retention", present(true)),
            ("terms.consent", at_least("opt_out")),
            ("terms.safeguards", includes(&["encryption_at_rest"])),
            ("terms.released_by", one_of(&["anonymised"])),
            ("terms.released_by", present(false)),
        ],
        "flow" => vec![
            ("purposes", under(&["p"])),
            ("purposes", includes(&["p.a"])),
            ("purposes", present(true)),
            ("retention", at_most("365d")),
            ("retention", at_least("30d")),
            ("retention", present(true)),
            ("retention", present(false)),
            ("consent", at_least("opt_out")),
            ("consent", at_most("opt_out")),
            ("consent", present(true)),
            ("transform", one_of(&["none", "anonymised"])),
            ("transform", present(false)),
            ("safeguards", includes(&["encryption_in_transit"])),
            ("safeguards", present(true)),
            ("legal_basis", present(true)),
            ("legal_basis", one_of(&["consent", "contract"])),
            ("legal_basis", includes(&["gdpr:consent"])),
            ("tags", includes(&["red"])),
            ("tags", matches("r.*")),
            ("data", under(&["t"])),
            ("only_from", present(true)),
            ("effective.from", present(true)),
            ("effective.until", present(false)),
            ("terms.purposes", under(&["p"])),
            ("terms.purposes", present(true)),
            ("terms.retention", at_most("6m")),
            ("terms.safeguards", present(true)),
        ],
        "system" => vec![
            ("purposes", under(&["p.a", "p.b"])),
            ("purposes", present(true)),
            ("retention", at_most("1y")),
            ("retention", at_least("8d")),
            ("region", one_of(&["US", "EEA"])),
            ("region", one_of(&["US-CA", "DE"])),
            ("region", present(true)),
            ("tags", includes(&["blue"])),
            ("originates", under(&["t"])),
            ("originates", present(false)),
        ],
        _ => vec![
            ("role", one_of(&["bank", "other"])),
            ("role", present(true)),
            ("jurisdiction", one_of(&["US"])),
            ("jurisdiction", present(true)),
            ("affiliate_of", present(false)),
            ("contact", matches(".*@.*")),
            ("contact", present(true)),
        ],
    }
}

fn require() -> BoxedStrategy<Body> {
    let of = |on: &'static str, filter: BoxedStrategy<Filter>| {
        (filter, vec(select(demands(on)), 1..=2)).prop_map(move |(filter, must)| {
            Body::Require(Require {
                on: on.to_owned(),
                filter,
                must: must
                    .into_iter()
                    .map(|(key, operators)| (key.to_owned(), operators))
                    .collect::<BTreeMap<_, _>>(),
            })
        })
    };
    prop_oneof![
        of("agreement", rarely(0.5, agreements(false)).prop_map(Filter::Agreements).boxed()),
        of("flow", rarely(0.5, flows(2)).prop_map(Filter::Flows).boxed()),
        of("system", rarely(0.4, places(2, false)).prop_map(Filter::Places).boxed()),
        of("party", rarely(0.4, places(2, false)).prop_map(Filter::Places).boxed()),
    ]
    .boxed()
}

pub fn rule_body() -> BoxedStrategy<Body> {
    prop_oneof![5 => forbid(), 2 => limit(), 2 => require()].boxed()
}

pub fn rule() -> BoxedStrategy<Rule> {
    (one(&SEVERITIES), rule_body())
        .prop_map(|(severity, body)| Rule { severity, body, ..Rule::default() })
        .boxed()
}
