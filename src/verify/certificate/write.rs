//! Writing: items are distinguished as far as the list of findings distinguishes them, and further
//! only where items that are followed together would show what is not listed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;

use super::classes::{Concerning, Reach, by_party, concerning, followed, shown, together};
use super::found::{Findings, Names, rules};
use super::parts::{Ask, Asked, categories, present, too_much};
use super::questions::{Carried, Forbidden, Limited, place_of, places};
use super::sets::{Dictionary, Sets};
use super::sticky::Sticky;
use super::terms::Under;
use super::walks::Toward;
use super::world::Ground;
use super::{
    About, Apart, Extent, Followed, Judged, Listed, NOT_COVERED, Part, VERSION, assumed, flow_checks,
};
use crate::audit::Options;
use crate::base::bits::LeafSet;
use crate::base::finding::{Audit, Finding, FindingStatus, Walk};
use crate::base::visible::in_json;
use crate::declare::policy::{Body, Limit};
use crate::model::Model;
use crate::model::load::World;

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
    let model = world.model.with_ghosts(options.day, &options.scope);
    let mut ground = Ground::new(&model, options.day, &options.scope);
    let listed: Vec<Listed> = audit.findings.iter().map(list).collect();
    let names = Names::new(world);
    let findings = Findings::new(&names, &listed, &mut Vec::new());
    for (about, _) in findings.of("flow/unsourced") {
        if let About::Unsourced(system, key) = about {
            assumed::add(&mut ground, (system, key));
        }
    }
    head((world, &model), files, options, &listed, out)?;
    let concerning = concerning(&findings);
    let writer =
        || Writer { ground: &ground, findings: &findings, concerning: &concerning, parts: Vec::new() };
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
    (world, model): (&World, &Model),
    files: &[(String, String)],
    options: &Options,
    listed: &[Listed],
    out: &mut dyn Write,
) -> io::Result<()> {
    let judged = Judged::of(options);
    let systems: Vec<Cow<str>> = model.system_labels().collect();
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
    let place = |place: &Option<crate::base::finding::Place>| {
        place.as_ref().map(|p| p.system.clone().unwrap_or_else(|| p.party.clone()))
    };
    let walk = |walk: &Walk| walk.flows().map(str::to_owned).collect();
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
        extent: (finding.grown || finding.status != FindingStatus::New).then(|| Extent {
            severity: finding.severity,
            prospective: finding.prospective,
            arrives_as: finding.arrives_as.clone(),
            origins: finding.whose().map(<[String]>::to_vec),
        }),
        walks: finding.witnesses.iter().map(walk).collect(),
    }
}

/// Terms that are followed apart from others that say the same.
struct Alone {
    flows: Vec<String>,
    toward: Sets,
    classes: Vec<Reach>,
}

struct Writer<'w> {
    ground: &'w Ground<'w>,
    findings: &'w Findings,
    concerning: &'w Concerning<'w>,
    /// What is written of each part.
    parts: Vec<String>,
}

impl<'w> Writer<'w> {
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

    /// All items of a category are followed together first; where they come to too much that is not
    /// listed, those of each party that any flow names.
    fn limit(&mut self, rule: &str, limit: &Limit) -> io::Result<()> {
        let (ground, findings) = (self.ground, self.findings);
        let places = places(ground, limit);
        let place_of = place_of(ground, &places);
        let (all, count) = categories(ground, limit);
        let follow = |data: LeafSet| {
            let asked = Asked::Limit(Limited::new(ground, limit, data, &place_of), count.parties());
            let ask = Ask { ground, rule, findings, asked };
            let toward = Toward::new(Sets::default(), false, None).find(ground, ask.question());
            let classes = followed(&ask, self.concerning, &toward);
            (ask, toward, classes)
        };
        let mut followed: Vec<(Ask, Toward, Vec<Reach>)> = all.into_iter().map(follow).collect();
        let found = followed.iter().map(|(ask, _, classes)| present(ask, shown(classes)));
        let found: Vec<_> = found.collect();
        let missing = followed.first().map(|(ask, ..)| too_much(ask, &places, &found, count));
        let missing: BTreeSet<usize> = missing.into_iter().flatten().map(|(place, _)| place).collect();
        for (at, (ask, toward, classes)) in followed.iter_mut().enumerate() {
            if !missing.is_empty() {
                *classes = by_party(ask, toward, std::mem::take(classes), &missing);
            }
            self.write(ask, (Some(at), Vec::new()), toward, classes, &[])?;
        }
        Ok(())
    }

