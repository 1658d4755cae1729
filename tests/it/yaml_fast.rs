//! The quick reader of YAML and the general parser: whatever the quick one accepts has the
//! same tree with the same places, and no mistake; and it accepts what people write.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use ringfence::Limits;
use ringfence::source::FileId;
use ringfence::testing::yaml::{fast, general};

/// Whether the quick reader accepts a text. If so, both must agree.
fn agree(text: &str) -> bool {
    let limits = Limits::default();
    let Some(quick) = fast(FileId(3), text, &limits) else {
        return false;
    };
    let mut mistakes = Vec::new();
    let whole = general(FileId(3), text, &limits, &mut mistakes);
    assert!(mistakes.is_empty(), "{mistakes:#?} in {text:?}");
    assert!(quick == whole, "in {text:?}\n{text}\nquick {quick:#?}\ngeneral {whole:#?}");
    true
}

fn accepted(text: &str) {
    assert!(agree(text), "left to the general parser: {text:?}");
}

fn refused(text: &str) {
    assert!(!agree(text), "accepted: {text:?}");
}

#[test]
fn what_people_write_is_read_quickly() {
    for text in [
        "",
        "# nothing\n",
        "---\n",
        "a: b\n",
        "a: b",
        "a:\n  b: c\n  d:\n    - e\n    - f: g\n      h: i\n",
        "a:\n- b\n- c: d\n  e: f\ng: h\n",
        "- a\n- - b\n  - c\n-\n  d: e\n",
        "a: 'it''s'\nb: \"say \\\"so\\\"\\n\"\nc: \"plain: # no comment\"   # a comment\n",
        "'a': b\n\"c d\": e\n",
        "a: [b, 'c, d', \"e\"]\nf: {g: h, i: [j, {k: l}]}\nm: []\nn: {}\n",
        "a: [b,\n    c,   # why\n    d\n   ]\ne: {f: g,\n  h: i}\n",
        "a:\n  [b, c]\nd:\n  e f\n",
        "a: |\n  one\n   two\n\n  three\n\n\nb: >-\n  one\n  two\n\n  three\n    four\n  five\nc: |+\n  x\n\nd: e\n",
        "- |\n  a\n- >\n  b\n  c\n",
        "a: null\nb: ~\nc:\nd:   # nothing\ne: \"\"\n",
        "---\na: b\n---\n# c\nc: d\n--- # e\n",
        "a: https://example.org/#x?y=[z]\nb: 10:30\nc: -1\nd: a - b, c\n",
        "title: Größe — „so“ 漢字\n",
        "a: x # y\n# z\n\n   # w\nb: c\n",
        "  a: b\n  c: d\n",
        "a : b\n",
        "a: \"r\\u00e9seau \\x41\\U0001F600\\e\\_\\r\\0\"\n",
        "a: b\n...\n",
        "a:\n  b: |\n    c\n...   # d\n# e\n---\nf: [g]\n...",
    ] {
        accepted(text);
    }
}

#[test]
fn what_is_rare_is_left_to_the_general_parser() {
    for text in [
        "a: &x b\nc: *x\n",
        "a: !!str b\n",
        "<<: {a: b}\n",
        "? a\n: b\n",
        "a:\tb\n",
        "a: b\r\n",
        "\u{FEFF}a: b\n",
        "%YAML 1.2\n---\na: b\n",
        "a: b\n  c\n",
        "a: \"b\n  c\"\n",
        "a: b\na: c\n",
        "null: a\n",
        "a: b: c\n",
        "a: |2\n  b\n",
        "a: [b, c: d]\n",
        "a: {b}\n",
        "a: \"\\x4g\"\n",
        "a: \"\\u00e\"\n",
        "a: \"\\ud83d\\ude00\"\n",
        "a: \"\\U00110000\"\n",
        "a: \"\\q\"\n",
        "a: \"\\\n  b\"\n",
        "...\n",
        "---\n...\na: b\n",
        "a: b\n...\nc: d\n",
        "a: b\n...\n...\n",
        "a: b\n...c\n",
        "a: [b,\n...\nc]\n",
        "just a text\n",
        "[a, b]\n",
        "a: \u{85}b\n",
        "a: b\n c: d\n",
        "a:\n    b: c\n  d: e\n",
        "a: [b\n]\n",
        "a: @b\n",
        "a: 'b' c\n",
        "a: b\n- c\n",
        "x: \u{7f}\n",
    ] {
        refused(text);
    }
    let deep = (0..40).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>();
    refused(&deep);
    refused(&format!("a: {}b{}\n", "[".repeat(40), "]".repeat(40)));
    refused(&format!("{}: b\n", "k".repeat(600)));
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, files);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
}

