//! Random worlds, all of them valid inputs.
//!
//! References are drawn as numbers and made to fit afterwards (`tidy`), so that
//! a world shrinks by leaving things out.

use super::evaluate::STATUSES;
use super::generate_rules::{rule, rule_body};
use super::never;
use super::world::*;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

pub const DATA: [&str; 14] = [
    "t", "t.a", "t.a.x", "t.a.y", "t.b", "t.b.x", "t.c", "t.d", "t.d.x", "t.d.x.u", "t.d.x.w", "t.d.y", "z",
    "z.m",
];
/// Mostly broad: what systems originate and flows carry.
pub const BROAD: [&str; 10] = ["t", "t", "t", "t.a", "t.a.x", "t.b", "t.d", "t.d.x", "t.c", "z"];
pub const PURPOSES: [&str; 8] = ["p", "p.a", "p.a.x", "p.a.y", "p.b", "p.b.x", "p.c", "q"];
pub const ROLES: [&str; 4] = ["bank", "platform", "processor", "ad_network"];
pub const TAGS: [&str; 2] = ["red", "blue"];
pub const REGIONS: [&str; 9] = ["US", "DE", "GB", "US-CA", "PR", "FR-IDF", "RE", "NC", "GG"];
/// Codes in any case, a subdivision, and groups.
pub const REGIONS_AS_MATCHED: [&str; 8] = ["US", "de", "Gb", "DE", "us-ca", "EEA", "EU-adequate", "FR"];
pub const TRANSFORMS: [&str; 5] = ["none", "tokenised", "pseudonymised", "aggregated", "anonymised"];
pub const CHANGES: [&str; 3] = ["anonymised", "aggregated", "tokenised"];
pub const CONSENTS: [&str; 3] = ["none", "opt_out", "opt_in"];
pub const SAFEGUARDS: [&str; 2] = ["encryption_in_transit", "encryption_at_rest"];
pub const BASES: [&str; 6] =
    ["consent", "contract", "glba_processing", "gdpr:consent", "glba:1016.14_servicing", "own"];
/// Older words, right ones, both with and without `*`.
pub const BASES_AS_MATCHED: [&str; 7] =
    ["con*", "glba_*", "contract", "gdpr:consent", "consent*", "glba:1016.14_*", "own"];
pub const ASSURANCES: [&str; 2] = ["dpia", "opt_out_notice"];
pub const LABELS: [&str; 2] = ["k", "l"];
pub const VALUES: [&str; 3] = ["a", "ab", "b"];
pub const LIKE: [&str; 5] = ["a", "a*", "?", "*", "b"];
/// Around a year, and around a day, before the day judged.
pub const GIVEN: [&str; 6] =
    ["2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01", "2026-01-02", "2023-05-05"];
pub const AGES: [&str; 7] = ["1y", "12m", "366d", "24h", "0d", "52w", "unlimited"];
pub const RETENTIONS: [&str; 8] = ["24h", "7d", "3w", "6m", "12m", "1y", "400d", "unlimited"];
pub const DAYS: [&str; 8] = [
    "2018-01-01",
    "2018-07-01",
    "2019-01-01",
    "2019-02-28",
    "2019-12-31",
    "2020-02-29",
    "2020-12-31",
    "2021-06-01",
];
/// When something is disposed; mostly before the day judged.
pub const DISPOSALS: [&str; 8] = [
    "2018-07-01",
    "2019-02-28",
    "2019-12-31",
    "2020-12-31",
    "2025-12-31",
    "2026-01-01",
    "2026-01-02",
    "2027-01-01",
];
/// The last days of agreements: long ago, and around the day judged.
pub const LAST: [&str; 8] = [
    "2018-12-31",
    "2019-12-31",
    "2020-02-29",
    "2025-12-31",
    "2026-01-01",
    "2026-01-01",
    "2026-01-02",
    "2027-01-01",
];
pub const RELATIONS: [&str; 5] = ["first_party", "affiliate", "processor", "second_party", "third_party"];
pub const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];
pub const PACKS: [&str; 6] = ["house", "house", "in_force", "proposed", "benchmark", "contractual"];
pub const PARTIES: [&str; 5] = ["pa", "pb", "p*", "p?", "pc"];
pub const SYSTEMS: [&str; 5] = ["pa/*", "*/s0", "pb/s?", "*/s2", "*"];
pub const AGREEMENTS: [&str; 3] = ["ag0", "ag*", "ag1"];

