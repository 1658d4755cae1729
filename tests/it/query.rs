//! `trace`, `exposure` and `calendar`: equal to the items of the naive evaluator, and to the audits of each day.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use assert_cmd::Command;
use jiff::ToSpan;
use jiff::civil::Date;
use ringfence::gate::Gate;
use ringfence::source::Sources;
use ringfence::testing::query::{
    Interval, Question, Recalled, Statement, calendar, disposed, exposure, recall, trace,
};
use ringfence::vocabulary::{Status, Word};
use ringfence::{Options, Request, Scope, audit, load};
use serde_json::Value;

use crate::naive::evaluate::options;
use crate::naive::resolve::{Leaf, Model};
use crate::naive::terms::Term;
use crate::naive::walk::{At, Item, spread};
use crate::naive::world::World;
use crate::naive::{generate, harness, write};

/// Source, whether it is assumed, place.
type Pair = (String, bool, String);

/// What is asked of data: its leaves, and flows of which one is crossed.
#[derive(Default)]
struct Asked {
    data: Option<BTreeSet<Leaf>>,
    via: Option<BTreeSet<usize>>,
}

/// What is at a place: the items, the agreements that some are under, and the fewest flows.
type There = (BTreeSet<(String, String, usize)>, BTreeSet<String>, usize);

/// An item somewhere, whether it is of the data asked for, and whether it has crossed a flow asked for.
type State = (At, Item, bool, bool);

fn naively(model: &Model, asked: &Asked) -> BTreeMap<Pair, There> {
    let origins = model.assume_origins();
    let is_of = |leaf: Leaf| asked.data.as_ref().is_none_or(|data| data.contains(&leaf));
    let start = model.starts(&origins).into_iter();
    let start = start.map(|item| (At::present(item.s), item, is_of(item.f), asked.via.is_none()));
    let flows: Vec<usize> = model.moving().collect();
    let reached = spread(
        start,
        &flows,
        |(at, item, of, crossed): &State| {
            let made = model.derived(at.system, item.f).into_iter();
            made.map(|f| (*at, Item { f, ..*item }, *of || is_of(f), *crossed)).collect()
        },
        |(at, item, of, crossed), e| {
            let (at, item) = model.take(*at, *item, e)?;
            Some((at, item, *of, *crossed || asked.via.as_ref().is_some_and(|via| via.contains(&e))))
        },
    );
    let name = |leaf| model.leaf_names([leaf]).into_iter().next().unwrap();
    let mut all: BTreeMap<Pair, There> = BTreeMap::new();
    let mut leaves: BTreeMap<Pair, (usize, usize, BTreeSet<Leaf>)> = BTreeMap::new();
    for ((at, item, ..), length) in
        reached.into_iter().filter(|((at, _, of, crossed), _)| at.gone.is_none() && *of && *crossed)
    {
        let place = |v: usize| model.systems[v].name.clone();
        let pair = (place(item.s), item.assumed, place(at.system));
        let there = all.entry(pair.clone()).or_insert((BTreeSet::new(), BTreeSet::new(), usize::MAX));
        there.0.insert((name(item.o), name(item.f), usize::from(item.k)));
        there.2 = there.2.min(length);
        leaves.entry(pair).or_insert((item.s, at.system, BTreeSet::new())).2.insert(item.f);
    }
    for agreement in 0..model.world.agreements.len() {
        let held = Term::new(model, agreement, "purpose").held(&origins);
        for (pair, (source, place, leaves)) in &leaves {
            if leaves.iter().any(|f| held.contains(&(*source, pair.1, *place, *f))) {
                all.get_mut(pair).unwrap().1.insert(model.world.agreements[agreement].id.clone());
            }
        }
    }
    all
}

fn scoped(world: &World) -> Options {
    let mut all = Options::new(options(world).day.0);
    let statuses = world.call.status.as_ref();
    all.scope = Scope {
        as_of: world.call.as_of.map(|day| day.0),
        statuses: statuses.map(|list| list.iter().map(|word| Status::parse(word).unwrap()).collect()),
        ..Scope::default()
    };
    all
}

