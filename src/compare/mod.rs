//! What a change to an inventory opens and closes: findings, reach, and the edits
//! themselves.

mod claims;
mod edits;
mod excluded;
mod facets;
mod findings;
mod layout;
mod pardons;
mod reach;
mod readers;
mod renames;
pub mod rules;
pub mod settings;
mod spec;
mod state;
mod unjudged;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::declare::fields::{Class, Declaration};
pub use edits::{Edit, edits, held};
pub use excluded::excluded_edits;
pub use findings::{Findings, Known, accepted, compare as compare_findings, goes_beyond};
pub use layout::Layout;
pub use pardons::{Already, Pardoned, Pardons, Unjudged, pardons, with_pardoned};
pub use reach::Reach;
pub use renames::Renames;
pub use settings::untrusted;
pub use spec::{Mistakes, Spec};
pub use state::{State, States, Which};
pub use unjudged::{unjudged, unjudged_notice};

use crate::audit::Options;
use crate::base::finding::{Audit, Finding, InventoryFacts, Judged, Notice, Place, Program, Reliance};
use crate::base::source::{Location, Sources};
use crate::base::taxonomy::Tree;
use crate::declare::gate::Gate;
use crate::model::load::World;
use crate::model::{AgreementId, Counting, FlowId, Model, PartyId, Scope, SystemId};

/// The difference between two states.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// Which program says so.
    pub ringfence: Program,
    /// For which day.
    pub judged: Judged,
    /// The state compared with.
    pub base: StateFacts,
    /// The state in question.
    pub head: StateFacts,
    /// Whether the head's own settings, policies, waivers, promises and baseline count.
    pub trust_head: bool,
    /// Whether the head is not judged once more with what it claims taken back.
    #[serde(default)]
    pub trust_claims: bool,
    /// What of these the head changes.
    pub untrusted: Vec<Untrusted>,
    /// Files of the head that its own settings would judge and that are not judged, since the base's
    /// settings do not.
    #[serde(default)]
    pub unjudged: Vec<String>,
    /// Findings, compared by fingerprint.
    pub findings: Findings,
    /// Findings that the head would have, or have more of, but for what it claims of declarations
    /// that the base has, too.
    #[serde(default)]
    pub pardoned: Vec<Pardoned>,
    /// The fingerprints of fixed findings that are gone by such claims alone.
    #[serde(default)]
    pub fixed_by_claim: Vec<String>,
    /// What gets where, whether a rule forbids it or not; `None` if one of the states is
    /// an audit's result, which does not hold the flows.
    pub reach: Option<ReachChanges>,
    /// The edits, agreement by agreement; `None` as above.
    pub edits: Option<Vec<Edit>>,
    /// Notices of the head that the base does not have.
    pub notices: Vec<Notice>,
    /// Claims that the head's verdict rests on and the base's does not.
    pub relied_on: Vec<Reliance>,
    /// How much of everything.
    pub summary: Summary,
}

/// One of the two states.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StateFacts {
    /// As it was named.
    pub name: String,
    /// The commit, if it is a revision.
    pub commit: Option<String>,
    /// How large it is.
    pub inventory: InventoryFacts,
}

/// Something that judges, and that the head changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Untrusted {
    /// `configuration`, `policy`, `baseline`, `waiver` or `promise`.
    pub what: String,
    /// What is changed.
    pub message: String,
    /// What the change lets pass once it is applied.
    pub class: Class,
    /// Where.
    pub location: Option<Location>,
}

impl Untrusted {
    /// Whether it is a change of settings, policies or the baseline that `--fail-on-widening`
    /// gates on; waivers and promises are edits and gated as those.
    pub fn gates(&self) -> bool {
        self.class.gates() && !matches!(self.what.as_str(), "waiver" | "promise")
    }
}

/// What gets where in one state and not in the other.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReachChanges {
    /// In the head and not in the base.
    pub added: Vec<Reach>,
    /// In the base and not in the head.
    pub removed: Vec<Reach>,
}

/// How much of everything a difference has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Findings that the base does not have.
    pub added: usize,
    /// Findings with more data or agreements than in the base, or than is accepted.
    pub grown: usize,
    /// Findings that the head does not have.
    pub fixed: usize,
    /// The others.
    pub unchanged: usize,
    /// Findings that claims of the same change keep away.
    #[serde(default)]
    pub pardoned: usize,
    /// Of those added, grown and pardoned, how many make the comparison fail.
    pub failing: usize,
    /// Pairs of an origin and a place newly reached.
    pub reach_added: usize,
    /// Pairs of an origin and a place no longer reached.
    pub reach_removed: usize,
    /// Edits that widen.
    pub widening: usize,
    /// Edits that are claims alone.
    pub assertion: usize,
    /// Edits that widen and narrow.
    pub both: usize,
    /// Edits that narrow.
    pub narrowing: usize,
    /// The other edits.
    pub neutral: usize,
    /// Changes of settings, policies and the baseline that `--fail-on-widening` gates on.
    pub settings: usize,
}

