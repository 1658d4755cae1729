//! Where reports go: where they were asked to go, and never where a link of the checkout leads.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const INVENTORY: &str = "\
parties: [{id: a, name: A, role: bank, systems: [{id: s, originates: [financial], purposes: [service]}, \
{id: t, purposes: [service]}]}]
flows: [{id: f, from: a/s, to: a/t, data: [financial], retention: 1d}]
";

/// A checkout with an inventory, and a file beside it that nobody asked to write.
fn checkout(repository: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("repo/inv")).unwrap();
    if repository {
        fs::create_dir(folder.path().join("repo/.git")).unwrap();
    }
    fs::write(folder.path().join("repo/inv/a.yaml"), INVENTORY).unwrap();
    fs::create_dir(folder.path().join("outside")).unwrap();
    fs::write(folder.path().join("outside/file"), "untouched").unwrap();
    fs::write(folder.path().join("repo/other"), "untouched").unwrap();
    folder
}

/// The exit code and what stands on standard error.
fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    let output = command.current_dir(folder).args(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// All ways to have a file written, each with the file for its last argument.
const CALLS: [&[&str]; 8] = [
    &["audit", "inv", "--format", "sarif", "--output"],
    &["audit", "inv", "--report", "sarif="],
    &["audit", "inv", "--certificate"],
    &["audit", "inv", "--bundle"],
    &["diff", "inv", "inv", "--output"],
    &["promises", "inv", "--output"],
    &["graph", "inv", "--output"],
    &["baseline", "write", "inv", "--output"],
];

fn call(args: &[&str], file: &str) -> Vec<String> {
    let mut args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    match args.last_mut().filter(|last| last.ends_with('=')) {
        Some(last) => last.push_str(file),
        None => args.push(file.to_owned()),
    }
    args
}

#[test]
fn no_file_is_written_through_a_link_of_the_checkout() {
    for repository in [true, false] {
        let folder = checkout(repository);
        let repo = folder.path().join("repo");
        symlink("other", repo.join("link")).unwrap();
        symlink("../outside/file", repo.join("out")).unwrap();
        symlink("../outside", repo.join("folder")).unwrap();
        symlink("inv/a.yaml", repo.join("declared.json")).unwrap();
        symlink("/dev/full", repo.join("device")).unwrap();
        symlink("nowhere", repo.join("dangling")).unwrap();
        let absolute = repo.join("link").to_str().unwrap().to_owned();
        for args in CALLS {
            for file in
                ["link", "out", "folder/new", "folder/file", "declared.json", "device", "dangling", &absolute]
            {
                let args = call(args, file);
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let (code, said) = run(&repo, &args);
                assert_eq!(code, Some(2), "{args:?}: {said}");
                let refused = said.contains("no file is written through a link of a checkout");
                let otherwise = ["is no baseline", "a bundle is a ZIP archive"];
                assert!(refused || otherwise.iter().any(|why| said.contains(why)), "{args:?}: {said}");
            }
        }
        for file in ["repo/other", "outside/file"] {
            assert_eq!(fs::read_to_string(folder.path().join(file)).unwrap(), "untouched");
        }
        assert_eq!(fs::read_to_string(repo.join("inv/a.yaml")).unwrap(), INVENTORY);
        assert_eq!(fs::read_dir(folder.path().join("outside")).unwrap().count(), 1);
        assert!(!repo.join("nowhere").exists());
    }
}

#[test]
fn settings_write_through_no_link_either() {
    let folder = checkout(true);
    let repo = folder.path().join("repo");
    fs::write(repo.join("ringfence.yaml"), "reports: {sarif: out.sarif}\n").unwrap();
    symlink("other", repo.join("out.sarif")).unwrap();
    assert_eq!(run(&repo, &["audit", "inv"]).0, Some(2));
    fs::write(repo.join("ringfence.yaml"), "baseline: known.json\n").unwrap();
    symlink("new.json", repo.join("known.json")).unwrap();
    let (code, said) = run(&repo, &["baseline", "write", "inv"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(!repo.join("new.json").exists());
    assert_eq!(fs::read_to_string(repo.join("other")).unwrap(), "untouched");
}

#[test]
fn links_of_the_user_lead_where_they_lead() {
    let folder = checkout(true);
    let repo = folder.path().join("repo");
    fs::create_dir(folder.path().join("reports")).unwrap();
    symlink("reports", folder.path().join("mine")).unwrap();
    symlink("2026.json", folder.path().join("reports/latest.json")).unwrap();
    let (code, said) = run(&repo, &["audit", "inv", "--format", "json", "--output", "../mine/latest.json"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(fs::symlink_metadata(folder.path().join("reports/latest.json")).unwrap().is_symlink());
    assert!(fs::read_to_string(folder.path().join("reports/2026.json")).unwrap().starts_with('{'));
    // The rule on YAML looks at what a link leads to.
    fs::write(folder.path().join("reports/x.yaml"), "parties: []\n").unwrap();
    symlink("x.yaml", folder.path().join("reports/x.json")).unwrap();
    let (code, said) = run(&repo, &["audit", "inv", "--output", "../mine/x.json"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("is a YAML file and is not overwritten"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("reports/x.yaml")).unwrap(), "parties: []\n");
}

#[test]
fn standard_output_by_its_path_is_standard_output() {
    let folder = checkout(true);
    let repo = folder.path().join("repo");
    let args = ["audit", "inv", "--format", "json", "--output", "/dev/stdout"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    let piped = command.current_dir(&repo).args(args).output().unwrap();
    assert!(piped.stdout.starts_with(b"{"), "{}", String::from_utf8_lossy(&piped.stderr));
    // Into a file that the shell opened, behind what it holds.
    let mut file = fs::File::create(folder.path().join("log")).unwrap();
    std::io::Write::write_all(&mut file, b"before\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    let status = command.current_dir(&repo).args(args).stdout(Stdio::from(file)).status().unwrap();
    assert!(status.success());
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.starts_with("before\n{"), "{log:.40}");
}

#[test]
fn two_reports_to_one_file_are_refused_however_it_is_named() {
    let folder = checkout(true);
    let repo = folder.path().join("repo");
    for (one, two) in [("x.json", "./x.json"), ("x.json", "inv/../x.json")] {
        let (code, said) = run(&repo, &["audit", "inv", "--report", &format!("json={one}"), "--output", two]);
        assert_eq!(code, Some(2));
        assert!(said.contains("two reports would go to"), "{said}");
    }
}