/// The same by the program.
fn traced(world: &World, question: Question) -> BTreeMap<Pair, There> {
    let dir = tempfile::tempdir().unwrap();
    write::write(world, dir.path(), 0);
    let request = Request { paths: vec![dir.path().join("inventory")], ..Request::default() };
    let mut sources = Sources::new();
    let loaded = load(&request, &mut sources).unwrap();
    let trace = trace(&loaded, &sources, &scoped(world), &question, 10_000).unwrap();
    let there = |one: &ringfence::testing::query::Reached| {
        let items = one.items.iter().map(|item| (item.data.clone(), item.held_as.clone(), item.distance));
        assert_eq!(one.path.len(), one.length);
        (
            (one.source.clone(), one.assumed, one.place.clone()),
            (items.collect(), one.agreements.iter().cloned().collect(), one.length),
        )
    };
    trace.reached.iter().map(there).collect()
}

fn same(naive: &BTreeMap<Pair, There>, engine: &BTreeMap<Pair, There>) -> Result<(), String> {
    if naive == engine { Ok(()) } else { Err(format!("naive {naive:#?}\nengine {engine:#?}")) }
}

#[test]
fn what_is_anywhere_is_what_the_naive_evaluator_finds_there() {
    harness::try_all(harness::cases(200), generate::world(), harness::show, |world| {
        let model = Model::new(world, options(world));
        let everywhere = Question { to: vec!["*".to_owned()], ..Question::default() };
        same(&naively(&model, &Asked::default()), &traced(world, everywhere))
    });
}

#[test]
fn data_of_a_category_that_crosses_an_agreement_is_traced_as_the_naive_evaluator_does() {
    harness::try_all(harness::cases(200), generate::world(), harness::show, |world| {
        let model = Model::new(world, options(world));
        let Some(agreement) = world.agreements.first() else { return Ok(()) };
        let via = (0..model.flows.len()).filter(|&e| model.flows[e].agreement == Some(0)).collect();
        let asked = Asked { data: Some(model.leaves_of(&["financial".to_owned()])), via: Some(via) };
        let question = Question {
            to: vec!["*".to_owned()],
            data: vec!["financial".to_owned()],
            agreement: vec![agreement.id.clone()],
            ..Question::default()
        };
        same(&naively(&model, &asked), &traced(world, question))
    });
}

/// A window as days of a range.
fn days(all: &[Interval], first: Date, last: Date) -> BTreeSet<Date> {
    let day = |text: &Option<String>, or: Date| text.as_ref().map_or(or, |text| text.parse().unwrap());
    let each = all.iter().flat_map(|one| {
        let (from, until) = (day(&one.from, first), day(&one.until, last));
        std::iter::successors(Some(from), move |day| day.tomorrow().ok().filter(|day| *day <= until))
    });
    each.collect()
}

