//! Text that tries to be more than text, in every place of a result and in every
//! format: it changes nothing but the words.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use crate::common::full;
use crate::common::payloads::PAYLOADS;
use ringfence::finding::{Audit, FindingStatus, Summary};
use ringfence::source::Sources;
use ringfence::testing::visible::is_hidden;
use ringfence::vocabulary::Word;
use ringfence::{Format, Places, Report};
use serde_json::Value;

/// Values with a meaning of their own, which no input can choose.
const FIXED: [&str; 12] = [
    "kind",
    "severity",
    "status",
    "what",
    "basis",
    "agreement_status",
    "policy_status",
    "fingerprint",
    "broken_by",
    "digest",
    "day",
    "version",
];

/// The value with this text wherever an input chooses it.
fn filled(value: &Value, payload: &str) -> Value {
    match value {
        Value::String(_) => payload.into(),
        Value::Array(list) => list.iter().map(|v| filled(v, payload)).collect(),
        Value::Object(map) => {
            let fill = |(key, value): (&String, &Value)| {
                let value =
                    if FIXED.contains(&key.as_str()) { value.clone() } else { filled(value, payload) };
                (key.clone(), value)
            };
            map.iter().map(fill).collect()
        }
        other => other.clone(),
    }
}

fn hostile(payload: &str) -> Audit {
    let mut audit = full();
    audit.findings.last_mut().unwrap().status = FindingStatus::Baseline;
    audit.summary = Summary::of(&audit.findings);
    let ids: Vec<String> = audit.rules.iter().map(|rule| rule.id.clone()).collect();
    let mut audit: Audit =
        serde_json::from_value(filled(&serde_json::to_value(audit).unwrap(), payload)).unwrap();
    // Rules stay apart, with the text in their ids.
    for (rule, id) in audit.rules.iter_mut().zip(&ids) {
        rule.id = format!("{payload}{id}");
    }
    for (f, was) in audit.findings.iter_mut().zip(full().findings) {
        f.rule = format!("{payload}{}", was.rule);
    }
    audit
}

fn places(payload: &str) -> Places {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let mut sources = Sources::new();
    let path = folder.path().join("in").join(payload.trim_start_matches('/').replace("..", "up"));
    sources.add_at(payload, path, String::new());
    Places::new(&sources)
}

/// Every payload in every format, written once.
static RENDERED: LazyLock<BTreeMap<String, BTreeMap<&str, String>>> = LazyLock::new(|| {
    let mut all: Vec<String> = PAYLOADS.iter().map(|p| (*p).to_owned()).collect();
    all.extend(["a", "$", "`", "|", "@x ", "<", "=", "\n", "a\n\n"].map(|p| p.repeat(1_500)));
    let rendered = |payload: String| {
        let audit = hostile(&payload);
        let report = Report { places: places(&payload), ..Report::new(&audit) };
        let texts = Format::ALL.iter().map(|f| (f.word(), report.render(*f).unwrap())).collect();
        (payload, texts)
    };
    all.into_iter().map(rendered).collect()
});

fn render(payload: &str, format: Format) -> &'static str {
    &RENDERED[payload][format.word()]
}

fn payloads() -> impl Iterator<Item = &'static String> {
    RENDERED.keys()
}

#[test]
fn no_hidden_character_is_in_any_format() {
    for payload in payloads() {
        for format in Format::ALL {
            let out = render(payload, *format);
            let out = match format {
                Format::Csv | Format::Ropa => &out.strip_prefix('\u{feff}').unwrap().replace("\r\n", "\n"),
                _ => out,
            };
            let hidden =
                out.chars().find(|&c| (is_hidden(c) && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}'));
            // These two are a matter of XML alone.
            let kept = hidden.is_some_and(|c| c >= '\u{fffe}') && *format != Format::Junit;
            assert!(hidden.is_none() || kept, "{}: {hidden:?} of {payload:?}", format.word());
        }
    }
}

/// All texts of a JSON value.
fn texts<'v>(value: &'v Value, all: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(list) => list.iter().for_each(|v| texts(v, all)),
        Value::Object(map) => map.iter().for_each(|(key, v)| {
            all.push(key);
            texts(v, all);
        }),
        _ => {}
    }
}

#[test]
fn json_formats_spell_hidden_characters_out() {
    for payload in payloads() {
        for format in [Format::Sarif, Format::Gitlab] {
            let value: Value = serde_json::from_str(render(payload, format)).unwrap();
            let mut all = Vec::new();
            texts(&value, &mut all);
            for text in all {
                assert!(
                    !text.contains(|c| is_hidden(c) && !matches!(c, '\n' | '\t')),
                    "{payload:?}: {text:?}"
                );
            }
        }
    }
}

