//! The words of registers: `taxonomy/import-words.yaml`, with the titles and other names of our keys.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::base::diagnostic::{Diagnostic, nearest};
use crate::base::lexicon::{Lexicon, Sort};
use crate::base::places;
use crate::base::source::Sources;
use crate::base::taxonomy::{Match, Tree};
use crate::declare::lexicon::lexicon;
use crate::declare::places::{Meant, meant};
use crate::read::decode::{Decoder, Fields};
use crate::read::yaml::{self, Node};

use super::fold::fold;
use super::mapping::term_key;

const WORDS: &str = include_str!("../../taxonomy/import-words.yaml");

type Lists = BTreeMap<String, Vec<String>>;

/// The words, folded.
#[derive(Debug, Default)]
pub struct Words {
    nothing: BTreeSet<String>,
    unknown: BTreeSet<String>,
    everything: BTreeSet<String>,
    people: BTreeSet<String>,
    ourselves: BTreeSet<String>,
    data: Names,
    purposes: Names,
    words: BTreeMap<String, BTreeMap<String, String>>,
    units: BTreeMap<String, String>,
    numbers: BTreeMap<String, String>,
    forever: BTreeSet<String>,
    places: BTreeMap<String, String>,
    lexicon: Lexicon,
}

/// The names of the keys of one taxonomy, folded.
#[derive(Debug, Default)]
struct Names {
    own: Lists,
    by_name: FxHashMap<String, Vec<String>>,
}

/// How the keys of a term were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is a name of them.
    Known(Vec<String>, &'static str),
    /// It is like this name of them.
    Like(Vec<String>, String),
    /// Not at all.
    Unknown,
}

fn parse() -> (Words, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let file = Sources::new().add("taxonomy/import-words.yaml", WORDS.to_owned());
    let documents = yaml::parse(file, WORDS, &yaml::Limits::default(), &mut diagnostics);
    let tree = Tree::default();
    let mut d = Decoder::new(&mut diagnostics, &tree, &tree);
    let mut words = Words::default();
    if let Some(document) = documents.first()
        && let Some(mut f) = Fields::new(&mut d, document, "words of registers")
    {
        let set = |d: &mut Decoder, f: &mut Fields, key| -> BTreeSet<String> {
            f.list(d, key, |d, n| d.text(n)).iter().map(|text| term_key(&text.value)).collect()
        };
        words.nothing = set(&mut d, &mut f, "nothing");
        words.unknown = set(&mut d, &mut f, "unknown");
        words.everything = set(&mut d, &mut f, "everything");
        words.people = set(&mut d, &mut f, "people");
        words.ourselves = set(&mut d, &mut f, "ourselves");
        words.forever = set(&mut d, &mut f, "forever");
        words.data.own = f.with(&mut d, "data", |d, n| Some(lists(d, n))).unwrap_or_default();
        words.purposes.own = f.with(&mut d, "purposes", |d, n| Some(lists(d, n))).unwrap_or_default();
        let groups = f.with(&mut d, "words", |d, n| {
            Some(d.map(n, "words by key", |d, key, node| Some((key.value, turned(&lists(d, node))))))
        });
        words.words = groups.unwrap_or_default().into_iter().collect();
        for (key, into) in
            [("units", &mut words.units), ("numbers", &mut words.numbers), ("places", &mut words.places)]
        {
            *into = turned(&f.with(&mut d, key, |d, n| Some(lists(d, n))).unwrap_or_default());
        }
        f.finish(&mut d);
    }
    (words, diagnostics)
}

fn lists(d: &mut Decoder, node: &Node) -> Lists {
    let all = d.map(node, "a map from key to words", |d, key, node| {
        let words = d.list(node, |d, n| d.text(n));
        Some((key.value, words.into_iter().map(|text| text.value).collect()))
    });
    all.into_iter().collect()
}

/// From each word to what it is listed under.
fn turned(lists: &Lists) -> BTreeMap<String, String> {
    let all = lists
        .iter()
        .flat_map(|(key, words)| words.iter().chain([key]).map(move |word| (term_key(word), key.clone())));
    all.collect()
}

