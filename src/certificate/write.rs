//! Writing: items are told apart as far as the list of findings tells them apart, and further
//! only where items that are followed together would show what is not listed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;

use super::found::{Findings, Found, Names, rules};
use super::ground::Ground;
use super::parts::{Ask, Asked, categories};
use super::questions::{Carried, Forbidden, Limited, Sticky, Under, place_of, places};
use super::sets::{Dictionary, Sets};
use super::walks::{Class, Toward, spread};
use super::{About, Apart, Followed, Judged, Listed, NOT_COVERED, Part, VERSION, alone, assumed};
use crate::audit::Options;
use crate::bits::LeafSet;
use crate::finding::{Audit, Finding, FindingStatus};
use crate::load::World;
use crate::model::{PartyId, SystemId};
use crate::policy::{Body, Limit};
use crate::visible::in_json;

/// Writes the certificate of an audit; `files` are the digests of what was read.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    world: &World,
    files: &[(String, String)],
    options: &Options,
    audit: &Audit,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut ground = Ground::new(world, options.day, &options.scope);
    let listed: Vec<Listed> = audit.findings.iter().map(list).collect();
    let names = Names::new(world);
    let findings = Findings::new(&names, &listed, &mut Vec::new());
    for (about, _) in findings.of("flow/unsourced") {
        if let About::Unsourced(system, key) = about {
            assumed::add(&mut ground, (system, key));
        }
    }
    head(world, files, options, &listed, out)?;
    let writer = || Writer { ground: &ground, findings: &findings, parts: Vec::new() };
    let rules = rules(world);
    let of_rules = rules.par_iter().map(|(rule, body)| {
        let mut writer = writer();
        writer.rule(rule, body).map(|()| writer.parts)
    });
    let groups = alike(Under::all(&ground));
    let of_terms = groups.par_iter().map(|group| {
        let mut writer = writer();
        writer.terms(group).map(|()| writer.parts)
    });
    let mut of_flows = writer();
    of_flows.flows()?;
    let (of_rules, of_terms): (Vec<_>, Vec<_>) = rayon::join(|| of_rules.collect(), || of_terms.collect());
    let mut before = "\n";
    for parts in of_rules.into_iter().chain([Ok(of_flows.parts)]).chain(of_terms) {
        for part in parts? {
            out.write_all(before.as_bytes())?;
            out.write_all(part.as_bytes())?;
            before = ",\n";
        }
    }
    out.write_all(b"\n]}\n")
}

fn head(
    world: &World,
    files: &[(String, String)],
    options: &Options,
    listed: &[Listed],
    out: &mut dyn Write,
) -> io::Result<()> {
    let judged = Judged::of(options);
    let systems: Vec<&str> = world.model.systems.values().map(|system| system.name.as_str()).collect();
    write!(out, "{{\"certificate\":{VERSION}")?;
    key(out, "ringfence", &env!("CARGO_PKG_VERSION"))?;
    key(out, "judged", &judged)?;
    key(out, "inventory", &world.digest)?;
    key(out, "files", &files)?;
    key(out, "systems", &systems)?;
    key(out, "not_covered", &NOT_COVERED)?;
    out.write_all(b",\n\"findings\":[")?;
    for (at, finding) in listed.iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, finding)?;
    }
    out.write_all(b"],\n\"parts\":[")
}

fn key(out: &mut dyn Write, key: &str, value: &impl Serialize) -> io::Result<()> {
    // The names of files are anything; all others are ids.
    write!(out, ",\n\"{key}\":{}", in_json(&serde_json::to_string(value)?))
}

/// A finding of an audit as it is listed.
pub fn list(finding: &Finding) -> Listed {
    let place = |place: &Option<crate::finding::Place>| {
        place.as_ref().map(|p| p.system.clone().unwrap_or_else(|| p.party.clone()))
    };
    let walk = |walk: &crate::finding::Chain| walk.iter().map(|hop| hop.flow.clone()).collect();
    Listed {
        fingerprint: finding.fingerprint.clone(),
        rule: finding.rule.clone(),
        source: place(&finding.source),
        sink: place(&finding.sink),
        flow: finding.flow.clone(),
        subject: finding.subject.clone(),
        agreements: finding.agreements.clone(),
        data: finding.data.clone(),
        waived: finding.status == FindingStatus::Waived,
        walks: finding.witnesses.iter().map(walk).collect(),
    }
}

