//! Rules that can find nothing, whatever is declared: matchers that contradict themselves,
//! exceptions that leave nothing over.
//!
//! Told is only what follows from the policy alone. Where purposes or data are read at
//! worst, two readings of one key say different things, and nothing follows.

use std::hash::Hash;

use rustc_hash::FxHashSet;

use super::matcher::{
    AgreementKeys, AgreementRef, AllOf, AnyOf, AtLeast, AtMost, Attested, Bases, ByFlow, FlowKeys, Keys,
    Labels, Looks, Matcher, PlaceKeys, Purposes, Reading,
};
use super::require::{Bound, Must, Operator, Subjects};
use super::{Body, Forbid, Require};
use crate::base::bits::LeafSet;
use crate::base::diagnostic::Diagnostic;
use crate::base::glob::Glob;
use crate::base::sets::{CodeSet, GlobSet, WordSet};
use crate::base::source::Span;
use crate::base::taxonomy::{Key, Tree};
use crate::base::vocabulary::{Consent, Relation, Word};
use crate::declare::fields::{self, Field, FieldKind, Presence};
use crate::read::decode::Decoder;

/// Reports what can be proved of a rule.
pub fn check(d: &mut Decoder, body: &Body) {
    let prover = Prover { purposes: d.purposes, all: LeafSet::full(d.data.leaf_count()) };
    let mistakes = match body {
        Body::Forbid(forbid) => prover.forbid(forbid),
        Body::Limit(limit) => {
            let at = prover.contradicts(&limit.at, Reading::Likely).map(|why| why.report("no system"));
            at.into_iter().chain(prover.idle(&limit.through)).collect()
        }
        Body::Require(require) => {
            let likely = Reading::Likely;
            let filter = match &require.on {
                Subjects::Agreements(list) => {
                    prover.contradicts(list, likely).map(|w| w.report("no agreement"))
                }
                Subjects::Flows(list) => prover.contradicts(list, likely).map(|w| w.report("no flow")),
                Subjects::Systems(list) => prover.contradicts(list, likely).map(|w| w.report("no system")),
                Subjects::Parties(list) => prover.contradicts(list, likely).map(|w| w.report("no party")),
            };
            filter.into_iter().collect()
        }
    };
    mistakes.into_iter().for_each(|mistake| d.report(mistake));
}

/// Why a matcher can never hold.
struct Why {
    at: Span,
    other: Option<Span>,
    because: &'static str,
}

impl Why {
    fn report(self, nothing: &str) -> Diagnostic {
        let message = format!("this rule can never find anything: {nothing} matches");
        self.told(Diagnostic::new("never-matches", message, self.at))
    }

    fn told(&self, diagnostic: Diagnostic) -> Diagnostic {
        let diagnostic = diagnostic.label(self.because);
        match self.other {
            Some(other) => diagnostic.also(other, "this leaves nothing over"),
            None => diagnostic,
        }
    }
}

/// What proofs look at.
pub struct Prover<'t> {
    purposes: &'t Tree,
    all: LeafSet,
}

/// What can be proved of a key by its sort of values, where it is written.
pub trait Proof {
    /// Whether whatever is one of `given`, so read, is one of these, so read.
    fn follows(&self, given: &Self, looks: Looks, read: (Reading, Reading), p: &Prover) -> bool;
    /// Whether nothing is one of these and one of the others; both are written.
    fn excludes(&self, _: &Self, _: Looks) -> bool {
        false
    }
    /// Whether everything is one of these.
    fn always(&self, _: Looks, _: &Prover) -> bool {
        false
    }
}

/// Why nothing has the keys of a matcher, by what they say within.
trait Contradict: Keys {
    fn contradict(&self, _: Reading, _: &Prover) -> Option<Why> {
        None
    }
}

