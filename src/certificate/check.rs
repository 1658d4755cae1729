//! The check. Each thing that is wrong is named in a sentence.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::found::{Findings, Found, Names, fingerprint, rules};
use super::ground::{Edge, Ground};
use super::parts::{Ask, Asked, Present, categories, name, note};
use super::questions::{Carried, Forbidden, Limited, Sticky, TERMS, Under, place_of, places};
use super::sets::{Sets, State, read, read_starts};
use super::waived::waived;
use super::walks::{Class, Question, Shown, Step, Toward, settled, starting, steps};
use super::{About, Certificate, Followed, Listed, Part, VERSION, alone, assumed, required, witness};
use crate::bits::LeafSet;
use crate::load::World;
use crate::model::{AgreementId, FlowId, PartyId, Scope, SystemId};
use crate::policy::{Body, Limit};

/// How many failures are named of each part.
const NAMED: usize = 20;

/// How many agreements a finding shows a walk for.
const WALKS: usize = 20;

/// What a check came to.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// What is wrong, each in a sentence; none: the certificate holds.
    pub failures: Vec<String>,
    /// How many sets were checked.
    pub sets: usize,
}

/// Checks a certificate against what it is of; `files` are the digests of what was read now.
pub fn verify(certificate: &Certificate, world: &World, files: &[(String, String)]) -> Verified {
    let mut failures = stale(certificate, world, files);
    let (day, scope) = match scope(certificate) {
        Ok(scope) => scope,
        Err(wrong) => {
            failures.push(wrong);
            return Verified { failures, sets: 0 };
        }
    };
    let mut ground = Ground::new(world, day, &scope);
    let names = Names::new(world);
    let findings = Findings::new(&names, &certificate.findings, &mut failures);
    let pairs = assumed::assume(&mut ground);
    let mut checker = Checker { ground: &ground, scope: &scope, findings: &findings, failures, sets: 0 };
    checker.unsourced(&pairs);
    checker.listed(&certificate.findings, &names);
    let parts = &certificate.parts;
    let (of_rules, of_terms) = rayon::join(
        || {
            checker.aside(|checker| {
                checker.each(&rules(world), |checker, (rule, body)| checker.rule(rule, body, parts))
            })
        },
        || {
            checker.aside(|checker| {
                checker.flows(parts);
                checker.terms(parts, &names);
            })
        },
    );
    checker.add([of_rules, of_terms]);
    Verified { failures: checker.failures, sets: checker.sets }
}

fn scope(certificate: &Certificate) -> Result<(jiff::civil::Date, Scope), String> {
    let judged = &certificate.judged;
    let date = |text: &String| text.parse().map_err(|_| format!("`{text}` is not a day"));
    let as_of = judged.as_of.as_ref().map(date).transpose()?;
    Ok((date(&judged.day)?, Scope { as_of, statuses: judged.status.clone() }))
}

/// What is not of this version, or not of these files.
fn stale(certificate: &Certificate, world: &World, files: &[(String, String)]) -> Vec<String> {
    let mut failures = Vec::new();
    if certificate.certificate != VERSION {
        failures.push(format!("the certificate has version {}, not {VERSION}", certificate.certificate));
    }
    if certificate.inventory != world.digest {
        failures.push("the inventory is another than when the certificate was written".to_owned());
    }
    failures.extend(changes(&certificate.files, files));
    if !world.model.systems.values().map(|system| &system.name).eq(&certificate.systems) {
        failures.push("the systems are not those of the inventory".to_owned());
    }
    failures
}

/// How files differ from what they were, by names and digests.
pub fn changes(then: &[(String, String)], now: &[(String, String)]) -> Vec<String> {
    let mut failures = Vec::new();
    let (then, now) = (by_name(then), by_name(now));
    for (name, digests) in &now {
        match then.get(name) {
            None => failures.push(format!("{name} is read now, and was not then")),
            Some(old) if old != digests => failures.push(format!("{name} has changed")),
            Some(_) => {}
        }
    }
    for name in then.keys().filter(|name| !now.contains_key(*name)) {
        failures.push(format!("{name} was read then, and is not now"));
    }
    failures
}

/// The digests of the files of each name: two policies can have files of one name.
fn by_name(files: &[(String, String)]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, digest) in files {
        all.entry(name).or_default().insert(digest);
    }
    all
}

