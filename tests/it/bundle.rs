//! Bundles: the same bytes wherever they are made, and whatever is changed in one is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec;
use serde_json::{Value, json};
use tempfile::TempDir;

const SAMPLES: [&str; 4] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];
const DAY: &str = "2026-01-01";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
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

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.current_dir(folder).args(args);
    command
}

fn ringfence(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = command(folder, args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Makes a bundle of what the arguments name.
fn bundle(folder: &Path, args: &[&str]) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("audit.zip");
    let mut call = vec!["audit", "--quiet", "--day", DAY, "--bundle", file.to_str().unwrap()];
    call.extend(args);
    let (code, _, errors) = ringfence(folder, &call);
    assert!(code < 2 && errors.is_empty(), "{args:?}: {errors}");
    fs::read(file).unwrap()
}

/// What `verify` says of an archive.
fn verify(archive: &[u8], args: &[&str]) -> (i32, String, String) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("audit.zip");
    fs::write(&file, archive).unwrap();
    let mut call = vec!["verify", file.to_str().unwrap()];
    call.extend(args);
    if !args.contains(&"--day") {
        call.extend(["--day", DAY]);
    }
    let result = ringfence(place.path(), &call);
    // Nothing is unpacked.
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    result
}

/// It does not hold; what is said of it.
fn told(archive: &[u8]) -> String {
    let (code, said, errors) = verify(archive, &[]);
    assert!(code == 1 && errors.is_empty(), "{code}: {said}{errors}");
    said
}

/// It is no bundle; what is said of it.
fn refused(archive: &[u8]) -> String {
    let (code, said, errors) = verify(archive, &[]);
    assert!(code == 2 && said.is_empty(), "{code}: {said}{errors}");
    assert!(errors.contains("is no bundle that can be checked"), "{errors}");
    errors
}

type Entries = Vec<(String, Vec<u8>)>;

/// A second reader and writer of archives, by the format's description.
fn unpack(archive: &[u8]) -> Entries {
    let number = |at: usize, length: usize| {
        archive[at..at + length].iter().rev().fold(0_usize, |n, &byte| n << 8 | usize::from(byte))
    };
    let end = archive.len() - 22;
    let mut at = number(end + 16, 4);
    (0..number(end + 10, 2))
        .map(|_| {
            let (size, name, local) = (number(at + 20, 4), number(at + 28, 2), number(at + 42, 4));
            let text = String::from_utf8(archive[at + 46..at + 46 + name].to_vec()).unwrap();
            let data = local + 30 + name;
            at += 46 + name;
            (text, decompress_to_vec(&archive[data..data + size]).unwrap())
        })
        .collect()
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

/// An entry with what its heads say, which need not be true.
struct Raw {
    name: String,
    deflated: Vec<u8>,
    crc: u32,
    bytes: u32,
}

impl Raw {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let deflated = compress_to_vec(bytes, 6);
        Raw { name: name.to_owned(), deflated, crc: crc(bytes), bytes: bytes.len() as u32 }
    }
}

fn raw(entries: &[Raw]) -> Vec<u8> {
    let (mut all, mut list) = (Vec::new(), Vec::new());
    for entry in entries {
        let mut common = vec![20, 0, 0, 8, 8, 0, 0, 0, 0x21, 0];
        common.extend(entry.crc.to_le_bytes());
        common.extend((entry.deflated.len() as u32).to_le_bytes());
        common.extend(entry.bytes.to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        list.extend(b"PK\x01\x02\x14\x03");
        list.extend(&common);
        list.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xa4, 0x81]);
        list.extend((all.len() as u32).to_le_bytes());
        list.extend(entry.name.as_bytes());
        all.extend(b"PK\x03\x04");
        all.extend(&common);
        all.extend(entry.name.as_bytes());
        all.extend(&entry.deflated);
    }
    let at = all.len() as u32;
    all.extend(&list);
    all.extend(b"PK\x05\x06\0\0\0\0");
    all.extend((entries.len() as u16).to_le_bytes());
    all.extend((entries.len() as u16).to_le_bytes());
    all.extend((list.len() as u32).to_le_bytes());
    all.extend(at.to_le_bytes());
    all.extend([0, 0]);
    all
}

/// An archive of these entries, sorted.
fn pack(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut entries = entries.to_vec();
    entries.sort();
    raw(&entries.iter().map(|(name, bytes)| Raw::new(name, bytes)).collect::<Vec<_>>())
}

