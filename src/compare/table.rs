//! How edits are classed: one row for each key of a declaration. `docs/use/diff.md`
//! shows this table, and a test holds the two together.

use crate::base::vocabulary::words;

words! {
    /// What an edit does to what may move.
    Class: "a class of edits" {
        /// More may move, to more places, for more purposes, or longer.
        Widening = "widening",
        /// It removes findings by claim alone.
        Assertion = "assertion",
        /// Some of it widens, some of it narrows.
        Both = "both",
        /// Less may move, to fewer places, for fewer purposes, or shorter.
        Narrowing = "narrowing",
        /// Neither.
        Neutral = "neutral",
    }
}
words! {
    /// What is edited.
    Declaration: "a declaration" {
        /// A data category or purpose that the inventory adds.
        Taxonomy = "taxonomy",
        /// A party.
        Party = "party",
        /// A system.
        System = "system",
        /// An agreement.
        Agreement = "agreement",
        /// A flow, with what it takes from its agreement's defaults.
        Flow = "flow",
        /// A public promise.
        Statement = "statement",
        /// An accepted finding.
        Waiver = "waiver",
    }
}

words! {
    /// What can look at a key.
    Reader: "a reader of keys" {
        /// No rule can: it is there for people.
        People = "people",
        /// A `require` can ask for it, nothing else looks at it.
        Require = "a `require`",
        /// Matchers, terms or the checks of flows.
        Rules = "rules",
    }
}

impl Class {
    /// Whether `--fail-on-widening` gates on it.
    pub fn gates(self) -> bool {
        matches!(self, Class::Widening | Class::Both | Class::Assertion)
    }

    /// What two parts of one edit come to: a claim outweighs, else they may be both.
    pub fn with(self, other: Class) -> Class {
        match (self, other) {
            (a, b) if a == b => a,
            (Class::Assertion, _) | (_, Class::Assertion) => Class::Assertion,
            (Class::Neutral, other) | (other, Class::Neutral) => other,
            _ => Class::Both,
        }
    }
}

/// How the edits of one key are classed.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Of which declarations.
    pub of: Declaration,
    /// The key; `added` and `removed` stand for the whole declaration.
    pub key: &'static str,
    /// The value says more, is longer, is higher in its order, or is stated now.
    pub more: Class,
    /// The value says less.
    pub less: Class,
    /// The value is another one, and there is no more or less.
    pub other: Class,
    /// What can look at it. Where only a `require` can, an edit is an assertion if a rule in force
    /// asks for the key, and neutral otherwise.
    pub reader: Reader,
    /// Why.
    pub why: &'static str,
}

const fn row(
    of: Declaration,
    key: &'static str,
    [more, less, other]: [Class; 3],
    reader: Reader,
    why: &'static str,
) -> Row {
    Row { of, key, more, less, other, reader, why }
}

use Class::{Assertion as A, Both as B, Narrowing as N, Neutral as O, Widening as W};
use Declaration::{Agreement, Flow, Party, Statement, System, Taxonomy, Waiver};
use Reader::{People, Require, Rules};

/// What is said of what only people read, and a `require` may ask for.
const WORDS: &str = "words for readers; an assertion if a rule in force asks for it";
/// What is said of what nothing can ask for.
const TEXT: &str = "words for readers";
/// What is said of what a promise states besides its rule.
const GIVEN: &str = "a promise was given in these words by this party: another one was not";
/// What is said of what a waiver states besides its finding.
const APPROVED: &str = "an approval is of what it says: of something else there is none";
/// What is said of what matchers look at.
const MATCHED: &str = "matchers of rules and exceptions look at it";

