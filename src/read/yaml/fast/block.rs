//! Maps and lists by indentation.

use std::borrow::Cow;

use super::{Entry, KEY_LENGTH, Line, Node, Reader, Value};

/// A key, and where its `:` is.
struct Key<'t> {
    text: Cow<'t, str>,
    start: usize,
    end: usize,
    colon: usize,
}

/// A scalar, or a key.
enum Text<'t> {
    Scalar(Node<'t>),
    Key(Key<'t>),
}

impl<'t> Reader<'t> {
    /// A document: a map or a list.
    pub(super) fn root(&mut self, column: usize) -> Option<Node<'t>> {
        if self.at_dash() {
            return self.block_seq(column, false);
        }
        match self.text()? {
            Text::Key(key) => self.block_map(column, key),
            Text::Scalar(_) => None,
        }
    }

    /// A `-` that begins an entry of a list.
    fn at_dash(&self) -> bool {
        self.byte(self.at) == Some(b'-') && matches!(self.byte(self.at + 1), None | Some(b' ' | b'\n'))
    }

    /// A value in a column, within a map or list whose column is `within`. On the line of a
    /// list's `-` a block text may begin.
    fn block_node(&mut self, column: usize, within: usize, on_line: bool) -> Option<Node<'t>> {
        match self.byte(self.at)? {
            b'-' if self.at_dash() => self.block_seq(column, false),
            b'[' | b'{' => self.flow_value(within),
            b'|' | b'>' if on_line => self.block_scalar(within),
            _ => match self.text()? {
                Text::Key(key) => self.block_map(column, key),
                Text::Scalar(node) => {
                    self.line_end()?;
                    Some(node)
                }
            },
        }
    }

    /// A value behind its key, on the same line.
    fn inline(&mut self, within: usize) -> Option<Node<'t>> {
        match self.byte(self.at)? {
            b'-' if self.at_dash() => None,
            b'[' | b'{' => self.flow_value(within),
            b'|' | b'>' => self.block_scalar(within),
            _ => match self.text()? {
                Text::Key(_) => None,
                Text::Scalar(node) => {
                    self.line_end()?;
                    Some(node)
                }
            },
        }
    }

    /// A flow collection and the end of its line.
    fn flow_value(&mut self, within: usize) -> Option<Node<'t>> {
        let node = self.flow(within)?;
        self.line_end()?;
        Some(node)
    }

    /// A scalar of one line, or a key.
    fn text(&mut self) -> Option<Text<'t>> {
        let start = self.at;
        let (text, plain, end) = match self.byte(start)? {
            b'"' | b'\'' => {
                let text = self.quoted()?;
                let colon = self.byte(self.at) == Some(b':')
                    && matches!(self.byte(self.at + 1), None | Some(b' ' | b'\n'));
                if !colon {
                    return Some(Text::Scalar(self.scalar(text, false, start, self.at)));
                }
                (text, false, self.at)
            }
            _ => {
                let (end, colon) = self.plain()?;
                let text = Cow::Borrowed(self.text.get(start..end)?);
                if !colon {
                    return Some(Text::Scalar(self.scalar(text, true, start, end)));
                }
                (text, true, end)
            }
        };
        let colon = self.at;
        let bad = plain && super::super::is_null(&text) || text == "<<" || colon - start > KEY_LENGTH;
        (!bad).then_some(Text::Key(Key { text, start, end, colon }))
    }

    fn block_map(&mut self, column: usize, first: Key<'t>) -> Option<Node<'t>> {
        self.enter()?;
        let (start, from) = (first.start, self.entries.len());
        let mut key = first;
        loop {
            self.at = key.colon + 1;
            self.spaces();
            let value = match self.byte(self.at) {
                None | Some(b'\n' | b'#') => {
                    self.at = key.colon + 1;
                    self.line_end()?;
                    match self.line {
                        Line::Column(next) if next > column => self.block_node(next, column, false)?,
                        Line::Column(next) if next == column && self.at_dash() => {
                            self.block_seq(column, true)?
                        }
                        _ => Node { span: self.span(key.colon, key.colon), value: Value::Null },
                    }
                }
                Some(_) => self.inline(column)?,
            };
            let end = value.span.end as usize;
            let key_span = self.span(key.start, key.end);
            self.entries.push(Entry { key: key.text, key_span, value });
            match self.line {
                Line::Column(next) if next == column => match self.text()? {
                    Text::Key(next) => key = next,
                    Text::Scalar(_) => return None,
                },
                Line::Column(next) if next > column => return None,
                _ => return self.map(start, end, from),
            }
        }
    }

    /// A list; one without indentation stands in its key's own column.
    fn block_seq(&mut self, column: usize, without_indentation: bool) -> Option<Node<'t>> {
        self.enter()?;
        let (mut start, from) = (self.at, self.items.len());
        let mut first = true;
        loop {
            self.at += 1;
            let spaces = self.spaces();
            let item = match self.byte(self.at) {
                None | Some(b'\n' | b'#') => {
                    if without_indentation {
                        return None;
                    }
                    self.at -= spaces;
                    self.line_end()?;
                    match self.line {
                        Line::Column(next) if next > column => self.block_node(next, column, false)?,
                        _ => return None,
                    }
                }
                Some(_) => {
                    if first && without_indentation {
                        // There the general parser begins such a list.
                        start = self.at;
                    }
                    self.block_node(column + 1 + spaces, column, true)?
                }
            };
            first = false;
            let end = item.span.end as usize;
            self.items.push(item);
            match self.line {
                Line::Column(next) if next == column && self.at_dash() => {}
                Line::Column(next) if next > column || next == column && !without_indentation => return None,
                _ => return Some(self.seq(start, end, from)),
            }
        }
    }
}
