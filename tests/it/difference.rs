//! Comparisons of two states, from the outside: what a change opens, who is trusted,
//! and how states are named.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::naive::resolve::{Model, Options};
use crate::naive::world::{Day, World};
use crate::naive::{evaluate, generate, harness, write};
use proptest::prelude::*;
use ringfence::testing::fields::{Class, Declaration, FIELDS, find};
use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_ringfence");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

/// What a call came to.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

fn ringfence(folder: &Path, args: &[&str]) -> Said {
    let output = Command::new(BINARY).args(args).current_dir(folder).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn diff(folder: &Path, args: &[&str]) -> Said {
    let mut all = vec!["diff", "--day", "2026-11-23", "--format", "json"];
    all.extend(args);
    ringfence(folder, &all)
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Someone",
            "-c",
            "user.email=someone@example.org",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "-m", "change"]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A repository with the fenced flagship on `main`, and a branch to change it on.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(SAMPLES).join("messenger-banking-fenced"), folder.path());
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(folder.path());
    git(folder.path(), &["checkout", "--quiet", "-b", "change"]);
    folder
}

fn append(file: &Path, text: &str) {
    fs::write(file, fs::read_to_string(file).unwrap() + text).unwrap();
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} is not in {}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

fn fingerprints(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|f| f["fingerprint"].as_str().unwrap().to_owned()).collect()
}

const LEAK: &str = "  - id: messenger-to-audiences
    from: facebook/messenger
    to: facebook/ads-audiences
    data: [communications.message.metadata]
    purposes: [advertising.audiences]
    safeguards: [encryption_in_transit]
    retention: 24h
";

#[test]
fn one_flow_opens_just_what_it_opens_and_cannot_bring_its_own_pardon() {
    let repository = repository();
    let folder = repository.path();
    append(&folder.join("platform.yaml"), LEAK);
    commit(folder);
    let said = diff(folder, &["git:main", "git:HEAD"]);
    let json = said.json();
    assert_eq!(said.code, 1);
    let added = &json["findings"]["added"];
    let about: Vec<&str> = added.as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!(about, ["terms/purpose"]);
    let reach = json["reach"]["added"].as_array().unwrap();
    let targets: BTreeSet<&str> = reach.iter().map(|r| r["target"]["system"].as_str().unwrap()).collect();
    assert_eq!(targets, BTreeSet::from(["facebook/ads-audiences"]));
    assert_eq!(reach.len(), 7, "the messages of seven partners");
    for one in reach {
        assert_eq!(one["data"][0], "communications.message.metadata");
        let path = one["path"].as_array().unwrap();
        assert_eq!(path.last().unwrap()["flow"], "messenger-to-audiences");
    }
    assert_eq!(json["edits"].as_array().unwrap().len(), 1);
    assert_eq!(json["edits"][0]["class"], "widening");

    // A waiver in the same change does not help; in the base it does.
    let pardon = |data: &str| {
        format!(
            "waivers:\n  - finding: {}\n    agreements: [amex-linking, chase-messenger, citi-messenger, \
             citi-singapore-linking, paypal-linking, us-bancorp-messenger, wells-fargo-messenger]\n    data: [{data}]\n    \
             reason: Agreed.\n    approved_by: DPO\n    expires: 2027-01-31\n",
            fingerprints(added)[0]
        )
    };
    let waived = pardon("communications.message.metadata");
    fs::write(folder.join("waivers.yaml"), &waived).unwrap();
    commit(folder);
    let said = diff(folder, &["git:main", "git:HEAD"]);
    let json = said.json();
    assert_eq!((said.code, fingerprints(&json["findings"]["added"])), (1, fingerprints(added)));
    assert_eq!(json["untrusted"][0]["what"], "waiver");
    assert_eq!(diff(folder, &["git:main", "git:HEAD", "--trust-head"]).code, 0);

    git(folder, &["checkout", "--quiet", "main"]);
    fs::write(folder.join("waivers.yaml"), &waived).unwrap();
    commit(folder);
    git(folder, &["checkout", "--quiet", "-b", "again"]);
    append(&folder.join("platform.yaml"), LEAK);
    commit(folder);
    let said = diff(folder, &["git:main", "git:HEAD"]);
    assert_eq!((said.code, said.json()["findings"]["added"][0]["status"].as_str()), (0, Some("waived")));

    // More data over the waived flow is more than was accepted.
    git(folder, &["checkout", "--quiet", "-b", "more"]);
    edit(
        &folder.join("platform.yaml"),
        "data: [communications.message.metadata]\n    purposes: [advertising.audiences]",
        "data: [communications.message.metadata, financial.account.number]\n    purposes: [advertising.audiences]",
    );
    edit(
        &folder.join("partners/american-express.yaml"),
        "data: [communications.message.metadata]",
        "data: [communications.message.metadata, financial.account.number]",
    );
    commit(folder);
    let said = diff(folder, &["git:again", "git:HEAD"]);
    let json = said.json();
    assert_eq!(said.code, 1);
    assert_eq!(fingerprints(&json["findings"]["grown"]), fingerprints(added));
    assert_eq!(json["findings"]["grown"][0]["grown"], true);
}