pub type Strings = BoxedStrategy<Vec<String>>;

pub fn one(pool: &'static [&'static str]) -> BoxedStrategy<String> {
    select(pool).prop_map(str::to_owned).boxed()
}

/// One or two of a pool, each once.
pub fn some(pool: &'static [&'static str]) -> Strings {
    vec(one(pool), 1..=2).prop_map(distinct).boxed()
}

/// Rarely written, then one or two of a pool.
pub fn maybe(chance: f64, pool: &'static [&'static str]) -> Strings {
    rarely(chance, some(pool))
}

pub fn rarely<T: std::fmt::Debug + Clone + 'static>(
    chance: f64,
    list: BoxedStrategy<Vec<T>>,
) -> BoxedStrategy<Vec<T>> {
    weighted(chance, list).prop_map(Option::unwrap_or_default).boxed()
}

pub fn opt(chance: f64, pool: &'static [&'static str]) -> BoxedStrategy<Option<String>> {
    weighted(chance, one(pool)).boxed()
}

pub fn distinct<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut kept = Vec::new();
    for value in list {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

fn number() -> BoxedStrategy<String> {
    (0..30_u8).prop_map(|n| n.to_string()).boxed()
}

fn day() -> BoxedStrategy<Day> {
    select(&DAYS[..]).prop_map(Day::of).boxed()
}

fn duration(chance: f64) -> BoxedStrategy<Option<Duration>> {
    weighted(chance, one(&RETENTIONS).prop_map(Duration)).boxed()
}

fn effective(chance: f64) -> BoxedStrategy<Option<Effective>> {
    let last = prop_oneof![day(), select(&LAST[..]).prop_map(Day::of)];
    let sides = (weighted(0.6, day()), weighted(0.6, last));
    weighted(chance, sides)
        .prop_map(|sides| {
            let (from, until) = sides?;
            if from.is_none() && until.is_none() {
                return None;
            }
            match (from, until) {
                (Some(a), Some(b)) => Some(Effective { from: Some(a.min(b)), until: Some(a.max(b)) }),
                _ => Some(Effective { from, until }),
            }
        })
        .boxed()
}

fn disposed(chance: f64) -> BoxedStrategy<Option<Disposed>> {
    let date = select(&DISPOSALS[..]).prop_map(|day| Some(Day::of(day)));
    let one = date.prop_map(|date| Disposed { date, evidence: "erased".to_owned() });
    weighted(chance, one).boxed()
}

/// Mostly none.
fn labels(chance: f64) -> BoxedStrategy<Labels> {
    let some = vec((one(&LABELS), one(&VALUES)), 1..=2);
    weighted(chance, some).prop_map(|some| some.into_iter().flatten().collect()).boxed()
}

fn party() -> BoxedStrategy<Party> {
    (
        opt(0.7, &ROLES),
        opt(0.6, &REGIONS),
        weighted(0.2, number()),
        opt(0.4, &["privacy@example.org", "desk"]),
        labels(0.3),
    )
        .prop_map(|(role, jurisdiction, affiliate_of, contact, labels)| Party {
            role,
            jurisdiction,
            affiliate_of,
            contact,
            labels,
            ..Party::default()
        })
        .boxed()
}

fn system() -> BoxedStrategy<System> {
    let derive = (some(&DATA), one(&DATA), weighted(0.4, any::<bool>()))
        .prop_map(|(from, into, reidentifies)| Derive { from, into, reidentifies });
    (
        any::<u8>(),
        maybe(0.7, &PURPOSES),
        maybe(0.85, &BROAD),
        rarely(0.25, vec(derive, 1..=2).boxed()),
        duration(0.4),
        maybe(0.4, &REGIONS),
        maybe(0.4, &TAGS),
        (labels(0.3), weighted(0.15, number())),
    )
        .prop_map(|(home, purposes, originates, derives, retention, region, tags, (labels, controller))| {
            System {
                controller,
                home: usize::from(home),
                purposes,
                originates,
                derives,
                retention,
                region,
                tags,
                labels,
                ..System::default()
            }
        })
        .boxed()
}

fn terms(chance: f64) -> BoxedStrategy<Terms> {
    let onward_to = (number(), maybe(0.5, &DATA), maybe(0.4, &PURPOSES))
        .prop_map(|(party, data, purposes)| OnwardTo { party, data, purposes });
    (
        weighted(chance, prop_oneof![9 => some(&PURPOSES), 1 => Just(Vec::new())]),
        maybe(chance * 0.6, &PURPOSES),
        opt(chance * 1.4, &["permitted", "affiliates", "processors", "prohibited"]),
        rarely(chance, vec(onward_to, 1..=3).boxed()),
        duration(chance),
        opt(chance, &CONSENTS),
        maybe(chance * 0.7, &SAFEGUARDS),
        weighted(chance, prop_oneof![4 => some(&CHANGES), 1 => Just(Vec::new())]),
    )
        .prop_map(
            |(
                purposes,
                prohibited_purposes,
                onward_transfer,
                onward_to,
                retention,
                consent,
                safeguards,
                released_by,
            )| Terms {
                purposes,
                prohibited_purposes,
                onward_transfer,
                onward_to,
                retention,
                consent,
                safeguards,
                released_by,
            },
        )
        .boxed()
}

fn body(ends: f64, rest: f64) -> BoxedStrategy<FlowBody> {
    (
        weighted(ends, number()),
        weighted(ends, number()),
        rarely(ends, prop_oneof![9 => some(&BROAD), 1 => Just(vec!["held".to_owned()])].boxed()),
        maybe(rest, &PURPOSES),
        opt(rest, &CONSENTS),
        opt(rest, &TRANSFORMS),
        rarely(rest * 0.25, vec(number(), 1..=2).boxed()),
        maybe(rest, &SAFEGUARDS),
        duration(rest * 0.8),
        maybe(rest * 0.5, &BASES),
        (maybe(rest * 0.6, &TAGS), labels(rest * 0.6), rarely(rest * 0.5, vec(assurance(), 1..=1).boxed())),
    )
        .prop_map(
            |(
                from,
                to,
                data,
                purposes,
                consent,
                transform,
                only_from,
                safeguards,
                retention,
                legal_basis,
                (tags, labels, assurances),
            )| FlowBody {
                from,
                to,
                data,
                purposes,
                consent,
                transform,
                only_from,
                safeguards,
                retention,
                legal_basis,
                tags,
                labels,
                assurances,
                ..FlowBody::default()
            },
        )
        .boxed()
}

fn assurance() -> BoxedStrategy<Assurance> {
    let given = one(&GIVEN).prop_map(|day| Day::of(&day));
    (one(&ASSURANCES), weighted(0.6, given), weighted(0.3, assurance_day()))
        .prop_map(|(id, date, until)| Assurance {
            id,
            date,
            valid_until: until.filter(|u| date.is_none_or(|d| d <= *u)),
        })
        .boxed()
}

fn agreement() -> BoxedStrategy<Agreement> {
    (
        opt(0.5, &["sharing", "processing", "processing"]),
        rarely(0.5, vec(number(), 1..=2).boxed()),
        opt(0.5, &["active", "proposed", "terminated", "suspended"]),
        vec(number(), 0..=1),
        effective(0.3),
        disposed(0.12),
        maybe(0.4, &BASES),
        (rarely(0.5, vec(assurance(), 1..=2).boxed()), labels(0.3)),
        terms(0.4),
        body(0.15, 0.15),
    )
        .prop_map(
            |(
                kind,
                provider,
                status,
                parties,
                effective,
                disposed,
                legal_basis,
                (assurances, labels),
                terms,
                flow_defaults,
            )| Agreement {
                kind,
                provider,
                status,
                parties,
                effective,
                disposed,
                legal_basis,
                assurances,
                labels,
                terms,
                flow_defaults,
                ..Agreement::default()
            },
        )
        .boxed()
}

fn assurance_day() -> BoxedStrategy<Day> {
    let days = select(&["2025-12-31", "2026-01-01", "2019-01-01", "2027-01-01"][..]);
    days.prop_map(Day::of).boxed()
}

fn flow() -> BoxedStrategy<Flow> {
    (
        weighted(0.85, any::<u8>()),
        any::<bool>(),
        (0..10_u8, any::<bool>()),
        body(0.93, 0.45),
        weighted(0.15, terms(0.3)),
        effective(0.25),
        disposed(0.15),
    )
        .prop_map(|(home, bare, (foreign, goes_on), body, terms, effective, disposed)| Flow {
            id: String::new(),
            home: home.map(usize::from),
            foreign: foreign >= 7,
            goes_on,
            body: FlowBody {
                only_from: if bare { Vec::new() } else { body.only_from },
                terms,
                effective,
                disposed,
                ..body
            },
        })
        .boxed()
}

fn statement() -> BoxedStrategy<Statement> {
    (number(), opt(0.5, &SEVERITIES), rule_body())
        .prop_map(|(by, severity, promise)| Statement {
            by,
            severity,
            promise,
            said: Said { quote: "Never.".to_owned() },
            ..Statement::default()
        })
        .boxed()
}

/// `data` where the rules are no terms, `agreements` where they are.
pub fn waiver() -> BoxedStrategy<Waiver> {
    let accepts = prop_oneof![
        (one(&["house/*", "statement/st0", "flow/*", "terms/*", "agreement/*", "*/r?"]), some(&DATA))
            .prop_map(|(rule, data)| (rule, data, Vec::new())),
        (one(&["terms/*", "terms/onward", "agreement/ended"]), vec(number(), 1..=2))
            .prop_map(|(rule, agreements)| (rule, Vec::new(), agreements)),
        one(&["*e*", "house/*", "terms/*", "flow/un*", "house/r1"]).prop_map(|rule| (
            rule,
            Vec::new(),
            Vec::new()
        )),
    ];
    // What it states besides: nothing, or one or two of them.
    let more = (
        rarely(0.2, some(&DATA)),
        rarely(0.3, vec(number(), 1..=2).boxed()),
        opt(0.3, &["critical", "high", "medium", "low", "info"]),
        weighted(0.2, any::<bool>()),
    );
    // No longer than a year from its approval, or from the day judged.
    let runs = select(
        &[
            (None, "2026-01-01"),
            (None, "2025-12-31"),
            (None, "2027-01-01"),
            (Some("2025-06-01"), "2026-06-01"),
            (Some("2026-01-01"), "2027-01-01"),
            (Some("2026-01-02"), "2026-12-31"),
        ][..],
    );
    (
        accepts,
        opt(0.25, &SYSTEMS),
        opt(0.25, &["pa/*", "*/s1", "p?", "pb*", "*"]),
        opt(0.15, &["ag0/*", "l*", "*/f1", "*"]),
        opt(0.15, &["t*", "ag*", "p*", "*/s?"]),
        (more, runs),
    )
        .prop_map(|((rule, data, agreements), source, sink, flow, subject, (more, runs))| Waiver {
            rule: Some(rule),
            source,
            sink,
            flow,
            subject,
            data,
            arrives_as: more.0,
            agreements,
            origins: more.1,
            severity: more.2,
            prospective: more.3,
            reason: "accepted".to_owned(),
            approved_by: "board".to_owned(),
            approved_on: runs.0.map(Day::of),
            expires: Some(Day::of(runs.1)),
        })
        .boxed()
}

fn call() -> BoxedStrategy<Call> {
    let status = vec(one(&STATUSES), 1..=3).prop_map(distinct);
    (weighted(0.4, day()), weighted(0.15, status)).prop_map(|(as_of, status)| Call { as_of, status }).boxed()
}

/// Rarely anywhere from `least`, mostly near `most`; shrinks to `least`.
fn few_or_more<T: std::fmt::Debug + Clone + 'static>(
    one: BoxedStrategy<T>,
    least: usize,
    most: usize,
) -> BoxedStrategy<Vec<T>> {
    prop_oneof![
        1 => vec(one.clone(), least..=most),
        2 => vec(one, most.div_ceil(2)..=most),
    ]
    .boxed()
}

