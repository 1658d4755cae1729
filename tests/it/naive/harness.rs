//! Runs the binary on a world and compares what it says with what is expected.

use super::evaluate::{self, Finding, Key, Relied, Verdict, evaluate, judged};
use super::resolve::Model;
use super::rules::{Chase, Gathering};
use super::terms::{STICKY, Term};
use super::walk::{At, Item, Origins, follow};
use super::world::{Body, Limit, World};
use super::write;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;
use std::process::Command;

/// How many random worlds: `RINGFENCE_CASES`, else the given number.
pub fn cases(default: u32) -> u32 {
    std::env::var("RINGFENCE_CASES").map_or(default, |n| n.parse().expect("a number"))
}

/// Tries a property on random values, always the same ones unless
/// `PROPTEST_RNG_SEED` says otherwise; a failure is shrunk, with
/// `PROPTEST_MAX_SHRINK_ITERS` attempts, and shown.
pub fn try_all<T: Debug>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    show: impl Fn(&T) -> String,
    property: impl Fn(&T) -> Result<(), String>,
) {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().expect("a number"));
    let seed = number("PROPTEST_RNG_SEED").unwrap_or(7);
    let shrinks = number("PROPTEST_MAX_SHRINK_ITERS").unwrap_or(3000);
    let mut runner = TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: shrinks.try_into().expect("not so many"),
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |value| property(&value).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(first, value)) => {
            // A property that remembers earlier cases may not fail alone.
            let why = property(&value).err().unwrap_or_else(|| first.to_string());
            panic!("{}\n{why}", show(&value));
        }
        Err(TestError::Abort(why)) => panic!("aborted: {why}"),
    }
}

/// The files and the call of a world, to read and to paste.
pub fn show(world: &World) -> String {
    format!(
        "# world.yaml\n{}\n# policy.yaml\n{}\n# call: {}\n",
        write::yaml(&write::inventory(world)),
        write::yaml(&write::policy(world)),
        call(world, Model::new(world, evaluate::options(world)).counting().count()).join(" "),
    )
}

fn call(world: &World, counting: usize) -> Vec<String> {
    let mut call: Vec<String> =
        ["audit", "inventory", "--policy", "policy.yaml", "--format", "json", "--day", evaluate::DAY]
            .map(str::to_owned)
            .to_vec();
    if let Some(day) = world.call.as_of {
        call.extend(["--as-of".to_owned(), day.to_string()]);
    }
    if let Some(status) = &world.call.status {
        call.extend(["--status".to_owned(), status.join(",")]);
    }
    if counting == 0 {
        call.push("--allow-empty".to_owned());
    }
    call
}

/// What the binary printed.
pub struct Output {
    pub exit: i32,
    pub bytes: Vec<u8>,
    pub json: Value,
}

/// Writes a world to a folder of its own and audits it.
pub fn run(binary: &str, world: &World, layout: u64) -> Result<Output, String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    write::write(world, dir.path(), layout);
    audit(binary, world, dir.path())
}

/// Audits a world that is written already.
pub fn audit(binary: &str, world: &World, dir: &Path) -> Result<Output, String> {
    let counting = Model::new(world, evaluate::options(world)).counting().count();
    let output = Command::new(binary)
        .args(call(world, counting))
        .current_dir(dir)
        .output()
        .map_err(|e| format!("{binary}: {e}"))?;
    let exit = output.status.code().unwrap_or(-1);
    let errors = String::from_utf8_lossy(&output.stderr);
    if exit != 0 && exit != 1 {
        return Err(format!("exit {exit}\n{errors}"));
    }
    let json =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("exit {exit}, no JSON: {e}\n{errors}"))?;
    Ok(Output { exit, bytes: output.stdout, json })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(text).collect()
}

/// The name of a source or a sink: a system, else a party.
fn place(value: &Value) -> Option<String> {
    text(&value["system"]).or_else(|| text(&value["party"]))
}

/// The key of a finding as printed.
pub fn key_of(finding: &Value) -> Key {
    Key {
        rule: text(&finding["rule"]).unwrap_or_default(),
        source: place(&finding["source"]),
        sink: place(&finding["sink"]),
        flow: text(&finding["flow"]),
        subject: text(&finding["subject"]),
    }
}

/// The findings as printed.
pub fn findings(json: &Value) -> Vec<Value> {
    json["findings"].as_array().cloned().unwrap_or_default()
}