#[test]
fn another_layout_is_no_difference() {
    let cases = harness::cases(60);
    harness::try_all(
        cases,
        (generate::world(), 1..1000_u64),
        |(world, layout)| format!("{}# layout {layout}", harness::show(world)),
        |(world, layout)| {
            let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
            let [base, head] = ["base", "head"].map(|name| folder.path().join(name));
            for (to, layout) in [(&base, 0), (&head, *layout)] {
                fs::create_dir(to).map_err(|e| e.to_string())?;
                write::write(world, to, layout);
            }
            let paths = ["base/inventory", "head/inventory", "--policy", "base/policy.yaml", "--allow-empty"];
            let said = diff(folder.path(), &paths);
            let json: Value = serde_json::from_str(&said.out).map_err(|e| format!("{e}\n{}", said.err))?;
            let summary = json["summary"].as_object().ok_or("no summary")?;
            let changed = summary.iter().any(|(key, n)| key != "unchanged" && n != 0);
            let other = !json["untrusted"].as_array().is_some_and(Vec::is_empty);
            if said.code != 0 || changed || other {
                return Err(format!("exit {}, {json:#}", said.code));
            }
            Ok(())
        },
    );
}

type Tuple = (String, String, String, String);

/// ⟨s, o, v, p⟩ as in the module `reach`, item by item.
pub fn relation(world: &World) -> BTreeSet<Tuple> {
    // The day that `diff` is told.
    let options = Options { day: Day::of("2026-11-23"), ..evaluate::options(world) };
    let model = Model::new(world, options);
    let origins = model.assume_origins();
    let mut all = BTreeSet::new();
    for (at, item) in model.held(&origins) {
        for e in model.counting() {
            let to = model.flows[e].to;
            if to == item.s || model.take(at, item, e).is_none() {
                continue;
            }
            for purpose in model.flows[e].purposes.iter().chain(&model.systems[to].declared.purposes) {
                all.insert((
                    model.systems[item.s].name.clone(),
                    model.leaves[item.o].clone(),
                    model.systems[to].name.clone(),
                    purpose.clone(),
                ));
            }
        }
    }
    all
}

