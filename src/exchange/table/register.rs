//! Registers of processing activities: a row is an activity of the organisation.
//!
//! What a row says of people and data starts at the system in which the activity runs, with the kinds of
//! people as a label; what it says of recipients flows on from there.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};

use crate::base::duration::Duration;
use crate::base::vocabulary::Kind;
use crate::exchange::draft::{System, slug};
use crate::exchange::fate::Code;
use crate::exchange::fold::fold;
use crate::exchange::ledger::Leaf;
use crate::exchange::maker::{Data, Maker, Whom, items};

use super::flows::{UNSTATED, bases_of, data};
use super::layouts::Layout;
use super::rows::Row;

/// What is known of one activity.
struct Activity<'r> {
    row: &'r Row,
    id: String,
    title: String,
    system: System,
    data: Data,
    purposes: BTreeSet<String>,
    source: String,
    basis: BTreeSet<String>,
    assurances: Vec<Value>,
    safeguards: BTreeSet<String>,
    regions: Vec<String>,
    consent: bool,
}

/// Makes systems, agreements and flows of activities.
pub fn import(maker: &mut Maker, rows: &[Row], layout: &Layout) {
    preamble(maker, rows);
    let rows: Vec<&Row> = rows.iter().filter(|row| !row.preamble).collect();
    let mut unit = String::new();
    let mut known: Vec<(&Row, String)> = Vec::new();
    for row in rows {
        if row.cells().all(|(field, ..)| field == "minor" || field == "id") {
            continue;
        }
        match row.get("unit") {
            Some((_, text)) => text.clone_into(&mut unit),
            // A merged cell says it once for all its rows.
            None if !unit.is_empty() => {
                let note = "taken from the row above, as of merged cells";
                maker.ledger.remark(Code::Assumed, "unit", &unit, note, "", row.first());
            }
            None => {}
        }
        known.push((row, unit.clone()));
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (row, unit) in &known {
        *counts.entry(named(row, unit)).or_default() += 1;
    }
    for (row, unit) in known {
        let mut id = named(row, &unit);
        if counts.get(&id).is_some_and(|count| *count > 1) {
            // Of several with one name, what else the row says: not which comes first.
            let mut cells: Vec<(&str, &str)> = row.cells().map(|(field, _, text)| (field, text)).collect();
            cells.sort_unstable();
            let digest = blake3::hash(format!("{unit} {cells:?}").as_bytes()).to_hex();
            id = format!("{id}-{}", digest.chars().take(8).collect::<String>());
        }
        let activity = activity(maker, row, &unit, id, layout);
        sources(maker, &activity);
        recipients(maker, &activity);
        rest(maker, &activity);
    }
}

/// The id of an activity: its own, else its name, else what it is for in which unit.
fn named(row: &Row, unit: &str) -> String {
    let stated = row.text("id");
    if stated.is_empty() { slug(&title(row, unit, " ")) } else { slug(stated) }
}

/// What an activity is called.
fn title(row: &Row, unit: &str, between: &str) -> String {
    let name = match row.text("function") {
        "" => row.text("purpose"),
        name => name,
    };
    [unit, name].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(between)
}

/// Who the controller is, above the headings.
pub fn preamble(maker: &mut Maker, rows: &[Row]) {
    for row in rows.iter().filter(|row| row.preamble) {
        let texts: Vec<(Leaf, String)> =
            row.others.iter().map(|(_, leaf)| (*leaf, maker.ledger.value(*leaf).trim().to_owned())).collect();
        let [(head, name), values @ ..] = texts.as_slice() else { continue };
        let key = match fold(name).as_str() {
            "controller"
            | "name of controller"
            | "organisation"
            | "verantwortlicher"
            | "responsable"
            | "responsable de traitement"
            | "name of organisation" => "name",
            "data protection officer"
            | "dpo"
            | "datenschutzbeauftragter"
            | "datenschutzbeauftragte"
            | "delegue a la protection des donnee" => "dpo",
            other
                if other.starts_with("representative")
                    || other.starts_with("vertreter")
                    || other.starts_with("representant") =>
            {
                "representative"
            }
            _ => {
                for (leaf, _) in &texts {
                    maker.ledger.drop_minor(*leaf, "stands above the table");
                }
                continue;
            }
        };
        let shown: Vec<&str> = values
            .iter()
            .map(|(_, text)| text.as_str())
            .filter(|text| !maker.words.is_nothing(text))
            .collect();
        for (leaf, _) in values {
            maker.ledger.mark(*leaf, Code::Carried, None, None);
        }
        maker.ledger.mark(*head, Code::Carried, None, None);
        let [first, others @ ..] = shown.as_slice() else { continue };
        if key == "name" {
            if maker.mapping.own.is_none() {
                maker.own = slug(first);
                let own = maker.own.clone();
                maker.draft.party(&own).set_first("name", *first);
            }
            let own = maker.own();
            if !others.is_empty() {
                maker.draft.party(&own).set_first("contact", others.join(", "));
            }
        } else {
            let own = maker.own();
            maker.draft.party(&own).set_first(key, shown.join(", "));
        }
    }
}

fn activity<'r>(maker: &mut Maker, row: &'r Row, unit: &str, id: String, layout: &Layout) -> Activity<'r> {
    let own = maker.own();
    let place =
        row.get("system").filter(|(_, text)| !maker.words.is_nothing(text) && !maker.words.is_unknown(text));
    let system = match place {
        Some((_, text)) => maker.system(&own, text),
        None => maker.system(&own, &format!("activity-{id}")),
    };
    let made = format!("parties/{}/systems/{}", system.0, system.1);
    if let Some((leaf, text)) = row.get("system") {
        maker.ledger.mark(leaf, Code::Carried, Some(&made), None);
        if place.is_some() {
            let codes: Vec<String> =
                text.split(['(', ')', ',', ';', '/']).filter_map(|part| maker.place(part)).collect();
            maker.draft.system(&system).add("region", codes);
        }
    }
    if let Some((leaf, text)) = row.get("region") {
        let codes = maker.places(leaf, text, &made);
        maker.draft.system(&system).add("region", codes);
    }
    let source = row.first().map(|leaf| maker.ledger.source(leaf)).unwrap_or_default();
    let title = title(row, unit, " / ");
    if place.is_none() {
        maker.draft.system(&system).set("title", title.clone());
    }
    maker.draft.system(&system).within("source", "title", source.clone().into()).label("activities", &title);
    for field in ["unit", "function", "id"] {
        if let Some((leaf, _)) = row.get(field) {
            maker.ledger.mark(leaf, Code::Label, Some(&made), None);
        }
    }
    let mut purposes = super::flows::purposes(maker, row, &made);
    purposes.extend(super::flows::some_purposes(maker, row, "sub_purpose", &made));
    if let Some((leaf, text)) = row.get("profiling") {
        let no = maker.words.is_nothing(text) || matches!(fold(text).as_str(), "no" | "nein" | "non");
        match no {
            true => maker.ledger.mark(leaf, Code::Claimed, Some(&made), None),
            false => {
                purposes.insert("profiling".to_owned());
                maker.draft.system(&system).label("automated_decisions", text);
                maker.ledger.mark(leaf, Code::Widened, Some(&made), Some("read as profiling"));
            }
        }
    }
    let data = data(maker, row, "data", &made);
    if data.is_empty() && row.get("data").is_none() {
        let note = "the row names no data: nothing starts there";
        maker.ledger.remark(Code::Dropped, "data", &made, note, &made, row.first());
    }
    people(maker, row, &system, &made);
    let basis = bases_of(maker, row, "basis", &made, layout.law);
    let is_consent = basis.iter().any(|word| word.ends_with(":consent"));
    let record = row
        .get("consent_record")
        .filter(|(_, text)| !maker.words.is_nothing(text) && !maker.words.is_unknown(text));
    let consent = is_consent && record.is_some();
    let mut assurances = Vec::new();
    if let Some((leaf, text)) = row.get("consent_record") {
        maker.ledger.mark(leaf, if consent { Code::Claimed } else { Code::Label }, Some(&made), None);
        if consent {
            maker.draft.system(&system).label("consent_record", text);
        }
    }
    if let Some((leaf, text)) = row.get("dpia_progress") {
        let link = row.text("dpia_link");
        let done = matches!(fold(text).as_str(), "complete" | "completed" | "done");
        maker.ledger.mark(leaf, if done { Code::Claimed } else { Code::Label }, Some(&made), None);
        if done {
            let mut dpia = Mapping::new();
            dpia.insert("id".into(), "dpia".into());
            if !link.is_empty() && !maker.words.is_nothing(link) {
                dpia.insert("evidence".into(), link.into());
            }
            assurances.push(Value::Mapping(dpia));
        }
    }
    if let Some((leaf, _)) = row.get("dpia_link") {
        maker.ledger.mark(leaf, Code::Label, Some(&made), None);
    }
    if let Some((leaf, text)) = row.get("transfer") {
        let words: Vec<Value> =
            maker.words.mentioned("transfers", text).into_iter().map(Value::from).collect();
        let known = !words.is_empty() || maker.words.is_nothing(text);
        let note = (!known).then_some("no safeguard that is known");
        maker.ledger.mark(
            leaf,
            if words.is_empty() { Code::Label } else { Code::Claimed },
            Some(&made),
            note,
        );
        assurances.extend(words);
    }
    let safeguards = security(maker, row, &system, &made);
    let regions =
        row.get("countries").map(|(leaf, text)| countries(maker, leaf, text, &made)).unwrap_or_default();
    retention(maker, row, &system, &made);
    if data.held {
        let note = "all data, and nothing says which: name it in the mapping";
        let key = format!("{}.data-of-{}", maker.prefix, slug(&id).replace('.', "_"));
        maker.draft.data.insert(key.clone(), format!("Data of {title}"));
        maker.draft.system(&system).add("originates", [key]);
        maker.ledger.remark(
            Code::Extended,
            "data",
            &made,
            note,
            &made,
            row.get("data").map(|(leaf, _)| leaf),
        );
    }
    maker.draft.system(&system).add("purposes", purposes.iter().cloned());
    Activity {
        row,
        id,
        title,
        system,
        data,
        purposes,
        source,
        basis,
        assurances,
        safeguards,
        regions,
        consent,
    }
}

