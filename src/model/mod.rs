//! The declared world with its references resolved and its defaults applied.
//!
//! Everything is in the order of ids, so that no result depends on how the files
//! are split or ordered.

mod build;
mod counting;
pub mod fields;
mod flows;
mod ghosts;
mod ids;
pub mod load;
pub mod matching;
pub mod required;
mod rules;

pub use build::build;
pub use counting::{Counting, Scope, begins, disposal, ends, gone, kept_until};
pub use ids::{AgreementId, FlowId, Id, PartyId, SystemId, Table};
pub use rules::{RuleInForce, RuleRef, Written};

use std::ops::Deref;
use std::sync::Arc;

use jiff::civil::Date;
use smallvec::SmallVec;

use crate::base::bits::LeafSet;
use crate::base::duration::Duration;
use crate::base::source::Span;
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::{Consent, Kind, Onward, Role, Status, Transform};
use crate::declare::inventory::{self, Statement, Terms, Waiver};
use crate::read::decode::Words;

/// What a finding is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Data of the first system at the second.
    Pair(SystemId, SystemId),
    /// A flow.
    Flow(FlowId),
    /// A category that nobody declares as starting at a system.
    Unsourced(SystemId, Key),
    /// A system.
    System(SystemId),
    /// A party.
    Party(PartyId),
    /// An agreement.
    Agreement(AgreementId),
}

/// The resolved world.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The data categories.
    pub data: Tree,
    /// The purposes.
    pub purposes: Tree,
    /// All parties.
    pub parties: Table<PartyId, Party>,
    /// All systems.
    pub systems: Table<SystemId, System>,
    /// The systems that derive something.
    pub deriving: Vec<SystemId>,
    /// All agreements.
    pub agreements: Table<AgreementId, Agreement>,
    /// All flows, counting or not, in the order of their names.
    pub flows: Table<FlowId, Flow>,
    /// All promises, in the order of ids.
    pub statements: Vec<Statement>,
    /// All waivers, as written.
    pub waivers: Vec<Waiver>,
    /// Which systems are ghosts, of a model that has any.
    ghosts: ghosts::Ghosts,
}

/// A party and its group.
#[derive(Debug, Clone)]
pub struct Party {
    /// As declared (its systems are in [`Model::systems`]).
    pub declared: inventory::Party,
    /// The topmost parent, which stands for the group.
    pub group: PartyId,
    /// Its systems.
    pub systems: Vec<SystemId>,
    /// The systems at which its data starts: those of its own that state no controller, and those
    /// that name it.
    pub origins: Vec<SystemId>,
}

/// Derivations: from which leaves, into which.
pub type Derives = [(LeafSet, LeafSet)];

/// A system and its party.
#[derive(Debug, Clone)]
pub struct System {
    /// As declared.
    pub declared: inventory::System,
    /// `party/system`.
    pub name: String,
    /// Who runs it.
    pub party: PartyId,
    /// The party's group.
    pub group: PartyId,
    /// Whose data starts here: who runs it, or its controller.
    pub origin: PartyId,
    /// What it is run for.
    pub purposes: Vec<Key>,
    /// The data that starts here.
    pub originates: LeafSet,
    /// What it makes of data: what goes in, what comes out. Derivations that re-identify come last.
    pub derives: Vec<(LeafSet, LeafSet)>,
    /// How many of those do not re-identify.
    pub keeping: usize,
    /// As which of the declared derivations each is declared.
    pub derived_by: Vec<usize>,
    /// Its regions, or its party's jurisdiction.
    pub regions: Vec<String>,
}

impl System {
    /// Which of the declared derivations re-identify.
    pub fn reidentifying(&self) -> &[usize] {
        self.derived_by.get(self.keeping..).unwrap_or_default()
    }

    /// Whether it derives anything that it re-identifies.
    pub fn reidentifies(&self) -> bool {
        self.keeping < self.derives.len()
    }

    /// What it makes of data without re-identifying it, and what it re-identifies.
    pub fn derivations(&self) -> (&Derives, &Derives) {
        self.derives.split_at_checked(self.keeping).unwrap_or((&self.derives, &[]))
    }
}

/// An agreement and what it comes to.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// As declared (its flows are in [`Model::flows`]).
    pub declared: inventory::Agreement,
    /// Sharing or processing.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// For whom the others process, if it is of processing; never none.
    pub providers: Vec<PartyId>,
    /// Of an agreement of processing the purposes of its own flows that leave a provider: permitted
    /// where its terms state none. Else none.
    pub implied: Option<Arc<[Key]>>,
    /// Whether all that have signed are of one group: terms then end at parties, not at their groups.
    pub within_group: bool,
    /// Who has signed.
    pub parties: Vec<PartyId>,
    /// Its flows.
    pub flows: Vec<FlowId>,
}

