//! Which listed findings the inventory's waivers accept.

use rustc_hash::FxHashMap;

use super::found::Found;
use super::sets::leaves_named;
use super::world::Ground;
use super::{About, Listed};
use crate::base::bits::{LeafSet, and_assign, ones, words};
use crate::base::glob::{Column, Glob};
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Severity;
use crate::declare::inventory::Waiver;
use crate::read::decode::Spanned;

/// The waivers that hold on the day, by the globs that they state.
pub struct Waivers<'w> {
    ground: &'w Ground<'w>,
    valid: Vec<Limited<'w>>,
    /// On rule, source, sink, flow and subject.
    columns: [Column<'w>; 5],
    /// What each column says of the values met before.
    known: [FxHashMap<Option<&'w str>, Box<[u64]>>; 5],
}

/// A waiver with the leaves that it limits findings to; of what is `None` any.
struct Limited<'w> {
    waiver: &'w Waiver,
    data: Option<LeafSet>,
    arrives_as: Option<LeafSet>,
}

impl<'w> Waivers<'w> {
    /// Those of an inventory.
    pub fn new(ground: &'w Ground<'w>) -> Self {
        let all = ground.model.waivers.iter().filter(|waiver| waiver.holds_on(ground.day));
        let limited = |waiver: &'w Waiver| Limited {
            waiver,
            data: leaves(ground, &waiver.data),
            arrives_as: leaves(ground, &waiver.arrives_as),
        };
        let valid: Vec<Limited> = all.map(limited).collect();
        let column =
            |glob: fn(&Waiver) -> Option<&Glob>| Column::new(valid.iter().map(|one| glob(one.waiver)));
        let columns = [
            column(|w| w.rule.as_ref()),
            column(|w| w.source.as_ref()),
            column(|w| w.sink.as_ref()),
            column(|w| w.flow.as_ref()),
            column(|w| w.subject.as_ref()),
        ];
        Waivers { ground, valid, columns, known: Default::default() }
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
        let mut matching = ones(&row).filter_map(|at| self.valid.get(at)).filter(|one| named(one.waiver));
        matching.any(|one| self.accepts(one, listed, found))
    }

    /// Whether one waiver accepts all of a finding.
    fn accepts(&self, one: &Limited, listed: &Listed, found: &Found) -> bool {
        // What no waiver or baseline is of says nothing of how much it is.
        let Some(extent) = &listed.extent else { return true };
        let Limited { waiver, data, arrives_as } = one;
        let all = |limit: &[Spanned<String>], names: &[String]| {
            limit.is_empty() || names.iter().all(|name| limit.iter().any(|own| own.value == *name))
        };
        let arrives = leaves_named(self.ground.model, &extent.arrives_as);
        data.as_ref().is_none_or(|accepted| found.data.is_subset(accepted))
            && arrives_as
                .as_ref()
                .is_none_or(|accepted| arrives.is_some_and(|arrives| arrives.is_subset(accepted)))
            && all(&waiver.agreements, &listed.agreements)
            && (waiver.origins.is_empty()
                || extent.origins.as_ref().is_some_and(|parties| all(&waiver.origins, parties)))
            && waiver.severity.is_none_or(|most| most <= extent.severity)
            && (waiver.prospective != Some(true) || extent.prospective)
    }
}

/// The leaves of some categories; `None`: any.
fn leaves(ground: &Ground, keys: &[Spanned<Key>]) -> Option<LeafSet> {
    (!keys.is_empty()).then(|| ground.model.data.leaves(keys.iter().map(|key| &key.value)))
}

/// What of a listed finding is not as the model says.
pub fn wrong_extent(
    ground: &Ground,
    listed: &Listed,
    about: About,
    severity: Option<Severity>,
) -> Option<&'static str> {
    let extent = listed.extent.as_ref()?;
    let whose = match about {
        About::Pair(system, _) | About::Unsourced(system, _) => {
            Some(ground.model.parties[ground.model.systems[system].origin].id())
        }
        _ => None,
    };
    let own =
        |parties: &Vec<String>| whose.is_none_or(|whose| matches!(parties.as_slice(), [one] if one == whose));
    if severity.is_some_and(|severity| severity != extent.severity) {
        return Some("another severity");
    }
    if !extent.origins.as_ref().is_none_or(own) {
        return Some("data of other parties");
    }
    leaves_named(ground.model, &extent.arrives_as).is_none().then_some("unknown categories")
}
