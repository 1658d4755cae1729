//! The result of an audit, as every output shows it; its JSON is this, word for
//! word.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::cause::Cause;
use crate::base::source::Location;
use crate::base::vocabulary::{Basis, PolicyStatus, Severity, Status, Transform, Word};

/// The version of the JSON's shape: keys may be added within one.
pub const SCHEMA: u32 = 2;

/// What an audit found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// Which program says so.
    pub ringfence: Program,
    /// For which day.
    pub judged: Judged,
    /// Of what.
    pub inventory: InventoryFacts,
    /// By which policies, in the order named.
    #[serde(default)]
    pub policies: Vec<PolicyFacts>,
    /// All rules that were applied: built-in checks, the policies' rules, promises.
    #[serde(default)]
    pub rules: Vec<RuleEntry>,
    /// What the declared flows break: most severe first, then by rule and key.
    pub findings: Vec<Finding>,
    /// Every promise, in the order of ids.
    #[serde(default)]
    pub promises: Vec<Promise>,
    /// What is not a finding and must not pass in silence.
    pub notices: Vec<Notice>,
    /// The claims that the verdict rests on.
    pub relied_on: Vec<Reliance>,
    /// What the findings hang on: each finding has one cause. The most severe first, then those by which the most
    /// rules are broken, then those with the most findings.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// How many findings there are.
    pub summary: Summary,
}

/// The program.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The version of this JSON's shape.
    pub schema: u32,
}

/// The days that count, and what is left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// The day judged, in UTC: expiry of waivers and assurances is evaluated on it.
    pub day: String,
    /// The day that effective dates are compared with, if any.
    pub as_of: Option<String>,
    /// The only statuses of agreements that are judged, if not all are.
    #[serde(default)]
    pub status: Option<Vec<Status>>,
    /// How many files `exclude` leaves out.
    #[serde(default)]
    pub excluded_files: usize,
    /// How many flows `status` leaves out.
    #[serde(default)]
    pub left_out_by_status: usize,
    /// How many flows that count without `as_of` it leaves out.
    #[serde(default)]
    pub left_out_by_as_of: usize,
    /// How many places some rule did not look at, since they do not state a role, region or
    /// jurisdiction that it asks for.
    #[serde(default)]
    pub overlooked_places: usize,
}

impl Judged {
    /// The day judged; a day is what the program wrote there.
    pub fn date(&self) -> Date {
        self.day.parse().unwrap_or(Date::MAX)
    }
}

/// How large the inventory is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct InventoryFacts {
    /// Parties.
    pub parties: usize,
    /// Systems.
    pub systems: usize,
    /// Agreements.
    pub agreements: usize,
    /// Flows.
    pub flows: usize,
    /// Flows that count.
    pub counting_flows: usize,
    /// Counting flows of proposed agreements.
    #[serde(default)]
    pub proposed_flows: usize,
    /// Counting flows that are declared as assumed.
    #[serde(default)]
    pub assumed_flows: usize,
    /// BLAKE3, in hexadecimal, over the files in the order of their relative paths:
    /// for each the path, a zero byte, the length in bytes as 8 bytes little-endian,
    /// the bytes.
    pub digest: String,
}

/// A policy that was applied.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PolicyFacts {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its legal standing.
    pub status: PolicyStatus,
    /// The day its facts were established.
    pub as_of: Option<String>,
    /// How many rules it has.
    pub rules: usize,
    /// How many of them follow data along flows.
    #[serde(default)]
    pub following: usize,
    /// What it looks at.
    #[serde(default)]
    pub about: Option<String>,
    /// What no declared flow shows, whatever its rules find.
    #[serde(default)]
    pub cannot_see: Option<String>,
}

/// A rule that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleEntry {
    /// Its full id, as findings name it.
    pub id: String,
    /// What sort of rule it is.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it demands, in a few words.
    pub title: String,
    /// When it is violated, as a sentence.
    pub violated: String,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// What it rests on.
    pub cite: Vec<String>,
    /// The legal standing of its policy; `None` for built-in checks and promises.
    pub policy_status: Option<PolicyStatus>,
    /// Where it is written; `None` for built-in checks.
    pub location: Option<Location>,
}

/// What sort of rule a finding breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// An agreement's own term.
    Terms,
    /// A built-in check of flows.
    Flow,
    /// Data that got where it must not.
    Forbid,
    /// One place that holds too much.
    Limit,
    /// A declaration that does not say what it must.
    Require,
    /// A public promise.
    Statement,
}

/// Whether a finding is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingStatus {
    /// Nobody has accepted it.
    New,
    /// It is in the baseline.
    Baseline,
    /// A waiver accepts it.
    Waived,
}

