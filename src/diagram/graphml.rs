//! A picture as GraphML: a nested graph per party, and keys with what is known.

use std::fmt::Write;

use super::picture::{Origin, Picture, View};
use super::text::{plain, xml};

/// The keys: id, what has it, its type.
const KEYS: [(&str, &str, &str); 15] = [
    ("kind", "node", "string"),
    ("label", "node", "string"),
    ("title", "node", "string"),
    ("party", "node", "string"),
    ("role", "node", "string"),
    ("jurisdiction", "node", "string"),
    ("origin", "node", "string"),
    ("reached", "node", "string"),
    ("flows", "edge", "string"),
    ("count", "edge", "int"),
    ("data", "edge", "string"),
    ("purposes", "edge", "string"),
    ("agreements", "edge", "string"),
    ("findings", "edge", "string"),
    ("severity", "edge", "string"),
];

/// Writes a picture as GraphML. Lists are separated by spaces, as no name has one.
pub fn graphml(picture: &Picture) -> String {
    let mut graph = Writer { out: String::new() };
    graph.line(0, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    graph.line(
        0,
        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns \
         http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">",
    );
    for (name, of, kind) in KEYS {
        let key = format!("<key id=\"{name}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>");
        graph.line(1, &key);
    }
    graph.line(1, "<key id=\"status\" for=\"edge\" attr.name=\"status\" attr.type=\"string\"/>");
    graph.line(1, "<graph id=\"ringfence\" edgedefault=\"directed\">");
    graph.line(2, &format!("<desc>{}</desc>", xml(&plain(&picture.description))));
    for (at, party) in picture.parties.iter().enumerate() {
        graph.line(2, &format!("<node id=\"{}\">", xml(&party.id)));
        graph.data(3, "kind", Some("party"));
        graph.data(3, "label", Some(&party.name));
        graph.data(3, "role", party.role.map(|r| r.to_string()).as_deref());
        graph.data(3, "jurisdiction", party.jurisdiction.as_deref());
        if picture.view == View::Overview {
            graph.data(3, "origin", origin(party.origin));
            graph.data(3, "reached", party.reached.map(|s| s.to_string()).as_deref());
        } else {
            graph.line(3, &format!("<graph id=\"{}:\" edgedefault=\"directed\">", xml(&party.id)));
            for system in picture.systems.iter().filter(|s| s.party == at) {
                graph.line(4, &format!("<node id=\"{}\">", xml(&system.id)));
                graph.data(5, "kind", Some("system"));
                graph.data(5, "label", Some(&system.label));
                graph.data(5, "title", system.title.as_deref());
                graph.data(5, "party", Some(&party.id));
                graph.data(5, "origin", origin(system.origin));
                graph.data(5, "reached", system.reached.map(|s| s.to_string()).as_deref());
                graph.line(4, "</node>");
            }
            graph.line(3, "</graph>");
        }
        graph.line(2, "</node>");
    }
    for (at, edge) in picture.edges.iter().enumerate() {
        let (from, to) = (xml(&edge.from_id), xml(&edge.to_id));
        graph.line(2, &format!("<edge id=\"e{at}\" source=\"{from}\" target=\"{to}\">"));
        let flows: Vec<String> = edge.flows.iter().map(|f| f.id.clone()).collect();
        let statuses: Vec<String> = edge.statuses.iter().map(|s| s.to_string()).collect();
        graph.data(3, "count", Some(&edge.flows.len().to_string()));
        for (name, list) in [
            ("flows", &flows),
            ("data", &edge.data),
            ("purposes", &edge.purposes),
            ("agreements", &edge.agreements),
            ("status", &statuses),
            ("findings", &edge.findings),
        ] {
            graph.data(3, name, Some(&list.join(" ")).filter(|text| !text.is_empty()).map(String::as_str));
        }
        graph.data(3, "severity", edge.severity.map(|s| s.to_string()).as_deref());
        graph.line(2, "</edge>");
    }
    graph.line(1, "</graph>");
    graph.line(0, "</graphml>");
    graph.out
}

fn origin(origin: Origin) -> Option<&'static str> {
    match origin {
        Origin::No => None,
        Origin::Assumed => Some("assumed"),
        Origin::Declared => Some("declared"),
    }
}

struct Writer {
    out: String,
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", depth * 2);
    }

    fn data(&mut self, depth: usize, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(depth, &format!("<data key=\"{key}\">{}</data>", xml(&plain(value))));
        }
    }
}
