//! Text on a page of some width: wrapping, colours, and what must not reach a
//! terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::visible::{inert, visible};

/// How words look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As they are.
    Plain,
    /// Strong.
    Bold,
    /// Faint.
    Dim,
    /// Grave.
    Red,
    /// To be heeded.
    Yellow,
    /// Good.
    Green,
    /// To know.
    Blue,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "\x1b[1m",
            Style::Dim => "\x1b[2m",
            Style::Red => "\x1b[1;31m",
            Style::Yellow => "\x1b[33m",
            Style::Green => "\x1b[32m",
            Style::Blue => "\x1b[34m",
        }
    }
}

/// How many columns a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A text that grows by paragraphs. All that is written to it is made visible, and no line
/// of it is a command to a build server.
#[derive(Debug)]
pub struct Page {
    out: String,
    width: usize,
    color: bool,
}

impl Page {
    /// An empty page; less than 40 columns count as 40.
    pub fn new(width: usize, color: bool) -> Self {
        Page { out: String::new(), width: width.max(40), color }
    }

    /// What has been written.
    pub fn finish(self) -> String {
        inert(&self.out).into_owned()
    }

    /// An empty line, unless there is one already or nothing before it.
    pub fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A paragraph whose first line starts with `lead` and whose others stand below
    /// the words of the first.
    pub fn item(&mut self, lead: &str, text: &str, style: Style) {
        self.hanging(lead, columns(lead), text, style);
    }

    /// A paragraph, `indent` columns from the left.
    pub fn para(&mut self, indent: usize, text: &str, style: Style) {
        self.hanging(&" ".repeat(indent), indent, text, style);
    }

    /// A paragraph that starts with `lead`; the lines after the first are indented
    /// by `hang` columns.
    pub fn hanging(&mut self, lead: &str, hang: usize, text: &str, style: Style) {
        let first = self.width.saturating_sub(columns(lead)).max(20);
        let rest = self.width.saturating_sub(hang).max(20);
        self.lines(lead, hang, wrap(text, first, rest), style);
    }

    /// A text on one line however long it is, so that it can be copied.
    pub fn line(&mut self, lead: &str, text: &str, style: Style) {
        self.lines(lead, 0, vec![visible(text)], style);
    }

    /// As [`Page::hanging`], in so many lines at most; what is cut off is marked. How many lines it took.
    pub fn bounded(&mut self, lead: &str, hang: usize, text: &str, style: Style, most: usize) -> usize {
        let first = self.width.saturating_sub(columns(lead)).max(20);
        let rest = self.width.saturating_sub(hang).max(20);
        let mut lines = wrap(text, first, rest);
        if lines.len() > most.max(1) {
            lines.truncate(most.max(1));
            let room = if lines.len() == 1 { first } else { rest };
            if let Some(last) = lines.last_mut() {
                while columns(last) + 2 > room {
                    match last.rfind(' ') {
                        Some(end) => last.truncate(end),
                        None => break,
                    }
                }
                last.push_str(" …");
            }
        }
        let number = lines.len();
        self.lines(lead, hang, lines, style);
        number
    }

    /// How many lines a text takes that starts with `lead`, the others indented by `hang` columns.
    pub fn count_lines(&self, lead: &str, hang: usize, text: &str) -> usize {
        let first = self.width.saturating_sub(columns(lead)).max(20);
        let rest = self.width.saturating_sub(hang).max(20);
        wrap(text, first, rest).len()
    }

    /// A text on one line and, at its end, another that is never cut off; the first is, if need be.
    pub fn two_columns(&mut self, lead: &str, text: &str, end: &str, style: Style) {
        let space = self.width.saturating_sub(columns(lead) + columns(&visible(end)) + 2);
        let text = wrap(text, usize::MAX, usize::MAX).concat();
        let mut shown = String::new();
        for c in text.chars() {
            if columns(&shown) + c.width().unwrap_or(0) > space.max(20) {
                while columns(&shown) + 1 > space.max(20) {
                    shown.pop();
                }
                shown.push('…');
                break;
            }
            shown.push(c);
        }
        let pad = if end.is_empty() { 0 } else { space.saturating_sub(columns(&shown)) + 2 };
        let line = format!("{shown}{}{}", " ".repeat(pad), visible(end));
        self.lines(lead, columns(lead), vec![line], style);
    }

    /// Steps after a start, as many on a line as fit from `indent` on; a step is not parted.
    pub fn steps(&self, indent: usize, start: &str, steps: &[String]) -> Vec<String> {
        let mut lines = vec![start.to_owned()];
        for step in steps {
            match lines.last_mut() {
                Some(line) if self.fits(indent, &format!("{line} {step}")) => {
                    line.push(' ');
                    line.push_str(step);
                }
                _ => lines.push(step.clone()),
            }
        }
        lines
    }

    fn lines(&mut self, lead: &str, hang: usize, lines: Vec<String>, style: Style) {
        for (index, line) in lines.into_iter().enumerate() {
            if index == 0 {
                self.out.push_str(lead);
            } else {
                self.out.extend(std::iter::repeat_n(' ', hang));
            }
            self.painted(&line, style);
            while self.out.ends_with(' ') {
                self.out.pop();
            }
            self.out.push('\n');
        }
    }

    /// Whether a text fits into a line that starts at `indent`.
    pub fn fits(&self, indent: usize, text: &str) -> bool {
        indent + columns(&visible(text)) <= self.width
    }

    fn painted(&mut self, line: &str, style: Style) {
        if self.color && style != Style::Plain && !line.is_empty() {
            self.out.push_str(style.code());
            self.out.push_str(line);
            self.out.push_str("\x1b[0m");
        } else {
            self.out.push_str(line);
        }
    }
}

/// Lines of words: the first up to `first` columns, the others up to `rest`. A word
/// that is longer stays whole, so that it can be copied, unless its script writes
/// without spaces.
fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let word = visible(word);
        let limit = if lines.len() == 1 { first } else { rest };
        let size = columns(&word);
        let gap = usize::from(used > 0);
        if used + gap + size <= limit {
            push(&mut lines, &word, gap == 1);
            used += gap + size;
            continue;
        }
        if size <= rest || size == word.chars().count() {
            if used > 0 {
                lines.push(String::new());
            }
            push(&mut lines, &word, false);
            used = size;
            continue;
        }
        if used > 0 {
            push(&mut lines, "", true);
            used += 1;
        }
        for c in word.chars() {
            let limit = if lines.len() == 1 { first } else { rest };
            let size = c.width().unwrap_or(0);
            if used + size > limit {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            used += size;
        }
    }
    lines
}

fn push(lines: &mut [String], word: &str, spaced: bool) {
    if let Some(line) = lines.last_mut() {
        if spaced {
            line.push(' ');
        }
        line.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_by_columns() {
        assert_eq!(wrap("one two three", 7, 7), ["one two", "three"]);
        assert_eq!(wrap("a\n  b\tc", 9, 9), ["a b c"]);
        assert_eq!(wrap("x a-very-long-path/that/stays", 10, 10), ["x", "a-very-long-path/that/stays"]);
        assert_eq!(wrap("銀行口座残高", 4, 6), ["銀行", "口座残", "高"]);
        assert_eq!(wrap("", 4, 4), [""]);
    }

    #[test]
    fn what_would_act_on_a_terminal_is_written_out() {
        let mut page = Page::new(80, false);
        page.item("- ", "x\u{7}y", Style::Red);
        assert_eq!(page.finish(), "- x\\u{7}y\n");
    }
}