/// A state as it is compared: what it declares, and what the other calls its leaves.
#[derive(Debug)]
pub struct Side<'w> {
    /// What it declares.
    pub world: &'w World,
    /// Its texts.
    pub sources: &'w Sources,
    /// Which part of it is judged.
    pub scope: &'w Scope,
    /// What the other state calls what it has under another id.
    pub renames: Renames,
    leaves: Vec<String>,
}

impl<'w> Side<'w> {
    /// A state beside another one. A leaf of the one that is a branch of the other is
    /// compared as what it is in the first.
    pub fn new(world: &'w World, sources: &'w Sources, other: &World, scope: &'w Scope) -> Self {
        let (own, theirs) = (&world.model.data, &other.model.data);
        let common = |leaf| {
            let name = own.name(own.leaf_key(leaf));
            let above = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
            let coarser = above.chain([name]).find(|n| theirs.find(n).is_some_and(|key| theirs.is_leaf(key)));
            coarser.unwrap_or(name).to_owned()
        };
        let leaves = (0..own.leaf_count()).map(common).collect();
        Side { world, sources, scope, renames: Renames::default(), leaves }
    }

    /// What both states call a party.
    fn party_id(&self, party: PartyId) -> &str {
        self.renames.party(self.world.model.parties[party].id())
    }

    /// What both states call a system.
    fn system_name(&self, system: SystemId) -> Cow<'w, str> {
        self.renames.system(&self.world.model.systems[system].name)
    }

    /// What both states call an agreement.
    fn agreement_id(&self, agreement: AgreementId) -> &str {
        self.renames.agreement(self.world.model.agreements[agreement].id())
    }

    /// What both states call a flow.
    fn flow_name(&self, flow: FlowId) -> Cow<'w, str> {
        self.renames.flow(&self.world.model.flows[flow].name)
    }

    /// What both states call a leaf.
    fn leaf(&self, leaf: usize) -> &str {
        self.leaves.get(leaf).map_or("", String::as_str)
    }

    fn place(&self, system: SystemId) -> Place {
        let party = self.party_id(self.world.model.systems[system].party).to_owned();
        Place { system: Some(self.system_name(system).into_owned()), party }
    }
}

/// What gets where in one state and not in the other.
pub fn reach_changes(base: &Side, head: &Side, options: &Options) -> ReachChanges {
    let judged = (options.day, &options.scope);
    let models = [base, head].map(|side| side.world.model.with_ghosts(options.day, &options.scope));
    let counting = |model: &Model| Counting::new(model, options.day, &options.scope);
    let [was, is] = &models;
    let (before, after) = (counting(was), counting(is));
    let (added, removed) = std::thread::scope(|scope| {
        let old = scope.spawn(|| reach::Followed::new(base, was, &before, judged));
        let new = reach::Followed::new(head, is, &after, judged);
        // A panic there would be one here.
        old.join().map(|old| reach::compare(&old, &new)).unwrap_or_default()
    });
    ReachChanges { added, removed }
}

/// Compares the findings of two audits, each with the name of its state. Reach and edits are not
/// compared: an audit holds no flows.
pub fn compare((base, before): (&str, &Audit), (head, after): (&str, &Audit)) -> Diff {
    let facts = |name: &str, audit: &Audit| StateFacts {
        name: name.to_owned(),
        commit: None,
        inventory: audit.inventory.clone(),
    };
    let renames = Renames::default();
    let known = Known::of(before, &renames);
    let (first, second) = ((facts(base, before), before), (facts(head, after), after));
    let mut diff = Diff::new(first, second, None, false, &known);
    diff.notices.push(Notice {
        code: "findings-only".to_owned(),
        message: "an audit's result holds no flows: reach and edits are not compared, no claim is \
                  taken back, and each state was judged by its own configuration and policies"
            .to_owned(),
        subjects: Vec::new(),
        location: None,
    });
    diff
}

/// Two states side by side, the base calling what the head has under another id as the head does.
pub fn sides<'w>(
    base: (&'w World, &'w Sources),
    head: (&'w World, &'w Sources),
    scope: &'w Scope,
) -> (Side<'w>, Side<'w>) {
    let mut before = Side::new(base.0, base.1, head.0, scope);
    let after = Side::new(head.0, head.1, base.0, scope);
    renames::find(&mut before, &after);
    (before, after)
}

/// Whether two notices say the same.
fn same(one: &Notice, other: &Notice) -> bool {
    (&one.code, &one.message, &one.subjects) == (&other.code, &other.message, &other.subjects)
}