#[test]
fn findings_are_there_on_the_days_on_which_an_audit_has_them() {
    harness::try_all(harness::cases(12), generate::world(), harness::show, |world| {
        let dir = tempfile::tempdir().unwrap();
        write::write(world, dir.path(), 0);
        let policies = vec![dir.path().join("policy.yaml").display().to_string()];
        let policies = if dir.path().join("policy.yaml").exists() { policies } else { Vec::new() };
        let request = Request { paths: vec![dir.path().join("inventory")], policies, ..Request::default() };
        let mut sources = Sources::new();
        let Ok(loaded) = load(&request, &mut sources) else { return Ok(()) };
        let (options, gate) = (scoped(world), Gate::default());
        let first = options.day;
        let last = first.saturating_add(40.days());
        let found = calendar(&loaded, &sources, &options, &gate, 40);
        let mut there: BTreeMap<String, BTreeSet<Date>> = BTreeMap::new();
        let mut fails: BTreeMap<String, BTreeSet<Date>> = BTreeMap::new();
        let all: Vec<Date> = std::iter::successors(Some(first), |day| day.tomorrow().ok())
            .take_while(|day| *day <= last)
            .collect();
        for &day in &all {
            let scope = Scope { as_of: Some(day), ..options.scope.clone() };
            for finding in audit(&loaded, &sources, &Options { day, scope, ..options.clone() }).findings {
                there.entry(finding.fingerprint.clone()).or_default().insert(day);
                if gate.stops(&finding) {
                    fails.entry(finding.fingerprint).or_default().insert(day);
                }
            }
        }
        let whole = |days: Option<&BTreeSet<Date>>| days.is_none_or(|days| days.len() == all.len());
        let expected: BTreeMap<String, (BTreeSet<Date>, BTreeSet<Date>)> = there
            .iter()
            .filter(|(key, days)| !whole(Some(days)) || !whole(fails.get(*key)))
            .map(|(key, days)| (key.clone(), (days.clone(), fails.get(key).cloned().unwrap_or_default())))
            .collect();
        let windows = found.windows.iter().map(|window| {
            let of = |intervals: &[Interval]| days(intervals, first, last);
            (window.fingerprint.clone(), (of(&window.there), of(&window.fails)))
        });
        let windows: BTreeMap<_, _> = windows.collect();
        if expected == windows { Ok(()) } else { Err(format!("by day {expected:#?}\nwindows {windows:#?}")) }
    });
}

/// A bank's data goes to a platform, from there to a broker, and to the platform's processor.
const WORLD: &str = r#"parties:
  - id: bank
    name: Bank
    role: bank
    contact: privacy@bank.example
    dpo: dpo@bank.example
    systems:
      - {id: core, originates: [financial.account, special.health], purposes: [service], subjects: 900}
      - {id: cards, originates: [financial.card], purposes: [service], subjects: 400}
  - id: platform
    name: Platform
    role: platform
    systems:
      - {id: chat, purposes: [service], retention: 30d}
      - {id: store, purposes: [analytics]}
  - id: broker
    name: Broker
    role: data_broker
    contact: hello@broker.example
    systems: [{id: files, purposes: [sale]}]
agreements:
  - id: chat
    parties: [bank, platform]
    effective: {from: 2025-01-01, until: 2026-12-01}
    terms: {purposes: [service], clauses: {purposes: {ref: "§4", quote: "only to serve"}}}
    assurances: [{id: dpia, evidence: a.pdf, valid_until: 2026-11-30}]
    flows:
      - {id: balance, from: bank/core, to: platform/chat, data: [financial.account.balance, special.health], purposes: [service]}
      - {id: cards, from: bank/cards, to: platform/chat, data: [financial.card], purposes: [service]}
flows:
  - {id: log, from: platform/chat, to: platform/store, data: [financial.account], purposes: [analytics]}
  - {id: sold, from: platform/store, to: broker/files, data: [financial], purposes: [sale]}
statements:
  - id: said
    by: platform
    said: {quote: We never sell balances., date: 2018-08-06}
    promise: {forbid: {data: [financial.account], from: {party: bank}, to: {role: data_broker}}}
"#;

fn run(args: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), WORLD).unwrap();
    let run = Command::cargo_bin("ringfence").unwrap().current_dir(&folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

const DAY: [&str; 2] = ["--day", "2026-11-22"];

/// The JSON of a command, which fits its schema.
fn json(command: &str, args: &[&str]) -> Value {
    let (code, text, errors) = run(&[&[command], args, &DAY, &["--format", "json", "world.yaml"]].concat());
    assert_eq!((code, errors.as_str()), (0, ""));
    let value: Value = serde_json::from_str(&text).unwrap();
    let schemas = ringfence::testing::report::answer_schemas().unwrap();
    let (_, schema) = schemas.iter().find(|(name, _)| *name == command).unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mistakes: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&value).map(|e| e.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new());
    value
}