/// Compares the binary's audit of a world with the naive one.
pub fn agree(binary: &str, world: &World, layout: u64) -> Result<(), String> {
    let output = run(binary, world, layout)?;
    compare(world, &evaluate(world), &output)
}

/// Everything in which an output differs from what is expected.
pub fn compare(world: &World, expected: &Verdict, output: &Output) -> Result<(), String> {
    let model = Model::new(world, evaluate::options(world));
    let origins = model.assume_origins();
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<Key, Value> = BTreeMap::new();
    for finding in findings(&output.json) {
        let key = key_of(&finding);
        if seen.insert(key.clone(), finding).is_some() {
            wrong.push(format!("twice: {}", line(&key)));
        }
    }
    let wanted: BTreeMap<Key, &Finding> = expected.findings.iter().map(|f| (f.key(), f)).collect();
    assert_eq!(wanted.len(), expected.findings.len(), "the naive evaluator finds something twice");
    for (key, finding) in &wanted {
        match seen.get(key) {
            None => wrong.push(format!("- missing: {} {finding:?}", line(key))),
            Some(printed) => {
                for difference in differences(&model, finding, printed) {
                    wrong.push(format!("~ {}: {difference}", line(key)));
                }
                for difference in unproven(&model, &origins, key, printed) {
                    wrong.push(format!("~ {}: {difference}", line(key)));
                }
            }
        }
    }
    for (key, printed) in &seen {
        if !wanted.contains_key(key) {
            wrong.push(format!("+ unexpected: {} {printed}", line(key)));
        }
    }
    let relied: BTreeSet<Relied> = output.json["relied_on"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| Relied {
            rule: text(&r["rule"]).unwrap_or_default(),
            flow: text(&r["flow"]).or(text(&r["system"])).unwrap_or_default(),
        })
        .collect();
    for missing in expected.relied_on.difference(&relied) {
        wrong.push(format!("- not relied on: {missing:?}"));
    }
    for extra in relied.difference(&expected.relied_on) {
        wrong.push(format!("+ relied on: {extra:?}"));
    }
    let counted = &output.json["inventory"];
    let declared = [
        ("parties", world.parties.len()),
        ("systems", model.systems.len()),
        ("agreements", world.agreements.len()),
        ("flows", model.flows.len()),
        ("counting_flows", expected.counting_flows),
    ];
    for (key, number) in declared {
        let same = counted[key].as_u64() == u64::try_from(number).ok();
        if !same {
            wrong.push(format!("~ inventory.{key}: {number} not {}", counted[key]));
        }
    }
    if output.exit != expected.exit {
        wrong.push(format!("~ exit: {} not {}", expected.exit, output.exit));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn line(key: &Key) -> String {
    let or = |part: &Option<String>| part.clone().unwrap_or("·".to_owned());
    format!(
        "[{} {} → {} flow {} subject {}]",
        key.rule,
        or(&key.source),
        or(&key.sink),
        or(&key.flow),
        or(&key.subject)
    )
}

fn body<'w>(world: &'w World, rule: &str) -> Option<&'w Body> {
    let mut rules = judged(world).into_iter();
    rules.find(|r| r.id == rule).map(|r| r.body)
}

/// Keys expanded to leaves, and whether they were the fewest that say it.
fn expanded(model: &Model<'_>, keys: &Value) -> (BTreeSet<String>, bool) {
    let keys = texts(keys);
    let leaves = keys.iter().flat_map(|k| model.data.leaves_of(k)).collect();
    let given: BTreeSet<String> = keys.iter().cloned().collect();
    let fewest = given == model.data.cover(&leaves) && given.len() == keys.len();
    (leaves, fewest)
}

