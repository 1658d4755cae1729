//! A gate that cannot be talked round: what BASE says decides what is judged of HEAD, and a change
//! of what judges is gated as an edit is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use ringfence::testing::config::Setting;
use ringfence::testing::fields::Class;
use ringfence::testing::packs;
use ringfence::testing::rule_keys::{KEYS, Stricter};
use ringfence::testing::settings::row;
use ringfence::vocabulary::Word;
use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_ringfence");

/// A bank's balance reaches an app for service.
pub const BASE: &str = "\
parties:
  - {id: bank, name: Bank, role: bank, systems: [{id: core, purposes: [service.account], originates: [financial.account]}]}
  - {id: app, name: App, role: platform, systems: [{id: chat, purposes: [service.messaging], retention: 30d}]}
agreements:
  - id: deal
    parties: [bank, app]
    terms: {purposes: [service], retention: 90d}
    flows: [{id: f, from: bank/core, to: app/chat, data: [financial.account.balance], purposes: [service.account.inquiry]}]
";

/// The same, and the balance is used for advertising.
fn leaking() -> String {
    BASE.replace("retention: 30d}", "retention: 30d}, {id: ads, purposes: [advertising.ranking]}")
        + "flows: [{id: leak, from: app/chat, to: app/ads, data: [financial], purposes: [advertising.ranking]}]\n"
}

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

/// Runs a command of a line, without a shell.
fn ringfence(folder: &Path, line: &str) -> Said {
    let output = Command::new(BINARY).args(line.split_whitespace()).current_dir(folder).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub type Tree<'t> = &'t [(&'t str, &'t str)];

fn write(folder: &Path, files: Tree) {
    for (name, text) in files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// A repository whose `main` holds the one, with the other on the branch `change`, checked out.
pub fn repository(base: Tree, head: Tree) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    git(at, &["init", "--quiet", "--initial-branch", "main"]);
    for (files, branch) in [(base, "change"), (head, "")] {
        for entry in fs::read_dir(at).unwrap().map(Result::unwrap).filter(|e| e.file_name() != ".git") {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        write(at, files);
        git(at, &["add", "-A"]);
        git(at, &["commit", "--quiet", "--allow-empty", "-m", "files"]);
        if !branch.is_empty() {
            git(at, &["checkout", "--quiet", "-b", branch]);
        }
    }
    folder
}

pub fn diff(folder: &Path, line: &str) -> Said {
    ringfence(folder, &format!("diff --day 2026-11-23 --format json {line}"))
}

/// The call finds the leak, or says that nothing was judged: it never passes.
fn finds(folder: &Path, line: &str) -> Said {
    let said = diff(folder, line);
    match said.code {
        1 => {
            let added = said.json()["findings"]["added"].to_string();
            assert!(added.contains("terms/purpose"), "{line}: {added}");
        }
        2 => assert!(said.err.contains("help:"), "{line}: {}", said.err),
        code => panic!("{line} passes with {code}: {}", said.out),
    }
    said
}

#[test]
fn a_head_that_says_where_its_inventory_lies_is_not_believed() {
    let leaking = leaking();
    let hidden = "inventory: inventory/public\n";
    // The old file stays in sight, the leak beside it.
    let moved =
        [("inventory/public/i.yaml", BASE), ("inventory/new/l.yaml", LEAK), ("ringfence.yaml", hidden)];
    let plain = repository(&[("inventory/i.yaml", BASE)], &moved);
    for call in ["git:main git:HEAD", "git:main .", "main change", "git:main:. git:HEAD:.", "git:main ./"] {
        assert_eq!(finds(plain.path(), call).code, 1, "{call}");
    }
    for call in ["git:main:inventory git:HEAD:inventory", "git:main inventory", "git:main:inventory git:HEAD"]
    {
        assert_eq!(finds(plain.path(), call).code, 1, "{call}");
    }
    // Settings in BASE that do not say where.
    let base = [("inventory/i.yaml", BASE), ("ringfence.yaml", "fail_on: high\n")];
    let silent = repository(&base, &moved);
    for call in ["git:main git:HEAD", "git:main .", "git:main inventory"] {
        assert_eq!(finds(silent.path(), call).code, 1, "{call}");
    }
    // Settings in BASE that say where, and HEAD's edit of them.
    let base = [("inventory/i.yaml", BASE), ("ringfence.yaml", "inventory: inventory\n")];
    let edited = repository(&base, &moved);
    for call in
        ["git:main git:HEAD", "git:main .", "git:main inventory", "git:main:inventory git:HEAD:inventory"]
    {
        assert_eq!(finds(edited.path(), call).code, 1, "{call}");
    }
    // A list of inventories, with the folder form, too.
    let base = [
        ("inventory/a/i.yaml", BASE),
        ("inventory/b/j.yaml", "parties: []\n"),
        ("ringfence.yaml", "inventory: [inventory/a, inventory/b]\n"),
    ];
    let head = [
        ("inventory/a/i.yaml", BASE),
        ("inventory/b/j.yaml", LEAK),
        ("ringfence.yaml", "inventory: [inventory/a]\n"),
    ];
    let list = repository(&base, &head);
    for call in
        ["git:main git:HEAD", "git:main .", "git:main:inventory git:HEAD:inventory", "git:main inventory"]
    {
        assert_eq!(finds(list.path(), call).code, 1, "{call}");
    }
    assert!(leaking.contains("leak"));
}

/// A file of its own that brings the leak.
const LEAK: &str = "\
parties:
  - {id: broker, name: Broker, role: data_broker, systems: [{id: ads, purposes: [advertising.ranking]}]}
agreements:
  - id: side
    parties: [app, broker]
    flows: [{id: leak, from: app/chat, to: broker/ads, data: [financial], purposes: [advertising.ranking]}]
";

#[test]
fn settings_nested_in_the_inventory_shift_nothing() {
    let nested = "inventory: public\n";
    let head = [
        ("inventory/i.yaml", BASE),
        ("inventory/public/p.yaml", "parties: []\n"),
        ("inventory/l.yaml", LEAK),
        ("inventory/ringfence.yaml", nested),
    ];
    // In HEAD alone.
    let alone = repository(&[("inventory/i.yaml", BASE)], &head);
    for call in ["git:main:inventory git:HEAD:inventory", "git:main inventory", "git:main git:HEAD:inventory"]
    {
        assert_eq!(finds(alone.path(), call).code, 1, "{call}");
    }
    for call in ["git:main git:HEAD", "git:main ."] {
        finds(alone.path(), call);
    }
    // Below settings of BASE that lie above.
    let base = [("inventory/i.yaml", BASE), ("ringfence.yaml", "inventory: inventory\n")];
    let mut both = head.to_vec();
    both.push(("ringfence.yaml", "inventory: inventory\n"));
    let below = repository(&base, &both);
    for call in
        ["git:main git:HEAD", "git:main .", "git:main:inventory git:HEAD:inventory", "git:main inventory"]
    {
        finds(below.path(), call);
    }
    // In both, and HEAD shifts what BASE's own mean.
    let base = [
        ("inventory/all/i.yaml", BASE),
        ("inventory/public/p.yaml", "parties: []\n"),
        ("inventory/ringfence.yaml", "inventory: all\n"),
    ];
    let head = [
        ("inventory/all/i.yaml", BASE),
        ("inventory/all/l.yaml", LEAK),
        ("inventory/public/p.yaml", "parties: []\n"),
        ("inventory/ringfence.yaml", nested),
    ];
    let shifted = repository(&base, &head);
    for call in ["git:main:inventory git:HEAD:inventory", "git:main inventory", "git:main:inventory git:HEAD"]
    {
        assert_eq!(finds(shifted.path(), call).code, 1, "{call}");
    }
    // Settings of HEAD one level up or down map nothing elsewhere.
    let base = [("p/inventory/i.yaml", BASE), ("p/ringfence.yaml", "inventory: inventory\n")];
    let head = [
        ("p/inventory/i.yaml", BASE),
        ("p/inventory/l.yaml", LEAK),
        ("p/inventory/inventory/i.yaml", "parties: []\n"),
        ("p/inventory/ringfence.yaml", "inventory: inventory\n"),
        ("p/ringfence.yaml", "inventory: inventory/inventory\n"),
    ];
    let mapped = repository(&base, &head);
    for call in ["git:main:p git:HEAD:p", "git:main p", "git:main:p/inventory git:HEAD:p/inventory"] {
        finds(mapped.path(), call);
    }
}

#[test]
fn two_folders_are_compared_by_the_settings_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, &[("old/decl/i.yaml", BASE), ("old/ringfence.yaml", "inventory: decl\n")]);
    write(
        at,
        &[
            ("new/decl/i.yaml", BASE),
            ("new/decl/l.yaml", LEAK),
            ("new/public/i.yaml", BASE),
            (
                "new/ringfence.yaml",
                "inventory: public\nexclude: [l.yaml]\npolicies: [none.yaml]\nfail_on: never\n",
            ),
            ("new/none.yaml", "policy: none\nrules: []\n"),
        ],
    );
    for call in ["old new", "./old ./new", "old/ new/", "old/../old new/decl/.."] {
        assert_eq!(finds(at, call).code, 1, "{call}");
    }
    let there = fs::canonicalize(at).unwrap();
    let call = format!("{} {}", there.join("old").display(), there.join("new").display());
    assert_eq!(finds(at, &call).code, 1);
}

