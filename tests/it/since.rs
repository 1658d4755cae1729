//! `audit --since`: what has changed since an earlier result.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const INVENTORY: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service], originates: [financial.transaction]}]}
  - {id: app, name: App, role: platform, systems: [{id: in, purposes: [service]}, {id: ads, purposes: [advertising]}]}
agreements:
  - {id: deal, parties: [bank, app], flows: [{id: tx, from: bank/core, to: app/in, data: [financial.transaction], consent: opt_in}]}
statements:
  - {id: no-ads, by: app, said: {quote: No ads.}, promise: {forbid: {data: [financial], to: {purpose: advertising}}}}
";
const LEAK: &str = "flows: [{id: leak, from: app/in, to: app/ads, data: [financial]}]\n";

fn audit(folder: &Path, inventory: &str, day: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    fs::create_dir_all(folder.join("inv")).unwrap();
    fs::write(folder.join("inv/i.yaml"), inventory).unwrap();
    let mut command = Command::cargo_bin("ringfence").unwrap();
    let out =
        command.current_dir(folder).args(["audit", "inv", "--day", day]).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn the_first_page_says_better_or_worse_and_which_promises() {
    let folder = tempfile::tempdir().unwrap();
    let html = |inventory: &str, day, since: &str| {
        audit(folder.path(), inventory, day, &["--format", "html", "--since", since]).1
    };
    let worse = format!("{INVENTORY}{LEAK}");
    audit(folder.path(), INVENTORY, "2026-10-01", &["--report", "json=before.json"]);
    audit(folder.path(), &worse, "2026-11-01", &["--report", "json=after.json"]);
    let page = html(&worse, "2026-11-01", "before.json");
    assert!(page.contains("Worse since the audit of 2026-10-01: "), "{page}");
    assert!(page.contains("Promises broken since: no-ads."));
    let page = html(INVENTORY, "2026-11-01", "after.json");
    assert!(
        page.contains("Better since the audit of 2026-11-01: ")
            && page.contains("Promises kept again: no-ads.")
    );
    assert!(
        html(&worse, "2026-11-02", "after.json")
            .contains("Nothing has changed since the audit of 2026-11-01")
    );
    assert!(
        !audit(folder.path(), &worse, "2026-11-01", &["--format", "html"]).1.contains("since the audit of")
    );
}

#[test]
fn a_file_that_is_no_earlier_result_is_an_error_and_nothing_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    audit(folder.path(), INVENTORY, "2026-10-01", &["--report", "json=later.json"]);
    let mut known = Command::cargo_bin("ringfence").unwrap();
    known
        .current_dir(folder.path())
        .args(["baseline", "write", "inv", "--output", "known.json"])
        .output()
        .unwrap();
    fs::write(folder.path().join("broken.json"), "{\"ringfence\": ").unwrap();
    let later = fs::read_to_string(folder.path().join("later.json")).unwrap();
    fs::write(
        folder.path().join("old.json"),
        later.replace("\"schema\": 2", "\"schema\": 1").replace("\"schema\":2", "\"schema\":1"),
    )
    .unwrap();
    for (file, words) in [
        ("none.json", "no result of `ringfence audit --format json`"),
        ("known.json", "no result of `ringfence audit --format json`"),
        ("broken.json", "no result of `ringfence audit --format json`"),
        ("old.json", "results of version 1 are not known"),
        ("later.json", "is of 2026-10-01, after the day judged, 2026-09-01"),
    ] {
        let (code, out, error) = audit(folder.path(), INVENTORY, "2026-09-01", &["--since", file]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{file}");
        assert!(error.contains(words) && error.contains(file), "{file}: {error}");
    }
}
