//! `fix`: the smallest sets of edits after which findings are gone, each proven by judging again.
//!
//! The cheapest edits that break all chains found so far are chosen (`search`), made in the world as it was read
//! (`edits`), and that is judged. Where a finding is still there, by another chain, or another has come, its chains are
//! added (`chains`), and all is chosen again. Every choice that breaks all chains costs at least as much as the cheapest
//! that breaks those found so far: so the first that does is the cheapest of all.

mod chains;
mod edits;
mod search;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

pub use self::edits::{Kind, Made, On};
pub use self::told::{Cut, Edited, Fix, Proposal, Target, Unfixable};

use self::chains::{Broken, Chains, Declared, Tried};
use self::edits::{Change, Edit, Editable, Part, make};
use self::search::{Choice, Constraint, Problem};
use crate::audit::{Judgement, Options, describe_all, evaluate, fingerprints};
use crate::base::bits::LeafSet;
use crate::base::diagnostic::nearest;
use crate::base::finding::{Audit, Finding, FindingStatus};
use crate::base::glob::Glob;
use crate::base::source::Sources;
use crate::base::stages::Stages;
use crate::declare::gate::Gate;
use crate::model::load::World;
use crate::model::{Counting, FlowId, Model, PartyId};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Fingerprints (or their first digits), rules (globs) and causes; empty: all findings that make an audit fail.
    pub only: Vec<String>,
    /// What each kind of edit costs; kinds that are not there are not made.
    pub costs: BTreeMap<Kind, u64>,
    /// So many sets at most.
    pub max: usize,
    /// No flow need be left in scope.
    pub allow_empty: bool,
}

/// A word of the question that names nothing.
#[derive(Debug, thiserror::Error)]
#[error("there is no finding, rule or cause `{word}`{near}")]
pub struct Unknown {
    word: String,
    near: String,
}

/// Finds the sets, in an inventory that was read with its declarations kept. `judgement` is what was found of it;
/// `in_time` says how long to go on.
///
/// # Errors
/// A word of the question names nothing.
pub fn fix(
    (world, sources): (&World, &Sources),
    (options, gate): (&Options, &Gate),
    judgement: &Judgement,
    asked: &Asked,
    in_time: &dyn Fn() -> bool,
) -> Result<Fix, Unknown> {
    let audit = describe_all(world, sources, options, judgement);
    let targets = targets(&audit, gate, &asked.only)?;
    let declared = Declared::new(world, judgement);
    let quiet = Options { stages: Stages::default(), ..options.clone() };
    let begin = |asked| {
        Fixing::new((world, sources), (&quiet, gate), &declared, (&audit, &targets), (judgement, asked))
    };
    let mut fixing = begin(asked);
    let mut found = fixing.search(in_time);
    if found.is_empty() && fixing.cut.is_some() {
        // With fewer kinds there is less to choose from: some set is better than none.
        let plain = |kind: &Kind| matches!(kind, Kind::Cut | Kind::Derives);
        let costs = asked.costs.iter().filter(|(kind, _)| plain(kind)).map(|(&kind, &cost)| (kind, cost));
        let fewer = Asked { costs: costs.collect(), max: 1, ..asked.clone() };
        let mut simpler = begin(&fewer);
        let (bound, cut) = (fixing.bound, fixing.cut);
        found = simpler.search(&|| true);
        simpler.asked = asked;
        (simpler.bound, simpler.cut) = (bound, cut);
        return Ok(told::told(&simpler, (&audit, &targets), found));
    }
    Ok(told::told(&fixing, (&audit, &targets), found))
}

impl<'w> Fixing<'w> {
    fn new(
        (world, sources): (&'w World, &'w Sources),
        (options, gate): (&'w Options, &'w Gate),
        declared: &'w Declared<'w>,
        (audit, targets): (&Audit, &[&Finding]),
        (judgement, asked): (&'w Judgement, &'w Asked),
    ) -> Self {
        let mut fixing = Fixing {
            judging: Judging { world, sources, options, gate },
            declared,
            judgement,
            asked,
            editable: Editable::new(world),
            failing: failing(audit, gate),
            known: audit.findings.iter().map(|finding| finding.fingerprint.clone()).collect(),
            targets: targets.iter().map(|finding| finding.fingerprint.clone()).collect(),
            unfixable: BTreeMap::new(),
            edits: Vec::new(),
            numbers: FxHashMap::default(),
            chains: Vec::new(),
            senders: FxHashMap::default(),
            problem: Problem::default(),
            excluded: Vec::new(),
            rounds: (ROUNDS_OF_FLOWS / (world.model.flows.len() as u64 + 1)).clamp(40, 1_000),
            steps: STEPS,
            bound: 0,
            exact: true,
            cut: None,
        };
        fixing.number_all();
        fixing.learn(&Outcome { world: None, judgement: None, audit: None }, &[]);
        fixing
    }
}

