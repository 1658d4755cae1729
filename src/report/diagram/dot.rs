//! A picture for Graphviz: a cluster per party.

use std::fmt::Write;

use super::picture::{Edge, Origin, Picture, Standing, View};
use super::shapes::is_grave;
use super::text::{LABEL, counted, plain, shortened};
use crate::base::vocabulary::Severity;

/// Writes a picture in the DOT language.
pub fn dot(picture: &Picture) -> String {
    let mut out = String::new();
    let mut put = |text: std::fmt::Arguments| {
        let _ = out.write_fmt(text);
    };
    put(format_args!(
        "// {}\ndigraph ringfence {{\n  rankdir=LR; compound=true; tooltip={};\n  \
         graph [fontname=\"Helvetica\", fontsize=12, style=rounded, color=\"#c3ccd6\", bgcolor=white];\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=white, color=\"#8493a3\", \
         fontname=\"Helvetica\", fontsize=11];\n  \
         edge [color=\"#65768a\", fontname=\"Helvetica\", fontsize=9];\n",
        plain(&picture.description),
        quoted(&picture.title)
    ));
    for (at, party) in picture.parties.iter().enumerate() {
        let name = shortened(&plain(&party.name), 60);
        if picture.view == View::Overview {
            let label = format!("{name}\n{}", counted(party.systems, "system"));
            put(format_args!(
                "  {} [label={}{}];\n",
                quoted(&party.id),
                quoted(&label),
                marks(party.origin, party.reached)
            ));
            continue;
        }
        put(format_args!(
            "  subgraph {} {{\n    label={}; tooltip={};\n",
            quoted(&format!("cluster_{}", party.id)),
            quoted(&name),
            quoted(&party.id)
        ));
        for system in picture.systems.iter().filter(|s| s.party == at) {
            let tooltip = system
                .title
                .as_ref()
                .map_or(system.id.clone(), |t| format!("{}\n{}", system.id, shortened(&plain(t), 120)));
            put(format_args!(
                "    {} [label={}, tooltip={}{}];\n",
                quoted(&system.id),
                quoted(&shortened(&plain(&system.label), LABEL.max(40))),
                quoted(&tooltip),
                marks(system.origin, system.reached)
            ));
        }
        put(format_args!("  }}\n"));
    }
    for edge in &picture.edges {
        put(format_args!("  {} -> {} [{}];\n", quoted(&edge.from_id), quoted(&edge.to_id), attributes(edge)));
    }
    out.push_str("}\n");
    out
}

fn marks(origin: Origin, reached: Option<Severity>) -> String {
    let mut marks = match origin {
        Origin::No => String::new(),
        Origin::Assumed => ", fillcolor=\"#e3f2f0\", style=\"rounded,filled,dashed\"".to_owned(),
        Origin::Declared => ", fillcolor=\"#e3f2f0\"".to_owned(),
    };
    if let Some(severity) = reached {
        marks.push_str(&format!(", color=\"{}\", penwidth=2.4", color(severity)));
    }
    marks
}

fn color(severity: Severity) -> &'static str {
    if is_grave(severity) { "#c01f2e" } else { "#a8560a" }
}

fn attributes(edge: &Edge) -> String {
    let flows: Vec<&str> = edge.flows.iter().map(|f| f.id.as_str()).collect();
    let tooltip = format!(
        "{} → {}\n{}\n{}\nfor {}",
        edge.from_id,
        edge.to_id,
        few(&flows),
        few(&edge.data),
        few(&edge.purposes)
    );
    let mut attributes = format!("tooltip={}", quoted(&tooltip));
    if edge.flows.len() > 1 {
        attributes.push_str(&format!(", label=\"×{}\"", edge.flows.len()));
    }
    match edge.standing() {
        Standing::Current => {}
        Standing::Proposed => attributes.push_str(", style=dashed"),
        Standing::Ended => attributes.push_str(", style=dotted"),
    }
    if let Some(severity) = edge.severity {
        attributes
            .push_str(&format!(", color=\"{}\", penwidth=2.6, arrowtail=diamond, dir=both", color(severity)));
    }
    attributes
}

/// The first twelve, and how many more.
fn few<T: AsRef<str>>(words: &[T]) -> String {
    let mut text = words.iter().take(12).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if words.len() > 12 {
        text.push_str(&format!(" and {} more", words.len() - 12));
    }
    text
}

/// A quoted string, whose line breaks are breaks and in which nothing else acts.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for line in text.split('\n').map(plain).enumerate().map(|(at, line)| (at > 0, line)) {
        if line.0 {
            out.push_str("\\n");
        }
        for c in line.1.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                // Graphviz resolves entities in all texts.
                // `##[error]` is an order to a build server that reads its log.
                '#' if out.ends_with('#') => out.push_str("&#35;"),
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                c => out.push(c),
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_ends_a_string_early() {
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
        assert_eq!(quoted("one\ntwo\u{202e}"), r#""one\ntwo\\u{202e}""#);
        assert_eq!(quoted("&lt;"), "\"&amp;lt;\"");
    }
}
