//! How far items are distinguished in a certificate: as far as the list of findings does, and further
//! only where items that are followed together would show what is not listed.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::flow_checks::{ALONE, ENDED};
use super::found::{Findings, Found};
use super::parts::{Ask, Asked};
use super::sets::Sets;
use super::terms::TERMS;
use super::walks::{Class, Shown, Toward, spread};
use crate::base::bits::LeafSet;
use crate::model::{AgreementId, PartyId, SystemId};

/// A class, what it comes to and what it shows.
pub struct Reach {
    /// The class.
    pub class: Class,
    /// Its items, wherever they can still get to a target.
    pub sets: Sets,
    shown: BTreeSet<Shown>,
}

/// The listed findings on terms that concern each agreement.
pub type Concerning<'f> = FxHashMap<AgreementId, Vec<&'f Found>>;

/// The listed findings on terms, by agreement.
pub fn concerning(findings: &Findings) -> Concerning<'_> {
    let mut all = Concerning::default();
    for (_, found) in TERMS.iter().flat_map(|rule| findings.of(rule)) {
        for &agreement in &found.agreements {
            all.entry(agreement).or_default().push(found);
        }
    }
    all
}

/// What classes show.
pub fn shown(classes: &[Reach]) -> impl Iterator<Item = (&Class, &BTreeSet<Shown>)> {
    classes.iter().map(|reach| (&reach.class, &reach.shown))
}

/// The sets of all classes of a question, distinguished as far as need be.
pub fn followed(ask: &Ask, concerning: &Concerning, toward: &Toward) -> Vec<Reach> {
    let mut classes = Vec::new();
    for class in told_apart(ask, concerning, toward) {
        follow(ask, toward, class, &mut classes);
    }
    classes
}

/// The sets of all classes, distinguished no further than the list of findings does; `None` if one of
/// them shows what it must not.
pub fn together(
    ask: &Ask,
    concerning: &Concerning,
    toward: &Toward,
    wrong: impl Fn(&Class, Shown) -> bool,
) -> Option<Vec<Reach>> {
    let follow = |class: Class| {
        let (sets, shown) = spread(ask.ground, ask.question(), toward, &class, |one| wrong(&class, one))?;
        Some(Reach { class, sets, shown })
    };
    told_apart(ask, concerning, toward).into_iter().map(follow).collect()
}

/// Those of a limit's classes that show some places by the parties that flows name, or by all if they
/// are counted; all others as they are.
pub fn by_party(ask: &Ask, toward: &Toward, classes: Vec<Reach>, places: &BTreeSet<usize>) -> Vec<Reach> {
    let ground = ask.ground;
    let counted = matches!(ask.asked, Asked::Limit(_, true));
    let mut all = Vec::new();
    for reach in classes {
        if !places.iter().any(|&place| reach.shown.contains(&Shown::Place(place))) {
            all.push(reach);
            continue;
        }
        let mut pieces: BTreeMap<Option<PartyId>, BTreeMap<SystemId, LeafSet>> = BTreeMap::new();
        for (&system, leaves) in &reach.class.starts {
            let party = ground.model.systems[system].origin;
            let apart = Some(party).filter(|party| counted || ground.named.contains(party));
            pieces.entry(apart).or_default().insert(system, leaves.clone());
        }
        for starts in pieces.into_values() {
            let class = Class::new(ground, reach.class.assumed, starts);
            all.extend(all_of(ask, toward, class));
        }
    }
    all
}

/// Whether assumed, and of which listed findings.
type Kind = (bool, Vec<usize>);