/// So many flows are judged in all, again and again.
const ROUNDS_OF_FLOWS: u64 = 4_000_000;
/// So many constraints are looked at in all.
const STEPS: u64 = 6_000_000;
/// And so many for each set after the first.
const STEPS_FURTHER: u64 = 1_000_000;

fn failing(audit: &Audit, gate: &Gate) -> BTreeSet<String> {
    audit.findings.iter().filter(|one| gate.stops(one)).map(|one| one.fingerprint.clone()).collect()
}

/// The findings that are to go.
fn targets<'a>(audit: &'a Audit, gate: &Gate, only: &[String]) -> Result<Vec<&'a Finding>, Unknown> {
    if only.is_empty() {
        return Ok(audit.findings.iter().filter(|finding| gate.stops(finding)).collect());
    }
    let mut wanted: FxHashSet<&str> = FxHashSet::default();
    for word in only {
        let digits = word.strip_prefix("rf1:").unwrap_or(word).to_lowercase();
        let is_digits = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let glob = Glob::new(word);
        let names = |finding: &&Finding| {
            let own = finding.fingerprint.strip_prefix("rf1:").unwrap_or(&finding.fingerprint);
            is_digits && own.starts_with(&digits) || glob.matches(&finding.rule) || finding.cause == *word
        };
        let found: Vec<&Finding> = audit.findings.iter().filter(names).collect();
        // A rule that nothing breaks is no mistake.
        let is_rule = audit.rules.iter().any(|rule| glob.matches(&rule.id));
        if found.is_empty() && !is_rule {
            let rules = audit.rules.iter().map(|rule| rule.id.as_str());
            let causes = audit.causes.iter().map(|cause| cause.id.as_str());
            let near = nearest(word, rules.chain(causes));
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(Unknown { word: word.clone(), near });
        }
        let open = found.into_iter().filter(|finding| finding.status == FindingStatus::New);
        wanted.extend(open.map(|finding| finding.fingerprint.as_str()));
    }
    Ok(audit.findings.iter().filter(|finding| wanted.contains(finding.fingerprint.as_str())).collect())
}

/// How worlds are judged.
struct Judging<'w> {
    world: &'w World,
    sources: &'w Sources,
    options: &'w Options,
    gate: &'w Gate,
}

/// What was found with some edits; of none, what was found at first.
struct Outcome {
    world: Option<World>,
    judgement: Option<Judgement>,
    audit: Option<Audit>,
}

/// A chain, by the numbers of its edits.
struct Chain {
    /// The finding that it shows.
    of: String,
    given: Vec<Choice>,
    /// What may break it, and of that what is not known to leave it as it is.
    may: BTreeMap<Choice, Part>,
    by: BTreeMap<Choice, Part>,
}

impl Chain {
    /// Of a set the edits that are to break it: all that do so as they are, or else the first that takes away a part.
    fn relied_on(&self, chosen: &[Choice]) -> Vec<Choice> {
        let by = || chosen.iter().filter_map(|choice| Some((*choice, self.by.get(choice)?)));
        let whole: Vec<Choice> =
            by().filter(|(_, part)| **part == Part::Whole).map(|(choice, _)| choice).collect();
        if whole.is_empty() { by().map(|(choice, _)| choice).take(1).collect() } else { whole }
    }
}

/// A set that was found, and the audit that proves it.
struct Found {
    made: Vec<(On, Made)>,
    audit: Audit,
}

/// What a set of edits came to.
enum Verdict {
    /// All that is to go is gone, and nothing has come.
    Good(Box<Found>),
    /// Not yet: more is known.
    Learnt,
    /// Not yet, and nothing more is known.
    Stuck,
}