/// The files that come with the program.
fn real() -> Vec<String> {
    let mut files = Vec::new();
    for folder in ["samples", "policies", "taxonomy"] {
        below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn the_files_that_come_with_the_program_read_the_same() {
    let files = real();
    let accepted = files.iter().filter(|text| agree(text)).count();
    assert!(accepted * 2 > files.len(), "only {accepted} of {} are read quickly", files.len());
}

/// Parts that mean something, and parts that are nearly YAML.
const PARTS: [&str; 68] = [
    "a",
    "b",
    "key",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n- ",
    "\n  - ",
    ": ",
    ": ",
    ":",
    " ",
    "  ",
    "- ",
    "-",
    "# c",
    " # c",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    "\"",
    "'",
    "''",
    "\\n",
    "\\\"",
    "\\u00e9",
    "\\x4",
    "\\U0001F600",
    "|\n",
    ">\n",
    "|-\n",
    ">+\n",
    "---\n",
    "\n---\n",
    "...\n",
    "\n...\n",
    "null",
    "~",
    "<<",
    "&x ",
    "*x",
    "!t ",
    "?",
    "? ",
    "%",
    "@",
    "`",
    "\t",
    "\r\n",
    "é",
    "漢",
    "\u{85}",
    "\u{FEFF}",
    "\u{A0}",
    "\u{2028}",
    "x: y\n",
    "- z\n",
    "\n\n",
    "\n ",
    "\n   ",
    "1",
    "=",
    "k: |\n  l\n",
    "[a, b]",
];

/// A block of text lines, as written behind `|` or `>`.
fn lines(indent: usize) -> impl Strategy<Value = String> {
    let line = (0..4_usize, "[a-z #:'-]{0,8}").prop_map(move |(more, text)| match text.trim().is_empty() {
        true => " ".repeat(more),
        false => format!("{}{text}", " ".repeat(indent + more / 3 * 2)),
    });
    ("[|>]", "[+-]?", prop::collection::vec(line, 1..6))
        .prop_map(|(sign, chomp, lines)| format!(" {sign}{chomp}\n{}", lines.join("\n")))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        40 => "[a-z][a-z0-9 ./_-]{0,12}[a-z0-9]",
        1 => "[a-z#:,\\[{!&*?|>@%'\"-]{1,6}",
        6 => "'[a-z#:, ]{0,6}('')?[a-zé]{0,4}'",
        6 => "\"[a-z#:, ]{0,6}(\\\\([0abtnvfreNLPq_ \"/]|x[0-9a-f]{2}|u[0-9a-cA-C][0-9a-fA-F]{3}|U0001[0-9a-f]{4}))?[a-z漢]{0,4}\"",
        1 => "null|~|-1|1e3|2018-10-01|a:b|a#b|x - y",
    ]
}

fn inline() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        let gap = "(, |,\n      |, # c\n      |,)";
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..4), gap)
                .prop_map(|(items, gap)| format!("[{}]", items.join(&gap))),
            (prop::collection::vec(("[a-z]{1,4}", inner), 0..4), gap).prop_map(|(items, gap)| {
                let items: Vec<String> = items.into_iter().map(|(k, v)| format!("{k}: {v}")).collect();
                format!("{{{}}}", items.join(&gap))
            }),
        ]
    })
}

/// What is written below one another: each line with its indentation.
#[derive(Debug, Clone)]
enum Shape {
    Inline(String),
    Lines(String),
    Seq(Vec<Shape>, bool),
    Map(Vec<(String, Shape)>),
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        6 => inline().prop_map(Shape::Inline),
        1 => lines(2).prop_map(Shape::Lines),
        1 => Just(Shape::Inline(String::new())),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 1..5), any::<bool>())
                .prop_map(|(items, flat)| Shape::Seq(items, flat)),
            prop::collection::vec(("[a-z]{1,5}|'q r'|\"s\"", inner), 1..5).prop_map(Shape::Map),
        ]
    })
}

