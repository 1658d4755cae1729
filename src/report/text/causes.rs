//! The causes: each in at most twelve lines, or in two where they are put together by agreement, owner or party.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{heading, rest, severity_style};
use crate::base::finding::{Finding, FindingKind, Hop};
use crate::read::places::Places;
use crate::report::By;
use crate::report::again::quoted;
use crate::report::cause::{Breach, View, carried};
use crate::report::page::{Page, Style};
use crate::report::say::{count, in_brackets};

/// So many lines has a cause at most.
const LINES: usize = 12;
/// So many causes for information are named.
const NAMED: usize = 5;
/// Where the words of a cause start, and those after a label.
const INDENT: usize = 3;
const LABEL: usize = 12;
const KIND: usize = 24;
/// So many kinds of rules are named, and so many lines has a part at most.
const KINDS: usize = 5;
const MOST: usize = 4;
/// So many kinds of rules are named however little room there is.
const KEPT: usize = 3;

/// What the lines of causes are written with.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// How the command goes on from here: what follows `ringfence explain CAUSE`.
    pub again: &'a str,
    /// What files are called from where one stands.
    pub places: &'a Places,
}

/// Writes the causes that fail, up to a limit; how many are left out is said.
pub fn failing(page: &mut Page, views: &[View], most: Option<usize>, around: Around) {
    let failing: Vec<&View> = views.iter().filter(|view| view.fails()).collect();
    if failing.is_empty() {
        return;
    }
    heading(page, "CAUSES", Style::Bold);
    let most = most.unwrap_or(usize::MAX);
    let mut drawn = Drawn::default();
    for view in failing.iter().take(most) {
        page.gap();
        block(page, view, &mut drawn, (around, LINES));
    }
    page.gap();
    rest(page, 0, failing.len().saturating_sub(most), "cause");
}

/// Writes one cause in full.
pub fn one(page: &mut Page, view: &View, around: Around) {
    block(page, view, &mut Drawn::default(), (around, usize::MAX));
}

/// A part of a cause, as the lines that it would take by itself.
struct Part {
    lead: String,
    hang: usize,
    lines: Lines,
    style: Style,
    /// With how few lines it says what it has to say.
    least: usize,
    /// With how few it can do where there are too many; with none it is left out.
    floor: usize,
}

enum Lines {
    /// Words; what does not fit is cut off.
    Words(String),
    /// A chain, which is cut in the middle.
    Chain(String, Vec<String>),
    /// A command, which is one line however long it is, so that it can be copied.
    Command(String),
}

impl Part {
    fn words(lead: &str, hang: usize, text: String, style: Style) -> Self {
        Part { lead: lead.to_owned(), hang, lines: Lines::Words(text), style, least: 1, floor: 1 }
    }

    /// Words of which the first have to be seen.
    fn essential(
        page: &Page,
        lead: &str,
        hang: usize,
        (first, more): (String, String),
        style: Style,
    ) -> Self {
        let least = if first.is_empty() { 1 } else { page.count_lines(lead, hang, &first) };
        let text = [first, more].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
        Part { least, floor: least, ..Part::words(lead, hang, text, style) }
    }

    /// How many lines it takes, up to so many.
    fn need(&self, page: &Page) -> usize {
        match &self.lines {
            Lines::Words(text) => page.count_lines(&self.lead, self.hang, text),
            Lines::Chain(start, steps) => height(page, self.hang, &page.steps(self.hang, start, steps)),
            Lines::Command(_) => 1,
        }
    }

    fn write(self, page: &mut Page, most: usize) {
        if most == 0 {
            return;
        }
        match self.lines {
            Lines::Command(command) => page.line(&self.lead, &command, self.style),
            Lines::Words(text) => {
                page.bounded(&self.lead, self.hang, &text, self.style, most);
            }
            Lines::Chain(start, steps) => {
                for (at, line) in elided(page, self.hang, &start, steps, most).into_iter().enumerate() {
                    let lead = if at == 0 { self.lead.clone() } else { " ".repeat(self.hang) };
                    page.hanging(&lead, self.hang + 2, &line, self.style);
                }
            }
        }
    }
}

/// How many lines a chain takes: a step that is longer than a line goes on in the next.
fn height(page: &Page, indent: usize, lines: &[String]) -> usize {
    let lead = " ".repeat(indent);
    lines.iter().map(|line| page.count_lines(&lead, indent + 2, line)).sum()
}

/// A chain in so many lines at most; what does not fit is left out in the middle.
fn elided(page: &Page, indent: usize, start: &str, mut steps: Vec<String>, most: usize) -> Vec<String> {
    let mut lines = page.steps(indent, start, &steps);
    let mut left_out = 0;
    while height(page, indent, &lines) > most && steps.len() > 1 {
        left_out += 1;
        let middle = (steps.len() - 1) / 2;
        steps.remove(middle);
        let mut shown = steps.clone();
        shown.insert(middle, format!("─ {} →", count(left_out, "more flow")));
        lines = page.steps(indent, start, &shown);
    }
    lines
}