/// A world with its call; it may be as small as two systems and a flow.
/// A world whose rules can all find something.
pub fn world() -> BoxedStrategy<World> {
    any_world().prop_map(never::without_refused).boxed()
}

pub fn any_world() -> BoxedStrategy<World> {
    (
        few_or_more(party(), 2, 5),
        few_or_more(system(), 2, 7),
        few_or_more(agreement(), 0, 4),
        few_or_more(flow(), 1, 12),
        vec(rule(), 0..=4),
        rarely(0.5, vec(statement(), 1..=2).boxed()),
        rarely(0.4, vec(waiver(), 1..=2).boxed()),
        select(&PACKS[..]),
        (call(), 0..3_u8, maybe(0.4, &DATA), weighted(0.25, vec(any::<u8>(), 16..48))),
    )
        .prop_map(
            |(
                parties,
                systems,
                agreements,
                flows,
                rules,
                statements,
                waivers,
                status,
                (call, sourced, identifying, restoring),
            )| {
                let policy = Policy {
                    policy: "house".to_owned(),
                    title: "House".to_owned(),
                    status: status.to_owned(),
                    rules,
                };
                let mut world =
                    World { parties, agreements, statements, waivers, policy, call, ..World::default() };
                world.taxonomy = taxonomy();
                for key in identifying {
                    world.taxonomy.data.entry(key).or_default().identifying = Some(true);
                }
                tidy(&mut world, systems, flows);
                if let Some(bytes) = restoring {
                    reidentify(&mut world, &bytes);
                }
                if sourced > 0 {
                    declare_origins(&mut world, sourced == 2);
                }
                world
            },
        )
        .boxed()
}

