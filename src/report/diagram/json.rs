//! A picture as JSON: parties, systems and edges, each edge with its flows.

use serde::Serialize;

use super::picture::{Edge, Party, Picture, System, View};
use crate::base::visible::in_json;

/// The version of this JSON's shape: keys may be added within one.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'p> {
    ringfence: Program,
    title: &'p str,
    description: &'p str,
    view: View,
    parties: &'p [Party],
    systems: Vec<WithParty<'p>>,
    edges: &'p [Edge],
}

#[derive(Serialize)]
struct Program {
    version: &'static str,
    schema: u32,
}

#[derive(Serialize)]
struct WithParty<'p> {
    #[serde(flatten)]
    system: &'p System,
    party: Option<&'p str>,
}

/// Writes a picture as one object.
pub fn json(picture: &Picture) -> Result<String, serde_json::Error> {
    let systems = picture
        .systems
        .iter()
        .map(|system| WithParty { system, party: picture.parties.get(system.party).map(|p| p.id.as_str()) });
    let document = Document {
        ringfence: Program { version: env!("CARGO_PKG_VERSION"), schema: SCHEMA },
        title: &picture.title,
        description: &picture.description,
        view: picture.view,
        parties: &picture.parties,
        systems: systems.collect(),
        edges: &picture.edges,
    };
    Ok(in_json(&serde_json::to_string_pretty(&document)?) + "\n")
}
