//! Which listed findings the inventory's waivers accept.

use super::Listed;
use super::found::Found;
use super::ground::Ground;
use crate::bits::LeafSet;
use crate::glob::Glob;
use crate::inventory::Waiver;

/// Whether waivers that have not expired accept a finding.
pub fn waived(ground: &Ground, listed: &Listed, found: &Found) -> bool {
    let day = ground.matching.day;
    let all = ground.model.waivers.iter().filter(|waiver| day <= waiver.expires);
    let matching: Vec<&Waiver> = all.filter(|waiver| matches(waiver, listed)).collect();
    if listed.rule.starts_with("terms/") {
        let covers = |name: &String, w: &Waiver| {
            let all = || data(ground, w).is_none_or(|accepted| found.data.is_subset(&accepted));
            names(w, name) && all()
        };
        let mut agreements = listed.agreements.iter();
        return !matching.is_empty() && agreements.all(|name| matching.iter().any(|w| covers(name, w)));
    }
    let covering = matching.iter().filter(|w| listed.agreements.iter().all(|name| names(w, name)));
    let accepted: Vec<Option<LeafSet>> = covering.map(|w| data(ground, w)).collect();
    let mut left = found.data.clone();
    accepted.iter().flatten().for_each(|accepted| left = left.minus(accepted));
    !accepted.is_empty() && (left.is_empty() || accepted.iter().any(Option::is_none))
}

/// The leaves that a waiver accepts; `None`: any.
fn data(ground: &Ground, waiver: &Waiver) -> Option<LeafSet> {
    let leaves = || ground.model.data.leaves(waiver.data.iter().map(|key| &key.value));
    (!waiver.data.is_empty()).then(leaves)
}

fn names(waiver: &Waiver, agreement: &str) -> bool {
    waiver.agreements.is_empty() || waiver.agreements.iter().any(|name| name.value == agreement)
}

fn matches(waiver: &Waiver, listed: &Listed) -> bool {
    let holds = |glob: &Option<Glob>, value: Option<&String>| {
        glob.as_ref().is_none_or(|glob| value.is_some_and(|value| glob.matches(value)))
    };
    waiver.finding.as_ref().is_none_or(|wanted| wanted.value == listed.fingerprint)
        && holds(&waiver.rule, Some(&listed.rule))
        && holds(&waiver.source, listed.source.as_ref())
        && holds(&waiver.sink, listed.sink.as_ref())
        && holds(&waiver.flow, listed.flow.as_ref())
        && holds(&waiver.subject, listed.subject.as_ref())
}
