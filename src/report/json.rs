//! The result as one JSON object.

use std::io;

use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::ser::CharEscape;

use crate::diff::Diff;
use crate::finding::{Audit, Promises};
use crate::visible::is_hidden;

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
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, hidden))?;
    out.write_all(b"\n")
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
        if fragment.bytes().all(|b| b < 0x7F) {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            let mut bytes = [0; 4];
            if is_hidden(c) {
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

fn of<T: schemars::JsonSchema>() -> Result<String, serde_json::Error> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = generator.into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}
