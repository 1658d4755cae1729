//! A rule with one part taken away: if no test notices, none depends on that part.

use jiff::civil::Date;

use crate::base::duration::{Duration, Unit};
use crate::declare::policy::{
    AgreementKeys, AgreementRef, AnyOf, Body, Bound, FlowKeys, Keys, Matcher, Most, Must, Operator, Ranked,
    Require, Subjects,
};

/// A list of matchers within a rule.
macro_rules! field {
    ($body:expr, $kind:ident, $field:ident) => {
        match $body {
            Body::$kind(rule) => Some(&mut rule.$field),
            _ => None,
        }
    };
}
/// The `where` of a requirement.
macro_rules! subjects {
    ($body:expr, $kind:ident) => {
        match $body {
            Body::Require(Require { on: Subjects::$kind(list), .. }) => Some(list),
            _ => None,
        }
    };
}
/// A rule with one part taken away.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// What was taken away.
    pub what: String,
    /// What is left; `None`: the rule itself is gone.
    pub body: Option<Body>,
}

/// All mutants of a rule. What would be the same as another is left out.
pub fn mutants(body: &Body) -> Vec<Mutant> {
    let mut all = Mutants { body, list: Vec::new() };
    all.list.push(Mutant { what: "the rule".to_owned(), body: None });
    match body {
        Body::Forbid(forbid) => {
            if !forbid.data.is_empty() {
                all.forbid("`data`", |f| f.data.clear());
            }
            all.selecting("from", &forbid.from, &|b| field!(b, Forbid, from));
            all.selecting("to", &forbid.to, &|b| field!(b, Forbid, to));
            all.excepting("unless.through", &forbid.through, &|b| field!(b, Forbid, through));
            all.excepting("unless.arriving", &forbid.arriving, &|b| field!(b, Forbid, arriving));
        }
        Body::Limit(limit) => {
            all.selecting("at", &limit.at, &|b| field!(b, Limit, at));
            match &limit.most {
                Most::Together { of, at_least } => {
                    for at in 0..of.len() {
                        all.limit(&format!("{} category of `together`", nth(at)), |l| {
                            if let Most::Together { of, at_least } = &mut l.most {
                                // All are asked for, or as many as before of those that are left.
                                *at_least -= usize::from(*at_least == of.len());
                                of.remove(at);
                            }
                        });
                    }
                    if *at_least < of.len() {
                        all.limit(&format!("`at_least: {at_least}` (one more needed)"), |l| {
                            if let Most::Together { at_least, .. } = &mut l.most {
                                *at_least += 1;
                            }
                        });
                    }
                }
                Most::Origins { data, at_most } => {
                    if !data.is_empty() {
                        all.limit("`data`", |l| {
                            if let Most::Origins { data, .. } = &mut l.most {
                                data.clear();
                            }
                        });
                    }
                    all.limit(&format!("`origins_at_most: {at_most}` (one more allowed)"), |l| {
                        if let Most::Origins { at_most, .. } = &mut l.most {
                            *at_most = at_most.saturating_add(1);
                        }
                    });
                }
            }
            all.excepting("unless.through", &limit.through, &|b| field!(b, Limit, through));
        }
        Body::Require(require) => {
            match &require.on {
                Subjects::Agreements(list) => all.selecting("where", list, &|b| subjects!(b, Agreements)),
                Subjects::Flows(list) => all.selecting("where", list, &|b| subjects!(b, Flows)),
                Subjects::Systems(list) => all.selecting("where", list, &|b| subjects!(b, Systems)),
                Subjects::Parties(list) => all.selecting("where", list, &|b| subjects!(b, Parties)),
            }
            all.musts(require);
        }
    }
    all.ages();
    all.list
}

/// `1st`, `2nd`.
fn nth(at: usize) -> String {
    match at {
        0 => "the 1st".to_owned(),
        1 => "the 2nd".to_owned(),
        2 => "the 3rd".to_owned(),
        more => format!("the {}th", more + 1),
    }
}

/// Finds a list of matchers again in a copy of the rule.
type Find<'f, K> = &'f dyn Fn(&mut Body) -> Option<&mut AnyOf<K>>;

struct Mutants<'b> {
    body: &'b Body,
    list: Vec<Mutant>,
}

