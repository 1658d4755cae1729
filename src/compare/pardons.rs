//! Findings that a change would bring but for what it claims of declarations that were there.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use super::claims::{TakenBack, apart, claims, take_back};
use super::edits::Edit;
use super::findings::{Findings, Known, compare, more_than};
use crate::base::diagnostic::Diagnostic;
use crate::base::finding::{Audit, Finding, FindingStatus, Place, Walk};
use crate::base::taxonomy::Tree;
use crate::declare::fields::{Class, Declaration};
use crate::declare::gate::Gate;
use crate::model::load::World;

/// A finding that is none, or less of one, because of what the same change claims.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Pardoned {
    /// The finding, with the claims taken back.
    pub finding: Finding,
    /// The claims that each keep it from being a finding; where none does alone, those that are about what
    /// it passes.
    pub edits: Vec<Edit>,
}

/// What the audit finds with the head's claims taken back.
#[derive(Debug, Default)]
pub struct Pardons {
    /// Findings that the base does not have.
    pub pardoned: Vec<Pardoned>,
    /// The fingerprints of findings of the base that are gone by claim alone.
    pub fixed_by_claim: Vec<String>,
    /// So many declarations make claims that these were taken back together alone.
    pub together: bool,
}

/// Why there are none.
#[derive(Debug)]
pub enum Unjudged<E> {
    /// What is left without some claims cannot be resolved.
    Unresolved(Vec<Diagnostic>),
    /// It could not be judged.
    Stopped(E),
}

/// What was judged already.
#[derive(Clone, Copy)]
pub struct Already<'a> {
    /// The base.
    pub base: &'a Audit,
    /// The head as it is.
    pub head: &'a Audit,
    /// What of the base's findings is gone.
    pub fixed: &'a [Finding],
}

/// Judges the head with what it claims of the base's declarations taken back: all of it, and what
/// may work either way one declaration after the other.
///
/// # Errors
/// When it cannot be judged.
pub fn pardons<E>(
    (base, head): (&Side, &Side),
    edits: &[Edit],
    judged: Already,
    audit: impl Fn(&World) -> Result<Audit, E>,
) -> Result<Pardons, Unjudged<E>> {
    let claims = claims(base, edits);
    let mut found = Pardons::default();
    if claims.is_empty() {
        return Ok(found);
    }
    let trees = (&base.world.model.data, &head.world.model.data);
    let others = apart(&claims);
    found.together = others.is_none();
    let widened: BTreeSet<(Declaration, String)> = edits
        .iter()
        .filter(|edit| matches!(edit.class, Class::Widening | Class::Both) && !claims.contains(edit))
        .map(|edit| (edit.of, edit.id.clone()))
        .collect();
    let sets = std::iter::once(claims.clone()).chain(others.into_iter().flatten());
    for (at, set) in sets.enumerate() {
        let taken = take_back(base, head, set).map_err(Unjudged::Unresolved)?;
        let back = audit(&taken.world).map_err(Unjudged::Stopped)?;
        let (new, by_claim) = without(judged, back, &taken, trees);
        // Two claims that are taken back apart may make of old flows what neither state is.
        let new = new.into_iter().filter(|finding| at == 0 || !passed(finding).is_disjoint(&widened));
        for finding in new {
            if found.pardoned.iter().all(|known| known.finding.fingerprint != finding.fingerprint) {
                let edits = about(&finding, &taken.edits);
                found.pardoned.push(Pardoned { finding, edits });
            }
        }
        if at == 0 {
            found.fixed_by_claim = by_claim;
        }
    }
    if !found.pardoned.is_empty() && (2..=SOLE).contains(&claims.len()) {
        let mut causes: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
        for claim in claims {
            let Ok(taken) = take_back(base, head, vec![claim.clone()]) else { continue };
            let back = audit(&taken.world).map_err(Unjudged::Stopped)?;
            for finding in without(judged, back, &taken, trees).0 {
                causes.entry(finding.fingerprint).or_default().push(claim.clone());
            }
        }
        for pardoned in &mut found.pardoned {
            if let Some(edits) = causes.remove(&pardoned.finding.fingerprint) {
                pardoned.edits = edits;
            }
        }
    }
    found.pardoned.iter_mut().for_each(Pardoned::say);
    Ok(found)
}