#[test]
fn a_folder_that_is_renamed_can_be_compared_and_every_help_works() {
    let mine = "\
parties:
  - {id: me, name: Me, systems: [{id: x, purposes: [service], originates: [device]}, {id: y, purposes: [service]}]}
flows: [{id: f, from: me/x, to: me/y, data: [device]}]
";
    let base = [("inventory/i.yaml", mine), ("ringfence.yaml", "inventory: inventory\n")];
    let head = [("privacy/i.yaml", mine), ("ringfence.yaml", "inventory: privacy\n")];
    let renamed = repository(&base, &head);
    let at = renamed.path();
    for call in [
        "git:main git:HEAD:privacy",
        "git:main:inventory git:HEAD:privacy",
        "git:main privacy",
        "git:main:inventory privacy",
        "git:main git:HEAD --trust-head",
        "git:main:inventory git:HEAD:privacy --trust-head",
    ] {
        let said = diff(at, call);
        let json = said.json();
        assert_eq!(said.code, 0, "{call} {}", said.err);
        assert_eq!(json["head"]["inventory"]["flows"], 1, "{call}");
        assert_eq!(json["edits"], Value::Array(vec![]), "{call}");
        let changed = json["untrusted"].to_string();
        assert!(changed.contains("`inventory` is `privacy` and was `inventory`"), "{call} {changed}");
    }
    for call in ["git:main git:HEAD", "git:main .", "git:main:inventory git:HEAD", ". git:main"] {
        helped(at, call);
    }
    // A file that was left behind does not hide that the others were moved.
    let base = [
        ("inventory/i.yaml", mine),
        ("inventory/notes.yaml", ""),
        ("ringfence.yaml", "inventory: inventory\n"),
    ];
    for settings in ["inventory: privacy\n", "inventory: inventory\n"] {
        let head = [("privacy/i.yaml", mine), ("inventory/notes.yaml", ""), ("ringfence.yaml", settings)];
        let left_behind = repository(&base, &head);
        for call in ["git:main git:HEAD", "git:main .", "git:main:inventory git:HEAD"] {
            helped(left_behind.path(), call);
        }
    }
    // Without settings, and the other way round.
    let bare = repository(&[("old/i.yaml", mine)], &[("new/i.yaml", mine)]);
    for call in ["git:main new", "git:main:old git:HEAD", "git:main git:HEAD:new", "new git:main"] {
        helped(bare.path(), call);
    }
    // Projects in folders of their own.
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("old/a/i.yaml", mine), ("old/ringfence.yaml", "inventory: a\n")]);
    write(folder.path(), &[("new/b/i.yaml", mine), ("new/ringfence.yaml", "inventory: b\n")]);
    helped(folder.path(), "old new");
    // Several inventories, of which one is renamed.
    let base = [("a/i.yaml", mine), ("b/j.yaml", "parties: []\n"), ("ringfence.yaml", "inventory: [a, b]\n")];
    let head = [("a/i.yaml", mine), ("c/j.yaml", "parties: []\n"), ("ringfence.yaml", "inventory: [a, c]\n")];
    let several = repository(&base, &head);
    let said = diff(several.path(), "git:main git:HEAD");
    assert!(said.code == 2 && said.err.contains("--trust-head"), "{}", said.err);
    assert_eq!(diff(several.path(), "git:main git:HEAD --trust-head").code, 0);
}