impl Prover<'_> {
    fn forbid(&self, rule: &Forbid) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        all.extend(self.contradicts(&rule.from, Reading::Likely).map(|why| why.report("no source")));
        all.extend(self.contradicts(&rule.to, Reading::Likely).map(|why| why.report("no arrival")));
        if all.is_empty() {
            all.extend(self.relation(rule).map(|why| why.report("no arrival")));
        }
        all.extend(self.idle(&rule.through));
        all.extend(self.idle(&rule.arriving));
        all
    }

    /// An exception that no flow matches.
    fn idle(&self, list: &AnyOf<FlowKeys>) -> Option<Diagnostic> {
        let why = self.contradicts(list, Reading::Unlikely)?;
        Some(why.told(Diagnostic::new("excepts-nothing", "no flow can match this exception", why.at)))
    }

    /// A relation that contradicts what is said of the parties at both ends.
    fn relation(&self, rule: &Forbid) -> Option<Why> {
        let impossible = |to: &Matcher<PlaceKeys>| {
            let wanted = &to.keys.relation;
            let first = |r: &Relation| *r == Relation::FirstParty;
            let same = |from: &Matcher<PlaceKeys>| one_party(&from.keys.party, &to.keys.party);
            let other = |from: &Matcher<PlaceKeys>| {
                let (a, b) = (&from.keys, &to.keys);
                apart_globs(&a.party, &b.party)
                    || apart(&a.role, &b.role)
                    || apart_places(&a.jurisdiction, &b.jurisdiction)
            };
            if wanted.is_empty() || rule.from.is_empty() {
                None
            } else if wanted.iter().all(first) && rule.from.0.iter().all(other) {
                Some("a first party is the party that the data comes from")
            } else if !wanted.iter().any(first) && rule.from.0.iter().all(same) {
                Some("the party that the data comes from is always its first party")
            } else {
                None
            }
        };
        let because: Option<Vec<&str>> = rule.to.0.iter().map(impossible).collect();
        Some(Why { at: rule.to.span()?, other: rule.from.span(), because: because?.first()? })
    }

    /// Whether every chain has a flow that is exempt.
    fn whole(&self, rule: &Forbid) -> Option<(Span, &'static str)> {
        let exempt: Vec<&Matcher<FlowKeys>> = rule.through.0.iter().chain(&rule.arriving.0).collect();
        let span = exempt.first()?.span;
        if let Some(matcher) = exempt.iter().find(|m| self.holds_for_all(m)) {
            return Some((matcher.span, "every flow is like this"));
        }
        let only = |m: &&&Matcher<FlowKeys>, test: &dyn Fn(&FlowKeys) -> bool| {
            m.any.is_empty() && m.not.is_empty() && test(&m.keys)
        };
        let crossing = |wanted: bool| {
            let bare = |k: &FlowKeys| {
                k.crosses_parties == Some(wanted)
                    && FlowKeys { crosses_parties: None, ..k.clone() }.hold_for_all(self)
            };
            exempt.iter().any(|m| only(&m, &bare))
        };
        let agreed = |wanted: &dyn Fn(&AgreementRef) -> bool| {
            let bare = |k: &FlowKeys| {
                k.agreement.iter().any(wanted)
                    && FlowKeys { agreement: Vec::new(), ..k.clone() }.hold_for_all(self)
            };
            exempt.iter().any(|m| only(&m, &bare))
        };
        let any_agreement =
            |a: &AgreementRef| matches!(a, AgreementRef::Like(like) if self.holds_for_all(like));
        if crossing(true) && crossing(false)
            || agreed(&|a| matches!(a, AgreementRef::None)) && agreed(&any_agreement)
        {
            return Some((span, "every flow is like one of these"));
        }
        // The last flow of a chain ends where the rule says, the first starts there.
        let ends = |m: &Matcher<FlowKeys>| {
            let bare = FlowKeys { to: AnyOf::default(), ..m.keys.clone() }.hold_for_all(self);
            bare && m.any.is_empty()
                && m.not.is_empty()
                && self.lists(&m.keys.to, &rule.to, (Reading::Likely, Reading::Unlikely))
        };
        if let Some(matcher) = exempt.iter().find(|m| ends(m)) {
            return Some((matcher.span, "the last flow of every chain ends there"));
        }
        // Of a place at which another party's data starts, `from` looks at that party, and at its labels, a
        // flow's at who runs it.
        let mut from = rule.from.clone();
        for PlaceKeys { party, role, jurisdiction, label, .. } in from.0.iter_mut().map(|m| &mut m.keys) {
            (*party, *role, *jurisdiction, *label) = Default::default();
        }
        let starts = |m: &Matcher<FlowKeys>| {
            let bare = FlowKeys { from: AnyOf::default(), ..m.keys.clone() }.hold_for_all(self);
            bare && m.any.is_empty()
                && m.not.is_empty()
                && self.lists(&m.keys.from, &from, (Reading::Likely, Reading::Unlikely))
        };
        let first = rule.through.0.iter().find(|m| starts(m))?;
        Some((first.span, "the first flow of every chain starts there"))
    }

    /// Why a list of matchers can never hold; absent, it always does.
    fn contradicts<K: Contradict>(&self, list: &AnyOf<K>, reading: Reading) -> Option<Why> {
        let all: Option<Vec<Why>> = list.0.iter().map(|m| self.never(m, reading)).collect();
        all?.into_iter().next()
    }

    fn never<K: Contradict>(&self, matcher: &Matcher<K>, reading: Reading) -> Option<Why> {
        let ruled_out = matcher.not.iter().find(|not| {
            self.holds_for_all(not) || self.implied(not, &matcher.keys, (reading, reading.turned()))
        });
        if let Some(not) = ruled_out {
            return Some(Why {
                at: matcher.span,
                other: Some(not.span),
                because: "whatever this asks for, its `not` rules out",
            });
        }
        let impossible = |m: &Matcher<K>| m.keys.exclude(&matcher.keys) || self.never(m, reading).is_some();
        if !matcher.any.is_empty() && matcher.any.iter().all(impossible) {
            let other = matcher.any.first().map(|m| m.span);
            return Some(Why { at: matcher.span, other, because: "nothing is this and one of `any`" });
        }
        matcher.keys.contradict(reading, self).map(|why| Why { at: matcher.span, ..why })
    }

    /// Whether a matcher holds for whatever has some keys.
    fn implied<K: Keys>(&self, matcher: &Matcher<K>, keys: &K, read: (Reading, Reading)) -> bool {
        matcher.keys.follow(keys, read, self)
            && (matcher.any.is_empty() || matcher.any.iter().any(|m| self.implied(m, keys, read)))
            && matcher.not.iter().all(|m| m.keys.exclude(keys))
    }

    /// Whether whatever matches one list matches the other.
    fn lists<K: Keys>(&self, list: &AnyOf<K>, given: &AnyOf<K>, read: (Reading, Reading)) -> bool {
        !given.is_empty() && given.0.iter().all(|a| list.0.iter().any(|b| self.implied(b, &a.keys, read)))
    }

    fn holds_for_all<K: Keys>(&self, matcher: &Matcher<K>) -> bool {
        matcher.keys.hold_for_all(self)
            && (matcher.any.is_empty() || matcher.any.iter().any(|m| self.holds_for_all(m)))
            && matcher.not.is_empty()
    }

    fn list_holds_for_all<K: Keys>(&self, list: &AnyOf<K>) -> bool {
        list.is_empty() || list.0.iter().any(|m| self.holds_for_all(m))
    }

    /// Purposes follow where all of them are known to be below those named, or one is and
    /// one suffices.
    fn purposes(&self, wanted: &[Key], given: &[Key], read: (Reading, Reading)) -> bool {
        let below = |&key: &Key| wanted.iter().any(|&above| self.purposes.at_or_below(key, above));
        wanted.is_empty()
            || read == (Reading::Unlikely, Reading::Likely) && !given.is_empty() && given.iter().all(below)
    }
}

