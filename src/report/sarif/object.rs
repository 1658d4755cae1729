//! The parts of SARIF 2.1.0 that the report uses, as the standard names them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Results;
use crate::base::cause::Cause;
use crate::base::finding::{
    FindingKind, InventoryFacts, Judged, Lapsed, Place, PolicyFacts, Promise, Reidentified, Reliance, Summary,
};
use crate::base::source::Location as Written;
use crate::base::vocabulary::{PolicyStatus, Severity};

/// Leaves a key out where it has no value.
fn none<T>(value: &Option<T>) -> bool {
    value.is_none()
}

macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident $(<$life:lifetime>)? { $($(#[$attr:meta])* $key:ident: $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name $(<$life>)? { $($(#[$attr])* pub $key: $ty),* }
    )*};
}

objects! {
    /// The whole file.
    Log<'a> {
        #[serde(rename = "$schema")]
        schema: &'static str,
        version: &'static str,
        runs: [Run<'a>; 1],
    }
    /// One audit.
    Run<'a> {
        tool: Tool<'a>,
        automation_details: AutomationDetails,
        invocations: [Invocation; 1],
        original_uri_base_ids: BTreeMap<&'static str, UriBase>,
        column_kind: &'static str,
        results: Results<'a>,
        properties: RunProperties<'a>,
    }
    /// What the file is about, for services that hold several.
    AutomationDetails { id: String }
    /// Where relative names start.
    UriBase { description: Message }
    /// The program.
    Tool<'a> { driver: Driver<'a> }
    /// The program and its rules.
    Driver<'a> {
        name: &'static str,
        version: &'a str,
        semantic_version: &'a str,
        #[serde(skip_serializing_if = "none")]
        information_uri: Option<&'static str>,
        short_description: Message,
        rules: &'a [Rule],
        notifications: Vec<NotificationKind>,
    }
    /// A rule.
    Rule {
        id: String,
        short_description: Message,
        full_description: Message,
        help: Help,
        default_configuration: Configuration,
        properties: RuleProperties,
    }
    /// What a rule says to those who break it.
    Help { text: String, markdown: String }
    /// How a rule counts.
    Configuration { level: &'static str }
    /// What services want to know of a rule beyond the standard.
    RuleProperties {
        tags: Vec<String>,
        precision: &'static str,
        #[serde(rename = "security-severity", skip_serializing_if = "none")]
        security_severity: Option<&'static str>,
        #[serde(rename = "problem.severity")]
        problem_severity: &'static str,
        severity: Severity,
        #[serde(skip_serializing_if = "none")]
        policy_status: Option<PolicyStatus>,
        #[serde(skip_serializing_if = "none")]
        written_at: Option<WrittenAt>,
    }
    /// A place in a file, where the standard has none.
    WrittenAt { file: String, line: u32, column: u32 }
    /// A code of notices.
    NotificationKind { id: String, short_description: Message, full_description: Message, help: Message }
    /// The run of the program.
    Invocation { execution_successful: bool, tool_execution_notifications: Vec<Notification> }
    /// Something that is no finding.
    Notification {
        descriptor: DescriptorReference,
        level: &'static str,
        message: Message,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        locations: Vec<Location>,
    }
    /// Refers to a code of notices.
    DescriptorReference { id: String, index: usize }
    /// Words.
    Message { text: String }
    /// A finding.
    Outcome<'a> {
        rule_id: String,
        rule_index: usize,
        kind: &'static str,
        level: &'static str,
        message: Message,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        locations: Vec<Location>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        related_locations: Vec<Location>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        code_flows: Vec<CodeFlow>,
        partial_fingerprints: BTreeMap<&'static str, String>,
        baseline_state: &'static str,
        suppressions: Vec<Suppression>,
        properties: Described<'a>,
    }
    /// A place.
    Location {
        #[serde(skip_serializing_if = "none")]
        id: Option<u32>,
        #[serde(skip_serializing_if = "none")]
        physical_location: Option<PhysicalLocation>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        logical_locations: Vec<LogicalLocation>,
        #[serde(skip_serializing_if = "none")]
        message: Option<Message>,
    }
    /// A place in a file.
    PhysicalLocation { artifact_location: ArtifactLocation, region: Region }
    /// A file.
    ArtifactLocation {
        uri: String,
        #[serde(skip_serializing_if = "none")]
        uri_base_id: Option<&'static str>,
    }
    /// Where in it; both from 1.
    Region { start_line: u32, start_column: u32 }
    /// A place in the declared world.
    LogicalLocation { fully_qualified_name: String }
    /// A walk.
    CodeFlow { thread_flows: [ThreadFlow; 1] }
    /// A walk's flows.
    ThreadFlow {
        #[serde(skip_serializing_if = "none")]
        message: Option<Message>,
        locations: Vec<ThreadFlowLocation>,
    }
    /// A flow of a walk.
    ThreadFlowLocation { location: Location, importance: &'static str }
    /// Who has accepted a finding.
    Suppression {
        kind: &'static str,
        status: &'static str,
        justification: String,
        #[serde(skip_serializing_if = "none")]
        location: Option<Location>,
    }
    /// What a finding has beyond the standard, as in the JSON.
    Properties<'a> {
        fingerprint: &'a str,
        cause: &'a str,
        finding_kind: FindingKind,
        severity: Severity,
        binding: bool,
        stops: bool,
        grown: bool,
        consequent: bool,
        prospective: bool,
        retained: bool,
        reidentified: &'a [Reidentified],
        lapsed: &'a [Lapsed],
        #[serde(skip_serializing_if = "none")]
        policy_status: Option<PolicyStatus>,
        #[serde(skip_serializing_if = "none")]
        source: Option<&'a Place>,
        #[serde(skip_serializing_if = "none")]
        sink: Option<&'a Place>,
        #[serde(skip_serializing_if = "none")]
        flow: Option<&'a str>,
        #[serde(skip_serializing_if = "none")]
        subject: Option<&'a str>,
        agreements: &'a [String],
        data: &'a [String],
        arrives_as: &'a [String],
        becomes: &'a [String],
        broken: &'a str,
        cite: &'a [String],
    }
    /// What an audit has beyond the standard.
    RunProperties<'a> {
        fails: bool,
        verdict: String,
        judged: &'a Judged,
        inventory: &'a InventoryFacts,
        policies: &'a [PolicyFacts],
        promises: &'a [Promise],
        relied_on: &'a [Reliance],
        causes: &'a [Cause],
        summary: Summary,
    }
}

/// What there is to know of a result beyond the standard.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Described<'a> {
    /// Of a finding.
    Finding(Box<Properties<'a>>),
    /// Of what a comparison stops besides findings.
    Change {
        /// The class of the change.
        class: crate::compare::Class,
        /// Whether the comparison fails by it.
        stops: bool,
    },
}

impl Message {
    /// Words from anywhere, which become no link: `[text](target)` would be one.
    pub fn new(text: &str) -> Self {
        Message { text: crate::report::say::line(text).replace("](", "] (") }
    }
}

impl WrittenAt {
    /// Where a rule is written.
    pub fn new(written: &Written) -> Self {
        WrittenAt { file: written.file.clone(), line: written.line, column: written.column }
    }
}
