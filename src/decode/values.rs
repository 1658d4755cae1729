//! Single values: text, numbers, dates, words, categories.

use jiff::civil::Date;

use super::{Decoder, Name, Spanned, Words};
use crate::diagnostic::Diagnostic;
use crate::duration::Duration;
use crate::taxonomy::{Key, Tree};
use crate::vocabulary::Word;
use crate::yaml::{Node, Value};

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// A value quoted for a message: at most 60 characters.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("`{}…`", text.get(..at).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

fn parse_date(text: &str) -> Option<Date> {
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    shaped.then(|| text.parse().ok()).flatten()
}

/// A whole number in any of YAML's spellings: `62000000`, `1e3`, `0o17`, `0x1f`, `1_000`.
fn parse_count(text: &str) -> Option<u64> {
    let plain = text.replace('_', "");
    if let Some(octal) = plain.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok();
    }
    if let Some(hex) = plain.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    plain.parse::<u64>().ok().or_else(|| {
        let number = plain.parse::<f64>().ok()?;
        // Above 2^53 a float no longer tells one whole number from the next.
        (number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    })
}

impl Decoder<'_> {
    /// Any text.
    pub fn text(&mut self, node: &Node) -> Option<Spanned<String>> {
        self.scalar(node, "a text")
    }

    /// A name of something that many declarations name.
    pub fn name(&mut self, node: &Node) -> Option<Spanned<Name>> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_type(node, "a text");
            return None;
        };
        let name = match self.names.get(&*scalar.text) {
            Some(known) => Name::clone(known),
            None => {
                let new = Name::from(&*scalar.text);
                self.names.insert(Name::clone(&new));
                new
            }
        };
        Some(Spanned::new(name, node.span))
    }

    /// A list of texts as one of the lists that are known.
    pub fn words(&mut self, texts: Vec<String>) -> Words {
        if let Some(known) = self.lists.get(texts.as_slice()) {
            return Words::clone(known);
        }
        let new = Words::from(texts);
        self.lists.insert(Words::clone(&new));
        new
    }

    fn scalar(&mut self, node: &Node, expected: &str) -> Option<Spanned<String>> {
        match &node.value {
            Value::Scalar(scalar) => Some(Spanned::new(scalar.text.clone().into_owned(), node.span)),
            _ => {
                self.wrong_type(node, expected);
                None
            }
        }
    }

    fn parsed<T>(
        &mut self,
        node: &Node,
        code: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let text = self.scalar(node, expected)?;
        match parse(&text.value) {
            Some(value) => Some(Spanned::new(value, node.span)),
            None => {
                self.report(
                    Diagnostic::new(code, format!("{} is not {expected}", quoted(&text.value)), node.span)
                        .label(format!("expected {expected}")),
                );
                None
            }
        }
    }

    /// An id: a letter or digit, then letters, digits, dots, underscores, hyphens.
    pub fn id(&mut self, node: &Node) -> Option<Spanned<String>> {
        self.parsed(node, "bad-id", "an id (letters, digits, `.`, `_`, `-`; a letter or digit first)", |t| {
            is_id(t).then(|| t.to_owned())
        })
    }

    /// A day, `2018-10-01`.
    pub fn date(&mut self, node: &Node) -> Option<Spanned<Date>> {
        self.parsed(node, "bad-date", "a date (year-month-day, like 2018-10-01)", parse_date)
    }

    /// A duration, `90d`.
    pub fn duration(&mut self, node: &Node) -> Option<Spanned<Duration>> {
        self.parsed(
            node,
            "bad-duration",
            "a duration (a whole number with h, d, w, m or y, like 90d; or unlimited)",
            Duration::parse,
        )
    }

    /// A whole number, not negative.
    pub fn count(&mut self, node: &Node) -> Option<Spanned<u64>> {
        self.parsed(node, "bad-number", "a whole number", parse_count)
    }

    /// True or false, in any spelling that YAML has had.
    pub fn flag(&mut self, node: &Node) -> Option<Spanned<bool>> {
        self.parsed(node, "bad-flag", "true or false", |t| match t.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        })
    }

    /// One of a closed set of words.
    pub fn word<W: Word>(&mut self, node: &Node) -> Option<Spanned<W>> {
        let text = self.scalar(node, W::WHAT)?;
        if let Some(word) = W::parse(&text.value) {
            return Some(Spanned::new(word, node.span));
        }
        let all = W::ALL.iter().map(|w| w.word());
        let known = all.clone().collect::<Vec<_>>().join(", ");
        let help = match self.near(&text.value, all) {
            Some(near) => format!("did you mean `{near}`? Known: {known}"),
            None => format!("known: {known}"),
        };
        self.report(
            Diagnostic::new("unknown-word", format!("{} is not {}", quoted(&text.value), W::WHAT), node.span)
                .label(format!("expected {}", W::WHAT))
                .help(help),
        );
        None
    }

    fn key(&mut self, node: &Node, tree: &Tree, code: &'static str, what: &str) -> Option<Spanned<Key>> {
        let text = self.scalar(node, what)?;
        if let Some(key) = tree.find(&text.value) {
            return Some(Spanned::new(key, node.span));
        }
        let help = match self.near(&text.value, tree.names()) {
            Some(near) => format!("did you mean `{near}`? `ringfence taxonomy` lists all"),
            None => "`ringfence taxonomy` lists all; add your own under `taxonomy:`".to_owned(),
        };
        self.report(
            Diagnostic::new(code, format!("{} is not {what}", quoted(&text.value)), node.span)
                .label(format!("expected {what}"))
                .help(help),
        );
        None
    }

    /// A finding's fingerprint.
    pub fn fingerprint(&mut self, node: &Node) -> Option<Spanned<String>> {
        let text = self.text(node)?;
        if is_fingerprint(&text.value) {
            return Some(text);
        }
        self.report(
            Diagnostic::new("bad-fingerprint", "this is not a fingerprint", node.span)
                .label("expected `rf1:` and 16 hexadecimal digits"),
        );
        None
    }

    /// A data category.
    pub fn category(&mut self, node: &Node) -> Option<Spanned<Key>> {
        let tree = self.data;
        self.key(node, tree, "unknown-category", "a data category")
    }

    /// A purpose.
    pub fn purpose(&mut self, node: &Node) -> Option<Spanned<Key>> {
        let tree = self.purposes;
        self.key(node, tree, "unknown-purpose", "a purpose")
    }
}

/// Whether a text has the form of a finding's fingerprint.
pub fn is_fingerprint(text: &str) -> bool {
    let digits = text.strip_prefix("rf1:").unwrap_or_default();
    digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
