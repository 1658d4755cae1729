//! What entries of a loss report cause in an audit of the result.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::audit::{Options, audit};
use crate::base::finding::{Audit, Finding};
use crate::base::source::Sources;
use crate::base::vocabulary::Severity;
use crate::model::load::{Read, Request, World, load};

use super::fate::{Code, Reach};
use super::{Asked, Imported, import};

/// For so many entries it is tried what there would be without them.
const TRIED: usize = 5;
/// In results with so many flows at most.
const SMALL: usize = 1_000;
/// A result of more flows is not audited: that would take longer than to import it.
const LARGE: usize = 20_000;

/// Looks at what each entry causes, and sorts the entries by it.
pub fn rank(asked: &Asked, imported: &mut Imported, day: Date) {
    if imported.loss.made.flows > LARGE {
        imported.loss.sort();
        return;
    }
    let found = judged(imported, day);
    let mut by_thing: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, finding) in found.findings.iter().enumerate() {
        for thing in things(finding) {
            by_thing.entry(thing).or_default().insert(at);
        }
    }
    for entry in &mut imported.loss.entries {
        let touched: BTreeSet<usize> =
            entry.became.iter().filter_map(|made| by_thing.get(&short(made))).flatten().copied().collect();
        let critical = touched.iter().filter_map(|at| found.findings.get(*at));
        let critical = critical.filter(|finding| finding.severity == Severity::Critical).count();
        entry.reach = Some(Reach { findings: touched.len(), critical, alone: None });
    }
    imported.loss.sort();
    if imported.loss.made.flows > SMALL || imported.loss.read > 50 * SMALL {
        return;
    }
    let before = prints(&found);
    let tried: Vec<usize> = imported
        .loss
        .entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.leaves > 0 && entry.reach.is_some_and(|reach| reach.findings > 0))
        .filter(|(_, entry)| !matches!(entry.code, Code::Claimed | Code::Merged))
        .map(|(at, _)| at)
        .take(TRIED)
        .collect();
    for at in tried {
        let Some(entry) = imported.loss.entries.get_mut(at) else { continue };
        let Some(place) = entry.at.clone() else { continue };
        let again = Asked {
            without: Some((&place.pointer, &entry.value)),
            mapping: asked.mapping,
            table: asked.table.clone(),
            ..*asked
        };
        if let Ok(without) = import(&again, &mut Sources::new()) {
            let after = prints(&judged(&without, day));
            let alone = before.difference(&after).count();
            entry.reach = entry.reach.map(|reach| Reach { alone: Some(alone), ..reach });
        }
    }
    imported.loss.sort();
}

fn prints(audit: &Audit) -> BTreeSet<String> {
    audit.findings.iter().map(|finding| finding.fingerprint.clone()).collect()
}

/// The audit of what was made with the pack `core` and its own policies.
fn judged(imported: &Imported, day: Date) -> Audit {
    let mut texts = Sources::new();
    let file = texts.add("imported", imported.inventory.clone());
    let policies = imported.policies.iter().map(|(id, text)| texts.add(id.clone(), text.clone())).collect();
    let read = Read { inventory: vec![file], policies, excluded: Vec::new() };
    let options = Options::new(day);
    let request = Request { read: Some(&read), ..Request::default() };
    match core(&request, &mut texts) {
        Some(world) => audit(&world, &texts, &options),
        None => audit(&imported.world, &imported.texts, &options),
    }
}

fn core(request: &Request, texts: &mut Sources) -> Option<World> {
    let core = crate::declare::packs::pack("core")?;
    let mut read = request.read?.clone();
    read.policies.push(texts.add("core", core.policy.to_owned()));
    load(&Request { read: Some(&read), ..request.clone() }, texts).ok()
}

/// A full id of something made, as findings name it.
fn short(made: &str) -> String {
    let parts: Vec<&str> = made.split('/').collect();
    match parts.as_slice() {
        ["parties", party, "systems", system] => format!("system {party}/{system}"),
        ["parties", party] => format!("party {party}"),
        ["agreements", agreement, "flows", flow] => format!("flow {agreement}/{flow}"),
        ["agreements", agreement] => format!("agreement {agreement}"),
        ["flows", flow] => format!("flow {flow}"),
        _ => made.to_owned(),
    }
}

/// What a finding passes, in the same words.
fn things(finding: &Finding) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut place = |system: &str| {
        all.insert(format!("system {system}"));
        if let Some((party, _)) = system.split_once('/') {
            all.insert(format!("party {party}"));
        }
    };
    for hop in &finding.path {
        place(&hop.from);
        place(&hop.to);
    }
    for end in [&finding.source, &finding.sink].into_iter().flatten() {
        end.system.iter().for_each(|system| place(system));
    }
    for hop in &finding.path {
        all.insert(format!("flow {}", hop.flow));
    }
    all.extend(finding.flow.iter().map(|flow| format!("flow {flow}")));
    all.extend(finding.agreements.iter().map(|agreement| format!("agreement {agreement}")));
    all
}