impl Mutants<'_> {
    fn add(&mut self, what: &str, change: impl FnOnce(&mut Body)) {
        let mut body = self.body.clone();
        change(&mut body);
        self.list.push(Mutant { what: what.to_owned(), body: Some(body) });
    }

    fn forbid(&mut self, what: &str, change: impl FnOnce(&mut crate::declare::policy::Forbid)) {
        self.add(what, |body| {
            if let Body::Forbid(forbid) = body {
                change(forbid);
            }
        });
    }

    fn limit(&mut self, what: &str, change: impl FnOnce(&mut crate::declare::policy::Limit)) {
        self.add(what, |body| {
            if let Body::Limit(limit) = body {
                change(limit);
            }
        });
    }

    /// A matcher that says what the rule looks at: without it, and without each of its parts.
    fn selecting<K: Keys>(&mut self, at: &str, list: &AnyOf<K>, find: Find<K>) {
        self.whole(at, list, find);
        // Without its only part a matcher holds for all, as if it were not there.
        self.parts(at, list, find, 1);
    }

    /// An exception: without it, without each alternative, and wider by each of its parts.
    fn excepting<K: Keys>(&mut self, at: &str, list: &AnyOf<K>, find: Find<K>) {
        self.whole(at, list, find);
        if list.0.len() > 1 {
            for index in 0..list.0.len() {
                self.add(&format!("{} alternative of `{at}`", nth(index)), |body| {
                    if let Some(list) = find(body) {
                        list.0.remove(index);
                    }
                });
            }
        }
        self.parts(at, list, find, 0);
    }

    fn whole<K>(&mut self, at: &str, list: &AnyOf<K>, find: Find<K>) {
        if !list.is_empty() {
            self.add(&format!("`{at}`"), |body| {
                if let Some(list) = find(body) {
                    list.0.clear();
                }
            });
        }
    }

    fn parts<K: Keys>(&mut self, at: &str, list: &AnyOf<K>, find: Find<K>, too_few: usize) {
        let several = list.0.len() > 1;
        for (index, matcher) in list.0.iter().enumerate() {
            let of = if several { format!("{at}[{}]", index + 1) } else { at.to_owned() };
            let stated = matcher.keys.stated();
            let parts = stated.len() + usize::from(!matcher.any.is_empty()) + matcher.not.len();
            if parts <= too_few {
                continue;
            }
            let mut change = |what: &str, change: &dyn Fn(&mut Matcher<K>)| {
                self.add(what, |body| {
                    if let Some(matcher) = find(body).and_then(|list| list.0.get_mut(index)) {
                        change(matcher);
                    }
                });
            };
            for key in stated {
                change(&format!("`{of}.{key}`"), &|m| m.keys.leave_out(key));
            }
            if !matcher.any.is_empty() {
                change(&format!("`{of}.any`"), &|m| m.any.clear());
            }
            for at in 0..matcher.not.len() {
                let which = if matcher.not.len() > 1 {
                    format!("{} `{of}.not`", nth(at))
                } else {
                    format!("`{of}.not`")
                };
                change(&which, &|m| {
                    m.not.remove(at);
                });
            }
        }
    }

    fn musts(&mut self, require: &Require) {
        let change = |this: &mut Self, what: String, change: &dyn Fn(&mut Vec<Must>)| {
            this.add(&what, |body| {
                if let Body::Require(require) = body {
                    change(&mut require.must);
                }
            });
        };
        for (at, must) in require.must.iter().enumerate() {
            let path = &must.field.path.value;
            // Without its only field a requirement asks nothing, as if it were not there.
            if require.must.len() > 1 {
                change(self, format!("`must: {path}`"), &|all| {
                    all.remove(at);
                });
            }
            for (index, operator) in must.operators.iter().enumerate() {
                if must.operators.len() > 1 {
                    change(self, format!("`{}` of `must: {path}`", name(operator)), &|all| {
                        if let Some(must) = all.get_mut(at) {
                            must.operators.remove(index);
                        }
                    });
                }
                if let Some(wider) = widened(operator) {
                    change(self, format!("the bound of `{}` of `must: {path}`", name(operator)), &|all| {
                        if let Some(old) = all.get_mut(at).and_then(|must| must.operators.get_mut(index)) {
                            *old = wider.clone();
                        }
                    });
                }
            }
        }
    }

    /// Assurances of any age, in the place of those not older than so long.
    fn ages(&mut self) {
        let mut ages: Vec<(String, Duration)> = Vec::new();
        each_age(&mut self.body.clone(), &mut |id, age| ages.push((id.to_owned(), *age)));
        for (at, (id, age)) in ages.into_iter().enumerate() {
            if age == Duration::Unlimited {
                continue;
            }
            self.add(&format!("`at_most: {age}` of the assurance `{id}`"), |body| {
                let mut seen = 0;
                each_age(body, &mut |_, age| {
                    if seen == at {
                        *age = Duration::Unlimited;
                    }
                    seen += 1;
                });
            });
        }
    }
}

