//! Random changes against the gate: what BASE's settings would judge of HEAD's files is what is
//! judged, and no change that opens anything, now or with the next one, passes unclassed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::difference::relation;
use crate::naive::taxonomy::at_or_below;
use crate::naive::world::{Day, Flow, FlowBody, World};
use crate::naive::write::Dice;
use crate::naive::{evaluate, generate, harness, write};
use proptest::prelude::*;
use ringfence::testing::glob::Glob;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_ringfence");

/// What `ringfence.yaml` says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Settings {
    inventory: Vec<&'static str>,
    exclude: Vec<&'static str>,
    policies: Vec<&'static str>,
    fail_on: Option<&'static str>,
    as_of: Option<&'static str>,
    status: Vec<&'static str>,
    reports: bool,
}

/// A state: what it declares, where each part lies, and its settings by their folder.
#[derive(Clone, Debug)]
struct State {
    world: World,
    /// The file of the agreement or flow of that place, by its id.
    lies: BTreeMap<String, &'static str>,
    settings: Settings,
    /// Settings in a folder of the inventory besides.
    nested: Option<(&'static str, Settings)>,
}

/// Where agreements and flows lie.
const FILES: [&str; 6] =
    ["in/a.yaml", "in/b.yaml", "in/x/c.yaml", "in/x/d.yaml", "more/e.yaml", "more/f.yaml"];
/// What is always judged, so that nothing refers to what is not.
const PARTIES: &str = "in/parties.yaml";
const INVENTORIES: [&[&str]; 5] = [&[], &["in"], &["in", "more"], &["."], &["in", "more/e.yaml"]];
const EXCLUDES: [&[&str]; 6] =
    [&[], &["x/*"], &["b.yaml"], &["*/c.yaml", "e.yaml"], &["x"], &["more/*", "*d.yaml"]];
/// In a hidden folder, so that it is no file of the inventory wherever that lies.
const HOUSE: &str = ".policies/house.yaml";
const POLICIES: [&[&str]; 4] = [&[HOUSE], &["core", HOUSE], &["core"], &[]];
const THRESHOLDS: [Option<&str>; 5] = [None, Some("low"), Some("medium"), Some("high"), Some("never")];
const DAYS: [Option<&str>; 3] = [None, Some("2026-03-01"), Some("1990-01-01")];
const STATUSES: [&[&str]; 3] = [&[], &["active", "proposed", "suspended"], &["terminated"]];

fn pick<T: Copy>(dice: &mut Dice, list: &[T]) -> T {
    list[dice.below(list.len())]
}

impl Settings {
    fn random(dice: &mut Dice) -> Self {
        // Mostly such that something is judged.
        let plain = dice.below(3) > 0;
        Settings {
            inventory: pick(dice, &INVENTORIES).to_vec(),
            exclude: pick(dice, &EXCLUDES).to_vec(),
            policies: pick(dice, &POLICIES).to_vec(),
            fail_on: pick(dice, &THRESHOLDS),
            as_of: if plain { None } else { pick(dice, &DAYS[..2]) },
            status: if plain { Vec::new() } else { pick(dice, &STATUSES[..2]).to_vec() },
            reports: dice.below(2) == 0,
        }
    }

    /// One setting says something else.
    fn edit(&mut self, dice: &mut Dice) {
        match dice.below(8) {
            0 => self.inventory = pick(dice, &INVENTORIES).to_vec(),
            1 => self.exclude = pick(dice, &EXCLUDES).to_vec(),
            2 => self.policies = pick(dice, &POLICIES).to_vec(),
            3 => self.fail_on = pick(dice, &THRESHOLDS),
            4 => self.as_of = pick(dice, &DAYS),
            5 => self.status = pick(dice, &STATUSES).to_vec(),
            6 => self.reports = !self.reports,
            _ => self.exclude.reverse(),
        }
    }

