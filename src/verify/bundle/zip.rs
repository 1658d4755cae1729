//! The archive: a ZIP of one form alone. Each entry is deflated, in the order of names, with the
//! same day, rights and flags, without comments, extra fields or gaps. So the same entries are the
//! same bytes, and in what is read nothing can hide: heads are written again from what they say and
//! compared.

use std::io::{self, Read, Write};

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

use super::Unreadable;

/// How hard is tried to make entries small. Another level gives other bytes.
const LEVEL: i32 = 6;

/// How much is deflated at a time, so that it does not depend on who writes in what pieces.
const PIECE: usize = 1 << 16;

/// Without the additions for large archives no number is larger.
const MOST: u64 = u32::MAX as u64 - 1;

/// How many entries there may be.
const MOST_ENTRIES: usize = u16::MAX as usize - 1;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

/// How long the end of an archive is.
const END_LENGTH: usize = 22;

/// How long the head of an entry in the list is, without its name.
const CENTRAL_LENGTH: usize = 46;

/// CRC-32 of each byte alone.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut value = at as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        // The bounds are those of the loop.
        #[allow(clippy::indexing_slicing)]
        {
            table[at] = value;
        }
        at += 1;
    }
    table
};

/// Digests of what passes.
#[derive(Default)]
struct Digests {
    crc: u32,
    bytes: u64,
    blake3: blake3::Hasher,
}

impl Digests {
    fn add(&mut self, bytes: &[u8]) {
        let mut crc = !self.crc;
        for byte in bytes {
            let [low, ..] = crc.to_le_bytes();
            crc = CRC.get(usize::from(low ^ byte)).copied().unwrap_or_default() ^ (crc >> 8);
        }
        self.crc = !crc;
        self.bytes += bytes.len() as u64;
        self.blake3.update(bytes);
    }

    fn hex(&self) -> String {
        self.blake3.finalize().to_hex().to_string()
    }
}

/// An entry that is ready to be written.
pub struct Packed {
    /// Its name.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// BLAKE3 of them.
    pub digest: String,
    crc: u32,
    deflated: Vec<u8>,
}

impl Packed {
    /// An entry of which no more is known than what is listed of it.
    pub fn listed(name: &str, bytes: u64, digest: &str) -> Self {
        Packed { name: name.to_owned(), bytes, digest: digest.to_owned(), crc: 0, deflated: Vec::new() }
    }
}

/// Deflates what `make` writes.
///
/// # Errors
/// When it cannot be written, or is too large.
pub fn pack(name: &str, make: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Packed> {
    let flags = create_comp_flags_from_zip_params(LEVEL, DataFormat::Raw.to_window_bits(), 0);
    let mut packing = Packing {
        compressor: Box::new(CompressorOxide::new(flags)),
        waiting: Vec::with_capacity(PIECE),
        deflated: Vec::new(),
        digests: Digests::default(),
    };
    make(&mut packing)?;
    packing.deflate(MZFlush::Finish)?;
    let Packing { deflated, digests, .. } = packing;
    if digests.bytes > MOST || deflated.len() as u64 > MOST {
        return Err(io::Error::other(format!("`{name}` is larger than the 4 GiB that a bundle can hold")));
    }
    Ok(Packed {
        name: name.to_owned(),
        bytes: digests.bytes,
        digest: digests.hex(),
        crc: digests.crc,
        deflated,
    })
}

struct Packing {
    compressor: Box<CompressorOxide>,
    waiting: Vec<u8>,
    deflated: Vec<u8>,
    digests: Digests,
}

impl Packing {
    fn deflate(&mut self, flush: MZFlush) -> io::Result<()> {
        self.digests.add(&self.waiting);
        let mut piece = [0; 1 << 15];
        let mut left = self.waiting.as_slice();
        while !left.is_empty() || flush == MZFlush::Finish {
            let done = deflate(&mut self.compressor, left, &mut piece, flush);
            left = left.get(done.bytes_consumed..).unwrap_or_default();
            self.deflated.extend(piece.iter().take(done.bytes_written));
            match done.status {
                Ok(MZStatus::StreamEnd) => break,
                Ok(_) => {}
                Err(error) => return Err(io::Error::other(format!("it cannot be deflated: {error:?}"))),
            }
        }
        self.waiting.clear();
        Ok(())
    }
}

impl Write for Packing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.get(..PIECE - self.waiting.len()).unwrap_or(bytes);
        self.waiting.extend(taken);
        if self.waiting.len() == PIECE {
            self.deflate(MZFlush::None)?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the heads of an entry say.
struct Head<'n> {
    name: &'n str,
    crc: u32,
    deflated: u32,
    bytes: u32,
}

impl Head<'_> {
    fn common(&self) -> Vec<u8> {
        let mut head = Vec::new();
        // Read by version 2.0 on; names are UTF-8; deflated; 1980-01-01, midnight.
        for number in [20_u16, 0x0800, 8, 0, 0x0021] {
            head.extend(number.to_le_bytes());
        }
        for number in [self.crc, self.deflated, self.bytes] {
            head.extend(number.to_le_bytes());
        }
        // No name is longer: they have been looked at.
        head.extend((self.name.len() as u16).to_le_bytes());
        head.extend([0; 2]);
        head
    }

    fn local(&self) -> Vec<u8> {
        [LOCAL.to_le_bytes().as_slice(), &self.common(), self.name.as_bytes()].concat()
    }

    fn central(&self, at: u32) -> Vec<u8> {
        let mut head = CENTRAL.to_le_bytes().to_vec();
        // Rights as on Unix: a file that its owner writes and all read.
        head.extend(0x0314_u16.to_le_bytes());
        head.extend(self.common());
        head.extend([0; 6]);
        head.extend((0o100_644_u32 << 16).to_le_bytes());
        head.extend(at.to_le_bytes());
        head.extend(self.name.as_bytes());
        head
    }
}

