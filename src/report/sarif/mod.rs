//! The result as SARIF 2.1.0, for services that show findings beside the files.

mod object;
mod rules;

use std::collections::BTreeMap;
use std::io;

use object::{
    ArtifactLocation, AutomationDetails, CodeFlow, Described, DescriptorReference, Driver, Invocation,
    Location, Log, LogicalLocation, Message, Notification, NotificationKind, Outcome, PhysicalLocation,
    Properties, Region, Run, RunProperties, Suppression, ThreadFlow, ThreadFlowLocation, Tool, UriBase,
};
use rules::Rules;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::gated::{Entry, entries};
use super::json::{self, Hidden};
use super::{Report, say};
use crate::base::finding::{Audit, BrokenWhat, Finding, FindingStatus, Hop};
use crate::base::source::Location as Written;
use crate::base::vocabulary::Severity;
use crate::declare::gate::Gate;
use crate::read::documents::SETTINGS;
use crate::read::places::Places;

/// The root of the repository.
const ROOT: &str = "%SRCROOT%";
/// A service refuses files with more results than this, or shows the most severe only.
const MOST_RESULTS: usize = 25_000;
const SHOWN_RESULTS: usize = 5_000;
/// A service refuses results whose walks have more flows than this.
const MOST_HOPS: usize = 10_000;

/// What every notice is.
const NOTICES: &str = "A notice is no finding: something that must not pass in silence, such as what was \
                       assumed or a rule that matched nothing. `--deny-notices` makes notices fail.";

/// All results, each made when it is written.
#[derive(Debug)]
struct Results<'r> {
    report: &'r Report<'r>,
    rules: &'r Rules,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Report { audit, gate, places, .. } = self.report;
        let changes = entries(self.report);
        let mut all = serializer.serialize_seq(None)?;
        for f in &audit.findings {
            all.serialize_element(&outcome(f, gate, places, self.rules))?;
        }
        for change in changes.iter().filter(|change| change.fails) {
            all.serialize_element(&changed(change, places, self.rules))?;
        }
        all.end()
    }
}

/// Writes the log.
///
/// # Errors
/// When it cannot be put into JSON, or not be written.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let Report { audit, places, .. } = report;
    let rules = Rules::new(report);
    let results = Results { report, rules: &rules };
    let (kinds, notifications) = notifications(report);
    let verdict = report.verdict();
    let description = Message::new("the root of the repository");
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "Ringfence",
                    version: &audit.ringfence.version,
                    semantic_version: &audit.ringfence.version,
                    information_uri: home(),
                    short_description: Message::new("Audits declared data sharing"),
                    rules: &rules.all,
                    notifications: kinds,
                },
            },
            automation_details: AutomationDetails { id: automation(places) },
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: notifications,
            }],
            original_uri_base_ids: BTreeMap::from([(ROOT, UriBase { description })]),
            column_kind: "unicodeCodePoints",
            results,
            properties: RunProperties {
                fails: verdict.fails,
                verdict: words(&verdict.sentence),
                judged: &audit.judged,
                inventory: &audit.inventory,
                policies: &audit.policies,
                promises: &audit.promises,
                relied_on: &audit.relied_on,
                causes: &audit.causes,
                summary: report.gate.summary(&audit.findings),
            },
        }],
    };
    json::write(&log, Hidden::Spelled, out)
}

/// Where the program is at home, if it has a place.
fn home() -> Option<&'static str> {
    [env!("CARGO_PKG_HOMEPAGE"), env!("CARGO_PKG_REPOSITORY")].into_iter().find(|url| !url.is_empty())
}

/// Names what was audited, so that a service keeps the results of two inventories of
/// one repository apart. What follows the last `/` would name a single run.
fn automation(places: &Places) -> String {
    match places.folder() {
        Some(folder) if !folder.is_empty() => format!("ringfence/{}/", words(&folder)),
        _ => "ringfence/".to_owned(),
    }
}

/// Words on one line.
fn words(text: &str) -> String {
    Message::new(text).text
}

