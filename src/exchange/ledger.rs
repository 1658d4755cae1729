//! The leaves of all sources of an import, each with exactly one fate.
//!
//! A leaf is `unread` until an importer says what became of it, so that nothing which no importer looks at
//! is lost in silence: that is the law of conservation, held by construction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::fate::{Accepted, At, Code, Entry};

/// A leaf, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(u32);

/// Where it stands in its file.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// In a text.
    Text {
        /// The line, from 1.
        line: u32,
        /// The column, from 1.
        column: u32,
    },
    /// In a table, which is one of those named.
    Cell {
        /// The table.
        sheet: u32,
        /// The row, from 0.
        row: u32,
        /// The column, from 0.
        column: u32,
    },
}

#[derive(Debug)]
struct Held {
    file: u32,
    place: Place,
    pointer: Arc<str>,
    value: Arc<str>,
}

#[derive(Debug, Default)]
struct Detail {
    became: BTreeSet<Arc<str>>,
    note: Option<String>,
    /// It is dropped, and no path depends on it.
    minor: bool,
}

/// Something that is said of what no leaf says.
#[derive(Debug)]
struct Remark {
    code: Code,
    key: String,
    value: String,
    note: String,
    became: BTreeSet<Arc<str>>,
    at: Option<Leaf>,
}

/// All leaves and their fates.
#[derive(Debug, Default)]
pub struct Ledger {
    files: Vec<String>,
    sheets: Vec<String>,
    leaves: Vec<Held>,
    codes: Vec<Code>,
    details: FxHashMap<Leaf, Detail>,
    remarks: Vec<Remark>,
    /// A pointer and a value that are read as nothing.
    without: Option<(String, String)>,
}

/// So many things that a leaf became are named; of most leaves it is one.
const MOST_BECAME: usize = 100;

impl Ledger {
    /// Adds a file.
    pub fn file(&mut self, name: &str) -> u32 {
        self.files.push(name.to_owned());
        self.files.len() as u32 - 1
    }

    /// Adds a table of a file.
    pub fn sheet(&mut self, name: &str) -> u32 {
        self.sheets.push(name.to_owned());
        self.sheets.len() as u32 - 1
    }

    /// Takes it that all leaves of this pointer and value were not there.
    pub fn leave_out(&mut self, without: Option<(&str, &str)>) {
        self.without = without.map(|(pointer, value)| (pointer.to_owned(), value.to_owned()));
    }

    /// Whether a leaf is to be read as nothing.
    pub fn is_left_out(&self, pointer: &str, value: &str) -> bool {
        self.without.as_ref().is_some_and(|(at, of)| at == pointer && of == value)
    }

    /// Adds a leaf, which nobody has read yet.
    pub fn leaf(&mut self, file: u32, place: Place, pointer: Arc<str>, value: impl Into<Arc<str>>) -> Leaf {
        self.leaves.push(Held { file, place, pointer, value: value.into() });
        self.codes.push(Code::Unread);
        Leaf(self.leaves.len() as u32 - 1)
    }

    /// What is written there.
    pub fn value(&self, leaf: Leaf) -> Arc<str> {
        self.leaves.get(leaf.0 as usize).map(|held| Arc::clone(&held.value)).unwrap_or_default()
    }

    /// How many leaves there are.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// How a report calls the source of a leaf: `ropa.csv!7`, or the file and line.
    pub fn source(&self, leaf: Leaf) -> String {
        let Some(held) = self.leaves.get(leaf.0 as usize) else { return String::new() };
        let file = self.files.get(held.file as usize).map(String::as_str).unwrap_or_default();
        let file = file.rsplit('/').next().unwrap_or(file);
        match held.place {
            Place::Text { line, .. } => format!("{file}:{line}"),
            Place::Cell { row, .. } => format!("{file}!{}", row + 1),
        }
    }

    /// Says what became of a leaf. Where that is said twice, the one that may cost more holds.
    pub fn mark(&mut self, leaf: Leaf, code: Code, became: Option<&str>, note: Option<&str>) {
        let Some(old) = self.codes.get_mut(leaf.0 as usize) else { return };
        let severer = *old == Code::Unread || code > *old;
        if severer {
            *old = code;
        }
        let silent = matches!(code, Code::Carried | Code::Label);
        if note.is_none() && (silent || became.is_none()) {
            return;
        }
        let detail = self.details.entry(leaf).or_default();
        if detail.became.len() < MOST_BECAME {
            detail.became.extend(became.map(Arc::from));
        }
        if severer && let Some(note) = note {
            detail.note = Some(note.to_owned());
        }
    }

    /// As [`Ledger::mark`], of what is not in the result and leads nowhere.
    pub fn drop_minor(&mut self, leaf: Leaf, note: &str) {
        if self.codes.get(leaf.0 as usize) == Some(&Code::Unread) {
            self.mark(leaf, Code::Dropped, None, Some(note));
            self.details.entry(leaf).or_default().minor = true;
        }
    }

    /// What became of a leaf so far.
    pub fn code(&self, leaf: Leaf) -> Code {
        self.codes.get(leaf.0 as usize).copied().unwrap_or(Code::Unread)
    }

