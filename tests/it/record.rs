//! The record of processing activities. What each register has to say is in Art. 30(1) and (2) of the
//! General Data Protection Regulation; who is controller, joint controller or processor follows from
//! Arts. 4(7), 4(8), 26 and 28: from who decides and on whose behalf somebody acts, as agreements say.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;

use assert_cmd::Command;

use crate::common::read::csv_rows;

type Row = BTreeMap<String, String>;

fn record(inventory: &str) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("i.yaml"), inventory).unwrap();
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(folder.path());
    let out = command.args(["audit", ".", "--format", "ropa-csv", "--day", "2026-11-23"]).output().unwrap();
    csv_rows(&String::from_utf8(out.stdout).unwrap())
}

/// The entry of a system in a register.
fn entry<'r>(rows: &'r [Row], register: &str, system: &str) -> &'r Row {
    let mut found = rows.iter().filter(|row| row["register"] == register && row["system"] == system);
    let row = found.next().unwrap_or_else(|| panic!("{system} in {register}: {rows:#?}"));
    assert!(found.next().is_none(), "{system} twice in {register}");
    row
}

const CONTROLLER: &str = "Art. 30(1)";
const PROCESSOR: &str = "Art. 30(2)";

/// A clinic shares with a school, which has its data hosted.
const HOSTED: &str = "
parties:
  - {id: clinic, name: Clinic, jurisdiction: DE, systems: [{id: files, purposes: [service], originates: [contact]}]}
  - {id: school, name: School, contact: office@school.example, jurisdiction: FR, systems: [{id: sis, purposes: [service]}]}
  - {id: host, name: Hosting Ltd, role: processor, jurisdiction: IE, systems: [{id: vm, purposes: [service]}]}
  - {id: backup, name: Backup Inc, role: processor, jurisdiction: US, systems: [{id: tape, purposes: [service]}]}
agreements:
  - {id: share, parties: [clinic, school], flows: [{id: a, from: clinic/files, to: school/sis, data: [contact]}]}
  - {id: dpa, kind: processing, provider: school, parties: [school, host],
     flows: [{id: a, from: school/sis, to: host/vm, data: [contact]}]}
";

#[test]
fn who_hosts_for_a_receiver_is_its_processor_wherever_the_data_started() {
    let rows = record(HOSTED);
    assert_eq!(entry(&rows, CONTROLLER, "clinic/files")["acts as"], "controller");
    assert_eq!(entry(&rows, CONTROLLER, "school/sis")["acts as"], "controller");
    let host = entry(&rows, PROCESSOR, "host/vm");
    assert_eq!(host["acts as"], "processor of School");
    assert_eq!(host["on behalf of"], "School (office@school.example)");
    assert!(!rows.iter().any(|row| row["register"] == CONTROLLER && row["system"] == "host/vm"));
    // Germany, France and Ireland are one area: nothing is transferred (Art. 30(1)(e)).
    for row in &rows {
        assert_eq!(row["recipients in other regions"], "none", "{}", row["system"]);
        assert_eq!(row["safeguards of transfers"], "none", "{}", row["system"]);
    }
    assert_eq!(entry(&rows, CONTROLLER, "school/sis")["recipients"], "Hosting Ltd");
    // What holds nothing is in neither capacity, and is listed as a gap.
    assert_eq!(entry(&rows, CONTROLLER, "backup/tape")["acts as"], "not declared");
}

#[test]
fn a_further_processor_acts_for_the_controller_and_names_who_engaged_it() {
    let further = "  - {id: sub, kind: processing, provider: host, parties: [host, backup], assurances: [{id: scc, evidence: clauses.pdf}],
     flows: [{id: a, from: host/vm, to: backup/tape, data: [contact]}]}
";
    let rows = record(&format!("{HOSTED}{further}"));
    let tape = entry(&rows, PROCESSOR, "backup/tape");
    assert_eq!(tape["acts as"], "processor of School; engaged by Hosting Ltd");
    assert_eq!(tape["on behalf of"], "School (office@school.example)");
    let host = entry(&rows, PROCESSOR, "host/vm");
    assert_eq!(host["recipients in other regions"], "Backup Inc (US)");
    assert_eq!(
        host["safeguards of transfers"],
        "Backup Inc (US): scc, Standard contractual clauses (GDPR Art. 46(2)(c)); evidence: clauses.pdf"
    );
}

#[test]
fn what_a_processor_returns_is_the_providers_own() {
    let back = "  - {id: back, kind: processing, provider: school, parties: [school, host],
     flows: [{id: a, from: host/vm, to: school/archive, data: [contact]}]}
";
    let inventory = HOSTED.replace(
        "[{id: sis, purposes: [service]}]",
        "[{id: sis, purposes: [service]}, {id: archive, purposes: [service]}]",
    );
    let rows = record(&format!("{inventory}{back}"));
    assert_eq!(entry(&rows, CONTROLLER, "school/archive")["acts as"], "controller");
    assert!(!rows.iter().any(|row| row["register"] == PROCESSOR && row["system"] == "school/archive"));
}

