//! `verify` accepts no scope that it was not told: each attack makes a certificate or a bundle that is true of
//! less than was asked, or says something else than its texts do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;

use assert_cmd::Command;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec;
use serde_json::{Value, json};
use tempfile::TempDir;

const DAY: &str = "2026-06-01";

/// Financial data of a bank reaches advertising.
const INVENTORY: &str = "\
parties:
  - {id: b, name: B, role: bank, systems: [{id: s, originates: [financial.account.balance], purposes: [service]}]}
  - {id: p, name: P, role: platform, systems: [{id: ads, purposes: [advertising]}]}
agreements:
  - {id: a, parties: [b, p], flows: [
      {id: f, from: b/s, to: p/ads, data: [financial], retention: 1d, effective: {from: 2020-01-01}}]}
";

const POLICY: &str = "\
policy: house
title: House
version: \"1\"
rules:
  - {id: no-ads, title: No ads, severity: critical, forbid: {data: [financial], to: {purpose: advertising}}}
";

/// Another inventory, in which a waiver accepts what is found until the middle of June.
const WAIVED: &str = "\
waivers:
  - {rule: house/no-ads, source: b/s, reason: It ends, approved_by: DPO, expires: 2026-06-15}
";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("inv/a.yaml", INVENTORY);
        place.write("house.yaml", POLICY);
        place
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), text).unwrap();
    }

    /// The exit code and what is said.
    fn run(&self, args: &str) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .current_dir(self.0.path())
            .args(args.split(' '))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    /// Audits, so that a certificate `c.json` and a bundle `b.zip` are there.
    fn audit(&self, args: &str) {
        let call = format!("audit inv --quiet --certificate c.json --bundle b.zip {args}");
        let (code, said) = self.run(&call);
        assert!(code < 2, "{said}");
    }

    /// What the audit wrote does not hold, and it is said why; with `named` as well it does.
    fn needs(&self, told: &str, why: &str, named: &str) {
        for (call, named) in [("c.json inv", named), ("b.zip", named), ("b.zip inv --quick", named)] {
            let (code, said) = self.run(format!("verify {call} {told}").trim_end());
            assert!(code == 1 && said.contains(why), "{call} {told}: {said}");
            let (code, said) = self.run(&format!("verify --quiet {call} {told} {named}").replace("  ", " "));
            assert_eq!((code, said.as_str()), (0, ""), "{call} {named}");
        }
    }
}

#[test]
fn what_counts_on_one_day_only_is_named() {
    let place = Place::new();
    place.audit(&format!("--policy house.yaml --day {DAY} --as-of 2020-06-01"));
    let told = format!("--policy house.yaml --day {DAY}");
    place.needs(&told, "if that is meant, name it with `--as-of 2020-06-01`", "--as-of 2020-06-01");
    let (code, said) = place.run(&format!("verify c.json inv {told} --as-of 2020-06-02"));
    assert!(code == 1 && said.contains("judges the flows of 2020-06-01 only"), "{said}");
    place.audit(&told);
    let (code, said) = place.run(&format!("verify c.json inv {told} --as-of 2020-06-02"));
    assert!(code == 1 && said.contains("leave out `--as-of`"), "{said}");
}

#[test]
fn a_certificate_of_no_flow_is_named() {
    let place = Place::new();
    place.audit(&format!("--policy house.yaml --day {DAY} --as-of 1900-01-01 --allow-empty"));
    let told = format!("--policy house.yaml --day {DAY} --as-of 1900-01-01");
    place.needs(&told, "no flow counts: if that is meant, say `--allow-empty`", "--allow-empty");
}

