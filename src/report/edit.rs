//! Adds a waiver to a file's text and leaves every other byte as it is.

use jiff::civil::Date;

use crate::base::finding::Finding;
use crate::base::source::FileId;
use crate::base::visible::{is_hidden, visible};
use crate::base::vocabulary::Word;
use crate::declare::baseline::is_by_agreement;
use crate::read::yaml::{self, Limits, Node, Value};
use crate::report::about;

/// What a new waiver says.
#[derive(Debug, Clone)]
pub struct NewWaiver<'w> {
    /// What it accepts.
    pub finding: &'w Finding,
    /// Why.
    pub reason: &'w str,
    /// By whom.
    pub approved_by: &'w str,
    /// The first day on which it holds.
    pub approved_on: Date,
    /// The last day on which it holds.
    pub expires: Date,
    /// Where it was decided.
    pub ticket: Option<&'w str>,
}

impl NewWaiver<'_> {
    /// Its keys and values as YAML.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let list = |names: &[String]| {
            // Categories read as they are; an agreement may be called `null` or `12`.
            let name = |name: &String| if name.contains('.') { name.clone() } else { quoted(name) };
            format!("[{}]", names.iter().map(name).collect::<Vec<_>>().join(", "))
        };
        let finding = self.finding;
        let agreements = is_by_agreement(&finding.rule).then_some(finding.agreements.as_slice());
        let accepted = [
            ("data", finding.data.as_slice()),
            ("arrives_as", finding.arrives_as.as_slice()),
            ("agreements", agreements.unwrap_or_default()),
            ("origins", finding.whose().unwrap_or_default()),
        ];
        let mut pairs = vec![("finding", quoted(&finding.fingerprint))];
        let stated = accepted.into_iter().filter(|(_, names)| !names.is_empty());
        pairs.extend(stated.map(|(key, names)| (key, list(names))));
        pairs.push(("severity", finding.severity.word().to_owned()));
        pairs.push(("prospective", finding.prospective.to_string()));
        pairs.push(("reason", quoted(self.reason)));
        pairs.push(("approved_by", quoted(self.approved_by)));
        pairs.push(("approved_on", self.approved_on.to_string()));
        pairs.push(("expires", self.expires.to_string()));
        pairs.extend(self.ticket.map(|ticket| ("ticket", quoted(ticket))));
        pairs
    }

    fn block(&self, indent: usize, end: &str) -> String {
        let lead = " ".repeat(indent);
        let about = visible(&about(self.finding));
        let mut text = format!("{lead}# {}: {about}{end}", visible(&self.finding.rule));
        for (at, (key, value)) in self.pairs().into_iter().enumerate() {
            let dash = if at == 0 { "- " } else { "  " };
            text += &format!("{lead}{dash}{key}: {value}{end}");
        }
        text
    }

    fn flow(&self) -> String {
        let pairs: Vec<String> = self.pairs().into_iter().map(|(k, v)| format!("{k}: {v}")).collect();
        format!("{{{}}}", pairs.join(", "))
    }
}

/// A text between double quotes that reads back the same.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // YAML knows no U+FFFE and U+FFFF but as escapes.
            c if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("\\U{:08X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text with the waiver added at the end of its `waivers`, or with such a list at its
/// end. `None`: this cannot be done without touching something else.
pub fn with_waiver(text: &str, waiver: &NewWaiver, limits: &Limits) -> Option<String> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let before = parse(text, limits)?;
    let list = before.iter().find_map(waivers);
    let new = match list {
        None => {
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
            let line = if text.trim().is_empty() { "" } else { end };
            format!("{text}{gap}{line}waivers:{end}{}", waiver.block(2, end))
        }
        Some((key, node)) => match &node.value {
            Value::Seq(items) => match items.last() {
                Some(last) if text.get(node.span.start as usize..)?.starts_with('[') => {
                    flow(text, node, last, waiver)?
                }
                Some(last) => block(text, last, waiver, end)?,
                // `[]`: what follows on its line stays there.
                None => {
                    let (from, to) = (node.span.start as usize, node.span.end as usize);
                    let cut = format!("{}{}", text.get(..from)?.trim_end_matches(' '), text.get(to..)?);
                    let at = from - (text.get(..from)?.len() - text.get(..from)?.trim_end_matches(' ').len());
                    below(&cut, at, waiver, column(text, key)? + 2, end)?
                }
            },
            Value::Null => below(text, key, waiver, column(text, key)? + 2, end)?,
            _ => return None,
        },
    };
    let after = parse(&new, limits)?;
    unchanged(&before, &after).then_some(new)
}

pub(super) fn parse<'t>(text: &'t str, limits: &Limits) -> Option<Vec<Node<'t>>> {
    let mut mistakes = Vec::new();
    let nodes = yaml::parse(FileId(0), text, limits, &mut mistakes);
    mistakes.is_empty().then_some(nodes)
}

