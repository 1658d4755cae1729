//! Rules in words: when one is violated, as a sentence.

use crate::base::bits::LeafSet;
use crate::base::duration::Duration;
use crate::base::glob::Glob;
use crate::base::sets::{CodeSet, GlobSet, WordSet};
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::Word;
use crate::declare::fields::FieldKind;
use crate::declare::policy::{
    AgreementRef, AllOf, AnyOf, AtLeast, AtMost, Attested, Bases, Body, Bound, ByFlow, FlowKeys, Forbid,
    Keys, Labels, Limit, LimitScope, Matcher, Most, Must, Operator, PlaceKeys, Purposes, Require, Subjects,
};
use crate::read::decode::Spanned;

/// What categories and purposes are called.
#[derive(Debug, Clone, Copy)]
pub struct Names<'m> {
    /// The data categories.
    pub data: &'m Tree,
    /// The purposes.
    pub purposes: &'m Tree,
}

/// When a rule or a promise is violated.
pub fn violated(body: &Body, names: Names) -> String {
    match body {
        Body::Forbid(forbid) => names.forbid(forbid),
        Body::Limit(limit) => names.limit(limit),
        Body::Require(require) => names.require(require),
    }
}

/// What a matcher of flows asks, in words.
pub fn flows(flows: &AnyOf<FlowKeys>, names: Names) -> String {
    names.any_of(flows)
}

/// The places that a matcher means.
pub fn place(places: &AnyOf<PlaceKeys>, names: Names) -> String {
    names.place(places)
}

/// `a`, `a or b`, `a, b or c`: the order in which they were written means nothing.
fn or(parts: &[String]) -> String {
    join(&sorted(parts), "or")
}

fn and(parts: &[String]) -> String {
    join(&sorted(parts), "and")
}

fn sorted(parts: &[String]) -> Vec<String> {
    let mut parts = parts.to_vec();
    parts.sort();
    parts
}

/// The most names of a list that are printed; nobody reads more.
const TOLD: usize = 50;

/// The first names of a list, and how many more there are.
pub fn some_of<T: AsRef<str>>(names: &[T]) -> String {
    let told: Vec<&str> = names.iter().take(TOLD).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

fn join(parts: &[String], word: &str) -> String {
    if parts.len() > TOLD {
        return some_of(parts);
    }
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} {word} {last}", all.join(", ")),
    }
}

/// What a key of a matcher says, by its sort of values.
pub trait InWords {
    /// Parts of a sentence that begin with `lead`.
    fn parts(&self, lead: &str, names: Names) -> Vec<String>;
}

fn globs(list: &[Glob]) -> String {
    or(&list.iter().map(|g| format!("`{g}`")).collect::<Vec<_>>())
}

fn texts(list: &[String]) -> String {
    or(&list.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>())
}

fn words<W: Word>(list: &[W]) -> String {
    or(&list.iter().map(|w| w.word().replace('_', " ")).collect::<Vec<_>>())
}

fn assurances(list: &[Attested]) -> Vec<String> {
    let age = |age: Duration| match age {
        Duration::Unlimited => "with a date".to_owned(),
        age => format!("given at most {} before the day judged", age.in_words()),
    };
    list.iter()
        .map(|a| a.at_most.map_or(format!("`{}`", a.id), |most| format!("`{}` {}", a.id, age(most))))
        .collect()
}

impl InWords for GlobSet {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        vec![format!("{lead} {}", globs(self))]
    }
}

impl InWords for Bases {
    fn parts(&self, lead: &str, names: Names) -> Vec<String> {
        self.0.parts(lead, names)
    }
}

impl InWords for WordSet {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        vec![format!("{lead} {}", texts(self))]
    }
}

impl InWords for AllOf {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        vec![format!("{lead} {}", and(&quoted(self)))]
    }
}

impl InWords for CodeSet {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        vec![format!("{lead} {}", texts(self))]
    }
}

impl<W: Word> InWords for Vec<W> {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        vec![format!("{lead} {}", words(self))]
    }
}

impl InWords for AtLeast {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        vec![format!("{lead} {}", words(self))]
    }
}

