//! One page for people to read, print and hand over, which needs nothing else.
//!
//! What is shown is decided here, in types; the templates lay it out. Every value gets
//! onto the page by [`escape`], or, within the data for the script, by [`inert`].

mod embedded;
mod findings;
mod names;
mod overview;
mod pack;
mod registers;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde::ser::Error;
use tera::{Context, Kwargs, State, Tera};

use super::Report;
use crate::base::finding::Finding;
use crate::base::visible::is_hidden;
use crate::model::load::World;
use crate::report::diagram::{Filter, MOST_SYSTEMS, SvgOptions, neighbourhood, picture, svg};
use crate::report::relied;
use embedded::Embedded;
use findings::{Cards, Group};
use names::{Names, at};
use overview::Overview;
use registers::{AgreementRow, Ending, PartyRow, ProcessorRow, RecordRow, Registers};

const TEMPLATES: [(&str, &str); 6] = [
    ("page.html", include_str!("templates/page.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("findings.html", include_str!("templates/findings.html")),
    ("registers.html", include_str!("templates/registers.html")),
    ("method.html", include_str!("templates/method.html")),
];
const STYLE: &str = concat!(include_str!("../diagram/diagram.css"), include_str!("templates/style.css"));
const SCRIPT: &str = include_str!("templates/script.js");
/// Draws the neighbourhood of a finding, where the diagram shows parties alone.
const AROUND: &str = include_str!("templates/around.js");
/// The hashes by which the page admits its style and its script and nothing else.
/// `UPDATE_HASHES=1 cargo test --test it html` writes them.
const STYLE_HASH: &str = include_str!("templates/style.sha256");
const SCRIPT_HASH: &str = include_str!("templates/script.sha256");
const AROUND_HASH: &str = include_str!("templates/around.sha256");

/// Above so many findings or systems the script writes findings out on demand.
const NORMAL: usize = 500;
/// So many bytes the pictures of findings take together.
const PICTURES: usize = 4 << 20;
/// So many findings, and entries of a register, such a page has without its script.
const WITHOUT_SCRIPT: usize = 100;
/// The sheets that a diagram may be printed on, with the millimetres free on each; and how
/// many of them a pixel should have, so that a system's label is of 6 points at least.
const SHEETS: [(&str, f64, f64); 4] =
    [("a4", 190.0, 235.0), ("a4-wide", 275.0, 150.0), ("a3", 275.0, 355.0), ("a3-wide", 398.0, 235.0)];
const LEGIBLE: f64 = 0.18;
/// So many entries a list within a register of such a page has.
const LISTED: usize = 12;

/// All that the templates lay out.
#[derive(Debug, Serialize)]
struct Page<'p> {
    style: String,
    script: String,
    around: Option<String>,
    policy: String,
    title: String,
    day: &'p str,
    overview: Overview,
    diagram: Option<Drawing>,
    groups: Vec<Group>,
    findings: usize,
    large: bool,
    relied: Vec<Claim>,
    clean: bool,
    registers: Option<Declared>,
    notices: Vec<NoticeGroup>,
    titles: [Vec<(String, String)>; 2],
    program: &'p str,
    digest: &'p str,
    data: String,
}

/// The registers.
#[derive(Debug, Serialize)]
struct Declared {
    agreements: Vec<AgreementRow>,
    agreements_left: usize,
    parties: Vec<PartyRow>,
    parties_left: usize,
    processors: Vec<ProcessorRow>,
    calendar: Vec<Ending>,
    ahead: i32,
    record: Vec<RecordRow>,
    record_left: usize,
}

/// A claim that the verdict rests on.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Claim {
    flow: String,
    title: Option<String>,
    claim: String,
    evidence: Vec<String>,
    rules: Vec<String>,
    place: String,
}

/// Notices of one code.
#[derive(Debug, Serialize)]
struct NoticeGroup {
    code: String,
    refused: bool,
    notices: Vec<NoticeRow>,
}

#[derive(Debug, Serialize)]
struct NoticeRow {
    message: String,
    subjects: String,
    place: Option<String>,
}