/// A flow and what it comes to.
#[derive(Debug, Clone)]
pub struct Flow {
    /// What it states that refers to nothing else.
    pub declared: Box<inventory::Stated>,
    /// Where it is declared.
    pub span: Span,
    /// What it states itself of what it would take from elsewhere.
    pub states: States,
    /// The full id: `agreement/flow`, or `flow` under none.
    pub name: String,
    /// What it runs under.
    pub agreement: Option<AgreementId>,
    /// Where it starts.
    pub from: SystemId,
    /// Where it ends.
    pub to: SystemId,
    /// The leaves that it may carry.
    pub leaves: Arc<LeafSet>,
    /// What for: its own, or the receiving system's.
    pub purposes: Purposes,
    /// The parties whose data alone it carries.
    pub only_from: Option<Box<[PartyId]>>,
    /// The consent in place.
    pub consent: Consent,
    /// What is done to the data.
    pub transform: Transform,
    /// How long the receiver keeps it: its own, or the receiving system's; `None`:
    /// nobody says, which is read as unlimited.
    pub retention: Option<Duration>,
    /// What it has of its agreement, its own in the place of that.
    pub shared: Arc<Shared>,
}

/// What all flows of an agreement have of it that state nothing else.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// The agreement's terms with the flow's own in their place.
    pub terms: Arc<Terms>,
    /// The terms that the flow states itself.
    pub own_terms: Option<Box<Terms>>,
    /// Whom the terms allow besides.
    pub onward_to: Arc<[OnwardTo]>,
    /// The flow's own, or the agreement's.
    pub legal_basis: Words,
}

impl Deref for Flow {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// What a flow states itself.
#[derive(Debug, Clone, Copy)]
pub struct States {
    /// Purposes; else they are the receiving system's.
    pub purposes: bool,
    /// Retention; else it is the receiving system's.
    pub retention: bool,
    /// A legal basis; else it is the agreement's.
    pub legal_basis: bool,
}

/// Purposes; few have a place of their own.
pub type Purposes = SmallVec<[Key; 4]>;

/// A receiver that terms allow besides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OnwardTo {
    /// The receiver.
    pub party: PartyId,
    /// Which data; `None`: all.
    pub leaves: Option<LeafSet>,
    /// For which purposes; empty: all.
    pub purposes: Vec<Key>,
}

impl Party {
    /// Its role.
    pub fn role(&self) -> Role {
        self.declared.role.unwrap_or(Role::Other)
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.declared.id.value
    }
}

impl Agreement {
    /// Whether it is over on a day: terminated, or past its last day.
    pub fn ended(&self, day: Date) -> bool {
        let until = self.declared.effective.until.as_ref();
        self.status == Status::Terminated || until.is_some_and(|until| until.value < day)
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.declared.id.value
    }
}

impl Flow {
    /// To whom its terms let data be passed on.
    pub fn onward(&self) -> Onward {
        self.terms.onward_transfer.unwrap_or(Onward::Prohibited)
    }

    /// Its id within its agreement, or of its own.
    pub fn id<'f>(&'f self, model: &Model) -> &'f str {
        let agreement = self.agreement.map_or(0, |agreement| model.agreements[agreement].id().len() + 1);
        self.name.get(agreement..).unwrap_or(&self.name)
    }
}

impl Model {
    /// The party that runs the sending system.
    pub fn sender(&self, flow: FlowId) -> PartyId {
        self.systems[self.flows[flow].from].party
    }

    /// The party whose data starts at the sending system.
    pub fn origin(&self, flow: FlowId) -> PartyId {
        self.systems[self.flows[flow].from].origin
    }

    /// The party that runs the receiving system.
    pub fn receiver(&self, flow: FlowId) -> PartyId {
        self.systems[self.flows[flow].to].party
    }

    /// Whether the flow goes from one party to another.
    pub fn crosses(&self, flow: FlowId) -> bool {
        self.sender(flow) != self.receiver(flow)
    }

    /// The providers of the processing agreement that a flow runs under; none if it does not.
    pub fn processing_providers(&self, flow: FlowId) -> &[PartyId] {
        let agreement = self.flows[flow].agreement.map(|agreement| &self.agreements[agreement]);
        let processing = agreement.filter(|agreement| agreement.kind == Kind::Processing);
        processing.map_or(&[], |agreement| &agreement.providers)
    }

    /// Whether a flow takes data from a provider to a party that processes for it.
    pub fn to_processor(&self, flow: FlowId) -> bool {
        let providers = self.processing_providers(flow);
        providers.contains(&self.sender(flow)) && !providers.contains(&self.receiver(flow))
    }

    /// Whether a flow takes data back to a provider.
    pub fn comes_from_processor(&self, flow: FlowId) -> bool {
        let providers = self.processing_providers(flow);
        !providers.contains(&self.sender(flow)) && providers.contains(&self.receiver(flow))
    }

    /// The purposes that a flow's terms permit, stated or implied; `None`: any.
    pub fn permitted(&self, flow: FlowId) -> Option<Vec<Key>> {
        let flow = &self.flows[flow];
        let stated = flow.terms.purposes.as_ref().map(|list| list.iter().map(|key| key.value).collect());
        stated.or_else(|| Some(self.agreements[flow.agreement?].implied.as_deref()?.to_vec()))
    }

    /// Whether two purposes are equal or one is below the other.
    pub fn related(&self, one: Key, other: Key) -> bool {
        self.purposes.at_or_below(one, other) || self.purposes.at_or_below(other, one)
    }

    /// Whether a purpose is at or below one of some others.
    pub fn under(&self, purpose: Key, named: &[Key]) -> bool {
        named.iter().any(|&n| self.purposes.at_or_below(purpose, n))
    }
}
