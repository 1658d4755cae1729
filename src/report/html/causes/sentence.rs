//! What a cause is, as a sentence that a reader without the inventory understands.

use std::collections::BTreeSet;

use crate::base::cause::{Cause, CauseDeclaration};
use crate::base::finding::Finding;
use crate::report::html::names::Names;
use crate::report::say::{listing, some};

/// So many categories, parties and titles stand in a sentence.
const FEW: usize = 3;

/// `JPMorgan Chase sends transactions to Facebook (Messenger), for account inquiry.`
pub fn sentence(names: &Names, cause: &Cause, findings: &[&Finding]) -> String {
    let data = data(names, origins(findings));
    let text = match (cause.id.split_once(':').map(|(kind, _)| kind), cause.declarations.as_slice()) {
        (Some("flow"), all @ [_, ..]) => flows(names, cause, all, findings),
        (Some("party" | "group"), all @ [one, ..]) if !data.is_empty() => {
            let who = match all {
                [_] => format!("{} brings", names.party(plain(one))),
                several => format!("{} parties bring", several.len()),
            };
            format!("{who} together {data}")
        }
        (Some("agreement"), [one]) => {
            format!("The agreement “{}” breaks {}", names.agreement_title(plain(one)), titles(findings))
        }
        (Some("agreement"), all) => {
            let named: Vec<String> =
                all.iter().map(|one| format!("“{}”", names.agreement_title(plain(one)))).collect();
            format!("{} agreements ({}) break {}", all.len(), some(&named, FEW), titles(findings))
        }
        (_, [one]) => format!("{} breaks {}", place(names, plain(one)), titles(findings)),
        (_, all) => {
            let named: Vec<String> = all.iter().map(|one| place(names, plain(one))).collect();
            format!("{} break {}", some(&named, FEW), titles(findings))
        }
    };
    let end = if text.ends_with(['.', '?', '!', '…']) { "" } else { "." };
    format!("{text}{end}")
}

fn plain(declared: &CauseDeclaration) -> &str {
    declared.id.split_once(':').map_or(declared.id.as_str(), |(_, id)| id)
}

/// The rules broken, in their own words: what they demand.
fn titles(findings: &[&Finding]) -> String {
    let mut titles: Vec<String> = Vec::new();
    for finding in findings {
        if !titles.contains(&finding.title) {
            titles.push(finding.title.clone());
        }
    }
    let number = if titles.len() == 1 { "this rule" } else { "these rules" };
    let more = titles.len().saturating_sub(FEW);
    titles.truncate(FEW);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let mut told = titles.iter().map(|title| lower(title.trim_end_matches('.')));
    let first = told.next().unwrap_or_default();
    let rest: String = told.map(|title| format!("; {title}")).collect();
    format!("{number}: {first}{rest}{more}")
}

/// `Messenger (Facebook, Inc.)`.
fn place(names: &Names, name: &str) -> String {
    match names.system_title(name) {
        Some(system) => format!("{system} ({})", names.party(name.split('/').next().unwrap_or(name))),
        None => names.party(name),
    }
}

