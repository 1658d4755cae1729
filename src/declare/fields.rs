//! The keys of declarations: one entry says what the values of a key are, so that a `require` can
//! ask for it, and how an edit of it is classed, so that `diff` can gate on it. What a key comes
//! to stands in [`crate::model::fields`]. `docs/use/diff.md` shows the classes, and tests hold this
//! table against what the readers of declarations know.

use crate::base::vocabulary::{self, Basis, Consent, Kind, Onward, Role, Status, Transform, words};

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

/// What the values of a field are.
#[derive(Debug, Clone, Copy)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// Codes of places.
    Place,
    /// One of these words; whether their order counts.
    Word(fn() -> Vec<&'static str>, bool),
    /// A duration.
    Duration,
    /// A day.
    Date,
    /// A number.
    Count,
    /// Data categories.
    Data,
    /// Purposes.
    Purpose,
    /// What the parties attest, by id.
    Assurances,
    /// A map: only its presence can be asked.
    Map,
}

/// Whether a key is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It may be left out.
    Optional,
    /// Where it is left out, a word holds in its place.
    Default,
    /// It cannot be left out.
    Required,
}

/// How edits of a key are classed.
#[derive(Debug, Clone, Copy)]
pub struct Classes {
    /// The value says more, is longer, is higher in its order, or is stated now.
    pub more: Class,
    /// The value says less.
    pub less: Class,
    /// The value is another one, and there is no more or less.
    pub other: Class,
    /// Why.
    pub why: &'static str,
}

/// What a declaration that does not state a key stands for. A new declaration that says something
/// else opens or claims something: the edit is shown beside the declaration itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unstated {
    /// No values.
    Nothing,
    /// Any value.
    Anything,
    /// The first word of its order.
    Lowest,
    /// These values.
    Only(&'static str),
}

/// A key of some sorts of declarations.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Of which declarations.
    pub of: &'static [Declaration],
    /// Its dotted path; `added`, `removed` and `renamed` stand for the whole declaration.
    pub key: &'static str,
    /// What its values are, if a `require` can ask for them.
    pub kind: Option<FieldKind>,
    /// Whether it is always there.
    pub presence: Presence,
    /// The classes of its edits; `None`: it is compared as part of the key above it.
    pub classes: Option<Classes>,
    /// Whether matchers, terms or checks look at it. Where only a `require` can, an edit is an
    /// assertion if a rule in force asks for the key, and neutral otherwise.
    pub judged: bool,
    /// What a new declaration without it stands for, if stating it opens or claims something.
    pub unstated: Option<Unstated>,
}

impl Field {
    /// What can look at it.
    pub fn reader(&self) -> Reader {
        match self.kind {
            _ if self.judged => Reader::Rules,
            Some(_) => Reader::Require,
            None => Reader::People,
        }
    }

    const fn edits(mut self, [more, less, other]: [Class; 3], why: &'static str) -> Self {
        self.classes = Some(Classes { more, less, other, why });
        self
    }

    const fn judged(mut self, classes: [Class; 3], why: &'static str) -> Self {
        self.judged = true;
        self.edits(classes, why)
    }

    const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    const fn defaults(mut self) -> Self {
        self.presence = Presence::Default;
        self
    }

    const fn unstated(mut self, unstated: Unstated) -> Self {
        self.unstated = Some(unstated);
        self
    }
}

/// A key for which a `require` can ask.
const fn asked(of: &'static [Declaration], key: &'static str, kind: FieldKind) -> Field {
    Field { kind: Some(kind), ..unasked(of, key) }
}

/// A key for which nothing can ask, or a whole declaration.
const fn unasked(of: &'static [Declaration], key: &'static str) -> Field {
    let presence = Presence::Optional;
    Field { of, key, kind: None, presence, classes: None, judged: false, unstated: None }
}

fn all<W: vocabulary::Word>() -> Vec<&'static str> {
    W::ALL.iter().map(|w| w.word()).collect()
}

