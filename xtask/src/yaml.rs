//! YAML as people and tools write it: each file has a style of its own.

use std::fmt::Write as _;

use crate::random::Random;

/// What is written.
#[derive(Debug, Clone)]
pub enum Value {
    /// An id, a key, a date: needs no quotes.
    Word(String),
    /// A whole number: never quoted.
    Number(usize),
    /// Free text.
    Text(String),
    /// Several values.
    List(Vec<Value>),
    /// Keys with values.
    Map(Map),
}

/// Keys with values, in order.
pub type Map = Vec<(&'static str, Value)>;

/// A word.
pub fn word(text: impl Into<String>) -> Value {
    Value::Word(text.into())
}

/// A list of words.
pub fn words<S: AsRef<str>>(list: &[S]) -> Value {
    Value::List(list.iter().map(|w| word(w.as_ref())).collect())
}

/// Free text.
pub fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    AsGiven,
    Sorted,
    /// The id first, the others anyhow.
    Mixed,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Quotes {
    Needed,
    Single,
    Double,
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Style {
    /// Spaces before a nested map.
    step: usize,
    /// Whether the dashes of a list stand further right than its key.
    dashes_in: bool,
    /// How likely a short list of words stands in brackets.
    brackets: f64,
    /// How likely a small map of words stands in braces.
    braces: f64,
    /// How likely a list of one is written without a list.
    bare_single: f64,
    order: Order,
    quotes: Quotes,
    quoted_words: bool,
    comments: f64,
    blank_lines: bool,
    blocks: bool,
}

impl Style {
    fn of(random: &mut Random) -> Self {
        match random.below(20) {
            // As programs write it.
            0..=4 => Style {
                step: 2,
                dashes_in: false,
                brackets: 0.0,
                braces: 0.0,
                bare_single: 0.0,
                order: Order::Sorted,
                quotes: Quotes::Needed,
                quoted_words: false,
                comments: 0.0,
                blank_lines: false,
                blocks: false,
            },
            5 => Style {
                step: 2,
                dashes_in: true,
                brackets: 0.0,
                braces: 0.0,
                bare_single: 0.0,
                order: Order::AsGiven,
                quotes: Quotes::Double,
                quoted_words: true,
                comments: 0.0,
                blank_lines: false,
                blocks: false,
            },
            // As people do.
            n => Style {
                step: if n == 6 { 4 } else { 2 },
                dashes_in: n % 4 != 0,
                brackets: [0.9, 0.7, 0.3][n % 3],
                braces: if n % 5 == 0 { 0.5 } else { 0.05 },
                bare_single: if n % 6 == 0 { 0.3 } else { 0.0 },
                order: if n % 2 == 0 { Order::AsGiven } else { Order::Mixed },
                quotes: [Quotes::Needed, Quotes::Needed, Quotes::Single, Quotes::Double][n % 4],
                quoted_words: false,
                comments: [0.0, 0.02, 0.08][n % 3],
                blank_lines: n % 3 == 0,
                blocks: n % 2 == 1,
            },
        }
    }
}

const COMMENTS: &[&str] = &[
    "see the data protection impact assessment",
    "TODO: ask the owner whether this is still needed",
    "added with the second amendment",
    "reviewed 2026-03-11",
    "keep in step with the contract's annex B",
    "was part of the nightly batch until 2025",
    "nb: volumes are small – under 1 % of customers",
    "confirmed by e-mail, ticket in the label below",
];

/// A file as it is written.
#[derive(Debug)]
pub struct Writer {
    /// What has been written.
    pub out: String,
    style: Style,
    random: Random,
    documents: usize,
}

impl Writer {
    /// A new file with a style that follows from its name.
    pub fn new(seed: u64, name: &str) -> Self {
        let mut random = Random::new(seed, name);
        let style = Style::of(&mut random);
        let mut writer = Writer { out: String::new(), style, random, documents: 0 };
        if writer.style.comments > 0.0 && writer.random.chance(0.4) {
            let comment = writer.random.pick(COMMENTS);
            let _ = writeln!(writer.out, "# {name}: {comment}");
        }
        writer
    }

    /// A top-level key with its declarations; now and then in a document of its own.
    pub fn section(&mut self, key: &'static str, value: Value) {
        if self.documents == 0 {
            if self.random.chance(0.2) {
                self.out.push_str("---\n");
            }
        } else if self.random.chance(0.25) {
            self.out.push_str(if self.random.chance(0.1) { "...\n---\n" } else { "---\n" });
        } else if self.style.blank_lines {
            self.out.push('\n');
        }
        self.documents += 1;
        self.entry(key, &value, 0);
    }

    fn indent(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn entry(&mut self, key: &str, value: &Value, column: usize) {
        self.out.push_str(key);
        self.out.push(':');
        match value {
            Value::List(list) if list.is_empty() => self.out.push_str(" []\n"),
            Value::List(list) => self.list(list, column),
            Value::Map(map) => {
                if self.is_small(value) && self.random.chance(self.style.braces.max(0.02)) {
                    self.out.push(' ');
                    self.inline(value);
                    self.end_of_line();
                } else {
                    self.out.push('\n');
                    let column = column + self.style.step;
                    self.indent(column);
                    self.map(map, column);
                }
            }
            Value::Text(text) => {
                self.out.push(' ');
                self.text(text, column);
                self.out.push('\n');
            }
            Value::Word(_) | Value::Number(_) => {
                self.out.push(' ');
                self.inline(value);
                self.end_of_line();
            }
        }
    }

    fn end_of_line(&mut self) {
        if self.random.chance(self.style.comments / 4.0) {
            let comment = self.random.pick(COMMENTS);
            self.out.push_str("  # ");
            self.out.push_str(comment);
        }
        self.out.push('\n');
    }

    /// The keys of a map; the place of the first is already there.
    fn map(&mut self, map: &Map, column: usize) {
        let mut order: Vec<usize> = (0..map.len()).collect();
        match self.style.order {
            Order::AsGiven => {}
            Order::Sorted => order.sort_by_key(|&at| map[at].0),
            Order::Mixed => {
                let fixed = usize::from(map.first().is_some_and(|(key, _)| *key == "id"));
                if self.random.chance(0.5) {
                    self.random.shuffle(&mut order[fixed..]);
                }
            }
        }
        for (n, at) in order.into_iter().enumerate() {
            if n > 0 {
                self.indent(column);
            }
            let (key, value) = &map[at];
            self.entry(key, value, column);
        }
    }

    fn list(&mut self, list: &[Value], column: usize) {
        let plain = list.iter().all(|v| matches!(v, Value::Word(_)));
        if plain && list.len() == 1 && self.random.chance(self.style.bare_single) {
            self.out.push(' ');
            self.inline(&list[0]);
            return self.end_of_line();
        }
        let length: usize = list.iter().map(|v| if let Value::Word(w) = v { w.len() + 2 } else { 40 }).sum();
        if plain && length < 90 && self.random.chance(self.style.brackets) {
            self.out.push_str(" [");
            self.items(list);
            self.out.push(']');
            return self.end_of_line();
        }
        self.out.push('\n');
        let column = if self.style.dashes_in { column + self.style.step } else { column };
        for (at, value) in list.iter().enumerate() {
            if let Value::Map(_) = value {
                if at > 0 && self.style.blank_lines && column <= 6 {
                    self.out.push('\n');
                }
                if self.random.chance(self.style.comments) {
                    let comment = self.random.pick(COMMENTS);
                    self.indent(column);
                    let _ = writeln!(self.out, "# {comment}");
                }
            }
            self.indent(column);
            self.out.push_str("- ");
            match value {
                Value::Map(map) => {
                    if self.is_small(value) && self.random.chance(self.style.braces) {
                        self.inline(value);
                        self.end_of_line();
                    } else {
                        self.map(map, column + 2);
                    }
                }
                Value::Text(text) => {
                    self.text(text, column);
                    self.out.push('\n');
                }
                _ => {
                    self.inline(value);
                    self.end_of_line();
                }
            }
        }
    }

    fn is_small(&self, value: &Value) -> bool {
        fn length(value: &Value) -> usize {
            match value {
                Value::Word(w) => w.len() + 2,
                Value::Number(_) => 8,
                Value::Text(t) => t.len() + 4,
                Value::List(list) => list.iter().map(length).sum::<usize>() + 2,
                Value::Map(map) => map.iter().map(|(k, v)| k.len() + 2 + length(v)).sum::<usize>() + 2,
            }
        }
        length(value) < 170
    }

    fn items(&mut self, list: &[Value]) {
        for (at, value) in list.iter().enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            self.inline(value);
        }
    }

    /// A value within a line.
    fn inline(&mut self, value: &Value) {
        match value {
            Value::Word(word) if self.style.quoted_words => {
                let _ = write!(self.out, "\"{word}\"");
            }
            Value::Word(word) => self.out.push_str(word),
            Value::Number(number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Text(text) => self.quoted(text, true),
            Value::List(list) => {
                self.out.push('[');
                self.items(list);
                self.out.push(']');
            }
            Value::Map(map) => {
                self.out.push('{');
                for (at, (key, value)) in map.iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.out.push_str(key);
                    self.out.push_str(": ");
                    self.inline(value);
                }
                self.out.push('}');
            }
        }
    }

    fn quoted(&mut self, text: &str, is_inline: bool) {
        match self.style.quotes {
            Quotes::Double => {
                self.out.push('"');
                for c in text.chars() {
                    match c {
                        '"' => self.out.push_str("\\\""),
                        '\\' => self.out.push_str("\\\\"),
                        'é' => self.out.push_str("\\u00e9"),
                        c => self.out.push(c),
                    }
                }
                self.out.push('"');
            }
            Quotes::Needed if !is_inline && is_plain(text) => self.out.push_str(text),
            _ => {
                self.out.push('\'');
                self.out.push_str(&text.replace('\'', "''"));
                self.out.push('\'');
            }
        }
    }

    /// A text after its key: within the line, or as a block.
    fn text(&mut self, text: &str, column: usize) {
        if text.len() < 90 || !self.style.blocks {
            return self.quoted(text, false);
        }
        let is_literal = self.random.chance(0.3);
        self.out.push_str(if is_literal { "|-" } else { ">-" });
        let column = column + self.style.step.max(2);
        let mut width = 80;
        for word in text.split(' ') {
            if width + word.len() >= 80 {
                self.out.push('\n');
                self.indent(column);
                width = 0;
            } else {
                self.out.push(' ');
            }
            self.out.push_str(word);
            width += word.len() + 1;
        }
    }
}

/// Whether a text needs no quotes outside brackets and braces.
fn is_plain(text: &str) -> bool {
    let starts = text.chars().next().is_some_and(char::is_alphabetic);
    starts && !text.contains(": ") && !text.contains(" #") && !text.ends_with(':') && !text.ends_with(' ')
}