/// Where the key is, and its value.
fn waivers<'n>(document: &'n Node<'n>) -> Option<(usize, &'n Node<'n>)> {
    let Value::Map(entries) = &document.value else {
        return None;
    };
    let entry = entries.iter().find(|e| e.key == "waivers")?;
    Some((entry.key_span.start as usize, &entry.value))
}

/// How far from the start of its line a byte is.
pub(super) fn column(text: &str, at: usize) -> Option<usize> {
    Some(text.get(..at)?.chars().rev().take_while(|&c| c != '\n').count())
}

/// The waiver on the lines below the one that a byte is on.
fn below(text: &str, at: usize, waiver: &NewWaiver, indent: usize, end: &str) -> Option<String> {
    let line = text.get(at..)?.find('\n').map_or(text.len(), |n| at + n + 1);
    let (head, tail) = (text.get(..line)?, text.get(line..)?);
    let gap = if head.ends_with('\n') { "" } else { end };
    Some(format!("{head}{gap}{}{tail}", waiver.block(indent, end)))
}

/// The last byte that a node has, those within it counted.
fn last_byte(node: &Node) -> u32 {
    let within = match &node.value {
        Value::Map(entries) => entries.iter().map(|e| last_byte(&e.value).max(e.key_span.end)).max(),
        Value::Seq(items) => items.iter().map(last_byte).max(),
        _ => Some(node.span.end),
    };
    within.unwrap_or(node.span.end)
}

/// The dash of a list's item that begins there: on its line, or above it with nothing but
/// blank lines and comments between.
fn dash(text: &str, item: usize) -> Option<usize> {
    let mut until = item;
    loop {
        let start = text.get(..until)?.rfind('\n').map_or(0, |n| n + 1);
        let line = text.get(start..until)?;
        let words = line.trim_start();
        if words.starts_with('-') {
            return Some(start + line.len() - words.len());
        }
        if !words.is_empty() && !words.starts_with('#') {
            return None;
        }
        until = start.checked_sub(1)?;
    }
}

/// After the last of a list's items, each with its dash.
fn block(text: &str, last: &Node, waiver: &NewWaiver, end: &str) -> Option<String> {
    let dash = dash(text, last.span.start as usize)?;
    let indent = column(text, dash)?;
    let at = last_byte(last) as usize;
    // A text over several lines ends behind its last line.
    let at = if text.get(..at)?.ends_with('\n') { at.saturating_sub(1) } else { at };
    below(text, at, waiver, indent, end)
}

/// Before the closing bracket.
fn flow(text: &str, node: &Node, last: &Node, waiver: &NewWaiver) -> Option<String> {
    let start = last_byte(last) as usize;
    let close = start + text.get(start..node.span.end as usize)?.rfind(']')?;
    let (head, tail) = (text.get(..close)?, text.get(close..)?);
    let kept = head.trim_end();
    let comma = if kept.ends_with(',') { " " } else { ", " };
    Some(format!("{kept}{comma}{}{}{tail}", waiver.flow(), head.get(kept.len()..)?))
}

/// Whether all is as it was but for one more waiver.
fn unchanged(before: &[Node], after: &[Node]) -> bool {
    let (old, new) = (items(before), items(after));
    let (kept, kept_new) = (without(before), without(after));
    // All old ones in their order, and one among them.
    let at = old.iter().zip(&new).take_while(|(a, b)| same(a, b)).count();
    new.len() == old.len() + 1
        && old.iter().skip(at).zip(new.iter().skip(at + 1)).all(|(a, b)| same(a, b))
        && kept.len() == kept_new.len()
        && kept.iter().zip(&kept_new).all(|(a, b)| same(a, b))
}

/// What a text holds besides waivers.
fn without<'n>(nodes: &[Node<'n>]) -> Vec<Value<'n>> {
    let plain = |node: &Node<'n>| match &node.value {
        Value::Map(entries) => {
            let others = entries.iter().filter(|e| e.key != "waivers");
            Value::Map(others.cloned().collect())
        }
        other => other.clone(),
    };
    let nothing =
        |value: &Value| matches!(value, Value::Null) || matches!(value, Value::Map(e) if e.is_empty());
    nodes.iter().map(plain).filter(|value| !nothing(value)).collect()
}

/// The waivers that a text holds.
fn items<'n>(nodes: &'n [Node<'n>]) -> Vec<Value<'n>> {
    let lists = nodes.iter().filter_map(waivers);
    lists
        .flat_map(|(_, node)| match &node.value {
            Value::Seq(items) => items.iter().map(|item| item.value.clone()).collect(),
            _ => Vec::new(),
        })
        .collect()
}

/// The same but for places.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.key == b.key && same(&a.value.value, &b.value.value))
        }
        (Value::Seq(a), Value::Seq(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, &b.value))
        }
        (one, other) => one == other,
    }
}
