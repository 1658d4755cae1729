//! What a page shows of findings: groups of cards, and chains.

use serde::Serialize;

use super::names::System;
use crate::base::vocabulary::Severity;

/// All findings of one rule.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Where on the page.
    pub anchor: String,
    /// The rule's id.
    pub rule: String,
    /// The rule in a few words.
    pub title: String,
    /// How grave.
    pub severity: Severity,
    /// Where the rule comes from, with its legal standing.
    pub standing: String,
    /// How many findings, those that only follow included.
    pub size: usize,
    /// `7 findings, 14 more follow from them`.
    pub number: String,
    /// When the rule is broken, as a sentence.
    pub violated: Option<String>,
    /// The promise, rule or term broken, where it is the same for all.
    pub quote: Option<Quote>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// What it rests on.
    pub cite: Vec<String>,
    /// The findings, each with those that follow from it.
    pub cards: Vec<Card>,
    /// How many are not written out here.
    pub left_out: usize,
    /// All of it on paper, where each finding takes a few words.
    pub paper: String,
    /// It is the first of its rule on the page: it says why the rule is there and what it rests on.
    pub explains: bool,
}

/// The words that are broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// What they are: `Promise`, `Term`, `Rule`.
    pub what: &'static str,
    /// The words.
    pub text: String,
    /// They are somebody's, word for word.
    pub verbatim: bool,
    /// Whose.
    pub by: Option<String>,
    /// Where they are written.
    pub place: Option<String>,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct Card {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Where on the page.
    pub anchor: String,
    /// Where the data comes from.
    pub from: Option<System>,
    /// Where it ends up.
    pub to: Option<System>,
    /// What it is about otherwise: a flow, an agreement.
    pub about: String,
    /// `new`, `grown`, `known`, `waived`.
    pub status: &'static str,
    /// What there is to know of its standing.
    pub marks: Vec<Mark>,
    /// What happened, where the ends and the data do not say it.
    pub message: Option<String>,
    /// The data.
    pub data: String,
    /// As what it arrives, if that is something else.
    pub arrives: Option<String>,
    /// What the receiver works out from it.
    pub becomes: Option<String>,
    /// The chains.
    pub walks: Vec<Walk>,
    /// More chains, a line each.
    pub lines: Vec<String>,
    /// How many chains are not shown.
    pub more_walks: usize,
    /// The words broken, where they differ within the group.
    pub quote: Option<Quote>,
    /// Where it is declared.
    pub place: Option<String>,
    /// The flows of all its chains, by number.
    pub flows: Vec<usize>,
    /// The categories of its data, as declared.
    pub keys: Vec<usize>,
    /// The systems at its ends, by number.
    pub systems: Vec<usize>,
    /// The parties at its ends, by number.
    pub parties: Vec<usize>,
    /// The agreements concerned, by number.
    pub agreements: Vec<usize>,
    /// It is there only through proposed agreements.
    pub prospective: bool,
    /// Its neighbourhood as a picture, where the page's diagram shows parties only.
    pub around: Option<String>,
    /// Those that follow from it.
    pub folded: Vec<Card>,
}

/// A word and what it means.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// The word.
    pub word: &'static str,
    /// What it means here.
    pub text: String,
}

/// One chain.
#[derive(Debug, Serialize)]
pub struct Walk {
    /// Which of several.
    pub label: Option<String>,
    /// It goes on from where the chain of the finding above ends.
    pub goes_on: bool,
    /// Where it starts.
    pub start: System,
    /// The flows, in order.
    pub hops: Vec<Step>,
}

/// One flow of a chain.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The flow's number.
    pub flow: Option<usize>,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// Under what it runs: an agreement's id.
    pub agreement: Option<String>,
    /// How firm that is, if there is anything to say; or that there is none, or none needed.
    pub standing: Option<String>,
    /// How firm the flow is, as a picture has it.
    pub marks: Vec<&'static str>,
    /// What the data is there, if that is not what it was on the flow before.
    pub data: Option<String>,
    /// What for.
    pub purposes: String,
    /// Where it is declared.
    pub place: String,
    /// Where it leads.
    pub to: System,
}
