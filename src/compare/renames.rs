//! Declarations that differ from one state to the other in their id alone. References follow, so
//! everything that names them is compared as if the id were the same.
//!
//! A rename is one to one: among what only the base has and what only the head has, just these
//! two are alike, in all that they declare and in all that is declared within them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use super::facets::Facets;
use crate::audit::fingerprint_of;
use crate::base::finding::{Finding, Place, Reliance};
use crate::declare::fields::Declaration;
use crate::model::{Flow, FlowId, Party, SystemId};

/// From ids of the base to ids of the head.
#[derive(Debug, Clone, Default)]
pub struct Renames {
    parties: BTreeMap<String, String>,
    /// By full names; those of renamed parties follow.
    systems: BTreeMap<String, String>,
    agreements: BTreeMap<String, String>,
    /// By full names; those of renamed agreements follow.
    flows: BTreeMap<String, String>,
}

impl Renames {
    /// Whether nothing is renamed.
    pub fn is_empty(&self) -> bool {
        [&self.parties, &self.systems, &self.agreements, &self.flows].iter().all(|map| map.is_empty())
    }

    /// What a party is called.
    pub fn party<'n>(&'n self, id: &'n str) -> &'n str {
        self.parties.get(id).map_or(id, String::as_str)
    }

    /// What an agreement is called.
    pub fn agreement<'n>(&'n self, id: &'n str) -> &'n str {
        self.agreements.get(id).map_or(id, String::as_str)
    }

    /// What a system is called.
    pub fn system<'n>(&self, name: &'n str) -> Cow<'n, str> {
        within(&self.systems, &self.parties, name)
    }

    /// What a flow is called.
    pub fn flow<'n>(&self, name: &'n str) -> Cow<'n, str> {
        within(&self.flows, &self.agreements, name)
    }

    /// What makes a claim, by what it is called.
    pub fn claimant<'n>(&self, claim: &'n Reliance) -> Cow<'n, str> {
        if claim.flow.is_some() { self.flow(claim.by()) } else { self.system(claim.by()) }
    }

    /// All, with the sort of declaration.
    pub fn list(&self) -> impl Iterator<Item = (Declaration, &String, &String)> {
        let all = [
            (Declaration::Party, &self.parties),
            (Declaration::System, &self.systems),
            (Declaration::Agreement, &self.agreements),
            (Declaration::Flow, &self.flows),
        ];
        all.into_iter().flat_map(|(of, map)| map.iter().map(move |(old, new)| (of, old, new)))
    }

    /// Those of which something holds, and the others.
    pub fn split(&self, holds: impl Fn(Declaration, &str) -> bool) -> (Renames, Renames) {
        let part = |of: Declaration, map: &BTreeMap<String, String>| {
            let all = map.iter().map(|(old, new)| (old.clone(), new.clone()));
            all.partition::<BTreeMap<_, _>, _>(|(_, new)| holds(of, new))
        };
        let (parties, systems) =
            (part(Declaration::Party, &self.parties), part(Declaration::System, &self.systems));
        let (agreements, flows) =
            (part(Declaration::Agreement, &self.agreements), part(Declaration::Flow, &self.flows));
        (
            Renames { parties: parties.0, systems: systems.0, agreements: agreements.0, flows: flows.0 },
            Renames { parties: parties.1, systems: systems.1, agreements: agreements.1, flows: flows.1 },
        )
    }

    /// These with the parts of names above systems and flows called as others call them: those of
    /// the first state by `before`, those of the second by `after`.
    #[must_use]
    pub fn within(self, before: &Renames, after: &Renames) -> Renames {
        let map = |all: BTreeMap<String, String>, own: fn(&Renames, &str) -> String| {
            all.into_iter().map(|(old, new)| (own(before, &old), own(after, &new))).collect()
        };
        Renames {
            systems: map(self.systems, |names, name| names.system(name).into_owned()),
            flows: map(self.flows, |names, name| names.flow(name).into_owned()),
            ..self
        }
    }

    /// The way back.
    #[must_use]
    pub fn turned(&self) -> Renames {
        let turn = |map: &BTreeMap<String, String>| {
            map.iter().map(|(old, new)| (new.clone(), old.clone())).collect::<BTreeMap<_, _>>()
        };
        Renames {
            parties: turn(&self.parties),
            systems: turn(&self.systems),
            agreements: turn(&self.agreements),
            flows: turn(&self.flows),
        }
    }

    /// The fingerprint that a finding of the one state has in the other.
    pub fn fingerprint(&self, finding: &Finding) -> String {
        let system = |place: &Option<Place>| place.as_ref().and_then(|place| place.system.clone());
        let (source, sink) = (system(&finding.source), system(&finding.sink));
        let subject = finding.subject.as_deref();
        let renamed = |name: &str| self.system(name).into_owned();
        // Which of these the finding's key is shows in its fingerprint.
        let keys = [
            source.as_deref().zip(sink.as_deref()).map(|(source, sink)| {
                (vec!["pair", source, sink], vec!["pair".to_owned(), renamed(source), renamed(sink)])
            }),
            finding
                .flow
                .as_deref()
                .map(|f| (vec!["flow", f], vec!["flow".to_owned(), self.flow(f).into_owned()])),
            source.as_deref().zip(subject).map(|(at, key)| {
                (vec!["unsourced", at, key], vec!["unsourced".to_owned(), renamed(at), key.to_owned()])
            }),
            subject.map(|s| (vec!["system", s], vec!["system".to_owned(), renamed(s)])),
            subject.map(|s| (vec!["party", s], vec!["party".to_owned(), self.party(s).to_owned()])),
            subject.map(|s| (vec!["group", s], vec!["group".to_owned(), self.party(s).to_owned()])),
            subject.map(|s| (vec!["flow", s], vec!["flow".to_owned(), self.flow(s).into_owned()])),
            subject
                .map(|s| (vec!["agreement", s], vec!["agreement".to_owned(), self.agreement(s).to_owned()])),
        ];
        let own = keys
            .into_iter()
            .flatten()
            .find(|(key, _)| fingerprint_of(&finding.rule, key) == finding.fingerprint);
        own.map_or_else(|| finding.fingerprint.clone(), |(_, key)| fingerprint_of(&finding.rule, &key))
    }
}

