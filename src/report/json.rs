//! The result as one JSON object.

use std::io;

use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::page::is_hidden;
use crate::diff::Diff;
use crate::finding::Audit;

/// The object on one line, keys in the order of the types, with a closing newline:
/// the same result gives the same bytes.
///
/// # Errors
/// When the result cannot be written as JSON.
pub fn render(audit: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    audit.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Visible))?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Compact JSON in which characters that change how a terminal or an editor shows
/// the others are escaped.
struct Visible;

impl serde_json::ser::Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|b| b < 0x7F) {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            let mut bytes = [0; 4];
            if is_hidden(c) {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(c.encode_utf8(&mut bytes).as_bytes())?;
            }
        }
        Ok(())
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

fn of<T: schemars::JsonSchema>() -> Result<String, serde_json::Error> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = generator.into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}
