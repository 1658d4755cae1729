//! The result as a comment on a proposed change, for reviewers who do not know the
//! program: the verdict first, what fails in full, what is known folded. Whatever the
//! input, it is no longer than services allow.

pub mod escape;
pub(crate) mod findings;
pub(crate) mod part;

pub(super) use escape::text;
use escape::{code, prose};
use part::{Part, folded};

use super::tally::Tally;
use super::{Report, cause, relied, say};
use crate::base::finding::{Audit, Finding, FindingStatus, Promise, PromiseState};
use crate::base::vocabulary::{Severity, Word};
use crate::read::places::Places;

/// So many characters the whole has at most: services cut or refuse longer comments.
pub(crate) const MOST: usize = 60_000;
/// Of these, so many for a list that is folded.
const FOLDED: usize = 8_000;
/// So many characters of a text and of a name.
const TEXT: usize = 600;
const NAME: usize = 160;
/// What a reader has to know of a finding.
const READING: &str = "Each shows a shortest chain of declared flows: who hands which data to whom, for which \
                       purpose, under which agreement and where that is declared.";
/// By this a workflow finds its comment again.
pub(crate) const MARK: &str = "<!-- ringfence -->";

/// Writes the comment.
pub fn render(report: &Report) -> String {
    let Report { audit, gate, places, .. } = report;
    let stops = |f: &&Finding| gate.stops(f);
    let known = |f: &&Finding| f.status != FindingStatus::New;
    let failing: Vec<&Finding> = audit.findings.iter().filter(stops).collect();
    let others: Vec<&Finding> = audit.findings.iter().filter(|f| !stops(f) && !known(f)).collect();
    let known: Vec<&Finding> = audit.findings.iter().filter(known).collect();
    let list = |one: &str, several: &str, findings: &[&Finding]| {
        let summary = format!("{} {}", findings.len(), if findings.len() == 1 { one } else { several });
        folded(&summary, findings.iter().map(|f| findings::one_line(f, places)), FOLDED)
    };
    let head = head(report) + &causes(report);
    let lists = [
        list("new finding for information", "new findings for information", &others),
        list("accepted finding", "accepted findings", &known),
        promises(audit, places),
        notices(report),
        relied_on(audit, places),
        tail(report),
    ]
    .concat();
    let room = MOST.saturating_sub(head.chars().count() + lists.chars().count());
    let mut body = Part::new(room);
    if !failing.is_empty() {
        let fail = if failing.len() == 1 { "fails" } else { "fail" };
        let heading = format!("### {} that {fail}\n\n{READING}\n\n", say::count(failing.len(), "finding"));
        body.push(&heading, 0);
        body.push(&findings::in_full(failing.into_iter(), audit, places, body.left()), 0);
    }
    head + &body.finish() + &lists
}

fn head(report: &Report) -> String {
    let Report { audit, gate, .. } = report;
    let verdict = say::verdict(audit, gate);
    let word = if verdict.fails { "FAIL" } else { "PASS" };
    let mut sentence = verdict.sentence;
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut out = format!("{MARK}\n## Ringfence: {word}\n\n{}\n\n", text(&sentence, 4 * TEXT));
    for sentence in [verdict.broken, verdict.loose].into_iter().flatten() {
        out.push_str(&format!("{}\n\n", text(&sentence, 2 * TEXT)));
    }
    out.push_str(&format!("{}\n\n", say::CAUTION));
    if audit.findings.is_empty() {
        return out;
    }
    out.push_str("| findings |");
    Severity::ALL.iter().for_each(|s| out.push_str(&format!(" {s} |")));
    out.push_str(" all |\n|---|");
    Severity::ALL.iter().for_each(|_| out.push_str("--:|"));
    out.push_str("--:|\n");
    let mut row = |name: &str, is: &dyn Fn(&Finding) -> bool| {
        out.push_str(&format!("| {name} |"));
        for severity in Severity::ALL {
            let number = audit.findings.iter().filter(|f| f.severity == *severity && is(f)).count();
            out.push_str(&format!(" {number} |"));
        }
        out.push_str(&format!(" {} |\n", audit.findings.iter().filter(|f| is(f)).count()));
    };
    row("failing", &|f| gate.stops(f));
    row("for information", &|f| f.status == FindingStatus::New && !gate.stops(f));
    row("in the baseline", &|f| f.status == FindingStatus::Baseline);
    row("waived", &|f| f.status == FindingStatus::Waived);
    out + "\n"
}

/// How many causes are written out.
const CAUSES: usize = 5;

