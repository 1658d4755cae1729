//! Baselines: findings that are known and accepted as they are, each with all that it was then: data and
//! what it arrives as, agreements, parties of origin, severity. What goes beyond is new.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::diagnostic::Diagnostic;
use crate::base::finding::{Audit, Finding, FindingStatus, Place, ResultError, SCHEMA};
use crate::base::source::{FileId, Sources, Span};
use crate::base::taxonomy::Tree;
use crate::base::visible::{in_json, visible};
use crate::base::vocabulary::{BuiltIn, Severity};
use crate::read::decode::{Decoder, Fields, Spanned, is_fingerprint};
use crate::read::yaml::{self, Limits, Node, Value};

/// The version of the file's shape.
const VERSION: u32 = 2;
/// The version that did not say how grave a finding was, what it arrived as or whose data it was about.
const EARLIER: u32 = 1;

/// Known findings by fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    version: u32,
    entries: BTreeMap<String, Entry>,
}

impl Default for Baseline {
    fn default() -> Self {
        Baseline { version: VERSION, entries: BTreeMap::new() }
    }
}

/// A known finding, and what of it is accepted; of what is `None` anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its fingerprint.
    pub finding: String,
    /// What it breaks.
    pub rule: String,
    /// The rule in a few words, for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where the data comes from, for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where it ends up, for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// The offending flow, for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// What it is about, for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How grave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether it is there only because of proposed agreements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prospective: Option<bool>,
    /// The data: the fewest categories.
    #[serde(skip_serializing_if = "is_nothing")]
    pub data: Option<Vec<String>>,
    /// What it arrives as: the fewest categories.
    #[serde(skip_serializing_if = "is_nothing")]
    pub arrives_as: Option<Vec<String>>,
    /// The agreements, for `terms/*` and `agreement/ended`.
    #[serde(skip_serializing_if = "is_nothing")]
    pub agreements: Option<Vec<String>>,
    /// The parties whose data it is.
    #[serde(skip_serializing_if = "is_nothing")]
    pub origins: Option<Vec<String>>,
}

fn is_nothing(names: &Option<Vec<String>>) -> bool {
    names.as_ref().is_none_or(Vec::is_empty)
}

/// Whether findings of a rule are accepted agreement by agreement: for these is listed under which
/// agreements they are, for others only by which a shortest walk leads.
pub fn is_by_agreement(rule: &str) -> bool {
    BuiltIn::of(rule).is_some_and(|check| check.is_of_terms() || check == BuiltIn::Ended)
}

#[derive(Serialize)]
struct Written<'b> {
    baseline: u32,
    findings: Vec<&'b Entry>,
}

impl Entry {
    /// A finding as it is now.
    fn of(finding: &Finding) -> Self {
        let place =
            |p: &Option<Place>| p.as_ref().map(|p| p.system.clone().unwrap_or_else(|| p.party.clone()));
        Entry {
            finding: finding.fingerprint.clone(),
            rule: finding.rule.clone(),
            title: Some(finding.title.clone()),
            source: place(&finding.source),
            sink: place(&finding.sink),
            flow: finding.flow.clone(),
            subject: finding.subject.clone(),
            severity: Some(finding.severity),
            prospective: Some(finding.prospective),
            data: Some(finding.data.clone()),
            arrives_as: Some(finding.arrives_as.clone()),
            agreements: is_by_agreement(&finding.rule).then(|| finding.agreements.clone()),
            origins: finding.whose().filter(|parties| !parties.is_empty()).map(<[String]>::to_vec),
        }
    }
}

impl Baseline {
    /// All findings of a result that nobody has waived.
    pub fn of(audit: &Audit) -> Self {
        let known = audit.findings.iter().filter(|f| f.status != FindingStatus::Waived);
        let entries = known.map(|f| (f.fingerprint.clone(), Entry::of(f))).collect();
        Baseline { version: VERSION, entries }
    }

    /// The known finding of that fingerprint.
    pub fn get(&self, fingerprint: &str) -> Option<&Entry> {
        self.entries.get(fingerprint)
    }

    /// All, by fingerprint.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Takes out what does not hold, and gives it back.
    pub fn take_out(&mut self, out: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let (gone, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.entries).into_iter().partition(|(_, entry)| out(entry));
        self.entries = kept.into_iter().collect();
        gone.into_iter().map(|(_, entry)| entry).collect()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file: by rule, then by place, so that it reads and compares well.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut findings: Vec<&Entry> = self.entries.values().collect();
        findings.sort_by_key(|e| (&e.rule, &e.source, &e.sink, &e.flow, &e.subject, &e.finding));
        serde_json::to_string_pretty(&Written { baseline: self.version, findings })
            .map(|text| in_json(&text) + "\n")
    }

    /// Whether a text is a baseline itself, and not an audit's JSON.
    pub fn is_one(path: PathBuf, text: String, limits: &Limits) -> bool {
        let nodes = yaml::parse(FileId(0), &text, limits, &mut Vec::new());
        nodes.first().is_some_and(|node| has(node, "baseline"))
            && Baseline::read(path, text, limits, &mut Sources::new()).is_ok()
    }