/// Terms that are followed apart from others that say the same.
struct Alone {
    flows: Vec<String>,
    toward: Sets,
    classes: Vec<(Class, Sets)>,
}

struct Writer<'w> {
    ground: &'w Ground<'w>,
    findings: &'w Findings,
    /// What is written of each part.
    parts: Vec<String>,
}

impl Writer<'_> {
    fn rule(&mut self, rule: &str, body: &Body) -> io::Result<()> {
        match body {
            Body::Forbid(forbid) => {
                let asked = Asked::Forbid(Forbidden::new(self.ground, forbid));
                self.ask(rule, None, asked)
            }
            Body::Limit(limit) => self.limit(rule, limit),
            Body::Require(_) => Ok(()),
        }
    }

    fn limit(&mut self, rule: &str, limit: &Limit) -> io::Result<()> {
        let places = places(self.ground, limit);
        let place_of = place_of(self.ground, &places);
        let (all, at_most) = categories(self.ground, limit);
        for (at, data) in all.into_iter().enumerate() {
            let question = Limited::new(self.ground, limit, data, &place_of);
            self.ask(rule, Some(at), Asked::Limit(question, at_most.is_some()))?;
        }
        Ok(())
    }

    fn flows(&mut self) -> io::Result<()> {
        let ground = self.ground;
        let flows = ground.counting.iter().filter(|&flow| !alone::broken(ground, flow).is_empty()).collect();
        self.ask("flow", None, Asked::Flows(Carried { flows }))
    }

    /// Terms that say the same together, if nothing may break them; else each alone, by what is known
    /// of all of them.
    fn terms(&mut self, group: &[Under]) -> io::Result<()> {
        let (ground, findings) = (self.ground, self.findings);
        let asked = Asked::Terms(Sticky::found(ground, group));
        let ask = Ask { ground, rule: "terms", findings, asked };
        let toward = Toward::new(ask.planes(), None).find(ground, ask.question());
        let flows = self.first_flows(group);
        if group.len() == 1 {
            return self.write(&ask, (None, flows), &toward, &followed(&ask, &toward), &[]);
        }
        if let Some(classes) = unbroken(&ask, &toward) {
            return self.write(&ask, (None, flows), &toward, &classes, &[]);
        }
        let apart = group.par_iter().map(|one| {
            let alone = std::slice::from_ref(one);
            let asked = Asked::Terms(Sticky::new(ground, alone));
            let ask = Ask { ground, rule: "terms", findings, asked };
            let own = Toward::new(true, Some(&toward.sets)).find(ground, ask.question());
            let classes = followed(&ask, &own);
            Alone { flows: self.first_flows(alone), toward: own.sets, classes }
        });
        let apart: Vec<_> = apart.collect();
        self.write(&ask, (None, flows), &toward, &[], &apart)
    }

    fn first_flows(&self, group: &[Under]) -> Vec<String> {
        let first = group.iter().filter_map(|under| under.flows.first());
        first.map(|&flow| self.ground.model.flows[flow].name.clone()).collect()
    }

    fn ask(&mut self, rule: &str, category: Option<usize>, asked: Asked) -> io::Result<()> {
        let ask = Ask { ground: self.ground, rule, findings: self.findings, asked };
        let toward = Toward::new(ask.planes(), None).find(self.ground, ask.question());
        self.write(&ask, (category, Vec::new()), &toward, &followed(&ask, &toward), &[])
    }

    fn write(
        &mut self,
        ask: &Ask,
        (category, flows): (Option<usize>, Vec<String>),
        toward: &Toward,
        classes: &[(Class, Sets)],
        apart: &[Alone],
    ) -> io::Result<()> {
        let model = self.ground.model;
        let mut leaves = Dictionary::default();
        let rule = ask.rule.to_owned();
        let under = ask.question().confines().map(|sets| leaves.write(model, sets)).unwrap_or_default();
        let toward = leaves.write(model, &toward.sets);
        let write = |classes: &[(Class, Sets)], leaves: &mut Dictionary| -> Vec<Followed> {
            let written = classes.iter().map(|(class, sets)| Followed {
                assumed: class.assumed,
                starts: leaves.write_starts(model, &class.starts),
                sets: leaves.write(model, sets),
            });
            written.collect()
        };
        let classes = write(classes, &mut leaves);
        let apart = apart.iter().map(|alone| Apart {
            flows: alone.flows.clone(),
            toward: leaves.write(model, &alone.toward),
            classes: write(&alone.classes, &mut leaves),
        });
        let apart = apart.collect();
        let part = Part { rule, category, flows, leaves, under, toward, classes, apart };
        self.parts.push(serde_json::to_string(&part)?);
        Ok(())
    }
}