/// A name of two parts, the first of which may be renamed.
fn within<'n>(
    own: &BTreeMap<String, String>,
    above: &BTreeMap<String, String>,
    name: &'n str,
) -> Cow<'n, str> {
    if let Some(new) = own.get(name) {
        return Cow::Owned(new.clone());
    }
    match name.split_once('/').and_then(|(first, rest)| Some((above.get(first)?, rest))) {
        Some((first, rest)) => Cow::Owned([first, "/", rest].concat()),
        None => Cow::Borrowed(name),
    }
}

/// What a declaration says, its id aside: its own keys, and what is declared within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    own: Vec<String>,
    within: BTreeMap<String, Vec<String>>,
}

impl Shape {
    fn of(facets: &Facets, leave_out: &str) -> Vec<String> {
        let stated = facets.0.iter().filter(|facet| facet.key != leave_out);
        stated.map(|facet| format!("{}: {:?} {:?}", facet.key, facet.shown, facet.read)).collect()
    }

    /// Whether all that is declared within this is within the other, too, by whatever id.
    fn is_part_of(&self, other: &Shape) -> bool {
        let count = |all: &BTreeMap<String, Vec<String>>| {
            let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
            all.values().for_each(|shape| *counts.entry(shape.clone()).or_default() += 1);
            counts
        };
        let there = count(&other.within);
        count(&self.within).iter().all(|(shape, n)| there.get(shape).is_some_and(|there| there >= n))
    }
}

type Named = Vec<(String, Shape)>;

/// Those that are alike and the only ones that are: first all that is within them, too, then
/// those to which something was added within.
fn pairs(old: Named, new: Named) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (mut old, mut new) = (old, new);
    for exactly in [true, false] {
        let key = |shape: &Shape| {
            if exactly { shape.clone() } else { Shape { own: shape.own.clone(), within: BTreeMap::new() } }
        };
        let mut alike: BTreeMap<Shape, (Named, Named)> = BTreeMap::new();
        for (id, shape) in old.drain(..) {
            alike.entry(key(&shape)).or_default().0.push((id, shape));
        }
        for (id, shape) in new.drain(..) {
            alike.entry(key(&shape)).or_default().1.push((id, shape));
        }
        for (before, after) in alike.into_values() {
            match (before.as_slice(), after.as_slice()) {
                ([(was, old)], [(is, new)]) if old.is_part_of(new) => {
                    found.insert(was.clone(), is.clone());
                }
                _ => {
                    old.extend(before);
                    new.extend(after);
                }
            }
        }
    }
    found
}

/// Finds what the head has under another id, and has the base call it so.
pub fn find(base: &mut Side, head: &Side) {
    base.renames.parties = parties(base, head);
    base.renames.systems = systems(base, head);
    base.renames.agreements = agreements(base, head);
    base.renames.flows = flows(base, head);
}

/// What one state declares and the other does not, by what both call it.
fn only<'a, T>(
    own: impl Iterator<Item = (String, T)> + 'a,
    others: &BTreeSet<String>,
) -> impl Iterator<Item = (String, T)> {
    own.filter(|(name, _)| !others.contains(name))
}