#[test]
fn statuses_are_named_and_an_empty_list_of_them_is_none() {
    let place = Place::new();
    place.audit(&format!("--policy house.yaml --day {DAY} --status suspended,terminated --allow-empty"));
    let told = format!("--policy house.yaml --day {DAY} --allow-empty");
    let why = "if that is meant, name them with `--status suspended,terminated`";
    place.needs(&told, why, "--status terminated,suspended");
    let (code, said) = place.run(&format!("verify c.json inv {told} --status suspended"));
    assert!(code == 1 && said.contains(why), "{said}");
    // All of them are no restriction.
    place.audit(&format!("--policy house.yaml --day {DAY} --status proposed,active,suspended,terminated"));
    assert_eq!(place.run(&format!("verify c.json inv {told} -q")), (0, String::new()));
    let list = "\"status\":[\"proposed\",\"active\",\"suspended\",\"terminated\"]";
    let text = fs::read_to_string(place.at("c.json")).unwrap();
    assert!(text.contains(list));
    place.write("c.json", text.replace(list, "\"status\":[]"));
    let (code, said) = place.run(&format!("verify c.json inv {told}"));
    assert!(code == 1 && said.contains("its list of statuses is empty, which no audit writes"), "{said}");
}

#[test]
fn settings_beside_the_inventory_tell_no_scope() {
    for (settings, why) in
        [("status: [terminated]\n", "--status terminated"), ("as_of: 1900-01-01\n", "--as-of 1900-01-01")]
    {
        let place = Place::new();
        place.write("ringfence.yaml", settings);
        place.audit(&format!("--policy house.yaml --day {DAY} --allow-empty"));
        let (code, said) =
            place.run(&format!("verify c.json inv --policy house.yaml --day {DAY} --allow-empty"));
        assert!(code == 1 && said.contains(why), "{said}");
    }
}

#[test]
fn a_certificate_holds_for_the_day_asked_for_or_its_own_is_named() {
    let place = Place::new();
    place.write("inv/w.yaml", WAIVED);
    place.audit(&format!("--policy house.yaml --day {DAY}"));
    // Nothing changes until the waiver ends: so it holds for the days between.
    let (code, said) = place.run("verify c.json inv --policy house.yaml --day 2026-06-15");
    assert!(code == 0 && said.contains("judged on 2026-06-01"), "{said}");
    assert!(said.contains("It holds for 2026-06-15 as well"), "{said}");
    // From then on, and so today, it is the certificate of another day.
    let why = "but not for 2026-06-16: if 2026-06-01 is meant, name it with `--day 2026-06-01`";
    let (code, said) = place.run("verify c.json inv --policy house.yaml --day 2026-06-16");
    assert!(code == 1 && said.contains(why), "{said}");
    let (code, said) = place.run("verify c.json inv --policy house.yaml");
    assert!(code == 1 && said.contains("name it with `--day 2026-06-01`"), "{said}");
    assert_eq!(place.run("verify b.zip --policy house.yaml").0, 1);
    assert_eq!(place.run(&format!("verify b.zip --policy house.yaml --day {DAY}")).0, 0);
}

#[test]
fn a_day_on_which_a_waiver_still_held_does_not_make_it_hold() {
    let place = Place::new();
    place.write("inv/w.yaml", WAIVED);
    place.audit("--policy house.yaml --day 2026-01-01");
    assert_eq!(place.run(&format!("verify c.json inv --policy house.yaml --day {DAY}")).0, 0);
    assert_eq!(place.run("verify c.json inv --policy house.yaml --day 2026-07-01").0, 1);
    assert_eq!(place.run("verify c.json inv --policy house.yaml").0, 1);
}

#[test]
fn policies_without_the_usual_one_are_named() {
    let place = Place::new();
    place.write("empty.yaml", "policy: empty\ntitle: Empty\nversion: \"1\"\nrules: []\n");
    place.write("ringfence.yaml", "policies: [empty.yaml]\n");
    place.audit(&format!("--day {DAY}"));
    let why = "the policy `core` of this version was not applied";
    place.needs(&format!("--day {DAY}"), why, "--policy empty.yaml");
    // With more than the usual one there is nothing to name.
    place.write("ringfence.yaml", "policies: [core, house.yaml]\n");
    place.audit(&format!("--day {DAY}"));
    for call in ["c.json inv", "b.zip", "b.zip inv"] {
        assert_eq!(place.run(&format!("verify -q {call} --day {DAY}")), (0, String::new()), "{call}");
    }
}

