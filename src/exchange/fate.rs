//! What becomes of each leaf of a source: the words for it, and the entries of the loss report.

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::vocabulary::words;

words! {
    /// What became of a leaf of a source, from the least to the most that it may cost.
    Code: "a fate" {
        /// A key of the inventory says the same.
        Carried = "carried",
        /// Kept as a title, a label, a source; nothing is judged by it.
        Label = "label",
        /// Two places say one thing, or one several.
        Merged = "merged",
        /// One name stands for several things.
        Split = "split",
        /// A default was put where the source is silent.
        Assumed = "assumed",
        /// It stands for more than the source says.
        Widened = "widened",
        /// Two places disagree: the one that lets more data flow was taken.
        Conflict = "conflict",
        /// It lets findings go, and was taken over as it is.
        Claimed = "claimed",
        /// An unknown party or system was made.
        Placeholder = "placeholder",
        /// It is not in the result.
        Dropped = "dropped",
        /// A term was mapped by its likeness, and nobody confirmed it.
        Proposed = "proposed",
        /// It stands for less than the source may say.
        Narrowed = "narrowed",
        /// An unknown category or purpose became a key of its own, which no rule knows.
        Extended = "extended",
        /// No rule of the importer looked at it.
        Unread = "unread",
    }
}

words! {
    /// What an entry does to the verdict.
    Effect: "an effect" {
        /// Nothing.
        None = "none",
        /// It can only add findings.
        Adds = "adds",
        /// It can let findings go.
        Loses = "loses",
        /// Either.
        Unknown = "unknown",
    }
}

impl Code {
    /// What it does to the verdict, and whether that concerns a path, so that somebody has to look at it.
    pub fn weight(self) -> (Effect, bool) {
        match self {
            Code::Carried | Code::Label | Code::Merged | Code::Split => (Effect::None, false),
            Code::Assumed | Code::Widened | Code::Conflict => (Effect::Adds, false),
            Code::Placeholder => (Effect::Adds, true),
            Code::Claimed => (Effect::Loses, false),
            Code::Dropped | Code::Narrowed | Code::Extended => (Effect::Loses, true),
            Code::Proposed | Code::Unread => (Effect::Unknown, true),
        }
    }

    /// What became of the leaf, in words.
    pub fn meaning(self) -> &'static str {
        match self {
            Code::Carried => "says the same in the inventory",
            Code::Label => "kept as a title or label",
            Code::Merged => "said more than once",
            Code::Split => "one name for several things",
            Code::Assumed => "assumed where the source is silent",
            Code::Widened => "stands for more than the source says",
            Code::Conflict => "two places disagree; the wider one was taken",
            Code::Claimed => "taken over, and can let findings go",
            Code::Placeholder => "an unknown party or system was made",
            Code::Dropped => "not in the result",
            Code::Proposed => "mapped by likeness and not confirmed",
            Code::Narrowed => "stands for less than the source may say",
            Code::Extended => "became a key of its own, which no rule knows",
            Code::Unread => "not read by this importer",
        }
    }
}

/// Where a leaf stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct At {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The cell of a table, `Sheet!T7`.
    pub cell: Option<String>,
    /// The keys that lead there; the elements of a list go by their own key.
    pub pointer: String,
}

/// Who accepted an entry, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Accepted {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
}

/// What an entry causes in an audit of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Reach {
    /// How many findings pass what it became.
    pub findings: usize,
    /// How many of these are critical.
    pub critical: usize,
    /// How many findings there are only because of it, where that was tried.
    pub alone: Option<usize>,
}

/// One entry of the loss report: all leaves with the same fate, place and value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// It depends on the code, the pointer and the value alone.
    pub id: String,
    /// What became of it.
    pub code: Code,
    /// What that does to the verdict.
    pub effect: Effect,
    /// Whether somebody has to look at it before the result can be trusted.
    pub path_relevant: bool,
    /// The first of its places; none where the source is silent.
    pub at: Option<At>,
    /// How many leaves it is of.
    pub leaves: usize,
    /// What is written there.
    pub value: String,
    /// What it became, by full ids.
    pub became: Vec<String>,
    /// What there is to say of it.
    pub note: Option<String>,
    /// What it causes in an audit of the result.
    pub reach: Option<Reach>,
    /// Who accepted it.
    pub accepted: Option<Accepted>,
}

impl Entry {
    /// Whether it concerns a path and nobody has accepted it.
    pub fn is_open(&self) -> bool {
        self.path_relevant && self.accepted.is_none()
    }
}