/// Writes the sizes and digests of the entries into the list anew, as whoever forges would.
fn relist(entries: &mut Entries) {
    let texts: BTreeMap<String, Vec<u8>> = entries.iter().cloned().collect();
    edit(entries, "MANIFEST.json", |manifest| {
        for member in manifest["entries"].as_array_mut().unwrap() {
            let Some(bytes) = texts.get(member["entry"].as_str().unwrap()) else { continue };
            member["bytes"] = json!(bytes.len());
            member["blake3"] = json!(blake3::hash(bytes).to_hex().to_string());
        }
    });
}

fn edit(entries: &mut Entries, name: &str, change: impl FnOnce(&mut Value)) {
    let (_, bytes) = entries.iter_mut().find(|(own, _)| own == name).unwrap();
    let mut value = serde_json::from_slice(bytes).unwrap();
    change(&mut value);
    *bytes = serde_json::to_vec(&value).unwrap();
}

fn replace(entries: &mut Entries, name: &str, from: &str, to: &str) {
    let (_, bytes) = entries.iter_mut().find(|(own, _)| own == name).unwrap();
    let text = String::from_utf8(std::mem::take(bytes)).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    *bytes = text.replacen(from, to, 1).into_bytes();
}

fn open_banking() -> Vec<u8> {
    bundle(&samples(), &["open-banking"])
}

/// A folder with an inventory in `in`.
fn place(sample: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&samples().join(sample), &folder.path().join("in"));
    folder
}

#[test]
fn a_bundle_is_the_same_bytes_wherever_and_however_it_is_made() {
    for sample in SAMPLES {
        let first = bundle(&samples(), &[sample]);
        let elsewhere = tempfile::tempdir().unwrap();
        let deep = elsewhere.path().join("some/other place");
        copy(&samples().join(sample), &deep);
        for threads in ["1", "2", "8"] {
            let file = elsewhere.path().join("b.zip");
            let call = ["audit", "--day", DAY, "--color", "always", "--format", "json"];
            let mut call = command(elsewhere.path(), &call);
            call.arg("--bundle").arg(&file).arg(&deep).env("RAYON_NUM_THREADS", threads);
            assert!(call.output().unwrap().status.code().unwrap() < 2);
            assert_eq!(fs::read(&file).unwrap(), first, "{sample} with {threads}");
        }
        for (name, bytes) in unpack(&first) {
            let text = String::from_utf8_lossy(&bytes);
            let here = samples();
            assert!(!text.contains(here.to_str().unwrap()), "{name} says where it lies");
        }
    }
}

#[test]
fn bundles_of_all_samples_hold_and_the_second_writer_agrees() {
    for sample in SAMPLES {
        for policies in [vec![], vec!["--policy", "core", "--policy", "gdpr"]] {
            let archive = bundle(&samples(), &[vec![sample], policies].concat());
            let (code, said, errors) = verify(&archive, &[]);
            assert!(
                code == 0 && errors.is_empty() && said.starts_with("Verified: "),
                "{sample}: {said}{errors}"
            );
            let entries = unpack(&archive);
            assert!(entries.is_sorted());
            assert_eq!(unpack(&pack(&entries)), entries);
            assert_eq!(verify(&pack(&entries), &[]).0, 0, "{sample}");
        }
    }
}

