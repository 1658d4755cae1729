//! What the signs of a picture mean: those that occur in it.

use super::picture::{Origin, Picture, Standing, View};
use super::shapes::{diamond, is_grave, stop_sign};
use super::text::{width, xml};

/// The size of its text.
const TEXT: i32 = 11;
/// How wide a sign is.
const SIGN: i32 = 44;
/// How far a line of signs is below the other.
const ROW: i32 = 22;
/// What is free on both sides.
const MARGIN: i32 = 16;

/// A sign and what it means.
pub struct Entry {
    sign: Sign,
    text: &'static str,
}

enum Sign {
    /// A line of these classes.
    Line(&'static str),
    Count,
    Bar(&'static str),
    Reached(&'static str),
    Within,
}

/// What has to be explained; `back`: some lines lead to the left.
pub fn entries(picture: &Picture, back: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |occurs: bool, sign: Sign, text: &'static str| {
        if occurs {
            entries.push(Entry { sign, text });
        }
    };
    let edges = &picture.edges;
    let standing = |standing| edges.iter().any(|e| e.standing() == standing);
    let violation = |grave| edges.iter().any(|e| e.severity.is_some_and(|s| is_grave(s) == grave));
    let origin = |origin| {
        picture.systems.iter().any(|s| s.origin == origin)
            || picture.view == View::Overview && picture.parties.iter().any(|p| p.origin == origin)
    };
    let reached = |grave| {
        let is = |s: &Option<crate::base::vocabulary::Severity>| s.is_some_and(|s| is_grave(s) == grave);
        picture.systems.iter().any(|s| is(&s.reached))
            || picture.view == View::Overview && picture.parties.iter().any(|p| is(&p.reached))
    };
    add(violation(true), Sign::Line("violation grave"), "part of a new finding, critical or high");
    add(violation(false), Sign::Line("violation"), "part of a new finding, medium or less");
    add(reached(true), Sign::Reached("reached grave"), "data arrives that must not");
    add(reached(false) && !reached(true), Sign::Reached("reached"), "data arrives that must not");
    add(standing(Standing::Current), Sign::Line("current"), "flows now");
    add(standing(Standing::Proposed), Sign::Line("proposed"), "proposed");
    add(standing(Standing::Ended), Sign::Line("ended"), "ended, data not taken back");
    add(back, Sign::Line("back"), "leads back to the left");
    add(edges.iter().any(|e| e.from != e.to && e.flows.len() > 1), Sign::Count, "number of flows");
    add(edges.iter().any(|e| e.from == e.to), Sign::Within, "within the party");
    add(origin(Origin::Declared), Sign::Bar("origin-bar"), "data starts here");
    add(origin(Origin::Assumed), Sign::Bar("assumed-bar"), "assumed to start here");
    entries
}

fn wide(entry: &Entry) -> i32 {
    SIGN + 8 + width(entry.text, TEXT) + 20
}

/// As wide as the widest of them.
pub fn least_width(entries: &[Entry]) -> i32 {
    entries.iter().map(wide).max().map_or(0, |w| w + 2 * MARGIN)
}

/// Writes it below a picture; how high it is.
pub fn write(entries: &[Entry], whole: i32, top: i32) -> (String, i32) {
    if entries.is_empty() {
        return (String::new(), 0);
    }
    let mut out = String::from("<g class=\"legend\">\n");
    let (mut x, mut y) = (MARGIN, top + 14);
    for entry in entries {
        let wide = wide(entry);
        if x > MARGIN && x + wide > whole - MARGIN + 20 {
            x = MARGIN;
            y += ROW;
        }
        out.push_str(&sign(&entry.sign, x, y));
        out.push_str(&format!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{TEXT}\">{}</text>\n",
            x + SIGN + 8,
            y + 4,
            xml(entry.text)
        ));
        x += wide;
    }
    out.push_str("</g>\n");
    (out, y - top + 18)
}

fn sign(sign: &Sign, x: i32, y: i32) -> String {
    let end = x + SIGN;
    match sign {
        Sign::Line("back") => {
            let d = format!("M{} {y}L{} {}V{}Z", x, x + 8, y - 4, y + 4);
            format!(
                "<g class=\"back\"><path class=\"line\" d=\"M{end} {y}H{}\"/><path class=\"head\" d=\"{d}\"/></g>",
                x + 8
            )
        }
        Sign::Line(class) => {
            let violation = class.contains("violation");
            let (long, half) = if violation { (11, 5) } else { (8, 4) };
            let dot = if violation { diamond(x + 6, y) } else { String::new() };
            format!(
                "<g class=\"{class}\"><path class=\"line\" d=\"M{x} {y}H{}\"/>\
                 <path class=\"head\" d=\"M{end} {y}L{} {}V{}Z\"/>{dot}</g>",
                end - long,
                end - long,
                y - half,
                y + half
            )
        }
        Sign::Count => format!(
            "<g><path class=\"line\" d=\"M{x} {y}H{}\"/><path class=\"head\" d=\"M{end} {y}L{} {}V{}Z\"/>\
             <rect class=\"patch\" x=\"{}\" y=\"{}\" width=\"18\" height=\"10\"/>\
             <text class=\"count\" x=\"{}\" y=\"{}\" font-size=\"10\">×3</text></g>",
            end - 8,
            end - 8,
            y - 4,
            y + 4,
            x + 7,
            y - 5,
            x + 8,
            y + 4
        ),
        Sign::Bar(class) => format!(
            "<rect class=\"system-box\" x=\"{}\" y=\"{}\" width=\"26\" height=\"16\" rx=\"4\"/>\
             <rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"4\" height=\"10\" rx=\"2\"/>",
            x + 18,
            y - 8,
            x + 21,
            y - 5
        ),
        Sign::Reached(class) => format!(
            "<g class=\"{class}\"><rect class=\"system-box\" x=\"{}\" y=\"{}\" width=\"22\" height=\"16\" rx=\"4\"/>{}</g>",
            x + 16,
            y - 8,
            stop_sign(x + 36, y - 6)
        ),
        Sign::Within => {
            let x = x + 26;
            format!(
                "<g><path class=\"line\" d=\"M{x} {}A5 5 0 1 1 {} {}\"/><path class=\"head\" d=\"M{x} {}l6 -3v6Z\"/></g>",
                y - 2,
                x + 5,
                y + 3,
                y + 3
            )
        }
    }
}
