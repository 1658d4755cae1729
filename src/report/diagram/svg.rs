//! A picture as SVG: one file that needs nothing else, or an element of a page.

use std::fmt::Write;

use super::layout::{
    self, COUNT_TEXT, Layout, NOTE_TEXT, PARTY_TEXT, SYSTEM_TEXT, party_text, system_text, within_text,
};
use super::legend;
use super::picture::{Edge, Flow, Origin, Picture, Standing, View};
use super::route::{Line, Rect};
use super::shapes::{diamond, is_grave, stop_sign};
use super::text::{counted, plain, shortened, width, xml};
use crate::base::vocabulary::{Severity, Status};

/// The style of all pictures, for pages that hold several: colours are the custom
/// properties `--rf-…`, and follow `prefers-color-scheme`.
pub const STYLE: &str = include_str!("diagram.css");

/// How many flows a line's text lists.
const LISTED: usize = 12;
/// How many categories or purposes of a flow it lists.
const WORDS: usize = 6;

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SvgOptions {
    /// With its own style and background; without, the page has [`STYLE`].
    pub standalone: bool,
    /// Lines can be reached by keyboard and pointed at, which an image's cannot.
    pub interactive: bool,
    /// With an explanation of the signs that occur.
    pub legend: bool,
}

impl Default for SvgOptions {
    fn default() -> Self {
        SvgOptions { standalone: true, interactive: true, legend: true }
    }
}

/// The narrowest picture, so that its legend can be read.
const LEAST_WIDTH: i32 = 360;

/// Writes a picture. The same picture gives the same bytes.
pub fn svg(picture: &Picture, options: &SvgOptions) -> String {
    let layout = layout::layout(picture);
    let back = layout.edges.iter().any(|(_, line)| line.back);
    let legend = if options.legend { legend::entries(picture, back) } else { Vec::new() };
    let whole_width = layout.width.max(LEAST_WIDTH).max(legend::least_width(&legend));
    let (legend, legend_height) = legend::write(&legend, whole_width, layout.height);
    let whole_height = layout.height + legend_height;

    let mut out = Writer { out: String::new(), picture, options };
    out.open(whole_width, whole_height);
    if options.standalone {
        out.put(format_args!("<rect class=\"paper\" width=\"{whole_width}\" height=\"{whole_height}\"/>\n"));
    }
    out.parties(&layout);
    out.edges(&layout);
    out.systems(&layout);
    out.out.push_str(&legend);
    out.out.push_str("</svg>\n");
    out.out
}

/// The class of a line's kind of agreements.
pub(super) fn standing_class(standing: Standing) -> &'static str {
    match standing {
        Standing::Current => "current",
        Standing::Proposed => "proposed",
        Standing::Ended => "ended",
    }
}

/// Whether a finding is drawn as one of the more severe ones.
/// Where the triangle at the end of a line is: its tip and its base.
fn head(line: &Line, violation: bool) -> Option<String> {
    let (&(x, y), &(before, _)) = (line.points.last()?, line.points.iter().rev().nth(1)?);
    let (long, half) = if violation { (11, 5) } else { (8, 4) };
    let base = if before < x { x - long } else { x + long };
    Some(format!("M{x} {y}L{base} {}V{}Z", y - half, y + half))
}

/// The `d` of a line that leaves room for its triangle.
fn path(line: &Line, short: i32) -> String {
    let mut points = line.points.clone();
    let before = points.iter().rev().nth(1).map(|p| p.0);
    if let (Some(last), Some(before)) = (points.last_mut(), before) {
        last.0 += if before < last.0 { -short } else { short };
    }
    let mut d = String::new();
    let mut from: Option<(i32, i32)> = None;
    for (at, &(x, y)) in points.iter().enumerate() {
        let next = points.get(at + 1).copied();
        match from {
            None => d.push_str(&format!("M{x} {y}")),
            Some((fx, fy)) if fx == x || fy == y => match next {
                // A corner, unless the line goes on level.
                Some((nx, ny)) if (fx == x) != (nx == x) && (nx == x || ny == y) => {
                    let near = |a: i32, b: i32| a - (a - b).signum() * ((a - b).abs() / 2).min(7);
                    let (bx, by) = (near(x, fx), near(y, fy));
                    let (ax, ay) = (near(x, nx), near(y, ny));
                    d.push_str(&format!("L{bx} {by}Q{x} {y} {ax} {ay}"));
                }
                _ if fy == y => d.push_str(&format!("H{x}")),
                _ => d.push_str(&format!("V{y}")),
            },
            Some((fx, fy)) => {
                let middle = fx + (x - fx) / 2;
                d.push_str(&format!("C{middle} {fy} {middle} {y} {x} {y}"));
            }
        }
        from = Some((x, y));
    }
    d
}

