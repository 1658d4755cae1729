//! The rules of policies and promises: `forbid`, `limit`, `require`.

use super::evaluate::{Finding, Relied};
use super::matching::{Arrival, Place, Reading};
use super::resolve::{Leaf, Model, consent_rank};
use super::taxonomy::at_or_below;
use super::walk::{Item, Origins, follow, spread};
use super::world::{Body, Duration, Filter, Forbid, Limit, Operators, Require};
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
    pub at: usize,
    item: Item,
    /// Its leaf on arrival here, before derivations.
    arrived: Leaf,
    /// It is of the rule's data.
    of_data: bool,
    /// It arrived here in a way that the rule forbids such data to.
    forbidden: bool,
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
        Chase {
            model,
            rule,
            data,
            s,
        }
    }

    pub fn source_matches(&self) -> bool {
        let place = Place {
            party: self.model.owner(self.s),
            system: Some(self.s),
            arrival: None,
        };
        self.rule.from.is_empty() || self.model.place(&self.rule.from, place, Reading::More)
    }

    fn to_matches(&self, v: usize, flow: Option<usize>, k: u8) -> bool {
        let place = Place {
            party: self.model.owner(v),
            system: Some(v),
            arrival: Some(Arrival {
                flow,
                relation: self.model.relation(v, self.s, k),
            }),
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
                at: self.s,
                item: *item,
                arrived: item.o,
                of_data: self.data.contains(&item.o),
                // (u, u) for an assumed origin: the walk of no flows.
                forbidden: item.assumed && self.to_matches(self.s, None, 0),
                broken: false,
            })
            .collect()
    }

    fn derive(&self, state: &Chased) -> Vec<Chased> {
        let made = self.model.derived(state.at, state.item.f).into_iter();
        made.map(|f| Chased {
            item: Item { f, ..state.item },
            of_data: state.of_data || self.data.contains(&f),
            ..*state
        })
        .collect()
    }

    /// Crosses `e`, whether or not it matches `through`.
    fn take(&self, state: &Chased, e: usize) -> Option<Chased> {
        let flow = &self.model.flows[e];
        if flow.from != state.at {
            return None;
        }
        let item = self.model.carry(e, state.item)?;
        let v = flow.to;
        Some(Chased {
            at: v,
            item,
            arrived: item.f,
            of_data: state.of_data,
            forbidden: v != self.s && self.to_matches(v, Some(e), item.k) && !self.arriving(e),
            broken: state.broken || state.breaks(),
        })
    }

    fn cross(&self, state: &Chased, e: usize) -> Option<Chased> {
        if self.through(e) {
            return None;
        }
        self.take(state, e)
    }

    /// All walks of these items over flows that `through` does not match.
    pub fn walks(&self, items: &[Item]) -> BTreeMap<Chased, usize> {
        let flows: Vec<usize> = self.model.counting().collect();
        spread(
            self.start(items),
            &flows,
            |s| self.derive(s),
            |s, e| self.cross(s, e),
        )
    }

    /// Whether any of these items breaks the rule anywhere.
    pub fn broken_by(&self, items: &[Item]) -> bool {
        self.walks(items).keys().any(Chased::breaks)
    }

    /// Whether a walk over exactly these flows proves a finding at `v`.
    pub fn proves(&self, items: &[Item], path: &[usize], v: usize) -> bool {
        follow(
            self.start(items),
            path,
            |s| self.derive(s),
            |s, e| self.cross(s, e),
        )
        .iter()
        .any(|s| s.at == v && s.breaks())
    }

    /// Whether an item arriving is of the rule's data, derivations at the
    /// receiver included.
    fn arrives_of_data(&self, arrival: Chased) -> bool {
        spread([arrival], &[], |s| self.derive(s), |_, _| None)
            .keys()
            .any(|s| s.of_data)
    }

    /// The flows whose claims keep these walks from being findings.
    fn relied(&self, walks: &BTreeMap<Chased, usize>) -> BTreeSet<usize> {
        let mut relied = BTreeSet::new();
        for state in walks.keys() {
            for e in self.model.counting() {
                let Some(arrival) = self.take(state, e) else {
                    continue;
                };
                let kept_away = if self.through(e) {
                    true
                } else {
                    self.arriving(e)
                        && arrival.at != self.s
                        && self.to_matches(arrival.at, Some(e), arrival.item.k)
                };
                if kept_away && self.arrives_of_data(arrival) {
                    relied.insert(e);
                }
            }
        }
        relied
    }
}

fn finding(rule: &Judged<'_>) -> Finding {
    Finding {
        rule: rule.id.clone(),
        kind: rule.kind.to_owned(),
        severity: rule.severity.clone(),
        ..Finding::default()
    }
}

