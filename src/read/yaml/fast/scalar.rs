//! Single texts.

use std::borrow::Cow;

use super::{Node, Reader};

/// What is done about the line feeds at a block text's end.
#[derive(PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

impl<'t> Reader<'t> {
    /// Whether a plain text may begin here. `:` and `?` may in rare cases, which are left
    /// to the general parser.
    fn plain_begins(&self, in_flow: bool) -> Option<()> {
        let next = self.byte(self.at + 1);
        let good = match self.byte(self.at)? {
            b'-' => match next {
                None | Some(b' ' | b'\n') => false,
                Some(b',' | b'[' | b']' | b'{' | b'}') => !in_flow,
                Some(_) => true,
            },
            b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>'
            | b'\'' | b'"' | b'%' | b'@' | b'`' | b' ' | b'\n' => false,
            _ => true,
        };
        good.then_some(())
    }

    /// Passes over a plain text in a block; where it ends, and whether a `:` follows, which
    /// is looked at then.
    pub(super) fn plain(&mut self) -> Option<(usize, bool)> {
        self.plain_begins(false)?;
        let start = self.at;
        let mut colon = false;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let Some(found) = rest.iter().position(|&b| matches!(b, b':' | b'#' | b'\n')) else {
                self.at = self.bytes.len();
                break;
            };
            self.at += found;
            match rest.get(found) {
                Some(b':') if matches!(rest.get(found + 1), None | Some(b' ' | b'\n')) => {
                    colon = true;
                    break;
                }
                Some(b'\n') => break,
                // The first byte is no `#`: there is one before.
                Some(b'#') if self.byte(self.at - 1) == Some(b' ') => break,
                _ => self.at += 1,
            }
        }
        let end = start + self.text.get(start..self.at)?.trim_end_matches(' ').len();
        if !colon {
            // The space before a comment distinguishes it from the text.
            self.at = end;
        }
        Some((end, colon))
    }

    /// Passes over a plain text in a flow collection; a `:` or line feed may follow.
    pub(super) fn flow_plain(&mut self) -> Option<()> {
        self.plain_begins(true)?;
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let stops = |b: &u8| matches!(b, b',' | b'[' | b']' | b'{' | b'}' | b':' | b'#' | b'\n');
            let found = rest.iter().position(stops)?;
            self.at += found;
            match (rest.get(found)?, rest.get(found + 1)) {
                (b'[' | b'{', _) => return None,
                (b':', None | Some(b' ' | b'\n' | b',' | b'[' | b']' | b'{' | b'}')) => break,
                (b'#', _) if self.byte(self.at - 1) == Some(b' ') => return None,
                (b':' | b'#', _) => self.at += 1,
                _ => break,
            }
        }
        self.at = start + self.text.get(start..self.at)?.trim_end_matches(' ').len();
        Some(())
    }

    /// Passes over a quoted text of one line.
    pub(super) fn quoted(&mut self) -> Option<Cow<'t, str>> {
        let quote = self.byte(self.at)?;
        self.at += 1;
        let start = self.at;
        let mut from = start;
        let mut owned = String::new();
        loop {
            let rest = self.bytes.get(self.at..)?;
            let found = rest.iter().position(|&b| b == quote || matches!(b, b'\\' | b'\n'))?;
            self.at += found;
            let before = self.text.get(from..self.at)?;
            match (rest.get(found)?, rest.get(found + 1)) {
                (b'\n', _) => return None,
                (b'\\', next) if quote == b'"' => {
                    owned.push_str(before);
                    self.at += 2;
                    owned.push(self.escaped(*next?)?);
                    from = self.at;
                }
                (b'\\', _) => self.at += 1,
                (b'\'', Some(b'\'')) => {
                    owned.push_str(before);
                    owned.push('\'');
                    self.at += 2;
                    from = self.at;
                }
                _ => {
                    self.at += 1;
                    if from == start {
                        return Some(Cow::Borrowed(before));
                    }
                    owned.push_str(before);
                    return Some(Cow::Owned(owned));
                }
            }
        }
    }

    /// What a `\` and the byte behind it stand for; passes over the digits that may follow.
    fn escaped(&mut self, byte: u8) -> Option<char> {
        let digits = match byte {
            b'"' | b'\\' | b'/' | b' ' => return Some(char::from(byte)),
            b'0' => return Some('\0'),
            b'a' => return Some('\x07'),
            b'b' => return Some('\x08'),
            b't' => return Some('\t'),
            b'n' => return Some('\n'),
            b'v' => return Some('\x0B'),
            b'f' => return Some('\x0C'),
            b'r' => return Some('\r'),
            b'e' => return Some('\x1B'),
            b'N' => return Some('\u{85}'),
            b'_' => return Some('\u{A0}'),
            b'L' => return Some('\u{2028}'),
            b'P' => return Some('\u{2029}'),
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => return None,
        };
        let mut value: u32 = 0;
        for &digit in self.bytes.get(self.at..self.at + digits)? {
            value = value << 4 | char::from(digit).to_digit(16)?;
        }
        self.at += digits;
        // Halves of a character are left to the general parser.
        char::from_u32(value)
    }

    /// A text of several lines behind `|` or `>`, indented deeper than `within`, and on to
    /// what comes next.
    pub(super) fn block_scalar(&mut self, within: usize) -> Option<Node<'t>> {
        let folded = self.byte(self.at)? == b'>';
        self.at += 1;
        let chomp = match self.byte(self.at)? {
            b'-' => Chomp::Strip,
            b'+' => Chomp::Keep,
            _ => Chomp::Clip,
        };
        self.at += usize::from(chomp != Chomp::Clip);
        let spaces = self.spaces();
        match self.byte(self.at)? {
            b'#' if spaces > 0 => self.up_to_line_feed(),
            b'\n' => {}
            _ => return None,
        }
        // Line feeds to add before the next text.
        let mut breaks = 0;
        let mut widest = 0;
        let indent = loop {
            self.at += 1;
            let column = self.spaces();
            widest = widest.max(column);
            match self.byte(self.at)? {
                b'\n' => breaks += 1,
                _ => break column,
            }
        };
        if indent <= within || indent < widest {
            return None;
        }
        let start = self.at;
        let mut text = Cow::Borrowed("");
        let mut lines = 0;
        let mut deeper_before = false;
        loop {
            let line = self.at;
            self.up_to_line_feed();
            // A last line without its line feed has rules of its own.
            self.byte(self.at)?;
            let content = self.text.get(line..self.at)?;
            let deeper = content.starts_with(' ');
            if lines == 0 && breaks == 0 {
                text = Cow::Borrowed(content);
            } else {
                let text = text.to_mut();
                let folds = folded && lines > 0 && !deeper && !deeper_before;
                if lines > 0 && !folds {
                    text.push('\n');
                }
                if folds && breaks == 0 {
                    text.push(' ');
                }
                text.extend(std::iter::repeat_n('\n', breaks));
                text.push_str(content);
            }
            lines += 1;
            breaks = 0;
            deeper_before = deeper;
            let mut ended = false;
            loop {
                self.at += 1;
                let line = self.at;
                while self.at - line < indent && self.byte(self.at) == Some(b' ') {
                    self.at += 1;
                }
                match self.byte(self.at) {
                    Some(b'\n') => breaks += 1,
                    None if self.at > line => return None,
                    None => ended = true,
                    Some(_) => ended = self.at - line < indent,
                }
                if ended {
                    self.at = line;
                }
                if self.byte(self.at) != Some(b'\n') || ended {
                    break;
                }
            }
            if ended {
                break;
            }
        }
        if chomp != Chomp::Strip {
            match text {
                // Its own line feed is the next byte.
                Cow::Borrowed(content) if lines == 1 => {
                    text = Cow::Borrowed(self.text.get(start..start + content.len() + 1)?);
                }
                _ => text.to_mut().push('\n'),
            }
        }
        if chomp == Chomp::Keep && breaks > 0 {
            text.to_mut().extend(std::iter::repeat_n('\n', breaks));
        }
        let end = start + self.text.get(start..self.at)?.trim_end().len();
        let node = self.scalar(text, false, start, end);
        self.line_start()?;
        Some(node)
    }
}