/// The search for sets of edits.
struct Fixing<'w> {
    judging: Judging<'w>,
    declared: &'w Declared<'w>,
    judgement: &'w Judgement,
    asked: &'w Asked,
    editable: Editable<'w>,
    /// What makes an audit fail, and all that is found, before any edit.
    failing: BTreeSet<String>,
    known: FxHashSet<String>,
    /// What is to go, but for what cannot.
    targets: BTreeSet<String>,
    /// What cannot go, and why.
    unfixable: BTreeMap<String, Unfixable>,
    edits: Vec<Edit>,
    numbers: FxHashMap<Edit, Choice>,
    chains: Vec<Chain>,
    /// The parties whose data may come to a flow.
    senders: FxHashMap<FlowId, BTreeSet<PartyId>>,
    problem: Problem,
    /// Sets that are no solution, nor any that has more.
    excluded: Vec<Constraint>,
    /// How many more worlds are judged, and constraints looked at.
    rounds: u64,
    steps: u64,
    /// No set costs less, and whether everything that was ruled out is known to be no solution.
    bound: u64,
    exact: bool,
    cut: Option<Cut>,
}

impl Fixing<'_> {
    /// Finds sets, the cheapest first.
    fn search(&mut self, in_time: &dyn Fn() -> bool) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        if self.targets.is_empty() {
            return all;
        }
        while all.len() < self.asked.max.max(1) {
            if !in_time() {
                self.cut = Some(Cut::Seconds);
            } else if self.rounds == 0 || self.steps == 0 {
                self.cut = Some(Cut::Steps);
            }
            if self.cut.is_some() {
                break;
            }
            let mut steps = if all.is_empty() { self.steps } else { STEPS_FURTHER };
            let solved = self.problem.solve(&mut steps);
            if all.is_empty() {
                self.steps = steps;
                if self.exact {
                    self.bound = self.bound.max(solved.bound.min(u64::MAX - 1));
                }
                self.exact &= solved.proven;
            }
            let Some(chosen) = solved.chosen else {
                // What cannot be met together is left out, and the others are looked at without it.
                if all.is_empty() && self.give_up(&solved.stuck) && !self.targets.is_empty() {
                    continue;
                }
                break;
            };
            match self.try_set(&chosen) {
                Verdict::Good(found) => {
                    self.exclude(&chosen);
                    all.push(*found);
                }
                Verdict::Learnt => {}
                Verdict::Stuck => {
                    let mut edits = chosen.iter().filter_map(|&at| self.edits.get(at));
                    // Cuts come to the same each time; how much a narrowing takes away depends on what is known.
                    let same = edits.all(|edit| edit.change == Change::Cut);
                    self.exact &= !all.is_empty() || same && self.is_small();
                    match self.is_small() {
                        true => self.problem.rule_out(&chosen),
                        false => drop(self.exclude(&chosen)),
                    }
                }
            }
        }
        if all.is_empty() && self.cut.is_some() {
            all.extend(self.any_set());
        }
        all
    }

    /// In a small world every cut has a number, so that what is ruled out can be tried with one more.
    fn number_all(&mut self) {
        let Some(&cost) = self.asked.costs.get(&Kind::Cut).filter(|_| self.is_small()) else { return };
        let flows = self.judging.world.model.flows.ids().filter(|&flow| self.declared.can_be_cut(flow));
        for flow in flows.collect::<Vec<_>>() {
            self.number(Edit { on: On::Flow(flow), change: Change::Cut }, cost);
        }
    }

    fn number(&mut self, edit: Edit, cost: u64) -> Choice {
        let next = self.edits.len();
        let number = *self.numbers.entry(edit.clone()).or_insert(next);
        if number == next {
            self.edits.push(edit);
            self.problem.costs.push(cost);
            if self.is_small() {
                self.problem.others.push(number);
            }
        }
        number
    }

    /// Rules out a set and all that have more; whether that is new.
    fn exclude(&mut self, chosen: &[Choice]) -> bool {
        let constraint = Constraint { given: chosen.to_vec(), any: Vec::new() };
        self.excluded.push(constraint.clone());
        self.problem.add(constraint)
    }

    /// Whether all edits can be tried beside what is ruled out.
    fn is_small(&self) -> bool {
        self.judging.world.model.flows.len() <= 64
    }

    /// Some set, without looking for the cheapest: whatever is still there is broken besides, and what turns out not to be
    /// needed is left out again.
    fn any_set(&mut self) -> Option<Found> {
        let mut chosen: Vec<Choice> = Vec::new();
        for _ in 0..FURTHER_ROUNDS {
            let mut problem = self.problem.clone();
            for &choice in &chosen {
                problem.add(Constraint { given: Vec::new(), any: vec![choice] });
            }
            chosen = problem.solve(&mut 0).chosen?;
            match self.try_set(&chosen) {
                Verdict::Good(found) => return Some(self.without_idle(chosen, *found)),
                Verdict::Learnt => {}
                Verdict::Stuck => return None,
            }
        }
        None
    }

    /// A set without the edits that are not needed beside the others, the most expensive looked at first.
    fn without_idle(&mut self, mut chosen: Vec<Choice>, mut found: Found) -> Found {
        let mut order = chosen.clone();
        order.sort_by_key(|&at| (std::cmp::Reverse(self.problem.costs.get(at).copied()), at));
        for at in order.into_iter().take(FURTHER_ROUNDS) {
            let fewer: Vec<Choice> = chosen.iter().copied().filter(|&other| other != at).collect();
            if let Verdict::Good(better) = self.try_set(&fewer) {
                (chosen, found) = (fewer, *better);
            }
        }
        found
    }

    /// Leaves out what cannot be met; whether anything is left out.
    fn give_up(&mut self, stuck: &[Constraint]) -> bool {
        let stuck: FxHashSet<&Constraint> = stuck.iter().collect();
        let of = self
            .chains
            .iter()
            .filter(|chain| stuck.contains(&constraint(chain)))
            .map(|chain| chain.of.clone());
        let of: BTreeSet<String> = of.filter(|of| self.targets.contains(of)).collect();
        for fingerprint in &of {
            self.targets.remove(fingerprint);
            self.unfixable.insert(fingerprint.clone(), Unfixable::Together);
        }
        self.bound = 0;
        self.rebuild();
        !of.is_empty()
    }

    /// The constraints again, of the chains of what is to go and of what edits brought about.
    fn rebuild(&mut self) {
        let open = |chain: &&Chain| !self.unfixable.contains_key(&chain.of);
        let chains = self.chains.iter().filter(open).map(constraint);
        let all: Vec<Constraint> = chains.chain(self.excluded.iter().cloned()).collect();
        self.problem.renew(all);
    }

    /// What the edits of a set come to, each narrowing as much as its chains need; `None`: one comes to nothing.
    fn make(&mut self, chosen: &[Choice]) -> Option<Vec<(On, Made)>> {
        let mut parts: BTreeMap<Choice, Vec<&Part>> =
            chosen.iter().map(|&choice| (choice, Vec::new())).collect();
        for chain in self.chains.iter().filter(|chain| chain.given.iter().all(|given| chosen.contains(given)))
        {
            for choice in chain.relied_on(chosen) {
                // Where a flow is cut, nothing has to be taken from it.
                if let Some(part) = chain.by.get(&choice).filter(|part| **part != Part::Whole) {
                    parts.entry(choice).or_default().push(part);
                }
            }
        }
        let model = &self.judging.world.model;
        let mut made = Vec::new();
        for (choice, parts) in parts {
            let edit = self.edits.get(choice)?;
            made.push((edit.on, self.made(model, edit, &parts)?));
        }
        Some(made)
    }

    fn made(&self, model: &Model, edit: &Edit, parts: &[&Part]) -> Option<Made> {
        let none = (LeafSet::empty(model.data.leaf_count()), BTreeSet::new());
        let flow = edit.on.flow();
        let carried = flow.map_or(&none.0, |flow| &self.judgement.carried()[flow]);
        let senders = flow.and_then(|flow| self.senders.get(&flow)).unwrap_or(&none.1);
        make(model, edit, parts, (carried, senders))
    }

    /// Makes a set of edits and judges what comes of it.
    fn try_set(&mut self, chosen: &[Choice]) -> Verdict {
        let Some(made) = self.make(chosen) else { return Verdict::Stuck };
        self.rounds = self.rounds.saturating_sub(1);
        let Some(world) = self.editable.with(&made) else { return Verdict::Stuck };
        let Judging { sources, options, gate, .. } = self.judging;
        if !self.asked.allow_empty && !Counting::any(&world.model, options.day, &options.scope) {
            return if self.exclude(chosen) { Verdict::Learnt } else { Verdict::Stuck };
        }
        let judgement = evaluate(&world, options);
        let audit = describe_all(&world, sources, options, &judgement);
        let left = audit.findings.iter().any(|finding| self.targets.contains(&finding.fingerprint));
        let opened = failing(&audit, gate).iter().any(|one| !self.failing.contains(one));
        if !left && !opened {
            return Verdict::Good(Box::new(Found { made, audit }));
        }
        let outcome = Outcome { world: Some(world), judgement: Some(judgement), audit: Some(audit) };
        if self.learn(&outcome, chosen) { Verdict::Learnt } else { Verdict::Stuck }
    }

    /// Adds the chains of what is still there, and of what has come; whether any is new.
    fn learn(&mut self, outcome: &Outcome, chosen: &[Choice]) -> bool {
        let world = outcome.world.as_ref().unwrap_or(self.judging.world);
        let judgement = outcome.judgement.as_ref().unwrap_or(self.judgement);
        let edited: BTreeSet<FlowId> =
            chosen.iter().filter_map(|&at| self.edits.get(at)?.on.flow()).collect();
        let declared = self.declared;
        let tried = Tried { world, judgement, edited: &edited };
        let chains = Chains::new(declared, &tried);
        let come: FxHashSet<&str> = outcome
            .audit
            .iter()
            .flat_map(|audit| &audit.findings)
            .filter(|finding| {
                self.judging.gate.stops(finding) && !self.failing.contains(&finding.fingerprint)
            })
            .map(|finding| finding.fingerprint.as_str())
            .collect();
        // What has grown beyond what is accepted was there before: its chains say nothing of that.
        let grown: FxHashSet<&str> = come.iter().copied().filter(|one| self.known.contains(*one)).collect();
        let mut new = false;
        let of = fingerprints(world, judgement);
        let mut all: Vec<(String, Vec<Broken>)> = Vec::new();
        for (fingerprint, violation) in of.into_iter().zip(&judgement.violations) {
            if self.targets.contains(&fingerprint) {
                all.push((fingerprint, chains.of(violation)));
            } else if come.contains(fingerprint.as_str()) && !grown.contains(fingerprint.as_str()) {
                let mut broken = chains.of_new(violation);
                broken
                    .iter_mut()
                    .filter(|one| one.given.is_empty())
                    .for_each(|one| one.given = edited.clone());
                all.push((fingerprint, broken));
            }
        }
        for (fingerprint, broken) in all {
            for one in broken {
                new |= self.add(&fingerprint, one, chosen);
            }
        }
        new
    }

    /// Adds a chain, as far as its edits are made at all; whether it is new.
    fn add(&mut self, of: &str, broken: Broken, chosen: &[Choice]) -> bool {
        let model = &self.judging.world.model;
        let mut by = BTreeMap::new();
        for (edit, part) in broken.by {
            let Some(&cost) = self.asked.costs.get(&edit.change.kind()) else { continue };
            if let (On::Flow(flow), Change::OnlyFrom) = (edit.on, &edit.change) {
                self.senders.entry(flow).or_insert_with(|| {
                    let from = model.flows[flow].from;
                    let up = self.declared.ways.up(model, from);
                    let senders = up.iter().map(|&flow| model.flows[flow].from).chain([from]);
                    let starting = senders.filter(|&system| !model.systems[system].originates.is_empty());
                    starting.map(|system| model.systems[system].origin).collect()
                });
            }
            if self.made(model, &edit, &[&part]).is_none() {
                continue;
            }
            by.insert(self.number(edit, cost), part);
        }
        let given = chosen.iter().copied().filter(|&at| {
            self.edits.get(at).is_some_and(|edit| match edit.on {
                On::Flow(flow) => broken.given.contains(&flow),
                // A derivation that is gone may have brought it about as well.
                On::System(_) => !broken.given.is_empty(),
            })
        });
        let chain = Chain { of: of.to_owned(), given: given.collect(), may: by.clone(), by };
        if self.unfixable.contains_key(of) {
            return false;
        }
        if chain.given.is_empty() && chain.by.is_empty() && self.targets.remove(of) {
            self.unfixable.insert(of.to_owned(), Unfixable::Alone);
            self.bound = 0;
            self.rebuild();
            return true;
        }
        let same =
            |known: &&mut Chain| known.of == chain.of && known.given == chain.given && known.may == chain.may;
        let Some(known) = self.chains.iter_mut().find(same) else {
            self.problem.add(constraint(&chain));
            self.chains.push(chain);
            return true;
        };
        // It is there again, with these edits made: they do not break it. A cut or a derivation that is gone may do so
        // together with others, where it decides what is assumed.
        let before = known.by.len();
        for choice in known.relied_on(chosen) {
            let kind = self.edits.get(choice).map(|edit| edit.change.kind());
            if !matches!(kind, Some(Kind::Cut | Kind::Derives)) {
                known.by.remove(&choice);
            }
        }
        let fewer = known.by.len() < before;
        if fewer {
            self.rebuild();
        }
        fewer
    }
}

/// So many more worlds are judged to find any set at all.
const FURTHER_ROUNDS: usize = 60;

fn constraint(chain: &Chain) -> Constraint {
    Constraint { given: chain.given.clone(), any: chain.by.keys().copied().collect() }
}
