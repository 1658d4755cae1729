//! Reads each format back, as its consumers do.

#![allow(dead_code)]

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

/// What a format says of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub fingerprint: String,
    pub rule: String,
    /// `new`, `baseline` or `waived`.
    pub status: String,
    pub fails: bool,
}

fn seen(fingerprint: &str, rule: &str, status: &str, fails: bool) -> Seen {
    let (fingerprint, rule, status) = (fingerprint.to_owned(), rule.to_owned(), status.to_owned());
    Seen { fingerprint, rule, status, fails }
}

fn sorted(all: impl Iterator<Item = Seen>) -> Vec<Seen> {
    let mut all: Vec<Seen> = all.collect();
    all.sort();
    all
}

/// What an acceptance in words means.
fn status(accepted: &str) -> &'static str {
    match accepted {
        "" => "new",
        words if words.contains("in the baseline") => "baseline",
        words if words.contains("waived") => "waived",
        words => panic!("{words}"),
    }
}

pub fn sarif(text: &str) -> Vec<Seen> {
    let log: Value = serde_json::from_str(text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let rules = &log["runs"][0]["tool"]["driver"]["rules"];
    sorted(results.iter().map(|r| {
        assert_eq!(rules[r["ruleIndex"].as_u64().unwrap() as usize]["id"], r["ruleId"]);
        let accepted = match r["suppressions"].as_array().unwrap().as_slice() {
            [] => "",
            [one] => one["justification"].as_str().unwrap(),
            more => panic!("{more:?}"),
        };
        let fingerprint = r["partialFingerprints"]["ringfence/v1"].as_str().unwrap();
        let fails = r["properties"]["stops"].as_bool().unwrap();
        seen(fingerprint, r["ruleId"].as_str().unwrap(), status(accepted), fails)
    }))
}

pub fn csv_rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

pub fn csv(text: &str) -> Vec<Seen> {
    sorted(
        csv_rows(text)
            .iter()
            .map(|row| seen(&row["fingerprint"], &row["rule"], &row["status"], row["fails"] == "true")),
    )
}

/// GitLab does not know what fails: `fails` is whether an entry is more than `info`.
pub fn gitlab(text: &str) -> Vec<Seen> {
    let entries: Vec<Value> = serde_json::from_str(text).unwrap();
    sorted(entries.iter().map(|e| {
        let said = e["description"].as_str().unwrap();
        let marks = said.strip_prefix('[').and_then(|s| s.split_once(']')).map_or("", |(marks, _)| marks);
        let accepted = if marks.contains("waived") || marks.contains("baseline") { marks } else { "" };
        let fingerprint = e["fingerprint"].as_str().unwrap();
        seen(fingerprint, e["check_name"].as_str().unwrap(), status(accepted), e["severity"] != "info")
    }))
}

pub fn junit(text: &str) -> Vec<Seen> {
    let document = roxmltree::Document::parse(text).unwrap();
    let number = |node: roxmltree::Node, name: &str| -> usize {
        node.attribute(name).map_or(0, |value| value.parse().unwrap())
    };
    let mut all = Vec::new();
    for suite in document.root_element().children().filter(|n| n.has_tag_name("testsuite")) {
        let of = |tag: &str| {
            let cases = suite.children().filter(|n| n.has_tag_name("testcase"));
            cases.filter(|case| tag.is_empty() || case.children().any(|n| n.has_tag_name(tag))).count()
        };
        let said = ["tests", "failures", "skipped"].map(|name| number(suite, name));
        assert_eq!(said, ["", "failure", "skipped"].map(of), "{:?}", suite.attribute("name"));
        for case in suite.children().filter(|n| n.has_tag_name("testcase")) {
            let name = case.attribute("name").unwrap();
            let Some((_, fingerprint)) = name.strip_suffix(')').and_then(|n| n.rsplit_once("(rf1:")) else {
                continue;
            };
            let skipped = case.children().find(|n| n.has_tag_name("skipped"));
            let why = skipped.map_or("", |n| n.attribute("message").unwrap());
            let why = why.split(": ").next().unwrap();
            let accepted = if why.contains("waived") || why.contains("baseline") { why } else { "" };
            let fails = case.children().any(|n| n.has_tag_name("failure"));
            let rule = case.attribute("classname").unwrap().replace('.', "/");
            all.push(seen(&format!("rf1:{fingerprint}"), &rule, status(accepted), fails));
        }
    }
    let failures = document.descendants().filter(|n| n.has_tag_name("failure")).count();
    let tests = document.descendants().filter(|n| n.has_tag_name("testcase")).count();
    let root = document.root_element();
    assert_eq!((number(root, "tests"), number(root, "failures")), (tests, failures));
    sorted(all.into_iter())
}

/// A workflow command.
#[derive(Debug)]
pub struct Command {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub value: String,
}

/// The commands, read as the runner does, and the lines that are none.
pub fn commands(text: &str) -> (Vec<Command>, Vec<String>) {
    let plain = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let (mut commands, mut lines) = (Vec::new(), Vec::new());
    for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        let Some(rest) = line.trim_start().strip_prefix("::") else {
            // The older form is looked for anywhere in a line.
            assert!(!line.contains("##["), "{line}");
            lines.push(line.to_owned());
            continue;
        };
        let (head, value) = rest.split_once("::").unwrap();
        let (name, rest) = head.split_once(' ').unwrap();
        let mut properties = BTreeMap::new();
        for property in rest.split(',') {
            let (key, value) = property.split_once('=').unwrap();
            let value = plain(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
            assert!(properties.insert(key.to_owned(), value).is_none(), "{line}");
        }
        commands.push(Command { name: name.to_owned(), properties, value: plain(value).replace("%25", "%") });
    }
    (commands, lines)
}

pub fn github(text: &str) -> Vec<Seen> {
    let (commands, _) = commands(text);
    sorted(commands.iter().filter_map(|c| {
        let (rule, fingerprint) = c.value.lines().last()?.split_once(" rf1:")?;
        let mark = |line: &&str| *line == "in the baseline" || line.starts_with("waived");
        let accepted = c.value.lines().find(mark).unwrap_or_default();
        Some(seen(&format!("rf1:{fingerprint}"), rule, status(accepted), c.name == "error"))
    }))
}

/// How many findings a comment counts: new, failing, in the baseline, waived.
pub fn markdown(text: &str) -> [usize; 4] {
    let number = |name: &str| {
        let row = text.lines().find(|line| line.starts_with(&format!("| {name} |")));
        row.map_or(0, |row| row.trim_end_matches(" |").rsplit(' ').next().unwrap().parse().unwrap())
    };
    let failing = number("failing");
    [failing + number("for information"), failing, number("in the baseline"), number("waived")]
}

/// What a comment is made of: each kind of part and how many of it there are. Fails on
/// what no text from elsewhere may become.
pub fn parts(text: &str) -> BTreeMap<String, usize> {
    let mut parts: BTreeMap<String, usize> = BTreeMap::new();
    let mut prose = String::new();
    let mut code = 0;
    for event in Parser::new_ext(text, Options::all()) {
        let part = match &event {
            Event::Start(Tag::CodeBlock(_)) => panic!("a block of code: {text}"),
            Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::FootnoteDefinition(_))) => {
                panic!("{tag:?}: {text}")
            }
            Event::Start(
                tag @ (Tag::Emphasis
                | Tag::Strikethrough
                | Tag::Superscript
                | Tag::Subscript
                | Tag::MetadataBlock(_)
                | Tag::DefinitionList),
            ) => panic!("{tag:?}: {text}"),
            Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {
                panic!("{event:?}: {text}")
            }
            Event::TaskListMarker(_) | Event::Rule | Event::HardBreak => panic!("{event:?}: {text}"),
            Event::Html(html) | Event::InlineHtml(html) => {
                let html = html.trim();
                let ours = ["<!-- ringfence -->", "</details>", "<span>", "</span>", "<code>", "</code>"];
                let folds = html.strip_prefix("<details><summary>").is_some_and(|rest| {
                    rest.strip_suffix("</summary>").is_some_and(|words| !words.contains(['<', '&']))
                });
                assert!(ours.contains(&html) || folds, "{html:?}: {text}");
                match html {
                    "<span>" | "</span>" | "<code>" | "</code>" => None,
                    html => Some(html.split(' ').next().unwrap().to_owned()),
                }
            }
            Event::Text(words) => {
                prose.push_str(words);
                None
            }
            Event::Code(_) => {
                code += 1;
                prose.push(' ');
                None
            }
            Event::Start(tag) => Some(format!("{:?}", tag.to_end())),
            Event::End(TagEnd::TableCell | TagEnd::Paragraph | TagEnd::Item) | Event::SoftBreak => {
                prose.push('\n');
                None
            }
            _ => None,
        };
        if let Some(part) = part {
            *parts.entry(part).or_default() += 1;
        }
    }
    assert!(code > 0);
    references(&prose);
    parts
}

/// What services look for in the rendered text.
fn references(prose: &str) {
    let chars: Vec<char> = prose.chars().collect();
    for (index, pair) in chars.windows(2).enumerate() {
        let [sign, next] = pair else { unreachable!() };
        if matches!(sign, '@' | '#' | '!' | '~' | '%' | '&') {
            assert!(next.is_whitespace() || *next == '\u{200b}', "{:?}", &chars[index.saturating_sub(9)..]);
        }
    }
    let lower = prose.to_lowercase();
    for start in ["http:/", "https:/", "ftp:/", "www.", "mailto:a", "xmpp:a", "gh-1"] {
        assert!(!lower.contains(start), "{start}: {prose}");
    }
}