struct Checker<'c> {
    ground: &'c Ground<'c>,
    scope: &'c Scope,
    findings: &'c Findings,
    failures: Vec<String>,
    sets: usize,
}

impl Checker<'_> {
    fn fail(&mut self, failures: impl IntoIterator<Item = String>) {
        let mut failures: Vec<String> = failures.into_iter().collect();
        let more = failures.len().saturating_sub(NAMED);
        failures.truncate(NAMED);
        self.failures.extend(failures);
        if more > 0 {
            self.failures.push(format!("and {more} more like it"));
        }
    }

    /// Every assumed origin is listed, and no other.
    fn unsourced(&mut self, pairs: &BTreeSet<assumed::Pair>) {
        let rule = "flow/unsourced";
        let abouts = pairs.iter().map(|&(system, key)| (About::Unsourced(system, key), key));
        let wanted: BTreeMap<About, LeafSet> =
            abouts.map(|(about, key)| (about, self.ground.model.data.leaves([&key]))).collect();
        self.exactly(rule, &wanted.keys().copied().collect());
        self.own_agreements(rule);
        let other = |(about, found): (About, &Found)| {
            let same = wanted.get(&about).is_none_or(|leaves| *leaves == found.data);
            (!same).then(|| format!("{rule}: {} is listed with other data", name(self.ground, about)))
        };
        let failures: Vec<_> = self.findings.of(rule).filter_map(other).collect();
        self.fail(failures);
    }

    /// Findings on declarations name the agreement that these run under or are, and no other.
    fn own_agreements(&mut self, rule: &str) {
        let ground = self.ground;
        let other = |(about, found): (About, &Found)| {
            let own: Vec<AgreementId> = match about {
                About::Agreement(agreement) => vec![agreement],
                About::Flow(flow) => ground.model.flows[flow].agreement.into_iter().collect(),
                _ => Vec::new(),
            };
            (found.agreements != own)
                .then(|| format!("{rule}: {} names other agreements", name(ground, about)))
        };
        let failures: Vec<_> = self.findings.of(rule).filter_map(other).collect();
        self.fail(failures);
    }

    /// What is found without following anything is what is listed of a rule.
    fn exactly(&mut self, rule: &str, wanted: &BTreeSet<About>) {
        let listed: BTreeSet<About> = self.findings.of(rule).map(|(about, _)| about).collect();
        let ground = self.ground;
        let missing = wanted.difference(&listed);
        let missing =
            missing.map(|&about| format!("{rule}: {} breaks it and is not listed", name(ground, about)));
        let extra = listed.difference(wanted);
        let extra =
            extra.map(|&about| format!("{rule}: {} is listed and does not break it", name(ground, about)));
        self.fail(missing.chain(extra).collect::<Vec<_>>());
    }

    /// Every listed finding is named as it must be, is waived if the inventory says so, and
    /// is proved by its walks.
    fn listed(&mut self, all: &[Listed], names: &Names) {
        let mut failures = Vec::new();
        for listed in all {
            let Some(about) = names.about(listed) else { continue };
            let Some(found) = self.findings.get(&listed.rule, about) else { continue };
            let what = format!("finding {} ({})", listed.fingerprint, listed.rule);
            if fingerprint(self.ground.model, &listed.rule, about) != listed.fingerprint {
                failures.push(format!("{what} has another fingerprint"));
            }
            let ends = if names.requires(&listed.rule) { (None, None) } else { ends(self.ground, about) };
            if ends != (listed.source.clone(), listed.sink.clone()) {
                failures.push(format!("{what} has other ends"));
            }
            if waived(self.ground, listed, found) != listed.waived {
                let not = if listed.waived { "no waiver accepts" } else { "a waiver accepts" };
                failures.push(format!("{what}: {not} it"));
            }
        }
        self.fail(failures);
    }

    /// Checks something by itself: what is wrong, and how many sets were checked.
    fn aside(&self, check: impl FnOnce(&mut Checker)) -> (Vec<String>, usize) {
        let (ground, scope, findings) = (self.ground, self.scope, self.findings);
        let mut checker = Checker { ground, scope, findings, failures: Vec::new(), sets: 0 };
        check(&mut checker);
        (checker.failures, checker.sets)
    }

    /// Adds what was checked aside.
    fn add(&mut self, checked: impl IntoIterator<Item = (Vec<String>, usize)>) {
        for (failures, sets) in checked {
            self.failures.extend(failures);
            self.sets += sets;
        }
    }

    /// Checks things side by side; what is wrong is told in their order.
    fn each<T: Sync>(&mut self, all: &[T], check: impl Fn(&mut Checker, &T) + Sync) {
        let checked = all.par_iter().map(|one| self.aside(|checker| check(checker, one)));
        let checked: Vec<_> = checked.collect();
        self.add(checked);
    }

    fn rule(&mut self, rule: &str, body: &Body, parts: &[Part]) {
        match body {
            Body::Forbid(forbid) => self.forbid(rule, forbid, parts),
            Body::Limit(limit) => self.limit(rule, limit, parts),
            Body::Require(require) => {
                let broken = required::broken(self.ground, self.scope, require);
                self.exactly(rule, &broken);
                self.own_agreements(rule);
            }
        }
    }

    fn forbid(&mut self, rule: &str, forbid: &crate::policy::Forbid, parts: &[Part]) {
        let ground = self.ground;
        let question = Forbidden::new(ground, forbid);
        let mut failures = Vec::new();
        let proofs: Vec<_> = self.findings.of(rule).map(|(about, found)| (about, found.clone())).collect();
        for (about, found) in proofs {
            if !proves_forbidden(ground, &question, about, &found) {
                failures.push(format!("{rule}: no walk proves {}", name(ground, about)));
            }
        }
        let ask = Ask { ground, rule, findings: self.findings, asked: Asked::Forbid(question) };
        if let Asked::Forbid(question) = &ask.asked {
            for (system, leaves) in ask.starts(true) {
                let there = question.at_itself(system, leaves);
                failures.extend(there.and_then(|of| ask.missing(rule, About::Pair(system, system), &of)));
            }
        }
        self.fail(failures);
        self.part(&ask, None, parts);
    }

    /// The places that hold too much are listed, by what the sets of all categories show.
    fn limit(&mut self, rule: &str, limit: &Limit, parts: &[Part]) {
        let ground = self.ground;
        let places = places(ground, limit);
        let place_of = place_of(ground, &places);
        let (all, at_most) = categories(ground, limit);
        let question = |data: &LeafSet| Limited::new(ground, limit, data.clone(), &place_of);
        let mut present: Vec<Present> = Vec::new();
        for (at, data) in all.iter().enumerate() {
            let asked = Asked::Limit(question(data), at_most.is_some());
            let ask = Ask { ground, rule, findings: self.findings, asked };
            let mut here = starting_there(&ask);
            for (class, shown) in self.part(&ask, Some(at), parts) {
                for one in shown {
                    if let Shown::Place(place) = one {
                        note(&mut here, place, &ask.all(&class), class.parties());
                    }
                }
            }
            present.push(here);
        }
        let asked = Asked::Limit(question(&ground.nothing()), at_most.is_some());
        let ask = Ask { ground, rule, findings: self.findings, asked };
        let mut failures = too_much(&ask, &places, &present, at_most);
        let questions: Vec<Limited> = all.iter().map(question).collect();
        for (about, found) in self.findings.of(rule) {
            let place = places.iter().position(|(place, _)| *place == about);
            let proved = place
                .is_some_and(|place| proves_limited(ground, &questions, (place, at_most), &places, found));
            if !proved {
                failures.push(format!("{rule}: the walks do not prove {}", name(ground, about)));
            }
        }
        self.fail(failures);
    }

    /// Flows that offend by themselves are listed with all that they carry.
    fn flows(&mut self, parts: &[Part]) {
        let ground = self.ground;
        let mut offending: BTreeMap<&str, BTreeSet<About>> = BTreeMap::new();
        let mut flows = BTreeSet::new();
        for flow in ground.counting.iter() {
            for check in alone::broken(ground, flow) {
                offending.entry(check).or_default().insert(About::Flow(flow));
                flows.insert(flow);
            }
        }
        for check in alone::ALONE {
            self.exactly(check, offending.get(check).unwrap_or(&BTreeSet::new()));
            self.own_agreements(check);
        }
        let question = Carried { flows };
        let mut failures = Vec::new();
        for check in alone::ALONE {
            for (about, found) in self.findings.of(check) {
                let About::Flow(flow) = about else { continue };
                let walked = found.data.is_empty()
                    || found
                        .walks
                        .iter()
                        .any(|walk| proves(ground, &question, found, walk, Shown::Flow(flow)));
                if !walked {
                    failures.push(format!("{check}: no walk proves what {} carries", name(ground, about)));
                }
            }
        }
        self.fail(failures);
        let ask = Ask { ground, rule: "flow", findings: self.findings, asked: Asked::Flows(question) };
        self.part(&ask, None, parts);
    }

    fn terms(&mut self, parts: &[Part], names: &Names) {
        let all = Under::all(self.ground);
        self.broken_terms(&all);
        let numbered = all.iter().enumerate();
        let of_flow: FxHashMap<FlowId, usize> =
            numbered.flat_map(|(at, under)| under.flows.iter().map(move |&flow| (flow, at))).collect();
        let members = |flows: &[String]| -> BTreeSet<usize> {
            let flows = flows.iter().filter_map(|flow| names.flow(flow));
            flows.filter_map(|flow| of_flow.get(&flow).copied()).collect()
        };
        let parts: Vec<&Part> = parts.iter().filter(|part| part.rule == "terms").collect();
        self.each(&parts, |checker, part| checker.sticky(&all, &members, part));
        let covered: BTreeSet<usize> = parts.iter().flat_map(|part| members(&part.flows)).collect();
        let missing = all.iter().enumerate().filter(|(at, _)| !covered.contains(at));
        let missing = missing.filter_map(|(_, under)| under.flows.first()).map(|&flow| {
            format!("the terms that {} puts data under are not looked at", self.ground.model.flows[flow].name)
        });
        self.fail(missing.collect::<Vec<_>>());
    }

    /// Terms that are followed together say the same, and what may be under them is closed. If they
    /// are followed apart, each is.
    fn sticky(
        &mut self,
        all: &[Under],
        members: &(impl Fn(&[String]) -> BTreeSet<usize> + Sync),
        part: &Part,
    ) {
        let (ground, findings) = (self.ground, self.findings);
        let model = ground.model;
        let together = members(&part.flows);
        let these: Vec<Under> = together.iter().filter_map(|&at| all.get(at).cloned()).collect();
        let says: BTreeSet<&str> = these.iter().map(Under::says).collect();
        let leaves = part.leaves.leaves(model);
        let under = leaves.as_ref().and_then(|leaves| read(model, leaves, &part.under));
        let (Some(leaves), Some(under), true) = (leaves, under, says.len() <= 1) else {
            self.fail(["terms: a part follows together what is not the same, or not there".to_owned()]);
            return;
        };
        let question = Sticky::confined_to(ground, &these, under);
        self.fail(question.leaking());
        let ask = Ask { ground, rule: "terms", findings, asked: Asked::Terms(question) };
        if part.apart.is_empty() {
            self.closed(&ask, part);
            return;
        }
        let Some(sets) = read(model, &leaves, &part.toward) else {
            self.fail(["terms: the sets name something that is not declared".to_owned()]);
            return;
        };
        let toward = Toward { sets, planes: true, shared: None };
        self.sets += 1;
        self.fail(leads(&ask, &toward));
        self.each(&part.apart, |checker, apart| {
            let these: Vec<Under> =
                members(&apart.flows).iter().filter_map(|&at| all.get(at).cloned()).collect();
            let asked = Asked::Terms(Sticky::new(ground, &these));
            let ask = Ask { ground, rule: "terms", findings, asked };
            let own = read(model, &leaves, &apart.toward);
            let own = own.map(|own| Toward { sets: own, planes: true, shared: Some(&toward.sets) });
            checker.holds(&ask, own, (&leaves, &apart.classes));
        });
        let alone: BTreeSet<usize> = part.apart.iter().flat_map(|apart| members(&apart.flows)).collect();
        if alone != together {
            self.fail(["terms: those that are followed apart are not those of the part".to_owned()]);
        }
    }

    /// Listed findings on terms are proved for each agreement that a walk is shown for.
    fn broken_terms(&mut self, all: &[Under]) {
        let mut failures = Vec::new();
        for (check, rule) in TERMS.iter().enumerate() {
            for (about, found) in self.findings.of(rule) {
                let About::Flow(flow) = about else { continue };
                if !proves_broken(self.ground, all, found, (check, flow)) {
                    failures.push(format!("{rule}: the walks do not prove {}", name(self.ground, about)));
                }
            }
        }
        self.fail(failures);
    }

    /// Checks the part of a question.
    fn part(&mut self, ask: &Ask, category: Option<usize>, parts: &[Part]) -> Vec<(Class, BTreeSet<Shown>)> {
        let part = parts.iter().find(|part| part.rule == ask.rule && part.category == category);
        match part {
            Some(part) => self.closed(ask, part),
            None => {
                self.fail([format!("{}: the certificate has no sets for it", ask.rule)]);
                Vec::new()
            }
        }
    }

    /// The sets of a part hold every origin, are closed, and show nothing that is not listed.
    fn closed(&mut self, ask: &Ask, part: &Part) -> Vec<(Class, BTreeSet<Shown>)> {
        let model = ask.ground.model;
        let leaves = part.leaves.leaves(model);
        let sets = leaves.as_ref().and_then(|leaves| read(model, leaves, &part.toward));
        let toward = sets.map(|sets| Toward { sets, planes: ask.planes(), shared: None });
        self.holds(ask, toward, (&leaves.unwrap_or_default(), &part.classes))
    }

    /// As [`Checker::closed`]; what can get to a target is resolved.
    fn holds(
        &mut self,
        ask: &Ask,
        toward: Option<Toward>,
        (leaves, classes): (&[LeafSet], &[Followed]),
    ) -> Vec<(Class, BTreeSet<Shown>)> {
        let unknown = format!("{}: the sets name something that is not declared", ask.rule);
        let Some(toward) = toward else {
            self.fail([unknown]);
            return Vec::new();
        };
        self.sets += 1 + classes.len();
        let checked = classes.par_iter().map(|followed| {
            let (class, sets) = resolve(ask.ground, leaves, followed)?;
            let mut shown = BTreeSet::new();
            let mut failures = stays(ask, &toward, &class, &sets, &mut shown);
            failures.extend(shown.iter().flat_map(|&one| ask.owed(&class, one)));
            Some((failures, class, shown))
        });
        let (led, checked) = rayon::join(|| leads(ask, &toward), || checked.collect::<Vec<_>>());
        self.fail(led);
        let mut all = Vec::new();
        let mut failures = Vec::new();
        for one in checked {
            match one {
                Some((wrong, class, shown)) => {
                    failures.extend(wrong);
                    all.push((class, shown));
                }
                None => failures.push(unknown.clone()),
            }
        }
        self.fail(followed(ask, &toward, &all));
        self.fail(failures);
        all
    }
}

