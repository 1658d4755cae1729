//! Which part of the declared world is drawn.

use std::collections::BTreeSet;

use super::picture::View;
use crate::base::finding::{Audit, Finding, FindingStatus, Walk};
use crate::base::glob::Glob;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::Severity;
use crate::model::load::World;
use crate::model::{FlowId, Model, Scope};

/// The most systems that are drawn, unless all are asked for.
pub const MOST_SYSTEMS: usize = 150;

/// Which flows are drawn, and how. All that is stated must hold; of a list any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The scope that the audit was made with: only counting flows are drawn.
    pub scope: Scope,
    /// These flows alone, whether they count or what they moved is disposed of; none: all that count.
    pub flows: Option<BTreeSet<FlowId>>,
    /// Flows that may carry one of these categories, or a part of it.
    pub data: Vec<Key>,
    /// Flows that carry what was such data where it started, or on the way.
    pub carrying: BTreeSet<FlowId>,
    /// Flows with a purpose at, below or above one of these.
    pub purposes: Vec<Key>,
    /// Flows with one of these parties at an end.
    pub parties: Vec<Glob>,
    /// Flows under one of these agreements.
    pub agreements: Vec<Glob>,
    /// Flows that are part of a new finding at least as grave.
    pub severity: Option<Severity>,
    /// Flows that are part of a new finding.
    pub violations: bool,
    /// Flows that are part of the finding with this fingerprint.
    pub finding: Option<String>,
    /// Systems or parties; none: systems, up to [`MOST_SYSTEMS`].
    pub view: Option<View>,
}

/// The flows that a finding is about: those of its walks, and the one that breaks a term.
pub fn flows_of(finding: &Finding) -> impl Iterator<Item = &str> {
    let path = finding.path.iter().map(|hop| hop.flow.as_str());
    path.chain(finding.witnesses.iter().flat_map(Walk::flows)).chain(finding.flow.as_deref())
}

/// The flows that the chosen findings are about; none: no finding is asked for.
fn wanted<'a>(filter: &Filter, audit: &'a Audit) -> Option<std::collections::BTreeSet<&'a str>> {
    if filter.severity.is_none() && !filter.violations && filter.finding.is_none() {
        return None;
    }
    let chosen = |finding: &&Finding| match &filter.finding {
        Some(fingerprint) => finding.fingerprint == *fingerprint,
        None => finding.status == FindingStatus::New,
    };
    let grave = |finding: &&Finding| filter.severity.is_none_or(|least| finding.severity <= least);
    Some(audit.findings.iter().filter(chosen).filter(grave).flat_map(flows_of).collect())
}

impl Filter {
    /// Whether everything is drawn that counts.
    pub fn is_all(&self) -> bool {
        self.flows.is_none()
            && self.data.is_empty()
            && self.purposes.is_empty()
            && self.parties.is_empty()
            && self.agreements.is_empty()
            && self.severity.is_none()
            && !self.violations
            && self.finding.is_none()
    }

    /// The flows to draw, of those that count.
    pub fn choose(&self, world: &World, audit: &Audit, counting: Vec<FlowId>) -> Vec<FlowId> {
        let model = &world.model;
        let flows = self.flows.as_ref().map_or(counting, |flows| flows.iter().copied().collect());
        let wanted = wanted(self, audit);
        let has =
            |flow: &FlowId| wanted.as_ref().is_none_or(|w| w.contains(model.flows[*flow].name.as_str()));
        flows.into_iter().filter(has).filter(|&flow| self.admits(model, flow)).collect()
    }

    fn admits(&self, model: &Model, id: FlowId) -> bool {
        let flow = &model.flows[id];
        let data = || self.carrying.contains(&id) || flow.leaves.intersects(&model.data.leaves(&self.data));
        let purpose = |p: &Key| {
            let related = |n: &Key| model.purposes.at_or_below(*p, *n) || model.purposes.at_or_below(*n, *p);
            self.purposes.iter().any(related)
        };
        let party = || {
            let ends = [model.sender(id), model.receiver(id)];
            ends.iter().any(|&p| self.parties.iter().any(|g| g.matches(model.parties[p].id())))
        };
        let agreement = || {
            let id = flow.agreement.map(|a| model.agreements[a].id());
            id.is_some_and(|id| self.agreements.iter().any(|g| g.matches(id)))
        };
        (self.data.is_empty() || data())
            && (self.purposes.is_empty() || flow.purposes.iter().any(purpose))
            && (self.parties.is_empty() || party())
            && (self.agreements.is_empty() || agreement())
    }
}
