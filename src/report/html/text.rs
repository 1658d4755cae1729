//! Text on the page: escaped, so that nothing from an input is mark-up.

use std::io;

use tera::{Kwargs, State};

use crate::base::visible::is_hidden;

/// A value as text between tags or in a quoted attribute. Line breaks are spaces;
/// characters that hide or reorder others are written out.
pub fn escape(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escaped = match c {
            '#' if text.get(..at).is_some_and(|before| before.ends_with('#')) => "&#35;",
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\n' | '\t' | '\r' => " ",
            c if is_hidden(c) => "",
            _ => continue,
        };
        out.write_all(text.get(plain..at).unwrap_or_default().as_bytes())?;
        match escaped {
            "" => write!(out, "{}", c.escape_unicode())?,
            escaped => out.write_all(escaped.as_bytes())?,
        }
        plain = at + c.len_utf8();
    }
    out.write_all(text.get(plain..).unwrap_or_default().as_bytes())
}

/// Text in which what stands between backticks is code; escaped already.
pub fn ticks(text: &str, _: Kwargs, _: &State) -> String {
    let mut out = Vec::new();
    let mut code = false;
    let mut parts = text.split('`').peekable();
    while let Some(part) = parts.next() {
        // Writing to memory does not fail.
        let _ = escape(part, &mut out);
        if parts.peek().is_some() {
            out.extend_from_slice(if code { b"</code>" } else { b"<code>" });
            code = !code;
        }
    }
    if code {
        out.extend_from_slice(b"</code>");
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An id that a line may break within after a slash; escaped already.
pub fn ident(text: &str, _: Kwargs, _: &State) -> String {
    let mut out = Vec::new();
    for part in text.split_inclusive('/') {
        // Writing to memory does not fail.
        let _ = escape(part, &mut out);
        if part.ends_with('/') {
            out.extend_from_slice(b"<wbr>");
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// JSON that ends no `<script>` and is no mark-up whatever becomes of it; characters that
/// hide or reorder others are written out in its strings, as everywhere on the page.
pub fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '#' if out.ends_with('#') => out.push_str("\\u0023"),
            '<' | '>' | '&' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if is_hidden(c) => {
                out.push('\\');
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_from_an_input_is_mark_up() {
        assert_eq!(escaped("a <b c='d' e=\"f\">&g"), "a &lt;b c=&#39;d&#39; e=&quot;f&quot;&gt;&amp;g");
        assert_eq!(escaped("x\u{202e}y\nz\u{0}é"), "x\\u{202e}y z\\u{0}é");
        let json = serde_json::to_string("</script><!--\u{2028}\u{202e}\u{7}&é").unwrap();
        let inert = inert(&json);
        assert!(!inert.contains(['<', '>', '&', '\u{2028}', '\u{202e}']), "{inert}");
        let back: String = serde_json::from_str(&inert).unwrap();
        assert_eq!(back, "</script><!--\\u{2028}\\u{202e}\u{7}&é");
    }
}
