//! Numbers for parties, systems, agreements and flows, and the tables they index.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use rayon::prelude::*;

/// A place in a `Table`.
pub trait Id: Copy + Eq {
    /// From a place.
    fn from_index(index: usize) -> Self;
    /// The place.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl Id for $name {
            fn from_index(index: usize) -> Self { $name(index as u32) }
            fn index(self) -> usize { self.0 as usize }
        }
    )+};
}

ids! {
    /// A party, in the order of ids.
    PartyId,
    /// A system, in the order of `party/system`.
    SystemId,
    /// An agreement, in the order of ids.
    AgreementId,
    /// A flow, in the order of full ids.
    FlowId,
}

/// A vector that is indexed by its own kind of id.
#[derive(Debug, Clone)]
pub struct Table<I, T> {
    items: Vec<T>,
    id: PhantomData<I>,
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Table { items: Vec::new(), id: PhantomData }
    }
}

impl<I: Id, T> Table<I, T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds a value behind all others; its id.
    pub fn push(&mut self, value: T) -> I {
        self.items.push(value);
        I::from_index(self.items.len() - 1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All values, in order.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::from_index)
    }

    /// All ids with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.items.iter().enumerate().map(|(i, t)| (I::from_index(i), t))
    }

    /// A table of so many values, found side by side.
    pub fn of(len: usize, each: impl Fn(I) -> T + Sync) -> Self
    where
        T: Send,
    {
        let items = (0..len).into_par_iter().map(|index| each(I::from_index(index))).collect();
        Table { items, id: PhantomData }
    }

    /// A table with a value for each id of this one.
    pub fn map<U>(&self, each: impl FnMut(&T) -> U) -> Table<I, U> {
        self.items.iter().map(each).collect()
    }
}

impl<I, T> FromIterator<T> for Table<I, T> {
    fn from_iter<It: IntoIterator<Item = T>>(iter: It) -> Self {
        Table { items: iter.into_iter().collect(), id: PhantomData }
    }
}

// An id is only ever made by the table it indexes, so that indexing by it is as
// sure as a reference.
#[allow(clippy::indexing_slicing)]
impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.items[id.index()]
    }
}

#[allow(clippy::indexing_slicing)]
impl<I: Id, T> IndexMut<I> for Table<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.index()]
    }
}