fn parties(base: &Side, head: &Side) -> BTreeMap<String, String> {
    let ids = |side: &Side| side.world.model.parties.values().map(|p| p.id().to_owned()).collect();
    let shape = |side: &Side, others: &BTreeSet<String>| -> Named {
        let model = &side.world.model;
        let all = model.parties.iter().map(|(id, party)| (party.id().to_owned(), id));
        let only = only(all, others);
        only.map(|(name, id)| {
            let systems = model.parties[id].systems.iter();
            let systems = systems
                .map(|&s| (model.systems[s].declared.id.value.clone(), Shape::of(&side.system(s), "")));
            // Its parent may be renamed, too: that is looked at afterwards.
            let own = Shape::of(&side.party(id), "affiliate_of");
            (name, Shape { own, within: systems.collect() })
        })
        .collect()
    };
    let mut found = pairs(shape(base, &ids(head)), shape(head, &ids(base)));
    let parents = |side: &Side| -> BTreeMap<String, Option<String>> {
        let parent = |party: &Party| party.declared.affiliate_of.as_ref().map(|p| p.value.clone());
        side.world.model.parties.values().map(|party| (party.id().to_owned(), parent(party))).collect()
    };
    let (before, after) = (parents(base), parents(head));
    // A party is the same if its parent is: followed up to where that is known.
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    for first in found.keys() {
        let mut climbed = Vec::new();
        let mut at = first.clone();
        let same = loop {
            if let Some(&same) = known.get(&at) {
                break same;
            }
            let was = before.get(&at).cloned().flatten();
            let is = found.get(&at).and_then(|new| after.get(new)).cloned().flatten();
            climbed.push(at);
            match (was, is) {
                (None, None) => break true,
                (Some(was), Some(is)) => match found.get(&was) {
                    Some(new) if *new == is => at = was,
                    Some(_) => break false,
                    None => break was == is,
                },
                _ => break false,
            }
        };
        known.extend(climbed.into_iter().map(|party| (party, same)));
    }
    found.retain(|was, _| known.get(was).copied().unwrap_or_default());
    found
}

fn systems(base: &Side, head: &Side) -> BTreeMap<String, String> {
    let names = |side: &Side| -> BTreeSet<String> {
        side.world.model.systems.ids().map(|id| side.system_name(id).into_owned()).collect()
    };
    let shape = |side: &Side, others: &BTreeSet<String>| -> Named {
        let model = &side.world.model;
        let all = model.systems.ids().map(|id| (side.system_name(id).into_owned(), id));
        let only = only(all, others);
        only.map(|(_, id)| {
            let mut own = Shape::of(&side.system(id), "");
            own.push(format!("of {}", side.party_id(model.systems[id].party)));
            (model.systems[id].name.clone(), Shape { own, within: BTreeMap::new() })
        })
        .collect()
    };
    let mut found = pairs(shape(base, &names(head)), shape(head, &names(base)));
    if found.is_empty() {
        return found;
    }
    // All flows that both have must have followed.
    let flows: BTreeMap<&str, &Flow> =
        head.world.model.flows.values().map(|flow| (flow.name.as_str(), flow)).collect();
    let mut stayed = BTreeSet::new();
    for flow in base.world.model.flows.values() {
        let Some(after) = flows.get(flow.name.as_str()) else {
            continue;
        };
        let name = |side: &Side, system: SystemId| side.world.model.systems[system].name.clone();
        for (was, is) in [(flow.from, after.from), (flow.to, after.to)] {
            let (was, is) = (name(base, was), name(head, is));
            if found.get(&was).is_some_and(|new| *new != is) {
                stayed.insert(was);
            }
        }
    }
    found.retain(|was, _| !stayed.contains(was));
    found
}

fn agreements(base: &Side, head: &Side) -> BTreeMap<String, String> {
    let ids = |side: &Side| side.world.model.agreements.values().map(|a| a.id().to_owned()).collect();
    let shape = |side: &Side, others: &BTreeSet<String>| -> Named {
        let model = &side.world.model;
        let all = model.agreements.iter().map(|(id, agreement)| (agreement.id().to_owned(), id));
        let only = only(all, others);
        only.map(|(name, id)| {
            let flows = model.agreements[id].flows.iter();
            let flows = flows.map(|&f| (model.flows[f].id(model).to_owned(), Shape::of(&side.flow(f), "")));
            (name, Shape { own: Shape::of(&side.agreement(id), ""), within: flows.collect() })
        })
        .collect()
    };
    pairs(shape(base, &ids(head)), shape(head, &ids(base)))
}

fn flows(base: &Side, head: &Side) -> BTreeMap<String, String> {
    let names = |side: &Side| -> BTreeSet<String> {
        side.world.model.flows.ids().map(|id| side.flow_name(id).into_owned()).collect()
    };
    let shape = |side: &Side, others: &BTreeSet<String>| -> Named {
        let all = side.world.model.flows.ids().map(|id: FlowId| (side.flow_name(id).into_owned(), id));
        let only = only(all, others);
        only.map(|(_, id)| {
            let flow = &side.world.model.flows[id];
            let agreement = flow.agreement.map(|agreement| side.agreement_id(agreement));
            let mut own = Shape::of(&side.flow(id), "");
            own.push(format!("under {agreement:?}"));
            (flow.name.clone(), Shape { own, within: BTreeMap::new() })
        })
        .collect()
    };
    pairs(shape(base, &names(head)), shape(head, &names(base)))
}
