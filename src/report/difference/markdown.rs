//! A comparison as a comment on a proposed change, for reviewers who do not know the
//! program. Whatever the input, it is no longer than services allow.

use super::DiffReport;
use super::text::{alike, claimed, named, newness, pardoning, said, sentence, state, summary};
use crate::base::finding::Finding;
use crate::compare::{Class, Diff, Edit, Reach};
use crate::report::markdown::escape::{code, text};
use crate::report::markdown::findings::{at, chain, in_full, names, one_line};
use crate::report::markdown::part::{Part, folded};
use crate::report::markdown::{MARK, MOST};
use crate::report::say::{self, CAUTION, count};

/// So many characters for each list that may be left out in part.
const FOLDED: usize = 8_000;
/// So many characters of a text and of a name.
const TEXT: usize = 600;
const NAME: usize = 160;
/// So many places newly reached are shown before the others are folded.
const OPEN: usize = 5;

/// Writes the comment.
pub fn render(report: &DiffReport) -> String {
    let DiffReport { diff, head, places, .. } = report;
    let stops = |f: &&Finding| report.gate.stops(f);
    let changed = || diff.findings.added.iter().chain(&diff.findings.grown);
    let failing: Vec<&Finding> = changed().filter(stops).collect();
    let others: Vec<&Finding> = changed().filter(|f| !stops(f)).collect();
    let list = |summary: String, findings: &[&Finding]| {
        folded(&summary, findings.iter().map(|f| one_line(f, places)), FOLDED)
    };
    let top = top(report);
    let fixed: Vec<&Finding> = diff.findings.fixed.iter().collect();
    let gone = |f: &&&Finding| diff.fixed_by_claim.contains(&f.fingerprint);
    let by_claim: Vec<&Finding> = fixed.iter().filter(gone).copied().collect();
    let lists = [
        reached(report),
        relied_on(report),
        edits(report),
        list(
            format!(
                "{}, added or grown, that {} not fail",
                count(others.len(), "finding"),
                does(others.len())
            ),
            &others,
        ),
        list(format!("{} fixed", count(fixed.len(), "finding")), &fixed),
        list(format!("{} of these gone by claim alone", count(by_claim.len(), "finding")), &by_claim),
        no_longer(report),
        notices(report),
        tail(report),
    ]
    .concat();
    let room = MOST.saturating_sub(top.chars().count() + lists.chars().count());
    let mut body = Part::new(room);
    if !failing.is_empty() {
        let fail = if failing.len() == 1 { "fails" } else { "fail" };
        body.push(&format!("### {}, added or grown, that {fail}\n\n", count(failing.len(), "finding")), 0);
        body.push(&in_full(failing.into_iter(), head, places, body.left()), 0);
    }
    let pardoned = diff.pardoned.iter().map(|p| &p.finding);
    if !diff.pardoned.is_empty() {
        let number = count(diff.pardoned.len(), "finding");
        body.push(&format!("### {number}, pardoned in the same change\n\n"), 0);
        body.push(
            "What the change claims of declarations that were there keeps these from being findings. \
             `--trust-claims` accepts the claims.\n\n",
            0,
        );
        let claims =
            pardoning(diff).iter().map(|claim| format!("- {}\n", text(claim, TEXT))).collect::<String>();
        body.push(&(claims + "\n"), 0);
        body.push(&in_full(pardoned, head, places, body.left()), 0);
    }
    top + &body.finish() + &lists
}

fn does(number: usize) -> &'static str {
    if number == 1 { "does" } else { "do" }
}

fn top(report: &DiffReport) -> String {
    let diff = report.diff;
    let left_out = say::not_judged(&diff.judged).chain(say::unjudged(diff));
    let left_out: String = left_out.map(|text| format!("; {text}")).collect();
    let mut out = format!(
        "{MARK}\n## Ringfence: {}\n\n{} against {}, judged on {}{}. {CAUTION}\n\n",
        text(&sentence(report), 4 * TEXT),
        code(&state(&diff.head), NAME),
        code(&state(&diff.base), NAME),
        text(&diff.judged.day, NAME),
        text(&left_out, 2 * TEXT),
    );
    out += &format!("{}\n\n", summary(diff));
    if !diff.untrusted.is_empty() {
        let title = if diff.trust_head {
            "The change also judges itself: these are applied as it says"
        } else {
            "The change also touches what judges it. **Not applied:**"
        };
        let mut part = Part::new(FOLDED);
        part.push(&format!("{title}\n\n"), 0);
        let mut left = diff.untrusted.len();
        for change in &diff.untrusted {
            let place = change.location.as_ref().map(|l| format!(" ({})", at(l, report.places)));
            let class = if change.class.gates() { format!("**{}** ", change.class) } else { String::new() };
            let line = format!(
                "- {class}{}: {}{}\n",
                text(&change.what, NAME),
                text(&change.message, TEXT),
                place.unwrap_or_default()
            );
            if !part.push(&line, 100) {
                break;
            }
            left -= 1;
        }
        if left > 0 {
            part.push(&format!("- … and {left} more\n"), 0);
        }
        part.push("\n", 0);
        out += &part.finish();
    }
    out
}