/// Lets systems that originate nothing, or all, originate what their flows and
/// derivations name.
fn declare_origins(world: &mut World, all: bool) {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let nested = world.agreements.iter().flat_map(|agreement| {
        let flows = agreement.flows.iter();
        flows.map(move |flow| (flow, Some(&agreement.flow_defaults)))
    });
    for (flow, default) in nested.chain(world.flows.iter().map(|flow| (flow, None))) {
        let default = default.cloned().unwrap_or_default();
        let from = flow.body.from.clone().or(default.from);
        let data = if flow.body.data.is_empty() { default.data } else { flow.body.data.clone() };
        let claimed = data.into_iter().filter(|category| category != "held");
        named.entry(from.unwrap_or_default()).or_default().extend(claimed);
    }
    for party in &mut world.parties {
        for system in &mut party.systems {
            let name = format!("{}/{}", party.id, system.id);
            if all || system.originates.is_empty() {
                let flows = named.remove(&name).unwrap_or_default();
                let derives = system.derives.iter().flat_map(|d| d.from.clone());
                system.originates.extend(flows.into_iter().chain(derives));
                system.originates = distinct(std::mem::take(&mut system.originates));
            }
        }
    }
}

/// Lets much be transformed, exempt or released for that, and re-identified.
fn reidentify(world: &mut World, bytes: &[u8]) {
    let mut bytes = bytes.iter().cycle();
    let mut one_of = |number: u8| bytes.next().expect("some bytes") % number;
    for system in world.parties.iter_mut().flat_map(|party| &mut party.systems) {
        if one_of(2) == 0 {
            system.derives.push(Derive {
                from: vec!["t".to_owned()],
                into: DATA[usize::from(one_of(14))].to_owned(),
                reidentifies: [Some(true), Some(true), Some(false), None][usize::from(one_of(4))],
            });
        }
    }
    let nested = world.agreements.iter_mut().flat_map(|agreement| &mut agreement.flows);
    for flow in nested.chain(&mut world.flows) {
        if one_of(2) == 0 {
            flow.body.transform = Some(CHANGES[usize::from(one_of(3))].to_owned());
        }
    }
    let rules = world.policy.rules.iter_mut().map(|rule| &mut rule.body);
    for body in rules.chain(world.statements.iter_mut().map(|statement| &mut statement.promise)) {
        let changes = CHANGES.iter().map(|change| (*change).to_owned()).collect();
        let transformed = vec![FlowMatcher { transform: changes, ..FlowMatcher::default() }];
        match body {
            Body::Forbid(Forbid { unless, .. }) | Body::Limit(Limit { unless, .. }) if one_of(3) > 0 => {
                unless.through = transformed;
            }
            Body::Forbid(Forbid { unless, .. }) if one_of(2) == 0 => unless.arriving = transformed,
            _ => {}
        }
    }
}

