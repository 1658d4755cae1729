//! Globs over names: `*` is any text, `?` one character; the whole name must
//! match, with case. (No classes or braces, unlike globs over files.)
//!
//! A glob is compiled once. Matching takes time linear in the name: what stands between two `*`
//! is found by a search that never goes back, and a search for a text with `?` in it keeps one bit
//! for each of its characters.

use std::fmt;

use rustc_hash::FxHashMap;

use crate::base::bits::{contains, set, words};

/// A glob.
#[derive(Debug, Clone)]
pub struct Glob {
    text: Box<str>,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    /// There is no `*` in it.
    Whole(Piece),
    /// What stands before the first `*`, between two of them, and behind the last.
    Parted { head: Piece, middle: Box<[Piece]>, tail: Piece },
}

impl Glob {
    /// Any text is a glob.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let mut pieces: Vec<&str> = text.split('*').collect();
        let shape = match (pieces.pop(), pieces.is_empty()) {
            (Some(tail), false) => {
                let head = Piece::new(pieces.remove(0));
                let between = pieces.into_iter().filter(|piece| !piece.is_empty());
                Shape::Parted { head, middle: between.map(Piece::new).collect(), tail: Piece::new(tail) }
            }
            _ => Shape::Whole(Piece::new(text)),
        };
        Glob { text: text.into(), shape }
    }

    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one name that it matches, where it has neither `*` nor `?`.
    pub fn literal(&self) -> Option<&str> {
        match &self.shape {
            Shape::Whole(Piece::Literal(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether the whole of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        self.matches_counting(name, &mut 0)
    }

    /// As [`Glob::matches`]; adds to `steps` how many bytes of the name were looked at.
    fn matches_counting(&self, name: &str, steps: &mut usize) -> bool {
        match &self.shape {
            Shape::Whole(piece) => piece.strip_prefix(name, steps).is_some_and(str::is_empty),
            Shape::Parted { head, middle, tail } => {
                let rest = head.strip_prefix(name, steps).and_then(|rest| tail.strip_suffix(rest, steps));
                let Some(mut rest) = rest else { return false };
                // The first place where a piece fits leaves most for those behind it.
                for piece in middle {
                    match piece.behind_first(rest, steps) {
                        Some(behind) => rest = behind,
                        None => return false,
                    }
                }
                true
            }
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

/// Many globs on one thing, each stated or not, checked against values that come again and again: each glob is
/// tried once for each distinct value, and one without `*` and `?` is looked up.
#[derive(Debug)]
pub struct Column<'g> {
    /// Those that are not stated: they hold for every value, and where there is none.
    unstated: Box<[u64]>,
    /// Those with `*` or `?`, by their text, and where they stand.
    open: Vec<(&'g Glob, Vec<usize>)>,
    /// Those without, by their text.
    literal: FxHashMap<&'g str, Vec<usize>>,
}

impl<'g> Column<'g> {
    /// A column of globs.
    pub fn new(globs: impl ExactSizeIterator<Item = Option<&'g Glob>>) -> Self {
        let mut unstated = vec![0; words(globs.len())];
        let mut open: FxHashMap<&str, (&Glob, Vec<usize>)> = FxHashMap::default();
        let mut literal: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (at, glob) in globs.enumerate() {
            match glob {
                None => set(&mut unstated, at),
                Some(glob) => match glob.literal() {
                    Some(text) => literal.entry(text).or_default().push(at),
                    None => open.entry(glob.as_str()).or_insert((glob, Vec::new())).1.push(at),
                },
            }
        }
        Column { unstated: unstated.into(), open: open.into_values().collect(), literal }
    }

    /// Which of them hold for a value, as a row of bits.
    pub fn row(&self, value: Option<&str>) -> Box<[u64]> {
        let mut row = self.unstated.clone();
        let Some(value) = value else { return row };
        let open = self.open.iter().filter(|(glob, _)| glob.matches(value)).flat_map(|(_, at)| at);
        open.chain(self.literal.get(value).into_iter().flatten()).for_each(|&at| set(&mut row, at));
        row
    }
}

/// A part of a glob without `*`.
#[derive(Debug, Clone)]
enum Piece {
    /// Without `?` as well.
    Literal(Box<str>),
    /// With `?`.
    Open(Open),
}

/// A text with `?` in it.
#[derive(Debug, Clone)]
struct Open {
    /// `None` is any character.
    chars: Box<[Option<char>]>,
    /// For each character that it names, sorted, the places at which it fits.
    fits: Box<[(char, Box<[u64]>)]>,
    /// The places at which any character fits.
    any: Box<[u64]>,
}

impl Piece {
    fn new(text: &str) -> Self {
        if !text.contains('?') {
            return Piece::Literal(text.into());
        }
        let chars: Box<[Option<char>]> = text.chars().map(|c| (c != '?').then_some(c)).collect();
        let places = |holds: &dyn Fn(Option<char>) -> bool| -> Box<[u64]> {
            let mut row = vec![0; words(chars.len())];
            for (at, &c) in chars.iter().enumerate() {
                if let Some(word) = row.get_mut(at / 64).filter(|_| holds(c)) {
                    *word |= 1 << (at % 64);
                }
            }
            row.into()
        };
        let mut named: Vec<char> = chars.iter().flatten().copied().collect();
        named.sort_unstable();
        named.dedup();
        let fits = named.into_iter().map(|c| (c, places(&|at| at.is_none_or(|at| at == c)))).collect();
        let any = places(&|at| at.is_none());
        Piece::Open(Open { chars, fits, any })
    }

    /// What follows it, where a text begins with it.
    fn strip_prefix<'n>(&self, text: &'n str, steps: &mut usize) -> Option<&'n str> {
        let rest = match self {
            Piece::Literal(literal) => text.strip_prefix(&**literal),
            Piece::Open(open) => {
                let mut left = text.chars();
                let fits =
                    open.chars.iter().all(|&c| left.next().is_some_and(|next| c.is_none_or(|c| c == next)));
                fits.then_some(left.as_str())
            }
        };
        *steps += text.len().min(self.length());
        rest
    }

    /// What stands before it, where a text ends with it.
    fn strip_suffix<'n>(&self, text: &'n str, steps: &mut usize) -> Option<&'n str> {
        let rest = match self {
            Piece::Literal(literal) => text.strip_suffix(&**literal),
            Piece::Open(open) => {
                let mut left = text.chars();
                let mut wanted = open.chars.iter().rev();
                let fits = wanted.all(|&c| left.next_back().is_some_and(|next| c.is_none_or(|c| c == next)));
                fits.then_some(left.as_str())
            }
        };
        *steps += text.len().min(self.length());
        rest
    }

    /// What follows the first place where it stands in a text.
    fn behind_first<'n>(&self, text: &'n str, steps: &mut usize) -> Option<&'n str> {
        let behind = match self {
            Piece::Literal(literal) => text.find(&**literal).and_then(|at| text.get(at + literal.len()..)),
            Piece::Open(open) => open.behind_first(text),
        };
        *steps += text.len() - behind.map_or(0, str::len);
        behind
    }

    /// At least as many bytes as are looked at from one end of a name.
    fn length(&self) -> usize {
        match self {
            Piece::Literal(literal) => literal.len(),
            Piece::Open(open) => open.chars.len() * 4,
        }
    }
}

