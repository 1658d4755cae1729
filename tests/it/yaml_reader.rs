//! The reader of YAML: every scalar stands where its span says, and values are those
//! that another reader finds.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use ringfence::source::{FileId, Span};
use ringfence::testing::yaml::{Node, Scalar, Value, parse};
use ringfence::{Diagnostic, Limits};
use serde_yaml::Value as Other;

fn read(text: &str) -> (Vec<Node<'_>>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let documents = parse(FileId(0), text, &Limits::default(), &mut diagnostics);
    (documents, diagnostics)
}

fn documents(text: &str) -> Vec<Node<'_>> {
    let (documents, diagnostics) = read(text);
    assert_eq!(diagnostics, [], "in {text:?}");
    documents
}

fn source(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// A node's scalars and keys: what they hold, how they are written, where.
fn scalars<'n>(node: &'n Node, found: &mut Vec<(&'n str, Option<bool>, Span)>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(Scalar { text, plain }) => found.push((text, Some(*plain), node.span)),
        Value::Seq(items) => items.iter().for_each(|item| scalars(item, found)),
        Value::Map(entries) => {
            for entry in entries {
                found.push((&entry.key, None, entry.key_span));
                scalars(&entry.value, found);
            }
        }
    }
}

/// Plain scalars of one line are their source; the source of any, read again where it
/// stood, is the same value.
fn positions_hold(text: &str, nodes: &[Node]) {
    let mut found = Vec::new();
    nodes.iter().for_each(|node| scalars(node, &mut found));
    for (value, plain, span) in found {
        let written = source(text, span);
        if plain == Some(true) && !written.contains(['\n', '\r']) {
            assert_eq!(written, value, "in {text:?}");
        }
        if plain == Some(false) && !written.starts_with(['\'', '"']) {
            // A block, which begins behind its `|` or `>`: its words in their order.
            assert!(written.split_whitespace().eq(value.split_whitespace()), "{written:?} in {text:?}");
            continue;
        }
        let line = format!("{written}\n");
        let again = documents(&line);
        match again.as_slice() {
            [Node { value: Value::Scalar(Scalar { text: again, .. }), .. }] => {
                assert_eq!(again, value, "{written:?} in {text:?}");
            }
            // A key that is `''` or one whose value is dropped.
            other => panic!("{other:?} for {written:?} in {text:?}"),
        }
    }
}

/// Spans lie within the text, on characters, and children within their parents.
fn spans_nest(text: &str, node: &Node) {
    let inside = |inner: Span| {
        assert!(text.get(inner.start as usize..inner.end as usize).is_some(), "{inner:?} in {text:?}");
        assert!(
            node.span.start <= inner.start && inner.end <= node.span.end,
            "{inner:?} in {:?} of {text:?}",
            node.span
        );
    };
    inside(node.span);
    match &node.value {
        Value::Seq(items) => {
            for item in items {
                inside(item.span);
                spans_nest(text, item);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                inside(entry.key_span);
                inside(entry.value.span);
                spans_nest(text, &entry.value);
            }
        }
        _ => {}
    }
}

/// Whether both readers found the same.
fn same(ours: &Node, other: &Other) -> bool {
    match (&ours.value, other) {
        (Value::Null, Other::Null) => true,
        (Value::Scalar(s), Other::String(text)) => s.text == *text,
        (Value::Scalar(s), Other::Bool(b)) => s.plain && s.text.eq_ignore_ascii_case(&b.to_string()),
        (Value::Scalar(s), Other::Number(_)) => {
            // What the other reader makes of our text, written plain.
            s.plain
                && serde_yaml::from_str::<Other>(&s.text).is_ok_and(|again| again == *other || is_nan(other))
        }
        (Value::Seq(items), Other::Sequence(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(a, b)| same(a, b))
        }
        (Value::Map(entries), Other::Mapping(others)) => {
            entries.len() == others.len()
                && entries.iter().all(|e| {
                    others.iter().any(|(key, value)| {
                        let named = match key {
                            Other::String(text) => *text == e.key,
                            scalar => serde_yaml::from_str::<Other>(&e.key).is_ok_and(|k| k == *scalar),
                        };
                        named && same(&e.value, value)
                    })
                })
        }
        (_, Other::Tagged(tagged)) => same(ours, &tagged.value),
        _ => false,
    }
}

