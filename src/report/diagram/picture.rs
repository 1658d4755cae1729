//! What a picture shows, before anything has a place.

use serde::Serialize;

use crate::base::vocabulary::{Role, Severity, Status};

/// What the boxes and lines of a picture stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Systems within their parties.
    #[default]
    Systems,
    /// Parties alone; a line stands for all that flows between two.
    Overview,
}

/// Parties, systems and what flows between them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Picture {
    /// What it is a picture of, in a few words.
    pub title: String,
    /// What there is to say about it, in a sentence or two.
    pub description: String,
    /// What its boxes and lines stand for.
    pub view: View,
    /// The parties.
    pub parties: Vec<Party>,
    /// The systems; none in an overview.
    pub systems: Vec<System>,
    /// What flows.
    pub edges: Vec<Edge>,
}

/// A party.
#[derive(Debug, Clone, Serialize)]
pub struct Party {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it is to the data, where known.
    pub role: Option<Role>,
    /// Where it is established.
    pub jurisdiction: Option<String>,
    /// How many systems it has.
    pub systems: usize,
    /// Whether data starts at one of its systems.
    pub origin: Origin,
    /// How grave it is that data arrives there, where a new finding says that it must not.
    pub reached: Option<Severity>,
}

/// Whether data starts somewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It comes from elsewhere.
    #[default]
    No,
    /// It must start there, since it is sent from there and comes from nowhere.
    Assumed,
    /// It is declared to start there.
    Declared,
}

/// A system.
#[derive(Debug, Clone, Serialize)]
pub struct System {
    /// `party/system`.
    pub id: String,
    /// Its id within the party.
    pub label: String,
    /// Its party: the place in [`Picture::parties`].
    #[serde(skip)]
    pub party: usize,
    /// What it is called.
    pub title: Option<String>,
    /// What it is run for.
    pub purposes: Vec<String>,
    /// Whether data starts there.
    pub origin: Origin,
    /// How grave it is that data arrives there, where a new finding says that it must not.
    pub reached: Option<Severity>,
}

/// Everything that flows from one system, or party, to another.
#[derive(Debug, Clone, Serialize)]
pub struct Edge {
    /// Names the edge within the picture: both ends with a colon between.
    pub id: String,
    /// Where it starts: a place in [`Picture::systems`], in an overview in
    /// [`Picture::parties`].
    #[serde(skip)]
    pub from: usize,
    /// Where it ends; in an overview this can be where it starts.
    #[serde(skip)]
    pub to: usize,
    /// `party/system` or `party` that it leaves.
    #[serde(rename = "from")]
    pub from_id: String,
    /// `party/system` or `party` that it enters.
    #[serde(rename = "to")]
    pub to_id: String,
    /// What it stands for, in the order of ids.
    pub flows: Vec<Flow>,
    /// What its flows may carry, as the fewest categories.
    pub data: Vec<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// Under which agreements.
    pub agreements: Vec<String>,
    /// The parties at its ends.
    pub parties: Vec<String>,
    /// Where its agreements stand.
    pub statuses: Vec<Status>,
    /// The fingerprints of the findings whose chains use it, whatever their status.
    pub findings: Vec<String>,
    /// The most severe new finding whose chain uses it; without one it is no violation.
    pub severity: Option<Severity>,
}

/// A flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Flow {
    /// Its full id.
    pub id: String,
    /// What it is called.
    pub title: Option<String>,
    /// What it may carry, as the fewest categories.
    pub data: Vec<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// What it runs under.
    pub agreement: Option<String>,
    /// Where that stands.
    pub status: Option<Status>,
}

/// How the agreements of an edge stand, as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something flows now, or under no agreement.
    Current,
    /// All of it is proposed.
    Proposed,
    /// All of it has ended, or some has and the rest is proposed.
    Ended,
}

impl Edge {
    /// How its agreements stand.
    pub fn standing(&self) -> Standing {
        let current = |f: &Flow| matches!(f.status, None | Some(Status::Active));
        if self.flows.iter().any(current) {
            Standing::Current
        } else if self.flows.iter().all(|f| f.status == Some(Status::Proposed)) {
            Standing::Proposed
        } else {
            Standing::Ended
        }
    }

    /// Whether some of it is proposed and some is not.
    pub fn is_mixed(&self) -> bool {
        let proposed = self.flows.iter().filter(|f| f.status == Some(Status::Proposed)).count();
        proposed > 0 && proposed < self.flows.len()
    }
}

impl Picture {
    /// Whether there is nothing to see.
    pub fn is_empty(&self) -> bool {
        self.parties.is_empty()
    }
}

impl Party {
    /// What there is to say below the name: role and jurisdiction.
    pub fn note(&self) -> String {
        let role = self.role.filter(|r| *r != Role::Other).map(|r| r.to_string().replace('_', " "));
        let parts: Vec<String> = role.into_iter().chain(self.jurisdiction.clone()).collect();
        parts.join(" · ")
    }
}