/// Writes the page.
///
/// # Errors
/// When the templates do not fit what they are given.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let audit = report.audit;
    let names = Names::new(report.world, report.sources);
    let large = audit.findings.len() > NORMAL || audit.inventory.systems > NORMAL;
    let counting = report.world.map(|w| report.counting(&w.model));
    let cards = Cards { audit, names: &names };
    let mut groups = cards.groups(usize::MAX);
    let mut declared = None;
    let mut record = Vec::new();
    if let (Some(world), Some(counting)) = (report.world, &counting) {
        let holdings = report.holdings(&world.model);
        let most = if large { LISTED } else { usize::MAX };
        let registers =
            Registers { report, model: &world.model, counting, holdings: &holdings, names: &names, most };
        let mut shown = Declared {
            agreements: registers.agreements(),
            agreements_left: 0,
            parties: registers.parties(),
            parties_left: 0,
            processors: registers.processors(),
            calendar: registers.calendar(),
            ahead: registers::AHEAD,
            record: registers.record(),
            record_left: 0,
        };
        if large {
            record = shown.record.iter().flat_map(RecordRow::lines).collect();
            shown.agreements_left = shorten(&mut shown.agreements, WITHOUT_SCRIPT);
            shown.parties_left = shorten(&mut shown.parties, WITHOUT_SCRIPT);
            shown.record_left = shorten(&mut shown.record, WITHOUT_SCRIPT);
        }
        declared = Some(shown);
    }
    let overview = overview::overview(report, &names, &groups);
    let data = Embedded::new(&names, report, large.then_some(groups.as_slice()), record);
    let data = inert(&serde_json::to_string(&data)?);
    if large {
        let each = WITHOUT_SCRIPT / groups.len().max(1) + 1;
        for group in &mut groups {
            group.cards.truncate(each);
            group.cards.iter_mut().for_each(|card| card.folded.clear());
            group.left_out = group.size - group.cards.len();
        }
    }
    let parties_alone = report.world.filter(|w| w.model.systems.len() > MOST_SYSTEMS);
    if let Some(world) = parties_alone {
        neighbourhoods(report, world, &mut groups);
    }
    let page = Page {
        style: pack::style(STYLE),
        script: pack::script(SCRIPT),
        around: parties_alone.map(|_| pack::script(AROUND)),
        policy: policy(parties_alone.is_some()),
        title: match report.compared {
            Some(_) => format!("Comparison of two states, {}", audit.judged.day),
            None => format!("Data-sharing audit, {}", audit.judged.day),
        },
        day: &audit.judged.day,
        overview,
        diagram: report.world.map(|world| drawing(report, world)),
        findings: audit.findings.len(),
        groups,
        large,
        relied: relied(report, &names),
        clean: audit.findings.is_empty(),
        registers: declared,
        notices: notices(report),
        titles: names.used(),
        program: &audit.ringfence.version,
        digest: &audit.inventory.digest,
        data,
    };
    lay_out(&page).map_err(|error| serde_json::Error::custom(error.to_string()))
}

/// A picture within the page.
#[derive(Debug, Serialize)]
struct Drawing {
    svg: String,
    words: String,
    width: u32,
    /// What it is printed on.
    sheet: &'static str,
}

/// The declared flows as a picture.
fn drawing(report: &Report, world: &World) -> Drawing {
    let filter = Filter { scope: report.scope.clone(), ..Filter::default() };
    let picture = picture(world, report.audit, &filter);
    let options = SvgOptions { standalone: false, interactive: true, legend: true };
    let svg = without_spare_attributes(&svg(&picture, &options));
    let size = |name: &str| svg.split_once(name).and_then(|(_, rest)| rest.split('"').next()?.parse().ok());
    let (width, height) = (size(" width=\"").unwrap_or(0), size(" height=\"").unwrap_or(0));
    Drawing { width, sheet: sheet(width, height), words: picture.description, svg }
}