/// All rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Taxonomy, "added", [W, W, W], Rules, "broad declarations stand for the new leaf, too"),
    row(Taxonomy, "removed", [N, N, N], Rules, "nothing can name it any more"),
    row(Taxonomy, "title", [O, O, O], People, TEXT),
    row(Taxonomy, "aka", [O, O, O], People, "its names in other vocabularies"),
    row(Party, "added", [O, O, O], People, "nothing moves by it alone"),
    row(Party, "removed", [N, N, N], Rules, "its flows are gone with it"),
    row(Party, "renamed", [O, O, A], Rules, "the same under another id; an assertion if a rule or waiver can tell the two apart"),
    row(Party, "name", [O, O, O], Require, WORDS),
    row(Party, "role", [A, A, A], Rules, "rules look for roles"),
    row(Party, "jurisdiction", [A, A, A], Rules, MATCHED),
    row(Party, "affiliate_of", [A, A, A], Rules, "within a group data is not passed on"),
    row(Party, "contact", [O, O, O], Require, WORDS),
    row(Party, "dpo", [O, O, O], Require, WORDS),
    row(Party, "representative", [O, O, O], Require, WORDS),
    row(Party, "title", [O, O, O], Require, WORDS),
    row(Party, "labels", [A, A, A], Rules, MATCHED),
    row(Party, "source", [O, O, O], Require, WORDS),
    row(Party, "basis", [O, O, O], Require, WORDS),
    row(System, "added", [O, O, O], People, "nothing moves by it alone; what it originates and derives has its own rows"),
    row(System, "removed", [N, N, N], Rules, "its flows are gone with it"),
    row(System, "renamed", [O, O, A], Rules, "as of a party"),
    row(System, "purposes", [W, A, A], Rules, "more purposes are more use; fewer are a claim about use"),
    row(System, "originates", [W, A, A], Rules, "more data starts here; less is a claim that it does not"),
    row(System, "derives", [W, A, A], Rules, "more data comes about; less is a claim that it does not"),
    row(System, "retention", [W, A, A], Rules, "how long data stays; shorter is a claim that it is deleted"),
    row(System, "controller", [A, A, A], Rules, "whose data starts there is a claim"),
    row(System, "region", [A, A, A], Rules, MATCHED),
    row(System, "subjects", [O, O, O], Require, "a number for readers; an assertion if a rule in force asks for it"),
    row(System, "tags", [A, A, A], Rules, MATCHED),
    row(System, "title", [O, O, O], Require, WORDS),
    row(System, "labels", [A, A, A], Rules, MATCHED),
    row(System, "source", [O, O, O], Require, WORDS),
    row(System, "basis", [O, O, O], Require, WORDS),
    row(Agreement, "added", [O, O, O], People, "its flows have their own rows"),
    row(Agreement, "removed", [N, N, N], Rules, "its flows are gone with it"),
    row(Agreement, "renamed", [O, O, A], Rules, "as of a party"),
    row(Agreement, "kind", [A, W, A], Rules, "a processor is no third party: processing is the claim"),
    row(Agreement, "provider", [A, A, A], Rules, "for whom the others process is a claim"),
    row(Agreement, "status", [W, A, A], Rules, "its flows come to count, or come into force; out of either, or another word, is a claim"),
    row(Agreement, "parties", [A, N, A], Rules, "whoever is a party is no outsider to the terms"),
    row(Agreement, "effective.from", [A, W, A], Rules, "later is a claim that nothing moved before"),
    row(Agreement, "effective.until", [W, A, A], Rules, "later is longer; earlier is a claim that nothing moves after"),
    row(Agreement, "disposed", [A, W, A], Rules, "deleted data does not count"),
    row(Agreement, "legal_basis", [A, A, A], Rules, MATCHED),
    row(Agreement, "assurances", [A, W, A], Rules, "attested, not shown"),
    row(Agreement, "terms.purposes", [W, N, B], Rules, "what receivers may use it for; absent is not limited"),
    row(Agreement, "terms.prohibited_purposes", [N, W, B], Rules, "what receivers may not use it for"),
    row(Agreement, "terms.onward_transfer", [A, N, A], Rules, "to whom receivers may pass it on; more is said to be allowed"),
    row(Agreement, "terms.onward_to", [A, N, A], Rules, "to whom besides; more is said to be allowed"),
    row(Agreement, "terms.retention", [W, N, B], Rules, "how long receivers may keep it; absent is not limited"),
    row(Agreement, "terms.consent", [N, W, B], Rules, "the least consent asked for"),
    row(Agreement, "terms.safeguards", [N, W, B], Rules, "what must protect it"),
    row(Agreement, "terms.released_by", [A, N, A], Rules, "after these transforms the terms no longer follow"),
    row(Agreement, "terms.clauses", [O, A, A], People, "the contract's words, quoted; other words, or none, are another contract"),
    row(Agreement, "title", [O, O, O], Require, WORDS),
    row(Agreement, "labels", [A, A, A], Rules, MATCHED),
    row(Agreement, "source", [O, O, O], Require, WORDS),
    row(Agreement, "basis", [O, O, O], Require, WORDS),
    row(Flow, "added", [W, W, W], Rules, "more moves"),
    row(Flow, "removed", [N, N, N], Rules, "less moves"),
    row(Flow, "renamed", [O, O, A], Rules, "as of a party"),
    row(Flow, "from", [B, B, B], Rules, "it leaves elsewhere"),
    row(Flow, "to", [B, B, B], Rules, "it arrives elsewhere"),
    row(Flow, "data", [W, N, B], Rules, "what it may carry"),
    row(Flow, "purposes", [W, N, B], Rules, "what it moves for; absent: what the receiving system is run for"),
    row(Flow, "consent", [A, W, A], Rules, "said to be in place"),
    row(Flow, "transform", [A, W, A], Rules, "said to be done to the data; stronger is the claim"),
    row(Flow, "only_from", [W, A, A], Rules, "whose data alone it is said to carry; absent is everybody's"),
    row(Flow, "safeguards", [A, W, A], Rules, "said to protect it"),
    row(Flow, "retention", [W, A, A], Rules, "how long the receiver keeps it; shorter is a claim that it is deleted"),
    row(Flow, "effective.from", [A, W, A], Rules, "later is a claim that nothing moved before"),
    row(Flow, "effective.until", [W, A, A], Rules, "later is longer; earlier is a claim that nothing moves after"),
    row(Flow, "disposed", [A, W, A], Rules, "deleted data does not count"),
    row(Flow, "legal_basis", [A, A, A], Rules, MATCHED),
    row(Flow, "tags", [A, A, A], Rules, MATCHED),
    row(Flow, "assurances", [A, W, A], Rules, "attested, not shown"),
    row(Flow, "terms.purposes", [W, N, B], Rules, "as in the agreement"),
    row(Flow, "terms.prohibited_purposes", [N, W, B], Rules, "as in the agreement"),
    row(Flow, "terms.onward_transfer", [A, N, A], Rules, "as in the agreement"),
    row(Flow, "terms.onward_to", [A, N, A], Rules, "as in the agreement"),
    row(Flow, "terms.retention", [W, N, B], Rules, "as in the agreement"),
    row(Flow, "terms.consent", [N, W, B], Rules, "as in the agreement"),
    row(Flow, "terms.safeguards", [N, W, B], Rules, "as in the agreement"),
    row(Flow, "terms.released_by", [A, N, A], Rules, "as in the agreement"),
    row(Flow, "terms.clauses", [O, A, A], People, "as in the agreement"),
    row(Flow, "title", [O, O, O], Require, WORDS),
    row(Flow, "labels", [A, A, A], Rules, MATCHED),
    row(Flow, "source", [O, O, O], Require, WORDS),
    row(Flow, "basis", [O, O, O], Require, WORDS),
    row(Statement, "added", [N, N, N], Rules, "a further promise forbids more"),
    row(Statement, "removed", [W, W, W], Rules, "what it ruled out is no longer ruled out"),
    row(Statement, "by", [A, A, A], People, GIVEN),
    row(Statement, "said", [A, A, A], People, GIVEN),
    row(Statement, "severity", [N, A, A], Rules, "a lower one may no longer fail"),
    row(Statement, "promise", [B, B, B], Rules, "what is ruled out is another thing"),
    row(Statement, "title", [A, A, A], People, GIVEN),
    row(Statement, "labels", [A, A, A], People, GIVEN),
    row(Statement, "source", [A, A, A], People, GIVEN),
    row(Statement, "basis", [A, A, A], People, GIVEN),
    row(Waiver, "added", [A, A, A], Rules, "it accepts a finding"),
    row(Waiver, "removed", [N, N, N], Rules, "a finding is no longer accepted"),
    row(Waiver, "data", [A, N, A], Rules, "it accepts more; absent is any"),
    row(Waiver, "agreements", [A, N, A], Rules, "it accepts more; absent is any"),
    row(Waiver, "expires", [A, N, A], Rules, "it accepts longer"),
    row(Waiver, "reason", [A, A, A], People, APPROVED),
    row(Waiver, "approved_by", [A, A, A], People, APPROVED),
    row(Waiver, "ticket", [A, A, A], People, APPROVED),
];

/// The row of a key.
pub fn find(of: Declaration, key: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.of == of && row.key == key)
}
