//! What the result rests on, and the notices.

use serde::Serialize;

use super::names::{Names, at};
use crate::base::finding::Audit;
use crate::report::Report;
use crate::report::relied;

/// So many claims of one kind are written out, and so many notices of one code.
const WRITTEN: usize = 100;

/// What the result rests on, claims of one kind together.
#[derive(Debug, Serialize)]
pub struct Claims {
    /// How many there are.
    number: usize,
    groups: Vec<ClaimGroup>,
}

/// Claims of one kind.
#[derive(Debug, Serialize)]
struct ClaimGroup {
    /// As it is declared.
    claim: String,
    /// In words.
    words: String,
    makers: String,
    /// What it keeps from being a finding.
    keeps: Vec<String>,
    claims: Vec<Claim>,
    more: usize,
}

/// One claim.
#[derive(Debug, Serialize)]
struct Claim {
    by: String,
    title: Option<String>,
    party: Option<String>,
    /// Its own words, where the group has the key alone.
    claim: Option<String>,
    evidence: Option<String>,
    until: Option<String>,
    place: String,
}

/// Notices of one code.
#[derive(Debug, Serialize)]
pub struct NoticeGroup {
    code: String,
    number: usize,
    refused: bool,
    notices: Vec<NoticeRow>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct NoticeRow {
    message: String,
    subjects: String,
    place: Option<String>,
}

/// What was relied on: the claims on which most rests come first.
pub fn claims(audit: &Audit, names: &Names) -> Claims {
    let title = |rule: &str| {
        let known = audit.rules.iter().find(|known| known.id == rule);
        known.map_or_else(|| rule.to_owned(), |known| known.title.clone())
    };
    let groups: Vec<ClaimGroup> = relied::groups(audit)
        .iter()
        .map(|group| ClaimGroup {
            claim: group.claim.to_owned(),
            words: group.words.clone(),
            makers: relied::makers(group),
            keeps: group.affects.iter().map(|rule| title(rule)).collect(),
            more: group.claims.len().saturating_sub(WRITTEN),
            claims: group.claims.iter().take(WRITTEN).map(|said| claim(said, group.claim, names)).collect(),
        })
        .collect();
    Claims { number: relied::claims(audit).len(), groups }
}

fn claim(said: &relied::Claim, kind: &str, names: &Names) -> Claim {
    Claim {
        by: said.by.to_owned(),
        title: names.flow_title(said.by),
        party: said.party.map(|party| names.party(party)),
        claim: (said.claim != kind).then(|| said.claim.to_owned()),
        evidence: said.evidence.map(str::to_owned),
        until: said.until.map(str::to_owned),
        place: at(said.location),
    }
}

/// The notices, by their codes.
pub fn notices(report: &Report) -> Vec<NoticeGroup> {
    let mut groups: Vec<NoticeGroup> = Vec::new();
    for notice in &report.audit.notices {
        let row = NoticeRow {
            message: notice.message.clone(),
            subjects: notice.subjects.join(", "),
            place: notice.location.as_ref().map(at),
        };
        match groups.iter_mut().find(|g| g.code == notice.code) {
            Some(group) => {
                group.number += 1;
                if group.notices.len() < WRITTEN { group.notices.push(row) } else { group.more += 1 }
            }
            None => groups.push(NoticeGroup {
                code: notice.code.clone(),
                number: 1,
                more: 0,
                refused: report.denies(notice),
                notices: vec![row],
            }),
        }
    }
    groups
}