/// A key follows if it is not written, or all values of the other are among its own.
fn among<T: Eq + Hash>(wanted: &[T], given: &[T]) -> bool {
    let all = || {
        let wanted: FxHashSet<&T> = wanted.iter().collect();
        given.iter().all(|value| wanted.contains(value))
    };
    wanted.is_empty() || !given.is_empty() && all()
}

/// A closed set of words, of which a value always has one.
fn words<W: Word + Hash>(wanted: &[W], given: &[W]) -> bool {
    any_word(wanted) || among(wanted, given)
}

fn any_word<W: Word>(wanted: &[W]) -> bool {
    wanted.is_empty() || W::ALL.iter().all(|word| wanted.contains(word))
}

fn apart<T: Eq + Hash>(a: &[T], b: &[T]) -> bool {
    let none = || {
        let b: FxHashSet<&T> = b.iter().collect();
        a.iter().all(|value| !b.contains(value))
    };
    !a.is_empty() && !b.is_empty() && none()
}

/// Whether each of some places is one of those wanted, or a subdivision of one.
fn all_within(wanted: &CodeSet, given: &CodeSet) -> bool {
    !given.is_empty() && given.codes().all(|place| wanted.has(place))
}

/// A place may have several regions: as with purposes.
fn regions(wanted: &CodeSet, given: &CodeSet, read: (Reading, Reading)) -> bool {
    wanted.is_empty() || read == (Reading::Unlikely, Reading::Likely) && all_within(wanted, given)
}

