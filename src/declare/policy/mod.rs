//! Policies: rules over declared flows, as written.

mod asked;
mod joined;
mod matcher;
mod never;
pub use never::{covering, kept_by_all};
mod require;

use matcher::Stands;
pub use matcher::{
    AgreementKeys, AgreementRef, AllOf, AnyOf, AtLeast, AtMost, Attested, Bases, ByFlow, FlowKeys, Keys,
    Labels, Matcher, PlaceKeys, Purposes, Reading,
};
pub use require::{Bound, Must, Operator, Ranked, Subjects};

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::base::diagnostic::Diagnostic;
use crate::base::source::Span;
use crate::base::taxonomy::Key;
use crate::base::vocabulary::{Confidence, PolicyStatus, Severity};
use crate::read::decode::{Decoder, Fields, Spanned};
use crate::read::yaml::{Node, Value};

/// A set of rules.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its id; the first part of its rules' full ids.
    pub id: Spanned<String>,
    /// What it is called.
    pub title: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its legal standing.
    pub status: PolicyStatus,
    /// The day its facts were established.
    pub as_of: Option<Date>,
    /// What it looks at.
    pub about: Option<String>,
    /// What no declared flow shows, whatever its rules find.
    pub cannot_see: Option<String>,
    /// The rules.
    pub rules: Vec<Rule>,
}

impl Policy {
    /// The full id of one of its rules.
    pub fn full_id(&self, rule: &Rule) -> String {
        format!("{}/{}", self.id.value, rule.id.value)
    }

    /// How many of its rules follow data along flows.
    pub fn following(&self) -> usize {
        self.rules.iter().filter(|rule| rule.body.follows_flows()).count()
    }
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id within the policy.
    pub id: Spanned<String>,
    /// What it demands, in a few words.
    pub title: Option<String>,
    /// How much breaking it matters (high unless stated).
    pub severity: Severity,
    /// What it rests on.
    pub cite: Vec<String>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// The rows of the legal notes that it rests on.
    pub law: Vec<String>,
    /// Its legal standing; that of its policy, unless it states its own.
    pub status: PolicyStatus,
    /// The day its facts were established; that of its policy, unless it states its own.
    pub as_of: Option<Date>,
    /// What these were read in.
    pub confidence: Option<Confidence>,
    /// What it looks at in declared flows.
    pub sees: Option<String>,
    /// What it cannot see in them.
    pub cannot_see: Option<String>,
    /// What it says.
    pub body: Body,
}

/// What a rule or a promise says.
#[derive(Debug, Clone)]
pub enum Body {
    /// Data that must not get somewhere.
    Forbid(Forbid),
    /// What one place may hold at once.
    Limit(Limit),
    /// What a declaration must say.
    Require(Require),
}

impl Body {
    /// Whether it follows data along flows; a requirement looks at one declaration alone.
    pub fn follows_flows(&self) -> bool {
        !matches!(self, Body::Require(_))
    }
}

/// Data that must not get somewhere. What is left out means any.
#[derive(Debug, Clone)]
pub struct Forbid {
    /// The data.
    pub data: Vec<Spanned<Key>>,
    /// Where it comes from.
    pub from: AnyOf<PlaceKeys>,
    /// Where it arrives.
    pub to: AnyOf<PlaceKeys>,
    /// A walk over such a flow is exempt.
    pub through: AnyOf<FlowKeys>,
    /// A last flow like this is exempt.
    pub arriving: AnyOf<FlowKeys>,
    /// Where it is written.
    pub span: Span,
}

/// What one place may hold at once.
#[derive(Debug, Clone)]
pub struct Limit {
    /// The places.
    pub at: AnyOf<PlaceKeys>,
    /// What is one place.
    pub scope: LimitScope,
    /// What is counted.
    pub most: Most,
    /// A walk over such a flow is exempt.
    pub through: AnyOf<FlowKeys>,
    /// Where it is written.
    pub span: Span,
}

/// What is one place of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// A system that matches.
    System,
    /// All systems of a party of which one matches.
    Party,
    /// All systems of a group of parties of which one matches.
    Group,
}

impl LimitScope {
    /// All, as they are written.
    pub const ALL: [(&str, LimitScope); 3] =
        [("system", LimitScope::System), ("party", LimitScope::Party), ("group", LimitScope::Group)];