#[test]
fn sarif_has_no_link_and_no_broken_uri() {
    for payload in payloads() {
        let text = render(payload, Format::Sarif);
        assert_eq!(crate::common::read::sarif(text).len(), full().findings.len());
        let log: Value = serde_json::from_str(text).unwrap();
        let mut messages = Vec::new();
        let mut uris = Vec::new();
        walk(&log, &mut |key, value| match (key, value.as_str()) {
            ("text", Some(text)) => messages.push(text.to_owned()),
            ("uri", Some(uri)) => uris.push(uri.to_owned()),
            _ => {}
        });
        assert!(!uris.is_empty() || payload.is_empty() || payload.trim_start_matches('/').is_empty());
        for uri in uris {
            let fine = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
            assert!(uri.starts_with("in") && uri.chars().all(fine), "{uri}");
            assert!(!uri.contains(".."), "{uri}");
        }
        for message in messages {
            let ours = ["[this rule](1)", "[this term](1)", "[this promise](1)"];
            let rest = ours.iter().fold(message.clone(), |rest, link| rest.replacen(link, "", 1));
            assert!(!rest.contains("]("), "{message}");
        }
    }
}

fn walk(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| walk(v, see)),
        Value::Object(map) => map.iter().for_each(|(key, v)| {
            see(key, v);
            walk(v, see);
        }),
        _ => {}
    }
}

#[test]
fn no_text_starts_a_workflow_command() {
    let shape = |payload: &str| {
        let (commands, lines) = crate::common::read::commands(render(payload, Format::Github));
        assert_eq!(lines.len(), 1);
        let keys = |c: crate::common::read::Command| {
            let mut keys: Vec<String> = c.properties.into_keys().collect();
            keys.retain(|key| !matches!(key.as_str(), "file" | "line" | "col"));
            (c.name, keys)
        };
        commands.into_iter().map(keys).collect::<Vec<_>>()
    };
    let plain = shape("plain words");
    for payload in payloads() {
        assert_eq!(shape(payload), plain, "{payload:?}");
    }
}

#[test]
fn junit_keeps_its_elements() {
    let shape = |payload: &str| {
        let text = render(payload, Format::Junit);
        let document = roxmltree::Document::parse(text).unwrap();
        let mut elements: BTreeMap<(String, usize), usize> = BTreeMap::new();
        for node in document.descendants().filter(|n| n.is_element()) {
            let key = (node.tag_name().name().to_owned(), node.attributes().count());
            *elements.entry(key).or_default() += 1;
        }
        // Rules that share a set are one suite, and the text can hold the sign that
        // parts a set from its rule.
        elements.remove(&("testsuite".to_owned(), 5));
        elements
    };
    let plain = shape("plain words");
    for payload in payloads() {
        assert_eq!(shape(payload), plain, "{payload:?}");
    }
}

#[test]
fn gitlab_has_an_entry_for_each_finding_and_all_fingerprints_differ() {
    for payload in payloads() {
        let entries: Vec<Value> = serde_json::from_str(render(payload, Format::Gitlab)).unwrap();
        let mut prints: Vec<&str> = entries.iter().map(|e| e["fingerprint"].as_str().unwrap()).collect();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), full().findings.len());
        for entry in &entries {
            let description = entry["description"].as_str().unwrap();
            assert!(!description.contains('\n') && description.chars().count() <= 1000);
        }
    }
    let mut audit = full();
    audit.findings.iter_mut().for_each(|f| f.fingerprint = "rf1:0".to_owned());
    let text = Report::new(&audit).render(Format::Gitlab).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let prints: std::collections::BTreeSet<&str> =
        entries.iter().map(|e| e["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), audit.findings.len());
}

#[test]
fn csv_keeps_its_cells_and_none_is_a_formula() {
    for payload in payloads() {
        let text = render(payload, Format::Csv);
        let rows = crate::common::read::csv_rows(text);
        assert_eq!(rows.len(), full().findings.len());
        for (column, cell) in rows.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{column}: {cell:?}");
            assert!(!cell.contains(['\n', '\r']), "{column}: {cell:?}");
        }
        // Who splits at other signs finds no formula either.
        for piece in text.split([',', ';', '\t', '\n', '|', '"']) {
            assert!(!piece.trim_start().starts_with(['=', '+', '-', '@']), "{piece:?}");
        }
    }
}

#[test]
fn a_comment_keeps_its_parts() {
    let plain = crate::common::read::parts(render("plain words", Format::Markdown));
    for payload in payloads() {
        let comment = render(payload, Format::Markdown);
        assert!(comment.chars().count() <= 60_000);
        let parts = crate::common::read::parts(comment);
        // Long texts leave less room, and where there is none a line is left out; all
        // others leave the comment as it is.
        if payload.len() < 1000 && !payload.trim().is_empty() {
            assert_eq!(parts, plain, "{payload:?}\n{comment}");
        }
    }
}

/// `RINGFENCE_FORMATS=FOLDER` writes all of them for programs that read the formats.
#[test]
fn hostile_results_are_there_for_other_programs() {
    let Some(folder) = std::env::var_os("RINGFENCE_FORMATS") else {
        return;
    };
    let folder = Path::new(&folder);
    for (number, payload) in payloads().enumerate() {
        for format in Format::ALL {
            let file = folder.join(format!("hostile-{number}.{}", format.word()));
            std::fs::write(file, render(payload, *format)).unwrap();
        }
    }
}