/// The smallest sheet that shows it legibly, else the one that shows it largest.
fn sheet(width: u32, height: u32) -> &'static str {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let scale = |&(name, w, h): &(&'static str, f64, f64)| (name, (w / width).min(h / height));
    let sheets = SHEETS.iter().map(scale);
    let largest = sheets.clone().max_by(|a, b| a.1.total_cmp(&b.1));
    sheets.clone().find(|(_, scale)| *scale >= LEGIBLE).or(largest).map_or("a4", |(name, _)| name)
}

/// Gives the findings that are written out a picture of their neighbourhood each, as far
/// as there is room for all; the script draws the others.
fn neighbourhoods(report: &Report, world: &World, groups: &mut [findings::Group]) {
    let by_name: BTreeMap<&str, &Finding> =
        report.audit.findings.iter().map(|f| (f.fingerprint.as_str(), f)).collect();
    let options = SvgOptions { standalone: false, interactive: false, legend: false };
    let mut left = PICTURES;
    for card in groups.iter_mut().flat_map(|group| &mut group.cards) {
        let Some(finding) = by_name.get(card.fingerprint.as_str()) else {
            continue;
        };
        let drawn = neighbourhood(world, finding, (report.audit.judged.date(), &report.scope));
        if drawn.edges.is_empty() {
            continue;
        }
        let text = without_spare_attributes(&svg(&drawn, &options));
        match left.checked_sub(text.len()) {
            Some(less) => left = less,
            None => return,
        }
        card.around = Some(text);
    }
}