fn is_nan(value: &Other) -> bool {
    value.as_f64().is_some_and(f64::is_nan)
}

fn others(text: &str) -> Vec<Other> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(text)
        .map(|document| {
            let mut value = Other::deserialize(document).unwrap_or_else(|e| panic!("{e} in {text:?}"));
            value.apply_merge().unwrap_or_else(|e| panic!("{e} in {text:?}"));
            value
        })
        .filter(|value| !value.is_null())
        .collect()
}

fn agree(text: &str) {
    let (ours, others) = (documents(text), others(text));
    assert_eq!(ours.len(), others.len(), "{ours:#?}\n{others:#?}\nin {text:?}");
    for (ours, other) in ours.iter().zip(&others) {
        assert!(same(ours, other), "{ours:#?}\n{other:#?}\nin {text:?}");
    }
}

fn files(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            found.push(path);
        }
    }
}

#[test]
fn all_our_own_files_are_read_alike_and_positions_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["samples", "policies", "taxonomy"] {
        files(&root.join(folder), &mut found);
    }
    let mut compared = 0;
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let (nodes, diagnostics) = read(&text);
        if diagnostics.is_empty() {
            agree(&text);
            positions_hold(&text, &nodes);
            // What an alias brings in stands elsewhere.
            if !text.contains(['&', '*']) {
                nodes.iter().for_each(|node| spans_nest(&text, node));
            }
            compared += 1;
        } else {
            assert!(path.to_string_lossy().contains("bad-input"), "{diagnostics:?} in {}", path.display());
        }
    }
    assert!(compared > 40, "{compared}");
}

/// One of everything, by hand.
const TEXTS: [&str; 24] = [
    "a: b\n",
    "a: b",
    "a:   b   # c\nd: [e, f g, 'h', \"i\"]   \n",
    "- a\n- - b\n  - c: d\n    e: f\n-\n  - g\n",
    "{a: b, c: {d: [e, {f: g}]}, h: , i}\n",
    "a: |\n  one\n  two\nb: >-\n  one\n  two\n\nc: |+\n  x\n\nd: e\n",
    "- |\n one\n- >\n two\n three\n\n\n- last\n",
    "a: one\n  two\n  three\nb: c\n",
    "a: 'it''s'\nb: \"a\\tb\\u00e9\\\"\"\nc: \"one\n  two\"\n",
    "ключ: значение\nname: Ørsted A/S – «Größe» 🏦 x\nafter: [日本, x]\n",
    "a: &x one\nb: *x\nc: &y [p, q]\nd: *y\n",
    "base: &b {k: v, l: w}\nuse:\n  <<: *b\n  k: own\n",
    "a: &a {k: 1}\nb: &b {k: 2, l: 3}\nc: {<<: [*a, *b], m: 4}\n",
    "--- a\n--- b\n...\n---\nc: d\n",
    "# only\n---\n# nothing\n---\na: b\n",
    "%YAML 1.2\n---\na: b\n",
    "\"quoted key\": v\n'other': w\n? explicit\n: value\n",
    "a: http://x.y/z?q=1#frag\nb: a:b\nc: -x\nd: ?y\ne: :z\n",
    "a: !!str 12\nb: ! 12\nc: !!int 12\n",
    "a: ~\nb: null\nc:\nd: ''\ne: 'null'\nf: NULL\ng: Null\nh: nULL\n",
    "a: [\n  b, # c\n  d\n  ,\n  e\n]\n",
    "\na:\n\n\n  - b\n\n\n  - c\n\n",
    "a: \"\\\n  x\"\nb: y\n",
    "a:\n- b\n- c\nd:\n- e\n",
];

#[test]
fn texts_by_hand_are_read_alike_and_positions_hold() {
    for text in TEXTS {
        for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{FEFF}{text}")] {
            let nodes = documents(&text);
            positions_hold(&text, &nodes);
            if !text.contains("<<") && !text.contains('*') {
                nodes.iter().for_each(|node| spans_nest(&text, node));
            }
            let plain = text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n");
            // `!` and the spelling of null are where the readers differ by design.
            if !plain.contains("! 12") && !plain.contains("nULL") {
                agree(&plain);
            }
            // Whatever ends the lines, the values are the same.
            let values = |nodes: &[Node]| -> Vec<String> {
                let mut found = Vec::new();
                nodes.iter().for_each(|node| scalars(node, &mut found));
                found.iter().map(|(value, ..)| (*value).to_owned()).collect()
            };
            assert_eq!(values(&nodes), values(&documents(&plain)), "in {text:?}");
        }
    }
}