fn people(maker: &mut Maker, row: &Row, system: &System, made: &str) {
    if let Some((leaf, text)) = row.get("people") {
        for part in items(text, |_| true) {
            maker.draft.system(system).label("data_subjects", &part);
        }
        maker.ledger.mark(leaf, Code::Label, Some(made), None);
    }
}

fn security(maker: &mut Maker, row: &Row, system: &System, made: &str) -> BTreeSet<String> {
    let Some((leaf, text)) = row.get("security") else { return BTreeSet::new() };
    let words: BTreeSet<String> =
        maker.words.mentioned("safeguards", text).into_iter().map(str::to_owned).collect();
    maker.draft.system(system).label("security", text);
    maker.ledger.mark(leaf, if words.is_empty() { Code::Label } else { Code::Claimed }, Some(made), None);
    words
}

fn countries(maker: &mut Maker, leaf: Leaf, text: &str, made: &str) -> Vec<String> {
    if maker.words.is_nothing(text) || matches!(fold(text).as_str(), "no" | "nein" | "non") {
        maker.ledger.mark(
            leaf,
            Code::Claimed,
            Some(made),
            Some("it says that data goes to no other country"),
        );
        return Vec::new();
    }
    maker
        .draft
        .system(&(maker.own.clone(), made.rsplit('/').next().unwrap_or_default().to_owned()))
        .label("countries", text);
    let codes = maker.places(leaf, text, made);
    if codes.len() > 1 {
        maker.ledger.mark(leaf, Code::Widened, Some(made), Some("each recipient may be in each of them"));
    }
    codes
}

