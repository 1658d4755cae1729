//! Which listed findings the inventory's waivers accept.

use rustc_hash::FxHashMap;

use super::Listed;
use super::found::Found;
use super::world::Ground;
use crate::base::bits::{LeafSet, and_assign, ones, words};
use crate::base::glob::{Column, Glob};
use crate::base::vocabulary::BuiltIn;
use crate::declare::inventory::Waiver;

/// The waivers that have not expired, by the globs that they state.
pub struct Waivers<'w> {
    valid: Vec<(&'w Waiver, Option<LeafSet>)>,
    /// On rule, source, sink, flow and subject.
    columns: [Column<'w>; 5],
    /// What each column says of the values met before.
    known: [FxHashMap<Option<&'w str>, Box<[u64]>>; 5],
}

impl<'w> Waivers<'w> {
    /// Those of an inventory.
    pub fn new(ground: &'w Ground<'w>) -> Self {
        let all = ground.model.waivers.iter().filter(|waiver| ground.day <= waiver.expires);
        let valid: Vec<_> = all.map(|waiver| (waiver, data(ground, waiver))).collect();
        let column = |glob: fn(&Waiver) -> Option<&Glob>| Column::new(valid.iter().map(|(w, _)| glob(w)));
        let columns = [
            column(|w| w.rule.as_ref()),
            column(|w| w.source.as_ref()),
            column(|w| w.sink.as_ref()),
            column(|w| w.flow.as_ref()),
            column(|w| w.subject.as_ref()),
        ];
        Waivers { valid, columns, known: Default::default() }
    }

    /// Whether they accept a finding.
    pub fn accept(&mut self, listed: &'w Listed, found: &Found) -> bool {
        if self.valid.is_empty() {
            return false;
        }
        let values = [
            Some(&listed.rule),
            listed.source.as_ref(),
            listed.sink.as_ref(),
            listed.flow.as_ref(),
            listed.subject.as_ref(),
        ];
        let mut row = vec![u64::MAX; words(self.valid.len())];
        for ((value, column), known) in values.into_iter().zip(&self.columns).zip(&mut self.known) {
            let value = value.map(String::as_str);
            and_assign(&mut row, known.entry(value).or_insert_with(|| column.row(value)));
        }
        let named = |w: &Waiver| w.finding.as_ref().is_none_or(|wanted| wanted.value == listed.fingerprint);
        let matching = ones(&row).filter_map(|at| self.valid.get(at)).filter(|(w, _)| named(w));
        let matching: Vec<&(&Waiver, Option<LeafSet>)> = matching.collect();
        if BuiltIn::of(&listed.rule).is_some_and(BuiltIn::is_of_terms) {
            let covers = |name: &String, (w, data): &(&Waiver, Option<LeafSet>)| {
                names(w, name) && data.as_ref().is_none_or(|accepted| found.data.is_subset(accepted))
            };
            let mut agreements = listed.agreements.iter();
            return !matching.is_empty() && agreements.all(|name| matching.iter().any(|w| covers(name, w)));
        }
        let mut left = found.data.clone();
        let mut covering =
            matching.iter().filter(|(w, _)| listed.agreements.iter().all(|name| names(w, name)));
        covering.any(|(_, accepted)| match accepted {
            None => true,
            Some(accepted) => {
                left = left.minus(accepted);
                left.is_empty()
            }
        })
    }
}

/// The leaves that a waiver accepts; `None`: any.
fn data(ground: &Ground, waiver: &Waiver) -> Option<LeafSet> {
    let leaves = || ground.model.data.leaves(waiver.data.iter().map(|key| &key.value));
    (!waiver.data.is_empty()).then(leaves)
}

fn names(waiver: &Waiver, agreement: &str) -> bool {
    waiver.agreements.is_empty() || waiver.agreements.iter().any(|name| name.value == agreement)
}