#[test]
fn what_is_in_it_is_what_the_calls_write() {
    let folder = place("messenger-banking");
    let at = folder.path();
    let (code, ..) = ringfence(at, &["baseline", "write", "--output", "known.yaml", "in"]);
    assert_eq!(code, 0);
    fs::write(at.join("ringfence.yaml"), "policies: [core]\nbaseline: known.yaml\nas_of: 2024-01-01\n")
        .unwrap();
    fs::remove_file(at.join("in/ringfence.yaml")).ok();
    let call = [
        "audit",
        "--day",
        DAY,
        "--bundle",
        "a.zip",
        "--certificate",
        "a.json",
        "--output",
        "a.txt",
        "--limit",
        "0",
        "--report",
        "json=r.json",
        "--report",
        "html=r.html",
        "in",
    ];
    let (code, _, errors) = ringfence(at, &call);
    assert!(code < 2, "{errors}");
    let archive = fs::read(at.join("a.zip")).unwrap();
    let entries: BTreeMap<String, Vec<u8>> = unpack(&archive).into_iter().collect();
    for (entry, file) in [
        ("certificate.json", "a.json"),
        ("reports/report.json", "r.json"),
        ("reports/report.html", "r.html"),
        ("settings/ringfence.yaml", "ringfence.yaml"),
        ("baseline/known.yaml", "known.yaml"),
        ("inventory/platform.yaml", "in/platform.yaml"),
        ("inventory/agreements/citi-messenger.yaml", "in/agreements/citi-messenger.yaml"),
    ] {
        assert!(entries[entry] == fs::read(at.join(file)).unwrap(), "{entry}");
    }
    // The text in it is the same wherever the inventory lay: it names neither that folder nor the call.
    let words = |text: &[u8]| -> String {
        let text = String::from_utf8_lossy(text).replace(&format!(" --day {DAY} in"), "").replace("in/", "");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words(&entries["reports/report.txt"]), words(&fs::read(at.join("a.txt")).unwrap()));
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/core/policy.yaml");
    assert_eq!(entries["policies/core/policy.yaml"], fs::read(core).unwrap());
    let manifest: Value = serde_json::from_slice(&entries["MANIFEST.json"]).unwrap();
    assert_eq!(manifest["judged"], json!({"day": DAY, "as_of": "2024-01-01", "status": null}));
    assert_eq!(manifest["entries"].as_array().unwrap().len(), entries.len() - 1);
    let (code, said, _) = verify(&archive, &["--as-of", "2024-01-01"]);
    assert!(code == 0 && said.contains("as of 2024-01-01"), "{said}");
    let (code, said, _) = verify(&archive, &[]);
    assert!(code == 1 && said.contains("name it with `--as-of 2024-01-01`"), "{said}");
    // By hand, as the page says.
    let unpacked = at.join("unpacked");
    for (name, bytes) in &entries {
        let file = unpacked.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    fs::remove_file(at.join("ringfence.yaml")).unwrap();
    let by_hand = ["verify", "certificate.json", "inventory", "--policy", "core", "--day", DAY];
    let (code, said, _) = ringfence(&unpacked, &[&by_hand[..], &["--as-of", "2024-01-01"]].concat());
    assert_eq!(code, 0, "{said}");
    let call = [
        "audit",
        "inventory",
        "--policy",
        "core",
        "--day",
        DAY,
        "--as-of",
        "2024-01-01",
        "--format",
        "json",
        "--baseline",
        "baseline/known.yaml",
        "--output",
        "again.json",
    ];
    assert!(ringfence(&unpacked, &call).0 < 2);
    assert!(fs::read(unpacked.join("again.json")).unwrap() == entries["reports/report.json"]);
}

#[test]
fn files_with_odd_or_common_names_have_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for party in ["a", "b"] {
        copy(&samples().join("open-banking"), &at.join(party));
    }
    fs::remove_file(at.join("b/consents.yaml")).unwrap();
    fs::remove_file(at.join("b/statements.yaml")).unwrap();
    fs::write(at.join("b/parties.yaml"), "waivers: []\n").unwrap();
    let policy = |id: &str, file: &str| {
        let text = format!(
            "policy: {id}\ntitle: T\nversion: \"1\"\nstatus: house\nrules:\n- id: r\n  title: T\n  severity: low\n  \
             why: W\n  remedy: R\n  forbid: {{data: financial, to: {{purpose: advertising}}}}\n"
        );
        fs::create_dir_all(at.join(file).parent().unwrap()).unwrap();
        fs::write(at.join(file), text).unwrap();
    };
    policy("one", "p/policy.yaml");
    policy("two", "q/policy.yaml");
    let said = ringfence(at, &["check", "--policy", "p/policy.yaml"]);
    assert_eq!(said.0, 0, "{}", said.2);
    let named = ["a", "b", "--policy", "p/policy.yaml", "--policy", "core", "--policy", "q/policy.yaml"];
    let archive = bundle(at, &named);
    let names: Vec<String> = unpack(&archive).into_iter().map(|(name, _)| name).collect();
    for name in [
        "inventory/a/parties.yaml",
        "inventory/b/parties.yaml",
        "policies/policy.yaml",
        "policies/2/policy.yaml",
    ] {
        assert!(names.iter().any(|own| own == name), "{name}: {names:?}");
    }
    let (code, said, errors) = verify(&archive, &[]);
    assert!(code == 0, "{said}{errors}");
    assert!(
        said.contains("judged by policies/2/policy.yaml, which does not come with the program"),
        "{said}"
    );
    // By their whole paths, these two would be named as they lie on the disk.
    let whole = |name: &str| at.join(name).to_str().unwrap().to_owned();
    let (a, b) = (whole("a"), whole("b"));
    let (code, _, errors) = ringfence(at, &["audit", "-q", "--bundle", "x.zip", &a, &b]);
    assert!(code == 2 && errors.contains("as it lies on this disk"), "{errors}");
    assert!(!at.join("x.zip").exists());
    // Standard input, and names that some systems do not allow.
    let text = fs::read(at.join("a/consents.yaml")).unwrap();
    fs::remove_file(at.join("a/consents.yaml")).unwrap();
    if cfg!(unix) {
        let odd = at.join("a/c:\\odd\u{1}%.yaml");
        fs::rename(at.join("a/statements.yaml"), odd).unwrap();
    }
    let call = ["audit", "-q", "--day", DAY, "--bundle", "s.zip", "a", "-"];
    let output = command(at, &call).write_stdin(text).output().unwrap();
    assert!(output.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&output.stderr));
    let archive = fs::read(at.join("s.zip")).unwrap();
    let names: Vec<String> = unpack(&archive).into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"inventory/%3Cstdin%3E".to_owned()), "{names:?}");
    if cfg!(unix) {
        assert!(names.contains(&"inventory/c%3A%5Codd%01%25.yaml".to_owned()), "{names:?}");
    }
    assert_eq!(verify(&archive, &[]).0, 0);
}