#[test]
fn a_trace_shows_chains_and_what_is_under_terms() {
    let (code, text, _) =
        run(&[&["trace", "--from", "bank", "--to", "broker", "world.yaml"], &DAY[..]].concat());
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
    let all = json("trace", &["--data", "financial.card"]);
    let places: Vec<&str> =
        all["reached"].as_array().unwrap().iter().map(|one| one["place"].as_str().unwrap()).collect();
    // The log takes accounts alone.
    assert_eq!(places, ["platform/chat"]);
    let (_, csv, _) =
        run(&[&["trace", "--through", "log", "--format", "csv", "world.yaml"], &DAY[..]].concat());
    insta::assert_snapshot!(csv);
}

#[test]
fn further_chains_are_listed_up_to_a_number() {
    let world = WORLD.replace(
        "flows:\n  - {id: log,",
        "flows:\n  - {id: straight, from: platform/chat, to: broker/files, data: [financial], purposes: [sale]}\n  - {id: log,",
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), &world).unwrap();
    let chains = |all: &str| {
        let run = Command::cargo_bin("ringfence").unwrap();
        let mut run = run;
        let args = ["trace", "--from", "bank/core", "--to", "broker", "--format", "json", "--all", all];
        let output = run.current_dir(&folder).args(args).arg("world.yaml").output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let one = value["reached"][0].clone();
        let flows = |path: &Value| -> Vec<String> {
            path.as_array().unwrap().iter().map(|hop| hop["flow"].as_str().unwrap().to_owned()).collect()
        };
        let further: Vec<Vec<String>> = one["further"].as_array().unwrap().iter().map(flows).collect();
        (flows(&one["path"]), further, one["further_cut"].as_bool().unwrap())
    };
    let shortest = vec!["chat/balance".to_owned(), "straight".to_owned()];
    let longer = vec!["chat/balance".to_owned(), "log".to_owned(), "sold".to_owned()];
    assert_eq!(chains("0"), (shortest.clone(), Vec::new(), false));
    assert_eq!(chains("5"), (shortest, vec![longer], false));
}

#[test]
fn an_exposure_says_whose_data_is_there_and_who_must_hear_of_it() {
    let all = json("exposure", &["platform/chat"]);
    // The bank's core has 900 people, its cards 400, which may be the same.
    assert_eq!(all["people"], serde_json::json!({"at_least": 900, "at_most": 1300, "unstated": 0}));
    let core = &all["holds"].as_array().unwrap().iter().find(|held| held["source"] == "bank/core").unwrap();
    assert_eq!(core["special"], serde_json::json!(["special.health"]));
    assert_eq!(core["agreements"], serde_json::json!(["chat"]));
    // Thirty days after the agreement's last day.
    assert_eq!((&core["since"], &core["kept_until"]), (&"2025-01-01".into(), &"2026-12-31".into()));
    let upstream: Vec<&Value> =
        all["upstream"].as_array().unwrap().iter().map(|one| &one["contact"]).collect();
    assert_eq!(upstream, ["privacy@bank.example"]);
    let gone: Vec<&Value> = all["downstream"].as_array().unwrap().iter().map(|one| &one["place"]).collect();
    assert_eq!(gone, ["broker/files", "platform/store"]);
    assert_eq!(all["promises"][0]["id"], "said");
    let (code, text, _) = run(&[&["exposure", "platform/chat", "world.yaml"], &DAY[..]].concat());
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
}

#[test]
fn a_calendar_lists_dates_and_fails_where_a_finding_begins_soon() {
    let all = json("calendar", &["--days", "60"]);
    let events: Vec<(&str, &str, i64)> = all["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["event"].as_str().unwrap(), e["of"].as_str().unwrap(), e["days"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        events,
        [
            ("begins", "chat", -690),
            ("lapses", "dpia of chat", 8),
            ("ends", "chat", 9),
            ("retention", "chat", 39),
        ]
    );
    // The agreement is over on the second of December and nothing says that its data is deleted; on the first of January
    // its retention has ended, and nothing is there any more.
    let ended = all["windows"].as_array().unwrap().iter().find(|w| w["rule"] == "agreement/ended").unwrap();
    assert_eq!(ended["there"], serde_json::json!([{"from": "2026-12-02", "until": "2026-12-31"}]));
    let within = |days: &str| {
        run(&[&["calendar", "--fail-within", days, "--fail-on", "medium", "world.yaml"], &DAY[..]].concat())
    };
    let (code, text, errors) = within("30d");
    insta::assert_snapshot!(format!("{code}\n{errors}\n{text}"));
    assert_eq!(within("5d").0, 0);
}