/// What is printed has to say just the tuples that differ, as far as covers and groups
/// let it; and each chain has to be one that only this state has.
fn check(list: &Value, here: &BTreeSet<Tuple>, there: &BTreeSet<Tuple>, world: &World) -> Result<(), String> {
    let tree = crate::naive::taxonomy::Tree::new(world.taxonomy.data.keys());
    let texts = |v: &Value| {
        v.as_array().into_iter().flatten().filter_map(|t| t.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut said: BTreeSet<Tuple> = BTreeSet::new();
    let mut leaves: BTreeSet<(String, String, String)> = BTreeSet::new();
    for reach in list.as_array().ok_or("no list")? {
        let name = |place: &Value| place["system"].as_str().unwrap_or_default().to_owned();
        let (origin, target) = (name(&reach["origin"]), name(&reach["target"]));
        for leaf in texts(&reach["data"]).iter().flat_map(|key| tree.leaves_of(key)) {
            leaves.insert((origin.clone(), leaf.clone(), target.clone()));
            for purpose in texts(&reach["purposes"]) {
                said.insert((origin.clone(), leaf.clone(), target.clone(), purpose));
            }
        }
        let path = reach["path"].as_array().ok_or("no path")?;
        let ends = (path.first().map(|h| h["from"].clone()), path.last().map(|h| h["to"].clone()));
        if ends != (Some(origin.clone().into()), Some(target.clone().into())) {
            return Err(format!("a chain that is none: {reach:#}"));
        }
    }
    let new: BTreeSet<Tuple> = here.difference(there).cloned().collect();
    if let Some(missed) = new.iter().find(|t| !said.contains(*t)) {
        return Err(format!("not said: {missed:?}"));
    }
    let real: BTreeSet<_> = new.iter().map(|(s, o, v, _)| (s.clone(), o.clone(), v.clone())).collect();
    match leaves.iter().find(|t| !real.contains(*t)) {
        Some(wrong) => Err(format!("said, and not so: {wrong:?}")),
        None => Ok(()),
    }
}

/// Two worlds of their own; how they are judged is the first one's.
fn pair() -> impl Strategy<Value = (World, World)> {
    (generate::world(), generate::world(), any::<bool>(), any::<u16>()).prop_map(|(base, other, own, at)| {
        let mut head = if own { other } else { base.clone() };
        if !own {
            // One flow less, and one agreement's flows to their parties only.
            let at = usize::from(at);
            if !head.flows.is_empty() {
                let which = at % head.flows.len();
                head.flows.remove(which);
            }
            for agreement in head.agreements.iter_mut().skip(at % 2).take(1) {
                if agreement.flows.len() > 1 {
                    agreement.flows.remove(0);
                }
            }
        }
        head.call = base.call.clone();
        let plain = |mut world: World| {
            world.statements.clear();
            world.waivers.clear();
            world
        };
        (plain(base), plain(head))
    })
}

#[test]
fn reach_is_what_item_by_item_following_says() {
    harness::try_all(
        harness::cases(150),
        pair(),
        |(base, head)| format!("# BASE\n{}\n# HEAD\n{}", harness::show(base), harness::show(head)),
        |(base, head)| {
            let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
            for (name, world) in [("base", base), ("head", head)] {
                let to = folder.path().join(name);
                fs::create_dir(&to).map_err(|e| e.to_string())?;
                write::write(world, &to, 0);
            }
            let mut args = vec![
                "base/inventory".to_owned(),
                "head/inventory".into(),
                "--policy".into(),
                "core".into(),
                "--allow-empty".into(),
            ];
            args.extend(base.call.as_of.iter().flat_map(|day| ["--as-of".to_owned(), day.to_string()]));
            args.extend(base.call.status.iter().flat_map(|list| ["--status".to_owned(), list.join(",")]));
            let said = diff(folder.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
            let json: Value = serde_json::from_str(&said.out).map_err(|e| format!("{e}\n{}", said.err))?;
            let (before, after) = (relation(base), relation(head));
            check(&json["reach"]["added"], &after, &before, head).map_err(|e| format!("added: {e}"))?;
            check(&json["reach"]["removed"], &before, &after, base).map_err(|e| format!("removed: {e}"))
        },
    );
}

#[test]
fn the_base_is_trusted_and_the_change_is_not() {
    let repository = repository();
    let folder = repository.path();
    append(&folder.join("platform.yaml"), LEAK);
    // Every way to get off: no failing, no reading, another policy, no promise.
    fs::write(
        folder.join("ringfence.yaml"),
        "policies: [none.yaml]\nfail_on: never\nexclude: ['platform.yaml']\nbaseline: known.json\nstatus: proposed\n",
    )
    .unwrap();
    fs::write(folder.join("none.yaml"), "policy: none\nrules: []\n").unwrap();
    let promises = fs::read_to_string(folder.join("promises.yaml")).unwrap();
    fs::write(folder.join("promises.yaml"), "statements: []\n").unwrap();
    commit(folder);
    let said = diff(folder, &["main", "HEAD"]);
    let json = said.json();
    assert_eq!(said.code, 1, "{}", said.err);
    assert_eq!(json["findings"]["added"][0]["rule"], "terms/purpose");
    let changed: BTreeSet<String> = json["untrusted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| format!("{}: {}", u["what"].as_str().unwrap(), u["message"].as_str().unwrap()))
        .collect();
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    let promised = promises.matches("\n  - id: ").count();
    assert_eq!(changed.iter().filter(|c| c.starts_with("promise: ")).count(), promised);
    for expected in [
        "configuration: `baseline` is `known.json` and was not set",
        "configuration: `exclude` is `platform.yaml` and was not set",
        "configuration: `fail_on` is `never` and was not set (`high`)",
        "configuration: `policies` is `none.yaml` and was `core, concern.yaml`",
        "configuration: `status` is `proposed` and was not set",
        "policy: `core` is no longer applied",
        "policy: `concern` is no longer applied",
        "policy: `none` is applied besides",
    ] {
        assert!(changed.contains(&expected), "{expected} is not in {changed:?}");
    }
    // The promises of the base are kept in force.
    let text = ringfence(folder, &["diff", "main", "HEAD", "--fail-on-widening"]).out;
    assert!(text.contains("CHANGED AND NOT APPLIED"), "{text}");
}

#[test]
fn a_withdrawn_promise_still_holds() {
    let repository = repository();
    let folder = repository.path();
    fs::write(folder.join("promises.yaml"), "statements: []\n").unwrap();
    append(&folder.join("platform.yaml"), LEAK);
    let more = "data: [communications.message.metadata, financial.account.number]";
    for file in ["platform.yaml", "partners/american-express.yaml"] {
        // The last flow of the one, the first of the other.
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let at = text.rfind("data: [communications.message.metadata]").unwrap();
        let (before, after) = text.split_at(at);
        fs::write(
            folder.join(file),
            before.to_owned() + &after.replacen("data: [communications.message.metadata]", more, 1),
        )
        .unwrap();
    }
    commit(folder);
    let said = diff(folder, &["main", "HEAD"]);
    let json = said.json();
    assert_eq!(said.code, 1);
    let rules: BTreeSet<&str> =
        json["findings"]["added"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert!(rules.iter().any(|rule| rule.starts_with("statement/")), "{rules:?}");
    let trusting = diff(folder, &["main", "HEAD", "--trust-head"]).json();
    let added = trusting["findings"]["added"].as_array().unwrap();
    assert!(added.iter().all(|f| f["kind"] != "statement"));
}

#[test]
fn the_baseline_is_that_of_the_base() {
    let repository = repository();
    let folder = repository.path();
    append(&folder.join("platform.yaml"), LEAK);
    commit(folder);
    let known = ["baseline", "write", "--day", "2026-11-23", "--output", "known.json"];
    assert_eq!(ringfence(folder, &known).code, 0);
    append(&folder.join("ringfence.yaml"), "baseline: known.json\n");
    commit(folder);
    // The change brings the baseline with it: not applied.
    let said = diff(folder, &["main", "change"]);
    let json = said.json();
    assert_eq!((said.code, json["findings"]["added"][0]["status"].as_str()), (1, Some("new")));
    let changed: Vec<&str> =
        json["untrusted"].as_array().unwrap().iter().map(|u| u["what"].as_str().unwrap()).collect();
    assert_eq!(changed, ["configuration", "baseline"]);
    assert_eq!(diff(folder, &["main", "change", "--trust-head"]).code, 0);
    // In the base it holds, and what goes beyond it is grown.
    git(folder, &["checkout", "--quiet", "-b", "later"]);
    fs::write(folder.join("notes.txt"), "x").unwrap();
    commit(folder);
    let said = diff(folder, &["git:change", "git:later"]);
    assert_eq!((said.code, said.json()["summary"]["unchanged"].as_u64().unwrap() > 0), (0, true));
    fs::remove_file(folder.join("known.json")).unwrap();
    commit(folder);
    assert!(diff(folder, &["git:HEAD", "git:change"]).err.contains("cannot read the baseline"));
}

#[test]
fn states_are_named_in_several_ways() {
    let repository = repository();
    let folder = repository.path();
    append(&folder.join("platform.yaml"), LEAK);
    commit(folder);
    // The work tree is not touched, and what is in it does not matter to revisions.
    fs::write(folder.join("platform.yaml"), "parties: {").unwrap();
    fs::create_dir(folder.join("inner")).unwrap();
    let status = git(folder, &["status", "--porcelain"]);
    for args in
        [["git:main", "git:HEAD"], ["main", "change"], ["git:HEAD~1", "HEAD"], ["main", "git:change:."]]
    {
        let said = diff(folder, &args);
        assert_eq!(
            (said.code, said.json()["summary"]["added"].as_u64()),
            (1, Some(1)),
            "{args:?} {}",
            said.err
        );
    }
    assert_eq!(git(folder, &["status", "--porcelain"]), status);
    git(folder, &["checkout", "--quiet", "platform.yaml"]);
    for args in [["git:main", "."], ["main", "./"], ["main", "partners/.."]] {
        let said = diff(folder, &args);
        assert_eq!(
            (said.code, said.json()["summary"]["added"].as_u64()),
            (1, Some(1)),
            "{args:?} {}",
            said.err
        );
    }
    let back = diff(folder, &[".", "git:main"]).json();
    assert_eq!(
        (back["summary"]["fixed"].as_u64(), back["summary"]["reach_removed"].as_u64()),
        (Some(1), Some(7))
    );

    let wrong = |args: &[&str]| {
        let said = diff(folder, args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
        said.err
    };
    assert!(wrong(&["git:mian", "."]).contains("did you mean `git:main`?"));
    assert!(wrong(&["nowhere", "."]).contains("neither a folder, nor an audit's JSON, nor a revision"));
    assert!(wrong(&["git:", "."]).contains("needs a revision"));
    assert!(wrong(&["git:--output=x", "."]).contains("there is no revision `--output=x`"));
    fs::create_dir(folder.join("main")).unwrap();
    assert!(wrong(&["main", "."]).contains("write `./main` for the path, `git:main` for the revision"));
    assert!(wrong(&["./main", "git:main"]).contains("git:main has no `./main`"));

    let alone = tempfile::tempdir().unwrap();
    fs::write(alone.path().join("a.yaml"), "parties: []").unwrap();
    let said = diff(alone.path(), &["git:main", "."]);
    assert!(said.err.contains("lies in no Git repository"), "{}", said.err);
}

#[test]
fn projects_with_settings_are_compared_by_those_of_the_base() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let house =
        "policy: house\nrules:\n  - id: no-chat\n    forbid: {data: [financial], to: {system: app/chat}}\n";
    for side in ["base", "head"] {
        fs::create_dir_all(folder.join(side).join("declared")).unwrap();
        fs::write(folder.join(side).join("declared/all.yaml"), PARTS).unwrap();
        fs::write(folder.join(side).join("house.yaml"), house).unwrap();
        let settings = "inventory: declared\npolicies: [house.yaml]\n";
        fs::write(folder.join(side).join("ringfence.yaml"), settings).unwrap();
        // No inventory: it would be a mistake if it were read.
        fs::write(folder.join(side).join("compose.yaml"), "services: {}\n").unwrap();
    }
    let said = diff(folder, &["base", "head"]);
    assert_eq!((said.code, said.json()["summary"]["unchanged"].as_u64()), (0, Some(1)), "{}", said.err);
    fs::write(folder.join("head/house.yaml"), "policy: house\nrules: []\n").unwrap();
    let json = diff(folder, &["base", "head"]).json();
    assert_eq!(json["untrusted"][0]["message"], "`house`: the rule `no-chat` is removed");
    assert_eq!(json["untrusted"][0]["class"], "widening");
    assert_eq!(
        (json["summary"]["unchanged"].as_u64(), json["summary"]["fixed"].as_u64()),
        (Some(1), Some(0))
    );
    // A policy that lies elsewhere is read where it lies, also for revisions.
    for side in ["base", "head"] {
        git(&folder.join(side), &["init", "--quiet", "--initial-branch", "main"]);
        commit(&folder.join(side));
    }
    let said = diff(&folder.join("head"), &["git:main", "git:HEAD", "--policy", "../base/house.yaml"]);
    assert_eq!((said.code, said.json()["summary"]["unchanged"].as_u64()), (0, Some(1)), "{}", said.err);
}

#[test]
fn a_renamed_folder_and_a_shallow_clone_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    copy(&Path::new(SAMPLES).join("messenger-banking-fenced"), &folder.join("old"));
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    commit(folder);
    git(folder, &["mv", "old", "new"]);
    commit(folder);
    let said = diff(folder, &["git:HEAD~1", "new"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("write `git:HEAD~1:old`"), "{}", said.err);
    let said = diff(folder, &["git:HEAD~1:old", "new"]);
    assert_eq!((said.code, said.json()["summary"]["reach_added"].as_u64()), (0, Some(0)), "{}", said.err);
    let said = diff(folder, &["git:HEAD~1", "new", "--allow-empty", "--policy", "core"]);
    assert!(said.json()["summary"]["reach_added"].as_u64().unwrap() > 0, "an inventory that begins");

    let clones = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.display());
    git(clones.path(), &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    let said = diff(&clones.path().join("shallow"), &["git:HEAD~1:old", "new"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("this clone is shallow"), "{}", said.err);
}

#[cfg(unix)]
#[test]
fn a_repository_runs_nothing_and_odd_names_are_names() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let repository = repository();
    let folder = repository.path();
    let trap = folder.join("trap.sh");
    fs::write(&trap, format!("#!/bin/sh\ntouch {}/sprung\n", folder.display())).unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
    for key in ["core.fsmonitor", "filter.trap.smudge", "diff.trap.textconv", "core.pager", "core.sshCommand"]
    {
        git(folder, &["config", key, trap.to_str().unwrap()]);
    }
    fs::write(folder.join(".gitattributes"), "*.yaml filter=trap diff=trap\n").unwrap();
    fs::write(folder.join("a\nb $(touch sprung).yaml"), "parties: []\n").unwrap();
    symlink("platform.yaml", folder.join("again.yaml")).unwrap();
    git(folder, &["-c", "core.fsmonitor=false", "add", "-A"]);
    git(folder, &["-c", "core.fsmonitor=false", "commit", "--quiet", "-m", "odd"]);
    let _ = fs::remove_file(folder.join("sprung"));
    let said = diff(folder, &["git:main", "git:change"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.json()["summary"]["reach_added"], 0);
    assert!(!folder.join("sprung").exists());
}

#[test]
fn results_can_be_compared() {
    let repository = repository();
    let folder = repository.path();
    let audit = |name: &str| {
        ringfence(folder, &["audit", ".", "--day", "2026-11-23", "--format", "json", "--output", name]);
    };
    audit("before.json");
    append(&folder.join("platform.yaml"), LEAK);
    audit("after.json");
    for args in [["before.json", "after.json"], ["before.json", "."], ["git:main", "after.json"]] {
        let said = diff(folder, &args);
        let json = said.json();
        assert_eq!((said.code, json["summary"]["added"].as_u64()), (1, Some(1)), "{args:?}");
        assert_eq!((&json["reach"], &json["edits"]), (&Value::Null, &Value::Null));
        assert!(json["notices"].as_array().unwrap().iter().any(|n| n["code"] == "findings-only"));
    }
    assert_eq!(diff(folder, &["after.json", "before.json"]).json()["summary"]["fixed"], 1);
    assert_eq!(diff(folder, &["after.json", "after.json"]).code, 0);
    // A waiver that only the second has is not trusted.
    let finding = fingerprints(&diff(folder, &["before.json", "after.json"]).json()["findings"]["added"]);
    let waiver =
        format!("waivers: [{{finding: '{}', reason: r, approved_by: a, expires: 2027-01-01}}]\n", finding[0]);
    fs::write(folder.join("waivers.yaml"), waiver).unwrap();
    audit("waived.json");
    assert_eq!(diff(folder, &["before.json", "waived.json"]).code, 1);
    assert_eq!(diff(folder, &["after.json", "waived.json"]).code, 0);
    assert_eq!(diff(folder, &["before.json", "waived.json", "--trust-head"]).code, 0);
    fs::write(folder.join("broken.json"), "{}").unwrap();
    assert!(diff(folder, &["broken.json", "."]).err.contains("is no result of `ringfence audit"));
}

const PARTS: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service], originates: [financial.account.balance]}]}
  - {id: app, name: App, systems: [{id: chat, purposes: [service], retention: 30d}]}
agreements:
  - id: deal
    parties: [bank, app]
    terms: {purposes: [service], retention: 90d, consent: opt_out, onward_transfer: processors}
    flows: [{id: balance, from: bank/core, to: app/chat, data: [financial.account.balance], consent: opt_out, retention: 30d}]
";

#[test]
fn edits_are_classed_by_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for side in ["base", "head"] {
        fs::create_dir(folder.join(side)).unwrap();
    }
    fs::write(folder.join("base/all.yaml"), PARTS).unwrap();
    let classes = |from: &str, to: &str| {
        fs::write(folder.join("head/all.yaml"), PARTS).unwrap();
        edit(&folder.join("head/all.yaml"), from, to);
        let said = diff(folder, &["base", "head", "--fail-on", "never", "--allow-empty"]);
        let json = said.json();
        let edits = json["edits"].as_array().unwrap();
        let word = |e: &Value, key: &str| e[key].as_str().unwrap().to_owned();
        let edits: Vec<String> = edits
            .iter()
            .map(|e| format!("{} {} {} {}", word(e, "class"), word(e, "of"), word(e, "id"), word(e, "key")))
            .collect();
        let gated =
            diff(folder, &["base", "head", "--fail-on", "never", "--allow-empty", "--fail-on-widening"]).code;
        (edits.join("; "), gated)
    };
    let gated = [
        ("role: bank", "role: other", "assertion party bank role"),
        (
            "originates: [financial.account.balance]",
            "originates: []",
            "assertion system bank/core originates",
        ),
        (
            "originates: [financial.account.balance]",
            "originates: [financial.account]",
            "widening system bank/core originates",
        ),
        (
            "[{id: chat, purposes: [service],",
            "[{id: chat, purposes: [service.account],",
            "assertion system app/chat purposes",
        ),
        (
            "[{id: chat, purposes: [service],",
            "[{id: chat, purposes: [service, advertising],",
            "widening system app/chat purposes",
        ),
        (
            "id: deal\n",
            "id: deal\n    kind: processing\n",
            "assertion agreement deal kind; assertion agreement deal provider",
        ),
        (
            "id: deal\n",
            "id: deal\n    disposed: {date: 2020-01-01, evidence: a letter}\n",
            "assertion agreement deal disposed",
        ),
        ("retention: 90d, consent", "retention: 91d, consent", "widening agreement deal terms.retention"),
        ("consent: opt_out, onward", "onward", "widening agreement deal terms.consent"),
        (
            "onward_transfer: processors",
            "onward_transfer: permitted",
            "assertion agreement deal terms.onward_transfer",
        ),
        ("{purposes: [service], retention", "{retention", "widening agreement deal terms.purposes"),
        (
            "{purposes: [service], retention",
            "{purposes: [service], released_by: [aggregated, anonymised], retention",
            "assertion agreement deal terms.released_by",
        ),
        (
            "consent: opt_out, retention: 30d}]",
            "consent: opt_in, retention: 30d}]",
            "assertion flow deal/balance consent",
        ),
        ("consent: opt_out, retention: 30d}]", "retention: 30d}]", "widening flow deal/balance consent"),
        ("consent: opt_out, retention: 30d}]", "consent: opt_out}]", "neutral flow deal/balance retention"),
        ("opt_out, retention: 30d}]", "opt_out, retention: 31d}]", "widening flow deal/balance retention"),
        (
            "opt_out, retention: 30d}]",
            "opt_out, retention: 30d, transform: anonymised}]",
            "assertion flow deal/balance transform",
        ),
        (
            "opt_out, retention: 30d}]",
            "opt_out, retention: 30d, only_from: [bank]}]",
            "assertion flow deal/balance only_from",
        ),
        (
            "data: [financial.account.balance], consent",
            "data: [financial], consent",
            "widening flow deal/balance data",
        ),
        (
            "data: [financial.account.balance], consent",
            "data: [financial.account.number], consent",
            "both flow deal/balance data",
        ),
        (
            "to: app/chat, data",
            "to: app/chat, purposes: [service.account], data",
            "narrowing flow deal/balance purposes",
        ),
        ("parties: [bank, app]", "parties: [app, bank]", ""),
        ("name: App,", "name: Apps,", "neutral party app name"),
        ("retention: 90d, consent", "retention: 89d, consent", "narrowing agreement deal terms.retention"),
        ("opt_out, retention: 30d}]", "opt_out, retention: 24h}]", "assertion flow deal/balance retention"),
    ];
    for (from, to, expected) in gated {
        let gates = ["widening", "assertion", "both"].iter().any(|class| expected.contains(class));
        assert_eq!(classes(from, to), (expected.to_owned(), i32::from(gates)), "{from} → {to}");
    }
}

#[test]
fn what_is_added_brings_its_claims_in_sight() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for side in ["base", "head"] {
        fs::create_dir(folder.join(side)).unwrap();
        fs::write(folder.join(side).join("all.yaml"), PARTS).unwrap();
    }
    fs::write(
        folder.join("head/more.yaml"),
        "parties: [{id: ad, name: Ad, role: ad_network, systems: [{id: net, purposes: [advertising]}]}]\n\
         agreements:\n  - id: study\n    parties: [bank, ad]\n    kind: processing\n    terms: {released_by: [aggregated], \
         onward_transfer: permitted, retention: 1y, consent: opt_in}\n    flows:\n      - {id: figures, from: bank/core, to: \
         ad/net, data: [financial.account.balance], transform: aggregated, consent: opt_in, only_from: [bank]}\n",
    )
    .unwrap();
    let said = diff(folder, &["base", "head"]);
    let json = said.json();
    let edits: Vec<String> = json["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| ["class", "of", "id", "key"].map(|key| e[key].as_str().unwrap()).join(" "))
        .collect();
    for expected in [
        "neutral agreement study added",
        "assertion agreement study kind",
        "assertion agreement study terms.released_by",
        "assertion agreement study terms.onward_transfer",
        "widening flow study/figures added",
        "assertion flow study/figures transform",
        "assertion flow study/figures consent",
        "assertion flow study/figures only_from",
    ] {
        assert!(edits.iter().any(|e| e == expected), "{expected} is not in {edits:#?}");
    }
    let added =
        json["edits"].as_array().unwrap().iter().find(|e| e["id"] == "study/figures" && e["key"] == "added");
    assert_eq!(added.unwrap()["after"][0], "bank/core → ad/net: financial.account.balance");
    let claims = json["relied_on"].as_array().unwrap();
    assert!(
        claims.iter().any(|c| c["flow"] == "study/figures" && c["claim"] == "transform: aggregated"),
        "{claims:?}"
    );
    for format in ["text", "markdown"] {
        let out = ringfence(folder, &["diff", "base", "head", "--format", format]).out.to_lowercase();
        assert!(out.contains("newly relied on") && out.contains("transform: nothing → aggregated"), "{out}");
    }
    // What is only planned or gone moves nothing, and says so.
    fs::write(
        folder.join("head/more.yaml"),
        "flows: [{id: gone, from: app/chat, to: bank/core, data: [device], disposed: {date: 2020-01-01, evidence: a letter}}]\n",
    )
    .unwrap();
    let json = diff(folder, &["base", "head"]).json();
    assert!(
        json["edits"].as_array().unwrap().iter().any(|e| e["key"] == "disposed" && e["class"] == "assertion")
    );
}

#[test]
fn every_key_that_is_compared_has_its_row() {
    for (at, field) in FIELDS.iter().enumerate() {
        let twins = FIELDS.iter().skip(at + 1).filter(|other| other.key == field.key);
        let shared = twins.flat_map(|twin| twin.of).filter(|of| field.of.contains(of));
        assert_eq!(shared.count(), 0, "{}", field.key);
    }
    let asserted = [
        (Declaration::Flow, "consent"),
        (Declaration::Flow, "transform"),
        (Declaration::Agreement, "kind"),
        (Declaration::Party, "role"),
        (Declaration::Agreement, "parties"),
        (Declaration::Agreement, "disposed"),
        (Declaration::Flow, "disposed"),
        (Declaration::Agreement, "terms.released_by"),
    ];
    for (of, key) in asserted {
        let row = find(of, key).unwrap().classes.unwrap();
        assert_eq!(row.more, Class::Assertion, "{of} {key}");
    }
    for (of, key) in [
        (Declaration::Flow, "only_from"),
        (Declaration::System, "purposes"),
        (Declaration::System, "originates"),
    ] {
        let row = find(of, key).unwrap().classes.unwrap();
        assert_eq!(row.less, Class::Assertion, "{of} {key}");
    }
}

#[test]
fn the_table_is_published() {
    let mut table = String::from(
        "| of | key | more, longer, higher | less | another value | who looks at it | why |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for field in FIELDS {
        let Some(row) = field.classes else { continue };
        let of: Vec<String> = field.of.iter().map(ToString::to_string).collect();
        let classes = format!("{} | {} | {}", row.more, row.less, row.other);
        let (of, key, reader) = (of.join(", "), field.key, field.reader());
        table += &format!("| {of} | `{key}` | {classes} | {reader} | {} |\n", row.why);
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/use/diff.md");
    let text = fs::read_to_string(file).unwrap();
    let (before, rest) = text.split_once("<!-- table -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /table -->").unwrap();
    let wanted = format!("{before}<!-- table -->\n{table}<!-- /table -->{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(file, &wanted).unwrap();
    }
    assert_eq!(text, wanted, "UPDATE_DOCS=1 cargo test --test it difference writes it anew");
}

/// The flagship with a leak, and a party with a name that means harm.
fn hostile(folder: &Path) {
    append(&folder.join("platform.yaml"), LEAK);
    append(
        &folder.join("platform.yaml"),
        "  - id: again\n    title: \"</script><img src=x onerror=alert(1)> @everyone \\u202e ::error::x\"\n    \
         from: facebook/social-graph\n    to: facebook/measurement\n    data: [social]\n    purposes: [sale]\n",
    );
    edit(&folder.join("platform.yaml"), "name: Facebook, Inc.", "name: \"=1+1|`x`\\u001b[2J\"");
    commit(folder);
}

#[test]
fn reports_of_a_comparison() {
    let repository = repository();
    let folder = repository.path();
    append(&folder.join("platform.yaml"), LEAK);
    fs::write(
        folder.join("waivers.yaml"),
        "waivers: [{rule: '*e*', reason: r, approved_by: a, expires: 2027-01-01}]\n",
    )
    .unwrap();
    edit(&folder.join("partners/paypal.yaml"), "retention: 90d", "retention: 30d");
    commit(folder);
    let commits = [git(folder, &["rev-parse", "main"]), git(folder, &["rev-parse", "HEAD"])];
    for format in ["text", "markdown"] {
        let said = ringfence(folder, &["diff", "main", "HEAD", "--day", "2026-11-23", "--format", format]);
        assert_eq!((said.code, said.err.as_str()), (1, ""));
        let mut out = said.out;
        for commit in &commits {
            out = out.replace(&commit[..10], "0123456789");
        }
        insta::assert_snapshot!(format!("a_comparison_as_{format}"), out);
    }
    let json = diff(folder, &["main", "HEAD"]).json();
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/diff.schema.json")).unwrap(),
    )
    .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mistakes: Vec<String> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new());
    // What services read: one finding that is new, the others known.
    let sarif = ringfence(folder, &["diff", "main", "HEAD", "--day", "2026-11-23", "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif.out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let new = results.iter().filter(|r| r["baselineState"] == "new").count();
    assert_eq!(new, json["findings"]["added"].as_array().unwrap().len());
}

#[test]
fn hostile_names_do_nothing_in_a_comparison() {
    let repository = repository();
    let folder = repository.path();
    hostile(folder);
    for format in ["text", "markdown", "json", "github"] {
        let out = ringfence(folder, &["diff", "main", "HEAD", "--day", "2026-11-23", "--format", format]).out;
        let hidden = out.chars().find(|&c| c != '\n' && ringfence::testing::visible::is_hidden(c));
        assert_eq!(hidden, None, "{format}");
        if format == "markdown" {
            assert!(!out.contains("<img") && !out.contains(" @everyone"), "{out}");
            assert!(out.chars().count() <= 60_000);
        }
        if format == "github" {
            assert!(!out.lines().any(|line| line.starts_with("::error::x")), "{out}");
        }
    }
}

#[test]
fn every_format_shows_a_comparison() {
    let repository = repository();
    let folder = repository.path();
    append(&folder.join("platform.yaml"), LEAK);
    commit(folder);
    let formats =
        ["text", "json", "sarif", "junit", "github", "gitlab", "markdown", "csv", "html", "ropa-csv"];
    let mut args = vec![
        "diff".to_owned(),
        "main".into(),
        "HEAD".into(),
        "--quiet".into(),
        "--output".into(),
        "/dev/null".into(),
    ];
    for format in formats {
        args.extend(["--report".to_owned(), format!("{format}=out.{format}")]);
    }
    let said = ringfence(folder, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    for format in formats {
        let text = fs::read_to_string(folder.join(format!("out.{format}"))).unwrap();
        assert!(text.contains("messenger-to-audiences") || format == "ropa-csv", "{format}: {text}");
        assert!(!text.is_empty(), "{format}");
    }
}

/// Its data moved nowhere bad in the base; what is known must not hide what is added.
#[test]
fn an_assumed_origin_that_begins_to_leak_is_grown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let parts = "\
parties:
  - {id: app, name: App, role: platform, systems: [{id: chat, purposes: [service], retention: 30d}, {id: store, \
     purposes: [service], retention: 30d}, {id: ads, purposes: [advertising], retention: 30d}]}
flows:
  - {id: keep, from: app/chat, to: app/store, data: [financial]}
";
    for (side, more) in
        [("base", ""), ("head", "  - {id: leak, from: app/store, to: app/ads, data: [financial]}\n")]
    {
        fs::create_dir(folder.join(side)).unwrap();
        fs::write(folder.join(side).join("all.yaml"), parts.to_owned() + more).unwrap();
    }
    let rule = "policy: house\nrules:\n  - id: ads\n    forbid: {data: [financial], from: {role: bank}, to: {purpose: advertising}}\n";
    fs::write(folder.join("house.yaml"), rule).unwrap();
    let said = diff(folder, &["base", "head", "--policy", "house.yaml"]);
    let json = said.json();
    let grown = &json["findings"]["grown"][0];
    assert_eq!(
        (said.code, &grown["rule"], &grown["severity"]),
        (1, &"flow/unsourced".into(), &"high".into()),
        "{json:#}"
    );
    let more = serde_json::json!([{"than": "base", "of": "severity", "more": ["high"]}]);
    assert_eq!(grown["beyond"], more);
    // Nothing was accepted, and no format says so.
    for format in ["text", "markdown", "junit", "github", "gitlab"] {
        let said = ringfence(
            folder,
            &["diff", "base", "head", "--policy", "house.yaml", "--format", format, "--day", "2026-11-23"],
        );
        let words: Vec<&str> = said.out.split_whitespace().collect();
        assert!(
            words.join(" ").contains("grown: more than in BASE: severity high"),
            "{format}: {}",
            said.out
        );
    }
}

/// Two results: what only the second one accepts, and what became more since the first, is not accepted.
#[test]
fn a_result_accepts_nothing_that_became_more() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let world = "\
parties:
  - {id: a, name: A, role: bank, jurisdiction: US, systems: [{id: s, originates: [device], purposes: [service]}]}
  - {id: b, name: B, role: platform, jurisdiction: US, systems: [{id: s, purposes: [advertising]}]}
agreements:
  - {id: t, parties: [a, b], status: STATUS, flows: [{id: f, from: a/s, to: b/s, data: [device], retention: 1d}]}
waivers:
  - {rule: house/ads, reason: r, approved_by: a, expires: 2027-01-01}
";
    let rule = "policy: house\nrules:\n  - {id: ads, severity: SEVERITY, forbid: {data: [device], to: {purpose: advertising}}}\n";
    let result = |name: &str, status: &str, severity: &str| {
        fs::write(folder.join("all.yaml"), world.replace("STATUS", status)).unwrap();
        fs::write(folder.join("house.txt"), rule.replace("SEVERITY", severity)).unwrap();
        let args = ["audit", "all.yaml", "--policy", "house.txt", "--format", "json", "--day", "2026-11-23"];
        fs::write(folder.join(name), ringfence(folder, &args).out).unwrap();
    };
    result("base.json", "proposed", "high");
    for (status, severity, of) in [
        ("proposed", "high", None),
        ("active", "high", Some("prospective")),
        ("proposed", "critical", Some("severity")),
    ] {
        result("head.json", status, severity);
        let json = diff(folder, &["base.json", "head.json"]).json();
        let grown = &json["findings"]["grown"];
        assert_eq!(grown[0]["beyond"][0]["of"].as_str(), of, "{json:#}");
        assert_eq!(grown.as_array().unwrap().len(), usize::from(of.is_some()), "{json:#}");
    }
}
