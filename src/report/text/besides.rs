//! What stands below the causes: what rests on claims, notices, and policies that found nothing.

use std::collections::BTreeMap;

use super::{heading, place, rest};
use crate::base::finding::{Audit, NOTICES, Notice, PolicyFacts};
use crate::read::places::Places;
use crate::report::Report;
use crate::report::page::{Page, Style};
use crate::report::relied;
use crate::report::say::{self, count};

/// So many kinds of claims are named where they are not wanted in full.
const KINDS: usize = 4;

/// What the policies without findings looked at: nothing found says no more than that.
/// Where nothing fails, that is the result, and said in full.
pub fn unbroken(page: &mut Page, audit: &Audit, fails: bool) {
    let broken = |id: &str| audit.findings.iter().any(|f| f.rule.split('/').next() == Some(id));
    let told = |p: &&PolicyFacts| (p.about.is_some() || p.cannot_see.is_some()) && !broken(&p.id);
    if !fails {
        return in_full(page, audit.policies.iter().filter(told).collect());
    }
    let policies: Vec<String> = audit
        .policies
        .iter()
        .filter(told)
        .map(|policy| format!("{} ({})", policy.id, say::rules(policy.rules, policy.following)))
        .collect();
    let Some(first) = audit.policies.iter().find(told) else { return };
    page.gap();
    let text = format!(
        "{}; `ringfence policies {}` says what it looks at, and what no declaration can show",
        policies.join(", "),
        first.id
    );
    page.item("NOTHING FOUND BY: ", &text, Style::Plain);
}

fn in_full(page: &mut Page, policies: Vec<&PolicyFacts>) {
    if policies.is_empty() {
        return;
    }
    heading(
        page,
        "POLICIES WITHOUT FINDINGS: what they check, and what no declaration can show",
        Style::Bold,
    );
    for policy in policies {
        let title = policy.title.as_ref().map_or(String::new(), |title| format!(" · {title}"));
        let rules = say::rules(policy.rules, policy.following);
        page.para(2, &format!("{}{title}: {rules}", policy.id), Style::Plain);
        if let Some(about) = &policy.about {
            page.item("    looks at    ", about, Style::Plain);
        }
        if let Some(cannot_see) = &policy.cannot_see {
            page.item("    cannot see  ", cannot_see, Style::Plain);
        }
    }
}

/// The notices: a line for each code, or all of them; those that are denied always in full.
pub fn notices(page: &mut Page, report: &Report, (all, listed): (bool, usize)) {
    let Report { audit, gate, places, .. } = report;
    let mut codes: BTreeMap<&str, Vec<&Notice>> = BTreeMap::new();
    for notice in &audit.notices {
        codes.entry(&notice.code).or_default().push(notice);
    }
    if codes.is_empty() {
        return;
    }
    let more = if all { "" } else { "; --notices prints them" };
    heading(page, &format!("NOTICES: {}, not findings{more}", audit.notices.len()), Style::Bold);
    for (code, notices) in codes {
        let denied = notices.iter().any(|notice| gate.denies(notice));
        let mark = if denied { ", denied" } else { "" };
        if !all && !denied {
            page.bounded("  ", 4, &folded(code, &notices, places), Style::Plain, 2);
            continue;
        }
        page.para(2, &format!("{code} ({}{mark})", notices.len()), Style::Yellow);
        for notice in notices.iter().take(listed) {
            let mut text = say::notice(notice, listed);
            if let Some(at) = &notice.location {
                text.push_str(&format!(" · {}", place(places, at)));
            }
            page.item("    - ", &text, Style::Plain);
        }
        rest(page, 4, notices.len().saturating_sub(listed), "notice");
    }
}

/// All notices of one code in a line: what they say together, or what the only one says.
fn folded(code: &str, notices: &[&Notice], places: &Places) -> String {
    let what = NOTICES.iter().find(|(known, _)| *known == code).map(|(_, what)| *what);
    let about: usize = notices.iter().map(|notice| notice.subjects.len().max(1)).sum();
    match (notices, what) {
        ([one], _) if one.subjects.is_empty() => {
            let at = one.location.as_ref().map_or(String::new(), |at| format!(" · {}", place(places, at)));
            format!("{code}: {}{at}", one.message)
        }
        (_, what) => format!("{code} ({about}): {}", what.unwrap_or_default()),
    }
}

/// What the result rests on: a line for each kind of claim, or all of them.
pub fn reliances(page: &mut Page, report: &Report, (all, listed): (bool, usize)) {
    let Report { audit, places, .. } = report;
    let groups = relied::groups(audit);
    if groups.is_empty() {
        return;
    }
    let number: usize = groups.iter().map(|group| group.claims.len()).sum();
    let more = if all { "" } else { "; --relied-on prints them" };
    let claims =
        format!("RESTS ON: {}, without which there could be more findings{more}", count(number, "claim"));
    heading(page, &claims, Style::Bold);
    if !all {
        for group in groups.iter().take(KINDS) {
            let text = format!("{}: {}", relied::makers(group), relied::claimed(group));
            page.bounded("  ", 4, &text, Style::Plain, 2);
        }
        let more = groups.len().saturating_sub(KINDS);
        if more > 0 {
            let kinds = if more == 1 { "kind" } else { "kinds" };
            page.para(2, &format!("… and {more} more {kinds} of claim"), Style::Dim);
        }
        return;
    }
    for group in groups {
        let makers = relied::makers(&group);
        page.gap();
        page.item("  ", &format!("{makers}: {}", relied::claimed(&group)), Style::Plain);
        page.item("    keeps from being a finding  ", &group.affects.join(", "), Style::Plain);
        for claim in group.claims.iter().take(listed) {
            let party = claim.party.map_or(String::new(), |party| format!(", says {party}"));
            let own = if claim.claim == group.claim { String::new() } else { format!(" · {}", claim.claim) };
            let text = format!("{}{party} · {}{own}", claim.by, place(places, claim.location));
            page.item("    - ", &text, Style::Plain);
            page.para(6, &relied::footing(claim), Style::Dim);
        }
        rest(page, 4, group.claims.len().saturating_sub(listed), "claim");
    }
}