/// One thing that the declared flows break.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Names the finding: depends on its rule and its key alone.
    pub fingerprint: String,
    /// `policy/rule`, or the name of a built-in check.
    pub rule: String,
    /// The sort of rule.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// The rule in a few words.
    pub title: String,
    /// What happened, in a sentence.
    pub message: String,
    /// Whether it is new.
    pub status: FindingStatus,
    /// It goes beyond what a waiver or the baseline accepts, or in a comparison beyond BASE.
    pub grown: bool,
    /// What goes beyond, where it has grown.
    #[serde(default)]
    pub beyond: Vec<Growth>,
    /// Every walk to it breaks the same rule earlier.
    pub consequent: bool,
    /// It is there only because of proposed agreements.
    pub prospective: bool,
    /// It is there only because of ended agreements.
    pub retained: bool,
    /// Where on its walks something is re-identified, so that no transform before exempts it.
    #[serde(default)]
    pub reidentified: Vec<Reidentified>,
    /// Assurances that would have excepted it, were they not over.
    #[serde(default)]
    pub lapsed: Vec<Lapsed>,
    /// Where the data comes from (`terms/*`, `flow/*`: where the flow starts).
    pub source: Option<Place>,
    /// Where it ends up (`terms/*`, `flow/*`: where the flow ends).
    pub sink: Option<Place>,
    /// The agreements concerned.
    pub agreements: Vec<String>,
    /// The offending flow.
    pub flow: Option<String>,
    /// What a limit, a requirement or an assumed origin is about.
    pub subject: Option<String>,
    /// The origin leaves concerned, as the fewest categories.
    pub data: Vec<String>,
    /// The categories that they arrive as, as few as cover them.
    pub arrives_as: Vec<String>,
    /// The parties whose data it is: of `forbid`, `limit` with `origins_at_most` and assumed origins. Of
    /// others they are not worked out, and null.
    #[serde(default)]
    pub origins: Option<Vec<String>>,
    /// The same of others, where they are recorded or a waiver or the baseline limits them: no part of a
    /// result, which would depend on its waivers.
    #[serde(skip)]
    pub followed_origins: Option<Vec<String>>,
    /// What the rule forbids of what the receiver works out from it, where nothing else shows
    /// why the rule is broken.
    #[serde(default)]
    pub becomes: Vec<String>,
    /// A shortest walk that proves it.
    pub path: Chain,
    /// All walks that are shown, that of `path` among them: of `terms/*` one for each of the first twenty
    /// agreements, in their order.
    pub witnesses: Vec<Walk>,
    /// The id of its cause: what it hangs on, with others.
    #[serde(default)]
    pub cause: String,
    /// Where it is declared: the offending flow, or the subject.
    pub location: Option<Location>,
    /// What it breaks.
    pub broken: Broken,
    /// What the rule rests on.
    pub cite: Vec<String>,
    /// Why it matters.
    #[serde(default)]
    pub why: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// The legal standing of the rule's policy; `None` for built-in checks and promises.
    pub policy_status: Option<PolicyStatus>,
    /// The waiver that accepts it: reason, by whom, until when.
    #[serde(default)]
    pub waiver: Option<AppliedWaiver>,
    /// Whether the finding can make the audit fail (its policy binds).
    #[serde(default = "binds")]
    pub binding: bool,
}

/// A result that does not say is read at its worst.
fn binds() -> bool {
    true
}

impl Finding {
    /// The parties whose data it is, as far as that is known.
    pub fn whose(&self) -> Option<&[String]> {
        self.origins.as_deref().or(self.followed_origins.as_deref())
    }
}

/// What a finding has more than something else has of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Growth {
    /// Than what.
    pub than: GrownFrom,
    /// Of what.
    pub of: Extent,
    /// What is more: categories, agreements, parties, or the severity that it has now. Of
    /// `prospective` there is nothing to list: the finding is in force.
    pub more: Vec<String>,
}

/// What a grown finding is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GrownFrom {
    /// A waiver of it.
    Waiver,
    /// The baseline.
    Baseline,
    /// The state that a change starts from.
    Base,
}

/// What of a finding a waiver or a baseline's entry can limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// The origin leaves.
    Data,
    /// What they arrive as.
    ArrivesAs,
    /// The agreements concerned.
    Agreements,
    /// The parties whose data it is.
    Origins,
    /// How grave it is.
    Severity,
    /// Whether proposed agreements alone bring it.
    Prospective,
}

/// A derivation that singles people out again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Reidentified {
    /// `party/system` that derives.
    pub system: String,
    /// A category that goes in.
    pub from: String,
    /// A category that comes out.
    pub into: String,
}