/// How long the system keeps data: of two rows that say so, the longer.
fn retention(maker: &mut Maker, row: &Row, system: &System, made: &str) {
    let Some((leaf, text)) = row.get("retention") else {
        // Rows that do not say so keep it without end.
        let known = maker.draft.system(system).text("retention").is_some();
        if known {
            maker.draft.system(system).set("retention", "unlimited");
        }
        return;
    };
    let long = maker.duration(leaf, text, made);
    maker.draft.system(system).label("retention", text);
    let activities = maker.draft.system(system).text("retention").map(str::to_owned);
    let hours = |text: &str| Duration::parse(text).and_then(Duration::hours);
    let longest = match (activities, long) {
        (Some(old), Some(new)) => {
            if hours(&old).zip(hours(&new)).is_some_and(|(old, new)| old >= new) || hours(&old).is_none() {
                old
            } else {
                new
            }
        }
        (Some(_), None) => "unlimited".to_owned(),
        (None, Some(new)) => new,
        (None, None) => "unlimited".to_owned(),
    };
    maker.draft.system(system).set("retention", longest);
}

/// Where the data comes from: the people themselves, or somebody else.
fn sources(maker: &mut Maker, activity: &Activity) {
    let mut own = true;
    if let Some((leaf, text)) = activity.row.get("source") {
        let mut people = false;
        let mut others = Vec::new();
        for part in items(text, |part| maker.words.is_people(part)) {
            if maker.words.is_people(&part) || maker.words.is_ourselves(&part) {
                people = true;
                maker.ledger.mark(leaf, Code::Carried, None, None);
                continue;
            }
            match maker.party(leaf, &part) {
                Whom::Party(id) if id != activity.system.0 => others.push((id, part)),
                Whom::Unknown => {
                    let id = format!("unknown-source-of-{}", activity.id);
                    let name = format!("Unknown source of {}", activity.id);
                    let party = maker.placeholder(
                        Some(leaf),
                        &slug(&id),
                        &name,
                        "where the data comes from is not known",
                    );
                    others.push((party, part));
                }
                _ => people = true,
            }
        }
        own = people || others.is_empty();
        for (party, _) in others {
            let from = maker.system(&party, UNSTATED);
            maker.draft.system(&from).add("originates", activity.data.keys.iter().cloned()).assumed();
            let to = activity.system.clone();
            send(maker, activity, &party, Kind::Sharing, &from, &to, &activity.data.keys.clone());
        }
    }
    if own {
        maker.draft.system(&activity.system).add("originates", activity.data.keys.iter().cloned());
    }
}

