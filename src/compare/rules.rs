//! What a change does to rules: which policies are in force, and what they say. A rule is
//! compared as it is written, key by key: whatever is not provably stricter lets more pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Untrusted;
use super::layout::{Layout, Settings};
use super::settings::Files;
use super::state::State;
use crate::base::glob::Glob;
use crate::base::source::{FileId, Location, Sources, Span};
use crate::base::vocabulary::{PolicyStatus, Severity, Word};
use crate::declare::fields::Class;
use crate::declare::packs;
use crate::read::documents::is_policy;
use crate::read::input::{self, InputOptions};
use crate::read::yaml::{self, Node, Plain, Value};

/// Which way a key has to go for its rule to be stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stricter {
    /// It explains or numbers, and nothing else: no way matters.
    Words,
    /// It tells readers what is demanded, what that rests on, or what is not looked at: no way
    /// is known to be harmless.
    Told,
    /// It lists what is looked at, any where it is absent: more, or absent.
    Looks,
    /// It lists what is demanded or looked for: more.
    Demands,
    /// It lists what must come together, or what is excepted: less.
    Less,
    /// A number: lower.
    Lower,
    /// It is more severe.
    MoreSevere,
    /// From one that does not bind to one that does.
    Binds,
    /// It has keys of its own in this table.
    Within,
    /// No way is known to be stricter.
    Never,
}

use Stricter::{Binds, Demands, Less, Looks, Lower, MoreSevere, Never, Told, Within, Words};

/// The keys of a policy, of its rules and of what they say. What is not here lets more pass
/// however it changes; a test holds the table against what the decoder knows.
pub const KEYS: &[(&str, Stricter)] = &[
    ("policy", Never),
    ("title", Told),
    ("version", Words),
    ("status", Binds),
    ("as_of", Told),
    ("about", Told),
    ("cannot_see", Told),
    ("rules", Within),
    ("rules.id", Never),
    ("rules.title", Told),
    ("rules.severity", MoreSevere),
    ("rules.status", Binds),
    ("rules.as_of", Told),
    ("rules.cite", Told),
    ("rules.why", Words),
    ("rules.remedy", Words),
    ("rules.law", Told),
    ("rules.confidence", Told),
    ("rules.sees", Told),
    ("rules.cannot_see", Told),
    ("rules.forbid", Within),
    ("rules.forbid.data", Looks),
    ("rules.forbid.from", Looks),
    ("rules.forbid.to", Looks),
    ("rules.forbid.unless", Within),
    ("rules.forbid.unless.through", Less),
    ("rules.forbid.unless.arriving", Less),
    ("rules.limit", Within),
    ("rules.limit.at", Looks),
    ("rules.limit.scope", Never),
    ("rules.limit.together", Never),
    ("rules.limit.data", Looks),
    ("rules.limit.origins_at_most", Lower),
    ("rules.limit.unless", Within),
    ("rules.limit.unless.through", Less),
    ("rules.require", Within),
    ("rules.require.on", Never),
    ("rules.require.where", Looks),
    ("rules.require.must", Demands),
];

fn stricter(path: &str) -> Stricter {
    KEYS.iter().find(|(key, _)| *key == path).map_or(Never, |(_, stricter)| *stricter)
}

/// The policies that settings name, as written, by their ids.
#[derive(Debug, Default)]
pub struct InForce {
    policies: BTreeMap<String, Plain>,
    /// Where a policy, a rule or a key of either is written: by the policy's id, the rule's id and the
    /// key, each empty where it is none of these.
    written: BTreeMap<[String; 3], Location>,
    /// What is named and cannot be read.
    unread: BTreeSet<String>,
}