#[test]
fn a_policy_that_carries_the_name_of_a_pack_is_named() {
    let place = Place::new();
    place.write("mine.yaml", POLICY.replace("policy: house", "policy: core").replace("critical", "info"));
    place.write("ringfence.yaml", "policies: [mine.yaml]\n");
    place.audit(&format!("--day {DAY}"));
    let why = "the policy `core` is not the one that comes with this version";
    place.needs(&format!("--day {DAY}"), why, "--policy mine.yaml");
}

#[test]
fn of_a_bundle_an_entry_can_be_named_as_the_policy_meant() {
    let place = Place::new();
    place.audit(&format!("--policy house.yaml --day {DAY}"));
    fs::remove_file(place.at("house.yaml")).unwrap();
    assert_eq!(place.run(&format!("verify b.zip --day {DAY}")).0, 1);
    assert_eq!(place.run(&format!("verify b.zip --day {DAY} --policy policies/house.yaml")).0, 0);
    let (code, said) = place.run(&format!("verify b.zip --day {DAY} --policy policies/house"));
    assert!(code == 2 && said.contains("there is no policy `policies/house`"), "{said}");
    let (code, said) = place.run(&format!("verify b.zip --day {DAY} --policy core"));
    assert!(
        code == 1 && said.contains("policies/house.yaml was applied, and `--policy` does not name"),
        "{said}"
    );
    assert!(said.contains("`--policy` names a policy that was not applied"), "{said}");
}

#[test]
fn files_that_are_left_out_are_named() {
    let place = Place::new();
    place
        .write("inv/leak.yaml", "flows: [{id: x, from: b/s, to: p/ads, data: [financial], retention: 1d}]\n");
    place.write("ringfence.yaml", "exclude: [leak.yaml]\n");
    place.audit(&format!("--policy house.yaml --day {DAY}"));
    let told = format!("--policy house.yaml --day {DAY}");
    for call in ["c.json inv", "b.zip inv"] {
        let (code, said) = place.run(&format!("verify {call} {told}"));
        assert!(code == 1 && said.contains("leak.yaml is read now, and was not then"), "{said}");
        assert_eq!(place.run(&format!("verify -q {call} {told} --exclude leak.yaml")), (0, String::new()));
    }
    // Of a bundle also where no file here could tell.
    let (code, said) = place.run(&format!("verify b.zip {told}"));
    assert!(
        code == 1 && said.contains("leaves 1 file of the inventory out by `exclude` (leak.yaml)"),
        "{said}"
    );
    assert!(said.contains("name it with `--exclude leak.yaml`"), "{said}");
    assert_eq!(place.run(&format!("verify b.zip {told} --exclude other.yaml")).0, 1);
    for named in ["leak.yaml", "leak.*"] {
        assert_eq!(place.run(&format!("verify -q b.zip {told} --exclude {named}")), (0, String::new()));
    }
}