    fn yaml(&self) -> String {
        let list = |key: &str, values: &[&str]| match values {
            [] => String::new(),
            values => format!(
                "{key}: [{}]\n",
                values.iter().map(|v| format!("'{v}'")).collect::<Vec<_>>().join(", ")
            ),
        };
        let one = |key: &str, value: Option<&str>| value.map(|v| format!("{key}: {v}\n")).unwrap_or_default();
        let reports = if self.reports { "reports: {csv: out.csv}\n" } else { "" };
        list("inventory", &self.inventory)
            + &list("exclude", &self.exclude)
            + &list("policies", &self.policies)
            + &one("fail_on", self.fail_on)
            + &one("as_of", self.as_of)
            + &list("status", &self.status)
            + reports
    }

    /// Whether a file is judged by these settings, where the call names the folder that they lie in,
    /// or another one.
    fn judges(&self, file: &str, named: Option<&'static str>) -> bool {
        let inventory = match named {
            Some(folder) => vec![folder],
            None if self.inventory.is_empty() => vec!["."],
            None => self.inventory.clone(),
        };
        inventory.iter().any(|path| {
            let below = match *path {
                "." => Some(file),
                path if path == file => return true,
                path => file.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')),
            };
            let Some(below) = below else {
                return false;
            };
            let above = below.match_indices('/').map(|(at, _)| &below[..at]);
            !above.chain([below]).any(|name| self.exclude.iter().any(|glob| Glob::new(glob).matches(name)))
        })
    }
}

impl State {
    fn random(world: &World, dice: &mut Dice) -> Self {
        let mut world = world.clone();
        "house".clone_into(&mut world.policy.status);
        let mut state =
            State { world, lies: BTreeMap::new(), settings: Settings::random(dice), nested: None };
        for _ in 0..5 {
            state.lay(dice, 1);
            let judged = state.judged(&state.settings, None);
            if judged.flows.len() + judged.agreements.iter().map(|a| a.flows.len()).sum::<usize>() > 1 {
                return state;
            }
        }
        state.settings.exclude.clear();
        state.settings.inventory = vec!["in", "more"];
        state
    }

    fn ids(&self) -> Vec<String> {
        let world = &self.world;
        world.agreements.iter().map(|a| &a.id).chain(world.flows.iter().map(|f| &f.id)).cloned().collect()
    }

    /// Gives what has none a place, and one of so many another one.
    fn lay(&mut self, dice: &mut Dice, of: usize) {
        for id in self.ids() {
            if dice.below(of) == 0 || !self.lies.contains_key(&id) {
                self.lies.insert(id, pick(dice, &FILES));
            }
        }
    }

    fn lies(&self, id: &str) -> &'static str {
        self.lies.get(id).copied().unwrap_or("in/a.yaml")
    }

    /// What of it is judged by some settings.
    fn judged(&self, settings: &Settings, named: Option<&'static str>) -> World {
        let mut world = self.world.clone();
        world.agreements.retain(|a| settings.judges(self.lies(&a.id), named));
        world.flows.retain(|f| settings.judges(self.lies(&f.id), named));
        let day = |text: &str| Day(text.parse().unwrap());
        world.call.as_of = settings.as_of.map(day);
        world.call.status =
            (!settings.status.is_empty()).then(|| settings.status.iter().map(|s| (*s).to_owned()).collect());
        world
    }

    /// Writes it, with these settings in the place of its own if they are given.
    fn write(&self, folder: &Path, settings: Option<&State>) {
        let mut files: BTreeMap<&str, World> = BTreeMap::new();
        let rest = World {
            taxonomy: self.world.taxonomy.clone(),
            parties: self.world.parties.clone(),
            statements: self.world.statements.clone(),
            waivers: self.world.waivers.clone(),
            ..World::default()
        };
        files.insert(PARTIES, rest);
        for agreement in &self.world.agreements {
            files.entry(self.lies(&agreement.id)).or_default().agreements.push(agreement.clone());
        }
        for flow in &self.world.flows {
            files.entry(self.lies(&flow.id)).or_default().flows.push(flow.clone());
        }
        for (name, world) in files {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, write::yaml(&write::inventory(&world))).unwrap();
        }
        // All paths that settings name are there.
        for name in FILES {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            if !file.exists() {
                fs::write(file, "parties: []\n").unwrap();
            }
        }
        let judge = settings.unwrap_or(self);
        fs::create_dir_all(folder.join(".policies")).unwrap();
        fs::write(folder.join(HOUSE), write::yaml(&write::policy(&judge.world))).unwrap();
        fs::write(folder.join("ringfence.yaml"), judge.settings.yaml()).unwrap();
        if let Some((name, nested)) = &judge.nested {
            fs::write(folder.join(name).join("ringfence.yaml"), nested.yaml()).unwrap();
        }
    }

    fn show(&self) -> String {
        format!(
            "{}# lies: {:?}\n# settings:\n{}# nested: {:?}\n",
            harness::show(&self.world),
            self.lies,
            self.settings.yaml(),
            self.nested
        )
    }
}