fn end(entries: u16, length: u32, at: u32) -> Vec<u8> {
    let mut end = END.to_le_bytes().to_vec();
    end.extend([0; 4]);
    end.extend(entries.to_le_bytes());
    end.extend(entries.to_le_bytes());
    end.extend(length.to_le_bytes());
    end.extend(at.to_le_bytes());
    end.extend([0; 2]);
    end
}

/// Writes an archive.
///
/// # Errors
/// When it cannot be written, is too large, or two entries have one name.
pub fn write(mut entries: Vec<Packed>, out: &mut dyn Write) -> io::Result<()> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let wrong = |what: String| Err(io::Error::other(what));
    let twins = entries.iter().zip(entries.iter().skip(1)).find(|(a, b)| a.name == b.name);
    if let Some((one, _)) = twins {
        return wrong(format!("two files would be called `{}` in the bundle", one.name));
    }
    if let Some(entry) = entries.iter().find(|entry| !is_safe(&entry.name)) {
        return wrong(format!("`{}` is no name for a file in a bundle", entry.name));
    }
    let all: u64 = entries.iter().map(|e| e.deflated.len() as u64 + 2 * (e.name.len() as u64 + 64)).sum();
    let plain: u64 = entries.iter().map(|entry| entry.bytes).sum();
    if all.max(plain) > MOST || entries.len() > MOST_ENTRIES {
        return wrong(format!("a bundle holds no more than 4 GiB in {MOST_ENTRIES} files"));
    }
    let (mut at, mut list) = (0_u32, Vec::new());
    let count = entries.len() as u16;
    for entry in entries {
        let head = Head {
            name: &entry.name,
            crc: entry.crc,
            deflated: entry.deflated.len() as u32,
            bytes: entry.bytes as u32,
        };
        let local = head.local();
        out.write_all(&local)?;
        out.write_all(&entry.deflated)?;
        list.extend(head.central(at));
        at += local.len() as u32 + head.deflated;
    }
    out.write_all(&list)?;
    out.write_all(&end(count, list.len() as u32, at))
}

/// Whether a name stays in the folder into which somebody unpacks it, on any system.
fn is_safe(name: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ':');
    name.len() < usize::from(u16::MAX)
        && !name.contains(odd)
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// An entry as it was read; what it holds is not unpacked yet.
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many bytes it says that it has.
    pub bytes: u64,
    crc: u32,
    deflated: &'a [u8],
}