/// A word of a vocabulary without an order.
const fn word<W: vocabulary::Word>() -> FieldKind {
    Word(all::<W>, false)
}

/// A word of a vocabulary with an order.
const fn rank<W: vocabulary::Word>() -> FieldKind {
    Word(all::<W>, true)
}

use Class::{Assertion as A, Both as B, Narrowing as N, Neutral as O, Widening as W};
use FieldKind::{Assurances, Count, Data, Date, Duration, Map, Place, Purpose, Text, Word};
use Unstated::{Anything, Lowest, Nothing, Only};

const TAXONOMY: &[Declaration] = &[Declaration::Taxonomy];
const PARTY: &[Declaration] = &[Declaration::Party];
const SYSTEM: &[Declaration] = &[Declaration::System];
const AGREEMENT: &[Declaration] = &[Declaration::Agreement];
const FLOW: &[Declaration] = &[Declaration::Flow];
const STATEMENT: &[Declaration] = &[Declaration::Statement];
const WAIVER: &[Declaration] = &[Declaration::Waiver];
/// What belongs to a party, or is one.
const PLACES: &[Declaration] = &[Declaration::Party, Declaration::System];
/// What has terms and dates.
const SHARING: &[Declaration] = &[Declaration::Agreement, Declaration::Flow];
const ALL: &[Declaration] =
    &[Declaration::Party, Declaration::System, Declaration::Agreement, Declaration::Flow];

/// What is said of what only people read, and a `require` may ask for.
const WORDS: &str = "words for readers; an assertion if a rule in force asks for it";
/// What is said of what nothing can ask for.
const TEXT: &str = "words for readers";
/// What is said of what a promise states besides its rule.
const GIVEN: &str = "a promise was given in these words by this party: another one was not";
/// What is said of what a waiver states besides its finding.
const APPROVED: &str = "an approval is of what it says: of something else there is none";
/// What is said of how much a waiver accepts.
const MORE: &str = "it accepts more; absent is any";
/// What is said of what matchers look at.
const MATCHED: &str = "matchers of rules and exceptions look at it";