/// Chains that were drawn, by their flows, and as of which cause.
type Drawn<'v> = FxHashMap<Vec<&'v str>, usize>;

fn block<'v>(page: &mut Page, view: &'v View, drawn: &mut Drawn<'v>, (around, lines): (Around, usize)) {
    let mut parts = head(page, view, around);
    parts.extend(breaches(view));
    let shown = view.shown();
    let chain = shown.map(|finding| finding.path.as_slice()).unwrap_or_default();
    if view.cause.sources.len() > 1 || chain.is_empty() {
        let fits = |text: &String| page.fits(LABEL, text);
        let mut sources = (1..=3).rev().filter_map(|most| view.sources(most));
        let shortest = view.sources(1);
        let sources = sources.find(fits).or(shortest);
        let part = |text| Part { floor: 0, ..Part::words("   from     ", LABEL, text, Style::Plain) };
        parts.extend(sources.map(part));
    }
    if let Some(finding) = shown.filter(|finding| !finding.path.is_empty()) {
        let flows: Vec<&str> = finding.path.iter().map(|hop| hop.flow.as_str()).collect();
        let lead = "   chain    ";
        match drawn.get(&flows) {
            Some(number) => {
                parts.push(Part::words(lead, LABEL, format!("as of cause {number}"), Style::Plain));
            }
            None => {
                let (start, steps) = picture(finding);
                // However much is left out, it takes so many lines.
                let floor = height(page, LABEL, &elided(page, LABEL, &start, steps.clone(), 1));
                let lines = Lines::Chain(start, steps);
                let lead = lead.to_owned();
                parts.push(Part {
                    lead,
                    hang: LABEL,
                    lines,
                    style: Style::Plain,
                    least: 3.max(floor),
                    floor,
                });
                drawn.insert(flows, view.number);
            }
        }
    }
    parts.push(Part::words("   do       ", LABEL, view.remedy(), Style::Plain));
    let command = Lines::Command(format!("ringfence explain {}{}", quoted(&view.cause.id), around.again));
    parts.push(Part { lines: command, ..Part::words("   next     ", LABEL, String::new(), Style::Dim) });
    let wanted: Vec<_> = parts.iter().map(|part| (part.floor, part.least, part.need(page))).collect();
    let shares = shared_out(lines, &wanted);
    for (part, share) in parts.into_iter().zip(shares) {
        part.write(page, share);
    }
}

/// From where to where, and what flows: receiver, agreement and owner are always seen.
fn head(page: &Page, view: &View, around: Around) -> Vec<Part> {
    let lead = format!("{:<2} ", view.number);
    let place = view.places(|file| around.places.here(file));
    let subject = format!("{} · {} · {}", view.standing(), view.size(), view.subject());
    let severity = severity_style(view.severity);
    let what = view.what();
    // Where it is declared is cut only where there is no room.
    let mut first = Part::essential(page, &lead, INDENT, (subject, place), severity);
    first.least = first.need(page);
    let mut parts = vec![first];
    if what != (String::new(), String::new()) {
        parts.push(Part::essential(page, "   ", INDENT, what, Style::Plain));
    }
    parts
}

/// What it breaks, a line for each kind.
fn breaches(view: &View) -> Vec<Part> {
    let part = |(at, breach): (usize, &Breach)| {
        let number =
            if breach.words.len() > 1 { format!(" ({})", breach.words.len()) } else { String::new() };
        let label = if at == 0 { "breaks" } else { "" };
        let kind = format!("{}{number}", breach.kind.word());
        // However long the kind is, a space follows it.
        let lead = format!("   {label:<9}{kind:<width$} ", width = KIND - LABEL - 1);
        let style = if breach.binding { Style::Plain } else { Style::Dim };
        let floor = usize::from(at < KEPT);
        Part { floor, ..Part::words(&lead, KIND, breach.line(), style) }
    };
    view.breaks.iter().take(KINDS).enumerate().map(part).collect()
}

/// How many of the lines of a cause each part gets: what it takes at least, then one line more after the other. Where that
/// is too much, the parts give way that can do with fewer.
fn shared_out(lines: usize, parts: &[(usize, usize, usize)]) -> Vec<usize> {
    let mut shares: Vec<usize> = parts.iter().map(|&(_, least, need)| least.min(need)).collect();
    let mut left = lines.saturating_sub(shares.iter().sum());
    while left > 0 {
        let wanting = shares
            .iter_mut()
            .zip(parts)
            .filter(|(share, (.., need))| **share < *need && (lines > LINES || **share < MOST));
        let Some((share, _)) = wanting.min_by_key(|(share, _)| **share) else { break };
        *share += 1;
        left -= 1;
    }
    while shares.iter().sum::<usize>() > lines {
        let can = shares.iter_mut().zip(parts).filter(|(share, (floor, ..))| **share > *floor);
        let Some((share, _)) = can.max_by_key(|(share, (floor, ..))| **share - *floor) else { break };
        *share -= 1;
    }
    shares
}