    /// By its word.
    pub fn of(named: &str) -> Option<LimitScope> {
        LimitScope::ALL.iter().find(|(word, _)| *word == named).map(|(_, scope)| *scope)
    }
}

/// What a limit counts.
#[derive(Debug, Clone)]
pub enum Most {
    /// Of these categories not so many.
    Together {
        /// The categories.
        of: Vec<Spanned<Key>>,
        /// How many of them are too many; all, unless it is stated.
        at_least: usize,
    },
    /// Data of these categories from so many parties at most.
    Origins {
        /// The data.
        data: Vec<Spanned<Key>>,
        /// How many distinct origin parties.
        at_most: u64,
    },
}

/// What a declaration must say.
#[derive(Debug, Clone)]
pub struct Require {
    /// Which declarations.
    pub on: Subjects,
    /// What each must say.
    pub must: Vec<Must>,
    /// Where it is written.
    pub span: Span,
}

/// Ids that a policy may not take: they begin the built-in checks' names.
pub const RESERVED: [&str; 4] = ["terms", "flow", "agreement", "statement"];

/// Reads a policy.
pub fn policy(d: &mut Decoder, node: &Node) -> Option<Policy> {
    let mut f = Fields::new(d, node, "a policy")?;
    let id = f.required(d, "policy", |d, n| d.id(n));
    if let Some(id) = &id
        && RESERVED.contains(&id.value.as_str())
    {
        d.report(
            Diagnostic::new("reserved-id", format!("a policy cannot be called `{}`", id.value), id.span)
                .label("taken by the built-in checks")
                .help("choose another id"),
        );
    }
    let text = |d: &mut Decoder, f: &mut Fields, key| f.with(d, key, |d, n| d.text(n)).map(|t| t.value);
    let title = text(d, &mut f, "title");
    let version = text(d, &mut f, "version");
    let status = f.with(d, "status", |d, n| d.word::<PolicyStatus>(n));
    let as_of = f.with(d, "as_of", |d, n| d.date(n)).map(|t| t.value);
    let about = text(d, &mut f, "about");
    let cannot_see = text(d, &mut f, "cannot_see");
    let status = stated(d, status).unwrap_or(PolicyStatus::House);
    let rules = f.list(d, "rules", |d, n| rule(d, n, (status, as_of), version.as_deref()));
    f.finish(d);
    let mut named: FxHashMap<&str, Span> = FxHashMap::default();
    for rule in &rules {
        let first = *named.entry(&rule.id.value).or_insert(rule.id.span);
        if first != rule.id.span {
            d.report(
                Diagnostic::new(
                    "duplicate-id",
                    format!("two rules are called `{}`", rule.id.value),
                    rule.id.span,
                )
                .label("declared again")
                .also(first, "first declared here"),
            );
        }
    }
    Some(Policy { id: id?, title, version, status, as_of, about, cannot_see, rules })
}

/// A standing that a policy or a rule may state.
fn stated(d: &mut Decoder, status: Option<Spanned<PolicyStatus>>) -> Option<PolicyStatus> {
    let status = status?;
    if status.value == PolicyStatus::NewRule {
        d.report(
            Diagnostic::new("unknown-word", "`new_rule` is not a status to be stated", status.span)
                .label("expected a policy status")
                .help("a rule states with `since` which version of its policy added it"),
        );
    }
    Some(status.value)
}

/// A version: up to three numbers.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let mut all = [0; 3];
    let mut parts = text.split('.');
    for number in &mut all {
        let Some(part) = parts.next() else { break };
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(all)
}

/// Whether a rule came after the major version of its policy: its findings do not fail unless that is asked for.
fn is_new(d: &mut Decoder, since: Option<Spanned<String>>, policy: Option<&str>) -> bool {
    let Some(since) = since else { return false };
    let mistake = |message: String, help: &str| {
        Diagnostic::new("bad-version", message, since.span).label("expected a version, like `2.1`").help(help)
    };
    let Some(added) = numbers(&since.value) else {
        d.report(mistake(format!("`{}` is not a version", since.value), "write up to three numbers"));
        return false;
    };
    match policy.and_then(numbers) {
        None => {
            let message = "`since` is the version of a policy whose `version` is no version".to_owned();
            d.report(mistake(message, "state the policy's `version`, like `2.1.0`"));
            false
        }
        Some(now) if added > now => {
            let message = format!("`{}` is after the version of the policy", since.value);
            d.report(mistake(message, "raise the policy's `version`"));
            false
        }
        Some([major, ..]) => added > [major, 0, 0],
    }
}