/// An assurance that was attested and is over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Lapsed {
    /// The agreement that attested it.
    pub agreement: String,
    /// What.
    pub assurance: String,
    /// The last day on which it held.
    pub expired: String,
}

impl fmt::Display for Lapsed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "`{}` of {} was attested, but expired on {}", self.assurance, self.agreement, self.expired)
    }
}

/// A system and the party that runs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// `party/system`; `None` where a whole party is meant.
    pub system: Option<String>,
    /// The party's id.
    pub party: String,
}

/// A walk, flow by flow; what crosses a flow on many walks is there once.
pub type Chain = Vec<Arc<Hop>>;

/// A walk that a finding shows besides its `path`. A result lists it by its flows alone: with all that is
/// known of them, the walks of the findings of a large inventory would be most of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// With what is known of its flows.
    Known(Chain),
    /// By the full ids of its flows, as it is read from a result.
    Listed(Vec<String>),
}

impl Walk {
    /// Its flows, where they are known.
    pub fn hops(&self) -> &[Arc<Hop>] {
        match self {
            Walk::Known(chain) => chain,
            Walk::Listed(_) => &[],
        }
    }

    /// The full ids of its flows.
    pub fn flows(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Walk::Known(chain) => Box::new(chain.iter().map(|hop| hop.flow.as_str())),
            Walk::Listed(flows) => Box::new(flows.iter().map(String::as_str)),
        }
    }
}

impl Serialize for Walk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.flows())
    }
}

impl<'de> Deserialize<'de> for Walk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Walk::Listed)
    }
}

impl JsonSchema for Walk {
    fn schema_name() -> Cow<'static, str> {
        "Walk".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<String>::json_schema(generator);
        schema.insert("description".to_owned(), "The full ids of a walk's flows.".into());
        schema
    }
}

/// One flow of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// The flow's full id.
    pub flow: String,
    /// `party/system` that it leaves.
    pub from: String,
    /// `party/system` that it enters.
    pub to: String,
    /// What it runs under.
    pub agreement: Option<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// What the data is on this flow, as the fewest categories.
    pub data: Vec<String>,
    /// What the flow does to the data before it leaves.
    #[serde(default)]
    pub transform: Option<Transform>,
    /// Whether the declaration is public or assumed, where it says.
    pub basis: Option<Basis>,
    /// Where the agreement stands.
    pub agreement_status: Option<Status>,
    /// The flow or its agreement is over on the day judged.
    #[serde(default)]
    pub ended: bool,
    /// What the flow moved is disposed of since: what its receiver passed on before is followed on.
    #[serde(default)]
    pub disposed: bool,
    /// The flow's title.
    pub title: Option<String>,
    /// Where the flow is declared.
    pub location: Location,
}

impl Hop {
    /// What a reader has to know of how firm the flow is, in a word each: `proposed`, `suspended`, `ended`, `disposed`,
    /// `assumed`.
    pub fn marks(&self) -> Vec<&'static str> {
        let open =
            self.agreement_status.filter(|status| matches!(status, Status::Proposed | Status::Suspended));
        let ended = self.ended || self.agreement_status == Some(Status::Terminated);
        let marks = [
            open.map(Word::word),
            ended.then_some("ended"),
            self.disposed.then_some("disposed"),
            (self.basis == Some(Basis::Assumed)).then_some("assumed"),
        ];
        marks.into_iter().flatten().collect()
    }
}

/// The rule, term or promise that a finding breaks.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Broken {
    /// Which of the three.
    pub what: BrokenWhat,
    /// Its words: the rule's title, the term and its clause, the promise's quote.
    pub text: String,
    /// Where it is written; `None` for built-in checks that nobody wrote.
    pub location: Option<Location>,
}

/// What a finding breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BrokenWhat {
    /// A rule of a policy, or a built-in check.
    Rule,
    /// A term of an agreement.
    Term,
    /// A public promise.
    Promise,
}

/// A waiver that accepts a finding.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AppliedWaiver {
    /// Why.
    pub reason: String,
    /// By whom.
    pub approved_by: String,
    /// The last day on which it holds.
    pub expires: String,
    /// Where it was decided.
    pub ticket: Option<String>,
    /// Where it is declared.
    pub location: Location,
}

/// What the full id of the rule that a promise is begins with.
const PROMISE: &str = "statement/";

/// The full id of the rule that a promise is.
pub fn rule_of_promise(id: &str) -> String {
    format!("{PROMISE}{id}")
}

