//! Lists and maps in brackets, on one line or wrapped between their values.

use std::borrow::Cow;

use super::{Entry, KEY_LENGTH, Node, Reader};

impl<'t> Reader<'t> {
    /// The list or map that begins here. Further lines are indented deeper than `within`.
    pub(super) fn flow(&mut self, within: usize) -> Option<Node<'t>> {
        self.enter()?;
        let start = self.at;
        let is_map = self.byte(start) == Some(b'{');
        let from = if is_map { self.entries.len() } else { self.items.len() };
        let close = if is_map { b'}' } else { b']' };
        self.at += 1;
        loop {
            self.between(within, true)?;
            if self.byte(self.at) == Some(close) {
                break;
            }
            if is_map {
                let entry = self.flow_entry(within)?;
                self.entries.push(entry);
            } else {
                let item = self.flow_node(within)?;
                self.items.push(item);
            }
            self.between(within, false)?;
            match self.byte(self.at)? {
                b',' => self.at += 1,
                byte if byte == close => break,
                _ => return None,
            }
        }
        self.at += 1;
        if is_map { self.map(start, self.at, from) } else { Some(self.seq(start, self.at, from)) }
    }

    /// Passes over what stands between the parts of a collection.
    fn between(&mut self, within: usize, comments: bool) -> Option<()> {
        loop {
            let spaces = self.spaces();
            match self.byte(self.at)? {
                b'\n' => {}
                b'#' if comments && spaces > 0 => self.up_to_line_feed(),
                b'#' => return None,
                _ => return Some(()),
            }
            self.at += 1;
            let start = self.at;
            let column = self.spaces();
            match self.byte(self.at)? {
                b'\n' => self.at = start,
                _ if column > within => self.at = start,
                _ => return None,
            }
        }
    }

    fn flow_entry(&mut self, within: usize) -> Option<Entry<'t>> {
        let start = self.at;
        let key: Cow<str> = match self.byte(start)? {
            b'"' | b'\'' => self.quoted()?,
            _ => {
                self.flow_plain()?;
                let key = self.text.get(start..self.at)?;
                if super::super::is_null(key) {
                    return None;
                }
                Cow::Borrowed(key)
            }
        };
        let key_span = self.span(start, self.at);
        if key == "<<" || self.at - start > KEY_LENGTH {
            return None;
        }
        if (self.byte(self.at), self.byte(self.at + 1)) != (Some(b':'), Some(b' ')) {
            return None;
        }
        self.at += 1;
        self.spaces();
        let value = self.flow_node(within)?;
        Some(Entry { key, key_span, value })
    }

    fn flow_node(&mut self, within: usize) -> Option<Node<'t>> {
        let start = self.at;
        match self.byte(start)? {
            b'[' | b'{' => self.flow(within),
            b'"' | b'\'' => {
                let text = self.quoted()?;
                Some(self.scalar(text, false, start, self.at))
            }
            _ => {
                self.flow_plain()?;
                let text = self.text.get(start..self.at)?;
                Some(self.scalar(Cow::Borrowed(text), true, start, self.at))
            }
        }
    }
}
