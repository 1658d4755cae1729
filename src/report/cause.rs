//! Causes in words, for every format that people read.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::kind::Kind;
use super::say::{count, grown, listing, some};
use crate::audit::checks;
use crate::base::cause::{Cause, CauseDeclaration};
use crate::base::finding::{Audit, Finding, FindingKind, FindingStatus, Promise, RuleEntry};
use crate::base::vocabulary::{BuiltIn, PolicyStatus, Severity, Status, Transform, Word};
use crate::declare::gate::Gate;

/// What stands above them.
pub const TITLE: &str = "what the new findings hang on";
/// What stands for all checks of terms.
const TERMS: &str = "terms";
/// How many agreements, systems or places are named in a line.
const NAMED: usize = 3;
/// How many of several agreements or files are named where there is less room.
const FEW: usize = 2;
/// How many rules of one kind are named besides the first.
const OTHERS: usize = 4;

/// A cause of new findings, and all that there is to say of it.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// Its place in the list, from 1.
    pub number: usize,
    /// The cause.
    pub cause: &'a Cause,
    /// Its new findings: the most severe first, those that follow from others last.
    pub findings: Vec<&'a Finding>,
    /// How many of them fail.
    pub failing: usize,
    /// The highest severity of those that fail; where none does, of all.
    pub severity: Severity,
    /// What it breaks, by kind: law, contract, promise, house; what does not bind last.
    pub breaks: Vec<Breach>,
}

/// What is broken of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The kind.
    pub kind: Kind,
    /// Whether that can make the audit fail.
    pub binding: bool,
    /// What it is, each in a few words.
    pub words: Vec<String>,
}

/// The causes of new findings: those that fail first, otherwise in the order of the result.
pub fn views<'a>(audit: &'a Audit, gate: &Gate) -> Vec<View<'a>> {
    let mut of: FxHashMap<&str, Vec<&Finding>> = FxHashMap::default();
    for finding in audit.findings.iter().filter(|finding| finding.status == FindingStatus::New) {
        of.entry(&finding.cause).or_default().push(finding);
    }
    let rules = Rules::new(audit);
    let view = |cause: &'a Cause| {
        let mut findings = of.remove(cause.id.as_str())?;
        let stops = |finding: &&&Finding| gate.stops(finding);
        findings.sort_by_key(|f| {
            (!gate.stops(f), !f.binding, f.severity, f.consequent, f.path.is_empty(), f.path.len())
        });
        let failing = findings.iter().filter(stops).count();
        let severity = findings.first()?.severity;
        let breaks = rules.breaches(cause, &findings);
        Some(View { number: 0, cause, findings, failing, severity, breaks })
    };
    let mut views: Vec<View> = audit.causes.iter().filter_map(view).collect();
    views.sort_by_key(|view| view.failing == 0);
    for (at, view) in views.iter_mut().enumerate() {
        view.number = at + 1;
    }
    views
}

/// A promise in a few words: its id, who made it, and its title or its own words.
pub fn promise(promise: &Promise) -> String {
    match &promise.title {
        Some(title) => format!("{} ({}): {title}", promise.id, promise.by),
        None => format!("{} ({}): “{}”", promise.id, promise.by, promise.quote),
    }
}

/// What is known of the rules of a result.
struct Rules<'a> {
    rules: FxHashMap<&'a str, &'a RuleEntry>,
    promises: FxHashMap<String, &'a Promise>,
}

impl<'a> Rules<'a> {
    fn new(audit: &'a Audit) -> Self {
        Rules {
            rules: audit.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect(),
            promises: audit.promises.iter().map(|promise| (promise.rule(), promise)).collect(),
        }
    }

    /// What new findings of a cause break, by kind.
    fn breaches(&self, cause: &Cause, findings: &[&Finding]) -> Vec<Breach> {
        let mut kinds: BTreeMap<(bool, Kind), Vec<String>> = BTreeMap::new();
        let mut known: Vec<&str> = Vec::new();
        for finding in findings {
            // All terms are named at once.
            let rule = if finding.kind == FindingKind::Terms { TERMS } else { finding.rule.as_str() };
            if known.contains(&rule) {
                continue;
            }
            known.push(rule);
            let words = self.words(cause, finding);
            kinds.entry((!finding.binding, Kind::of(finding))).or_default().push(words);
        }
        kinds.into_iter().map(|((loose, kind), words)| Breach { kind, binding: !loose, words }).collect()
    }

