//! Which systems are to be looked at, and in which order.

use crate::flow::graph::{Graph, Order};
use crate::model::SystemId;

/// Along which end of the flows a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From senders to receivers.
    Along,
    /// From receivers to senders.
    Against,
}

/// The systems that are to be looked at, in sweeps along the flows or against them: but for
/// circles, all that comes to a system has come before it is looked at, and with circles most.
#[derive(Debug)]
pub(super) struct Queue<'g> {
    order: &'g Order,
    way: Way,
    sweep: Sweep,
}

impl<'g> Queue<'g> {
    /// Nobody waits.
    pub fn new(graph: &'g Graph, way: Way) -> Self {
        let order = graph.order();
        Queue { order, way, sweep: Sweep::new(order.count()) }
    }

    fn turned(&self, place: usize) -> usize {
        match self.way {
            Way::Along => place,
            Way::Against => self.order.count() - 1 - place,
        }
    }

    /// Adds a system, unless it waits already.
    pub fn add(&mut self, system: SystemId) {
        self.sweep.add(self.turned(self.order.place(system)));
    }

    /// Takes the next.
    pub fn next(&mut self) -> Option<SystemId> {
        let place = self.sweep.next()?;
        self.order.at(self.turned(place))
    }
}

/// Places that wait, taken in sweeps: each time the first behind the last one, or the first of all.
#[derive(Debug)]
struct Sweep {
    /// A bit for each place.
    waiting: Vec<u64>,
    /// A bit for each word of those: some bit of it is set.
    words: Vec<u64>,
    /// Where the sweep is.
    at: usize,
}

impl Sweep {
    fn new(places: usize) -> Self {
        let words = places.div_ceil(64);
        Sweep { waiting: vec![0; words], words: vec![0; words.div_ceil(64)], at: 0 }
    }

    fn add(&mut self, place: usize) {
        if let Some(word) = self.waiting.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
        if let Some(word) = self.words.get_mut(place / 64 / 64) {
            *word |= 1 << (place / 64 % 64);
        }
    }

    fn next(&mut self) -> Option<usize> {
        let place = self.from(self.at).or_else(|| self.from(0))?;
        if let Some(word) = self.waiting.get_mut(place / 64) {
            *word &= !(1 << (place % 64));
            if let (0, Some(words)) = (*word, self.words.get_mut(place / 64 / 64)) {
                *words &= !(1 << (place / 64 % 64));
            }
        }
        self.at = place + 1;
        Some(place)
    }

    /// The first place from one on that waits.
    fn from(&self, place: usize) -> Option<usize> {
        let word = first(&self.waiting, place / 64, place / 64 + 1, place % 64);
        word.or_else(|| {
            let (at, end) = (place / 64 + 1, self.words.len());
            let word = first(&self.words, at / 64, end, at % 64)?;
            first(&self.waiting, word, word + 1, 0)
        })
    }
}

/// The first bit that is set, of some words, from one of the first word's on.
fn first(words: &[u64], start: usize, end: usize, bit: usize) -> Option<usize> {
    let mut mask = u64::MAX << bit;
    for at in start..end.min(words.len()) {
        let word = words.get(at)? & mask;
        if word != 0 {
            return Some(at * 64 + word.trailing_zeros() as usize);
        }
        mask = u64::MAX;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Sweep;

    proptest! {
        /// Whatever is added comes once, the next behind the last one first, until nothing waits.
        #[test]
        fn all_that_wait_come_in_sweeps(
            places in 1_usize..20_000,
            steps in prop::collection::vec((any::<u16>(), any::<bool>()), 0..400),
        ) {
            let mut sweep = Sweep::new(places);
            let mut waiting: BTreeSet<usize> = BTreeSet::new();
            let mut at = 0;
            let takes = std::iter::repeat_n((0, true), steps.len());
            for (place, take) in steps.iter().copied().chain(takes) {
                if take {
                    let expected = waiting.range(at..).next().or_else(|| waiting.first()).copied();
                    prop_assert_eq!(sweep.next(), expected);
                    if let Some(place) = expected {
                        waiting.remove(&place);
                        at = place + 1;
                    }
                } else {
                    let place = usize::from(place) % places;
                    sweep.add(place);
                    waiting.insert(place);
                }
            }
            prop_assert_eq!(sweep.next(), None);
        }
    }
}