impl InWords for Purposes {
    fn parts(&self, lead: &str, names: Names) -> Vec<String> {
        vec![format!("{lead} {}", names.purposes(self))]
    }
}

impl InWords for Option<LeafSet> {
    fn parts(&self, lead: &str, names: Names) -> Vec<String> {
        self.iter().map(|leaves| format!("{lead} {}", names.leaves(leaves))).collect()
    }
}

impl InWords for Option<bool> {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        let says = |yes: &bool| if *yes { "goes to another party" } else { "stays within a party" };
        self.iter().map(|yes| format!("{lead} {}", says(yes))).collect()
    }
}

impl InWords for ByFlow {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        let says = |yes: bool| if yes { "arrives by a flow" } else { "starts there" };
        self.iter().map(|&yes| format!("{lead} {}", says(yes))).collect()
    }
}

impl InWords for AtMost {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        self.iter().map(|most| format!("{lead} {most}")).collect()
    }
}

impl InWords for AnyOf<PlaceKeys> {
    fn parts(&self, lead: &str, names: Names) -> Vec<String> {
        vec![format!("{lead} {}", names.place(self))]
    }
}

impl InWords for Vec<AgreementRef> {
    fn parts(&self, lead: &str, names: Names) -> Vec<String> {
        let one = |agreement: &AgreementRef| match agreement {
            AgreementRef::None => "none".to_owned(),
            AgreementRef::Like(matcher) => format!("one where {}", names.matcher(matcher)),
        };
        vec![format!("{lead} {}", or(&self.iter().map(one).collect::<Vec<_>>()))]
    }
}

impl InWords for Vec<Attested> {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        vec![format!("{lead} {}", or(&assurances(self)))]
    }
}

/// One part for each label: any value, or one like these.
impl InWords for Labels {
    fn parts(&self, lead: &str, _: Names) -> Vec<String> {
        let one = |(key, values): &(String, GlobSet)| match any_text(values) {
            true => format!("it has the {lead} `{key}`"),
            false => format!("its {lead} `{key}` is {}", globs(values)),
        };
        self.iter().map(one).collect()
    }
}

/// Whether one of some globs is met by every text.
fn any_text(values: &[Glob]) -> bool {
    values.iter().any(|glob| glob.as_str() == "*")
}

fn quoted(list: &[String]) -> Vec<String> {
    list.iter().map(|t| format!("`{t}`")).collect()
}

