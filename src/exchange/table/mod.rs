//! Spreadsheets and lists: CSV, TSV, XLSX, ODS.
//!
//! A table is read into a [`read::Grid`], whose headings say which [`layout`](layouts) it has; each layout is
//! a list of columns over one of three importers: flows, registers of processing, lists of sub-processors.

mod flows;
mod layouts;
mod read;
mod register;
mod rows;
mod subprocessors;
#[cfg(feature = "tables")]
mod workbook;

use crate::base::diagnostic::Diagnostic;

use super::Asked;
use super::fate::Code;
use super::gather::Source;
use super::ledger::{Leaf, Ledger, Place};
use super::maker::Maker;
use layouts::{Layout, Reader, recognise};
use read::Grid;
use rows::Row;

pub use layouts::{field_names, layout_names};

/// What holds of tables.
#[derive(Debug, Clone)]
pub struct Options {
    /// The layout, if the call names it.
    pub layout: Option<String>,
    /// The sheet, if the call names it.
    pub sheet: Option<String>,
    /// How many rows there may be in all.
    pub max_rows: usize,
    /// How many cells there may be in all.
    pub max_cells: usize,
    /// How many bytes a workbook may hold once it is unpacked.
    pub max_unpacked: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            layout: None,
            sheet: None,
            max_rows: 2_000_000,
            max_cells: 30_000_000,
            max_unpacked: 1 << 30,
        }
    }
}

/// A table whose headings were recognised.
struct Table {
    layout: &'static Layout,
    grid: Grid,
    /// The row of the headings.
    head: usize,
    /// What each column holds.
    fields: Vec<Option<&'static str>>,
}

