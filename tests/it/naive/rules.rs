//! The rules that follow data: `forbid` and `limit`.

use super::evaluate::{Finding, Relied};
use super::matching::{Arrival, Place, Reading};
use super::resolve::{Leaf, Model};
use super::walk::{At, Item, Origins, follow, spread};
use super::world::{Body, Forbid, Limit, PlaceMatcher};
use std::collections::{BTreeMap, BTreeSet};

/// A rule in force, whoever states it.
pub struct Judged<'w> {
    /// `house/no-ads`, `statement/not-for-ads`.
    pub id: String,
    pub kind: &'static str,
    pub severity: String,
    pub body: &'w Body,
}

/// A walk on the way to breaking a `forbid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chased {
    pub at: At,
    item: Item,
    /// Its leaf on arrival here, before derivations.
    arrived: Leaf,
    /// It is of the rule's data.
    of_data: bool,
    /// It arrived here in a way that the rule forbids such data to.
    forbidden: bool,
    /// Its walk is exempt for what a flow did to it.
    exempt: bool,
    /// It arrived here in a way that the rule forbids but for what a flow did to it.
    spared: bool,
    /// The walk breaks the rule at this arrival, whatever the item is turned into here.
    breaking: bool,
    /// The walk has broken the rule at an earlier arrival.
    broken: bool,
}

impl Chased {
    fn breaks(&self) -> bool {
        self.forbidden && self.of_data
    }
}

pub struct Chase<'m> {
    pub model: &'m Model<'m>,
    pub rule: &'m Forbid,
    data: BTreeSet<Leaf>,
    s: usize,
}