/// A call that cannot find a folder names one that can.
fn helped(at: &Path, call: &str) {
    let said = diff(at, call);
    assert_eq!(said.code, 2, "{call} {}", said.out);
    let help = said.err.split("help:").nth(1).unwrap_or_else(|| panic!("{call}: {}", said.err));
    let written = help.split('`').nth(1).unwrap_or_else(|| panic!("{call}: {help}"));
    let better = match written.strip_prefix("ringfence diff ") {
        Some(both) => both.to_owned(),
        None => {
            let mut sides: Vec<&str> = call.split(' ').collect();
            // The state that has no such folder is the one that is named.
            let at = usize::from(!said.err.contains(&format!("{} has no", sides[0])));
            sides[at] = written;
            sides.join(" ")
        }
    };
    let again = diff(at, &better);
    assert_eq!(again.code, 0, "{call}: {help}: {better}: {}", again.err);
    assert_eq!(again.json()["edits"], Value::Array(vec![]), "{better}");
}

#[cfg(unix)]
#[test]
fn a_change_reads_nothing_outside_of_its_repository() {
    use std::os::unix::fs::symlink;
    let secret = tempfile::tempdir().unwrap();
    write(secret.path(), &[("token", "TOKEN=s3cret: [\n"), ("i.yaml", BASE)]);
    let token = secret.path().join("token").display().to_string();
    let base = [("inventory/i.yaml", BASE), ("ringfence.yaml", "inventory: inventory\n")];
    for settings in [
        format!("inventory: inventory\npolicies: [{token}]\n"),
        format!("inventory: [inventory, {token}]\n"),
        format!("inventory: inventory\nbaseline: {token}\n"),
        format!("inventory: inventory\npolicies: [../{}]\n", "../".repeat(12) + &token),
    ] {
        let head = [("inventory/i.yaml", BASE), ("ringfence.yaml", settings.as_str())];
        let repository = repository(&base, &head);
        let said = diff(repository.path(), "git:main git:HEAD");
        assert_eq!(said.code, 2, "{settings}: {}", said.out);
        assert!(said.err.contains("leads out of the repository"), "{}", said.err);
        assert!(said.err.contains("ringfence.yaml:"), "{}", said.err);
        for call in
            ["git:main git:HEAD", "git:main .", "git:main . --trust-head", "git:main git:HEAD --trust-head"]
        {
            let said = diff(repository.path(), call);
            // Who trusts the head has the disk read that it names.
            let trusted = call == "git:main . --trust-head";
            assert!(trusted || !(said.out + &said.err).contains("s3cret"), "{call} {settings}");
        }
    }
    // The base's settings lead nowhere else either, and folders of the call are of the repository.
    let outside =
        repository(&[("inventory/i.yaml", BASE), ("ringfence.yaml", "policies: [../p.yaml]\n")], &base);
    assert!(diff(outside.path(), "git:main git:HEAD").err.contains("`--policy FILE`"));
    let plain = repository(&base, &base);
    let said = diff(plain.path(), "git:main git:HEAD:../..");
    assert!(said.code == 2 && said.err.contains("leads out of the repository"), "{}", said.err);
    // A folder that has become a link, or a repository of its own with a `main` of its own.
    fs::remove_dir_all(plain.path().join("inventory")).unwrap();
    symlink(secret.path(), plain.path().join("inventory")).unwrap();
    for call in ["git:main inventory", "git:main ."] {
        let said = diff(plain.path(), call);
        assert!(said.code == 2 && said.err.contains("leads out of the repository"), "{call} {}", said.err);
    }
    let own = repository(&[("i.yaml", &leaking())], &[("i.yaml", &leaking())]);
    fs::remove_file(plain.path().join("inventory")).unwrap();
    fs::rename(own.path(), plain.path().join("inventory")).unwrap();
    let said = finds(plain.path(), "git:main inventory");
    assert_eq!(said.code, 1, "the base is that of the working folder's repository: {}", said.err);
    fs::rename(plain.path().join("inventory"), own.path()).unwrap();
}

#[test]
fn settings_of_the_head_do_not_judge_it_beside_a_result() {
    let head = [
        ("inventory/i.yaml", BASE),
        ("inventory/l.yaml", LEAK),
        (
            "ringfence.yaml",
            "inventory: inventory\nexclude: [l.yaml]\nfail_on: never\npolicies: [none.yaml]\n",
        ),
        (".policies/none.yaml", "policy: none\nrules: []\n"),
    ];
    let folder = repository(&[("inventory/i.yaml", BASE)], &head);
    let at = folder.path();
    git(at, &["checkout", "--quiet", "main"]);
    let written = ringfence(at, "audit inventory --day 2026-11-23 --format json --output before.json");
    assert_eq!(written.code, 0, "{}", written.err);
    git(at, &["checkout", "--quiet", "change"]);
    for call in
        ["before.json git:HEAD", "before.json inventory", "before.json git:HEAD:inventory", "before.json ."]
    {
        assert_eq!(finds(at, call).code, 1, "{call}");
    }
}