/// The chain of a finding: where it starts, and each flow with where it goes.
fn picture(finding: &Finding) -> (String, Vec<String>) {
    let chain: Vec<&Hop> = finding.path.iter().map(|hop| &**hop).collect();
    let start = chain.first().map(|hop| hop.from.clone()).unwrap_or_default();
    let mut steps: Vec<String> = chain
        .iter()
        .map(|hop| format!("─{}{}→ {}", carried(&hop.data, hop.transform), in_brackets(hop), hop.to))
        .collect();
    // What arrives is none of what the last flow carries: it is derived there.
    let moved = matches!(finding.kind, FindingKind::Forbid | FindingKind::Statement);
    let none = |hop: &&Hop| !finding.arrives_as.iter().any(|key| hop.data.contains(key));
    let derived = moved && chain.last().is_some_and(none);
    let became = if derived { &finding.arrives_as } else { &finding.becomes };
    if let (Some(last), false) = (steps.last_mut(), became.is_empty()) {
        last.push_str(&format!(", there {}", carried(became, None)));
    }
    (start, steps)
}

/// What does not fail: a line for each of the first causes.
pub fn information(page: &mut Page, views: &[View], all: Option<usize>) {
    let others: Vec<&View> = views.iter().filter(|view| !view.fails()).collect();
    let most = all.map_or(usize::MAX, |_| NAMED);
    for view in others.iter().take(most) {
        let lead = format!("  {:<2} ", view.number);
        let text = format!("{} · {} · {}", view.standing(), view.size(), view.cause.id);
        page.bounded(&lead, 5, &text, severity_style(view.severity), 2);
        page.bounded("     ", 5, &breaks(view), Style::Dim, 2);
    }
    rest(page, 2, others.len().saturating_sub(most), "cause");
}

/// Writes all causes in two lines each, put together by what they are of. A cause may be of several.
pub fn grouped(page: &mut Page, views: &[View], by: By, most: Option<usize>) {
    let mut groups: BTreeMap<(bool, String), Vec<&View>> = BTreeMap::new();
    for view in views {
        let of = of(view, by);
        if of.is_empty() {
            groups.entry((true, String::new())).or_default().push(view);
        }
        for name in of {
            groups.entry((false, name)).or_default().push(view);
        }
    }
    let (title, none) = match by {
        By::Agreement => ("agreement", "under no agreement"),
        By::Owner => ("owner", "no owner is named (label `owner`)"),
        By::Party => ("party", "of no party"),
        By::Cause | By::Rule => return,
    };
    for ((_, name), views) in groups {
        let failing: usize = views.iter().map(|view| view.failing).sum();
        let all: usize = views.iter().map(|view| view.findings.len()).sum();
        let name = if name.is_empty() { none.to_owned() } else { format!("{title} {name}") };
        let numbers = format!(
            "{name}: {}, {failing} failing, {} for information",
            count(views.len(), "cause"),
            all - failing
        );
        heading(page, &numbers, Style::Bold);
        let most = most.unwrap_or(usize::MAX);
        for view in views.iter().take(most) {
            let lead = format!("  {:<2} ", view.number);
            let head =
                format!("{} · {} · {} · {}", view.standing(), view.size(), view.subject(), view.cause.id);
            page.bounded(&lead, 5, &head, severity_style(view.severity), 2);
            page.bounded("     ", 5, &breaks(view), Style::Dim, 2);
        }
        rest(page, 2, views.len().saturating_sub(most), "cause");
    }
}

fn breaks(view: &View) -> String {
    let kinds: Vec<String> =
        view.breaks.iter().map(|breach| format!("{}: {}", breach.kind.word(), breach.line())).collect();
    kinds.join("; ")
}

fn of(view: &View, by: By) -> Vec<String> {
    let cause = view.cause;
    let mut names: Vec<String> = match by {
        By::Owner => cause.owners.clone(),
        By::Party => cause.declarations.iter().flat_map(|one| one.parties.clone()).collect(),
        By::Agreement => {
            let own = cause.declarations.iter().filter_map(|one| one.id.strip_prefix("agreement:"));
            let of_flows = cause.declarations.iter().filter_map(|one| one.agreement.as_deref());
            let of_terms = cause.terms.iter().flat_map(|term| &term.agreements).map(String::as_str);
            own.chain(of_flows).chain(of_terms).map(str::to_owned).collect()
        }
        By::Cause | By::Rule => Vec::new(),
    };
    names.sort_unstable();
    names.dedup();
    names
}
