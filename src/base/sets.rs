//! Lists of which any may match, as fast for tens of thousands as for one.

use std::cmp::Reverse;
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::glob::Glob;
use crate::base::places;

/// Globs of which any may match, in the order in which they were written.
///
/// A glob without `*` and `?` is looked up. Of any other, the rarest text between its `*` and `?` is
/// searched for, all such texts at once, and only the globs whose text occurs are tried.
#[derive(Debug, Clone, Default)]
pub struct GlobSet {
    globs: Arc<[Glob]>,
    /// What meets one of them besides, older words for the same say.
    also: Arc<[Glob]>,
    /// None of few: these are tried in turn.
    index: Option<Arc<Index>>,
}

/// So many globs are tried in turn.
const FEW: usize = 8;

/// So many bytes of a text are searched for: enough to tell most texts apart, and few enough that a name of
/// one letter again and again costs no more than others.
const SEARCHED: usize = 32;

#[derive(Debug, Default)]
struct Index {
    /// Those without `*` and `?`.
    literal: FxHashSet<Box<str>>,
    /// The texts to search for, as a trie: from a node by a byte to the next one; the root is 0.
    next: FxHashMap<(u32, u8), u32>,
    /// For each node, the globs that are tried where its text occurs.
    tried: Vec<Vec<Glob>>,
    /// Globs of `*` and `?` alone.
    open: Vec<Glob>,
}

impl GlobSet {
    /// A set of some globs.
    pub fn new(globs: impl IntoIterator<Item = Glob>) -> Self {
        Self::with(globs, [])
    }

    /// A set of some globs, which others meet besides without being among those that are written.
    pub fn with(globs: impl IntoIterator<Item = Glob>, also: impl IntoIterator<Item = Glob>) -> Self {
        let globs: Arc<[Glob]> = globs.into_iter().collect();
        let also: Arc<[Glob]> = also.into_iter().collect();
        let index = (globs.len() > FEW).then(|| Arc::new(Index::new(&globs)));
        GlobSet { globs, also, index }
    }

    /// Whether one of them matches the whole of a name.
    pub fn matches(&self, name: &str) -> bool {
        let written = match &self.index {
            Some(index) => index.matches(name, &mut 0),
            None => self.globs.iter().any(|glob| glob.matches(name)),
        };
        written || self.also.iter().any(|glob| glob.matches(name))
    }

    /// What meets one of them besides.
    pub fn also(&self) -> &[Glob] {
        &self.also
    }
}

impl Deref for GlobSet {
    type Target = [Glob];

    fn deref(&self) -> &[Glob] {
        &self.globs
    }
}

/// The texts of a glob that a name which it matches must hold: the beginning and the end of what stands
/// between its `*` and `?`.
fn texts(glob: &Glob) -> impl Iterator<Item = &[u8]> {
    let parts = glob.as_str().split(['*', '?']).map(str::as_bytes).filter(|text| !text.is_empty());
    parts.flat_map(|text| {
        let head = text.first_chunk::<SEARCHED>().map_or(text, |head| head);
        let tail = text.last_chunk::<SEARCHED>().map_or(text, |tail| tail);
        [head, tail]
    })
}

impl Index {
    fn new(globs: &[Glob]) -> Self {
        let mut index = Index { tried: vec![Vec::new()], ..Index::default() };
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        let mut common: FxHashMap<&[u8], usize> = FxHashMap::default();
        let mut patterns = Vec::new();
        for glob in globs.iter().filter(|glob| seen.insert(glob.as_str())) {
            if let Some(text) = glob.literal() {
                index.literal.insert(text.into());
            } else {
                texts(glob).for_each(|text| *common.entry(text).or_default() += 1);
                patterns.push(glob);
            }
        }
        for glob in patterns {
            let how_common = |text: &&[u8]| (common.get(text).copied(), Reverse(text.len()));
            match texts(glob).min_by_key(how_common) {
                Some(rarest) => index.try_where(rarest, glob),
                None => index.open.push(glob.clone()),
            }
        }
        index
    }

    /// Tries a glob where a text occurs.
    fn try_where(&mut self, text: &[u8], glob: &Glob) {
        let mut node = 0;
        for &byte in text {
            let new = self.tried.len() as u32;
            node = *self.next.entry((node, byte)).or_insert(new);
            if node == new {
                self.tried.push(Vec::new());
            }
        }
        if let Some(tried) = self.tried.get_mut(node as usize) {
            tried.push(glob.clone());
        }
    }

    /// Whether one matches; adds to `steps` how many bytes were looked at and globs tried.
    fn matches(&self, name: &str, steps: &mut usize) -> bool {
        let one_matches = |globs: &[Glob], steps: &mut usize| {
            globs.iter().any(|glob| {
                *steps += 1;
                glob.matches(name)
            })
        };
        if self.literal.contains(name) || one_matches(&self.open, steps) {
            return true;
        }
        if self.next.is_empty() {
            return false;
        }
        let mut tried = FxHashSet::default();
        for start in 0..name.len() {
            let mut node = 0;
            for &byte in name.as_bytes().get(start..).unwrap_or_default() {
                *steps += 1;
                match self.next.get(&(node, byte)) {
                    Some(&next) => node = next,
                    None => break,
                }
                let globs = self.tried.get(node as usize).map_or(&[][..], Vec::as_slice);
                if !globs.is_empty() && tried.insert(node) && one_matches(globs, steps) {
                    return true;
                }
            }
        }
        false
    }
}

