//! The result as one JSON object.

use std::{io, mem};

use rayon::prelude::*;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::CharEscape;

use crate::base::finding::{Audit, Promises};
use crate::base::visible::is_hidden;
use crate::compare::Diff;
use crate::declare::gate::Gate;
use crate::query::{Calendar, Exposure, Fix, Recall, Trace};

/// The object on one line, keys in the order of the types, with a closing newline:
/// the same result gives the same bytes.
///
/// # Errors
/// When the result cannot be put into JSON.
pub fn render(value: &impl Serialize) -> io::Result<String> {
    let mut bytes = Vec::new();
    write(value, Hidden::Escaped, &mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// What becomes of characters that change how a terminal or an editor shows the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// They are escaped; who reads the JSON gets them back.
    Escaped,
    /// They are written out, `\u{202e}`: for what shows the texts as they are.
    Spelled,
}

/// A value on one line with a closing newline.
///
/// # Errors
/// When the value cannot be put into JSON, or not be written.
pub fn write(value: &impl Serialize, hidden: Hidden, out: &mut dyn io::Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, hidden))?;
    out.write_all(b"\n")
}

/// A result, as [`fn@write`] would write it, with how many of its findings fail by a gate: what grows with the inventory is made side by side.
///
/// # Errors
/// When it cannot be put into JSON, or not be written.
pub fn audit(audit: &Audit, gate: &Gate, out: &mut dyn io::Write) -> io::Result<()> {
    let Audit {
        ringfence,
        judged,
        inventory,
        policies,
        rules,
        findings,
        promises,
        notices,
        relied_on,
        causes,
        summary: _,
    } = audit;
    let mut object = Object { out, opened: false };
    object.entry("ringfence", ringfence)?;
    object.entry("judged", judged)?;
    object.entry("inventory", inventory)?;
    object.entry("policies", policies)?;
    object.entry("rules", rules)?;
    object.list("findings", findings)?;
    object.entry("promises", promises)?;
    object.entry("notices", notices)?;
    object.list("relied_on", relied_on)?;
    object.list("causes", causes)?;
    object.entry("summary", &gate.summary(findings))?;
    out.write_all(b"}\n")
}

/// An object that is written key by key.
struct Object<'o> {
    out: &'o mut dyn io::Write,
    opened: bool,
}

/// How many entries of a list are made at once by each thread, and how many such pieces are made
/// before they are written.
const PIECE: usize = 64;
const AHEAD: usize = 16;

impl Object<'_> {
    fn key(&mut self, key: &str) -> io::Result<()> {
        let before = if mem::replace(&mut self.opened, true) { "," } else { "{" };
        write!(self.out, "{before}\"{key}\":")
    }

    fn entry(&mut self, key: &str, value: &impl Serialize) -> io::Result<()> {
        self.key(key)?;
        value.serialize(&mut Serializer::with_formatter(&mut *self.out, Hidden::Escaped))?;
        Ok(())
    }

    /// While some pieces are written, the next are made: so no more of the text is there than these.
    fn list<T: Serialize + Sync>(&mut self, key: &str, items: &[T]) -> io::Result<()> {
        self.key(key)?;
        let mut before: &[u8] = b"[";
        let mut parts = items.chunks(PIECE * AHEAD);
        let mut made = parts.next().map(pieces);
        while let Some(ready) = made.take() {
            let (next, following) = (parts.next(), &mut made);
            rayon::in_place_scope(|scope| {
                scope.spawn(move |_| *following = next.map(pieces));
                for piece in ready {
                    self.out.write_all(mem::replace(&mut before, b","))?;
                    self.out.write_all(&piece?)?;
                }
                io::Result::Ok(())
            })?;
        }
        self.out.write_all(if items.is_empty() { b"[]" } else { b"]" })
    }
}

/// Entries as text, with commas between them, some at a time.
fn pieces<T: Serialize + Sync>(items: &[T]) -> Vec<io::Result<Vec<u8>>> {
    let piece = |items: &[T]| {
        let mut text = Vec::new();
        for item in items {
            if !text.is_empty() {
                text.push(b',');
            }
            item.serialize(&mut Serializer::with_formatter(&mut text, Hidden::Escaped))?;
        }
        Ok(text)
    };
    items.par_chunks(PIECE).map(piece).collect()
}