impl Names<'_> {
    fn purposes(&self, keys: &[Key]) -> String {
        let names: Vec<String> = keys.iter().map(|&k| self.purposes.name(k).to_owned()).collect();
        format!("{} (or below)", or(&names))
    }

    fn data(&self, keys: &[Spanned<Key>]) -> String {
        match keys {
            [] => "any data".to_owned(),
            keys => or(&keys.iter().map(|k| self.data.name(k.value).to_owned()).collect::<Vec<_>>()),
        }
    }

    fn leaves(&self, leaves: &LeafSet) -> String {
        or(&self.data.cover(leaves))
    }

    fn matcher<K: Keys>(&self, matcher: &Matcher<K>) -> String {
        let mut parts = matcher.keys.parts(*self);
        if !matcher.any.is_empty() {
            let any: Vec<String> = matcher.any.iter().map(|m| format!("({})", self.matcher(m))).collect();
            let either = if any.len() > 1 { "either " } else { "" };
            parts.push(format!("{either}{}", or(&any)));
        }
        parts.extend(matcher.not.iter().map(|m| format!("not ({})", self.matcher(m))));
        join(&parts, "and")
    }

    fn any_of<K: Keys>(&self, matchers: &AnyOf<K>) -> String {
        match matchers.0.as_slice() {
            [one] => self.matcher(one),
            many => or(&many.iter().map(|m| format!("({})", self.matcher(m))).collect::<Vec<_>>()),
        }
    }

    fn place(&self, places: &AnyOf<PlaceKeys>) -> String {
        match places.is_empty() {
            true => "any system".to_owned(),
            false => format!("a system where {}", self.any_of(places)),
        }
    }

    fn forbid(&self, forbid: &Forbid) -> String {
        let mut text = format!(
            "{} from {} reaches {}, or starts there.",
            match forbid.data.is_empty() {
                true => "Any data".to_owned(),
                false => format!("Data that is or was {}", self.data(&forbid.data)),
            },
            self.place(&forbid.from),
            match forbid.to.is_empty() {
                true => "any system".to_owned(),
                false => self.place(&forbid.to),
            }
        );
        if !forbid.through.is_empty() {
            text.push_str(&format!(" Exempt: a chain with a flow where {}.", self.any_of(&forbid.through)));
        }
        if !forbid.arriving.is_empty() {
            let arriving = self.any_of(&forbid.arriving);
            text.push_str(&format!(" Exempt: a chain whose last flow is one where {arriving}."));
        }
        text
    }

    fn limit(&self, limit: &Limit) -> String {
        let (whole, verb) = match limit.scope {
            LimitScope::System => ("One system", "holds"),
            LimitScope::Party => ("The systems of one party together", "hold"),
            LimitScope::Group => ("The systems of one group of parties together", "hold"),
        };
        let at = match limit.at.is_empty() {
            true => String::new(),
            false => format!(", where {},", self.any_of(&limit.at)),
        };
        let what = match &limit.most {
            Most::Together { of, at_least } => {
                let names: Vec<String> = of.iter().map(|k| self.data.name(k.value).to_owned()).collect();
                match *at_least < of.len() {
                    true => format!("data of at least {at_least} of {}", and(&names)),
                    false => format!("data of each of {}", and(&names)),
                }
            }
            Most::Origins { data, at_most } => {
                format!("{} from more than {at_most} parties", self.data(data))
            }
        };
        let mut text = format!("{whole}{at} {verb} {what}");
        if !limit.through.is_empty() {
            let flows = self.any_of(&limit.through);
            text.push_str(&format!(", not counting what crossed a flow where {flows}"));
        }
        text + "."
    }

    fn require(&self, require: &Require) -> String {
        let (what, filter) = match &require.on {
            Subjects::Agreements(m) => ("An agreement", (!m.is_empty()).then(|| self.any_of(m))),
            Subjects::Flows(m) => ("A flow in scope", (!m.is_empty()).then(|| self.any_of(m))),
            Subjects::Systems(m) => ("A system", (!m.is_empty()).then(|| self.any_of(m))),
            Subjects::Parties(m) => ("A party", (!m.is_empty()).then(|| self.any_of(m))),
        };
        let filter = filter.map_or(String::new(), |f| format!(" where {f}"));
        let musts: Vec<String> = require.must.iter().map(|must| self.must(must)).collect();
        format!("{what}{filter} fails this: {}.", and(&musts))
    }

    fn must(&self, must: &Must) -> String {
        let path = &must.field.path.value;
        let parts: Vec<String> = must
            .operators
            .iter()
            .map(|operator| match operator {
                Operator::Present(true) => "is stated".to_owned(),
                Operator::Present(false) => "is not stated".to_owned(),
                Operator::In(list) => format!("is only {}", or(list)),
                Operator::Within(places) => format!("is within {}", or(places)),
                Operator::Under(keys) => {
                    let tree = match must.field.kind {
                        FieldKind::Purpose => self.purposes,
                        _ => self.data,
                    };
                    let names: Vec<String> = keys.iter().map(|&k| tree.name(k).to_owned()).collect();
                    format!("is at or below {}", or(&names))
                }
                Operator::AtMost(bound) => format!("is at most {}", said(bound)),
                Operator::AtLeast(bound) => format!("is at least {}", said(bound)),
                Operator::Matches(pattern, _) => format!("matches `{pattern}`"),
                Operator::Includes(list) => format!("includes {}", and(list)),
                Operator::Attests(list) => format!("includes {}", and(&assurances(list))),
            })
            .collect();
        format!("`{path}` {}", and(&parts))
    }
}

fn said(bound: &Bound) -> String {
    match bound {
        Bound::Duration(duration) => duration.to_string(),
        Bound::Date(date) => date.to_string(),
        Bound::Count(number) => number.to_string(),
        Bound::Rank(ranked) => ranked.word.to_owned(),
    }
}