fn rely(relied: &mut BTreeSet<Relied>, model: &Model<'_>, rule: &Judged<'_>, e: usize) {
    relied.insert(Relied {
        rule: rule.id.clone(),
        agreement: None,
        flow: model.flows[e].id.clone(),
    });
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
                let proof = proofs.entry(state.at).or_default();
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
    pub at: usize,
    pub item: Item,
    pub of: BTreeSet<usize>,
}

pub struct Gathering<'m> {
    model: &'m Model<'m>,
    rule: &'m Limit,
    /// The leaves of each category of `together`, or of `data`.
    categories: Vec<BTreeSet<Leaf>>,
}

impl<'m> Gathering<'m> {
    pub fn new(model: &'m Model<'m>, rule: &'m Limit) -> Gathering<'m> {
        let categories = if rule.together.is_empty() {
            vec![model.leaves_of(&rule.data)]
        } else {
            let each = rule.together.iter();
            each.map(|c| model.leaves_of(std::slice::from_ref(c)))
                .collect()
        };
        Gathering {
            model,
            rule,
            categories,
        }
    }

    fn of(&self, leaf: Leaf) -> BTreeSet<usize> {
        (0..self.categories.len())
            .filter(|c| self.categories[*c].contains(&leaf))
            .collect()
    }

    fn start(&self, origins: &Origins) -> Vec<Gathered> {
        let starts = self.model.starts(origins).into_iter();
        starts
            .map(|item| Gathered {
                at: item.s,
                item,
                of: self.of(item.o),
            })
            .collect()
    }

    fn derive(&self, state: &Gathered) -> Vec<Gathered> {
        let made = self.model.derived(state.at, state.item.f).into_iter();
        made.map(|f| Gathered {
            item: Item { f, ..state.item },
            of: &state.of | &self.of(f),
            ..state.clone()
        })
        .collect()
    }

    fn through(&self, e: usize) -> bool {
        let through = &self.rule.unless.through;
        self.model.flow_matches(through, e, Reading::Less)
    }

    fn take(&self, state: &Gathered, e: usize) -> Option<Gathered> {
        let flow = &self.model.flows[e];
        if flow.from != state.at {
            return None;
        }
        let item = self.model.carry(e, state.item)?;
        Some(Gathered {
            at: flow.to,
            item,
            of: state.of.clone(),
        })
    }

    fn cross(&self, state: &Gathered, e: usize) -> Option<Gathered> {
        if self.through(e) {
            return None;
        }
        self.take(state, e)
    }

    fn walks(&self, origins: &Origins) -> BTreeMap<Gathered, usize> {
        let flows: Vec<usize> = self.model.counting().collect();
        spread(
            self.start(origins),
            &flows,
            |s| self.derive(s),
            |s, e| self.cross(s, e),
        )
    }

    /// The items that a walk from `s` over exactly these flows may bring.
    pub fn brought(&self, origins: &Origins, s: usize, path: &[usize]) -> BTreeSet<Gathered> {
        follow(
            self.start(origins).into_iter().filter(|g| g.at == s),
            path,
            |s| self.derive(s),
            |s, e| self.cross(s, e),
        )
    }

    /// The places that the rule is about: the systems of each, by name.
    fn places(&self) -> Vec<(Place, Vec<usize>)> {
        let model = self.model;
        let at = |system: usize| Place {
            party: model.owner(system),
            system: Some(system),
            arrival: None,
        };
        let holds = |system: usize| model.place(&self.rule.at, at(system), Reading::More);
        if self.rule.scope.as_deref() == Some("party") {
            let parties = (0..model.world.parties.len()).map(|party| {
                let of_party = |s: &usize| model.owner(*s) == party;
                let systems: Vec<usize> = (0..model.systems.len()).filter(of_party).collect();
                let place = Place {
                    party,
                    system: None,
                    arrival: None,
                };
                (place, systems)
            });
            parties
                .filter(|(_, systems)| systems.iter().any(|s| holds(*s)))
                .collect()
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
        for e in model.counting().filter(|e| gathering.through(*e)) {
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
            .filter(|(g, _)| systems.contains(&g.at) && !g.of.is_empty())
            .map(|(g, length)| (g, *length))
            .collect();
        let shortest = |wanted: &dyn Fn(&Gathered) -> bool| {
            let lengths = counted.iter().filter(|(g, _)| wanted(g));
            lengths.map(|(_, length)| *length).min()
        };
        let witnesses: Vec<usize> = match rule.origins_at_most {
            None => {
                let each: Vec<Option<usize>> = (0..gathering.categories.len())
                    .map(|c| shortest(&|g| g.of.contains(&c)))
                    .collect();
                if each.iter().any(Option::is_none) {
                    continue;
                }
                each.into_iter().flatten().collect()
            }
            Some(most) => {
                let parties: BTreeSet<&str> = counted
                    .iter()
                    .map(|(g, _)| model.owner_id(g.item.s))
                    .collect();
                if parties.len() <= most {
                    continue;
                }
                parties
                    .into_iter()
                    .filter_map(|p| shortest(&|g| model.owner_id(g.item.s) == p))
                    .collect()
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
            witnesses,
            ..finding(judged)
        });
    }
    findings
}

/// What a declaration comes to in one key.
#[derive(Default)]
struct Stated {
    /// Written somewhere; a default that nobody wrote is not.
    written: bool,
    /// None is absent.
    values: Option<Vec<String>>,
}

impl Stated {
    fn list(values: &[String]) -> Stated {
        Stated {
            written: !values.is_empty(),
            values: (!values.is_empty()).then(|| values.to_vec()),
        }
    }

    /// An empty list says something.
    fn telling(values: Option<&Vec<String>>) -> Stated {
        Stated {
            written: values.is_some(),
            values: values.cloned(),
        }
    }

    fn one(value: Option<&str>) -> Stated {
        Stated {
            written: value.is_some(),
            values: value.map(|v| vec![v.to_owned()]),
        }
    }

    fn or(self, default: &str) -> Stated {
        Stated {
            values: self.values.or_else(|| Some(vec![default.to_owned()])),
            ..self
        }
    }
}

/// Below, equal or above, on the scale that both are on.
fn compare(value: &str, bound: &str) -> std::cmp::Ordering {
    if ["none", "opt_out", "opt_in"].contains(&bound) {
        return consent_rank(value).cmp(&consent_rank(bound));
    }
    let hours = |text: &str| Duration(text.to_owned()).hours().unwrap_or(i64::MAX);
    hours(value).cmp(&hours(bound))
}

fn holds(operators: &Operators, stated: &Stated) -> bool {
    if let Some(wanted) = operators.present
        && wanted != stated.written
    {
        return false;
    }
    let others = !operators.one_of.is_empty()
        || !operators.under.is_empty()
        || operators.at_most.is_some()
        || operators.at_least.is_some()
        || operators.matches.is_some()
        || !operators.includes.is_empty();
    let Some(values) = &stated.values else {
        return !others;
    };
    let all = |holds: &dyn Fn(&String) -> bool| values.iter().all(holds);
    (operators.one_of.is_empty() || all(&|v| operators.one_of.contains(v)))
        && (operators.under.is_empty()
            || all(&|v| operators.under.iter().any(|branch| at_or_below(v, branch))))
        && operators
            .at_most
            .as_ref()
            .is_none_or(|bound| all(&|v| compare(v, bound).is_le()))
        && operators
            .at_least
            .as_ref()
            .is_none_or(|bound| all(&|v| compare(v, bound).is_ge()))
        && operators.matches.as_ref().is_none_or(|pattern| {
            let anchored = format!("^(?:{pattern})$");
            let regex = regex_lite::Regex::new(&anchored).expect("a pattern");
            all(&|v| regex.is_match(v))
        })
        && operators.includes.iter().all(|v| values.contains(v))
}

impl Model<'_> {
    fn of_terms(&self, terms: &super::world::Terms, key: &str) -> Stated {
        match key {
            "purposes" => Stated::telling(terms.purposes.as_ref()),
            "prohibited_purposes" => Stated::list(&terms.prohibited_purposes),
            "onward_transfer" => Stated::one(terms.onward_transfer.as_deref()).or("prohibited"),
            "retention" => Stated::one(terms.retention.as_ref().map(|d| &*d.0)),
            "consent" => Stated::one(terms.consent.as_deref()).or("none"),
            "safeguards" => Stated::list(&terms.safeguards),
            "released_by" => {
                let stated = Stated::telling(terms.released_by.as_ref());
                stated.or("anonymised")
            }
            other => panic!("no term {other}"),
        }
    }

    fn of_agreement(&self, a: usize, key: &str) -> Stated {
        let agreement = &self.world.agreements[a];
        if let Some(term) = key.strip_prefix("terms.") {
            return self.of_terms(&agreement.terms, term);
        }
        let effective = agreement.effective.unwrap_or_default();
        match key {
            "kind" => Stated::one(agreement.kind.as_deref()).or("sharing"),
            "status" => Stated::one(agreement.status.as_deref()).or("active"),
            "provider" => Stated::one(agreement.provider.as_deref()).or(&agreement.parties[0]),
            "parties" => Stated::list(&agreement.parties),
            "legal_basis" => Stated::one(agreement.legal_basis.as_deref()),
            "assurances" => Stated::list(&self.assurances(a)),
            "effective.from" => Stated::one(effective.from.map(|d| d.to_string()).as_deref()),
            "effective.until" => Stated::one(effective.until.map(|d| d.to_string()).as_deref()),
            other => panic!("no key {other} of an agreement"),
        }
    }

    fn of_flow(&self, e: usize, key: &str) -> Stated {
        let flow = &self.flows[e];
        if let Some(term) = key.strip_prefix("terms.") {
            return self.of_terms(&flow.terms, term);
        }
        match key {
            "purposes" => Stated::list(&flow.purposes),
            "retention" => Stated::one(flow.retention.as_ref().map(|d| &*d.0)),
            "consent" => Stated::one(flow.written.consent.as_deref()).or("none"),
            "transform" => Stated::one(flow.written.transform.as_deref()).or("none"),
            "safeguards" => Stated::list(&flow.written.safeguards),
            "tags" => Stated::list(&flow.written.tags),
            "data" => Stated::list(&flow.written.data),
            "only_from" => Stated::list(&flow.written.only_from),
            "legal_basis" => Stated::one(flow.legal_basis.as_deref()),
            "effective.from" => Stated::one(flow.effective.from.map(|d| d.to_string()).as_deref()),
            "effective.until" => {
                Stated::one(flow.effective.until.map(|d| d.to_string()).as_deref())
            }
            other => panic!("no key {other} of a flow"),
        }
    }

    fn of_system(&self, s: usize, key: &str) -> Stated {
        let system = self.systems[s].declared;
        match key {
            "purposes" => Stated::list(&system.purposes),
            "originates" => Stated::list(&system.originates),
            "retention" => Stated::one(system.retention.as_ref().map(|d| &*d.0)),
            "region" => Stated::one(self.systems[s].region.as_deref()),
            "tags" => Stated::list(&system.tags),
            other => panic!("no key {other} of a system"),
        }
    }

    fn of_party(&self, p: usize, key: &str) -> Stated {
        let party = &self.world.parties[p];
        match key {
            "role" => Stated::one(party.role.as_deref()).or("other"),
            "jurisdiction" => Stated::one(party.jurisdiction.as_deref()),
            "affiliate_of" => Stated::one(party.affiliate_of.as_deref()),
            "contact" => Stated::one(party.contact.as_deref()),
            other => panic!("no key {other} of a party"),
        }
    }
}

pub fn require(model: &Model<'_>, judged: &Judged<'_>, rule: &Require) -> Vec<Finding> {
    let at = |system: usize| Place {
        party: model.owner(system),
        system: Some(system),
        arrival: None,
    };
    let mut subjects: Vec<(String, Box<dyn Fn(&str) -> Stated + '_>)> = Vec::new();
    let more = Reading::More;
    match (&*rule.on, &rule.filter) {
        ("agreement", filter) => {
            for (a, agreement) in model.world.agreements.iter().enumerate() {
                let wanted = match filter {
                    Filter::Agreements(m) => m.is_empty() || model.agreement(m, a, None, more),
                    _ => true,
                };
                if wanted && model.looked_at(a) {
                    let stated = move |key: &str| model.of_agreement(a, key);
                    subjects.push((agreement.id.clone(), Box::new(stated)));
                }
            }
        }
        ("flow", filter) => {
            for e in model.counting() {
                let wanted = match filter {
                    Filter::Flows(m) => m.is_empty() || model.flow_matches(m, e, more),
                    _ => true,
                };
                if wanted {
                    let stated = move |key: &str| model.of_flow(e, key);
                    subjects.push((model.flows[e].id.clone(), Box::new(stated)));
                }
            }
        }
        ("system", filter) => {
            for s in 0..model.systems.len() {
                let wanted = match filter {
                    Filter::Places(m) => m.is_empty() || model.place(m, at(s), more),
                    _ => true,
                };
                if wanted {
                    let stated = move |key: &str| model.of_system(s, key);
                    subjects.push((model.systems[s].name.clone(), Box::new(stated)));
                }
            }
        }
        ("party", filter) => {
            for (p, party) in model.world.parties.iter().enumerate() {
                let systems: Vec<usize> = (0..model.systems.len())
                    .filter(|s| model.owner(*s) == p)
                    .collect();
                let alone = Place {
                    party: p,
                    system: None,
                    arrival: None,
                };
                let wanted = match filter {
                    Filter::Places(m) if m.is_empty() => true,
                    Filter::Places(m) if systems.is_empty() => model.place(m, alone, more),
                    Filter::Places(m) => systems.iter().any(|s| model.place(m, at(*s), more)),
                    _ => true,
                };
                if wanted {
                    let stated = move |key: &str| model.of_party(p, key);
                    subjects.push((party.id.clone(), Box::new(stated)));
                }
            }
        }
        (other, _) => panic!("no subject {other}"),
    }
    subjects
        .into_iter()
        .filter(|(_, stated)| {
            let mut must = rule.must.iter();
            !must.all(|(key, operators)| holds(operators, &stated(key)))
        })
        .map(|(subject, _)| Finding {
            subject: Some(subject),
            ..finding(judged)
        })
        .collect()
}