/// The first causes of new findings.
fn causes(report: &Report) -> String {
    let views = cause::views(report.audit, &report.gate);
    if views.is_empty() {
        return String::new();
    }
    let row = |view: &cause::View| {
        let breaks: Vec<String> =
            view.breaks.iter().map(|breach| format!("{}: {}", breach.kind.word(), breach.line())).collect();
        format!(
            "| {} | {}: {}{} ({}) | {} | {} |\n",
            view.standing(),
            code(&view.cause.id, NAME),
            text(&view.subject(), TEXT),
            Some(view.what().0)
                .filter(|what| !what.is_empty())
                .map_or(String::new(), |what| format!(" · {}", text(&what, TEXT))),
            findings::at(&view.cause.location, &report.places),
            view.size(),
            text(&breaks.join("; "), TEXT),
        )
    };
    let rows: String = views.iter().take(CAUSES).map(row).collect();
    let more = match views.len().saturating_sub(CAUSES) {
        0 => String::new(),
        left => format!("\n… and {}\n", say::count(left, "more cause")),
    };
    format!(
        "### Causes: {}\n\n| severity | cause | findings | breaks |\n|---|---|---|---|\n{rows}{more}\n",
        cause::TITLE
    )
}

fn promises(audit: &Audit, places: &Places) -> String {
    if audit.promises.is_empty() {
        return String::new();
    }
    const REST: usize = 100;
    let number = |state| audit.promises.iter().filter(|p| p.standing() == state).count();
    let broken = number(PromiseState::Broken);
    let open = match number(PromiseState::Undecided) {
        0 => String::new(),
        n => format!(", {n} not decidable"),
    };
    let mut part = Part::new(FOLDED);
    part.push(
        &format!(
            "### Promises: {broken} of {} broken{open}\n\n| | promise | by | declared |\n|---|---|---|---|\n",
            audit.promises.len()
        ),
        0,
    );
    // Broken ones first: they are what a reader looks for.
    let mut promises: Vec<&Promise> = audit.promises.iter().collect();
    promises.sort_by_key(|p| p.standing());
    let mut left = promises.len();
    for promise in promises {
        let how = match (promise.standing(), promise.broken_by.len()) {
            (PromiseState::Kept, _) => "kept".to_owned(),
            (PromiseState::Undecided, _) => "**not decidable**".to_owned(),
            (PromiseState::Broken, 0) => "**broken**".to_owned(),
            (PromiseState::Broken, n) => format!("**broken** by {}", say::count(n, "finding")),
        };
        let row = format!(
            "| {how} | “{}” {} | {} | {} |\n",
            text(&promise.quote, TEXT),
            code(&promise.id, NAME),
            text(&say::speaker(promise), TEXT),
            findings::at(&promise.location, places),
        );
        if !part.push(&row, REST) {
            break;
        }
        left -= 1;
    }
    if left > 0 {
        part.push(&format!("\n… and {}\n", say::count(left, "more promise")), 1);
    }
    part.push("\n", 0);
    part.finish()
}

fn notices(report: &Report) -> String {
    let Report { audit, gate, places, .. } = report;
    let mut notices: Vec<_> = audit.notices.iter().collect();
    // Those that fail come first, otherwise as they are.
    notices.sort_by_key(|notice| !gate.denies(notice));
    let line = |notice: &&crate::base::finding::Notice| {
        let denied = if gate.denies(notice) { " · **not accepted**" } else { "" };
        let place = notice.location.as_ref().map(|l| format!(" ({})", findings::at(l, places)));
        let words = prose(&say::notice(notice, 20), 2 * TEXT);
        format!("- {}{denied}: {words}{}\n", code(&notice.code, NAME), place.unwrap_or_default())
    };
    let summary = say::count(notices.len(), "notice") + ", which are no findings";
    folded(&summary, notices.iter().map(line), FOLDED)
}

fn relied_on(audit: &Audit, places: &Places) -> String {
    let claims = relied::claims(audit);
    let line = |claim: &relied::Claim| {
        format!(
            "- {} claims {} ({}), for {}\n",
            code(claim.by, NAME),
            code(claim.claim, NAME),
            findings::at(claim.location, places),
            text(&claim.affects.join(", "), TEXT),
        )
    };
    let summary = "Relied on: ".to_owned() + &say::count(claims.len(), "claim");
    let summary = summary + " without which there could be more findings";
    folded(&summary, claims.iter().map(line), FOLDED)
}

fn tail(report: &Report) -> String {
    let audit = report.audit;
    let as_of = audit.judged.as_of.as_ref().map(|day| format!(" with the flows of {}", text(day, NAME)));
    format!(
        "{}\n\nJudged on {}{} by Ringfence {}. Inventory: {}\n",
        Tally::new(audit, &report.gate).sentences(),
        text(&audit.judged.day, NAME),
        as_of.unwrap_or_default(),
        text(&audit.ringfence.version, NAME),
        code(&audit.inventory.digest, NAME),
    )
}
