//! For programs: one object. Keys may be added, these stay.

use serde_json::{Value, json};

use super::Tested;
use crate::base::visible::in_json;
use crate::policy_test::{Difference, What};

/// Writes the object.
pub fn render(tested: &Tested) -> Result<String, serde_json::Error> {
    let files: Vec<Value> = tested
        .files()
        .into_iter()
        .map(|(file, tests)| {
            let tests: Vec<Value> = tests
                .into_iter()
                .map(|(case, outcome)| {
                    let rules: Vec<&str> = case.judged.iter().map(|j| j.id.as_str()).collect();
                    json!({
                        "name": case.name,
                        "location": case.location,
                        "day": case.options.day.to_string(),
                        "rules": rules,
                        "passed": outcome.passed(),
                        "differences": outcome.differences.iter().map(difference).collect::<Vec<_>>(),
                    })
                })
                .collect();
            json!({"file": file, "tests": tests})
        })
        .collect();
    let coverage = tested.coverage.map(|coverage| {
        let rules: Vec<Value> = coverage
            .rules
            .iter()
            .map(|rule| {
                json!({
                    "rule": rule.id,
                    "location": rule.location,
                    "tests": rule.tests,
                    "triggering": rule.triggering,
                    "parts": rule.parts,
                    "unexercised": rule.unexercised,
                })
            })
            .collect();
        json!({
            "rules": rules,
            "parts": coverage.parts(),
            "exercised": coverage.exercised(),
            "percent": coverage.percent(),
        })
    });
    let all = tested.suite.cases.len();
    let object = json!({
        "ringfence": {"version": env!("CARGO_PKG_VERSION"), "schema": crate::base::finding::SCHEMA},
        "files": files,
        "coverage": coverage,
        "summary": {"tests": all, "passed": all - tested.failed(), "failed": tested.failed()},
    });
    Ok(in_json(&serde_json::to_string_pretty(&object)?) + "\n")
}

/// The word for a sort of difference.
pub fn word(what: What) -> &'static str {
    match what {
        What::Missing => "missing",
        What::Unexpected => "unexpected",
        What::Data => "data",
        What::Forbidden => "forbidden",
    }
}

fn difference(difference: &Difference) -> Value {
    json!({
        "what": word(difference.what),
        "rule": difference.rule,
        "about": difference.about,
        "expected": difference.expected,
        "found": difference.found,
        "because": difference.because,
        "location": difference.location,
    })
}
