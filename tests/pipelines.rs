//! What services run: the installer. Run here with
//! what the service would give them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod pipeline;

use std::fs;

use pipeline::{BINARY, ROOT, Said, Shell, program};
use tempfile::TempDir;

/// A folder of releases with this build in it, and a machine to install it on.
struct Release {
    folder: TempDir,
    archive: String,
}

impl Release {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::new(folder.path()).env("ROOT", ROOT).env("PROGRAM", BINARY);
        let made = shell.run(
            "target=$(sh \"$ROOT/ci/install.sh\" --show-target)
             \"$ROOT/ci/package.sh\" v1.2.3 \"$target\" \"$PROGRAM\" releases/v1.2.3 >&2
             cd releases/v1.2.3
             if command -v sha256sum >/dev/null; then sha256sum ringfence-*; else shasum -a 256 ringfence-*; fi > SHA256SUMS
             echo ringfence-*",
        );
        assert_eq!(made.code, 0, "{}", made.err);
        // No cargo but this one, which builds nothing worth the name.
        program(
            &folder.path().join("bin"),
            "cargo",
            "echo \"$* in $PWD\" >> \"$HOME/cargo\"
             while [ \"$1\" != --root ]; do shift; done
             mkdir -p \"$2/bin\"
             printf '#!/bin/sh\\necho built\\n' > \"$2/bin/ringfence\"",
        );
        Release { folder, archive: made.out.trim().to_owned() }
    }

    fn install(&self, options: &str) -> Said {
        let shell = Shell::new(self.folder.path()).env("ROOT", ROOT).before(&self.folder.path().join("bin"));
        shell.run(&format!(
            "sh \"$ROOT/ci/install.sh\" --to \"$PWD/to\" --releases \"file://$PWD/releases\" {options}"
        ))
    }

    fn sums(&self) -> String {
        self.folder.path().join("releases/v1.2.3/SHA256SUMS").display().to_string()
    }

    /// Nothing lies where the program would.
    fn nothing(&self) -> bool {
        fs::read_dir(self.folder.path().join("to")).map_or(true, |entries| entries.count() == 0)
    }

    fn built(&self) -> String {
        fs::read_to_string(self.folder.path().join("cargo")).unwrap_or_default()
    }
}

#[test]
fn a_release_is_installed_if_its_checksum_is_right() {
    let release = Release::new();
    let said = release.install("--version v1.2.3");
    assert_eq!(said.code, 0, "{}", said.err);
    let installed = Shell::new(release.folder.path()).call(said.out.trim(), &["--version"]);
    assert!(installed.out.starts_with("ringfence "), "{installed:?}");
    assert_eq!(release.built(), "");
    let listed = Shell::new(release.folder.path()).run("tar -tzf releases/v1.2.3/*.tar.gz").out;
    for part in
        ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "man/ringfence-audit.1", "completions/ringfence.zsh"]
    {
        assert!(listed.contains(part), "{part}");
    }
}

#[test]
fn a_wrong_checksum_installs_nothing_and_builds_nothing() {
    let release = Release::new();
    fs::write(release.sums(), format!("{}  {}\n", "0".repeat(64), release.archive)).unwrap();
    for options in [
        "--version v1.2.3 --source \"$ROOT\"",
        &format!("--version v1.2.3 --git https://example.org --sha256 {}", "1".repeat(64)),
        // A checksum that is known holds even where there is no such release.
        &format!("--version v9.9.9 --source \"$ROOT\" --sha256 {}", "1".repeat(64)),
    ] {
        let said = release.install(options);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{options}");
        assert!(said.err.contains("nothing was installed"), "{}", said.err);
        assert!(release.nothing() && release.built().is_empty(), "{options}");
    }
}

#[test]
fn a_known_checksum_is_held_against_the_archive_alone() {
    let release = Release::new();
    let sum = fs::read_to_string(release.sums()).unwrap()[..64].to_uppercase();
    fs::remove_file(release.sums()).unwrap();
    let said = release.install(&format!("--version v1.2.3 --sha256 {sum}"));
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn without_a_release_the_source_is_built_away_from_the_working_folder() {
    let release = Release::new();
    for (options, wanted) in [
        ("--version v9.9.9 --source \"$ROOT\"", "--path ."),
        ("--version v9.9.9 --git https://example.org/r", "--git https://example.org/r --tag v9.9.9"),
        ("--source \"$ROOT\"", "--path ."),
    ] {
        fs::remove_file(release.folder.path().join("cargo")).ok();
        let said = release.install(options);
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(Shell::new(release.folder.path()).call(said.out.trim(), &[]).out, "built\n");
        let built = release.built();
        assert!(built.starts_with("install --locked") && built.contains(wanted), "{built}");
        assert!(!built.trim().ends_with(&format!("in {}", release.folder.path().display())), "{built}");
    }
    // A release that has no build for this machine.
    fs::write(release.sums(), format!("{}  another.tar.gz\n", "0".repeat(64))).unwrap();
    assert_eq!(release.install("--version v1.2.3 --source \"$ROOT\"").code, 0);
}

#[test]
fn an_installer_without_a_way_says_so() {
    let release = Release::new();
    for options in [
        "--version v9.9.9",
        "--version ../v1.2.3",
        "--version v1.2.3 --releases http://example.org",
        "--frobnicate yes",
        "--version",
    ] {
        let said = release.install(options);
        assert_eq!((said.code, release.nothing()), (1, true), "{options}: {}", said.err);
    }
}