impl Hidden {
    fn write<W: ?Sized + io::Write>(self, writer: &mut W, c: char) -> io::Result<()> {
        if self == Hidden::Spelled {
            return write!(writer, "\\\\u{{{:x}}}", u32::from(c));
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            write!(writer, "\\u{unit:04x}")?;
        }
        Ok(())
    }
}

/// Compact JSON.
impl serde_json::ser::Formatter for Hidden {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let orders = fragment.contains("##");
        if fragment.is_ascii() && !orders && !fragment.as_bytes().contains(&0x7F) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut signs = fragment.chars().peekable();
        while let Some(c) = signs.next() {
            let mut bytes = [0; 4];
            if c == '#' && signs.peek() == Some(&'#') {
                // An order to a build server that reads its log: `##[error]`, `##vso[`.
                writer.write_all(b"\\u0023")?;
            } else if is_hidden(c) {
                self.write(writer, c)?;
            } else {
                writer.write_all(c.encode_utf8(&mut bytes).as_bytes())?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let control = match escape {
            CharEscape::Quote => return writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => return writer.write_all(b"\\\\"),
            CharEscape::Solidus => return writer.write_all(b"\\/"),
            CharEscape::LineFeed => return writer.write_all(b"\\n"),
            CharEscape::Tab => return writer.write_all(b"\\t"),
            CharEscape::CarriageReturn if *self == Hidden::Escaped => return writer.write_all(b"\\r"),
            CharEscape::Backspace if *self == Hidden::Escaped => return writer.write_all(b"\\b"),
            CharEscape::FormFeed if *self == Hidden::Escaped => return writer.write_all(b"\\f"),
            CharEscape::CarriageReturn => 0x0D,
            CharEscape::Backspace => 0x08,
            CharEscape::FormFeed => 0x0C,
            CharEscape::AsciiControl(byte) => byte,
        };
        self.write(writer, char::from(control))
    }
}

/// The JSON Schema (2020-12) of a result in [`Format::Json`](super::Format::Json).
///
/// # Errors
/// When the schema cannot be written as JSON.
pub fn schema() -> Result<String, serde_json::Error> {
    of::<Audit>()
}

/// The JSON Schema of a comparison.
///
/// # Errors
/// When the schema cannot be written as JSON.
pub fn difference_schema() -> Result<String, serde_json::Error> {
    of::<Diff>()
}

/// The JSON Schema of the promises alone.
///
/// # Errors
/// When the schema cannot be written as JSON.
pub fn promises_schema() -> Result<String, serde_json::Error> {
    of::<Promises>()
}

/// The JSON Schemas of the answers to questions, by their names.
///
/// # Errors
/// When a schema cannot be written as JSON.
pub fn answer_schemas() -> Result<[(&'static str, String); 5], serde_json::Error> {
    Ok([
        ("calendar", of::<Calendar>()?),
        ("exposure", of::<Exposure>()?),
        ("fix", of::<Fix>()?),
        ("recall", of::<Recall>()?),
        ("trace", of::<Trace>()?),
    ])
}

fn of<T: schemars::JsonSchema>() -> Result<String, serde_json::Error> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = generator.into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_is_written_as_any_other_value() {
        for entries in [0, 1, PIECE + 1, 2 * PIECE * AHEAD + 1] {
            let relied: Vec<_> = (0..entries)
                .map(|n| {
                    let location = json!({"file": "f.yaml", "line": n, "column": 1});
                    json!({"rule": "r", "flow": format!("f{n}"), "claim": "\u{202e}", "location": location})
                })
                .collect();
            let result: Audit = serde_json::from_value(json!({
                "ringfence": {"version": "0", "schema": 1},
                "judged": {"day": "2026-01-01", "as_of": null},
                "inventory":
                    {"parties": 0, "systems": 0, "agreements": 0, "flows": 0, "counting_flows": 0, "digest": ""},
                "findings": [],
                "notices": [],
                "relied_on": relied,
                "summary":
                    {"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0, "waived": 0, "baseline": 0},
            }))
            .unwrap();
            let mut written = Vec::new();
            audit(&result, &Gate::default(), &mut written).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), render(&result).unwrap());
        }
    }
}
