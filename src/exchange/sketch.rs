//! A mapping to fill in: every term of the sources that has no entry, most used first.
//!
//! What a term is known to mean is written as an entry. What is only like something is written as a comment,
//! so that confirming it is an act of somebody.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::base::vocabulary::Word;
use crate::read::files::slashed;

use super::header::seen_from;
use super::maker::{Maker, Section, Use};
use super::{Asked, fold};

/// The keys of the mapping under which terms stand.
const SECTIONS: [(Section, &str); 4] = [
    (Section::Parties, "parties"),
    (Section::Data, "data"),
    (Section::Purposes, "purposes"),
    (Section::Durations, "durations"),
];

/// The whole mapping, for a file that is not there yet.
pub fn whole(
    asked: &Asked,
    output: Option<&Path>,
    layout: Option<&str>,
    file: &Path,
    sketch: &str,
) -> String {
    let folder = file.parent().unwrap_or(Path::new(""));
    let seen = |path: &Path| scalar(&slashed(&seen_from(folder, path)));
    let sources: Vec<String> = asked.paths.iter().map(|path| seen(path)).collect();
    let mut out = format!("import: {}\nsources: [{}]\n", asked.format.word(), sources.join(", "));
    if let Some(layout) = layout {
        let _ = writeln!(out, "layout: {layout}");
    }
    if let Some(output) = output.filter(|output| output.as_os_str() != "-") {
        let _ = writeln!(out, "output: {}", seen(output));
    }
    out + sketch
}

/// All that a mapping can say of the terms of the sources.
pub fn sketch(maker: &Maker, asked: &Asked) -> String {
    let mut out = String::new();
    if let Some(own) = &asked.mapping.own {
        let name = own.name.as_deref().unwrap_or(&own.id);
        let _ = writeln!(out, "self: {{id: {}, name: {}}}", own.id, scalar(name));
    } else if maker.draft.party_ids().any(|id| id == "self") {
        out += "# self: {id: example-ltd, name: Example Ltd, role: merchant, jurisdiction: GB}\n";
    }
    for (section, key) in SECTIONS {
        let lines = lines(maker, section);
        if !lines.is_empty() {
            let _ = write!(out, "{key}:\n{lines}");
        }
    }
    out
}

/// The lines of the terms of a section that the mapping does not have.
fn lines(maker: &Maker, section: Section) -> String {
    let uses = maker.uses.iter().filter(|((of, _), _)| *of == section);
    let mut all: Vec<&Use> = uses.map(|(_, used)| used).filter(|used| used.how != "mapping").collect();
    all.sort_by(|a, b| (b.count, &a.term).cmp(&(a.count, &b.term)));
    let mut out = String::new();
    for used in all {
        let value = match (section, used.proposal.as_slice()) {
            (Section::Parties, [id]) => format!("{{id: {}}}", scalar(id)),
            (_, [one]) => scalar(one),
            (_, []) => "?".to_owned(),
            (_, many) => format!("[{}]", many.iter().map(|one| scalar(one)).collect::<Vec<_>>().join(", ")),
        };
        let mark = if used.settled { "" } else { "# " };
        let confirm = if used.settled { "" } else { "; remove the `# ` in front to confirm it" };
        let how = visible_line(&used.how);
        let times = if used.count == 1 { "once".to_owned() } else { format!("{} times", used.count) };
        let _ = writeln!(out, "  {mark}{}: {value}  # {how}, used {times}{confirm}", scalar(&used.term));
    }
    out
}

fn visible_line(text: &str) -> String {
    crate::base::visible::visible(text).to_string()
}

/// A text as a YAML scalar on one line.
fn scalar(text: &str) -> String {
    let is_plain = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ' '))
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    // JSON's strings are YAML's.
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// A mapping that is there, with what the sketch has more than it.
pub fn extended(old: &str, sketch: &str) -> String {
    let mut added: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut section = "";
    for line in sketch.lines() {
        if let Some(key) =
            SECTIONS.iter().map(|(_, key)| *key).find(|key| line.strip_prefix(*key) == Some(":"))
        {
            section = key;
        } else if line.starts_with("  ") && !section.is_empty() {
            // A comment of an earlier time is not repeated.
            let known = old.lines().any(|known| term_of(known) == term_of(line));
            if !known {
                added.entry(section).or_default().push(line);
            }
        }
    }
    let mut out: Vec<String> = Vec::new();
    let mut rest: BTreeMap<&str, Vec<&str>> = added;
    for line in old.lines() {
        out.push(line.to_owned());
        let head = line.split('#').next().unwrap_or_default().trim_end();
        if let Some(key) = head.strip_suffix(':').filter(|key| !key.starts_with([' ', '#']))
            && let Some(lines) = rest.remove(key)
        {
            out.extend(lines.into_iter().map(str::to_owned));
        }
    }
    for (key, lines) in rest {
        // A section that is written on one line is left as it is.
        let is_there = old.lines().any(|line| line.starts_with(&format!("{key}:")));
        out.push(if is_there { format!("# {key}: these belong under it") } else { format!("{key}:") });
        out.extend(
            lines
                .into_iter()
                .map(|line| if is_there { format!("# {}", line.trim()) } else { line.to_owned() }),
        );
    }
    out.join("\n") + "\n"
}

/// The term of a line, folded, whether or not the line is a comment.
fn term_of(line: &str) -> Option<String> {
    let line = line.trim_start().trim_start_matches("# ");
    let term = match line.strip_prefix('"') {
        Some(rest) => rest.split("\":").next()?,
        None => line.split(": ").next()?,
    };
    Some(fold::fold(term)).filter(|term| !term.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_extended_where_its_sections_are() {
        let old = "import: table\n# mine\ndata:\n  \"E-Mail\": contact.email\npurposes: {}\n";
        let sketch = "import: table\ndata:\n  E-mail: contact.email  # name\n  # Foo: ?  # unknown\npurposes:\n  Bar: service\nparties:\n  Acme: {id: acme}\n";
        let new = extended(old, sketch);
        assert!(
            new.starts_with(
                "import: table\n# mine\ndata:\n  # Foo: ?  # unknown\n  \"E-Mail\": contact.email\n"
            ),
            "{new}"
        );
        assert!(new.contains("parties:\n  Acme: {id: acme}\n"), "{new}");
        assert!(new.contains("# Bar: service"), "{new}");
        assert_eq!(extended(&new, sketch), new);
    }

    #[test]
    fn scalars_are_read_back_as_they_were() {
        for text in ["no", "a: b", "x # y", "  z", "\"q\"", "ä\nö", "null", "1", "plain text", "-"] {
            let line = format!("{}: 1", scalar(text));
            let read: serde_yaml::Value = serde_yaml::from_str(&line).unwrap();
            assert_eq!(read.as_mapping().unwrap().keys().next().unwrap().as_str(), Some(text));
        }
    }
}
