//! How edits are classed: one row for each key of a declaration. `docs/diff.md`
//! shows this table, and a test holds the two together.

use crate::vocabulary::words;

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
    /// The value is another one, and there is no more or less; or it is said otherwise.
    pub other: Class,
    /// Why.
    pub why: &'static str,
}

const fn row(
    of: Declaration,
    key: &'static str,
    more: Class,
    less: Class,
    other: Class,
    why: &'static str,
) -> Row {
    Row { of, key, more, less, other, why }
}

use Class::{Assertion as A, Both as B, Narrowing as N, Neutral as O, Widening as W};
use Declaration::{Agreement, Flow, Party, Statement, System, Taxonomy, Waiver};

/// What is said of titles, names and the like.
const WORDS: &str = "words for readers";
/// What is said of what only matchers look at.
const MATCHED: &str = "matchers of rules and exceptions look at it";

/// All rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Taxonomy, "added", W, W, W, "broad declarations stand for the new leaf, too"),
    row(Taxonomy, "removed", N, N, N, "nothing can name it any more"),
    row(Party, "added", O, O, O, "nothing moves by it alone"),
    row(Party, "removed", N, N, N, "its flows are gone with it"),
    row(Party, "name", O, O, O, WORDS),
    row(Party, "role", A, A, A, "rules look for roles"),
    row(Party, "jurisdiction", A, A, A, MATCHED),
    row(Party, "affiliate_of", A, A, A, "within a group data is not passed on"),
    row(Party, "contact", O, O, O, WORDS),
    row(Party, "dpo", O, O, O, WORDS),
    row(Party, "representative", O, O, O, WORDS),
    row(System, "added", O, O, O, "nothing moves by it alone; what it originates and derives has its own rows"),
    row(System, "removed", N, N, N, "its flows are gone with it"),
    row(System, "purposes", W, A, O, "more purposes are more use; fewer are a claim about use"),
    row(System, "originates", W, A, O, "more data starts here; less is a claim that it does not"),
    row(System, "derives", W, A, O, "more data comes about; less is a claim that it does not"),
    row(System, "retention", W, N, O, "how long data stays"),
    row(System, "region", A, A, A, MATCHED),
    row(System, "subjects", O, O, O, "a number for readers"),
    row(System, "tags", A, A, A, MATCHED),
    row(Agreement, "added", O, O, O, "its flows have their own rows"),
    row(Agreement, "removed", N, N, N, "its flows are gone with it"),
    row(Agreement, "kind", A, W, O, "a processor is no third party: processing is the claim"),
    row(Agreement, "provider", A, A, A, "for whom the others process is a claim"),
    row(Agreement, "status", W, N, O, "into force, or out of force"),
    row(Agreement, "parties", A, N, O, "whoever is a party is no outsider to the terms"),
    row(Agreement, "effective.from", N, W, O, "later is shorter"),
    row(Agreement, "effective.until", W, N, O, "later is longer"),
    row(Agreement, "disposed", A, W, A, "deleted data does not count"),
    row(Agreement, "legal_basis", A, A, A, MATCHED),
    row(Agreement, "assurances", A, W, A, "attested, not shown"),
    row(Agreement, "terms.purposes", W, N, O, "what receivers may use it for; absent is not limited"),
    row(Agreement, "terms.prohibited_purposes", N, W, O, "what receivers may not use it for"),
    row(Agreement, "terms.onward_transfer", W, N, O, "to whom receivers may pass it on"),
    row(Agreement, "terms.onward_to", W, N, O, "to whom besides"),
    row(Agreement, "terms.retention", W, N, O, "how long receivers may keep it; absent is not limited"),
    row(Agreement, "terms.consent", N, W, O, "the least consent asked for"),
    row(Agreement, "terms.safeguards", N, W, O, "what must protect it"),
    row(Agreement, "terms.released_by", A, N, O, "after these transforms the terms no longer follow"),
    row(Agreement, "terms.clauses", O, O, O, "the contract's words, quoted"),
    row(Flow, "added", W, W, W, "more moves"),
    row(Flow, "removed", N, N, N, "less moves"),
    row(Flow, "from", B, B, B, "it leaves elsewhere"),
    row(Flow, "to", B, B, B, "it arrives elsewhere"),
    row(Flow, "data", W, N, O, "what it may carry"),
    row(Flow, "purposes", W, N, O, "what it moves for; absent: what the receiving system is run for"),
    row(Flow, "consent", A, W, O, "said to be in place"),
    row(Flow, "transform", A, W, O, "said to be done to the data; stronger is the claim"),
    row(Flow, "only_from", W, A, O, "whose data alone it is said to carry; absent is everybody's"),
    row(Flow, "safeguards", N, W, O, "what protects it"),
    row(Flow, "retention", W, N, O, "how long the receiver keeps it"),
    row(Flow, "effective.from", N, W, O, "later is shorter"),
    row(Flow, "effective.until", W, N, O, "later is longer"),
    row(Flow, "disposed", A, W, A, "deleted data does not count"),
    row(Flow, "legal_basis", A, A, A, MATCHED),
    row(Flow, "tags", A, A, A, MATCHED),
    row(Flow, "terms.purposes", W, N, O, "as in the agreement"),
    row(Flow, "terms.prohibited_purposes", N, W, O, "as in the agreement"),
    row(Flow, "terms.onward_transfer", W, N, O, "as in the agreement"),
    row(Flow, "terms.onward_to", W, N, O, "as in the agreement"),
    row(Flow, "terms.retention", W, N, O, "as in the agreement"),
    row(Flow, "terms.consent", N, W, O, "as in the agreement"),
    row(Flow, "terms.safeguards", N, W, O, "as in the agreement"),
    row(Flow, "terms.released_by", A, N, O, "as in the agreement"),
    row(Flow, "terms.clauses", O, O, O, "as in the agreement"),
    row(Statement, "added", N, N, N, "a further promise forbids more"),
    row(Statement, "removed", W, W, W, "what it ruled out is no longer ruled out"),
    row(Statement, "by", O, O, O, WORDS),
    row(Statement, "said", O, O, O, WORDS),
    row(Statement, "severity", O, A, O, "a lower one may no longer fail"),
    row(Statement, "promise", B, B, B, "what is ruled out is another thing"),
    row(Waiver, "added", A, A, A, "it accepts a finding"),
    row(Waiver, "removed", N, N, N, "a finding is no longer accepted"),
    row(Waiver, "data", A, N, O, "it accepts more; absent is any"),
    row(Waiver, "agreements", A, N, O, "it accepts more; absent is any"),
    row(Waiver, "expires", A, N, O, "it accepts longer"),
    row(Waiver, "reason", O, O, O, WORDS),
    row(Waiver, "approved_by", O, O, O, WORDS),
    row(Waiver, "ticket", O, O, O, WORDS),
    row(Party, "title", O, O, O, WORDS),
    row(Party, "labels", O, O, O, WORDS),
    row(Party, "source", O, O, O, WORDS),
    row(Party, "basis", O, O, O, WORDS),
    row(System, "title", O, O, O, WORDS),
    row(System, "labels", O, O, O, WORDS),
    row(System, "source", O, O, O, WORDS),
    row(System, "basis", O, O, O, WORDS),
    row(Agreement, "title", O, O, O, WORDS),
    row(Agreement, "labels", O, O, O, WORDS),
    row(Agreement, "source", O, O, O, WORDS),
    row(Agreement, "basis", O, O, O, WORDS),
    row(Flow, "title", O, O, O, WORDS),
    row(Flow, "labels", O, O, O, WORDS),
    row(Flow, "source", O, O, O, WORDS),
    row(Flow, "basis", O, O, O, WORDS),
    row(Statement, "title", O, O, O, WORDS),
    row(Statement, "labels", O, O, O, WORDS),
    row(Statement, "source", O, O, O, WORDS),
    row(Statement, "basis", O, O, O, WORDS),
];

/// The row of a key.
pub fn find(of: Declaration, key: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.of == of && row.key == key)
}