/// Calls under the strictest gate.
const STRICT: &str = "git:main git:HEAD --fail-on-widening --fail-on never";

#[test]
fn a_change_of_settings_is_gated_as_an_edit_is() {
    let house = "policy: house\nrules:\n  - {id: r, forbid: {data: [social], to: {party: app}}}\n";
    let settings = "inventory: inventory\npolicies: [core, house.yaml]\nfail_on: medium\nbaseline: known.json\nreports: {sarif: out.sarif}\n";
    let none = "{\"baseline\": 1, \"findings\": []}";
    let one = "{\"baseline\": 1, \"findings\": [{\"finding\": \"rf1:0123456789abcdef\", \"rule\": \"a/b\"}]}";
    let base = [
        ("inventory/i.yaml", BASE),
        ("inventory/partner/p.yaml", "parties: []\n"),
        ("house.yaml", house),
        ("known.json", one),
        ("ringfence.yaml", settings),
    ];
    let gated = |said: &Said| {
        let json = said.json();
        let gates = json["summary"]["settings"].as_u64().unwrap();
        (said.code, gates > 0)
    };
    let try_one = |name: &str, text: &str| {
        let mut head = base.to_vec();
        head.retain(|(file, _)| *file != name);
        if !text.is_empty() {
            head.push((name, text));
        }
        let repository = repository(&base, &head);
        let plain = diff(repository.path(), "git:main git:HEAD");
        assert_eq!(plain.code, 0, "{name} {text}: {}", plain.err);
        let said = diff(repository.path(), STRICT);
        let words = ringfence(repository.path(), &format!("diff --day 2026-11-23 {STRICT}"));
        let page = ringfence(repository.path(), &format!("diff --format markdown --day 2026-11-23 {STRICT}"));
        assert_eq!((words.code, page.code), (said.code, said.code));
        let (code, gates) = gated(&said);
        assert_eq!(code == 1, gates, "{name} {text}: {}", said.out);
        for text in [words.out, page.out] {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(text.contains("of settings or policies"), gates, "{text}");
        }
        gates
    };
    let replaced = |from: &str, to: &str| {
        assert!(settings.contains(from));
        settings.replace(from, to)
    };
    let added = |line: &str| format!("{settings}{line}\n");
    for text in [
        added("exclude: ['partner/*']"),
        added("as_of: 2020-01-01"),
        added("status: active"),
        replaced("inventory: inventory", "inventory: inventory/partner"),
        replaced("inventory: inventory", "inventory: [inventory, more]"),
        replaced("inventory: inventory\n", ""),
        replaced("fail_on: medium", "fail_on: high"),
        replaced("fail_on: medium", "fail_on: never"),
        replaced("fail_on: medium\n", ""),
        replaced("core, house.yaml", "core"),
        replaced("core, house.yaml", "house.yaml"),
        replaced("policies: [core, house.yaml]\n", ""),
        replaced("known.json", "house.json"),
        replaced("out.sarif", "other.sarif"),
        replaced("reports: {sarif: out.sarif}\n", ""),
    ] {
        let head = text.replace("house.json", "house.yaml");
        assert!(try_one("ringfence.yaml", if text.contains("house.json") { &head } else { &text }), "{text}");
    }
    for text in [
        replaced("{sarif: out.sarif}", "{sarif: out.sarif, json: out.json}"),
        added("exclude: []"),
        replaced("fail_on: medium", "fail_on: low"),
        replaced("baseline: known.json\n", ""),
        replaced("core, house.yaml", "house.yaml, core"),
        replaced("core, house.yaml", "core, house.yaml, gdpr"),
    ] {
        if text.contains("gdpr") && packs::pack("gdpr").is_none() {
            continue;
        }
        assert!(!try_one("ringfence.yaml", &text), "{text}");
    }
    assert!(try_one("ringfence.yaml", ""), "settings that are gone");
    assert!(!try_one("known.json", none), "fewer accepted findings");
    assert!(try_one("known.json", &one.replace("cdef", "cdee")), "other accepted findings");
    // What is not there cannot be gated by the words for it.
    assert!(try_one("house.yaml", "policy: house\nrules: []\n"));
}

#[test]
fn two_harmless_looking_changes_do_not_bring_a_leak_in() {
    let base = [
        (
            "inventory/own.yaml",
            "parties: [{id: me, name: Me, systems: [{id: x, purposes: [service], originates: [device]}, {id: y, purposes: [service]}]}]\nflows: [{id: f, from: me/x, to: me/y, data: [device]}]\n",
        ),
        ("inventory/partner/i.yaml", BASE),
        ("ringfence.yaml", "inventory: inventory\n"),
    ];
    let mut first = base.to_vec();
    first[2] = ("ringfence.yaml", "inventory: inventory\nexclude: ['partner/*']\n");
    let step = repository(&base, &first);
    let said = diff(step.path(), "git:main git:HEAD --fail-on-widening");
    assert_eq!(said.code, 1);
    assert_eq!(said.json()["summary"]["settings"], 1);
    // Where it is merged all the same, the second one is told of.
    let leaking = leaking();
    let mut second = first.clone();
    second[1] = ("inventory/partner/i.yaml", &leaking);
    let step = repository(&first, &second);
    let said = diff(step.path(), "git:main git:HEAD --fail-on-widening");
    let notices = said.json()["notices"].to_string();
    assert!(notices.contains("excluded-file-edited") && notices.contains("partner/i.yaml"), "{notices}");
    assert_eq!(diff(step.path(), "git:main git:HEAD --deny-notices=excluded-file-edited").code, 1);
}

const FORMATS: [&str; 10] =
    ["text", "markdown", "json", "sarif", "junit", "github", "gitlab", "csv", "html", "ropa-csv"];

