//! What importing promises: no leaf is lost in silence, nothing depends on order, what is added to a source
//! adds, and no input stops the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use ringfence::source::Sources;
use ringfence::testing::exchange::{Asked, Format, Imported, Mapping, Options, Vague, import};
use ringfence::testing::files::DISK;
use ringfence::{Date, Limits};
use serde_json::Value;

mod guide;
mod tables;

/// Imports texts, each a file of its name.
fn imported(format: Format, files: &[(&str, &[u8])]) -> Result<Imported, Vec<ringfence::Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    from(format, &[folder.path().to_owned()], &Mapping::default())
}

fn from(
    format: Format,
    paths: &[PathBuf],
    mapping: &Mapping,
) -> Result<Imported, Vec<ringfence::Diagnostic>> {
    import(&asked(format, paths, mapping), &mut Sources::new())
}

fn asked<'a>(format: Format, paths: &'a [PathBuf], mapping: &'a Mapping) -> Asked<'a> {
    Asked {
        format,
        paths,
        files: DISK,
        mapping,
        vague: Vague::Primary,
        table: Options::default(),
        limits: Limits::default(),
        without: None,
    }
}

fn manifest(text: &str) -> Imported {
    imported(Format::Fides, &[("manifest.yml", text.as_bytes())]).unwrap()
}

fn table(text: &str) -> Imported {
    imported(Format::Table, &[("list.csv", text.as_bytes())]).unwrap()
}

/// The findings of an audit with `core` and the policies imported: their fingerprints.
fn findings(imported: &Imported) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/made.yaml"), &imported.inventory).unwrap();
    let mut policies = vec!["core".to_owned()];
    for (id, text) in &imported.policies {
        let path = folder.path().join(format!("{id}.yaml"));
        fs::write(&path, text).unwrap();
        policies.push(path.display().to_string());
    }
    let request = ringfence::Request {
        paths: vec![folder.path().join("in")],
        policies,
        ..ringfence::Request::default()
    };
    let mut sources = Sources::new();
    let world = ringfence::load(&request, &mut sources).unwrap();
    let options = ringfence::Options::new(Date::constant(2026, 11, 23));
    let audit = ringfence::describe(&world, &sources, &options, &ringfence::judge(&world, &options));
    audit.findings.into_iter().map(|finding| format!("{} {}", finding.fingerprint, finding.rule)).collect()
}

/// Whether a policy imported is broken.
fn breaks(imported: &Imported) -> bool {
    findings(imported).iter().any(|finding| finding.contains(" fides-"))
}

/// What an import says and makes, but for how much it read.
fn result(imported: &Imported) -> (String, String, String) {
    let entries: Vec<Value> =
        serde_json::to_value(&imported.loss.entries).unwrap().as_array().unwrap().clone();
    let entries: BTreeSet<String> = entries
        .iter()
        .map(|entry| {
            let place = entry["at"].get("pointer").cloned().unwrap_or_default();
            format!("{} {} {} {} {}", entry["id"], entry["leaves"], entry["note"], entry["became"], place)
        })
        .collect();
    (imported.inventory.clone(), format!("{:?}", imported.policies), format!("{entries:#?}"))
}