/// What the drawing says of its lines for other pages: this one's script knows it by the
/// flows. Attributes' values are escaped, so that none of this is text.
fn without_spare_attributes(svg: &str) -> String {
    const SPARE: [&str; 10] = [
        "findings",
        "data",
        "purposes",
        "agreements",
        "parties",
        "status",
        "edge",
        "system",
        "party",
        "severity",
    ];
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some((before, after)) = rest.split_once(" data-") {
        out.push_str(before);
        let spare = SPARE.iter().find_map(|name| after.strip_prefix(name)?.strip_prefix("=\""));
        match spare.and_then(|value| value.split_once('"')) {
            Some((_, after)) => rest = after,
            None => {
                out.push_str(" data-");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn lay_out(page: &Page) -> tera::TeraResult<String> {
    let mut tera = Tera::default();
    tera.set_escape_fn(escape);
    tera.register_filter("ticks", ticks);
    tera.register_filter("ident", ident);
    tera.add_raw_templates(TEMPLATES.to_vec())?;
    tera.render("page.html", &Context::from_serialize(page)?)
}

/// Admits this page's own style and scripts and nothing else, from nowhere.
fn policy(around: bool) -> String {
    let more = if around { format!(" 'sha256-{}'", AROUND_HASH.trim()) } else { String::new() };
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'{more}; base-uri 'none'; form-action 'none'",
        STYLE_HASH.trim(),
        SCRIPT_HASH.trim(),
    )
}

/// A value as text between tags or in a quoted attribute. Line breaks are spaces;
/// characters that hide or reorder others are written out.
fn escape(text: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escaped = match c {
            '#' if text.get(..at).is_some_and(|before| before.ends_with('#')) => "&#35;",
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\n' | '\t' | '\r' => " ",
            c if is_hidden(c) => "",
            _ => continue,
        };
        out.write_all(text.get(plain..at).unwrap_or_default().as_bytes())?;
        match escaped {
            "" => write!(out, "{}", c.escape_unicode())?,
            escaped => out.write_all(escaped.as_bytes())?,
        }
        plain = at + c.len_utf8();
    }
    out.write_all(text.get(plain..).unwrap_or_default().as_bytes())
}

/// Text in which what stands between backticks is code; escaped already.
fn ticks(text: &str, _: Kwargs, _: &State) -> String {
    let mut out = Vec::new();
    let mut code = false;
    let mut parts = text.split('`').peekable();
    while let Some(part) = parts.next() {
        // Writing to memory does not fail.
        let _ = escape(part, &mut out);
        if parts.peek().is_some() {
            out.extend_from_slice(if code { b"</code>" } else { b"<code>" });
            code = !code;
        }
    }
    if code {
        out.extend_from_slice(b"</code>");
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An id that a line may break within after a slash; escaped already.
fn ident(text: &str, _: Kwargs, _: &State) -> String {
    let mut out = Vec::new();
    for part in text.split_inclusive('/') {
        // Writing to memory does not fail.
        let _ = escape(part, &mut out);
        if part.ends_with('/') {
            out.extend_from_slice(b"<wbr>");
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// JSON that ends no `<script>` and is no mark-up whatever becomes of it; characters that
/// hide or reorder others are written out in its strings, as everywhere on the page.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '#' if out.ends_with('#') => out.push_str("\\u0023"),
            '<' | '>' | '&' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if is_hidden(c) => {
                out.push('\\');
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

fn shorten<T>(list: &mut Vec<T>, most: usize) -> usize {
    let left = list.len().saturating_sub(most);
    list.truncate(most);
    left
}

/// What was relied on, each claim once with all rules that it kept from being broken.
fn relied(report: &Report, names: &Names) -> Vec<Claim> {
    let titles: BTreeMap<&str, &str> =
        report.audit.rules.iter().map(|r| (r.id.as_str(), r.title.as_str())).collect();
    let model = report.world.map(|w| &w.model);
    relied::claims(report.audit)
        .into_iter()
        .map(|said| {
            let declared = names.flow(said.by).and_then(|f| Some(&model?.flows[f]));
            let mut evidence = Vec::new();
            if let (Some(model), Some(flow)) = (model, declared) {
                let under = flow.agreement.map(|a| &model.agreements[a].declared);
                let disposals = [flow.declared.disposed(), under.and_then(|a| a.disposed.as_deref())];
                let disposals =
                    disposals.into_iter().flatten().filter(|_| said.claim.starts_with("disposed"));
                evidence.extend(disposals.map(|disposed| disposed.evidence.clone()));
                for assurance in under.into_iter().flat_map(|a| &a.assurances) {
                    if let Some(shows) = assurance.evidence.as_ref() {
                        evidence.push(format!("{}: {shows}", assurance.id.value));
                    }
                }
            }
            Claim {
                flow: said.by.to_owned(),
                title: declared.and_then(|f| f.declared.meta.title.as_deref().map(str::to_owned)),
                claim: said.claim.to_owned(),
                evidence,
                rules: said.affects.iter().map(|r| titles.get(r).copied().unwrap_or(r).to_owned()).collect(),
                place: at(said.location),
            }
        })
        .collect()
}

fn notices(report: &Report) -> Vec<NoticeGroup> {
    let mut groups: Vec<NoticeGroup> = Vec::new();
    for notice in &report.audit.notices {
        let row = NoticeRow {
            message: notice.message.clone(),
            subjects: notice.subjects.join(", "),
            place: notice.location.as_ref().map(at),
        };
        match groups.iter_mut().find(|g| g.code == notice.code) {
            Some(group) => group.notices.push(row),
            None => groups.push(NoticeGroup {
                code: notice.code.clone(),
                refused: report.denies(notice),
                notices: vec![row],
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_from_an_input_is_mark_up() {
        assert_eq!(escaped("a <b c='d' e=\"f\">&g"), "a &lt;b c=&#39;d&#39; e=&quot;f&quot;&gt;&amp;g");
        assert_eq!(escaped("x\u{202e}y\nz\u{0}é"), "x\\u{202e}y z\\u{0}é");
        let json = serde_json::to_string("</script><!--\u{2028}\u{202e}\u{7}&é").unwrap();
        let inert = inert(&json);
        assert!(!inert.contains(['<', '>', '&', '\u{2028}', '\u{202e}']), "{inert}");
        let back: String = serde_json::from_str(&inert).unwrap();
        assert_eq!(back, "</script><!--\\u{2028}\\u{202e}\u{7}&é");
    }

    #[test]
    fn the_templates_are_templates() {
        let mut tera = Tera::default();
        tera.register_filter("ticks", ticks);
        tera.register_filter("ident", ident);
        tera.add_raw_templates(TEMPLATES.to_vec()).unwrap();
    }
}
