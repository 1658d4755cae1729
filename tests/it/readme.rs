//! What the README says is true.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

/// The fenced block after a text.
fn block_after(text: &str, before: &str, language: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("the README lacks {before:?}"));
    let (_, rest) = rest.split_once(&format!("```{language}\n")).expect("a block");
    rest.split_once("```").expect("its end").0.to_owned()
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("ringfence").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_example_output_is_real() {
    let (code, out, err) =
        run(Path::new(ROOT), &["audit", "samples/messenger-banking", "--day", "2026-11-23"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let real: Vec<&str> = out.lines().map(str::trim_end).collect();
    let shown = block_after(&readme(), "<!-- output: audit samples/messenger-banking", "text");
    let mut from = 0;
    let mut lines = 0;
    for line in shown.lines().map(str::trim_end).filter(|l| !l.is_empty() && l.trim() != "…") {
        // The excerpt leaves lines out; those it has stand in their order. The day
        // judged is the day on which somebody runs it.
        let found = real.iter().skip(from).position(|r| *r == line);
        from += found.unwrap_or_else(|| panic!("not printed, or not in this place: {line:?}")) + 1;
        lines += 1;
    }
    assert!(lines > 10, "an excerpt of {lines} lines shows nothing");
}

#[test]
fn the_example_inventory_breaks_its_promise() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("inventory.yaml"),
        block_after(&readme(), "## The format at a glance", "yaml"),
    )
    .unwrap();
    let (code, out, err) = run(folder.path(), &["audit", "--format", "json", "--day", "2026-11-23"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let audit: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rules: Vec<&str> =
        audit["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    for rule in ["statement/not-for-advertising", "terms/purpose", "core/no-financial-advertising"] {
        assert!(rules.contains(&rule), "{rule} is not among {rules:?}");
    }
}

#[test]
fn every_command_in_the_table_exists_and_explains_itself() {
    let readme = readme();
    let (_, table) = readme.split_once("## Commands").unwrap();
    let commands: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split(['`', ' ']).next())
        .collect();
    assert!(commands.len() >= 7, "{commands:?}");
    let (_, help, _) = run(Path::new(ROOT), &["--help"]);
    for command in &commands {
        assert!(help.contains(command), "{command}");
        let (code, out, _) = run(Path::new(ROOT), &[command, "--help"]);
        assert_eq!(code, 0);
        assert!(out.contains("Examples") || out.contains("EXAMPLES"), "{command} has no examples:\n{out}");
    }
    for line in
        help.lines().skip_while(|l| !l.starts_with("Commands")).skip(1).take_while(|l| l.starts_with("  "))
    {
        let name = line.split_whitespace().next().unwrap();
        assert!(name == "help" || commands.contains(&name), "{name} is not in the README's table");
    }
}

#[test]
fn what_the_reference_of_the_format_shows_is_valid() {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/use/format.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [inventory, waivers, policy, settings] = blocks[..] else {
        panic!("{} blocks", blocks.len());
    };
    let folder = tempfile::tempdir().unwrap();
    let declared = folder.path().join("declared");
    fs::create_dir(&declared).unwrap();
    fs::write(declared.join("all.yaml"), inventory).unwrap();
    fs::write(declared.join("waivers.yaml"), waivers).unwrap();
    fs::write(folder.path().join("house.yaml"), policy).unwrap();
    fs::write(folder.path().join("ringfence.yaml"), settings).unwrap();
    let (code, out, err) = run(folder.path(), &["check"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("2 policies") && out.contains("1 waiver"), "{out}");
}
