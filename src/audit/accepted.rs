//! How much of a finding a waiver or a baseline's entry accepts, and what goes beyond.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::audit::analysis::Violation;
use crate::base::bits::LeafSet;
use crate::base::finding::{Extent, Finding, GrownFrom, Growth};
use crate::base::vocabulary::{Severity, Word};
use crate::declare::baseline::Entry;
use crate::model::Model;

/// What is accepted of a finding; of what is `None` anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Accepted {
    /// The origin leaves.
    pub data: Option<Arc<LeafSet>>,
    /// What they arrive as.
    pub arrives_as: Option<Arc<LeafSet>>,
    /// The agreements, by id.
    pub agreements: Option<BTreeSet<String>>,
    /// The parties whose data it is, by id.
    pub origins: Option<BTreeSet<String>>,
    /// The most severe severity.
    pub severity: Option<Severity>,
    /// Whether proposed agreements alone must bring it.
    pub prospective: bool,
}

impl Accepted {
    /// What a baseline's entry accepts. A category that is no longer there accepts nothing.
    pub fn of_entry(entry: &Entry, model: &Model) -> Self {
        let leaves = |names: &Option<Vec<String>>| {
            let names = names.as_ref()?;
            let keys: Vec<_> = names.iter().filter_map(|name| model.data.find(name)).collect();
            Some(Arc::new(model.data.leaves(&keys)))
        };
        let set = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.iter().cloned().collect());
        Accepted {
            data: leaves(&entry.data),
            arrives_as: leaves(&entry.arrives_as),
            agreements: set(&entry.agreements),
            origins: set(&entry.origins),
            severity: entry.severity,
            prospective: entry.prospective == Some(true),
        }
    }

    /// Whether it depends on whose data a finding is about.
    pub fn limits_origins(&self) -> bool {
        self.origins.is_some()
    }

    /// Of which parts of a finding there is more than is accepted.
    fn exceeded(&self, finding: &Finding, violation: &Violation) -> Vec<Extent> {
        let within = |accepted: &Option<Arc<LeafSet>>, leaves: &LeafSet| {
            accepted.as_ref().is_none_or(|accepted| leaves.is_subset(accepted))
        };
        let all = |accepted: &Option<BTreeSet<String>>, names: &[String]| {
            accepted.as_ref().is_none_or(|accepted| names.iter().all(|name| accepted.contains(name)))
        };
        // What is not known is not accepted.
        let origins = match finding.whose() {
            Some(parties) => all(&self.origins, parties),
            None => self.origins.is_none(),
        };
        [
            (Extent::Data, within(&self.data, &violation.data)),
            (Extent::ArrivesAs, within(&self.arrives_as, &violation.arrives_as)),
            (Extent::Agreements, all(&self.agreements, &finding.agreements)),
            (Extent::Origins, origins),
            // The more severe comes first.
            (Extent::Severity, self.severity.is_none_or(|most| most <= finding.severity)),
            (Extent::Prospective, !self.prospective || finding.prospective),
        ]
        .into_iter()
        .filter_map(|(of, accepted)| (!accepted).then_some(of))
        .collect()
    }

    /// Whether all of a finding is accepted.
    pub fn accepts(&self, finding: &Finding, violation: &Violation) -> bool {
        self.exceeded(finding, violation).is_empty()
    }

    /// How much of a finding is not accepted, so that the nearest of several can be told.
    pub fn distance(&self, finding: &Finding, violation: &Violation) -> usize {
        self.exceeded(finding, violation).len()
    }

    /// What of a finding is not accepted.
    pub fn beyond(
        &self,
        than: GrownFrom,
        model: &Model,
        (finding, violation): (&Finding, &Violation),
    ) -> Vec<Growth> {
        let left = |accepted: &Option<Arc<LeafSet>>, leaves: &LeafSet| match accepted {
            Some(accepted) => model.data.cover(&leaves.minus(accepted)),
            None => Vec::new(),
        };
        let others = |accepted: &Option<BTreeSet<String>>, names: &[String]| -> Vec<String> {
            let accepted = |name: &&String| accepted.as_ref().is_none_or(|accepted| accepted.contains(*name));
            names.iter().filter(|name| !accepted(name)).cloned().collect()
        };
        let growth = |of: Extent| Growth {
            than,
            of,
            more: match of {
                Extent::Data => left(&self.data, &violation.data),
                Extent::ArrivesAs => left(&self.arrives_as, &violation.arrives_as),
                Extent::Agreements => others(&self.agreements, &finding.agreements),
                Extent::Origins => others(&self.origins, finding.whose().unwrap_or_default()),
                Extent::Severity => vec![finding.severity.word().to_owned()],
                Extent::Prospective => Vec::new(),
            },
        };
        self.exceeded(finding, violation).into_iter().map(growth).collect()
    }
}
