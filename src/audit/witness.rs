//! What the data concerned is on each flow of a walk, and where on it something is re-identified.

use super::analysis::Analysis;
use crate::base::bits::{self, LeafSet};
use crate::flow::propagate::{Course, Slot, close, derive_all};
use crate::model::{FlowId, Model, SystemId};

/// A walk, and what the data concerned is on each of its flows.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    /// The flows.
    pub walk: Vec<FlowId>,
    /// The current leaves on each.
    pub leaves: Vec<LeafSet>,
    /// Where something is re-identified, and by which of the declared derivations there.
    pub reidentified: Vec<(SystemId, usize)>,
}

impl Witness {
    /// Names the flows as they are declared, wherever they start.
    pub fn declare(&mut self, model: &Model) {
        self.walk.iter_mut().for_each(|flow| *flow = model.declared_flow(*flow));
        self.reidentified.iter_mut().for_each(|(system, _)| *system = model.declared_system(*system));
    }
}

/// What is asked of items on a walk: they are marked once they are of some categories, and exempt, in the second
/// plane, once a transform has made them so and until they are re-identified.
struct Asked<'m>(Option<&'m LeafSet>);

impl Course for Asked<'_> {
    fn planes(&self) -> usize {
        2
    }

    fn marks(&self) -> Option<&LeafSet> {
        self.0
    }

    fn restored(&self, _: usize) -> usize {
        0
    }

    fn next(&self, _: FlowId, plane: usize) -> Option<usize> {
        Some(plane)
    }
}

/// Rows of leaves, one for each slot.
type Block = Vec<u64>;

/// One flow of a walk: what crosses it, and what arrives.
struct Crossed {
    flow: FlowId,
    /// Before the flow.
    crossing: Block,
    /// The plane after it, of each plane before it.
    then: [usize; 2],
}

/// A walk of items of some categories.
struct Walked<'m> {
    model: &'m Model,
    asked: Asked<'m>,
    words: usize,
}

impl Analysis<'_> {
    /// What the data concerned is on each flow of a walk: the leaves that start at its first system, turned and
    /// carried, as far as they get to its end (with `marks`: as far as they then are below one of them).
    pub fn witness(&self, walk: Vec<FlowId>, data: &LeafSet, marks: Option<&LeafSet>) -> Witness {
        self.witness_exempt(walk, data, marks, |_, _| false)
    }

    /// The same, where some flows exempt what they carry until it is re-identified: by their places on the walk, of
    /// items that are exempt already or not.
    pub fn witness_exempt(
        &self,
        walk: Vec<FlowId>,
        data: &LeafSet,
        marks: Option<&LeafSet>,
        exempts: impl Fn(usize, bool) -> bool,
    ) -> Witness {
        let Some(&first) = walk.first() else {
            return Witness::default();
        };
        let words = bits::words(self.model.data.leaf_count());
        let walked = Walked { model: self.model, asked: Asked(marks), words };
        let start = self.starting(self.model.flows[first].from).and(data);
        let crossed = walked.forward(&walk, &start, exempts);
        let (leaves, reidentified) = walked.backward(&crossed);
        Witness { walk, leaves, reidentified }
    }
}

