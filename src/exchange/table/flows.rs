//! Lists of flows: a row is a flow. What comes to be here, `export csv` writes, too.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::vocabulary::{Status, Word};
use crate::exchange::draft::{System, flow_id, slug};
use crate::exchange::fate::Code;
use crate::exchange::ledger::Leaf;
use crate::exchange::maker::{Data, Maker, Whom, items};

use super::rows::Row;

/// The system of a party whose source names none.
pub const UNSTATED: &str = "unstated";

/// What columns say of an agreement. Terms of an agreement that nobody names permit nothing and forbid nothing.
const OF_AGREEMENTS: [&str; 7] = [
    "agreement_kind",
    "provider",
    "status",
    "permitted_purposes",
    "prohibited_purposes",
    "onward",
    "retention_limit",
];

/// A row whose ends are known.
struct Planned<'r> {
    row: &'r Row,
    from: System,
    to: System,
    agreement: String,
    id: String,
}

/// Makes flows of rows.
pub fn import(maker: &mut Maker, rows: &[Row]) {
    super::register::preamble(maker, rows);
    let mut planned: Vec<Planned> = Vec::new();
    for row in rows.iter().filter(|row| !row.preamble && row.cells().next().is_some()) {
        planned.extend(ends(maker, row));
    }
    name(&mut planned);
    // Systems to which nothing comes are where data starts.
    let reached: BTreeSet<System> = planned.iter().map(|plan| plan.to.clone()).collect();
    for plan in &planned {
        flow(maker, plan, &reached);
    }
    providers(maker, &planned);
}

/// The providers of agreements of processing that name none: whoever sends and does not receive, to be confirmed. Where
/// that is not one party, the agreement is read as one of sharing: processors may do more than others.
fn providers(maker: &mut Maker, planned: &[Planned]) {
    let mut rows: BTreeMap<&str, Vec<&Planned>> = BTreeMap::new();
    for plan in planned.iter().filter(|plan| !plan.agreement.is_empty()) {
        rows.entry(&plan.agreement).or_default().push(plan);
    }
    for (id, rows) in rows {
        let agreement = maker.draft.agreement(id);
        if agreement.text("kind") != Some("processing") || agreement.states("provider") {
            continue;
        }
        let senders: BTreeSet<&String> = rows.iter().map(|plan| &plan.from.0).collect();
        let receivers: BTreeSet<&String> = rows.iter().map(|plan| &plan.to.0).collect();
        let mut only = senders.difference(&receivers);
        let (code, note) = match (only.next(), only.next()) {
            (Some(&provider), None) => {
                agreement.add("provider", [provider.clone()]);
                (Code::Proposed, "an agreement of processing without a provider: its only sender was taken")
            }
            _ => {
                agreement.set("kind", "sharing");
                (Code::Widened, "an agreement of processing without a provider was read as one of sharing")
            }
        };
        let (made, at) = (format!("agreements/{id}"), rows.first().and_then(|plan| plan.row.first()));
        maker.ledger.remark(code, "provider", id, note, &made, at);
    }
}

fn ends<'r>(maker: &mut Maker, row: &'r Row) -> Option<Planned<'r>> {
    let from = end(maker, row, "from_party", "from_system")?;
    let to = end(maker, row, "to_party", "to_system")?;
    let agreement = match row.get("agreement") {
        Some((leaf, text)) if maker.words.is_nothing(text) || maker.words.is_unknown(text) => {
            maker.ledger.mark(leaf, Code::Carried, None, Some("it says that there is none that is known"));
            String::new()
        }
        Some((_, text)) => slug(text),
        None => String::new(),
    };
    let id = match row.get("id") {
        Some((leaf, text)) => {
            maker.ledger.mark(leaf, Code::Carried, None, None);
            slug(text)
        }
        None => String::new(),
    };
    Some(Planned { row, from, to, agreement, id })
}