/// Whoever checks a result wants to know what it is.
#[test]
fn what_holds_is_told_with_what_it_shows() {
    let place = Place::new();
    place.audit(&format!("--policy house.yaml --day {DAY}"));
    let told = format!("--policy house.yaml --day {DAY}");
    for call in ["c.json inv", "b.zip", "b.zip --quick"] {
        let (code, said) = place.run(&format!("verify {call} {told}"));
        assert_eq!(code, 0, "{said}");
        let line = "It shows: FAIL: 1 new finding at or above `high` (1 critical); 0 for information\n";
        assert!(said.contains(line), "{call}: {said}");
    }
    // A bundle knows the gate and the baseline that it was made with.
    place.audit(&format!("--policy house.yaml --day {DAY} --fail-on never"));
    let (_, said) = place.run(&format!("verify b.zip {told}"));
    assert!(
        said.contains(
            "It shows: PASS: findings never fail (`--fail-on never`); 1 for information (1 critical)"
        ),
        "{said}"
    );
    assert!(said.contains("the reports fail on: no findings (`--fail-on never`)"), "{said}");
    let (code, said) = place.run("baseline write --policy house.yaml --output known.yaml inv");
    assert_eq!(code, 0, "{said}");
    place.audit(&format!("--policy house.yaml --day {DAY} --baseline known.yaml"));
    let (_, said) = place.run(&format!("verify b.zip {told}"));
    assert!(
        said.contains("PASS: no new finding at or above `high`; 0 for information; 1 accepted"),
        "{said}"
    );
    // Waived, by a policy that does not bind, or perhaps graver than its check.
    place.write("inv/w.yaml", WAIVED);
    place.audit(&format!("--policy house.yaml --day {DAY}"));
    let (_, said) = place.run(&format!("verify c.json inv {told}"));
    assert!(
        said.contains("PASS: no new finding at or above `high`; 0 for information; 1 accepted"),
        "{said}"
    );
    let unsourced = "parties: [{id: z, name: Z, systems: [{id: a, purposes: [service]}, {id: b, purposes: [service]}]}]\n\
                     flows: [{id: x, from: z/a, to: z/b, data: [device], retention: 1d}]\n";
    place.write("inv/w.yaml", unsourced);
    place.write("house.yaml", POLICY.replace("version:", "status: benchmark\nversion:"));
    place.audit(&format!("--policy house.yaml --day {DAY}"));
    let (_, said) = place.run(&format!("verify c.json inv {told}"));
    let untold = "whether the audit fails cannot be told: no new finding at or above `high`; 2 for information \
                  (1 critical, 1 medium; 1 from a non-binding policy); 1 of `flow/unsourced` is perhaps high";
    assert!(said.contains(untold), "{said}");
    let (_, said) = place.run(&format!("verify b.zip {told}"));
    assert!(
        said.contains("PASS: no new finding at or above `high`; 2 for information (1 critical, 1 medium"),
        "{said}"
    );
}

/// A wrong PATH makes everything wrong: the one cause comes first, and the rest is counted.
#[test]
fn a_wrong_path_is_told_first_and_floods_nobody() {
    let place = Place::new();
    place.audit(&format!("--policy house.yaml --day {DAY}"));
    let told = format!("--policy house.yaml --day {DAY}");
    for n in 0..60 {
        place.write(&format!("other/{n:02}.yaml"), format!("parties: [{{id: o{n}, name: O, systems: [{{id: s, purposes: [service], originates: [device]}}, {{id: t, purposes: [advertising]}}]}}]\nflows: [{{id: f{n}, from: o{n}/s, to: o{n}/t, data: [device]}}]\n"));
        place.write(&format!("bad/{n:02}.yaml"), "kind: Deployment\n");
    }
    for call in ["c.json other", "b.zip other"] {
        let (code, said) = place.run(&format!("verify {call} {told}"));
        let first = said.lines().next().unwrap();
        assert!(
            code == 1 && first.starts_with("not verified: `other` is probably another inventory"),
            "{said}"
        );
        assert!(said.lines().filter(|line| line.starts_with("not verified")).count() <= 22, "{said}");
        assert!(said.contains(" more\n"), "{said}");
    }
    let (code, said) = place.run(&format!("verify c.json bad {told}"));
    assert!(
        code == 2 && said.starts_with("error: nothing was verified: the files read here have mistakes"),
        "{said}"
    );
    // An inventory that has changed is told as that.
    for n in 0..3 {
        place.write(&format!("inv/{n}.yaml"), "parties: []\n");
    }
    place.audit(&told);
    place.write("inv/a.yaml", INVENTORY.replace("retention: 1d", "retention: 2d"));
    let (code, said) = place.run(&format!("verify c.json inv {told}"));
    assert!(
        code == 1 && said.starts_with("not verified: the inventory has probably changed since"),
        "{said}"
    );
    assert!(said.contains("a.yaml has changed"), "{said}");
}

type Entries = Vec<(String, Vec<u8>)>;

/// A second reader and writer of archives.
fn unpack(archive: &[u8]) -> Entries {
    let number = |at: usize, length: usize| {
        archive[at..at + length].iter().rev().fold(0_usize, |n, &byte| n << 8 | usize::from(byte))
    };
    let end = archive.len() - 22;
    let mut at = number(end + 16, 4);
    let entry = |_| {
        let (size, name, local) = (number(at + 20, 4), number(at + 28, 2), number(at + 42, 4));
        let text = String::from_utf8(archive[at + 46..at + 46 + name].to_vec()).unwrap();
        let data = local + 30 + name;
        at += 46 + name;
        (text, decompress_to_vec(&archive[data..data + size]).unwrap())
    };
    (0..number(end + 10, 2)).map(entry).collect()
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |mut crc: u32, byte: &u8| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
        crc
    };
    !bytes.iter().fold(!0, step)
}

