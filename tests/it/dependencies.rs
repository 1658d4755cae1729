//! The page on dependencies names those that there are, each with its reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

const MANIFEST: &str = include_str!("../../Cargo.toml");
const PAGE: &str = include_str!("../../docs/dev/dependencies.md");

/// The crates that a section of the manifest names, in order.
fn declared(section: &str) -> Vec<String> {
    let (_, rest) = MANIFEST.split_once(&format!("\n[{section}]\n")).expect(section);
    let own = rest.split("\n[").next().unwrap();
    own.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned()).collect()
}

/// The crates that the table below a heading names, each with a reason.
fn described(heading: &str) -> Vec<String> {
    let (_, rest) = PAGE.split_once(&format!("\n## {heading}\n")).expect(heading);
    let own = rest.split("\n## ").next().unwrap();
    let row = |line: &str| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let reason = rest.split(" |").next().unwrap();
        assert!(reason.len() > 3, "no reason for {name}");
        Some(name.to_owned())
    };
    own.lines().filter_map(row).collect()
}

#[test]
fn each_dependency_has_its_reason() {
    assert_eq!(described("In the program"), declared("dependencies"));
    assert_eq!(described("In tests and measurements only"), declared("dev-dependencies"));
}

#[test]
fn there_are_no_other_sorts_of_dependencies() {
    for line in MANIFEST.lines().filter(|line| line.starts_with('[')) {
        let known = matches!(line, "[dependencies]" | "[dev-dependencies]");
        assert!(known || !line.contains("dependencies"), "{line}");
    }
    assert!(!MANIFEST.contains("git = ") && !MANIFEST.contains("registry = "));
    assert!(MANIFEST.contains("unsafe_code = \"forbid\""));
}
