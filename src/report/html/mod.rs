//! One page for people to read, print and hand over, which needs nothing else.
//!
//! What is shown is decided here, in types; the templates lay it out. Every value gets
//! onto the page by [`escape`](text::escape), or, within the data for the script, by [`inert`](text::inert).

mod board;
mod cards;
mod causes;
mod claims;
mod contracts;
mod drawing;
mod embedded;
mod findings;
mod lanes;
mod method;
mod names;
mod pack;
mod promises;
mod registers;
pub mod sheet;
mod text;

use serde::Serialize;
use serde::ser::Error;
use tera::{Context, Tera};

use self::board::Board;
use self::causes::Causes;
use self::claims::{Claims, NoticeGroup};
use self::contracts::AgreementRow;
use self::drawing::Drawing;
use self::embedded::Embedded;
use self::lanes::Lanes;
use self::method::Method;
use self::names::Names;
use self::registers::{Calendar, PartyRow, ProcessorRow, RecordRow, Registers};
use super::Report;
use crate::report::audience::Shows;
use crate::report::diagram::MOST_SYSTEMS;

const TEMPLATES: [(&str, &str); 8] = [
    ("page.html", include_str!("templates/page.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("board.html", include_str!("templates/board.html")),
    ("diagram.html", include_str!("templates/diagram.html")),
    ("causes.html", include_str!("templates/causes.html")),
    ("contracts.html", include_str!("templates/contracts.html")),
    ("registers.html", include_str!("templates/registers.html")),
    ("method.html", include_str!("templates/method.html")),
];
const STYLE: &str = concat!(
    include_str!("../diagram/diagram.css"),
    include_str!("templates/style.css"),
    include_str!("templates/lanes.css"),
    include_str!("templates/print.css"),
);
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
/// So many findings, and entries of a register, such a page has without its script.
const WITHOUT_SCRIPT: usize = 100;
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
    shows: Shows,
    board: Board,
    lanes: Option<Lanes>,
    diagram: Option<Drawing>,
    causes: Causes,
    findings: usize,
    large: bool,
    claims: Claims,
    clean: bool,
    registers: Option<Declared>,
    notices: Vec<NoticeGroup>,
    method: Method,
    titles: [Vec<(String, String)>; 2],
    program: &'p str,
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
    calendar: Calendar,
    record: Vec<RecordRow>,
    record_left: usize,
}

/// Writes the page.
///
/// # Errors
/// When the templates do not fit what they are given.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let audit = report.audit;
    let shows = Shows::of(report.look.audience);
    let names = Names::new(report.world, report.sources);
    let large = audit.findings.len() > NORMAL || audit.inventory.systems > NORMAL;
    let mut causes = causes::causes(report, &names);
    let (registers, record) = registers(report, &names, &causes, large);
    let board = board::board(report, &names, &causes);
    let lanes = report.world.and_then(|world| {
        let counting = report.counting(&world.model);
        lanes::lanes(&world.model, &counting, &names, audit, causes.told())
    });
    let groups = (large && shows.findings).then(|| causes.groups().collect());
    let data = text::inert(&serde_json::to_string(&Embedded::new(&names, report, groups, record))?);
    if large {
        shorten_findings(&mut causes);
    }
    let parties_alone = report.world.filter(|w| w.model.systems.len() > MOST_SYSTEMS);
    if let Some(world) = parties_alone {
        drawing::neighbourhoods(report, world, causes.groups_mut());
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
        shows,
        board,
        lanes,
        diagram: report.world.filter(|_| shows.systems).map(|world| drawing::drawing(report, world)),
        findings: audit.findings.len(),
        large,
        claims: claims::claims(audit, &names),
        clean: audit.findings.is_empty(),
        registers,
        notices: claims::notices(report),
        method: method::method(audit),
        titles: names.used(),
        program: &audit.ringfence.version,
        data,
        causes,
    };
    lay_out(&page).map_err(|error| serde_json::Error::custom(error.to_string()))
}

/// The registers, and the lines of the record where the page does not show all of them.
fn registers(
    report: &Report,
    names: &Names,
    causes: &Causes,
    large: bool,
) -> (Option<Declared>, Vec<Vec<String>>) {
    let Some(world) = report.world else { return (None, Vec::new()) };
    let model = &world.model;
    let (counting, holdings) = (report.counting(model), report.holdings(model));
    let most = if large { LISTED } else { usize::MAX };
    let registers = Registers { report, model, counting: &counting, holdings: &holdings, names, most };
    let mut shown = Declared {
        agreements: registers.agreements(causes),
        agreements_left: 0,
        parties: registers.parties(),
        parties_left: 0,
        processors: registers.processors(),
        calendar: registers.calendar(),
        record: registers.record(),
        record_left: 0,
    };
    let mut record = Vec::new();
    if large {
        record = shown.record.iter().flat_map(RecordRow::lines).collect();
        shown.agreements_left = shorten(&mut shown.agreements, WITHOUT_SCRIPT);
        shown.parties_left = shorten(&mut shown.parties, WITHOUT_SCRIPT);
        shown.record_left = shorten(&mut shown.record, WITHOUT_SCRIPT);
    }
    (Some(shown), record)
}

/// Leaves the first findings of each group: the script writes out the others.
fn shorten_findings(causes: &mut Causes) {
    let each = WITHOUT_SCRIPT / causes.groups().count().max(1) + 1;
    for group in causes.groups_mut() {
        group.cards.truncate(each);
        group.cards.iter_mut().for_each(|card| card.folded.clear());
        group.left_out = group.size - group.cards.len();
    }
}

fn lay_out(page: &Page) -> tera::TeraResult<String> {
    let mut tera = Tera::default();
    tera.set_escape_fn(text::escape);
    tera.register_filter("ticks", text::ticks);
    tera.register_filter("ident", text::ident);
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

fn shorten<T>(list: &mut Vec<T>, most: usize) -> usize {
    let left = list.len().saturating_sub(most);
    list.truncate(most);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_templates() {
        let mut tera = Tera::default();
        tera.register_filter("ticks", text::ticks);
        tera.register_filter("ident", text::ident);
        tera.add_raw_templates(TEMPLATES.to_vec()).unwrap();
    }
}