/// One end of a flow. What is not known is a placeholder; an end that says that there is nobody is none.
fn end(maker: &mut Maker, row: &Row, party: &'static str, system: &'static str) -> Option<System> {
    let place = row.get(system);
    let id = match row.get(party) {
        Some((leaf, text)) => match maker.party(leaf, text) {
            Whom::Party(id) => id,
            Whom::Nobody => {
                let note = "the row has a flow with nobody at one end: it is not in the result";
                maker.ledger.mark(leaf, Code::Dropped, None, Some(note));
                return None;
            }
            Whom::Unknown => {
                let other = row.text(if party == "to_party" { "from_party" } else { "to_party" });
                let id = slug(&format!("unknown-partner-of-{other}"));
                let name = format!("Unknown partner of {other}");
                maker.placeholder(Some(leaf), &id, &name, "somebody whom the source does not name")
            }
        },
        None => maker.own(),
    };
    let name = place.map_or(UNSTATED, |(_, text)| text);
    let found = if maker.words.is_unknown(name) || maker.words.is_nothing(name) {
        maker.system(&id, UNSTATED)
    } else {
        maker.system(&id, name)
    };
    let made = format!("parties/{}/systems/{}", found.0, found.1);
    if let Some((leaf, _)) = place {
        maker.ledger.mark(leaf, Code::Carried, Some(&made), None);
    }
    Some(found)
}

