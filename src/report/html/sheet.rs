//! The answer to a question as a page of its own: what is known in a few lines, then tables.

use std::io;

use serde::Serialize;
use tera::{Context, Tera};

use super::{STYLE, STYLE_HASH, pack, text};
use crate::report::say::CAUTION;

/// What the page shows.
#[derive(Debug, Serialize)]
pub struct Sheet {
    /// What the page is.
    pub title: String,
    /// The answer in a sentence.
    pub answer: String,
    /// By what it was answered.
    pub scope: String,
    /// What there is to know besides, each with its name.
    pub facts: Vec<(&'static str, String)>,
    /// The lists, those without entries left out.
    pub tables: Vec<Table>,
}

/// A list.
#[derive(Debug, Serialize)]
pub struct Table {
    /// What it is of.
    pub title: String,
    /// Above its columns.
    pub columns: Vec<&'static str>,
    /// A cell for each column, with its name.
    pub rows: Vec<Vec<(&'static str, String)>>,
}

impl Table {
    /// A list, unless there is nothing in it.
    pub fn of(title: &str, columns: &[&'static str], rows: Vec<Vec<String>>) -> Option<Self> {
        let title = format!("{title}: {}", rows.len());
        let named = |row: Vec<String>| columns.iter().copied().zip(row).collect();
        let rows: Vec<Vec<_>> = rows.into_iter().map(named).collect();
        (!rows.is_empty()).then(|| Table { title, columns: columns.to_vec(), rows })
    }
}

#[derive(Serialize)]
struct Page<'s> {
    sheet: &'s Sheet,
    style: String,
    policy: String,
    caution: &'static str,
    program: &'static str,
}

/// Writes the page, which needs nothing else and runs no script.
///
/// # Errors
/// When the template does not fit what it is given.
pub fn render(sheet: &Sheet) -> io::Result<String> {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STYLE_HASH.trim()
    );
    let page = Page {
        sheet,
        style: pack::style(STYLE),
        policy,
        caution: CAUTION,
        program: env!("CARGO_PKG_VERSION"),
    };
    let lay_out = || -> tera::TeraResult<String> {
        let mut tera = Tera::default();
        tera.set_escape_fn(text::escape);
        tera.register_filter("ticks", text::ticks);
        tera.register_filter("ident", text::ident);
        tera.add_raw_templates(vec![("sheet.html", include_str!("templates/sheet.html"))])?;
        tera.render("sheet.html", &Context::from_serialize(&page)?)
    };
    lay_out().map_err(io::Error::other)
}