/// What findings of a severity are, and what those are that make nothing fail.
fn level(severity: Severity, binds: bool) -> &'static str {
    match severity {
        _ if !binds => "note",
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn outcome<'a>(f: &'a Finding, gate: &Gate, places: &Places, rules: &Rules) -> Outcome<'a> {
    let main = say::place(f, places).and_then(|written| physical(written, places));
    let location = Location {
        physical_location: main,
        logical_locations: vec![LogicalLocation { fully_qualified_name: say::line(&say::about(f)) }],
        ..empty()
    };
    let related = f.broken.location.as_ref().and_then(|written| physical(written, places));
    let what = match f.broken.what {
        BrokenWhat::Rule => "rule",
        BrokenWhat::Term => "term",
        BrokenWhat::Promise => "promise",
    };
    let mut message = words(&say::happened(f));
    if related.is_some() {
        message.push_str(&format!(" – breaks [this {what}](1): {}", words(&f.broken.text)));
    } else if let Some(breaks) = say::breaks(f) {
        message.push_str(&format!(" – breaks {}", words(&breaks)));
    } else {
        message.push_str(&format!(" – {}", words(&f.title)));
    }
    let related = related.map(|physical| Location {
        id: Some(1),
        physical_location: Some(physical),
        message: Some(Message::new(&f.broken.text)),
        ..empty()
    });
    let bare = f.fingerprint.strip_prefix("rf1:").unwrap_or(&f.fingerprint);
    Outcome {
        rule_id: words(&f.rule),
        rule_index: rules.index(&f.rule),
        kind: "fail",
        level: level(f.severity, f.binding),
        message: Message { text: message },
        locations: vec![location],
        related_locations: related.into_iter().collect(),
        code_flows: code_flows(f, places),
        partial_fingerprints: BTreeMap::from([
            ("ringfence/v1", f.fingerprint.clone()),
            // What GitHub tells alerts apart by: left to itself it takes the line's
            // words, and there can be many findings of a rule on one line.
            ("primaryLocationLineHash", format!("{bare}:1")),
        ]),
        baseline_state: match f.status {
            _ if f.grown => "updated",
            FindingStatus::New => "new",
            FindingStatus::Baseline | FindingStatus::Waived => "unchanged",
        },
        suppressions: suppression(f, places).into_iter().collect(),
        properties: properties(f, gate),
    }
}

/// What a comparison stops besides findings. Where its place is unknown, the settings
/// stand for it: services refuse what lies in no file.
fn changed<'a>(change: &Entry, places: &Places, rules: &Rules) -> Outcome<'a> {
    let place = change.location.as_ref().and_then(|written| physical(written, places));
    let settings = || PhysicalLocation {
        artifact_location: ArtifactLocation { uri: encoded(SETTINGS), uri_base_id: Some(ROOT) },
        region: Region { start_line: 1, start_column: 1 },
    };
    let fingerprint = change.fingerprint();
    let bare = fingerprint.strip_prefix("rd1:").unwrap_or(&fingerprint).to_owned();
    Outcome {
        rule_id: change.check.to_owned(),
        rule_index: rules.index(change.check),
        kind: "fail",
        level: "error",
        message: Message::new(&change.message),
        locations: vec![Location {
            physical_location: Some(place.unwrap_or_else(settings)),
            logical_locations: vec![LogicalLocation { fully_qualified_name: say::line(&change.title) }],
            ..empty()
        }],
        related_locations: Vec::new(),
        code_flows: Vec::new(),
        partial_fingerprints: BTreeMap::from([
            ("ringfence/diff/v1", fingerprint),
            ("primaryLocationLineHash", format!("{bare}:1")),
        ]),
        baseline_state: "new",
        suppressions: Vec::new(),
        properties: Described::Change { class: change.class, stops: true },
    }
}

fn empty() -> Location {
    Location { id: None, physical_location: None, logical_locations: Vec::new(), message: None }
}

fn properties<'a>(f: &'a Finding, gate: &Gate) -> Described<'a> {
    Described::Finding(Box::new(Properties {
        fingerprint: &f.fingerprint,
        cause: &f.cause,
        finding_kind: f.kind,
        severity: f.severity,
        binding: f.binding,
        stops: gate.stops(f),
        grown: f.grown,
        consequent: f.consequent,
        prospective: f.prospective,
        retained: f.retained,
        reidentified: &f.reidentified,
        lapsed: &f.lapsed,
        policy_status: f.policy_status,
        source: f.source.as_ref(),
        sink: f.sink.as_ref(),
        flow: f.flow.as_deref(),
        subject: f.subject.as_deref(),
        agreements: &f.agreements,
        data: &f.data,
        arrives_as: &f.arrives_as,
        becomes: &f.becomes,
        broken: &f.broken.text,
        cite: &f.cite,
    }))
}

fn suppression(f: &Finding, places: &Places) -> Option<Suppression> {
    let justification = say::line(&say::accepted(f)?);
    let location = f
        .waiver
        .as_ref()
        .and_then(|w| physical(&w.location, places))
        .map(|physical| Location { physical_location: Some(physical), ..empty() });
    Some(Suppression { kind: "external", status: "accepted", justification, location })
}

fn code_flows(f: &Finding, places: &Places) -> Vec<CodeFlow> {
    let walks = say::walks(f);
    let all = walks.len();
    let flow = |(index, (walk, agreements)): (usize, &say::Walk)| {
        let label = say::walk_label(index + 1, all, agreements);
        let mut locations: Vec<ThreadFlowLocation> = walk.iter().map(|h| step(h, places)).collect();
        if locations.is_empty() {
            locations.push(stays(f, places));
        }
        let message = (!label.is_empty()).then(|| Message::new(&label));
        CodeFlow { thread_flows: [ThreadFlow { message, locations }] }
    };
    walks.iter().enumerate().map(flow).collect()
}

