//! Matchers, read at worst.

use super::resolve::{Model, consent_rank};
use super::taxonomy::{at_or_below, below_any};
use super::world::{
    AgreementMatcher, AgreementTest, Duration, FlowMatcher, LabelTests, Labels, PlaceMatcher,
};

/// Whether a match makes a finding more or less likely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    More,
    Less,
}

impl Reading {
    fn turned(self) -> Reading {
        match self {
            Reading::More => Reading::Less,
            Reading::Less => Reading::More,
        }
    }
}

/// What a place matcher looks at.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub party: usize,
    /// None for a party without systems.
    pub system: Option<usize>,
    /// In `forbid.to` only.
    pub arrival: Option<Arrival>,
}

/// How data came to a place: the last flow, if any, and the relation.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub flow: Option<usize>,
    pub relation: &'static str,
}

/// `*` and `?`, the whole string, with case.
pub fn glob(pattern: &str, text: &str) -> bool {
    fn go(p: &[char], t: &[char]) -> bool {
        match p.split_first() {
            None => t.is_empty(),
            Some(('*', rest)) => (0..=t.len()).any(|n| go(rest, &t[n..])),
            Some(('?', rest)) => !t.is_empty() && go(rest, &t[1..]),
            Some((c, rest)) => t.first() == Some(c) && go(rest, &t[1..]),
        }
    }
    let p: Vec<char> = pattern.chars().collect();
    let t: Vec<char> = text.chars().collect();
    go(&p, &t)
}

fn any_glob(patterns: &[String], text: Option<&str>) -> bool {
    text.is_some_and(|text| patterns.iter().any(|p| glob(p, text)))
}

/// A key that is not written holds; one that is must.
fn key(wanted: &[String], holds: impl FnOnce(&[String]) -> bool) -> bool {
    wanted.is_empty() || holds(wanted)
}

/// Every label asked for has a value, by the nearest declaration that states it, that
/// one of the globs is.
fn labels(wanted: &LabelTests, nearest_first: &[&Labels]) -> bool {
    wanted.iter().all(|(name, globs)| {
        let stated = nearest_first.iter().filter_map(|labels| labels.get(name)).next();
        any_glob(globs, stated.map(String::as_str))
    })
}

/// Some groups of places, as far as the places of random worlds are in them.
const GROUPS: [(&str, &[&str]); 3] =
    [("EEA", &["DE", "FR", "RE"]), ("EU-adequate", &["GB", "GG"]), ("US", &["US", "PR"])];

/// Whether a place is another one, a part of it, or in the group of that name.
pub fn within(place: &str, named: &str) -> bool {
    let (place, named) = (place.to_uppercase(), named.to_uppercase());
    let is = |named: &str| place == named || place.starts_with(&format!("{named}-"));
    match GROUPS.iter().find(|(group, _)| group.to_uppercase() == named) {
        Some((_, members)) => members.iter().any(|member| is(member)),
        None => is(&named),
    }
}

/// Older words for legal bases and what they are read as, as far as random worlds have them.
const OLDER: [(&str, &str); 3] = [
    ("consent", "gdpr:consent"),
    ("contract", "gdpr:contract"),
    ("glba_processing", "glba:1016.14_servicing"),
];

/// Whether a basis is one of those asked for; an older word is the right one, wherever it stands.
fn is_basis(wanted: &[String], basis: &str) -> bool {
    let right = OLDER.iter().find(|(older, _)| *older == basis).map(|(_, right)| *right);
    let asked_by_older = |pattern: &str| {
        let bare = pattern.trim_end_matches('*');
        OLDER.iter().any(|(older, right)| *older == bare && *right == basis)
    };
    any_glob(wanted, Some(basis)) || any_glob(wanted, right) || wanted.iter().any(|w| asked_by_older(w))
}

fn exact(wanted: &[String], value: &str) -> bool {
    wanted.iter().any(|w| w == value)
}