#[test]
fn who_has_data_of_its_own_and_of_clients_is_in_both_registers_each_with_its_data() {
    let own = HOSTED.replace(
        "role: processor, jurisdiction: IE, systems: [{id: vm, purposes: [service]}]",
        "role: processor, jurisdiction: IE, systems: [{id: vm, purposes: [service], originates: [device]}]",
    );
    let rows = record(&own);
    assert_eq!(entry(&rows, CONTROLLER, "host/vm")["acts as"], "controller");
    assert_eq!(entry(&rows, PROCESSOR, "host/vm")["acts as"], "processor of School");
    let data = |register: &str| entry(&rows, register, "host/vm")["categories of data"].clone();
    assert!(
        data(CONTROLLER).contains("Device") && !data(CONTROLLER).contains("Contact"),
        "{}",
        data(CONTROLLER)
    );
    assert!(
        data(PROCESSOR).contains("Contact") && !data(PROCESSOR).contains("Device"),
        "{}",
        data(PROCESSOR)
    );
}

#[test]
fn where_a_processor_keeps_what_starts_with_it_the_controller_is_another() {
    let rows = record(
        "
parties:
  - {id: shop, name: Shop, jurisdiction: DE}
  - {id: cloud, name: Cloud, jurisdiction: IE, systems: [{id: crm, purposes: [service], originates: [contact], controller: shop},
     {id: copy, purposes: [service]}]}
flows:
  - {id: copies, from: cloud/crm, to: cloud/copy, data: [contact]}
",
    );
    assert_eq!(entry(&rows, PROCESSOR, "cloud/crm")["acts as"], "processor of Shop");
    assert_eq!(entry(&rows, PROCESSOR, "cloud/copy")["acts as"], "processor of Shop");
    assert_eq!(rows.len(), 2);
}

#[test]
fn joint_controllers_are_named() {
    let joint = |label: &str| {
        record(&format!(
            "
parties:
  - {{id: clinic, name: Clinic, jurisdiction: DE, systems: [{{id: files, purposes: [service], originates: [contact]}}]}}
  - {{id: uni, name: University, contact: privacy@uni.example, jurisdiction: DE, systems: [{{id: study, purposes: [service]}}]}}
agreements:
  - {{id: joint, parties: [clinic, uni], labels: {{controllers: {label}}}, assurances: [joint_controller_arrangement],
     flows: [{{id: a, from: clinic/files, to: uni/study, data: [contact]}}]}}
"
        ))
    };
    let rows = joint("joint");
    let (clinic, uni) = (entry(&rows, CONTROLLER, "clinic/files"), entry(&rows, CONTROLLER, "uni/study"));
    assert_eq!(
        (clinic["acts as"].as_str(), uni["acts as"].as_str()),
        ("joint controller", "joint controller")
    );
    assert_eq!(clinic["joint controllers"], "University (privacy@uni.example)");
    assert_eq!(uni["joint controllers"], "Clinic");
    for row in joint("independent") {
        assert_eq!(row["acts as"], "controller");
        assert_eq!(row["joint controllers"], "none");
    }
}

/// EEA and United Kingdom: Art. 44 and the lists of `taxonomy/places.yaml`.
#[test]
fn transfers_leave_the_area_of_the_senders_law_and_say_what_they_rest_on() {
    let party = |id: &str, place: &str| {
        let place = if place.is_empty() { String::new() } else { format!("jurisdiction: {place}, ") };
        format!("  - {{id: {id}, name: {id}, {place}systems: [{{id: s, purposes: [service]}}]}}\n")
    };
    let inventory = format!(
        "
parties:
  - {{id: from, name: From, jurisdiction: DE, systems: [{{id: s, purposes: [service], originates: [contact]}}]}}
{}{}{}{}{}{}agreements:
{}",
        party("norway", "NO-03"),
        party("britain", "GB"),
        party("india", "IN"),
        party("nowhere", ""),
        party("lapsed", "US"),
        party("canada", "CA"),
        [
            ("norway", ""),
            ("britain", ""),
            ("india", ""),
            ("nowhere", ""),
            ("lapsed", "assurances: [{id: scc, valid_until: 2026-11-22}], "),
            ("canada", "assurances: [adequacy_in_scope, dpia], "),
        ]
        .map(|(to, more)| format!(
            "  - {{id: {to}, {more}parties: [from, {to}], flows: [{{id: a, from: from/s, to: {to}/s, data: [contact]}}]}}\n"
        ))
        .concat(),
    );
    let rows = record(&inventory);
    let row = entry(&rows, CONTROLLER, "from/s");
    assert_eq!(
        row["recipients in other regions"],
        "britain (GB); canada (CA); india (IN); lapsed (US); nowhere (region not declared)"
    );
    assert_eq!(
        row["safeguards of transfers"],
        "britain (GB): GB is adequate: (EU) 2021/1772 of 2021-06-28, renewed in December 2025 until 2031-12-27; \
         canada (CA): adequacy_in_scope, This data and recipient are within a decision that covers a country in part; \
         india (IN): not declared; lapsed (US): not declared; nowhere (region not declared): not declared"
    );
}

/// The page names every column of the file, and no other.
#[test]
fn the_page_on_the_report_speaks_the_files_words() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/use/report.md")).unwrap();
    let (_, section) = page.split_once("## The record of processing activities").unwrap();
    let table: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name))
        .collect();
    let columns: Vec<String> = record(HOSTED)[0].keys().cloned().collect();
    let mut named: Vec<String> = table.iter().map(|name| (*name).to_owned()).collect();
    named.sort();
    assert_eq!(named, columns);
    for value in ["controller", "joint controller", "processor of", "engaged by", "not declared", "none"] {
        assert!(section.contains(&format!("`{value}")), "{value}");
    }
}
