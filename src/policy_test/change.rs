//! One value of an inventory set: the way to it is a path of keys and ids.

use std::borrow::Cow;

use crate::base::diagnostic::{Diagnostic, nearest};
use crate::read::decode::Spanned;
use crate::read::yaml::{Entry, Node, Value};

/// Where a path is lost: how far it led, and what there would have been.
struct Lost<'n> {
    depth: usize,
    known: Vec<&'n str>,
}

/// Sets what `path` leads to, in the document that it leads furthest into; `null` takes
/// it away. That the path leads nowhere is a mistake.
pub fn set(
    documents: &mut [Node<'static>],
    path: &Spanned<String>,
    value: &Node<'static>,
) -> Option<Diagnostic> {
    let segments: Vec<&str> = path.value.split('/').collect();
    let taken_away = value.value == Value::Null;
    let mut furthest = Lost { depth: 0, known: Vec::new() };
    let mut found = None;
    for (at, document) in documents.iter().enumerate() {
        match lead(document, &segments, taken_away, 0) {
            Ok(existing) => {
                // A new key goes to the first document, an old one to where it is.
                if existing || found.is_none() {
                    found = Some((at, existing));
                }
                if existing {
                    break;
                }
            }
            Err(lost) if lost.depth >= furthest.depth => {
                let mut known = lost.known;
                if lost.depth == furthest.depth {
                    known.append(&mut furthest.known);
                }
                furthest = Lost { depth: lost.depth, known };
            }
            Err(_) => {}
        }
    }
    let Some((at, _)) = found else {
        return Some(nowhere(path, &segments, furthest));
    };
    if let Some(document) = documents.get_mut(at) {
        put(document, &segments, path, value);
    }
    None
}

fn nowhere(path: &Spanned<String>, segments: &[&str], mut lost: Lost) -> Diagnostic {
    let segment = segments.get(lost.depth).copied().unwrap_or_default();
    let above = segments.get(..lost.depth).unwrap_or_default().join("/");
    lost.known.sort_unstable();
    lost.known.dedup();
    let within = if above.is_empty() { "the inventory".to_owned() } else { format!("`{above}`") };
    let help = match nearest(segment, lost.known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if segments.len() == lost.depth + 2 && !above.is_empty() => {
            let last = segments.last().copied().unwrap_or_default();
            format!("set it as a whole: `{above}/{segment}: {{{last}: …}}`")
        }
        None if lost.known.is_empty() => format!("there is nothing below {within}: set it as a whole"),
        None => format!("there: {}", lost.known.join(", ")),
    };
    let message = format!("`{}` leads nowhere: there is no `{segment}` in {within}", path.value);
    Diagnostic::new("unknown-path", message, path.span)
        .label("expected keys and ids, with `/` between")
        .help(help)
}

fn id<'n>(node: &'n Node) -> Option<&'n str> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    entries.iter().find(|e| e.key == "id").and_then(|e| match &e.value.value {
        Value::Scalar(scalar) => Some(scalar.text.as_ref()),
        _ => None,
    })
}

/// Whether what the path leads to is there already; a key may be new, if it is not to be
/// taken away.
fn lead<'n>(
    node: &'n Node<'static>,
    path: &[&str],
    taken_away: bool,
    depth: usize,
) -> Result<bool, Lost<'n>> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(true);
    };
    match &node.value {
        Value::Map(entries) => {
            if let Some(entry) = entries.iter().find(|e| e.key == *first) {
                return lead(&entry.value, rest, taken_away, depth + 1);
            }
            // One that stands for a list.
            if id(node) == Some(first) {
                return lead(node, rest, taken_away, depth + 1);
            }
            if rest.is_empty() && !taken_away {
                return Ok(false);
            }
            Err(Lost { depth, known: entries.iter().map(|e| e.key.as_ref()).collect() })
        }
        Value::Seq(items) => match items.iter().find(|item| id(item) == Some(first)) {
            Some(item) => lead(item, rest, taken_away, depth + 1),
            None => Err(Lost { depth, known: items.iter().filter_map(id).collect() }),
        },
        Value::Null | Value::Scalar(_) => Err(Lost { depth, known: Vec::new() }),
    }
}

fn put(node: &mut Node<'static>, path: &[&str], key: &Spanned<String>, value: &Node<'static>) {
    let Some((first, rest)) = path.split_first() else {
        *node = value.clone();
        return;
    };
    let gone = rest.is_empty() && value.value == Value::Null;
    let is_it = id(node) == Some(first);
    match &mut node.value {
        Value::Map(entries) => match entries.iter().position(|e| e.key == *first) {
            Some(at) if gone => {
                entries.remove(at);
            }
            Some(at) => {
                if let Some(entry) = entries.get_mut(at) {
                    put(&mut entry.value, rest, key, value);
                }
            }
            None if is_it => put(node, rest, key, value),
            None => {
                let new = Cow::Owned((*first).to_owned());
                entries.push(Entry { key: new, key_span: key.span, value: value.clone() });
            }
        },
        Value::Seq(items) => {
            let Some(at) = items.iter().position(|item| id(item) == Some(first)) else {
                return;
            };
            if gone {
                items.remove(at);
            } else if let Some(item) = items.get_mut(at) {
                put(item, rest, key, value);
            }
        }
        Value::Null | Value::Scalar(_) => {}
    }
}