/// A leak in a folder that only HEAD's settings cover: BASE's decide, so it is no finding yet, and it
/// must be told wherever the verdict is.
#[test]
fn what_only_heads_settings_would_judge_is_told() {
    let own = "parties: [{id: me, name: Me, systems: [{id: x, purposes: [service], originates: [device]}, {id: y, purposes: [service]}]}]\nflows: [{id: f, from: me/x, to: me/y, data: [device]}]\n";
    let leaking = leaking();
    let (leak, policy) = (leaking.as_str(), "policy: aside\nrules: []\n");
    let base_leak = BASE;
    for (base, head, call, files) in [
        // A folder more.
        (
            vec![("inventory/i.yaml", own), ("ringfence.yaml", "inventory: inventory\n")],
            vec![
                ("inventory/i.yaml", own),
                ("more/b.yaml", leak),
                ("more/a.YML", "parties: []\n"),
                ("more/p.yaml", policy),
                ("ringfence.yaml", "inventory: [inventory, more]\n"),
            ],
            "git:main git:HEAD",
            vec!["more/a.YML", "more/b.yaml"],
        ),
        // A pattern less, also of files that were there.
        (
            vec![
                ("inventory/i.yaml", own),
                ("inventory/drafts/d.yaml", base_leak),
                ("ringfence.yaml", "inventory: inventory\nexclude: [drafts]\n"),
            ],
            vec![
                ("inventory/i.yaml", own),
                ("inventory/drafts/d.yaml", leak),
                ("ringfence.yaml", "inventory: inventory\n"),
            ],
            "git:main git:HEAD",
            vec!["inventory/drafts/d.yaml"],
        ),
        // The same, where the call names the folder.
        (
            vec![
                ("inventory/i.yaml", own),
                ("inventory/drafts/d.yaml", base_leak),
                ("ringfence.yaml", "exclude: [drafts]\n"),
            ],
            vec![("inventory/i.yaml", own), ("inventory/drafts/d.yaml", leak)],
            "git:main:inventory git:HEAD:inventory",
            vec!["inventory/drafts/d.yaml"],
        ),
        // Settings in the very folder.
        (
            vec![("inv/a/i.yaml", own), ("inv/ringfence.yaml", "inventory: a\n")],
            vec![
                ("inv/a/i.yaml", own),
                ("inv/b/l.yaml", leak),
                ("inv/ringfence.yaml", "inventory: [a, b]\n"),
            ],
            "git:main:inv git:HEAD:inv",
            vec!["inv/b/l.yaml"],
        ),
        // No `inventory` any more: all that lies there.
        (
            vec![("inventory/i.yaml", own), ("ringfence.yaml", "inventory: inventory\n")],
            vec![("inventory/i.yaml", own), ("l.yaml", leak), ("ringfence.yaml", "")],
            "git:main git:HEAD",
            vec!["l.yaml"],
        ),
    ] {
        let folder = repository(&base, &head);
        let at = folder.path();
        let said = diff(at, call);
        let json = said.json();
        assert_eq!(said.code, 0, "{json:#}");
        assert_eq!(json["unjudged"], serde_json::json!(files), "{json:#}");
        assert!(
            json["untrusted"].as_array().unwrap().iter().all(|one| one["location"]["line"].is_u64()),
            "{json:#}"
        );
        assert_eq!(diff(at, &format!("{call} --deny-notices=unjudged-files")).code, 1);
        assert_eq!(diff(at, &format!("{call} --fail-on-widening --fail-on never")).code, 1);
        for (format, more) in FORMATS.iter().flat_map(|f| [(f, ""), (f, "--fail-on-widening")]) {
            let said = ringfence(at, &format!("diff {call} --day 2026-11-23 --format {format} {more}"));
            assert_eq!(said.code, i32::from(!more.is_empty()), "{format}: {}", said.err);
            let words = (said.out + &said.err).replace("\\`", "`");
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            for file in &files {
                assert!(words.contains(file), "{format} {more}: {words}");
            }
            // The change of settings as well; the record of processing is no report of findings.
            let told = words.contains("`exclude`") || words.contains("`inventory`");
            assert!(told || *format == "ropa-csv", "{format} {more}: {words}");
        }
        let quiet = ringfence(at, &format!("diff {call} --quiet")).out;
        assert!(quiet.contains("not judged: ") && quiet.contains("HEAD's settings would judge"), "{quiet}");
        // By HEAD's own settings they are judged, and nothing is left to tell.
        let trusted = diff(at, &format!("{call} --trust-head")).json();
        assert_eq!(trusted["unjudged"], serde_json::json!([]), "{trusted:#}");
    }
}

#[test]
fn settings_name_no_files_elsewhere_to_be_told() {
    let folder = repository(&[("i.yaml", BASE)], &[("i.yaml", BASE)]);
    let away = tempfile::tempdir().unwrap();
    fs::write(away.path().join("secret.yaml"), BASE).unwrap();
    fs::write(
        folder.path().join("ringfence.yaml"),
        format!("inventory: ['.', '{}']\n", away.path().display()),
    )
    .unwrap();
    let said = diff(folder.path(), "git:main .");
    assert!(
        !said.out.contains("secret.yaml") && said.json()["unjudged"] == serde_json::json!([]),
        "{}",
        said.out
    );
}