/// Takes one key of a flow from another one.
fn graft_flow(dice: &mut Dice, flow: &mut FlowBody, other: &FlowBody) {
    let other = other.clone();
    match dice.below(15) {
        0 => flow.data = other.data,
        1 => flow.purposes = other.purposes,
        2 => flow.consent = other.consent,
        3 => flow.transform = other.transform,
        4 => flow.only_from = other.only_from,
        5 => flow.safeguards = other.safeguards,
        6 => flow.retention = other.retention,
        7 => flow.terms = other.terms,
        8 => flow.effective = other.effective,
        9 => flow.disposed = other.disposed,
        10 => flow.legal_basis = other.legal_basis,
        11 => flow.tags = other.tags,
        12 => flow.labels = other.labels,
        13 => flow.from = other.from,
        _ => flow.to = other.to,
    }
}

fn flows(world: &mut World) -> Vec<&mut Flow> {
    world.agreements.iter_mut().flat_map(|a| &mut a.flows).chain(&mut world.flows).collect()
}

/// One edit of what is declared, mostly from another world.
fn graft(dice: &mut Dice, head: &mut World, mut other: World) {
    let take = |dice: &mut Dice, n: usize| (n > 0).then(|| dice.below(n));
    match dice.below(14) {
        0..4 => {
            let theirs = flows(&mut other);
            let own = flows(head);
            if let (Some(i), Some(j)) = (take(dice, own.len()), take(dice, theirs.len())) {
                graft_flow(dice, &mut own.into_iter().nth(i).unwrap().body, &theirs[j].body);
            }
        }
        4..6 => {
            if let (Some(i), Some(j)) =
                (take(dice, head.agreements.len()), take(dice, other.agreements.len()))
            {
                let (own, theirs) = (&mut head.agreements[i], other.agreements[j].clone());
                match dice.below(11) {
                    0 => own.kind = theirs.kind,
                    1 => own.provider = theirs.provider,
                    2 => own.status = theirs.status,
                    3 => own.parties = theirs.parties,
                    4 => own.effective = theirs.effective,
                    5 => own.disposed = theirs.disposed,
                    6 => own.assurances = theirs.assurances,
                    7 => own.terms = theirs.terms,
                    8 => own.flow_defaults = theirs.flow_defaults,
                    9 => own.labels = theirs.labels,
                    _ => own.flows.truncate(dice.below(2)),
                }
            }
        }
        6..8 => {
            let (i, j) = (dice.below(head.parties.len()), dice.below(other.parties.len()));
            let theirs = other.parties[j].clone();
            let own = &mut head.parties[i];
            match dice.below(9) {
                0 => own.role = theirs.role,
                1 => own.affiliate_of = theirs.affiliate_of.filter(|id| *id != own.id),
                2 => own.labels = theirs.labels,
                3 => own.jurisdiction = theirs.jurisdiction,
                _ => {
                    let (m, n) = (take(dice, own.systems.len()), take(dice, theirs.systems.len()));
                    if let (Some(m), Some(n)) = (m, n) {
                        let (own, theirs) = (&mut own.systems[m], theirs.systems[n].clone());
                        match dice.below(6) {
                            0 => own.purposes = theirs.purposes,
                            1 => own.originates = theirs.originates,
                            2 => own.derives = theirs.derives,
                            3 => own.retention = theirs.retention,
                            4 => own.tags = theirs.tags,
                            _ => own.labels = theirs.labels,
                        }
                    }
                }
            }
        }
        8 => {
            if let Some(i) = take(dice, head.flows.len()) {
                head.flows.remove(i);
            }
        }
        9..12 => {
            let theirs = other.flows.pop();
            head.flows.extend(theirs.filter(|new| head.flows.iter().all(|own| own.id != new.id)));
        }
        12 => match dice.below(4) {
            0 => head.statements = other.statements,
            1 => head.waivers = other.waivers,
            2 => head.statements.truncate(1),
            _ => head.waivers.truncate(1),
        },
        _ => match dice.below(3) {
            0 => head.policy.rules = other.policy.rules,
            1 => {
                head.policy.rules.pop();
            }
            _ => {
                let known: BTreeSet<String> = head.policy.rules.iter().map(|r| r.id.clone()).collect();
                head.policy.rules.extend(other.policy.rules.into_iter().filter(|r| !known.contains(&r.id)));
            }
        },
    }
}