#[test]
fn a_calendar_is_written_for_other_programs() {
    let (code, text, _) =
        run(&[&["calendar", "--days", "60", "--format", "ics", "world.yaml"], &DAY[..]].concat());
    assert_eq!(code, 0);
    assert!(text.lines().all(|line| line.len() <= 75), "a line is folded");
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    assert_eq!(text.matches("BEGIN:VEVENT").count(), text.matches("END:VEVENT").count());
    insta::assert_snapshot!(text.replace('\r', ""));
}

#[test]
fn unknown_words_name_the_nearest() {
    for (args, message) in [
        (
            &["trace", "--from", "bnak"][..],
            "error: there is no party with a system `bnak`; did you mean `bank`?\n",
        ),
        (&["trace", "--to", "bank/cor"], "error: there is no system `bank/cor`; did you mean `bank/core`?\n"),
        (
            &["trace", "--data", "financials"],
            "error: there is no data category `financials`; did you mean `financial`?\n",
        ),
        (&["trace", "--agreement", "chaat"], "error: there is no agreement `chaat`; did you mean `chat`?\n"),
        (
            &["trace", "--through", "chat/balanc"],
            "error: there is no flow `chat/balanc`; did you mean `chat/balance`?\n",
        ),
        (&["trace"], "error: there is no question: name --from, --to, --data, --agreement or --through\n"),
        (
            &["exposure", "brocker"],
            "error: there is no party with a system `brocker`; did you mean `broker`?\n",
        ),
    ] {
        let (code, text, errors) = run(&[args, &["world.yaml"], &DAY[..]].concat());
        assert_eq!((code, text.as_str(), errors.as_str()), (2, "", message));
    }
}

#[test]
fn a_recall_lists_what_to_delete_from_its_source_on() {
    let all = json("recall", &["chat"]);
    let lines: Vec<(u64, &str)> = all["delete"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["step"].as_u64().unwrap(), one["place"].as_str().unwrap()))
        .collect();
    // The chat fills the store, which fills the broker's files.
    assert_eq!(lines, [(1, "platform/chat"), (2, "platform/store"), (3, "broker/files")]);
    assert_eq!(all["stop"], serde_json::json!(["chat/balance", "chat/cards"]));
    // Nothing else brings accounts to the chat, nor financial data to the store.
    let breaks: Vec<(&str, &str)> = all["breaks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["system"].as_str().unwrap(), one["data"].as_str().unwrap()))
        .collect();
    assert_eq!(breaks, [("platform/chat", "financial.account")]);
    let cards = json("recall", &["bank", "--data", "financial.card"]);
    assert_eq!(cards["delete"].as_array().unwrap().len(), 1);
    for format in ["text", "markdown", "csv"] {
        let (code, text, _) =
            run(&[&["recall", "chat", "--format", format, "world.yaml"], &DAY[..]].concat());
        assert_eq!(code, 0);
        insta::assert_snapshot!(format!("recall_{format}"), text);
    }
}

#[test]
fn what_was_released_or_is_home_is_no_deletion() {
    let world = WORLD
        .replace("id: sold, from: platform/store,", "id: sold, transform: anonymised, from: platform/store,")
        .replace(
            "flows:\n  - {id: log,",
            "flows:\n  - {id: back, from: platform/chat, to: bank/core, data: [financial.card], purposes: [service]}\n  - {id: log,",
        );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), &world).unwrap();
    let mut run = Command::cargo_bin("ringfence").unwrap();
    let run =
        run.current_dir(&folder).args(["recall", "chat", "world.yaml", "--format", "json"]).output().unwrap();
    let all: Value = serde_json::from_slice(&run.stdout).unwrap();
    let places = |list: &str| -> Vec<&str> {
        all[list].as_array().unwrap().iter().map(|one| one["place"].as_str().unwrap()).collect()
    };
    assert_eq!(places("delete"), ["platform/chat", "platform/store"]);
    assert_eq!(places("released"), ["broker/files"]);
    assert_eq!(all["released"][0]["transforms"], serde_json::json!(["anonymised on sold"]));
    assert_eq!(places("home"), ["bank/core"]);
}