impl InForce {
    /// Reads them.
    pub(super) fn read(layout: &Layout, state: &State, settings: &Settings, named: &Files) -> Self {
        let config = &settings.config;
        let mut found = InForce::default();
        let core = ["core".to_owned()];
        let names = if config.policies.is_empty() { core.as_slice() } else { &config.policies };
        for name in names {
            if let Some(carried) = packs::carried(name) {
                // Whoever reads the settings says that there is no such version.
                if let Ok(carried) = carried {
                    found.add(carried.policy, layout, |_| None);
                }
                continue;
            }
            let (name, _) = packs::path_and_digest(name);
            let called = state.called(Path::new(name)).to_string_lossy().into_owned();
            if !layout.may_read(state, settings.folder(), Path::new(name)) {
                found.unread.insert(called);
                continue;
            }
            let options = InputOptions {
                exclude: config.exclude.iter().map(Glob::new).collect(),
                limits: *layout.limits(),
                ..InputOptions::default()
            };
            let (mut sources, mut mistakes) = (Sources::new(), Vec::new());
            let set =
                input::read(&state.files, &[PathBuf::from(name)], &options, &mut sources, &mut mistakes);
            let texts = set.files.iter().filter_map(|file| {
                let source = sources.get(file.file)?;
                Some((source, source.text()?))
            });
            let read: Vec<bool> = texts
                .map(|(source, text)| {
                    let at =
                        |span: Span| Some(named.at(state, source.path()?, source.line_column(span.start)));
                    found.add(text, layout, at)
                })
                .collect();
            if !mistakes.is_empty() || read.contains(&false) {
                found.unread.insert(called);
            }
        }
        found
    }

    /// Adds the policies of a text; whether it could be read.
    fn add(&mut self, text: &str, layout: &Layout, at: impl Fn(Span) -> Option<Location>) -> bool {
        let mut mistakes = Vec::new();
        let nodes = yaml::parse(FileId(0), text, layout.limits(), &mut mistakes);
        for node in nodes.iter().filter(|node| is_policy(node)) {
            let Some(policy) = Plain::of(node) else { continue };
            if let Some(id) = policy.get("policy").and_then(Plain::text) {
                let places = written(id, node).into_iter();
                self.written.extend(places.filter_map(|(key, span)| Some((key, at(span)?))));
                self.policies.insert(id.to_owned(), policy.clone());
            }
        }
        mistakes.is_empty()
    }

    /// Where something is written; what is not there is said of what it would stand in.
    fn at(&self, [policy, rule, key]: [&str; 3]) -> Option<&Location> {
        let places = [[policy, rule, key], [policy, rule, ""], [policy, "", ""]];
        places.iter().find_map(|place| self.written.get(&place.map(str::to_owned)))
    }
}

/// Where a policy, its rules and their keys are written.
fn written(id: &str, policy: &Node) -> Vec<([String; 3], Span)> {
    let entries = |node: &Node| match &node.value {
        Value::Map(entries) => entries.iter().map(|e| (e.key.to_string(), e.key_span)).collect(),
        _ => Vec::new(),
    };
    let place = |rule: &str, key: &str| [id, rule, key].map(str::to_owned);
    let mut all = vec![(place("", ""), policy.span)];
    all.extend(entries(policy).into_iter().map(|(key, span)| (place("", &key), span)));
    let rules = match &policy.value {
        Value::Map(entries) => entries.iter().find(|e| e.key == "rules").map(|e| &e.value),
        _ => None,
    };
    let rules = match rules.map(|node| (&node.value, node)) {
        Some((Value::Seq(rules), _)) => rules.iter().collect(),
        Some((_, one)) => vec![one],
        None => Vec::new(),
    };
    for rule in rules {
        let plain = Plain::of(rule);
        let Some(name) = plain.as_ref().and_then(|rule| rule.get("id")?.text()) else { continue };
        all.push((place(name, ""), rule.span));
        all.extend(entries(rule).into_iter().map(|(key, span)| (place(name, &key), span)));
    }
    all
}