fn pack(entries: &Entries, level: u8) -> Vec<u8> {
    let (mut all, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let deflated = compress_to_vec(bytes, level);
        let mut common = vec![20, 0, 0, 8, 8, 0, 0, 0, 0x21, 0];
        common.extend(crc(bytes).to_le_bytes());
        common.extend((deflated.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        list.extend(b"PK\x01\x02\x14\x03");
        list.extend(&common);
        list.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xa4, 0x81]);
        list.extend((all.len() as u32).to_le_bytes());
        list.extend(name.as_bytes());
        all.extend(b"PK\x03\x04");
        all.extend(&common);
        all.extend(name.as_bytes());
        all.extend(&deflated);
    }
    let count = (entries.len() as u16).to_le_bytes();
    let end = [&(list.len() as u32).to_le_bytes()[..], &(all.len() as u32).to_le_bytes(), &[0, 0]].concat();
    [&all[..], &list, b"PK\x05\x06\0\0\0\0", &count, &count, &end].concat()
}

/// The list with the sizes and digests that the entries have, in the form in which it is written.
fn relist(entries: &mut Entries, change: impl Fn(&mut Value)) {
    let at = entries.iter().position(|(name, _)| name == "MANIFEST.json").unwrap();
    let mut list: Value = serde_json::from_slice(&entries[at].1).unwrap();
    change(&mut list);
    let mut text = format!("{{\"bundle\":1,\n\"ringfence\":{},\n\"judged\":", list["ringfence"]);
    let judged = &list["judged"];
    text += &format!(
        "{{\"day\":{},\"as_of\":{},\"status\":{}}}",
        judged["day"], judged["as_of"], judged["status"]
    );
    text += &format!(",\n\"inventory\":{},\n\"entries\":[", list["inventory"]);
    for (number, member) in list["entries"].as_array().unwrap().iter().enumerate() {
        let entry = member["entry"].as_str().unwrap();
        let Some((_, bytes)) = entries.iter().find(|(name, _)| name == entry) else { continue };
        text += if number == 0 { "\n" } else { ",\n" };
        text += &format!(
            "{{\"entry\":{},\"kind\":{},\"name\":{},\"bytes\":{},\"blake3\":\"{}\"}}",
            member["entry"],
            member["kind"],
            member["name"],
            bytes.len(),
            blake3::hash(bytes).to_hex()
        );
    }
    entries[at].1 = (text + "\n]}\n").into_bytes();
    entries.sort();
}

fn replace(entries: &mut Entries, name: &str, from: &str, to: &str) {
    let entry = entries.iter_mut().find(|(own, _)| own == name).unwrap();
    let text = String::from_utf8(entry.1.clone()).unwrap();
    assert!(text.contains(from), "{name}: {text}");
    entry.1 = text.replace(from, to).into_bytes();
}

/// A bundle of the default policy, unpacked.
fn whole(place: &Place) -> Entries {
    place.audit(&format!("--day {DAY}"));
    let archive = fs::read(place.at("b.zip")).unwrap();
    let mut entries = unpack(&archive);
    // The second writer writes the same bytes: what it changes is all that is changed.
    relist(&mut entries, |_| ());
    assert!(pack(&entries, 6) == archive);
    assert_eq!(place.run(&format!("verify -q b.zip --day {DAY}")), (0, String::new()));
    entries
}

fn refused(place: &Place, archive: &[u8], why: &str, more: &str) {
    place.write("b.zip", archive);
    let (code, said) = place.run(&format!("verify b.zip --day {DAY}{more}"));
    assert!(code > 0 && said.contains(why), "{why}: {said}");
}