#[test]
fn whatever_is_done_to_an_entry_is_told() {
    let whole = unpack(&open_banking());
    for at in 0..whole.len() {
        let name = whole[at].0.clone();
        let with = |change: &dyn Fn(&mut Entries)| {
            let mut entries = whole.clone();
            change(&mut entries);
            pack(&entries)
        };
        let manifest = name == "MANIFEST.json";
        let middle = whole[at].1.len() / 2;
        let flipped = with(&|entries| entries[at].1[middle] ^= 1);
        let (code, said, errors) = verify(&flipped, &[]);
        // A changed list is no longer one, or lists something else.
        assert!(code == 1 || manifest && code == 2, "{name}: {said}{errors}");
        assert!(manifest || said.contains(&format!("{name} has another digest than is listed")), "{said}");
        let longer = with(&|entries| entries[at].1.push(b' '));
        assert!(manifest || told(&longer).contains(&format!("not verified: {name} has ")));
        let removed = with(&|entries| drop(entries.remove(at)));
        if manifest {
            assert!(refused(&removed).contains("`MANIFEST.json` cannot be read: it is not there"));
        } else {
            assert!(told(&removed).contains(&format!("not verified: {name} is missing")));
        }
        let renamed = with(&|entries| entries[at].0.push('x'));
        if manifest {
            refused(&renamed);
        } else {
            let said = told(&renamed);
            assert!(said.contains(&format!("{name} is missing")), "{said}");
            assert!(said.contains(&format!("{name}x is not listed")), "{said}");
        }
        let doubled = with(&|entries| entries.push(whole[at].clone()));
        assert!(refused(&doubled).contains(&format!("it holds `{name}` twice")));
        let added = with(&|entries| entries.push((format!("{name}.more"), b"x: 1\n".to_vec())));
        assert!(told(&added).contains(&format!("{name}.more is not listed")));
    }
}