/// Gives each row an id that depends on what it says alone: its ends; where several rows have the same, its
/// purpose, too; and where these are the same, all that it says.
fn name(planned: &mut [Planned]) {
    let base = |plan: &Planned| {
        if !plan.id.is_empty() {
            return plan.id.clone();
        }
        let crosses = plan.from.0 != plan.to.0;
        let end = |system: &System| match (system.1.as_str(), crosses) {
            (UNSTATED, _) => system.0.clone(),
            (own, true) => format!("{}-{own}", system.0),
            (own, false) => own.to_owned(),
        };
        slug(&format!("{}-to-{}", end(&plan.from), end(&plan.to)))
    };
    let purpose = |plan: &Planned| match plan.row.text("purpose") {
        "" => base(plan),
        text => slug(&format!("{}-{text}", base(plan))),
    };
    let content = |plan: &Planned| {
        let mut cells: Vec<(&str, &str)> = plan.row.cells().map(|(field, _, text)| (field, text)).collect();
        cells.sort_unstable();
        let digest = blake3::hash(format!("{cells:?}").as_bytes()).to_hex();
        format!("{}-{}", base(plan), digest.chars().take(8).collect::<String>())
    };
    let forms: [&dyn Fn(&Planned) -> String; 3] = [&base, &purpose, &content];
    let mut counts: [BTreeMap<(String, String), usize>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for plan in planned.iter() {
        for (count, form) in counts.iter_mut().zip(forms) {
            *count.entry((plan.agreement.clone(), form(plan))).or_default() += 1;
        }
    }
    let ids: Vec<String> = planned
        .iter()
        .map(|plan| {
            let alone = counts.iter().zip(forms).find_map(|(count, form)| {
                let id = form(plan);
                (count.get(&(plan.agreement.clone(), id.clone())) == Some(&1)).then_some(id)
            });
            alone.unwrap_or_else(|| content(plan))
        })
        .collect();
    for (plan, id) in planned.iter_mut().zip(ids) {
        plan.id = id;
    }
}

fn flow(maker: &mut Maker, plan: &Planned, reached: &BTreeSet<System>) {
    let made = flow_id(&plan.agreement, &plan.id);
    let row = plan.row;
    let source = row.first().map(|leaf| maker.ledger.source(leaf)).unwrap_or_default();
    if plan.agreement.is_empty() {
        for field in OF_AGREEMENTS {
            if let Some((leaf, _)) = row.get(field) {
                maker.ledger.drop_minor(leaf, "of an agreement, and the row names none");
            }
        }
    } else {
        agreement(maker, plan);
    }
    let data = data(maker, row, "data", &made);
    let purposes = purposes(maker, row, &made);
    let transform = row.get("transform").and_then(|(leaf, text)| maker.word(leaf, "transform", text, &made));
    let transform = match (transform, &data.transform) {
        (Some(stated), _) if stated != "none" => Some(stated),
        (_, Some(mapped)) => Some(mapped.clone()),
        (stated, None) => stated,
    };
    let consent = row.get("consent").and_then(|(leaf, text)| stated(maker, leaf, "consent", text, &made));
    let safeguards = words(maker, row, "safeguards", &made);
    let retention =
        row.get("retention").map(|(leaf, text)| (maker.duration(leaf, text, &made), text.to_owned()));
    let basis = bases(maker, row, "legal_basis", &made);
    let dates: Vec<(&str, String)> = [("from", "from_date"), ("until", "until")]
        .into_iter()
        .filter_map(|(ours, field)| Some((ours, date(maker, row.get(field)?, &made)?)))
        .collect();
    let only_from = parties(maker, row, "only_from");
    let tags = plain(maker, row, "tags", &made);
    let title = row.get("title").map(|(leaf, text)| {
        maker.ledger.mark(leaf, Code::Label, Some(&made), None);
        text.to_owned()
    });
    let held = data.held || data.keys.is_empty();
    if data.is_empty() && row.get("data").is_none() {
        let note = "the row names no data: whatever the sender holds";
        maker.ledger.remark(Code::Assumed, "data", &made, note, &made, row.first());
    }
    origins(maker, plan, &data, &made, reached);
    let flow = maker.draft.flow(&plan.agreement, &plan.id);
    flow.set("from", format!("{}/{}", plan.from.0, plan.from.1))
        .set("to", format!("{}/{}", plan.to.0, plan.to.1));
    flow.add("purposes", purposes).within("source", "title", source.into());
    match held {
        true => flow.set("data", "held").assumed(),
        false => flow.add("data", data.keys),
    };
    for (key, value) in [("title", title), ("transform", transform), ("consent", consent)] {
        if let Some(value) = value.filter(|value| value != "none") {
            flow.set(key, value);
        }
    }
    flow.add("safeguards", safeguards)
        .add("legal_basis", basis)
        .add("only_from", only_from)
        .add("tags", tags);
    match retention {
        Some((Some(long), _)) => flow.set("retention", long),
        Some((None, text)) => flow.label("retention", &text),
        None => flow,
    };
    for (key, day) in dates {
        flow.within("effective", key, day.into());
    }
    if let Some((leaf, text)) = row.get("columns") {
        maker.ledger.mark(
            leaf,
            Code::Widened,
            Some(&made),
            Some("columns are one system: all that the sender holds"),
        );
        maker.draft.flow(&plan.agreement, &plan.id).label("columns", text);
    }
    for (field, leaf, _) in row.cells() {
        if field == "minor" {
            maker.ledger.drop_minor(leaf, "says nothing on where data goes");
        }
    }
    for (heading, leaf) in &row.others {
        if !heading.is_empty() {
            let text = maker.ledger.value(*leaf);
            let heading = format!("column.{}", slug(heading));
            maker.draft.flow(&plan.agreement, &plan.id).label(&heading, &text);
            maker.ledger.mark(*leaf, Code::Label, Some(&made), None);
        }
    }
}

/// Where data starts: what the row says, else at a sender to which nothing comes.
fn origins(maker: &mut Maker, plan: &Planned, data: &Data, made: &str, reached: &BTreeSet<System>) {
    if plan.row.get("originates").is_some() {
        let starts = self::data(maker, plan.row, "originates", made);
        maker.draft.system(&plan.from).add("originates", starts.keys);
        return;
    }
    if reached.contains(&plan.from) {
        return;
    }
    let keys = match data.keys.is_empty() {
        false => data.keys.clone(),
        true => {
            let key = format!("{}.data-of-{}", maker.prefix, slug(&plan.from.1).replace('.', "_"));
            let title = format!("Data of {}", plan.from.1);
            maker.draft.data.insert(key.clone(), title);
            let note = "what it holds is not said: its data is a category of its own, which no rule knows";
            let place = format!("{}/{}", plan.from.0, plan.from.1);
            maker.ledger.remark(Code::Extended, "originates", &place, note, made, plan.row.first());
            vec![key]
        }
    };
    maker.draft.system(&plan.from).add("originates", keys).assumed();
    let system = format!("{}/{}", plan.from.0, plan.from.1);
    let note = "nothing comes to it, so what it sends starts there";
    maker.ledger.remark(Code::Assumed, "originates", &system, note, made, plan.row.first());
}

fn agreement(maker: &mut Maker, plan: &Planned) {
    let made = format!("agreements/{}", plan.agreement);
    let row = plan.row;
    let source = row.first().map(|leaf| maker.ledger.source(leaf)).unwrap_or_default();
    if let Some((leaf, text)) = row.get("agreement") {
        maker.ledger.mark(leaf, Code::Carried, Some(&made), None);
        maker.draft.agreement(&plan.agreement).set_first("title", text);
    }
    let kind = row.get("agreement_kind").and_then(|(leaf, text)| maker.word(leaf, "kind", text, &made));
    let provider = parties(maker, row, "provider");
    let status = row.get("status").and_then(|(leaf, text)| stated(maker, leaf, "status", text, &made));
    let permitted = row
        .get("permitted_purposes")
        .is_some()
        .then(|| some_purposes(maker, row, "permitted_purposes", &made));
    let prohibited = some_purposes(maker, row, "prohibited_purposes", &made);
    let onward = row.get("onward").and_then(|(leaf, text)| maker.word(leaf, "onward", text, &made));
    let limit = row.get("retention_limit").and_then(|(leaf, text)| maker.duration(leaf, text, &made));
    let agreement = maker.draft.agreement(&plan.agreement);
    agreement.add("parties", [plan.from.0.clone(), plan.to.0.clone()]).within(
        "source",
        "title",
        source.into(),
    );
    let mut differ = Vec::new();
    let mut set =
        |agreement: &mut crate::exchange::draft::Thing, key: &'static str, value: Option<String>| {
            if let Some(value) = value {
                match agreement.text(key) {
                    Some(old) if old != value => differ.push(key),
                    _ => {
                        agreement.set(key, value);
                    }
                }
            }
        };
    set(agreement, "kind", kind);
    set(agreement, "status", status);
    agreement.add("provider", provider);
    let list = |words: BTreeSet<String>| serde_yaml::Value::from(words.into_iter().collect::<Vec<_>>());
    let mut terms: Vec<(&str, serde_yaml::Value)> = Vec::new();
    terms.extend(permitted.map(|words| ("purposes", list(words))));
    terms.extend((!prohibited.is_empty()).then(|| ("prohibited_purposes", list(prohibited))));
    terms.extend(onward.map(|word| ("onward_transfer", word.into())));
    terms.extend(limit.map(|long| ("retention", long.into())));
    // Terms of a row hold for its flow: rows of one agreement may differ.
    let flow = maker.draft.flow(&plan.agreement, &plan.id);
    for (key, value) in terms {
        flow.within("terms", key, value);
    }
    for key in differ {
        // What loosens less: a status that lets no flow out, and `sharing`.
        let strict = if key == "kind" { "sharing" } else { Status::Active.word() };
        maker.draft.agreement(&plan.agreement).set(key, strict);
        let note = format!("rows of this agreement disagree on `{key}`: `{strict}` was taken");
        maker.ledger.remark(Code::Conflict, key, &plan.agreement, &note, &made, row.first());
    }
}

