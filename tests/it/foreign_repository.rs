//! A repository of somebody else: whatever its settings, hooks, attributes, objects and names
//! ask for, nothing of it runs.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const INVENTORY: &str = "parties:\n  - {id: a, name: A, systems: [{id: s, purposes: [service], originates: [financial]}]}\n  \
    - {id: b, name: B, systems: [{id: t, purposes: [service]}]}\nflows:\n  - {id: f, from: a/s, to: b/t, data: [financial]}\n";

/// Every setting that names a program which some call of git runs.
const PROGRAMS: [&str; 27] = [
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.sshCommand",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.trap.command",
    "diff.trap.textconv",
    "filter.trap.clean",
    "filter.trap.smudge",
    "filter.trap.process",
    "merge.trap.driver",
    "gpg.program",
    "gpg.ssh.program",
    "interactive.diffFilter",
    "pager.rev-parse",
    "pager.ls-tree",
    "pager.for-each-ref",
    "sequence.editor",
    "trailer.trap.command",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack",
    "remote.origin.vcs",
    "web.browser",
];

struct Foreign {
    folder: TempDir,
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "core.fsmonitor=false"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Foreign {
    /// Two commits, and then all the traps.
    fn new() -> Self {
        let foreign = Foreign { folder: tempfile::tempdir().unwrap() };
        let at = foreign.at();
        fs::create_dir(at.join("in")).unwrap();
        fs::write(at.join("in/a.yaml"), INVENTORY).unwrap();
        git(at, &["init", "--quiet", "--initial-branch", "main"]);
        git(at, &["add", "-A"]);
        git(at, &["commit", "--quiet", "-m", "one"]);
        fs::write(at.join("in/a.yaml"), INVENTORY.replace("name: B", "name: C")).unwrap();
        fs::write(at.join(".gitattributes"), "* filter=trap diff=trap merge=trap\n").unwrap();
        git(at, &["add", "-A"]);
        git(at, &["commit", "--quiet", "-m", "two"]);
        foreign
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    /// What says that a trap has sprung.
    fn sprung(&self) -> PathBuf {
        self.at().join(".git/sprung")
    }

    fn trap(&self) -> PathBuf {
        let trap = self.at().join(".git/trap.sh");
        fs::write(&trap, format!("#!/bin/sh\necho \"$0 $*\" >> {}\n", self.sprung().display())).unwrap();
        fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
        trap
    }

    fn arm(&self) {
        let trap = self.trap();
        let name = trap.to_str().unwrap();
        let hooks = self.at().join(".git/traps");
        fs::create_dir(&hooks).unwrap();
        for folder in [hooks.clone(), self.at().join(".git/hooks")] {
            fs::create_dir_all(&folder).unwrap();
            for hook in ["post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"]
            {
                let _ = fs::remove_file(folder.join(hook));
                symlink(&trap, folder.join(hook)).unwrap();
            }
        }
        for key in PROGRAMS {
            git(self.at(), &["config", key, name]);
        }
        git(self.at(), &["config", "core.hooksPath", hooks.to_str().unwrap()]);
        git(self.at(), &["config", "filter.trap.required", "true"]);
        git(self.at(), &["config", "remote.origin.url", &format!("ext::{name}")]);
        git(self.at(), &["config", "protocol.ext.allow", "always"]);
        for alias in ["rev-parse", "ls-tree", "cat-file", "for-each-ref"] {
            git(self.at(), &["config", &format!("alias.{alias}"), &format!("!{name}")]);
        }
    }

    /// Runs the program; what is said on standard error. Nothing may have sprung.
    fn run(&self, folder: &str, wanted: i32, args: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .args(args)
            .current_dir(self.at().join(folder))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(wanted), "{args:?}: {said}");
        let sprung = fs::read_to_string(self.sprung()).unwrap_or_default();
        assert_eq!(sprung, "", "{args:?}");
        said
    }
}

#[test]
fn no_setting_hook_or_attribute_runs_anything() {
    let foreign = Foreign::new();
    foreign.arm();
    // The traps do spring where git is called as usual.
    let usual = Command::new("git").args(["status"]).current_dir(foreign.at()).output().unwrap();
    assert!(foreign.sprung().exists(), "{}", String::from_utf8_lossy(&usual.stderr));
    fs::remove_file(foreign.sprung()).unwrap();
    foreign.run(".", 0, &["diff", "git:HEAD~1", "git:HEAD", "--fail-on", "never"]);
    foreign.run(".", 0, &["diff", "git:HEAD~1", ".", "--fail-on", "never"]);
    foreign.run("in", 0, &["diff", "main", "a.yaml", "--fail-on", "never"]);
    foreign.run(".", 2, &["diff", "git:mian", "."]);
    foreign.run(".", 0, &["audit", ".", "--fail-on", "never"]);
}

#[test]
fn what_a_clone_does_not_hold_is_not_fetched() {
    let foreign = Foreign::new();
    foreign.arm();
    let at = foreign.at();
    for (key, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialCloneFilter", "blob:none"),
    ] {
        git(at, &["config", key, value]);
    }
    // `vcs` comes before the address.
    git(at, &["config", "--unset", "remote.origin.vcs"]);
    let blob = git(at, &["rev-parse", "HEAD~1:in/a.yaml"]);
    let object = at.join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(object).unwrap();
    let _ = fs::remove_file(foreign.sprung());
    let said = foreign.run(".", 2, &["diff", "git:HEAD~1", "git:HEAD"]);
    assert!(said.contains("this clone does not hold its content"), "{said}");
    // An older git knows no other way to forbid it.
    let older = Command::new("git")
        .args(["cat-file", "-p", &blob])
        .current_dir(at)
        .env("GIT_ALLOW_PROTOCOL", "none")
        .output()
        .unwrap();
    assert!(!older.status.success());
    assert_eq!(fs::read_to_string(foreign.sprung()).unwrap_or_default(), "");
}

#[test]
fn a_folder_that_poses_as_a_repository_is_none() {
    let foreign = Foreign::new();
    let bare = foreign.at().join("in/bare");
    git(foreign.at(), &["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    let trap = foreign.trap();
    fs::write(
        bare.join("config"),
        format!("[core]\n\tbare = false\n\tworktree = ..\n\tfsmonitor = {}\n", trap.display()),
    )
    .unwrap();
    fs::write(bare.join("a.yaml"), INVENTORY).unwrap();
    foreign.run("in/bare", 2, &["diff", "git:HEAD", "."]);
}

#[test]
fn odd_revisions_and_paths_are_names() {
    let foreign = Foreign::new();
    foreign.arm();
    let _ = fs::remove_file(foreign.sprung());
    let trap = foreign.at().join(".git/trap.sh").display().to_string();
    let before = fs::read_dir(foreign.at()).unwrap().count();
    for name in [
        "--upload-pack=TRAP",
        "--output=stolen",
        "-o",
        "--git-dir=/tmp",
        "--exec=TRAP",
        "--all",
        "--not",
        "--stdin",
        "--batch",
        "-ctrap",
        "--parseopt",
        "--help",
        "--path-format=absolute",
        "$(TRAP)",
        "`TRAP`",
        "; TRAP",
        "|TRAP",
        "!TRAP",
        "^HEAD",
        "HEAD..main",
        "HEAD^@",
        "main\nHEAD",
        "HEAD --output=stolen",
        "@{upstream}",
        ":/two;TRAP",
        "ext::TRAP",
    ] {
        let name = name.replace("TRAP", &trap);
        foreign.run(".", 2, &["diff", &format!("git:{name}"), "git:HEAD"]);
        foreign.run(".", 2, &["diff", "git:HEAD", &format!("git:{name}")]);
        foreign.run(".", 2, &["diff", "--", &name, "."]);
        foreign.run(".", 2, &["diff", &format!("git:HEAD:{name}"), "git:HEAD"]);
    }
    assert_eq!(fs::read_dir(foreign.at()).unwrap().count(), before);
}

#[test]
fn settings_write_reports_in_their_folder_alone() {
    let foreign = Foreign::new();
    let at = foreign.at();
    let outside = tempfile::tempdir().unwrap();
    let precious = outside.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    fs::write(at.join("in/precious"), "precious").unwrap();
    symlink(outside.path(), at.join("in/away")).unwrap();
    symlink(&precious, at.join("in/link")).unwrap();
    for file in [
        precious.to_str().unwrap(),
        "../precious",
        "a/../../precious",
        "away/precious",
        "link",
        ".git/config",
        "../.git/hooks/post-checkout",
        ".GIT/config",
    ] {
        fs::write(at.join("in/ringfence.yaml"), format!("reports: {{text: '{file}'}}\n")).unwrap();
        let said = foreign.run(".", 2, &["audit", "in"]);
        assert!(said.contains("error[report-elsewhere]: a report would be written "), "{file}: {said}");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    }
    for file in ["report.txt", "./out.txt", "precious"] {
        fs::write(
            at.join("in/ringfence.yaml"),
            format!("reports: {{text: '{file}'}}\nfail_on: never\nexclude: away\n"),
        )
        .unwrap();
        foreign.run(".", 0, &["audit", "in"]);
        assert!(fs::read_to_string(at.join("in").join(file)).unwrap().contains("PASS"));
    }
    // Who calls may write anywhere.
    foreign.run(".", 0, &["audit", "in", "--report", &format!("text={}", precious.display())]);
    assert!(fs::read_to_string(&precious).unwrap().contains("PASS"));
}
