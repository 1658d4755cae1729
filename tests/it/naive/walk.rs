//! How items move: carriage, distance, derivation, and where data must start
//! that nobody declared.

use super::resolve::{Leaf, Model};
use super::world::Day;
use std::collections::{BTreeMap, BTreeSet};

/// ⟨origin system, origin leaf, current leaf, distance⟩, and whether the origin
/// is an assumed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    pub s: usize,
    pub o: Leaf,
    pub f: Leaf,
    pub k: u8,
    pub assumed: bool,
}

impl Item {
    pub fn start(s: usize, o: Leaf, assumed: bool) -> Item {
        Item { s, o, f: o, k: 0, assumed }
    }
}

/// Where an item is: at a system, or in what was there until it was disposed of on a day, its ghost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub system: usize,
    pub gone: Option<Day>,
}

impl At {
    pub fn present(system: usize) -> At {
        At { system, gone: None }
    }

    pub fn is(self, system: usize) -> bool {
        self == At::present(system)
    }
}

/// All states that walks reach from `start`, each with the fewest flows that it
/// takes: any number of derivations, one flow, any number of derivations …
pub fn spread<S: Ord + Clone>(
    start: impl IntoIterator<Item = S>,
    flows: &[usize],
    derive: impl Fn(&S) -> Vec<S>,
    cross: impl Fn(&S, usize) -> Option<S>,
) -> BTreeMap<S, usize> {
    let mut reached = BTreeMap::new();
    let mut front: Vec<S> = start.into_iter().collect();
    let mut length = 0;
    while !front.is_empty() {
        let mut level = Vec::new();
        while let Some(state) = front.pop() {
            if reached.contains_key(&state) {
                continue;
            }
            reached.insert(state.clone(), length);
            front.extend(derive(&state));
            level.push(state);
        }
        for state in &level {
            front.extend(flows.iter().filter_map(|e| cross(state, *e)));
        }
        length += 1;
    }
    reached
}

/// The states in which walks over exactly these flows may end.
pub fn follow<S: Ord + Clone>(
    start: impl IntoIterator<Item = S>,
    path: &[usize],
    derive: impl Fn(&S) -> Vec<S>,
    cross: impl Fn(&S, usize) -> Option<S>,
) -> BTreeSet<S> {
    let close = |states: Vec<S>| -> BTreeSet<S> {
        let mut todo = states;
        let mut all = BTreeSet::new();
        while let Some(state) = todo.pop() {
            if all.insert(state.clone()) {
                todo.extend(derive(&state));
            }
        }
        all
    };
    let mut states = close(start.into_iter().collect());
    for e in path {
        states = close(states.iter().filter_map(|s| cross(s, *e)).collect());
    }
    states
}

/// Where data starts: declared, and assumed with the pairs that say so.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// By system.
    pub assumed: BTreeMap<usize, BTreeSet<Leaf>>,
    /// (system, category).
    pub pairs: BTreeSet<(usize, String)>,
}