/// One of several suffices, or all must hold and there must be one.
fn some_or_all<T>(all: &[T], reading: Reading, holds: impl Fn(&T) -> bool) -> bool {
    match reading {
        Reading::More => all.iter().any(holds),
        Reading::Less => !all.is_empty() && all.iter().all(holds),
    }
}

impl Model<'_> {
    /// Whether any of the matchers holds for a place.
    pub fn place(&self, matchers: &[PlaceMatcher], place: Place, reading: Reading) -> bool {
        matchers.iter().any(|m| self.one_place(m, place, reading))
    }

    fn one_place(&self, m: &PlaceMatcher, place: Place, reading: Reading) -> bool {
        let party = &self.world.parties[place.party];
        let system = place.system.map(|s| &self.systems[s]);
        let mut purposes: Vec<&String> =
            system.map(|s| s.declared.purposes.iter().collect()).unwrap_or_default();
        let arriving = place.arrival.and_then(|a| a.flow);
        purposes.extend(arriving.into_iter().flat_map(|e| &self.flows[e].purposes));
        let purpose_holds = |wanted: &[String]| {
            some_or_all(&purposes, reading, |p| {
                below_any(p, wanted)
                    || (place.arrival.is_some()
                        && reading == Reading::More
                        && wanted.iter().any(|named| at_or_below(named, p)))
            })
        };
        let tags = system.map(|s| &s.declared.tags);
        let regions = system.map(|s| s.regions.clone()).unwrap_or_default();
        let in_region = |w: &[String]| {
            some_or_all(&regions, reading, |region| w.iter().any(|named| within(region, named)))
        };
        let in_jurisdiction = |w: &[String]| {
            let own = party.jurisdiction.as_deref();
            own.is_some_and(|own| w.iter().any(|named| within(own, named)))
        };
        key(&m.party, |w| any_glob(w, Some(&party.id)))
            && key(&m.system, |w| any_glob(w, system.map(|s| &*s.name)))
            && key(&m.role, |w| exact(w, self.role(place.party)))
            && key(&m.purpose, purpose_holds)
            && key(&m.tag, |w| tags.is_some_and(|tags| tags.iter().any(|t| exact(w, t))))
            && key(&m.region, in_region)
            && key(&m.jurisdiction, in_jurisdiction)
            && match system {
                // `place.party` is the controller in `forbid.from`.
                Some(s) => labels(&m.label, &[&s.declared.labels, &party.labels]),
                None => labels(&m.label, &[&party.labels]),
            }
            && key(&m.relation, |w| place.arrival.is_some_and(|a| exact(w, a.relation)))
            && m.by_flow.is_none_or(|wanted| place.arrival.is_some_and(|a| wanted == a.flow.is_some()))
            && (m.not.is_empty() || !self.place(&m.not, place, reading.turned()))
            && (m.any.is_empty() || self.place(&m.any, place, reading))
    }

    /// Whether any of the matchers holds for a flow.
    pub fn flow_matches(&self, matchers: &[FlowMatcher], e: usize, reading: Reading) -> bool {
        self.matches_with(matchers, (e, self.flows[e].transform()), reading)
    }

    /// Whether a list exempts a flow only for what it does to the data: without that it would not match.
    pub fn by_transform(&self, matchers: &[FlowMatcher], e: usize, reading: Reading) -> bool {
        self.flow_matches(matchers, e, reading) && !self.matches_with(matchers, (e, "none"), reading)
    }

    /// As if that were the flow's transform.
    fn matches_with(&self, matchers: &[FlowMatcher], flow: (usize, &str), reading: Reading) -> bool {
        matchers.iter().any(|m| self.one_flow(m, flow, reading))
    }

    fn one_flow(&self, m: &FlowMatcher, (e, transform): (usize, &str), reading: Reading) -> bool {
        let flow = &self.flows[e];
        let end = |system: usize| Place { party: self.owner(system), system: Some(system), arrival: None };
        let leaves: Vec<usize> = flow.data.iter().copied().collect();
        key(&m.transform, |w| exact(w, transform))
            && key(&m.consent, |w| w.iter().any(|least| consent_rank(flow.consent()) >= consent_rank(least)))
            && key(&m.safeguards, |w| w.iter().all(|s| flow.written.safeguards.contains(s)))
            && m.retention.as_ref().is_none_or(|most| {
                let kept = flow.retention.as_ref().map(Duration::hours);
                match (kept, most.at_most.hours()) {
                    (None, _) | (Some(None), Some(_)) => false,
                    (Some(_), None) => true,
                    (Some(Some(kept)), Some(most)) => kept <= most,
                }
            })
            && key(&m.purpose, |w| some_or_all(&flow.purposes, reading, |p| below_any(p, w)))
            && key(&m.tag, |w| flow.written.tags.iter().any(|t| exact(w, t)))
            && labels(&m.label, &[&flow.written.labels])
            && key(&m.data, |w| some_or_all(&leaves, reading, |l| below_any(&self.leaves[*l], w)))
            && (m.from.is_empty() || self.place(&m.from, end(flow.from), reading))
            && (m.to.is_empty() || self.place(&m.to, end(flow.to), reading))
            && m.crosses_parties.is_none_or(|wanted| wanted == self.crosses_parties(e))
            && match &m.agreement {
                None => true,
                Some(AgreementTest::None(_)) => flow.agreement.is_none(),
                Some(AgreementTest::Some(tests)) => {
                    flow.agreement.is_some_and(|a| self.agreement(tests, a, Some(e), reading))
                }
            }
            && (m.not.is_empty() || !self.matches_with(&m.not, (e, transform), reading.turned()))
            && (m.any.is_empty() || self.matches_with(&m.any, (e, transform), reading))
    }

    /// Whether any of the matchers holds for an agreement, seen from one of its
    /// flows or, in a `where`, by itself.
    pub fn agreement(
        &self,
        matchers: &[AgreementMatcher],
        a: usize,
        seen_from: Option<usize>,
        reading: Reading,
    ) -> bool {
        matchers.iter().any(|m| self.one_agreement(m, a, seen_from, reading))
    }

    fn one_agreement(
        &self,
        m: &AgreementMatcher,
        a: usize,
        seen_from: Option<usize>,
        reading: Reading,
    ) -> bool {
        let agreement = &self.world.agreements[a];
        let legal_basis = match seen_from {
            Some(e) => &self.flows[e].legal_basis,
            None => &agreement.legal_basis,
        };
        key(&m.id, |w| any_glob(w, Some(&agreement.id)))
            && key(&m.kind, |w| exact(w, self.kind(a)))
            && key(&m.status, |w| exact(w, self.status(a)))
            && key(&m.legal_basis, |w| legal_basis.iter().any(|basis| is_basis(w, basis)))
            && (m.assurance.is_empty()
                || m.assurance.iter().any(|wanted| self.attested(a, seen_from, wanted)))
            && labels(&m.label, &[&agreement.labels])
            && key(&m.party, |w| agreement.parties.iter().any(|p| any_glob(w, Some(p))))
            && key(&m.role, |w| {
                let mut parties = agreement.parties.iter();
                parties.any(|p| exact(w, self.role(self.party(p))))
            })
            && key(&m.data, |w| {
                let mut own = self.flows.iter().filter(|f| f.agreement == Some(a));
                own.any(|f| {
                    let leaves: Vec<usize> = f.data.iter().copied().collect();
                    some_or_all(&leaves, reading, |l| below_any(&self.leaves[*l], w))
                })
            })
            && (m.not.is_empty() || !self.agreement(&m.not, a, seen_from, reading.turned()))
            && (m.any.is_empty() || self.agreement(&m.any, a, seen_from, reading))
    }
}