    /// Says something of what no leaf says; what has the same code, key and value is one remark.
    pub fn remark(&mut self, code: Code, key: &str, value: &str, note: &str, made: &str, at: Option<Leaf>) {
        let same = |one: &&mut Remark| one.code == code && one.key == key && one.value == value;
        let last = self.remarks.iter_mut().rev().take(64).find(same);
        match last {
            Some(one) if one.became.len() < MOST_BECAME => {
                one.became.insert(made.into());
            }
            Some(_) => {}
            None => self.remarks.push(Remark {
                code,
                key: key.to_owned(),
                value: value.to_owned(),
                note: note.to_owned(),
                became: Some(made).filter(|made| !made.is_empty()).map(Arc::from).into_iter().collect(),
                at,
            }),
        }
    }

    /// How many leaves have each fate: their sum is the number of leaves.
    pub fn counts(&self) -> BTreeMap<Code, usize> {
        let mut counts = BTreeMap::new();
        for code in &self.codes {
            *counts.entry(*code).or_default() += 1;
        }
        counts
    }

    /// Where a leaf stands.
    pub fn at(&self, leaf: Leaf) -> Option<At> {
        let held = self.leaves.get(leaf.0 as usize)?;
        let file = self.files.get(held.file as usize).cloned().unwrap_or_default();
        let (line, column, cell) = match held.place {
            Place::Text { line, column } => (line, column, None),
            Place::Cell { sheet, row, column } => {
                let sheet = self.sheets.get(sheet as usize).map(String::as_str).unwrap_or_default();
                let name = column_name(column) + &(row + 1).to_string();
                let cell = if sheet.is_empty() { name } else { format!("{sheet}!{name}") };
                (row + 1, column + 1, Some(cell))
            }
        };
        Some(At { file, line, column, cell, pointer: held.pointer.to_string() })
    }

    /// The entries: all that was not simply carried or kept as a label, merged by id.
    pub fn entries(&self, accepted: &BTreeMap<String, Accepted>) -> Vec<Entry> {
        let none = Detail::default();
        let mut all: BTreeMap<String, Entry> = BTreeMap::new();
        let numbered = (0..).map(Leaf).zip(self.leaves.iter().zip(&self.codes));
        for (leaf, (held, &code)) in numbered {
            if matches!(code, Code::Carried | Code::Label) {
                continue;
            }
            let detail = self.details.get(&leaf).unwrap_or(&none);
            let id = id(code, &held.pointer, &held.value);
            let entry = all.entry(id.clone()).or_insert_with(|| {
                let (effect, relevant) = code.weight();
                Entry {
                    accepted: accepted.get(&id).cloned(),
                    id,
                    code,
                    effect: if detail.minor { super::fate::Effect::None } else { effect },
                    path_relevant: relevant && !detail.minor,
                    at: self.at(leaf),
                    leaves: 0,
                    value: held.value.to_string(),
                    became: Vec::new(),
                    note: detail.note.clone(),
                    reach: None,
                }
            });
            entry.leaves += 1;
            entry.add(&detail.became);
        }
        for remark in &self.remarks {
            let id = id(remark.code, &remark.key, &remark.value);
            let (effect, path_relevant) = remark.code.weight();
            let entry = all.entry(id.clone()).or_insert_with(|| Entry {
                accepted: accepted.get(&id).cloned(),
                id,
                code: remark.code,
                effect,
                path_relevant,
                at: remark.at.and_then(|leaf| self.at(leaf)),
                leaves: 0,
                value: remark.value.clone(),
                became: Vec::new(),
                note: Some(remark.note.clone()),
                reach: None,
            });
            entry.add(&remark.became);
        }
        all.into_values().collect()
    }
}

impl Entry {
    fn add(&mut self, became: &BTreeSet<Arc<str>>) {
        for made in became.iter().take(MOST_BECAME.saturating_sub(self.became.len())) {
            if !self.became.iter().any(|known| **known == **made) {
                self.became.push(made.to_string());
            }
        }
    }
}

fn id(code: Code, pointer: &str, value: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [crate::base::vocabulary::Word::word(code), pointer, value] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    format!("il1:{}", hasher.finalize().to_hex().chars().take(16).collect::<String>())
}

/// `A`, `Z`, `AA` of 0, 25, 26.
pub fn column_name(column: u32) -> String {
    let mut rest = column + 1;
    let mut name = Vec::new();
    while rest > 0 {
        rest -= 1;
        name.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    name.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_one_fate_and_the_gravest_that_is_said_of_it() {
        let mut ledger = Ledger::default();
        let file = ledger.file("a.csv");
        let sheet = ledger.sheet("");
        let place = |row| Place::Cell { sheet, row, column: 27 };
        let leaves: Vec<Leaf> = (0..4).map(|row| ledger.leaf(file, place(row), "x".into(), "v")).collect();
        ledger.mark(leaves[0], Code::Carried, Some("flows/a"), None);
        ledger.mark(leaves[1], Code::Extended, Some("flows/a"), None);
        ledger.mark(leaves[1], Code::Carried, Some("flows/b"), None);
        ledger.drop_minor(leaves[2], "of no use");
        let counts = ledger.counts();
        assert_eq!(counts.values().sum::<usize>(), 4);
        let of = |code| counts.get(&code).copied().unwrap_or_default();
        assert_eq!([Code::Carried, Code::Extended, Code::Dropped, Code::Unread].map(of), [1, 1, 1, 1]);
        let entries = ledger.entries(&BTreeMap::new());
        assert_eq!(entries.len(), 3);
        assert_eq!(entries.iter().filter(|entry| entry.is_open()).count(), 2);
        assert_eq!(ledger.at(leaves[3]).unwrap().cell.as_deref(), Some("AB4"));
    }
}