fn apart_places(a: &CodeSet, b: &CodeSet) -> bool {
    let none = |some: &CodeSet, others: &CodeSet| some.codes().all(|place| !others.has(place));
    !a.is_empty() && !b.is_empty() && none(a, b) && none(b, a)
}

fn any_text(globs: &[Glob]) -> bool {
    globs.iter().any(|g| g.as_str() == "*")
}

fn globs(wanted: &GlobSet, given: &GlobSet) -> bool {
    let all = || {
        let same: FxHashSet<&str> = wanted.iter().map(Glob::as_str).collect();
        given.iter().all(|glob| {
            same.contains(glob.as_str()) || glob.literal().is_some_and(|text| wanted.matches(text))
        })
    };
    wanted.is_empty() || !given.is_empty() && (any_text(wanted) || all())
}

fn apart_globs(a: &GlobSet, b: &GlobSet) -> bool {
    // Of two globs that both stand for many names nothing is known.
    let many = |globs: &GlobSet| globs.iter().any(|glob| glob.literal().is_none());
    let meet = |a: &GlobSet, b: &GlobSet| a.iter().filter_map(Glob::literal).any(|text| b.matches(text));
    if a.is_empty() || b.is_empty() || many(a) && many(b) {
        return false;
    }
    !meet(a, b) && !meet(b, a)
}

/// Whether both name one and the same party.
fn one_party(a: &[Glob], b: &[Glob]) -> bool {
    matches!((a, b), ([a], [b]) if a.literal().is_some() && a.literal() == b.literal())
}

fn labels(wanted: &Labels, given: &Labels) -> bool {
    wanted.iter().all(|(key, like)| given.iter().any(|(name, given)| name == key && globs(like, given)))
}

fn apart_labels(a: &Labels, b: &Labels) -> bool {
    a.iter().any(|(key, a)| b.iter().any(|(name, b)| name == key && apart_globs(a, b)))
}

fn attested(wanted: &[Attested], given: &[Attested]) -> bool {
    let younger = |given: &Attested, wanted: &Attested| match (given.at_most, wanted.at_most) {
        (_, None) => true,
        (Some(given), Some(wanted)) => given <= wanted,
        (None, Some(_)) => false,
    };
    let covers = |a: &Attested| wanted.iter().any(|w| w.id == a.id && younger(a, w));
    wanted.is_empty() || !given.is_empty() && given.iter().all(covers)
}

impl Proof for GlobSet {
    fn follows(&self, given: &Self, looks: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        looks.always && any_text(self) || globs(self, given)
    }

    fn excludes(&self, other: &Self, looks: Looks) -> bool {
        // Of several one may be this and one that.
        !looks.several && apart_globs(self, other)
    }