#[test]
fn a_forged_list_does_not_help() {
    let whole = unpack(&open_banking());
    let forged = |change: &dyn Fn(&mut Entries)| {
        let mut entries = whole.clone();
        change(&mut entries);
        relist(&mut entries);
        told(&pack(&entries))
    };
    // Another report, of another sample or with a finding changed, lost or doubled.
    let other = unpack(&bundle(&samples(), &["cambridge-analytica"]));
    let other = &other.iter().find(|(name, _)| name == "reports/report.json").unwrap().1;
    let said = forged(&|entries| {
        entries.iter_mut().find(|(n, _)| n == "reports/report.json").unwrap().1 = other.clone()
    });
    assert!(said.contains("reports/report.json is of another inventory than the certificate"), "{said}");
    assert!(said.contains("and the certificate has not"), "{said}");
    let report =
        |change: &dyn Fn(&mut Value)| forged(&|entries| edit(entries, "reports/report.json", change));
    let said = report(&|r| drop(r["findings"].as_array_mut().unwrap().remove(0)));
    assert!(said.contains("reports/report.json lacks rf1:"), "{said}");
    let said = report(&|r| r["findings"][0]["status"] = json!("waived"));
    assert!(said.contains("reports/report.json says something else of rf1:"), "{said}");
    let said = report(&|r| r["findings"][0]["rule"] = json!("core/other"));
    assert!(said.contains("reports/report.json says something else of rf1:"), "{said}");
    let said = report(&|r| {
        let first = r["findings"][0].clone();
        r["findings"].as_array_mut().unwrap().push(first);
    });
    assert!(said.contains("in another order, or one twice"), "{said}");
    let said = report(&|r| r["policies"] = json!([]));
    assert!(said.contains("by other policies"), "{said}");
    let said = report(&|r| r["judged"]["day"] = json!("2030-01-01"));
    assert!(said.contains("for another day"), "{said}");
    let said = report(&|r| r["ringfence"]["version"] = json!("9.9.9"));
    assert!(said.contains("of another version"), "{said}");
    // Another inventory, another policy.
    let said = forged(&|entries| replace(entries, "inventory/parties.yaml", "\n", "\n# changed\n"));
    assert!(said.contains("the inventory is another than when the certificate was written"), "{said}");
    let said = forged(&|entries| replace(entries, "policies/core/policy.yaml", "\n", "\n# changed\n"));
    assert!(said.contains("policies/core/policy.yaml has changed"), "{said}");
    assert!(said.contains("the policy `core` is not the one that comes with this version"), "{said}");
    // A list that says something else.
    let list = |change: &dyn Fn(&mut Value)| forged(&|entries| edit(entries, "MANIFEST.json", change));
    let member = |m: &Value, name: &str| {
        m["entries"].as_array().unwrap().iter().position(|e| e["entry"] == name).unwrap()
    };
    for (key, value, said) in [
        ("ringfence", json!("9.9.9"), "another version"),
        ("inventory", json!("0"), "another inventory"),
        ("judged", json!({"day": "2030-01-01", "as_of": null, "status": null}), "another day or scope"),
    ] {
        let told = list(&|m| m[key] = value.clone());
        assert!(told.contains(&format!("MANIFEST.json names {said} than the certificate")), "{told}");
    }
    let said = list(&|m| {
        let first = m["entries"][0].clone();
        m["entries"].as_array_mut().unwrap().push(first);
    });
    assert!(said.contains(" is listed twice"), "{said}");
    let said = list(&|m| m["entries"][0]["name"] = json!("other.yaml"));
    assert!(said.contains("is not the place of other.yaml"), "{said}");
    let said = list(&|m| {
        let at = member(m, "policies/core/policy.yaml");
        m["entries"][at]["kind"] = json!("policy");
    });
    assert!(said.contains("is not the place of"), "{said}");
    let said = forged(&|entries| {
        edit(entries, "MANIFEST.json", |m| {
            let at = member(m, "certificate.json");
            m["entries"].as_array_mut().unwrap().remove(at);
        });
        entries.retain(|(name, _)| name != "certificate.json");
    });
    assert!(said.contains("certificate.json is not among what is listed"), "{said}");
    let said = forged(&|entries| {
        edit(entries, "MANIFEST.json", |m| {
            let mut more = m["entries"][member(m, "reports/report.txt")].clone();
            more["entry"] = json!("reports/more.txt");
            more["name"] = json!("more.txt");
            m["entries"].as_array_mut().unwrap().push(more);
        });
        entries.push(("reports/more.txt".to_owned(), b"all is well\n".to_vec()));
    });
    assert!(said.contains("reports/more.txt is no report of this version"), "{said}");
}

#[test]
fn a_policy_of_ones_own_under_the_name_of_a_pack_is_told() {
    let folder = place("open-banking");
    let core =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/core/policy.yaml")).unwrap();
    let own = folder.path().join("own/policies/core");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("policy.yaml"), core + "# milder\n").unwrap();
    let archive = bundle(folder.path(), &["in", "--policy", "own"]);
    let (code, said, _) = verify(&archive, &[]);
    assert_eq!(code, 1);
    assert!(said.contains("which does not come with the program"), "{said}");
    assert!(said.contains("the policy `core` is not the one that comes with this version"), "{said}");
    let (code, said, _) = verify(&archive, &["--policy", "core"]);
    assert!(code == 1 && said.contains("`--policy` names a policy that was not applied"), "{said}");
    // Its own file, or its entry, says that it is the one meant.
    let named = own.join("policy.yaml");
    assert_eq!(verify(&archive, &["--policy", named.to_str().unwrap()]).0, 0);
    assert_eq!(verify(&archive, &["--policy", "policies/policies/core/policy.yaml"]).0, 0);
}

#[test]
fn the_inventory_here_is_held_against_that_in_the_bundle() {
    let archive = open_banking();
    let folder = place("open-banking");
    let here = folder.path().join("in");
    let path = here.to_str().unwrap();
    assert_eq!(verify(&archive, &[path]).0, 0);
    assert_eq!(verify(&archive, &[path, "--policy", "core"]).0, 0);
    assert_eq!(verify(&archive, &[path, "--quiet"]).1, "");
    let (code, said, _) = verify(&archive, &[path, "--policy", "gdpr"]);
    assert!(code == 1 && said.contains("`--policy` names a policy that was not applied"), "{said}");
    assert!(said.contains("policies/core/policy.yaml was applied, and `--policy` does not name"), "{said}");
    fs::write(here.join("more.yaml"), "waivers: []\n").unwrap();
    let text = fs::read_to_string(here.join("parties.yaml")).unwrap();
    fs::write(here.join("parties.yaml"), text + "# changed\n").unwrap();
    let (code, said, _) = verify(&archive, &[path]);
    assert!(code == 1 && said.contains("not verified: more.yaml is read now, and was not then"), "{said}");
    assert!(said.contains("not verified: parties.yaml has changed"), "{said}");
    assert_eq!(verify(&archive, &["no/such/folder"]).0, 2);
}

