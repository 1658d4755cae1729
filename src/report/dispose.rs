//! Adds `disposed` to declarations in a file's text and leaves every other byte as it is.

use jiff::civil::Date;

use super::edit::{column, parse, quoted, same};
use crate::base::source::Span;
use crate::read::yaml::{Entry, Limits, Node, Value};

/// What is stated of a disposal.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'s> {
    /// When what was moved was deleted at the receivers.
    pub date: Date,
    /// What shows it.
    pub evidence: &'s str,
}

/// A text in which the declarations whose ids stand at these places are disposed. `None`: one of them cannot be found
/// or states a disposal already, or something else would change.
pub fn disposed(text: &str, ids: &[Span], statement: Statement, limits: &Limits) -> Option<String> {
    let before = parse(text, limits)?;
    let mut places: Vec<(usize, String)> = Vec::new();
    for id in ids {
        let (node, entry) = before.iter().find_map(|document| declaration(document, *id))?;
        let Value::Map(entries) = &node.value else { return None };
        if entries.iter().any(|entry| entry.key == KEY) {
            return None;
        }
        places.push(addition(text, node, entry, statement)?);
    }
    places.sort_unstable_by_key(|(at, _)| *at);
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    for (place, addition) in places {
        new.push_str(text.get(at..place)?);
        new.push_str(&addition);
        at = place;
    }
    new.push_str(text.get(at..)?);
    let after = parse(&new, limits)?;
    let same_but_for_it = before.len() == after.len()
        && before.iter().zip(&after).all(|(old, new)| same(&old.value, &without(&new.value, &old.value)));
    same_but_for_it.then_some(new)
}

/// The key.
const KEY: &str = "disposed";

/// The map whose id stands there, and the entry of its id.
fn declaration<'n>(node: &'n Node<'n>, id: Span) -> Option<(&'n Node<'n>, &'n Entry<'n>)> {
    match &node.value {
        Value::Map(entries) => {
            let own = entries.iter().find(|entry| entry.key == "id" && entry.value.span.start == id.start);
            own.map(|entry| (node, entry))
                .or_else(|| entries.iter().find_map(|entry| declaration(&entry.value, id)))
        }
        Value::Seq(items) => items.iter().find_map(|item| declaration(item, id)),
        _ => None,
    }
}

/// What is written behind the id, and where.
fn addition(text: &str, node: &Node, id: &Entry, statement: Statement) -> Option<(usize, String)> {
    let pair = format!("{KEY}: {{date: {}, evidence: {}}}", statement.date, quoted(statement.evidence));
    let end = id.value.span.end as usize;
    if text.get(node.span.start as usize..)?.starts_with('{') {
        return Some((end, format!(", {pair}")));
    }
    // Of a map on lines of its own, a line below that of the id, whatever comment stands on that.
    let lead = " ".repeat(column(text, id.key_span.start as usize)?);
    let break_ = if text.contains("\r\n") { "\r\n" } else { "\n" };
    match text.get(end..)?.find('\n') {
        Some(line) => Some((end + line + 1, format!("{lead}{pair}{break_}"))),
        None => Some((text.len(), format!("{break_}{lead}{pair}"))),
    }
}

/// A value without the disposals that the one of before has not.
fn without<'n>(new: &Value<'n>, old: &Value) -> Value<'n> {
    match (new, old) {
        (Value::Map(new), Value::Map(old)) => {
            let known = old.iter().any(|entry| entry.key == KEY);
            let kept = new.iter().filter(|entry| known || entry.key != KEY);
            let kept = kept.zip(old).map(|(entry, old)| Entry {
                value: Node { value: without(&entry.value.value, &old.value.value), ..entry.value.clone() },
                ..entry.clone()
            });
            let kept: Vec<Entry> = kept.collect();
            // One that is lost or comes besides shows in the length.
            let number = new.iter().filter(|entry| known || entry.key != KEY).count();
            if number == old.len() { Value::Map(kept) } else { Value::Map(new.clone()) }
        }
        (Value::Seq(new), Value::Seq(old)) if new.len() == old.len() => {
            let items = new.iter().zip(old);
            Value::Seq(
                items
                    .map(|(new, old)| Node { value: without(&new.value, &old.value), ..new.clone() })
                    .collect(),
            )
        }
        (new, _) => new.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::base::source::FileId;

    fn added(text: &str, ids: &[&str]) -> Option<String> {
        let at = |id: &&str| {
            let start = text.find(&format!("id: {id}")).unwrap() + 4;
            Span::new(FileId(0), start as u32, (start + id.len()) as u32)
        };
        let ids: Vec<Span> = ids.iter().map(at).collect();
        let date = Date::constant(2021, 1, 31);
        disposed(text, &ids, Statement { date, evidence: "DEL-7 \"all\"" }, &Limits::USUAL)
    }

    #[test]
    fn every_other_byte_stays() {
        let pair = "disposed: {date: 2021-01-31, evidence: \"DEL-7 \\\"all\\\"\"}";
        for (old, new) in [
            (
                "agreements:\n  - id: a # ours\n    parties: [x, y]\n",
                format!("agreements:\n  - id: a # ours\n    {pair}\n    parties: [x, y]\n"),
            ),
            (
                "flows: [{from: x/s, id: a, to: y/t}] # end",
                format!("flows: [{{from: x/s, id: a, {pair}, to: y/t}}] # end"),
            ),
            ("flows:\r\n- to: y/t\r\n  id: a", format!("flows:\r\n- to: y/t\r\n  id: a\r\n  {pair}")),
        ] {
            assert_eq!(added(old, &["a"]).unwrap(), new);
        }
        let two = added("flows: [{id: a}, {id: b}]", &["b", "a"]).unwrap();
        assert_eq!(two, format!("flows: [{{id: a, {pair}}}, {{id: b, {pair}}}]"));
        assert_eq!(added("flows: [{id: a, disposed: {date: 2030-01-01, evidence: x}}]", &["a"]), None);
    }
}