#[test]
fn null_is_null_only_plain() {
    let nodes = documents("[~, null, Null, NULL, '', 'null', \"~\", nULL, !!str null, ! ~]");
    let Value::Seq(items) = &nodes[0].value else { panic!() };
    let nulls: Vec<bool> = items.iter().map(|n| n.value == Value::Null).collect();
    assert_eq!(nulls, [true, true, true, true, false, false, false, false, false, false]);
}

#[test]
fn an_alias_stands_where_its_anchor_is_written() {
    let text = "a: &x one\nb: *x\nc: {<<: &y {k: v}}\nd: *y\n";
    let nodes = documents(text);
    let mut found = Vec::new();
    scalars(&nodes[0], &mut found);
    let placed: Vec<(&str, u32)> = found.iter().map(|(value, _, span)| (*value, span.start)).collect();
    assert_eq!(
        placed,
        [
            ("a", 0),
            ("one", 6),
            ("b", 10),
            ("one", 6),
            ("c", 16),
            ("k", 28),
            ("v", 31),
            ("d", 35),
            ("k", 28),
            ("v", 31)
        ]
    );
}

#[test]
fn a_list_of_aliases_stands_where_it_is_written() {
    let text = "a: &x one\nb:\n  - *x\n  - *x\nc: {d: *x}\ne:\n  *x : 1\n";
    let nodes = documents(text);
    let Value::Map(entries) = &nodes[0].value else { panic!() };
    let written: Vec<&str> = entries.iter().map(|e| source(text, e.value.span)).collect();
    assert_eq!(written, ["one", "- *x\n  - *x", "{d: *x}", "*x : 1"]);
    assert_eq!(source(text, nodes[0].span), text.trim_end());
}

#[test]
fn anchors_hold_within_their_document_and_may_be_set_again() {
    let (_, diagnostics) = read("a: &x 1\n---\nb: *x\n");
    assert_eq!(diagnostics[0].code, "unknown-alias");
    let nodes = documents("a: &x 1\nb: &x 2\nc: *x\n");
    let Value::Map(entries) = &nodes[0].value else { panic!() };
    assert_eq!(entries[2].value.value, Value::Scalar(Scalar { text: "2".into(), plain: true }));
}

#[test]
fn limits_are_kept() {
    let code = |text: &str, limits: Limits| {
        let mut diagnostics = Vec::new();
        parse(FileId(0), text, &limits, &mut diagnostics);
        diagnostics.first().map(|d| d.code)
    };
    let few = Limits { depth: 4, aliases: 10, ..Limits::USUAL };
    assert_eq!(code("[[[[a]]]]", few), None);
    assert_eq!(code("[[[[[a]]]]]", few), Some("too-deep"));
    assert_eq!(code("- - - - - a", few), Some("too-deep"));
    assert_eq!(
        code(
            "a: &a [x]\nb: &b [*a]\nc: &c [*b]\nd: [*c]",
            Limits { depth: 4, aliases: 100, ..Limits::USUAL }
        ),
        Some("too-deep")
    );
    assert_eq!(code("a: &a x\nb: [*a, *a, *a]", few), None);
    assert_eq!(code("a: &a [x, x, x, x]\nb: [*a, *a, *a]", few), Some("too-many-aliases"));
    let long = format!("a: &a {}\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]", "x".repeat(10_000));
    assert_eq!(code(&long, few), Some("too-many-aliases"));
    assert_eq!(code("&a [&b [&c [x, x, x, x, x]]]", few), Some("too-many-aliases"));
}

fn value() -> impl Strategy<Value = Other> {
    let text = prop_oneof![
        "[a-z]{1,8}",
        "[ -~]{0,12}",
        "\\PC{0,12}",
        "[a-z ]{0,8}\n[a-z ]{0,8}\n?",
        Just("null".to_owned()),
        Just("~".to_owned()),
        Just("NO".to_owned()),
        Just("on".to_owned()),
        Just("1e3".to_owned()),
        Just("0o17".to_owned()),
        Just("2018-10-01".to_owned()),
        Just("x".repeat(200)),
    ];
    let leaf = prop_oneof![
        Just(Other::Null),
        any::<bool>().prop_map(Other::from),
        any::<i64>().prop_map(Other::from),
        any::<f64>().prop_map(Other::from),
        text.clone().prop_map(Other::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Other::from),
            // The writer does not quote `<<`, which then merges instead of being a key.
            prop::collection::btree_map(text.clone().prop_filter("a merge", |key| key != "<<"), inner, 0..6)
                .prop_map(|map| Other::Mapping(map.into_iter().map(|(k, v)| (Other::from(k), v)).collect())),
        ]
    })
}