/// Makes an inventory of tables.
///
/// # Errors
/// What cannot be read, and tables without headings that are known.
pub fn import(maker: &mut Maker, asked: &Asked, found: &[Source]) -> Result<(), Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let mut left = read::Left::new(&asked.table);
    for source in found {
        match read::read(source, &asked.table, &mut left, maker.mapping) {
            Ok(grids) => one(maker, asked, source, grids, &mut mistakes),
            Err(wrong) => mistakes.extend(wrong),
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// The tables of one file.
fn one(maker: &mut Maker, asked: &Asked, source: &Source, grids: Vec<Grid>, mistakes: &mut Vec<Diagnostic>) {
    let file = maker.ledger.file(&source.name);
    let named = asked.table.sheet.clone().or_else(|| maker.mapping.sheet.clone());
    let layout = asked.table.layout.clone().or_else(|| maker.mapping.layout.clone());
    if let Some(name) = &named
        && !grids.iter().any(|grid| grid.name == *name)
    {
        let known: Vec<&str> = grids.iter().map(|grid| grid.name.as_str()).collect();
        let near = crate::base::diagnostic::nearest(name, known.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has: {}", known.join(", ")),
        };
        let message = format!("`{}` has no sheet `{name}`", source.name);
        mistakes.push(Diagnostic::without_place("unknown-sheet", message).help(help));
        return;
    }
    let (mut tables, mut others) = (Vec::new(), Vec::new());
    for grid in grids {
        let wanted = named.as_ref().is_none_or(|name| grid.name == *name);
        let known = wanted.then(|| recognise(&grid, layout.as_deref(), maker.mapping)).flatten();
        match known {
            Some((layout, head, fields)) => tables.push(Table { layout, grid, head, fields }),
            None => others.push(grid),
        }
    }
    if tables.is_empty() {
        mistakes.push(no_headings(source, &others, layout.as_deref()));
        return;
    }
    for grid in others.iter().filter(|grid| !grid.is_empty()) {
        let sheet = maker.ledger.sheet(&grid.name);
        let cells = grid.rows.iter().flatten().filter(|cell| !cell.is_empty()).count();
        let place = Place::Cell { sheet, row: 0, column: 0 };
        let value = format!("{cells} cells");
        let leaf = maker.ledger.leaf(file, place, grid.name.as_str().into(), value);
        let note = "a sheet without headings that are known: name a `layout`, or accept this entry";
        maker.ledger.mark(leaf, Code::Unread, None, Some(note));
    }
    for table in tables {
        for column in table.fields.iter().enumerate().filter(|(_, field)| field.is_some()) {
            let twice = table.fields.iter().filter(|field| *field == column.1).count() > 1;
            let field = column.1.unwrap_or_default();
            if twice && !layouts::may_repeat(field) {
                let heads = table.grid.rows.get(table.head).cloned().unwrap_or_default();
                let same = table.fields.iter().zip(&heads).filter(|(other, _)| *other == column.1);
                let names: Vec<&str> = same.map(|(_, head)| head.as_str()).collect();
                let message = format!(
                    "`{}` has {} columns for `{field}`: {}",
                    source.name,
                    names.len(),
                    names.join(", ")
                );
                mistakes.push(
                    Diagnostic::without_place("duplicate-heading", message)
                        .help(format!("say which it is: `columns: {{{field}: …}}` in the mapping")),
                );
                return;
            }
        }
        let rows = rows(&mut maker.ledger, file, &table);
        for note in &table.grid.notes {
            maker.ledger.remark(Code::Assumed, "table", &source.name, note, "", None);
        }
        match table.layout.reader {
            Reader::Flows => flows::import(maker, &rows),
            Reader::Register => register::import(maker, &rows, table.layout),
            Reader::Subprocessors => subprocessors::import(maker, &rows),
        }
        // What a row says in a column that no layout knows.
        for row in &rows {
            for (heading, leaf) in &row.others {
                let note = format!("the column `{heading}` is none of the layout `{}`", table.layout.name);
                maker.ledger.drop_minor(*leaf, &note);
            }
        }
    }
}

fn no_headings(source: &Source, grids: &[Grid], layout: Option<&str>) -> Diagnostic {
    let seen = grids.iter().find_map(|grid| {
        let row =
            grid.rows.iter().rev().max_by_key(|row| row.iter().filter(|cell| !cell.is_empty()).count())?;
        Some(row.iter().filter(|cell| !cell.is_empty()).take(8).cloned().collect::<Vec<_>>().join(", "))
    });
    let what = layout.map_or_else(|| "a known layout".to_owned(), |layout| format!("the layout `{layout}`"));
    let message = match seen {
        Some(seen) if !seen.is_empty() => {
            format!("`{}` has no row with the headings of {what}; its fullest row is: {seen}", source.name)
        }
        _ => format!("`{}` holds no table", source.name),
    };
    Diagnostic::without_place("unknown-layout", message).help(format!(
        "layouts: {}; or say what its columns hold: `columns: {{to_party: …, data: …}}` in the mapping",
        layout_names().collect::<Vec<_>>().join(", ")
    ))
}

/// The rows below the headings, their cells in the ledger. What stands above is kept, too.
fn rows(ledger: &mut Ledger, file: u32, table: &Table) -> Vec<Row> {
    let sheet = ledger.sheet(&table.grid.name);
    let heads: Vec<String> = table.grid.rows.get(table.head).cloned().unwrap_or_default();
    let pointers: Vec<std::sync::Arc<str>> =
        heads.iter().map(|head| format!("{}/{head}", table.grid.name).into()).collect();
    let none: std::sync::Arc<str> = format!("{}/", table.grid.name).into();
    let mut all = Vec::new();
    for (number, cells) in table.grid.rows.iter().enumerate() {
        let mut row = Row::default();
        for (column, text) in cells.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let pointer = if number < table.head { &none } else { pointers.get(column).unwrap_or(&none) };
            if ledger.is_left_out(pointer, text) {
                continue;
            }
            let place = Place::Cell { sheet, row: number as u32, column: column as u32 };
            let leaf: Leaf = ledger.leaf(file, place, std::sync::Arc::clone(pointer), text.as_str());
            let field = table.fields.get(column).copied().flatten();
            match field {
                _ if number < table.head => row.others.push((String::new(), leaf)),
                _ if number == table.head => ledger.mark(leaf, Code::Carried, None, None),
                Some(field) => row.push(field, leaf, text),
                None => row.others.push((heads.get(column).cloned().unwrap_or_default(), leaf)),
            }
        }
        if number < table.head {
            row.preamble = true;
            all.push(row);
        } else if number > table.head && !row.is_empty() {
            all.push(row);
        }
    }
    all
}