impl<'m> Chase<'m> {
    pub fn new(model: &'m Model<'m>, rule: &'m Forbid, s: usize) -> Chase<'m> {
        let data = if rule.data.is_empty() {
            (0..model.leaves.len()).collect()
        } else {
            model.leaves_of(&rule.data)
        };
        Chase { model, rule, data, s }
    }

    pub fn source_matches(&self) -> bool {
        // Party, role and jurisdiction are the controller's, all else the system's.
        let place = Place { party: self.model.origin(self.s), system: Some(self.s), arrival: None };
        self.rule.from.is_empty() || self.model.place(&self.rule.from, place, Reading::More)
    }

    fn to_matches(&self, v: usize, flow: Option<usize>, k: u8) -> bool {
        let place = Place {
            party: self.model.owner(v),
            system: Some(v),
            arrival: Some(Arrival { flow, relation: self.model.relation(v, self.s, k) }),
        };
        self.rule.to.is_empty() || self.model.place(&self.rule.to, place, Reading::More)
    }

    fn through(&self, e: usize) -> bool {
        let through = &self.rule.unless.through;
        self.model.flow_matches(through, e, Reading::Less)
    }

    fn arriving(&self, e: usize) -> bool {
        let arriving = &self.rule.unless.arriving;
        self.model.flow_matches(arriving, e, Reading::Less)
    }

    fn start(&self, items: &[Item]) -> Vec<Chased> {
        items
            .iter()
            .map(|item| Chased {
                at: At::present(self.s),
                item: *item,
                arrived: item.o,
                of_data: self.data.contains(&item.o),
                // (s, s) with the walk of no flows.
                forbidden: self.to_matches(self.s, None, 0),
                exempt: false,
                spared: false,
                breaking: false,
                broken: false,
            })
            // The start of a declared origin is no arrival that others are consequent upon.
            .map(|state| if state.item.assumed { self.judged(state) } else { state })
            .collect()
    }

    fn derive(&self, state: &Chased) -> Vec<Chased> {
        let made = self.model.made(state.at.system, state.item.f).into_iter();
        made.map(|(f, reidentified)| Chased {
            item: Item { f, ..state.item },
            of_data: state.of_data || self.data.contains(&f),
            // As if no flow before had transformed it.
            forbidden: state.forbidden || reidentified && state.spared,
            exempt: state.exempt && !reidentified,
            spared: state.spared && !reidentified,
            ..*state
        })
        .collect()
    }

    /// Crosses `e`, whether or not it matches `through`.
    fn take(&self, state: &Chased, e: usize) -> Option<Chased> {
        let (at, item) = self.model.take(state.at, state.item, e)?;
        let unless = &self.rule.unless;
        let by_transform = |list| self.model.by_transform(list, e, Reading::Less);
        let arrives = at.gone.is_none() && self.to_matches(at.system, Some(e), item.k);
        let exempt = state.exempt || by_transform(&unless.through);
        let transformed = exempt || by_transform(&unless.arriving);
        let lasting = self.arriving(e) && !by_transform(&unless.arriving);
        let arrival = Chased {
            at,
            item,
            arrived: item.f,
            of_data: state.of_data,
            forbidden: arrives && !lasting && !transformed,
            exempt,
            spared: arrives && !lasting && transformed,
            breaking: false,
            broken: state.broken || state.breaking,
        };
        Some(self.judged(arrival))
    }

    fn judged(&self, arrival: Chased) -> Chased {
        let all = spread([arrival], &[], |s| self.derive(s), |_, _| None);
        Chased { breaking: all.keys().any(Chased::breaks), ..arrival }
    }

    fn cross(&self, state: &Chased, e: usize) -> Option<Chased> {
        if self.through(e) && !self.model.by_transform(&self.rule.unless.through, e, Reading::Less) {
            return None;
        }
        self.take(state, e)
    }

    /// All walks of these items over flows that `through` does not match.
    pub fn walks(&self, items: &[Item]) -> BTreeMap<Chased, usize> {
        let flows: Vec<usize> = self.model.moving().collect();
        spread(self.start(items), &flows, |s| self.derive(s), |s, e| self.cross(s, e))
    }

    /// Whether any of these items breaks the rule anywhere.
    pub fn broken_by(&self, items: &[Item]) -> bool {
        self.walks(items).keys().any(Chased::breaks)
    }

    /// Whether a walk over exactly these flows proves a finding at `v`.
    pub fn proves(&self, items: &[Item], path: &[usize], v: usize) -> bool {
        follow(self.start(items), path, |s| self.derive(s), |s, e| self.cross(s, e))
            .iter()
            .any(|s| s.at.is(v) && s.breaks())
    }

    /// Whether an item arriving is of the rule's data, derivations at the
    /// receiver included.
    fn arrives_of_data(&self, arrival: Chased) -> bool {
        spread([arrival], &[], |s| self.derive(s), |_, _| None).keys().any(|s| s.of_data)
    }

    /// Whether what a flow's receiver is to an item, or how far the item gets by it, rests on who says to be whose
    /// affiliate or processor.
    fn placed_by_claim(&self, e: usize, s: usize) -> bool {
        let model = self.model;
        let (u, v) = (model.flows[e].from, model.flows[e].to);
        let (sender, receiver) = (model.owner(u), model.owner(v));
        if model.group_of(v) == model.group(model.origin(s)) {
            return receiver != model.origin(s);
        }
        if model.group_of(u) == model.group_of(v) {
            return sender != receiver;
        }
        model.processed(e, sender, receiver) || model.processed(e, receiver, sender)
    }

    /// The flows whose claims keep these walks from being findings.
    fn relied(&self, walks: &BTreeMap<Chased, usize>) -> BTreeSet<usize> {
        let mut relied = BTreeSet::new();
        for state in walks.keys() {
            for e in self.model.moving() {
                let Some(arrival) = self.take(state, e) else {
                    continue;
                };
                let to = || {
                    arrival.at.gone.is_none() && self.to_matches(arrival.at.system, Some(e), arrival.item.k)
                };
                let kept_away = match state.exempt {
                    false => self.through(e) || self.arriving(e) && to(),
                    // Exempt already; a claim about anything but a transform outlasts re-identification.
                    true => {
                        self.model.reidentifies()
                            && self.through(e)
                            && !self.model.by_transform(&self.rule.unless.through, e, Reading::Less)
                    }
                };
                let asks = self.rule.to.iter().any(asks_relation);
                let placed =
                    asks && !state.exempt && !self.through(e) && self.placed_by_claim(e, state.item.s);
                if (kept_away || placed) && self.arrives_of_data(arrival) {
                    relied.insert(e);
                }
            }
        }
        relied
    }
}

/// Whether a matcher of places asks for the relation anywhere.
fn asks_relation(matcher: &PlaceMatcher) -> bool {
    !matcher.relation.is_empty() || matcher.not.iter().chain(&matcher.any).any(asks_relation)
}

/// A finding of a rule, so far without anything found.
pub fn finding(rule: &Judged<'_>) -> Finding {
    Finding {
        rule: rule.id.clone(),
        kind: rule.kind.to_owned(),
        severity: rule.severity.clone(),
        ..Finding::default()
    }
}

fn rely(relied: &mut BTreeSet<Relied>, model: &Model<'_>, rule: &Judged<'_>, e: usize) {
    relied.insert(Relied { rule: rule.id.clone(), flow: model.flows[e].id.clone() });
}

#[derive(Default)]
struct Proof {
    origins: BTreeSet<Leaf>,
    arrived: BTreeSet<Leaf>,
    shortest: Option<usize>,
    first: bool,
}

pub fn forbid(
    model: &Model<'_>,
    origins: &Origins,
    judged: &Judged<'_>,
    rule: &Forbid,
    relied: &mut BTreeSet<Relied>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for s in 0..model.systems.len() {
        let chase = Chase::new(model, rule, s);
        if !chase.source_matches() {
            continue;
        }
        let walks = chase.walks(&model.starts_at(s, origins));
        let mut proofs: BTreeMap<usize, Proof> = BTreeMap::new();
        for (state, length) in &walks {
            if state.breaks() {
                let proof = proofs.entry(state.at.system).or_default();
                proof.origins.insert(state.item.o);
                proof.arrived.insert(state.arrived);
                proof.shortest = Some(proof.shortest.map_or(*length, |l| l.min(*length)));
                proof.first |= !state.broken;
            }
        }
        for (v, proof) in proofs {
            findings.push(Finding {
                source: Some(model.systems[s].name.clone()),
                sink: Some(model.systems[v].name.clone()),
                data: model.leaf_names(proof.origins),
                arrives_as: Some(model.leaf_names(proof.arrived)),
                origins: model.origins_of([s]),
                witnesses: proof.shortest.into_iter().collect(),
                consequent: !proof.first,
                ..finding(judged)
            });
        }
        for e in chase.relied(&walks) {
            rely(relied, model, judged, e);
        }
    }
    findings
}

/// An item on a walk, with the categories of a `limit` that it is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gathered {
    pub at: At,
    pub item: Item,
    pub of: BTreeSet<usize>,
    /// Its walk is exempt for what a flow did to it.
    pub exempt: bool,
}