fn rule(
    d: &mut Decoder,
    node: &Node,
    of_policy: (PolicyStatus, Option<Date>),
    version: Option<&str>,
) -> Option<Rule> {
    let mut f = Fields::new(d, node, "a rule")?;
    let text = |d: &mut Decoder, f: &mut Fields, key| f.with(d, key, |d, n| d.text(n)).map(|t| t.value);
    let id = f.required(d, "id", |d, n| d.id(n));
    let title = text(d, &mut f, "title");
    let severity = f.with(d, "severity", |d, n| d.word::<Severity>(n));
    let cite = f.list(d, "cite", |d, n| d.text(n)).into_iter().map(|t| t.value).collect();
    let why = text(d, &mut f, "why");
    let remedy = text(d, &mut f, "remedy");
    let law = f.list(d, "law", |d, n| d.text(n)).into_iter().map(|t| t.value).collect();
    let status = f.with(d, "status", |d, n| d.word::<PolicyStatus>(n));
    let status = stated(d, status).unwrap_or(of_policy.0);
    let since = f.with(d, "since", |d, n| d.text(n));
    let binds = matches!(status, PolicyStatus::InForce | PolicyStatus::Contractual | PolicyStatus::House);
    let status = if is_new(d, since, version) && binds { PolicyStatus::NewRule } else { status };
    let as_of = f.with(d, "as_of", |d, n| d.date(n)).map(|t| t.value).or(of_policy.1);
    let confidence = f.with(d, "confidence", |d, n| d.word::<Confidence>(n)).map(|w| w.value);
    let sees = text(d, &mut f, "sees");
    let cannot_see = text(d, &mut f, "cannot_see");
    let before = d.diagnostics.len();
    let body = body(d, &mut f);
    if let (Some(body), true) = (&body, d.diagnostics.len() == before) {
        never::check(d, body);
    }
    f.finish(d);
    Some(Rule {
        id: id?,
        title,
        severity: severity.map_or(Severity::High, |w| w.value),
        cite,
        why,
        remedy,
        law,
        status,
        as_of,
        confidence,
        sees,
        cannot_see,
        body: body?,
    })
}

/// Reads `forbid`, `limit` or `require`, of which there must be one.
pub fn body(d: &mut Decoder, f: &mut Fields) -> Option<Body> {
    let present: Vec<_> = ["forbid", "limit", "require"]
        .into_iter()
        .filter_map(|key| f.get(key).map(|node| (key, node, f.key_span(key))))
        .collect();
    if let [_, (key, _, Some(span)), ..] = present.as_slice() {
        d.report(
            Diagnostic::new("two-rules-in-one", "a rule is one of `forbid`, `limit`, `require`", *span)
                .label(format!("`{key}` besides another"))
                .help("make two rules of it"),
        );
    }
    let Some((key, node, span)) = present.first() else {
        d.report(
            Diagnostic::new("missing-key", "this says neither `forbid` nor `limit` nor `require`", f.head())
                .label("expected one of `forbid`, `limit`, `require`"),
        );
        return None;
    };
    let span = span.unwrap_or(node.span);
    match *key {
        "forbid" => forbid(d, node, span).map(Body::Forbid),
        "limit" => limit(d, node, span).map(Body::Limit),
        _ => require::require(d, node, span).map(Body::Require),
    }
}

fn unless(d: &mut Decoder, f: &mut Fields, with_arriving: bool) -> (AnyOf<FlowKeys>, AnyOf<FlowKeys>) {
    let both = f.with(d, "unless", |d, node| {
        let mut f = Fields::new(d, node, "an exception")?;
        let through = matcher::any_of(d, &mut f, "through", Stands::Elsewhere);
        let arriving = if with_arriving {
            matcher::any_of(d, &mut f, "arriving", Stands::Elsewhere)
        } else {
            AnyOf::default()
        };
        if !with_arriving && let Some(span) = f.key_span("arriving") {
            f.known_elsewhere("arriving");
            d.report(
                Diagnostic::new("unknown-key", "`arriving` is known in a `forbid` alone", span)
                    .label("not known here")
                    .help("a `limit` looks at what is held, by whatever flow it came: use `through`"),
            );
        } else if through.is_empty() && arriving.is_empty() {
            d.report(
                Diagnostic::new("empty-matcher", "an exception without `through` excepts nothing", node.span)
                    .label(if with_arriving {
                        "expected `through` or `arriving`"
                    } else {
                        "expected `through`"
                    }),
            );
        }
        f.finish(d);
        Some((through, arriving))
    });
    both.unwrap_or_default()
}