impl Walked<'_> {
    fn empty(&self) -> Block {
        vec![0; Slot::all(&self.asked).count() * self.words]
    }

    fn range(&self, slot: Slot) -> std::ops::Range<usize> {
        let at = slot.plane + if slot.marked { 2 } else { 0 };
        at * self.words..(at + 1) * self.words
    }

    fn row<'b>(&self, block: &'b [u64], slot: Slot) -> &'b [u64] {
        block.get(self.range(slot)).unwrap_or_default()
    }

    fn add(&self, block: &mut Block, slot: Slot, row: &[u64]) {
        if let Some(into) = block.get_mut(self.range(slot)) {
            bits::or(into, row);
        }
    }

    fn slots(&self) -> Vec<Slot> {
        Slot::all(&self.asked).collect()
    }

    fn forward(
        &self,
        walk: &[FlowId],
        start: &LeafSet,
        exempts: impl Fn(usize, bool) -> bool,
    ) -> Vec<Crossed> {
        let mut here = self.empty();
        let (plain, marked) = match self.asked.0 {
            Some(marks) => (start.minus(marks), start.and(marks)),
            None => (start.clone(), LeafSet::empty(self.model.data.leaf_count())),
        };
        self.add(&mut here, Slot { plane: 0, marked: false }, plain.row());
        if self.asked.0.is_some() {
            self.add(&mut here, Slot { plane: 0, marked: true }, marked.row());
        }
        let mut all = Vec::with_capacity(walk.len());
        for (at, &flow) in walk.iter().enumerate() {
            let declared = &self.model.flows[flow];
            derive_all(self.model, &self.asked, declared.from, &mut here);
            here.chunks_exact_mut(self.words).for_each(|row| bits::and_assign(row, declared.leaves.row()));
            let then = [false, true].map(|exempt| usize::from(exempts(at, exempt)));
            let crossed = Crossed { flow, crossing: here, then };
            here = self.arriving(&crossed);
            all.push(crossed);
        }
        all
    }

    /// What arrives over a flow.
    fn arriving(&self, crossed: &Crossed) -> Block {
        let mut arriving = self.empty();
        for slot in self.slots() {
            let plane = crossed.then.get(slot.plane).copied().unwrap_or(slot.plane);
            self.add(&mut arriving, Slot { plane, ..slot }, self.row(&crossed.crossing, slot));
        }
        arriving
    }

    /// Of what crosses each flow what goes on to the end, and what is re-identified on the way.
    fn backward(&self, crossed: &[Crossed]) -> (Vec<LeafSet>, Vec<(SystemId, usize)>) {
        let mut leaves = Vec::with_capacity(crossed.len());
        let mut reidentified = Vec::new();
        // What leads on from where a flow ends; of the last all that is marked and not exempt there, or without marks
        // all that was not exempt as it crossed.
        let mut leading: Option<Block> = self.asked.0.map(|_| {
            let mut end = self.empty();
            let full = LeafSet::full(self.model.data.leaf_count());
            self.add(&mut end, Slot { plane: 0, marked: true }, full.row());
            end
        });
        for crossed in crossed.iter().rev() {
            let end = self.model.flows[crossed.flow].to;
            let mut on = self.empty();
            match &mut leading {
                None => {
                    let slot = Slot { plane: 0, marked: false };
                    self.add(&mut on, slot, self.row(&crossed.crossing, slot));
                }
                Some(leading) => {
                    close(self.model, &self.asked, end, leading);
                    for slot in self.slots() {
                        let plane = crossed.then.get(slot.plane).copied().unwrap_or(slot.plane);
                        let mut row = self.row(&crossed.crossing, slot).to_vec();
                        bits::and_assign(&mut row, self.row(leading, Slot { plane, ..slot }));
                        self.add(&mut on, slot, &row);
                    }
                    let arriving = self.arriving(&Crossed { crossing: on.clone(), ..*crossed });
                    reidentified.extend(self.reidentified(end, arriving, leading));
                }
            }
            let mut all = LeafSet::empty(self.model.data.leaf_count());
            on.chunks_exact(self.words).for_each(|row| all.extend(row));
            leaves.push(all);
            leading = Some(on);
        }
        leaves.reverse();
        reidentified.sort_unstable();
        reidentified.dedup();
        (leaves, reidentified)
    }

    /// By which derivations a system re-identifies what arrives there and leads on.
    fn reidentified(&self, system: SystemId, mut here: Block, leading: &[u64]) -> Vec<(SystemId, usize)> {
        let declared = &self.model.systems[system];
        if !declared.reidentifies() {
            return Vec::new();
        }
        derive_all(self.model, &self.asked, system, &mut here);
        let numbered = declared.derives.iter().zip(&declared.derived_by).skip(declared.keeping);
        let used = numbered.filter(|((from, into), _)| {
            self.slots().into_iter().filter(|slot| slot.plane == 1).any(|slot| {
                let made = |marked| self.row(leading, Slot { plane: 0, marked });
                bits::intersects(self.row(&here, slot), from.row())
                    && (bits::intersects(made(slot.marked), into.row())
                        || self
                            .asked
                            .0
                            .is_some_and(|marks| bits::intersects(made(true), into.and(marks).row())))
            })
        });
        used.map(|(_, &at)| (system, at)).collect()
    }
}