/// The id of the promise that a rule is.
pub fn promise_of_rule(rule: &str) -> Option<&str> {
    rule.strip_prefix(PROMISE)
}

/// A public promise and whether the declared flows keep it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Promise {
    /// Its id.
    pub id: String,
    /// What it is called.
    #[serde(default)]
    pub title: Option<String>,
    /// The party that made it.
    pub by: String,
    /// The words.
    pub quote: String,
    /// Who said it.
    pub who: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// When.
    pub date: Option<String>,
    /// Whether no declared chain breaks it.
    pub kept: bool,
    /// Whether that can be decided from what is declared; absent from results of earlier
    /// versions.
    #[serde(default)]
    pub state: Option<PromiseState>,
    /// What the answer depends on, where it cannot be decided.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// How many more such gaps there are.
    #[serde(default)]
    pub further_gaps: usize,
    /// The fingerprints of the findings that break it.
    pub broken_by: Vec<String>,
    /// Where it is declared.
    pub location: Location,
}

impl Promise {
    /// The full id of the rule that it is.
    pub fn rule(&self) -> String {
        rule_of_promise(&self.id)
    }
}

impl Promise {
    /// How it stands, whichever version says so.
    pub fn standing(&self) -> PromiseState {
        let told = if self.kept { PromiseState::Kept } else { PromiseState::Broken };
        self.state.unwrap_or(told)
    }
}

/// How a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PromiseState {
    /// Declared flows break it.
    Broken,
    /// What is declared does not say.
    Undecided,
    /// No declared chain breaks it.
    Kept,
}

/// Why a promise cannot be decided, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// On what the answer depends.
    pub depends_on: GapKind,
    /// Why, in a sentence.
    pub message: String,
    /// Which declaration is missing.
    pub missing: String,
    /// The walk that would break the promise.
    pub path: Chain,
    /// What this is about: the declaration that needs the data, or the promise's own words.
    pub location: Option<Location>,
}

/// On what the answer to a promise depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// On where data starts that nobody declares as starting anywhere.
    AssumedOrigin,
    /// On a place that no declared system is.
    Place,
    /// On data that no declared flow carries.
    Data,
}

/// The promises alone: each with how it stands and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Promises {
    /// Which program says so.
    pub ringfence: Program,
    /// For which day.
    pub judged: Judged,
    /// Of what.
    pub inventory: InventoryFacts,
    /// Every promise: broken ones first, then those not decidable, then those kept.
    pub promises: Vec<PromiseView>,
    /// How many there are.
    pub summary: PromisesSummary,
}

/// One promise, how it stands and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PromiseView {
    /// The promise.
    #[serde(flatten)]
    pub promise: Promise,
    /// When it would be broken, as a sentence.
    pub violated: String,
    /// The findings that break it.
    pub findings: Vec<Finding>,
    /// The claims that kept something from breaking it.
    pub relied_on: Vec<Reliance>,
    /// The systems that its data gets to by declared flows.
    pub reaches: Vec<String>,
    /// A shortest walk of its data to one of those that are furthest away.
    pub furthest: Chain,
}

/// How many promises stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PromisesSummary {
    /// Broken.
    pub broken: usize,
    /// Not decidable from what is declared.
    pub undecided: usize,
    /// Kept.
    pub kept: usize,
}

/// Something that is no finding and must not pass in silence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// A stable code in kebab case.
    pub code: String,
    /// What there is to know.
    pub message: String,
    /// What it is about, where it sums up several: their ids.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Where.
    pub location: Option<Location>,
}

