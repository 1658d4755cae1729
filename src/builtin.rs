//! The built-in checks: whether flows keep their own agreements. Their words stand
//! here once, for findings and for `ringfence explain`.

use crate::vocabulary::Severity;

/// What there is to say about a built-in check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Its name, the `rule` of its findings.
    pub id: &'static str,
    /// It in a few words.
    pub title: &'static str,
    /// How much a finding matters.
    pub severity: Severity,
    /// When there is a finding.
    pub violated: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// All built-in checks, in the order of the documentation.
pub const CHECKS: [Check; 8] = [
    Check {
        id: "terms/purpose",
        title: "Data is used for a purpose that its terms do not permit",
        severity: Severity::High,
        violated: "A flow carries data that is under an agreement, and one of the flow's purposes is not at \
                   or below any of the terms' `purposes` (where stated), or a purpose of the flow or of the \
                   receiving system and one of the terms' `prohibited_purposes` are the same or one is below \
                   the other. Terms follow the data through every later flow.",
        why: "The agreement under which the data came limits what it may serve, also further down the chain.",
        remedy: "Cut the flow, narrow its purposes, or agree on the purpose with the party the data came from.",
    },
    Check {
        id: "terms/onward",
        title: "Data is passed on further than its terms permit",
        severity: Severity::High,
        violated: "A flow that is not the agreement's own carries data under it into another party that has \
                   not signed it, that no `onward_to` allows, and that `onward_transfer` does not cover: \
                   `processors` covers processing agreements of the sender, `affiliates` these and the groups \
                   of the agreement's parties, `permitted` anybody, `prohibited` (the default) nobody.",
        why: "Whoever gave the data agreed with its receiver, not with whoever comes after.",
        remedy: "Cut the flow, put it under a processing agreement if the receiver only works for the sender, \
                 or have the agreement name the receiver under `onward_to`.",
    },
    Check {
        id: "terms/retention",
        title: "Data is kept longer than its terms permit",
        severity: Severity::Medium,
        violated: "A flow carries data under an agreement to where it is kept longer than the terms' \
                   `retention`. A flow's retention is its own, else the receiving system's, else unlimited.",
        why: "A limit at the first receiver is worth nothing if the next one keeps a copy for longer.",
        remedy: "Shorten the retention where the data arrives, or leave the data out of the flow.",
    },
    Check {
        id: "terms/safeguards",
        title: "A flow lacks safeguards that the data's terms ask for",
        severity: Severity::Medium,
        violated: "A flow carries data under an agreement and does not state every one of the terms' \
                   `safeguards`.",
        why: "A chain protects data as well as its weakest link.",
        remedy: "Put the safeguard in place and state it under `safeguards`, or cut the flow.",
    },
    Check {
        id: "terms/consent",
        title: "A flow has less consent than its own terms ask for",
        severity: Severity::High,
        violated: "A counting flow of an agreement states less `consent` than the terms that apply to it \
                   (none < opt_out < opt_in), whatever it carries.",
        why: "The parties agreed not to share without people's say.",
        remedy: "Ask people, and state `consent` on the flow; or change the terms.",
    },
    Check {
        id: "flow/undocumented",
        title: "A flow between two parties is under no agreement",
        severity: Severity::High,
        violated: "A counting flow goes from one party to another and is under no agreement.",
        why: "Nothing says what the receiver may do with the data.",
        remedy: "Declare the agreement and put the flow under it, or conclude one.",
    },
    Check {
        id: "flow/foreign-party",
        title: "A flow touches a party that has not signed its agreement",
        severity: Severity::High,
        violated: "One end of a counting flow under an agreement belongs to a party that is not among the \
                   agreement's `parties`.",
        why: "An agreement does not bind those who have not signed it.",
        remedy: "Add the party to the agreement, or put the flow under an agreement that it has signed.",
    },
    Check {
        id: "flow/unsourced",
        title: "Nothing declared brings the data to where a flow takes it from",
        severity: Severity::Medium,
        violated: "A counting flow, or a system's `derives`, names a category of which its system holds \
                   nothing. The data is then assumed to start there, and followed. The severity is high if \
                   it would break a `forbid` rule that only the unknown origin keeps from matching.",
        why: "Where data comes from decides which rules and terms it is under. Here nobody says.",
        remedy: "Declare the flow that brings the data, or `originates` at the system if it starts there.",
    },
];

/// The check of that name.
pub fn check(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}
