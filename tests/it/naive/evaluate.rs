//! The whole audit of a world in memory: the findings to expect.

use super::matching::glob;
use super::require::require;
use super::resolve::{Leaf, Model, Options};
use super::rules::{self, Chase, Judged};
use super::terms;
use super::walk::{At, Item, Origins, spread};
use super::world::{Body, Day, Forbid, Waiver, World};
use std::collections::BTreeSet;

/// The statuses of agreements.
pub const STATUSES: [&str; 4] = ["proposed", "active", "suspended", "terminated"];

/// The day judged.
pub const DAY: &str = "2026-01-01";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    pub rule: String,
    pub kind: String,
    pub severity: String,
    pub source: Option<String>,
    /// A system, or the party of a `limit` with `scope: party`.
    pub sink: Option<String>,
    pub flow: Option<String>,
    pub subject: Option<String>,
    /// Leaves.
    pub data: BTreeSet<String>,
    /// Of `terms/*` and `flow/*`.
    pub agreements: Vec<String>,
    /// Lengths in flows.
    pub witnesses: Vec<usize>,
    /// Leaves; not of `limit`.
    pub arrives_as: Option<BTreeSet<String>>,
    /// The parties whose data it is.
    pub origins: BTreeSet<String>,
    pub consequent: bool,
    pub prospective: bool,
    pub retained: bool,
    pub status: String,
    pub grown: bool,
}

/// What tells findings apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub rule: String,
    pub source: Option<String>,
    pub sink: Option<String>,
    pub flow: Option<String>,
    pub subject: Option<String>,
}

impl Finding {
    pub fn key(&self) -> Key {
        Key {
            rule: self.rule.clone(),
            source: self.source.clone(),
            sink: self.sink.clone(),
            flow: self.flow.clone(),
            subject: self.subject.clone(),
        }
    }
}

/// A place where a declaration's own claim kept something from being a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relied {
    pub rule: String,
    /// A flow; of `derives/reidentifies` a system.
    pub flow: String,
}

#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    pub relied_on: BTreeSet<Relied>,
    pub counting_flows: usize,
    pub exit: i32,
}

pub fn options(world: &World) -> Options {
    Options { day: Day::of(DAY), as_of: world.call.as_of, status: world.call.status.clone(), running: false }
}

pub fn evaluate(world: &World) -> Verdict {
    let options = options(world);
    let model = Model::new(world, options.clone());
    let (mut findings, relied_on) = audit(&model);
    let without = |left_out: &[&str], running: bool| -> BTreeSet<Key> {
        let status = STATUSES
            .iter()
            .filter(|s| !left_out.contains(s))
            .filter(|s| {
                let list = options.status.as_ref();
                list.is_none_or(|list| list.iter().any(|l| l == *s))
            })
            .map(|s| (*s).to_owned());
        let options = Options { status: Some(status.collect()), running, ..options.clone() };
        let (findings, _) = audit(&Model::new(world, options));
        findings.iter().map(Finding::key).collect()
    };
    let settled = without(&["proposed"], false);
    let running = without(&["suspended", "terminated"], true);
    for finding in &mut findings {
        finding.prospective = !settled.contains(&finding.key());
        finding.retained = !running.contains(&finding.key());
        waive(&model, finding);
    }
    let exit = findings.iter().any(|f| fails(world, f));
    Verdict { findings, relied_on, counting_flows: model.counting().count(), exit: i32::from(exit) }
}

/// New, high or critical, and of a pack whose findings fail.
pub fn fails(world: &World, finding: &Finding) -> bool {
    finding.status == "new"
        && ["critical", "high"].contains(&&*finding.severity)
        && can_fail(world, &finding.rule)
}

fn can_fail(world: &World, rule: &str) -> bool {
    let of_pack = rule.starts_with(&format!("{}/", world.policy.policy));
    let shown_only = ["enjoined", "proposed", "benchmark"].contains(&&*world.policy.status);
    !(of_pack && shown_only)
}

/// The rules of the policy, then the statements.
pub fn judged(world: &World) -> Vec<Judged<'_>> {
    let rules = world.policy.rules.iter().map(|rule| Judged {
        id: format!("{}/{}", world.policy.policy, rule.id),
        kind: match rule.body {
            Body::Forbid(_) => "forbid",
            Body::Limit(_) => "limit",
            Body::Require(_) => "require",
        },
        severity: rule.severity.clone(),
        body: &rule.body,
    });
    let statements = world.statements.iter().map(|statement| Judged {
        id: format!("statement/{}", statement.id),
        kind: "statement",
        severity: statement.severity.clone().unwrap_or("high".to_owned()),
        body: &statement.promise,
    });
    rules.chain(statements).collect()
}

/// All findings, before waivers and comparisons with other audits.
fn audit(model: &Model<'_>) -> (Vec<Finding>, BTreeSet<Relied>) {
    let origins = model.assume_origins();
    let rules = judged(model.world);
    let (mut findings, mut relied) = terms::sticky(model, &origins);
    findings.extend(terms::alone(model, &origins));
    findings.extend(unsourced(model, &origins, &rules));
    for rule in &rules {
        findings.extend(match rule.body {
            Body::Forbid(body) => rules::forbid(model, &origins, rule, body, &mut relied),
            Body::Limit(body) => rules::limit(model, &origins, rule, body, &mut relied),
            Body::Require(body) => require(model, rule, body),
        });
    }
    relied.extend(claims(model, &origins));
    relied.extend(denied(model, &origins));
    (findings, relied)
}

