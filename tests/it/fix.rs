//! `fix`: as small as the smallest of all sets of cuts, and every set judged again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use ringfence::finding::Place;
use ringfence::gate::Gate;
use ringfence::source::Sources;
use ringfence::testing::query::{EditKind, Fix, FixAsked, Unfixable, fix};
use ringfence::vocabulary::{Status, Word};
use ringfence::{Options, Request, Scope, audit, judge, load};
use serde_json::Value;

use crate::naive::evaluate::{self, Key, evaluate, fails};
use crate::naive::resolve::Model;
use crate::naive::world::World;
use crate::naive::{generate, harness, write};

/// The same world without some flows, by their full ids.
fn without(world: &World, cut: &BTreeSet<String>) -> World {
    let mut left = world.clone();
    for agreement in &mut left.agreements {
        let id = agreement.id.clone();
        agreement.flows.retain(|flow| !cut.contains(&format!("{id}/{}", flow.id)));
    }
    left.flows.retain(|flow| !cut.contains(&flow.id));
    left
}

/// What the naive evaluator finds: everything, and what makes an audit fail.
fn naively(world: &World) -> (BTreeSet<Key>, BTreeSet<Key>) {
    let found = evaluate(world).findings;
    let failing = found.iter().filter(|finding| fails(world, finding)).map(|finding| finding.key());
    (found.iter().map(|finding| finding.key()).collect(), failing.collect())
}

fn counting(world: &World) -> Vec<String> {
    let model = Model::new(world, evaluate::options(world));
    model.counting().map(|flow| model.flows[flow].id.clone()).collect()
}

fn options(world: &World) -> Options {
    let mut all = Options::new(evaluate::options(world).day.0);
    let statuses = world.call.status.as_ref();
    all.scope = Scope {
        as_of: world.call.as_of.map(|day| day.0),
        statuses: statuses.map(|list| list.iter().map(|word| Status::parse(word).unwrap()).collect()),
        ..Scope::default()
    };
    all
}

/// What the program proposes, and the keys of what it finds by their fingerprints. `None`: a world that it refuses.
fn proposed(world: &World, kinds: &[EditKind]) -> Option<(Fix, BTreeMap<String, Key>)> {
    let dir = tempfile::tempdir().unwrap();
    write::write(world, dir.path(), 0);
    let policy = dir.path().join("policy.yaml").display().to_string();
    let request = Request {
        paths: vec![dir.path().join("inventory")],
        policies: vec![policy],
        keep: true,
        ..Request::default()
    };
    let mut sources = Sources::new();
    let loaded = load(&request, &mut sources).ok()?;
    let options = options(world);
    let costs = kinds.iter().map(|&kind| (kind, if kind == EditKind::Cut { 3 } else { 2 })).collect();
    let asked = FixAsked { only: Vec::new(), costs, max: 2, allow_empty: false };
    let judgement = judge(&loaded, &options);
    let found = fix((&loaded, &sources), (&options, &Gate::default()), &judgement, &asked, &|| true).unwrap();
    let place = |place: &Option<Place>| {
        place.as_ref().map(|place| place.system.clone().unwrap_or_else(|| place.party.clone()))
    };
    let keys = audit(&loaded, &sources, &options).findings.into_iter().map(|finding| {
        let key = Key {
            rule: finding.rule.clone(),
            source: place(&finding.source),
            sink: place(&finding.sink),
            flow: finding.flow.clone(),
            subject: finding.subject.clone(),
        };
        (finding.fingerprint, key)
    });
    Some((found, keys.collect()))
}

/// All sets of so many of some names.
fn sets(names: &[String], many: usize) -> Vec<BTreeSet<String>> {
    match (many, names.split_first()) {
        (0, _) => vec![BTreeSet::new()],
        (_, None) => Vec::new(),
        (_, Some((first, rest))) => {
            let with = sets(rest, many - 1).into_iter().map(|mut set| {
                set.insert(first.clone());
                set
            });
            with.chain(sets(rest, many)).collect()
        }
    }
}

/// Worlds with more flows in scope than this have too many sets to try all.
const MOST: usize = 6;