fn reach_line(reach: &Reach, origins: &[&str], report: &DiffReport, added: bool) -> String {
    let assumed = if reach.assumed { " (assumed to start there)" } else { "" };
    let target = reach.target.system.as_deref().unwrap_or(&reach.target.party);
    let new = if added { format!(": {}", newness(reach)) } else { String::new() };
    format!(
        "- **{}** ← {} from {}{assumed}, for {}{new}\n{}\n",
        code(target, NAME),
        names(&reach.data, 8),
        code(&named(origins), 2 * NAME),
        names(&reach.purposes, 8),
        chain(&reach.path, report.places),
    )
}

/// What is newly reached: the first few open, the others folded.
fn reached(report: &DiffReport) -> String {
    let Some(changes) = report.diff.reach.as_ref().filter(|c| !c.added.is_empty()) else {
        return String::new();
    };
    let groups = alike(&changes.added);
    let mut part = Part::new(2 * FOLDED);
    part.push("### Newly reached, whether or not a rule forbids it\n\n", 0);
    let lines: Vec<String> = groups.iter().map(|g| reach_line(g.first, &g.origins, report, true)).collect();
    let mut shown = 0;
    for line in lines.iter().take(OPEN) {
        if !part.push(line, FOLDED) {
            break;
        }
        shown += 1;
    }
    let rest = lines.iter().skip(shown).cloned().collect::<Vec<_>>();
    let more = folded(&format!("{} more", rest.len()), rest.into_iter(), FOLDED);
    part.push(&format!("\n{more}"), 0);
    part.finish()
}

fn no_longer(report: &DiffReport) -> String {
    let groups = report.diff.reach.as_ref().map(|c| alike(&c.removed)).unwrap_or_default();
    let lines = groups.iter().map(|g| reach_line(g.first, &g.origins, report, false));
    folded(&format!("{} no longer reached", count(groups.len(), "place")), lines, FOLDED)
}

fn relied_on(report: &DiffReport) -> String {
    let claims = &report.diff.relied_on;
    let line = |claim: &crate::base::finding::Reliance| {
        format!("- {} ({})\n", text(&claimed(claim), TEXT), at(&claim.location, report.places))
    };
    let summary = format!(
        "Newly relied on: {} without which there could be more findings",
        count(claims.len(), "claim")
    );
    folded(&summary, claims.iter().map(line), FOLDED)
}

fn edits(report: &DiffReport) -> String {
    let Diff { edits: Some(edits), .. } = report.diff else {
        return String::new();
    };
    let (gating, others): (Vec<&Edit>, Vec<&Edit>) = edits.iter().partition(|e| e.class.gates());
    let line = |edit: &&Edit| {
        let place = edit.location.as_ref().map(|l| format!(" ({})", at(l, report.places)));
        let class = match edit.class {
            Class::Widening | Class::Both | Class::Assertion => format!("**{}**", edit.class),
            Class::Narrowing | Class::Neutral => edit.class.to_string(),
        };
        format!(
            "- {class}: {} {}, {}{}\n",
            edit.of,
            code(&edit.id, NAME),
            text(&said(edit), TEXT),
            place.unwrap_or_default()
        )
    };
    let one = gating.len() == 1;
    let wide = format!(
        "{} that {} what may move, or {} something away",
        count(gating.len(), "edit"),
        if one { "widens" } else { "widen" },
        if one { "claims" } else { "claim" },
    );
    folded(&wide, gating.iter().map(line), FOLDED)
        + &folded(&format!("{} more", count(others.len(), "edit")), others.iter().map(line), FOLDED)
}

fn notices(report: &DiffReport) -> String {
    let line = |notice: &crate::base::finding::Notice| {
        let denied = if report.gate.denies(notice) { " · **not accepted**" } else { "" };
        format!("- {}{denied}: {}\n", code(&notice.code, NAME), text(&say::notice(notice, 20), 2 * TEXT))
    };
    let notices = &report.diff.notices;
    folded(&count(notices.len(), "new notice"), notices.iter().map(line), FOLDED)
}

fn tail(report: &DiffReport) -> String {
    format!("Compared by Ringfence {}.\n", text(&report.diff.ringfence.version, NAME))
}