/// What the policies of one state say otherwise than those of the other.
pub(super) fn compare(old: &InForce, new: &InForce) -> Vec<Untrusted> {
    let mut all = Vec::new();
    // Where it is written now, or was if it is gone.
    let mut note = |message: String, class, place: [&str; 3]| {
        let there = new.written.get(&place.map(str::to_owned));
        let was = || old.written.get(&place.map(str::to_owned));
        let location = there.or_else(was).or_else(|| new.at(place)).or_else(|| old.at(place)).cloned();
        all.push(Untrusted { what: "policy".to_owned(), message, class, location });
    };
    for name in old.unread.symmetric_difference(&new.unread) {
        note(format!("`{name}` cannot be read in one of the states"), Class::Both, ["", "", ""]);
    }
    for (id, before) in &old.policies {
        match new.policies.get(id) {
            None => note(format!("`{id}` is no longer applied"), Class::Widening, [id, "", ""]),
            Some(after) if before == after => {}
            Some(after) => {
                for Change { message, class, rule, key } in changes(before, after) {
                    note(format!("`{id}`: {message}"), class, [id, &rule, &key]);
                }
            }
        }
    }
    for id in new.policies.keys().filter(|id| !old.policies.contains_key(*id)) {
        note(format!("`{id}` is applied besides"), Class::Narrowing, [id, "", ""]);
    }
    all
}

/// One change of a policy.
struct Change {
    message: String,
    class: Class,
    /// Of which rule, if it is of one.
    rule: String,
    /// Of which key of the rule or of the policy, if it is of one.
    key: String,
}

impl Change {
    fn of_key(rule: &str, path: &str, class: Class) -> Self {
        let key = path.split('.').next().unwrap_or(path).to_owned();
        let message = match rule {
            "" => format!("`{path}` is changed"),
            rule => format!("the rule `{rule}`: `{path}` is changed"),
        };
        Change { message, class, rule: rule.to_owned(), key }
    }

    fn of_rule(rule: &str, what: &str, class: Class) -> Self {
        Change {
            message: format!("the rule `{rule}` is {what}"),
            class,
            rule: rule.to_owned(),
            key: String::new(),
        }
    }
}

/// What one policy says otherwise.
fn changes(before: &Plain, after: &Plain) -> Vec<Change> {
    let mut all: Vec<Change> = keys(before, after)
        .into_iter()
        .filter(|key| key != "rules")
        .filter_map(|key| changed(&key, before.get(&key), after.get(&key)))
        .map(|(path, class)| Change::of_key("", &path, class))
        .collect();
    let (old, new) = (rules(before), rules(after));
    for (id, rule) in &old {
        match new.get(id) {
            None => all.push(Change::of_rule(id, "removed", Class::Widening)),
            Some(other) => {
                let keys = keys(rule, other);
                let parts = keys.iter().filter_map(|key| {
                    // A rule without a status of its own has that of its policy.
                    let of = |policy: &'_ Plain| (key == "status").then(|| policy.get("status").cloned());
                    let (was, is) = (of(before).flatten(), of(after).flatten());
                    let (was, is) = (rule.get(key).or(was.as_ref()), other.get(key).or(is.as_ref()));
                    changed(&format!("rules.{key}"), was, is)
                });
                all.extend(parts.map(|(path, class)| {
                    Change::of_key(id, path.strip_prefix("rules.").unwrap_or(&path), class)
                }));
            }
        }
    }
    for id in new.keys().filter(|id| !old.contains_key(*id)) {
        all.push(Change::of_rule(id, "added", Class::Narrowing));
    }
    all
}

fn rules(policy: &Plain) -> BTreeMap<String, &Plain> {
    let list = match policy.get("rules") {
        Some(Plain::List(rules)) => rules.as_slice(),
        Some(rule) => std::slice::from_ref(rule),
        None => &[],
    };
    list.iter().filter_map(|rule| Some((rule.get("id")?.text()?.to_owned(), rule))).collect()
}

fn keys(one: &Plain, other: &Plain) -> BTreeSet<String> {
    let keys = |plain: &Plain| match plain {
        Plain::Map(entries) => entries.keys().cloned().collect::<Vec<_>>(),
        Plain::Text(_) | Plain::List(_) => Vec::new(),
    };
    keys(one).into_iter().chain(keys(other)).collect()
}