#[test]
fn what_is_no_bundle_is_refused() {
    let archive = open_banking();
    for text in
        [&b""[..], b"PK", b"{}", &[0; 22], b"PK\x05\x06", &archive[..archive.len() - 1], &archive[1..]]
    {
        refused(text);
    }
    let comment = [&archive[..archive.len() - 2], &[1, 0, b'x']].concat();
    refused(&comment);
    refused(&[&archive[..], &[0]].concat());
    refused(&[&[0], &archive[..]].concat());
    let entry = |name: &str, text: &str| Raw::new(name, text.as_bytes());
    for name in ["/etc/x", "../x", "a/../x", "a//x", "./x", "a\\x", "c:x", "", "a/", "x\n", "\u{1b}[2J"] {
        let said = refused(&raw(&[entry("MANIFEST.json", "{}"), entry(name, "x")]));
        let expected = if name < "MANIFEST.json" { "is no name of a file" } else { "is no name" };
        assert!(said.contains(expected) && !said.contains('\u{1b}'), "{name}: {said}");
    }
    let said = refused(&raw(&[entry("b", ""), entry("a", "")]));
    assert!(said.contains("`a` stands at the wrong place"), "{said}");
    for (list, expected) in [
        ("", "cannot be read"),
        ("[", "cannot be read"),
        ("{\"bundle\": 2}", "it has version 2"),
        ("{\"bundle\": 1}", "cannot be read"),
    ] {
        let said = refused(&raw(&[entry("MANIFEST.json", list)]));
        assert!(said.contains(expected), "{said}");
    }
    let whole = unpack(&archive);
    let forged = |name: &str, bytes: &[u8]| {
        let mut entries = whole.clone();
        entries.iter_mut().find(|(own, _)| own == name).unwrap().1 = bytes.to_vec();
        relist(&mut entries);
        verify(&pack(&entries), &[])
    };
    for bytes in [&b"\xff"[..], b"a: \0"] {
        let (code, _, errors) = forged("inventory/parties.yaml", bytes);
        assert!(code == 2 && errors.contains("is no text in UTF-8"), "{errors}");
    }
    let (code, _, errors) = forged("inventory/parties.yaml", b"parties: 7\n");
    assert!(code == 2 && errors.contains("nothing was judged"), "{errors}");
    for name in ["certificate.json", "reports/report.json"] {
        for text in ["", "{}", "[[[", "{\"certificate\": 2}"] {
            let (code, _, errors) = forged(name, text.as_bytes());
            assert!(code == 2 && errors.contains(&format!("`{name}` cannot be read")), "{errors}");
        }
    }
}