impl Diff {
    /// A difference of two results.
    pub fn new(
        base: (StateFacts, &Audit),
        head: (StateFacts, &Audit),
        trees: Option<(&Tree, &Tree)>,
        trust_head: bool,
        before: &Known,
    ) -> Self {
        let mut noticed: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for notice in &base.1.notices {
            let subjects = noticed.entry((&notice.code, &notice.message)).or_default();
            subjects.extend(notice.subjects.iter().map(String::as_str));
        }
        // A notice that the base has, too, is new if it is about something more.
        let known = |notice: &Notice| {
            let before = noticed.get(&(&*notice.code, &*notice.message));
            before
                .is_some_and(|before| notice.subjects.iter().all(|subject| before.contains(subject.as_str())))
        };
        let relied: BTreeSet<(&str, Cow<str>, &str)> = base
            .1
            .relied_on
            .iter()
            .map(|claim| (&*claim.rule, before.renames.claimant(claim), &*claim.claim))
            .collect();
        let relied =
            |claim: &Reliance| relied.contains(&(&claim.rule, Cow::Borrowed(claim.by()), &claim.claim));
        Diff {
            ringfence: head.1.ringfence.clone(),
            judged: head.1.judged.clone(),
            findings: compare_findings(before, head.1, trees),
            notices: head.1.notices.iter().filter(|n| !known(n)).cloned().collect(),
            relied_on: head.1.relied_on.iter().filter(|claim| !relied(claim)).cloned().collect(),
            base: base.0,
            head: head.0,
            trust_head,
            trust_claims: true,
            untrusted: Vec::new(),
            unjudged: Vec::new(),
            pardoned: Vec::new(),
            fixed_by_claim: Vec::new(),
            reach: None,
            edits: None,
            summary: Summary::default(),
        }
    }

    /// Counts everything.
    pub fn count(&mut self, gate: &Gate) {
        let edits = |class| self.edits.iter().flatten().filter(|e| e.class == class).count();
        let failing = self.new_findings().filter(|f| gate.stops(f)).count();
        self.summary = Summary {
            added: self.findings.added.len(),
            grown: self.findings.grown.len(),
            fixed: self.findings.fixed.len(),
            unchanged: self.findings.unchanged.len(),
            pardoned: self.pardoned.len(),
            failing,
            reach_added: self.reach.as_ref().map_or(0, |r| r.added.len()),
            reach_removed: self.reach.as_ref().map_or(0, |r| r.removed.len()),
            widening: edits(Class::Widening),
            assertion: edits(Class::Assertion),
            both: edits(Class::Both),
            narrowing: edits(Class::Narrowing),
            neutral: edits(Class::Neutral),
            settings: self.untrusted.iter().filter(|change| change.gates()).count(),
        };
    }

    /// Adds what only claims keep away.
    pub fn add_pardons(&mut self, found: Pardons) {
        (self.pardoned, self.fixed_by_claim) = (found.pardoned, found.fixed_by_claim);
        if found.together {
            let message = "many declarations that were there make claims at once: these were taken back all                            together, not one by one";
            self.notices.push(Notice {
                code: "claims-together".to_owned(),
                message: message.to_owned(),
                subjects: Vec::new(),
                location: None,
            });
        }
    }

    /// Adds to the head's result the notices that are the comparison's own.
    pub fn tell(&self, head: &mut Audit) {
        let new = self.notices.iter().filter(|n| !head.notices.iter().any(|own| same(own, n)));
        let new: Vec<Notice> = new.cloned().collect();
        head.notices.extend(new);
    }

    /// Whether a notice of the head is new and not accepted.
    pub fn denies(&self, gate: &Gate, notice: &Notice) -> bool {
        gate.denies(notice) && self.notices.iter().any(|new| same(new, notice))
    }

    /// What the change brings: added, grown, or pardoned by itself.
    pub fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        let pardoned = self.pardoned.iter().map(|pardoned| &pardoned.finding);
        self.findings.added.iter().chain(&self.findings.grown).chain(pardoned)
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        let Summary { unchanged: _, failing: _, .. } = self.summary;
        self.findings.added.is_empty()
            && self.findings.grown.is_empty()
            && self.findings.fixed.is_empty()
            && self.pardoned.is_empty()
            && self.reach.iter().all(|r| r.added.is_empty() && r.removed.is_empty())
            && self.edits.iter().all(Vec::is_empty)
            && self.untrusted.is_empty()
            && self.unjudged.is_empty()
    }

    /// How often data of an origin gets to a system to which none of it got before.
    pub fn newly_reached(&self) -> usize {
        self.reach.iter().flat_map(|reach| &reach.added).filter(|reach| reach.new_system).count()
    }

    /// Whether the comparison fails: a finding added or grown that the gate stops at, a
    /// new notice that it denies, and with `widening` an edit that widens or claims, a place newly
    /// reached, or a change of settings that lets more pass from then on.
    pub fn fails(&self, gate: &Gate, widening: bool) -> bool {
        self.new_findings().any(|f| gate.stops(f))
            || self.notices.iter().any(|n| gate.denies(n))
            || (widening && self.edits.iter().flatten().any(|e| e.class.gates()))
            || (widening && self.untrusted.iter().any(Untrusted::gates))
            || (widening && !self.unjudged.is_empty())
            // Whatever opened it: also where a flow that is gone leaves an origin to be assumed.
            || (widening && self.newly_reached() > 0)
    }
}
