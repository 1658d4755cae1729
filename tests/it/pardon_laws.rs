//! Random changes that bring flows and claim something of what was there: the claims hide nothing
//! that the flows alone would bring.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use serde_json::Value;

use crate::naive::world::{Agreement, Assurance, Day, Disposed, Duration, Effective, Flow, FlowBody, World};
use crate::naive::{generate, harness, write};

/// Numbers that look random and are told by a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most.max(1)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one<T: Clone>(&mut self, list: &[T]) -> T {
        let at = self.below(list.len());
        list[at].clone()
    }
}

/// A world with some more flows between systems that are there.
fn with_flows(world: &World, dice: &mut Dice) -> World {
    let mut world = world.clone();
    let systems: Vec<String> =
        world.parties.iter().flat_map(|p| p.systems.iter().map(|s| format!("{}/{}", p.id, s.id))).collect();
    if systems.len() < 2 {
        return world;
    }
    let flows = world.flows.iter().chain(world.agreements.iter().flat_map(|a| &a.flows));
    let mut data: Vec<String> = flows.flat_map(|flow| flow.body.data.clone()).collect();
    data.push("financial".to_owned());
    for at in 0..1 + dice.below(3) {
        let (from, to) = (dice.one(&systems), dice.one(&systems));
        if from == to {
            continue;
        }
        let purposes = vec![dice.one(&["service", "advertising", "analytics"]).to_owned()];
        let data = vec![dice.one(&data)];
        let body = FlowBody { from: Some(from), to: Some(to), data, purposes, ..FlowBody::default() };
        world.flows.push(Flow { id: format!("new-{at}"), body, ..Flow::default() });
    }
    world
}

const STATUSES: [&str; 4] = ["proposed", "active", "suspended", "terminated"];

fn claim_of_flow(body: &mut FlowBody, parties: &[String], dice: &mut Dice) {
    match dice.below(10) {
        0 => body.consent = Some("opt_in".to_owned()),
        1 => body.transform = Some("anonymised".to_owned()),
        2 if body.only_from.is_empty() => body.only_from = vec![dice.one(parties)],
        3 => body.safeguards.extend(["claimed".to_owned(), "hsm".to_owned()]),
        4 => body.retention = Some(Duration("1h".to_owned())),
        5 => body.tags = vec![dice.one(&["a", "b", "gold", "partner"]).to_owned()],
        6 => body.legal_basis = vec![dice.one(&["consent", "contract"]).to_owned()],
        7 => {
            body.labels.insert("dpia".to_owned(), "ok".to_owned());
        }
        8 if body.disposed.is_none() => {
            body.disposed =
                Some(Disposed { date: Some(Day::of("2019-01-01")), evidence: "shredded".to_owned() });
        }
        9 if body.effective.is_none() => {
            body.effective = Some(Effective { from: Some(Day::of("2039-01-01")), until: None });
        }
        _ => {}
    }
}

fn claim_of_agreement(agreement: &mut Agreement, parties: &[String], admitted: &[String], dice: &mut Dice) {
    match dice.below(9) {
        0 => agreement.kind = Some("processing".to_owned()),
        1 => {
            let status = agreement.status.clone().unwrap_or_else(|| "active".to_owned());
            if admitted.contains(&status) {
                agreement.status = Some(dice.one(&STATUSES).to_owned());
            }
        }
        2 => agreement.legal_basis = vec![dice.one(&["consent", "contract"]).to_owned()],
        3 => agreement.assurances.push(Assurance { id: "claimed".to_owned(), ..Assurance::default() }),
        4 => {
            agreement.labels.insert("dpia".to_owned(), "ok".to_owned());
        }
        5 => agreement.terms.onward_transfer = Some("permitted".to_owned()),
        6 => {
            let all = ["none", "tokenised", "pseudonymised", "aggregated", "anonymised"];
            agreement.terms.released_by = Some(all.map(str::to_owned).to_vec());
        }
        7 => {
            agreement.terms.purposes = None;
            agreement.terms.prohibited_purposes.clear();
            agreement.terms.retention = None;
            agreement.terms.consent = None;
            agreement.terms.safeguards.clear();
        }
        _ => {
            let party = dice.one(parties);
            if !agreement.parties.contains(&party) {
                agreement.parties.push(party);
            }
        }
    }
}

