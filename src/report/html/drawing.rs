//! The systems as a picture, and the neighbourhoods of findings.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::findings::Group;
use crate::base::cause::Cause;
use crate::base::finding::Finding;
use crate::model::load::World;
use crate::report::Report;
use crate::report::diagram::{Filter, Picture, SvgOptions, neighbourhood, picture, svg};

/// So many bytes the pictures of findings take together.
const PICTURES: usize = 4 << 20;
/// How a sheet lies that a diagram may be printed on, with the millimetres free on it; and how many of them a
/// pixel should have, so that a system's label is of 6 points at least.
const SHEETS: [(&str, f64, f64); 2] = [("a4", 184.0, 232.0), ("a4-wide", 272.0, 150.0)];
/// A diagram that is legible on neither is for the screen.
const NO_SHEET: &str = "screen";
const LEGIBLE: f64 = 0.18;

/// A picture within the page.
#[derive(Debug, Serialize)]
pub struct Drawing {
    svg: String,
    words: String,
    width: u32,
    /// What it is printed on.
    sheet: &'static str,
}

/// The declared flows as a picture.
pub fn drawing(report: &Report, world: &World) -> Drawing {
    let filter = Filter { scope: report.scope.clone(), ..Filter::default() };
    let mut picture = picture(world, report.audit, &filter);
    causes_alone(&mut picture, &report.audit.causes);
    let options = SvgOptions { standalone: false, interactive: true, legend: true };
    let svg = without_spare_attributes(&svg(&picture, &options));
    let size = |name: &str| svg.split_once(name).and_then(|(_, rest)| rest.split('"').next()?.parse().ok());
    let (width, height) = (size(" width=\"").unwrap_or(0), size(" height=\"").unwrap_or(0));
    Drawing { width, sheet: sheet(width, height), words: picture.description, svg }
}

/// Leaves the colours to what causes are: the chains of their findings are in the findings.
fn causes_alone(picture: &mut Picture, causes: &[Cause]) {
    let open = causes.iter().filter(|cause| cause.new > 0).flat_map(|cause| &cause.declarations);
    let ids: BTreeSet<&str> = open.map(|declared| declared.id.as_str()).collect();
    let of = |kind: &str, id: &str| ids.contains(format!("{kind}:{id}").as_str());
    for edge in &mut picture.edges {
        edge.severity = edge.severity.filter(|_| edge.flows.iter().any(|flow| of("flow", &flow.id)));
    }
    for system in &mut picture.systems {
        system.reached = system.reached.filter(|_| of("system", &system.id));
    }
    for party in &mut picture.parties {
        party.reached = party.reached.filter(|_| of("party", &party.id) || of("group", &party.id));
    }
}

/// The sheet that shows it legibly.
fn sheet(width: u32, height: u32) -> &'static str {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let legible = |&&(_, w, h): &&(&'static str, f64, f64)| (w / width).min(h / height) >= LEGIBLE;
    SHEETS.iter().find(legible).map_or(NO_SHEET, |(name, ..)| name)
}

/// Gives the findings that are written out a picture of their neighbourhood each, as far
/// as there is room for all; the script draws the others.
pub fn neighbourhoods<'g>(report: &Report, world: &World, groups: impl Iterator<Item = &'g mut Group>) {
    let by_name: BTreeMap<&str, &Finding> =
        report.audit.findings.iter().map(|f| (f.fingerprint.as_str(), f)).collect();
    let options = SvgOptions { standalone: false, interactive: false, legend: false };
    let mut left = PICTURES;
    for card in groups.flat_map(|group| &mut group.cards) {
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
