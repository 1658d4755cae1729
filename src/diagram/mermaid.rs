//! A picture as a Mermaid flowchart, for Markdown pages: a subgraph per party.

use super::picture::{Edge, Origin, Picture, Standing, View};
use super::svg::is_grave;
use super::text::{counted, plain, shortened};

/// Writes a picture as a flowchart.
pub fn mermaid(picture: &Picture) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, party) in picture.parties.iter().enumerate() {
        let name = shortened(&plain(&party.name), 60);
        if picture.view == View::Overview {
            let label = format!("{name}, {}", counted(party.systems, "system"));
            out.push_str(&format!("  p{at}[\"{}\"]\n", text(&label)));
            continue;
        }
        out.push_str(&format!("  subgraph p{at}[\"{}\"]\n", text(&name)));
        for (number, system) in picture.systems.iter().enumerate().filter(|(_, s)| s.party == at) {
            let label = text(&shortened(&plain(&system.label), 40));
            out.push_str(&format!("    s{number}[\"{label}\"]\n"));
        }
        out.push_str("  end\n");
    }
    let node = if picture.view == View::Overview { "p" } else { "s" };
    for edge in &picture.edges {
        out.push_str(&format!("  {node}{} {} {node}{}\n", edge.from, arrow(edge), edge.to));
    }
    styles(picture, node, &mut out);
    out
}

fn arrow(edge: &Edge) -> String {
    let (start, end) = match (edge.severity.is_some(), edge.standing()) {
        (true, Standing::Current) => ("==", "==>"),
        (false, Standing::Current) => ("--", "-->"),
        _ => ("-.", ".->"),
    };
    if edge.flows.len() > 1 || edge.severity.is_some() {
        let mark = if edge.severity.is_some() { "◆ " } else { "" };
        let data = edge.data.first().map_or("", String::as_str);
        let label = match edge.flows.len() {
            1 => format!("{mark}{data}"),
            n => format!("{mark}{n} flows"),
        };
        format!("{start} \"{}\" {end}", text(&label))
    } else {
        match end {
            ".->" => "-.->".to_owned(),
            end => end.to_owned(),
        }
    }
}

fn styles(picture: &Picture, node: &str, out: &mut String) {
    for (class, color) in [(true, "#c01f2e"), (false, "#a8560a")] {
        let lines: Vec<String> = (0..)
            .zip(&picture.edges)
            .filter(|(_, e)| e.severity.is_some_and(|s| is_grave(s) == class))
            .map(|(at, _): (usize, _)| at.to_string())
            .collect();
        if !lines.is_empty() {
            out.push_str(&format!("  linkStyle {} stroke:{color},stroke-width:3px\n", lines.join(",")));
        }
    }
    let marks: Vec<(Origin, Option<bool>)> = match picture.view {
        View::Overview => picture.parties.iter().map(|p| (p.origin, p.reached.map(is_grave))).collect(),
        _ => picture.systems.iter().map(|s| (s.origin, s.reached.map(is_grave))).collect(),
    };
    let mut class = |name: &str, style: &str, has: &dyn Fn(Origin, Option<bool>) -> bool| {
        let chosen = marks.iter().enumerate().filter(|(_, (origin, reached))| has(*origin, *reached));
        let nodes: Vec<String> = chosen.map(|(at, _)| format!("{node}{at}")).collect();
        if !nodes.is_empty() {
            out.push_str(&format!("  classDef {name} {style}\n  class {} {name}\n", nodes.join(",")));
        }
    };
    class("origin", "stroke:#0e7c74,stroke-width:2px", &|origin, _| origin == Origin::Declared);
    class("assumed", "stroke:#0e7c74,stroke-width:2px,stroke-dasharray:4", &|origin, _| {
        origin == Origin::Assumed
    });
    class("reached", "stroke:#c01f2e,stroke-width:3px", &|_, grave| grave == Some(true));
    class("held", "stroke:#a8560a,stroke-width:3px", &|_, grave| grave == Some(false));
}

/// Text within quotes: Mermaid knows no escapes but entities with a number sign, and
/// would take what looks like Markdown or HTML for that.
fn text(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | ',' | '-' | '_' | '/' | '…' | '◆' | '(' | ')' =>
            {
                out.push(c);
            }
            c if c.is_alphanumeric() => out.push(c),
            c => out.push_str(&format!("#{};", c as u32)),
        }
    }
    // `1. ` and `- ` at the start would be taken for a list.
    match out.chars().next() {
        Some('-') => out.replacen('-', "#45;", 1),
        Some(c) if c.is_ascii_digit() => out.replacen(". ", "#46; ", 1),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_acts() {
        assert_eq!(text("</script>\"`#"), "#60;/script#62;#34;#96;#35;");
        assert_eq!(text("- a\nb"), "#45; a b");
        assert_eq!(text("1. Bank"), "1#46; Bank");
    }
}