fn step(hop: &Hop, places: &Places) -> ThreadFlowLocation {
    let location = Location {
        physical_location: physical(&hop.location, places),
        logical_locations: vec![LogicalLocation { fully_qualified_name: say::line(&hop.flow) }],
        message: Some(Message::new(&say::hop(hop))),
        ..empty()
    };
    ThreadFlowLocation { location, importance: "essential" }
}

/// A walk of no flows.
fn stays(f: &Finding, places: &Places) -> ThreadFlowLocation {
    let location = Location {
        physical_location: say::place(f, places).and_then(|written| physical(written, places)),
        message: Some(Message::new(&format!("{}: it starts here", say::start(f)))),
        ..empty()
    };
    ThreadFlowLocation { location, importance: "essential" }
}

/// A place in a file of the repository, or in one outside of any by its whole path;
/// `None` for what lies in no file.
fn physical(written: &Written, places: &Places) -> Option<PhysicalLocation> {
    let file = places.in_repository(&written.file)?;
    let artifact_location = if file.starts_with('/') {
        ArtifactLocation { uri: format!("file://{}", encoded(file)), uri_base_id: None }
    } else {
        ArtifactLocation { uri: encoded(file), uri_base_id: Some(ROOT) }
    };
    let region = Region { start_line: written.line.max(1), start_column: written.column.max(1) };
    Some(PhysicalLocation { artifact_location, region })
}

/// A path as the path of a URI.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What is said of findings that lie in no file, if there are any: services show findings beside
/// the files, and refuse what lies in none.
pub fn placeless(audit: &Audit, places: &Places) -> Option<String> {
    let number = audit.findings.iter().filter(|f| say::place(f, places).is_none()).count();
    (number > 0).then(|| {
        format!(
            "{} in no file: GitHub refuses the whole upload, GitLab shows {} nowhere; --stdin-name PATH names \
             the file that standard input stands for",
            if number == 1 { "1 finding lies".to_owned() } else { format!("{number} findings lie") },
            if number == 1 { "it" } else { "them" },
        )
    })
}

/// The notices, and what a service would leave out without a word.
fn notifications(report: &Report) -> (Vec<NotificationKind>, Vec<Notification>) {
    let Report { audit, places, .. } = report;
    let changes = entries(report);
    let mut said: Vec<(&str, &'static str, String, Option<&Written>)> = Vec::new();
    for notice in &audit.notices {
        let level = if report.denies(notice) { "error" } else { "note" };
        said.push((&notice.code, level, say::notice(notice, usize::MAX), notice.location.as_ref()));
    }
    for change in changes.iter().filter(|change| !change.fails) {
        said.push((change.check, "warning", change.message.clone(), change.location.as_ref()));
    }
    let findings = audit.findings.len();
    if findings > SHOWN_RESULTS {
        let text = format!(
            "this file has {findings} results: GitHub shows the most severe {SHOWN_RESULTS} and refuses files with \
             more than {MOST_RESULTS}"
        );
        said.push(("many-results", "warning", text, None));
    }
    let hops = |f: &&Finding| say::walks(f).iter().map(|(walk, _)| walk.len().max(1)).sum::<usize>();
    let long = audit.findings.iter().filter(|f| hops(f) > MOST_HOPS).count();
    if long > 0 {
        let text =
            format!("{long} of the results have walks of more than {MOST_HOPS} flows, which GitHub refuses");
        said.push(("long-walks", "warning", text, None));
    }
    if let Some(text) = placeless(audit, places) {
        said.push(("results-without-file", "warning", text, None));
    }
    let mut kinds: Vec<NotificationKind> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for (code, level, text, location) in said {
        let index = *index.entry(code).or_insert_with(|| {
            kinds.push(NotificationKind {
                id: words(code),
                short_description: Message::new(&format!("notice: {}", code.replace('-', " "))),
                full_description: Message::new(NOTICES),
                help: Message::new(NOTICES),
            });
            kinds.len() - 1
        });
        let physical = location.and_then(|written| physical(written, places));
        all.push(Notification {
            descriptor: DescriptorReference { id: words(code), index },
            level,
            message: Message::new(&text),
            locations: physical
                .map(|physical| Location { physical_location: Some(physical), ..empty() })
                .into_iter()
                .collect(),
        });
    }
    (kinds, all)
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn paths_become_uris() {
        assert_eq!(encoded("a b/ä%:?#[1].yaml"), "a%20b/%C3%A4%25%3A%3F%23%5B1%5D.yaml");
    }
}