struct Writer<'p> {
    out: String,
    picture: &'p Picture,
    options: &'p SvgOptions,
}

impl Writer<'_> {
    fn put(&mut self, text: std::fmt::Arguments) {
        // Writing to a string does not fail.
        let _ = self.out.write_fmt(text);
    }

    fn open(&mut self, width: i32, height: i32) {
        let picture = self.picture;
        let view = match picture.view {
            View::Systems => "systems-view",
            View::Overview => "overview",
        };
        let role = if self.options.interactive { "graphics-document document" } else { "img" };
        let short = |text: &str| xml(&shortened(&plain(text), 200));
        let (title, text) = (short(&picture.title), xml(&plain(&picture.description)));
        self.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"rf-diagram {view}\" role=\"{role}\" \
             aria-label=\"{title}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif\">\n\
             <title>{title}</title>\n<desc>{text}</desc>\n"
        ));
        if self.options.standalone {
            self.put(format_args!("<style>\n{STYLE}</style>\n"));
        }
    }

    fn parties(&mut self, layout: &Layout) {
        let view = self.picture.view;
        self.out.push_str("<g class=\"parties\">\n");
        for (at, rect) in &layout.parties {
            let Some(party) = self.picture.parties.get(*at) else { continue };
            let text = party_text(party, view);
            let overview = view == View::Overview;
            let reached = party.reached.filter(|_| overview);
            let class = marks("party", reached);
            let name = shortened(&plain(&party.name), 200);
            let note = shortened(&plain(&party.note()), 200);
            let title = [name.as_str(), &party.id, &note].join("\n");
            self.put(format_args!(
                "<g class=\"{class}\" data-party=\"{}\"><title>{}</title>",
                xml(&party.id),
                xml(title.trim_end())
            ));
            self.rect("party-box", *rect, 8);
            if overview {
                self.origin(party.origin, *rect);
            }
            let x = rect.x + 14;
            self.put(format_args!(
                "<text class=\"name\" x=\"{x}\" y=\"{}\" font-size=\"{PARTY_TEXT}\" font-weight=\"600\">{}</text>",
                rect.y + 21,
                xml(&text.name)
            ));
            if !text.note.is_empty() {
                self.put(format_args!(
                    "<text class=\"note\" x=\"{x}\" y=\"{}\" font-size=\"{NOTE_TEXT}\">{}</text>",
                    rect.y + 37,
                    xml(&text.note)
                ));
            }
            if reached.is_some() {
                self.stop(*rect);
            }
            self.out.push_str("</g>\n");
        }
        self.out.push_str("</g>\n");
    }

    fn systems(&mut self, layout: &Layout) {
        self.out.push_str("<g class=\"systems\">\n");
        for (at, rect) in &layout.systems {
            let Some(system) = self.picture.systems.get(*at) else { continue };
            let mut lines = vec![system.id.clone()];
            lines.extend(system.title.as_ref().map(|t| shortened(&plain(t), 200)));
            if !system.purposes.is_empty() {
                lines.push(format!("run for {}", some(&system.purposes)));
            }
            match system.origin {
                Origin::Declared => lines.push("data starts here".to_owned()),
                Origin::Assumed => lines.push("data is assumed to start here".to_owned()),
                Origin::No => {}
            }
            if let Some(severity) = system.reached {
                lines.push(format!("data arrives here that must not ({severity})"));
            }
            self.put(format_args!(
                "<g class=\"{}\" data-system=\"{}\"><title>{}</title>",
                marks("system", system.reached),
                xml(&system.id),
                xml(&lines.join("\n"))
            ));
            self.rect("system-box", *rect, 4);
            self.origin(system.origin, *rect);
            if system.reached.is_some() {
                self.stop(*rect);
            }
            self.put(format_args!(
                "<text class=\"label\" x=\"{}\" y=\"{}\" font-size=\"{SYSTEM_TEXT}\">{}</text></g>\n",
                rect.x + 12,
                rect.y + rect.height / 2 + 4,
                xml(&system_text(system))
            ));
        }
        self.out.push_str("</g>\n");
    }

    fn rect(&mut self, class: &str, Rect { x, y, width, height }: Rect, round: i32) {
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
        ));
    }

    fn origin(&mut self, origin: Origin, rect: Rect) {
        let class = match origin {
            Origin::No => return,
            Origin::Assumed => "assumed-bar",
            Origin::Declared => "origin-bar",
        };
        let bar = Rect { x: rect.x + 3, y: rect.y + 4, width: 4, height: rect.height - 8 };
        self.rect(class, bar, 2);
    }

    /// The sign that data arrives which must not.
    fn stop(&mut self, rect: Rect) {
        let (x, y) = (rect.right(), rect.y);
        self.out.push_str(&stop_sign(x - 2, y + 2));
    }

    fn edges(&mut self, layout: &Layout) {
        self.out.push_str("<g class=\"edges\">\n");
        // Violations are drawn over the others.
        for violation in [false, true] {
            for (at, line) in &layout.edges {
                let edge = self.picture.edges.get(*at);
                if let Some(edge) = edge.filter(|e| e.severity.is_some() == violation) {
                    self.edge(edge, line);
                }
            }
            if self.picture.view == View::Overview {
                for edge in self.picture.edges.iter().filter(|e| e.severity.is_some() == violation) {
                    let rect = layout.parties.get(edge.from).filter(|_| edge.from == edge.to);
                    if let Some((_, rect)) = rect {
                        self.within(edge, *rect);
                    }
                }
            }
        }
        self.out.push_str("</g>\n");
    }

    fn open_edge(&mut self, edge: &Edge, more: &str) {
        let mut class = format!("edge {}{more}", standing_class(edge.standing()));
        if edge.is_mixed() {
            class.push_str(" mixed");
        }
        if let Some(severity) = edge.severity {
            class.push_str(if is_grave(severity) { " violation grave" } else { " violation" });
        }
        let flows: Vec<String> = edge.flows.iter().map(|f| f.id.clone()).collect();
        let mut statuses: Vec<String> = edge.statuses.iter().map(Status::to_string).collect();
        if edge.flows.iter().any(|f| f.status.is_none()) {
            statuses.push("none".to_owned());
        }
        let reached = if self.options.interactive { " tabindex=\"0\" role=\"img\"" } else { "" };
        self.put(format_args!("<g class=\"{class}\"{reached} data-edge=\"{}\"", xml(&edge.id)));
        for (name, list) in [
            ("flows", &flows),
            ("findings", &edge.findings),
            ("data", &edge.data),
            ("purposes", &edge.purposes),
            ("agreements", &edge.agreements),
            ("parties", &edge.parties),
            ("status", &statuses),
        ] {
            self.put(format_args!(" data-{name}=\"{}\"", xml(&list.join(" "))));
        }
        if let Some(severity) = edge.severity {
            self.put(format_args!(" data-severity=\"{severity}\""));
        }
        self.put(format_args!("><title>{}</title>", xml(&edge_title(edge))));
    }

    fn edge(&mut self, edge: &Edge, line: &Line) {
        let violation = edge.severity.is_some();
        self.open_edge(edge, if line.back { " back" } else { "" });
        let d = path(line, if violation { 11 } else { 8 });
        if self.options.interactive {
            self.put(format_args!("<path class=\"hit\" d=\"{d}\"/>"));
        }
        self.put(format_args!("<path class=\"line\" d=\"{d}\"/>"));
        if let Some(head) = head(line, violation) {
            self.put(format_args!("<path class=\"head\" d=\"{head}\"/>"));
        }
        if let Some(&(x, y)) = line.points.first() {
            let side = if line.back { -1 } else { 1 };
            if violation {
                self.out.push_str(&diamond(x + side * 6, y));
            }
            if edge.flows.len() > 1 {
                let x = x + side * if violation { 13 } else { 6 };
                self.count(&format!("×{}", edge.flows.len()), x, y, line.back);
            }
        }
        self.out.push_str("</g>\n");
    }

    /// What flows within a party, in an overview: a loop in its box.
    fn within(&mut self, edge: &Edge, rect: Rect) {
        self.open_edge(edge, " within");
        let (x, y) = (rect.x + 14, rect.y + 54);
        let violation = edge.severity.is_some();
        self.put(format_args!("<path class=\"line\" d=\"M{x} {}A5 5 0 1 1 {} {}\"/>", y - 2, x + 5, y + 3));
        self.put(format_args!("<path class=\"head\" d=\"M{} {}l6 -3v6Z\"/>", x, y + 3));
        let text = within_text(edge);
        if violation {
            self.out.push_str(&diamond(x + 20, y));
        }
        let x = x + if violation { 28 } else { 16 };
        self.put(format_args!(
            "<text class=\"count\" x=\"{x}\" y=\"{}\" font-size=\"{NOTE_TEXT}\">{text}</text></g>\n",
            y + 4
        ));
    }

    fn count(&mut self, text: &str, x: i32, y: i32, leftwards: bool) {
        let anchor = if leftwards { " text-anchor=\"end\"" } else { "" };
        let wide = width(text, COUNT_TEXT);
        let left = if leftwards { x - wide - 1 } else { x - 1 };
        self.rect("patch", Rect { x: left, y: y - 5, width: wide + 2, height: 10 }, 2);
        self.put(format_args!(
            "<text class=\"count\" x=\"{x}\" y=\"{}\" font-size=\"{COUNT_TEXT}\"{anchor}>{text}</text>",
            y + 4
        ));
    }
}