    /// Reads a baseline, or takes all that is not waived of an audit's JSON. The text
    /// stays in `sources`.
    ///
    /// # Errors
    /// All mistakes.
    pub fn read(
        path: PathBuf,
        text: String,
        limits: &Limits,
        sources: &mut Sources,
    ) -> Result<Self, Vec<Diagnostic>> {
        let file = sources.add_at(path.display().to_string(), path, text.clone());
        let mut diagnostics = Vec::new();
        let documents = yaml::parse(file, &text, limits, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        let Some(document) = documents.first() else {
            let message = format!("`{}` is empty", sources.get(file).map_or("", |f| f.name()));
            let help = "write it with `ringfence baseline write`";
            return Err(vec![Diagnostic::without_place("not-a-baseline", message).help(help)]);
        };
        if let Some(second) = documents.get(1) {
            return Err(vec![
                Diagnostic::new("two-documents", "a baseline is one document", second.span)
                    .label("expected nothing after the first document"),
            ]);
        }
        if has(document, "ringfence") && !has(document, "baseline") {
            return match Audit::from_json(text.as_bytes()) {
                Err(ResultError::Version(version)) => Err(vec![
                    Diagnostic::new(
                        "unknown-version",
                        format!("results of version {version} are not known"),
                        document.span,
                    )
                    .label(format!("expected `schema` to be {SCHEMA}"))
                    .help(
                        "write it again with `ringfence audit --format json` or `ringfence baseline write`",
                    ),
                ]),
                // What is written of it must be read again.
                Ok(audit) => match audit.findings.iter().find(|f| !is_fingerprint(&f.fingerprint)) {
                    Some(finding) => Err(vec![
                        Diagnostic::new(
                            "not-a-baseline",
                            format!("`{}` is not a fingerprint", visible(&finding.fingerprint)),
                            document.span,
                        )
                        .label("expected `rf1:` and 16 hexadecimal digits for every finding"),
                    ]),
                    None => Ok(Baseline::of(&audit)),
                },
                Err(ResultError::Json(error)) => Err(vec![
                    Diagnostic::new(
                        "not-a-baseline",
                        format!("this is no audit's result: {error}"),
                        document.span,
                    )
                    .label(
                        "expected what `ringfence audit --format json` or `ringfence baseline write` writes",
                    ),
                ]),
            };
        }
        let tree = Tree::default();
        let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
        let baseline = decode(&mut d, document);
        if diagnostics.is_empty() { Ok(baseline) } else { Err(diagnostics) }
    }
}

fn has(node: &Node, key: &str) -> bool {
    matches!(&node.value, Value::Map(entries) if entries.iter().any(|e| e.key == key))
}

fn decode(d: &mut Decoder, document: &Node) -> Baseline {
    let Some(mut f) = Fields::new(d, document, "a baseline") else {
        return Baseline::default();
    };
    let stated = f.required(d, "baseline", |d, n| d.text(n));
    let known = |text: &str| [VERSION, EARLIER].into_iter().find(|version| version.to_string() == text);
    let version = stated.as_ref().and_then(|text| known(&text.value));
    if let Some(other) = stated.filter(|_| version.is_none()) {
        d.report(
            Diagnostic::new("unknown-version", "this version of baselines is not known", other.span)
                .label(format!("expected {VERSION}"))
                .help("write it again with `ringfence baseline write`"),
        );
    }
    let version = version.unwrap_or(VERSION);
    let list = f.get_even_empty("findings");
    if list.is_none() {
        f.missing(d, "findings");
    }
    let read = list.map(|node| d.list(node, |d, node| entry(d, node, version))).unwrap_or_default();
    f.finish(d);
    let mut first: BTreeMap<String, Span> = BTreeMap::new();
    let mut entries = BTreeMap::new();
    for (entry, span) in read {
        if let Some(first) = first.insert(entry.finding.clone(), span) {
            d.report(
                Diagnostic::new("duplicate-finding", format!("{} stands twice", entry.finding), span)
                    .label("written again")
                    .also(first, "first written here")
                    .help("keep one of them, or write it again with `ringfence baseline write`"),
            );
        }
        entries.insert(entry.finding.clone(), entry);
    }
    Baseline { version, entries }
}

fn entry(d: &mut Decoder, node: &Node, version: u32) -> Option<(Entry, Span)> {
    let mut f = Fields::new(d, node, "a known finding")?;
    let finding = f.required(d, "finding", |d, n| d.fingerprint(n));
    let rule = f.required(d, "rule", |d, n| d.text(n));
    let mut text = |d: &mut Decoder, key| f.with(d, key, |d, n| d.text(n)).map(|t| t.value);
    let title = text(d, "title");
    let (source, sink) = (text(d, "source"), text(d, "sink"));
    let (flow, subject) = (text(d, "flow"), text(d, "subject"));
    let mut list = |d: &mut Decoder, key| -> Option<Vec<String>> {
        let names: Vec<_> = f.list(d, key, |d, n| d.text(n)).into_iter().map(|t| t.value).collect();
        (!names.is_empty()).then_some(names)
    };
    let (data, arrives_as) = (list(d, "data"), list(d, "arrives_as"));
    let (agreements, origins) = (list(d, "agreements"), list(d, "origins"));
    let severity = f.with(d, "severity", |d, n| d.word::<Severity>(n)).map(|word| word.value);
    let prospective = f.with(d, "prospective", |d, n| d.flag(n)).map(|flag| flag.value);
    f.finish(d);
    let (Spanned { value: finding, span }, rule) = (finding?, rule?.value);
    // What is not listed is nothing, where this version lists it.
    let of_terms = BuiltIn::of(&rule).is_some_and(BuiltIn::is_of_terms);
    let or_none = |list: Option<Vec<String>>, listed: bool| list.or_else(|| listed.then(Vec::new));
    let (data, arrives_as, agreements) = if version == EARLIER {
        (or_none(data, !of_terms), arrives_as, or_none(agreements, of_terms))
    } else {
        (or_none(data, true), or_none(arrives_as, true), or_none(agreements, is_by_agreement(&rule)))
    };
    let entry = Entry {
        finding,
        rule,
        title,
        source,
        sink,
        flow,
        subject,
        severity,
        prospective,
        data,
        arrives_as,
        agreements,
        origins,
    };
    Some((entry, span))
}