/// The categories of a cell.
pub fn data(maker: &mut Maker, row: &Row, field: &'static str, made: &str) -> Data {
    let mut all: Option<Data> = None;
    let cells: Vec<(Leaf, String)> = row.all(field).map(|(leaf, text)| (leaf, text.to_owned())).collect();
    for (leaf, text) in cells {
        let whole = maker.knows_data(&text);
        let parts = if whole { vec![text] } else { items(&text, |part| maker.knows_data(part)) };
        for part in parts {
            let one = maker.data(leaf, &part, made);
            match &mut all {
                Some(all) => all.and(one),
                None => all = Some(one),
            }
        }
    }
    all.unwrap_or_default()
}

/// The purposes of the row; where it states none, a key of its own.
pub fn purposes(maker: &mut Maker, row: &Row, made: &str) -> BTreeSet<String> {
    let found = some_purposes(maker, row, "purpose", made);
    if !found.is_empty() {
        return found;
    }
    let key = format!("{}.purpose-not-stated", maker.prefix);
    maker.draft.purposes.insert(key.clone(), "Purpose not stated".to_owned());
    let note = "the row states no purpose, which no rule can look at: state it in the source or in `set:`";
    maker.ledger.remark(Code::Extended, "purpose", made, note, made, row.first());
    BTreeSet::from([key])
}