/// The source and the sink of what a finding is on.
fn ends(ground: &Ground, about: About) -> (Option<String>, Option<String>) {
    let model = ground.model;
    let system = |s: SystemId| Some(model.systems[s].name.clone());
    match about {
        About::Pair(source, sink) => (system(source), system(sink)),
        About::Flow(flow) => (system(model.flows[flow].from), system(model.flows[flow].to)),
        About::Unsourced(at, _) => (system(at), None),
        About::System(at) => (None, system(at)),
        About::Party(party) => (None, Some(model.parties[party].id().to_owned())),
        About::Agreement(_) => (None, None),
    }
}

/// A class and its sets; `None` if they name something that is not declared.
fn resolve(ground: &Ground, leaves: &[LeafSet], followed: &Followed) -> Option<(Class, Sets)> {
    let starts = read_starts(ground.model, leaves, &followed.starts)?;
    let class = Class::new(ground, followed.assumed, starts);
    Some((class, read(ground.model, leaves, &followed.sets)?))
}

/// Where what can get to a target is not in its sets.
fn leads(ask: &Ask, toward: &Toward) -> Vec<String> {
    let (ground, question) = (ask.ground, ask.question());
    let mut failures = BTreeSet::new();
    let states = toward.states(question);
    let mut look = |edge: &Edge, state: State| {
        let needed = toward.needed(question, edge, state);
        if needed.is_some_and(|needed| !toward.sets.has(edge.from, state, &needed)) {
            failures.insert(edge.flow);
        }
    };
    for &state in &states {
        question.targets(ground, state.plane).into_iter().for_each(|edge| look(edge, state));
    }
    let held: BTreeSet<SystemId> = toward.sets.iter().map(|(system, ..)| system).collect();
    for &system in &held {
        for edge in ground.into(system) {
            states.iter().for_each(|&state| look(edge, state));
        }
    }
    let failures = failures.into_iter().map(|flow| {
        let name = &ground.model.flows[flow].name;
        format!("{}: what leads to a target over {name} is left out", ask.rule)
    });
    let mut failures: Vec<String> = failures.collect();
    let planes: BTreeSet<u8> = states.iter().map(|state| state.plane).collect();
    for system in held {
        for &plane in &planes {
            let missing = ground.leading_in(system, plane, &toward.sets, question.marks());
            let missed = |(state, leaves): &(State, LeafSet)| {
                let leaves = question.confined(system, *state, leaves);
                states.contains(state) && leaves.is_some_and(|all| !toward.sets.has(system, *state, &all))
            };
            if missing.iter().any(missed) {
                let name = &ground.model.systems[system].name;
                failures.push(format!("{}: what {name} makes of data is left out", ask.rule));
            }
        }
    }
    failures
}

