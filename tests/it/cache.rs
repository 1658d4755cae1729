//! The cache: a run with it says what a run without it says, whatever has become of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SAMPLES: [&str; 5] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking", "bad-input"];

/// What an audit says on both streams, and its exit code.
fn audit(inventory: &Path, cache: Option<&Path>) -> (Option<i32>, Vec<u8>, Vec<u8>) {
    let mut command = Command::cargo_bin("ringfence").unwrap();
    command.arg("audit").arg(inventory).args(["--format", "json", "--day", "2026-11-23"]);
    if let Some(cache) = cache {
        command.arg("--cache").arg(cache);
    }
    let output = command.output().unwrap();
    (output.status.code(), output.stdout, output.stderr)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    let mut all: Vec<PathBuf> =
        list(folder).iter().flat_map(|p| if p.is_dir() { list(p) } else { vec![p.clone()] }).collect();
    all.sort();
    all
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let into = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &into);
        } else {
            fs::copy(&entry, &into).unwrap();
        }
    }
}

#[test]
fn samples_say_the_same_cold_and_warm() {
    for sample in SAMPLES {
        let inventory = Path::new(ROOT).join("samples").join(sample);
        let cache = tempfile::tempdir().unwrap();
        let plain = audit(&inventory, None);
        assert_eq!(audit(&inventory, Some(cache.path())), plain, "{sample}, cold");
        assert_eq!(audit(&inventory, Some(cache.path())), plain, "{sample}, warm");
    }
}

#[test]
fn one_changed_file_is_one_new_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (inventory, cache) = (folder.path().join("inventory"), folder.path().join("cache"));
    copy(&Path::new(ROOT).join("samples/messenger-banking"), &inventory);
    audit(&inventory, Some(&cache));
    let before = entries(&cache);
    assert!(before.len() > 10, "{before:?}");
    audit(&inventory, Some(&cache));
    assert_eq!(entries(&cache), before, "a second run stores nothing");
    let changed = inventory.join("agreements/citi-messenger.yaml");
    let text = fs::read_to_string(&changed).unwrap();
    fs::write(&changed, format!("# moved down\n{text}")).unwrap();
    let warm = audit(&inventory, Some(&cache));
    assert_eq!(warm, audit(&inventory, None), "lines have moved");
    assert_eq!(entries(&cache).len(), before.len() + 1);
}

#[test]
fn what_is_damaged_foreign_or_in_the_way_is_read_again() {
    let inventory = Path::new(ROOT).join("samples/messenger-banking");
    let plain = audit(&inventory, None);
    let damage: [fn(&Path); 6] = [
        |entry| fs::write(entry, b"").unwrap(),
        |entry| fs::write(entry, b"something else altogether, and longer than any digest is").unwrap(),
        |entry| {
            let mut bytes = fs::read(entry).unwrap();
            bytes.truncate(bytes.len() - 1);
            fs::write(entry, bytes).unwrap();
        },
        |entry| {
            let mut bytes = fs::read(entry).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            fs::write(entry, bytes).unwrap();
        },
        |entry| {
            // Whole, and of another shape.
            let mut bytes = vec![0xFF; 64];
            bytes[..32].copy_from_slice(blake3::hash(&[0xFF; 32]).as_bytes());
            fs::write(entry, bytes).unwrap();
        },
        |entry| {
            fs::remove_file(entry).unwrap();
            fs::create_dir(entry).unwrap();
        },
    ];
    for (number, damage) in damage.iter().enumerate() {
        let cache = tempfile::tempdir().unwrap();
        audit(&inventory, Some(cache.path()));
        entries(cache.path()).iter().for_each(|entry| damage(entry));
        assert_eq!(audit(&inventory, Some(cache.path())), plain, "damage {number}");
        assert_eq!(audit(&inventory, Some(cache.path())), plain, "damage {number}, again");
    }
}

#[test]
fn an_entry_is_what_is_read() {
    // Else the tests above would pass without any cache.
    let inventory = Path::new(ROOT).join("samples/open-banking");
    let cache = tempfile::tempdir().unwrap();
    let plain = audit(&inventory, Some(cache.path()));
    for entry in entries(cache.path()) {
        let nothing = [0; 7];
        fs::write(&entry, [blake3::hash(&nothing).as_bytes().as_slice(), &nothing].concat()).unwrap();
    }
    assert_ne!(audit(&inventory, Some(cache.path())), plain);
}

#[test]
fn other_categories_are_another_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (inventory, cache) = (folder.path().join("inventory"), folder.path().join("cache"));
    copy(&Path::new(ROOT).join("samples/messenger-banking"), &inventory);
    audit(&inventory, Some(&cache));
    fs::write(
        inventory.join("taxonomy.yaml"),
        "taxonomy:\n  data:\n    a_first_one: {title: One}\n    financial.aaa: {title: Two}\n",
    )
    .unwrap();
    let warm = audit(&inventory, Some(&cache));
    assert_eq!(warm.0, Some(1), "{}", String::from_utf8_lossy(&warm.2));
    assert_eq!(warm, audit(&inventory, None));
}

#[test]
fn runs_beside_each_other_share_it() {
    let inventory = Path::new(ROOT).join("samples/messenger-banking");
    let cache = tempfile::tempdir().unwrap();
    let plain = audit(&inventory, None);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(audit(&inventory, Some(cache.path())), plain);
                    // The others are in the midst of it.
                    entries(cache.path()).iter().step_by(3).for_each(|entry| drop(fs::remove_file(entry)));
                }
            });
        }
    });
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (code, out, err) = audit(&Path::new(ROOT).join("samples/open-banking"), Some(&file.join("cache")));
    assert_eq!((code, out.as_slice()), (Some(2), b"".as_slice()));
    let err = String::from_utf8(err).unwrap();
    assert!(err.contains("as a cache") && err.contains("name a folder"), "{err}");
}