/// Of so many claims each is taken back alone, too, to tell which of them pardons what.
const SOLE: usize = 8;

/// What is a finding without some claims, and neither in the base nor with them; which of the fixed
/// ones still is one.
fn without(
    judged: Already,
    mut back: Audit,
    taken: &TakenBack,
    trees: (&Tree, &Tree),
) -> (Vec<Finding>, Vec<String>) {
    let known = Known::of(judged.base, &taken.renames);
    known.carry(&mut back, trees);
    let Findings { added, grown, .. } = compare(&known, &back, Some(trees));
    let declared: BTreeMap<&str, &Finding> =
        judged.head.findings.iter().map(|f| (f.fingerprint.as_str(), f)).collect();
    let trees = (trees.1, trees.1);
    let new = added.into_iter().chain(grown).filter(|finding| {
        let there = declared.get(taken.renamed.fingerprint(finding).as_str());
        there.is_none_or(|there| {
            let accepted = finding.status == FindingStatus::New && there.status != FindingStatus::New;
            accepted || more_than(trees, &taken.renamed, there, finding)
        })
    });
    let new = new.collect();
    let still: BTreeSet<&str> = back.findings.iter().map(|f| f.fingerprint.as_str()).collect();
    let by_claim = judged.fixed.iter().filter(|f| still.contains(taken.renames.fingerprint(f).as_str()));
    (new, by_claim.map(|f| f.fingerprint.clone()).collect())
}

impl Pardoned {
    /// Names the claims in the finding's message.
    fn say(&mut self) {
        let claims: Vec<String> =
            self.edits.iter().map(|edit| format!("{} {}, {}", edit.of, edit.id, edit.said())).collect();
        let message = self.finding.message.trim_end();
        self.finding.message = format!("{message} It is pardoned by the same change: {}.", claims.join("; "));
    }
}

/// The claims that are about what a finding passes, or all where none is.
fn about(finding: &Finding, claims: &[Edit]) -> Vec<Edit> {
    let passed = passed(finding);
    let about = |edit: &&Edit| {
        let before = edit.before.first().filter(|_| edit.key == "renamed");
        [Some(&edit.id), before].into_iter().flatten().any(|id| passed.contains(&(edit.of, id.clone())))
    };
    let edits: Vec<Edit> = claims.iter().filter(about).cloned().collect();
    if edits.is_empty() { claims.to_vec() } else { edits }
}

/// Everything that a finding names.
fn passed(finding: &Finding) -> BTreeSet<(Declaration, String)> {
    let mut all = BTreeSet::new();
    let mut system = |name: &str| {
        all.insert((Declaration::System, name.to_owned()));
        let party = name.split_once('/').map_or(name, |(party, _)| party);
        all.insert((Declaration::Party, party.to_owned()));
    };
    let hops = || finding.witnesses.iter().flat_map(Walk::hops).chain(&finding.path);
    hops().flat_map(|hop| [&hop.from, &hop.to]).for_each(|name| system(name));
    let places = [&finding.source, &finding.sink].into_iter().flatten();
    places.filter_map(|place: &Place| place.system.as_deref()).for_each(&mut system);
    finding.subject.iter().for_each(|name| system(name));
    let flows = hops().map(|hop| &hop.flow).chain(&finding.flow).chain(&finding.subject);
    all.extend(flows.map(|flow| (Declaration::Flow, flow.clone())));
    let agreements = hops().filter_map(|hop| hop.agreement.as_ref()).chain(&finding.agreements);
    all.extend(agreements.chain(&finding.subject).map(|id| (Declaration::Agreement, id.clone())));
    all
}

/// A result with the pardoned findings among its own, for the formats that services read.
pub fn with_pardoned(audit: &mut Audit, pardoned: &[Pardoned]) {
    for Pardoned { finding, .. } in pardoned {
        match audit.findings.iter_mut().find(|own| own.fingerprint == finding.fingerprint) {
            Some(own) => *own = finding.clone(),
            None => audit.findings.push(finding.clone()),
        }
    }
    audit.findings.sort_by(|a, b| super::findings::in_order(a).cmp(&super::findings::in_order(b)));
    audit.summary = Gate::default().summary(&audit.findings);
}