/// Where an origin that matters is in no class.
fn followed(ask: &Ask, toward: &Toward, classes: &[(Class, BTreeSet<Shown>)]) -> Vec<String> {
    let mut failures = Vec::new();
    for assumed in [false, true] {
        let mut all: BTreeMap<SystemId, LeafSet> = BTreeMap::new();
        for (class, _) in classes.iter().filter(|(class, _)| class.assumed == assumed) {
            for (&system, leaves) in &class.starts {
                all.entry(system).or_insert_with(|| ask.ground.nothing()).extend(leaves.row());
            }
        }
        for (system, leaves) in ask.useful(toward, assumed) {
            if all.get(&system).is_none_or(|known| !leaves.is_subset(known)) {
                let name = &ask.ground.model.systems[system].name;
                failures.push(format!("{}: data that starts at {name} is not followed", ask.rule));
            }
        }
    }
    failures
}

/// Where a class's sets are not closed; adds what they show.
fn stays(ask: &Ask, toward: &Toward, class: &Class, sets: &Sets, shown: &mut BTreeSet<Shown>) -> Vec<String> {
    let (ground, question) = (ask.ground, ask.question());
    let name = |system: SystemId| &ground.model.systems[system].name;
    let mut failures = Vec::new();
    // What systems make of what arrives is looked for where it has arrived: what can get to a target
    // once it is turned is among what can get to one.
    let within = |system: SystemId, state: State, leaves: &LeafSet| {
        let useful = || toward.within(system, state, leaves);
        sets.has(system, state, leaves) || useful().is_none_or(|leaves| sets.has(system, state, &leaves))
    };
    for (&system, leaves) in &class.starts {
        for (state, leaves) in starting(question, leaves) {
            if !within(system, state, &leaves) {
                failures.push(format!("{}: data that starts at {} is left out", ask.rule, name(system)));
            }
        }
    }
    let turns = |system: SystemId| !ground.model.systems[system].derives.is_empty();
    for (system, state, held) in sets.iter() {
        if turns(system) {
            let step = Step { to: system, state, leaves: held.clone() };
            let settled = settled(ground, question, toward, &step);
            if !settled.iter().all(|(state, leaves)| sets.has(system, *state, leaves)) {
                failures.push(format!("{}: what {} makes of data is left out", ask.rule, name(system)));
            }
        }
        steps(ground, question, class, (system, state, held), None, shown, |step| {
            if !within(step.to, step.state, &step.leaves) {
                let (from, to) = (name(system), name(step.to));
                failures.push(format!("{}: data that moves from {from} to {to} is left out", ask.rule));
            }
        });
    }
    failures
}

