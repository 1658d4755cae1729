//! Certificates: those of true verdicts hold, and whatever is taken from one is missed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod faults;
mod judged;

use std::path::{Path, PathBuf};

use crate::naive::{generate, harness};
use assert_cmd::Command;
use judged::Judged;
use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

const SAMPLES: [&str; 4] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];
const PACKS: [&str; 8] = ["core", "glba", "cfpb-1033", "gdpr", "ccpa", "pci-dss", "psd2", "ftc-promises"];
const DAY: &str = "2026-01-01";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

impl Judged {
    /// Takes each finding from the outcome, as an engine that loses it would.
    fn losing_each(&self) -> Result<(), String> {
        for at in 0..self.audit.findings.len() {
            let mut audit = self.audit.clone();
            let lost = audit.findings.remove(at);
            if self.failures(&self.certificate_of(&audit)).is_empty() {
                return Err(format!("{} {} can be lost", lost.fingerprint, lost.rule));
            }
        }
        Ok(())
    }

    /// Takes each element from the certificate.
    fn missing_each(&self) -> Result<(), String> {
        let whole = self.certificate();
        for (what, pointer) in elements(&whole) {
            let mut broken = whole.clone();
            remove(&mut broken, &pointer);
            if self.failures(&broken).is_empty() {
                return Err(format!("{what} at {pointer} can be left out"));
            }
        }
        Ok(())
    }
}

/// Every element that must not be missing: flows of walks, systems of sets, starts and what
/// leads to targets, categories of sets, classes and parts.
fn elements(certificate: &Value) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let mut each = |what, pointer: String, list: &Value| {
        all.extend((0..list.as_array().unwrap().len()).map(|at| (what, format!("{pointer}/{at}"))));
    };
    for (f, finding) in certificate["findings"].as_array().unwrap().iter().enumerate() {
        for (w, walk) in finding["walks"].as_array().unwrap().iter().enumerate() {
            each("a flow of a walk", format!("/findings/{f}/walks/{w}"), walk);
        }
    }
    each("a part", "/parts".to_owned(), &certificate["parts"]);
    for (p, part) in certificate["parts"].as_array().unwrap().iter().enumerate() {
        let part_at = format!("/parts/{p}");
        for (s, set) in part["leaves"].as_array().unwrap().iter().enumerate() {
            each("a category", format!("{part_at}/leaves/{s}"), set);
        }
        for (t, stated) in part["under"].as_array().into_iter().flatten().enumerate() {
            each("what is under terms", format!("{part_at}/under/{t}/2"), &stated[2]);
        }
        sets_of(&part_at, part, &mut each);
        if part.get("apart").is_some() {
            each("terms that are followed apart", format!("{part_at}/apart"), &part["apart"]);
        }
        for (a, apart) in part["apart"].as_array().into_iter().flatten().enumerate() {
            sets_of(&format!("{part_at}/apart/{a}"), apart, &mut each);
        }
    }
    all
}