/// Whoever reads one format alone sees that it fails, why, and where.
#[test]
fn every_format_shows_what_is_gated_with_its_place() {
    let house = "policy: house\nrules:\n  - id: r\n    severity: high\n    forbid: {data: [social], to: {party: app}}\n";
    let lower = house.replace("severity: high", "severity: low");
    let settings = "inventory: inventory\npolicies: [house.yaml]\nfail_on: medium\n";
    let looser = settings.replace("medium", "critical");
    let widened = BASE.replace("retention: 90d", "retention: 900d");
    let folder = repository(
        &[("inventory/i.yaml", BASE), ("house.yaml", house), ("ringfence.yaml", settings)],
        &[("inventory/i.yaml", &widened), ("house.yaml", &lower), ("ringfence.yaml", &looser)],
    );
    let call = "diff git:main git:HEAD --day 2026-11-23 --fail-on never";
    let of = |format: &str, more: &str| ringfence(folder.path(), &format!("{call} --format {format} {more}"));
    let places = [("ringfence.yaml", 3), ("house.yaml", 4), ("inventory/i.yaml", 5)];
    let strict = "--fail-on-widening";
    let sarif = of("sarif", strict).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
    let at = |one: &Value| {
        let place = &one["locations"][0]["physicalLocation"];
        (
            place["artifactLocation"]["uri"].as_str().unwrap().to_owned(),
            place["region"]["startLine"].as_u64().unwrap(),
        )
    };
    for (file, line) in places {
        assert!(
            results.iter().any(|r| at(r) == (file.to_owned(), line) && r["level"] == "error"),
            "{file} {results:#?}"
        );
        let number = line;
        let line = line.to_string();
        for (format, wanted) in [
            ("github", format!("::error file={file},line={line},")),
            ("junit", format!("at {file}:{line}<")),
            ("html", format!("({file}:{line})").replace("inventory/", "")),
            ("text", format!("{file}:{line}").replace("inventory/", "")),
            ("markdown", format!("{file}:{line}")),
            ("csv", format!("\"{file}\",\"{line}\"").replace("inventory/", "")),
        ] {
            let said = of(format, strict);
            assert!(said.code == 1 && said.out.contains(&wanted), "{format} {wanted}: {}", said.out);
        }
        let gitlab = of("gitlab", strict).json();
        let entry =
            |one: &&Value| one["location"]["path"] == file && one["location"]["lines"]["begin"] == number;
        assert_eq!(
            gitlab.as_array().unwrap().iter().find(entry).unwrap()["severity"],
            "critical",
            "{gitlab:#}"
        );
    }
    assert_eq!(sarif["runs"][0]["properties"]["fails"], true);
    assert!(of("junit", strict).out.contains("<system-out>FAIL: "));
    assert!(of("github", strict).out.contains("Ringfence: FAIL"));
    // Where it passes, changes of what judges are there all the same, and nothing fails.
    let sarif = of("sarif", "").json();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 0);
    assert_eq!(sarif["runs"][0]["properties"]["fails"], false);
    assert!(sarif["runs"][0]["invocations"].to_string().contains("`fail_on` is `critical`"));
    let junit = of("junit", "").out;
    assert!(
        junit.contains("failures=\"0\"") && junit.contains("<skipped message=\"configuration: `fail_on`"),
        "{junit}"
    );
    assert!(of("github", "").out.contains("::warning file=ringfence.yaml,line=3,"));
    assert!(of("csv", "").out.contains("\"change\",\"\",\"new\",\"false\""));
    assert!(of("gitlab", "").json().as_array().unwrap().iter().all(|one| one["severity"] == "info"));
    // Nor is a gate that fails silent where little is asked for.
    let quiet = ringfence(folder.path(), &format!("{call} --quiet {strict}"));
    assert!(
        quiet.code == 1
            && quiet.out.contains("`fail_on` is `critical`")
            && quiet.out.contains("terms.retention"),
        "{}",
        quiet.out
    );
}

#[test]
fn a_verdict_says_what_never_fails() {
    let folder = repository(&[("i.yaml", BASE)], &[("i.yaml", &leaking())]);
    let words = |args: &str| {
        let said = ringfence(folder.path(), &format!("diff git:main git:HEAD --day 2026-11-23 {args}"));
        (said.code, said.out.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (code, said) = words("--fail-on never");
    assert!(
        code == 0 && said.starts_with("PASS: ") && said.contains("findings never fail (`--fail-on never`)"),
        "{said}"
    );
    assert!(!said.contains("nothing that counts"), "{said}");
    let (code, said) = words("--fail-on never --format markdown");
    assert!(code == 0 && said.contains("findings never fail"), "{said}");
}

/// Two folders have files of the same names: what is shown beside a file is shown beside HEAD's.
#[test]
fn what_is_in_head_is_shown_beside_heads_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("base/i.yaml", BASE), ("head/i.yaml", &leaking())]);
    let said = ringfence(folder.path(), "diff base head --day 2026-11-23 --format github --fail-on-widening");
    let errors: Vec<&str> = said.out.lines().filter(|line| line.starts_with("::error file=")).collect();
    assert!(
        !errors.is_empty() && errors.iter().all(|line| line.contains("file=head/i.yaml,")),
        "{}",
        said.out
    );
}

/// Settings above two folders that say the same leave nothing to tell, however they are written.
#[test]
fn settings_above_two_folders_that_do_not_change_leave_nothing_to_tell() {
    for heads in ["exclude: [x.yaml, y.yaml]\n", "exclude: [y.yaml, x.yaml]\n"] {
        let folder = tempfile::tempdir().unwrap();
        for (side, exclude) in [("base", "exclude: [x.yaml, y.yaml]\n"), ("head", heads)] {
            let settings = format!("inventory: [in, more]\n{exclude}");
            let files = [
                ("in/i.yaml", BASE),
                ("more/m.yaml", "parties: []\n"),
                ("ringfence.yaml", settings.as_str()),
            ];
            write(&folder.path().join(side), &files);
        }
        for call in ["base head", "base/in head/in", "base/in/i.yaml head/in/i.yaml"] {
            let said = diff(folder.path(), &format!("{call} --fail-on-widening"));
            assert_eq!(
                (said.code, &said.json()["unjudged"]),
                (0, &serde_json::json!([])),
                "{call} {heads}: {}",
                said.out
            );
        }
    }
}

