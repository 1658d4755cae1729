//! Workbooks: XLSX and ODS.
//!
//! They are zip archives, which can hold a million times their size, and their cells can stand anywhere in
//! seventeen billion. So what an archive holds is measured before it is opened, and cells are read one by one.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, Ods, Reader, SheetVisible, Xlsx};

use super::Options;
use super::read::{Grid, Left};

/// The sheets of a workbook.
///
/// # Errors
/// It is no workbook, or holds more than limits allow.
pub fn read(bytes: &[u8], options: &Options, left: &mut Left) -> Result<Vec<Grid>, String> {
    let parts = parts(bytes, options.max_unpacked)?;
    let is = |name: &str| parts.iter().any(|part| part.name == name);
    // The reader is somebody else's: whatever it stumbles over is a mistake of the file.
    let read = if is("xl/workbook.xml") || is("xl/workbook.bin") || is("[Content_Types].xml") {
        catch_unwind(AssertUnwindSafe(|| xlsx(bytes, left)))
    } else if is("content.xml") {
        repeated(&parts, options)?;
        catch_unwind(AssertUnwindSafe(|| ods(bytes, left)))
    } else {
        return Err("it is an archive, and no workbook".to_owned());
    };
    read.unwrap_or_else(|_| Err("the workbook is damaged".to_owned()))
}

fn xlsx(bytes: &[u8], left: &mut Left) -> Result<Vec<Grid>, String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let sheets: Vec<(String, SheetVisible)> =
        book.sheets_metadata().iter().map(|sheet| (sheet.name.clone(), sheet.visible)).collect();
    let mut all = Vec::new();
    for (name, visible) in sheets {
        // A sheet of charts has no cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue };
        let mut grid = named(name, visible);
        while let Some(cell) = cells.next_cell().map_err(|error| error.to_string())? {
            let text = match cell.get_value() {
                DataRef::SharedString(text) => text.trim().to_owned(),
                value => shown(&value.clone().into()),
            };
            let (row, column) = cell.get_position();
            put(&mut grid, row as usize, column as usize, text, left)?;
        }
        all.push(grid);
    }
    Ok(all)
}

fn ods(bytes: &[u8], left: &mut Left) -> Result<Vec<Grid>, String> {
    let mut book: Ods<_> = Ods::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let sheets: Vec<(String, SheetVisible)> =
        book.sheets_metadata().iter().map(|sheet| (sheet.name.clone(), sheet.visible)).collect();
    let mut all = Vec::new();
    for (name, visible) in sheets {
        let range = book.worksheet_range(&name).map_err(|error| error.to_string())?;
        let mut grid = named(name, visible);
        let (down, right) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            put(&mut grid, row + down as usize, column + right as usize, shown(value), left)?;
        }
        all.push(grid);
    }
    Ok(all)
}

fn named(name: String, visible: SheetVisible) -> Grid {
    let mut grid = Grid { name, ..Grid::default() };
    if visible != SheetVisible::Visible {
        grid.notes.push(format!("the sheet `{}` is hidden and was read", grid.name));
    }
    grid
}

/// Puts a text where it stands. Rows between count like those that hold something.
fn put(grid: &mut Grid, row: usize, column: usize, text: String, left: &mut Left) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    while grid.rows.len() <= row {
        left.row(0)?;
        grid.rows.push(Vec::new());
    }
    let Some(cells) = grid.rows.get_mut(row) else { return Ok(()) };
    if cells.len() <= column {
        left.cells(column + 1 - cells.len())?;
        cells.resize(column + 1, String::new());
    }
    if let Some(cell) = cells.get_mut(column) {
        *cell = text;
    }
    Ok(())
}

/// A cell as a text: days as ISO 8601 writes them, whole numbers without a point.
fn shown(value: &Data) -> String {
    match value {
        Data::Empty => String::new(),
        Data::String(text) | Data::DurationIso(text) => text.trim().to_owned(),
        Data::DateTimeIso(text) => text.split('T').next().unwrap_or(text).to_owned(),
        Data::Bool(flag) => flag.to_string(),
        Data::DateTime(day) if day.is_datetime() => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        Data::DateTime(long) => long.as_f64().to_string(),
        other => other.to_string(),
    }
}