/// The trees of all generated worlds.
pub fn taxonomy() -> Taxonomy {
    let keys = |list: &[&str]| {
        list.iter()
            .map(|key| {
                let title = format!("The {key}");
                ((*key).to_owned(), Entry { title, ..Entry::default() })
            })
            .collect::<BTreeMap<_, _>>()
    };
    Taxonomy { data: keys(&DATA), purposes: keys(&PURPOSES) }
}

fn at<T>(number: &str, list: &[T]) -> usize {
    number.parse::<usize>().expect("a number") % list.len()
}

/// Makes references fit, and the world valid.
fn tidy(world: &mut World, systems: Vec<System>, flows: Vec<Flow>) {
    let ids: Vec<String> =
        ["pa", "pb", "pc", "pd", "pe"].iter().take(world.parties.len()).map(|id| (*id).to_owned()).collect();
    for (i, party) in world.parties.iter_mut().enumerate() {
        party.id.clone_from(&ids[i]);
        party.name = format!("Party {}", ids[i]);
        party.affiliate_of = match &party.affiliate_of {
            Some(number) if i > 0 => Some(ids[at(number, &ids[..i])].clone()),
            _ => None,
        };
    }
    let mut names = Vec::new();
    let mut purposeful = Vec::new();
    for (i, mut system) in systems.into_iter().enumerate() {
        let home = system.home % ids.len();
        system.id = format!("s{i}");
        system.controller = system.controller.as_ref().map(|number| ids[at(number, &ids)].clone());
        names.push((home, format!("{}/{}", ids[home], system.id)));
        purposeful.push(!system.purposes.is_empty());
        world.parties[home].systems.push(system);
    }
    let agreement_ids: Vec<String> = (0..world.agreements.len()).map(|i| format!("ag{i}")).collect();
    let fit_body = |body: &mut FlowBody| {
        let name = |number: &String| names[at(number, &names)].1.clone();
        body.from = body.from.as_ref().map(name);
        body.to = body.to.as_ref().map(name);
        let only_from = body.only_from.iter().map(|n| ids[at(n, &ids)].clone());
        body.only_from = distinct(only_from.collect());
    };
    for (i, agreement) in world.agreements.iter_mut().enumerate() {
        agreement.id.clone_from(&agreement_ids[i]);
        let parties = agreement.parties.iter().map(|n| ids[at(n, &ids)].clone());
        agreement.parties = distinct(parties.collect());
        agreement.assurances = {
            let mut seen = BTreeSet::new();
            let mut kept = agreement.assurances.clone();
            kept.retain(|a| seen.insert(a.id.clone()));
            kept
        };
        fit_body(&mut agreement.flow_defaults);
    }
    let mut before: Option<(usize, usize)> = None;
    for mut flow in flows {
        fit_body(&mut flow.body);
        if flow.goes_on
            && let Some((system, home)) = before
        {
            flow.body.from = Some(names[system].1.clone());
            flow.home = flow.home.map(|_| home + 1);
        }
        let sender = names.iter().find(|(_, n)| Some(n) == flow.body.from.as_ref());
        let home = flow.home.filter(|_| !agreement_ids.is_empty());
        // Two of three under the agreement of the sending party's number, so
        // that agreements are between few parties.
        let home = home.map(|h| match sender {
            Some((party, _)) if h % 3 > 0 && !flow.goes_on => party % agreement_ids.len(),
            _ => h % agreement_ids.len(),
        });
        let home = home.filter(|h| world.agreements[*h].flows.len() < 8);
        let default = home.map(|h| world.agreements[h].flow_defaults.clone());
        let default = default.unwrap_or_default();
        let body = &mut flow.body;
        if body.from.is_none() && default.from.is_none() {
            body.from = Some(names[0].1.clone());
        }
        if body.to.is_none() && default.to.is_none() {
            body.to = Some(names[1].1.clone());
        }
        let from = body.from.clone().or(default.from).expect("from");
        let to = body.to.clone().or(default.to).expect("to");
        let index = |name: &str| names.iter().position(|(_, n)| n == name).expect("a system");
        let receiver = if from == to {
            let next = (index(&to) + 1) % names.len();
            body.to = Some(names[next].1.clone());
            next
        } else {
            index(&to)
        };
        if body.data.is_empty() && default.data.is_empty() {
            body.data = vec!["t".to_owned()];
        }
        if body.purposes.is_empty() && default.purposes.is_empty() && !purposeful[receiver] {
            body.purposes = vec!["p.a".to_owned()];
        }
        before = Some((receiver, home.unwrap_or_default()));
        match home {
            Some(h) => {
                let agreement = &mut world.agreements[h];
                flow.id = format!("f{}", agreement.flows.len());
                if !flow.foreign {
                    for end in [names[index(&from)].0, names[receiver].0] {
                        if !agreement.parties.contains(&ids[end]) {
                            agreement.parties.push(ids[end].clone());
                        }
                    }
                }
                agreement.flows.push(flow);
            }
            None => {
                flow.id = format!("l{}", world.flows.len());
                flow.body.terms = None;
                world.flows.push(flow);
            }
        }
    }
    for agreement in &mut world.agreements {
        for id in &ids {
            if agreement.parties.len() < 2 && !agreement.parties.contains(id) {
                agreement.parties.push(id.clone());
            }
        }
        // Onward to parties outside, where there are any.
        let outside: Vec<&String> = ids.iter().filter(|id| !agreement.parties.contains(id)).collect();
        let inner = agreement.flows.iter_mut().flat_map(|f| &mut f.body.terms);
        for terms in inner.chain([&mut agreement.terms]) {
            for to in &mut terms.onward_to {
                to.party = match &outside[..] {
                    [] => ids[at(&to.party, &ids)].clone(),
                    outside => outside[at(&to.party, outside)].clone(),
                };
            }
        }
        let named = agreement.provider.iter().map(|n| agreement.parties[at(n, &agreement.parties)].clone());
        agreement.provider = distinct(named.collect());
    }
    for (i, rule) in world.policy.rules.iter_mut().enumerate() {
        rule.id = format!("r{i}");
        rule.title = format!("Rule {i}");
    }
    for (i, statement) in world.statements.iter_mut().enumerate() {
        statement.id = format!("st{i}");
        statement.by.clone_from(&ids[at(&statement.by, &ids)]);
    }
    // What is held somewhere is not followed by what it arrives as.
    let limits = world.policy.rules.iter().map(|rule| &rule.body);
    let limits = limits.chain(world.statements.iter().map(|statement| &statement.promise));
    let any_limit = limits.into_iter().any(|body| matches!(body, Body::Limit(_)));
    for waiver in &mut world.waivers {
        let of_rules =
            waiver.rule.as_ref().is_none_or(|rule| !rule.starts_with("terms") && !rule.starts_with("flow"));
        if any_limit && of_rules {
            waiver.arrives_as.clear();
        }
        waiver.origins = distinct(waiver.origins.iter().map(|n| ids[at(n, &ids)].clone()).collect());
        let agreements = waiver.agreements.iter();
        waiver.agreements = if agreement_ids.is_empty() {
            Vec::new()
        } else {
            distinct(agreements.map(|n| agreement_ids[at(n, &agreement_ids)].clone()).collect())
        };
    }
}
