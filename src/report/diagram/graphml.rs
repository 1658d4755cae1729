//! A picture as GraphML: nodes that know their party, since few programs read nested
//! graphs, and keys with what is known.

use std::fmt::Write;

use super::picture::{Origin, Party, Picture, View};
use super::text::{plain, xml};
use crate::base::vocabulary::Severity;

/// The keys: id, what has it, its type.
const KEYS: [(&str, &str, &str); 17] = [
    ("kind", "node", "string"),
    ("label", "node", "string"),
    ("title", "node", "string"),
    ("party", "node", "string"),
    ("party_name", "node", "string"),
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
    ("status", "edge", "string"),
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
    graph.line(1, "<graph id=\"ringfence\" edgedefault=\"directed\">");
    graph.line(2, &format!("<desc>{}</desc>", xml(&plain(&picture.description))));
    for system in &picture.systems {
        graph.line(2, &format!("<node id=\"{}\">", xml(&system.id)));
        graph.data(3, "kind", Some("system"));
        graph.data(3, "label", Some(&system.label));
        graph.data(3, "title", system.title.as_deref());
        if let Some(party) = picture.parties.get(system.party) {
            graph.data(3, "party", Some(&party.id));
            graph.data(3, "party_name", Some(&party.name));
            graph.party(party);
        }
        graph.marks(system.origin, system.reached);
        graph.line(2, "</node>");
    }
    let without_systems = |party: &&Party| picture.view == View::Overview || party.systems == 0;
    for party in picture.parties.iter().filter(without_systems) {
        graph.line(2, &format!("<node id=\"{}\">", xml(&party.id)));
        graph.data(3, "kind", Some("party"));
        graph.data(3, "label", Some(&party.name));
        graph.party(party);
        graph.marks(party.origin, party.reached);
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

struct Writer {
    out: String,
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", depth * 2);
    }

    fn party(&mut self, party: &Party) {
        self.data(3, "role", party.role.map(|r| r.to_string()).as_deref());
        self.data(3, "jurisdiction", party.jurisdiction.as_deref());
    }

    fn marks(&mut self, origin: Origin, reached: Option<Severity>) {
        self.data(
            3,
            "origin",
            match origin {
                Origin::No => None,
                Origin::Assumed => Some("assumed"),
                Origin::Declared => Some("declared"),
            },
        );
        self.data(3, "reached", reached.map(|s| s.to_string()).as_deref());
    }

    fn data(&mut self, depth: usize, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(depth, &format!("<data key=\"{key}\">{}</data>", xml(&plain(value))));
        }
    }
}