fn name(operator: &Operator) -> &'static str {
    match operator {
        Operator::Present(_) => "present",
        Operator::In(_) | Operator::Within(_) => "in",
        Operator::Under(_) => "under",
        Operator::AtMost(_) => "at_most",
        Operator::AtLeast(_) => "at_least",
        Operator::Matches(..) => "matches",
        Operator::Includes(_) | Operator::Attests(_) => "includes",
    }
}

/// The operator with a bound that all values keep, unless it is one.
fn widened(operator: &Operator) -> Option<Operator> {
    let (bound, most) = match operator {
        Operator::AtMost(bound) => (bound, true),
        Operator::AtLeast(bound) => (bound, false),
        _ => return None,
    };
    let widest = match (bound, most) {
        (Bound::Duration(_), true) => Bound::Duration(Duration::Unlimited),
        (Bound::Duration(_), false) => Bound::Duration(Duration::Of(0, Unit::Hour)),
        (Bound::Date(_), true) => Bound::Date(Date::MAX),
        (Bound::Date(_), false) => Bound::Date(Date::MIN),
        (Bound::Count(_), true) => Bound::Count(u64::MAX),
        (Bound::Count(_), false) => Bound::Count(0),
        (Bound::Rank(ranked), true) => Bound::Rank(Ranked { rank: usize::MAX, ..*ranked }),
        (Bound::Rank(ranked), false) => Bound::Rank(Ranked { rank: 0, ..*ranked }),
    };
    let same = match (bound, &widest) {
        (Bound::Rank(old), Bound::Rank(new)) => old.rank == new.rank,
        (old, new) => old == new,
    };
    (!same).then_some(if most { Operator::AtMost(widest) } else { Operator::AtLeast(widest) })
}

/// Visits the age of each assurance that a rule asks for.
fn each_age(body: &mut Body, visit: &mut dyn FnMut(&str, &mut Duration)) {
    match body {
        Body::Forbid(forbid) => {
            in_flows(&mut forbid.through.0, visit);
            in_flows(&mut forbid.arriving.0, visit);
        }
        Body::Limit(limit) => in_flows(&mut limit.through.0, visit),
        Body::Require(require) => {
            match &mut require.on {
                Subjects::Agreements(list) => in_agreements(&mut list.0, visit),
                Subjects::Flows(list) => in_flows(&mut list.0, visit),
                Subjects::Systems(_) | Subjects::Parties(_) => {}
            }
            for operator in require.must.iter_mut().flat_map(|must| &mut must.operators) {
                if let Operator::Attests(list) = operator {
                    in_assurances(list, visit);
                }
            }
        }
    }
}

fn in_assurances(list: &mut [crate::declare::policy::Attested], visit: &mut dyn FnMut(&str, &mut Duration)) {
    for wanted in list {
        if let Some(age) = &mut wanted.at_most {
            visit(&wanted.id, age);
        }
    }
}

fn in_agreements(list: &mut [Matcher<AgreementKeys>], visit: &mut dyn FnMut(&str, &mut Duration)) {
    for matcher in list {
        in_assurances(&mut matcher.keys.assurance, visit);
        in_agreements(&mut matcher.any, visit);
        in_agreements(&mut matcher.not, visit);
    }
}

fn in_flows(list: &mut [Matcher<FlowKeys>], visit: &mut dyn FnMut(&str, &mut Duration)) {
    for matcher in list {
        for agreement in &mut matcher.keys.agreement {
            if let AgreementRef::Like(like) = agreement {
                in_agreements(std::slice::from_mut(like), visit);
            }
        }
        in_flows(&mut matcher.any, visit);
        in_flows(&mut matcher.not, visit);
    }
}