/// The items that can get to a target, distinguished by the findings that they are listed in.
fn told_apart(ask: &Ask, concerning: &Concerning, toward: &Toward) -> Vec<Class> {
    let ground = ask.ground;
    let everywhere = LeafSet::full(ground.model.data.leaf_count());
    let common = by_findings(&everywhere, listed(ask, concerning));
    let mut kinds: BTreeMap<Kind, BTreeMap<SystemId, LeafSet>> = BTreeMap::new();
    for assumed in [false, true] {
        for (system, useful) in ask.useful(toward, assumed) {
            let own = match ask.asked {
                // Sources whose data gets to the same places belong together.
                Asked::Forbid(_) => {
                    let own = ask.findings.from(ask.rule, system);
                    by_findings(&useful, own.map(|(sink, found)| (sink.0 as usize, found)))
                }
                _ => common.clone(),
            };
            for (findings, leaves) in own {
                let here = leaves.and(&useful);
                if !here.is_empty() {
                    kinds.entry((assumed, findings)).or_default().insert(system, here);
                }
            }
        }
    }
    kinds.into_iter().map(|((assumed, _), starts)| Class::new(ground, assumed, starts)).collect()
}

/// The listed findings that items may be of wherever they start.
fn listed<'f>(ask: &Ask<'f>, concerning: &Concerning<'f>) -> impl Iterator<Item = (usize, &'f Found)> {
    let findings = ask.findings;
    let of_rule = |rule| findings.of(rule).map(|(_, found)| (found.at, found));
    let all: BTreeMap<usize, &Found> = match &ask.asked {
        Asked::Forbid(_) => BTreeMap::new(),
        Asked::Limit(..) => of_rule(ask.rule).collect(),
        Asked::Flows(_) => ALONE.into_iter().chain([ENDED]).flat_map(of_rule).collect(),
        Asked::Terms(question) => {
            let all = question.agreements().into_iter().filter_map(|agreement| concerning.get(&agreement));
            all.flatten().map(|&found| (found.at, found)).collect()
        }
    };
    all.into_iter()
}

/// Leaves by the findings whose data they are of.
fn by_findings<'f>(
    leaves: &LeafSet,
    findings: impl Iterator<Item = (usize, &'f Found)>,
) -> Vec<(Vec<usize>, LeafSet)> {
    let mut kinds = vec![(Vec::new(), leaves.clone())];
    for (at, found) in findings {
        let mut split = Vec::new();
        for (mut of, leaves) in kinds {
            let within = leaves.and(&found.data);
            let others = leaves.minus(&found.data);
            if !others.is_empty() {
                split.push((of.clone(), others));
            }
            if !within.is_empty() {
                of.push(at);
                split.push((of, within));
            }
        }
        kinds = split;
    }
    kinds
}

/// What all of a class comes to, whatever it shows.
fn all_of(ask: &Ask, toward: &Toward, class: Class) -> Option<Reach> {
    let (sets, shown) = spread(ask.ground, ask.question(), toward, &class, |_| false)?;
    Some(Reach { class, sets, shown })
}

/// Follows a class; if that shows what is not listed, each party's part of it, or each
/// system's.
fn follow(ask: &Ask, toward: &Toward, class: Class, followed: &mut Vec<Reach>) {
    let (ground, question) = (ask.ground, ask.question());
    let unlisted = |shown| !ask.missing_findings(&class, shown).is_empty();
    if let Some((sets, shown)) = spread(ground, question, toward, &class, unlisted) {
        followed.push(Reach { class, sets, shown });
        return;
    }
    let party = |system: SystemId| ground.model.systems[system].origin;
    let several = class.parties().len() > 1;
    let mut pieces: BTreeMap<(PartyId, Option<SystemId>), BTreeMap<SystemId, LeafSet>> = BTreeMap::new();
    for (&system, leaves) in &class.starts {
        let key = (party(system), (!several).then_some(system));
        pieces.entry(key).or_default().insert(system, leaves.clone());
    }
    if pieces.len() > 1 {
        for starts in pieces.into_values() {
            follow(ask, toward, Class::new(ground, class.assumed, starts), followed);
        }
    } else {
        followed.extend(all_of(ask, toward, class));
    }
}