    fn always(&self, looks: Looks, _: &Prover) -> bool {
        looks.always && any_text(self)
    }
}

impl Proof for Bases {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        globs(self, given)
    }
}

impl<W: Word + Hash> Proof for Vec<W> {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        words(self, given)
    }

    fn excludes(&self, other: &Self, looks: Looks) -> bool {
        !looks.several && apart(self, other)
    }

    fn always(&self, _: Looks, _: &Prover) -> bool {
        any_word(self)
    }
}

impl Proof for WordSet {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        among(self, given)
    }
}

impl Proof for AllOf {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        self.all_of(given)
    }
}

impl Proof for CodeSet {
    fn follows(&self, given: &Self, looks: Looks, read: (Reading, Reading), _: &Prover) -> bool {
        match looks.several {
            true => regions(self, given, read),
            false => all_within(self, given),
        }
    }

    fn excludes(&self, other: &Self, looks: Looks) -> bool {
        !looks.several && apart_places(self, other)
    }
}

impl Proof for Purposes {
    fn follows(&self, given: &Self, _: Looks, read: (Reading, Reading), p: &Prover) -> bool {
        p.purposes(self, given, read)
    }
}

impl Proof for AtLeast {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        let least = |list: &[Consent]| list.iter().min().copied();
        match (least(self), least(given)) {
            (None | Some(Consent::None), _) => true,
            (Some(wanted), Some(given)) => given >= wanted,
            (Some(_), None) => false,
        }
    }

    fn always(&self, _: Looks, _: &Prover) -> bool {
        self.contains(&Consent::None)
    }
}

impl Proof for Option<LeafSet> {
    fn follows(&self, given: &Self, looks: Looks, read: (Reading, Reading), _: &Prover) -> bool {
        let below = |wanted: &LeafSet, given: &LeafSet| given.is_subset(wanted);
        let all = read == (Reading::Unlikely, Reading::Likely) && !looks.several;
        all && self.as_ref().zip(given.as_ref()).is_some_and(|(wanted, given)| below(wanted, given))
    }

    fn always(&self, looks: Looks, p: &Prover) -> bool {
        !looks.several && self.as_ref() == Some(&p.all)
    }
}

impl Proof for Option<bool> {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        self == given
    }

    fn excludes(&self, other: &Self, _: Looks) -> bool {
        self != other
    }
}

impl Proof for ByFlow {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        self.0 == given.0
    }

    fn excludes(&self, other: &Self, _: Looks) -> bool {
        self.0 != other.0
    }
}

impl Proof for AtMost {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        given.zip(self.0).is_some_and(|(given, wanted)| given <= wanted)
    }
}

impl Proof for AnyOf<PlaceKeys> {
    fn follows(&self, given: &Self, _: Looks, read: (Reading, Reading), p: &Prover) -> bool {
        p.list_holds_for_all(self) || p.lists(self, given, read)
    }

    fn excludes(&self, other: &Self, _: Looks) -> bool {
        self.0.iter().all(|a| other.0.iter().all(|b| a.keys.exclude(&b.keys)))
    }

    fn always(&self, _: Looks, p: &Prover) -> bool {
        p.list_holds_for_all(self)
    }
}

impl Proof for Vec<AgreementRef> {
    fn follows(&self, given: &Self, _: Looks, read: (Reading, Reading), p: &Prover) -> bool {
        let agreement = |b: &AgreementRef, a: &AgreementRef| match (b, a) {
            (AgreementRef::None, AgreementRef::None) => true,
            (AgreementRef::Like(b), AgreementRef::Like(a)) => p.implied(b, &a.keys, read),
            _ => false,
        };
        !given.is_empty() && given.iter().all(|a| self.iter().any(|b| agreement(b, a)))
    }