/// Whether a walk shows something, from where its first flow leaves.
fn proves(ground: &Ground, question: &dyn Question, found: &Found, walk: &[FlowId], wanted: Shown) -> bool {
    let Some(&first) = walk.first() else {
        return false;
    };
    let source = ground.model.flows[first].from;
    witness::shown(ground, question, source, &found.data, walk).contains(&wanted)
}

/// The agreements of a finding's walks.
fn walked(ground: &Ground, found: &Found) -> BTreeSet<AgreementId> {
    found.walks.iter().flatten().filter_map(|&flow| ground.model.flows[flow].agreement).collect()
}

fn proves_forbidden(ground: &Ground, question: &Forbidden, about: About, found: &Found) -> bool {
    let About::Pair(source, sink) = about else {
        return false;
    };
    if !question.is_source(source) || !walked(ground, found).iter().eq(&found.agreements) {
        return false;
    }
    if source == sink {
        let there = ground.assumed.get(&source).and_then(|leaves| question.at_itself(source, leaves));
        return there.is_some_and(|of| of.intersects(&found.data));
    }
    let mut walks = found.walks.iter();
    walks.any(|walk| witness::shown(ground, question, source, &found.data, walk).contains(&Shown::Sink(sink)))
}

/// What of a limit's category starts at the places themselves.
fn starting_there(ask: &Ask) -> Present {
    let mut present = Present::new();
    let Asked::Limit(question, ..) = &ask.asked else {
        return present;
    };
    for assumed in [false, true] {
        for (system, leaves) in ask.starts(assumed) {
            if let Some((place, of)) = question.at_itself(system, leaves) {
                note(&mut present, place, &of, &[ask.ground.model.systems[system].party].into());
            }
        }
    }
    present
}

