//! Single values: text, numbers, dates, words, categories.

use jiff::civil::Date;

use super::{Decoder, Name, Spanned, Words};
use crate::base::diagnostic::Diagnostic;
use crate::base::duration::Duration;
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::Word;
use crate::read::yaml::{Node, Value};

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
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
        self.scalar(node, "a text").map(|text| Spanned::new(text.to_owned(), node.span))
    }

    /// A name of something that many declarations name.
    pub fn name(&mut self, node: &Node) -> Option<Spanned<Name>> {
        let text = self.scalar(node, "a text")?;
        let name = match self.names.get(text) {
            Some(known) => Name::clone(known),
            None => {
                let new = Name::from(text);
                self.names.insert(Name::clone(&new));
                new
            }
        };
        Some(Spanned::new(name, node.span))
    }

    /// A list of texts, their places not needed; of no node, none.
    pub fn words(&mut self, node: Option<&Node>) -> Words {
        let texts = node.map(|node| self.list(node, |d, n| d.scalar(n, "a text"))).unwrap_or_default();
        self.shared_list(&texts)
    }

    /// One copy of a list of texts that many declarations repeat.
    pub fn shared(&mut self, texts: Vec<String>) -> Words {
        self.shared_list(&texts)
    }

    fn shared_list<T: AsRef<str>>(&mut self, texts: &[T]) -> Words {
        let new = || texts.iter().map(|text| text.as_ref().to_owned()).collect();
        if texts.iter().any(|text| text.as_ref().contains('\n')) {
            return new();
        }
        let mut joined = String::with_capacity(texts.iter().map(|text| text.as_ref().len() + 1).sum());
        for text in texts {
            joined.push_str(text.as_ref());
            joined.push('\n');
        }
        Words::clone(self.lists.entry(joined).or_insert_with(new))
    }

    fn scalar<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar(scalar) => self.fits(&scalar.text, node.span).then_some(&*scalar.text),
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
        match parse(text) {
            Some(value) => Some(Spanned::new(value, node.span)),
            None => {
                self.report(
                    Diagnostic::new(code, format!("{} is not {expected}", quoted(text)), node.span)
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
        if let Some(word) = W::parse(text) {
            return Some(Spanned::new(word, node.span));
        }
        let all = W::ALL.iter().map(|w| w.word());
        let known = all.clone().collect::<Vec<_>>().join(", ");
        let help = match self.near(text, all) {
            Some(near) => format!("did you mean `{near}`? Known: {known}"),
            None => format!("known: {known}"),
        };
        self.report(
            Diagnostic::new("unknown-word", format!("{} is not {}", quoted(text), W::WHAT), node.span)
                .label(format!("expected {}", W::WHAT))
                .help(help),
        );
        None
    }

    fn key(&mut self, node: &Node, tree: &Tree, code: &'static str, what: &str) -> Option<Spanned<Key>> {
        let text = self.scalar(node, what)?;
        if let Some(key) = tree.find(text) {
            return Some(Spanned::new(key, node.span));
        }
        let help = match self.near(text, tree.names()) {
            Some(near) => format!("did you mean `{near}`? `ringfence taxonomy` lists all"),
            None => "`ringfence taxonomy` lists all; add your own under `taxonomy:`".to_owned(),
        };
        self.report(
            Diagnostic::new(code, format!("{} is not {what}", quoted(text)), node.span)
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