#[test]
fn reports_that_say_something_else_are_told() {
    let place = Place::new();
    let whole = whole(&place);
    for (name, from, to) in [
        ("reports/report.json", "\"severity\":\"critical\"", "\"severity\":\"info\""),
        ("reports/report.json", "\"status\":\"new\"", "\"status\":\"baseline\""),
        ("reports/report.json", "\"binding\":true", "\"binding\":false"),
        ("reports/report.json", "\"critical\":1", "\"critical\":0"),
        ("reports/report.json", "\"relied_on\"", "\"more\":1,\"relied_on\""),
        ("reports/report.txt", "FAIL", "PASS"),
        ("reports/report.html", "</body>", " </body>"),
        ("reports/report.html", "core/no-financial-advertising", "core/nothing"),
    ] {
        let mut entries = whole.clone();
        replace(&mut entries, name, from, to);
        relist(&mut entries, |_| ());
        refused(&place, &pack(&entries, 6), &format!("{name} is not what an audit of the texts writes"), "");
        if name != "reports/report.json" || from == "\"severity\":\"critical\"" {
            // `--quick` leaves just that out.
            let (code, said) = place.run(&format!("verify --quick b.zip --day {DAY}"));
            assert!(code == 0 && said.contains("not covered: of the reports"), "{name}: {said}");
        }
    }
}

#[test]
fn certificates_that_say_more_or_less_than_they_need_are_told() {
    let place = Place::new();
    let whole = whole(&place);
    for (from, to) in
        [("{\"certificate\":1", "{\"more\":0,\"certificate\":1"), ("\"baselines\"]", "\"baselines\",\"x\"]")]
    {
        let mut entries = whole.clone();
        replace(&mut entries, "certificate.json", from, to);
        relist(&mut entries, |_| ());
        refused(&place, &pack(&entries, 6), "certificate.json is not what an audit of the texts writes", "");
    }
}

#[test]
fn a_gutted_pack_is_told_whatever_version_is_named() {
    let place = Place::new();
    let whole = whole(&place);
    for version in [env!("CARGO_PKG_VERSION"), "0.0.9", "9.9.9"] {
        let mut entries = whole.clone();
        replace(&mut entries, "policies/core/policy.yaml", "severity: critical", "severity: info");
        for name in ["certificate.json", "reports/report.json"] {
            replace(&mut entries, name, env!("CARGO_PKG_VERSION"), version);
        }
        relist(&mut entries, |list| list["ringfence"] = json!(version));
        for more in ["", " --quick", " --policy core", " --quick --policy core"] {
            let why = if more.contains("core") {
                "policies/core/policy.yaml was applied, and `--policy` does not name"
            } else {
                "the policy `core` is not the one that comes with this version"
            };
            refused(&place, &pack(&entries, 6), why, more);
        }
    }
}

#[test]
fn a_bundle_of_another_version_is_not_made_again() {
    let place = Place::new();
    let mut entries = whole(&place);
    for name in ["certificate.json", "reports/report.json"] {
        replace(&mut entries, name, env!("CARGO_PKG_VERSION"), "0.0.9");
    }
    relist(&mut entries, |list| list["ringfence"] = json!("0.0.9"));
    let archive = pack(&entries, 6);
    refused(
        &place,
        &archive,
        "ringfence 0.0.9 wrote it, so that this version cannot make its reports again",
        "",
    );
    let (code, said) = place.run(&format!("verify --quick b.zip --day {DAY}"));
    assert!(code == 0 && said.contains("written by ringfence 0.0.9"), "{said}");
}

#[test]
fn a_scope_that_list_certificate_and_report_agree_on_is_told() {
    let place = Place::new();
    let whole = whole(&place);
    // The findings of this scope are those of all flows, so that nothing else tells.
    let mut entries = whole;
    let judged = |as_of: &str| format!("\"day\":\"{DAY}\",\"as_of\":{as_of}");
    for name in ["certificate.json", "reports/report.json"] {
        replace(&mut entries, name, &judged("null"), &judged("\"2020-01-01\""));
    }
    relist(&mut entries, |list| list["judged"]["as_of"] = json!("2020-01-01"));
    for more in ["", " --quick"] {
        refused(&place, &pack(&entries, 6), "name it with `--as-of 2020-01-01`", more);
    }
}