/// How two states are compared.
#[derive(Clone, Copy, Debug)]
struct Call {
    /// The folder of the inventory is named.
    by_folder: bool,
    /// As revisions of a repository, too, and as one of them and the work tree.
    in_git: bool,
}

/// A state, and a change of it: of what it declares, where it lies, and its settings.
fn change() -> impl Strategy<Value = (State, State, Call)> {
    (generate::world(), generate::world(), any::<u64>()).prop_map(|(world, other, seed)| {
        let mut dice = Dice::new(seed);
        let base = State::random(&world, &mut dice);
        let mut head = base.clone();
        for _ in 0..=dice.below(2) {
            match dice.below(8) {
                0..5 => graft(&mut dice, &mut head.world, other.clone()),
                5 => head.settings.edit(&mut dice),
                6 => head.lay(&mut dice, 4),
                _ => {
                    let mut nested = Settings::random(&mut dice);
                    nested.inventory = pick(&mut dice, &[&[][..], &["x"], &["."]]).to_vec();
                    nested.policies.retain(|name| *name == "core");
                    head.nested = Some((pick(&mut dice, &["in", "in/x", "more"]), nested));
                }
            }
        }
        head.lay(&mut dice, usize::MAX);
        let call = Call { by_folder: dice.below(4) == 0, in_git: dice.below(12) == 0 };
        (base, head, call)
    })
}

/// The exit code of a call, what it wrote, and its errors.
type Compared = (i32, Option<Value>, String);

fn run(folder: &Path, args: &[&str]) -> Result<Compared, String> {
    let mut all = args.to_vec();
    all.extend(["--day", evaluate::DAY, "--format", "json"]);
    let output = Command::new(BINARY).args(&all).current_dir(folder).output().map_err(|e| e.to_string())?;
    let code = output.status.code().unwrap_or(-1);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    if !(0..=2).contains(&code) {
        return Err(format!("{args:?} ends with {code}: {err}"));
    }
    Ok((code, serde_json::from_slice(&output.stdout).ok(), err))
}

/// Fingerprints of findings that fail by a threshold.
fn failing(audit: &Value, fail_on: Option<&str>) -> BTreeSet<String> {
    let grave = match fail_on.unwrap_or("high") {
        "never" => 0,
        "high" => 2,
        "medium" => 3,
        _ => 4,
    };
    let severities = &["critical", "high", "medium", "low"][..grave];
    let list = audit["findings"].as_array().cloned().unwrap_or_default();
    list.iter()
        .filter(|f| f["status"] == "new" && f["severity"].as_str().is_some_and(|s| severities.contains(&s)))
        .filter_map(|f| f["fingerprint"].as_str().map(str::to_owned))
        .collect()
}

/// How many changes were compared, passed, and opened something.
#[derive(Debug, Default)]
struct Seen {
    compared: usize,
    passed: usize,
    opened: usize,
    refused: usize,
}