impl Model<'_> {
    /// Whether flow `e` carries an item held at its sender, and what arrives.
    pub fn carry(&self, e: usize, item: Item) -> Option<Item> {
        let flow = &self.flows[e];
        let passes = match &flow.only_from {
            None => true,
            Some(parties) => item.assumed || parties.contains(&self.origin(item.s)),
        };
        (self.moves(e) && passes && flow.data.contains(&item.f))
            .then(|| Item { k: self.distance(e, item), ..item })
    }

    /// Where a flow takes what is somewhere: into a ghost of its receiver, if what it brought has
    /// been disposed of. From a ghost only what began before the disposal carries on.
    pub fn leads(&self, at: At, e: usize) -> Option<At> {
        let flow = &self.flows[e];
        let began = |day: Day| flow.effective.from.is_none_or(|from| from < day);
        let from_here = at.system == flow.from && at.gone.is_none_or(began);
        (from_here && self.moves(e)).then_some(At { system: flow.to, gone: flow.gone })
    }

    /// A flow that counts, or that is disposed and began before that.
    pub fn moves(&self, e: usize) -> bool {
        let flow = &self.flows[e];
        let began = |day: Day| flow.effective.from.is_none_or(|from| from < day);
        flow.counts || flow.gone.is_some_and(began)
    }

    pub fn moving(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.flows.len()).filter(|e| self.moves(*e))
    }

    /// What a flow carries of what is somewhere, and where to.
    pub fn take(&self, at: At, item: Item, e: usize) -> Option<(At, Item)> {
        let to = self.leads(at, e)?;
        self.carry(e, item).map(|item| (to, item))
    }

    /// The distance on arrival.
    fn distance(&self, e: usize, item: Item) -> u8 {
        let (u, v) = (self.flows[e].from, self.flows[e].to);
        if self.group_of(v) == self.group(self.origin(item.s)) {
            return 0;
        }
        if self.group_of(u) == self.group_of(v) {
            return item.k;
        }
        let (sender, receiver) = (self.owner(u), self.owner(v));
        if self.processed(e, sender, receiver) {
            return item.k;
        }
        if self.processed(e, receiver, sender) {
            let mut parties = 0..self.world.parties.len();
            let acts = parties
                .any(|p| self.group(p) == self.group(self.origin(item.s)) && self.acts_for(receiver, p));
            return if acts { item.k } else { item.k.max(1) };
        }
        (item.k + 1).min(2)
    }

    /// The relation of a system to data that starts at `s` and came with
    /// distance `k`.
    pub fn relation(&self, v: usize, s: usize, k: u8) -> &'static str {
        if self.owner(v) == self.origin(s) {
            "first_party"
        } else if self.group_of(v) == self.group(self.origin(s)) {
            "affiliate"
        } else {
            ["processor", "second_party", "third_party"][usize::from(k)]
        }
    }

    /// What one derivation at a system makes of a leaf.
    pub fn derived(&self, at: usize, f: Leaf) -> BTreeSet<Leaf> {
        self.systems[at]
            .derives
            .iter()
            .filter(|d| d.from.contains(&f))
            .flat_map(|d| d.into.iter().copied())
            .collect()
    }

    /// What one derivation at a system makes of a leaf, and whether that re-identifies it.
    pub fn made(&self, at: usize, f: Leaf) -> BTreeSet<(Leaf, bool)> {
        let derives = self.systems[at].derives.iter().filter(|d| d.from.contains(&f));
        derives.flat_map(|d| d.into.iter().map(|into| (*into, d.reidentifies))).collect()
    }

    /// Whether anything is re-identified anywhere.
    pub fn reidentifies(&self) -> bool {
        self.systems.iter().any(|system| system.derives.iter().any(|derive| derive.reidentifies))
    }

    /// Every item at every system that holds it, and in every ghost.
    pub fn held(&self, origins: &Origins) -> BTreeSet<(At, Item)> {
        let flows: Vec<usize> = self.moving().collect();
        let start = self.starts(origins).into_iter().map(|i| (At::present(i.s), i));
        let reached = spread(
            start,
            &flows,
            |(at, item)| {
                let made = self.derived(at.system, item.f);
                made.into_iter().map(|f| (*at, Item { f, ..*item })).collect()
            },
            |(at, item), e| self.take(*at, *item, e),
        );
        reached.into_keys().collect()
    }

    /// The items at their starts.
    pub fn starts(&self, origins: &Origins) -> Vec<Item> {
        (0..self.systems.len()).flat_map(|s| self.starts_at(s, origins)).collect()
    }

    /// The items that start at one system.
    pub fn starts_at(&self, s: usize, origins: &Origins) -> Vec<Item> {
        let declared = self.systems[s].originates.iter();
        let declared = declared.map(|o| Item::start(s, *o, false));
        let assumed = origins.assumed.get(&s).into_iter().flatten();
        let assumed = assumed.map(|o| Item::start(s, *o, true));
        declared.chain(assumed).collect()
    }

    /// Where data must start that nobody declared.
    pub fn assume_origins(&self) -> Origins {
        let mut origins = Origins::default();
        loop {
            let unsourced = self.unsourced(&self.held(&origins));
            if unsourced.is_empty() {
                return origins;
            }
            let feeds = self.feeds(&unsourced);
            let roots: Vec<_> = unsourced
                .iter()
                .filter(|p| {
                    let mut others = unsourced.iter();
                    others.all(|q| {
                        !feeds.contains(&(q.clone(), (*p).clone()))
                            || feeds.contains(&((*p).clone(), q.clone()))
                    })
                })
                .cloned()
                .collect();
            assert!(!roots.is_empty(), "a finite order has a first");
            for (u, d) in roots {
                let leaves = self.leaves_of(std::slice::from_ref(&d));
                origins.assumed.entry(u).or_default().extend(leaves);
                origins.pairs.insert((u, d));
            }
        }
    }

    fn unsourced(&self, held: &BTreeSet<(At, Item)>) -> BTreeSet<(usize, String)> {
        let mut pairs = BTreeSet::new();
        for e in self.counting() {
            let u = self.flows[e].from;
            for d in self.flows[e].written.data.iter().filter(|d| *d != "held") {
                let below = self.leaves_of(std::slice::from_ref(d));
                let sourced = held
                    .iter()
                    .any(|(at, item)| below.contains(&item.f) && self.take(*at, *item, e).is_some());
                if !sourced {
                    pairs.insert((u, d.clone()));
                }
            }
        }
        for (u, system) in self.systems.iter().enumerate() {
            for d in system.derives.iter().flat_map(|d| &d.categories) {
                let below = self.leaves_of(std::slice::from_ref(d));
                if !held.iter().any(|(at, item)| at.system == u && below.contains(&item.f)) {
                    pairs.insert((u, d.clone()));
                }
            }
        }
        pairs
    }

    /// Which unsourced pair feeds which, closed transitively.
    fn feeds(&self, pairs: &BTreeSet<(usize, String)>) -> BTreeSet<((usize, String), (usize, String))> {
        let mut feeds = BTreeSet::new();
        for (u, d) in pairs {
            let origins = Origins {
                assumed: [(*u, self.leaves_of(std::slice::from_ref(d)))].into(),
                pairs: BTreeSet::new(),
            };
            let reached: BTreeSet<(usize, Leaf)> = self
                .held(&origins)
                .into_iter()
                .filter(|(_, item)| item.assumed)
                .map(|(at, item)| (at.system, item.f))
                .collect();
            for (v, c) in pairs {
                let below = self.leaves_of(std::slice::from_ref(c));
                if below.iter().any(|f| reached.contains(&(*v, *f))) {
                    feeds.insert(((*u, d.clone()), (*v, c.clone())));
                }
            }
        }
        loop {
            let mut more = feeds.clone();
            for (a, b) in &feeds {
                for (c, d) in &feeds {
                    if b == c {
                        more.insert((a.clone(), d.clone()));
                    }
                }
            }
            if more == feeds {
                return feeds;
            }
            feeds = more;
        }
    }
}