/// Writes a shape behind its key or dash.
fn write(shape: &Shape, indent: usize, behind_key: bool, out: &mut String) {
    let pad = " ".repeat(indent);
    match shape {
        Shape::Inline(text) => {
            if !text.is_empty() {
                *out += " ";
            }
            *out += &text.replace('\n', &format!("\n{pad}"));
            *out += if text.len() % 5 == 1 { "  # said\n" } else { "\n" };
        }
        Shape::Lines(text) => {
            for (at, line) in text.split('\n').enumerate() {
                if at > 0 && !line.trim().is_empty() {
                    *out += &pad;
                }
                *out += line;
                *out += "\n";
            }
        }
        Shape::Seq(items, flat) => {
            let indent = if *flat && behind_key { indent.saturating_sub(2) } else { indent };
            *out += "\n";
            for item in items {
                *out += &format!("{}-", " ".repeat(indent));
                write(item, indent + 2, false, out);
            }
        }
        Shape::Map(entries) => {
            for (at, (key, value)) in entries.iter().enumerate() {
                match (at, behind_key) {
                    (0, false) => *out += " ",
                    (0, true) => *out += &format!("\n{pad}"),
                    _ => *out += &pad,
                }
                *out += &format!("{key}:");
                write(value, indent + 2, true, out);
            }
        }
    }
}

/// Some documents, with what may stand between them.
fn documents() -> impl Strategy<Value = String> {
    let between = "(---|\\.\\.\\.|\\.\\.\\.( # c)?\n---|--- # c|\\.\\.\\.\n\\.\\.\\.)\n";
    prop::collection::vec((document(), between), 1..4)
        .prop_map(|parts| parts.into_iter().map(|(document, between)| document + &between).collect())
}

fn document() -> impl Strategy<Value = String> {
    prop::collection::vec(("[a-z]{1,6}", shape()), 1..5).prop_map(|entries| {
        let mut text = String::new();
        for (key, value) in entries {
            text += &format!("{key}:");
            write(&value, 2, true, &mut text);
        }
        text
    })
}

/// A text with some parts taken out, put in or moved.
fn mutated(text: &str, changes: &[(usize, usize, u8)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for &(at, what, how) in changes {
        let at = at % (text.len() + 1);
        let until = (at + 1 + what % 3).min(text.len());
        match how % 4 {
            0 => drop(text.drain(at..until)),
            1 => drop(text.splice(at..at, PARTS[what % PARTS.len()].chars())),
            2 => drop(text.splice(at..until, PARTS[what % PARTS.len()].chars())),
            _ => {
                let moved: Vec<char> = text.drain(at..until).collect();
                let to = what % (text.len() + 1);
                text.splice(to..to, moved);
            }
        }
    }
    text.into_iter().collect()
}

/// Of a long text the neighbourhood of a line: the readers take long for all of it.
fn part(text: &str, at: usize) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let from = at % lines.len().max(1);
    lines.iter().skip(from).take(40).copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8_000, ..ProptestConfig::default() })]

    #[test]
    fn any_parts_in_any_order(parts in prop::collection::vec(0..PARTS.len(), 0..24)) {
        agree(&parts.into_iter().map(|part| PARTS[part]).collect::<String>());
    }

    #[test]
    fn what_a_grammar_makes(text in document()) {
        agree(&text);
    }

    #[test]
    fn documents_behind_each_other(text in documents()) {
        agree(&text);
    }

    #[test]
    fn what_a_grammar_makes_with_changes(
        text in prop_oneof![document(), documents()],
        changes in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 1..4),
    ) {
        agree(&mutated(&text, &changes));
    }
}

#[test]
fn real_files_with_changes() {
    let files = real();
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 12_000, ..ProptestConfig::default() });
    let change = (any::<usize>(), any::<usize>(), any::<u8>());
    let cases = (0..files.len(), any::<usize>(), prop::collection::vec(change, 0..4));
    runner
        .run(&cases, |(file, at, changes)| {
            agree(&mutated(&part(&files[file], at), &changes));
            Ok(())
        })
        .unwrap();
}

/// The other tests would hold if nothing were read quickly.
#[test]
fn a_fifth_of_what_the_grammar_makes_is_read_quickly() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let made: Vec<String> = (0..500)
        .map(|_| proptest::strategy::ValueTree::current(&document().new_tree(&mut runner).unwrap()))
        .collect();
    let accepted = made.iter().filter(|text| agree(text)).count();
    assert!(accepted >= 100, "only {accepted} of 500");
}