/// A folder with the world in it.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), WORLD).unwrap();
    folder
}

/// The program run there: the exit code, and what it printed.
fn at(folder: &tempfile::TempDir, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let out = command.current_dir(folder).args([args, &DAY[..], &["world.yaml"]].concat()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

/// An answer is a page that needs nothing else and runs nothing; names are text.
#[test]
fn answers_are_pages() {
    let folder = place();
    let hostile = WORLD.replace("contact: hello@broker.example", "contact: '<script>alert(1)</script>'");
    fs::write(folder.path().join("world.yaml"), hostile).unwrap();
    for (call, words) in [
        (&["trace", "--from", "bank/core"][..], "<h2 id=\"t1\">Sources and places: 3</h2>"),
        (&["exposure", "platform/store"], "Who must hear of it: "),
        (&["recall", "chat"], "Delete, in this order: 3"),
    ] {
        let (code, page, err) = at(&folder, &[call, &["--format", "html"]].concat());
        assert!(code == 0 && page.contains(words), "{call:?}: {page}{err}");
        assert!(
            page.contains("default-src 'none'") || page.contains("default-src &#39;none&#39;"),
            "{call:?}"
        );
        assert!(
            !page.contains("<script") && !page.contains(" style=") && !page.contains("http://"),
            "{call:?}"
        );
    }
    let (_, page, _) = at(&folder, &["exposure", "platform/store", "--format", "html"]);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;"), "{page}");
}

/// The picture of a trace has the flows of its chains and no others.
#[test]
fn a_trace_is_drawn_as_its_chains() {
    let folder = place();
    for (format, arrow) in
        [("dot", r#""bank/core" -> "platform/chat""#), ("mermaid", "flowchart LR"), ("svg", "<svg ")]
    {
        let (code, text, err) =
            at(&folder, &["trace", "--from", "bank/core", "--to", "platform/store", "--format", format]);
        assert!(code == 0 && text.contains(arrow), "{format}: {text}{err}");
        assert!(text.contains("store") && !text.contains("broker") && !text.contains("cards"), "{text}");
    }
}

/// All places have deleted: an audit finds nothing of it, and every other byte of the file is as it was.
#[test]
fn after_the_disposal_of_all_that_a_recall_lists_nothing_of_it_is_left() {
    let folder = place();
    let found = |run: &(i32, String, String)| -> Value { serde_json::from_str(&run.1).unwrap() };
    let audit = &["audit", "--format", "json"][..];
    let concerned = |audit: &Value| {
        let all = audit["findings"].as_array().unwrap().clone();
        all.into_iter().filter(|finding| finding["source"]["party"] == "bank").count()
    };
    assert!(concerned(&found(&at(&folder, audit))) > 0);
    let (code, out, err) = at(&folder, &["recall", "chat", "--write", "--evidence", "report 7"]);
    assert!(code == 0 && out.contains("Then disposed, which --write declares: 3"), "{out}{err}");
    for of in ["agreement:chat", "flow:log", "flow:sold"] {
        assert!(err.contains(&format!("Declared as disposed on 2026-11-22: {of} ")), "{err}");
    }
    let text = fs::read_to_string(folder.path().join("world.yaml")).unwrap();
    let pair = "disposed: {date: 2026-11-22, evidence: \"report 7\"}";
    assert_eq!(text.matches(pair).count(), 3);
    assert_eq!(text.replace(&format!(", {pair}"), "").replace(&format!("    {pair}\n"), ""), WORLD);
    assert_eq!(
        found(&at(&folder, &["recall", "chat", "--format", "json", "--allow-empty"]))["delete"],
        serde_json::json!([])
    );
    assert_eq!(concerned(&found(&at(&folder, &[audit, &["--allow-empty"]].concat()))), 0);
}

/// A flow that brings other data, too, is not declared as disposed, nor is an agreement of which some stays.
#[test]
fn nothing_is_declared_as_disposed_that_is_not_all_recalled() {
    let folder = place();
    let (_, out, _) = at(&folder, &["recall", "bank", "--data", "financial.card", "--format", "json"]);
    let all: Value = serde_json::from_str(&out).unwrap();
    let of: Vec<&str> =
        all["dispose"].as_array().unwrap().iter().map(|one| one["of"].as_str().unwrap()).collect();
    assert_eq!((of, &all["stop"]), (vec!["flow:chat/cards"], &serde_json::json!(["chat/cards"])));
    let more = WORLD.replace(
        "data: [financial.account], purposes: [analytics]",
        "data: [financial.account, device], purposes: [analytics]",
    );
    let more = more
        .replace("{id: chat, purposes: [service],", "{id: chat, originates: [device], purposes: [service],");
    fs::write(folder.path().join("world.yaml"), &more).unwrap();
    let (code, _, err) = at(&folder, &["recall", "chat", "--write", "--evidence", "report 7"]);
    assert!(code == 0 && err.contains("note: log brings other data, too"), "{err}");
    let text = fs::read_to_string(folder.path().join("world.yaml")).unwrap();
    assert!(text.contains("{id: log, from:") && text.contains("id: chat\n    disposed:"), "{text}");
    // A second time there is nothing to add, and what is there stays.
    let (code, _, _) = at(&folder, &["recall", "chat", "--write", "--evidence", "again"]);
    assert_eq!((code, fs::read_to_string(folder.path().join("world.yaml")).unwrap()), (0, text));
}

/// A short chain is transformed, a longer one is not, and neither is under an agreement.
#[test]
fn what_moved_under_no_agreement_is_deleted_whatever_its_shortest_chain() {
    let world = WORLD.replace(
        "flows:\n  - {id: log,",
        "flows:\n  - {id: short, transform: anonymised, from: bank/core, to: broker/files, data: [financial], purposes: [sale]}\n  - {id: bare, from: bank/core, to: platform/store, data: [financial], purposes: [sale]}\n  - {id: log,",
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("world.yaml"), &world).unwrap();
    let mut run = Command::cargo_bin("ringfence").unwrap();
    let args = ["recall", "bank", "--data", "financial.account.number", "world.yaml", "--format", "json"];
    let run = run.current_dir(&folder).args(args).output().unwrap();
    let all: Value = serde_json::from_slice(&run.stdout).unwrap();
    let places = all["delete"].as_array().unwrap().iter().map(|one| one["place"].as_str().unwrap());
    assert!(places.into_iter().any(|place| place == "broker/files"), "{all}");
}

/// Every place at which the naive evaluator finds something that moved under an agreement is in a recall, under its terms
/// in the list of what to delete; and nobody deletes before those that send to him.
#[test]
fn a_recall_leaves_out_no_place_of_a_random_world() {
    harness::try_all(harness::cases(150), generate::world(), harness::show, |world| {
        let model = Model::new(world, options(world));
        let Some(agreement) = world.agreements.first() else { return Ok(()) };
        let via: BTreeSet<usize> =
            (0..model.flows.len()).filter(|&e| model.flows[e].agreement == Some(0)).collect();
        let mut there = naively(&model, &Asked { via: Some(via), data: None });
        // What comes back to where it starts is not deleted there.
        there.retain(|(source, _, place), _| source != place);
        let dir = tempfile::tempdir().unwrap();
        write::write(world, dir.path(), 0);
        let request = Request { paths: vec![dir.path().join("inventory")], ..Request::default() };
        let mut sources = Sources::new();
        let loaded = load(&request, &mut sources).unwrap();
        let recalled = Recalled { of: agreement.id.clone(), ..Recalled::default() };
        if world.parties.iter().any(|party| party.id == agreement.id) {
            return Ok(());
        }
        let found = recall(&loaded, &sources, &scoped(world), &recalled, 10_000).unwrap();
        let deleted =
            found.delete.iter().flat_map(|one| one.sources.iter().map(|s| (s.clone(), one.place.clone())));
        let deleted: BTreeSet<(String, String)> = deleted.collect();
        let others =
            found.released.iter().chain(&found.home).map(|one| (one.source.clone(), one.place.clone()));
        let listed: BTreeSet<(String, String)> = deleted.iter().cloned().chain(others).collect();
        let pairs = |under: bool| -> BTreeSet<(String, String)> {
            let all = there.iter().filter(|(_, what)| !under || what.1.contains(&agreement.id));
            all.map(|((source, _, place), _)| (source.clone(), place.clone())).collect()
        };
        if listed != pairs(false) || !pairs(true).is_subset(&deleted) {
            return Err(format!("naive {there:#?}\nrecall {listed:#?}, deleted {deleted:#?}"));
        }
        let steps: BTreeMap<&str, usize> =
            found.delete.iter().map(|one| (one.place.as_str(), one.step)).collect();
        // What is left once all is declared came by flows that bring other data, too.
        let mut files: BTreeMap<std::path::PathBuf, Vec<ringfence::source::Span>> = BTreeMap::new();
        for one in &found.dispose {
            let path = sources.get(one.id.file).unwrap().path().unwrap().to_owned();
            files.entry(path).or_default().push(one.id);
        }
        let day = scoped(world).scope.as_of.unwrap_or(scoped(world).day);
        let statement = Statement { date: day, evidence: "report" };
        for (path, ids) in files {
            let text = fs::read_to_string(&path).unwrap();
            // A declaration that is to be disposed of later says so already.
            let Some(text) = disposed(&text, &ids, statement, &request.limits) else { return Ok(()) };
            fs::write(path, text).unwrap();
        }
        let mut sources = Sources::new();
        let again = load(&request, &mut sources).unwrap();
        let left = recall(&again, &sources, &scoped(world), &recalled, 10_000).unwrap();
        if found.shared.is_empty() && !left.delete.is_empty() {
            return Err(format!("left after the disposal: {:#?}\nof {:#?}", left.delete, found.dispose));
        }
        let late = found.delete.iter().find(|one| {
            let before = one.path.last().and_then(|hop| steps.get(hop.from.as_str()));
            before.is_some_and(|&before| before > one.step)
        });
        late.map_or(Ok(()), |one| Err(format!("{} deletes before its source", one.place)))
    });
}

/// What an exposure lists of a place is what a trace to it finds.
#[test]
fn exposures_hold_what_traces_find() {
    harness::try_all(harness::cases(60), generate::world(), harness::show, |world| {
        let dir = tempfile::tempdir().unwrap();
        write::write(world, dir.path(), 0);
        let request = Request { paths: vec![dir.path().join("inventory")], ..Request::default() };
        let mut sources = Sources::new();
        let loaded = load(&request, &mut sources).unwrap();
        let options = scoped(world);
        let words = vec!["*".to_owned()];
        let traced = trace(
            &loaded,
            &sources,
            &options,
            &Question { to: words.clone(), ..Question::default() },
            10_000,
        )
        .unwrap();
        let exposed = exposure(&loaded, &sources, &options, &words, 10_000).unwrap();
        let traced: Vec<_> = traced
            .reached
            .iter()
            .map(|one| (&one.source, &one.place, &one.data, &one.held_as, &one.agreements))
            .collect();
        let exposed: Vec<_> = exposed
            .holds
            .iter()
            .map(|one| (&one.source, &one.place, &one.data, &one.held_as, &one.agreements))
            .collect();
        if traced == exposed { Ok(()) } else { Err(format!("traced {traced:#?}\nexposed {exposed:#?}")) }
    });
}