#[test]
fn no_smaller_set_of_cuts_exists_than_the_one_that_is_found() {
    // More than one edit, more than one set, findings that cannot go together.
    let seen = std::cell::RefCell::new((0, 0, 0));
    harness::try_all(harness::cases(25), generate::world(), harness::show, |world| {
        let flows = counting(world);
        let (_, failing) = naively(world);
        if flows.len() > MOST || failing.is_empty() {
            return Ok(());
        }
        let Some((found, keys)) = proposed(world, &[EditKind::Cut]) else { return Ok(()) };
        let named = |all: &mut dyn Iterator<Item = &String>| -> BTreeSet<Key> {
            all.map(|f| keys[f].clone()).collect()
        };
        let targets = named(&mut found.targets.iter().map(|target| &target.fingerprint));
        let alone = found.unfixable.iter().filter(|target| target.why == Some(Unfixable::Alone));
        let alone = named(&mut alone.map(|target| &target.fingerprint));
        let together = found.unfixable.iter().filter(|target| target.why == Some(Unfixable::Together));
        let together = named(&mut together.map(|target| &target.fingerprint));
        let all: BTreeSet<Key> = targets.iter().chain(&alone).chain(&together).cloned().collect();
        if all != failing {
            return Err(format!("of {failing:#?} these are looked at: {all:#?}"));
        }
        if !found.proven || found.cut.is_some() {
            return Err("nothing is proven in a small world".to_owned());
        }
        let good = |cut: &BTreeSet<String>, gone: &dyn Fn(&Key) -> bool| {
            let left = without(world, cut);
            let (there, fails) = naively(&left);
            !counting(&left).is_empty() && fails.is_subset(&failing) && !there.iter().any(gone)
        };
        for set in &found.sets {
            let cut: BTreeSet<String> = set.edits.iter().map(|edit| edit.of.clone()).collect();
            if !good(&cut, &|key| targets.contains(key)) {
                return Err(format!("{cut:?} does not do"));
            }
        }
        let size = found.sets.first().map_or(flows.len() + 1, |set| set.edits.len());
        for many in 0..size.min(flows.len() + 1) {
            let does = sets(&flows, many).into_iter().find(|cut| good(cut, &|key| targets.contains(key)));
            if let Some(cut) = does.filter(|_| !targets.is_empty()) {
                return Err(format!("{cut:?} does, and {size} edits were found"));
            }
        }
        let every = if alone.is_empty() && together.is_empty() { 0..0 } else { 0..flows.len() + 1 };
        for cut in every.flat_map(|many| sets(&flows, many)) {
            let (there, _) = naively(&without(world, &cut));
            if let Some(key) = alone.iter().find(|key| !there.contains(key)) {
                return Err(format!("{key:?} is gone with {cut:?}"));
            }
            if !together.is_empty() && good(&cut, &|key| together.contains(key)) {
                return Err(format!("{together:?} are gone with {cut:?}"));
            }
        }
        let mut seen = seen.borrow_mut();
        seen.0 += usize::from(found.sets.first().is_some_and(|set| set.edits.len() > 1));
        seen.1 += usize::from(found.sets.len() > 1);
        seen.2 += usize::from(!together.is_empty());
        Ok(())
    });
    let seen = seen.into_inner();
    assert!(seen.0 >= 1 && seen.2 >= 1, "{seen:?}");
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_ringfence")).current_dir(folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let (_, text, errors) = run(folder, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

fn prints(audit: &Value) -> BTreeSet<String> {
    let findings = audit["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["fingerprint"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_written_is_what_was_judged() {
    let written = std::cell::Cell::new(0);
    harness::try_all(
        harness::cases(12),
        (generate::world(), 0..4_u64),
        |(world, _)| harness::show(world),
        |(world, layout)| {
            let dir = tempfile::tempdir().unwrap();
            write::write(world, dir.path(), *layout);
            let day = evaluate::options(world).day.0.to_string();
            let mut call = vec!["inventory", "--policy", "policy.yaml", "--day", &day];
            let as_of = world.call.as_of.map(|day| day.0.to_string());
            call.extend(as_of.iter().flat_map(|day| ["--as-of", day]));
            let status = world.call.status.as_ref().map(|list| list.join(","));
            call.extend(status.iter().flat_map(|list| ["--status", list]));
            let with = |first: &[&'static str]| -> Vec<String> {
                first.iter().copied().chain(call.iter().copied()).map(str::to_owned).collect()
            };
            let go =
                |args: Vec<String>| json(dir.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
            if run(dir.path(), &with(&["check"]).iter().map(String::as_str).take(2).collect::<Vec<_>>()).0
                != 0
            {
                return Ok(());
            }
            let (code, ..) =
                run(dir.path(), &with(&["audit"]).iter().map(String::as_str).collect::<Vec<_>>());
            if code != 1 {
                return Ok(());
            }
            let found = go(with(&["fix", "--max", "1", "--kinds", "cut,data,purposes,derives"]));
            if found["sets"].as_array().unwrap().is_empty() {
                return Ok(());
            }
            let args = with(&["fix", "--max", "1", "--kinds", "cut,data,purposes,derives", "--write"]);
            let (code, _, errors) = run(dir.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
            if code != 0 {
                // What an alias stands for is for a person to edit.
                return if errors.contains("edit it by hand") { Ok(()) } else { Err(errors) };
            }
            let after = go(with(&["audit"]));
            let targets = found["targets"].as_array().unwrap().iter();
            let targets: BTreeSet<String> =
                targets.map(|target| target["fingerprint"].as_str().unwrap().to_owned()).collect();
            let left: Vec<String> = prints(&after).intersection(&targets).cloned().collect();
            written.set(written.get() + 1);
            let failing = &after["summary"]["failing"];
            if left.is_empty() && *failing == found["sets"][0]["proof"]["failing_after"] {
                Ok(())
            } else {
                Err(format!("{left:?} are left, {failing} fail: {found:#}"))
            }
        },
    );
    assert!(written.get() >= 2, "{}", written.get());
}

/// A bank's data goes to a platform and on to a broker, by two ways.
const WORLD: &str = "\
parties:
  - id: bank
    name: Bank
    role: bank
    systems: [{id: core, originates: [financial.account, financial.card], purposes: [service]}]
  - id: platform
    name: Platform
    role: platform
    systems:
      - {id: chat, purposes: [service]}
      - {id: store, purposes: [analytics]}
  - id: broker
    name: Broker
    role: data_broker
    systems: [{id: files, purposes: [sale]}]
agreements:
  - id: chat
    parties: [bank, platform, broker]
    terms: {onward_transfer: permitted}
    flows:
      # Balances, for the chat.
      - id: balance # since 2018
        from: bank/core
        to: platform/chat
        data:
          - financial.account # all of it
          - financial.card
        purposes: [service]
      - {id: direct, from: bank/core, to: broker/files, data: [financial.card], purposes: [sale]} # cards
      - {id: sold, from: platform/chat, to: broker/files, data: [financial.account.balance, financial.card], purposes: [sale]}
statements:
  - id: said
    by: platform
    said: {quote: We never sell balances.}
    promise: {forbid: {data: [financial.account], from: {party: bank}, to: {role: data_broker}}}
";

fn world() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), WORLD).unwrap();
    folder
}

const CALL: [&str; 5] = ["fix", "world.yaml", "--day", "2026-11-22", "--only"];

#[test]
fn the_answer_fits_its_schema_and_says_what_it_costs() {
    let folder = world();
    let answer = json(folder.path(), &[&CALL[..], &["statement/said"]].concat());
    let schemas = ringfence::testing::report::answer_schemas().unwrap();
    let (_, schema) = schemas.iter().find(|(name, _)| *name == "fix").unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mistakes: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&answer).map(|e| e.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new());
    // To narrow the last flow costs 2, to cut it 3. Without accounts on the first one, the last would have no source for
    // what it names, which fails as well.
    assert_eq!(answer["sets"][0]["cost"], 2);
    assert_eq!(answer["sets"][0]["edits"][0]["of"], "chat/sold");
    assert_eq!(answer["sets"][0]["edits"][0]["after"], serde_json::json!(["financial.card"]));
    assert_eq!(answer["sets"][1]["edits"][0]["kind"], "cut");
    assert_eq!(answer["at_least"], 2);
    assert_eq!(answer["proven"], true);
}