/// Revisions are compared as folders are.
fn hold_in_git(base: &State, head: &State, by_folder: bool, as_folders: &Compared) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let at = folder.path();
    let git = |args: &[&str]| -> Result<(), String> {
        let known = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "gc.auto=0"];
        let output = Command::new("git")
            .args(known)
            .args(args)
            .current_dir(at)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .map_err(|e| e.to_string())?;
        if output.status.success() { Ok(()) } else { Err(format!("git {args:?}: {output:?}")) }
    };
    git(&["init", "--quiet", "--initial-branch", "main"])?;
    base.write(at, None);
    git(&["add", "-A"])?;
    git(&["commit", "--quiet", "-m", "base"])?;
    git(&["checkout", "--quiet", "-b", "change"])?;
    for name in ["in", "more", ".policies"] {
        fs::remove_dir_all(at.join(name)).map_err(|e| e.to_string())?;
    }
    head.write(at, None);
    git(&["add", "-A"])?;
    git(&["commit", "--quiet", "--allow-empty", "-m", "head"])?;
    let calls: &[[&str; 2]] = match by_folder {
        true => &[["git:main:in", "git:HEAD:in"], ["git:main", "in"], ["git:main:in", "git:HEAD"]],
        false => &[["git:main", "git:HEAD"], ["git:main", "."], ["git:main:.", "git:HEAD"]],
    };
    for [old, new] in calls {
        let (code, diff, err) = run(at, &["diff", old, new, "--fail-on-widening"])?;
        let (own, theirs) = (facts(code, diff.as_ref()), facts(as_folders.0, as_folders.1.as_ref()));
        // A repository also shows settings above a folder which settings in the folder override there.
        let overridden = by_folder && head.nested.is_some() && base.settings != head.settings;
        let shown = |(_, facts): &(i32, Option<[Value; 4]>)| {
            facts.as_ref().and_then(|[.., untrusted]| untrusted.as_array().cloned()).unwrap_or_default()
        };
        let equal = match overridden {
            true => own.0 >= theirs.0 && shown(&theirs).iter().all(|change| shown(&own).contains(change)),
            false => own == theirs,
        };
        if !equal {
            return Err(format!("{old} {new}: {own:?} {err}, and of folders {theirs:?} {}", as_folders.2));
        }
    }
    Ok(())
}

/// What does not depend on how the states are called.
fn facts(code: i32, diff: Option<&Value>) -> (i32, Option<[Value; 4]>) {
    let part = |diff: &Value, key: &str| diff[key].clone();
    let facts = diff.map(|diff| {
        let [base, head] = ["base", "head"].map(|side| diff[side]["inventory"].clone());
        let mut untrusted = part(diff, "untrusted");
        for change in untrusted.as_array_mut().into_iter().flatten() {
            // Named as from the folder that the call names, or from the repository.
            let file = change["location"]["file"].as_str().and_then(|file| file.rsplit('/').next());
            let file = file.map(str::to_owned);
            if let Some(file) = file {
                change["location"]["file"] = file.into();
            }
            // So are the paths that settings name.
            for key in ["`reports`", "`inventory`"] {
                if change["message"].as_str().is_some_and(|message| message.starts_with(key)) {
                    change["message"] = key.into();
                }
            }
        }
        [base, head, part(diff, "summary"), untrusted]
    });
    (code, facts)
}

/// What reaches what from where it is declared to start. Where a flow goes, what it brought is
/// assumed to start at its receiver, which is a finding of its own.
fn reach(world: &World) -> BTreeSet<(String, String, String, String)> {
    let declared = |system: &str, leaf: &str| {
        let (party, system) = system.split_once('/').unwrap();
        let party = world.parties.iter().find(|one| one.id == party).unwrap();
        let system = party.systems.iter().find(|one| one.id == system).unwrap();
        system.originates.iter().any(|key| at_or_below(leaf, key))
    };
    relation(world).into_iter().filter(|(system, leaf, _, _)| declared(system, leaf)).collect()
}