impl Open {
    /// Bit n of the state is set where the last n + 1 characters are as the first n + 1 of this.
    fn behind_first<'n>(&self, text: &'n str) -> Option<&'n str> {
        let mut state = vec![0_u64; self.any.len()];
        let last = self.chars.len() - 1;
        let mut left = text.chars();
        while let Some(next) = left.next() {
            let own = self.fits.binary_search_by_key(&next, |(c, _)| *c).ok();
            let row = own.and_then(|at| self.fits.get(at)).map_or(&self.any, |(_, row)| row);
            let mut carried = 1;
            for (word, fits) in state.iter_mut().zip(row) {
                let out = *word >> 63;
                *word = (*word << 1 | carried) & fits;
                carried = out;
            }
            if contains(&state, last) {
                return Some(left.as_str());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Glob};

    #[test]
    fn whole_names_with_case() {
        for (glob, name, yes) in [
            ("a*", "abc", true),
            ("a*", "bab", false),
            ("*/core", "bank/core", true),
            ("*a*b*", "xaxxbx", true),
            ("*a*b", "xaxbxa", false),
            ("A", "a", false),
            ("a?c", "abc", true),
            ("a?", "a", false),
            ("", "", true),
            ("**", "", true),
            ("[a]", "a", false),
        ] {
            assert_eq!(Glob::new(glob).matches(name), yes, "{glob} {name}");
        }
    }

    /// By trying everything.
    fn plainly(glob: &[char], name: &[char]) -> bool {
        match (glob.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((&'*', glob_left)), _) => {
                plainly(glob_left, name) || name.split_first().is_some_and(|(_, left)| plainly(glob, left))
            }
            (Some((&c, glob_left)), Some((&next, left))) => {
                (c == '?' || c == next) && plainly(glob_left, left)
            }
            _ => false,
        }
    }

    #[test]
    fn they_match_what_trying_everything_matches() {
        let letters = |mut number: usize, of: &[char], length: usize| -> Vec<char> {
            let each = (0..length).map(|_| {
                let c = of[number % of.len()];
                number /= of.len();
                c
            });
            each.collect()
        };
        let names: Vec<Vec<char>> =
            (0..6).flat_map(|n| (0..1 << n).map(move |at| letters(at, &['a', 'ä'], n))).collect();
        for length in 0..6 {
            for at in 0..4_usize.pow(length as u32) {
                let glob = letters(at, &['a', 'ä', '*', '?'], length);
                let compiled = Glob::new(glob.iter().collect::<String>());
                for name in &names {
                    let text: String = name.iter().collect();
                    assert_eq!(compiled.matches(&text), plainly(&glob, name), "{compiled} {text}");
                }
            }
        }
    }

    #[test]
    fn a_piece_may_be_longer_than_a_word_has_bits() {
        let long = format!("*{}?b*", "a".repeat(150));
        assert!(Glob::new(&long).matches(&format!("x{}cby", "a".repeat(170))));
        assert!(!Glob::new(&long).matches(&format!("x{}cby", "a".repeat(149))));
        assert!(!Glob::new(&long).matches(&"a".repeat(400)));
    }

    #[test]
    fn a_column_says_which_of_its_globs_hold() {
        let globs: Vec<Option<Glob>> = [None, Some("a*"), Some("ab"), Some("*b"), Some("x"), Some("a*")]
            .map(|g| g.map(Glob::new))
            .into();
        let column = Column::new(globs.iter().map(Option::as_ref));
        let held = |value| crate::base::bits::ones(&column.row(value)).collect::<Vec<_>>();
        assert_eq!(held(Some("ab")), [0, 1, 2, 3, 5]);
        assert_eq!(held(Some("x")), [0, 4]);
        assert_eq!(held(None), [0]);
        // The same glob is tried once.
        assert_eq!(column.open.len(), 2);
    }

    #[test]
    fn no_byte_of_a_name_is_looked_at_more_than_twice() {
        for glob in
            ["*a*a*a*a*a*b", "*a?a*a?b*", "a*ab*ab", "*?*?*?b", "?????*b", "*aaaaaaaaaaaaaaaaaaaaaaaab*"]
        {
            for length in [1_000, 100_000] {
                let mut steps = 0;
                Glob::new(glob).matches_counting(&"a".repeat(length), &mut steps);
                assert!(steps <= 2 * length, "{glob}: {steps} steps for {length} bytes");
            }
        }
    }
}