impl Names {
    fn fill(&mut self, tree: &Tree) {
        let mut add = |name: String, key: &str| {
            let keys: &mut Vec<String> = self.by_name.entry(name).or_default();
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        };
        // A name that was given first is not given again to something else by a weaker one.
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (_, entry) in tree.entries() {
            if let Some(title) = &entry.declared.title {
                let title = fold(title);
                taken.insert(title.clone());
                add(title, &entry.declared.key);
            }
        }
        for (key, words) in &self.own {
            for word in words {
                let word = term_key(word);
                if !taken.contains(&word) || tree.find(key).is_none() {
                    add(word, key);
                }
            }
        }
        taken.extend(self.own.values().flatten().map(|word| term_key(word)));
        for (_, entry) in tree.entries() {
            let exact = entry.declared.aka.iter().flat_map(|(_, terms)| terms);
            for term in exact.filter(|term| term.nearness == Match::Exact) {
                let local = term.term.rsplit([':', '.']).next().unwrap_or(&term.term);
                let local = fold(&apart(local));
                if !taken.contains(&local) {
                    add(local, &entry.declared.key);
                }
            }
            let last = entry.declared.key.rsplit('.').next().unwrap_or_default();
            let last = fold(last);
            if !taken.contains(&last)
                && tree.names().filter(|name| name.ends_with(last.as_str())).count() == 1
            {
                add(last, &entry.declared.key);
            }
        }
    }

    fn find(&self, tree: &Tree, text: &str) -> Found {
        if let Some(key) = tree.find(text.trim()) {
            return Found::Known(vec![tree.name(key).to_owned()], "id");
        }
        let folded = term_key(text);
        if let Some(keys) = self.by_name.get(&folded) {
            return Found::Known(keys.clone(), "name");
        }
        // What is said of it first: `hashed email`.
        if let Some((first, rest)) = folded.split_once(' ')
            && QUALIFIERS.contains(&first)
            && let Some(keys) = self.by_name.get(rest)
        {
            return Found::Like(keys.clone(), rest.to_owned());
        }
        let near = (folded.chars().count() > 3)
            .then(|| nearest(&folded, self.by_name.keys().map(String::as_str)))
            .map(|near| near.filter(|near| is_like(&folded, near)));
        match near.flatten().and_then(|name| Some((self.by_name.get(name)?, name))) {
            Some((keys, name)) => Found::Like(keys.clone(), name.to_owned()),
            None => Found::Unknown,
        }
    }
}

/// What may be said of data before its name, and leaves it what it is at worst.
const QUALIFIERS: [&str; 18] = [
    "hashed",
    "encrypted",
    "masked",
    "pseudonymised",
    "anonymised",
    "tokenised",
    "customer",
    "client",
    "user",
    "employee",
    "personal",
    "private",
    "work",
    "busines",
    "home",
    "full",
    "raw",
    "historical",
];

/// Whether few letters differ: of ten at most two.
fn is_like(one: &str, other: &str) -> bool {
    let most = (one.chars().count() / 5).max(1);
    strsim::osa_distance(one, other) <= most
}

/// `EmailAddress` as two words.
fn apart(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            out.push(' ');
        }
        out.push(c);
        before = c;
    }
    out
}

impl Words {
    /// The words, with the names in these trees.
    pub fn new(data: &Tree, purposes: &Tree) -> Self {
        let mut words = parse().0;
        words.lexicon = lexicon();
        words.data.fill(data);
        words.purposes.fill(purposes);
        words
    }

    /// A word for a legal basis that is one of ours already.
    pub fn is_basis(&self, text: &str) -> bool {
        self.lexicon.find(Sort::LegalBasis, text).is_some()
    }

    /// Whether a text says that there is nobody or nothing.
    pub fn is_nothing(&self, text: &str) -> bool {
        self.nothing.contains(&term_key(text))
    }

    /// Whether a text says that somebody does not know.
    pub fn is_unknown(&self, text: &str) -> bool {
        self.unknown.contains(&term_key(text))
    }

    /// Whether a text means all that the sender holds.
    pub fn is_everything(&self, text: &str) -> bool {
        self.everything.contains(&term_key(text))
    }

    /// Whether a text means the people concerned.
    pub fn is_people(&self, text: &str) -> bool {
        self.people.contains(&term_key(text))
    }

    /// Whether a text means the organisation itself.
    pub fn is_ourselves(&self, text: &str) -> bool {
        self.ourselves.contains(&term_key(text))
    }

    /// The categories of a term.
    pub fn data(&self, tree: &Tree, text: &str) -> Found {
        self.data.find(tree, text)
    }

    /// The purposes of a term.
    pub fn purposes(&self, tree: &Tree, text: &str) -> Found {
        self.purposes.find(tree, text)
    }

    /// What a word for a key means.
    pub fn word(&self, key: &str, text: &str) -> Option<&str> {
        self.words.get(key)?.get(&term_key(text)).map(String::as_str)
    }

    /// The words for a key that a text has in it: `Encrypted storage and transfer; access controls`.
    pub fn mentioned(&self, key: &str, text: &str) -> BTreeSet<&str> {
        let text = format!(" {} ", fold(text));
        let all = self.words.get(key).into_iter().flatten();
        all.filter(|(word, _)| text.contains(&format!(" {word} "))).map(|(_, to)| to.as_str()).collect()
    }

