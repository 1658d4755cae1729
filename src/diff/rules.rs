//! What a change does to rules: which policies are in force, and what they say. A rule is
//! compared as it is written, key by key: whatever is not provably stricter lets more pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Untrusted;
use super::layout::{Layout, Settings};
use super::state::State;
use super::table::Class;
use crate::documents::is_policy;
use crate::glob::Glob;
use crate::input::{self, InputOptions};
use crate::packs;
use crate::source::{FileId, Sources};
use crate::vocabulary::{PolicyStatus, Severity, Word};
use crate::yaml::{self, Plain};

/// Which way a key has to go for its rule to be stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stricter {
    /// It explains or numbers, and nothing else: no way matters.
    Words,
    /// Readers are told by it what is demanded, what that rests on, or what is not looked at: no way
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
    /// It is graver.
    Graver,
    /// From one that does not bind to one that does.
    Binds,
    /// It has keys of its own in this table.
    Within,
    /// No way is known to be stricter.
    Never,
}

use Stricter::{Binds, Demands, Graver, Less, Looks, Lower, Never, Told, Within, Words};

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
    ("rules.severity", Graver),
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
    /// What is named and cannot be read.
    unread: BTreeSet<String>,
}

impl InForce {
    /// Reads them.
    pub(super) fn read(layout: &Layout, state: &State, settings: &Settings) -> Self {
        let config = &settings.config;
        let mut found = InForce::default();
        let core = ["core".to_owned()];
        let names = if config.policies.is_empty() { core.as_slice() } else { &config.policies };
        for name in names {
            if let Some(pack) = packs::pack(name) {
                found.add(pack.policy, layout);
                continue;
            }
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
            let texts = set.files.iter().filter_map(|file| sources.get(file.file)?.text());
            let read: Vec<bool> = texts.map(|text| found.add(text, layout)).collect();
            if !mistakes.is_empty() || read.contains(&false) {
                found.unread.insert(called);
            }
        }
        found
    }

    /// Adds the policies of a text; whether it could be read.
    fn add(&mut self, text: &str, layout: &Layout) -> bool {
        let mut mistakes = Vec::new();
        let nodes = yaml::parse(FileId(0), text, layout.limits(), &mut mistakes);
        for policy in nodes.iter().filter(|node| is_policy(node)).filter_map(Plain::of) {
            if let Some(id) = policy.get("policy").and_then(Plain::text) {
                self.policies.insert(id.to_owned(), policy.clone());
            }
        }
        mistakes.is_empty()
    }
}

/// What the policies of one state say otherwise than those of the other.
pub(super) fn compare(old: &InForce, new: &InForce) -> Vec<Untrusted> {
    let mut all = Vec::new();
    let mut note = |message: String, class| {
        all.push(Untrusted { what: "policy".to_owned(), message, class, location: None });
    };
    for name in old.unread.symmetric_difference(&new.unread) {
        note(format!("`{name}` cannot be read in one of the states"), Class::Both);
    }
    for (id, before) in &old.policies {
        match new.policies.get(id) {
            None => note(format!("`{id}` is no longer applied"), Class::Widening),
            Some(after) if before == after => {}
            Some(after) => {
                for (message, class) in changes(before, after) {
                    note(format!("`{id}`: {message}"), class);
                }
            }
        }
    }
    for id in new.policies.keys().filter(|id| !old.policies.contains_key(*id)) {
        note(format!("`{id}` is applied besides"), Class::Narrowing);
    }
    all
}

/// What one policy says otherwise.
fn changes(before: &Plain, after: &Plain) -> Vec<(String, Class)> {
    let mut all: Vec<(String, Class)> = keys(before, after)
        .into_iter()
        .filter(|key| key != "rules")
        .filter_map(|key| changed(&key, before.get(&key), after.get(&key)))
        .map(|(path, class)| (format!("`{path}` is changed"), class))
        .collect();
    let (old, new) = (rules(before), rules(after));
    for (id, rule) in &old {
        match new.get(id) {
            None => all.push((format!("the rule `{id}` is removed"), Class::Widening)),
            Some(other) => {
                let keys = keys(rule, other);
                let parts = keys
                    .iter()
                    .filter_map(|key| changed(&format!("rules.{key}"), rule.get(key), other.get(key)));
                all.extend(parts.map(|(path, class)| {
                    let key = path.strip_prefix("rules.").unwrap_or(&path);
                    (format!("the rule `{id}`: `{key}` is changed"), class)
                }));
            }
        }
    }
    for id in new.keys().filter(|id| !old.contains_key(*id)) {
        all.push((format!("the rule `{id}` is added"), Class::Narrowing));
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
        Graver => match (severity(before), severity(after)) {
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