/// All keys.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    unasked(TAXONOMY, "added").judged([W, W, W], "broad declarations stand for the new leaf, too"),
    unasked(TAXONOMY, "removed").judged([N, N, N], "nothing can name it any more"),
    unasked(TAXONOMY, "title").edits([O, O, O], TEXT),
    unasked(TAXONOMY, "aka").edits([O, O, O], "its names in other vocabularies"),
    unasked(TAXONOMY, "identifying").judged([W, A, A], "what is derived into it is re-identified, so that no transform before exempts it; to leave it out is a claim that nobody is"),

    unasked(PLACES, "added").edits([O, O, O], "nothing moves by it alone; what a system originates and derives has its own rows"),
    unasked(AGREEMENT, "added").edits([O, O, O], "its flows have their own rows"),
    unasked(FLOW, "added").judged([W, W, W], "more moves"),
    unasked(ALL, "removed").judged([N, N, N], "less moves: its flows are gone with it"),
    unasked(ALL, "renamed").judged([O, O, A], "the same under another id; an assertion if a rule or waiver can tell the two apart"),
    asked(ALL, "id", Text).required(),
    asked(ALL, "title", Text).edits([O, O, O], WORDS),
    asked(ALL, "labels", Text).judged([A, A, A], MATCHED),
    asked(ALL, "source", Map).edits([O, O, O], WORDS),
    asked(ALL, "source.title", Text),
    asked(ALL, "source.url", Text),
    asked(ALL, "source.date", Date),
    asked(ALL, "basis", word::<Basis>()).edits([O, O, O], WORDS),

    asked(PARTY, "name", Text).required().edits([O, O, O], WORDS),
    asked(PARTY, "role", word::<Role>()).defaults().judged([A, A, A], "rules look for roles"),
    asked(PARTY, "jurisdiction", Place).judged([A, A, A], MATCHED),
    asked(PARTY, "affiliate_of", Text).judged([A, A, A], "within a group data is not passed on").unstated(Anything),
    asked(PARTY, "contact", Text).edits([O, O, O], WORDS),
    asked(PARTY, "dpo", Text).edits([O, O, O], WORDS),
    asked(PARTY, "representative", Text).edits([O, O, O], WORDS),
    asked(PARTY, "systems", Text),

    asked(SYSTEM, "party", Text).required(),
    asked(SYSTEM, "purposes", Purpose).judged([W, A, A], "more purposes are more use; fewer are a claim about use"),
    asked(SYSTEM, "originates", Data).judged([W, A, A], "more data starts here; less is a claim that it does not").unstated(Nothing),
    asked(SYSTEM, "derives", Map).judged([W, A, A], "more data comes about; less is a claim that it does not").unstated(Nothing),
    asked(SYSTEM, "retention", Duration).judged([W, A, A], "how long data stays; shorter is a claim that it is deleted"),
    asked(SYSTEM, "controller", Text).judged([A, A, A], "whose data starts there is a claim").unstated(Anything),
    asked(SYSTEM, "region", Place).judged([A, A, A], MATCHED),
    asked(SYSTEM, "subjects", Count).edits([O, O, O], "a number for readers; an assertion if a rule in force asks for it"),
    asked(SYSTEM, "tags", Text).judged([A, A, A], MATCHED),

    asked(AGREEMENT, "kind", word::<Kind>()).defaults().judged([A, W, A], "a processor is no third party: processing is the claim").unstated(Lowest),
    asked(AGREEMENT, "provider", Text).judged([A, A, A], "for whom the others process is a claim"),
    asked(AGREEMENT, "status", word::<Status>()).defaults().judged([W, A, A], "its flows come to count, or come into force; out of either, or another word, is a claim"),
    asked(AGREEMENT, "parties", Text).required().judged([A, N, A], "whoever is a party is no outsider to the terms"),

    asked(FLOW, "from", Text).required().judged([B, B, B], "it leaves elsewhere"),
    asked(FLOW, "to", Text).required().judged([B, B, B], "it arrives elsewhere"),
    asked(FLOW, "data", Data).judged([W, N, B], "what it may carry"),
    asked(FLOW, "purposes", Purpose).judged([W, N, B], "what it moves for; absent: what the receiving system is run for"),
    asked(FLOW, "consent", rank::<Consent>()).defaults().judged([A, W, A], "said to be in place").unstated(Lowest),
    asked(FLOW, "transform", word::<Transform>()).defaults().judged([A, W, A], "said to be done to the data; stronger is the claim").unstated(Lowest),
    asked(FLOW, "only_from", Text).judged([W, A, A], "whose data alone it is said to carry; absent is everybody's").unstated(Anything),
    asked(FLOW, "safeguards", Text).judged([A, W, A], "said to protect it"),
    asked(FLOW, "retention", Duration).judged([W, A, A], "how long the receiver keeps it; shorter is a claim that it is deleted"),
    asked(FLOW, "tags", Text).judged([A, A, A], MATCHED),
    asked(FLOW, "essential", Word(|| vec!["false", "true"], false)).defaults().edits([O, O, O], "what a repair may cut; an assertion if a rule in force asks for it"),
    asked(FLOW, "agreement", Text),

    asked(SHARING, "effective", Map),
    asked(SHARING, "effective.from", Date).judged([A, W, A], "later is a claim that nothing moved before"),
    asked(SHARING, "effective.until", Date).judged([W, A, A], "later is longer; earlier is a claim that nothing moves after"),
    asked(SHARING, "disposed", Map).judged([A, W, A], "deleted data does not count").unstated(Lowest),
    asked(SHARING, "disposed.date", Date),
    asked(SHARING, "disposed.evidence", Text),
    asked(SHARING, "legal_basis", Text).judged([A, A, A], MATCHED),
    asked(AGREEMENT, "assurances", Assurances).judged([A, W, A], "attested, not shown").unstated(Nothing),
    unasked(FLOW, "assurances").judged([A, W, A], "attested, not shown").unstated(Nothing),
    asked(SHARING, "terms.purposes", Purpose).judged([W, N, B], "what receivers may use it for; absent is not limited"),
    asked(SHARING, "terms.prohibited_purposes", Purpose).judged([N, W, B], "what receivers may not use it for"),
    asked(SHARING, "terms.onward_transfer", rank::<Onward>()).defaults().judged([A, N, A], "to whom receivers may pass it on; more is said to be allowed").unstated(Lowest),
    asked(SHARING, "terms.onward_to", Text).judged([A, N, A], "to whom besides; more is said to be allowed").unstated(Nothing),
    asked(SHARING, "terms.retention", Duration).judged([W, N, B], "how long receivers may keep it; absent is not limited"),
    asked(SHARING, "terms.consent", rank::<Consent>()).defaults().judged([N, W, B], "the least consent asked for"),
    asked(SHARING, "terms.safeguards", Text).judged([N, W, B], "what must protect it"),
    asked(SHARING, "terms.released_by", word::<Transform>()).judged([A, N, A], "after these transforms the terms no longer follow").unstated(Only("anonymised")),
    unasked(SHARING, "terms.clauses").edits([O, A, A], "the contract's words, quoted; other words, or none, are another contract"),

    unasked(STATEMENT, "added").judged([N, N, N], "a further promise forbids more"),
    unasked(STATEMENT, "removed").judged([W, W, W], "what it ruled out is no longer ruled out"),
    unasked(STATEMENT, "by").edits([A, A, A], GIVEN),
    unasked(STATEMENT, "said").edits([A, A, A], GIVEN),
    unasked(STATEMENT, "severity").judged([N, A, A], "a lower one may no longer fail"),
    unasked(STATEMENT, "promise").judged([B, B, B], "what is ruled out is another thing"),
    unasked(STATEMENT, "title").edits([A, A, A], GIVEN),
    unasked(STATEMENT, "labels").edits([A, A, A], GIVEN),
    unasked(STATEMENT, "source").edits([A, A, A], GIVEN),
    unasked(STATEMENT, "basis").edits([A, A, A], GIVEN),

    unasked(WAIVER, "added").judged([A, A, A], "it accepts a finding"),
    unasked(WAIVER, "removed").judged([N, N, N], "a finding is no longer accepted"),
    unasked(WAIVER, "data").judged([A, N, A], MORE),
    unasked(WAIVER, "arrives_as").judged([A, N, A], MORE),
    unasked(WAIVER, "agreements").judged([A, N, A], MORE),
    unasked(WAIVER, "origins").judged([A, N, A], MORE),
    unasked(WAIVER, "severity").judged([A, N, A], "it accepts what is more severe; absent is any"),
    unasked(WAIVER, "prospective").judged([A, N, A], "it accepts what is in force; absent is any"),
    unasked(WAIVER, "expires").judged([A, N, A], "it accepts longer"),
    unasked(WAIVER, "approved_on").edits([A, A, A], APPROVED),
    unasked(WAIVER, "reason").edits([A, A, A], APPROVED),
    unasked(WAIVER, "approved_by").edits([A, A, A], APPROVED),
    unasked(WAIVER, "ticket").edits([A, A, A], APPROVED),
];

/// The keys of a sort of declaration for which a `require` can ask; of labels each by its name.
pub fn asked_of(of: Declaration) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.of.contains(&of) && field.kind.is_some() && field.key != "labels")
}

/// The entry of a key.
pub fn find(of: Declaration, key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key && field.of.contains(&of))
}
