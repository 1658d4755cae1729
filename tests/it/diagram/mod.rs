//! Pictures of the declared flows: what they show, and where.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod command;
mod generate;
mod geometry;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use generate::Files;
use ringfence::finding::Audit;
use ringfence::source::Sources;
use ringfence::testing::diagram;
use ringfence::testing::diagram::{
    Edge, Filter, Flow, Format, Origin, Party, Picture, SvgOptions, System, View, picture, svg,
};
use ringfence::testing::glob::Glob;
use ringfence::testing::model::Counting;
use ringfence::vocabulary::{Severity, Status};
use ringfence::{Options, Request, Scope, World, audit, load};

const SAMPLES: [&str; 4] =
    ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];

/// With the policies that its configuration names, or `core`.
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
    let counting: BTreeSet<String> = Counting::new(model, "2026-11-23".parse().unwrap(), &Scope::default())
        .iter()
        .map(|f| model.flows[f].name.clone())
        .collect();
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

fn faultless(name: &str, picture: &Picture) -> geometry::Seen {
    let seen = geometry::read(&svg(picture, &SvgOptions::default()));
    let faults = geometry::faults(&seen);
    assert!(
        faults.is_empty(),
        "{name}: {} faults\n{}",
        faults.len(),
        faults[..faults.len().min(30)].join("\n")
    );
    seen
}

#[test]
fn the_laws_hold_for_filtered_pictures_and_neighbourhoods() {
    let (world, audit) = generated(96, Files::One);
    let key = |name: &str| vec![world.model.data.find(name).unwrap()];
    for (name, filter) in [
        ("data", Filter { data: key("financial"), ..Filter::default() }),
        ("party", Filter { parties: vec![Glob::new("bank-0*")], ..Filter::default() }),
        ("violations", Filter { violations: true, ..Filter::default() }),
        ("agreement", Filter { agreements: vec![Glob::new("*-linking")], ..Filter::default() }),
    ] {
        let filtered = picture(&world, &audit, &filter);
        let seen = faultless(name, &filtered);
        assert!(!seen.edges.is_empty() && seen.edges.len() < 120, "{name}: {}", seen.edges.len());
    }
    for (world, audit) in [(world, audit), sample("messenger-banking"), sample("cambridge-analytica")] {
        let mut rules = BTreeSet::new();
        for finding in audit.findings.iter().filter(|f| rules.insert(f.rule.clone())) {
            let near = diagram::neighbourhood(&world, finding, (audit.judged.date(), &Scope::default()));
            let seen = faultless(&finding.rule, &near);
            let flows: BTreeSet<&String> = seen.edges.iter().flat_map(|e| &e.flows).collect();
            assert!(finding.path.iter().all(|hop| flows.contains(&hop.flow)), "{}", finding.rule);
            let chain: BTreeSet<&str> = finding
                .path
                .iter()
                .chain(finding.witnesses.iter().flat_map(ringfence::finding::Walk::hops))
                .flat_map(|h| [h.from.as_str(), h.to.as_str()])
                .collect();
            assert!(seen.systems.len() <= chain.len() + 14, "{}", finding.rule);
        }
    }
}

/// A picture of anything at all.
fn random(seed: u64, view: View) -> Picture {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % end
    };
    let names =
        ["Bank", "WWWWWWWWWWWWWWWWWWWWWWWW", "i", "a-very-long-name-that-nobody-can-read-in-full", "M.M.M"];
    let mut all = Picture { view, ..Picture::default() };
    for p in 0..1 + below(9) {
        let count = below(7);
        all.parties.push(Party {
            id: format!("p{p}"),
            name: names[below(names.len())].to_owned(),
            role: None,
            jurisdiction: None,
            systems: count,
            origin: Origin::No,
            reached: (below(4) == 0).then_some(Severity::High),
        });
        for s in 0..if view == View::Systems { count } else { 0 } {
            let label = format!("{s}{}", names[below(names.len())]);
            all.systems.push(System {
                id: format!("p{p}/{label}"),
                label,
                party: p,
                title: None,
                purposes: Vec::new(),
                origin: [Origin::No, Origin::Declared, Origin::Assumed][below(3)],
                reached: None,
            });
        }
    }
    let ends: Vec<String> = match view {
        View::Systems => all.systems.iter().map(|s| s.id.clone()).collect(),
        _ => all.parties.iter().map(|p| p.id.clone()).collect(),
    };
    let mut taken = BTreeSet::new();
    for _ in 0..if ends.is_empty() { 0 } else { below(3 * ends.len() + 1) } {
        let (from, to) = (below(ends.len()), below(ends.len()));
        if (from == to && view == View::Systems) || !taken.insert((from, to)) {
            continue;
        }
        let party = |at: usize| ends[at].split('/').next().unwrap().to_owned();
        let flow = |n| Flow {
            id: format!("{from}-{to}-{n}"),
            title: None,
            data: vec!["financial".to_owned()],
            purposes: vec!["service".to_owned()],
            agreement: None,
            status: [None, Some(Status::Active), Some(Status::Proposed)][n % 3],
        };
        all.edges.push(Edge {
            id: format!("{}:{}", ends[from], ends[to]),
            from,
            to,
            from_id: ends[from].clone(),
            to_id: ends[to].clone(),
            flows: (0..1 + below(12)).map(flow).collect(),
            data: Vec::new(),
            purposes: Vec::new(),
            agreements: Vec::new(),
            parties: vec![party(from), party(to)],
            statuses: Vec::new(),
            findings: Vec::new(),
            severity: (below(3) == 0).then_some(Severity::Medium),
        });
    }
    all
}