#[test]
fn a_patch_keeps_comments_and_order() {
    let folder = world();
    let (code, patch, errors) = run(folder.path(), &[&CALL[..], &["statement/said", "--diff"]].concat());
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(
        patch,
        r#"--- world.yaml
+++ world.yaml
@@ -27,7 +27,7 @@
           - financial.card
         purposes: [service]
       - {id: direct, from: bank/core, to: broker/files, data: [financial.card], purposes: [sale]} # cards
-      - {id: sold, from: platform/chat, to: broker/files, data: [financial.account.balance, financial.card], purposes: [sale]}
+      - {id: sold, from: platform/chat, to: broker/files, data: [financial.card], purposes: [sale]}
 statements:
   - id: said
     by: platform
"#
    );
    let (_, patch, _) =
        run(folder.path(), &[&CALL[..], &["statement/said", "--kinds", "cut", "--diff"]].concat());
    assert_eq!(
        patch,
        r#"--- world.yaml
+++ world.yaml
@@ -27,7 +27,6 @@
           - financial.card
         purposes: [service]
       - {id: direct, from: bank/core, to: broker/files, data: [financial.card], purposes: [sale]} # cards
-      - {id: sold, from: platform/chat, to: broker/files, data: [financial.account.balance, financial.card], purposes: [sale]}
 statements:
   - id: said
     by: platform
"#
    );
    assert_eq!(fs::read_to_string(folder.path().join("world.yaml")).unwrap(), WORLD);
}