/// A text of documents in any style, written by hand from a tree of words.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(String),
    Seq(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        "[a-zà-ü日本🏦]{1,6}( [a-z]{1,4})?".prop_map(Tree::Scalar),
        "'[a-z:, #\\[é]{0,8}'".prop_map(Tree::Scalar),
        "\"[a-z:, #{ß🏦]{0,8}\"".prop_map(Tree::Scalar),
        "[0-9]{1,3}[dmy]?".prop_map(Tree::Scalar),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(Tree::Seq),
            prop::collection::btree_map("[a-zé]{1,5}", inner, 1..5)
                .prop_map(|map| Tree::Map(map.into_iter().collect())),
        ]
    })
}

fn flow(tree: &Tree) -> String {
    match tree {
        Tree::Scalar(text) => text.clone(),
        Tree::Seq(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Tree::Map(entries) => {
            let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{k}: {}", flow(v))).collect();
            format!("{{{}}}", entries.join(" , "))
        }
    }
}

/// In block style down to a depth, in flow style below.
fn block(tree: &Tree, indent: usize, depth: usize) -> String {
    let pad = " ".repeat(indent);
    match tree {
        Tree::Seq(items) if depth > 0 => items
            .iter()
            .map(|item| match item {
                Tree::Scalar(_) => format!("{pad}- {} # é\n", flow(item)),
                _ if depth == 1 => format!("{pad}- {}\n", flow(item)),
                _ => format!("{pad}-\n{}", block(item, indent + 2, depth - 1)),
            })
            .collect(),
        Tree::Map(entries) if depth > 0 => entries
            .iter()
            .map(|(key, value)| match value {
                Tree::Scalar(_) => format!("{pad}{key}:  {}\n", flow(value)),
                _ if depth == 1 => format!("{pad}{key}: {}\n", flow(value)),
                _ => format!("{pad}{key}:\n{}", block(value, indent + 2, depth - 1)),
            })
            .collect(),
        _ => format!("{pad}{}\n", flow(tree)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_another_writes_is_read_alike(value in value()) {
        let text = serde_yaml::to_string(&value).unwrap();
        let nodes = documents(&text);
        // Numbers change with rounding, texts must not: compared with what the other reads.
        let again: Vec<Other> = others(&text);
        prop_assert_eq!(nodes.len(), again.len(), "in {:?}", text);
        for (ours, other) in nodes.iter().zip(&again) {
            prop_assert!(same(ours, other), "{:#?}\n{:#?}\nin {:?}", ours, other, text);
            spans_nest(&text, ours);
        }
    }

    #[test]
    fn positions_hold_in_any_style(trees in prop::collection::vec(tree(), 1..4), depth in 0usize..5, crlf: bool, bom: bool) {
        let mut text: String = trees.iter().map(|tree| format!("---\n{}", block(tree, 0, depth))).collect();
        agree(&text);
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        if bom {
            text.insert(0, '\u{FEFF}');
        }
        let nodes = documents(&text);
        prop_assert_eq!(nodes.len(), trees.len());
        positions_hold(&text, &nodes);
        nodes.iter().for_each(|node| spans_nest(&text, node));
    }

    #[test]
    fn any_text_at_all_is_read_or_refused(text in "[-\\[\\]{}&*!|>?:, \"'#%@`~<=a-c0\\n\\r\\t\u{FEFF}é]{0,60}") {
        let (nodes, diagnostics) = read(&text);
        for diagnostic in &diagnostics {
            let place = diagnostic.primary.as_ref().unwrap().span;
            prop_assert!(text.get(place.start as usize..place.end as usize).is_some(), "{:?} in {:?}", place, text);
        }
        for node in &nodes {
            let mut found = Vec::new();
            scalars(node, &mut found);
            for (.., span) in found {
                prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?} in {:?}", span, text);
            }
        }
    }
}