fn forbid(d: &mut Decoder, node: &Node, span: Span) -> Option<Forbid> {
    let mut f = Fields::new(d, node, "a `forbid`")?;
    let data = f.list(d, "data", |d, n| d.category(n));
    let from = matcher::any_of(d, &mut f, "from", Stands::Elsewhere);
    let to = matcher::any_of(d, &mut f, "to", Stands::Arrival);
    let (through, arriving) = unless(d, &mut f, true);
    if ["data", "from", "to"].into_iter().all(|key| f.get(key).is_none()) {
        d.report(
            Diagnostic::new("missing-key", "a `forbid` says which `data`, `from` where or `to` where", span)
                .label("expected `data`, `from` or `to`"),
        );
    }
    f.finish(d);
    Some(Forbid { data, from, to, through, arriving, span })
}

fn limit(d: &mut Decoder, node: &Node, span: Span) -> Option<Limit> {
    let mut f = Fields::new(d, node, "a `limit`")?;
    let at = matcher::any_of(d, &mut f, "at", Stands::Elsewhere);
    let scope = f.with(d, "scope", |d, n| d.text(n));
    let place = scope.as_ref().map(|scope| LimitScope::of(&scope.value));
    if let (Some(scope), Some(None)) = (&scope, place) {
        let near = d.near(&scope.value, LimitScope::ALL.iter().map(|(word, _)| *word));
        let mistake =
            Diagnostic::new("unknown-word", format!("`{}` is not a scope", scope.value), scope.span)
                .label("expected system, party or group");
        d.report(match near {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => mistake,
        });
    }
    let together = together(d, &mut f);
    let data = f.list(d, "data", |d, n| d.category(n));
    let at_most = f.with(d, "origins_at_most", |d, n| d.count(n));
    let (through, _) = unless(d, &mut f, false);
    let stated = |f: &mut Fields, key| f.get(key).is_some();
    let origins = stated(&mut f, "origins_at_most");
    if stated(&mut f, "together") == origins {
        d.report(
            Diagnostic::new("missing-key", "a `limit` has either `together` or `origins_at_most`", span)
                .label("expected one of `together`, `origins_at_most`"),
        );
    } else if !origins && stated(&mut f, "data") {
        d.report(
            Diagnostic::new("unknown-key", "`data` goes with `origins_at_most`, not with `together`", span)
                .label("expected `together` alone"),
        );
    }
    f.finish(d);
    let most = match at_most {
        Some(at_most) => Most::Origins { data, at_most: at_most.value },
        None => together,
    };
    Some(Limit { at, scope: place.flatten().unwrap_or(LimitScope::System), most, through, span })
}

/// Reads what must not be held together: a list of categories, or `{of, at_least}`.
fn together(d: &mut Decoder, f: &mut Fields) -> Most {
    let some = match f.get("together") {
        Some(node) if matches!(node.value, Value::Map(_)) => f
            .with(d, "together", |d, node| {
                let mut f = Fields::new(d, node, "`together`")?;
                let of = f.list(d, "of", |d, n| d.category(n));
                if f.get("of").is_none() {
                    f.missing(d, "of");
                }
                let at_least = f.required(d, "at_least", |d, n| d.count(n));
                f.finish(d);
                let at_least = at_least?;
                let number = usize::try_from(at_least.value).unwrap_or(usize::MAX);
                if number == 0 || number > of.len() && !of.is_empty() {
                    d.report(
                        Diagnostic::new(
                            "out-of-range",
                            format!("`at_least` is {number}, of {} categories", of.len()),
                            at_least.span,
                        )
                        .label(format!("expected 1 to {}", of.len())),
                    );
                }
                Some((of, number))
            })
            .unwrap_or_default(),
        _ => {
            let of = f.list(d, "together", |d, n| d.category(n));
            let all = of.len();
            (of, all)
        }
    };
    Most::Together { of: some.0, at_least: some.1 }
}
