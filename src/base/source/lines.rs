//! Lines and columns of a text, told without the text.

/// What turns each byte of a text into its line and column: two bytes a line, and as much for each
/// byte by which a character is longer than one.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    /// The bytes of the text.
    length: u32,
    /// The line feeds.
    feeds: Marks,
    /// The bytes that begin no character.
    inner: Marks,
}

impl Lines {
    pub fn new(text: &str) -> Self {
        Lines {
            length: text.len() as u32,
            feeds: Marks::new(text, line_feeds),
            inner: if text.is_ascii() { Marks::default() } else { Marks::new(text, inner_bytes) },
        }
    }

    /// Line and column, both from 1, the column in characters.
    pub fn line_column(&self, byte: u32) -> (u32, u32) {
        let byte = byte.min(self.length);
        let ended = self.feeds.before(byte);
        let start = ended.checked_sub(1).map_or(0, |last| self.feeds.place(last) + 1);
        let inner = self.inner.before(byte) - self.inner.before(start);
        (ended + 1, byte - start - inner + 1)
    }
}

/// Some bytes of a text, in order.
#[derive(Debug, Clone, Default)]
struct Marks {
    /// How many lie before each block.
    before: Box<[u32]>,
    /// Where they lie in their blocks.
    within: Box<[u16]>,
}

/// The bits of a place within its block.
const BLOCK: u32 = u16::BITS;

/// The highest bit of each byte of a word.
const HIGHEST: u64 = 0x8080_8080_8080_8080;

/// The highest bit of each byte that is a line feed.
fn line_feeds(word: u64) -> u64 {
    let other = word ^ 0x0A0A_0A0A_0A0A_0A0A;
    !(((other & !HIGHEST) + !HIGHEST) | other) & HIGHEST
}

/// The highest bit of each byte that begins no character: those of which the first bit is set and
/// the second is not.
fn inner_bytes(word: u64) -> u64 {
    word & !(word << 1) & HIGHEST
}

impl Marks {
    /// Those of which `marked` gives the highest bit; no byte of zeros is one.
    fn new(text: &str, marked: impl Fn(u64) -> u64) -> Self {
        let (mut before, mut within) = (Vec::new(), Vec::new());
        for block in text.as_bytes().chunks(1 << BLOCK) {
            before.push(within.len() as u32);
            let (words, rest) = block.as_chunks::<8>();
            let mut last = [0; 8];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            for (at, &word) in words.iter().chain([&last]).enumerate() {
                let mut marked = marked(u64::from_le_bytes(word));
                while marked != 0 {
                    // A block is as long as 16 bits can tell.
                    within.push((at * 8) as u16 + (marked.trailing_zeros() / 8) as u16);
                    marked &= marked - 1;
                }
            }
        }
        Marks { before: before.into(), within: within.into() }
    }

    /// How many lie before a byte.
    fn before(&self, byte: u32) -> u32 {
        let block = (byte >> BLOCK) as usize;
        let all = self.within.len() as u32;
        let [start, end] = [block, block + 1].map(|block| self.before.get(block).copied().unwrap_or(all));
        let within = self.within.get(start as usize..end as usize).unwrap_or_default();
        start + within.partition_point(|&at| u32::from(at) < byte % (1 << BLOCK)) as u32
    }

    /// Where one lies; there must be so many.
    fn place(&self, number: u32) -> u32 {
        let block = self.before.partition_point(|&before| before <= number).saturating_sub(1) as u32;
        (block << BLOCK) + self.within.get(number as usize).map_or(0, |&at| u32::from(at))
    }
}
