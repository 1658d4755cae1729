//! `docs/use/rules/` says what `ringfence explain` says, of the policies as they are.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use ringfence::source::Sources;
use ringfence::testing::explain::{entries, index, page};
use ringfence::testing::packs::{PACKS, names};
use ringfence::{Request, load};

fn world() -> ringfence::World {
    let request = Request { policies: names().map(str::to_owned).collect(), ..Request::default() };
    load(&request, &mut Sources::new()).unwrap()
}

#[test]
fn the_pages_are_made_from_the_policies() {
    let world = world();
    let entries = entries(&world);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/use/rules");
    let mut pages = vec![("README.md".to_owned(), index(&world))];
    pages.extend(PACKS.iter().map(|p| (format!("{}.md", p.id), page(&world, p.id, &entries).unwrap())));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let mut found: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut expected: Vec<String> = pages.iter().map(|(name, _)| name.clone()).collect();
    expected.sort();
    assert_eq!(found, expected, "UPDATE_DOCS=1 cargo test --test it rules writes missing pages");
    for (name, text) in &pages {
        let written = fs::read_to_string(folder.join(name)).unwrap();
        assert!(written == *text, "{name} is out of date: UPDATE_DOCS=1 cargo test --test it rules");
    }
}

#[test]
fn every_rule_of_a_pack_has_an_example() {
    let lacking: Vec<String> = entries(&world())
        .into_iter()
        .filter(|e| names().any(|id| e.name.starts_with(&format!("{id}/"))) && e.example.is_none())
        .map(|e| e.name)
        .collect();
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn every_rule_of_a_pack_is_explained_by_its_name() {
    for entry in entries(&world()).iter().filter(|e| e.example.is_some()) {
        let output =
            Command::cargo_bin("ringfence").unwrap().args(["explain", &entry.name]).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{}", entry.name);
        for part in ["violated", "law  ", "breaks it", "keeps it", "not seen"] {
            assert!(
                out.contains(part) || part == "law  " && entry.law.is_empty(),
                "{}: {part}\n{out}",
                entry.name
            );
        }
    }
}