/// Words of which one, or all, must be among those declared, in the order in which they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordSet {
    words: Vec<String>,
    /// Empty for few: these are looked through.
    set: FxHashSet<String>,
}

impl WordSet {
    /// A set of some words.
    pub fn new(words: Vec<String>) -> Self {
        let set = if words.len() > FEW { words.iter().cloned().collect() } else { FxHashSet::default() };
        WordSet { set, words }
    }

    /// Whether a word is one of them.
    pub fn has(&self, word: &str) -> bool {
        if self.set.is_empty() { self.words.iter().any(|w| w == word) } else { self.set.contains(word) }
    }

    /// Whether one of them was declared.
    pub fn any_of(&self, declared: &[String]) -> bool {
        declared.iter().any(|word| self.has(word))
    }

    /// Whether all of them were declared.
    pub fn all_of(&self, declared: &[String]) -> bool {
        if self.set.is_empty() {
            return self.words.iter().all(|word| declared.contains(word));
        }
        let found: FxHashSet<&String> = declared.iter().filter(|word| self.has(word)).collect();
        found.len() == self.set.len()
    }
}

impl Deref for WordSet {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.words
    }
}

/// A place, or a group of places, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPlaces {
    /// As it is written: a code, or the name of a group.
    pub name: String,
    /// The codes that it stands for.
    pub codes: Vec<String>,
}

/// Places, in the order in which they were written, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeSet {
    names: Vec<String>,
    codes: FxHashSet<String>,
}

impl CodeSet {
    /// A set of some places.
    pub fn new(named: Vec<NamedPlaces>) -> Self {
        let mut set = CodeSet::default();
        let mut seen = FxHashSet::default();
        for NamedPlaces { name, codes } in named {
            if seen.insert(name.clone()) {
                set.names.push(name);
                set.codes.extend(codes);
            }
        }
        set
    }

    /// Whether a code is one of theirs, or of a subdivision of one: `US-CA` is within `US`.
    pub fn has(&self, code: &str) -> bool {
        places::and_above(code).any(|place| self.codes.contains(place))
    }

    /// The codes that they stand for, in no order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(String::as_str)
    }
}

impl Deref for CodeSet {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(globs: &[&str]) -> GlobSet {
        GlobSet::new(globs.iter().map(Glob::new))
    }

    fn steps(set: &GlobSet, name: &str) -> usize {
        let mut steps = 0;
        assert!(!set.index.as_ref().expect("there are many").matches(name, &mut steps));
        steps
    }

    #[test]
    fn a_set_matches_what_one_of_its_globs_matches() {
        let letters = ['a', 'b', '*', '?'];
        let globs: Vec<String> = (0..256)
            .map(|n: usize| (0..4).map(|at| letters[n / 4_usize.pow(at) % 4]).collect::<String>())
            .chain(["".to_owned(), "a".to_owned(), "ab?".to_owned(), "ä*".to_owned()])
            .collect();
        let names = ["", "a", "b", "ab", "ba", "aab", "abb", "abab", "abba", "bbbb", "ababa", "ä", "äb"];
        for (start, step) in [(0, 1), (1, 7), (3, 11), (5, 29), (2, 64), (85, 300)] {
            let some: Vec<&str> = globs.iter().skip(start).step_by(step).map(String::as_str).collect();
            let set = set(&some);
            for name in names {
                let one = some.iter().any(|glob| Glob::new(glob).matches(name));
                assert_eq!(set.matches(name), one, "{name} in {some:?}");
            }
        }
        assert!(!set(&[]).matches("a"));
    }

    #[test]
    fn only_globs_whose_rarest_text_occurs_are_tried() {
        let name = |n: usize| format!("t{n}");
        for pattern in ["*x{}*", "t*x{}", "common*{}y*", "?{}z*", "x{}"] {
            let globs: Vec<String> = (0..20_000).map(|n| pattern.replace("{}", &n.to_string())).collect();
            let set = GlobSet::new(globs.iter().map(Glob::new));
            let steps: usize = (0..1_000).map(|n| steps(&set, &name(n))).sum();
            assert!(steps <= 1_000 * 10, "{pattern}: {steps}");
        }
        // A glob that is written again and again is tried once.
        let again = GlobSet::new((0..20_000).map(|_| Glob::new("t*t")));
        let steps = steps(&again, "tttx");
        assert!(steps < 10, "{steps}");
    }

    #[test]
    fn the_longest_names_and_texts_cost_no_more_than_their_length_and_what_is_searched_for() {
        let runs: Vec<String> = (1..1_000).map(|n| format!("*{}b?c*", "a".repeat(n))).collect();
        let set = GlobSet::new(runs.iter().map(Glob::new));
        let steps = steps(&set, &"a".repeat(1_000));
        assert!(steps <= 1_000 * (SEARCHED + 1) + runs.len(), "{steps}");
    }

    #[test]
    fn words_are_found_whatever_their_number() {
        let words = |n: std::ops::Range<usize>| n.map(|n| n.to_string()).collect::<Vec<_>>();
        for many in [1, 2, FEW, FEW + 1, 1_000] {
            let set = WordSet::new(words(0..many));
            assert!(set.all_of(&words(0..many + 5)) && !set.all_of(&words(1..many + 5)));
            assert!(set.any_of(&words(many - 1..many + 1)) && !set.any_of(&words(many..many + 1)));
        }
        assert!(WordSet::default().all_of(&[]) && !WordSet::default().any_of(&words(0..3)));
    }
}