/// The entries of an archive.
///
/// # Errors
/// When it is none, or not of the one form.
pub fn read(archive: &[u8]) -> Result<Vec<Entry<'_>>, Unreadable> {
    let last = archive.len().checked_sub(END_LENGTH).ok_or(Unreadable::NoArchive)?;
    let tail = archive.get(last..).unwrap_or_default();
    if number(tail, 0, 4) != u64::from(END) {
        return Err(Unreadable::NoArchive);
    }
    let count = number(tail, 10, 2);
    let mut at = number(tail, 16, 4) as usize;
    if tail != end(count as u16, last.saturating_sub(at) as u32, at as u32) {
        return Err(Unreadable::Foreign("its end".to_owned()));
    }
    let (list_begins, mut place) = (at, 0);
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..count {
        let foreign = || Unreadable::Foreign(format!("entry {}", entries.len() + 1));
        let fixed = slice(archive, at, CENTRAL_LENGTH).ok_or_else(foreign)?;
        let long = number(fixed, 28, 2) as usize;
        let name = slice(archive, at + CENTRAL_LENGTH, long).and_then(|n| str::from_utf8(n).ok());
        let name = name.ok_or_else(foreign)?;
        if !is_safe(name) {
            return Err(Unreadable::Name(name.to_owned()));
        }
        match entries.last() {
            Some(before) if before.name == name => return Err(Unreadable::Twice(name.to_owned())),
            Some(before) if before.name > name => return Err(Unreadable::Order(name.to_owned())),
            _ => {}
        }
        let foreign = || Unreadable::Foreign(format!("the head of `{name}`"));
        let field = |at| number(fixed, at, 4) as u32;
        let head = Head { name, crc: field(16), deflated: field(20), bytes: field(24) };
        let (central, local) = (head.central(place as u32), head.local());
        if slice(archive, at, central.len()) != Some(central.as_slice())
            || slice(archive, place, local.len()) != Some(local.as_slice())
        {
            return Err(foreign());
        }
        let deflated = slice(archive, place + local.len(), head.deflated as usize);
        place += local.len() + head.deflated as usize;
        at += central.len();
        if place > list_begins || at > last {
            return Err(foreign());
        }
        let deflated = deflated.ok_or_else(foreign)?;
        entries.push(Entry { name, bytes: u64::from(head.bytes), crc: head.crc, deflated });
    }
    if place != list_begins || at != last {
        return Err(Unreadable::Foreign("what stands between its entries".to_owned()));
    }
    if entries.iter().map(|entry| entry.bytes).sum::<u64>() > MOST {
        return Err(Unreadable::TooLarge);
    }
    Ok(entries)
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// A number, lowest byte first; 0 where there is none.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = slice(bytes, at, length).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

impl<'a> Entry<'a> {
    /// What it holds, unpacked as it is read: never more than it says, and an error at the end
    /// if it is less or other.
    pub fn open(&self) -> Opened<'a> {
        Opened {
            state: InflateState::new_boxed(DataFormat::Raw),
            deflated: self.deflated,
            bytes: self.bytes,
            crc: self.crc,
            digests: Digests::default(),
            over: false,
        }
    }

    /// BLAKE3 of all that it holds.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn digest(&self) -> Result<String, Unreadable> {
        let mut opened = self.open();
        io::copy(&mut opened, &mut io::sink()).map_err(|_| Unreadable::Damaged(self.name.to_owned()))?;
        Ok(opened.digests.hex())
    }

    /// Whether it is deflated as this program deflates it.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn is_packed_as_written(&self) -> Result<bool, Unreadable> {
        let mut opened = self.open();
        let again = pack(self.name, |out| io::copy(&mut opened, out).map(drop));
        again.map(|again| self.is(&again)).map_err(|_| Unreadable::Damaged(self.name.to_owned()))
    }

    /// Whether it holds the same bytes, packed the same.
    pub fn is(&self, packed: &Packed) -> bool {
        self.bytes == packed.bytes && self.crc == packed.crc && self.deflated == packed.deflated
    }

    /// All that it holds.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn whole(&self) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = Vec::new();
        let read = self.open().read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|_| Unreadable::Damaged(self.name.to_owned()))
    }
}

/// An entry that is being unpacked.
pub struct Opened<'a> {
    state: Box<InflateState>,
    deflated: &'a [u8],
    bytes: u64,
    crc: u32,
    digests: Digests,
    over: bool,
}

impl Read for Opened<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let damaged = || Err(io::Error::from(io::ErrorKind::InvalidData));
        // One byte more than is left shows what is larger than it says.
        let room = usize::try_from(self.bytes - self.digests.bytes).unwrap_or(usize::MAX).saturating_add(1);
        let room = room.min(into.len());
        let Some(into) = into.get_mut(..room).filter(|into| !into.is_empty() && !self.over) else {
            return Ok(0);
        };
        let done = inflate(&mut self.state, self.deflated, into, MZFlush::None);
        self.deflated = self.deflated.get(done.bytes_consumed..).unwrap_or_default();
        self.digests.add(into.get(..done.bytes_written).unwrap_or_default());
        if self.digests.bytes > self.bytes {
            return damaged();
        }
        match done.status {
            Ok(MZStatus::StreamEnd) => {
                self.over = true;
                let as_said = self.digests.bytes == self.bytes && self.digests.crc == self.crc;
                if as_said && self.deflated.is_empty() { Ok(done.bytes_written) } else { damaged() }
            }
            Ok(_) if done.bytes_written > 0 => Ok(done.bytes_written),
            _ => damaged(),
        }
    }
}