#[test]
fn what_unpacks_to_more_than_it_says_is_refused() {
    let whole = unpack(&open_banking());
    let lying = |bytes: u32, name: &str| {
        let mut entries: Vec<Raw> = whole.iter().map(|(name, bytes)| Raw::new(name, bytes)).collect();
        let entry = entries.iter_mut().find(|entry| entry.name == name).unwrap();
        entry.bytes = entry.bytes.wrapping_add(bytes);
        raw(&entries)
    };
    for name in ["MANIFEST.json", "inventory/parties.yaml", "reports/report.html"] {
        for by in [1, u32::MAX] {
            let archive = lying(by, name);
            // The size that the head says is that of the list, or it is not.
            let (code, said, errors) = verify(&archive, &[]);
            assert!(
                code == 2 && errors.contains("is damaged") || code == 1 && said.contains(" bytes, and "),
                "{said}{errors}"
            );
        }
    }
    // A list that knows of the size, too.
    let mut entries = whole.clone();
    edit(&mut entries, "MANIFEST.json", |m| {
        let all = m["entries"].as_array_mut().unwrap();
        let own = all.iter_mut().find(|e| e["entry"] == "inventory/parties.yaml").unwrap();
        own["bytes"] = json!(own["bytes"].as_u64().unwrap() - 1);
    });
    let mut entries: Vec<Raw> = entries.iter().map(|(name, bytes)| Raw::new(name, bytes)).collect();
    entries.iter_mut().find(|entry| entry.name == "inventory/parties.yaml").unwrap().bytes -= 1;
    assert!(refused(&raw(&entries)).contains("`inventory/parties.yaml` is damaged"));
    // A bomb: 200 MB of nothing that say they are a few bytes.
    let bomb = compress_to_vec(&vec![b' '; 200 << 20], 9);
    let mut entries: Vec<Raw> = whole.iter().map(|(name, bytes)| Raw::new(name, bytes)).collect();
    let manifest = entries.iter_mut().find(|entry| entry.name == "MANIFEST.json").unwrap();
    manifest.deflated.clone_from(&bomb);
    assert!(refused(&raw(&entries)).contains("`MANIFEST.json` is damaged"));
    manifest_of(&mut entries, 200 << 20);
    assert!(refused(&raw(&entries)).contains("it is larger than 64 MiB"));
    // Entries that would be more than 4 GiB together are not unpacked at all.
    let mut entries: Vec<Raw> = whole.iter().map(|(name, bytes)| Raw::new(name, bytes)).collect();
    entries.iter_mut().for_each(|entry| entry.bytes = 1 << 30);
    assert!(refused(&raw(&entries)).contains("more than 4 GiB"));
    // What follows the end of what is deflated.
    let mut entries: Vec<Raw> = whole.iter().map(|(name, bytes)| Raw::new(name, bytes)).collect();
    entries[1].deflated.extend(b"hidden");
    assert!(refused(&raw(&entries)).contains("is damaged"));
}

fn manifest_of(entries: &mut [Raw], bytes: u32) {
    entries.iter_mut().find(|entry| entry.name == "MANIFEST.json").unwrap().bytes = bytes;
}

#[test]
fn no_bit_of_a_bundle_can_be_changed_and_nothing_cut_off() {
    use ringfence::testing::bundle::Bundle;
    let sound = |archive: &[u8]| {
        let bundle = Bundle::read(archive)?;
        // What is deflated can differ in bits that mean nothing to whoever unpacks it.
        Ok::<_, ringfence::testing::bundle::Unreadable>(
            bundle.failures()?.is_empty() && bundle.foreign()?.is_empty(),
        )
    };
    let sound = |archive: &[u8]| sound(archive).unwrap_or(false);
    let archive = open_banking();
    assert!(sound(&archive));
    for length in (0..archive.len()).step_by(97) {
        assert!(!sound(&archive[..length]), "cut at {length}");
    }
    let ends: Vec<usize> = ends_of_deflated(&archive);
    let begins_list = archive.len() - 1200;
    let flips = (0..archive.len()).flat_map(|at| {
        // Heads, list and end byte by byte; of what is deflated every fifth byte, and all bits of its
        // last byte, which need not mean anything.
        let bit = if at % 5 == 0 { at / 5 % 8 } else { at % 8 };
        let (near, last) = (at < 200 || at > begins_list, ends.contains(&at));
        let bits = match (last, near || at % 5 == 0) {
            (true, _) => 0..8,
            (_, true) => bit..bit + 1,
            _ => 0..0,
        };
        bits.map(move |bit| (at, bit))
    });
    let flips: Vec<(usize, usize)> = flips.collect();
    assert!((0..8).all(|bit| flips.iter().filter(|(_, own)| *own == bit).count() > 500));
    let archive = &archive;
    std::thread::scope(|scope| {
        for half in flips.chunks(flips.len().div_ceil(2)) {
            scope.spawn(move || {
                let mut changed = archive.clone();
                for &(at, bit) in half {
                    changed[at] ^= 1 << bit;
                    assert!(!sound(&changed), "bit {bit} of byte {at} of {}", archive.len());
                    changed[at] ^= 1 << bit;
                }
            });
        }
    });
}

/// The last byte of what each entry holds.
fn ends_of_deflated(archive: &[u8]) -> Vec<usize> {
    let number = |at: usize, length: usize| {
        archive[at..at + length].iter().rev().fold(0_usize, |n, &byte| n << 8 | usize::from(byte))
    };
    let end = archive.len() - 22;
    let mut at = number(end + 16, 4);
    (0..number(end + 10, 2))
        .map(|_| {
            let (size, name, local) = (number(at + 20, 4), number(at + 28, 2), number(at + 42, 4));
            at += 46 + name;
            local + 30 + name + size - 1
        })
        .collect()
}

