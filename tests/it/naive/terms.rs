//! The built-in checks: do the flows keep their own agreements?

use super::evaluate::{Finding, Relied};
use super::resolve::{Leaf, Model, consent_rank};
use super::taxonomy::{at_or_below, below_any};
use super::walk::{At, Item, Origins, follow, spread};
use super::world::{Duration, Terms};
use std::collections::{BTreeMap, BTreeSet};

/// The terms that follow the data.
pub const STICKY: [&str; 4] = ["purpose", "onward", "retention", "safeguards"];

/// Beyond so many sets of terms and senders findings are never folded.
const FOLDED: usize = 6;

/// Terms with whom the flow leaves: what an item is under.
type Class = (Terms, usize);

/// An item somewhere, with the classes of one agreement that it is under and
/// whether its walk has broken the term before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    at: At,
    item: Item,
    under: BTreeSet<usize>,
    /// The classes that it would be under if no flow had transformed it.
    released: BTreeSet<usize>,
    broken: bool,
}

/// One agreement and one of its terms.
pub struct Term<'m> {
    model: &'m Model<'m>,
    agreement: usize,
    check: &'static str,
    classes: Vec<Class>,
}

/// Whether all parties of an agreement are of one group.
fn within_a_group(model: &Model<'_>, agreement: usize) -> bool {
    let parties = model.world.agreements[agreement].parties.iter();
    parties.map(|p| model.group(model.party(p))).collect::<BTreeSet<usize>>().len() == 1
}

/// Whom a flow of an agreement leaves: a group, or where all parties are of one group, a party. The
/// providers of a processing agreement are home alike: the first of them stands for all.
fn sender(model: &Model<'_>, agreement: usize, from: usize) -> usize {
    let within = within_a_group(model, agreement);
    let place = |party: usize| if within { party } else { model.group(party) };
    let sender = place(model.owner(from));
    if model.kind(agreement) != "processing" {
        return sender;
    }
    let providers: BTreeSet<usize> = model.providers(agreement).into_iter().map(place).collect();
    if providers.contains(&sender) { *providers.first().expect("one of them") } else { sender }
}

/// What a crossing does.
pub struct Crossing {
    pub then: Bound,
    pub breaks: bool,
    released: bool,
    /// Only an `onward_to` or a permission to pass data on kept the flow from breaking them.
    saved: bool,
}