#[test]
fn the_laws_hold_for_anything() {
    for seed in 0..150 {
        for view in [View::Systems, View::Overview] {
            let picture = random(seed, view);
            let seen = faultless(&format!("{seed} as {view:?}"), &picture);
            assert_eq!(seen.edges.len(), picture.edges.len());
        }
    }
}

#[test]
fn a_picture_of_nothing_is_a_picture() {
    let svg = svg(&Picture::default(), &SvgOptions::default());
    geometry::read(&svg);
}

/// A small world with names made to harm.
const HOSTILE: &str = r#"
parties:
  - id: a
    name: "</script><img src=x onerror=alert(1)> \u202Eevil\u202C ' \" ]]> & #quot; %%{init:{}}%%"
    systems:
      - {id: s1, title: "one\ntwo \u202E ]]> <b>", originates: [financial.transaction], purposes: [service]}
  - id: b
    name: "TITLE"
    jurisdiction: US
    systems: [{id: end, purposes: [advertising.ranking]}, {id: graph, purposes: [service]}]
agreements:
  - id: x
    parties: [a, b]
    flows:
      - {id: f, from: a/s1, to: b/end, data: [financial.transaction], title: "]]></title><script>alert(1)</script>\"-->"}
flows:
  - {id: g, from: b/end, to: b/graph, data: [financial.transaction], title: "TITLE"}
"#;

#[test]
fn no_name_acts_in_any_format() {
    let folder = tempfile::tempdir().unwrap();
    let text = HOSTILE.replace("TITLE", &"銀行 \\uFFFE".repeat(240));
    fs::write(folder.path().join("a.yaml"), text.replace("\\\\u", "\\u")).unwrap();
    let (world, audit) = judged(folder.path());
    for view in [View::Systems, View::Overview] {
        let picture = drawn(&world, &audit, Some(view));
        let seen = faultless("hostile", &picture);
        assert!(seen.width < 2_000.0);
        for format in [Format::Svg, Format::Dot, Format::Mermaid, Format::Graphml, Format::Json] {
            let text = diagram::render(&picture, format).unwrap();
            for c in ['\u{202e}', '\u{202c}', '\u{fffe}'] {
                // JSON is for programs: it says what was declared.
                assert!(format == Format::Json || !text.contains(c), "{format:?}: {c:?}");
            }
            match format {
                Format::Svg | Format::Graphml => {
                    let document = roxmltree::Document::parse(&text).unwrap();
                    let known = ["script", "img", "b"];
                    assert!(!document.descendants().any(|n| known.contains(&n.tag_name().name())));
                    let on = |a: roxmltree::Attribute| a.name().starts_with("on") || a.name() == "style";
                    assert!(!document.descendants().flat_map(|n| n.attributes()).any(on));
                }
                Format::Json => assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok()),
                Format::Dot | Format::Mermaid => assert!(!text.contains("<") && text.lines().count() < 30),
            }
            assert!(text.len() < 100_000, "{format:?}: {}", text.len());
        }
    }
}

#[test]
fn what_stands_out_is_what_is_part_of_a_new_finding() {
    let (world, mut audit) = sample("messenger-banking");
    let edges = |audit: &Audit| -> BTreeSet<String> {
        let all = drawn(&world, audit, None).edges;
        all.into_iter().filter(|e| e.severity.is_some()).map(|e| e.id).collect()
    };
    let before = edges(&audit);
    assert!(before.contains("facebook/messenger:facebook/data-warehouse"));
    assert!(!before.contains("facebook/social-graph:facebook/data-warehouse"));
    for finding in &mut audit.findings {
        finding.status = ringfence::finding::FindingStatus::Waived;
    }
    assert!(edges(&audit).is_empty(), "what is accepted does not stand out");
    let all = drawn(&world, &audit, None);
    let edge = all.edges.iter().find(|e| e.id == "facebook/messenger:facebook/data-warehouse").unwrap();
    assert!(!edge.findings.is_empty(), "and is still known");
}

#[test]
fn small_pictures_in_all_formats() {
    let (world, audit) = sample("open-banking");
    let picture = drawn(&world, &audit, None);
    for (name, format) in [
        ("svg", Format::Svg),
        ("dot", Format::Dot),
        ("mermaid", Format::Mermaid),
        ("graphml", Format::Graphml),
        ("json", Format::Json),
    ] {
        let text = diagram::render(&picture, format).unwrap();
        let text = match format {
            // The style is in a file of its own.
            Format::Svg => text.replace(diagram::STYLE, "…\n"),
            _ => text.replace(env!("CARGO_PKG_VERSION"), "VERSION"),
        };
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn an_element_of_a_page_brings_no_style_and_an_image_no_keyboard() {
    let (world, audit) = sample("open-banking");
    let picture = drawn(&world, &audit, None);
    let element = svg(&picture, &SvgOptions { standalone: false, ..SvgOptions::default() });
    assert!(!element.contains("<style") && !element.contains("paper"));
    assert!(element.contains("role=\"graphics-document document\"") && element.contains("tabindex=\"0\""));
    let image = svg(&picture, &SvgOptions { interactive: false, ..SvgOptions::default() });
    assert!(
        image.contains("role=\"img\"") && !image.contains("tabindex") && !image.contains("class=\"hit\"")
    );
    for text in [&element, &image] {
        assert!(!text.contains("style=") && !text.contains("url(") && !text.contains("href"));
    }
}
