//! A part of a comment that has room for so many characters.

/// Text that does not grow beyond what there is room for.
#[derive(Debug, Default)]
pub(crate) struct Part {
    out: String,
    left: usize,
}

impl Part {
    /// An empty part for so many characters.
    pub(crate) fn new(room: usize) -> Self {
        Part { out: String::new(), left: room }
    }

    /// Adds a block whole, if there is room for it and for `reserve` characters more.
    pub(crate) fn push(&mut self, block: &str, reserve: usize) -> bool {
        let size = block.chars().count();
        match self.left.checked_sub(size) {
            Some(left) if left >= reserve => {
                self.left = left;
                self.out.push_str(block);
                true
            }
            _ => false,
        }
    }

    /// How many characters there is room for.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.out
    }
}

/// A folded list: as many of the items as there is room for, the others counted.
pub(crate) fn folded(summary: &str, items: impl ExactSizeIterator<Item = String>, room: usize) -> String {
    const END: &str = "\n</details>\n\n";
    const REST: usize = 100;
    let mut part = Part::new(room);
    let mut left = items.len();
    if left == 0 || !part.push(&format!("<details><summary>{summary}</summary>\n\n"), REST + END.len()) {
        return String::new();
    }
    for item in items {
        if !part.push(&item, REST + END.len()) {
            break;
        }
        left -= 1;
    }
    if left > 0 {
        part.push(&format!("\n… and {left} more\n"), END.len());
    }
    part.push(END, 0);
    part.finish()
}
