//! Findings of two states, compared by fingerprint.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::renames::Renames;
use crate::base::finding::{Audit, Extent, Finding, FindingStatus, GrownFrom, Growth};
use crate::base::taxonomy::{Key, Tree};
use crate::declare::gate::Gate;
use crate::declare::inventory::builtin;

/// Which findings a change brings and takes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// In the head and not in the base.
    pub added: Vec<Finding>,
    /// In both, and in the head more severe, with more data, arriving as more, with more agreements or
    /// parties of origin, or in force where it was only proposed: than in the base or than is accepted.
    pub grown: Vec<Finding>,
    /// In the base and not in the head.
    pub fixed: Vec<Finding>,
    /// The fingerprints of the others.
    pub unchanged: Vec<String>,
}

/// What the base found, by the fingerprints that the head has for it.
pub struct Known<'a> {
    by_fingerprint: BTreeMap<Cow<'a, str>, Cow<'a, Finding>>,
    /// What the head calls what the base has under another id.
    pub renames: &'a Renames,
}

impl<'a> Known<'a> {
    /// The base's findings, what the head has under another id called as it is there.
    pub fn of(base: &'a Audit, renames: &'a Renames) -> Self {
        let called = |finding: &'a Finding| {
            if renames.is_empty() {
                return (Cow::Borrowed(finding.fingerprint.as_str()), Cow::Borrowed(finding));
            }
            let agreements = finding.agreements.iter().map(|a| renames.agreement(a).to_owned()).collect();
            let parties = finding.origins.as_ref();
            let origins =
                parties.map(|parties| parties.iter().map(|p| renames.party(p).to_owned()).collect());
            let known = Finding { agreements, origins, ..finding.clone() };
            (Cow::Owned(renames.fingerprint(finding)), Cow::Owned(known))
        };
        Known { by_fingerprint: base.findings.iter().map(called).collect(), renames }
    }

    fn get(&self, fingerprint: &str) -> Option<&Finding> {
        self.by_fingerprint.get(fingerprint).map(Cow::as_ref)
    }

    /// Accepts what the base accepts under another id, as far as the base accepts it.
    pub fn carry(&self, head: &mut Audit, trees: (&Tree, &Tree)) {
        let mut carried = BTreeSet::new();
        for finding in head.findings.iter_mut().filter(|f| f.status == FindingStatus::New && !f.grown) {
            let Some(old) = self.get(&finding.fingerprint).filter(|o| o.fingerprint != finding.fingerprint)
            else {
                continue;
            };
            if old.status != FindingStatus::New && !more_severe(old, finding) && !beyond(trees, old, finding)
            {
                finding.status = old.status;
                finding.waiver.clone_from(&old.waiver);
                carried.insert(old.fingerprint.clone());
            }
        }
        if carried.is_empty() {
            return;
        }
        // The waiver and the entry of the baseline are used, by another name.
        for notice in head.notices.iter_mut().filter(|notice| notice.code == "baseline-fixed") {
            notice.subjects.retain(|fingerprint| !carried.contains(fingerprint));
        }
        head.notices.retain(|notice| match notice.code.as_str() {
            "baseline-fixed" => !notice.subjects.is_empty(),
            "waiver-unused" => !carried.iter().any(|fingerprint| notice.message.contains(fingerprint)),
            _ => true,
        });
        head.summary = Gate::default().summary(&head.findings);
    }
}

/// Compares two results. The trees are those that the categories of each belong to;
/// of a result alone only the built-in one is known.
pub fn compare(before: &Known, head: &Audit, trees: Option<(&Tree, &Tree)>) -> Findings {
    let after: BTreeSet<&str> = head.findings.iter().map(|f| f.fingerprint.as_str()).collect();
    let built_in = builtin().map(|t| Tree::new(t.data)).unwrap_or_default();
    let trees = trees.unwrap_or((&built_in, &built_in));
    let mut found = Findings::default();
    for finding in &head.findings {
        let new = finding.status == FindingStatus::New;
        match before.get(finding.fingerprint.as_str()) {
            None => found.added.push(finding.clone()),
            // Accepted in the base and no longer, for all that it is.
            Some(old) if new && old.status != FindingStatus::New && !finding.grown => {
                found.added.push(finding.clone());
            }
            Some(old)
                if new
                    && ((finding.grown && !old.grown)
                        || more_severe(old, finding)
                        || beyond(trees, old, finding)) =>
            {
                let beyond = match finding.beyond.as_slice() {
                    [] => growth(trees, old, finding),
                    than_accepted => than_accepted.to_vec(),
                };
                found.grown.push(Finding { grown: true, beyond, ..finding.clone() });
            }
            Some(_) => found.unchanged.push(finding.fingerprint.clone()),
        }
    }
    let gone = before.by_fingerprint.iter().filter(|(fingerprint, _)| !after.contains(fingerprint.as_ref()));
    found.fixed.extend(gone.map(|(_, finding)| finding.clone().into_owned()));
    found.fixed.sort_by(|a, b| in_order(a).cmp(&in_order(b)));
    found
}