    fn words(&self, cause: &Cause, finding: &Finding) -> String {
        let rule = self.rules.get(finding.rule.as_str());
        if let Some(known) = self.promises.get(&finding.rule) {
            // What it says stands in the list of promises.
            return format!("{} of {}", finding.rule, known.by);
        }
        if finding.kind == FindingKind::Terms {
            return terms(cause);
        }
        let title = rule.map_or(finding.title.as_str(), |rule| &rule.title);
        let law = matches!(
            finding.policy_status,
            Some(PolicyStatus::InForce | PolicyStatus::Enjoined | PolicyStatus::Proposed)
        );
        let cite = rule.and_then(|rule| rule.cite.first()).filter(|_| law);
        match cite {
            Some(cite) => format!("{} ({cite}): {title}", finding.rule),
            None => format!("{}: {title}", finding.rule),
        }
    }
}

/// The terms that a cause breaks, and of which agreements.
fn terms(cause: &Cause) -> String {
    let term = |rule: &str| BuiltIn::of(rule).and_then(|check| checks::check(check).term);
    let broken: Vec<String> =
        cause.terms.iter().filter_map(|of| term(&of.rule)).map(|term| term.replace('_', " ")).collect();
    let agreements = names(cause.terms.iter().flat_map(|of| &of.agreements));
    let of = match agreements.len() {
        1 => agreements.concat(),
        n => format!("{n} agreements: {}", some(&agreements, FEW)),
    };
    format!("{} of {of}", listing(&broken))
}