/// In what a printed finding differs from the expected one. `- ` is expected.
fn differences(model: &Model<'_>, wanted: &Finding, printed: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, wanted: String, printed: String| {
        if wanted != printed {
            wrong.push(format!("{what}: expected {wanted}, printed {printed}"));
        }
    };
    let plain = |key: &str| text(&printed[key]).unwrap_or_else(|| printed[key].to_string());
    same("kind", wanted.kind.clone(), plain("kind"));
    same("severity", wanted.severity.clone(), plain("severity"));
    same("status", wanted.status.clone(), plain("status"));
    for (key, flag) in [
        ("grown", wanted.grown),
        ("consequent", wanted.consequent),
        ("prospective", wanted.prospective),
        ("retained", wanted.retained),
    ] {
        same(key, flag.to_string(), plain(key));
    }
    let (data, fewest) = expanded(model, &printed["data"]);
    same("data", format!("{:?}", wanted.data), format!("{data:?}"));
    same("data is a minimal cover", "true".into(), fewest.to_string());
    if let Some(arrives_as) = &wanted.arrives_as {
        let (leaves, fewest) = expanded(model, &printed["arrives_as"]);
        same("arrives_as", format!("{arrives_as:?}"), format!("{leaves:?}"));
        same("arrives_as is a minimal cover", "true".into(), fewest.to_string());
    }
    if ["terms", "flow"].contains(&&*wanted.kind) && wanted.rule != "flow/unsourced" {
        let agreements = texts(&printed["agreements"]);
        same("agreements", format!("{:?}", wanted.agreements), format!("{agreements:?}"));
    }
    let length = |path: &Value| path.as_array().map_or(0, Vec::len);
    let witnesses: Vec<usize> = printed["witnesses"].as_array().into_iter().flatten().map(length).collect();
    let rule = body(model.world, &wanted.rule);
    match rule {
        Some(Body::Require(_)) => same("path length", "0".to_owned(), length(&printed["path"]).to_string()),
        Some(Body::Limit(_)) => {
            same("witness lengths", format!("{:?}", wanted.witnesses), format!("{witnesses:?}"))
        }
        Some(Body::Forbid(_)) | None => {
            let shortest = wanted.witnesses.iter().min().copied().unwrap_or(0);
            same("path length", shortest.to_string(), length(&printed["path"]).to_string());
            if wanted.rule.starts_with("terms/") {
                same("witness lengths", format!("{:?}", wanted.witnesses), format!("{witnesses:?}"));
            }
        }
    }
    wrong
}

/// Printed walks that do not prove what they stand for.
fn unproven(model: &Model<'_>, origins: &Origins, key: &Key, printed: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut walk = |path: &Value| match walked(model, path) {
        Ok(flows) => Some(flows),
        Err(why) => {
            wrong.push(why);
            None
        }
    };
    let path = walk(&printed["path"]);
    let witnesses = printed["witnesses"].as_array().cloned().unwrap_or_default();
    let mut listed = |path: &Value| match listed(model, path) {
        Ok(flows) => Some(flows),
        Err(why) => {
            wrong.push(why);
            None
        }
    };
    let witnesses: Vec<_> = witnesses.iter().map(&mut listed).collect();
    match body(model.world, &key.rule) {
        Some(Body::Forbid(rule)) => {
            let s = model.system(key.source.as_deref().unwrap_or_default());
            let v = model.system(key.sink.as_deref().unwrap_or_default());
            let chase = Chase::new(model, rule, s);
            let starts = model.starts_at(s, origins);
            if let Some(path) = path
                && !chase.proves(&starts, &path, v)
            {
                wrong.push("the path does not break the rule there".to_owned());
            }
        }
        Some(Body::Limit(rule)) => {
            for (i, path) in witnesses.iter().enumerate() {
                if let Some(path) = path
                    && !proves_limit(model, origins, rule, key, i, path)
                {
                    wrong.push(format!("witness {i} does not bring what it stands for"));
                }
            }
        }
        Some(Body::Require(_)) => {}
        None if key.rule == "flow/unsourced" => {}
        None if key.rule == "agreement/ended" => {
            let wanted = |e: &usize| {
                let agreement = model.flows[*e].agreement.map(|a| &model.world.agreements[a].id);
                agreement == key.subject.as_ref()
            };
            if let Some(path) = path.filter(|path| !path.is_empty())
                && !(path.last().is_some_and(wanted) && carries(model, origins, &path))
            {
                wrong.push("the path carries nothing under the agreement".to_owned());
            }
        }
        None => {
            let offending = model.flows.iter().position(|f| Some(&f.id) == key.flow.as_ref());
            let check = key.rule.strip_prefix("terms/");
            let check = STICKY.iter().find(|c| Some(**c) == check);
            // A flow that carries `held` may carry nothing.
            if let Some(path) = path.as_ref().filter(|path| !path.is_empty()) {
                if path.last().copied() != offending {
                    wrong.push("the path does not end with the flow".to_owned());
                }
                if check.is_none() && !carries(model, origins, path) {
                    wrong.push("the path carries nothing to the flow".to_owned());
                }
            }
            if let Some(check) = check {
                let agreements = texts(&printed["agreements"]);
                for (id, path) in agreements.iter().zip(&witnesses) {
                    let found = model.world.agreements.iter().position(|a| a.id == *id);
                    let (Some(a), Some(path)) = (found, path) else {
                        continue;
                    };
                    if path.last().copied() != offending || !Term::new(model, a, check).proves(origins, path)
                    {
                        wrong.push(format!("the witness for {id} does not break its terms"));
                    }
                }
            }
        }
    }
    wrong
}