/// A file of an archive.
struct Part {
    name: String,
    data: Option<Vec<u8>>,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(N)?)?;
    Some(part.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

/// The files of an archive, each unpacked to see that together they hold no more than `most` bytes. What the
/// archive says of its sizes is not believed.
fn parts(bytes: &[u8], most: u64) -> Result<Vec<Part>, String> {
    let damaged = || "the archive is damaged".to_owned();
    let tail = bytes.len().saturating_sub(66_000);
    let end = bytes.get(tail..).and_then(|tail| tail.windows(4).rposition(|four| four == b"PK\x05\x06"));
    let end = tail + end.ok_or_else(damaged)?;
    let count = number::<2>(bytes, end + 10).ok_or_else(damaged)?;
    if count > 10_000 {
        return Err("the archive holds more than 10000 files".to_owned());
    }
    let mut at = number::<4>(bytes, end + 16).ok_or_else(damaged)? as usize;
    let mut left = most;
    let mut all = Vec::new();
    for _ in 0..count {
        if bytes.get(at..at + 4) != Some(b"PK\x01\x02".as_slice()) {
            return Err(damaged());
        }
        let field = |offset| number::<2>(bytes, at + offset).map(|n| n as usize).ok_or_else(damaged);
        let (method, names, extra, comment) = (field(10)?, field(28)?, field(30)?, field(32)?);
        let mut packed = number::<4>(bytes, at + 20).ok_or_else(damaged)?;
        let whole = number::<4>(bytes, at + 24).ok_or_else(damaged)?;
        let start = number::<4>(bytes, at + 42).ok_or_else(damaged)? as usize;
        let name =
            String::from_utf8_lossy(bytes.get(at + 46..at + 46 + names).ok_or_else(damaged)?).into_owned();
        if packed == u64::from(u32::MAX) {
            // The sizes of a large archive: the whole one first, where it is one.
            let skip = if whole == u64::from(u32::MAX) { 8 } else { 0 };
            packed = number::<8>(bytes, at + 46 + names + 4 + skip).ok_or_else(damaged)?;
        }
        at = at + 46 + names + extra + comment;
        let head = number::<2>(bytes, start + 26).zip(number::<2>(bytes, start + 28)).ok_or_else(damaged)?;
        let from = start + 30 + (head.0 + head.1) as usize;
        let end = from.checked_add(usize::try_from(packed).map_err(|_| damaged())?).ok_or_else(damaged)?;
        let data = bytes.get(from..end).ok_or_else(damaged)?;
        let keep = name == "content.xml";
        let (length, data) = match method {
            0 => (data.len() as u64, keep.then(|| data.to_vec())),
            8 => {
                let limit = usize::try_from(left).unwrap_or(usize::MAX);
                let unpacked = miniz_oxide::inflate::decompress_to_vec_with_limit(data, limit).map_err(|error| {
                    match error.status {
                        miniz_oxide::inflate::TINFLStatus::HasMoreOutput => {
                            format!("it holds more than {most} bytes once it is unpacked; `--max-unpacked SIZE` raises the limit")
                        }
                        _ => damaged(),
                    }
                })?;
                (unpacked.len() as u64, keep.then_some(unpacked))
            }
            _ => {
                return Err(
                    "it is packed in a way that workbooks are not, or locked by a password".to_owned()
                );
            }
        };
        left = left.checked_sub(length).ok_or_else(|| {
            format!(
                "it holds more than {most} bytes once it is unpacked; `--max-unpacked SIZE` raises the limit"
            )
        })?;
        all.push(Part { name, data });
    }
    Ok(all)
}

/// Sees that no row or cell that holds something is repeated so often that limits are passed.
fn repeated(parts: &[Part], options: &Options) -> Result<(), String> {
    let content = parts.iter().find(|part| part.name == "content.xml").and_then(|part| part.data.as_deref());
    let content = String::from_utf8_lossy(content.unwrap_or_default());
    let times = |text: &str, key: &str| -> usize {
        let after = text.split(key).skip(1);
        let numbers = after.filter_map(|rest| rest.split(['"', '\'']).nth(1)?.trim().parse::<usize>().ok());
        numbers.max().unwrap_or(1)
    };
    let mut cells = 0_usize;
    for row in content.split("<table:table-row").skip(1) {
        let holds = row.contains("office:value") || row.contains("<text:p");
        if !holds {
            continue;
        }
        let (down, right) = (times(row, "number-rows-repeated"), row.split("<table:table-cell"));
        let right: usize = right
            .filter(|cell| cell.contains("office:value") || cell.contains("<text:p"))
            .map(|cell| times(cell, "number-columns-repeated"))
            .sum();
        cells = cells.saturating_add(down.saturating_mul(right));
        if down > options.max_rows || cells > options.max_cells {
            return Err("it repeats rows or cells more often than limits allow; `--max-rows N` and `--max-cells N` raise them".to_owned());
        }
    }
    Ok(())
}
