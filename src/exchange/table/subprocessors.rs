//! Lists of sub-processors: a row is a party that processes for the organisation.

use crate::base::vocabulary::{Role, Word};
use crate::exchange::draft::{flow_id, slug};
use crate::exchange::fate::Code;
use crate::exchange::maker::{Maker, Whom};

use super::flows::{UNSTATED, data, purposes};
use super::rows::Row;

/// The system of the organisation from which sub-processors get data: which it is, such lists do not say.
const SERVICES: &str = "services";

/// Makes a party, an agreement and a flow of each row.
pub fn import(maker: &mut Maker, rows: &[Row]) {
    super::register::preamble(maker, rows);
    let own = maker.own();
    let services = (own.clone(), SERVICES.to_owned());
    for row in rows.iter().filter(|row| !row.preamble) {
        let Some((leaf, name)) = row.get("name") else {
            if let Some(first) = row.cells().next() {
                maker.ledger.mark(first.1, Code::Dropped, None, Some("a row without a name"));
            }
            continue;
        };
        let party = match maker.party(leaf, name) {
            Whom::Party(id) => id,
            Whom::Nobody => continue,
            Whom::Unknown => maker.placeholder(
                Some(leaf),
                "unknown-subprocessor",
                "Unknown sub-processor",
                "the list does not name it",
            ),
        };
        maker.draft.party(&party).set_first("role", Role::Processor.word());
        let agreement = format!("{party}-processing");
        // A party has a row for each of its services.
        let id = slug(&format!("services-to-{party}-{}", row.text("purpose")));
        let made = flow_id(&agreement, &id);
        let system = maker.system(&party, UNSTATED);
        let source = maker.ledger.source(leaf);
        let found = data(maker, row, "data", &made);
        let purposes = purposes(maker, row, &made);
        let regions = row.get("location").map(|(leaf, text)| {
            let made = format!("parties/{party}/systems/{UNSTATED}");
            let codes = maker.places(leaf, text, &made);
            maker.draft.system(&system).label("location", text);
            codes
        });
        maker.draft.system(&system).add("region", regions.unwrap_or_default());
        let contract = row.get("contract").filter(|(_, text)| !maker.words.is_nothing(text));
        let transfer: Vec<String> = match row.get("transfer") {
            Some((leaf, text)) => {
                let words = maker.words.mentioned("transfers", text).into_iter().map(str::to_owned).collect();
                maker.ledger.mark(leaf, Code::Claimed, Some(&made), None);
                words
            }
            None => Vec::new(),
        };
        let contract = contract.map(|(leaf, text)| {
            maker.ledger.mark(leaf, Code::Claimed, Some(&format!("agreements/{agreement}")), None);
            text.to_owned()
        });
        let draft = maker.draft.agreement(&agreement);
        draft
            .set("kind", "processing")
            .set("provider", own.clone())
            .add("parties", [own.clone(), party.clone()]);
        draft.within("source", "title", source.clone().into());
        if let Some(evidence) = contract {
            let mut dpa = serde_yaml::Mapping::new();
            dpa.insert("id".into(), "processor_contract".into());
            dpa.insert("evidence".into(), evidence.into());
            draft.push("assurances", serde_yaml::Value::Mapping(dpa));
        }
        for word in transfer {
            draft.push("assurances", word.into());
        }
        if !found.keys.is_empty() {
            maker.draft.system(&services).add("originates", found.keys.iter().cloned());
        }
        maker.draft.system(&services).set_first("title", "All services of the organisation").assumed();
        let flow = maker.draft.flow(&agreement, &id);
        flow.set("from", format!("{own}/{SERVICES}")).set("to", format!("{party}/{UNSTATED}"));
        flow.add("purposes", purposes).within("source", "title", source.into()).assumed();
        match found.held || found.keys.is_empty() {
            true => flow.set("data", "held"),
            false => flow.add("data", found.keys),
        };
        if row.get("data").is_none() {
            let note = "the row names no data: whatever the organisation's services hold";
            maker.ledger.remark(Code::Assumed, "data", &made, note, &made, Some(leaf));
        }
    }
    let note = "from which systems sub-processors get data is not said: from one for all, `services`";
    maker.ledger.remark(
        Code::Assumed,
        "from",
        SERVICES,
        note,
        &format!("parties/{own}/systems/{SERVICES}"),
        None,
    );
}