    fn flows(&mut self) -> io::Result<()> {
        let ground = self.ground;
        let offending = ground.counting.iter().filter(|&flow| !flow_checks::broken(ground, flow).is_empty());
        let flows = offending.chain(flow_checks::ended(ground).into_values().flatten()).collect();
        self.ask("flow", None, Asked::Flows(Carried { flows }))
    }

    /// Terms that say the same together, if nothing may break them; else by what is known of all of
    /// them those that the same findings concern, or each alone.
    fn terms(&mut self, group: &[Under]) -> io::Result<()> {
        let (ground, findings) = (self.ground, self.findings);
        let asked = Asked::Terms(Sticky::found(ground, group));
        let ask = Ask { ground, rule: "terms", findings, asked };
        let toward = Toward::new(Sets::default(), ask.planes(), None).find(ground, ask.question());
        let flows = self.first_flows(group);
        if group.len() == 1 {
            let classes = followed(&ask, self.concerning, &toward);
            return self.write(&ask, (None, flows), &toward, &classes, &[]);
        }
        if let Some(classes) = together(&ask, self.concerning, &toward, |_, _| true) {
            return self.write(&ask, (None, flows), &toward, &classes, &[]);
        }
        let Asked::Terms(question) = &ask.asked else {
            return Ok(());
        };
        let mut alike: BTreeMap<Vec<usize>, Vec<Under>> = BTreeMap::new();
        for one in group {
            let concerning = self.concerning.get(&one.agreement).into_iter().flatten();
            alike.entry(concerning.map(|found| found.at).collect()).or_default().push(one.clone());
        }
        let alike: Vec<Vec<Under>> = alike.into_values().collect();
        let apart = alike.par_iter().flat_map_iter(|these| self.apart(question, &toward, these));
        let apart: Vec<Alone> = apart.collect();
        self.write(&ask, (None, flows), &toward, &[], &apart)
    }

    /// Terms that the same findings concern together, if that shows nothing else; else each alone.
    fn apart(&self, question: &Sticky, toward: &Toward, these: &[Under]) -> Vec<Alone> {
        let (ground, findings) = (self.ground, self.findings);
        let follow = |these: &[Under], whole: bool| {
            let ask = Ask { ground, rule: "terms", findings, asked: Asked::Terms(question.alone(these)) };
            let own = Toward::new(Sets::default(), true, Some(toward)).find(ground, ask.question());
            let classes = if whole {
                followed(&ask, self.concerning, &own)
            } else {
                together(&ask, self.concerning, &own, |class, shown| {
                    !ask.missing_findings(class, shown).is_empty()
                })?
            };
            Some(Alone { flows: self.first_flows(these), toward: own.sets, classes })
        };
        if these.len() > 1
            && let Some(all) = follow(these, false)
        {
            return vec![all];
        }
        these.iter().filter_map(|one| follow(std::slice::from_ref(one), true)).collect()
    }

    fn first_flows(&self, group: &[Under]) -> Vec<String> {
        let first = group.iter().filter_map(|under| under.flows.first());
        first.map(|&flow| self.ground.model.flows[flow].name.clone()).collect()
    }

    fn ask(&mut self, rule: &str, category: Option<usize>, asked: Asked) -> io::Result<()> {
        let ask = Ask { ground: self.ground, rule, findings: self.findings, asked };
        let toward = Toward::new(Sets::default(), ask.planes(), None).find(self.ground, ask.question());
        let classes = followed(&ask, self.concerning, &toward);
        self.write(&ask, (category, Vec::new()), &toward, &classes, &[])
    }

    fn write(
        &mut self,
        ask: &Ask,
        (category, flows): (Option<usize>, Vec<String>),
        toward: &Toward,
        classes: &[Reach],
        apart: &[Alone],
    ) -> io::Result<()> {
        let model = self.ground.model;
        let mut leaves = Dictionary::default();
        let rule = ask.rule.to_owned();
        let under = ask.question().confines().map(|sets| leaves.write(model, sets)).unwrap_or_default();
        let toward = leaves.write(model, &toward.sets);
        let write = |classes: &[Reach], leaves: &mut Dictionary| -> Vec<Followed> {
            let written = classes.iter().map(|Reach { class, sets, .. }| Followed {
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

/// Terms that say the same, together.
fn alike(all: Vec<Under>) -> Vec<Vec<Under>> {
    let mut groups: BTreeMap<String, Vec<Under>> = BTreeMap::new();
    for one in all {
        groups.entry(one.says().to_owned()).or_default().push(one);
    }
    groups.into_values().collect()
}
