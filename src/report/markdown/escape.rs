//! Text from elsewhere in Markdown: it shows as it is and does nothing. No emphasis,
//! link, image, HTML, mention, reference, emoji or formula comes of it, on GitHub and
//! on GitLab alike.

use crate::report::say::{clipped, line};

/// Takes no room and keeps services from seeing a reference: they look for it in the
/// text that they have rendered, where an escaped character is a plain one again.
const APART: &str = "&#8203;";

/// Signs with which references and the like start: `@user`, `#12`, `!12`, `~label`,
/// `%milestone`, `&12`, `$x$`, `:smile:`, `https://`.
const SIGNS: &str = "@#!~%&$:";

/// Prose on one line, up to so many characters as written; what is cut off is marked.
/// It may stand anywhere in a line, in a table's cell and in HTML's text but not in an
/// attribute.
pub(crate) fn text(value: &str, most: usize) -> String {
    let value = line(value);
    let chars: Vec<char> = value.chars().collect();
    let digits = chars.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut out = String::new();
    let mut used = 0;
    for (index, &c) in chars.iter().enumerate() {
        let next = chars.get(index + 1).copied();
        let before = |text: &str| {
            let size = text.len();
            index.checked_sub(size).and_then(|from| chars.get(from..index)).is_some_and(|found| {
                found.iter().zip(text.chars()).all(|(have, want)| have.eq_ignore_ascii_case(&want))
            })
        };
        let mut piece = match c {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            // Both: one program heeds the backslash, another the element.
            '$' => "<span>\\$</span>".to_owned(),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '^' => format!("\\{c}"),
            // What makes a list or a heading at the start of a line.
            '-' | '+' | '=' if index == 0 => format!("\\{c}"),
            '.' | ')' if digits > 0 && index == digits && next.is_none_or(|c| c == ' ') => format!("\\{c}"),
            '.' if before("www") => format!("{APART}."),
            c => c.to_string(),
        };
        let sign = SIGNS.contains(c) || (c == '-' && before("gh"));
        let starts = next.map_or(c != ':', |next| next != ' ');
        if (sign && starts) || inside_hash(&chars, index) {
            piece.push_str(APART);
        }
        used += piece.chars().count();
        if used + 1 > most {
            out.push('…');
            break;
        }
        out.push_str(&piece);
    }
    out
}

/// Whether the fourth character of what could be the name of a commit is here.
fn inside_hash(chars: &[char], index: usize) -> bool {
    let Some(start) = index.checked_sub(3) else {
        return false;
    };
    if start > 0 && chars.get(start - 1).is_some_and(|c| c.is_alphanumeric()) {
        return false;
    }
    let word: Vec<char> =
        chars.iter().skip(start).take_while(|c| c.is_alphanumeric()).take(41).copied().collect();
    (7..=40).contains(&word.len()) && word.iter().all(char::is_ascii_hexdigit)
}

/// A name, shown as code, up to so many characters as written.
pub(crate) fn code(value: &str, most: usize) -> String {
    let value = line(value);
    if value.contains('|') {
        // In a table it would end the cell, and outside of one a backslash before it
        // would show.
        return format!("<code>{}</code>", text(&value, most.saturating_sub(13)));
    }
    let longest = value.split(|c| c != '`').map(str::len).max().unwrap_or(0).min(most);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 || value.is_empty() { " " } else { "" };
    let room = most.saturating_sub(2 * (fence.len() + pad.len()));
    format!("{fence}{pad}{}{pad}{fence}", clipped(&value, room))
}

/// Prose of our own making or from elsewhere in which names stand between backticks:
/// they are code, all else is as in [`text`].
pub(crate) fn prose(value: &str, most: usize) -> String {
    let parts: Vec<&str> = value.split('`').collect();
    let (words, names): (Vec<_>, Vec<_>) = parts.iter().enumerate().partition(|(index, _)| index % 2 == 0);
    if words.len() != names.len() + 1 || names.iter().any(|(_, name)| name.trim().is_empty()) {
        return text(value, most);
    }
    let mut out = String::new();
    let mut left = most;
    for (index, part) in parts.iter().enumerate() {
        let piece = if index % 2 == 1 {
            code(part, left)
        } else {
            // The parts are put together as they stood.
            let (lead, tail) = (part.starts_with(char::is_whitespace), part.ends_with(char::is_whitespace));
            let inner = text(part, left.saturating_sub(2));
            match (inner.is_empty(), lead && !out.is_empty(), tail) {
                (true, false, false) => String::new(),
                (true, ..) => " ".to_owned(),
                (false, lead, tail) => {
                    format!("{}{inner}{}", if lead { " " } else { "" }, if tail { " " } else { "" })
                }
            }
        };
        let size = piece.chars().count();
        if size + 1 > left {
            out.push('…');
            break;
        }
        left -= size;
        out.push_str(&piece);
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_shows_as_it_is_and_does_nothing() {
        let plain = |value| text(value, 1000);
        assert_eq!(plain("Data, kept for 90d (see §4.2)"), "Data, kept for 90d (see §4.2)");
        assert_eq!(plain("<img src=x>"), "&lt;img src=x&gt;");
        assert_eq!(plain("[a](b) ![c](d)"), "\\[a\\](b) \\!&#8203;\\[c\\](d)");
        assert_eq!(plain("@user #12"), "@&#8203;user \\#&#8203;12");
        assert_eq!(plain("GH-1 www.a.b http://c"), "GH-&#8203;1 www&#8203;.a.b http:&#8203;//c");
        assert_eq!(plain("0123abc cafe"), "0123&#8203;abc cafe");
        assert_eq!(plain("$x$"), "<span>\\$</span>&#8203;x<span>\\$</span>&#8203;");
        assert_eq!(plain("1. a"), "1\\. a");
        assert_eq!(plain("1.0"), "1.0");
        assert_eq!(plain("- a\n# b"), "\\- a \\# b");
        assert_eq!(plain("a\u{202e}b"), "a\\\\u{202e}b");
    }

    #[test]
    fn names_are_code_whatever_they_hold() {
        let plain = |value| code(value, 1000);
        assert_eq!(plain("bank/accounts"), "`bank/accounts`");
        assert_eq!(plain("a`b``c"), "``` a`b``c ```");
        assert_eq!(plain("a|b"), "<code>a\\|b</code>");
    }

    #[test]
    fn names_between_backticks_are_code_in_prose() {
        let plain = |value| prose(value, 1000);
        assert_eq!(plain("one of `a_b`, or `c`."), "one of `a_b`, or `c`.");
        assert_eq!(plain("`a` is <b>"), "`a` is &lt;b&gt;");
        assert_eq!(plain("a ` b"), "a \\` b");
        assert_eq!(plain("a `` b"), "a \\`\\` b");
    }

    #[test]
    fn nothing_is_longer_than_allowed() {
        for value in ["$".repeat(99), "`".repeat(99), "|".repeat(99), "a".repeat(99), "&\n".repeat(99)] {
            assert!(text(&value, 40).chars().count() <= 40, "{value}");
            let code = code(&value, 40);
            assert!(code.chars().count() <= 90, "{value}: {code}");
            assert!(prose(&value, 40).chars().count() <= 90, "{value}");
        }
    }
}
