//! Text in which nothing hides or reorders other text, or acts on what shows it.

use std::borrow::Cow;

/// Whether a character changes how others are shown, or is no visible character at
/// all: control characters, direction marks and overrides, invisible tags.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}')
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every hidden character written out, `\u{202e}` say.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// JSON with every hidden character escaped, and the first of two `#`, with which orders to build
/// servers begin: who reads it gets them back. Between the strings there is none but the ends of
/// lines, which stay.
pub fn in_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut signs = json.chars().peekable();
    while let Some(c) = signs.next() {
        if (is_hidden(c) && c != '\n') || (c == '#' && signs.peek() == Some(&'#')) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// What build servers look for anywhere in a line of their logs.
const ORDERS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// Text of which no line is a command to a build server that reads it in its log: where one
/// would begin, its first sign is written out.
pub fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !ORDERS.iter().any(|order| text.contains(order)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = uncoloured(line);
        let head = line.strip_suffix(rest).unwrap_or_default();
        out.push_str(head);
        // GitHub's `::name …::`; `:::` begins a place in a snippet.
        let rest = match rest.strip_prefix("::").filter(|rest| !rest.starts_with(':')) {
            Some(behind) => {
                out.push_str("\\u{3a}:");
                behind
            }
            None => rest,
        };
        let quiet = |rest: String, order: &&str| rest.replace(*order, &order.replacen('#', "\\u{23}", 1));
        out.push_str(&ORDERS.iter().fold(rest.to_owned(), quiet));
    }
    Cow::Owned(out)
}

/// A line without the spaces and colours that it begins with.
fn uncoloured(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some((code, behind)) = rest.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('m')) {
        if !code.bytes().all(|b| b.is_ascii_digit() || b == b';') {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_on_a_terminal_is_written_out() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c\u{9b}"), "a\\u{1b}[2Jb\\u{202e}c\\u{9b}");
    }

    #[test]
    fn no_line_is_a_command() {
        assert_eq!(inert("a ::error::b\n  ::error::c\n"), "a ::error::b\n  \\u{3a}:error::c\n");
        assert_eq!(inert("\u{1b}[1;31m::error::c"), "\u{1b}[1;31m\\u{3a}:error::c");
        assert_eq!(inert("  ::: a.yaml:1:2"), "  ::: a.yaml:1:2");
        assert_eq!(inert("a ##[x]b ##vso[y]"), "a \\u{23}#[x]b \\u{23}#vso[y]");
    }

    #[test]
    fn json_stays_what_it_says() {
        let text = "{\n \"a\": \"\u{202e}\u{7f}\u{e0041}\"\n}";
        let safe = in_json(text);
        assert!(!safe.contains(|c| c != '\n' && is_hidden(c)), "{safe}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(text));
    }
}