    fn excludes(&self, other: &Self, _: Looks) -> bool {
        let apart = |a: &AgreementRef, b: &AgreementRef| match (a, b) {
            (AgreementRef::None, AgreementRef::None) => false,
            (AgreementRef::Like(a), AgreementRef::Like(b)) => a.keys.exclude(&b.keys),
            _ => true,
        };
        self.iter().all(|a| other.iter().all(|b| apart(a, b)))
    }

    fn always(&self, _: Looks, p: &Prover) -> bool {
        let any = |a: &AgreementRef| matches!(a, AgreementRef::Like(like) if p.holds_for_all(like));
        self.iter().any(any) && self.iter().any(|a| matches!(a, AgreementRef::None))
    }
}

impl Proof for Vec<Attested> {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        attested(self, given)
    }
}

impl Proof for Labels {
    fn follows(&self, given: &Self, _: Looks, _: (Reading, Reading), _: &Prover) -> bool {
        labels(self, given)
    }

    fn excludes(&self, other: &Self, _: Looks) -> bool {
        apart_labels(self, other)
    }
}

impl Contradict for PlaceKeys {}

impl Contradict for AgreementKeys {}

impl Contradict for FlowKeys {
    fn contradict(&self, reading: Reading, p: &Prover) -> Option<Why> {
        for ends in [&self.from, &self.to] {
            if let Some(why) = p.contradicts(ends, reading) {
                return Some(Why { other: Some(why.at), because: "one of its ends can never match", ..why });
            }
        }
        let pairs = || self.from.0.iter().flat_map(|a| self.to.0.iter().map(move |b| (&a.keys, &b.keys)));
        let both = !self.from.is_empty() && !self.to.is_empty();
        let other = |(a, b): (&PlaceKeys, &PlaceKeys)| {
            apart_globs(&a.party, &b.party)
                || apart(&a.role, &b.role)
                || apart_places(&a.jurisdiction, &b.jurisdiction)
        };
        let because = match self.crosses_parties {
            Some(false) if both && pairs().all(other) => "its ends belong to two parties",
            Some(true) if both && pairs().all(|(a, b)| one_party(&a.party, &b.party)) => {
                "its ends belong to one party"
            }
            _ => {
                let never = |a: &AgreementRef| matches!(a, AgreementRef::Like(like) if p.never(like, reading).is_some());
                if self.agreement.is_empty() || !self.agreement.iter().all(never) {
                    return None;
                }
                "no agreement can match"
            }
        };
        let at = self.from.span().or(self.to.span()).or_else(|| {
            self.agreement.iter().find_map(|a| match a {
                AgreementRef::Like(like) => Some(like.span),
                AgreementRef::None => None,
            })
        })?;
        Some(Why { at, other: Some(at), because })
    }
}

/// The exception that every chain of flows meets, and why: only the start of data can break the rule.
pub fn covering(forbid: &Forbid, data: &Tree, purposes: &Tree) -> Option<(Span, &'static str)> {
    Prover { purposes, all: LeafSet::full(data.leaf_count()) }.whole(forbid)
}

/// Whether every declaration says what is asked of it, so that nothing can be found.
pub fn kept_by_all(require: &Require) -> bool {
    let of = require.on.on();
    require.must.iter().all(|must| must_is_kept(fields::find(of, &must.field.path.value), must))
}

/// Whether every declaration says what is asked here.
fn must_is_kept(field: Option<&Field>, must: &Must) -> bool {
    let presence = field.map_or(Presence::Optional, |field| field.presence);
    let words = match must.field.kind {
        FieldKind::Word(words, _) if presence == Presence::Default => words(),
        _ => Vec::new(),
    };
    must.operators.iter().all(|operator| match operator {
        Operator::Present(true) => presence == Presence::Required,
        Operator::In(list) => !words.is_empty() && words.iter().all(|word| list.iter().any(|w| w == word)),
        Operator::AtMost(Bound::Rank(ranked)) => !words.is_empty() && ranked.rank + 1 >= words.len(),
        Operator::AtLeast(Bound::Rank(ranked)) => !words.is_empty() && ranked.rank == 0,
        _ => false,
    })
}
