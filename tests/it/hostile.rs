//! Inputs made to harm: each ends in time, without a panic, with exit code 2 and words
//! that say what is wrong, or 0 where reading is right.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);

/// Runs the command: exit code, the first line on standard error, all of it.
fn run(folder: &Path, args: &[&str], stdin: Option<Vec<u8>>) -> (i32, String, String) {
    let stderr = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .current_dir(folder)
        .args(args)
        .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::null())
        .stderr(stderr.reopen().unwrap())
        .spawn()
        .unwrap();
    let writer = child.stdin.take().zip(stdin).map(|(mut pipe, bytes)| {
        // Fails where the reader has had enough.
        std::thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let code = wait(&mut child, args);
    if let Some(writer) = writer {
        writer.join().unwrap();
    }
    let said = String::from_utf8(fs::read(stderr.path()).unwrap()).unwrap();
    assert!(!said.contains("panicked"), "{args:?}: {said:.400}");
    (code, said.lines().next().unwrap_or_default().to_owned(), said)
}

fn wait(child: &mut Child, args: &[&str]) -> i32 {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or_else(|| panic!("{args:?} died of a signal: {status}"));
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("{args:?} takes more than {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads a file with these bytes as an inventory, from a folder and from standard
/// input: the first line must have these words, the code be 2; no words: 0.
fn inventory(bytes: impl Into<Vec<u8>>, words: &str) {
    let bytes = bytes.into();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("i")).unwrap();
    fs::write(folder.path().join("i/x.yaml"), &bytes).unwrap();
    for stdin in [None, Some(bytes)] {
        let path = if stdin.is_some() { "-" } else { "i" };
        let (code, first, said) = run(folder.path(), &["check", "--quiet", "--allow-empty", path], stdin);
        if words.is_empty() {
            assert_eq!((code, said.as_str()), (0, ""));
        } else {
            assert_eq!(code, 2, "{words}: {said:.400}");
            assert!(first.starts_with("error") && first.contains(words), "{words}: {said:.400}");
        }
        assert!(first.chars().count() < 500, "{words}: {}", first.len());
        assert!(said.len() < 50_000_000, "{words}: {}", said.len());
    }
}

/// Reads a file with these bytes as a policy, named and in its folder: it is none.
fn policy(bytes: impl Into<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("i")).unwrap();
    fs::write(folder.path().join("p.yaml"), bytes.into()).unwrap();
    for path in ["p.yaml", "."] {
        let args = ["check", "--quiet", "i", "--policy", path];
        let (code, first, said) = run(folder.path(), &args, None);
        assert_eq!(code, 2, "{said:.400}");
        assert!(first.starts_with("error["), "{said:.400}");
    }
}

fn both(bytes: impl Into<Vec<u8>>, words: &str) {
    let bytes = bytes.into();
    policy(bytes.clone());
    inventory(bytes, words);
}

fn many(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

#[test]
fn aliases() {
    let laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &many(11, |i| {
            let aliases = vec![format!("*a{i}"); 9].join(",");
            format!("a{}: &a{} [{aliases}]\n", i + 1, i + 1)
        });
    both(laughs, "too-many-aliases");
    both(format!("a: &a [{}x]\nb:\n{}", "x,".repeat(20_000), "- *a\n".repeat(20_000)), "too-many-aliases");
    both(
        format!("a: &a \"{}\"\nb:\n{}", "x".repeat(1_000_000), "- *a\n".repeat(100_000)),
        "too-many-aliases",
    );
    both(
        format!("? &a \"{}\"\n: 1\nb:\n{}", "x".repeat(1_000_000), "- {*a : 1}\n".repeat(100_000)),
        "too-many-aliases",
    );
    let keys = many(5_000, |i| format!("k{i}: 1,"));
    both(format!("a: &a {{{keys}}}\nb:\n{}", "- {<<: *a}\n".repeat(5_000)), "too-many-aliases");
    both(
        format!("{}{}1{}", many(60, |i| format!("&a{i} [")), "1,".repeat(300_000), "]".repeat(60)),
        "too-many-aliases",
    );
    both(
        "a0: &a0 [x]\n".to_owned() + &many(5_000, |i| format!("a{}: &a{} [*a{i}]\n", i + 1, i + 1)),
        "too-deep",
    );
    both("parties: &a [*a]\n", "an alias of the value that it stands in");
    both("parties: &a {<<: *a}\n", "error[");
}

#[test]
fn nesting() {
    both("[".repeat(200_000), "too-deep");
    both("{".repeat(200_000), "too-deep");
    both("- ".repeat(100_000), "too-deep");
    both("? ".repeat(100_000), "too-deep");
    both("[{a: ".repeat(40_000), "too-deep");
    both("[".repeat(100_000) + &"]".repeat(100_000), "too-deep");
    both(many(10_000, |i| format!("{}a:\n", " ".repeat(i))), "too-deep");
}

#[test]
fn bytes() {
    both(*b"parties: \xff\xfe\n", "a byte that is not UTF-8 at byte 9");
    both(*b"par\0ties: \xff\n", "a NUL byte at byte 3");
    both(*b"\xff\xfep\0a\0r\0", "a byte that is not UTF-8 at byte 0");
    both("parties:\n\t- id: a\n", "a tab where YAML wants spaces");
    let good = "parties:\n  - id: a\n    name: A\n";
    inventory(good, "");
    inventory(good.replace('\n', "\r\n"), "");
    inventory(format!("\u{FEFF}{good}"), "");
    inventory(format!("\u{FEFF}{}", good.replace('\n', "\r\n")), "");
    inventory("", "");
    inventory("# nothing yet\n", "");
    inventory("\u{FEFF}", "");
    for nothing in ["", "# nothing yet\n", "---\n...\n"] {
        policy(nothing);
    }
}

#[test]
fn size() {
    let long = "x".repeat(20_000_000);
    let lines = many(250_000, |_| format!("  {}\n", "x".repeat(78)));
    for scalar in [
        long.clone(),
        format!("\"{long}\""),
        format!("'{long}'"),
        format!("|\n{lines}"),
        format!(">\n{lines}"),
    ] {
        inventory(format!("parties: {scalar}"), "wrong-type");
    }
    policy(format!("policy: a {long}"));
    inventory(format!("{long}: 1"), "error");
    inventory(format!("parties: \"{}", "x".repeat(1_000_000)), "a quote that is never closed");
    inventory("*".repeat(1_000_000), "unknown-alias");
    both("&a *a ".repeat(150_000), "yaml-syntax");
    inventory("\n".repeat(5_000_000), "");
    inventory("# x\n".repeat(1_000_000), "");
}

#[test]
fn numbers_of_things() {
    both(many(100_000, |i| format!("key{i}: 1\n")), "unknown-key");
    inventory("---\nparties: []\n".repeat(200_000), "");
    both("---\nx\n".repeat(20_000), "wrong-type");
    inventory(format!("parties: [{}]", "{id: \"a b\", nam: x, role: q},".repeat(100_000)), "missing-key");
}

#[test]
fn numbers_of_rules_and_references() {
    policy("---\npolicy: a\n".repeat(50_000));
    let rules = many(20_000, |i| format!("  - {{id: r{i}, forbid: {{data: financal}}}}\n"));
    policy(format!("policy: p\nrules:\n{rules}"));
    let two = "parties: [{id: a, name: a}, {id: b, name: b}]\n";
    let names = many(100_000, |i| format!("p{i},"));
    inventory(format!("{two}agreements: [{{id: x, parties: [{names}]}}]\n"), "unknown-party");
    let flows = many(50_000, |i| {
        format!("  - {{id: f{i}, from: a/s{i}, to: b/s{i}, data: financial, purposes: service}}\n")
    });
    inventory(format!("{two}flows:\n{flows}"), "unknown-system");
}

#[test]
fn what_is_said_once_and_holds_for_many() {
    let head = "parties: [{id: a, name: a}, {id: b, name: b}]\nagreements:\n  - id: x\n    parties: [a, b]\n";
    let tags = many(20_000, |i| format!("tag{i},"));
    let flows = many(20_000, |i| format!("      - {{id: f{i}}}\n"));
    for repeated in [
        format!("    flow_defaults: {{from: a/s, to: b/t, data: financial, tags: [{tags}]}}\n"),
        format!(
            "    flow_defaults: {{from: a/s, to: b/t, data: financial}}\n    terms: {{safeguards: [{tags}]}}\n"
        ),
    ] {
        inventory(format!("{head}{repeated}    flows:\n{flows}"), "too-much-repeated");
    }
}

#[test]
fn affiliates() {
    let party = |id: usize, parent: usize| format!("  - {{id: p{id}, name: P, affiliate_of: p{parent}}}\n");
    inventory(format!("parties:\n{}  - {{id: p20000, name: P}}\n", many(20_000, |i| party(i, i + 1))), "");
    inventory(format!("parties:\n{}", many(1_000, |i| party(i, (i + 1) % 1_000))), "affiliate-circle");
}

#[cfg(unix)]
#[test]
fn files() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let check = |path: &str| run(folder.path(), &["check", "--quiet", path], None);

    fs::create_dir(at("none")).unwrap();
    fs::write(at("none/readme.md"), "# nothing").unwrap();
    let (code, first, _) = run(folder.path(), &["audit", "none"], None);
    assert_eq!((code, first.as_str()), (2, "error: there is nothing to audit: no flow is in scope"));

    // A folder, whatever its name.
    fs::create_dir_all(at("folder/x.yaml")).unwrap();
    fs::write(at("folder/x.yaml/y.yml"), "partys: []\n").unwrap();
    let (code, _, said) = check("folder");
    assert_eq!(code, 2);
    assert!(said.contains("x.yaml/y.yml:1:1"), "{said}");

    fs::create_dir(at("closed")).unwrap();
    fs::write(at("closed/x.yaml"), "parties: []\n").unwrap();
    fs::set_permissions(at("closed/x.yaml"), fs::Permissions::from_mode(0o000)).unwrap();
    // Who may read everything (root) is not kept out.
    if fs::read(at("closed/x.yaml")).is_err() {
        let (code, first, _) = check("closed");
        assert_eq!(code, 2);
        assert!(first.contains("`x.yaml` cannot be read"), "{first}");
    }

    fs::create_dir(at("loop")).unwrap();
    fs::write(at("loop/x.yaml"), "parties: [{id: a, name: A}]\n").unwrap();
    symlink(".", at("loop/again")).unwrap();
    symlink("../loop", at("loop/and-again")).unwrap();
    assert_eq!(check("loop"), (0, String::new(), String::new()));
    symlink("round.yaml", at("loop/round.yaml")).unwrap();
    let (code, first, _) = check("loop");
    assert_eq!(code, 2);
    assert!(first.contains("`round.yaml` cannot be read"), "{first}");

    fs::create_dir(at("out")).unwrap();
    fs::write(at("out/x.yaml"), "parties: [{id: a, name: A}]\n").unwrap();
    symlink(at("folder"), at("out/more")).unwrap();
    let (code, first, _) = check("out");
    assert_eq!(code, 2);
    assert!(first.contains("`more` is a link that leads out of the inventory"), "{first}");

    fs::create_dir(at("pipe")).unwrap();
    let made = Command::new("mkfifo").arg(at("pipe/x.yaml")).status();
    if made.is_ok_and(|status| status.success()) {
        let (code, first, _) = check("pipe");
        assert_eq!(code, 2);
        assert!(first.contains("`x.yaml` cannot be read: it is no ordinary file"), "{first}");
    }

    let (code, first, _) = check("folderr");
    assert_eq!(code, 2);
    assert!(first.contains("there is no `folderr`"), "{first}");
}
