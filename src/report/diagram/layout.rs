//! From a picture to places: how large everything is, and where.

use super::grid::{BoxId, BoxSpec, LinkSpec, Metrics, NodeId, NodeSpec, Spec};
use super::picture::{Edge, Origin, Party, Picture, System, View};
use super::route::{Line, Rect, Routed};
use super::text::{LABEL, bold_width, counted, plain, shortened, width};
use super::{build, order, place, route};
use crate::base::vocabulary::Role;
use crate::model::Id;

/// The size of a system's label, in pixels.
pub const SYSTEM_TEXT: i32 = 12;
/// The size of a party's name.
pub const PARTY_TEXT: i32 = 13;
/// The size of what is said below it.
pub const NOTE_TEXT: i32 = 11;
/// The size of a number at a line.
pub const COUNT_TEXT: i32 = 10;
/// How high a system is at least.
pub const SYSTEM_HEIGHT: i32 = 32;
/// How much of a party's name is shown.
pub const NAME: usize = 36;

/// A picture with places: boxes, systems and lines with the party, system or edge that
/// they show.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// How wide.
    pub width: i32,
    /// How high.
    pub height: i32,
    /// The parties' boxes.
    pub parties: Vec<(usize, Rect)>,
    /// The systems' boxes.
    pub systems: Vec<(usize, Rect)>,
    /// The lines.
    pub edges: Vec<(usize, Line)>,
}

/// What stands in a party's box.
pub struct PartyText {
    /// Its name, shortened.
    pub name: String,
    /// What else there is to say.
    pub note: String,
}

/// What stands in a party's box.
pub fn party_text(party: &Party, view: View) -> PartyText {
    let mut notes = vec![shortened(&plain(&party.note()), NAME)];
    if view == View::Overview {
        notes.push(counted(party.systems, "system"));
    }
    notes.retain(|note| !note.is_empty());
    PartyText { name: shortened(&plain(&party.name), NAME), note: notes.join(" · ") }
}

/// A system's label.
pub fn system_text(system: &System) -> String {
    shortened(&plain(&system.label), LABEL)
}

/// How wide a system is, with its label.
pub fn system_width(system: &System) -> i32 {
    (width(&system_text(system), SYSTEM_TEXT) + 26).max(96)
}

/// How wide a party's texts are, with what is around them.
pub fn party_width(party: &Party, view: View) -> i32 {
    let text = party_text(party, view);
    bold_width(&text.name, PARTY_TEXT).max(width(&text.note, NOTE_TEXT)) + 28
}

/// How far below a box's upper edge its systems start.
const HEADER: i32 = 46;

/// What is said of the flows within a party.
pub fn within_text(edge: &Edge) -> String {
    format!("{} within", counted(edge.flows.len(), "flow"))
}

/// Gives everything its place.
pub fn layout(picture: &Picture) -> Layout {
    let overview = picture.view == View::Overview;
    let (spec, edges) = if overview { parties_alone(picture) } else { with_systems(picture) };
    let mut grid = build::build(&spec);
    order::order(&mut grid);
    place::place(&mut grid);
    let Routed { width, height, boxes, nodes, lines } =
        route::route(&grid, &spec.nodes.iter().map(|n| n.width).collect());
    Layout {
        width,
        height,
        parties: boxes.into_iter().enumerate().collect(),
        systems: if overview { Vec::new() } else { nodes.into_iter().enumerate().collect() },
        edges: edges.into_iter().zip(lines).collect(),
    }
}

fn with_systems(picture: &Picture) -> (Spec, Vec<usize>) {
    let spec = Spec {
        boxes: picture
            .parties
            .iter()
            .map(|p| BoxSpec { width: party_width(p, picture.view).max(150), first: first(p) })
            .collect(),
        nodes: picture
            .systems
            .iter()
            .map(|system| NodeSpec {
                within: BoxId::from_index(system.party),
                width: system_width(system),
                height: SYSTEM_HEIGHT,
                first: if system.origin == Origin::No { 0 } else { 20 },
            })
            .collect(),
        links: picture.edges.iter().map(link).collect(),
        metrics: Metrics {
            header: HEADER,
            footer: 16,
            side: 34,
            stub: 6,
            inner_stub: 30,
            port: 13,
            lane: 10,
            node_gap: 14,
            box_gap: 28,
            margin: 16,
        },
    };
    (spec, (0..picture.edges.len()).collect())
}

/// How far left a party belongs where data runs in circles: those that people bring
/// their data to are mostly where it starts, those that use it where it ends.
fn first(party: &Party) -> i64 {
    match party.role {
        Some(Role::Bank | Role::Insurer) => 40,
        Some(Role::PaymentNetwork | Role::PaymentInstitution | Role::Lender | Role::Merchant) => 30,
        Some(Role::Processor | Role::AppDeveloper) => -10,
        Some(Role::DataBroker | Role::CreditBureau | Role::AdNetwork) => -30,
        Some(Role::Regulator) => -40,
        Some(Role::Platform | Role::Other) | None => 0,
    }
}

/// Each party is a box that is filled by one node.
fn parties_alone(picture: &Picture) -> (Spec, Vec<usize>) {
    let mut inner: Vec<Option<&Edge>> = vec![None; picture.parties.len()];
    for edge in picture.edges.iter().filter(|e| e.from == e.to) {
        if let Some(within) = inner.get_mut(edge.from) {
            within.get_or_insert(edge);
        }
    }
    let within = |at: usize| inner.get(at).copied().flatten();
    let text = |edge: &Edge| bold_width(&within_text(edge), NOTE_TEXT) + 54;
    let between: Vec<(usize, LinkSpec)> =
        picture.edges.iter().enumerate().filter(|(_, e)| e.from != e.to).map(|(i, e)| (i, link(e))).collect();
    let spec = Spec {
        boxes: picture.parties.iter().map(|p| BoxSpec { width: 0, first: first(p) }).collect(),
        nodes: picture
            .parties
            .iter()
            .enumerate()
            .map(|(at, party)| NodeSpec {
                within: BoxId::from_index(at),
                width: party_width(party, picture.view).max(within(at).map_or(0, text)).max(130),
                height: if within(at).is_some() { 66 } else { 48 },
                first: 0,
            })
            .collect(),
        links: between.iter().map(|(_, link)| *link).collect(),
        metrics: Metrics {
            stub: 36,
            inner_stub: 36,
            port: 13,
            lane: 10,
            node_gap: 14,
            box_gap: 24,
            margin: 16,
            ..Metrics::default()
        },
    };
    (spec, between.into_iter().map(|(at, _)| at).collect())
}

fn link(edge: &Edge) -> LinkSpec {
    LinkSpec {
        from: NodeId::from_index(edge.from),
        to: NodeId::from_index(edge.to),
        weight: edge.flows.len() as i64,
    }
}