/// A world that says more of what is in another one, nothing of it a flow.
fn with_claims(world: &World, base: &World, dice: &mut Dice) -> World {
    let mut world = world.clone();
    let ids: Vec<String> = world.parties.iter().map(|p| p.id.clone()).collect();
    let top = world.parties.iter().find(|p| p.affiliate_of.is_none()).map(|p| p.id.clone());
    for party in &mut world.parties {
        if !dice.once_in(3) {
            continue;
        }
        match dice.below(6) {
            0 => party.role = Some(dice.one(&["bank", "platform", "other", "processor"]).to_owned()),
            1 => party.jurisdiction = Some(dice.one(&["US", "DE", "FR"]).to_owned()),
            2 if party.affiliate_of.is_some() => party.affiliate_of = None,
            3 if party.affiliate_of.is_none() && top.as_ref() != Some(&party.id) => {
                party.affiliate_of.clone_from(&top);
            }
            4 => {
                party.labels.insert("dpia".to_owned(), "ok".to_owned());
            }
            _ => {}
        }
        for system in &mut party.systems {
            match dice.below(7) {
                0 => system.region = vec![dice.one(&["US", "DE", "FR"]).to_owned()],
                1 => system.tags = vec![dice.one(&["a", "b", "gold", "partner"]).to_owned()],
                2 => {
                    system.labels.insert("dpia".to_owned(), "ok".to_owned());
                }
                3 => {
                    system.originates.pop();
                }
                4 => {
                    system.derives.pop();
                }
                5 if system.purposes.len() > 1 => {
                    system.purposes.pop();
                }
                _ => {}
            }
        }
    }
    let all = || STATUSES.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let admitted = base.call.status.clone().unwrap_or_else(all);
    for agreement in &mut world.agreements {
        if dice.once_in(2) {
            claim_of_agreement(agreement, &ids, &admitted, dice);
        }
        for flow in &mut agreement.flows {
            if dice.once_in(3) {
                claim_of_flow(&mut flow.body, &ids, dice);
            }
        }
    }
    for flow in world.flows.iter_mut().filter(|flow| !flow.id.starts_with("new-")) {
        if dice.once_in(3) {
            claim_of_flow(&mut flow.body, &ids, dice);
        }
    }
    world
}

fn compared(folder: &Path, base: &World, head: &str, more: &[&str]) -> Result<Value, String> {
    let inventory = format!("{head}/inventory");
    let mut args: Vec<String> = ["diff", "base/inventory"].map(str::to_owned).to_vec();
    args.push(inventory);
    args.extend(["--policy", "base/policy.yaml", "--allow-empty", "--day", "2026-11-23"].map(str::to_owned));
    args.extend(["--format", "json", "--fail-on", "never"].map(str::to_owned));
    args.extend(base.call.as_of.iter().flat_map(|day| ["--as-of".to_owned(), day.to_string()]));
    args.extend(base.call.status.iter().flat_map(|list| ["--status".to_owned(), list.join(",")]));
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    let output =
        Command::new(env!("CARGO_BIN_EXE_ringfence")).args(&args).current_dir(folder).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The fingerprints of what is new.
fn new(json: &Value) -> BTreeSet<String> {
    let lists = [&json["findings"]["added"], &json["findings"]["grown"]];
    let found = lists.into_iter().flat_map(|list| list.as_array().unwrap());
    let pardoned = json["pardoned"].as_array().unwrap().iter().map(|one| &one["finding"]);
    found.chain(pardoned).map(|f| f["fingerprint"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn claims_hide_nothing_that_flows_alone_would_bring() {
    harness::try_all(
        harness::cases(60),
        (generate::world(), any::<u64>()),
        |(base, seed)| format!("# seed {seed}\n{}", harness::show(base)),
        |(base, seed)| {
            let mut base = base.clone();
            base.waivers.clear();
            let dice = &mut Dice(*seed);
            let bare = with_flows(&base, dice);
            let both = with_claims(&bare, &base, dice);
            let claims = with_claims(&base, &base, dice);
            let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
            for (name, world) in [("base", &base), ("bare", &bare), ("both", &both), ("claims", &claims)] {
                let to = folder.path().join(name);
                fs::create_dir(&to).map_err(|e| e.to_string())?;
                write::write(world, &to, 0);
            }
            let by_flows = new(&compared(folder.path(), &base, "bare", &[])?);
            let json = compared(folder.path(), &base, "both", &[])?;
            let by_both = new(&json);
            if let Some(hidden) = by_flows.iter().find(|f| !by_both.contains(*f)) {
                let shown = fs::read_dir(folder.path().join("both/inventory"))
                    .map_err(|e| e.to_string())?
                    .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
                    .collect::<String>();
                return Err(format!("{hidden} is hidden\n# HEAD\n{shown}\n{:#}", json["edits"]));
            }
            // Without flows there is nothing to pardon.
            let json = compared(folder.path(), &base, "claims", &[])?;
            match json["pardoned"].as_array().unwrap().as_slice() {
                [] => Ok(()),
                some => Err(format!("pardoned: {some:#?}\n{:#}", json["edits"])),
            }
        },
    );
}
