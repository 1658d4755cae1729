//! Causes of new findings, in the words of the formats that people read.

use super::say::{count, some};
use crate::base::cause::Cause;
use crate::base::finding::Audit;

/// What stands above them.
pub const TITLE: &str = "what the new findings hang on";
/// How many are written out, unless all are wanted.
const FIRST: usize = 5;
/// How many of its rules are named.
const RULES: usize = 4;

/// The first causes of new findings within a limit, and how many more there are.
pub fn first(audit: &Audit, limit: Option<usize>) -> (Vec<&Cause>, usize) {
    let causes = audit.causes.iter().filter(|cause| cause.new > 0);
    let most = limit.map_or(usize::MAX, |limit| limit.min(FIRST));
    let shown: Vec<&Cause> = causes.clone().take(most).collect();
    let left = causes.count() - shown.len();
    (shown, left)
}

/// How many findings hang on a cause, and what there is to know of them.
pub fn size(cause: &Cause) -> String {
    let known = match cause.findings - cause.new.min(cause.findings) {
        0 => String::new(),
        known => format!(", {known} known"),
    };
    let marks = [
        (cause.binding == 0, ", not binding"),
        (cause.prospective, ", proposed only"),
        (cause.assumed, ", assumed"),
    ];
    let marks: String = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
    format!("{}{known}{marks}", count(cause.new, "new finding"))
}

/// The rules that it breaks.
pub fn rules(cause: &Cause) -> String {
    some(&cause.rules, RULES)
}
