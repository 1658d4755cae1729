//! Which scope a certificate is of, and whether that is the scope that whoever checks asked for.
//! A certificate is written by whoever wants it to hold: its scope is a claim, not an instruction.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::audit::Options;
use crate::base::vocabulary::{Status, Word};
use crate::model::Scope;

/// What was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The day on which the expiry of waivers and assurances is evaluated.
    pub day: String,
    /// The day that dates of flows are compared with, if any.
    pub as_of: Option<String>,
    /// Only agreements with these statuses, if stated.
    pub status: Option<Vec<Status>>,
}

/// What a certificate has to be of.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The day for which it has to hold, whichever it was written on.
    pub day: Date,
    /// The flows that have to count.
    pub scope: Scope,
    /// Whether it may be that no flow counts.
    pub allow_empty: bool,
}

impl Expected {
    /// All flows, on a day.
    pub fn on(day: Date) -> Self {
        Expected { day, scope: Scope::default(), allow_empty: false }
    }
}

impl Judged {
    /// As an audit was asked to.
    pub fn of(options: &Options) -> Self {
        Judged {
            day: options.day.to_string(),
            as_of: options.scope.as_of.map(|day| day.to_string()),
            status: options.scope.statuses.clone(),
        }
    }

    /// The day and the scope.
    ///
    /// # Errors
    /// When a day is none, or the list of statuses is one that no audit writes.
    pub fn scope(&self) -> Result<(Date, Scope), String> {
        let date = |text: &String| text.parse::<Date>().map_err(|_| format!("`{text}` is not a day"));
        if self.status.as_ref().is_some_and(Vec::is_empty) {
            return Err("its list of statuses is empty, which no audit writes".to_owned());
        }
        let as_of = self.as_of.as_ref().map(date).transpose()?;
        Ok((date(&self.day)?, Scope { as_of, statuses: self.status.clone(), running_on: None }))
    }
}

/// How a scope differs from the one asked for, each difference with the argument that names it.
pub fn differences(scope: &Scope, asked: &Scope) -> Vec<String> {
    let mut differences = Vec::new();
    if scope.as_of != asked.as_of {
        let judged = match scope.as_of {
            Some(day) => {
                format!("judges the flows of {day} only: if that is meant, name it with `--as-of {day}`")
            }
            None => "judges flows of all days: if that is meant, leave out `--as-of`".to_owned(),
        };
        differences.push(format!("the certificate {judged}"));
    }
    if admitted(scope) != admitted(asked) {
        let judged = match &scope.statuses {
            Some(list) => {
                let words: Vec<&str> = list.iter().map(|status| status.word()).collect();
                let (all, argument) = (words.join(" and "), words.join(","));
                format!(
                    "judges {all} agreements only: if that is meant, name them with `--status {argument}`"
                )
            }
            None => "judges agreements of all statuses: if that is meant, leave out `--status`".to_owned(),
        };
        differences.push(format!("the certificate {judged}"));
    }
    differences
}

/// The statuses whose agreements count.
fn admitted(scope: &Scope) -> BTreeSet<Status> {
    Status::ALL.iter().copied().filter(|&status| scope.admits(status)).collect()
}
