//! The check. Each thing that is wrong is named in a sentence.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::closed::{check_backward, check_forward, followed, resolve};
use super::found::{Findings, Found, Names, fingerprint, rules};
use super::parts::{Ask, Asked, Present, categories, name, present, too_much};
use super::proofs::{proves, proves_broken, proves_forbidden, proves_limited};
use super::questions::{Carried, Forbidden, Limited, place_of, places};
use super::scope::differences;
use super::sets::read;
use super::sticky::Sticky;
use super::terms::{TERMS, Under};
use super::waived::{Waivers, wrong_extent};
use super::walks::{Class, Shown, Toward};
use super::world::Ground;
use super::{About, Certificate, Expected, Followed, Listed, Part, VERSION, assumed, flow_checks, required};
use crate::base::bits::LeafSet;
use crate::declare::policy::{Body, Limit};
use crate::model::load::World;
use crate::model::{AgreementId, Counting, FlowId, Scope, SystemId};

/// How many failures are named of each part.
const NAMED: usize = 20;

/// What a check came to.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// What is wrong, each in a sentence; none: the certificate holds.
    pub failures: Vec<String>,
    /// How many sets were checked.
    pub sets: usize,
}

/// Checks a certificate against what it is of; `files` are the digests of what was read now. It has
/// to be of the scope that is expected, and to hold for the day on which it was judged and for the one
/// expected.
pub fn verify(
    certificate: &Certificate,
    world: &World,
    files: &[(String, String)],
    expected: &Expected,
) -> Verified {
    let mut failures = stale(certificate, world, files);
    let (day, scope) = match certificate.judged.scope() {
        Ok(judged) => judged,
        Err(wrong) => {
            failures.push(wrong);
            return Verified { failures, sets: 0 };
        }
    };
    failures.extend(differences(&scope, &expected.scope));
    if !expected.allow_empty && !Counting::any(&world.model, day, &scope) {
        failures.push("no flow counts: if that is meant, say `--allow-empty`".to_owned());
    }
    let holds = holds(certificate, world, day, &scope);
    failures.extend(holds.failures);
    if failures.is_empty() && day != expected.day {
        let then = self::holds(certificate, world, expected.day, &scope);
        if !then.failures.is_empty() {
            failures.push(format!(
                "the certificate holds for {day}, the day that it judges, but not for {}: if {day} is meant, \
                 name it with `--day {day}`",
                expected.day
            ));
            failures.extend(then.failures);
        }
    }
    Verified { failures, sets: holds.sets }
}