fn hold(base: &State, head: &State, call: Call, seen: &mut Seen) -> Result<(), String> {
    let by_folder = call.by_folder;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let at = folder.path();
    base.write(&at.join("base"), None);
    head.write(&at.join("head"), None);
    head.write(&at.join("merged"), Some(base));
    // The folder of the inventory may be named, which leaves out what settings say of it.
    let (named, sides, path) = match by_folder {
        true => (Some("in"), ["base/in", "head/in"], &["audit", "in"][..]),
        false => (None, ["base", "head"], &["audit"][..]),
    };
    let compared = run(at, &["diff", sides[0], sides[1], "--fail-on-widening"])?;
    if call.in_git {
        hold_in_git(base, head, by_folder, &compared)?;
    }
    let (code, diff, err) = compared;
    let Some(diff) = diff.filter(|_| code < 2) else {
        seen.refused += 1;
        // What is refused does not pass; it says why.
        return if err.contains("error") { Ok(()) } else { Err(format!("refused without a word: {err}")) };
    };
    seen.compared += 1;
    let (_, expected, err) = run(&at.join("merged"), path)?;
    let Some(expected) = expected else {
        // Its own waivers and promises can name what is not judged: then it is not audited at all.
        let own = !head.world.waivers.is_empty() || !head.world.statements.is_empty();
        return if own { Ok(()) } else { Err(format!("judged, and by BASE's settings it cannot be: {err}")) };
    };
    let (own, theirs) = (&diff["head"]["inventory"]["digest"], &expected["inventory"]["digest"]);
    if own != theirs {
        return Err(format!("other files are judged: {own}, not {theirs}"));
    }
    let summary = &diff["summary"];
    let number = |key: &str| summary[key].as_u64().unwrap_or_default();
    let classed = ["widening", "assertion", "both", "settings"].iter().any(|key| number(key) > 0);
    // What is newly reached from where it is declared to start has an edit that says so.
    let declared = |reach: &&Value| reach["assumed"] != true && reach["new_system"] == true;
    let opened = diff["reach"]["added"].as_array().into_iter().flatten().filter(declared).count();
    seen.opened += usize::from(opened > 0);
    if opened > 0 && !classed {
        return Err(format!("opened and not classed: {:#}", diff["reach"]["added"]));
    }
    if code != 0 {
        return Ok(());
    }
    seen.passed += 1;
    let before = reach(&base.judged(&base.settings, named));
    for (what, after) in [
        ("by BASE's settings", reach(&head.judged(&base.settings, named))),
        ("by HEAD's settings", reach(&head.judged(&head.settings, named))),
    ] {
        // For a narrower purpose it got there before.
        let known = |(s, o, v, p): &(String, String, String, String)| {
            let above = p.match_indices('.').map(|(at, _)| &p[..at]).chain([p.as_str()]);
            above.into_iter().any(|p| before.contains(&(s.clone(), o.clone(), v.clone(), p.to_owned())))
        };
        if let Some(new) = after.iter().find(|tuple| !known(tuple)) {
            return Err(format!("passes, and {new:?} is new {what}"));
        }
    }
    // What BASE would say of it is said once it is merged, too.
    let by_base = failing(&expected, base.settings.fail_on);
    let (code, merged, err) = run(&at.join("head"), path)?;
    let Some(merged) = merged else {
        return if code == 2 && err.contains("error") { Ok(()) } else { Err(format!("{code} {err}")) };
    };
    let by_head = failing(&merged, head.settings.fail_on);
    match by_base.difference(&by_head).next() {
        Some(lost) => Err(format!("passes, and {lost} is no longer said")),
        None => Ok(()),
    }
}

#[test]
fn no_change_that_opens_anything_passes() {
    let seen = RefCell::new(Seen::default());
    harness::try_all(
        harness::cases(120),
        change(),
        |(base, head, call)| format!("# BASE\n{}# HEAD\n{}# {call:?}", base.show(), head.show()),
        |(base, head, call)| hold(base, head, *call, &mut seen.borrow_mut()),
    );
    let seen = seen.into_inner();
    println!("{seen:?}");
    let all = seen.compared + seen.refused;
    // Few of them open anything: that shows among many.
    let opened = seen.opened > 0 || all < 1000;
    assert!(seen.compared * 3 > all && seen.passed * 12 > all && opened, "{seen:?}");
}