/// What leads to targets, and the classes, of a part or of terms that are followed apart.
fn sets_of(at: &str, part: &Value, each: &mut impl FnMut(&'static str, String, &Value)) {
    for (t, stated) in part["toward"].as_array().unwrap().iter().enumerate() {
        each("what leads to a target", format!("{at}/toward/{t}/2"), &stated[2]);
    }
    each("a class", format!("{at}/classes"), &part["classes"]);
    for (c, class) in part["classes"].as_array().unwrap().iter().enumerate() {
        for (s, starts) in class["starts"].as_array().unwrap().iter().enumerate() {
            each("an origin", format!("{at}/classes/{c}/starts/{s}/1"), &starts[1]);
        }
        for (s, stated) in class["sets"].as_array().unwrap().iter().enumerate() {
            each("what is held", format!("{at}/classes/{c}/sets/{s}/2"), &stated[2]);
        }
    }
}

fn remove(certificate: &mut Value, pointer: &str) {
    let (list, at) = pointer.rsplit_once('/').unwrap();
    let list = certificate.pointer_mut(list).unwrap().as_array_mut().unwrap();
    list.remove(at.parse().unwrap());
}

#[test]
fn certificates_of_all_samples_hold() {
    for sample in SAMPLES {
        for pack in PACKS {
            Judged::sample(sample, &[pack]).holds().unwrap_or_else(|why| panic!("{sample} {pack}: {why}"));
        }
    }
}

#[test]
fn certificates_of_random_worlds_hold() {
    let layout = prop_oneof![3 => Just(0_u64), 1 => 1..1000_u64];
    harness::try_all(
        harness::cases(150),
        (generate::world(), layout),
        |(world, layout)| format!("{}# layout {layout}", harness::show(world)),
        |(world, layout)| {
            let dir = tempfile::tempdir().unwrap();
            Judged::declared(world, dir.path(), *layout).holds()
        },
    );
}

#[test]
fn whatever_finding_is_lost_is_missed() {
    harness::try_all(harness::cases(40), generate::world(), harness::show, |world| {
        let dir = tempfile::tempdir().unwrap();
        Judged::declared(world, dir.path(), 0).losing_each()
    });
    Judged::sample("cambridge-analytica", &["core", "gdpr"]).losing_each().unwrap();
}

#[test]
fn whatever_is_left_out_of_a_certificate_is_missed() {
    harness::try_all(harness::cases(20), generate::world(), harness::show, |world| {
        let dir = tempfile::tempdir().unwrap();
        Judged::declared(world, dir.path(), 0).missing_each()
    });
    Judged::sample("cambridge-analytica", &["core"]).missing_each().unwrap();
    // Has terms that are followed apart.
    Judged::sample("messenger-banking", &["core"]).missing_each().unwrap();
}

/// What is said when a certificate of the sample is changed.
fn changed(judged: &Judged, change: impl Fn(&mut Value)) -> String {
    let mut certificate = judged.certificate();
    let whole = certificate.clone();
    change(&mut certificate);
    assert_ne!(certificate, whole);
    judged.failures(&certificate).join("\n")
}

#[test]
fn what_is_wrong_is_named() {
    let judged = Judged::sample("cambridge-analytica", &["core"]);
    let said = changed(&judged, |c| c["inventory"] = json!("0"));
    assert_eq!(said, "the inventory is another than when the certificate was written");
    let said = changed(&judged, |c| c["files"][0][1] = json!("0"));
    assert!(said.ends_with("has changed"), "{said}");
    let said = changed(&judged, |c| c["files"].as_array_mut().unwrap().clear());
    assert!(said.contains("policies/core/policy.yaml is read now, and was not then"), "{said}");
    let said = changed(&judged, |c| c["findings"][0]["fingerprint"] = json!("rf1:0000000000000000"));
    assert!(said.contains("has another fingerprint"), "{said}");
    let said = changed(&judged, |c| c["findings"][0]["waived"] = json!(true));
    assert!(said.contains("no waiver accepts it"), "{said}");
    let said = changed(&judged, |c| {
        c["findings"].as_array_mut().unwrap().remove(0);
    });
    assert!(said.contains("and is not listed"), "{said}");
    let said = changed(&judged, |c| c["findings"][0]["data"] = json!([]));
    assert!(said.contains("is listed without") || said.contains("prove"), "{said}");
    let said = changed(&judged, |c| c["findings"][0]["data"] = json!(["no.such.thing"]));
    assert!(said.contains("names something that is not declared"), "{said}");
    let said = changed(&judged, |c| c["parts"].as_array_mut().unwrap().retain(|p| p["rule"] != "terms"));
    assert!(said.contains("puts data under are not looked at"), "{said}");
    let said = changed(&judged, |c| c["parts"].as_array_mut().unwrap().retain(|p| p["rule"] == "terms"));
    assert!(said.contains("the certificate has no sets for it"), "{said}");
    let said = changed(&judged, |c| c["judged"]["status"] = json!(["proposed"]));
    assert!(!said.is_empty());
}

/// Every part's state numbers, one after the other raised: what is marked, at a distance, or
/// under terms is told apart from what is not.
#[test]
fn a_wrong_state_is_missed() {
    let judged = Judged::sample("messenger-banking", &["core"]);
    let whole = judged.certificate();
    let held = elements(&whole).into_iter().filter(|(what, _)| *what == "what is held");
    let sets: BTreeSet<String> = held.map(|(_, at)| at.rsplitn(3, '/').nth(2).unwrap().to_owned()).collect();
    assert!(sets.iter().any(|at| at.contains("/apart/")));
    for at in sets {
        let mut certificate = whole.clone();
        let state = certificate.pointer_mut(&format!("{at}/0")).unwrap();
        *state = json!(state.as_u64().unwrap() + 9);
        assert!(!judged.failures(&certificate).is_empty(), "{at}");
    }
}

#[test]
fn an_inventory_that_has_changed_is_missed() {
    let judged = Judged::sample("messenger-banking", &["core"]);
    let fenced = Judged::sample("messenger-banking-fenced", &["core"]);
    let failures = fenced.failures(&judged.certificate());
    assert!(failures.iter().any(|said| said.contains("the inventory is another")), "{failures:?}");
    // Whoever forges the digests, too, is betrayed by the sets.
    let mut forged = judged.certificate();
    for key in ["inventory", "files", "systems"] {
        forged[key] = fenced.certificate()[key].clone();
    }
    assert!(!fenced.failures(&forged).is_empty());
}

fn ringfence(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("ringfence").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_writes_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let (file, again) = (folder.path().join("a.json"), folder.path().join("b.json"));
    let (file, again) = (file.to_str().unwrap(), again.to_str().unwrap());
    let audit = |file| {
        let call = ["audit", "open-banking", "--day", DAY, "--quiet", "--certificate", file];
        ringfence(&samples(), &call).0
    };
    assert!(audit(file) < 2 && audit(again) < 2);
    assert_eq!(std::fs::read(file).unwrap(), std::fs::read(again).unwrap());
    let verify = ["verify", "--day", DAY, file, "open-banking"];
    let (code, said, errors) = ringfence(&samples(), &verify);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(said.starts_with("Verified: 5 findings"), "{said}");
    assert_eq!(said.matches("not covered: ").count(), ringfence::testing::certificate::NOT_COVERED.len());
    let (code, said, _) = ringfence(&samples(), &["verify", file, "cambridge-analytica"]);
    assert!(code == 1 && said.contains("not verified: the inventory is another"), "{said}");
    let (code, said, _) = ringfence(&samples(), &["verify", file, "open-banking", "--policy", "gdpr"]);
    assert!(code == 1 && said.contains("policies/gdpr/policy.yaml is read now"), "{said}");
    for text in ["", "{}", "[", "{\"certificate\": 2}"] {
        std::fs::write(again, text).unwrap();
        let (code, _, errors) = ringfence(&samples(), &["verify", again, "open-banking"]);
        assert!(code == 2 && errors.contains("cannot be read as a certificate of this version"), "{errors}");
    }
    assert_eq!(ringfence(&samples(), &["verify", "nowhere.json", "open-banking"]).0, 2);
}