fn flows(names: &Names, cause: &Cause, all: &[CauseDeclaration], findings: &[&Finding]) -> String {
    let party = |system: &str| system.split('/').next().unwrap_or(system).to_owned();
    let ends = |end: fn(&CauseDeclaration) -> Option<&str>| -> BTreeSet<String> {
        all.iter().filter_map(end).map(str::to_owned).collect()
    };
    let (from, to) = (ends(|one| one.from.as_deref()), ends(|one| one.to.as_deref()));
    let parties =
        |systems: &BTreeSet<String>| -> BTreeSet<String> { systems.iter().map(|s| party(s)).collect() };
    let (senders, receivers) = (parties(&from), parties(&to));
    let within = senders.len() == 1 && senders == receivers;
    let system = |name: &String| match within {
        true => names.system_title(name).unwrap_or_else(|| name.clone()),
        false => place(names, name),
    };
    let side = |systems: &BTreeSet<String>, own: &BTreeSet<String>| {
        let named: Vec<String> = systems.iter().map(system).collect();
        match (named.len(), own.len()) {
            (1..=2, _) => listing(&named),
            (_, 1..=FEW) if !within => {
                listing(&own.iter().map(|party| names.party(party)).collect::<Vec<_>>())
            }
            (_, n) if !within => format!("{n} parties"),
            _ => some(&named, FEW),
        }
    };
    let several = from.len() > 1;
    let start = match senders.first().filter(|_| within) {
        Some(party) => format!("Within {}, {}", names.party(party), side(&from, &senders)),
        None => side(&from, &senders),
    };
    let origins: BTreeSet<String> = cause.sources.iter().map(|system| party(system)).collect();
    let of = match origins.len() {
        _ if origins.is_subset(&senders) => String::new(),
        1 | 2 => {
            format!(" of {}", listing(&origins.iter().map(|party| names.party(party)).collect::<Vec<_>>()))
        }
        n => format!(" of {n} parties"),
    };
    let purposes: BTreeSet<&String> = all.iter().flat_map(|one| &one.purposes).collect();
    let purposes: Vec<String> = purposes.into_iter().map(|key| lower(&names.purpose(key))).collect();
    let purposes = if purposes.is_empty() { String::new() } else { format!(", for {}", few(&purposes)) };
    let data = moved(names, all, findings, &of);
    format!(
        "{start} {} {data} to {}{purposes}",
        if several { "send" } else { "sends" },
        side(&to, &receivers)
    )
}

/// A category at the second level of its tree.
fn coarse(key: &str) -> String {
    key.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// What the data concerned is where it starts.
fn origins(findings: &[&Finding]) -> BTreeSet<String> {
    findings.iter().flat_map(|finding| &finding.data).map(|key| coarse(key)).collect()
}

/// What moves as what: `transactions of 4 parties and data derived from them (life events)`.
fn moved(names: &Names, all: &[CauseDeclaration], findings: &[&Finding], of: &str) -> String {
    let flows: BTreeSet<&str> = all.iter().map(plain).collect();
    let hops = findings.iter().flat_map(|finding| &finding.path);
    let hops = hops.filter(|hop| flows.contains(hop.flow.as_str()));
    let moved: BTreeSet<String> = hops.flat_map(|hop| &hop.data).map(|key| coarse(key)).collect();
    let origins = origins(findings);
    let within = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
    let starts_so = |key: &String| origins.iter().any(|o| o == key || within(key, o) || within(o, key));
    let (same, derived): (BTreeSet<String>, BTreeSet<String>) = moved.into_iter().partition(starts_so);
    if origins.is_empty() {
        return format!("data{of}");
    }
    if derived.is_empty() {
        let moved = if same.is_empty() { origins } else { same };
        return format!("{}{of}", data(names, moved));
    }
    let derived: Vec<String> = derived.iter().map(|key| lower(&names.data(key))).collect();
    let derived = some_of(&derived);
    match same.is_empty() {
        true => format!("data derived from {}{of} ({derived})", data(names, origins)),
        false if same == origins => {
            format!("{}{of} and data derived from them ({derived})", data(names, same))
        }
        false => {
            let (same, from) = (data(names, same), data(names, origins));
            format!("{same}{of} and data derived from {from} ({derived})")
        }
    }
}

/// Up to a few titles, which may hold commas and conjunctions.
fn some_of(titles: &[String]) -> String {
    let shown: Vec<&str> = titles.iter().take(FEW).map(String::as_str).collect();
    match titles.len().saturating_sub(FEW) {
        0 => shown.join("; "),
        more => format!("{}; {more} more", shown.join("; ")),
    }
}

/// Some categories, in words: `receipts, transactions and accounts`.
fn data(names: &Names, keys: BTreeSet<String>) -> String {
    let mut titles: Vec<String> = keys.iter().map(|key| lower(&names.data(key))).collect();
    let more = titles.len().saturating_sub(FEW);
    if more > 1 {
        titles.truncate(FEW);
        titles.push(format!("{more} more kinds of data"));
    }
    listing(&titles)
}

/// Up to a few texts, and how many more.
fn few(texts: &[String]) -> String {
    match texts.len().saturating_sub(FEW) {
        0 => listing(texts),
        more => format!("{} and {more} more", texts.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ")),
    }
}

/// As it stands within a sentence: names and abbreviations keep their capitals.
fn lower(title: &str) -> String {
    let mut chars = title.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(title.chars().skip(1)).collect()
        }
        _ => title.to_owned(),
    }
}