impl<'m> Term<'m> {
    pub fn new(model: &'m Model<'m>, agreement: usize, check: &'static str) -> Term<'m> {
        let own = model.moving().filter(|e| model.flows[*e].agreement == Some(agreement));
        let classes: BTreeSet<Class> = own
            .map(|e| {
                let flow = &model.flows[e];
                (flow.terms.clone(), sender(model, agreement, flow.from))
            })
            .collect();
        Term { model, agreement, check, classes: classes.into_iter().collect() }
    }

    /// What is held where under the agreement's terms: the origin, whether it is assumed, the place, the leaf there.
    pub fn held(&self, origins: &Origins) -> BTreeSet<(usize, bool, usize, Leaf)> {
        let flows: Vec<usize> = self.model.moving().collect();
        let cross = |state: &Bound, e| self.cross(state, e).map(|crossing| crossing.then);
        let states = spread(self.start(origins), &flows, |state| self.derive(state), cross).into_keys();
        let bound = states.filter(|state| state.at.gone.is_none() && !state.under.is_empty());
        bound.map(|state| (state.item.s, state.item.assumed, state.at.system, state.item.f)).collect()
    }

    fn start(&self, origins: &Origins) -> Vec<Bound> {
        let starts = self.model.starts(origins).into_iter();
        starts
            .map(|item| Bound {
                at: At::present(item.s),
                item: Item { k: 0, ..item },
                under: BTreeSet::new(),
                released: BTreeSet::new(),
                broken: false,
            })
            .collect()
    }

    fn derive(&self, state: &Bound) -> Vec<Bound> {
        let made = self.model.made(state.at.system, state.item.f).into_iter();
        made.map(|(f, reidentified)| {
            let mut made = Bound { item: Item { f, ..state.item }, ..state.clone() };
            if reidentified {
                made.under.append(&mut made.released);
            }
            made
        })
        .collect()
    }

    /// Crosses `e`: the flow is checked against all that the item is then
    /// under, unless it brings it home.
    pub fn cross(&self, state: &Bound, e: usize) -> Option<Crossing> {
        let model = self.model;
        let flow = &model.flows[e];
        let (at, item) = model.take(state.at, state.item, e)?;
        let mut under = state.under.clone();
        if flow.agreement == Some(self.agreement) {
            let class = (flow.terms.clone(), sender(model, self.agreement, flow.from));
            let index = self.classes.iter().position(|c| *c == class);
            under.insert(index.expect("a class of the agreement"));
        }
        let mut crossing = Crossing {
            then: Bound {
                at,
                item: Item { k: 0, ..item },
                under: BTreeSet::new(),
                released: BTreeSet::new(),
                broken: state.broken,
            },
            breaks: false,
            released: false,
            saved: false,
        };
        let home = |class: usize| self.home(flow.to, self.classes[class].1, model.origin(item.s));
        crossing.then.released =
            state.released.iter().copied().filter(|class| !under.contains(class) && !home(*class)).collect();
        for class in under {
            let (terms, sender) = &self.classes[class];
            if self.home(flow.to, *sender, model.origin(item.s)) {
                continue;
            }
            // Transformed before it leaves: this flow is not checked any more.
            if released(terms, flow.transform()) {
                crossing.released = true;
                crossing.then.released.insert(class);
                continue;
            }
            // What is disposed is checked for nothing itself.
            let (breaks, saved) = if flow.counts { self.breaks(terms, e, item.f) } else { (false, false) };
            crossing.breaks |= breaks;
            crossing.saved |= saved;
            crossing.then.under.insert(class);
        }
        crossing.then.broken |= crossing.breaks;
        Some(crossing)
    }

    /// Whether a system is home to data that came under the terms from a sender.
    fn home(&self, at: usize, sender: usize, origin: usize) -> bool {
        let model = self.model;
        let mut homes = vec![sender, origin];
        if model.kind(self.agreement) == "processing" {
            homes.extend(model.providers(self.agreement));
        }
        if within_a_group(model, self.agreement) {
            homes.contains(&model.owner(at))
        } else {
            homes.iter().any(|party| model.group(*party) == model.group_of(at))
        }
    }

    /// The purposes of a processing agreement's own flows that leave a provider.
    fn implied(&self) -> Option<Vec<String>> {
        let model = self.model;
        if model.kind(self.agreement) != "processing" {
            return None;
        }
        let own = model.flows.iter().filter(|f| f.agreement == Some(self.agreement));
        let leaving = own.filter(|f| {
            let (sender, receiver) = (model.owner(f.from), model.owner(f.to));
            sender != receiver && model.providers(self.agreement).contains(&sender)
        });
        Some(leaving.flat_map(|f| f.purposes.clone()).collect())
    }

    /// Whether `e`, carrying the current leaf `f`, breaks the term; and whether
    /// only an `onward_to` or `onward_transfer: permitted` kept it from it.
    fn breaks(&self, terms: &Terms, e: usize, f: Leaf) -> (bool, bool) {
        let model = self.model;
        let flow = &model.flows[e];
        match self.check {
            "purpose" => {
                let receiver = &model.systems[flow.to].declared.purposes;
                let permitted = terms.purposes.clone().or_else(|| self.implied());
                let outside = permitted.is_some_and(|allowed| {
                    let related = |p: &String| allowed.iter().any(|q| at_or_below(p, q) || at_or_below(q, p));
                    flow.purposes.iter().any(|p| !below_any(p, &allowed))
                        || !receiver.is_empty() && !receiver.iter().any(related)
                });
                let prohibited = flow.purposes.iter().chain(receiver).any(|p| {
                    let mut named = terms.prohibited_purposes.iter();
                    named.any(|q| at_or_below(p, q) || at_or_below(q, p))
                });
                (outside || prohibited, false)
            }
            "onward" => self.breaks_onward(terms, e, f),
            "retention" => {
                let broken = match terms.retention.as_ref().and_then(Duration::hours) {
                    None => false,
                    Some(most) => match flow.retention.as_ref().and_then(Duration::hours) {
                        None => true,
                        Some(hours) => hours > most,
                    },
                };
                (broken, false)
            }
            "safeguards" => {
                let mut wanted = terms.safeguards.iter();
                (wanted.any(|s| !flow.written.safeguards.contains(s)), false)
            }
            other => panic!("no check {other}"),
        }
    }

    fn breaks_onward(&self, terms: &Terms, e: usize, f: Leaf) -> (bool, bool) {
        let model = self.model;
        let flow = &model.flows[e];
        let receiver = model.owner(flow.to);
        if flow.agreement == Some(self.agreement)
            || !model.crosses_parties(e)
            || model.is_party_to(receiver, self.agreement)
        {
            return (false, false);
        }
        let to_processor = model.processed(e, model.owner(flow.from), receiver);
        let parties = &model.world.agreements[self.agreement].parties;
        let in_group = parties.iter().any(|p| model.group(model.party(p)) == model.group(receiver));
        let breaks = match terms.onward_transfer.as_deref().unwrap_or("prohibited") {
            "prohibited" => true,
            "processors" => !to_processor,
            "affiliates" => !to_processor && !in_group,
            "permitted" => false,
            other => panic!("no onward transfer {other}"),
        };
        let allowed_besides = terms.onward_to.iter().any(|to| {
            to.party == model.world.parties[receiver].id
                && (to.data.is_empty() || below_any(&model.leaves[f], &to.data))
                && (to.purposes.is_empty() || flow.purposes.iter().all(|p| below_any(p, &to.purposes)))
        });
        let permitted = terms.onward_transfer.as_deref() == Some("permitted");
        (breaks && !allowed_besides, breaks && allowed_besides || permitted)
    }

    /// Whether a walk over exactly these flows ends with one that breaks the
    /// term.
    pub fn proves(&self, origins: &Origins, path: &[usize]) -> bool {
        let Some((last, before)) = path.split_last() else {
            return false;
        };
        follow(self.start(origins), before, |s| self.derive(s), |s, e| self.cross(s, e).map(|c| c.then))
            .iter()
            .any(|s| self.cross(s, *last).is_some_and(|c| c.breaks))
    }
}

fn released(terms: &Terms, transform: &str) -> bool {
    match &terms.released_by {
        Some(transforms) => transforms.iter().any(|t| t == transform),
        None => transform == "anonymised",
    }
}

/// What breaks one term of one agreement at one flow.
#[derive(Debug, Default)]
struct Break {
    origins: BTreeSet<Leaf>,
    arrived: BTreeSet<Leaf>,
    starts: BTreeSet<usize>,
    shortest: Option<usize>,
    /// Some walk breaks the term for the first time here.
    first: bool,
}

/// The findings of the sticky terms, and what they rest on.
pub fn sticky(model: &Model<'_>, origins: &Origins) -> (Vec<Finding>, BTreeSet<Relied>) {
    let mut findings = Vec::new();
    let mut relied = BTreeSet::new();
    let moving: Vec<usize> = model.moving().collect();
    for check in STICKY {
        let mut broken: BTreeMap<usize, BTreeMap<String, Break>> = BTreeMap::new();
        for (a, agreement) in model.world.agreements.iter().enumerate() {
            let term = Term::new(model, a, check);
            if term.classes.is_empty() {
                continue;
            }
            let states = spread(
                term.start(origins),
                &moving,
                |s| term.derive(s),
                |s, e| term.cross(s, e).map(|c| c.then),
            );
            for (state, length) in &states {
                for e in &moving {
                    let Some(crossing) = term.cross(state, *e) else {
                        continue;
                    };
                    let mut rely = |term: &str| {
                        relied.insert(Relied {
                            rule: format!("terms/{term}"),
                            flow: model.flows[*e].id.clone(),
                        });
                    };
                    if crossing.released {
                        rely("released_by");
                    }
                    if crossing.saved {
                        rely("onward");
                    }
                    if crossing.breaks {
                        let at = broken.entry(*e).or_default();
                        let at = at.entry(agreement.id.clone()).or_default();
                        at.origins.insert(state.item.o);
                        at.arrived.insert(state.item.f);
                        at.starts.insert(state.item.s);
                        at.first |= !state.broken || term.classes.len() > FOLDED;
                        let length = length + 1;
                        at.shortest = Some(at.shortest.map_or(length, |l| l.min(length)));
                    }
                }
            }
        }
        for (e, by_agreement) in broken {
            let breaks = || by_agreement.values();
            findings.push(Finding {
                severity: match check {
                    "purpose" | "onward" => "high",
                    _ => "medium",
                }
                .to_owned(),
                data: model.leaf_names(breaks().flat_map(|b| b.origins.iter().copied())),
                arrives_as: Some(model.leaf_names(breaks().flat_map(|b| b.arrived.iter().copied()))),
                origins: model.origins_of(breaks().flat_map(|b| b.starts.iter().copied())),
                agreements: by_agreement.keys().cloned().collect(),
                witnesses: breaks().filter_map(|b| b.shortest).take(20).collect(),
                consequent: breaks().all(|b| !b.first),
                ..at_flow(model, &format!("terms/{check}"), e)
            });
        }
    }
    (findings, relied)
}

fn at_flow(model: &Model<'_>, rule: &str, e: usize) -> Finding {
    let flow = &model.flows[e];
    let (kind, _) = rule.split_once('/').expect("a built-in rule");
    Finding {
        rule: rule.to_owned(),
        kind: kind.to_owned(),
        source: Some(model.systems[flow.from].name.clone()),
        sink: Some(model.systems[flow.to].name.clone()),
        flow: Some(flow.id.clone()),
        ..Finding::default()
    }
}

/// The findings that look at a flow alone.
pub fn alone(model: &Model<'_>, origins: &Origins) -> Vec<Finding> {
    let counting: Vec<usize> = model.counting().collect();
    let moving: Vec<usize> = model.moving().collect();
    // The fewest flows to each place an item is held at.
    let reached = spread(
        model.starts(origins).into_iter().map(|i| (At::present(i.s), i)),
        &moving,
        |(at, item)| {
            let made = model.derived(at.system, item.f).into_iter();
            made.map(|f| (*at, Item { f, ..*item })).collect()
        },
        |(at, item), e| model.take(*at, *item, e),
    );
    let carried_by = |e: usize| -> Vec<(Item, usize)> {
        reached
            .iter()
            .filter(|((at, item), _)| model.take(*at, *item, e).is_some())
            .map(|((_, item), length)| (*item, length + 1))
            .collect()
    };
    let mut findings = Vec::new();
    for (a, agreement) in model.world.agreements.iter().enumerate() {
        let leaves_group =
            |e: &usize| model.group_of(model.flows[*e].from) != model.group_of(model.flows[*e].to);
        let own: Vec<usize> =
            counting.iter().copied().filter(|e| model.flows[*e].agreement == Some(a)).collect();
        let outside: Vec<usize> = own.into_iter().filter(leaves_group).collect();
        if !model.ended(a, model.options.day) || outside.is_empty() {
            continue;
        }
        let carried: Vec<(Item, usize)> = outside.into_iter().flat_map(carried_by).collect();
        findings.push(Finding {
            rule: "agreement/ended".to_owned(),
            kind: "flow".to_owned(),
            severity: "medium".to_owned(),
            subject: Some(agreement.id.clone()),
            data: model.leaf_names(carried.iter().map(|(item, _)| item.o)),
            arrives_as: Some(model.leaf_names(carried.iter().map(|(item, _)| item.f))),
            origins: model.origins_of(carried.iter().map(|(item, _)| item.s)),
            witnesses: carried.iter().map(|(_, l)| *l).min().into_iter().collect(),
            agreements: vec![agreement.id.clone()],
            ..Finding::default()
        });
    }
    for e in counting {
        let flow = &model.flows[e];
        let carried = carried_by(e);
        let mut add = |rule: &str, severity: &str, agreements: Vec<String>| {
            findings.push(Finding {
                severity: severity.to_owned(),
                data: model.leaf_names(carried.iter().map(|(item, _)| item.o)),
                arrives_as: Some(model.leaf_names(carried.iter().map(|(item, _)| item.f))),
                origins: model.origins_of(carried.iter().map(|(item, _)| item.s)),
                witnesses: carried.iter().map(|(_, l)| *l).min().into_iter().collect(),
                agreements,
                ..at_flow(model, rule, e)
            });
        };
        match flow.agreement {
            None if model.crosses_parties(e) => add("flow/undocumented", "high", Vec::new()),
            None => {}
            Some(a) => {
                let id = &model.world.agreements[a].id;
                let least = flow.terms.consent.as_deref().unwrap_or("none");
                if consent_rank(flow.consent()) < consent_rank(least) {
                    add("terms/consent", "high", vec![id.clone()]);
                }
                if !model.is_party_to(model.owner(flow.from), a)
                    || !model.is_party_to(model.owner(flow.to), a)
                {
                    add("flow/foreign-party", "high", vec![id.clone()]);
                }
            }
        }
    }
    findings
}
