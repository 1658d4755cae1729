//! The result as one JSON object.

use schemars::generate::SchemaSettings;

use super::page::is_hidden;
use crate::finding::Audit;

/// The object, indented, keys in the order of the types, with a closing newline:
/// the same result gives the same bytes.
pub fn render(audit: &Audit) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(audit)?;
    if text.contains(is_hidden_in_string) {
        text = text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
            if is_hidden_in_string(c) {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                out.push(c);
            }
            out
        });
    }
    text.push('\n');
    Ok(text)
}

/// Characters that change how a terminal or an editor shows the others. They stand
/// only within strings, where their escapes mean the same; newlines are layout.
fn is_hidden_in_string(c: char) -> bool {
    c != '\n' && is_hidden(c)
}

/// The JSON Schema (2020-12) of [`Format::Json`](super::Format::Json).
///
/// # Errors
/// When the schema cannot be written as JSON.
pub fn schema() -> Result<String, serde_json::Error> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = generator.into_root_schema_for::<Audit>();
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}
