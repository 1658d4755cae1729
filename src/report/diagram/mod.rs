//! The declared flows as a picture: parties as boxes with their systems inside, data
//! flowing from left to right, and what is part of a finding standing out.
//!
//! A [`Picture`] says what is drawn ([`picture()`], [`neighbourhood`]); each
//! format is one file. Only SVG needs places: columns (`layers`, `build`), what is above
//! what (`order`), heights (`place`), widths and lines (`route`). All of it is in whole
//! numbers and depends on ids alone, so that the same world gives the same bytes.

mod build;
mod dot;
mod draw;
mod filter;
mod graphml;
mod grid;
mod json;
mod layers;
mod layout;
mod legend;
mod mermaid;
mod order;
mod picture;
mod place;
mod route;
mod shapes;
mod svg;
mod text;

use crate::base::vocabulary::Word;

pub use draw::{neighbourhood, picture};
pub use filter::{Filter, MOST_SYSTEMS};
pub use picture::{Edge, Flow, Origin, Party, Picture, Standing, System, View};
pub use svg::{STYLE, SvgOptions, svg};

/// A form of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A picture, laid out.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Markdown pages.
    Mermaid,
    /// For yEd, NetworkX, Gephi.
    Graphml,
    /// Nodes and edges for programs.
    Json,
}

impl Word for Format {
    const WHAT: &'static str = "a format";
    const ALL: &'static [Self] = &[Format::Svg, Format::Dot, Format::Mermaid, Format::Graphml, Format::Json];

    fn word(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Dot => "dot",
            Format::Mermaid => "mermaid",
            Format::Graphml => "graphml",
            Format::Json => "json",
        }
    }
}

/// Writes a picture.
///
/// # Errors
/// When it cannot be put into the format.
pub fn render(picture: &Picture, format: Format) -> Result<String, serde_json::Error> {
    Ok(match format {
        Format::Svg => svg(picture, &SvgOptions::default()),
        Format::Dot => dot::dot(picture),
        Format::Mermaid => mermaid::mermaid(picture),
        Format::Graphml => graphml::graphml(picture),
        Format::Json => json::json(picture)?,
    })
}
