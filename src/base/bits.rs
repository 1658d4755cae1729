//! Sets of leaves as rows of 64-bit words.

use std::ops::Range;

use smallvec::SmallVec;

/// A set of leaves; all sets of one taxonomy have the same number of words.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafSet(SmallVec<[u64; INLINE]>);

/// The words that need no place of their own: enough for the built-in categories.
const INLINE: usize = 3;

impl LeafSet {
    /// The empty set over `leaves` leaves.
    pub fn empty(leaves: usize) -> Self {
        LeafSet(SmallVec::from_elem(0, words(leaves)))
    }

    /// All of `leaves` leaves.
    pub fn full(leaves: usize) -> Self {
        let mut set = Self::empty(leaves);
        (0..leaves).for_each(|leaf| set.insert(leaf));
        set
    }

    /// The words, leaf 0 the lowest bit of the first.
    pub fn row(&self) -> &[u64] {
        &self.0
    }

    /// The words, to change.
    pub fn row_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// Adds a leaf; one beyond the set's size is ignored.
    pub fn insert(&mut self, leaf: usize) {
        set(&mut self.0, leaf);
    }

    /// Adds all leaves of a range; those beyond the set's size are ignored.
    pub fn insert_range(&mut self, range: Range<usize>) {
        for (at, mask) in masks(range) {
            if let Some(word) = self.0.get_mut(at) {
                *word |= mask;
            }
        }
    }

    /// How many leaves of a range are in the set.
    pub fn count_within(&self, range: Range<usize>) -> usize {
        let each = masks(range).map(|(at, mask)| self.0.get(at).map_or(0, |word| word & mask));
        each.map(|word| word.count_ones() as usize).sum()
    }

    /// Whether a leaf is in the set.
    pub fn contains(&self, leaf: usize) -> bool {
        contains(&self.0, leaf)
    }

    /// Adds all leaves of another set.
    pub fn extend(&mut self, row: &[u64]) {
        or(&mut self.0, row);
    }

    /// No leaf is in it.
    pub fn is_empty(&self) -> bool {
        is_empty(&self.0)
    }

    /// Both have a leaf in common.
    pub fn intersects(&self, other: &LeafSet) -> bool {
        intersects(&self.0, &other.0)
    }

    /// All its leaves are in `other`.
    pub fn is_subset(&self, other: &LeafSet) -> bool {
        !has_new(&self.0, &other.0)
    }

    /// The leaves that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &LeafSet) -> LeafSet {
        let mut left = self.clone();
        and_not_assign(&mut left.0, &other.0);
        left
    }

    /// The leaves in both.
    #[must_use]
    pub fn and(&self, other: &LeafSet) -> LeafSet {
        self.with(&other.0)
    }

    /// The leaves that are in a row too.
    #[must_use]
    pub fn with(&self, row: &[u64]) -> LeafSet {
        let mut both = self.clone();
        and_assign(&mut both.0, row);
        both
    }

    /// The leaves, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        ones(&self.0)
    }
}

// As a whole, not word by word.
impl Clone for LeafSet {
    fn clone(&self) -> Self {
        LeafSet(SmallVec::from_slice(&self.0))
    }
}

impl From<&[u64]> for LeafSet {
    fn from(row: &[u64]) -> Self {
        LeafSet(SmallVec::from_slice(row))
    }
}

/// The words that a range of bits lies in, each with the bits of it that are in the range.
fn masks(range: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let last = range.end.div_ceil(64);
    (range.start / 64..last).map(move |at| {
        let below = |bit: usize| match bit.saturating_sub(at * 64) {
            0 => 0,
            bits @ 1..64 => (1 << bits) - 1,
            _ => u64::MAX,
        };
        (at, below(range.end) & !below(range.start))
    })
}

/// Words needed for `bits` bits, at least one.
pub fn words(bits: usize) -> usize {
    bits.div_ceil(64).max(1)
}

/// Whether bit `bit` is set.
pub fn contains(row: &[u64], bit: usize) -> bool {
    row.get(bit / 64).is_some_and(|w| w >> (bit % 64) & 1 == 1)
}

/// Sets bit `bit`; one beyond the row is ignored.
pub fn set(row: &mut [u64], bit: usize) {
    if let Some(word) = row.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

// Rows of the built-in categories have three words: loops over so few cost more than what
// they do, so those are written out.

/// `into |= row`; whether anything was new.
#[inline]
pub fn or(into: &mut [u64], row: &[u64]) -> bool {
    if let ([a, b, c], &[x, y, z]) = (&mut *into, row) {
        let new = x & !*a | y & !*b | z & !*c;
        *a |= x;
        *b |= y;
        *c |= z;
        return new != 0;
    }
    let mut new = 0;
    for (a, b) in into.iter_mut().zip(row) {
        new |= b & !*a;
        *a |= b;
    }
    new != 0
}

/// `into |= row`; whether any bit of `row` is set.
#[inline]
pub fn or_any(into: &mut [u64], row: &[u64]) -> bool {
    or(into, row);
    !is_empty(row)
}

/// `into &= row`.
#[inline]
pub fn and_assign(into: &mut [u64], row: &[u64]) {
    if let ([a, b, c], &[x, y, z]) = (&mut *into, row) {
        *a &= x;
        *b &= y;
        *c &= z;
        return;
    }
    into.iter_mut().zip(row).for_each(|(a, b)| *a &= b);
}

/// `into &= !row`.
#[inline]
pub fn and_not_assign(into: &mut [u64], row: &[u64]) {
    into.iter_mut().zip(row).for_each(|(a, b)| *a &= !b);
}

/// Whether `row` has a bit that `into` has not.
#[inline]
pub fn has_new(row: &[u64], into: &[u64]) -> bool {
    debug_assert_eq!(row.len(), into.len());
    if let (&[a, b, c], &[x, y, z]) = (row, into) {
        return a & !x | b & !y | c & !z != 0;
    }
    row.iter().zip(into).any(|(a, b)| a & !b != 0)
}

/// Whether both have a bit in common that `into` has not.
#[inline]
pub fn both_new(a: &[u64], b: &[u64], into: &[u64]) -> bool {
    if let (&[a, b, c], &[k, l, m], &[x, y, z]) = (a, b, into) {
        return a & k & !x | b & l & !y | c & m & !z != 0;
    }
    a.iter().zip(b).zip(into).any(|((a, b), into)| a & b & !into != 0)
}

/// Whether no bit is set.
#[inline]
pub fn is_empty(row: &[u64]) -> bool {
    if let &[a, b, c] = row {
        return a | b | c == 0;
    }
    row.iter().all(|&w| w == 0)
}

/// Whether a bit is set in both.
#[inline]
pub fn intersects(a: &[u64], b: &[u64]) -> bool {
    if let (&[a, b, c], &[x, y, z]) = (a, b) {
        return a & x | b & y | c & z != 0;
    }
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

/// The set bits, in order.
pub fn ones(row: &[u64]) -> impl Iterator<Item = usize> + '_ {
    row.iter().enumerate().flat_map(|(i, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            (rest != 0).then(|| {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                i * 64 + bit
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_its_leaves() {
        for (start, end) in [(0, 0), (5, 5), (0, 64), (63, 65), (1, 200), (64, 128), (130, 131), (190, 200)] {
            let mut set = LeafSet::empty(200);
            set.insert_range(start..end);
            assert_eq!(set.iter().collect::<Vec<_>>(), (start..end).collect::<Vec<_>>());
            assert_eq!(LeafSet::full(200).count_within(start..end), end - start);
            assert_eq!(set.count_within(0..200), end - start);
        }
    }
}