#[test]
fn facts_are_written_only_if_they_are_asserted_and_essential_flows_stay() {
    let folder = world();
    let essential = WORLD.replace("id: sold,", "id: sold, essential: true,").replace(
        "to: {role: data_broker}}}",
        "to: {role: data_broker}, unless: {arriving: {consent: opt_in}}}}",
    );
    fs::write(folder.path().join("world.yaml"), &essential).unwrap();
    let only = |more: &[&'static str]| -> Vec<&str> { [&CALL[..], &["statement/said"], more].concat() };
    // Without the first flow the last one would make up what it names.
    let cut = json(folder.path(), &only(&["--kinds", "cut"]));
    assert_eq!(cut["sets"], serde_json::json!([]));
    assert_eq!(cut["unfixable"][0]["why"], "opens_others");
    let kinds = ["--kinds", "consent", "--write"];
    let (code, _, errors) = run(folder.path(), &only(&kinds));
    assert!(code == 2 && errors.contains("needs a fact") && errors.contains("--assert"), "{errors}");
    assert_eq!(fs::read_to_string(folder.path().join("world.yaml")).unwrap(), essential);
    let (code, said, _) = run(folder.path(), &only(&[&kinds[..], &["--assert"]].concat()));
    assert_eq!(code, 0, "{said}");
    let text = fs::read_to_string(folder.path().join("world.yaml")).unwrap();
    assert!(text.contains("{id: sold, consent: opt_in, essential: true,"), "{text}");
    let (code, said, _) = run(folder.path(), &["fix", "world.yaml", "--day", "2026-11-22"]);
    assert_eq!(code, 0);
    assert!(!said.contains("statement/said"), "{said}");
}

#[test]
fn what_names_nothing_is_an_error_with_the_nearest_word() {
    let folder = world();
    for (args, expected) in [
        (&["--only", "statement/sad"][..], "did you mean `statement/said`?"),
        (&["--only", "flow:chat/sol"], "did you mean `flow:chat/sold`?"),
        (&["--cost", "cutt=1"], "expected a kind"),
        (&["--kinds", "derives", "--set", "9", "--write"], "there is no set 9"),
    ] {
        let call = [&["fix", "world.yaml", "--day", "2026-11-22"], args].concat();
        let (code, _, errors) = run(folder.path(), &call);
        assert!(code == 2 && errors.contains(expected), "{args:?}: {errors}");
    }
}

/// The part of the flagship's README between a command and the next one.
fn shown(command: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("samples/messenger-banking/README.md")).unwrap();
    let (_, rest) =
        readme.split_once(&format!("    {command}\n\n```text\n")).unwrap_or_else(|| panic!("no {command}"));
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_promises_of_the_flagship_are_kept_with_the_fewest_cuts() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/messenger-banking");
    copy(&sample, &folder.path().join("samples/messenger-banking"));
    for (command, kept) in [
        ("fix --only 'statement/*' --kinds cut,derives --max 1 --limit 0 samples/messenger-banking", false),
        ("fix --only 'statement/*' --kinds cut,derives --write samples/messenger-banking", true),
    ] {
        let args: Vec<String> = command.split(' ').map(|word| word.replace('\'', "")).collect();
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.extend(["--day", "2026-11-23"]);
        let (code, text, errors) = run(folder.path(), &args);
        assert_eq!((code, errors.as_str()), (0, ""), "{command}");
        assert_eq!(text, shown(&format!("ringfence {command}")), "{command}");
        let audit = json(folder.path(), &["audit", "samples/messenger-banking", "--day", "2026-11-23"]);
        let promises = audit["promises"].as_array().unwrap();
        assert_eq!(promises.iter().all(|promise| promise["kept"] == true), kept);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