#[test]
fn an_archive_is_the_very_bytes_that_would_be_written() {
    let place = Place::new();
    let whole = whole(&place);
    let archive = pack(&whole, 6);
    for level in [0, 1, 9] {
        refused(
            &place,
            &pack(&whole, level),
            "not packed in the bytes that `ringfence audit --bundle` writes",
            "",
        );
        refused(&place, &pack(&whole, level), "not packed in the bytes that", " --quick");
    }
    refused(&place, &[&archive[..], b" "].concat(), "is no ZIP archive", "");
    refused(&place, &[b" ", &archive[..]].concat(), "is not as `ringfence audit --bundle` writes it", "");
    let comment = [&archive[..archive.len() - 2], &[1, 0, b'x']].concat();
    refused(&place, &comment, "is no ZIP archive", "");
    let mut turned = whole.clone();
    turned.reverse();
    refused(&place, &pack(&turned, 6), "stands at the wrong place", "");
    let mut doubled = whole.clone();
    doubled.insert(1, whole[0].clone());
    refused(&place, &pack(&doubled, 6), "holds `MANIFEST.json` twice", "");
    let mut more = whole.clone();
    more.push(("zzz.txt".to_owned(), b"unseen".to_vec()));
    refused(&place, &pack(&more, 6), "zzz.txt is not listed", "");
    // The same list in other bytes, and one with a key that nobody reads.
    for (from, to) in [("{\"bundle\":1", "{ \"bundle\":1"), ("{\"bundle\":1", "{\"seen\":1,\"bundle\":1")] {
        let mut entries = whole.clone();
        replace(&mut entries, "MANIFEST.json", from, to);
        refused(
            &place,
            &pack(&entries, 6),
            "MANIFEST.json lists the entries in other words or another order",
            "",
        );
        refused(
            &place,
            &pack(&entries, 6),
            "MANIFEST.json lists the entries in other words or another order",
            " --quick",
        );
    }
    // Texts in an order in which no audit reads them, all else as it has to be.
    let mut entries = whole.clone();
    relist(&mut entries, |list| list["entries"].as_array_mut().unwrap().swap(0, 1));
    refused(&place, &pack(&entries, 6), "lists the texts in an order in which no audit reads them", "");
}

#[test]
fn a_bundle_tells_when_its_reports_fail() {
    let place = Place::new();
    place.audit(&format!("--day {DAY} --fail-on never --fail-on-status in_force --deny-notices=no-policy"));
    let (code, said) = place.run(&format!("verify b.zip --day {DAY}"));
    assert!(code == 0, "{said}");
    assert!(
        said.contains("the reports fail on: no findings (`--fail-on never`); notices: no-policy"),
        "{said}"
    );
    place.run("baseline write inv --output known.json");
    place.audit(&format!("--day {DAY} --baseline known.json"));
    let (code, said) = place.run(&format!("verify b.zip --day {DAY}"));
    assert!(
        code == 0 && said.contains("the reports take findings as known that are in baseline/known.json"),
        "{said}"
    );
}

/// Settings come with the inventory: what they allow waivers is said.
#[test]
fn how_long_waivers_may_run_is_said() {
    let place = Place::new();
    place.write("inv/w.yaml", WAIVED.replace("2026-06-15", "2028-06-15"));
    let audit =
        format!("audit inv --policy house.yaml --day {DAY} --certificate c.json --bundle b.zip --quiet");
    assert_eq!(place.run(&audit).0, 2);
    place.write("ringfence.yaml", "waiver_max: 5y\n");
    assert_eq!(place.run(&audit).0, 0);
    let (code, text) = place.run(&format!("verify c.json inv --policy house.yaml --day {DAY}"));
    assert!(code == 0 && text.contains("waivers may run for 5y"), "{text}");
    let (code, text) = place.run(&format!("verify b.zip --policy house.yaml --day {DAY}"));
    assert!(code == 0 && text.contains("waivers may run for 5y"), "{text}");
    place.write("ringfence.yaml", "");
    assert_eq!(place.run(&format!("verify c.json inv --policy house.yaml --day {DAY}")).0, 2);
}