#[test]
fn a_bundle_that_is_packed_anew_is_told_as_that() {
    let archive = open_banking();
    // Another level, the heads as they were.
    let entries = unpack(&archive);
    let mut others: Vec<Raw> = entries.iter().map(|(name, bytes)| Raw::new(name, bytes)).collect();
    others.iter_mut().zip(&entries).for_each(|(raw, (_, bytes))| raw.deflated = compress_to_vec(bytes, 1));
    let said = told(&raw(&others));
    assert!(
        said.contains("all 9 entries are not packed in the bytes") && said.contains("another program packed"),
        "{said}"
    );
    assert!(!said.contains("MANIFEST"), "{said}");
    // As other programs write heads: with the time at which it was packed.
    let mut timed = archive.clone();
    timed[10] ^= 1;
    let said = refused(&timed);
    assert!(said.contains("another program wrote or changed it: the head of `MANIFEST.json`"), "{said}");
}

#[test]
fn a_bundle_is_called_what_it_is() {
    let folder = place("open-banking");
    let at = folder.path();
    for name in ["b.tar", "b.tar.gz", "b.json", "b.7z"] {
        let (code, _, errors) = ringfence(at, &["audit", "-q", "--day", DAY, "--bundle", name, "in"]);
        assert!(code == 2 && errors.contains("a bundle is a ZIP archive"), "{name}: {errors}");
        assert!(!at.join(name).exists());
    }
    for name in ["b.zip", "B.ZIP", "bundle"] {
        assert!(ringfence(at, &["audit", "-q", "--day", DAY, "--bundle", name, "in"]).0 < 2, "{name}");
        assert_eq!(ringfence(at, &["verify", "--day", DAY, name]).0, 0, "{name}");
    }
    fs::rename(at.join("b.zip"), at.join("b.tar")).unwrap();
    let (code, _, errors) = ringfence(at, &["verify", "--day", DAY, "b.tar"]);
    assert!(code == 2 && errors.contains("its name says `.tar`"), "{errors}");
}

#[test]
fn it_is_written_whole_or_not_at_all() {
    let folder = place("open-banking");
    let at = folder.path();
    let call = |file: &str, more: &[&str]| {
        ringfence(at, &[&["audit", "-q", "--day", DAY, "--bundle", file][..], more, &["in"]].concat())
    };
    for (file, more) in [("no/such/folder/a.zip", &[][..]), ("in", &[]), ("in/parties.yaml", &[])] {
        let (code, _, errors) = call(file, more);
        assert!(code == 2 && errors.contains("error: "), "{file}: {errors}");
    }
    let (code, _, errors) = call("a", &["--certificate", "a"]);
    assert!(code == 2 && errors.contains("name a file for each"), "{errors}");
    assert!(!at.join("a").exists());
    fs::write(at.join("in/bad.yaml"), "parties: 7\n").unwrap();
    fs::write(at.join("a.zip"), "old").unwrap();
    assert_eq!(call("a.zip", &[]).0, 2);
    assert_eq!(fs::read(at.join("a.zip")).unwrap(), b"old");
    fs::remove_file(at.join("in/bad.yaml")).unwrap();
    assert!(call("a.zip", &[]).0 < 2);
    assert_eq!(verify(&fs::read(at.join("a.zip")).unwrap(), &[]).0, 0);
}

/// The baseline is a pipe: by the time it is read, the inventory has been.
#[cfg(unix)]
#[test]
fn a_file_that_changes_meanwhile_is_told() {
    use std::process::{Command, Stdio};
    for change in [true, false] {
        let folder = place("open-banking");
        let at = folder.path();
        assert_eq!(ringfence(at, &["baseline", "write", "--output", "known.yaml", "in"]).0, 0);
        let known = fs::read(at.join("known.yaml")).unwrap();
        assert!(Command::new("mkfifo").arg(at.join("pipe")).status().unwrap().success());
        let child = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .args(["audit", "-q", "--day", DAY, "--baseline", "pipe", "--bundle", "a.zip", "in"])
            .current_dir(at)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Opening waits for the reader.
        let mut pipe = fs::OpenOptions::new().write(true).open(at.join("pipe")).unwrap();
        if change {
            fs::write(at.join("in/parties.yaml"), "waivers: []\n").unwrap();
        }
        std::io::Write::write_all(&mut pipe, &known).unwrap();
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        if change {
            assert_eq!(output.status.code(), Some(2));
            assert!(errors.contains("`parties.yaml` has changed since it was read"), "{errors}");
            assert!(!at.join("a.zip").exists());
        } else {
            assert_eq!(output.status.code(), Some(0), "{errors}");
            assert_eq!(verify(&fs::read(at.join("a.zip")).unwrap(), &[]).0, 0);
        }
    }
}