fn recipients(maker: &mut Maker, activity: &Activity) {
    let mut any = false;
    for (field, kind) in
        [("recipients", None), ("processors", Some(Kind::Processing)), ("joint", Some(Kind::Sharing))]
    {
        let Some((leaf, text)) = activity.row.get(field) else { continue };
        any = true;
        for part in items(text, |_| false) {
            let party = match maker.party(leaf, &part) {
                Whom::Nobody => continue,
                Whom::Party(id) if id == activity.system.0 => continue,
                Whom::Party(id) => id,
                Whom::Unknown => unknown(maker, activity, Some(leaf)),
            };
            let kind = maker.agreement_kind(&part).or(kind).unwrap_or(Kind::Sharing);
            let other = maker.system(&party, UNSTATED);
            maker.draft.system(&other).add("region", activity.regions.iter().cloned());
            let own = activity.system.clone();
            send(maker, activity, &party, kind, &own, &other, &activity.data.keys);
            if field == "joint" {
                send(maker, activity, &party, kind, &other, &own, &[]);
                maker.ledger.mark(
                    leaf,
                    Code::Widened,
                    Some(&format!("parties/{party}")),
                    Some("who sends is not said: both"),
                );
            }
        }
    }
    if let Some((leaf, _)) = activity.row.get("internal") {
        any = true;
        maker.ledger.mark(leaf, Code::Label, None, Some("recipients within the organisation"));
    }
    if !any {
        let party = unknown(maker, activity, None);
        let other = maker.system(&party, UNSTATED);
        maker.draft.system(&other).add("region", activity.regions.iter().cloned());
        let own = activity.system.clone();
        send(maker, activity, &party, Kind::Sharing, &own, &other, &activity.data.keys);
    }
}