/// The purposes of a cell.
pub fn some_purposes(maker: &mut Maker, row: &Row, field: &'static str, made: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let cells: Vec<(Leaf, String)> = row.all(field).map(|(leaf, text)| (leaf, text.to_owned())).collect();
    for (leaf, text) in cells {
        if maker.words.is_nothing(&text) || maker.words.is_unknown(&text) {
            maker.ledger.mark(leaf, Code::Carried, None, Some("it says that there is none that is known"));
            continue;
        }
        let whole = maker.knows_purpose(&text);
        let parts = if whole { vec![text] } else { items(&text, |part| maker.knows_purpose(part)) };
        for part in parts {
            all.extend(maker.purpose(leaf, &part, made));
        }
    }
    all
}

/// A word of a cell that may be silent.
fn stated(maker: &mut Maker, leaf: Leaf, key: &str, text: &str, made: &str) -> Option<String> {
    if maker.words.is_nothing(text) || maker.words.is_unknown(text) {
        maker.ledger.mark(leaf, Code::Carried, Some(made), Some("it says that there is none that is known"));
        return None;
    }
    maker.word(leaf, key, text, made)
}

/// The words of a list in a cell.
fn words(maker: &mut Maker, row: &Row, key: &'static str, made: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    if let Some((leaf, text)) = row.get(key) {
        for part in items(text, |_| true) {
            all.extend(stated(maker, leaf, key, &part, made));
        }
    }
    all
}

/// The legal bases of a cell, under one law.
pub fn bases(maker: &mut Maker, row: &Row, field: &'static str, made: &str) -> BTreeSet<String> {
    bases_of(maker, row, field, made, "gdpr")
}

/// As [`bases`], under this law.
pub fn bases_of(
    maker: &mut Maker,
    row: &Row,
    field: &'static str,
    made: &str,
    law: &str,
) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let cells: Vec<(Leaf, String)> = row.all(field).map(|(leaf, text)| (leaf, text.to_owned())).collect();
    for (leaf, text) in cells {
        for part in items(&text, |_| false) {
            let known = maker.words.is_basis(&part).then(|| part.clone());
            let word = known.or_else(|| maker.words.word("basis", &part).map(|word| format!("{law}:{word}")));
            match word {
                Some(word) => {
                    all.insert(word);
                    maker.ledger.mark(leaf, Code::Claimed, Some(made), None);
                }
                None => maker.ledger.mark(leaf, Code::Label, Some(made), Some("no basis that is known")),
            }
        }
    }
    all
}

fn date(maker: &mut Maker, (leaf, text): (Leaf, &str), made: &str) -> Option<String> {
    let iso = text.split(['T', ' ']).next().unwrap_or(text);
    // `31.12.2026` and `31/12/2026`, where the day cannot be a month.
    let parts: Vec<&str> = text.split(['.', '/']).collect();
    let turned = match parts.as_slice() {
        [day, month, year] if text.contains('.') || day.parse::<u8>().is_ok_and(|day| day > 12) => {
            Some(format!("{year}-{month:0>2}-{day:0>2}"))
        }
        _ => None,
    };
    let day = turned.as_deref().unwrap_or(iso);
    match day.parse::<jiff::civil::Date>() {
        Ok(day) if day.to_string().len() == 10 => {
            maker.ledger.mark(leaf, Code::Claimed, Some(made), Some("dates count with `--as-of`"));
            Some(day.to_string())
        }
        _ => {
            let note = "no date in one of the forms 2026-12-31 and 31.12.2026: read as no limit";
            maker.ledger.mark(leaf, Code::Widened, Some(made), Some(note));
            None
        }
    }
}

/// The parties of a cell.
fn parties(maker: &mut Maker, row: &Row, field: &'static str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    if let Some((leaf, text)) = row.get(field) {
        for part in items(text, |_| false) {
            if let Whom::Party(id) = maker.party(leaf, &part) {
                all.insert(id);
            }
        }
    }
    all
}

fn plain(maker: &mut Maker, row: &Row, field: &'static str, made: &str) -> BTreeSet<String> {
    let Some((leaf, text)) = row.get(field) else { return BTreeSet::new() };
    maker.ledger.mark(leaf, Code::Carried, Some(made), None);
    text.split([';', ',', '|', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
