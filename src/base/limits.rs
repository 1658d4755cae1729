//! How much an input may ask for. What passes a limit is a mistake that names the limit, what
//! was met and the flag that raises it; `docs/use/limits.md` gives the reasons.
//!
//! Limits come from the call alone: settings lie beside the inventory and come from whoever
//! sends it.

/// How much an input may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes: of an inventory, a policy, a test, a baseline or a result.
    /// Places in texts reach up to [`Limits::LARGEST_FILE`].
    pub file_size: u64,
    /// How deep values may nest, aliases followed, up to [`Limits::DEEPEST`].
    pub depth: usize,
    /// How many values anchors and aliases may repeat in all files together, beyond one for
    /// each eight bytes of a file. A long text counts as several.
    pub aliases: usize,
    /// How many files an inventory may have, and how many documents in all of them together.
    pub documents: usize,
    /// How long a name may be, in characters: an id, a key, a title, a word, a label.
    pub name: usize,
    /// How long a text may be that says more than a name, in characters: a quote, a reason.
    pub text: usize,
    /// How many findings there may be; `None`: as many as [`Limits::findings_of`] says.
    pub findings: Option<usize>,
    /// How much memory the process may have, in bytes. The library does not watch it.
    pub memory: u64,
    /// Whether links may lead out of an inventory. Without it, one that does is a mistake.
    pub follow_links: bool,
}

impl Limits {
    /// More than people write.
    pub const USUAL: Limits = Limits {
        file_size: 128 << 20,
        depth: 64,
        aliases: 1_000_000,
        documents: 1_000_000,
        name: 1000,
        text: 65_536,
        findings: None,
        memory: 8 << 30,
        follow_links: false,
    };
    /// The largest file that places can be told in.
    pub const LARGEST_FILE: u64 = (4 << 30) - 2;
    /// How many findings there may be in the smallest inventory, unless the call says how many.
    pub const FINDINGS: usize = 100_000;
    /// The deepest nesting that is followed on any thread's stack.
    pub const DEEPEST: usize = 500;
}

impl Limits {
    /// How many findings there may be of so many bytes of input: what is large may have more, if the
    /// call does not say how many.
    pub fn findings_of(&self, bytes: usize) -> usize {
        self.findings.unwrap_or(Self::FINDINGS + bytes / 64)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::USUAL
    }
}

/// What a text took of what limits allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How deep its values nest.
    pub depth: usize,
    /// How many values its aliases repeat, beyond one for each eight bytes.
    pub aliases: usize,
    /// How many documents it has.
    pub documents: usize,
}

impl Taken {
    /// Whether limits allow it.
    pub fn fits(&self, limits: &Limits) -> bool {
        self.depth <= limits.depth && self.aliases <= limits.aliases && self.documents <= limits.documents
    }

    /// What two texts take together.
    #[must_use]
    pub fn and(self, other: Taken) -> Taken {
        Taken {
            depth: self.depth.max(other.depth),
            aliases: self.aliases.saturating_add(other.aliases),
            documents: self.documents.saturating_add(other.documents),
        }
    }
}

/// What is left for further texts of what limits allow to all together.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    /// The limits.
    pub limits: Limits,
    /// What was taken so far.
    pub taken: Taken,
    /// A limit on all texts together was passed, and has been said: no more is read.
    pub spent: bool,
}

impl Allowance {
    /// All that limits allow.
    pub fn new(limits: Limits) -> Self {
        Allowance { limits, ..Allowance::default() }
    }

    /// How many documents are left.
    pub fn documents(&self) -> usize {
        self.limits.documents.saturating_sub(self.taken.documents)
    }

    /// How many repeated values are left.
    pub fn aliases(&self) -> usize {
        self.limits.aliases.saturating_sub(self.taken.aliases)
    }

    /// One more text took so much.
    pub fn take(&mut self, taken: Taken) {
        self.taken = self.taken.and(taken);
    }
}