/// A result that was judged for some agreements alone is compared with what is judged so.
#[test]
fn a_result_as_base_says_which_agreements_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let leak = "agreements:\n  - {id: sale, parties: [bank, app], status: proposed, terms: {purposes: [service]}, flows: [{id: l, from: bank/core, to: app/chat, data: [financial], purposes: [sale]}]}\n";
    write(folder.path(), &[("base/i.yaml", BASE), ("head/i.yaml", BASE), ("head/l.yaml", leak)]);
    let audit = |more: &str| {
        ringfence(
            folder.path(),
            &format!("audit base --day 2026-11-23 --format json --output base.json {more}"),
        );
        let said = diff(folder.path(), "base.json head");
        (said.code, said.json()["judged"]["status"].clone())
    };
    assert_eq!(audit("--status active"), (0, serde_json::json!(["active"])));
    assert_eq!(audit(""), (1, Value::Null));
}

/// A rule of each kind, and what each edit of it is.
const RULES: &str = "\
policy: house
title: House
status: house
rules:
  - id: forbid
    severity: medium
    why: Words.
    forbid:
      data: [social, location]
      to: [{party: app}, {role: ad_network}]
      unless:
        through: [{transform: anonymised}, {transform: aggregated}]
        arriving: {consent: opt_in}
  - id: limit
    limit: {at: {role: platform}, data: [financial], origins_at_most: 3}
  - id: require
    require: {on: agreement, where: {kind: sharing}, must: {terms.retention: {present: true}}}
";

#[test]
fn only_rules_that_are_provably_stricter_pass_the_gate() {
    let cases: &[(&str, &str, Class)] = &[
        ("severity: medium", "severity: high", Class::Narrowing),
        ("severity: medium", "severity: low", Class::Both),
        ("    severity: medium\n", "", Class::Narrowing),
        ("why: Words.", "why: Other words.", Class::Neutral),
        ("title: House", "title: Home", Class::Assertion),
        ("why: Words.", "why: Words.\n    remedy: Stop.", Class::Neutral),
        ("why: Words.", "why: Words.\n    title: Harmless", Class::Assertion),
        ("why: Words.", "why: Words.\n    cite: [Art. 5]", Class::Assertion),
        ("why: Words.", "why: Words.\n    confidence: verified", Class::Assertion),
        ("why: Words.", "why: Words.\n    sees: Everything.", Class::Assertion),
        ("why: Words.", "why: Words.\n    cannot_see: Nothing.", Class::Assertion),
        ("title: House", "title: House\nas_of: 2026-01-01", Class::Assertion),
        ("title: House", "title: House\nabout: All.", Class::Assertion),
        ("title: House", "title: House\nversion: '2'", Class::Neutral),
        ("status: house", "status: benchmark", Class::Both),
        ("status: house\n", "", Class::Neutral),
        ("data: [social, location]", "data: [location, social]", Class::Neutral),
        ("data: [social, location]", "data: [social, location, device]", Class::Narrowing),
        ("data: [social, location]", "data: [social]", Class::Both),
        ("      data: [social, location]\n", "", Class::Narrowing),
        ("[{party: app}, {role: ad_network}]", "[{role: ad_network}]", Class::Both),
        (
            "[{party: app}, {role: ad_network}]",
            "[{party: app}, {role: ad_network}, {role: bank}]",
            Class::Narrowing,
        ),
        ("[{party: app}, {role: ad_network}]", "[{party: app2}, {role: ad_network}]", Class::Both),
        ("[{transform: anonymised}, {transform: aggregated}]", "[{transform: anonymised}]", Class::Narrowing),
        (
            "[{transform: anonymised}, {transform: aggregated}]",
            "[{transform: anonymised}, {transform: aggregated}, {transform: tokenised}]",
            Class::Both,
        ),
        ("        arriving: {consent: opt_in}\n", "", Class::Narrowing),
        ("arriving: {consent: opt_in}", "arriving: {consent: opt_out}", Class::Both),
        ("origins_at_most: 3", "origins_at_most: 2", Class::Narrowing),
        ("origins_at_most: 3", "origins_at_most: 4", Class::Both),
        ("at: {role: platform}, ", "", Class::Narrowing),
        (
            "limit: {at: {role: platform}, data: [financial], origins_at_most: 3}",
            "limit: {at: {role: platform}, data: [financial], origins_at_most: 3, scope: party}",
            Class::Both,
        ),
        ("where: {kind: sharing}, ", "", Class::Narrowing),
        (
            "{terms.retention: {present: true}}",
            "{terms.retention: {present: true}, terms.purposes: {present: true}}",
            Class::Narrowing,
        ),
        ("{terms.retention: {present: true}}", "{terms.purposes: {present: true}}", Class::Both),
        (
            "  - id: limit\n    limit: {at: {role: platform}, data: [financial], origins_at_most: 3}\n",
            "",
            Class::Widening,
        ),
        (
            "rules:\n",
            "rules:\n  - {id: more, forbid: {data: [device], to: {party: app}}}\n",
            Class::Narrowing,
        ),
        ("policy: house", "policy: home", Class::Widening),
    ];
    let settings = ("ringfence.yaml", "inventory: inventory\npolicies: [rules.yaml]\n");
    let base = [("inventory/i.yaml", BASE), ("rules.yaml", RULES), settings];
    for (from, to, class) in cases {
        assert!(RULES.contains(from), "{from}");
        let text = RULES.replacen(from, to, 1);
        let folder = tempfile::tempdir().unwrap();
        for (side, rules) in [("base", RULES), ("head", text.as_str())] {
            write(&folder.path().join(side), &[base[0], ("rules.yaml", rules), settings]);
        }
        let said = diff(folder.path(), "base head --fail-on-widening --fail-on never");
        let json = said.json();
        let all: Vec<&Value> =
            json["untrusted"].as_array().unwrap().iter().filter(|u| u["what"] == "policy").collect();
        let gates = matches!(class, Class::Both | Class::Widening | Class::Assertion);
        assert_eq!(said.code, i32::from(gates), "{from} → {to}: {json:#}");
        let classes: Vec<&str> = all.iter().filter_map(|u| u["class"].as_str()).collect();
        match class {
            Class::Neutral => assert!(classes.iter().all(|c| *c == "neutral"), "{from} → {to}: {all:?}"),
            class => assert!(classes.contains(&class.word()), "{from} → {to}: {all:?}"),
        }
    }
    // A file that moves is no other policy; one of the same name with less in it is.
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("base"), &base);
    let moved = ("ringfence.yaml", "inventory: inventory\npolicies: [policies]\n");
    write(&folder.path().join("head"), &[base[0], ("policies/rules.yaml", RULES), moved]);
    let said = diff(folder.path(), "base head --fail-on-widening");
    assert_eq!(said.code, 0, "{}", said.out);
    write(&folder.path().join("head"), &[("policies/broken.yaml", "policy: {")]);
    assert_eq!(diff(folder.path(), "base head --fail-on-widening").code, 1);
}