/// The sets of all classes of a question, told apart as far as need be.
fn followed(ask: &Ask, toward: &Toward) -> Vec<(Class, Sets)> {
    let mut classes = Vec::new();
    for class in told_apart(ask, toward) {
        follow(ask, toward, class, &mut classes);
    }
    classes
}

/// Terms that say the same, together.
fn alike(all: Vec<Under>) -> Vec<Vec<Under>> {
    let mut groups: BTreeMap<String, Vec<Under>> = BTreeMap::new();
    for one in all {
        groups.entry(one.says().to_owned()).or_default().push(one);
    }
    groups.into_values().collect()
}

/// The sets of terms that are followed together, if they show nothing.
fn unbroken(ask: &Ask, toward: &Toward) -> Option<Vec<(Class, Sets)>> {
    let follow = |class: Class| {
        let (sets, _) = spread(ask.ground, ask.question(), toward, &class, |_| true)?;
        Some((class, sets))
    };
    told_apart(ask, toward).into_iter().map(follow).collect()
}

/// Whether assumed, whose if that matters, and of which listed findings.
type Kind = (bool, Option<PartyId>, Vec<usize>);

/// The items that can get to a target, told apart by the findings that they are listed in.
fn told_apart(ask: &Ask, toward: &Toward) -> Vec<Class> {
    let ground = ask.ground;
    let everywhere = LeafSet::full(ground.model.data.leaf_count());
    let common = match ask.asked {
        Asked::Forbid(_) => Vec::new(),
        _ => by_findings(&everywhere, ask.listed(SystemId(0))),
    };
    let mut kinds: BTreeMap<Kind, BTreeMap<SystemId, LeafSet>> = BTreeMap::new();
    for assumed in [false, true] {
        for (system, useful) in ask.useful(toward, assumed) {
            let own = match ask.asked {
                Asked::Forbid(_) => by_findings(&useful, ask.listed(system)),
                _ => common.clone(),
            };
            let apart = ask.apart(ground.model.systems[system].party);
            for (findings, leaves) in own {
                let here = leaves.and(&useful);
                if !here.is_empty() {
                    kinds.entry((assumed, apart, findings)).or_default().insert(system, here);
                }
            }
        }
    }
    kinds.into_iter().map(|((assumed, ..), starts)| Class::new(ground, assumed, starts)).collect()
}

/// Leaves by the findings whose data they are of.
fn by_findings(leaves: &LeafSet, findings: Vec<&Found>) -> Vec<(Vec<usize>, LeafSet)> {
    let mut kinds = vec![(Vec::new(), leaves.clone())];
    for found in findings {
        let mut split = Vec::new();
        for (of, leaves) in kinds {
            let within = leaves.and(&found.data);
            let others = leaves.minus(&found.data);
            if !within.is_empty() {
                let mut with = of.clone();
                with.push(found.at);
                split.push((with, within));
            }
            if !others.is_empty() {
                split.push((of, others));
            }
        }
        kinds = split;
    }
    kinds
}

/// Follows a class; if that shows what is not listed, each party's part of it, or each
/// system's.
fn follow(ask: &Ask, toward: &Toward, class: Class, followed: &mut Vec<(Class, Sets)>) {
    let (ground, question) = (ask.ground, ask.question());
    let unlisted = |shown| !ask.owed(&class, shown).is_empty();
    if let Some((sets, _)) = spread(ground, question, toward, &class, unlisted) {
        followed.push((class, sets));
        return;
    }
    let party = |system: SystemId| ground.model.systems[system].party;
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
    } else if let Some((sets, _)) = spread(ground, question, toward, &class, |_| false) {
        followed.push((class, sets));
    }
}