    /// A duration: `6 years`, `24 Monate`, `un an`; of what says more, none.
    pub fn duration(&self, text: &str) -> Option<String> {
        if let Some(own) = super::mapping::duration(text.trim()) {
            return Some(own);
        }
        let folded = fold(text);
        if self.forever.contains(&folded) {
            return Some("unlimited".to_owned());
        }
        let apart: String = folded
            .chars()
            .zip(folded.chars().skip(1).chain([' ']))
            .flat_map(|(c, next)| {
                let break_here = c.is_ascii_digit() && next.is_alphabetic();
                [Some(c), break_here.then_some(' ')].into_iter().flatten()
            })
            .collect();
        let parts: Vec<&str> = apart.split(' ').collect();
        let [number, unit] = parts.as_slice() else { return None };
        let number = match number.parse::<u32>() {
            Ok(number) => number.to_string(),
            Err(_) => self.numbers.get(*number)?.clone(),
        };
        super::mapping::duration(&format!("{number}{}", self.units.get(*unit)?))
    }

    /// The code of a place, by its code or by its name in one of three languages.
    pub fn place(&self, text: &str) -> Option<String> {
        let text = text.trim();
        if let Some(code) = places::code(text) {
            return Some(code);
        }
        let folded = fold(text);
        if let Some(code) = self.places.get(&folded) {
            return Some(code.clone());
        }
        match meant(text) {
            Meant::Codes(codes) => match codes.as_slice() {
                [code] => Some(code.clone()),
                // A country goes before its namesakes among subdivisions.
                several => {
                    let mut countries = several.iter().filter(|code| !code.contains('-'));
                    countries.next().filter(|_| countries.next().is_none()).cloned()
                }
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::inventory::builtin;

    fn words() -> (Words, Tree, Tree) {
        let built_in = builtin().unwrap();
        let (data, purposes) = (Tree::new(built_in.data), Tree::new(built_in.purposes));
        (Words::new(&data, &purposes), data, purposes)
    }

    #[test]
    fn the_file_is_sound_and_names_keys_that_there_are() {
        let (words, mistakes) = parse();
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let (_, data, purposes) = self::words();
        for (names, tree) in [(&words.data, &data), (&words.purposes, &purposes)] {
            let mut seen: BTreeMap<String, &str> = BTreeMap::new();
            for (key, list) in &names.own {
                assert!(tree.find(key).is_some(), "{key}");
                for word in list {
                    let other = seen.insert(term_key(word), key);
                    assert!(other.is_none_or(|other| other == key), "{word}: {other:?} and {key}");
                }
            }
        }
        assert!(words.nothing.is_disjoint(&words.unknown));
        assert!(words.nothing.contains("-"));
    }

    #[test]
    fn terms_are_found_by_id_title_and_word_in_three_languages() {
        let (words, data, purposes) = words();
        for (text, key) in [
            ("contact.email", "contact.email"),
            ("Email address", "contact.email"),
            ("E-Mail-Adresse", "contact.email"),
            ("courriel", "contact.email"),
            ("Bank details", "financial.account"),
            ("Coordonnées bancaires", "financial.account"),
            ("Kontaktdaten", "contact"),
        ] {
            assert!(
                matches!(words.data(&data, text), Found::Known(keys, _) if keys == [key]),
                "{text}: {:?}",
                words.data(&data, text)
            );
        }
        assert!(
            matches!(words.data(&data, "Hashed email"), Found::Like(keys, _) if keys == ["contact.email"])
        );
        assert!(
            matches!(words.data(&data, "Emial address"), Found::Like(keys, _) if keys == ["contact.email"])
        );
        assert_eq!(words.data(&data, "Frobnication index"), Found::Unknown);
        assert!(
            matches!(words.purposes(&purposes, "Newsletter"), Found::Known(keys, _) if keys == ["marketing.direct"])
        );
    }

    #[test]
    fn durations_and_places_are_read_in_words() {
        let (words, ..) = words();
        for (text, long) in [
            ("6 years", Some("6y")),
            ("24 Monate", Some("24m")),
            ("un an", Some("1y")),
            ("30d", Some("30d")),
            ("90 days", Some("90d")),
            ("indefinitely", Some("unlimited")),
            ("6 years post-employment", None),
            ("as long as necessary", None),
            ("", None),
        ] {
            assert_eq!(words.duration(text).as_deref(), long, "{text}");
        }
        for (text, code) in [
            ("United States", Some("US")),
            ("Deutschland", Some("DE")),
            ("Allemagne", Some("DE")),
            ("France", Some("FR")),
            ("Narnia", None),
        ] {
            assert_eq!(words.place(text).as_deref(), code, "{text}");
        }
    }
}