fn marks(class: &str, reached: Option<Severity>) -> String {
    match reached {
        Some(severity) if is_grave(severity) => format!("{class} reached grave"),
        Some(_) => format!("{class} reached"),
        None => class.to_owned(),
    }
}

/// Some of the words, and how many more there are.
fn some(words: &[String]) -> String {
    let mut text = words.iter().take(WORDS).cloned().collect::<Vec<_>>().join(", ");
    if words.len() > WORDS {
        text.push_str(&format!(" and {} more", words.len() - WORDS));
    }
    text
}

/// A flow in a line of text.
fn flow_line(flow: &Flow) -> String {
    let mut line = flow.id.clone();
    if let Some(title) = &flow.title {
        line.push_str(&format!(" “{}”", shortened(&plain(title), 80)));
    }
    match flow.status {
        Some(Status::Active) | None => {}
        Some(status) => line.push_str(&format!(" ({status})")),
    }
    format!("{line}: {}; for {}", some(&flow.data), some(&flow.purposes))
}

/// What a line stands for, in words.
fn edge_title(edge: &Edge) -> String {
    let mut lines = vec![match edge.from_id == edge.to_id {
        true => format!("within {}", edge.from_id),
        false => format!("{} → {}", edge.from_id, edge.to_id),
    }];
    lines.extend(edge.flows.iter().take(LISTED).map(flow_line));
    if edge.flows.len() > LISTED {
        lines.push(format!("and {} more", counted(edge.flows.len() - LISTED, "flow")));
    }
    if let Some(severity) = edge.severity {
        lines.push(format!("part of {} ({severity})", counted(edge.findings.len(), "finding")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_straight_bent_or_round_at_corners() {
        let line = |points: &[(i32, i32)]| path(&Line { points: points.to_vec(), back: false }, 8);
        assert_eq!(line(&[(0, 5), (50, 5)]), "M0 5H42");
        assert_eq!(line(&[(0, 5), (10, 5), (40, 25), (50, 25)]), "M0 5H10C25 5 25 25 40 25H42");
        assert_eq!(line(&[(50, 5), (0, 5)]), "M50 5H8");
        let square = line(&[(0, 0), (20, 0), (20, 40), (60, 40)]);
        assert_eq!(square, "M0 0L13 0Q20 0 20 7L20 33Q20 40 27 40H52");
    }
}