pub struct Gathering<'m> {
    model: &'m Model<'m>,
    rule: &'m Limit,
    /// The leaves of each category of `together`, or of `data`.
    categories: Vec<BTreeSet<Leaf>>,
}

impl<'m> Gathering<'m> {
    pub fn new(model: &'m Model<'m>, rule: &'m Limit) -> Gathering<'m> {
        let categories = if rule.together.of().is_empty() {
            vec![model.leaves_of(&rule.data)]
        } else {
            let each = rule.together.of().iter();
            each.map(|c| model.leaves_of(std::slice::from_ref(c))).collect()
        };
        Gathering { model, rule, categories }
    }

    fn of(&self, leaf: Leaf) -> BTreeSet<usize> {
        (0..self.categories.len()).filter(|c| self.categories[*c].contains(&leaf)).collect()
    }

    fn start(&self, origins: &Origins) -> Vec<Gathered> {
        let starts = self.model.starts(origins).into_iter();
        starts
            .map(|item| Gathered { at: At::present(item.s), item, of: self.of(item.o), exempt: false })
            .collect()
    }

    fn derive(&self, state: &Gathered) -> Vec<Gathered> {
        let made = self.model.made(state.at.system, state.item.f).into_iter();
        made.map(|(f, reidentified)| Gathered {
            item: Item { f, ..state.item },
            of: &state.of | &self.of(f),
            exempt: state.exempt && !reidentified,
            ..state.clone()
        })
        .collect()
    }

    fn through(&self, e: usize) -> bool {
        let through = &self.rule.unless.through;
        self.model.flow_matches(through, e, Reading::Less)
    }

    fn take(&self, state: &Gathered, e: usize) -> Option<Gathered> {
        let (at, item) = self.model.take(state.at, state.item, e)?;
        Some(Gathered { at, item, of: state.of.clone(), exempt: state.exempt || self.by_transform(e) })
    }

    fn by_transform(&self, e: usize) -> bool {
        self.model.by_transform(&self.rule.unless.through, e, Reading::Less)
    }

    fn cross(&self, state: &Gathered, e: usize) -> Option<Gathered> {
        if self.through(e) && !self.by_transform(e) {
            return None;
        }
        self.take(state, e)
    }

    fn walks(&self, origins: &Origins) -> BTreeMap<Gathered, usize> {
        let flows: Vec<usize> = self.model.moving().collect();
        spread(self.start(origins), &flows, |s| self.derive(s), |s, e| self.cross(s, e))
    }

    /// The categories that are held at a place, in order.
    pub fn present(&self, origins: &Origins, in_place: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let walks = self.walks(origins);
        let here = |c: &usize| {
            walks
                .keys()
                .any(|g| g.at.gone.is_none() && !g.exempt && in_place(g.at.system) && g.of.contains(c))
        };
        (0..self.categories.len()).filter(here).collect()
    }

    /// The items that a walk from `s` over exactly these flows may bring.
    pub fn brought(&self, origins: &Origins, s: usize, path: &[usize]) -> BTreeSet<Gathered> {
        follow(
            self.start(origins).into_iter().filter(|g| g.at.is(s)),
            path,
            |s| self.derive(s),
            |s, e| self.cross(s, e),
        )
    }

    /// The places that the rule is about: the systems of each, by name.
    fn places(&self) -> Vec<(Place, Vec<usize>)> {
        let model = self.model;
        // As an arrival of which no flow is known: a purpose named may be below the system's.
        let arrival = Some(Arrival { flow: None, relation: "none" });
        let at = |system: usize| Place { party: model.owner(system), system: Some(system), arrival };
        let holds = |system: usize| model.place(&self.rule.at, at(system), Reading::More);
        let alone = |party: usize| {
            let place = Place { party, system: None, arrival: None };
            !(0..model.systems.len()).any(|s| model.owner(s) == party)
                && model.place(&self.rule.at, place, Reading::More)
        };
        if self.rule.scope.as_deref() == Some("group") {
            let tops = (0..model.world.parties.len()).filter(|party| model.group(*party) == *party);
            let groups = tops.map(|party| {
                let systems: Vec<usize> =
                    (0..model.systems.len()).filter(|s| model.group_of(*s) == party).collect();
                (Place { party, system: None, arrival: None }, systems)
            });
            let matches = |place: &Place, systems: &[usize]| {
                let mut members = (0..model.world.parties.len()).filter(|p| model.group(*p) == place.party);
                systems.iter().any(|s| holds(*s)) || members.any(alone)
            };
            groups.filter(|(place, systems)| matches(place, systems)).collect()
        } else if self.rule.scope.as_deref() == Some("party") {
            let parties = (0..model.world.parties.len()).map(|party| {
                let of_party = |s: &usize| model.owner(*s) == party;
                let systems: Vec<usize> = (0..model.systems.len()).filter(of_party).collect();
                let place = Place { party, system: None, arrival: None };
                (place, systems)
            });
            parties.filter(|(_, systems)| systems.iter().any(|s| holds(*s))).collect()
        } else {
            let systems = (0..model.systems.len()).filter(|s| holds(*s));
            systems.map(|s| (at(s), vec![s])).collect()
        }
    }
}

pub fn limit(
    model: &Model<'_>,
    origins: &Origins,
    judged: &Judged<'_>,
    rule: &Limit,
    relied: &mut BTreeSet<Relied>,
) -> Vec<Finding> {
    let gathering = Gathering::new(model, rule);
    let walks = gathering.walks(origins);
    for state in walks.keys() {
        for e in model.moving().filter(|e| gathering.through(*e)) {
            if state.exempt && (gathering.by_transform(e) || !model.reidentifies()) {
                continue;
            }
            let Some(arrival) = gathering.take(state, e) else {
                continue;
            };
            let after = spread([arrival], &[], |s| gathering.derive(s), |_, _| None);
            if after.keys().any(|s| !s.of.is_empty()) {
                rely(relied, model, judged, e);
            }
        }
    }
    let mut findings = Vec::new();
    for (place, systems) in gathering.places() {
        let counted: Vec<(&Gathered, usize)> = walks
            .iter()
            .filter(|(g, _)| systems.iter().any(|s| g.at.is(*s)) && !g.of.is_empty() && !g.exempt)
            .map(|(g, length)| (g, *length))
            .collect();
        let shortest = |wanted: &dyn Fn(&Gathered) -> bool| {
            let lengths = counted.iter().filter(|(g, _)| wanted(g));
            lengths.map(|(_, length)| *length).min()
        };
        let witnesses: Vec<usize> = match rule.origins_at_most {
            None => {
                let each: Vec<Option<usize>> =
                    (0..gathering.categories.len()).map(|c| shortest(&|g| g.of.contains(&c))).collect();
                if each.iter().flatten().count() < rule.together.at_least() {
                    continue;
                }
                each.into_iter().flatten().collect()
            }
            Some(most) => {
                let whose = |g: &Gathered| &*model.world.parties[model.origin(g.item.s)].id;
                let parties: BTreeSet<&str> = counted.iter().map(|(g, _)| whose(g)).collect();
                if parties.len() <= most {
                    continue;
                }
                parties.into_iter().filter_map(|p| shortest(&|g| whose(g) == p)).collect()
            }
        };
        let name = match place.system {
            Some(system) => model.systems[system].name.clone(),
            None => model.world.parties[place.party].id.clone(),
        };
        findings.push(Finding {
            sink: Some(name.clone()),
            subject: Some(name),
            data: model.leaf_names(counted.iter().map(|(g, _)| g.item.o)),
            origins: model.origins_of(counted.iter().map(|(g, _)| g.item.s)),
            witnesses,
            ..finding(judged)
        });
    }
    findings
}