/// Whether what a certificate says is so on a day, in a scope.
fn holds(certificate: &Certificate, world: &World, day: Date, scope: &Scope) -> Verified {
    let mut failures = Vec::new();
    let model = &*world.model.with_ghosts(day, scope);
    if !model.system_labels().eq(certificate.systems.iter().map(String::as_str)) {
        failures.push("the systems are not those of the inventory".to_owned());
    }
    let ((ground, pairs), (names, findings)) = rayon::join(
        || {
            let mut ground = Ground::new(model, day, scope);
            let pairs = assumed::assume(&mut ground);
            (ground, pairs)
        },
        || {
            let names = Names::new(world);
            let findings = Findings::new(&names, &certificate.findings, &mut failures);
            (names, findings)
        },
    );
    let mut checker = Checker { ground: &ground, scope, findings: &findings, failures, sets: 0 };
    checker.unsourced(&pairs);
    let parts = &certificate.parts;
    let ((listed, of_rules), of_terms) = rayon::join(
        || {
            let listed = checker.sub_checker(|checker| checker.listed(&certificate.findings, &names));
            let rules = checker.sub_checker(|checker| {
                checker.each(&rules(world), |checker, (rule, body)| checker.rule(rule, body, parts))
            });
            (listed, rules)
        },
        || {
            checker.sub_checker(|checker| {
                checker.flows(parts);
                checker.terms(parts, &names);
            })
        },
    );
    checker.add([listed, of_rules, of_terms]);
    Verified { failures: checker.failures, sets: checker.sets }
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
        let mut waivers = Waivers::new(self.ground);
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
            if let Some(wrong) = wrong_extent(self.ground, listed, about, names.severity(&listed.rule)) {
                failures.push(format!("{what} is listed with {wrong}"));
            }
            if waivers.accept(listed, found) != listed.waived {
                let not = if listed.waived { "no waiver accepts" } else { "a waiver accepts" };
                failures.push(format!("{what}: {not} it"));
            }
        }
        self.fail(failures);
    }

    /// Checks something by itself: what is wrong, and how many sets were checked.
    fn sub_checker(&self, check: impl FnOnce(&mut Checker)) -> (Vec<String>, usize) {
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

    /// Checks things side by side; what is wrong is reported in their order.
    fn each<T: Sync>(&mut self, all: &[T], check: impl Fn(&mut Checker, &T) + Sync) {
        let checked = all.par_iter().map(|one| self.sub_checker(|checker| check(checker, one)));
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

    fn forbid(&mut self, rule: &str, forbid: &crate::declare::policy::Forbid, parts: &[Part]) {
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
            for (system, leaves) in [false, true].into_iter().flat_map(|assumed| ask.starts(assumed)) {
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
        let (all, count) = categories(ground, limit);
        let question = |data: &LeafSet| Limited::new(ground, limit, data.clone(), &place_of);
        let mut found: Vec<Present> = Vec::new();
        for (at, data) in all.iter().enumerate() {
            let asked = Asked::Limit(question(data), count.parties());
            let ask = Ask { ground, rule, findings: self.findings, asked };
            let shown = self.part(&ask, Some(at), parts);
            found.push(present(&ask, shown.iter().map(|(class, shown)| (class, shown))));
        }
        let asked = Asked::Limit(question(&ground.nothing()), count.parties());
        let ask = Ask { ground, rule, findings: self.findings, asked };
        let missing = too_much(&ask, &places, &found, count).into_iter();
        let mut failures: Vec<String> = missing.map(|(_, missing)| missing).collect();
        let questions: Vec<Limited> = all.iter().map(question).collect();
        for (about, found) in self.findings.of(rule) {
            let place = places.iter().position(|(place, _)| *place == about);
            let proved =
                place.is_some_and(|place| proves_limited(ground, &questions, (place, count), &places, found));
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
            for check in flow_checks::broken(ground, flow) {
                offending.entry(check).or_default().insert(About::Flow(flow));
                flows.insert(flow);
            }
        }
        for check in flow_checks::ALONE {
            self.exactly(check, offending.get(check).unwrap_or(&BTreeSet::new()));
            self.own_agreements(check);
        }
        let ended = flow_checks::ended(ground);
        self.exactly(flow_checks::ENDED, &ended.keys().map(|&id| About::Agreement(id)).collect());
        self.own_agreements(flow_checks::ENDED);
        flows.extend(ended.values().flatten());
        let question = Carried { flows };
        let mut failures = Vec::new();
        for (about, found) in self.findings.of(flow_checks::ENDED) {
            let About::Agreement(id) = about else { continue };
            let own = ended.get(&id).into_iter().flatten();
            let proved = |&flow: &FlowId| {
                let mut walks = found.walks.iter();
                walks.any(|walk| proves(ground, &question, found, walk, Shown::Flow(flow)))
            };
            if !found.data.is_empty() && !own.into_iter().any(proved) {
                failures.push(format!(
                    "{}: no walk proves what {} moves",
                    flow_checks::ENDED,
                    name(ground, about)
                ));
            }
        }
        for check in flow_checks::ALONE {
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
        let (Some(sets), Asked::Terms(question)) = (read(model, &leaves, &part.toward), &ask.asked) else {
            self.fail(["terms: the sets name something that is not declared".to_owned()]);
            return;
        };
        let mut toward = Toward::new(sets, true, None);
        self.sets += 1;
        self.fail(check_backward(&ask, &mut toward));
        self.each(&part.apart, |checker, apart| {
            let these: Vec<Under> =
                members(&apart.flows).iter().filter_map(|&at| all.get(at).cloned()).collect();
            let asked = Asked::Terms(question.alone(&these));
            let ask = Ask { ground, rule: "terms", findings, asked };
            let own = read(model, &leaves, &apart.toward);
            let own = own.map(|own| Toward::new(own, true, Some(&toward)));
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
        let toward = sets.map(|sets| Toward::new(sets, ask.planes(), None));
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
        let Some(mut toward) = toward else {
            self.fail([unknown]);
            return Vec::new();
        };
        self.sets += 1 + classes.len();
        self.fail(check_backward(ask, &mut toward));
        let checked = classes.par_iter().map(|followed| {
            let (class, sets) = resolve(ask.ground, leaves, followed)?;
            let mut shown = BTreeSet::new();
            let mut failures = check_forward(ask, &toward, &class, &sets, &mut shown);
            failures.extend(shown.iter().flat_map(|&one| ask.missing_findings(&class, one)));
            Some((failures, class, shown))
        });
        let mut all = Vec::new();
        let mut failures = Vec::new();
        for one in checked.collect::<Vec<_>>() {
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