/// The flows of a walk that is printed by their ids, which must hang together.
fn listed(model: &Model<'_>, path: &Value) -> Result<Vec<usize>, String> {
    let ids = path.as_array().ok_or_else(|| format!("{path} is no list of flows"))?;
    let flow = |id: &Value| {
        let found = model.flows.iter().position(|f| id == f.id.as_str());
        found.ok_or_else(|| format!("there is no flow {id}"))
    };
    let flows = ids.iter().map(flow).collect::<Result<Vec<_>, _>>()?;
    let apart = flows.windows(2).find(|pair| model.flows[pair[0]].to != model.flows[pair[1]].from);
    match apart {
        Some(_) => Err(format!("{path} does not hang together")),
        None => Ok(flows),
    }
}

/// The flows of a printed walk, which must hang together and say what the flows
/// are.
fn walked(model: &Model<'_>, path: &Value) -> Result<Vec<usize>, String> {
    let mut flows: Vec<usize> = Vec::new();
    for step in path.as_array().into_iter().flatten() {
        let id = text(&step["flow"]).unwrap_or_default();
        let found = model.flows.iter().position(|f| f.id == id);
        let e = found.ok_or(format!("a step over no flow: {step}"))?;
        let flow = &model.flows[e];
        if let Some(last) = flows.last()
            && model.flows[*last].to != flow.from
        {
            return Err(format!("a step does not begin where the last ended: {step}"));
        }
        let agreement = flow.agreement.map(|a| model.world.agreements[a].id.clone());
        let purposes: BTreeSet<String> = texts(&step["purposes"]).into_iter().collect();
        let (data, fewest) = expanded(model, &step["data"]);
        let declared = model.leaf_names(flow.data.iter().copied());
        if text(&step["from"]).as_ref() != Some(&model.systems[flow.from].name)
            || text(&step["to"]).as_ref() != Some(&model.systems[flow.to].name)
            || text(&step["agreement"]) != agreement
            || purposes != flow.purposes.iter().cloned().collect()
            || data.is_empty()
            || !data.is_subset(&declared)
            || !fewest
        {
            return Err(format!("a step is not as declared: {step}"));
        }
        flows.push(e);
    }
    Ok(flows)
}

/// Whether anything can go over exactly these flows.
pub fn carries(model: &Model<'_>, origins: &Origins, path: &[usize]) -> bool {
    let start = model.starts(origins).into_iter().map(|item| (At::present(item.s), item));
    !follow(
        start,
        path,
        |(at, item): &(At, Item)| {
            let made = model.derived(at.system, item.f).into_iter();
            made.map(|f| (*at, Item { f, ..*item })).collect()
        },
        |(at, item), e| model.take(*at, *item, e),
    )
    .is_empty()
}

/// Whether a walk brings to the place what the witness of that number stands for.
pub fn proves_limit(
    model: &Model<'_>,
    origins: &Origins,
    rule: &Limit,
    key: &Key,
    index: usize,
    path: &[usize],
) -> bool {
    let subject = key.subject.as_deref().unwrap_or_default();
    let group = rule.scope.as_deref() == Some("group");
    let in_place = |system: usize| {
        model.systems[system].name == subject
            || model.owner_id(system) == subject
            || group && model.world.parties[model.group_of(system)].id == subject
    };
    let starts: Vec<usize> = match path.first() {
        Some(e) => vec![model.flows[*e].from],
        None => (0..model.systems.len()).collect(),
    };
    let gathering = Gathering::new(model, rule);
    let index = match rule.together.at_least() < rule.together.of().len() {
        // Of the categories those that are there have a witness each.
        true => gathering.present(origins, &in_place).get(index).copied().unwrap_or(usize::MAX),
        false => index,
    };
    starts.iter().any(|s| {
        let brought = gathering.brought(origins, *s, path);
        brought.iter().any(|g| {
            g.at.gone.is_none()
                && !g.exempt
                && in_place(g.at.system)
                && (g.of.contains(&index) || rule.together.of().is_empty() && !g.of.is_empty())
        })
    })
}
