//! A picture as a Mermaid flowchart, for Markdown pages: a subgraph per party.

use super::layout::NAME;
use super::picture::{Edge, Origin, Picture, Standing, View};
use super::shapes::is_grave;
use super::text::{counted, plain, shortened};

/// Writes a picture as a flowchart.
pub fn mermaid(picture: &Picture) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, party) in picture.parties.iter().enumerate() {
        let name = shortened(&plain(&party.name), NAME);
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
        let label = format!("{mark}{}", counted(edge.flows.len(), "flow"));
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

/// Text within quotes. Mermaid has no escapes that hold in all places, and takes for more
/// than text what looks like HTML, an entity, a directive, a formula or a list: look-alikes
/// stand for the characters that these need.
fn text(text: &str) -> String {
    let plain = plain(text);
    let mut out = String::new();
    let mut rest = plain.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(match c {
            '<' => '‹',
            '>' => '›',
            '"' => '”',
            '`' => '’',
            '#' => '＃',
            '%' => '％',
            '$' => '＄',
            '\\' => '＼',
            '{' => '｛',
            '}' => '｝',
            '&' if rest.peek().is_some_and(|next| *next != ' ') => '＆',
            c => c,
        });
    }
    let digits = out.chars().take_while(char::is_ascii_digit).count();
    match out.chars().next() {
        Some('-' | '*' | '+') => format!("\u{2060}{out}"),
        Some(_) if digits > 0 => out.replacen(". ", ".\u{a0}", 1),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_acts() {
        assert_eq!(text("</script>\"`#lt;"), "‹/script›”’＃lt;");
        assert_eq!(text("%%{init: {}}%% $$x$$"), "％％｛init: ｛｝｝％％ ＄＄x＄＄");
        assert_eq!(text("A & B, AT&T, &lt;"), "A & B, AT＆T, ＆lt;");
        assert_eq!(text("- a\nb"), "\u{2060}- a b");
        assert_eq!(text("1. Bank"), "1.\u{a0}Bank");
    }
}