#[test]
fn every_setting_and_every_key_of_a_rule_has_its_class() {
    let mut table =
        String::from("| setting | more | less | another | why |\n| --- | --- | --- | --- | --- |\n");
    for setting in Setting::ALL {
        let row = row(*setting);
        table += &format!("| `{setting}` | {} | {} | {} | {} |\n", row.more, row.less, row.other, row.why);
    }
    published("settings", &table);
    let mut table = String::from("| key | neutral or narrowing, if |\n| --- | --- |\n");
    for (key, stricter) in KEYS {
        table += &format!("| `{key}` | {} |\n", way(*stricter));
    }
    published("rules", &table);
    // What the built-in packs say is known.
    for pack in packs::PACKS {
        let policy: serde_yaml::Value = serde_yaml::from_str(pack.policy).unwrap();
        known("", &policy);
    }
}

fn way(stricter: Stricter) -> &'static str {
    match stricter {
        Stricter::Words => "it explains, and no more",
        Stricter::Told => "never: it informs readers",
        Stricter::Looks => "it lists more, or is gone",
        Stricter::Demands => "it demands more",
        Stricter::Less => "it lists less, or is gone",
        Stricter::Lower => "it is lower",
        Stricter::MoreSevere => "it is more severe",
        Stricter::Binds => "it binds and did not",
        Stricter::Within => "all that is below it is",
        Stricter::Never => "never",
    }
}

fn known(path: &str, value: &serde_yaml::Value) {
    let Some(map) = value.as_mapping() else {
        for item in value.as_sequence().into_iter().flatten() {
            known(path, item);
        }
        return;
    };
    for (key, value) in map {
        let key = format!("{path}{}{}", if path.is_empty() { "" } else { "." }, key.as_str().unwrap());
        let found =
            KEYS.iter().find(|(name, _)| *name == key).unwrap_or_else(|| panic!("`{key}` has no row"));
        if found.1 == Stricter::Within {
            known(&key, value);
        }
    }
}

/// Holds a table of `docs/use/diff.md` against this one.
fn published(name: &str, table: &str) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/use/diff.md");
    let text = fs::read_to_string(file).unwrap();
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&start).unwrap_or_else(|| panic!("no table {name}"));
    let (_, after) = rest.split_once(&end).unwrap();
    let wanted = format!("{before}{start}{table}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(file, &wanted).unwrap();
    }
    assert_eq!(text, wanted, "UPDATE_DOCS=1 writes it");
}

/// Git prefers a tag to a branch, and a branch to the start of a hash: who can push a name could
/// choose the base.
#[test]
fn a_name_that_stands_for_several_commits_is_no_base() {
    let folder = repository(&[("i.yaml", BASE)], &[("i.yaml", &leaking())]);
    let at = folder.path();
    assert_eq!(diff(at, "git:main git:HEAD").code, 1);
    let hash = Command::new("git").arg("-C").arg(at).args(["rev-parse", "main"]).output().unwrap().stdout;
    let hash = String::from_utf8(hash).unwrap().trim().to_owned();
    git(at, &["tag", "main"]);
    git(at, &["branch", &hash[..10]]);
    for base in ["main", "main~0", &hash[..10]] {
        let said = diff(at, &format!("git:{base} git:HEAD --fail-on-widening"));
        assert_eq!(said.code, 2, "{}", said.out);
        assert!(said.err.contains("names different commits as "), "{}", said.err);
    }
    for base in ["heads/main", "refs/heads/main", &hash] {
        assert_eq!(diff(at, &format!("git:{base} git:HEAD")).code, 1, "{base}");
    }
    let same = repository(&[("i.yaml", BASE)], &[("i.yaml", &leaking())]);
    git(same.path(), &["tag", "main", "main"]);
    assert_eq!(diff(same.path(), "git:main git:HEAD").code, 1, "two names of one commit are no danger");
}

#[test]
fn whose_data_starts_at_a_new_system_is_listed_as_a_claim() {
    let head = BASE.to_owned()
        + "---\nparties:\n  - {id: lab, name: Lab, role: platform, affiliate_of: bank, systems: [{id: s, controller: app, \
           purposes: [service], retention: 1d, originates: [contact]}]}\n";
    let place = repository(&[("i/a.yaml", BASE)], &[("i/a.yaml", &head)]);
    let said = diff(place.path(), "git:main git:HEAD --fail-on-widening");
    assert_eq!(said.code, 1);
    let json = said.json();
    let edits = json["edits"].as_array().unwrap();
    let class = |key: &str| edits.iter().find(|edit| edit["key"] == key).unwrap()["class"].clone();
    assert_eq!((class("controller"), class("affiliate_of")), ("assertion".into(), "assertion".into()));
    let audit = ringfence(place.path(), "audit i --day 2026-11-23 --format json");
    let notices = audit.json()["notices"].as_array().unwrap().clone();
    let notice = notices.iter().find(|notice| notice["code"] == "controller-without-agreement").unwrap();
    assert_eq!(notice["subjects"][0], "lab/s");
}