/// What is made, without where it was read.
fn placeless(text: &str) -> String {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    fn strip(value: &mut serde_yaml::Value) {
        match value {
            serde_yaml::Value::Mapping(map) => {
                map.remove("source");
                map.iter_mut().for_each(|(_, value)| strip(value));
            }
            serde_yaml::Value::Sequence(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    serde_yaml::to_string(&value).unwrap()
}

/// A manifest with most of what Fides knows.
const SHOP: &str = "\
organization:
  - fides_key: shop
    name: Shop Ltd
    controller: {name: C. Ontroller, email: privacy@shop.example}
system:
  - fides_key: web_shop
    name: Web shop
    system_type: Application
    organization_fides_key: shop
    tags: [public]
    ingress: [{fides_key: user, type: user, data_categories: [user.contact.email]}]
    egress: [{fides_key: mailer, type: system, data_categories: [user.contact.email]}]
    privacy_declarations:
      - name: Sell
        data_categories: [user.contact, user.financial.credit_card]
        data_use: essential.service.payment_processing
        data_subjects: [customer]
        dataset_references: [orders]
        retention_period: 30 days
        legal_basis_for_processing: Contract
      - name: Advertise
        data_categories: [user.behavior.browsing_history]
        data_use: marketing.advertising.third_party
        data_subjects: [customer]
        data_shared_with_third_parties: true
        third_parties: Some ad networks
        shared_categories: [user.device.cookie_id]
  - fides_key: mailer
    name: Mailer
    system_type: Vendor
    organization_fides_key: shop
    privacy_declarations:
      - name: Send
        data_categories: [user.contact.email]
        data_use: marketing.communications.email
        data_subjects: [prospect]
dataset:
  - fides_key: orders
    name: Orders
    organization_fides_key: shop
    collections:
      - name: customers
        fields:
          - {name: email, data_categories: [user.contact.email]}
          - {name: faith, data_categories: [user.demographic.religious_belief]}
          - name: more
            fields: [{name: plan, data_categories: [user.shop_plan]}]
  - fides_key: archive
    name: Archive
    organization_fides_key: shop
    collections:
      - name: old
        fields:
          - name: email
            data_categories: [user.contact.email]
            fides_meta: {references: [{dataset: orders, field: customers.email, direction: from}]}
data_category:
  - {fides_key: user.shop_plan, name: Plan, parent_key: user}
policy:
  - fides_key: house
    name: House rules
    rules:
      - name: no_faith_in_ads
        data_categories: {matches: ANY, values: [user.demographic.religious_belief]}
        data_uses: {matches: ANY, values: [marketing.advertising]}
        data_subjects: {matches: ANY, values: [customer]}
";

/// A list of flows with every column.
const FLOWS: &str = "\
id,title,from party,from system,to party,to system,data,purpose,agreement,agreement kind,provider,status,transform,consent,safeguards,legal basis,retention,only from,from date,until,tags,permitted purposes,prohibited purposes,onward,retention limit,Cost centre
a,Orders,Shop,Web,Mailer,Sender,Email address; name,Newsletter,C-1,processor,Shop,live,,opt in,TLS,consent,2 years,Shop,2026-01-31,31.12.2027,mail,marketing,advertising,prohibited,3 years,4711
b,,Shop,Web,Ads,DSP,cookies,Retargeting,C-2,,,,hashed,,,,,,,,,,,,,
,,Mailer,Sender,Shop,Web,communications,Customer support,,,,,,,,,,,,,,,,,,
";

/// Every fate once and no more: what is told adds up to the leaves that somebody else counts.
#[test]
fn each_leaf_has_one_fate() {
    let made = manifest(SHOP);
    let value: serde_yaml::Value = serde_yaml::from_str(SHOP).unwrap();
    fn count(value: &serde_yaml::Value) -> usize {
        match value {
            serde_yaml::Value::Null => 0,
            serde_yaml::Value::Mapping(map) => map.iter().map(|(_, value)| count(value)).sum(),
            serde_yaml::Value::Sequence(items) => items.iter().map(count).sum(),
            _ => 1,
        }
    }
    assert_eq!(made.loss.read, count(&value));
    assert_eq!(made.loss.fates.values().sum::<usize>(), made.loss.read);
    let made = table(FLOWS);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(FLOWS.as_bytes());
    let cells: usize =
        reader.records().map(|row| row.unwrap().iter().filter(|cell| !cell.is_empty()).count()).sum();
    assert_eq!(made.loss.read, cells);
    assert_eq!(made.loss.fates.values().sum::<usize>(), made.loss.read);
    // What the report lists is what was not simply carried.
    let listed: usize = made.loss.entries.iter().map(|entry| entry.leaves).sum();
    let silent = ["carried", "label"];
    let of = |code: &ringfence_code::Code| serde_json::to_value(code).unwrap();
    let silent: usize = made
        .loss
        .fates
        .iter()
        .filter(|(code, _)| silent.iter().any(|word| of(code) == *word))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(listed + silent, made.loss.read);
}

mod ringfence_code {
    pub use ringfence::testing::exchange::Code;
}

/// All paths to leaves of a value, by keys and numbers.
fn leaves(value: &Value, at: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            at.push(key.clone());
            leaves(value, at, all);
            at.pop();
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(number, value)| {
            at.push(number.to_string());
            leaves(value, at, all);
            at.pop();
        }),
        _ => all.push(at.clone()),
    }
}

fn without(value: &Value, path: &[String]) -> Value {
    let mut copy = value.clone();
    let (last, above) = path.split_last().unwrap();
    let mut place = &mut copy;
    for key in above {
        place = match place {
            Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
            other => &mut other[key.as_str()],
        };
    }
    match place {
        Value::Array(items) => drop(items.remove(last.parse().unwrap())),
        other => drop(other.as_object_mut().unwrap().remove(last)),
    }
    copy
}

/// Whatever leaf is taken away, the result or the report is another, or nothing is made at all.
#[test]
fn no_leaf_can_go_in_silence() {
    let value: Value = serde_yaml::from_str(SHOP).unwrap();
    let whole = result(&manifest(&value.to_string()));
    let mut all = Vec::new();
    let mut silent: Vec<String> = Vec::new();
    leaves(&value, &mut Vec::new(), &mut all);
    assert!(all.len() > 60);
    for path in &all {
        let text = without(&value, path).to_string();
        if let Ok(made) = imported(Format::Fides, &[("manifest.yml", text.as_bytes())]) {
            silent.extend((result(&made) == whole).then(|| format!("{path:?}")));
        }
    }
    let rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(FLOWS.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let text = |rows: &[Vec<String>]| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    };
    let whole = result(&table(&text(&rows)));
    for row in 1..rows.len() {
        for column in (0..rows[row].len()).filter(|column| !rows[row][*column].is_empty()) {
            let mut changed = rows.clone();
            changed[row][column].clear();
            if let Ok(made) = imported(Format::Table, &[("list.csv", text(&changed).as_bytes())]) {
                let what = (&rows[0][column], &rows[row][column]);
                silent.extend((result(&made) == whole).then(|| format!("{what:?}")));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?} went in silence");
}

/// Whatever a source has more, no finding goes.
#[test]
fn what_is_added_adds() {
    let before = findings(&manifest(SHOP));
    assert!(!before.is_empty());
    let categories = ["user", "user.health_and_medical", "user.account", "system.operations"];
    for (old, new) in [
        (
            "data_categories: [user.behavior.browsing_history]",
            "data_categories: [user.behavior.browsing_history, NEW]",
        ),
        ("data_categories: [user.contact, ", "data_categories: [NEW, user.contact, "),
        ("{name: faith, data_categories: [", "{name: faith, data_categories: [NEW, "),
    ] {
        for category in categories {
            let text = SHOP.replacen(old, &new.replace("NEW", category), 1);
            assert_ne!(text, SHOP);
            let after = findings(&manifest(&text));
            assert!(after.is_superset(&before), "{category}: {:?}", before.difference(&after));
        }
    }
    let edge = "egress: [{fides_key: lab, type: system}, ";
    let after = findings(&manifest(&SHOP.replacen("egress: [", edge, 1)));
    assert!(after.is_superset(&before), "{:?}", before.difference(&after));

    let before = findings(&table(FLOWS));
    assert!(!before.is_empty());
    for (old, new) in [
        ("cookies,Retargeting", "cookies; health data,Retargeting"),
        ("Email address; name,Newsletter", "Email address; name,Newsletter; custom audiences"),
        (
            ",,Mailer,Sender,Shop,Web",
            ",,Ads,DSP,Broker,Market,cookies,sale of data,,,,,,,,,,,,,,,,,,\n,,Mailer,Sender,Shop,Web",
        ),
    ] {
        let text = FLOWS.replacen(old, new, 1);
        assert_ne!(text, FLOWS);
        let after = findings(&table(&text));
        assert!(after.is_superset(&before), "{new}: {:?}", before.difference(&after));
    }
}

/// The same sources make the same bytes, whatever the order of files, keys and elements of lists.
#[test]
fn order_makes_no_difference() {
    assert_eq!(manifest(SHOP).inventory, manifest(SHOP).inventory);
    let value: serde_yaml::Value = serde_yaml::from_str(SHOP).unwrap();
    fn turned(value: &serde_yaml::Value) -> serde_yaml::Value {
        match value {
            serde_yaml::Value::Mapping(map) => {
                let entries: Vec<_> = map.iter().collect();
                entries
                    .into_iter()
                    .rev()
                    .map(|(key, value)| (key.clone(), turned(value)))
                    .collect::<serde_yaml::Mapping>()
                    .into()
            }
            serde_yaml::Value::Sequence(items) => items.iter().rev().map(turned).collect::<Vec<_>>().into(),
            other => other.clone(),
        }
    }
    let straight = manifest(SHOP);
    let back = manifest(&serde_yaml::to_string(&turned(&value)).unwrap());
    assert_eq!(placeless(&back.inventory), placeless(&straight.inventory));
    let ids =
        |made: &Imported| made.loss.entries.iter().map(|entry| entry.id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&back), ids(&straight));
    // Each of its lists in a file of its own.
    let parts: Vec<(String, String)> = value
        .as_mapping()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(at, (key, part))| {
            let document: serde_yaml::Mapping = [(key.clone(), part.clone())].into_iter().collect();
            (format!("{}.yml", 9 - at), serde_yaml::to_string(&document).unwrap())
        })
        .collect();
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let apart = imported(Format::Fides, &parts).unwrap();
    assert_eq!(placeless(&apart.inventory), placeless(&straight.inventory));

    let mut lines: Vec<&str> = FLOWS.lines().collect();
    let straight = table(FLOWS);
    lines[1..].reverse();
    assert_eq!(placeless(&table(&lines.join("\n")).inventory), placeless(&straight.inventory));
}

/// Manifests in the form of those that Fides' own tests judge, with what they say of each.
#[test]
fn manifests_are_judged_as_fides_judges_them() {
    let declared = |categories: &str, data_use: &str, more: &str| {
        format!(
            "system:\n  - fides_key: sharing\n    system_type: Service\n    privacy_declarations:\n      - name: share\n        \
             data_categories: [{categories}]\n        data_use: {data_use}\n        data_subjects: [customer]\n{more}"
        )
    };
    let policy = |data: &str, uses: &str, subjects: &str| {
        format!(
            "policy:\n  - fides_key: privacy\n    rules:\n      - name: rule\n        data_categories: {data}\n        \
             data_uses: {uses}\n        data_subjects: {subjects}\n"
        )
    };
    let any = |value: &str| format!("{{matches: ANY, values: [{value}]}}");
    let other = |value: &str| format!("{{matches: OTHER, values: [{value}]}}");
    let reference = "        dataset_references: [store]\n";
    let fields = |category: &str| {
        format!(
            "dataset:\n  - fides_key: store\n    collections:\n      - name: users\n        fields:\n          - name: a\n            \
             fields: [{{name: b, data_categories: [{category}]}}]\n"
        )
    };
    let politics = "user.demographic.political_opinion";
    let reject = |data: &str, uses: &str| policy(&any(data), &any(uses), &any("customer"));
    let cases = [
        // A use beside the one that is forbidden.
        (
            declared(politics, "essential.service.payment_processing", "")
                + &reject("user", "marketing.advertising"),
            false,
            1,
        ),
        // Below the category and at the use.
        (
            declared(politics, "marketing.advertising.third_party", "")
                + &reject("user", "marketing.advertising.third_party"),
            true,
            1,
        ),
        // Other people.
        (
            declared(politics, "marketing.advertising", "")
                + &policy(&any("user"), &any("marketing.advertising"), &any("employee")),
            false,
            1,
        ),
        // In a field of a dataset that the declaration names.
        (
            declared("user.name", "marketing.advertising", reference)
                + &fields(politics)
                + &reject(politics, "marketing.advertising"),
            true,
            4,
        ),
        // The field holds something else.
        (
            declared("user.name", "marketing.advertising", reference)
                + &fields("user.gender_not_known.x")
                + &reject(politics, "marketing.advertising"),
            false,
            4,
        ),
        // All but.
        (
            declared("user", "functional.service.improve", reference)
                + &fields("account.contact.street")
                + &policy(&other("user"), &other("essential"), &other("anonymous_user")),
            true,
            4,
        ),
        (
            declared("user.contact", "essential.service", "")
                + &policy(&other("user"), &other("essential"), &other("anonymous_user")),
            false,
            1,
        ),
    ];
    for (text, broken, flows) in cases {
        let made = manifest(&text);
        assert_eq!((breaks(&made), made.loss.made.flows), (broken, flows), "{text}\n{}", made.inventory);
    }
}

/// What a manifest names and does not hold is made all the same, and said.
#[test]
fn an_end_that_is_missing_is_a_placeholder() {
    let made = manifest(&SHOP.replace("dataset_references: [orders]", "dataset_references: [orders, gone]"));
    assert!(made.inventory.contains("dataset-gone"));
    let said = made.loss.entries.iter().find(|entry| entry.value == "gone").unwrap();
    assert!(said.is_open() && said.note.as_ref().unwrap().contains("no dataset `gone`"));
    let made = table("to party,data,purpose\nnot known,Email address,Newsletter\n");
    assert!(made.inventory.contains("unknown-partner"), "{}", made.inventory);
    assert!(made.loss.open > 0);
}

#[test]
fn keys_that_nobody_knows_are_told_with_the_nearest() {
    let made = manifest(&SHOP.replace("user.financial.credit_card", "user.finacial.credit_card"));
    let entry = made.loss.entries.iter().find(|entry| entry.value == "user.finacial.credit_card").unwrap();
    assert!(entry.is_open(), "{entry:#?}");
    let made = manifest(&SHOP.replace("marketing.communications.email", "improve.system"));
    assert!(made.inventory.contains("analytics.improvement"));
}

#[test]
fn what_is_no_manifest_is_refused_with_its_place() {
    let broken = "dataset:\n  - fides_key: a\n    description: b\n        data_categories: [user]\n";
    for (text, code) in [
        (broken, "yaml-syntax"),
        ("id: 0\nname: sample\n", "not-this-format"),
        ("system:\n  - name: x\n", "missing-key"),
        (
            "dataset:\n  - fides_key: a\n    collections: [{name: c, fields: [{name: f, fides_meta: {references: [{dataset: b, field: x.y, direction: sideways}]}}]}]\n",
            "unknown-word",
        ),
    ] {
        let mistakes = imported(Format::Fides, &[("x.yml", text.as_bytes())]).err().unwrap();
        assert_eq!(mistakes[0].code, code, "{text}");
        assert!(mistakes[0].primary.is_some());
    }
}

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registers");
    let mut all = vec![SHOP.as_bytes().to_vec(), FLOWS.as_bytes().to_vec()];
    let small = ["far-cell.xlsx", "register.ods", "repeated.ods"];
    all.extend(small.iter().map(|name| fs::read(folder.join(name)).unwrap()));
    all
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    /// No input stops the program, whatever format it is taken for, and what is made can be read.
    #[test]
    fn no_input_stops_it(seed in 0..5_usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), cut in any::<prop::sample::Index>(), cuts in any::<bool>()) {
        let mut bytes = SEEDS[seed].clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        for format in [Format::Fides, Format::Table] {
            let name = if format == Format::Fides { "x.yml" } else { "x.csv" };
            match imported(format, &[(name, &bytes)]) {
                Ok(made) => prop_assert_eq!(made.loss.fates.values().sum::<usize>(), made.loss.read),
                Err(mistakes) => prop_assert!(!mistakes.is_empty() && mistakes.iter().all(|mistake| !mistake.message.contains("the imported inventory"))),
            }
        }
    }
}

#[test]
fn ids_do_not_depend_on_which_row_comes_first() {
    let twice = "to party,data,purpose\nMailer,name,Newsletter\nMailer,cookies,Newsletter\n";
    let turned = "to party,data,purpose\nMailer,cookies,Newsletter\nMailer,name,Newsletter\n";
    let flows = |text: &str| -> BTreeMap<String, String> {
        let value: serde_yaml::Value = serde_yaml::from_str(&table(text).inventory).unwrap();
        let flows = value["flows"].as_sequence().unwrap();
        flows
            .iter()
            .map(|flow| (flow["id"].as_str().unwrap().to_owned(), format!("{:?}", flow["data"])))
            .collect()
    };
    assert_eq!(flows(twice), flows(turned));
    assert_eq!(flows(twice).len(), 2);
}
