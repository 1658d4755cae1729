//! The words that declarations use for facts: assurances, legal bases, safeguards, labels, tags.

use crate::base::duration::Duration;

/// What sort of fact a word is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// What the parties of an agreement attest.
    Assurance,
    /// Why a disclosure is lawful.
    LegalBasis,
    /// What protects data.
    Safeguard,
    /// A fact of a declaration, by its name.
    Label,
    /// A mark of a system or flow.
    Tag,
}

impl Sort {
    /// All, with their keys in the file of the vocabulary.
    pub const ALL: [(Sort, &str); 5] = [
        (Sort::Assurance, "assurances"),
        (Sort::LegalBasis, "legal_bases"),
        (Sort::Safeguard, "safeguards"),
        (Sort::Label, "labels"),
        (Sort::Tag, "tags"),
    ];

    /// One of them, in a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Sort::Assurance => "assurance",
            Sort::LegalBasis => "legal basis",
            Sort::Safeguard => "safeguard",
            Sort::Label => "label",
            Sort::Tag => "tag",
        }
    }
}

/// One word.
#[derive(Debug, Clone)]
pub struct Term {
    /// The word; one that ends with `*` stands for all that begin so.
    pub word: String,
    /// The fact.
    pub meaning: String,
    /// The packs that read it.
    pub laws: Vec<String>,
    /// How old a dated attestation may be for them.
    pub lifetime: Option<Duration>,
    /// Words of earlier versions for it, which are still read.
    pub was: Vec<String>,
    /// The values of a label, where they are a closed set.
    pub values: Vec<String>,
    /// The declarations that carry it.
    pub on: String,
    /// Whether a transfer to another country can rest on it.
    pub for_transfers: bool,
}

/// A word behind a dot says more about the one before it: `gdpr:legitimate_interest.fraud`.
fn is_or_refines(text: &str, word: &str) -> bool {
    match word.strip_suffix('*') {
        Some(start) => text.len() > start.len() && text.starts_with(start),
        None => text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
    }
}

impl Term {
    /// Whether a text is this word.
    pub fn is(&self, text: &str) -> bool {
        is_or_refines(text, &self.word)
    }

    /// The right word for an older one, if the text is one of this word's.
    pub fn for_older(&self, text: &str) -> Option<String> {
        let old = self.was.iter().find(|old| is_or_refines(text, old))?;
        let rest = text.strip_prefix(old.trim_end_matches('*'))?;
        Some(format!("{}{rest}", self.word.trim_end_matches('*')))
    }
}

/// All words.
#[derive(Debug, Clone, Default)]
pub struct Lexicon(pub Vec<(Sort, Term)>);

impl Lexicon {
    /// The words of one sort.
    pub fn of(&self, sort: Sort) -> impl Iterator<Item = &Term> + Clone {
        self.0.iter().filter(move |(own, _)| *own == sort).map(|(_, term)| term)
    }

    /// The word that a text is.
    pub fn find(&self, sort: Sort, text: &str) -> Option<&Term> {
        self.of(sort).find(|term| term.is(text))
    }

    /// The right words for an older one: of a basis, one for each law that has it.
    pub fn for_older(&self, sort: Sort, text: &str) -> Vec<String> {
        self.of(sort).filter_map(|term| term.for_older(text)).collect()
    }

    /// What a glob of a matcher is also met by: the older words of those that it names and, where it
    /// is an older word itself, the right ones.
    pub fn also(&self, sort: Sort, glob: &str) -> Vec<String> {
        let pattern = crate::base::glob::Glob::new(glob);
        let open = glob.ends_with('*');
        let mut also = self.for_older(sort, glob.trim_end_matches('*'));
        if open {
            also.iter_mut().for_each(|right| right.push('*'));
        }
        let named =
            self.of(sort).filter(|term| pattern.matches(term.word.trim_end_matches('*')) || term.is(glob));
        for old in named.flat_map(|term| &term.was) {
            also.push(old.clone());
            // What refines a word is its own with a dot between.
            also.extend((open && !old.ends_with('*')).then(|| format!("{old}.*")));
        }
        also.sort();
        also.dedup();
        also
    }
}
