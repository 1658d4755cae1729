//! Pictures of the declared flows: what they show, and where.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod generate;
mod geometry;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use generate::Files;
use ringfence::audit::{Options, audit};
use ringfence::diagram::{self, Filter, Format, Picture, SvgOptions, View, picture, svg};
use ringfence::finding::Audit;
use ringfence::load::{Request, World, load};
use ringfence::model::{Counting, Scope};
use ringfence::source::Sources;

const SAMPLES: [&str; 4] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];

fn judged(path: &Path) -> (World, Audit) {
    let mut sources = Sources::new();
    let request =
        Request { paths: vec![path.to_owned()], policies: vec!["core".to_owned()], ..Request::default() };
    let world = load(&request, &mut sources).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let audit = audit(&world, &sources, &Options::new("2026-11-23".parse().unwrap()));
    (world, audit)
}

fn sample(name: &str) -> (World, Audit) {
    judged(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name))
}

fn generated(systems: usize, files: Files) -> (World, Audit) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in generate::files(&generate::declarations(systems), files) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    // For a look: RINGFENCE_KEEP names a folder that the inventories are copied into.
    if let Ok(keep) = std::env::var("RINGFENCE_KEEP") {
        let keep = Path::new(&keep).join(systems.to_string());
        fs::create_dir_all(&keep).unwrap();
        for (name, text) in generate::files(&generate::declarations(systems), Files::One) {
            fs::write(keep.join(name), text).unwrap();
        }
    }
    judged(folder.path())
}

fn drawn(world: &World, audit: &Audit, view: Option<View>) -> Picture {
    picture(world, audit, &Filter { view, ..Filter::default() })
}

/// Every law of the geometry, for one picture that shows everything.
fn holds(name: &str, world: &World, picture: &Picture) {
    let svg = svg(picture, &SvgOptions::default());
    let seen = geometry::read(&svg);
    let faults = geometry::faults(&seen);
    assert!(
        faults.is_empty(),
        "{name}: {} faults\n{}",
        faults.len(),
        faults[..faults.len().min(30)].join("\n")
    );
    let model = &world.model;
    let counting: BTreeSet<String> =
        Counting::new(model, &Scope::default()).iter().map(|f| model.flows[f].name.clone()).collect();
    let flows: Vec<String> = seen.edges.iter().flat_map(|e| e.flows.iter().cloned()).collect();
    assert_eq!(flows.len(), counting.len(), "{name}: each counting flow once");
    assert_eq!(flows.into_iter().collect::<BTreeSet<_>>(), counting, "{name}");
    if picture.view == View::Systems {
        let systems: BTreeSet<&str> = seen.systems.iter().map(|s| s.0.as_str()).collect();
        assert_eq!(systems, model.systems.values().map(|s| s.name.as_str()).collect(), "{name}");
    }
    let parties: BTreeSet<&str> = seen.parties.iter().map(|p| p.0.as_str()).collect();
    assert_eq!(parties, model.parties.values().map(|p| p.id()).collect(), "{name}");
}

#[test]
fn the_laws_of_geometry_hold_for_the_samples() {
    for name in SAMPLES {
        let (world, audit) = sample(name);
        holds(name, &world, &drawn(&world, &audit, None));
        holds(name, &world, &drawn(&world, &audit, Some(View::Overview)));
    }
}

#[test]
fn the_laws_of_geometry_hold_for_24_96_and_360_systems() {
    for systems in [24, 96, 360] {
        let (world, audit) = generated(systems, Files::One);
        assert_eq!(world.model.systems.len(), systems);
        let by_default = drawn(&world, &audit, None);
        assert_eq!(by_default.view, if systems > 150 { View::Overview } else { View::Systems });
        for view in [View::Systems, View::Overview] {
            holds(&format!("{systems} as {view:?}"), &world, &drawn(&world, &audit, Some(view)));
        }
    }
}

#[test]
fn the_same_bytes_however_the_files_are_split() {
    for systems in [24, 96] {
        let all = |files| {
            let (world, audit) = generated(systems, files);
            let pictures = [View::Systems, View::Overview].map(|view| drawn(&world, &audit, Some(view)));
            let formats = [Format::Svg, Format::Dot, Format::Mermaid, Format::Graphml, Format::Json];
            let text = |p: &Picture| formats.map(|format| diagram::render(p, format).unwrap());
            pictures.iter().flat_map(text).collect::<Vec<_>>()
        };
        assert_eq!(all(Files::One), all(Files::Many));
        assert_eq!(all(Files::One), all(Files::One));
    }
}