/// What a change of a key is, if it is one, and of which key.
fn changed(path: &str, before: Option<&Plain>, after: Option<&Plain>) -> Option<(String, Class)> {
    if before == after {
        return None;
    }
    let list = |plain: Option<&Plain>| {
        let items = plain.map(|p| p.items().into_iter().cloned().collect::<BTreeSet<_>>());
        // An empty list is absent.
        items.filter(|items| !items.is_empty())
    };
    let lists = || (list(before), list(after));
    let (same, is_stricter) = match stricter(path) {
        Words => (true, false),
        Told if list(before) == list(after) => (true, false),
        Told => return Some((path.to_owned(), Class::Assertion)),
        Never => (false, false),
        Looks => match lists() {
            (old, new) if old == new => (true, false),
            (_, None) => (false, true),
            (None, Some(_)) => (false, false),
            (Some(old), Some(new)) => (false, old.is_subset(&new)),
        },
        Less => match lists() {
            (old, new) if old == new => (true, false),
            (_, None) => (false, true),
            (None, Some(_)) => (false, false),
            (Some(old), Some(new)) => (false, new.is_subset(&old)),
        },
        Demands => match (before, after) {
            (Some(Plain::Map(old)), Some(Plain::Map(new))) => {
                (false, old.iter().all(|(key, value)| new.get(key) == Some(value)))
            }
            _ => (false, false),
        },
        Lower => match (number(before), number(after)) {
            (Some(old), Some(new)) => (old == new, new < old),
            _ => (false, false),
        },
        MoreSevere => match (severity(before), severity(after)) {
            (Some(old), Some(new)) => (old == new, new < old),
            _ => (false, false),
        },
        Binds => match (status(before), status(after)) {
            (Some(old), Some(new)) => (old == new, !binds(old) && binds(new)),
            _ => (false, false),
        },
        Within => return within(path, before, after),
    };
    let class = match (same, is_stricter) {
        (true, _) => Class::Neutral,
        (_, true) => Class::Narrowing,
        _ => Class::Both,
    };
    Some((path.to_owned(), class))
}

/// As [`changed`], of a key that has keys of its own: what they come to together.
fn within(path: &str, before: Option<&Plain>, after: Option<&Plain>) -> Option<(String, Class)> {
    let nothing = Plain::Map(BTreeMap::new());
    // Without the exception the rule looks at all; that the body is another one is none of this.
    let is_exception = path.ends_with(".unless");
    let (old, new) = match (before, after) {
        (Some(old @ Plain::Map(_)), Some(new @ Plain::Map(_))) => (old, new),
        (Some(old @ Plain::Map(_)), None) if is_exception => (old, &nothing),
        (None, Some(new @ Plain::Map(_))) if is_exception => (&nothing, new),
        _ => return Some((path.to_owned(), Class::Both)),
    };
    let all: Vec<(String, Class)> = keys(old, new)
        .iter()
        .filter_map(|key| changed(&format!("{path}.{key}"), old.get(key), new.get(key)))
        .collect();
    match all.as_slice() {
        [one] => Some(one.clone()),
        _ => {
            let class = all.iter().map(|(_, class)| *class).reduce(Class::with)?;
            Some((path.to_owned(), class))
        }
    }
}

fn number(plain: Option<&Plain>) -> Option<u64> {
    plain?.text()?.parse().ok()
}

fn severity(plain: Option<&Plain>) -> Option<Severity> {
    plain.map_or(Some(Severity::High), |plain| Severity::parse(plain.text()?))
}

fn status(plain: Option<&Plain>) -> Option<PolicyStatus> {
    plain.map_or(Some(PolicyStatus::House), |plain| PolicyStatus::parse(plain.text()?))
}

/// Whether findings of a policy of that standing fail unless a call says otherwise.
fn binds(status: PolicyStatus) -> bool {
    use PolicyStatus::{Contractual, House, InForce};
    matches!(status, InForce | Contractual | House)
}