fn unknown(maker: &mut Maker, activity: &Activity, leaf: Option<Leaf>) -> String {
    let id = slug(&format!("unknown-recipients-of-{}", activity.id));
    let name = format!("Unknown recipients of {}", activity.id);
    let note = "who gets the data is not said: name them, or say `N/A` where nobody does";
    maker.placeholder(leaf, &id, &name, note)
}

fn send(
    maker: &mut Maker,
    activity: &Activity,
    party: &str,
    kind: Kind,
    from: &System,
    to: &System,
    data: &[String],
) {
    let own = &activity.system.0;
    let agreement = match kind {
        Kind::Processing => format!("{}-processing", activity.id),
        Kind::Sharing => activity.id.clone(),
    };
    let end = |system: &System| if system.1 == UNSTATED { system.0.clone() } else { system.1.clone() };
    let id = slug(&format!("{}-to-{}", end(from), end(to)));
    let draft = maker.draft.agreement(&agreement);
    draft.add("parties", [own.clone(), party.to_owned()]).within(
        "source",
        "title",
        activity.source.clone().into(),
    );
    draft.set("title", activity.title.clone());
    draft.set("provider", own.clone()).add("legal_basis", activity.basis.iter().cloned());
    if kind == Kind::Processing {
        draft.set("kind", "processing");
    }
    for assurance in &activity.assurances {
        draft.push("assurances", assurance.clone());
    }
    let contract = activity.row.get("contract");
    if let Some((_, text)) = contract.filter(|(_, text)| !maker.words.is_nothing(text)) {
        draft.within("source", "url", text.into());
    }
    let flow = maker.draft.flow(&agreement, &id);
    flow.set("from", format!("{}/{}", from.0, from.1)).set("to", format!("{}/{}", to.0, to.1)).assumed();
    flow.add("purposes", activity.purposes.iter().cloned())
        .add("safeguards", activity.safeguards.iter().cloned());
    flow.within("source", "title", activity.source.clone().into());
    if activity.consent {
        flow.set("consent", "opt_in");
    }
    match data.is_empty() || activity.data.held {
        true => flow.set("data", "held"),
        false => flow.add("data", data.iter().cloned()),
    };
    if let Some(transform) = &activity.data.transform {
        flow.set("transform", transform.clone());
    }
}

/// What is kept as a label, and what says nothing on where data goes.
fn rest(maker: &mut Maker, activity: &Activity) {
    let made = format!("parties/{}/systems/{}", activity.system.0, activity.system.1);
    for (field, leaf, text) in activity.row.cells() {
        match field {
            "minor" => maker.ledger.drop_minor(leaf, "says nothing on where data goes"),
            "contract" => {
                let note = "of which recipient it is the contract is not said: state `agreement: processing` of a party in the mapping";
                maker.ledger.mark(leaf, Code::Label, Some(&made), Some(note));
            }
            "art9" => {
                maker.draft.system(&activity.system).label("article_9", text);
                maker.ledger.mark(leaf, Code::Label, Some(&made), None);
            }
            _ => {}
        }
    }
    for (heading, leaf) in &activity.row.others {
        if !heading.is_empty() {
            let text = maker.ledger.value(*leaf);
            let heading = format!("column.{}", slug(heading));
            maker.draft.system(&activity.system).label(&heading, &text);
            maker.ledger.mark(*leaf, Code::Label, Some(&made), None);
        }
    }
}