/// Most severe first, then by rule and key.
pub(super) fn in_order(f: &Finding) -> impl Ord + use<'_> {
    (f.severity, &f.rule, &f.source, &f.sink, &f.flow, &f.subject)
}

/// Whether a finding can fail now where it could not: an assumed origin, say, whose data
/// did not get anywhere and now would break a rule.
fn more_severe(old: &Finding, new: &Finding) -> bool {
    new.severity < old.severity || (new.binding && !old.binding)
}

/// Whether a finding is more severe than another of the same world, or concerns more.
pub(super) fn more_than(trees: (&Tree, &Tree), renamed: &Renames, old: &Finding, new: &Finding) -> bool {
    let agreements = new.agreements.iter().map(|a| renamed.agreement(a).to_owned()).collect();
    let parties = new.origins.as_ref();
    let origins =
        parties.map(|parties| parties.iter().map(|party| renamed.party(party).to_owned()).collect());
    more_severe(old, new) || beyond(trees, old, &Finding { agreements, origins, ..new.clone() })
}

/// By what one result's finding is more than another's, if it is: data, what it arrives as, agreements, whose data
/// it is, or in force where the other was only proposed.
pub fn goes_beyond(old: &Finding, new: &Finding) -> Option<Vec<Growth>> {
    let built_in = builtin().map(|t| Tree::new(t.data)).unwrap_or_default();
    let trees = (&built_in, &built_in);
    (more_severe(old, new) || beyond(trees, old, new)).then(|| growth(trees, old, new))
}

fn beyond(trees: (&Tree, &Tree), old: &Finding, new: &Finding) -> bool {
    let more = more_than_before(trees, old, new);
    more.iter().any(|(of, more)| *of != Extent::Severity && !more.is_empty())
        || old.prospective && !new.prospective
}

/// What a finding of the head has more than the base has of it.
fn growth(trees: (&Tree, &Tree), old: &Finding, new: &Finding) -> Vec<Growth> {
    let more = more_than_before(trees, old, new).into_iter().filter(|(_, more)| !more.is_empty());
    let mut all: Vec<Growth> = more.map(|(of, more)| Growth { than: GrownFrom::Base, of, more }).collect();
    if old.prospective && !new.prospective {
        all.push(Growth { than: GrownFrom::Base, of: Extent::Prospective, more: Vec::new() });
    }
    all
}

/// Of each part that is a list, and of the severity, what is more.
fn more_than_before(
    (base, head): (&Tree, &Tree),
    old: &Finding,
    new: &Finding,
) -> [(Extent, Vec<String>); 5] {
    let categories = |old: &[String], new: &[String]| {
        let known = leaves(base, old);
        // What is below a known leaf now is a finer word for it.
        let covered = |leaf: &String| {
            let above = leaf.match_indices('.').filter_map(|(at, _)| leaf.get(..at));
            above.chain([leaf.as_str()]).any(|name| known.contains(name))
        };
        let more: Vec<String> = leaves(head, new).into_iter().filter(|leaf| !covered(leaf)).collect();
        let keys: Option<Vec<Key>> = more.iter().map(|name| head.find(name)).collect();
        keys.map_or(more, |keys| head.cover(&head.leaves(&keys)))
    };
    let names =
        |old: &[String], new: &[String]| new.iter().filter(|name| !old.contains(name)).cloned().collect();
    let severity = (new.severity < old.severity).then(|| new.severity.to_string());
    [
        (Extent::Data, categories(&old.data, &new.data)),
        (Extent::ArrivesAs, categories(&old.arrives_as, &new.arrives_as)),
        (Extent::Agreements, names(&old.agreements, &new.agreements)),
        // Known of both, or nothing can be said.
        (
            Extent::Origins,
            match (&old.origins, &new.origins) {
                (Some(old), Some(new)) => names(old, new),
                _ => Vec::new(),
            },
        ),
        (Extent::Severity, severity.into_iter().collect()),
    ]
}

fn leaves(tree: &Tree, names: &[String]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for name in names {
        match tree.find(name) {
            Some(key) => {
                let leaves = tree.leaves([&key]);
                all.extend(leaves.iter().map(|leaf| tree.name(tree.leaf_key(leaf)).to_owned()));
            }
            None => {
                all.insert(name.clone());
            }
        }
    }
    all
}

/// The head's result with everything that the base knows marked as known, for the
/// formats that services read.
pub fn accepted(head: &Audit, findings: &Findings) -> Audit {
    let mut audit = head.clone();
    let grown: BTreeMap<&str, &Finding> =
        findings.grown.iter().map(|f| (f.fingerprint.as_str(), f)).collect();
    let known: BTreeSet<&str> = findings.unchanged.iter().map(String::as_str).collect();
    for finding in &mut audit.findings {
        if let Some(known) = grown.get(finding.fingerprint.as_str()) {
            finding.grown = true;
            finding.beyond.clone_from(&known.beyond);
        }
        if finding.status == FindingStatus::New && known.contains(finding.fingerprint.as_str()) {
            finding.status = FindingStatus::Baseline;
        }
    }
    audit.summary = Gate::default().summary(&audit.findings);
    audit.count_new();
    audit
}