impl View<'_> {
    /// Whether it makes the audit fail.
    pub fn fails(&self) -> bool {
        self.failing > 0
    }

    /// The finding that shows it best: the most severe that follows from no other, with the shortest chain.
    pub fn shown(&self) -> Option<&Finding> {
        let with_chain = self.findings.iter().find(|finding| !finding.path.is_empty() && !finding.consequent);
        with_chain.or(self.findings.first()).copied()
    }

    /// Where it is declared, by the names that files have there.
    pub fn places<'n>(&'n self, name: impl Fn(&'n str) -> &'n str) -> String {
        let all = self.cause.declarations.iter().map(|declaration| &declaration.location);
        places(all.map(|place| (name(&place.file), place.line)))
    }

    /// From where to where, or what it is.
    pub fn subject(&self) -> String {
        let all = &self.cause.declarations;
        let ends = |end: fn(&CauseDeclaration) -> Option<&str>| {
            let mut names: Vec<&str> = all.iter().filter_map(end).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let (from, to) = (ends(|d| d.from.as_deref()), ends(|d| d.to.as_deref()));
        if !from.is_empty() && !to.is_empty() {
            return format!("{} → {}", systems(&from), systems(&to));
        }
        let named: Vec<String> = all.iter().map(|d| name(&d.id).1.to_owned()).collect();
        match (name(&self.cause.id).0, named.len()) {
            ("agreement", 1) => format!("agreement {}", listing(&named)),
            ("agreement", n) => format!("{n} agreements: {}", some(&named, NAMED)),
            ("party" | "group", 1) | ("system", 1) => listing(&named),
            ("system", n) => format!("{n} systems: {}", some(&named, NAMED)),
            (_, n) => format!("{n} parties: {}", some(&named, NAMED)),
        }
    }

    /// What flows, for what, under which agreement, whose decision it is and what is not certain of it. What must be seen
    /// comes first; then what may be cut: by what it has grown, of what does not flow what is wrong, and the title.
    pub fn what(&self) -> (String, String) {
        let all = &self.cause.declarations;
        let flows = all.iter().any(|declaration| declaration.from.is_some());
        let mut parts: Vec<String> = Vec::new();
        if flows {
            let data = names(all.iter().flat_map(|declaration| &declaration.data));
            let purposes = names(all.iter().flat_map(|declaration| &declaration.purposes));
            let transforms = names(all.iter().filter_map(|d| d.transform.map(Word::word)));
            let transforms: String = transforms.iter().map(|transform| format!(", {transform}")).collect();
            parts.push(format!("{}{transforms} for {}", some(&data, FEW), some(&purposes, FEW)));
            parts.push(under(all));
        }
        if self.cause.assumed {
            parts.push("assumed".to_owned());
        }
        if !self.cause.owners.is_empty() {
            parts.push(format!("owner: {}", some(&self.cause.owners, FEW)));
        }
        let mut more: Vec<String> =
            self.findings.iter().find_map(|finding| grown(finding)).into_iter().collect();
        match self.findings.first().filter(|_| !flows) {
            Some(finding) => more.push(finding.message.clone()),
            None => more.extend(all.iter().find_map(|declaration| declaration.title.clone())),
        }
        (parts.join(" · "), more.join(" · "))
    }

    /// What the data that is concerned is where it comes from, and where that is; so many systems are named.
    pub fn sources(&self, most: usize) -> Option<String> {
        let sources = &self.cause.sources;
        let coarse = |key: &String| key.split('.').take(2).last().unwrap_or_default().to_owned();
        let data: BTreeSet<String> =
            self.findings.iter().flat_map(|finding| &finding.data).map(coarse).collect();
        let data: Vec<String> = data.into_iter().collect();
        let data = if data.is_empty() { String::new() } else { format!("{} of ", some(&data, FEW)) };
        match sources.len() {
            0 => None,
            1 => Some(format!("{data}{}", sources.join(", "))),
            n => Some(format!("{data}{}: {}", count(n, "system"), some(sources, most))),
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        remedy(self.cause, &self.findings)
    }

    /// How many findings hang on it, and what there is to know of all of them.
    pub fn size(&self) -> String {
        let mut text = count(self.findings.len(), "finding");
        let mut marks = Vec::new();
        let number = |is: fn(&Finding) -> bool| self.findings.iter().filter(|finding| is(finding)).count();
        let follow = number(|finding| finding.consequent);
        if follow > 0 {
            marks.push(format!("{follow} further along"));
        }
        let known = self.cause.findings - self.cause.new.min(self.cause.findings);
        if known > 0 {
            marks.push(format!("{known} more accepted"));
        }
        let more = number(|finding| finding.grown);
        if more > 0 {
            marks.push(format!("{more} grown"));
        }
        if !marks.is_empty() {
            text.push_str(&format!(" ({})", marks.join(", ")));
        }
        text
    }

    /// The severity, and whether only proposed or ended agreements bring it.
    pub fn standing(&self) -> String {
        let all = |is: fn(&Finding) -> bool| self.findings.iter().all(|finding| is(finding));
        let mut text = self.severity.to_string().to_uppercase();
        if all(|finding| finding.prospective) {
            text.push_str(", proposed");
        }
        if all(|finding| finding.retained) {
            text.push_str(", retained");
        }
        if all(|finding| !finding.binding) {
            text.push_str(", not binding");
        }
        text
    }
}

/// What to do about a cause, as its most severe rule says that has a remedy: of equally severe ones that of a law, then of a
/// contract, a promise, a house rule. What is there only from agreements that ended has to be deleted, wherever a flow is
/// cut.
pub fn remedy(cause: &Cause, findings: &[&Finding]) -> String {
    if !findings.is_empty() && findings.iter().all(|finding| finding.retained) {
        return "Have what was moved deleted, and state `disposed` with date and evidence; ending the flow takes \
                nothing back."
            .to_owned();
    }
    let with = findings.iter().filter(|finding| finding.remedy.is_some());
    let first = with.min_by_key(|finding| (!finding.binding, finding.severity, Kind::of(finding)));
    first.and_then(|finding| finding.remedy.clone()).unwrap_or_else(|| match cause.id.starts_with("flow:") {
        true => "End the flow, or narrow what it carries to what the promise allows.".to_owned(),
        false => "Change the declaration, or take back what was promised.".to_owned(),
    })
}

/// The kind and the name of a declaration, from the id that causes give it.
fn name(id: &str) -> (&str, &str) {
    id.split_once(':').unwrap_or(("", id))
}

/// Names, sorted, each once.
fn names<'a, S: AsRef<str> + 'a + ?Sized>(all: impl Iterator<Item = &'a S>) -> Vec<String> {
    let mut names: Vec<String> = all.map(|name| name.as_ref().to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Systems, the party once where it is that of the one before; many are counted.
fn systems(names: &[&str]) -> String {
    let parts: Vec<(&str, &str)> =
        names.iter().map(|name| name.split_once('/').unwrap_or(("", name))).collect();
    let mut parties: Vec<&str> = parts.iter().map(|(party, _)| *party).collect();
    parties.dedup();
    match parts.as_slice() {
        [(_, system), rest @ ..] if parts.len() > 2 && parties.len() > 1 => {
            match rest.iter().all(|(_, other)| other == system) {
                true => format!("{system} of {} parties", parties.len()),
                false => format!("{} systems of {} parties", parts.len(), parties.len()),
            }
        }
        _ => {
            let mut before = "";
            let mut shown: Vec<String> = Vec::new();
            for (name, &(party, system)) in names.iter().zip(&parts) {
                shown.push(if party == before && !party.is_empty() {
                    system.to_owned()
                } else {
                    (*name).to_owned()
                });
                before = party;
            }
            some(&shown, NAMED)
        }
    }
}

/// What flows are under.
fn under(all: &[CauseDeclaration]) -> String {
    let agreements = names(all.iter().filter_map(|declaration| declaration.agreement.as_deref()));
    let word = |declaration: &CauseDeclaration| match declaration.agreement_status {
        _ if declaration.ended || declaration.agreement_status == Some(Status::Terminated) => Some("ended"),
        Some(Status::Proposed | Status::Suspended) => declaration.agreement_status.map(Word::word),
        _ => None,
    };
    let words: Vec<Option<&str>> = all.iter().map(word).collect();
    let status = match words.first() {
        Some(&Some(first)) if words.iter().all(|&word| word == Some(first)) => format!(" ({first})"),
        _ => String::new(),
    };
    let parties = names(all.iter().flat_map(|declaration| &declaration.parties));
    match (agreements.as_slice(), parties.as_slice()) {
        ([], [party]) => format!("within {party}"),
        ([], _) => "under no agreement".to_owned(),
        (agreements, _) => format!("under {}{status}", some(agreements, FEW)),
    }
}

/// Places, those of one file together: `platform.yaml:75, 82`.
fn places<'a>(all: impl Iterator<Item = (&'a str, u32)>) -> String {
    let mut files: Vec<(&str, Vec<u32>)> = Vec::new();
    for (name, line) in all {
        match files.iter_mut().find(|(file, _)| *file == name) {
            Some((_, lines)) if lines.contains(&line) => {}
            Some((_, lines)) => lines.push(line),
            None => files.push((name, vec![line])),
        }
    }
    files.iter_mut().for_each(|(_, lines)| lines.sort_unstable());
    let lines = |(file, lines): &(&str, Vec<u32>)| {
        let numbers: Vec<String> = lines.iter().map(ToString::to_string).collect();
        format!("{file}:{}", some(&numbers, NAMED))
    };
    let shown: Vec<String> = files.iter().map(lines).collect();
    some(&shown, if shown.len() > FEW { 1 } else { FEW })
}

/// Categories, short: the last two parts of the first, how many more, and what is done to them.
pub fn carried(data: &[String], transform: Option<Transform>) -> String {
    let short = |key: &String| {
        let mut parts: Vec<&str> = key.rsplitn(3, '.').take(2).collect();
        parts.reverse();
        parts.join(".")
    };
    let transform = transform.map_or(String::new(), |transform| format!(", {}", transform.word()));
    let data = match data {
        [] => String::new(),
        [one] => short(one),
        [one, rest @ ..] => format!("{} +{}", short(one), rest.len()),
    };
    format!("{data}{transform}")
}

impl Breach {
    /// What is broken, in one line.
    pub fn line(&self) -> String {
        let loose = if self.binding { "" } else { " (not binding)" };
        let first = self.words.first().map_or("", String::as_str);
        // Of the others the name, which stands before what it says.
        let name = |words: &String| words.split([':', ' ']).next().unwrap_or_default().to_owned();
        let others: Vec<String> = self.words.iter().skip(1).map(name).collect();
        match others.is_empty() {
            true => format!("{first}{loose}"),
            false if self.kind == Kind::Promise => some(&self.words, OTHERS),
            false => format!("{first}; also {}{loose}", some(&others, OTHERS)),
        }
    }
}
