//! Bytes to grids of texts, within limits.

use crate::base::diagnostic::Diagnostic;
use crate::exchange::gather::Source;
use crate::exchange::mapping::Mapping;

use super::{Options, layouts::recognise};

/// A table of texts.
#[derive(Debug, Default)]
pub struct Grid {
    /// The sheet's name; of a text, empty.
    pub name: String,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// What there is to say of how it was read.
    pub notes: Vec<String>,
}

impl Grid {
    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.rows.iter().flatten().all(String::is_empty)
    }
}

/// What limits leave to the tables that are still to be read.
#[derive(Debug)]
pub struct Left {
    rows: usize,
    cells: usize,
    most: (usize, usize),
}

impl Left {
    /// All that the options allow.
    pub fn new(options: &Options) -> Self {
        Left { rows: options.max_rows, cells: options.max_cells, most: (options.max_rows, options.max_cells) }
    }

    /// Takes a row of so many cells.
    ///
    /// # Errors
    /// There are too many.
    pub fn row(&mut self, cells: usize) -> Result<(), String> {
        let most = self.most.0;
        let left = self.rows.checked_sub(1);
        self.rows =
            left.ok_or_else(|| format!("there are more than {most} rows; `--max-rows N` raises the limit"))?;
        self.cells(cells)
    }

    /// Takes so many cells.
    ///
    /// # Errors
    /// There are too many.
    pub fn cells(&mut self, cells: usize) -> Result<(), String> {
        let most = self.most.1;
        let left = self.cells.checked_sub(cells);
        self.cells = left
            .ok_or_else(|| format!("there are more than {most} cells; `--max-cells N` raises the limit"))?;
        Ok(())
    }
}

/// The grids of a file.
///
/// # Errors
/// It is no table, or holds more than limits allow.
pub fn read(
    source: &Source,
    options: &Options,
    left: &mut Left,
    mapping: &Mapping,
) -> Result<Vec<Grid>, Vec<Diagnostic>> {
    let wrong = |why: String| {
        vec![Diagnostic::without_place(
            "unreadable-table",
            format!("`{}` cannot be read as a table: {why}", source.name),
        )]
    };
    let grids = match source.bytes.as_slice() {
        // A zip archive: XLSX or ODS.
        [b'P', b'K', 3 | 5, ..] => workbook(source, options, left),
        // A compound file: XLS.
        [0xD0, 0xCF, 0x11, 0xE0, ..] => {
            Err("it is a workbook of Excel 97 or locked by a password: save it as XLSX, without one"
                .to_owned())
        }
        bytes => text(bytes, left, mapping).map(|grid| vec![grid]),
    };
    grids.map_err(wrong)
}

#[cfg(feature = "tables")]
fn workbook(source: &Source, options: &Options, left: &mut Left) -> Result<Vec<Grid>, String> {
    super::workbook::read(&source.bytes, options, left)
}

#[cfg(not(feature = "tables"))]
fn workbook(_: &Source, _: &Options, _: &mut Left) -> Result<Vec<Grid>, String> {
    Err("this build has no workbooks (feature `tables`): save it as CSV".to_owned())
}

/// A text of cells in any encoding, with any separator.
fn text(bytes: &[u8], left: &mut Left, mapping: &Mapping) -> Result<Grid, String> {
    let (text, note) = decoded(bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // `sep=;` tells Excel the separator.
    let (named, text) = match text.split_once('\n') {
        Some((first, rest)) if first.trim_end().len() == 5 && first.starts_with("sep=") => {
            (first.as_bytes().get(4).copied(), rest)
        }
        _ => (None, text),
    };
    let start: String = text.split_inclusive('\n').take(100).collect();
    let separator = named.unwrap_or_else(|| separator(&start, mapping));
    let mut grid = Grid { rows: cells(text, separator, Some(left))?, ..Grid::default() };
    grid.notes.extend(note);
    Ok(grid)
}

/// The separator with which the first lines have headings that are known, else the one that makes most cells.
fn separator(start: &str, mapping: &Mapping) -> u8 {
    let score = |separator: u8| {
        let rows = cells(start, separator, None).unwrap_or_default();
        let widest = rows.iter().map(Vec::len).max().unwrap_or_default();
        let grid = Grid { rows, ..Grid::default() };
        let known = recognise(&grid, mapping.layout.as_deref(), mapping);
        (known.map_or(0, |(_, _, fields)| fields.iter().flatten().count()), widest)
    };
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|separator| score(*separator)).unwrap_or(b',')
}

fn cells(text: &str, separator: u8, mut left: Option<&mut Left>) -> Result<Vec<Vec<String>>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut line = 0;
    while reader.read_record(&mut record).map_err(|error| error.to_string())? {
        if let Some(left) = left.as_deref_mut() {
            left.row(record.len())?;
        }
        // Blank lines are no records, and rows go by their lines where cells have no line breaks.
        let at = record.position().map_or(line, csv::Position::line);
        let blank = at.saturating_sub(line + 1).min(1_000);
        if rows.len() < 1_000 {
            rows.extend((0..blank).map(|_| Vec::new()));
        }
        line = at + record.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        rows.push(record.iter().map(|cell| cell.trim().to_owned()).collect());
    }
    Ok(rows)
}

/// The text of bytes in one of the encodings that spreadsheets write.
fn decoded(bytes: &[u8]) -> Result<(String, Option<String>), String> {
    let utf16 = |bytes: &[u8], big: bool| {
        let units = bytes.chunks(2).map(|pair| match pair {
            [a, b] if big => u16::from_be_bytes([*a, *b]),
            [a, b] => u16::from_le_bytes([*a, *b]),
            _ => 0xFFFD,
        });
        char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect::<String>()
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, false),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, true),
        bytes => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let text = bytes.iter().map(|byte| windows(*byte)).collect::<String>();
                if text.contains('\0') {
                    return Err("it is no text".to_owned());
                }
                return Ok((text, Some("it is not UTF-8 and was read as Windows-1252".to_owned())));
            }
        },
    };
    if text.contains('\0') { Err("it is no text".to_owned()) } else { Ok((text, None)) }
}

/// A byte of Windows-1252.
fn windows(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{FFFD}'),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(bytes: &[u8]) -> Grid {
        text(bytes, &mut Left::new(&Options::default()), &Mapping::default()).unwrap()
    }

    #[test]
    fn encodings_and_separators_are_recognised() {
        let wide: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain("to party\tdata\nÄ\tb\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for (bytes, note) in [
            (b"to party,data\n\xC4,b\n".as_slice(), true),
            ("\u{feff}to party;data\nÄ;b\n".as_bytes(), false),
            ("sep=|\nto party|data\nÄ|b\n".as_bytes(), false),
            (&wide, false),
        ] {
            let grid = read_text(bytes);
            assert_eq!(grid.rows.last().unwrap(), &["Ä", "b"], "{grid:?}");
            assert_eq!(grid.notes.len(), usize::from(note));
        }
        assert!(decoded(b"\0\x01").is_err());
    }

    #[test]
    fn limits_hold() {
        let options = Options { max_rows: 2, ..Options::default() };
        let mut left = Left::new(&options);
        let error = text(b"a,b\nc,d\ne,f\n", &mut left, &Mapping::default()).unwrap_err();
        assert!(error.contains("--max-rows"), "{error}");
        let mut left = Left::new(&Options { max_cells: 3, ..Options::default() });
        assert!(text(b"a,b\nc,d\n", &mut left, &Mapping::default()).unwrap_err().contains("--max-cells"));
    }
}
