//! The declared world with its references resolved and its defaults applied.
//!
//! Everything is in the order of ids, so that no result depends on how the files
//! are split or ordered.

mod build;
mod counting;
mod flows;
mod ids;

pub use build::build;
pub use counting::{Counting, Scope};
pub use ids::{AgreementId, FlowId, Id, PartyId, SystemId, Table};

use std::ops::Deref;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::bits::LeafSet;
use crate::duration::Duration;
use crate::inventory::{self, Statement, Terms, Waiver};
use crate::source::Span;
use crate::taxonomy::{Key, Tree};
use crate::vocabulary::{Consent, Kind, Onward, Role, Status, Transform};

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
}

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
    /// What it is run for.
    pub purposes: Vec<Key>,
    /// The data that starts here.
    pub originates: LeafSet,
    /// What it makes of data: what goes in, what comes out.
    pub derives: Vec<(LeafSet, LeafSet)>,
    /// Its region, or its party's jurisdiction.
    pub region: Option<String>,
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
    /// For whom the others process.
    pub provider: Option<PartyId>,
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
    pub legal_basis: Option<String>,
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

    /// The party that runs the receiving system.
    pub fn receiver(&self, flow: FlowId) -> PartyId {
        self.systems[self.flows[flow].to].party
    }

    /// Whether the flow goes from one party to another.
    pub fn crosses(&self, flow: FlowId) -> bool {
        self.sender(flow) != self.receiver(flow)
    }

    /// The provider of the processing agreement that a flow runs under, if it does.
    pub fn processing_provider(&self, flow: FlowId) -> Option<PartyId> {
        let agreement = &self.agreements[self.flows[flow].agreement?];
        agreement.provider.filter(|_| agreement.kind == Kind::Processing)
    }

    /// Whether a purpose is at or below one of some others.
    pub fn under(&self, purpose: Key, named: &[Key]) -> bool {
        named.iter().any(|&n| self.purposes.at_or_below(purpose, n))
    }
}
