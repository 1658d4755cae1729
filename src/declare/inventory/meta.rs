//! The keys that every declaration may have.

use jiff::civil::Date;

use crate::base::vocabulary::Basis;
use crate::read::decode::{Decoder, Fields, Name, Spanned};
use crate::read::yaml::Node;

/// Title, labels and where it is known from.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// What it is called.
    pub title: Option<Name>,
    /// The user's own facts: contract number, owner.
    pub labels: Box<[(String, String)]>,
    /// Where it is known from.
    pub source: Option<Box<SourceRef>>,
    /// How well it is founded.
    pub basis: Option<Basis>,
}

/// A publication or document.
#[derive(Debug, Clone, Default)]
pub struct SourceRef {
    /// Its title.
    pub title: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// Its date.
    pub date: Option<Date>,
}

/// Reads the common keys.
pub fn meta(d: &mut Decoder, fields: &mut Fields) -> Meta {
    Meta {
        title: fields.with(d, "title", |d, n| d.name(n)).map(|t| t.value),
        labels: fields
            .with(d, "labels", |d, node| {
                Some(d.map(node, "labels (a map of texts)", |d, key, value| {
                    d.text(value).map(|text| (key.value, text.value))
                }))
            })
            .unwrap_or_default()
            .into(),
        source: fields.with(d, "source", source).map(Box::new),
        basis: fields.with(d, "basis", |d, n| d.word(n)).map(|w: Spanned<Basis>| w.value),
    }
}

/// A text key, its place not needed.
pub fn text(d: &mut Decoder, fields: &mut Fields, key: &'static str) -> Option<String> {
    fields.with(d, key, |d, n| d.text(n)).map(|t| t.value)
}

fn source(d: &mut Decoder, node: &Node) -> Option<SourceRef> {
    let mut fields = Fields::new(d, node, "a source")?;
    let source = SourceRef {
        title: text(d, &mut fields, "title"),
        url: text(d, &mut fields, "url"),
        date: fields.with(d, "date", |d, n| d.date(n)).map(|t| t.value),
    };
    fields.finish(d);
    Some(source)
}
