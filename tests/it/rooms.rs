//! The rooms of `src` know those before them and none behind them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

/// In the order in which data passes them.
const ROOMS: [&str; 13] = [
    "base",
    "read",
    "declare",
    "model",
    "flow",
    "audit",
    "query",
    "compare",
    "policy_test",
    "report",
    "verify",
    "exchange",
    "cli",
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    all.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The rooms that a line names.
fn named(line: &str) -> Vec<&str> {
    let after = line.split("crate::").skip(1);
    after.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap()).collect()
}

#[test]
fn no_room_uses_one_behind_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut upward, mut seen) = (Vec::new(), 0);
    for file in files(&source) {
        let below = file.strip_prefix(&source).unwrap();
        let room = below.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(own) = ROOMS.iter().position(|name| *name == room) else {
            assert!(["lib.rs", "main.rs", "testing.rs"].contains(&room), "{} is in no room", below.display());
            continue;
        };
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for name in named(line) {
                let known = ROOMS.iter().position(|room| *room == name);
                seen += usize::from(known.is_some());
                if known.is_some_and(|at| at > own) {
                    upward.push(format!("{}:{}: {}", below.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert!(upward.is_empty(), "{room}: {upward:#?}", room = "a room uses one behind it");
    assert!(seen > 1_000, "{seen} uses were looked at");
}
