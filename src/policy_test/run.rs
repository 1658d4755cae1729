//! Judges tests: what was expected and is missing, and what arose and was not expected.

use super::{Case, Expected, Name, Suite};
use crate::audit::audit;
use crate::base::finding::{Audit, Finding, Place};
use crate::base::source::{Location, Sources};
use crate::base::taxonomy::Tree;

/// What became of a test.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What differs from what was expected; nothing: it passes.
    pub differences: Vec<Difference>,
}

impl Outcome {
    /// Whether all is as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// In what way a test fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It was expected and did not arise.
    Missing,
    /// It arose and was not expected.
    Unexpected,
    /// It arose with other data.
    Data,
    /// It arose, and `not` says that it must not.
    Forbidden,
}

/// One way in which a test fails.
#[derive(Debug, Clone)]
pub struct Difference {
    /// In what way.
    pub what: What,
    /// The rule, where it is known.
    pub rule: Option<String>,
    /// What the finding is about, in words.
    pub about: String,
    /// The data expected, as the fewest categories.
    pub expected: Vec<String>,
    /// The data found, as the fewest categories.
    pub found: Vec<String>,
    /// A walk that proves what was found; of what is missing, the claims that kept it away.
    pub because: Vec<String>,
    /// The expectation, or the test where there is none.
    pub location: Location,
}

/// Judges all tests, in their order.
pub fn run(suite: &Suite, sources: &Sources) -> Vec<Outcome> {
    suite.cases.iter().map(|case| Outcome { differences: compare(case, &judge(case, sources)) }).collect()
}

/// What the judged rules find, and what was relied on.
pub(super) fn judge(case: &Case, sources: &Sources) -> Audit {
    let mut audit = audit(&case.world, sources, &case.options);
    audit.findings.retain(|f| case.judged.iter().any(|j| j.id == f.rule));
    audit
}

pub(super) fn compare(case: &Case, audit: &Audit) -> Vec<Difference> {
    let tree = &case.world.model.data;
    let mut all = Vec::new();
    if let Some(finds) = &case.finds {
        let mut met = vec![false; finds.len()];
        for finding in &audit.findings {
            let mut same_key = finds.iter().zip(&mut met).filter(|(e, _)| is(e, finding)).peekable();
            let Some((first, _)) = same_key.peek() else {
                all.push(arisen(What::Unexpected, finding, &case.location));
                continue;
            };
            let first = *first;
            let mut exact = false;
            for (expected, met) in same_key {
                // Other data is a difference of its own: it is not missing as well.
                *met = true;
                exact |= data_is(expected, finding, tree);
            }
            if !exact {
                let expected = first.data.as_ref().map(|d| d.cover.clone()).unwrap_or_default();
                all.push(Difference { expected, ..arisen(What::Data, finding, &first.location) });
            }
        }
        all.extend(finds.iter().zip(met).filter(|(_, met)| !met).map(|(e, _)| missing(e, audit)));
    }
    for expected in &case.not {
        let arises = |f: &&Finding| {
            let leaves = tree.leaves(&f.data.iter().filter_map(|name| tree.find(name)).collect::<Vec<_>>());
            is(expected, f) && expected.data.as_ref().is_none_or(|d| d.leaves.intersects(&leaves))
        };
        let arisen = |f: &Finding| arisen(What::Forbidden, f, &expected.location);
        all.extend(audit.findings.iter().filter(arises).map(arisen));
    }
    all
}

fn place(place: &Option<Place>) -> Option<&str> {
    place.as_ref().map(|p| p.system.as_deref().unwrap_or(&p.party))
}

/// Whether a finding has the key that is expected.
fn is(expected: &Expected, finding: &Finding) -> bool {
    let like = |name: &Option<Name>, value: Option<&str>| {
        name.as_ref().is_none_or(|name| value.is_some_and(|value| name.glob.matches(value)))
    };
    expected.rule.as_ref().is_none_or(|rule| *rule == finding.rule)
        && like(&expected.source, place(&finding.source))
        && like(&expected.sink, place(&finding.sink))
        && like(&expected.flow, finding.flow.as_deref())
        && like(&expected.subject, finding.subject.as_deref())
}

/// Whether it has exactly the data that is expected.
fn data_is(expected: &Expected, finding: &Finding, tree: &Tree) -> bool {
    expected.data.as_ref().is_none_or(|data| {
        let keys: Vec<_> = finding.data.iter().filter_map(|name| tree.find(name)).collect();
        data.leaves == tree.leaves(&keys)
    })
}

fn arisen(what: What, finding: &Finding, location: &Location) -> Difference {
    let chain = finding.path.first().map(|first| {
        let hops: Vec<String> =
            finding.path.iter().map(|hop| format!(" ─[{}]→ {}", hop.flow, hop.to)).collect();
        format!("{}{}", first.from, hops.concat())
    });
    let message = finding.path.is_empty().then(|| finding.message.clone());
    Difference {
        what,
        rule: Some(finding.rule.clone()),
        about: about(
            place(&finding.source),
            place(&finding.sink),
            finding.flow.as_deref(),
            finding.subject.as_deref(),
        ),
        expected: Vec::new(),
        found: finding.data.clone(),
        because: chain.or(message).into_iter().collect(),
        location: location.clone(),
    }
}

fn missing(expected: &Expected, audit: &Audit) -> Difference {
    let text = |name: &'_ Option<Name>| name.as_ref().map(|n| n.text.clone());
    let (source, sink) = (text(&expected.source), text(&expected.sink));
    let (flow, subject) = (text(&expected.flow), text(&expected.subject));
    let claims = audit.relied_on.iter().filter(|r| expected.rule.as_ref() == Some(&r.rule));
    Difference {
        what: What::Missing,
        rule: expected.rule.clone(),
        about: about(source.as_deref(), sink.as_deref(), flow.as_deref(), subject.as_deref()),
        expected: expected.data.as_ref().map(|d| d.cover.clone()).unwrap_or_default(),
        found: Vec::new(),
        because: claims.map(|r| format!("{} claims {}", r.by(), r.claim)).collect(),
        location: expected.location.clone(),
    }
}

/// What a finding is about, in words.
fn about(source: Option<&str>, sink: Option<&str>, flow: Option<&str>, subject: Option<&str>) -> String {
    let ends = match (source, sink) {
        (Some(source), Some(sink)) => Some(format!("{source} → {sink}")),
        (Some(source), None) => Some(format!("from {source}")),
        (None, Some(sink)) if subject == Some(sink) => None,
        (None, Some(sink)) => Some(format!("at {sink}")),
        (None, None) => None,
    };
    let flow = flow.map(|flow| format!("by {flow}"));
    let parts: Vec<String> = ends.into_iter().chain(flow).chain(subject.map(str::to_owned)).collect();
    if parts.is_empty() { "any finding".to_owned() } else { parts.join(", ") }
}
