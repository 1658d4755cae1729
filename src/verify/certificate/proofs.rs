//! Whether the walks of listed findings prove them.

use std::collections::BTreeSet;

use super::found::Found;
use super::parts::Count;
use super::questions::{Forbidden, Limited};
use super::sticky::Sticky;
use super::terms::Under;
use super::walks::{Question, Shown};
use super::world::Ground;
use super::{About, witness};
use crate::model::{AgreementId, FlowId, PartyId, SystemId};

/// How many agreements a finding shows a walk for.
const WALKS: usize = 20;

/// Whether a walk shows something, from where its first flow leaves.
pub fn proves(
    ground: &Ground,
    question: &dyn Question,
    found: &Found,
    walk: &[FlowId],
    wanted: Shown,
) -> bool {
    let Some(&first) = walk.first() else {
        return false;
    };
    let source = ground.model.flows[first].from;
    witness::shown(ground, question, source, &found.data, walk).contains(&wanted)
}

/// The agreements of a finding's walks.
fn walked(ground: &Ground, found: &Found) -> BTreeSet<AgreementId> {
    found.walks.iter().flatten().filter_map(|&flow| ground.model.flows[flow].agreement).collect()
}

pub fn proves_forbidden(ground: &Ground, question: &Forbidden, about: About, found: &Found) -> bool {
    let About::Pair(source, sink) = about else {
        return false;
    };
    if !question.is_source(source) || !walked(ground, found).iter().eq(&found.agreements) {
        return false;
    }
    let starts_there = || {
        let starts = [false, true].into_iter().filter_map(|assumed| ground.start(source, assumed));
        let mut there = starts.filter_map(|leaves| question.at_itself(source, leaves));
        source == sink && there.any(|of| of.intersects(&found.data))
    };
    let mut walks = found.walks.iter();
    walks.any(|walk| {
        walk.is_empty() && starts_there()
            || witness::shown(ground, question, source, &found.data, walk).contains(&Shown::Sink(sink))
    })
}

/// Whether the walks bring an item of each category to a place, or items of too many parties.
pub fn proves_limited(
    ground: &Ground,
    questions: &[Limited],
    (place, count): (usize, Count),
    places: &[(About, Vec<SystemId>)],
    found: &Found,
) -> bool {
    if !walked(ground, found).iter().eq(&found.agreements) {
        return false;
    }
    let systems = places.get(place).map(|(_, systems)| systems.as_slice()).unwrap_or_default();
    // The parties whose data starts at the place.
    let own = |question: &Limited| -> BTreeSet<PartyId> {
        let all = [false, true].into_iter().flat_map(|assumed| ground.starts(assumed));
        let here = all.filter(|(s, leaves)| systems.contains(s) && question.at_itself(*s, leaves).is_some());
        here.map(|(system, _)| ground.model.systems[system].origin).collect()
    };
    let brings = |question: &Limited, walk: &Vec<FlowId>| -> Option<PartyId> {
        let Some(&first) = walk.first() else {
            return own(question).first().copied();
        };
        let proved = proves(ground, question, found, walk, Shown::Place(place));
        proved.then(|| ground.model.origin(first))
    };
    match count {
        Count::Categories(least) => {
            // Each walk brings something of a category of its own, in their order.
            let mut left = questions.iter();
            found.walks.len() >= least
                && found.walks.iter().all(|walk| left.any(|question| brings(question, walk).is_some()))
        }
        Count::Parties(most) => {
            let Some(question) = questions.first() else { return false };
            let (none, some): (Vec<_>, Vec<_>) = found.walks.iter().partition(|walk| walk.is_empty());
            let whose: BTreeSet<PartyId> = some.iter().filter_map(|walk| brings(question, walk)).collect();
            // A walk of no flows stands for a party of its own.
            let others = own(question).difference(&whose).count();
            whose.len() == some.len() && none.len() <= others && found.walks.len() as u64 > most
        }
    }
}

/// Whether each walk shows that a flow breaks a term of the agreement in its place.
pub fn proves_broken(ground: &Ground, all: &[Under], found: &Found, (check, flow): (usize, FlowId)) -> bool {
    let proved = |(walk, &agreement): (&Vec<FlowId>, &AgreementId)| {
        let own = all.partition_point(|under| under.agreement < agreement);
        let own = all.iter().skip(own).take_while(|under| under.agreement == agreement);
        own.filter(|under| walk.iter().any(|flow| under.flows.contains(flow))).any(|under| {
            let question = Sticky::of_few(ground, std::slice::from_ref(under));
            proves(ground, &question, found, walk, Shown::Term(check, flow, agreement))
        })
    };
    let shown = found.agreements.len().min(WALKS);
    shown > 0 && found.walks.len() == shown && found.walks.iter().zip(&found.agreements).all(proved)
}
