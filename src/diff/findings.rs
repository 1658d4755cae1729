//! Findings of two states, compared by fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Audit, Finding, FindingStatus, Summary};
use crate::inventory::builtin;
use crate::taxonomy::Tree;

/// Which findings a change brings and takes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// In the head and not in the base.
    pub added: Vec<Finding>,
    /// In both, and in the head graver, or with more data or agreements than in the base or
    /// than is accepted.
    pub grown: Vec<Finding>,
    /// In the base and not in the head.
    pub fixed: Vec<Finding>,
    /// The fingerprints of the others.
    pub unchanged: Vec<String>,
}

/// Compares two results. The trees are those that the categories of each belong to;
/// of a result alone only the built-in one is known.
pub fn compare(base: &Audit, head: &Audit, trees: Option<(&Tree, &Tree)>) -> Findings {
    let before: BTreeMap<&str, &Finding> =
        base.findings.iter().map(|f| (f.fingerprint.as_str(), f)).collect();
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
                        || graver(old, finding)
                        || beyond(trees, old, finding)) =>
            {
                found.grown.push(Finding { grown: true, ..finding.clone() });
            }
            Some(_) => found.unchanged.push(finding.fingerprint.clone()),
        }
    }
    found.fixed.extend(base.findings.iter().filter(|f| !after.contains(f.fingerprint.as_str())).cloned());
    found
}

/// Whether a finding can fail now where it could not: an assumed origin, say, whose data
/// did not get anywhere and now would break a rule.
fn graver(old: &Finding, new: &Finding) -> bool {
    new.severity < old.severity || (new.binding && !old.binding)
}

/// Whether one result's finding concerns data or agreements that another's does not.
pub fn goes_beyond(old: &Finding, new: &Finding) -> bool {
    let built_in = builtin().map(|t| Tree::new(t.data)).unwrap_or_default();
    beyond((&built_in, &built_in), old, new)
}

fn beyond(trees: (&Tree, &Tree), old: &Finding, new: &Finding) -> bool {
    let known = leaves(trees.0, &old.data);
    // What is below a known leaf now is a finer word for it.
    let covered = |leaf: &String| {
        let above = leaf.match_indices('.').filter_map(|(at, _)| leaf.get(..at));
        above.chain([leaf.as_str()]).any(|name| known.contains(name))
    };
    !leaves(trees.1, &new.data).iter().all(covered)
        || new.agreements.iter().any(|a| !old.agreements.contains(a))
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
    let grown: BTreeSet<&str> = findings.grown.iter().map(|f| f.fingerprint.as_str()).collect();
    let known: BTreeSet<&str> = findings.unchanged.iter().map(String::as_str).collect();
    for finding in &mut audit.findings {
        finding.grown |= grown.contains(finding.fingerprint.as_str());
        if finding.status == FindingStatus::New && known.contains(finding.fingerprint.as_str()) {
            finding.status = FindingStatus::Baseline;
        }
    }
    audit.summary = Summary::of(&audit.findings);
    audit
}
