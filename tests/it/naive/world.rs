//! The declared world as plain data, in the shape of the inventory's YAML.

use jiff::civil::Date;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A day, written `2019-04-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub Date);

impl Day {
    /// Parses `2019-04-01`.
    pub fn of(text: &str) -> Day {
        Day(text.parse().expect("a date"))
    }

    /// The day on which a duration that begins on this one ends, by the calendar; none is never.
    pub fn after(self, duration: &Duration) -> Option<Day> {
        if duration.0 == "unlimited" {
            return None;
        }
        let (number, unit) = duration.0.split_at(duration.0.len() - 1);
        let number = number.parse::<i64>().expect("a whole number");
        let span = jiff::Span::new();
        let span = match unit {
            "h" => span.days(number / 24),
            "d" => span.days(number),
            "w" => span.weeks(number),
            "m" => span.months(number),
            "y" => span.years(number),
            other => panic!("no unit: {other}"),
        };
        Some(Day(self.0.checked_add(span).expect("in range")))
    }

    /// Hours from a fixed day to the start of this one.
    pub fn hours(self) -> i64 {
        let epoch = jiff::civil::date(1970, 1, 1);
        i64::from(epoch.until(self.0).expect("in range").get_days()) * 24
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A duration as written: `90d`, `2y`, `unlimited`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Duration(pub String);

impl Duration {
    /// Whole hours; none is unlimited.
    pub fn hours(&self) -> Option<i64> {
        if self.0 == "unlimited" {
            return None;
        }
        let (number, unit) = self.0.split_at(self.0.len() - 1);
        let one = match unit {
            "h" => 1,
            "d" => 24,
            "w" => 7 * 24,
            "m" => 365 * 24 / 12,
            "y" => 365 * 24,
            other => panic!("no unit: {other}"),
        };
        Some(number.parse::<i64>().expect("a whole number") * one)
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct World {
    pub taxonomy: Taxonomy,
    pub parties: Vec<Party>,
    pub agreements: Vec<Agreement>,
    pub flows: Vec<Flow>,
    pub statements: Vec<Statement>,
    pub waivers: Vec<Waiver>,
    #[serde(skip)]
    pub policy: Policy,
    /// How it is judged: part of a case, not of the inventory.
    #[serde(skip)]
    pub call: Call,
}

/// The options of the call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub as_of: Option<Day>,
    pub status: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Taxonomy {
    pub data: BTreeMap<String, Entry>,
    pub purposes: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    pub title: String,
    pub identifying: Option<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Party {
    pub id: String,
    pub name: String,
    pub role: Option<String>,
    pub jurisdiction: Option<String>,
    pub affiliate_of: Option<String>,
    pub contact: Option<String>,
    pub labels: Labels,
    pub systems: Vec<System>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct System {
    pub id: String,
    pub purposes: Vec<String>,
    pub originates: Vec<String>,
    pub controller: Option<String>,
    pub derives: Vec<Derive>,
    pub retention: Option<Duration>,
    pub region: Vec<String>,
    pub tags: Vec<String>,
    pub labels: Labels,
    /// The index of its party while a world is being made up.
    #[serde(skip)]
    pub home: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Derive {
    pub from: Vec<String>,
    pub into: String,
    pub reidentifies: Option<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Agreement {
    pub id: String,
    pub kind: Option<String>,
    pub provider: Vec<String>,
    pub status: Option<String>,
    pub parties: Vec<String>,
    pub effective: Option<Effective>,
    pub disposed: Option<Disposed>,
    pub legal_basis: Vec<String>,
    pub assurances: Vec<Assurance>,
    pub labels: Labels,
    pub terms: Terms,
    pub flow_defaults: FlowBody,
    pub flows: Vec<Flow>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effective {
    pub from: Option<Day>,
    pub until: Option<Day>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Disposed {
    pub date: Option<Day>,
    pub evidence: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Assurance {
    pub id: String,
    pub date: Option<Day>,
    pub valid_until: Option<Day>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Terms {
    pub purposes: Option<Vec<String>>,
    pub prohibited_purposes: Vec<String>,
    pub onward_transfer: Option<String>,
    pub onward_to: Vec<OnwardTo>,
    pub retention: Option<Duration>,
    pub consent: Option<String>,
    pub safeguards: Vec<String>,
    pub released_by: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OnwardTo {
    pub party: String,
    pub data: Vec<String>,
    pub purposes: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Flow {
    pub id: String,
    #[serde(flatten)]
    pub body: FlowBody,
    /// The index of its agreement while a world is being made up.
    #[serde(skip)]
    pub home: Option<usize>,
    /// Leaves its ends out of the agreement's parties while a world is made up.
    #[serde(skip)]
    pub foreign: bool,
    /// Goes on where the flow before it ended while a world is made up.
    #[serde(skip)]
    pub goes_on: bool,
}

/// What a flow states, or an agreement for its flows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FlowBody {
    pub from: Option<String>,
    pub to: Option<String>,
    pub data: Vec<String>,
    pub purposes: Vec<String>,
    pub consent: Option<String>,
    pub transform: Option<String>,
    pub only_from: Vec<String>,
    pub safeguards: Vec<String>,
    pub retention: Option<Duration>,
    pub terms: Option<Terms>,
    pub effective: Option<Effective>,
    pub disposed: Option<Disposed>,
    pub legal_basis: Vec<String>,
    pub assurances: Vec<Assurance>,
    pub tags: Vec<String>,
    pub labels: Labels,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Statement {
    pub id: String,
    pub by: String,
    pub said: Said,
    pub severity: Option<String>,
    pub promise: Body,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Said {
    pub quote: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Waiver {
    pub rule: Option<String>,
    pub source: Option<String>,
    pub sink: Option<String>,
    pub flow: Option<String>,
    pub subject: Option<String>,
    pub data: Vec<String>,
    pub arrives_as: Vec<String>,
    pub agreements: Vec<String>,
    pub origins: Vec<String>,
    pub severity: Option<String>,
    pub prospective: Option<bool>,
    pub reason: String,
    pub approved_by: String,
    pub approved_on: Option<Day>,
    pub expires: Option<Day>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Policy {
    pub policy: String,
    pub title: String,
    pub status: String,
    pub rules: Vec<Rule>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Rule {
    pub id: String,
    pub title: String,
    pub severity: String,
    #[serde(flatten)]
    pub body: Body,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Forbid(Forbid),
    Limit(Limit),
    Require(Require),
}

impl Default for Body {
    fn default() -> Body {
        Body::Forbid(Forbid::default())
    }
}

/// An empty list of matchers is a key that is not written.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Forbid {
    pub data: Vec<String>,
    pub from: Vec<PlaceMatcher>,
    pub to: Vec<PlaceMatcher>,
    pub unless: Unless,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Unless {
    pub through: Vec<FlowMatcher>,
    pub arriving: Vec<FlowMatcher>,
}

/// Categories of which a place may not hold all, or not so many.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Together {
    All(Vec<String>),
    Some { of: Vec<String>, at_least: usize },
}

impl Default for Together {
    fn default() -> Together {
        Together::All(Vec::new())
    }
}

impl Together {
    pub fn of(&self) -> &[String] {
        match self {
            Together::All(of) | Together::Some { of, .. } => of,
        }
    }

    pub fn at_least(&self) -> usize {
        match self {
            Together::All(of) => of.len(),
            Together::Some { at_least, .. } => *at_least,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Limit {
    pub at: Vec<PlaceMatcher>,
    pub scope: Option<String>,
    pub together: Together,
    pub data: Vec<String>,
    pub origins_at_most: Option<usize>,
    pub unless: Unless,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Require {
    pub on: String,
    #[serde(rename = "where")]
    pub filter: Filter,
    pub must: BTreeMap<String, Operators>,
}

/// The `where` of a `require`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Filter {
    Agreements(Vec<AgreementMatcher>),
    Flows(Vec<FlowMatcher>),
    Places(Vec<PlaceMatcher>),
}

impl Default for Filter {
    fn default() -> Filter {
        Filter::Places(Vec::new())
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Operators {
    pub present: Option<bool>,
    #[serde(rename = "in")]
    pub one_of: Vec<String>,
    pub under: Vec<String>,
    pub at_most: Option<String>,
    pub at_least: Option<String>,
    pub matches: Option<String>,
    pub includes: Vec<Wanted>,
}

/// A value asked for; of an assurance also how long ago it may have been given.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Wanted {
    Named(String),
    Dated { id: String, at_most: Duration },
}

/// A declaration's own facts.
pub type Labels = BTreeMap<String, String>;

/// Labels asked for: for each key some globs.
pub type LabelTests = BTreeMap<String, Vec<String>>;

#[derive(Clone, Debug, Default, Serialize)]
pub struct PlaceMatcher {
    pub party: Vec<String>,
    pub system: Vec<String>,
    pub role: Vec<String>,
    pub purpose: Vec<String>,
    pub tag: Vec<String>,
    pub region: Vec<String>,
    pub jurisdiction: Vec<String>,
    pub label: LabelTests,
    pub relation: Vec<String>,
    pub by_flow: Option<bool>,
    pub not: Vec<PlaceMatcher>,
    pub any: Vec<PlaceMatcher>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FlowMatcher {
    pub transform: Vec<String>,
    pub consent: Vec<String>,
    pub safeguards: Vec<String>,
    pub retention: Option<AtMost>,
    pub purpose: Vec<String>,
    pub tag: Vec<String>,
    pub label: LabelTests,
    pub data: Vec<String>,
    pub from: Vec<PlaceMatcher>,
    pub to: Vec<PlaceMatcher>,
    pub crosses_parties: Option<bool>,
    pub agreement: Option<AgreementTest>,
    pub not: Vec<FlowMatcher>,
    pub any: Vec<FlowMatcher>,
}

/// `retention` of a flow matcher.
#[derive(Clone, Debug, Serialize)]
pub struct AtMost {
    pub at_most: Duration,
}

/// `agreement` of a flow matcher: the word `none`, or matchers.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum AgreementTest {
    None(String),
    Some(Vec<AgreementMatcher>),
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AgreementMatcher {
    pub id: Vec<String>,
    pub kind: Vec<String>,
    pub status: Vec<String>,
    pub legal_basis: Vec<String>,
    pub assurance: Vec<Wanted>,
    pub label: LabelTests,
    pub party: Vec<String>,
    pub role: Vec<String>,
    pub data: Vec<String>,
    pub not: Vec<AgreementMatcher>,
    pub any: Vec<AgreementMatcher>,
}
