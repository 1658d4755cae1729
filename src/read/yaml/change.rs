//! Changes of a text that is YAML, so that every other byte stays: items taken out of lists, keys of maps set.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Entry, Node, Value};
use crate::base::source::Span;

/// Bytes of a text, and what comes in their place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Splice {
    start: usize,
    end: usize,
    new: String,
}

/// What a key is set to.
#[derive(Debug, Clone)]
pub enum Set<'s> {
    /// One word.
    Word(&'s str),
    /// A list. What is in it already stays as it is written; what stands for some of its items in the list of before
    /// comes in their place.
    List(&'s [String]),
}

/// A text with all changes made; `None` where two of them touch.
pub fn changed(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Splice { start, end, new } in splices {
        out.push_str(text.get(at..start)?);
        out.push_str(&new);
        at = end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// The map of which a value is that of the key `id`, by where it is written.
fn declared<'n, 't>(node: &'n Node<'t>, id: Span) -> Option<&'n Node<'t>> {
    match &node.value {
        Value::Map(_) if has_id(node, id) => Some(node),
        Value::Map(entries) => entries.iter().find_map(|entry| declared(&entry.value, id)),
        Value::Seq(items) => items.iter().find_map(|item| declared(item, id)),
        Value::Null | Value::Scalar(_) => None,
    }
}

/// The list that declarations stand in, or the one declaration that stands for a list.
enum Holder<'n, 't> {
    List(&'n Node<'t>, Vec<usize>),
    Alone(&'n Node<'t>),
}

fn has_id(node: &Node, id: Span) -> bool {
    matches!(&node.value, Value::Map(entries)
        if entries.iter().any(|entry| entry.key == "id" && entry.value.span == id))
}

fn holder<'n, 't>(node: &'n Node<'t>, id: Span) -> Option<Holder<'n, 't>> {
    match &node.value {
        Value::Seq(items) => match items.iter().position(|item| has_id(item, id)) {
            Some(at) => Some(Holder::List(node, vec![at])),
            None => items.iter().find_map(|item| holder(item, id)),
        },
        Value::Map(entries) => entries.iter().find_map(|entry| match has_id(&entry.value, id) {
            true => Some(Holder::Alone(&entry.value)),
            false => holder(&entry.value, id),
        }),
        Value::Null | Value::Scalar(_) => None,
    }
}

/// Takes declarations out of the lists that they stand in, by where their ids are written. `None` where that cannot be
/// done without touching something else.
pub fn without(text: &str, documents: &[Node], ids: &[Span]) -> Option<Vec<Splice>> {
    let mut lists: BTreeMap<Span, (&Node, Vec<usize>)> = BTreeMap::new();
    let mut splices = Vec::new();
    for &id in ids {
        match documents.iter().find_map(|document| holder(document, id))? {
            Holder::List(list, at) => lists.entry(list.span).or_insert((list, Vec::new())).1.extend(at),
            Holder::Alone(node) => {
                let start = node.span.start as usize;
                // A map over several lines would leave its indentation behind.
                text.get(start..)?.starts_with('{').then_some(())?;
                splices.push(Splice { start, end: last_byte(node) as usize, new: "[]".to_owned() });
            }
        }
    }
    for (list, mut gone) in lists.into_values() {
        gone.sort_unstable();
        let Value::Seq(items) = &list.value else { return None };
        splices.extend(taken_out(text, list, items, &gone)?);
    }
    Some(splices)
}

/// Takes values out of the lists that they stand in, by where they are written; a map of which a list would be empty
/// goes with it. `None` where that cannot be done without touching something else.
pub fn without_values(text: &str, documents: &[Node], values: &[Span]) -> Option<Vec<Splice>> {
    let mut splices = Vec::new();
    let mut found = 0;
    for document in documents {
        found += values_within(text, document, values, &mut splices)?;
    }
    (found == values.len()).then_some(splices)
}

/// How many of some values stand in lists of maps below a node.
fn values_within(text: &str, node: &Node, values: &[Span], splices: &mut Vec<Splice>) -> Option<usize> {
    let is = |item: &Node| matches!(item.value, Value::Scalar(_)) && values.contains(&item.span);
    match &node.value {
        Value::Null | Value::Scalar(_) => Some(0),
        Value::Map(entries) => {
            let each = entries.iter().map(|entry| values_within(text, &entry.value, values, splices));
            each.sum()
        }
        Value::Seq(items) => {
            let places = |which: &dyn Fn(&Node) -> bool| -> Vec<usize> {
                items.iter().enumerate().filter(|(_, item)| which(item)).map(|(at, _)| at).collect()
            };
            // A list or a single value below one of an item's keys, all of which goes.
            let all = |value: &Node| match &value.value {
                Value::Seq(inner) => !inner.is_empty() && inner.iter().all(is),
                _ => is(value),
            };
            let whole = |item: &Node| matches!(&item.value, Value::Map(entries) if entries.iter().any(|e| all(&e.value)));
            let gone = places(&|item| is(item) || whole(item));
            splices.extend(taken_out(text, node, items, &gone)?);
            let mut found = 0;
            for (at, item) in items.iter().enumerate() {
                // What goes with its item is not taken out by itself.
                let mut aside = Vec::new();
                found += match is(item) {
                    true => 1,
                    false if gone.contains(&at) => values_within(text, item, values, &mut aside)?,
                    false => values_within(text, item, values, splices)?,
                };
                found += match (&item.value, gone.contains(&at)) {
                    (Value::Map(entries), true) => entries.iter().filter(|entry| is(&entry.value)).count(),
                    _ => 0,
                };
            }
            Some(found)
        }
    }
}

/// What takes items out of a list, by their places.
fn taken_out(text: &str, list: &Node, items: &[Node], gone: &[usize]) -> Option<Vec<Splice>> {
    let is_flow = text.get(list.span.start as usize..)?.starts_with('[');
    let cut = |range: Range<usize>| Splice { start: range.start, end: range.end, new: String::new() };
    if !is_flow {
        return gone.iter().map(|&at| Some(cut(lines(text, items.get(at)?)?))).collect();
    }
    let start = |at: usize| Some(items.get(at)?.span.start as usize);
    let end = |at: usize| Some(last_byte(items.get(at)?) as usize);
    let mut splices = Vec::new();
    for run in gone.chunk_by(|one, next| one + 1 == *next) {
        let (&first, &last) = (run.first()?, run.last()?);
        splices.push(cut(match (start(last + 1), first.checked_sub(1)) {
            (Some(next), _) => start(first)?..next,
            (None, Some(before)) => end(before)?..end(last)?,
            (None, None) => start(first)?..end(last)?,
        }));
    }
    Some(splices)
}

/// The lines of an item of a list that is written with dashes.
fn lines(text: &str, item: &Node) -> Option<Range<usize>> {
    let begins = item.span.start as usize;
    let start = text.get(..begins)?.rfind('\n').map_or(0, |at| at + 1);
    text.get(start..begins)?.trim_start().strip_prefix('-')?.trim().is_empty().then_some(())?;
    let last = last_byte(item) as usize;
    // A text over several lines ends behind its last line.
    let last = if text.get(..last)?.ends_with('\n') { last.saturating_sub(1) } else { last };
    let end = text.get(last..)?.find('\n').map_or(text.len(), |at| last + at + 1);
    Some(start..end)
}

/// The last byte that a node has, those within it counted.
fn last_byte(node: &Node) -> u32 {
    let within = match &node.value {
        Value::Map(entries) => entries.iter().map(|e| last_byte(&e.value).max(e.key_span.end)).max(),
        Value::Seq(items) => items.iter().map(last_byte).max(),
        Value::Null | Value::Scalar(_) => None,
    };
    within.unwrap_or(node.span.end).max(node.span.end)
}

/// How far from the start of its line a byte is.
fn column(text: &str, at: usize) -> Option<usize> {
    Some(text.get(..at)?.chars().rev().take_while(|&c| c != '\n').count())
}

/// Sets keys of a declaration, by where its id is written. `None` where that cannot be done without touching something
/// else: a value that an alias stands for, say.
pub fn with(text: &str, documents: &[Node], id: Span, keys: &[(&str, Set)]) -> Option<Vec<Splice>> {
    let node = documents.iter().find_map(|document| declared(document, id))?;
    let Value::Map(entries) = &node.value else { return None };
    let start = node.span.start as usize;
    // What is merged in is written before the map, where its anchor is: it is not the map's own to change.
    let own = |entry: &&Entry| entry.key_span.file == id.file && entry.key_span.start as usize >= start;
    let is_flow = text.get(start..)?.starts_with('{');
    let mut splices = Vec::new();
    for (key, set) in keys {
        match entries.iter().filter(own).find(|entry| entry.key == *key) {
            Some(entry) => splices.extend(replaced(text, entry, set)?),
            None => {
                let value = inline(set);
                let (at, new) = match is_flow {
                    true => (id.end as usize, format!(", {key}: {value}")),
                    false => {
                        let of = entries.iter().find(|entry| entry.value.span == id)?;
                        let indent = " ".repeat(column(text, of.key_span.start as usize)?);
                        let line = text.get(id.end as usize..)?.find('\n');
                        let at = line.map_or(text.len(), |at| id.end as usize + at);
                        let (at, end) = match text.get(..at)?.ends_with('\r') {
                            true => (at - 1, "\r\n"),
                            false => (at, "\n"),
                        };
                        (at, format!("{end}{indent}{key}: {value}"))
                    }
                };
                splices.push(Splice { start: at, end: at, new });
            }
        }
    }
    Some(splices)
}

fn replaced(text: &str, entry: &Entry, set: &Set) -> Option<Vec<Splice>> {
    let span = entry.value.span;
    let from = entry.key_span.end as usize;
    // Between the key and its value nothing but a colon stands: no anchor or tag. What an alias stands for is elsewhere.
    let between = text.get(from..span.start as usize)?.trim();
    matches!(between, ":" | "\":" | "':").then_some(())?;
    match (&entry.value.value, set) {
        (Value::Seq(items), Set::List(names)) => list(text, &entry.value, items, names),
        (Value::Scalar(_), _) => {
            Some(vec![Splice { start: span.start as usize, end: span.end as usize, new: inline(set) }])
        }
        _ => None,
    }
}

/// What makes a list of names another.
fn list(text: &str, node: &Node, items: &[Node], names: &[String]) -> Option<Vec<Splice>> {
    let old: Option<Vec<&str>> = items.iter().map(name).collect();
    let old = old?;
    let is_new = |name: &&String| !old.contains(&name.as_str());
    let is_flow = text.get(node.span.start as usize..)?.starts_with('[');
    let below = |name: &str, above: &str| name.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'));
    let (mut splices, mut gone, mut placed) = (Vec::new(), Vec::new(), Vec::new());
    let mut last = None;
    for (at, (item, old)) in items.iter().zip(&old).enumerate() {
        if names.iter().any(|name| name == old) {
            last = Some(at);
            continue;
        }
        let instead: Vec<&String> = names.iter().filter(is_new).filter(|name| below(name, old)).collect();
        if instead.is_empty() {
            gone.push(at);
            continue;
        }
        last = Some(at);
        placed.extend(instead.iter().copied());
        let between = match is_flow {
            true => ", ".to_owned(),
            false => format!("\n{}- ", " ".repeat(column(text, dash(text, item)?)?)),
        };
        let new = instead.into_iter().map(|name| plain(name)).collect::<Vec<_>>().join(&between);
        splices.push(Splice { start: item.span.start as usize, end: item.span.end as usize, new });
    }
    let Some(last) = last else {
        let new = inline(&Set::List(names));
        // A list over several lines would leave its indentation behind.
        return is_flow
            .then(|| vec![Splice { start: node.span.start as usize, end: node.span.end as usize, new }]);
    };
    let more: Vec<String> =
        names.iter().filter(is_new).filter(|name| !placed.contains(name)).map(|name| plain(name)).collect();
    if !more.is_empty() {
        let item = items.get(last)?;
        let lead = match is_flow {
            true => ", ".to_owned(),
            false => format!("\n{}- ", " ".repeat(column(text, dash(text, item)?)?)),
        };
        let at = item.span.end as usize;
        splices.push(Splice { start: at, end: at, new: format!("{lead}{}", more.join(&lead)) });
    }
    splices.extend(taken_out(text, node, items, &gone)?);
    Some(splices)
}

/// The dash before an item, on its line.
fn dash(text: &str, item: &Node) -> Option<usize> {
    let start = item.span.start as usize;
    let before = text.get(..start)?.trim_end_matches(' ');
    before.ends_with('-').then(|| before.len() - 1)
}

/// What an item is called: a text, or a map by its id.
fn name<'n>(item: &'n Node) -> Option<&'n str> {
    match &item.value {
        Value::Scalar(scalar) => Some(scalar.text.as_ref()),
        Value::Map(entries) => {
            entries.iter().find(|entry| entry.key == "id").and_then(|entry| name(&entry.value))
        }
        Value::Null | Value::Seq(_) => None,
    }
}

/// A value on one line.
fn inline(set: &Set) -> String {
    match set {
        Set::Word(word) => plain(word),
        Set::List([one]) => format!("[{}]", plain(one)),
        Set::List(names) => {
            format!("[{}]", names.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A name as it reads back: between quotes where it could be read as something else.
fn plain(name: &str) -> String {
    const OTHERS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && !OTHERS.contains(&name.to_ascii_lowercase().as_str());
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::source::FileId;
    use crate::read::yaml::parse;

    fn parsed(text: &str) -> Vec<Node<'_>> {
        let mut mistakes = Vec::new();
        let nodes = parse(FileId(0), text, &Limits::USUAL, &mut mistakes);
        assert!(mistakes.is_empty(), "{text}");
        nodes
    }

    fn span_of(node: &Node, id: &str) -> Option<Span> {
        match &node.value {
            Value::Map(entries) => entries.iter().find_map(|entry| match &entry.value.value {
                Value::Scalar(scalar) if entry.key == "id" && scalar.text == id => Some(entry.value.span),
                _ => span_of(&entry.value, id),
            }),
            Value::Seq(items) => items.iter().find_map(|item| span_of(item, id)),
            _ => None,
        }
    }

    fn cut(text: &str, ids: &[&str]) -> Option<String> {
        let nodes = parsed(text);
        let spans: Vec<Span> =
            ids.iter().map(|id| nodes.iter().find_map(|node| span_of(node, id)).unwrap()).collect();
        let new = changed(text, without(text, &nodes, &spans)?)?;
        parsed(&new);
        Some(new)
    }

    #[test]
    fn what_is_taken_out_leaves_everything_else_as_it_is() {
        let block = "flows: # all\n  # first\n  - id: a # one\n    data: [x]\n  - {id: b, data: [y]} # two\n\n  -\n    id: c\n    data:\n      - z\n# end\n";
        assert_eq!(cut(block, &["b"]).unwrap(), block.replace("  - {id: b, data: [y]} # two\n", ""));
        assert_eq!(
            cut(block, &["a", "b"]).unwrap(),
            "flows: # all\n  # first\n\n  -\n    id: c\n    data:\n      - z\n# end\n"
        );
        for (old, ids, new) in [
            ("flows: [{id: a}, {id: b}, {id: c}]\n", &["a"][..], "flows: [{id: b}, {id: c}]\n"),
            ("flows: [{id: a}, {id: b}, {id: c}]\n", &["b", "c"], "flows: [{id: a}]\n"),
            ("flows: [{id: a}, {id: b}, {id: c}]\n", &["a", "c"], "flows: [{id: b}]\n"),
            ("flows: [{id: a}]\n", &["a"], "flows: []\n"),
            ("flows: {id: a}\nx: 1\n", &["a"], "flows: []\nx: 1\n"),
            ("flows:\n- id: a\n  n: |\n    text\n- id: b", &["a"], "flows:\n- id: b"),
            ("flows:\r\n- id: a\r\n- id: b\r\n", &["b"], "flows:\r\n- id: a\r\n"),
        ] {
            assert_eq!(cut(old, ids).as_deref(), Some(new));
        }
    }

    #[test]
    fn keys_are_set_where_they_stand_or_beside_the_id() {
        let set = |text: &str, key: &str, set: Set| {
            let nodes = parsed(text);
            let id = nodes.iter().find_map(|node| span_of(node, "a")).unwrap();
            let new = changed(text, with(text, &nodes, id, &[(key, set)])?)?;
            parsed(&new);
            Some(new)
        };
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (old, key, list, new) in [
            ("- {id: a, data: [x, y.z]} # c\n", "data", names(&["x"]), "- {id: a, data: [x]} # c\n"),
            (
                "- {id: a, data: [x, y]}\n",
                "data",
                names(&["x", "y.b", "y.c"]),
                "- {id: a, data: [x, y.b, y.c]}\n",
            ),
            ("- {id: a, data: x}\n", "data", names(&["x.b"]), "- {id: a, data: [x.b]}\n"),
            ("- {id: a}\n", "only_from", names(&["bank", "12"]), "- {id: a, only_from: [bank, \"12\"]}\n"),
            ("- id: a # c\n  data: held\n", "data", names(&["x", "w"]), "- id: a # c\n  data: [x, w]\n"),
            (
                "- id: a # c\n  data:\n    - x # keep\n    - y # all of y\n    - w\n",
                "data",
                names(&["x", "y.b", "y.c"]),
                "- id: a # c\n  data:\n    - x # keep\n    - y.b\n    - y.c # all of y\n",
            ),
            ("- id: a # c\n  to: b\n", "purposes", names(&["p"]), "- id: a # c\n  purposes: [p]\n  to: b\n"),
            ("- to: b\n  id: \"a\"", "purposes", names(&["p"]), "- to: b\n  id: \"a\"\n  purposes: [p]"),
            (
                "- {id: a, assurances: [{id: scc, evidence: e}]}\n",
                "assurances",
                names(&["scc", "tia"]),
                "- {id: a, assurances: [{id: scc, evidence: e}, tia]}\n",
            ),
        ] {
            assert_eq!(set(old, key, Set::List(&list)).as_deref(), Some(new), "{old}");
        }
        assert_eq!(
            set("- {id: a, transform: none}\n", "transform", Set::Word("anonymised")).as_deref(),
            Some("- {id: a, transform: anonymised}\n")
        );
        // What is merged in stays as it is for others, and is overridden here.
        assert_eq!(
            set("- &b {id: b, data: [q]}\n- {<<: *b, id: a}\n", "data", Set::List(&names(&["p"]))).as_deref(),
            Some("- &b {id: b, data: [q]}\n- {<<: *b, id: a, data: [p]}\n")
        );
        // What an alias stands for is written elsewhere.
        assert_eq!(set("- {x: &x [p], id: a, data: *x}\n", "data", Set::List(&names(&["q"]))), None);
    }
}