fn unsourced(model: &Model<'_>, origins: &Origins, rules: &[Judged<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (u, category) in &origins.pairs {
        let leaves = model.leaves_of(std::slice::from_ref(category));
        let would_break = |rule: &Forbid| {
            let chase = Chase::new(model, rule, *u);
            let each = leaves.iter();
            let items: Vec<Item> = each.map(|o: &Leaf| Item::start(*u, *o, true)).collect();
            !chase.source_matches() && chase.broken_by(&items)
        };
        // Only what can fail makes it more severe.
        let high = rules.iter().filter(|rule| can_fail(model.world, &rule.id)).any(|rule| match rule.body {
            Body::Forbid(body) => would_break(body),
            _ => false,
        });
        findings.push(Finding {
            rule: "flow/unsourced".to_owned(),
            kind: "flow".to_owned(),
            severity: if high { "high" } else { "medium" }.to_owned(),
            source: Some(model.systems[*u].name.clone()),
            subject: Some(category.clone()),
            data: model.leaf_names(leaves.iter().copied()),
            arrives_as: Some(model.leaf_names(leaves.iter().copied())),
            origins: model.origins_of([*u]),
            ..Finding::default()
        });
    }
    findings
}

/// `only_from` and `disposed`, where they leave something out.
fn claims(model: &Model<'_>, origins: &Origins) -> BTreeSet<Relied> {
    let held = model.held(origins);
    let mut relied = BTreeSet::new();
    for (e, flow) in model.flows.iter().enumerate() {
        let mut rely = |rule: &str| {
            relied.insert(Relied { rule: format!("flow/{rule}"), flow: flow.id.clone() });
        };
        if flow.left_out_as_disposed {
            rely("disposed");
        }
        if flow.left_out_as_expired {
            rely("retention");
        }
        if let Some(parties) = &flow.only_from
            && model.moves(e)
            && held.iter().any(|(at, item)| {
                model.leads(*at, e).is_some()
                    && flow.data.contains(&item.f)
                    && !item.assumed
                    && !parties.contains(&model.origin(item.s))
            })
        {
            rely("only_from");
        }
    }
    relied
}

/// Systems that derive something identifying of data that came to them transformed, and deny that this re-identifies.
fn denied(model: &Model<'_>, origins: &Origins) -> BTreeSet<Relied> {
    let flows: Vec<usize> = model.moving().collect();
    let start = model.starts(origins).into_iter().map(|item| (At::present(item.s), item, false));
    let held = spread(
        start,
        &flows,
        |(at, item, transformed)| {
            let made = model.made(at.system, item.f).into_iter();
            made.map(|(f, again)| (*at, Item { f, ..*item }, *transformed && !again)).collect()
        },
        |(at, item, transformed), e| {
            let transforms = model.flows[e].transform() != "none";
            model.take(*at, *item, e).map(|(at, item)| (at, item, *transformed || transforms))
        },
    );
    let mut relied = BTreeSet::new();
    for (at, item, _) in held.keys().filter(|(.., transformed)| *transformed) {
        let system = &model.systems[at.system];
        let mut denials = system.derives.iter().filter(|d| d.identifying && !d.reidentifies);
        if denials.any(|d| d.from.contains(&item.f)) {
            relied.insert(Relied { rule: "derives/reidentifies".to_owned(), flow: system.name.clone() });
        }
    }
    relied
}

fn waive(model: &Model<'_>, finding: &mut Finding) {
    let day = model.options.day;
    let matching: Vec<&Waiver> = model
        .world
        .waivers
        .iter()
        .filter(|w| w.approved_on.is_none_or(|from| from <= day))
        .filter(|w| w.expires.is_some_and(|until| until >= day))
        .filter(|w| matches(w, finding))
        .collect();
    let waived = matching.iter().any(|waiver| accepts(model, waiver, finding));
    finding.status = if waived { "waived" } else { "new" }.to_owned();
    finding.grown = !matching.is_empty() && !waived;
}

/// The most severe first.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// Whether one waiver accepts all of a finding: what it does not state it does not limit.
fn accepts(model: &Model<'_>, waiver: &Waiver, finding: &Finding) -> bool {
    let leaves = |keys: &[String]| -> BTreeSet<String> {
        keys.iter().flat_map(|key| model.data.leaves_of(key)).collect()
    };
    let rank = |severity: &str| SEVERITIES.iter().position(|s| *s == severity);
    let arrives_as = finding.arrives_as.clone().unwrap_or_default();
    (waiver.data.is_empty() || finding.data.is_subset(&leaves(&waiver.data)))
        && (waiver.arrives_as.is_empty() || arrives_as.is_subset(&leaves(&waiver.arrives_as)))
        && (waiver.agreements.is_empty()
            || finding.agreements.iter().all(|agreement| waiver.agreements.contains(agreement)))
        && (waiver.origins.is_empty() || finding.origins.iter().all(|party| waiver.origins.contains(party)))
        && waiver.severity.as_ref().is_none_or(|most| rank(most) <= rank(&finding.severity))
        && (waiver.prospective != Some(true) || finding.prospective)
}

fn matches(waiver: &Waiver, finding: &Finding) -> bool {
    let one = |pattern: &Option<String>, value: Option<&String>| match pattern {
        None => true,
        Some(pattern) => value.is_some_and(|value| glob(pattern, value)),
    };
    one(&waiver.rule, Some(&finding.rule))
        && one(&waiver.source, finding.source.as_ref())
        && one(&waiver.sink, finding.sink.as_ref())
        && one(&waiver.flow, finding.flow.as_ref())
        && one(&waiver.subject, finding.subject.as_ref())
}