/// The places that may hold too much and are not listed, or not with all data.
fn too_much(
    ask: &Ask,
    places: &[(About, Vec<SystemId>)],
    present: &[Present],
    at_most: Option<u64>,
) -> Vec<String> {
    let mut failures = Vec::new();
    for (place, (about, _)) in places.iter().enumerate() {
        let here: Option<Vec<_>> = present.iter().map(|present| present.get(&place)).collect();
        let Some(here) = here else { continue };
        let many = |(_, parties): &&(LeafSet, BTreeSet<PartyId>)| {
            at_most.is_none_or(|most| parties.len() as u64 > most)
        };
        if !here.iter().all(many) {
            continue;
        }
        let mut data = ask.ground.nothing();
        here.iter().for_each(|(leaves, _)| data.extend(leaves.row()));
        failures.extend(ask.missing(ask.rule, *about, &data));
    }
    failures
}

/// Whether the walks bring an item of each category to a place, or items of too many parties.
fn proves_limited(
    ground: &Ground,
    questions: &[Limited],
    (place, at_most): (usize, Option<u64>),
    places: &[(About, Vec<SystemId>)],
    found: &Found,
) -> bool {
    if !walked(ground, found).iter().eq(&found.agreements) {
        return false;
    }
    let systems = places.get(place).map(|(_, systems)| systems.as_slice()).unwrap_or_default();
    let brings = |question: &Limited, walk: &Vec<FlowId>| -> Option<PartyId> {
        let Some(&first) = walk.first() else {
            let mut all = [false, true].into_iter().flat_map(|assumed| ground.starts(assumed));
            let own = all.find(|(s, leaves)| systems.contains(s) && question.at_itself(*s, leaves).is_some());
            return own.map(|(system, _)| ground.model.systems[system].party);
        };
        let proved = proves(ground, question, found, walk, Shown::Place(place));
        proved.then(|| ground.model.sender(first))
    };
    match at_most {
        None => {
            let each = questions.iter().zip(&found.walks);
            questions.len() == found.walks.len()
                && each.into_iter().all(|(q, walk)| brings(q, walk).is_some())
        }
        Some(most) => {
            let question = questions.first();
            let brought: Vec<_> = found.walks.iter().map(|walk| brings(question?, walk)).collect();
            let whose: BTreeSet<PartyId> = brought.iter().flatten().copied().collect();
            whose.len() == brought.len() && whose.len() as u64 > most
        }
    }
}

/// Whether each walk shows that a flow breaks a term of the agreement in its place.
fn proves_broken(ground: &Ground, all: &[Under], found: &Found, (check, flow): (usize, FlowId)) -> bool {
    let proved = |(walk, &agreement): (&Vec<FlowId>, &AgreementId)| {
        let own = all.partition_point(|under| under.agreement < agreement);
        let own = all.iter().skip(own).take_while(|under| under.agreement == agreement);
        own.filter(|under| walk.iter().any(|flow| under.flows.contains(flow))).any(|under| {
            let question = Sticky::new(ground, std::slice::from_ref(under));
            proves(ground, &question, found, walk, Shown::Term(check, flow, agreement))
        })
    };
    let shown = found.agreements.len().min(WALKS);
    shown > 0 && found.walks.len() == shown && found.walks.iter().zip(&found.agreements).all(proved)
}
