//! Text in a picture: how wide it may come out, how it is shortened and made safe.

use unicode_width::UnicodeWidthChar;

use crate::base::visible::{is_hidden, visible};

/// As many characters stand unshortened in a label.
pub const LABEL: usize = 24;

/// Thousandths of the font size that the characters from `!` to `~` take in the widest
/// of the usual sans-serif fonts.
const WIDTHS: [u16; 94] = [
    401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295,
    656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392,
    634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

fn thousandths(c: char) -> i32 {
    if c == ' ' {
        return 318;
    }
    let ascii = (c as usize).checked_sub(33).and_then(|at| WIDTHS.get(at));
    match (ascii, c.width()) {
        (Some(&width), _) => i32::from(width),
        (None, Some(0)) => 0,
        (None, Some(2)) => 1050,
        _ => 800,
    }
}

/// At most so many pixels a text takes.
pub fn width(text: &str, size: i32) -> i32 {
    let sum: i32 = text.chars().map(thousandths).fold(0, i32::saturating_add);
    sum.min(1_000_000).saturating_mul(size).div_euclid(1000) + 1
}

/// The same in bold.
pub fn bold_width(text: &str, size: i32) -> i32 {
    width(text, size) * 117 / 100
}

/// What a text may show: in one line, and nothing in it that acts on what is around
/// it or that XML does not know.
pub fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = visible(&words.join(" "));
    if !line.contains(['\u{fffe}', '\u{ffff}']) {
        return line;
    }
    line.chars().map(|c| if matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }).collect()
}

/// A text of up to `most` characters; of a longer one the middle is left out.
pub fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let end = most.saturating_sub(1) * 2 / 5;
    let start = most.saturating_sub(1) - end;
    let mut short: String = text.chars().take(start).collect();
    short.push('…');
    short.extend(text.chars().skip(count - end));
    short
}

/// In XML, as text or in an attribute.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // `##[error]` is an order to a build server that reads its log.
            '#' if out.ends_with('#') => out.push_str("&#35;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // A line of the file must not begin as a command to a build server does.
            '\n' => out.push_str("&#10;"),
            c if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// `1 flow`, `2 flows`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_loses_its_middle() {
        assert_eq!(shortened("exactly-24-characters-xx", LABEL), "exactly-24-characters-xx");
        assert_eq!(shortened("one-more-than-24-characte", LABEL), "one-more-than-…-characte");
        assert_eq!(shortened("one-more-than-24-characte", LABEL).chars().count(), LABEL);
    }

    #[test]
    fn what_acts_is_neutralised() {
        assert_eq!(plain("a\n  b\u{202e}c\u{ffff}"), "a b\\u{202e}c\u{fffd}");
        assert_eq!(xml("</script>&\"'\u{7}"), "&lt;/script&gt;&amp;&quot;&#39;\u{fffd}");
    }

    #[test]
    fn widths_are_no_less_than_those_of_the_widest_usual_font() {
        assert!(width("WWWW", 10) >= 39);
        assert!(width("銀行", 12) >= 24);
        assert_eq!(width("", 12), 1);
    }
}
