//! The rules of a run: all that were applied, so that those that hold are there too.

use std::collections::{BTreeMap, BTreeSet};

use super::object::{Configuration, Help, Message, Rule, RuleProperties, WrittenAt};
use super::{level, words};
use crate::base::finding::{FindingKind, RuleEntry};
use crate::base::vocabulary::{PolicyStatus, Severity};
use crate::report::gated::CHECKS;
use crate::report::markdown::escape;
use crate::report::{Report, say};

/// The rules and where each one is among them.
#[derive(Debug)]
pub struct Rules {
    /// In the order of the result.
    pub all: Vec<Rule>,
    index: BTreeMap<String, usize>,
}

impl Rules {
    /// Every rule of the result; one that only a finding names is added.
    pub fn new(report: &Report) -> Self {
        let audit = report.audit;
        let loose: BTreeSet<&str> =
            audit.findings.iter().filter(|f| !f.binding).map(|f| f.rule.as_str()).collect();
        let mut rules = Rules { all: Vec::new(), index: BTreeMap::new() };
        for entry in &audit.rules {
            rules.add(entry, !loose.contains(entry.id.as_str()));
        }
        for f in &audit.findings {
            if rules.index.contains_key(&f.rule) {
                continue;
            }
            let entry = RuleEntry {
                id: f.rule.clone(),
                kind: f.kind,
                severity: f.severity,
                title: f.title.clone(),
                violated: f.title.clone(),
                why: f.why.clone(),
                remedy: f.remedy.clone(),
                cite: f.cite.clone(),
                policy_status: f.policy_status,
                location: f.broken.location.clone(),
            };
            rules.add(&entry, !loose.contains(f.rule.as_str()));
        }
        for (id, means) in CHECKS.iter().filter(|_| report.compared.is_some()) {
            let entry = RuleEntry {
                id: (*id).to_owned(),
                kind: FindingKind::Flow,
                severity: Severity::High,
                title: (*means).to_owned(),
                violated: (*means).to_owned(),
                why: None,
                remedy: None,
                cite: Vec::new(),
                policy_status: None,
                location: None,
            };
            rules.add(&entry, true);
        }
        rules
    }

    /// Where a rule is.
    pub fn index(&self, id: &str) -> usize {
        self.index.get(id).copied().unwrap_or_default()
    }

    fn add(&mut self, entry: &RuleEntry, binds: bool) {
        self.index.entry(entry.id.clone()).or_insert(self.all.len());
        self.all.push(rule(entry, binds));
    }
}

fn rule(entry: &RuleEntry, binds: bool) -> Rule {
    let mut tags = vec!["privacy".to_owned(), "data-sharing".to_owned()];
    if binds {
        // Without it services take no account of the severity.
        tags.insert(0, "security".to_owned());
    } else {
        tags.push("not-binding".to_owned());
    }
    tags.extend(entry.policy_status.map(|s| say::standing(s).replace(' ', "-")));
    Rule {
        id: words(&entry.id),
        short_description: described(&entry.title, &entry.id),
        full_description: described(&entry.violated, &entry.id),
        help: help(entry, binds),
        default_configuration: Configuration { level: level(entry.severity, binds) },
        properties: RuleProperties {
            tags,
            precision: "high",
            security_severity: binds.then(|| score(entry.severity)),
            problem_severity: match level(entry.severity, binds) {
                "note" => "recommendation",
                level => level,
            },
            severity: entry.severity,
            policy_status: entry.policy_status,
            written_at: entry.location.as_ref().map(WrittenAt::new),
        },
    }
}

/// Services want a description of every rule.
fn described(text: &str, id: &str) -> Message {
    Message::new(if text.trim().is_empty() { id } else { text })
}

/// What GitHub sorts by: above 9.0 critical, from 7.0 high, from 4.0 medium, else low.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.5",
    }
}

/// So many characters of one part of a rule's help.
const MOST: usize = 4000;

fn help(entry: &RuleEntry, binds: bool) -> Help {
    let standing = match entry.policy_status {
        Some(PolicyStatus::House) => "It is a house rule.".to_owned(),
        Some(status) => format!("Its policy is {}.", say::standing(status)),
        None => "It comes with the declarations: an agreement's own term, a promise or the agreements' form."
            .to_owned(),
    };
    let standing = if binds { standing } else { standing + " It does not make an audit fail." };
    let cite = entry.cite.join("; ");
    let parts = [
        ("Violated", Some(entry.violated.as_str())),
        ("Why", entry.why.as_deref()),
        ("What to do", entry.remedy.as_deref()),
        ("Rests on", Some(cite.as_str())),
        ("Standing", Some(standing.as_str())),
    ];
    let mut help = Help { text: String::new(), markdown: String::new() };
    for (lead, text) in parts {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            continue;
        };
        if !help.text.is_empty() {
            help.text.push_str("\n\n");
            help.markdown.push_str("\n\n");
        }
        help.text.push_str(&format!("{lead}: {}", words(text)));
        help.markdown.push_str(&format!("**{lead}:** {}", escape::prose(text, MOST)));
    }
    help
}