/// Every code of notices, and what it says.
pub const NOTICES: [(&str, &str); 30] = [
    (
        "assumed-provider",
        "a processing agreement names no provider: its first party is assumed to be the provider",
    ),
    ("assumed-purposes", "flows state no purposes: those of the receiving system are assumed"),
    ("assumed-retention", "no retention is stated: unlimited retention is assumed"),
    ("baseline-fixed", "the baseline lists findings that no longer exist"),
    ("baseline-unlimited", "the baseline does not say how much it accepts of some findings"),
    (
        "category-not-looked-at",
        "no rule names a data category that the inventory adds, nor a category above it",
    ),
    (
        "claims-together",
        "a comparison removed the claims of many declarations all at once instead of one by one",
    ),
    (
        "controller-without-agreement",
        "a system's controller has no processing agreement with the party that runs it",
    ),
    ("data-reidentified", "a system re-identifies data that came to it transformed"),
    ("empty-inventory", "no flow is in scope"),
    ("exception-covers-rule", "every chain of flows matches an exception of a rule"),
    ("excluded-file-edited", "a change edits files that `exclude` leaves out"),
    ("files-excluded", "`exclude` leaves files out of the inventory"),
    ("findings-only", "a JSON report holds no flows: only findings are compared"),
    ("flow-never-counts", "with `--as-of` a flow counts on no day"),
    ("no-policy", "no policy is applied"),
    ("older-word", "a word of an earlier version is read as the one that it is now"),
    (
        "places-not-looked-at",
        "a rule asks for a role, region or jurisdiction that places do not state, and did not look at them",
    ),
    ("policy-not-in-force", "a policy lies among the inventory's files and is not applied"),
    ("policy-without-rules", "a policy has no rules"),
    ("rule-matches-nothing", "a rule's data, source, sink or subject matches nothing"),
    ("rule-never-fails", "a `require` asks what every declaration says"),
    ("terms-without-agreement", "a flow states terms without an agreement: they are not checked"),
    ("unjudged-files", "HEAD's settings would include files that BASE's do not"),
    (
        "unknown-vocabulary",
        "neither a policy in force nor the vocabulary knows a word for an assurance, legal basis, safeguard \
         or label",
    ),
    ("unused-taxonomy-key", "a category or purpose that the inventory declares is not used"),
    ("waiver-expired", "a waiver has expired"),
    ("waiver-not-yet", "a waiver was approved after the day judged"),
    ("waiver-unlimited", "a waiver does not say how much it accepts: it accepts a finding however it grows"),
    ("waiver-unused", "a waiver matches no finding"),
];

/// A claim that kept something from being a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Reliance {
    /// The rule or built-in check that would have found something.
    pub rule: String,
    /// The flow that makes the claim.
    pub flow: Option<String>,
    /// The system that makes it, if no flow does.
    #[serde(default)]
    pub system: Option<String>,
    /// The claim, `transform: aggregated` say.
    pub claim: String,
    /// The party that makes it: of a flow who sends, and of what is said of the data afterwards who receives.
    #[serde(default)]
    pub party: Option<String>,
    /// What is declared to show it: the evidence of an assurance or a disposal, else the source of the declaration.
    #[serde(default)]
    pub evidence: Option<String>,
    /// The last day on which it holds, if one is declared: of an assurance, else of the agreement.
    #[serde(default)]
    pub until: Option<String>,
    /// Where it is made.
    pub location: Location,
}

impl Reliance {
    /// What makes the claim, by its id.
    pub fn by(&self) -> &str {
        self.flow.as_deref().or(self.system.as_deref()).unwrap_or_default()
    }
}

/// How many findings there are: new ones by severity, and the others. Every format takes its numbers from here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// New, binding, and at or above the severity from which on findings fail.
    #[serde(default)]
    pub failing: usize,
    /// New and not failing: of a policy that does not bind, or less severe.
    #[serde(default)]
    pub for_information: usize,
    /// How many causes the failing ones have.
    #[serde(default)]
    pub failing_causes: usize,
    /// New and critical.
    pub critical: usize,
    /// New and high.
    pub high: usize,
    /// New and medium.
    pub medium: usize,
    /// New and low.
    pub low: usize,
    /// New, to know.
    pub info: usize,
    /// Waived.
    pub waived: usize,
    /// In the baseline.
    pub baseline: usize,
}

impl Summary {
    /// Counts findings.
    pub fn of(findings: &[Finding]) -> Self {
        let mut summary = Summary::default();
        for finding in findings {
            let count = match (finding.status, finding.severity) {
                (FindingStatus::Waived, _) => &mut summary.waived,
                (FindingStatus::Baseline, _) => &mut summary.baseline,
                (FindingStatus::New, Severity::Critical) => &mut summary.critical,
                (FindingStatus::New, Severity::High) => &mut summary.high,
                (FindingStatus::New, Severity::Medium) => &mut summary.medium,
                (FindingStatus::New, Severity::Low) => &mut summary.low,
                (FindingStatus::New, Severity::Info) => &mut summary.info,
            };
            *count += 1;
        }
        summary
    }
}

/// What is wrong with a text that should be a result.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// It is of another version.
    #[error("results of version {0} are not known: this version reads {SCHEMA}")]
    Version(u64),
    /// It is none.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Audit {
    /// Reads a result.
    ///
    /// # Errors
    /// When it is none, or of another version.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ResultError> {
        #[derive(Deserialize)]
        struct Versioned {
            ringfence: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            schema: u64,
        }
        match serde_json::from_slice::<Versioned>(bytes) {
            Ok(found) if found.ringfence.schema != u64::from(SCHEMA) => {
                Err(ResultError::Version(found.ringfence.schema))
            }
            _ => Ok(serde_json::from_slice(bytes)?),
        }
    }
}
